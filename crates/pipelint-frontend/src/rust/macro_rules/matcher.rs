//! A call's arguments against the pattern of a rule.
//!
//! Repetitions take as much as they can and give back at most the last round that failed. That
//! finds every match that the compiler's does: it refuses a call where a metavariable could
//! both go on with a repetition and leave it
//! (<https://doc.rust-lang.org/reference/macros-by-example.html#r-macro.decl.transcription.ambiguity>).

use super::fragment::Scanner;
use super::pattern::{Pattern, Repeat, Times};
use super::tokens::{Kind, Tokens};

/// What a metavariable stands for.
#[derive(Debug, Clone, Default)]
pub(super) enum Binding {
    /// Nothing yet.
    #[default]
    Unset,
    /// The arguments' tokens from one index up to another.
    Leaf(usize, usize),
    /// What it stands for in each round of a repetition.
    Sequence(Vec<Binding>),
}

/// Compares arguments with the patterns of a definition.
pub(super) struct Matcher<'a> {
    definition: &'a Tokens<Box<str>>,
    scanner: Scanner<'a>,
    bindings: Vec<Binding>,
}

impl<'a> Matcher<'a> {
    /// A matcher that gives up after so many steps.
    pub(super) fn new(
        definition: &'a Tokens<Box<str>>,
        arguments: &'a Tokens<&'a str>,
        steps: u32,
    ) -> Self {
        Self {
            definition,
            scanner: Scanner::new(arguments, steps),
            bindings: Vec::new(),
        }
    }

    /// What each of the pattern's metavariables stands for, if all of the arguments match it.
    pub(super) fn matches(
        &mut self,
        pattern: &[Pattern],
        variables: usize,
    ) -> Option<Vec<Binding>> {
        self.bindings.clear();
        self.bindings.resize_with(variables, Binding::default);
        let end = self.scanner.tokens.len();
        (self.sequence(pattern, 0, end)? == end).then(|| std::mem::take(&mut self.bindings))
    }

    /// Whether the bound on steps was met.
    pub(super) fn is_spent(&self) -> bool {
        self.scanner.is_spent()
    }

    /// The index after what the elements match at `at`, in a group whose tokens end at `end`.
    fn sequence(&mut self, pattern: &[Pattern], at: usize, end: usize) -> Option<usize> {
        let mut at = at;
        for element in pattern {
            self.scanner.charge()?;
            at = match element {
                Pattern::Token(token) => self.token(*token, at, end)?,
                Pattern::Group(open, inner) => {
                    let close = self.scanner.tokens.close_of(at).filter(|_| at < end)?;
                    if self.definition.text(*open) != self.scanner.tokens.text(at) {
                        return None;
                    }
                    if self.sequence(inner, at + 1, close)? != close {
                        return None;
                    }
                    close + 1
                }
                Pattern::Variable(number, fragment) => {
                    let after = self.scanner.fragment(*fragment, at, end)?;
                    *self.bindings.get_mut(*number)? = Binding::Leaf(at, after);
                    after
                }
                Pattern::Repeat(repeat) => self.repeat(repeat, at, end)?,
            };
        }
        Some(at)
    }

    fn token(&self, token: usize, at: usize, end: usize) -> Option<usize> {
        let arguments = self.scanner.tokens;
        let alike = at < end
            && self.definition.text(token) == arguments.text(at)
            && (self.definition.kind(token)? == Kind::Literal)
                == (arguments.kind(at)? == Kind::Literal);
        alike.then_some(at + 1)
    }

    fn repeat(&mut self, repeat: &Repeat, at: usize, end: usize) -> Option<usize> {
        let mut rounds = vec![Vec::new(); repeat.variables.len()];
        let mut count = 0_usize;
        let mut at = at;
        loop {
            let start = match repeat.separator {
                Some(separator) if count > 0 => self.token(separator, at, end),
                _ => Some(at),
            };
            let must = count == 0 && repeat.times == Times::AtLeastOnce;
            let after = start
                .filter(|start| *start < end || must)
                .and_then(|start| self.sequence(&repeat.inner, start, end))
                .filter(|after| *after > at || must);
            if self.is_spent() {
                return None;
            }
            let Some(after) = after else {
                break;
            };
            for (round, binding) in rounds
                .iter_mut()
                .zip(self.bindings.get_mut(repeat.variables.clone())?)
            {
                round.push(std::mem::take(binding));
            }
            count += 1;
            at = after;
            if repeat.times == Times::AtMostOnce {
                break;
            }
        }
        if count == 0 && repeat.times == Times::AtLeastOnce {
            return None;
        }
        for (binding, round) in self
            .bindings
            .get_mut(repeat.variables.clone())?
            .iter_mut()
            .zip(rounds)
        {
            *binding = Binding::Sequence(round);
        }
        Some(at)
    }
}
