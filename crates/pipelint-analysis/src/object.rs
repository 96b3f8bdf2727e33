//! Objects of the program's classes: made, destroyed, and what their fields hold meanwhile.

use pipelint_ir::{Callee, DropKind, FunctionKind, Operand, PlaceId, Type};

use crate::apply::Invocation;
use crate::exec::Exec;
use crate::pending_log::IoAction;
use crate::program::FnRef;
use crate::state::State;
use crate::values::{Loc, LocId, Val, ValId};

/// How deep the members and bases of a class are followed.
const DEPTH: u32 = 4;

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

    /// `new T` of a class that writes no constructor: memory that only this function knows.
    pub(crate) fn new_plain(
        &mut self,
        state: &mut State,
        callee: &Callee,
        args: &[Operand],
        dst: Option<PlaceId>,
    ) -> bool {
        let Callee::New(ty) = callee else {
            return false;
        };
        let resolved = self.program.resolve(ty);
        let class = self
            .program
            .class_named(self.unit, self.scope(), &resolved.name);
        let written = |class: &pipelint_ir::Class| {
            class
                .methods
                .iter()
                .any(|m| m.kind == FunctionKind::Constructor)
        };
        if !args.is_empty()
            || ty.arrays > 0
            || !class.is_some_and(|c| !written(c) && c.bases.is_empty())
            || !self.is_transparent(ty)
        {
            return false;
        }
        let v = self.fresh(state, 0);
        let mut fact = crate::state::Fact::default();
        fact.exclude(0);
        state.facts.insert(v, fact);
        state.heap.insert(v, ());
        self.store_result(state, dst, v);
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
        if self.is_rust() {
            self.end_rust(state, place, out);
            return;
        }
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
        if let Some(ty) = ty.as_ref().filter(|ty| self.buffer_named(ty).is_some()) {
            self.unseen_end(&mut state, object);
            self.end_buffer(&mut state, object, ty);
            out.push(state);
            return;
        }
        if kind == DropKind::Delete
            && let Some(ty) = &ty
        {
            // Where no code runs at its end, the memory is gone at once.
            let code = self.program.destructor(self.unit, self.scope(), ty);
            let plain = crate::memory::is_primitive(&ty.name) || matches!(code, Some(None));
            if plain {
                self.freed_io(&mut state, object, &"delete".into());
            }
        }
        let mut after = Vec::new();
        let unseen = self.unseen_ends;
        match ty.filter(|ty| self.is_transparent(ty)) {
            Some(ty) => self.end_object(state, object, &ty, DEPTH, &mut after),
            None => {
                self.unseen_end(&mut state, object);
                after.push(state);
            }
        }
        for mut state in after {
            if kind == DropKind::Delete {
                self.freed_io(&mut state, object, &"delete".into());
                if self.tells_end_of(unseen) {
                    let at = self.span;
                    self.record_io(&mut state, || IoAction::Ended(object, "delete".into(), at));
                }
                self.clear_within(&mut state, object);
                state.env.remove(object);
            }
            out.push(state);
        }
    }

    /// An object of a transparent class ends: its destructor runs, then those of its members, the
    /// last first, then those of its bases.
    fn end_object(
        &mut self,
        state: State,
        object: LocId,
        ty: &Type,
        depth: u32,
        out: &mut Vec<State>,
    ) {
        let program = self.program;
        let scope = self.scope();
        let resolved = program.resolve(ty);
        let class = program.class_named(self.unit, scope, &resolved.name);
        let (Some(class), true) = (class, depth > 0) else {
            out.push(state);
            return;
        };
        let mut states = vec![state];
        if let Some(Some(f)) = program.destructor(self.unit, scope, ty) {
            let call = Invocation {
                function: f,
                args: &[],
                receiver: Some(object),
                captures: &[],
                part: 10 + depth,
            };
            let mut after = Vec::new();
            for mut state in states {
                self.ending += 1;
                let seen = self.apply(&mut state, &call, None, &mut after);
                self.ending -= 1;
                if !seen {
                    self.unseen_end(&mut state, object);
                    after.push(state);
                }
            }
            states = after;
        }
        for field in class.fields.iter().rev() {
            if field.is_static || !field.ty.is_object() {
                continue;
            }
            if self.shadowed.contains(&field.name) {
                // A derived class has a field by this name, and that is what is known of it.
                continue;
            }
            let part = self.arena.loc(Loc::Field(object, field.name.clone()));
            for state in &mut states {
                let locks = self.locks_of(state, part, &field.ty);
                self.guard_ends(state, &locks);
            }
            if let Some(owner) = self.owner_named(&field.ty).filter(|o| !o.is_action()) {
                for state in &mut states {
                    self.end_owner(state, &owner, part);
                }
                continue;
            }
            if self.is_plain(&field.ty) {
                continue;
            }
            if crate::names::points_uniquely(&field.ty) {
                for state in &mut states {
                    self.unseen_end(state, part);
                }
                continue;
            }
            let mut after = Vec::new();
            for state in states {
                // What is hidden in the object around it is not in this one.
                let hidden = std::mem::take(&mut self.shadowed);
                self.end_object(state, part, &field.ty, depth - 1, &mut after);
                self.shadowed = hidden;
            }
            states = after;
        }
        let hidden = self.shadowed.len();
        let own = class.fields.iter().map(|field| field.name.clone());
        self.shadowed.extend(own);
        for base in &class.bases {
            let mut after = Vec::new();
            for state in states {
                self.end_object(
                    state,
                    object,
                    &Type::named(base.clone()),
                    depth - 1,
                    &mut after,
                );
            }
            states = after;
        }
        self.shadowed.truncate(hidden);
        out.append(&mut states);
    }

    /// The destructor is out of sight: it may read the object; what it held is its own business.
    fn unseen_end(&mut self, state: &mut State, object: LocId) {
        self.unseen_ends += 1;
        self.pointee_ends(state, object);
        let ptr = self.arena.val(Val::Ptr(object));
        self.escape(state, ptr);
    }

    /// What a unique pointer alone points to ends with it.
    fn pointee_ends(&mut self, state: &mut State, object: LocId) {
        if state.pending.is_empty() {
            return;
        }
        let ty = self.loc_type(object);
        let Some(ty) = ty.filter(crate::names::points_uniquely) else {
            return;
        };
        let inner = ty.args.first().cloned().unwrap_or_default();
        // What its destructor does is another matter.
        let code = self
            .program
            .destructor(self.unit, self.scope(), &Type::named(inner));
        let v = self.read(state, object);
        if !matches!(code, Some(Some(_))) && matches!(self.arena.get(v), Val::Sym(_)) {
            self.release_and_io(state, v, &"~unique_ptr".into());
        }
    }

    /// `p.release()` of a unique pointer yields what it points to, and holds nothing any more.
    pub(crate) fn gives_up_pointee(
        &mut self,
        state: &mut State,
        callee: &Callee,
        dst: Option<PlaceId>,
    ) -> bool {
        let Callee::Method { receiver, name, .. } = callee else {
            return false;
        };
        if name != "release" || self.is_rust() {
            return false;
        }
        let ty = self.declared_type_of(*receiver);
        if !ty.is_some_and(|ty| crate::names::points_uniquely(&ty)) {
            return false;
        }
        let held = self.place(state, *receiver);
        let v = self.read(state, held);
        let nothing = self.arena.int(0);
        self.write(state, held, nothing);
        self.store_result(state, dst, v);
        true
    }

    /// A class whose objects are what their fields hold: whatever happens when they end is known.
    pub(crate) fn is_transparent(&self, ty: &Type) -> bool {
        self.ends_in_sight(ty, DEPTH)
    }

    fn ends_in_sight(&self, ty: &Type, depth: u32) -> bool {
        let resolved = self.program.resolve(ty);
        let scope = self.scope();
        let Some(class) = self.program.class_named(self.unit, scope, &resolved.name) else {
            return false;
        };
        let own = match self.program.destructor(self.unit, scope, ty) {
            Some(None) => true,
            Some(Some(f)) => self.summary_of(f).is_some(),
            None => false,
        };
        let member = |ty: &Type| {
            let name: &str = &ty.name;
            let standard = name.starts_with("std::") && self.program.models.owner(name).is_none();
            self.is_plain(ty)
                || standard
                || crate::names::points_uniquely(ty)
                || self.owner_named(ty).is_some_and(|o| !o.is_action())
                || self.ends_in_sight(ty, depth - 1)
        };
        own && depth > 0
            && class.fields.iter().all(|f| f.is_static || member(&f.ty))
            && class
                .bases
                .iter()
                .all(|b| self.ends_in_sight(&Type::named(b.clone()), depth - 1))
    }

    /// An object is moved: what its class's move takes along is not followed, so what it held is
    /// somebody else's, and what it holds then is not known.
    pub(crate) fn move_object(&mut self, state: &mut State, op: &Operand) {
        let Operand::Move(place) = op else { return };
        if self.is_rust() {
            return;
        }
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
