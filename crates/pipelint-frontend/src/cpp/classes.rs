//! Class bodies.

use std::rc::Rc;

use pipelint_ir::{Class, Declaration, Field, FunctionKind, GapReason, Name, Type};
use tree_sitter::Node;

use super::items::{Items, Space, Work};
use super::kinds::{F, K, field, kind};
use super::known::ClassFacts;

/// Classes nested deeper are not followed.
const DEPTH: u32 = 64;

/// A class while its body is read.
struct Body<'t> {
    class: Class,
    facts: ClassFacts,
    inits: Vec<(Name, Type, Node<'t>)>,
    space: Rc<Space>,
    /// What is declared here is private.
    private: bool,
    /// What is declared here is a signal of Qt's.
    signals: bool,
    /// It has friends, which can name what is private.
    befriends: bool,
}

impl<'t> Items<'t> {
    /// Reads the body of a class or enumeration, if the specifier has one; its qualified name.
    /// `hint` names an unnamed one: its typedef or variable.
    pub(crate) fn type_body(
        &mut self,
        node: Node<'t>,
        space: &Rc<Space>,
        hint: Option<&Name>,
        depth: u32,
    ) -> Option<Name> {
        match kind(node) {
            K::EnumSpecifier => {
                self.enumeration(node, space, hint);
                return None;
            }
            K::ClassSpecifier | K::StructSpecifier | K::UnionSpecifier => {}
            _ => return None,
        }
        let body = field(node, F.body)?;
        if depth > DEPTH {
            self.gap(body, GapReason::TooDeep);
            return None;
        }
        let name_node = field(node, F.name);
        let short = match (name_node, hint) {
            (Some(name), _) => self.source.qualified(name),
            (None, Some(hint)) => hint.clone(),
            (None, None) => return None,
        };
        let full = space.qualify(&short);
        let bases = self.bases(node);
        let mut out = Body {
            class: Class {
                name: full.clone(),
                bases: bases.clone(),
                fields: Vec::new(),
                methods: Vec::new(),
                asserted: Vec::new(),
                is_union: kind(node) == K::UnionSpecifier,
                span: self.source.span(name_node.unwrap_or(node)),
            },
            facts: ClassFacts {
                name: full.clone(),
                bases,
                ..ClassFacts::default()
            },
            inits: Vec::new(),
            space: Rc::new(space.enter(&short, Some(full.clone()))),
            private: kind(node) == K::ClassSpecifier,
            signals: false,
            befriends: false,
        };
        self.members(body, &mut out, depth);
        if out.befriends {
            out.class
                .fields
                .iter_mut()
                .for_each(|f| f.is_private = false);
        }
        if !out.inits.is_empty() {
            out.facts.has_inits = true;
            self.work.push(Work::FieldInit(full.clone(), out.inits));
        }
        self.known.add_class(out.facts);
        self.unit.classes.push(out.class);
        Some(full)
    }

    fn bases(&self, node: Node<'t>) -> Vec<Name> {
        let Some(clause) = self.source.child_of(node, K::BaseClassClause) else {
            return Vec::new();
        };
        let bases = self.source.children(clause).into_iter();
        bases
            .filter(|n| {
                matches!(
                    kind(*n),
                    K::TypeIdentifier | K::QualifiedIdentifier | K::TemplateType
                )
            })
            .map(|n| self.source.qualified(n))
            .collect()
    }

    fn members(&mut self, list: Node<'t>, out: &mut Body<'t>, depth: u32) {
        let mut stack: Vec<Node<'t>> = self.source.children(list);
        stack.reverse();
        while let Some(node) = stack.pop() {
            match kind(node) {
                K::FieldDeclaration | K::Declaration => self.member(node, out, depth),
                K::FunctionDefinition => self.method_definition(node, out),
                K::TypeDefinition | K::AliasDeclaration => {
                    let space = Rc::clone(&out.space);
                    self.local_type(node, &space);
                }
                K::ClassSpecifier | K::StructSpecifier | K::UnionSpecifier | K::EnumSpecifier => {
                    let space = Rc::clone(&out.space);
                    self.type_body(node, &space, None, depth + 1);
                }
                K::TemplateDeclaration
                | K::PreprocIf
                | K::PreprocIfdef
                | K::PreprocElse
                | K::PreprocElif
                | K::PreprocElifdef
                | K::LabeledStatement => {
                    stack.extend(self.source.children(node).into_iter().rev());
                }
                K::FriendDeclaration => {
                    out.befriends = true;
                    self.friend(node, out);
                }
                K::AccessSpecifier => {
                    out.private = self.source.text(node).starts_with("private");
                    let says = |word| self.source.begins_with(node, word);
                    out.signals = says("signals") || says("Q_SIGNALS");
                }
                K::Error => {
                    self.gap(node, GapReason::Syntax);
                    stack.extend(self.source.children(node).into_iter().rev());
                }
                _ => {}
            }
        }
    }

