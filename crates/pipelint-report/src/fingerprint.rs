//! A name for each finding that survives edits elsewhere in the file.

use std::collections::HashMap;

use crate::{Diagnostic, Sources};

/// The key under which SARIF carries the fingerprint; its number changes with the recipe.
pub const FINGERPRINT_KEY: &str = "pipelint/v1";

/// One fingerprint a diagnostic, in their order.
///
/// It is made of the rule's code, the function's name and the text of the primary line without its
/// blanks, and of a counter that tells findings apart which agree in all these and lie in one file.
/// It does not hold the line's number nor the file's path: shifted lines and renamed files keep it.
/// Compare it together with the path.
pub fn fingerprints(diagnostics: &[Diagnostic], sources: &dyn Sources) -> Vec<String> {
    // A line is hashed once, however many findings lie in it: it may be the whole of a big file.
    let mut line_hashes = HashMap::new();
    let hashes: Vec<u64> = diagnostics
        .iter()
        .map(|diagnostic| {
            let file = diagnostic.primary.file;
            let line = sources
                .lines(file)
                .line_at(diagnostic.primary.start as usize);
            let line_hash = *line_hashes
                .entry((file, line))
                .or_insert_with(|| hash_line(sources.line_text(file, line)));
            let mut hash = Fnv::new();
            hash.field(diagnostic.rule.code.as_bytes());
            hash.field(diagnostic.function.as_bytes());
            hash.field(&u64::to_le_bytes(line_hash));
            hash.0
        })
        .collect();

    // The counter follows the places, not the order the findings are listed in.
    let mut order: Vec<usize> = (0..diagnostics.len()).collect();
    order.sort_by_key(|&at| (diagnostics[at].primary, at));
    let mut seen = HashMap::new();
    let mut result = vec![String::new(); diagnostics.len()];
    for at in order {
        let count = seen
            .entry((diagnostics[at].primary.file, hashes[at]))
            .or_insert(0u32);
        *count += 1;
        result[at] = format!("{:016x}:{count}", hashes[at]);
    }
    result
}

fn hash_line(line: &str) -> u64 {
    let mut hash = Fnv::new();
    for byte in line.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        hash.byte(byte);
    }
    hash.0
}

/// FNV-1a, 64 bits: the value is published, so it must never change with a library's version.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    /// A field and its end: `ab` + `c` is not `a` + `bc`.
    fn field(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
        self.byte(0xff);
    }
}
