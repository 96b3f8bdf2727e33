//! What a function does to overlapped operations, as its callers replay it.

use pipelint_ir::Name;
use pipelint_source::Span;

use crate::callbacks::CallbackAct;
use crate::event::StepKind;
use crate::exec::Exec;
use crate::pending::{Asked, Awaited, Cancelled, Pending};
use crate::state::State;
use crate::values::{LocId, Val, ValId};

/// One thing that a path did to an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IoAction {
    /// Started it.
    Start(LocId, Box<Pending>),
    /// Asked how a call on it went.
    Ask(LocId, Ask),
    /// Asked for a cancel of it, on this handle.
    Cancel(LocId, Box<(ValId, Cancelled)>),
    /// Asked for a cancel of all on a handle.
    CancelAll(ValId, Box<Cancelled>),
    /// Zeroed its OVERLAPPED there, and has given it no event.
    Zeroed(LocId, Span),
    /// It is under way surely.
    Sure(LocId),
    /// The cancel of it failed.
    Failed(LocId),
    /// It has completed, or never began.
    Done(LocId),
    /// The memory of this object has ended, by this call there.
    Ended(LocId, Name, Span),
    /// Waited, with this result.
    Wait(ValId, Box<Awaited>),
    /// This object was signalled.
    Signalled(ValId),
    /// A wait for this object alone, for this time, ended without it.
    Vain(ValId, Option<ValId>),
    /// Completion routines ran.
    Alerted,
    /// Others may have gone on meanwhile.
    Drained,
    /// Waited until somebody else woke it.
    Woken,
    /// Reset this event, by this call.
    Reset(ValId, Box<ResetCall>),
    /// Did something to an object with callbacks.
    Callback(ValId, CallbackAct),
}

/// A call that resets an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResetCall {
    pub(crate) api: Name,
    /// The call itself.
    pub(crate) origin: Span,
    /// The calls that lead to it.
    pub(crate) frames: usize,
}

/// A question about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A result that says, if it is not 0, that the operation has completed.
    Result(ValId),
    /// The same, of a call that waits if the first value is not 0.
    If(ValId, ValId),
    /// The error that a call on it left.
    Error(Asked, ValId),
}

impl IoAction {
    /// Calls `f` with every value that it speaks of.
    pub(crate) fn vals(&mut self, f: &mut dyn FnMut(&mut ValId)) {
        match self {
            Self::Start(_, p) => {
                p.handle.iter_mut().for_each(&mut *f);
                p.event.iter_mut().for_each(&mut *f);
                p.judge.iter_mut().for_each(|(v, _)| f(v));
                p.result.iter_mut().for_each(&mut *f);
            }
            Self::Ask(_, Ask::Result(v) | Ask::Error(_, v)) => f(v),
            Self::Ask(_, Ask::If(wait, v)) => {
                f(wait);
                f(v);
            }
            Self::Cancel(_, by) => {
                f(&mut by.0);
                f(&mut by.1.result.0);
                by.1.judge.iter_mut().for_each(f);
            }
            Self::CancelAll(v, by) => {
                f(v);
                f(&mut by.result.0);
                by.judge.iter_mut().for_each(f);
            }
            Self::Wait(v, awaited) => {
                f(v);
                awaited.objects.iter_mut().for_each(|(_, v)| f(v));
                awaited.timeout.iter_mut().for_each(f);
            }
            Self::Vain(v, timeout) => {
                f(v);
                timeout.iter_mut().for_each(f);
            }
            Self::Callback(v, CallbackAct::Set(Some(unless))) => {
                f(v);
                f(unless);
            }
            Self::Signalled(v) | Self::Reset(v, _) | Self::Callback(v, _) => f(v),
            Self::Zeroed(..)
            | Self::Sure(_)
            | Self::Done(_)
            | Self::Failed(_)
            | Self::Ended(..)
            | Self::Alerted
            | Self::Drained
            | Self::Woken => {}
        }
    }

    /// Calls `f` with every location that it speaks of.
    pub(crate) fn locs(&mut self, f: &mut dyn FnMut(&mut LocId)) {
        match self {
            Self::Start(loc, p) => {
                f(loc);
                p.buffers.iter_mut().for_each(f);
            }
            Self::Ask(loc, _)
            | Self::Cancel(loc, _)
            | Self::Zeroed(loc, _)
            | Self::Sure(loc)
            | Self::Failed(loc)
            | Self::Ended(loc, ..)
            | Self::Done(loc) => f(loc),
            Self::CancelAll(..)
            | Self::Wait(..)
            | Self::Signalled(_)
            | Self::Vain(..)
            | Self::Reset(..)
            | Self::Callback(..)
            | Self::Alerted
            | Self::Drained
            | Self::Woken => {}
        }
    }
}

