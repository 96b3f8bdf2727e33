//! Expressions into a place, or for their effect alone.

use pipelint_ir::{Const, DropKind, Mark, Operand, PlaceId, Rvalue, Statement, Terminator, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::call::CallKind;
use super::cond::logic;
use crate::cpp::kinds::{F, K, field, kind};

impl<'t> Lowerer<'_, 't> {
    /// Evaluates an expression into a place. `span` is the whole assignment or declaration.
    pub(super) fn store(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let node = self.items.source.bare(node);
        if !self.enter(node) {
            self.f.assign(dst, Rvalue::Unknown(Vec::new()), span);
            return;
        }
        self.store_inner(node, dst, span);
        self.leave();
    }

    fn store_inner(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        match kind(node) {
            K::CallExpression => self.call_into(node, dst, span),
            K::ConditionalExpression => self.conditional(node, dst, span),
            K::NewExpression => self.new_object(node, dst),
            K::LambdaExpression => self.lambda(node, dst, span),
            K::InitializerList => self.aggregate(node, dst, span),
            K::CompoundLiteral => self.compound_literal(node, dst, span),
            K::PointerExpression if !self.is_deref(node) => match field(node, F.argument) {
                Some(inner) => self.address(inner, dst, span),
                None => self.f.assign(dst, Rvalue::Unknown(Vec::new()), span),
            },
            K::This => {
                let place = self.self_place();
                self.f.assign(dst, Rvalue::Ref(place), span);
            }
            K::UnaryExpression if self.is_not(node) => self.truth(node, dst, span),
            K::UnaryExpression => {
                let value = self.unary(node, Some(dst), span);
                self.settle(value, dst, span);
            }
            K::BinaryExpression if logic(node).is_some() => self.truth(node, dst, span),
            K::CastExpression => {
                let (Some(ty), Some(inner)) = (field(node, F.ty), field(node, F.value)) else {
                    let value = self.unsupported(node);
                    self.f.assign(dst, Rvalue::Use(value), span);
                    return;
                };
                let ty = self.items.source.descriptor(ty);
                self.cast_into(ty, inner, dst, span);
            }
            K::CoAwaitExpression => {
                let value = match field(node, F.argument) {
                    Some(inner) => self.operand(inner),
                    None => Operand::Const(Const::Other),
                };
                self.f.push(Statement::Mark(Mark::Suspend), span);
                self.f.assign(dst, Rvalue::Unknown(vec![value]), span);
            }
            K::FoldExpression | K::GenericExpression => {
                let values = self.parts(node);
                self.f.assign(dst, Rvalue::Unknown(values), span);
            }
            K::CompoundStatement => {
                // A statement expression: `({ … })`.
                self.stmt(node);
                self.f.assign(dst, Rvalue::Unknown(Vec::new()), span);
            }
            K::Error | K::GnuAsm | K::Other => {
                let value = self.unsupported(node);
                self.f.assign(dst, Rvalue::Use(value), span);
            }
            K::BinaryExpression => {
                let value = self.binary(node, Some((dst, span)));
                self.settle(value, dst, span);
            }
            K::Identifier
            | K::TypeIdentifier
            | K::FieldIdentifier
            | K::NamespaceIdentifier
            | K::PrimitiveType
            | K::QualifiedIdentifier
            | K::TemplateFunction
            | K::TemplateType
            | K::FieldExpression
            | K::SubscriptExpression
            | K::PointerExpression
            | K::AssignmentExpression
            | K::UpdateExpression
            | K::CommaExpression
            | K::DeleteExpression
            | K::PackExpansion
            | K::ExtensionExpression => {
                let value = self.operand(node);
                self.f.assign(dst, Rvalue::Use(value), span);
            }
            _ => {
                let value = match self.literal(node) {
                    Some(constant) => Operand::Const(constant),
                    None => self.unsupported(node),
                };
                self.f.assign(dst, Rvalue::Use(value), span);
            }
        }
    }

    /// The values of an expression's parts.
    fn parts(&mut self, node: Node<'t>) -> Vec<Operand> {
        let parts = self.items.source.children(node);
        let values = parts.into_iter().filter(|n| kind(*n) != K::TypeDescriptor);
        let values: Vec<_> = values.collect();
        values.into_iter().map(|n| self.operand(n)).collect()
    }

    /// A value that may be in its destination already.
    fn settle(&mut self, value: Operand, dst: PlaceId, span: Span) {
        if value != Operand::Copy(dst) {
            self.f.assign(dst, Rvalue::Use(value), span);
        }
    }

    fn cast_into(&mut self, ty: Type, inner: Node<'t>, dst: PlaceId, span: Span) {
        let value = self.cast(ty, inner, Some(dst), span);
        self.settle(value, dst, span);
    }

    fn call_into(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        if self.hidden_comparison(node).is_some() {
            self.truth(node, dst, span);
            return;
        }
        match self.call_kind(node) {
            CallKind::Plain => match self.move_argument(node) {
                Some(moved) => {
                    let span = self.items.source.span(node);
                    self.move_call(moved, dst, span);
                }
                None => self.call(node, Some(dst), false),
            },
            CallKind::Cast(ty, inner) => self.cast_into(ty, inner, dst, span),
            CallKind::Dynamic(inner) => {
                let value = self.operand(inner);
                self.f.assign(dst, Rvalue::Unknown(vec![value]), span);
            }
            kind @ (CallKind::Zero | CallKind::Asserted(_)) => {
                if let CallKind::Asserted(said) = kind {
                    self.asserted(said);
                }
                self.f
                    .assign(dst, Rvalue::Use(Operand::Const(Const::Int(0))), span);
            }
            CallKind::Construct(ty) => {
                let args = field(node, F.arguments).map(|args| self.arguments(args));
                let span = self.items.source.span(node);
                self.construct(dst, ty, args.unwrap_or_default(), span);
            }
            CallKind::Same(inner) => self.store(inner, dst, span),
            CallKind::Status(..) => self.truth(node, dst, span),
            CallKind::Opaque => self.f.assign(dst, Rvalue::Unknown(Vec::new()), span),
        }
    }

    fn conditional(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let (Some(test), Some(otherwise)) = (field(node, F.condition), field(node, F.alternative))
        else {
            let value = self.unsupported(node);
            self.f.assign(dst, Rvalue::Use(value), span);
            return;
        };
        let (yes, no, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let consequence = field(node, F.consequence);
        match consequence {
            Some(_) => self.cond(test, yes, no),
            None => {
                // `a ?: b`
                self.store(test, dst, span);
                let at = self.items.source.span(test);
                self.branch(super::cond::nonzero(Operand::Copy(dst)), yes, no, at);
            }
        }
        for (block, value) in [(yes, consequence), (no, Some(otherwise))] {
            self.f.switch_to(block);
            if let Some(value) = value {
                let keep = self.f.temps.len();
                self.store(value, dst, span);
                self.f.end_temps(keep, span);
            }
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(join), span);
        }
        self.f.switch_to(join);
    }

    /// Evaluates an expression for its effect.
    pub(super) fn effect(&mut self, node: Node<'t>) {
        self.discard(node, false);
    }

    /// Evaluates an expression and drops its value; `voided` when the code says so.
    pub(super) fn discard(&mut self, node: Node<'t>, voided: bool) {
        let node = self.items.source.bare(node);
        if !self.enter(node) {
            return;
        }
        self.discard_inner(node, voided);
        self.leave();
    }

    fn discard_inner(&mut self, node: Node<'t>, voided: bool) {
        let span = self.items.source.span(node);
        match kind(node) {
            K::CallExpression if self.hidden_comparison(node).is_some() => {
                self.operand(node);
            }
            K::CallExpression => match self.call_kind(node) {
                CallKind::Plain => match self.move_argument(node) {
                    Some(_) => {
                        self.operand(node);
                    }
                    None => self.call(node, None, voided),
                },
                CallKind::Same(inner) | CallKind::Dynamic(inner) => self.discard(inner, voided),
                CallKind::Cast(ty, inner) => {
                    self.discard(inner, voided || (ty.name == "void" && ty.is_object()));
                }
                _ => {
                    self.operand(node);
                }
            },
            K::CastExpression => {
                let ty = field(node, F.ty).map(|ty| self.items.source.descriptor(ty));
                let void = ty.is_some_and(|ty| ty.name == "void" && ty.is_object());
                match field(node, F.value) {
                    Some(inner) => self.discard(inner, voided || void),
                    None => {
                        self.unsupported(node);
                    }
                }
            }
            K::UpdateExpression => {
                self.update(node, false);
            }
            K::CommaExpression => {
                for part in [field(node, F.left), field(node, F.right)]
                    .into_iter()
                    .flatten()
                {
                    self.discard(part, voided);
                }
            }
            K::ConditionalExpression => self.conditional_effect(node, voided, span),
            K::BinaryExpression if logic(node).is_some() => {
                let (yes, join) = (self.f.new_block(), self.f.new_block());
                let (Some(left), Some(right)) = (field(node, F.left), field(node, F.right)) else {
                    return;
                };
                match logic(node) {
                    Some(super::cond::Logic::And) => self.cond(left, yes, join),
                    _ => self.cond(left, join, yes),
                }
                self.f.switch_to(yes);
                self.discard(right, voided);
                self.f.fall_into(join, span);
            }
            K::DeleteExpression => {
                let Some(target) = self.items.source.first(node) else {
                    return;
                };
                let (place, _) = self.pointee(target);
                let place = self.f.places.intern(place);
                self.f.push(
                    Statement::Drop {
                        place,
                        kind: DropKind::Delete,
                    },
                    span,
                );
            }
            K::Identifier | K::QualifiedIdentifier | K::This | K::TypeIdentifier => {}
            K::FieldExpression => {
                if let Some(object) = field(node, F.argument) {
                    self.discard(object, voided);
                }
            }
            K::NewExpression | K::LambdaExpression => {
                self.through_temp(node, Type::default(), span);
            }
            K::CompoundStatement => self.stmt(node),
            K::Other if node.is_missing() => {}
            _ => {
                self.operand(node);
            }
        }
    }

    fn conditional_effect(&mut self, node: Node<'t>, voided: bool, span: Span) {
        let (Some(test), Some(otherwise)) = (field(node, F.condition), field(node, F.alternative))
        else {
            self.unsupported(node);
            return;
        };
        let (yes, no, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        self.cond(test, yes, no);
        for (block, value) in [(yes, field(node, F.consequence)), (no, Some(otherwise))] {
            self.f.switch_to(block);
            if let Some(value) = value {
                self.discard(value, voided);
            }
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(join), span);
        }
        self.f.switch_to(join);
    }
}
