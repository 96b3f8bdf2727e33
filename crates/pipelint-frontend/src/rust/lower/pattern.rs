//! Patterns: what they test, and what they bind.

use pipelint_ir::Terminator;
use pipelint_ir::{
    Base, BlockId, CmpOp, Cond, Const, LocalKind, Name, Operand, Place, Proj, Rvalue,
};
use tree_sitter::Node;

use super::Lowerer;
use super::expr::plain_children;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{children, first, has_token};
use crate::rust::ty::{BAD, GOOD, TAG, Ty};
use crate::rust::types::path_of;

/// The tag of a variant: a number that its name alone decides, so that files agree on it.
pub(super) fn tag_of(full: &str) -> Operand {
    let last = full.rsplit("::").next().unwrap_or(full);
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in last.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // Away from the small numbers that outcomes use.
    Operand::Const(Const::Int(i128::from(hash >> 1) + 2))
}

/// What a path in a pattern or call names.
pub(super) enum Named {
    /// `Some`, `Ok`.
    Good,
    /// `Err`.
    Bad,
    /// `None`.
    Nothing,
    /// A variant: its tag, its name and its fields' types.
    Variant(Operand, Name, Vec<(Name, Ty)>),
    /// A struct.
    Struct,
    /// A constant.
    Constant(Name),
    /// Anything else.
    Other,
}

