//! What a metavariable takes of a call's arguments, by its fragment specifier:
//! <https://doc.rust-lang.org/reference/macros-by-example.html#metavariables>.
//!
//! There is no parser behind it. A fragment ends where a token comes that cannot continue it;
//! that the macro compiles where it is used is taken for granted, since what may follow each
//! kind of fragment is fixed (<https://doc.rust-lang.org/reference/macro-ambiguity.html>).

use super::tokens::{Kind, Tokens};

/// A fragment specifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment {
    Block,
    Expr,
    Ident,
    Item,
    Lifetime,
    Literal,
    Meta,
    /// With alternatives at its top.
    Pat,
    /// Without them.
    PatParam,
    Path,
    Stmt,
    Tt,
    Ty,
    Vis,
}

impl Fragment {
    /// The fragment that a specifier names.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "block" => Self::Block,
            "expr" | "expr_2021" => Self::Expr,
            "ident" => Self::Ident,
            "item" => Self::Item,
            "lifetime" => Self::Lifetime,
            "literal" => Self::Literal,
            "meta" => Self::Meta,
            "pat" => Self::Pat,
            "pat_param" => Self::PatParam,
            "path" => Self::Path,
            "stmt" => Self::Stmt,
            "tt" => Self::Tt,
            "ty" => Self::Ty,
            "vis" => Self::Vis,
            _ => return None,
        })
    }
}

/// Finds where fragments end in the tokens of a call, at bounded cost.
pub(super) struct Scanner<'a> {
    pub(super) tokens: &'a Tokens<&'a str>,
    steps: u32,
}

impl<'a> Scanner<'a> {
    /// A scanner that gives up after so many tokens, looked at again or for the first time.
    pub(super) fn new(tokens: &'a Tokens<&'a str>, steps: u32) -> Self {
        Self { tokens, steps }
    }

