//! Memory that a function makes and nobody else gets to know: what it writes there, and what is held
//! there alone, is its own business.

use crate::exec::Exec;
use crate::log::{Action, Step, each, simplify};
use crate::state::State;
use crate::summary::{End, Need};
use crate::values::{Loc, LocId, Val, ValId};

impl Exec<'_, '_> {
    /// The address of the memory that a location is in, where this function made it or was given it by
    /// a call, and not by its caller.
    pub(crate) fn private_holder(&self, loc: LocId) -> Option<ValId> {
        match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Deref(p) if matches!(self.arena.get(*p), Val::Sym(_)) && !self.is_given(*p) => {
                Some(*p)
            }
            _ => None,
        }
    }

    /// A value now stands in memory of the caller's, or in some that may become known to it.
    pub(crate) fn export(&self, state: &mut State, v: ValId, holder: Option<ValId>) {
        let holder = match state.exported.get(v) {
            Some(known) if *known != holder => None,
            _ => holder,
        };
        state.exported.insert(v, holder);
    }

    /// The values that a caller can reach at an end, in order.
    pub(crate) fn callers_reach(
        &self,
        state: &State,
        results: impl Iterator<Item = ValId>,
    ) -> Vec<ValId> {
        let mut reach = Vec::new();
        let mut parts = Vec::new();
        let outside = state.exported.iter().filter(|(_, holder)| holder.is_none());
        for v in results.chain(outside.map(|(v, _)| v)) {
            self.arena.parts(v, &mut parts);
            reach.append(&mut parts);
        }
        let mut held: Vec<(ValId, ValId)> = state
            .exported
            .iter()
            .filter_map(|(v, holder)| Some((v, (*holder)?)))
            .collect();
        loop {
            let known = reach.len();
            held.retain(|(v, holder)| {
                let reached = reach[..known].contains(holder);
                if reached {
                    self.arena.parts(*v, &mut parts);
                    reach.append(&mut parts);
                }
                !reached
            });
            if reach.len() == known {
                break;
            }
        }
        reach.sort_unstable();
        reach.dedup();
        reach
    }

    /// Forgets what an end writes to memory that its caller never hears of.
    pub(crate) fn drop_private_writes(&self, end: &mut End) {
        let mut private: Vec<(ValId, LocId, ValId)> = Vec::new();
        each(&end.steps, &mut |action| {
            if let Action::Write { loc, v, .. } = action
                && let Some(p) = self.private_holder(*loc)
            {
                private.push((p, *loc, *v));
            }
        });
        if private.is_empty() {
            return;
        }
        let mut need = Need::default();
        each(&end.steps, &mut |action| match action {
            Action::Write { loc, .. } if self.private_holder(*loc).is_some() => {}
            _ => need.action(action),
        });
        need.end(end);
        need.close(self);
        loop {
            let before = private.len();
            private.retain(|(p, loc, v)| {
                let known = need.has(*p);
                if known {
                    need.write(*loc, *v);
                }
                !known
            });
            if private.len() == before {
                break;
            }
            need.close(self);
        }
        if private.is_empty() {
            return;
        }
        let keep = |action: &Action| match action {
            Action::Write { loc, .. } => !private.iter().any(|(_, l, _)| l == loc),
            _ => true,
        };
        let steps: Vec<Step> = std::mem::take(&mut end.steps);
        end.steps = simplify(steps, &keep);
    }
}
