//! The pass before the parse: one `#if` branch is chosen, macros that the grammar cannot place
//! are blanked, and what they said is kept as facts.
//!
//! The prepared text has the length of the input and its line breaks, so a byte offset means the
//! same in both, unless macros are expanded first: then it has those of the expanded text. The
//! pass is no preprocessor: nothing is included.

mod branches;
pub(crate) mod define;
mod eval;
pub(crate) mod lexer;
mod output;
mod shape;
pub(crate) mod tokens;
pub(crate) mod words;

use pipelint_ir::{Constant, Gap, Include, Language, Macro, Name};
use pipelint_source::FileId;

use rustc_hash::{FxHashMap, FxHashSet};

use super::config::CppConfig;
use super::expand::{self, Change, Definition, Map, Scope};

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
    /// What function-like macros, and some others, mean from which line on.
    pub(crate) changes: Vec<Change>,
    /// From `text` back to the file, where macros were expanded.
    pub(crate) map: Map,
    /// The expanded text before anything was blanked; empty where nothing was expanded.
    pub(crate) expanded: String,
}

/// Prepares `text` for the grammar; no macro is expanded.
pub fn prepare(file: FileId, text: &str, language: Language, config: &CppConfig) -> Prepared {
    prepare_with(file, text, language, config, None)
}

/// The same, with the macros expanded that bodies use, but for those of these names.
pub(crate) fn prepare_with(
    file: FileId,
    text: &str,
    language: Language,
    config: &CppConfig,
    macros: Option<(&dyn Scope, &FxHashSet<Name>)>,
) -> Prepared {
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
    let expansion =
        macros.and_then(|(scope, skip)| expand::expand(text, &raw, &facts.changes, scope, skip));
    let Some(expansion) = expansion else {
        finish(file, text, language, raw, out, &mut facts);
        return facts;
    };
    // The directives stand in the expanded text too: its branches are chosen alike, and all that
    // they say is known.
    let text = expansion.text.as_str();
    let mut out = output::Output::new(text);
    let mut again = Prepared::default();
    let raw = branches::choose(file, text, language, config, &mut out, &mut again);
    let known = facts.gaps.len();
    finish(file, text, language, raw, out, &mut facts);
    for gap in facts.gaps.iter_mut().skip(known) {
        gap.span = expansion.map.span(gap.span);
    }
    facts.map = expansion.map;
    facts.expanded = expansion.text;
    facts
}

/// The passes over the tokens that are read.
fn finish(
    file: FileId,
    text: &str,
    language: Language,
    raw: Vec<tokens::Token>,
    mut out: output::Output,
    facts: &mut Prepared,
) {
    let clean = tokens::clean(text, language, raw, &mut out, facts);
    shape::shape(file, text, language, &clean, &mut out, facts);
    facts.sal.sort_by_key(|fact| fact.0);
    facts.noreturn.sort_unstable();
    facts.text = out.finish(text);
}

/// What a file's directives say, its code left unread.
#[derive(Debug, Clone, Default)]
pub struct Directives {
    /// Includes in branches that are read, in order.
    pub includes: Vec<Include>,
    /// The macros that are defined where the file ends and that stand for code.
    pub macros: Vec<Definition>,
}

/// Reads the directives of a file.
pub fn directives(file: FileId, text: &str, language: Language, config: &CppConfig) -> Directives {
    if u32::try_from(text.len()).is_err() {
        return Directives::default();
    }
    let facts = branches::directives(file, text, language, config);
    let mut last: FxHashMap<Name, usize> = FxHashMap::default();
    let mut macros: Vec<Option<Definition>> = Vec::new();
    for change in facts.changes {
        if let Some(&before) = last.get(&change.name) {
            macros[before] = None;
        }
        last.insert(change.name, macros.len());
        macros.push(change.to);
    }
    Directives {
        includes: facts.includes,
        macros: macros.into_iter().flatten().collect(),
    }
}
