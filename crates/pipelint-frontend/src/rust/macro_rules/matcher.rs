//! Matching of a call's arguments against a rule's matcher.

use super::lexer::{Kind, Tokens};
use super::pattern::{Fragment, Match, Repeat, Times};
use super::scan::Scanner;

/// What a variable is bound to.
#[derive(Debug, Clone, Default)]
pub(super) enum Binding {
    #[default]
    Unbound,
    /// The tokens of a fragment, `start` to before `end`.
    Leaf(Fragment, usize, usize),
    /// One binding for each run of a repetition.
    Many(Vec<Binding>),
}

/// A match under way.
pub(super) struct Matcher<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) bindings: Vec<Binding>,
    /// How many more elements and repetitions may be tried.
    pub(super) steps: u32,
}

impl Matcher<'_> {
    /// Matches `elements` from `at`; the index after what they took, at most `end`.
    pub(super) fn sequence(
        &mut self,
        elements: &[Match],
        mut at: usize,
        end: usize,
    ) -> Option<usize> {
        for (index, element) in elements.iter().enumerate() {
            self.steps = self.steps.checked_sub(1)?;
            match element {
                Match::Literal(sign) => {
                    // `Vec<$t:ty>`: the type may have ended within a `>>`.
                    let split = index > 0
                        && matches!(
                            elements[index - 1],
                            Match::Variable(_, Fragment::Ty | Fragment::Path)
                        );
                    at = self.literal(sign, at, end, split)?;
                }
                Match::Group(open, inner) => {
                    if at >= end || self.tokens.text(at) != open {
                        return None;
                    }
                    let close = self.tokens.mate(at);
                    if self.sequence(inner, at + 1, close)? != close {
                        return None;
                    }
                    at = close + 1;
                }
                Match::Variable(slot, fragment) => {
                    let scanner = Scanner {
                        tokens: self.tokens,
                        end,
                    };
                    let after = scanner.fragment(*fragment, at)?;
                    self.bindings[*slot] = Binding::Leaf(*fragment, at, after);
                    at = after;
                }
                Match::Repeat(repeat) => at = self.repeat(repeat, at, end)?,
            }
        }
        Some(at)
    }

    fn literal(&self, sign: &str, at: usize, end: usize, split: bool) -> Option<usize> {
        if at >= end {
            return None;
        }
        let found = self.tokens.operator(at);
        let matched = found == sign || (split && found.starts_with(sign));
        let is_sign = self.tokens.kind(at) == Some(Kind::Punct);
        let width = if is_sign { sign.len() } else { 1 };
        (matched && (found == sign || is_sign)).then_some(at + width)
    }

    /// As many runs as there are; a run that fails is taken back, its separator with it.
    fn repeat(&mut self, repeat: &Repeat<Match>, mut at: usize, end: usize) -> Option<usize> {
        let mut runs = 0u32;
        let mut bound = vec![Vec::new(); repeat.slots.len()];
        while at < end {
            let mut start = at;
            if let (Some(separator), true) = (&repeat.separator, runs > 0) {
                match self.literal(separator, at, end, true) {
                    Some(after) => start = after,
                    None => break,
                }
            }
            let Some(after) = self.sequence(&repeat.inner, start, end) else {
                break;
            };
            // A run that takes nothing would never end.
            if after == at {
                break;
            }
            for (slot, values) in repeat.slots.iter().zip(&mut bound) {
                values.push(std::mem::take(&mut self.bindings[*slot]));
            }
            at = after;
            runs += 1;
            if repeat.times == Times::AtMostOnce {
                break;
            }
        }
        if self.steps == 0 || (repeat.times == Times::Some && runs == 0) {
            return None;
        }
        for (slot, values) in repeat.slots.iter().zip(bound) {
            self.bindings[*slot] = Binding::Many(values);
        }
        Some(at)
    }
}
