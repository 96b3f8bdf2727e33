//! How the last transfer of a path went, for those who call the function and are told by its result.
//!
//! A condition on a call's result tells. Of an overlapped operation that an object keeps, other functions
//! tell whether it was a write: what started it.

use pipelint_ir::{CmpOp, Name, Operand, Proj, Rvalue, Statement, Terminator};
use pipelint_models::{Completes, FunctionModel, IoKind, Success};
use rustc_hash::FxHashSet;

use crate::exec::Exec;
use crate::io_classes::Kept;
use crate::log::{Action, each};
use crate::program::Target;
use crate::state::{Fact, State};
use crate::status::Look;
use crate::summary::{End, Summary};
use crate::values::{LocId, Val, ValId};

/// How a transfer went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The call that tells, or the function that hands on what it tells.
    pub(crate) api: Name,
    pub(crate) failed: bool,
    /// It was started elsewhere, and this tells of its completion.
    pub(crate) completes: bool,
    /// The OVERLAPPED of an object, whose starts tell what it is.
    pub(crate) kept: Option<Kept>,
}

/// A call whose result tells how a transfer went.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    sent: Sent,
    success: Success,
}

/// What of a function's result tells that a transfer failed.
pub(crate) struct ToldBy {
    pub(crate) sent: Sent,
    pub(crate) part: Vec<Proj>,
    /// It is not 0 where the transfer failed, and 0 where not; else the other way round.
    pub(crate) nonzero: bool,
}

impl Exec<'_, '_> {
    /// A call sends, or asks how an overlapped operation went.
    pub(crate) fn note_question(
        &mut self,
        state: &State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        let asks = model.completes.as_ref().is_some_and(|c| c.handle.is_some());
        let sent = self.question_of(state, api, model, args);
        if asks && self.site.is_none() {
            // Each path that comes by has to say the same.
            let known = self.questioned.entry(self.span);
            let known = known.or_insert_with(|| sent.clone());
            if *known != sent {
                *known = None;
            }
        }
        if let (Some(sent), Some(success)) = (sent, model.success) {
            self.questions.insert(result, Question { sent, success });
        }
    }

    fn question_of(
        &mut self,
        state: &State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
    ) -> Option<Sent> {
        let (completes, kept) = match (&model.completes, &model.io) {
            (Some(completes), _) if completes.handle.is_some() => {
                let &v = args.get(completes.overlapped)?;
                let at = self.overlapped(state, v)?;
                if !self.knows_the_end(state, completes, args) {
                    return None;
                }
                match (self.started_as(state, at), self.kept_io(at)) {
                    (Some(IoKind::Write), _) => (true, None),
                    (None, Some(kept)) => (true, Some(kept)),
                    _ => return None,
                }
            }
            (None, Some(io)) if io.does == IoKind::Write && io.buffer.is_some() => (false, None),
            _ => return None,
        };
        Some(Sent {
            api: api.clone(),
            failed: false,
            completes,
            kept,
        })
    }

    /// What the path itself has started there.
    fn started_as(&self, state: &State, at: LocId) -> Option<IoKind> {
        let (name, _) = state.pending.get(at)?.started.as_ref()?;
        Some(self.program.models.function(name)?.io.as_ref()?.does)
    }

    /// Whoever asks knows an operation that has failed from one that goes on: the call waits, or the function
    /// looks for that itself.
    fn knows_the_end(&self, state: &State, completes: &Completes, args: &[ValId]) -> bool {
        let waits = completes.waits_when.as_ref();
        if waits.is_some_and(|when| self.applies(state, Some(when), args) == Some(true)) {
            return true;
        }
        let function = self.function;
        let incomplete = completes.incomplete.as_deref();
        let named = |op: &Operand| match op {
            Operand::Const(pipelint_ir::Const::Named(name)) => {
                incomplete.is_some_and(|i| crate::program::last(name) == i)
            }
            _ => false,
        };
        function.blocks.iter().any(|block| {
            let asks = match &block.term {
                Terminator::Branch { cond, .. } => named(&cond.lhs) || named(&cond.rhs),
                _ => false,
            };
            asks || block.stmts.iter().any(|stmt| match stmt {
                Statement::Call { callee, args, .. } => {
                    // It looks at the status that stands in the OVERLAPPED.
                    matches!(self.target_here(callee, args.len()), Target::Model(model)
                        if model.completes.as_ref().is_some_and(|c| c.handle.is_none()))
                        || args.iter().any(named)
                }
                Statement::Assign {
                    value: Rvalue::Compare(cond),
                    ..
                } => named(&cond.lhs) || named(&cond.rhs),
                _ => false,
            })
        })
    }

    /// A condition looked at these values.
    pub(crate) fn judge_sent(&self, state: &mut State, parts: &[ValId]) {
        let exact = |v: &ValId| state.facts.get(*v).and_then(Fact::exact).is_some();
        if parts
            .iter()
            .any(|v| self.error_values.contains(v) && exact(v))
        {
            // Which error it is is known, and it is dealt with as that one.
            state.went = state.went.take().filter(|sent| !sent.failed);
        }
        for v in parts {
            let Some(question) = self.questions.get(v) else {
                continue;
            };
            let failed = state
                .facts
                .get(*v)
                .and_then(|fact| failed(question.success, fact));
            if let Some(failed) = failed {
                state.went = Some(Sent {
                    failed,
                    ..question.sent.clone()
                });
            }
        }
    }

