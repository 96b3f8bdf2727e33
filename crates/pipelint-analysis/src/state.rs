//! What is known at one point of one path.

use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use pipelint_ir::Name;
use pipelint_models::{IoKind, Release, Sentinel, Success};
use pipelint_source::Span;
use rustc_hash::FxHasher;

use crate::callbacks::Callbacks;
use crate::counts::Counted;
use crate::error_ways::{ErrorOf, LastError};
use crate::event::{PathStep, StepKind};
use crate::handed_on::HandedOn;
use crate::lockset::Hold;
use crate::log::Log;
use crate::lost::Lost;
use crate::memo::Memos;
use crate::misread::IoCall;
use crate::modes::Mode;
use crate::operation::Operation;
use crate::pending::{Asked, Awaited, Pending};
use crate::sent::Sent;
use crate::values::{LocId, StmtNo, ValId};

/// A small map as a sorted vector: cheap to compare, and shared by the states that have the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct VecMap<K, V>(Rc<Vec<(K, V)>>);

impl<K, V> Default for VecMap<K, V> {
    fn default() -> Self {
        Self(Rc::new(Vec::new()))
    }
}

impl<K: Ord + Copy, V: Clone> VecMap<K, V> {
    fn find(&self, key: K) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |e| e.0)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.find(key).ok().map(|i| &self.0[i].1)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let i = self.find(key).ok()?;
        Some(&mut Rc::make_mut(&mut self.0)[i].1)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(key) {
            Ok(i) => Rc::make_mut(&mut self.0)[i].1 = value,
            Err(i) => Rc::make_mut(&mut self.0).insert(i, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Ok(i) = self.find(key) {
            Rc::make_mut(&mut self.0).remove(i);
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(K, &V) -> bool) {
        // Most often nothing goes, and what is shared stays shared.
        let Some(first) = self.0.iter().position(|(k, v)| !keep(*k, v)) else {
            return;
        };
        let mut at = 0;
        Rc::make_mut(&mut self.0).retain(|(k, v)| {
            at += 1;
            at <= first || (at > first + 1 && keep(*k, v))
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(k, v)| (*k, v))
    }

    /// Changes the values that `which` accepts.
    pub(crate) fn change(
        &mut self,
        mut which: impl FnMut(K, &V) -> bool,
        mut change: impl FnMut(&mut V),
    ) {
        let Some(first) = self.0.iter().position(|(k, v)| which(*k, v)) else {
            return;
        };
        for (k, v) in &mut Rc::make_mut(&mut self.0)[first..] {
            if which(*k, v) {
                change(v);
            }
        }
    }
}

/// What is known of an unknown number: an interval, and values it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) lo: i128,
    pub(crate) hi: i128,
    pub(crate) not: Vec<i128>,
}

impl Hash for Fact {
    /// Bounds stand at the ends of their range, where the hasher's sums and products of whole words
    /// cancel out: below 0 and from 0 on gave one hash, and two paths became one. The halves of a
    /// bound are therefore mixed in by bits that lie elsewhere.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for bound in [self.lo, self.hi] {
            let bytes = bound.to_le_bytes();
            let word = |at: usize| {
                let mut half = [0; 8];
                half.copy_from_slice(&bytes[at..at + 8]);
                u64::from_le_bytes(half)
            };
            let high = word(8).rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            state.write_u64(word(0).rotate_left(7) ^ high);
        }
        self.not.hash(state);
    }
}

impl Default for Fact {
    fn default() -> Self {
        Self {
            lo: i128::MIN,
            hi: i128::MAX,
            not: Vec::new(),
        }
    }
}

impl Fact {
    pub(crate) fn exact(&self) -> Option<i128> {
        (self.lo == self.hi).then_some(self.lo)
    }

    pub(crate) fn excludes(&self, value: i128) -> bool {
        value < self.lo || value > self.hi || self.not.contains(&value)
    }

    /// Adds `!= value`; false when nothing is left.
    pub(crate) fn exclude(&mut self, value: i128) -> bool {
        if !self.excludes(value) {
            self.not.push(value);
            self.not.sort_unstable();
        }
        self.tighten()
    }

