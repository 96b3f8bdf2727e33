//! Threads that are started before what they use is there: a lock that is initialised, or a handle
//! that is made, only after the call that starts a thread or work item which uses it.

use std::collections::BTreeMap;

use pipelint_ir::{Base, Callee, Const, Function, Name, Operand, PlaceId, Proj, Rvalue, Statement};
use pipelint_models::{FunctionModel, LockDoes, Slot};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last, successors};

/// Functions that a thread may lead to before it is not followed any more.
const MOST_FUNCTIONS: usize = 400;
/// How deep a parameter is followed into called functions.
const DEEPEST: u32 = 4;

/// What a thread and its starter share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Thing {
    Global(Name),
    /// A field, by its class.
    Field(Name, Name),
}

/// What a call does with an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Does {
    /// Makes the lock that it points to usable.
    Initialises,
    /// Takes the lock that it points to.
    Locks,
    /// Needs it as a live handle.
    Uses,
    /// Waits for it, so that another thread can say when to go on.
    Waits,
    /// Puts a new handle where it points.
    Fills,
}

/// A place in a function where something happens to a thing.
#[derive(Debug, Clone)]
struct Touch {
    thing: Thing,
    does: Does,
    /// The variable whose part the thing is, for a field.
    base: Option<Base>,
    api: Name,
    at: (usize, usize),
    span: Span,
}

/// A call that starts a thread.
#[derive(Debug, Clone)]
struct Start {
    api: Name,
    callback: FnRef,
    /// The variable or object that the thread is given.
    context: Option<Base>,
    at: (usize, usize),
    span: Span,
}

/// What one function does with things that outlive it.
#[derive(Debug, Default)]
struct Touches {
    touches: Vec<Touch>,
    starts: Vec<Start>,
    /// Functions that it calls, or whose address it takes.
    leads_to: Vec<FnRef>,
}

/// Tells of every thread that is started too early.
pub(crate) fn started_too_early(program: &Program<'_>) -> Vec<Event> {
    let starters: Vec<FnRef> = program
        .all()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter(|&f| starts_threads(program, f))
        .collect();
    if starters.is_empty() {
        return Vec::new();
    }
    // Few starters make anything after a start: the whole program is read only for these.
    let near = touches_of(program, &called_from(program, &starters), &starters);
    let makes_late = |f: &FnRef| {
        let mine = &near[f];
        let mut starts = mine.starts.iter();
        starts.any(|start| !made_after(program.function(*f), mine, start).is_empty())
    };
    if !starters.iter().any(makes_late) {
        return Vec::new();
    }
    let all: Vec<FnRef> = program.all().collect();
    let known = touches_of(program, &all, &all);
    // Which functions make each thing.
    let mut makers: FxHashMap<&Thing, Vec<FnRef>> = FxHashMap::default();
    for (f, touches) in &known {
        for touch in &touches.touches {
            if matches!(touch.does, Does::Initialises | Does::Fills) {
                let makers = makers.entry(&touch.thing).or_default();
                if !makers.contains(f) {
                    makers.push(*f);
                }
            }
        }
    }
    let mut events = Vec::new();
    for f in starters {
        let mine = &known[&f];
        for start in &mine.starts {
            events.extend(too_early(program, &known, &makers, f, mine, start));
        }
    }
    events
}

/// What some functions do, where parameters are followed through these `callees`.
fn touches_of(
    program: &Program<'_>,
    callees: &[FnRef],
    functions: &[FnRef],
) -> FxHashMap<FnRef, Touches> {
    let calls = Calls::new(program, callees);
    let touches = functions.par_iter().map(|&f| {
        let calls = &calls;
        (f, Looker { program, calls, f }.touches())
    });
    touches.collect()
}

/// The functions that these call, as deep as parameters are followed.
fn called_from(program: &Program<'_>, functions: &[FnRef]) -> Vec<FnRef> {
    let mut seen: FxHashSet<FnRef> = FxHashSet::default();
    let mut found = Vec::new();
    let mut now = functions.to_vec();
    for _ in 0..=DEEPEST {
        let mut next = Vec::new();
        for f in now {
            let function = program.function(f);
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                if let Statement::Call { callee, args, .. } = stmt
                    && let Target::Defined(g) = program.target(f.0, function, callee, args.len())
                    && seen.insert(g)
                {
                    next.push(g);
                }
            }
        }
        found.extend(&next);
        now = next;
    }
    found
}

