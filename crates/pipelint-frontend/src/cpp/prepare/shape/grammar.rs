//! Plain C++ that the grammar has no rule for, written another way.

use super::super::lexer::Kind;
use super::{Place, Walker};

/// Tokens that a small construct may have.
const REACH: usize = 64;

impl Walker<'_> {
    /// Braces in parentheses and brackets: a default argument `= {}` is blanked, a capture
    /// `[x{ f() }]` becomes `[x= f() ]`.
    pub(super) fn braced_argument(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        let close = self.mate(at)?;
        let last = self.last?;
        if frame.place == Place::Paren
            && !frame.expr
            && !frame.control
            && self.kind(last) == Some(Kind::Eq)
        {
            self.blank(last, close);
            return Some(close + 1);
        }
        if frame.place == Place::Bracket
            && close > at + 1
            && close < at + REACH
            && matches!(
                self.kind(last),
                Some(Kind::Ident | Kind::Caps | Kind::CapsType)
            )
        {
            let mut inner = at + 1;
            while inner < close {
                match self.kind(inner)? {
                    Kind::Comma => return None,
                    Kind::LParen | Kind::LBrack | Kind::LBrace => inner = self.mate(inner)? + 1,
                    _ => inner += 1,
                }
            }
            self.replace(at, "=");
            self.blank(close, close);
            return Some(at + 1);
        }
        None
    }

    /// `LIST(X)` in an enumeration stands for enumerators with their commas.
    pub(super) fn enumerator_macro(&mut self, at: usize) -> Option<usize> {
        if !matches!(self.kind(at)?, Kind::Ident | Kind::Caps)
            || !matches!(self.last_kind(), Some(Kind::LBrace | Kind::Comma))
            || self.kind(at + 1) != Some(Kind::LParen)
        {
            return None;
        }
        let mut close = self.mate(at + 1)?;
        if self.kind(close + 1) == Some(Kind::Eq) {
            return None;
        }
        if self.kind(close + 1) == Some(Kind::Comma) {
            close += 1;
        }
        self.blank(at, close);
        Some(close + 1)
    }

    /// `Class::*`: the class is blanked.
    pub(super) fn member_pointer(&mut self, at: usize) {
        let mut from = at;
        for _ in 0..8 {
            let Some(name) = from.checked_sub(1) else {
                break;
            };
            if !matches!(
                self.kind(name),
                Some(Kind::Ident | Kind::Caps | Kind::CapsType)
            ) {
                break;
            }
            from = name;
            match from.checked_sub(1) {
                Some(scope) if self.kind(scope) == Some(Kind::Scope) => from = scope,
                _ => break,
            }
        }
        self.blank(from, at);
    }

    /// A call of an operator by its name becomes one of a name: `x.operator=(y)`.
    pub(super) fn operator_call(&mut self, at: usize) -> Option<usize> {
        let operator = self.tokens[at];
        let mut end = at + 1;
        if self.kind(end) == Some(Kind::LParen) {
            end = self.mate(end)? + 1;
        } else {
            while end < at + 16 && self.kind(end)? != Kind::LParen {
                if matches!(self.kind(end)?, Kind::Semi | Kind::LBrace | Kind::RBrace) {
                    return None;
                }
                end += 1;
            }
        }
        if self.kind(end) != Some(Kind::LParen) {
            return None;
        }
        let past = self.tokens[end - 1].end;
        let len = (past - operator.start) as usize;
        let mut name = String::from("Operator");
        while name.len() < len {
            name.push('_');
        }
        if !self
            .out
            .replace(operator.start as usize, past as usize, &name)
        {
            return None;
        }
        for inner in at + 1..end {
            self.dead[inner] = true;
        }
        self.last = Some(at);
        Some(end)
    }

    /// The name of an operator that is declared; past it.
    pub(super) fn operator_name(&mut self, at: usize) -> Option<usize> {
        let mut end = at + 1;
        if self.kind(end) == Some(Kind::LParen) {
            end = self.mate(end)? + 1;
        }
        while end < at + REACH {
            match self.kind(end)? {
                Kind::LParen => {
                    self.last = Some(end - 1);
                    return Some(end);
                }
                Kind::Semi | Kind::LBrace | Kind::RBrace => return None,
                _ => end += 1,
            }
        }
        None
    }

    /// `=`: notes it, and blanks what the grammar does not take after it.
    pub(super) fn equals(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        let first = frame.first.and_then(|first| self.kind(first));
        if first == Some(Kind::Using) {
            // What follows is a type.
            return None;
        }
        self.top().seen_eq = true;
        // The initialiser was an `#include`.
        if self.kind(at + 1) == Some(Kind::Semi) {
            self.blank(at, at);
            return Some(at + 1);
        }
        // `f(T* = nullptr)`: the default is blanked, there is no name it could stand for.
        if frame.place == Place::Paren
            && !frame.expr
            && !frame.control
            && matches!(self.last_kind(), Some(Kind::Star | Kind::Amp))
        {
            let close = frame.open.and_then(|open| self.mate(open))?;
            let mut end = at + 1;
            while end < close.min(at + REACH) && self.kind(end) != Some(Kind::Comma) {
                end = match self.kind(end) {
                    Some(Kind::LParen | Kind::LBrace | Kind::LBrack) => self.mate(end)? + 1,
                    _ => end + 1,
                };
            }
            self.blank(at, end - 1);
            return Some(end);
        }
        // Only members may be deleted, says the grammar.
        if frame.place == Place::File
            && frame.seen_paren
            && self.word(at + 1) == "delete"
            && self.kind(at + 2) == Some(Kind::Semi)
        {
            self.blank(at, at + 1);
            return Some(at + 2);
        }
        None
    }

    /// `enum : int {`: an enumeration without a name has no base in the grammar.
    pub(super) fn enum_base(&mut self, at: usize) {
        if self.kind(at + 1) != Some(Kind::Colon) {
            return;
        }
        let brace = (at + 2..at + 16)
            .find(|&inner| matches!(self.kind(inner), Some(Kind::LBrace | Kind::Semi) | None));
        if let Some(brace) = brace
            && self.kind(brace) == Some(Kind::LBrace)
        {
            self.blank(at + 1, brace - 1);
        }
    }

    /// `template class X<int>;`: an explicit instantiation is blanked.
    pub(super) fn instantiation(&mut self, at: usize) -> Option<usize> {
        if self.kind(at + 1) != Some(Kind::Class) {
            return None;
        }
        let mut inner = at + 2;
        while inner < at + REACH {
            match self.kind(inner)? {
                Kind::Semi => {
                    let from = match self.last {
                        Some(last) if self.kind(last) == Some(Kind::Extern) => last,
                        _ => at,
                    };
                    self.blank(from, inner);
                    self.top().restart();
                    return Some(inner + 1);
                }
                Kind::LBrace | Kind::RBrace | Kind::Eq => return None,
                Kind::LParen => inner = self.mate(inner)?,
                _ => {}
            }
            inner += 1;
        }
        None
    }

    /// `(CONVENTION *name)(…)` loses the convention, `T &(name)(…)` the parentheses.
    pub(super) fn declarator_group(&mut self, at: usize) {
        if self.kind(at) != Some(Kind::LParen) {
            return;
        }
        let named = |kind: Option<Kind>| matches!(kind, Some(Kind::Ident | Kind::Caps));
        let typed = matches!(self.last_kind(), Some(Kind::Builtin | Kind::CapsType));
        let frame = self.frame();
        if frame.is_expression() && !typed {
            return;
        }
        if self.kind(at + 1) == Some(Kind::Caps) && self.kind(at + 2) == Some(Kind::Star) {
            let mut close = at + 3;
            while self.kind(close) == Some(Kind::Star) {
                close += 1;
            }
            if named(self.kind(close)) {
                close += 1;
            }
            if self.kind(close) == Some(Kind::RParen) && self.kind(close + 1) == Some(Kind::LParen)
            {
                self.blank(at + 1, at + 1);
            }
        } else if self.last_kind() == Some(Kind::Amp)
            && frame.holds_declarations()
            && named(self.kind(at + 1))
            && self.kind(at + 2) == Some(Kind::RParen)
            && self.kind(at + 3) == Some(Kind::LParen)
        {
            self.blank(at, at);
            self.blank(at + 2, at + 2);
        }
    }

    /// `new char *[n]`: the stars are blanked; so is `const`.
    pub(super) fn new_array(&mut self, at: usize) {
        if self.word(at + 1) == "const" {
            self.blank(at + 1, at + 1);
        }
        let mut inner = at + 1;
        let mut stars = None;
        while inner < at + 16 {
            match self.kind(inner) {
                Some(Kind::Star) => stars = stars.or(Some(inner)),
                Some(Kind::LBrack) => break,
                Some(
                    Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Spec
                    | Kind::Scope
                    | Kind::Class,
                ) if stars.is_none() => {}
                _ => return,
            }
            inner += 1;
        }
        if let Some(from) = stars
            && self.kind(inner) == Some(Kind::LBrack)
        {
            self.blank(from, inner - 1);
        }
    }

    /// Past the `>` of a template's parameters. `class T, T* = nullptr` loses the default, which
    /// the grammar takes only after a name.
    pub(super) fn template_parameters(&mut self, at: usize) -> Option<usize> {
        let mut open = 0u32;
        let mut inner = at;
        for _ in 0..4 * REACH {
            match self.kind(inner)? {
                Kind::Star if self.kind(inner + 1) == Some(Kind::Eq) => {
                    let mut end = inner + 2;
                    while !matches!(self.kind(end)?, Kind::Comma | Kind::Gt | Kind::Semi) {
                        if end > inner + REACH {
                            return None;
                        }
                        end += 1;
                    }
                    self.blank(inner, end - 1);
                    inner = end;
                    continue;
                }
                Kind::Lt => open += 1,
                Kind::Gt => {
                    open -= 1;
                    if open == 0 {
                        return Some(inner + 1);
                    }
                }
                Kind::LParen | Kind::LBrack | Kind::LBrace => inner = self.mate(inner)?,
                Kind::Semi | Kind::RBrace | Kind::RParen | Kind::RBrack => return None,
                _ => {}
            }
            inner += 1;
        }
        None
    }

    /// `delete[] (T*)p`: the cast is blanked.
    pub(super) fn deleted_cast(&mut self, at: usize) {
        let open = at + 3;
        let array = self.kind(at + 1) == Some(Kind::LBrack)
            && self.kind(at + 2) == Some(Kind::RBrack)
            && self.kind(open) == Some(Kind::LParen);
        if !array {
            if self.kind(at + 1) == Some(Kind::LBrack) && self.kind(open) == Some(Kind::Star) {
                self.blank(at + 1, at + 2);
            }
            return;
        }
        let Some(close) = self.mate(open).filter(|&close| close < at + 16) else {
            return;
        };
        let follows = matches!(
            self.kind(close + 1),
            Some(Kind::Ident | Kind::Caps | Kind::Star | Kind::LParen | Kind::Expr)
        );
        if follows {
            let from = if self.kind(close + 1) == Some(Kind::Star) {
                at + 1
            } else {
                open
            };
            self.blank(from, close);
        }
    }

    /// `-> decltype(…)` is `-> auto`; elsewhere the grammar knows it.
    pub(super) fn declared_type(&mut self, at: usize) {
        if self.kind(at + 1) != Some(Kind::LParen) {
            return;
        }
        let Some(close) = self.mate(at + 1) else {
            return;
        };
        match self.last_kind() {
            Some(Kind::Arrow) => self.replace(at, "auto"),
            // A base class: any name.
            Some(Kind::Colon) if self.frame().seen_class.is_some() => self.replace(at, "Decltype"),
            // `decltype(x)(y)`: a cast.
            Some(_)
                if self.kind(close + 1) == Some(Kind::LParen) && self.frame().is_expression() =>
            {
                self.replace(at, "Decltype")
            }
            _ => return,
        };
        self.blank(at + 1, close);
    }

    /// `CMP(a, b, >=)`: an operator as an argument becomes `0`.
    pub(super) fn operator_argument(&mut self, at: usize) -> bool {
        let operator = |kind: Option<Kind>| {
            matches!(
                kind,
                Some(Kind::Lt | Kind::Gt | Kind::Eq | Kind::Other | Kind::Amp | Kind::Star)
            )
        };
        if !operator(self.kind(at))
            || !matches!(self.last_kind(), Some(Kind::Comma | Kind::LParen))
            || self.word(at) == "..."
            // `R (*)(int)` is a type.
            || matches!(self.kind(at), Some(Kind::Star | Kind::Amp))
                && self.last_kind() == Some(Kind::LParen)
        {
            return false;
        }
        let mut end = at;
        while end < at + 2 && operator(self.kind(end + 1)) {
            end += 1;
        }
        if !matches!(self.kind(end + 1), Some(Kind::Comma | Kind::RParen)) {
            return false;
        }
        self.blank(at + 1, end);
        self.replace(at, "0");
        self.last = Some(at);
        true
    }

    /// `offsetof(T, a.b[0])`: the member becomes one name.
    pub(super) fn offset_of(&mut self, at: usize) {
        if self.kind(at + 1) != Some(Kind::LParen) {
            return;
        }
        let Some(close) = self.mate(at + 1).filter(|&close| close < at + REACH) else {
            return;
        };
        let Some(comma) = (at..close).find(|&inner| self.kind(inner) == Some(Kind::Comma)) else {
            return;
        };
        let mut inner = comma + 1;
        while inner < close {
            match self.kind(inner) {
                Some(Kind::Dot | Kind::Arrow | Kind::Scope) => {
                    self.blank(inner, close - 1);
                    return;
                }
                Some(Kind::LBrack) => {
                    self.blank(inner, close - 1);
                    return;
                }
                _ => inner += 1,
            }
        }
    }
}
