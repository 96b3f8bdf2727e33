//! What is held where, for the rules that ask it of several functions at once.

use std::collections::VecDeque;

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::event::{PathStep, StepKind};
use crate::held::{HeldLock, HeldLocks};
use crate::lock_contexts::{HeldHere, LockContexts, NOBODY};
use crate::lock_ends::LockKey;
use crate::program::{FnRef, Program, last};
use crate::thread_calls::Calls;
use crate::threads::{CALLERS, RootId, Threads};

/// Calls between who holds a lock and what matters.
const DEEPEST: usize = 8;

/// A statement of a function.
pub(crate) type At = (usize, usize);

/// The functions of the program, with the locks that they hold and the threads that they run on.
pub(crate) struct Locked<'a, 'm> {
    pub(crate) program: &'a Program<'m>,
    pub(crate) all: &'a [FnRef],
    pub(crate) held: &'a HeldLocks,
    pub(crate) contexts: &'a LockContexts,
    pub(crate) calls: &'a Calls,
    pub(crate) threads: Option<&'a Threads<'a, 'm>>,
    /// Locks that functions give back which anybody may call: a call of unknown code may.
    pub(crate) unsure: FxHashSet<LockKey>,
}

/// The locks that functions give back for their callers, whose addresses are taken.
pub(crate) fn given_back_anywhere(held: &HeldLocks, calls: &Calls) -> FxHashSet<LockKey> {
    let functions = held.functions().into_iter().filter(|f| calls.taken[*f]);
    let own = functions.filter_map(|f| held.of(f));
    let statements = own.flat_map(|own| own.statements());
    let given = statements.flat_map(|(_, held)| held.given_back.iter().flatten());
    given.cloned().collect()
}

/// The statement of the function that holds a lock, and the calls that lead from it to where it matters.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) f: usize,
    pub(crate) at: At,
    pub(crate) calls: Vec<PathStep>,
}

impl Locked<'_, '_> {
    pub(crate) fn here(&self, f: usize, context: usize, at: At) -> HeldHere {
        self.contexts.held_in(self.held, f, context, at)
    }

    pub(crate) fn span(&self, f: usize, at: At) -> Span {
        let map = &self.program.function(self.all[f]).map;
        let span = map.stmts.get(at.0).and_then(|s| s.get(at.1));
        span.copied().unwrap_or(map.name)
    }

    pub(crate) fn name(&self, f: usize) -> &Name {
        &self.program.function(self.all[f]).name
    }

    /// The function itself holds the lock at a statement.
    pub(crate) fn holds(&self, f: usize, at: At, key: &LockKey) -> bool {
        let own = self.held.at(f, at);
        own.is_some_and(|own| own.locks.iter().any(|l| l.key == *key))
    }

    /// Which of the functions on the way to a statement holds a lock: the innermost one.
    pub(crate) fn frame(&self, f: usize, context: usize, at: At, key: &LockKey) -> Frame {
        let mut frame = Frame {
            f,
            at,
            calls: Vec::new(),
        };
        let mut context = context;
        while !self.holds(frame.f, frame.at, key) {
            let from = self.contexts.of(frame.f).get(context).and_then(|c| c.from);
            let Some((caller, way, call)) = from else {
                break;
            };
            frame.calls.push(PathStep {
                span: self.span(caller, call),
                what: StepKind::Called(Name::new(last(self.name(frame.f)))),
            });
            (frame.f, frame.at, context) = (caller, call, way);
        }
        frame.calls.reverse();
        frame
    }

    /// Where a way to a function begins.
    fn beginning(&self, f: usize, context: usize) -> (usize, RootId) {
        let (mut f, mut context) = (f, context);
        loop {
            let Some(known) = self.contexts.of(f).get(context) else {
                return (f, NOBODY);
            };
            match known.from {
                Some((caller, way, _)) => (f, context) = (caller, way),
                None => return (f, known.root),
            }
        }
    }

    /// Two ways may be gone at the same time, by two threads.
    pub(crate) fn may_meet(&self, a: (usize, usize), b: (usize, usize)) -> bool {
        let ((f, on_a), (g, on_b)) = (self.beginning(a.0, a.1), self.beginning(b.0, b.1));
        let anybody = |root| root == CALLERS || root == NOBODY;
        match self.threads {
            Some(threads) if !(anybody(on_a) && anybody(on_b)) => {
                on_a == NOBODY
                    || on_b == NOBODY
                    || threads.at_once((on_a, self.all[a.0]), (on_b, self.all[b.0]))
            }
            // What the program begins with is one thread.
            _ => !(self.begins(f) && self.begins(g)),
        }
    }

    /// One thread may run both functions, or which ones do is not known.
    pub(crate) fn same_thread(&self, f: usize, g: usize) -> bool {
        let Some(threads) = self.threads else {
            return true;
        };
        let (of_f, of_g) = (threads.of(self.all[f]), threads.of(self.all[g]));
        of_f.is_empty() || of_g.is_empty() || of_f.iter().any(|root| of_g.contains(root))
    }

