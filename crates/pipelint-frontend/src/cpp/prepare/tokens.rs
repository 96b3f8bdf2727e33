//! Words that are known by name are blanked or replaced wherever they stand.

use pipelint_ir::{Language, Name};

use super::Prepared;
use super::lexer::Kind;
use super::output::Output;
use super::words::Action;

/// Tokens in which the comma of a `foreach` is looked for.
const FOREACH_REACH: usize = 200;

/// A token of the text that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) kind: Kind,
    pub(crate) action: Action,
}

impl Token {
    pub(crate) fn new(kind: Kind, action: Action, start: usize, end: usize) -> Self {
        // The length of the text was checked to fit.
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: clamp(start),
            end: clamp(end),
            kind,
            action,
        }
    }

    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

/// For each bracket, the one that closes or opens it.
pub(crate) struct Mates(Vec<u32>);

impl Mates {
    /// Pairs the brackets of `tokens`. A brace closes whatever was left open inside it.
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let mut mates = vec![u32::MAX; tokens.len()];
        let mut open: Vec<(Kind, u32)> = Vec::new();
        let mut braces = 0u32;
        for (at, token) in (0u32..).zip(tokens) {
            let opener = match token.kind {
                Kind::LParen | Kind::LBrack | Kind::LBrace => {
                    braces += u32::from(token.kind == Kind::LBrace);
                    open.push((token.kind, at));
                    continue;
                }
                Kind::RParen => Kind::LParen,
                Kind::RBrack => Kind::LBrack,
                Kind::RBrace if braces > 0 => {
                    while open.last().is_some_and(|last| last.0 != Kind::LBrace) {
                        open.pop();
                    }
                    braces -= 1;
                    Kind::LBrace
                }
                _ => continue,
            };
            if let Some(&(kind, from)) = open.last()
                && kind == opener
            {
                open.pop();
                mates[from as usize] = at;
                mates[at as usize] = from;
            }
        }
        Self(mates)
    }

    /// The other bracket of the pair that `at` belongs to.
    pub(crate) fn of(&self, at: usize) -> Option<usize> {
        self.0
            .get(at)
            .copied()
            .filter(|&mate| mate != u32::MAX)
            .map(|mate| mate as usize)
    }
}

/// Works through the tokens and returns those that stay.
pub(crate) fn clean(
    text: &str,
    language: Language,
    raw: Vec<Token>,
    out: &mut Output,
    facts: &mut Prepared,
) -> Vec<Token> {
    let mates = Mates::new(&raw);
    let kept = Vec::with_capacity(raw.len());
    let mut cleaner = Cleaner {
        text,
        language,
        raw: &raw,
        mates,
        out,
        facts,
        kept,
    };
    let mut at = 0;
    while at < raw.len() {
        at = cleaner.step(at);
    }
    cleaner.kept
}

struct Cleaner<'a> {
    text: &'a str,
    language: Language,
    raw: &'a [Token],
    mates: Mates,
    out: &'a mut Output,
    facts: &'a mut Prepared,
    kept: Vec<Token>,
}

