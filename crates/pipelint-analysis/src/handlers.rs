//! Handlers in sight: the functions and lambdas that are connected to signals or put into fields as callbacks.

use pipelint_ir::{Base, Callee, Const, Function, Name, Operand, PlaceId, Proj, Rvalue, Statement};
use rustc_hash::FxHashSet;

use crate::callouts::{CallOut, CallOutKind, Object, View, last_name, objects, whole};
use crate::contexts::{address_of, place_of};
use crate::program::{FnRef, Program, Target, last};

/// A function that is made the handler of a signal or a callback.
pub(crate) struct Handler {
    pub(crate) of: CallOut,
    /// The field of its owner that leads to the object that calls it.
    pub(crate) sender: Option<Name>,
    pub(crate) runs: FnRef,
    /// The function that makes it one.
    pub(crate) by: FnRef,
}

/// The handlers in sight.
pub(crate) struct Handlers {
    pub(crate) known: Vec<Handler>,
    /// Signals that something is connected to of which nothing is known.
    pub(crate) unknown: FxHashSet<(Name, Name)>,
    /// Signals that something is connected to that runs later.
    pub(crate) queued: FxHashSet<(Name, Name)>,
}

pub(crate) fn handlers(program: &Program<'_>) -> Handlers {
    let mut found = Handlers {
        known: Vec::new(),
        unknown: FxHashSet::default(),
        queued: FxHashSet::default(),
    };
    for f in program.all() {
        let function = program.function(f);
        if program.units[f.0].language == pipelint_ir::Language::Rust {
            continue;
        }
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            match stmt {
                Statement::Call { callee, args, .. } => {
                    let name = match callee {
                        Callee::Function(name) | Callee::Method { name, .. } => last(name),
                        _ => "",
                    };
                    if name == "connect" {
                        connected(program, f, args, &mut found);
                    } else {
                        put_by_setter(program, f, callee, args, &mut found.known);
                    }
                }
                Statement::Assign { dst, value } => {
                    let Some(runs) = handler(program, f, value, 0) else {
                        continue;
                    };
                    put(program, f, *dst, runs, &mut found.known);
                }
                _ => {}
            }
        }
    }
    found
}

/// What a value runs when it is called.
fn handler(program: &Program<'_>, f: FnRef, value: &Rvalue, depth: u32) -> Option<FnRef> {
    let function = program.function(f);
    match value {
        Rvalue::Closure(name, _) => program.lambda(f.0, name),
        Rvalue::Use(Operand::Const(Const::Function(name)))
        | Rvalue::Cast(_, Operand::Const(Const::Function(name))) => {
            program.only_function(f.0, function, name)
        }
        Rvalue::Use(op) | Rvalue::Cast(_, op) if depth < 4 => {
            let local = whole(function, place_of(op)?)?;
            handler(program, f, held(function, local)?, depth + 1)
        }
        _ => None,
    }
}

/// What a temporary is given.
fn held(function: &Function, local: pipelint_ir::LocalId) -> Option<&Rvalue> {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.find_map(|stmt| match stmt {
        Statement::Assign { dst, value } if whole(function, *dst) == Some(local) => Some(value),
        _ => None,
    })
}

fn handler_of(program: &Program<'_>, f: FnRef, op: &Operand) -> Option<FnRef> {
    handler(program, f, &Rvalue::Use(op.clone()), 0)
}

/// `object->field = handler`.
fn put(program: &Program<'_>, f: FnRef, dst: PlaceId, runs: FnRef, found: &mut Vec<Handler>) {
    let function = program.function(f);
    let place = &function.places[dst];
    let Some((Proj::Field(field), before)) = place.proj.split_last() else {
        return;
    };
    // A lambda sees its maker's fields by their names alone.
    let class = match (&place.base, before) {
        (Base::Global(name), _) if before.iter().all(|step| *step == Proj::Deref) => {
            field_class(program, f, name)
        }
        (base, _) => program.class_behind(f.0, function, base, before),
    };
    let class = class.and_then(|class| program.class_ref_in(f.0, &function.name, &class));
    let Some(class) = class.and_then(|class| program.declarer(class, field)) else {
        return;
    };
    let sender = before.iter().rev().find_map(|step| match step {
        Proj::Field(name) => Some(name.clone()),
        _ => None,
    });
    let sender = sender.or_else(|| match &place.base {
        Base::Global(name) => Some(name.clone()),
        _ => None,
    });
    let of = CallOut {
        class,
        name: field.clone(),
        kind: CallOutKind::Callback,
    };
    found.push(Handler {
        of,
        sender,
        runs,
        by: f,
    });
}

/// The class that a field of the function's own class leads to.
fn field_class(program: &Program<'_>, f: FnRef, name: &Name) -> Option<Name> {
    let function = program.function(f);
    let class = function.class.as_ref()?;
    let steps = [Proj::Field(name.clone()), Proj::Deref];
    program
        .class(f.0, class)
        .and_then(|_| program.class_behind(f.0, function, &Base::SelfObj, &steps))
}

