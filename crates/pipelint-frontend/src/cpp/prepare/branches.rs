//! Directives: which branches are read, and what the others define.

use pipelint_ir::{Constant, Gap, GapReason, Include, Language, Macro, Name};
use pipelint_source::{FileId, Span};

use super::super::config::CppConfig;
use super::super::expand::Change;
use super::Prepared;
use super::define::{self, Definitions, Use};
use super::lexer::{Kind, Lexer, Piece, flatten};
use super::output::Output;
use super::tokens::Token;
use super::words::{Action, word};

/// An open `#if`.
struct Open {
    start: usize,
    end: usize,
    /// The code around it is read.
    outer: bool,
    /// A branch of it has been read.
    done: bool,
    /// The current branch is read.
    active: bool,
}

struct Reader<'t, 'c> {
    file: FileId,
    text: &'t str,
    definitions: Definitions<'c>,
    open: Vec<Open>,
}

/// Reads the text once: blanks directives and branches that are not read, and returns the tokens
/// of the rest.
pub(crate) fn choose(
    file: FileId,
    text: &str,
    language: Language,
    config: &CppConfig,
    out: &mut Output,
    facts: &mut Prepared,
) -> Vec<Token> {
    let mut reader = Reader {
        file,
        text,
        definitions: Definitions::new(config, language),
        open: Vec::new(),
    };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut lexer = Lexer::new(text.as_bytes());
    // Where the branch that is not read began.
    let mut skipped: Option<usize> = None;
    while let Some(piece) = lexer.next() {
        match piece {
            Piece::Token(..) if skipped.is_some() => {}
            Piece::Token(kind, start, end) => {
                tokens.push(reader.token(kind, start, end, out));
            }
            Piece::Directive(start, end) => {
                out.blank(start, end);
                let was = reader.active();
                reader.directive(start, end, was, facts);
                let is = reader.active();
                if was && !is {
                    skipped = Some(end);
                } else if is && let Some(from) = skipped.take() {
                    out.blank(from, start);
                    // A branch begins where the one that is not read ended; between two branches
                    // of one chain nothing is read.
                }
                if !is && skipped.is_none() {
                    skipped = Some(end);
                }
            }
        }
    }
    if let Some(from) = skipped {
        out.blank(from, text.len());
    }
    for open in &reader.open {
        let span = reader.span(open.start, open.end);
        facts.gaps.push(Gap {
            span,
            reason: GapReason::Unsupported(Name::new("#if without #endif")),
        });
    }
    tokens
}

/// Reads the directives alone.
pub(crate) fn directives(
    file: FileId,
    text: &str,
    language: Language,
    config: &CppConfig,
) -> Prepared {
    let mut facts = Prepared::default();
    let mut reader = Reader {
        file,
        text,
        definitions: Definitions::new(config, language),
        open: Vec::new(),
    };
    let mut lexer = Lexer::new(text.as_bytes());
    while let Some(piece) = lexer.next() {
        if let Piece::Directive(start, end) = piece {
            let active = reader.active();
            reader.directive(start, end, active, &mut facts);
        }
    }
    facts
}

impl Reader<'_, '_> {
    fn active(&self) -> bool {
        self.open.last().is_none_or(|open| open.active)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, clamp(start), clamp(end))
    }

    /// A token with what its name says.
    fn token(&self, kind: Kind, start: usize, end: usize, out: &mut Output) -> Token {
        let (mut kind, mut action) = (kind, Action::None);
        if matches!(kind, Kind::Ident | Kind::Caps) {
            let name = self.text.get(start..end).unwrap_or("");
            match self.definitions.usage(name) {
                Use::NoReturn => action = Action::NoReturn,
                Use::Blank => action = Action::Convention,
                Use::BlankCall => action = Action::BlankCall,
                Use::Words(words) => {
                    let first = words.split(' ').next().and_then(word);
                    if out.replace(start, end, words) {
                        kind = first.map_or(Kind::Ident, |word| word.kind);
                    } else if first
                        .is_some_and(|word| matches!(word.kind, Kind::Spec | Kind::Extern))
                    {
                        // Storage and qualification lose little; a type stays a name.
                        action = Action::Blank;
                    }
                }
                Use::Code if word(name).is_none() => kind = Kind::Caps,
                Use::Unknown | Use::Code => match word(name) {
                    Some(found) => (kind, action) = (found.kind, found.action),
                    None if name.starts_with('_') && super::words::is_sal(name) => {
                        action = Action::Sal;
                    }
                    None if kind == Kind::Caps && super::words::looks_like_type(name) => {
                        kind = Kind::CapsType;
                    }
                    None => {}
                },
            }
        }
        Token::new(kind, action, start, end)
    }

    fn directive(&mut self, start: usize, end: usize, active: bool, facts: &mut Prepared) {
        let line = flatten(self.text.get(start + 1..end).unwrap_or(""));
        let line = line.trim_start();
        let split = line
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(line.len());
        let (word, rest) = line.split_at(split);
        match word {
            "if" | "ifdef" | "ifndef" => {
                let holds = active && self.condition(word, rest);
                self.open.push(Open {
                    start,
                    end,
                    outer: active,
                    done: holds,
                    active: holds,
                });
            }
            "elif" | "elifdef" | "elifndef" | "else" => {
                let Some(last) = self.open.last() else { return };
                let wanted = last.outer && !last.done;
                let holds = wanted
                    && match word {
                        "else" => true,
                        "elif" => self.condition("if", rest),
                        "elifdef" => self.condition("ifdef", rest),
                        _ => self.condition("ifndef", rest),
                    };
                if let Some(last) = self.open.last_mut() {
                    last.active = holds;
                    last.done |= holds;
                }
            }
            "endif" => {
                self.open.pop();
            }
            "define" if active => {
                if let Some(parsed) = define::parse(rest) {
                    self.define(parsed, self.span(start, end), facts);
                }
            }
            "undef" if active => {
                let name = rest.trim();
                self.definitions.undefine(name);
                facts.changes.push(Change::undefine(start, name));
            }
            "include" | "include_next" | "import" if active => {
                let rest = rest.trim_start();
                let quoted = rest.starts_with('"');
                let close = if quoted { '"' } else { '>' };
                if let Some(inner) = rest.strip_prefix(['"', '<'])
                    && let Some((path, _)) = inner.split_once(close)
                {
                    let span = self.span(start, end);
                    facts.includes.push(Include {
                        path: Name::new(path),
                        quoted,
                        span,
                    });
                }
            }
            _ => {}
        }
    }

    fn condition(&self, word: &str, rest: &str) -> bool {
        let name = || {
            let rest = rest.trim();
            rest.split(|c: char| c.is_ascii_whitespace())
                .next()
                .unwrap_or("")
        };
        match word {
            "ifdef" => self.definitions.is_defined(name()),
            "ifndef" => !self.definitions.is_defined(name()),
            _ => self.definitions.holds(rest),
        }
    }

    fn define(&mut self, parsed: define::Parsed, span: Span, facts: &mut Prepared) {
        self.definitions.define(&parsed);
        facts.changes.push(Change::define(span.start, &parsed));
        let define::Parsed { name, params, body } = parsed;
        match params {
            Some(params) => facts.macros.push(Macro {
                name,
                params,
                body,
                span,
            }),
            None => {
                if let Some(value) = self.definitions.constant(&body) {
                    facts.constants.push(Constant { name, value, span });
                }
            }
        }
    }
}
