//! What a macro stands for.

use pipelint_ir::Name;

use super::super::known;
use super::super::prepare::define::Parsed;
use super::super::prepare::lexer::{Kind, Lexer, Piece, is_name};
use super::super::prepare::words::{is_sal, word};
use super::substitute::Word;

/// How a body stands in the code around its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Statements: a jump, a declaration, `do {} while (0)`.
    Statements,
    /// An expression, or what may be one.
    Expression,
    /// `if (x)`, `for (…)`, `else`: a statement follows.
    Head,
}

/// A piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) word: Word,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// White space stands before it.
    pub(crate) spaced: bool,
    /// The parameter it names.
    pub(crate) param: Option<u16>,
}

/// A macro as it is defined.
#[derive(Debug, Clone)]
pub struct Definition {
    pub(crate) name: Name,
    /// None of an object-like macro.
    pub(crate) params: Option<Vec<Name>>,
    /// The last parameter takes all further arguments.
    pub(crate) variadic: bool,
    pub(crate) body: String,
    pub(crate) parts: Vec<Part>,
    pub(crate) shape: Shape,
    expands: bool,
}

/// From a line on, a name means this.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The offset of the directive.
    pub(crate) at: u32,
    pub(crate) name: Name,
    /// None where the name is undefined, or stands for no code.
    pub(crate) to: Option<Definition>,
}

impl Change {
    pub(crate) fn undefine(at: usize, name: &str) -> Self {
        Self {
            at: u32::try_from(at).unwrap_or(u32::MAX),
            name: Name::new(name),
            to: None,
        }
    }

    pub(crate) fn define(at: u32, parsed: &Parsed) -> Self {
        let to = match parsed.params {
            Some(_) => Some(Definition::new(parsed)),
            None if may_be_statements(&parsed.body) => Some(Definition::new(parsed)),
            None => None,
        };
        Self {
            at,
            name: parsed.name.clone(),
            to: to.filter(|definition| {
                definition.params.is_some() || definition.shape == Shape::Statements
            }),
        }
    }
}

/// A quick look at an object-like macro's body: most are numbers.
fn may_be_statements(body: &str) -> bool {
    body.contains([';', '{'])
        || ["return", "goto", "break", "continue", "throw"]
            .iter()
            .any(|jump| body.contains(jump))
}

impl Definition {
    /// Reads a definition.
    pub(crate) fn new(parsed: &Parsed) -> Self {
        let mut params = parsed.params.clone();
        let mut variadic = false;
        if let Some(last) = params.as_mut().and_then(|params| params.last_mut())
            && let Some(named) = last.strip_suffix("...")
        {
            variadic = true;
            *last = match named.trim() {
                "" => Name::new("__VA_ARGS__"),
                named => Name::new(named),
            };
        }
        let body = &parsed.body;
        let (parts, kinds) = parts(body, params.as_deref().unwrap_or_default());
        let shape = shape(body, &parts, &kinds);
        let expands = balanced(&parts, body)
            && !parsed.name.is_empty()
            && word(&parsed.name).is_none()
            && !is_sal(&parsed.name)
            && !known::has_meaning(&parsed.name)
            && (shape != Shape::Expression || !only_chooses(body, &parts))
            && !is_told_by_name(&parsed.name, body, &parts, &kinds);
        Self {
            name: parsed.name.clone(),
            params,
            variadic,
            body: parsed.body.clone(),
            parts,
            shape,
            expands,
        }
    }

    /// The macro's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The text it stands for, its parameters not replaced.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Uses are written with arguments.
    pub fn takes_arguments(&self) -> bool {
        self.params.is_some()
    }

    /// Uses in bodies are replaced.
    pub fn expands(&self) -> bool {
        self.expands
    }

    /// The body may be members of a class, and nothing of them goes on behind it. Its last word may be a macro
    /// for more of them.
    pub(crate) fn is_members(&self) -> bool {
        let last = |n: usize| {
            let at = self.parts.len().checked_sub(n);
            at.map(|at| self.parts[at].word)
        };
        let ends = last(1) == Some(Word::Semicolon)
            || last(1) == Some(Word::Name) && last(2) == Some(Word::Semicolon);
        self.shape == Shape::Statements && ends
    }