/// What a function makes only after this start.
fn made_after<'t>(function: &Function, mine: &'t Touches, start: &Start) -> Vec<&'t Touch> {
    let makes = |t: &&Touch| matches!(t.does, Does::Initialises | Does::Fills);
    let made = mine.touches.iter().filter(makes);
    made.filter(|t| reaches(function, start.at, t.at) && !reaches(function, t.at, start.at))
        // This function does so nowhere before.
        .filter(|t| {
            let same = mine
                .touches
                .iter()
                .filter(makes)
                .filter(|o| o.thing == t.thing);
            same.into_iter().all(|o| !reaches(function, o.at, start.at))
        })
        // A field is the thread's where the thread is given its object.
        .filter(|t| t.base.is_none() || t.base == start.context)
        .collect()
}

fn too_early(
    program: &Program<'_>,
    known: &FxHashMap<FnRef, Touches>,
    makers: &FxHashMap<&Thing, Vec<FnRef>>,
    f: FnRef,
    mine: &Touches,
    start: &Start,
) -> Option<Event> {
    let function = program.function(f);
    // Nobody else makes it.
    let mut after = made_after(function, mine, start);
    after.retain(|t| makers.get(&t.thing).is_some_and(|m| m[..] == [f]));
    if after.is_empty() {
        return None;
    }
    let thread = thread_of(known, start.callback)?;
    // The thread may wait until its starter says that all is there.
    let told = thread
        .iter()
        .filter(|(_, (does, ..))| matches!(does, Does::Waits | Does::Locks));
    let told: FxHashSet<&Thing> = told.map(|(thing, _)| *thing).collect();
    let synchronised = mine
        .touches
        .iter()
        .any(|t| told.contains(&t.thing) && !after.iter().any(|a| a.thing == t.thing));
    if synchronised {
        return None;
    }
    let (made, (_, api, used)) = after.iter().find_map(|t| {
        let use_of = thread.get(&t.thing)?;
        let fits = match t.does {
            Does::Initialises => use_of.0 == Does::Locks,
            _ => use_of.0 != Does::Initialises,
        };
        fits.then_some((*t, use_of))
    })?;
    let name = match &made.thing {
        Thing::Global(name) | Thing::Field(_, name) => name.clone(),
    };
    let callback = program.function(start.callback);
    let step = |span, what| PathStep { span, what };
    Some(Event {
        kind: EventKind::StartedTooEarly {
            var: name,
            starter: start.api.clone(),
            thread: callback.name.clone(),
            made: (made.api.clone(), made.span),
            used: (api.clone(), *used),
        },
        at: start.span,
        function: function.name.clone(),
        resource: None,
        path: vec![
            step(start.span, StepKind::Called(callback.name.clone())),
            step(*used, StepKind::Passed(api.clone())),
        ],
        others: Vec::new(),
    })
}

/// What a thread does with things, itself and in all that it leads to; none where that is too much.
fn thread_of(
    known: &FxHashMap<FnRef, Touches>,
    callback: FnRef,
) -> Option<BTreeMap<&Thing, (Does, Name, Span)>> {
    let mut seen: FxHashSet<FnRef> = FxHashSet::default();
    let mut todo = vec![callback];
    let mut found: BTreeMap<&Thing, (Does, Name, Span)> = BTreeMap::new();
    while let Some(f) = todo.pop() {
        if !seen.insert(f) {
            continue;
        }
        if seen.len() > MOST_FUNCTIONS {
            return None;
        }
        let Some(touches) = known.get(&f) else {
            continue;
        };
        for touch in &touches.touches {
            let new = (touch.does, touch.api.clone(), touch.span);
            let known = found.entry(&touch.thing).or_insert_with(|| new.clone());
            // Taking a lock, or making the thing itself, says more than a use.
            let rank = |does: Does| match does {
                Does::Initialises | Does::Fills => 3,
                Does::Locks => 2,
                Does::Waits => 1,
                Does::Uses => 0,
            };
            if (rank(new.0), std::cmp::Reverse(new.2)) > (rank(known.0), std::cmp::Reverse(known.2))
            {
                *known = new;
            }
        }
        todo.extend(&touches.leads_to);
    }
    // What the thread makes itself is none of its starter's.
    found.retain(|_, (does, ..)| !matches!(does, Does::Initialises | Does::Fills));
    Some(found)
}

/// A statement may run after another one in the same call.
pub(crate) fn reaches(function: &Function, from: (usize, usize), to: (usize, usize)) -> bool {
    if from.0 == to.0 && from.1 < to.1 {
        return true;
    }
    let mut seen = vec![false; function.blocks.len()];
    let mut todo = Vec::new();
    let next = |b: usize, todo: &mut Vec<usize>| {
        if let Some(block) = function.blocks.get(b) {
            successors(&block.term, |s| todo.push(s));
        }
    };
    next(from.0, &mut todo);
    while let Some(b) = todo.pop() {
        if b == to.0 {
            return true;
        }
        if seen.get(b).is_none_or(|s| *s) {
            continue;
        }
        seen[b] = true;
        next(b, &mut todo);
    }
    false
}

