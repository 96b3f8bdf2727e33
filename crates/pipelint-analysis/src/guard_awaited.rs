//! Rust: guards that are alive where a task waits. Whoever else wants the lock meanwhile blocks a thread that
//! the task may need to go on.

use pipelint_ir::{
    Base, CmpOp, Const, Function, Language, LocalId, LocalKind, Mark, Name, Operand, PlaceId, Proj,
    Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::guard_dropped::written;
use crate::guard_fault::GuardFault;
use crate::guard_types::{GuardType, GuardTypes};
use crate::program::{FnRef, Program, last, successors};
use crate::rust::TAG;

/// Guards that are alive: the local that holds each, and where it was made.
type Alive = Vec<(LocalId, Made)>;

/// Where a guard was made: the call's place in the function, or none for a parameter.
type Made = Option<(usize, usize)>;

/// Blocks of a function that are looked at.
const MOST_BLOCKS: usize = 4000;

/// One event for each guard that is alive where its task waits, at the first such place.
pub(crate) fn held_over_await(program: &Program<'_>, types: &GuardTypes<'_, '_>) -> Vec<Event> {
    let mut events = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        if program.units[f.0].language != Language::Rust || !waits(function) {
            continue;
        }
        let mut flow = Flow {
            types,
            f,
            function,
            held: FxHashMap::default(),
            futures: futures(function),
            found: Vec::new(),
        };
        flow.run();
        events.append(&mut flow.found);
    }
    events
}

fn waits(function: &Function) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| matches!(stmt, Statement::Mark(Mark::Suspend)))
        && function.blocks.len() <= MOST_BLOCKS
}

/// The places of the `async` blocks in a function: what stands in one, another task does.
fn futures(function: &Function) -> Vec<Span> {
    let mut found = Vec::new();
    for (block, spans) in function.blocks.iter().zip(&function.map.stmts) {
        for (stmt, span) in block.stmts.iter().zip(spans) {
            if let Statement::Mark(Mark::Async) = stmt {
                found.push(*span);
            }
        }
    }
    found
}

struct Flow<'a, 'p, 'm> {
    types: &'a GuardTypes<'p, 'm>,
    f: FnRef,
    function: &'a Function,
    /// The type of the guard that a local holds, its last segment; none where it holds no guard that must not
    /// be held where a task waits.
    held: FxHashMap<LocalId, Option<Name>>,
    futures: Vec<Span>,
    found: Vec<Event>,
}

