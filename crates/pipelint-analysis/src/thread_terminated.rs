//! Threads that are ended from outside, or say that they may be at any point, while they can hold a lock, the
//! heap's own among them, or have an operation under way.

use std::collections::VecDeque;

use pipelint_ir::{
    Base, Callee, Class, Const, Function, Language, LocalId, Mark, Name, Operand, PlaceId, Proj,
    Rvalue, Statement,
};
use pipelint_models::{Condition, LockDoes};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::callback_classes::reach;
use crate::contexts::address_of;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::guard_dropped::written;
use crate::guard_types::{GuardType, GuardTypes};
use crate::program::{FnRef, Program, Target, last, successors};
use crate::summaries::Order;

/// What a thread can have when it is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// This lock; empty where it has no name.
    Lock(Name),
    /// An operation that this call starts.
    Operation(Name),
    /// The heap's lock: this call allocates or frees.
    Heap(Name),
}

impl Holds {
    fn rank(&self) -> u8 {
        match self {
            Self::Lock(_) => 0,
            Self::Operation(_) => 1,
            Self::Heap(_) => 2,
        }
    }
}

type At = (usize, usize);

/// A variable that a thread's handle or object is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kept {
    Local(FnRef, LocalId),
    /// A field of the class, where that is known.
    Field(Option<Name>, Name),
    Global(Name),
}

impl Kept {
    fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(a, x), Self::Field(b, y)) => {
                x == y && (a.is_none() || b.is_none() || a == b)
            }
            _ => self == other,
        }
    }
}

/// A call that starts a thread.
struct Start {
    by: FnRef,
    at: At,
    span: Span,
    runs: FnRef,
    kept: Vec<Kept>,
    /// It does not run before somebody resumes it.
    suspended: bool,
}

/// One event for each call that ends a thread which can hold something.
pub(crate) fn terminated(
    program: &Program<'_>,
    order: &Order,
    types: &GuardTypes<'_, '_>,
) -> Vec<Event> {
    let mut looker = Looker {
        program,
        order,
        types,
        holds: FxHashMap::default(),
    };
    let mut events = Vec::new();
    let mut ends = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                match callee {
                    Callee::Function(_) => {
                        if let Target::Model(model) =
                            program.target(f.0, function, callee, args.len())
                        {
                            if let Some(arg) = model.ends_thread.and_then(|n| args.get(n)) {
                                ends.push((f, (b, i), arg));
                            }
                            if model
                                .killable
                                .as_ref()
                                .is_some_and(|when| is_said(when, args))
                            {
                                events.extend(looker.killable(f, (b, i)));
                            }
                        }
                    }
                    Callee::Method { name, .. } if program.models.ends_threads(last(name)) => {
                        events.extend(looker.object(f, (b, i), callee, last(name)));
                    }
                    _ => {}
                }
            }
        }
    }
    if ends.is_empty() {
        return events;
    }
    let starts = looker.starts();
    for (f, at, arg) in ends {
        events.extend(looker.handle(f, at, arg, &starts));
    }
    events
}

/// A condition that the arguments as written fulfil.
fn is_said(when: &Condition, args: &[Operand]) -> bool {
    let (Some(wanted), Some(arg)) = (&when.equals, args.get(when.arg)) else {
        return false;
    };
    match arg {
        Operand::Const(Const::Named(name)) => name == wanted.as_str(),
        Operand::Const(Const::Int(n)) => wanted.parse() == Ok(*n),
        _ => false,
    }
}

struct Looker<'a, 'p, 'm> {
    program: &'a Program<'m>,
    order: &'a Order,
    types: &'a GuardTypes<'p, 'm>,
    holds: FxHashMap<FnRef, Option<(Holds, Span)>>,
}

