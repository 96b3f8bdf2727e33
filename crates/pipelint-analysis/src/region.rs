//! Which blocks of a function are reached by one branch alone.

use pipelint_ir::{Function, Terminator};
use rustc_hash::FxHashSet;

use crate::program::successors;

/// A function's edges, backwards and forwards.
pub(crate) struct Graph {
    preds: Vec<Vec<usize>>,
    succs: Vec<Vec<usize>>,
    /// No run comes to the end of the block.
    dead: Vec<bool>,
}

/// Blocks that are entered in one place alone.
#[derive(Debug, Default)]
pub(crate) struct Region {
    inside: FxHashSet<usize>,
    in_order: Vec<usize>,
}

impl Region {
    pub(crate) fn has(&self, block: usize) -> bool {
        self.inside.contains(&block)
    }

    /// Its blocks, the first one first.
    pub(crate) fn blocks(&self) -> &[usize] {
        &self.in_order
    }

    /// These blocks, in order.
    pub(crate) fn of(blocks: Vec<usize>) -> Self {
        Self {
            inside: blocks.iter().copied().collect(),
            in_order: blocks,
        }
    }

    fn add(&mut self, block: usize) {
        if self.inside.insert(block) {
            self.in_order.push(block);
        }
    }
}

impl Graph {
    pub(crate) fn new(function: &Function) -> Self {
        let n = function.blocks.len();
        let (mut preds, mut succs) = (vec![Vec::new(); n], vec![Vec::new(); n]);
        for (b, block) in function.blocks.iter().enumerate() {
            let mut to = Vec::new();
            successors(&block.term, |s| to.push(s));
            to.extend(block.unwind.map(|u| u.0 as usize));
            for s in to.into_iter().filter(|s| *s < n) {
                preds[s].push(b);
                succs[b].push(s);
            }
        }
        let dead = |block: &pipelint_ir::Block| block.term == Terminator::Unreachable;
        let dead = function.blocks.iter().map(dead).collect();
        Self { preds, succs, dead }
    }

    /// What is reached by the way from one block to another, and by no other way.
    pub(crate) fn only_through(&self, from: usize, to: usize, other: usize) -> Region {
        if to == other || self.preds[to] != [from] {
            return Region::default();
        }
        self.grown(to)
    }

    /// Whoever goes the other way comes to where this one ends: to where the region leads, or to its
    /// beginning if it is empty.
    pub(crate) fn meets(&self, region: &Region, to: usize, other: usize) -> bool {
        if to == other {
            return true;
        }
        let mut ends = self.ends(region);
        if region.blocks().is_empty() {
            ends.push(to);
        }
        ends.len() == 1 && self.always_reaches(other, ends[0])
    }

    /// Where a region leads.
    pub(crate) fn ends(&self, region: &Region) -> Vec<usize> {
        let mut ends: Vec<usize> = Vec::new();
        for &b in region.blocks() {
            let leads = |s: &&usize| !region.has(**s) && !self.dead[**s];
            ends.extend(self.succs[b].iter().filter(leads));
        }
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// Every way from a block to the end leads by another one.
    fn always_reaches(&self, from: usize, through: usize) -> bool {
        let mut seen = FxHashSet::default();
        let mut todo = vec![from];
        while let Some(b) = todo.pop() {
            if b == through || !seen.insert(b) {
                continue;
            }
            if self.succs[b].is_empty() && !self.dead[b] {
                return false;
            }
            todo.extend(&self.succs[b]);
        }
        true
    }

    /// What a handler of exceptions alone leads to.
    pub(crate) fn handler(&self, function: &Function, handler: usize) -> Region {
        let guarded = |b: &usize| {
            let unwind = function.blocks[*b].unwind;
            let goes = self.succs[*b].iter().filter(|s| **s == handler).count();
            unwind.is_some_and(|u| u.0 as usize == handler) && goes == 1
        };
        if !self.preds[handler].iter().all(guarded) {
            return Region::default();
        }
        self.grown(handler)
    }

    fn grown(&self, first: usize) -> Region {
        let mut region = Region::default();
        region.add(first);
        let mut at = 0;
        // A block whose last way in was not seen yet is looked at again from there.
        while let Some(&b) = region.in_order.get(at) {
            at += 1;
            for &s in &self.succs[b] {
                if self.preds[s].iter().all(|p| region.has(*p)) {
                    region.add(s);
                }
            }
        }
        region
    }
}
