//! The thread's last error and `errno`: on each path, which calls may have left it, which of them is
//! known to have failed, and who asks.

use std::rc::Rc;

use pipelint_ir::{Base, Callee, FunctionKind, Name, PlaceId, Statement};
use pipelint_models::{ErrorEffect, ErrorStore, FunctionModel, Sentinel, Slot, Success};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::exec::{Exec, number};
use crate::log::{Action, each};
use crate::owners::OwnerType;
use crate::program::{FnRef, Target, last};
use crate::state::{Fact, State};
use crate::values::{StmtNo, Sym, Val, ValId};
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
    /// It failed, and which error that was is known and dealt with.
    Settled,
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
    /// How many calls had been judged on the way when it was.
    judged: u32,
    /// Nobody receives its result.
    dropped: bool,
    /// It leaves an error where it fails.
    leaves: bool,
    /// It sets one where it succeeds, too.
    also_on_success: bool,
    /// It releases something.
    releases: bool,
    /// It is a place that asked for the error of a call that is not known.
    asking: bool,
    /// It failed in a function that yields nothing and says so nowhere: its callers cannot mean it.
    private: bool,
    store: ErrorStore,
    /// The statement.
    stmt: StmtNo,
    /// A condition stands behind it that looks at what a later call yielded.
    passed: bool,
    /// What was told as its error, to who has asked.
    told: Option<ValId>,
}

/// The calls since the error was last known to be somebody else's, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// What was left before them is not what was there when the function was called.
    unknown: bool,
    /// The program has set the error itself: whoever asks knows what no error looks like.
    set: bool,
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
            Went::Succeeded | Went::Settled => false,
        };
        self.leaves && open && !self.private
    }

    /// A condition of the function that made it has seen it fail.
    fn is_judged(&self) -> bool {
        self.went == Went::Failed && self.judged_at.is_some()
    }

    /// Its callers do not hear of it.
    fn keep_private(&mut self) {
        self.private = true;
        self.judge = None;
        self.judged_at = None;
        self.judged = 0;
        self.told = None;
    }

    /// Where it shows in the function that is run.
    pub(crate) fn at(&self) -> Span {
        self.within.as_ref().map_or(self.span, |(_, at)| *at)
    }

    /// A call that may change the error, and that nobody asks how it went.
    fn unasked(api: Name, span: Span, store: ErrorStore) -> Self {
        Self {
            api,
            span,
            within: None,
            judge: None,
            says: Says::Nothing,
            went: Went::Succeeded,
            judged_at: None,
            judged: 0,
            dropped: true,
            leaves: false,
            also_on_success: false,
            releases: false,
            asking: false,
            private: false,
            store,
            stmt: 0,
            passed: false,
            told: None,
        }
    }

    /// Asking for an error shows that there is one, whosever it is.
    fn of_asking(asked: &Asked) -> Self {
        Self {
            went: Went::Failed,
            leaves: true,
            asking: true,
            ..Self::unasked(
                asked.api.clone(),
                asked.span,
                asked.which.unwrap_or(ErrorStore::LastError),
            )
        }
    }

    /// Nothing but a place that asked.
    fn is_asking(&self) -> bool {
        self.asking
    }

    /// It only writes or frees something: nobody asks for its error.
    fn is_output(&self) -> bool {
        !self.leaves || self.api.starts_with("FormatMessage")
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
    /// How many calls were judged on it.
    fn judged(&self) -> u32 {
        self.calls.iter().map(|call| call.judged).max().unwrap_or(0)
    }

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
        let judged = before.judged();
        for call in &self.calls {
            let mut call = call.clone();
            if call.judged > 0 {
                call.judged += judged;
            }
            whole.push(call);
        }
        whole
    }
}

