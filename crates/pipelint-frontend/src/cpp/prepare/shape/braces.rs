//! What a brace opens: a class, a block, an initialiser.

use super::super::lexer::Kind;
use super::{Frame, Place, Walker};

impl Walker<'_> {
    pub(super) fn open_brace(&mut self, at: usize) {
        let outer = self.frame();
        let place = self.brace_place(at, &outer);
        let mut frame = Frame::new(place, Some(at));
        match place {
            Place::Class => {
                frame.class = outer.seen_class;
            }
            Place::Block => {
                frame.tried = self.last.filter(|&last| self.kind(last) == Some(Kind::Try));
            }
            _ => {}
        }
        self.stack.push(frame);
    }

    /// What a `{` opens.
    fn brace_place(&self, at: usize, outer: &Frame) -> Place {
        let last = self.last_kind();
        match outer.place {
            Place::Enum => Place::Init,
            Place::Init | Place::Paren | Place::Bracket => {
                if self.opens_lambda() {
                    Place::Block
                } else {
                    Place::Init
                }
            }
            Place::File | Place::Class => {
                if outer.seen_enum && !outer.seen_paren {
                    Place::Enum
                } else if outer.seen_namespace && !outer.seen_eq
                    || outer.seen_extern && last == Some(Kind::Str)
                {
                    Place::File
                } else if outer.seen_eq {
                    if self.opens_lambda() {
                        Place::Block
                    } else {
                        Place::Init
                    }
                } else if outer.seen_class.is_some() && (!outer.seen_paren || outer.seen_colon) {
                    Place::Class
                } else if outer.seen_paren || last == Some(Kind::Try) {
                    let member = outer.seen_colon
                        && matches!(
                            last,
                            Some(Kind::Ident | Kind::Caps | Kind::CapsType | Kind::Gt)
                        )
                        && self.mate(at).is_some_and(|close| {
                            matches!(self.kind(close + 1), Some(Kind::Comma | Kind::LBrace))
                        });
                    if member { Place::Init } else { Place::Block }
                } else if outer.first == Some(at) || outer.first.is_none() {
                    Place::File
                } else {
                    Place::Init
                }
            }
            Place::Block => {
                if outer.first == Some(at) || outer.first.is_none() {
                    return Place::Block;
                }
                match last {
                    Some(Kind::RParen) if outer.seen_eq || outer.seen_jump => {
                        if self.opens_lambda() {
                            Place::Block
                        } else {
                            Place::Init
                        }
                    }
                    Some(
                        Kind::RParen
                        | Kind::Semi
                        | Kind::LBrace
                        | Kind::RBrace
                        | Kind::Else
                        | Kind::Try
                        | Kind::After,
                    )
                    | None => Place::Block,
                    _ if outer.seen_eq => {
                        if self.opens_lambda() {
                            Place::Block
                        } else {
                            Place::Init
                        }
                    }
                    _ if outer.seen_enum && !outer.seen_paren => Place::Enum,
                    _ if outer.seen_class.is_some() && !outer.seen_paren => Place::Class,
                    _ if self.opens_lambda() => Place::Block,
                    _ => Place::Init,
                }
            }
        }
    }

    /// Whether the `{` after `self.last` begins a lambda's body.
    fn opens_lambda(&self) -> bool {
        let Some(mut at) = self.last else {
            return false;
        };
        // Step back over `mutable`, `noexcept`, `-> type`; a type needs its arrow.
        let mut typed = false;
        for _ in 0..16 {
            match self.kind(at) {
                Some(Kind::RParen) if !typed => {
                    let Some(open) = self.mate(at).filter(|&open| open > 0) else {
                        return false;
                    };
                    match self.kind(open - 1) {
                        // `noexcept(…)`
                        Some(Kind::After) => at = open - 1,
                        Some(Kind::RBrack) => return true,
                        Some(Kind::Gt) => return self.is_generic_lambda(open - 1),
                        _ => return false,
                    }
                }
                Some(Kind::RBrack) if !typed => return self.closes_captures(at),
                Some(Kind::Arrow) => typed = false,
                Some(Kind::After) => {}
                Some(Kind::Spec) => {}
                Some(
                    Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Scope
                    | Kind::Star
                    | Kind::Amp
                    | Kind::Lt
                    | Kind::Gt
                    | Kind::Comma,
                ) => typed = true,
                _ => return false,
            }
            let Some(before) = at.checked_sub(1) else {
                return false;
            };
            at = before;
        }
        false
    }

    /// Whether the `]` at `at` ends a lambda's captures, not an index or a binding.
    pub(super) fn closes_captures(&self, at: usize) -> bool {
        if self.kind(at) != Some(Kind::RBrack) {
            return false;
        }
        let Some(open) = self.mate(at) else {
            return false;
        };
        let before = open.checked_sub(1).and_then(|before| self.kind(before));
        !matches!(
            before,
            Some(
                Kind::Ident
                    | Kind::Caps
                    | Kind::CapsType
                    | Kind::Builtin
                    | Kind::Amp
                    | Kind::RParen
                    | Kind::RBrack
                    | Kind::Gt
                    | Kind::Operator
            )
        )
    }

    /// `[]<class T>(…)`, from its `>`.
    pub(super) fn is_generic_lambda(&self, at: usize) -> bool {
        (at.saturating_sub(32)..at)
            .rev()
            .find(|&open| self.kind(open) == Some(Kind::Lt))
            .and_then(|open| open.checked_sub(1))
            .is_some_and(|before| self.kind(before) == Some(Kind::RBrack))
    }

    pub(super) fn close_brace(&mut self, at: usize) -> Option<usize> {
        // Whatever the brace leaves open inside it is closed with it.
        if let Some(open) = self.mate(at) {
            while self.stack.len() > 1 && self.frame().open.is_some_and(|inner| inner > open) {
                self.stack.pop();
            }
        }
        let closed = self.frame();
        if self.stack.len() > 1 && closed.open.and_then(|open| self.mate(open)) == Some(at) {
            self.stack.pop();
        } else {
            return None;
        }
        self.last = Some(at);
        let next = closed.tried.and_then(|tried| self.macro_handler(tried, at));
        match closed.place {
            Place::Block => {
                // A lambda's end is inside its expression; so is that of a GNU expression.
                let outer = self.frame();
                let inside = !outer.holds_statements()
                    || outer.seen_eq && self.kind(at + 1) != Some(Kind::RBrace)
                    || outer.seen_jump
                    || matches!(
                        self.kind(at + 1),
                        Some(Kind::LParen | Kind::RParen | Kind::Comma | Kind::Dot)
                    );
                if !inside {
                    self.top().restart();
                }
            }
            Place::File => self.top().restart(),
            _ => {}
        }
        Some(next.unwrap_or(at + 1))
    }
}
