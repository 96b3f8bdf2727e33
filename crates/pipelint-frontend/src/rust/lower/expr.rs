//! Expressions as values.

use pipelint_ir::{
    Base, BinOp, CmpOp, Const, Mark, Name, Operand, PlaceId, Proj, Rvalue, Statement,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::cond::{comparison, normal};
use super::literal::{arithmetic, fold};
use super::{Lowerer, Value};
use crate::rust::SiteKind;
use crate::rust::index::Receiver;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{child_of, children, first};
use crate::rust::ty::Ty;

/// How long `[x; n]` may be for its entries to be told one by one.
const LONGEST_REPEAT: usize = 16;

impl Lowerer<'_> {
    /// The value of an expression; what it names is moved from, where its type is no plain one.
    pub(super) fn value(&mut self, node: Node<'_>) -> Value {
        let span = self.src.span(node);
        if !self.enter(node) {
            return self.unknown(Vec::new(), Ty::Unknown, span);
        }
        let out = self.value_inner(node, span);
        self.leave();
        out
    }

    fn value_inner(&mut self, node: Node<'_>, span: Span) -> Value {
        if let Some((constant, ty)) = self.literal(node) {
            return Value {
                op: Operand::Const(constant),
                ty,
            };
        }
        if let Some(value) = self.regrouped(node) {
            return value;
        }
        match kind(node) {
            K::SelfKeyword => self.self_value(span),
            K::Identifier | K::ScopedIdentifier | K::GenericFunction => self.name_value(node, span),
            K::FieldExpression | K::IndexExpression => {
                let (place, ty) = self.place(node);
                self.take(place, ty)
            }
            K::ParenthesizedExpression => match first(node) {
                Some(inner) => self.value(inner),
                None => self.unsupported(node),
            },
            K::UnaryExpression => self.unary(node, span),
            K::BinaryExpression => self.binary(node, span),
            K::ReferenceExpression => self.reference(node, span),
            K::TypeCast => self.cast(node, span),
            K::AssignmentExpression => {
                self.assignment(node, span);
                unit()
            }
            K::CompoundAssignment => {
                self.compound(node, span);
                unit()
            }
            K::CallExpression => self.call(node, None),
            K::MacroInvocation => self.macro_value(node, None),
            K::TryExpression => self.question(node, span),
            K::AwaitExpression => {
                let value = first(node).map(|inner| self.value(inner));
                self.suspend(span);
                value.unwrap_or_else(unit)
            }
            K::RangeExpression => {
                let parts = children(node);
                let from = parts.into_iter().map(|(part, _)| self.value(part).op);
                let from = from.collect();
                self.unknown(from, Ty::named("std::ops::Range"), span)
            }
            K::ClosureExpression
            | K::StructExpression
            | K::TupleExpression
            | K::ArrayExpression
            | K::Block
            | K::UnsafeBlock
            | K::AsyncBlock
            | K::TryBlock
            | K::ConstBlock
            | K::IfExpression
            | K::MatchExpression
            | K::LoopExpression
            | K::GenBlock => {
                let dst = self.temp(Ty::Unknown, span);
                let ty = self.store(node, dst, &Ty::Unknown);
                self.retype(dst, &ty);
                self.take(dst, ty)
            }
            K::WhileExpression
            | K::ForExpression
            | K::ReturnExpression
            | K::BreakExpression
            | K::ContinueExpression => {
                self.discard(node);
                let ty = match kind(node) {
                    K::WhileExpression | K::ForExpression => Ty::Unit,
                    _ => Ty::Never,
                };
                Value {
                    op: Operand::Const(Const::Int(0)),
                    ty,
                }
            }
            K::LetCondition | K::LetChain => self.truth_value(node, span),
            K::YieldExpression => {
                let from = first(node).map(|inner| self.value(inner).op);
                self.unknown(from.into_iter().collect(), Ty::Unknown, span)
            }
            _ => self.unsupported(node),
        }
    }

    /// Gives a temporary its type once what it holds is known.
    pub(super) fn retype(&mut self, place: PlaceId, ty: &Ty) {
        let place = &self.f.places[place];
        if let Base::Local(id) = place.base
            && place.proj.is_empty()
            && self
                .body
                .tys
                .get(&id)
                .is_none_or(|known| *known == Ty::Unknown)
            && *ty != Ty::Unknown
        {
            self.f.set_type(id, ty.to_ir());
            self.body.tys.insert(id, ty.clone());
        }
    }

    fn suspend(&mut self, span: Span) {
        let mark = pipelint_ir::Statement::Mark(pipelint_ir::Mark::Suspend);
        self.f.push(mark, span);
    }

    fn self_value(&mut self, span: Span) -> Value {
        if self.f.lookup("self").is_none() && self.body.receiver != Some(Receiver::Value) {
            let (place, ty) = self.self_place();
            let place = self.f.places.intern(place);
            return self.temp_of(Rvalue::Ref(place), Ty::Ref(Box::new(ty)), span);
        }
        let (place, ty) = self.self_place();
        let place = self.f.places.intern(place);
        self.take(place, ty)
    }

    /// An expression's value into a place; its type.
    pub(super) fn store(&mut self, node: Node<'_>, dst: PlaceId, hint: &Ty) -> Ty {
        let span = self.src.span(node);
        if !self.enter(node) {
            return Ty::Unknown;
        }
        let ty = self.store_inner(node, dst, hint, span);
        self.leave();
        ty
    }

    fn store_inner(&mut self, node: Node<'_>, dst: PlaceId, hint: &Ty, span: Span) -> Ty {
        match kind(node) {
            K::ParenthesizedExpression => match first(node) {
                Some(inner) => self.store(inner, dst, hint),
                None => self.unsupported(node).ty,
            },
            K::Block | K::UnsafeBlock | K::ConstBlock => self.block_into(node, Some(dst), hint),
            K::AsyncBlock => {
                // It runs when it is awaited, by whatever task.
                let whole = self.src.span(node);
                self.f.push(Statement::Mark(Mark::Async), whole);
                self.inner_body(node, dst)
            }
            K::TryBlock | K::GenBlock => self.inner_body(node, dst),
            K::IfExpression => self.if_into(node, Some(dst), hint),
            K::MatchExpression => self.match_into(node, Some(dst), hint),
            K::LoopExpression => self.loop_into(node, Some(dst)),
            K::ClosureExpression => {
                self.closure(node, dst, span);
                Ty::Function(Box::default())
            }
            K::StructExpression => self.structure(node, dst, hint, span),
            K::TupleExpression => {
                let mut parts = Vec::new();
                let mut types = Vec::new();
                for (i, part) in self.elements(node).into_iter().enumerate() {
                    let value = self.value(part);
                    parts.push((Some(Name::new(i.to_string())), value.op));
                    types.push(value.ty);
                }
                self.f.assign(dst, Rvalue::Aggregate(parts), span);
                Ty::Tuple(types)
            }
            K::ArrayExpression => self.array(node, dst, span),
            K::CallExpression => {
                let regrouped = self.regrouped(node);
                let value = regrouped.unwrap_or_else(|| self.call(node, Some(dst)));
                self.settle(value, dst, span)
            }
            K::MacroInvocation => {
                let value = self.macro_value(node, Some(dst));
                self.settle(value, dst, span)
            }
            K::Identifier | K::ScopedIdentifier => {
                let value = self.name_value_into(node, Some(dst), hint, span);
                self.settle(value, dst, span)
            }
            _ => {
                let value = self.value(node);
                self.settle(value, dst, span)
            }
        }
    }

    /// Puts a value where it belongs, unless it is there already.
    pub(super) fn settle(&mut self, value: Value, dst: PlaceId, span: Span) -> Ty {
        if value.ty == Ty::Never {
            return Ty::Never;
        }
        if value.op != Operand::Copy(dst) && value.op != Operand::Move(dst) {
            self.f.assign(dst, Rvalue::Use(value.op), span);
        }
        value.ty
    }

    /// An expression whose value is not wanted.
    pub(super) fn discard(&mut self, node: Node<'_>) {
        let span = self.src.span(node);
        match kind(node) {
            K::IfExpression => {
                self.if_into(node, None, &Ty::Unit);
            }
            K::MatchExpression => {
                self.match_into(node, None, &Ty::Unit);
            }
            K::Block | K::UnsafeBlock | K::ConstBlock => {
                self.block_into(node, None, &Ty::Unit);
            }
            K::LoopExpression => {
                self.loop_into(node, None);
            }
            K::WhileExpression => self.while_loop(node),
            K::ForExpression => self.for_loop(node),
            K::ReturnExpression => self.return_value(node, span),
            K::BreakExpression => self.break_loop(node, span),
            K::ContinueExpression => self.continue_loop(node, span),
            K::CallExpression => {
                let regrouped = self.regrouped(node);
                let value = regrouped.unwrap_or_else(|| self.call_dropped(node));
                self.end_value(value);
            }
            K::Identifier | K::FieldExpression | K::SelfKeyword => {
                self.place_of(node);
            }
            _ => {
                if !self.enter(node) {
                    return;
                }
                let value = self.value_inner(node, span);
                self.leave();
                self.end_value(value);
            }
        }
    }

    /// A value that nobody takes ends with the statement.
    pub(super) fn end_value(&mut self, value: Value) {
        if let Operand::Move(place) = value.op {
            self.f.temps.push(place);
        }
    }

    fn unary(&mut self, node: Node<'_>, span: Span) -> Value {
        let Some(inner) = first(node) else {
            return self.unsupported(node);
        };
        match node.child(0).map(|token| token.kind()) {
            Some("*") => {
                let (place, ty) = self.place(node);
                self.take(place, ty)
            }
            Some("!") => {
                let value = self.value(inner);
                match (&value.op, &value.ty) {
                    (Operand::Const(Const::Int(n)), Ty::Num(_)) => Value {
                        op: Operand::Const(Const::Int(!n)),
                        ty: value.ty,
                    },
                    (_, Ty::Num(_)) => self.unknown(vec![value.op], value.ty.clone(), span),
                    _ => {
                        let cond = normal(CmpOp::Eq, value.op, Operand::Const(Const::Int(0)));
                        self.temp_of(Rvalue::Compare(cond), Ty::Bool, span)
                    }
                }
            }
            _ => {
                let value = self.value(inner);
                let zero = Operand::Const(Const::Int(0));
                if let Operand::Const(Const::Int(n)) = &value.op
                    && let Some(negative) = n.checked_neg()
                {
                    return Value {
                        op: Operand::Const(Const::Int(negative)),
                        ty: value.ty,
                    };
                }
                self.temp_of(Rvalue::Binary(BinOp::Sub, zero, value.op), value.ty, span)
            }
        }
    }

    fn binary(&mut self, node: Node<'_>, span: Span) -> Value {
        let (Some(left), Some(right), Some(token)) = (
            field(node, F.left),
            field(node, F.right),
            field(node, F.operator),
        ) else {
            return self.unsupported(node);
        };
        let token = token.kind();
        if matches!(token, "&&" | "||") || comparison(token).is_some() {
            return self.truth_value(node, span);
        }
        // A chain as long as a table is walked, not descended.
        let mut spine = vec![(node, right)];
        let mut at = left;
        while kind(at) == K::BinaryExpression
            && let (Some(left), Some(right), Some(op)) =
                (field(at, F.left), field(at, F.right), field(at, F.operator))
            && arithmetic(op.kind()).is_some()
        {
            spine.push((at, right));
            at = left;
        }
        let mut value = self.read(at);
        for (node, right) in spine.into_iter().rev() {
            let right = self.read(right);
            let op = field(node, F.operator).and_then(|op| arithmetic(op.kind()));
            value = self.combine(node, op, value, right);
        }
        value
    }

    fn combine(&mut self, node: Node<'_>, op: Option<BinOp>, left: Value, right: Value) -> Value {
        let span = self.src.span(node);
        let Some(op) = op else {
            return self.unknown(vec![left.op, right.op], Ty::Unknown, span);
        };
        if let (Operand::Const(Const::Int(a)), Operand::Const(Const::Int(b))) =
            (&left.op, &right.op)
            && let Some(constant) = fold(op, *a, *b)
        {
            return Value {
                op: Operand::Const(constant),
                ty: left.ty,
            };
        }
        let ty = if left.ty == Ty::Unknown {
            right.ty
        } else {
            left.ty
        };
        let plain = !matches!(ty, Ty::Named(ref name, _) if self.ix.types.contains_key(name));
        let value = if plain {
            Rvalue::Binary(op, left.op, right.op)
        } else {
            Rvalue::Unknown(vec![left.op, right.op])
        };
        self.temp_of(value, ty, span)
    }

    /// The value of an expression that is only looked at: what it names stays where it is.
    pub(super) fn read(&mut self, node: Node<'_>) -> Value {
        let value = match kind(node) {
            K::Identifier | K::FieldExpression | K::IndexExpression => {
                if let Some(name) = (kind(node) == K::Identifier).then(|| self.src.name(node))
                    && self.variable(&name).is_none()
                {
                    return self.value(node);
                }
                let (place, ty) = self.place(node);
                Value {
                    op: Operand::Copy(place),
                    ty,
                }
            }
            K::UnaryExpression if node.child(0).is_some_and(|t| t.kind() == "*") => {
                let (place, ty) = self.place(node);
                Value {
                    op: Operand::Copy(place),
                    ty,
                }
            }
            _ => self.value(node),
        };
        match value.op {
            Operand::Move(place) => {
                self.f.temps.push(place);
                Value {
                    op: Operand::Copy(place),
                    ty: value.ty,
                }
            }
            _ => value,
        }
    }

    /// `&x`, `&mut x`, `&raw const x`.
    fn reference(&mut self, node: Node<'_>, span: Span) -> Value {
        let Some(inner) = field(node, F.value) else {
            return self.unsupported(node);
        };
        let (mut place, ty) = self.place(inner);
        let call = matches!(kind(inner), K::CallExpression);
        let whole = self.f.places[place].proj.is_empty();
        if call && !whole && matches!(ty, Ty::Named(..)) && !self.ix.needs_drop(&ty) {
            // `&mut slot.unwrap()`: a call yields a value, and what is borrowed is a copy.
            let copy = self.temp(ty.clone(), span);
            self.f.assign(copy, Rvalue::Use(Operand::Copy(place)), span);
            place = copy;
        }
        if let Some(value) = self.reborrowed(place, &ty) {
            return value;
        }
        if let Some(Proj::Deref) = self.f.places[place].proj.last() {
            // `&*p` is `p`, as an address.
            let mut outer = self.f.places[place].clone();
            outer.proj.pop();
            let outer = self.f.places.intern(outer);
            return Value {
                op: Operand::Copy(outer),
                ty: Ty::Ref(Box::new(ty)),
            };
        }
        self.temp_of(Rvalue::Ref(place), Ty::Ref(Box::new(ty)), span)
    }

    fn cast(&mut self, node: Node<'_>, span: Span) -> Value {
        let (Some(inner), Some(target)) = (field(node, F.value), field(node, F.ty)) else {
            return self.unsupported(node);
        };
        let target = self
            .ix
            .normal(&self.ix.modules.ty(&self.src, &self.scope, target));
        let mut value = self.read(inner);
        // `h as usize as u32`: a number as wide as an address may be one.
        let address = match &value.ty {
            Ty::Ptr(_) | Ty::Ref(_) => true,
            Ty::Num(name) => matches!(name.as_str(), "usize" | "isize" | "u64" | "i64"),
            ty => is_handle(ty),
        };
        if let (Ty::Num(to), true) = (&target, address)
            && matches!(to.as_str(), "u32" | "i32")
        {
            let narrow = if to == "u32" { "uint32_t" } else { "int32_t" };
            let ty = Box::new(pipelint_ir::Type::named(narrow));
            return self.temp_of(Rvalue::Cast(ty, value.op), target, span);
        }
        let pointer = is_handle(&target) || matches!(target, Ty::Ptr(_));
        if pointer && matches!(value.ty, Ty::Num(_)) {
            let ty = Box::new(target.to_ir());
            return self.temp_of(Rvalue::Cast(ty, value.op), target, span);
        }
        if let (Ty::Ptr(of), Ty::Ref(from) | Ty::Ptr(from)) = (&target, &value.ty)
            && **of == Ty::Unknown
        {
            // `as *const _`: what it points to stays what it was.
            value.ty = Ty::Ptr(from.clone());
            return value;
        }
        if target != Ty::Unknown {
            value.ty = target;
        }
        value
    }

    fn assignment(&mut self, node: Node<'_>, span: Span) {
        let (Some(left), Some(right)) = (field(node, F.left), field(node, F.right)) else {
            self.unsupported(node);
            return;
        };
        self.assign(left, right, span);
    }

    /// `left = right`.
    pub(super) fn assign(&mut self, left: Node<'_>, right: Node<'_>, span: Span) {
        match kind(left) {
            // `_ = f();`
            K::Identifier if self.src.text(left) == "_" => {
                self.discard_voided(right);
                return;
            }
            K::TupleExpression | K::StructExpression | K::ArrayExpression => {
                let (place, _) = self.place(right);
                self.assign_parts(left, place, span);
                return;
            }
            _ => {}
        }
        if self.src.text(left) == "_" {
            self.discard_voided(right);
            return;
        }
        // The right side comes first.
        let value = self.value(right);
        let (dst, ty) = self.place(left);
        if self.ix.needs_drop(&ty) && ty != Ty::Unknown {
            // What stands there ends when the new value is there.
            let drop = pipelint_ir::Statement::Drop {
                place: dst,
                kind: pipelint_ir::DropKind::Scope,
            };
            self.f.push(drop, span);
        }
        self.f.assign(dst, Rvalue::Use(value.op), span);
        self.retype(dst, &value.ty);
    }

    /// `(a, b) = pair`.
    fn assign_parts(&mut self, left: Node<'_>, from: PlaceId, span: Span) {
        for (i, (part, what)) in plain_children(left).enumerate() {
            if self.src.text(part) == "_" || what == K::RangeExpression {
                continue;
            }
            let source = self.f.places[from]
                .clone()
                .then(Proj::Field(Name::new(i.to_string())));
            let source = self.f.places.intern(source);
            if matches!(what, K::TupleExpression) {
                self.assign_parts(part, source, span);
                continue;
            }
            let (dst, _) = self.place(part);
            self.f.assign(dst, Rvalue::Use(Operand::Move(source)), span);
        }
    }

    fn compound(&mut self, node: Node<'_>, span: Span) {
        let (Some(left), Some(right), Some(token)) = (
            field(node, F.left),
            field(node, F.right),
            field(node, F.operator),
        ) else {
            self.unsupported(node);
            return;
        };
        self.compound_assign(left, right, token, span);
    }

    /// `left += right`.
    pub(super) fn compound_assign(
        &mut self,
        left: Node<'_>,
        right: Node<'_>,
        token: Node<'_>,
        span: Span,
    ) {
        let op = arithmetic(token.kind().trim_end_matches('='));
        let value = self.read(right);
        let (dst, _) = self.place(left);
        let old = Operand::Copy(dst);
        let rvalue = match op {
            Some(op) => Rvalue::Binary(op, old, value.op),
            None => Rvalue::Unknown(vec![old, value.op]),
        };
        self.f.assign(dst, rvalue, span);
    }

    /// A struct literal, or a variant with named fields.
    fn structure(&mut self, node: Node<'_>, dst: PlaceId, hint: &Ty, span: Span) -> Ty {
        let (Some(name), Some(body)) = (field(node, F.name), field(node, F.body)) else {
            return self.unsupported(node).ty;
        };
        let path = crate::rust::types::path_of(&self.src, name);
        let ty = self
            .ix
            .normal(&self.ix.modules.ty(&self.src, &self.scope, name));
        let full = self.resolve(&path);
        let variant = self.ix.variant(&full).map(|(of, _)| of);
        let mut parts = Vec::new();
        let mut base = None;
        for item in crate::rust::outline::items(&self.src, self.cfg, body) {
            // The grammar puts an attribute of a field into it.
            let own: Vec<Node<'_>> = children(item.node)
                .into_iter()
                .filter(|(_, what)| *what == K::AttributeItem)
                .map(|(attribute, _)| attribute)
                .collect();
            if !crate::rust::outline::is_on(&self.src, self.cfg, &own) {
                continue;
            }
            match item.what {
                K::FieldInitializer => {
                    let (Some(name), Some(value)) =
                        (field(item.node, F.field), field(item.node, F.value))
                    else {
                        continue;
                    };
                    let name = self.src.name(name);
                    let value = self.value(value);
                    parts.push((Some(name), value.op));
                }
                K::ShorthandField => {
                    let Some(name) = child_of(item.node, K::Identifier) else {
                        continue;
                    };
                    let value = self.value(name);
                    parts.push((Some(self.src.name(name)), value.op));
                }
                K::BaseFieldInitializer => base = first(item.node),
                _ => {}
            }
        }
        if let (true, [(_, only)]) = (super::place::is_view(&ty), parts.as_slice()) {
            self.f.assign(dst, Rvalue::Use(only.clone()), span);
            return ty;
        }
        if let Some((of, tag)) = variant.map(|of| (of, super::pattern::tag_of(&full))) {
            let inner = self.temp(Ty::Unknown, span);
            self.f.assign(inner, Rvalue::Aggregate(parts), span);
            let last = Name::new(full.rsplit("::").next().unwrap_or(&full));
            let whole = vec![
                (Some(crate::rust::ty::TAG.into()), tag),
                (Some(last), Operand::Copy(inner)),
            ];
            self.f.assign(dst, Rvalue::Aggregate(whole), span);
            return Ty::Named(of, Vec::new());
        }
        match base {
            Some(base) => {
                // What is not named comes from the base.
                self.store(base, dst, hint);
                for (name, op) in parts {
                    let Some(name) = name else { continue };
                    let place = self.f.places[dst].clone().then(Proj::Field(name));
                    let place = self.f.places.intern(place);
                    self.f.assign(place, Rvalue::Use(op), span);
                }
            }
            None => self.f.assign(dst, Rvalue::Aggregate(parts), span),
        }
        ty
    }

    fn array(&mut self, node: Node<'_>, dst: PlaceId, span: Span) -> Ty {
        let length = field(node, F.length);
        let mut parts = Vec::new();
        let mut element = Ty::Unknown;
        for part in self.elements(node) {
            if Some(part) == length {
                continue;
            }
            let value = self.value(part);
            if element == Ty::Unknown {
                element = value.ty;
            }
            parts.push((None, value.op));
        }
        let count = match length {
            Some(length) => self.length(length),
            None => Some(parts.len() as u64),
        };
        let value = match (length, parts.as_slice()) {
            (Some(_), [(_, op @ Operand::Const(Const::Int(0)))]) => Rvalue::Use(op.clone()),
            // `[-1; 2]` is `[-1, -1]`.
            (Some(_), [part @ (_, Operand::Const(_))])
                if let Some(n) = count.and_then(|n| usize::try_from(n).ok())
                    && (1..=LONGEST_REPEAT).contains(&n) =>
            {
                Rvalue::Aggregate(vec![part.clone(); n])
            }
            (Some(_), _) => Rvalue::Unknown(parts.into_iter().map(|(_, op)| op).collect()),
            _ => Rvalue::Aggregate(parts),
        };
        self.f.assign(dst, value, span);
        Ty::Array(Box::new(element), count)
    }

    /// How long an array is; that of a `vec!` is computed.
    fn length(&mut self, node: Node<'_>) -> Option<u64> {
        let known = self.constant_of(node);
        if known.is_none() && !matches!(kind(node), K::Identifier | K::ScopedIdentifier) {
            self.read(node);
        }
        known.and_then(|n| u64::try_from(n).ok())
    }

    /// The parts of a list that the target has, without their attributes.
    pub(super) fn elements<'t>(&self, list: Node<'t>) -> Vec<Node<'t>> {
        let items = crate::rust::outline::items(&self.src, self.cfg, list);
        items.into_iter().map(|item| item.node).collect()
    }

    /// `?`: the bad side leaves, the good one goes on.
    fn question(&mut self, node: Node<'_>, span: Span) -> Value {
        self.site(SiteKind::Question, node);
        let Some(inner) = first(node) else {
            return self.unsupported(node);
        };
        let value = self.value(inner);
        let place = self.held(value.op.clone(), value.ty.clone(), span);
        self.unwrap_or_leave(place, &value.ty, span)
    }

    /// A value's place; constants get one.
    pub(super) fn held(&mut self, op: Operand, ty: Ty, span: Span) -> PlaceId {
        match op {
            Operand::Copy(place) | Operand::Move(place) => place,
            constant => {
                let temp = self.temp(ty, span);
                self.f.assign(temp, Rvalue::Use(constant), span);
                temp
            }
        }
    }
}

/// `()`.
pub(super) fn unit() -> Value {
    Value {
        op: Operand::Const(Const::Int(0)),
        ty: Ty::Unit,
    }
}

/// The children that are no attributes.
pub(super) fn plain_children<'t>(node: Node<'t>) -> impl Iterator<Item = (Node<'t>, K)> {
    children(node)
        .into_iter()
        .filter(|(_, what)| !matches!(what, K::AttributeItem | K::InnerAttributeItem))
}

/// A handle, or a pointer that stands for one.
pub(super) fn is_handle(ty: &Ty) -> bool {
    matches!(ty, Ty::Named(name, _) if matches!(
        name.rsplit("::").next().unwrap_or(name),
        "HANDLE" | "HPCON" | "RawHandle" | "HKEY" | "SC_HANDLE"
    ))
}

/// `BorrowedHandle` and its kin: a raw handle that somebody else owns.
pub(super) fn is_borrowed(ty: &Ty) -> bool {
    matches!(ty.referent(), Ty::Named(name, _) if matches!(
        name.rsplit("::").next().unwrap_or(name),
        "BorrowedHandle" | "BorrowedSocket" | "BorrowedFd"
    ))
}
