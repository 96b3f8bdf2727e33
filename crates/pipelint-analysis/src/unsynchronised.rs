//! Flags that one thread polls in a loop and another one sets, with nothing that orders the two.

use std::cell::RefCell;

use pipelint_ir::{Function, FunctionKind, Language, Name};
use pipelint_models::RunsOn;
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Accesses, Looker, Poll, Thing, Variables, Write};
use crate::program::{FnRef, Program, last};
use crate::thread_calls::Shared;
use crate::threads::{Beside, CALLERS, RootId, Threads, words};

/// A plain variable is polled on one thread and set on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsynchronisedFlag {
    /// The variable or field.
    pub flag: Name,
    /// The function that sets it, and where.
    pub written: (Name, Span),
    /// What the function runs on that does not run on the caller's thread: the call that starts it.
    pub starter: Name,
    /// It is the thread that polls; otherwise it sets.
    pub thread_polls: bool,
    /// It is a signal's handler.
    pub signal: bool,
    /// It is on a thread of the system's for the console.
    pub console: bool,
    /// What makes it run beside, in words.
    pub runs: String,
    /// The loop calls nothing: a compiler may well read the flag once.
    pub bare: bool,
    /// In Rust, where it is a `static mut`.
    pub rust: bool,
}

/// Tells of each flag once, at the loop that polls it.
pub(crate) fn unsynchronised_flags(
    program: &Program<'_>,
    all: &[FnRef],
    threads: &Threads<'_, '_>,
) -> Vec<Event> {
    let variables = Variables::new(program);
    let accesses: Vec<Accesses> = all
        .par_iter()
        .map(|&f| Looker::new(program, &variables, f).accesses())
        .collect();
    let lent: FxHashSet<&Thing> = accesses.iter().flat_map(|a| &a.lent).collect();
    let mut polled: FxHashMap<&Thing, Vec<(usize, &Poll)>> = FxHashMap::default();
    let mut written: FxHashMap<&Thing, Vec<(usize, &Write)>> = FxHashMap::default();
    for (f, accesses) in accesses.iter().enumerate() {
        for poll in accesses.polls.iter().filter(|p| !lent.contains(&p.thing)) {
            polled.entry(&poll.thing).or_default().push((f, poll));
        }
        for write in &accesses.writes {
            written.entry(&write.thing).or_default().push((f, write));
        }
    }
    let join = Join {
        program,
        all,
        threads,
        accesses: &accesses,
        reached: RefCell::default(),
        beside: RefCell::default(),
    };
    let mut things: Vec<&Thing> = polled.keys().copied().collect();
    things.retain(|thing| written.contains_key(*thing));
    things.sort();
    let found = things
        .iter()
        .map(|thing| (&polled[*thing], &written[*thing]));
    found
        .filter_map(|(polls, writes)| join.fault(polls, writes))
        .collect()
}

struct Join<'a, 'm> {
    program: &'a Program<'m>,
    all: &'a [FnRef],
    threads: &'a Threads<'a, 'm>,
    accesses: &'a [Accesses],
    /// What is known of a root already: what it comes to, and what the callers run beside it.
    reached: RefCell<FxHashMap<RootId, FxHashSet<usize>>>,
    beside: RefCell<FxHashMap<RootId, FxHashMap<usize, Beside>>>,
}

