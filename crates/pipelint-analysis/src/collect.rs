//! Gathers events over all paths of a function: one fault is told once, by its shortest path.

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::callback_classes::KeptCallbacks;
use crate::counts::KeptCounts;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::fills::Fill;
use crate::held::HeldAt;
use crate::io_classes::KeptIo;
use crate::lock_ends::KeptLocks;
use crate::misread::{self, IoEnd};
use crate::modes::{Home, KeptModes};
use crate::overlapped_handle::KeptHandles;
use crate::parked::Late;
use crate::partial::{Ended, Partial};
use crate::program::ClassRef;
use crate::stuck_flag::Stuck;

/// A use of a field of the object in a method, with nothing known of the field on that path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldUse {
    pub(crate) class: ClassRef,
    pub(crate) field: Name,
    pub(crate) method: Name,
    pub(crate) entry: Span,
    pub(crate) api: Name,
    pub(crate) at: Span,
    /// The call releases the field: no use of a maybe-empty handle, but one of a null object.
    pub(crate) releases: bool,
    /// The method is the destructor.
    pub(crate) in_destructor: bool,
    /// Something was known of the field: that it is set matters all the same.
    pub(crate) guarded: bool,
}

/// A resource left in a field at a method's end, unchecked or known to have failed.
#[derive(Debug, Clone)]
pub(crate) struct FieldLeft {
    pub(crate) class: ClassRef,
    pub(crate) field: Name,
    /// The event without its use: created, and the path to the method's end.
    pub(crate) event: Event,
    /// The failing test, for one that failed.
    pub(crate) failed_at: Option<Span>,
    /// What the end looks like from outside: other fields' constants and the result.
    pub(crate) look: Vec<(Name, i128)>,
    /// A null resource crashes where it is released (it is a pointer, not a handle).
    pub(crate) pointer: bool,
}

/// Everything one function's execution showed.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    events: FxHashMap<(u8, Span), Event>,
    wrong: FxHashMap<Span, Event>,
    right: FxHashSet<Span>,
    pub(crate) field_uses: Vec<FieldUse>,
    pub(crate) fields_left: Vec<FieldLeft>,
    /// Looks of ends at which the creation at this span had succeeded.
    pub(crate) success_looks: FxHashMap<Span, Vec<Vec<(Name, i128)>>>,
    /// Resources left in a caller's variable by a function that failed later.
    pub(crate) partial: Vec<Partial>,
    /// How ends look at which the creation at this span is in a caller's variable, and nothing has
    /// failed.
    pub(crate) whole: FxHashSet<(Span, Ended)>,
    /// Creating calls whose resource some caller got of a function that failed.
    pub(crate) received: FxHashSet<Span>,
    /// The function returns 0 on a path where a call that sends failed: its result speaks of that.
    pub(crate) reports_io: bool,
    /// Dropped I/O results before a return of success; told where the result speaks of I/O.
    pub(crate) before_success: Vec<Event>,
    /// Fields some condition judges; the class is none where it is not known.
    pub(crate) tested: FxHashSet<(Option<ClassRef>, Name)>,
    /// Those of them that a function judges which is no method of the class.
    pub(crate) tested_outside: FxHashSet<(Option<ClassRef>, Name)>,
    /// What was put into fields.
    pub(crate) fills: FxHashSet<Fill>,
    /// What fields own and some path forgets.
    pub(crate) forgotten_fields: Vec<((ClassRef, Name), Event)>,
    /// Fields whose owner some path lets end.
    pub(crate) ended_fields: FxHashSet<(ClassRef, Name)>,
    /// Calls that gave up what some caller takes back, and calls of a giver whose result some path
    /// passes on.
    pub(crate) taken_back: FxHashSet<Span>,
    /// Calls of `into_raw` whose pointer code out of sight was given, or is kept where no class tells.
    pub(crate) boxes_given: FxHashSet<Span>,
    /// Calls whose result a helper had seen to be a failure, and that reaches a use without a look.
    pub(crate) unseen: FxHashSet<Span>,
    /// Failures of creations that `.ok()` drops, to be told of a function that tells of others.
    pub(crate) passed_over: Vec<Event>,
    /// What it does to operations that objects keep.
    pub(crate) kept_io: KeptIo,
    /// Counts that it adds after the start of the operation that they are for.
    pub(crate) counted_late: Vec<Late>,
    /// What it knows of counts that others complete.
    pub(crate) counts: KeptCounts,
    /// The modes of pipe ends that objects keep.
    pub(crate) modes: KeptModes,
    /// Reads of pipe ends that objects keep, of which only the mode is not known.
    pub(crate) more_data: Vec<(Event, Span, i128, Home)>,
    /// What it does with handles that objects keep.
    pub(crate) handles: KeptHandles,
    /// The locks that it holds, statement by statement.
    pub(crate) held: HeldAt,
    /// What it does to locks.
    pub(crate) locks: KeptLocks,
    /// Flags of objects that it leaves set.
    pub(crate) flags: Vec<Stuck>,
    /// What it does to objects with callbacks.
    pub(crate) callbacks: KeptCallbacks,
    /// Places that ask for an error where no call on the path left one, to be told where no path comes
    /// there with an error.
    pub(crate) stale_errors: Vec<Event>,
    /// Places that some path comes to ask at with an error, or may.
    pub(crate) errors_asked: FxHashSet<Span>,
    /// How the function ended after I/O calls.
    pub(crate) io_ends: Vec<IoEnd>,
    /// Failures of I/O calls that may be none, taken for failures: the call, and the code that would say so.
    pub(crate) misread: Vec<(Event, Span, i128)>,
    /// Codes that the errors of calls are compared with, by the places of the calls.
    pub(crate) errors_tested: FxHashSet<(Span, i128)>,
    /// Calls whose errors go where nobody sees what becomes of them.
    pub(crate) errors_given: FxHashSet<Span>,
    /// Releases of a value by a call, and whether each path to it knows that the value is empty.
    pub(crate) released_empty: FxHashMap<Span, Option<Event>>,
}