    /// Cuts to `lo..=hi`; false when nothing is left.
    pub(crate) fn clamp(&mut self, lo: i128, hi: i128) -> bool {
        self.lo = self.lo.max(lo);
        self.hi = self.hi.min(hi);
        self.tighten()
    }

    fn tighten(&mut self) -> bool {
        while self.lo <= self.hi && self.not.contains(&self.lo) {
            self.lo += 1;
        }
        while self.lo <= self.hi && self.not.contains(&self.hi) {
            self.hi -= 1;
        }
        let (lo, hi) = (self.lo, self.hi);
        self.not.retain(|v| *v >= lo && *v <= hi);
        lo <= hi
    }
}

/// A resource's place in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    /// Made and not released; whether the making succeeded is in the facts of its judge.
    Open,
    /// Released by this call.
    Released(Name, Span),
}

/// A resource on a path. It sits on a value: aliases share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Res {
    pub(crate) api: Name,
    pub(crate) kind: Name,
    /// The call that made it, in this function.
    pub(crate) created: Span,
    /// The creating call itself, which may stand in a called function.
    pub(crate) origin: Span,
    pub(crate) var: Name,
    /// The value whose comparison tells success: the resource itself, or the call's status.
    pub(crate) judge: ValId,
    pub(crate) failure: Option<Sentinel>,
    pub(crate) status: Status,
    /// Something outside this function may hold it.
    pub(crate) escaped: bool,
    /// An owner holds it, whose destructor releases it.
    pub(crate) owned: bool,
    /// Code that is not the program's, or not seen, has it.
    pub(crate) foreign: bool,
    /// Made before the function began: nothing is known of it but what the function did.
    pub(crate) adopted: bool,
    /// The one place outside that holds it, if no more is known to.
    pub(crate) home: Option<LocId>,
    /// A condition has judged it rightly, or unknown code may have.
    pub(crate) checked: bool,
    /// A use without a check was already reported on this path.
    pub(crate) used_unchecked: bool,
    /// The condition that showed the failure.
    pub(crate) failed_at: Option<Span>,
    /// PL101 does not speak of it.
    pub(crate) infallible: bool,
    /// Handed out by a function that failed.
    pub(crate) half_done: bool,
    /// A constructor made it into its object: who makes the object cannot judge it.
    pub(crate) built: bool,
    /// It was released by the end of an object that holds it.
    pub(crate) by_end: bool,
    /// The creation that was given it as its context: where that failed, nobody has it.
    pub(crate) given_to: Option<ValId>,
    /// A function of the program saw that it failed, and handed it on all the same.
    pub(crate) handed_on: Option<Arc<HandedOn>>,
    /// It was opened for overlapped operations.
    pub(crate) overlapped: bool,
}

/// A variable that an out-parameter creation did not set where it failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FailedOut {
    pub(crate) judge: ValId,
    pub(crate) api: Name,
    pub(crate) kind: Name,
    pub(crate) created: Span,
    pub(crate) var: Name,
    pub(crate) checked: bool,
    /// Judged by code that is not seen.
    pub(crate) unseen: bool,
    /// A function of the program saw that it failed, and went on.
    pub(crate) handed_on: Option<Arc<HandedOn>>,
    /// The variable.
    pub(crate) loc: LocId,
    /// The condition that showed the failure.
    pub(crate) failed_at: Option<Span>,
}

/// A field of the object that a creation of this function did not set where it failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FailedField {
    pub(crate) out: FailedOut,
    /// What the field holds instead.
    pub(crate) old: ValId,
    /// The condition that showed the failure.
    pub(crate) failed_at: Option<Span>,
}

/// An I/O call whose result was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dropped {
    pub(crate) api: Name,
    pub(crate) does: IoKind,
    pub(crate) span: Span,
    pub(crate) handle: ValId,
    pub(crate) buffer: Option<LocId>,
    /// What it sends is a text that stands in the program.
    pub(crate) literal: bool,
    pub(crate) count: Option<ValId>,
    /// The OVERLAPPED that it was started with, where the function leaves it to others.
    pub(crate) overlapped: Option<LocId>,
}

