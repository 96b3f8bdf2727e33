//! Functions of Rust's `windows` crate: what their `Result` says, the system's own function says by a value.

use pipelint_ir::{Callee, CmpOp, Const, Operand, PlaceId};
use pipelint_models::{FunctionModel, Slot, Success};

use crate::exec::{Exec, number};
use crate::state::State;

/// What the front end calls to know whether a call failed: given what it yielded, and its name.
const FAILED: &str = "windows::{failed}";

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
                if let Some(call) = state.io_calls.get(v) {
                    // The `Result` has the error, and is asked for it.
                    self.found.errors_given.insert(call.span());
                }
            }
            let tells = self.arena.int(i128::from(failed));
            self.store_result(&mut state, dst, tells);
            out.push(state);
        }
        true
    }
}
