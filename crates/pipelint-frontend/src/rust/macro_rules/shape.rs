//! What a fragment looks like from outside: whether it holds together without parentheses.

use super::tokens::{Kind, Tokens};
use super::types::is_segment;

/// The looks of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A name, a literal, a group, with calls, fields and indices: binds closer than any operator.
    Atom,
    /// `{ … }`
    Block,
    /// Starts with a block, so that a statement could end after it.
    BlockFirst,
    /// Anything else.
    Compound,
}

/// The shape of the expression from one token up to another.
pub(super) fn shape(tokens: &Tokens<&str>, start: usize, end: usize) -> Shape {
    if tokens.is(start, "{") {
        return if tokens.after_tree(start) == end {
            Shape::Block
        } else {
            Shape::BlockFirst
        };
    }
    match tokens.text(start) {
        "if" | "match" | "loop" | "while" | "for" | "unsafe" => return Shape::BlockFirst,
        "async" | "const" if tokens.is(start + 1, "{") => return Shape::BlockFirst,
        _ if tokens.kind(start) == Some(Kind::Lifetime) => return Shape::BlockFirst,
        _ => {}
    }
    if is_chain(tokens, start, end) {
        Shape::Atom
    } else {
        Shape::Compound
    }
}

/// `a::b(c).d[e]?.await`, `m!(…)`, `1`, `(…)`.
fn is_chain(tokens: &Tokens<&str>, start: usize, end: usize) -> bool {
    let mut at = start;
    while at < end {
        let first = at == start;
        let fits = match (tokens.kind(at), tokens.text(at)) {
            (Some(Kind::Ident), "await") => !first,
            (Some(Kind::Ident), "true" | "false") => first,
            (Some(Kind::Ident), word) => is_segment(word),
            (Some(Kind::Literal), _) => first || tokens.is(at - 1, "."),
            (Some(Kind::Open(_)), "{") => tokens.is(at - 1, "!"),
            (Some(Kind::Open(_)), _) => true,
            (Some(Kind::Punct), "::") if tokens.is(at + 1, "<") => {
                let Some(after) = after_angles(tokens, at + 1, end) else {
                    return false;
                };
                at = after;
                continue;
            }
            (Some(Kind::Punct), "::") => tokens.is_ident(at + 1),
            (Some(Kind::Punct), ".") => !first,
            (Some(Kind::Punct), "?") => !first,
            (Some(Kind::Punct), "!") => {
                !first
                    && matches!(tokens.kind(at + 1), Some(Kind::Open(_)))
                    && tokens.is_ident(at - 1)
            }
            _ => false,
        };
        if !fits {
            return false;
        }
        at = tokens.after_tree(at);
    }
    true
}

/// The index after the `<…>` at `at`.
fn after_angles(tokens: &Tokens<&str>, at: usize, end: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    while at < end {
        depth = match tokens.text(at) {
            "<" => depth + 1,
            "<<" => depth + 2,
            ">" => depth.checked_sub(1)?,
            _ => depth,
        };
        at = tokens.after_tree(at);
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Whether a type is several bounds, `A + B`.
pub(super) fn has_bounds(tokens: &Tokens<&str>, start: usize, end: usize) -> bool {
    let mut depth = 0_usize;
    let mut at = start;
    while at < end {
        match tokens.text(at) {
            "<" => depth += 1,
            "<<" => depth += 2,
            ">" => depth = depth.saturating_sub(1),
            "+" if depth == 0 => return true,
            _ => {}
        }
        at = tokens.after_tree(at);
    }
    false
}

/// Whether a type is a path without generic arguments, on which `::` may follow.
pub(super) fn is_plain_path(tokens: &Tokens<&str>, start: usize, end: usize) -> bool {
    (start..end)
        .all(|at| tokens.is(at, "::") || (tokens.is_ident(at) && is_segment(tokens.text(at))))
}
