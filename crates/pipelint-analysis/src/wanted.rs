//! What threads that wait to be woken ask of a field, and which changes of it are what they wait for.

use pipelint_ir::{
    Base, BinOp, Callee, CmpOp, Cond, Const, Function, Name, Operand, PlaceId, Rvalue, Statement,
    Terminator,
};

use crate::conditions::{Key, local_of};
use crate::program::{FnRef, Program, last, successors};
use crate::woken::only_set;

/// Conditions that lead to a wait and are looked at.
const MOST_CONDITIONS: usize = 4;

/// What is to become of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    NonZero,
    Zero,
    Is(Const),
    IsNot(Const),
    /// Something else than it was.
    Changed,
    Lower,
    Higher,
    /// A container with more or less in it.
    Fuller,
    Emptier,
}

/// What a statement makes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Set(Const),
    Raised,
    Lowered,
    Filled,
    Emptied,
}

impl Change {
    pub(crate) fn is_for(&self, want: &Want) -> bool {
        match (want, self) {
            (Want::NonZero, Self::Set(value)) => matches!(value, Const::Int(n) if *n != 0),
            (Want::Zero, Self::Set(value)) => matches!(value, Const::Int(0) | Const::Null),
            (Want::Is(a), Self::Set(b)) => a == b,
            (Want::IsNot(a), Self::Set(b)) => {
                a != b && std::mem::discriminant(a) == std::mem::discriminant(b)
            }
            (Want::Changed | Want::Higher | Want::NonZero, Self::Raised)
            | (Want::Changed | Want::Lower | Want::Zero, Self::Lowered)
            | (Want::Fuller, Self::Filled)
            | (Want::Emptier, Self::Emptied) => true,
            _ => false,
        }
    }
}

/// What the condition of a wait asks, which is given to it as a function: of fields, and what is wanted of
/// them. `ends`: the answer that ends the wait.
pub(crate) fn of_predicate(program: &Program<'_>, g: FnRef, ends: bool) -> Vec<(Key, Want)> {
    let function = program.function(g);
    let mut found = Vec::new();
    // Where a way comes to an answer.
    let answer = |mut at: usize| {
        for _ in 0..3 {
            let block = function.blocks.get(at)?;
            let mut values = block.stmts.iter().filter_map(|stmt| match stmt {
                Statement::Assign {
                    value: Rvalue::Use(Operand::Const(Const::Int(n))),
                    ..
                } => Some(*n != 0),
                _ => None,
            });
            if let Some(value) = values.next() {
                return Some(value);
            }
            match &block.term {
                Terminator::Goto(next) => at = next.0 as usize,
                Terminator::Return(Some(Operand::Const(Const::Int(n)))) => return Some(*n != 0),
                _ => return None,
            }
        }
        None
    };
    for block in &function.blocks {
        if let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &block.term
        {
            let (yes, no) = (answer(then.0 as usize), answer(otherwise.0 as usize));
            // The one way ends the wait, or the other way goes on with it.
            let holds = match (yes, no) {
                (Some(value), _) => Some(value == ends),
                (None, Some(value)) => Some(value != ends),
                (None, None) => None,
            };
            found.extend(holds.and_then(|holds| asks(program, g, cond, holds)));
            continue;
        }
        for stmt in &block.stmts {
            if let Statement::Assign {
                value: Rvalue::Compare(cond),
                ..
            } = stmt
            {
                found.extend(asks(program, g, cond, ends));
            }
        }
        if let Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) = &block.term {
            let cond = Cond {
                op: CmpOp::Ne,
                lhs: Operand::Copy(*place),
                rhs: Operand::Const(Const::Int(0)),
            };
            let plain = local_of(function, *place)
                .and_then(|l| only_set(function, l))
                .is_none_or(|stmt| matches!(stmt, Statement::Call { .. }));
            if plain {
                found.extend(asks(program, g, &cond, ends));
            }
        }
    }
    found
}

/// What the conditions ask that lead to a block where it waits.
pub(crate) fn of_loop(program: &Program<'_>, f: FnRef, block: usize) -> Vec<(Key, Want)> {
    let function = program.function(f);
    let mut found = Vec::new();
    let mut at = block;
    for _ in 0..MOST_CONDITIONS * 2 {
        let mut before = (0..function.blocks.len()).filter(|&b| {
            let mut leads = false;
            successors(&function.blocks[b].term, |s| leads |= s == at);
            leads
        });
        let (Some(one), None) = (before.next(), before.next()) else {
            break;
        };
        if let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &function.blocks[one].term
            && then != otherwise
        {
            // What leads away from the wait is what is waited for.
            found.extend(asks(program, f, cond, otherwise.0 as usize == at));
        }
        at = one;
        if at == block {
            break;
        }
    }
    found
}

