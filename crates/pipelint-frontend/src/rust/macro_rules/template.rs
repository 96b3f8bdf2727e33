//! The right side of a rule: what a call becomes.

use std::ops::Range;

use super::hygiene::{self, Use};
use super::pattern::times;
use super::tokens::{Kind, Tokens};

/// An element of a transcriber.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// The definition's token at this index.
    Token(usize),
    /// The definition's token at this index, the name of a local that the macro brings.
    Local(usize),
    /// As [`Local`](Self::Local), where it also names a field.
    Field(usize),
    /// `$crate`
    Crate,
    /// A metavariable, by its number, and what comes after it.
    Variable(usize, Next),
    /// A repetition.
    Repeat(Repeat),
}

/// What comes after a metavariable in its transcriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The end, or a token that ends an expression.
    End,
    /// `::`
    Path,
    /// Anything else.
    Other,
}

/// `$( … ) separator times` in a transcriber.
#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) inner: Vec<Template>,
    /// The definition's token between two rounds.
    pub(super) separator: Option<usize>,
    /// The numbers of the metavariables inside.
    pub(super) variables: Vec<usize>,
}

/// Reads a transcriber from a stretch of a definition's tokens. `None` for a repetition without
/// metavariables, and for metavariable expressions (`${ … }`, unstable).
pub(super) fn template(
    tokens: &Tokens<Box<str>>,
    range: Range<usize>,
    names: &[String],
) -> Option<Vec<Template>> {
    let locals = hygiene::locals(tokens, range.clone());
    let reader = Reader {
        tokens,
        names,
        locals,
    };
    reader.sequence(range, Next::End, &mut Vec::new())
}

struct Reader<'a> {
    tokens: &'a Tokens<Box<str>>,
    names: &'a [String],
    /// The definition's tokens that are names of locals, in order.
    locals: Vec<(usize, Use)>,
}

impl Reader<'_> {
    /// `last` is what comes after the stretch; the metavariables in it are added to `variables`.
    fn sequence(
        &self,
        range: Range<usize>,
        last: Next,
        variables: &mut Vec<usize>,
    ) -> Option<Vec<Template>> {
        let tokens = self.tokens;
        let mut out = Vec::new();
        let mut at = range.start;
        let next = |after: usize| {
            if after >= range.end {
                last
            } else {
                self.next(after)
            }
        };
        while at < range.end {
            if !tokens.is(at, "$") {
                let local = self.locals.binary_search_by_key(&at, |(token, _)| *token);
                out.push(match local.ok().and_then(|found| self.locals.get(found)) {
                    Some((_, Use::Name)) => Template::Local(at),
                    Some((_, Use::Field)) => Template::Field(at),
                    None => Template::Token(at),
                });
                at += 1;
                continue;
            }
            match tokens.kind(at + 1) {
                Some(Kind::Open(close)) if tokens.is(at + 1, "(") => {
                    let close = close as usize;
                    let (separator, _, after) = times(tokens, close + 1)?;
                    let between = separator.map_or(next(after), |separator| self.next(separator));
                    let last = if between == Next::End {
                        next(after)
                    } else {
                        Next::Other
                    };
                    // Without a separator, what comes after a round may be another round.
                    let last = match separator {
                        Some(_) => last,
                        None if self.ends_expression(close - 1) => last,
                        None => Next::Other,
                    };
                    let mut used = Vec::new();
                    let inner = self.sequence(at + 2..close, last, &mut used)?;
                    if used.is_empty() {
                        return None;
                    }
                    used.sort_unstable();
                    used.dedup();
                    variables.extend(&used);
                    out.push(Template::Repeat(Repeat {
                        inner,
                        separator,
                        variables: used,
                    }));
                    at = after;
                }
                Some(Kind::Open(_)) if tokens.is(at + 1, "{") => return None,
                Some(Kind::Ident) => {
                    let name = tokens.text(at + 1);
                    let number = self.names.iter().position(|known| known == name);
                    if let Some(number) = number {
                        variables.push(number);
                        out.push(Template::Variable(number, next(at + 2)));
                    } else if name == "crate" {
                        out.push(Template::Crate);
                    } else {
                        // A metavariable of a macro that this one defines.
                        out.push(Template::Token(at));
                        out.push(Template::Token(at + 1));
                    }
                    at += 2;
                }
                // `$$`, and a `$` that is text to a macro called from here.
                _ => {
                    out.push(Template::Token(at));
                    at += 1 + usize::from(tokens.is(at + 1, "$"));
                }
            }
        }
        Some(out)
    }

    fn next(&self, at: usize) -> Next {
        match self.tokens.text(at) {
            "::" => Next::Path,
            _ if self.ends_expression(at) => Next::End,
            _ => Next::Other,
        }
    }

    fn ends_expression(&self, at: usize) -> bool {
        matches!(self.tokens.kind(at), Some(Kind::Close(_)))
            || matches!(self.tokens.text(at), "," | ";" | "=>")
    }
}
