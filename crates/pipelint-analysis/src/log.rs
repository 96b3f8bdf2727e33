//! What a path did that a caller can feel: a persistent log that joined paths share.
//!
//! Two paths that know the same at a block are run on as one. Their logs then become one choice,
//! so that a function with ten independent `if`s has a log of ten choices, not a thousand paths.

use std::rc::Rc;
use std::sync::Arc;

use pipelint_ir::{CmpOp, Name};
use pipelint_models::Release;
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::lockset::LockAct;
use crate::pending_log::IoAction;
use crate::values::{LocId, ValId};

/// Actions that one log may hold; a function that does more has no summary.
const MOST_ACTIONS: u32 = 400;

/// Ways that a choice of conditions alone may have: beyond, it tells a caller nothing.
const MOST_TESTS: usize = 6;

/// The statement of the function itself that leads to an action. It tells no two actions apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site(pub(crate) Span);

impl PartialEq for Site {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Site {}

/// One thing a path did to its caller's world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// From here on, what is first read of outside memory carries this epoch.
    Epoch(u32),
    /// Unknown code ran; it surely came back, or may not have.
    Havoc { surely: bool },
    /// A condition on what the caller gave holds.
    Assume {
        op: CmpOp,
        a: ValId,
        b: ValId,
        span: Span,
    },
    /// A call needed a live resource.
    Use { v: ValId, api: Name, span: Span },
    /// A call released a resource.
    Release {
        v: ValId,
        release: Arc<Release>,
        api: Name,
        span: Span,
        site: Site,
    },
    /// Memory of the caller was written.
    Write { loc: LocId, v: ValId, span: Span },
    /// Unknown code was given a value.
    Escape(ValId),
    /// A modelled call took a value over.
    Take(ValId),
    /// A modelled call kept a pointer.
    Expose(ValId),
    /// An owner holds it from here on.
    Own(ValId),
    /// Its owner gave it up.
    Disown(ValId),
    /// Something was done to an overlapped operation.
    Io(Box<IoAction>),
    /// A lock was taken or given back.
    Lock(LocId, Box<LockAct>),
    /// A call got this handle and this OVERLAPPED; whether its caller gave the latter.
    Overlaps {
        handle: ValId,
        overlapped: ValId,
        api: Name,
        given: bool,
        span: Span,
    },
    /// A transfer got these as the place for its count and as its OVERLAPPED.
    Transfer {
        count: ValId,
        overlapped: ValId,
        api: Name,
        span: Span,
    },
}

#[derive(Debug)]
enum Entry {
    Act(Action),
    /// One of these; each ends where the node's `before` begins.
    Choice(Vec<Log>),
}

#[derive(Debug)]
struct Node {
    entry: Entry,
    before: Log,
    /// Nodes on the way back to the beginning.
    depth: u32,
    /// Actions in all, those of every choice included.
    size: u32,
}

/// A path's log, newest first; cloning shares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Option<Rc<Node>>);

/// A log as a caller replays it: oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Act(Action),
    Choice(Vec<Vec<Step>>),
}

impl Log {
    fn depth(&self) -> u32 {
        self.0.as_ref().map_or(0, |n| n.depth)
    }

    fn size(&self) -> u32 {
        self.0.as_ref().map_or(0, |n| n.size)
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    fn before(&self) -> Self {
        self.0
            .as_ref()
            .map_or_else(Self::default, |n| n.before.clone())
    }

    fn with(before: Self, entry: Entry, size: u32) -> Self {
        Self(Some(Rc::new(Node {
            depth: before.depth() + 1,
            size,
            entry,
            before,
        })))
    }

    /// Appends an action; false when the log is full.
    #[must_use]
    pub(crate) fn push(&mut self, action: Action) -> bool {
        if self.size() >= MOST_ACTIONS {
            return false;
        }
        let before = std::mem::take(self);
        let size = before.size() + 1;
        *self = Self::with(before, Entry::Act(action), size);
        true
    }

    /// Makes this log the choice between itself and another; false when that would be too large.
    #[must_use]
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        if self.is(other) {
            return true;
        }
        let common = self.common(other);
        if self.same_since(other, &common) {
            return true;
        }
        let size = self.size() + other.size() - common.size();
        if size > MOST_ACTIONS {
            return false;
        }
        let mut ways = match &self.0 {
            // A choice that began at the same place gets one way more.
            Some(node) if node.before.is(&common) => match &node.entry {
                Entry::Choice(ways) => ways.clone(),
                Entry::Act(_) => vec![self.clone()],
            },
            _ => vec![self.clone()],
        };
        ways.push(other.clone());
        *self = Self::with(common, Entry::Choice(ways), size + 1);
        true
    }

    /// As `join`, for logs that are too large as they are: what both did since they parted is shrunk.
    #[must_use]
    pub(crate) fn join_shrunk(
        &mut self,
        other: &Self,
        shrink: &dyn Fn(Vec<Step>) -> Vec<Step>,
    ) -> bool {
        let common = self.common(other);
        let ways = vec![self.steps_since(&common), other.steps_since(&common)];
        let mut joined = common;
        let fits = joined.extend(shrink(vec![Step::Choice(ways)]));
        *self = joined;
        fits
    }

