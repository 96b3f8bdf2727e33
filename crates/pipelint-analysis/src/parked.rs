//! Counts of shared pointers that an operation's completion takes back, and when they are added.
//!
//! Whoever completes an operation whose OVERLAPPED stands in the object of an `Arc` makes an `Arc` again of
//! its address. The count for it must be there before the operation is started: a completion may run on
//! another thread before the starting call has returned.

use pipelint_ir::{
    Base, Callee, Function, Name, Operand, Place, PlaceId, Proj, Rvalue, Statement, Type,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::contexts::address_of;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::io_fault::IoFault;
use crate::pending::Pending;
use crate::program::{FnRef, Program, Target, last};
use crate::started::reaches;
use crate::state::{Fact, State};
use crate::taken_back::{is_own, pointee_named};
use crate::values::{LocId, ValId};

const ARC: &str = "std::sync::Arc";
const FORGET: &str = "std::mem::forget";
/// How far copies of a pointer are followed within a function.
const COPIES: u32 = 4;
/// How many callers, one above the other, are asked for a lock.
const CALLERS: u32 = 3;

/// A place in a function: the block, the statement.
type At = (usize, usize);

/// A clone of the shared pointer to an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    clone: ValId,
    class: Name,
    at: Span,
}

/// A count that a path adds after the start of the operation that it is for.
#[derive(Debug)]
pub(crate) struct Late {
    by: FnRef,
    /// What the pointer points to.
    class: Name,
    /// The call that starts the operation.
    start: Span,
    /// Where the count is added.
    counted: Span,
    event: Event,
}

impl Exec<'_, '_> {
    /// `arc.clone()`, `Arc::clone(&arc)` of an object with an operation under way: nothing else happens.
    pub(crate) fn counts_pointer(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
    ) -> bool {
        if state.pending.is_empty() {
            return false;
        }
        let (Some(dst), Some((object, ty))) = (dst, self.cloned(state, callee, args)) else {
            return false;
        };
        let class = ty.args.first();
        let class = class.and_then(|of| pointee_named(self.program, self.unit, self.scope(), of));
        let of: Vec<LocId> = state
            .pending
            .iter()
            .filter(|(loc, p)| self.is_of(*loc, object) && p.started.is_some() && !p.routine)
            .map(|(loc, _)| loc)
            .collect();
        let Some(class) = class.filter(|_| !of.is_empty()) else {
            return false;
        };
        let v = self.fresh(state, 0);
        let mut fact = Fact::default();
        fact.exclude(0);
        state.facts.insert(v, fact);
        let counted = Counted {
            clone: v,
            class,
            at: self.span,
        };
        for loc in of {
            if let Some(p) = state.pending.get_mut(loc) {
                p.counted.push(counted.clone());
            }
        }
        self.store_result(state, Some(dst), v);
        true
    }

    /// The object of the shared pointer that a call clones, and the pointer's type.
    fn cloned(
        &mut self,
        state: &mut State,
        callee: &Callee,
        args: &[Operand],
    ) -> Option<(LocId, Type)> {
        match (callee, args) {
            (Callee::Method { name, receiver, .. }, []) if name == "clone" => {
                let at = &self.function.places[*receiver];
                let (Proj::Deref, proj) = at.proj.split_last()? else {
                    return None;
                };
                let pointer = Place {
                    base: at.base.clone(),
                    proj: proj.to_vec(),
                };
                let ty = self
                    .program
                    .place_type(self.unit, self.function, &pointer, &|_| None)
                    .filter(is_arc)?;
                Some((self.place(state, *receiver), ty))
            }
            (Callee::Function(name), [arg @ (Operand::Copy(at) | Operand::Move(at))])
                if name == "std::sync::Arc::clone" =>
            {
                let of = address_of(self.function, *at).unwrap_or(*at);
                let ty = self.declared_type_of(of).filter(is_arc)?;
                let v = self.operand(state, arg);
                let pointer = self.pointee(v);
                let v = self.read(state, pointer);
                Some((self.pointee(v), ty))
            }
            _ => None,
        }
    }

    /// An OVERLAPPED stands in this object.
    fn is_of(&self, overlapped: LocId, object: LocId) -> bool {
        let root = self.arena.root(overlapped);
        root == object
            || self
                .way_to(root)
                .is_some_and(|way| self.way_to(object) == Some(way))
    }

