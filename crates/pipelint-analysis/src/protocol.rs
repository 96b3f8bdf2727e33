//! Storage that outlives a call: what one function leaves in a field, a global or a static, and
//! what another does to what it finds there.
//!
//! A function is run without knowing who ran before it. What it leaves closed and what it closes
//! without having made it are noted, and joined when all functions have been run.

use pipelint_ir::{FunctionKind, Name, Type};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::memo::Memo;
use crate::program::{ClassRef, FnRef, scope_of};
use crate::state::{Closed, Fact, Res, State, Status};
use crate::summaries::Order;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Notes of one kind that one function may leave.
const MOST_NOTES: usize = 64;

/// A class, or the name of a struct that no file of the run defines.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A class of the program.
    Class(ClassRef),
    /// A type by its name.
    Named(Name),
}

/// A place that outlives the call: the same one for every object of its class.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Storage {
    /// A field.
    Field(Owner, Name),
    /// A global; the unit for one that only its file sees.
    Global(Option<usize>, Name),
    /// A function's static.
    Static(FnRef, Name),
}

/// What is known of the places beside one: fields of the same object, or globals.
type Beside = Vec<(Name, Fact)>;

/// A function releases what a place held when the function began.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) storage: Storage,
    pub(crate) function: FnRef,
    pub(crate) api: Name,
    pub(crate) at: Span,
    /// The call takes an empty value without harm.
    pub(crate) null_ok: bool,
    /// What the path knows of the value.
    pub(crate) fact: Fact,
    pub(crate) beside: Beside,
    pub(crate) path: Vec<PathStep>,
}

/// A function ends with a place holding what it released.
#[derive(Debug, Clone)]
pub(crate) struct Stale {
    pub(crate) storage: Storage,
    pub(crate) function: FnRef,
    pub(crate) closed: (Name, Span),
    /// The release as this function shows it: itself, or the call that leads to it.
    pub(crate) at: Span,
    pub(crate) resource: Resource,
    /// What the function returns there.
    pub(crate) look: Look,
    /// Constants in the places beside it.
    pub(crate) beside: Vec<(Name, i128)>,
    pub(crate) path: Vec<PathStep>,
    /// The function made the object that the field is in, and gave it away.
    pub(crate) published: bool,
}

/// What a caller sees of a function's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    /// It returns nothing.
    Nothing,
    /// It returns this.
    Value(i128),
    /// It returns something that is not known.
    Unknown,
}

/// Everything one function's execution notes for the protocol of the program's storage.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) found: Vec<Found>,
    pub(crate) stale: Vec<Stale>,
    /// Places that are set to this value when what they held has been released.
    pub(crate) emptied: FxHashSet<(Storage, i128)>,
    /// Parameters whose pointee is set to this value when what it held has been released.
    pub(crate) emptied_pointee: FxHashSet<(usize, i128)>,
    /// Places whose address is given to a function of the program, by its parameter.
    pub(crate) given: FxHashSet<(Storage, FnRef, usize)>,
    /// Places filled anew while they hold something, if anybody leaves something live there.
    pub(crate) refilled: Vec<(Storage, Event)>,
    /// Ends that leave something live in a place.
    pub(crate) live: FxHashSet<(Storage, Look)>,
    /// Places and releases of what they held, after which the place is seen to be empty, gone or
    /// filled anew at the function's end.
    pub(crate) settled: FxHashSet<(Storage, Span)>,
}

impl Exec<'_, '_> {
    /// The place that a location of the caller's world is; none for what has no name of its own.
    pub(crate) fn storage(&self, loc: LocId) -> Option<Storage> {
        match self.arena.get_loc(loc) {
            Loc::Field(parent, field) => {
                let ty = self.type_of_loc(*parent)?;
                let name = self.program.resolve(&ty).name.clone();
                if name.is_empty() || name == "auto" {
                    return None;
                }
                let class = self
                    .program
                    .class_ref_in(self.unit, &self.function.name, &name);
                let owner = class.map_or(Owner::Named(name), Owner::Class);
                Some(Storage::Field(owner, field.clone()))
            }
            Loc::Global(name) => {
                let internal = self.program.globals.is_internal(self.unit, name);
                Some(Storage::Global(internal.then_some(self.unit), name.clone()))
            }
            Loc::Local(l) if self.is_static(*l) => {
                let name = self.function.locals[l.0 as usize].name.clone();
                Some(Storage::Static(self.me, name))
            }
            _ => None,
        }
    }

