//! What is wrong with how a lock is taken and given back.

use pipelint_ir::Name;
use pipelint_source::Span;

/// A fault of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockFault {
    /// The path takes a lock that it holds, and that cannot be taken twice.
    Again {
        /// The lock.
        lock: Name,
        /// The call that takes it again.
        api: Name,
        /// The call that took it first, and where.
        first: (Name, Span),
    },
    /// The path gives back a lock that it does not hold.
    NotHeld {
        /// The lock.
        lock: Name,
        /// The call that gives it back.
        api: Name,
        /// The call that gave it back before, and where; none where nobody has taken it since it was made.
        before: Option<(Name, Span)>,
    },
    /// The function is left with the lock held.
    Kept {
        /// The lock.
        lock: Name,
        /// The call that took it.
        api: Name,
        /// Another way out gives it back.
        elsewhere: bool,
        /// A guard holds it that never ends.
        forgotten: bool,
        /// The function of the program that took it, and was called here.
        by: Option<Name>,
    },
}

impl LockFault {
    /// Events of other numbers are other faults.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Again { .. } => 0,
            Self::NotHeld { .. } => 1,
            Self::Kept { .. } => 2,
        }
    }
}
