//! Callbacks that wait for themselves: what a callback leads to waits for the object that it belongs to.

use pipelint_ir::{
    Callee, Const, Function, FunctionKind, Name, Operand, PlaceId, Proj, Rvalue, Statement, Type,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::callback_classes::{
    Context, KeptCallbacks, MOST_FUNCTIONS, OwnWait, Registered, Whose, reach,
};
use crate::callback_fault::CallbackFault;
use crate::contexts::place_of;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{ClassRef, FnRef, Program, Target, last};
use crate::summaries::Order;

/// One event for each place in a callback that waits for the callback itself.
pub(crate) fn self_waits(
    program: &Program<'_>,
    order: &Order,
    callbacks: &KeptCallbacks,
) -> Vec<Event> {
    if callbacks.waits.is_empty() {
        return Vec::new();
    }
    let mut events = Vec::new();
    for registered in &callbacks.registered {
        events.extend(ends_by_lambda(program, order, callbacks, registered));
        let Some(callback) = registered.callback(program) else {
            continue;
        };
        let waits = || callbacks.waits.iter();
        let mut found: Vec<&OwnWait> = waits()
            .filter(|w| w.function == callback && is_given(w, registered))
            .collect();
        if found.is_empty() {
            let reached: FxHashSet<FnRef> = reach(program, order, callback).into_iter().collect();
            let own = |w: &&OwnWait| {
                registered.context == Context::Object
                    && is_own(program, w)
                    && w.class == Some(registered.kept.0)
                    && w.way == registered.kept.1
                    && reached.contains(&w.function)
                    && may_be_called(program, &reached, w)
            };
            found = outermost(waits().filter(own).collect());
        }
        let told_of = |w: &OwnWait| {
            let name = &program.function(callback).name;
            told(program, callback, registered, w.event.clone(), name)
        };
        events.extend(found.into_iter().map(told_of));
    }
    events
}

/// The callback's own object, by the parameter that it is given, or by its context.
fn is_given(wait: &OwnWait, registered: &Registered) -> bool {
    let Whose::Parameter(n) = wait.whose else {
        return false;
    };
    match wait.way.strip_prefix("->.") {
        None => wait.way.is_empty() && registered.own == Some(n as usize),
        Some(way) => registered.context == Context::Object && way == registered.kept.1,
    }
}

/// The function itself calls what may wait for callbacks.
pub(crate) fn may_wait(program: &Program<'_>, f: FnRef) -> bool {
    program.has_call(f.0, program.function(f), &|callee, target| {
        matches!(callee, Callee::Function(_))
            && matches!(target, Target::Model(model)
                if model.closes_callbacks.is_some() || model.awaits_callbacks.is_some())
    })
}

/// Some call among these functions gives the waiting one what its path asks for; one that is not seen may.
fn may_be_called(program: &Program<'_>, among: &FxHashSet<FnRef>, wait: &OwnWait) -> bool {
    let mut calls = 0;
    let fits = |args: &[Operand]| {
        wait.asks.iter().all(|(n, fact)| match args.get(*n) {
            Some(Operand::Const(Const::Int(given))) => !fact.excludes(*given),
            Some(Operand::Const(Const::Null)) => !fact.excludes(0),
            _ => true,
        })
    };
    for &f in among {
        let function = program.function(f);
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call { callee, args, .. } = stmt
                && program.target(f.0, function, callee, args.len())
                    == Target::Defined(wait.function)
            {
                calls += 1;
                // What ends there need not be the callback's object, or has let go of its wait before.
                if function.kind != FunctionKind::Destructor && fits(args) {
                    return true;
                }
            }
        }
    }
    calls == 0
}

/// A method waits for what its object keeps. A destructor that a callback leads to need not be that of the
/// callback's object.
fn is_own(program: &Program<'_>, wait: &OwnWait) -> bool {
    let kind = program.function(wait.function).kind;
    wait.whose == Whose::Own && kind != FunctionKind::Destructor
}

/// Places where what a callback runs ends the object that it belongs to, whose destructor waits: an object
/// that was given a lambda for its callback, and stands in a field that the lambda leads to.
fn ends_by_lambda(
    program: &Program<'_>,
    order: &Order,
    callbacks: &KeptCallbacks,
    registered: &Registered,
) -> Vec<Event> {
    let (class, way) = &registered.kept;
    let waits = callbacks.waits.iter().find(|w| {
        let kind = program.function(w.function).kind;
        kind == FunctionKind::Destructor && w.class == Some(*class) && w.way == *way
    });
    let Some(wait) = waits else {
        return Vec::new();
    };
    let fields = fields_with(program, *class);
    let methods = methods_by_name(program);
    let mut events = Vec::new();
    for lambda in lambdas_given(program, registered, &fields) {
        for f in led_to(program, order, &methods, lambda) {
            let function = program.function(f);
            let makes = matches!(
                function.kind,
                FunctionKind::Constructor | FunctionKind::Destructor
            );
            if makes || function.class.as_ref() == Some(&program.class_at(*class).name) {
                continue;
            }
            for span in ends_of(function, &fields) {
                let mut event = wait.event.clone();
                event.at = span;
                event.function = function.name.clone();
                event.path = vec![PathStep {
                    span,
                    what: StepKind::Called(program.function(wait.function).name.clone()),
                }];
                event.path.append(&mut wait.event.path.clone());
                let named = told(program, lambda, registered, event, &function.name);
                events.push(named);
            }
        }
    }
    events
}