    /// The declared type of what stands at a location, pointers set aside.
    fn type_of_loc(&self, loc: LocId) -> Option<Type> {
        let mut fields: Vec<&Name> = Vec::new();
        let mut at = loc;
        let mut ty = loop {
            match self.arena.get_loc(at) {
                Loc::Field(parent, field) => {
                    fields.push(field);
                    at = *parent;
                }
                Loc::Elem(parent, _) => at = *parent,
                Loc::Local(l) => break self.function.locals.get(l.0 as usize)?.ty.clone(),
                Loc::SelfObj => break Type::named(self.function.class.clone()?),
                Loc::Global(name) => {
                    let globals = &self.program.units[self.unit].globals;
                    break globals.iter().find(|g| g.name == *name)?.ty.clone();
                }
                Loc::Captured(_) => return None,
                Loc::Deref(v) => match (self.pointees.get(v), self.arena.get(*v)) {
                    (Some(class), _) => {
                        break Type::named(self.program.class_at(*class).name.clone());
                    }
                    (None, Val::Sym(Sym::Load { loc, .. })) => at = *loc,
                    _ => return None,
                },
            }
        };
        for field in fields.into_iter().rev() {
            let name = self.program.resolve(&ty).name.clone();
            let class = self
                .program
                .class_named(self.unit, &self.function.name, &name)?;
            ty = class.fields.iter().find(|f| f.name == *field)?.ty.clone();
        }
        Some(ty)
    }

