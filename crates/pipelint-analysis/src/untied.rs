//! An OVERLAPPED that was zeroed and given no event, and a wait for an event that nobody can signal: the one
//! was to be tied to the other.
//!
//! The event is one that this path made or was handed alone, and that it reset: no other code has it, no
//! OVERLAPPED holds it, and no call sets it.

use pipelint_ir::{Const, Operand, PlaceId, Rvalue};
use pipelint_source::Span;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::io_fault::IoFault;
use crate::pending_log::IoAction;
use crate::state::{State, Status};
use crate::values::{LocId, Val, ValId};

impl Exec<'_, '_> {
    /// A statement has assigned a whole OVERLAPPED: it is zeroed, or a copy of one that is.
    pub(crate) fn note_zeroed(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) {
        let at = match value {
            Rvalue::Aggregate(items) if items.is_empty() => self.span,
            Rvalue::Aggregate(items) => {
                let zero = |op: &Operand| matches!(op, Operand::Const(Const::Int(0) | Const::Null));
                if !items.iter().all(|(_, op)| zero(op)) {
                    return;
                }
                self.span
            }
            Rvalue::Use(Operand::Const(Const::Int(0))) => self.span,
            Rvalue::Use(Operand::Copy(from) | Operand::Move(from)) if !state.zeroed.is_empty() => {
                let from = self.place(state, *from);
                match state.zeroed.get(from) {
                    Some(at) => *at,
                    None => return,
                }
            }
            _ => return,
        };
        let ty = self.declared_type_of(dst);
        let whole = ty.is_some_and(|ty| ty.is_object() && is_overlapped(&ty.name));
        if whole {
            let loc = self.place(state, dst);
            self.zeroed(state, loc, at);
        }
    }

    /// An OVERLAPPED is zeroed there.
    pub(crate) fn zeroed(&mut self, state: &mut State, loc: LocId, at: Span) {
        state.zeroed.insert(loc, at);
        self.record_io(state, || IoAction::Zeroed(loc, at));
    }

    /// Where the OVERLAPPED was zeroed that has no event since.
    pub(crate) fn zeroed_at(&self, state: &State, loc: LocId) -> Option<Span> {
        if state.zeroed.is_empty() {
            return None;
        }
        if let Some(at) = state.zeroed.get(loc) {
            return Some(*at);
        }
        let way = self.way_to(loc)?;
        let mut known = state.zeroed.iter();
        let of = known.find(|(at, _)| self.way_to(*at).as_ref() == Some(&way));
        of.map(|(_, at)| *at)
    }

    /// A call is given a value: an event may be signalled by it, unless it only waits for it, resets it or
    /// closes it.
    pub(crate) fn may_be_signalled(&mut self, v: ValId, by: &str) {
        if self.unsignalled.is_empty() || !self.unsignalled.contains(&v) {
            return;
        }
        let model = self.program.models.function(by);
        let harmless = model.is_some_and(|m| {
            m.waits.is_some() || m.resets.is_some() || m.arms.is_some() || !m.releases.is_empty()
        });
        if !harmless {
            self.unsignalled.remove(&v);
            self.signalled_by_code.insert(v);
        }
    }

    /// An event is reset.
    pub(crate) fn is_unsignalled(&mut self, event: ValId) {
        if !self.signalled_by_code.contains(&event) {
            self.unsignalled.insert(event);
        }
    }

    /// A path waits for objects while operations are under way that tell of their end by no event.
    pub(crate) fn waits_for_untied(&mut self, state: &State, objects: &[(i128, ValId)]) {
        let [(_, object)] = objects else { return };
        let object = *object;
        if self.unsignalled.is_empty() || !self.unsignalled.contains(&object) {
            return;
        }
        let alone = state.res.get(object).is_some_and(|res| {
            res.status == Status::Open && !res.escaped && !res.adopted && !res.foreign
        });
        let tied = state.events_of.iter().any(|(_, v)| *v == object)
            || state.pending.iter().any(|(_, p)| p.event == Some(object));
        if !alone || tied {
            return;
        }
        let mut of = state.pending.iter().filter_map(|(loc, p)| {
            let zeroed = p.zeroed?;
            let (started, _) = p.started.clone()?;
            let fits = {
                let none = p.event.is_none_or(|v| self.arena.as_int(v) == Some(0));
                p.surely && p.cancel.is_none() && !p.routine && none
            };
            fits.then_some((loc, zeroed, started))
        });
        let (Some((loc, zeroed, started)), None) = (of.next(), of.next()) else {
            return;
        };
        let event = state.res.get(object).map(|res| res.var.clone());
        let event = event.filter(|var| !var.is_empty()).or_else(|| {
            let mut held = state.env.iter().filter(|(_, v)| **v == object);
            held.find_map(|(loc, _)| Some(self.loc_name(loc)).filter(|name| !name.is_empty()))
        });
        let event = event.unwrap_or_else(|| "the event".into());
        let overlapped = self.loc_name(loc);
        let about = self.arena.val(Val::Ptr(loc));
        let mut path = state.path(Some(about), None);
        path.insert(
            0,
            PathStep {
                span: zeroed,
                what: StepKind::Assigned(overlapped.clone()),
            },
        );
        path.push(PathStep {
            span: self.at(),
            what: StepKind::Awaited(event.clone()),
        });
        let fault = IoFault::NeverTied {
            overlapped,
            api: started,
            event,
        };
        self.found.add(Event {
            kind: EventKind::Io(fault),
            at: zeroed,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        });
    }
}

fn is_overlapped(name: &str) -> bool {
    matches!(
        crate::program::last(name),
        "OVERLAPPED" | "_OVERLAPPED" | "WSAOVERLAPPED" | "OVERLAPPED_0"
    )
}
