//! The symbolic executor: carries bounded disjuncts through a function's graph.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

use pipelint_ir::{
    Base, BinOp, CmpOp, Cond, Const, Function, FunctionKind, LocalId, LocalKind, Mark, Name,
    Operand, PlaceId, Proj, Rvalue, Statement, Terminator, Type,
};
use pipelint_models::Sentinel;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::cfg::Cfg;
use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::program::{FnRef, Program};
use crate::state::{Res, State, Status};
use crate::values::{Arena, Loc, LocId, StmtNo, Sym, Val, ValId};

/// Disjuncts that may enter one block.
const STATES_PER_BLOCK: usize = 48;
/// Statements run in one function.
const STEPS: usize = 60_000;
/// Entries of an initialiser list that are followed one by one.
const LARGEST_AGGREGATE: usize = 32;
/// Marks epochs that begin at a block, apart from those that begin at a call.
const OWN_EPOCH: u32 = 1 << 31;
/// Entries of one loop head on one path; values that still change are then widened.
const ROUNDS: u32 = 3;

/// One function's execution.
pub(crate) struct Exec<'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    pub(crate) unit: usize,
    pub(crate) function: &'p Function,
    pub(crate) cfg: Cfg,
    pub(crate) arena: Arena,
    pub(crate) found: Findings,
    /// A bound on states or steps was met.
    pub(crate) bounded: bool,
    pub(crate) block: usize,
    pub(crate) stmt: StmtNo,
    pub(crate) span: Span,
    /// The arguments of the modelled call being run, as written.
    pub(crate) operands: &'p [Operand],
}

/// How far a resource's creation is known to have succeeded on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Maybe,
    Succeeded,
    Failed,
}

/// A sentinel as a number.
pub(crate) fn number(sentinel: Sentinel) -> i128 {
    match sentinel {
        Sentinel::Null => 0,
        Sentinel::InvalidHandle | Sentinel::InvalidSocket | Sentinel::MinusOne => -1,
    }
}

impl<'p, 'm> Exec<'p, 'm> {
    pub(crate) fn new(program: &'p Program<'m>, f: FnRef) -> Self {
        let function = program.function(f);
        Self {
            program,
            unit: f.0,
            function,
            cfg: Cfg::new(function),
            arena: Arena::default(),
            found: Findings::default(),
            bounded: false,
            block: 0,
            stmt: 0,
            span: function.map.name,
            operands: &[],
        }
    }

    pub(crate) fn run(&mut self) {
        let mut waiting: BTreeMap<u32, (usize, VecDeque<State>)> = BTreeMap::new();
        let mut seen: Vec<FxHashSet<u64>> = vec![FxHashSet::default(); self.function.blocks.len()];
        if seen.is_empty() {
            return;
        }
        let mut steps = 0;
        let mut next = vec![(0usize, State::default())];
        loop {
            for (block, mut state) in next.drain(..) {
                if block >= seen.len() || !self.enter(block, &mut state) {
                    continue;
                }
                let mut hasher = FxHasher::default();
                state.hash(&mut hasher);
                if seen[block].len() >= STATES_PER_BLOCK {
                    self.bounded = true;
                } else if seen[block].insert(hasher.finish()) {
                    let order = self.cfg.order[block];
                    waiting
                        .entry(order)
                        .or_insert_with(|| (block, VecDeque::new()))
                        .1
                        .push_back(state);
                }
            }
            let Some(mut entry) = waiting.first_entry() else {
                return;
            };
            let block = entry.get().0;
            let state = entry.get_mut().1.pop_front();
            if entry.get().1.is_empty() {
                entry.remove();
            }
            let Some(state) = state else { continue };
            steps += self.function.blocks[block].stmts.len() + 1;
            if steps > STEPS {
                self.bounded = true;
                return;
            }
            self.run_block(block, state, &mut next);
        }
    }

