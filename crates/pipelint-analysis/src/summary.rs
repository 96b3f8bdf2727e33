//! Summaries: what a function does to its caller's world, path by path.

use std::sync::Arc;

use pipelint_ir::{LocalKind, Name, Proj};
use pipelint_models::Release;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::counts::Handed;
use crate::error_end::ErrorEnd;
use crate::exec::{Exec, Outcome};
use crate::log::{Action, Log, Step, each, simplify};
use crate::lost::lost_on;
use crate::operation::Appearance;
use crate::parts::Parts;
use crate::quiet::replay_cost;
use crate::sent::Sent;
use crate::sequences::under_way;
use crate::state::{Fact, Failed, FailedOut, Res, State, Status};
use crate::status::Reports;
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Different ends that a summary may have.
const MOST_ENDS: usize = 16;
/// Different constants that a function may return before they become "some value that is not 0".
const MOST_CONSTANTS: usize = 8;
/// Actions that all ends together may have: a function that does more is as good as unknown.
const MOST_ACTIONS: usize = 192;
/// Actions that one replay of all ends may run at most.
const MOST_COST: f64 = 400.0;
/// Writes that all ends together may have: a constructor sets every field on every way.
const MOST_STORES: usize = 240;

/// One way a function ends.
#[derive(Debug)]
pub(crate) struct End {
    /// What it did until there.
    pub(crate) steps: Vec<Step>,
    /// What it returns.
    pub(crate) result: Option<ValId>,
    /// What the result is made of, where it is no plain value.
    pub(crate) parts: Parts,
    /// What is known of values that the function made.
    pub(crate) facts: Vec<(ValId, Fact)>,
    /// Resources it made and handed out.
    pub(crate) res: Vec<(ValId, Res)>,
    /// Pseudo-handles it handed out.
    pub(crate) pseudo: Vec<(ValId, (Name, Name))>,
    /// The caller's variables that a failed creation did not set.
    pub(crate) outs: Vec<FailedOut>,
    /// A creation failed, and the result, of which nothing is known, may well say so.
    pub(crate) vague: bool,
    /// Something failed on the way.
    pub(crate) failed: Failed,
    /// What it did with the last error.
    pub(crate) error: ErrorEnd,
    /// A transfer failed on the way, and nothing has made up for it.
    pub(crate) transfer: Failed,
    /// How the last transfer on the way went.
    pub(crate) sent: Option<Sent>,
    /// Parts of the result that are the error of a call.
    pub(crate) errors: Vec<Vec<Proj>>,
    /// What its caller sees of the result.
    pub(crate) looks: Appearance,
    /// Counts that it hands on.
    pub(crate) counts: Vec<Handed>,
}

/// What a function does, over its own small set of values and locations.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) vals: Vec<Val>,
    pub(crate) locs: Vec<Loc>,
    /// Values read of the caller's memory, with the epoch that they were first read in.
    pub(crate) loads: Vec<(u32, ValId)>,
    pub(crate) ends: Vec<End>,
    /// Values that it releases on one way as one kind of resource, on another as another: it has asked
    /// what they are.
    told_apart: Vec<(Result<LocId, ValId>, Arc<Release>)>,
    /// What its result tells of failures in it.
    pub(crate) reports: Reports,
    /// Code out of sight that it runs may wait for operations, before it starts or cancels any itself.
    pub(crate) takes_time: bool,
    /// It makes, uses or releases resources: a caller that calls it is worth running.
    pub(crate) resourceful: bool,
}

/// An end being gathered, over the function's own arena.
#[derive(Debug)]
pub(crate) struct OpenEnd {
    log: Log,
    result: Option<ValId>,
    parts: Parts,
    facts: Vec<(ValId, Fact)>,
    res: Vec<(ValId, Res)>,
    pseudo: Vec<(ValId, (Name, Name))>,
    outs: Vec<FailedOut>,
    vague: bool,
    failed: Failed,
    error: ErrorEnd,
    transfer: Failed,
    sent: Option<Sent>,
    errors: Vec<Vec<Proj>>,
    looks: Appearance,
    counts: Vec<Handed>,
}

