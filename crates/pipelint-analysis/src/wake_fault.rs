//! Faults of threads that wait to be woken, as rules choose them.

use pipelint_ir::Name;
use pipelint_source::Span;

/// A fault of a thread that waits until another one wakes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WakeFault {
    /// A path goes on after a wait though nothing has asked whether what it waits for is there.
    NoCondition {
        /// The waiting call.
        api: Name,
        /// What it waits for, as a person writes it.
        on: Name,
        /// Where the path goes on.
        then: Span,
        /// What was asked before the wait, and is used after it unasked.
        asked: Option<Name>,
    },
    /// A function that is given a condition reports it as met because the wait has ended.
    GivenConditionIgnored {
        /// The waiting call.
        api: Name,
        /// The condition.
        condition: Name,
        /// Where it is asked.
        asked: Span,
    },
    /// A path changes what others wait for, and wakes nobody.
    NobodyWoken {
        /// What it changes.
        field: Name,
        /// What the others wait on.
        on: Name,
        /// The waiting call, and where.
        waits: (Name, Span),
        /// Where another function does wake them after such a change.
        sibling: Span,
        /// Where the path is left.
        left: Span,
    },
    /// An operation fails to start whose completion would have set the event that others wait for.
    FailedStart {
        /// The event.
        on: Name,
        /// The call that starts it.
        start: Name,
        /// The waiting call, and where.
        waits: (Name, Span),
    },
}
