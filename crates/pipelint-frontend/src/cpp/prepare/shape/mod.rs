//! Unknown macros, by where they stand: the walk over declarations and statements.
//!
//! A macro is not known by its name here but by its place: a name in capitals where the grammar
//! of C++ allows none is blanked, and a call without its `;` is given one.

mod braces;
mod calls;
mod classes;
mod grammar;
mod runs;
mod starts;

use pipelint_ir::{Gap, GapReason, Language, Name};
use pipelint_source::{FileId, Span};
use rustc_hash::FxHashSet;

use super::Prepared;
use super::lexer::Kind;
use super::output::Output;
use super::tokens::{Mates, Token};
use super::words::says_noreturn;

/// What the innermost bracket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// File or namespace scope.
    File,
    /// A class body.
    Class,
    Enum,
    /// A function body or a block in one.
    Block,
    /// A braced initialiser.
    Init,
    Paren,
    Bracket,
}

/// An open bracket, and what was seen in it since its last statement or declaration began.
#[derive(Debug, Clone, Copy)]
struct Frame {
    place: Place,
    /// The bracket.
    open: Option<usize>,
    /// The class's name, in a class body.
    class: Option<usize>,
    /// The `try` before a block.
    tried: Option<usize>,
    /// Parentheses after `if` and the like: a statement follows.
    control: bool,
    /// Parentheses of a call in an expression.
    call: bool,
    /// Brackets inside an expression.
    expr: bool,
    /// Nothing of the statement was seen yet.
    start: bool,
    first: Option<usize>,
    seen_class: Option<usize>,
    seen_enum: bool,
    seen_namespace: bool,
    seen_extern: bool,
    seen_paren: bool,
    seen_eq: bool,
    seen_colon: bool,
    seen_jump: bool,
    /// A `typedef` or a pointer to a function is declared.
    seen_type: bool,
}

impl Frame {
    fn new(place: Place, open: Option<usize>) -> Self {
        Self {
            place,
            open,
            class: None,
            tried: None,
            control: false,
            call: false,
            expr: false,
            start: true,
            first: None,
            seen_class: None,
            seen_enum: false,
            seen_namespace: false,
            seen_extern: false,
            seen_paren: false,
            seen_eq: false,
            seen_colon: false,
            seen_jump: false,
            seen_type: false,
        }
    }

    /// The next statement begins.
    fn restart(&mut self) {
        let Self {
            place,
            open,
            class,
            tried,
            control,
            call,
            expr,
            ..
        } = *self;
        *self = Self {
            class,
            tried,
            control,
            call,
            expr,
            ..Self::new(place, open)
        };
    }

    fn holds_declarations(&self) -> bool {
        matches!(self.place, Place::File | Place::Class)
    }

    /// What stands here is an expression or a statement, not a declaration's type or name.
    fn is_expression(&self) -> bool {
        if self.seen_type {
            return false;
        }
        matches!(self.place, Place::Block | Place::Init | Place::Bracket)
            || self.expr
            || self.seen_eq
            || self.seen_jump
            // A constructor's initialisers.
            || self.seen_colon && self.seen_paren
    }

    fn holds_statements(&self) -> bool {
        self.holds_declarations() || self.place == Place::Block
    }
}

/// Works through the tokens that stayed.
pub(crate) fn shape(
    file: FileId,
    text: &str,
    language: Language,
    tokens: &[Token],
    out: &mut Output,
    facts: &mut Prepared,
) {
    let mates = Mates::new(tokens);
    let stack = vec![Frame::new(Place::File, None)];
    let dead = vec![false; tokens.len()];
    let ends = Vec::new();
    let leaving = facts
        .macros
        .iter()
        .filter(|found| found.name.contains("CATCH"))
        .filter(|found| found.body.contains("return") || found.body.contains("throw"))
        .map(|found| found.name.clone())
        .collect();
    let mut walker = Walker {
        file,
        text,
        language,
        tokens,
        mates,
        dead,
        stack,
        last: None,
        ends,
        leaving,
        out,
        facts,
    };
    let mut at = 0;
    while at < tokens.len() {
        at = walker.step(at).max(at + 1);
    }
}

struct Walker<'a> {
    file: FileId,
    text: &'a str,
    language: Language,
    tokens: &'a [Token],
    mates: Mates,
    /// Tokens that were blanked here.
    dead: Vec<bool>,
    /// Never empty: the file itself is the first.
    stack: Vec<Frame>,
    /// The last token that was not blanked.
    last: Option<usize>,
    /// Tokens after which a statement ends, innermost last.
    ends: Vec<usize>,
    /// Macros of this file that end in a handler which leaves the function.
    leaving: FxHashSet<Name>,
    out: &'a mut Output,
    facts: &'a mut Prepared,
}

