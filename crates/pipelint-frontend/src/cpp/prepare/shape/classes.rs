//! The head of a class: what stands between `class` and its name, and after it.

use super::super::lexer::Kind;
use super::super::words::looks_like_attribute;
use super::Walker;
use super::runs::looks_like_guard;

impl Walker<'_> {
    /// `class EXPORT Name`, `struct ALIGNED(8) Name`, `class Name ATTRIBUTE :`.
    pub(super) fn class_head(&mut self, at: usize) -> Option<usize> {
        if matches!(self.last_kind(), Some(Kind::Lt | Kind::Comma)) || self.frame().call {
            return None;
        }
        let named =
            |kind: Option<Kind>| matches!(kind, Some(Kind::Ident | Kind::Caps | Kind::CapsType));
        let mut name = at + 1;
        for _ in 0..6 {
            if self.kind(name) == Some(Kind::Caps)
                && self.kind(name + 1) == Some(Kind::LParen)
                && let Some(close) = self.mate(name + 1)
                && (named(self.kind(close + 1)) || self.kind(close + 1) == Some(Kind::LBrace))
            {
                self.blank(name, close);
                name = close + 1;
                continue;
            }
            if !named(self.kind(name)) || !named(self.kind(name + 1)) {
                break;
            }
            // `class EXPORT ALIGNED(8) Name`
            if self.kind(name) == Some(Kind::Caps)
                && self.kind(name + 1) == Some(Kind::Caps)
                && self.kind(name + 2) == Some(Kind::LParen)
                && self
                    .mate(name + 2)
                    .is_some_and(|close| named(self.kind(close + 1)))
            {
                self.blank(name, name);
                name += 1;
                continue;
            }
            let past = self.name_end(name + 1);
            let head = match self.kind(past) {
                Some(Kind::LBrace | Kind::Colon | Kind::After) => true,
                Some(Kind::Caps) => self.kind(name) == Some(Kind::Caps),
                Some(Kind::Semi) => {
                    self.word(at) == "class" || looks_like_attribute(self.word(name))
                }
                _ => false,
            };
            if !head {
                break;
            }
            let trails = ["inal", "ealed", "bstract"]
                .iter()
                .any(|tail| self.word(name + 1).ends_with(tail));
            if trails {
                self.blank(name + 1, name + 1);
                break;
            }
            if self.kind(name) == Some(Kind::Caps) {
                self.blank(name, name);
                name += 1;
            } else if self.kind(name + 1) == Some(Kind::Caps) {
                self.blank(name + 1, name + 1);
                break;
            } else {
                break;
            }
        }
        // `class Name sealed {`
        if named(self.kind(name))
            && matches!(self.word(name + 1), "sealed" | "abstract")
            && matches!(self.kind(name + 2), Some(Kind::LBrace | Kind::Colon))
        {
            self.blank(name + 1, name + 1);
        }
        // `class Name ATTRIBUTE(x) {`
        if named(self.kind(name))
            && self.kind(name + 1) == Some(Kind::Caps)
            && self.kind(name + 2) == Some(Kind::LParen)
            && let Some(close) = self.mate(name + 2)
            && (self.kind(close + 1) == Some(Kind::Colon)
                || self.kind(close + 1) == Some(Kind::LBrace)
                    && looks_like_guard(self.word(name + 1)))
        {
            self.blank(name + 1, close);
        }
        let top = self.top();
        top.seen_class = Some(name);
        top.seen_paren = false;
        if self.kind(name + 1) == Some(Kind::Lt) {
            // What parentheses the template's arguments hold say nothing of the class.
            let past = self.name_end(name);
            if past > name + 1 {
                self.last = Some(past - 1);
                return Some(past);
            }
        }
        self.last = Some(at);
        Some(at + 1)
    }
}
