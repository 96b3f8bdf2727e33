//! Expressions: for their value, into a place, or for their effect.

use pipelint_ir::{
    BinOp, Const, DropKind, Mark, Name, Operand, Place, PlaceId, Rvalue, Statement, Terminator,
    Type,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::call::CallKind;
use super::cond::{comparison, logic};
use crate::cpp::constants;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::literals;
use crate::cpp::tree::last_segment;
use crate::cpp::types::all_caps;

impl<'t> Lowerer<'_, 't> {
    /// The value of an expression.
    pub(super) fn operand(&mut self, node: Node<'t>) -> Operand {
        let node = self.items.source.bare(node);
        if let Some(constant) = self.literal(node) {
            return Operand::Const(constant);
        }
        if !self.enter(node) {
            return self.unknown(node, Vec::new());
        }
        let out = self.operand_inner(node);
        self.leave();
        out
    }

    fn literal(&self, node: Node<'t>) -> Option<Const> {
        let source = &self.items.source;
        Some(match kind(node) {
            K::NumberLiteral => constants::number(source.text(node)),
            K::CharLiteral => {
                literals::character(source.text(node)).map_or(Const::Other, Const::Int)
            }
            K::StringLiteral | K::RawStringLiteral => {
                Const::Str(Name::new(literals::string(source.text(node))))
            }
            K::ConcatenatedString => {
                let mut out = String::new();
                for part in source.children(node) {
                    match kind(part) {
                        K::StringLiteral | K::RawStringLiteral => {
                            out.push_str(literals::string(source.text(part)));
                        }
                        _ => {
                            // A macro that stands for a literal.
                            out.push_str(source.text(part));
                        }
                    }
                }
                Const::Str(Name::new(out))
            }
            K::True => Const::Int(1),
            K::False => Const::Int(0),
            K::Null => Const::Null,
            K::UserDefinedLiteral
            | K::SizeofExpression
            | K::AlignofExpression
            | K::OffsetofExpression
            | K::RequiresExpression
            | K::RequiresClause
            | K::TypeDescriptor => Const::Other,
            _ => return None,
        })
    }

    fn operand_inner(&mut self, node: Node<'t>) -> Operand {
        let span = self.items.source.span(node);
        match kind(node) {
            K::Identifier
            | K::TypeIdentifier
            | K::FieldIdentifier
            | K::NamespaceIdentifier
            | K::PrimitiveType
            | K::QualifiedIdentifier
            | K::TemplateFunction
            | K::TemplateType => self.named(node),
            K::FieldExpression | K::SubscriptExpression => self.read(node),
            K::PointerExpression if self.is_deref(node) => self.read(node),
            K::PointerExpression => {
                let function = field(node, F.argument).and_then(|n| self.address_constant(n));
                match function {
                    Some(function) => Operand::Const(function),
                    None => self.through_temp(node, Type::default(), span),
                }
            }
            K::AssignmentExpression => self.assignment(node),
            K::UpdateExpression => self.update(node, true),
            K::CommaExpression => {
                if let Some(left) = field(node, F.left) {
                    self.effect(left);
                }
                match field(node, F.right) {
                    Some(right) => self.operand(right),
                    None => self.unsupported(node),
                }
            }
            K::DeleteExpression => {
                self.effect(node);
                Operand::Const(Const::Other)
            }
            K::PackExpansion | K::ExtensionExpression => match self.items.source.first(node) {
                Some(inner) => self.operand(inner),
                None => Operand::Const(Const::Other),
            },
            K::CallExpression => match self.call_kind(node) {
                CallKind::Same(inner) => self.operand(inner),
                CallKind::Zero => Operand::Const(Const::Int(0)),
                CallKind::Cast(ty, inner) => self.cast(ty, inner, None, span),
                CallKind::Construct(ty) => {
                    let temp = self.temporary(&ty, span);
                    self.into(node, temp, span);
                    Operand::Copy(temp)
                }
                _ => self.through_temp(node, Type::default(), span),
            },
            K::CastExpression => {
                let (Some(ty), Some(inner)) = (field(node, F.ty), field(node, F.value)) else {
                    return self.unsupported(node);
                };
                let ty = self.items.source.descriptor(ty);
                self.cast(ty, inner, None, span)
            }
            K::CompoundLiteral => {
                let ty = field(node, F.ty).map(|ty| self.items.source.descriptor(ty));
                let ty = ty.unwrap_or_default();
                let temp = self.temporary(&ty, span);
                self.into(node, temp, span);
                Operand::Copy(temp)
            }
            K::NewExpression => {
                let ty = self.new_type(node);
                self.through_temp(node, ty, span)
            }
            K::UnaryExpression => self.unary(node, None, span),
            K::BinaryExpression if logic(node).is_none() => self.binary(node, None),
            _ => self.through_temp(node, Type::default(), span),
        }
    }

    fn through_temp(&mut self, node: Node<'t>, ty: Type, span: Span) -> Operand {
        let temp = self.f.temp(ty, span);
        self.into(node, temp, span);
        Operand::Copy(temp)
    }

    /// The value of a name.
    fn named(&mut self, node: Node<'t>) -> Operand {
        let qualified = kind(node) == K::QualifiedIdentifier;
        let name = self.items.source.qualified(node);
        if !qualified && self.is_variable(&name) {
            return self.read(node);
        }
        match name.as_str() {
            // The small ones stand where the grammar takes an argument for a parameter's type.
            "TRUE" | "true" => return Operand::Const(Const::Int(1)),
            "FALSE" | "false" => return Operand::Const(Const::Int(0)),
            "NULL" | "nullptr" | "Q_NULLPTR" => return Operand::Const(Const::Null),
            _ => {}
        }
        let known = &self.items.known;
        if known.enumerators.contains(&name) {
            return Operand::Const(Const::Named(name));
        }
        if all_caps(last_segment(&name)) {
            let variable = known.globals.get(&name).is_some_and(|ty| !ty.is_const);
            if !variable {
                return Operand::Const(Const::Named(name));
            }
        }
        if self.is_function(&name) {
            return Operand::Const(Const::Function(name));
        }
        self.read(node)
    }

    /// The value of a place; an array is the address of its first element.
    pub(super) fn read(&mut self, node: Node<'t>) -> Operand {
        let (place, ty) = self.place_and_type(node);
        let decays = ty.is_some_and(|ty| ty.arrays > 0);
        let place = self.f.places.intern(place);
        if !decays {
            return Operand::Copy(place);
        }
        let span = self.items.source.span(node);
        let temp = self.f.temp(Type::default(), span);
        self.f.assign(temp, Rvalue::Ref(place), span);
        Operand::Copy(temp)
    }

    /// A conversion's value, in `dst` if it needs a place at all.
    fn cast(
        &mut self,
        ty: Type,
        inner: Node<'t>,
        dst: Option<PlaceId>,
        span: Span,
    ) -> Operand {
        if ty.name == "void" && ty.is_object() {
            self.discard(inner, true);
            return Operand::Const(Const::Other);
        }
        let value = self.operand(inner);
        self.convert(ty, value, dst.map(|dst| (dst, span)), span)
    }

    fn unary(&mut self, node: Node<'t>, dst: Option<PlaceId>, span: Span) -> Operand {
        let Some(argument) = field(node, F.argument) else {
            return self.unsupported(node);
        };
        if self.is_not(node) {
            return self.through_temp(node, Type::named("bool"), span);
        }
        let operator = field(node, F.operator).map_or("", |token| token.kind());
        let value = self.operand(argument);
        let result = match (operator, &value) {
            ("+", _) | (_, Operand::Const(Const::Other)) => return value,
            ("-", _) => return self.negated(value, dst, span),
            ("~" | "compl", Operand::Const(Const::Int(n))) => {
                return Operand::Const(Const::Int(!n));
            }
            ("~" | "compl", _) => {
                Rvalue::Binary(BinOp::BitXor, value, Operand::Const(Const::Int(-1)))
            }
            _ => Rvalue::Unknown(vec![value]),
        };
        let dst = dst.unwrap_or_else(|| self.f.temp(Type::default(), span));
        self.f.assign(dst, result, span);
        Operand::Copy(dst)
    }

    /// `-value`.
    pub(super) fn negated(&mut self, value: Operand, dst: Option<PlaceId>, span: Span) -> Operand {
        match value {
            Operand::Const(Const::Int(n)) => {
                Operand::Const(n.checked_neg().map_or(Const::Other, Const::Int))
            }
            Operand::Const(Const::Other) => value,
            value => {
                let dst = dst.unwrap_or_else(|| self.f.temp(Type::default(), span));
                let zero = Operand::Const(Const::Int(0));
                self.f.assign(dst, Rvalue::Binary(BinOp::Sub, zero, value), span);
                Operand::Copy(dst)
            }
        }
    }

    /// A chain of arithmetic and comparisons, from its left end. The last result is in `dst`, if
    /// it needs a place at all.
    fn binary(&mut self, node: Node<'t>, dst: Option<(PlaceId, Span)>) -> Operand {
        let mut spine = Vec::new();
        let mut at = node;
        let mut hidden = None;
        while kind(at) == K::BinaryExpression && logic(at).is_none() {
            hidden = self.hidden_cast(at);
            if hidden.is_some() {
                break;
            }
            let (Some(left), Some(op), Some(right)) = (
                field(at, F.left),
                field(at, F.operator),
                field(at, F.right),
            ) else {
                break;
            };
            spine.push((at, op.kind(), right));
            at = self.items.source.bare(left);
        }
        let mut value = match hidden {
            Some(cast) => {
                let span = self.items.source.span(at);
                let last = if spine.is_empty() { dst } else { None };
                self.unhide(&cast, span, last)
            }
            None if spine.is_empty() || self.cut_comparison(at) => return self.unsupported(node),
            None => self.operand(at),
        };
        let mut stream = false;
        for (index, (whole, op, right)) in spine.into_iter().enumerate().rev() {
            let right = self.operand(right);
            let last = if index == 0 { dst } else { None };
            value = self.combine(whole, (op, value, right), &mut stream, last);
        }
        value
    }

    pub(super) fn combine(
        &mut self,
        node: Node<'t>,
        (op, left, right): (&str, Operand, Operand),
        stream: &mut bool,
        dst: Option<(PlaceId, Span)>,
    ) -> Operand {
        let rvalue = if let Some(op) = comparison(op) {
            Rvalue::Compare(super::cond::normal(op, left, right))
        } else if let Some(op) = constants::binary(op) {
            if let (Operand::Const(a), Operand::Const(b)) = (&left, &right)
                && let Some(value) = constants::fold(op, a, b)
            {
                return Operand::Const(value);
            }
            // `<<` and `>>` on anything but numbers move text, not bits.
            let shifts = matches!(op, BinOp::Shl | BinOp::Shr);
            let text = |operand: &Operand| matches!(operand, Operand::Const(Const::Str(_)));
            *stream |= shifts && (text(&left) || text(&right) || self.is_object(&left));
            if *stream || self.is_object(&left) || self.is_object(&right) {
                Rvalue::Unknown(vec![left, right])
            } else {
                Rvalue::Binary(op, left, right)
            }
        } else {
            Rvalue::Unknown(vec![left, right])
        };
        let (dst, span) = dst.unwrap_or_else(|| {
            let span = self.items.source.span(node);
            (self.f.temp(Type::default(), span), span)
        });
        self.f.assign(dst, rvalue, span);
        Operand::Copy(dst)
    }

    /// True for a whole local of class type, or of an unknown library's.
    fn is_object(&self, operand: &Operand) -> bool {
        let (Operand::Copy(place) | Operand::Move(place)) = operand else {
            return false;
        };
        match &self.f.places[*place] {
            Place {
                base: pipelint_ir::Base::Local(id),
                proj,
            } if proj.is_empty() => {
                let ty = &self.f.local_info(*id).ty;
                ty.name != "auto" && self.items.known.drops(ty)
            }
            Place {
                base: pipelint_ir::Base::Global(name),
                proj,
            } if proj.is_empty() => name.starts_with("std::c"),
            _ => false,
        }
    }

    /// An assignment, plain or compound; the value of what was assigned.
    fn assignment(&mut self, node: Node<'t>) -> Operand {
        let (Some(left), Some(right)) = (field(node, F.left), field(node, F.right)) else {
            return self.unsupported(node);
        };
        let span = self.items.source.span(node);
        let operator = field(node, F.operator).map_or("=", |token| token.kind());
        let left = self.items.source.bare(left);
        if operator == "=" {
            if kind(left) == K::QualifiedIdentifier
                && self.items.source.qualified(left) == "std::ignore"
            {
                self.discard(right, true);
                return Operand::Const(Const::Other);
            }
            if kind(left) == K::ConditionalExpression {
                let value = self.operand(right);
                return self.unknown(left, vec![value]);
            }
            let dst = self.place(left);
            self.into(right, dst, span);
            return Operand::Copy(dst);
        }
        let dst = self.place(left);
        let value = self.operand(right);
        let op = constants::binary(operator.trim_end_matches('=')).or(match operator {
            "and_eq" => Some(BinOp::BitAnd),
            "or_eq" => Some(BinOp::BitOr),
            "xor_eq" => Some(BinOp::BitXor),
            _ => None,
        });
        let old = Operand::Copy(dst);
        let rvalue = match op {
            Some(op) if !self.is_object(&old) => Rvalue::Binary(op, old, value),
            _ => Rvalue::Unknown(vec![old, value]),
        };
        self.f.assign(dst, rvalue, span);
        Operand::Copy(dst)
    }

    /// `++x`, `x++`; the value if it is wanted.
    fn update(&mut self, node: Node<'t>, wanted: bool) -> Operand {
        let Some(argument) = field(node, F.argument) else {
            return self.unsupported(node);
        };
        let span = self.items.source.span(node);
        let place = self.place(argument);
        let token = field(node, F.operator);
        let op = match token.map(|token| token.kind()) {
            Some("--") => BinOp::Sub,
            _ => BinOp::Add,
        };
        let postfix = token.is_some_and(|token| token.start_byte() > argument.start_byte());
        let mut out = Operand::Copy(place);
        if wanted && postfix {
            let temp = self.f.temp(Type::default(), span);
            self.f.assign(temp, Rvalue::Use(Operand::Copy(place)), span);
            out = Operand::Copy(temp);
        }
        let one = Operand::Const(Const::Int(1));
        let value = Rvalue::Binary(op, Operand::Copy(place), one);
        self.f.assign(place, value, span);
        out
    }

    /// Evaluates an expression into a place. `span` is the whole assignment or declaration.
    pub(super) fn into(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let node = self.items.source.bare(node);
        if !self.enter(node) {
            self.f.assign(dst, Rvalue::Unknown(Vec::new()), span);
            return;
        }
        self.into_inner(node, dst, span);
        self.leave();
    }

    fn into_inner(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
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
            CallKind::Zero => {
                self.f
                    .assign(dst, Rvalue::Use(Operand::Const(Const::Int(0))), span);
            }
            CallKind::Construct(ty) => {
                let args = field(node, F.arguments).map(|args| self.arguments(args));
                let span = self.items.source.span(node);
                self.construct(dst, ty, args.unwrap_or_default(), span);
            }
            CallKind::Same(inner) => self.into(inner, dst, span),
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
                self.into(test, dst, span);
                let at = self.items.source.span(test);
                self.branch(super::cond::nonzero(Operand::Copy(dst)), yes, no, at);
            }
        }
        for (block, value) in [(yes, consequence), (no, Some(otherwise))] {
            self.f.switch_to(block);
            if let Some(value) = value {
                let keep = self.f.temps.len();
                self.into(value, dst, span);
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
