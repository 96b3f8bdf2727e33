//! The ways through a called function that nobody can ask for any more are forgotten while it is
//! replayed, so that what it did to a log file's state does not make sixteen paths of its caller's.

use rustc_hash::FxHashSet;

use crate::apply::{Call, Frame};
use crate::exec::Exec;
use crate::log::{Action, Step, each};
use crate::state::State;
use crate::summary::{End, Summary};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Ways that are carried as they are.
const FEW_WAYS: usize = 3;

impl<'p> Exec<'p, '_> {
    /// After a choice: joins the ways that differ only in what the rest of the called function and
    /// its caller do not speak of.
    pub(crate) fn join_ways(
        &mut self,
        ways: &mut Vec<(State, Frame)>,
        call: &Call<'p>,
        end: &'p End,
        rest: &'p [Step],
    ) {
        if ways.len() <= FEW_WAYS {
            return;
        }
        let wanted = Wanted::new(call.summary, end, rest);
        self.same_epoch(ways);
        let mut joined = Vec::with_capacity(ways.len());
        for (mut state, frame) in ways.drain(..) {
            self.forget_ways(&mut state, &frame, call, &wanted);
            self.merge_paths(&mut joined, state, frame);
        }
        *ways = joined;
    }

    /// On how many of them unknown code ran, and how often, is nothing that later code asks.
    fn same_epoch(&mut self, ways: &mut [(State, Frame)]) {
        let first = ways.first().map(|(state, _)| state.epoch);
        if ways.iter().all(|(state, _)| Some(state.epoch) == first) {
            return;
        }
        let most = ways.iter().map(|(_, f)| f.havocs).max().unwrap_or(0);
        for (state, frame) in ways.iter_mut().filter(|(_, f)| f.havocs > 0) {
            frame.havocs = most;
            state.epoch = self.epoch_after(state, JOINED + most);
            let epoch = state.epoch;
            self.record(state, Action::Epoch(epoch));
        }
    }

    fn forget_ways(&self, state: &mut State, frame: &Frame, call: &Call<'p>, wanted: &Wanted) {
        let mut vals: FxHashSet<ValId> = call.args.iter().copied().collect();
        vals.extend(wanted.vals.iter().filter_map(|v| frame.vals[v.index()]));
        let locs: FxHashSet<LocId> = wanted
            .locs
            .iter()
            .filter_map(|l| frame.locs[l.index()])
            .collect();
        for (v, res) in state.res.iter() {
            vals.extend([v, res.judge]);
        }
        let unasked = |loc: LocId| match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Global(_) => self
                .arena
                .name(loc)
                .is_some_and(|name| !self.cfg.is_mentioned(self.block, name)),
            _ => false,
        };
        state
            .env
            .retain(|loc, v| vals.contains(v) || locs.contains(&loc) || !unasked(loc));
        let mut parts = Vec::new();
        for (_, v) in state.env.iter() {
            self.arena.parts(*v, &mut parts);
            vals.extend(parts.drain(..));
        }
        vals.extend(state.exported.iter().map(|(v, _)| v));
        vals.extend(state.moved.iter().map(|(v, _)| v));
        self.mark_io(state, &mut |v| {
            vals.insert(v);
        });
        vals.extend(state.errors.iter().map(|(v, _)| v));
        vals.extend(state.failed_outs.iter().flat_map(|(v, out)| [v, out.judge]));
        state.facts.retain(|v, _| {
            self.arena.parts(v, &mut parts);
            let asked = parts.drain(..).all(|part| {
                vals.contains(&part)
                    || match self.arena.get(part) {
                        Val::Sym(Sym::Inner { stmt, .. }) => *stmt != self.stmt,
                        Val::Sym(Sym::Load { loc, .. }) => !unasked(*loc),
                        _ => true,
                    }
            });
            asked || vals.contains(&v)
        });
    }
}

/// Marks epochs that begin where ways are joined.
const JOINED: u32 = 1 << 20;

/// Values and locations that the rest of a summary's end speaks of.
struct Wanted {
    vals: FxHashSet<ValId>,
    locs: FxHashSet<LocId>,
}

impl Wanted {
    fn new(summary: &Summary, end: &End, rest: &[Step]) -> Self {
        let mut vals: Vec<ValId> = end.result.into_iter().collect();
        vals.extend(end.parts.iter().map(|(_, v)| *v));
        let mut locs: Vec<LocId> = Vec::new();
        each(rest, &mut |action| match action {
            Action::Epoch(_) | Action::Havoc { .. } | Action::Lock(..) => {}
            Action::Io(io) => {
                let mut io = io.clone();
                io.vals(&mut |v| vals.push(*v));
                io.locs(&mut |l| locs.push(*l));
            }
            Action::Assume { a, b, .. } => vals.extend([*a, *b]),
            Action::Overlaps {
                handle, overlapped, ..
            } => vals.extend([*handle, *overlapped]),
            Action::Transfer {
                count, overlapped, ..
            } => vals.extend([*count, *overlapped]),
            Action::Use { v, .. }
            | Action::Release { v, .. }
            | Action::Escape(v)
            | Action::Take(v)
            | Action::Expose(v)
            | Action::Own(v)
            | Action::Disown(v) => vals.push(*v),
            Action::Write { loc, v, .. } => {
                locs.push(*loc);
                vals.push(*v);
            }
        });
        vals.extend(end.facts.iter().map(|(v, _)| *v));
        vals.extend(end.res.iter().flat_map(|(v, res)| [*v, res.judge]));
        vals.extend(end.pseudo.iter().map(|(v, _)| *v));
        for out in &end.outs {
            vals.push(out.judge);
            locs.push(out.loc);
        }
        let mut all = Self {
            vals: FxHashSet::default(),
            locs: FxHashSet::default(),
        };
        while !vals.is_empty() || !locs.is_empty() {
            if let Some(v) = vals.pop()
                && all.vals.insert(v)
            {
                match &summary.vals[v.index()] {
                    Val::Ptr(l) | Val::Sym(Sym::Load { loc: l, .. }) => locs.push(*l),
                    Val::Cmp(_, a, b) | Val::Bin(_, a, b) => vals.extend([*a, *b]),
                    Val::Narrow(inner, _) => vals.push(*inner),
                    _ => {}
                }
            }
            if let Some(l) = locs.pop()
                && all.locs.insert(l)
            {
                match &summary.locs[l.index()] {
                    Loc::Field(parent, _) | Loc::Elem(parent, _) => locs.push(*parent),
                    Loc::Deref(v) => vals.push(*v),
                    _ => {}
                }
            }
        }
        all
    }
}
