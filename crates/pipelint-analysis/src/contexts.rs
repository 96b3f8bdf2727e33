//! The context of a callback: memory that an owner gave up for it, and that somebody ends.
//!
//! An object that keeps the pointer and ends the memory with itself is its owner; a callback that makes
//! an owner of its context and lets it end is one too, at each run.

use pipelint_ir::{
    Base, Callee, Const, Function, FunctionKind, Language, Name, Operand, Place, PlaceId, Proj,
    Rvalue, Statement,
};
use pipelint_source::Span;

use crate::event::{Aliased, Event, EventKind, PathStep, StepKind};
use crate::forget::is_raw_maker;
use crate::program::{ClassRef, FnRef, Program, Target, last};
use crate::taken_back::frees;

/// How far copies of a pointer are followed within a function.
const COPIES: u32 = 6;

/// A pointer that is given to a callback and kept in a field.
struct Kept {
    made: (Span, Name),
    given: (Span, Name),
    callback: FnRef,
    class: ClassRef,
    field: Name,
}

/// One event for each callback that ends a context which the object that keeps it ends as well.
pub(crate) fn ended_twice(program: &Program<'_>) -> Vec<Event> {
    let all = program.all();
    let rust = all.filter(|f| program.units[f.0].language == Language::Rust);
    let kept = rust.flat_map(|f| kept_by(program, f));
    let mut events = Vec::new();
    for kept in kept {
        let Some(ended) = ends_a_parameter(program, kept.callback) else {
            continue;
        };
        let Some((destructor, taken)) = ended_with_its_object(program, &kept) else {
            continue;
        };
        let step = |span, what| PathStep { span, what };
        let callback = program.function(kept.callback).name.clone();
        events.push(Event {
            kind: EventKind::AliasedOwner(Aliased::EndsContext {
                field: kept.field.clone(),
                callback: Name::new(last(&callback)),
            }),
            at: ended,
            function: callback.clone(),
            resource: None,
            path: vec![
                step(
                    kept.made.0,
                    StepKind::Created {
                        api: kept.made.1,
                        var: kept.field,
                    },
                ),
                step(kept.given.0, StepKind::Passed(kept.given.1)),
                step(
                    program.function(kept.callback).map.name,
                    StepKind::Called(callback),
                ),
                step(ended, StepKind::Closed(Name::new_static("from_raw"))),
            ],
            others: vec![step(taken, StepKind::Method(destructor))],
        });
    }
    events
}

/// The pointers that a function gives to callbacks and puts into fields.
fn kept_by(program: &Program<'_>, f: FnRef) -> Vec<Kept> {
    let function = program.function(f);
    let mut kept = Vec::new();
    for (span, stmt) in statements(function) {
        let Statement::Call { callee, args, .. } = stmt else {
            continue;
        };
        let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
            continue;
        };
        let callback = args.iter().find_map(|arg| named_function(function, arg));
        let callback = callback.and_then(|name| program.only_function(f.0, function, &name));
        let (Some(callback), Callee::Function(api)) = (callback, callee) else {
            continue;
        };
        for n in &model.escapes {
            let Some(context) = args.get(*n).and_then(place_of) else {
                continue;
            };
            let context = root(function, context);
            let Some(made) = maker(function, context) else {
                continue;
            };
            for (class, field) in fields_filled(program, f, context) {
                kept.push(Kept {
                    made: made.clone(),
                    given: (span, Name::new(last(api))),
                    callback,
                    class,
                    field,
                });
            }
        }
    }
    kept
}

fn statements(function: &Function) -> impl Iterator<Item = (Span, &Statement)> {
    function
        .blocks
        .iter()
        .enumerate()
        .flat_map(move |(b, block)| {
            let spans = function.map.stmts.get(b);
            block.stmts.iter().enumerate().map(move |(i, stmt)| {
                let span = spans.and_then(|spans| spans.get(i)).copied();
                (span.unwrap_or(function.map.name), stmt)
            })
        })
}

/// The place that an operand reads.
pub(crate) fn place_of(op: &Operand) -> Option<PlaceId> {
    match op {
        Operand::Copy(place) | Operand::Move(place) => Some(*place),
        Operand::Const(_) => None,
    }
}

/// The place whose address a temporary holds.
pub(crate) fn address_of(function: &Function, of: PlaceId) -> Option<PlaceId> {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.find_map(|stmt| match stmt {
        Statement::Assign {
            dst,
            value: Rvalue::Ref(place),
        } if *dst == of => Some(*place),
        _ => None,
    })
}

/// The variable that a place is a copy of.
fn root(function: &Function, mut place: PlaceId) -> PlaceId {
    for _ in 0..COPIES {
        let from = statements(function).find_map(|(_, stmt)| match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Use(of) | Rvalue::Cast(_, of),
            } if *dst == place => place_of(of),
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Method { receiver, name, .. },
                ..
            } if *dst == place && last(name).starts_with("cast") => Some(*receiver),
            _ => None,
        });
        match from {
            Some(from) => place = from,
            None => break,
        }
    }
    place
}

