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
    /// Stretches of the text that were written at the use, in their order.
    pub(crate) pieces: Vec<Piece>,
}

/// A stretch of a text that was written in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    /// Its offset in the text.
    pub(crate) start: u32,
    /// Its place in the file.
    pub(crate) span: Span,
    /// Pieces of one run follow each other in the text as in the file, with blanks between.
    pub(crate) run: u32,
}

impl Piece {
    fn end(&self) -> u32 {
        self.start + (self.span.end - self.span.start)
    }
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
        match (self.written_at(start, end), &self.origin) {
            (Some(span), _) => span,
            (None, Some(origin)) => origin.site,
            (None, None) => Span::new(self.file, 0, 0),
        }
    }

    /// Where a byte range was written in the file; none for what a macro's definition wrote, and for
    /// what was put together of several pieces.
    pub(crate) fn written_at(&self, start: usize, end: usize) -> Option<Span> {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (start, end) = (clamp(start), clamp(end));
        let Some(origin) = &self.origin else {
            return Some(Span::new(self.file, start, end));
        };
        let at = |offset: u32| {
            let before = origin.pieces.partition_point(|piece| piece.start <= offset);
            origin.pieces.get(before.checked_sub(1)?)
        };
        let first = at(start)?;
        let last = if end > start { at(end - 1)? } else { first };
        let fits = start <= first.end() && end <= last.end() && first.run == last.run;
        fits.then(|| {
            let from = first.span.start + (start - first.start);
            Span::new(self.file, from, last.span.start + (end - last.start))
        })
    }

    /// The stretches of a byte range that were written in the file, each with its offset.
    pub(crate) fn pieces(&self, start: usize, end: usize) -> Vec<(usize, Span)> {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (from, to) = (clamp(start), clamp(end));
        let Some(origin) = &self.origin else {
            return vec![(start, Span::new(self.file, from, to))];
        };
        let first = origin.pieces.partition_point(|piece| piece.end() <= from);
        let within = origin.pieces.get(first..).unwrap_or_default().iter();
        within
            .take_while(|piece| piece.start < to)
            .map(|piece| {
                let (a, b) = (piece.start.max(from), piece.end().min(to));
                let of = |offset: u32| piece.span.start + (offset - piece.start);
                (a as usize, Span::new(self.file, of(a), of(b)))
            })
            .collect()
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
