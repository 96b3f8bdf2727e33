//! The texts that spans point into.

use std::{borrow::Cow, sync::OnceLock};

use pipelint_source::{FileId, Span};

use crate::lines::{LineIndex, Position};

/// The files of a run, as the formats need them. A file that is not known has an empty text.
pub trait Sources {
    /// The path to show: relative to where the tool was run if possible, as the user knows it.
    fn path(&self, file: FileId) -> &str;

    /// The decoded text.
    fn text(&self, file: FileId) -> &str;

    /// The lines of that text; made once, whoever asks.
    fn lines(&self, file: FileId) -> &LineIndex;

    /// Where a span begins and ends (one past its last character).
    fn positions(&self, span: Span) -> (Position, Position) {
        let (text, lines) = (self.text(span.file), self.lines(span.file));
        let start = lines.position(text, span.start as usize);
        let end = lines.position(text, span.end.max(span.start) as usize);
        (start, end)
    }

    /// The text of a line (from 0), its line break excluded.
    fn line_text(&self, file: FileId, line: usize) -> &str {
        let text = self.text(file);
        text.get(self.lines(file).line_range(text, line))
            .unwrap_or_default()
    }
}

/// Texts held in memory, each with its line index made at the first question about it.
#[derive(Debug, Default)]
pub struct MemorySources<'a> {
    files: Vec<MemoryFile<'a>>,
}

#[derive(Debug)]
struct MemoryFile<'a> {
    path: Cow<'a, str>,
    text: Cow<'a, str>,
    lines: OnceLock<LineIndex>,
}

impl<'a> MemorySources<'a> {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file under the next number.
    pub fn add(&mut self, path: impl Into<Cow<'a, str>>, text: impl Into<Cow<'a, str>>) -> FileId {
        let file = FileId(self.files.len() as u32);
        self.files.push(MemoryFile {
            path: path.into(),
            text: text.into(),
            lines: OnceLock::new(),
        });
        file
    }

    fn get(&self, file: FileId) -> Option<&MemoryFile<'a>> {
        self.files.get(file.0 as usize)
    }
}

impl Sources for MemorySources<'_> {
    fn path(&self, file: FileId) -> &str {
        self.get(file).map_or("<unknown>", |file| &file.path)
    }

    fn text(&self, file: FileId) -> &str {
        self.get(file).map_or("", |file| &file.text)
    }

    fn lines(&self, file: FileId) -> &LineIndex {
        static EMPTY: OnceLock<LineIndex> = OnceLock::new();
        match self.get(file) {
            Some(file) => file.lines.get_or_init(|| LineIndex::new(&file.text)),
            None => EMPTY.get_or_init(|| LineIndex::new("")),
        }
    }
}
