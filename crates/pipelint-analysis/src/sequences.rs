//! What two methods do to one object, one called after the other: the first leaves an operation under way,
//! the second starts it anew, or closes its handle.
//!
//! Nobody need be seen to make both calls. A method that takes its object's own lock is made to be called
//! at any time, so its callers cannot know whether anything is pending; and an object may be closed, or end,
//! whenever its user likes. Between the two calls nobody else is taken to run: what the first left in the
//! fields, the second finds there. A wait on a condition variable may be one for the completion: what is
//! closed before it is closed while the operation is under way. A method that asks code out of sight, or
//! waits by means that no model describes, is left out.

use pipelint_ir::{Base, Callee, FunctionKind, Name, Operand, PlaceId, Rvalue, Statement};
use pipelint_models::{LockCall, LockDoes};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::Wanted;
use crate::apply::Invocation;
use crate::completion::takes_no_time;
use crate::event::{Event, EventKind};
use crate::exec::Exec;
use crate::io_fault::IoFault;
use crate::log::{Action, each};
use crate::program::{ClassRef, FnRef, Program, Target, last};
use crate::state::State;
use crate::summaries::{Order, Seen, Summaries};
use crate::summary::Summary;
use crate::values::{Loc, LocId};

/// Functions that one method may lead to.
const MOST_FUNCTIONS: usize = 60;
/// Ends of the first method that the second is run after.
const MOST_ENDS: usize = 8;

/// Which functions need a summary though nobody in sight calls them: methods of classes whose objects keep
/// operations, in a part of theirs as well.
pub(crate) fn wanted(program: &Program<'_>, all: &[FnRef]) -> Vec<bool> {
    let class_of = |f: FnRef| {
        let class = program.function(f).class.as_deref()?;
        program.class_ref(f.0, class)
    };
    let starting = all.par_iter().filter(|f| starts(program, **f));
    let mut keepers: FxHashSet<ClassRef> = starting.filter_map(|f| class_of(*f)).collect();
    if keepers.is_empty() {
        return vec![false; all.len()];
    }
    let names: FxHashSet<&str> = keepers
        .iter()
        .map(|class| last(&program.class_at(*class).name))
        .collect();
    for (u, unit) in program.units.iter().enumerate() {
        for (c, class) in unit.classes.iter().enumerate() {
            let is_keeper = |name: &Name| names.contains(last(name));
            let mut fields = class.fields.iter();
            if fields.any(|f| is_keeper(&f.ty.name) || f.ty.args.iter().any(is_keeper)) {
                keepers.insert((u, c));
            }
        }
    }
    let wanted = |f: &FnRef| class_of(*f).is_some_and(|class| keepers.contains(&class));
    all.par_iter().map(wanted).collect()
}

fn starts(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    if function.class.is_none() {
        return false;
    }
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let Callee::Function(_) = callee else {
            return false;
        };
        let target = program.target(f.0, function, callee, args.len());
        matches!(target, Target::Model(model) if model.start().is_some())
    })
}

/// A method, and what calling it after another one may show.
struct Method {
    number: usize,
    f: FnRef,
    class: ClassRef,
}

/// The faults that two calls make together.
pub(crate) fn faults(
    program: &Program<'_>,
    all: &[FnRef],
    order: &Order,
    summaries: &Summaries,
    wanted: &[bool],
) -> Vec<Event> {
    let methods = (0..all.len()).filter(|i| wanted[*i]).filter_map(|i| {
        let (f, function) = (all[i], program.function(all[i]));
        let class = program.class_ref(f.0, function.class.as_deref()?)?;
        (function.kind != FunctionKind::Constructor).then_some(Method {
            number: i,
            f,
            class,
        })
    });
    let clear = |m: &Method| is_clear(program, all, order, m);
    let methods: Vec<Method> = methods.filter(clear).collect();
    let leaves_pending = |m: &&Method| is_offered(program, m) && begins(program, all, order, m);
    let first: Vec<&Method> = methods.iter().filter(leaves_pending).collect();
    let found = first.par_iter().map(|one| {
        let again = |m: &Method| m.f == one.f;
        let ends = |m: &&Method| {
            let summary = summaries.get(m.number);
            m.class == one.class
                && match again(m) {
                    true => takes_own_lock(program, all, order, m),
                    false => {
                        summary.is_some_and(releases)
                            && (is_offered(program, m) || is_end(program, m))
                    }
                }
        };
        let mut partners: Vec<&Method> = methods.iter().filter(ends).collect();
        // What a destructor does by a method that is told is told there.
        partners.sort_by_key(|m| is_end(program, m));
        let mut events = Vec::new();
        let mut told: Vec<FnRef> = Vec::new();
        for then in partners {
            let runs_told = || reach(all, order, then).iter().any(|f| told.contains(f));
            if is_end(program, then) && runs_told() {
                continue;
            }
            let found = run(program, order, summaries, one, then, again(then));
            if !found.is_empty() {
                told.push(then.f);
            }
            events.extend(found);
        }
        events
    });
    let found: Vec<Vec<Event>> = found.collect();
    found.into_iter().flatten().collect()
}

