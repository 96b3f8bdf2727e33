//! Which states come to which blocks, and in which order: the paths of a function, joined where they know the same,
//! and given up at a bound.

use std::collections::{BTreeMap, VecDeque};

use pipelint_ir::{Base, Name, Operand, PlaceId, Rvalue, Statement};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::exec::Exec;
use crate::sample::Sample;
use crate::state::State;
use crate::values::{Loc, Sym, Val};

/// Disjuncts that may enter one block.
const STATES_PER_BLOCK: usize = 400;
/// The same once a bound was met: what is then seen of the rest of the function is a sample, and
/// a larger one costs more than it shows.
const STATES_ONCE_BOUNDED: usize = 24;
/// Statements run in one function.
const STEPS: usize = 60_000;
/// Entries of one loop head on one path; values that still change are then widened, for one round
/// more.
pub(crate) const ROUNDS: u32 = 2;

impl Exec<'_, '_> {
    /// How many paths a block may have for one more like this to be run. Of those on which nothing
    /// is at stake, which differ in conditions alone, half as many are enough.
    fn most_states(&self, state: &State) -> usize {
        let most = match self.bounded {
            true => STATES_ONCE_BOUNDED,
            false => STATES_PER_BLOCK,
        };
        if state.is_idle() { most / 2 } else { most }
    }

