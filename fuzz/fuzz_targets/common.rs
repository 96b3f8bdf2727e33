//! The whole way, from bytes to every output format.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pipelint::{Input, Options, lint};
use pipelint_report::{Report, Style, formats, write_report};

static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
    let select = ["ALL".to_owned()];
    Options {
        selection: pipelint::Selection::new(&select, &[], pipelint_report::Severity::Note)
            .expect("ALL names rules"),
        ..Options::default()
    }
});

pub fn run(name: &str, bytes: &[u8]) {
    let Ok(decoded) = pipelint_source::decode(bytes.to_vec(), Path::new(name)) else { return };
    let inputs = vec![Input { path: PathBuf::from(name), text: decoded.text }];
    let run = lint(inputs, &OPTIONS, &|| ());
    // A file the linter fails on is caught for the user's sake; here it is what we look for.
    assert!(run.problems.iter().all(|p| p.severity != pipelint_report::Severity::Error));
    let report = Report {
        diagnostics: &run.diagnostics,
        rules: OPTIONS.selection.rules(),
        gaps: &run.gaps,
        problems: &run.problems,
        summary: run.summary,
        ..Report::new(&run.sources)
    };
    for format in formats() {
        let mut out = Vec::new();
        write_report(*format, &report, &mut out, &Style { color: true, ..Style::default() })
            .expect("writing to memory does not fail");
    }
}