    /// Prepares a state to enter a block; false when the path is given up there (a loop's bound).
    fn enter(&mut self, block: usize, state: &mut State) -> bool {
        let cfg = &self.cfg;
        let mut widen = None;
        for (head, body) in &cfg.loops {
            let head_no = u32::try_from(*head).unwrap_or(u32::MAX);
            if *head == block {
                let n = state.loops.get(head_no).copied().unwrap_or(0) + 1;
                if n > ROUNDS + 2 {
                    return false;
                }
                state.loops.insert(head_no, n);
                if n > ROUNDS {
                    widen = Some((head_no, body));
                }
            } else if !body.contains(&block) {
                state.loops.remove(head_no);
            }
        }
        if !cfg.cyclic[block] {
            state.rounds = Default::default();
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
        self.prune(block, state);
        true
    }

    /// Forgets what no later code can ask for, so that paths that differ in it alone become one.
    fn prune(&mut self, block: usize, state: &mut State) {
        let (arena, cfg) = (&self.arena, &self.cfg);
        // A variable that holds a live resource matters to the end: it may be assigned over.
        let held: Vec<ValId> = state
            .res
            .iter()
            .filter(|(_, res)| res.status == Status::Open && !res.escaped)
            .map(|(v, _)| v)
            .collect();
        state
            .env
            .retain(|loc, v| match arena.get_loc(arena.root(loc)) {
                Loc::Local(l) => cfg.is_live(block, *l) || held.contains(v),
                // The object's fields are looked at where the method ends.
                Loc::SelfObj => true,
                _ => held.contains(v) || arena.name(loc).is_none_or(|n| cfg.is_mentioned(block, n)),
            });
        let mut reachable: FxHashSet<ValId> = FxHashSet::default();
        let mut parts = Vec::new();
        for (loc, v) in state.env.iter() {
            arena.parts(*v, &mut parts);
            if let Loc::Deref(p) = arena.get_loc(arena.root(loc)) {
                parts.push(*p);
            }
            reachable.extend(parts.drain(..));
        }
        // A resource that is gone, or somebody else's, matters while a variable still has it.
        state.res.retain(|v, res| {
            let held = res.status == Status::Open && (!res.escaped || res.failed_at.is_some());
            held || reachable.contains(&v)
        });
        for (v, res) in state.res.iter() {
            reachable.insert(v);
            reachable.insert(res.judge);
        }
        state
            .pseudo
            .retain(|v, _| reachable.contains(&v) || matches!(arena.get(v), Val::Named(_)));
        state.errors.retain(|v, _| reachable.contains(&v));
        if state.last_made.is_some_and(|v| state.res.get(v).is_none()) {
            state.last_made = None;
        }
        // What was read of outside memory may be read again, until unknown code changes it.
        let epoch = state.epoch;
        let mut keep: FxHashMap<ValId, bool> = FxHashMap::default();
        state.facts.retain(|v, _| {
            reachable.contains(&v) || can_recur(arena, cfg, block, epoch, v, &reachable, &mut keep)
        });
        // Which unknown call ran last no longer matters where nothing read since is known.
        let fresh = OWN_EPOCH | u32::try_from(block).unwrap_or(0);
        let loads = |v: &ValId, at: u32| matches!(arena.get(*v), Val::Sym(Sym::Load { epoch, .. }) if *epoch == at);
        let mut known: FxHashSet<ValId> = reachable;
        for (v, _) in state.facts.iter() {
            arena.parts(v, &mut parts);
            known.extend(parts.drain(..));
        }
        if epoch != fresh && !known.iter().any(|v| loads(v, epoch) || loads(v, fresh)) {
            state.epoch = fresh;
        }
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
                self.statement(state, stmt, &mut after);
            }
            states = after;
            if states.is_empty() {
                return;
            }
        }
        if let Some(span) = self.function.map.terms.get(block) {
            self.span = *span;
        }
        self.stmt = self.cfg.first[block] + u32::try_from(body.stmts.len()).unwrap_or(u32::MAX / 4);
        for state in states {
            self.terminator(state, &body.term, next);
        }
    }

    fn terminator(&mut self, mut state: State, term: &Terminator, next: &mut Vec<(usize, State)>) {
        match term {
            Terminator::Goto(b) => next.push((b.0 as usize, state)),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let lhs = self.operand(&mut state, &cond.lhs);
                let rhs = self.operand(&mut state, &cond.rhs);
                self.settle_dropped_by_condition(&mut state, lhs, rhs);
                for (truth, to) in [(true, then), (false, otherwise)] {
                    let mut branch = state.clone();
                    if self.assume(&mut branch, cond.op, lhs, rhs, truth) {
                        next.push((to.0 as usize, branch));
                    }
                }
            }
            Terminator::Switch { on, arms, default } => {
                let on = self.operand(&mut state, on);
                self.settle_dropped_by_condition(&mut state, on, on);
                let mut rest = state.clone();
                let mut open = true;
                for (value, to) in arms {
                    let name = match value {
                        Const::Named(name) => name.clone(),
                        Const::Int(value) => value.to_string().into(),
                        _ => Name::default(),
                    };
                    let value = self.constant(value);
                    let mut arm = state.clone();
                    if self.assume_as(&mut arm, CmpOp::Eq, on, value, true, Some(Some(name))) {
                        next.push((to.0 as usize, arm));
                    }
                    open &= self.assume_as(&mut rest, CmpOp::Eq, on, value, false, None);
                }
                if open {
                    rest.step(self.span, StepKind::Case(None), None);
                    next.push((default.0 as usize, rest));
                }
            }
            Terminator::Return(value) => {
                let value = value.as_ref().map(|v| self.operand(&mut state, v));
                self.leave(&mut state, value);
            }
            Terminator::Unwind => self.leave(&mut state, None),
            Terminator::Unreachable => {}
        }
    }

    fn statement(&mut self, mut state: State, stmt: &'p Statement, out: &mut Vec<State>) {
        match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Compare(cond),
            } if self.is_variable(*dst) && self.judges(&mut state, cond) => {
                // Whether a creation succeeded is kept in a variable: two paths from here.
                let (a, b) = (
                    self.operand(&mut state, &cond.lhs),
                    self.operand(&mut state, &cond.rhs),
                );
                for truth in [true, false] {
                    let mut branch = state.clone();
                    if self.assume(&mut branch, cond.op, a, b, truth) {
                        let to = self.place(&mut branch, *dst);
                        let v = self.arena.int(i128::from(truth));
                        self.write(&mut branch, to, v);
                        out.push(branch);
                    }
                }
            }
            Statement::Assign { dst, value } => {
                self.assign(&mut state, *dst, value);
                out.push(state);
            }
            Statement::Call {
                dst,
                callee,
                args,
                voided,
            } => {
                self.call(state, *dst, callee, args, *voided, out);
            }
            Statement::Mark(Mark::Live(local)) => {
                let loc = self.arena.loc(Loc::Local(*local));
                self.scope_end(&mut state, *local);
                if let Some(l) = self.function.locals.get(local.0 as usize)
                    && self.is_plain(&l.ty)
                {
                    let v = self.arena.sym(Sym::Uninit { loc });
                    self.clear_within(&mut state, loc);
                    state.env.insert(loc, v);
                    let name = l.name.clone();
                    let at = self.function.map.locals.get(local.0 as usize).copied();
                    state.step(at.unwrap_or(self.span), StepKind::Declared(name), Some(v));
                }
                out.push(state);
            }
            Statement::Mark(Mark::Dead(local)) => {
                self.scope_end(&mut state, *local);
                out.push(state);
            }
            Statement::Mark(_) => out.push(state),
            Statement::Drop { place, .. } => {
                // The destructor may read the object; what it held is its own business.
                let loc = self.place(&mut state, *place);
                let ptr = self.arena.val(Val::Ptr(loc));
                self.escape(&mut state, ptr);
                out.push(state);
            }
            // No rule reports on a path through a gap.
            Statement::Opaque { .. } => {}
        }
    }

    fn is_variable(&self, place: PlaceId) -> bool {
        match self.function.places[place].base {
            Base::Local(l) => {
                let local = self.function.locals.get(l.0 as usize);
                local.is_some_and(|l| l.kind != LocalKind::Temp)
            }
            _ => true,
        }
    }

    /// A comparison that decides whether a creation succeeded.
    fn judges(&mut self, state: &mut State, cond: &Cond) -> bool {
        let operands = [
            self.operand(state, &cond.lhs),
            self.operand(state, &cond.rhs),
        ];
        operands.iter().any(|v| {
            let res = state.res.get(*v);
            res.is_some_and(|res| self.outcome(state, *v, res) == Outcome::Maybe)
        })
    }

    fn scope_end(&mut self, state: &mut State, local: LocalId) {
        let loc = self.arena.loc(Loc::Local(local));
        self.clear_within(state, loc);
        state.env.remove(loc);
        state.exposed.remove(loc);
    }

    fn assign(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) {
        let to = self.place(state, dst);
        let v = match value {
            Rvalue::Use(op) => {
                if let Operand::Copy(src) | Operand::Move(src) = op {
                    let from = self.place(state, *src);
                    self.copy_parts(state, from, to);
                    let v = self.read(state, from);
                    self.check_overwrite(state, dst, to, v);
                    self.write_keeping_parts(state, to, v);
                    self.name_resource(state, v, dst);
                    return;
                }
                self.operand(state, op)
            }
            Rvalue::Ref(place) => {
                let loc = self.place(state, *place);
                self.arena.val(Val::Ptr(loc))
            }
            Rvalue::Binary(op, a, b) => {
                let (a, b) = (self.operand(state, a), self.operand(state, b));
                self.binary(*op, a, b)
            }
            Rvalue::Compare(cond) => {
                let (a, b) = (
                    self.operand(state, &cond.lhs),
                    self.operand(state, &cond.rhs),
                );
                self.settle_dropped_by_condition(state, a, b);
                self.compare(state, cond.op, a, b)
            }
            Rvalue::Cast(ty, op) => {
                let v = self.operand(state, op);
                self.cast(state, ty, op, v)
            }
            Rvalue::Aggregate(items) if items.len() > LARGEST_AGGREGATE => {
                // A table: what it holds is data, and following each entry would be slow.
                for (_, op) in items {
                    let v = self.operand(state, op);
                    self.escape(state, v);
                }
                let unknown = self.fresh(state, 0);
                self.write(state, to, unknown);
                return;
            }
            Rvalue::Aggregate(items) => {
                self.clear_within(state, to);
                let zero = self.arena.int(0);
                state.env.insert(to, zero);
                let fields = self.positional_fields(dst);
                for (i, (name, op)) in items.iter().enumerate() {
                    let v = self.operand(state, op);
                    let name = name.clone().or_else(|| fields.get(i).cloned());
                    let part = match name {
                        Some(name) => Loc::Field(to, name),
                        None => Loc::Elem(to, i64::try_from(i).ok()),
                    };
                    let part = self.arena.loc(part);
                    self.write(state, part, v);
                }
                return;
            }
            Rvalue::Closure(_, captures) => {
                for (place, by_ref) in captures {
                    let loc = self.place(state, *place);
                    let v = if *by_ref {
                        self.arena.val(Val::Ptr(loc))
                    } else {
                        self.read(state, loc)
                    };
                    self.escape(state, v);
                }
                self.fresh(state, 0)
            }
            Rvalue::Unknown(ops) => {
                for op in ops {
                    let v = self.operand(state, op);
                    self.escape(state, v);
                }
                let v = self.fresh(state, 0);
                self.count_round(state);
                v
            }
        };
        self.check_overwrite(state, dst, to, v);
        self.write(state, to, v);
        self.name_resource(state, v, dst);
    }

    /// Field names of a struct local's class, for positional initialisers.
    fn positional_fields(&self, dst: PlaceId) -> Vec<Name> {
        let Base::Local(l) = self.function.places[dst].base else {
            return Vec::new();
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return Vec::new();
        };
        let class = self
            .program
            .class(self.unit, &self.program.resolve(&local.ty).name);
        class.map_or_else(Vec::new, |c| {
            c.fields.iter().map(|f| f.name.clone()).collect()
        })
    }

    /// A value that only this run of this statement yields.
    pub(crate) fn fresh(&mut self, state: &State, slot: u32) -> ValId {
        let round = state.rounds.get(self.stmt).copied().unwrap_or(0);
        self.arena.sym(Sym::Call {
            stmt: self.stmt,
            slot,
            round,
        })
    }

    /// Counts a run of the current statement, where it can run again.
    pub(crate) fn count_round(&self, state: &mut State) {
        if self.cfg.cyclic[self.block] {
            let n = state.rounds.get(self.stmt).copied().unwrap_or(0);
            state.rounds.insert(self.stmt, n + 1);
        }
    }

    pub(crate) fn operand(&mut self, state: &mut State, op: &Operand) -> ValId {
        match op {
            Operand::Const(c) => self.constant(c),
            Operand::Copy(place) | Operand::Move(place) => {
                let loc = self.place(state, *place);
                let place = &self.function.places[*place];
                if let (Base::Local(l), true) = (&place.base, place.proj.is_empty())
                    && self
                        .function
                        .locals
                        .get(l.0 as usize)
                        .is_some_and(|l| l.ty.arrays > 0)
                {
                    return self.arena.val(Val::Ptr(loc));
                }
                if let Base::Global(name) = &place.base
                    && place.proj.is_empty()
                    && let Some(value) = self.program.constant(self.unit, name)
                {
                    return self.arena.int(value);
                }
                self.read(state, loc)
            }
        }
    }

    pub(crate) fn constant(&mut self, c: &Const) -> ValId {
        match c {
            Const::Int(value) => self.arena.int(*value),
            Const::Null => self.arena.int(0),
            Const::Named(name) => match self.program.constant(self.unit, name) {
                Some(value) => self.arena.int(value),
                None => self.arena.val(Val::Named(name.clone())),
            },
            Const::Str(_) => self.arena.val(Val::Str),
            Const::Function(name) => self.arena.val(Val::Function(name.clone())),
            Const::Other => self.arena.sym(Sym::Computed {
                stmt: self.stmt,
                round: 0,
            }),
        }
    }

    /// The location a place names on this path.
    pub(crate) fn place(&mut self, state: &mut State, id: PlaceId) -> LocId {
        let place = &self.function.places[id];
        let mut loc = self.arena.loc(match &place.base {
            Base::Local(l) => Loc::Local(*l),
            Base::SelfObj => Loc::SelfObj,
            Base::Global(name) => Loc::Global(name.clone()),
            Base::Captured(name) => Loc::Captured(name.clone()),
        });
        for step in &place.proj {
            loc = match step {
                Proj::Field(name) => self.arena.loc(Loc::Field(loc, name.clone())),
                Proj::Deref => self.deref(state, loc),
                Proj::Index(i) => {
                    let array = if self.holds_pointer(state, loc) {
                        self.deref(state, loc)
                    } else {
                        loc
                    };
                    self.arena.loc(Loc::Elem(array, *i))
                }
            };
        }
        loc
    }

    fn deref(&mut self, state: &mut State, loc: LocId) -> LocId {
        let v = self.read(state, loc);
        self.pointee(v)
    }

    pub(crate) fn pointee(&mut self, v: ValId) -> LocId {
        match self.arena.get(v) {
            Val::Ptr(loc) => *loc,
            _ => self.arena.loc(Loc::Deref(v)),
        }
    }

    /// An indexed location that holds a pointer is indexed through it.
    fn holds_pointer(&self, state: &State, loc: LocId) -> bool {
        match self.arena.get_loc(loc) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.ty.arrays == 0),
            _ => state.env.get(loc).is_some_and(|v| {
                matches!(self.arena.get(*v), Val::Ptr(_) | Val::Sym(Sym::Call { .. }))
            }),
        }
    }

    /// True for memory that code outside the function can reach.
    pub(crate) fn is_outside(&self, state: &State, loc: LocId) -> bool {
        let root = self.arena.root(loc);
        match self.arena.get_loc(root) {
            Loc::Local(l) => {
                state.exposed.get(root).is_some()
                    || self
                        .function
                        .locals
                        .get(l.0 as usize)
                        .is_none_or(|l| l.kind == LocalKind::Static)
            }
            _ => true,
        }
    }

    pub(crate) fn read(&mut self, state: &State, loc: LocId) -> ValId {
        if self.unknown_element(loc).is_some() {
            // Two reads with an unknown index need not mean the same element.
            let round = state.rounds.get(self.stmt).copied().unwrap_or(0);
            return self.arena.sym(Sym::Element {
                loc,
                stmt: self.stmt,
                round,
            });
        }
        if let Some(&v) = state.env.get(loc) {
            return v;
        }
        let mut at = loc;
        while let Loc::Field(parent, _) | Loc::Elem(parent, _) = self.arena.get_loc(at) {
            at = *parent;
            if let Some(&v) = state.env.get(at) {
                match self.arena.get(v) {
                    Val::Sym(Sym::Uninit { .. }) => return self.arena.sym(Sym::Uninit { loc }),
                    Val::Int(0) => return self.arena.int(0),
                    Val::Sym(sym) => {
                        // A part of an unknown whole is unknown, and the same at each read.
                        let stmt = match sym {
                            Sym::Call { stmt, .. } | Sym::Computed { stmt, .. } => *stmt + 1,
                            _ => 0,
                        };
                        return self.arena.sym(Sym::Load { loc, epoch: stmt });
                    }
                    _ => break,
                }
            }
        }
        let epoch = if self.is_outside(state, loc) {
            state.epoch
        } else {
            0
        };
        self.arena.sym(Sym::Load { loc, epoch })
    }

    /// Forgets the parts of a location.
    pub(crate) fn clear_within(&self, state: &mut State, whole: LocId) {
        state
            .env
            .retain(|loc, _| loc == whole || !self.arena.within(loc, whole));
    }

    pub(crate) fn write(&mut self, state: &mut State, loc: LocId, v: ValId) {
        self.clear_within(state, loc);
        self.write_keeping_parts(state, loc, v);
    }

    fn write_keeping_parts(&mut self, state: &mut State, loc: LocId, v: ValId) {
        if let Some(parent) = self.unknown_element(loc) {
            // Which element is not known: any may now hold it.
            self.clear_within(state, parent);
            let unknown = self.fresh(state, 99);
            state.env.insert(parent, unknown);
            self.escape(state, v);
            return;
        }
        if self.is_outside(state, loc) || self.is_owner(loc) {
            let home = state
                .res
                .get(v)
                .is_some_and(|res| !res.escaped)
                .then_some(loc);
            self.hand_over(state, v);
            if let Some(res) = state.res.get_mut(v) {
                res.home = home;
            }
        }
        state.env.insert(loc, v);
    }

    /// The array that a location is an unknown element of, or a part of one.
    fn unknown_element(&self, mut loc: LocId) -> Option<LocId> {
        loop {
            match self.arena.get_loc(loc) {
                Loc::Elem(parent, None) => return Some(*parent),
                Loc::Field(parent, _) | Loc::Elem(parent, Some(_)) => loc = *parent,
                _ => return None,
            }
        }
    }

    fn copy_parts(&mut self, state: &mut State, from: LocId, to: LocId) {
        let parts: Vec<(LocId, ValId)> = state
            .env
            .iter()
            .filter(|(loc, _)| *loc != from && self.arena.within(*loc, from))
            .map(|(loc, v)| (loc, *v))
            .collect();
        self.clear_within(state, to);
        for (loc, v) in parts {
            let mut steps = Vec::new();
            let mut at = loc;
            while at != from {
                let here = self.arena.get_loc(at).clone();
                let (Loc::Field(parent, _) | Loc::Elem(parent, _)) = here else {
                    break;
                };
                steps.push(here);
                at = parent;
            }
            let mut dst = to;
            for step in steps.into_iter().rev() {
                dst = self.arena.loc(match step {
                    Loc::Field(_, name) => Loc::Field(dst, name),
                    Loc::Elem(_, i) => Loc::Elem(dst, i),
                    other => other,
                });
            }
            self.write_keeping_parts(state, dst, v);
        }
    }

    /// A local of a class type that is neither a plain struct nor a handle: what is put into it
    /// is owned by it.
    fn is_owner(&self, loc: LocId) -> bool {
        let Loc::Local(l) = self.arena.get_loc(self.arena.root(loc)) else {
            return false;
        };
        let Some(local) = self.function.locals.get(l.0 as usize) else {
            return true;
        };
        local.kind == LocalKind::Auto && !self.is_plain(&local.ty)
    }

    /// A type with no destructor and no constructor, as far as names tell.
    pub(crate) fn is_plain(&self, ty: &Type) -> bool {
        let ty = self.program.resolve(ty);
        if !ty.is_object() {
            return true;
        }
        let name: &str = &ty.name;
        if self.program.models.is_handle_type(name) || name.is_empty() || name == "auto" {
            return true;
        }
        if let Some(class) = self.program.class(self.unit, name) {
            return class.bases.is_empty()
                && !class.methods.iter().any(|m| {
                    matches!(m.kind, FunctionKind::Destructor | FunctionKind::Constructor)
                });
        }
        if self.program.models.owner(name).is_some() {
            return false;
        }
        let caps = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        caps || is_primitive(name)
    }

    /// The resource is now reachable from outside: its leak is not this function's.
    pub(crate) fn hand_over(&self, state: &mut State, v: ValId) {
        if let Val::Cmp(..) = self.arena.get(v) {
            return;
        }
        // A tagged or narrowed handle is still the handle.
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for part in parts {
            if let Some(res) = state.res.get_mut(part) {
                res.escaped = true;
            }
        }
    }

    /// Unknown code has the value: it may keep, judge or release it, and write through it.
    pub(crate) fn escape(&mut self, state: &mut State, v: ValId) {
        let mut todo = vec![v];
        let mut seen: Vec<ValId> = Vec::new();
        while let Some(v) = todo.pop() {
            if seen.contains(&v) {
                continue;
            }
            seen.push(v);
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
                res.checked = true;
                res.home = None;
            }
            match self.arena.get(v) {
                Val::Ptr(loc) => {
                    let loc = *loc;
                    let root = self.arena.root(loc);
                    if matches!(self.arena.get_loc(root), Loc::Local(_)) {
                        state.exposed.insert(root, ());
                    }
                    todo.extend(
                        state
                            .env
                            .iter()
                            .filter(|(l, _)| self.arena.within(*l, loc))
                            .map(|(_, v)| *v),
                    );
                }
                Val::Bin(_, a, b) | Val::Cmp(_, a, b) => todo.extend([*a, *b]),
                Val::Narrow(inner, _) => todo.push(*inner),
                Val::Sym(Sym::Element { loc, .. }) => {
                    if let Some(array) = self.unknown_element(*loc) {
                        todo.extend(
                            state
                                .env
                                .iter()
                                .filter(|(l, _)| self.arena.within(*l, array))
                                .map(|(_, v)| *v),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    pub(crate) fn binary(&mut self, op: BinOp, a: ValId, b: ValId) -> ValId {
        if let (Some(x), Some(y)) = (self.arena.as_int(a), self.arena.as_int(b)) {
            let folded = match op {
                BinOp::Add => x.checked_add(y),
                BinOp::Sub => x.checked_sub(y),
                BinOp::Mul => x.checked_mul(y),
                BinOp::Div => x.checked_div(y),
                BinOp::Rem => x.checked_rem(y),
                BinOp::BitAnd => Some(x & y),
                BinOp::BitOr => Some(x | y),
                BinOp::BitXor => Some(x ^ y),
                BinOp::Shl => u32::try_from(y)
                    .ok()
                    .filter(|y| *y < 64)
                    .and_then(|y| x.checked_shl(y)),
                BinOp::Shr => u32::try_from(y)
                    .ok()
                    .filter(|y| *y < 64)
                    .and_then(|y| x.checked_shr(y)),
            };
            if let Some(value) = folded {
                return self.arena.int(value);
            }
        }
        self.arena.val(Val::Bin(op, a, b))
    }

    fn cast(&mut self, state: &mut State, ty: &Type, from: &Operand, v: ValId) -> ValId {
        let to = self.program.resolve(ty);
        if let Some(value) = self.arena.as_int(v) {
            let narrowed = if to.is_object() {
                narrow_int(&to.name, value)
            } else {
                value
            };
            // `(HANDLE)0xFFFFFFFF…` is how -1 is written by hand.
            let wide = to.pointers > 0 || self.program.models.is_handle_type(&to.name);
            let narrowed = if wide && narrowed == i128::from(u64::MAX) {
                -1
            } else {
                narrowed
            };
            return self.arena.int(narrowed);
        }
        if to.is_object() && is_unsigned_32(&to.name) {
            let handle = state.res.get(v).is_some()
                || state.pseudo.get(v).is_some()
                || self.operand_is_handle(from)
                || self.value_is_handle(v);
            if handle {
                let step = StepKind::Narrowed(ty.name.clone());
                state.step(self.span, step, Some(v));
                return self.arena.val(Val::Narrow(v, ty.name.clone()));
            }
        }
        let pointer = to.pointers > 0 || self.program.models.is_handle_type(&to.name);
        if pointer {
            let mut parts = Vec::new();
            self.arena.parts(v, &mut parts);
            for part in parts {
                if let Val::Narrow(inner, name) = self.arena.get(part).clone() {
                    let resource = state.res.get(inner).map(|r| self.resource(r));
                    let path = self.path(state, Some(inner), StepKind::Assigned(ty.name.clone()));
                    self.found.add(Event {
                        kind: EventKind::Truncated { ty: name },
                        at: self.span,
                        function: self.function.name.clone(),
                        resource,
                        path,
                        others: Vec::new(),
                    });
                    break;
                }
            }
        }
        v
    }

    fn operand_is_handle(&self, op: &Operand) -> bool {
        let (Operand::Copy(p) | Operand::Move(p)) = op else {
            return false;
        };
        let place = &self.function.places[*p];
        let Base::Local(l) = place.base else {
            return false;
        };
        place.proj.is_empty()
            && self.function.locals.get(l.0 as usize).is_some_and(|l| {
                let ty = self.program.resolve(&l.ty);
                ty.is_object() && self.program.models.is_handle_type(&ty.name)
            })
    }

    /// A value read from a variable that is declared as a handle.
    fn value_is_handle(&self, v: ValId) -> bool {
        let Val::Sym(Sym::Load { loc, .. }) = self.arena.get(v) else {
            return false;
        };
        let ty = match self.arena.get_loc(*loc) {
            Loc::Local(l) => self.function.locals.get(l.0 as usize).map(|l| &l.ty),
            Loc::Field(parent, field) if matches!(self.arena.get_loc(*parent), Loc::SelfObj) => {
                let class = self.own_class().map(|c| self.program.class_at(c));
                class
                    .and_then(|c| c.fields.iter().find(|f| f.name == *field))
                    .map(|f| &f.ty)
            }
            _ => None,
        };
        ty.is_some_and(|ty| {
            let ty = self.program.resolve(ty);
            ty.is_object() && self.program.models.is_handle_type(&ty.name)
        })
    }

    /// Writes the first variable a resource is put in into its record.
    fn name_resource(&mut self, state: &mut State, v: ValId, dst: PlaceId) {
        if state.res.get(v).is_some_and(|r| r.var.is_empty()) {
            let name = self.place_name(dst);
            if let Some(res) = state.res.get_mut(v) {
                res.var = name;
            }
        }
    }

    /// A place as a person writes it; empty for a temporary.
    pub(crate) fn place_name(&self, id: PlaceId) -> Name {
        let place = &self.function.places[id];
        let mut text = match &place.base {
            Base::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .map_or(String::new(), |l| l.name.to_string()),
            Base::SelfObj => String::new(),
            Base::Global(name) | Base::Captured(name) => name.to_string(),
        };
        if text.is_empty() && !matches!(place.base, Base::SelfObj) {
            return Name::default();
        }
        let mut arrow = false;
        for (i, step) in place.proj.iter().enumerate() {
            match step {
                Proj::Deref => match place.proj.get(i + 1) {
                    Some(Proj::Field(_)) => arrow = true,
                    _ => text = format!("*{text}"),
                },
                Proj::Field(name) => {
                    let dot = if arrow { "->" } else { "." };
                    arrow = false;
                    if !text.is_empty() {
                        text.push_str(dot);
                    }
                    text.push_str(name);
                }
                Proj::Index(Some(i)) => text.push_str(&format!("[{i}]")),
                Proj::Index(None) => text.push_str("[…]"),
            }
        }
        text.into()
    }

    /// A call's result goes to a place.
    pub(crate) fn overwrite_by_call(
        &mut self,
        state: &mut State,
        dst: PlaceId,
        to: LocId,
        v: ValId,
    ) {
        self.check_overwrite(state, dst, to, v);
        self.write(state, to, v);
        self.name_resource(state, v, dst);
    }

    fn check_overwrite(&mut self, state: &mut State, dst: PlaceId, to: LocId, new: ValId) {
        let var = self.place_name(dst);
        self.overwritten(state, var, to, new);
    }

    /// A location is assigned; tells when that loses the only hold on a live resource.
    pub(crate) fn overwritten(&mut self, state: &mut State, var: Name, to: LocId, new: ValId) {
        let Some(&old) = state.env.get(to) else {
            return;
        };
        if old == new {
            return;
        }
        let Some(res) = state.res.get(old) else {
            return;
        };
        let lost = !res.escaped || res.home == Some(to);
        if res.status != Status::Open || !lost || self.outcome(state, old, res) == Outcome::Failed {
            return;
        }
        let temp = |loc: LocId| match self.arena.get_loc(self.arena.root(loc)) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.kind == LocalKind::Temp),
            _ => false,
        };
        if temp(to)
            || state
                .env
                .iter()
                .any(|(loc, v)| *v == old && loc != to && !temp(loc))
        {
            return;
        }
        if !self.leaks(&res.kind) {
            return;
        }
        let resource = Some(self.resource(res));
        let path = self.path(state, Some(old), StepKind::Assigned(var.clone()));
        self.found.add(Event {
            kind: EventKind::Overwritten { var },
            at: self.span,
            function: self.function.name.clone(),
            resource,
            path,
            others: Vec::new(),
        });
        if let Some(res) = state.res.get_mut(old) {
            res.escaped = true;
        }
    }

    pub(crate) fn leaks(&self, kind: &str) -> bool {
        self.program.models.resource(kind).is_some_and(|k| k.leaks)
    }

    pub(crate) fn outcome(&self, state: &State, v: ValId, res: &Res) -> Outcome {
        let Some(failure) = res.failure else {
            return Outcome::Succeeded;
        };
        let Some(fact) = state.facts.get(v) else {
            return Outcome::Maybe;
        };
        let bad = number(failure);
        let negative = matches!(failure, Sentinel::MinusOne);
        if fact.exact() == Some(bad) || (negative && fact.hi < 0) {
            Outcome::Failed
        } else if fact.excludes(bad) {
            Outcome::Succeeded
        } else {
            Outcome::Maybe
        }
    }

    pub(crate) fn resource(&self, res: &Res) -> Resource {
        let kind = self.program.models.resource(&res.kind);
        Resource {
            api: res.api.clone(),
            created: res.created,
            var: res.var.clone(),
            noun: kind.map_or_else(|| "resource".into(), |k| Name::new(&k.noun)),
            release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
            failure: res.failure,
        }
    }

    /// The path to here about a value, ending with this step.
    pub(crate) fn path(
        &self,
        state: &State,
        about: Option<ValId>,
        last: StepKind,
    ) -> Vec<PathStep> {
        let res = about.and_then(|v| state.res.get(v));
        let mut steps = state.path(about, res.map(|r| r.created));
        if let Some(res) = res {
            for step in &mut steps {
                if let StepKind::Created { var, .. } = &mut step.what {
                    *var = res.var.clone();
                }
            }
        }
        // A long path is told by its beginning and its end.
        const MOST: usize = 14;
        if steps.len() > MOST {
            steps.drain(4..steps.len() - (MOST - 4));
        }
        let last = PathStep {
            span: self.span,
            what: last,
        };
        if steps.last() != Some(&last) {
            steps.push(last);
        }
        steps
    }
}

/// True when later code can compute this value again: then what is known of it matters.
fn can_recur(
    arena: &Arena,
    cfg: &Cfg,
    block: usize,
    epoch: u32,
    v: ValId,
    reachable: &FxHashSet<ValId>,
    known: &mut FxHashMap<ValId, bool>,
) -> bool {
    if reachable.contains(&v) {
        return true;
    }
    if let Some(&known) = known.get(&v) {
        return known;
    }
    let mut parts = Vec::new();
    arena.parts(v, &mut parts);
    let recurs = parts.iter().all(|part| {
        reachable.contains(part)
            || match arena.get(*part) {
                Val::Sym(Sym::Load { loc, epoch: at }) => match arena.get_loc(arena.root(*loc)) {
                    Loc::Local(l) => cfg.is_live(block, *l),
                    Loc::Deref(p) => {
                        *at == epoch
                            && can_recur_pointer(arena, *p, epoch)
                            && arena.name(*loc).is_none_or(|n| cfg.is_mentioned(block, n))
                    }
                    _ => {
                        *at == epoch && arena.name(*loc).is_none_or(|n| cfg.is_mentioned(block, n))
                    }
                },
                Val::Sym(_) => false,
                _ => true,
            }
    });
    known.insert(v, recurs);
    recurs
}

/// As `can_recur`, for the pointer a location hangs on: only its own age is looked at.
fn can_recur_pointer(arena: &Arena, p: ValId, epoch: u32) -> bool {
    match arena.get(p) {
        Val::Sym(Sym::Load { epoch: at, .. }) => *at == epoch || *at == 0,
        _ => true,
    }
}

fn is_primitive(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "bool", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "wchar_t",
        "char8_t", "char16_t", "char32_t", "size_t", "ssize_t", "void", "FILE",
    ];
    name.split(' ')
        .all(|w| WORDS.contains(&w) || (w.ends_with("_t") && !w.contains("::")))
}

pub(crate) fn is_unsigned_32(name: &str) -> bool {
    matches!(
        name,
        "DWORD"
            | "ULONG"
            | "UINT"
            | "UINT32"
            | "DWORD32"
            | "ULONG32"
            | "uint32_t"
            | "unsigned"
            | "unsigned int"
            | "unsigned long"
            | "std::uint32_t"
            | "quint32"
            | "uint"
    )
}

/// A constant converted to an integer type of known width.
fn narrow_int(name: &str, value: i128) -> i128 {
    if is_unsigned_32(name) {
        return value & 0xFFFF_FFFF;
    }
    match name {
        "int" | "long" | "LONG" | "INT" | "BOOL" | "HRESULT" | "int32_t" => {
            (value & 0xFFFF_FFFF) as u32 as i32 as i128
        }
        "WORD" | "USHORT" | "uint16_t" | "unsigned short" => value & 0xFFFF,
        "BYTE" | "UCHAR" | "uint8_t" | "unsigned char" => value & 0xFF,
        "bool" => i128::from(value != 0),
        _ => value,
    }
}