fn starts_threads(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let mut statements = function.blocks.iter().flat_map(|b| &b.stmts);
    statements.any(|stmt| match stmt {
        Statement::Call {
            callee: callee @ Callee::Function(_),
            args,
            ..
        } => matches!(
            program.target(f.0, function, callee, args.len()),
            Target::Model(model) if model.starts.is_some()
        ),
        _ => false,
    })
}

/// What calls do with their arguments.
#[derive(Default)]
struct Calls {
    /// Functions that take a lock that is no handle: by name, the arguments.
    locks: FxHashMap<Name, Vec<usize>>,
    /// Functions of the program that hand a parameter on.
    parameters: FxHashMap<(FnRef, usize), Does>,
}

impl Calls {
    fn new(program: &Program<'_>, all: &[FnRef]) -> Self {
        let mut calls = Self::default();
        for (_, lock) in program.models.locks() {
            for call in lock.calls.iter().filter(|c| c.does != LockDoes::Unlock) {
                for name in &call.names {
                    let args = calls.locks.entry(Name::new(name)).or_default();
                    args.push(call.arg);
                }
            }
        }
        let handed_on: Vec<Vec<HandedOn<'_>>> =
            all.par_iter().map(|&f| handed_on(program, f)).collect();
        for _ in 0..DEEPEST {
            let mut now: FxHashMap<(FnRef, usize), Does> = FxHashMap::default();
            for (&f, handed_on) in all.iter().zip(&handed_on) {
                let looker = Looker {
                    program,
                    calls: &calls,
                    f,
                };
                for (j, target, api, k) in handed_on {
                    let Some(does) = looker.does(*target, api, *k) else {
                        continue;
                    };
                    let known = now.entry((f, *j)).or_insert(does);
                    // A function that makes the thing and uses it makes it.
                    if !matches!(known, Does::Initialises | Does::Fills) {
                        *known = does;
                    }
                }
            }
            calls.parameters = now;
        }
        calls
    }
}

/// A parameter, the call that it is handed to, the call's name, the argument.
type HandedOn<'p> = (usize, Target<'p>, Name, usize);

/// Parameters that the function hands on as they are: to which call, as which argument.
fn handed_on<'p>(program: &'p Program<'_>, f: FnRef) -> Vec<HandedOn<'p>> {
    let function = program.function(f);
    let mut found = Vec::new();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call {
            callee: callee @ Callee::Function(name),
            args,
            ..
        } = stmt
        else {
            continue;
        };
        for (k, arg) in args.iter().enumerate() {
            let Operand::Copy(place) = arg else { continue };
            let place = &function.places[*place];
            if let (Base::Local(l), []) = (&place.base, &place.proj[..])
                && l.0 < function.params
            {
                let target = program.target(f.0, function, callee, args.len());
                found.push((l.0 as usize, target, Name::new(last(name)), k));
            }
        }
    }
    found
}

/// Looks at one function.
struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    calls: &'a Calls,
    f: FnRef,
}

impl Looker<'_, '_> {
    fn function(&self) -> &Function {
        self.program.function(self.f)
    }

