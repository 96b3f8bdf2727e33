//! One fault, one report: what follows from a fault that is told is not told as another one.

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::event::{Aliased, Event, EventKind};
use crate::io_fault::IoFault;
use crate::lock_fault::LockFault;

/// One of the places lies in the other.
fn meet(a: Span, b: Span) -> bool {
    a.file == b.file && a.start < b.end && b.start < a.end
}

/// The creating call that an event is about.
fn origin(event: &Event) -> Option<Span> {
    event.resource.as_ref().map(|r| r.origin)
}

/// Takes away the events that only show what another one has caused.
pub(crate) fn tell_once(events: &mut Vec<Event>) {
    let of = |wanted: fn(&EventKind) -> bool| -> FxHashSet<Span> {
        let told = events.iter().filter(|e| wanted(&e.kind));
        told.filter_map(origin).collect()
    };
    // The test is there, and is the wrong one.
    let wrong = of(|kind| matches!(kind, EventKind::WrongFailureValue { .. }));
    // The test is there, and nothing comes of it.
    let idle = of(|kind| matches!(kind, EventKind::FailedUse { .. }));
    // The same end of the memory, and what comes of it on the path.
    let ended: Vec<Span> = events
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::UseAfterClose { closed, .. } => Some(closed.1),
            _ => None,
        })
        .collect();
    // A cancel that nobody waits for where it worked needs no second word for where it failed.
    let waited = |e: &&Event| matches!(&e.kind, EventKind::Io(IoFault::NotWaited { .. }));
    let cancels: FxHashSet<Span> = events.iter().filter(waited).map(|e| e.at).collect();
    let kept: FxHashSet<Span> = events
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::Lock(LockFault::Kept { .. })))
        .map(|e| e.at)
        .collect();
    let keepers: FxHashSet<Name> = events
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::Lock(LockFault::Kept { .. })))
        .map(|e| e.function.clone())
        .collect();
    events.retain(|event| {
        let about = |set: &FxHashSet<Span>| origin(event).is_some_and(|o| set.contains(&o));
        match &event.kind {
            EventKind::UncheckedUse { .. } => !about(&wrong) && !about(&idle),
            EventKind::CloseOfInvalid { .. } => !about(&idle),
            EventKind::Io(IoFault::CancelFailed { end: Some(_), .. }) => {
                !cancels.contains(&event.at)
            }
            EventKind::AliasedOwner(Aliased::EndsContext { .. }) => {
                !ended.iter().any(|end| meet(*end, event.at))
            }
            // The next round of the same call: it was not given back in this one.
            EventKind::Lock(LockFault::Again { first, .. }) => {
                first.1 != event.at || !kept.contains(&event.at)
            }
            // The function that was called has kept it, and is told.
            EventKind::Lock(LockFault::Kept { by: Some(by), .. }) => !keepers.contains(by),
            _ => true,
        }
    });
}
