//! Results of operations that are not heeded: the kinds of fault.

use pipelint_ir::Name;
use pipelint_source::Span;

use crate::event::Dependence;

/// What a call told of how it went is not heeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultFault {
    /// A wait that did not come to its signal is taken for one that did.
    Wait {
        /// The waiting call.
        api: Name,
        /// How.
        how: WaitTaken,
        /// Where that shows.
        shown: Span,
    },
    /// Whether an overlapped operation succeeded is dropped.
    Completion {
        /// The call that tells.
        api: Name,
        /// What builds on it.
        depends: Dependence,
        /// Where.
        shown: Span,
    },
    /// An operation failed, and the function reports success.
    SuccessAfterFailure {
        /// The call that failed.
        call: Name,
        /// Where.
        failed: Span,
        /// Where success is reported.
        returned: Span,
        /// The function looks at the call's result.
        seen: bool,
        /// What it returns was never set.
        unset: bool,
        /// The field that keeps the error and that nothing reads, and where it is put there.
        unread: Option<(Name, Span)>,
    },
    /// The failure of one operation, which a completion port tells, is taken for the port's; what the
    /// function has for it is reached on no path.
    DeadHandling {
        /// The call that takes the packet.
        api: Name,
        /// The variable with its result.
        status: Name,
        /// The variable with the packet.
        packet: Name,
        /// The call's place.
        call: Span,
        /// The test that never finds the failure.
        dead: Span,
    },
    /// A transfer gets neither a place for its count nor an OVERLAPPED.
    NoCount {
        /// The call.
        api: Name,
    },
}

/// How the outcome of a wait is misread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitTaken {
    /// The time went by, and the function goes on as after the signal.
    Late,
    /// The wait failed, and the function goes on as after the signal.
    Failed,
    /// A wait that failed is told as one whose time went by.
    FailedForLate,
    /// The result is dropped, and the function reports success.
    Dropped,
    /// The result is dropped or was none of the good ones, and this call needs a wait that succeeded.
    Needed(Name),
    /// The result is compared with 1, which it never is.
    ComparedWithOne,
}

impl ResultFault {
    /// One number for each kind.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Wait { .. } => 0,
            Self::Completion { .. } => 1,
            Self::NoCount { .. } => 2,
            Self::SuccessAfterFailure { .. } => 3,
            Self::DeadHandling { .. } => 4,
        }
    }
}
