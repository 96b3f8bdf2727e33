//! The arguments of a macro, as the code that they read as.

use tree_sitter::{Node, Tree};

use super::Lowerer;
use crate::rust::fragment::{END, parse, parse_expression, source_of};
use crate::rust::kinds::{K, kind};
use crate::rust::names;
use crate::rust::source::{Piece, Source, children, first};

/// What a macro's arguments read as.
pub(super) enum Arguments {
    /// An expression: a tuple, an array or a block with the macro's own delimiters.
    Expression(Tree),
    /// Statements: all that stands in the tree.
    Statements(Tree),
    /// Expressions between braces: a tuple, in a text of its own.
    Braced(Source, Tree),
}

impl Lowerer<'_> {
    /// Reads the arguments of a macro, delimiters and all; none when they are no code by themselves.
    pub(super) fn arguments_of(&self, list: Node<'_>) -> Option<Arguments> {
        let (start, end) = (list.start_byte(), list.end_byte());
        let text = self.src.text.clone();
        if end - start <= 2 {
            return None;
        }
        let whole = |stretches: &[(usize, usize)]| {
            let tree = parse_expression(&self.src, stretches)?;
            sound(&tree).then_some(tree)
        };
        if let Some(tree) = whole(&[(start, end)]) {
            return Some(Arguments::Expression(tree));
        }
        let written = text.get(start..end)?;
        if let Some(stretches) = names::without(written) {
            let moved = |(from, to): &(usize, usize)| (from + start, to + start);
            let stretches: Vec<(usize, usize)> = stretches.iter().map(moved).collect();
            if let Some(tree) = whole(&stretches) {
                return Some(Arguments::Expression(tree));
            }
        }
        self.statements_of(start + 1, end - 1)
            .map(Arguments::Statements)
            .or_else(|| self.braced(list))
    }

    /// Statements, the last of which may have no `;`.
    fn statements_of(&self, start: usize, end: usize) -> Option<Tree> {
        let text = &self.src.text;
        let length = text.len();
        let ending = (length.checked_sub(END.len())?, length);
        let tree = parse(text, &[(start, end), ending])?;
        (!tree.root_node().has_error()).then_some(tree)
    }

    /// `name! { a, b }`.
    fn braced(&self, list: Node<'_>) -> Option<Arguments> {
        let written = self.src.text(list);
        let start = list.start_byte();
        written.strip_prefix('{')?.strip_suffix('}')?;
        let stretches = names::without(written).unwrap_or_else(|| vec![(0, written.len())]);
        let mut text = String::new();
        let mut pieces = Vec::new();
        for &(from, to) in &stretches {
            for (at, span) in self.src.pieces(start + from, start + to) {
                let shift = at - start - from;
                let start = u32::try_from(text.len() + shift).ok()?;
                let run = u32::try_from(pieces.len()).ok()?;
                pieces.push(Piece { start, span, run });
            }
            text.push_str(written.get(from..to)?);
        }
        // Parentheses for the braces.
        let inside = text.get(1..text.len().checked_sub(1)?)?;
        let text = format!("({inside})");
        let span = self.src.span(list);
        let source = source_of(&self.src, text, span, pieces);
        let end = source.text.len().checked_sub(END.len())?;
        let tree = parse_expression(&source, &[(0, end)])?;
        sound(&tree).then_some(Arguments::Braced(source, tree))
    }
}

fn sound(tree: &Tree) -> bool {
    !tree.root_node().has_error() && expression(tree.root_node()).is_some()
}

/// The only expression of a parsed stretch.
pub(super) fn expression<'t>(root: Node<'t>) -> Option<Node<'t>> {
    let mut parts = children(root).into_iter();
    let (one, what) = parts.next()?;
    if parts.any(|(_, what)| what != K::EmptyStatement) {
        return None;
    }
    match what {
        K::ExpressionStatement => first(one),
        K::Error => None,
        _ => Some(one),
    }
}

/// Whether an expression is a list with a macro's delimiters.
pub(super) fn is_list(node: Node<'_>) -> bool {
    matches!(
        kind(node),
        K::TupleExpression | K::ParenthesizedExpression | K::ArrayExpression
    )
}
