//! Loops around calls: within the calling function, and around it.

use pipelint_ir::{Callee, Function, Name, Statement};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{FnRef, Program, Target, last, successors};

/// Some way of at least one step leads from a block to another.
pub(crate) fn reaches(function: &Function, from: usize, to: usize) -> bool {
    let mut seen: FxHashSet<usize> = FxHashSet::default();
    let mut todo = Vec::new();
    let next = |b: usize, todo: &mut Vec<usize>| {
        if let Some(block) = function.blocks.get(b) {
            successors(&block.term, |s| todo.push(s));
            todo.extend(block.unwind.map(|u| u.0 as usize));
        }
    };
    next(from, &mut todo);
    while let Some(b) = todo.pop() {
        if b == to {
            return true;
        }
        if seen.insert(b) {
            next(b, &mut todo);
        }
    }
    false
}

/// Who calls what, and whether in a loop.
pub(crate) struct Loops {
    callers: FxHashMap<FnRef, Vec<(FnRef, bool)>>,
    /// Methods of objects whose types are not known that are called in loops, by name.
    unknown: FxHashSet<Name>,
}

impl Loops {
    pub(crate) fn new(program: &Program<'_>, all: &[FnRef]) -> Self {
        let mut callers: FxHashMap<FnRef, Vec<(FnRef, bool)>> = FxHashMap::default();
        let mut unknown = FxHashSet::default();
        for &f in all {
            let function = program.function(f);
            for (b, block) in function.blocks.iter().enumerate() {
                let mut around = None;
                for stmt in &block.stmts {
                    let Statement::Call { callee, args, .. } = stmt else {
                        continue;
                    };
                    let target = program.target(f.0, function, callee, args.len());
                    let mut within = || *around.get_or_insert_with(|| reaches(function, b, b));
                    match (target, callee) {
                        (Target::Defined(g), _) => {
                            let within = within();
                            callers.entry(g).or_default().push((f, within));
                        }
                        (Target::Unknown, Callee::Method { name, .. })
                            if program.own_names.contains(last(name)) && within() =>
                        {
                            unknown.insert(Name::new(last(name)));
                        }
                        _ => {}
                    }
                }
            }
        }
        Self { callers, unknown }
    }

    /// Some caller of a function, a few calls outwards, calls it in a loop.
    pub(crate) fn around(&self, program: &Program<'_>, f: FnRef, frames: usize) -> bool {
        if self.unknown.contains(last(&program.function(f).name)) {
            return true;
        }
        let callers = self.callers.get(&f).into_iter().flatten();
        callers.into_iter().any(|&(g, within)| {
            within || g == f || (frames > 1 && self.around(program, g, frames - 1))
        })
    }
}
