//! The text that is written over, byte by byte.

/// The prepared text in the making.
pub(crate) struct Output {
    bytes: Vec<u8>,
}

impl Output {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
        }
    }

    /// Spaces over a range; line breaks stay.
    pub(crate) fn blank(&mut self, start: usize, end: usize) {
        let end = end.min(self.bytes.len());
        if start >= end {
            return;
        }
        for byte in &mut self.bytes[start..end] {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = b' ';
            }
        }
    }

    /// Writes `with` over a range that holds no line break, and spaces after it. False, and
    /// nothing done, if it does not fit.
    pub(crate) fn replace(&mut self, start: usize, end: usize, with: &str) -> bool {
        if with.len() > end.saturating_sub(start) || end > self.bytes.len() {
            return false;
        }
        if self.bytes[start..end].contains(&b'\n') {
            return false;
        }
        self.blank(start, end);
        self.bytes[start..start + with.len()].copy_from_slice(with.as_bytes());
        true
    }

    /// Writes `with` at the first run of spaces in a range that holds it. The range lies between
    /// two tokens: comments in it are passed over.
    pub(crate) fn write_in_gap(&mut self, start: usize, end: usize, with: &str) -> bool {
        let mut at = start;
        let end = end.min(self.bytes.len());
        let mut free = 0;
        while at < end {
            match self.bytes[at] {
                b' ' | b'\t' => free += 1,
                b'/' => {
                    let line = self.bytes.get(at + 1) == Some(&b'/');
                    free = 0;
                    at = self.comment_end(at, end, line);
                    continue;
                }
                _ => free = 0,
            }
            at += 1;
            if free == with.len() {
                self.bytes[at - free..at].copy_from_slice(with.as_bytes());
                return true;
            }
        }
        false
    }

    fn comment_end(&self, start: usize, end: usize, line: bool) -> usize {
        let mut at = start + 2;
        while at < end {
            if line && self.bytes[at] == b'\n' {
                return at;
            }
            if !line && self.bytes[at] == b'*' && self.bytes.get(at + 1) == Some(&b'/') {
                return at + 2;
            }
            at += 1;
        }
        end
    }

    /// The byte as it is now.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The text, which is as long as the input.
    pub(crate) fn finish(self, input: &str) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| {
            // Not reached as long as ranges begin and end between characters. If one does not,
            // every byte outside ASCII is given up rather than an offset.
            let mut bytes = error.into_bytes();
            for byte in &mut bytes {
                if !byte.is_ascii() {
                    *byte = b' ';
                }
            }
            String::from_utf8(bytes).unwrap_or_else(|_| input.to_owned())
        })
    }
}
