//! Memory that a thread uses while another one frees it, with no lock at all: the field of an object that the
//! thread was given points to it, and who frees it does not ask whether the thread is still there.
//!
//! That others can call a function says little: most of what frees an object's parts is for the end, when no
//! thread is left. So it is told of two kinds alone. The starting function itself frees the memory, behind the
//! start; or what is offered to others does, and shows that it reckons with the thread: it asks the count or
//! the flag that the starting function sets, and frees without regard to the answer.

use std::collections::BTreeMap;

use pipelint_ir::{Base, BinOp, Callee, Name, Operand, Place, PlaceId, Proj, Rvalue, Statement};
use pipelint_models::RunsOn;
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::cfg::visit_reads;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Looker, Thing, Variables};
use crate::frees::{Fills, Freed, Frees, Given, whole};
use crate::on_the_way::{Asker, Part};
use crate::program::{FnRef, last};
use crate::started::reaches;
use crate::thread_starts::ThreadStart;
use crate::threads::{RootId, words};
use crate::unguarded::Shared;
use crate::words::has_word;

/// How many calls lie between what others call and what frees.
pub(crate) const DEEPEST: usize = 4;
/// How far calls are followed for what they write, and for waits.
pub(crate) const CALLED: usize = 3;

/// A thread uses memory that is freed beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreedBeside {
    /// The field that points to the memory.
    pub thing: Name,
    /// What has the function run that uses it.
    pub api: Name,
    /// The function that others call, and that frees it.
    pub freer: Name,
    /// What it frees it with: `free`.
    pub by: Name,
    /// Where.
    pub freed: Span,
    /// How the two come to run at the same time, in words.
    pub runs: String,
}

/// A statement: its block and number.
pub(crate) type At = (usize, usize);

/// A function, where it calls another one, and which of what it was given it hands on.
pub(crate) type Caller = (usize, At, Given);

/// Where a thread uses what a field points to.
pub(crate) struct Use {
    pub(crate) f: usize,
    pub(crate) thing: Thing,
    pub(crate) span: Span,
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Up,
    Down,
    Sets,
    Clears,
    Other,
}

/// A thread that uses what somebody frees.
pub(crate) struct Thread<'t> {
    pub(crate) root: RootId,
    pub(crate) start: &'t ThreadStart,
    /// The starting function, and where it starts the thread.
    pub(crate) by: (usize, At),
    /// What the thread runs.
    pub(crate) reach: FxHashSet<usize>,
    /// What is written around the start and by the thread: whoever asks it may ask for the thread.
    pub(crate) written: Vec<Part>,
    /// What the thread itself writes.
    pub(crate) own: Vec<Part>,
    /// What the starting function counts up or sets: that the thread is there.
    pub(crate) marks: Vec<(Part, Change)>,
}

impl Shared<'_, '_> {
    /// Tells of each field of each thread once, at the thread's first use of it.
    pub(crate) fn freed_beside(
        &self,
        variables: &Variables,
        ordered: &FxHashSet<&Thing>,
    ) -> Vec<Event> {
        let starts = self.threads.starts().filter(|(_, start)| {
            start.by.is_some() && matches!(start.how.on, RunsOn::Thread | RunsOn::Pool)
        });
        let starts: Vec<(RootId, &ThreadStart)> = starts.collect();
        if starts.is_empty() {
            return Vec::new();
        }
        let frees = Frees::new(self.program, variables, self.all);
        let mut freed: BTreeMap<&Thing, Vec<&Freed>> = BTreeMap::new();
        for one in frees.of.iter().flatten() {
            if !ordered.contains(&one.thing) {
                freed.entry(&one.thing).or_default().push(one);
            }
        }
        let look = Look {
            shared: self,
            variables,
            freed,
        };
        let found: Vec<Vec<Event>> = starts
            .par_iter()
            .map(|(root, start)| look.thread(*root, start))
            .collect();
        let mut events: Vec<Event> = found.into_iter().flatten().collect();
        // One function may be started in several places.
        events.sort_by_key(|event| event.at);
        events.dedup_by_key(|event| event.at);
        events
    }
}

pub(crate) struct Look<'s, 'a, 'm> {
    pub(crate) shared: &'s Shared<'a, 'm>,
    pub(crate) variables: &'s Variables,
    pub(crate) freed: BTreeMap<&'s Thing, Vec<&'s Freed>>,
}