    /// Counts a step. `None` when there were too many.
    pub(super) fn charge(&mut self) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        Some(())
    }

    /// Whether the bound was met.
    pub(super) fn is_spent(&self) -> bool {
        self.steps == 0
    }

    /// The index after the fragment at `at`, in a group whose tokens end at `end`.
    pub(super) fn fragment(&mut self, fragment: Fragment, at: usize, end: usize) -> Option<usize> {
        self.charge()?;
        if at >= end {
            return None;
        }
        let tokens = self.tokens;
        match fragment {
            Fragment::Block => (tokens.is(at, "{")).then(|| tokens.after_tree(at)),
            Fragment::Expr => self.expr(at, end),
            Fragment::Ident => (tokens.is_ident(at) && !tokens.is(at, "_")).then_some(at + 1),
            Fragment::Item => self.item(at, end),
            Fragment::Lifetime => (tokens.kind(at) == Some(Kind::Lifetime)).then_some(at + 1),
            Fragment::Literal => self.literal(at),
            Fragment::Meta => self.meta(at, end),
            Fragment::Pat => self.pat(at, end, true),
            Fragment::PatParam => self.pat(at, end, false),
            Fragment::Path => self.path(at, end),
            Fragment::Stmt => self.stmt(at, end),
            Fragment::Tt => Some(match tokens.kind(at)? {
                Kind::Open(_) => tokens.after_tree(at),
                Kind::Punct => tokens.joined_end(at),
                _ => at + 1,
            }),
            Fragment::Ty => self.ty(at, end, true),
            Fragment::Vis => Some(self.vis(at, end)),
        }
    }

    /// A literal, `true` or `false`, with a minus or without.
    fn literal(&self, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let from = if tokens.is(at, "-") { at + 1 } else { at };
        if tokens.kind(from) == Some(Kind::Literal) {
            return Some(from + 1);
        }
        (tokens.is(from, "true") || tokens.is(from, "false")).then_some(from + 1)
    }

    /// A visibility, which may be nothing. `pub (A)` is that of a tuple's field of type `A`.
    pub(super) fn vis(&self, at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        if at >= end || !tokens.is(at, "pub") {
            return at;
        }
        let restricted = tokens.is(at + 1, "(")
            && match tokens.text(at + 2) {
                "in" => true,
                "crate" | "self" | "super" => tokens.is(at + 3, ")"),
                _ => false,
            };
        if restricted {
            tokens.after_tree(at + 1)
        } else {
            at + 1
        }
    }

    /// The inside of an attribute.
    fn meta(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = if tokens.is(at, "::") { at + 1 } else { at };
        loop {
            if at >= end || !tokens.is_ident(at) {
                return None;
            }
            self.charge()?;
            at += 1;
            if !tokens.is(at, "::") || at >= end {
                break;
            }
            at += 1;
        }
        if at < end && tokens.is(at, "=") {
            return self.expr(at + 1, end);
        }
        if at < end && matches!(tokens.kind(at), Some(Kind::Open(_))) {
            return Some(tokens.after_tree(at));
        }
        Some(at)
    }

    /// A statement without its `;`, or an item with it.
    fn stmt(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let start = self.attributes(at, end)?;
        if !tokens.is(start, "let") {
            // A call of a macro is an expression, without the `;` that makes it an item.
            let item = self
                .item(at, end)
                .filter(|_| tokens.is(start, "macro_rules") || !self.is_macro_call(start, end));
            return item.or_else(|| self.expr(start, end));
        }
        let mut at = self.pat(start + 1, end, true)?;
        if at < end && tokens.is(at, ":") {
            at = self.ty(at + 1, end, true)?;
        }
        if at < end && tokens.is(at, "=") {
            at = self.expr(at + 1, end)?;
            if at < end && tokens.is(at, "else") && tokens.is(at + 1, "{") {
                at = tokens.after_tree(at + 1);
            }
        }
        Some(at)
    }

    /// An item, up to and with its body or `;`.
    fn item(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = self.attributes(at, end)?;
        at = self.vis(at, end);
        let body_ends = loop {
            if at >= end || !tokens.is_ident(at) {
                return None;
            }
            self.charge()?;
            match tokens.text(at) {
                "fn" | "impl" | "trait" | "mod" | "enum" | "struct" => break true,
                "use" | "type" => break false,
                "static" => break false,
                "const" if !matches!(tokens.text(at + 1), "fn" | "unsafe" | "async" | "extern") => {
                    break false;
                }
                "extern" if tokens.is(at + 1, "crate") => break false,
                "extern" if tokens.is(at + 1, "{") => break true,
                "extern" if tokens.kind(at + 1) == Some(Kind::Literal) => {
                    if tokens.is(at + 2, "{") {
                        break true;
                    }
                    at += 2;
                }
                "const" | "unsafe" | "async" | "default" | "auto" | "safe" | "extern" => at += 1,
                "union" | "macro" if tokens.is_ident(at + 1) => break true,
                _ => return self.macro_item(at, end),
            }
        };
        at += 1;
        while at < end {
            self.charge()?;
            if tokens.is(at, ";") {
                return Some(at + 1);
            }
            if body_ends && tokens.is(at, "{") {
                return Some(tokens.after_tree(at));
            }
            at = if body_ends && tokens.is(at, "<") {
                self.angles(at, end)?
            } else {
                tokens.after_tree(at)
            };
        }
        None
    }

    fn is_macro_call(&self, at: usize, end: usize) -> bool {
        let path = |at: &usize| self.tokens.is_ident(*at) || self.tokens.is(*at, "::");
        let after = (at..end).find(|at| !path(at));
        after.is_some_and(|after| after > at && self.tokens.is(after, "!"))
    }

    /// `m! { … }`, `m!(…);`, `macro_rules! m { … }`.
    fn macro_item(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = at;
        while !tokens.is(at, "!") {
            if at >= end || !(tokens.is_ident(at) || tokens.is(at, "::")) {
                return None;
            }
            self.charge()?;
            at += 1;
        }
        at += 1;
        if tokens.is_ident(at) {
            at += 1;
        }
        if at >= end || !matches!(tokens.kind(at), Some(Kind::Open(_))) {
            return None;
        }
        let after = tokens.after_tree(at);
        if tokens.is(at, "{") {
            return Some(after);
        }
        (after < end && tokens.is(after, ";")).then_some(after + 1)
    }

    /// The index after any outer attributes.
    pub(super) fn attributes(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        let mut at = at;
        while at < end && tokens.is(at, "#") && tokens.is(at + 1, "[") {
            self.charge()?;
            at = tokens.after_tree(at + 1);
        }
        Some(at)
    }
}