/// Runs the one after the other.
fn run(
    program: &Program<'_>,
    order: &Order,
    summaries: &Summaries,
    one: &Method,
    then: &Method,
    again: bool,
) -> Vec<Event> {
    let seen = Seen {
        all: summaries,
        order,
        of: usize::MAX,
    };
    let wanted = Wanted {
        faults: true,
        summary: false,
    };
    let mut exec = Exec::new(program, seen, one.f, wanted);
    exec.alone = true;
    if !exec.run() {
        return Vec::new();
    }
    let mut after = std::mem::take(&mut exec.left);
    after.retain(|state| !under_way(&exec, state).is_empty());
    after.truncate(MOST_ENDS);
    if after.is_empty() || exec.bounded {
        return Vec::new();
    }
    for state in &mut after {
        let arena = &exec.arena;
        let is_local = |loc: LocId| matches!(arena.get_loc(arena.root(loc)), Loc::Local(_));
        state.env.retain(|loc, _| !is_local(loc));
        state.loops.retain(|_, _| false);
    }
    exec.found.finish();
    if again {
        exec.run_from(after);
    } else {
        closes(&mut exec, after, program, then);
    }
    let mut events = exec.found.finish();
    events.retain(|event| {
        matches!(
            event.kind,
            EventKind::Io(IoFault::Reused { .. } | IoFault::ClosedWhilePending { .. })
        )
    });
    events
}

/// Calls another method on what the first one left: a handle that it closes, and nobody waits.
fn closes(exec: &mut Exec<'_, '_>, after: Vec<State>, program: &Program<'_>, then: &Method) {
    let receiver = Some(exec.arena.loc(Loc::SelfObj));
    exec.span = program.function(then.f).map.name;
    exec.told_in = Some(then.f);
    for state in after {
        let before = under_way(exec, &state);
        let invocation = Invocation {
            function: then.f,
            args: &[],
            receiver,
            captures: &[],
            part: 0,
        };
        let mut ends = Vec::new();
        exec.apply(&mut state.clone(), &invocation, None, &mut ends);
        for end in ends {
            // Where a port tells of the completion, the memory is freed when it has told.
            let closed = |loc: &&LocId| {
                let pending = end.pending.get(**loc);
                pending.is_some_and(|p| p.closed.is_some() && p.event.is_some())
            };
            for loc in before.iter().filter(closed) {
                exec.tell_closed_after(&end, *loc);
            }
        }
    }
}

/// Operations of the object that are surely under way.
fn under_way(exec: &Exec<'_, '_>, state: &State) -> Vec<LocId> {
    let pending = state.pending.iter();
    let own = pending.filter(|(loc, p)| {
        p.surely
            && p.started.is_some()
            && p.cancel.is_none()
            && exec
                .way_to(*loc)
                .is_some_and(|(base, _)| *exec.arena.get_loc(base) == Loc::SelfObj)
    });
    own.map(|(loc, _)| loc).collect()
}

/// It starts an operation, or leads to what does.
fn begins(program: &Program<'_>, all: &[FnRef], order: &Order, m: &Method) -> bool {
    let mut reached = reach(all, order, m).into_iter();
    reached.any(|f| starts(program, f))
}

/// It closes or frees something.
fn releases(summary: &Summary) -> bool {
    let mut found = false;
    for end in &summary.ends {
        each(&end.steps, &mut |action| {
            found |= matches!(action, Action::Release { .. })
        });
    }
    found
}

/// A method that everybody may call.
fn is_offered(program: &Program<'_>, m: &Method) -> bool {
    let function = program.function(m.f);
    let mut declared = program.class_at(m.class).methods.iter();
    let declared = declared.find(|d| d.name == function.name);
    function.kind == FunctionKind::Method && declared.is_some_and(|d| !d.is_private)
}

fn is_end(program: &Program<'_>, m: &Method) -> bool {
    program.function(m.f).kind == FunctionKind::Destructor
}

/// All that the method leads to is in sight or modelled, or takes no time and tells nothing of operations.
fn is_clear(program: &Program<'_>, all: &[FnRef], order: &Order, m: &Method) -> bool {
    let mut clear = true;
    within(program, all, order, m, &mut |f, _, callee, has_result| {
        clear &= takes_lock(program, callee)
            || program.waits_to_be_woken(f.0, program.function(f), callee)
            || (takes_no_time(callee) && !(has_result && may_tell(callee)));
    }) && clear
}