impl Exec<'_, '_> {
    /// Appends to the path's log, when a caller will ask for it.
    pub(crate) fn record(&mut self, state: &mut State, action: Action) {
        if self.recording && !self.is_about_text(&action) && !state.log.push(action) {
            self.recording = false;
        }
    }

    /// A location of the caller's world.
    pub(crate) fn is_callers(&self, loc: LocId) -> bool {
        match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Local(l) => self.is_static(*l),
            _ => true,
        }
    }

    /// A value that the caller gave: read from a parameter or from its memory.
    pub(crate) fn is_given(&self, v: ValId) -> bool {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        parts.iter().any(|part| match self.arena.get(*part) {
            Val::Sym(Sym::Load { loc, .. }) => self.is_given_loc(*loc),
            Val::Ptr(loc) => self.is_callers(*loc) && self.is_given_loc(*loc),
            _ => false,
        })
    }

    /// A location in the caller's world that is reached from what it gave.
    pub(crate) fn is_given_loc(&self, loc: LocId) -> bool {
        let mut at = loc;
        loop {
            match self.arena.get_loc(self.arena.root(at)) {
                Loc::Local(l) => return l.0 < self.function.params || self.is_static(*l),
                Loc::Deref(p) => match self.arena.get(*p) {
                    Val::Sym(Sym::Load { loc, .. }) => at = *loc,
                    _ => return false,
                },
                _ => return true,
            }
        }
    }

    /// A condition that a caller can decide: it speaks of what was given, and of nothing that only
    /// this function knows.
    pub(crate) fn is_callers_condition(&self, a: ValId, b: ValId) -> bool {
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        let mut given = false;
        for part in parts {
            match self.arena.get(part) {
                Val::Sym(Sym::Load { loc, .. }) if self.is_given_loc(*loc) => given = true,
                Val::Sym(_) => return false,
                Val::Ptr(loc) if !self.is_callers(*loc) => return false,
                // `this != &other`: what a parameter leads to, the caller knows.
                Val::Ptr(loc) => {
                    given |= matches!(self.arena.get_loc(self.arena.root(*loc)), Loc::Deref(_))
                        && self.is_given_loc(*loc);
                }
                _ => {}
            }
        }
        given
    }

    /// A path ends here with this result; kept for the summary.
    pub(crate) fn record_end(&mut self, state: &State, result: Option<ValId>, parts: &Parts) {
        // What its results tell is asked of a function that nobody calls, too.
        let told = self
            .is_rust()
            .then(|| self.note_result(state, result, parts));
        if !self.recording || (self.brief && under_way(self, state).is_empty()) {
            return;
        }
        let failed = told.unwrap_or_else(|| self.note_result(state, result, parts));
        // What a creation that nobody judged left empty may be: a caller has not seen it fail.
        let unjudged = |v: &ValId| {
            let out = state.failed_outs.get(*v);
            out.is_some_and(|out| !out.checked || out.unseen)
        };
        let result = match result {
            Some(v) if matches!(self.arena.get(v), Val::Int(_)) && unjudged(&v) => {
                Some(self.arena.sym(Sym::Computed {
                    stmt: u32::MAX - 1,
                    round: 0,
                }))
            }
            other => other,
        };
        let told = result.into_iter().chain(parts.iter().map(|(_, v)| *v));
        let reach = self.callers_reach(state, told);
        let has = |v: ValId| reach.binary_search(&v).is_ok();
        let res: Vec<(ValId, Res)> = state
            .res
            .iter()
            .filter(|(v, res)| has(*v) && self.is_callers_business(state, result, *v, res))
            .map(|(v, res)| {
                let half_done = self.is_half_done(state, v, res);
                (
                    v,
                    Res {
                        half_done,
                        ..res.clone()
                    },
                )
            })
            .collect();
        let judged = |v: ValId| res.iter().any(|(_, res)| res.judge == v);
        let made = |v: ValId| match self.arena.get(v) {
            Val::Sym(Sym::Load { loc, .. }) => !self.is_given_loc(*loc),
            Val::Sym(_) => true,
            _ => false,
        };
        let facts: Vec<(ValId, Fact)> = state
            .facts
            .iter()
            .filter(|(v, _)| (has(*v) || judged(*v) || self.cancels_all.contains(v)) && made(*v))
            .map(|(v, fact)| (v, fact.clone()))
            .collect();
        let mut facts: Vec<(ValId, Fact)> = facts;
        // A function that returns what it was told as the error means one.
        if let Some(v) = result
            && self.error_values.contains(&v)
        {
            let known = facts.iter().position(|(x, _)| *x == v);
            let at = known.unwrap_or(facts.len());
            if known.is_none() {
                facts.push((v, Fact::default()));
            }
            if !facts[at].1.exclude(0) {
                facts.remove(at);
            }
        }
        let pseudo = state
            .pseudo
            .iter()
            .filter(|(v, _)| has(*v))
            .map(|(v, p)| (v, p.clone()))
            .collect();
        let outs = state
            .failed_outs
            .iter()
            .filter(|(_, out)| self.is_callers(out.loc) && self.is_given_loc(out.loc))
            .map(|(_, out)| out.clone())
            .collect();
        let unknown = result.is_some_and(|v| {
            matches!(self.arena.get(v), Val::Sym(_)) && facts.iter().all(|(x, _)| *x != v)
        });
        // Code that is not seen was shown the failure: what it made of that decides the result.
        let shown = state.doubtful && state.failed_outs.iter().any(|(_, out)| out.unseen);
        let unmade = state.failed_outs.iter().next().is_some()
            || state.res.iter().any(|(v, res)| {
                Some(v) != result && self.outcome(state, v, res) == Outcome::Failed
            });
        let error = self.error_end(state, &has);
        let looks = self.appearance(state, result);
        let told: Vec<ValId> = result
            .into_iter()
            .chain(parts.iter().map(|(_, v)| *v))
            .collect();
        let end = OpenEnd {
            counts: self.handed_counts(state, &told),
            error,
            vague: shown || (unknown && unmade),
            failed,
            outs,
            log: state.log.clone(),
            transfer: lost_on(state, &looks),
            sent: state.went.clone(),
            errors: self.errors_told(state, result),
            looks,
            result,
            parts: parts.clone(),
            facts,
            res,
            pseudo,
        };
        let end = self.with_few_constants(end);
        let same = self.ends.iter().position(|known| {
            known.result == end.result
                && known.parts == end.parts
                && known.facts == end.facts
                && known.res == end.res
                && known.pseudo == end.pseudo
                && known.outs == end.outs
                && known.vague == end.vague
        });
        let fits = match same {
            Some(same) => {
                self.ends[same].failed = self.ends[same].failed.join(failed);
                self.ends[same].error.join(&end.error);
                self.ends[same].transfer = self.ends[same].transfer.join(end.transfer);
                if self.ends[same].sent != end.sent {
                    self.ends[same].sent = None;
                }
                self.ends[same].counts.retain(|c| end.counts.contains(c));
                let mut log = std::mem::take(&mut self.ends[same].log);
                let fits = log.join(&end.log) || self.join_shrunk(&mut log, &end.log, state.epoch);
                self.ends[same].log = log;
                fits
            }
            None => {
                self.ends.push(end);
                self.ends.len() <= MOST_ENDS
            }
        };
        self.recording = fits;
    }

    /// A resource that a caller learns of: of memory, what is gone, and what is returned.
    fn is_callers_business(
        &self,
        state: &State,
        result: Option<ValId>,
        v: ValId,
        res: &Res,
    ) -> bool {
        if res.adopted || !self.is_plain_memory(&res.kind) {
            return !res.adopted;
        }
        // Whether there is any is the caller's question where nobody has asked it.
        let unjudged = !res.checked && !res.infallible;
        matches!(res.status, Status::Released(..))
            || ((result == Some(v) || unjudged) && self.outcome(state, v, res) != Outcome::Failed)
    }

    /// A function that translates codes returns one of a hundred constants: beyond a few, what
    /// matters is that it is not 0.
    fn with_few_constants(&mut self, mut end: OpenEnd) -> OpenEnd {
        let nonzero = |v: ValId| match self.arena.get(v) {
            Val::Int(n) => *n != 0,
            _ => self.is_named_error(v),
        };
        let Some(v) = end.result.filter(|v| nonzero(*v)) else {
            return end;
        };
        let constants = self
            .ends
            .iter()
            .filter_map(|e| e.result)
            .filter(|v| nonzero(*v));
        if constants.count() < MOST_CONSTANTS || self.ends.iter().any(|e| e.result == Some(v)) {
            return end;
        }
        let some = self.arena.sym(Sym::Computed {
            stmt: u32::MAX,
            round: 0,
        });
        let mut fact = Fact::default();
        fact.exclude(0);
        end.result = Some(some);
        end.facts.push((some, fact));
        end
    }

    /// The summary of what was run; none where a bound was met or a part was not understood.
    pub(crate) fn summary(&mut self) -> Option<Summary> {
        let whole = self.function.gaps.is_empty();
        if !self.recording || self.bounded || !whole || self.ends.is_empty() {
            return None;
        }
        let open = std::mem::take(&mut self.ends);
        let mut ends: Vec<End> = Vec::with_capacity(open.len());
        for end in open {
            let keep = |action: &Action| self.is_felt(action);
            let mut end = End {
                steps: simplify(end.log.steps(), &keep),
                result: end.result,
                parts: end.parts,
                facts: end.facts,
                res: end.res,
                pseudo: end.pseudo,
                outs: end.outs,
                vague: end.vague,
                failed: end.failed,
                error: end.error,
                transfer: end.transfer,
                sent: end.sent,
                errors: end.errors,
                looks: end.looks,
                counts: end.counts,
            };
            self.drop_private_writes(&mut end);
            ends.push(end);
        }
        // Which run of unknown code came last matters where something is read after it.
        let mut read: FxHashSet<u32> = FxHashSet::default();
        for v in self.needs(&ends).vals.keys() {
            if let Val::Sym(Sym::Load { loc, epoch }) = self.arena.get(*v)
                && self.is_given_loc(*loc)
            {
                read.insert(*epoch);
            }
        }
        for end in &mut ends {
            let steps = std::mem::take(&mut end.steps);
            let shrunk = self.shrink(steps, &|epoch| read.contains(&epoch));
            end.steps = simplify(shrunk, &|_| true);
        }
        let (mut actions, mut stores) = (0, 0);
        for end in &ends {
            each(&end.steps, &mut |action| match action {
                Action::Write { .. } | Action::Own(_) | Action::Disown(_) => stores += 1,
                _ => actions += 1,
            });
        }
        let cost: f64 = ends.iter().map(|end| replay_cost(&end.steps).0).sum();
        let fits = actions <= MOST_ACTIONS && stores <= MOST_STORES && cost <= MOST_COST;
        fits.then(|| self.compact(ends))
    }

    /// Writes to memory that only this function knows are nobody else's business.
    pub(crate) fn is_felt(&self, action: &Action) -> bool {
        match action {
            Action::Write { loc, .. } => self.is_callers(*loc),
            _ => true,
        }
    }

    /// The values and locations that the ends speak of.
    fn needs(&self, ends: &[End]) -> Need {
        let mut need = Need::default();
        for end in ends {
            each(&end.steps, &mut |action| need.action(action));
            need.end(end);
        }
        need.close(self);
        need
    }

    /// Copies what the ends speak of into arrays of its own.
    fn compact(&self, mut ends: Vec<End>) -> Summary {
        let need = self.needs(&ends);
        let (vals, locs) = (need.vals, need.locs);
        let mut old_vals: Vec<ValId> = vals.keys().copied().collect();
        old_vals.sort_unstable();
        let mut old_locs: Vec<LocId> = locs.keys().copied().collect();
        old_locs.sort_unstable();
        let val_no: FxHashMap<ValId, ValId> = numbered(&old_vals, ValId::nth);
        let loc_no: FxHashMap<LocId, LocId> = numbered(&old_locs, LocId::nth);
        let val = |v: ValId| val_no[&v];
        let loc = |l: LocId| loc_no[&l];
        let mut loads = Vec::new();
        let new_vals: Vec<Val> = old_vals
            .iter()
            .map(|&v| match self.arena.get(v) {
                Val::Ptr(l) => Val::Ptr(loc(*l)),
                Val::Cmp(op, a, b) => Val::Cmp(*op, val(*a), val(*b)),
                Val::Bin(op, a, b) => Val::Bin(*op, val(*a), val(*b)),
                Val::Narrow(inner, ty) => Val::Narrow(val(*inner), ty.clone()),
                Val::Sym(Sym::Load { loc: l, epoch }) if self.is_given_loc(*l) => {
                    loads.push((*epoch, val(v)));
                    Val::Sym(Sym::Load {
                        loc: loc(*l),
                        epoch: *epoch,
                    })
                }
                // Where it is put, nothing was ever set.
                Val::Sym(Sym::Uninit { .. }) => Val::Sym(Sym::Uninit { loc: LocId::nth(0) }),
                // Made by this function: one new value at each call of it.
                Val::Sym(_) => Val::Sym(Sym::Computed { stmt: 0, round: 0 }),
                plain => plain.clone(),
            })
            .collect();
        let new_locs = old_locs
            .iter()
            .map(|&l| match self.arena.get_loc(l) {
                Loc::Field(parent, name) => Loc::Field(loc(*parent), name.clone()),
                Loc::Elem(parent, i) => Loc::Elem(loc(*parent), *i),
                Loc::Deref(v) => Loc::Deref(val(*v)),
                Loc::Local(local) if self.is_static(*local) => {
                    let name = self.function.locals[local.0 as usize].name.clone();
                    Loc::Global(format!("{}::{name}", self.function.name).into())
                }
                plain => plain.clone(),
            })
            .collect();
        let mut resourceful = false;
        for end in &mut ends {
            // What is not worth a report when it leaks is worth one when it is used unjudged, or
            // when it is gone.
            let live = |(_, res): &(ValId, Res)| {
                let unjudged = !res.checked && !res.infallible;
                self.leaks(&res.kind) || unjudged || matches!(res.status, Status::Released(..))
            };
            resourceful |=
                end.res.iter().any(live) || !end.pseudo.is_empty() || !end.outs.is_empty();
            renumber(&mut end.steps, &val, &loc, &mut resourceful);
            end.result = end.result.map(val);
            for (_, v) in &mut end.parts {
                *v = val(*v);
            }
            for (v, _) in &mut end.facts {
                *v = val(*v);
            }
            for (v, res) in &mut end.res {
                *v = val(*v);
                res.judge = val(res.judge);
                res.home = res.home.map(loc);
            }
            for (v, _) in &mut end.pseudo {
                *v = val(*v);
            }
            end.error.rename(&mut |v| val(v));
            end.counts
                .iter_mut()
                .for_each(|c| c.rename(&mut |v| val(v)));
            for out in &mut end.outs {
                out.judge = val(out.judge);
                out.loc = loc(out.loc);
            }
        }
        Summary {
            locs: new_locs,
            loads,
            told_apart: told_apart(&new_vals, &ends),
            vals: new_vals,
            ends,
            reports: self.reports(),
            takes_time: self.takes_time,
            resourceful,
        }
    }

    pub(crate) fn is_static(&self, local: pipelint_ir::LocalId) -> bool {
        self.function
            .locals
            .get(local.0 as usize)
            .is_some_and(|l| l.kind == LocalKind::Static)
    }
}