    /// The parts of a result that are what a call left as its error, where a transfer failed.
    pub(crate) fn errors_told(&self, state: &State, result: Option<ValId>) -> Vec<Vec<Proj>> {
        if !state.went.as_ref().is_some_and(|sent| sent.failed) {
            return Vec::new();
        }
        let parts = result.and_then(|v| self.result_parts.get(&v));
        let errors = parts.into_iter().flatten();
        let errors = errors.filter(|(_, v)| self.is_error_of_call(*v));
        errors.map(|(steps, _)| steps.clone()).collect()
    }

    /// What asks for the last error yielded it, in whatever form.
    pub(crate) fn is_error_of_call(&self, v: ValId) -> bool {
        match self.arena.get(v) {
            _ if self.error_values.contains(&v) => true,
            Val::Narrow(inner, _) => self.is_error_of_call(*inner),
            _ => false,
        }
    }

    /// A function of the program has been run to this end.
    pub(crate) fn note_sent_in_call(state: &mut State, end: &End, name: &Name) {
        if let Some(sent) = &end.sent {
            state.went = Some(Sent {
                api: name.clone(),
                ..sent.clone()
            });
        }
    }
}

fn failed(success: Success, fact: &Fact) -> Option<bool> {
    match success {
        Success::Nonzero if fact.exact() == Some(0) => Some(true),
        Success::Nonzero if fact.excludes(0) => Some(false),
        Success::NotMinusOne | Success::Nonnegative if fact.hi < 0 => Some(true),
        Success::NotMinusOne | Success::Nonnegative if fact.lo >= 0 || fact.excludes(-1) => {
            Some(false)
        }
        _ => None,
    }
}

/// The part of a function's result that tells that a transfer in it failed, where nothing else that the
/// function does tells it.
pub(crate) fn told_by(summary: &Summary) -> Option<ToldBy> {
    let of = |failed: bool| {
        let ends = summary.ends.iter();
        let ends = ends.filter(move |end| end.sent.as_ref().is_some_and(|s| s.failed == failed));
        ends.collect::<Vec<&End>>()
    };
    let (bad, good) = (of(true), of(false));
    let first = bad.first()?;
    let sent = first.sent.clone()?;
    let same = |end: &&End| {
        let other = end.sent.as_ref();
        other.is_some_and(|s| s.kept == sent.kept && s.completes == sent.completes)
    };
    if good.is_empty() || !bad.iter().chain(&good).all(same) || !tells_nothing_else(&bad, &good) {
        return None;
    }
    let look = |end: &End, part: &[Proj]| {
        let known = end.looks.iter().find(|(steps, _)| steps == part);
        known.and_then(|(_, look)| *look)
    };
    let zero = |look: Option<Look>| look == Some(Look::Exactly(0));
    let nonzero = |look: Option<Look>| match look {
        Some(Look::NotZero) => true,
        Some(Look::Exactly(n)) => n != 0,
        None => false,
    };
    for (part, _) in &first.looks {
        let error = |end: &&End| nonzero(look(end, part)) || end.errors.contains(part);
        if bad.iter().all(error) && good.iter().any(|end| zero(look(end, part))) {
            return Some(ToldBy {
                sent,
                part: part.clone(),
                nonzero: true,
            });
        }
        if part.is_empty()
            && bad.iter().all(|end| zero(look(end, part)))
            && good.iter().all(|end| nonzero(look(end, part)))
        {
            return Some(ToldBy {
                sent,
                part: Vec::new(),
                nonzero: false,
            });
        }
    }
    None
}

/// Where the transfer failed, nothing is written that is not written otherwise too, and no more code out of
/// sight runs.
fn tells_nothing_else(bad: &[&End], good: &[&End]) -> bool {
    let did = |end: &&End| {
        let (mut written, mut unseen) = (FxHashSet::default(), 0);
        each(&end.steps, &mut |action| match action {
            Action::Write { loc, .. } => {
                written.insert(*loc);
            }
            Action::Havoc { .. } => unseen += 1,
            _ => {}
        });
        (written, unseen)
    };
    let good: Vec<_> = good.iter().map(did).collect();
    let most = good.iter().map(|(_, unseen)| *unseen).max().unwrap_or(0);
    bad.iter().map(did).all(|(written, unseen)| {
        let known = |loc| good.iter().any(|(written, _)| written.contains(loc));
        unseen <= most && written.iter().all(known)
    })
}

/// Whether a comparison with a number leads to its first way where the part is 0, and where it is not.
pub(crate) fn holds_for(op: CmpOp, n: i128, zero: bool) -> Option<bool> {
    match (op, n, zero) {
        (CmpOp::Eq, 0, zero) => Some(zero),
        (CmpOp::Ne, 0, zero) => Some(!zero),
        // What is 0 or 1.
        (CmpOp::Eq, 1, zero) => Some(!zero),
        (CmpOp::Ne, 1, zero) => Some(zero),
        _ => None,
    }
}
