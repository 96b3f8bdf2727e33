//! Which locks a function surely holds at each of its statements, and where it takes them: what the rules that
//! look at several functions at once build on.
//!
//! Locks are told apart by the class whose part they are, and by their names: two objects of one class have
//! one lock here. That is enough to say that something is held, and never enough to say that it is not.

use std::collections::BTreeMap;

use pipelint_ir::{Function, Name};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::exec::Exec;
use crate::lock_ends::LockKey;
use crate::program::last;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val};
use crate::words::has_word;

/// A lock that is held, and since where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeldLock {
    pub(crate) key: LockKey,
    /// As it stands in code.
    pub(crate) name: Name,
    pub(crate) shared: bool,
    /// Code out of sight may have given it back.
    pub(crate) doubtful: bool,
    /// On some path it surely has not.
    pub(crate) seen: bool,
    /// It is a part of an object of the function's own.
    pub(crate) own: bool,
    /// The call that took it.
    pub(crate) taken: Span,
}

/// What is held where a statement begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// On each path that comes there.
    pub(crate) locks: Vec<HeldLock>,
    /// A lock is held that no class and no global name tells.
    pub(crate) unknown: bool,
    /// Locks of the callers' that some path has given back; none for one that is not known.
    pub(crate) given_back: Vec<Option<LockKey>>,
}

impl Held {
    fn join(&mut self, other: Self) {
        for lock in &mut self.locks {
            if let Some(same) = other.locks.iter().find(|l| l.key == lock.key) {
                lock.doubtful |= same.doubtful;
                lock.seen |= same.seen;
                lock.shared |= same.shared;
                lock.taken = lock.taken.min(same.taken);
            }
        }
        let known = |lock: &HeldLock| other.locks.iter().any(|l| l.key == lock.key);
        self.locks.retain(known);
        self.unknown |= other.unknown;
        for key in other.given_back {
            if !self.given_back.contains(&key) {
                self.given_back.push(key);
            }
        }
    }

    fn is_nothing(&self) -> bool {
        self.locks.is_empty() && self.given_back.is_empty() && !self.unknown
    }
}

/// A call that takes a lock, waiting for it.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    pub(crate) at: (usize, usize),
    pub(crate) key: LockKey,
    pub(crate) span: Span,
    pub(crate) shared: bool,
    /// It is a part of an object of the function's own.
    pub(crate) own: bool,
}

/// What one function does.
#[derive(Debug, Default)]
pub(crate) struct HeldAt {
    held: FxHashMap<(usize, usize), Held>,
    /// Statements that a path comes to with nothing held, by their numbers in the function.
    bare: FxHashSet<u32>,
    /// By the same numbers, until the function is done.
    notes: FxHashMap<u32, Held>,
    pub(crate) takings: Vec<Taking>,
    /// Locks that it makes.
    pub(crate) made: FxHashSet<LockKey>,
    /// What locks are, by their locations.
    keys: FxHashMap<LocId, Option<LockKey>>,
}

impl HeldAt {
    /// What is held where a statement begins; the statement behind a block's last is its terminator.
    pub(crate) fn at(&self, at: (usize, usize)) -> Option<&Held> {
        self.held.get(&at)
    }

    /// The statements with something held, in their order.
    pub(crate) fn statements(&self) -> Vec<((usize, usize), &Held)> {
        let mut all: Vec<_> = self.held.iter().map(|(at, held)| (*at, held)).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        all
    }

