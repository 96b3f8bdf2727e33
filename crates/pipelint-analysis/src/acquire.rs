//! Calls that make resources: in their result, or through an out-parameter.

use pipelint_ir::{CmpOp, Name, PlaceId};
use pipelint_models::{Acquire, FunctionModel, Slot, Success};

use crate::event::{LeakHow, StepKind};
use crate::exec::{Exec, number};
use crate::state::{FailedField, FailedOut, Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    pub(crate) fn acquire_result(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        acquire: &Acquire,
        v: ValId,
        overlapped: bool,
    ) {
        let Some(failure) = acquire.failure else {
            return;
        };
        let var = dst.map_or_else(Name::default, |d| self.place_name(d));
        state.step(
            self.span,
            StepKind::Created {
                api: api.clone(),
                var: var.clone(),
            },
            Some(v),
        );
        // What the call yields is its failure value or a live resource, never the other sentinel.
        let mut fact = crate::state::Fact::default();
        match number(failure) {
            0 => fact.exclude(-1),
            _ if failure == pipelint_models::Sentinel::MinusOne => fact.clamp(-1, i128::MAX),
            _ => fact.exclude(0),
        };
        state.facts.insert(v, fact);
        let dropped = dst.is_none();
        // Memory is followed for what happens to it when it is gone, and for nothing else.
        let memory = self.is_plain_memory(&acquire.kind);
        let res = Res {
            api: api.clone(),
            kind: Name::new(&acquire.kind),
            created: self.span,
            origin: self.span,
            foreign: memory,
            adopted: false,
            var,
            judge: v,
            failure: Some(failure),
            status: Status::Open,
            escaped: memory,
            owned: false,
            home: None,
            checked: acquire.infallible || memory,
            used_unchecked: false,
            failed_at: None,
            infallible: acquire.infallible || memory,
            half_done: false,
            built: false,
            by_end: false,
            given_to: None,
            handed_on: None,
            overlapped,
        };
        state.res.insert(v, res);
        if !memory {
            state.last_made = Some(v);
        }
        if dropped && self.leaks(&acquire.kind) && !self.is_entry_point() {
            self.leak(state, v, LeakHow::Dropped, StepKind::Left);
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(crate) fn acquire_outs(
        &mut self,
        state: State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        outs: &[&Acquire],
        args: &[ValId],
        result: ValId,
        to: &mut Vec<State>,
    ) {
        let zero = self.arena.int(0);
        let minus = self.arena.int(-1);
        let (op, bound) = match model.success {
            Some(Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative) => {
                (CmpOp::Eq, zero)
            }
            Some(Success::Nonnegative) => (CmpOp::Ge, zero),
            Some(Success::NotMinusOne) => (CmpOp::Ne, minus),
            Some(Success::Nonzero) | None => (CmpOp::Ne, zero),
        };
        let mut failed = state.clone();
        let fails = match model.success {
            Some(Success::ZeroOrMinusOne) => {
                self.learn_quietly(&mut failed, CmpOp::Eq, result, minus, true)
            }
            Some(Success::ZeroOrNegative) => {
                self.learn_quietly(&mut failed, CmpOp::Lt, result, zero, true)
            }
            _ => self.learn_quietly(&mut failed, op, result, bound, false),
        };
        if fails {
            for acquire in outs {
                let Some(loc) = self.out_location(&acquire.at, args) else {
                    continue;
                };
                let out = FailedOut {
                    judge: result,
                    api: api.clone(),
                    kind: Name::new(&acquire.kind),
                    created: self.span,
                    var: self.loc_name(loc),
                    checked: acquire.infallible,
                    unseen: false,
                    loc,
                    handed_on: None,
                    failed_at: None,
                };
                self.out_failed(&mut failed, loc, out);
            }
            self.store_result(&mut failed, dst, result);
            to.push(failed);
        }
        let mut good = state;
        let one = self.arena.int(1);
        // A BOOL that means success is TRUE, whatever else "nonzero" leaves open.
        let (op, bound) = match (op, model.success) {
            (CmpOp::Ne, Some(Success::Nonzero)) => (CmpOp::Eq, one),
            other => (other.0, bound),
        };
        if self.learn_quietly(&mut good, op, result, bound, true) {
            let mut made = Vec::new();
            for (i, acquire) in outs.iter().enumerate() {
                let Some(loc) = self.out_location(&acquire.at, args) else {
                    continue;
                };
                let slot = match acquire.at {
                    Slot::Result => 0,
                    Slot::Out(n) => slot_of(n),
                    Slot::Field(..) | Slot::Element(..) => PARTS + slot_of(i),
                };
                let v = self.fresh(&good, slot);
                let var = self.loc_name(loc);
                good.step(
                    self.span,
                    StepKind::Created {
                        api: api.clone(),
                        var: var.clone(),
                    },
                    Some(v),
                );
                let mut fact = crate::state::Fact::default();
                fact.exclude(0);
                fact.exclude(-1);
                good.facts.insert(v, fact);
                good.res.insert(
                    v,
                    Res {
                        api: api.clone(),
                        kind: Name::new(&acquire.kind),
                        created: self.span,
                        origin: self.span,
                        foreign: false,
                        adopted: false,
                        var,
                        judge: result,
                        failure: None,
                        status: Status::Open,
                        escaped: false,
                        owned: false,
                        home: None,
                        checked: acquire.infallible,
                        used_unchecked: false,
                        failed_at: None,
                        infallible: acquire.infallible,
                        half_done: false,
                        built: false,
                        by_end: false,
                        given_to: None,
                        handed_on: None,
                        overlapped: false,
                    },
                );
                good.last_made = Some(v);
                let name = self.loc_name(loc);
                self.overwritten(&mut good, name, loc, v);
                good.failed_fields.remove(loc);
                made.push((loc, v));
            }
            // The call fills the rest of such a structure too.
            for acquire in outs {
                if let Slot::Field(n, _) = acquire.at {
                    let whole = self.pointee(args[n]);
                    let v = self.fresh(&good, slot_of(n));
                    self.write(&mut good, whole, v);
                }
            }
            for (loc, v) in made {
                self.write(&mut good, loc, v);
            }
            self.store_result(&mut good, dst, result);
            to.push(good);
        }
    }

    /// A creation that would have set this memory failed: what was unset or empty still is.
    pub(crate) fn out_failed(&mut self, state: &mut State, loc: LocId, out: FailedOut) {
        let old = self.read(state, loc);
        if self.site.is_none() && self.own_field(loc).is_some() {
            let out = out.clone();
            let field = FailedField {
                out,
                old,
                failed_at: None,
            };
            state.failed_fields.insert(loc, field);
            // Until unknown code may have changed it, the field holds this.
            state.env.insert(loc, old);
        }
        if matches!(
            self.arena.get(old),
            Val::Sym(Sym::Uninit { .. } | Sym::Load { .. }) | Val::Int(0 | -1)
        ) {
            state.failed_outs.insert(old, out);
        }
    }

    /// The location that a call writes a resource to; none for its result.
    pub(crate) fn out_location(&mut self, at: &Slot, args: &[ValId]) -> Option<LocId> {
        let n = at.argument()?;
        let whole = self.pointee(*args.get(n)?);
        Some(match at {
            Slot::Result | Slot::Out(_) => whole,
            Slot::Field(_, name) => self.arena.loc(Loc::Field(whole, name.clone())),
            Slot::Element(_, i) => {
                let i = i64::from(*i);
                let (array, i) = match self.arena.get_loc(whole) {
                    // The address of an element stands for the array from there on.
                    Loc::Elem(array, Some(from)) if !self.is_row(whole) => {
                        (*array, from.saturating_add(i))
                    }
                    _ => (whole, i),
                };
                self.arena.loc(Loc::Elem(array, Some(i)))
            }
        })
    }

    /// True for an element of a local array that is an array itself.
    pub(crate) fn is_row(&self, mut loc: LocId) -> bool {
        let mut depth = 0;
        while let Loc::Elem(array, _) = self.arena.get_loc(loc) {
            loc = *array;
            depth += 1;
        }
        match self.arena.get_loc(loc) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.ty.arrays > depth),
            _ => false,
        }
    }
}

/// The first number of the values that a call writes to parts of what its arguments point to.
const PARTS: u32 = 200;

/// The number of the value that a call writes through an argument.
pub(crate) fn slot_of(arg: usize) -> u32 {
    u32::try_from(arg).unwrap_or(0) + 1
}
