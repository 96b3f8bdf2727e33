//! Functions that tell by their result that something failed, and callers that drop it.

use pipelint_ir::{
    Base, Callee, Const, Function, Language, LocalId, Name, Operand, PlaceId, Proj, Rvalue,
    Statement, Terminator, Type,
};
use pipelint_models::{IoKind, Success};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::{EventKind, StepKind};
use crate::exec::{Exec, Outcome};
use crate::parts::Parts;
use crate::program::{FnRef, Program, Target, last};
use crate::state::{Fact, Failed, State, Status, Tells};
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

/// An end of a function, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ended {
    /// None where it is what was made, or nothing is known of it.
    look: Option<Look>,
    /// A creation had failed.
    unmade: bool,
    /// That, or a call that later steps build on.
    failed: bool,
}

/// What a function's results tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reports {
    #[default]
    Nothing,
    /// That something failed on which later steps build.
    Failure,
    /// That a creation failed.
    Creation,
}

/// What a caller sees of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    Exactly(i128),
    NotZero,
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

    /// The same, where no fewer callers look at it than drop it.
    fn judged_beside(&self, f: FnRef, unit: usize) -> Option<Span> {
        let callers = self.callers.get(&f)?;
        let many = callers.judged.len() >= callers.dropped;
        self.judged_in(f, unit).filter(|_| many)
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
    // A look at a part of a variable is one at the variable: `?` asks for a tag.
    let whole = |place: PlaceId| match &function.places[place].base {
        Base::Local(local) => Err(*local),
        _ => Ok(place),
    };
    let mut looked_at: FxHashSet<Result<PlaceId, LocalId>> = FxHashSet::default();
    for block in &function.blocks {
        for stmt in &block.stmts {
            if let Statement::Assign {
                value: Rvalue::Compare(_),
                ..
            } = stmt
            {
                visit_reads(stmt, |place| {
                    looked_at.insert(whole(place));
                });
            }
        }
        visit_term_reads(&block.term, |place| {
            looked_at.insert(whole(place));
        });
    }
    found
        .into_iter()
        .map(|(g, span, dst)| {
            let judged = match dst {
                None => Some(false),
                Some(dst) => looked_at.contains(&whole(dst)).then_some(true),
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
        let reports = self.summary_of(f).map_or(Reports::Nothing, |s| s.reports);
        let mostly = match reports {
            Reports::Creation => statuses.judged_mostly(f),
            // A destructor that sets an event on its way has nobody to tell.
            Reports::Failure | Reports::Nothing => None,
        };
        let beside = || statuses.judged_beside(f, self.unit);
        let alike = reports != Reports::Nothing && program.tells_alike(self.me, f);
        let judged = mostly.or_else(|| alike.then(beside).flatten());
        if let Some(judged) = judged {
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
            judged: Some(judged),
        };
        self.emit(kind, resource, path, false);
    }

    /// For each look of a result: whether something had failed on a path to it. Yields whether
    /// something has on this one.
    pub(crate) fn note_result(
        &mut self,
        state: &State,
        result: Option<ValId>,
        parts: &Parts,
    ) -> Failed {
        let out = state
            .failed_outs
            .iter()
            .any(|(_, out)| out.checked && !out.unseen);
        let made = out
            || state.res.iter().any(|(v, res)| {
                res.failed_at.is_some() && self.outcome(state, v, res) == Outcome::Failed
            });
        let failed = if made { Failed::Yes } else { state.failed };
        let look = result.and_then(|v| self.look_of(state, v, parts));
        for &failed in failed.ways() {
            self.results.insert(Ended {
                look,
                unmade: made,
                failed,
            });
        }
        failed
    }

    /// What a caller sees of a result.
    pub(crate) fn look_of(&self, state: &State, result: ValId, parts: &Parts) -> Option<Look> {
        let tag = tag_of(parts);
        let made = || parts.iter().any(|(_, v)| state.res.get(*v).is_some());
        if state.res.get(result).is_some() || (tag.is_none() && made()) {
            return None;
        }
        let v = match parts.is_empty() {
            true => result,
            false => tag?,
        };
        let fact = state.facts.get(v);
        let exact = self.arena.as_int(v).or_else(|| fact.and_then(Fact::exact));
        match exact {
            Some(n) => Some(Look::Exactly(n)),
            None => fact
                .is_some_and(|fact| fact.excludes(0))
                .then_some(Look::NotZero),
        }
    }

    /// What the function's results tell of failures.
    pub(crate) fn reports(&self) -> Reports {
        if self.tells_apart(|end| end.unmade) {
            Reports::Creation
        } else if self.tells_apart(|end| end.failed) {
            Reports::Failure
        } else {
            Reports::Nothing
        }
    }

    /// No success looks like a failure.
    fn tells_apart(&self, failed: fn(&Ended) -> bool) -> bool {
        // An `Err` is one, whatever failed.
        let fails = self.is_rust() && self.function.ret.name == "Result";
        let ends = self.results.iter().copied();
        let ends = ends.filter(|end| !fails || failed(end) || end.look != Some(Look::Exactly(1)));
        let (failures, successes): (Vec<Ended>, Vec<Ended>) = ends.partition(failed);
        let looks = |ends: Vec<Ended>| -> Option<Vec<Look>> {
            let looks: Option<Vec<Look>> = ends.into_iter().map(|end| end.look).collect();
            looks.filter(|looks| !looks.is_empty())
        };
        let (Some(failures), Some(successes)) = (looks(failures), looks(successes)) else {
            return false;
        };
        successes.iter().all(|success| match success {
            Look::Exactly(n) => failures.iter().all(|failure| match failure {
                Look::Exactly(m) => n != m,
                Look::NotZero => *n == 0,
            }),
            Look::NotZero => false,
        })
    }
}

/// The part of a `Result` or an `Option` that tells which of both it is.
pub(crate) fn tag_of(parts: &Parts) -> Option<ValId> {
    let tag = parts
        .iter()
        .find(|(steps, _)| matches!(&steps[..], [Proj::Field(name)] if name == crate::rust::TAG));
    tag.map(|(_, v)| *v)
}

/// A condition looked at these values: calls that it shows to have failed.
pub(crate) fn note_failures(state: &mut State, parts: &[ValId]) {
    let fails = |part: &ValId| {
        let tells = state.results.get(*part)?;
        let fact = state.facts.get(*part)?;
        let failed = match tells.success {
            Success::Nonzero => fact.exact() == Some(0),
            Success::Zero => fact.excludes(0),
            Success::Nonnegative => fact.hi < 0,
            Success::ZeroOrMinusOne | Success::ZeroOrNegative => fact.hi < 0 || fact.excludes(0),
            Success::NotMinusOne => fact.hi < 0,
        };
        failed.then_some(*tells)
    };
    let failed: Vec<Tells> = parts.iter().filter_map(fails).collect();
    for tells in failed {
        state.io_failed |= tells.io.is_some();
        state.sending_failed |= matches!(tells.io, Some(IoKind::Write | IoKind::Transact));
        if tells.sets {
            state.failed = Failed::Yes;
        }
    }
}

impl Program<'_> {
    /// A type that carries the code of an error.
    pub(crate) fn is_status(&self, ty: &Type) -> bool {
        ty.is_object() && self.models.is_status_type(&self.resolve(ty).name)
    }

    /// The function returns 0 on one path, and on another the error that a call left.
    pub(crate) fn tells_errors(&self, f: FnRef) -> bool {
        self.statuses.tells.contains(&f)
    }

    /// Some code of the program calls the function and may look at what it returns.
    pub(crate) fn is_called(&self, f: FnRef) -> bool {
        self.statuses.callers.contains_key(&f)
    }

    /// Both functions return what tells of an error, in the same type.
    fn tells_alike(&self, one: FnRef, other: FnRef) -> bool {
        let rust = self.units[one.0].language == Language::Rust;
        let (one, other) = (&self.function(one).ret, &self.function(other).ret);
        let told = match rust {
            true => one.name == "Result",
            false => self.is_status(one),
        };
        told && self.resolve(one).name == self.resolve(other).name
    }
}