    /// A friend function defined in the class is a function of the namespace around it.
    fn friend(&mut self, node: Node<'t>, out: &Body<'t>) {
        let Some(definition) = self.source.child_of(node, K::FunctionDefinition) else {
            return;
        };
        let prefix = &out.space.prefix;
        let outer = prefix
            .trim_end_matches(':')
            .rfind("::")
            .map_or("", |at| &prefix[..at + 2]);
        let space = Space {
            prefix: outer.to_owned(),
            class: None,
            internal: out.space.internal,
            depth: out.space.depth,
        };
        self.work.push(Work::Definition(definition, Rc::new(space)));
    }

    fn method_definition(&mut self, node: Node<'t>, out: &mut Body<'t>) {
        let spec = self.source.specifiers(node);
        if let Some(ty) = spec.type_node {
            let space = Rc::clone(&out.space);
            self.type_body(ty, &space, None, DEPTH);
        }
        let declared = self
            .source
            .declared(spec.ty.clone(), spec.declarators.first().map(|d| d.0));
        let space = Rc::clone(&out.space);
        let declaration = match declared.function {
            Some(_) => self.declared_function(node, &spec, &declared, &space),
            None => None,
        };
        let Some(declaration) = declaration else {
            self.gap(node, GapReason::Syntax);
            return;
        };
        if spec.body.is_some() {
            self.work.push(Work::Definition(node, space));
        }
        self.add_method(declaration, out);
    }

    fn add_method(&mut self, mut declaration: Declaration, out: &mut Body<'t>) {
        declaration.is_private = out.private;
        declaration.is_signal |= out.signals && declaration.kind == FunctionKind::Method;
        match declaration.kind {
            FunctionKind::Constructor => out.facts.has_constructor = true,
            FunctionKind::Destructor => out.facts.has_destructor = true,
            _ => {}
        }
        let short = Name::new(super::tree::last_segment(&declaration.name));
        let is_static = declaration.kind == FunctionKind::StaticMethod;
        out.facts.methods.insert(short, is_static);
        self.known.functions.insert(declaration.name.clone());
        out.class.methods.push(declaration);
    }

    fn member(&mut self, node: Node<'t>, out: &mut Body<'t>, depth: u32) {
        let spec = self.source.specifiers(node);
        let space = Rc::clone(&out.space);
        let mut base = spec.ty.clone();
        if let Some(ty) = spec.type_node {
            if spec.declarators.is_empty()
                && matches!(
                    kind(ty),
                    K::StructSpecifier | K::UnionSpecifier | K::ClassSpecifier
                )
                && field(ty, F.name).is_none()
                && let Some(body) = field(ty, F.body)
                && depth < DEPTH
            {
                // The members of an unnamed struct or union are members of the class around it.
                self.members(body, out, depth + 1);
                return;
            }
            let hint = spec.declarators.first().and_then(|d| {
                let declared = self.source.declared(Type::default(), Some(d.0));
                declared.name.map(|name| self.source.qualified(name))
            });
            if let Some(name) = self.type_body(ty, &space, hint.as_ref(), depth + 1) {
                base.name = name;
            }
        }
        for error in &spec.errors {
            self.gap(*error, GapReason::Syntax);
        }
        for &(declarator, beside) in &spec.declarators {
            let declared = self.source.declared(base.clone(), Some(declarator));
            if declared.function.is_some() {
                if let Some(declaration) = self.declared_function(node, &spec, &declared, &space) {
                    self.add_method(declaration, out);
                }
                continue;
            }
            let value = match kind(declarator) {
                K::InitDeclarator => field(declarator, F.value),
                _ => beside,
            };
            let Some(name) = declared.name else { continue };
            let name = self.source.qualified(name);
            if let Some(value) = value
                && value.has_error()
            {
                self.gap(value, GapReason::Syntax);
            }
            if let Some(value) = value
                && !spec.is_static
            {
                out.inits.push((name.clone(), declared.ty.clone(), value));
            }
            if !spec.is_static {
                out.facts.has_objects |= self.known.drops(&declared.ty);
                out.facts.fields.insert(name.clone(), declared.ty.clone());
            }
            out.class.fields.push(Field {
                name,
                ty: declared.ty,
                is_static: spec.is_static,
                has_init: value.is_some() && !spec.is_static,
                is_private: out.private,
                span: self.source.span(declarator),
            });
        }
    }
}
