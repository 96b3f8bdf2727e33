//! The order in which functions are run: what is called first, so that its summary is there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use pipelint_ir::{Callee, Const, Name, Operand, Rvalue, Statement};
use rayon::prelude::*;

use crate::program::{FnRef, Program, Target};
use crate::summary::Summary;

/// Summaries of the functions run so far, by their numbers.
#[derive(Debug)]
pub(crate) struct Summaries(Vec<OnceLock<Option<Summary>>>);

impl Summaries {
    pub(crate) fn new(functions: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(functions, OnceLock::new);
        Self(slots)
    }

    /// Keeps what came of a function; each is run once.
    pub(crate) fn insert(&self, function: usize, summary: Option<Summary>) {
        if let Some(slot) = self.0.get(function) {
            let _ = slot.set(summary);
        }
    }

    pub(crate) fn get(&self, function: usize) -> Option<&Summary> {
        self.0.get(function)?.get()?.as_ref()
    }
}

/// The summaries that one function sees: those of what it calls. Whether others are there depends on
/// what the other threads have come to, and what a function shows must not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'s> {
    pub(crate) all: &'s Summaries,
    pub(crate) order: &'s Order,
    /// The function's number; beyond all of them, every summary is seen.
    pub(crate) of: usize,
    /// Beyond all of them: what functions do on some of their paths, where all is too much.
    pub(crate) partly: Option<&'s Summaries>,
}

impl<'s> Seen<'s> {
    /// The summary of the function with this number.
    pub(crate) fn get(&self, function: usize) -> Option<&'s Summary> {
        let Some(calls) = self.order.calls.get(self.of) else {
            // Asked when all functions have been run.
            let partly = || self.partly?.get(function);
            return self.all.get(function).or_else(partly);
        };
        let beside = self.order.rings.get(function) == self.order.rings.get(self.of);
        let sees = !beside && calls.binary_search(&function).is_ok();
        sees.then(|| self.all.get(function)).flatten()
    }
}

/// Functions in groups: each group calls only functions of the groups before it, and itself where
/// functions call each other in a ring.
#[derive(Debug)]
pub(crate) struct Order {
    /// Groups of functions that do not depend on each other's summaries.
    pub(crate) levels: Vec<Vec<usize>>,
    /// Per function: those of the program that it calls.
    pub(crate) calls: Vec<Vec<usize>>,
    /// Per function: its ring; functions that do not call each other have rings of their own.
    pub(crate) rings: Vec<usize>,
    /// Per function: whether some function outside its own ring calls it.
    pub(crate) called: Vec<bool>,
}

/// Functions that a statement takes the address of.
pub(crate) fn function_names<'s>(stmt: &'s Statement) -> Vec<&'s Name> {
    let mut out = Vec::new();
    let mut add = |op: &'s Operand| {
        if let Operand::Const(Const::Function(name)) = op {
            out.push(name);
        }
    };
    match stmt {
        Statement::Assign { value, .. } => match value {
            Rvalue::Use(op) | Rvalue::Cast(_, op) => add(op),
            Rvalue::Aggregate(items) => items.iter().for_each(|(_, op)| add(op)),
            _ => {}
        },
        Statement::Call { args, .. } => args.iter().for_each(add),
        _ => {}
    }
    out
}

