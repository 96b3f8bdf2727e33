//! Calls of user code with a lock held: signals, callbacks that objects were given, and observers.
//!
//! A pointer to a function in a field is a callback if some code puts a parameter of its own there. A virtual
//! method is an observer's if its class is named for that.

use pipelint_ir::{Base, Callee, FunctionKind, Name, Operand, Rvalue, Statement};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::callouts::{CallOutKind, View, objects};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::lock_ends::LockKey;
use crate::locked::{At, Locked, Under, Wanted, taken};
use crate::object_keys::ObjectKey;
use crate::program::{Program, Target, last};
use crate::told_types::Told;
use crate::words::has_word;

/// User code is called with a lock held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUnderLock {
    /// The lock.
    pub lock: Name,
    /// What is called.
    pub callback: Name,
    /// How.
    pub kind: CallOutKind,
    /// The function that holds the lock calls one that calls it.
    pub through: Option<Name>,
    /// Where.
    pub called: Span,
}

/// A call of user code.
#[derive(Debug)]
struct Call {
    name: Name,
    kind: CallOutKind,
    /// The field that keeps it.
    kept: Option<ObjectKey>,
}

/// One event for each statement that calls user code, or calls what does, with a lock held.
pub(crate) fn called_out(locked: &Locked<'_, '_>) -> Vec<Event> {
    let mut all: Vec<Vec<(At, Call)>> = (0..locked.all.len())
        .into_par_iter()
        .map(|f| calls(locked, f))
        .collect();
    let kept = all.iter().flatten().filter_map(|(_, c)| c.kept.clone());
    let kept: FxHashSet<ObjectKey> = kept.collect();
    let given = given(locked, &kept);
    for calls in &mut all {
        calls.retain(|(_, call)| call.kept.as_ref().is_none_or(|key| given.contains(key)));
    }
    let wanted = Wanted::new(&all, locked.calls);
    let mut told: FxHashSet<(Span, LockKey, Name)> = FxHashSet::default();
    let mut events = Vec::new();
    for under in locked.under(&wanted) {
        let event = event(locked, &under);
        if told.insert((event.at, under.lock.key.clone(), under.what.name.clone())) {
            events.push(event);
        }
    }
    events
}

/// The calls of user code that stand in a function.
fn calls(locked: &Locked<'_, '_>, f: usize) -> Vec<(At, Call)> {
    let program = locked.program;
    let at = locked.all[f];
    let function = program.function(at);
    let views: Vec<View<'_, '_>> = objects(function)
        .into_iter()
        .filter_map(|object| View::new(program, at, object))
        .collect();
    let mut told = None;
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let signal = views.iter().find_map(|view| {
                let out = view.call_out(stmt)?;
                let calls = match out.kind {
                    CallOutKind::Signal => true,
                    CallOutKind::Callback => false,
                    CallOutKind::Observer => observes(program, at.0, function, callee),
                };
                calls.then_some(out)
            });
            if let Some(out) = signal {
                found.push((
                    (b, i),
                    Call {
                        name: out.name,
                        kind: out.kind,
                        kept: None,
                    },
                ));
                continue;
            }
            // What an object calls at its end is what its maker wants done there.
            if function.kind == FunctionKind::Destructor
                || program.target(at.0, function, callee, args.len()) != Target::Unknown
            {
                continue;
            }
            let told = told.get_or_insert_with(|| Told::new(program, at));
            if let Some(ObjectKey::Field(class, field)) = kept_by(told, callee) {
                found.push((
                    (b, i),
                    Call {
                        name: field.clone(),
                        kind: CallOutKind::Callback,
                        kept: Some(ObjectKey::Field(class, field)),
                    },
                ));
            }
        }
    }
    found
}

/// The class of what a method is called on is named for those that want to hear of something.
fn observes(
    program: &Program<'_>,
    unit: usize,
    function: &pipelint_ir::Function,
    callee: &Callee,
) -> bool {
    let class = program.class_of_receiver(unit, function, callee);
    let words = [
        "listener",
        "observer",
        "delegate",
        "callback",
        "callbacks",
        "handler",
        "subscriber",
        "client",
    ];
    class.is_some_and(|class| has_word(last(&class.name), &words))
}

/// The field that keeps what is called.
fn kept_by(told: &Told<'_, '_>, callee: &Callee) -> Option<ObjectKey> {
    let program = told.program;
    let key = match callee {
        Callee::Pointer(op) => told.object_of(op)?,
        Callee::Function(name) if !name.contains("::") => {
            let class = told.function.class.as_ref()?;
            let class = program.class_ref(told.f.0, class)?;
            ObjectKey::Field(program.declaring(class, name)?, name.clone())
        }
        Callee::Method { name, .. } => {
            let class = program.class_of_receiver(told.f.0, told.function, callee)?;
            let class = program.class_ref(told.f.0, &class.name)?;
            ObjectKey::Field(program.declaring(class, name)?, name.clone())
        }
        _ => return None,
    };
    let ObjectKey::Field(class, field) = &key else {
        return None;
    };
    let fields = &program.class_at(*class).fields;
    let field = fields.iter().find(|f| f.name == *field)?;
    // Tables of functions are what a class is made of, and no user's.
    let ty = program.resolve(&field.ty);
    let holds = |name: &str| name == "fn" || name.contains("function") || name.contains("dyn Fn");
    let inner = || {
        let mut args = ty.args.iter();
        args.any(|arg| {
            let inner = program.resolve(&crate::rust::type_of(arg)).name.clone();
            holds(&inner)
        })
    };
    (holds(&ty.name) || inner()).then_some(key)
}

