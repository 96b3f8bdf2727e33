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

/// The name is one of a function that writes a message or text somewhere, or frees memory: calls of the
/// system on the way.
pub(crate) fn speaks_of_output(name: &str) -> bool {
    let plain = name.trim_start_matches('_').to_ascii_lowercase();
    let whole = [
        "error", "verbose", "info", "err", "errx", "warnx", "fatal", "puts", "fputs", "free",
        "perror", "output", "notice",
    ];
    let not_logs = [
        "dialog",
        "catalog",
        "analog",
        "backlog",
        "changelog",
        "set_log",
        "get_log",
        "openlog",
        "closelog",
    ];
    whole.contains(&&*plain)
        || plain.ends_with("printf")
        || plain.ends_with("_free")
        || plain.starts_with("free_")
        || name.starts_with("Free")
        || plain.starts_with("log_")
        || (plain.ends_with("log") && !not_logs.contains(&&*plain))
        || speaks_of_logging(name)
}

/// A word of the name says that it is about what was transferred.
pub(crate) fn speaks_of_transfer(name: &str) -> bool {
    has_word(
        name,
        &[
            "written",
            "wrote",
            "sent",
            "transferred",
            "transfered",
            "received",
            "nwritten",
            "nsent",
        ],
    ) || has_word(name, &["read"]) && has_word(name, &["bytes", "chars", "count", "num"])
}

/// The name is one of a method that only looks at its object.
pub(crate) fn speaks_of_looking(name: &str) -> bool {
    let plain = name.trim_start_matches('_');
    // `_tcslen` and its kin stand for functions of strings.
    if name.starts_with("_tcs") {
        return true;
    }
    matches!(
        plain,
        "get"
            | "data"
            | "size"
            | "length"
            | "c_str"
            | "begin"
            | "end"
            | "empty"
            | "front"
            | "back"
            | "count"
            | "at"
            | "value"
            | "has_value"
            | "is_null"
            | "is_some"
            | "is_none"
            | "is_ok"
            | "is_err"
            | "len"
            | "is_empty"
            | "as_ptr"
            | "as_mut_ptr"
            | "cast"
            | "raw_os_error"
            | "kind"
            | "as_raw_handle"
            | "get_ref"
            | "get_mut"
            | "as_ref"
            | "as_mut"
            | "native_handle"
    )
}

/// Rust: a method of the standard library that looks at its object, and does nothing else: which error an
/// `io::Error` is, what a pointer leads to, and how many elements an array or a slice has.
pub(crate) fn only_looks(name: &str, ty: Option<&pipelint_ir::Type>) -> bool {
    let known = |wanted: &str| ty.is_none_or(|ty| ty.name == wanted || !ty.is_object());
    match name {
        "kind" | "raw_os_error" => known("std::io::Error"),
        "read_volatile" => ty.is_none_or(|ty| !ty.is_object()),
        "len" | "is_empty" => ty.is_some_and(|ty| ty.arrays > 0),
        _ => false,
    }
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
