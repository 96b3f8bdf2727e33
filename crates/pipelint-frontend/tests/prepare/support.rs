//! What every test here does with a piece of text.

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::cpp::prepare::{Prepared, prepare};
use pipelint_ir::Language;
use pipelint_source::FileId;
use tree_sitter::Parser;

/// Prepares a text and checks what holds for every text.
#[track_caller]
pub(crate) fn prepared(text: &str, language: Language) -> Prepared {
    with(text, language, &CppConfig::default())
}

/// The same, with a configuration.
#[track_caller]
pub(crate) fn with(text: &str, language: Language, config: &CppConfig) -> Prepared {
    let out = prepare(FileId(0), text, language, config);
    assert_eq!(out.text.len(), text.len(), "the length changed");
    let breaks = |text: &str| {
        text.bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    assert_eq!(breaks(&out.text), breaks(text), "a line break moved");
    out
}

/// Prepares a text as C++.
#[track_caller]
pub(crate) fn cpp(text: &str) -> Prepared {
    prepared(text, Language::Cpp)
}

/// Whether the grammar finds an error in a text.
pub(crate) fn has_error(text: &str) -> bool {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_cpp::LANGUAGE.into())
        .expect("the grammar loads");
    parser
        .parse(text, None)
        .expect("no time limit is set")
        .root_node()
        .has_error()
}

/// Checks that the grammar fails on a C++ text as it is and takes it prepared; returns the latter
/// with white space folded.
#[track_caller]
pub(crate) fn repaired(text: &str) -> String {
    repaired_as(text, Language::Cpp)
}

/// The same for a language.
#[track_caller]
pub(crate) fn repaired_as(text: &str, language: Language) -> String {
    assert!(has_error(text), "the grammar takes this as it is:\n{text}");
    let out = prepared(text, language);
    assert!(
        !has_error(&out.text),
        "the grammar does not take\n{}",
        out.text
    );
    fold(&out.text)
}

/// Checks that a C++ text is written another way, though the grammar takes it wrongly as it is,
/// and that it takes the result.
#[track_caller]
pub(crate) fn rewritten(text: &str) -> String {
    rewritten_as(text, Language::Cpp)
}

/// The same for a language.
#[track_caller]
pub(crate) fn rewritten_as(text: &str, language: Language) -> String {
    let out = prepared(text, language);
    assert_ne!(out.text, text);
    assert!(
        !has_error(&out.text),
        "the grammar does not take\n{}",
        out.text
    );
    fold(&out.text)
}

/// Checks that a C++ text is left as it is.
#[track_caller]
pub(crate) fn kept(text: &str) {
    assert_eq!(cpp(text).text, text);
}

/// White space folded.
pub(crate) fn fold(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
