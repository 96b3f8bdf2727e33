//! `select!`: of several futures the first that is ready is taken, and the code of its arm is run.
//!
//! It is read as a `match` on something that is not known, each arm of which waits for its future and
//! binds what comes of it.

use pipelint_source::Span;
use tree_sitter::Node;

use super::arguments::expression;
use super::{Lowerer, Value};
use crate::rust::fragment::{parse_expression, source_of};
use crate::rust::macro_rules::Tokens;
use crate::rust::source::{Piece, Source};

/// Tokens from one index to another.
type Stretch = (usize, usize);

/// One arm: `pattern = future, if condition => code`.
#[derive(Debug, Default)]
struct Arm {
    /// The pattern and the future; none of `else` and its kin.
    waits: Option<(Stretch, Stretch)>,
    condition: Option<Stretch>,
    code: Stretch,
}

impl Lowerer<'_> {
    /// Lowers the arms of a `select!`, given its arguments with their delimiters; none where they are
    /// no such arms.
    pub(super) fn select(&mut self, list: Node<'_>, span: Span) -> Option<Value> {
        let source = self.arms_as_match(list, span)?;
        let end = source
            .text
            .len()
            .checked_sub(crate::rust::fragment::END.len())?;
        let tree = parse_expression(&source, &[(0, end)])?;
        if tree.root_node().has_error() {
            return None;
        }
        let inner = expression(tree.root_node())?;
        let outer = std::mem::replace(&mut self.src, source);
        // What syn, which is asked about the same text, knows only as tokens is not compared.
        let sites = self.sites.take();
        let value = self.value(inner);
        self.sites = sites;
        self.src = outer;
        Some(value)
    }

    /// The arms as the text of a `match`.
    fn arms_as_match(&self, list: Node<'_>, span: Span) -> Option<Source> {
        let tokens = Tokens::new(self.src.text(list))?;
        let arms = arms(&tokens)?;
        let mut text = Text {
            of: &self.src,
            tokens: &tokens,
            from: list.start_byte(),
            text: String::new(),
            pieces: Vec::new(),
        };
        text.text.push_str("match __select!() {");
        for (i, arm) in arms.iter().enumerate() {
            match (&arm.waits, arm.condition) {
                (Some(_), Some(condition)) => {
                    text.text.push_str(&format!("{i} if "));
                    text.written(condition)?;
                }
                (Some(_), None) => text.text.push_str(&i.to_string()),
                (None, _) => text.text.push('_'),
            }
            text.text.push_str(" => {");
            if let Some((pattern, future)) = arm.waits {
                text.text.push_str("let ");
                text.written(pattern)?;
                text.text.push_str(" = (");
                text.written(future)?;
                text.text.push_str(").await else { loop {} };");
            }
            text.written(arm.code)?;
            text.text.push_str("} ");
        }
        if arms.iter().all(|arm| arm.waits.is_some()) {
            text.text.push_str("_ => loop {} ");
        }
        text.text.push('}');
        Some(source_of(&self.src, text.text, span, text.pieces))
    }
}

/// A text in the making, some of which was written in the file.
struct Text<'a> {
    of: &'a Source,
    tokens: &'a Tokens<&'a str>,
    /// Where the tokens' text begins in the source.
    from: usize,
    text: String,
    pieces: Vec<Piece>,
}

impl Text<'_> {
    /// Adds what stands there in the file.
    fn written(&mut self, (start, end): Stretch) -> Option<()> {
        let from = self.tokens.get(start)?.start as usize;
        let to = self.tokens.get(end.checked_sub(1)?)?.end as usize;
        let run = u32::try_from(self.pieces.len()).ok()?;
        for (at, span) in self.of.pieces(self.from + from, self.from + to) {
            let shift = at - self.from - from;
            let start = u32::try_from(self.text.len() + shift).ok()?;
            self.pieces.push(Piece { start, span, run });
        }
        self.text.push_str(self.tokens.source().get(from..to)?);
        Some(())
    }
}

/// The arms between the delimiters.
fn arms(tokens: &Tokens<&str>) -> Option<Vec<Arm>> {
    let end = tokens.close_of(0)?;
    let mut at = 1;
    if tokens.is(at, "biased") && tokens.is(at + 1, ";") {
        at += 2;
    }
    let mut arms = Vec::new();
    while at < end {
        let arrow = find(tokens, at, end, "=>")?;
        let mut arm = Arm::default();
        if arrow == at {
            return None;
        }
        if !(arrow == at + 1 && matches!(tokens.text(at), "else" | "complete" | "default")) {
            let equals = find(tokens, at, arrow, "=")?;
            let condition = (equals + 1..arrow).find(|&i| {
                tokens.is(i, ",") && tokens.is(i + 1, "if") && is_outside(tokens, equals, i)
            });
            let future = (equals + 1, condition.unwrap_or(arrow));
            if future.0 >= future.1 || equals == at {
                return None;
            }
            arm.waits = Some(((at, equals), future));
            arm.condition = condition.map(|comma| (comma + 2, arrow));
        }
        let start = arrow + 1;
        let stop = match tokens.close_of(start) {
            Some(close) if tokens.is(start, "{") => close + 1,
            _ => find(tokens, start, end, ",").unwrap_or(end),
        };
        if stop <= start {
            return None;
        }
        arm.code = (start, stop);
        arms.push(arm);
        at = stop + usize::from(tokens.is(stop, ","));
    }
    (!arms.is_empty()).then_some(arms)
}

/// The index of a token outside of all delimiters.
fn find(tokens: &Tokens<&str>, from: usize, to: usize, text: &str) -> Option<usize> {
    let mut at = from;
    while at < to {
        if tokens.is(at, text) {
            return Some(at);
        }
        at = tokens.after_tree(at);
    }
    None
}

/// Whether no delimiter that opens between the two encloses the second.
fn is_outside(tokens: &Tokens<&str>, from: usize, wanted: usize) -> bool {
    let mut at = from;
    while at < wanted {
        at = tokens.after_tree(at);
    }
    at == wanted
}
