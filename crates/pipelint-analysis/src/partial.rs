//! A function that fails half-way: what it had already put into its caller's variable stays there.

use pipelint_source::Span;

use crate::event::{Event, EventKind, LeakHow, StepKind};
use crate::exec::{Exec, Outcome};
use crate::state::{Res, State, Status};
use crate::values::{Loc, ValId};

/// How a function ended, as far as its caller can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ended {
    /// It returned this constant.
    With(i128),
    /// It returned something else.
    Somehow,
    /// It threw.
    Thrown,
}

/// A resource that is left in a caller's variable where a later creation failed.
#[derive(Debug, Clone)]
pub(crate) struct Partial {
    pub(crate) event: Event,
    pub(crate) ended: Ended,
}

impl Exec<'_, '_> {
    /// The path ends; what it leaves in the caller's variables is noted.
    pub(crate) fn note_partial(&mut self, state: &State, value: Option<ValId>, thrown: bool) {
        let exact = |v: ValId| {
            let fact = || state.facts.get(v).and_then(|f| f.exact());
            self.arena.as_int(v).or_else(fact)
        };
        let ended = match value.and_then(exact) {
            _ if thrown => Ended::Thrown,
            Some(constant) => Ended::With(constant),
            None => Ended::Somehow,
        };
        let handed: Vec<(ValId, Res)> = state
            .res
            .iter()
            .filter(|(v, res)| self.is_handed_out(state, *v, res))
            .map(|(v, res)| (v, res.clone()))
            .collect();
        for (v, res) in handed {
            if !self.failed_later(state, &res) {
                self.found.whole.insert((res.created, ended));
                continue;
            }
            // Every caller of an internal function is seen: each is judged by itself.
            if self.function.internal {
                continue;
            }
            // Code that is not seen may end the process on the way; a function that then returns
            // a failure of its own was written to come back.
            let event = Event {
                kind: EventKind::Leak(LeakHow::HalfDone),
                at: self.span,
                function: self.function.name.clone(),
                resource: Some(self.resource(&res)),
                path: self.path(state, Some(v), StepKind::Left),
                others: Vec::new(),
            };
            self.found.partial.push(Partial { event, ended });
        }
    }

    /// Left in a caller's variable though the function failed.
    pub(crate) fn is_half_done(&self, state: &State, v: ValId, res: &Res) -> bool {
        self.is_handed_out(state, v, res) && self.failed_later(state, res)
    }

    /// Made by this function, and held by the variable that a parameter points to, and by it alone.
    fn is_handed_out(&self, state: &State, v: ValId, res: &Res) -> bool {
        if res.status != Status::Open
            || res.adopted
            || res.foreign
            || res.created != res.origin
            || !self.leaks(&res.kind)
            || self.outcome(state, v, res) != Outcome::Succeeded
        {
            return false;
        }
        let Some(home) = res.home else { return false };
        let Loc::Deref(p) = *self.arena.get_loc(home) else {
            return false;
        };
        self.is_parameter(p)
            && state.exposed.get(home).is_none()
            && state.env.get(home).is_none_or(|held| *held == v)
    }

    /// The function is known to have failed to make something after this.
    fn failed_later(&self, state: &State, res: &Res) -> bool {
        let later = |at: Span| at.file == res.created.file && at.start > res.created.start;
        let out = state
            .failed_outs
            .iter()
            .any(|(_, out)| out.checked && !out.unseen && later(out.created));
        let result = state.res.iter().any(|(v, other)| {
            other.failed_at.is_some()
                && later(other.created)
                && self.outcome(state, v, other) == Outcome::Failed
        });
        out || result
    }
}
