//! `#define`: the names a file defines, and the facts they are kept as.

use std::cell::Cell;

use pipelint_ir::{Const, Language, Name};
use rustc_hash::FxHashMap;

use super::super::config::CppConfig;
use super::eval::{Names, Value, evaluate, tokens};
use super::lexer::Kind;
use super::words::{Action, word};

/// Macros that stand for one another are followed this often in one directive.
const MAX_LOOKUPS: u32 = 500;
/// Definitions that name one another are followed this deep.
const MAX_NESTING: u32 = 8;

/// How a use of a macro is treated, where its own definition decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    /// As any unknown name.
    Unknown,
    /// It stands for code: it may stand wherever a macro may, whatever letters it is written in.
    Code,
    /// It stands for nothing, or for words that are blanked: blank it.
    Blank,
    /// The same, and one of the words says that a function does not return.
    NoReturn,
    /// The same with arguments.
    BlankCall,
    /// It stands for these words, which are written in its place when they fit.
    Words(String),
}

/// One definition in force.
#[derive(Debug, Clone)]
struct Definition {
    /// The text it stands for; of a function-like macro, `None`.
    body: Option<String>,
    usage: Use,
}

/// A parsed `#define`.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) name: Name,
    pub(crate) params: Option<Vec<Name>>,
    pub(crate) body: String,
}

/// Parses what follows `#define`, flattened.
pub(crate) fn parse(text: &str) -> Option<Parsed> {
    let text = text.trim_start();
    let end = text
        .bytes()
        .position(|byte| !super::lexer::is_name(byte))
        .unwrap_or(text.len());
    let name = text.get(..end).filter(|name| !name.is_empty())?;
    let rest = text.get(end..)?;
    let Some(inner) = rest.strip_prefix('(') else {
        return Some(Parsed {
            name: Name::new(name),
            params: None,
            body: squeeze(rest),
        });
    };
    let (params, body) = inner.split_once(')')?;
    let params = params
        .split(',')
        .map(|param| param.trim())
        .filter(|param| !param.is_empty())
        .map(Name::new)
        .collect();
    Some(Parsed {
        name: Name::new(name),
        params: Some(params),
        body: squeeze(body),
    })
}

/// Trims, and drops the line breaks that comments left.
fn squeeze(body: &str) -> String {
    body.trim().to_owned()
}

/// Every name's meaning at one line of the file.
pub(crate) struct Definitions<'c> {
    config: &'c CppConfig,
    language: Language,
    /// `None`: undefined by the file.
    local: FxHashMap<Name, Option<Definition>>,
    /// Some definition here decides how a use is treated.
    decides: bool,
}

impl<'c> Definitions<'c> {
    pub(crate) fn new(config: &'c CppConfig, language: Language) -> Self {
        Self {
            config,
            language,
            local: FxHashMap::default(),
            decides: false,
        }
    }

    pub(crate) fn define(&mut self, parsed: &Parsed) {
        let usage = usage(parsed);
        self.decides |= usage != Use::Unknown;
        let body = parsed.params.is_none().then(|| parsed.body.clone());
        self.local
            .insert(parsed.name.clone(), Some(Definition { body, usage }));
    }

    pub(crate) fn undefine(&mut self, name: &str) {
        self.local.insert(Name::new(name), None);
    }

    pub(crate) fn is_defined(&self, name: &str) -> bool {
        match self.local.get(name) {
            Some(definition) => definition.is_some(),
            None => self.config.value(name, self.language).is_some(),
        }
    }

    /// How a use of `name` is treated.
    pub(crate) fn usage(&self, name: &str) -> &Use {
        if !self.decides {
            return &Use::Unknown;
        }
        match self.local.get(name) {
            Some(Some(definition)) => &definition.usage,
            _ => &Use::Unknown,
        }
    }

    /// Whether a branch with this condition is read. Where an unknown function-like macro
    /// decides (`QT_CONFIG(thread)`), it is taken as true: such macros ask for features.
    pub(crate) fn holds(&self, condition: &str) -> bool {
        let names = ConditionNames {
            all: self,
            lookups: Cell::new(0),
            depth: Cell::new(0),
            unknown: None,
        };
        let value = evaluate(condition, &names).or_else(|| {
            let unknown = Some(1);
            evaluate(
                condition,
                &ConditionNames {
                    unknown,
                    lookups: Cell::new(0),
                    ..names
                },
            )
        });
        value != Some(0)
    }

    /// The constant that an object-like macro's body stands for, if it is one.
    pub(crate) fn constant(&self, body: &str) -> Option<Const> {
        let tokens = tokens(body);
        let mut tokens = tokens.as_slice();
        while let [(Kind::LParen, _), inner @ .., (Kind::RParen, _)] = tokens
            && balanced(inner)
        {
            tokens = inner;
        }
        match tokens {
            [] => return None,
            [(Kind::Str, text)] => return Some(string(text)),
            [
                (Kind::Ident | Kind::Caps, "TEXT" | "_T" | "__TEXT" | "L"),
                (Kind::LParen, _),
                (Kind::Str, text),
                (Kind::RParen, _),
            ] => {
                return Some(string(text));
            }
            [(Kind::Ident, "true")] | [(Kind::Caps, "TRUE")] => return Some(Const::Int(1)),
            [(Kind::Ident, "false")] | [(Kind::Caps, "FALSE")] => return Some(Const::Int(0)),
            [(Kind::Ident, "nullptr")] | [(Kind::Caps, "NULL" | "__null")] => {
                return Some(Const::Null);
            }
            // A lone name is an alias; a keyword is none.
            [(Kind::Ident | Kind::Caps, name)] => {
                return (word(name).is_none()).then(|| Const::Named(Name::new(name)));
            }
            _ => {}
        }
        let names = ValueNames {
            all: self,
            lookups: Cell::new(0),
            depth: Cell::new(0),
        };
        evaluate(body, &names).map(Const::Int)
    }
}

