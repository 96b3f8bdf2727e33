//! The walk over a file's declarations: everything outside function bodies.

use std::rc::Rc;

use pipelint_ir::{
    Const, Constant, Declaration, Entry, FunctionKind, Gap, GapReason, Global, Name, Type, Unit,
};
use tree_sitter::Node;

use super::kinds::{F, K, field, kind};
use super::known::Known;
use super::tree::{Source, last_segment};
use super::types::{Declared, Specifiers};

/// Entries of a braced list at file scope that are looked at for names.
const LARGEST_TABLE: usize = 64;
/// Namespaces nested deeper are not followed.
const MAX_DEPTH: u32 = 64;

/// The namespace or class that an item stands in.
#[derive(Debug, Default)]
pub(crate) struct Space {
    /// `a::b::`, or empty.
    pub(crate) prefix: String,
    /// The qualified name of the innermost class.
    pub(crate) class: Option<Name>,
    /// Inside an anonymous namespace.
    pub(crate) internal: bool,
    /// How many namespaces and classes are around.
    pub(crate) depth: u32,
}

impl Space {
    /// `name` in this space.
    pub(crate) fn qualify(&self, name: &str) -> Name {
        if self.prefix.is_empty() {
            return Name::new(name);
        }
        let mut out = String::with_capacity(self.prefix.len() + name.len());
        out.push_str(&self.prefix);
        out.push_str(name);
        Name::new(out)
    }

    /// The space inside `name`, which stands in this one.
    pub(crate) fn enter(&self, name: &str, class: Option<Name>) -> Self {
        let class = class.or_else(|| self.class.clone());
        Self {
            prefix: format!("{}{name}::", self.prefix),
            class,
            internal: self.internal,
            depth: self.depth + 1,
        }
    }
}

