//! The two halves of a rule, read into trees: what it matches and what it writes.

use super::lexer::{Kind, Tokens};

/// Repetitions and groups nested deeper than this are not read: the reader recurses.
const MAX_DEPTH: u32 = 48;

/// A fragment specifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment {
    Ident,
    Expr,
    Ty,
    Path,
    Pat,
    PatParam,
    Stmt,
    Block,
    Item,
    Meta,
    Tt,
    Vis,
    Lifetime,
    Literal,
}

impl Fragment {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ident" => Self::Ident,
            "expr" | "expr_2021" => Self::Expr,
            "ty" => Self::Ty,
            "path" => Self::Path,
            "pat" => Self::Pat,
            "pat_param" => Self::PatParam,
            "stmt" => Self::Stmt,
            "block" => Self::Block,
            "item" => Self::Item,
            "meta" => Self::Meta,
            "tt" => Self::Tt,
            "vis" => Self::Vis,
            "lifetime" => Self::Lifetime,
            "literal" => Self::Literal,
            _ => return None,
        })
    }
}

/// How often a repetition may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Any,
    Some,
    AtMostOnce,
}

/// An element of a matcher.
#[derive(Debug, Clone)]
pub(super) enum Match {
    /// A token or an operator of the definition, as written.
    Literal(String),
    /// A delimited group; the opening delimiter as written.
    Group(String, Vec<Match>),
    /// `$name:fragment`, bound to a slot.
    Variable(usize, Fragment),
    Repeat(Repeat<Match>),
}

/// An element of a transcriber.
#[derive(Debug, Clone)]
pub(super) enum Write {
    /// A token of the definition, by its index.
    Token(usize),
    Variable(usize),
    /// `$crate`.
    Crate,
    Repeat(Repeat<Write>),
}

/// `$( … ) separator times`.
#[derive(Debug, Clone)]
pub(super) struct Repeat<T> {
    pub(super) inner: Vec<T>,
    pub(super) separator: Option<String>,
    pub(super) times: Times,
    /// The slots of the variables inside.
    pub(super) slots: Vec<usize>,
}

/// Reads the halves of one rule; the names that the matcher binds are numbered as met.
pub(super) struct Reader<'a> {
    pub(super) tokens: Tokens<'a>,
    pub(super) names: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// The matcher between the tokens `at` and `end`.
    pub(super) fn matcher(&mut self, mut at: usize, end: usize, depth: u32) -> Option<Vec<Match>> {
        let tokens = self.tokens;
        let mut elements = Vec::new();
        if depth > MAX_DEPTH {
            return None;
        }
        while at < end {
            if tokens.is(at, "$") && tokens.is(at + 1, "(") {
                let before = self.names.len();
                let close = tokens.mate(at + 1);
                let inner = self.matcher(at + 2, close, depth + 1)?;
                let (separator, times, next) = self.times(close + 1, end)?;
                elements.push(Match::Repeat(Repeat {
                    inner,
                    separator,
                    times,
                    slots: (before..self.names.len()).collect(),
                }));
                at = next;
            } else if tokens.is(at, "$") && tokens.is(at + 2, ":") {
                let fragment = Fragment::named(tokens.text(at + 3))?;
                elements.push(Match::Variable(self.names.len(), fragment));
                self.names.push(tokens.text(at + 1));
                at += 4;
            } else if tokens.is(at, "$") && at + 1 < end {
                // `$crate` as a literal token, or nothing that is known.
                return None;
            } else if tokens.kind(at) == Some(Kind::Open) {
                let close = tokens.mate(at);
                let inner = self.matcher(at + 1, close, depth + 1)?;
                elements.push(Match::Group(tokens.text(at).to_owned(), inner));
                at = close + 1;
            } else {
                elements.push(Match::Literal(tokens.operator(at).to_owned()));
                at = tokens.after(at);
            }
        }
        Some(elements)
    }

    /// The transcriber between the tokens `at` and `end`.
    pub(super) fn transcriber(
        &self,
        mut at: usize,
        end: usize,
        depth: u32,
        slots: &mut Vec<usize>,
    ) -> Option<Vec<Write>> {
        let tokens = self.tokens;
        let mut elements = Vec::new();
        if depth > MAX_DEPTH {
            return None;
        }
        while at < end {
            if !tokens.is(at, "$") {
                elements.push(Write::Token(at));
                at += 1;
            } else if tokens.is(at + 1, "(") {
                let close = tokens.mate(at + 1);
                let mut used = Vec::new();
                let inner = self.transcriber(at + 2, close, depth + 1, &mut used)?;
                let (separator, times, next) = self.times(close + 1, end)?;
                slots.extend(&used);
                elements.push(Write::Repeat(Repeat {
                    inner,
                    separator,
                    times,
                    slots: used,
                }));
                at = next;
            } else if tokens.is(at + 1, "crate") {
                elements.push(Write::Crate);
                at += 2;
            } else if let Some(slot) = self.slot(tokens.text(at + 1)) {
                slots.push(slot);
                elements.push(Write::Variable(slot));
                at += 2;
            } else {
                // A variable of a macro that this one defines.
                elements.push(Write::Token(at));
                at += 1;
            }
        }
        Some(elements)
    }

    fn slot(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }

    /// The separator and the operator after a repetition's group, and where they end.
    fn times(&self, at: usize, end: usize) -> Option<(Option<String>, Times, usize)> {
        let tokens = self.tokens;
        if at >= end {
            return None;
        }
        if let Some(times) = times(tokens.text(at)) {
            // `$( … )++`: the first sign is the separator.
            let doubled = matches!(tokens.text(at), "+" | "*")
                && at + 1 < end
                && tokens.list[at].end == tokens.list[at + 1].start
                && times_of_pair(tokens.text(at + 1));
            if !doubled {
                return Some((None, times, at + 1));
            }
        }
        // `$( … )|*`, `$( … )=>+`: the operator that joins separator and sign is none of Rust's.
        let mut separator = tokens.operator(at);
        let mut next = tokens.after(at);
        if next >= end || times(tokens.text(next)).is_none() {
            separator = tokens.text(at);
            next = at + 1;
        }
        let times = times(tokens.text(next)).filter(|_| next < end)?;
        Some((Some(separator.to_owned()), times, next + 1))
    }
}

fn times(sign: &str) -> Option<Times> {
    match sign {
        "*" => Some(Times::Any),
        "+" => Some(Times::Some),
        "?" => Some(Times::AtMostOnce),
        _ => None,
    }
}

fn times_of_pair(sign: &str) -> bool {
    matches!(sign, "*" | "+")
}
