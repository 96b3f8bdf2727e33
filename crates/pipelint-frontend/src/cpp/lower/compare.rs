//! Comparisons that the grammar takes for a template's call: `a < b && c > (d)`. A variable is no
//! template, and neither is a name whose only template argument is `b && c`.

use pipelint_ir::{BlockId, CmpOp, Rvalue, Type};
use tree_sitter::Node;

use super::Lowerer;
use super::cond::{Logic, logic, normal};
use crate::cpp::kinds::{F, K, field, kind};

/// `first < …middle… > last`.
#[derive(Clone, Copy)]
pub(super) struct HiddenComparison<'t> {
    first: Node<'t>,
    middle: Node<'t>,
    last: Node<'t>,
}

impl<'t> Lowerer<'_, 't> {
    /// The comparisons that a call of a template hides.
    pub(super) fn hidden_comparison(&self, node: Node<'t>) -> Option<HiddenComparison<'t>> {
        if kind(node) != K::CallExpression {
            return None;
        }
        let template = field(node, F.function).filter(|n| kind(*n) == K::TemplateFunction)?;
        let source = &self.items.source;
        let first = field(template, F.name)?;
        let [middle] = *source.children(field(template, F.arguments)?).as_slice() else {
            return None;
        };
        let [last] = *source.children(field(node, F.arguments)?).as_slice() else {
            return None;
        };
        if logic(middle).is_none() && !self.is_variable(source.text(first)) {
            return None;
        }
        Some(HiddenComparison {
            first,
            middle,
            last,
        })
    }

    /// True for a template that is a comparison cut off behind its `>`, as in
    /// `a < b && c > -(d)`: the parts are there, but not in this order.
    pub(super) fn cut_comparison(&self, node: Node<'t>) -> bool {
        if kind(node) != K::TemplateFunction {
            return false;
        }
        let source = &self.items.source;
        let variable = field(node, F.name).is_some_and(|name| self.is_variable(source.text(name)));
        let args = field(node, F.arguments).map(|list| source.children(list));
        let expression =
            |arg: &Node<'t>| logic(*arg).is_some() || kind(*arg) == K::ConditionalExpression;
        variable || args.is_some_and(|args| args.iter().any(expression))
    }

    /// Branches on hidden comparisons.
    pub(super) fn compare_hidden(
        &mut self,
        hidden: HiddenComparison<'t>,
        then: BlockId,
        otherwise: BlockId,
    ) {
        let HiddenComparison {
            first,
            middle,
            last,
        } = hidden;
        self.compare_part(middle, (Some(first), Some(last)), then, otherwise);
    }

    /// Branches on a part, with what its first operand is greater than and what its last operand
    /// must exceed.
    fn compare_part(
        &mut self,
        node: Node<'t>,
        (first, last): (Option<Node<'t>>, Option<Node<'t>>),
        then: BlockId,
        otherwise: BlockId,
    ) {
        if first.is_none() && last.is_none() {
            self.cond(node, then, otherwise);
            return;
        }
        if !self.enter(node) {
            let unknown = self.unknown(node, Vec::new());
            let span = self.items.source.span(node);
            self.f
                .branch(super::cond::nonzero(unknown), then, otherwise, span);
            return;
        }
        if let Some(which) = logic(node) {
            let parts = self.spine(node, which);
            let end = parts.len().saturating_sub(1);
            for (index, part) in parts.iter().enumerate() {
                let sides = (first.filter(|_| index == 0), last.filter(|_| index == end));
                if index == end {
                    self.compare_part(*part, sides, then, otherwise);
                    break;
                }
                let next = self.f.new_block();
                match which {
                    Logic::And => self.compare_part(*part, sides, next, otherwise),
                    Logic::Or => self.compare_part(*part, sides, then, next),
                }
                self.f.switch_to(next);
            }
        } else {
            self.compare_leaf(node, (first, last), then, otherwise);
        }
        self.leave();
    }

    fn compare_leaf(
        &mut self,
        node: Node<'t>,
        (first, last): (Option<Node<'t>>, Option<Node<'t>>),
        then: BlockId,
        otherwise: BlockId,
    ) {
        let start = first.unwrap_or(node).start_byte();
        let end = last.unwrap_or(node).end_byte();
        let span = self.items.source.span_of(start, end);
        let left = first.map(|first| self.operand(first));
        let mut value = self.operand(node);
        if let (Some(left), true) = (&left, last.is_some()) {
            let temp = self.f.temp(Type::named("bool"), span);
            let less = normal(CmpOp::Lt, left.clone(), value);
            self.f.assign(temp, Rvalue::Compare(less), span);
            value = pipelint_ir::Operand::Copy(temp);
        }
        let cond = match (left, last) {
            (_, Some(last)) => {
                let last = self.operand(last);
                normal(CmpOp::Gt, value, last)
            }
            (Some(left), None) => normal(CmpOp::Lt, left, value),
            (None, None) => super::cond::nonzero(value),
        };
        self.branch(cond, then, otherwise, span);
    }
}
