//! The lines of one finding, cut out of its files for miette.
//!
//! miette wants a source code it can read spans of, and its own implementations scan that from the
//! start, once for each label. An [`Excerpt`] holds only the lines a finding needs, from all its
//! files, cut through the files' line indexes: rendering costs the same in a file of any size.

use std::collections::BTreeMap;

use miette::{MietteError, SourceCode, SourceSpan, SpanContents};
use pipelint_source::{FileId, Span};

use crate::{
    Sources,
    escape::{one_line, visible},
};

/// Lines shown before and after a marked one.
const CONTEXT: usize = 1;
/// Bytes shown of one line, at most.
const LINE: usize = 200;
/// Bytes of a long line shown before its first mark.
const LEAD: usize = 60;

/// A place to mark.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    /// Where. Only the part on its first line is underlined.
    pub(crate) span: Span,
    /// What to write there.
    pub(crate) label: String,
    /// What it is to the reader.
    pub(crate) role: Role,
}

/// What a mark is to the reader; the first of two in one place wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Where something must be changed.
    Primary,
    /// A step of the path.
    Step,
    /// Another place that matters.
    Related,
}

/// A mark, placed in the excerpt.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Offset in the excerpt.
    pub(crate) start: usize,
    /// Length in the excerpt.
    pub(crate) len: usize,
    /// Column in the file, from 0.
    column: usize,
    /// Line in the file, from 0.
    line: usize,
    /// What to write.
    pub(crate) label: String,
    /// What it is.
    pub(crate) role: Role,
}

/// A run of neighbouring lines of one file.
#[derive(Debug)]
struct Chunk {
    path: String,
    /// The first line, from 0.
    line: usize,
    lines: usize,
    /// Where it lies in the excerpt.
    span: SourceSpan,
}

/// Lines of several files behind one another, and the marks in them.
#[derive(Debug)]
pub(crate) struct Excerpt {
    text: String,
    chunks: Vec<Chunk>,
    /// In the order of their offsets.
    pub(crate) marks: Vec<Placed>,
}

/// The part of a mark that is on its first line, as offsets in its file.
#[derive(Debug)]
struct Clipped {
    start: usize,
    end: usize,
    label: String,
    role: Role,
}

impl Excerpt {
    /// Cuts out the lines of `marks`. The file of the first mark comes first, the others in the
    /// order of their first marks; the lines of one file in theirs.
    pub(crate) fn new(marks: Vec<Mark>, sources: &dyn Sources) -> Self {
        let mut files: Vec<(FileId, BTreeMap<usize, Vec<Clipped>>)> = Vec::new();
        for mark in marks {
            let file = mark.span.file;
            let at = files
                .iter()
                .position(|(known, _)| *known == file)
                .unwrap_or_else(|| {
                    files.push((file, BTreeMap::new()));
                    files.len() - 1
                });
            let (line, clipped) = clip(mark, sources);
            files[at].1.entry(line).or_default().push(clipped);
        }
        let mut excerpt = Self {
            text: String::new(),
            chunks: Vec::new(),
            marks: Vec::new(),
        };
        for (file, lines) in files {
            excerpt.add_file(file, lines, sources);
        }
        excerpt
    }

    /// Whether the first frame miette draws bears the primary place.
    pub(crate) fn primary_is_in_first_run(&self) -> bool {
        let end = self.chunks.first().map_or(0, |chunk| chunk.span.len());
        self.marks
            .iter()
            .any(|mark| mark.role == Role::Primary && mark.start < end)
    }

    fn add_file(
        &mut self,
        file: FileId,
        mut marked: BTreeMap<usize, Vec<Clipped>>,
        sources: &dyn Sources,
    ) {
        let mut count = sources.lines(file).line_count();
        // The empty line behind the last line break is shown only if something is marked there.
        if sources.line_text(file, count - 1).is_empty() && !marked.contains_key(&(count - 1)) {
            count -= 1;
        }
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for &line in marked.keys() {
            let (from, to) = (
                line.saturating_sub(CONTEXT),
                (line + CONTEXT + 1).min(count),
            );
            match runs.last_mut() {
                // A single line left out would take as much room as the line itself.
                Some((_, end)) if from <= *end + 1 => *end = to,
                _ => runs.push((from, to)),
            }
        }
        for (from, to) in runs {
            let start = self.text.len();
            for line in from..to {
                let marks = merge(marked.remove(&line).unwrap_or_default());
                self.add_line(file, line, marks, sources);
            }
            self.chunks.push(Chunk {
                path: one_line(sources.path(file)).into_owned(),
                line: from,
                lines: to - from,
                span: (start, self.text.len() - start).into(),
            });
        }
    }