fn numbered<K: Copy + Eq + std::hash::Hash>(old: &[K], nth: fn(u32) -> K) -> FxHashMap<K, K> {
    old.iter().zip(0u32..).map(|(k, i)| (*k, nth(i))).collect()
}

fn renumber(
    steps: &mut [Step],
    val: &dyn Fn(ValId) -> ValId,
    loc: &dyn Fn(LocId) -> LocId,
    resourceful: &mut bool,
) {
    for step in steps {
        match step {
            Step::Choice(ways) => ways
                .iter_mut()
                .for_each(|way| renumber(way, val, loc, resourceful)),
            Step::Act(action) => match action {
                Action::Epoch(_) | Action::Havoc { .. } => {}
                Action::Assume { a, b, .. } => (*a, *b) = (val(*a), val(*b)),
                Action::Overlaps {
                    handle, overlapped, ..
                } => (*handle, *overlapped) = (val(*handle), val(*overlapped)),
                Action::Transfer {
                    count, overlapped, ..
                } => (*count, *overlapped) = (val(*count), val(*overlapped)),
                Action::Use { v, .. } | Action::Release { v, .. } => {
                    *resourceful = true;
                    *v = val(*v);
                }
                Action::Write { loc: l, v, .. } => (*l, *v) = (loc(*l), val(*v)),
                Action::Escape(v) | Action::Take(v) | Action::Expose(v) | Action::Disown(v) => {
                    *v = val(*v)
                }
                Action::Own(v) => {
                    *resourceful = true;
                    *v = val(*v);
                }
                Action::Lock(l, _) => {
                    *resourceful = true;
                    *l = loc(*l);
                }
                Action::Io(io) => {
                    *resourceful = true;
                    io.vals(&mut |v| *v = val(*v));
                    io.locs(&mut |l| *l = loc(*l));
                }
            },
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Item {
    Val(ValId),
    Loc(LocId),
}

/// The values and locations that some others are made of.
#[derive(Default)]
pub(crate) struct Need {
    vals: FxHashMap<ValId, ()>,
    locs: FxHashMap<LocId, ()>,
    todo: Vec<Item>,
}

impl Need {
    pub(crate) fn action(&mut self, action: &Action) {
        match action {
            Action::Epoch(_) | Action::Havoc { .. } => {}
            Action::Assume { a, b, .. } => self.todo.extend([Item::Val(*a), Item::Val(*b)]),
            Action::Overlaps {
                handle, overlapped, ..
            } => self
                .todo
                .extend([Item::Val(*handle), Item::Val(*overlapped)]),
            Action::Transfer {
                count, overlapped, ..
            } => self
                .todo
                .extend([Item::Val(*count), Item::Val(*overlapped)]),
            Action::Use { v, .. }
            | Action::Release { v, .. }
            | Action::Escape(v)
            | Action::Take(v)
            | Action::Expose(v)
            | Action::Own(v)
            | Action::Disown(v) => self.todo.push(Item::Val(*v)),
            Action::Write { loc, v, .. } => self.todo.extend([Item::Loc(*loc), Item::Val(*v)]),
            Action::Lock(loc, _) => self.todo.push(Item::Loc(*loc)),
            Action::Io(io) => {
                let mut io = io.clone();
                io.vals(&mut |v| self.todo.push(Item::Val(*v)));
                io.locs(&mut |l| self.todo.push(Item::Loc(*l)));
            }
        }
    }

    /// All of an end but its steps.
    pub(crate) fn end(&mut self, end: &End) {
        self.todo.extend(end.result.map(Item::Val));
        self.todo
            .extend(end.parts.iter().map(|(_, v)| Item::Val(*v)));
        for (v, _) in &end.facts {
            self.todo.push(Item::Val(*v));
        }
        for (v, res) in &end.res {
            self.todo.extend([Item::Val(*v), Item::Val(res.judge)]);
            self.todo.extend(res.home.map(Item::Loc));
        }
        for (v, _) in &end.pseudo {
            self.todo.push(Item::Val(*v));
        }
        self.todo
            .extend(end.error.values().into_iter().map(Item::Val));
        let counts = end.counts.iter().flat_map(Handed::values);
        self.todo.extend(counts.map(Item::Val));
        for out in &end.outs {
            self.todo.extend([Item::Val(out.judge), Item::Loc(out.loc)]);
        }
    }

    pub(crate) fn write(&mut self, loc: LocId, v: ValId) {
        self.todo.extend([Item::Loc(loc), Item::Val(v)]);
    }

    pub(crate) fn has(&self, v: ValId) -> bool {
        self.vals.contains_key(&v)
    }

    pub(crate) fn close(&mut self, exec: &Exec<'_, '_>) {
        while let Some(item) = self.todo.pop() {
            match item {
                Item::Val(v) => {
                    if self.vals.insert(v, ()).is_some() {
                        continue;
                    }
                    match exec.arena.get(v) {
                        Val::Ptr(l) => self.todo.push(Item::Loc(*l)),
                        Val::Cmp(_, a, b) | Val::Bin(_, a, b) => {
                            self.todo.extend([Item::Val(*a), Item::Val(*b)]);
                        }
                        Val::Narrow(inner, _) => self.todo.push(Item::Val(*inner)),
                        Val::Sym(Sym::Load { loc, .. }) if exec.is_given_loc(*loc) => {
                            self.todo.push(Item::Loc(*loc));
                        }
                        _ => {}
                    }
                }
                Item::Loc(l) => {
                    if self.locs.insert(l, ()).is_some() {
                        continue;
                    }
                    match exec.arena.get_loc(l) {
                        Loc::Field(parent, _) | Loc::Elem(parent, _) => {
                            self.todo.push(Item::Loc(*parent));
                        }
                        Loc::Deref(v) => self.todo.push(Item::Val(*v)),
                        _ => {}
                    }
                }
            }
        }
    }
}

impl Summary {
    /// The releases of a value by the function, where they are of several kinds of resource; none
    /// otherwise.
    pub(crate) fn told_apart(&self, v: ValId) -> impl Iterator<Item = &Release> {
        let of = source(&self.vals, v);
        let found = self.told_apart.iter().filter(move |(by, _)| *by == of);
        found.map(|(_, release)| &**release)
    }
}

/// Where a value was read, or the value itself: unknown code between two reads may have changed it, but
/// for the function it is one and the same.
fn source(vals: &[Val], v: ValId) -> Result<LocId, ValId> {
    match vals.get(v.index()) {
        Some(Val::Sym(Sym::Load { loc, .. })) => Ok(*loc),
        _ => Err(v),
    }
}

/// What is released as several kinds of resource, once for each kind.
fn told_apart(vals: &[Val], ends: &[End]) -> Vec<(Result<LocId, ValId>, Arc<Release>)> {
    let mut found: Vec<(Result<LocId, ValId>, Arc<Release>)> = Vec::new();
    for end in ends {
        each(&end.steps, &mut |action| {
            if let Action::Release { v, release, .. } = action {
                let of = source(vals, *v);
                let same =
                    |(by, known): &(_, Arc<Release>)| *by == of && known.kind == release.kind;
                if !found.iter().any(same) {
                    found.push((of, Arc::clone(release)));
                }
            }
        });
    }
    let several = |of: &Result<LocId, ValId>| found.iter().filter(|(by, _)| by == of).count() > 1;
    let kept: Vec<bool> = found.iter().map(|(of, _)| several(of)).collect();
    let mut kept = kept.into_iter();
    found.retain(|_| kept.next() == Some(true));
    found
}
