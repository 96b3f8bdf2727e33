//! What Rust does that C++ does not: values move as they are, and end by their type alone.

use pipelint_ir::{Base, Name, Operand, Place, PlaceId, Proj, Rvalue, Terminator, Type};
use rustc_hash::FxHashMap;

use crate::apply::Invocation;
use crate::event::StepKind;
use crate::exec::Exec;
use crate::state::{Fact, Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// How deep types are followed into each other.
pub(crate) const DEPTH: u32 = 5;

/// The value that stands where something was moved away.
const MOVED: &str = "{moved}";

impl Exec<'_, '_> {
    /// A value ends: owners release, the program's `Drop` runs, and then the parts end.
    pub(crate) fn end_rust(&mut self, state: State, place: PlaceId, out: &mut Vec<State>) {
        let mut state = state;
        let object = self.place(&mut state, place);
        let boxes = self.boxes_within(&state, object);
        let moved = self.is_moved(&state, object);
        let first = out.len();
        match self.declared_type_of(place) {
            Some(ty) => {
                let before = out.len();
                self.end_typed(state, object, &ty, DEPTH, out);
                // What the object held is gone with it: nobody finds it there again.
                for state in &mut out[before..] {
                    state.stale.retain(|loc, _| !self.arena.within(loc, object));
                    state.holds.retain(|loc, _| !self.arena.within(loc, object));
                }
            }
            None => out.push(state),
        }
        for state in &mut out[first..] {
            for v in &boxes {
                self.free_box(state, *v);
            }
            if !moved {
                self.value_ends_io(state, object);
            }
        }
    }

    pub(crate) fn is_moved(&self, state: &State, loc: LocId) -> bool {
        let held = state.env.get(loc).map(|v| self.arena.get(*v));
        matches!(held, Some(Val::Named(name)) if name == MOVED)
    }

    pub(crate) fn end_typed(
        &mut self,
        mut state: State,
        object: LocId,
        ty: &Type,
        depth: u32,
        out: &mut Vec<State>,
    ) {
        if depth == 0 || !ty.is_object() || self.is_moved(&state, object) {
            out.push(state);
            return;
        }
        self.rust_guard_ends(&mut state, object, ty);
        if let Some(owner) = self.owner_named(ty).filter(|o| !o.is_action()) {
            self.end_owner(&mut state, &owner, object);
            out.push(state);
            return;
        }
        if self.whole_ends
            && let Some(inner) = self.alone_counted(ty)
        {
            let pointer = self.read(&state, object);
            let behind = self.pointee(pointer);
            self.end_typed(state, behind, &inner, depth - 1, out);
            return;
        }
        if self.end_kept(&mut state, object, ty) {
            out.push(state);
            return;
        }
        if self.buffer_named(ty).is_some() {
            self.end_buffer(&mut state, object, ty);
            out.push(state);
            return;
        }
        let mut parts = parts_of(ty);
        let mut places = FxHashMap::default();
        let mut states = vec![state];
        match ty.name.as_str() {
            "Option" | "Result" | "(,)" => {}
            _ if !parts.is_empty() => {}
            _ => {
                let class = self.program.class_named(self.unit, self.scope(), &ty.name);
                let Some(class) = class else {
                    out.append(&mut states);
                    return;
                };
                parts.extend(class.fields.iter().map(|f| (f.name.clone(), f.ty.clone())));
                if self.whole_ends {
                    places.extend(class.fields.iter().map(|f| (f.name.clone(), f.span)));
                }
                if let Some(Some(f)) = self.program.destructor(self.unit, self.scope(), ty) {
                    let call = Invocation {
                        function: f,
                        args: &[],
                        receiver: Some(object),
                        captures: &[],
                        part: 40 + depth,
                    };
                    let mut after = Vec::new();
                    for mut state in states {
                        self.ending += 1;
                        let seen = self.apply(&mut state, &call, None, &mut after);
                        self.ending -= 1;
                        // What two calls make is told by what is in sight alone.
                        if !seen && !self.whole_ends {
                            let whole = self.arena.val(Val::Ptr(object));
                            self.escape(&mut state, whole);
                            self.may_end_kept(&mut state, object, class);
                            after.push(state);
                        }
                    }
                    states = after;
                }
            }
        }
        for (field, ty) in parts {
            if !ty.is_object() {
                continue;
            }
            if let Some(span) = places.get(&field) {
                self.span = *span;
            }
            let part = self.arena.loc(Loc::Field(object, field));
            let mut after = Vec::new();
            for state in states {
                self.end_typed(state, part, &ty, depth - 1, &mut after);
            }
            states = after;
        }
        out.append(&mut states);
    }

    /// Whether something happens when a value of this type ends, as far as the types in sight tell.
    pub(crate) fn ends(&self, ty: &Type, depth: u32) -> bool {
        if depth == 0 || !ty.is_object() {
            return false;
        }
        if self.owner_named(ty).is_some_and(|o| !o.is_action()) || self.buffer_named(ty).is_some() {
            return true;
        }
        match ty.name.as_str() {
            "Option" | "Result" | "(,)" | "std::mem::ManuallyDrop" => {
                ty.args.iter().any(|a| self.ends(&type_of(a), depth - 1))
            }
            _ if crate::holders::kept_in(ty).is_some() => {
                ty.args.iter().any(|a| self.ends(&type_of(a), depth - 1))
            }
            _ => {
                let class = self.program.class_named(self.unit, self.scope(), &ty.name);
                class.is_some_and(|class| {
                    let destructor = self.program.destructor(self.unit, self.scope(), ty);
                    !matches!(destructor, Some(None))
                        || class.fields.iter().any(|f| self.ends(&f.ty, depth - 1))
                })
            }
        }
    }

    /// A class of the program's with a `Drop` of its own.
    pub(crate) fn has_own_drop(&self, ty: &Type) -> bool {
        let destructor = self.program.destructor(self.unit, self.scope(), ty);
        !matches!(destructor, Some(None) | None)
    }

    /// What an aggregate is made of was moved into it.
    pub(crate) fn leave_parts_behind(&mut self, state: &mut State, value: &Rvalue) {
        match value {
            Rvalue::Aggregate(items) => {
                for (_, op) in items {
                    self.leave_behind(state, op);
                }
            }
            Rvalue::Unknown(ops) => {
                for op in ops {
                    self.leave_behind(state, op);
                }
            }
            _ => {}
        }
    }

    /// What is moved away ends elsewhere.
    pub(crate) fn leave_behind(&mut self, state: &mut State, op: &Operand) {
        let Operand::Move(place) = op else { return };
        if self.is_rust() {
            let object = self.place(state, *place);
            self.leave_box(state, object);
            self.hand_over_io(state, object);
        }
        let Some(ty) = self.declared_type_of(*place) else {
            return;
        };
        if !self.ends(&ty, DEPTH) && !crate::holders::is_guard(&ty.name) {
            return;
        }
        let loc = self.place(state, *place);
        let moved = self.mark_moved(state, loc);
        // Only out of a `ManuallyDrop` can what the caller still has be moved.
        if self.is_kept_value(loc) {
            self.tell_moved(state, loc, moved);
        }
    }

    pub(crate) fn mark_moved(&mut self, state: &mut State, loc: LocId) -> ValId {
        self.clear_within(state, loc);
        let moved = self.arena.val(Val::Named(Name::new_static(MOVED)));
        state.env.insert(loc, moved);
        moved
    }

    /// `Socket::from_raw_socket(raw)` of a type out of sight: it has what it was made of.
    pub(crate) fn wrap(&mut self, state: &mut State, raw: &Operand, dst: Option<PlaceId>) {
        let v = self.operand(state, raw);
        self.hand_over(state, v);
        self.wrapped.insert(v);
        self.store_result(state, dst, v);
        if let Some(dst) = dst {
            let at = self.place(state, dst);
            self.wrappers.insert(at);
        }
    }

    /// `x.into_raw_socket()` on whatever it is: the trait says that the caller has to close what it
    /// yields, unless that is what an owner was made of before.
    pub(crate) fn give_up(
        &mut self,
        state: &mut State,
        owner: PlaceId,
        api: &Name,
        dst: Option<PlaceId>,
    ) {
        let at = self.place(state, owner);
        if let Some(&v) = state.env.get(at).filter(|v| self.wrapped.contains(v)) {
            self.store_result(state, dst, v);
            return;
        }
        let held = self.read(state, at);
        let known = |loc| self.wrappers.contains(loc);
        let wrapper = match self.arena.get(held) {
            Val::Sym(Sym::Load { loc, .. }) => known(loc),
            _ => false,
        };
        self.clear_within(state, at);
        let v = self.fresh(state, 0);
        // An owner that unknown code has seen is still what it was made of.
        if !wrapper {
            self.made_raw(state, v, api, (owner, dst));
        }
        self.store_result(state, dst, v);
    }

    /// `x.into_raw_handle()`: what it yields is whoever's who has it, and nobody closes it by itself. A
    /// result that is dropped where it stands was never meant to be closed: `let _ = x.into_raw_fd();`
    /// takes back what an owner was made of.
    pub(crate) fn made_raw(
        &mut self,
        state: &mut State,
        v: ValId,
        api: &Name,
        (from, dst): (PlaceId, Option<PlaceId>),
    ) {
        let kind = match &**api {
            "into_raw_handle" => "raw-handle",
            "into_raw_socket" => "raw-socket",
            _ => "file-descriptor",
        };
        let Some(dst) = dst else { return };
        if state.res.get(v).is_some() || self.program.models.resource(kind).is_none() {
            return;
        }
        let named = self.place_name(dst);
        let var = if named.is_empty() {
            self.place_name(from)
        } else {
            named
        };
        let made = StepKind::Created {
            api: api.clone(),
            var: var.clone(),
        };
        state.step(self.span, made, Some(v));
        let mut fact = Fact::default();
        fact.exclude(0);
        fact.exclude(-1);
        state.facts.insert(v, fact);
        let res = self.live_resource(api.clone(), kind, var, v);
        state.res.insert(v, res);
    }

    /// A resource that is surely there.
    pub(crate) fn live_resource(&self, api: Name, kind: &str, var: Name, v: ValId) -> Res {
        Res {
            api,
            kind: Name::new(kind),
            created: self.span,
            origin: self.span,
            foreign: false,
            adopted: false,
            var,
            judge: v,
            failure: Some(pipelint_models::Sentinel::Null),
            status: Status::Open,
            escaped: false,
            owned: false,
            home: None,
            checked: true,
            used_unchecked: false,
            failed_at: None,
            infallible: true,
            half_done: false,
            built: false,
            by_end: false,
            given_to: None,
            handed_on: None,
            overlapped: false,
        }
    }

    /// A function of a type's own that makes one of it, as it is or in an `Ok` or `Some`.
    pub(crate) fn makes_its_type(&self, f: crate::program::FnRef) -> bool {
        let function = self.program.function(f);
        let Some(class) = &function.class else {
            return false;
        };
        let ret = &function.ret;
        let named = |ty: &Type| ty.is_object() && ty.name == *class;
        self.program.units[f.0].language == pipelint_ir::Language::Rust
            && function.kind == pipelint_ir::FunctionKind::StaticMethod
            && (named(ret) || ret.args.first().is_some_and(|a| named(&type_of(a))))
    }

    /// The fields of the object of its own type that a function returns, as it is or in an `Ok` or
    /// `Some`: what makes an object in Rust is a function like others.
    pub(crate) fn made(&mut self, state: &State) -> Vec<(Name, ValId)> {
        let function = self.function;
        let (Some(class), true) = (&function.class, self.is_rust()) else {
            return Vec::new();
        };
        let returned = function.blocks.get(self.block).map(|block| &block.term);
        let Some(Terminator::Return(Some(Operand::Copy(at) | Operand::Move(at)))) = returned else {
            return Vec::new();
        };
        let Place {
            base: Base::Local(local),
            proj,
        } = &function.places[*at]
        else {
            return Vec::new();
        };
        if !proj.is_empty() {
            return Vec::new();
        }
        let whole = self.arena.loc(Loc::Local(*local));
        let ret = &function.ret;
        let named = |ty: &Type| ty.is_object() && ty.name == *class;
        let is_object = |at: LocId| match self.arena.get_loc(at) {
            Loc::Field(of, name) => {
                *of == whole && name == GOOD && ret.args.first().is_some_and(|a| named(&type_of(a)))
            }
            _ => at == whole && named(ret),
        };
        let parts = state.env.iter().filter_map(|(at, v)| {
            let Loc::Field(of, name) = self.arena.get_loc(at) else {
                return None;
            };
            is_object(*of).then(|| (name.clone(), *v))
        });
        parts.collect()
    }

    /// A call took over, or may have, what an owner still holds (`fdopendir(fd.as_raw_fd())`): when the
    /// owner gives it up later, it is not known to be the function's any more.
    pub(crate) fn note_taken(&mut self, state: &mut State, v: ValId) {
        if !self.is_rust()
            || state.res.get(v).is_some()
            || !matches!(self.arena.get(v), Val::Sym(_))
        {
            return;
        }
        let taken = Res {
            foreign: true,
            adopted: true,
            escaped: true,
            ..self.live_resource(Name::default(), "handle", Name::default(), v)
        };
        state.res.insert(v, taken);
    }
}

/// The good payload of an `Option` or `Result`, as the front end names it.
pub(crate) const GOOD: &str = "0";
/// The field that tells the variants of an enum apart.
pub(crate) const TAG: &str = "{tag}";
/// The payload of `Err`.
pub(crate) const BAD: &str = "Err";

/// Methods that give up what they are called on as a raw handle.
pub(crate) fn gives_up(name: &str) -> bool {
    matches!(name, "into_raw_handle" | "into_raw_fd" | "into_raw_socket")
}

/// The parts of a value of no class of the program's, where their types are told.
pub(crate) fn parts_of(ty: &Type) -> Vec<(Name, Type)> {
    let typed = |(field, arg): (Name, &Name)| (field, type_of(arg));
    match ty.name.as_str() {
        "Option" | "Result" => {
            let fields = [GOOD, BAD].into_iter().map(Name::new_static);
            fields.zip(&ty.args).map(typed).collect()
        }
        "(,)" => {
            let fields = (0..).map(|i: u32| Name::new(i.to_string()));
            fields.zip(&ty.args).map(typed).collect()
        }
        _ => crate::holders::kept_in(ty).into_iter().collect(),
    }
}

/// The type that a type argument is, from its text.
pub(crate) fn type_of(text: &str) -> Type {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix(['&', '*']) {
        let mut ty = type_of(inner);
        ty.pointers = ty.pointers.saturating_add(1);
        return ty;
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        let mut ty = type_of(inner);
        ty.arrays = ty.arrays.saturating_add(1);
        return ty;
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return Type {
            args: split(inner),
            ..Type::named(if inner.is_empty() { "()" } else { "(,)" })
        };
    }
    if text == "_" {
        return Type::default();
    }
    match text.split_once('<') {
        Some((name, rest)) => Type {
            args: split(rest.strip_suffix('>').unwrap_or(rest)),
            ..Type::named(name)
        },
        None => Type::named(text),
    }
}

/// The parts of a list, at its own commas.
fn split(text: &str) -> Vec<Name> {
    let mut out = Vec::new();
    let (mut depth, mut from) = (0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(Name::new(text[from..at].trim()));
                from = at + 1;
            }
            _ => {}
        }
    }
    if !text[from..].trim().is_empty() {
        out.push(Name::new(text[from..].trim()));
    }
    out
}

/// The type of a part of a Rust value that is no class of the program's.
pub(crate) fn part_of(ty: &Type, step: &Proj) -> Option<Type> {
    let Proj::Field(name) = step else { return None };
    match ty.name.as_str() {
        "Option" | "Result" => match name.as_str() {
            GOOD => ty.args.first().map(|a| type_of(a)),
            BAD => ty.args.get(1).map(|a| type_of(a)),
            _ => None,
        },
        "std::mem::ManuallyDrop" if name == crate::forget::KEPT => {
            ty.args.first().map(|a| type_of(a))
        }
        "(,)" => {
            let at: usize = name.parse().ok()?;
            ty.args.get(at).map(|a| type_of(a))
        }
        _ => crate::holders::kept_in(ty)
            .filter(|(part, _)| part == name)
            .map(|(_, ty)| ty),
    }
}