impl LastError {
    fn ways(&self) -> &[Way] {
        const BEGUN: &[Way] = &[Way {
            unknown: false,
            set: false,
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

    /// Somebody was told the error of the call that stands there.
    pub(crate) fn was_asked(&self, at: Span) -> bool {
        let mut calls = self.ways().iter().flat_map(|way| &way.calls);
        calls.any(|call| call.at() == at && call.told.is_some())
    }

    /// A `Result` has the error that the call left which yielded this.
    pub(crate) fn in_result(&mut self, judge: ValId, v: ValId) -> Option<ErrorOf> {
        let mut of = None;
        for call in self.ways_mut().iter_mut().flat_map(|way| &mut way.calls) {
            if call.judge == Some(judge) && call.leaves_in(None) {
                call.told = Some(v);
                of = Some(ErrorOf {
                    api: call.api.clone(),
                    judge,
                    span: call.span,
                });
            }
        }
        of
    }

    /// Code ran of which nothing is known.
    fn forget(&mut self) {
        *self.ways_mut() = vec![Way {
            unknown: true,
            set: false,
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
            // A caller is told of what every path asks.
            Rc::make_mut(&mut self.asked).retain(|asked| other.asked.contains(asked));
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
            let none = fact.excludes(-1) && fact.excludes(0xFFFF_FFFF);
            fact.exact().is_some() || (none && fact.hi >= 0)
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
                self.error_is_set(state, args.first().copied(), ErrorStore::LastError);
                return;
            }
            ErrorEffect::MayChange | ErrorEffect::KeepsErrno | ErrorEffect::AlsoOnSuccess => {}
        }
        let Some(mut store) = model.error_store().filter(|_| !model.asserts) else {
            return;
        };
        // That a failed creation is let go is another fault, and told.
        let empty = |v: &ValId| {
            let exact = state.facts.get(*v).and_then(Fact::exact);
            matches!(self.arena.as_int(*v).or(exact), Some(0 | -1))
        };
        let mut released = model.releases.iter().filter_map(|r| args.get(r.arg));
        if released.any(empty) {
            return;
        }
        if model.error == ErrorEffect::KeepsErrno {
            store = ErrorStore::LastError;
        }
        if store == ErrorStore::Errno && model.success.is_some() && !model.leaves_error() {
            // It returns what went wrong.
            return;
        }
        // Given no room for what it is to fill, a call is meant to fail, and to tell how much it takes.
        let empty = |n: &usize| {
            args.get(*n)
                .is_some_and(|v| self.arena.as_int(*v) == Some(0))
        };
        let asks_size = model.fills.iter().any(empty) && model.io.is_none();
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
            judged: 0,
            dropped,
            leaves: model.leaves_error(),
            also_on_success: model.error == ErrorEffect::AlsoOnSuccess || asks_size,
            releases: !model.releases.is_empty(),
            asking: false,
            private: false,
            store,
            stmt: self.stmt,
            passed: false,
            told: None,
        };
        state.error.push(&call);
    }

    /// Code runs that is not seen: by its name it writes or frees something, or nothing is known of it.
    pub(crate) fn unseen_changes_error(
        &mut self,
        state: &mut State,
        callee: &Callee,
        received: bool,
    ) {
        let name = match callee {
            Callee::Function(name) | Callee::Method { name, .. } => name,
            Callee::Constructor(_) | Callee::New(_) | Callee::Pointer(_) => {
                state.error.forget();
                return;
            }
        };
        let short = last(name);
        // `LOG(ERROR) << …` has written nothing yet. (Of `errno` who logs takes care more often than not.)
        if speaks_of_looking(short) || (speaks_of_output(short) && received) {
            return;
        }
        if !speaks_of_output(short) {
            state.error.forget();
            return;
        }
        let call = Call::unasked(short.into(), self.span, ErrorStore::LastError);
        state.error.push(&call);
    }

    /// An owner releases what it holds.
    pub(crate) fn owner_changes_error(&self, state: &mut State, owner: &OwnerType<'_>, by: &Name) {
        let models = self.program.models;
        let kind = owner.kind.as_deref().and_then(|kind| models.resource(kind));
        let release = kind.and_then(|kind| models.function(&kind.release));
        let changes = release.filter(|model| model.error == ErrorEffect::MayChange);
        let Some(store) = changes.and_then(FunctionModel::error_store) else {
            return;
        };
        if !owner.model.keeps_error {
            let call = Call::unasked(by.clone(), self.span, store);
            state.error.push(&call);
        }
    }

    /// The memory of a box is given back to the system.
    pub(crate) fn box_changes_error(&self, state: &mut State) {
        let call = Call::unasked("Box".into(), self.span, ErrorStore::LastError);
        state.error.push(&call);
    }

    /// `SetLastError`: who is told the error that was there when the function was called leaves it so.
    fn error_is_set(&self, state: &mut State, v: Option<ValId>, which: ErrorStore) {
        if which == ErrorStore::Errno {
            // Who puts it back has asked for nothing.
            Rc::make_mut(&mut state.error.asked).retain(|asked| Some(asked.v) != v);
            for way in state.error.ways_mut() {
                way.calls.retain(|call| call.store == ErrorStore::LastError);
            }
            return;
        }
        let given = state.error.asked.iter().any(|asked| Some(asked.v) == v);
        if given {
            Rc::make_mut(&mut state.error.asked).retain(|asked| Some(asked.v) != v);
            state.error.set_ways(vec![Way::default()]);
            return;
        }
        let of = v.and_then(|v| state.error_of.get(v)).map(|of| of.judge);
        if of.is_none() {
            state.error.forget();
            state
                .error
                .ways_mut()
                .iter_mut()
                .for_each(|way| way.set = true);
            return;
        }
        for way in state.error.ways_mut() {
            match way.calls.iter().rposition(|call| call.judge == of) {
                Some(at) => way.calls.truncate(at + 1),
                None => {
                    way.calls.clear();
                    way.unknown = true;
                }
            }
        }
    }

    /// A function that never returns asks for the error before it does anything else.
    pub(crate) fn asks_before_it_ends(&mut self, state: &mut State, f: FnRef) {
        let program = self.program;
        let function = program.function(f);
        let Some(block) = function.blocks.first() else {
            return;
        };
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
                return;
            };
            if model.error == ErrorEffect::Keeps {
                continue;
            }
            let (ErrorEffect::Reads, Callee::Function(name)) = (model.error, callee) else {
                return;
            };
            let span = function.map.stmts.first().and_then(|stmts| stmts.get(i));
            let asked = Asked {
                v: self.fresh(state, 90),
                api: last(name).into(),
                span: span.copied().unwrap_or(self.span),
                which: (last(name) != "last_os_error").then_some(ErrorStore::LastError),
            };
            self.answer(state, asked);
            return;
        }
    }

