//! Whole functions: parameters, bodies, and the items that hold them.

use pipelint_ir::{
    Base, Function, FunctionKind, LocalKind, Name, Operand, Place, Terminator, Type,
};
use pipelint_source::Span;
use smol_str::format_smolstr;
use tree_sitter::Node;

use super::{Body, Exit, Lowerer};
use crate::build::frame::{Frame, ROOT};
use crate::rust::SiteKind;
use crate::rust::fragment::macro_item;
use crate::rust::index::{Receiver, receiver};
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::outline::{impl_scope, inner_module, items};
use crate::rust::source::children;
use crate::rust::ty::Ty;
use crate::rust::types::{Scope, path_of};

/// Where items stand.
pub(super) enum Within {
    Module,
    /// In an `impl` or a trait: for the methods of a type, if it is known, and whether that is its `Drop`.
    Members {
        owner: Option<Name>,
        is_drop: bool,
    },
}

impl Lowerer<'_> {
    /// The functions of a module's body.
    pub(crate) fn module(&mut self, body: Node<'_>, module: &Name) {
        if !self.enter(body) {
            return;
        }
        let scope = Scope {
            module: module.clone(),
            ..Scope::default()
        };
        let outer = std::mem::replace(&mut self.scope, scope);
        for item in items(&self.src, self.cfg, body) {
            self.item(item.node, item.what);
        }
        self.scope = outer;
        self.leave();
    }

    fn item(&mut self, node: Node<'_>, what: K) {
        match what {
            K::FunctionItem => {
                if let Some(name) = field(node, F.name) {
                    let full = format_smolstr!("{}::{}", self.scope.module, self.src.name(name));
                    self.function(node, full, None, FunctionKind::Free);
                }
            }
            K::ModItem => {
                if let (Some(name), Some(body)) = (field(node, F.name), field(node, F.body)) {
                    let inner = inner_module(&self.scope.module, &self.src.name(name));
                    self.module(body, &inner);
                }
            }
            K::ImplItem | K::TraitItem => self.members(node, what),
            K::MacroInvocation => self.item_macro(node, &Within::Module),
            K::ExpressionStatement => {
                if let Some(inner) = crate::rust::source::first(node)
                    && kind(inner) == K::MacroInvocation
                {
                    self.item_macro(inner, &Within::Module);
                }
            }
            K::ConstItem | K::StaticItem => self.initialiser(node),
            K::ForeignModItem => {
                let body = field(node, F.body);
                let parts = body.map(|body| items(&self.src, self.cfg, body));
                for part in parts.unwrap_or_default() {
                    if part.what == K::MacroInvocation {
                        self.item_macro(part.node, &Within::Module);
                    }
                }
            }
            _ => {}
        }
    }

    /// The methods of an `impl` or trait.
    fn members(&mut self, node: Node<'_>, what: K) {
        let mut inner = impl_scope(&self.src, &self.ix.modules, &self.scope, node);
        if what == K::TraitItem
            && let Some(name) = field(node, F.name)
        {
            let full = format_smolstr!("{}::{}", self.scope.module, self.src.name(name));
            inner.self_ty = Ty::Named(full, Vec::new());
        }
        let owner = self.ix.owner_of(&inner);
        let of = field(node, F.trait_).map(|of| path_of(&self.src, of));
        let is_drop = of.is_some_and(|path| path.last().is_some_and(|last| last == "Drop"));
        self.ix.modules.note_streams(&self.src, &mut inner, node);
        let outer = std::mem::replace(&mut self.scope, inner);
        if let Some(body) = field(node, F.body) {
            self.items_within(body, &Within::Members { owner, is_drop });
        }
        self.scope = outer;
    }

    /// Items, or what a macro stands for, in a module or among the members of an `impl`.
    pub(super) fn items_within(&mut self, body: Node<'_>, within: &Within) {
        match within {
            Within::Module => {
                let module = self.scope.module.clone();
                self.module(body, &module);
            }
            Within::Members { .. } => {
                for item in items(&self.src, self.cfg, body) {
                    self.member(item.node, item.what, within);
                }
            }
        }
    }

    fn member(&mut self, node: Node<'_>, what: K, within: &Within) {
        let Within::Members { owner, is_drop } = within else {
            return;
        };
        match what {
            K::FunctionItem => {
                let Some(name) = field(node, F.name) else {
                    return;
                };
                let name = self.src.name(name);
                let of = owner.clone().unwrap_or_else(|| self.scope.module.clone());
                let (full, what) = if *is_drop && name == "drop" {
                    let last = of.rsplit("::").next().unwrap_or(&of);
                    (format_smolstr!("{of}::~{last}"), FunctionKind::Destructor)
                } else if receiver(&self.src, node) == Receiver::None {
                    (format_smolstr!("{of}::{name}"), FunctionKind::StaticMethod)
                } else {
                    (format_smolstr!("{of}::{name}"), FunctionKind::Method)
                };
                self.function(node, full, owner.clone(), what);
            }
            K::ConstItem => self.initialiser(node),
            _ => {
                if let Some(call) = macro_item(node) {
                    self.item_macro(call, within);
                }
            }
        }
    }

    /// Lowers a function, and the closures and functions in it.
    fn function(&mut self, node: Node<'_>, full: Name, class: Option<Name>, what: FunctionKind) {
        self.site(SiteKind::Function, node);
        let mut scope = self
            .scope
            .with_generics(&self.src, field(node, F.type_parameters));
        self.ix.modules.note_streams(&self.src, &mut scope, node);
        let outer = std::mem::replace(&mut self.scope, scope);
        let mut frame = Frame::new(full, what, class);
        frame.whole = self.src.span(node);
        frame.name_span = field(node, F.name).map_or(frame.whole, |name| self.src.span(name));
        let takes = receiver(&self.src, node);
        let body = Body {
            receiver: (takes != Receiver::None).then_some(takes),
            ..Body::default()
        };
        let kept = (
            std::mem::replace(&mut self.f, frame),
            std::mem::replace(&mut self.body, body),
            std::mem::take(&mut self.outer),
        );
        if takes == Receiver::Value && what == FunctionKind::Method {
            let place = self.f.places.intern(Place::from_base(Base::SelfObj));
            let ty = self.ix.normal(&self.scope.self_ty);
            if self.ix.needs_drop(&ty) {
                self.f.live_place(place);
            }
        }
        let ret = self.ix.signature(&self.src, &self.scope, node).ret;
        if let Some(list) = field(node, F.parameters) {
            self.parameters(list);
        }
        if let Some(block) = field(node, F.body) {
            let (mut function, _) = self.body_of(block, ret);
            function.private = is_private(node);
            self.done.push(function);
        }
        (self.f, self.body, self.outer) = kept;
        self.scope = outer;
    }

    /// Declares the parameters: they are the first locals. Patterns are bound behind them.
    pub(super) fn parameters(&mut self, list: Node<'_>) {
        let mut patterns = Vec::new();
        for (child, what) in children(list) {
            let (pattern, ty) = match what {
                K::Parameter => (field(child, F.pattern), field(child, F.ty)),
                K::SelfParameter | K::AttributeItem | K::VariadicParameter => continue,
                _ => (Some(child), None),
            };
            let Some(pattern) = pattern else { continue };
            if self.src.text(pattern) == "self" {
                continue;
            }
            let span = self.src.span(child);
            let ty = ty.map_or(Ty::Unknown, |ty| {
                let ty = self.ix.modules.ty(&self.src, &self.scope, ty);
                self.ix.normal(&ty)
            });
            let name = match kind(pattern) {
                K::Identifier => Some(self.src.name(pattern)),
                K::MutPattern => children(pattern)
                    .into_iter()
                    .find(|(_, what)| *what == K::Identifier)
                    .map(|(name, _)| self.src.name(name)),
                _ => None,
            };
            let id = self.local(
                name.clone().unwrap_or_default(),
                ty.clone(),
                LocalKind::Param,
                span,
            );
            self.f.params += 1;
            match name {
                Some(name) => self.f.bind(name, id),
                None => patterns.push((pattern, id, ty.clone())),
            }
            if self.ix.needs_drop(&ty) {
                self.f.live(id, true, span);
            }
        }
        // `_` is no named node.
        let unnamed = self.unnamed_parameters(list);
        for span in unnamed {
            self.local(Name::default(), Ty::Unknown, LocalKind::Param, span);
            self.f.params += 1;
        }
        for (pattern, id, ty) in patterns {
            let place = Place::from_base(Base::Local(id));
            self.bind(pattern, &place, &ty, false);
        }
    }

    /// `_` among a closure's parameters.
    fn unnamed_parameters(&self, list: Node<'_>) -> Vec<pipelint_source::Span> {
        let mut out = Vec::new();
        let mut cursor = list.walk();
        if !cursor.goto_first_child() {
            return out;
        }
        loop {
            let child = cursor.node();
            let nameless = kind(child) == K::Parameter && field(child, F.pattern).is_none();
            if child.kind() == "_" || nameless {
                out.push(self.src.span(child));
            }
            if !cursor.goto_next_sibling() {
                return out;
            }
        }
    }

    /// Lowers a body in the frame that is open, and closes it; what it captured.
    pub(super) fn body_of(&mut self, body: Node<'_>, ret: Ty) -> (Function, Vec<Name>) {
        let span = self.src.span(body);
        let end = self.src.end(body);
        let slot = (ret != Ty::Unit && ret != Ty::Never).then(|| self.temp(ret.clone(), span));
        self.f.ret = match &ret {
            Ty::Unknown | Ty::Abstract => Type::named("auto"),
            ret => ret.to_ir(),
        };
        let exit = Exit {
            slot,
            ty: ret.clone(),
            to: None,
            temps: self.f.temps.len(),
        };
        self.body.exit = Some(exit.clone());
        let keep = self.f.temps.len();
        match slot {
            Some(slot) => {
                self.store(body, slot, &ret);
            }
            None => self.discard(body),
        }
        self.f.end_temps(keep, end);
        self.f.exit_to(ROOT, end);
        self.f
            .terminate(Terminator::Return(slot.map(Operand::Move)), end);
        let empty = Frame::new(Name::default(), FunctionKind::Free, None);
        let mut frame = std::mem::replace(&mut self.f, empty);
        let captured = std::mem::take(&mut frame.captured);
        (frame.finish_unreached(end), captured)
    }

    /// A function within a function.
    pub(super) fn nested(&mut self, node: Node<'_>) {
        if let Some(name) = field(node, F.name) {
            let full = format_smolstr!("{}::{}", self.f.name, self.src.name(name));
            self.function(node, full, None, FunctionKind::Free);
        }
    }

    /// An `impl`, trait, module, constant or static within a function.
    pub(super) fn nested_items(&mut self, node: Node<'_>) {
        let empty = Frame::new(Name::default(), FunctionKind::Free, None);
        let kept = (
            std::mem::replace(&mut self.f, empty),
            std::mem::take(&mut self.body),
            std::mem::take(&mut self.outer),
        );
        self.item(node, kind(node));
        (self.f, self.body, self.outer) = kept;
    }

    /// A constant's or static's value may hold closures and calls.
    fn initialiser(&mut self, node: Node<'_>) {
        let (Some(name), Some(value)) = (field(node, F.name), field(node, F.value)) else {
            return;
        };
        if self.constant_of(value).is_some() || self.literal(value).is_some() {
            return;
        }
        let full = format_smolstr!("{}::{}::{{value}}", self.scope.module, self.src.name(name));
        let (whole, name) = (self.src.span(node), self.src.span(name));
        self.value_of_item(full, whole, name, value);
    }

    /// A value that no function computes, as a function of its own.
    pub(super) fn value_of_item(&mut self, full: Name, whole: Span, name: Span, value: Node<'_>) {
        let mut frame = Frame::new(full, FunctionKind::Free, None);
        frame.whole = whole;
        frame.name_span = name;
        let kept = (
            std::mem::replace(&mut self.f, frame),
            std::mem::take(&mut self.body),
            std::mem::take(&mut self.outer),
        );
        let (function, _) = self.body_of(value, Ty::Unknown);
        self.done.push(function);
        (self.f, self.body, self.outer) = kept;
    }
}

/// A function that only its module can name: not `pub`, of no trait, and not exported to the linker.
fn is_private(node: Node<'_>) -> bool {
    let parts = children(node);
    let shown = |what: &K| matches!(what, K::VisibilityModifier);
    // `extern "C" fn`: what the linker or the system is given, it calls by other ways.
    let exported = |(part, what): &(Node<'_>, K)| {
        *what == K::FunctionModifiers
            && children(*part)
                .iter()
                .any(|(_, what)| *what == K::ExternModifier)
    };
    let block = node.parent();
    let owner = block.and_then(|block| block.parent());
    let of_trait =
        owner.is_some_and(|owner| kind(owner) == K::TraitItem || field(owner, F.trait_).is_some());
    !parts.iter().any(|(_, what)| shown(what)) && !parts.iter().any(exported) && !of_trait
}
