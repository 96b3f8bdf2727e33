//! What a function tells its callers of the last error: the calls that they may have to ask for, and those
//! whose failure it has kept for itself.

use pipelint_ir::{FunctionKind, Name};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::error_ways::{Asked, Call, ErrorOf, MOST_WAYS, Way, Went, add_ways};
use crate::exec::Exec;
use crate::log::{Action, each};
use crate::state::State;
use crate::values::ValId;

/// What an end of a function tells its callers of the error.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorEnd {
    ways: Vec<Way>,
    pub(crate) asked: Vec<Asked>,
    /// Values that the caller gets, and whose error they are.
    pub(crate) of: Vec<(ValId, ErrorOf)>,
}

impl Exec<'_, '_> {
    /// What an end tells the callers: `has` are values that they get.
    pub(crate) fn error_end(&self, state: &State, has: &dyn Fn(ValId) -> bool) -> ErrorEnd {
        let mut ways = state.error.ways().to_vec();
        let private = matches!(&*self.function.ret.name, "void" | "()" | "")
            && self.function.kind != FunctionKind::Constructor
            && ways.iter().flat_map(|way| &way.calls).any(Call::is_judged)
            && !self.tells_by_memory(state);
        for call in ways.iter_mut().flat_map(|way| &mut way.calls) {
            let told = call.judge.is_some_and(has);
            if !told {
                // Nobody will ask it any more.
                call.dropped |= call.went == Went::Unjudged;
                if private && call.is_judged() {
                    call.keep_private();
                }
                call.judge = call.judge.filter(|_| call.went == Went::Failed);
            }
        }
        if private {
            // What a loop does once more takes the place of what it did before.
            for way in &mut ways {
                let mut seen = FxHashSet::default();
                let mut kept: Vec<Call> = way.calls.drain(..).rev().collect();
                kept.retain(|call| seen.insert(call.span));
                way.calls.extend(kept.into_iter().rev());
            }
            let mut told: Vec<Way> = Vec::new();
            add_ways(&mut told, &ways);
            ways = told;
        }
        let of = state.error_of.iter().filter(|(v, _)| has(*v));
        ErrorEnd {
            ways,
            asked: state.error.asked.to_vec(),
            of: of.map(|(v, of)| (v, of.clone())).collect(),
        }
    }

    /// The path has written to its caller's memory, or run code that may have.
    fn tells_by_memory(&self, state: &State) -> bool {
        let mut tells = false;
        each(&state.log.steps(), &mut |action| match action {
            Action::Write { .. } => tells |= self.is_felt(action),
            Action::Havoc { .. } => tells = true,
            _ => {}
        });
        tells
    }

    /// What a called function did with the error, on a path through it.
    pub(crate) fn replay_error(&mut self, state: &mut State, end: &ErrorEnd, by: (&Name, Span)) {
        for asked in &end.asked {
            self.answer(state, asked.clone());
        }
        for (v, of) in &end.of {
            state.error_of.insert(*v, of.clone());
            self.io_handed_on(state, *v, of, by);
        }
        if let [only] = &end.ways[..]
            && *only == Way::default()
        {
            return;
        }
        let mut ways = Vec::new();
        for before in state.error.ways() {
            for way in &end.ways {
                let mut way = way.clone();
                for call in &mut way.calls {
                    call.within = Some((by.0.clone(), by.1));
                }
                add_ways(&mut ways, &[way.after(before)]);
            }
        }
        state.error.set_ways(ways);
    }
}

impl ErrorEnd {
    /// Another path ends in the same way.
    pub(crate) fn join(&mut self, other: &Self) {
        add_ways(&mut self.ways, &other.ways);
        if self.ways.len() > MOST_WAYS {
            self.ways = vec![Way {
                unknown: true,
                set: false,
                calls: Vec::new(),
            }];
        }
        self.asked.retain(|asked| other.asked.contains(asked));
        self.of.retain(|of| other.of.contains(of));
    }

    /// Every value that it speaks of.
    pub(crate) fn values(&self) -> Vec<ValId> {
        let calls = self.ways.iter().flat_map(|way| &way.calls);
        let of = self.of.iter().flat_map(|(v, of)| [*v, of.judge]);
        let asked = self.asked.iter().map(|asked| asked.v);
        calls
            .flat_map(|call| [call.judge, call.told])
            .flatten()
            .chain(of)
            .chain(asked)
            .collect()
    }

    /// Gives every value another name.
    pub(crate) fn rename(&mut self, val: &mut dyn FnMut(ValId) -> ValId) {
        for call in self.ways.iter_mut().flat_map(|way| &mut way.calls) {
            call.judge = call.judge.map(&mut *val);
            call.told = call.told.map(&mut *val);
        }
        for asked in &mut self.asked {
            asked.v = val(asked.v);
        }
        for (v, of) in &mut self.of {
            *v = val(*v);
            of.judge = val(of.judge);
        }
    }
}