    /// A condition looks at what a call yielded that keeps its errors elsewhere.
    fn pass_by(&self, state: &mut State, parts: &[ValId]) {
        let made = |v: &ValId| match self.arena.get(*v) {
            Val::Sym(Sym::Call { stmt, .. } | Sym::Inner { stmt, .. }) => Some(*stmt),
            _ => None,
        };
        let Some(latest) = parts
            .iter()
            .filter(|v| state.error_of.get(**v).is_none())
            .filter_map(made)
            .max()
        else {
            return;
        };
        let open = |call: &Call| call.dropped && !call.passed && call.stmt < latest;
        let ways = state.error.ways.as_deref();
        if ways.is_some_and(|ways| ways.iter().filter_map(|way| way.calls.last()).any(open)) {
            let ways = state.error.ways_mut().iter_mut();
            for call in ways.filter_map(|way| way.calls.last_mut()) {
                call.passed |= call.stmt < latest;
            }
        }
    }

    /// A condition looked at these values.
    pub(crate) fn judge_error(&self, state: &mut State, parts: &[ValId]) {
        self.pass_by(state, parts);
        let has = |v: Option<ValId>| v.is_some_and(|v| parts.contains(&v));
        let concerned = |call: &Call| has(call.judge) || has(call.told);
        let ways = state.error.ways.as_deref();
        if !ways.is_some_and(|ways| ways.iter().flat_map(|way| &way.calls).any(concerned)) {
            return;
        }
        let facts = state.facts.clone();
        for way in state.error.ways_mut() {
            let mut judged = way.judged();
            for call in way.calls.iter_mut().filter(|call| concerned(call)) {
                if let Some(told) = call.told.filter(|told| parts.contains(told)) {
                    if facts.get(told).is_some_and(|fact| fact.exact().is_some()) {
                        call.went = Went::Settled;
                    }
                    continue;
                }
                let Some(judge) = call.judge else { continue };
                let now = went(call.says, facts.get(judge));
                if now != call.went {
                    call.judged_at = Some(self.span);
                    judged += 1;
                    call.judged = judged;
                }
                call.went = now;
            }
        }
    }

