//! Source text in, IR out.

mod calls;
mod classes;
mod conditions;
mod control;
mod exceptions;
mod gaps;
mod macros;
mod units;
mod values;

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::lower_cpp;
use pipelint_ir::{Function, Language, Unit, print_unit, validate};
use pipelint_source::FileId;

/// Lowers a file; every function in it must hold together.
fn unit(language: Language, source: &str) -> Unit {
    let lowered = lower_cpp(FileId(0), source, language, &CppConfig::default());
    for function in &lowered.unit.functions {
        if let Err(wrong) = validate(function) {
            panic!("{}: {wrong}", function.name);
        }
    }
    lowered.unit
}

/// Lowers C++ and finds a function of it.
fn function(source: &str, name: &str) -> Function {
    let unit = unit(Language::Cpp, source);
    let found = unit
        .functions
        .into_iter()
        .find(|function| function.name == name);
    found.unwrap_or_else(|| panic!("no function {name}"))
}

/// The source's IR is `expected`, but for the header and blank lines around.
#[track_caller]
fn lowers(language: Language, source: &str, expected: &str) {
    let text = print_unit(&unit(language, source));
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    assert_eq!(body.trim(), expected.trim(), "\n{body}");
}