/// The methods of the program that alone have their names.
fn methods_by_name<'p>(program: &'p Program<'_>) -> FxHashMap<&'p str, Option<FnRef>> {
    let mut methods: FxHashMap<&str, Option<FnRef>> = FxHashMap::default();
    for f in program.all() {
        let function = program.function(f);
        if function.kind == FunctionKind::Method {
            let known = methods.entry(last(&function.name));
            known.and_modify(|m| *m = None).or_insert(Some(f));
        }
    }
    methods
}

/// As `reach`, through calls of methods of objects whose types are not known as well, where only one method
/// can be meant.
fn led_to(
    program: &Program<'_>,
    order: &Order,
    methods: &FxHashMap<&str, Option<FnRef>>,
    from: FnRef,
) -> FxHashSet<FnRef> {
    let mut seen = FxHashSet::default();
    let mut todo = vec![from];
    while let Some(f) = todo.pop() {
        for g in reach(program, order, f) {
            if seen.len() > MOST_FUNCTIONS || !seen.insert(g) {
                continue;
            }
            let function = program.function(g);
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                if let Statement::Call { callee, args, .. } = stmt
                    && let Callee::Method { name, .. } = callee
                    && let Target::Unknown = program.target(g.0, function, callee, args.len())
                {
                    todo.extend(methods.get(last(name)).copied().flatten());
                }
            }
        }
    }
    seen
}

/// Fields that own an object of a class, alone: by value, or by a pointer that is nobody else's.
fn fields_with(program: &Program<'_>, class: ClassRef) -> FxHashSet<Name> {
    let wanted = last(&program.class_at(class).name);
    let units = program.units.iter();
    let fields = units.flat_map(|u| &u.classes).flat_map(|c| &c.fields);
    let owns = |ty: &Type| {
        let one = matches!(last(&ty.name), "unique_ptr" | "optional" | "Option" | "Box");
        let inner = ty.args.first().is_some_and(|arg| last(arg) == wanted);
        ty.is_object() && ((one && inner) || last(&ty.name) == wanted)
    };
    let owners = fields.filter(|field| owns(&field.ty));
    owners.map(|field| field.name.clone()).collect()
}

fn last_field(function: &Function, place: PlaceId) -> Option<&Name> {
    match function.places[place].proj.last() {
        Some(Proj::Field(name)) => Some(name),
        _ => None,
    }
}

/// Where a function ends what such a field owns: by a reset, or by something else that is put there.
fn ends_of(function: &Function, fields: &FxHashSet<Name>) -> Vec<Span> {
    let mut found = Vec::new();
    let is = |place: PlaceId| last_field(function, place).is_some_and(|name| fields.contains(name));
    for (block, spans) in function.blocks.iter().zip(&function.map.stmts) {
        for (stmt, span) in block.stmts.iter().zip(spans) {
            let ends = match stmt {
                Statement::Call {
                    callee: Callee::Method { receiver, name, .. },
                    args,
                    ..
                } => name == "reset" && args.is_empty() && is(*receiver),
                Statement::Assign { dst, .. } => is(*dst),
                _ => false,
            };
            if ends {
                found.push(*span);
            }
        }
    }
    found
}

/// The lambdas that what registers the callback is given.
fn lambdas_given(
    program: &Program<'_>,
    registered: &Registered,
    fields: &FxHashSet<Name>,
) -> Vec<FnRef> {
    let class = last(&program.class_at(registered.kept.0).name);
    let mut found = Vec::new();
    for g in program.all() {
        let function = program.function(g);
        let stmts = || function.blocks.iter().flat_map(|b| &b.stmts);
        let lambda = |op: &Operand| {
            let place = place_of(op)?;
            stmts().find_map(|stmt| match stmt {
                Statement::Assign {
                    dst,
                    value: Rvalue::Closure(name, _),
                } if *dst == place => program.lambda(g.0, name),
                _ => None,
            })
        };
        for stmt in stmts() {
            let Statement::Call {
                dst, callee, args, ..
            } = stmt
            else {
                continue;
            };
            // What a maker gives may be put there by the next statement.
            let put = |place: PlaceId| {
                stmts().find_map(|stmt| match stmt {
                    Statement::Call {
                        dst: Some(dst),
                        args,
                        ..
                    } if args.iter().any(|op| place_of(op) == Some(place)) => {
                        last_field(function, *dst)
                    }
                    _ => None,
                })
            };
            let kept = dst.and_then(|dst| last_field(function, dst).or_else(|| put(dst)));
            let named = match callee {
                Callee::New(ty) | Callee::Constructor(ty) => last(&ty.name) == class,
                _ => false,
            };
            let makes = named
                || kept.is_some_and(|name| fields.contains(name))
                || matches!(program.target(g.0, function, callee, args.len()), Target::Defined(f) if f == registered.by);
            if makes {
                found.extend(args.iter().filter_map(lambda));
            }
        }
    }
    found
}

/// Of calls within each other, the one that the callback itself makes.
fn outermost(waits: Vec<&OwnWait>) -> Vec<&OwnWait> {
    let most = |w: &&OwnWait| {
        let same = waits.iter().filter(|other| other.origin == w.origin);
        same.map(|other| other.frames).max() == Some(w.frames)
    };
    waits.iter().copied().filter(most).collect()
}

/// The event, with the way to the callback that it is in.
fn told(
    program: &Program<'_>,
    callback: FnRef,
    registered: &Registered,
    mut event: Event,
    named: &Name,
) -> Event {
    if let EventKind::Callback(CallbackFault::SelfWait { callback: name, .. }) = &mut event.kind {
        *name = Name::new(last(named));
    }
    let function = program.function(callback);
    let step = |span, what| PathStep { span, what };
    let given = StepKind::Passed(registered.api.clone());
    let called = StepKind::Called(function.name.clone());
    event.path.insert(0, step(registered.at, given));
    event.path.insert(1, step(function.map.name, called));
    event
}
