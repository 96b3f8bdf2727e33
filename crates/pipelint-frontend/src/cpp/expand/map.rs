//! From the expanded text back to the file.

use std::ops::Range;

use pipelint_ir::Name;
use pipelint_source::Span;

/// Within an error no longer than this every use is looked at.
const MAX_BLAME: usize = 4096;

/// One use of a macro that was replaced.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// The macro.
    pub(crate) name: Name,
    /// Where its expansion stands in the expanded text.
    pub(crate) made: Range<usize>,
    /// The white space behind it.
    pub(crate) spaces: usize,
    /// Where the use stands in the file.
    pub(crate) written: Range<usize>,
}

/// The uses of a file, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map(Vec<Use>);

impl Map {
    pub(crate) fn push(&mut self, one: Use) {
        self.0.push(one);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The macros that what is wrong at a range of the expanded text came of: it lies in a use, or
    /// begins or ends in one, or lies around one and little else.
    pub(crate) fn blame(&self, start: usize, end: usize, found: &mut Vec<Name>) {
        let at = |at: usize| self.0.partition_point(|one| one.made.end + one.spaces < at);
        let mut blame = |one: &Use| {
            let inside = |at: usize| one.made.start <= at && at <= one.made.end + one.spaces;
            if inside(start) || inside(end) || end - start <= 2 * one.made.len() + 64 {
                found.push(one.name.clone());
            }
        };
        let from = at(start);
        if end - start <= MAX_BLAME {
            let near = self.0[from..].iter();
            near.take_while(|one| one.made.start <= end).for_each(blame);
        } else {
            // So much is wrong that a use in its midst is the least of it.
            let ends = [self.0.get(from), self.0.get(at(end))];
            ends.into_iter().flatten().for_each(&mut blame);
        }
    }

    /// The last use that begins at or before an offset of the expanded text.
    fn before(&self, at: usize) -> Option<&Use> {
        let after = self.0.partition_point(|one| one.made.start <= at);
        after.checked_sub(1).and_then(|index| self.0.get(index))
    }

    /// The macros of uses that have these spans.
    pub(crate) fn names_at(&self, spans: impl Iterator<Item = Span>) -> Vec<Name> {
        let mut found = Vec::new();
        if self.0.is_empty() {
            return found;
        }
        for span in spans {
            let start = span.start as usize;
            let at = self.0.partition_point(|one| one.written.start < start);
            if let Some(one) = self.0.get(at)
                && one.written == span.range()
            {
                found.push(one.name.clone());
            }
        }
        found
    }

    /// A span of the expanded text, as one of the file.
    pub(crate) fn span(&self, span: Span) -> Span {
        let (start, end) = self.written(span.start as usize, span.end as usize);
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(span.file, clamp(start), clamp(end))
    }

    /// A range of the expanded text, as one of the file: a use is taken whole or not at all.
    pub(crate) fn written(&self, start: usize, end: usize) -> (usize, usize) {
        if self.0.is_empty() {
            return (start, end);
        }
        let from = match self.before(start) {
            Some(one) if start < one.made.end => one.written.start,
            Some(one) => start - one.made.end + one.written.end,
            None => start,
        };
        let to = match end.checked_sub(1).and_then(|last| self.before(last)) {
            Some(one) if end <= one.made.end => one.written.end,
            Some(one) => end - one.made.end + one.written.end,
            None => end,
        };
        (from, to.max(from))
    }
}