    /// A clone is kept from ending: what gives its count back is another thread's, which may have done so.
    pub(crate) fn note_parked(&mut self, state: &mut State, v: ValId, by: &Name) {
        if state.pending.is_empty() {
            return;
        }
        self.settle_io(state);
        let late: Vec<(LocId, Pending)> = state
            .pending
            .iter()
            .filter(|(_, p)| p.counted.iter().any(|c| c.clone == v))
            .map(|(loc, p)| (loc, p.clone()))
            .collect();
        for (loc, pending) in late {
            let counted = pending.counted.iter().find(|c| c.clone == v).cloned();
            let (Some(counted), Some((api, start))) = (counted, pending.started.clone()) else {
                continue;
            };
            let fault = IoFault::CountedLate {
                started: api,
                class: Name::new(last(&counted.class)),
                counted: counted.at,
                taken: (Name::default(), start),
            };
            let step = StepKind::Forgotten(by.clone());
            let event = self.io_event(state, loc, &pending, fault, start, step);
            let by = self.me;
            self.found.counted_late.extend(event.map(|event| Late {
                by,
                class: counted.class,
                start,
                counted: counted.at,
                event,
            }));
        }
    }
}

fn is_arc(ty: &Type) -> bool {
    ty.name == ARC
}

/// The late counts that a completion in sight takes back, while nothing keeps it from running.
pub(crate) fn joined(program: &Program<'_>, all: &mut [Findings]) -> Vec<Event> {
    let late = all.iter_mut().flat_map(|f| f.counted_late.drain(..));
    let late: Vec<Late> = late.collect();
    if late.is_empty() {
        return Vec::new();
    }
    let takers = takers(program);
    let locks = Locks::new(program);
    let mut events = Vec::new();
    for late in late {
        let takes = takers.iter().find(|(class, f, _)| {
            let of = class
                .as_ref()
                .map_or(f.0 == late.by.0, |c| *c == late.class);
            of && *f != late.by
        });
        let Some((_, taker, span)) = takes else {
            continue;
        };
        let function = program.function(late.by);
        let (Some(start), Some(counted)) = (at(function, late.start), at(function, late.counted))
        else {
            continue;
        };
        if is_parked_else(program, &late, start, counted)
            || locks.held(late.by, start, &mut FxHashSet::default(), CALLERS)
        {
            continue;
        }
        let mut event = late.event;
        if let EventKind::Io(IoFault::CountedLate { taken, .. }) = &mut event.kind {
            *taken = (Name::new(last(&program.function(*taker).name)), *span);
        }
        event.others = vec![
            PathStep {
                span: late.counted,
                what: StepKind::Passed("clone".into()),
            },
            PathStep {
                span: *span,
                what: StepKind::Passed("Arc::from_raw".into()),
            },
        ];
        events.push(event);
    }
    events
}

/// Where a statement of this place stands.
fn at(function: &Function, span: Span) -> Option<At> {
    let mut blocks = function.map.stmts.iter().enumerate();
    blocks.find_map(|(b, spans)| {
        let calls = |i: &usize| {
            let stmt = function.blocks.get(b).and_then(|block| block.stmts.get(*i));
            matches!(stmt, Some(Statement::Call { .. }))
        };
        let mut found = (0..spans.len()).filter(|i| spans[*i] == span);
        Some((b, found.find(calls)?))
    })
}

/// Who makes an `Arc` again of the address of an OVERLAPPED that came back: of which class, and where.
fn takers(program: &Program<'_>) -> Vec<(Option<Name>, FnRef, Span)> {
    let mut found = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call {
                    callee: Callee::Function(name),
                    args,
                    ..
                } = stmt
                else {
                    continue;
                };
                let takes = matches!(
                    &**name,
                    "std::sync::Arc::from_raw" | "std::sync::Arc::decrement_strong_count"
                );
                let [Operand::Copy(of) | Operand::Move(of)] = args[..] else {
                    continue;
                };
                if !takes || is_own(program, f, of, COPIES) || !completes(function) {
                    continue;
                }
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                let class = program.class_of_place(f.0, function, of);
                let class = class.and_then(|c| pointee_named(program, f.0, &function.name, &c));
                found.push((class, f, span.copied().unwrap_or(function.map.name)));
            }
        }
    }
    found
}

