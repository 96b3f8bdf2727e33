//! By which ways the last error may have come to where a path stands: the calls that may have changed it, and
//! what the path knows of each.

use std::rc::Rc;

use pipelint_ir::Name;
use pipelint_models::{ErrorStore, Sentinel, Success};
use pipelint_source::Span;

use crate::exec::number;
use crate::state::Fact;
use crate::values::{StmtNo, ValId};

/// Calls that one way tells apart; older ones are forgotten.
const MOST_CALLS: usize = 8;
/// Ways that joined paths may have come by; beyond, nothing is known.
pub(crate) const MOST_WAYS: usize = 6;

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
    pub(crate) says: Says,
    pub(crate) went: Went,
    /// The condition that showed it.
    pub(crate) judged_at: Option<Span>,
    /// How many calls had been judged on the way when it was.
    pub(crate) judged: u32,
    /// Nobody receives its result.
    pub(crate) dropped: bool,
    /// It leaves an error where it fails.
    pub(crate) leaves: bool,
    /// It sets one where it succeeds, too.
    pub(crate) also_on_success: bool,
    /// It releases something.
    pub(crate) releases: bool,
    /// It is a place that asked for the error of a call that is not known.
    pub(crate) asking: bool,
    /// It failed in a function that yields nothing and says so nowhere: its callers cannot mean it.
    pub(crate) private: bool,
    pub(crate) store: ErrorStore,
    /// The statement.
    pub(crate) stmt: StmtNo,
    /// A condition stands behind it that looks at what a later call yielded.
    pub(crate) passed: bool,
    /// What was told as its error, to who has asked.
    pub(crate) told: Option<ValId>,
}

/// The calls since the error was last known to be somebody else's, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Way {
    /// What was left before them is not what was there when the function was called.
    pub(crate) unknown: bool,
    /// The program has set the error itself: whoever asks knows what no error looks like.
    pub(crate) set: bool,
    pub(crate) calls: Vec<Call>,
}

/// A place that asks for an error which was there when the function was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What it was told.
    pub(crate) v: ValId,
    pub(crate) api: Name,
    pub(crate) span: Span,
    pub(crate) which: Option<ErrorStore>,
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
    pub(crate) ways: Option<Rc<Vec<Way>>>,
    pub(crate) asked: Rc<Vec<Asked>>,
}

impl Call {
    /// It may be the one whose error is asked for.
    pub(crate) fn may_be_meant(&self) -> bool {
        let open = match self.went {
            Went::Failed | Went::Maybe => true,
            Went::Unjudged => !self.dropped,
            Went::Succeeded | Went::Settled => false,
        };
        self.leaves && open && !self.private
    }

    /// A condition of the function that made it has seen it fail.
    pub(crate) fn is_judged(&self) -> bool {
        self.went == Went::Failed && self.judged_at.is_some()
    }

    /// Its callers do not hear of it.
    pub(crate) fn keep_private(&mut self) {
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
    pub(crate) fn unasked(api: Name, span: Span, store: ErrorStore) -> Self {
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
    pub(crate) fn of_asking(asked: &Asked) -> Self {
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
    pub(crate) fn is_asking(&self) -> bool {
        self.asking
    }

    /// It only writes or frees something: nobody asks for its error.
    pub(crate) fn is_output(&self) -> bool {
        !self.leaves || self.api.starts_with("FormatMessage")
    }

    pub(crate) fn concerns(&self, which: Option<ErrorStore>) -> bool {
        match which {
            // The C runtime is made of the system's calls.
            Some(ErrorStore::LastError) | None => true,
            Some(ErrorStore::Errno) => self.store == ErrorStore::Errno,
        }
    }

    /// Its error is found there.
    pub(crate) fn leaves_in(&self, which: Option<ErrorStore>) -> bool {
        self.leaves && which.is_none_or(|which| which == self.store)
    }
}

impl Way {
    /// How many calls were judged on it.
    pub(crate) fn judged(&self) -> u32 {
        self.calls.iter().map(|call| call.judged).max().unwrap_or(0)
    }

    pub(crate) fn push(&mut self, call: Call) {
        if self.calls.len() >= MOST_CALLS {
            let kept = self.calls.iter().rposition(|c| c.went == Went::Failed);
            let gone = kept.map_or(0, |at| usize::from(at == 0));
            self.calls.remove(gone.min(self.calls.len() - 1));
            self.unknown = true;
        }
        self.calls.push(call);
    }

    /// What happens after another way.
    pub(crate) fn after(&self, before: &Self) -> Self {
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
    pub(crate) fn ways(&self) -> &[Way] {
        const BEGUN: &[Way] = &[Way {
            unknown: false,
            set: false,
            calls: Vec::new(),
        }];
        self.ways.as_ref().map_or(BEGUN, |ways| ways)
    }

    pub(crate) fn ways_mut(&mut self) -> &mut Vec<Way> {
        Rc::make_mut(
            self.ways
                .get_or_insert_with(|| Rc::new(vec![Way::default()])),
        )
    }

    pub(crate) fn push(&mut self, call: &Call) {
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
    pub(crate) fn forget(&mut self) {
        *self.ways_mut() = vec![Way {
            unknown: true,
            set: false,
            calls: Vec::new(),
        }];
    }

    pub(crate) fn set_ways(&mut self, ways: Vec<Way>) {
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

pub(crate) fn add_ways(ways: &mut Vec<Way>, others: &[Way]) {
    for way in others {
        if !ways.contains(way) {
            ways.push(way.clone());
        }
    }
}

/// What is known of a result says how the call went.
pub(crate) fn went(says: Says, fact: Option<&Fact>) -> Went {
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
