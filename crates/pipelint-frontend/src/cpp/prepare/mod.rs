//! The pass before the parse: one `#if` branch is chosen, macros that the grammar cannot place
//! are blanked, and what they said is kept as facts.
//!
//! The prepared text has the length of the input and its line breaks, so a byte offset means the
//! same in both. The pass is no preprocessor: nothing is included and nothing is expanded, save
//! a few words that have an equivalent of at most their own length.

mod branches;
mod define;
mod eval;
mod lexer;
mod output;
mod shape;
mod tokens;
mod words;

use pipelint_ir::{Constant, Gap, Include, Language, Macro, Name};
use pipelint_source::FileId;

use super::config::CppConfig;

/// A text ready to be parsed, and what is known from the words that are not in it.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// As long as the input, with its line breaks at the same offsets.
    pub text: String,
    /// SAL annotations by offset, in order, as written with their arguments.
    pub sal: Vec<(u32, Name)>,
    /// Offsets of words that say a function does not return (`[[noreturn]]`,
    /// `__declspec(noreturn)`), in order. They stand before the declaration's first kept token,
    /// or inside it.
    pub noreturn: Vec<u32>,
    /// Object-like macros with a constant value, in order.
    pub constants: Vec<Constant>,
    /// Function-like macros, in order.
    pub macros: Vec<Macro>,
    /// Includes, in order.
    pub includes: Vec<Include>,
    /// What was given up.
    pub gaps: Vec<Gap>,
}

/// Prepares `text` for the grammar.
pub fn prepare(file: FileId, text: &str, language: Language, config: &CppConfig) -> Prepared {
    if u32::try_from(text.len()).is_err() {
        // Offsets would not fit; the caller's own limit on sizes reports such a file.
        return Prepared {
            text: text.to_owned(),
            ..Prepared::default()
        };
    }
    let mut out = output::Output::new(text);
    let mut facts = Prepared::default();
    let raw = branches::choose(file, text, language, config, &mut out, &mut facts);
    let clean = tokens::clean(text, language, raw, &mut out, &mut facts);
    shape::shape(file, text, language, &clean, &mut out, &mut facts);
    facts.sal.sort_by_key(|fact| fact.0);
    facts.noreturn.sort_unstable();
    facts.text = out.finish(text);
    facts
}
