//! What keeps two threads apart besides a lock that both hold: a signal that the one waits for before, and the
//! other gives after; a lock that one thread takes and another gives back; a branch that takes the lock only
//! where there are threads.

use pipelint_ir::{Callee, Name, Rvalue, Statement};
use rustc_hash::FxHashSet;

use crate::contexts::place_of;
use crate::held::HeldLocks;
use crate::lock_contexts::{LockContexts, NOBODY};
use crate::lock_ends::LockKey;
use crate::program::{FnRef, Program, Target, last};
use crate::started::reaches;
use crate::thread_calls::Calls;
use crate::thread_starts::last_name;
use crate::threads::CALLERS;

/// What is waited for or signalled, by its last name; it is a condition variable that is waited on.
type Object = (Name, bool);

/// A place in a function.
type At = (usize, (usize, usize));

/// Locks that some thread gives back which another one has taken: who holds them is not known.
pub(crate) fn handed_locks(held: &HeldLocks, contexts: &LockContexts) -> FxHashSet<LockKey> {
    let mut found = FxHashSet::default();
    for f in held.functions() {
        let Some(own) = held.of(f) else { continue };
        for key in own.given_back() {
            let ways = contexts.of(f).iter();
            let mut threads = ways.filter(|way| way.root != CALLERS && way.root != NOBODY);
            if threads.any(|way| !way.doubtful && way.locks.iter().all(|l| l.key != *key)) {
                found.insert(key.clone());
            }
        }
    }
    found
}

/// What objects a program's functions wait for, and which they signal.
pub(crate) struct Signals<'a, 'm> {
    program: &'a Program<'m>,
    all: &'a [FnRef],
    contexts: &'a LockContexts,
    /// Per function: what it waits for, and what it signals, itself or through what it calls.
    waits: Vec<FxHashSet<Object>>,
    signals: Vec<FxHashSet<Object>>,
    calls: &'a Calls,
}

impl<'a, 'm> Signals<'a, 'm> {
    pub(crate) fn new(
        program: &'a Program<'m>,
        all: &'a [FnRef],
        contexts: &'a LockContexts,
        calls: &'a Calls,
    ) -> Self {
        let mut new = Self {
            program,
            all,
            contexts,
            waits: Vec::new(),
            signals: Vec::new(),
            calls,
        };
        new.waits = new.through_calls(true);
        new.signals = new.through_calls(false);
        new
    }

    /// What functions wait for, or signal, themselves and through what they call.
    fn through_calls(&self, waits: bool) -> Vec<FxHashSet<Object>> {
        let mut found: Vec<FxHashSet<Object>> = vec![FxHashSet::default(); self.all.len()];
        let mut todo = Vec::new();
        for (f, of) in found.iter_mut().enumerate() {
            if self.contexts.of(f).is_empty() {
                continue;
            }
            let function = self.program.function(self.all[f]);
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    of.extend(self.object(f, (b, i), stmt, waits));
                }
            }
            if !of.is_empty() {
                todo.push(f);
            }
        }
        while let Some(f) = todo.pop() {
            let own = found[f].clone();
            for &caller in &self.calls.into[f] {
                let before = found[caller].len();
                found[caller].extend(own.iter().cloned());
                if found[caller].len() > before {
                    todo.push(caller);
                }
            }
        }
        found
    }

    /// The one waits for an object, on the way to its place, that the other signals behind its own; a condition
    /// variable counts only where that is asked for: who wakes others does not know what they did before.
    pub(crate) fn order(&self, first: (At, usize), then: (At, usize), conditions: bool) -> bool {
        let mut waited = self.names(then, true);
        waited.retain(|(_, condition)| conditions || !condition);
        if waited.is_empty() {
            return false;
        }
        let signalled = self.names(first, false);
        waited
            .into_iter()
            .any(|(name, _)| signalled.contains(&(name, false)))
    }

    /// The objects that calls are given which stand before a place, or behind it, in its function and in those
    /// that it is called from.
    fn names(&self, ((f, at), context): (At, usize), before: bool) -> FxHashSet<Object> {
        let mut found = FxHashSet::default();
        let mut place = Some((f, context, at));
        while let Some((f, context, at)) = place {
            let function = self.program.function(self.all[f]);
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    let Some(object) = self.object(f, (b, i), stmt, before) else {
                        continue;
                    };
                    let there = match before {
                        true => reaches(function, (b, i), at),
                        false => reaches(function, at, (b, i)),
                    };
                    if there {
                        found.insert(object);
                    }
                }
            }
            let known = match before {
                true => &self.waits,
                false => &self.signals,
            };
            for edge in &self.calls.out[f] {
                let there = match before {
                    true => reaches(function, edge.at, at),
                    false => reaches(function, at, edge.at),
                };
                if there && edge.at != at {
                    found.extend(known[edge.to].iter().cloned());
                }
            }
            place = self.contexts.of(f)[context].from;
        }
        found
    }

    /// What a call waits for, or signals.
    fn object(
        &self,
        f: usize,
        at: (usize, usize),
        stmt: &Statement,
        waits: bool,
    ) -> Option<Object> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let function = self.program.function(self.all[f]);
        let unit = self.all[f].0;
        if let Callee::Method { receiver, name, .. } = callee {
            let ty = self.program.type_of_place(unit, function, *receiver)?;
            let condition = self
                .program
                .models
                .condition(&self.program.resolve(&ty).name)?;
            let names = match waits {
                true => &condition.waits,
                false => &condition.wakes,
            };
            let named = names.iter().any(|n| n == last(name));
            let name = last_name(function, *receiver).filter(|_| named)?;
            return Some((name, waits));
        }
        let model = match (
            self.program.target(unit, function, callee, args.len()),
            callee,
        ) {
            (Target::Model(model), _) => model,
            // A program's own version of a library's function does what that does.
            (Target::Defined(_), Callee::Function(name)) => {
                self.program.models.function(last(name))?
            }
            _ => return None,
        };
        let arg = match waits {
            true if model.wakes => Some(0),
            true => model.waits.as_ref()?.handle,
            false => model.signals,
        };
        let place = place_of(args.get(arg?)?)?;
        // `&object` is a temporary.
        let before = function.blocks[at.0].stmts[..at.1].iter().rev();
        let of = before.take(8).find_map(|stmt| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } if *dst == place => Some(*of),
            _ => None,
        });
        let name = last_name(function, of.unwrap_or(place))?;
        Some((name, waits && model.wakes))
    }

    /// Two places of one function of which each path takes one.
    pub(crate) fn are_choices(&self, f: usize, a: (usize, usize), b: (usize, usize)) -> bool {
        let function = self.program.function(self.all[f]);
        a != b && !reaches(function, a, b) && !reaches(function, b, a)
    }
}
