//! What a path knows of how its operations went, and whether the function's ends tell it.

use pipelint_ir::{Base, Name, Operand, PlaceId, Proj, Statement};
use pipelint_models::{FunctionModel, Waits};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::cfg::visit_reads;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::results::{ResultFault, WaitTaken};
use crate::state::{Fact, State, Steps};
use crate::status::{Look, tag_of};
use crate::values::ValId;

/// How an operation may have gone: a union of these.
pub(crate) mod may {
    pub(crate) const GOOD: u8 = 1;
    pub(crate) const LATE: u8 = 2;
    pub(crate) const FAILED: u8 = 4;
    pub(crate) const OTHER: u8 = 8;
}

/// What kind of operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OperationKind {
    /// A wait for signals; for this object, where it is one.
    Wait {
        object: Option<ValId>,
        signals: u32,
        late: i128,
        failed: i128,
        /// The time may go by.
        timed: bool,
        /// The caller gave the time.
        given: bool,
        /// It does not wait: it asks whether the object is signalled.
        tries: bool,
    },
    /// A question how an overlapped operation went; what it put into the count.
    Completion { count: Option<ValId> },
    /// Something is sent, or awaited.
    Transfer,
}

/// A call whose result tells how it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Operation {
    pub(crate) api: Name,
    pub(crate) span: Span,
    pub(crate) kind: OperationKind,
    /// What the conditions so far leave.
    pub(crate) may: u8,
    /// The condition that asked last.
    pub(crate) seen: Option<Span>,
    /// Something was called after that.
    pub(crate) acted: bool,
    /// Nothing receives the result.
    pub(crate) dropped: bool,
}

/// What the caller sees of a result: its parts, and what is known of each.
pub(crate) type Appearance = Vec<(Vec<Proj>, Option<Look>)>;

/// What was known of an operation where the function was left.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) result: ValId,
    pub(crate) operation: Operation,
    pub(crate) looks: Appearance,
    /// The part of it that tells success from failure.
    pub(crate) verdict: Option<Look>,
    pub(crate) at: Span,
    pub(crate) trace: Steps,
}

impl Ending {
    fn is(&self, other: &Self) -> bool {
        self.operation == other.operation && self.looks == other.looks && self.at == other.at
    }
}

/// Endings that are kept of one function.
const MOST_ENDINGS: usize = 256;

