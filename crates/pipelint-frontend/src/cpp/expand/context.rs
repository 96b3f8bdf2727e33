//! Whether the tokens at hand stand in a function's body, or among the members of a class.

use super::super::prepare::lexer::Kind;
use super::Shape;

/// Follows braces and what stands before them.
#[derive(Default)]
pub(super) struct Context {
    /// What each open brace holds.
    braces: Vec<Holds>,
    /// Parentheses and brackets that are open since the last brace.
    nested: u32,
    /// What was seen since the last statement or declaration ended.
    head: Head,
    last: Option<Kind>,
    /// The brace that closed last held code, and nothing ended a declaration since.
    after_code: bool,
}

/// What stands between two braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Code,
    /// Members of a class, a struct or a union.
    Members,
    Other,
}

/// The tokens before a brace, as far as they tell what it opens.
#[derive(Default)]
struct Head {
    started: bool,
    comma_first: bool,
    paren: bool,
    /// `class`, `enum`, `namespace` and the like.
    type_word: bool,
    /// The word is `class`, `struct` or `union`.
    class: bool,
    equals: bool,
    /// A colon behind the parameters: a constructor's members are initialised.
    initialises: bool,
}

impl Context {
    /// In a body: a use of a macro is a statement or an expression here.
    pub(super) fn in_code(&self) -> bool {
        // `T::T() : member(USE(x))`
        self.braces.last() == Some(&Holds::Code)
            || self.head.initialises
            || self.after_code && self.head.comma_first
    }

    /// A member of a class begins here: a use of a macro may stand for members.
    pub(super) fn at_member(&self) -> bool {
        self.braces.last() == Some(&Holds::Members)
            && !self.head.started
            && matches!(self.last, Some(Kind::LBrace | Kind::Semi))
    }

    /// The token before this one.
    pub(super) fn last(&self) -> Option<Kind> {
        self.last
    }

    /// A statement begins here.
    pub(super) fn at_statement(&self) -> bool {
        self.nested == 0
            && matches!(
                self.last,
                Some(
                    Kind::Semi
                        | Kind::LBrace
                        | Kind::RBrace
                        | Kind::RParen
                        | Kind::Else
                        | Kind::Colon
                )
            )
    }

    /// A macro's expansion stands here.
    pub(super) fn expanded(&mut self, shape: Shape) {
        // Parentheses in it are closed in it.
        self.last = Some(match shape {
            Shape::Statements => Kind::Semi,
            Shape::Expression | Shape::Head => Kind::RParen,
        });
        self.head.started = true;
        self.head.paren = true;
    }

    /// Members that a macro stands for stand here.
    pub(super) fn expanded_members(&mut self) {
        self.last = Some(Kind::Semi);
    }

    /// Goes past a token.
    pub(super) fn step(&mut self, kind: Kind) {
        match kind {
            Kind::LBrace => {
                self.braces.push(if self.opens_code() {
                    Holds::Code
                } else if self.head.class {
                    Holds::Members
                } else {
                    Holds::Other
                });
                self.nested = 0;
                self.head = Head::default();
                self.after_code = false;
            }
            Kind::RBrace => {
                let code = self.braces.pop() == Some(Holds::Code);
                self.nested = 0;
                self.head = Head::default();
                self.after_code = code;
            }
            Kind::Semi if self.nested == 0 => {
                self.head = Head::default();
                self.after_code = false;
            }
            _ => {
                let head = &mut self.head;
                if !head.started {
                    head.started = true;
                    head.comma_first = kind == Kind::Comma;
                }
                match kind {
                    Kind::LParen | Kind::LBrack => {
                        head.paren |= kind == Kind::LParen;
                        self.nested += 1;
                    }
                    Kind::RParen | Kind::RBrack => self.nested = self.nested.saturating_sub(1),
                    Kind::Class | Kind::Enum | Kind::Namespace if self.nested == 0 => {
                        head.type_word = true;
                        head.class |= kind == Kind::Class;
                    }
                    Kind::Colon if self.nested == 0 => {
                        head.initialises = head.paren && !head.type_word && !head.equals;
                    }
                    Kind::Eq if self.nested == 0 => head.equals = true,
                    _ => {}
                }
            }
        }
        self.last = Some(kind);
    }

    fn opens_code(&self) -> bool {
        if self.in_code() {
            return true;
        }
        let head = &self.head;
        if self.after_code && (!head.started || head.comma_first) {
            // `T::T() : a{1}, b{2} {`
            return true;
        }
        // `const` is a `Spec`.
        if matches!(
            self.last,
            Some(Kind::RParen | Kind::After | Kind::Spec | Kind::Try)
        ) {
            return head.paren || self.last == Some(Kind::Try);
        }
        head.paren && !head.type_word && !head.equals
    }
}
