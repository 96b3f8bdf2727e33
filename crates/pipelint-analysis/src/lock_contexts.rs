//! With which locks held functions are called: down the calls that are surely made, from what a thread or the
//! callers begin with.

use std::collections::VecDeque;

use pipelint_ir::{FunctionKind, Rvalue, Statement};
use rustc_hash::FxHashSet;

use crate::held::{Held, HeldLock, HeldLocks};
use crate::lock_ends::LockKey;
use crate::program::{FnRef, Program};
use crate::thread_calls::Calls;
use crate::threads::{RootId, Threads};

/// Ways to call one function that are told apart: more say nothing new.
const MOST: usize = 16;

/// The root of what nobody in sight begins.
pub(crate) const NOBODY: RootId = RootId::MAX;

/// One way to come to a function.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) root: RootId,
    /// What its callers hold.
    pub(crate) locks: Vec<HeldLock>,
    /// They may hold more, or may have given some of it back.
    pub(crate) doubtful: bool,
    /// An object is being made or ends: nobody else has it.
    pub(crate) alone: bool,
    /// The caller, its context, and the place of the call; none for what begins.
    pub(crate) from: Option<(usize, usize, (usize, usize))>,
}

/// What is held at a statement in a context.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldHere {
    pub(crate) locks: Vec<HeldLock>,
    /// More may be held, or less.
    pub(crate) doubtful: bool,
}

impl HeldHere {
    /// The lock may be held.
    pub(crate) fn may_hold(&self, key: &LockKey) -> bool {
        self.doubtful || self.locks.iter().any(|l| l.key == *key)
    }

    /// The locks that surely are.
    pub(crate) fn surely(&self) -> impl Iterator<Item = &HeldLock> {
        let sure = !self.doubtful;
        self.locks.iter().filter(move |l| sure && !l.doubtful)
    }

    /// The locks that are held on some path that puts none of them in doubt, and may be on all.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &HeldLock> {
        let sure = !self.doubtful;
        self.locks.iter().filter(move |l| sure && l.seen)
    }
}

/// The ways to come to each function, by its number.
#[derive(Debug)]
pub(crate) struct LockContexts {
    of: Vec<Vec<Context>>,
}

impl LockContexts {
    pub(crate) fn new(
        program: &Program<'_>,
        all: &[FnRef],
        held: &HeldLocks,
        calls: &Calls,
        threads: Option<&Threads<'_, '_>>,
    ) -> Self {
        let mut found = Self {
            of: vec![Vec::new(); all.len()],
        };
        let begin = |root| Context {
            root,
            locks: Vec::new(),
            doubtful: false,
            alone: false,
            from: None,
        };
        let mut todo: VecDeque<(usize, Context)> = VecDeque::new();
        let mut begun = vec![false; all.len()];
        for (f, root) in threads.iter().flat_map(|t| t.beginnings()) {
            begun[f] = true;
            todo.push_back((f, begin(root)));
        }
        for f in 0..all.len() {
            let lambda = program.function(all[f]).kind == FunctionKind::Lambda;
            if !begun[f] && !lambda && (calls.into[f].is_empty() || calls.taken[f]) {
                todo.push_back((f, begin(NOBODY)));
            }
        }
        let lambdas: Vec<Vec<((usize, usize), usize)>> =
            all.iter().map(|&f| lambdas(program, f)).collect();
        let mut known: FxHashSet<(usize, RootId, Vec<LockKey>, bool, bool)> = FxHashSet::default();
        while let Some((f, mut context)) = todo.pop_front() {
            let kind = program.function(all[f]).kind;
            context.alone |= matches!(
                kind,
                FunctionKind::Constructor | FunctionKind::FieldInit | FunctionKind::Destructor
            );
            let keys = context.locks.iter().map(|l| l.key.clone()).collect();
            let same = (f, context.root, keys, context.doubtful, context.alone);
            if found.of[f].len() >= MOST || !known.insert(same) {
                continue;
            }
            let n = found.of[f].len();
            found.of[f].push(context);
            let sure = calls.out[f].iter().map(|edge| (edge.at, edge.to, false));
            let made = lambdas[f].iter().map(|(at, to)| (*at, *to, true));
            for (at, to, later) in sure.chain(made) {
                if later && begun[to] {
                    continue;
                }
                let here = found.held_in(held, f, n, at);
                let mut locks = here.locks;
                locks.sort();
                locks.dedup_by(|a, b| a.key == b.key);
                let outer = &found.of[f][n];
                todo.push_back((
                    to,
                    Context {
                        root: outer.root,
                        locks,
                        doubtful: here.doubtful || later,
                        alone: outer.alone,
                        from: Some((f, n, at)),
                    },
                ));
            }
        }
        found
    }

    pub(crate) fn of(&self, f: usize) -> &[Context] {
        &self.of[f]
    }

    /// The function of a context, and those that it is called from.
    pub(crate) fn frames(&self, f: usize, context: usize) -> Vec<usize> {
        let mut found = vec![f];
        let mut from = self.of[f].get(context).and_then(|way| way.from);
        while let Some((caller, context, _)) = from {
            found.push(caller);
            from = self.of[caller][context].from;
        }
        found
    }

    /// What is held at a statement of a function in one of its contexts.
    pub(crate) fn held_in(
        &self,
        held: &HeldLocks,
        f: usize,
        context: usize,
        at: (usize, usize),
    ) -> HeldHere {
        let nothing = Held::default();
        let own = held.at(f, at).unwrap_or(&nothing);
        let Some(context) = self.of[f].get(context) else {
            return HeldHere::default();
        };
        let mut doubtful = context.doubtful || own.unknown;
        let mut locks = own.locks.clone();
        for lock in &context.locks {
            if own.given_back.iter().any(|k| k.as_ref() == Some(&lock.key)) {
                continue;
            }
            if locks.iter().all(|l| l.key != lock.key) {
                locks.push(lock.clone());
            }
        }
        doubtful |= own.given_back.contains(&None) && !context.locks.is_empty();
        HeldHere { locks, doubtful }
    }
}

/// The lambdas that a function makes, and where.
fn lambdas(program: &Program<'_>, f: FnRef) -> Vec<((usize, usize), usize)> {
    let mut found = Vec::new();
    for (b, block) in program.function(f).blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            if let Statement::Assign {
                value: Rvalue::Closure(name, _),
                ..
            } = stmt
                && let Some(to) = program.lambda(f.0, name)
            {
                found.push(((b, i), program.number(to)));
            }
        }
    }
    found
}