/// A release of what some storage holds.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) api: Name,
    pub(crate) at: Span,
    pub(crate) v: ValId,
    pub(crate) kind: Name,
    /// The creating call, for what this function made.
    pub(crate) made: Option<(Name, Span)>,
    pub(crate) failure: Option<Sentinel>,
    /// The path until there.
    pub(crate) trace: Steps,
    /// What was known beside it where its path was joined with one that did not release it.
    pub(crate) memos: Option<Memos>,
}

/// A block that a call moves, if it succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Moved {
    /// The block's old address.
    pub(crate) from: ValId,
    pub(crate) release: Arc<Release>,
    pub(crate) api: Name,
    pub(crate) at: Span,
    /// The variable that alone had the address, and has the result now.
    pub(crate) lost: Option<Name>,
    /// The call is known to have failed.
    pub(crate) failed: bool,
}

/// A call whose result tells how it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tells {
    pub(crate) success: Success,
    pub(crate) io: Option<IoKind>,
    pub(crate) sets: bool,
}

/// Whether something failed on a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Failed {
    #[default]
    No,
    Yes,
    /// On one of the paths that were joined.
    Maybe,
}

impl Failed {
    pub(crate) fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Maybe }
    }

    /// What holds after one thing and another.
    pub(crate) fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Maybe, _) | (_, Self::Maybe) => Self::Maybe,
            (Self::No, Self::No) => Self::No,
        }
    }

    /// What may be the case.
    pub(crate) fn ways(self) -> &'static [bool] {
        match self {
            Self::No => &[false],
            Self::Yes => &[true],
            Self::Maybe => &[false, true],
        }
    }
}

/// One step of the path so far, newest first.
#[derive(Debug)]
pub(crate) struct Trace {
    step: PathStep,
    about: Option<ValId>,
    /// A condition on what the caller gave.
    given: bool,
    before: Option<Rc<Trace>>,
}

/// The steps of a path; cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps(Option<Rc<Trace>>);

