//! Overlapped operations on a path: started, under way, asked to be cancelled, completed.
//!
//! An operation is named by the location of its OVERLAPPED, so that every pointer to it means the same.
//! Until it has completed, the kernel uses the OVERLAPPED, the buffers, the event and the handle.

use pipelint_ir::{LocalKind, Name, PlaceId};
use pipelint_models::{FunctionModel, Success};
use pipelint_source::Span;

use crate::event::{PathStep, StepKind};
use crate::exec::Exec;
use crate::io_fault::IoEnd;
use crate::log::Action;
use crate::lost::Lost;
use crate::parked::Counted;
use crate::pending_log::{Ask, IoAction, ResetCall};
use crate::program::ClassRef;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// `ERROR_IO_PENDING`, and Winsock's name for it.
const IO_PENDING: i128 = 997;
/// `ERROR_IO_INCOMPLETE`, and Winsock's name for it.
const IO_INCOMPLETE: i128 = 996;
/// What `Internal` holds until the operation has completed.
const STATUS_PENDING: i128 = 0x103;

/// An operation that may be under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pending {
    /// The call that started it; none where it was started before this function.
    pub(crate) started: Option<(Name, Span)>,
    pub(crate) handle: Option<ValId>,
    /// What `hEvent` holds; none where that is not known.
    pub(crate) event: Option<ValId>,
    /// The memory that it reads or writes.
    pub(crate) buffers: Vec<LocId>,
    /// A completion routine tells of it.
    pub(crate) routine: bool,
    /// The starting call's success says that it is under way.
    pub(crate) queued: bool,
    /// The starting call's result, until a condition has decided it.
    pub(crate) judge: Option<(ValId, Success)>,
    /// That result, for who asks for its error.
    pub(crate) result: Option<ValId>,
    /// The error that the starting call left, until a condition has decided it.
    pub(crate) error: Option<ValId>,
    /// Results that say, if they are not 0, that it has completed.
    pub(crate) asked: Vec<ValId>,
    /// The last of them, for who asks for its error.
    pub(crate) last_asked: Option<ValId>,
    /// The error that such a question left, and the code that says that the operation goes on.
    pub(crate) incomplete: Option<(ValId, i128)>,
    /// The path shows that it is under way.
    pub(crate) surely: bool,
    pub(crate) cancel: Option<Cancelled>,
    /// Asked after the cancel how it went, without a wait.
    pub(crate) polled: bool,
    /// Clones of the shared pointer to its object that were made since.
    pub(crate) counted: Vec<Counted>,
    /// Its memory has ended, and whether it was under way then the result of the function says.
    pub(crate) ended: Option<IoEnd>,
    /// Where its OVERLAPPED was zeroed, which was given no event since.
    pub(crate) zeroed: Option<Span>,
    /// The call that closed its handle or its event, and where.
    pub(crate) closed: Option<(Name, Span)>,
    /// It was the handle that was closed, and not its event alone.
    pub(crate) closed_handle: bool,
}

/// A request to cancel an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cancelled {
    pub(crate) api: Name,
    /// The call in this function.
    pub(crate) at: Span,
    /// The cancelling call itself.
    pub(crate) origin: Span,
    /// That call and the calls that lead to it, each with the class whose method it stands in.
    pub(crate) places: Vec<(Option<ClassRef>, Span)>,
    /// Success says that something was there to cancel.
    pub(crate) shows: bool,
    pub(crate) judge: Option<ValId>,
    /// Its result, for who asks for its error, and the code that says that nothing was there.
    pub(crate) result: (ValId, Option<i128>),
    /// The error that it left, and the code that says that nothing was there to cancel.
    pub(crate) error: Option<(ValId, i128)>,
    /// Somebody asked for it.
    pub(crate) asked: bool,
    /// It is known to have failed.
    pub(crate) failed: bool,
    /// Nothing receives its result.
    pub(crate) dropped: bool,
}

