//! Changes that others wait for, and of which nobody tells them.
//!
//! A waiter names what it waits on and, in its condition, the fields that it waits for. Who changes such a
//! field in the way that is waited for has to wake it: in the function, in what it calls or in its callers. That
//! the program means it so, another function shows that does.

use pipelint_ir::{Base, FunctionKind, Name, Operand, Proj, Rvalue, Statement, Terminator};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_loops::reaches;
use crate::conditions::{Does, Key, local_of};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, successors};
use crate::summaries::Order;
use crate::wake_fault::WakeFault;
use crate::wanted::{Change, Want, change, of_loop, of_predicate};
use crate::woken::{Test, Woken, only_set};
use crate::words::has_word;

/// Calls outwards in which somebody is looked for who wakes.
const MOST_FRAMES: usize = 4;
/// Functions that a call may lead to and are looked at.
const MOST_FUNCTIONS: usize = 400;

/// A thread that waits for fields.
struct Waiter {
    by: FnRef,
    on: Key,
    api: Name,
    span: Span,
    wants: Vec<(Key, Want)>,
}

/// A statement that changes a field.
struct Changed {
    by: FnRef,
    at: (usize, usize),
    span: Span,
    key: Key,
    change: Change,
}

/// What one function does.
#[derive(Default)]
struct Facts {
    waits: Vec<Waiter>,
    /// What it wakes: the block, and what others wait on, where that is known.
    wakes: Vec<(usize, Option<Key>)>,
    changes: Vec<Changed>,
}

/// Tells of every change that wakes nobody.
pub(crate) fn untold(program: &Program<'_>, order: &Order) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let waits: Vec<Vec<Waiter>> = all.par_iter().map(|&f| waiters(program, f)).collect();
    if waits.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let wanted: FxHashSet<&Key> = waits
        .iter()
        .flatten()
        .flat_map(|w| w.wants.iter().map(|(key, _)| key))
        .collect();
    let mut facts: Vec<Facts> = all
        .par_iter()
        .map(|&f| facts(program, f, &wanted))
        .collect();
    drop(wanted);
    for (facts, waits) in facts.iter_mut().zip(waits) {
        facts.waits = waits;
    }
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    for (i, calls) in order.calls.iter().enumerate() {
        for &j in calls {
            callers[j].push(i);
        }
    }
    let joiner = Joiner {
        program,
        order,
        all: &all,
        facts: &facts,
        callers: &callers,
    };
    joiner.events()
}

fn waiters(program: &Program<'_>, f: FnRef) -> Vec<Waiter> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Some(call) = program.on_condition(f, stmt) else {
                continue;
            };
            let (Does::Wait { bare, timed }, Some(on)) = (call.does, call.on) else {
                continue;
            };
            let Statement::Call { args, dst, .. } = stmt else {
                continue;
            };
            let wants = match bare {
                false => {
                    // Rust's goes on as long as the condition holds.
                    let ends = !call.api.contains("while");
                    let given = args.iter().rev().find_map(|arg| lambda(program, f, arg));
                    given.map_or(Vec::new(), |g| of_predicate(program, g, ends))
                }
                // Who looks again after some time whatever happens needs nobody that wakes it.
                true if timed && !asks_result(program, f, (b, i), dst.is_some()) => continue,
                true if reaches(function, b, b) => of_loop(program, f, b),
                true => continue,
            };
            let span = function.map.stmts.get(b).and_then(|s| s.get(i)).copied();
            if let (Some(on), Some(span), false) = (program.key(f, on), span, wants.is_empty()) {
                found.push(Waiter {
                    by: f,
                    on,
                    api: call.api,
                    span,
                    wants,
                });
            }
        }
    }
    found
}

/// Some condition asks how the wait has ended.
fn asks_result(program: &Program<'_>, f: FnRef, at: (usize, usize), kept: bool) -> bool {
    let function = program.function(f);
    let woken = Woken::new(program, f, at);
    kept && function.blocks.iter().any(|block| match &block.term {
        Terminator::Branch { cond, .. } => woken.tests(cond) == Test::Result,
        _ => false,
    })
}