impl Exec<'_, '_> {
    /// Replays an action of a called function, its values and locations being the caller's.
    pub(crate) fn replay_io(&mut self, state: &mut State, action: IoAction) {
        let site = self.at();
        self.settle_io(state);
        match action {
            IoAction::Start(loc, mut pending) => {
                if self.unknown_element(loc).is_some() || self.is_of_no_type(loc) {
                    return;
                }
                // Two methods called one after the other: the place is in them.
                let inner = pending.started.as_ref().filter(|_| self.alone).map(|s| s.1);
                let site = inner.unwrap_or(site);
                let outer = self.site;
                self.site = inner.or(outer);
                let api = pending.started.as_ref().map(|s| s.0.clone());
                let api = api.unwrap_or_default();
                self.started_again(state, loc, &api);
                self.unset_overlapped(state, loc, &api);
                self.site = outer;
                if let Some(started) = &mut pending.started {
                    started.1 = site;
                }
                let about = self.arena.val(Val::Ptr(loc));
                state.step(site, StepKind::Started(api), Some(about));
                let again = pending.clone();
                self.record_io(state, || IoAction::Start(loc, again));
                self.begin_io(state, loc);
                let known = self.known_io(state, loc);
                state.idle.remove(known);
                state.pending.insert(loc, *pending);
            }
            IoAction::Ask(loc, Ask::If(wait, v)) => self.ask_if(state, loc, wait, v),
            IoAction::Ask(loc, ask) => {
                match &ask {
                    Ask::If(..) => {}
                    Ask::Result(v) => self.question(state, loc, *v),
                    Ask::Error(asked, v) => self.learn_error(state, loc, *asked, *v),
                }
                self.record_io(state, || IoAction::Ask(loc, ask));
            }
            IoAction::Cancel(loc, by) => {
                let (handle, mut cancelled) = *by;
                cancelled.at = self.cancelled_at(site, &cancelled);
                cancelled.places.push((self.own_class(), site));
                self.cancel_one(state, loc, Some(handle), cancelled.clone());
                self.record_io(state, || {
                    IoAction::Cancel(loc, Box::new((handle, cancelled)))
                });
            }
            IoAction::CancelAll(handle, mut cancelled) => {
                cancelled.at = self.cancelled_at(site, &cancelled);
                cancelled.places.push((self.own_class(), site));
                self.cancel_all(state, handle, &cancelled, None);
                self.record_io(state, || IoAction::CancelAll(handle, cancelled));
            }
            IoAction::Zeroed(loc, at) => self.zeroed(state, loc, at),
            IoAction::Sure(loc) => {
                let known = self.known_io(state, loc);
                if let Some(p) = state.pending.get_mut(known) {
                    p.surely = true;
                    p.error = None;
                    p.judge = None;
                }
                self.record_io(state, || IoAction::Sure(loc));
            }
            IoAction::Failed(loc) => {
                let known = self.known_io(state, loc);
                let pending = state.pending.get_mut(known);
                if let Some(cancel) = pending.and_then(|p| p.cancel.as_mut()) {
                    cancel.failed = true;
                    cancel.judge = None;
                }
                self.record_io(state, || IoAction::Failed(loc));
            }
            IoAction::Done(loc) => self.complete(state, loc),
            IoAction::Ended(loc, api, at) => {
                self.span = at;
                self.freed_io(state, loc, &api);
                self.record_io(state, || IoAction::Ended(loc, api, at));
            }
            IoAction::Wait(v, awaited) => {
                if awaited.one {
                    self.waits_for_untied(state, &awaited.objects);
                }
                self.await_objects(state, v, *awaited);
            }
            IoAction::Signalled(v) => {
                self.waits_for_untied(state, &[(0, v)]);
                self.signalled(state, v, &[]);
            }
            IoAction::Vain(v, timeout) => self.waited_in_vain(state, v, timeout),
            IoAction::Alerted => self.alerted(state),
            IoAction::Drained => self.may_complete(state),
            IoAction::Woken => self.woken(state),
            IoAction::Callback(v, mut act) => {
                if let CallbackAct::Wait(_, _, frames) = &mut act {
                    *frames += 1;
                }
                self.callback_act(state, v, act);
            }
            IoAction::Reset(v, mut call) => {
                call.frames += 1;
                self.reset_event(state, *call, v);
            }
        }
    }

    /// Where the cancel of a called function is told: at the call, and of two methods called one after the
    /// other in the second.
    fn cancelled_at(&mut self, site: Span, cancelled: &Cancelled) -> Span {
        if self.closing {
            self.span = cancelled.origin;
            return cancelled.origin;
        }
        site
    }
}
