//! Functions of Rust's `windows` crate: what their `Result` says, the system's own function says by a value.

use pipelint_ir::{Base, Callee, CmpOp, Const, Operand, PlaceId, Proj};
use pipelint_models::{FunctionModel, Slot, Success};

use crate::exec::{Exec, number};
use crate::state::State;
use crate::values::{Loc, Val, ValId};

/// What the front end calls to know whether a call failed: given what it yielded, and its name.
const FAILED: &str = "windows::{failed}";
/// What it calls for the error that the `Result` of such a call has.
const ERROR: &str = "windows::{error}";
/// An `HRESULT` of a system error begins so: `0x8007xxxx`.
const WIN32: i128 = 0x8007_0000;

/// How a value shows that the call which yielded it succeeded: compared so with this number. None
/// where the models do not tell.
fn success(model: &FunctionModel) -> Option<(CmpOp, i128)> {
    let made = model.acquires.iter().find(|a| a.at == Slot::Result);
    if let Some(made) = made {
        return Some((CmpOp::Ne, number(made.failure?)));
    }
    Some(match model.success? {
        Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative => (CmpOp::Eq, 0),
        Success::Nonnegative => (CmpOp::Ge, 0),
        Success::NotMinusOne => (CmpOp::Ne, -1),
        Success::Nonzero => (CmpOp::Ne, 0),
    })
}

impl Exec<'_, '_> {
    /// Tells on one path that the call failed, and on another that it did not. False where this is no
    /// such question.
    pub(crate) fn asks_for_failure(
        &mut self,
        state: &State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
        out: &mut Vec<State>,
    ) -> bool {
        let (Callee::Function(name), [value, Operand::Const(Const::Function(api))]) =
            (callee, args)
        else {
            return false;
        };
        if name != FAILED {
            return false;
        }
        let mut state = state.clone();
        let v = self.operand(&mut state, value);
        let model = self.program.models.function(api);
        let known = model.and_then(success);
        // Who closes what he has need not fear that it fails: only a wrong handle makes it.
        let may_fail = model.is_none_or(|model| model.releases.is_empty());
        for failed in [false, true] {
            if failed && !may_fail {
                continue;
            }
            let mut state = state.clone();
            if let Some((op, c)) = known {
                let c = self.arena.int(c);
                if !self.assume(&mut state, op, v, c, !failed) {
                    continue;
                }
            }
            let tells = self.arena.int(i128::from(failed));
            self.store_result(&mut state, dst, tells);
            out.push(state);
        }
        true
    }

    /// The error of a call that failed. False where this asks for none.
    pub(crate) fn takes_error(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
    ) -> bool {
        let (Callee::Function(name), [value, _]) = (callee, args) else {
            return false;
        };
        if name != ERROR {
            return false;
        }
        let judge = self.operand(state, value);
        let v = self.fresh(state, 91);
        match state.error.in_result(judge, v) {
            Some(of) => {
                self.error_values.insert(v);
                state.error_of.insert(v, of);
            }
            // A code that the call yields itself, or nothing is known.
            None => {
                if let Some(call) = state.io_calls.get(judge) {
                    self.found.errors_given.insert(call.span());
                }
            }
        }
        self.store_result(state, dst, v);
        true
    }

    /// Rust: the code of an error, or another form of a code. None where it is neither.
    pub(crate) fn form_of_code(&mut self, state: &mut State, callee: &Callee) -> Option<ValId> {
        let Callee::Method { name, receiver, .. } = callee else {
            return None;
        };
        if !self.is_rust() || !matches!(&**name, "code" | "to_hresult" | "into" | "clone") {
            return None;
        }
        let loc = self.place(state, *receiver);
        let mut v = *state.env.get(loc)?;
        if let Val::Ptr(of) = *self.arena.get(v) {
            v = *state.env.get(of)?;
        }
        let constant = name != "code" && self.code_of(v).is_some();
        (constant || state.error_of.get(v).is_some()).then_some(v)
    }

    /// Rust: `code.0` of an error's code is the number.
    pub(crate) fn number_in_code(&mut self, state: &State, place: PlaceId) -> Option<ValId> {
        let place = &self.function.places[place];
        let [before @ .., Proj::Field(name)] = &place.proj[..] else {
            return None;
        };
        if name != "0" || !before.is_empty() || !self.is_rust() {
            return None;
        }
        let Base::Local(local) = place.base else {
            return None;
        };
        let loc = self.arena.loc(Loc::Local(local));
        let v = *state.env.get(loc)?;
        let part = self.arena.loc(Loc::Field(loc, "0".into()));
        if state.env.get(part).is_some() || self.arena.as_int(v) == Some(0) {
            // A tuple, or what an `Ok` holds.
            return None;
        }
        (state.error_of.get(v).is_some() || self.code_of(v).is_some()).then_some(v)
    }
}

/// The system error that a number stands for, alone or as an `HRESULT`.
pub(crate) fn system_error(code: i128) -> i128 {
    let unsigned = code & 0xFFFF_FFFF;
    match unsigned & 0xFFFF_0000 == WIN32 {
        true => unsigned & 0xFFFF,
        false => code,
    }
}