/// The lambda that an argument is.
fn lambda(program: &Program<'_>, f: FnRef, arg: &Operand) -> Option<FnRef> {
    let (Operand::Copy(place) | Operand::Move(place)) = arg else {
        return None;
    };
    let function = program.function(f);
    let local = local_of(function, *place)?;
    match only_set(function, local)? {
        Statement::Assign {
            value: Rvalue::Closure(name, _),
            ..
        } => program.lambda(f.0, name),
        _ => None,
    }
}

fn facts(program: &Program<'_>, f: FnRef, wanted: &FxHashSet<&Key>) -> Facts {
    let function = program.function(f);
    let mut facts = Facts::default();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            if let Some(call) = program.on_condition(f, stmt) {
                if call.does == Does::Wake {
                    let on = call.on.and_then(|on| program.key(f, on));
                    facts.wakes.push((b, on));
                }
                continue;
            }
            let Some((key, change)) = change(program, f, stmt) else {
                continue;
            };
            let span = function.map.stmts.get(b).and_then(|s| s.get(i)).copied();
            if let Some(span) = span.filter(|_| wanted.contains(&key)) {
                facts.changes.push(Changed {
                    by: f,
                    at: (b, i),
                    span,
                    key,
                    change,
                });
            }
        }
    }
    if makes(program, f) {
        facts.changes.clear();
    }
    facts
}

/// The function makes the object that it changes: nobody waits yet.
fn makes(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let builds = matches!(
        function.kind,
        FunctionKind::Constructor | FunctionKind::FieldInit
    );
    let name = crate::program::last(&function.name);
    let made = [
        "init",
        "initialise",
        "initialize",
        "create",
        "new",
        "make",
        "alloc",
        "reset",
        "setup",
    ];
    builds
        || has_word(name, &made)
        || program.has_call(f.0, function, &|callee, _| {
            matches!(callee, pipelint_ir::Callee::Function(name)
                if has_word(crate::program::last(name), &["init", "initialize", "Initialize"]))
        })
}

struct Joiner<'a, 'm> {
    program: &'a Program<'m>,
    order: &'a Order,
    all: &'a [FnRef],
    facts: &'a [Facts],
    callers: &'a [Vec<usize>],
}

impl Joiner<'_, '_> {
    fn events(&self) -> Vec<Event> {
        let mut by_on: FxHashMap<&Key, Vec<&Waiter>> = FxHashMap::default();
        for waiter in self.facts.iter().flat_map(|f| &f.waits) {
            by_on.entry(&waiter.on).or_default().push(waiter);
        }
        let mut by_on: Vec<_> = by_on.into_iter().collect();
        by_on.sort_by(|a, b| a.0.cmp(b.0));
        by_on
            .into_iter()
            .flat_map(|(on, waiters)| self.on(on, &waiters))
            .collect()
    }

    /// What is amiss with those that wait on one thing.
    fn on(&self, on: &Key, waiters: &[&Waiter]) -> Vec<Event> {
        let relevant = |changed: &Changed| {
            waiters.iter().copied().find(|waiter| {
                let mut wants = waiter.wants.iter();
                wants.any(|(key, want)| *key == changed.key && changed.change.is_for(want))
                    && !self.both_close(waiter, changed)
            })
        };
        let wakers: FxHashSet<usize> = (0..self.all.len())
            .filter(|&i| {
                let mut wakes = self.facts[i].wakes.iter();
                wakes.any(|(_, key)| key.as_ref().is_none_or(|key| key == on))
            })
            .collect();
        let surely = |i: usize| {
            let mut wakes = self.facts[i].wakes.iter();
            wakes.any(|(_, key)| key.as_ref() == Some(on))
        };
        // Another function shows what belongs to such a change.
        let siblings: Vec<(usize, Span)> = (0..self.all.len())
            .filter(|&i| surely(i))
            .filter_map(|i| {
                let mut changes = self.facts[i].changes.iter();
                changes.find(|c| relevant(c).is_some())?;
                Some((i, self.wake_span(i, on)?))
            })
            .collect();
        if siblings.is_empty() {
            return Vec::new();
        }
        let mut events = Vec::new();
        for (i, facts) in self.facts.iter().enumerate() {
            let Some(sibling) = siblings.iter().find(|(s, _)| *s != i) else {
                continue;
            };
            for changed in &facts.changes {
                let Some(waiter) = relevant(changed) else {
                    continue;
                };
                if let Some(left) = self.left_untold(i, changed, on, waiters, &wakers) {
                    events.push(self.told(changed, on, waiter, sibling.1, left));
                    break;
                }
            }
        }
        events
    }

