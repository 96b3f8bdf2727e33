//! Conditions in their normal form.

use pipelint_ir::{BlockId, Cond, Const, Operand, PlaceId, Rvalue, Statement, Terminator};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::call::CallKind;
pub(super) use crate::build::cond::{comparison, nonzero, normal};
use crate::build::cond::{decided, negated};
use crate::cpp::kinds::{F, K, field, kind};

/// `&&` or `||`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
}

/// The logical operator of a binary expression.
pub(super) fn logic(node: Node<'_>) -> Option<Logic> {
    if kind(node) != K::BinaryExpression {
        return None;
    }
    match field(node, F.operator)?.kind() {
        "&&" | "and" => Some(Logic::And),
        "||" | "or" => Some(Logic::Or),
        _ => None,
    }
}

impl<'t> Lowerer<'_, 't> {
    /// Branches on an expression. The current block has ended afterwards.
    pub(super) fn cond(&mut self, node: Node<'t>, then: BlockId, otherwise: BlockId) {
        let (mut node, mut then, mut otherwise) = (node, then, otherwise);
        loop {
            node = self.items.source.bare(node);
            match kind(node) {
                K::UnaryExpression if self.is_not(node) => {
                    let Some(inner) = field(node, F.argument) else {
                        break;
                    };
                    std::mem::swap(&mut then, &mut otherwise);
                    node = inner;
                }
                K::CommaExpression => {
                    let Some(right) = field(node, F.right) else {
                        break;
                    };
                    if let Some(left) = field(node, F.left) {
                        self.effect(left);
                    }
                    node = right;
                }
                K::CallExpression => match self.call_kind(node) {
                    CallKind::Same(inner) => node = inner,
                    CallKind::Cast(ty, inner) if is_truth(&ty) => node = inner,
                    _ => break,
                },
                K::CastExpression => {
                    let (Some(ty), Some(inner)) = (field(node, F.ty), field(node, F.value)) else {
                        break;
                    };
                    if !is_truth(&self.items.source.descriptor(ty)) {
                        break;
                    }
                    node = inner;
                }
                _ => break,
            }
        }
        if !self.enter(node) {
            let value = self.unknown(node, Vec::new());
            let span = self.items.source.span(node);
            self.f.branch(nonzero(value), then, otherwise, span);
            return;
        }
        self.cond_inner(node, then, otherwise);
        self.leave();
    }

    fn cond_inner(&mut self, node: Node<'t>, then: BlockId, otherwise: BlockId) {
        if let Some(which) = logic(node) {
            let parts = self.spine(node, which);
            for (index, part) in parts.iter().enumerate() {
                if index + 1 == parts.len() {
                    self.cond(*part, then, otherwise);
                    return;
                }
                let next = self.f.new_block();
                match which {
                    Logic::And => self.cond(*part, next, otherwise),
                    Logic::Or => self.cond(*part, then, next),
                }
                self.f.switch_to(next);
            }
            return;
        }
        if let Some(hidden) = self.hidden_comparison(node) {
            self.compare_hidden(hidden, then, otherwise);
            return;
        }
        if kind(node) == K::ConditionalExpression
            && let (Some(test), Some(yes), Some(no)) = (
                field(node, F.condition),
                field(node, F.consequence),
                field(node, F.alternative),
            )
        {
            let (a, b) = (self.f.new_block(), self.f.new_block());
            self.cond(test, a, b);
            self.f.switch_to(a);
            self.cond(yes, then, otherwise);
            self.f.switch_to(b);
            self.cond(no, then, otherwise);
            return;
        }
        let span = self.items.source.span(node);
        let keep = self.f.temps.len();
        let cond = self.leaf(node);
        self.f.end_temps(keep, span);
        self.branch(cond, then, otherwise, span);
    }

    /// Ends the block with a branch, or with a jump when constants decide it.
    pub(super) fn branch(&mut self, cond: Cond, then: BlockId, otherwise: BlockId, span: Span) {
        match decided(&cond) {
            Some(holds) => {
                let to = if holds { then } else { otherwise };
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(to), span);
            }
            None => self.f.branch(cond, then, otherwise, span),
        }
    }

    /// Notes what an assertion says: of a chain of `&&`, each part that is a plain condition.
    pub(super) fn asserted(&mut self, said: Node<'t>) {
        let said = self.items.source.bare(said);
        for part in self.spine(said, Logic::And) {
            let mut part = self.items.source.bare(part);
            let denied = kind(part) == K::UnaryExpression && self.is_not(part);
            if denied {
                let Some(inner) = field(part, F.argument) else {
                    continue;
                };
                part = self.items.source.bare(inner);
            }
            let plain = matches!(
                kind(part),
                K::Identifier | K::QualifiedIdentifier | K::FieldExpression | K::BinaryExpression
            );
            if !plain || logic(part).is_some() || self.hidden_comparison(part).is_some() {
                continue;
            }
            let span = self.items.source.span(part);
            let mut cond = self.leaf(part);
            if denied {
                cond.op = negated(cond.op);
            }
            self.f.push(Statement::Assert(cond), span);
        }
    }

    /// The operands of a chain of one logical operator, in order.
    pub(super) fn spine(&self, node: Node<'t>, which: Logic) -> Vec<Node<'t>> {
        let mut parts = Vec::new();
        let mut at = node;
        while logic(at) == Some(which) {
            let (Some(left), Some(right)) = (field(at, F.left), field(at, F.right)) else {
                break;
            };
            parts.push(right);
            at = self.items.source.bare(left);
        }
        parts.push(at);
        parts.reverse();
        parts
    }

    /// True for `!x`.
    pub(super) fn is_not(&self, node: Node<'t>) -> bool {
        field(node, F.operator).is_some_and(|token| matches!(token.kind(), "!" | "not"))
    }

    /// A condition without `&&`, `||`, `!` and `?:` on its outside.
    fn leaf(&mut self, node: Node<'t>) -> Cond {
        match kind(node) {
            K::BinaryExpression => {
                if let Some(cond) = self.compared(node) {
                    return cond;
                }
            }
            K::CallExpression => {
                if let CallKind::Status(op, inner) = self.call_kind(node) {
                    let value = self.operand(inner);
                    return normal(op, value, Operand::Const(Const::Int(0)));
                }
            }
            _ => {}
        }
        let value = self.operand(node);
        nonzero(value)
    }

    /// The comparison a binary expression makes, if it is one.
    pub(super) fn compared(&mut self, node: Node<'t>) -> Option<Cond> {
        let op = comparison(field(node, F.operator)?.kind())?;
        let lhs = self.operand(field(node, F.left)?);
        let rhs = self.operand(field(node, F.right)?);
        Some(normal(op, lhs, rhs))
    }

    /// The truth of an expression, 0 or 1, into `dst`.
    pub(super) fn truth(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        // `!x` and `!!x` of something plain need no branch.
        let mut inner = self.items.source.bare(node);
        let mut negate = false;
        while kind(inner) == K::UnaryExpression && self.is_not(inner) {
            let Some(argument) = field(inner, F.argument) else {
                break;
            };
            negate = !negate;
            inner = self.items.source.bare(argument);
        }
        let branches = logic(inner).is_some()
            || kind(inner) == K::ConditionalExpression
            || self.hidden_comparison(inner).is_some();
        if !branches && self.enter(inner) {
            let mut cond = self.leaf(inner);
            self.leave();
            if negate {
                cond.op = negated(cond.op);
            }
            let value = match decided(&cond) {
                Some(holds) => Rvalue::Use(Operand::Const(Const::Int(i128::from(holds)))),
                None => Rvalue::Compare(cond),
            };
            self.f.assign(dst, value, span);
            return;
        }
        let (yes, no, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        self.cond(node, yes, no);
        for (block, value) in [(yes, 1), (no, 0)] {
            self.f.switch_to(block);
            self.f
                .assign(dst, Rvalue::Use(Operand::Const(Const::Int(value))), span);
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(join), span);
        }
        self.f.switch_to(join);
    }
}

/// Types whose conversion keeps the truth of a value.
fn is_truth(ty: &pipelint_ir::Type) -> bool {
    ty.is_object() && matches!(ty.name.as_str(), "bool" | "BOOL" | "_Bool")
}
