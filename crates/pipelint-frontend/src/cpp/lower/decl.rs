//! Declarations inside functions.

use std::rc::Rc;

use pipelint_ir::{
    Callee, GapReason, LocalId, LocalKind, Mark, Name, Operand, PlaceId, Rvalue, Statement,
    Terminator, Type,
};
use tree_sitter::Node;

use super::Lowerer;
use super::init::Form;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::types::Declared;

impl<'t> Lowerer<'_, 't> {
    /// A declaration statement.
    pub(super) fn local_declaration(&mut self, node: Node<'t>) {
        self.declare(node);
    }

    /// Declares what a declaration declares; the place of the last variable.
    pub(super) fn declare(&mut self, node: Node<'t>) -> Option<PlaceId> {
        let broken = node.has_error() && self.broken(node);
        let spec = self.items.source.specifiers(node);
        let mut base = spec.ty.clone();
        if let Some(ty) = spec.type_node
            && matches!(
                kind(ty),
                K::ClassSpecifier | K::StructSpecifier | K::UnionSpecifier | K::EnumSpecifier
            )
        {
            let space = Rc::clone(&self.space);
            let hint = spec.declarators.first().and_then(|d| {
                let declared = self.items.source.declared(Type::default(), Some(d.0));
                declared.name.map(|name| self.items.source.qualified(name))
            });
            if let Some(name) = self.items.type_body(ty, &space, hint.as_ref(), 0) {
                base.name = name;
            }
        }
        let mut last = None;
        for &(declarator, beside) in &spec.declarators {
            if kind(declarator) == K::Error {
                continue;
            }
            let declared = self.items.source.declared(base.clone(), Some(declarator));
            let (value, form) = if kind(declarator) == K::InitDeclarator {
                let equals = declarator.child(1).is_some_and(|token| token.kind() == "=");
                let form = if equals { Form::Equals } else { Form::Direct };
                (field(declarator, F.value), form)
            } else {
                (beside, Form::Equals)
            };
            if spec.is_extern && value.is_none() {
                continue;
            }
            let one = One {
                node: declarator,
                value,
                form,
                is_static: spec.is_static,
                broken,
                type_word: spec.type_node.filter(|ty| kind(*ty) == K::TypeIdentifier),
            };
            last = self.variable(&one, declared).or(last);
        }
        last
    }

    fn variable(&mut self, one: &One<'t>, declared: Declared<'t>) -> Option<PlaceId> {
        let span = self.items.source.span(one.node);
        if let Some(binding) = declared.binding {
            let from = match one.value {
                Some(value) if !one.broken => {
                    let keep = self.f.temps.len();
                    let from = self.operand(value);
                    self.f.end_temps(keep, span);
                    vec![from]
                }
                _ => Vec::new(),
            };
            self.bind_parts(binding, from, span);
            return None;
        }
        let name_node = declared.name?;
        if kind(name_node) != K::Identifier {
            if !one.broken && kind(name_node) != K::TypeIdentifier {
                self.opaque(
                    one.node,
                    GapReason::Unsupported(Name::new(name_node.kind())),
                );
            }
            return None;
        }
        let name = self.items.source.name(name_node);
        if one.value.is_none()
            && one
                .type_word
                .is_some_and(|ty| self.is_variable(self.items.source.text(ty)))
            && declared.function.is_none()
        {
            // `a * b;` of two variables is no declaration.
            return None;
        }
        if let Some(function) = declared.function {
            return self.function_or_object(one, function, name, declared.ty);
        }
        let mut ty = declared.ty;
        if ty.name == "auto"
            && ty.reference == pipelint_ir::Reference::None
            && let Some(value) = one.value
            && let Some(found) = self.infer(value)
            // `auto *p` says itself that it is a pointer.
            && (ty.pointers == 0 || ty.pointers == found.pointers)
        {
            ty = Type {
                is_const: ty.is_const,
                ..found
            };
        }
        self.sizes(one.node);
        Some(self.object(one, name, ty, span))
    }

    /// The lengths of an array declarator may call functions.
    fn sizes(&mut self, node: Node<'t>) {
        let mut at = Some(node);
        while let Some(node) = at {
            if kind(node) == K::ArrayDeclarator
                && let Some(size) = field(node, F.size)
                && matches!(kind(size), K::CallExpression | K::BinaryExpression)
            {
                self.full_effect(size);
            }
            at = field(node, F.declarator);
        }
    }

    fn object(
        &mut self,
        one: &One<'t>,
        name: Name,
        ty: Type,
        span: pipelint_source::Span,
    ) -> PlaceId {
        if one.is_static {
            return self.static_object(one, name, ty, span);
        }
        let drops = self.items.known.drops(&ty);
        let id = self.new_variable(name, ty.clone(), LocalKind::Auto, span);
        let dst = self.f.place_of(id);
        match one.value {
            Some(_) if one.broken => self.f.assign(dst, Rvalue::Unknown(Vec::new()), span),
            Some(value) => self.initialise_local(id, value, one.form, span),
            None => self.uninitialised(id, &ty, span),
        }
        self.f.live(id, drops, span);
        dst
    }

    fn uninitialised(&mut self, id: LocalId, ty: &Type, span: pipelint_source::Span) {
        self.f.push(Statement::Mark(Mark::Live(id)), span);
        if ty.arrays == 0 && self.has_constructor(ty) {
            let dst = self.f.place_of(id);
            self.construct(dst, ty.clone(), Vec::new(), span);
        }
    }

    /// A static local: its initialiser runs on the first call only.
    fn static_object(
        &mut self,
        one: &One<'t>,
        name: Name,
        ty: Type,
        span: pipelint_source::Span,
    ) -> PlaceId {
        let constant = ty.is_const;
        let id = self.new_variable(name, ty, LocalKind::Static, span);
        let dst = self.f.place_of(id);
        let Some(value) = one.value else { return dst };
        if one.broken {
            return dst;
        }
        if constant {
            self.initialise_local(id, value, one.form, span);
            return dst;
        }
        let first = self.f.temp(Type::named("bool"), span);
        self.f.assign(first, Rvalue::Unknown(Vec::new()), span);
        let (init, join) = (self.f.new_block(), self.f.new_block());
        self.f
            .branch(super::cond::nonzero(Operand::Copy(first)), init, join, span);
        self.f.switch_to(init);
        self.initialise_local(id, value, one.form, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(join);
        dst
    }

    /// `T x(a);` reads as a function's declaration; inside a function it rarely is one.
    fn function_or_object(
        &mut self,
        one: &One<'t>,
        function: Node<'t>,
        name: Name,
        ty: Type,
    ) -> Option<PlaceId> {
        let list = self.items.source.parameters(function)?;
        let params = self.items.source.children(list);
        if params.is_empty() || !self.are_arguments(&params, &ty) {
            return None;
        }
        let span = self.items.source.span(one.node);
        let keep = self.f.temps.len();
        let drops = self.items.known.drops(&ty);
        let kind_of = if one.is_static {
            LocalKind::Static
        } else {
            LocalKind::Auto
        };
        let id = self.f.local(name.clone(), ty.clone(), kind_of, span);
        let dst = self.f.place_of(id);
        match params.as_slice() {
            [one] if !self.has_constructor(&ty) => {
                let value = self.vexing_into(*one, Some(dst));
                if value != Operand::Copy(dst) {
                    self.f.assign(dst, Rvalue::Use(value), span);
                }
            }
            _ => {
                let args = params.into_iter().map(|param| self.vexing(param)).collect();
                self.construct(dst, ty, args, span);
            }
        }
        self.f.bind(name, id);
        self.f.end_temps(keep, span);
        if !one.is_static {
            self.f.live(id, drops, span);
        }
        Some(dst)
    }

    /// Whether what reads as parameters are really arguments.
    fn are_arguments(&self, params: &[Node<'t>], declared: &Type) -> bool {
        let mut plain = true;
        for &param in params {
            if kind(param) != K::ParameterDeclaration {
                return false;
            }
            let spec = self.items.source.specifiers(param);
            let Some(ty) = spec.type_node else {
                return false;
            };
            match kind(ty) {
                K::TypeIdentifier => {
                    if self.is_variable(self.items.source.text(ty)) {
                        return true;
                    }
                }
                K::QualifiedIdentifier | K::TemplateType => {}
                _ => return false,
            }
            if spec.ty.is_const {
                return false;
            }
            let known = &self.items.known;
            plain &= crate::cpp::types::is_plain_name(&spec.ty.name)
                || known.class(&spec.ty.name).is_some()
                || known.aliases.contains_key(&spec.ty.name)
                || known.enums.contains(&spec.ty.name);
        }
        !plain || (self.has_constructor(declared) && declared.name != "auto")
    }

    /// An argument that reads as a parameter: `m`, `a * b`, `f(x)`.
    pub(super) fn vexing(&mut self, param: Node<'t>) -> Operand {
        self.vexing_into(param, None)
    }

    fn vexing_into(&mut self, param: Node<'t>, dst: Option<PlaceId>) -> Operand {
        let spec = self.items.source.specifiers(param);
        let Some(ty) = spec.type_node else {
            return self.unknown(param, Vec::new());
        };
        let Some(&(declarator, _)) = spec.declarators.first() else {
            return self.operand(ty);
        };
        let span = self.items.source.span(param);
        match kind(declarator) {
            K::AbstractFunction
            | K::FunctionDeclarator
            | K::ParenthesizedDeclarator
            | K::AbstractParen => {
                if !self.enter(param) {
                    return self.unknown(param, Vec::new());
                }
                let inner = match self.items.source.parameters(declarator) {
                    Some(list) => self.items.source.children(list),
                    None => self.items.source.children(declarator),
                };
                let mut args = Vec::new();
                for arg in inner {
                    args.push(match kind(arg) {
                        K::ParameterDeclaration => self.vexing(arg),
                        _ => self.operand(arg),
                    });
                }
                self.leave();
                let callee = Callee::Function(self.items.source.qualified(ty));
                let temp = dst.unwrap_or_else(|| self.f.temp(Type::default(), span));
                let call = Statement::Call {
                    dst: Some(temp),
                    callee,
                    args,
                    voided: false,
                };
                self.f.push(call, span);
                Operand::Copy(temp)
            }
            K::PointerDeclarator | K::ReferenceDeclarator => {
                let left = self.operand(ty);
                let right = match self
                    .items
                    .source
                    .declared(Type::default(), Some(declarator))
                    .name
                {
                    Some(name) => vec![left, self.operand(name)],
                    None => vec![left],
                };
                self.unknown(param, right)
            }
            _ => {
                let value = self.operand(ty);
                self.unknown(param, vec![value])
            }
        }
    }
}

/// One declarator of a declaration.
struct One<'t> {
    node: Node<'t>,
    value: Option<Node<'t>>,
    form: Form,
    is_static: bool,
    broken: bool,
    /// The type, when it is a plain name.
    type_word: Option<Node<'t>>,
}
