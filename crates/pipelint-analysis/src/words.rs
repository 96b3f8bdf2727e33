//! What the words of a name say, where its body is not seen.

/// A word of the name is one that functions which end the process or throw are named by.
pub(crate) fn speaks_of_ending(name: &str) -> bool {
    has_word(name, &["fatal", "die", "abort", "panic", "throw", "bail"])
}

/// A word of the name is one that functions which leave by an exception are named by.
pub(crate) fn speaks_of_throwing(name: &str) -> bool {
    has_word(name, &["throw"])
}

/// A word of the name is one that functions which write a message and return are named by.
pub(crate) fn speaks_of_logging(name: &str) -> bool {
    has_word(
        name,
        &[
            "warn", "warning", "log", "trace", "debug", "print", "printf",
        ],
    )
}

/// A word of the name says that it stands for zero: no error, no flag, nothing. `GetX()` is a call.
pub(crate) fn speaks_of_nothing(name: &str) -> bool {
    name.ends_with(')')
        || has_word(
            name,
            &[
                "ok", "success", "none", "no", "null", "nil", "zero", "false", "empty", "nothing",
                "off", "pass", "passed", "min", "first", "begin", "start",
            ],
        )
}

/// Whether a name in any of the usual styles has one of these words.
pub(crate) fn has_word(name: &str, wanted: &[&str]) -> bool {
    let is = |word: &str| wanted.iter().any(|w| w.eq_ignore_ascii_case(word));
    let (mut start, mut last) = (0, '_');
    for (at, c) in name.char_indices() {
        let ends = c == '_' || (c.is_uppercase() && last.is_lowercase());
        if ends && is(&name[start..at]) {
            return true;
        }
        if ends {
            start = at + usize::from(c == '_');
        }
        last = c;
    }
    is(&name[start..])
}
