//! The left side of a rule: what a call's arguments are compared with.

use std::ops::Range;

use super::fragment::Fragment;
use super::tokens::{Kind, Tokens};

/// An element of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// The definition's token at this index, as it is.
    Token(usize),
    /// A group opened by the definition's token at this index.
    Group(usize, Vec<Pattern>),
    /// A metavariable, by its number.
    Variable(usize, Fragment),
    /// A repetition.
    Repeat(Repeat),
}

/// How often a repetition may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// `*`
    Any,
    /// `+`
    AtLeastOnce,
    /// `?`
    AtMostOnce,
}

/// `$( … ) separator times` in a pattern.
#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) inner: Vec<Pattern>,
    /// The definition's token between two matches.
    pub(super) separator: Option<usize>,
    pub(super) times: Times,
    /// The numbers of the metavariables inside.
    pub(super) variables: Range<usize>,
}

/// Reads a pattern from a stretch of a definition's tokens; metavariables are numbered in the
/// order in which they come, which is that of `variables`.
pub(super) fn pattern(
    tokens: &Tokens<Box<str>>,
    range: Range<usize>,
    variables: &mut Vec<(String, Fragment)>,
) -> Option<Vec<Pattern>> {
    let mut out = Vec::new();
    let mut at = range.start;
    while at < range.end {
        if !tokens.is(at, "$") {
            if let Some(close) = tokens.close_of(at) {
                out.push(Pattern::Group(
                    at,
                    pattern(tokens, at + 1..close, variables)?,
                ));
                at = close + 1;
            } else {
                out.push(Pattern::Token(at));
                at += 1;
            }
        } else if let Some(close) = tokens.close_of(at + 1) {
            let first = variables.len();
            let inner = pattern(tokens, at + 2..close, variables)?;
            let (separator, times, after) = times(tokens, close + 1)?;
            out.push(Pattern::Repeat(Repeat {
                inner,
                separator,
                times,
                variables: first..variables.len(),
            }));
            at = after;
        } else if tokens.is(at + 1, "crate") {
            out.push(Pattern::Token(at + 1));
            at += 2;
        } else if !(tokens.is_ident(at + 1) && tokens.is(at + 2, ":") && at + 3 < range.end) {
            out.push(Pattern::Token(at));
            at += 1;
        } else {
            let fragment = Fragment::from_name(tokens.text(at + 3))?;
            let fragment = alternative(tokens, at + 4, fragment);
            out.push(Pattern::Variable(variables.len(), fragment));
            variables.push((tokens.text(at + 1).to_owned(), fragment));
            at += 4;
        }
    }
    Some(out)
}

/// A `pat` before a `|` is from an edition in which it had no alternatives at its top:
/// <https://doc.rust-lang.org/reference/macros-by-example.html#r-macro.decl.meta.edition2021>.
fn alternative(tokens: &Tokens<Box<str>>, after: usize, fragment: Fragment) -> Fragment {
    let repeated = matches!(tokens.kind(after), Some(Kind::Close(_))) && tokens.is(after + 1, "|");
    if fragment == Fragment::Pat && (tokens.is(after, "|") || repeated) {
        return Fragment::PatParam;
    }
    fragment
}

/// The separator and number of times after a repetition's `)`, and the index after them.
pub(super) fn times(tokens: &Tokens<Box<str>>, at: usize) -> Option<(Option<usize>, Times, usize)> {
    let named = |at: usize| match tokens.kind(at)? {
        Kind::Punct => match tokens.text(at) {
            "*" => Some(Times::Any),
            "+" => Some(Times::AtLeastOnce),
            "?" => Some(Times::AtMostOnce),
            _ => None,
        },
        _ => None,
    };
    if let Some(times) = named(at) {
        return Some((None, times, at + 1));
    }
    if matches!(tokens.kind(at)?, Kind::Open(_) | Kind::Close(_)) {
        return None;
    }
    Some((Some(at), named(at + 1)?, at + 2))
}