/// A poll, a write, and the two roots.
struct Pair<'p> {
    poll: (usize, &'p Poll),
    write: (usize, &'p Write),
    reader: RootId,
    writer: RootId,
}

impl Join<'_, '_> {
    fn fault(&self, polls: &[(usize, &Poll)], writes: &[(usize, &Write)]) -> Option<Event> {
        for &poll in polls {
            for &write in writes {
                if !poll.1.ends_at(write.1.value) || (write.1.wakes && poll.1.waits) {
                    continue;
                }
                if let Some((reader, writer)) = self.roots(poll, write) {
                    return Some(self.event(&Pair {
                        poll,
                        write,
                        reader,
                        writer,
                    }));
                }
            }
        }
        None
    }

    /// Two roots that poll and write at the same time, with no lock on the way to either.
    fn roots(&self, poll: (usize, &Poll), write: (usize, &Write)) -> Option<(RootId, RootId)> {
        let (f, g) = (poll.0, write.0);
        let readers = self.threads.of(self.all[f]);
        let writers = self.threads.of(self.all[g]);
        for &reader in readers.iter().filter(|r| **r != CALLERS) {
            if !self.has_poll(reader, poll) {
                continue;
            }
            // A variable of the function that starts the thread: its other accesses are there.
            if let Thing::Local(outer, _) = poll.1.thing {
                if self.is_around(reader, outer, g) && self.open(g) {
                    let runs = self.threads.runs_beside(reader, g, write.1.at);
                    return runs.then_some((reader, CALLERS));
                }
                continue;
            }
            for &writer in writers.iter().filter(|w| **w != reader) {
                let parallel = match writer {
                    CALLERS => self.beside(reader, g, write.1.at),
                    _ => self.has_write(writer, write),
                };
                if parallel {
                    return Some((reader, writer));
                }
            }
        }
        if let Thing::Local(outer, _) = poll.1.thing {
            let mut writers = writers.iter().filter(|w| **w != CALLERS && self.open(f));
            let writer = writers.find(|w| {
                self.is_around(**w, outer, f)
                    && self.comes_to(**w, g)
                    && self.threads.runs_beside(**w, f, poll.1.at)
            });
            return writer.map(|writer| (CALLERS, *writer));
        }
        if readers.contains(&CALLERS) {
            for &writer in writers.iter().filter(|w| **w != CALLERS) {
                if self.has_write(writer, write) && self.beside(writer, f, poll.1.at) {
                    return Some((CALLERS, writer));
                }
            }
        }
        None
    }

    /// A function starts the thread, and is the one that has the variable.
    fn is_around(&self, root: RootId, outer: FnRef, f: usize) -> bool {
        let start = self.threads.root(root).start.as_ref();
        let by = start.and_then(|start| start.by);
        self.all[f] == outer && by.is_some_and(|(by, _)| by == outer)
    }

    fn open(&self, f: usize) -> bool {
        !self.accesses[f].orders
    }

    /// The callers may be at this statement while a thread runs, under no lock.
    fn beside(&self, thread: RootId, f: usize, at: (usize, usize)) -> bool {
        let function = self.program.function(self.all[f]);
        if matches!(
            function.kind,
            FunctionKind::Constructor | FunctionKind::FieldInit
        ) {
            return false;
        }
        let mut known = self.beside.borrow_mut();
        let beside = known.entry(thread);
        let beside = beside.or_insert_with(|| self.threads.beside(thread, &|f| self.open(f)));
        beside.contains_key(&f) && self.threads.runs_beside(thread, f, at)
    }

    /// A thread comes to the loop under no lock, and what it polls is not its own.
    fn has_poll(&self, root: RootId, (f, poll): (usize, &Poll)) -> bool {
        self.comes_to(root, f)
            && self.is_shared(root, f, &poll.thing, |shared, function, locals| {
                match (poll.place, poll.getter) {
                    (Some(place), _) => shared.is_part(function, locals, place),
                    (None, Some(at)) => {
                        let getter = self.threads.calls.out[f].iter().find(|e| e.at == at);
                        getter.is_some_and(|edge| {
                            let callee = self.program.function(self.all[edge.to]);
                            shared.handed(function, locals, at, callee).this
                        })
                    }
                    (None, None) => false,
                }
            })
    }

    fn has_write(&self, root: RootId, (f, write): (usize, &Write)) -> bool {
        self.comes_to(root, f)
            && self.is_shared(root, f, &write.thing, |shared, function, locals| {
                shared.is_part(function, locals, write.place)
            })
    }

    fn comes_to(&self, root: RootId, f: usize) -> bool {
        let mut known = self.reached.borrow_mut();
        let reached = known.entry(root).or_insert_with(|| {
            let reached = self.threads.reach_of(root, &|f| self.open(f));
            reached.into_iter().collect()
        });
        reached.contains(&f)
    }

    fn is_shared(
        &self,
        root: RootId,
        f: usize,
        thing: &Thing,
        is: impl Fn(&Shared, &Function, &FxHashSet<u32>) -> bool,
    ) -> bool {
        if !matches!(thing, Thing::Field(_, _, false)) {
            return true;
        }
        let Some(shared) = self.threads.shared(root, self.all[f]) else {
            return false;
        };
        let function = self.program.function(self.all[f]);
        is(shared, function, &shared.locals(function))
    }

    fn event(&self, pair: &Pair<'_>) -> Event {
        let (f, poll) = pair.poll;
        let (g, write) = pair.write;
        let thread_polls = pair.reader != CALLERS;
        let root = match thread_polls {
            true => self.threads.root(pair.reader),
            false => self.threads.root(pair.writer),
        };
        let handler = |on: RunsOn| {
            let roots = [pair.reader, pair.writer];
            roots.iter().any(|r| self.threads.root(*r).on() == Some(on))
        };
        let reader = self.program.function(self.all[f]);
        let writer = self.program.function(self.all[g]);
        let flag = match &poll.thing {
            Thing::Global(u, g) => self.program.units[*u].globals[*g].name.clone(),
            Thing::Field(_, name, _) => name.clone(),
            Thing::Local(f, l) | Thing::Behind(f, l) => {
                let local = self.program.function(*f).locals.get(*l as usize);
                local.map(|local| local.name.clone()).unwrap_or_default()
            }
        };
        let flag = Name::new(last(&flag));
        let step = |span, what| PathStep { span, what };
        let mut path = Vec::new();
        if let Some(at) = root.at() {
            path.push(step(at, StepKind::RunBeside(root.api())));
        }
        path.push(step(write.span, StepKind::Assigned(flag.clone())));
        path.push(step(poll.span, StepKind::Branch(false)));
        Event {
            kind: EventKind::UnsynchronisedFlag(UnsynchronisedFlag {
                flag,
                written: (writer.name.clone(), write.span),
                starter: root.api(),
                thread_polls,
                signal: handler(RunsOn::Signal),
                console: handler(RunsOn::Console),
                runs: root
                    .start
                    .as_ref()
                    .map(|s| words(&s.how))
                    .unwrap_or_default(),
                bare: !poll.calls,
                rust: self.program.units[self.all[f].0].language == Language::Rust,
            }),
            at: poll.span,
            function: reader.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}
