//! A run of the linter in this process, told in lines and codes.

use pipelint::{Input, Options, Selection};
use pipelint_report::{Severity, Sources};

use crate::writers::Target;

/// The code under which [`Linted`] lists a region that was not understood.
pub const GAP: &str = "gap";

/// A finding, or a gap, where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The path as given.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The rule's code, or `gap`.
    pub code: String,
    /// What is said.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The labels of the path, in order.
    pub path_labels: Vec<String>,
    /// The numbers of the related lines in the same file, in order.
    pub related: Vec<u32>,
}

/// What a run says.
#[derive(Debug)]
pub struct Linted {
    /// Findings and gaps, in order.
    pub found: Vec<Found>,
    /// Files that were parsed: those that name a function which a model knows.
    pub parsed: usize,
}

/// Lints texts as one program for Windows, with every rule, also the pedantic ones.
///
/// # Panics
///
/// When the selector `ALL` is not known.
pub fn lint(files: &[(String, String)]) -> Linted {
    lint_for(Target::Windows, files)
}

/// The same, with `cfg` as it is on the target.
///
/// # Panics
///
/// When the selector `ALL` is not known.
pub fn lint_for(target: Target, files: &[(String, String)]) -> Linted {
    let inputs = files
        .iter()
        .map(|(path, text)| Input {
            path: path.into(),
            text: text.clone(),
        })
        .collect();
    let options = Options {
        selection: Selection::new(&["ALL".to_owned()], &[], Severity::Note)
            .expect("ALL selects every rule"),
        target: target.cfg(),
        preprocessor: target.preprocessor(),
        ..Options::default()
    };
    let run = pipelint::lint(inputs, &options, &|| ());
    let at = |span| {
        let (start, _) = run.sources.positions(span);
        (run.sources.path(span.file).to_owned(), start)
    };
    let mut found: Vec<Found> = run
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let (path, start) = at(diagnostic.primary);
            let related = diagnostic.related.iter().map(|step| at(step.span));
            Found {
                line: start.line,
                column: start.column,
                code: diagnostic.rule.code.to_owned(),
                message: diagnostic.message.clone(),
                help: diagnostic.help.clone(),
                path_labels: diagnostic.path.iter().map(|s| s.label.clone()).collect(),
                related: related
                    .filter(|(other, _)| *other == path)
                    .map(|(_, start)| start.line)
                    .collect(),
                path,
            }
        })
        .collect();
    found.extend(run.gaps.iter().map(|gap| {
        let (path, start) = at(gap.span);
        Found {
            path,
            line: start.line,
            column: start.column,
            code: GAP.to_owned(),
            message: format!("not understood: {}", gap.reason),
            help: String::new(),
            path_labels: Vec::new(),
            related: Vec::new(),
        }
    }));
    found.sort();
    Linted {
        found,
        parsed: run.summary.parsed,
    }
}