/// It is given the OVERLAPPED of what has completed, or asks a port for it.
fn completes(function: &Function) -> bool {
    function.locals.iter().any(|l| {
        let ty = &l.ty;
        let led_to = ty.pointers > 0 || ty.reference != pipelint_ir::Reference::None;
        matches!(last(&ty.name), "OVERLAPPED_ENTRY")
            || (led_to && matches!(last(&ty.name), "OVERLAPPED" | "WSAOVERLAPPED"))
    })
}

/// The operation may have a count that was added before its start, or the late one may be another's.
fn is_parked_else(program: &Program<'_>, late: &Late, start: At, counted: At) -> bool {
    let f = late.by;
    let function = program.function(f);
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let here = (b, i);
            let target = program.target(f.0, function, callee, args.len());
            let parks = match (target, callee) {
                (Target::Defined(g), _) => parks(program, g),
                (_, Callee::Function(name)) => is_parking(name),
                _ => false,
            };
            if parks && reaches(function, here, start) {
                return true;
            }
            // What is registered or started after it may be what the count is for.
            let begins = match target {
                Target::Model(model) => {
                    model.start().is_some()
                        || model.starts.is_some()
                        || !model.acquires.is_empty()
                        || model.arms.is_some()
                }
                Target::Defined(g) => starts(program, g),
                Target::Unknown => {
                    let raw = |arg: &Operand| match arg {
                        Operand::Copy(p) | Operand::Move(p) => {
                            let ty =
                                program.place_type(f.0, function, &function.places[*p], &|_| None);
                            ty.is_some_and(|ty| ty.pointers > 0)
                        }
                        Operand::Const(_) => false,
                    };
                    let forget = matches!(callee, Callee::Function(name) if is_parking(name));
                    !forget && args.iter().any(raw)
                }
            };
            if begins && here != start && reaches(function, counted, here) {
                return true;
            }
        }
    }
    false
}

/// A call that keeps a pointer from ending, or adds a count to it.
fn is_parking(name: &str) -> bool {
    matches!(
        name,
        FORGET | "std::sync::Arc::into_raw" | "std::sync::Arc::increment_strong_count"
    )
}

/// A function of the program that calls one.
fn parks(program: &Program<'_>, f: FnRef) -> bool {
    calls(program.function(f)).any(|c| matches!(c, Callee::Function(name) if is_parking(name)))
}

/// A function of the program that starts operations itself.
fn starts(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| match stmt {
        Statement::Call { callee, args, .. } => matches!(
            program.target(f.0, function, callee, args.len()),
            Target::Model(model) if model.start().is_some() || model.starts.is_some()
        ),
        _ => false,
    })
}

fn calls(function: &Function) -> impl Iterator<Item = &Callee> {
    let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.filter_map(|stmt| match stmt {
        Statement::Call { callee, .. } => Some(callee),
        _ => None,
    })
}

/// Who holds a lock while something happens: what a completion may have to wait for.
struct Locks<'p, 'm> {
    program: &'p Program<'m>,
    /// What locks keep, by class.
    kept: FxHashSet<Name>,
    callers: FxHashMap<FnRef, Vec<(FnRef, At)>>,
}

