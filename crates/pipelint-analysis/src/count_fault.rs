//! Faults of transferred counts, as rules choose them.

use pipelint_ir::Name;
use pipelint_source::Span;

/// What is made of a transfer whose count may be less than what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountFault {
    /// Nobody looks at the count.
    Ignored {
        /// The call that transfers, or that tells how far a transfer came.
        api: Name,
        /// The function of the program that hands the count on, where that is called.
        within: Option<Name>,
        /// It fills a buffer.
        reads: bool,
        /// An assertion looks at it, which vanishes from release builds.
        asserted: bool,
        /// The condition that shows the transfer to have succeeded.
        judged: Option<Span>,
        /// Where the buffer is used as though it were full, or the function is left.
        shown: Span,
        /// What happens there.
        taken: Taken,
    },
    /// The length that was asked for is told in place of the count.
    Wrong {
        /// The call.
        api: Name,
        /// The function of the program that hands the count on, where that is called.
        within: Option<Name>,
        /// It fills a buffer.
        reads: bool,
        /// Where the length is told.
        shown: Span,
        /// How it is told.
        told: Told,
    },
}

/// How a transfer is taken for a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The function is left, and what was not sent is lost.
    Left,
    /// What was to be sent is dropped, whatever of it was sent.
    Emptied,
    /// The buffer is used as though it were full.
    Used,
    /// The function reports success, and its caller has the buffer.
    Reported,
}

/// How a length is told for a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The function returns it.
    Returned,
    /// A position or a sum grows by it.
    Added,
    /// It is stored or passed as what was transferred.
    Passed,
}

impl CountFault {
    /// Tells the kinds apart where events are gathered.
    pub(crate) fn key(&self) -> u8 {
        match self {
            Self::Ignored { .. } => 90,
            Self::Wrong { .. } => 91,
        }
    }
}
