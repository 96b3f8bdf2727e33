//! Method calls: what `Option`, `Result`, pointers and owners do, and calls of the program's own.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, LocalKind, Name, Operand, PlaceId, Rvalue, Terminator, Type,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::cond::normal;
use super::library::{is_view, known_method};
use super::{Lowerer, Value};
use crate::rust::index::Receiver;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::ty::Ty;

impl Lowerer<'_> {
    /// `object.name(args)`; `written` is the type that stands behind the name, `name::<T>`.
    pub(super) fn method(
        &mut self,
        function: Node<'_>,
        written: Ty,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        wanted: bool,
        span: Span,
    ) -> Value {
        let (Some(object), Some(member)) = (field(function, F.value), field(function, F.field))
        else {
            return self.unsupported(function);
        };
        let name = self.src.name(member);
        if kind(member) == K::IntegerLiteral {
            let (place, ty) = self.place(function);
            let ret = match ty {
                Ty::Function(ret) => *ret,
                _ => Ty::Unknown,
            };
            let args = self.arguments(args);
            let callee = Callee::Pointer(Operand::Copy(place));
            return self.emit(callee, args, ret, dst, wanted, span);
        }
        if let Some(value) = self.outcome_method(object, &name, args, dst, span) {
            return value;
        }
        if let Some(value) = self.pointer_method(object, &name, args, dst, span) {
            return value;
        }
        if let Some(value) = self.plain_method(object, &name, &written, args, span) {
            return value;
        }
        let (place, ty) = self.place_of(object);
        let (place, ty) = self.auto_deref(place, ty);
        let own = |path: &Name| {
            let full = format!("{path}::{name}");
            self.ix.functions.contains_key(full.as_str())
        };
        let (place, ty) = match ty.path().is_some_and(own) {
            true => (place, ty),
            false => self.through_guard(place, ty),
        };
        let receiver = self.f.places.intern(place);
        if let Some(value) = self.lock_method(receiver, &ty, &name, args, dst, span) {
            return value;
        }
        let full = ty.path().map(|path| Name::new(format!("{path}::{name}")));
        let signature = full
            .as_ref()
            .and_then(|full| self.ix.functions.get(full))
            .cloned();
        let ret = match &signature {
            Some(signature) => signature.ret.clone(),
            None if name == "collect" => written,
            None => known_method(&ty, &name),
        };
        if signature.is_none() && args.is_empty() && is_view(&name) {
            let ty = Ty::Ref(Box::default());
            return self.temp_of(Rvalue::Ref(receiver), ty, span);
        }
        let consumed = match &signature {
            Some(signature) => signature.receiver == Receiver::Value,
            None => name.starts_with("into"),
        };
        let mut receiver = receiver;
        if consumed && self.f.temps.contains(&receiver) {
            // The callee ends it, not the statement.
            self.f.temps.retain(|temp| *temp != receiver);
        } else if consumed {
            let name = self.name_of(receiver);
            let id = self.local(name, ty.clone(), LocalKind::Temp, span);
            let moved = self.f.place_of(id);
            let value = self.take(receiver, ty.clone());
            self.f.assign(moved, Rvalue::Use(value.op), span);
            receiver = moved;
        }
        let of = match ty {
            Ty::Unknown => None,
            Ty::Abstract => self.stream_trait(&name, args.len()),
            ty => Some(Box::new(ty.to_ir())),
        };
        let params = signature.map(|signature| signature.params);
        let args = self.arguments_for(args, &params.unwrap_or_default());
        let callee = Callee::Method {
            receiver,
            name,
            ty: of,
        };
        self.emit(callee, args, ret, dst, wanted, span)
    }

    /// The trait of the standard library whose method this is of a type parameter or trait object, where
    /// a header in sight names it.
    fn stream_trait(&self, name: &str, args: usize) -> Option<Box<Type>> {
        let full = match (name, args) {
            ("write", 1) => "std::io::Write",
            ("read", 1) => "std::io::Read",
            _ => return None,
        };
        let named = self.scope.streams.contains(&full);
        named.then(|| Box::new(Type::named(full)))
    }

    /// The name of a whole variable; empty for any other place.
    pub(super) fn name_of(&self, place: PlaceId) -> Name {
        let place = &self.f.places[place];
        match place.base {
            Base::Local(id) if place.proj.is_empty() => self.f.local_info(id).name.clone(),
            _ => Name::default(),
        }
    }

    /// Methods that yield what they are called on, in another form.
    fn plain_method(
        &mut self,
        object: Node<'_>,
        name: &str,
        written: &Ty,
        args: &[Node<'_>],
        span: Span,
    ) -> Option<Value> {
        match (name, args.len()) {
            ("is_null", 0) => {
                let value = self.read(object);
                let zero = Operand::Const(Const::Int(0));
                let cond = normal(CmpOp::Eq, value.op, zero);
                Some(self.temp_of(Rvalue::Compare(cond), Ty::Bool, span))
            }
            ("as_bool", 0) => {
                let value = self.read(object);
                let zero = Operand::Const(Const::Int(0));
                let cond = normal(CmpOp::Ne, value.op, zero);
                Some(self.temp_of(Rvalue::Compare(cond), Ty::Bool, span))
            }
            ("is_invalid", 0) if super::expr::is_handle(&self.guess(object)) => {
                let value = self.read(object);
                let dst = self.temp(Ty::Bool, span);
                let (yes, no, next, join) = (
                    self.f.new_block(),
                    self.f.new_block(),
                    self.f.new_block(),
                    self.f.new_block(),
                );
                let null = normal(CmpOp::Eq, value.op.clone(), Operand::Const(Const::Int(0)));
                let minus = normal(CmpOp::Eq, value.op, Operand::Const(Const::Int(-1)));
                self.f.branch(null, yes, next, span);
                self.f.switch_to(next);
                self.f.branch(minus, yes, no, span);
                for (block, truth) in [(yes, true), (no, false)] {
                    self.f.switch_to(block);
                    self.set_truth(dst, truth, span);
                    let cur = self.f.current();
                    self.f.end(cur, Terminator::Goto(join), span);
                }
                self.f.switch_to(join);
                Some(Value {
                    op: Operand::Copy(dst),
                    ty: Ty::Bool,
                })
            }
            // A conversion of numbers, handles and pointers changes nothing here.
            ("cast" | "cast_mut" | "cast_const" | "into", 0) => {
                let guess = self.guess(object);
                let address = matches!(guess, Ty::Ptr(_) | Ty::Ref(_) | Ty::Num(_))
                    || super::expr::is_handle(&guess)
                    || name != "into";
                if !address {
                    return None;
                }
                let mut value = self.read(object);
                if let Ty::Ptr(_) = value.ty {
                    if let ("cast", Ty::Named(..)) = (name, written) {
                        let to = Ty::Ptr(Box::new(written.clone()));
                        return Some(self.temp_of(Rvalue::Use(value.op), to, span));
                    }
                    value.ty = Ty::Ptr(Box::default());
                }
                Some(value)
            }
            // What a cell holds stands where the cell does.
            ("get", 0) if is_chain(object) => {
                let (place, ty) = self.place_of(object);
                let (place, ty) = self.auto_deref(place, ty);
                let Ty::Named(cell, args) = ty else {
                    return None;
                };
                if cell != "std::cell::UnsafeCell" {
                    return None;
                }
                let at = self.f.places.intern(place);
                let held = args.into_iter().next().unwrap_or_default();
                Some(self.temp_of(Rvalue::Ref(at), Ty::Ptr(Box::new(held)), span))
            }
            // A handle that is borrowed here is the raw one; one that was lent stays a parameter's.
            ("as_raw_handle" | "as_raw_fd" | "as_raw_socket", 0)
                if self.is_borrowed_here(object) =>
            {
                let raw = self.read(object);
                Some(Value {
                    op: raw.op,
                    ty: known_method(&raw.ty, name),
                })
            }
            // A raw slice's pointer is the slice's own.
            ("as_mut_ptr" | "as_ptr", 0) if matches!(self.guess(object), Ty::Ptr(_)) => {
                let mut value = self.read(object);
                value.ty = Ty::Ptr(Box::default());
                Some(value)
            }
            ("as_mut_ptr" | "as_ptr", 0) => {
                let (place, ty) = self.place_of(object);
                let (place, ty) = self.auto_deref(place, ty);
                let at = self.f.places.intern(place);
                let ty = match &ty {
                    Ty::Named(name, args) if name == "std::mem::MaybeUninit" => {
                        args.first().cloned().unwrap_or_default()
                    }
                    ty => ty.element(),
                };
                Some(self.temp_of(Rvalue::Ref(at), Ty::Ptr(Box::new(ty)), span))
            }
            ("assume_init", 0) => {
                let (place, ty) = self.place(object);
                let ty = match ty {
                    Ty::Named(_, args) => args.into_iter().next().unwrap_or_default(),
                    _ => Ty::Unknown,
                };
                Some(self.take(place, ty))
            }
            _ => None,
        }
    }

    /// A variable of the function's own that holds a borrowed handle.
    fn is_borrowed_here(&mut self, object: Node<'_>) -> bool {
        if kind(object) != K::Identifier {
            return false;
        }
        let name = self.src.name(object);
        self.variable(&name).is_some_and(|(place, ty)| {
            let own = match place.base {
                Base::Local(id) => self.f.local_info(id).kind == LocalKind::Auto,
                _ => false,
            };
            own && place.proj.is_empty() && super::expr::is_borrowed(&ty)
        })
    }
}

/// A variable, or a field of one: to name it does nothing.
fn is_chain(node: Node<'_>) -> bool {
    match kind(node) {
        K::Identifier | K::SelfKeyword => true,
        K::FieldExpression => field(node, F.value).is_some_and(is_chain),
        _ => false,
    }
}
