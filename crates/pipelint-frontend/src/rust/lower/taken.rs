//! What the code around an expression does with its value.

use tree_sitter::Node;

use super::Lowerer;
use super::wrapped::CRATE;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::children;
use crate::rust::ty::Ty;
use crate::rust::types::path_of;

/// What is done with the value of a call that may be a `Result`, or what a `Result` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is a `Result`.
    Outcome,
    /// It is the value itself, or nobody looks.
    Plain,
    /// Nothing tells.
    Somehow,
}

impl Lowerer<'_> {
    /// What is done with the value of an expression; with that of a variable it is put into only
    /// where `further`.
    pub(super) fn taken(&self, node: Node<'_>, further: bool) -> Taken {
        match self.user_of(node) {
            Some((user, node)) => self.taken_by(user, node, further),
            None => Taken::Somehow,
        }
    }

    /// The code that uses the value of an expression, and the part of it that is this value: the
    /// blocks and branches between hand it on.
    fn user_of<'t>(&self, node: Node<'t>) -> Option<(Node<'t>, Node<'t>)> {
        let mut node = node;
        loop {
            let parent = node.parent()?;
            let last = || children(parent).last().map(|(last, _)| *last) == Some(node);
            let hands_on = match kind(parent) {
                K::ParenthesizedExpression | K::UnsafeBlock | K::ElseClause | K::MatchArm => true,
                K::MatchBlock => true,
                K::Block if last() => true,
                // `unsafe { … }` at the end of a block, which is its value.
                K::ExpressionStatement if !self.src.text(parent).ends_with(';') => true,
                K::IfExpression => field(parent, F.condition) != Some(node),
                K::MatchExpression => field(parent, F.value) != Some(node),
                _ => false,
            };
            if !hands_on {
                return Some((parent, node));
            }
            node = parent;
        }
    }

    /// An `Option` is given on, or another value put in its place, and nobody here asks whether there
    /// is anything in it.
    pub(super) fn is_passed_over(&self, node: Node<'_>) -> bool {
        self.passes_over(node, true)
    }

    fn passes_over(&self, node: Node<'_>, further: bool) -> bool {
        let Some((user, node)) = self.user_of(node) else {
            return false;
        };
        match kind(user) {
            K::FieldExpression => {
                let member = field(user, F.field).map(|member| self.src.text(member));
                match member {
                    Some("unwrap_or" | "unwrap_or_default") => true,
                    Some("as_ref" | "as_mut" | "as_deref" | "map" | "cloned" | "copied") => user
                        .parent()
                        .is_some_and(|call| self.passes_over(call, further)),
                    _ => false,
                }
            }
            K::FieldInitializer | K::ShorthandField => true,
            K::AssignmentExpression => {
                let left = field(user, F.left);
                left.is_some_and(|left| left != node && kind(left) == K::FieldExpression)
            }
            K::LetDeclaration if further => {
                let pattern = field(user, F.pattern).filter(|p| kind(*p) == K::Identifier);
                let Some(pattern) = pattern else {
                    return false;
                };
                let mut used = false;
                let every = self.uses_of(user, self.src.text(pattern), |node| {
                    used = true;
                    self.passes_over(node, false)
                });
                used && every
            }
            _ => false,
        }
    }

    fn taken_by(&self, parent: Node<'_>, node: Node<'_>, further: bool) -> Taken {
        match kind(parent) {
            K::TryExpression => Taken::Outcome,
            K::FieldExpression => match field(parent, F.field) {
                Some(member) if is_asked_of_outcomes(self.src.text(member)) => Taken::Outcome,
                _ => Taken::Plain,
            },
            K::TokenTree => {
                let rest = self.src.text.get(node.end_byte()..).unwrap_or("");
                let asked = rest.strip_prefix('.').map(|rest| {
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    is_asked_of_outcomes(&rest[..end.unwrap_or(rest.len())])
                });
                match asked {
                    Some(true) => Taken::Outcome,
                    _ => Taken::Somehow,
                }
            }
            K::LetCondition | K::LetDeclaration => {
                let Some(pattern) = field(parent, F.pattern) else {
                    return Taken::Somehow;
                };
                match kind(pattern) {
                    K::TupleStructPattern if self.is_of_outcomes(pattern) => Taken::Outcome,
                    K::Identifier if further => self.taken_of(parent, self.src.text(pattern)),
                    K::Identifier => Taken::Somehow,
                    _ => Taken::Plain,
                }
            }
            K::MatchExpression => {
                let body = field(parent, F.body);
                let arms = body.map(children).unwrap_or_default();
                let mut patterns = arms.iter().filter_map(|(arm, _)| field(*arm, F.pattern));
                match patterns.any(|pattern| self.is_of_outcomes(pattern)) {
                    true => Taken::Outcome,
                    false => Taken::Plain,
                }
            }
            K::Arguments => {
                let call = parent.parent();
                let function = call.and_then(|call| field(call, F.function));
                let full = function.map(|f| self.resolve(&path_of(&self.src, f)));
                match full.is_some_and(|full| full.starts_with(CRATE)) {
                    true => Taken::Plain,
                    false => Taken::Somehow,
                }
            }
            K::ReturnExpression | K::FunctionItem => match &self.body.exit {
                Some(exit) if exit.ty.is_outcome() => Taken::Outcome,
                Some(exit) if exit.ty != Ty::Unknown => Taken::Plain,
                _ => Taken::Somehow,
            },
            K::ExpressionStatement | K::Block | K::BinaryExpression | K::TypeCast => Taken::Plain,
            K::IfExpression | K::WhileExpression | K::UnaryExpression => Taken::Plain,
            _ => Taken::Somehow,
        }
    }

    /// What is done with the variable that a `let` binds, in what follows it.
    fn taken_of(&self, binding: Node<'_>, name: &str) -> Taken {
        let mut found = Taken::Somehow;
        self.uses_of(binding, name, |node| {
            let taken = self.taken(node, false);
            if taken != Taken::Somehow {
                found = taken;
            }
            found != Taken::Outcome
        });
        found
    }

    /// Calls `each` with every use of the variable that a `let` binds, in what follows it, as long as
    /// that says so. Whether it always did.
    fn uses_of<'t>(
        &self,
        binding: Node<'t>,
        name: &str,
        mut each: impl FnMut(Node<'t>) -> bool,
    ) -> bool {
        let mut next = binding.next_sibling();
        while let Some(stmt) = next {
            let mut todo = vec![stmt];
            while let Some(node) = todo.pop() {
                let named = matches!(kind(node), K::Identifier | K::ShorthandFieldIdentifier);
                if named && self.src.text(node) == name && !each(node) {
                    return false;
                }
                todo.extend(children(node).into_iter().map(|(child, _)| child));
            }
            next = stmt.next_sibling();
        }
        true
    }

    /// A pattern of `Ok` or `Err`.
    fn is_of_outcomes(&self, pattern: Node<'_>) -> bool {
        let text = self.src.text(pattern);
        text.starts_with("Ok(") || text.starts_with("Err(")
    }
}

/// A method that a `Result` has and a handle, a number or a `BOOL` has not.
fn is_asked_of_outcomes(name: &str) -> bool {
    matches!(
        name,
        "unwrap"
            | "expect"
            | "is_ok"
            | "is_err"
            | "ok"
            | "err"
            | "map_err"
            | "map"
            | "and_then"
            | "or_else"
            | "unwrap_or"
            | "unwrap_or_else"
            | "unwrap_or_default"
            | "unwrap_err"
            | "expect_err"
            | "inspect_err"
            | "context"
            | "with_context"
            | "wrap_err"
            | "wrap_err_with"
            | "is_ok_and"
            | "is_err_and"
            | "map_or"
            | "map_or_else"
            | "as_ref"
    )
}
