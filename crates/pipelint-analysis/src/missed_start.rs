//! Operations that fail to start, and an event of theirs that others wait for and nobody sets.
//!
//! The completion of an operation sets the event. Where the start fails there is none, and threads that wait
//! for the event, each in a loop that tests the state under the lock, do not see that it has failed.

use pipelint_ir::{Callee, CmpOp, Cond, Const, Name, Operand, Proj, Statement, Terminator};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_loops::reaches;
use crate::conditions::{Key, local_of};
use crate::contexts::{address_of, place_of};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last, successors};
use crate::summaries::Order;
use crate::wake_fault::WakeFault;
use crate::woken::only_set;
use crate::words::has_word;

/// Calls that lead from a helper to the system's function.
const MOST_CALLS: usize = 3;

/// A wait for an event in a loop that tests the state.
struct Waiter {
    by: FnRef,
    api: Name,
    span: Span,
}

/// Tells of every failed start after which nobody sets the event.
pub(crate) fn untold(program: &Program<'_>, order: &Order) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let mut waiters: FxHashMap<Key, Waiter> = FxHashMap::default();
    for &f in &all {
        for (key, waiter) in waits(program, order, f) {
            waiters.entry(key).or_insert(waiter);
        }
    }
    if waiters.is_empty() {
        return Vec::new();
    }
    let starts = all
        .iter()
        .flat_map(|&f| starts(program, order, f, &waiters));
    starts.collect()
}

/// The events that a function waits for in a loop in which it takes a lock and tests something.
fn waits(program: &Program<'_>, order: &Order, f: FnRef) -> Vec<(Key, Waiter)> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Some((api, key)) =
                on_event(program, order, f, stmt, &|model| model.waits.is_some())
            else {
                continue;
            };
            let around = |at: usize| reaches(function, b, at) && reaches(function, at, b);
            let locks = |stmt: &Statement| match stmt {
                Statement::Call {
                    callee: Callee::Method { name, .. },
                    ..
                } => has_word(name, &["lock"]),
                Statement::Call {
                    callee: Callee::Constructor(ty),
                    ..
                } => program.models.guard(&ty.name).is_some(),
                Statement::Call {
                    callee: Callee::Function(name),
                    ..
                } => has_word(last(name), &["lock", "enter", "acquire"]),
                _ => false,
            };
            let mut blocks = function.blocks.iter().enumerate();
            let locked =
                blocks.any(|(at, block)| block.stmts.iter().any(locks) && (at == b || around(at)));
            let span = function.map.stmts.get(b).and_then(|s| s.get(i)).copied();
            if let (true, true, Some(span)) = (reaches(function, b, b), locked, span) {
                found.push((key, Waiter { by: f, api, span }));
            }
        }
    }
    found
}

/// A call that does something with an event which a field keeps: the system's function, or a method of the
/// event's own class that calls it.
fn on_event(
    program: &Program<'_>,
    order: &Order,
    f: FnRef,
    stmt: &Statement,
    does: &dyn Fn(&pipelint_models::FunctionModel) -> bool,
) -> Option<(Name, Key)> {
    let Statement::Call { callee, args, .. } = stmt else {
        return None;
    };
    let function = program.function(f);
    match (callee, program.target(f.0, function, callee, args.len())) {
        (Callee::Method { receiver, name, .. }, Target::Defined(g)) => {
            let key = program.key(f, *receiver)?;
            leads_to(program, order, g, does, 1).then(|| (name.clone(), key))
        }
        (Callee::Function(name), Target::Model(model)) if does(model) => {
            let place = args.first().and_then(place_of)?;
            let place = match only_set(function, local_of(function, place)?) {
                // `event.get()`
                Some(Statement::Call {
                    callee: Callee::Method { receiver, .. },
                    ..
                }) => *receiver,
                _ => place,
            };
            Some((Name::new(last(name)), program.key(f, place)?))
        }
        _ => None,
    }
}

/// A function calls one that does this, a few calls inwards.
fn leads_to(
    program: &Program<'_>,
    order: &Order,
    g: FnRef,
    does: &dyn Fn(&pipelint_models::FunctionModel) -> bool,
    calls: usize,
) -> bool {
    let all = |_: &Callee, target: Target<'_>| matches!(target, Target::Model(m) if does(m));
    if program.has_call(g.0, program.function(g), &all) {
        return true;
    }
    let inner = || {
        let function = program.function(g);
        let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.filter_map(|stmt| match stmt {
            Statement::Call { callee, args, .. } => {
                match program.target(g.0, function, callee, args.len()) {
                    Target::Defined(h) if h != g => Some(h),
                    _ => None,
                }
            }
            _ => None,
        })
    };
    calls > 0
        && !order.calls[program.number(g)].is_empty()
        && inner().any(|h| leads_to(program, order, h, does, calls - 1))
}

