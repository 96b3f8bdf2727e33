//! A standard handle that a function fetches only to close it: that is meant.

use pipelint_ir::{Base, Callee, Operand, PlaceId, Rvalue, Statement};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::exec::Exec;
use crate::program::{Target, last};
use crate::state::State;
use crate::values::ValId;

/// What yields a handle that the process shares, and may stop to.
const FETCHES: &str = "GetStdHandle";

impl Exec<'_, '_> {
    /// The argument of a closing call is a standard handle that is in a variable, with which the
    /// function does nothing else than to test it.
    pub(crate) fn is_fetched_to_close(&self, state: &State, v: ValId, arg: usize) -> bool {
        let fetched = state.pseudo.get(v).is_some_and(|(from, _)| from == FETCHES);
        fetched
            && self.site.is_none()
            && match self.operands.get(arg) {
                Some(Operand::Copy(place) | Operand::Move(place)) => self.only_closes(*place),
                _ => false,
            }
    }

    fn only_closes(&self, place: PlaceId) -> bool {
        let function = self.function;
        let at = &function.places[place];
        let Base::Local(variable) = at.base else {
            return false;
        };
        if !at.proj.is_empty() || variable.0 < function.params {
            return false;
        }
        let is_it = |p: PlaceId| function.places[p].base == Base::Local(variable);
        let fits = |stmt: &Statement| match stmt {
            Statement::Assign { dst, value } if is_it(*dst) => {
                matches!(value, Rvalue::Use(Operand::Const(_)))
            }
            Statement::Assign {
                value: Rvalue::Compare(_),
                ..
            }
            | Statement::Drop { .. }
            | Statement::Assert(_) => true,
            Statement::Call {
                dst: Some(dst),
                callee,
                ..
            } if is_it(*dst) => {
                matches!(callee, Callee::Function(name) if last(name) == FETCHES)
            }
            Statement::Call { callee, args, .. } if args.iter().any(|a| is_of(a, is_it)) => {
                let target = self.target_here(callee, args.len());
                let closes = |i: usize| match target {
                    Target::Model(model) => model.releases.iter().any(|r| r.arg == i),
                    _ => false,
                };
                let mut args = args.iter().enumerate();
                args.all(|(i, arg)| !is_of(arg, is_it) || closes(i))
            }
            _ => {
                let mut reads = false;
                visit_reads(stmt, |p| reads |= is_it(p));
                !reads
            }
        };
        let mut blocks = function.blocks.iter();
        blocks.all(|block| {
            let mut returned = false;
            if let pipelint_ir::Terminator::Return(_) = block.term {
                visit_term_reads(&block.term, |p| returned |= is_it(p));
            }
            !returned && block.stmts.iter().all(fits)
        })
    }
}

/// An operand that is read from such a place.
fn is_of(op: &Operand, place: impl Fn(PlaceId) -> bool) -> bool {
    matches!(op, Operand::Copy(p) | Operand::Move(p) if place(*p))
}
