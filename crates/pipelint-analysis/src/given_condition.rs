//! Functions that are given a condition to wait for, and report it as met because their wait has ended.
//!
//! The condition is asked and does not hold; the next test is how the last wait ended, and where it ended with
//! a signal the path goes the way of a condition that holds.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, Function, LocalId, Name, Operand, Rvalue, Statement,
    Terminator,
};
use pipelint_source::Span;
use rayon::prelude::*;

use crate::call_loops::reaches;
use crate::conditions::local_of;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{FnRef, Program, Target, last};
use crate::wake_fault::WakeFault;
use crate::woken::{only_set, sets};

/// Tells of every wait whose end stands for a condition that the function is given.
pub(crate) fn ignored(program: &Program<'_>) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let found = all.par_iter().flat_map_iter(|&f| in_function(program, f));
    found.collect()
}

fn in_function(program: &Program<'_>, f: FnRef) -> Vec<Event> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &block.term
        else {
            continue;
        };
        let Some((condition, holds)) = asks_given(function, cond) else {
            continue;
        };
        let (met, unmet) = match holds {
            true => (then, otherwise),
            false => (otherwise, then),
        };
        let unmet = straight(function, unmet.0 as usize);
        let met = straight(function, met.0 as usize);
        let Some(Terminator::Branch {
            cond: next,
            then,
            otherwise,
        }) = function.blocks.get(unmet).map(|block| &block.term)
        else {
            continue;
        };
        let Some((wait, at, woken)) = asks_wait(program, f, next) else {
            continue;
        };
        let taken = match woken {
            true => then,
            false => otherwise,
        };
        let repeated = reaches(function, at.0, b) && reaches(function, b, at.0);
        if straight(function, taken.0 as usize) != met || !repeated {
            continue;
        }
        let span = |at: (usize, usize)| function.map.stmts.get(at.0)?.get(at.1).copied();
        let (Some(waits), Some(&asked)) = (span(at), function.map.terms.get(b)) else {
            continue;
        };
        found.push(told(function, (wait, waits), (condition, asked)));
    }
    found
}

fn told(
    function: &Function,
    (api, waits): (Name, Span),
    (condition, asked): (Name, Span),
) -> Event {
    let step = |span, what| PathStep { span, what };
    Event {
        kind: EventKind::Wake(WakeFault::GivenConditionIgnored {
            api: api.clone(),
            condition,
            asked,
        }),
        at: waits,
        function: function.name.clone(),
        resource: None,
        path: vec![
            step(waits, StepKind::Awaited(api)),
            step(asked, StepKind::Branch(false)),
        ],
        others: Vec::new(),
    }
}

/// The block that a way comes to by steps which do nothing.
fn straight(function: &Function, mut at: usize) -> usize {
    for _ in 0..4 {
        match function.blocks.get(at).map(|b| (&b.term, b.stmts.len())) {
            Some((Terminator::Goto(next), 0)) => at = next.0 as usize,
            _ => break,
        }
    }
    at
}

/// A test against 0 of a variable, and the answer where it is not 0.
fn tested(function: &Function, cond: &Cond) -> Option<(LocalId, bool)> {
    let (Operand::Copy(place) | Operand::Move(place), Operand::Const(Const::Int(with))) =
        (&cond.lhs, &cond.rhs)
    else {
        return None;
    };
    let local = local_of(function, *place)?;
    match (cond.op, with) {
        (CmpOp::Ne, 0) | (CmpOp::Eq, 1) => Some((local, true)),
        (CmpOp::Eq, 0) | (CmpOp::Ne, 1) => Some((local, false)),
        _ => None,
    }
}

/// The condition asks a function that a parameter is: its name, and the answer where it holds.
fn asks_given(function: &Function, cond: &Cond) -> Option<(Name, bool)> {
    let (local, holds) = tested(function, cond)?;
    let Some(Statement::Call {
        callee: Callee::Pointer(Operand::Copy(of) | Operand::Move(of)),
        ..
    }) = only_set(function, local)
    else {
        return None;
    };
    let Base::Local(given) = function.places[*of].base else {
        return None;
    };
    let param = function.locals.get(given.0 as usize)?;
    (given.0 < function.params).then(|| (param.name.clone(), holds))
}

