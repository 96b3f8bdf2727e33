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

    /// `new char *[n]`: the stars are blanked.
    pub(super) fn new_array(&mut self, at: usize) {
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
            self.blank(open, close);
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