/// No parenthesis closes before its own opens.
fn balanced(tokens: &[(Kind, &str)]) -> bool {
    let mut open = 0i32;
    for (kind, _) in tokens {
        match kind {
            Kind::LParen => open += 1,
            Kind::RParen => open -= 1,
            _ => {}
        }
        if open < 0 {
            return false;
        }
    }
    open == 0
}

fn string(text: &str) -> Const {
    let inner = text.split_once('"').map_or("", |(_, rest)| rest);
    Const::Str(Name::new(
        inner.rsplit_once('"').map_or(inner, |(text, _)| text),
    ))
}

/// What the body alone says of how uses are to be treated.
fn usage(parsed: &Parsed) -> Use {
    let tokens = tokens(&parsed.body);
    let mut depth = 0u32;
    let mut words = Vec::new();
    let mut after_group_word = false;
    // One token is a value or another name.
    let code = if tokens.len() > 1 {
        Use::Code
    } else {
        Use::Unknown
    };
    for (kind, text) in tokens {
        match kind {
            Kind::LParen if depth > 0 || after_group_word => depth += 1,
            Kind::RParen if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            Kind::Ident | Kind::Caps => {
                let found = word(text);
                after_group_word = matches!(
                    found.map(|word| word.action),
                    Some(Action::BlankCall | Action::Sal)
                );
                match found {
                    Some(entry) => match entry.action {
                        Action::None | Action::Become(_) if entry.kind != Kind::CapsType => {
                            words.push(match entry.action {
                                Action::Become(with) => with,
                                _ => text,
                            });
                        }
                        Action::None | Action::Keyword(_) => return Use::Unknown,
                        _ => {}
                    },
                    None if super::words::is_sal(text) => {}
                    None => return code,
                }
                continue;
            }
            _ => return code,
        }
        after_group_word = false;
    }
    match (&parsed.params, words.is_empty()) {
        (None, true) if super::words::says_noreturn(&parsed.body) => Use::NoReturn,
        (None, true) => Use::Blank,
        (Some(_), true) => Use::BlankCall,
        // Words of storage and qualification lose little when they do not fit.
        (None, false) => Use::Words(words.join(" ")),
        (Some(_), false) => Use::Unknown,
    }
}

/// A word that names a system other than Windows.
fn is_other_platform(word: &str) -> bool {
    const SYSTEMS: &[&str] = &[
        "LINUX", "POSIX", "UNIX", "MAC", "APPLE", "DARWIN", "IOS", "IPHONE", "ANDROID", "BSD",
        "FUCHSIA", "CHROMEOS", "SOLARIS", "NACL", "WASM", "QNX", "AIX", "HAIKU",
    ];
    word.to_ascii_uppercase()
        .split('_')
        .any(|part| SYSTEMS.contains(&part))
}

/// Names as `#if` sees them.
struct ConditionNames<'d> {
    all: &'d Definitions<'d>,
    lookups: Cell<u32>,
    depth: Cell<u32>,
    unknown: Value,
}

impl Names for ConditionNames<'_> {
    fn value(&self, name: &str) -> Value {
        self.lookups.set(self.lookups.get() + 1);
        if self.lookups.get() > MAX_LOOKUPS || self.depth.get() > MAX_NESTING {
            return self.unknown;
        }
        let body = match self.all.local.get(name) {
            Some(Some(Definition {
                body: Some(body), ..
            })) => Some(body.as_str()),
            Some(Some(_)) => return self.unknown,
            Some(None) => None,
            None => self.all.config.value(name, self.all.language),
        };
        match body {
            // `#define HAVE_X` and then `#if HAVE_X` is an error to a compiler; here it is a yes.
            Some("") => Some(1),
            Some(body) => {
                self.depth.set(self.depth.get() + 1);
                let value = evaluate(body, self);
                self.depth.set(self.depth.get() - 1);
                value.or(self.unknown)
            }
            None if name.contains("VERSION") => Some(i128::from(i32::MAX)),
            None => Some(0),
        }
    }

    fn call(&self, name: &str, arguments: &[(Kind, &str)]) -> Value {
        // `__has_include(<x>)`, `__GNUC_PREREQ(4, 8)`: not this compiler.
        if ["__has_", "__GNUC", "__GLIBC", "GCC_"]
            .iter()
            .any(|head| name.starts_with(head))
        {
            return Some(0);
        }
        // `BUILDFLAG(IS_POSIX)`
        if arguments.iter().any(|(_, word)| is_other_platform(word)) {
            return Some(0);
        }
        self.unknown
    }

    fn defined(&self, name: &str) -> bool {
        self.all.is_defined(name)
    }

    fn casts(&self) -> bool {
        false
    }
}

/// Names inside a definition's body: those that the file defined before.
struct ValueNames<'d> {
    all: &'d Definitions<'d>,
    lookups: Cell<u32>,
    depth: Cell<u32>,
}

impl Names for ValueNames<'_> {
    fn value(&self, name: &str) -> Value {
        self.lookups.set(self.lookups.get() + 1);
        if self.lookups.get() > MAX_LOOKUPS || self.depth.get() > MAX_NESTING {
            return None;
        }
        match self.all.local.get(name) {
            Some(Some(Definition {
                body: Some(body), ..
            })) => {
                self.depth.set(self.depth.get() + 1);
                let value = evaluate(body, self);
                self.depth.set(self.depth.get() - 1);
                value
            }
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[(Kind, &str)]) -> Value {
        None
    }

    fn defined(&self, _: &str) -> bool {
        false
    }

    fn casts(&self) -> bool {
        true
    }
}