/// A body to lower once every name is known.
pub(crate) enum Work<'t> {
    /// A function definition.
    Definition(Node<'t>, Rc<Space>),
    /// A class with default member initialisers: field, type, value.
    FieldInit(Name, Vec<(Name, Type, Node<'t>)>),
    /// A namespace-scope variable whose initialiser may hold lambdas.
    Initialiser(Name, Node<'t>),
}

/// Everything gathered of one file.
pub(crate) struct Items<'t> {
    pub(crate) source: Source<'t>,
    pub(crate) known: Known,
    pub(crate) unit: Unit,
    pub(crate) work: Vec<Work<'t>>,
    /// Where words stood that say a function never returns, as offsets of the next token; sorted.
    pub(crate) noreturn: Vec<u32>,
    /// SAL words, by the offset of the next token; sorted.
    pub(crate) sal: Vec<(u32, Name)>,
}

type Stack<'t> = Vec<(Node<'t>, Rc<Space>)>;

impl<'t> Items<'t> {
    /// Walks the whole tree.
    pub(crate) fn walk(&mut self, root: Node<'t>) {
        let mut stack: Stack<'t> = Vec::new();
        self.push_children(root, &Rc::new(Space::default()), &mut stack);
        if root.is_error() {
            self.gap(root, GapReason::Syntax);
        }
        while let Some((node, space)) = stack.pop() {
            self.item(node, &space, &mut stack);
        }
    }

    fn push_children(&self, node: Node<'t>, space: &Rc<Space>, stack: &mut Stack<'t>) {
        let children = self.source.children(node);
        stack.extend(
            children
                .into_iter()
                .rev()
                .map(|child| (child, Rc::clone(space))),
        );
    }

    /// Notes a region outside every function that was not understood.
    pub(crate) fn gap(&mut self, node: Node<'t>, reason: GapReason) {
        let span = self.source.span(node);
        self.unit.gaps.push(Gap { span, reason });
    }

    fn item(&mut self, node: Node<'t>, space: &Rc<Space>, stack: &mut Stack<'t>) {
        match kind(node) {
            K::NamespaceDefinition => self.namespace(node, space, stack),
            K::LinkageSpecification => {
                if let Some(body) = field(node, F.body) {
                    stack.push((body, Rc::clone(space)));
                }
            }
            K::DeclarationList
            | K::PreprocIf
            | K::PreprocIfdef
            | K::PreprocElse
            | K::PreprocElif
            | K::PreprocElifdef
            | K::AttributedStatement
            | K::LabeledStatement
            | K::FriendDeclaration
            | K::TemplateDeclaration => self.push_children(node, space, stack),
            K::FunctionDefinition => self.definition(node, space, stack),
            K::Declaration | K::FieldDeclaration => self.declaration(node, space),
            K::TypeDefinition => self.typedef(node, space),
            K::AliasDeclaration => self.alias(node, space),
            K::ClassSpecifier | K::StructSpecifier | K::UnionSpecifier | K::EnumSpecifier => {
                self.type_body(node, space, None, 0);
            }
            K::Error => {
                self.gap(node, GapReason::Syntax);
                self.push_children(node, space, stack);
            }
            K::CompoundStatement
            | K::IfStatement
            | K::ForStatement
            | K::ForRangeLoop
            | K::WhileStatement
            | K::DoStatement
            | K::SwitchStatement
            | K::CaseStatement
            | K::ReturnStatement
            | K::TryStatement
            | K::SehTry
            | K::GotoStatement
            | K::BreakStatement
            | K::ContinueStatement
            | K::ThrowStatement => {
                // A statement outside every function: its function was lost.
                self.gap(node, GapReason::Syntax);
                if kind(node) == K::CompoundStatement {
                    self.push_children(node, space, stack);
                }
            }
            _ => {}
        }
    }

    fn namespace(&mut self, node: Node<'t>, space: &Rc<Space>, stack: &mut Stack<'t>) {
        let Some(body) = field(node, F.body) else {
            return;
        };
        if space.depth > MAX_DEPTH {
            self.gap(node, GapReason::TooDeep);
            return;
        }
        let inner = match field(node, F.name) {
            Some(name) => {
                let name: String = self.source.text(name).split_whitespace().collect();
                let inner = space.enter(&name, None);
                let mut at = 0;
                let whole = inner.prefix.trim_end_matches(':');
                while let Some(next) = whole[at..].find("::") {
                    self.known.namespaces.insert(Name::new(&whole[..at + next]));
                    at += next + 2;
                }
                self.known.namespaces.insert(Name::new(whole));
                self.known.namespaces.insert(Name::new(last_segment(whole)));
                inner
            }
            None => Space {
                prefix: space.prefix.clone(),
                class: space.class.clone(),
                internal: true,
                depth: space.depth + 1,
            },
        };
        stack.push((body, Rc::new(inner)));
    }

    /// A definition in any place; `space.class` is set inside a class body.
    fn definition(&mut self, node: Node<'t>, space: &Rc<Space>, stack: &mut Stack<'t>) {
        let spec = self.source.specifiers(node);
        if let Some(ty) = spec.type_node {
            self.type_body(ty, space, None, 0);
        }
        let declared = self
            .source
            .declared(spec.ty.clone(), spec.declarators.first().map(|d| d.0));
        let (Some(name), Some(_)) = (declared.name, declared.function) else {
            self.gap(node, GapReason::Syntax);
            if let Some(body) = spec.body {
                self.push_children(body, space, stack);
            }
            return;
        };
        let name = self.source.qualified(name);
        let full = space.qualify(&name);
        if let Some(declaration) = self.declared_function(node, &spec, &declared, space) {
            if spec.body.is_none() {
                self.unit.declarations.push(declaration);
            } else {
                self.work.push(Work::Definition(node, Rc::clone(space)));
            }
        }
        self.learn_function(&name, full, declared.ty);
    }

    /// Remembers that a function of this name exists.
    fn learn_function(&mut self, name: &Name, full: Name, ret: Type) {
        if !name.contains("::") {
            self.known.functions.insert(name.clone());
        }
        self.known.returns.insert(name.clone(), ret.clone());
        self.known.returns.insert(full.clone(), ret);
        self.known.functions.insert(full);
    }

    /// A declaration at namespace scope.
    fn declaration(&mut self, node: Node<'t>, space: &Rc<Space>) {
        let spec = self.source.specifiers(node);
        let mut spec_ty = spec.ty.clone();
        if let Some(ty) = spec.type_node {
            let hint = spec.declarators.first().and_then(|d| {
                let declared = self.source.declared(Type::default(), Some(d.0));
                declared.name.map(|name| self.source.qualified(name))
            });
            if let Some(name) = self.type_body(ty, space, hint.as_ref(), 0) {
                spec_ty.name = name;
            }
        }
        for error in &spec.errors {
            self.gap(*error, GapReason::Syntax);
        }
        for &(node_of, beside) in &spec.declarators {
            let declared = self.source.declared(spec_ty.clone(), Some(node_of));
            if declared.function.is_some() {
                if kind(node_of) == K::InitDeclarator {
                    // `void f() {{}}` reads as a declaration with a braced initialiser.
                    self.gap(node_of, GapReason::Syntax);
                }
                if let Some(declaration) = self.declared_function(node, &spec, &declared, space) {
                    let name = declared
                        .name
                        .map(|n| self.source.qualified(n))
                        .unwrap_or_default();
                    self.learn_function(&name, declaration.name.clone(), declared.ty.clone());
                    self.unit.declarations.push(declaration);
                }
                continue;
            }
            let value = match kind(node_of) {
                K::InitDeclarator => field(node_of, F.value),
                _ => beside,
            };
            self.global(node_of, &spec, declared, value, space);
        }
    }

    fn global(
        &mut self,
        node: Node<'t>,
        spec: &Specifiers<'t>,
        declared: Declared<'t>,
        value: Option<Node<'t>>,
        space: &Rc<Space>,
    ) {
        let Some(name) = declared.name else { return };
        if !matches!(
            kind(name),
            K::Identifier | K::QualifiedIdentifier | K::FieldIdentifier
        ) {
            return;
        }
        let short = self.source.qualified(name);
        let full = space.qualify(&short);
        self.known.globals.insert(short, declared.ty.clone());
        self.known.globals.insert(full.clone(), declared.ty.clone());
        if let Some(value) = value {
            if value.has_error() {
                self.gap(value, GapReason::Syntax);
            }
            self.work.push(Work::Initialiser(full.clone(), value));
        }
        let init = value.and_then(|value| self.constant(value));
        if declared.ty.is_const
            && let Some(value @ Const::Int(_)) = &init
        {
            self.known.constants.insert(full.clone(), value.clone());
        }
        let table = value.map_or_else(Vec::new, |value| self.table(value));
        self.unit.globals.push(Global {
            name: full,
            ty: declared.ty,
            internal: spec.is_static || space.internal,
            is_extern: spec.is_extern && value.is_none(),
            init,
            table,
            span: self.source.span(node),
        });
    }

    /// The entries of a braced list that holds names; empty for any other value.
    fn table(&self, value: Node<'t>) -> Vec<Entry> {
        if kind(value) != K::InitializerList {
            return Vec::new();
        }
        let items = self.source.children(value);
        if items.len() > LARGEST_TABLE {
            return Vec::new();
        }
        let named = |node: Node<'t>| {
            let node = self.source.bare(node);
            let named = matches!(kind(node), K::Identifier | K::QualifiedIdentifier);
            named.then(|| self.source.qualified(node))
        };
        let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
        for item in items {
            let designator = match kind(item) {
                K::InitializerPair => field(item, F.designator),
                _ => None,
            };
            let name = match kind(item) {
                K::InitializerPair => field(item, F.value).and_then(named),
                _ => named(item),
            };
            let field = match designator.map(|d| (kind(d), d)) {
                None => None,
                Some((K::FieldDesignator, d)) => self.source.first(d).map(|n| self.source.name(n)),
                Some((K::FieldIdentifier, d)) => Some(self.source.name(d)),
                // `[3] = f`: which element is the next one's is not followed.
                Some(_) => return Vec::new(),
            };
            entries.push(Entry { field, name });
        }
        if entries.iter().all(|entry| entry.name.is_none()) {
            entries.clear();
        }
        entries
    }

    /// The declaration that a function declarator makes.
    pub(crate) fn declared_function(
        &self,
        node: Node<'t>,
        spec: &Specifiers<'t>,
        declared: &Declared<'t>,
        space: &Space,
    ) -> Option<Declaration> {
        let name = declared.name?;
        let list = declared.function.and_then(|f| self.source.parameters(f));
        let params = list
            .map(|list| self.source.params(list))
            .unwrap_or_default();
        let short = self.source.qualified(name);
        let full = space.qualify(&short);
        let class = full.rfind("::").map(|at| last_segment(&full[..at]));
        let last = last_segment(&full);
        let kind_of = if last.starts_with('~') {
            FunctionKind::Destructor
        } else if class == Some(last) {
            FunctionKind::Constructor
        } else if space.class.is_none() {
            FunctionKind::Free
        } else if spec.is_static {
            FunctionKind::StaticMethod
        } else {
            FunctionKind::Method
        };
        let mut is_virtual = spec.is_virtual;
        let mut noreturn = spec.noreturn;
        if let Some(function) = declared.function {
            self.source
                .each_child(function, |child, what, _| match what {
                    K::VirtualSpecifier => is_virtual = true,
                    K::AttributeDeclaration | K::AttributeSpecifier => {
                        noreturn |= self.source.text(child).contains("noreturn");
                    }
                    _ => {}
                });
        }
        let end = spec.body.map_or(node.end_byte(), |body| body.start_byte());
        Some(Declaration {
            name: full,
            kind: kind_of,
            params: params.into_iter().map(|param| param.ty).collect(),
            ret: declared.ty.clone(),
            noreturn: noreturn || self.says_noreturn(node.start_byte(), end),
            is_virtual,
            deleted: spec.deleted,
            defaulted: spec.defaulted,
            is_private: false,
            is_signal: self.source.follows_word(node, "Q_SIGNAL"),
            span: self.source.span(node),
        })
    }

    /// Whether a blanked word between these offsets said that the function never returns.
    pub(crate) fn says_noreturn(&self, start: usize, end: usize) -> bool {
        let at = self
            .noreturn
            .partition_point(|&offset| (offset as usize) < start);
        self.noreturn
            .get(at)
            .is_some_and(|&offset| (offset as usize) < end)
    }

    /// The blanked SAL words of the parameter between these offsets.
    pub(crate) fn sal_of(&self, start: usize, end: usize) -> Vec<Name> {
        let from = self
            .sal
            .partition_point(|(offset, _)| (*offset as usize) < start);
        let words = self.sal[from..].iter();
        words
            .take_while(|(at, _)| (*at as usize) < end)
            .map(|(_, word)| word.clone())
            .collect()
    }

    fn typedef(&mut self, node: Node<'t>, space: &Rc<Space>) {
        let spec = self.source.specifiers(node);
        let mut base = spec.ty.clone();
        if let Some(ty) = spec.type_node {
            let hint = spec.declarators.first().and_then(|d| {
                let declared = self.source.declared(Type::default(), Some(d.0));
                declared.name.map(|name| self.source.qualified(name))
            });
            if let Some(name) = self.type_body(ty, space, hint.as_ref(), 0) {
                base.name = name;
            }
        }
        for &(declarator, _) in &spec.declarators {
            let declared = self.source.declared(base.clone(), Some(declarator));
            let Some(name) = declared.name else { continue };
            let mut ty = declared.ty;
            if declared.function.is_some() {
                ty = Type::named(super::types::FUNCTION_TYPE);
            }
            let full = space.qualify(&self.source.qualified(name));
            if ty.name != full || !ty.is_object() {
                self.add_alias(full, ty);
            }
        }
    }

    fn alias(&mut self, node: Node<'t>, space: &Rc<Space>) {
        let (Some(name), Some(ty)) = (field(node, F.name), field(node, F.ty)) else {
            return;
        };
        let full = space.qualify(self.source.text(name));
        let ty = self.source.descriptor(ty);
        self.add_alias(full, ty);
    }

    fn add_alias(&mut self, full: Name, ty: Type) {
        let last = Name::new(last_segment(&full));
        if last != ty.name {
            self.known.aliases.insert(last, ty.clone());
        }
        self.known.aliases.insert(full.clone(), ty.clone());
        self.unit.aliases.push((full, ty));
    }

    /// Lowers the typedefs and classes of a function's body.
    pub(crate) fn local_type(&mut self, node: Node<'t>, space: &Rc<Space>) {
        match kind(node) {
            K::TypeDefinition => self.typedef(node, space),
            K::AliasDeclaration => self.alias(node, space),
            _ => {
                self.type_body(node, space, None, 0);
            }
        }
    }

    /// Reads an enumeration's enumerators, counting up.
    pub(crate) fn enumeration(&mut self, node: Node<'t>, space: &Space, hint: Option<&Name>) {
        let scoped = {
            let mut scoped = false;
            self.source.each_child(node, |child, what, _| {
                scoped |= what == K::Other && matches!(child.kind(), "class" | "struct");
            });
            scoped
        };
        let name = field(node, F.name).map(|name| self.source.qualified(name));
        let name = name.or_else(|| hint.cloned());
        if let Some(name) = &name {
            self.known.enums.insert(space.qualify(name));
            self.known.enums.insert(name.clone());
        }
        let Some(body) = field(node, F.body) else {
            return;
        };
        let mut next = Const::Int(0);
        for child in self.source.children(body) {
            if kind(child) == K::Error {
                self.gap(child, GapReason::Syntax);
                continue;
            }
            if kind(child) != K::Enumerator {
                continue;
            }
            let Some(id) = field(child, F.name) else {
                continue;
            };
            let short = self.source.name(id);
            let value = match field(child, F.value) {
                Some(value) => self.constant(value).unwrap_or(Const::Other),
                None => next,
            };
            next = match &value {
                Const::Int(n) => n.checked_add(1).map_or(Const::Other, Const::Int),
                _ => Const::Other,
            };
            let written = match (&name, scoped) {
                (Some(name), true) => Name::new(format!("{name}::{short}")),
                _ => short,
            };
            let full = space.qualify(&written);
            for form in [written, full.clone()] {
                self.known.constants.insert(form.clone(), value.clone());
                self.known.enumerators.insert(form);
            }
            let span = self.source.span(child);
            self.unit.constants.push(Constant {
                name: full,
                value,
                span,
            });
        }
    }

    /// The value of a constant expression, as far as this file tells it.
    pub(crate) fn constant(&self, node: Node<'t>) -> Option<Const> {
        super::constants::evaluate(&self.source, &self.known, node, 0)
    }
}
