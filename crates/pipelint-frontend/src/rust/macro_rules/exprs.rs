//! Where expressions and patterns end:
//! <https://doc.rust-lang.org/reference/expressions.html>,
//! <https://doc.rust-lang.org/reference/patterns.html>.
//!
//! Both are operands with operators around and between them. They end at a token that may
//! follow them, and where an operand comes when the last one still lacks its operator.

use super::fragment::Scanner;
use super::tokens::Kind;
use super::types::is_segment;

/// Keywords that an expression can begin with.
const EXPRESSION_KEYWORDS: [&str; 20] = [
    "async", "break", "const", "continue", "false", "for", "if", "let", "loop", "match", "move",
    "return", "static", "true", "unsafe", "while", "do", "yield", "become", "box",
];

/// Keywords after which there is nothing that an operator could join.
const OPERAND_KEYWORDS: [&str; 5] = ["false", "true", "continue", "await", "_"];

/// Signs that an expression can begin with.
const EXPRESSION_SIGNS: [&str; 14] = [
    "!", "-", "*", "&", "&&", "|", "||", "..", "...", "..=", "<", "<<", "::", "#",
];

impl Scanner<'_> {
    /// The index after the expression at `at`.
    pub(super) fn expr(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let begins = at < end
            && match (tokens.kind(at)?, tokens.text(at)) {
                (Kind::Ident, word) => is_segment(word) || EXPRESSION_KEYWORDS.contains(&word),
                (Kind::Punct, sign) => EXPRESSION_SIGNS.contains(&sign),
                (Kind::Close(_), _) => false,
                (Kind::Lifetime, _) => tokens.is(at + 1, ":"),
                (Kind::Literal | Kind::Open(_), _) => true,
            };
        if !begins {
            return None;
        }
        let start = at;
        let mut at = at;
        // Whether an operand is due.
        let mut due = true;
        while at < end {
            self.charge()?;
            match (tokens.kind(at)?, tokens.text(at)) {
                (Kind::Close(_), _) => break,
                (Kind::Open(_), _) => {
                    at = tokens.after_tree(at);
                    due = false;
                }
                (Kind::Literal, _) if due => {
                    at += 1;
                    due = false;
                }
                (Kind::Lifetime, _) if due => {
                    at += 1 + usize::from(tokens.is(at + 1, ":"));
                }
                (Kind::Literal | Kind::Lifetime, _) => break,
                (Kind::Ident, "as") if !due => at = self.ty(at + 1, end, false)?,
                (Kind::Ident, "else") if !due && tokens.is(at - 1, "}") => {
                    at += 1;
                    due = true;
                }
                // What belongs to the head of a `for`.
                (Kind::Ident, "in") => {
                    at += 1;
                    due = true;
                }
                (Kind::Ident, _) if !due => break,
                (Kind::Ident, "let") => {
                    at = self.pat(at + 1, end, true)?;
                    due = false;
                }
                (Kind::Ident, "for") if tokens.is(at + 1, "<") => at = self.angles(at + 1, end)?,
                (Kind::Ident, word) => {
                    due = !(is_segment(word) || OPERAND_KEYWORDS.contains(&word));
                    at += 1;
                }
                (Kind::Punct, "," | ";" | "=>" | ":" | "->" | "@" | "$") => break,
                (Kind::Punct, sign) => (at, due) = self.sign(sign, at, end, due)?,
            }
        }
        (at > start).then_some(at)
    }

    /// The index after the operator at `at`, with what it brings in its own syntax, and whether
    /// an operand is due then.
    fn sign(&mut self, sign: &str, at: usize, end: usize, due: bool) -> Option<(usize, bool)> {
        let tokens = self.tokens;
        Some(match sign {
            "|" if due => {
                let mut close = at + 1;
                while close < end && !tokens.is(close, "|") {
                    self.charge()?;
                    close = tokens.after_tree(close);
                }
                (self.closure_result(close + 1, end)?.min(end), true)
            }
            "||" if due => (self.closure_result(at + 1, end)?, true),
            "::" if tokens.is(at + 1, "<") || tokens.is(at + 1, "<<") => {
                (self.angles(at + 1, end)?, false)
            }
            "<" | "<<" if due => (self.angles(at, end)?, false),
            "#" if tokens.is(at + 1, "[") => (tokens.after_tree(at + 1), true),
            "?" => (at + 1, false),
            "&" if tokens.is(at + 1, "raw") && matches!(tokens.text(at + 2), "const" | "mut") => {
                (at + 3, true)
            }
            _ => (at + 1, true),
        })
    }

    /// The index after the `-> T` of a closure, if there is one.
    fn closure_result(&mut self, at: usize, end: usize) -> Option<usize> {
        if at < end && self.tokens.is(at, "->") {
            return self.ty(at + 1, end, false);
        }
        Some(at)
    }

    /// The index after the pattern at `at`, with its alternatives when `alternatives`.
    pub(super) fn pat(&mut self, at: usize, end: usize, alternatives: bool) -> Option<usize> {
        let tokens = self.tokens;
        let start = at;
        let mut at = at;
        if alternatives && tokens.is(at, "|") {
            at += 1;
        }
        let mut due = true;
        while at < end {
            self.charge()?;
            match (tokens.kind(at)?, tokens.text(at)) {
                (Kind::Close(_) | Kind::Lifetime, _) => break,
                (Kind::Open(_), "{") if due => break,
                (Kind::Open(_), _) => {
                    at = tokens.after_tree(at);
                    due = false;
                }
                (Kind::Literal, _) if due => {
                    at += 1;
                    due = false;
                }
                (Kind::Ident, "ref" | "mut" | "box" | "const") if due => at += 1,
                (Kind::Ident, word)
                    if due && (is_segment(word) || matches!(word, "_" | "true" | "false")) =>
                {
                    at += 1;
                    due = false;
                }
                (Kind::Literal | Kind::Ident, _) => break,
                (Kind::Punct, "::") if tokens.is(at + 1, "<") || tokens.is(at + 1, "<<") => {
                    at = self.angles(at + 1, end)?;
                    due = false;
                }
                (Kind::Punct, "<" | "<<") if due => {
                    at = self.angles(at, end)?;
                    due = false;
                }
                (Kind::Punct, "|") if alternatives && !due => {
                    at += 1;
                    due = true;
                }
                // `..` alone, or a range without its end.
                (Kind::Punct, "..") => {
                    at += 1;
                    due = match tokens.kind(at) {
                        Some(Kind::Ident) => !matches!(tokens.text(at), "if" | "in"),
                        Some(Kind::Literal) => true,
                        _ => tokens.is(at, "-"),
                    };
                }
                (Kind::Punct, "&" | "&&" | "-" | "::" | "@" | "..=" | "..." | "!") => {
                    at += 1;
                    due = true;
                }
                (Kind::Punct, _) => break,
            }
        }
        (at > start && !(due && tokens.is(at - 1, "|"))).then_some(at)
    }
}