impl<'a> Walker<'a> {
    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn word(&self, at: usize) -> &'a str {
        self.tokens
            .get(at)
            .map_or("", |token| token.text(self.text))
    }

    fn last_kind(&self) -> Option<Kind> {
        self.last.and_then(|at| self.kind(at))
    }

    fn top(&mut self) -> &mut Frame {
        if self.stack.is_empty() {
            self.stack.push(Frame::new(Place::File, None));
        }
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    fn frame(&self) -> Frame {
        self.stack
            .last()
            .copied()
            .unwrap_or(Frame::new(Place::File, None))
    }

    fn mate(&self, at: usize) -> Option<usize> {
        self.mates.of(at)
    }

    /// A line break stands between two tokens that follow each other.
    fn breaks(&self, before: usize, after: usize) -> bool {
        let (Some(before), Some(after)) = (self.tokens.get(before), self.tokens.get(after)) else {
            return true;
        };
        let gap = self
            .text
            .as_bytes()
            .get(before.end as usize..after.start as usize);
        gap.is_some_and(|gap| gap.contains(&b'\n'))
    }

    /// Blanks tokens `from..=to`; comments between them stay.
    fn blank(&mut self, from: usize, to: usize) {
        for at in from..=to.min(self.tokens.len().saturating_sub(1)) {
            let token = self.tokens[at];
            self.dead[at] = true;
            if token.kind == Kind::Caps && says_noreturn(token.text(self.text)) {
                self.facts.noreturn.push(token.start);
            }
            self.out.blank(token.start as usize, token.end as usize);
        }
    }

    fn replace(&mut self, at: usize, with: &str) -> bool {
        let token = self.tokens[at];
        self.out
            .replace(token.start as usize, token.end as usize, with)
    }

    /// Writes `;` after token `at`, in the white space before the next one.
    fn end_statement(&mut self, at: usize) -> bool {
        let start = self.tokens[at].end as usize;
        let end = self
            .tokens
            .get(at + 1)
            .map_or(self.text.len(), |next| next.start as usize);
        self.out.write_in_gap(start, end, ";")
    }

    fn gap(&mut self, from: usize, to: usize, what: &'static str) {
        let (Some(from), Some(to)) = (self.tokens.get(from), self.tokens.get(to)) else {
            return;
        };
        let span = Span::new(self.file, from.start, to.end);
        self.facts.gaps.push(Gap {
            span,
            reason: GapReason::Unsupported(Name::new_static(what)),
        });
    }

    /// Handles the token at `at`; returns where to go on.
    fn step(&mut self, at: usize) -> usize {
        if self.dead[at] {
            self.end_after(at);
            return at + 1;
        }
        let kind = self.tokens[at].kind;
        let frame = self.frame();
        if frame.start && frame.holds_statements() {
            if let Some(next) = self.statement_start(at) {
                return next;
            }
            let top = self.top();
            top.start = false;
            top.first = Some(at);
        }
        if frame.place == Place::Enum
            && let Some(next) = self.enumerator_macro(at)
        {
            return next;
        }
        match kind {
            Kind::LBrace => {
                if let Some(next) = self.braced_argument(at) {
                    return next;
                }
                self.open_brace(at);
            }
            Kind::RBrace => {
                if let Some(next) = self.close_brace(at) {
                    return next;
                }
            }
            Kind::LParen | Kind::LBrack => {
                self.declarator_group(at);
                if self.dead[at] {
                    return at + 1;
                }
                self.open_paren(at);
            }
            Kind::Comma if frame.call && self.kind(at + 1) == Some(Kind::RParen) => {
                self.blank(at, at);
                return at + 1;
            }
            // `make(.field = 1)`
            Kind::Dot
                if frame.call
                    && matches!(self.last_kind(), Some(Kind::LParen | Kind::Comma))
                    && self.kind(at + 2) == Some(Kind::Eq) =>
            {
                self.blank(at, at);
                return at + 1;
            }
            Kind::RParen | Kind::RBrack => self.close_paren(at),
            Kind::Semi => {
                if frame.holds_statements() {
                    self.top().restart();
                } else if frame.call {
                    // A macro's argument may be a statement; a call's may not.
                    self.blank(at, at);
                    return at + 1;
                }
            }
            Kind::Scope if self.kind(at + 1) == Some(Kind::Star) => self.member_pointer(at),
            Kind::Star if matches!(self.last_kind(), Some(Kind::Dot | Kind::Arrow)) => {
                // `p->*f` has no place in the grammar; `p->f` is as near as can be.
                self.blank(at, at);
                if self.kind(at + 1) == Some(Kind::LParen)
                    && let Some(last) = self.last
                {
                    self.replace(last, ",");
                }
                return at + 1;
            }
            Kind::Operator => {
                let next = if frame.is_expression() {
                    self.operator_call(at)
                } else {
                    self.operator_name(at)
                };
                if let Some(next) = next {
                    return next;
                }
            }
            Kind::Template => {
                if let Some(next) = self.instantiation(at) {
                    return next;
                }
                if self.kind(at + 1) == Some(Kind::Lt)
                    && let Some(past) = self.template_parameters(at + 1)
                {
                    self.last = Some(past - 1);
                    if frame.holds_statements() {
                        self.top().restart();
                    }
                    return past;
                }
            }
            Kind::Expr => match self.word(at) {
                "new" => self.new_array(at),
                "delete" => self.deleted_cast(at),
                "offsetof" | "__builtin_offsetof" => self.offset_of(at),
                _ => {}
            },
            Kind::Other if self.word(at) == "^" && !frame.is_expression() => {
                // A handle of C++/CX.
                self.replace(at, "*");
            }
            Kind::Colon => self.colon(at),
            Kind::Spec if self.word(at) == "typedef" => self.top().seen_type = true,
            Kind::Class => {
                if let Some(next) = self.class_head(at) {
                    return next;
                }
            }
            Kind::Enum => {
                self.top().seen_enum = true;
                self.enum_base(at);
            }
            Kind::Namespace => self.top().seen_namespace = true,
            Kind::Eq => {
                if let Some(next) = self.equals(at) {
                    return next;
                }
            }
            // In a declaration this is `throw()`.
            Kind::Builtin if self.word(at) == "decltype" => self.declared_type(at),
            Kind::Jump => self.top().seen_jump = !frame.holds_declarations(),
            Kind::Extern => self.top().seen_extern = true,
            Kind::Else | Kind::Try if frame.place == Place::Block => {
                self.last = Some(at);
                self.top().restart();
                return at + 1;
            }
            Kind::Str if self.string_neighbour(at) => return at + 1,
            _ => {}
        }
        if matches!(
            kind,
            Kind::Ident
                | Kind::Caps
                | Kind::CapsType
                | Kind::Builtin
                | Kind::Class
                | Kind::Enum
                | Kind::Spec
        ) && let Some(next) = self.name(at)
        {
            return next;
        }
        if frame.call && self.operator_argument(at) {
            return at + 1;
        }
        if !self.dead[at] {
            self.last = Some(at);
        }
        self.end_after(at);
        at + 1
    }

    fn end_after(&mut self, at: usize) {
        if self.ends.last() == Some(&at) {
            self.ends.pop();
            self.top().restart();
        }
    }

    fn open_paren(&mut self, at: usize) {
        if self.mate(at).is_none() {
            return;
        }
        let paren = self.tokens[at].kind == Kind::LParen;
        let mut frame = Frame::new(if paren { Place::Paren } else { Place::Bracket }, Some(at));
        frame.start = false;
        if paren {
            frame.control = self.last_kind() == Some(Kind::Ctrl);
            frame.call = self.is_call();
            let named = matches!(
                self.last_kind(),
                Some(Kind::Ident | Kind::Caps | Kind::CapsType)
            );
            let lambda = self.last.is_some_and(|last| {
                self.closes_captures(last)
                    || self.kind(last) == Some(Kind::Gt) && self.is_generic_lambda(last)
            });
            frame.expr = self.frame().is_expression() && (frame.call || !named) && !lambda;
        }
        if paren && self.declares_pointer() {
            frame.expr = false;
        }
        self.top().seen_paren |= paren;
        self.stack.push(frame);
    }

    /// The `(` after `self.last` begins the parameters of `type (*name)(…)`.
    fn declares_pointer(&self) -> bool {
        let open = self
            .last
            .filter(|&last| self.kind(last) == Some(Kind::RParen))
            .and_then(|last| self.mate(last));
        let Some(open) = open else { return false };
        self.kind(open + 1) == Some(Kind::Star)
            && self.before(open).is_some_and(|before| {
                matches!(
                    self.kind(before),
                    Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Builtin | Kind::Star)
                )
            })
    }

    fn close_paren(&mut self, at: usize) {
        let closed = self.frame();
        if self.stack.len() < 2 || closed.open.and_then(|open| self.mate(open)) != Some(at) {
            return;
        }
        self.stack.pop();
        if closed.control && self.frame().place == Place::Block {
            self.top().restart();
        }
        if self.frame().place == Place::File
            && self.language == Language::C
            && let Some(open) = closed.open
        {
            self.old_style_parameters(open, at);
        }
    }

    fn colon(&mut self, at: usize) {
        let frame = self.frame();
        let first = frame.first.and_then(|first| self.kind(first));
        let ends = match frame.place {
            Place::Block => {
                matches!(first, Some(Kind::Case))
                    || matches!(first, Some(Kind::Ident | Kind::Caps | Kind::CapsType))
                        && self.last == frame.first
                    || first == Some(Kind::Access)
            }
            Place::Class => first == Some(Kind::Access) && !frame.seen_paren,
            _ => false,
        };
        if ends && self.kind(at + 1) != Some(Kind::RParen) {
            self.top().restart();
        } else {
            self.top().seen_colon = true;
        }
    }
}
