//! The symbolic executor: carries bounded disjuncts through a function's graph.

use std::cell::Cell;

use pipelint_ir::{
    Base, CmpOp, Cond, Const, Function, LocalId, LocalKind, Mark, Name, Operand, PlaceId, Rvalue,
    Statement, Terminator,
};
use pipelint_models::Sentinel;
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Wanted;
use crate::answers::Answers;
use crate::assume::holds;
use crate::cfg::Cfg;
use crate::closure::Closure;
use crate::collect::Findings;
use crate::event::{LeakHow, StepKind};
use crate::explore::ROUNDS;
use crate::lock_ends::{LockEnd, LockKey};
use crate::lost::Told;
use crate::misread::Leaves;
use crate::operation::Ending;
use crate::own::OwnerCache;
use crate::parts::Parts;
use crate::program::{ClassRef, FnRef, Program};
use crate::protocol::Notes;
use crate::sent::{Question, Sent};
use crate::silenced::FailedEdges;
use crate::state::{State, Status};
use crate::status::{Ended, Look};
use crate::stuck_flag::FlagEnds;
use crate::summaries::Seen;
use crate::summary::{OpenEnd, Summary};
use crate::values::{Arena, Loc, LocId, StmtNo, Sym, Val, ValId, ValSet};

/// One function's execution.
pub(crate) struct Exec<'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    pub(crate) unit: usize,
    pub(crate) me: FnRef,
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
    /// Classes that pointers were cast to.
    pub(crate) pointees: FxHashMap<ValId, ClassRef>,
    /// What called functions do.
    summaries: Seen<'p>,
    /// The call in this function whose callee is being replayed.
    pub(crate) site: Option<Span>,
    /// That callee.
    pub(crate) inside: Option<FnRef>,
    /// A summary is wanted, and can still be given.
    pub(crate) recording: bool,
    /// How often logs were shrunk to be joined.
    pub(crate) shrunk: Cell<u32>,
    /// It may have faults of its own.
    pub(crate) faults_wanted: bool,
    pub(crate) ends: Vec<OpenEnd>,
    /// What results look like, and what had failed by then.
    pub(crate) results: FxHashSet<Ended>,
    /// Results of asking for the last error.
    pub(crate) error_values: FxHashSet<ValId>,
    /// The codes that objects which carry an error were made of.
    pub(crate) status_codes: FxHashMap<ValId, i128>,
    /// Results of calls that lowered a count.
    pub(crate) lowered_counts: FxHashSet<ValId>,
    /// What every path asks again.
    pub(crate) answers: Answers,
    /// Room for the values that a block can reach.
    pub(crate) marks: ValSet,
    /// Statements run and actions replayed.
    pub(crate) steps: usize,
    /// How often each creation was seen to leak.
    pub(crate) leaks_told: FxHashMap<Span, u32>,
    /// What it leaves in storage that outlives it, and finds there.
    pub(crate) notes: Notes,
    /// Lambdas made here, by their values.
    pub(crate) closures: FxHashMap<ValId, Closure>,
    /// Places that are owners.
    pub(crate) owners: OwnerCache<'m>,
    /// The call being replayed has more ways than are followed.
    pub(crate) too_many_ways: bool,
    /// Memory was released: from then on, dereferences are looked at.
    pub(crate) frees: bool,
    /// Raw values that somebody else's owner lent, and who that is.
    pub(crate) lent: FxHashMap<ValId, Name>,
    /// Ends of objects that are being run, one within another.
    pub(crate) ending: u32,
    /// Where owners were made of raw values, by value.
    pub(crate) owners_made: FxHashMap<ValId, Span>,
    /// Fields of the classes that the one whose end is being run is a base of.
    pub(crate) shadowed: Vec<Name>,
    /// A value whose memory somebody has the address of has ended.
    pub(crate) buffers_ended: bool,
    /// The block in which a value that was not made here was released last.
    pub(crate) released_in: FxHashMap<ValId, usize>,
    /// The called function that is being replayed may have come here under conditions that this
    /// path does not decide.
    pub(crate) guessed: bool,
    /// Locations written that may have other names.
    pub(crate) scribbled: FxHashSet<LocId>,
    /// Locations that some path gave another value of the caller's memory before it released what
    /// they held: links of lists and trees.
    pub(crate) relinked: FxHashSet<LocId>,
    /// What owners hold and were asked for: others may have it too.
    pub(crate) seen_raw: FxHashSet<ValId>,
    /// Those of them that were told as raw values, which may be kept: a borrow ends before its owner.
    pub(crate) told_raw: FxHashSet<ValId>,
    /// What owners out of sight were made of (`Socket::from_raw_socket(raw)`).
    pub(crate) wrapped: FxHashSet<ValId>,
    /// Where such owners were put first.
    pub(crate) wrappers: FxHashSet<LocId>,
    /// Code out of sight ran that may have waited for operations.
    pub(crate) takes_time: bool,
    /// It may wait for callbacks, which its callers judge by what they give it.
    pub(crate) waits_itself: bool,
    /// Nobody else runs meanwhile: what unknown code may do is not asked.
    pub(crate) alone: bool,
    /// The method's object ends as a whole: each field where it is declared, and with the only pointer that
    /// counts what that counts.
    pub(crate) whole_ends: bool,
    /// Called on what another method left: what it releases is told where its own statements do.
    pub(crate) told_in: Option<FnRef>,
    /// Where it returned then.
    pub(crate) left: Vec<State>,
    /// Only paths on which each loop is entered once, and that leave an operation under way, are of interest.
    pub(crate) brief: bool,
    /// A second method is called on what the first one left: what ends is noted with the operations.
    pub(crate) closing: bool,
    /// Where its objects' memory ends, callers hear of it: its class keeps operations.
    tells_ends: bool,
    /// Ends of objects that are out of sight, in part or whole.
    pub(crate) unseen_ends: u32,
    /// What results of called functions are made of.
    pub(crate) result_parts: FxHashMap<ValId, Parts>,
    /// Memory that a called function gave something that was never set, and where.
    pub(crate) left_unset: FxHashMap<LocId, Span>,
    /// It takes locks, or calls what is named for that.
    pub(crate) locks_itself: bool,
    /// What the call being run does to locks is known without its code.
    pub(crate) locks_told: bool,
    /// What pointers lead to that come without a type (`void *context`), by what they are put into first.
    pub(crate) shown: FxHashMap<ValId, ClassRef>,
    /// Fields that the function fills with what it has.
    pub(crate) repointed: FxHashSet<Name>,
    /// The locks that guards were made for.
    pub(crate) guard_locks: FxHashMap<LocId, LocId>,
    /// How its ways out leave locks.
    pub(crate) lock_ends: Vec<LockEnd>,
    /// Locks that some path gave back for the caller.
    pub(crate) locks_owed: Vec<LockKey>,
    /// Some path leaves the function.
    pub(crate) is_left: bool,
    /// The called function whose doings with a lock are replayed.
    pub(crate) locked_by: Option<FnRef>,
    /// What was known of operations where the function was left.
    pub(crate) endings: Vec<Ending>,
    /// Its ends, as its caller sees them.
    pub(crate) told: Vec<Told>,
    /// The locals that it returns.
    pub(crate) returned: FxHashSet<LocalId>,
    /// What was opened by name, by the handles.
    pub(crate) opened_names: FxHashMap<ValId, ValId>,
    /// Results of calls that cancel all that is under way on a handle: a caller, who knows what that is, asks
    /// whether they failed.
    pub(crate) cancels_all: FxHashSet<ValId>,
    /// Events that are known not to be signalled, and those that some call may have signalled.
    pub(crate) unsignalled: FxHashSet<ValId>,
    pub(crate) signalled_by_code: FxHashSet<ValId>,
    /// How its ends leave the flags that it has set.
    pub(crate) flag_ends: FlagEnds,
    /// Branches that some path took for the failure of a transfer.
    pub(crate) failed_edges: FailedEdges,
    /// What its results say of success.
    pub(crate) verdicts: Vec<Option<Look>>,
    /// Calls whose results tell how a transfer went.
    pub(crate) questions: FxHashMap<ValId, Question>,
    /// Those of them that stand in this function, by where they stand.
    pub(crate) questioned: FxHashMap<Span, Option<Sent>>,
    /// Lengths that were asked for, and of what.
    pub(crate) lengths: FxHashMap<ValId, LocId>,
    /// Variables that are named for what was transferred, the lengths that they were given, and where.
    pub(crate) said: Vec<(LocalId, ValId, Span)>,
    /// Rust: ranges that end at a count.
    pub(crate) ranges: FxHashMap<LocalId, ValId>,
    /// What overlapped operations were asked to transfer, by their OVERLAPPED.
    pub(crate) io_lengths: FxHashMap<LocId, ValId>,
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
    pub(crate) fn new(
        program: &'p Program<'m>,
        summaries: Seen<'p>,
        f: FnRef,
        wanted: Wanted,
    ) -> Self {
        let function = program.function(f);
        Self {
            program,
            unit: f.0,
            me: f,
            function,
            cfg: Cfg::new(function, &|name| {
                let class = function.class.as_deref();
                let class = class.and_then(|class| program.class_ref(f.0, class));
                class.is_some_and(|class| program.declares(class, name))
            }),
            arena: Arena::default(),
            found: Findings::default(),
            bounded: false,
            block: 0,
            stmt: 0,
            span: function.map.name,
            operands: &[],
            pointees: FxHashMap::default(),
            summaries,
            site: None,
            inside: None,
            recording: wanted.summary,
            shrunk: Cell::new(0),
            faults_wanted: wanted.faults,
            ends: Vec::new(),
            results: FxHashSet::default(),
            error_values: FxHashSet::default(),
            status_codes: FxHashMap::default(),
            lowered_counts: FxHashSet::default(),
            answers: Answers::new(function),
            marks: ValSet::default(),
            steps: 0,
            leaks_told: FxHashMap::default(),
            notes: Notes::default(),
            closures: FxHashMap::default(),
            owners: OwnerCache::default(),
            too_many_ways: false,
            frees: false,
            buffers_ended: false,
            shadowed: Vec::new(),
            owners_made: FxHashMap::default(),
            ending: 0,
            lent: FxHashMap::default(),
            released_in: FxHashMap::default(),
            guessed: false,
            scribbled: FxHashSet::default(),
            relinked: FxHashSet::default(),
            seen_raw: FxHashSet::default(),
            told_raw: FxHashSet::default(),
            wrapped: FxHashSet::default(),
            wrappers: FxHashSet::default(),
            takes_time: false,
            waits_itself: function.params > 0 && crate::self_wait::may_wait(program, f),
            alone: false,
            whole_ends: false,
            told_in: None,
            left: Vec::new(),
            brief: false,
            closing: false,
            tells_ends: wanted.ends,
            unseen_ends: 0,
            result_parts: FxHashMap::default(),
            left_unset: FxHashMap::default(),
            locks_itself: crate::lock_types::may_lock(program, f.0, function),
            locks_told: false,
            shown: FxHashMap::default(),
            repointed: crate::lock_types::filled_fields(function),
            guard_locks: FxHashMap::default(),
            lock_ends: Vec::new(),
            locks_owed: Vec::new(),
            is_left: false,
            locked_by: None,
            endings: Vec::new(),
            opened_names: FxHashMap::default(),
            cancels_all: FxHashSet::default(),
            unsignalled: FxHashSet::default(),
            signalled_by_code: FxHashSet::default(),
            flag_ends: FlagEnds::new(program, f),
            failed_edges: FailedEdges::default(),
            verdicts: Vec::new(),
            questions: FxHashMap::default(),
            questioned: FxHashMap::default(),
            lengths: FxHashMap::default(),
            said: Vec::new(),
            ranges: FxHashMap::default(),
            io_lengths: FxHashMap::default(),
            told: Vec::new(),
            returned: crate::lost::returned(function),
        }
    }

    /// What a called function does, if it is known.
    pub(crate) fn summary_of(&self, f: FnRef) -> Option<&'p Summary> {
        self.summaries.get(self.program.number(f))
    }

    /// Callers hear where the memory of an object ends here, of which all is in sight.
    pub(crate) fn tells_end_of(&self, unseen_before: u32) -> bool {
        self.tells_ends && self.unseen_ends == unseen_before
    }

    /// Where an event shows: the statement being run, or the call whose callee is replayed.
    pub(crate) fn at(&self) -> Span {
        self.site.unwrap_or(self.span)
    }

    pub(crate) fn terminator(
        &mut self,
        mut state: State,
        term: &Terminator,
        next: &mut Vec<(usize, State)>,
    ) {
        self.counts_in_terminator(&mut state, term);
        match term {
            Terminator::Goto(b) => next.push((b.0 as usize, state)),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                if let Some((owner, held)) = self.asks_owner(&mut state, cond) {
                    for (state, holds) in self.asked(state, &owner, held) {
                        let truth = holds.map(|holds| holds == (cond.op == CmpOp::Ne));
                        if truth != Some(false) {
                            next.push((then.0 as usize, state.clone()));
                        }
                        if truth != Some(true) {
                            next.push((otherwise.0 as usize, state));
                        }
                    }
                    return;
                }
                let lhs = self.operand(&mut state, &cond.lhs);
                let rhs = self.operand(&mut state, &cond.rhs);
                self.settle_dropped_by_condition(&mut state, lhs, rhs);
                self.judge_owner(&mut state, &cond.lhs);
                for (truth, to, other) in [(true, then, otherwise), (false, otherwise, then)] {
                    let mut branch = state.clone();
                    if self.assume(&mut branch, cond.op, lhs, rhs, truth) {
                        self.note_failed_edge(&branch, to.0 as usize, other.0 as usize);
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
                self.settle_io(&mut state);
                let at_return = self.alone.then(|| state.clone());
                if !self.alone && !state.pending.is_empty() && !self.is_entry_point() {
                    self.tell_closed_io(&mut state);
                }
                if self.is_rust()
                    && let Some(Operand::Copy(place) | Operand::Move(place)) = value
                {
                    let object = self.place(&mut state, *place);
                    self.hand_over_io(&mut state, object);
                }
                let parts = value
                    .as_ref()
                    .and_then(|v| self.returned_parts(&mut state, v));
                if let Some((v, parts)) = parts {
                    self.left.extend(at_return);
                    self.result_parts.insert(v, parts.clone());
                    self.note_io_end(&state, Some(v), &parts, Leaves::Returns);
                    self.note_lock_end(&state, Some(v), false);
                    self.record_end(&state, Some(v), &parts);
                    self.hand_over_parts(&mut state, &parts);
                    self.leave(&mut state, Some(v));
                    return;
                }
                let value = value.as_ref().map(|v| self.returned(&mut state, v));
                if let Some(mut left) = at_return {
                    value
                        .iter()
                        .for_each(|v| self.returns_pending(&mut left, *v));
                    self.left.push(left);
                }
                self.note_io_end(&state, value, &Vec::new(), Leaves::Returns);
                self.note_lock_end(&state, value, false);
                self.record_end(&state, value, &Vec::new());
                self.leave(&mut state, value);
            }
            // Which exceptions a handler takes is not known by their names alone: where there are
            // handlers, what passes them is no path that is shown.
            Terminator::Unwind if self.function.blocks.iter().any(|b| b.unwind.is_some()) => {}
            // A panic is the program's word that it has nothing more to say: what is open then, the end
            // of the process closes most often, and nobody writes code for the other case.
            Terminator::Unwind if self.is_rust() => {}
            Terminator::Unwind => {
                self.note_lock_end(&state, None, true);
                self.leave_by_exception(&mut state);
            }
            Terminator::Unreachable => {}
        }
    }

    /// What a `return` yields: of a function that returns a reference, the place.
    fn returned(&mut self, state: &mut State, value: &Operand) -> ValId {
        if let Operand::Copy(place) = value
            && self.function.ret.reference != pipelint_ir::Reference::None
            && (self.program.yields_place(self.me)
                || self.function.places[*place] == pipelint_ir::Place::from_base(Base::SelfObj))
        {
            let object = self.place(state, *place);
            return self.arena.val(Val::Ptr(object));
        }
        self.operand(state, value)
    }

    pub(crate) fn statement(
        &mut self,
        mut state: State,
        stmt: &'p Statement,
        out: &mut Vec<State>,
    ) {
        self.counts_in_statement(&mut state, stmt);
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
            Statement::Assign {
                dst,
                value: Rvalue::Compare(cond),
            } if let Some((owner, held)) = self.asks_owner(&mut state, cond) => {
                for (mut state, holds) in self.asked(state, &owner, held) {
                    let v = match holds {
                        Some(holds) => self.arena.int(i128::from(holds == (cond.op == CmpOp::Ne))),
                        None => self.fresh(&state, 0),
                    };
                    self.store_result(&mut state, Some(*dst), v);
                    out.push(state);
                }
            }
            Statement::Assign { dst, value } => {
                self.note_returned(&mut state, *dst);
                self.assign(&mut state, *dst, value);
                self.note_zeroed(&mut state, *dst, value);
                self.errno_is_set(&mut state, *dst);
                if self.is_rust() {
                    self.leave_parts_behind(&mut state, value);
                }
                out.push(state);
            }
            Statement::Call {
                dst,
                callee,
                args,
                voided,
            } => {
                let before = out.len();
                dst.iter()
                    .for_each(|dst| self.note_returned(&mut state, *dst));
                let locks = self.lock_effect(&mut state, callee, args, *dst);
                if locks.is_none() {
                    self.locks_in_doubt(&mut state, callee, args);
                }
                // What the models say of it is all, though its code may be in sight.
                self.locks_told = locks.is_some();
                self.call(state, *dst, callee, args, *voided, out);
                self.locks_told = false;
                if let Some(locks) = locks {
                    self.locks_after(&locks, *dst, before, out);
                }
                if self.is_rust() {
                    for state in &mut out[before..] {
                        for arg in args {
                            self.leave_behind(state, arg);
                            if let Operand::Copy(place) = arg
                                && !self.is_pointer_variable(*place)
                            {
                                let object = self.place(state, *place);
                                self.hand_over_io(state, object);
                            }
                        }
                    }
                }
            }
            Statement::Assert(cond) => {
                let a = self.operand(&mut state, &cond.lhs);
                let b = self.operand(&mut state, &cond.rhs);
                // What the path set itself is known; what a condition showed is left to conditions.
                let known = self.arena.as_int(a).zip(self.arena.as_int(b));
                if known.is_none_or(|(a, b)| holds(cond.op, a, b)) {
                    out.push(state);
                }
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
                self.lost_in_loop(&mut state, *local);
                self.scope_end(&mut state, *local);
                out.push(state);
            }
            Statement::Mark(Mark::Suspend | Mark::Async) => {
                // Whatever is awaited, it may be the end of any operation.
                state.pending = crate::state::VecMap::default();
                self.may_complete(&mut state);
                // What follows may be another task's, which runs when it likes.
                self.doubt_locks(&mut state, &|_, _| true);
                out.push(state);
            }
            Statement::Mark(Mark::MayEnd(place)) => {
                let object = self.place(&mut state, *place);
                self.rust_guard_may_end(&mut state, object);
                out.push(state);
            }
            Statement::Mark(_) => out.push(state),
            Statement::Drop { place, kind } => {
                let before = out.len();
                let locks = self.guarded_by(&mut state, *place);
                self.destroy(state, *place, *kind, out);
                for state in &mut out[before..] {
                    self.guard_ends(state, &locks);
                }
            }
            // No rule reports on a path through a gap.
            Statement::Opaque { .. } => {}
        }
    }

    /// A local that is a pointer or a reference, whatever it leads to.
    fn is_pointer_variable(&self, place: PlaceId) -> bool {
        let Base::Local(l) = self.function.places[place].base else {
            return false;
        };
        let local = self.function.locals.get(l.0 as usize);
        local.is_some_and(|l| l.ty.pointers > 0 || l.ty.reference != pipelint_ir::Reference::None)
    }

    pub(crate) fn is_variable(&self, place: PlaceId) -> bool {
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

    /// In a loop, a variable that leaves scope with the only hold on a live resource has lost it:
    /// told now, it need not be followed through the rounds to come.
    fn lost_in_loop(&mut self, state: &mut State, local: LocalId) {
        if self.round(state) == 0 || self.is_entry_point() {
            return;
        }
        let loc = self.arena.loc(Loc::Local(local));
        let Some(&v) = state.env.get(loc) else { return };
        let Some(res) = state.res.get(v) else { return };
        let held = state.env.iter().any(|(other, x)| other != loc && *x == v);
        if held
            || res.status != Status::Open
            || res.escaped
            || res.owned
            || !self.leaks(&res.kind)
            || self.outcome(state, v, res) == Outcome::Failed
        {
            return;
        }
        let var = res.var.clone();
        self.leak(state, v, LeakHow::ScopeEnd, StepKind::ScopeEnd(var));
        state.res.remove(v);
    }

    fn scope_end(&mut self, state: &mut State, local: LocalId) {
        self.scope_ends_io(state, local);
        state
            .idle
            .retain(|loc, ()| *self.arena.get_loc(self.arena.root(loc)) != Loc::Local(local));
        let loc = self.arena.loc(Loc::Local(local));
        self.clear_within(state, loc);
        state.env.remove(loc);
        let arena = &self.arena;
        state.events_of.retain(|at, _| arena.root(at) != loc);
        state.zeroed.retain(|at, _| arena.root(at) != loc);
        state.exposed.remove(loc);
    }

    /// A value that only this run of this statement yields.
    pub(crate) fn fresh(&mut self, state: &State, slot: u32) -> ValId {
        let round = self.round(state);
        self.arena.sym(Sym::Call {
            stmt: self.stmt,
            slot,
            round,
        })
    }

    /// Which run of the current statement this is: how often the loops around it were entered.
    /// Paths through one round agree on it, whatever they called.
    pub(crate) fn round(&self, state: &State) -> u32 {
        let around = self.cfg.around[self.block].iter();
        around.fold(0, |round: u32, head| {
            let entered = state.loops.get(*head).copied().unwrap_or(0);
            round.wrapping_mul(ROUNDS + 3).wrapping_add(entered)
        })
    }

    pub(crate) fn operand(&mut self, state: &mut State, op: &Operand) -> ValId {
        match op {
            Operand::Const(c) => self.constant(c),
            Operand::Copy(place) | Operand::Move(place) => {
                self.reach(state, *place, true);
                if let Some(number) = self.number_in_code(state, *place) {
                    return number;
                }
                let loc = self.place(state, *place);
                let at = &self.function.places[*place];
                if let (Base::Local(l), true) = (&at.base, at.proj.is_empty())
                    && self
                        .function
                        .locals
                        .get(l.0 as usize)
                        .is_some_and(|l| l.ty.arrays > 0)
                {
                    return self.arena.val(Val::Ptr(loc));
                }
                if self.is_array_field(at) {
                    return self.arena.val(Val::Ptr(loc));
                }
                if let Base::Global(name) = &at.base
                    && at.proj.is_empty()
                    && let Some(value) = self.program.constant(self.unit, name)
                {
                    return self.arena.int(value);
                }
                let v = self.read(state, loc);
                self.errno_was_left(state, *place, v);
                v
            }
        }
    }
}