    fn begins(&self, f: usize) -> bool {
        let name = last(self.name(f));
        matches!(name, "main" | "wmain" | "WinMain" | "wWinMain" | "_tmain")
    }

    /// A lock in words, and with its class where there are others of its name.
    pub(crate) fn lock_words(&self, key: &LockKey, among: &[&LockKey]) -> Name {
        let name = last(&key.1);
        let same = among.iter().any(|k| *k != key && last(&k.1) == name);
        match key.0.filter(|_| same) {
            Some(class) => {
                let class = last(&self.program.class_at(class).name);
                Name::new(format!("{class}::{name}"))
            }
            None => Name::new(name),
        }
    }
}

/// What is looked for in functions that may run with a lock held: statements, by the function.
pub(crate) struct Wanted<'w, T> {
    pub(crate) at: &'w [Vec<(At, T)>],
    /// The function has one, or leads to one that has.
    leads: Vec<bool>,
}

/// Such a statement, and who holds a lock when it runs.
pub(crate) struct Under<'w, T> {
    pub(crate) lock: HeldLock,
    pub(crate) frame: Frame,
    pub(crate) f: usize,
    pub(crate) at: At,
    pub(crate) what: &'w T,
}

impl<'w, T> Wanted<'w, T> {
    pub(crate) fn new(at: &'w [Vec<(At, T)>], calls: &Calls) -> Self {
        let mut leads = vec![false; at.len()];
        let mut todo: Vec<usize> = (0..at.len()).filter(|f| !at[*f].is_empty()).collect();
        while let Some(f) = todo.pop() {
            if !std::mem::replace(&mut leads[f], true) {
                todo.extend(&calls.into[f]);
            }
        }
        Self { at, leads }
    }
}

impl Locked<'_, '_> {
    /// All wanted statements that run while a function holds a lock that it has taken, each with the nearest
    /// way to it.
    pub(crate) fn under<'w, T>(&self, wanted: &Wanted<'w, T>) -> Vec<Under<'w, T>> {
        let mut found = Vec::new();
        for f in self.held.functions() {
            if !wanted.leads[f] {
                continue;
            }
            for (at, held) in self.held.of(f).iter().flat_map(|own| own.statements()) {
                for lock in held.locks.iter().filter(|lock| lock.seen) {
                    if self.unsure.contains(&lock.key) {
                        continue;
                    }
                    let frame = Frame {
                        f,
                        at,
                        calls: Vec::new(),
                    };
                    for (here, what) in wanted.at[f].iter().filter(|(here, _)| *here == at) {
                        found.push(Under {
                            lock: lock.clone(),
                            frame: frame.clone(),
                            f,
                            at: *here,
                            what,
                        });
                    }
                    self.called_under(wanted, lock, frame, &mut found);
                }
            }
        }
        found
    }

    fn called_under<'w, T>(
        &self,
        wanted: &Wanted<'w, T>,
        lock: &HeldLock,
        frame: Frame,
        found: &mut Vec<Under<'w, T>>,
    ) {
        let mut seen: FxHashSet<usize> = FxHashSet::from_iter([frame.f]);
        let mut todo = VecDeque::new();
        let first = self.calls.out[frame.f].iter().filter(|e| e.at == frame.at);
        todo.extend(first.map(|edge| (frame.clone(), frame.f, *edge)));
        while let Some((mut frame, from, edge)) = todo.pop_front() {
            let f = edge.to;
            if !wanted.leads[f] || frame.calls.len() >= DEEPEST || !seen.insert(f) {
                continue;
            }
            frame.calls.push(PathStep {
                span: self.span(from, edge.at),
                what: StepKind::Called(Name::new(last(self.name(f)))),
            });
            for (at, what) in &wanted.at[f] {
                if !self.gives_back(f, *at, &lock.key) {
                    found.push(Under {
                        lock: lock.clone(),
                        frame: frame.clone(),
                        f,
                        at: *at,
                        what,
                    });
                }
            }
            for next in &self.calls.out[f] {
                if wanted.leads[next.to] && !self.gives_back(f, next.at, &lock.key) {
                    todo.push_back((frame.clone(), f, *next));
                }
            }
        }
    }

    /// Some path to a statement may have given back the lock of a caller.
    fn gives_back(&self, f: usize, at: At, key: &LockKey) -> bool {
        let own = self.held.at(f, at);
        own.is_some_and(|own| {
            let mut given = own.given_back.iter();
            given.any(|k| k.as_ref().is_none_or(|k| k == key))
        })
    }
}

/// Where a lock was taken that is held.
pub(crate) fn taken(lock: &HeldLock) -> PathStep {
    PathStep {
        span: lock.taken,
        what: StepKind::Locked(Name::new(last(&lock.key.1))),
    }
}
