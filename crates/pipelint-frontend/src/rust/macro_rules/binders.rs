//! The constructs of a transcriber that bind names: `let`, `for`, `match`, closures, labels.

use std::ops::Range;

use super::hygiene::{Finder, Local};
use super::tokens::Kind;
use super::types::is_segment;

impl Finder<'_> {
    /// The first token at the level of `at` that is one of these, or the end of the level.
    pub(super) fn find(&self, at: usize, wanted: &[&str]) -> usize {
        let mut at = at;
        while at < self.range.end {
            let closes = matches!(self.tokens.kind(at), Some(Kind::Close(_)));
            if closes || wanted.contains(&self.tokens.text(at)) {
                break;
            }
            at = self.tokens.after_tree(at);
        }
        at.min(self.range.end)
    }

    /// Takes in what the token binds if it is the start of a construct that binds.
    pub(super) fn binder(&mut self, at: usize) {
        if self.before(at) == "$" {
            return;
        }
        match self.text(at) {
            "let" => {
                let end = self.find(at + 1, &["=", ":", ";", "else"]);
                let condition = matches!(self.before(at), "if" | "while" | "&&" | "||" | "(");
                let from = if condition {
                    end
                } else {
                    self.find(end, &[";"])
                };
                self.pattern(at + 1..end, from);
            }
            "for" if self.text(at + 1) != "<" => {
                let end = self.find(at + 1, &["in", "{", ";"]);
                if self.text(end) == "in" {
                    self.pattern(at + 1..end, end);
                }
            }
            "match" => {
                let body = self.find(at + 1, &["{", ";"]);
                if let Some(close) = self.tokens.close_of(body).filter(|_| body > at + 1) {
                    self.arms(body + 1..close);
                }
            }
            "|" if self.starts_closure(at) => {
                let close = self.find(at + 1, &["|"]);
                let mut start = at + 1;
                while start < close {
                    let end = self.find(start, &[":", ",", "|"]).min(close);
                    self.pattern(start..end, close);
                    start = self.find(end, &[",", "|"]).min(close) + 1;
                }
            }
            label if self.tokens.kind(at) == Some(Kind::Lifetime) => {
                let block = matches!(self.text(at + 2), "loop" | "while" | "for" | "{");
                if self.text(at + 1) == ":" && block {
                    let local = self.locals.entry(label).or_default();
                    local.bound.push(at);
                }
            }
            _ => {}
        }
    }

    fn starts_closure(&self, at: usize) -> bool {
        at == self.range.start
            || matches!(
                self.before(at),
                "(" | "["
                    | "{"
                    | ","
                    | ";"
                    | "="
                    | "=>"
                    | ":"
                    | "&&"
                    | "move"
                    | "return"
                    | "static"
            )
    }

    /// The patterns of a `match` body.
    fn arms(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            if self.text(at) == "$" && self.text(at + 1) == "(" {
                let after = self.tokens.after_tree(at + 1);
                self.arms(at + 2..after - 1);
                at = after;
                continue;
            }
            let arrow = self.find(at, &["=>"]);
            if self.text(arrow) != "=>" || arrow >= range.end {
                return;
            }
            let end = self.find(at, &["if", "=>"]);
            self.pattern(at..end, end);
            at = if self.text(arrow + 1) == "{" {
                self.tokens.after_tree(arrow + 1)
            } else {
                self.find(arrow + 1, &[","])
            };
            at += usize::from(self.text(at) == ",");
            // What ends a repetition of arms.
            at += usize::from(matches!(self.text(at), "*" | "+"));
        }
    }

    /// Takes in the names that a pattern binds; they mean the locals from `from` on.
    fn pattern(&mut self, range: Range<usize>, from: usize) {
        let mut in_braces = Vec::new();
        let end = range.end;
        for at in range {
            match self.tokens.kind(at) {
                Some(Kind::Open(_)) => in_braces.push(self.text(at) == "{"),
                Some(Kind::Close(_)) => {
                    in_braces.pop();
                }
                Some(Kind::Ident) if self.is_binding(at, end) => {
                    let mut start = at;
                    while matches!(self.before(start), "ref" | "mut") {
                        start -= 1;
                    }
                    let shorthand = in_braces.last() == Some(&true) && self.before(start) != ":";
                    let fresh = Local {
                        from,
                        ..Local::default()
                    };
                    let local = self.locals.entry(self.tokens.text(at)).or_insert(fresh);
                    local.bound.push(at);
                    local.from = local.from.min(from);
                    local.kept |= shorthand && start < at;
                    if shorthand {
                        local.fields.push(at);
                    }
                }
                _ => {}
            }
        }
    }

    fn is_binding(&self, at: usize, end: usize) -> bool {
        let name = self.text(at);
        let next = if at + 1 < end { self.text(at + 1) } else { "" };
        is_segment(name)
            && !matches!(name, "self" | "Self" | "super" | "crate" | "box")
            && !name.starts_with(char::is_uppercase)
            && !matches!(self.before(at), "$" | "::" | ".")
            && !matches!(next, "::" | "(" | "{" | "!" | ":")
    }
}
