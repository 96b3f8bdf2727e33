//! Replacing a use by its macro's body, as the standard has it: arguments are expanded, put in
//! the body's place of their parameters, and the whole is looked through again.

use std::borrow::Cow;

use super::super::prepare::lexer::{Kind, Lexer, Piece};
use super::definition::{Definition, Part, is_word};

/// Uses within uses are followed this deep.
const MAX_DEPTH: u32 = 48;
/// Tokens looked at for one use in the file.
const MAX_STEPS: usize = 60_000;
/// Tokens that one use may become.
const MAX_TOKENS: usize = 6_000;

/// What a token is to the substitution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Name,
    Number,
    Open,
    Close,
    Comma,
    Semicolon,
    BraceOpen,
    BraceClose,
    /// `#`
    Hash,
    /// `##`
    Paste,
    Other,
}

impl Word {
    pub(crate) fn of(kind: Kind, text: &str) -> Self {
        match kind {
            Kind::LParen => Self::Open,
            Kind::RParen => Self::Close,
            Kind::Comma => Self::Comma,
            Kind::Semi => Self::Semicolon,
            Kind::LBrace => Self::BraceOpen,
            Kind::RBrace => Self::BraceClose,
            Kind::Num => Self::Number,
            Kind::Str | Kind::Char => Self::Other,
            _ if text == "#" => Self::Hash,
            _ if is_word(text) => Self::Name,
            _ => Self::Other,
        }
    }
}

/// A token on its way.
#[derive(Debug, Clone)]
pub(crate) struct Tok<'a> {
    word: Word,
    text: Cow<'a, str>,
    /// White space stands before it.
    spaced: bool,
    /// It was met inside its own macro, and is never expanded again.
    spent: bool,
}

impl<'a> Tok<'a> {
    pub(crate) fn new(word: Word, text: &'a str, spaced: bool) -> Self {
        Self {
            word,
            text: Cow::Borrowed(text),
            spaced,
            spent: false,
        }
    }
}

/// Finds definitions.
pub(crate) trait Lookup<'a> {
    /// The definition whose uses are replaced here.
    fn definition(&self, name: &str) -> Option<&'a Definition>;
}

/// What may still be done for one use.
pub(crate) struct Budget {
    steps: usize,
}

impl Budget {
    /// For one use, where the file still has `steps`.
    pub(crate) fn of_use(steps: usize) -> Self {
        Self {
            steps: steps.min(MAX_STEPS),
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.steps
    }

    /// None when the bound is met.
    fn take(&mut self, steps: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(steps)?;
        (self.steps > 0).then_some(())
    }
}

/// The expansion of a use; none where it is not one, or a bound is met.
pub(crate) fn whole<'a>(
    input: Vec<Tok<'a>>,
    names: &dyn Lookup<'a>,
    budget: &mut Budget,
) -> Option<Vec<Tok<'a>>> {
    let first = input.first().map(|token| token.text.clone())?;
    let mut run = Run {
        names,
        budget,
        active: Vec::new(),
        refused: false,
    };
    let out = run.scan(input, 0)?;
    // The use itself must have become something else.
    let unchanged = run.refused && out.first().is_some_and(|token| token.text == first);
    (!unchanged && out.len() <= MAX_TOKENS).then_some(out)
}

/// Writes tokens as text.
pub(crate) fn write(tokens: &[Tok<'_>], out: &mut String) {
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 && token.spaced {
            out.push(' ');
        }
        out.push_str(&token.text);
    }
}

struct Run<'r, 'a> {
    names: &'r dyn Lookup<'a>,
    budget: &'r mut Budget,
    /// The macros whose bodies are looked through.
    active: Vec<&'a str>,
    /// Some use did not fit its macro.
    refused: bool,
}