    fn add_line(&mut self, file: FileId, line: usize, marks: Vec<Clipped>, sources: &dyn Sources) {
        let text = sources.text(file);
        let range = sources.lines(file).line_range(text, line);
        let (mut from, mut to) = (range.start, range.end);
        if range.len() > LINE {
            let focus = marks
                .iter()
                .min_by_key(|mark| mark.role)
                .map_or(range.start, |mark| mark.start);
            from = text.floor_char_boundary(focus.saturating_sub(LEAD).max(range.start));
            to = text.floor_char_boundary((from + LINE).min(range.end));
        }
        // Offsets of the shown characters here, for the marks.
        let mut places = Vec::with_capacity(to - from + 1);
        if from > range.start {
            self.text.push('…');
        }
        for (at, c) in text.get(from..to).unwrap_or_default().char_indices() {
            places.push((from + at, self.text.len()));
            self.text.push(visible(c));
        }
        places.push((to, self.text.len()));
        if to < range.end {
            self.text.push('…');
        }
        self.text.push('\n');
        let place = |offset: usize| {
            let at = places.partition_point(|&(known, _)| known < offset);
            places[at.min(places.len() - 1)].1
        };
        for mark in marks {
            let start = place(mark.start);
            let position = sources.lines(file).position(text, mark.start);
            self.marks.push(Placed {
                start,
                len: place(mark.end).saturating_sub(start),
                column: position.column as usize - 1,
                line,
                label: mark.label,
                role: mark.role,
            });
        }
    }
}

/// Brings a mark inside its file and cuts it at the end of its first line.
fn clip(mark: Mark, sources: &dyn Sources) -> (usize, Clipped) {
    let file = mark.span.file;
    let (text, lines) = (sources.text(file), sources.lines(file));
    let start = text.floor_char_boundary(mark.span.start as usize);
    let line = lines.line_at(start);
    let range = lines.line_range(text, line);
    let start = start.min(range.end);
    let end = text
        .ceil_char_boundary(mark.span.end as usize)
        .clamp(start, range.end);
    let clipped = Clipped {
        start,
        end,
        label: mark.label,
        role: mark.role,
    };
    (line, clipped)
}

/// Orders the marks of a line, makes one of those in the same place, and ends each where the next
/// one begins: miette would push the next one's underline to the right.
fn merge(mut marks: Vec<Clipped>) -> Vec<Clipped> {
    // Stable: labels of one place stay in the order of the path.
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let mut merged: Vec<Clipped> = Vec::with_capacity(marks.len());
    for mark in marks {
        match merged.last_mut() {
            Some(last) if last.start == mark.start && last.end == mark.end => {
                last.role = last.role.min(mark.role);
                if !mark.label.is_empty() {
                    if !last.label.is_empty() {
                        last.label.push('\n');
                    }
                    last.label.push_str(&mark.label);
                }
            }
            Some(last) => {
                if last.start < mark.start {
                    last.end = last.end.min(mark.start);
                }
                merged.push(mark);
            }
            None => merged.push(mark),
        }
    }
    merged
}

impl SourceCode for Excerpt {
    /// With context: the whole run of lines that `span` lies in, so that miette draws each run in
    /// one frame. Without: the position of the mark, which miette writes on the frame.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let chunk = self
            .chunks
            .iter()
            .find(|chunk| {
                chunk.span.offset() <= span.offset()
                    && end <= chunk.span.offset() + chunk.span.len()
            })
            .ok_or(MietteError::OutOfBounds)?;
        let mark = self
            .marks
            .iter()
            .find(|mark| before == 0 && mark.start == span.offset());
        Ok(Box::new(Contents {
            data: self
                .text
                .as_bytes()
                .get(chunk.span.offset()..chunk.span.offset() + chunk.span.len())
                .unwrap_or_default(),
            chunk,
            line: mark.map_or(chunk.line, |mark| mark.line),
            column: mark.map_or(0, |mark| mark.column),
        }))
    }
}

struct Contents<'a> {
    data: &'a [u8],
    chunk: &'a Chunk,
    line: usize,
    column: usize,
}

impl<'a> SpanContents<'a> for Contents<'a> {
    fn data(&self) -> &'a [u8] {
        self.data
    }

    fn span(&self) -> &SourceSpan {
        &self.chunk.span
    }

    fn name(&self) -> Option<&str> {
        Some(&self.chunk.path)
    }

    fn line(&self) -> usize {
        self.line
    }

    fn column(&self) -> usize {
        self.column
    }

    fn line_count(&self) -> usize {
        self.chunk.lines
    }
}

#[cfg(test)]
mod tests {
    use super::{Excerpt, Mark, Role};
    use crate::MemorySources;
    use pipelint_source::Span;

    #[test]
    fn miette_is_handed_the_needed_lines_of_a_big_file_only() {
        for line in ["int a = 1;\n", "int a = 1;"] {
            let text = line.repeat(300_000);
            let mut sources = MemorySources::new();
            let file = sources.add("a.cpp", text.as_str());
            let marks = [0, 1_000_000, 2_999_990]
                .into_iter()
                .map(|start| Mark {
                    span: Span::new(file, start, start + 5),
                    label: "here".to_owned(),
                    role: Role::Step,
                })
                .collect();
            let excerpt = Excerpt::new(marks, &sources);
            assert_eq!(excerpt.marks.len(), 3);
            assert!(excerpt.text.len() < 1_000, "{}", excerpt.text.len());
        }
    }
}
