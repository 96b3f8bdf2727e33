//! Locks that are taken in one order here and in another one there.
//!
//! A call that waits for one lock while another is held orders the two. Orders that make a ring, and that
//! different threads may keep at the same time, make these threads wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use pipelint_ir::Name;
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::held::{HeldLock, Taking};
use crate::lock_ends::LockKey;
use crate::locked::{Locked, taken};
use crate::program::last;

/// Locks that make a ring: more are hard to follow, for a person as well.
const LONGEST: usize = 4;

/// Ways of one order that are looked at.
const MOST_WAYS: usize = 32;

/// Locks are taken in orders that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOrder {
    /// The lock that is taken here.
    pub lock: Name,
    /// The lock that is held here.
    pub held: Name,
    /// A function of the program takes it, which is called here.
    pub through: Option<Name>,
    /// The other orders: the function that keeps it, the lock that it holds, the one that it takes, and where.
    pub others: Vec<OtherOrder>,
}

/// One of the orders that contradict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherOrder {
    /// The function.
    pub function: Name,
    /// What it holds.
    pub held: Name,
    /// What it takes.
    pub lock: Name,
    /// Where it holds the one.
    pub taken: Span,
    /// Where it takes the other.
    pub at: Span,
}

/// One lock is waited for while another one is held.
struct Order<'t> {
    f: usize,
    context: usize,
    held: HeldLock,
    taking: &'t Taking,
    /// All that is held there, as far as anybody knows.
    all: Vec<LockKey>,
}

type Orders<'t> = BTreeMap<(LockKey, LockKey), Vec<Order<'t>>>;

/// One event for each ring of orders.
pub(crate) fn inverted(locked: &Locked<'_, '_>) -> Vec<Event> {
    let orders = orders(locked);
    let mut next: BTreeMap<&LockKey, Vec<&LockKey>> = BTreeMap::new();
    for (from, to) in orders.keys() {
        next.entry(from).or_default().push(to);
    }
    let mut rings: Vec<Vec<&LockKey>> = Vec::new();
    for &first in next.keys() {
        rings_from(first, &next, &mut vec![first], &mut rings);
    }
    rings.sort_by_key(|ring| ring.len());
    let mut told: Vec<BTreeSet<&LockKey>> = Vec::new();
    let mut events = Vec::new();
    for ring in rings {
        let keys: BTreeSet<&LockKey> = ring.iter().copied().collect();
        if told.iter().any(|known| known.is_subset(&keys)) {
            continue;
        }
        if let Some(chosen) = choose(locked, &orders, &ring) {
            events.extend(event(locked, &orders, &chosen));
            told.push(keys);
        }
    }
    events
}

/// Rings that begin with the smallest of their locks.
fn rings_from<'k>(
    first: &'k LockKey,
    next: &BTreeMap<&'k LockKey, Vec<&'k LockKey>>,
    way: &mut Vec<&'k LockKey>,
    found: &mut Vec<Vec<&'k LockKey>>,
) {
    let Some(at) = way.last() else { return };
    for &to in next.get(at).into_iter().flatten() {
        if to == first {
            found.push(way.clone());
        } else if to > first && way.len() < LONGEST && !way.contains(&to) {
            way.push(to);
            rings_from(first, next, way, found);
            way.pop();
        }
    }
}

fn orders<'t>(locked: &Locked<'t, '_>) -> Orders<'t> {
    let mut orders = Orders::new();
    for f in locked.held.functions() {
        let Some(own) = locked.held.of(f) else {
            continue;
        };
        for taking in &own.takings {
            for (context, way) in locked.contexts.of(f).iter().enumerate() {
                let here = locked.here(f, context, taking.at);
                // It has it already, and may take it again.
                if here.locks.iter().any(|l| l.key == taking.key) {
                    continue;
                }
                for held in here.seen() {
                    // Nobody else has the function's own object.
                    if held.own || taking.own || locked.unsure.contains(&held.key) {
                        continue;
                    }
                    // An object that is being made, or ends, is nobody else's.
                    if way.alone && (held.key.0.is_some() || taking.key.0.is_some()) {
                        continue;
                    }
                    let pair = (held.key.clone(), taking.key.clone());
                    let ways = orders.entry(pair).or_default();
                    if ways.len() < MOST_WAYS {
                        ways.push(Order {
                            f,
                            context,
                            held: held.clone(),
                            taking,
                            all: here.locks.iter().map(|l| l.key.clone()).collect(),
                        });
                    }
                }
            }
        }
    }
    orders
}

