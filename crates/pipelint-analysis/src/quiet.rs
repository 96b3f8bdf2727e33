//! Runs of unknown code between which nothing is read, as one: a function that formats, logs and
//! answers hands the same few values to unknown code again and again.

use rustc_hash::FxHashSet;

use crate::assume::negate;
use crate::exec::Exec;
use crate::log::{Action, Log, Step, simplify};
use crate::state::State;
use crate::values::{Val, ValId};

/// Times that logs are shrunk in one function to be joined: one that fills them again and again does
/// too much for a summary.
const MOST_SHRUNK: u32 = 8;

/// Ways of a choice that are compared with all others.
const MOST_COMPARED: usize = 8;

/// Whether a comparison of two values judges neither to be good or bad.
type Plain<'a> = &'a dyn Fn(ValId, ValId) -> bool;

/// Steps that only hand values to unknown code and run it.
#[derive(Default)]
struct Run {
    /// Handed over before unknown code ran for the last time.
    before: Vec<ValId>,
    /// It ran, and whether it surely came back.
    ran: Option<bool>,
    /// Handed over since.
    after: Vec<ValId>,
}

/// What needs not be told again on a path.
#[derive(Default, Clone)]
struct Seen {
    /// Handed to unknown code.
    given: Vec<ValId>,
    /// Needed live by a call: the first shows whether it is.
    used: Vec<ValId>,
}

impl Seen {
    fn meet(&mut self, other: &Self) {
        self.given.retain(|v| other.given.contains(v));
        self.used.retain(|v| other.used.contains(v));
    }
}

impl Run {
    fn add(&mut self, action: &Action) -> bool {
        match action {
            Action::Escape(v) => self.after.push(*v),
            Action::Havoc { surely } => {
                self.before.append(&mut self.after);
                self.ran = Some(self.ran.unwrap_or(true) && *surely);
            }
            _ => return false,
        }
        true
    }

    /// What is left of it after what was handed over before.
    fn end(&mut self, seen: &mut Seen, out: &mut Vec<Step>) {
        let run = std::mem::take(self);
        hand_over(run.before, &mut seen.given, out);
        out.extend(run.ran.map(|surely| Step::Act(Action::Havoc { surely })));
        hand_over(run.after, &mut seen.given, out);
    }
}

/// The order in which values are handed over is nobody's business.
fn hand_over(mut values: Vec<ValId>, given: &mut Vec<ValId>, out: &mut Vec<Step>) {
    values.sort_unstable();
    for v in values {
        if !given.contains(&v) {
            given.push(v);
            out.push(Step::Act(Action::Escape(v)));
        }
    }
}

impl Exec<'_, '_> {
    /// Takes another path that knows the same into a known one.
    pub(crate) fn absorb(&mut self, known: &mut State, other: &State) {
        if !known.absorb(other) && self.recording {
            self.recording = self.join_shrunk(&mut known.log, &other.log, known.epoch);
        }
    }

    /// Joins two logs that are too large as they are. What was read in an epoch that is past is known.
    pub(crate) fn join_shrunk(&self, log: &mut Log, other: &Log, now: u32) -> bool {
        self.shrunk.set(self.shrunk.get() + 1);
        if self.shrunk.get() > MOST_SHRUNK {
            return false;
        }
        let read: FxHashSet<u32> = self.arena.epochs().collect();
        let wanted = |epoch| epoch == now || read.contains(&epoch);
        log.join_shrunk(other, &|steps| self.shrink(steps, &wanted))
    }

    /// A comparison that judges neither of two values to be good or bad.
    fn is_plain_comparison(&self, a: ValId, b: ValId) -> bool {
        match (self.arena.get(a), self.arena.get(b)) {
            (Val::Bin(..) | Val::Cmp(..), _) => true,
            (_, Val::Int(n)) | (Val::Int(n), _) => !matches!(n, 0 | -1),
            _ => false,
        }
    }

    /// The same steps in fewer; of the epochs, those that something was read in.
    pub(crate) fn shrink(&self, steps: Vec<Step>, wanted: &dyn Fn(u32) -> bool) -> Vec<Step> {
        let keep = |action: &Action| match action {
            Action::Epoch(epoch) => wanted(*epoch),
            _ => self.is_felt(action),
        };
        let plain = |a: ValId, b: ValId| self.is_plain_comparison(a, b);
        merge(simplify(steps, &keep), &mut Seen::default(), &plain)
    }
}

