//! Waits on a condition variable that believe the wake-up: nothing asks afterwards whether what they wait
//! for is there.
//!
//! A wait may return though nobody has changed anything. So a wait is right where the path behind it comes to
//! a test of the state before it does anything with it. What is tested then need not be known; that nothing
//! is, the graph shows.

use pipelint_ir::{
    Base, Callee, Cond, Function, FunctionKind, LocalId, Name, Operand, PlaceId, Proj, Statement,
    Terminator,
};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::call_loops::{Loops, reaches};
use crate::conditions::{Does, Key, OnCondition, local_of, operands};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last, successors};
use crate::wake_fault::WakeFault;
use crate::woken::{Test, Woken, asked_of, only_set};
use crate::words::has_word;

/// Conditions before a wait that are looked at.
const MOST_GUARDS: usize = 4;
/// Calls outwards in which a loop around a wait is looked for.
const MOST_FRAMES: usize = 2;

/// Tells of every wait behind which a path goes on and has tested nothing.
pub(crate) fn unconditional(program: &Program<'_>) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let found = all.par_iter().flat_map_iter(|&f| suspects(program, f));
    let mut found: Vec<Suspect> = found.collect();
    if found.iter().any(|s| s.callers_decide) {
        let loops = Loops::new(program, &all);
        found.retain(|s| !s.callers_decide || !loops.around(program, s.by, MOST_FRAMES));
    }
    found.into_iter().map(|s| s.event).collect()
}

/// A wait behind which nothing is tested.
struct Suspect {
    by: FnRef,
    event: Event,
    /// A caller may ask again, in a loop.
    callers_decide: bool,
}

fn suspects(program: &Program<'_>, f: FnRef) -> Vec<Suspect> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Some(call) = program.on_condition(f, stmt) else {
                continue;
            };
            let Does::Wait { bare: true, timed } = call.does else {
                continue;
            };
            let Some(&span) = function.map.stmts.get(b).and_then(|spans| spans.get(i)) else {
                continue;
            };
            let wait = Wait {
                call,
                timed,
                at: (b, i),
                span,
            };
            found.extend(Looker::new(program, f, &wait).suspect(&wait));
        }
    }
    found
}

/// A bare wait in a function.
struct Wait {
    call: OnCondition,
    timed: bool,
    at: (usize, usize),
    span: Span,
}

/// What the ways behind a wait come to before they test anything.
#[derive(Debug, Default)]
struct Ways {
    /// They use what was asked before the wait.
    used: Option<(Span, Key)>,
    /// They do something else with the state.
    acts: Option<Span>,
    /// The function's end.
    ends: Option<Span>,
    /// They ask how the wait ended, and at least one way of each answer does one of these.
    believed: bool,
}

impl Ways {
    fn goes_on(&self) -> Option<Span> {
        self.acts.or(self.ends)
    }
}

struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    f: FnRef,
    function: &'a Function,
    woken: Woken<'a, 'm>,
    /// Variables that some condition depends on.
    asked: FxHashSet<LocalId>,
    /// What the conditions ask that lead to the wait.
    before: FxHashSet<Key>,
}

impl<'a, 'm> Looker<'a, 'm> {
    fn new(program: &'a Program<'m>, f: FnRef, wait: &Wait) -> Self {
        let function = program.function(f);
        let mut looker = Self {
            program,
            f,
            function,
            woken: Woken::new(program, f, wait.at),
            asked: asked_of(function),
            before: FxHashSet::default(),
        };
        looker.before = looker.asked_before(wait.at.0);
        looker
    }

    fn suspect(&self, wait: &Wait) -> Option<Suspect> {
        let function = self.function;
        let again = reaches(function, wait.at.0, wait.at.0);
        let mut seen = FxHashSet::default();
        let mut ways = Ways::default();
        self.walk(wait.at.0, wait.at.1 + 1, wait, &mut seen, &mut ways);
        if let Some((span, key)) = ways.used {
            // A sleep of some time, after which the round goes on whatever there is.
            if wait.timed && !ways.believed {
                return None;
            }
            let asked = Some(key.name().clone());
            return Some(self.told(wait, span, asked, false));
        }
        if again || (wait.timed && !ways.believed) || self.only_waits(wait) {
            return None;
        }
        let then = ways.goes_on()?;
        Some(self.told(wait, then, None, true))
    }

    fn told(&self, wait: &Wait, then: Span, asked: Option<Name>, callers_decide: bool) -> Suspect {
        let on = wait.call.on.map(|place| self.written(place));
        let on = on.unwrap_or_default();
        let step = |span, what| PathStep { span, what };
        Suspect {
            by: self.f,
            callers_decide,
            event: Event {
                kind: EventKind::Wake(WakeFault::NoCondition {
                    api: wait.call.api.clone(),
                    on: on.clone(),
                    then,
                    asked,
                }),
                at: wait.span,
                function: self.function.name.clone(),
                resource: None,
                path: vec![
                    step(wait.span, StepKind::Awaited(on)),
                    step(then, StepKind::Left),
                ],
                others: Vec::new(),
            },
        }
    }

