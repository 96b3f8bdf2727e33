//! Uses of macros become the code that they stand for, before the parse.
//!
//! Only uses inside function bodies are replaced, and those that stand for members of a class, and only
//! those of macros whose definition is in sight: function-like ones, and object-like ones whose body is
//! statements; for members, those whose body ends in a semicolon. The parsed text is
//! then longer than the file; a [`Map`] leads from it back to the file, where all that came of a
//! use has the place of the use.

mod context;
mod definition;
mod map;
mod substitute;

use rustc_hash::{FxHashMap, FxHashSet};

use pipelint_ir::Name;
use tree_sitter::Node;

use super::prepare::lexer::Kind;
use super::prepare::tokens::{Mates, Token};
use context::Context;
pub use definition::Definition;
pub(crate) use definition::{Change, Shape};
pub(crate) use map::{Map, Use};
use substitute::{Budget, Lookup, Tok, Word};

/// Bytes of expansions that a file may grow by, besides its own length.
const MAX_GROWTH: usize = 1 << 20;
/// Steps of one file; beyond them uses stay calls.
const MAX_STEPS: usize = 4_000_000;

/// How sure it is that a definition from elsewhere is the one that a use means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The file includes it.
    Included,
    /// The run knows no other definition of the name.
    OnlyOne,
}

/// The macros that other files define.
pub trait Scope: Sync {
    /// The definition that `name` has where the file begins.
    fn find(&self, name: &str) -> Option<(&Definition, Certainty)>;
}

/// No macros of other files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoScope;

impl Scope for NoScope {
    fn find(&self, _: &str) -> Option<(&Definition, Certainty)> {
        None
    }
}

/// A text with its macros expanded, and the way back.
pub(crate) struct Expanded {
    pub(crate) text: String,
    pub(crate) map: Map,
}

/// What a name means at one line of the file.
struct Names<'a> {
    /// By the file itself; `None` where it is undefined or stands for no code.
    own: FxHashMap<&'a str, Option<&'a Definition>>,
    scope: &'a dyn Scope,
    skip: &'a FxHashSet<Name>,
    /// Names that this file declares something else by.
    taken: FxHashSet<&'a str>,
}

impl<'a> Names<'a> {
    fn find(&self, name: &str) -> Option<(&'a Definition, Certainty)> {
        let found = match self.own.get(name) {
            Some(own) => own.map(|definition| (definition, Certainty::Included)),
            None => self.scope.find(name),
        };
        found.filter(|(definition, certainty)| {
            definition.expands()
                && !(self.taken.contains(name) && *certainty == Certainty::OnlyOne)
                && !(self.skip.contains(name))
        })
    }
}

impl<'a> Lookup<'a> for Names<'a> {
    fn definition(&self, name: &str) -> Option<&'a Definition> {
        self.find(name).map(|(definition, _)| definition)
    }
}

/// Expands the macros that the bodies in `text` use; none if there is no use.
pub(crate) fn expand(
    text: &str,
    tokens: &[Token],
    changes: &[Change],
    scope: &dyn Scope,
    skip: &FxHashSet<Name>,
) -> Option<Expanded> {
    let mut names = Names {
        own: FxHashMap::default(),
        scope,
        skip,
        taken: FxHashSet::default(),
    };
    let mut changes = changes.iter().peekable();
    let mut mates: Option<Mates> = None;
    let mut context = Context::default();
    let mut out = String::new();
    let mut copied = 0usize;
    let mut map = Map::default();
    let mut steps = MAX_STEPS;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        while let Some(change) = changes.next_if(|change| change.at <= token.start) {
            names.own.insert(&change.name, change.to.as_ref());
        }
        let name = token.text(text);
        let next = tokens.get(at + 1);
        let called = next.is_some_and(|next| next.kind == Kind::LParen);
        let members = context.at_member();
        let candidate = if Word::of(token.kind, name) == Word::Name {
            if members {
                names.find(name).filter(|(definition, _)| {
                    definition.is_members() && called == definition.params.is_some()
                })
            } else if context.in_code() {
                names
                    .find(name)
                    .filter(|(definition, _)| called || definition.params.is_none())
            } else {
                if called {
                    names.taken.insert(name);
                }
                None
            }
        } else {
            None
        };
        let Some((definition, certainty)) = candidate else {
            context.step(token.kind);
            at += 1;
            continue;
        };
        let member = matches!(context.last(), Some(Kind::Dot | Kind::Arrow | Kind::Scope));
        let end = if definition.params.is_some() {
            let mates = mates.get_or_insert_with(|| Mates::new(tokens));
            mates.of(at + 1)
        } else {
            Some(at)
        };
        let Some(end) = end.filter(|_| !member || certainty == Certainty::Included) else {
            context.step(token.kind);
            at += 1;
            continue;
        };
        let mut budget = Budget::of_use(steps);
        let before = budget.left();
        let input: Vec<Tok<'_>> = use_tokens(text, &tokens[at..=end]);
        let expansion = substitute::whole(input, &names, &mut budget);
        steps = steps.saturating_sub(before - budget.left());
        let growth = out.len().saturating_sub(copied);
        match expansion.filter(|_| growth < MAX_GROWTH + text.len()) {
            Some(expansion) => {
                let from = token.start as usize;
                let to = tokens[end].end as usize;
                out.push_str(text.get(copied..from).unwrap_or(""));
                let start = out.len();
                out.push(' ');
                substitute::write(&expansion, &mut out);
                let follows = tokens.get(end + 1).map(|token| token.kind);
                if !members && context.at_statement() && definition.lacks_semicolon(follows) {
                    out.push(';');
                }
                out.push(' ');
                copied = to;
                map.push(Use {
                    name: definition.name.clone(),
                    made: start..out.len(),
                    spaces: spaces(text, to),
                    written: from..to,
                });
                if members {
                    context.expanded_members();
                } else {
                    context.expanded(definition.shape);
                }
            }
            None => {
                // Too large. Its arguments are left alone too: a use within them would be tried
                // again at each depth.
                for token in &tokens[at..=end] {
                    context.step(token.kind);
                }
            }
        }
        at = end + 1;
    }
    if map.is_empty() {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    (u32::try_from(out.len()).is_ok()).then_some(Expanded { text: out, map })
}

/// How much white space stands at an offset.
fn spaces(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

/// The tokens of a use, as the substitution takes them.
fn use_tokens<'a>(text: &'a str, tokens: &[Token]) -> Vec<Tok<'a>> {
    let mut end = None;
    tokens
        .iter()
        .map(|token| {
            let written = token.text(text);
            let spaced = end.is_some_and(|end| end != token.start);
            end = Some(token.end);
            Tok::new(Word::of(token.kind, written), written, spaced)
        })
        .collect()
}

/// The macros whose expansions did not parse.
pub(crate) fn broken(map: &Map, root: Node<'_>) -> Vec<Name> {
    let mut found = Vec::new();
    if map.is_empty() || !root.has_error() {
        return found;
    }
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        let mut descend = node.has_error();
        if node.is_missing() {
            // A semicolon too few is no harm.
            if node.kind() != ";" {
                map.blame(node.start_byte(), node.end_byte(), &mut found);
            }
            descend = false;
        } else if node.is_error() {
            map.blame(node.start_byte(), node.end_byte(), &mut found);
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        loop {
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return found;
            }
        }
    }
}
