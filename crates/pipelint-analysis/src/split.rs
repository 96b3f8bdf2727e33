//! Blocks cut behind calls that give one path several outcomes.
//!
//! Paths that know the same are joined where a block begins, and what later code cannot ask for is
//! forgotten there. A straight run of twenty calls with two outcomes each would otherwise have a
//! million paths before the first of them is looked at.

use pipelint_ir::{Block, BlockId, Function, Terminator};

/// Cuts the blocks of a function, each before the statements of these numbers, but for the last.
/// Gives, for each block that is new, the one that it was cut from.
pub(crate) fn split_blocks(function: &mut Function, cuts: Vec<Vec<usize>>) -> Vec<usize> {
    let mut new = Vec::new();
    for (b, mut cuts) in cuts.into_iter().enumerate() {
        let block = &function.blocks[b];
        cuts.pop();
        let Some(&first) = cuts.first() else { continue };
        let known = function
            .map
            .stmts
            .get(b)
            .is_some_and(|s| s.len() == block.stmts.len())
            && function.map.terms.len() == function.map.stmts.len()
            && function.map.stmts.len() == function.blocks.len();
        if !known {
            continue;
        }
        let unwind = block.unwind;
        let end = block.stmts.len();
        let block = &mut function.blocks[b];
        let mut rest = block.stmts.split_off(first).into_iter();
        let mut rest_spans = function.map.stmts[b].split_off(first).into_iter();
        let mut at = b;
        for (n, &from) in cuts.iter().enumerate() {
            let to = cuts.get(n + 1).copied().unwrap_or(end);
            let next = function.blocks.len();
            new.push(b);
            let id = BlockId(u32::try_from(next).unwrap_or(u32::MAX));
            let term = std::mem::replace(&mut function.blocks[at].term, Terminator::Goto(id));
            function.blocks.push(Block {
                stmts: rest.by_ref().take(to - from).collect(),
                term,
                unwind,
            });
            function
                .map
                .stmts
                .push(rest_spans.by_ref().take(to - from).collect());
            let span = function.map.terms[at];
            function.map.terms.push(span);
            at = next;
        }
    }
    new
}