/// A wait for objects whose result is not decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Awaited {
    /// The objects, with the result that says that each is signalled.
    pub(crate) objects: Vec<(i128, ValId)>,
    /// Completion routines may have run: the result that says so.
    pub(crate) alertable: bool,
    /// It is for one object, by its handle.
    pub(crate) one: bool,
    /// The time that it waits.
    pub(crate) timeout: Option<ValId>,
}

/// Which question the last error on a path answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Start,
    /// With the code that says that the operation goes on.
    Result(i128),
    /// With the code that says that nothing was there to cancel.
    Cancel(i128),
}

impl Exec<'_, '_> {
    /// A modelled call: what it does to operations. Runs after its other effects.
    pub(crate) fn run_io(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        if matches!(&**api, "GetLastError" | "WSAGetLastError") {
            self.note_error_of_io(state, result);
            return;
        }
        let concerns = model.starts_io.is_some()
            || model.io.as_ref().is_some_and(|io| io.overlapped.is_some())
            || model.cancels.is_some()
            || model.completes.is_some();
        if !concerns && (model.success.is_some() || !model.acquires.is_empty()) {
            state.asked_io = None;
        }
        if concerns || model.waits.is_some() || model.resets.is_some() {
            self.settle_io(state);
        }
        self.start_io(state, api, model, args, result);
        self.cancel_io(state, dst, api, model, args, result);
        self.ask_io(state, model, args, result);
        self.wait_io(state, dst, model, args, result);
        if let Some(&event) = model.resets.and_then(|n| args.get(n)) {
            let call = ResetCall {
                api: api.clone(),
                origin: self.span,
                frames: 0,
            };
            self.reset_event(state, call, event);
        }
        if model.drains {
            self.may_complete(state);
        }
        if model.wakes {
            self.may_complete(state);
            self.woken(state);
        }
    }

    /// The location of the OVERLAPPED that a call is given; none where it is null, or one of several.
    pub(crate) fn overlapped(&mut self, state: &State, v: ValId) -> Option<LocId> {
        let known = self.arena.as_int(v);
        let exact = state.facts.get(v).and_then(|f| f.exact());
        if known.or(exact) == Some(0) || matches!(self.arena.get(v), Val::Str) {
            return None;
        }
        let loc = self.pointee(v);
        (self.unknown_element(loc).is_none() && !self.is_of_no_type(loc)).then_some(loc)
    }

    /// A part of a variable whose type is not known: it may well lead elsewhere.
    pub(crate) fn is_of_no_type(&self, loc: LocId) -> bool {
        let root = self.arena.root(loc);
        let Loc::Local(l) = self.arena.get_loc(root) else {
            return false;
        };
        let local = self.function.locals.get(l.0 as usize);
        // Whose own address is given is meant itself.
        root != loc
            && local.is_some_and(|l| {
                l.kind != LocalKind::Temp && matches!(&*l.ty.name, "" | "auto" | "?" | "_")
            })
    }

    fn start_io(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let Some(start) = model.start() else { return };
        let Some(loc) = args
            .get(start.overlapped)
            .and_then(|v| self.overlapped(state, *v))
        else {
            state.asked_io = None;
            return;
        };
        let Some(success) = model.success else { return };
        self.started_again(state, loc, api);
        self.unset_overlapped(state, loc, api);
        let event = self.arena.loc(Loc::Field(loc, "hEvent".into()));
        let mut buffers: Vec<LocId> = Vec::new();
        for v in start.buffers.iter().filter_map(|n| args.get(*n)) {
            if !matches!(self.arena.get(*v), Val::Int(_) | Val::Str | Val::Named(_)) {
                buffers.push(self.pointee(*v));
            }
        }
        let pending = Pending {
            started: Some((api.clone(), self.span)),
            handle: args.get(start.handle).copied(),
            event: state
                .env
                .get(event)
                .copied()
                .or_else(|| self.event_of(state, loc)),
            buffers,
            routine: start.routine,
            zeroed: self.zeroed_at(state, loc),
            queued: start.routine || start.queued,
            judge: Some((result, success)),
            result: Some(result),
            ..Pending::default()
        };
        let about = self.arena.val(Val::Ptr(loc));
        let what = StepKind::Started(api.clone());
        state.step(self.span, what.clone(), Some(about));
        if let Some(kept) = self.kept_io(loc) {
            let span = self.span;
            self.found
                .kept_io
                .starts
                .push((kept, PathStep { span, what }));
        }
        self.record_io(state, || IoAction::Start(loc, Box::new(pending.clone())));
        self.begin_io(state, loc);
        let known = self.known_io(state, loc);
        state.idle.remove(known);
        state.pending.insert(loc, pending);
        state.asked_io = Some((loc, Asked::Start));
    }