    /// Who waits closes the object then, and so do those that make the change: no two of them are at work on
    /// one object.
    fn both_close(&self, waiter: &Waiter, changed: &Changed) -> bool {
        let closes = |f: FnRef| {
            let function = self.program.function(f);
            let releases = |target| matches!(target, Target::Model(m) if !m.releases.is_empty());
            self.program
                .has_call(f.0, function, &|_, target| releases(target))
        };
        let callers = || &self.callers[self.program.number(changed.by)];
        let by_callers = || !callers().is_empty() && callers().iter().all(|&c| closes(self.all[c]));
        closes(waiter.by) && (closes(changed.by) || by_callers())
    }

    /// Where a function is left after a change, and nobody was woken.
    fn left_untold(
        &self,
        i: usize,
        changed: &Changed,
        on: &Key,
        waiters: &[&Waiter],
        wakers: &FxHashSet<usize>,
    ) -> Option<Span> {
        let function = self.program.function(changed.by);
        // Who waits itself sees its own changes.
        let mut waits = waiters.iter().filter(|w| {
            let mut wants = w.wants.iter();
            wants.any(|(key, _)| *key == changed.key)
        });
        if waits.any(|w| self.reaches_function(self.program.number(w.by), i)) {
            return None;
        }
        // An object of its own, which nobody else knows yet.
        let own = function.blocks[changed.at.0].stmts.get(changed.at.1);
        if let Some(Statement::Assign { dst, .. }) = own {
            let place = &function.places[*dst];
            let within = !matches!(place.proj.first(), Some(Proj::Deref));
            if matches!(place.base, Base::Local(_)) && within {
                return None;
            }
        }
        if self.callers_wake(i, wakers, MOST_FRAMES, &mut FxHashSet::default()) {
            return None;
        }
        let direct = self.facts[i].wakes.iter();
        let direct: FxHashSet<usize> = direct
            .filter(|(_, key)| key.as_ref().is_none_or(|key| key == on))
            .map(|(b, _)| *b)
            .collect();
        if direct.is_empty() {
            return match self.leads_to(i, wakers) {
                true => None,
                false => Some(self.end(i, changed)),
            };
        }
        self.leaves_early(changed, &direct)
    }

    /// A way from the change on that fails and leaves before anybody is woken.
    fn leaves_early(&self, changed: &Changed, wakes: &FxHashSet<usize>) -> Option<Span> {
        let function = self.program.function(changed.by);
        let before = |&w: &usize| w == changed.at.0 || reaches(function, w, changed.at.0);
        if wakes.iter().any(before) {
            return None;
        }
        let woken = Woken::new(self.program, changed.by, changed.at);
        let later = |b: usize| wakes.contains(&b) || wakes.iter().any(|&w| reaches(function, b, w));
        let mut todo = vec![(changed.at.0, false)];
        let mut seen = FxHashSet::default();
        while let Some((b, parted)) = todo.pop() {
            if wakes.contains(&b) || !seen.insert((b, parted)) {
                continue;
            }
            let block = function.blocks.get(b)?;
            match &block.term {
                Terminator::Return(_) if parted => {
                    return function.map.terms.get(b).copied();
                }
                Terminator::Branch {
                    cond,
                    then,
                    otherwise,
                } => {
                    let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
                    match (later(then), later(otherwise)) {
                        // Only where something has failed is the signal not left out on purpose.
                        (true, false) | (false, true) => {
                            let away = if later(then) { otherwise } else { then };
                            let kept = if later(then) { then } else { otherwise };
                            if let Test::Means(fine) = woken.tests(cond)
                                && (fine == later(then))
                            {
                                todo.push((away, true));
                            }
                            todo.push((kept, parted));
                        }
                        _ => todo.extend([(then, parted), (otherwise, parted)]),
                    }
                }
                term => successors(term, |s| todo.push((s, parted))),
            }
        }
        None
    }

