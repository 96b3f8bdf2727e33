//! Which paths are run once a block has met its bound: a few of each kind, and not only those that came
//! first.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::state::{State, Status};

/// Paths that enter a block beyond its bound, and more of these that come from one other block.
const MOST_BEYOND: usize = 24;
const MOST_FROM_ONE: usize = 4;

/// For each block, what is at stake on the paths that entered it, and how many did beyond the bound.
#[derive(Debug)]
pub(crate) struct Sample(Vec<Entered>);

#[derive(Debug, Clone, Default)]
struct Entered {
    known: FxHashSet<u64>,
    beyond: usize,
    from: FxHashMap<usize, usize>,
}

impl Sample {
    /// For a function with this many blocks.
    pub(crate) fn new(blocks: usize) -> Self {
        Self(vec![Entered::default(); blocks])
    }

    /// Whether a path may enter a block that `full` says has as many as it may have. One on which nothing
    /// is at stake that was not on another before is as good as that one.
    pub(crate) fn admits(&mut self, from: usize, block: usize, state: &State, full: bool) -> bool {
        let entered = &mut self.0[block];
        let stake = at_stake(state);
        if !full {
            entered.known.insert(stake);
            return true;
        }
        if entered.known.contains(&stake) {
            return false;
        }
        // Where a loop fills the way out, what leaves it elsewhere has room of its own.
        let room = entered.from.entry(from).or_default();
        match (*room < MOST_FROM_ONE, entered.beyond < MOST_BEYOND) {
            (true, _) => *room += 1,
            (_, true) => entered.beyond += 1,
            _ => return false,
        }
        entered.known.insert(stake)
    }
}

/// A hash of what the machines follow on a path, without the conditions that led there.
fn at_stake(state: &State) -> u64 {
    let mut hasher = FxHasher::default();
    for (_, res) in state.res.iter() {
        (res.created, res.status == Status::Open).hash(&mut hasher);
    }
    state.pending.len().hash(&mut hasher);
    for (_, call) in state.io_calls.iter() {
        call.span().hash(&mut hasher);
        call.outcomes().for_each(|failed| failed.hash(&mut hasher));
    }
    for (at, _) in state.dropped.iter() {
        at.hash(&mut hasher);
    }
    state.lost.as_ref().map(|lost| lost.at).hash(&mut hasher);
    hasher.finish()
}
