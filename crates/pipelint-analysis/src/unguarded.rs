//! Fields and variables that are changed under a lock, and touched without it by code that may run at the
//! same time.
//!
//! Which lock guards a thing is inferred from what code does: some write, in code that may run beside other
//! code, is made with the lock held. What is done while an object is made or ends does not count, nor what
//! is done to an object that the function itself has just made.

use std::collections::BTreeMap;

use pipelint_ir::{Base, Callee, Name, Proj, Reference, Statement};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::accesses::{Access, Touched, touched};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Thing, Variables};
use crate::handed_over::{Signals, handed_locks};
use crate::held::{HeldLock, HeldLocks};
use crate::lock_contexts::{Context, HeldHere, LockContexts};
use crate::lock_ends::LockKey;
use crate::many_callers::called_by_several;
use crate::program::{ClassRef, FnRef, Program, last};
use crate::threads::{CALLERS, Threads, words};

/// A variable is touched without the lock that guards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnguardedAccess {
    /// The variable or field.
    pub thing: Name,
    /// It is written here; otherwise it is read.
    pub writes: bool,
    /// It is a called function that touches it.
    pub through: Option<Name>,
    /// The lock; none where nobody holds one, and two threads update it.
    pub lock: Option<Name>,
    /// The function that touches it under the lock, and where; without a lock, the other update.
    pub guarded: (Name, Span),
    /// It writes there; otherwise it reads.
    pub guarded_writes: bool,
    /// How the two come to run at the same time, in words.
    pub runs: String,
}

/// A statement: its function, block and number.
type Place = (usize, (usize, usize));

impl Use<'_> {
    fn place(&self) -> Place {
        (self.f, self.access.at)
    }
}

/// What all functions do to what they share.
pub(crate) struct Shared<'a, 'm> {
    pub(crate) program: &'a Program<'m>,
    pub(crate) all: &'a [FnRef],
    pub(crate) threads: &'a Threads<'a, 'm>,
    pub(crate) held: &'a HeldLocks,
    pub(crate) contexts: &'a LockContexts,
}

/// An access, on one of the ways to come to it.
struct Use<'t> {
    f: usize,
    context: usize,
    access: &'t Access,
    here: HeldHere,
}

impl Shared<'_, '_> {
    pub(crate) fn unguarded(&self) -> Vec<Event> {
        let variables = Variables::new(self.program);
        let all: Vec<Touched> = self
            .all
            .par_iter()
            .enumerate()
            .map(|(f, &at)| match self.contexts.of(f).is_empty() {
                true => Touched::default(),
                false => {
                    let begins = ways_begin(self.contexts.of(f));
                    touched(self.program, &variables, at, begins)
                }
            })
            .collect();
        let ordered: FxHashSet<&Thing> = all.iter().flat_map(|t| &t.ordered).collect();
        let guarded = self.guarded_things(&all);
        let mut uses: BTreeMap<&Thing, Vec<Use<'_>>> = BTreeMap::new();
        for (f, touched) in all.iter().enumerate() {
            let own = self.made_here(f);
            for access in &touched.accesses {
                if !guarded.contains(&access.thing)
                    || ordered.contains(&access.thing)
                    || self.is_own(f, access, &own)
                {
                    continue;
                }
                for (context, way) in self.contexts.of(f).iter().enumerate() {
                    if way.alone || self.is_callers_own(f, context, access) {
                        continue;
                    }
                    let here = self.contexts.held_in(self.held, f, context, access.at);
                    uses.entry(&access.thing).or_default().push(Use {
                        f,
                        context,
                        access,
                        here,
                    });
                }
            }
        }
        let handed = handed_locks(self.held, self.contexts);
        let several = called_by_several(self.program, self.all, &all, self.contexts);
        let calls = &self.threads.calls;
        let signals = Signals::new(self.program, self.all, self.contexts, calls);
        let mut found: BTreeMap<(Span, LockKey), Event> = BTreeMap::new();
        for (thing, uses) in &uses {
            self.faults(thing, uses, (&handed, &signals, &several), &mut found);
        }
        let mut events = once_each(found);
        events.extend(self.lost_updates(&variables, &all, &ordered));
        events.extend(self.freed_beside(&variables, &ordered));
        events
    }