/// The call that gave the pointer up, if nothing else sets the variable.
fn maker(function: &Function, place: PlaceId) -> Option<(Span, Name)> {
    let mut made = None;
    for (span, stmt) in statements(function) {
        match stmt {
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Function(name),
                ..
            } if *dst == place && is_raw_maker(name) && made.is_none() => {
                made = Some((span, Name::new(last(name))));
            }
            Statement::Call { dst: Some(dst), .. } | Statement::Assign { dst, .. }
                if *dst == place =>
            {
                return None;
            }
            _ => {}
        }
    }
    made
}

/// The function that an argument names, as it is or in a `Some`.
pub(crate) fn named_function(function: &Function, arg: &Operand) -> Option<Name> {
    let name = |op: &Operand| match op {
        Operand::Const(Const::Function(name)) => Some(name.clone()),
        _ => None,
    };
    if let Some(found) = name(arg) {
        return Some(found);
    }
    let place = place_of(arg)?;
    statements(function).find_map(|(_, stmt)| match stmt {
        Statement::Assign { dst, value } if *dst == place => match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => name(op),
            Rvalue::Aggregate(items) => items.iter().find_map(|(_, op)| name(op)),
            _ => None,
        },
        _ => None,
    })
}

/// The fields of objects that a variable is put into.
fn fields_filled(program: &Program<'_>, f: FnRef, of: PlaceId) -> Vec<(ClassRef, Name)> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (_, stmt) in statements(function) {
        let Statement::Assign { dst, value } = stmt else {
            continue;
        };
        let class = |place: PlaceId, but: usize| {
            let place = &function.places[place];
            let steps = place.proj.get(..place.proj.len().checked_sub(but)?)?;
            let name = program.class_behind(f.0, function, &place.base, steps)?;
            program.class_ref_in(f.0, &function.name, &name)
        };
        match value {
            Rvalue::Aggregate(items) => {
                let fits = |op: &Operand| place_of(op).is_some_and(|p| root(function, p) == of);
                let names = items.iter().filter(|(_, op)| fits(op));
                let names = names.filter_map(|(name, _)| name.clone());
                found.extend(names.filter_map(|name| Some((class(*dst, 0)?, name))));
            }
            Rvalue::Use(op) if place_of(op).is_some_and(|p| root(function, p) == of) => {
                if let Some(Proj::Field(name)) = function.places[*dst].proj.last() {
                    found.extend(class(*dst, 1).map(|class| (class, name.clone())));
                }
            }
            _ => {}
        }
    }
    found
}

/// Where a function makes an owner of what a parameter points to, and lets it end.
fn ends_a_parameter(program: &Program<'_>, f: FnRef) -> Option<Span> {
    let function = program.function(f);
    let keeps = |name: &str| {
        is_raw_maker(name) || matches!(last(name), "forget" | "leak" | "increment_strong_count")
    };
    let mut calls = statements(function).filter_map(|(span, stmt)| match stmt {
        Statement::Call {
            callee: Callee::Function(name),
            args,
            ..
        } => Some((span, name, args)),
        _ => None,
    });
    if calls.any(|(_, name, _)| keeps(name)) || has_kept(function) {
        return None;
    }
    let given = |place: &Place| match place.base {
        Base::Local(l) => l.0 < function.params && place.proj.is_empty(),
        _ => false,
    };
    let mut freed = statements(function).filter(|(_, stmt)| frees_a(function, stmt, given));
    freed.next().map(|(span, _)| span)
}

/// A call that ends the memory of a pointer in such a place, or makes an owner of it.
fn frees_a(function: &Function, stmt: &Statement, is: impl Fn(&Place) -> bool) -> bool {
    let Statement::Call {
        callee: Callee::Function(name),
        args,
        ..
    } = stmt
    else {
        return false;
    };
    let mut places = args.iter().filter_map(place_of);
    frees(name) && places.any(|place| is(&function.places[root(function, place)]))
}

/// Something in the function is kept from ending by its type.
fn has_kept(function: &Function) -> bool {
    let mut locals = function.locals.iter();
    locals.any(|local| last(&local.ty.name) == "ManuallyDrop")
}

/// Where the object that keeps the pointer ends the memory, whatever has happened before.
fn ended_with_its_object(program: &Program<'_>, kept: &Kept) -> Option<(Name, Span)> {
    let class = &program.class_at(kept.class).name;
    let ends = program.all().find(|f| {
        let function = program.function(*f);
        function.kind == FunctionKind::Destructor && function.class.as_ref() == Some(class)
    })?;
    let function = program.function(ends);
    let first = function.blocks.first()?;
    let spans = function.map.stmts.first()?;
    let is_field = |place: &Place| {
        place.base == Base::SelfObj && place.proj == [Proj::Field(kept.field.clone())]
    };
    let mut stmts = first.stmts.iter().zip(spans);
    let (_, span) = stmts.find(|(stmt, _)| frees_a(function, stmt, is_field))?;
    Some((function.name.clone(), *span))
}
