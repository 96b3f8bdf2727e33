//! Macros that stand where a declaration or a statement begins.

use pipelint_ir::Language;

use super::super::lexer::Kind;
use super::super::words::looks_like_type;
use super::{Place, Walker};

/// Tokens that the declarations of an old-style parameter list may have.
const OLD_STYLE_REACH: usize = 300;

fn is_name(kind: Option<Kind>) -> bool {
    matches!(kind, Some(Kind::Ident | Kind::Caps | Kind::CapsType))
}

impl Walker<'_> {
    /// Rules for the first token of a declaration or statement; returns where to go on, still at
    /// the start, if it was handled.
    pub(super) fn statement_start(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        match self.kind(at)? {
            Kind::Spec if self.word(at) == "friend" => self.friend(at),
            Kind::Access => {
                if is_name(self.kind(at + 1)) && self.kind(at + 2) == Some(Kind::Colon) {
                    self.blank(at + 1, at + 1);
                }
                None
            }
            Kind::Ident | Kind::Caps | Kind::CapsType => {
                if frame.place == Place::Block {
                    self.block_start(at)
                } else {
                    self.declaration_start(at)
                }
            }
            _ => None,
        }
    }

    /// The grammar knows a befriended class with a plain name; a befriended function may be deleted,
    /// which it does not know.
    fn friend(&mut self, at: usize) -> Option<usize> {
        let mut end = at + 1;
        if self.kind(end) == Some(Kind::Class) {
            let name = end + 1;
            end = self.name_end(name);
            if end == name + 1 && self.kind(end) == Some(Kind::Semi) {
                return None;
            }
            if self.kind(end) == Some(Kind::Semi) {
                self.blank(at, end);
                return Some(end + 1);
            }
            return None;
        }
        for _ in 0..OLD_STYLE_REACH {
            match self.kind(end)? {
                Kind::LParen => end = self.mate(end)?,
                Kind::Eq => {
                    if matches!(self.word(end + 1), "delete" | "default")
                        && self.kind(end + 2) == Some(Kind::Semi)
                    {
                        self.blank(end, end + 1);
                    }
                    return None;
                }
                Kind::Semi | Kind::LBrace | Kind::RBrace => return None,
                _ => {}
            }
            end += 1;
        }
        None
    }

    fn declaration_start(&mut self, at: usize) -> Option<usize> {
        let frame = self.frame();
        let kind = self.kind(at)?;
        let word = self.word(at);
        let class = frame.class.map_or("", |class| self.word(class));
        if frame.place == Place::Class && word == class {
            return None;
        }
        let next = self.kind(at + 1);
        if frame.place == Place::Class && next == Some(Kind::Colon) {
            let signals = matches!(word, "signals" | "Q_SIGNALS" | "internal");
            if signals || kind == Kind::Caps && self.kind(at + 2) != Some(Kind::Num) {
                if !self.replace(at, "public") {
                    self.blank(at, at + 1);
                }
                self.last = None;
                return Some(at + 2);
            }
            return None;
        }
        if next == Some(Kind::LParen) {
            let close = self.mate(at + 1)?;
            return match kind {
                Kind::Caps => self.declaration_call(at, close),
                Kind::Ident => self.lone_small_call(at, close),
                _ => None,
            };
        }
        if kind != Kind::Caps {
            return None;
        }
        match next {
            None
            | Some(
                Kind::RBrace
                | Kind::Semi
                | Kind::Class
                | Kind::Enum
                | Kind::Namespace
                | Kind::Template
                | Kind::Using
                | Kind::Access
                | Kind::Extern
                | Kind::Tilde
                | Kind::Builtin
                | Kind::LBrace,
            ) => self.drop_word(at),
            Some(Kind::Spec) => {
                let run = self.run(at + 1);
                let typed = run.declares(self.kind(run.end));
                let alone =
                    self.breaks(at, at + 1) && !matches!(self.word(at + 1), "const" | "volatile");
                let follow = self.kind(run.end);
                let member = matches!(follow, Some(Kind::Operator | Kind::Tilde))
                    || self.word(at + 1) == "explicit"
                    || follow == Some(Kind::LParen) && self.word(run.end - 1) == class;
                if typed || alone || member {
                    self.drop_word(at)
                } else {
                    None
                }
            }
            Some(Kind::Str) => {
                self.replace(at, "extern");
                self.top().seen_extern = true;
                None
            }
            Some(Kind::Ident | Kind::Caps | Kind::CapsType) => {
                let second = self.word(at + 1);
                let run = self.run(at);
                let called = self.kind(run.end) == Some(Kind::LParen);
                let constructor = frame.place == Place::Class && second == class
                    || called && frame.place == Place::Class && self.word(run.end - 1) == class
                    || called && self.ends_in_constructor(&run);
                let macro_follows = self.kind(at + 1) == Some(Kind::Caps)
                    && self.kind(at + 2) == Some(Kind::LParen)
                    && self.mate(at + 2).is_some_and(|close| {
                        let attribute = (at + 3..close)
                            .take(8)
                            .any(|inner| matches!(self.kind(inner), Some(Kind::Num | Kind::Str)));
                        self.breaks(at, at + 1) || attribute
                    })
                    && self.mate(at + 2).is_some_and(|close| {
                        !matches!(self.kind(close + 1), Some(Kind::LBrace | Kind::Semi))
                    });
                let nothing_follows = self.is_storage(run.end)
                    || self.breaks(at, at + 1)
                        && matches!(
                            self.kind(run.end),
                            None | Some(
                                Kind::RBrace
                                    | Kind::Access
                                    | Kind::Namespace
                                    | Kind::Template
                                    | Kind::Using
                            )
                        );
                if constructor || macro_follows || nothing_follows {
                    self.drop_word(at)
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    fn drop_word(&mut self, at: usize) -> Option<usize> {
        self.blank(at, at);
        Some(at + 1)
    }

    /// `MACRO(…)` where a declaration begins.
    fn declaration_call(&mut self, at: usize, close: usize) -> Option<usize> {
        let wraps = self.wraps_declaration(at, close);
        match self.kind(close + 1) {
            Some(Kind::LBrace | Kind::Semi) if wraps => self.unwrap(at, close),
            None | Some(Kind::RBrace | Kind::Semi) => self.drop_call(at, close),
            Some(Kind::LBrace) => {
                let plain = (at + 2..close).all(|inner| {
                    is_name(self.kind(inner)) || self.kind(inner) == Some(Kind::Comma)
                });
                if !plain {
                    self.blank(at + 2, close - 1);
                }
                None
            }
            // `TYPE (*f)(…)` is a pointer, not a macro.
            Some(Kind::LParen) if matches!(self.kind(at + 2), Some(Kind::Star | Kind::Amp)) => None,
            Some(Kind::LParen) => {
                for inner in at + 2..close {
                    if self.kind(inner) == Some(Kind::Comma) {
                        self.blank(inner, inner);
                    }
                }
                self.unwrap(at, close)
            }
            Some(Kind::Star | Kind::Amp | Kind::Operator) => self.unwrap(at, close),
            // `TABLE(3) = { … };` declares something.
            Some(Kind::Eq) => {
                let word = self.word(at);
                if let Some(name) = word.get(5..).filter(|name| !name.is_empty()) {
                    let declared = format!("auto {}", name.trim_start_matches('_'));
                    self.replace(at, &declared);
                    self.blank(at + 1, close);
                }
                None
            }
            Some(
                Kind::Class
                | Kind::Enum
                | Kind::Namespace
                | Kind::Template
                | Kind::Using
                | Kind::Access
                | Kind::Extern
                | Kind::Tilde,
            ) => self.drop_call(at, close),
            Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Builtin | Kind::Spec) => {
                if self.is_old_style(at + 1, close) {
                    return None;
                }
                let run = self.run(close + 1);
                let follow = self.kind(run.end);
                if run.len() == 1
                    && is_name(self.kind(close + 1))
                    && matches!(
                        follow,
                        Some(Kind::Semi | Kind::Comma | Kind::Eq | Kind::LBrack)
                    )
                {
                    return self.keep_type(at, close);
                }
                if run.declares(follow) || run.len() == 0 {
                    return self.drop_call(at, close);
                }
                let statement = self.kind(close + 1) == Some(Kind::Caps)
                    && follow == Some(Kind::LParen)
                    && self.breaks(close, close + 1);
                if !statement && self.holds_type(at + 2, close) {
                    self.unwrap(at, close)
                } else {
                    self.drop_call(at, close)
                }
            }
            _ => None,
        }
    }

    /// `macro(…)` in small letters, alone where a declaration begins.
    fn lone_small_call(&mut self, at: usize, close: usize) -> Option<usize> {
        let next = self.kind(close + 1);
        if next == Some(Kind::Semi) && self.frame().place == Place::File {
            // Neither a declaration nor a definition is written so.
            return self.drop_call(at, close);
        }
        let alone = matches!(
            next,
            None | Some(
                Kind::Class
                    | Kind::Enum
                    | Kind::Namespace
                    | Kind::Template
                    | Kind::Using
                    | Kind::Access
                    | Kind::Extern
                    | Kind::RBrace
                    | Kind::Builtin
                    | Kind::Spec
            )
        );
        let after = matches!(self.word(close + 1), "const" | "volatile");
        if alone && !after && self.breaks(close, close + 1) && !self.is_old_style(at + 1, close) {
            return self.drop_call(at, close);
        }
        None
    }

    fn drop_call(&mut self, at: usize, close: usize) -> Option<usize> {
        // With its `;`, if a declaration would stand here.
        let ended = self.kind(close + 1) == Some(Kind::Semi) && self.frame().holds_declarations();
        let last = if ended { close + 1 } else { close };
        self.blank(at, last);
        Some(last + 1)
    }

    /// Keeps what stands in the parentheses.
    fn unwrap(&mut self, at: usize, close: usize) -> Option<usize> {
        self.blank(at, at + 1);
        self.blank(close, close);
        Some(at + 2)
    }

    /// `LIST_HEAD(name, type) x;`: of the arguments one name is kept, as the type.
    pub(super) fn keep_type(&mut self, at: usize, close: usize) -> Option<usize> {
        self.blank(at, at + 1);
        let kept = (at + 2..close)
            .find(|&inner| is_name(self.kind(inner)) || self.kind(inner) == Some(Kind::Builtin));
        for inner in at + 2..=close {
            if Some(inner) != kept {
                self.blank(inner, inner);
            }
        }
        if kept.is_none() {
            self.replace(at, "int");
        }
        Some(kept.unwrap_or(close + 1))
    }

    /// `MACRO(static int f(int x))`
    fn wraps_declaration(&self, at: usize, close: usize) -> bool {
        let run = self.run(at + 2);
        let parameters = (run.end..close)
            .find(|&inner| matches!(self.kind(inner), Some(Kind::LParen | Kind::Comma)));
        self.kind(close - 1) == Some(Kind::RParen)
            && run.declares(self.kind(run.end))
            && parameters.is_some_and(|open| self.kind(open) == Some(Kind::LParen))
    }

    /// One type stands in `from..to`.
    fn holds_type(&self, from: usize, to: usize) -> bool {
        let mut typed = false;
        for inner in from..to.min(from + 16) {
            match self.kind(inner) {
                Some(Kind::Builtin | Kind::CapsType | Kind::Class) => typed = true,
                Some(Kind::Caps) if looks_like_type(self.word(inner)) => typed = true,
                Some(Kind::Star) if inner > from => typed = true,
                Some(Kind::Ident | Kind::Caps | Kind::Spec | Kind::Scope) => {}
                _ => return false,
            }
        }
        typed && to <= from + 16
    }

    fn block_start(&mut self, at: usize) -> Option<usize> {
        let word = self.word(at);
        let next = self.kind(at + 1);
        if matches!(word, "emit" | "Q_EMIT")
            && (is_name(next)
                || matches!(
                    next,
                    Some(Kind::Expr | Kind::Builtin | Kind::LParen | Kind::Scope)
                ))
        {
            return self.drop_word(at);
        }
        if next == Some(Kind::LParen) {
            let close = self.mate(at + 1)?;
            return self.block_call(at, close);
        }
        if self.kind(at) != Some(Kind::Caps) {
            return None;
        }
        match next {
            None
            | Some(
                Kind::RBrace
                | Kind::Ctrl
                | Kind::Jump
                | Kind::Else
                | Kind::Case
                | Kind::Try
                | Kind::Using
                | Kind::Builtin
                | Kind::Class
                | Kind::Enum
                | Kind::Extern
                | Kind::Template,
            ) => self.drop_word(at),
            Some(Kind::Spec) => {
                let run = self.run(at + 1);
                let typed = run.declares(self.kind(run.end));
                if typed { self.drop_word(at) } else { None }
            }
            Some(Kind::LBrace) => self.word_before_block(at),
            Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Expr)
                if self.breaks(at, at + 1) =>
            {
                self.drop_word(at)
            }
            _ => None,
        }
    }

    /// What stands in `from..to` is no list of expressions: `bounds.3`.
    fn is_odd(&self, from: usize, to: usize) -> bool {
        let named = |at: usize| is_name(self.kind(at));
        let number = |at: usize| self.kind(at) == Some(Kind::Num);
        (from..to.min(from + 64))
            .any(|at| at + 1 < to && (named(at) && number(at + 1) || number(at) && named(at + 1)))
    }

    /// `MACRO {` in a function.
    fn word_before_block(&mut self, at: usize) -> Option<usize> {
        let close = self.mate(at + 1)?;
        // `TYPE{ … };` is a value, unless its brace stands on a line of its own.
        if matches!(
            self.kind(close + 1),
            Some(Kind::Semi | Kind::Dot | Kind::LParen)
        ) && !self.breaks(at, at + 1)
        {
            return None;
        }
        let word = self.word(at);
        if word.contains("TRY") && self.word(close + 1).contains("CATCH") {
            self.replace(at, "try");
            // The block's `{` is handled here: it belongs to this word.
            self.last = Some(at);
            self.top().restart();
            self.macro_handler(at, close);
            return Some(at + 1);
        }
        if word.contains("EVER") && self.replace(at, "for(;;)") {
            return Some(at + 1);
        }
        self.drop_word(at)
    }

    /// `name(…)` where a statement begins.
    fn block_call(&mut self, at: usize, close: usize) -> Option<usize> {
        match self.kind(close + 1)? {
            Kind::LBrace => self.call_before_block(at, close),
            // `LIST(x) *p = …`
            Kind::Star
                if self.kind(at) == Some(Kind::Caps)
                    && is_name(self.kind(close + 2))
                    && matches!(
                        self.kind(close + 3),
                        Some(Kind::Semi | Kind::Eq | Kind::Comma | Kind::LBrack)
                    ) =>
            {
                self.keep_type(at, close)
            }
            Kind::Colon if self.word(at).contains("CASE") => {
                self.replace(at, "case");
                None
            }
            Kind::Ident | Kind::Caps | Kind::CapsType
                if self.kind(at) == Some(Kind::Caps)
                    && !self.breaks(close, close + 1)
                    && matches!(
                        self.kind(close + 2),
                        Some(Kind::Semi | Kind::Eq | Kind::Comma | Kind::LBrack)
                    ) =>
            {
                // `ATOMIC(int) x;`
                self.keep_type(at, close)
            }
            // `MACRO(a)` and on the next line `(void) f();`
            Kind::LParen
                if self.kind(at) == Some(Kind::Caps)
                    && self.breaks(close, close + 1)
                    && self
                        .mate(close + 1)
                        .is_some_and(|end| self.holds_type(close + 2, end)) =>
            {
                if !self.end_statement(close) {
                    return self.drop_call(at, close);
                }
                self.ends.push(close);
                None
            }
            Kind::RBrace
            | Kind::Ident
            | Kind::Caps
            | Kind::CapsType
            | Kind::Builtin
            | Kind::Spec
            | Kind::Class
            | Kind::Enum
            | Kind::Jump
            | Kind::Ctrl
            | Kind::Else
            | Kind::Try
            | Kind::Case
            | Kind::Using
            | Kind::Extern
            | Kind::Template
            | Kind::Expr
            | Kind::Num => {
                if self.is_odd(at + 2, close) {
                    return self.drop_call(at, close);
                }
                if self.end_statement(close) {
                    self.ends.push(close);
                    None
                } else {
                    self.gap(at, close, "macro call without room for its ;");
                    self.drop_call(at, close)
                }
            }
            _ => None,
        }
    }

    /// `FOREACH(x, list) {` and other macros that begin a block.
    fn call_before_block(&mut self, at: usize, close: usize) -> Option<usize> {
        let upper = self.word(at).to_ascii_uppercase();
        let loops = ["FOREACH", "FOR_EACH", "WHILE", "LOOP", "ITER", "FOR_"]
            .iter()
            .any(|part| upper.contains(part));
        if loops {
            let run = self.run(at + 2);
            // `FOREACH(const T &x, list)` declares, `FOREACH(x, list)` does not.
            if run.len() >= 2 && self.kind(run.end) == Some(Kind::Comma) {
                self.replace(at, "for");
                self.replace(run.end, ":");
            } else if close == at + 2 {
                self.replace(at, "for");
                self.replace(at + 1, "(");
                return self.drop_call(at, close);
            } else if !self.replace(at, "while") {
                return self.drop_call(at, close);
            }
            self.ends.push(close);
            return None;
        }
        let tests = upper.starts_with("IF") || upper.ends_with("_IF") || upper.contains("_IF_");
        if tests && close > at + 2 && self.replace(at, "if") {
            self.ends.push(close);
            return None;
        }
        if self.end_statement(close) {
            self.ends.push(close);
            return None;
        }
        self.drop_call(at, close)
    }

    /// Whether `(…)` from `open` to `close` is a list of names, and their declarations follow.
    fn is_old_style(&self, open: usize, close: usize) -> bool {
        self.old_style_end(open, close).is_some()
    }

    /// The `{` after the declarations of old-style parameters.
    fn old_style_end(&self, open: usize, close: usize) -> Option<usize> {
        if self.language != Language::C || close <= open + 1 || close > open + 64 {
            return None;
        }
        let names = (open + 1..close)
            .all(|inner| is_name(self.kind(inner)) || self.kind(inner) == Some(Kind::Comma));
        if !names {
            return None;
        }
        for at in close + 1..close + OLD_STYLE_REACH {
            match self.kind(at)? {
                Kind::LBrace => {
                    let ends = at > close + 1 && self.kind(at - 1) == Some(Kind::Semi);
                    return ends.then_some(at);
                }
                Kind::Ident
                | Kind::Caps
                | Kind::CapsType
                | Kind::Builtin
                | Kind::Spec
                | Kind::Class
                | Kind::Enum
                | Kind::Star
                | Kind::Comma
                | Kind::Semi
                | Kind::LBrack
                | Kind::RBrack
                | Kind::Num
                | Kind::LParen
                | Kind::RParen => {}
                _ => return None,
            }
        }
        None
    }

    /// `f(a, b) int a; char *b; {`: the grammar of C++ has no place for the declarations.
    pub(super) fn old_style_parameters(&mut self, open: usize, close: usize) {
        if let Some(brace) = self.old_style_end(open, close) {
            self.blank(close + 1, brace - 1);
        }
    }
}
