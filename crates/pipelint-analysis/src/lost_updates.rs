//! Variables that two threads update at the same time with no lock at all: `count = count + 1` reads, adds and
//! writes, and what the other one wrote in between is lost.

use std::collections::BTreeMap;

use pipelint_ir::Base;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::accesses::{Access, Does, Touched};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Looker, Thing, Variables};
use crate::lock_contexts::NOBODY;
use crate::thread_starts::ThreadStart;
use crate::threads::{CALLERS, RootId, words};
use crate::unguarded::{Shared, UnguardedAccess};

/// An update, on a root that comes to it under no lock.
struct Update<'t> {
    f: usize,
    root: RootId,
    /// The thread begins with the function.
    begins: bool,
    access: &'t Access,
}

impl Shared<'_, '_> {
    /// Tells of each variable once, at the update on a thread.
    pub(crate) fn lost_updates(
        &self,
        variables: &Variables,
        all: &[Touched],
        ordered: &FxHashSet<&Thing>,
    ) -> Vec<Event> {
        let mut updates: BTreeMap<&Thing, Vec<Update<'_>>> = BTreeMap::new();
        let mut orders: FxHashMap<usize, bool> = FxHashMap::default();
        for (f, touched) in all.iter().enumerate() {
            let own = self.made_here(f);
            for access in touched.accesses.iter().filter(|a| a.does == Does::Updates) {
                if ordered.contains(&access.thing) || self.is_own(f, access, &own) {
                    continue;
                }
                for (n, way) in self.contexts.of(f).iter().enumerate() {
                    let here = self.contexts.held_in(self.held, f, n, access.at);
                    let bare = !here.doubtful && here.locks.is_empty();
                    if way.alone || way.root == NOBODY || !bare {
                        continue;
                    }
                    let mut orders = |f: usize| {
                        *orders.entry(f).or_insert_with(|| {
                            let looker = Looker::new(self.program, variables, self.all[f]);
                            looker.accesses().orders
                        })
                    };
                    let frames = self.contexts.frames(f, n);
                    if frames.into_iter().any(&mut orders) {
                        continue;
                    }
                    updates.entry(&access.thing).or_default().push(Update {
                        f,
                        root: way.root,
                        begins: way.from.is_none(),
                        access,
                    });
                }
            }
        }
        let found = updates.iter();
        found
            .filter_map(|(thing, updates)| {
                let mut threads = updates.iter().filter(|u| u.root != CALLERS && u.begins);
                threads.find_map(|one| {
                    let other = updates.iter().find(|other| self.race(thing, one, other))?;
                    Some(self.lost(thing, one, other))
                })
            })
            .collect()
    }

    /// The two run at once, on one object.
    fn race(&self, thing: &Thing, one: &Update<'_>, other: &Update<'_>) -> bool {
        let (f, g) = (self.all[one.f], self.all[other.f]);
        if one.root != other.root && !self.threads.at_once((one.root, f), (other.root, g)) {
            return false;
        }
        let field = matches!(thing, Thing::Field(_, _, false) | Thing::Behind(..));
        let Some(start) = self.threads.root(one.root).start.as_ref() else {
            return false;
        };
        if other.root == CALLERS {
            return !matches!(thing, Thing::Behind(..))
                && self.threads.runs_beside(one.root, other.f, other.access.at)
                && (!field || self.works_on(one));
        }
        let Some(then) = self.threads.root(other.root).start.as_ref() else {
            return false;
        };
        if !other.begins {
            return false;
        }
        let together = self.overlap(one.root, start, other.root, then);
        together && (!field || (one.root != other.root && given_same(self, start, then)))
    }

    /// What a thread updates is what it was given, or what that leads to.
    fn works_on(&self, update: &Update<'_>) -> bool {
        let f = self.all[update.f];
        let function = self.program.function(f);
        let Some(shared) = self.threads.shared(update.root, f) else {
            return false;
        };
        let place = &function.places[update.access.place];
        match place.base {
            Base::SelfObj => shared.this,
            Base::Local(l) => shared.led_to(function).contains(&l.0),
            _ => false,
        }
    }

    /// One of two threads is started while the other one runs; of one start, in a loop.
    fn overlap(&self, a: RootId, first: &ThreadStart, b: RootId, then: &ThreadStart) -> bool {
        match (first.by, then.by) {
            (Some((f, at)), Some((g, to))) if f == g => {
                let number = self.program.number(f);
                self.threads.runs_beside(a, number, to) || self.threads.runs_beside(b, number, at)
            }
            _ => false,
        }
    }

    fn lost(&self, thing: &Thing, one: &Update<'_>, other: &Update<'_>) -> Event {
        let name = self.name_of(thing);
        let root = self.threads.root(one.root);
        let step = |span: Span, what| PathStep { span, what };
        let mut path = Vec::new();
        for root in [one.root, other.root] {
            let root = self.threads.root(root);
            path.extend(
                root.at()
                    .map(|at| step(at, StepKind::RunBeside(root.api()))),
            );
        }
        if other.access.span != one.access.span {
            path.push(step(other.access.span, StepKind::Assigned(name.clone())));
        }
        path.push(step(one.access.span, StepKind::Assigned(name.clone())));
        path.dedup();
        Event {
            kind: EventKind::Unguarded(UnguardedAccess {
                thing: name,
                writes: true,
                through: None,
                lock: None,
                guarded: (
                    self.program.function(self.all[other.f]).name.clone(),
                    other.access.span,
                ),
                guarded_writes: true,
                runs: root
                    .start
                    .as_ref()
                    .map(|s| words(&s.how))
                    .unwrap_or_default(),
            }),
            at: one.access.span,
            function: self.program.function(self.all[one.f]).name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}

/// Two threads that one function starts are given the same object.
fn given_same(shared: &Shared<'_, '_>, a: &ThreadStart, b: &ThreadStart) -> bool {
    let (Some((f, _)), Some((g, _))) = (a.by, b.by) else {
        return false;
    };
    let places = &shared.program.function(f).places;
    f == g
        && a.given.iter().any(|given| {
            b.given.iter().any(|other| {
                given.param == other.param
                    && given.by_address == other.by_address
                    && (given.place == other.place || places[given.place] == places[other.place])
            })
        })
}
