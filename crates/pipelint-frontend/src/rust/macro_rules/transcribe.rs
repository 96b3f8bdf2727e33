//! Writes what a call becomes, and where each stretch of it comes from.

use super::fragment::Fragment;
use super::matcher::Binding;
use super::shape::{Shape, has_bounds, is_plain_path, shape};
use super::template::{Next, Repeat, Template};
use super::tokens::Tokens;
use super::{Expansion, MAX_STEPS, MAX_TEXT, Piece};

/// What was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing, or what a statement may follow.
    Statement,
    /// What an expression may follow, not a statement.
    Expression,
    /// Anything else.
    Other,
}

/// Writes transcribers with the bindings of a match.
pub(super) struct Transcriber<'a> {
    pub(super) definition: &'a Tokens<Box<str>>,
    pub(super) arguments: &'a Tokens<&'a str>,
    pub(super) fragments: &'a [Fragment],
    /// What is appended to the names of the macro's own locals.
    pub(super) suffix: String,
}

impl Transcriber<'_> {
    /// The expansion. `None` where a metavariable is repeated otherwise than in the pattern, or
    /// beyond the bounds.
    pub(super) fn run(&self, template: &[Template], bindings: &[Binding]) -> Option<Expansion> {
        let mut writer = Writer {
            text: String::new(),
            pieces: Vec::new(),
            token: None,
            last: Last::Statement,
            steps: 0,
        };
        let mut current: Vec<&Binding> = bindings.iter().collect();
        self.sequence(template, &mut current, &mut writer)?;
        Some(Expansion {
            text: writer.text,
            pieces: writer.pieces,
        })
    }

    fn sequence(
        &self,
        template: &[Template],
        current: &mut Vec<&Binding>,
        writer: &mut Writer,
    ) -> Option<()> {
        for element in template {
            writer.steps += 1;
            if writer.steps > MAX_STEPS || writer.text.len() > MAX_TEXT {
                return None;
            }
            match element {
                Template::Token(at) => writer.token(self.definition, *at, ""),
                Template::Local(at) => writer.token(self.definition, *at, &self.suffix),
                Template::Field(at) => {
                    writer.token(self.definition, *at, ":");
                    writer.token(self.definition, *at, &self.suffix);
                }
                Template::Crate => writer.word("crate"),
                Template::Variable(number, next) => {
                    let Binding::Leaf(start, end) = *current.get(*number)? else {
                        return None;
                    };
                    let fragment = *self.fragments.get(*number)?;
                    self.fragment(fragment, *start, *end, *next, writer);
                }
                Template::Repeat(repeat) => self.repeat(repeat, current, writer)?,
            }
        }
        (writer.text.len() <= MAX_TEXT).then_some(())
    }

    fn repeat<'b>(
        &self,
        repeat: &Repeat,
        current: &mut Vec<&'b Binding>,
        writer: &mut Writer,
    ) -> Option<()> {
        let mut rounds: Option<usize> = None;
        let mut sequences = Vec::new();
        for &number in &repeat.variables {
            let binding: &'b Binding = current.get(number)?;
            if let Binding::Sequence(sequence) = binding {
                if rounds.is_some_and(|rounds| rounds != sequence.len()) {
                    return None;
                }
                rounds = Some(sequence.len());
                sequences.push((number, binding, sequence));
            }
        }
        for round in 0..rounds? {
            if let Some(separator) = repeat.separator.filter(|_| round > 0) {
                writer.token(self.definition, separator, "");
            }
            for (number, _, sequence) in &sequences {
                *current.get_mut(*number)? = sequence.get(round)?;
            }
            self.sequence(&repeat.inner, current, writer)?;
        }
        for (number, binding, _) in sequences {
            *current.get_mut(number)? = binding;
        }
        Some(())
    }

    /// A fragment stays one unit wherever it stands
    /// (<https://doc.rust-lang.org/reference/macros-by-example.html#forwarding-a-matched-fragment>).
    fn fragment(
        &self,
        fragment: Fragment,
        start: usize,
        end: usize,
        next: Next,
        writer: &mut Writer,
    ) {
        let arguments = self.arguments;
        let (open, close) = match fragment {
            Fragment::Expr => {
                let alone = next == Next::End && writer.last != Last::Other;
                let bare = match shape(arguments, start, end) {
                    Shape::Atom => true,
                    Shape::Block | Shape::Compound => alone,
                    Shape::BlockFirst => alone && writer.last == Last::Expression,
                };
                if bare { ("", "") } else { ("(", ")") }
            }
            Fragment::Ty if next == Next::Path && !is_plain_path(arguments, start, end) => {
                ("<", ">")
            }
            Fragment::Ty if writer.last == Last::Other && has_bounds(arguments, start, end) => {
                ("(", ")")
            }
            _ => ("", ""),
        };
        if !open.is_empty() {
            writer.word(open);
        }
        writer.arguments(arguments, start, end);
        if !close.is_empty() {
            writer.write(close, None);
        }
        writer.token = None;
        if start < end {
            writer.last = Last::Other;
        }
    }
}

struct Writer {
    text: String,
    pieces: Vec<Piece>,
    /// The definition's token that was written last, if what was written last is one.
    token: Option<usize>,
    last: Last,
    steps: u32,
}

impl Writer {
    /// A token of the definition, as close to the one before as it is there.
    fn token(&mut self, definition: &Tokens<Box<str>>, at: usize, suffix: &str) {
        let text = definition.text(at);
        let joint = self.token.is_some_and(|last| last + 1 == at) && definition.is_joint(at);
        if !joint && !matches!(text, "," | ";" | ")" | "]") {
            self.blank();
        }
        self.write(text, None);
        self.write(suffix, None);
        self.token = Some(at);
        self.last = match text {
            "{" | ";" | "}" => Last::Statement,
            "(" | "[" | "," | "=" | "=>" | "return" => Last::Expression,
            _ => Last::Other,
        };
    }

    /// A word that stands nowhere.
    fn word(&mut self, text: &str) {
        self.blank();
        self.write(text, None);
        self.token = None;
        self.last = Last::Other;
    }

    /// Tokens of the arguments as they were written, with what stands between them.
    fn arguments(&mut self, arguments: &Tokens<&str>, start: usize, end: usize) {
        let (mut first, mut last) = (start, end);
        // A doc comment that was torn apart cannot be copied.
        while first < end && arguments.is_written(first) {
            first += 1;
        }
        while last > first && arguments.is_written(last - 1) {
            last -= 1;
        }
        for at in start..first {
            self.blank();
            self.write(arguments.text(at), None);
        }
        let from = arguments.get(first).filter(|_| first < last);
        let to = last.checked_sub(1).and_then(|at| arguments.get(at));
        if let (Some(from), Some(to)) = (from, to) {
            let source = arguments.source();
            let text = source.get(from.start as usize..to.end as usize);
            self.blank();
            self.write(text.unwrap_or(""), Some(from.start));
        }
        for at in last..end {
            self.blank();
            self.write(arguments.text(at), None);
        }
    }

    /// What stands apart stays apart, whatever it is.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '(', '[']) {
            self.write(" ", None);
        }
    }

    fn write(&mut self, text: &str, from: Option<u32>) {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (start, len) = (clamp(self.text.len()), clamp(text.len()));
        if len == 0 {
            return;
        }
        self.text.push_str(text);
        match self.pieces.last_mut() {
            Some(piece) if piece.from.is_none() && from.is_none() => piece.len += len,
            _ => self.pieces.push(Piece { start, len, from }),
        }
    }
}