/// Merges runs of unknown code that no epoch, condition or effect lies between.
fn merge(steps: Vec<Step>, seen: &mut Seen, plain: Plain<'_>) -> Vec<Step> {
    let mut out = Vec::with_capacity(steps.len());
    let mut run = Run::default();
    for step in steps {
        match step {
            Step::Act(action) if run.add(&action) => {}
            Step::Act(Action::Use { v, .. }) if seen.used.contains(&v) => {}
            Step::Act(action) => {
                run.end(seen, &mut out);
                match &action {
                    // A condition changes nothing that was handed over.
                    Action::Assume { .. } | Action::Epoch(_) => {}
                    Action::Use { v, .. } => seen.used.push(*v),
                    // What is written, made anew or given up may be handed over once more.
                    _ => *seen = Seen::default(),
                }
                out.push(Step::Act(action));
            }
            Step::Choice(ways) => {
                run.end(seen, &mut out);
                let mut kept: Vec<Vec<Step>> = Vec::with_capacity(ways.len());
                let mut common: Option<Seen> = None;
                for way in ways {
                    let mut mine = seen.clone();
                    kept.push(merge(way, &mut mine, plain));
                    match &mut common {
                        None => common = Some(mine),
                        Some(common) => common.meet(&mine),
                    }
                }
                *seen = common.unwrap_or_default();
                choose(kept, plain, &mut out);
            }
        }
    }
    run.end(seen, &mut out);
    fold_choices(out)
}

/// Whether unknown code ran or not makes no difference where it runs anyway.
fn fold_choices(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        match &step {
            Step::Act(Action::Havoc { surely }) => {
                let mut weak = *surely;
                let mut at = out.len();
                while at > 0 && matches!(out[at - 1], Step::Act(Action::Escape(_))) {
                    at -= 1;
                }
                while at > 0
                    && let Some((given, returns)) = pure_choice(&out[at - 1])
                    && given
                        .iter()
                        .all(|v| out[at..].contains(&Step::Act(Action::Escape(*v))))
                {
                    weak &= returns;
                    at -= 1;
                    out.remove(at);
                    while at > 0 && matches!(out[at - 1], Step::Act(Action::Escape(_))) {
                        at -= 1;
                    }
                }
                out.push(Step::Act(Action::Havoc { surely: weak }));
            }
            _ => {
                if let Some((given, returns)) = pure_choice(&step)
                    && given.is_empty()
                    && let Some(Step::Act(Action::Havoc { surely })) = out.last_mut()
                {
                    *surely &= returns;
                    continue;
                }
                out.push(step);
            }
        }
    }
    out
}

/// A choice among runs of unknown code: what they are given, and whether all surely return.
fn pure_choice(step: &Step) -> Option<(Vec<ValId>, bool)> {
    let Step::Choice(ways) = step else {
        return None;
    };
    let (mut given, mut returns) = (Vec::new(), true);
    for step in ways.iter().flatten() {
        match step {
            Step::Act(Action::Escape(v)) => given.push(*v),
            Step::Act(Action::Havoc { surely }) => returns &= surely,
            _ => return None,
        }
    }
    Some((given, returns))
}

/// Appends one of several ways, with what they share told once.
fn choose(ways: Vec<Vec<Step>>, plain: Plain<'_>, out: &mut Vec<Step>) {
    let mut ways = with_shared_beginnings(flat(ways), plain);
    drop_conditions(&mut ways, plain);
    join_pure(&mut ways);
    match ways.len() {
        0 => {}
        1 => out.append(&mut ways[0]),
        _ => out.push(Step::Choice(ways)),
    }
}

/// A way that is nothing but a choice is several ways of the outer one.
fn flat(ways: Vec<Vec<Step>>) -> Vec<Vec<Step>> {
    let mut out: Vec<Vec<Step>> = Vec::with_capacity(ways.len());
    for mut way in ways {
        let inner = match (way.pop(), way.is_empty()) {
            (Some(Step::Choice(inner)), true) => inner,
            (last, _) => {
                way.extend(last);
                vec![way]
            }
        };
        for way in inner {
            if !out.contains(&way) {
                out.push(way);
            }
        }
    }
    out
}