/// What a condition asks of a field, where its answer is to be this one.
fn asks(program: &Program<'_>, f: FnRef, cond: &Cond, holds: bool) -> Option<(Key, Want)> {
    let function = program.function(f);
    let op = if holds { cond.op } else { negated(cond.op) };
    let (Operand::Copy(place) | Operand::Move(place)) = &cond.lhs else {
        return None;
    };
    let (key, method) = asked(program, f, *place)?;
    let want = match method.as_deref() {
        None | Some("load" | "get") => match (&cond.rhs, op) {
            (Operand::Const(Const::Int(0) | Const::Null), CmpOp::Ne | CmpOp::Gt) => Want::NonZero,
            (Operand::Const(Const::Int(0) | Const::Null), CmpOp::Eq | CmpOp::Le) => Want::Zero,
            (Operand::Const(value @ (Const::Int(_) | Const::Named(_))), CmpOp::Eq) => {
                Want::Is(value.clone())
            }
            (Operand::Const(value @ (Const::Int(_) | Const::Named(_))), CmpOp::Ne) => {
                Want::IsNot(value.clone())
            }
            (Operand::Copy(with) | Operand::Move(with), CmpOp::Ne) if is_kept(function, *with) => {
                Want::Changed
            }
            (_, CmpOp::Lt | CmpOp::Le) => Want::Lower,
            (_, CmpOp::Gt | CmpOp::Ge) => Want::Higher,
            _ => return None,
        },
        Some("empty" | "is_empty" | "isEmpty") => match (&cond.rhs, op) {
            (Operand::Const(Const::Int(0)), CmpOp::Ne) => Want::Emptier,
            (Operand::Const(Const::Int(0)), CmpOp::Eq) => Want::Fuller,
            _ => return None,
        },
        Some("size" | "len" | "length" | "count") => match (&cond.rhs, op) {
            (Operand::Const(Const::Int(0)), CmpOp::Ne) | (_, CmpOp::Gt | CmpOp::Ge) => Want::Fuller,
            (Operand::Const(Const::Int(0)), CmpOp::Eq) | (_, CmpOp::Lt | CmpOp::Le) => {
                Want::Emptier
            }
            _ => return None,
        },
        Some(_) => return None,
    };
    Some((key, want))
}

/// A variable that keeps what was before the wait.
fn is_kept(function: &Function, place: PlaceId) -> bool {
    matches!(function.places[place].base, Base::Captured(_)) || local_of(function, place).is_some()
}

/// The field that a value is, or the method of it that yields the value.
fn asked(program: &Program<'_>, f: FnRef, place: PlaceId) -> Option<(Key, Option<Name>)> {
    let function = program.function(f);
    let Some(local) = local_of(function, place) else {
        return Some((key_of(program, f, place)?, None));
    };
    if let Some(field) = of_parameter(program, f, place) {
        return Some((field, None));
    }
    match only_set(function, local)? {
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            ..
        } => Some((key_of(program, f, *receiver)?, Some(name.clone()))),
        Statement::Assign {
            value: Rvalue::Use(Operand::Copy(from) | Operand::Move(from)),
            ..
        } if *from != place => asked(program, f, *from),
        _ => None,
    }
}

fn key_of(program: &Program<'_>, f: FnRef, place: PlaceId) -> Option<Key> {
    of_parameter(program, f, place).or_else(|| program.key(f, place))
}

/// The parameter of a Rust closure has no type: its field is that of the only class with such a field in
/// the file.
fn of_parameter(program: &Program<'_>, f: FnRef, place: PlaceId) -> Option<Key> {
    let function = program.function(f);
    if function.kind != pipelint_ir::FunctionKind::Lambda {
        return None;
    }
    let at = &function.places[place];
    let Base::Local(l) = at.base else {
        return None;
    };
    if l.0 >= function.params {
        return None;
    }
    let name = at.proj.iter().rev().find_map(|step| match step {
        pipelint_ir::Proj::Field(name) => Some(name),
        _ => None,
    })?;
    let classes = program.units.get(f.0)?.classes.iter().enumerate();
    let mut with = classes.filter(|(_, class)| class.fields.iter().any(|x| x.name == *name));
    let (Some((c, _)), None) = (with.next(), with.next()) else {
        return None;
    };
    Some(Key::Field((f.0, c), name.clone()))
}

fn negated(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Eq => CmpOp::Ne,
        CmpOp::Ne => CmpOp::Eq,
        CmpOp::Lt => CmpOp::Ge,
        CmpOp::Le => CmpOp::Gt,
        CmpOp::Gt => CmpOp::Le,
        CmpOp::Ge => CmpOp::Lt,
    }
}

/// What a statement makes of which field.
pub(crate) fn change(program: &Program<'_>, f: FnRef, stmt: &Statement) -> Option<(Key, Change)> {
    let function = program.function(f);
    match stmt {
        Statement::Assign { dst, value } => {
            if local_of(function, *dst).is_some() {
                return None;
            }
            let change = match value {
                Rvalue::Use(Operand::Const(
                    value @ (Const::Int(_) | Const::Null | Const::Named(_)),
                )) => Change::Set(value.clone()),
                Rvalue::Binary(op, Operand::Copy(from), _) if from == dst => match op {
                    BinOp::Add => Change::Raised,
                    BinOp::Sub => Change::Lowered,
                    _ => return None,
                },
                _ => return None,
            };
            Some((program.key(f, *dst)?, change))
        }
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            args,
            ..
        } => {
            let change = match last(name) {
                "store" | "exchange" | "swap" => match args.first()? {
                    Operand::Const(value) => Change::Set(value.clone()),
                    _ => return None,
                },
                "fetch_add" => Change::Raised,
                "fetch_sub" => Change::Lowered,
                "push" | "push_back" | "push_front" | "emplace" | "emplace_back"
                | "emplace_front" | "enqueue" | "append" | "prepend" => Change::Filled,
                "pop" | "pop_back" | "pop_front" | "clear" | "erase" | "dequeue" | "takeFirst"
                | "drain" => Change::Emptied,
                _ => return None,
            };
            if local_of(function, *receiver).is_some() {
                return None;
            }
            Some((program.key(f, *receiver)?, change))
        }
        _ => None,
    }
}
