//! Constant expressions outside functions.

use pipelint_ir::{Const, Name};
use tree_sitter::Node;

use super::kinds::{F, K, field, kind};
use super::known::Known;
use super::literals;
use super::tree::{Source, last_segment};
use super::types::all_caps;
pub(crate) use crate::build::constants::{binary, fold};

/// Depth to which constant expressions are followed.
const DEPTH: u32 = 64;

/// The value of a constant expression; none when it is none, or not understood.
pub(crate) fn evaluate<'t>(
    source: &Source<'t>,
    known: &Known,
    node: Node<'t>,
    depth: u32,
) -> Option<Const> {
    if depth > DEPTH {
        return None;
    }
    let node = source.bare(node);
    let go = |node| evaluate(source, known, node, depth + 1);
    match kind(node) {
        K::NumberLiteral => Some(number(source.text(node))),
        K::CharLiteral => {
            Some(literals::character(source.text(node)).map_or(Const::Other, Const::Int))
        }
        K::StringLiteral | K::RawStringLiteral => {
            Some(Const::Str(Name::new(literals::string(source.text(node)))))
        }
        K::True => Some(Const::Int(1)),
        K::False => Some(Const::Int(0)),
        K::Null => Some(Const::Null),
        K::Identifier | K::QualifiedIdentifier => {
            let name = source.qualified(node);
            match name.as_str() {
                "TRUE" => return Some(Const::Int(1)),
                "FALSE" => return Some(Const::Int(0)),
                "NULL" => return Some(Const::Null),
                _ => {}
            }
            if let Some(value) = known.constants.get(&name) {
                return Some(match value {
                    Const::Int(_) => value.clone(),
                    _ => Const::Named(name),
                });
            }
            if all_caps(last_segment(&name)) && !known.globals.contains_key(&name) {
                return Some(Const::Named(name));
            }
            known
                .functions
                .contains(&name)
                .then_some(Const::Function(name))
        }
        K::InitializerList => {
            let items = source.children(node);
            match items.as_slice() {
                [] => Some(Const::Int(0)),
                [one] if kind(*one) != K::InitializerPair => go(*one),
                _ => None,
            }
        }
        K::ArgumentList => match source.children(node).as_slice() {
            [one] => go(*one),
            _ => None,
        },
        K::CastExpression => go(field(node, F.value)?),
        K::PointerExpression if field(node, F.operator)?.kind() == "&" => {
            match go(field(node, F.argument)?)? {
                function @ Const::Function(_) => Some(function),
                _ => None,
            }
        }
        K::UnaryExpression => {
            let value = go(field(node, F.argument)?)?;
            let Const::Int(value) = value else {
                return None;
            };
            let operator = field(node, F.operator)?;
            match operator.kind() {
                "-" => value.checked_neg().map(Const::Int),
                "+" => Some(Const::Int(value)),
                "~" | "compl" => Some(Const::Int(!value)),
                "!" | "not" => Some(Const::Int(i128::from(value == 0))),
                _ => None,
            }
        }
        K::BinaryExpression => {
            let left = go(field(node, F.left)?)?;
            let right = go(field(node, F.right)?)?;
            let operator = binary(field(node, F.operator)?.kind())?;
            fold(operator, &left, &right)
        }
        _ => None,
    }
}

/// A number literal as a constant.
pub(crate) fn number(text: &str) -> Const {
    literals::integer(text).map_or(Const::Other, Const::Int)
}
