//! Diagnostics and their output formats: one file per format.
//!
//! A [`Report`] holds all that a run has to say; [`formats`] lists the ways to say it, and
//! [`write_report`] writes it. The texts come through [`Sources`], whose line indexes are shared, so
//! that the cost of a finding does not grow with its file.

mod concise;
mod diagnostic;
mod escape;
mod excerpt;
mod fingerprint;
mod format;
mod github;
mod human;
mod json;
mod lines;
mod report;
mod rule;
mod sarif;
mod sources;

pub use diagnostic::{Diagnostic, Step};
pub use fingerprint::{FINGERPRINT_KEY, fingerprints};
pub use format::{Format, Style, format, formats, write_report};
pub use json::json_schema;
pub use lines::{LineIndex, Position};
pub use report::{GapNote, ProblemNote, Report, Summary, Tool};
pub use rule::{Example, Group, RuleMeta, Severity};
pub use sources::{MemorySources, Sources};