    /// Locks of the callers' that it gives back somewhere.
    pub(crate) fn given_back(&self) -> Vec<&LockKey> {
        let held = self.held.values();
        let mut keys: Vec<_> = held.flat_map(|h| &h.given_back).flatten().collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The locks that are held somewhere.
    pub(crate) fn keys(&self) -> Vec<(LockKey, Name)> {
        let mut all: BTreeMap<&LockKey, Name> = BTreeMap::new();
        for lock in self.held.values().flat_map(|h| &h.locks) {
            let known = all.entry(&lock.key).or_insert_with(|| lock.name.clone());
            *known = known.clone().min(lock.name.clone());
        }
        let all = all.into_iter();
        all.map(|(key, name)| (key.clone(), name)).collect()
    }

    /// Locks that are held since different places: given back and taken again, as far as one can tell.
    pub(crate) fn taken_again(&self) -> Vec<(LockKey, Name)> {
        let mut since: BTreeMap<&LockKey, (Name, FxHashSet<Span>)> = BTreeMap::new();
        for lock in self.held.values().flat_map(|h| &h.locks) {
            let known = since.entry(&lock.key);
            let known = known.or_insert_with(|| (lock.name.clone(), FxHashSet::default()));
            known.0 = known.0.clone().min(lock.name.clone());
            known.1.insert(lock.taken);
        }
        let again = since.into_iter().filter(|(_, (_, since))| since.len() > 1);
        again.map(|(key, (name, _))| (key.clone(), name)).collect()
    }

    /// Something is held, taken or made somewhere.
    fn says(&self) -> bool {
        !(self.held.is_empty() && self.takings.is_empty() && self.made.is_empty())
    }

    /// The executor is done: statements are known by their blocks from here on.
    fn settle(&mut self, function: &Function) {
        let mut n = 0;
        for (b, block) in function.blocks.iter().enumerate() {
            for i in 0..=block.stmts.len() {
                if let Some(mut held) = self.notes.remove(&n) {
                    if self.bare.contains(&n) {
                        held.locks.clear();
                    }
                    if !held.is_nothing() {
                        self.held.insert((b, i), held);
                    }
                }
                n += 1;
            }
        }
        self.bare = FxHashSet::default();
        self.keys = FxHashMap::default();
        self.takings.sort_by_key(|t| (t.span, t.at));
        self.takings.dedup_by_key(|t| (t.span, t.at));
    }
}

impl Exec<'_, '_> {
    /// A path comes to a statement.
    pub(crate) fn note_held(&mut self, state: &State) {
        if state.locks.is_empty() {
            self.found.held.bare.insert(self.stmt);
            return;
        }
        let mut now = Held::default();
        for (loc, hold) in state.locks.iter() {
            let key = self.key_of(loc);
            if hold.count == 0 {
                now.given_back.push(key);
                continue;
            }
            match key {
                Some(key) => now.locks.push(HeldLock {
                    key,
                    name: self.lock_name(loc),
                    shared: hold.shared,
                    doubtful: hold.doubtful,
                    seen: !hold.doubtful,
                    own: self.is_in_own_object(loc),
                    taken: hold.taken.1,
                }),
                None => now.unknown = true,
            }
        }
        now.locks.sort();
        match self.found.held.notes.entry(self.stmt) {
            std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().join(now),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(now);
            }
        }
    }

    /// A call of the function's own takes a lock.
    pub(crate) fn note_taking(&mut self, loc: LocId, shared: bool) {
        if let Some(key) = self.key_of(loc) {
            let first = self.cfg.first[self.block];
            self.found.held.takings.push(Taking {
                at: (self.block, self.stmt.saturating_sub(first) as usize),
                key,
                span: self.at(),
                shared,
                own: self.is_in_own_object(loc),
            });
        }
    }

    /// The lock is made here.
    pub(crate) fn note_made(&mut self, loc: LocId) {
        if let Some(key) = self.key_of(loc) {
            self.found.held.made.insert(key);
        }
    }

    /// As `lock_key`; a part of an object that is a lock itself is named by who has the object.
    fn users_key(&self, loc: LocId) -> Option<LockKey> {
        let mut at = loc;
        loop {
            match self.arena.get_loc(at) {
                Loc::Field(parent, _) if self.is_wrapped_lock(at) => at = *parent,
                Loc::Deref(v) => match self.arena.get(*v) {
                    Val::Sym(Sym::Load { loc, .. }) => at = *loc,
                    _ => return None,
                },
                _ => return self.lock_key(at),
            }
        }
    }

    /// A part of an object that is a lock itself.
    pub(crate) fn is_wrapped_lock(&self, loc: LocId) -> bool {
        let class = self.lock_key(loc).and_then(|(class, _)| class);
        class.is_some_and(|class| {
            let name = last(&self.program.class_at(class).name);
            let words = ["mutex", "lock", "rwlock", "spinlock", "critical"];
            has_word(name, &words)
        })
    }

    fn is_in_own_object(&self, loc: LocId) -> bool {
        matches!(self.arena.get_loc(self.arena.root(loc)), Loc::Local(l)
            if l.0 >= self.function.params)
    }

    fn key_of(&mut self, loc: LocId) -> Option<LockKey> {
        if let Some(known) = self.found.held.keys.get(&loc) {
            return known.clone();
        }
        let key = self.users_key(loc);
        self.found.held.keys.insert(loc, key.clone());
        key
    }

    /// The function is done.
    pub(crate) fn settle_held(&mut self) {
        self.found.held.settle(self.function);
    }
}

/// What the functions that the executor ran hold, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct HeldLocks(FxHashMap<usize, HeldAt>);

impl HeldLocks {
    pub(crate) fn take<'f>(found: impl Iterator<Item = (usize, &'f mut Findings)>) -> Self {
        let held = found.map(|(f, found)| (f, std::mem::take(&mut found.held)));
        let held = held.filter(|(_, held)| held.says());
        Self(held.collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a function holds; none where it is nothing.
    pub(crate) fn of(&self, f: usize) -> Option<&HeldAt> {
        self.0.get(&f)
    }

    pub(crate) fn at(&self, f: usize, at: (usize, usize)) -> Option<&Held> {
        self.of(f)?.at(at)
    }

    /// The functions that hold or take something, in their order.
    pub(crate) fn functions(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.0.keys().copied().collect();
        all.sort_unstable();
        all
    }
}
