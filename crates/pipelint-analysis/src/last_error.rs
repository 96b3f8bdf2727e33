//! The thread's last error and `errno`: on each path, which calls may have left it, which of them is
//! known to have failed, and who asks.

use std::rc::Rc;

use pipelint_ir::{Callee, Name};
use pipelint_models::{ErrorEffect, ErrorStore, FunctionModel, Sentinel, Slot, Success};
use pipelint_source::Span;

use crate::exec::{Exec, number};
use crate::program::last;
use crate::state::{Fact, State};
use crate::values::ValId;
use crate::words::{speaks_of_looking, speaks_of_output};

/// Calls that one way tells apart; older ones are forgotten.
const MOST_CALLS: usize = 8;
/// Ways that joined paths may have come by; beyond, nothing is known.
const MOST_WAYS: usize = 6;

/// How a call's result says that it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Status(Success),
    Value(Sentinel),
    /// The models do not tell.
    Nothing,
}

/// What the conditions of a path say of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    /// No condition looked at it.
    Unjudged,
    /// One did, and it may have failed all the same.
    Maybe,
    Failed,
    Succeeded,
}

/// A call that may have changed the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) api: Name,
    pub(crate) span: Span,
    /// The function of the program that made it, and the call of that function here.
    pub(crate) within: Option<(Name, Span)>,
    /// Its result, while somebody can ask it.
    pub(crate) judge: Option<ValId>,
    says: Says,
    pub(crate) went: Went,
    /// The condition that showed it.
    pub(crate) judged_at: Option<Span>,
    /// Nobody receives its result.
    dropped: bool,
    /// It leaves an error where it fails.
    leaves: bool,
    /// It sets one where it succeeds, too.
    also_on_success: bool,
    /// It releases something.
    releases: bool,
    store: ErrorStore,
}

/// The calls since the error was last known to be somebody else's, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// What was left before them is not what was there when the function was called.
    unknown: bool,
    pub(crate) calls: Vec<Call>,
}

/// A place that asks for an error which was there when the function was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What it was told.
    pub(crate) v: ValId,
    pub(crate) api: Name,
    pub(crate) span: Span,
    which: Option<ErrorStore>,
}

/// The call that left the error that a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ErrorOf {
    pub(crate) api: Name,
    /// The call's result.
    pub(crate) judge: ValId,
    /// Where the call stands.
    pub(crate) span: Span,
}

/// All that a path knows of the error. It decides nothing, so it tells no two paths apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastError {
    /// None as long as nothing has happened.
    ways: Option<Rc<Vec<Way>>>,
    asked: Rc<Vec<Asked>>,
}

/// What an end of a function tells its callers of the error.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorEnd {
    ways: Vec<Way>,
    pub(crate) asked: Vec<Asked>,
    /// Values that the caller gets, and whose error they are.
    pub(crate) of: Vec<(ValId, ErrorOf)>,
}

impl Call {
    /// It may be the one whose error is asked for.
    fn may_be_meant(&self) -> bool {
        let open = match self.went {
            Went::Failed | Went::Maybe => true,
            Went::Unjudged => !self.dropped,
            Went::Succeeded => false,
        };
        self.leaves && open
    }

    fn concerns(&self, which: Option<ErrorStore>) -> bool {
        match which {
            // The C runtime is made of the system's calls.
            Some(ErrorStore::LastError) | None => true,
            Some(ErrorStore::Errno) => self.store == ErrorStore::Errno,
        }
    }

    /// Its error is found there.
    fn leaves_in(&self, which: Option<ErrorStore>) -> bool {
        self.leaves && which.is_none_or(|which| which == self.store)
    }
}

impl Way {
    fn push(&mut self, call: Call) {
        if self.calls.len() >= MOST_CALLS {
            let kept = self.calls.iter().rposition(|c| c.went == Went::Failed);
            let gone = kept.map_or(0, |at| usize::from(at == 0));
            self.calls.remove(gone.min(self.calls.len() - 1));
            self.unknown = true;
        }
        self.calls.push(call);
    }

    /// What happens after another way.
    fn after(&self, before: &Self) -> Self {
        if self.unknown {
            return self.clone();
        }
        let mut whole = before.clone();
        for call in &self.calls {
            whole.push(call.clone());
        }
        whole
    }
}

impl LastError {
    fn ways(&self) -> &[Way] {
        const BEGUN: &[Way] = &[Way {
            unknown: false,
            calls: Vec::new(),
        }];
        self.ways.as_ref().map_or(BEGUN, |ways| ways)
    }

    fn ways_mut(&mut self) -> &mut Vec<Way> {
        Rc::make_mut(
            self.ways
                .get_or_insert_with(|| Rc::new(vec![Way::default()])),
        )
    }

    fn push(&mut self, call: &Call) {
        for way in self.ways_mut() {
            way.push(call.clone());
        }
    }

    /// Code ran of which nothing is known.
    fn forget(&mut self) {
        *self.ways_mut() = vec![Way {
            unknown: true,
            calls: Vec::new(),
        }];
    }