/// The failed starts of a function that leave an event unset.
fn starts(
    program: &Program<'_>,
    order: &Order,
    f: FnRef,
    waiters: &FxHashMap<Key, Waiter>,
) -> Vec<Event> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for stmt in &block.stmts {
            let Statement::Call {
                dst: Some(result),
                callee,
                args,
                ..
            } = stmt
            else {
                continue;
            };
            let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
                continue;
            };
            let given = args.iter().filter_map(place_of);
            let given = given.map(|place| address_of(function, place).unwrap_or(place));
            let mut keys = given.filter_map(|place| program.key(f, place));
            let Some((key, waiter)) = keys.find_map(|key| waiters.get_key_value(&key)) else {
                continue;
            };
            let begins = |model: &pipelint_models::FunctionModel| {
                model.io.as_ref().is_some_and(|io| io.overlapped.is_some())
                    || model.starts_io.is_some()
            };
            if !leads_to(program, order, g, &begins, MOST_CALLS) {
                continue;
            }
            let Some(failed) = failed_way(program, f, b, *result) else {
                continue;
            };
            let sets = |stmt: &Statement| {
                on_event(program, order, f, stmt, &|model| model.signals.is_some())
                    .is_some_and(|(_, of)| of == *key)
            };
            let Some(left) = leaves(program, f, failed, &sets) else {
                continue;
            };
            if others_call(program, order, f, waiter.by) && !callers_set(program, order, f, key) {
                let start = Name::new(last(&program.function(g).name));
                found.push(told(program, f, (key, waiter), start, left));
            }
        }
    }
    found
}

/// Where the way begins on which a call has failed.
fn failed_way(
    program: &Program<'_>,
    f: FnRef,
    from: usize,
    result: pipelint_ir::PlaceId,
) -> Option<usize> {
    let function = program.function(f);
    let local = local_of(function, result)?;
    let ty = &function.locals.get(local.0 as usize)?.ty;
    let asks = |cond: &Cond| {
        let (Operand::Copy(place) | Operand::Move(place), Operand::Const(Const::Int(with))) =
            (&cond.lhs, &cond.rhs)
        else {
            return None;
        };
        if local_of(function, *place) != Some(local) {
            return None;
        }
        let at = &function.places[*place];
        let tag = matches!(at.proj.last(), Some(Proj::Field(name)) if name == "{tag}");
        let code = at.proj.is_empty() && has_word(last(&ty.name), &["error", "hresult", "status"]);
        match (cond.op, with) {
            (CmpOp::Eq, 1) if tag => Some(true),
            (CmpOp::Ne, 1) if tag => Some(false),
            (CmpOp::Ne | CmpOp::Lt, 0) if code => Some(true),
            (CmpOp::Eq | CmpOp::Ge, 0) if code => Some(false),
            _ => None,
        }
    };
    let mut at = from;
    for _ in 0..3 {
        match &function.blocks.get(at)?.term {
            Terminator::Goto(next) => at = next.0 as usize,
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let failed = asks(cond)?;
                return Some(if failed { then.0 } else { otherwise.0 } as usize);
            }
            _ => return None,
        }
    }
    None
}

/// Where a way leaves the function with none of its statements being one of these.
fn leaves(
    program: &Program<'_>,
    f: FnRef,
    from: usize,
    stops: &dyn Fn(&Statement) -> bool,
) -> Option<Span> {
    let function = program.function(f);
    let mut todo = vec![from];
    let mut seen = FxHashSet::default();
    while let Some(b) = todo.pop() {
        let block = function.blocks.get(b)?;
        if !seen.insert(b) || block.stmts.iter().any(stops) {
            continue;
        }
        if let Terminator::Return(_) = block.term {
            return function.map.terms.get(b).copied();
        }
        successors(&block.term, |s| todo.push(s));
    }
    None
}

/// Somebody else than who waits calls the function, or may: nobody in sight does.
fn others_call(program: &Program<'_>, order: &Order, f: FnRef, waiter: FnRef) -> bool {
    let mut own = FxHashSet::default();
    let mut todo = vec![program.number(waiter)];
    while let Some(i) = todo.pop() {
        if own.insert(i) {
            todo.extend(&order.calls[i]);
        }
    }
    let f = program.number(f);
    let callers = order.calls.iter().enumerate();
    let callers = callers.filter(|(_, calls)| calls.contains(&f));
    let callers: Vec<usize> = callers.map(|(i, _)| i).collect();
    callers.is_empty() || callers.iter().any(|i| !own.contains(i))
}

/// A caller sets the event.
fn callers_set(program: &Program<'_>, order: &Order, f: FnRef, key: &Key) -> bool {
    let number = program.number(f);
    let sets = |f: FnRef, stmt: &Statement| {
        on_event(program, order, f, stmt, &|model| model.signals.is_some())
            .is_some_and(|(_, of)| of == *key)
    };
    let mut all = program.all().zip(&order.calls);
    all.any(|(caller, calls)| {
        let function = program.function(caller);
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        calls.contains(&number) && stmts.any(|stmt| sets(caller, stmt))
    })
}

fn told(
    program: &Program<'_>,
    f: FnRef,
    (key, waiter): (&Key, &Waiter),
    start: Name,
    left: Span,
) -> Event {
    let step = |span, what| PathStep { span, what };
    let on = key.name().clone();
    Event {
        kind: EventKind::Wake(WakeFault::FailedStart {
            on: on.clone(),
            start,
            waits: (waiter.api.clone(), waiter.span),
        }),
        at: left,
        function: program.function(f).name.clone(),
        resource: None,
        path: vec![step(left, StepKind::Left)],
        others: vec![step(waiter.span, StepKind::Awaited(on))],
    }
}
