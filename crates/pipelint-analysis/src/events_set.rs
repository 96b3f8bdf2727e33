//! Events that nobody sets but with a lock: who waits for one with the lock held waits for ever.

use pipelint_ir::{Callee, Operand, Statement};
use rustc_hash::FxHashMap;

use crate::awaited::Await;
use crate::lock_ends::LockKey;
use crate::locked::{At, Locked, Under};
use crate::object_keys::ObjectKey;
use crate::program::{Target, last};
use crate::started::reaches;
use crate::told_types::Told;
use crate::wait_under_lock::Need;

/// What the program does with the objects that it gives to calls.
#[derive(Debug, Default)]
pub(crate) struct EventsSet {
    set: FxHashMap<ObjectKey, Vec<(usize, At)>>,
    /// Others may set it: it is given to code that is not known to leave it alone.
    given: FxHashMap<ObjectKey, ()>,
}

impl EventsSet {
    pub(crate) fn new(locked: &Locked<'_, '_>) -> Self {
        let mut found = Self::default();
        for (f, &at) in locked.all.iter().enumerate() {
            let function = locked.program.function(at);
            let mut told = None;
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    let Statement::Call { callee, args, .. } = stmt else {
                        continue;
                    };
                    if args.is_empty() {
                        continue;
                    }
                    let told = told.get_or_insert_with(|| Told::new(locked.program, at));
                    found.note(told, (f, (b, i)), callee, args);
                }
            }
        }
        found
    }

    fn note(&mut self, told: &Told<'_, '_>, at: (usize, At), callee: &Callee, args: &[Operand]) {
        let target = told
            .program
            .target(told.f.0, told.function, callee, args.len());
        for (n, arg) in args.iter().enumerate() {
            let harmless = match target {
                Target::Model(model) => {
                    if model.signals == Some(n) {
                        if let Some(key) = told.object_of(arg) {
                            self.set.entry(key).or_default().push(at);
                        }
                        continue;
                    }
                    model.escapes.is_empty() && model.registers.is_none() && model.io.is_none()
                }
                _ => matches!(callee, Callee::Function(name) if last(name) == "move"),
            };
            if !harmless && let Some(key) = told.object_of(arg) {
                self.given.insert(key, ());
            }
        }
    }

    /// A place that takes the lock before it sets the event, where every place in sight does so, on other
    /// threads than the one that waits.
    pub(crate) fn needs(
        &self,
        locked: &Locked<'_, '_>,
        object: &ObjectKey,
        under: &Under<'_, Await>,
    ) -> Option<Need> {
        let places = self.set.get(object)?;
        if self.given.contains_key(object) || matches!(object, ObjectKey::Local(..)) {
            return None;
        }
        let key = &under.lock.key;
        let mut first = None;
        for (f, at) in places {
            if locked.same_thread(*f, under.f) {
                return None;
            }
            let need = after_taking(locked, *f, *at, key)?;
            first = first.or(Some(need));
        }
        first
    }
}

/// Every way to a statement takes the lock in this function.
fn after_taking(locked: &Locked<'_, '_>, f: usize, at: At, key: &LockKey) -> Option<Need> {
    let own = locked.held.of(f)?;
    let function = locked.program.function(locked.all[f]);
    let taken = own.takings.iter().find(|taking| {
        taking.key == *key
            && !taking.shared
            && reaches(function, taking.at, at)
            && (locked.holds(f, at, key) || comes_first(function, taking.at, at))
    })?;
    Some(Need {
        f,
        at: taken.span,
        shared: false,
    })
}

/// No way comes to a statement past another one.
fn comes_first(function: &pipelint_ir::Function, first: At, at: At) -> bool {
    if first.0 == at.0 {
        return first.1 < at.1;
    }
    let mut seen = vec![false; function.blocks.len()];
    let mut todo = vec![0];
    while let Some(b) = todo.pop() {
        if b == first.0 || seen.get(b).copied().unwrap_or(true) {
            continue;
        }
        seen[b] = true;
        if b == at.0 {
            return false;
        }
        crate::program::successors(&function.blocks[b].term, |next| todo.push(next));
    }
    true
}
