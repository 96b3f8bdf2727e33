//! Literals, and expressions that are constants.

use pipelint_ir::{BinOp, Const, Name};
use tree_sitter::Node;

use super::Lowerer;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{child_of, first};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// The value of a literal.
    pub(super) fn literal(&self, node: Node<'_>) -> Option<(Const, Ty)> {
        let text = self.src.text(node);
        Some(match kind(node) {
            K::IntegerLiteral => {
                let (value, ty) = integer(text)?;
                (Const::Int(value), ty)
            }
            K::NegativeLiteral => {
                let inner = first(node)?;
                let (value, ty) = integer(self.src.text(inner))?;
                (Const::Int(value.checked_neg()?), ty)
            }
            K::FloatLiteral => (Const::Other, Ty::Num("f64".into())),
            K::BooleanLiteral => (Const::Int(i128::from(text == "true")), Ty::Bool),
            K::CharLiteral => (
                character(text).map_or(Const::Other, Const::Int),
                Ty::Num("char".into()),
            ),
            K::StringLiteral | K::RawStringLiteral => {
                let content = child_of(node, K::StringContent).map_or("", |c| self.src.text(c));
                (Const::Str(Name::new(content)), Ty::Ref(Box::new(Ty::Str)))
            }
            K::UnitExpression => (Const::Int(0), Ty::Unit),
            _ => return None,
        })
    }

    /// As `constant_of`, for declarations.
    pub(crate) fn number(&self, node: Node<'_>) -> Option<i128> {
        self.constant_of(node)
    }

    /// The number that an expression of literals comes to.
    pub(super) fn constant_of(&self, node: Node<'_>) -> Option<i128> {
        self.constant_at(node, 0)
    }

    fn constant_at(&self, node: Node<'_>, depth: u32) -> Option<i128> {
        if depth > 16 {
            return None;
        }
        match kind(node) {
            K::IntegerLiteral | K::NegativeLiteral | K::BooleanLiteral | K::CharLiteral => {
                match self.literal(node)?.0 {
                    Const::Int(value) => Some(value),
                    _ => None,
                }
            }
            K::ParenthesizedExpression => self.constant_at(first(node)?, depth + 1),
            K::TypeCast => self.constant_at(field(node, F.value)?, depth + 1),
            K::UnaryExpression => {
                let value = self.constant_at(first(node)?, depth + 1)?;
                match node.child(0)?.kind() {
                    "-" => value.checked_neg(),
                    "!" => Some(!value),
                    _ => None,
                }
            }
            K::BinaryExpression => {
                let left = self.constant_at(field(node, F.left)?, depth + 1)?;
                let right = self.constant_at(field(node, F.right)?, depth + 1)?;
                let op = arithmetic(field(node, F.operator)?.kind())?;
                match fold(op, left, right)? {
                    Const::Int(value) => Some(value),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The arithmetic operator of a token.
pub(super) fn arithmetic(token: &str) -> Option<BinOp> {
    crate::build::constants::binary(token)
}

/// The value of an operation on two integers.
pub(super) fn fold(op: BinOp, left: i128, right: i128) -> Option<Const> {
    crate::build::constants::fold(op, &Const::Int(left), &Const::Int(right))
}

/// An integer literal with its suffix: `0x80_u32`.
fn integer(text: &str) -> Option<(i128, Ty)> {
    const SUFFIXES: &[&str] = &[
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    ];
    let text: String = text.chars().filter(|c| *c != '_').collect();
    let suffix = SUFFIXES.iter().find(|s| text.ends_with(**s));
    let digits = suffix.map_or(text.as_str(), |s| &text[..text.len() - s.len()]);
    let ty = suffix.map_or(Ty::Num("i32".into()), |s| Ty::Num(Name::new(*s)));
    let value = if let Some(hex) = digits.strip_prefix("0x") {
        i128::from_str_radix(hex, 16)
    } else if let Some(octal) = digits.strip_prefix("0o") {
        i128::from_str_radix(octal, 8)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        i128::from_str_radix(binary, 2)
    } else {
        digits.parse()
    };
    Some((value.ok()?, ty))
}

/// A character literal's number.
fn character(text: &str) -> Option<i128> {
    let inner = text.trim_start_matches('b');
    let inner = inner.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut chars = inner.chars();
    let value = match (chars.next()?, chars.next()) {
        ('\\', Some(escape)) => match escape {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            '\\' | '\'' | '"' => escape,
            _ => return None,
        },
        (plain, None) => plain,
        _ => return None,
    };
    Some(i128::from(u32::from(value)))
}
