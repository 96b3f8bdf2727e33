//! Forgetting what later code cannot ask for, so that paths that differ in it alone become one.

use rustc_hash::FxHashMap;

use crate::cfg::Cfg;
use crate::exec::{Exec, Outcome};
use crate::log::Action;
use crate::state::{Res, State, Status};
use crate::values::{Arena, Loc, LocId, Sym, Val, ValId, ValSet};

/// Marks epochs that begin at a block, apart from those that begin at a call.
const OWN_EPOCH: u32 = 1 << 31;

impl Exec<'_, '_> {
    /// Forgets what no later code can ask for, so that paths that differ in it alone become one.
    pub(crate) fn prune(&mut self, block: usize, state: &mut State) {
        let empty: Vec<LocId> = state
            .filled
            .iter()
            .filter(|(_, v)| {
                let res = state.res.get(**v);
                res.is_some_and(|res| self.outcome(state, **v, res) == Outcome::Failed)
            })
            .map(|(loc, _)| loc)
            .collect();
        for loc in empty {
            state.filled.remove(loc);
        }
        let (arena, cfg) = (&self.arena, &self.cfg);
        let closures = &self.closures;
        // A variable that holds a live resource matters to the end: it may be assigned over.
        let held: Vec<ValId> = state
            .res
            .iter()
            .filter(|(_, res)| res.status == Status::Open && !res.escaped)
            .map(|(v, _)| v)
            .collect();
        // Where a released value was read from, what has been written since must be known: else it
        // would seem to be there still.
        let met: Vec<LocId> = state
            .res
            .iter()
            .filter(|(_, res)| matches!(res.status, Status::Released(..)))
            .filter_map(|(v, _)| match arena.get(v) {
                Val::Sym(Sym::Load { loc, .. }) => Some(*loc),
                _ => None,
            })
            .collect();
        let mut env = std::mem::take(&mut state.env);
        let mut else_held: Vec<LocId> = Vec::new();
        env.retain(|loc, v| {
            let kept = match arena.get_loc(arena.root(loc)) {
                // A starting call asks for it without naming it.
                _ if is_event(arena, loc) => true,
                Loc::Local(l) => cfg.is_live(block, *l) || held.contains(v),
                // The object's fields are looked at where the method ends.
                Loc::SelfObj => true,
                // So are those of its parts, where another method is called then.
                Loc::Deref(_) if self.alone && self.is_of_object(loc) => true,
                Loc::Deref(p) if closures.contains_key(p) => true,
                // Whether it is set still is asked where the function ends.
                Loc::Deref(_) if arena.name(loc).is_some_and(|n| self.flag_ends.sets(n)) => true,
                // Where nothing is held any more, such a field would read as it was at the beginning.
                Loc::Deref(_) if self.is_own_steady(state, loc) => true,
                _ if met.iter().any(|at| arena.within(*at, loc)) => true,
                _ => held.contains(v) || arena.name(loc).is_none_or(|n| cfg.is_mentioned(block, n)),
            };
            if !kept && self.puts_else(loc, *v) {
                else_held.push(loc);
            }
            kept
        });
        state.env = env;
        self.note_forgotten_places(state, &else_held);
        let mut reachable = std::mem::take(&mut self.marks);
        reachable.clear();
        let mut parts = Vec::new();
        for (loc, v) in state.env.iter() {
            arena.mark_parts(*v, &mut reachable, &mut parts);
            if let Loc::Deref(p) = arena.get_loc(arena.root(loc)) {
                arena.mark_parts(*p, &mut reachable, &mut parts);
            }
        }
        // What the caller will have is told it at the end.
        for (v, _) in state.exported.iter() {
            arena.mark_parts(v, &mut reachable, &mut parts);
        }
        self.mark_io(state, &mut |v| {
            arena.mark_parts(v, &mut reachable, &mut parts)
        });
        // A resource that is gone, or somebody else's, matters while a variable still has it.
        let mut resources = std::mem::take(&mut state.res);
        let current = |loc: LocId| self.epoch_of(state, loc);
        let look = Look {
            arena,
            cfg,
            block,
            current: &current,
            reachable: &reachable,
        };
        resources.retain(|v, res| {
            let kept = !res.escaped || res.failed_at.is_some() || res.given_to.is_some();
            let held = res.status == Status::Open && kept;
            held || reachable.contains(v) || is_in_reach(&look, v, res)
        });
        state.res = resources;
        state
            .moved
            .retain(|v, moved| moved.failed || reachable.contains(v));
        for (v, res) in state.res.iter() {
            arena.mark_parts(v, &mut reachable, &mut parts);
            arena.mark_parts(res.judge, &mut reachable, &mut parts);
        }
        state
            .pseudo
            .retain(|v, _| reachable.contains(v) || matches!(arena.get(v), Val::Named(_)));
        state.errors.retain(|v, _| reachable.contains(v));
        state.error_of.retain(|v, _| reachable.contains(v));
        state.evidence.retain(|v, _| reachable.contains(v));
        state.awaited.retain(|v, _| reachable.contains(v));
        // What nobody can name any more, nobody starts or cancels.
        let named = |loc: LocId| match arena.get_loc(arena.root(loc)) {
            Loc::Deref(p) => reachable.contains(*p) || self.is_given(*p),
            Loc::Local(l) => {
                cfg.is_live(block, *l)
                    || cfg.is_static(*l)
                    || reachable_root(arena, &reachable, loc)
            }
            _ => true,
        };
        state.idle.retain(|loc, ()| named(loc));
        state.events_of.retain(|loc, _| named(loc));
        state.zeroed.retain(|loc, _| named(loc));
        state.pending.retain(|loc, p| {
            self.alone || p.cancel.is_some() || named(loc) || p.buffers.iter().any(|at| named(*at))
        });
        let is_pending = |at: &(LocId, _)| state.pending.get(at.0).is_some();
        state.asked_io = state.asked_io.take().filter(is_pending);
        state
            .operations
            .retain(|v, op| reachable.contains(v) || op.acted || op.seen.is_some());
        if state.last_made.is_some_and(|v| state.res.get(v).is_none()) {
            state.last_made = None;
        }
        // What was read of outside memory may be read again, until unknown code changes it.
        let epoch = state.epoch;
        let mut keep: FxHashMap<ValId, bool> = FxHashMap::default();
        let mut facts = std::mem::take(&mut state.facts);
        let current = |loc: LocId| self.epoch_of(state, loc);
        facts.retain(|v, _| {
            reachable.contains(v)
                || can_recur(arena, cfg, block, &current, v, &reachable, &mut keep)
                || (self.alone && self.is_asked_of_object(v))
                || (self.waits_itself && self.is_parameter(v))
        });
        state.facts = facts;
        // Which unknown call ran last no longer matters where nothing read since is known.
        let fresh = OWN_EPOCH | u32::try_from(block).unwrap_or(0);
        let loads = |v: ValId, at: u32| matches!(arena.get(v), Val::Sym(Sym::Load { epoch, .. }) if *epoch == at);
        if epoch != fresh {
            let known = &mut reachable;
            for (v, _) in state.facts.iter() {
                arena.mark_parts(v, known, &mut parts);
            }
            if !known.iter().any(|v| loads(v, epoch) || loads(v, fresh)) {
                state.epoch = fresh;
                self.record(state, Action::Epoch(fresh));
            }
        }
        self.marks = reachable;
    }
}

