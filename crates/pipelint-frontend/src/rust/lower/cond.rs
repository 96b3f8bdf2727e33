//! Conditions in their normal form.

use pipelint_ir::{
    BlockId, CmpOp, Cond, Const, Mark, Operand, Proj, Rvalue, Statement, Terminator,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::{Lowerer, Value};
use crate::build::cond::decided;
pub(super) use crate::build::cond::{comparison, nonzero, normal};
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{children, first};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// Branches on an expression. The current block has ended afterwards. Names that a `let` in it
    /// binds mean something in `then`.
    pub(super) fn cond(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId) {
        let span = self.src.span(node);
        if !self.enter(node) {
            let value = self.unknown(Vec::new(), Ty::Bool, span);
            self.f.branch(nonzero(value.op), then, otherwise, span);
            return;
        }
        self.cond_inner(node, then, otherwise, span);
        self.leave();
    }

    fn cond_inner(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId, span: Span) {
        match kind(node) {
            K::ParenthesizedExpression => {
                if let Some(inner) = first(node) {
                    return self.cond(inner, then, otherwise);
                }
            }
            K::UnaryExpression if node.child(0).is_some_and(|t| t.kind() == "!") => {
                if let Some(inner) = first(node) {
                    return self.cond(inner, otherwise, then);
                }
            }
            K::BinaryExpression => {
                let token = field(node, F.operator).map(|t| t.kind());
                if let Some(token @ ("&&" | "||")) = token
                    && let (Some(left), Some(right)) = (field(node, F.left), field(node, F.right))
                {
                    let next = self.f.new_block();
                    if token == "&&" {
                        self.cond(left, next, otherwise);
                    } else {
                        self.cond(left, then, next);
                    }
                    self.f.switch_to(next);
                    return self.cond(right, then, otherwise);
                }
            }
            K::LetChain => return self.chain(node, then, otherwise, span),
            K::LetCondition => return self.let_condition(node, then, otherwise, span),
            _ => {}
        }
        let keep = self.f.temps.len();
        let cond = self.leaf(node);
        self.f.end_temps(keep, span);
        self.branch(cond, then, otherwise, span);
    }

    /// Ends the block with a branch, or with a jump when constants decide it.
    pub(super) fn branch(&mut self, cond: Cond, then: BlockId, otherwise: BlockId, span: Span) {
        match decided(&cond) {
            Some(holds) => {
                let to = if holds { then } else { otherwise };
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(to), span);
            }
            None => self.f.branch(cond, then, otherwise, span),
        }
    }

    /// `let A = a && b && let C = c`.
    fn chain(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId, span: Span) {
        let base = self.f.alive();
        let parts = children(node);
        let count = parts.len();
        for (i, (part, _)) in parts.into_iter().enumerate() {
            let next = if i + 1 == count {
                then
            } else {
                self.f.new_block()
            };
            if self.f.alive() == base {
                self.cond(part, next, otherwise);
            } else {
                // What was bound until here ends where a later part fails.
                let here = self.f.alive();
                let pad = self.f.new_block();
                self.cond(part, next, pad);
                let after = self.f.set_alive(here);
                self.f.switch_to(pad);
                self.f.exit_to(base, span);
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(otherwise), span);
                self.f.set_alive(after);
            }
            if i + 1 < count {
                self.f.switch_to(next);
            }
        }
    }

    fn let_condition(&mut self, node: Node<'_>, then: BlockId, otherwise: BlockId, span: Span) {
        let (Some(pattern), Some(value)) = (field(node, F.pattern), field(node, F.value)) else {
            self.unsupported(node);
            return;
        };
        let keep = self.f.temps.len();
        let (place, ty) = self.scrutinee(value);
        let temps = self.f.temps.get(keep..).unwrap_or_default().to_vec();
        let fail = match temps.is_empty() {
            true => otherwise,
            false => self.f.new_block(),
        };
        self.test(pattern, &place, &ty, fail);
        self.bind(pattern, &place, &ty, self.is_lent(value));
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(then), span);
        if fail != otherwise {
            // Before `else` since the edition of 2024, behind it until then.
            self.f.switch_to(fail);
            for place in temps {
                self.f.push(Statement::Mark(Mark::MayEnd(place)), span);
            }
            self.f.end(fail, Terminator::Goto(otherwise), span);
        }
    }

    /// A condition without `&&`, `||` and `!` on its outside.
    fn leaf(&mut self, node: Node<'_>) -> Cond {
        match kind(node) {
            K::BinaryExpression => {
                if let Some(cond) = self.compared(node) {
                    return cond;
                }
            }
            K::CallExpression => {
                if let Some(cond) = self.asked(node) {
                    return cond;
                }
            }
            _ => {}
        }
        let value = self.read(node);
        nonzero(value.op)
    }

    /// The comparison a binary expression makes, if it is one.
    fn compared(&mut self, node: Node<'_>) -> Option<Cond> {
        let op = comparison(field(node, F.operator)?.kind())?;
        let (left, right) = (field(node, F.left)?, field(node, F.right)?);
        if matches!(op, CmpOp::Eq | CmpOp::Ne)
            && let Some(cond) = self.compared_whole(op, left, right)
        {
            return Some(cond);
        }
        let lhs = self.read(left);
        let rhs = self.read(right);
        if self.is_whole(&lhs) || self.is_whole(&rhs) {
            let span = self.src.span(node);
            let unknown = self.unknown(vec![lhs.op, rhs.op], Ty::Bool, span);
            return Some(nonzero(unknown.op));
        }
        Some(normal(op, lhs.op, rhs.op))
    }

    /// `x == None`, `x == Some(y)`, `state == State::Idle`.
    fn compared_whole(&mut self, op: CmpOp, left: Node<'_>, right: Node<'_>) -> Option<Cond> {
        let path = match kind(right) {
            K::Identifier | K::ScopedIdentifier => crate::rust::types::path_of(&self.src, right),
            K::CallExpression => {
                let callee = field(right, F.function)?;
                let some = matches!(self.src.text(callee), "Some" | "Ok" | "Err");
                if !some {
                    return None;
                }
                self.site(crate::rust::SiteKind::Call, right);
                let args: Vec<Node<'_>> = field(right, F.arguments)
                    .map(|list| children(list).into_iter().map(|(arg, _)| arg).collect())
                    .unwrap_or_default();
                if let [arg] = args[..]
                    && let Some(cond) = self.compared_code(op, left, arg)
                {
                    return Some(cond);
                }
                let lhs = self.read(left);
                let mut from = vec![lhs.op];
                for arg in args {
                    from.push(self.read(arg).op);
                }
                let span = self.src.span(right);
                let unknown = self.unknown(from, Ty::Bool, span);
                return Some(nonzero(unknown.op));
            }
            _ => return None,
        };
        let full = self.resolve(&path);
        let tag = if full == "None" {
            Operand::Const(Const::Int(1))
        } else if self.ix.variant(&full).is_some() {
            super::pattern::tag_of(&full)
        } else {
            return None;
        };
        let (place, ty) = self.place_of(left);
        let (place, _) = self.auto_deref(place, ty);
        let place = self.f.places.intern(place);
        let lhs = Operand::Copy(self.tag(place));
        Some(Cond { op, lhs, rhs: tag })
    }

    /// `error.raw_os_error() == Some(CODE)`: an error of the system's has a code.
    fn compared_code(&mut self, op: CmpOp, left: Node<'_>, code: Node<'_>) -> Option<Cond> {
        let called = field(left, F.function).filter(|_| kind(left) == K::CallExpression)?;
        let name = field(called, F.field).filter(|_| kind(called) == K::FieldExpression)?;
        if self.src.text(name) != "raw_os_error" {
            return None;
        }
        let (mut place, _) = self.place_of(left);
        place.proj.push(Proj::Field("0".into()));
        let place = self.f.places.intern(place);
        let code = self.read(code);
        Some(normal(op, Operand::Copy(place), code.op))
    }

    /// A struct, enum or tuple: its value as a whole tells nothing.
    fn is_whole(&self, value: &Value) -> bool {
        match value.ty.referent() {
            Ty::Tuple(_) | Ty::Array(..) | Ty::Slice(_) | Ty::Str => true,
            ty @ Ty::Named(name, _) => {
                ty.is_outcome()
                    || self.ix.types.contains_key(name)
                    || name.starts_with("std::") && !super::expr::is_handle(ty)
            }
            _ => false,
        }
    }

    /// `x.is_some()`, `x.is_err()`, `p.is_null()`, `h.is_invalid()`.
    fn asked(&mut self, node: Node<'_>) -> Option<Cond> {
        let function = field(node, F.function)?;
        if kind(function) != K::FieldExpression {
            return None;
        }
        let (object, name) = (field(function, F.value)?, field(function, F.field)?);
        if !children(field(node, F.arguments)?).is_empty() {
            return None;
        }
        let name = self.src.name(name);
        let bad = match name.as_str() {
            "is_some" | "is_ok" => false,
            "is_none" | "is_err" => true,
            "is_null" | "as_bool" => {
                self.site(crate::rust::SiteKind::Call, node);
                let value = self.read(object);
                let op = if name == "is_null" {
                    CmpOp::Eq
                } else {
                    CmpOp::Ne
                };
                return Some(normal(op, value.op, Operand::Const(Const::Int(0))));
            }
            _ => return None,
        };
        let (place, ty) = self.place_of(object);
        let (place, ty) = self.auto_deref(place, ty);
        if !ty.is_outcome() && ty != Ty::Unknown {
            return None;
        }
        self.site(crate::rust::SiteKind::Call, node);
        let place = self.f.places.intern(place);
        let mut cond = self.is_bad(place);
        if !bad {
            cond.op = CmpOp::Ne;
        }
        Some(cond)
    }

    /// The truth of an expression, 0 or 1.
    pub(super) fn truth_value(&mut self, node: Node<'_>, span: Span) -> Value {
        let logic = matches!(kind(node), K::LetChain | K::LetCondition)
            || field(node, F.operator).is_some_and(|t| matches!(t.kind(), "&&" | "||"));
        if !logic {
            let cond = self.leaf(node);
            let value = match decided(&cond) {
                Some(holds) => Rvalue::Use(Operand::Const(Const::Int(i128::from(holds)))),
                None => Rvalue::Compare(cond),
            };
            return self.temp_of(value, Ty::Bool, span);
        }
        let dst = self.temp(Ty::Bool, span);
        let (yes, no, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let scope = self.f.enter_scope();
        self.cond(node, yes, no);
        self.f.switch_to(yes);
        let one = Rvalue::Use(Operand::Const(Const::Int(1)));
        self.f.assign(dst, one, span);
        self.f.leave_scope(&scope, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(no);
        let zero = Rvalue::Use(Operand::Const(Const::Int(0)));
        self.f.assign(dst, zero, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(join);
        Value {
            op: Operand::Copy(dst),
            ty: Ty::Bool,
        }
    }
}
