//! `Option` and `Result`: how they are made, asked and taken apart.
//!
//! A good one has 0 in its tag and its payload beside it, a bad one has 1. Every question is a
//! comparison of the tag with 1, so that what one question learnt the next one knows.

use pipelint_ir::{CmpOp, Cond, Const, Name, Operand, PlaceId, Proj, Rvalue, Terminator};
use pipelint_source::Span;

use super::{Lowerer, Value};
use crate::build::frame::ROOT;
use crate::rust::ty::{BAD, GOOD, TAG, Ty};

impl Lowerer<'_> {
    /// A part of a place.
    pub(super) fn part(&mut self, of: PlaceId, name: &str) -> PlaceId {
        let place = self.f.places[of].clone().then(Proj::Field(Name::new(name)));
        self.f.places.intern(place)
    }

    /// Where the tag of the outcome at a place is.
    pub(super) fn tag(&mut self, of: PlaceId) -> PlaceId {
        self.part(of, TAG)
    }

    /// The outcome at a place is bad.
    pub(super) fn is_bad(&mut self, of: PlaceId) -> Cond {
        Cond {
            op: CmpOp::Eq,
            lhs: Operand::Copy(self.tag(of)),
            rhs: Operand::Const(Const::Int(1)),
        }
    }

    /// `Ok(x)`, `Some(x)`.
    pub(super) fn make_good(&mut self, payload: Operand, dst: PlaceId, span: Span) {
        let parts = vec![
            (Some(TAG.into()), Operand::Const(Const::Int(0))),
            (Some(GOOD.into()), payload),
        ];
        self.f.assign(dst, Rvalue::Aggregate(parts), span);
    }

    /// `Err(x)`; `None` without a payload.
    pub(super) fn make_bad(&mut self, payload: Option<Operand>, dst: PlaceId, span: Span) {
        let mut parts = vec![(Some(TAG.into()), Operand::Const(Const::Int(1)))];
        if let Some(payload) = payload {
            parts.push((Some(BAD.into()), payload));
        }
        self.f.assign(dst, Rvalue::Aggregate(parts), span);
    }

    /// Branches on the outcome at a place, and goes on where it is good; the block where it is bad.
    pub(super) fn when_good(&mut self, of: PlaceId, span: Span) -> pipelint_ir::BlockId {
        let (bad, good) = (self.f.new_block(), self.f.new_block());
        let cond = self.is_bad(of);
        self.f.branch(cond, bad, good, span);
        self.f.switch_to(good);
        bad
    }

    /// `x?`: leaves with what is bad, and goes on with what is good.
    pub(super) fn unwrap_or_leave(&mut self, of: PlaceId, ty: &Ty, span: Span) -> Value {
        let bad = self.when_good(of, span);
        let on = self.f.current();
        self.f.switch_to(bad);
        let exit = self.body.exit.clone();
        if let Some(exit) = exit {
            if let Some(slot) = exit.slot {
                let none = ty.is_option() || exit.ty.is_option();
                let payload = (!none).then(|| Operand::Move(self.part(of, BAD)));
                self.make_bad(payload, slot, span);
            }
            self.leave_to(&exit, span);
        }
        self.f.switch_to(on);
        let good = self.part(of, GOOD);
        self.take(good, ty.good())
    }

    /// Goes where `return` goes.
    pub(super) fn leave_to(&mut self, exit: &super::Exit, span: Span) {
        self.f.leave_temps(exit.temps, span);
        match exit.to {
            Some((block, alive)) => {
                self.f.exit_to(alive, span);
                self.f.terminate(Terminator::Goto(block), span);
            }
            None => {
                self.f.exit_to(ROOT, span);
                let value = exit.slot.map(Operand::Move);
                self.f.terminate(Terminator::Return(value), span);
            }
        }
    }

    /// `unwrap`, `expect`: what is bad ends in a panic.
    pub(super) fn unwrap_or_panic(&mut self, of: PlaceId, span: Span) {
        let bad = self.when_good(of, span);
        let on = self.f.current();
        self.f.switch_to(bad);
        self.f.terminate(Terminator::Unwind, span);
        self.f.switch_to(on);
    }
}
