//! Rust: `.ok()` drops the error of a creation, and nobody asks what is left whether it is there.

use pipelint_ir::{Callee, Operand, PlaceId, Statement};
use pipelint_source::Span;

use crate::event::{Event, EventKind, StepKind};
use crate::exec::Exec;
use crate::program::{FnRef, Target};
use crate::state::{Failed, State};
use crate::status::Reports;

/// What the front end calls where that is so, with the place of the `Result`.
pub(crate) const PASSED_OVER: &str = "Result::{passed over}";

impl Exec<'_, '_> {
    /// Notes that the failure of a call is known to nobody from here on. False where the call is not
    /// the one that says so.
    pub(crate) fn passes_over(
        &mut self,
        state: &State,
        callee: &Callee,
        args: &[Operand],
        out: &mut Vec<State>,
    ) -> bool {
        let (Callee::Function(name), [Operand::Copy(result)]) = (callee, args) else {
            return false;
        };
        if name != PASSED_OVER {
            return false;
        }
        if let Some((f, at)) = self.call_that_made(*result)
            && self
                .summary_of(f)
                .is_some_and(|s| s.reports == Reports::Creation)
        {
            let name = self.program.function(f).name.clone();
            let mut path = self.path(state, None, StepKind::Called(name.clone()));
            if let Some(last) = path.last_mut() {
                last.span = at;
            }
            self.found.passed_over.push(Event {
                kind: EventKind::StatusDropped {
                    callee: name,
                    judged: None,
                },
                at,
                function: self.function.name.clone(),
                resource: None,
                path,
                others: Vec::new(),
            });
        }
        // Whoever calls this function is told nothing of it: that is no failure to him.
        let mut state = state.clone();
        state.failed = Failed::No;
        out.push(state);
        true
    }

    /// The call of a function of the program whose result a place is.
    fn call_that_made(&self, result: PlaceId) -> Option<(FnRef, Span)> {
        let blocks = self.function.blocks.iter().enumerate();
        let mut stmts = blocks.flat_map(|(b, block)| {
            let numbered = block.stmts.iter().enumerate();
            numbered.map(move |(i, stmt)| (b, i, stmt))
        });
        stmts.find_map(|(b, i, stmt)| {
            let Statement::Call {
                dst: Some(dst),
                callee,
                args,
                ..
            } = stmt
            else {
                return None;
            };
            if *dst != result {
                return None;
            }
            match self.target_here(callee, args.len()) {
                Target::Defined(f) => Some((f, *self.function.map.stmts.get(b)?.get(i)?)),
                _ => None,
            }
        })
    }

    /// A function that tells of what fails in it told nothing of these.
    pub(crate) fn tell_passed_over(&mut self) {
        let told = std::mem::take(&mut self.found.passed_over);
        if self.reports() != Reports::Nothing {
            for event in told {
                self.found.add(event);
            }
        }
    }
}
