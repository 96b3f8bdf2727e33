//! Where the fragments of a macro's arguments end, without a full parser.
//!
//! Fragments and what may follow them:
//! <https://doc.rust-lang.org/reference/macros-by-example.html>.

use super::lexer::{Kind, Tokens};
use super::pattern::Fragment;

/// Keywords that begin no expression.
const NO_EXPRESSION: [&str; 18] = [
    "as", "dyn", "else", "enum", "extern", "fn", "impl", "in", "let", "mod", "mut", "pub", "ref",
    "struct", "trait", "type", "use", "where",
];

const ITEMS: [&str; 15] = [
    "fn", "struct", "enum", "union", "trait", "impl", "mod", "use", "type", "const", "static",
    "extern", "pub", "unsafe", "async",
];

/// Looks for the ends of fragments in the tokens up to `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanner<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) end: usize,
}

impl Scanner<'_> {
    /// The index after the fragment that starts at `at`; `None` when there is none.
    pub(super) fn fragment(&self, fragment: Fragment, at: usize) -> Option<usize> {
        if fragment == Fragment::Vis {
            return Some(self.visibility(at));
        }
        if at >= self.end {
            return None;
        }
        let kind = self.tokens.kind(at)?;
        let end = match fragment {
            Fragment::Tt => self.tokens.after(at),
            Fragment::Ident if kind == Kind::Ident && !self.is(at, "_") => at + 1,
            Fragment::Lifetime if kind == Kind::Lifetime => at + 1,
            Fragment::Literal => self.literal(at)?,
            Fragment::Block if self.is(at, "{") => self.tokens.after(at),
            Fragment::Path => self.path(at)?,
            Fragment::Ty => self.ty(at)?,
            Fragment::Pat => self.pattern(at, false)?,
            Fragment::PatParam => self.pattern(at, true)?,
            Fragment::Expr => self.expression(at)?,
            Fragment::Stmt => self.statement(at)?,
            Fragment::Item => self.item(at)?,
            Fragment::Meta => self.meta(at)?,
            _ => return None,
        };
        (end <= self.end).then_some(end)
    }

    pub(super) fn is(&self, at: usize, text: &str) -> bool {
        at < self.end && self.tokens.is(at, text)
    }

    pub(super) fn is_any(&self, at: usize, texts: &[&str]) -> bool {
        at < self.end && texts.contains(&self.tokens.operator(at))
    }

    pub(super) fn is_kind(&self, at: usize, kind: Kind) -> bool {
        at < self.end && self.tokens.kind(at) == Some(kind)
    }

    fn literal(&self, at: usize) -> Option<usize> {
        let at = if self.is(at, "-") { at + 1 } else { at };
        let found = self.is_kind(at, Kind::Literal) || self.is_any(at, &["true", "false"]);
        found.then_some(at + 1)
    }

    fn visibility(&self, at: usize) -> usize {
        if !self.is(at, "pub") {
            return at;
        }
        let inside = ["crate", "self", "super", "in"];
        if self.is(at + 1, "(") && self.is_any(at + 2, &inside) {
            return self.tokens.after(at + 1);
        }
        at + 1
    }

    pub(super) fn pattern(&self, mut at: usize, param: bool) -> Option<usize> {
        let start = at;
        while at < self.end {
            if self.is_any(at, &["=>", ",", "=", ";", "if", "in"]) || (param && self.is(at, "|")) {
                break;
            }
            at = if self.is(at, "::") && self.tokens.text(at + 2) == "<" {
                self.angles(at + 2)?
            } else {
                self.tokens.after(at)
            };
        }
        (at > start).then_some(at)
    }

    fn expression(&self, at: usize) -> Option<usize> {
        let begins = match self.tokens.kind(at)? {
            Kind::Ident => !NO_EXPRESSION.contains(&self.tokens.text(at)),
            Kind::Punct => self.is_any(
                at,
                &[
                    "-", "!", "*", "&", "&&", "|", "||", "<", "<<", "::", "..", "..=", "#", "$",
                ],
            ),
            Kind::Close => false,
            _ => true,
        };
        if begins { self.run(at) } else { None }
    }

    /// Token trees up to `,`, `;` or `=>`; the commas of closures and generics do not count.
    fn run(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut operand = true;
        let mut closes = true;
        while at < self.end {
            let sign = self.tokens.operator(at);
            if matches!(sign, "," | ";" | "=>") {
                break;
            }
            let kind = self.tokens.kind(at)?;
            let generic = (operand && self.tokens.text(at) == "<")
                || (sign == "::" && self.tokens.text(at + 2) == "<");
            if operand && sign == "|" {
                at = self.closure(at)?;
                if self.is(at, "->") {
                    at = self.ty(at + 2)?;
                }
                continue;
            }
            if generic && closes {
                // A `<` that closes nowhere is taken for an operator, and those after it too:
                // to look for the end of each would be quadratic.
                let angle = if sign == "::" { at + 2 } else { at };
                let after = self.angles(angle);
                closes = after.is_some();
                at = after.unwrap_or(angle + 1);
                operand = false;
                continue;
            }
            if closes && matches!(sign, "as" | ":") {
                let after = self.ty(at + 1);
                closes = after.is_some();
                at = after.unwrap_or(at + 1);
                operand = false;
                continue;
            }
            operand = match kind {
                Kind::Punct => sign != "?" && sign != ".",
                Kind::Ident => matches!(
                    sign,
                    "return"
                        | "break"
                        | "move"
                        | "in"
                        | "if"
                        | "while"
                        | "match"
                        | "else"
                        | "async"
                        | "static"
                ),
                _ => false,
            };
            at = self.tokens.after(at);
        }
        (at > start).then_some(at)
    }

    /// After the second `|` of a closure's parameters.
    fn closure(&self, at: usize) -> Option<usize> {
        let mut at = at + 1;
        while at < self.end {
            if self.tokens.text(at) == "|" {
                return Some(at + 1);
            }
            at = if self.tokens.text(at) == "<" {
                self.angles(at)?
            } else if self.is_kind(at, Kind::Open) {
                self.tokens.after(at)
            } else {
                at + 1
            };
        }
        None
    }

    fn statement(&self, at: usize) -> Option<usize> {
        if self.is(at, "let") {
            return self.run(at);
        }
        let item = self.is_any(
            at,
            &["fn", "struct", "enum", "impl", "trait", "use", "static"],
        );
        if item {
            self.item(at)
        } else {
            self.expression(at)
        }
    }

    /// After the attributes that start at `at`.
    fn attributes(&self, mut at: usize) -> usize {
        while self.is(at, "#") && self.is(at + 1, "[") {
            at = self.tokens.after(at + 1);
        }
        at
    }

    fn item(&self, at: usize) -> Option<usize> {
        let mut at = self.attributes(at);
        let is_macro = self.is(at + 1, "!");
        if !(self.is_any(at, &ITEMS) || (is_macro && self.is_kind(at, Kind::Ident))) {
            return None;
        }
        at = self.visibility(at);
        // These end with `;`, and their braces are values or lists.
        let is_const =
            self.is(at, "const") && !self.is_any(at + 1, &["fn", "unsafe", "async", "extern"]);
        let to_semicolon = is_const || self.is_any(at, &["static", "use", "type"]);
        while at < self.end {
            if self.is(at, ";") || (!to_semicolon && self.is(at, "{")) {
                return Some(self.tokens.after(at));
            }
            at = self.tokens.after(at);
        }
        None
    }

    fn meta(&self, at: usize) -> Option<usize> {
        let at = if self.is(at, "unsafe") && self.is(at + 1, "(") {
            return Some(self.tokens.after(at + 1));
        } else {
            self.path(at)?
        };
        if self.is_kind(at, Kind::Open) {
            return Some(self.tokens.after(at));
        }
        if self.is(at, "=") {
            return self.expression(at + 1);
        }
        Some(at)
    }
}
