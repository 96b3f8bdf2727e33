//! Takes the safeguards out of a source file, one at a time: each check whose failure leaves the
//! function, each close, cancel, wait, unlock, wake-up and reset, each flag that is set.
//!
//! What counts as one is decided on the syntax tree, by the words that a function's name is made of;
//! no model of the linter is asked, so that what the models forget is found too.

mod cpp;
mod rust;
mod tree;

use std::ops::Range;
use std::path::Path;

/// A safeguard, and the edit that takes it out.
#[derive(Debug, Clone)]
pub struct Slip {
    /// The function that it stands in, with its class or type: `writer::close`.
    pub function: String,
    /// What is taken out, as written but for white space: a condition, a statement.
    pub dropped: String,
    /// Which one it is of those in the function that read the same, from 1.
    pub nth: u32,
    /// What is replaced, in bytes of the file.
    range: Range<usize>,
    /// By what.
    replacement: String,
}

impl Slip {
    /// The file's text without the safeguard.
    pub fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        out.replace_range(self.range.clone(), &self.replacement);
        out
    }
}

/// The safeguards of a file, in order.
///
/// # Errors
///
/// When the file parses less well without a safeguard: it could then be found for that alone.
pub fn slips(path: &str, text: &str) -> Result<Vec<Slip>, String> {
    let rust = Path::new(path).extension().is_some_and(|e| e == "rs");
    let (language, found) = match rust {
        true => (rust::language(), rust::slips(text)),
        false => (cpp::language(), cpp::slips(text)),
    };
    let mut slips = found.map_err(|problem| format!("{path}: {problem}"))?;
    let unknown = tree::errors(text, &language);
    slips.sort_by_key(|slip| (slip.range.start, slip.range.end));
    for at in 0..slips.len() {
        let (before, rest) = slips.split_at_mut(at);
        let Some(slip) = rest.first_mut() else { break };
        let same = |other: &&Slip| other.function == slip.function && other.dropped == slip.dropped;
        slip.nth = u32::try_from(before.iter().filter(same).count() + 1).unwrap_or(u32::MAX);
        if tree::errors(&slip.apply(text), &language) > unknown {
            let dropped = &slip.dropped;
            return Err(format!("{path}: does not parse without `{dropped}`"));
        }
    }
    Ok(slips)
}

/// Words of names of functions that end, undo, wait for or tell something.
const WORDS: [&str; 16] = [
    "cancel", "clear", "close", "delete", "disarm", "drop", "fail", "free", "join", "lock",
    "notify", "release", "reset", "set", "unlock", "wait",
];

/// Whether a function's name speaks of a safeguard: `CloseHandle`, `request_cancel`.
fn is_safeguard(name: &str) -> bool {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in name.chars() {
        if (c.is_uppercase() || c == '_') && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c != '_' {
            word.extend(c.to_lowercase());
        }
    }
    words.push(word);
    words.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// The text with single spaces.
fn shown(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::slips;

    /// What is dropped, and what then stands there.
    fn mutants(path: &str, text: &str) -> Vec<(String, String)> {
        let found = slips(path, text).expect("it parses");
        let mutant = |slip: &super::Slip| (slip.dropped.clone(), slip.apply(text));
        found.iter().map(mutant).collect()
    }

    #[test]
    fn a_check_becomes_what_its_condition_calls() {
        let cpp = "int f() { if (!g(1) || h) { return 1; } return 0; }";
        let rust = "fn f() -> R { if unsafe { g(1) } == 0 { return Err(e) } Ok(()) }";
        assert_eq!(
            mutants("f.cpp", cpp),
            [(
                "if (!g(1) || h)".into(),
                "int f() { g(1); return 0; }".into()
            )]
        );
        assert_eq!(
            mutants("f.rs", rust),
            [(
                "if unsafe { g(1) } == 0".into(),
                "fn f() -> R { unsafe { g(1) }; Ok(()) }".into()
            )]
        );
    }

    #[test]
    fn what_is_no_check_stays() {
        assert!(mutants("f.cpp", "void f() { if (a) g(); else return; }").is_empty());
        assert!(mutants("f.rs", "fn f() { if a { g() } }").is_empty());
    }

    #[test]
    fn calls_resets_and_guards_are_dropped() {
        let cpp = "void w::f() { const std::lock_guard l(m); CloseHandle(h_); h_ = nullptr; g(); }";
        let dropped: Vec<String> = mutants("f.cpp", cpp).into_iter().map(|(d, _)| d).collect();
        assert_eq!(
            dropped,
            [
                "const std::lock_guard l(m);",
                "CloseHandle(h_);",
                "h_ = nullptr;"
            ]
        );
        let rust = "fn f() { unsafe { CloseHandle(h) }; assert!(a); x.wait()?; drop(g); g(); }";
        let dropped: Vec<String> = mutants("f.rs", rust).into_iter().map(|(d, _)| d).collect();
        assert_eq!(
            dropped,
            [
                "unsafe { CloseHandle(h) }",
                "assert!(a);",
                "x.wait()?;",
                "? of x.wait()",
                "drop(g);"
            ]
        );
    }

    #[test]
    fn an_arm_of_a_statement_is_emptied_and_one_of_a_value_is_not() {
        let arm = "match g() { Ok(()) => {} Err(e) => return Err(e), }";
        let statement = format!("fn f() -> R {{ {arm} Ok(()) }}");
        let value = "fn f() -> R { match g() { Ok(a) => Ok(a), Err(e) => Err(e), } }";
        assert_eq!(mutants("f.rs", &statement).len(), 1);
        assert!(mutants("f.rs", value).is_empty());
    }

    #[test]
    fn the_same_twice_is_told_apart() {
        let cpp = "void f() { CloseHandle(a); CloseHandle(a); }";
        let found = slips("f.cpp", cpp).expect("it parses");
        let numbers: Vec<u32> = found.iter().map(|slip| slip.nth).collect();
        assert_eq!(numbers, [1, 2]);
    }
}