impl Order {
    pub(crate) fn new(program: &Program<'_>, all: &[FnRef]) -> Self {
        let calls: Vec<Vec<usize>> = all
            .par_iter()
            .map(|&f| {
                let mut out = Vec::new();
                let function = program.function(f);
                for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                    if let Statement::Drop { place, .. } = stmt
                        && let Some(ty) = program.type_of_place(f.0, function, *place)
                    {
                        for g in program.destructors(f.0, &function.name, &ty) {
                            out.push(program.number(g));
                        }
                    }
                    if let Statement::Assign {
                        value: Rvalue::Closure(name, _),
                        ..
                    } = stmt
                        && let Some(g) = program.lambda(f.0, name)
                    {
                        out.push(program.number(g));
                    }
                    // A function whose address is taken here may be called through it here.
                    for name in function_names(stmt) {
                        if let Some(g) = program.only_function(f.0, function, name) {
                            out.push(program.number(g));
                        }
                    }
                    // What is made here may end here, by a hand or by an owner.
                    if let Statement::Call {
                        callee: Callee::New(ty),
                        ..
                    } = stmt
                    {
                        for g in program.destructors(f.0, &function.name, ty) {
                            out.push(program.number(g));
                        }
                    }
                    if let Statement::Call { callee, args, .. } = stmt
                        && let Target::Defined(g) =
                            program.target(f.0, function, callee, args.len())
                    {
                        out.push(program.number(g));
                        let class = program.function(g).class.as_ref();
                        if let Some(init) = class.and_then(|c| program.field_init(g.0, c)) {
                            out.push(program.number(init));
                        }
                    }
                }
                out.sort_unstable();
                out.dedup();
                out
            })
            .collect();
        let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(all.len(), 0);
        for _ in all {
            graph.add_node(());
        }
        let mut called = vec![false; all.len()];
        for (i, out) in calls.iter().enumerate() {
            for &j in out {
                called[j] |= i != j;
                graph.add_edge(NodeIndex::new(i), NodeIndex::new(j), ());
            }
        }
        // Callees come before their callers.
        let mut level = vec![0usize; all.len()];
        let mut levels: Vec<Vec<usize>> = Vec::new();
        let mut rings = vec![0usize; all.len()];
        for (number, ring) in kosaraju_scc(&graph).into_iter().enumerate() {
            let members: Vec<usize> = ring.iter().map(|n| n.index()).collect();
            let below = members
                .iter()
                .flat_map(|&i| &calls[i])
                .filter(|j| !members.contains(j))
                .map(|&j| level[j] + 1)
                .max();
            let here = below.unwrap_or(0);
            for &i in &members {
                level[i] = here;
                rings[i] = number;
            }
            if levels.len() <= here {
                levels.resize_with(here + 1, Vec::new);
            }
            levels[here].extend(members);
        }
        Self {
            levels,
            calls,
            rings,
            called,
        }
    }

    /// Calls `run` with every function, in parallel, each after those that it calls outside its ring.
    ///
    /// `weights` are about how long each takes: those that most depends on come first.
    pub(crate) fn run(&self, weights: &[usize], run: &(dyn Fn(usize) + Sync)) {
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); self.calls.len()];
        let mut waits: Vec<usize> = vec![0; self.calls.len()];
        for (i, calls) in self.calls.iter().enumerate() {
            for &j in calls.iter().filter(|j| self.rings[**j] != self.rings[i]) {
                callers[j].push(i);
                waits[i] += 1;
            }
        }
        let mut after: Vec<usize> = weights.to_vec();
        for &i in self.levels.iter().rev().flatten() {
            let most = callers[i].iter().map(|&c| after[c]).max();
            after[i] += most.unwrap_or(0);
        }
        let mut ready: Vec<usize> = (0..waits.len()).filter(|i| waits[*i] == 0).collect();
        // What was handed in last is taken first.
        ready.sort_by_key(|&i| after[i]);
        let walk = Walk {
            run,
            callers,
            waits: waits.into_iter().map(AtomicUsize::new).collect(),
        };
        rayon::scope(|scope| {
            for i in ready {
                let walk = &walk;
                scope.spawn(move |scope| walk.go(scope, i));
            }
        });
    }
}

/// A walk over the functions, callees first.
struct Walk<'a> {
    run: &'a (dyn Fn(usize) + Sync),
    callers: Vec<Vec<usize>>,
    /// Per function: how many of its callees are still to be run.
    waits: Vec<AtomicUsize>,
}

impl<'a> Walk<'a> {
    fn go<'s>(&'s self, scope: &rayon::Scope<'s>, i: usize)
    where
        'a: 's,
    {
        (self.run)(i);
        for &caller in &self.callers[i] {
            // The last callee's end is seen with all that the others wrote.
            if self.waits[caller].fetch_sub(1, Ordering::AcqRel) == 1 {
                scope.spawn(move |scope| self.go(scope, caller));
            }
        }
    }
}