    /// The bound on steps is met.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps > STEPS
    }

    /// Runs the function; false when it was given up as nothing is to be had of it.
    pub(crate) fn run(&mut self) -> bool {
        let first = self.first_call();
        self.run_from(vec![first])
    }

    /// Runs the function from what is known where it is called.
    pub(crate) fn run_from(&mut self, begun: Vec<State>) -> bool {
        let mut waiting: BTreeMap<u32, (usize, VecDeque<(u64, State)>)> = BTreeMap::new();
        let mut seen: Vec<FxHashSet<u64>> = vec![FxHashSet::default(); self.function.blocks.len()];
        let mut sample = Sample::new(seen.len());
        if seen.is_empty() {
            return true;
        }
        let mut next: Vec<(usize, State)> = begun.into_iter().map(|state| (0, state)).collect();
        loop {
            for (block, mut state) in next.drain(..) {
                if block >= seen.len() || !self.enter(block, &mut state) {
                    continue;
                }
                let key = state.fingerprint();
                let order = self.cfg.order[block];
                if seen[block].contains(&key) {
                    let same = waiting.get_mut(&order);
                    let same = same.and_then(|(_, s)| s.iter_mut().find(|(k, _)| *k == key));
                    if let Some((_, known)) = same {
                        self.absorb(known, &state);
                    }
                    continue;
                }
                let full = seen[block].len() >= self.most_states(&state);
                self.bounded |= full;
                if sample.admits(self.block, block, &state, full) {
                    seen[block].insert(key);
                    let (_, queue) = waiting
                        .entry(order)
                        .or_insert_with(|| (block, VecDeque::new()));
                    match full {
                        // It is there for being different: the blocks behind this one have it first.
                        true => queue.push_front((key, state)),
                        false => queue.push_back((key, state)),
                    }
                }
            }
            let Some(mut entry) = waiting.first_entry() else {
                return true;
            };
            if !self.faults_wanted && (self.bounded || !self.recording) {
                return false;
            }
            let block = entry.get().0;
            let state = entry.get_mut().1.pop_front();
            if entry.get().1.is_empty() {
                entry.remove();
            }
            let Some((_, state)) = state else { continue };
            // A path that knows thousands of things makes each step a long one.
            self.steps += self.function.blocks[block].stmts.len() + 1;
            self.steps += (state.facts.len() + state.env.len()) / 64;
            if self.is_spent() {
                self.bounded = true;
                return true;
            }
            self.run_block(block, state, &mut next);
        }
    }

    /// What is known where the function is first called.
    fn first_call(&mut self) -> State {
        let mut state = State::default();
        let globals: Vec<Name> = self
            .function
            .places
            .iter()
            .filter_map(|(_, place)| match &place.base {
                Base::Global(name) if place.proj.is_empty() => Some(name.clone()),
                _ => None,
            })
            .collect();
        for name in globals {
            let Some(init) = self.program.globals.at_first_call(self.me, &name) else {
                continue;
            };
            let v = self.constant(init);
            let loc = self.arena.loc(Loc::Global(name));
            state.env.insert(loc, v);
        }
        state
    }

    /// Prepares a state to enter a block; false when the path is given up there (a loop's bound).
    fn enter(&mut self, block: usize, state: &mut State) -> bool {
        let cfg = &self.cfg;
        let left = |head: u32| {
            let body = cfg.loop_at(head as usize);
            body.is_none_or(|body| !body.contains(&block))
        };
        state.loops.retain(|head, _| !left(head));
        let mut widen = None;
        if let Some(body) = cfg.loop_at(block) {
            let head = u32::try_from(block).unwrap_or(u32::MAX);
            let n = state.loops.get(head).copied().unwrap_or(0) + 1;
            if n > ROUNDS + 1 || (self.brief && n > 1) {
                return false;
            }
            state.loops.insert(head, n);
            if n > 1 {
                crate::misread::goes_round(state);
            }
            if n > ROUNDS {
                widen = Some((head, body));
            }
        }
        if let Some((head, body)) = widen {
            let mut changed: Vec<PlaceId> = Vec::new();
            for &b in body {
                for stmt in &self.function.blocks[b].stmts {
                    match stmt {
                        // A flag that is set to constants takes few values: it converges.
                        Statement::Assign {
                            value: Rvalue::Use(Operand::Const(_)),
                            ..
                        } => {}
                        Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => {
                            changed.push(*dst);
                        }
                        _ => {}
                    }
                }
            }
            changed.sort_unstable();
            changed.dedup();
            for place in changed {
                let loc = self.place(state, place);
                // Resources keep their identity: only plain numbers are widened.
                if let Some(&v) = state.env.get(loc)
                    && matches!(self.arena.get(v), Val::Int(_) | Val::Bin(..))
                {
                    let v = self.arena.sym(Sym::Widened { loc, head });
                    state.env.insert(loc, v);
                }
            }
        }
        self.settle_io(state);
        self.prune(block, state);
        true
    }

    fn run_block(&mut self, block: usize, state: State, next: &mut Vec<(usize, State)>) {
        self.block = block;
        let body = &self.function.blocks[block];
        let handler = body.unwind.map(|h| h.0 as usize);
        let mut states = vec![state];
        for (i, stmt) in body.stmts.iter().enumerate() {
            self.stmt = self.cfg.first[block] + u32::try_from(i).unwrap_or(u32::MAX / 4);
            if let Some(span) = self.function.map.stmts.get(block).and_then(|s| s.get(i)) {
                self.span = *span;
            }
            let mut after = Vec::with_capacity(states.len());
            for state in states {
                if let (Some(handler), Statement::Call { .. }) = (handler, stmt) {
                    // The call may throw before it has any effect of its own.
                    let mut thrown = state.clone();
                    if self.may_throw(stmt) {
                        self.escape_arguments(&mut thrown, stmt);
                        next.push((handler, thrown));
                    }
                }
                self.note_held(&state);
                self.statement(state, stmt, &mut after);
            }
            self.steps += after.len();
            states = self.distinct(after);
            if states.is_empty() || self.is_spent() {
                return;
            }
        }
        if let Some(span) = self.function.map.terms.get(block) {
            self.span = *span;
        }
        self.stmt = self.cfg.first[block] + u32::try_from(body.stmts.len()).unwrap_or(u32::MAX / 4);
        for state in states {
            self.note_held(&state);
            self.terminator(state, &body.term, next);
        }
    }

    /// Joins paths that know the same, within a block.
    fn distinct(&mut self, states: Vec<State>) -> Vec<State> {
        if states.len() < 3 {
            return states;
        }
        let mut known: FxHashMap<u64, usize> = FxHashMap::default();
        let mut out: Vec<State> = Vec::with_capacity(states.len());
        for state in states {
            let key = state.fingerprint();
            if let Some(&i) = known.get(&key) {
                self.absorb(&mut out[i], &state);
                continue;
            }
            if out.len() >= self.most_states(&state) {
                self.bounded = true;
                continue;
            }
            known.insert(key, out.len());
            out.push(state);
        }
        out
    }
}
