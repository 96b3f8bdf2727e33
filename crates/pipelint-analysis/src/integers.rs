//! Rust: conversions of integers that fail where the number does not fit.

use pipelint_ir::{Callee, CmpOp, Operand, PlaceId};

use crate::exec::Exec;
use crate::program::last;
use crate::rust::TAG;
use crate::state::State;
use crate::values::Loc;

/// Types that hold every number that is not negative and that a call of the system yields.
const WIDE_UNSIGNED: &[&str] = &["usize", "u64", "u128"];

/// `usize::try_from`.
pub(crate) fn is_checked_conversion(callee: &Callee) -> bool {
    let Callee::Function(name) = callee else {
        return false;
    };
    let Some(of) = name.strip_suffix("::try_from") else {
        return false;
    };
    WIDE_UNSIGNED.contains(&last(of))
}

impl Exec<'_, '_> {
    /// A number is converted to a type without a sign: it fails where the number is negative, and the result
    /// is the number otherwise. False where this is none.
    pub(crate) fn converts_checked(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
        out: &mut Vec<State>,
    ) -> bool {
        let (Some(dst), [arg]) = (dst, args) else {
            return false;
        };
        if !self.is_rust() || !is_checked_conversion(callee) {
            return false;
        }
        let v = self.operand(state, arg);
        let (zero, minus_one) = (self.arena.int(0), self.arena.int(-1));
        for negative in [false, true] {
            let mut state = state.clone();
            // Of the numbers below 0, a call of the system yields -1 alone.
            let known = match self.questions.contains_key(&v) {
                true => self.assume(&mut state, CmpOp::Eq, v, minus_one, negative),
                false => true,
            };
            if !known || !self.assume(&mut state, CmpOp::Lt, v, zero, negative) {
                continue;
            }
            let whole = self.fresh(&state, 0);
            self.store_result(&mut state, Some(dst), whole);
            let to = self.place(&mut state, dst);
            let tag = self.arena.int(i128::from(negative));
            let at = self.arena.loc(Loc::Field(to, TAG.into()));
            self.write_keeping_parts(&mut state, at, tag);
            if !negative {
                let at = self.arena.loc(Loc::Field(to, "0".into()));
                self.write_keeping_parts(&mut state, at, v);
            }
            out.push(state);
        }
        true
    }
}