    /// A place's name, as a person would say it.
    fn written(&self, place: PlaceId) -> Name {
        let at = &self.function.places[place];
        let field = at.proj.iter().rev().find_map(|step| match step {
            Proj::Field(name) => Some(name.clone()),
            _ => None,
        });
        field.unwrap_or_else(|| match &at.base {
            Base::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .map(|l| l.name.clone())
                .unwrap_or_default(),
            Base::Global(name) | Base::Captured(name) => Name::new(last(name)),
            Base::SelfObj => Name::new("self"),
        })
    }

    /// The ways from a statement on, until they test the state.
    fn walk(
        &self,
        b: usize,
        from: usize,
        wait: &Wait,
        seen: &mut FxHashSet<usize>,
        ways: &mut Ways,
    ) {
        let Some(block) = self.function.blocks.get(b) else {
            return;
        };
        let spans = self.function.map.stmts.get(b);
        for (i, stmt) in block.stmts.iter().enumerate().skip(from) {
            if matches!(stmt, Statement::Opaque { .. } | Statement::Assert(_)) {
                return;
            }
            if let Some(call) = self.program.on_condition(self.f, stmt) {
                match call.does {
                    // Another wait is another matter.
                    Does::Wait { .. } => return,
                    Does::Wake => continue,
                }
            }
            if self.calls_itself(stmt) {
                return;
            }
            let span = || spans.and_then(|s| s.get(i)).copied().unwrap_or(wait.span);
            if self.is_for_a_test(stmt) {
                continue;
            }
            if ways.used.is_none()
                && let Some(key) = self.uses_asked(stmt)
            {
                ways.used = Some((span(), key));
            }
            if ways.acts.is_none() && self.acts(stmt) {
                ways.acts = Some(span());
            }
        }
        let mut go = |next: usize, ways: &mut Ways| {
            if seen.insert(next) {
                self.walk(next, 0, wait, seen, ways);
            }
        };
        match &block.term {
            Terminator::Goto(next) => go(next.0 as usize, ways),
            Terminator::Return(_) => {
                let end = self.function.map.terms.get(b).copied();
                ways.ends = ways.ends.or(end).or(Some(wait.span));
            }
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
                match self.woken.tests(cond) {
                    Test::State => {}
                    Test::Nothing => {
                        go(then, ways);
                        go(otherwise, ways);
                    }
                    Test::Means(true) => go(then, ways),
                    Test::Means(false) => go(otherwise, ways),
                    Test::Result => {
                        let (mut yes, mut no) = (Ways::default(), Ways::default());
                        self.walk(then, 0, wait, &mut seen.clone(), &mut yes);
                        self.walk(otherwise, 0, wait, &mut seen.clone(), &mut no);
                        let both = yes.goes_on().is_some() && no.goes_on().is_some();
                        ways.believed |= both || yes.believed || no.believed;
                        ways.used = ways.used.take().or(yes.used).or(no.used);
                        ways.acts = ways.acts.or(yes.acts).or(no.acts);
                        ways.ends = ways.ends.or(no.ends).or(yes.ends);
                    }
                }
            }
            Terminator::Switch { .. } | Terminator::Unwind | Terminator::Unreachable => {}
        }
    }

    fn calls_itself(&self, stmt: &Statement) -> bool {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        target == Target::Defined(self.f)
    }

    /// The statement makes a value that some condition asks for.
    fn is_for_a_test(&self, stmt: &Statement) -> bool {
        let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = stmt else {
            return false;
        };
        local_of(self.function, *dst).is_some_and(|l| self.asked.contains(&l))
    }

    /// What was asked before the wait, where the statement uses it.
    fn uses_asked(&self, stmt: &Statement) -> Option<Key> {
        if self.before.is_empty() {
            return None;
        }
        let mut used = None;
        let mut look = |place: PlaceId| {
            if used.is_none() {
                let key = self.program.key(self.f, place);
                used = key.filter(|key| self.before.contains(key));
            }
        };
        match stmt {
            Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => look(*dst),
            _ => {}
        }
        if let Statement::Assign { .. } | Statement::Call { .. } = stmt {
            crate::cfg::visit_reads(stmt, look);
        }
        used
    }

    /// The statement does something with what is not the function's own, other than giving a lock back.
    fn acts(&self, stmt: &Statement) -> bool {
        match stmt {
            Statement::Call {
                dst, callee, args, ..
            } => {
                if is_of_lock(self.program, callee) {
                    return false;
                }
                let seen_by_others = |place: &PlaceId| self.is_shared(*place);
                match callee {
                    Callee::Method { receiver, .. } => {
                        self.is_shared(*receiver) || dst.as_ref().is_some_and(seen_by_others)
                    }
                    Callee::Function(_) => {
                        matches!(
                            self.program
                                .target(self.f.0, self.function, callee, args.len()),
                            Target::Defined(_)
                        ) || dst.as_ref().is_some_and(seen_by_others)
                    }
                    _ => dst.as_ref().is_some_and(seen_by_others),
                }
            }
            Statement::Assign { dst, value } => {
                let mut read = operands(value).into_iter();
                self.is_shared(*dst) || read.any(|op| self.is_shared_operand(op))
            }
            _ => false,
        }
    }

    /// Others may see the place: no variable of the function's own.
    fn is_shared(&self, place: PlaceId) -> bool {
        local_of(self.function, place).is_none()
    }

    /// What the conditions ask that alone lead to a block.
    fn asked_before(&self, block: usize) -> FxHashSet<Key> {
        let mut found = FxHashSet::default();
        let mut at = block;
        let mut conditions = 0;
        while conditions < MOST_GUARDS {
            let mut before = (0..self.function.blocks.len()).filter(|&b| {
                let mut leads = false;
                successors(&self.function.blocks[b].term, |s| leads |= s == at);
                leads
            });
            let (Some(one), None) = (before.next(), before.next()) else {
                break;
            };
            if let Terminator::Branch { cond, .. } = &self.function.blocks[one].term {
                conditions += 1;
                for op in [&cond.lhs, &cond.rhs] {
                    self.sources(op, 3, &mut found);
                }
            }
            at = one;
            if at == block {
                break;
            }
        }
        found
    }

    /// The fields that a value is made of.
    fn sources(&self, op: &Operand, depth: usize, found: &mut FxHashSet<Key>) {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return;
        };
        let Some(local) = local_of(self.function, *place) else {
            found.extend(self.program.key(self.f, *place));
            return;
        };
        if depth == 0 {
            return;
        }
        match only_set(self.function, local) {
            Some(Statement::Assign { value, .. }) => {
                for op in operands(value) {
                    self.sources(op, depth - 1, found);
                }
            }
            Some(Statement::Call {
                callee: Callee::Method { receiver, .. },
                ..
            }) => found.extend(self.program.key(self.f, *receiver)),
            _ => {}
        }
    }

    /// The function touches no state but the lock and what it waits on, which its caller may have given it:
    /// what it waits for is its callers' affair.
    fn only_waits(&self, wait: &Wait) -> bool {
        let given = wait.call.on.is_some_and(|place| {
            let place = &self.function.places[place];
            let own = |l: &LocalId| l.0 < self.function.params;
            matches!(&place.base, Base::Local(l) if own(l))
                && !place.proj.iter().any(|step| matches!(step, Proj::Field(_)))
        });
        let stmts = || self.function.blocks.iter().flat_map(|b| &b.stmts);
        let does = |stmt: &Statement| {
            self.program.on_condition(self.f, stmt).is_none()
                && (self.touches(stmt) || self.starts(stmt))
        };
        let asks = self.function.blocks.iter().any(|b| match &b.term {
            Terminator::Branch { cond, .. } => {
                self.woken.tests(cond) == Test::State && !self.is_own(cond)
            }
            Terminator::Switch { on, .. } => self.is_shared_operand(on),
            _ => false,
        });
        let sleeps = self.function.kind == FunctionKind::Lambda && wait.timed;
        given || sleeps || !(asks || stmts().any(does))
    }

    /// As `acts`, where calls of the program's functions count only if they are given some of the state.
    fn touches(&self, stmt: &Statement) -> bool {
        if !self.acts(stmt) {
            return false;
        }
        let Statement::Call {
            dst,
            callee: Callee::Function(_),
            args,
            ..
        } = stmt
        else {
            return true;
        };
        let result = dst.is_some_and(|dst| self.is_shared(dst));
        result || self.function.class.is_some() || args.iter().any(|op| self.is_shared_operand(op))
    }

    /// It starts a thread, whose first signal may be what the wait is for.
    fn starts(&self, stmt: &Statement) -> bool {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let target = self
            .program
            .target(self.f.0, self.function, callee, args.len());
        matches!(target, Target::Model(model) if model.starts.is_some())
    }

    /// The condition is about the function's own variables.
    fn is_own(&self, cond: &Cond) -> bool {
        !self.is_shared_operand(&cond.lhs) && !self.is_shared_operand(&cond.rhs)
    }

    fn is_shared_operand(&self, op: &Operand) -> bool {
        match op {
            Operand::Copy(place) | Operand::Move(place) => self.is_shared(*place),
            Operand::Const(_) => false,
        }
    }
}

/// A call of a lock, or of a guard.
fn is_of_lock(program: &Program<'_>, callee: &Callee) -> bool {
    let models = program.models;
    match callee {
        Callee::Constructor(ty) => models.guard(&ty.name).is_some(),
        Callee::Function(name) => models.locks().any(|(_, lock)| {
            lock.calls
                .iter()
                .any(|c| c.names.iter().any(|n| n == name.as_str()))
        }),
        Callee::Method { name, ty, .. } => {
            let guard = ty.as_ref().and_then(|ty| models.guard(&ty.name));
            guard.is_some()
                || has_word(
                    name,
                    &[
                        "lock", "unlock", "relock", "acquire", "release", "enter", "leave",
                    ],
                )
        }
        _ => false,
    }
}
