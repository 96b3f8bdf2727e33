//! Which locks a path holds.
//!
//! A lock is named by its location, whatever code ran since the pointers to it were read: nobody moves a
//! lock that others may hold. What the path's caller holds is not known; a path that gives such a lock back
//! owes it to the caller until it has taken it again. A guard is the address of its lock.

use std::hash::{Hash, Hasher};

use pipelint_ir::{Name, Proj};
use pipelint_models::Success;
use pipelint_source::Span;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::lock_fault::LockFault;
use crate::log::Action;
use crate::program::FnRef;
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// A lock that the path holds, or owes to its caller.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    /// How often it is held.
    pub(crate) count: u32,
    pub(crate) shared: bool,
    /// The caller held it when the function began.
    pub(crate) callers: bool,
    /// The call that took it, in this function. It tells no two paths apart.
    pub(crate) taken: (Name, Span),
    /// The called function that took it, likewise.
    pub(crate) by: Option<FnRef>,
    /// What the call yielded that took it, and how that says that it could, likewise.
    pub(crate) answer: Option<(ValId, Success)>,
    /// Code out of sight may have given it back, likewise.
    pub(crate) doubtful: bool,
    /// A guard gives it back, likewise.
    pub(crate) guarded: bool,
    /// That guard never ends, likewise.
    pub(crate) forgotten: bool,
}

impl PartialEq for Hold {
    fn eq(&self, other: &Self) -> bool {
        (self.count, self.shared, self.callers) == (other.count, other.shared, other.callers)
    }
}

impl Eq for Hold {}

impl Hash for Hold {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.count, self.shared, self.callers).hash(state);
    }
}

/// What a call does with a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockAct {
    pub(crate) does: Does,
    pub(crate) shared: bool,
    pub(crate) recursive: bool,
    pub(crate) guarded: bool,
    /// It does not wait for the lock.
    pub(crate) tried: bool,
    pub(crate) api: Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Take,
    Give,
    Make,
    /// May have given it back.
    Doubt,
}

impl Exec<'_, '_> {
    /// The location of a lock by the name that it had when the function began.
    pub(crate) fn lock_at(&mut self, loc: LocId) -> LocId {
        let mut steps = Vec::new();
        let mut at = loc;
        let mut base = loop {
            match self.arena.get_loc(at) {
                Loc::Field(parent, name) => {
                    steps.push(Proj::Field(name.clone()));
                    at = *parent;
                }
                Loc::Elem(parent, i) => {
                    steps.push(Proj::Index(*i));
                    at = *parent;
                }
                Loc::Deref(v) => match self.arena.get(*v) {
                    // Where the function itself puts another pointer there, it is another lock.
                    Val::Sym(Sym::Load { loc, epoch: 1.. }) if !self.is_repointed(*loc) => {
                        steps.push(Proj::Deref);
                        at = *loc;
                    }
                    _ => break at,
                },
                _ => break at,
            }
        };
        for step in steps.into_iter().rev() {
            base = match step {
                Proj::Field(name) => self.arena.loc(Loc::Field(base, name)),
                Proj::Index(i) => self.arena.loc(Loc::Elem(base, i)),
                Proj::Deref => {
                    let v = self.arena.sym(Sym::Load {
                        loc: base,
                        epoch: 0,
                    });
                    self.arena.loc(Loc::Deref(v))
                }
            };
        }
        base
    }

    /// The function puts something into a field of this name.
    fn is_repointed(&self, loc: LocId) -> bool {
        match self.arena.get_loc(loc) {
            Loc::Field(_, name) => self.repointed.contains(name),
            _ => false,
        }
    }

    /// Does to a lock what a call does.
    pub(crate) fn lock_is(&mut self, state: &mut State, loc: LocId, act: &LockAct) {
        if self.unknown_element(loc).is_some() {
            return;
        }
        let loc = self.lock_at(loc);
        if self.is_callers(loc) {
            let act = Box::new(act.clone());
            self.record(state, Action::Lock(loc, act));
        }
        match act.does {
            Does::Take => {
                self.lock_taken(state, loc, act);
                if self.guessed {
                    self.doubt_locks(state, &|at, _| at == loc);
                }
            }
            Does::Give => self.lock_given_back(state, loc, act),
            Does::Make => {
                // There, or its handle is put there.
                self.note_made(loc);
                for loc in [loc, self.handle_at(loc)] {
                    state.locks.remove(loc);
                    state.freed_locks.remove(loc);
                    state.made_locks.insert(loc, ());
                }
            }
            Does::Doubt => {
                state
                    .locks
                    .change(|at, _| at == loc, |hold| hold.doubtful = true);
                state.freed_locks.remove(loc);
                state.made_locks.remove(loc);
            }
        }
    }