/// A disjunct: everything known on one path.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) env: VecMap<LocId, ValId>,
    pub(crate) facts: VecMap<ValId, Fact>,
    pub(crate) res: VecMap<ValId, Res>,
    pub(crate) failed_outs: VecMap<ValId, FailedOut>,
    pub(crate) failed_fields: VecMap<LocId, FailedField>,
    pub(crate) dropped: VecMap<StmtNo, Dropped>,
    /// Overlapped operations, by the location of their OVERLAPPED.
    pub(crate) pending: VecMap<LocId, Pending>,
    /// What the `hEvent` of an OVERLAPPED was set to, whatever code out of sight ran since: nobody changes it
    /// who is not given it.
    pub(crate) events_of: VecMap<LocId, ValId>,
    /// Where an OVERLAPPED was zeroed that was given no event since, whatever code out of sight ran. It tells
    /// no two paths apart.
    pub(crate) zeroed: VecMap<LocId, Span>,
    /// OVERLAPPEDs whose operation is known to have completed, until another may have started.
    pub(crate) idle: VecMap<LocId, ()>,
    /// Waits by their result, until a condition has decided it.
    pub(crate) awaited: VecMap<ValId, Awaited>,
    /// The operation that the last call was about, until another call may leave an error.
    pub(crate) asked_io: Option<(LocId, Asked)>,
    /// Calls whose result tells how they went, and what is known of that.
    pub(crate) operations: VecMap<ValId, Operation>,
    /// A transfer that failed, and nothing has made up for.
    pub(crate) lost: Option<Lost>,
    /// How the last transfer went whose result was looked at. It tells no two paths apart.
    pub(crate) went: Option<Sent>,
    /// A transfer was tried, and is not known to have failed.
    pub(crate) sent: bool,
    /// Fields of the object that a condition showed not to be 0. They decide nothing, and tell no two
    /// paths apart.
    pub(crate) asked_fields: VecMap<LocId, ()>,
    /// Fields of the object that a called function, in which a transfer failed, set to what is not 0,
    /// likewise.
    pub(crate) set_fields: VecMap<LocId, ()>,
    /// What is returned was made here, likewise.
    pub(crate) returned_at: Option<Span>,
    /// Handles on which the path has cancelled what is pending. It tells no two paths apart.
    pub(crate) cancelled: VecMap<ValId, ()>,
    /// Objects whose callbacks the thread pool runs.
    pub(crate) callbacks: Callbacks,
    /// Locks that the path has given back at some time: other ways out are measured by it.
    pub(crate) given_locks: VecMap<LocId, ()>,
    /// Locks that the path holds, or owes to its caller.
    pub(crate) locks: VecMap<LocId, Hold>,
    /// Locks that it gave back, and has not taken since. They tell no two paths apart.
    pub(crate) freed_locks: VecMap<LocId, (Name, Span)>,
    /// What conditions have said of memory, whatever code ran since, likewise.
    pub(crate) asked_memory: VecMap<(LocId, i64), bool>,
    /// Locks that it made, likewise.
    pub(crate) made_locks: VecMap<LocId, ()>,
    /// Values that are pseudo-handles, with the call and the words.
    pub(crate) pseudo: VecMap<ValId, (Name, Name)>,
    /// Local roots whose address unknown code has.
    pub(crate) exposed: VecMap<LocId, ()>,
    /// Pointers to objects that this function made and nobody else knows.
    pub(crate) heap: VecMap<ValId, ()>,
    /// Calls that move a block, by their result, until a condition has judged them.
    pub(crate) moved: VecMap<ValId, Moved>,
    /// Counts changes by unknown code to what it can reach.
    pub(crate) epoch: u32,
    /// How often each loop head was entered.
    pub(crate) loops: VecMap<u32, u32>,
    /// The resource made last, and results of `GetLastError` since then that speak of it.
    pub(crate) last_made: Option<ValId>,
    pub(crate) errors: VecMap<ValId, ValId>,
    /// Which calls may have left the last error. It tells no two paths apart.
    pub(crate) error: LastError,
    /// Values that are the error which a call left, likewise.
    pub(crate) error_of: VecMap<ValId, ErrorOf>,
    /// I/O calls of this function, by their results, likewise.
    pub(crate) io_calls: VecMap<ValId, IoCall>,
    /// Transfers by their counts, likewise.
    pub(crate) counts: VecMap<ValId, Counted>,
    /// The modes of pipe ends, likewise.
    pub(crate) modes: VecMap<ValId, Mode>,
    /// A creation is known to have failed, and since then a call ran that may not return: what
    /// rests on the failure is no longer shown.
    pub(crate) doubtful: bool,
    /// A count was lowered to 0 on this path: what is closed here others may still have.
    pub(crate) last_owner: bool,
    /// Results of calls whose success shows that a handle is none that failed.
    pub(crate) evidence: VecMap<ValId, (ValId, Success)>,
    /// A condition saw an I/O call fail.
    pub(crate) io_failed: bool,
    /// The same, of one that sends. It tells no two paths apart.
    pub(crate) sending_failed: bool,
    /// A condition saw a call fail whose effect later steps build on. It decides nothing, so it
    /// tells no two paths apart.
    pub(crate) failed: Failed,
    /// Results of calls that tell how they went. They decide nothing, so they tell no two paths
    /// apart.
    pub(crate) results: VecMap<ValId, Tells>,
    /// Values that were stored in the caller's world. The log tells no two paths apart, and
    /// neither do they. With each the memory made here that alone holds it.
    pub(crate) exported: VecMap<ValId, Option<ValId>>,
    /// Storage that outlives the call and holds what was released, on one of the joined paths. It
    /// decides nothing, so it tells no two paths apart.
    pub(crate) stale: VecMap<LocId, Closed>,
    /// Storage that outlives the call, and was filled with what was made here, likewise.
    pub(crate) filled: VecMap<LocId, ValId>,
    /// Storage that outlives the call and surely holds still what it was filled with, likewise.
    pub(crate) holds: VecMap<LocId, ValId>,
    /// Rust: owners' places out of sight that unknown code ran behind, after something else had been put
    /// there: the count of changes that then began, likewise.
    pub(crate) replaced: VecMap<LocId, u32>,
    /// What the path assumed of storage and wrote to it. Like the trace, it tells no two apart.
    pub(crate) memos: Memos,
    /// What the path did to the caller's world.
    pub(crate) log: Log,
    pub(crate) trace: Steps,
}