    fn set_ways(&mut self, ways: Vec<Way>) {
        *self.ways_mut() = ways;
        if self.ways().len() > MOST_WAYS {
            self.forget();
        }
    }

    /// Another path has joined that knows the same of everything else.
    pub(crate) fn join(&mut self, other: &Self) {
        let same = match (&self.ways, &other.ways) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let mut ways = self.ways().to_vec();
            add_ways(&mut ways, other.ways());
            self.set_ways(ways);
        }
        if !Rc::ptr_eq(&self.asked, &other.asked) {
            for asked in other.asked.iter() {
                if !self.asked.contains(asked) {
                    Rc::make_mut(&mut self.asked).push(asked.clone());
                }
            }
        }
    }
}

fn add_ways(ways: &mut Vec<Way>, others: &[Way]) {
    for way in others {
        if !ways.contains(way) {
            ways.push(way.clone());
        }
    }
}

/// What is known of a result says how the call went.
fn went(says: Says, fact: Option<&Fact>) -> Went {
    let Some(fact) = fact else { return Went::Maybe };
    let failed = match says {
        Says::Nothing => return Went::Maybe,
        Says::Value(Sentinel::MinusOne) => fact.hi < 0,
        Says::Value(value) => fact.exact() == Some(number(value)),
        Says::Status(Success::Nonzero) => fact.exact() == Some(0),
        Says::Status(Success::Zero) => fact.excludes(0),
        Says::Status(Success::Nonnegative) => fact.hi < 0,
        Says::Status(Success::ZeroOrMinusOne | Success::ZeroOrNegative) => {
            fact.hi < 0 || fact.excludes(0)
        }
        Says::Status(Success::NotMinusOne) => matches!(fact.exact(), Some(-1 | 0xFFFF_FFFF)),
    };
    let succeeded = match says {
        Says::Nothing => false,
        Says::Value(Sentinel::MinusOne) => fact.lo >= 0 || fact.excludes(-1),
        Says::Value(value) => fact.excludes(number(value)),
        Says::Status(Success::Nonzero) => fact.excludes(0),
        Says::Status(Success::Nonnegative) => fact.lo >= 0,
        Says::Status(Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative) => {
            fact.exact() == Some(0)
        }
        Says::Status(Success::NotMinusOne) => {
            fact.exact().is_some() || (fact.excludes(-1) && fact.excludes(0xFFFF_FFFF))
        }
    };
    match (failed, succeeded) {
        (true, _) => Went::Failed,
        (false, true) => Went::Succeeded,
        _ => Went::Maybe,
    }
}

