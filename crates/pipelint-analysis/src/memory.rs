//! Memory on a path: places to locations, reads, writes, and what is handed to others.

use pipelint_ir::{Base, FunctionKind, LocalKind, Operand, PlaceId, Proj, Type};

use crate::exec::Exec;
use crate::log::Action;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// The location a place names on this path.
    pub(crate) fn place(&mut self, state: &mut State, id: PlaceId) -> LocId {
        self.walk(state, id, false)
    }

    /// The same; where pointers on the way are followed, a freed one is told of.
    pub(crate) fn walk(&mut self, state: &mut State, id: PlaceId, touching: bool) -> LocId {
        let place = &self.function.places[id];
        let mut loc = self.arena.loc(match &place.base {
            Base::Local(l) => Loc::Local(*l),
            Base::SelfObj => Loc::SelfObj,
            Base::Global(name) => Loc::Global(name.clone()),
            Base::Captured(name) => Loc::Captured(name.clone()),
        });
        let union = self.answers.union(id, || self.is_union(id));
        for step in &place.proj {
            loc = match step {
                // The fields of a union are one place.
                Proj::Field(_) if union => self.arena.loc(Loc::Field(loc, "union".into())),
                Proj::Field(name) => self.arena.loc(Loc::Field(loc, name.clone())),
                Proj::Deref => {
                    if touching {
                        self.touch(state, loc);
                    }
                    self.deref(state, loc)
                }
                Proj::Index(i) => {
                    let array = if self.holds_pointer(state, loc) {
                        if touching {
                            self.touch(state, loc);
                        }
                        self.deref(state, loc)
                    } else {
                        loc
                    };
                    self.arena.loc(Loc::Elem(array, *i))
                }
            };
        }
        loc
    }

    /// A field, and no more, of a local that is a union.
    fn is_union(&self, id: PlaceId) -> bool {
        let place = &self.function.places[id];
        let (Base::Local(l), [Proj::Field(_)]) = (&place.base, &place.proj[..]) else {
            return false;
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return false;
        };
        let ty = self.program.resolve(&local.ty);
        let class = self
            .program
            .class_named(self.unit, &self.function.name, &ty.name);
        class.is_some_and(|c| c.is_union)
    }

    pub(crate) fn deref(&mut self, state: &mut State, loc: LocId) -> LocId {
        let v = self.read(state, loc);
        self.pointee(v)
    }

    pub(crate) fn pointee(&mut self, v: ValId) -> LocId {
        match self.arena.get(v) {
            Val::Ptr(loc) => *loc,
            _ => self.arena.loc(Loc::Deref(v)),
        }
    }

    /// An indexed location that holds a pointer is indexed through it.
    pub(crate) fn holds_pointer(&self, state: &State, loc: LocId) -> bool {
        match self.arena.get_loc(loc) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.ty.arrays == 0),
            _ => state.env.get(loc).is_some_and(|v| {
                matches!(self.arena.get(*v), Val::Ptr(_) | Val::Sym(Sym::Call { .. }))
            }),
        }
    }

    /// True for memory that code outside the function can reach.
    pub(crate) fn is_outside(&self, state: &State, loc: LocId) -> bool {
        let root = self.arena.root(loc);
        match self.arena.get_loc(root) {
            Loc::Local(l) => {
                state.exposed.get(root).is_some()
                    || self
                        .function
                        .locals
                        .get(l.0 as usize)
                        .is_none_or(|l| l.kind == LocalKind::Static)
                    || self.is_behind(state, loc)
            }
            Loc::Deref(p) => state.heap.get(*p).is_none(),
            _ => true,
        }
    }

    /// Which change by unknown code a location was last open to.
    pub(crate) fn epoch_of(&self, state: &State, loc: LocId) -> u32 {
        if self.alone {
            0
        } else if self.is_outside(state, loc) && !self.is_own_steady(state, loc) {
            state.epoch
        } else {
            0
        }
    }

    pub(crate) fn read(&mut self, state: &State, loc: LocId) -> ValId {
        if self.unknown_element(loc).is_some() {
            // Two reads with an unknown index need not mean the same element.
            let round = self.round(state);
            return self.arena.sym(Sym::Element {
                loc,
                stmt: self.stmt,
                round,
            });
        }
        if let Some(&v) = state.env.get(loc) {
            return self.unless_stale(state, loc, v);
        }
        if let Some(v) = self.number_of_handle(state, loc) {
            return v;
        }
        let mut at = loc;
        while let Loc::Field(parent, _) | Loc::Elem(parent, _) = self.arena.get_loc(at) {
            at = *parent;
            if let Some(&v) = state.env.get(at) {
                match self.arena.get(v) {
                    Val::Sym(Sym::Uninit { .. }) => return self.arena.sym(Sym::Uninit { loc }),
                    Val::Int(0) => return self.arena.int(0),
                    // A part of a copy is the part of what was copied.
                    Val::Sym(Sym::Load { loc: of, epoch }) if *of != at => {
                        let (of, epoch) = (*of, *epoch);
                        let part = self.rebase(loc, at, of);
                        return self.arena.sym(Sym::Load { loc: part, epoch });
                    }
                    Val::Sym(sym) => {
                        // A part of an unknown whole is unknown, and the same at each read.
                        let epoch = match sym {
                            Sym::Call { stmt, .. }
                            | Sym::Computed { stmt, .. }
                            | Sym::Inner { stmt, .. } => *stmt + 1,
                            _ => 0,
                        };
                        return self.arena.sym(Sym::Load { loc, epoch });
                    }
                    _ => break,
                }
            }
        }
        let epoch = self.epoch_of(state, loc);
        let v = self.arena.sym(Sym::Load { loc, epoch });
        self.unless_stale(state, loc, v)
    }

    /// Rust's crates wrap what the system yields in a struct with one field: `.0`, or `.Value` of a
    /// view. The field is the resource.
    fn number_of_handle(&self, state: &State, loc: LocId) -> Option<ValId> {
        let Loc::Field(whole, name) = self.arena.get_loc(loc) else {
            return None;
        };
        if !self.is_rust() || !matches!(name.as_str(), "0" | "Value") {
            return None;
        }
        let v = *state.env.get(*whole)?;
        state.res.get(v).map(|_| v)
    }

    /// The location that lies in `to` as this one does in `from`.
    pub(crate) fn rebase(&mut self, loc: LocId, from: LocId, to: LocId) -> LocId {
        if loc == from {
            return to;
        }
        match self.arena.get_loc(loc).clone() {
            Loc::Field(parent, name) => {
                let parent = self.rebase(parent, from, to);
                self.arena.loc(Loc::Field(parent, name))
            }
            Loc::Elem(parent, i) => {
                let parent = self.rebase(parent, from, to);
                self.arena.loc(Loc::Elem(parent, i))
            }
            _ => loc,
        }
    }

    /// Forgets the parts of a location.
    pub(crate) fn clear_within(&self, state: &mut State, whole: LocId) {
        state
            .env
            .retain(|loc, _| loc == whole || !self.arena.within(loc, whole));
        state
            .holds
            .retain(|loc, _| loc == whole || !self.arena.within(loc, whole));
        state
            .stale
            .retain(|loc, _| loc == whole || !self.arena.within(loc, whole));
    }

    pub(crate) fn write(&mut self, state: &mut State, loc: LocId, v: ValId) {
        self.clear_within(state, loc);
        self.write_keeping_parts(state, loc, v);
    }

    pub(crate) fn write_keeping_parts(&mut self, state: &mut State, loc: LocId, v: ValId) {
        if let Some(parent) = self.unknown_element(loc) {
            // Which element is not known: any may now hold it.
            self.clear_within(state, parent);
            let unknown = self.fresh(state, 99);
            state.env.insert(parent, unknown);
            self.escape(state, v);
            return;
        }
        self.begin_buffer(state, loc);
        self.note_event_of(state, loc, v);
        self.keeps_callback(state, loc, v);
        self.note_fill(state, loc, v);
        self.note_handle_fill(state, loc, v);
        self.scribble(state, loc, v);
        self.may_set_exposed(state, loc);
        self.refill(state, loc, v);
        let owner = self.owner_loc(loc).is_some();
        if self.is_outside(state, loc) || (self.is_owner(loc) && !owner) {
            let home = state
                .res
                .get(v)
                .is_some_and(|res| !res.escaped)
                .then_some(loc);
            self.share(state, v);
            // Nor does a caller hear of a write to memory that it does not know: what it gave is kept there.
            if matches!(self.arena.get_loc(self.arena.root(loc)), Loc::Deref(_))
                && !self.is_given_loc(loc)
                && !matches!(self.arena.get(v), Val::Cmp(..))
                && self.is_given(v)
            {
                self.record(state, Action::Take(v));
            }
            let known = self.is_callers(loc) || self.is_behind(state, loc);
            if let Some(res) = state.res.get_mut(v) {
                res.home = home;
                res.foreign |= !known;
            }
        }
        if owner && let Some(res) = state.res.get_mut(v) {
            res.owned = true;
        } else if state.res.get(v).is_some() && self.is_object_whole(loc) {
            // A class's own code takes it: a constructor, or an assignment operator.
            self.escape(state, v);
        }
        state.env.insert(loc, v);
        if self.recording && self.is_callers(loc) {
            self.record_write(state, loc, v);
        }
    }

    /// A local object of a class of the program that has code of its own, not a part of one.
    fn is_object_whole(&self, loc: LocId) -> bool {
        let Loc::Local(l) = *self.arena.get_loc(loc) else {
            return false;
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return false;
        };
        let ty = self.program.resolve(&local.ty);
        ty.is_object() && self.program.class(self.unit, &ty.name).is_some() && !self.is_plain(&ty)
    }

    /// The array that a location is an unknown element of, or a part of one.
    pub(crate) fn unknown_element(&self, mut loc: LocId) -> Option<LocId> {
        loop {
            match self.arena.get_loc(loc) {
                Loc::Elem(parent, None) => return Some(*parent),
                Loc::Field(parent, _) | Loc::Elem(parent, Some(_)) => loc = *parent,
                _ => return None,
            }
        }
    }

    pub(crate) fn copy_parts(&mut self, state: &mut State, from: LocId, to: LocId) {
        let parts: Vec<(LocId, ValId)> = state
            .env
            .iter()
            .filter(|(loc, _)| *loc != from && self.arena.within(*loc, from))
            .map(|(loc, v)| (loc, *v))
            .collect();
        self.clear_within(state, to);
        for (loc, v) in parts {
            let dst = self.arena.rebased(loc, from, to);
            self.write_keeping_parts(state, dst, v);
        }
    }

    /// A local of a class type that is neither a plain struct nor a handle: what is put into it
    /// is owned by it.
    pub(crate) fn is_owner(&self, loc: LocId) -> bool {
        let Loc::Local(l) = self.arena.get_loc(self.arena.root(loc)) else {
            return false;
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return true;
        };
        matches!(local.kind, LocalKind::Auto | LocalKind::Temp)
            && self.answers.owner(*l, || {
                // In Rust only a `Drop` of the program's own can do anything unseen.
                let may = !self.is_rust() || self.has_own_drop(&local.ty);
                may && !self.is_plain(&local.ty) && !self.is_transparent(&local.ty)
            })
    }

    /// A type with no destructor and no constructor, as far as names tell.
    pub(crate) fn is_plain(&self, ty: &Type) -> bool {
        let ty = self.program.resolve(ty);
        if !ty.is_object() {
            return true;
        }
        let name: &str = &ty.name;
        if self.program.models.is_handle_type(name) || name.is_empty() || name == "auto" {
            return true;
        }
        // What may be in it never ends with it.
        if name == "std::mem::MaybeUninit" {
            return true;
        }
        if let Some(class) = self.program.class(self.unit, name) {
            return class.bases.is_empty()
                && !class.methods.iter().any(|m| {
                    matches!(m.kind, FunctionKind::Destructor | FunctionKind::Constructor)
                });
        }
        if self.program.models.owner(name).is_some() {
            return false;
        }
        let caps = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        caps || is_primitive(name)
    }

    /// A write through a pointer that is not known may set a local whose address others have.
    fn may_set_exposed(&self, state: &mut State, loc: LocId) {
        let Loc::Deref(p) = self.arena.get_loc(self.arena.root(loc)) else {
            return;
        };
        if state.heap.get(*p).is_some() || state.exposed.is_empty() {
            return;
        }
        let unset: Vec<LocId> = state
            .env
            .iter()
            .filter(|(l, v)| {
                matches!(self.arena.get(**v), Val::Sym(Sym::Uninit { .. }))
                    && state.exposed.get(self.arena.root(*l)).is_some()
            })
            .map(|(l, _)| l)
            .collect();
        for l in unset {
            state.env.remove(l);
        }
    }

    /// A write to the caller's world: it has what is written.
    fn record_write(&mut self, state: &mut State, loc: LocId, v: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        let holder = self.private_holder(loc);
        for part in parts {
            if matches!(self.arena.get(part), Val::Sym(_)) && !self.is_given(part) {
                self.export(state, part, holder);
            }
        }
        let span = self.span;
        self.record(state, Action::Write { loc, v, span });
    }

    /// The caller learns that something was moved out of its place.
    pub(crate) fn tell_moved(&mut self, state: &mut State, loc: LocId, moved: ValId) {
        if self.recording && self.is_callers(loc) {
            self.record_write(state, loc, moved);
        }
    }

    /// Code that keeps what it is given takes the value over: its leak is not this function's.
    pub(crate) fn hand_over(&mut self, state: &mut State, v: ValId) {
        self.note_back(state, v);
        self.remember_shared(state, v);
        if self.is_given(v) {
            self.record(state, Action::Take(v));
        }
        self.share(state, v);
        self.note_taken(state, v);
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for part in parts {
            if let Some(res) = state.res.get_mut(part) {
                res.foreign = true;
            }
        }
    }

    /// The resource is now reachable from outside: its leak is not this function's.
    pub(crate) fn share(&mut self, state: &mut State, v: ValId) {
        self.remember_shared(state, v);
        if matches!(self.arena.get(v), Val::Cmp(..)) || self.only_reads(v) {
            return;
        }
        for captured in self.shared_by(v) {
            self.escape(state, captured);
        }
        self.give_boxes(state, &[v]);
        let mut held = Vec::new();
        self.let_go(state, v, &mut held);
        while let Some(inner) = held.pop() {
            self.let_go(state, inner, &mut held);
            self.note_passed_on(state, inner);
            if let Some(res) = state.res.get_mut(inner) {
                res.escaped = true;
                res.foreign = true;
                res.given_to = None;
            }
        }
        // A tagged or narrowed handle is still the handle.
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for part in parts {
            self.note_passed_on(state, part);
            if let Some(res) = state.res.get_mut(part) {
                res.escaped = true;
                res.given_to = None;
            }
        }
    }

    /// Unknown code has the value: it may keep, judge or release it, and write through it.
    pub(crate) fn escape(&mut self, state: &mut State, v: ValId) {
        self.remember_shared(state, v);
        if self.is_given(v) {
            self.record(state, Action::Escape(v));
        }
        if let Val::Sym(Sym::Element { loc, .. }) = *self.arena.get(v)
            && let Some(array) = self.unknown_element(loc)
        {
            // Any element of the caller's array.
            let whole = self.arena.val(Val::Ptr(array));
            if self.is_given(whole) {
                self.record(state, Action::Escape(whole));
            }
        }
        let mut todo = vec![v];
        let mut seen: Vec<ValId> = Vec::new();
        while let Some(v) = todo.pop() {
            if seen.contains(&v) {
                continue;
            }
            seen.push(v);
            if self.only_reads(v) {
                continue;
            }
            // By value, or in a variable that it has the address of; a borrow takes nothing over.
            if self.told_raw.contains(&v) {
                self.note_taken(state, v);
            }
            self.give_io(state, v);
            self.let_go(state, v, &mut todo);
            todo.extend(self.shared_by(v));
            self.note_passed_on(state, v);
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
                res.foreign = true;
                res.checked = true;
                res.given_to = None;
                res.home = None;
            }
            // A status given to unknown code (`NT_SUCCESS(status)`) is judged by it, in a way that
            // the path does not show.
            state.res.change(
                |_, res| res.judge == v,
                |res| {
                    res.escaped = true;
                    res.foreign = true;
                    res.checked = true;
                },
            );
            if state.failed_outs.iter().any(|(_, out)| out.judge == v) {
                state.doubtful = true;
                state.failed_outs.change(
                    |_, out| out.judge == v,
                    |out| {
                        out.checked = true;
                        out.unseen = true;
                    },
                );
            }
            state.failed_fields.change(
                |_, field| field.out.judge == v,
                |field| field.out.unseen = true,
            );
            match self.arena.get(v) {
                Val::Ptr(loc) => {
                    let loc = *loc;
                    let root = self.arena.root(loc);
                    let within = |l: &LocId| self.arena.within(*l, loc);
                    let held = state.env.iter().filter(|(l, _)| within(l));
                    let mut held: Vec<ValId> = held.map(|(_, v)| *v).collect();
                    if let Loc::Local(l) = *self.arena.get_loc(root) {
                        state.exposed.insert(root, ());
                        // A parameter that nobody has read yet holds what the caller gave.
                        if l.0 < self.function.params && state.env.get(loc).is_none() {
                            held.push(self.read(state, loc));
                        }
                        // What a caller gave goes with the variable that holds it.
                        for v in &held {
                            if self.is_given(*v) && !matches!(self.arena.get(*v), Val::Cmp(..)) {
                                self.record(state, Action::Escape(*v));
                            }
                        }
                    } else if self.is_given_object(root) {
                        state.exposed.insert(loc, ());
                    }
                    todo.append(&mut held);
                }
                Val::Sym(Sym::Load { .. }) if self.is_parameter(v) => {
                    let whole = self.arena.loc(Loc::Deref(v));
                    state.exposed.insert(whole, ());
                }
                Val::Bin(_, a, b) | Val::Cmp(_, a, b) => todo.extend([*a, *b]),
                Val::Narrow(inner, _) => todo.push(*inner),
                Val::Sym(Sym::Element { loc, .. }) => {
                    if let Some(array) = self.unknown_element(*loc) {
                        todo.extend(
                            state
                                .env
                                .iter()
                                .filter(|(l, _)| self.arena.within(*l, array))
                                .map(|(_, v)| *v),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    /// Unknown code is given a structure or an array whole: what its parts hold goes with it.
    pub(crate) fn escape_parts(&mut self, state: &mut State, op: &Operand) {
        if let Operand::Copy(place) | Operand::Move(place) = op {
            let whole = self.place(state, *place);
            self.escape_within(state, whole);
        }
    }

    /// What the parts of a location hold goes to unknown code.
    pub(crate) fn escape_within(&mut self, state: &mut State, whole: LocId) {
        let held: Vec<ValId> = state
            .env
            .iter()
            .filter(|(loc, _)| *loc != whole && self.arena.within(*loc, whole))
            .map(|(_, v)| *v)
            .collect();
        for v in held {
            self.escape(state, v);
        }
    }
}

pub(crate) fn is_primitive(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "wchar_t",
        "char8_t", "char16_t", "char32_t", "size_t", "ssize_t", "void", "FILE",
    ];
    name.split(' ')
        .all(|w| WORDS.contains(&w) || (w.ends_with("_t") && !w.contains("::")))
}