/// `object->setHandler(handler)`, where the setter is in sight and keeps it.
fn put_by_setter(
    program: &Program<'_>,
    f: FnRef,
    callee: &Callee,
    args: &[Operand],
    found: &mut Vec<Handler>,
) {
    let function = program.function(f);
    let receiver = match callee {
        Callee::Method { receiver, .. } => Some(*receiver),
        Callee::Function(_) => None,
        _ => return,
    };
    let handlers = args.iter().map(|op| handler_of(program, f, op));
    let handlers: Vec<(usize, FnRef)> = (0..)
        .zip(handlers)
        .filter_map(|(n, h)| Some((n, h?)))
        .collect();
    if handlers.is_empty() {
        return;
    }
    let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
        return;
    };
    for object in objects(program.function(g)) {
        let Some(view) = View::new(program, g, object) else {
            continue;
        };
        // The object that the handler is put into, as the caller names it.
        let sender = match object {
            Object::Own => receiver,
            Object::Given(l) => args.get(l.0 as usize).and_then(place_of).map(|place| {
                let address = address_of(function, place);
                address.unwrap_or(place)
            }),
        };
        let sender = sender.and_then(|place| last_name(function, place));
        for &(n, runs) in &handlers {
            for name in kept_from(&view, n) {
                let Some((class, _)) = view.field(&name) else {
                    continue;
                };
                let of = CallOut {
                    class: class.name.clone(),
                    name,
                    kind: CallOutKind::Callback,
                };
                let sender = sender.clone();
                found.push(Handler {
                    of,
                    sender,
                    runs,
                    by: f,
                });
            }
        }
    }
}

/// The fields that a parameter's value is put into.
fn kept_from(view: &View<'_, '_>, n: usize) -> Vec<Name> {
    let param = |op: &Operand| {
        let local = place_of(op).and_then(|place| whole(view.function, place));
        local.is_some_and(|l| l.0 as usize == n)
    };
    // `std::move` may stand between them.
    let moved = |op: &Operand| match view.def(op) {
        Some(Rvalue::Use(from)) => param(from),
        _ => param(op),
    };
    let stmts = view.function.blocks.iter().flat_map(|b| &b.stmts);
    let kept = stmts.filter_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Use(op),
        } if moved(op) => view.member(*dst),
        Statement::Call {
            dst: Some(dst),
            callee: Callee::Constructor(_),
            args,
            ..
        } if args.iter().any(moved) => view.member(*dst),
        Statement::Call {
            dst: Some(dst),
            callee: Callee::Function(name),
            args,
            ..
        } if matches!(last(name), "move" | "forward") && args.iter().any(moved) => {
            view.member(*dst)
        }
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            args,
            ..
        } if matches!(&**name, "operator=" | "swap") && args.iter().any(moved) => {
            view.member(*receiver)
        }
        _ => None,
    });
    kept.collect()
}

/// Qt's `connect(sender, signal, …, slot)`, in both forms.
fn connected(program: &Program<'_>, f: FnRef, args: &[Operand], found: &mut Handlers) {
    let function = program.function(f);
    let queued = |op: &Operand| match op {
        Operand::Const(Const::Named(name)) => name.ends_with("QueuedConnection"),
        _ => place_of(op)
            .and_then(|place| last_name(function, place))
            .is_some_and(|name| name.ends_with("QueuedConnection")),
    };
    let [from, signal, rest @ ..] = args else {
        return;
    };
    let Some((class, name)) = signal_of(program, f, from, signal) else {
        return;
    };
    if rest.iter().any(queued) {
        found.queued.insert((class, name));
        return;
    }
    let slot = rest.iter().rev().find_map(|op| {
        let by_name = || {
            let name = in_macro(function, op)?;
            program.only_function(f.0, function, &name)
        };
        handler_of(program, f, op).or_else(by_name)
    });
    match slot {
        Some(runs) => {
            let sender = place_of(from).and_then(|place| last_name(function, place));
            let kind = CallOutKind::Signal;
            let of = CallOut { class, name, kind };
            found.known.push(Handler {
                of,
                sender,
                runs,
                by: f,
            });
        }
        None => {
            found.unknown.insert((class, name));
        }
    }
}

/// The class and name of the signal that is connected.
fn signal_of(
    program: &Program<'_>,
    f: FnRef,
    from: &Operand,
    signal: &Operand,
) -> Option<(Name, Name)> {
    let function = program.function(f);
    let direct = |op: &Operand| match op {
        Operand::Const(Const::Function(name)) => Some(name.clone()),
        _ => None,
    };
    let through = || {
        let local = whole(function, place_of(signal)?)?;
        match held(function, local)? {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => direct(op),
            _ => None,
        }
    };
    if let Some(full) = direct(signal).or_else(through) {
        let (class, name) = full.rsplit_once("::")?;
        let class = program.class_named(f.0, &function.name, class)?;
        return Some((class.name.clone(), Name::new(name)));
    }
    let name = in_macro(function, signal)?;
    let class = program.class_of_place(f.0, function, place_of(from)?)?;
    let class = program.class_named(f.0, &function.name, &class)?;
    Some((class.name.clone(), name))
}

/// The function named in `SIGNAL(f())` or `SLOT(f())`.
fn in_macro(function: &Function, op: &Operand) -> Option<Name> {
    let call_into = |place: PlaceId| {
        let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        let mut into = stmts
            .filter(move |s| matches!(s, Statement::Call { dst: Some(dst), .. } if *dst == place));
        into.next()
    };
    let Statement::Call {
        callee: Callee::Function(name),
        args,
        ..
    } = call_into(place_of(op)?)?
    else {
        return None;
    };
    if !matches!(&**name, "SIGNAL" | "SLOT") {
        return None;
    }
    match call_into(place_of(args.first()?)?)? {
        Statement::Call {
            callee: Callee::Function(name),
            ..
        } => Some(name.clone()),
        _ => None,
    }
}
