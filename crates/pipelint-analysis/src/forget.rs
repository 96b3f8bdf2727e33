//! Values that Rust is told not to end: `mem::forget`, `ManuallyDrop`, `into_raw`, and the second value
//! that `ptr::read` makes.

use pipelint_ir::{Base, Callee, Class, Name, Operand, PlaceId, Statement, Type};

use crate::boxed::MAKER;
use crate::event::{Event, EventKind, LeakHow, StepKind};
use crate::exec::{Exec, Outcome};
use crate::holders::is_guard;
use crate::program::{ClassRef, last};
use crate::rust::{DEPTH, parts_of};
use crate::state::{Fact, Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// The kind of resource that memory is which `into_raw` gave out.
pub(crate) const RAW_BOX: &str = "raw-box";
/// What a `ManuallyDrop` keeps from ending, as the front end names it.
pub(crate) const KEPT: &str = "{held}";
const MANUALLY_DROP: &str = "std::mem::ManuallyDrop";

impl<'p> Exec<'p, '_> {
    /// A call of one of them; false for any other.
    pub(crate) fn forget_call(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &'p Callee,
        args: &'p [Operand],
    ) -> bool {
        let Callee::Function(name) = callee else {
            return false;
        };
        match (name.as_str(), args) {
            ("std::mem::forget", [arg]) => {
                if let Operand::Copy(place) | Operand::Move(place) = arg {
                    let v = self.operand(state, arg);
                    self.note_parked(state, v, name);
                    let object = self.place(state, *place);
                    self.hand_over_io(state, object);
                }
                self.forget(state, arg)
            }
            ("std::ptr::read", [at]) => {
                let Some(dst) = dst else { return true };
                let v = self.operand(state, at);
                let from = self.pointee(v);
                self.touch(state, from);
                let to = self.place(state, dst);
                self.copy_parts(state, from, to);
                let v = self.read(state, from);
                self.write_keeping_parts(state, to, v);
                self.owners_made.insert(v, self.at());
                true
            }
            _ if is_raw_maker(name) => {
                // A shared pointer is its address; a box is what it holds.
                let shared = args.first().filter(|_| !name.contains("CString"));
                let v = match shared {
                    Some(arg) => self.operand(state, arg),
                    None => self.fresh(state, 0),
                };
                let mut fact = Fact::default();
                fact.exclude(0);
                state.facts.insert(v, fact);
                if dst.is_none_or(|dst| self.is_dropped_result(dst)) {
                    self.note_parked(state, v, name);
                }
                if !self.adds_a_count(name, args, dst) {
                    self.made_box(state, v, name, dst);
                }
                self.store_result(state, dst, v);
                true
            }
            _ if takes_back(name) => {
                let [arg, ..] = args else { return false };
                let v = self.operand(state, arg);
                let whole = self.box_around(state, v);
                self.take_back(state, whole);
                if name == MAKER {
                    self.begin_box(state, v);
                }
                self.store_result(state, dst, v);
                true
            }
            _ => false,
        }
    }

    /// `mem::forget(x)`: what `x` owns is nobody's any more. False where nothing is known of it.
    fn forget(&mut self, state: &mut State, arg: &Operand) -> bool {
        let (Operand::Copy(place) | Operand::Move(place)) = arg else {
            return false;
        };
        let Some(ty) = self.declared_type_of(*place) else {
            return false;
        };
        if !self.ends(&ty, DEPTH) {
            return false;
        }
        let object = self.place(state, *place);
        let closer = Name::new_static("mem::forget");
        self.forget_typed(state, object, &ty, &closer, DEPTH);
        true
    }

    /// A `ManuallyDrop` goes, and what it keeps stays.
    pub(crate) fn end_kept(&mut self, state: &mut State, object: LocId, ty: &Type) -> bool {
        if ty.name != MANUALLY_DROP {
            return false;
        }
        if let Some(of) = ty.args.first() {
            let kept = self.arena.loc(Loc::Field(object, Name::new_static(KEPT)));
            let of = crate::rust::type_of(of);
            let closer = Name::new_static("ManuallyDrop");
            self.forget_typed(state, kept, &of, &closer, DEPTH);
        }
        true
    }

    /// What a `ManuallyDrop` keeps.
    pub(crate) fn is_kept_value(&self, loc: LocId) -> bool {
        let Loc::Field(parent, name) = self.arena.get_loc(loc) else {
            return false;
        };
        name == KEPT
            && self
                .loc_type(*parent)
                .is_some_and(|ty| ty.name == MANUALLY_DROP)
    }

    /// A `Drop` ran that is not seen: what fields keep from ending may have been ended there.
    pub(crate) fn may_end_kept(&mut self, state: &mut State, object: LocId, class: &Class) {
        for field in &class.fields {
            if field.ty.name == MANUALLY_DROP {
                let at = self.arena.loc(Loc::Field(object, field.name.clone()));
                let kept = self.arena.loc(Loc::Field(at, Name::new_static(KEPT)));
                self.mark_moved(state, kept);
            }
        }
    }

    fn forget_typed(&mut self, state: &mut State, object: LocId, ty: &Type, by: &Name, depth: u32) {
        if depth == 0 || !ty.is_object() || self.is_moved(state, object) {
            return;
        }
        if is_guard(&ty.name) {
            self.rust_guard_forgotten(state, object);
            return;
        }
        if let Some(owner) = self.owner_named(ty).filter(|o| !o.is_action()) {
            let v = self.read(state, object);
            if self.is_only_owner(state, object, v) {
                // It was the caller's, who gave it away to be ended.
                let kind = owner.kind.clone().unwrap_or_else(|| "handle".into());
                let var = self.loc_name(object);
                let mut res = self.live_resource(Name::default(), &kind, var, v);
                res.owned = true;
                state.res.insert(v, res);
            }
            self.forget_resource(state, object, v, by);
            return;
        }
        let class = self.program.class_named(self.unit, self.scope(), &ty.name);
        let fields = class.map(|class| {
            let fields = class.fields.iter();
            fields.map(|f| (f.name.clone(), f.ty.clone())).collect()
        });
        for (field, ty) in fields.unwrap_or_else(|| parts_of(ty)) {
            let part = self.arena.loc(Loc::Field(object, field));
            self.forget_typed(state, part, &ty, by, depth - 1);
        }
    }

    /// A part of what a `ManuallyDrop` keeps from ending, or a `Drop` of the program's own may.
    pub(crate) fn never_ends(&self, loc: LocId) -> bool {
        let mut at = loc;
        while let Loc::Field(parent, _) = *self.arena.get_loc(at) {
            let ty = self.loc_type(parent);
            if ty.is_some_and(|ty| ty.name == MANUALLY_DROP || self.has_own_drop(&ty)) {
                return true;
            }
            at = parent;
        }
        false
    }

    /// An owner given by value, of which nobody else is seen to know. A function that is named for
    /// leaving things open means it.
    fn is_only_owner(&self, state: &State, owner: LocId, v: ValId) -> bool {
        let name = last(&self.function.name);
        let meant = ["leak", "forget", "raw", "release", "detach"];
        let found_in = |v: ValId| match *self.arena.get(v) {
            Val::Sym(Sym::Load { loc, epoch }) => Some((loc, epoch)),
            _ => None,
        };
        let Some((at, epoch)) = found_in(v) else {
            return false;
        };
        // What stands in the object is the same after calls that were lent it.
        let given = match *self.arena.get_loc(self.arena.root(at)) {
            Loc::Local(l) => l.0 < self.function.params && epoch == 0,
            Loc::SelfObj => self.has_itself(),
            _ => false,
        };
        let mut told = self.told_raw.iter();
        let told = told.any(|told| found_in(*told).is_some_and(|(loc, _)| loc == at));
        given
            && state.res.get(v).is_none()
            && !told
            && !self.wrapped.contains(&v)
            && !self.owners_made.contains_key(&v)
            && !meant.iter().any(|word| name.contains(word))
            && !state
                .env
                .iter()
                .any(|(loc, held)| *held == v && !self.arena.within(loc, owner))
    }

    /// A method that is given its object by value, and ends it.
    fn has_itself(&self) -> bool {
        let function = self.function;
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Drop { place, .. } => {
                let place = &function.places[*place];
                place.base == Base::SelfObj && place.proj.is_empty()
            }
            _ => false,
        })
    }

    /// An owner is forgotten: whoever else has its raw value has to close it, and if nobody has, nobody
    /// will.
    fn forget_resource(&mut self, state: &mut State, owner: LocId, v: ValId, by: &Name) {
        let Some(res) = state.res.get(v) else {
            self.disown(state, v);
            return;
        };
        let lost = res.status == Status::Open
            && res.owned
            && !res.escaped
            && !res.foreign
            && self.leaks(&res.kind);
        let elsewhere = |(loc, held): (LocId, &ValId)| {
            *held == v && !self.arena.within(loc, owner) && self.owner_is_none(loc)
        };
        state.step(self.span, StepKind::Forgotten(by.clone()), Some(v));
        if lost && !state.env.iter().any(elsewhere) {
            match self
                .field_it_was(v)
                .filter(|field| !self.surely_owns(field.0))
            {
                Some(field) => self.note_forgotten(state, v, field, by),
                None => {
                    let step = StepKind::Forgotten(by.clone());
                    self.leak(state, v, LeakHow::Forgotten, step);
                }
            }
            state.res.remove(v);
            return;
        }
        self.disown(state, v);
    }

    /// Whoever lets an object of the class go closes what its fields own: it has no `Drop` that may do
    /// otherwise, and what it owns was given to it as an owner, and not made of a raw value that may
    /// have been lent.
    fn surely_owns(&self, class: ClassRef) -> bool {
        let name = &self.program.class_at(class).name;
        if self.has_own_drop(&Type::named(name.clone())) {
            return false;
        }
        let own = self.program.all().map(|f| self.program.function(f));
        let mut own = own.filter(|f| f.class.as_ref() == Some(name));
        !own.any(|f| {
            let mut stmts = f.blocks.iter().flat_map(|b| &b.stmts);
            stmts.any(|stmt| match stmt {
                Statement::Call {
                    callee: Callee::Function(name) | Callee::Method { name, .. },
                    ..
                } => last(name).starts_with("from_raw"),
                // An owner of the system's is made of a raw value.
                Statement::Call {
                    callee: Callee::Constructor(_),
                    args,
                    ..
                } => args.len() == 1,
                _ => false,
            })
        })
    }

    /// The field of the method's own object that a value was found in.
    fn field_it_was(&self, v: ValId) -> Option<(ClassRef, Name)> {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return None;
        };
        self.field_of_class(loc)
    }

    /// The class and the name of the field that a place is, or is a part of.
    fn field_of_class(&self, loc: LocId) -> Option<(ClassRef, Name)> {
        let mut at = loc;
        while let Loc::Field(object, field) = self.arena.get_loc(at) {
            let class = match self.arena.get_loc(*object) {
                Loc::SelfObj => self.own_class(),
                _ => self.loc_type(*object).and_then(|ty| {
                    let scope = self.scope();
                    self.program.class_ref_in(self.unit, scope, &ty.name)
                }),
            };
            if let Some(class) = class {
                return Some((class, field.clone()));
            }
            at = *object;
        }
        None
    }

    /// What a field of the object owns is forgotten. It may only have been lent it: that it is a loss shows
    /// where other code lets the field end.
    fn note_forgotten(&mut self, state: &State, v: ValId, field: (ClassRef, Name), by: &Name) {
        let Some(res) = state.res.get(v).filter(|_| self.site.is_none()) else {
            return;
        };
        let event = Event {
            kind: EventKind::Leak(LeakHow::Forgotten),
            at: self.span,
            function: self.function.name.clone(),
            resource: Some(self.resource(res)),
            path: self.path(state, Some(v), StepKind::Forgotten(by.clone())),
            others: Vec::new(),
        };
        self.found.forgotten_fields.push((field, event));
    }

    /// An owner that stands in a field ends there, with what it holds.
    pub(crate) fn note_field_ended(&mut self, object: LocId) {
        if !self.is_rust() {
            return;
        }
        if let Some(field) = self.field_of_class(object) {
            self.found.ended_fields.insert(field);
        }
    }

    /// A place that is a raw value's own.
    fn owner_is_none(&self, loc: LocId) -> bool {
        let ty = self.loc_type(loc);
        ty.is_none_or(|ty| self.owner_named(&ty).is_none())
    }

    fn made_box(&mut self, state: &mut State, v: ValId, api: &Name, dst: Option<PlaceId>) {
        let Some(dst) = dst else { return };
        if state.res.get(v).is_some() || self.program.models.resource(RAW_BOX).is_none() {
            return;
        }
        let var = self.place_name(dst);
        let short = match api.rsplit_once("::") {
            Some((of, method)) => Name::new(format!("{}::{method}", last(of))),
            None => api.clone(),
        };
        let made = StepKind::Created {
            api: short.clone(),
            var: var.clone(),
        };
        state.step(self.span, made, Some(v));
        let res = self.live_resource(short, RAW_BOX, var, v);
        state.res.insert(v, res);
    }

    fn take_back(&mut self, state: &mut State, v: ValId) {
        self.note_back(state, v);
        let known = state.res.get(v);
        if known.is_some_and(|res| matches!(res.status, Status::Released(..))) {
            return;
        }
        if known.is_some_and(|res| res.kind == RAW_BOX) {
            state.res.remove(v);
        }
        self.hand_over(state, v);
    }

    /// Code was given a pointer to such memory, or into it: it may take it over.
    pub(crate) fn give_boxes(&mut self, state: &mut State, args: &[ValId]) {
        for v in self.boxes_in(state, args) {
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
                res.given_to = None;
            }
        }
    }

    /// The same of code that is not seen.
    pub(crate) fn give_boxes_away(&mut self, state: &mut State, args: &[ValId]) {
        let boxes = self.boxes_in(state, args);
        let origins = boxes.iter().filter_map(|v| Some(state.res.get(*v)?.origin));
        self.found.boxes_given.extend(origins);
        self.give_boxes(state, args);
    }

    /// The memory of `into_raw` that pointers lead to or into.
    fn boxes_in(&self, state: &State, args: &[ValId]) -> Vec<ValId> {
        let mut boxes = Vec::new();
        if !self.is_rust() || !state.res.iter().any(|(_, res)| is_raw_box(res)) {
            return boxes;
        }
        for arg in args {
            let mut parts = Vec::new();
            self.arena.parts(*arg, &mut parts);
            parts.push(*arg);
            boxes.extend(parts.into_iter().filter_map(|part| {
                let v = match *self.arena.get(part) {
                    Val::Ptr(loc) => match *self.arena.get_loc(self.arena.root(loc)) {
                        Loc::Deref(v) => v,
                        _ => return None,
                    },
                    Val::Sym(Sym::Load { .. } | Sym::Call { .. } | Sym::Inner { .. }) => part,
                    _ => return None,
                };
                state.res.get(v).is_some_and(is_raw_box).then_some(v)
            }));
        }
        boxes
    }

    /// A creation that keeps its context keeps it only if it succeeds.
    pub(crate) fn give_context(&self, state: &mut State, args: &[ValId], creation: ValId) {
        if !self.is_rust() || state.res.get(creation).is_none() {
            return;
        }
        for arg in args {
            if let Some(res) = state.res.get_mut(*arg)
                && is_raw_box(res)
            {
                res.given_to = Some(creation);
            }
        }
    }

    /// What it was given to was not made.
    pub(crate) fn came_back(&self, state: &State, res: &Res) -> bool {
        let creation = res.given_to.and_then(|v| Some((v, state.res.get(v)?)));
        creation.is_some_and(|(v, made)| self.outcome(state, v, made) == Outcome::Failed)
    }
}

/// Memory that `into_raw` gave out.
pub(crate) fn is_raw_box(res: &Res) -> bool {
    res.kind == RAW_BOX
}

/// `Box::into_raw` and its kin.
pub(crate) fn is_raw_maker(name: &str) -> bool {
    matches!(
        name,
        "Box::into_raw"
            | "std::sync::Arc::into_raw"
            | "std::rc::Rc::into_raw"
            | "std::ffi::CString::into_raw"
    )
}

/// `Box::from_raw` and its kin, and what gives a count back.
pub(crate) fn takes_back(name: &str) -> bool {
    matches!(
        name,
        "Box::from_raw"
            | "std::sync::Arc::from_raw"
            | "std::sync::Arc::decrement_strong_count"
            | "std::rc::Rc::from_raw"
            | "std::rc::Rc::decrement_strong_count"
            | "std::ffi::CString::from_raw"
    )
}
