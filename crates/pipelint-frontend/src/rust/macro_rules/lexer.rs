//! Tokens of Rust text, with the delimiters paired.
//!
//! Lexical structure: <https://doc.rust-lang.org/reference/tokens.html>. Comments are dropped. Punctuation is one token a character; [`Tokens::operator`] joins it.

use std::borrow::Cow;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or a keyword, raw or not, `_` too.
    Ident,
    Lifetime,
    Literal,
    /// One character of punctuation.
    Punct,
    Open,
    Close,
}

/// A token; offsets are bytes of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The index of the other delimiter of the pair.
    pub(super) mate: u32,
}

/// The operators of more than one character, the longest first.
const OPERATORS: [&str; 25] = [
    "<<=", ">>=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=",
    "*=", "/=", "%=", "^=", "&=", "|=", "<<", ">>", "..", "<-",
];

/// A text and its tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens<'a> {
    pub(super) text: &'a str,
    pub(super) list: &'a [Token],
}

impl<'a> Tokens<'a> {
    /// The token's text; empty past the end.
    pub(super) fn text(&self, at: usize) -> &'a str {
        self.list.get(at).map_or("", |token| {
            &self.text[token.start as usize..token.end as usize]
        })
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.list.get(at).map(|token| token.kind)
    }

    /// The whole operator that starts here, else the token's text.
    pub(super) fn operator(&self, at: usize) -> &'a str {
        let Some(token) = self.list.get(at) else {
            return "";
        };
        if token.kind == Kind::Punct {
            let second = self.text.as_bytes().get(token.end as usize);
            if !second.is_some_and(|byte| b"=.:>&|<-".contains(byte)) {
                return self.text(at);
            }
            let rest = &self.text[token.start as usize..];
            if let Some(found) = OPERATORS.iter().find(|sign| rest.starts_with(**sign)) {
                return &rest[..found.len()];
            }
        }
        self.text(at)
    }

    /// The index after the token tree that starts here.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.list.get(at) {
            Some(token) if token.kind == Kind::Open => token.mate as usize + 1,
            Some(token) if token.kind == Kind::Punct => at + self.operator(at).len(),
            _ => at + 1,
        }
    }

    pub(super) fn is(&self, at: usize, text: &str) -> bool {
        self.operator(at) == text
    }

    pub(super) fn mate(&self, at: usize) -> usize {
        self.list.get(at).map_or(at, |token| token.mate as usize)
    }
}

/// The text with its outer doc comments as the attributes that they stand for, each in the bytes
/// of the comment, so that offsets stay; what they say is left out.
pub(super) fn with_attributes(text: &str) -> Option<Cow<'_, str>> {
    let mut docs = Vec::new();
    lex_into(text, &mut docs)?;
    if docs.is_empty() {
        return Some(Cow::Borrowed(text));
    }
    let (mut changed, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end) in docs {
        let room = end - start;
        // `///` alone has no room for more than its line's end.
        let attribute = if room < 9 { "#[d]" } else { "#[doc=\"\"]" };
        let attribute = if room < 4 { "" } else { attribute };
        changed.push_str(&text[at..start]);
        changed.push_str(attribute);
        changed.extend(std::iter::repeat_n(' ', room - attribute.len()));
        at = end;
    }
    changed.push_str(&text[at..]);
    Some(Cow::Owned(changed))
}

fn is_doc(comment: &str) -> bool {
    let line = comment.starts_with("///") && !comment.starts_with("////");
    let block =
        comment.starts_with("/**") && !comment.starts_with("/***") && !comment.starts_with("/**/");
    line || block
}

/// The tokens of `text`; `None` when a delimiter, a string or a comment is left open.
pub(super) fn lex(text: &str) -> Option<Vec<Token>> {
    lex_into(text, &mut Vec::new())
}

