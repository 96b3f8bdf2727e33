//! What was not understood, and why.

use pipelint_source::Span;

use crate::Name;

/// Why a region was not lowered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// The grammar found no parse.
    Syntax,
    /// A construct the front end does not lower; the grammar's name for it.
    Unsupported(Name),
    /// Nested deeper than the front end follows.
    TooDeep,
    /// A function or file larger than the front end takes.
    TooLarge,
    /// The analysis met a bound on states, steps or depth (recorded by the analysis).
    Bound(Name),
}

/// A region that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Gap {
    /// Where.
    pub span: Span,
    /// Why.
    pub reason: GapReason,
}

/// How much of a function was lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wholeness {
    /// All of it.
    Whole,
    /// Some statements are `Opaque`.
    Partial,
    /// None: the body is one `Opaque`.
    GivenUp,
}