impl Flow<'_, '_, '_> {
    fn run(&mut self) {
        let mut at_entry = Alive::new();
        for n in 0..self.function.params {
            if self.guard_in(LocalId(n)).is_some() {
                at_entry.push((LocalId(n), None));
            }
        }
        let mut seen: FxHashSet<(usize, Alive)> = FxHashSet::default();
        let mut told: FxHashSet<Made> = FxHashSet::default();
        let mut todo = std::collections::VecDeque::from([(0, at_entry)]);
        while let Some((b, mut alive)) = todo.pop_front() {
            alive.sort_unstable();
            alive.dedup();
            if seen.len() > MOST_BLOCKS || !seen.insert((b, alive.clone())) {
                continue;
            }
            let Some(block) = self.function.blocks.get(b) else {
                continue;
            };
            for (i, stmt) in block.stmts.iter().enumerate() {
                if let Statement::Mark(Mark::Suspend) = stmt {
                    for (local, made) in &alive {
                        if self.same_future(*made, (b, i))
                            && self.ends_behind(*local, (b, i))
                            && told.insert(*made)
                        {
                            let event = self.event(*local, *made, (b, i));
                            self.found.extend(event);
                        }
                    }
                } else {
                    self.step(stmt, (b, i), &mut alive);
                }
            }
            let failed = self.failure(&block.term, &alive);
            successors(&block.term, |s| {
                let mut alive = alive.clone();
                if let Some((local, to)) = failed
                    && to == s
                {
                    alive.retain(|(l, _)| *l != local);
                }
                todo.push_back((s, alive));
            });
        }
    }

    fn span(&self, (b, i): (usize, usize)) -> Span {
        let map = &self.function.map;
        let span = map.stmts.get(b).and_then(|spans| spans.get(i));
        span.copied().unwrap_or(map.name)
    }

    /// The task that waits there has the guard: no `async` block stands between them.
    fn same_future(&self, made: Made, wait: (usize, usize)) -> bool {
        let wait = self.span(wait);
        let made = made.map(|at| self.span(at));
        let holds = |of: &Span, inner: Span| {
            of.file == inner.file && of.start <= inner.start && inner.end <= of.end
        };
        let mut around = self.futures.iter().filter(|of| holds(of, wait));
        around.all(|of| made.is_some_and(|made| holds(of, made)))
    }

    /// A temporary's end is seen behind a place: what leaves a loop with `break` has left its temporaries
    /// behind, though nothing ends them there.
    fn ends_behind(&self, local: LocalId, at: (usize, usize)) -> bool {
        if !self.is_temporary(local) {
            return true;
        }
        let mut seen = FxHashSet::default();
        let mut todo = vec![(at.0, at.1 + 1)];
        while let Some((b, first)) = todo.pop() {
            let Some(block) = self.function.blocks.get(b) else {
                continue;
            };
            for stmt in block.stmts.iter().skip(first) {
                let ended = match stmt {
                    Statement::Drop { place, .. } => self.local(*place),
                    Statement::Mark(Mark::Dead(dead)) => Some(*dead),
                    _ => None,
                };
                if ended == Some(local) {
                    return true;
                }
            }
            successors(&block.term, |s| {
                if seen.insert(s) {
                    todo.push((s, 0));
                }
            });
        }
        false
    }

    /// The guard that a local holds, if it is one that must not be held where a task waits.
    fn guard_in(&mut self, local: LocalId) -> Option<Name> {
        if let Some(known) = self.held.get(&local) {
            return known.clone();
        }
        let ty = &self.function.locals.get(local.0 as usize)?.ty;
        let held = self.types.held(self.f.0, &self.function.name, ty);
        let blocks = held.and_then(|(guard, ty)| match guard {
            GuardType::Known(guard) => (!guard.held_over_await).then(|| Name::new(last(&ty.name))),
            GuardType::Own => None,
        });
        self.held.insert(local, blocks.clone());
        blocks
    }

    fn local(&self, place: PlaceId) -> Option<LocalId> {
        match self.function.places[place].base {
            Base::Local(local) => Some(local),
            _ => None,
        }
    }

    /// The local that an operand takes a guard out of: all of it, or its good part.
    fn taken(&self, op: &Operand, alive: &Alive) -> Option<LocalId> {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return None;
        };
        let local = self.local(*place)?;
        let whole = !self.function.places[*place].proj.contains(&Proj::Deref);
        let moved = matches!(op, Operand::Move(_)) || self.is_temporary(local);
        (whole && moved && alive.iter().any(|(l, _)| *l == local)).then_some(local)
    }

    fn is_temporary(&self, local: LocalId) -> bool {
        let local = self.function.locals.get(local.0 as usize);
        local.is_some_and(|l| l.kind == LocalKind::Temp)
    }

    fn step(&mut self, stmt: &Statement, at: (usize, usize), alive: &mut Alive) {
        match stmt {
            Statement::Call {
                dst, callee, args, ..
            } => {
                // A condition variable takes the guard, and yields it again; others are lent what it leads to.
                let waits = matches!(callee, pipelint_ir::Callee::Method { name, .. }
                    if name.starts_with("wait"));
                let given = |arg: &&Operand| waits || matches!(arg, Operand::Move(_));
                for arg in args.iter().filter(given) {
                    if let Some(local) = self.taken(arg, alive) {
                        alive.retain(|(l, _)| *l != local);
                    }
                }
                let whole = dst.filter(|dst| self.function.places[*dst].proj.is_empty());
                if let Some(local) = whole.and_then(|dst| self.local(dst)) {
                    alive.retain(|(l, _)| *l != local);
                    // Where a lock is only tried, nobody need block for it.
                    let tries = matches!(callee, pipelint_ir::Callee::Method { name, .. }
                        if name.starts_with("try"));
                    if !tries && self.guard_in(local).is_some() {
                        alive.push((local, Some(at)));
                    }
                }
            }
            Statement::Assign { dst, value } => {
                let dst = self.local(*dst);
                let parts: Vec<&Operand> = match value {
                    Rvalue::Use(op) => vec![op],
                    Rvalue::Aggregate(parts) => parts.iter().map(|(_, op)| op).collect(),
                    Rvalue::Closure(_, captured) => {
                        // Moved into the closure.
                        for (place, by_reference) in captured {
                            if let (false, Some(local)) = (*by_reference, self.local(*place)) {
                                alive.retain(|(l, _)| *l != local);
                            }
                        }
                        Vec::new()
                    }
                    _ => Vec::new(),
                };
                for op in parts {
                    let Some(from) = self.taken(op, alive) else {
                        continue;
                    };
                    let made = alive
                        .iter()
                        .find(|(l, _)| *l == from)
                        .map(|(_, made)| *made);
                    alive.retain(|(l, _)| *l != from);
                    if let (Some(to), Some(made)) = (dst, made)
                        && self.guard_in(to).is_some()
                    {
                        alive.push((to, made));
                    }
                }
            }
            Statement::Drop { place, .. } | Statement::Mark(Mark::MayEnd(place)) => {
                if !self.function.places[*place].proj.contains(&Proj::Deref)
                    && let Some(local) = self.local(*place)
                {
                    alive.retain(|(l, _)| *l != local);
                }
            }
            Statement::Mark(Mark::Dead(local)) => alive.retain(|(l, _)| l != local),
            Statement::Opaque { .. } => alive.clear(),
            Statement::Mark(_) | Statement::Assert(_) => {}
        }
    }

    /// The local that holds no guard on one way of a branch, and where that leads.
    fn failure(&self, term: &Terminator, alive: &Alive) -> Option<(LocalId, usize)> {
        let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = term
        else {
            return None;
        };
        let (Operand::Copy(place), Operand::Const(Const::Int(1))) = (&cond.lhs, &cond.rhs) else {
            return None;
        };
        let local = self.local(*place)?;
        let tag = Proj::Field(Name::new_static(TAG));
        if self.function.places[*place].proj[..] != [tag] || !alive.iter().any(|(l, _)| *l == local)
        {
            return None;
        }
        match cond.op {
            CmpOp::Eq => Some((local, then.0 as usize)),
            CmpOp::Ne => Some((local, otherwise.0 as usize)),
            _ => None,
        }
    }

    fn event(&mut self, local: LocalId, made: Made, wait: (usize, usize)) -> Option<Event> {
        let guard = self.guard_in(local)?;
        let waits = self.span(wait);
        let name = self.function.locals.get(local.0 as usize)?.name.clone();
        let lock = made.and_then(|(b, i)| match &self.function.blocks.get(b)?.stmts.get(i)? {
            Statement::Call {
                callee: pipelint_ir::Callee::Method { receiver, .. },
                ..
            } => Some(written(self.function, *receiver)),
            _ => None,
        });
        let lock = lock.unwrap_or_default();
        let mut path = Vec::new();
        if let Some(made) = made {
            path.push(PathStep {
                span: self.span(made),
                what: StepKind::Locked(lock.clone()),
            });
        }
        path.push(PathStep {
            span: waits,
            what: StepKind::Suspended,
        });
        let named = self.function.locals.get(local.0 as usize)?.kind != LocalKind::Temp;
        Some(Event {
            kind: EventKind::Guard(GuardFault::AcrossAwait {
                lock,
                guard,
                variable: if named { name } else { Name::default() },
            }),
            at: waits,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        })
    }
}