    /// Something is written: the event of an OVERLAPPED, or all of it.
    pub(crate) fn note_event_of(&self, state: &mut State, loc: LocId, v: ValId) {
        if let Loc::Field(overlapped, name) = self.arena.get_loc(loc)
            && name == "hEvent"
        {
            state.events_of.insert(*overlapped, v);
            if !state.zeroed.is_empty() && self.arena.as_int(v) != Some(0) {
                let arena = &self.arena;
                let way = self.way_to(*overlapped);
                state.zeroed.retain(|at, _| {
                    at != *overlapped
                        && (way.is_none() || self.way_to(at) != way)
                        && !arena.within(*overlapped, at)
                });
            }
            return;
        }
        if !state.zeroed.is_empty() {
            let arena = &self.arena;
            state.zeroed.retain(|at, _| !arena.within(at, loc));
        }
        if !state.events_of.is_empty() {
            let arena = &self.arena;
            state.events_of.retain(|at, _| !arena.within(at, loc));
        }
    }

    /// What `hEvent` was set to last.
    fn event_of(&self, state: &State, loc: LocId) -> Option<ValId> {
        if let Some(v) = state.events_of.get(loc) {
            return Some(*v);
        }
        let way = self.way_to(loc)?;
        let mut known = state.events_of.iter();
        let of = known.find(|(at, _)| self.way_to(*at).as_ref() == Some(&way));
        of.map(|(_, v)| *v)
    }

    /// The kernel writes the status of the operation, whenever it will.
    pub(crate) fn begin_io(&mut self, state: &mut State, loc: LocId) {
        for (field, slot) in [("Internal", 60), ("InternalHigh", 61)] {
            let at = self.arena.loc(Loc::Field(loc, field.into()));
            let v = self.fresh(state, slot);
            state.env.insert(at, v);
        }
    }

    /// `GetLastError()` right after a call on an operation.
    fn note_error_of_io(&mut self, state: &mut State, error: ValId) {
        let Some((loc, asked)) = state.asked_io else {
            return;
        };
        self.learn_error(state, loc, asked, error);
        self.record_io(state, || IoAction::Ask(loc, Ask::Error(asked, error)));
    }

    /// The error that a call on an operation left.
    pub(crate) fn learn_error(&self, state: &mut State, loc: LocId, asked: Asked, error: ValId) {
        let loc = self.known_io(state, loc);
        let Some(pending) = state.pending.get_mut(loc) else {
            return;
        };
        match asked {
            Asked::Start => pending.error = Some(error),
            Asked::Result(code) => pending.incomplete = Some((error, code)),
            Asked::Cancel(code) => {
                if let Some(cancel) = &mut pending.cancel {
                    cancel.asked = true;
                    cancel.error = Some((error, code));
                }
            }
        }
    }