/// Ways that begin with the same step become one, with a choice behind it.
fn with_shared_beginnings(ways: Vec<Vec<Step>>, plain: Plain<'_>) -> Vec<Vec<Step>> {
    let mut groups: Vec<Vec<Vec<Step>>> = Vec::with_capacity(ways.len());
    for way in ways {
        let first = way.first();
        match groups
            .iter_mut()
            .find(|g| first.is_some() && g[0].first() == first)
        {
            Some(group) => group.push(way),
            None => groups.push(vec![way]),
        }
    }
    let mut out = Vec::with_capacity(groups.len());
    for mut group in groups {
        if group.len() == 1 {
            out.append(&mut group);
            continue;
        }
        // Of all, not step by step: the depth of choices is that of the program.
        let shared = shared(&group);
        let mut way = group[0][..shared].to_vec();
        for other in &mut group {
            other.drain(..shared);
        }
        choose(group, plain, &mut way);
        out.push(way);
    }
    out
}

/// How many steps all ways begin with.
fn shared(ways: &[Vec<Step>]) -> usize {
    let [head, rest @ ..] = ways else { return 0 };
    let mut n = 0;
    while n < head.len() && rest.iter().all(|way| way.get(n) == Some(&head[n])) {
        n += 1;
    }
    n
}

/// Two ways that differ in nothing but a condition and its opposite are one, and so are two that
/// differ in a condition which one of them does not ask for. A comparison with what marks a failure
/// stays: it judges what is compared.
fn drop_conditions(ways: &mut Vec<Vec<Step>>, plain: Plain<'_>) {
    let mut i = 0;
    while i < ways.len().min(MOST_COMPARED) {
        let other = (0..ways.len()).find(|&j| j != i && is_covered(&ways[i], &ways[j], plain));
        if let Some(j) = other {
            if ways[i].len() == ways[j].len() {
                ways[j].remove(0);
            }
            ways.remove(i);
            i = 0;
        } else {
            i += 1;
        }
    }
}

/// The first way is the second with its condition turned round, or with one condition more.
fn is_covered(a: &[Step], b: &[Step], plain: Plain<'_>) -> bool {
    let [Step::Act(Action::Assume { op, a: x, b: y, .. }), rest @ ..] = a else {
        return false;
    };
    if !plain(*x, *y) {
        return false;
    }
    match b {
        [
            Step::Act(Action::Assume {
                op: other,
                a: v,
                b: w,
                ..
            }),
            others @ ..,
        ] if *other == negate(*op) && (x, y) == (v, w) => rest == others,
        _ => rest == b,
    }
}

/// Of ways that only run unknown code, one that is given all that another is given tells enough.
fn join_pure(ways: &mut Vec<Vec<Step>>) {
    let mut largest: Option<(usize, Vec<ValId>)> = None;
    let mut i = 0;
    while i < ways.len() {
        let Some((given, surely)) = pure_run(&ways[i]) else {
            i += 1;
            continue;
        };
        let Some((at, most)) = &mut largest else {
            largest = Some((i, given));
            i += 1;
            continue;
        };
        let more = most.iter().all(|v| given.contains(v));
        if !more && !given.iter().all(|v| most.contains(v)) {
            i += 1;
            continue;
        }
        if more {
            *most = given;
            ways.swap(*at, i);
        }
        let at = *at;
        for step in &mut ways[at] {
            if let Step::Act(Action::Havoc { surely: both }) = step {
                *both &= surely;
            }
        }
        if more && let Some((_, other)) = pure_run(&ways[i]) {
            for step in &mut ways[at] {
                if let Step::Act(Action::Havoc { surely: both }) = step {
                    *both &= other;
                }
            }
        }
        ways.remove(i);
    }
}

/// Values handed over, and then a run of unknown code.
fn pure_run(way: &[Step]) -> Option<(Vec<ValId>, bool)> {
    let [escapes @ .., Step::Act(Action::Havoc { surely })] = way else {
        return None;
    };
    let mut given = Vec::with_capacity(escapes.len());
    for step in escapes {
        match step {
            Step::Act(Action::Escape(v)) => given.push(*v),
            _ => return None,
        }
    }
    Some((given, *surely))
}

/// Actions that a replay runs where nothing is decided by what is given and no two ways become one,
/// and the ways there are then.
pub(crate) fn replay_cost(steps: &[Step]) -> (f64, f64) {
    let (mut cost, mut paths) = (0.0, 1.0);
    for step in steps {
        match step {
            Step::Act(_) => cost += paths,
            Step::Choice(ways) => {
                let (mut each, mut after) = (0.0, 0.0);
                for way in ways {
                    let (c, p) = replay_cost(way);
                    each += c;
                    after += p;
                }
                cost += paths * each;
                paths *= after;
            }
        }
    }
    (cost, paths)
}
