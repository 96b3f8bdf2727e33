//! `realloc` and its kin: the block is released if the call succeeds, and stays live if it fails.

use std::sync::Arc;

use pipelint_ir::{Name, PlaceId};
use pipelint_models::{FunctionModel, Release};
use pipelint_source::Span;

use crate::event::{Event, EventKind, Resource, StepKind};
use crate::exec::{Exec, Outcome};
use crate::log::{Action, Site};
use crate::state::{Moved, State, Status};
use crate::values::{Loc, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// A call that moves a block: what its result is compared with tells what became of the old one.
    pub(crate) fn move_block(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(release) = model.releases.iter().find(|r| r.on_success) else {
            return;
        };
        let from = args[release.arg];
        if self.arena.as_int(from).is_some() {
            // `realloc(NULL, n)` allocates.
            return;
        }
        self.use_value(state, from, api, false);
        let moved = Moved {
            from,
            release: Arc::new(release.clone()),
            api: api.clone(),
            at: self.at(),
            lost: self.loses_block(state, dst, from),
            failed: false,
        };
        state.moved.insert(result, moved);
    }

    /// The variable whose block is lost if the call fails: the result goes where the block's address
    /// was, and a block that may be moved has no second holder.
    fn loses_block(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        from: ValId,
    ) -> Option<Name> {
        let to = self.place(state, dst?);
        let there = match *self.arena.get(from) {
            // The caller still has what it gave.
            Val::Sym(Sym::Load { loc, .. }) => {
                let given = matches!(self.arena.get_loc(loc), Loc::Local(l)
                    if l.0 < self.function.params);
                loc == to && !given
            }
            // Computed from what the caller gave: so does it.
            _ => state.env.get(to) == Some(&from) && !self.is_given(from),
        };
        let elsewhere = state
            .env
            .iter()
            .any(|(loc, v)| *v == from && loc != to && !self.is_temporary(loc));
        (there && !elsewhere)
            .then(|| self.loc_name(to))
            .filter(|name| !name.is_empty())
    }

    /// A condition decided whether the call of this result succeeded.
    pub(crate) fn settle_move(&mut self, state: &mut State, result: ValId, outcome: Outcome) {
        let Some(moved) = state.moved.get(result).cloned() else {
            return;
        };
        match outcome {
            Outcome::Maybe => {}
            Outcome::Failed if moved.lost.is_some() => {
                if let Some(moved) = state.moved.get_mut(result) {
                    moved.failed = true;
                }
            }
            Outcome::Failed => state.moved.remove(result),
            Outcome::Succeeded => {
                state.moved.remove(result);
                self.moved_away(state, moved.from, &moved.release, &moved.api, moved.at);
            }
        }
    }

    /// The old block is gone.
    fn moved_away(
        &mut self,
        state: &mut State,
        from: ValId,
        release: &Arc<Release>,
        api: &Name,
        at: Span,
    ) {
        if self.is_given(from) {
            let action = Action::Release {
                v: from,
                release: Arc::clone(release),
                api: api.clone(),
                span: at,
                site: Site(self.at()),
            };
            self.record(state, action);
        }
        let here = std::mem::replace(&mut self.span, at);
        match state.res.get_mut(from) {
            Some(res) => {
                res.status = Status::Released(api.clone(), at);
                self.note_freed(&release.kind);
                state.step(at, StepKind::Closed(api.clone()), Some(from));
            }
            None => self.adopt_released(state, from, &release.kind, api),
        }
        self.span = here;
    }

    /// Blocks whose only holder was overwritten by a call that failed, on a path that ends like any
    /// other.
    pub(crate) fn report_lost_blocks(&mut self, state: &State) {
        let lost: Vec<(ValId, Moved)> = state
            .moved
            .iter()
            .filter(|(_, moved)| moved.failed)
            .map(|(v, moved)| (v, moved.clone()))
            .collect();
        for (v, moved) in lost {
            let Some(var) = moved.lost else { continue };
            let kind = self.program.models.resource(&moved.release.kind);
            let resource = kind.map(|kind| Resource {
                api: moved.api.clone(),
                created: moved.at,
                origin: moved.at,
                var: var.clone(),
                noun: Name::new(&kind.noun),
                release: Name::new(&kind.release),
                failure: None,
                handed_on: None,
            });
            let path = self.path(state, Some(v), StepKind::Left);
            self.found.add(Event {
                kind: EventKind::BlockLost {
                    var,
                    api: moved.api,
                },
                at: moved.at,
                function: self.function.name.clone(),
                resource,
                path,
                others: Vec::new(),
            });
        }
    }
}
