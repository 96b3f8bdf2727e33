//! Faults of pending operations, as rules choose them.

use pipelint_ir::Name;
use pipelint_source::Span;

/// How something that the kernel uses comes to its end, or is used anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IoEnd {
    /// This variable leaves scope.
    Scope(Name),
    /// The memory is freed by this call: where this function does so, and where the code that does it stands.
    Freed(Name, Span, Span),
    /// The handle or the event is closed by this call.
    Closed(Name, Span),
    /// The OVERLAPPED is given to this call, which starts another operation.
    Started(Name, Span),
    /// The object around it ends.
    Object,
    /// The function reports success.
    Success,
}

/// A fault of an operation that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IoFault {
    /// After a request to cancel nobody waits for the completion.
    NotWaited {
        /// The cancelling call.
        cancel: Name,
        /// The call that started the operation, where it is in sight.
        started: Option<Name>,
        /// The OVERLAPPED, as a person writes it.
        overlapped: Name,
        /// What follows.
        end: IoEnd,
        /// The cancelling call itself.
        origin: Span,
        /// The calls that lead to it.
        frames: usize,
    },
    /// A cancel failed, and the code goes on as though it had not.
    CancelFailed {
        /// The cancelling call.
        cancel: Name,
        /// Its result is dropped; else it was seen to have failed.
        dropped: bool,
        /// The OVERLAPPED.
        overlapped: Name,
        /// What follows; none where the function reports success.
        end: Option<IoEnd>,
    },
    /// A cancel is given something else than a handle.
    NotAHandle {
        /// The cancelling call.
        cancel: Name,
    },
    /// An operation may be under way when its memory ends.
    Outlived {
        /// The call that started it.
        started: Name,
        /// What ends.
        end: IoEnd,
    },
    /// The count that the completion takes back is added after the start.
    CountedLate {
        /// The call that started it.
        started: Name,
        /// What the shared pointer points to.
        class: Name,
        /// Where the count is added.
        counted: Span,
        /// The function that takes it back, and where.
        taken: (Name, Span),
    },
    /// An OVERLAPPED is given to another operation before the first has completed.
    Reused {
        /// The call that started the first one, and where.
        first: (Name, Span),
        /// The call that starts the second.
        again: Name,
        /// The OVERLAPPED.
        overlapped: Name,
    },
    /// A part of the OVERLAPPED was never set.
    Unset {
        /// The part: `ov.Offset`.
        field: Name,
        /// The OVERLAPPED.
        overlapped: Name,
        /// The call that it is given to.
        api: Name,
        /// In Rust, where zeroes are made in another way.
        rust: bool,
    },
    /// The OVERLAPPED got no event, and its completion is awaited by one that nobody signals.
    NeverTied {
        /// The OVERLAPPED.
        overlapped: Name,
        /// The call that it is given to.
        api: Name,
        /// The event.
        event: Name,
    },
    /// The handle, or the event, is closed while the operation may be under way.
    ClosedWhilePending {
        /// The call that started it.
        started: Name,
        /// The closing call.
        closer: Name,
    },
    /// The event is reset after the start of the operation that signals it.
    ResetAfterStart {
        /// The call that started it.
        started: Name,
        /// The resetting call.
        api: Name,
        /// That call itself.
        origin: Span,
        /// The calls that lead to it.
        frames: usize,
    },
    /// A cancel of what this thread started, in a function that starts nothing.
    OfThread {
        /// The cancelling call.
        cancel: Name,
    },
    /// The OVERLAPPED is a temporary that ends with the statement.
    Temporary {
        /// The call that it is given to.
        api: Name,
    },
}

impl IoFault {
    /// Where the memory of the operation is freed, if that is the fault, or what makes it one.
    pub(crate) fn freed_at(&self) -> Option<Span> {
        let end = match self {
            Self::Outlived { end, .. } | Self::NotWaited { end, .. } => Some(end),
            Self::CancelFailed { end, .. } => end.as_ref(),
            _ => None,
        };
        match end {
            Some(IoEnd::Freed(_, _, origin)) => Some(*origin),
            _ => None,
        }
    }

    /// The place by which it is told once, where that is not the event's: of a success that several
    /// functions report one after the other, the innermost is told.
    pub(crate) fn told_at(&self) -> Option<Span> {
        match self {
            Self::NotWaited {
                end: IoEnd::Success,
                origin,
                ..
            }
            | Self::ResetAfterStart { origin, .. } => Some(*origin),
            _ => None,
        }
    }

    pub(crate) fn frames(&self) -> usize {
        match self {
            Self::NotWaited { frames, .. } | Self::ResetAfterStart { frames, .. } => *frames,
            _ => 0,
        }
    }

    /// Tells kinds of fault apart.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::NotWaited { .. } => 0,
            Self::CancelFailed { .. } | Self::NotAHandle { .. } => 1,
            Self::Outlived { .. } => 2,
            Self::Reused { .. } => 3,
            Self::Unset { .. } => 4,
            Self::NeverTied { .. } => 11,
            Self::ClosedWhilePending { .. } => 5,
            Self::ResetAfterStart { .. } => 6,
            Self::OfThread { .. } => 7,
            Self::Temporary { .. } => 8,
            Self::CountedLate { .. } => 9,
        }
    }
}
