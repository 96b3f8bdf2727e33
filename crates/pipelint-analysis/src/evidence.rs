//! What runs show of values beside plain comparisons: a call that succeeded on a handle, a
//! resource that nobody else can have, an element that a loop tests, a count that reached zero.

use pipelint_ir::{Base, BinOp, CmpOp, LocalKind, Operand, Statement};
use pipelint_models::{FunctionModel, Success};

use crate::exec::{Exec, Outcome, number};
use crate::state::{State, Status};
use crate::values::{Sym, Val, ValId};

impl Exec<'_, '_> {
    /// A call with a status was given a handle whose making nobody has judged: where it succeeds,
    /// the handle is no failure value.
    pub(crate) fn note_evidence(
        &self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let (Some(success), Some(&handle)) = (model.success, args.first()) else {
            return;
        };
        let open = state.res.get(handle).is_some_and(|res| {
            let known = res.checked && self.outcome(state, handle, res) == Outcome::Succeeded;
            res.status == Status::Open && !known
        });
        if open {
            state.evidence.insert(result, (handle, success));
        }
    }

    /// A condition looked at these values: calls that it shows to have succeeded.
    pub(crate) fn learn_from_success(&mut self, state: &mut State, a: ValId, b: ValId) -> bool {
        if state.evidence.is_empty() {
            return true;
        }
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        let told: Vec<(ValId, ValId, Success)> = state
            .evidence
            .iter()
            .filter(|(result, _)| parts.contains(result))
            .map(|(result, (handle, success))| (result, *handle, *success))
            .collect();
        for (result, handle, success) in told {
            let succeeded = state.facts.get(result).is_some_and(|fact| match success {
                Success::Nonzero => fact.excludes(0),
                Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative => {
                    fact.exact() == Some(0)
                }
                Success::Nonnegative => fact.lo >= 0,
                Success::NotMinusOne => fact.excludes(-1),
            });
            let failure = state.res.get(handle).and_then(|res| res.failure);
            let (true, Some(failure)) = (succeeded, failure) else {
                continue;
            };
            let failure = self.arena.int(number(failure));
            if !self.learn_quietly(state, CmpOp::Ne, handle, failure, true) {
                return false;
            }
            if let Some(res) = state.res.get_mut(handle) {
                res.checked = true;
            }
        }
        true
    }

    /// True when `made` is a resource that this path made and that nobody else can have, and
    /// `other` is something that was there without it.
    pub(crate) fn is_nobody_elses(&self, state: &State, made: ValId, other: ValId) -> bool {
        let live = |v: ValId| {
            state.res.get(v).is_some_and(|res| {
                res.status == Status::Open
                    && !res.adopted
                    && self.outcome(state, v, res) == Outcome::Succeeded
            })
        };
        let alone = state.res.get(made).is_some_and(|res| !res.escaped);
        // What is kept by the caller's memory, or by a name, is not what was made just now.
        let elses = match self.arena.get(other) {
            Val::Named(_) | Val::Str | Val::Function(_) => true,
            Val::Sym(Sym::Load { .. }) => self.is_given(other),
            _ => state.res.get(other).is_some() && live(other),
        };
        alone && live(made) && elses
    }

    /// A constant out of sight that a creation's result turns out to equal is its failure value.
    pub(crate) fn learn_from_name(
        &mut self,
        state: &mut State,
        op: CmpOp,
        a: ValId,
        b: ValId,
    ) -> bool {
        let named = |v: ValId| matches!(self.arena.get(v), Val::Named(_));
        let made = match (named(a), named(b)) {
            (false, true) => a,
            (true, false) => b,
            _ => return true,
        };
        let failure = state.res.get(made).and_then(|res| res.failure);
        let (Some(failure), CmpOp::Eq | CmpOp::Ne) = (failure, op) else {
            return true;
        };
        let failure = self.arena.int(number(failure));
        self.learn_quietly(state, op, made, failure, true)
    }

    /// A condition looks at an element that is not told apart from the others: whichever it was,
    /// what the array holds is dealt with by a loop that is not followed element by element.
    pub(crate) fn escape_tested_elements(&mut self, state: &mut State, a: ValId, b: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        for part in parts {
            if matches!(self.arena.get(part), Val::Sym(Sym::Element { .. })) {
                self.escape(state, part);
            }
        }
    }

    /// A count was lowered and is 0: the last of several owners is at work.
    pub(crate) fn note_last_owner(&self, state: &mut State, op: CmpOp, a: ValId, b: ValId) {
        let zero = |v: ValId| self.arena.as_int(v) == Some(0);
        let count = match (zero(a), zero(b)) {
            (false, true) => a,
            (true, false) => b,
            _ => return,
        };
        let lowered = match self.arena.get(count) {
            Val::Bin(BinOp::Sub, _, one) => self.arena.as_int(*one) == Some(1),
            Val::Bin(BinOp::Add, _, one) => self.arena.as_int(*one) == Some(-1),
            _ => self.lowered_counts.contains(&count),
        };
        state.last_owner |= lowered && matches!(op, CmpOp::Eq | CmpOp::Le);
    }
}

impl Exec<'_, '_> {
    /// `EXPECT_FAILURE(open(&pair))`: which result the unseen code goes on with is not known, and so
    /// it is not known whether what the call made on this path is there afterwards.
    pub(crate) fn judged_out_of_sight(&self, state: &mut State, v: ValId, arg: &Operand) {
        let (Operand::Copy(place) | Operand::Move(place), Val::Int(_)) = (arg, self.arena.get(v))
        else {
            return;
        };
        let at = &self.function.places[*place];
        let (Base::Local(l), []) = (&at.base, &at.proj[..]) else {
            return;
        };
        let temp = self.function.locals.get(l.0 as usize);
        if temp.is_none_or(|l| l.kind != LocalKind::Temp) || state.res.is_empty() {
            return;
        }
        let mut made = Vec::new();
        for (block, spans) in self.function.blocks.iter().zip(&self.function.map.stmts) {
            for (stmt, span) in block.stmts.iter().zip(spans) {
                if matches!(stmt, Statement::Call { dst: Some(dst), .. } if dst == place) {
                    made.push(*span);
                }
            }
        }
        state.res.change(
            |_, res| made.contains(&res.created),
            |res| {
                res.escaped = true;
                res.foreign = true;
                res.checked = true;
            },
        );
    }
}
