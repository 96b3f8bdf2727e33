//! Threads that end before the function returns that starts them: its callers run nothing beside them.

use pipelint_ir::{Function, PlaceId, Statement, Terminator};
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::program::successors;
use crate::started::reaches;

/// Every way from the start of a thread to the function's end goes past a wait for it, but for the one on which
/// the start has failed.
pub(crate) fn ends_within(
    function: &Function,
    start: (usize, usize),
    joins: &[(usize, usize)],
) -> bool {
    let mut gates: FxHashSet<usize> = FxHashSet::default();
    let mut here = false;
    for &join in joins {
        if join.0 == start.0 && join.1 > start.1 {
            here = true;
        }
        gates.insert(join.0);
        // A loop that waits for all: that it may have no round is no way past the wait.
        let around = |b: usize| reaches(function, (b, 0), join) && reaches(function, join, (b, 0));
        if !around(start.0) {
            gates.extend((0..function.blocks.len()).filter(|b| around(*b)));
        }
    }
    if here {
        return true;
    }
    if joins.is_empty() {
        return false;
    }
    let Some(judge) = judged(function, start) else {
        return gated(function, &gates, ends_of(function, start.0));
    };
    let mut sides = ends_of(function, judge).into_iter();
    sides.any(|side| gated(function, &gates, vec![side]))
}

/// The block behind the start whose branch asks whether it has failed.
fn judged(function: &Function, start: (usize, usize)) -> Option<usize> {
    let block = function.blocks.get(start.0)?;
    let Statement::Call { dst: Some(dst), .. } = block.stmts.get(start.1)? else {
        return None;
    };
    let mut about: FxHashSet<PlaceId> = FxHashSet::from_iter([*dst]);
    let same = |about: &FxHashSet<PlaceId>, place: PlaceId| {
        let mut known = about.iter();
        known.any(|p| *p == place || function.places[*p] == function.places[place])
    };
    let mut at = start.0;
    let mut from = start.1 + 1;
    // What follows on in one line is one question.
    for _ in 0..3 {
        let block = function.blocks.get(at)?;
        for stmt in block.stmts.iter().skip(from) {
            let mut reads = false;
            visit_reads(stmt, |place| reads |= same(&about, place));
            if let (true, Statement::Assign { dst, .. }) = (reads, stmt) {
                about.insert(*dst);
            }
        }
        match &block.term {
            Terminator::Goto(next) => {
                at = next.0 as usize;
                from = 0;
            }
            term @ Terminator::Branch { .. } => {
                let mut reads = false;
                visit_term_reads(term, |place| reads |= same(&about, place));
                return reads.then_some(at);
            }
            _ => return None,
        }
    }
    None
}

fn ends_of(function: &Function, block: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    if let Some(block) = function.blocks.get(block) {
        successors(&block.term, |next| ends.push(next));
    }
    ends
}

/// No way from these blocks leads to the function's end past all gates.
fn gated(function: &Function, gates: &FxHashSet<usize>, mut todo: Vec<usize>) -> bool {
    let mut seen = vec![false; function.blocks.len()];
    while let Some(b) = todo.pop() {
        let Some(block) = function.blocks.get(b) else {
            return false;
        };
        if gates.contains(&b) || std::mem::replace(&mut seen[b], true) {
            continue;
        }
        if matches!(block.term, Terminator::Return(_)) {
            return false;
        }
        todo.extend(ends_of(function, b));
    }
    true
}