impl<'a> Run<'_, 'a> {
    /// Replaces every use in `input`.
    fn scan(&mut self, input: Vec<Tok<'a>>, depth: u32) -> Option<Vec<Tok<'a>>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut out: Vec<Tok<'a>> = Vec::with_capacity(input.len());
        let mut at = 0;
        let mut detach = false;
        while let Some(token) = input.get(at) {
            self.budget.take(1)?;
            let spaced = std::mem::take(&mut detach) || token.spaced;
            let definition = (token.word == Word::Name && !token.spent)
                .then(|| self.names.definition(&token.text))
                .flatten();
            let keep = |spent| Tok {
                spaced,
                spent: token.spent || spent,
                ..token.clone()
            };
            let Some(definition) = definition else {
                out.push(keep(false));
                at += 1;
                continue;
            };
            if self.active.contains(&definition.name.as_str()) {
                out.push(keep(true));
                at += 1;
                continue;
            }
            let (end, arguments) = match &definition.params {
                None => (at + 1, Some(Vec::new())),
                Some(params) => match self.arguments(&input, at + 1)? {
                    Some((end, found)) => (end, fit(found, params.len(), definition.variadic)),
                    None => {
                        out.push(keep(false));
                        at += 1;
                        continue;
                    }
                },
            };
            let Some(arguments) = arguments else {
                self.refused = true;
                out.push(keep(false));
                at += 1;
                continue;
            };
            let replaced = self.replace(definition, &arguments, depth)?;
            self.active.push(&definition.name);
            let replaced = self.scan(replaced, depth + 1);
            self.active.pop();
            let mut replaced = replaced?;
            if let Some(first) = replaced.first_mut() {
                first.spaced = true;
            }
            out.append(&mut replaced);
            // What follows may not grow together with it.
            detach = true;
            at = end;
        }
        Some(out)
    }

    /// The arguments of a use whose parenthesis should be at `at`, and where they end.
    fn arguments(
        &mut self,
        input: &[Tok<'a>],
        at: usize,
    ) -> Option<Option<(usize, Vec<Vec<Tok<'a>>>)>> {
        if input.get(at).map(|token| token.word) != Some(Word::Open) {
            return Some(None);
        }
        let mut found = vec![Vec::new()];
        let mut open = 0u32;
        for (index, token) in input.iter().enumerate().skip(at + 1) {
            self.budget.take(1)?;
            match token.word {
                Word::Open => open += 1,
                Word::Close if open == 0 => return Some(Some((index + 1, found))),
                Word::Close => open -= 1,
                Word::Comma if open == 0 => {
                    found.push(Vec::new());
                    continue;
                }
                _ => {}
            }
            if let Some(last) = found.last_mut() {
                last.push(token.clone());
            }
        }
        Some(None)
    }

    /// The body with the arguments in it.
    fn replace(
        &mut self,
        definition: &'a Definition,
        arguments: &[Vec<Tok<'a>>],
        depth: u32,
    ) -> Option<Vec<Tok<'a>>> {
        let mut expanded: Vec<Option<Vec<Tok<'a>>>> = vec![None; arguments.len()];
        let mut out: Vec<Tok<'a>> = Vec::new();
        let parts = &definition.parts;
        let mut paste = false;
        // Closing parentheses that stand for nothing.
        let mut unwrapped: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some(part) = parts.get(at) {
            self.budget.take(1)?;
            if unwrapped.last() == Some(&at) {
                unwrapped.pop();
                at += 1;
                continue;
            }
            let next = parts.get(at + 1);
            if part.word == Word::Paste && !out.is_empty() && next.is_some() {
                paste = true;
                at += 1;
                continue;
            }
            if part.word == Word::Hash
                && definition.params.is_some()
                && let Some(argument) = next.and_then(|next| argument(next, arguments))
            {
                self.budget.take(argument.len())?;
                let text = Tok {
                    word: Word::Other,
                    text: Cow::Owned(quoted(argument)),
                    spaced: part.spaced,
                    spent: false,
                };
                self.join(&mut out, vec![text], &mut paste);
                at += 2;
                continue;
            }
            if part.word == Word::Name
                && definition.text(part) == "__VA_OPT__"
                && definition.variadic
            {
                let filled = arguments.last().is_some_and(|rest| !rest.is_empty());
                match group(parts, at + 1) {
                    // What stands in the parentheses goes on as ordinary parts.
                    Some(end) if filled => {
                        unwrapped.push(end - 1);
                        at += 2;
                    }
                    Some(end) => at = end,
                    None => at += 1,
                }
                continue;
            }
            let Some(given) = argument(part, arguments) else {
                let token = Tok::new(part.word, definition.text(part), part.spaced);
                self.join(&mut out, vec![token], &mut paste);
                at += 1;
                continue;
            };
            let pastes = paste || next.is_some_and(|next| next.word == Word::Paste);
            let mut tokens = if pastes {
                self.budget.take(given.len())?;
                given.clone()
            } else {
                let slot = usize::from(part.param.unwrap_or(0));
                if expanded[slot].is_none() {
                    expanded[slot] = Some(self.scan(given.clone(), depth + 1)?);
                }
                let tokens = expanded[slot].clone().unwrap_or_default();
                self.budget.take(tokens.len())?;
                tokens
            };
            if pastes && tokens.is_empty() {
                // What stands beside it grows together with nothing.
                tokens.push(Tok::new(Word::Other, "", false));
            }
            if let Some(first) = tokens.first_mut() {
                // `-x` of `-1` is no `--1`.
                first.spaced = part.spaced
                    || out.last().is_some_and(|last| {
                        matches!(last.word, Word::Name | Word::Number | Word::Other)
                    });
            }
            // `f(x, ##__VA_ARGS__)` and, to the Microsoft compiler, `f(x, __VA_ARGS__)`.
            let rest =
                definition.variadic && usize::from(part.param.unwrap_or(0)) + 1 == arguments.len();
            if rest && out.last().is_some_and(|last| last.word == Word::Comma) {
                if given.is_empty() {
                    out.pop();
                }
                paste = false;
            }
            self.join(&mut out, tokens, &mut paste);
            at += 1;
        }
        Some(out)
    }

    /// Appends tokens; the first grows together with the last where `##` stood.
    fn join(&mut self, out: &mut Vec<Tok<'a>>, tokens: Vec<Tok<'a>>, paste: &mut bool) {
        let mut tokens = tokens.into_iter();
        if std::mem::take(paste)
            && let Some(first) = tokens.next()
        {
            match out.pop() {
                Some(last) => {
                    let text = format!("{}{}", last.text, first.text);
                    out.push(Tok {
                        word: word_of(&text),
                        text: Cow::Owned(text),
                        spaced: last.spaced,
                        spent: false,
                    });
                }
                None => out.push(first),
            }
        }
        out.extend(tokens);
    }
}

