//! What an output format is, and the list of them.

use std::io::{self, BufWriter, Write};

use crate::{Report, concise::Concise, github::GitHub, human::Human, json::Json, sarif::Sarif};

/// How to write for the reader at hand. Formats for programs take no notice of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours, and links that a terminal can follow.
    pub color: bool,
    /// The columns to wrap prose at.
    pub width: usize,
}

impl Default for Style {
    /// Plain text at 100 columns.
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
        }
    }
}

/// An output format: one file each.
pub trait Format: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it is for, in half a line.
    fn about(&self) -> &'static str;

    /// Writes the report.
    fn render(&self, report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()>;
}

/// All formats, the default first.
pub fn formats() -> &'static [&'static dyn Format] {
    &[&Human, &Concise, &Json, &Sarif, &GitHub]
}

/// The format of this name.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    formats()
        .iter()
        .copied()
        .find(|format| format.name() == name)
}

/// Renders through a buffer and flushes it. When the format fails, what is still buffered is
/// dropped: no half record follows what was written.
pub fn write_report(
    format: &dyn Format,
    report: &Report<'_>,
    out: &mut dyn Write,
    style: &Style,
) -> io::Result<()> {
    let mut buffer = BufWriter::with_capacity(1 << 16, out);
    match format.render(report, &mut buffer, style) {
        Ok(()) => buffer.flush(),
        Err(error) => {
            // A plain drop would write the rest.
            let _ = buffer.into_parts();
            Err(error)
        }
    }
}