/// The fields of these that some code fills with a parameter of its own, or a part of one.
fn given(locked: &Locked<'_, '_>, wanted: &FxHashSet<ObjectKey>) -> FxHashSet<ObjectKey> {
    if wanted.is_empty() {
        return FxHashSet::default();
    }
    let names: FxHashSet<&Name> = wanted
        .iter()
        .filter_map(|key| match key {
            ObjectKey::Field(_, name) => Some(name),
            _ => None,
        })
        .collect();
    let found: Vec<Vec<ObjectKey>> = locked
        .all
        .par_iter()
        .map(|&f| {
            let function = locked.program.function(f);
            let mut found = Vec::new();
            if function.params == 0 {
                return found;
            }
            let told = Told::new(locked.program, f);
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                fills(&told, stmt, &names, &mut found);
            }
            found
        })
        .collect();
    let found = found.into_iter().flatten();
    found.filter(|key| wanted.contains(key)).collect()
}

/// The fields that a statement fills with a parameter.
fn fills(
    told: &Told<'_, '_>,
    stmt: &Statement,
    names: &FxHashSet<&Name>,
    found: &mut Vec<ObjectKey>,
) {
    let named = |place: pipelint_ir::PlaceId| {
        let proj = &told.function.places[place].proj;
        proj.iter().any(|step| match step {
            pipelint_ir::Proj::Field(name) => names.contains(name),
            _ => false,
        })
    };
    match stmt {
        Statement::Assign { dst, value } => match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) if named(*dst) && is_parameter(told, op, 0) => {
                found.extend(told.object(*dst));
            }
            Rvalue::Aggregate(parts) => {
                for (name, op) in parts {
                    let Some(name) = name.as_ref().filter(|name| names.contains(name)) else {
                        continue;
                    };
                    let class = told.type_of(*dst).and_then(|ty| {
                        let of = told.program.resolve(&ty).name.clone();
                        let scope = &told.function.name;
                        told.program.class_ref_in(told.f.0, scope, &of)
                    });
                    if is_parameter(told, op, 0) {
                        found.extend(class.map(|class| ObjectKey::Field(class, name.clone())));
                    }
                }
            }
            _ => {}
        },
        Statement::Call {
            dst, callee, args, ..
        } => {
            if !args.iter().any(|op| is_parameter(told, op, 0)) {
                return;
            }
            match (dst, callee) {
                (Some(dst), Callee::Constructor(_)) if named(*dst) => {
                    found.extend(told.object(*dst));
                }
                (Some(dst), Callee::Function(name))
                    if named(*dst) && (crate::owners::moves(name) || last(name) == "Some") =>
                {
                    found.extend(told.object(*dst));
                }
                (_, Callee::Method { receiver, name, .. })
                    if named(*receiver)
                        && matches!(
                            last(name),
                            "push"
                                | "push_back"
                                | "emplace_back"
                                | "insert"
                                | "append"
                                | "operator="
                                | "swap"
                                | "assign"
                        ) =>
                {
                    found.extend(told.object(*receiver));
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// A parameter, a part of one, or what is made of one by a copy, a move or a wrapper.
fn is_parameter(told: &Told<'_, '_>, op: &Operand, depth: u32) -> bool {
    let (Operand::Copy(place) | Operand::Move(place)) = op else {
        return false;
    };
    let Base::Local(l) = told.function.places[*place].base else {
        return false;
    };
    if l.0 < told.function.params {
        return true;
    }
    if depth > 4 {
        return false;
    }
    match told.def(l.0) {
        Some(Statement::Assign { value, .. }) => match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => is_parameter(told, op, depth + 1),
            Rvalue::Aggregate(parts) => {
                let mut parts = parts.iter();
                parts.any(|(_, op)| is_parameter(told, op, depth + 1))
            }
            _ => false,
        },
        Some(Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        }) => {
            let wraps = crate::owners::moves(name) || matches!(last(name), "new" | "Some" | "from");
            wraps && args.iter().any(|op| is_parameter(told, op, depth + 1))
        }
        _ => false,
    }
}

fn event(locked: &Locked<'_, '_>, under: &Under<'_, Call>) -> Event {
    let (lock, frame, call) = (&under.lock, &under.frame, under.what);
    let called = locked.span(under.f, under.at);
    let mut path = vec![taken(lock)];
    path.extend(frame.calls.iter().cloned());
    path.push(PathStep {
        span: called,
        what: StepKind::Called(call.name.clone()),
    });
    let through = frame.calls.first().and_then(|step| match &step.what {
        StepKind::Called(name) => Some(name.clone()),
        _ => None,
    });
    Event {
        kind: EventKind::CallbackUnderLock(CallbackUnderLock {
            lock: Name::new(last(&lock.key.1)),
            callback: call.name.clone(),
            kind: call.kind,
            through,
            called,
        }),
        at: locked.span(frame.f, frame.at),
        function: locked.name(frame.f).clone(),
        resource: None,
        path,
        others: Vec::new(),
    }
}