/// Events with the same key are one fault.
fn key(event: &Event) -> (u8, Span) {
    let created = event.resource.as_ref().map_or(event.at, |r| r.created);
    let origin = event.resource.as_ref().map_or(event.at, |r| r.origin);
    match &event.kind {
        EventKind::UncheckedUse { .. } => (0, origin),
        EventKind::WrongFailureValue { .. } => (1, created),
        EventKind::Leak(_) => (2, created),
        // One variable never set is one fault, however many calls get it.
        EventKind::Uninitialised { .. } => (3, event.path.first().map_or(event.at, |s| s.span)),
        EventKind::DoubleClose { .. } => (4, event.at),
        EventKind::UseAfterClose { .. } => (5, event.at),
        EventKind::Overwritten { .. } | EventKind::BlockLost { .. } => (6, event.at),
        EventKind::WrongRelease { .. } => (7, event.at),
        EventKind::CloseOfInvalid { .. } => (8, event.at),
        EventKind::PseudoClosed { .. } => (9, event.at),
        EventKind::Truncated { .. } => (10, event.at),
        EventKind::FailedUse { .. } => (11, origin),
        EventKind::ResultDropped { .. } => (12, event.at),
        EventKind::LeftClosed { .. } => (13, event.at),
        EventKind::StartedTooEarly { .. } => (14, event.at),
        EventKind::CopyableOwner { .. } => (15, event.at),
        EventKind::HalfConstructed { .. } => (16, created),
        EventKind::StatusDropped { .. } => (17, event.at),
        EventKind::NeverClosed { .. } => (18, event.at),
        EventKind::AliasedOwner(_) => (19, event.at),
        EventKind::KeptByMove { .. } => (20, event.at),
        EventKind::LostByMove { .. } => (21, event.at),
        EventKind::Io(fault) => (40 + fault.number(), fault.told_at().unwrap_or(event.at)),
        EventKind::LastError(fault) => (fault.key(), fault.told_at().unwrap_or(event.at)),
        EventKind::Result(fault) => (80 + fault.number(), event.at),
        EventKind::ThreadTerminated { .. } => (115, event.at),
        EventKind::SharedUnlocked { .. } => (116, event.at),
        EventKind::Guard(fault) => (110 + fault.number(), event.at),
        EventKind::Callback(fault) => (fault.key(), event.at),
        EventKind::Count(fault) => (fault.key(), event.at),
        EventKind::Silenced(how) => (120 + how.number(), event.at),
        EventKind::NoOverlapped(_) => (122, event.at),
        EventKind::StuckFlag(_) => (123, event.at),
        EventKind::Lock(fault) => (140 + fault.number(), event.at),
        EventKind::UnsynchronisedFlag(_) => (124, event.at),
        EventKind::AfterCallback(_) => (125, event.at),
        EventKind::Unguarded(_) => (126, event.at),
        EventKind::FreedBeside(_) => (132, event.at),
        EventKind::UnlockWindow(_) | EventKind::PublishedUse(_) => (130, event.at),
        EventKind::StaleStore(_) => (131, event.at),
        EventKind::WaitUnderLock(_) => (127, event.at),
        EventKind::LockOrder(_) => (128, event.at),
        EventKind::CallbackUnderLock(_) => (129, event.at),
        EventKind::Wake(_) => (214, event.at),
    }
}