impl<'p, 'm> Locks<'p, 'm> {
    fn new(program: &'p Program<'m>) -> Self {
        let mut kept = FxHashSet::default();
        for class in program.units.iter().flat_map(|unit| &unit.classes) {
            for field in class.fields.iter().filter(|f| is_lock(&f.ty)) {
                kept.extend(field.ty.args.first().cloned());
            }
        }
        let mut callers: FxHashMap<FnRef, Vec<(FnRef, At)>> = FxHashMap::default();
        for f in program.all() {
            let function = program.function(f);
            for (b, block) in function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    if let Statement::Call { callee, args, .. } = stmt
                        && let Target::Defined(g) =
                            program.target(f.0, function, callee, args.len())
                    {
                        callers.entry(g).or_default().push((f, (b, i)));
                    }
                }
            }
        }
        Self {
            program,
            kept,
            callers,
        }
    }

    /// The function holds a lock at a place, was given what one keeps, or is called by one that does.
    fn held(&self, f: FnRef, at: At, seen: &mut FxHashSet<FnRef>, above: u32) -> bool {
        let function = self.program.function(f);
        if !seen.insert(f) {
            return false;
        }
        if self.is_given(function) || self.takes(f, at) {
            return true;
        }
        let callers = self.callers.get(&f).filter(|_| above > 0);
        let mut callers = callers.into_iter().flatten();
        callers.any(|(caller, at)| self.held(*caller, *at, seen, above - 1))
    }

    /// What a lock keeps, or its guard, is the method's object or a parameter.
    fn is_given(&self, function: &Function) -> bool {
        let keeps = |name: &Name| self.kept.contains(name);
        let given = function.locals.iter().take(function.params as usize);
        let mut given = given.map(|l| &l.ty);
        function.class.as_ref().is_some_and(keeps)
            || given.any(|ty| keeps(&ty.name) || last(&ty.name).ends_with("Guard"))
    }

    /// A lock is taken before a place, and not let go on every way to it.
    fn takes(&self, f: FnRef, at: At) -> bool {
        let function = self.program.function(f);
        let blocks = function.blocks.iter().enumerate();
        let mut stmts = blocks.flat_map(|(b, block)| {
            let stmts = block.stmts.iter().enumerate();
            stmts.map(move |(i, stmt)| ((b, i), stmt))
        });
        stmts.any(|(here, stmt)| {
            let Statement::Call {
                dst: Some(dst),
                callee: Callee::Method { receiver, name, .. },
                ..
            } = stmt
            else {
                return false;
            };
            let guards = matches!(
                name.as_str(),
                "lock" | "try_lock" | "write" | "try_write" | "upgradable_read"
            );
            let place = &function.places[*receiver];
            let ty = self
                .program
                .place_type(f.0, function, place, &|_| None)
                .or_else(|| match stmt {
                    Statement::Call {
                        callee: Callee::Method { ty, .. },
                        ..
                    } => ty.as_deref().cloned(),
                    _ => None,
                });
            guards && ty.is_none_or(|ty| is_lock(&ty)) && still_there(function, *dst, here, at)
        })
    }
}

fn is_lock(ty: &Type) -> bool {
    let name = last(&ty.name);
    name.ends_with("Mutex") || name.ends_with("RwLock") || name == "ReentrantLock"
}

/// A value reaches a place, in whatever variable, without its end in between.
fn still_there(function: &Function, value: PlaceId, from: At, to: At) -> bool {
    let mut variables = FxHashSet::default();
    variables.extend(local(function, value));
    let mut seen: FxHashSet<At> = FxHashSet::default();
    let mut todo = vec![(from.0, from.1 + 1, variables)];
    while let Some((b, first, mut held)) = todo.pop() {
        if !seen.insert((b, first)) {
            continue;
        }
        let Some(block) = function.blocks.get(b) else {
            continue;
        };
        let mut let_go = false;
        for (i, stmt) in block.stmts.iter().enumerate().skip(first) {
            if (b, i) == to {
                return true;
            }
            follow(function, stmt, &mut held);
            if held.is_empty() {
                let_go = true;
                break;
            }
        }
        if !let_go {
            crate::program::successors(&block.term, |s| todo.push((s, 0, held.clone())));
        }
    }
    false
}

fn local(function: &Function, place: PlaceId) -> Option<u32> {
    match function.places[place].base {
        Base::Local(l) => Some(l.0),
        _ => None,
    }
}

/// Where a value is after a statement: moves take it along, a drop ends it.
fn follow(function: &Function, stmt: &Statement, held: &mut FxHashSet<u32>) {
    let moved = |op: &Operand| match op {
        Operand::Move(place) => local(function, *place),
        _ => None,
    };
    match stmt {
        Statement::Assign { dst, value } => {
            let mut from = Vec::new();
            match value {
                Rvalue::Use(op) => from.extend(moved(op)),
                Rvalue::Aggregate(items) => from.extend(items.iter().filter_map(|(_, o)| moved(o))),
                _ => {}
            }
            for from in from {
                if held.remove(&from) {
                    held.extend(local(function, *dst));
                }
            }
        }
        Statement::Drop { place, .. } => {
            if let Some(of) = local(function, *place) {
                held.remove(&of);
            }
        }
        Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        } if last(name) == "drop" => {
            for of in args.iter().filter_map(moved) {
                held.remove(&of);
            }
        }
        _ => {}
    }
}