    /// Keeps an action for the callers, if they can know of the operation.
    pub(crate) fn record_io(&mut self, state: &mut State, action: impl FnOnce() -> IoAction) {
        if !self.recording {
            return;
        }
        let action = action();
        let felt = match &action {
            IoAction::Start(loc, _)
            | IoAction::Ask(loc, _)
            | IoAction::Cancel(loc, _)
            | IoAction::Sure(loc)
            | IoAction::Zeroed(loc, _)
            | IoAction::Failed(loc)
            | IoAction::Done(loc) => self.is_callers(*loc),
            IoAction::Ended(loc, ..) => self.is_callers(*loc) && self.is_given_loc(*loc),
            // Whichever handle it was.
            IoAction::CancelAll(..) => true,
            IoAction::Signalled(v)
            | IoAction::Vain(v, _)
            | IoAction::Reset(v, _)
            | IoAction::Callback(v, _) => self.is_given(*v),
            IoAction::Alerted | IoAction::Drained | IoAction::Woken => true,
            IoAction::Wait(_, awaited) => awaited.objects.iter().any(|(_, v)| self.is_given(*v)),
        };
        if felt {
            self.record(state, Action::Io(Box::new(action)));
        }
    }

    /// A condition has decided the error that a call left whose result this is.
    pub(crate) fn error_decided(&mut self, state: &mut State, result: ValId, error: ValId) {
        if self.equals(state, error, IO_PENDING) == Some(true) {
            // It has not failed.
            let started = state
                .pending
                .iter()
                .filter(|(_, p)| p.result == Some(result));
            let started: Vec<Span> = started
                .filter_map(|(_, p)| Some(p.started.as_ref()?.1))
                .collect();
            let of_it = |lost: &Lost| {
                lost.result.is_some_and(|v| v == result || v == error) || started.contains(&lost.at)
            };
            state.lost = state.lost.take().filter(|lost| !of_it(lost));
            // Nor does it fail when the result is looked at once more.
            state
                .operations
                .retain(|v, op| v != result && !started.contains(&op.span));
        }
        let all: Vec<(LocId, Pending)> =
            state.pending.iter().map(|(l, p)| (l, p.clone())).collect();
        for (loc, mut pending) in all {
            let started = pending.result == Some(result);
            let nothing = pending.cancel.as_ref().filter(|c| c.result.0 == result);
            let nothing = nothing.and_then(|c| c.result.1);
            let question = pending.last_asked == Some(result);
            if question {
                match self.equals(state, error, IO_INCOMPLETE) {
                    Some(true) => {
                        pending.surely = true;
                        state.pending.insert(loc, pending);
                        self.record_io(state, || IoAction::Sure(loc));
                    }
                    Some(false) => self.complete(state, loc),
                    None => {}
                }
                continue;
            }
            let over = match nothing {
                Some(code) => self.equals(state, error, code) == Some(true),
                None => started && self.equals(state, error, IO_PENDING) == Some(false),
            };
            if over {
                self.complete(state, loc);
            } else if started && self.equals(state, error, IO_PENDING) == Some(true) {
                pending.surely = true;
                pending.judge = None;
                state.pending.insert(loc, pending);
                self.record_io(state, || IoAction::Sure(loc));
            }
        }
    }

    /// What conditions have decided since: operations that are done go, others are under way surely.
    pub(crate) fn settle_io(&mut self, state: &mut State) {
        if state.pending.is_empty() && state.awaited.is_empty() {
            return;
        }
        self.settle_waits(state);
        let all: Vec<(LocId, Pending)> =
            state.pending.iter().map(|(l, p)| (l, p.clone())).collect();
        for (loc, mut pending) in all {
            let before = pending.clone();
            let status = self.arena.loc(Loc::Field(loc, "Internal".into()));
            let status = self.read(state, status);
            // What the program writes there itself, to use it anew, says nothing. In Rust it is rather
            // another box that was put into the place, unless a pointer says which memory it is.
            let written = !matches!(self.arena.get(status), Val::Sym(_));
            let kernels = !written || (self.is_rust() && !self.is_behind_pointer(loc));
            let over = kernels && self.equals(state, status, STATUS_PENDING) == Some(false);
            if over || self.is_done(state, &mut pending) {
                self.complete(state, loc);
                continue;
            }
            let failed = |p: &Pending| p.cancel.as_ref().is_some_and(|c| c.failed);
            if failed(&pending) && !failed(&before) {
                self.record_io(state, || IoAction::Failed(loc));
            }
            if pending.surely && !before.surely {
                self.record_io(state, || IoAction::Sure(loc));
            }
            if pending != before {
                state.pending.insert(loc, pending);
            }
        }
    }

