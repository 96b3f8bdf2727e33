//! Text to tokens, as macros see them: delimiters paired, comments gone, doc comments turned
//! into attributes.
//!
//! The tokens are those of <https://doc.rust-lang.org/reference/tokens.html>, with one
//! difference: a `>` is never joined with what follows it, since a type may end in the middle
//! of `>>`, `>=` or `>>=`. Whoever needs the joined operator asks for [`Tokens::joined_end`](super::tokens::Tokens::joined_end).

use super::literal;
use super::tokens::{Kind, Token};

/// Delimiters nested deeper than this are not read: what walks them recurses.
const MAX_DEPTH: usize = 200;

/// Operators of more than one character, longest first. None starts with `>`.
const OPERATORS: [&str; 21] = [
    "<<=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", "&&", "||", "+=", "-=", "*=", "/=",
    "%=", "^=", "&=", "|=", "<<", "..",
];

/// Splits a text. `None` when it cannot be split, when delimiters do not pair, when they are
/// nested too deep, or beyond 4 GiB.
pub(super) fn lex(text: &str) -> Option<Vec<Token>> {
    u32::try_from(text.len()).ok()?;
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
        open: Vec::new(),
    };
    while lexer.step()? {}
    lexer.open.is_empty().then_some(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    open: Vec<usize>,
}

impl Lexer<'_> {
    /// Takes one token or one stretch between tokens; false at the end.
    fn step(&mut self) -> Option<bool> {
        let text = self.text;
        let rest = text.get(self.at..)?;
        let Some(first) = rest.chars().next() else {
            return Some(false);
        };
        if first.is_whitespace() || first == '\u{feff}' {
            let blank = rest.len() - rest.trim_start_matches([' ', '\n', '\t', '\r']).len();
            self.at += blank.max(first.len_utf8());
        } else if rest.starts_with("//") || rest.starts_with("/*") {
            self.comment(rest)?;
        } else if let Some(len) = literal::length(rest) {
            self.push(Kind::Literal, len?);
        } else if let Some(len) = ident_length(rest) {
            self.push(Kind::Ident, len);
        } else if first == '\'' {
            let raw = if rest.starts_with("'r#") { 3 } else { 1 };
            let len = ident_length(rest.get(raw..)?)?;
            self.push(Kind::Lifetime, raw + len);
        } else {
            self.punctuation(rest, first)?;
        }
        Some(true)
    }

    fn punctuation(&mut self, rest: &str, first: char) -> Option<()> {
        match first {
            '(' | '[' | '{' => {
                if self.open.len() >= MAX_DEPTH {
                    return None;
                }
                self.open.push(self.tokens.len());
                self.push(Kind::Open(0), 1);
            }
            ')' | ']' | '}' => {
                let open = self.open.pop()?;
                let fits = match self.text.get(self.tokens.get(open)?.start as usize..)? {
                    opened if opened.starts_with('(') => first == ')',
                    opened if opened.starts_with('[') => first == ']',
                    _ => first == '}',
                };
                if !fits {
                    return None;
                }
                let close = self.tokens.len();
                self.tokens.get_mut(open)?.kind = Kind::Open(u32::try_from(close).ok()?);
                self.push(Kind::Close(u32::try_from(open).ok()?), 1);
            }
            _ if first.is_ascii_punctuation() => {
                let operator = OPERATORS
                    .iter()
                    .find(|operator| rest.starts_with(**operator));
                self.push(Kind::Punct, operator.map_or(1, |operator| operator.len()));
            }
            _ => return None,
        }
        Some(())
    }

    fn comment(&mut self, rest: &str) -> Option<()> {
        let line = rest.starts_with("//");
        let len = if line {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            block_comment_length(rest)?
        };
        let comment = rest.get(..len)?;
        let inner = comment.starts_with("//!") || comment.starts_with("/*!");
        let outer = if line {
            comment.starts_with("///") && !comment.starts_with("////")
        } else {
            comment.starts_with("/**") && !comment.starts_with("/***") && len > 4
        };
        if inner || outer {
            self.doc_attribute(inner, len)?;
        }
        self.at += len;
        Some(())
    }

    /// What a doc comment is to macros, with no words:
    /// <https://doc.rust-lang.org/reference/comments.html#doc-comments>.
    fn doc_attribute(&mut self, inner: bool, len: usize) -> Option<()> {
        let start = u32::try_from(self.at).ok()?;
        let end = start.checked_add(u32::try_from(len).ok()?)?;
        let open = u32::try_from(self.tokens.len()).ok()? + 1 + u32::from(inner);
        let parts = [
            (Kind::Punct, "#"),
            (Kind::Punct, "!"),
            (Kind::Open(open + 4), "["),
            (Kind::Ident, "doc"),
            (Kind::Punct, "="),
            (Kind::Literal, "\"\""),
            (Kind::Close(open), "]"),
        ];
        for (kind, written) in parts {
            if inner || written != "!" {
                self.tokens.push(Token {
                    kind,
                    start,
                    end,
                    written: Some(written),
                });
            }
        }
        Some(())
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.tokens.push(Token {
            kind,
            start: clamp(self.at),
            end: clamp(self.at + len),
            written: None,
        });
        self.at += len;
    }
}

/// The length of the identifier that a text starts with, `r#` included.
pub(super) fn ident_length(text: &str) -> Option<usize> {
    let raw = if text.starts_with("r#") { 2 } else { 0 };
    let name = text.get(raw..)?;
    let first = name.chars().next()?;
    if !(first == '_' || first.is_alphabetic()) {
        return None;
    }
    let end = name.find(|c: char| !(c == '_' || c.is_alphanumeric()));
    Some(raw + end.unwrap_or(name.len()))
}

/// Block comments nest.
fn block_comment_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