impl Findings {
    pub(crate) fn add(&mut self, event: Event) {
        use std::collections::hash_map::Entry;
        match self.events.entry(key(&event)) {
            Entry::Vacant(slot) => {
                slot.insert(event);
            }
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                let rank = |e: &Event| (e.kind.frames(), e.path.len(), e.at);
                let shorter = rank(&event) < rank(known);
                let (mut keep, other) = if shorter {
                    (event, known.clone())
                } else {
                    (known.clone(), event)
                };
                if other.at != keep.at {
                    let what = other.path.last().map_or(StepKind::Left, |s| s.what.clone());
                    keep.others.push(PathStep {
                        span: other.at,
                        what,
                    });
                }
                for step in other.others {
                    if step.span != keep.at {
                        keep.others.push(step);
                    }
                }
                keep.others.sort_by_key(|s| s.span);
                keep.others.dedup_by_key(|s| s.span);
                *known = keep;
            }
        }
    }

    /// A comparison with a value the creation never yields; told unless a right one exists.
    pub(crate) fn compared_wrongly(&mut self, created: Span, event: Event) {
        let known = self.wrong.entry(created).or_insert_with(|| event.clone());
        if event.at < known.at {
            *known = event;
        }
    }

    pub(crate) fn compared_rightly(&mut self, created: Span) {
        self.right.insert(created);
    }

    /// Functions that fail half-way, where no caller is seen that could make it right.
    pub(crate) fn half_done(all: &mut [Self]) -> Vec<Event> {
        let received: FxHashSet<Span> = all.iter_mut().flat_map(|f| f.received.drain()).collect();
        let mut events = Vec::new();
        for findings in all {
            for Partial { event, ended } in std::mem::take(&mut findings.partial) {
                let Some(resource) = &event.resource else {
                    continue;
                };
                let whole = &findings.whole;
                let made = resource.created;
                let tells = match ended {
                    Ended::Thrown => true,
                    // A caller can tell this end from the good ones.
                    Ended::With(_) => {
                        whole.iter().any(|(at, _)| *at == made)
                            && !whole.contains(&(made, ended))
                            && !whole.contains(&(made, Ended::Somehow))
                    }
                    Ended::Somehow => false,
                };
                if tells && !received.contains(&resource.origin) {
                    events.push(event);
                }
            }
        }
        events
    }

    /// What a field owned and one path forgets, where another lets it end: it was not lent.
    pub(crate) fn forgotten(all: &mut [Self]) -> Vec<Event> {
        let ended: FxHashSet<(ClassRef, Name)> = all
            .iter_mut()
            .flat_map(|f| f.ended_fields.drain())
            .collect();
        let forgotten = all.iter_mut().flat_map(|f| f.forgotten_fields.drain(..));
        forgotten
            .filter_map(|(field, event)| ended.contains(&field).then_some(event))
            .collect()
    }

    /// Events of several functions with one cause told once.
    pub(crate) fn merge(events: Vec<Event>) -> Vec<Event> {
        let mut all = Self::default();
        for event in events {
            all.add(event);
        }
        all.finish()
    }

    /// As in one function, so in all: where a creation is compared wrongly, that is the fault, and
    /// "unchecked" would tell it twice, wherever the use is.
    pub(crate) fn leave_out_told(events: &mut Vec<Event>) {
        let origin = |event: &Event| event.resource.as_ref().map(|r| r.origin);
        let compared: FxHashSet<Span> = events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::WrongFailureValue { .. }))
            .filter_map(origin)
            .collect();
        events.retain(|event| {
            let unchecked = matches!(event.kind, EventKind::UncheckedUse { .. });
            !(unchecked && origin(event).is_some_and(|at| compared.contains(&at)))
        });
    }

    /// All events of the function, in source order.
    pub(crate) fn finish(&mut self) -> Vec<Event> {
        for (created, event) in std::mem::take(&mut self.wrong) {
            if !self.right.contains(&created) {
                // The wrong comparison is the fault; "unchecked" would tell it twice.
                let origin = event.resource.as_ref().map_or(created, |r| r.origin);
                self.events.remove(&(0, origin));
                self.events.insert(key(&event), event);
            }
        }
        misread::tell(self);
        for event in std::mem::take(&mut self.stale_errors) {
            if !self.errors_asked.contains(&event.at) {
                self.add(event);
            }
        }
        let empty = std::mem::take(&mut self.released_empty);
        for event in empty.into_values().flatten() {
            self.add(event);
        }
        for event in std::mem::take(&mut self.before_success) {
            if self.reports_io {
                self.add(event);
            }
        }
        let mut events: Vec<Event> = std::mem::take(&mut self.events).into_values().collect();
        events.sort_by_key(|e| (e.at, key(e)));
        events
    }
}