/// What code out of sight answers may tell of operations, unless it is a question to a container or to what
/// holds another value.
fn may_tell(callee: &Callee) -> bool {
    const PLAIN: &[&str] = &[
        "empty",
        "is_empty",
        "isEmpty",
        "size",
        "len",
        "length",
        "capacity",
        "data",
        "constData",
        "c_str",
        "begin",
        "end",
        "front",
        "back",
        "insert",
        "get",
        "as_ptr",
        "as_mut_ptr",
        "is_some",
        "is_none",
        "is_ok",
        "is_err",
        "unwrap",
    ];
    match callee {
        Callee::Method { name, .. } => !PLAIN.contains(&name.as_str()),
        Callee::Function(name) => !["std::", "core::", "alloc::"]
            .iter()
            .any(|library| name.trim_start_matches("::").starts_with(library)),
        _ => false,
    }
}

/// The method takes a lock of its object's, before or after other things.
fn takes_own_lock(program: &Program<'_>, all: &[FnRef], order: &Order, m: &Method) -> bool {
    let mut takes = false;
    within(program, all, order, m, &mut |_, own, callee, _| {
        takes |= own && takes_lock(program, callee)
    });
    takes
}

/// Takes a lock and holds it.
fn takes_lock(program: &Program<'_>, callee: &Callee) -> bool {
    let models = program.models;
    let taken_by = |name: &Name, calls: &[LockCall]| {
        let mut calls = calls.iter().filter(|call| call.does == LockDoes::Lock);
        calls.any(|call| call.names.iter().any(|n| n == name.as_str()))
    };
    match callee {
        Callee::Constructor(ty) => models.guard(&ty.name).is_some(),
        Callee::Function(name) => models.locks().any(|(_, lock)| taken_by(name, &lock.calls)),
        // Which lock it is need not be known.
        Callee::Method { name, .. } => {
            name == "lock"
                || models
                    .locks()
                    .any(|(_, lock)| taken_by(name, &lock.methods))
        }
        _ => false,
    }
}

/// Calls of locks, and of code that is neither in sight nor modelled, from the method on, with the calling
/// function and whether it is of the same class. False where there is too much to look at.
fn within(
    program: &Program<'_>,
    all: &[FnRef],
    order: &Order,
    m: &Method,
    see: &mut dyn FnMut(FnRef, bool, &Callee, bool),
) -> bool {
    let class = program.function(m.f).class.as_deref();
    let reached = reach(all, order, m);
    let asks: FxHashSet<&Name> = reached
        .iter()
        .flat_map(|f| predicates(program, *f))
        .collect();
    for &f in &reached {
        let function = program.function(f);
        if function.kind == FunctionKind::Lambda && asks.contains(&function.name) {
            // What a wait is for is asked by the wait.
            continue;
        }
        let own = function.class.as_deref() == class;
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call {
                dst, callee, args, ..
            } = stmt
                && (program.target(f.0, function, callee, args.len()) == Target::Unknown
                    || takes_lock(program, callee))
            {
                let plain = |place| matches!(function.places[place].base, Base::Local(_));
                let made = matches!(callee, Callee::Constructor(_)) && dst.is_some_and(plain);
                see(f, own, callee, dst.is_some() && !made);
            }
        }
    }
    reached.len() <= MOST_FUNCTIONS
}

/// The lambdas that a function gives to a wait on a condition variable.
fn predicates<'p>(program: &'p Program<'_>, f: FnRef) -> Vec<&'p Name> {
    let function = program.function(f);
    let stmts = || function.blocks.iter().flat_map(|b| &b.stmts);
    let given = |place: PlaceId| {
        stmts().any(|stmt| match stmt {
            Statement::Call { callee, args, .. } => {
                let has = |arg: &Operand| {
                    matches!(arg, Operand::Copy(of) | Operand::Move(of) if *of == place)
                };
                args.iter().any(has) && program.waits_to_be_woken(f.0, function, callee)
            }
            _ => false,
        })
    };
    let made = stmts().filter_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Closure(name, _),
        } => given(*dst).then_some(name),
        _ => None,
    });
    made.collect()
}

/// The method and what it leads to; one more than is looked at where there is too much.
fn reach(all: &[FnRef], order: &Order, m: &Method) -> Vec<FnRef> {
    let mut known: FxHashSet<usize> = FxHashSet::default();
    let mut reached = Vec::new();
    let mut todo = vec![m.number];
    while let Some(i) = todo.pop() {
        if reached.len() <= MOST_FUNCTIONS && known.insert(i) {
            reached.push(all[i]);
            todo.extend(&order.calls[i]);
        }
    }
    reached
}