    /// Every way to a function leads through somebody that wakes, or through too many to tell.
    fn callers_wake(
        &self,
        i: usize,
        wakers: &FxHashSet<usize>,
        frames: usize,
        seen: &mut FxHashSet<usize>,
    ) -> bool {
        let callers = &self.callers[i];
        if callers.iter().all(|&c| c == i) {
            return false;
        }
        if frames == 0 {
            return true;
        }
        callers.iter().filter(|c| **c != i).all(|&c| {
            !seen.insert(c)
                || self.leads_to(c, wakers)
                || self.callers_wake(c, wakers, frames - 1, seen)
        })
    }

    /// A function is one of these, or calls one, at any depth.
    fn leads_to(&self, from: usize, to: &FxHashSet<usize>) -> bool {
        let mut seen = FxHashSet::default();
        let mut todo = vec![from];
        while let Some(i) = todo.pop() {
            if to.contains(&i) || seen.len() > MOST_FUNCTIONS {
                return true;
            }
            if seen.insert(i) {
                todo.extend(&self.order.calls[i]);
            }
        }
        false
    }

    fn reaches_function(&self, from: usize, to: usize) -> bool {
        self.leads_to(from, &FxHashSet::from_iter([to]))
    }

    /// Where a function is left behind a change.
    fn end(&self, i: usize, changed: &Changed) -> Span {
        let function = self.program.function(self.all[i]);
        let mut ends = function.blocks.iter().enumerate().filter_map(|(b, block)| {
            let behind = b == changed.at.0 || reaches(function, changed.at.0, b);
            let returns = matches!(block.term, Terminator::Return(_));
            (behind && returns).then(|| function.map.terms.get(b).copied())?
        });
        ends.next().unwrap_or(function.map.name)
    }

    fn wake_span(&self, i: usize, on: &Key) -> Option<Span> {
        let f = self.all[i];
        let function = self.program.function(f);
        let blocks = function.blocks.iter().zip(&function.map.stmts);
        blocks
            .flat_map(|(block, spans)| block.stmts.iter().zip(spans))
            .find_map(|(stmt, span)| {
                let call = self.program.on_condition(f, stmt)?;
                let key = call.on.and_then(|place| self.program.key(f, place));
                (call.does == Does::Wake && key.as_ref() == Some(on)).then_some(*span)
            })
    }

    fn told(
        &self,
        changed: &Changed,
        on: &Key,
        waiter: &Waiter,
        sibling: Span,
        left: Span,
    ) -> Event {
        let step = |span, what| PathStep { span, what };
        let field = changed.key.name().clone();
        Event {
            kind: EventKind::Wake(WakeFault::NobodyWoken {
                field: field.clone(),
                on: on.name().clone(),
                waits: (waiter.api.clone(), waiter.span),
                sibling,
                left,
            }),
            at: changed.span,
            function: self.program.function(changed.by).name.clone(),
            resource: None,
            path: vec![
                step(changed.span, StepKind::Assigned(field)),
                step(left, StepKind::Left),
            ],
            others: vec![
                step(waiter.span, StepKind::Awaited(on.name().clone())),
                step(sibling, StepKind::Passed(on.name().clone())),
            ],
        }
    }
}
