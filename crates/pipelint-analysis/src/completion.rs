//! How pending operations come to their end: cancels, questions, waits, and code out of sight.

use pipelint_ir::{Callee, Name, PlaceId};
use pipelint_models::FunctionModel;

use crate::event::StepKind;
use crate::exec::Exec;
use crate::pending::{Asked, Awaited, Cancelled, Pending};
use crate::pending_log::{Ask, IoAction};
use crate::program::last;
use crate::state::State;
use crate::values::{Loc, LocId, Val, ValId};
use crate::words::has_word;

/// `INFINITE` as an unsigned 32-bit number.
const INFINITE: i128 = 0xFFFF_FFFF;
/// `WAIT_IO_COMPLETION`.
const IO_COMPLETION: i128 = 0xC0;
/// Objects that one wait can be for.
const MOST_OBJECTS: u32 = 64;

impl Exec<'_, '_> {
    /// An operation that this function did not start.
    pub(crate) fn adopted_io(handle: Option<ValId>) -> Pending {
        Pending {
            started: None,
            here: false,
            handle,
            event: None,
            buffers: Vec::new(),
            routine: false,
            judge: None,
            error: None,
            asked: Vec::new(),
            incomplete: None,
            surely: false,
            cancel: None,
            closed: None,
        }
    }

    pub(crate) fn cancel_io(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(cancel) = &model.cancels else { return };
        let nothing = cancel.nothing.as_ref();
        let nothing = nothing.and_then(|name| self.program.constant(self.unit, name));
        let Some(&handle) = args.get(cancel.handle) else {
            return;
        };
        let cancelled = Cancelled {
            api: api.clone(),
            at: self.span,
            origin: self.span,
            class: self.own_class(),
            shows: nothing.is_some(),
            judge: Some(result),
            error: None,
            failed: false,
            dropped: dst.is_none_or(|dst| self.is_never_read(dst)),
        };
        self.not_a_handle(state, api, handle);
        if cancel.of_thread {
            self.of_thread(state, api, handle);
        }
        let one = cancel.overlapped.and_then(|n| args.get(n)).copied();
        let one = one.filter(|v| self.equals(state, *v, 0) != Some(true));
        let Some(one) = one else {
            self.cancel_all(state, handle, &cancelled, nothing);
            self.record_io(state, || IoAction::CancelAll(handle, Box::new(cancelled)));
            return;
        };
        let Some(loc) = self.overlapped(state, one) else {
            return;
        };
        self.cancel_one(state, loc, Some(handle), cancelled.clone());
        self.record_io(state, || {
            IoAction::Cancel(loc, Box::new((handle, cancelled)))
        });
        state.asked_io = nothing.map(|code| (loc, Asked::Cancel(code)));
    }

    pub(crate) fn cancel_one(
        &mut self,
        state: &mut State,
        loc: LocId,
        handle: Option<ValId>,
        cancelled: Cancelled,
    ) {
        if state.idle.get(loc).is_some() {
            return;
        }
        let about = self.arena.val(Val::Ptr(loc));
        let step = StepKind::CancelAsked(cancelled.api.clone());
        state.step(self.span, step, Some(about));
        let mut pending = match state.pending.get(loc) {
            Some(known) => known.clone(),
            None => Self::adopted_io(handle),
        };
        pending.cancel = Some(cancelled);
        state.pending.insert(loc, pending);
    }

