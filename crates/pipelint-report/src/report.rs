//! Everything a run has to say, in one value that every format renders.

use pipelint_source::Span;

use crate::{Diagnostic, RuleMeta, Severity, Sources};

/// The program that made the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Its home page.
    pub home: &'static str,
    /// The folder of the rules' pages, with a slash at its end.
    pub docs: &'static str,
}

impl Tool {
    /// This program. The one place that knows where the project and its documentation live.
    pub const PIPELINT: Self = Self {
        name: "pipelint",
        version: env!("CARGO_PKG_VERSION"),
        home: "https://github.com/pipelint/pipelint",
        docs: "https://github.com/pipelint/pipelint/blob/main/docs/rules/",
    };

    /// The page of a rule.
    pub fn rule_url(&self, rule: &RuleMeta) -> String {
        format!("{}{}.md", self.docs, rule.code)
    }
}

/// A region that was not understood. No rule reports on a path through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapNote {
    /// Where.
    pub span: Span,
    /// Why: a short clause.
    pub reason: String,
    /// The qualified name of the function it is in; empty outside of functions.
    pub function: String,
}

/// Something that kept the tool from its work: an unreadable file, a binary file, a broken setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemNote {
    /// How bad. At [`Severity::Error`] a part of the work asked for was not done.
    pub severity: Severity,
    /// The file it is about; empty if none.
    pub path: String,
    /// What happened.
    pub message: String,
    /// What to do; empty if there is nothing to do.
    pub help: String,
}

/// What the run went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files linted.
    pub files: usize,
    /// Of these, files parsed; the others name no function that any model knows.
    pub parsed: usize,
    /// Functions met.
    pub functions: usize,
    /// Functions in which some statements were not understood.
    pub functions_partial: usize,
    /// Functions of which nothing was understood.
    pub functions_given_up: usize,
    /// Findings silenced by a comment or a baseline.
    pub suppressed: usize,
}

/// A run's result. The order of everything is the caller's and is kept.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The program.
    pub tool: Tool,
    /// The findings.
    pub diagnostics: &'a [Diagnostic],
    /// The texts they point into.
    pub sources: &'a dyn Sources,
    /// The rules that ran.
    pub rules: &'a [&'static RuleMeta],
    /// What was not understood.
    pub gaps: &'a [GapNote],
    /// What went wrong.
    pub problems: &'a [ProblemNote],
    /// What the run went through.
    pub summary: Summary,
}

impl<'a> Report<'a> {
    /// An empty report over `sources`, to be filled in by struct update.
    pub fn new(sources: &'a dyn Sources) -> Self {
        Self {
            tool: Tool::PIPELINT,
            diagnostics: &[],
            sources,
            rules: &[],
            gaps: &[],
            problems: &[],
            summary: Summary::default(),
        }
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.rule.severity == severity)
            .count()
    }

    /// Whether all of the work asked for was done.
    pub fn complete(&self) -> bool {
        self.problems
            .iter()
            .all(|problem| problem.severity != Severity::Error)
    }

    /// The exit status: 2 if a part of the work was not done, else 1 if there are findings, else 0.
    pub fn exit_status(&self) -> u8 {
        if !self.complete() {
            2
        } else {
            u8::from(!self.diagnostics.is_empty())
        }
    }
}