    /// Things that some access writes with a lock held.
    fn guarded_things(&self, all: &[Touched]) -> FxHashSet<Thing> {
        let mut guarded = FxHashSet::default();
        for (f, touched) in all.iter().enumerate() {
            let ways = self.contexts.of(f);
            for access in touched.accesses.iter().filter(|a| a.writes()) {
                let own = self.held.at(f, access.at);
                let holds = own.is_some_and(|held| !held.locks.is_empty());
                if holds || ways.iter().any(|way| !way.locks.is_empty()) {
                    guarded.insert(access.thing.clone());
                }
            }
        }
        guarded
    }

    /// Variables of a function that lead to what it has just made.
    pub(crate) fn made_here(&self, f: usize) -> FxHashSet<u32> {
        let function = self.program.function(self.all[f]);
        let mut made = FxHashSet::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call {
                dst: Some(dst),
                callee,
                ..
            } = stmt
                && let (Base::Local(l), []) =
                    (&function.places[*dst].base, &function.places[*dst].proj[..])
            {
                let makes = match callee {
                    Callee::New(_) | Callee::Constructor(_) => true,
                    Callee::Function(name) => {
                        let name = last(name).to_ascii_lowercase();
                        ["alloc", "new", "create", "make"]
                            .iter()
                            .any(|w| name.contains(w))
                    }
                    _ => false,
                };
                if makes {
                    made.insert(l.0);
                }
            }
        }
        made
    }

    /// The object is the function's own: a local one, or one that it has made.
    pub(crate) fn is_own(&self, f: usize, access: &Access, made: &FxHashSet<u32>) -> bool {
        let function = self.program.function(self.all[f]);
        let place = &function.places[access.place];
        let Base::Local(l) = place.base else {
            return false;
        };
        if made.contains(&l.0) {
            return true;
        }
        let through = place.proj.contains(&Proj::Deref);
        let local = function.locals.get(l.0 as usize);
        let refers = local.is_some_and(|l| l.ty.reference != Reference::None);
        !through && !refers
    }

    /// The method runs on an object that a caller keeps to itself.
    fn is_callers_own(&self, f: usize, context: usize, access: &Access) -> bool {
        let base = |f: usize, place| {
            self.program.function(self.all[f]).places[place]
                .base
                .clone()
        };
        if base(f, access.place) != Base::SelfObj {
            return false;
        }
        let mut from = self.contexts.of(f)[context].from;
        while let Some((caller, way, at)) = from {
            let function = self.program.function(self.all[caller]);
            let stmt = function.blocks.get(at.0).and_then(|b| b.stmts.get(at.1));
            let object = match stmt {
                Some(Statement::Call {
                    callee: Callee::Method { receiver, .. },
                    ..
                }) => *receiver,
                Some(Statement::Drop { place, .. }) => *place,
                _ => return false,
            };
            let place = &function.places[object];
            match place.base {
                Base::SelfObj if !place.proj.contains(&Proj::Deref) => {
                    from = self.contexts.of(caller)[way].from;
                }
                Base::Local(l) => {
                    let local = function.locals.get(l.0 as usize);
                    let refers = local.is_none_or(|l| l.ty.reference != Reference::None);
                    return !refers && !place.proj.contains(&Proj::Deref);
                }
                _ => return false,
            }
        }
        false
    }

    fn faults(
        &self,
        thing: &Thing,
        uses: &[Use<'_>],
        (handed, signals, several): (&FxHashSet<LockKey>, &Signals<'_, '_>, &FxHashSet<ClassRef>),
        found: &mut BTreeMap<(Span, LockKey), Event>,
    ) {
        let mut locks: FxHashMap<&LockKey, Vec<(&Use<'_>, &HeldLock)>> = FxHashMap::default();
        for used in uses {
            for lock in used.here.surely() {
                locks.entry(&lock.key).or_default().push((used, lock));
            }
        }
        let mut keys: Vec<_> = locks
            .keys()
            .copied()
            .filter(|k| !handed.contains(k))
            .collect();
        keys.sort();
        for key in keys {
            // Who makes the lock is alone yet.
            let makes = |f| self.held.of(f).is_some_and(|held| held.made.contains(key));
            let bare = uses.iter().filter(|u| !u.here.may_hold(key) && !makes(u.f));
            let bare = bare.filter(|u| self.is_near(thing, u, key));
            let bare: Vec<&Use<'_>> = bare.collect();
            let mut blamed: BTreeMap<usize, Vec<&Use<'_>>> = BTreeMap::new();
            let mut without: FxHashMap<Place, FxHashSet<usize>> = FxHashMap::default();
            for used in bare {
                let (function, ..) = self.blamed(used, key);
                blamed.entry(function).or_default().push(used);
                without.entry(used.place()).or_default().insert(function);
            }
            let holders = locks[key].iter().map(|(u, _)| self.holder(u, key));
            let holders: FxHashSet<usize> = holders.collect();
            if holders.len() < blamed.len() {
                continue;
            }
            for (function, used) in blamed
                .iter()
                .flat_map(|(f, all)| all.iter().map(|u| (*f, *u)))
            {
                // A place that others come to without the lock too says little of what guards the thing.
                let telling = |other: &Use<'_>| match without.get(&other.place()) {
                    Some(others) => holders.len() > 1 && others.iter().all(|f| *f == function),
                    None => true,
                };
                let guarded = locks[key].iter().filter(|(other, _)| telling(other));
                let guarded: Vec<_> = guarded.collect();
                let at = |used: &Use<'_>| ((used.f, used.access.at), used.context);
                let choice = guarded.iter().any(|(other, _)| {
                    other.f == used.f
                        && signals.are_choices(used.f, used.access.at, other.access.at)
                });
                if choice {
                    continue;
                }
                let conflict = guarded.iter().find(|(other, _)| {
                    self.conflicts(thing, used, other, (key, several))
                        && !signals.order(at(other), at(used), true)
                        && !signals.order(at(used), at(other), false)
                });
                if let Some((other, lock)) = conflict {
                    let event = self.event(thing, used, other, lock);
                    match found.entry((event.at, key.clone())) {
                        std::collections::btree_map::Entry::Vacant(new) => {
                            new.insert(event);
                        }
                        std::collections::btree_map::Entry::Occupied(_) => {}
                    }
                }
            }
        }
    }

    /// The object may be a part of the one that has the lock: it is of the lock's class, or the way to it leads
    /// through that class. Other users of the object's class have objects of their own.
    fn is_near(&self, thing: &Thing, used: &Use<'_>, key: &LockKey) -> bool {
        let Some(owner) = key.0 else { return true };
        let Thing::Field(class, ..) = thing else {
            return true;
        };
        if *class == owner {
            return true;
        }
        let names_it = |unit: usize, scope: &str, ty: &pipelint_ir::Type| {
            let name = &self.program.resolve(ty).name;
            self.program.class_ref_in(unit, scope, name) == Some(owner)
        };
        let frames = self.contexts.frames(used.f, used.context);
        frames.into_iter().any(|f| {
            let at = self.all[f];
            let function = self.program.function(at);
            let own = function.class.as_ref();
            own.is_some_and(|own| self.program.class_ref(at.0, own) == Some(owner))
                || function
                    .locals
                    .iter()
                    .any(|local| names_it(at.0, &function.name, &local.ty))
        })
    }

    /// The two may happen at once, to one object, and one of them writes.
    fn conflicts(
        &self,
        thing: &Thing,
        bare: &Use<'_>,
        guarded: &Use<'_>,
        (key, several): (&LockKey, &FxHashSet<ClassRef>),
    ) -> bool {
        if !(bare.access.writes() || guarded.access.writes()) {
            return false;
        }
        // Another lock keeps them apart.
        if guarded
            .here
            .locks
            .iter()
            .any(|l| bare.here.may_hold(&l.key))
        {
            return false;
        }
        let ways = |used: &Use<'_>| self.contexts.of(used.f)[used.context].root;
        let (a, b) = (ways(bare), ways(guarded));
        let (f, g) = (self.all[bare.f], self.all[guarded.f]);
        if (a, b) == (CALLERS, CALLERS) {
            // Several threads call the methods of the class: each of them beside itself, too.
            return key.0.is_some_and(|class| several.contains(&class))
                && self.is_of(bare.f, key)
                && self.is_of(guarded.f, key);
        }
        let known = |root| root != crate::lock_contexts::NOBODY;
        if !known(a) || !known(b) || !self.threads.at_once((a, f), (b, g)) {
            return false;
        }
        if a == CALLERS
            && (!self.threads.runs_beside(b, bare.f, bare.access.at) || self.sets_up(bare, key))
        {
            return false;
        }
        if b == CALLERS && !self.threads.runs_beside(a, guarded.f, guarded.access.at) {
            return false;
        }
        a == CALLERS || self.is_shared(thing, a, bare, key)
    }

    /// What others can call and sets several fields comes before all else where its name says so and it knows
    /// nothing of the lock: nobody is to call it while there is work under way.
    fn sets_up(&self, used: &Use<'_>, key: &LockKey) -> bool {
        const WORDS: &[&str] = &[
            "set",
            "setup",
            "init",
            "initialize",
            "initialise",
            "open",
            "configure",
            "attach",
            "create",
            "reset",
            "prepare",
            "install",
            "setter",
        ];
        let frames = self.contexts.frames(used.f, used.context);
        let takes = |f: &usize| {
            let held = self.held.of(*f);
            held.is_some_and(|held| held.takings.iter().any(|t| t.key == *key))
        };
        let first = frames.last().map(|f| self.program.function(self.all[*f]));
        used.access.writes()
            && !frames.iter().any(takes)
            && first.is_some_and(|function| {
                // One field may well be set while work is under way.
                let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
                let set = stmts.filter_map(|stmt| match stmt {
                    Statement::Assign { dst, .. } => {
                        let place = &function.places[*dst];
                        place.proj.first().filter(|_| place.base == Base::SelfObj)
                    }
                    _ => None,
                });
                let set: FxHashSet<&Proj> = set.collect();
                set.len() > 1 && crate::words::has_word(last(&function.name), WORDS)
            })
    }

    /// What a thread touches is not its own.
    fn is_shared(&self, thing: &Thing, root: usize, used: &Use<'_>, key: &LockKey) -> bool {
        if !matches!(thing, Thing::Field(_, _, false)) {
            return true;
        }
        let f = self.all[used.f];
        let function = self.program.function(f);
        let shared = self.threads.shared(root, f);
        if shared.is_some_and(|shared| {
            shared.is_part(function, &shared.locals(function), used.access.place)
        }) {
            return true;
        }
        // It takes the lock for the same thing elsewhere.
        let held = self.held.of(used.f);
        held.is_some_and(|held| held.takings.iter().any(|t| t.key == *key))
    }

    /// It is a method of the class that has the lock.
    fn is_of(&self, f: usize, key: &LockKey) -> bool {
        let at = self.all[f];
        let own = self.program.function(at).class.as_ref();
        let own = own.and_then(|own| self.program.class_ref(at.0, own));
        own.is_some() && own == key.0
    }

    /// The function that took the lock which is held.
    fn holder(&self, used: &Use<'_>, key: &LockKey) -> usize {
        let (mut f, mut context, mut at) = (used.f, used.context, used.access.at);
        loop {
            let own = self.held.at(f, at);
            let holds = own.is_some_and(|held| held.locks.iter().any(|l| l.key == *key));
            match self.contexts.of(f)[context].from {
                Some((caller, way, call)) if !holds => (f, context, at) = (caller, way, call),
                _ => return f,
            }
        }
    }

    /// Where the lock is missing: what is mostly called with it held is not to blame, but who calls it without.
    fn blamed(&self, used: &Use<'_>, key: &LockKey) -> (usize, Span, Option<Name>) {
        let (mut f, mut context) = (used.f, used.context);
        let mut place = (f, used.access.span, None);
        loop {
            let with = self
                .contexts
                .of(f)
                .iter()
                .any(|way| way.locks.iter().any(|l| l.key == *key));
            let from = self.contexts.of(f)[context].from;
            // Nor is what knows nothing of the lock: a part of the object that has it.
            let part = || {
                let frames = self.contexts.frames(f, context);
                !self.is_of(f, key) && frames.into_iter().any(|above| self.is_of(above, key))
            };
            let Some((caller, way, at)) = from.filter(|_| with || part()) else {
                return place;
            };
            let function = self.program.function(self.all[caller]);
            let span = function.map.stmts.get(at.0).and_then(|s| s.get(at.1));
            let called = Name::new(last(&self.program.function(self.all[f]).name));
            place = (
                caller,
                span.copied().unwrap_or(function.map.name),
                Some(called),
            );
            (f, context) = (caller, way);
        }
    }

    fn event(&self, thing: &Thing, bare: &Use<'_>, guarded: &Use<'_>, lock: &HeldLock) -> Event {
        let (at, span, through) = self.blamed(bare, &lock.key);
        let name = self.name_of(thing);
        let root = |used: &Use<'_>| self.contexts.of(used.f)[used.context].root;
        let thread = match root(bare) {
            CALLERS => root(guarded),
            root => root,
        };
        let thread = self.threads.root(thread);
        let step = |span, what| PathStep { span, what };
        let other = self.program.function(self.all[guarded.f]);
        let mut path = vec![step(lock.taken, StepKind::Locked(lock.name.clone()))];
        path.push(step(guarded.access.span, touches(guarded.access, &name)));
        path.extend(
            thread
                .at()
                .map(|at| step(at, StepKind::RunBeside(thread.api()))),
        );
        if through.is_some() {
            path.push(step(span, StepKind::Unguarded));
        }
        path.push(step(bare.access.span, touches(bare.access, &name)));
        path.dedup();
        Event {
            kind: EventKind::Unguarded(UnguardedAccess {
                thing: name,
                writes: bare.access.writes(),
                through,
                lock: Some(Name::new(last(&lock.key.1))),
                guarded: (other.name.clone(), guarded.access.span),
                guarded_writes: guarded.access.writes(),
                runs: thread
                    .start
                    .as_ref()
                    .map(|s| words(&s.how))
                    .unwrap_or_default(),
            }),
            at: span,
            function: self.program.function(self.all[at]).name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }

    pub(crate) fn name_of(&self, thing: &Thing) -> Name {
        let name = match thing {
            Thing::Global(u, g) => self.program.units[*u].globals[*g].name.clone(),
            Thing::Field(_, name, _) => name.clone(),
            Thing::Local(f, l) | Thing::Behind(f, l) => {
                let local = self.program.function(*f).locals.get(*l as usize);
                local.map(|local| local.name.clone()).unwrap_or_default()
            }
        };
        Name::new(last(&name))
    }
}

/// A thread or the callers begin with the function.
fn ways_begin(ways: &[Context]) -> bool {
    ways.iter()
        .any(|way| way.from.is_none() && way.root != CALLERS)
}

fn touches(access: &Access, name: &Name) -> StepKind {
    match access.writes() {
        true => StepKind::Assigned(name.clone()),
        false => StepKind::Read(name.clone()),
    }
}

/// Each function is told once of each lock, at the first place; the others are listed there.
fn once_each(found: BTreeMap<(Span, LockKey), Event>) -> Vec<Event> {
    let mut first: BTreeMap<(Name, LockKey), usize> = BTreeMap::new();
    let mut events: Vec<Event> = Vec::new();
    for ((_, key), event) in found {
        match first.get(&(event.function.clone(), key.clone())) {
            Some(&n) => {
                let known: &mut Event = &mut events[n];
                if let Some(step) = event.path.last() {
                    let step = PathStep {
                        span: event.at,
                        what: step.what.clone(),
                    };
                    known.others.push(step);
                }
            }
            None => {
                first.insert((event.function.clone(), key), events.len());
                events.push(event);
            }
        }
    }
    events
}
