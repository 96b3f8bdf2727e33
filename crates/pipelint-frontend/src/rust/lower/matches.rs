//! `matches!` and its kin: a value, patterns, a guard, and perhaps a message.

use pipelint_ir::{Operand, Terminator};
use pipelint_source::Span;
use tree_sitter::{Node, Tree};

use super::arguments::expression;
use super::cond::nonzero;
use super::{Lowerer, Value};
use crate::rust::fragment::{parse_all, parse_expression, source_of};
use crate::rust::kinds::{K, kind};
use crate::rust::source::{Piece, Source, children};
use crate::rust::ty::Ty;

/// What the patterns are put into to be read.
const HEAD: &str = "match _m { ";

impl Lowerer<'_> {
    /// `matches!(value, pattern if guard)`, `assert_matches!(value, pattern, "message")`.
    pub(super) fn matches(&mut self, list: Node<'_>, span: Span) -> Value {
        let commas = commas(list);
        let ends = (list.start_byte(), list.end_byte().saturating_sub(1));
        // A comma may be one of a list of types.
        let value = commas.iter().enumerate().find_map(|(i, &comma)| {
            let tree = parse_expression(&self.src, &[(ends.0, comma), (ends.1, ends.1 + 1)])?;
            let sound = !tree.root_node().has_error() && expression(tree.root_node()).is_some();
            sound.then_some((i, tree))
        });
        let Some((at, value)) = value else {
            return self.unsupported(list);
        };
        let Some(subject) = expression(value.root_node()) else {
            return self.unsupported(list);
        };
        let dst = self.temp(Ty::Bool, span);
        let scope = self.f.enter_scope();
        let lent = self.is_lent(subject);
        let (place, ty) = self.scrutinee(subject);
        let (source, arm, end) = self.patterns(&commas[at..], ends.1, span);
        let outer = std::mem::replace(&mut self.src, source);
        let (no, join) = (self.f.new_block(), self.f.new_block());
        let pattern = arm
            .as_ref()
            .and_then(|tree| find(tree.root_node(), K::MatchPattern));
        match pattern {
            Some(pattern) => {
                self.test(pattern, &place, &ty, no);
                self.bind_arm(pattern, &place, &ty, lent, no);
            }
            None => {
                let yes = self.f.new_block();
                let unknown = self.unknown(Vec::new(), Ty::Bool, span);
                self.f.branch(nonzero(unknown.op), yes, no, span);
                self.f.switch_to(yes);
            }
        }
        self.src = outer;
        self.set_truth(dst, true, span);
        self.f.leave_scope(&scope, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(no);
        self.set_truth(dst, false, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(join);
        if end < ends.1 {
            let message = [(ends.0, ends.0 + 1), (end + 1, ends.1 + 1)];
            if let Some(tree) = parse_expression(&self.src, &message)
                && let Some(parts) = expression(tree.root_node())
            {
                let parts = self.elements(parts);
                self.perhaps(&parts, span);
            }
        }
        Value {
            op: Operand::Copy(dst),
            ty: Ty::Bool,
        }
    }

    /// The patterns behind the first of the commas, as an arm in a text of its own, and where they end.
    fn patterns(&self, commas: &[usize], end: usize, span: Span) -> (Source, Option<Tree>, usize) {
        let start = commas.first().map_or(end, |comma| comma + 1);
        let whole = self.arm(start, end, span);
        let sound = |tree: &Option<Tree>| {
            tree.as_ref()
                .is_some_and(|tree| !tree.root_node().has_error())
        };
        if sound(&whole.1) {
            return (whole.0, whole.1, end);
        }
        for &comma in commas.get(1..).unwrap_or_default() {
            let (source, tree) = self.arm(start, comma, span);
            if sound(&tree) {
                return (source, tree, comma);
            }
        }
        (whole.0, whole.1, end)
    }

    fn arm(&self, start: usize, end: usize, span: Span) -> (Source, Option<Tree>) {
        let written = self.src.text.get(start..end).unwrap_or("");
        let pieces = self.src.pieces(start, end).into_iter().zip(0..);
        let pieces = pieces.map(|((at, span), run)| Piece {
            start: u32::try_from(HEAD.len() + (at - start)).unwrap_or(u32::MAX),
            span,
            run,
        });
        let pieces = pieces.collect();
        let text = format!("{HEAD}{written} => () }}");
        let source = source_of(&self.src, text, span, pieces);
        let tree = parse_all(&source);
        (source, tree)
    }
}

/// The commas between a macro's arguments.
fn commas(list: Node<'_>) -> Vec<usize> {
    let mut out = Vec::new();
    let mut cursor = list.walk();
    if !cursor.goto_first_child() {
        return out;
    }
    loop {
        let child = cursor.node();
        if child.kind() == "," {
            out.push(child.start_byte());
        }
        if !cursor.goto_next_sibling() {
            return out;
        }
    }
}

/// The first node of a kind.
fn find<'t>(node: Node<'t>, what: K) -> Option<Node<'t>> {
    if kind(node) == what {
        return Some(node);
    }
    let children = children(node).into_iter();
    children
        .map(|(child, _)| child)
        .find_map(|child| find(child, what))
}
