//! The order in which functions are run: what is called first, so that its summary is there.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use pipelint_ir::{Const, Name, Operand, Rvalue, Statement};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::program::{FnRef, Program, Target};
use crate::summary::Summary;

/// Summaries of the functions run so far.
#[derive(Debug, Default)]
pub(crate) struct Summaries {
    done: FxHashMap<FnRef, Summary>,
}

impl Summaries {
    pub(crate) fn get(&self, f: FnRef) -> Option<&Summary> {
        self.done.get(&f)
    }

    pub(crate) fn insert(&mut self, f: FnRef, summary: Summary) {
        self.done.insert(f, summary);
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
        for ring in kosaraju_scc(&graph) {
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
            }
            if levels.len() <= here {
                levels.resize_with(here + 1, Vec::new);
            }
            levels[here].extend(members);
        }
        for functions in &mut levels {
            functions.sort_unstable();
            // The longest come first: a thread that began one last would be waited for.
            functions.sort_by_key(|&i| std::cmp::Reverse(program.function(all[i]).blocks.len()));
        }
        Self {
            levels,
            calls,
            called,
        }
    }
}