    /// Appends steps; false when the log is full.
    fn extend(&mut self, steps: Vec<Step>) -> bool {
        for step in steps {
            match step {
                Step::Act(action) => {
                    if !self.push(action) {
                        return false;
                    }
                }
                Step::Choice(choice) => {
                    let mut size = self.size() + 1;
                    let mut ways = Vec::with_capacity(choice.len());
                    for steps in choice {
                        let mut way = self.clone();
                        if !way.extend(steps) {
                            return false;
                        }
                        size += way.size() - self.size();
                        ways.push(way);
                    }
                    if size > MOST_ACTIONS {
                        return false;
                    }
                    *self = Self::with(std::mem::take(self), Entry::Choice(ways), size);
                }
            }
        }
        true
    }

    fn common(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.clone(), other.clone());
        while a.depth() > b.depth() {
            a = a.before();
        }
        while b.depth() > a.depth() {
            b = b.before();
        }
        while !a.is(&b) {
            a = a.before();
            b = b.before();
        }
        a
    }

    /// The same actions, one by one, back to a common beginning.
    fn same_since(&self, other: &Self, common: &Self) -> bool {
        let (mut a, mut b) = (self.clone(), other.clone());
        if a.depth() != b.depth() {
            return false;
        }
        while !a.is(common) {
            let (Some(x), Some(y)) = (&a.0, &b.0) else {
                return false;
            };
            match (&x.entry, &y.entry) {
                (Entry::Act(x), Entry::Act(y)) if x == y => {}
                _ => return false,
            }
            (a, b) = (a.before(), b.before());
        }
        true
    }

    /// The steps in order, from the beginning.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.steps_since(&Self::default())
    }

    fn steps_since(&self, start: &Self) -> Vec<Step> {
        let mut out = Vec::new();
        let mut at = self.clone();
        while !at.is(start) {
            let Some(node) = &at.0 else { break };
            match &node.entry {
                Entry::Act(action) => out.push(Step::Act(action.clone())),
                Entry::Choice(ways) => {
                    let ways = ways.iter().map(|w| w.steps_since(&node.before)).collect();
                    out.push(Step::Choice(ways));
                }
            }
            let before = node.before.clone();
            at = before;
        }
        out.reverse();
        out
    }
}

impl Drop for Log {
    /// A long log is unlinked step by step: a recursive drop would overflow the stack.
    fn drop(&mut self) {
        let mut todo: Vec<Rc<Node>> = self.0.take().into_iter().collect();
        while let Some(rc) = todo.pop() {
            if let Ok(mut node) = Rc::try_unwrap(rc) {
                todo.extend(node.before.0.take());
                if let Entry::Choice(ways) = &mut node.entry {
                    todo.extend(ways.iter_mut().filter_map(|w| w.0.take()));
                }
            }
        }
    }
}

/// Calls `f` with every action, in order, choices included.
pub(crate) fn each<'a>(steps: &'a [Step], f: &mut dyn FnMut(&'a Action)) {
    for step in steps {
        match step {
            Step::Act(action) => f(action),
            Step::Choice(ways) => ways.iter().for_each(|way| each(way, f)),
        }
    }
}

/// Keeps the actions that `keep` accepts; choices that became one way are that way.
pub(crate) fn simplify(steps: Vec<Step>, keep: &dyn Fn(&Action) -> bool) -> Vec<Step> {
    let mut out = Vec::new();
    let mut taken: FxHashSet<ValId> = FxHashSet::default();
    for step in steps {
        match step {
            Step::Act(action) => {
                // What was taken over once is not taken over again.
                let again = matches!(&action, Action::Take(v) if !taken.insert(*v));
                if again || !keep(&action) {
                    continue;
                }
                match (&action, out.last_mut()) {
                    // Unknown code that runs after unknown code can change no more.
                    (
                        Action::Havoc { surely },
                        Some(Step::Act(Action::Havoc { surely: before })),
                    ) => {
                        *before &= surely;
                    }
                    _ => out.push(Step::Act(action)),
                }
            }
            Step::Choice(ways) => {
                let mut kept: Vec<Vec<Step>> = Vec::new();
                for way in ways {
                    let way = simplify(way, keep);
                    if !kept.contains(&way) {
                        kept.push(way);
                    }
                }
                let first = shared(&kept, &mut |way, n| way.get(n));
                out.extend(
                    kept.first()
                        .into_iter()
                        .flat_map(|way| way[..first].to_vec()),
                );
                for way in &mut kept {
                    way.drain(..first);
                }
                let last = shared(&kept, &mut |way, n| way.iter().rev().nth(n));
                let mut after = Vec::new();
                for way in &mut kept {
                    after = way.split_off(way.len() - last);
                }
                let tests = |step: &Step| {
                    matches!(step, Step::Act(Action::Assume { .. } | Action::Epoch(_)))
                };
                if kept.len() > MOST_TESTS && kept.iter().flatten().all(tests) {
                    // A table of many cases: which of them it was is forgotten.
                    out.append(&mut after);
                    continue;
                }
                match kept.len() {
                    1 => out.append(&mut kept[0]),
                    _ => out.push(Step::Choice(kept)),
                }
                out.append(&mut after);
            }
        }
    }
    out
}

/// How many steps, counted by `nth` from one end, all of several ways have in common.
fn shared<'a>(
    ways: &'a [Vec<Step>],
    nth: &mut dyn FnMut(&'a Vec<Step>, usize) -> Option<&'a Step>,
) -> usize {
    let [head, rest @ ..] = ways else { return 0 };
    if rest.is_empty() {
        return 0;
    }
    let mut n = 0;
    while let Some(step) = nth(head, n) {
        if rest.iter().any(|way| nth(way, n) != Some(step)) {
            break;
        }
        n += 1;
    }
    n
}
