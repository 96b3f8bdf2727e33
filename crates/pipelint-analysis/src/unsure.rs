//! What a called function leaves empty on one way, and not on another that looks the same to its caller.

use crate::exec::Exec;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, ValId};

impl Exec<'_, '_> {
    /// A called function left a variable empty on one way, and put something into it on another that
    /// its caller cannot tell from it: which it is depends on what only the function knows. Then the
    /// variable is not known to be empty; unless it is empty as the creation that was to fill it failed.
    pub(crate) fn keep_sure_empties(&mut self, told: bool, results: &mut [(State, Option<ValId>)]) {
        if results.len() < 2 {
            return;
        }
        let mut unsure: Vec<(usize, LocId)> = Vec::new();
        for (i, (state, result)) in results.iter().enumerate() {
            for (loc, v) in state.env.iter() {
                if !matches!(self.arena.as_int(*v), Some(0 | -1)) || state.saw_failure_of(loc) {
                    continue;
                }
                let handle = self.is_handle_variable(loc);
                let filled = |(j, (other, r)): (usize, &(State, Option<ValId>))| {
                    let full = other.env.get(loc).is_some_and(|w| {
                        let empty = matches!(self.arena.as_int(*w), Some(0 | -1));
                        other.res.get(*w).is_some() || (handle && !empty)
                    });
                    j != i && full && !(told && self.differ((state, *result), (other, *r)))
                };
                if results.iter().enumerate().any(filled) {
                    unsure.push((i, loc));
                }
            }
        }
        for (i, loc) in unsure {
            let stmt = self.stmt;
            let v = self.arena.sym(Sym::Element {
                loc,
                stmt,
                round: 0,
            });
            results[i].0.env.insert(loc, v);
        }
    }

    fn is_handle_variable(&self, loc: LocId) -> bool {
        let Loc::Local(l) = *self.arena.get_loc(loc) else {
            return false;
        };
        let local = self.function.locals.get(l.0 as usize);
        local.is_some_and(|local| {
            let ty = self.program.resolve(&local.ty);
            self.program.models.is_handle_type(&ty.name) && ty.is_object()
        })
    }
}
