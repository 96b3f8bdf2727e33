//! `if`, `match`, loops, and the jumps out of them.

use pipelint_ir::{Base, BlockId, Statement, Terminator};
use pipelint_ir::{Const, LocalKind, Mark, Name, Operand, Place, PlaceId, Proj, Rvalue};
use pipelint_source::Span;
use tree_sitter::Node;

use super::cond::nonzero;
use super::{Loop, Lowerer};
use crate::build::frame::{Link, ROOT};
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{child_of, children, first};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// A condition's or match's subject: a place, or a value that lives as long as its scope.
    pub(super) fn scrutinee(&mut self, node: Node<'_>) -> (Place, Ty) {
        let mut inner = node;
        while kind(inner) == K::ParenthesizedExpression {
            match first(inner) {
                Some(next) => inner = next,
                None => break,
            }
        }
        let place = matches!(
            kind(inner),
            K::Identifier | K::FieldExpression | K::IndexExpression | K::SelfKeyword
        ) || (kind(inner) == K::UnaryExpression
            && inner.child(0).is_some_and(|t| t.kind() == "*"));
        if kind(inner) == K::SelfKeyword || (place && kind(inner) != K::Identifier) {
            return self.place_of(inner);
        }
        if kind(inner) == K::Identifier {
            let name = self.src.name(inner);
            if let Some(found) = self.variable(&name) {
                return found;
            }
        }
        let span = self.src.span(node);
        let value = self.value(inner);
        let ty = value.ty.clone();
        match value.op {
            Operand::Copy(place) | Operand::Move(place) => {
                let at = self.f.places[place].clone();
                if let (Base::Local(id), true) = (&at.base, self.ix.needs_drop(&ty))
                    && at.proj.is_empty()
                    && self.f.local_info(*id).kind == LocalKind::Temp
                {
                    self.f.live(*id, true, span);
                }
                (at, ty)
            }
            constant => {
                let temp = self.temp(ty.clone(), span);
                self.f.assign(temp, Rvalue::Use(constant), span);
                (self.f.places[temp].clone(), ty)
            }
        }
    }

    /// `if`; its value's type.
    pub(super) fn if_into(&mut self, node: Node<'_>, dst: Option<PlaceId>, hint: &Ty) -> Ty {
        let (Some(condition), Some(consequence)) =
            (field(node, F.condition), field(node, F.consequence))
        else {
            return self.unsupported(node).ty;
        };
        let end = self.src.end(node);
        let (then, otherwise, join) = (self.f.new_block(), self.f.new_block(), self.f.new_block());
        let scope = self.f.enter_scope();
        let keep = self.f.temps.len();
        self.cond(condition, then, otherwise);
        let temps = self.f.temps.get(keep..).unwrap_or_default().to_vec();
        self.f.switch_to(then);
        let mut ty = self.block_into(consequence, dst, hint);
        self.f.leave_scope(&scope, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), end);
        self.f.switch_to(otherwise);
        match field(node, F.alternative).and_then(first) {
            Some(alternative) => {
                let other = match (kind(alternative), dst) {
                    (K::IfExpression, _) => self.if_into(alternative, dst, hint),
                    _ => self.block_into(alternative, dst, hint),
                };
                if ty == Ty::Never || ty == Ty::Unknown {
                    ty = other;
                }
            }
            None => ty = Ty::Unit,
        }
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), end);
        self.f.switch_to(join);
        for place in temps {
            self.f.push(Statement::Mark(Mark::MayEnd(place)), end);
        }
        ty
    }

    /// `match`; its value's type.
    pub(super) fn match_into(&mut self, node: Node<'_>, dst: Option<PlaceId>, hint: &Ty) -> Ty {
        let (Some(value), Some(body)) = (field(node, F.value), field(node, F.body)) else {
            return self.unsupported(node).ty;
        };
        let end = self.src.end(node);
        let whole = self.f.enter_scope();
        let lent = self.is_lent(value);
        let (place, subject) = self.scrutinee(value);
        let join = self.f.new_block();
        let arms: Vec<Node<'_>> = crate::rust::outline::items(&self.src, self.cfg, body)
            .into_iter()
            .filter(|item| item.what == K::MatchArm)
            .filter(|item| {
                let own: Vec<Node<'_>> = children(item.node)
                    .into_iter()
                    .filter(|(_, what)| *what == K::AttributeItem)
                    .map(|(child, _)| child)
                    .collect();
                crate::rust::outline::is_on(&self.src, self.cfg, &own)
            })
            .map(|item| item.node)
            .collect();
        let mut ty = Ty::Never;
        let count = arms.len();
        for (i, arm) in arms.into_iter().enumerate() {
            let (Some(pattern), Some(value)) = (field(arm, F.pattern), field(arm, F.value)) else {
                continue;
            };
            let next = self.f.new_block();
            let scope = self.f.enter_scope();
            self.test(pattern, &place, &subject, next);
            self.bind_arm(pattern, &place, &subject, lent, next);
            let keep = self.f.temps.len();
            let found = match dst {
                Some(dst) => self.store(value, dst, hint),
                None => {
                    self.discard(value);
                    Ty::Unit
                }
            };
            if ty == Ty::Never || ty == Ty::Unknown {
                ty = found;
            }
            let at = self.src.end(arm);
            self.f.end_temps(keep, at);
            self.f.leave_scope(&scope, at);
            let cur = self.f.current();
            self.f.end(cur, Terminator::Goto(join), at);
            self.f.switch_to(next);
            if i + 1 == count {
                // The arms are all there are.
                let cur = self.f.current();
                self.f.end(cur, Terminator::Unreachable, at);
            }
        }
        self.f.switch_to(join);
        self.f.leave_scope(&whole, end);
        ty
    }

    fn label_of(&self, node: Node<'_>) -> Option<Name> {
        child_of(node, K::Label).map(|label| Name::new(self.src.text(label)))
    }

    fn loop_head(&mut self, span: Span) -> BlockId {
        let head = self.f.new_block();
        self.f.fall_into(head, span);
        self.f.push(Statement::Mark(Mark::LoopHead), span);
        head
    }

    /// A loop's body, where `continue` goes to its head and `break` behind it.
    fn loop_body(
        &mut self,
        node: Node<'_>,
        (head, after): (BlockId, BlockId),
        (alive, temps): (Link, usize),
        slot: Option<PlaceId>,
    ) {
        self.body.loops.push(Loop {
            label: self.label_of(node),
            is_loop: true,
            brk: after,
            cont: Some(head),
            alive,
            temps,
            slot,
        });
        if let Some(body) = field(node, F.body) {
            self.block_into(body, None, &Ty::Unit);
        }
        self.body.loops.pop();
    }

    /// `loop`.
    pub(super) fn loop_into(&mut self, node: Node<'_>, dst: Option<PlaceId>) -> Ty {
        let span = self.src.span(node);
        let end = self.src.end(node);
        let head = self.loop_head(span);
        let after = self.f.new_block();
        let alive = self.f.alive();
        let temps = self.f.temps.len();
        self.loop_body(node, (head, after), (alive, temps), dst);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
        Ty::Unknown
    }

    /// `while`, `while let`.
    pub(super) fn while_loop(&mut self, node: Node<'_>) {
        let span = self.src.span(node);
        let end = self.src.end(node);
        let head = self.loop_head(span);
        let (inside, after) = (self.f.new_block(), self.f.new_block());
        let alive = self.f.alive();
        let scope = self.f.enter_scope();
        let temps = self.f.temps.len();
        let over = self.f.new_block();
        if let Some(condition) = field(node, F.condition) {
            self.cond(condition, inside, over);
        }
        // What the condition was asked of ends with each round, and with the last question.
        self.f.switch_to(over);
        self.f.leave_temps(temps, span);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(after), span);
        self.f.switch_to(inside);
        self.loop_body(node, (head, after), (alive, temps), None);
        self.f.leave_scope(&scope, end);
        self.f.end_temps(temps, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
    }

    /// `for x in values`: how often, nobody knows.
    pub(super) fn for_loop(&mut self, node: Node<'_>) {
        let span = self.src.span(node);
        let end = self.src.end(node);
        let whole = self.f.enter_scope();
        let Some(values) = field(node, F.value) else {
            return;
        };
        let (place, ty) = self.scrutinee(values);
        let head = self.loop_head(span);
        let (inside, after) = (self.f.new_block(), self.f.new_block());
        let more = self.unknown(Vec::new(), Ty::Bool, span);
        self.f.branch(nonzero(more.op), inside, after, span);
        self.f.switch_to(inside);
        let alive = self.f.alive();
        let scope = self.f.enter_scope();
        if let Some(pattern) = field(node, F.pattern) {
            let by_ref = matches!(ty, Ty::Ref(_));
            let (place, ty) = self.auto_deref(place, ty);
            let element = self.ix.normal(&ty.element());
            let element = if by_ref {
                Ty::Ref(Box::new(element))
            } else {
                element
            };
            let item = self.temp(element.clone(), span);
            let from = self.f.places.intern(place.then(Proj::Index(None)));
            let value = if by_ref && element != Ty::Ref(Box::new(Ty::Unknown)) {
                Rvalue::Ref(from)
            } else if matches!(ty, Ty::Array(..) | Ty::Slice(_))
                || ty.path().is_some_and(|n| n == "Vec")
            {
                Rvalue::Use(Operand::Copy(from))
            } else {
                Rvalue::Unknown(Vec::new())
            };
            self.f.assign(item, value, span);
            let at = self.f.places[item].clone();
            self.bind(pattern, &at, &element, false);
        }
        let temps = self.f.temps.len();
        self.loop_body(node, (head, after), (alive, temps), None);
        self.f.leave_scope(&scope, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(head), end);
        self.f.switch_to(after);
        self.f.leave_scope(&whole, end);
    }

    /// `return`.
    pub(super) fn return_value(&mut self, node: Node<'_>, span: Span) {
        let Some(exit) = self.body.exit.clone() else {
            self.unsupported(node);
            return;
        };
        let keep = self.f.temps.len();
        if let Some(value) = first(node) {
            match exit.slot {
                Some(slot) => {
                    self.store(value, slot, &exit.ty);
                }
                None => self.discard(value),
            }
        }
        self.f.end_temps(keep, span);
        self.leave_to(&exit, span);
    }

    fn target(&self, label: Option<&Name>) -> Option<Loop> {
        let found = self.body.loops.iter().rev().find(|l| match label {
            Some(_) => l.label.as_ref() == label,
            None => l.is_loop,
        });
        found.cloned()
    }

    /// `break`, `break 'label value`.
    pub(super) fn break_loop(&mut self, node: Node<'_>, span: Span) {
        let value = children(node)
            .into_iter()
            .find(|(_, what)| *what != K::Label);
        self.break_with(node, value.map(|(value, _)| value), span);
    }

    /// A `break` with this value.
    pub(super) fn break_with(&mut self, node: Node<'_>, value: Option<Node<'_>>, span: Span) {
        let label = self.label_of(node);
        let Some(target) = self.target(label.as_ref()) else {
            self.unsupported(node);
            return;
        };
        if let Some(value) = value {
            match target.slot {
                Some(slot) => {
                    let ty = self.store(value, slot, &Ty::Unknown);
                    self.retype(slot, &ty);
                }
                None => self.discard(value),
            }
        }
        self.f.leave_temps(target.temps, span);
        self.f.exit_to(target.alive, span);
        self.f.terminate(Terminator::Goto(target.brk), span);
    }

    /// `continue`.
    pub(super) fn continue_loop(&mut self, node: Node<'_>, span: Span) {
        let label = self.label_of(node);
        let target = self.target(label.as_ref());
        let Some((target, cont)) = target.and_then(|t| t.cont.map(|cont| (t, cont))) else {
            self.unsupported(node);
            return;
        };
        self.f.leave_temps(target.temps, span);
        self.f.exit_to(target.alive, span);
        self.f.terminate(Terminator::Goto(cont), span);
    }

    /// Leaves the function by a panic.
    pub(super) fn panic(&mut self, span: Span) {
        self.f.exit_to(ROOT, span);
        self.f.terminate(Terminator::Unwind, span);
    }

    /// `true` or `false` into a place.
    pub(super) fn set_truth(&mut self, dst: PlaceId, truth: bool, span: Span) {
        let value = Operand::Const(Const::Int(i128::from(truth)));
        self.f.assign(dst, Rvalue::Use(value), span);
    }
}
