//! Functions that tell by their result that something failed, and callers that drop it.

use pipelint_ir::{
    Base, Callee, Const, Function, Name, Operand, PlaceId, Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::{EventKind, StepKind};
use crate::exec::{Exec, Outcome};
use crate::program::{FnRef, Program, Target, last};
use crate::state::{State, Status};
use crate::values::ValId;

/// What the callers of one function do with its result.
#[derive(Debug, Default, Clone)]
struct Callers {
    /// Where it is looked at, by unit.
    judged: Vec<(usize, Span)>,
    dropped: usize,
}

/// Which functions return an error code, and what their callers do with it.
#[derive(Debug, Default)]
pub(crate) struct Statuses {
    /// Functions that return 0, or the error of a call that failed.
    tells: FxHashSet<FnRef>,
    callers: FxHashMap<FnRef, Callers>,
}

/// A call of a function of the program: to which, where, and whether its result is looked at, or
/// dropped; none of both where it is only kept.
type Called = (FnRef, Span, Option<bool>);

impl Statuses {
    pub(crate) fn new(program: &Program<'_>) -> Self {
        let all: Vec<FnRef> = program.all().collect();
        let known: Vec<(bool, Vec<Called>)> = all
            .par_iter()
            .map(|&f| (tells(program.function(f)), calls(program, f)))
            .collect();
        let mut statuses = Self::default();
        for (&f, (tells, calls)) in all.iter().zip(known) {
            if tells {
                statuses.tells.insert(f);
            }
            for (g, span, judged) in calls {
                let callers = statuses.callers.entry(g).or_default();
                match judged {
                    Some(true) => callers.judged.push((f.0, span)),
                    Some(false) => callers.dropped += 1,
                    None => {}
                }
            }
        }
        statuses
    }

    /// A caller of this unit that looks at the result.
    fn judged_in(&self, f: FnRef, unit: usize) -> Option<Span> {
        let judged = &self.callers.get(&f)?.judged;
        judged.iter().find(|(u, _)| *u == unit).map(|(_, at)| *at)
    }

    /// Some caller that looks at the result, where most do.
    fn judged_mostly(&self, f: FnRef) -> Option<Span> {
        let callers = self.callers.get(&f)?;
        let most = callers.judged.len() > callers.dropped;
        callers.judged.first().filter(|_| most).map(|(_, at)| *at)
    }
}

/// The function returns 0 on one path, and on another the error that a call left.
fn tells(function: &Function) -> bool {
    let mut zero = false;
    let mut returned: Vec<PlaceId> = Vec::new();
    for block in &function.blocks {
        match &block.term {
            Terminator::Return(Some(Operand::Const(Const::Int(0)))) => zero = true,
            Terminator::Return(Some(Operand::Copy(place))) => returned.push(*place),
            _ => {}
        }
    }
    if !zero || returned.is_empty() {
        return false;
    }
    // What is returned, followed back through what it is computed from.
    let mut wanted: FxHashSet<PlaceId> = returned.into_iter().collect();
    for _ in 0..3 {
        let mut more = Vec::new();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            match stmt {
                Statement::Assign { dst, value } if wanted.contains(dst) => {
                    if matches!(
                        value,
                        Rvalue::Use(_) | Rvalue::Cast(..) | Rvalue::Binary(..)
                    ) {
                        visit_reads(stmt, |place| more.push(place));
                    }
                }
                Statement::Call {
                    dst: Some(dst),
                    callee: Callee::Function(name),
                    ..
                } if wanted.contains(dst)
                    && matches!(last(name), "GetLastError" | "WSAGetLastError") =>
                {
                    return true;
                }
                // `UV_ERR(errno)`: a macro whose definition is not in sight.
                Statement::Call {
                    dst: Some(dst),
                    callee: Callee::Function(_),
                    args,
                    ..
                } if wanted.contains(dst) && args.len() == 1 => {
                    visit_reads(stmt, |place| more.push(place));
                }
                _ => {}
            }
        }
        wanted.extend(more);
    }
    let errno = |place: &PlaceId| {
        let place = &function.places[*place];
        place.proj.is_empty() && matches!(&place.base, Base::Global(name) if name == "errno")
    };
    wanted.iter().any(errno)
}

