//! Objects of the program's classes: made, destroyed, and what their fields hold meanwhile.

use pipelint_ir::{DropKind, Operand, PlaceId, Type};

use crate::apply::Invocation;
use crate::exec::Exec;
use crate::program::FnRef;
use crate::state::State;
use crate::values::{Loc, LocId, Val, ValId};

impl Exec<'_, '_> {
    /// `new T(…)`: the constructor runs on memory that only this function knows.
    pub(crate) fn new_object(
        &mut self,
        state: &mut State,
        f: FnRef,
        args: &[Operand],
        ty: &Type,
        dst: Option<PlaceId>,
        out: &mut Vec<State>,
    ) -> bool {
        let v = self.fresh(state, 0);
        let object = self.arena.loc(Loc::Deref(v));
        let call = Invocation {
            function: f,
            args,
            receiver: Some(object),
            captures: &[],
            part: 0,
        };
        let mut before = state.clone();
        let mut fact = crate::state::Fact::default();
        fact.exclude(0);
        before.facts.insert(v, fact);
        if self.is_transparent(ty) {
            before.heap.insert(v, ());
        }
        let mut made = Vec::new();
        if !self.apply(&mut before, &call, None, &mut made) {
            return false;
        }
        for mut after in made {
            if let Some(dst) = dst {
                let loc = self.place(&mut after, dst);
                self.overwrite_by_call(&mut after, dst, loc, v);
            }
            out.push(after);
        }
        true
    }

    /// An object's life ends: its destructor runs.
    pub(crate) fn destroy(
        &mut self,
        mut state: State,
        place: PlaceId,
        kind: DropKind,
        out: &mut Vec<State>,
    ) {
        let object = self.place(&mut state, place);
        if kind == DropKind::Scope && self.end_guard(&mut state, place, object, out) {
            return;
        }
        if let Some(owner) = self.owner_at(place).filter(|o| !o.is_action()) {
            self.end_owner(&mut state, &owner, object);
            out.push(state);
            return;
        }
        let ty = self.program.type_of_place(self.unit, self.function, place);
        let destructor = ty
            .as_ref()
            .filter(|ty| self.is_transparent(ty))
            .and_then(|ty| self.program.destructor(self.unit, &self.function.name, ty));
        let mut after = Vec::new();
        match destructor {
            Some(None) => after.push(state),
            Some(Some(f)) => {
                let call = Invocation {
                    function: f,
                    args: &[],
                    receiver: Some(object),
                    captures: &[],
                    part: 1,
                };
                if !self.apply(&mut state, &call, None, &mut after) {
                    self.unseen_end(&mut state, object);
                    after.push(state);
                }
            }
            None => {
                self.unseen_end(&mut state, object);
                after.push(state);
            }
        }
        for mut state in after {
            if kind == DropKind::Delete {
                self.clear_within(&mut state, object);
                state.env.remove(object);
            }
            out.push(state);
        }
    }

    /// The destructor is out of sight: it may read the object; what it held is its own business.
    fn unseen_end(&mut self, state: &mut State, object: LocId) {
        let ptr = self.arena.val(Val::Ptr(object));
        self.escape(state, ptr);
    }

    /// A class whose objects are what their fields hold: whatever its destructor does is known.
    pub(crate) fn is_transparent(&self, ty: &Type) -> bool {
        if !self.holds_plain_values(ty) {
            return false;
        }
        match self.program.destructor(self.unit, &self.function.name, ty) {
            Some(None) => true,
            Some(Some(f)) => self.summaries.get(f).is_some(),
            None => false,
        }
    }

    /// An object is moved: what its class's move takes along is not followed, so what it held is
    /// somebody else's, and what it holds then is not known.
    pub(crate) fn move_object(&mut self, state: &mut State, op: &Operand) {
        let Operand::Move(place) = op else { return };
        let ty = self.program.type_of_place(self.unit, self.function, *place);
        if ty.is_none_or(|ty| self.is_plain(&ty)) {
            return;
        }
        let whole = self.place(state, *place);
        let ptr = self.arena.val(Val::Ptr(whole));
        self.escape(state, ptr);
        self.clear_within(state, whole);
        let unknown = self.fresh(state, 98);
        state.env.insert(whole, unknown);
    }

    /// A condition on an object asks it whether it holds anything.
    pub(crate) fn judge_owner(&mut self, state: &mut State, op: &Operand) {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return;
        };
        let at = &self.function.places[*place];
        let pipelint_ir::Base::Local(l) = at.base else {
            return;
        };
        let local = self.function.locals.get(l.0 as usize);
        if !at.proj.is_empty() || !local.is_some_and(|l| l.ty.is_object() && !self.is_plain(&l.ty))
        {
            return;
        }
        let whole = self.place(state, *place);
        let held: Vec<ValId> = state
            .env
            .iter()
            .filter(|(l, _)| self.arena.within(*l, whole))
            .map(|(_, v)| *v)
            .collect();
        for v in held {
            if let Some(res) = state.res.get_mut(v) {
                res.checked = true;
                let created = res.created;
                self.found.compared_rightly(created);
            }
        }
    }

    /// A class that writes its own copy or move.
    pub(crate) fn copies_by_code(&self, dst: PlaceId) -> bool {
        let place = &self.function.places[dst];
        let pipelint_ir::Base::Local(l) = place.base else {
            return false;
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return false;
        };
        if !place.proj.is_empty() || !local.ty.is_object() {
            return false;
        }
        let ty = self.program.resolve(&local.ty);
        let Some(class) = self
            .program
            .class_named(self.unit, &self.function.name, &ty.name)
        else {
            return false;
        };
        let name = crate::program::last(&class.name);
        class.methods.iter().any(|m| {
            let of_itself = m.params.len() == 1 && crate::program::last(&m.params[0].name) == name;
            of_itself
                && (m.kind == pipelint_ir::FunctionKind::Constructor
                    || crate::program::last(&m.name) == "operator=")
        })
    }

    /// A class whose own destructor is all that happens when its objects end: it has no bases, and
    /// no member that is an object with a destructor of its own.
    fn holds_plain_values(&self, ty: &Type) -> bool {
        let ty = self.program.resolve(ty);
        let scope = &self.function.name;
        let Some(class) = self.program.class_named(self.unit, scope, &ty.name) else {
            return false;
        };
        let plain = |ty: &Type| {
            let name: &str = &ty.name;
            let standard = name.starts_with("std::") && self.program.models.owner(name).is_none();
            self.is_plain(ty) || standard
        };
        class.bases.is_empty() && class.fields.iter().all(|f| f.is_static || plain(&f.ty))
    }

    /// Memory that only this function knows becomes known to others: what it holds is theirs, too.
    pub(crate) fn let_go(&mut self, state: &mut State, v: ValId, todo: &mut Vec<ValId>) {
        if state.heap.get(v).is_none() {
            return;
        }
        state.heap.remove(v);
        let whole = self.arena.loc(Loc::Deref(v));
        todo.extend(
            state
                .env
                .iter()
                .filter(|(l, _)| self.arena.within(*l, whole))
                .map(|(_, v)| *v),
        );
    }
}
