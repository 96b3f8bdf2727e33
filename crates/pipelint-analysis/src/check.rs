//! Functions and macros that judge a value: `CHECK(x)`, `THROW_IF_NULL(p)`.

use pipelint_ir::{CmpOp, Name, PlaceId};
use pipelint_models::{Check, FunctionModel, Good, OnFail};

use crate::exec::Exec;
use crate::state::State;
use crate::values::ValId;

impl Exec<'_, '_> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn check_call(
        &mut self,
        state: State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        check: &Check,
        args: &[ValId],
        out: &mut Vec<State>,
    ) {
        let Some(&v) = args.get(check.arg) else {
            return;
        };
        let zero = self.arena.int(0);
        let minus = self.arena.int(-1);
        let tests: &[(CmpOp, ValId)] = match check.good {
            Good::Nonzero => &[(CmpOp::Ne, zero)],
            Good::Zero => &[(CmpOp::Eq, zero)],
            Good::Nonnegative => &[(CmpOp::Ge, zero)],
            Good::NotInvalid => &[(CmpOp::Ne, minus)],
            Good::ValidHandle => &[(CmpOp::Ne, zero), (CmpOp::Ne, minus)],
        };
        let _ = api;
        self.settle(&state, v);
        let mut good = state.clone();
        self.settle_dropped_by_condition(&mut good, v, v);
        if tests
            .iter()
            .all(|(op, c)| self.assume(&mut good, *op, v, *c, true))
        {
            let result = if model.returns_arg == Some(check.arg) {
                v
            } else {
                self.fresh(&good, 0)
            };
            self.store_result(&mut good, dst, result);
            self.error_is_checked(&mut good, v);
            out.push(good);
        }
        for (op, c) in tests {
            let mut bad = state.clone();
            if !self.assume(&mut bad, *op, v, *c, false) {
                continue;
            }
            match check.on_fail {
                OnFail::Aborts => {}
                OnFail::Throws => self.leave_by_exception(&mut bad),
                OnFail::Returns => {
                    let result = self.failed_status(&mut bad);
                    self.record_end(&bad, result, &Vec::new());
                    self.leave(&mut bad, None);
                }
                OnFail::Continues => {
                    let result = if model.returns_arg == Some(check.arg) {
                        v
                    } else {
                        self.fresh(&bad, 0)
                    };
                    self.store_result(&mut bad, dst, result);
                    out.push(bad);
                }
            }
        }
    }

    /// What a function that returns a status yields where a macro returns for it: some failure.
    fn failed_status(&mut self, state: &mut State) -> Option<ValId> {
        if !matches!(&*self.function.ret.name, "HRESULT" | "NTSTATUS") {
            return None;
        }
        let v = self.fresh(state, 77);
        let mut fact = crate::state::Fact::default();
        fact.clamp(i128::MIN, -1);
        state.facts.insert(v, fact);
        Some(v)
    }

    /// A checking macro judges the value even where the comparison was decided before.
    pub(crate) fn settle(&mut self, state: &State, v: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for part in parts {
            if let Some(res) = state.res.get(part) {
                let created = res.created;
                self.found.compared_rightly(created);
            }
        }
    }
}