/// The condition asks how a wait ended: the wait, where it is, and the answer where it ended with a signal.
fn asks_wait(program: &Program<'_>, f: FnRef, cond: &Cond) -> Option<(Name, (usize, usize), bool)> {
    let function = program.function(f);
    let (mut local, holds) = tested(function, cond)?;
    for _ in 0..4 {
        if let Some(Statement::Call { callee, args, .. }) = only_set(function, local) {
            let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
                return None;
            };
            let woken = woken_value(program, g)?;
            let at = position(function, local)?;
            let name = Name::new(last(&program.function(g).name));
            return Some((name, at, woken == holds));
        }
        // The first round has no wait behind it: a constant.
        let mut from = sets(function, local).filter_map(|stmt| match stmt {
            Statement::Assign {
                value: Rvalue::Use(Operand::Copy(from) | Operand::Move(from)),
                ..
            } => local_of(function, *from),
            _ => None,
        });
        let (Some(one), None) = (from.next(), from.next()) else {
            return None;
        };
        local = one;
    }
    None
}

/// Where a variable is set.
fn position(function: &Function, local: LocalId) -> Option<(usize, usize)> {
    let mut blocks = function.blocks.iter().enumerate();
    blocks.find_map(|(b, block)| {
        let i = block.stmts.iter().position(|stmt| match stmt {
            Statement::Call { dst: Some(dst), .. } => local_of(function, *dst) == Some(local),
            _ => false,
        })?;
        Some((b, i))
    })
}

/// What a helper that waits for one object yields where the object was signalled: true or false.
fn woken_value(program: &Program<'_>, g: FnRef) -> Option<bool> {
    let function = program.function(g);
    let waited = |place| {
        let local = local_of(function, place)?;
        let Some(Statement::Call { callee, args, .. }) = only_set(function, local) else {
            return None;
        };
        match program.target(g.0, function, callee, args.len()) {
            Target::Model(model) if model.waits.is_some() => Some(()),
            _ => None,
        }
    };
    let signalled = |cond: &Cond| {
        let (Operand::Copy(place) | Operand::Move(place), Operand::Const(with)) =
            (&cond.lhs, &cond.rhs)
        else {
            return false;
        };
        let zero = match with {
            Const::Int(n) => *n == 0,
            Const::Named(name) => last(name) == "WAIT_OBJECT_0",
            _ => false,
        };
        zero && cond.op == CmpOp::Eq && waited(*place).is_some()
    };
    for block in &function.blocks {
        let compared = block.stmts.iter().any(|stmt| match stmt {
            Statement::Assign {
                value: Rvalue::Compare(cond),
                ..
            } => signalled(cond),
            _ => false,
        });
        if compared {
            return Some(true);
        }
        if let Terminator::Branch { cond, then, .. } = &block.term
            && signalled(cond)
        {
            let then = function.blocks.get(then.0 as usize)?;
            let mut values = then.stmts.iter().filter_map(constant);
            let returned = match &then.term {
                Terminator::Return(Some(Operand::Const(Const::Int(n)))) => Some(*n != 0),
                _ => None,
            };
            return values.next().or(returned);
        }
    }
    None
}

/// The constant that a statement puts somewhere, also as the value of an `Ok`.
fn constant(stmt: &Statement) -> Option<bool> {
    let of = |op: &Operand| match op {
        Operand::Const(Const::Int(n)) => Some(*n != 0),
        _ => None,
    };
    match stmt {
        Statement::Assign {
            value: Rvalue::Use(op),
            ..
        } => of(op),
        Statement::Assign {
            value: Rvalue::Aggregate(items),
            ..
        } => {
            let mut held = items.iter();
            let held = held.find(|(name, _)| name.as_deref() == Some("0"));
            held.and_then(|(_, op)| of(op))
        }
        _ => None,
    }
}
