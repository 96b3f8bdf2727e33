//! Expressions that the grammar groups otherwise than the language does.
//!
//! `|x| (a)..(b)`, `v = a..(b)` and `break (a, b)` are calls to the grammar: of a closure, of an
//! assignment, of `break`. What such a thing holds reaches to the end of the whole, so that stretch
//! is parsed again by itself. And `m! { … } (a)` is two statements where a statement may stand.

use tree_sitter::{Node, Tree};

use super::arguments::expression;
use super::{Lowerer, Value};
use crate::rust::fragment::{invocation, parse, parse_expression};
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{children, first};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// The value of an expression that is grouped wrongly; none of any other.
    pub(super) fn regrouped(&mut self, node: Node<'_>) -> Option<Value> {
        let carrier = self.carrier_of(node)?;
        let start = match kind(carrier) {
            // `_` is no named node.
            K::ClosureExpression => match field(carrier, F.body) {
                Some(body) => body.start_byte(),
                None => carrier.end_byte().checked_sub(1)?,
            },
            K::BreakExpression => carrier.end_byte(),
            _ => field(carrier, F.right)?.start_byte(),
        };
        let parsed = parse_expression(&self.src, &[(start, node.end_byte())])?;
        let held = expression(parsed.root_node())?;
        let span = self.src.span(node);
        Some(match kind(carrier) {
            K::ClosureExpression => {
                let dst = self.temp(Ty::Unknown, span);
                self.closure_over(carrier, held, dst, span);
                let ty = Ty::Function(Box::default());
                self.retype(dst, &ty);
                self.take(dst, ty)
            }
            K::BreakExpression => {
                self.break_with(carrier, Some(held), span);
                Value {
                    ty: Ty::Never,
                    ..super::expr::unit()
                }
            }
            K::AssignmentExpression => {
                self.assign(field(carrier, F.left)?, held, span);
                super::expr::unit()
            }
            _ => {
                let (left, token) = (field(carrier, F.left)?, field(carrier, F.operator)?);
                self.compound_assign(left, held, token, span);
                super::expr::unit()
            }
        })
    }

    /// What the leftmost operand of an expression is, if that cannot be an operand.
    fn carrier_of<'t>(&mut self, node: Node<'t>) -> Option<Node<'t>> {
        // All that begins where a chain begins has been looked at with it.
        let text = self.src.text.as_ptr() as usize;
        let (of, start, end) = self.chain;
        if (of, start) == (text, node.start_byte()) && node.end_byte() <= end {
            return None;
        }
        let mut at = first_operand(node)?;
        self.chain = (text, node.start_byte(), node.end_byte());
        let mut found = None;
        loop {
            match kind(at) {
                // One that says what it returns ends with its block.
                K::ClosureExpression if field(at, F.return_type).is_some() => return found,
                K::ClosureExpression => return Some(at),
                K::BreakExpression => {
                    let empty = children(at).iter().all(|(_, what)| *what == K::Label);
                    return empty.then_some(at).or(found);
                }
                // Its left side may begin with a closure, which then holds all of it.
                K::AssignmentExpression | K::CompoundAssignment => found = found.or(Some(at)),
                _ => {}
            }
            match first_operand(at) {
                Some(next) => at = next,
                None => return found,
            }
        }
    }

    /// A macro call in braces, or a block, that ends a statement though the grammar goes on; with the
    /// statements behind it.
    pub(super) fn split<'t>(&self, statement: Node<'t>) -> Option<(Node<'t>, Tree)> {
        let whole = match kind(statement) {
            K::ExpressionStatement => first(statement)?,
            _ => statement,
        };
        let (mut at, mut above) = (leftmost(whole)?, whole);
        loop {
            let ends = match kind(at) {
                K::MacroInvocation => {
                    let (_, list) = invocation(&self.src, at)?;
                    self.src.text(list).starts_with('{')
                }
                what => is_block_like(what),
            };
            if ends {
                break;
            }
            (at, above) = (leftmost(at)?, at);
        }
        // `m! { … }.method()` and `m! { … }?` go on.
        let goes_on = matches!(
            kind(above),
            K::FieldExpression | K::TryExpression | K::AwaitExpression
        );
        if goes_on {
            return None;
        }
        let rest = (at.end_byte(), statement.end_byte());
        let tree = parse(&self.src.text, &[rest])?;
        Some((at, tree))
    }
}

/// The operand that an expression begins with.
fn leftmost<'t>(node: Node<'t>) -> Option<Node<'t>> {
    match kind(node) {
        K::CallExpression | K::GenericFunction => field(node, F.function),
        K::FieldExpression | K::TypeCast => field(node, F.value),
        K::BinaryExpression => field(node, F.left),
        K::IndexExpression | K::TryExpression | K::AwaitExpression => first(node),
        K::RangeExpression => first(node).filter(|from| from.start_byte() == node.start_byte()),
        _ => None,
    }
}

/// As `leftmost`, and the left side of an assignment.
fn first_operand<'t>(node: Node<'t>) -> Option<Node<'t>> {
    match kind(node) {
        K::AssignmentExpression | K::CompoundAssignment => field(node, F.left),
        _ => leftmost(node),
    }
}

fn is_block_like(what: K) -> bool {
    matches!(
        what,
        K::IfExpression
            | K::MatchExpression
            | K::LoopExpression
            | K::WhileExpression
            | K::ForExpression
            | K::Block
            | K::UnsafeBlock
    )
}
