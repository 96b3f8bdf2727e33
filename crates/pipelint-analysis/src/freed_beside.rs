//! Memory that a thread uses while another one frees it, with no lock at all: the field of an object that the
//! thread was given points to it, and who frees it does not ask whether the thread is still there.
//!
//! That others can call a function says little: most of what frees an object's parts is for the end, when no
//! thread is left. So it is told of two kinds alone. The starting function itself frees the memory, behind the
//! start; or what is offered to others does, and shows that it reckons with the thread: it asks the count or
//! the flag that the starting function sets, and frees without regard to the answer.

use std::collections::BTreeMap;

use pipelint_ir::{
    Base, BinOp, Callee, CmpOp, Cond, Const, Function, FunctionKind, Name, Operand, Place, PlaceId,
    Proj, Rvalue, Statement, Terminator,
};
use pipelint_models::RunsOn;
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::cfg::visit_reads;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::flag_accesses::{Looker, Thing, Variables};
use crate::frees::{Fills, Freed, Frees, Given, whole};
use crate::on_the_way::{Asker, Part, begin_alike, deciding};
use crate::program::{FnRef, Target, last};
use crate::started::reaches;
use crate::thread_starts::ThreadStart;
use crate::threads::{RootId, words};
use crate::unguarded::Shared;
use crate::words::has_word;

/// How many calls lie between what others call and what frees.
const DEEPEST: usize = 4;
/// How far calls are followed for what they write, and for waits.
const CALLED: usize = 3;

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
type At = (usize, usize);

/// A function, where it calls another one, and which of what it was given it hands on.
type Caller = (usize, At, Given);

/// Where a thread uses what a field points to.
struct Use {
    f: usize,
    thing: Thing,
    span: Span,
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Up,
    Down,
    Sets,
    Clears,
    Other,
}

/// A thread that uses what somebody frees.
struct Thread<'t> {
    root: RootId,
    start: &'t ThreadStart,
    /// The starting function, and where it starts the thread.
    by: (usize, At),
    /// What the thread runs.
    reach: FxHashSet<usize>,
    /// What is written around the start and by the thread: whoever asks it may ask for the thread.
    written: Vec<Part>,
    /// What the thread itself writes.
    own: Vec<Part>,
    /// What the starting function counts up or sets: that the thread is there.
    marks: Vec<(Part, Change)>,
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

struct Look<'s, 'a, 'm> {
    shared: &'s Shared<'a, 'm>,
    variables: &'s Variables,
    freed: BTreeMap<&'s Thing, Vec<&'s Freed>>,
}

