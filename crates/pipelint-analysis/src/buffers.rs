//! Values that hold memory and give out pointers into it: strings, vectors. A pointer dangles once the
//! value has ended.

use pipelint_ir::{Callee, Name, Operand, PlaceId, Type};
use pipelint_models::{Buffer, FunctionModel};

use crate::exec::Exec;
use crate::log::Action;
use crate::model::is_set;
use crate::state::{Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// The kind of resource that such memory is.
const KIND: &str = "buffer";
/// What ends it.
pub(crate) const DROP: &str = "drop";

impl<'m> Exec<'_, 'm> {
    /// The facts about a type whose values hold memory; none for a class of the program's own.
    pub(crate) fn buffer_named(&self, ty: &Type) -> Option<&'m Buffer> {
        if !ty.is_object() {
            return None;
        }
        let models: &'m _ = self.program.models;
        let resolved = self.program.resolve(ty);
        let known = models.buffer(&resolved.name)?;
        let scoped = resolved.name.contains("::");
        let own = || {
            self.program
                .class_named(self.unit, self.scope(), &resolved.name)
        };
        (scoped || own().is_none()).then_some(known)
    }

    /// The memory ends with its value: whoever still holds its address holds it in vain.
    pub(crate) fn end_buffer(&mut self, state: &mut State, object: LocId, ty: &Type) {
        let address = self.arena.val(Val::Ptr(object));
        let held = state
            .env
            .iter()
            .any(|(loc, v)| *v == address && !self.arena.within(loc, object));
        if !held || self.program.models.resource(KIND).is_none() {
            return;
        }
        let named = self.loc_name(object);
        let api = crate::program::last(&ty.name).into();
        let at = self.at();
        let res = Res {
            created: at,
            origin: at,
            failure: None,
            status: Status::Released(Name::new_static(DROP), self.span),
            escaped: true,
            foreign: true,
            ..self.live_resource(api, KIND, named, address)
        };
        state.step(
            self.span,
            crate::event::StepKind::Closed(Name::new_static(DROP)),
            Some(address),
        );
        self.note_freed(KIND);
        self.buffers_ended = true;
        state.res.insert(address, res);
    }

    /// A value moves: its memory stays where it is, and pointers into it remain good.
    pub(crate) fn follow_buffers(&mut self, state: &mut State, from: LocId, to: LocId) {
        let held = |v: &ValId| match *self.arena.get(*v) {
            Val::Ptr(at) if self.arena.within(at, from) => Some(at),
            _ => None,
        };
        let pointers: Vec<(LocId, LocId)> = state
            .env
            .iter()
            .filter_map(|(loc, v)| Some((loc, held(v)?)))
            .filter(|(loc, _)| !self.arena.within(*loc, from))
            .collect();
        for (loc, at) in pointers {
            if self.buffer_loc(at) {
                let moved = self.arena.rebased(at, from, to);
                let address = self.arena.val(Val::Ptr(moved));
                state.env.insert(loc, address);
            }
        }
    }

    fn buffer_loc(&self, loc: LocId) -> bool {
        self.loc_type(loc)
            .is_some_and(|ty| self.buffer_named(&ty).is_some())
    }

    /// A value begins where another one ended.
    pub(crate) fn begin_buffer(&mut self, state: &mut State, at: LocId) {
        if self.buffers_ended {
            let address = self.arena.val(Val::Ptr(at));
            state.res.remove(address);
        }
    }

    /// A call is given the address of memory that has ended, or an object that holds it.
    pub(crate) fn use_buffers(
        &mut self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
        api: &Name,
    ) {
        self.tell_pointers(state, args, api);
        if !self.frees {
            return;
        }
        // What a call only fills, or copies from there, is not followed to what it points to.
        let only_fills = !model.fills.is_empty() && model.acquires.is_empty() && model.io.is_none();
        let mut gone = Vec::new();
        for (n, v) in args.iter().enumerate() {
            let Val::Ptr(object) = *self.arena.get(*v) else {
                continue;
            };
            if self.has_ended(state, *v) {
                gone.push(*v);
                continue;
            }
            if only_fills || is_set(model, n) {
                continue;
            }
            let parts = state.env.iter().filter(|(loc, v)| {
                *loc != object && self.arena.within(*loc, object) && self.is_gone(state, **v)
            });
            gone.extend(parts.map(|(_, v)| *v));
        }
        for v in gone {
            self.use_value(state, v, api, false);
        }
    }

    /// A text that is made of what it is given a pointer to reads that.
    pub(crate) fn text_reads(&mut self, state: &mut State, callee: &Callee, args: &[Operand]) {
        let Callee::Constructor(ty) = callee else {
            return;
        };
        // A vector is made of numbers as well.
        let text = |b: &Buffer| b.pointers.iter().any(|p| p == "c_str");
        if self.is_rust() || !self.buffer_named(ty).is_some_and(text) {
            return;
        }
        let name: Name = crate::program::last(&ty.name).into();
        for arg in args {
            let v = self.operand(state, arg);
            self.use_failed_out(state, arg, v, &name);
            if matches!(self.arena.get(v), Val::Sym(_)) {
                self.use_value(state, v, &name, false);
            }
        }
    }

    /// What a pointer that the caller gave leads to must still be there: the caller hears of it.
    fn tell_pointers(&mut self, state: &mut State, args: &[ValId], api: &Name) {
        if !self.is_rust() {
            return;
        }
        for v in args {
            let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(*v) else {
                continue;
            };
            let Loc::Local(l) = *self.arena.get_loc(loc) else {
                continue;
            };
            let local = self.function.locals.get(l.0 as usize);
            let plain = |ty: &Type| {
                let number = crate::memory::is_primitive(&ty.name) || is_number(&ty.name);
                number || self.program.models.is_handle_type(&ty.name)
            };
            let pointer = |ty: &Type| ty.pointers > 0 || (ty.is_object() && !plain(ty));
            if l.0 < self.function.params && local.is_some_and(|l| pointer(&l.ty)) {
                let (v, api, span) = (*v, api.clone(), self.span);
                self.record(state, Action::Use { v, api, span });
            }
        }
    }

    /// Memory of any kind that was released.
    fn is_gone(&self, state: &State, v: ValId) -> bool {
        let released = |res: &&Res| matches!(res.status, Status::Released(..));
        let res = state.res.get(v).filter(released);
        res.is_some_and(|res| self.is_memory(&res.kind))
    }

    fn has_ended(&self, state: &State, v: ValId) -> bool {
        matches!(self.arena.get(v), Val::Ptr(_))
            && state.res.get(v).is_some_and(|res| res.kind == KIND)
    }

    /// `text.c_str()`: a pointer that is good as long as the text is.
    pub(crate) fn buffer_pointer(
        &mut self,
        state: &mut State,
        callee: &Callee,
        dst: Option<PlaceId>,
    ) -> Option<ValId> {
        let Callee::Method { receiver, name, .. } = callee else {
            return None;
        };
        dst?;
        let ty = self.declared_type_of(*receiver)?;
        let known = self.buffer_named(&ty)?;
        if !known.pointers.iter().any(|p| p == name) {
            return None;
        }
        let object = self.place(state, *receiver);
        Some(self.arena.val(Val::Ptr(object)))
    }

    /// `bytes.size()`: no code of the program runs, and nothing changes.
    pub(crate) fn buffer_asked(&mut self, state: &State, callee: &Callee) -> Option<ValId> {
        let Callee::Method { receiver, name, .. } = callee else {
            return None;
        };
        if !self.program.models.asks_buffer(name) {
            return None;
        }
        let ty = self.declared_type_of(*receiver)?;
        let known = self.buffer_named(&ty)?;
        let asks = known.asks.iter().any(|asked| asked == name);
        asks.then(|| self.fresh(state, 0))
    }
}

/// A plain number of Rust's: `u32`, `isize`, `f64`.
fn is_number(name: &str) -> bool {
    let width = name.strip_prefix(['u', 'i', 'f']);
    width.is_some_and(|width| {
        width == "size" || (!width.is_empty() && width.bytes().all(|b| b.is_ascii_digit()))
    })
}
