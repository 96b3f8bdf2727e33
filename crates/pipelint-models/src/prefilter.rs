//! The byte filter that decides which files are parsed at all.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind, StartKind};

/// Looks for any of the models' names, as a whole word, in a file's text.
#[derive(Debug, Clone)]
pub struct Prefilter {
    /// None if there is no name to look for, or they exceed the automaton's limits: then every
    /// file is worth parsing.
    names: Option<AhoCorasick>,
}

impl Prefilter {
    /// A filter for these identifiers; with none, every text matches.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.filter(|n| !n.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Self { names: None };
        }
        // Leftmost-longest, so that of `CreateEvent` and `CreateEventW` at one place the one that
        // can end the word is found. The DFA of the built-in names takes a megabyte and is three
        // times as fast as the smaller automata.
        let names = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Unanchored)
            .kind(Some(AhoCorasickKind::DFA))
            .build(names)
            .ok();
        Self { names }
    }

    /// Whether the text has one of the names as a whole word. Stops at the first.
    pub fn matches(&self, text: &[u8]) -> bool {
        let Some(names) = &self.names else {
            return true;
        };
        let mut from = 0;
        while let Some(m) = names.find(Input::new(text).range(from..)) {
            let starts = m.start() == 0 || !is_word(text[m.start() - 1]);
            let end = m.end() + text[m.end()..].iter().take_while(|b| is_word(**b)).count();
            if starts && end == m.end() {
                return true;
            }
            // No other name can be a whole word inside this one.
            from = end;
        }
        false
    }
}

/// Part of an identifier. Bytes of multi-byte characters count: `ÜCreateEvent` is another name.
fn is_word(b: u8) -> bool {
    b == b'_' || b.is_ascii_alphanumeric() || b >= 0x80
}
