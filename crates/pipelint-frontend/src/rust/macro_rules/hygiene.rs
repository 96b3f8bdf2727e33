//! Which names in a transcriber are locals that the macro itself brings.
//!
//! Such a local and one of the same name at the call are two
//! (<https://doc.rust-lang.org/reference/macros-by-example.html#hygiene>), so it is renamed
//! where it is bound and where it is used. Labels likewise. A name is left as it is when
//! renaming could break something that is no use of the local: a parameter of a function, a name
//! inside a format string.

use std::collections::BTreeMap;
use std::ops::Range;

use super::tokens::{Kind, Tokens};

/// What a token that names a local is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The local.
    Name,
    /// The local and a field of the same name: `S { name, … }`.
    Field,
}

/// A local: where it is bound, and from where on its name means it.
#[derive(Default)]
pub(super) struct Local {
    pub(super) bound: Vec<usize>,
    /// Where it stands for a field too.
    pub(super) fields: Vec<usize>,
    pub(super) from: usize,
    /// It is not to be renamed.
    pub(super) kept: bool,
}

/// The indices of the tokens that name locals of the macro, in order.
pub(super) fn locals(tokens: &Tokens<Box<str>>, range: Range<usize>) -> Vec<(usize, Use)> {
    let mut finder = Finder {
        tokens,
        range: range.clone(),
        locals: BTreeMap::new(),
    };
    for at in range.clone() {
        finder.binder(at);
    }
    if finder.locals.is_empty() {
        return Vec::new();
    }
    for local in finder.locals.values_mut() {
        local.bound.sort_unstable();
    }
    for at in range.clone() {
        finder.keep(at);
    }
    range
        .filter_map(|at| Some((at, finder.role(at)?)))
        .collect()
}

pub(super) struct Finder<'a> {
    pub(super) tokens: &'a Tokens<Box<str>>,
    pub(super) range: Range<usize>,
    pub(super) locals: BTreeMap<&'a str, Local>,
}

impl<'a> Finder<'a> {
    /// The text of a token of the transcriber, empty outside of it.
    pub(super) fn text(&self, at: usize) -> &'a str {
        if self.range.contains(&at) {
            self.tokens.text(at)
        } else {
            ""
        }
    }

    pub(super) fn before(&self, at: usize) -> &'a str {
        at.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// Marks the names that the token shows must stay as they are.
    fn keep(&mut self, at: usize) {
        match self.tokens.kind(at) {
            Some(Kind::Literal) => {
                let text = self.tokens.text(at);
                if text.contains('{') {
                    for (name, local) in &mut self.locals {
                        local.kept |= captures(text, name);
                    }
                }
            }
            Some(Kind::Ident) => {
                let parameter = self.is_parameter(at);
                let shorthand = self.is_shorthand(at);
                let Some(local) = self.locals.get_mut(self.tokens.text(at)) else {
                    return;
                };
                if local.bound.binary_search(&at).is_ok() {
                    return;
                }
                local.kept |= parameter;
                if shorthand {
                    local.fields.push(at);
                }
            }
            _ => {}
        }
    }

    /// `fn f(name: T)`
    fn is_parameter(&self, at: usize) -> bool {
        self.text(at + 1) == ":" && matches!(self.before(at), "(" | "mut")
            || self.text(at + 1) == ":" && self.before(at) == "," && !self.is_in_braces(at)
    }

    fn is_in_braces(&self, at: usize) -> bool {
        let close = self.find(at, &[]);
        self.text(close) == "}"
    }

    /// `S { name, other }`
    fn is_shorthand(&self, at: usize) -> bool {
        let (before, after) = (self.before(at), self.text(at + 1));
        if !matches!(before, "{" | ",") || !matches!(after, "}" | ",") || !self.is_in_braces(at) {
            return false;
        }
        let close = self.find(at, &[]);
        let Some(Kind::Close(open)) = self.tokens.kind(close) else {
            return false;
        };
        let open = open as usize;
        let head = self.before(open);
        let variable = open >= 2 && self.text(open - 2) == "$";
        (variable || head == ">" || head.starts_with(char::is_uppercase))
            && !self.is_condition(open)
    }

    /// Whether the braces are those of `if x == MAX { … }` and the like: an operand before them
    /// is no struct's name.
    fn is_condition(&self, open: usize) -> bool {
        let mut at = open;
        while at > self.range.start {
            at -= 1;
            match self.tokens.kind(at) {
                Some(Kind::Open(_)) => return false,
                Some(Kind::Close(partner)) => at = partner as usize,
                _ => match self.text(at) {
                    ";" => return false,
                    "if" | "while" | "match" | "for" => return true,
                    _ => {}
                },
            }
        }
        false
    }

    /// What the token is to a local that is renamed.
    fn role(&self, at: usize) -> Option<Use> {
        let local = self.locals.get(self.text(at))?;
        if local.kept || self.tokens.is_written(at) {
            return None;
        }
        if self.tokens.kind(at) == Some(Kind::Lifetime) {
            return Some(Use::Name);
        }
        let bound = local.bound.binary_search(&at).is_ok();
        let name = self.tokens.is_ident(at)
            && at >= local.from
            && !matches!(self.before(at), "$" | "." | "::")
            && !matches!(self.text(at + 1), "::" | "!" | ":");
        if !(bound || name) {
            None
        } else if local.fields.contains(&at) {
            Some(Use::Field)
        } else {
            Some(Use::Name)
        }
    }
}

/// Whether a literal holds `{name}` or `{name:`.
fn captures(text: &str, name: &str) -> bool {
    text.match_indices('{').any(|(at, _)| {
        let inside = text.get(at + 1..).unwrap_or("");
        let after = inside.strip_prefix(name);
        after.is_some_and(|after| after.starts_with(['}', ':', '?']))
    })
}