    /// Which of the locks are held is no longer sure.
    pub(crate) fn doubt_locks(&mut self, state: &mut State, which: &dyn Fn(LocId, &Hold) -> bool) {
        let held = state.locks.iter();
        let held = held.filter(|(loc, hold)| !hold.doubtful && which(*loc, hold));
        let held: Vec<(LocId, LockAct)> = held
            .map(|(loc, hold)| {
                let act = LockAct {
                    does: Does::Doubt,
                    shared: hold.shared,
                    recursive: true,
                    guarded: hold.guarded,
                    tried: false,
                    api: hold.taken.0.clone(),
                };
                (loc, act)
            })
            .collect();
        for (loc, act) in held {
            self.lock_is(state, loc, &act);
        }
    }

    fn lock_taken(&mut self, state: &mut State, loc: LocId, act: &LockAct) {
        let taken = (act.api.clone(), self.at());
        // What a class that is a lock does is its user's.
        if !act.tried && (self.site.is_none() || self.is_wrapped_lock(loc)) {
            self.note_taking(loc, act.shared);
        }
        state.freed_locks.remove(loc);
        match state.locks.get(loc).cloned() {
            Some(held) if held.count > 0 => {
                let both_read = held.shared && act.shared;
                let fault = !act.recursive && !both_read && !held.doubtful;
                // A function that takes it twice is told itself, not its callers.
                if fault && !(self.site.is_some() && held.taken.1 == taken.1) {
                    let fault = LockFault::Again {
                        lock: self.lock_name(loc),
                        api: act.api.clone(),
                        first: held.taken.clone(),
                    };
                    self.tell_lock(state, loc, fault, (held.taken.1, !held.guarded));
                }
                let again = Hold {
                    count: held.count.saturating_add(1).min(8),
                    shared: held.shared && act.shared,
                    // Nobody comes this far, and what follows is the same fault.
                    doubtful: held.doubtful || fault,
                    ..held
                };
                state.locks.insert(loc, again);
            }
            Some(owed) => {
                let back = Hold {
                    count: 1,
                    taken,
                    ..owed
                };
                state.locks.insert(loc, back);
            }
            None => {
                let at = taken.1;
                let hold = Hold {
                    count: 1,
                    shared: act.shared,
                    callers: false,
                    taken,
                    by: self.locked_by,
                    answer: None,
                    doubtful: false,
                    guarded: act.guarded,
                    forgotten: false,
                };
                state.locks.insert(loc, hold);
                let about = self.arena.val(Val::Ptr(loc));
                state.step(at, StepKind::Locked(self.lock_name(loc)), Some(about));
            }
        }
    }

    fn lock_given_back(&mut self, state: &mut State, loc: LocId, act: &LockAct) {
        let at = self.at();
        let freed = (act.api.clone(), at);
        match state.locks.get(loc).cloned() {
            Some(held) if held.count > 1 || (held.count == 1 && held.callers) => {
                let count = held.count - 1;
                state.locks.insert(loc, Hold { count, ..held });
                if count == 0 {
                    state.freed_locks.insert(loc, freed);
                }
            }
            Some(held) if held.count == 1 => {
                state.locks.remove(loc);
                state.freed_locks.insert(loc, freed);
            }
            _ if act.guarded => {}
            known => {
                let before = state.freed_locks.get(loc).cloned();
                let made = state.made_locks.get(loc).is_some();
                if !self.guessed && (before.is_some() || (made && known.is_none())) {
                    let first = before.as_ref().map(|(_, span)| *span);
                    // What follows is the same fault.
                    state.freed_locks.remove(loc);
                    state.made_locks.remove(loc);
                    let spare = Hold {
                        count: 1,
                        shared: act.shared,
                        callers: false,
                        taken: freed,
                        by: None,
                        answer: None,
                        doubtful: true,
                        guarded: false,
                        forgotten: false,
                    };
                    state.locks.insert(loc, spare);
                    if self.site.is_some() && first == Some(at) {
                        // A function that gives it back twice is told itself, not its callers.
                        return;
                    }
                    let fault = LockFault::NotHeld {
                        lock: self.lock_name(loc),
                        api: act.api.clone(),
                        before,
                    };
                    self.tell_lock(state, loc, fault, (first.unwrap_or(at), false));
                    return;
                }
                if known.is_none() {
                    let owed = Hold {
                        count: 0,
                        shared: act.shared,
                        callers: true,
                        taken: freed.clone(),
                        by: None,
                        answer: None,
                        doubtful: false,
                        guarded: false,
                        forgotten: false,
                    };
                    state.locks.insert(loc, owed);
                    let key = self.lock_key(loc);
                    self.locks_owed.extend(key);
                }
                state.freed_locks.insert(loc, freed);
            }
        }
        if self.guessed {
            state.freed_locks.remove(loc);
        } else if state.freed_locks.get(loc).is_some() {
            state.given_locks.insert(loc, ());
        }
        let about = self.arena.val(Val::Ptr(loc));
        state.step(at, StepKind::Unlocked(self.lock_name(loc)), Some(about));
    }

