//! Operations that a class keeps: what one method does to them, joined with what the others do.

use pipelint_ir::{FunctionKind, LocalId, Name};
use rustc_hash::FxHashSet;

use crate::collect::Findings;
use crate::event::{Event, PathStep};
use crate::exec::Exec;
use crate::program::ClassRef;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// An OVERLAPPED that objects of a class keep, by the way to it.
pub(crate) type Kept = (ClassRef, Name);

/// What the methods of classes do to operations that their objects keep.
#[derive(Debug, Default)]
pub(crate) struct KeptIo {
    /// OVERLAPPEDs that were started with an event that tells of the completion.
    pub(crate) with_event: FxHashSet<Kept>,
    /// Those that were started without one that is known: a port may tell.
    pub(crate) without_event: FxHashSet<Kept>,
    /// Those whose event is a part of the object, and ends with it.
    pub(crate) own_event: FxHashSet<Kept>,
    /// Cancels of a destructor, with no wait; and whether the OVERLAPPED is a part of the object.
    pub(crate) at_end: Vec<(Kept, Event, bool)>,
    /// Where operations are started.
    pub(crate) starts: Vec<(Kept, PathStep)>,
    /// Handles that were closed after a cancel, with no wait.
    pub(crate) closed: Vec<(Kept, Event)>,
}

impl KeptIo {
    fn take(&mut self, other: &mut Self) {
        self.with_event.extend(other.with_event.drain());
        self.without_event.extend(other.without_event.drain());
        self.own_event.extend(other.own_event.drain());
        self.closed.append(&mut other.closed);
        self.at_end.append(&mut other.at_end);
        self.starts.append(&mut other.starts);
    }
}

/// The faults that several methods make together.
pub(crate) fn joined(all: &mut [Findings]) -> Vec<Event> {
    let mut kept = KeptIo::default();
    for findings in all {
        kept.take(&mut findings.kept_io);
    }
    let KeptIo {
        with_event,
        without_event,
        own_event,
        closed,
        at_end,
        starts,
    } = kept;
    let by_event = |at: &Kept| with_event.contains(at) && !without_event.contains(at);
    let told = closed.into_iter().filter(|(at, _)| by_event(at));
    let ends = |at: &Kept| by_event(at) && own_event.contains(at);
    let ended = at_end.into_iter().filter(|(at, _, own)| *own || ends(at));
    let ended = ended.map(|(at, mut event, _)| {
        // What it says of the end holds of the next start as well.
        let again = starts.iter().filter(|(of, _)| *of == at);
        event.others.extend(again.map(|(_, step)| step.clone()));
        event.others.sort_by_key(|step| step.span);
        event.others.dedup_by_key(|step| step.span);
        event
    });
    told.map(|(_, event)| event).chain(ended).collect()
}

impl Exec<'_, '_> {
    /// The way to a location, whatever code ran since its pointers were read: from the object or a
    /// variable, by fields and pointers.
    pub(crate) fn way_to(&self, loc: LocId) -> Option<(LocId, Name)> {
        let mut steps: Vec<Name> = Vec::new();
        let mut at = loc;
        loop {
            match self.arena.get_loc(at) {
                Loc::Field(parent, name) => {
                    steps.push(name.clone());
                    at = *parent;
                }
                Loc::Elem(parent, Some(i)) => {
                    steps.push(Name::new(format!("[{i}]")));
                    at = *parent;
                }
                Loc::Elem(_, None) => return None,
                Loc::Deref(v) => {
                    let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*v) else {
                        return Some((at, path(&steps)));
                    };
                    steps.push("->".into());
                    at = *loc;
                }
                Loc::SelfObj | Loc::Local(_) | Loc::Global(_) | Loc::Captured(_) => {
                    return Some((at, path(&steps)));
                }
            }
        }
    }

    /// The location is a part of the method's object, or of what its fields lead to; of a function, of what
    /// its first parameter leads to.
    pub(crate) fn is_of_object(&self, loc: LocId) -> bool {
        let (mut at, mut behind) = (loc, false);
        loop {
            match self.arena.get_loc(self.arena.root(at)) {
                Loc::SelfObj => return true,
                Loc::Local(LocalId(0)) => {
                    return behind && self.function.kind == FunctionKind::Free;
                }
                Loc::Deref(v) => match self.arena.get(*v) {
                    Val::Sym(Sym::Load { loc, .. }) => (at, behind) = (*loc, true),
                    _ => return false,
                },
                _ => return false,
            }
        }
    }

    /// Some part of the value was read from there.
    pub(crate) fn is_asked_of_object(&self, v: ValId) -> bool {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        parts.iter().any(|part| match self.arena.get(*part) {
            Val::Sym(Sym::Load { loc, .. }) => self.is_of_object(*loc),
            _ => false,
        })
    }

    /// The OVERLAPPED of an object that outlives this function, if that is what a location is.
    pub(crate) fn kept_io(&self, loc: LocId) -> Option<Kept> {
        let (base, way) = self.way_to(loc)?;
        match self.arena.get_loc(base) {
            Loc::SelfObj => Some((self.own_class()?, way)),
            Loc::Local(_) => {
                let way = way.strip_prefix("->.")?;
                let class = self.class_of(self.given_object(loc)?)?;
                Some((class, way.into()))
            }
            _ => None,
        }
    }

    /// The value stands in the method's own object, or in a part of it.
    fn is_own_part(&self, v: ValId) -> bool {
        match self.arena.get(v) {
            Val::Sym(Sym::Load { loc, .. }) => self.own_path(*loc).is_some(),
            _ => false,
        }
    }

    /// What a parameter points to, of which a location is a part.
    fn given_object(&self, loc: LocId) -> Option<LocId> {
        let mut at = loc;
        loop {
            let root = self.arena.root(at);
            let Loc::Deref(v) = self.arena.get_loc(root) else {
                return None;
            };
            let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(*v) else {
                return None;
            };
            if let Loc::Local(_) = self.arena.get_loc(*loc) {
                return Some(root);
            }
            at = *loc;
        }
    }

    /// The path ends: which of the operations that are kept have an event.
    pub(crate) fn note_kept_io(&mut self, state: &State) {
        for (loc, pending) in state.pending.iter().filter(|(_, p)| p.started.is_some()) {
            let Some(kept) = self.kept_io(loc) else {
                continue;
            };
            // With the low bit set (`event | 1`) it is a port that tells.
            let event = pending
                .event
                .is_some_and(|v| matches!(self.arena.get(v), Val::Sym(_)));
            let own = pending.event.is_some_and(|v| self.is_own_part(v));
            if event && own {
                self.found.kept_io.own_event.insert(kept.clone());
            }
            match event {
                true => self.found.kept_io.with_event.insert(kept),
                false => self.found.kept_io.without_event.insert(kept),
            };
        }
    }
}

fn path(steps: &[Name]) -> Name {
    let steps: Vec<&str> = steps.iter().rev().map(Name::as_str).collect();
    Name::new(steps.join("."))
}