impl Looker<'_, '_, '_> {
    /// The threads that the program starts, and where it keeps them.
    fn starts(&self) -> Vec<Start> {
        let mut starts = Vec::new();
        for by in self.program.all() {
            let function = self.program.function(by);
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    let Statement::Call {
                        dst: Some(dst),
                        callee,
                        args,
                        ..
                    } = stmt
                    else {
                        continue;
                    };
                    let Some((callback, flags)) = self.runs(by, callee, args) else {
                        continue;
                    };
                    let Some(runs) = self.function_in(by, callback) else {
                        continue;
                    };
                    starts.push(Start {
                        by,
                        at: (b, i),
                        span: span(function, (b, i)),
                        runs,
                        kept: self.kept(by, *dst),
                        suspended: flags.is_some_and(is_suspended),
                    });
                }
            }
        }
        starts
    }

    /// The argument with the function that a call runs in a thread of its own, and the one with flags.
    fn runs<'o>(
        &self,
        by: FnRef,
        callee: &Callee,
        args: &'o [Operand],
    ) -> Option<(&'o Operand, Option<&'o Operand>)> {
        let function = self.program.function(by);
        match callee {
            Callee::Function(name) if name == "std::thread::spawn" => Some((args.first()?, None)),
            Callee::Function(_) => {
                let Target::Model(model) = self.program.target(by.0, function, callee, args.len())
                else {
                    return None;
                };
                let starts = model.starts.as_ref()?;
                Some((
                    args.get(starts.callback)?,
                    starts.flags.and_then(|n| args.get(n)),
                ))
            }
            Callee::Constructor(ty) => {
                let ty = self.program.resolve(ty);
                let thread = matches!(ty.name.as_str(), "std::thread" | "std::jthread");
                thread.then(|| args.first().map(|arg| (arg, None)))?
            }
            _ => None,
        }
    }

    /// The function that a value is: by its name, or a lambda.
    fn function_in(&self, by: FnRef, op: &Operand) -> Option<FnRef> {
        let function = self.program.function(by);
        let place = match op {
            Operand::Const(Const::Function(name)) => {
                return self.program.only_function(by.0, function, name);
            }
            Operand::Copy(place) | Operand::Move(place) => *place,
            Operand::Const(_) => return None,
        };
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.find_map(|stmt| match stmt {
            Statement::Assign { dst, value } if *dst == place => match value {
                Rvalue::Closure(name, _) => self.program.lambda(by.0, name),
                // Rust: `Some(run)`.
                Rvalue::Aggregate(parts) => parts.iter().find_map(|(_, part)| match part {
                    Operand::Const(Const::Function(name)) => {
                        self.program.only_function(by.0, function, name)
                    }
                    _ => None,
                }),
                Rvalue::Use(Operand::Const(Const::Function(name)))
                | Rvalue::Cast(_, Operand::Const(Const::Function(name))) => {
                    self.program.only_function(by.0, function, name)
                }
                _ => None,
            },
            _ => None,
        })
    }

    /// Where a value is kept that was put into a place: there, and where the function puts it next.
    fn kept(&self, by: FnRef, place: PlaceId) -> Vec<Kept> {
        let function = self.program.function(by);
        let mut places = vec![place];
        let mut known = 0;
        while known < places.len() && places.len() < 16 {
            let from = places[known];
            known += 1;
            let is = |op: &Operand| matches!(op, Operand::Copy(p) | Operand::Move(p) if *p == from);
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let to = match stmt {
                    Statement::Assign {
                        dst,
                        value: Rvalue::Use(op) | Rvalue::Cast(_, op),
                    } if is(op) => Some(*dst),
                    Statement::Call {
                        dst: Some(dst),
                        callee: Callee::Constructor(_),
                        args,
                        ..
                    } if args.len() == 1 && is(&args[0]) => Some(*dst),
                    Statement::Call {
                        callee: Callee::Method { receiver, name, .. },
                        args,
                        ..
                    } if args.len() == 1
                        && is(&args[0])
                        && matches!(last(name), "reset" | "attach" | "Attach" | "operator=") =>
                    {
                        Some(*receiver)
                    }
                    _ => None,
                };
                if let Some(to) = to
                    && !places.contains(&to)
                {
                    places.push(to);
                }
            }
        }
        places.iter().filter_map(|p| self.name_of(by, *p)).collect()
    }

    /// The variable that a place is, elements of arrays taken together.
    fn name_of(&self, f: FnRef, place: PlaceId) -> Option<Kept> {
        let function = self.program.function(f);
        let place = &function.places[place];
        let mut proj = &place.proj[..];
        while let [rest @ .., Proj::Index(_)] = proj {
            proj = rest;
        }
        match (&place.base, proj) {
            (base, [of @ .., Proj::Field(field)]) => {
                let class = self.program.class_behind(f.0, function, base, of);
                Some(Kept::Field(class, field.clone()))
            }
            (Base::Local(local), []) => Some(Kept::Local(f, *local)),
            (Base::Global(name), []) => Some(Kept::Global(name.clone())),
            _ => None,
        }
    }

    /// The variables that a value comes from: through copies, casts, and what an owner lends.
    fn sources(&self, f: FnRef, op: &Operand) -> Vec<Kept> {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return Vec::new();
        };
        let function = self.program.function(f);
        let mut places = vec![*place];
        let mut known = 0;
        while known < places.len() && places.len() < 16 {
            let to = places[known];
            known += 1;
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let from = match stmt {
                    Statement::Assign {
                        dst,
                        value:
                            Rvalue::Use(Operand::Copy(from) | Operand::Move(from))
                            | Rvalue::Cast(_, Operand::Copy(from) | Operand::Move(from)),
                    } if *dst == to => Some(*from),
                    Statement::Call {
                        dst: Some(dst),
                        callee: Callee::Method { receiver, name, .. },
                        ..
                    } if *dst == to && lends(last(name)) => Some(*receiver),
                    _ => None,
                };
                if let Some(from) = from
                    && !places.contains(&from)
                {
                    places.push(from);
                }
            }
        }
        places.iter().filter_map(|p| self.name_of(f, *p)).collect()
    }

    /// A call that ends the thread of a handle.
    fn handle(&mut self, f: FnRef, at: At, arg: &Operand, starts: &[Start]) -> Option<Event> {
        let sources = self.sources(f, arg);
        for start in starts {
            let same = sources
                .iter()
                .any(|s| start.kept.iter().any(|k| k.may_be(s)));
            if !same || self.never_ran(f, at, start) {
                continue;
            }
            if let Some((holds, place)) = self.holds(start.runs) {
                let api = api(self.program.function(f), at);
                return Some(self.event(f, at, api, start.runs, Some(start.span), holds, place));
            }
        }
        None
    }

    /// The thread was made suspended, and no way from there to its end resumes it.
    fn never_ran(&self, f: FnRef, end: At, start: &Start) -> bool {
        if !start.suspended || start.by != f {
            return false;
        }
        let function = self.program.function(f);
        let resumes = |at: At| api(function, at) == "ResumeThread";
        let mut todo = VecDeque::from([((start.at.0, start.at.1 + 1), false)]);
        let mut seen = FxHashSet::default();
        while let Some(((b, first), mut resumed)) = todo.pop_front() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            let mut over = false;
            for i in first..block.stmts.len() {
                resumed |= resumes((b, i));
                if (b, i) == end && resumed {
                    return false;
                }
                over |= (b, i) == start.at;
            }
            if !over {
                successors(&block.term, |s| {
                    if seen.insert((s, resumed)) {
                        todo.push_back(((s, 0), resumed));
                    }
                });
            }
        }
        true
    }

    /// A call of a method that ends its object's thread.
    fn object(&mut self, f: FnRef, at: At, callee: &Callee, name: &str) -> Option<Event> {
        let function = self.program.function(f);
        let class = match callee {
            Callee::Method { receiver, .. } if self.is_self(function, *receiver) => {
                self.program.class(f.0, function.class.as_ref()?)
            }
            _ => self.program.class_of_receiver(f.0, function, callee),
        }?;
        let thread = self.thread_type(f.0, class, name)?;
        let runs = self.program.method(f.0, class, &thread.0, 0)?;
        let spared = |g: &FnRef| {
            let of = self.program.function(*g);
            let mut stmts = of.blocks.iter().flat_map(|b| &b.stmts);
            stmts.any(|stmt| match stmt {
                Statement::Call {
                    callee: Callee::Function(called) | Callee::Method { name: called, .. },
                    ..
                } => thread.1.iter().any(|s| s == last(called)),
                _ => false,
            })
        };
        if reach(self.program, self.order, runs).iter().any(spared) {
            return None;
        }
        let (holds, place) = self.holds(runs)?;
        let called = Name::new(format!("{}::{name}", thread.2));
        Some(self.event(f, at, called, runs, None, holds, place))
    }

    fn is_self(&self, function: &Function, place: PlaceId) -> bool {
        let place = &function.places[place];
        place.base == Base::SelfObj && place.proj.is_empty()
    }

    /// What a class's threads run, what keeps them from being ended, and the library's class that it is; none
    /// where it is none, or ends in a way of its own.
    fn thread_type(
        &self,
        unit: usize,
        class: &Class,
        method: &str,
    ) -> Option<(String, Vec<String>, String)> {
        let mut line = self.program.bases(unit, class);
        line.push(class);
        let own = |c: &&Class| c.methods.iter().any(|m| last(&m.name) == method);
        if line.iter().any(own) {
            return None;
        }
        let mut bases = line.iter().flat_map(|c| &c.bases);
        bases.find_map(|base| {
            let thread = self.program.models.thread_class(base)?;
            let ends = thread.terminate.iter().any(|t| t == method);
            let runs = thread.method.clone().filter(|_| ends)?;
            Some((runs, thread.spared_by.clone(), base.to_string()))
        })
    }

    /// A thread says that it may be ended at any point, and goes on to hold something.
    fn killable(&mut self, f: FnRef, at: At) -> Option<Event> {
        let function = self.program.function(f);
        let mut todo = VecDeque::from([(at.0, at.1 + 1)]);
        let mut seen = FxHashSet::default();
        while let Some((b, first)) = todo.pop_front() {
            let block = function.blocks.get(b)?;
            let mut over = false;
            for (i, stmt) in block.stmts.iter().enumerate().skip(first) {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                let name = api(function, (b, i));
                if matches!(
                    name.as_str(),
                    "pthread_setcanceltype" | "pthread_setcancelstate"
                ) {
                    over = true;
                    break;
                }
                let found = self.call_holds(f, (b, i)).or_else(|| {
                    match self.program.target(f.0, function, callee, args.len()) {
                        Target::Defined(g) => self.holds(g),
                        _ => None,
                    }
                });
                if let Some((holds, place)) = found {
                    return Some(self.event(f, at, api(function, at), f, None, holds, place));
                }
            }
            if !over {
                successors(&block.term, |s| {
                    if seen.insert(s) {
                        todo.push_back((s, 0));
                    }
                });
            }
        }
        None
    }

    /// What a thread that runs this can hold, and the call: of all that it leads to, the worst.
    fn holds(&mut self, runs: FnRef) -> Option<(Holds, Span)> {
        if let Some(known) = self.holds.get(&runs) {
            return known.clone();
        }
        let mut found: Option<(Holds, Span)> = None;
        for g in reach(self.program, self.order, runs) {
            let function = self.program.function(g);
            for (b, block) in function.blocks.iter().enumerate() {
                for i in 0..block.stmts.len() {
                    let new = self.call_holds(g, (b, i));
                    let rank = |held: &Option<(Holds, Span)>| {
                        held.as_ref().map_or(u8::MAX, |(holds, _)| holds.rank())
                    };
                    if rank(&new) < rank(&found) {
                        found = new;
                    }
                }
            }
        }
        self.holds.insert(runs, found.clone());
        found
    }

    /// What a statement takes, if it is a call that does.
    fn call_holds(&self, g: FnRef, at: At) -> Option<(Holds, Span)> {
        let function = self.program.function(g);
        let stmt = function.blocks.get(at.0)?.stmts.get(at.1)?;
        let place = span(function, at);
        let rust = self.program.units[g.0].language == Language::Rust;
        let (dst, callee, args) = match stmt {
            Statement::Call {
                dst, callee, args, ..
            } => (dst, callee, args),
            // What prints takes the lock of the stream.
            Statement::Mark(Mark::Logged) if rust => {
                return Some((Holds::Lock(Name::new_static("stdout")), place));
            }
            _ => return None,
        };
        let lock = || {
            let first = match callee {
                Callee::Method { receiver, .. } => Some(*receiver),
                _ => args.first().and_then(|arg| match arg {
                    Operand::Copy(p) | Operand::Move(p) => {
                        Some(address_of(function, *p).unwrap_or(*p))
                    }
                    Operand::Const(_) => None,
                }),
            };
            first.map(|p| written(function, p)).unwrap_or_default()
        };
        if rust {
            let local = dst.and_then(|dst| match function.places[dst].base {
                Base::Local(l) => function.locals.get(l.0 as usize),
                _ => None,
            });
            let held = local.and_then(|l| self.types.held(g.0, &function.name, &l.ty));
            if let Some((GuardType::Known(_), _)) = held {
                return Some((Holds::Lock(lock()), place));
            }
        } else if self
            .types
            .call_does(g.0, function, callee, LockDoes::Lock, true)
        {
            return Some((Holds::Lock(lock()), place));
        }
        match callee {
            Callee::Constructor(ty) if !rust && !args.is_empty() => {
                let guard = self.types.guard(g.0, &function.name, ty)?;
                matches!(guard, GuardType::Known(known) if !known.deferred)
                    .then(|| (Holds::Lock(lock()), place))
            }
            Callee::New(ty) => Some((
                Holds::Heap(Name::new(format!("new {}", last(&ty.name)))),
                place,
            )),
            Callee::Function(name) => {
                let Target::Model(model) = self.program.target(g.0, function, callee, args.len())
                else {
                    return None;
                };
                if let Some(start) = &model.starts_io {
                    let given = args.get(start.overlapped)?;
                    let none = matches!(given, Operand::Const(Const::Null | Const::Int(0)));
                    return (!none).then(|| (Holds::Operation(name.clone()), place));
                }
                let heap = |kind: &str| matches!(kind, "heap-block" | "heap-memory");
                let allocates = model.acquires.iter().any(|a| heap(&a.kind))
                    || model.releases.iter().any(|r| heap(&r.kind));
                allocates.then(|| (Holds::Heap(name.clone()), place))
            }
            _ => None,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn event(
        &self,
        f: FnRef,
        at: At,
        api: Name,
        runs: FnRef,
        started: Option<Span>,
        holds: Holds,
        taken: Span,
    ) -> Event {
        let function = self.program.function(f);
        let thread = self.program.function(runs);
        let step = |span, what| PathStep { span, what };
        let mut path = Vec::new();
        if let Some(started) = started {
            path.push(step(started, StepKind::Called(thread.name.clone())));
        }
        path.push(step(
            taken,
            match &holds {
                Holds::Lock(lock) => StepKind::Locked(lock.clone()),
                Holds::Operation(api) => StepKind::Started(api.clone()),
                Holds::Heap(api) => StepKind::Passed(api.clone()),
            },
        ));
        Event {
            kind: EventKind::ThreadTerminated {
                api,
                thread: Name::new(last(&thread.name)),
                holds,
                itself: runs == f,
            },
            at: span(function, at),
            function: function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}

fn span(function: &Function, (b, i): At) -> Span {
    let map = &function.map;
    let span = map.stmts.get(b).and_then(|spans| spans.get(i));
    span.copied().unwrap_or(map.name)
}

/// The function that a statement calls; empty for others.
fn api(function: &Function, (b, i): At) -> Name {
    match function.blocks.get(b).and_then(|block| block.stmts.get(i)) {
        Some(Statement::Call {
            callee: Callee::Function(name),
            ..
        }) => Name::new(last(name)),
        _ => Name::default(),
    }
}

/// A method that yields the handle which its object keeps.
fn lends(method: &str) -> bool {
    matches!(
        method,
        "get"
            | "Get"
            | "native_handle"
            | "as_raw_handle"
            | "handle"
            | "m_hObject"
            | "operator HANDLE"
    )
}

fn is_suspended(flags: &Operand) -> bool {
    match flags {
        Operand::Const(Const::Named(name)) => name == "CREATE_SUSPENDED",
        Operand::Const(Const::Int(n)) => n & 4 != 0,
        _ => false,
    }
}
