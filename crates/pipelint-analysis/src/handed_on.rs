//! A failure that a helper saw and hands on to its callers, none of which looks at it.

use std::sync::Arc;

use pipelint_ir::{Base, Const, Name, Operand, Statement, Terminator};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last};
use crate::state::{FailedOut, Res};
use crate::summaries::{Order, function_names};

/// How a creation that was seen to fail came to the function that is run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct HandedOn {
    /// The creating call.
    api: Name,
    /// That call itself.
    made: Span,
    /// The condition that showed the failure.
    saw: Span,
    /// The functions that handed it on, the innermost first, and where each was called.
    by: Vec<(FnRef, Span)>,
}

impl HandedOn {
    /// The resource leaves a function by this call of it.
    pub(crate) fn of_resource(res: &Res, function: FnRef, call: Span) -> Option<Arc<Self>> {
        let saw = res.checked.then_some(res.failed_at);
        let made = (&res.api, res.origin);
        Self::leave(saw, res.handed_on.as_ref(), made, (function, call))
    }

    /// The variable that a creation did not set leaves a function by this call of it.
    pub(crate) fn of_out(out: &FailedOut, function: FnRef, call: Span) -> Option<Arc<Self>> {
        let saw = out.checked.then_some(out.failed_at);
        let made = (&out.api, out.created);
        Self::leave(saw, out.handed_on.as_ref(), made, (function, call))
    }

    /// `saw` is where the function itself looked, if it did, and the failure was seen.
    fn leave(
        saw: Option<Option<Span>>,
        before: Option<&Arc<Self>>,
        made: (&Name, Span),
        by: (FnRef, Span),
    ) -> Option<Arc<Self>> {
        if let Some(saw) = saw {
            return Some(Arc::new(Self {
                api: made.0.clone(),
                made: made.1,
                saw: saw?,
                by: vec![by],
            }));
        }
        let mut longer = before?.clone();
        Arc::make_mut(&mut longer).by.push(by);
        Some(longer)
    }

    /// Puts the creation and the test at the beginning of a path that may know of the helper alone.
    fn tell_path(&self, path: &mut Vec<PathStep>, var: &Name) {
        let of = |step: &PathStep| matches!(step.what, StepKind::Created { .. });
        let first = path.iter().position(of);
        if let Some(step) = first.map(|at| &mut path[at])
            && step.span != self.made
            && let StepKind::Created { api, .. } = &step.what
        {
            step.what = StepKind::Given(api.clone());
        }
        let known = path.iter().position(|s| s.span == self.made && of(s));
        let var = var.clone();
        let api = self.api.clone();
        let made = StepKind::Created { api, var };
        let at = match known {
            Some(at) => {
                path[at].what = made;
                at
            }
            None => {
                path.insert(
                    0,
                    PathStep {
                        span: self.made,
                        what: made,
                    },
                );
                0
            }
        };
        let test = PathStep {
            span: self.saw,
            what: StepKind::Branch(true),
        };
        path.insert(at + 1, test);
    }

    /// The creating call.
    pub(crate) fn made(&self) -> Span {
        self.made
    }

    /// The calls that handed it on.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Span> {
        self.by.iter().map(|(_, call)| *call)
    }
}

/// The calls whose result some path uses without a look at it: within a function, or by way of a field.
pub(crate) fn unseen(all: &mut [Findings], linked: &[Event]) -> FxHashSet<Span> {
    let mut unseen: FxHashSet<Span> = all.iter_mut().flat_map(|f| f.unseen.drain()).collect();
    let resources = linked.iter().filter_map(|event| event.resource.as_ref());
    let handed_on = resources.filter_map(|resource| resource.handed_on.as_ref());
    unseen.extend(handed_on.flat_map(|by| by.calls()));
    unseen
}

/// Tells at the helper's test what all its callers pass over: where none looks, the one place that
/// saw the failure is the fault.
pub(crate) fn tell_at_test<'e>(
    program: &Program<'_>,
    order: &Order,
    all: &[FnRef],
    unseen: &FxHashSet<Span>,
    events: impl Iterator<Item = &'e mut Event>,
) {
    let mut known: FxHashMap<FnRef, bool> = FxHashMap::default();
    for event in events {
        let EventKind::UncheckedUse { api } = &event.kind else {
            continue;
        };
        let Some(resource) = &mut event.resource else {
            continue;
        };
        let Some(handed) = resource.handed_on.take() else {
            continue;
        };
        let all_pass_over = |f: FnRef, known: &mut FxHashMap<FnRef, bool>| {
            let found = known
                .entry(f)
                .or_insert_with(|| passed_over(program, order, all, unseen, f));
            *found
        };
        if !handed.by.iter().all(|(f, _)| all_pass_over(*f, &mut known)) {
            continue;
        }
        event.kind = EventKind::FailedUse {
            check: handed.saw,
            api: api.clone(),
        };
        resource.api = handed.api.clone();
        (resource.created, resource.origin) = (handed.made, handed.made);
        handed.tell_path(&mut event.path, &resource.var);
    }
}

/// Every caller of the function is seen, and uses its result without a look at it.
fn passed_over(
    program: &Program<'_>,
    order: &Order,
    all: &[FnRef],
    unseen: &FxHashSet<Span>,
    f: FnRef,
) -> bool {
    if !is_hidden(program, f) || is_named(program, all, f) {
        return false;
    }
    let number = program.number(f);
    let mut callers = (0..all.len()).filter(|&i| order.calls[i].contains(&number));
    callers.all(|i| {
        let calls = calls_of(program, all[i], f);
        !calls.is_empty() && calls.iter().all(|call| unseen.contains(call))
    })
}

/// Where a function calls another.
fn calls_of(program: &Program<'_>, from: FnRef, to: FnRef) -> Vec<Span> {
    let function = program.function(from);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let target = program.target(from.0, function, callee, args.len());
            if matches!(target, Target::Defined(g) if g == to) {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                found.push(span.copied().unwrap_or(function.map.name));
            }
        }
    }
    found
}

/// No code out of sight can call it by its name.
fn is_hidden(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let class = function.class.as_ref();
    let class = class.and_then(|class| program.class(f.0, class));
    let mut declared = class.iter().flat_map(|class| &class.methods);
    let mut of_name = declared.clone().filter(|m| m.name == function.name);
    function.internal
        || function.private
        || (declared.any(|m| m.name == function.name) && of_name.all(|m| m.is_private))
}

/// Something names it without calling it: who calls it then is not known.
fn is_named(program: &Program<'_>, all: &[FnRef], f: FnRef) -> bool {
    let name = last(&program.function(f).name);
    let same = |n: &Name| last(n) == name;
    let taken = |f: &FnRef| {
        let function = program.function(*f);
        let mut places = function.places.iter();
        places.any(|(_, place)| matches!(&place.base, Base::Global(n) if same(n)))
            || function.blocks.iter().any(|block| {
                let returned = match &block.term {
                    Terminator::Return(Some(Operand::Const(Const::Function(n)))) => same(n),
                    _ => false,
                };
                let mut stmts = block.stmts.iter();
                returned || stmts.any(|s| function_names(s).into_iter().any(same))
            })
    };
    let mut globals = program.units.iter().flat_map(|unit| &unit.globals);
    all.par_iter().any(taken)
        || globals.any(|global| {
            let alone = matches!(&global.init, Some(Const::Function(n)) if same(n));
            let mut entries = global.table.iter().filter_map(|e| e.name.as_ref());
            alone || entries.any(same)
        })
}
