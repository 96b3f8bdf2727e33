//! What goes wrong around the thread's last error.

use pipelint_ir::Name;
use pipelint_source::Span;

use crate::error_ways::{Asked, Call};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;

/// A fault in how an error is asked for, or in what is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorFault {
    /// A call that may set the error stands between the failing call and the place that asks.
    Clobbered {
        /// The call between.
        by: Name,
        /// Where that call itself stands, if the function that makes it has made the failing one as well.
        origin: Option<Span>,
        /// The function of the program that makes it, where that is called.
        within: Option<Name>,
        /// The failing call and its place.
        failed: (Name, Span),
        /// The condition that shows it to have failed.
        judged: Option<Span>,
        /// What asks, and where.
        asks: (Name, Span),
    },
    /// On failure some errors are told apart, and all the others pass for success.
    FallsThrough {
        /// The I/O call.
        api: Name,
        /// The condition that shows it to have failed.
        judged: Option<Span>,
        /// Where the function is left.
        end: Span,
    },
    /// A client that was faster than the call, or that has gone, is taken for a failure.
    ConnectedMisread {
        /// The call that waits for a client.
        api: Name,
        /// The function of the program that makes it, where that is called.
        within: Option<Name>,
        /// The condition that shows it to have failed.
        judged: Option<Span>,
        /// Where the function is left.
        end: Span,
        /// It is about a client that has gone.
        gone: bool,
    },
    /// A failure that may mean that the operation is under way is taken for one.
    PendingMisread {
        /// The I/O call.
        api: Name,
        /// The condition that shows it to have failed.
        judged: Option<Span>,
        /// Where the function is left.
        end: Span,
    },
    /// A read of a part of a message is taken for a failure.
    MoreDataMisread {
        /// The I/O call.
        api: Name,
        /// The condition that shows it to have failed.
        judged: Option<Span>,
        /// Where the function is left.
        end: Span,
    },
    /// The error is asked for where the call succeeded, or nobody knows.
    Stale {
        /// The call and its place.
        call: (Name, Span),
        /// What asks.
        asks: Name,
        /// The condition that shows its success; none where its result is dropped.
        judged: Option<Span>,
    },
}

impl ErrorFault {
    /// The place by which it is told once, where that is not the event's: a function that changes the error
    /// which its callers ask for is one fault, however many they are.
    pub(crate) fn told_at(&self) -> Option<Span> {
        match self {
            Self::Clobbered { origin, .. } => *origin,
            _ => None,
        }
    }

    /// Tells the kinds apart where events are gathered.
    pub(crate) fn key(&self) -> u8 {
        match self {
            Self::Clobbered { .. } => 60,
            Self::Stale { .. } => 61,
            Self::FallsThrough { .. } => 62,
            Self::PendingMisread { .. } => 63,
            Self::ConnectedMisread { .. } => 64,
            Self::MoreDataMisread { .. } => 65,
        }
    }
}

/// The steps of a call, the call of the function that makes it first.
fn steps(call: &Call) -> Vec<PathStep> {
    let made = call.within.iter().map(|(name, span)| PathStep {
        span: *span,
        what: StepKind::Called(name.clone()),
    });
    let here = PathStep {
        span: call.span,
        what: StepKind::Passed(call.api.clone()),
    };
    let judged = call.judged_at.map(|span| PathStep {
        span,
        what: StepKind::Branch(true),
    });
    made.chain([here]).chain(judged).collect()
}

impl Exec<'_, '_> {
    /// The error that the first call left is asked for after the second one.
    pub(crate) fn error_clobbered(&mut self, failed: &Call, by: &Call, asked: &Asked) {
        let mut path = steps(failed);
        let mut between = by.clone();
        between.judged_at = None;
        path.extend(steps(&between));
        path.push(PathStep {
            span: asked.span,
            what: StepKind::Passed(asked.api.clone()),
        });
        let fault = ErrorFault::Clobbered {
            by: by.api.clone(),
            origin: (failed.within.is_some() && failed.within == by.within).then_some(by.span),
            within: by.within.as_ref().map(|(name, _)| name.clone()),
            failed: (failed.api.clone(), failed.span),
            judged: failed.judged_at,
            asks: (asked.api.clone(), asked.span),
        };
        let event = self.error_event(fault, by.at(), path);
        self.found.add(event);
    }

    /// The error is asked for where the call left none.
    pub(crate) fn error_stale(&mut self, call: &Call, asked: &Asked) {
        let mut path = steps(call);
        path.push(PathStep {
            span: asked.span,
            what: StepKind::Passed(asked.api.clone()),
        });
        let fault = ErrorFault::Stale {
            call: (call.api.clone(), call.span),
            asks: asked.api.clone(),
            judged: call.judged_at,
        };
        let event = self.error_event(fault, self.at(), path);
        self.found.stale_errors.push(event);
    }

    fn error_event(&self, fault: ErrorFault, at: Span, path: Vec<PathStep>) -> Event {
        Event {
            kind: EventKind::LastError(fault),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}
