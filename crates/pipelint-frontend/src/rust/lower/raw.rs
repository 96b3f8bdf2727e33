//! What takes values out of the language's care and gives them back: `forget`, `ManuallyDrop`, `into_raw`,
//! `from_raw`, `ptr::read`.

use pipelint_ir::{Callee, Const, DropKind, Name, Operand, PlaceId, Proj, Rvalue, Statement};
use pipelint_source::Span;
use tree_sitter::Node;

use super::{Lowerer, Value};
use crate::rust::kinds::{K, kind};
use crate::rust::ty::{KEPT, Ty};

impl Lowerer<'_> {
    /// A call of one of them, by its full path; none for any other.
    pub(super) fn out_of_care(
        &mut self,
        full: &str,
        function: Node<'_>,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let callee = || Callee::Function(Name::new(full));
        match (full, args) {
            ("std::mem::forget", [arg]) => {
                let value = self.value(*arg);
                Some(self.emit(callee(), vec![value.op], Ty::Unit, None, false, span))
            }
            ("std::mem::ManuallyDrop::new", [arg]) => {
                Some(self.holder("std::mem::ManuallyDrop", *arg, dst, span))
            }
            ("std::mem::ManuallyDrop::into_inner", [arg]) => {
                let (place, ty) = self.place(*arg);
                let part = self.part(place, KEPT);
                Some(self.take(part, kept(&ty)))
            }
            ("std::mem::ManuallyDrop::take", [arg]) => {
                let (part, ty) = self.kept_behind(*arg, span);
                Some(self.take(part, ty))
            }
            ("std::mem::ManuallyDrop::drop", [arg]) => {
                let (part, _) = self.kept_behind(*arg, span);
                self.end_now(part, span);
                Some(super::expr::unit())
            }
            ("std::ptr::drop_in_place", [arg]) => {
                let at = self.value(*arg);
                let (place, _) = self.behind_value(at, span);
                self.end_now(place, span);
                Some(super::expr::unit())
            }
            ("std::ptr::read" | "std::ptr::read_unaligned" | "std::ptr::read_volatile", [arg]) => {
                let at = self.value(*arg);
                Some(self.read_through(at, dst, span))
            }
            (
                "std::ptr::write" | "std::ptr::write_unaligned" | "std::ptr::write_volatile",
                [at, value],
            ) => {
                let at = self.value(*at);
                let value = self.value(*value);
                Some(self.write_through(at, value, span))
            }
            ("Box::into_raw" | "Box::leak", [arg]) => {
                let value = self.value(*arg);
                let ty = Ty::Ptr(Box::new(value.ty.clone()));
                let pointer = self.emit(callee(), Vec::new(), ty, dst, true, span);
                let held = self.held(pointer.op.clone(), pointer.ty.clone(), span);
                let inside = self.f.places[held].clone().then(Proj::Deref);
                let inside = self.f.places.intern(inside);
                self.f.assign(inside, Rvalue::Use(value.op), span);
                Some(pointer)
            }
            ("Box::from_raw", [arg]) => {
                // The box is what it holds, and stands where it stood.
                let pointer = self.pointer(*arg, span);
                let args = vec![pointer.op.clone()];
                self.emit(callee(), args, Ty::Unit, None, false, span);
                let (inside, ty) = self.behind_value(pointer, span);
                let ty = ty.or(&self.turbofish(function));
                Some(self.take(inside, ty))
            }
            ("std::sync::Arc::into_raw" | "std::rc::Rc::into_raw", [arg]) => {
                let value = self.value(*arg);
                let of = match value.ty {
                    Ty::Named(_, args) => args.into_iter().next().unwrap_or_default(),
                    _ => Ty::Unknown,
                };
                let ty = Ty::Ptr(Box::new(of));
                Some(self.emit(callee(), vec![value.op], ty, dst, true, span))
            }
            ("std::sync::Arc::from_raw" | "std::rc::Rc::from_raw", [arg]) => {
                let pointer = self.pointer(*arg, span);
                let ty = Ty::Named(full_type(full), vec![pointer.ty.pointee()]);
                Some(self.emit(callee(), vec![pointer.op], ty, dst, true, span))
            }
            _ => None,
        }
    }

    /// `p.read()` and `p.write(x)` of a raw pointer.
    pub(super) fn pointer_method(
        &mut self,
        object: Node<'_>,
        name: &str,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        match (name, args) {
            ("read" | "read_unaligned" | "read_volatile", []) => {
                if !matches!(self.guess(object), Ty::Ptr(_)) {
                    return None;
                }
                let at = self.value(object);
                Some(self.read_through(at, dst, span))
            }
            ("write" | "write_unaligned" | "write_volatile", [value]) => {
                if !matches!(self.guess(object), Ty::Ptr(_)) {
                    return None;
                }
                let at = self.value(object);
                let value = self.value(*value);
                Some(self.write_through(at, value, span))
            }
            _ => None,
        }
    }

    /// A raw pointer, in a variable of the type that it was cast to where it stands.
    fn pointer(&mut self, arg: Node<'_>, span: Span) -> Value {
        let value = self.value(arg);
        let variable = matches!(kind(arg), K::Identifier | K::FieldExpression);
        if variable || !matches!(value.ty, Ty::Ptr(_)) {
            return value;
        }
        let Value { op, ty } = value;
        self.temp_of(Rvalue::Use(op), ty, span)
    }

    /// A second value of the same bits; the first one stays.
    fn read_through(&mut self, at: Value, dst: Option<PlaceId>, span: Span) -> Value {
        let ty = at.ty.pointee();
        let callee = Callee::Function(Name::new_static("std::ptr::read"));
        self.emit(callee, vec![at.op], ty, dst, true, span)
    }

    /// What stood there does not end.
    fn write_through(&mut self, at: Value, value: Value, span: Span) -> Value {
        let (place, _) = self.behind_value(at, span);
        self.f.assign(place, Rvalue::Use(value.op), span);
        Value {
            op: Operand::Const(Const::Int(0)),
            ty: Ty::Unit,
        }
    }

    /// What the `ManuallyDrop` that a reference leads to keeps.
    fn kept_behind(&mut self, reference: Node<'_>, span: Span) -> (PlaceId, Ty) {
        let at = self.value(reference);
        let (place, ty) = self.behind_value(at, span);
        (self.part(place, KEPT), kept(&ty))
    }

    fn end_now(&mut self, place: PlaceId, span: Span) {
        let kind = DropKind::Scope;
        self.f.push(Statement::Drop { place, kind }, span);
    }
}

/// `T` of `ManuallyDrop<T>`.
fn kept(ty: &Ty) -> Ty {
    match ty.referent() {
        Ty::Named(_, args) => args.first().cloned().unwrap_or_default(),
        _ => Ty::Unknown,
    }
}

/// The type whose function a path names.
fn full_type(full: &str) -> Name {
    Name::new(full.rsplit_once("::").map_or(full, |(of, _)| of))
}
