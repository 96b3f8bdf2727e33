//! Where types and paths end.

use super::lexer::Kind;
use super::scan::Scanner;

impl Scanner<'_> {
    /// After the `>` of the `<` at `at`.
    pub(super) fn angles(&self, mut at: usize) -> Option<usize> {
        let mut depth = 0u32;
        while at < self.end {
            if self.is_any(at, &["->", "=>"]) {
                at += 2;
                continue;
            }
            match self.tokens.text(at) {
                "<" => depth += 1,
                ">" => depth -= 1,
                ";" => return None,
                _ => {}
            }
            at = if self.is_kind(at, Kind::Open) {
                self.tokens.after(at)
            } else {
                at + 1
            };
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// After a path as it is written in types: `a::B<C>`, `Fn(A) -> B`, `<T as U>::V`.
    pub(super) fn path(&self, mut at: usize) -> Option<usize> {
        if self.tokens.text(at) == "<" {
            at = self.angles(at)?;
            if !self.is(at, "::") {
                return None;
            }
        }
        loop {
            if self.is(at, "::") {
                at += 2;
            }
            if self.is(at, "$") {
                at += 1;
            }
            if !self.is_kind(at, Kind::Ident) || self.is(at, "_") {
                return None;
            }
            at += 1;
            if self.is(at, "::") && self.tokens.text(at + 2) == "<" {
                at += 2;
            }
            if at < self.end && self.tokens.text(at) == "<" {
                at = self.angles(at)?;
            }
            if !self.is(at, "::") {
                return Some(at);
            }
        }
    }

    /// After the type that starts at `at`.
    pub(super) fn ty(&self, mut at: usize) -> Option<usize> {
        // Prefixes and results are a loop, for a type may have any number of them.
        loop {
            let bounds = self.is_any(at, &["dyn", "impl"]);
            if bounds {
                return self.bounds(at + 1);
            }
            if self.is_any(at, &["&", "&&"]) {
                at = self.tokens.after(at);
                if self.is_kind(at, Kind::Lifetime) {
                    at += 1;
                }
                if self.is(at, "mut") {
                    at += 1;
                }
                continue;
            }
            if self.is(at, "*") && self.is_any(at + 1, &["const", "mut"]) {
                at += 2;
                continue;
            }
            if self.is(at, "for") && self.is(at + 1, "<") {
                at = self.angles(at + 1)?;
                continue;
            }
            if self.is_any(at, &["unsafe", "extern"]) || self.is_kind(at, Kind::Literal) {
                at += 1;
                continue;
            }
            if self.is_any(at, &["!", "_"]) {
                return Some(at + 1);
            }
            if self.is_any(at, &["(", "["]) {
                return Some(self.tokens.after(at));
            }
            at = self.path(at)?;
            if self.is(at, "!") && self.is_kind(at + 1, Kind::Open) {
                return Some(self.tokens.after(at + 1));
            }
            if self.is(at, "(") {
                at = self.tokens.after(at);
            }
            if !self.is(at, "->") {
                return Some(at);
            }
            at += 2;
        }
    }

    /// After the bounds of a `dyn` or an `impl`.
    fn bounds(&self, mut at: usize) -> Option<usize> {
        let start = at;
        while at < self.end {
            if self.is_any(at, &[",", ";", "=>", "=", "{", "|", ">", ">=", ">>"]) {
                break;
            }
            at = if self.tokens.text(at) == "<" {
                self.angles(at)?
            } else {
                self.tokens.after(at)
            };
        }
        (at > start).then_some(at)
    }
}
