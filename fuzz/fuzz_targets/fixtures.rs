//! Fixtures with their lines and tokens deleted, doubled and exchanged: text that is nearly code.
#![no_main]

mod common;

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static FIXTURES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = Vec::new();
    let mut todo = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")];
    while let Some(path) = todo.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            todo.extend(entries.flatten().map(|e| e.path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
});

/// Words, spaces and single other characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut last = None;
    for (i, c) in text.char_indices() {
        if i > 0 && !(word(c) && last.is_some_and(word)) {
            out.push(&text[start..i]);
            start = i;
        }
        last = Some(c);
    }
    out.push(&text[start..]);
    out
}

fuzz_target!(|data: &[u8]| {
    let Some((&which, edits)) = data.split_first() else { return };
    if FIXTURES.is_empty() {
        return;
    }
    let text = &FIXTURES[usize::from(which) % FIXTURES.len()];
    let mut parts = tokens(text);
    for edit in edits.chunks_exact(4).take(24) {
        if parts.is_empty() {
            break;
        }
        let at = usize::from(u16::from_le_bytes([edit[1], edit[2]])) % parts.len();
        let n = usize::from(edit[3] % 16) + 1;
        let end = (at + n).min(parts.len());
        match edit[0] % 6 {
            0 => {
                parts.drain(at..end);
            }
            1 => {
                let again: Vec<&str> = parts[at..end].to_vec();
                parts.splice(at..at, again);
            }
            2 => {
                let other = usize::from(edit[3]) * 7 % parts.len();
                parts.swap(at, other);
            }
            3 => parts.insert(at, ["(", ")", "{", "}", "#if 0\n", "#endif\n", "\\\n", "/*"][n % 8]),
            4 => parts.insert(at, ["goto ", "switch(", "case 1:", "else ", "try{", "[&]{", "::", "<"][n % 8]),
            _ => parts.truncate(end),
        }
    }
    common::run("a.cpp", parts.concat().as_bytes());
});
