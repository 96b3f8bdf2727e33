//! How pending operations come to their end: cancels, questions, waits, and code out of sight.

use pipelint_ir::{Callee, Name, PlaceId};
use pipelint_models::FunctionModel;

use crate::event::StepKind;
use crate::exec::Exec;
use crate::pending::{Asked, Awaited, Cancelled, Pending};
use crate::pending_log::{Ask, IoAction};
use crate::program::last;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::has_word;

/// `INFINITE` as an unsigned 32-bit number.
const INFINITE: i128 = 0xFFFF_FFFF;
/// `WAIT_IO_COMPLETION`.
const IO_COMPLETION: i128 = 0xC0;
/// `WAIT_TIMEOUT`.
const TIMEOUT: i128 = 258;
/// Objects that one wait can be for.
const MOST_OBJECTS: u32 = 64;

impl Exec<'_, '_> {
    /// The location by which an operation is known: a pointer read again, after code out of sight ran,
    /// leads to the same OVERLAPPED as far as nobody shows otherwise.
    pub(crate) fn known_io(&self, state: &State, loc: LocId) -> LocId {
        if state.pending.is_empty() && state.idle.is_empty() || state.pending.get(loc).is_some() {
            return loc;
        }
        let Some(way) = self.way_to(loc) else {
            return loc;
        };
        let known = state.pending.iter().map(|(at, _)| at);
        let mut known = known.chain(state.idle.iter().map(|(at, ())| at));
        known
            .find(|at| self.way_to(*at).as_ref() == Some(&way))
            .unwrap_or(loc)
    }