/// The calls of functions of the program that return something.
fn calls(program: &Program<'_>, f: FnRef) -> Vec<Called> {
    let function = program.function(f);
    let mut found: Vec<(FnRef, Span, Option<PlaceId>)> = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call {
                dst,
                callee: callee @ (Callee::Function(_) | Callee::Method { .. }),
                args,
                voided: false,
            } = stmt
            else {
                continue;
            };
            let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
                continue;
            };
            if program.function(g).ret.name == "void" {
                continue;
            }
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            found.push((g, span.copied().unwrap_or(function.map.name), *dst));
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let mut looked_at: FxHashSet<PlaceId> = FxHashSet::default();
    for block in &function.blocks {
        for stmt in &block.stmts {
            if let Statement::Assign {
                value: Rvalue::Compare(_),
                ..
            } = stmt
            {
                visit_reads(stmt, |place| {
                    looked_at.insert(place);
                });
            }
        }
        visit_term_reads(&block.term, |place| {
            looked_at.insert(place);
        });
    }
    found
        .into_iter()
        .map(|(g, span, dst)| {
            let judged = match dst {
                None => Some(false),
                Some(dst) => looked_at.contains(&dst).then_some(true),
            };
            (g, span, judged)
        })
        .collect()
}

impl Exec<'_, '_> {
    /// The result of a function of the program is dropped where it stands.
    pub(crate) fn note_dropped_status(&mut self, state: &State, f: FnRef, values: &[ValId]) {
        let program = self.program;
        let statuses = &program.statuses;
        if self.summary_of(f).is_some_and(|s| s.reports)
            && let Some(judged) = statuses.judged_mostly(f)
        {
            self.status_dropped(state, f, judged, None);
            return;
        }
        // What it was to do to a new resource may not have been done, and this function, which
        // tells of other failures, tells nothing of it.
        if !statuses.tells.contains(&f) || !statuses.tells.contains(&self.me) {
            return;
        }
        let Some(judged) = statuses.judged_in(f, self.unit) else {
            return;
        };
        let new = values.iter().copied().find(|v| {
            state.res.get(*v).is_some_and(|res| {
                res.status == Status::Open
                    && !res.adopted
                    && self.outcome(state, *v, res) == Outcome::Succeeded
            })
        });
        if new.is_some() {
            self.status_dropped(state, f, judged, new);
        }
    }

    fn status_dropped(&mut self, state: &State, f: FnRef, judged: Span, about: Option<ValId>) {
        let name: Name = self.program.function(f).name.clone();
        let resource = about
            .and_then(|v| state.res.get(v))
            .map(|res| self.resource(res));
        let path = self.path(state, about, StepKind::Called(name.clone()));
        let kind = EventKind::StatusDropped {
            callee: name,
            judged,
        };
        self.emit(kind, resource, path, false);
    }

    /// For each constant that a function returns: whether a creation had failed on a path to it.
    pub(crate) fn note_result(&mut self, state: &State, result: Option<ValId>) {
        let constant = result.and_then(|v| {
            let exact = || state.facts.get(v).and_then(|f| f.exact());
            self.arena.as_int(v).or_else(exact)
        });
        let out = state
            .failed_outs
            .iter()
            .any(|(_, out)| out.checked && !out.unseen);
        let failed = out
            || state.res.iter().any(|(v, res)| {
                res.failed_at.is_some() && self.outcome(state, v, res) == Outcome::Failed
            });
        self.results.insert((constant, failed));
    }

    /// The function's results tell that a creation failed: no constant is returned both with and
    /// without a failure.
    pub(crate) fn reports_failure(&self) -> bool {
        let with = |failed: bool| {
            let all = self.results.iter().filter(move |(_, f)| *f == failed);
            all.map(|(constant, _)| *constant)
        };
        let failures: Vec<Option<i128>> = with(true).collect();
        !failures.is_empty()
            && failures.iter().all(Option::is_some)
            && with(false).next().is_some()
            && with(false).all(|c| c.is_some() && !failures.contains(&c))
    }
}