impl Exec<'_, '_> {
    /// A wait begins to be followed.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn note_wait(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
        voided: bool,
    ) {
        let Some(wait) = &model.waits else { return };
        let Some(kind) = self.wait_kind(wait, args) else {
            return;
        };
        let operation = Operation {
            api: api.clone(),
            span: self.span,
            kind,
            may: may::GOOD | may::LATE | may::FAILED | may::OTHER,
            seen: None,
            acted: false,
            dropped: !voided && dst.is_none_or(|dst| self.is_never_read(dst)),
        };
        let span = self.span;
        state.operations.retain(|_, known| known.span != span);
        state.operations.insert(result, operation);
        state.step(span, StepKind::Passed(api.clone()), Some(result));
    }

    fn wait_kind(&self, wait: &Waits, args: &[ValId]) -> Option<OperationKind> {
        let constant = |name: &str| self.program.constant(self.unit, name);
        let tells = wait.tells.as_ref()?;
        let (forever, late, failed) = (
            constant(&tells.forever)?,
            constant(&tells.late)?,
            constant(&tells.failed)?,
        );
        let nth = wait.timeout?;
        let timeout = self.arena.as_int(*args.get(nth)?);
        let count = wait.count.and_then(|n| self.arena.as_int(*args.get(n)?));
        let count = count.and_then(|n| u32::try_from(n).ok());
        Some(OperationKind::Wait {
            object: wait.handle.and_then(|n| args.get(n)).copied(),
            signals: count.map_or(tells.signals, |n| n.min(tells.signals)),
            late,
            failed,
            timed: timeout.is_none_or(|t| t != forever && t != -1),
            tries: timeout == Some(0),
            given: timeout.is_none()
                && self
                    .operands
                    .get(nth)
                    .is_some_and(|op| self.comes_from_caller(op)),
        })
    }

    /// The operand is computed from a parameter.
    fn comes_from_caller(&self, operand: &Operand) -> bool {
        let function = self.function;
        let local = |place: PlaceId| match function.places[place].base {
            Base::Local(local) => Some(local.0),
            _ => None,
        };
        let (Operand::Copy(place) | Operand::Move(place)) = operand else {
            return false;
        };
        let mut wanted: FxHashSet<u32> = local(*place).into_iter().collect();
        for _ in 0..4 {
            if wanted.iter().any(|l| *l < function.params) {
                return true;
            }
            let mut more = Vec::new();
            for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
                let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = stmt
                else {
                    continue;
                };
                if local(*dst).is_some_and(|l| wanted.contains(&l)) {
                    visit_reads(stmt, |read| more.extend(local(read)));
                }
            }
            wanted.extend(more);
        }
        wanted.iter().any(|l| *l < function.params)
    }

    /// A condition looked at these values: what it leaves of the outcomes of operations.
    pub(crate) fn judge_operations(&self, state: &mut State, parts: &[ValId]) {
        self.note_asked_fields(state, parts);
        self.judge_sent(state, parts);
        if state.operations.is_empty() && state.lost.is_none() {
            return;
        }
        let asked: Vec<(ValId, u8)> = state
            .operations
            .iter()
            .filter(|(v, _)| parts.contains(v))
            .map(|(v, op)| {
                let fact = state.facts.get(v).cloned().unwrap_or_default();
                (v, left(&op.kind, &fact))
            })
            .collect();
        let span = self.span;
        for (v, may) in asked {
            if let Some(op) = state.operations.get_mut(v) {
                op.may = may;
                op.seen = Some(span);
                op.acted = false;
            }
        }
        self.judge_transfers(state, parts);
    }

    /// Something is called, after conditions have asked how operations went.
    pub(crate) fn note_act(&self, state: &mut State) {
        state
            .operations
            .change(|_, op| op.seen.is_some(), |op| op.acted = true);
    }

    /// The result of a wait for one object is compared with 1.
    pub(crate) fn note_wait_comparison(&mut self, state: &State, a: ValId, b: ValId) {
        for (v, other) in [(a, b), (b, a)] {
            let Some(op) = state.operations.get(v) else {
                continue;
            };
            let OperationKind::Wait {
                object: Some(_), ..
            } = op.kind
            else {
                continue;
            };
            if self.arena.as_int(other) == Some(1) && self.site.is_none() {
                let at = self.span;
                self.wait_taken(state, v, WaitTaken::ComparedWithOne, at);
            }
        }
    }

    /// A call that only who has waited with success may make.
    pub(crate) fn use_waited_for(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
    ) {
        let Some(&object) = model.after_wait.and_then(|n| args.get(n)) else {
            return;
        };
        let waits: Vec<(ValId, Operation)> = state
            .operations
            .iter()
            .filter(|(_, op)| matches!(op.kind, OperationKind::Wait { object: Some(o), .. } if o == object))
            .map(|(v, op)| (v, op.clone()))
            .collect();
        // A thread may have taken it more than once.
        let [(v, op)] = &waits[..] else { return };
        let OperationKind::Wait { timed, .. } = op.kind else {
            return;
        };
        let missed = match op.seen {
            Some(_) => op.may & may::LATE != 0,
            None => op.dropped && timed,
        };
        if missed {
            let at = self.at();
            self.wait_taken(state, *v, WaitTaken::Needed(api.clone()), at);
        }
        state.operations.remove(*v);
    }

    /// The function is left: what it knew of its operations, and what it returns.
    pub(crate) fn note_endings(&mut self, state: &State, value: Option<ValId>) {
        let ended = self.verdict(state, value);
        if !self.verdicts.contains(&ended) && self.verdicts.len() < 16 {
            self.verdicts.push(ended);
        }
        let looks = self.appearance(state, value);
        self.note_told(state, value, &looks, ended);
        if state.operations.is_empty() {
            return;
        }
        self.count_is_returned(state, value);
        let verdict = ended;
        for (result, operation) in state.operations.iter() {
            if self.endings.len() >= MOST_ENDINGS {
                return;
            }
            let ending = Ending {
                result,
                operation: operation.clone(),
                looks: looks.clone(),
                verdict,
                at: self.span,
                trace: state.trace.clone(),
            };
            if !self.endings.iter().any(|known| known.is(&ending)) {
                self.endings.push(ending);
            }
        }
    }

    pub(crate) fn appearance(&self, state: &State, value: Option<ValId>) -> Appearance {
        let Some(value) = value else {
            return Vec::new();
        };
        match self.result_parts.get(&value) {
            Some(parts) => parts
                .iter()
                .map(|(steps, v)| (steps.clone(), self.look_at(state, *v)))
                .collect(),
            None => vec![(Vec::new(), self.look_at(state, value))],
        }
    }

    /// What the result says of success, if it says anything.
    pub(crate) fn verdict(&self, state: &State, value: Option<ValId>) -> Option<Look> {
        let value = value?;
        match self.result_parts.get(&value) {
            Some(parts) => self.look_at(state, tag_of(parts)?),
            None => self.look_at(state, value),
        }
    }

    pub(crate) fn look_at(&self, state: &State, v: ValId) -> Option<Look> {
        let fact = state.facts.get(v);
        let exact = self.arena.as_int(v).or_else(|| fact.and_then(Fact::exact));
        match exact {
            Some(n) => Some(Look::Exactly(n)),
            None if self.is_named_error(v) => Some(Look::NotZero),
            None => fact
                .is_some_and(|fact| fact.excludes(0))
                .then_some(Look::NotZero),
        }
    }

    /// A result that says that all went well.
    pub(crate) fn is_success(&self, verdict: Option<Look>) -> bool {
        let ret = &self.function.ret;
        let wanted = match &*ret.name {
            "Result" if self.is_rust() => 0,
            "bool" | "BOOL" | "BOOLEAN" => 1,
            _ if self.program.is_status(ret) => 0,
            _ => return false,
        };
        verdict == Some(Look::Exactly(wanted))
    }

    /// The function's `Result` carries an error of I/O.
    fn tells_of_io(&self) -> bool {
        let ret = &self.function.ret;
        let speaks = match ret.args.as_slice() {
            [_] => true,
            [_, error] => error.ends_with("io::Error"),
            _ => false,
        };
        self.is_rust() && ret.name == "Result" && speaks
    }

    /// Some end says that something failed.
    pub(crate) fn tells_otherwise(&self) -> bool {
        self.verdicts
            .iter()
            .any(|verdict| !self.is_success(*verdict))
    }

    /// What the ends show, taken together.
    pub(crate) fn tell_operations(&mut self) {
        let endings = std::mem::take(&mut self.endings);
        for ending in &endings {
            match ending.operation.kind {
                OperationKind::Wait { .. } => self.tell_wait(ending, &endings),
                OperationKind::Completion { .. } => self.tell_completion(ending, &endings),
                OperationKind::Transfer => {}
            }
        }
    }

    fn tell_wait(&mut self, end: &Ending, endings: &[Ending]) {
        let op = &end.operation;
        let OperationKind::Wait {
            timed,
            given,
            tries,
            ..
        } = op.kind
        else {
            return;
        };
        let Some(seen) = op.seen else {
            if op.dropped && timed && given && self.is_success(end.verdict) {
                self.wait_told(end, WaitTaken::Dropped, end.at);
            }
            return;
        };
        let bad = op.may & (may::LATE | may::FAILED);
        if op.may & may::GOOD != 0 || bad == 0 || op.acted || end.looks.is_empty() {
            return;
        }
        let late = timed && bad & may::LATE != 0;
        let same = |other: &Ending| {
            other.operation.span == op.span
                && !other.operation.acted
                && other.operation.may == may::GOOD
                && other.looks.len() == end.looks.len()
        };
        let good: Vec<&Ending> = endings.iter().filter(|e| same(e)).collect();
        let result = self.is_rust() && self.function.ret.name == "Result";
        let tells = result || endings.iter().any(|e| e.looks != end.looks);
        if self.is_success(end.verdict) && tells && good.iter().any(|good| good.looks == end.looks)
        {
            let how = match late {
                true => WaitTaken::Late,
                false => WaitTaken::Failed,
            };
            self.wait_told(end, how, seen);
            return;
        }
        // One arm for both, where the failure has a way of its own to be told.
        let both = late && !tries && bad & may::FAILED != 0;
        if both && self.tells_of_io() && self.is_success(end.verdict) && !good.is_empty() {
            self.wait_told(end, WaitTaken::FailedForLate, seen);
        }
    }

    fn wait_told(&mut self, end: &Ending, how: WaitTaken, shown: Span) {
        let mut path = end.trace.path(Some(end.result), Some(end.operation.span));
        path.push(PathStep {
            span: end.at,
            what: StepKind::Left,
        });
        self.tell_of_wait(&end.operation, how, shown, path);
    }

    fn wait_taken(&mut self, state: &State, v: ValId, how: WaitTaken, shown: Span) {
        let Some(op) = state.operations.get(v).cloned() else {
            return;
        };
        let mut path = state.path(Some(v), Some(op.span));
        let what = match &how {
            WaitTaken::Needed(api) => StepKind::Passed(api.clone()),
            _ => StepKind::Compared("1".into()),
        };
        path.push(PathStep { span: shown, what });
        self.tell_of_wait(&op, how, shown, path);
    }

    fn tell_of_wait(&mut self, op: &Operation, how: WaitTaken, shown: Span, path: Vec<PathStep>) {
        let api = op.api.clone();
        let event = Event {
            kind: EventKind::Result(ResultFault::Wait { api, how, shown }),
            at: op.span,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        };
        self.found.add(event);
    }
}

/// What a fact about the result leaves of the outcomes.
fn left(kind: &OperationKind, fact: &Fact) -> u8 {
    match *kind {
        OperationKind::Wait {
            signals,
            late,
            failed,
            timed,
            ..
        } => {
            let mut left = 0;
            if (0..i128::from(signals)).any(|n| !fact.excludes(n)) {
                left |= may::GOOD;
            }
            if timed && !fact.excludes(late) {
                left |= may::LATE;
            }
            if !fact.excludes(failed) && !fact.excludes(-1) || fact.exact() == Some(-1) {
                left |= may::FAILED;
            }
            let signalled = fact.lo >= 0 && fact.hi < i128::from(signals);
            let named = signalled
                || fact
                    .exact()
                    .is_some_and(|n| n == late || n == failed || n == -1);
            if !named {
                left |= may::OTHER;
            }
            left
        }
        OperationKind::Completion { .. } | OperationKind::Transfer => {
            let failed = if fact.excludes(0) { 0 } else { may::FAILED };
            let good = if fact.exact() == Some(0) {
                0
            } else {
                may::GOOD
            };
            failed | good
        }
    }
}
