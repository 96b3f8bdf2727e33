//! Owners on a path: objects that stand for the resource that they hold, and release it.
//!
//! An owner's value is the raw value that it holds, so that taking it out, moving it, returning it
//! and asking for it need no value of another kind. What differs from a raw handle is that somebody
//! releases it: a resource in an owner is `owned`, which is no leak, and the owner's end, its reset
//! and its assignment release it.

use std::rc::Rc;
use std::sync::Arc;

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, FunctionKind, LocalKind, Name, Operand, PlaceId, Rvalue,
    Statement, Type,
};
use pipelint_models::{Copies, Role};
use rustc_hash::FxHashMap;

use crate::event::{Aliased, EventKind, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::log::{Action, Site};
use crate::owners::{Given, OwnerType, moves};
use crate::program::{Target, last};
use crate::release::by_owner;
use crate::state::{State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Steps from one local without a type to the one that has it.
const MOST_STEPS: u8 = 8;

type Known<'m> = Option<Rc<OwnerType<'m>>>;

/// Which places and locations of a function are owners; found out when asked.
#[derive(Default)]
pub(crate) struct OwnerCache<'m> {
    places: FxHashMap<PlaceId, Known<'m>>,
    locs: FxHashMap<LocId, Known<'m>>,
    given: Option<FxHashMap<usize, Given>>,
}

impl<'p, 'm> Exec<'p, 'm> {
    /// The owner that a place is.
    pub(crate) fn owner_at(&mut self, place: PlaceId) -> Known<'m> {
        if let Some(known) = self.owners.places.get(&place) {
            return known.clone();
        }
        let ty = self.declared_type(place, MOST_STEPS);
        let found = ty.and_then(|ty| self.owner_named(&ty));
        self.owners.places.insert(place, found.clone());
        found
    }

    pub(crate) fn owner_named(&self, ty: &Type) -> Known<'m> {
        let program = self.program;
        program.owner_type(self.unit, self.scope(), ty).map(Rc::new)
    }

    /// Where names of the function are looked up: its class, or its own scope.
    pub(crate) fn scope(&self) -> &'p str {
        self.function
            .class
            .as_deref()
            .unwrap_or(&self.function.name)
    }

    /// The type that a place is declared with, or given.
    pub(crate) fn declared_type_of(&mut self, place: PlaceId) -> Option<Type> {
        self.declared_type(place, MOST_STEPS)
    }

    fn declared_type(&mut self, place: PlaceId, steps: u8) -> Option<Type> {
        let place = &self.function.places[place];
        let mut without = None;
        if let Base::Local(l) = place.base {
            let n = l.0 as usize;
            let ty = &self.function.locals.get(n)?.ty;
            if ty.name.is_empty() || ty.name == "auto" {
                without = self.type_given_to(n, steps);
            }
        }
        self.program
            .place_type(self.unit, self.function, place, &|_| without.clone())
    }

    /// The type of a local that is declared without one.
    fn type_given_to(&mut self, local: usize, steps: u8) -> Option<Type> {
        if self.owners.given.is_none() {
            let mut given = FxHashMap::default();
            for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
                let (Statement::Call { dst: Some(dst), .. } | Statement::Assign { dst, .. }) = stmt
                else {
                    continue;
                };
                let place = &self.function.places[*dst];
                let (Base::Local(l), []) = (&place.base, &place.proj[..]) else {
                    continue;
                };
                let ty = self.function.locals.get(l.0 as usize).map(|l| &l.ty.name);
                if ty.is_none_or(|ty| !ty.is_empty() && ty != "auto") {
                    continue;
                }
                if let Some(ty) = self.program.given_type(self.unit, self.function, stmt) {
                    given.entry(l.0 as usize).or_insert(ty);
                }
            }
            self.owners.given = Some(given);
        }
        match self.owners.given.as_ref()?.get(&local)?.clone() {
            Given::Type(ty) => Some(ty),
            Given::As(place) if steps > 0 => self.declared_type(place, steps - 1),
            Given::As(_) => None,
        }
    }

    /// The owner that a location is declared as.
    pub(crate) fn owner_loc(&mut self, loc: LocId) -> Known<'m> {
        if let Some(known) = self.owners.locs.get(&loc) {
            return known.clone();
        }
        let found = self.loc_type(loc).and_then(|ty| self.owner_named(&ty));
        self.owners.locs.insert(loc, found.clone());
        found
    }

    pub(crate) fn loc_type(&self, loc: LocId) -> Option<Type> {
        let mut steps = Vec::new();
        let mut at = loc;
        let mut ty = loop {
            match self.arena.get_loc(at) {
                Loc::Local(l) => break self.function.locals.get(l.0 as usize)?.ty.clone(),
                Loc::SelfObj => break Type::named(self.function.class.clone()?),
                Loc::Field(parent, name) => {
                    steps.push(pipelint_ir::Proj::Field(name.clone()));
                    at = *parent;
                }
                Loc::Elem(parent, i) => {
                    steps.push(pipelint_ir::Proj::Index(*i));
                    at = *parent;
                }
                Loc::Deref(v) => match self.arena.get(*v) {
                    Val::Sym(Sym::Load { loc, .. }) if steps.len() < 32 => {
                        steps.push(pipelint_ir::Proj::Deref);
                        at = *loc;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        };
        for step in steps.iter().rev() {
            ty = self.program.part_type(self.unit, self.scope(), ty, step)?;
        }
        Some(ty)
    }

    /// An owner holds the value from here on.
    pub(crate) fn own(&mut self, state: &mut State, v: ValId) {
        self.note_back(state, v);
        if let Some(res) = state.res.get_mut(v) {
            res.owned = true;
        }
        if self.is_given(v) {
            self.record(state, Action::Own(v));
        }
    }

    /// The owner gave the value up: it is whoever's who has it.
    pub(crate) fn disown(&mut self, state: &mut State, v: ValId) {
        if let Some(res) = state.res.get_mut(v) {
            res.owned = false;
        }
        if self.is_given(v) {
            self.record(state, Action::Disown(v));
        }
    }

    /// What an owner holds that holds nothing.
    fn nothing(&mut self, state: &State, owner: &OwnerType<'m>) -> ValId {
        match owner.empty.first() {
            Some(value) => self.arena.int(*value),
            None => self.fresh(state, 70),
        }
    }

    /// The owner releases what it holds.
    pub(crate) fn owner_releases(
        &mut self,
        state: &mut State,
        owner: &OwnerType<'m>,
        v: ValId,
        by: &Name,
    ) {
        if !matches!(self.arena.get(v), Val::Sym(_) | Val::Named(_)) {
            return;
        }
        self.release_and_io(state, v, by);
        let kind = owner.kind.clone().unwrap_or_default();
        self.owner_changes_error(state, owner, by);
        if state.pseudo.get(v).is_some() {
            // Told where the owner was made of it.
            return;
        }
        let Some(res) = state.res.get(v) else {
            if self.is_given(v) {
                // What `close` takes, an owner of descriptors closes.
                let close = self.program.models.function("close");
                let close = close.filter(|_| kind == "file-descriptor");
                let also = close
                    .and_then(|c| c.releases.first())
                    .map(|r| r.also.clone());
                let release = by_owner(&kind, also.unwrap_or_default());
                let action = Action::Release {
                    v,
                    release: Arc::new(release),
                    api: by.clone(),
                    span: self.span,
                    site: Site(self.at()),
                };
                self.record(state, action);
                self.adopt_released(state, v, &kind, by);
            }
            return;
        };
        let outcome = self.outcome(state, v, res);
        let event = match &res.status {
            Status::Released(first, at) => {
                let first = (first.clone(), *at);
                if self.is_rust() && first.0.starts_with('~') {
                    let then = by.clone();
                    EventKind::AliasedOwner(Aliased::BothEnd { first, then })
                } else {
                    let api = by.clone();
                    let by_end = self.ending > 0 && !res.by_end;
                    EventKind::DoubleClose { first, api, by_end }
                }
            }
            Status::Open if outcome == Outcome::Failed => return,
            Status::Open => {
                let models = self.program.models;
                let counts = |kind: &Name| {
                    let known = models.resource(&res.kind);
                    // What `close` takes, an owner of descriptors closes.
                    let close = || models.function("close")?.releases.first();
                    let closes = || close().is_some_and(|r| models.fits(r, &res.kind));
                    *kind == res.kind
                        || (kind == "file-descriptor" && closes())
                        || known.is_some_and(|k| k.counts_as.iter().any(|other| *other == **kind))
                };
                let wrong = owner.kind.as_ref().is_some_and(|kind| !counts(kind));
                if wrong && models.resource(&res.kind).is_some() {
                    let resource = Some(self.resource(res));
                    let path = self.path(state, Some(v), StepKind::Closed(by.clone()));
                    let event = EventKind::WrongRelease { api: by.clone() };
                    self.emit(event, resource, path, state.doubtful);
                }
                state.step(self.span, StepKind::Closed(by.clone()), Some(v));
                let span = self.span;
                let by_end = self.ending > 0;
                if let Some(res) = state.res.get_mut(v) {
                    res.status = Status::Released(by.clone(), span);
                    res.by_end = by_end;
                }
                return;
            }
        };
        let resource = Some(self.resource(res));
        let path = self.path(state, Some(v), StepKind::Closed(by.clone()));
        self.emit_aliased(event, v, resource, path, state.doubtful);
        state.res.remove(v);
    }

    /// An owner's life ends.
    pub(crate) fn end_owner(&mut self, state: &mut State, owner: &OwnerType<'m>, object: LocId) {
        let v = self.read(state, object);
        let by = Name::new(format!("~{}", owner.name));
        if !self.ends_lent(state, object, v, &by) {
            if self.arena.as_int(v).is_none() {
                self.note_field_ended(object);
            }
            self.ending += 1;
            self.owner_releases(state, owner, v, &by);
            self.ending -= 1;
        }
        state.env.remove(object);
    }

    /// True where what stands at a place is not yet an object: it is begun, not assigned.
    fn begins(&self, state: &State, dst: PlaceId, to: LocId) -> bool {
        let place = &self.function.places[dst];
        match place.base {
            Base::Local(l) if place.proj.is_empty() => {
                let kind = self.function.locals.get(l.0 as usize).map(|l| l.kind);
                match kind {
                    Some(LocalKind::Param) => false,
                    Some(LocalKind::Static) => true,
                    _ => state.env.get(to).is_none(),
                }
            }
            Base::SelfObj if place.proj.len() == 1 => {
                let begun = matches!(
                    self.function.kind,
                    FunctionKind::Constructor | FunctionKind::FieldInit
                );
                begun && state.env.get(to).is_none()
            }
            _ => false,
        }
    }

    /// An owner is begun with a value, or assigned one.
    pub(crate) fn set_owner(
        &mut self,
        state: &mut State,
        owner: &OwnerType<'m>,
        dst: PlaceId,
        v: ValId,
    ) {
        let to = self.place(state, dst);
        // In Rust the end of what stood there is a statement of its own.
        if !self.is_rust() && !self.begins(state, dst, to) {
            let old = self.read(state, to);
            if old != v {
                self.owner_releases(state, owner, old, &"operator=".into());
            }
        }
        self.write(state, to, v);
        self.name_resource(state, v, dst);
        self.own(state, v);
    }

    /// An owner of what nobody may close will close it.
    fn takes_pseudo(&mut self, state: &State, owner: &OwnerType<'m>, v: ValId) {
        let Some((from, noun)) = state.pseudo.get(v) else {
            return;
        };
        if owner.kind.as_deref() != Some("handle") {
            return;
        }
        let by = Name::new(format!("~{}", owner.name));
        let event = EventKind::PseudoClosed {
            api: by.clone(),
            from: from.clone(),
            noun: noun.clone(),
        };
        let path = self.path(state, Some(v), StepKind::Closed(by));
        self.emit(event, None, path, state.doubtful);
    }

    /// What an owner is made from, and what that leaves behind.
    fn taken(&mut self, state: &mut State, owner: &OwnerType<'m>, args: &'p [Operand]) -> ValId {
        if args.is_empty() {
            return self.nothing(state, owner);
        }
        let takes = owner.model.takes.first();
        let Some(arg) = takes.and_then(|n| args.get(*n)) else {
            for arg in args {
                let v = self.operand(state, arg);
                self.escape(state, v);
            }
            return self.fresh(state, 71);
        };
        if let Operand::Copy(place) | Operand::Move(place) = arg
            && self.is_named(*place)
            && let Some(other) = self.owner_at(*place)
        {
            return self.copied(state, &other, *place);
        }
        let v = self.operand(state, arg);
        self.takes_pseudo(state, owner, v);
        // What unknown code had by then, it may have looked at: `Errno::result(fd)?`.
        let was_seen = state.res.get(v).is_some_and(|res| res.escaped);
        if self.is_rust() && owner.model.empty.is_empty() && !was_seen {
            // It has no value for nothing: what it is made of must be open.
            self.use_failed_out(state, arg, v, &owner.name);
            self.use_value(state, v, &owner.name, false);
        }
        v
    }

    fn is_named(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        let Base::Local(l) = place.base else {
            return true;
        };
        let local = self.function.locals.get(l.0 as usize);
        !place.proj.is_empty() || local.is_some_and(|l| l.kind != LocalKind::Temp)
    }

    /// What a copy of an owner holds.
    fn copied(&mut self, state: &mut State, owner: &OwnerType<'m>, place: PlaceId) -> ValId {
        let from = self.place(state, place);
        let v = self.read(state, from);
        match owner.model.copies() {
            Copies::Transfer => {
                let nothing = self.nothing(state, owner);
                state.env.insert(from, nothing);
                v
            }
            // It cannot be: something is moved here in a way that is not seen.
            Copies::Never => {
                let unknown = self.fresh(state, 72);
                self.write(state, from, unknown);
                v
            }
            Copies::Share | Copies::Duplicate => {
                // Who is the last to release it is not followed.
                self.escape(state, v);
                let unknown = self.fresh(state, 72);
                self.write(state, from, unknown);
                self.fresh(state, 73)
            }
        }
    }

    /// Takes the value out of an owner that is moved from.
    fn moved_out(&mut self, state: &mut State, place: PlaceId, into_owner: bool) -> Option<ValId> {
        let owner = self.owner_at(place)?;
        let from = self.place(state, place);
        let v = self.read(state, from);
        // Where nobody is seen to take it over, it may still be there.
        let left = if into_owner {
            self.nothing(state, &owner)
        } else {
            self.fresh(state, 74)
        };
        self.write(state, from, left);
        Some(v)
    }

    /// A call that makes an owner, moves one or asks one; false for any other.
    pub(crate) fn owner_call(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &'p Callee,
        args: &'p [Operand],
        out: &mut Vec<State>,
    ) -> bool {
        match callee {
            Callee::Constructor(ty) => {
                let owner = dst
                    .and_then(|d| self.owner_at(d))
                    .or_else(|| self.owner_named(ty));
                let Some(owner) = owner.filter(|o| !o.is_action()) else {
                    return false;
                };
                let v = self.taken(state, &owner, args);
                if self.is_rust() {
                    self.owners_made.insert(v, self.at());
                }
                if let Some(dst) = dst {
                    self.set_owner(state, &owner, dst, v);
                }
            }
            Callee::Function(name) if moves(name) => {
                let [Operand::Move(place) | Operand::Copy(place)] = args else {
                    return false;
                };
                if self.owner_at(*place).is_none_or(|o| o.is_action()) {
                    return false;
                }
                let target = dst.filter(|d| self.is_named(*d));
                let owner = target.and_then(|d| self.owner_at(d));
                let Some(v) = self.moved_out(state, *place, owner.is_some()) else {
                    return false;
                };
                match (owner, dst) {
                    (Some(owner), Some(dst)) => self.set_owner(state, &owner, dst, v),
                    (None, Some(dst)) => {
                        let to = self.place(state, dst);
                        self.write(state, to, v);
                        self.own(state, v);
                    }
                    _ => {}
                }
            }
            Callee::Function(name) if last(name) == "swap" => {
                let [Operand::Copy(a), Operand::Copy(b)] = args else {
                    return false;
                };
                if !self.swap_owners(state, *a, *b) {
                    return false;
                }
            }
            Callee::Function(name) => {
                if !matches!(
                    self.program
                        .target(self.unit, self.function, callee, args.len()),
                    Target::Unknown
                ) {
                    return false;
                }
                let owner = self.owner_named(&Type::named(name.clone()));
                let Some(owner) = owner.filter(|o| !o.is_action()) else {
                    return false;
                };
                let v = self.taken(state, &owner, args);
                self.own(state, v);
                if let Some(dst) = dst {
                    let to = self.place(state, dst);
                    self.write(state, to, v);
                }
            }
            Callee::Method { receiver, name, .. } => {
                let Some(owner) = self.owner_at(*receiver).filter(|o| !o.is_action()) else {
                    return false;
                };
                return self.owner_method(state, &owner, *receiver, name, args, dst, out);
            }
            _ => return false,
        }
        out.push(std::mem::take(state));
        true
    }

    fn swap_owners(&mut self, state: &mut State, a: PlaceId, b: PlaceId) -> bool {
        let known = |o: Known<'m>| o.is_some_and(|o| !o.is_action());
        if !known(self.owner_at(a)) || !known(self.owner_at(b)) {
            return false;
        }
        let (at, bt) = (self.place(state, a), self.place(state, b));
        let (x, y) = (self.read(state, at), self.read(state, bt));
        self.write(state, at, y);
        self.write(state, bt, x);
        true
    }

    #[allow(clippy::too_many_arguments)]
    fn owner_method(
        &mut self,
        state: &mut State,
        owner: &OwnerType<'m>,
        receiver: PlaceId,
        name: &Name,
        args: &'p [Operand],
        dst: Option<PlaceId>,
        out: &mut Vec<State>,
    ) -> bool {
        let at = self.place(state, receiver);
        let held = self.read(state, at);
        let by = name.clone();
        let result = match owner.model.role(last(name)) {
            Some(Role::Get) => {
                self.seen_raw.insert(held);
                if !borrows(last(name)) {
                    self.told_raw.insert(held);
                }
                held
            }
            Some(Role::Release) => {
                let nothing = self.nothing(state, owner);
                self.write(state, at, nothing);
                self.disown(state, held);
                if self.is_rust() {
                    self.made_raw(state, held, &by, (receiver, dst));
                }
                held
            }
            Some(Role::Reset) => {
                let v = match args.first() {
                    Some(Operand::Const(Const::Null | Const::Int(0))) | None => {
                        self.nothing(state, owner)
                    }
                    Some(arg) => self.operand(state, arg),
                };
                self.takes_pseudo(state, owner, v);
                if v != held {
                    self.owner_releases(state, owner, held, &by);
                    self.hold(state, receiver, at, v);
                }
                self.fresh(state, 0)
            }
            Some(Role::Attach) => {
                let v = match args.first() {
                    Some(arg) => self.operand(state, arg),
                    None => self.nothing(state, owner),
                };
                self.hold(state, receiver, at, v);
                self.fresh(state, 0)
            }
            Some(Role::Close) => {
                self.owner_releases(state, owner, held, &by);
                let nothing = self.nothing(state, owner);
                self.write(state, at, nothing);
                self.fresh(state, 0)
            }
            Some(Role::Put) => {
                self.owner_releases(state, owner, held, &by);
                let nothing = self.nothing(state, owner);
                self.write(state, at, nothing);
                self.arena.val(Val::Ptr(at))
            }
            Some(Role::Address) => self.arena.val(Val::Ptr(at)),
            Some(Role::Swap) => {
                let Some(Operand::Copy(other)) = args.first() else {
                    return false;
                };
                if !self.swap_owners(state, receiver, *other) {
                    return false;
                }
                self.fresh(state, 0)
            }
            Some(role @ (Role::IsValid | Role::IsEmpty)) => {
                for (mut state, holds) in self.asked(std::mem::take(state), owner, held) {
                    let v = match holds {
                        Some(holds) => {
                            let truth = holds == (role == Role::IsValid);
                            self.arena.int(i128::from(truth))
                        }
                        None => self.fresh(&state, 0),
                    };
                    self.store_result(&mut state, dst, v);
                    out.push(state);
                }
                return true;
            }
            Some(Role::Open) => {
                self.owner_releases(state, owner, held, &by);
                let unknown = self.fresh(state, 75);
                self.write(state, at, unknown);
                self.escape_all(state, args);
                self.fresh(state, 0)
            }
            Some(Role::Run | Role::Cancel) => return false,
            None => {
                // It may well look at what is held.
                self.mark_judged(state, held);
                self.escape_all(state, args);
                self.fresh(state, 0)
            }
        };
        self.store_result(state, dst, result);
        out.push(std::mem::take(state));
        true
    }

    fn hold(&mut self, state: &mut State, owner: PlaceId, at: LocId, v: ValId) {
        self.write(state, at, v);
        self.name_resource(state, v, owner);
        self.own(state, v);
    }

    fn escape_all(&mut self, state: &mut State, args: &[Operand]) {
        for arg in args {
            let v = self.operand(state, arg);
            self.escape(state, v);
            self.escape_parts(state, arg);
        }
    }

    fn mark_judged(&mut self, state: &mut State, v: ValId) {
        if let Some(res) = state.res.get_mut(v) {
            res.checked = true;
            let created = res.created;
            self.found.compared_rightly(created);
        }
    }

    /// The owner that a condition asks whether it holds anything, and what it holds.
    pub(crate) fn asks_owner(
        &mut self,
        state: &mut State,
        cond: &Cond,
    ) -> Option<(Rc<OwnerType<'m>>, ValId)> {
        let (Operand::Copy(place) | Operand::Move(place)) = cond.lhs else {
            return None;
        };
        let plain = matches!(cond.rhs, Operand::Const(Const::Int(0)));
        if !plain || !matches!(cond.op, CmpOp::Eq | CmpOp::Ne) {
            return None;
        }
        let owner = self.owner_at(place).filter(|o| !o.is_action())?;
        let at = self.place(state, place);
        Some((owner, self.read(state, at)))
    }

    /// The paths on which an owner of this value holds something or nothing; none where that is
    /// not known.
    pub(crate) fn asked(
        &mut self,
        mut state: State,
        owner: &OwnerType<'m>,
        v: ValId,
    ) -> Vec<(State, Option<bool>)> {
        if owner.empty.is_empty() {
            self.mark_judged(&mut state, v);
            return vec![(state, None)];
        }
        if let Some(n) = self.arena.as_int(v) {
            return vec![(state, Some(!owner.empty.contains(&n)))];
        }
        let res = state.res.get(v);
        if res.is_none() && !self.is_given(v) {
            return vec![(state, None)];
        }
        let failure = res.and_then(|r| r.failure).map(number);
        let excluded = |n: &i128| state.facts.get(v).is_some_and(|f| f.excludes(*n));
        let mut candidates: Vec<i128> = owner.empty.clone();
        // What the creation yields where it fails counts; what it never yields does not, unless
        // the owner knows of nothing else.
        if failure.is_none_or(|f| candidates.contains(&f)) {
            candidates.retain(|n| !excluded(n));
        } else {
            candidates.clear();
        }
        if candidates.is_empty() {
            candidates.extend(owner.empty.first());
        }
        let mut out = Vec::new();
        let mut full = state.clone();
        let mut can_be = true;
        for &n in &candidates {
            let n = self.arena.int(n);
            can_be = can_be && self.assume(&mut full, CmpOp::Ne, v, n, true);
        }
        if can_be {
            out.push((full, Some(true)));
        }
        for &n in &candidates {
            let n = self.arena.int(n);
            let mut none = state.clone();
            if self.assume(&mut none, CmpOp::Eq, v, n, true) {
                out.push((none, Some(false)));
            }
        }
        out
    }

    /// An assignment that makes, moves or copies an owner; false for any other.
    pub(crate) fn owner_assign(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) -> bool {
        let Rvalue::Use(op) = value else {
            return false;
        };
        let to = self.owner_at(dst).filter(|o| !o.is_action());
        if let Operand::Move(place) = op
            && self.owner_at(*place).is_some_and(|o| !o.is_action())
        {
            let Some(v) = self.moved_out(state, *place, true) else {
                return false;
            };
            match to {
                Some(owner) => self.set_owner(state, &owner, dst, v),
                None => {
                    let at = self.place(state, dst);
                    self.write(state, at, v);
                }
            }
            return true;
        }
        let Some(owner) = to else { return false };
        let v = match op {
            Operand::Const(Const::Null | Const::Int(0)) => self.nothing(state, &owner),
            Operand::Const(_) => self.operand(state, op),
            Operand::Copy(place) | Operand::Move(place) => {
                if self.is_named(*place)
                    && let Some(other) = self.owner_at(*place)
                {
                    self.copied(state, &other, *place)
                } else {
                    self.operand(state, op)
                }
            }
        };
        self.set_owner(state, &owner, dst, v);
        true
    }

    /// The address that `&owner` yields.
    pub(crate) fn owner_address(&mut self, state: &mut State, dst: PlaceId, place: PlaceId) {
        if self.is_named(dst) {
            // A reference that is bound.
            return;
        }
        let Some(owner) = self.owner_at(place).filter(|o| !o.is_action()) else {
            return;
        };
        if owner.model.role("operator&") != Some(Role::Put) {
            return;
        }
        let at = self.place(state, place);
        let held = self.read(state, at);
        self.owner_releases(state, &owner, held, &"operator&".into());
        let nothing = self.nothing(state, &owner);
        self.write(state, at, nothing);
    }

    /// Unknown code was given these arguments: it may have changed the owners among them.
    pub(crate) fn owners_changed(&mut self, state: &mut State, args: &[Operand]) {
        for arg in args {
            let Operand::Copy(place) = arg else { continue };
            if self.owner_at(*place).is_some_and(|o| !o.is_action()) && self.is_named(*place) {
                let at = self.place(state, *place);
                let unknown = self.fresh(state, 76);
                state.env.insert(at, unknown);
            }
        }
    }
}

/// Methods whose result lives no longer than what they are called on.
fn borrows(name: &str) -> bool {
    matches!(name, "as_handle" | "as_fd" | "as_socket")
}
