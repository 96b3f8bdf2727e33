//! Workflow commands, which GitHub Actions turns into annotations of the changed lines.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use crate::{Diagnostic, Format, Report, Severity, Style};

/// The workflow command format.
pub(crate) struct GitHub;

impl Format for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "annotations for GitHub Actions"
    }

    fn render(&self, report: &Report<'_>, out: &mut dyn Write, _style: &Style) -> io::Result<()> {
        for diagnostic in report.diagnostics {
            let (start, end) = report.sources.positions(diagnostic.primary);
            write!(
                out,
                "::{} file={},line={},",
                command(diagnostic.rule.severity),
                property(report.sources.path(diagnostic.primary.file)),
                start.line,
            )?;
            // Columns of a region of several lines are refused.
            if start.line == end.line {
                let end = end.column.max(start.column);
                write!(out, "col={},endColumn={end},", start.column)?;
            }
            writeln!(
                out,
                "endLine={},title={}::{}",
                end.line,
                property(&format!(
                    "{} {}",
                    diagnostic.rule.code, diagnostic.rule.name
                )),
                data(&message(report, diagnostic)),
            )?;
        }
        for problem in report.problems {
            write!(out, "::{} ", command(problem.severity))?;
            if !problem.path.is_empty() {
                write!(out, "file={},", property(&problem.path))?;
            }
            write!(out, "title=pipelint::{}", data(&problem.message))?;
            if !problem.help.is_empty() {
                write!(out, "%0A{}", data(&problem.help))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

fn message(report: &Report<'_>, diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    for (number, step) in diagnostic.path.iter().enumerate() {
        let (at, _) = report.sources.positions(step.span);
        let path = report.sources.path(step.span.file);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{}: {} ({path}:{})",
            number + 1,
            step.label,
            at.line
        );
    }
    if !diagnostic.help.is_empty() {
        let _ = write!(text, "\nhelp: {}", diagnostic.help);
    }
    text
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
