//! The tokens of a text, as macros see them.

use super::lexer::lex;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword, raw or not; `_` too.
    Ident,
    /// `'a`.
    Lifetime,
    /// A number, string, byte string, C string or character.
    Literal,
    /// An operator or separator.
    Punct,
    /// `(`, `[` or `{`; the index of its partner.
    Open(u32),
    /// `)`, `]` or `}`; the index of its partner.
    Close(u32),
}

/// A token and its place in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Part of the attribute that a doc comment stands for; then this is its text.
    pub(crate) written: Option<&'static str>,
}

/// The tokens of a text.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<T> {
    text: T,
    tokens: Vec<Token>,
}

impl<T: AsRef<str>> Tokens<T> {
    /// Splits a text. `None` when it cannot be split, when delimiters do not pair, when they
    /// are nested too deep, or beyond 4 GiB.
    pub(crate) fn new(text: T) -> Option<Self> {
        let tokens = lex(text.as_ref())?;
        Some(Self { text, tokens })
    }

    /// The text that was split.
    pub(crate) fn source(&self) -> &str {
        self.text.as_ref()
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The token at an index.
    pub(crate) fn get(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    /// The text of the token at an index, empty past the end.
    pub(crate) fn text(&self, at: usize) -> &str {
        let Some(token) = self.tokens.get(at) else {
            return "";
        };
        let text = self.text.as_ref();
        token.written.unwrap_or_else(|| {
            text.get(token.start as usize..token.end as usize)
                .unwrap_or("")
        })
    }

    /// Whether the token at an index is this operator, delimiter or word.
    pub(crate) fn is(&self, at: usize, text: &str) -> bool {
        self.text(at) == text
            && !matches!(
                self.tokens.get(at).map(|token| token.kind),
                None | Some(Kind::Literal)
            )
    }

    /// Whether the token at an index is an identifier or keyword.
    pub(crate) fn is_ident(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Ident)
    }

    /// Whether the token at an index is an identifier, a keyword or a literal.
    pub(crate) fn is_word(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(Kind::Ident | Kind::Literal))
    }

    /// What the token at an index is.
    pub(crate) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The index of the delimiter that closes the group opened at an index.
    pub(crate) fn close_of(&self, at: usize) -> Option<usize> {
        match self.kind(at) {
            Some(Kind::Open(partner)) => Some(partner as usize),
            _ => None,
        }
    }

    /// The index after the token tree at an index: one token, or a group with its delimiters.
    pub(crate) fn after_tree(&self, at: usize) -> usize {
        self.close_of(at).unwrap_or(at) + 1
    }

    /// Whether the token at an index stands for a part of a doc comment.
    pub(crate) fn is_written(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|token| token.written.is_some())
    }

    /// Whether nothing stands between the token at an index and the one before it.
    pub(crate) fn is_joint(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        match (before, self.tokens.get(at)) {
            (Some(before), Some(token)) => {
                before.end == token.start && before.written.is_none() && token.written.is_none()
            }
            _ => false,
        }
    }

    /// The index after the operator that starts at an index, with what is joined to a `>`.
    pub(crate) fn joined_end(&self, at: usize) -> usize {
        if !self.is(at, ">") {
            return at + 1;
        }
        let mut end = at + 1;
        if self.is(end, ">") && self.is_joint(end) {
            end += 1;
        }
        if self.is(end, "=") && self.is_joint(end) {
            end += 1;
        }
        end
    }
}
