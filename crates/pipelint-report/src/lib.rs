//! Diagnostics and their output formats: one file per format.

mod diagnostic;
mod rule;

pub use diagnostic::{Diagnostic, Step};
pub use rule::{Example, Group, RuleMeta, Severity};