impl Lowerer<'_> {
    /// What a path names, where it may be a variant.
    pub(super) fn named(&self, path: &[Name]) -> Named {
        let full = self.resolve(path);
        let last = full.rsplit("::").next().unwrap_or(&full);
        let outcome = |of: &str| full == last || full == format!("{of}::{last}");
        match last {
            "Some" if outcome("Option") => return Named::Good,
            "Ok" if outcome("Result") => return Named::Good,
            "Err" if outcome("Result") => return Named::Bad,
            "None" if outcome("Option") => return Named::Nothing,
            _ => {}
        }
        if let Some((_, fields)) = self.ix.variant(&full) {
            return Named::Variant(tag_of(&full), Name::new(last), fields.to_vec());
        }
        if self.ix.types.contains_key(&full) {
            return Named::Struct;
        }
        let capitals = last
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if capitals || self.ix.values.contains_key(&full) {
            return Named::Constant(Name::new(last));
        }
        let camel = last.starts_with(|c: char| c.is_ascii_uppercase());
        let of_type = full
            .rsplit("::")
            .nth(1)
            .is_some_and(|of| of.starts_with(|c: char| c.is_ascii_uppercase()));
        if camel && of_type {
            return Named::Variant(tag_of(&full), Name::new(last), Vec::new());
        }
        Named::Other
    }

    /// Goes on where the pattern fits what is at the place, and to `fail` elsewhere.
    pub(super) fn test(&mut self, pattern: Node<'_>, place: &Place, ty: &Ty, fail: BlockId) {
        let span = self.src.span(pattern);
        match kind(pattern) {
            K::MatchPattern => {
                if let Some(inner) = first(pattern) {
                    self.test(inner, place, ty, fail);
                }
            }
            K::OrPattern => {
                let alternatives = children(pattern);
                let join = self.f.new_block();
                let count = alternatives.len();
                for (i, (alternative, _)) in alternatives.into_iter().enumerate() {
                    let next = if i + 1 == count {
                        fail
                    } else {
                        self.f.new_block()
                    };
                    self.test(alternative, place, ty, next);
                    let cur = self.f.current();
                    self.f.end(cur, Terminator::Goto(join), span);
                    if i + 1 < count {
                        self.f.switch_to(next);
                    }
                }
                self.f.switch_to(join);
            }
            K::ReferencePattern => {
                if let Some(inner) = last_child(pattern) {
                    let (place, ty) = self.behind(place, ty);
                    self.test(inner, &place, &ty, fail);
                }
            }
            K::RefPattern | K::MutPattern => {
                if let Some(inner) = last_child(pattern) {
                    self.test(inner, place, ty, fail);
                }
            }
            K::CapturedPattern => {
                if let Some(inner) = last_child(pattern) {
                    self.test(inner, place, ty, fail);
                }
            }
            K::TuplePattern => {
                let (place, ty) = self.auto_deref(place.clone(), ty.clone());
                self.test_parts(pattern, None, &place, &ty, &[], fail);
            }
            K::TupleStructPattern => {
                let Some(name) = field(pattern, F.ty) else {
                    return;
                };
                let path = path_of(&self.src, name);
                let (place, ty) = self.auto_deref(place.clone(), ty.clone());
                match self.named(&path) {
                    Named::Good => {
                        self.test_tag(&place, CmpOp::Ne, 1, fail, span);
                        let inner = place.then(Proj::Field(GOOD.into()));
                        self.test_only(pattern, name, &inner, &ty.good(), fail);
                    }
                    Named::Bad => {
                        self.test_tag(&place, CmpOp::Eq, 1, fail, span);
                        let inner = place.then(Proj::Field(BAD.into()));
                        self.test_only(pattern, name, &inner, &ty.bad(), fail);
                    }
                    Named::Variant(tag, variant, fields) => {
                        self.test_variant(&place, tag, fail, span);
                        let inner = place.then(Proj::Field(variant));
                        self.test_parts(pattern, Some(name), &inner, &Ty::Unknown, &fields, fail);
                    }
                    _ => self.test_parts(pattern, Some(name), &place, &ty, &[], fail),
                }
            }
            K::StructPattern => {
                let Some(name) = field(pattern, F.ty) else {
                    return;
                };
                let path = path_of(&self.src, name);
                let (mut place, ty) = self.auto_deref(place.clone(), ty.clone());
                let mut fields = Vec::new();
                if let Named::Variant(tag, variant, known) = self.named(&path) {
                    self.test_variant(&place, tag, fail, span);
                    place = place.then(Proj::Field(variant));
                    fields = known;
                }
                for (part, what) in plain_children(pattern) {
                    if what == K::FieldPattern
                        && let (Some(name), Some(inner)) =
                            (field(part, F.name), field(part, F.pattern))
                    {
                        let name = self.src.name(name);
                        let ty = self.part_ty(&ty, &fields, &name);
                        let place = place.then(Proj::Field(name));
                        self.test(inner, &place, &ty, fail);
                    }
                }
            }
            K::Identifier | K::ScopedIdentifier | K::GenericPattern => {
                let path = path_of(&self.src, pattern);
                if path.len() == 1 && !is_constant_name(&path[0]) {
                    return;
                }
                let (place, _) = self.auto_deref(place.clone(), ty.clone());
                match self.named(&path) {
                    Named::Nothing => self.test_tag(&place, CmpOp::Eq, 1, fail, span),
                    Named::Variant(tag, ..) => self.test_variant(&place, tag, fail, span),
                    Named::Constant(name) => {
                        let lhs = Operand::Copy(self.f.places.intern(place));
                        let rhs = Operand::Const(Const::Named(name));
                        let op = CmpOp::Eq;
                        self.test_cond(Cond { op, lhs, rhs }, fail, span);
                    }
                    _ => {}
                }
            }
            K::IntegerLiteral | K::NegativeLiteral | K::BooleanLiteral | K::CharLiteral => {
                let (place, _) = self.auto_deref(place.clone(), ty.clone());
                if let Some((constant, _)) = self.literal(pattern) {
                    let lhs = Operand::Copy(self.f.places.intern(place));
                    let rhs = Operand::Const(constant);
                    let op = CmpOp::Eq;
                    self.test_cond(Cond { op, lhs, rhs }, fail, span);
                }
            }
            K::StringLiteral
            | K::RawStringLiteral
            | K::FloatLiteral
            | K::SlicePattern
            | K::ConstBlock
            | K::MacroInvocation => self.test_unknown(fail, span),
            K::RangePattern => {
                let (place, _) = self.auto_deref(place.clone(), ty.clone());
                let lhs = self.f.places.intern(place);
                let exclusive = has_token(pattern, "..") && !has_token(pattern, "..=");
                let low = field(pattern, F.left).and_then(|n| self.literal(n));
                let high = field(pattern, F.right).and_then(|n| self.literal(n));
                if low.is_none() && high.is_none() {
                    self.test_unknown(fail, span);
                }
                let upper = if exclusive { CmpOp::Lt } else { CmpOp::Le };
                for (op, bound) in [(CmpOp::Ge, low), (upper, high)] {
                    if let Some((constant, _)) = bound {
                        let cond = Cond {
                            op,
                            lhs: Operand::Copy(lhs),
                            rhs: Operand::Const(constant),
                        };
                        self.test_cond(cond, fail, span);
                    }
                }
            }
            _ => {}
        }
    }

    fn test_cond(&mut self, cond: Cond, fail: BlockId, span: pipelint_source::Span) {
        let next = self.f.new_block();
        self.branch(cond, next, fail, span);
        self.f.switch_to(next);
    }

    fn test_unknown(&mut self, fail: BlockId, span: pipelint_source::Span) {
        let unknown = self.unknown(Vec::new(), Ty::Bool, span);
        self.test_cond(super::cond::nonzero(unknown.op), fail, span);
    }

    fn test_tag(
        &mut self,
        place: &Place,
        op: CmpOp,
        tag: i128,
        fail: BlockId,
        span: pipelint_source::Span,
    ) {
        let lhs = self.f.places.intern(place.then(Proj::Field(TAG.into())));
        let cond = Cond {
            op,
            lhs: Operand::Copy(lhs),
            rhs: Operand::Const(Const::Int(tag)),
        };
        self.test_cond(cond, fail, span);
    }

    fn test_variant(
        &mut self,
        place: &Place,
        tag: Operand,
        fail: BlockId,
        span: pipelint_source::Span,
    ) {
        let lhs = self.f.places.intern(place.then(Proj::Field(TAG.into())));
        let cond = Cond {
            op: CmpOp::Eq,
            lhs: Operand::Copy(lhs),
            rhs: tag,
        };
        self.test_cond(cond, fail, span);
    }

    /// The one pattern within `Some(…)`.
    fn test_only(&mut self, pattern: Node<'_>, name: Node<'_>, at: &Place, ty: &Ty, fail: BlockId) {
        let inner = plain_children(pattern).find(|(part, _)| *part != name);
        if let Some((inner, _)) = inner {
            self.test(inner, at, ty, fail);
        }
    }

    fn test_parts(
        &mut self,
        pattern: Node<'_>,
        name: Option<Node<'_>>,
        place: &Place,
        ty: &Ty,
        fields: &[(Name, Ty)],
        fail: BlockId,
    ) {
        for (index, part) in numbered(pattern, name) {
            let field = Name::new(index.to_string());
            let ty = self.part_ty(ty, fields, &field);
            self.test(part, &place.then(Proj::Field(field)), &ty, fail);
        }
    }

    fn part_ty(&self, ty: &Ty, fields: &[(Name, Ty)], name: &Name) -> Ty {
        match fields.iter().find(|(field, _)| field == name) {
            Some((_, ty)) => self.ix.normal(ty),
            None => self.ix.field_ty(ty, name),
        }
    }

    /// What a reference pattern looks at.
    fn behind(&mut self, place: &Place, ty: &Ty) -> (Place, Ty) {
        match ty {
            Ty::Ref(of) | Ty::Ptr(of) => (place.then(Proj::Deref), (**of).clone()),
            // A method's object is named without the reference.
            _ if place.base == Base::SelfObj && place.proj.is_empty() && self.has_lent_self() => {
                (place.clone(), ty.clone())
            }
            _ => (place.then(Proj::Deref), Ty::Unknown),
        }
    }

    /// Binds the names of a pattern that fits. `by_ref`: what is matched is behind a reference.
    pub(super) fn bind(&mut self, pattern: Node<'_>, place: &Place, ty: &Ty, by_ref: bool) {
        match kind(pattern) {
            K::MatchPattern | K::MutPattern => {
                if let Some(inner) = last_pattern(pattern) {
                    self.bind(inner, place, ty, by_ref);
                }
            }
            K::OrPattern => {
                // The names are those of the first; what they hold, only one of several tells.
                if let Some(inner) = first(pattern) {
                    self.bind(inner, place, ty, by_ref);
                }
            }
            K::ReferencePattern => {
                if let Some(inner) = last_child(pattern) {
                    let (place, ty) = self.behind(place, ty);
                    self.bind(inner, &place, &ty, false);
                }
            }
            K::RefPattern => {
                if let Some(inner) = last_child(pattern) {
                    self.bind(inner, place, ty, true);
                }
            }
            K::CapturedPattern => {
                let parts = children(pattern);
                if let [(name, _), .., (inner, _)] = parts.as_slice() {
                    self.bind_name(*name, place, ty, by_ref, false);
                    self.bind(*inner, place, ty, by_ref);
                }
            }
            K::Identifier => {
                let name = self.src.name(pattern);
                if is_constant_name(&name) {
                    match self.named(std::slice::from_ref(&name)) {
                        Named::Other => {}
                        _ => return,
                    }
                }
                self.bind_name(pattern, place, ty, by_ref, true);
            }
            K::ShorthandFieldIdentifier => self.bind_name(pattern, place, ty, by_ref, true),
            K::TuplePattern => {
                let (place, ty, by_ref) = self.looked_through(place, ty, by_ref);
                for (index, part) in numbered(pattern, None) {
                    let field = Name::new(index.to_string());
                    let ty = self.part_ty(&ty, &[], &field);
                    self.bind(part, &place.then(Proj::Field(field)), &ty, by_ref);
                }
            }
            K::SlicePattern => {
                let (place, ty, by_ref) = self.looked_through(place, ty, by_ref);
                let element = ty.element();
                for (index, (part, _)) in plain_children(pattern).enumerate() {
                    let at = i64::try_from(index).ok();
                    self.bind(part, &place.then(Proj::Index(at)), &element, by_ref);
                }
            }
            K::TupleStructPattern => {
                let Some(name) = field(pattern, F.ty) else {
                    return;
                };
                let path = path_of(&self.src, name);
                let (place, ty, by_ref) = self.looked_through(place, ty, by_ref);
                let (inner, ty, fields) = match self.named(&path) {
                    Named::Good => {
                        let place = place.then(Proj::Field(GOOD.into()));
                        return self.bind_only(pattern, name, &place, &ty.good(), by_ref);
                    }
                    Named::Bad => {
                        let place = place.then(Proj::Field(BAD.into()));
                        return self.bind_only(pattern, name, &place, &ty.bad(), by_ref);
                    }
                    Named::Variant(_, variant, fields) => {
                        (place.then(Proj::Field(variant)), Ty::Unknown, fields)
                    }
                    _ => (place, ty, Vec::new()),
                };
                for (index, part) in numbered(pattern, Some(name)) {
                    let field = Name::new(index.to_string());
                    let ty = self.part_ty(&ty, &fields, &field);
                    self.bind(part, &inner.then(Proj::Field(field)), &ty, by_ref);
                }
            }
            K::StructPattern => {
                let Some(name) = field(pattern, F.ty) else {
                    return;
                };
                let path = path_of(&self.src, name);
                let (mut place, ty, by_ref) = self.looked_through(place, ty, by_ref);
                let mut fields = Vec::new();
                if let Named::Variant(_, variant, known) = self.named(&path) {
                    place = place.then(Proj::Field(variant));
                    fields = known;
                }
                for (part, what) in plain_children(pattern) {
                    if what != K::FieldPattern {
                        continue;
                    }
                    let Some(name) = field(part, F.name) else {
                        continue;
                    };
                    let inner = field(part, F.pattern).unwrap_or(name);
                    let by_ref = by_ref || has_token(part, "ref");
                    let name = self.src.name(name);
                    let ty = self.part_ty(&ty, &fields, &name);
                    self.bind(inner, &place.then(Proj::Field(name)), &ty, by_ref);
                }
            }
            _ => {}
        }
    }

    /// Binds the names of an arm's pattern, and asks its guard, where it has one: the arm goes on where
    /// that is true, and else to `no`. Only then is anything moved out of what is matched.
    pub(super) fn bind_arm(
        &mut self,
        pattern: Node<'_>,
        place: &Place,
        ty: &Ty,
        by_ref: bool,
        no: BlockId,
    ) {
        let Some(guard) = field(pattern, F.condition) else {
            return self.bind(pattern, place, ty, by_ref);
        };
        let end = self.src.end(pattern);
        let base = self.f.alive();
        let outer = self.body.asking.replace(false);
        self.bind(pattern, place, ty, by_ref);
        let moves = std::mem::replace(&mut self.body.asking, outer) == Some(true);
        let (go, pad) = (self.f.new_block(), self.f.new_block());
        self.cond(guard, go, pad);
        let here = self.f.alive();
        self.f.switch_to(pad);
        self.f.exit_to(base, end);
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(no), end);
        self.f.set_alive(here);
        self.f.switch_to(go);
        if moves {
            self.bind(pattern, place, ty, by_ref);
        }
    }

    fn bind_only(&mut self, pattern: Node<'_>, name: Node<'_>, at: &Place, ty: &Ty, by_ref: bool) {
        let ty = self.ix.normal(ty);
        let inner = plain_children(pattern).find(|(part, _)| *part != name);
        if let Some((inner, _)) = inner {
            self.bind(inner, at, &ty, by_ref);
        }
    }

    /// A pattern that is no reference pattern looks through references, and binds by reference then.
    fn looked_through(&mut self, place: &Place, ty: &Ty, by_ref: bool) -> (Place, Ty, bool) {
        let through = matches!(ty, Ty::Ref(_));
        let (place, ty) = self.auto_deref(place.clone(), ty.clone());
        (place, ty, by_ref || through)
    }

    fn bind_name(&mut self, node: Node<'_>, place: &Place, ty: &Ty, by_ref: bool, moves: bool) {
        let name = self.src.name(node);
        if name == "_" {
            return;
        }
        let span = self.src.span(node);
        let from = self.f.places.intern(place.clone());
        let (value, ty) = if by_ref {
            (Rvalue::Ref(from), Ty::Ref(Box::new(ty.clone())))
        } else {
            let value = self.take(from, ty.clone());
            let op = if moves { value.op } else { Operand::Copy(from) };
            (Rvalue::Use(op), ty.clone())
        };
        let mut drops = self.ix.needs_drop(&ty);
        let mut value = value;
        if let Some(asking) = &mut self.body.asking
            && drops
        {
            *asking = true;
            drops = false;
            value = Rvalue::Use(Operand::Copy(from));
        }
        let id = self.local(name.clone(), ty, LocalKind::Auto, span);
        let to = self.f.place_of(id);
        self.f.assign(to, value, span);
        self.f.bind(name, id);
        self.f.live(id, drops, span);
    }
}

