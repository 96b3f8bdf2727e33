//! Overlapped operations: how they went, which is asked and dropped, and transfers that nothing tells
//! how far they came.

use pipelint_ir::{Name, PlaceId};
use pipelint_models::FunctionModel;
use pipelint_source::Span;

use crate::event::{Dependence, Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::log::Action;
use crate::operation::{Ending, Operation, OperationKind, may};
use crate::results::ResultFault;
use crate::state::{Fact, State};
use crate::values::{Val, ValId};

impl Exec<'_, '_> {
    /// The system is asked to cancel what is pending on a handle.
    pub(crate) fn note_cancel(&self, state: &mut State, model: &FunctionModel, args: &[ValId]) {
        if let Some(&handle) = model.cancels.as_ref().and_then(|c| args.get(c.handle)) {
            state.cancelled.insert(handle, ());
        }
    }

    /// A call asks how an overlapped operation went. After a cancel, only the wait in it matters.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn note_completion(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
        voided: bool,
    ) {
        let Some(completion) = &model.completes else {
            return;
        };
        let Some(&handle) = completion.handle.and_then(|n| args.get(n)) else {
            return;
        };
        let count = completion.count.and_then(|n| args.get(n));
        let count = count.and_then(|v| match self.arena.get(*v) {
            Val::Ptr(loc) => state.env.get(*loc).copied(),
            _ => None,
        });
        let cancelled = state.cancelled.get(handle).is_some();
        let dropped = !voided && !cancelled && dst.is_none_or(|dst| self.is_never_read(dst));
        let span = self.span;
        state.operations.retain(|_, known| known.span != span);
        state.operations.insert(
            result,
            Operation {
                api: api.clone(),
                span,
                kind: OperationKind::Completion { count },
                may: may::GOOD | may::FAILED,
                seen: None,
                acted: false,
                dropped,
            },
        );
        state.step(span, StepKind::Passed(api.clone()), Some(result));
    }

    /// A comparison looks at a transferred count: the result is judged by it.
    pub(crate) fn judge_counts(&self, state: &mut State, a: ValId, b: ValId) {
        if state.operations.is_empty() {
            return;
        }
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        state.operations.change(
            |_, op| match op.kind {
                OperationKind::Completion { count: Some(count) } => parts.contains(&count),
                _ => false,
            },
            |op| op.dropped = false,
        );
    }

    /// Who asks for the error looks at how the operation went.
    pub(crate) fn error_is_asked(&self, state: &mut State) {
        state.operations.change(
            |_, op| matches!(op.kind, OperationKind::Completion { .. }),
            |op| op.dropped = false,
        );
    }

    /// The function returns a count that nobody knows to be one.
    pub(crate) fn count_is_returned(&mut self, state: &State, value: Option<ValId>) {
        // A plain count of 0 may well tell of the failure.
        let Some(parts) = value.and_then(|value| self.result_parts.get(&value)) else {
            return;
        };
        let returned: Vec<ValId> = parts.iter().map(|(_, v)| *v).collect();
        let told: Vec<(ValId, Operation)> = state
            .operations
            .iter()
            .filter(|(_, op)| match op.kind {
                OperationKind::Completion { count: Some(count) } => {
                    op.dropped && returned.iter().any(|v| self.is_computed_from(*v, count))
                }
                _ => false,
            })
            .map(|(v, op)| (v, op.clone()))
            .collect();
        for (v, op) in told {
            let path = state.path(Some(v), Some(op.span));
            self.completion_dropped(&op, Dependence::CountUsed, self.span, path);
        }
    }

    /// A count of an operation whose result was dropped.
    pub(crate) fn is_unasked_count(&self, state: &State, v: ValId) -> bool {
        state.operations.iter().any(|(_, op)| match op.kind {
            OperationKind::Completion { count: Some(count) } => {
                op.dropped && self.is_computed_from(v, count)
            }
            _ => false,
        })
    }

    /// By arithmetic and conversions: a comparison with it is a look at it.
    fn is_computed_from(&self, v: ValId, from: ValId) -> bool {
        let mut todo = vec![v];
        for _ in 0..32 {
            let Some(v) = todo.pop() else { return false };
            if v == from {
                return true;
            }
            match self.arena.get(v) {
                Val::Bin(_, a, b) => todo.extend([*a, *b]),
                Val::Narrow(inner, _) => todo.push(*inner),
                _ => {}
            }
        }
        false
    }

    /// A dropped completion before a return of success, which means something.
    pub(crate) fn tell_completion(&mut self, end: &Ending, endings: &[Ending]) {
        let op = &end.operation;
        if !op.dropped || op.seen.is_some() || !self.is_success(end.verdict) {
            return;
        }
        let status = !matches!(&*self.function.ret.name, "bool" | "BOOL" | "BOOLEAN");
        if status || endings.iter().any(|e| e.verdict != end.verdict) || self.tells_otherwise() {
            let path = end.trace.path(Some(end.result), Some(op.span));
            self.completion_dropped(op, Dependence::ReportsSuccess, end.at, path);
        }
    }

    fn completion_dropped(
        &mut self,
        op: &Operation,
        depends: Dependence,
        shown: Span,
        mut path: Vec<PathStep>,
    ) {
        path.push(PathStep {
            span: shown,
            what: StepKind::Left,
        });
        let api = op.api.clone();
        self.found.add(Event {
            kind: EventKind::Result(ResultFault::Completion {
                api,
                depends,
                shown,
            }),
            at: op.span,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        });
    }

    /// A transfer gets a place for its count and an OVERLAPPED, or is known to get none of both.
    pub(crate) fn transfers_with(
        &mut self,
        state: &mut State,
        count: ValId,
        overlapped: ValId,
        api: &Name,
    ) {
        let null = |exec: &Self, v: ValId| {
            exec.arena.as_int(v) == Some(0) || state.facts.get(v).and_then(Fact::exact) == Some(0)
        };
        let (no_count, no_overlapped) = (null(self, count), null(self, overlapped));
        if no_count && no_overlapped {
            let at = self.at();
            self.found.add(Event {
                kind: EventKind::Result(ResultFault::NoCount { api: api.clone() }),
                at,
                function: self.function.name.clone(),
                resource: None,
                path: vec![PathStep {
                    span: at,
                    what: StepKind::Passed(api.clone()),
                }],
                others: Vec::new(),
            });
            return;
        }
        let given = |exec: &Self, v: ValId| exec.is_given(v);
        let open = (no_count || given(self, count)) && (no_overlapped || given(self, overlapped));
        if open {
            let span = self.span;
            let api = api.clone();
            self.record(
                state,
                Action::Transfer {
                    count,
                    overlapped,
                    api,
                    span,
                },
            );
        }
    }
}