    /// What a raw pointer leads to.
    fn is_behind_pointer(&mut self, loc: LocId) -> bool {
        let Loc::Deref(p) = *self.arena.get_loc(self.arena.root(loc)) else {
            return false;
        };
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(p) else {
            return false;
        };
        self.loc_type(loc).is_some_and(|ty| ty.pointers > 0)
    }

    /// True when the operation is known to have completed, or never to have begun.
    fn is_done(&self, state: &State, pending: &mut Pending) -> bool {
        if let Some((v, success)) = pending.judge
            && let Some(good) = self.succeeded(state, v, success)
        {
            pending.judge = None;
            match (good, pending.queued) {
                (true, true) => pending.surely = true,
                (false, false) => {}
                _ => return true,
            }
        }
        if let Some(error) = pending.error
            && let Some(under_way) = self.equals(state, error, IO_PENDING)
        {
            if !under_way {
                return true;
            }
            pending.error = None;
            pending.surely = true;
        }
        let mut done = false;
        pending.asked.retain(|v| match self.equals(state, *v, 0) {
            Some(still) => {
                done |= !still;
                false
            }
            None => true,
        });
        if done {
            return true;
        }
        if let Some((error, code)) = pending.incomplete
            && let Some(goes_on) = self.equals(state, error, code)
        {
            if !goes_on {
                return true;
            }
            pending.incomplete = None;
            pending.surely = true;
        }
        if let Some(cancel) = &mut pending.cancel {
            if let Some(v) = cancel.judge
                && let Some(failed) = self.equals(state, v, 0)
            {
                cancel.judge = None;
                cancel.failed = failed;
                pending.surely |= !failed && cancel.shows;
            }
            if let Some((error, nothing)) = cancel.error
                && let Some(nothing) = self.equals(state, error, nothing)
            {
                if nothing && cancel.failed {
                    return true;
                }
                cancel.error = None;
            }
        }
        false
    }

    /// Whether a value is this number, as far as the path knows.
    pub(crate) fn equals(&self, state: &State, v: ValId, n: i128) -> Option<bool> {
        if let Some(known) = self.arena.as_int(v) {
            return Some(known == n);
        }
        let fact = state.facts.get(v)?;
        match fact.exact() {
            Some(known) => Some(known == n),
            None if fact.excludes(n) => Some(false),
            None => None,
        }
    }

    /// Whether a call succeeded, by its result.
    fn succeeded(&self, state: &State, v: ValId, success: Success) -> Option<bool> {
        match success {
            Success::Nonzero => self.equals(state, v, 0).map(|zero| !zero),
            Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative => {
                self.equals(state, v, 0)
            }
            _ => None,
        }
    }

    /// The values that pending operations are known by.
    pub(crate) fn mark_io(&self, state: &State, mark: &mut dyn FnMut(ValId)) {
        for (loc, p) in state.pending.iter() {
            let cancel = p.cancel.iter();
            let cancelled = cancel.flat_map(|c| c.judge.into_iter().chain(c.error.map(|e| e.0)));
            let own = p
                .handle
                .into_iter()
                .chain(p.event)
                .chain(p.error)
                .chain(p.result);
            let judges = p.judge.map(|j| j.0).into_iter();
            let asked = p.asked.iter().copied().chain(p.incomplete.map(|i| i.0));
            own.chain(judges)
                .chain(asked)
                .chain(cancelled)
                .for_each(&mut *mark);
            for at in p.buffers.iter().copied().chain([loc]) {
                if let Loc::Deref(v) = self.arena.get_loc(self.arena.root(at)) {
                    mark(*v);
                }
            }
        }
        state.events_of.iter().for_each(|(_, v)| mark(*v));
        for (_, awaited) in state.awaited.iter() {
            awaited.objects.iter().for_each(|(_, v)| mark(*v));
        }
    }
}