    /// An operation that this function did not start.
    pub(crate) fn adopted_io(handle: Option<ValId>) -> Pending {
        Pending {
            handle,
            ..Pending::default()
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
            places: vec![(self.own_class(), self.span)],
            shows: nothing.is_some(),
            judge: Some(result),
            result: (result, nothing),
            error: None,
            asked: false,
            failed: false,
            dropped: dst.is_none_or(|dst| self.is_never_read(dst)),
        };
        if !self.not_a_handle(state, api, handle) && cancel.of_thread {
            self.of_thread(api);
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
        let loc = self.known_io(state, loc);
        if state.idle.get(loc).is_some() {
            return;
        }
        let known = state.pending.get(loc);
        let closed = known.is_some_and(|p| p.closed.is_some() && p.handle != handle);
        if closed && handle.is_some_and(|v| self.arena.as_int(v).is_some()) {
            // The handle is gone, and the call gets none.
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
            .filter(|(_, p)| p.handle.is_some_and(|v| self.is_same(v, handle)))
            .map(|(loc, _)| loc)
            .collect();
        self.cancels_all.insert(cancelled.result.0);
        // What is on a handle that may be this one may be cancelled as well.
        let unsure: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(loc, _)| !of.contains(loc))
            .filter(|(_, p)| p.handle.is_none_or(|v| !self.are_two(state, v, handle)))
            .map(|(loc, _)| loc)
            .collect();
        for loc in unsure {
            // Whether it is asked for or not, a cancel completes nothing; where one object has both, it is
            // meant.
            match self.closing {
                true => self.cancel_one(state, loc, Some(handle), cancelled.clone()),
                false => state.pending.remove(loc),
            }
        }
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
        if waits == Some(true) {
            self.complete(state, loc);
            return;
        }
        let code = completes.incomplete.as_ref();
        let code = code.and_then(|name| self.program.constant(self.unit, name));
        let when = completes.waits_when.as_ref();
        match when
            .and_then(|when| args.get(when.arg))
            .filter(|_| waits.is_none())
        {
            Some(&wait) => self.ask_if(state, loc, wait, result),
            None => {
                self.question(state, loc, result);
                self.record_io(state, || IoAction::Ask(loc, Ask::Result(result)));
            }
        }
        state.asked_io = code.map(|code| (loc, Asked::Result(code)));
    }

    /// Asks, and waits if a value is not 0. Where that is not known, the operation may be over.
    pub(crate) fn ask_if(&mut self, state: &mut State, loc: LocId, wait: ValId, result: ValId) {
        match self.equals(state, wait, 0) {
            Some(true) => {
                self.question(state, loc, result);
                self.record_io(state, || IoAction::Ask(loc, Ask::Result(result)));
            }
            Some(false) => self.complete(state, loc),
            None => {
                self.question(state, loc, result);
                let known = self.known_io(state, loc);
                if let Some(pending) = state.pending.get_mut(known) {
                    pending.surely = false;
                }
                self.record_io(state, || IoAction::Ask(loc, Ask::If(wait, result)));
            }
        }
    }

    pub(crate) fn question(&self, state: &mut State, loc: LocId, result: ValId) {
        let loc = self.known_io(state, loc);
        if state.pending.get(loc).is_none() && state.idle.get(loc).is_none() {
            state.pending.insert(loc, Self::adopted_io(None));
        }
        if let Some(pending) = state.pending.get_mut(loc) {
            pending.asked.push(result);
            pending.last_asked = Some(result);
            pending.polled |= pending.cancel.is_some();
        }
    }

    /// The operation has completed.
    pub(crate) fn complete(&mut self, state: &mut State, loc: LocId) {
        let loc = self.known_io(state, loc);
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
        self.waits_for_untied(state, &objects);
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
        let one = waits.array.is_none();
        let awaited = Awaited {
            objects,
            alertable,
            one,
            timeout: waits.timeout.and_then(|n| args.get(n)).copied(),
        };
        self.await_objects(state, result, awaited);
    }

    /// A wait, whose result is decided later.
    pub(crate) fn await_objects(&mut self, state: &mut State, result: ValId, awaited: Awaited) {
        let time = awaited
            .timeout
            .filter(|_| awaited.one && !awaited.alertable);
        if time.is_some_and(|v| matches!(self.arena.as_int(v), Some(-1 | INFINITE))) {
            // How long a helper waits, its caller knows.
            for (_, v) in &awaited.objects {
                self.signalled(state, *v, &[]);
            }
            return;
        }
        self.record_io(state, || IoAction::Wait(result, Box::new(awaited.clone())));
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
            // A wait for one object that did not time out fails only where the object is none.
            let no_timeout = awaited.one && self.equals(state, result, TIMEOUT) == Some(false);
            for (n, v) in objects {
                match self.equals(state, result, n) {
                    None if no_timeout => self.signalled(state, v, &among),
                    Some(true) => self.signalled(state, v, &among),
                    Some(false) => {
                        self.waited_in_vain(state, v, awaited.timeout.filter(|_| awaited.one))
                    }
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
                let listed = |v: ValId| {
                    let same = |other: &ValId| self.is_same(*other, v);
                    !self.is_same(v, object) && among.iter().any(same)
                };
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
    pub(crate) fn waited_in_vain(
        &mut self,
        state: &mut State,
        object: ValId,
        timeout: Option<ValId>,
    ) {
        // How long a helper waits, its caller knows.
        if timeout.is_some_and(|v| matches!(self.arena.as_int(v), Some(-1 | INFINITE))) {
            self.signalled(state, object, &[]);
            return;
        }
        let mut of: Vec<LocId> = Vec::new();
        for (loc, p) in state.pending.iter() {
            let same = |v: Option<ValId>| v.is_some_and(|v| self.is_same(v, object));
            if same(p.event) || same(p.handle) || self.is_event_of(loc, object) {
                of.push(loc);
            }
        }
        for loc in of {
            if let Some(p) = state.pending.get_mut(loc) {
                let known = std::mem::replace(&mut p.surely, true);
                p.event = p.event.or(Some(object).filter(|v| p.handle != Some(*v)));
                if known {
                    continue;
                }
            }
            self.record_io(state, || IoAction::Sure(loc));
        }
        self.record_io(state, || IoAction::Vain(object, timeout));
    }

    /// Completion routines ran: which they were is not known.
    pub(crate) fn alerted(&mut self, state: &mut State) {
        state
            .pending
            .retain(|_, p| !p.routine && p.started.is_some());
        self.record_io(state, || IoAction::Alerted);
    }

    /// The value was read from the `hEvent` of this OVERLAPPED.
    fn is_event_of(&self, overlapped: LocId, v: ValId) -> bool {
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v) else {
            return false;
        };
        match self.arena.get_loc(*loc) {
            Loc::Field(of, name) if name == "hEvent" => {
                *of == overlapped
                    || self
                        .way_to(*of)
                        .is_some_and(|way| self.way_to(overlapped) == Some(way))
            }
            _ => false,
        }
    }

    /// The same object: one value, or one place that was read again after code out of sight ran.
    pub(crate) fn is_same(&self, a: ValId, b: ValId) -> bool {
        let place = |v: ValId| match self.arena.get(v) {
            Val::Sym(Sym::Load { loc, .. }) => self.way_to(*loc),
            _ => None,
        };
        a == b || place(a).is_some_and(|way| place(b) == Some(way))
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
        if self.alone {
            return;
        }
        state.callbacks.slow = true;
        let gone_any = !state.pending.is_empty();
        let gone: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(loc, _)| self.others_reach(state, *loc))
            .map(|(loc, _)| loc)
            .collect();
        for loc in gone {
            state.pending.remove(loc);
        }
        let own: Vec<LocId> = state.idle.iter().map(|(loc, ())| loc).collect();
        let own: Vec<LocId> = own
            .into_iter()
            .filter(|loc| !self.others_reach(state, *loc))
            .collect();
        state.idle.retain(|loc, ()| own.contains(&loc));
        // Where nothing is under way here, a caller need not know at which point it ran.
        match gone_any {
            true => self.record_io(state, || IoAction::Drained),
            false => self.takes_time = true,
        }
    }

    /// A wait on a condition variable. Where two methods are run one after the other, somebody else runs
    /// here: what is under way may complete, and numbers in the object change. What was closed before stays
    /// closed.
    pub(crate) fn woken(&mut self, state: &mut State) {
        if self.alone {
            state.pending.retain(|_, p| p.closed.is_some());
            let epoch = self.epoch_after(state, 0);
            let object = |loc: LocId| *self.arena.get_loc(self.arena.root(loc)) == Loc::SelfObj;
            let number = |v: &ValId| matches!(self.arena.get(*v), Val::Int(_));
            let numbers = state
                .env
                .iter()
                .filter(|(loc, v)| number(v) && object(*loc));
            let numbers: Vec<LocId> = numbers.map(|(loc, _)| loc).collect();
            for loc in numbers {
                let v = self.arena.sym(Sym::Load { loc, epoch });
                state.env.insert(loc, v);
            }
        }
        self.record_io(state, || IoAction::Woken);
    }

    /// Code out of sight can reach the memory: it is not of this function's own making, or somebody was
    /// given it.
    fn others_reach(&self, state: &State, loc: LocId) -> bool {
        let made = match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Deref(p) => state
                .res
                .get(*p)
                .is_some_and(|res| !res.escaped && !res.adopted),
            _ => false,
        };
        !made && self.is_outside(state, loc)
    }

    /// A call of code out of sight. What only wakes others, locks, counts or writes a message completes
    /// nothing.
    pub(crate) fn unknown_and_io(&mut self, state: &mut State, callee: &Callee) {
        if self
            .program
            .waits_to_be_woken(self.unit, self.function, callee)
        {
            self.woken(state);
        }
        // Who has waited for a lock finds what others did meanwhile.
        if is_lock(callee) || !takes_no_time(callee) {
            self.may_complete(state);
        }
    }

    /// A value goes to code out of sight: what it means to an operation, that code may use to wait.
    pub(crate) fn give_io(&mut self, state: &mut State, v: ValId) {
        if let Val::Ptr(at) = *self.arena.get(v)
            && !state.events_of.is_empty()
        {
            let arena = &self.arena;
            state.events_of.retain(|of, _| !arena.within(of, at));
        }
        if let Val::Ptr(at) = *self.arena.get(v)
            && !state.zeroed.is_empty()
        {
            let arena = &self.arena;
            state.zeroed.retain(|of, _| !arena.within(of, at));
        }
        // Who is to wait later has not waited yet.
        if state.pending.is_empty() || self.alone {
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

/// What a call of code out of sight is called.
fn called(callee: &Callee) -> &str {
    match callee {
        Callee::Function(name) | Callee::Method { name, .. } => name.as_str(),
        Callee::Constructor(ty) => &ty.name,
        _ => "",
    }
}

/// Code out of sight that takes a lock, as its name says.
fn is_lock(callee: &Callee) -> bool {
    has_word(
        last(called(callee)),
        &["lock_guard", "guard", "acquire", "enter"],
    )
}

/// Code out of sight that waits for nothing, as its name says.
pub(crate) fn takes_no_time(callee: &Callee) -> bool {
    let name = called(callee);
    match callee {
        Callee::Function(_) => is_quick_library(name) || is_harmless(last(name)),
        Callee::Method { .. } => is_harmless(name),
        // What it is given is followed; what it is not given it can hardly wait for.
        Callee::Constructor(_) => !has_word(
            last(name),
            &["wait", "waiter", "thread", "future", "joiner"],
        ),
        _ => false,
    }
}

/// A function of a standard library that neither waits nor runs code of the program.
fn is_quick_library(name: &str) -> bool {
    let mut parts = name.split("::").skip_while(|part| part.is_empty());
    let library = matches!(parts.next(), Some("std" | "core" | "alloc"));
    const SLOW: &[&str] = &[
        "thread",
        "this_thread",
        "sync",
        "io",
        "net",
        "process",
        "fs",
        "future",
        "async",
        "task",
        "latch",
        "barrier",
        "condition_variable",
        "jthread",
        "mutex",
        "function",
        "invoke",
        "apply",
        "for_each",
    ];
    let makes_error = name.trim_start_matches("::").starts_with("std::io::Error");
    library && (makes_error || !name.split("::").any(|part| SLOW.contains(&part)))
}

/// A name that speaks of nothing that takes time.
fn is_harmless(name: &str) -> bool {
    const QUICK: &[&str] = &[
        "notify", "wake", "signal", "unlock", "unlocker", "leave", "release", "clear", "reset",
        "set", "size", "len", "length", "count", "capacity", "empty", "append", "push", "pop",
        "insert", "erase", "resize", "reserve", "extend", "fill", "copy", "swap", "move", "data",
        "begin", "end", "front", "back", "iter", "min", "max", "clone", "default", "new", "print",
        "printf", "fprintf", "log", "kind", "code", "drain", "collect", "take", "encode",
        "volatile", "warn", "warning", "error", "debug", "trace",
    ];
    const ASKS: &[&str] = &[
        "is",
        "as",
        "to",
        "into",
        "from",
        "has",
        "checked",
        "saturating",
        "wrapping",
        "unwrap",
        "expect",
        "try",
        "contains",
        "starts",
        "ends",
        "strip",
        "trim",
        "split",
        "chunks",
        "cmp",
        "eq",
        "sub",
        "add",
        "mul",
        "div",
        "now",
        "elapsed",
        "duration",
        "ptr",
        "addr",
        "cast",
        "get",
        "offset",
    ];
    const SLOW: &[&str] = &[
        "wait", "for", "and", "until", "flush", "sync", "all", "event", "events",
    ];
    let first = name.split('_').next().unwrap_or(name);
    name.starts_with("notify")
        || ASKS.contains(&first)
        || (has_word(name, QUICK) && !has_word(name, SLOW))
}
