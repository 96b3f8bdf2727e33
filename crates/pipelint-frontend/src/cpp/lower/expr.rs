//! The values of expressions.

use pipelint_ir::{BinOp, Const, Name, Operand, Place, PlaceId, Proj, Rvalue, Type};
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

    pub(super) fn literal(&self, node: Node<'t>) -> Option<Const> {
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
                CallKind::Asserted(said) => {
                    self.asserted(said);
                    Operand::Const(Const::Int(0))
                }
                CallKind::Cast(ty, inner) => self.cast(ty, inner, None, span),
                CallKind::Construct(ty) => {
                    let temp = self.temporary(&ty, span);
                    self.store(node, temp, span);
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
                self.store(node, temp, span);
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

    pub(super) fn through_temp(&mut self, node: Node<'t>, ty: Type, span: Span) -> Operand {
        let temp = self.f.temp(ty, span);
        self.store(node, temp, span);
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
    pub(super) fn cast(
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

    pub(super) fn unary(&mut self, node: Node<'t>, dst: Option<PlaceId>, span: Span) -> Operand {
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
                self.f
                    .assign(dst, Rvalue::Binary(BinOp::Sub, zero, value), span);
                Operand::Copy(dst)
            }
        }
    }

    /// A chain of arithmetic and comparisons, from its left end. The last result is in `dst`, if
    /// it needs a place at all.
    pub(super) fn binary(&mut self, node: Node<'t>, dst: Option<(PlaceId, Span)>) -> Operand {
        let mut spine = Vec::new();
        let mut at = node;
        let mut hidden = None;
        while kind(at) == K::BinaryExpression && logic(at).is_none() {
            hidden = self.hidden_cast(at);
            if hidden.is_some() {
                break;
            }
            let (Some(left), Some(op), Some(right)) =
                (field(at, F.left), field(at, F.operator), field(at, F.right))
            else {
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
    pub(super) fn assignment(&mut self, node: Node<'t>) -> Operand {
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
            let mut dst = self.place(left);
            if kind(left) == K::CallExpression {
                // What a call yields can be assigned where it is a reference: to what it refers to.
                let target = self.f.places[dst].clone().then(Proj::Deref);
                dst = self.f.places.intern(target);
            }
            self.store(right, dst, span);
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
    pub(super) fn update(&mut self, node: Node<'t>, wanted: bool) -> Operand {
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
}
