//! C casts that the grammar takes for arithmetic or a call: `(HANDLE)-1`, `(LPVOID)&x`,
//! `(SOCKET)(~0)`. Only what a name means tells them apart.

use pipelint_ir::{Name, Operand, PlaceId, Rvalue, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::types::{all_caps, is_windows_scalar};

/// A binary expression that is a cast of a unary one.
pub(super) struct HiddenCast<'t> {
    /// The types, outermost first.
    types: Vec<Type>,
    /// The unary operator.
    operator: &'static str,
    /// What stands behind it: its operand, or a longer expression that begins with it.
    rest: Node<'t>,
}

impl HiddenCast<'_> {
    /// The type of the whole, when nothing follows the cast.
    pub(super) fn outer(&self) -> Option<Type> {
        let alone = kind(self.rest) != K::BinaryExpression;
        self.types.first().filter(|_| alone).cloned()
    }
}

impl<'t> Lowerer<'_, 't> {
    /// The cast that a binary expression hides.
    pub(super) fn hidden_cast(&self, node: Node<'t>) -> Option<HiddenCast<'t>> {
        if kind(node) != K::BinaryExpression {
            return None;
        }
        let left = field(node, F.left)?;
        if !matches!(
            kind(left),
            K::ParenthesizedExpression | K::CallExpression | K::CastExpression
        ) {
            return None;
        }
        let operator = match field(node, F.operator)?.kind() {
            "-" => "-",
            "+" => "+",
            "*" => "*",
            "&" => "&",
            _ => return None,
        };
        let rest = field(node, F.right)?;
        let types = self.cast_prefix(left, operator)?;
        Some(HiddenCast {
            types,
            operator,
            rest,
        })
    }

    /// The types of a run of casts with nothing behind them.
    fn cast_prefix(&self, node: Node<'t>, operator: &str) -> Option<Vec<Type>> {
        match kind(node) {
            K::ParenthesizedExpression => Some(vec![self.parenthesised_type(node, operator)?]),
            K::CallExpression => {
                let outer = field(node, F.function)?;
                let args = field(node, F.arguments)?;
                let outer = self.parenthesised_type(outer, "(")?;
                let [inner] = *self.items.source.children(args).as_slice() else {
                    return None;
                };
                Some(vec![outer, self.type_word(inner, operator)?])
            }
            K::CastExpression => {
                let outer = self.items.source.descriptor(field(node, F.ty)?);
                let inner = self.parenthesised_type(field(node, F.value)?, operator)?;
                Some(vec![outer, inner])
            }
            _ => None,
        }
    }

    /// The type that a parenthesised name is, in front of `operator`.
    pub(super) fn parenthesised_type(&self, node: Node<'t>, operator: &str) -> Option<Type> {
        if kind(node) != K::ParenthesizedExpression || node.named_child_count() != 1 {
            return None;
        }
        self.type_word(node.named_child(0)?, operator)
    }

    fn type_word(&self, node: Node<'t>, operator: &str) -> Option<Type> {
        if !matches!(kind(node), K::Identifier | K::QualifiedIdentifier) {
            return None;
        }
        let name = self.items.source.qualified(node);
        self.is_type_word(&name, operator)
            .then(|| Type::named(name))
    }

    /// Whether a name is a type, for all this file tells and for how such names are written.
    fn is_type_word(&self, name: &Name, operator: &str) -> bool {
        let known = &self.items.known;
        if self.is_variable(name) || known.constants.contains_key(name) {
            return false;
        }
        if is_windows_scalar(name)
            || name.ends_with("_t")
            || known.aliases.contains_key(name)
            || known.enums.contains(name)
            || known.class(name).is_some()
        {
            return true;
        }
        if known.globals.contains_key(name) || known.functions.contains(name) {
            return false;
        }
        if all_caps(name) {
            // `(PFOO)&x` takes an address; `(FLAG) & x` tests a bit.
            return operator == "(" || (name.starts_with('P') && operator == "&");
        }
        name.starts_with(|c: char| c.is_ascii_uppercase()) && matches!(operator, "&" | "(")
    }

    /// The value of a hidden cast.
    pub(super) fn unhide(
        &mut self,
        cast: &HiddenCast<'t>,
        span: Span,
        dst: Option<(PlaceId, Span)>,
    ) -> Operand {
        // The unary operator binds to the first operand of what follows.
        let mut rest = Vec::new();
        let mut at = cast.rest;
        while kind(at) == K::BinaryExpression && super::cond::logic(at).is_none() {
            let (Some(left), Some(op), Some(right)) =
                (field(at, F.left), field(at, F.operator), field(at, F.right))
            else {
                break;
            };
            rest.push((at, op.kind(), right));
            at = left;
        }
        let mut value = match cast.operator {
            "&" => match self.address_constant(at) {
                Some(constant) => Operand::Const(constant),
                None => {
                    let at_span = self.items.source.span(at);
                    let temp = self.f.temp(Type::default(), at_span);
                    self.address(at, temp, span);
                    Operand::Copy(temp)
                }
            },
            "*" => {
                let (place, _) = self.pointee(at);
                Operand::Copy(self.f.places.intern(place))
            }
            "-" => {
                let value = self.operand(at);
                self.negated(value, None, span)
            }
            _ => self.operand(at),
        };
        for (index, ty) in cast.types.iter().enumerate().rev() {
            let last = index == 0 && rest.is_empty();
            value = self.convert(ty.clone(), value, if last { dst } else { None }, span);
        }
        let mut stream = false;
        for (index, (whole, op, right)) in rest.into_iter().enumerate().rev() {
            let right = self.operand(right);
            let last = if index == 0 { dst } else { None };
            value = self.combine(whole, (op, value, right), &mut stream, last);
        }
        value
    }

    /// A value converted to a type; null and zero stay what they are.
    pub(super) fn convert(
        &mut self,
        ty: Type,
        value: Operand,
        dst: Option<(PlaceId, Span)>,
        span: Span,
    ) -> Operand {
        use pipelint_ir::Const;
        let scalar = ty.pointers > 0 || self.items.known.is_scalar(&ty);
        match &value {
            Operand::Const(Const::Null) if scalar => return value,
            Operand::Const(Const::Int(0))
                if ty.pointers > 0 || crate::cpp::types::is_windows_pointer(&ty.name) =>
            {
                return Operand::Const(Const::Null);
            }
            _ => {}
        }
        let (dst, span) = dst.unwrap_or_else(|| (self.f.temp(ty.clone(), span), span));
        self.f.assign(dst, Rvalue::Cast(Box::new(ty), value), span);
        Operand::Copy(dst)
    }
}
