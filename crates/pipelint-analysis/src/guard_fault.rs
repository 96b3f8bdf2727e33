//! What is wrong with how long a guard holds its lock.

use pipelint_ir::Name;

/// What a guard that ends at once does to its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Takes {
    /// Takes it, and gives it back at once.
    Lock,
    /// Takes it if it is free, and gives it back at once.
    Attempt,
    /// Does not take it: it was told not to, or nobody waits for the future that would.
    Nothing,
}

/// A fault of a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardFault {
    /// It ends with the statement that makes it.
    DroppedAtOnce {
        /// The lock, as written; empty where it has no name.
        lock: Name,
        /// The type of the guard, its last segment.
        guard: Name,
        /// What it does meanwhile.
        takes: Takes,
        /// In C++, the statement is one that declares a variable where it is written with parentheses.
        declares: bool,
        /// Rust.
        rust: bool,
    },
    /// Rust: it is alive where a task waits.
    AcrossAwait {
        /// The lock, as written; empty where it has no name.
        lock: Name,
        /// The type of the guard, its last segment.
        guard: Name,
        /// The variable; empty for a temporary.
        variable: Name,
    },
}

impl GuardFault {
    /// Tells kinds of fault apart.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::DroppedAtOnce { .. } => 0,
            Self::AcrossAwait { .. } => 1,
        }
    }
}
