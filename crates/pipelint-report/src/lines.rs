//! Where lines start, and columns in characters and UTF-16 units, without rescanning a file.

use std::ops::Range;

/// Bytes between two counted places. A column costs at most two scans of this length.
const BLOCK: usize = 1024;

/// A place as people and other tools write it. All numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column in Unicode characters.
    pub column: u32,
    /// The column in UTF-16 code units.
    pub utf16: u32,
}

/// The lines of one text, found once.
///
/// A line ends at `\n`; a `\r` before it belongs to the line's end. In text that is not ASCII the
/// index keeps character counts every kilobyte, so that a column in a line of 50 MB is as cheap as
/// one in a line of 50 bytes.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: usize,
    /// Characters and UTF-16 units before each block; empty for ASCII.
    counts: Vec<Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    chars: u32,
    utf16: u32,
}

impl Count {
    /// The characters and UTF-16 units that begin in `bytes`.
    fn of(bytes: &[u8]) -> Self {
        let mut count = Self::default();
        for &byte in bytes {
            // Every byte but a continuation byte begins a character; four-byte ones are pairs.
            count.chars += u32::from(byte & 0xC0 != 0x80);
            count.utf16 += u32::from(byte & 0xC0 != 0x80) + u32::from(byte >= 0xF0);
        }
        count
    }

    fn plus(self, other: Self) -> Self {
        Self {
            chars: self.chars + other.chars,
            utf16: self.utf16 + other.utf16,
        }
    }
}

impl LineIndex {
    /// Indexes `text`. Spans are 32 bits wide, so text beyond 4 GiB is not addressed.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(
            bytes
                .iter()
                .enumerate()
                .filter(|&(_, &byte)| byte == b'\n')
                .filter_map(|(at, _)| u32::try_from(at + 1).ok()),
        );
        let mut counts = Vec::new();
        if !text.is_ascii() {
            let mut sum = Count::default();
            for block in bytes.chunks(BLOCK) {
                counts.push(sum);
                sum = sum.plus(Count::of(block));
            }
        }
        Self {
            starts,
            len: bytes.len(),
            counts,
        }
    }

    /// The number of lines. Text that ends with a line break has an empty last line.
    pub fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// The line (from 0) that holds `offset`; the last one if it lies past the end.
    pub fn line_at(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|&start| start as usize <= offset)
            .saturating_sub(1)
    }

    /// The bytes of a line (from 0), its line break excluded; empty at the end if there is no such
    /// line. `text` must be the text that was indexed.
    pub fn line_range(&self, text: &str, line: usize) -> Range<usize> {
        let Some(&start) = self.starts.get(line) else {
            return self.len..self.len;
        };
        let start = start as usize;
        let mut end = match self.starts.get(line + 1) {
            Some(&next) => next as usize - 1,
            None => self.len,
        };
        if self.starts.len() > line + 1 && text.as_bytes().get(start..end).is_some_and(ends_in_cr) {
            end -= 1;
        }
        start..end
    }

    /// The position of `offset`, which is first brought inside `text` and to the start of the
    /// character it lies in. `text` must be the text that was indexed.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset);
        let line = self.line_at(offset);
        let start = self.starts.get(line).map_or(0, |&start| start as usize);
        let (chars, utf16) = if self.counts.is_empty() {
            let column = (offset - start) as u32;
            (column, column)
        } else {
            let (from, to) = (self.count(text, start), self.count(text, offset));
            (to.chars - from.chars, to.utf16 - from.utf16)
        };
        Position {
            line: line as u32 + 1,
            column: chars + 1,
            utf16: utf16 + 1,
        }
    }

    fn count(&self, text: &str, offset: usize) -> Count {
        // One past the last block is a valid place when the text's length is a multiple of it.
        let block = (offset / BLOCK).min(self.counts.len().saturating_sub(1));
        let base = self.counts.get(block).copied().unwrap_or_default();
        let rest = text
            .as_bytes()
            .get(block * BLOCK..offset)
            .unwrap_or_default();
        base.plus(Count::of(rest))
    }
}

fn ends_in_cr(line: &[u8]) -> bool {
    line.last() == Some(&b'\r')
}
