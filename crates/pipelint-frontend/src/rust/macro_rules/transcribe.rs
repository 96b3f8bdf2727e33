//! Writing of a rule's transcriber, with what its variables are bound to.

use super::hygiene::Rename;
use super::lexer::{Kind, Tokens};
use super::matcher::Binding;
use super::pattern::{Fragment, Repeat, Write};
use super::{Expansion, MAX_OUTPUT, Piece};

/// A transcription under way.
pub(super) struct Transcriber<'a> {
    pub(super) definition: Tokens<'a>,
    pub(super) args: Tokens<'a>,
    /// How each of the definition's tokens is renamed.
    pub(super) renames: &'a [Rename],
    /// What renamed locals end with.
    pub(super) suffix: String,
    pub(super) out: Expansion,
    pub(super) steps: u32,
}

/// The bindings of the slots in the run that is written.
type Scope<'b> = Vec<&'b Binding>;

impl Transcriber<'_> {
    /// Writes `elements`; `edges` are the signs before and after them.
    pub(super) fn sequence(
        &mut self,
        elements: &[Write],
        scope: &Scope<'_>,
        edges: (&str, &str),
    ) -> Option<()> {
        for (index, element) in elements.iter().enumerate() {
            self.steps = self.steps.checked_sub(1)?;
            let before = index.checked_sub(1).and_then(|at| elements.get(at));
            match element {
                Write::Token(at) => {
                    let spaced = match before {
                        Some(Write::Token(previous)) if previous + 1 == *at => {
                            self.definition.list[*previous].end != self.definition.list[*at].start
                        }
                        Some(Write::Crate) => false,
                        _ => true,
                    };
                    self.token(*at, spaced)?;
                }
                Write::Crate => self.write(" crate", None)?,
                Write::Variable(slot) => match scope.get(*slot)? {
                    Binding::Leaf(fragment, start, end) => {
                        let around = neighbours(self.definition, elements, index, edges);
                        self.fragment(*fragment, *start, *end, around)?;
                    }
                    _ => return None,
                },
                Write::Repeat(repeat) => {
                    let around = neighbours(self.definition, elements, index, edges);
                    self.repeat(repeat, scope, around)?;
                }
            }
        }
        Some(())
    }

    fn repeat(
        &mut self,
        repeat: &Repeat<Write>,
        scope: &Scope<'_>,
        around: (&str, &str),
    ) -> Option<()> {
        let mut driving = Vec::new();
        for slot in &repeat.slots {
            if let Binding::Many(values) = scope.get(*slot)? {
                driving.push((*slot, values));
            }
        }
        // A repetition without a repeated variable has no number of runs.
        let runs = driving.first()?.1.len();
        if driving.iter().any(|(_, values)| values.len() != runs) {
            return None;
        }
        let mut inner = scope.clone();
        for run in 0..runs {
            for (slot, values) in &driving {
                inner[*slot] = &values[run];
            }
            if let (Some(separator), true) = (&repeat.separator, run > 0) {
                self.write(" ", None)?;
                self.write(separator, None)?;
            }
            let between = repeat.separator.as_deref().unwrap_or_default();
            let left = if run == 0 { around.0 } else { between };
            let right = if run + 1 == runs { around.1 } else { between };
            self.sequence(&repeat.inner, &inner, (left, right))?;
        }
        Some(())
    }

    fn token(&mut self, at: usize, spaced: bool) -> Option<()> {
        let text = self.definition.text(at);
        if spaced {
            self.write(" ", None)?;
        }
        let rename = self.renames.get(at).copied().unwrap_or_default();
        if rename == Rename::Field {
            self.write(text, None)?;
            self.write(": ", None)?;
        }
        self.write(text, None)?;
        if rename != Rename::No {
            let suffix = self.suffix.clone();
            self.write(&suffix, None)?;
        }
        Some(())
    }

    fn fragment(
        &mut self,
        fragment: Fragment,
        start: usize,
        end: usize,
        around: (&str, &str),
    ) -> Option<()> {
        self.write(" ", None)?;
        if start == end {
            return Some(());
        }
        let unit = matches!(fragment, Fragment::Expr | Fragment::Literal);
        let torn = unit && !self.is_atomic(start, end) && !alone(around);
        let sum = fragment == Fragment::Ty && self.is_sum(start, end);
        let (open, close) = if torn || sum {
            ("(", ")")
        } else if fragment == Fragment::Ty && self.qualifies(start, end, around.1) {
            ("<", ">")
        } else {
            ("", "")
        };
        self.write(open, None)?;
        let from = self.args.list.get(start)?.start;
        let to = self.args.list.get(end - 1)?.end;
        let text = &self.args.text[from as usize..to as usize];
        self.write(text, Some(from))?;
        self.write(close, None)
    }

    /// Whether an expression is a chain of calls, fields and indices.
    fn is_atomic(&self, start: usize, end: usize) -> bool {
        let args = &self.args;
        if args.after(start) >= end {
            return true;
        }
        let mut at = match args.kind(start) {
            Some(Kind::Ident) => start,
            Some(Kind::Literal) => start + 1,
            Some(Kind::Open) if !args.is(start, "{") => args.after(start),
            _ => return false,
        };
        if matches!(
            args.text(start),
            "if" | "match"
                | "loop"
                | "while"
                | "for"
                | "unsafe"
                | "async"
                | "move"
                | "return"
                | "break"
                | "let"
                | "const"
        ) {
            return false;
        }
        while at < end {
            let sign = args.operator(at);
            let chained = match args.kind(at) {
                Some(Kind::Ident) => sign != "as",
                Some(Kind::Open) => sign != "{" || args.is(at - 1, "!"),
                Some(Kind::Literal) => true,
                Some(Kind::Punct) => matches!(sign, "." | "::" | "?" | "!"),
                _ => false,
            };
            if !chained {
                return false;
            }
            at = args.after(at);
        }
        true
    }

    /// `dyn A + B`, which needs parentheses beside `&`.
    fn is_sum(&self, start: usize, end: usize) -> bool {
        matches!(self.args.text(start), "dyn" | "impl")
            && (start..end).any(|at| self.args.text(at) == "+")
    }

    /// A type that is no plain name before `::`.
    fn qualifies(&self, start: usize, end: usize, next: &str) -> bool {
        next == "::" && (start..end).any(|at| !matches!(self.args.kind(at), Some(Kind::Ident)))
    }

    /// Appends text; `None` when the expansion grows too long.
    fn write(&mut self, text: &str, from: Option<u32>) -> Option<()> {
        if text.is_empty() {
            return Some(());
        }
        let start = self.out.text.len();
        if start + text.len() > MAX_OUTPUT {
            return None;
        }
        self.out.text.push_str(text);
        let (start, len) = (start as u32, text.len() as u32);
        match self.out.pieces.last_mut() {
            Some(last) if last.from.is_none() && from.is_none() => last.len += len,
            _ => self.out.pieces.push(Piece { start, len, from }),
        }
        Some(())
    }
}

/// Whether the signs around an expression leave no doubt where it ends.
fn alone((before, after): (&str, &str)) -> bool {
    matches!(before, "(" | "[" | "{" | "," | ";" | "=")
        && matches!(after, ")" | "]" | "}" | "," | ";")
}

/// The signs before and after an element; empty beside a variable.
fn neighbours<'e>(
    definition: Tokens<'e>,
    elements: &[Write],
    index: usize,
    edges: (&'e str, &'e str),
) -> (&'e str, &'e str) {
    let left = match index.checked_sub(1).and_then(|at| elements.get(at)) {
        None => edges.0,
        // The last character of `==` is no assignment.
        Some(Write::Token(at)) if *at > 0 && definition.is(*at, "=") => {
            let previous = definition.list[at - 1];
            let joined = previous.kind == Kind::Punct && previous.end == definition.list[*at].start;
            if joined { "" } else { "=" }
        }
        Some(Write::Token(at)) => definition.text(*at),
        Some(_) => "",
    };
    let right = match elements.get(index + 1) {
        None => edges.1,
        Some(Write::Token(at)) => definition.operator(*at),
        Some(_) => "",
    };
    (left, right)
}