/// One way of each order of a ring, such that all of them may be gone at once.
fn choose<'o, 't>(
    locked: &Locked<'_, '_>,
    orders: &'o Orders<'t>,
    ring: &[&LockKey],
) -> Option<Vec<&'o Order<'t>>> {
    let pairs = (0..ring.len()).map(|n| (ring[n].clone(), ring[(n + 1) % ring.len()].clone()));
    let ways: Option<Vec<&Vec<Order<'t>>>> = pairs.map(|pair| orders.get(&pair)).collect();
    let mut chosen = Vec::new();
    extend(locked, &ways?, &mut chosen).then_some(chosen)
}

fn extend<'o, 't>(
    locked: &Locked<'_, '_>,
    ways: &[&'o Vec<Order<'t>>],
    chosen: &mut Vec<&'o Order<'t>>,
) -> bool {
    let Some(next) = ways.get(chosen.len()) else {
        return true;
    };
    for way in *next {
        if chosen.iter().all(|other| clash(locked, other, way)) {
            chosen.push(way);
            if extend(locked, ways, chosen) {
                return true;
            }
            chosen.pop();
        }
    }
    false
}

/// Two threads may keep these orders at the same time, and wait where they meet.
fn clash(locked: &Locked<'_, '_>, a: &Order<'_>, b: &Order<'_>) -> bool {
    let waits = |x: &Order<'_>, y: &Order<'_>| {
        x.taking.key != y.held.key || !(x.taking.shared && y.held.shared)
    };
    let both = |key: &&LockKey| b.all.contains(key);
    waits(a, b)
        && waits(b, a)
        // A lock that both hold keeps them apart.
        && !a.all.iter().any(|key| both(&key))
        && locked.may_meet((a.f, a.context), (b.f, b.context))
}

fn event(locked: &Locked<'_, '_>, orders: &Orders<'_>, ring: &[&Order<'_>]) -> Option<Event> {
    let keys: Vec<&LockKey> = ring.iter().map(|o| &o.held.key).collect();
    let places = |order: &Order<'_>| {
        let pair = (order.held.key.clone(), order.taking.key.clone());
        let ways = orders.get(&pair).into_iter().flatten();
        let places: FxHashSet<Span> = ways.map(|o| o.taking.span).collect();
        places.len()
    };
    // The order that fewer places keep is the wrong one; of two alike, the one that comes later.
    let rank = |order: &&&Order<'_>| {
        let frame = locked.frame(order.f, order.context, order.taking.at, &order.held.key);
        let at = locked.span(frame.f, frame.at);
        (places(order), std::cmp::Reverse(at))
    };
    let primary = ring.iter().min_by_key(rank)?;
    let word = |key: &LockKey| locked.lock_words(key, &keys);
    let frame = locked.frame(
        primary.f,
        primary.context,
        primary.taking.at,
        &primary.held.key,
    );
    let at = locked.span(frame.f, frame.at);
    let mut path = Vec::new();
    let mut others = Vec::new();
    for order in ring.iter().filter(|o| !std::ptr::eq(**o, *primary)) {
        let frame = locked.frame(order.f, order.context, order.taking.at, &order.held.key);
        others.push(OtherOrder {
            function: locked.name(frame.f).clone(),
            held: word(&order.held.key),
            lock: word(&order.taking.key),
            taken: order.held.taken,
            at: order.taking.span,
        });
        path.extend(steps(order, frame.calls));
    }
    let through = frame.calls.first().and_then(|step| match &step.what {
        StepKind::Called(name) => Some(name.clone()),
        _ => None,
    });
    path.extend(steps(primary, frame.calls.clone()));
    Some(Event {
        kind: EventKind::LockOrder(LockOrder {
            lock: word(&primary.taking.key),
            held: word(&primary.held.key),
            through,
            others,
        }),
        at,
        function: locked.name(frame.f).clone(),
        resource: None,
        path,
        others: Vec::new(),
    })
}

fn steps(order: &Order<'_>, calls: Vec<PathStep>) -> Vec<PathStep> {
    let mut steps = vec![taken(&order.held)];
    steps.extend(calls);
    steps.push(PathStep {
        span: order.taking.span,
        what: StepKind::Locked(Name::new(last(&order.taking.key.1))),
    });
    steps.dedup();
    steps
}
