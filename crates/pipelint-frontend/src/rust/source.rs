//! The text under a tree, and walks over its children.

use std::sync::Arc;

use pipelint_ir::Name;
use pipelint_source::{FileId, Span};
use tree_sitter::Node;

use super::kinds::{K, kind_and_named};

/// A parsed text: a file, or what a macro became.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: FileId,
    pub(crate) text: Arc<str>,
    /// Where the pieces of the text come from, when it is no file.
    pub(crate) origin: Option<Arc<Origin>>,
}

/// Where the text that a macro became comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The use of the macro, in the file.
    pub(crate) site: Span,
    /// Stretches of the text that were written at the use: their offset, length and span in the file.
    pub(crate) pieces: Vec<(u32, u32, Span)>,
}

impl Source {
    /// The text of a node.
    pub(crate) fn text(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// The text of a node as a name.
    pub(crate) fn name(&self, node: Node<'_>) -> Name {
        Name::new(self.text(node).trim_start_matches("r#"))
    }

    /// The span of a node.
    pub(crate) fn span(&self, node: Node<'_>) -> Span {
        self.span_of(node.start_byte(), node.end_byte())
    }

    /// The span of a byte range. What a macro's definition wrote has the place of its use.
    pub(crate) fn span_of(&self, start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (start, end) = (clamp(start), clamp(end));
        let Some(origin) = &self.origin else {
            return Span::new(self.file, start, end);
        };
        let before = origin.pieces.partition_point(|(at, ..)| *at <= start);
        let piece = before.checked_sub(1).and_then(|i| origin.pieces.get(i));
        match piece {
            Some(&(at, len, span)) if end <= at + len && span.end - span.start == len => Span::new(
                self.file,
                span.start + (start - at),
                span.start + (end - at),
            ),
            _ => origin.site,
        }
    }

    /// The end of a node, as a place: its last byte.
    pub(crate) fn end(&self, node: Node<'_>) -> Span {
        let end = node.end_byte();
        self.span_of(end.saturating_sub(1).max(node.start_byte()), end)
    }
}

/// True for a comment.
pub(crate) fn is_comment(what: K) -> bool {
    matches!(what, K::LineComment | K::BlockComment)
}

/// The named children with their kinds, comments left out.
pub(crate) fn children<'t>(node: Node<'t>) -> Vec<(Node<'t>, K)> {
    let mut out = Vec::new();
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return out;
    }
    loop {
        let child = cursor.node();
        let (what, named) = kind_and_named(child);
        if named && !is_comment(what) {
            out.push((child, what));
        }
        if !cursor.goto_next_sibling() {
            return out;
        }
    }
}

/// The first named child that is no comment.
pub(crate) fn first<'t>(node: Node<'t>) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return None;
    }
    loop {
        let child = cursor.node();
        let (what, named) = kind_and_named(child);
        if named && !is_comment(what) {
            return Some(child);
        }
        if !cursor.goto_next_sibling() {
            return None;
        }
    }
}

/// The first child of a kind.
pub(crate) fn child_of<'t>(node: Node<'t>, what: K) -> Option<Node<'t>> {
    children(node)
        .into_iter()
        .find(|(_, k)| *k == what)
        .map(|(child, _)| child)
}

/// True when some child is this token.
pub(crate) fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return false;
    }
    loop {
        if cursor.node().kind() == token {
            return true;
        }
        if !cursor.goto_next_sibling() {
            return false;
        }
    }
}
