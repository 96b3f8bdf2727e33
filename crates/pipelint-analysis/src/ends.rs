//! Which destructors a statement surely runs.

use pipelint_ir::{
    Base, Callee, Const, FunctionKind, Language, Name, Operand, PlaceId, Rvalue, Statement, Type,
};

use crate::names::points_uniquely;
use crate::program::{FnRef, last};
use crate::rust::{TAG, parts_of, type_of};
use crate::started::reaches;
use crate::told_types::Told;

/// Parts of a value that are looked at.
const MOST: usize = 40;

/// What an owner that is no class of the program's ends with itself.
fn owned(ty: &Type) -> Vec<Type> {
    if points_uniquely(ty) || ty.is_object() && matches!(last(&ty.name), "Box" | "optional") {
        return ty
            .args
            .first()
            .map(|arg| type_of(arg))
            .into_iter()
            .collect();
    }
    match ty.is_object() {
        true => parts_of(ty).into_iter().map(|(_, part)| part).collect(),
        false => Vec::new(),
    }
}

/// The destructors that run where an object of this type ends, those of what owners among its parts hold
/// included.
fn destructors(told: &Told<'_, '_>, ty: &Type) -> Vec<FnRef> {
    let (program, scope) = (told.program, &told.function.name);
    let mut found = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    let mut todo = vec![ty.clone()];
    while let Some(ty) = todo.pop() {
        if !ty.is_object() || seen.len() > MOST {
            continue;
        }
        let resolved = program.resolve(&ty);
        let Some(class) = program.class_named(told.f.0, scope, &resolved.name) else {
            let parts = owned(&resolved);
            if !parts.is_empty() {
                seen.push(resolved.name.clone());
            }
            todo.extend(parts);
            continue;
        };
        if seen.contains(&class.name) {
            continue;
        }
        seen.push(class.name.clone());
        found.extend(program.destructor(told.f.0, scope, &ty).flatten());
        todo.extend(class.bases.iter().map(|b| Type::named(b.clone())));
        todo.extend(class.fields.iter().map(|f| f.ty.clone()));
    }
    found
}

/// The destructors that a statement runs: where a value ends, and where an owner lets go.
pub(crate) fn ended_by(told: &Told<'_, '_>, at: (usize, usize), stmt: &Statement) -> Vec<FnRef> {
    let destructors = |ty: &Type| destructors(told, ty);
    match stmt {
        Statement::Drop { place, .. } => {
            let declared = told.type_of(*place);
            let declared =
                declared.or_else(|| told.program.type_of_place(told.f.0, told.function, *place));
            match declared {
                Some(ty) if !is_moved(told, *place, at) && !is_replaced(told, *place, at) => {
                    destructors(&ty)
                }
                _ => Vec::new(),
            }
        }
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            args,
            ..
        } if last(name) == "reset" && args.iter().all(is_nothing) => told
            .type_of(*receiver)
            .filter(|ty| points_uniquely(ty) || last(&ty.name) == "optional")
            .map(|ty| destructors(&ty))
            .unwrap_or_default(),
        Statement::Assign {
            dst,
            value: Rvalue::Use(op),
        } if is_nothing(op) && told.function.kind != FunctionKind::Constructor => told
            .type_of(*dst)
            .filter(|ty| points_uniquely(ty) && !told.function.places[*dst].proj.is_empty())
            .map(|ty| destructors(&ty))
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn is_nothing(op: &Operand) -> bool {
    matches!(op, Operand::Const(Const::Null | Const::Int(0)))
}

/// It, or a part of it, was moved away on a way to here.
fn is_moved(told: &Told<'_, '_>, place: PlaceId, at: (usize, usize)) -> bool {
    let place = &told.function.places[place];
    let Base::Local(local) = place.base else {
        return false;
    };
    let is = |op: &Operand| match op {
        Operand::Move(p) => told.function.places[*p].base == Base::Local(local),
        _ => false,
    };
    let blocks = told.function.blocks.iter().enumerate();
    let mut moves = blocks.flat_map(|(b, block)| {
        block.stmts.iter().enumerate().filter_map(move |(i, stmt)| {
            let moves = match stmt {
                Statement::Assign { value, .. } => match value {
                    Rvalue::Use(op) | Rvalue::Cast(_, op) => is(op),
                    Rvalue::Aggregate(parts) => parts.iter().any(|(_, op)| is(op)),
                    Rvalue::Closure(_, captures) => captures.iter().any(|(p, by_reference)| {
                        !by_reference && told.function.places[*p].base == Base::Local(local)
                    }),
                    _ => false,
                },
                Statement::Call { args, .. } => args.iter().any(is),
                _ => false,
            };
            moves.then_some((b, i))
        })
    });
    moves.any(|from| from == at || reaches(told.function, from, at))
}

/// Rust: what stood there ends because something else is put there; there may have been nothing before.
fn is_replaced(told: &Told<'_, '_>, place: PlaceId, at: (usize, usize)) -> bool {
    if told.program.units[told.f.0].language != Language::Rust
        || told.function.places[place].proj.is_empty()
    {
        return false;
    }
    let block = told.function.blocks.get(at.0);
    let after = block.and_then(|b| b.stmts.get(at.1 + 1..));
    let put = after.into_iter().flatten().find_map(|stmt| match stmt {
        Statement::Assign { dst, value } if *dst == place => Some(value),
        _ => None,
    });
    let none = |value: &Rvalue| match value {
        Rvalue::Aggregate(parts) => is_none(parts),
        Rvalue::Use(Operand::Copy(p) | Operand::Move(p)) => {
            let made = match told.function.places[*p].base {
                Base::Local(l) => told.def(l.0),
                _ => None,
            };
            matches!(made, Some(Statement::Assign { value: Rvalue::Aggregate(parts), .. })
                if is_none(parts))
        }
        _ => false,
    };
    put.is_some_and(|value| !none(value))
}

fn is_none(parts: &[(Option<Name>, Operand)]) -> bool {
    parts.iter().any(|(name, op)| {
        name.as_ref().is_some_and(|n| n == TAG) && *op == Operand::Const(Const::Int(1))
    })
}
