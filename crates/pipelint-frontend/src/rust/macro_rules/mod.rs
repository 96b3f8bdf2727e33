//! Expansion of `macro_rules!` macros, text in, text out.
//!
//! [`MacroRules`] is a definition, [`MacroRules::expand`] what a call of it becomes, by the
//! Reference's chapter on macros by example,
//! <https://doc.rust-lang.org/reference/macros-by-example.html>. It knows neither the syntax
//! tree nor the IR, and it assumes that the macro compiles: where the compiler would refuse a
//! call, an expansion may be found all the same.
//!
//! Calls of macros inside an expansion are left in it.

mod binders;
mod exprs;
mod fragment;
mod hygiene;
mod lexer;
mod literal;
mod matcher;
mod pattern;
mod shape;
mod template;
mod tokens;
mod transcribe;
mod types;

use fragment::Fragment;
use matcher::Matcher;
use pattern::Pattern;
use template::Template;
pub(crate) use tokens::{Kind, Tokens};
use transcribe::Transcriber;

/// The longest expansion, in bytes.
const MAX_TEXT: usize = 256 * 1024;

/// How many tokens of the arguments are looked at to match all rules, one looked at twice counted
/// twice; how many elements of a transcriber are written.
const MAX_STEPS: u32 = 1 << 21;

/// What follows the names of a macro's own locals, before a number.
const SUFFIX: &str = "__m";

/// A `macro_rules!` definition.
#[derive(Debug, Clone)]
pub struct MacroRules {
    tokens: Tokens<Box<str>>,
    rules: Vec<Rule>,
}

/// One `(pattern) => { transcriber }`.
#[derive(Debug, Clone)]
struct Rule {
    pattern: Vec<Pattern>,
    /// What each metavariable takes, by its number.
    fragments: Vec<Fragment>,
    /// `None` when it is not understood.
    template: Option<Vec<Template>>,
}

/// What a call of a macro becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// The text.
    pub text: String,
    /// Where it comes from: stretches of it, in order and without gaps.
    pub pieces: Vec<Piece>,
}

/// A stretch of an expansion's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Its offset in the expansion's text.
    pub start: u32,
    /// Its length there, and in what it was copied from.
    pub len: u32,
    /// Its offset in the text of the call's arguments; `None` when the definition wrote it.
    pub from: Option<u32>,
}

impl MacroRules {
    /// Reads the body of a definition, with its delimiters or without: `{ (pattern) => { … }; … }`.
    /// Also that of a `macro` item (unstable, but the standard library has them), whose rules may
    /// be separated by commas, or be one alone without `=>`.
    ///
    /// `None` when a pattern is not understood.
    pub fn parse(body: &str) -> Option<Self> {
        let tokens = Tokens::new(Box::<str>::from(body))?;
        let (mut at, mut end) = (0, tokens.len());
        if tokens.after_tree(0) == end && end > 0 {
            (at, end) = (1, end - 1);
        }
        let mut rules = Vec::new();
        while at < end {
            let pattern_end = tokens.close_of(at)?;
            let arrow = pattern_end + 1;
            let open = if tokens.is(arrow, "=>") {
                arrow + 1
            } else {
                arrow
            };
            let template_end = tokens.close_of(open)?;
            rules.push(rule(&tokens, at + 1..pattern_end, open + 1..template_end)?);
            at = template_end + 1;
            if at < end {
                if !(tokens.is(at, ";") || tokens.is(at, ",")) {
                    return None;
                }
                at += 1;
            }
        }
        (!rules.is_empty()).then_some(Self { tokens, rules })
    }

    /// Whether the definition holds a word.
    pub fn mentions(&self, word: &str) -> bool {
        (0..self.tokens.len()).any(|at| self.tokens.is_ident(at) && self.tokens.is(at, word))
    }

    /// What a call with these arguments, the text between its delimiters, becomes.
    ///
    /// Locals that the definition itself brings are renamed so that they are not those of the
    /// call: `name` to `name__m1`, with a number that the arguments' names do not have.
    ///
    /// `None` when no rule matches, when what matches is not understood, and beyond 256 KiB of
    /// text or a bound on the work.
    pub fn expand(&self, args: &str) -> Option<Expansion> {
        self.expand_numbered(args, next_number(args))
    }

    /// As [`expand`](Self::expand), with a number for the locals that the caller chose: calls with
    /// different numbers have different locals, also where one expansion stands in another.
    pub fn expand_numbered(&self, args: &str, number: u32) -> Option<Expansion> {
        let arguments = Tokens::new(args)?;
        let mut matcher = Matcher::new(&self.tokens, &arguments, MAX_STEPS);
        for rule in &self.rules {
            let found = matcher.matches(&rule.pattern, rule.fragments.len());
            if matcher.is_spent() {
                return None;
            }
            if let Some(bindings) = found {
                let transcriber = Transcriber {
                    definition: &self.tokens,
                    arguments: &arguments,
                    fragments: &rule.fragments,
                    suffix: format!("{SUFFIX}{number}"),
                };
                return transcriber.run(rule.template.as_ref()?, &bindings);
            }
        }
        None
    }
}

fn rule(
    tokens: &Tokens<Box<str>>,
    pattern: std::ops::Range<usize>,
    template: std::ops::Range<usize>,
) -> Option<Rule> {
    let mut variables = Vec::new();
    let pattern = pattern::pattern(tokens, pattern, &mut variables)?;
    let (names, fragments): (Vec<String>, Vec<Fragment>) = variables.into_iter().unzip();
    Some(Rule {
        pattern,
        template: template::template(tokens, template, &names),
        fragments,
    })
}

/// One more than the greatest number that a name in the text ends with after [`SUFFIX`].
fn next_number(text: &str) -> u32 {
    let numbers = text.match_indices(SUFFIX).filter_map(|(at, _)| {
        let after = text.get(at + SUFFIX.len()..)?;
        let end = after.find(|c: char| !c.is_ascii_digit());
        after.get(..end.unwrap_or(after.len()))?.parse::<u32>().ok()
    });
    numbers.max().unwrap_or(0).saturating_add(1)
}