/// The argument that a part of the body names.
fn argument<'s, 'a>(part: &Part, arguments: &'s [Vec<Tok<'a>>]) -> Option<&'s Vec<Tok<'a>>> {
    arguments.get(usize::from(part.param?))
}

/// Where the group in parentheses that begins at `at` ends.
fn group(parts: &[Part], at: usize) -> Option<usize> {
    let mut open = 0u32;
    for (index, part) in parts.iter().enumerate().skip(at) {
        match part.word {
            Word::Open => open += 1,
            Word::Close => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Some(index + 1);
                }
            }
            _ if open == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The arguments as the parameters take them; none where they do not fit.
fn fit<'a>(
    mut found: Vec<Vec<Tok<'a>>>,
    params: usize,
    variadic: bool,
) -> Option<Vec<Vec<Tok<'a>>>> {
    if params == 0 {
        return (found.len() == 1 && found[0].is_empty()).then(Vec::new);
    }
    if variadic {
        if found.len() + 1 == params {
            found.push(Vec::new());
        }
        if found.len() < params {
            return None;
        }
        let rest = found.split_off(params - 1);
        let mut joined: Vec<Tok<'a>> = Vec::new();
        for (index, argument) in rest.into_iter().enumerate() {
            if index > 0 {
                joined.push(Tok::new(Word::Comma, ",", false));
            }
            joined.extend(argument);
        }
        found.push(joined);
    }
    (found.len() == params).then_some(found)
}

/// `#x`
fn quoted(argument: &[Tok<'_>]) -> String {
    let mut out = String::from("\"");
    for (index, token) in argument.iter().enumerate() {
        if index > 0 && token.spaced {
            out.push(' ');
        }
        let literal = token.text.contains(['"', '\'']);
        for c in token.text.chars() {
            match c {
                '\n' | '\r' => out.push(' '),
                '"' => out.push_str("\\\""),
                '\\' if literal => out.push_str("\\\\"),
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

/// What pasted text is.
fn word_of(text: &str) -> Word {
    match Lexer::within_line(text.as_bytes()).next() {
        Some(Piece::Token(kind, 0, end)) if end == text.len() => Word::of(kind, text),
        _ => Word::Other,
    }
}
