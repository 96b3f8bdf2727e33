//! What a rule says: one fault, its place, its path, what to do.

use pipelint_source::Span;

use crate::RuleMeta;

/// A labelled place on the path, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub span: Span,
    /// What happens there: a short clause without a full stop.
    pub label: String,
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The rule that reports it.
    pub rule: &'static RuleMeta,
    /// Where the programmer must change something.
    pub primary: Span,
    /// The label at the primary place: a short clause.
    pub label: String,
    /// What happens: one sentence that names the variable and the call.
    pub message: String,
    /// The path that proves it, in the order of execution. It may hold the primary place.
    pub path: Vec<Step>,
    /// Further places that matter but are on no path (other uses), in source order.
    pub related: Vec<Step>,
    /// What to do; can be typed in.
    pub help: String,
    /// The qualified name of the function it is in; part of the fingerprint.
    pub function: String,
}
