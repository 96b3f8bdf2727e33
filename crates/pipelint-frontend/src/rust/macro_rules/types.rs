//! Where types and paths end: <https://doc.rust-lang.org/reference/types.html#type-expressions>.

use super::fragment::Scanner;
use super::tokens::Kind;

/// Keywords that are no segment of a path.
const KEYWORDS: [&str; 35] = [
    "_", "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "static", "struct", "trait", "true", "type", "unsafe", "use", "where",
    "while",
];

/// Whether a word is an identifier that a path may hold: no keyword, or one that stands for a
/// module or type.
pub(super) fn is_segment(word: &str) -> bool {
    !KEYWORDS.contains(&word)
}

impl Scanner<'_> {
    /// The index after the type at `at`; `A + B` is one type when `plus`.
    pub(super) fn ty(&mut self, at: usize, end: usize, plus: bool) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = at;
        let mut bound = false;
        loop {
            (at, bound) = self.type_prefix(at, end, bound)?;
            let kind = tokens.kind(at).filter(|_| at < end)?;
            at = match (kind, tokens.text(at)) {
                (Kind::Open(_), "(" | "[") => tokens.after_tree(at),
                (Kind::Lifetime, _) if bound => at + 1,
                (Kind::Punct, "!") | (Kind::Ident, "_") => at + 1,
                (Kind::Ident, "fn") if tokens.is(at + 1, "(") => tokens.after_tree(at + 1),
                _ => self.segments(at, end)?,
            };
            if at < end && tokens.is(at, "->") {
                at += 1;
                bound = false;
            } else if plus && at < end && tokens.is(at, "+") {
                at += 1;
                bound = true;
                if at >= end {
                    return Some(at);
                }
            } else {
                return Some(at);
            }
        }
    }

    /// The index after what may stand before a type, and whether bounds follow.
    fn type_prefix(&mut self, at: usize, end: usize, bound: bool) -> Option<(usize, bool)> {
        let tokens = self.tokens;
        let (mut at, mut bound) = (at, bound);
        while at < end {
            self.charge()?;
            match tokens.text(at) {
                "&" | "&&" => {
                    at += 1;
                    if tokens.kind(at) == Some(Kind::Lifetime) {
                        at += 1;
                    }
                    if tokens.is(at, "mut") {
                        at += 1;
                    }
                }
                "*" if tokens.is(at + 1, "const") || tokens.is(at + 1, "mut") => at += 2,
                "for" if tokens.is(at + 1, "<") => at = self.angles(at + 1, end)?,
                "dyn" | "impl" => {
                    bound = true;
                    at += 1;
                }
                "?" | "~" | "async" | "const" if bound => at += 1,
                "unsafe" => at += 1,
                "extern" if tokens.kind(at + 1) == Some(Kind::Literal) => at += 2,
                "extern" => at += 1,
                _ => break,
            }
        }
        Some((at, bound))
    }

    /// The index after the path at `at`, as types write it.
    pub(super) fn path(&mut self, at: usize, end: usize) -> Option<usize> {
        let at = self.segments(at, end)?;
        if at < end && self.tokens.is(at, "->") {
            return self.ty(at + 1, end, false);
        }
        Some(at)
    }

    /// A path without the `-> T` of its `(…)`, or the call of a macro.
    fn segments(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = at;
        if tokens.is(at, "<") || tokens.is(at, "<<") {
            at = self.angles(at, end)?;
            if at >= end || !tokens.is(at, "::") {
                return None;
            }
        }
        if tokens.is(at, "::") {
            at += 1;
        }
        loop {
            self.charge()?;
            if at >= end || !tokens.is_ident(at) || !is_segment(tokens.text(at)) {
                return None;
            }
            at += 1;
            let arguments = if tokens.is(at, "::") { at + 1 } else { at };
            if arguments < end && (tokens.is(arguments, "<") || tokens.is(arguments, "<<")) {
                at = self.angles(arguments, end)?;
            } else if arguments < end && tokens.is(arguments, "(") {
                return Some(tokens.after_tree(arguments));
            } else if at < end && tokens.is(at, "!") {
                let open = at + 1;
                let group = open < end && matches!(tokens.kind(open), Some(Kind::Open(_)));
                return Some(if group { tokens.after_tree(open) } else { at });
            }
            if at >= end || !tokens.is(at, "::") {
                return Some(at);
            }
            at += 1;
        }
    }

    /// The index after the `<…>` at `at`.
    pub(super) fn angles(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut depth = 0_usize;
        let mut at = at;
        while at < end {
            self.charge()?;
            depth = match tokens.text(at) {
                "<" => depth + 1,
                "<<" => depth + 2,
                ">" => depth.checked_sub(1)?,
                ";" | "=>" => return None,
                _ => depth,
            };
            at = tokens.after_tree(at);
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }
}