/// A name that a pattern does not bind: a constant, or a variant.
fn is_constant_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn last_child<'t>(node: Node<'t>) -> Option<Node<'t>> {
    children(node)
        .into_iter()
        .rfind(|(_, what)| *what != K::MutableSpecifier)
        .map(|(child, _)| child)
}

/// The pattern of a `mut` pattern or of a match arm, its guard left out.
fn last_pattern<'t>(node: Node<'t>) -> Option<Node<'t>> {
    if kind(node) == K::MatchPattern {
        return first(node);
    }
    last_child(node)
}

/// The parts of a tuple pattern by their numbers; behind `..` they are not known, and left out.
fn numbered<'t>(pattern: Node<'t>, name: Option<Node<'t>>) -> Vec<(usize, Node<'t>)> {
    let mut out = Vec::new();
    let mut index = 0;
    let mut cursor = pattern.walk();
    if !cursor.goto_first_child() {
        return out;
    }
    loop {
        let child = cursor.node();
        if child.kind() == "," {
            index += 1;
        } else if kind(child) == K::RemainingField {
            return out;
        } else if Some(child) != name
            && (child.is_named() || child.kind() == "_")
            && !crate::rust::source::is_comment(kind(child))
        {
            out.push((index, child));
        }
        if !cursor.goto_next_sibling() {
            return out;
        }
    }
}
