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
    let mut words: Vec<String> = Vec::new();
    let mut last = '_';
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && last.is_lowercase()) || words.is_empty() {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        last = c;
    }
    words.iter().any(|w| wanted.contains(&w.as_str()))
}