impl Steps {
    /// Appends a step.
    fn push(&mut self, span: Span, what: StepKind, about: Option<ValId>) {
        self.0 = Some(Rc::new(Trace {
            step: PathStep { span, what },
            about,
            given: false,
            before: self.0.take(),
        }));
    }

    /// Appends a condition on what the caller gave.
    fn push_given(&mut self, span: Span, what: StepKind) {
        self.0 = Some(Rc::new(Trace {
            step: PathStep { span, what },
            about: None,
            given: true,
            before: self.0.take(),
        }));
    }

    /// The steps since `about` was first spoken of: those about it, and the branches between.
    pub(crate) fn path(&self, about: Option<ValId>, created: Option<Span>) -> Vec<PathStep> {
        let mut steps = Vec::new();
        let mut node = self.0.as_deref();
        while let Some(n) = node {
            let mine = n.about.is_none() || n.about == about;
            if mine {
                steps.push(n.step.clone());
            }
            if created.is_some() && Some(n.step.span) == created && n.about == about {
                break;
            }
            node = n.before.as_deref();
        }
        steps.reverse();
        steps.dedup();
        steps
    }
}

impl State {
    /// Appends a step.
    pub(crate) fn step(&mut self, span: Span, what: StepKind, about: Option<ValId>) {
        self.trace.push(span, what, about);
    }

    /// The steps since `about` was first spoken of: those about it, and the branches between.
    pub(crate) fn path(&self, about: Option<ValId>, created: Option<Span>) -> Vec<PathStep> {
        self.trace.path(about, created)
    }

    /// Appends a condition on what the caller gave.
    pub(crate) fn step_given(&mut self, span: Span, what: StepKind) {
        self.trace.push_given(span, what);
    }

    /// Whether the path has decided anything of what the caller gave since this value was released.
    pub(crate) fn has_branched_since_release(&self, v: ValId) -> bool {
        let mut node = self.trace.0.as_deref();
        while let Some(n) = node {
            match &n.step.what {
                _ if n.given => return true,
                StepKind::Closed(_) if n.about == Some(v) => return false,
                _ => node = n.before.as_deref(),
            }
        }
        false
    }

    /// Takes in another path that knows the same; false when their logs are too much for one.
    #[must_use]
    pub(crate) fn absorb(&mut self, other: &Self) -> bool {
        for (v, holder) in other.exported.iter() {
            match self.exported.get(v) {
                Some(known) if known == holder => {}
                Some(_) => self.exported.insert(v, None),
                None => self.exported.insert(v, *holder),
            }
        }
        // What storage may hold is told by the path that it was last changed on.
        let memos = &self.memos;
        self.stale.change(
            |_, closed| closed.memos.is_none(),
            |closed| closed.memos = Some(memos.clone()),
        );
        for (loc, closed) in other.stale.iter() {
            if self.stale.get(loc).is_none() {
                let mut closed = closed.clone();
                closed.memos.get_or_insert_with(|| other.memos.clone());
                self.stale.insert(loc, closed);
            }
        }
        for (loc, v) in other.filled.iter() {
            self.filled.insert(loc, *v);
        }
        for (loc, v) in other.holds.iter() {
            self.holds.insert(loc, *v);
        }
        for (loc, epoch) in other.replaced.iter() {
            self.replaced.insert(loc, *epoch);
        }
        self.error.join(&other.error);
        crate::counts::join(self, other);
        if self.went != other.went {
            self.went = None;
        }
        self.modes
            .retain(|v, mode| other.modes.get(v) == Some(mode));
        for (v, call) in other.io_calls.iter() {
            match self.io_calls.get_mut(v) {
                Some(known) => known.join(call),
                None => self.io_calls.insert(v, call.clone()),
            }
        }
        let same = |v, of: &ErrorOf| other.error_of.get(v).is_none_or(|other| other == of);
        self.error_of.retain(same);
        self.failed = self.failed.join(other.failed);
        for (loc, ()) in other.set_fields.iter() {
            self.set_fields.insert(loc, ());
        }
        self.asked_fields
            .retain(|loc, ()| other.asked_fields.get(loc).is_some());
        self.cancelled
            .retain(|v, ()| other.cancelled.get(v).is_some());
        self.join_locks(other);
        self.memos.meet(&other.memos);
        self.log.join(&other.log)
    }

