//! Expansion of `macro_rules!`: text in, text out, and a map back to the call's arguments.
//!
//! Rules are tried in order, as <https://doc.rust-lang.org/reference/macros-by-example.html>
//! says; fragments are told apart by their tokens, not parsed. The expansion may hold calls of
//! other macros and of the same one: to expand those, and to bound their depth, is the caller's.

mod hygiene;
mod lexer;
mod matcher;
mod pattern;
mod scan;
mod transcribe;
mod types;

use hygiene::Rename;
use lexer::{Token, Tokens};
use matcher::{Binding, Matcher};
use pattern::{Match, Reader, Write};
use transcribe::Transcriber;

/// The longest expansion, in bytes.
const MAX_OUTPUT: usize = 256 * 1024;

/// How many elements one rule may match or write.
const MAX_STEPS: u32 = 1 << 20;

/// A parsed `macro_rules!` definition.
#[derive(Debug, Clone)]
pub struct MacroRules {
    text: String,
    tokens: Vec<Token>,
    renames: Vec<Rename>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    matcher: Vec<Match>,
    transcriber: Vec<Write>,
    /// How many variables the matcher binds.
    slots: usize,
}

/// What a call expands to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text in place of the call.
    pub text: String,
    /// Where the text comes from: in order, without gaps.
    pub pieces: Vec<Piece>,
}

/// A stretch of an expansion; offsets and lengths are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts in the expansion.
    pub start: u32,
    /// How long it is.
    pub len: u32,
    /// Where it starts in the call's arguments; `None` when the definition wrote it. The text is
    /// that of the arguments, but for doc comments, which are attributes of the same length.
    pub from: Option<u32>,
}

impl MacroRules {
    /// Whether a word stands anywhere in what the definition writes or asks for.
    pub fn mentions(&self, word: &str) -> bool {
        self.text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|w| w == word)
    }

    /// Reads the definition whose text, outer delimiters included, is `body`.
    ///
    /// `None` when it is not understood.
    pub fn parse(body: &str) -> Option<Self> {
        let list = lexer::lex(body)?;
        let tokens = Tokens {
            text: body,
            list: &list,
        };
        let end = tokens.mate(0);
        if list.is_empty() || end + 1 != list.len() {
            return None;
        }
        let mut renames = vec![Rename::No; list.len()];
        let mut rules = Vec::new();
        let mut at = 1;
        while at < end {
            let arrow = tokens.after(at);
            let body = arrow + 2;
            let is_group = |at| tokens.kind(at) == Some(lexer::Kind::Open);
            if !is_group(at) || !tokens.is(arrow, "=>") || !is_group(body) {
                return None;
            }
            let close = tokens.mate(body);
            let mut reader = Reader {
                tokens,
                names: Vec::new(),
            };
            let matcher = reader.matcher(at + 1, arrow - 1, 0)?;
            let transcriber = reader.transcriber(body + 1, close, 0, &mut Vec::new())?;
            hygiene::mark(tokens, body + 1, close, &mut renames);
            rules.push(Rule {
                matcher,
                transcriber,
                slots: reader.names.len(),
            });
            at = close + 1;
            if tokens.is(at, ";") {
                at += 1;
            } else if at < end {
                return None;
            }
        }
        Some(Self {
            text: body.to_owned(),
            tokens: list,
            renames,
            rules,
        })
    }

    /// Expands the call whose text between the delimiters is `args`.
    ///
    /// `None` when no rule matches, or when the work or the expansion would pass its bound.
    pub fn expand(&self, args: &str) -> Option<Expansion> {
        let args = &*lexer::with_attributes(args)?;
        let list = lexer::lex(args)?;
        let tokens = Tokens {
            text: args,
            list: &list,
        };
        for rule in &self.rules {
            let mut matcher = Matcher {
                tokens,
                bindings: vec![Binding::Unbound; rule.slots],
                steps: MAX_STEPS,
            };
            let matched = matcher.sequence(&rule.matcher, 0, list.len());
            if matched != Some(list.len()) {
                continue;
            }
            let mut transcriber = Transcriber {
                definition: Tokens {
                    text: &self.text,
                    list: &self.tokens,
                },
                args: tokens,
                renames: &self.renames,
                suffix: hygiene::suffix(args),
                out: Expansion::default(),
                steps: MAX_STEPS,
            };
            let scope = matcher.bindings.iter().collect();
            transcriber.sequence(&rule.transcriber, &scope, ("", ""))?;
            return Some(transcriber.out);
        }
        None
    }
}
