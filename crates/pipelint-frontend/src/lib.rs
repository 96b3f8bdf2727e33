//! Source text to IR: blanking and `#if` choice, tree-sitter, lowering.
//!
//! One file at a time: [`lower_cpp`] turns the text of a C or C++ file into a
//! [`Unit`](pipelint_ir::Unit). It never fails: what it does not understand is a
//! [`Gap`](pipelint_ir::Gap).

mod build;
pub mod cpp;
pub mod rust;

use std::time::Duration;

use pipelint_ir::{Language, Unit};
use pipelint_source::FileId;

use cpp::config::CppConfig;
use cpp::expand::{NoScope, Scope};

/// A lowered file, and where the time went.
#[derive(Debug)]
pub struct Lowered {
    /// The file's IR.
    pub unit: Unit,
    /// Time to blank macros and choose `#if` branches.
    pub prepare: Duration,
    /// Time to parse.
    pub parse: Duration,
    /// Time to lower.
    pub lower: Duration,
}

/// Lowers one C or C++ file, with the macros that it defines itself.
pub fn lower_cpp(file: FileId, text: &str, language: Language, config: &CppConfig) -> Lowered {
    lower_cpp_with(file, text, language, config, &NoScope)
}

/// Lowers one C or C++ file, with the macros that it defines itself and those that others define.
pub fn lower_cpp_with(
    file: FileId,
    text: &str,
    language: Language,
    config: &CppConfig,
    scope: &dyn Scope,
) -> Lowered {
    cpp::lower(file, text, language, config, scope)
}