    /// A cancel of whatever is under way on a handle.
    pub(crate) fn cancel_all(
        &mut self,
        state: &mut State,
        handle: ValId,
        cancelled: &Cancelled,
        nothing: Option<i128>,
    ) {
        let of: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(_, p)| p.handle == Some(handle))
            .map(|(loc, _)| loc)
            .collect();
        for loc in &of {
            self.cancel_one(state, *loc, Some(handle), cancelled.clone());
        }
        state.asked_io = match (&of[..], nothing) {
            ([loc], Some(code)) => Some((*loc, Asked::Cancel(code))),
            _ => None,
        };
    }

    /// A call asks how an operation went, or waits until it has completed.
    pub(crate) fn ask_io(
        &mut self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(completes) = &model.completes else {
            return;
        };
        let Some(loc) = args
            .get(completes.overlapped)
            .and_then(|v| self.overlapped(state, *v))
        else {
            return;
        };
        let waits = match &completes.waits_when {
            Some(when) => self.applies(state, Some(when), args),
            None => Some(false),
        };
        if waits != Some(false) {
            // Whether it waits, the caller knows: as far as nobody tells, it does.
            self.complete(state, loc);
            return;
        }
        let code = completes.incomplete.as_ref();
        let code = code.and_then(|name| self.program.constant(self.unit, name));
        self.question(state, loc, result);
        self.record_io(state, || IoAction::Ask(loc, Ask::Result(result)));
        state.asked_io = code.map(|code| (loc, Asked::Result(code)));
    }

    pub(crate) fn question(&self, state: &mut State, loc: LocId, result: ValId) {
        if state.pending.get(loc).is_none() {
            state.pending.insert(loc, Self::adopted_io(None));
        }
        if let Some(pending) = state.pending.get_mut(loc) {
            pending.asked.push(result);
        }
    }

    /// The operation has completed.
    pub(crate) fn complete(&mut self, state: &mut State, loc: LocId) {
        state.pending.remove(loc);
        state.idle.insert(loc, ());
        self.record_io(state, || IoAction::Done(loc));
    }

    pub(crate) fn wait_io(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(waits) = &model.waits else { return };
        let zero = |n: Option<usize>| n.and_then(|n| self.equals(state, *args.get(n)?, 0));
        let alertable = waits.alertable.is_some() && zero(waits.alertable) != Some(true);
        let all = waits.all.is_some() && zero(waits.all) == Some(false);
        let endless = waits.timeout.and_then(|n| args.get(n));
        let endless = endless.is_some_and(|v| matches!(self.arena.as_int(*v), Some(-1 | INFINITE)));
        let mut objects: Vec<(i128, ValId)> = Vec::new();
        objects.extend(waits.handle.and_then(|n| args.get(n)).map(|v| (0, *v)));
        if let Some(&array) = waits.array.and_then(|n| args.get(n)) {
            objects.extend(self.objects(state, array, all));
        }
        let dropped = dst.is_none_or(|dst| self.is_never_read(dst));
        // An endless wait for one object fails only where the object is none.
        let one = waits.array.is_none() && !(alertable && waits.handle.is_some());
        if endless && (dropped || one) {
            for (_, v) in &objects {
                self.signalled(state, *v, &[]);
            }
            if alertable {
                self.alerted(state);
            }
            return;
        }
        if dropped {
            return;
        }
        let awaited = Awaited { objects, alertable };
        state.awaited.insert(result, awaited);
    }

    /// The objects that an array holds, with the result that each is told by.
    fn objects(&mut self, state: &State, array: ValId, all: bool) -> Vec<(i128, ValId)> {
        let base = self.pointee(array);
        // `handles` and `&handles[0]` are the same address.
        let base = match self.arena.get_loc(base) {
            Loc::Elem(parent, Some(0)) => *parent,
            _ => base,
        };
        let mut found = Vec::new();
        for i in 0..MOST_OBJECTS {
            let at = self.arena.loc(Loc::Elem(base, Some(i.into())));
            if let Some(&v) = state.env.get(at) {
                let n = if all { 0 } else { i128::from(i) };
                found.push((n, v));
            }
        }
        if found.is_empty() {
            // One object by its address, or an array that is filled out of sight.
            let v = self.read(state, base);
            found.push((0, v));
        }
        found
    }

    /// Waits whose result a condition has decided.
    pub(crate) fn settle_waits(&mut self, state: &mut State) {
        let all: Vec<(ValId, Awaited)> =
            state.awaited.iter().map(|(v, a)| (v, a.clone())).collect();
        for (result, mut awaited) in all {
            if awaited.alertable
                && let Some(ran) = self.equals(state, result, IO_COMPLETION)
            {
                awaited.alertable = false;
                if ran {
                    self.alerted(state);
                }
            }
            let objects = std::mem::take(&mut awaited.objects);
            let among: Vec<ValId> = objects.iter().map(|(_, v)| *v).collect();
            for (n, v) in objects {
                match self.equals(state, result, n) {
                    Some(true) => self.signalled(state, v, &among),
                    Some(false) => self.waited_in_vain(state, v),
                    None => awaited.objects.push((n, v)),
                }
            }
            if awaited.objects.is_empty() && !awaited.alertable {
                state.awaited.remove(result);
            } else {
                state.awaited.insert(result, awaited);
            }
        }
    }

    /// An object is signalled: operations that it stands for have completed, and so may others that it
    /// is not known not to stand for. Those that another object of the same wait stands for have not.
    pub(crate) fn signalled(&mut self, state: &mut State, object: ValId, among: &[ValId]) {
        let done: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(_, p)| {
                let listed = |v: ValId| v != object && among.contains(&v);
                let other = |v: Option<ValId>| {
                    v.is_some_and(|v| listed(v) || self.are_two(state, v, object))
                };
                // The handle is signalled where there is no event.
                !(other(p.event) || (p.event.is_none() && other(p.handle)))
            })
            .map(|(loc, _)| loc)
            .collect();
        for loc in done {
            self.complete(state, loc);
        }
        self.record_io(state, || IoAction::Signalled(object));
    }

    /// A wait for this object ended without it.
    pub(crate) fn waited_in_vain(&mut self, state: &mut State, object: ValId) {
        let of: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(_, p)| p.event == Some(object) || p.handle == Some(object))
            .filter(|(_, p)| !p.surely)
            .map(|(loc, _)| loc)
            .collect();
        for loc in of {
            if let Some(p) = state.pending.get_mut(loc) {
                p.surely = true;
            }
            self.record_io(state, || IoAction::Sure(loc));
        }
        self.record_io(state, || IoAction::Vain(object));
    }

    /// Completion routines ran: which they were is not known.
    pub(crate) fn alerted(&mut self, state: &mut State) {
        state
            .pending
            .retain(|_, p| !p.routine && p.started.is_some());
        self.record_io(state, || IoAction::Alerted);
    }

    /// Two values that cannot be the same object.
    fn are_two(&self, state: &State, a: ValId, b: ValId) -> bool {
        let made = |v: ValId| state.res.get(v).is_some_and(|res| !res.adopted);
        let constant = |v: ValId| matches!(self.arena.get(v), Val::Int(_));
        a != b && (constant(a) || constant(b) || (made(a) && made(b)))
    }

    /// Code out of sight ran that may have waited, or that others waited for meanwhile: operations on
    /// memory that it can reach may have completed.
    pub(crate) fn may_complete(&mut self, state: &mut State) {
        let gone: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(loc, _)| self.is_outside(state, *loc))
            .map(|(loc, _)| loc)
            .collect();
        for loc in gone {
            state.pending.remove(loc);
        }
        let own: Vec<LocId> = state.idle.iter().map(|(loc, ())| loc).collect();
        let own: Vec<LocId> = own
            .into_iter()
            .filter(|loc| !self.is_outside(state, *loc))
            .collect();
        state.idle.retain(|loc, ()| own.contains(&loc));
        // Its callers replay it where it ran.
        self.takes_time = true;
    }

    /// A call of code out of sight. What only wakes others, locks, counts or writes a message completes
    /// nothing.
    pub(crate) fn unknown_and_io(&mut self, state: &mut State, callee: &Callee) {
        let name = match callee {
            Callee::Function(name) => last(name),
            Callee::Method { name, .. } => name.as_str(),
            _ => "",
        };
        if !is_harmless(name) {
            self.may_complete(state);
        }
    }

    /// A value goes to code out of sight: what it means to an operation, that code may use to wait.
    pub(crate) fn give_io(&mut self, state: &mut State, v: ValId) {
        if state.pending.is_empty() {
            return;
        }
        let pointee = match *self.arena.get(v) {
            Val::Ptr(loc) => Some(loc),
            _ => None,
        };
        let behind = self.pointee(v);
        state.pending.retain(|loc, p| {
            let given = p.handle == Some(v)
                || p.event == Some(v)
                || self.arena.root(loc) == behind
                || pointee.is_some_and(|at| self.arena.within(loc, at));
            !given
        });
    }
}

/// A name that speaks of nothing that takes time.
fn is_harmless(name: &str) -> bool {
    let harmless = [
        "notify", "unlock", "unlocker", "lock", "locker", "release", "leave", "enter", "clear",
        "size", "length", "empty", "append", "push", "pop", "print", "printf", "fprintf", "log",
        "warn", "warning", "error", "debug", "trace", "wake", "signal", "set", "reset",
    ];
    let slow = ["wait", "for", "and", "until", "all", "flush", "sync"];
    let notifies = name.starts_with("notify");
    notifies || (has_word(name, &harmless) && !has_word(name, &slow))
}