/// As [`lex`]; the spans of outer doc comments, with the end of the line, are added to `docs`.
fn lex_into(text: &str, docs: &mut Vec<(usize, usize)>) -> Option<Vec<Token>> {
    u32::try_from(text.len()).ok()?;
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") || rest.starts_with("/*") {
            let length = if rest.starts_with("//") {
                rest.find('\n').map_or(rest.len(), |end| end + 1)
            } else {
                block_comment(rest)?
            };
            if is_doc(rest) {
                docs.push((at, at + length));
            }
            at += length;
            continue;
        }
        let (kind, length) = token(rest, first)?;
        let index = tokens.len();
        let mut mate = index;
        match kind {
            Kind::Open => open.push(index),
            Kind::Close => {
                mate = open.pop()?;
                let opener = &mut tokens[mate];
                let pair = (text.as_bytes()[opener.start as usize], first);
                if !matches!(pair, (b'(', ')') | (b'[', ']') | (b'{', '}')) {
                    return None;
                }
                opener.mate = index as u32;
            }
            _ => {}
        }
        tokens.push(Token {
            kind,
            start: at as u32,
            end: (at + length) as u32,
            mate: mate as u32,
        });
        at += length;
    }
    open.is_empty().then_some(tokens)
}

fn block_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0u32, 0);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn token(rest: &str, first: char) -> Option<(Kind, usize)> {
    if let Some(length) = string(rest) {
        return length.map(|length| (Kind::Literal, length));
    }
    match first {
        '(' | '[' | '{' => Some((Kind::Open, 1)),
        ')' | ']' | '}' => Some((Kind::Close, 1)),
        '\'' => quote(rest),
        _ if first.is_ascii_digit() => Some((Kind::Literal, number(rest))),
        _ if is_word(first) => {
            let raw = match rest.strip_prefix("r#") {
                Some(name) if name.starts_with(is_word) => 2,
                _ => 0,
            };
            Some((Kind::Ident, raw + word(&rest[raw..])))
        }
        _ => Some((Kind::Punct, first.len_utf8())),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word(rest: &str) -> usize {
    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

/// The length of a string or byte literal; `Some(None)` when it has no end.
fn string(rest: &str) -> Option<Option<usize>> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|tail| {
            let opened = if prefix.ends_with('r') {
                tail.trim_start_matches('#')
            } else {
                tail
            };
            opened.starts_with('"') || (*prefix == "b" && opened.starts_with('\''))
        })
    })?;
    let tail = &rest[prefix.len()..];
    let end = if prefix.ends_with('r') {
        let hashes = tail.len() - tail.trim_start_matches('#').len();
        let closing = format!("\"{}", &tail[..hashes]);
        let inside = &tail[hashes + 1..];
        inside
            .find(&closing)
            .map(|found| hashes + 1 + found + closing.len())
    } else {
        escaped(tail)
    };
    Some(end.map(|end| {
        let end = prefix.len() + end;
        end + suffix(&rest[end..])
    }))
}

/// The length of a quoted text with escapes, quotes included.
fn escaped(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == bytes[0] => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn suffix(rest: &str) -> usize {
    if rest.starts_with(|c: char| c == '_' || c.is_alphabetic()) {
        word(rest)
    } else {
        0
    }
}

/// A character literal or a lifetime.
fn quote(rest: &str) -> Option<(Kind, usize)> {
    let mut chars = rest[1..].chars();
    let first = chars.next()?;
    if first != '\\' && chars.next() != Some('\'') {
        let name = word(&rest[1..]);
        return (name > 0).then_some((Kind::Lifetime, 1 + name));
    }
    let end = escaped(rest)?;
    Some((Kind::Literal, end + suffix(&rest[end..])))
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let based = ["0x", "0o", "0b"].iter().any(|base| rest.starts_with(base));
    let mut at = word_with_exponent(rest, based);
    // `1..2` is a range and `1.max(2)` a call; `1.` and `1.5` are numbers.
    if !based && bytes.get(at) == Some(&b'.') {
        match rest[at + 1..].chars().next() {
            Some(next) if next.is_ascii_digit() => {
                at += 1;
                at += word_with_exponent(&rest[at..], false);
            }
            Some(next) if next == '.' || is_word(next) => {}
            _ => at += 1,
        }
    }
    at
}

fn word_with_exponent(rest: &str, based: bool) -> usize {
    let at = word(rest);
    let signed = rest[at..].starts_with(['+', '-']);
    let digits = rest[..at].trim_end_matches(['e', 'E']);
    if !based
        && signed
        && digits.len() + 1 == at
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit())
    {
        return at + 1 + word(&rest[at + 1..]);
    }
    at
}