    /// What the locks are that tell no two paths apart: of two paths that hold the same.
    fn join_locks(&mut self, other: &Self) {
        self.freed_locks
            .retain(|loc, _| other.freed_locks.get(loc).is_some());
        self.made_locks
            .retain(|loc, ()| other.made_locks.get(loc).is_some());
        // What one of them surely holds is held on a path.
        let sure = |loc| other.locks.get(loc).is_some_and(|hold| !hold.doubtful);
        self.locks.change(
            |loc, hold| hold.doubtful && sure(loc),
            |hold| hold.doubtful = false,
        );
        self.asked_memory
            .retain(|at, truth| other.asked_memory.get(at) == Some(truth));
    }

    /// A condition of the program saw that a creation failed which was to fill this location.
    pub(crate) fn saw_failure_of(&self, loc: LocId) -> bool {
        let here = |out: &FailedOut| out.checked && out.failed_at.is_some();
        let seen = |out: &FailedOut| !out.unseen && (here(out) || out.handed_on.is_some());
        self.failed_outs
            .iter()
            .any(|(_, out)| out.loc == loc && seen(out))
    }

    /// Nothing on this path waits for a condition to decide about it.
    pub(crate) fn is_idle(&self) -> bool {
        let settled = |res: &Res| res.status == Status::Open && (res.escaped || res.owned);
        self.res.iter().all(|(_, res)| settled(res))
            && self.failed_outs.is_empty()
            && self.failed_fields.is_empty()
            && self.dropped.is_empty()
            && self.moved.is_empty()
            && self.pending.is_empty()
    }

    /// A hash of all that decides how the path goes on.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = FxHasher::default();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// All that decides how the path goes on; the trace does not.
    fn key(&self) -> impl PartialEq + Hash + '_ {
        (
            (&self.env, &self.facts, &self.res),
            (&self.failed_outs, &self.dropped, &self.pseudo),
            (&self.operations, &self.lost, self.sent),
            &self.failed_fields,
            (&self.exposed, &self.heap, self.epoch, &self.loops),
            &self.moved,
            (self.last_made, &self.errors, self.doubtful, self.io_failed),
            (&self.evidence, self.last_owner),
            (&self.pending, &self.idle, &self.awaited, self.asked_io),
            (&self.events_of, &self.callbacks),
            (&self.locks, &self.given_locks),
        )
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.env == other.env
            && self.facts == other.facts
            && self.res == other.res
            && self.failed_outs == other.failed_outs
            && self.failed_fields == other.failed_fields
            && self.dropped == other.dropped
            && self.operations == other.operations
            && self.lost == other.lost
            && self.sent == other.sent
            && self.pseudo == other.pseudo
            && self.exposed == other.exposed
            && self.heap == other.heap
            && self.moved == other.moved
            && self.epoch == other.epoch
            && self.loops == other.loops
            && self.last_made == other.last_made
            && self.errors == other.errors
            && self.doubtful == other.doubtful
            && self.io_failed == other.io_failed
            && self.evidence == other.evidence
            && self.last_owner == other.last_owner
            && self.pending == other.pending
            && self.idle == other.idle
            && self.events_of == other.events_of
            && self.awaited == other.awaited
            && self.asked_io == other.asked_io
            && self.callbacks == other.callbacks
            && self.locks == other.locks
            && self.given_locks == other.given_locks
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Drop for Steps {
    /// A long trace is unlinked step by step: a recursive drop would overflow the stack.
    fn drop(&mut self) {
        let mut node = self.0.take();
        while let Some(rc) = node {
            match Rc::try_unwrap(rc) {
                Ok(mut trace) => node = trace.before.take(),
                Err(_) => break,
            }
        }
    }
}