    /// The location that a value was read from, when it is one that outlives the call.
    fn read_from(&self, v: ValId) -> Option<(LocId, Storage)> {
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v) else {
            return None;
        };
        if !self.is_callers(*loc) {
            return None;
        }
        Some((*loc, self.storage(*loc)?))
    }

    /// The parameter that a location is the whole pointee of.
    fn pointee_of_parameter(&self, loc: LocId) -> Option<usize> {
        let Loc::Deref(p) = self.arena.get_loc(loc) else {
            return None;
        };
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*p) else {
            return None;
        };
        match self.arena.get_loc(*loc) {
            Loc::Local(l) if l.0 < self.function.params => Some(l.0 as usize),
            _ => None,
        }
    }

    /// A function of the program is given the addresses of places.
    pub(crate) fn note_given(&mut self, f: FnRef, args: &[ValId]) {
        for (i, v) in args.iter().enumerate() {
            if let Val::Ptr(loc) = *self.arena.get(*v)
                && self.is_callers(loc)
                && let Some(storage) = self.storage(loc)
            {
                self.notes.given.insert((storage, f, i));
            }
        }
    }

    /// What a place held before is released.
    pub(crate) fn note_found(&mut self, state: &State, v: ValId, api: &Name, null_ok: bool) {
        if state.doubtful || self.notes.found.len() >= MOST_NOTES {
            return;
        }
        let Some((loc, storage)) = self.read_from(v) else {
            return;
        };
        let path = self.path(state, Some(v), StepKind::Closed(api.clone()));
        let same =
            self.notes.found.iter().position(|f| {
                f.storage == storage && f.at == self.span && f.path.len() <= path.len()
            });
        if same.is_some() {
            return;
        }
        self.notes.found.push(Found {
            storage,
            function: self.me,
            api: api.clone(),
            at: self.span,
            null_ok,
            fact: state.facts.get(v).cloned().unwrap_or_default(),
            beside: self.beside_facts(state, loc),
            path,
        });
    }

    /// A condition holds: what it shows of storage is remembered for what happens to its
    /// neighbours.
    pub(crate) fn remember_facts(&self, state: &mut State, a: ValId, b: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        for v in parts {
            if let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v)
                && matches!(self.arena.get_loc(*loc), Loc::Field(..) | Loc::Global(_))
                && self.is_callers(*loc)
                && let Some(fact) = state.facts.get(v)
            {
                let fact = fact.clone();
                state.memos.push(Memo::Known(v, fact));
            }
        }
    }

    /// What the path knows of the places beside one, from before it changed them.
    fn beside_facts(&self, state: &State, loc: LocId) -> Beside {
        let mut beside: Beside = Vec::new();
        for memo in state.memos.iter() {
            if let Memo::Known(v, fact) = memo
                && let Val::Sym(Sym::Load { loc: other, .. }) = self.arena.get(*v)
                && *other != loc
                && let Some(name) = self.neighbour(loc, *other)
                && !beside.iter().any(|(known, _)| *known == name)
            {
                beside.push((name, fact.clone()));
            }
        }
        beside
    }

    /// Constants that the path left beside a place.
    fn beside_constants(&self, state: &State, closed: &Closed, loc: LocId) -> Vec<(Name, i128)> {
        let mut beside: Vec<(Name, Option<i128>)> = Vec::new();
        let before = closed.memos.iter().flat_map(|m| m.iter());
        for memo in state.memos.iter().chain(before) {
            if let Memo::Wrote(other, value) = memo
                && *other != loc
                && let Some(name) = self.neighbour(loc, *other)
                && !beside.iter().any(|(known, _)| *known == name)
            {
                beside.push((name, *value));
            }
        }
        let constants = beside.into_iter();
        constants
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// The name of a location beside another: a field of one object, or a global.
    fn neighbour(&self, loc: LocId, other: LocId) -> Option<Name> {
        match (self.arena.get_loc(loc), self.arena.get_loc(other)) {
            (Loc::Field(a, _), Loc::Field(b, name)) if a == b => Some(name.clone()),
            (_, Loc::Global(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// What storage held, and a condition spoke of, goes to code that may keep it.
    pub(crate) fn remember_shared(&self, state: &mut State, v: ValId) {
        if state.facts.get(v).is_some() && matches!(self.arena.get(v), Val::Sym(Sym::Load { .. })) {
            state.memos.push(Memo::Shared(v));
        }
    }

    /// A place is filled anew though the path knows that it was not empty.
    fn note_refilled(&mut self, state: &State, loc: LocId, new: ValId) {
        if state.doubtful || self.notes.refilled.len() >= MOST_NOTES {
            return;
        }
        let old = self.read(state, loc);
        let (Some(fact), Some((from, storage))) = (state.facts.get(old), self.read_from(old))
        else {
            return;
        };
        let Some(res) = state.res.get(new) else {
            return;
        };
        let Some(empty) = res.failure.map(number).filter(|_| self.leaks(&res.kind)) else {
            return;
        };
        let kept = state.env.iter().any(|(other, x)| *x == old && other != loc)
            || state.memos.iter().any(|m| *m == Memo::Shared(old));
        if from != loc
            || kept
            || state.res.get(old).is_some()
            || !fact.excludes(empty)
            || fact.exact().is_some()
        {
            return;
        }
        let var = self.loc_name(loc);
        let path = self.path(state, Some(old), StepKind::Assigned(var.clone()));
        self.notes.refilled.push((
            storage,
            Event {
                kind: EventKind::Overwritten { var },
                at: self.at(),
                function: self.function.name.clone(),
                resource: Some(self.resource(res)),
                path,
                others: Vec::new(),
            },
        ));
    }

    /// A value is released: the storage that it was read from, or put in, holds it still.
    pub(crate) fn leave_closed(&mut self, state: &mut State, v: ValId, kind: &str, api: &Name) {
        if self.guessed && self.is_memory(kind) {
            // A helper frees under a condition (`realloc` of no bytes) that may never hold here.
            return;
        }
        self.remember_shared(state, v);
        let mut places: Vec<LocId> = state
            .env
            .iter()
            .chain(state.holds.iter())
            .filter(|(loc, x)| **x == v && self.is_callers(*loc))
            .map(|(loc, _)| loc)
            .collect();
        places.sort_unstable();
        places.dedup();
        if let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v)
            && self.is_callers(loc)
            && self.read(state, loc) == v
        {
            places.push(loc);
        }
        // What the pointer leads to ends with it.
        let gone: Vec<LocId> = state
            .stale
            .iter()
            .filter(|(loc, _)| self.leads_through(*loc, v))
            .map(|(loc, _)| loc)
            .collect();
        for loc in gone {
            if let Some(closed) = state.stale.get(loc) {
                let at = closed.at;
                self.settle_storage(loc, at);
            }
            state.stale.remove(loc);
        }
        if places.is_empty() {
            return;
        }
        let res = state.res.get(v).filter(|res| !res.adopted);
        let closed = Closed {
            api: api.clone(),
            at: self.span,
            v,
            kind: res.map_or_else(|| Name::new(kind), |res| res.kind.clone()),
            made: res.map(|res| (res.api.clone(), res.origin)),
            failure: res.and_then(|res| res.failure),
            trace: state.trace.clone(),
            memos: None,
        };
        for loc in places {
            state.filled.remove(loc);
            if self.storage(loc).is_some() || self.pointee_of_parameter(loc).is_some() {
                state.stale.insert(loc, closed.clone());
            }
        }
    }

    /// What a place held when it was released here can mislead nobody.
    fn settle_storage(&mut self, loc: LocId, released: Span) {
        if let Some(storage) = self.storage(loc) {
            self.notes.settled.insert((storage, released));
        }
    }

    /// A place is written: what it held before is no longer there.
    pub(crate) fn refill(&mut self, state: &mut State, loc: LocId, v: ValId) {
        if self.is_callers(loc)
            && matches!(self.arena.get_loc(loc), Loc::Field(..) | Loc::Global(_))
        {
            let constant = self.arena.as_int(v);
            state.memos.push(Memo::Wrote(loc, constant));
        }
        let made = |res: &Res| !res.adopted && res.status == Status::Open;
        if state.res.get(v).is_some_and(made) && self.is_callers(loc) {
            self.note_refilled(state, loc, v);
            state.filled.insert(loc, v);
            state.holds.insert(loc, v);
        } else {
            state.filled.remove(loc);
            state.holds.remove(loc);
        }
        let Some(closed) = state.stale.get(loc) else {
            return;
        };
        if closed.v == v {
            return;
        }
        let at = closed.at;
        self.settle_storage(loc, at);
        if let Val::Int(value @ (0 | -1)) = *self.arena.get(v) {
            if let Some(storage) = self.storage(loc) {
                self.notes.emptied.insert((storage, value));
            } else if let Some(n) = self.pointee_of_parameter(loc) {
                self.notes.emptied_pointee.insert((n, value));
            }
        }
        state.stale.remove(loc);
    }

    /// The function ends: places that hold what it released, or something live, are noted.
    pub(crate) fn note_stale(&mut self, state: &State, result: Option<ValId>) {
        if self.function.kind == FunctionKind::Destructor {
            // The object's last user.
            for (loc, closed) in state.stale.iter() {
                self.settle_storage(loc, closed.at);
            }
            return;
        }
        if state.doubtful || self.function.kind == FunctionKind::Constructor {
            return;
        }
        let look = match result {
            None => Look::Nothing,
            Some(v) => match *self.arena.get(v) {
                Val::Int(value) => Look::Value(value),
                _ => Look::Unknown,
            },
        };
        for (loc, v) in state.filled.iter() {
            let failed = state
                .res
                .get(*v)
                .is_some_and(|res| self.outcome(state, *v, res) == Outcome::Failed);
            if !failed && let Some(storage) = self.storage(loc) {
                self.notes.live.insert((storage, look));
            }
        }
        for (loc, closed) in state.stale.iter() {
            self.note_stale_place(state, loc, closed, look);
        }
    }

    fn note_stale_place(&mut self, state: &State, loc: LocId, closed: &Closed, look: Look) {
        if self.is_entry_point() {
            self.settle_storage(loc, closed.at);
            return;
        }
        let Some(storage) = self.storage(loc) else {
            return;
        };
        if self.notes.stale.len() >= MOST_NOTES {
            return;
        }
        let made = closed.made.as_ref().map(|(_, span)| *span);
        let mut path = closed.trace.path(Some(closed.v), made);
        let released = PathStep {
            span: closed.at,
            what: StepKind::Closed(closed.api.clone()),
        };
        if !path.contains(&released) {
            path.push(released);
        }
        let end = PathStep {
            span: self.span,
            what: StepKind::Left,
        };
        if path.last() != Some(&end) {
            path.push(end);
        }
        let known = self.notes.stale.iter().position(|s| {
            s.storage == storage
                && s.closed.1 == closed.at
                && (s.look == look || s.look != Look::Unknown)
                && s.path.len() <= path.len()
        });
        if known.is_some() {
            return;
        }
        // A release in a called function shows where that is called.
        let called = path
            .iter()
            .filter(|s| matches!(s.what, StepKind::Called(_)));
        let at = called.map(|s| s.span).next_back().unwrap_or(closed.at);
        let beside = self.beside_constants(state, closed, loc);
        let kind = self.program.models.resource(&closed.kind);
        let resource = Resource {
            api: closed
                .made
                .as_ref()
                .map_or_else(Name::default, |m| m.0.clone()),
            created: made.unwrap_or(closed.at),
            origin: made.unwrap_or(closed.at),
            var: self.loc_name(loc),
            noun: kind.map_or_else(|| "resource".into(), |k| Name::new(&k.noun)),
            release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
            failure: closed.failure,
            handed_on: None,
        };
        let published = self.is_published(state, loc);
        self.notes.stale.push(Stale {
            storage,
            function: self.me,
            closed: (closed.api.clone(), closed.at),
            at,
            resource,
            look,
            beside,
            path,
            published,
        });
    }

    /// A location is reached through this pointer.
    fn leads_through(&self, loc: LocId, pointer: ValId) -> bool {
        let mut at = self.arena.root(loc);
        while let Loc::Deref(p) = self.arena.get_loc(at) {
            if *p == pointer {
                return true;
            }
            match self.arena.get(*p) {
                Val::Sym(Sym::Load { loc, .. }) => at = self.arena.root(*loc),
                _ => return false,
            }
        }
        false
    }

    /// This function made the object, and others have it now.
    fn is_published(&self, state: &State, loc: LocId) -> bool {
        let Loc::Deref(p) = self.arena.get_loc(self.arena.root(loc)) else {
            return false;
        };
        let made = state.res.get(*p);
        made.is_some_and(|res| !res.adopted && res.escaped && res.status == Status::Open)
    }
}

/// Joins what functions leave closed with what others release; `told` are releases of which
/// a path to a second release was shown.
pub(crate) fn join(
    functions: &[FnRef],
    order: &Order,
    notes: &mut [(usize, Notes)],
    told: &FxHashSet<Span>,
    name: &dyn Fn(FnRef) -> (Name, Span, FunctionKind),
    offered: &dyn Fn(FnRef) -> bool,
) -> Vec<Event> {
    let mut found: FxHashMap<Storage, Vec<Found>> = FxHashMap::default();
    let mut emptied: FxHashSet<(Storage, i128)> = FxHashSet::default();
    let mut settled: FxHashSet<(usize, Storage, Span)> = FxHashSet::default();
    let mut live: FxHashSet<(usize, Storage, Look)> = FxHashSet::default();
    // Functions that empty some field of a class after they released what it held.
    let mut tidy: FxHashSet<(usize, Owner)> = FxHashSet::default();
    let mut emptied_pointee: FxHashSet<((FnRef, usize), i128)> = FxHashSet::default();
    let mut refilled: Vec<(Storage, Event)> = Vec::new();
    let mut given: Vec<(Storage, FnRef, usize)> = Vec::new();
    let mut stale: Vec<(usize, Stale)> = Vec::new();
    for (i, notes) in notes.iter_mut() {
        for one in notes.found.drain(..) {
            found.entry(one.storage.clone()).or_default().push(one);
        }
        for (storage, value) in notes.emptied.drain() {
            if let Storage::Field(owner, _) = &storage {
                tidy.insert((*i, owner.clone()));
            }
            emptied.insert((storage, value));
        }
        let f = functions[*i];
        let pointees = notes.emptied_pointee.drain();
        emptied_pointee.extend(pointees.map(|(n, value)| ((f, n), value)));
        given.extend(notes.given.drain());
        live.extend(
            notes
                .live
                .drain()
                .map(|(storage, look)| (*i, storage, look)),
        );
        refilled.append(&mut notes.refilled);
        let ends = notes.settled.drain();
        settled.extend(ends.map(|(storage, span)| (*i, storage, span)));
        stale.extend(notes.stale.drain(..).map(|s| (*i, s)));
    }
    for (storage, f, n) in given {
        for empty in [0, -1] {
            if emptied_pointee.contains(&((f, n), empty)) {
                emptied.insert((storage.clone(), empty));
            }
        }
    }
    for uses in found.values_mut() {
        uses.sort_by_key(|f| (f.path.len(), f.at));
    }
    let left: FxHashSet<(usize, Storage, Span)> = stale
        .iter()
        .map(|(i, s)| (*i, s.storage.clone(), s.closed.1))
        .collect();
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
    for (i, calls) in order.calls.iter().enumerate() {
        for &j in calls {
            if i != j {
                callers[j].push(i);
            }
        }
    }
    stale.sort_by_key(|(i, s)| (s.at, s.path.len(), *i));
    let mut events = lost(refilled, &live);
    let mut firsts: FxHashMap<(Storage, FnRef), usize> = FxHashMap::default();
    let mut spans: FxHashSet<(Storage, Span)> = FxHashSet::default();
    for (i, s) in &stale {
        // Whoever calls it sees to it.
        let above = &callers[*i];
        let seen_to = |c: &usize| {
            let key = (*c, s.storage.clone(), s.closed.1);
            settled.contains(&key) && !left.contains(&key)
        };
        let Some(uses) = found.get(&s.storage) else {
            continue;
        };
        // Whom a class offers it to, besides its own methods, is not seen; the object's end comes after
        // them all.
        let class = |f: FnRef| scope_of(&name(f).0).to_owned();
        let own = |c: &usize| class(functions[*c]) == class(s.function);
        let ends = |f: &Found| name(f.function).2 == FunctionKind::Destructor;
        let open = offered(s.function) && above.iter().all(own) && uses.iter().any(ends);
        if !above.is_empty() && above.iter().all(seen_to) && !open {
            continue;
        }
        // Nothing shows that a struct is used after this function closed what it holds, but that
        // the function ends in the same way with the place filled, or empties its neighbours.
        let goes_on = match &s.storage {
            Storage::Field(owner, _) => {
                s.published
                    || s.look != Look::Unknown && live.contains(&(*i, s.storage.clone(), s.look))
                    || tidy.contains(&(*i, owner.clone()))
            }
            _ => true,
        };
        let again = uses.iter().find(|f| {
            let ends = name(f.function).2 == FunctionKind::Destructor;
            (ends || goes_on && holds_for_live(s, f, &emptied)) && !contradicts(s, f)
        });
        // A path on which it is released again was shown already.
        let shown = s.at == s.closed.1 && told.contains(&s.closed.1);
        let again = again.filter(|_| !shown);
        let Some(again) = again else { continue };
        if !spans.insert((s.storage.clone(), s.closed.1)) {
            continue;
        }
        let step = PathStep {
            span: s.at,
            what: StepKind::Closed(s.closed.0.clone()),
        };
        if let Some(&n) = firsts.get(&(s.storage.clone(), s.function)) {
            let known: &mut Event = &mut events[n];
            if known.at != s.at {
                known.others.push(step);
                known.others.sort_by_key(|s| s.span);
                known.others.dedup_by_key(|s| s.span);
            }
            continue;
        }
        let (by, entry, _) = name(again.function);
        let mut path = s.path.clone();
        path.push(PathStep {
            span: entry,
            what: StepKind::Method(by.clone()),
        });
        path.extend(again.path.iter().cloned());
        firsts.insert((s.storage.clone(), s.function), events.len());
        events.push(Event {
            kind: EventKind::LeftClosed {
                closed: s.closed.0.clone(),
                by,
                api: again.api.clone(),
            },
            at: s.at,
            function: name(s.function).0,
            resource: Some(s.resource.clone()),
            path,
            others: Vec::new(),
        });
    }
    events
}

/// Places that hold what some function left live there, and are filled anew.
fn lost(
    mut refilled: Vec<(Storage, Event)>,
    live: &FxHashSet<(usize, Storage, Look)>,
) -> Vec<Event> {
    refilled.retain(|(storage, _)| live.iter().any(|(_, other, _)| other == storage));
    refilled.sort_by_key(|(_, e)| (e.at, e.path.len()));
    refilled.dedup_by_key(|(_, e)| e.at);
    refilled.into_iter().map(|(_, event)| event).collect()
}

/// What the one leaves beside the place is not what the other finds there.
fn contradicts(s: &Stale, f: &Found) -> bool {
    let left = |name: &Name, fact: &Fact| {
        let beside = s.beside.iter().filter(|(other, _)| other == name);
        beside.into_iter().any(|(_, value)| fact.excludes(*value))
    };
    f.fact.exact().is_some() || f.beside.iter().any(|(name, fact)| left(name, fact))
}

/// What one function leaves closed, another takes for live.
fn holds_for_live(s: &Stale, f: &Found, emptied: &FxHashSet<(Storage, i128)>) -> bool {
    let own = f.function == s.function;
    if own && matches!(s.storage, Storage::Field(..)) {
        // Run twice on one object: nothing shows that anybody does.
        return false;
    }
    if s.published && !own {
        return true;
    }
    // The program's own convention: a place whose content was released is set to this value, and
    // whoever finds another takes it for live.
    [0, -1].iter().any(|empty| {
        let set = emptied.contains(&(s.storage.clone(), *empty));
        let asked = f.fact.excludes(*empty) || (f.null_ok && *empty == 0);
        set && asked
    })
}
