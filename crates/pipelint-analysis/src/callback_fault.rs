//! Faults of callbacks that the thread pool runs, as rules choose them.

use pipelint_ir::Name;

/// What a close of an object with callbacks lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// Nobody disarmed it.
    Disarm,
    /// Nobody waited for callbacks that run.
    Wait,
    /// Neither was done.
    Both,
    /// The wait came before it was disarmed.
    Order,
}

/// A fault of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackFault {
    /// The context ends after a close that lets callbacks go on.
    Closed {
        /// The closing call.
        closer: Name,
        /// What it lacks.
        missing: Missing,
        /// The call that disarms, where one is needed.
        disarm: Option<Name>,
        /// The call that waits.
        wait: Name,
        /// The context, as a person writes it.
        context: Name,
    },
    /// The context ends while callbacks may still run.
    Freed {
        /// The context.
        context: Name,
        /// The call that made the object with the callback.
        registered: Name,
    },
    /// A callback waits for itself.
    SelfWait {
        /// The waiting call.
        waits: Name,
        /// The callback.
        callback: Name,
    },
}

impl CallbackFault {
    /// Tells kinds of fault apart.
    pub(crate) fn key(&self) -> u8 {
        match self {
            Self::Closed { .. } => 100,
            Self::Freed { .. } => 101,
            Self::SelfWait { .. } => 102,
        }
    }
}