/// A variable whose address some value holds is reached by that.
fn reachable_root(arena: &Arena, reachable: &ValSet, loc: LocId) -> bool {
    let root = arena.root(loc);
    reachable
        .iter()
        .any(|v| matches!(arena.get(v), Val::Ptr(at) if arena.root(*at) == root))
}

/// The event of an OVERLAPPED, or the status that the kernel writes into it.
fn is_event(arena: &Arena, loc: LocId) -> bool {
    matches!(arena.get_loc(loc), Loc::Field(_, name) if name == "hEvent" || name == "Internal")
}

/// True when later code can compute this value again: then what is known of it matters.
fn can_recur(
    arena: &Arena,
    cfg: &Cfg,
    block: usize,
    current: &dyn Fn(LocId) -> u32,
    v: ValId,
    reachable: &ValSet,
    known: &mut FxHashMap<ValId, bool>,
) -> bool {
    if reachable.contains(v) {
        return true;
    }
    if let Some(&known) = known.get(&v) {
        return known;
    }
    let mut parts = Vec::new();
    arena.parts(v, &mut parts);
    let recurs = parts.iter().all(|part| {
        reachable.contains(*part)
            || match arena.get(*part) {
                Val::Sym(Sym::Load { loc, epoch: at }) => match arena.get_loc(arena.root(*loc)) {
                    Loc::Local(l) => cfg.is_live(block, *l) || cfg.is_static(*l),
                    Loc::Deref(p) => {
                        *at == current(*loc)
                            && can_recur_pointer(arena, *p, current)
                            && arena.name(*loc).is_none_or(|n| cfg.is_mentioned(block, n))
                    }
                    // What a method that is called on the object asks is not named here.
                    Loc::SelfObj if cfg.calls_on_self(block) => *at == current(*loc),
                    _ => {
                        *at == current(*loc)
                            && arena.name(*loc).is_none_or(|n| cfg.is_mentioned(block, n))
                    }
                },
                Val::Sym(_) => false,
                _ => true,
            }
    });
    known.insert(v, recurs);
    recurs
}

/// What was released, or what an owner holds that a call may have taken over, may be met again where it
/// was read from, as long as the way there is known.
fn is_in_reach(look: &Look<'_>, v: ValId, res: &Res) -> bool {
    let taken = res.adopted && res.api.is_empty();
    if !taken && !matches!(res.status, Status::Released(..)) {
        return false;
    }
    let mut v = v;
    loop {
        let Val::Sym(Sym::Load { loc, epoch }) = look.arena.get(v) else {
            return false;
        };
        match look.arena.get_loc(look.arena.root(*loc)) {
            Loc::Local(l) => return look.cfg.is_live(look.block, *l),
            _ if *epoch != (look.current)(*loc) => return false,
            Loc::Deref(p) if !look.reachable.contains(*p) => v = *p,
            _ => return true,
        }
    }
}

/// What is known where a state enters a block.
struct Look<'a> {
    arena: &'a Arena,
    cfg: &'a Cfg,
    block: usize,
    current: &'a dyn Fn(LocId) -> u32,
    reachable: &'a ValSet,
}

/// As `can_recur`, for the pointer a location hangs on: only its own age is looked at.
fn can_recur_pointer(arena: &Arena, p: ValId, current: &dyn Fn(LocId) -> u32) -> bool {
    match arena.get(p) {
        Val::Sym(Sym::Load { loc, epoch: at }) => *at == current(*loc) || *at == 0,
        _ => true,
    }
}