    /// Two definitions that any use may be replaced by alike.
    pub fn is_same(&self, other: &Self) -> bool {
        self.params == other.params
            && self.variadic == other.variadic
            && self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(|(a, b)| {
                self.text(a) == other.text(b) && a.spaced == b.spaced && a.param == b.param
            })
    }

    /// The names that the body is written with, its parameters left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts
            .iter()
            .filter(|part| part.word == Word::Name && part.param.is_none())
            .map(|part| self.text(part))
    }

    pub(crate) fn text(&self, part: &Part) -> &str {
        self.body
            .get(part.start as usize..part.end as usize)
            .unwrap_or("")
    }

    /// A use that is a statement and that this token follows needs a semicolon behind it.
    pub(crate) fn lacks_semicolon(&self, follows: Option<Kind>) -> bool {
        let statement = self.shape == Shape::Statements;
        let ended = matches!(
            self.parts.last().map(|part| part.word),
            Some(Word::Semicolon | Word::BraceClose)
        );
        let goes_on = matches!(
            follows,
            Some(
                Kind::Semi
                    | Kind::Comma
                    | Kind::RParen
                    | Kind::LBrack
                    | Kind::Dot
                    | Kind::Arrow
                    | Kind::Eq
                    | Kind::Other
            )
        );
        statement && !ended && !goes_on
    }
}

/// The tokens of a body, and what they are to the grammar.
fn parts(body: &str, params: &[Name]) -> (Vec<Part>, Vec<Kind>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut kinds = Vec::new();
    let mut lexer = Lexer::within_line(body.as_bytes());
    let mut last_end = 0;
    while let Some(piece) = lexer.next() {
        let (kind, start, end) = match piece {
            Piece::Token(kind, start, end) => (kind, start, end),
            Piece::Directive(start, end) => (Kind::Other, start, end),
        };
        let text = body.get(start..end).unwrap_or("");
        let spaced = start != last_end;
        last_end = end;
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let word = Word::of(kind, text);
        if word == Word::Hash
            && !spaced
            && let Some(last) = parts.last_mut()
            && last.word == Word::Hash
        {
            last.word = Word::Paste;
            last.end = offset(end);
            continue;
        }
        let named = |text: &str| {
            let index = params.iter().position(|param| param == text);
            index.and_then(|index| u16::try_from(index).ok())
        };
        let part = |word, start, end, spaced, param| Part {
            word,
            start: offset(start),
            end: offset(end),
            spaced,
            param,
        };
        // `"%"x` is a string and a parameter, though it looks like a literal with a suffix.
        let quote = text.rfind('"').map_or(text.len(), |quote| quote + 1);
        if kind == Kind::Str
            && let Some(param) = text.get(quote..).and_then(named)
        {
            parts.push(part(word, start, start + quote, spaced, None));
            parts.push(part(Word::Name, start + quote, end, true, Some(param)));
            kinds.extend([Kind::Str, Kind::Ident]);
            continue;
        }
        let param = (word == Word::Name).then(|| named(text)).flatten();
        parts.push(part(word, start, end, spaced, param));
        let kind = match kind {
            Kind::Ident | Kind::Caps => {
                super::super::prepare::words::word(text).map_or(kind, |found| found.kind)
            }
            kind => kind,
        };
        kinds.push(kind);
    }
    (parts, kinds)
}