    /// A checking macro looks at a value; what is streamed into it is made only where that is bad.
    pub(crate) fn error_is_checked(&self, state: &mut State, v: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for way in state.error.ways_mut() {
            for call in &mut way.calls {
                if call.judge.is_some_and(|judge| parts.contains(&judge)) {
                    call.went = Went::Maybe;
                }
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

    /// `errno` is read.
    pub(crate) fn asks_for_errno(&mut self, state: &mut State, v: ValId) {
        let api = Name::new_static("errno");
        self.asks_for_error(state, &api, Some(ErrorStore::Errno), v);
    }

    /// `errno` is written.
    pub(crate) fn errno_is_set(&mut self, state: &mut State, place: PlaceId) {
        if matches!(&self.function.places[place].base, Base::Global(name) if name == "errno") {
            let loc = self.place(state, place);
            let v = state.env.get(loc).copied();
            self.error_is_set(state, v, ErrorStore::Errno);
        }
    }

    fn answer(&mut self, state: &mut State, asked: Asked) {
        let which = asked.which;
        let known = state.error.clone();
        for way in known.ways() {
            self.tell_way(way, &asked);
        }
        let mut of: Option<Option<ErrorOf>> = None;
        let mut given = false;
        for way in state.error.ways() {
            let known = way
                .calls
                .iter()
                .rfind(|call| call.leaves_in(which) && !call.is_asking() && call.may_be_meant());
            let this = known.and_then(|call| {
                Some(ErrorOf {
                    api: call.api.clone(),
                    judge: call.judge?,
                    span: call.span,
                })
            });
            let others = |call: &Call| call.concerns(which) && !call.is_asking();
            given |= !way.unknown && !way.calls.iter().any(others);
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
        let asking = Call::of_asking(&asked);
        for way in state.error.ways_mut() {
            let failed = |call: &&mut Call| call.leaves_in(which) && call.went == Went::Failed;
            if let Some(call) = way.calls.iter_mut().rfind(failed) {
                call.told = Some(asked.v);
            }
            let nobody = |call: &Call| !call.leaves_in(which);
            if way.calls.iter().all(nobody) && (given || way.unknown) {
                way.push(asking.clone());
            }
        }
        if given && !state.error.asked.contains(&asked) {
            Rc::make_mut(&mut state.error.asked).push(asked);
        }
    }

    /// One way to a place that asks: what stands between it and the call that is meant.
    fn tell_way(&mut self, way: &Way, asked: &Asked) {
        let which = asked.which;
        let failed =
            |call: &Call| call.went == Went::Failed && call.leaves_in(which) && !call.private;
        // What was judged last is what is meant.
        let numbered = way.calls.iter().enumerate();
        let known = numbered
            .filter(|(_, call)| failed(call))
            .max_by_key(|(at, call)| (call.judged, *at));
        let Some(at) = known.map(|(at, _)| at) else {
            self.tell_stale(way, asked);
            return;
        };
        let here = self.at();
        self.found.errors_asked.insert(here);
        let later: Vec<&Call> = way.calls[at + 1..]
            .iter()
            .filter(|c| c.concerns(which))
            .collect();
        // What was looked at for itself may be what is meant.
        let meant = |call: &&&Call| {
            if call.private {
                return false;
            }
            if call.judged > 0 && call.judged < way.calls[at].judged {
                return false;
            }
            let judged = call.went != Went::Unjudged && call.judge.is_some();
            let judged = judged && !(call.is_output() && call.went == Went::Succeeded);
            call.leaves_in(which) && !call.is_asking() && (judged || call.may_be_meant())
        };
        if later.iter().find(meant).is_some() {
            return;
        }
        // What succeeds leaves `errno` alone more often than not.
        let changes = |call: &&&Call| {
            let kept = which == Some(ErrorStore::Errno)
                && call.judge.is_some()
                && call.went == Went::Succeeded;
            !kept && !call.is_asking()
        };
        let Some(by) = later.iter().find(changes) else {
            return;
        };
        // That there is an error is known by nothing but that it was asked for.
        let unknown = way.calls[at].is_asking();
        let may_fail = |call: &&Call| !call.is_asking() && !call.is_output();
        if unknown && later.iter().any(may_fail) {
            return;
        }
        self.error_clobbered(&way.calls[at], by, asked);
    }

    /// No call on this way failed, and the last one is known to have succeeded, or nobody asked it.
    fn tell_stale(&mut self, way: &Way, asked: &Asked) {
        let which = asked.which;
        let mut calls = way.calls.iter().rev().filter(|call| call.concerns(which));
        let stale = calls.next().filter(|_| !way.set).filter(|call| {
            let known =
                call.says != Says::Nothing && call.leaves_in(which) && !call.also_on_success;
            let none = match call.went {
                Went::Succeeded => true,
                Went::Unjudged => call.dropped && !call.releases && !call.passed,
                _ => false,
            };
            known && none && which != Some(ErrorStore::Errno) && call.within.is_none()
        });
        match stale {
            Some(call) => self.error_stale(call, asked),
            None => {
                let at = self.at();
                self.found.errors_asked.insert(at);
            }
        }
    }

    /// What an end tells the callers: `has` are values that they get.
    pub(crate) fn error_end(&self, state: &State, has: &dyn Fn(ValId) -> bool) -> ErrorEnd {
        let mut ways = state.error.ways().to_vec();
        let private = matches!(&*self.function.ret.name, "void" | "()" | "")
            && self.function.kind != FunctionKind::Constructor
            && ways.iter().flat_map(|way| &way.calls).any(Call::is_judged)
            && !self.tells_by_memory(state);
        for call in ways.iter_mut().flat_map(|way| &mut way.calls) {
            let told = call.judge.is_some_and(has);
            if !told {
                // Nobody will ask it any more.
                call.dropped |= call.went == Went::Unjudged;
                if private && call.is_judged() {
                    call.keep_private();
                }
                call.judge = call.judge.filter(|_| call.went == Went::Failed);
            }
        }
        if private {
            // What a loop does once more takes the place of what it did before.
            for way in &mut ways {
                let mut seen = FxHashSet::default();
                let mut kept: Vec<Call> = way.calls.drain(..).rev().collect();
                kept.retain(|call| seen.insert(call.span));
                way.calls.extend(kept.into_iter().rev());
            }
            let mut told: Vec<Way> = Vec::new();
            add_ways(&mut told, &ways);
            ways = told;
        }
        let of = state.error_of.iter().filter(|(v, _)| has(*v));
        ErrorEnd {
            ways,
            asked: state.error.asked.to_vec(),
            of: of.map(|(v, of)| (v, of.clone())).collect(),
        }
    }

    /// The path has written to its caller's memory, or run code that may have.
    fn tells_by_memory(&self, state: &State) -> bool {
        let mut tells = false;
        each(&state.log.steps(), &mut |action| match action {
            Action::Write { .. } => tells |= self.is_felt(action),
            Action::Havoc { .. } => tells = true,
            _ => {}
        });
        tells
    }

    /// What a called function did with the error, on a path through it.
    pub(crate) fn replay_error(&mut self, state: &mut State, end: &ErrorEnd, by: (&Name, Span)) {
        for asked in &end.asked {
            self.answer(state, asked.clone());
        }
        for (v, of) in &end.of {
            state.error_of.insert(*v, of.clone());
            self.io_handed_on(state, *v, of, by);
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
                set: false,
                calls: Vec::new(),
            }];
        }
        self.asked.retain(|asked| other.asked.contains(asked));
        self.of.retain(|of| other.of.contains(of));
    }

    /// Every value that it speaks of.
    pub(crate) fn values(&self) -> Vec<ValId> {
        let calls = self.ways.iter().flat_map(|way| &way.calls);
        let of = self.of.iter().flat_map(|(v, of)| [*v, of.judge]);
        let asked = self.asked.iter().map(|asked| asked.v);
        calls
            .flat_map(|call| [call.judge, call.told])
            .flatten()
            .chain(of)
            .chain(asked)
            .collect()
    }

    /// Gives every value another name.
    pub(crate) fn rename(&mut self, val: &mut dyn FnMut(ValId) -> ValId) {
        for call in self.ways.iter_mut().flat_map(|way| &mut way.calls) {
            call.judge = call.judge.map(&mut *val);
            call.told = call.told.map(&mut *val);
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