    fn touches(&self) -> Touches {
        let function = self.function();
        let mut found = Touches::default();
        let addresses = addresses(function);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                let span = span.copied().unwrap_or(function.map.name);
                for name in crate::summaries::function_names(stmt) {
                    let f = self.program.only_function(self.f.0, function, name);
                    found.leads_to.extend(f);
                }
                if let Statement::Call {
                    dst, callee, args, ..
                } = stmt
                {
                    let call = Site {
                        dst: *dst,
                        callee,
                        args,
                        at: (b, i),
                        span,
                    };
                    self.call(&addresses, &call, &mut found);
                }
            }
        }
        found
    }

    fn call(&self, addresses: &FxHashMap<PlaceId, PlaceId>, call: &Site<'_>, found: &mut Touches) {
        let function = self.function();
        let target = self
            .program
            .target(self.f.0, function, call.callee, call.args.len());
        let api = match call.callee {
            Callee::Function(name) => Name::new(last(name)),
            Callee::Method { name, .. } => name.clone(),
            _ => Name::default(),
        };
        if let Target::Defined(g) = target {
            found.leads_to.push(g);
        }
        for (j, arg) in call.args.iter().enumerate() {
            let Operand::Copy(place) = arg else { continue };
            let (of, address) = match addresses.get(place) {
                Some(of) => (*of, true),
                None => (*place, false),
            };
            let Some((thing, base)) = self.thing(of) else {
                continue;
            };
            let Some(does) = self.does(target, &api, j) else {
                continue;
            };
            if address != matches!(does, Does::Initialises | Does::Locks | Does::Fills) {
                continue;
            }
            found.touches.push(Touch {
                thing,
                does,
                base,
                api: api.clone(),
                at: call.at,
                span: call.span,
            });
        }
        let Target::Model(model) = target else { return };
        let makes = model.acquires.iter().any(|a| a.at == Slot::Result);
        if let (true, Some((thing, base))) = (makes, call.dst.and_then(|d| self.thing(d))) {
            found.touches.push(Touch {
                thing,
                does: Does::Fills,
                base,
                api: api.clone(),
                at: call.at,
                span: call.span,
            });
        }
        found.starts.extend(self.start(model, api, addresses, call));
    }

    fn start(
        &self,
        model: &FunctionModel,
        api: Name,
        addresses: &FxHashMap<PlaceId, PlaceId>,
        call: &Site<'_>,
    ) -> Option<Start> {
        let starts = model.starts.as_ref()?;
        if let Some(flags) = starts.flags
            && !matches!(
                call.args.get(flags),
                Some(Operand::Const(Const::Int(0) | Const::Null))
            )
        {
            return None;
        }
        let function = self.function();
        let Operand::Const(Const::Function(name)) = call.args.get(starts.callback)? else {
            return None;
        };
        let callback = self.program.only_function(self.f.0, function, name)?;
        let context = match call.args.get(starts.context) {
            Some(Operand::Copy(place)) => {
                let of = addresses.get(place).unwrap_or(place);
                let of = &function.places[*of];
                of.proj.is_empty().then(|| of.base.clone())
            }
            _ => None,
        };
        Some(Start {
            api,
            callback,
            context,
            at: call.at,
            span: call.span,
        })
    }

    /// What a call does with its `j`-th argument.
    fn does(&self, target: Target<'_>, api: &Name, j: usize) -> Option<Does> {
        match target {
            Target::Model(model) => {
                if model.initialises.contains(&j) {
                    return Some(Does::Initialises);
                }
                if self
                    .calls
                    .locks
                    .get(api)
                    .is_some_and(|args| args.contains(&j))
                {
                    return Some(Does::Locks);
                }
                if model.acquires.iter().any(|a| a.at.argument() == Some(j)) {
                    return Some(Does::Fills);
                }
                let handle = model.io.as_ref().is_some_and(|io| io.handle == j);
                if api.starts_with("WaitFor") && model.needs.contains(&j) {
                    return Some(Does::Waits);
                }
                (handle || model.needs.contains(&j)).then_some(Does::Uses)
            }
            Target::Defined(g) => self.calls.parameters.get(&(g, j)).copied(),
            Target::Unknown => None,
        }
    }

    /// The global, or field of an object, that a place is.
    fn thing(&self, place: PlaceId) -> Option<(Thing, Option<Base>)> {
        let function = self.function();
        let at = &function.places[place];
        match (&at.base, &at.proj[..]) {
            (Base::Global(name), []) => Some((Thing::Global(Name::new(last(name))), None)),
            (Base::SelfObj, [Proj::Field(field)]) => {
                let class = function.class.clone()?;
                Some((Thing::Field(class, field.clone()), Some(Base::SelfObj)))
            }
            (Base::Local(l), [Proj::Deref, Proj::Field(field)]) => {
                let ty = self.program.resolve(&function.locals.get(l.0 as usize)?.ty);
                let class = self
                    .program
                    .class_named(self.f.0, &function.name, &ty.name)?;
                let thing = Thing::Field(class.name.clone(), field.clone());
                Some((thing, Some(at.base.clone())))
            }
            _ => None,
        }
    }
}

/// A call as it stands in a function.
struct Site<'s> {
    dst: Option<PlaceId>,
    callee: &'s Callee,
    args: &'s [Operand],
    at: (usize, usize),
    span: Span,
}

/// Temporaries that hold the address of a place.
fn addresses(function: &Function) -> FxHashMap<PlaceId, PlaceId> {
    let mut found = FxHashMap::default();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        if let Statement::Assign {
            dst,
            value: Rvalue::Ref(of),
        } = stmt
        {
            found.insert(*dst, *of);
        }
    }
    found
}
