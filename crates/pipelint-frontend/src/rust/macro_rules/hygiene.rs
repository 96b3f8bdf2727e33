//! Which names of a transcriber are its own locals.
//!
//! Locals are hygienic: a name that the definition binds is not the caller's name of the same
//! spelling (<https://doc.rust-lang.org/reference/macros-by-example.html#hygiene>). In a text
//! that takes another spelling.

use super::lexer::{Kind, Tokens};
use super::scan::Scanner;

/// How a token of the definition is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rename {
    /// As it is.
    #[default]
    No,
    /// With the suffix.
    Local,
    /// A field's shorthand: the field's name, and the local's with the suffix.
    Field,
}

/// A suffix that no name in `args` has: those of expansions around this one are there.
pub(super) fn suffix(args: &str) -> String {
    let taken = args.match_indices("__m").filter_map(|(at, mark)| {
        let rest = &args[at + mark.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest[..digits].parse::<u32>().ok()
    });
    let last = taken.max().unwrap_or(0);
    format!("__m{}", last.saturating_add(1))
}

/// Marks the locals in the transcriber between the tokens `start` and `end`.
pub(super) fn mark(tokens: Tokens<'_>, start: usize, end: usize, renames: &mut [Rename]) {
    let mut locals = Locals {
        tokens,
        end,
        names: Vec::new(),
    };
    locals.collect(start);
    locals.names.sort_unstable();
    locals.names.dedup();
    // The opening delimiters around the token.
    let mut around = Vec::new();
    for (at, slot) in renames.iter_mut().enumerate().take(end).skip(start) {
        match tokens.kind(at) {
            Some(Kind::Open) => around.push(at),
            Some(Kind::Close) => {
                around.pop();
            }
            Some(Kind::Ident) => *slot = locals.rename(at, around.last().copied()),
            _ => {}
        }
    }
}

struct Locals<'a> {
    tokens: Tokens<'a>,
    end: usize,
    /// The names, and whether a closure is bound to them.
    names: Vec<(&'a str, bool)>,
}

impl Locals<'_> {
    fn collect(&mut self, start: usize) {
        let tokens = self.tokens;
        for at in start..self.end {
            match tokens.operator(at) {
                "let" => {
                    let stop = self.stop(at + 1, &["=", ";", ":", "else"]);
                    let closure = tokens.is(stop, "=")
                        && (matches!(tokens.operator(stop + 1), "|" | "||")
                            || tokens.is(stop + 1, "move"));
                    self.pattern(at + 1, stop, closure);
                }
                "for" => {
                    let stop = self.stop(at + 1, &["in", "{", ";", "<"]);
                    if tokens.is(stop, "in") {
                        self.pattern(at + 1, stop, false);
                    }
                }
                "|" if self.opens_closure(start, at) => self.parameters(at + 1),
                "{" => self.arms(at),
                _ => {}
            }
        }
    }

    /// The first of `signs` from `at` on, at the same depth.
    fn stop(&self, mut at: usize, signs: &[&str]) -> usize {
        while at < self.end && self.tokens.kind(at) != Some(Kind::Close) {
            if signs.contains(&self.tokens.operator(at)) {
                return at;
            }
            at = self.tokens.after(at);
        }
        at.min(self.end)
    }

    fn opens_closure(&self, start: usize, at: usize) -> bool {
        let Some(previous) = at.checked_sub(1).filter(|previous| *previous >= start) else {
            return true;
        };
        let sign = self.tokens.text(previous);
        let arrow = sign == ">" && previous > start && self.tokens.is(previous - 1, "=>");
        arrow || matches!(sign, "(" | "[" | "{" | "," | ";" | "=" | "move" | "return")
    }

    fn parameters(&mut self, mut at: usize) {
        let scanner = Scanner {
            tokens: self.tokens,
            end: self.end,
        };
        while at < self.end && !self.tokens.is(at, "|") {
            let stop = self.stop(at, &[",", ":", "|"]);
            self.pattern(at, stop, false);
            at = stop;
            if self.tokens.is(at, ":") {
                let Some(after) = scanner.ty(at + 1) else {
                    return;
                };
                at = after;
            }
            if !self.tokens.is(at, ",") {
                return;
            }
            at += 1;
        }
    }

    /// The patterns of the arms in the braces at `open`: what stands before each `=>`.
    fn arms(&mut self, open: usize) {
        let close = self.tokens.mate(open);
        let (mut at, mut start) = (open + 1, open + 1);
        let mut guard = None;
        while at < close {
            match self.tokens.operator(at) {
                "=>" => {
                    self.pattern(start, guard.unwrap_or(at), false);
                    start = at + 2;
                    guard = None;
                }
                // `S { a, b } => …` is a pattern, not the body of an arm.
                "{" if matches!(
                    self.tokens.operator(self.tokens.after(at)),
                    "=>" | "if" | "|"
                ) => {}
                "," | ";" | "{" => {
                    start = self.tokens.after(at);
                    guard = None;
                }
                "if" => guard = guard.or(Some(at)),
                _ => {}
            }
            at = self.tokens.after(at);
        }
    }

    /// The names that a pattern binds.
    fn pattern(&mut self, start: usize, end: usize, closure: bool) {
        for at in start..end {
            if self.is_binding(at, end) {
                self.names.push((self.tokens.text(at), closure));
            }
        }
    }

    /// `end`: the end of the pattern, where a type or a value may follow.
    fn is_binding(&self, at: usize, end: usize) -> bool {
        let tokens = self.tokens;
        let name = tokens.text(at);
        let begins = name.starts_with(|c: char| c.is_lowercase() || c == '_');
        let keyword = matches!(
            name,
            "_" | "ref"
                | "mut"
                | "box"
                | "self"
                | "true"
                | "false"
                | "crate"
                | "super"
                | "const"
                | "if"
                | "in"
                | "move"
                | "dyn"
                | "match"
                | "else"
                | "return"
        );
        let before = at
            .checked_sub(1)
            .map_or("", |previous| tokens.text(previous));
        let after = tokens.operator(at + 1);
        tokens.kind(at) == Some(Kind::Ident)
            && begins
            && !keyword
            && !name.starts_with("r#")
            && !self.in_path(at)
            && !matches!(before, "$" | ".")
            && !matches!(after, "(" | "{" | "::" | "!" | ".")
            && !(after == ":" && at + 1 < end)
    }

    /// Whether `::` stands before.
    fn in_path(&self, at: usize) -> bool {
        at >= 2 && self.tokens.is(at - 2, "::")
    }

    /// Whether the braces at `open` are those of a struct's fields, as far as names tell.
    fn is_struct(&self, open: usize) -> bool {
        let tokens = self.tokens;
        let Some(head) = open.checked_sub(1) else {
            return false;
        };
        let name = tokens.text(head);
        let before = head.checked_sub(1).map_or("", |at| tokens.text(at));
        // `MAX { … }` ends a condition, and `-> T { … }` opens a body.
        let constant = name.len() > 1 && !name.contains(char::is_lowercase);
        let type_name = name.starts_with(char::is_uppercase) && !constant;
        before == "$" || (type_name && before != ">")
    }

    fn rename(&self, at: usize, around: Option<usize>) -> Rename {
        let tokens = self.tokens;
        let name = tokens.text(at);
        let first = self.names.partition_point(|(known, _)| *known < name);
        let known = &self.names[first..];
        let Some((_, _)) = known.first().filter(|(known, _)| *known == name) else {
            return Rename::No;
        };
        let closure = known.iter().take(2).any(|entry| *entry == (name, true));
        let before = at
            .checked_sub(1)
            .map_or("", |previous| tokens.text(previous));
        let range = at >= 2 && before == "." && tokens.is(at - 2, "..");
        let after = tokens.operator(at + 1);
        if (before == "." && !range)
            || self.in_path(at)
            || matches!(before, "$" | "fn" | "'")
            || matches!(after, "::" | "!")
            || (after == "(" && !closure)
        {
            return Rename::No;
        }
        let fields = around.is_some_and(|open| tokens.is(open, "{") && self.is_struct(open))
            && matches!(before, "{" | ",");
        if fields && after == ":" {
            return Rename::No;
        }
        if fields && matches!(after, "," | "}") {
            return Rename::Field;
        }
        Rename::Local
    }
}
