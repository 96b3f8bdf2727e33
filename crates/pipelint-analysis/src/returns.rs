//! Whether functions give control back to their callers.

use pipelint_ir::{Callee, Function, Statement, Terminator};
use rayon::prelude::*;

use crate::program::{FnRef, Program, Returns, Target, last, successors};
use crate::words::{speaks_of_ending, speaks_of_logging};

impl Program<'_> {
    /// Whether a call gives control back.
    pub(crate) fn returns(&self, target: Target<'_>, callee: &Callee) -> Returns {
        match target {
            Target::Model(model) if model.noreturn => Returns::Never,
            Target::Model(_) => Returns::Yes,
            Target::Defined(f) => self.returns.get(&f).copied().unwrap_or(Returns::Maybe),
            Target::Unknown => match callee {
                Callee::Function(name) if self.noreturn.contains(name.trim_start_matches("::")) => {
                    Returns::Never
                }
                // Its body is not seen and its name says that it may not come back: nothing is
                // shown beyond it.
                Callee::Function(name) if speaks_of_ending(last(name)) => Returns::Never,
                Callee::Function(name) if speaks_of_logging(last(name)) => Returns::Yes,
                Callee::Function(name) if is_of_rusts_library(name) => Returns::Yes,
                _ => Returns::Maybe,
            },
        }
    }

    /// A function that never returns leaves by an exception, its own or a called function's.
    pub(crate) fn throws(&self, f: FnRef) -> bool {
        let mut f = f;
        for _ in 0..4 {
            let function = self.function(f);
            let caught = function.blocks.iter().any(|b| b.unwind.is_some());
            if caught || self.returns.get(&f) != Some(&Returns::Never) {
                return false;
            }
            if function.blocks.iter().any(|b| b.term == Terminator::Unwind) {
                return true;
            }
            let statements = function.blocks.iter().flat_map(|b| &b.stmts);
            let mut calls = statements.filter_map(|stmt| match stmt {
                Statement::Call { callee, args, .. } => {
                    Some(self.target(f.0, function, callee, args.len()))
                }
                _ => None,
            });
            let ends = calls.find_map(|target| match target {
                Target::Defined(g) if self.returns.get(&g) == Some(&Returns::Never) => Some(g),
                _ => None,
            });
            match ends {
                Some(g) => f = g,
                None => return false,
            }
        }
        false
    }

    /// Least fixpoint from "never": a function returns when a path of calls that return reaches
    /// its end.
    pub(crate) fn find_returns(&mut self) {
        let all: Vec<FnRef> = self.all().collect();
        // What each block's calls do, resolved once.
        let calls: Vec<Vec<Vec<CallReturns>>> = all
            .par_iter()
            .map(|&f| {
                let function = self.function(f);
                let block = |b: &pipelint_ir::Block| {
                    b.stmts
                        .iter()
                        .filter_map(|s| self.call_returns(f.0, function, s))
                        .collect()
                };
                function.blocks.iter().map(block).collect()
            })
            .collect();
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
        for (i, blocks) in calls.iter().enumerate() {
            for call in blocks.iter().flatten() {
                if let CallReturns::As(j) = call {
                    callers[*j].push(i);
                }
            }
        }
        // Where no function of the program is called, one look is enough.
        let alone = |i: usize| {
            let plain = |call: &CallReturns| matches!(call, CallReturns::Known(_));
            calls[i].iter().flatten().all(plain)
        };
        let mut known: Vec<Returns> = (0..all.len())
            .into_par_iter()
            .map(|i| {
                let function = self.function(all[i]);
                match function.noreturn || !alone(i) {
                    true => Returns::Never,
                    false => reach_end(function, &calls[i], &[]),
                }
            })
            .collect();
        // Each of the others knows more only twice: the least fixpoint is reached whatever the order.
        let mut todo: Vec<usize> = (0..all.len()).filter(|&i| !alone(i)).rev().collect();
        let mut waiting = vec![false; all.len()];
        todo.iter().for_each(|&i| waiting[i] = true);
        while let Some(i) = todo.pop() {
            waiting[i] = false;
            let function = self.function(all[i]);
            if known[i] == Returns::Yes || function.noreturn {
                continue;
            }
            let now = reach_end(function, &calls[i], &known);
            if std::mem::replace(&mut known[i], now) != now {
                for &j in &callers[i] {
                    if !std::mem::replace(&mut waiting[j], true) {
                        todo.push(j);
                    }
                }
            }
        }
        self.returns.extend(all.into_iter().zip(known));
    }

    fn call_returns(&self, unit: usize, from: &Function, stmt: &Statement) -> Option<CallReturns> {
        match stmt {
            Statement::Call { callee, args, .. } => {
                let target = self.target(unit, from, callee, args.len());
                if let Target::Defined(f) = target {
                    return Some(CallReturns::As(self.number(f)));
                }
                match self.returns(target, callee) {
                    Returns::Yes => None,
                    other => Some(CallReturns::Known(other)),
                }
            }
            Statement::Opaque { .. } => Some(CallReturns::Known(Returns::Maybe)),
            _ => None,
        }
    }
}

/// Modules of Rust's standard library whose functions give control back, and that C++ has not.
const RUST_MODULES: [&str; 8] = ["ffi", "fs", "io", "mem", "ptr", "sync", "time", "cell"];

/// `std::io::Error::last_os_error`.
fn is_of_rusts_library(name: &str) -> bool {
    let inner = name
        .strip_prefix("std::")
        .and_then(|name| name.split_once("::"));
    inner.is_some_and(|(module, _)| RUST_MODULES.contains(&module))
}

/// Whether one call gives control back.
enum CallReturns {
    Known(Returns),
    /// As this function of the program does.
    As(usize),
}

/// Whether the function's end is reached: first by calls that surely return, then by those that
/// may.
fn reach_end(function: &Function, calls: &[Vec<CallReturns>], known: &[Returns]) -> Returns {
    if function.blocks.is_empty() {
        return Returns::Maybe;
    }
    for sure in [true, false] {
        let mut seen = vec![false; function.blocks.len()];
        let mut todo = vec![0usize];
        while let Some(b) = todo.pop() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            if std::mem::replace(&mut seen[b], true) {
                continue;
            }
            todo.extend(block.unwind.map(|handler| handler.0 as usize));
            let passes = calls[b].iter().all(|call| {
                let returns = match call {
                    CallReturns::Known(returns) => *returns,
                    CallReturns::As(i) => known[*i],
                };
                match returns {
                    Returns::Yes => true,
                    Returns::Maybe => !sure,
                    Returns::Never => false,
                }
            });
            if !passes {
                continue;
            }
            match &block.term {
                Terminator::Return(_) => return if sure { Returns::Yes } else { Returns::Maybe },
                term => successors(term, |b| todo.push(b)),
            }
        }
    }
    Returns::Never
}