impl<'s, 'm> Look<'s, '_, 'm> {
    pub(crate) fn asker(&self, f: usize) -> Asker<'s, 'm> {
        let at = self.shared.all[f];
        let function = self.shared.program.function(at);
        Asker {
            program: self.shared.program,
            f: at,
            function,
            looker: Looker::new(self.shared.program, self.variables, at),
            fills: Fills::new(function),
        }
    }

    pub(crate) fn thread(&self, root: RootId, start: &ThreadStart) -> Vec<Event> {
        let Some((by, at)) = start.by else {
            return Vec::new();
        };
        let mut reach = self.shared.threads.reach_of(root, &|_| true);
        reach.sort_unstable();
        let uses = reach.iter().flat_map(|f| self.uses(root, *f));
        let mut first: BTreeMap<Thing, Use> = BTreeMap::new();
        for used in uses.filter(|used| self.freed.contains_key(&used.thing)) {
            first.entry(used.thing.clone()).or_insert(used);
        }
        let objects = self.objects(start);
        if first.is_empty() && objects.is_empty() {
            return Vec::new();
        }
        let mut thread = Thread {
            root,
            start,
            by: (self.shared.program.number(by), at),
            reach: reach.into_iter().collect(),
            written: Vec::new(),
            own: Vec::new(),
            marks: Vec::new(),
        };
        self.learn(&mut thread);
        let mut events = Vec::new();
        for (thing, used) in &first {
            let freed = self.freed.get(thing).into_iter().flatten();
            let freed: Vec<&Freed> = freed.copied().collect();
            // What the thread frees or fills itself is handed over.
            let takes = freed.iter().any(|one| thread.reach.contains(&one.f))
                || thread.own.iter().any(|p| p.thing.as_ref() == Some(thing));
            if takes {
                continue;
            }
            let behind = freed.iter().find(|one| self.behind_start(&thread, one));
            let found = behind.map(|one| (*one, Vec::new())).or_else(|| {
                let mut ways = freed.iter();
                ways.find_map(|one| Some((*one, self.offered(&thread, one)?)))
            });
            if let Some((one, way)) = found {
                events.push(self.event(&thread, used, one, &way));
            }
        }
        // The object itself is the thread's to free where it does so.
        let number = |f: &FnRef| self.shared.program.number(*f);
        let mut own = self.freed.keys();
        let takes = own.any(|thing| match thing {
            Thing::Local(f, local) => {
                let function = self.shared.program.function(*f);
                *local < function.params && thread.reach.contains(&number(f))
            }
            _ => false,
        });
        for (object, param) in objects.into_iter().filter(|_| !takes) {
            let freed = self.freed.get(&object).into_iter().flatten();
            let freed: Vec<&Freed> = freed.copied().collect();
            let behind = freed.iter().find(|one| self.behind_start(&thread, one));
            if let Some(one) = behind
                && let Some(used) = self.reached(&thread, param, &object)
            {
                events.push(self.event(&thread, &used, one, &[]));
            }
        }
        events
    }

    /// The variables of the starting function whose pointers the thread is given and that are freed, each
    /// with the parameter that gets it.
    pub(crate) fn objects(&self, start: &ThreadStart) -> Vec<(Thing, u32)> {
        let Some((by, _)) = start.by else {
            return Vec::new();
        };
        let function = self.shared.program.function(by);
        let given = start.given.iter().filter(|given| !given.by_address);
        let mut fills = None;
        given
            .filter_map(|given| {
                let fills = fills.get_or_insert_with(|| Fills::new(function));
                let place = fills.origin(function, function.places.get(given.place)?);
                let object = Thing::Local(by, whole(place)?);
                let freed = self.freed.contains_key(&object);
                freed.then_some((object, given.param))
            })
            .collect()
    }

    /// Where what a thread runs first reaches what a parameter points to, with no lock held.
    pub(crate) fn reached(&self, thread: &Thread<'_>, param: u32, object: &Thing) -> Option<Use> {
        let f = self.shared.program.number(thread.start.entry);
        let function = self.shared.program.function(thread.start.entry);
        if !self.is_bare(thread.root, f) {
            return None;
        }
        let fills = Fills::new(function);
        let leads = |place: &PlaceId| {
            let place = &function.places[*place];
            let through = matches!(place.proj.first(), Some(Proj::Deref | Proj::Index(_)));
            through && fills.given(function, &place.base) == Some(Given::Param(param))
        };
        function.blocks.iter().enumerate().find_map(|(b, block)| {
            let mut stmts = block.stmts.iter().enumerate();
            let (i, _) = stmts.find(|(_, stmt)| touched(stmt).iter().any(leads))?;
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            Some(Use {
                f,
                thing: object.clone(),
                span: *span?,
            })
        })
    }

    /// Where a function of a thread uses what fields of what it was given point to, with no lock held.
    pub(crate) fn uses(&self, root: RootId, f: usize) -> Vec<Use> {
        let at = self.shared.all[f];
        let Some(given) = self.shared.threads.shared(root, at) else {
            return Vec::new();
        };
        if given.is_nothing() || !self.is_bare(root, f) {
            return Vec::new();
        }
        let asker = self.asker(f);
        let function = asker.function;
        let led = given.led_to(function);
        let is_led = |place: &Place| match place.base {
            Base::SelfObj => given.this,
            Base::Local(l) => led.contains(&l.0) && place.proj.contains(&Proj::Deref),
            _ => false,
        };
        // The pointer that some steps from a base are.
        let pointer = |base: &Base, steps: &[Proj]| {
            let (thing, ty) = asker.looker.named(base, steps)?;
            let points = self.shared.program.resolve(ty).pointers > 0 && !ty.is_volatile;
            (points && matches!(thing, Thing::Field(_, _, false))).then_some(thing)
        };
        // A pointer, or the variable that it was copied to.
        let led_pointer = |place: &Place| {
            let copied = whole(place).and_then(|local| asker.fills.copied(function, local));
            let place = copied.unwrap_or(place);
            (is_led(place)).then(|| pointer(&place.base, &place.proj))?
        };
        let mut found = Vec::new();
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                let span = span.copied().unwrap_or(function.map.name);
                let mut add = |thing: Option<Thing>| {
                    found.extend(thing.map(|thing| Use { f, thing, span }));
                };
                for place in touched(stmt) {
                    let place = &function.places[place];
                    for (n, step) in place.proj.iter().enumerate() {
                        if !matches!(step, Proj::Deref | Proj::Index(_)) {
                            continue;
                        }
                        match n {
                            0 => {
                                let base = Place::from_base(place.base.clone());
                                let copied =
                                    whole(&base).and_then(|l| asker.fills.copied(function, l));
                                add(copied.and_then(led_pointer));
                            }
                            _ if is_led(place) => add(pointer(&place.base, &place.proj[..n])),
                            _ => {}
                        }
                    }
                }
                if let Statement::Call { callee, args, .. } = stmt
                    && !only_asks(callee)
                {
                    for arg in args {
                        if let Operand::Copy(p) | Operand::Move(p) = arg {
                            add(led_pointer(&function.places[*p]));
                        }
                    }
                }
            }
        }
        found
    }

    /// The thread comes to the function with no lock held on some way, and nothing on it orders memory.
    pub(crate) fn is_bare(&self, root: RootId, f: usize) -> bool {
        let contexts = self.shared.contexts;
        let mut ways = contexts.of(f).iter().enumerate();
        ways.any(|(n, way)| {
            let frames = contexts.frames(f, n);
            way.root == root
                && way.locks.is_empty()
                && !way.doubtful
                && !way.alone
                && !frames.into_iter().any(|f| self.orders(f))
        })
    }

    pub(crate) fn orders(&self, f: usize) -> bool {
        let at = self.shared.all[f];
        let looker = Looker::new(self.shared.program, self.variables, at);
        looker.accesses().orders
    }

    /// What the functions around a start write, and those of the thread.
    pub(crate) fn learn(&self, thread: &mut Thread<'_>) {
        let (by, at) = thread.by;
        let calls = &self.shared.threads.calls;
        let mut own: Vec<usize> = thread.reach.iter().copied().collect();
        own.sort_unstable();
        let own = own.into_iter().flat_map(|f| self.changes(f));
        thread.own = own.map(|(part, ..)| part).collect();
        let mut around = self.called(by, CALLED);
        let mut above = vec![by];
        for _ in 0..2 {
            above = above
                .iter()
                .flat_map(|f| &calls.into[*f])
                .copied()
                .collect();
            around.extend(&above);
        }
        around.sort_unstable();
        around.dedup();
        let around = around.into_iter().filter(|f| !thread.reach.contains(f));
        let around = around.flat_map(|f| self.changes(f));
        thread.written = around.map(|(part, ..)| part).collect();
        thread.written.extend(thread.own.iter().cloned());
        let function = self.shared.program.function(self.shared.all[by]);
        let marks = self
            .changes(by)
            .into_iter()
            .filter(|(part, change, written)| {
                let near = reaches(function, *written, at) || reaches(function, at, *written);
                let handle =
                    *change == Change::Other && thread.start.kept.as_ref() == Some(&part.name);
                near && part.thing.is_some()
                    && (matches!(change, Change::Up | Change::Sets) || handle)
            });
        thread.marks = marks.map(|(part, change, _)| (part, change)).collect();
    }

    /// A function and what it calls.
    pub(crate) fn called(&self, f: usize, depth: usize) -> Vec<usize> {
        let out = &self.shared.threads.calls.out;
        let mut found = vec![f];
        let mut last = vec![f];
        for _ in 0..depth {
            let next = last.iter().flat_map(|f| &out[*f]).map(|edge| edge.to);
            let mut next: Vec<usize> = next.filter(|f| !found.contains(f)).collect();
            next.sort_unstable();
            next.dedup();
            found.extend(&next);
            last = next;
        }
        found
    }

    /// The fields and variables that a function writes.
    pub(crate) fn changes(&self, f: usize) -> Vec<(Part, Change, At)> {
        let asker = self.asker(f);
        let places = &asker.function.places;
        let mut found = Vec::new();
        for (b, block) in asker.function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let (dst, value) = match stmt {
                    Statement::Assign { dst, value } => (*dst, Some(value)),
                    Statement::Call { dst: Some(dst), .. } => (*dst, None),
                    _ => continue,
                };
                let Some(mut part) = asker.part(&places[dst]) else {
                    continue;
                };
                let itself = |op: &Operand| match op {
                    Operand::Copy(p) | Operand::Move(p) => *p == dst || places[*p] == places[dst],
                    Operand::Const(_) => false,
                };
                let change = match value {
                    Some(Rvalue::Binary(op, a, b)) if itself(a) => match op {
                        BinOp::Add => Change::Up,
                        BinOp::Sub => Change::Down,
                        BinOp::BitOr => {
                            part.bits = asker
                                .bits(b, 0)
                                .filter(|(_, all_but)| !all_but)
                                .map(|(bits, _)| bits);
                            Change::Sets
                        }
                        BinOp::BitAnd => {
                            part.bits = asker
                                .bits(b, 0)
                                .filter(|(_, all_but)| *all_but)
                                .map(|(bits, _)| bits);
                            Change::Clears
                        }
                        _ => Change::Other,
                    },
                    Some(Rvalue::Use(op @ Operand::Const(_))) => match asker.number(op) {
                        Some(0) => Change::Clears,
                        Some(1) => Change::Sets,
                        _ => Change::Other,
                    },
                    _ => Change::Other,
                };
                found.push((part, change, (b, i)));
            }
        }
        found
    }

    pub(crate) fn event(
        &self,
        thread: &Thread<'_>,
        used: &Use,
        freed: &Freed,
        way: &[(usize, At)],
    ) -> Event {
        let program = self.shared.program;
        let function = |f: usize| program.function(self.shared.all[f]);
        let thing = match &used.thing {
            Thing::Local(f, local) => {
                let function = program.function(*f);
                let name = Fills::new(function).name(function, *local).cloned();
                name.unwrap_or_default()
            }
            thing => self.shared.name_of(thing),
        };
        let api = thread.start.how.api.clone();
        let top = way.first().map_or(freed.f, |(f, _)| *f);
        let step = |span: Span, what| PathStep { span, what };
        let mut path = vec![step(thread.start.span, StepKind::RunBeside(api.clone()))];
        for ((f, at), (called, _)) in way.iter().zip(way.iter().skip(1)) {
            let map = &function(*f).map;
            let span = map.stmts.get(at.0).and_then(|s| s.get(at.1));
            let name = Name::new(last(&function(*called).name));
            path.extend(span.map(|span| step(*span, StepKind::Called(name))));
        }
        path.push(step(freed.span, StepKind::Closed(freed.by.clone())));
        path.push(step(used.span, StepKind::Read(thing.clone())));
        path.dedup();
        Event {
            kind: EventKind::FreedBeside(FreedBeside {
                thing,
                api,
                freer: function(top).name.clone(),
                by: freed.by.clone(),
                freed: freed.span,
                runs: words(&thread.start.how),
            }),
            at: used.span,
            function: function(used.f).name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}

/// The places that a statement reads or writes; an address is no access.
fn touched(stmt: &Statement) -> Vec<PlaceId> {
    let mut found = Vec::new();
    if let Statement::Assign {
        value: Rvalue::Ref(_) | Rvalue::Closure(..),
        dst,
    } = stmt
    {
        return vec![*dst];
    }
    visit_reads(stmt, |place| found.push(place));
    if let Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } = stmt {
        found.push(*dst);
    }
    found
}

/// What only asks whether a pointer is null, or does nothing with it.
fn only_asks(callee: &Callee) -> bool {
    const WORDS: &[&str] = &[
        "assert", "check", "unused", "likely", "unlikely", "expect", "verify",
    ];
    match callee {
        Callee::Function(name) | Callee::Method { name, .. } => has_word(last(name), WORDS),
        _ => false,
    }
}