impl<'s, 'm> Look<'s, '_, 'm> {
    fn asker(&self, f: usize) -> Asker<'s, 'm> {
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

    fn thread(&self, root: RootId, start: &ThreadStart) -> Vec<Event> {
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
    fn objects(&self, start: &ThreadStart) -> Vec<(Thing, u32)> {
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
    fn reached(&self, thread: &Thread<'_>, param: u32, object: &Thing) -> Option<Use> {
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
    fn uses(&self, root: RootId, f: usize) -> Vec<Use> {
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
    fn is_bare(&self, root: RootId, f: usize) -> bool {
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

    fn orders(&self, f: usize) -> bool {
        let at = self.shared.all[f];
        let looker = Looker::new(self.shared.program, self.variables, at);
        looker.accesses().orders
    }

    /// What the functions around a start write, and those of the thread.
    fn learn(&self, thread: &mut Thread<'_>) {
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
    fn called(&self, f: usize, depth: usize) -> Vec<usize> {
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
    fn changes(&self, f: usize) -> Vec<(Part, Change, At)> {
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

    /// The starting function frees it itself, behind the start, and nothing decides that or waits between.
    fn behind_start(&self, thread: &Thread<'_>, freed: &Freed) -> bool {
        let (by, at) = thread.by;
        if freed.f != by || !self.shared.threads.runs_beside(thread.root, by, freed.at) {
            return false;
        }
        let asker = self.asker(by);
        let function = asker.function;
        if !reaches(function, at, freed.at) || self.holds(by, freed.at) {
            return false;
        }
        let given = thread.start.given.iter().any(|given| {
            let object = asker
                .fills
                .root(function, &function.places[given.place].base);
            let freed = asker.fills.root(function, &freed.place.base);
            object == freed || leads_to(&asker, &object, &freed)
        });
        let decides = deciding(function, at.0, freed.at.0);
        given
            && !refilled(function, &freed.place, at, freed.at)
            && decides.into_iter().all(|b| {
                self.has_started(&asker, b, at, freed.at.0)
                    || self.tells_nothing(&asker, b, thread, freed)
            })
            && !self.waits_between(thread, by, Some(at), freed.at)
    }

    /// The branch asks whether the start has worked, and the memory is freed where it has.
    fn has_started(&self, asker: &Asker<'_, '_>, b: usize, at: At, to: usize) -> bool {
        let function = asker.function;
        let dst = function.blocks.get(at.0).and_then(|b| b.stmts.get(at.1));
        let (
            Some(Statement::Call { dst: Some(dst), .. }),
            Some(Terminator::Branch {
                cond,
                then,
                otherwise,
            }),
        ) = (dst, function.blocks.get(b).map(|b| &b.term))
        else {
            return false;
        };
        let Cond {
            op,
            lhs: Operand::Copy(p) | Operand::Move(p),
            rhs: Operand::Const(Const::Null | Const::Int(0)),
        } = cond
        else {
            return false;
        };
        let asks = asker.fills.origin(function, &function.places[*p]) == &function.places[*dst];
        let (yes, no) = match op {
            CmpOp::Ne => (then.0 as usize, otherwise.0 as usize),
            CmpOp::Eq => (otherwise.0 as usize, then.0 as usize),
            _ => return false,
        };
        let leads = |from: usize| from == to || reaches(function, (from, 0), (to, 0));
        asks && leads(yes) && !leads(no)
    }

    /// What the branch at a block's end asks tells of no thread.
    fn tells_nothing(
        &self,
        asker: &Asker<'_, '_>,
        b: usize,
        thread: &Thread<'_>,
        freed: &Freed,
    ) -> bool {
        let Some(asked) = asker.asked(b) else {
            return false;
        };
        // That there is something to free says nothing of the thread.
        let mut asked = asked
            .iter()
            .filter(|p| p.thing.as_ref() != Some(&freed.thing));
        !asked.any(|part| {
            let mut written = thread.written.iter();
            written.any(|other| part.meets(other, self.shared.program))
        })
    }

    /// A lock may be held there.
    fn holds(&self, f: usize, at: At) -> bool {
        let held = self.shared.held.at(f, at);
        held.is_some_and(|held| held.unknown || !held.locks.is_empty())
    }

    /// Something may wait before a statement: from the function's beginning, or from another statement.
    fn waits_between(&self, thread: &Thread<'_>, f: usize, from: Option<At>, to: At) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let mut seen = FxHashSet::default();
        let between = |at: At| {
            at != to
                && reaches(function, at, to)
                && from.is_none_or(|from| at != from && reaches(function, from, at))
        };
        self.waits(thread, f, &between, CALLED, &mut seen)
    }

    /// Some wanted statement of a function waits, or what it calls.
    fn waits(
        &self,
        thread: &Thread<'_>,
        f: usize,
        wanted: &dyn Fn(At) -> bool,
        depth: usize,
        seen: &mut FxHashSet<usize>,
    ) -> bool {
        const WORDS: &[&str] = &[
            "wait",
            "join",
            "stop",
            "shutdown",
            "drain",
            "flush",
            "finish",
            "quit",
            "kill",
            "terminate",
            "sync",
            "barrier",
            "park",
            "abort",
            "cancel",
            "halt",
            "finalize",
        ];
        let at = self.shared.all[f];
        let program = self.shared.program;
        let function = program.function(at);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                if !wanted((b, i)) {
                    continue;
                }
                let name = match callee {
                    Callee::Function(name) | Callee::Method { name, .. } => last(name),
                    _ => "",
                };
                match program.target(at.0, function, callee, args.len()) {
                    Target::Model(model) => {
                        let ends = name.starts_with("Terminate");
                        if model.waits.is_some() || model.awaits_callbacks.is_some() || ends {
                            return true;
                        }
                    }
                    Target::Defined(g) => {
                        let g = program.number(g);
                        if depth > 0
                            && seen.insert(g)
                            && self.waits(thread, g, &|_| true, depth - 1, seen)
                        {
                            return true;
                        }
                    }
                    Target::Unknown => {
                        if has_word(name, WORDS) {
                            return true;
                        }
                    }
                }
            }
        }
        self.polls(thread, f, wanted)
    }

    /// A loop asks something that the thread writes.
    fn polls(&self, thread: &Thread<'_>, f: usize, wanted: &dyn Fn(At) -> bool) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let loops = |b: usize| reaches(function, (b, usize::MAX), (b, 0));
        let mut branches = (0..function.blocks.len())
            .filter(|b| matches!(function.blocks[*b].term, Terminator::Branch { .. }))
            .filter(|b| wanted((*b, function.blocks[*b].stmts.len())) && loops(*b))
            .peekable();
        if branches.peek().is_none() {
            return false;
        }
        let asker = self.asker(f);
        branches.any(|b| {
            let asked = asker.asked(b).into_iter().flatten();
            let mut asked = asked.filter(|part| part.thing.is_some());
            asked.any(|part| {
                let mut own = thread.own.iter();
                own.any(|other| part.meets(other, self.shared.program))
            })
        })
    }

    /// The way from a function that others can call at any time to what frees: each with the place of the call,
    /// from the outside in; the last one frees.
    fn offered(&self, thread: &Thread<'_>, freed: &Freed) -> Option<Vec<(usize, At)>> {
        let (by, at) = thread.by;
        let function = self.shared.program.function(self.shared.all[by]);
        // Who waits behind the start knows how far the thread is.
        let mut seen = FxHashSet::default();
        let behind = |to: At| reaches(function, at, to);
        if thread.marks.is_empty()
            || self.shared.threads.is_awaited(thread.root)
            || self.waits(thread, by, &behind, CALLED, &mut seen)
        {
            return None;
        }
        let object = self.asker(freed.f).fills.given(
            self.shared.program.function(self.shared.all[freed.f]),
            &freed.place.base,
        )?;
        let mut way = Vec::new();
        self.climb(thread, freed, (freed.f, freed.at, object), &mut way)
            .then(|| {
                way.reverse();
                way
            })
    }

    fn climb(
        &self,
        thread: &Thread<'_>,
        freed: &Freed,
        (f, at, object): (usize, At, Given),
        way: &mut Vec<(usize, At)>,
    ) -> bool {
        let known = way.iter().any(|(g, _)| *g == f);
        if known || way.len() > DEEPEST || !self.passes(thread, freed, (f, at)) {
            return false;
        }
        way.push((f, at));
        let (own, others) = self.callers(&freed.thing, f, object);
        let above = own.iter().map(|(caller, ..)| *caller).collect();
        let mut ways = own.into_iter();
        let found = ways.any(|caller| self.climb(thread, freed, caller, way))
            || self.is_believed(thread, way, (above, &others));
        if !found {
            way.pop();
        }
        found
    }

    /// The function comes to the statement whether the thread is there or not.
    fn passes(&self, thread: &Thread<'_>, freed: &Freed, (f, at): (usize, At)) -> bool {
        let function = self.shared.program.function(self.shared.all[f]);
        let ends = matches!(
            function.kind,
            FunctionKind::Constructor | FunctionKind::FieldInit | FunctionKind::Lambda
        );
        if ends
            || f == thread.by.0
            || thread.reach.contains(&f)
            || self.holds(f, at)
            || self.orders(f)
        {
            return false;
        }
        let asker = self.asker(f);
        let decides = deciding(function, 0, at.0);
        decides
            .into_iter()
            .all(|b| self.tells_nothing(&asker, b, thread, freed))
            && !self.waits_between(thread, f, None, at)
    }

    /// Who calls a function on what they were given themselves, and who does on other objects.
    fn callers(&self, thing: &Thing, f: usize, object: Given) -> (Vec<Caller>, Vec<(usize, At)>) {
        let calls = &self.shared.threads.calls;
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for &caller in &calls.into[f] {
            let function = self.shared.program.function(self.shared.all[caller]);
            let fills = Fills::new(function);
            for edge in calls.out[caller].iter().filter(|edge| edge.to == f) {
                let stmt = function.blocks.get(edge.at.0);
                let stmt = stmt.and_then(|b| b.stmts.get(edge.at.1));
                let passed = match (stmt, object) {
                    (Some(Statement::Call { args, .. }), Given::Param(n)) => {
                        match args.get(n as usize) {
                            Some(Operand::Copy(p) | Operand::Move(p)) => {
                                let place = fills.origin(function, &function.places[*p]);
                                whole(place).and_then(|_| fills.given(function, &place.base))
                            }
                            _ => None,
                        }
                    }
                    (
                        Some(Statement::Call {
                            callee: Callee::Method { receiver, .. },
                            ..
                        }),
                        Given::This,
                    ) => {
                        let place = &function.places[*receiver];
                        let itself = matches!(
                            (&place.base, &place.proj[..]),
                            (Base::SelfObj, []) | (Base::Local(_), [Proj::Deref])
                        );
                        itself.then(|| fills.given(function, &place.base)).flatten()
                    }
                    (Some(Statement::Call { .. }), Given::This) => Some(Given::This),
                    _ => None,
                };
                match passed.filter(|given| self.may_be_of(thing, caller, *given)) {
                    Some(given) => own.push((caller, edge.at, given)),
                    None => others.push((caller, edge.at)),
                }
            }
        }
        (own, others)
    }

    /// What a function is given may be an object that has the field, as far as its type tells.
    fn may_be_of(&self, thing: &Thing, f: usize, given: Given) -> bool {
        let (program, at) = (self.shared.program, self.shared.all[f]);
        let function = program.function(at);
        let (Given::Param(n), Thing::Field(class, ..)) = (given, thing) else {
            return true;
        };
        let base = Base::Local(pipelint_ir::LocalId(n));
        let behind = program.class_behind(at.0, function, &base, &[Proj::Deref]);
        let behind = behind.and_then(|name| program.class_ref_in(at.0, &function.name, &name));
        behind.is_none_or(|behind| begin_alike(program, behind, *class))
    }

    /// Others can call it while the thread is there, and the functions on the way reckon with that: they ask
    /// what tells of the thread, and do not count it down themselves.
    fn is_believed(
        &self,
        thread: &Thread<'_>,
        way: &[(usize, At)],
        (own, others): (Vec<usize>, &[(usize, At)]),
    ) -> bool {
        let Some((top, _)) = way.last() else {
            return false;
        };
        let threads = self.shared.threads;
        if !threads.is_offered(self.shared.all[*top]) || threads.calls.taken[*top] {
            return false;
        }
        let outside = (own.is_empty() && others.is_empty())
            || others.iter().any(|(caller, at)| {
                !self.is_after_dequeue(*caller, Some(*at), &mut FxHashSet::default())
                    && !self.waits_between(thread, *caller, None, *at)
            });
        if !outside {
            return false;
        }
        let program = self.shared.program;
        let way_and_others = way.iter().chain(others).map(|(f, _)| *f);
        let near: FxHashSet<usize> = way_and_others.chain(own).collect();
        thread.marks.iter().any(|(mark, change)| {
            let asks = way.iter().any(|(f, at)| {
                let asker = self.asker(*f);
                let decides = deciding(asker.function, 0, at.0);
                let blocks = (0..asker.function.blocks.len()).filter(|b| !decides.contains(b));
                let mut asked = blocks.filter_map(|b| asker.asked(b)).flatten();
                asked.any(|part| part.thing == mark.thing && part.meets(mark, program))
            });
            let undoes = match change {
                Change::Up => Change::Down,
                Change::Sets => Change::Clears,
                // The thread's handle.
                _ => return asks,
            };
            if !asks {
                return false;
            }
            let undone = |f: &usize| {
                let mut changes = self.changes(*f).into_iter();
                changes.any(|(part, change, _)| {
                    change == undoes && part.thing == mark.thing && part.meets(mark, program)
                })
            };
            !near.iter().any(undone)
                && (0..self.shared.all.len())
                    .into_par_iter()
                    .any(|f| !near.contains(&f) && undone(&f))
        })
    }

    /// The call is made after something was taken from a completion port, or all calls of the function are.
    fn is_after_dequeue(&self, f: usize, at: Option<At>, seen: &mut FxHashSet<usize>) -> bool {
        let program = self.shared.program;
        let function = program.function(self.shared.all[f]);
        let calls = &self.shared.threads.calls;
        let takes = |f: usize, wanted: &dyn Fn(At) -> bool| {
            let at = self.shared.all[f];
            let function = program.function(at);
            function.blocks.iter().enumerate().any(|(b, block)| {
                block.stmts.iter().enumerate().any(|(i, stmt)| match stmt {
                    Statement::Call {
                        callee: callee @ Callee::Function(_),
                        args,
                        ..
                    } => {
                        let target = program.target(at.0, function, callee, args.len());
                        matches!(target, Target::Model(m) if m.packet.is_some() || m.drains)
                            && wanted((b, i))
                    }
                    _ => false,
                })
            })
        };
        let before = |to: At| at.is_none_or(|at| reaches(function, to, at));
        let taken = takes(f, &before)
            || calls.out[f].iter().any(|edge| {
                let mut called = self.called(edge.to, 2).into_iter();
                before(edge.at) && called.any(|g| takes(g, &|_| true))
            });
        if taken || !seen.insert(f) {
            return true;
        }
        let into = &calls.into[f];
        !into.is_empty()
            && into.iter().all(|caller| {
                let edges = calls.out[*caller].iter().filter(|edge| edge.to == f);
                let edges: Vec<At> = edges.map(|edge| edge.at).collect();
                edges
                    .into_iter()
                    .all(|at| self.is_after_dequeue(*caller, Some(at), seen))
            })
    }

    fn event(&self, thread: &Thread<'_>, used: &Use, freed: &Freed, way: &[(usize, At)]) -> Event {
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

/// A pointer, or the variable that leads to it, is set between two statements.
fn refilled(function: &Function, pointer: &Place, from: At, to: At) -> bool {
    let blocks = function.blocks.iter().enumerate();
    let mut stmts = blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    });
    stmts.any(|(at, stmt)| {
        let dst = match stmt {
            Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => *dst,
            _ => return false,
        };
        let dst = &function.places[dst];
        let leads = dst.base == pointer.base && pointer.proj.starts_with(&dst.proj);
        leads && reaches(function, from, at) && reaches(function, at, to)
    })
}

/// The object that the thread is given was made to lead to another one: `request->owner = object`.
fn leads_to(asker: &Asker<'_, '_>, object: &Base, other: &Base) -> bool {
    let function = asker.function;
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Assign { dst, value } => {
            let dst = &function.places[*dst];
            let part = matches!(dst.proj.last(), Some(Proj::Field(_)));
            let from = match value {
                Rvalue::Use(Operand::Copy(p) | Operand::Move(p))
                | Rvalue::Cast(_, Operand::Copy(p) | Operand::Move(p))
                | Rvalue::Ref(p) => &function.places[*p],
                _ => return false,
            };
            part && asker.fills.root(function, &dst.base) == *object
                && (from.proj.is_empty())
                && asker.fills.root(function, &from.base) == *other
        }
        _ => false,
    })
}