    /// A condition asks memory for what it was asked before, and another answer came: somebody has changed it
    /// in between, which no path shows. What hangs on such answers is not known.
    pub(crate) fn asks_memory(&mut self, state: &mut State, of: ValId, n: i128, truth: bool) {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(of) else {
            return;
        };
        let Ok(n) = i64::try_from(n) else { return };
        if !self.locks_itself {
            return;
        }
        let at = (self.lock_at(loc), n);
        match state.asked_memory.get(at) {
            Some(known) if *known != truth => {
                self.doubt_locks(state, &|_, hold| !hold.guarded);
                state.freed_locks = crate::state::VecMap::default();
                state.made_locks = crate::state::VecMap::default();
            }
            Some(_) => {}
            None => state.asked_memory.insert(at, truth),
        }
    }

    /// A condition was met: a lock is not held whose call says that it could not be taken.
    pub(crate) fn lock_answered(&mut self, state: &mut State) {
        let asked = state.locks.iter().filter(|(_, hold)| hold.count == 1);
        let refused = asked.filter(|(_, hold)| {
            hold.answer.is_some_and(|(v, success)| {
                let fact = state.facts.get(v);
                fact.is_some_and(|fact| match success {
                    Success::Nonzero => fact.exact() == Some(0),
                    _ => fact.excludes(0),
                })
            })
        });
        let refused: Vec<LocId> = refused.map(|(loc, _)| loc).collect();
        for loc in refused {
            state.locks.remove(loc);
        }
    }

    /// A guard ends whose lock is not known: it may be any that a guard holds.
    pub(crate) fn some_guard_ends(&mut self, state: &mut State) {
        self.doubt_locks(state, &|_, hold| hold.guarded);
    }

    /// The lock as it stands in code: what a Rust lock is, not what it holds.
    pub(crate) fn lock_name(&self, loc: LocId) -> Name {
        self.loc_name(loc)
    }

    /// Tells a fault, on the path from a place; only if nobody gives the lock back for others, or in any case.
    fn tell_lock(
        &mut self,
        state: &State,
        loc: LocId,
        fault: LockFault,
        (from, unless_given_back): (Span, bool),
    ) {
        let about = self.arena.val(Val::Ptr(loc));
        let at = self.at();
        let mut path = state.path(Some(about), Some(from));
        path.push(PathStep {
            span: at,
            what: match &fault {
                LockFault::NotHeld { lock, .. } => StepKind::Unlocked(lock.clone()),
                LockFault::Again { lock, .. } | LockFault::Kept { lock, .. } => {
                    StepKind::Locked(lock.clone())
                }
            },
        });
        path.dedup();
        let event = Event {
            kind: EventKind::Lock(fault),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        };
        match self.lock_key(loc).filter(|_| unless_given_back) {
            Some(key) => self.found.locks.faults.push((event, key)),
            None => self.found.add(event),
        }
    }

    /// Code out of sight was given this: it may have taken or given back each lock that it leads to.
    pub(crate) fn locks_reached(&mut self, state: &mut State, given: &[ValId], named: bool) {
        if state.locks.is_empty() && state.freed_locks.is_empty() && state.made_locks.is_empty() {
            return;
        }
        let bases: Vec<LocId> = given
            .iter()
            .map(|v| {
                let at = self.pointee(*v);
                self.lock_at(at)
            })
            .collect();
        let arena = &self.arena;
        let leads = |loc: LocId| {
            let mut at = loc;
            loop {
                if named || bases.iter().any(|base| arena.within(at, *base)) {
                    return true;
                }
                match arena.get_loc(arena.root(at)) {
                    Loc::Deref(v) => match arena.get(*v) {
                        Val::Sym(Sym::Load { loc, .. }) => at = *loc,
                        _ => return false,
                    },
                    _ => return false,
                }
            }
        };
        state.freed_locks.retain(|loc, _| !leads(loc));
        state.made_locks.retain(|loc, ()| !leads(loc));
        let reached = state.locks.iter().map(|(loc, _)| loc);
        let reached: Vec<LocId> = reached.filter(|loc| leads(*loc)).collect();
        self.doubt_locks(state, &|loc, hold| !hold.guarded && reached.contains(&loc));
    }
}
