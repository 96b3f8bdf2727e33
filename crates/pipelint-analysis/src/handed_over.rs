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
use crate::thread_starts::last_name;
use crate::threads::CALLERS;

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
}

impl<'a, 'm> Signals<'a, 'm> {
    pub(crate) fn new(
        program: &'a Program<'m>,
        all: &'a [FnRef],
        contexts: &'a LockContexts,
    ) -> Self {
        Self {
            program,
            all,
            contexts,
        }
    }

    /// The one waits for an object, on the way to its place, that the other signals behind its own.
    pub(crate) fn order(&self, first: (At, usize), then: (At, usize)) -> bool {
        let waited = self.names(then, true);
        if waited.is_empty() {
            return false;
        }
        let signalled = self.names(first, false);
        signalled.iter().any(|name| waited.contains(name))
    }

    /// The objects that calls are given which stand before a place, or behind it, in its function and in those
    /// that it is called from.
    fn names(&self, ((f, at), context): (At, usize), before: bool) -> FxHashSet<Name> {
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
            place = self.contexts.of(f)[context].from;
        }
        found
    }

    /// What a call waits for, or signals.
    fn object(&self, f: usize, at: (usize, usize), stmt: &Statement, waits: bool) -> Option<Name> {
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
            return last_name(function, *receiver).filter(|_| named);
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
        last_name(function, of.unwrap_or(place))
    }

    /// Two places of one function of which each path takes one.
    pub(crate) fn are_choices(&self, f: usize, a: (usize, usize), b: (usize, usize)) -> bool {
        let function = self.program.function(self.all[f]);
        a != b && !reaches(function, a, b) && !reaches(function, b, a)
    }
}