fn shape(body: &str, parts: &[Part], kinds: &[Kind]) -> Shape {
    let text = |part: &Part| body.get(part.start as usize..part.end as usize);
    let last = parts.last().and_then(text);
    if matches!(last, Some("else" | "do")) {
        return Shape::Head;
    }
    if kinds.first() == Some(&Kind::Ctrl)
        && parts.first().and_then(text) != Some("catch")
        && last == Some(")")
    {
        let mut open = 0u32;
        for (index, part) in parts.iter().enumerate().skip(1) {
            match part.word {
                Word::Open => open += 1,
                Word::Close => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                if index + 1 == parts.len() {
                    return Shape::Head;
                }
                break;
            }
        }
    }
    // A brace within parentheses is a lambda's, or a list's.
    let mut open = 0u32;
    for (part, kind) in parts.iter().zip(kinds) {
        match (part.word, kind) {
            (Word::Open, _) => open += 1,
            (Word::Close, _) => open = open.saturating_sub(1),
            _ if open > 0 => {}
            (Word::Semicolon, _)
            | (_, Kind::Jump | Kind::Ctrl | Kind::Else | Kind::Try | Kind::Eq) => {
                return Shape::Statements;
            }
            _ => {}
        }
    }
    if parts.first().map(|part| part.word) == Some(Word::BraceOpen) {
        return Shape::Statements;
    }
    Shape::Expression
}

/// Every bracket closes in the body: half a block is no code of its own.
fn balanced(parts: &[Part], body: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for part in parts {
        let text = body
            .get(part.start as usize..part.end as usize)
            .unwrap_or("");
        match text {
            "(" => open.push(")"),
            "{" => open.push("}"),
            "[" => open.push("]"),
            ")" | "}" | "]" if open.pop() != Some(text) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// `max(a, b)` and its like choose among numbers: as code they would only split paths.
fn only_chooses(body: &str, parts: &[Part]) -> bool {
    let text = |part: &Part| {
        body.get(part.start as usize..part.end as usize)
            .unwrap_or("")
    };
    let mut asks = false;
    for part in parts {
        match text(part) {
            "?" => asks = true,
            ":" | "<" | ">" | "<=" | ">=" | "(" | ")" | "+" | "-" | "*" => {}
            _ if part.param.is_some() || part.word == Word::Number => {}
            _ => return false,
        }
    }
    asks
}

/// A macro whose name says more than its body does: one named for logging that neither leaves nor
/// ends anything, or one named for ending the program (`fatal`) that calls what no one sees.
fn is_told_by_name(name: &str, body: &str, parts: &[Part], kinds: &[Kind]) -> bool {
    if kinds.contains(&Kind::Jump) {
        return false;
    }
    let named = |wanted: &[&str]| {
        parts.iter().any(|part| {
            let text = body
                .get(part.start as usize..part.end as usize)
                .unwrap_or("");
            part.word == Word::Name && part.param.is_none() && speaks_of(text, wanted)
        })
    };
    if speaks_of(name, ENDING) {
        return !named(SURE_ENDING);
    }
    speaks_of(name, LOGGING) && !named(SURE_ENDING) && !named(ENDING) && !named(ACTING)
}

const LOGGING: &[&str] = &[
    "warn", "warning", "log", "trace", "debug", "print", "printf",
];
/// Words by which functions that end the program, or may, are named.
const ENDING: &[&str] = &["fatal", "die", "abort", "panic", "throw", "bail"];
/// Words of the functions that surely do.
const SURE_ENDING: &[&str] = &["exit", "abort", "terminate", "fastfail", "raise"];
/// Words of what a macro may do besides logging.
const ACTING: &[&str] = &[
    "assert",
    "fail",
    "check",
    "leave",
    "close",
    "free",
    "release",
    "break",
    "debugbreak",
];

/// A word of the name, in any of the usual styles, is one of these.
fn speaks_of(name: &str, wanted: &[&str]) -> bool {
    let mut rest = name;
    while !rest.is_empty() {
        let mut end = rest.len();
        let mut last_lower = false;
        for (at, c) in rest.char_indices() {
            if c == '_' || (c.is_uppercase() && last_lower) {
                end = at;
                break;
            }
            last_lower = c.is_lowercase();
        }
        let one = &rest[..end];
        if wanted.iter().any(|word| one.eq_ignore_ascii_case(word)) {
            return true;
        }
        let next = rest[end..].find(|c| c != '_');
        rest = next.map_or("", |skip| &rest[end + skip..]);
    }
    false
}

/// True for text that is one name.
pub(super) fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .first()
        .is_some_and(|first| is_name(*first) && !first.is_ascii_digit())
        && bytes.iter().all(|byte| is_name(*byte))
}