impl Cleaner<'_> {
    fn kind(&self, at: usize) -> Option<Kind> {
        self.raw.get(at).map(|token| token.kind)
    }

    fn last(&self) -> Option<Kind> {
        self.kept.last().map(|token| token.kind)
    }

    fn keep(&mut self, at: usize, kind: Kind) {
        let token = self.raw[at];
        self.kept.push(Token { kind, ..token });
    }

    /// Blanks tokens `from..to`; comments between them stay.
    fn blank(&mut self, from: usize, to: usize) {
        for token in &self.raw[from..to] {
            self.out.blank(token.start as usize, token.end as usize);
        }
    }

    /// Past the group that opens at `at`; `at` itself if none opens there, or if what it holds
    /// is no annotation's argument.
    fn group_end(&self, at: usize) -> usize {
        if self.kind(at) != Some(Kind::LParen) {
            return at;
        }
        let Some(close) = self.mates.of(at) else {
            return at;
        };
        let broken = self.raw[at..close]
            .iter()
            .any(|token| matches!(token.kind, Kind::Semi | Kind::LBrace | Kind::RBrace));
        if broken { at } else { close + 1 }
    }

    /// Handles the token at `at`; returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        let token = self.raw[at];
        let (start, end) = (token.start as usize, token.end as usize);
        let next = self.kind(at + 1);
        match token.action {
            Action::None if token.kind == Kind::LBrack => return self.bracket(at),
            Action::None => {}
            Action::CppOnly => {
                // A header for C may use them too: `char *template`.
                let plain = !matches!(token.kind, Kind::Operator | Kind::After)
                    && matches!(
                        self.last(),
                        Some(Kind::Star | Kind::Ident | Kind::Builtin | Kind::CapsType)
                    )
                    && matches!(
                        next,
                        Some(Kind::Comma | Kind::RParen | Kind::Semi | Kind::Eq | Kind::LBrack)
                    )
                    && !matches!(
                        token.text(self.text),
                        "this" | "mutable" | "throw" | "delete"
                    );
                if self.language == Language::C || plain {
                    self.raise(start);
                    self.keep(at, Kind::Ident);
                    return at + 1;
                }
            }
            Action::Convention => {
                let before = matches!(
                    next,
                    Some(
                        Kind::Ident
                            | Kind::Caps
                            | Kind::CapsType
                            | Kind::Builtin
                            | Kind::Spec
                            | Kind::Class
                            | Kind::Enum
                            | Kind::Star
                            | Kind::Amp
                            | Kind::Tilde
                            | Kind::Operator
                            | Kind::LBrace
                            | Kind::RBrace
                            | Kind::Arrow
                            | Kind::Str
                            | Kind::After
                            | Kind::Extern
                            | Kind::Template
                            | Kind::Namespace
                            | Kind::Scope
                            | Kind::Using
                            | Kind::Other
                    ) | None
                );
                let after = matches!(
                    self.last(),
                    Some(
                        Kind::RParen
                            | Kind::Ident
                            | Kind::Caps
                            | Kind::CapsType
                            | Kind::Builtin
                            | Kind::Star
                            | Kind::Gt
                            | Kind::Spec
                    )
                );
                if before || after {
                    self.blank(at, at + 1);
                    return at + 1;
                }
            }
            Action::Blank => {
                self.blank(at, at + 1);
                return at + 1;
            }
            Action::BlankCall => {
                let past = self.group_end(at + 1);
                self.find_noreturn(at + 1, past);
                self.blank(at, past.max(at + 1));
                return past.max(at + 1);
            }
            Action::NoReturn => {
                self.facts.noreturn.push(token.start);
                self.blank(at, at + 1);
                return at + 1;
            }
            Action::Sal | Action::SalAlone | Action::SalPlain => {
                if token.action == Action::SalPlain && !self.annotates(next) {
                    self.keep(at, Kind::Caps);
                    return at + 1;
                }
                let past = match token.action {
                    Action::Sal => self.group_end(at + 1).max(at + 1),
                    _ => at + 1,
                };
                let upto = self.raw[past - 1].end as usize;
                let written = self.text.get(start..upto).unwrap_or("");
                self.facts.sal.push((token.start, one_line(written)));
                if written == "_Analysis_noreturn_" {
                    self.facts.noreturn.push(token.start);
                }
                self.blank(at, past);
                return past;
            }
            Action::Become(with) => {
                self.out.replace(start, end, with);
            }
            Action::Keyword(with) => {
                let begins = matches!(
                    self.last(),
                    None | Some(Kind::Semi | Kind::LBrace | Kind::RBrace | Kind::Colon | Kind::Gt)
                );
                if !begins || !matches!(next, Some(Kind::Ident | Kind::Caps | Kind::CapsType)) {
                    self.keep(at, Kind::Ident);
                    return at + 1;
                }
                self.out.replace(start, end, with);
            }
            Action::Unwrap => {
                let past = self.group_end(at + 1);
                if past > at + 1 {
                    self.blank(at, at + 2);
                    self.blank(past - 1, past);
                    self.kept.extend(&self.raw[at + 2..past - 1]);
                    return past;
                }
            }
            Action::Method => return self.method(at),
            Action::Struct => {
                let past = self.group_end(at + 1);
                self.out.replace(start, end, "struct");
                self.blank(at + 1, past.max(at + 1));
                self.keep(at, Kind::Class);
                return past.max(at + 1);
            }
            Action::Interface => {
                let past = self.group_end(at + 1);
                if past > at + 2 {
                    self.out.replace(start, end, "struct");
                    self.blank(at + 1, at + 2);
                    self.blank(at + 3, past);
                    self.keep(at, Kind::Class);
                    self.keep(at + 2, Kind::Ident);
                    return past;
                }
            }
            Action::Forever => {
                if next == Some(Kind::LBrace) && self.out.replace(start, end, "for(;;)") {
                    // It stands for a whole loop head: a statement follows.
                    self.keep(at, Kind::Else);
                    return at + 1;
                }
                self.keep(at, Kind::Ident);
                return at + 1;
            }
            Action::Foreach => return self.foreach(at),
            Action::Asm => return self.assembly(at),
            Action::Pure => {
                let after = matches!(self.last(), Some(Kind::RParen | Kind::Spec | Kind::After));
                if after && next == Some(Kind::Semi) && self.out.replace(start, end, "= 0") {
                    // No assignment: it ends the declaration like an attribute.
                    self.keep(at, Kind::Other);
                    return at + 1;
                }
                self.keep(at, Kind::Caps);
                return at + 1;
            }
        }
        self.keep(at, token.kind);
        at + 1
    }

    /// Whether a plain word such as `IN` is an annotation here.
    fn annotates(&self, next: Option<Kind>) -> bool {
        let word_follows = matches!(
            next,
            Some(
                Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Spec
                    | Kind::Class
                    | Kind::Enum
            )
        );
        let opens = matches!(self.last(), Some(Kind::LParen | Kind::Comma));
        let closes = matches!(next, Some(Kind::Comma | Kind::RParen));
        let word_before = matches!(self.last(), Some(Kind::Ident | Kind::Star | Kind::RBrack));
        opens && word_follows || closes && word_before
    }

    /// Makes a name of a word that C++ reserves: `new` is `New`.
    fn raise(&mut self, start: usize) {
        let first = char::from(self.out.byte(start)).to_ascii_uppercase();
        self.out
            .replace(start, start + 1, first.encode_utf8(&mut [0; 4]));
    }

    /// `[[attribute]]`.
    fn bracket(&mut self, at: usize) -> usize {
        let doubled =
            self.kind(at + 1) == Some(Kind::LBrack) && self.raw[at].end == self.raw[at + 1].start;
        if doubled
            && let Some(close) = self.mates.of(at)
            && self
                .mates
                .of(at + 1)
                .is_some_and(|inner| inner + 1 == close)
            && !self.raw[at..close]
                .iter()
                .any(|token| matches!(token.kind, Kind::Semi | Kind::LBrace | Kind::RBrace))
        {
            self.find_noreturn(at, close);
            self.blank(at, close + 1);
            return close + 1;
        }
        self.keep(at, Kind::LBrack);
        at + 1
    }

    fn find_noreturn(&mut self, from: usize, to: usize) {
        for at in from..to {
            let token = self.raw[at];
            if matches!(
                token.text(self.text),
                "noreturn" | "__noreturn__" | "_Noreturn" | "__noreturn"
            ) {
                self.facts.noreturn.push(token.start);
            }
        }
    }

    /// `STDMETHOD(name)(…)`, `STDMETHOD_(type, name)(…)`.
    fn method(&mut self, at: usize) -> usize {
        let past = self.group_end(at + 1);
        let token = self.raw[at];
        if past <= at + 2 {
            self.keep(at, Kind::Caps);
            return at + 1;
        }
        let typed = token.text(self.text).ends_with('_');
        self.blank(at, at + 2);
        self.blank(past - 1, past);
        if typed {
            // The last comma parts the type from the name.
            let comma = (at + 2..past - 1)
                .rev()
                .find(|&in_| self.raw[in_].kind == Kind::Comma);
            for inner in at + 2..past - 1 {
                if Some(inner) == comma {
                    self.blank(inner, inner + 1);
                } else {
                    self.kept.push(self.raw[inner]);
                }
            }
        } else {
            self.out
                .replace(token.start as usize, token.end as usize, "HRESULT");
            self.keep(at, Kind::CapsType);
            self.kept.extend(&self.raw[at + 2..past - 1]);
        }
        past
    }

    /// `foreach (declaration, container)` is `for (declaration : container)`; without a
    /// declaration, `while`.
    fn foreach(&mut self, at: usize) -> usize {
        let token = self.raw[at];
        let (start, end) = (token.start as usize, token.end as usize);
        if self.kind(at + 1) != Some(Kind::LParen) {
            self.keep(at, Kind::Ident);
            return at + 1;
        }
        let mut open = 0u32;
        let mut comma = None;
        for (inner, token) in self.raw.iter().enumerate().skip(at + 1).take(FOREACH_REACH) {
            match token.kind {
                Kind::LParen | Kind::LBrack | Kind::LBrace | Kind::Lt => open += 1,
                Kind::Gt => open = open.saturating_sub(1),
                Kind::RParen | Kind::RBrack | Kind::RBrace => open = open.saturating_sub(1),
                Kind::Comma if open == 1 => {
                    comma = Some(inner);
                    break;
                }
                Kind::Semi => break,
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
        let declares = comma.is_some_and(|comma| comma > at + 3);
        if declares && let Some(comma) = comma {
            self.out.replace(start, end, "for");
            let separator = self.raw[comma];
            self.out
                .replace(separator.start as usize, separator.end as usize, ":");
        } else {
            self.out.replace(start, end, "while");
        }
        self.keep(at, Kind::Ctrl);
        at + 1
    }

    /// `__asm { … }` and `__asm mov eax, 1`; the GNU form has its place in the grammar.
    fn assembly(&mut self, at: usize) -> usize {
        let token = self.raw[at];
        match self.kind(at + 1) {
            Some(Kind::LParen) => {
                self.keep(at, Kind::Ident);
                at + 1
            }
            Some(Kind::LBrace) => {
                let past = self.mates.of(at + 1).map_or(at + 1, |close| close + 1);
                let upto = self.raw[past - 1].end as usize;
                self.out.blank(token.start as usize, upto);
                past
            }
            _ => {
                let end = self.text.as_bytes()[token.start as usize..]
                    .iter()
                    .position(|&byte| byte == b'\n')
                    .map_or(self.text.len(), |len| token.start as usize + len);
                self.out.blank(token.start as usize, end);
                let mut past = at + 1;
                while self
                    .raw
                    .get(past)
                    .is_some_and(|token| (token.start as usize) < end)
                {
                    past += 1;
                }
                past
            }
        }
    }
}

/// White space folded, so that an annotation over several lines reads as one.
fn one_line(text: &str) -> Name {
    if text
        .bytes()
        .any(|byte| byte == b'\n' || byte == b'\r' || byte == b'\t')
    {
        Name::new(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Name::new(text)
    }
}
