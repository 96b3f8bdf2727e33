//! What the kernel uses comes to its end while an operation on it may be under way.

use pipelint_ir::{Base, FunctionKind, LocalId, LocalKind, Name, Reference, Rvalue, Statement};
use pipelint_source::Span;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::io_fault::{IoEnd, IoFault};
use crate::pending::Pending;
use crate::pending_log::{IoAction, ResetCall};
use crate::program::Target;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// An OVERLAPPED is given to a starting call: nothing may be under way with it.
    pub(crate) fn started_again(&mut self, state: &mut State, loc: LocId, again: &Name) {
        let loc = self.known_io(state, loc);
        let Some(pending) = state.pending.get(loc).cloned() else {
            return;
        };
        if pending.surely
            && pending.cancel.is_none()
            && pending.closed.is_none()
            && let Some(first) = pending.started.clone()
        {
            let fault = IoFault::Reused {
                first: first.clone(),
                again: again.clone(),
                overlapped: self.loc_name(loc),
            };
            let step = StepKind::Started(again.clone());
            self.tell_io(state, loc, &pending, fault, self.at(), step);
        } else {
            let end = IoEnd::Started(again.clone(), self.at());
            self.tell_cancelled(state, loc, &pending, end);
        }
        state.pending.remove(loc);
    }

    /// A variable leaves scope.
    pub(crate) fn scope_ends_io(&mut self, state: &mut State, local: LocalId) {
        if state.pending.is_empty() {
            return;
        }
        let root = self.arena.loc(Loc::Local(local));
        if self.ending_local(root).is_none() {
            return;
        }
        self.settle_io(state);
        let name = self.loc_name(root);
        self.memory_ends(state, root, &|_| IoEnd::Scope(name.clone()));
    }

    /// Rust: a value ends, which was not moved away.
    pub(crate) fn value_ends_io(&mut self, state: &mut State, object: LocId) {
        let Loc::Local(l) = *self.arena.get_loc(object) else {
            return;
        };
        let local = self.function.locals.get(l.0 as usize);
        // What was moved into a temporary is in it.
        let inline = |l: &pipelint_ir::Local| {
            self.holds_inline(&l.ty)
                || (l.kind == LocalKind::Temp && matches!(&*l.ty.name, "" | "?"))
        };
        if state.pending.is_empty() || !local.is_some_and(inline) {
            return;
        }
        self.settle_io(state);
        let name = self.loc_name(object);
        self.memory_ends(state, object, &|_| IoEnd::Scope(name.clone()));
    }

    /// Rust: a value moves. What it holds in boxes stays where it is, and is known by the new name.
    pub(crate) fn moves_io(&mut self, state: &mut State, from: LocId, to: LocId) {
        let within = |exec: &Self, at: LocId| exec.arena.within(at, from);
        let of: Vec<(LocId, Pending)> = state
            .pending
            .iter()
            .filter(|(loc, p)| within(self, *loc) || p.buffers.iter().any(|at| within(self, *at)))
            .map(|(loc, p)| (loc, p.clone()))
            .collect();
        for (loc, mut pending) in of {
            state.pending.remove(loc);
            for at in &mut pending.buffers {
                if self.arena.within(*at, from) {
                    *at = self.arena.rebased(*at, from, to);
                }
            }
            let loc = match self.arena.within(loc, from) {
                true => self.arena.rebased(loc, from, to),
                false => loc,
            };
            state.pending.insert(loc, pending);
        }
    }

    /// Rust: a value is handed to the caller, or is kept from ending, with what is under way in it.
    pub(crate) fn hand_over_io(&self, state: &mut State, object: LocId) {
        let arena = &self.arena;
        state.pending.retain(|loc, p| {
            let mut pinned = std::iter::once(loc).chain(p.buffers.iter().copied());
            !pinned.any(|at| arena.within(at, object))
        });
    }

    /// Memory ends, whoever made it: what is under way there, or into a buffer there, is told.
    fn memory_ends(&mut self, state: &mut State, root: LocId, end: &dyn Fn(LocId) -> IoEnd) {
        let of: Vec<(LocId, Pending, LocId)> = state
            .pending
            .iter()
            .filter_map(|(loc, p)| {
                let mut pinned = std::iter::once(loc).chain(p.buffers.iter().copied());
                let at = pinned.find(|at| self.arena.root(*at) == root)?;
                Some((loc, p.clone(), at))
            })
            .collect();
        for (loc, pending, at) in of {
            let end = end(at);
            if self.closing {
                // Whether the second method knows better, its end shows.
                if let Some(p) = state.pending.get_mut(loc) {
                    p.ended = p.ended.take().or(Some(end));
                }
                continue;
            }
            let asked = pending.error.is_some() && pending.judge.is_none();
            if asked && !pending.surely && pending.cancel.is_none() {
                // `return GetLastError() == ERROR_IO_PENDING;`
                if let Some(p) = state.pending.get_mut(loc) {
                    p.ended = p.ended.take().or(Some(end));
                }
                continue;
            }
            self.tell_outlived(state, loc, &pending, end);
            state.pending.remove(loc);
            // What is told here is not told of the callers again.
            self.record_io(state, || IoAction::Done(loc));
        }
    }

    /// A value is released: memory, or a handle that an operation is on.
    pub(crate) fn release_and_io(&mut self, state: &mut State, v: ValId, api: &Name) {
        self.context_ends(state, v, api);
        if state.pending.is_empty() {
            return;
        }
        self.settle_io(state);
        let at = self.at();
        for loc in state.pending.iter().map(|(l, _)| l).collect::<Vec<_>>() {
            let same = |x: Option<ValId>| x.is_some_and(|x| self.is_same(x, v));
            let known = state.pending.get(loc);
            let handle = known.is_some_and(|p| same(p.handle) && !p.closed_handle);
            let event = known.is_some_and(|p| same(p.event) && p.closed.is_none());
            // An event that is closed the kernel has still; to close the handle is the graver fault.
            if let Some(p) = state.pending.get_mut(loc)
                && (handle || event)
            {
                p.closed_handle |= handle;
                p.closed = Some((api.clone(), at));
                let about = self.arena.val(Val::Ptr(loc));
                state.step(self.span, StepKind::Closed(api.clone()), Some(about));
            }
        }
        let root = self.pointee(v);
        self.freed_io(state, root, api);
    }

    /// Memory is freed.
    pub(crate) fn freed_io(&mut self, state: &mut State, whole: LocId, api: &Name) {
        if state.pending.is_empty() {
            return;
        }
        self.settle_io(state);
        let root = self.arena.root(whole);
        let at = if self.closing { self.span } else { self.at() };
        let (api, origin) = (api.clone(), self.span);
        self.memory_ends(state, root, &|_| IoEnd::Freed(api.clone(), at, origin));
    }

    /// `return GetLastError() == ERROR_IO_PENDING;`: one of the two ways is that of a pending operation.
    pub(crate) fn returns_pending(&mut self, state: &mut State, value: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(value, &mut parts);
        let all: Vec<LocId> = state.pending.iter().map(|(loc, _)| loc).collect();
        for loc in all {
            if let Some(p) = state.pending.get_mut(loc)
                && p.error.is_some_and(|e| e != value && parts.contains(&e))
                && p.judge.is_none()
            {
                p.surely = true;
                p.error = None;
            }
        }
    }

    /// The path is about to leave the function: what it has closed under an operation is told here, and its
    /// callers do not hear of it.
    pub(crate) fn tell_closed_io(&mut self, state: &mut State) {
        let all: Vec<LocId> = state.pending.iter().map(|(loc, _)| loc).collect();
        for loc in all {
            let Some(pending) = state.pending.get(loc).cloned() else {
                continue;
            };
            let mut pinned = std::iter::once(loc).chain(pending.buffers.iter().copied());
            let local = pinned.any(|at| self.ending_local(at).is_some());
            let at_end = self.function.kind == FunctionKind::Destructor && pending.cancel.is_some();
            let Some((api, at)) = pending.closed.clone() else {
                continue;
            };
            if pending.ended.is_some() || local || at_end || pending.event.is_none() {
                continue;
            }
            if self.tell_outlived(state, loc, &pending, IoEnd::Closed(api, at)) {
                state.pending.remove(loc);
                self.record_io(state, || IoAction::Done(loc));
            }
        }
    }

    /// The path leaves the function: its variables end, and so does the object of a destructor.
    pub(crate) fn leave_io(&mut self, state: &mut State) {
        self.leave_callbacks(state);
        if state.pending.is_empty() {
            return;
        }
        self.settle_io(state);
        if self.is_entry_point() {
            return;
        }
        let all: Vec<(LocId, Pending)> =
            state.pending.iter().map(|(l, p)| (l, p.clone())).collect();
        for (loc, pending) in all {
            let mut pinned = std::iter::once(loc).chain(pending.buffers.iter().copied());
            let local = pinned.find_map(|at| self.ending_local(at));
            if let Some(end) = &pending.ended {
                self.tell_outlived(state, loc, &pending, end.clone());
                state.pending.remove(loc);
                self.record_io(state, || IoAction::Done(loc));
            } else if let Some(name) = local {
                self.tell_outlived(state, loc, &pending, IoEnd::Scope(name));
                state.pending.remove(loc);
                self.record_io(state, || IoAction::Done(loc));
            } else if self.function.kind == FunctionKind::Destructor
                && pending.cancel.is_some()
                && let Some(kept) = self.kept_io(loc)
            {
                // The memory may be left to the kernel; whether the event ends, other methods know.
                let own = self.is_in_object(loc);
                let event = self.cancelled_event(state, loc, &pending, IoEnd::Object);
                let at_end = event.map(|event| (kept, event, own));
                self.found.kept_io.at_end.extend(at_end);
            } else if let Some((api, at)) = &pending.closed {
                let end = IoEnd::Closed(api.clone(), *at);
                match (pending.event, self.kept_io(loc)) {
                    (Some(_), _) => {
                        self.tell_outlived(state, loc, &pending, end);
                    }
                    // Whether an event or a port tells of the completion, other methods know.
                    (None, Some(kept)) => {
                        let event = self.cancelled_event(state, loc, &pending, end);
                        self.found
                            .kept_io
                            .closed
                            .extend(event.map(|event| (kept, event)));
                    }
                    (None, None) => {}
                }
            }
        }
        self.note_kept_io(state);
    }

    /// The variable of this function that a location is a part of, where it ends with the call.
    fn ending_local(&self, loc: LocId) -> Option<Name> {
        let Loc::Local(l) = self.arena.get_loc(self.arena.root(loc)) else {
            return None;
        };
        let local = self.function.locals.get(l.0 as usize)?;
        let ends = match local.kind {
            LocalKind::Static | LocalKind::Temp => false,
            // What a pointer or a reference leads to does not end with it.
            _ if local.ty.pointers > 0 || local.ty.reference != Reference::None => false,
            _ if !self.holds_inline(&local.ty) => false,
            // Where a value's end runs code, that is where it ends.
            _ => !self.is_rust() || !self.answers.dropped(*l, || self.is_dropped(*l)),
        };
        ends.then(|| local.name.clone())
    }

    /// Memory of a value of this type is in it, or ends with it; guards and smart pointers lead elsewhere.
    fn holds_inline(&self, ty: &pipelint_ir::Type) -> bool {
        if !self.is_rust() || ty.arrays > 0 || self.buffer_named(ty).is_some() {
            return true;
        }
        let name = crate::program::last(&ty.name);
        let capitals = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let system = name.len() > 1 && name.chars().all(capitals);
        system
            || crate::memory::is_primitive(name)
            || self
                .program
                .class_named(self.unit, self.scope(), &ty.name)
                .is_some()
    }

    fn is_dropped(&self, local: LocalId) -> bool {
        let function = self.function;
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Drop { place, .. } => {
                let place = &function.places[*place];
                place.base == Base::Local(local) && place.proj.is_empty()
            }
            _ => false,
        })
    }

    /// A part of the method's own object, held by value. What Rust's boxes hold stands in the object as
    /// well, so that every step must have a type of the program's own.
    fn is_in_object(&self, loc: LocId) -> bool {
        let mut at = loc;
        while let Loc::Field(parent, _) | Loc::Elem(parent, _) = self.arena.get_loc(at) {
            at = *parent;
            let own = |ty: pipelint_ir::Type| {
                self.program
                    .class_named(self.unit, self.scope(), &ty.name)
                    .is_some()
            };
            let whole = *self.arena.get_loc(at) == Loc::SelfObj;
            if self.is_rust() && !whole && !self.loc_type(at).is_some_and(own) {
                return false;
            }
        }
        *self.arena.get_loc(at) == Loc::SelfObj
    }

    /// An operation's memory or handle ends; true where that is told.
    fn tell_outlived(&mut self, state: &State, loc: LocId, pending: &Pending, end: IoEnd) -> bool {
        if pending.cancel.is_some() {
            return self.tell_cancelled(state, loc, pending, end);
        }
        let Some((started, at)) = &pending.started else {
            return false;
        };
        if !pending.surely {
            return false;
        }
        let (started, at) = (started.clone(), *at);
        let last = self.last_step(&end);
        if let (Some((closer, place)), IoEnd::Closed(..)) = (&pending.closed, &end) {
            let fault = IoFault::ClosedWhilePending {
                started,
                closer: closer.clone(),
            };
            self.tell_io(state, loc, pending, fault, *place, last);
            return true;
        }
        let fault = IoFault::Outlived { started, end };
        self.tell_io(state, loc, pending, fault, at, last);
        true
    }

    /// After a request to cancel, what the operation uses ends or is used anew.
    fn tell_cancelled(&mut self, state: &State, loc: LocId, pending: &Pending, end: IoEnd) -> bool {
        let event = self.cancelled_event(state, loc, pending, end);
        let told = event.is_some();
        event.into_iter().for_each(|event| self.found.add(event));
        told
    }

    fn cancelled_event(
        &mut self,
        state: &State,
        loc: LocId,
        pending: &Pending,
        end: IoEnd,
    ) -> Option<Event> {
        let cancel = pending.cancel.as_ref()?;
        // Nothing says that there was anything to cancel.
        if !pending.surely && cancel.judge.is_none() && !cancel.failed && !cancel.shows {
            return None;
        }
        // What could not be cancelled may have been left to the kernel: then there is nothing to wait for.
        if cancel.failed && matches!(end, IoEnd::Closed(..)) {
            return None;
        }
        let overlapped = self.loc_name(loc);
        let fault = if cancel.failed {
            IoFault::CancelFailed {
                cancel: cancel.api.clone(),
                dropped: false,
                overlapped,
                end: Some(end.clone()),
            }
        } else {
            IoFault::NotWaited {
                cancel: cancel.api.clone(),
                started: pending.started.as_ref().map(|s| s.0.clone()),
                overlapped,
                end: end.clone(),
                origin: cancel.origin,
                frames: cancel.places.len(),
            }
        };
        // Of an object that ends, the method of its own class that asks for the cancel does not wait.
        let own = self.own_class().filter(|_| end == IoEnd::Object);
        let place = cancel
            .places
            .iter()
            .find(|(class, _)| own.is_some() && *class == own);
        let at = place.map_or(cancel.at, |(_, at)| *at);
        let last = self.last_step(&end);
        self.io_event(state, loc, pending, fault, at, last)
    }

    /// The handle or event of an operation was closed, and nobody waits any more.
    pub(crate) fn tell_closed_after(&mut self, state: &State, loc: LocId) {
        let Some(pending) = state.pending.get(loc).cloned() else {
            return;
        };
        if let Some((api, at)) = pending.closed.clone() {
            self.tell_outlived(state, loc, &pending, IoEnd::Closed(api, at));
        }
    }

    /// The memory of an operation was freed, and nobody waits any more.
    pub(crate) fn tell_freed_after(&mut self, state: &State, loc: LocId) {
        let pending = state.pending.get(loc).cloned();
        let Some((pending, end)) = pending.and_then(|p| Some((p.clone(), p.ended?))) else {
            return;
        };
        let before = self.span;
        if let IoEnd::Freed(_, at, _) = end {
            self.span = at;
        }
        self.tell_outlived(state, loc, &pending, end);
        self.span = before;
    }

    fn last_step(&self, end: &IoEnd) -> StepKind {
        match end {
            IoEnd::Scope(name) => StepKind::ScopeEnd(name.clone()),
            IoEnd::Freed(api, ..) => StepKind::Closed(api.clone()),
            IoEnd::Started(api, _) => StepKind::Started(api.clone()),
            // There is no function that is left: the object ends by itself.
            IoEnd::Closed(api, _) if self.whole_ends => StepKind::Closed(api.clone()),
            IoEnd::Closed(..) | IoEnd::Object | IoEnd::Success => StepKind::Left,
        }
    }

    fn tell_io(
        &mut self,
        state: &State,
        loc: LocId,
        pending: &Pending,
        fault: IoFault,
        at: Span,
        last: StepKind,
    ) {
        let event = self.io_event(state, loc, pending, fault, at, last);
        event.into_iter().for_each(|event| self.found.add(event));
    }

    pub(crate) fn io_event(
        &mut self,
        state: &State,
        loc: LocId,
        pending: &Pending,
        fault: IoFault,
        at: Span,
        last: StepKind,
    ) -> Option<Event> {
        let about = self.arena.val(Val::Ptr(loc));
        let from = pending.started.as_ref().map(|s| s.1);
        let from = from.or(pending.cancel.as_ref().map(|c| c.at));
        let mut path = state.path(Some(about), from);
        const MOST: usize = 14;
        if path.len() > MOST {
            path.drain(4..path.len() - (MOST - 4));
        }
        let last = PathStep {
            span: self.at(),
            what: last,
        };
        if path.last() != Some(&last) {
            path.push(last);
        }
        Some(Event {
            kind: EventKind::Io(fault),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        })
    }

    /// An event is reset: the operation that is to signal it must not have been started before.
    pub(crate) fn reset_event(&mut self, state: &mut State, call: ResetCall, event: ValId) {
        let of: Vec<(LocId, Pending)> = state
            .pending
            .iter()
            .filter(|(_, p)| p.event.is_some_and(|v| self.is_same(v, event)) && p.cancel.is_none())
            .map(|(loc, p)| (loc, p.clone()))
            .collect();
        for (loc, pending) in of {
            let Some((started, _)) = pending.started.clone() else {
                continue;
            };
            if !pending.surely && pending.judge.is_none() {
                continue;
            }
            let fault = IoFault::ResetAfterStart {
                started,
                api: call.api.clone(),
                origin: call.origin,
                frames: call.frames,
            };
            let step = StepKind::Passed(call.api.clone());
            self.tell_io(state, loc, &pending, fault, self.at(), step);
        }
        self.is_unsignalled(event);
        self.record_io(state, || IoAction::Reset(event, Box::new(call)));
    }

    /// A starting call is given an OVERLAPPED of which a part was never set, or a temporary.
    pub(crate) fn unset_overlapped(&mut self, state: &mut State, loc: LocId, api: &Name) {
        for field in ["Offset", "OffsetHigh", "hEvent"] {
            let at = self.arena.loc(Loc::Field(loc, field.into()));
            let v = self.read(state, at);
            // What was copied from another variable is that variable's business.
            let Val::Sym(Sym::Uninit { loc: of }) = *self.arena.get(v) else {
                continue;
            };
            if !self.arena.within(of, loc) {
                continue;
            }
            let overlapped = self.loc_name(loc);
            let fault = IoFault::Unset {
                field: field.into(),
                overlapped: overlapped.clone(),
                api: api.clone(),
                rust: self.is_rust(),
            };
            let mut path = self.path(state, Some(v), StepKind::Passed(api.clone()));
            // A function that it was filled by left it so, for all who start something with it.
            let left = self.left_unset.iter();
            let left = left.filter(|(whole, _)| self.arena.within(of, **whole));
            let left = left.map(|(_, at)| *at).min();
            if let Some(span) = left {
                let what = StepKind::Assigned(overlapped);
                path.insert(0, PathStep { span, what });
            }
            let event = Event {
                kind: EventKind::Io(fault),
                at: left.unwrap_or_else(|| self.at()),
                function: self.function.name.clone(),
                resource: None,
                path,
                others: Vec::new(),
            };
            self.found.add(event);
            return;
        }
        let Loc::Local(l) = self.arena.get_loc(self.arena.root(loc)) else {
            return;
        };
        let local = self.function.locals.get(l.0 as usize);
        if self.is_rust() && local.is_some_and(|l| l.kind == LocalKind::Temp) {
            let borrowed = self.borrowed_at(*l);
            let event = Event {
                kind: EventKind::Io(IoFault::Temporary { api: api.clone() }),
                at: borrowed.unwrap_or_else(|| self.at()),
                function: self.function.name.clone(),
                resource: None,
                path: vec![PathStep {
                    span: self.span,
                    what: StepKind::Passed(api.clone()),
                }],
                others: Vec::new(),
            };
            self.found.add(event);
        }
    }

    /// Where the address of a temporary is taken.
    fn borrowed_at(&self, local: LocalId) -> Option<Span> {
        let function = self.function;
        let blocks = function.blocks.iter().zip(&function.map.stmts);
        let mut stmts = blocks.flat_map(|(block, spans)| block.stmts.iter().zip(spans));
        stmts.find_map(|(stmt, span)| match stmt {
            Statement::Assign {
                value: Rvalue::Ref(place),
                ..
            } if function.places[*place].base == Base::Local(local) => Some(*span),
            _ => None,
        })
    }

    /// `CancelIo(&overlapped)`: the address of a structure where a handle is wanted.
    pub(crate) fn not_a_handle(&mut self, state: &State, api: &Name, handle: ValId) -> bool {
        let Val::Ptr(loc) = *self.arena.get(handle) else {
            return false;
        };
        let ty = self.loc_type(loc);
        let overlapped = ty
            .is_some_and(|ty| matches!(&*ty.name, "OVERLAPPED" | "_OVERLAPPED" | "WSAOVERLAPPED"));
        if !overlapped {
            return false;
        }
        let fault = IoFault::NotAHandle {
            cancel: api.clone(),
        };
        let event = Event {
            kind: EventKind::Io(fault),
            at: self.at(),
            function: self.function.name.clone(),
            resource: None,
            path: self.path(state, Some(handle), StepKind::Passed(api.clone())),
            others: Vec::new(),
        };
        self.found.add(event);
        true
    }

    /// `CancelIo` of what this function did not start.
    pub(crate) fn of_thread(&mut self, api: &Name) {
        // What it starts on one path it may well cancel on another.
        let (program, function) = (self.program, self.function);
        let mut calls = function.blocks.iter().flat_map(|b| &b.stmts);
        let starts = calls.any(|stmt| match stmt {
            Statement::Call { callee, args, .. } => {
                let target = program.target(self.unit, function, callee, args.len());
                matches!(target, Target::Model(model) if model.start().is_some())
            }
            _ => false,
        });
        if starts {
            return;
        }
        let fault = IoFault::OfThread {
            cancel: api.clone(),
        };
        self.found.add(Event {
            kind: EventKind::Io(fault),
            at: self.at(),
            function: self.function.name.clone(),
            resource: None,
            path: vec![PathStep {
                span: self.span,
                what: StepKind::CancelAsked(api.clone()),
            }],
            others: Vec::new(),
        });
    }

    /// A function that tells how it went says that all is well, though a cancel failed or nobody looked.
    pub(crate) fn cancel_passed_over(&mut self, state: &mut State, value: ValId) {
        if state.pending.is_empty() || !self.tells_success(state, value) {
            return;
        }
        self.settle_io(state);
        let all: Vec<(LocId, Pending)> =
            state.pending.iter().map(|(l, p)| (l, p.clone())).collect();
        for (loc, pending) in all {
            let Some(cancel) = &pending.cancel else {
                continue;
            };
            if pending.polled && pending.surely && !cancel.failed {
                self.tell_cancelled(state, loc, &pending, IoEnd::Success);
                state.pending.remove(loc);
                self.record_io(state, || IoAction::Done(loc));
                continue;
            }
            let here = cancel.at == cancel.origin && self.site.is_none();
            // What a library's error says of the code is not always seen.
            let asked = || {
                let mut known = state.error_of.iter();
                cancel.asked || known.any(|(_, of)| of.judge == cancel.result.0)
            };
            let failed = cancel.failed && (!self.is_rust() || asked());
            if !here || !(failed || cancel.dropped) || pending.closed.is_some() {
                continue;
            }
            let fault = IoFault::CancelFailed {
                cancel: cancel.api.clone(),
                dropped: cancel.dropped,
                overlapped: self.loc_name(loc),
                end: None,
            };
            let at = cancel.at;
            self.tell_io(state, loc, &pending, fault, at, StepKind::Left);
        }
    }

    /// The value says of a function with a status that it succeeded.
    fn tells_success(&self, state: &State, value: ValId) -> bool {
        let ret = &self.function.ret;
        let zero = || self.equals(state, value, 0) == Some(true);
        match &*ret.name {
            "BOOL" | "bool" | "BOOLEAN" => self.equals(state, value, 1) == Some(true),
            "HRESULT" | "NTSTATUS" => zero(),
            _ if self.program.is_status(ret) => zero(),
            "Result" => self.returns_good(value),
            _ => false,
        }
    }
}
