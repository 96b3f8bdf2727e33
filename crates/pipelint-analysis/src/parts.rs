//! What a function returns in parts: a `Result`, an `Option`, a struct by value.
//!
//! Such a result stands for itself as a value of its own, one for each set of parts; what the parts
//! are is told beside it, and written where the caller puts the result.

use std::hash::{Hash, Hasher};

use pipelint_ir::{Language, Operand, Proj};
use rustc_hash::FxHasher;

use crate::exec::Exec;
use crate::state::{Fact, State};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Parts of one result that are told at most.
const MOST_PARTS: usize = 32;

/// The parts of a value: the steps to each, and what it holds.
pub(crate) type Parts = Vec<(Vec<Proj>, ValId)>;

impl Exec<'_, '_> {
    /// Whether the function is written in Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.program.units[self.unit].language == Language::Rust
    }

    /// What is returned in parts, and the value that stands for it; none for a plain value.
    pub(crate) fn returned_parts(
        &mut self,
        state: &mut State,
        value: &Operand,
    ) -> Option<(ValId, Parts)> {
        let (Operand::Copy(place) | Operand::Move(place)) = value else {
            return None;
        };
        if !self.is_rust() && !self.returns_object() {
            return None;
        }
        let whole = self.place(state, *place);
        let parts = self.parts_of(state, whole);
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return None;
        }
        let mut hasher = FxHasher::default();
        parts.hash(&mut hasher);
        let short = u32::try_from(hasher.finish() >> 33).unwrap_or(0);
        let v = self.arena.sym(Sym::Computed {
            stmt: u32::MAX - 2,
            round: short,
        });
        let mut fact = Fact::default();
        fact.exclude(0);
        state.facts.insert(v, fact);
        Some((v, parts))
    }

    /// The function returns an object by value.
    fn returns_object(&self) -> bool {
        let ty = &self.function.ret;
        ty.is_object() && !self.program.is_scalar(self.unit, self.scope(), ty)
    }

    /// What is known of the parts of a location.
    pub(crate) fn parts_of(&self, state: &State, whole: LocId) -> Parts {
        let held = state
            .env
            .iter()
            .filter(|(loc, _)| *loc != whole && self.arena.within(*loc, whole));
        let held = held.filter_map(|(loc, v)| Some((self.steps_to(loc, whole)?, *v)));
        // What else there is was never set.
        let unset = state.env.get(whole).filter(|v| self.is_unset(**v));
        let unset = unset.map(|v| (Vec::new(), *v));
        unset.into_iter().chain(held).collect()
    }

    fn is_unset(&self, v: ValId) -> bool {
        matches!(self.arena.get(v), Val::Sym(Sym::Uninit { .. }))
    }

    fn steps_to(&self, mut at: LocId, whole: LocId) -> Option<Vec<Proj>> {
        let mut steps = Vec::new();
        while at != whole {
            match self.arena.get_loc(at) {
                Loc::Field(parent, name) => {
                    steps.push(Proj::Field(name.clone()));
                    at = *parent;
                }
                Loc::Elem(parent, i) => {
                    steps.push(Proj::Index(*i));
                    at = *parent;
                }
                _ => return None,
            }
        }
        steps.reverse();
        Some(steps)
    }

    /// Writes parts under a location that was just written as a whole.
    pub(crate) fn write_parts(&mut self, state: &mut State, whole: LocId, parts: &Parts) {
        for (steps, v) in parts {
            let mut at = whole;
            for step in steps {
                at = match step {
                    Proj::Field(name) => self.arena.loc(Loc::Field(at, name.clone())),
                    Proj::Index(i) => self.arena.loc(Loc::Elem(at, *i)),
                    Proj::Deref => at,
                };
            }
            let v = match self.is_unset(*v) {
                true => &self.arena.sym(Sym::Uninit { loc: at }),
                false => v,
            };
            self.write_keeping_parts(state, at, *v);
            let name = self.loc_name(whole);
            if let Some(res) = state.res.get_mut(*v)
                && res.var.is_empty()
            {
                res.var = name;
            }
        }
    }

    /// What is returned is the caller's.
    pub(crate) fn hand_over_parts(&mut self, state: &mut State, parts: &Parts) {
        for (_, v) in parts {
            self.share(state, *v);
            if let Val::Ptr(loc) = *self.arena.get(*v) {
                let held: Vec<ValId> = state
                    .env
                    .iter()
                    .filter(|(l, _)| self.arena.within(*l, loc))
                    .map(|(_, v)| *v)
                    .collect();
                for v in held {
                    self.share(state, v);
                }
            }
        }
    }
}
