//! Rust: two owners of one resource, where nobody forgets one of them.

use pipelint_ir::{Callee, Name, Operand, PlaceId, Proj, Reference, Terminator};

use crate::event::{Aliased, EventKind, PathStep, Resource, StepKind};
use crate::exec::Exec;
use crate::state::{State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// `x.as_raw_handle()` on something out of sight that this function was only lent: the result has
    /// an owner that outlives the call. What a `BorrowedHandle` holds, the caller knows.
    pub(crate) fn lend(
        &mut self,
        state: &mut State,
        callee: &Callee,
        dst: Option<PlaceId>,
    ) -> bool {
        let Callee::Method { receiver, name, .. } = callee else {
            return false;
        };
        if !lends(name) || !self.is_lent_place(*receiver) {
            return false;
        }
        // What is borrowed by its type is the lender's raw handle, whatever it is called here.
        let v = match self.function.places[*receiver].proj.is_empty() {
            true => {
                let at = self.place(state, *receiver);
                self.read(state, at)
            }
            false => self.fresh(state, 0),
        };
        let lender = self.lender_of(*receiver);
        self.lent.insert(v, lender);
        self.store_result(state, dst, v);
        true
    }

    /// A parameter that is a reference, or borrowed by its type.
    fn is_lent_place(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        let pipelint_ir::Base::Local(l) = place.base else {
            return false;
        };
        if l.0 >= self.function.params {
            return false;
        }
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return false;
        };
        let borrowed = matches!(
            crate::program::last(&local.ty.name),
            "BorrowedHandle" | "BorrowedFd" | "BorrowedSocket"
        );
        match place.proj.as_slice() {
            [] => borrowed,
            [Proj::Deref] => local.ty.reference != Reference::None || local.ty.name == "auto",
            _ => false,
        }
    }

    fn lender_of(&self, place: PlaceId) -> Name {
        let name = self.place_name(place);
        name.strip_prefix('*').map_or(name.clone(), Name::new)
    }

    /// The owner that a value still has, which this function may not end: it was lent it.
    fn lender(&mut self, state: &State, v: ValId, but: Option<LocId>) -> Option<Name> {
        if let Some(lender) = self.lent.get(&v) {
            return Some(lender.clone());
        }
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return None;
        };
        let there = match state.env.get(loc) {
            Some(held) => *held == v,
            None => !self.is_replaced(state, loc, v),
        } && !self.is_gone_from(state, loc);
        if !there || but == Some(loc) || !self.seen_raw.contains(&v) {
            return None;
        }
        let lent = match *self.arena.get_loc(self.arena.root(loc)) {
            Loc::SelfObj => true,
            Loc::Deref(p) => self.is_parameter(p),
            _ => false,
        };
        (lent && self.owner_loc(loc).is_some()).then(|| {
            let name = self.loc_name(loc);
            name.strip_prefix('*').map_or(name.clone(), Name::new)
        })
    }

    /// The object around a place was moved away, or forgotten.
    fn is_gone_from(&self, state: &State, loc: LocId) -> bool {
        let mut at = loc;
        loop {
            if self.is_moved(state, at) {
                return true;
            }
            match *self.arena.get_loc(at) {
                Loc::Field(parent, _) | Loc::Elem(parent, _) => at = parent,
                _ => return false,
            }
        }
    }

    /// An owner ends: true where what it holds is somebody else's still.
    pub(crate) fn ends_lent(&mut self, state: &State, object: LocId, v: ValId, by: &Name) -> bool {
        if !self.is_rust() || (self.lent.is_empty() && self.seen_raw.is_empty()) {
            return false;
        }
        let Some(lender) = self.lender(state, v, Some(object)) else {
            return false;
        };
        let path = self.path(state, Some(v), StepKind::Closed(by.clone()));
        let aliased = Aliased::EndsLent {
            lender,
            then: by.clone(),
        };
        self.emit_aliased(
            EventKind::AliasedOwner(aliased),
            v,
            None,
            path,
            state.doubtful,
        );
        true
    }

    /// The fault is that the last owner was made, wherever the two end; other events stay where they
    /// are.
    pub(crate) fn emit_aliased(
        &mut self,
        event: EventKind,
        v: ValId,
        resource: Option<Resource>,
        path: Vec<PathStep>,
        doubtful: bool,
    ) {
        let made = self.owners_made.get(&v).copied();
        let was = (self.site, self.span);
        if let (EventKind::AliasedOwner(_), Some(made)) = (&event, made) {
            self.site = None;
            self.span = made;
        }
        self.emit(event, resource, path, doubtful);
        (self.site, self.span) = was;
    }

    /// The function is left: an owner that it hands out must be the only one.
    pub(crate) fn tell_aliased(&mut self, state: &mut State, result: Option<ValId>) {
        let lent = !self.lent.is_empty() || !self.seen_raw.is_empty();
        if !self.is_rust() || !lent && self.owners_made.is_empty() {
            return;
        }
        let mut out: Vec<ValId> = Vec::new();
        if let Some(v) = result
            && self.owner_named(&self.function.ret).is_some()
        {
            out.push(v);
        }
        let held: Vec<(LocId, ValId)> = state.env.iter().map(|(l, v)| (l, *v)).collect();
        let returned = match &self.function.blocks[self.block].term {
            Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) => Some(*place),
            _ => None,
        };
        let whole = returned.map(|place| self.place(state, place));
        for (loc, v) in held {
            let goes = whole.is_some_and(|whole| self.arena.within(loc, whole));
            let stays = matches!(
                *self.arena.get_loc(self.arena.root(loc)),
                Loc::SelfObj | Loc::Deref(_)
            );
            if (goes || stays) && self.owner_loc(loc).is_some() && !self.never_ends(loc) {
                out.push(v);
            }
        }
        out.sort_unstable();
        out.dedup();
        for v in out {
            if let Some(res) = state.res.get(v)
                && res.by_end
                && let Status::Released(first, at) = &res.status
                && self.owners_made.contains_key(&v)
            {
                // One owner has ended, and the other goes on.
                let aliased = Aliased::BothEnd {
                    first: (first.clone(), *at),
                    then: first.clone(),
                };
                let resource = Some(self.resource(res));
                let path = self.path(state, Some(v), StepKind::Left);
                let event = EventKind::AliasedOwner(aliased);
                self.emit_aliased(event, v, resource, path, state.doubtful);
                continue;
            }
            if let Some(lender) = self.lender_unless_own(state, v) {
                let path = self.path(state, Some(v), StepKind::Left);
                let aliased = Aliased::LeavesLent { lender };
                let event = EventKind::AliasedOwner(aliased);
                self.emit_aliased(event, v, None, path, state.doubtful);
            }
        }
    }

    /// The lender of a value that some other place owns as well.
    fn lender_unless_own(&mut self, state: &State, v: ValId) -> Option<Name> {
        let owners: Vec<LocId> = state
            .env
            .iter()
            .filter(|(_, held)| **held == v)
            .map(|(loc, _)| loc)
            .collect();
        let from = match *self.arena.get(v) {
            Val::Sym(Sym::Load { loc, .. }) => Some(loc),
            _ => None,
        };
        // Only where it was, or where it came from unread.
        let second = owners
            .into_iter()
            .any(|loc| Some(loc) != from && self.owner_loc(loc).is_some());
        second.then(|| self.lender(state, v, None)).flatten()
    }
}

/// Methods that lend what they are called on as a raw handle.
fn lends(name: &str) -> bool {
    matches!(name, "as_raw_handle" | "as_raw_fd" | "as_raw_socket")
}
