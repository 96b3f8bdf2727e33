//! How names, constants and types are written in the text form, so that each reads back as itself.

use std::fmt::{self, Write};

use crate::{Const, Reference, Type};

/// Words with a meaning of their own where a local or a constant may stand.
const RESERVED: &[&str] = &[
    "_",
    "as",
    "assert",
    "async",
    "branch",
    "call",
    "closure",
    "construct",
    "dead",
    "delete",
    "drop",
    "fn",
    "gap",
    "goto",
    "let",
    "live",
    "logged",
    "loop",
    "may",
    "method",
    "move",
    "new",
    "null",
    "of",
    "opaque",
    "other",
    "pointer",
    "return",
    "self",
    "shown",
    "static",
    "suspend",
    "switch",
    "temp",
    "unknown",
    "unreachable",
    "unsafe",
    "unwind",
    "voided",
];
/// Words that may follow a type or stand before it.
const AROUND_TYPES: &[&str] = &[
    "const",
    "defaulted",
    "private",
    "deleted",
    "given",
    "noreturn",
    "of",
    "partial",
    "virtual",
    "volatile",
];
/// What stands before a name to say what it names.
pub(crate) const PREFIXES: &[&str] = &["g::", "captured::", "const::"];

pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

pub(crate) fn starts_identifier(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

pub(crate) fn continues_identifier(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric()
}

/// The length of the plain name that `text` begins with: identifiers, `~T`, `{lambda#1}` and
/// `{init}`, joined by `::`. Zero if there is none.
pub(crate) fn plain_length(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let word = rest.strip_prefix('~').unwrap_or(rest);
        let braced = rest.strip_prefix('{').filter(|_| end > 0);
        let length = if let Some(inside) = braced {
            let close = inside.find(|c: char| !(continues_identifier(c) || c == '#'));
            close
                .filter(|&at| at > 0 && inside[at..].starts_with('}'))
                .map(|at| at + 2)
        } else if word.starts_with(starts_identifier) {
            let word_end = word.find(|c| !continues_identifier(c));
            Some(rest.len() - word.len() + word_end.unwrap_or(word.len()))
        } else {
            None
        };
        let Some(length) = length else {
            // A `::` that no name follows is not part of this one.
            return end.saturating_sub(2);
        };
        end += length;
        if !text[end..].starts_with("::") {
            return end;
        }
        end += 2;
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && plain_length(name) == name.len()
        && !PREFIXES.iter().any(|p| name.starts_with(p))
}

pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(starts_identifier) && name.chars().all(continues_identifier)
}

/// A name: as it is, or in backquotes.
pub(crate) struct NameText<'a>(pub(crate) &'a str);

impl fmt::Display for NameText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(self.0) {
            f.write_str(self.0)
        } else {
            quoted(f, self.0, '`')
        }
    }
}

pub(crate) fn quoted(out: &mut impl Write, text: &str, quote: char) -> fmt::Result {
    out.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\\' => out.write_str("\\\\")?,
            c if c == quote => write!(out, "\\{c}")?,
            c => out.write_char(c)?,
        }
    }
    out.write_char(quote)
}

/// A string literal: between quotes as written where that reads back, else escaped as `e"…"`.
pub(crate) struct StrText<'a>(pub(crate) &'a str);

impl fmt::Display for StrText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        let mut as_written = true;
        while let Some(c) = chars.next() {
            let escape = c == '\\' && chars.next().is_some_and(|c| !matches!(c, '\n' | '\r'));
            as_written &= escape || !matches!(c, '\\' | '"' | '\n' | '\r');
        }
        if as_written {
            return write!(f, "\"{}\"", self.0);
        }
        f.write_char('e')?;
        quoted(f, self.0, '"')
    }
}

/// A constant, where these bare names are taken by locals.
pub(crate) struct ConstText<'a>(pub(crate) &'a Const, pub(crate) &'a dyn Fn(&str) -> bool);

impl fmt::Display for ConstText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Const::Int(value) => write!(f, "{value}"),
            Const::Null => f.write_str("null"),
            Const::Named(name) => {
                if !(is_bare_constant(name) && is_plain(name)) || self.1(name) {
                    f.write_str("const::")?;
                }
                write!(f, "{}", NameText(name))
            }
            Const::Str(text) => write!(f, "{}", StrText(text)),
            Const::Function(name) => write!(f, "fn {}", NameText(name)),
            Const::Other => f.write_str("other"),
        }
    }
}

/// A name that is taken for a constant without being told: `INVALID_HANDLE_VALUE`, `QIODevice::Off`.
/// Other names need `const::`, so that a misspelt local is no constant.
pub(crate) fn is_bare_constant(name: &str) -> bool {
    !is_reserved(name) && (name.contains("::") || !name.contains(char::is_lowercase))
}

/// A type.
pub(crate) struct TypeText<'a>(pub(crate) &'a Type);

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ty = self.0;
        if ty.is_const {
            f.write_str("const ")?;
        }
        if ty.is_volatile {
            f.write_str("volatile ")?;
        }
        let plain = ty
            .name
            .split(' ')
            .all(|word| is_plain(word) && !AROUND_TYPES.contains(&word));
        if ty.name.is_empty() {
            f.write_char('?')?;
        } else if plain {
            f.write_str(&ty.name)?;
        } else {
            quoted(f, &ty.name, '`')?;
        }
        for (i, arg) in ty.args.iter().enumerate() {
            f.write_str(if i == 0 { "<" } else { ", " })?;
            if argument_length(arg) == arg.len() && !arg.is_empty() && arg.trim() == *arg {
                f.write_str(arg)?;
            } else {
                quoted(f, arg, '`')?;
            }
        }
        if !ty.args.is_empty() {
            f.write_char('>')?;
        }
        for _ in 0..ty.pointers {
            f.write_char('*')?;
        }
        match ty.reference {
            Reference::None => {}
            Reference::Shared => f.write_char('&')?,
            Reference::Rvalue => f.write_str("&&")?,
        }
        for i in 0..ty.arrays {
            match ty.array_len {
                Some(n) if i == 0 => write!(f, "[{n}]")?,
                _ => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

/// The length of the template argument that `text` begins with: up to a `,` or `>` outside of every
/// bracket, a quote, or a bracket that does not match.
pub(crate) fn argument_length(text: &str) -> usize {
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '<' => open.push('>'),
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            '>' | ')' | ']' | '}' => match open.pop() {
                Some(close) if close == c => {}
                _ => return at,
            },
            ',' if open.is_empty() => return at,
            '`' | '"' | '\n' | '\r' => return at,
            _ => {}
        }
    }
    if open.is_empty() { text.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn plain_names_are_measured() {
        for (text, plain) in [
            ("a::b.c", "a::b"),
            ("T::~T(", "T::~T"),
            ("f::{lambda#1}::{lambda#2} x", "f::{lambda#1}::{lambda#2}"),
            ("a::", "a"),
            ("a::1", "a"),
            ("f::{}", "f"),
            ("{init}", ""),
            ("1a", ""),
            ("~", ""),
            ("größe-1", "größe"),
        ] {
            assert_eq!(&text[..plain_length(text)], plain, "{text}");
        }
    }

    #[test]
    fn strings_stand_as_written_where_they_can() {
        for (text, written) in [
            (r"\\.\pipe\x", r#""\\.\pipe\x""#),
            (r#"a\"b"#, r#""a\"b""#),
            ("a\"b", r#"e"a\"b""#),
            ("a\nb", r#"e"a\nb""#),
            ("a\\", r#"e"a\\""#),
        ] {
            assert_eq!(StrText(text).to_string(), written);
        }
    }
}
