//! Classes whose methods several threads call at once: one of them waits for what only another one does.

use pipelint_ir::{Callee, Operand, Rvalue, Statement};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::accesses::Touched;
use crate::flag_accesses::Thing;
use crate::lock_contexts::{LockContexts, NOBODY};
use crate::program::{ClassRef, FnRef, Program, last};
use crate::threads::CALLERS;

/// The classes with such a field.
pub(crate) fn called_by_several(
    program: &Program<'_>,
    all: &[FnRef],
    touched: &[Touched],
    contexts: &LockContexts,
) -> FxHashSet<ClassRef> {
    let mut writers: FxHashMap<&Thing, Vec<usize>> = FxHashMap::default();
    for (f, touched) in touched.iter().enumerate() {
        let alone = contexts.of(f).iter().all(|way| way.alone);
        for access in touched.accesses.iter().filter(|a| a.writes() && !alone) {
            writers.entry(&access.thing).or_default().push(f);
        }
    }
    let by_callers = |f: &usize| {
        let mut ways = contexts.of(*f).iter();
        ways.all(|way| way.root == CALLERS || way.root == NOBODY)
    };
    let mut found = FxHashSet::default();
    for f in 0..all.len() {
        for asks in waits_for(program, all, f) {
            for access in &touched[asks].accesses {
                let Thing::Field(class, ..) = access.thing else {
                    continue;
                };
                let known = writers.get(&access.thing);
                if known.is_some_and(|w| w.iter().all(|g| *g != f && by_callers(g))) {
                    found.insert(class);
                }
            }
        }
    }
    found
}

/// The lambdas that condition variables ask, for which a function waits.
fn waits_for(program: &Program<'_>, all: &[FnRef], f: usize) -> Vec<usize> {
    let at = all[f];
    let function = program.function(at);
    let mut found = Vec::new();
    for block in &function.blocks {
        for stmt in &block.stmts {
            let Statement::Call {
                callee: Callee::Method { receiver, name, .. },
                args,
                ..
            } = stmt
            else {
                continue;
            };
            if !program.models.is_wait(last(name)) {
                continue;
            }
            let ty = program.type_of_place(at.0, function, *receiver);
            let known = ty.is_some_and(|ty| {
                let name = &program.resolve(&ty).name;
                program.models.condition(name).is_some()
            });
            if !known {
                continue;
            }
            for arg in args {
                let (Operand::Copy(place) | Operand::Move(place)) = arg else {
                    continue;
                };
                let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
                let made = stmts.filter_map(|stmt| match stmt {
                    Statement::Assign {
                        dst,
                        value: Rvalue::Closure(name, _),
                    } if dst == place => program.lambda(at.0, name),
                    _ => None,
                });
                found.extend(made.map(|lambda| program.number(lambda)));
            }
        }
    }
    found
}
