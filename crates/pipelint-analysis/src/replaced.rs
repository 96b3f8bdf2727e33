//! Rust: what was moved out of a place, or written over there, is not there any more.

use crate::exec::Exec;
use crate::rust::DEPTH;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// No change by unknown code has this number.
const ANY_EPOCH: u32 = u32::MAX;

impl Exec<'_, '_> {
    /// Unknown code runs, after which the place may hold anything: but hardly what the path has put
    /// something else in the place of.
    pub(crate) fn note_replaced(&self, state: &mut State, loc: LocId) {
        let Some(&v) = state.env.get(loc) else { return };
        if self.puts_else(loc, v) {
            let epoch = state.epoch;
            state.replaced.insert(loc, epoch);
        } else {
            state.replaced.remove(loc);
        }
    }

    /// What such places hold is forgotten.
    pub(crate) fn note_forgotten_places(&self, state: &mut State, places: &[LocId]) {
        for loc in places {
            state.replaced.insert(*loc, ANY_EPOCH);
        }
    }

    /// A place of an owner holds something else than it did.
    pub(crate) fn puts_else(&self, loc: LocId, v: ValId) -> bool {
        self.is_rust()
            && matches!(self.arena.get_loc(loc), Loc::Field(..))
            && !self.is_from(v, loc)
            && self.loc_type(loc).is_some_and(|ty| self.ends(&ty, DEPTH))
    }

    /// Something else was put into the place that a value was found in, or into what the place is a
    /// part of (`self.file.take()`).
    pub(crate) fn is_replaced(&self, state: &State, loc: LocId, v: ValId) -> bool {
        let since = match self.arena.get(v) {
            Val::Sym(Sym::Load { epoch, .. }) => Some(*epoch),
            _ => None,
        };
        let mut at = loc;
        loop {
            let later = state.replaced.get(at).is_some_and(|e| Some(*e) != since);
            if later || state.env.get(at).is_some_and(|v| !self.is_from(*v, at)) {
                return true;
            }
            match *self.arena.get_loc(at) {
                Loc::Field(parent, _) | Loc::Elem(parent, _) => at = parent,
                _ => return false,
            }
        }
    }

    /// The value was found in this very place.
    fn is_from(&self, v: ValId, at: LocId) -> bool {
        matches!(*self.arena.get(v), Val::Sym(Sym::Load { loc, .. }) if loc == at)
    }
}
