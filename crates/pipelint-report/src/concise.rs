//! One line a finding, as compilers write it: `path:line:col: PL101 warning message [name]`.

use std::io::{self, Write};

use crate::{Format, Report, Style, escape::one_line};

/// The one-line format.
pub(crate) struct Concise;

impl Format for Concise {
    fn name(&self) -> &'static str {
        "concise"
    }

    fn about(&self) -> &'static str {
        "one line a finding"
    }

    fn render(&self, report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for diagnostic in report.diagnostics {
            let (at, _) = report.sources.positions(diagnostic.primary);
            let path = one_line(report.sources.path(diagnostic.primary.file));
            let rule = diagnostic.rule;
            let message = one_line(&diagnostic.message);
            let (code, severity, name) = (rule.code, rule.severity.as_str(), rule.name);
            let (line, column) = (at.line, at.column);
            if style.color {
                let (bold, off) = ("\x1b[1m", "\x1b[0m");
                let hue = rule.severity.ansi();
                writeln!(
                    out,
                    "{bold}{path}{off}:{line}:{column}: {hue}{code} {severity}{off} {message} [{name}]"
                )?;
            } else {
                writeln!(
                    out,
                    "{path}:{line}:{column}: {code} {severity} {message} [{name}]"
                )?;
            }
        }
        Ok(())
    }
}