impl<'p> Exec<'p, '_> {
    /// A modelled call runs, and yields this result.
    pub(crate) fn model_changes_error(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
        dropped: bool,
    ) {
        match model.error {
            ErrorEffect::Keeps => return,
            ErrorEffect::Reads => {
                let which = match last(api) {
                    "last_os_error" => None,
                    _ => Some(ErrorStore::LastError),
                };
                self.asks_for_error(state, api, which, result);
                return;
            }
            ErrorEffect::Sets => {
                self.error_is_set(state, args.first().copied());
                return;
            }
            ErrorEffect::MayChange | ErrorEffect::AlsoOnSuccess => {}
        }
        let Some(store) = model.error_store() else {
            return;
        };
        let made = model.acquires.iter().find(|a| a.at == Slot::Result);
        let says = match (made.and_then(|a| a.failure), model.success) {
            (Some(value), _) => Says::Value(value),
            (None, Some(success)) => Says::Status(success),
            (None, None) => Says::Nothing,
        };
        let call = Call {
            api: api.clone(),
            span: self.span,
            within: None,
            judge: Some(result),
            says,
            went: Went::Unjudged,
            judged_at: None,
            dropped,
            leaves: model.leaves_error(),
            also_on_success: model.error == ErrorEffect::AlsoOnSuccess,
            releases: !model.releases.is_empty(),
            store,
        };
        state.error.push(&call);
    }

    /// Code runs that is not seen: by its name it writes or frees something, or nothing is known of it.
    pub(crate) fn unseen_changes_error(&mut self, state: &mut State, callee: &Callee) {
        let name = match callee {
            Callee::Function(name) | Callee::Method { name, .. } => name,
            Callee::Constructor(_) | Callee::New(_) | Callee::Pointer(_) => {
                state.error.forget();
                return;
            }
        };
        let short = last(name);
        if speaks_of_looking(short) {
            return;
        }
        if !speaks_of_output(short) {
            state.error.forget();
            return;
        }
        let call = Call {
            api: short.into(),
            span: self.span,
            within: None,
            judge: None,
            says: Says::Nothing,
            went: Went::Succeeded,
            judged_at: None,
            dropped: true,
            leaves: false,
            also_on_success: false,
            releases: false,
            store: ErrorStore::Errno,
        };
        state.error.push(&call);
    }

    /// `SetLastError`: who is told the error that was there when the function was called leaves it so.
    fn error_is_set(&mut self, state: &mut State, v: Option<ValId>) {
        let given = state.error.asked.iter().any(|asked| Some(asked.v) == v);
        match given {
            true => state.error.set_ways(vec![Way::default()]),
            false => state.error.forget(),
        }
    }

    /// A condition looked at these values.
    pub(crate) fn judge_error(&self, state: &mut State, parts: &[ValId]) {
        let concerned = |call: &Call| call.judge.is_some_and(|judge| parts.contains(&judge));
        let ways = state.error.ways.as_deref();
        if !ways.is_some_and(|ways| ways.iter().flat_map(|way| &way.calls).any(concerned)) {
            return;
        }
        let facts = state.facts.clone();
        for way in state.error.ways_mut() {
            for call in way.calls.iter_mut().filter(|call| concerned(call)) {
                let Some(judge) = call.judge else { continue };
                let now = went(call.says, facts.get(judge));
                if now != call.went {
                    call.judged_at = Some(self.span);
                }
                call.went = now;
            }
        }
    }

    /// Somebody asks for the error and is told this value.
    fn asks_for_error(
        &mut self,
        state: &mut State,
        api: &Name,
        which: Option<ErrorStore>,
        v: ValId,
    ) {
        let asked = Asked {
            v,
            api: api.clone(),
            span: self.span,
            which,
        };
        self.answer(state, asked);
    }

    fn answer(&mut self, state: &mut State, asked: Asked) {
        let which = asked.which;
        let mut of: Option<Option<ErrorOf>> = None;
        let mut given = false;
        for way in state.error.ways() {
            let known = way.calls.iter().rfind(|call| {
                call.leaves_in(which) && (call.went == Went::Failed || call.may_be_meant())
            });
            let this = known.and_then(|call| {
                Some(ErrorOf {
                    api: call.api.clone(),
                    judge: call.judge?,
                    span: call.span,
                })
            });
            given |= !way.unknown && !way.calls.iter().any(|call| call.concerns(which));
            of = match of {
                None => Some(this),
                Some(known) if known == this => Some(known),
                Some(_) => Some(None),
            };
        }
        match of.flatten() {
            Some(of) => state.error_of.insert(asked.v, of),
            None => state.error_of.remove(asked.v),
        }
        if given && !state.error.asked.contains(&asked) {
            Rc::make_mut(&mut state.error.asked).push(asked);
        }
    }

    /// What an end tells the callers: `has` are values that they get.
    pub(crate) fn error_end(&self, state: &State, has: &dyn Fn(ValId) -> bool) -> ErrorEnd {
        let mut ways = state.error.ways().to_vec();
        for call in ways.iter_mut().flat_map(|way| &mut way.calls) {
            let told = call.judge.is_some_and(has);
            if !told {
                // Nobody will ask it any more.
                call.dropped |= call.went == Went::Unjudged;
                call.judge = call.judge.filter(|_| call.went == Went::Failed);
            }
        }
        let of = state.error_of.iter().filter(|(v, _)| has(*v));
        ErrorEnd {
            ways,
            asked: state.error.asked.to_vec(),
            of: of.map(|(v, of)| (v, of.clone())).collect(),
        }
    }

    /// What a called function did with the error, on a path through it.
    pub(crate) fn replay_error(&mut self, state: &mut State, end: &ErrorEnd, by: (&Name, Span)) {
        for asked in &end.asked {
            self.answer(state, asked.clone());
        }
        for (v, of) in &end.of {
            state.error_of.insert(*v, of.clone());
        }
        if let [only] = &end.ways[..]
            && *only == Way::default()
        {
            return;
        }
        let mut ways = Vec::new();
        for before in state.error.ways() {
            for way in &end.ways {
                let mut way = way.clone();
                for call in &mut way.calls {
                    call.within = Some((by.0.clone(), by.1));
                }
                add_ways(&mut ways, &[way.after(before)]);
            }
        }
        state.error.set_ways(ways);
    }
}

impl ErrorEnd {
    /// Another path ends in the same way.
    pub(crate) fn join(&mut self, other: &Self) {
        add_ways(&mut self.ways, &other.ways);
        if self.ways.len() > MOST_WAYS {
            self.ways = vec![Way {
                unknown: true,
                calls: Vec::new(),
            }];
        }
        for asked in &other.asked {
            if !self.asked.contains(asked) {
                self.asked.push(asked.clone());
            }
        }
        self.of.retain(|of| other.of.contains(of));
    }

    /// Every value that it speaks of.
    pub(crate) fn values(&self) -> Vec<ValId> {
        let calls = self.ways.iter().flat_map(|way| &way.calls);
        let of = self.of.iter().flat_map(|(v, of)| [*v, of.judge]);
        let asked = self.asked.iter().map(|asked| asked.v);
        calls
            .filter_map(|call| call.judge)
            .chain(of)
            .chain(asked)
            .collect()
    }

    /// Gives every value another name.
    pub(crate) fn rename(&mut self, val: &mut dyn FnMut(ValId) -> ValId) {
        for call in self.ways.iter_mut().flat_map(|way| &mut way.calls) {
            call.judge = call.judge.map(&mut *val);
        }
        for asked in &mut self.asked {
            asked.v = val(asked.v);
        }
        for (v, of) in &mut self.of {
            *v = val(*v);
            of.judge = val(of.judge);
        }
    }
}
