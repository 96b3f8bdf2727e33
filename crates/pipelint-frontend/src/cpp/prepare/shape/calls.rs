//! Macros inside expressions: types as arguments, names beside string literals, handlers.

use super::super::lexer::Kind;
use super::{Place, Walker};

/// Tokens that one type argument may have.
const TYPE_REACH: usize = 24;

impl Walker<'_> {
    /// The live token before `at`.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        (at.saturating_sub(16)..at)
            .rev()
            .find(|&before| !self.dead[before])
    }

    /// Whether the `(` after `self.last` begins the arguments of a call in an expression.
    pub(super) fn is_call(&self) -> bool {
        let Some(callee) = self.last else {
            return false;
        };
        if !matches!(
            self.kind(callee),
            Some(Kind::Ident | Kind::Caps | Kind::CapsType)
        ) {
            return false;
        }
        let frame = self.frame();
        if !frame.is_expression() {
            return false;
        }
        if frame.first == Some(callee) {
            return true;
        }
        let before = self.before(callee);
        if before.is_some_and(|before| self.word(before) == "&&") {
            return true;
        }
        !matches!(
            before.and_then(|before| self.kind(before)),
            Some(
                Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Spec
                    | Kind::Star
                    | Kind::Amp
                    | Kind::Lt
                    | Kind::Gt
                    | Kind::Class
                    | Kind::Enum
            ) | None
        )
    }

    /// An argument that is a type (`va_arg(ap, char *)`) becomes a name of the type.
    pub(super) fn type_argument(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        if !frame.call || !matches!(self.last_kind(), Some(Kind::LParen | Kind::Comma)) {
            return None;
        }
        let close = frame.open.and_then(|open| self.mate(open))?;
        let mut keyword = false;
        let mut stars = false;
        let mut name = None;
        let mut end = None;
        for inner in at..(at + TYPE_REACH).min(close + 1) {
            match self.kind(inner)? {
                Kind::Builtin | Kind::Spec | Kind::Class | Kind::Enum if stars => return None,
                Kind::Builtin => {
                    keyword = true;
                    name = Some(inner);
                }
                Kind::Spec | Kind::Class | Kind::Enum => keyword = true,
                Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Scope if stars => return None,
                Kind::Ident | Kind::Caps | Kind::CapsType => name = Some(inner),
                Kind::Scope => {}
                Kind::Star | Kind::Amp => stars = true,
                Kind::Comma => {
                    end = Some(inner);
                    break;
                }
                Kind::RParen if inner == close => {
                    end = Some(inner);
                    break;
                }
                _ => return None,
            }
        }
        let (end, name) = (end?, name?);
        if !keyword && !stars {
            return None;
        }
        for inner in at..end {
            if inner != name {
                self.blank(inner, inner);
            }
        }
        if self.kind(name) == Some(Kind::Builtin) {
            let word = self.word(name);
            let mut raised = word.to_owned();
            if let Some(first) = raised.get_mut(0..1) {
                first.make_ascii_uppercase();
            }
            self.replace(name, &raised);
        }
        self.last = Some(name);
        Some(end)
    }

    /// A name before or after a string literal stands for a string: the literal is enough.
    pub(super) fn string_part(&mut self, at: usize) -> Option<usize> {
        let kind = self.kind(at)?;
        if !matches!(kind, Kind::Caps | Kind::Ident) {
            return None;
        }
        let next = self.kind(at + 1);
        let frame = self.frame();
        let inside =
            !frame.holds_statements() || frame.seen_eq || frame.seen_jump || frame.seen_paren;
        let last = self.last_kind();
        if last == Some(Kind::Str) && inside {
            let before = self
                .last
                .and_then(|last| self.before(last))
                .and_then(|at| self.kind(at));
            if before == Some(Kind::Extern) {
                return None;
            }
            let upto = match next {
                Some(Kind::LParen) => self.mate(at + 1)?,
                _ => at,
            };
            self.blank(at, upto);
            return Some(upto + 1);
        }
        let begins = matches!(
            last,
            Some(Kind::LParen | Kind::Comma | Kind::Eq | Kind::Jump | Kind::Other | Kind::LBrace)
        );
        if begins && inside {
            // `PREFIX SECOND "text"`
            let past = (at + 1..at + 8)
                .find(|&past| !matches!(self.kind(past), Some(Kind::Caps | Kind::Ident)))?;
            if self.kind(past) == Some(Kind::Str) {
                self.blank(at, past - 1);
                return Some(past);
            }
        }
        if kind == Kind::Caps
            && next == Some(Kind::LParen)
            && inside
            && last == Some(Kind::RParen)
            && self.after_macro_call()
        {
            let upto = self.mate(at + 1)?;
            self.blank(at, upto);
            return Some(upto + 1);
        }
        None
    }

    /// A literal after a macro call: `_T("a") "b"`.
    pub(super) fn string_neighbour(&mut self, at: usize) -> bool {
        if self.last_kind() == Some(Kind::RParen)
            && self.frame().is_expression()
            && self.after_macro_call()
        {
            self.blank(at, at);
            return true;
        }
        false
    }

    /// `self.last` closes the arguments of a name in capitals.
    fn after_macro_call(&self) -> bool {
        self.last
            .and_then(|last| self.mate(last))
            .and_then(|open| open.checked_sub(1))
            .is_some_and(|callee| self.kind(callee) == Some(Kind::Caps))
    }

    /// `try { … } CATCH_RETURN();`: a handler in a macro. Returns the token after it.
    pub(super) fn macro_handler(&mut self, tried: usize, close: usize) -> Option<usize> {
        let mut at = close + 1;
        let mut handled = false;
        while self.word(at).contains("CATCH") && self.kind(at + 1) == Some(Kind::LParen) {
            let end = self.mate(at + 1)?;
            if self.kind(end + 1) == Some(Kind::LBrace) {
                self.class_library_handler(at, end);
                return Some(at);
            }
            let whole = self.frame().place != Place::Block;
            if handled || whole || !self.write_handler(at, end) {
                // Without a handler the block is as if it had no `try`: the exception leaves.
                if !handled {
                    self.blank(tried, tried);
                }
                self.blank(at, end);
            }
            handled = true;
            at = end + 1;
        }
        handled.then_some(at)
    }

    /// Writes a handler over a macro's call, and the spaces before it.
    fn write_handler(&mut self, at: usize, end: usize) -> bool {
        let leaves = ["RETURN", "FAIL", "THROW", "ABORT"]
            .iter()
            .any(|word| self.word(at).contains(word))
            || self.leaving.contains(self.word(at));
        let with = if leaves {
            "catch(...){return;}"
        } else {
            "catch(...){}"
        };
        let mut start = self.tokens[at].start as usize;
        while start > 0 && matches!(self.out.byte(start - 1), b' ' | b'\t') {
            start -= 1;
        }
        let past = self.tokens[end].end as usize;
        let written = self.out.replace(start, past, with);
        if written {
            for inner in at..=end {
                self.dead[inner] = true;
            }
        }
        written
    }

    /// The handlers of MFC: `CATCH(CException, e) {` and `CATCH_ALL(e) {`.
    fn class_library_handler(&mut self, at: usize, end: usize) {
        if self.word(at).contains("ALL") {
            let start = self.tokens[at].start as usize;
            let past = self.tokens[end].end as usize;
            if self.out.replace(start, past, "catch(...)") {
                for inner in at..=end {
                    self.dead[inner] = true;
                }
            }
            return;
        }
        self.replace(at, "catch");
        // Done with: it is no call of a macro any more.
        self.dead[at] = true;
        self.ends.push(end);
        if let Some(comma) = (at..end).find(|&inner| self.kind(inner) == Some(Kind::Comma)) {
            self.replace(comma, "*");
        }
    }
}
