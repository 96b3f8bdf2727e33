//! Functions of the standard library that say something about values themselves.

use pipelint_ir::{
    Callee, CmpOp, Const, DropKind, LocalKind, Mark, Name, Operand, PlaceId, Proj, Rvalue,
    Statement,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::{Lowerer, Value};
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::children;
use crate::rust::ty::{GOOD, TAG, Ty};

impl Lowerer<'_> {
    /// A call of one of them, by its full path; none for any other.
    pub(super) fn special(
        &mut self,
        full: &str,
        function: Node<'_>,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        if let ([], Some(of)) = (args, full.strip_suffix("::default")) {
            let ty = Ty::named(of.rsplit("::").next().unwrap_or(of));
            if super::place::is_handle_newtype(&ty) {
                let op = Operand::Const(Const::Int(0));
                return Some(Value { op, ty });
            }
        }
        // It is made of zeroes.
        if let ([], Some(of)) = (args, self.src.text(function).strip_suffix("::default"))
            && is_overlapped(of)
        {
            return Some(Value {
                op: Operand::Const(Const::Int(0)),
                ty: Ty::named("OVERLAPPED"),
            });
        }
        // `i32::from(flag)` is the same number.
        if let ([arg], Some(number)) = (args, full.strip_suffix("::from"))
            && is_number(number)
        {
            let mut value = self.read(*arg);
            value.ty = Ty::Num(number.into());
            return Some(value);
        }
        match (full, args) {
            ("drop" | "std::mem::drop", [arg]) => {
                let value = self.value(*arg);
                if let Operand::Move(place) = value.op {
                    let name = self.name_of(place);
                    let id = self.local(name, value.ty.clone(), LocalKind::Temp, span);
                    let ended = self.f.place_of(id);
                    self.f
                        .assign(ended, Rvalue::Use(Operand::Move(place)), span);
                    self.f.push(
                        Statement::Drop {
                            place: ended,
                            kind: DropKind::Scope,
                        },
                        span,
                    );
                }
                Some(super::expr::unit())
            }
            (
                "std::mem::zeroed"
                | "core::mem::zeroed"
                | "std::mem::MaybeUninit::zeroed"
                | "::zeroed",
                [],
            ) => Some(Value {
                op: Operand::Const(Const::Int(0)),
                ty: self.turbofish(function),
            }),
            // As if nothing stood there.
            (
                "std::mem::MaybeUninit::uninit"
                | "core::mem::MaybeUninit::uninit"
                | "std::mem::uninitialized"
                | "core::mem::uninitialized",
                [],
            ) => {
                let ty = match full.ends_with("::uninit") {
                    true => self.maybe_uninit(function),
                    false => self.turbofish(function),
                };
                let id = self.local(Name::default(), ty.clone(), LocalKind::Temp, span);
                self.f.push(Statement::Mark(Mark::Live(id)), span);
                let place = self.f.place_of(id);
                Some(self.take(place, ty))
            }
            ("std::ptr::null" | "std::ptr::null_mut", []) => Some(Value {
                op: Operand::Const(Const::Null),
                ty: Ty::Ptr(Box::new(self.turbofish(function))),
            }),
            ("Default::default" | "std::default::Default::default", []) => Some(Value {
                op: Operand::Const(Const::Int(0)),
                ty: Ty::Unknown,
            }),
            ("std::mem::transmute", [arg]) => {
                let mut value = self.value(*arg);
                value.ty = Ty::Unknown;
                Some(value)
            }
            // The `windows` crate's handles are their numbers.
            (name, [arg]) if super::place::is_handle_newtype(&Ty::named(name)) => {
                let mut value = self.value(*arg);
                value.ty = Ty::named(full);
                Some(value)
            }
            // It closes what it is given.
            ("windows::core::Owned::new", [arg]) => {
                let ty = Ty::named("windows::Owned");
                let args = self.arguments(&[*arg]);
                let callee = Callee::Constructor(Box::new(ty.to_ir()));
                Some(self.emit(callee, args, ty, dst, true, span))
            }
            // A box is what it holds.
            (
                "Box::new"
                | "std::pin::Pin::new"
                | "Box::pin"
                | "std::convert::identity"
                | "std::hint::black_box",
                [arg],
            ) => Some(self.value(*arg)),
            // What is borrowed has no owner there, and stays what it is.
            (
                "std::os::windows::io::BorrowedHandle::borrow_raw"
                | "std::os::windows::io::BorrowedSocket::borrow_raw"
                | "std::os::unix::io::BorrowedFd::borrow_raw"
                | "std::os::fd::BorrowedFd::borrow_raw",
                [arg],
            ) => {
                let raw = self.read(*arg);
                let of = full.rsplit_once("::").map_or("", |(of, _)| of);
                Some(Value {
                    op: raw.op,
                    ty: Ty::named(of),
                })
            }
            ("std::ptr::addr_of" | "std::ptr::from_ref" | "std::ptr::from_mut", [arg]) => {
                Some(self.value(*arg))
            }
            (
                "PartialEq::eq" | "PartialEq::ne" | "PartialOrd::lt" | "PartialOrd::le"
                | "PartialOrd::gt" | "PartialOrd::ge",
                [a, b],
            ) => {
                let op = match full {
                    "PartialEq::eq" => CmpOp::Eq,
                    "PartialEq::ne" => CmpOp::Ne,
                    "PartialOrd::lt" => CmpOp::Lt,
                    "PartialOrd::le" => CmpOp::Le,
                    "PartialOrd::gt" => CmpOp::Gt,
                    _ => CmpOp::Ge,
                };
                let a = self.referred(*a, span);
                let b = self.referred(*b, span);
                let cond = super::cond::normal(op, a, b);
                Some(self.temp_of(Rvalue::Compare(cond), Ty::Bool, span))
            }
            ("std::mem::replace", [at, new]) => {
                let at = self.value(*at);
                let new = self.value(*new);
                let inner = self.behind_value(at, span);
                let old = dst.unwrap_or_else(|| self.temp(inner.1.clone(), span));
                self.f
                    .assign(old, Rvalue::Use(Operand::Move(inner.0)), span);
                self.f.assign(inner.0, Rvalue::Use(new.op), span);
                let ty = if inner.1 == Ty::Unknown {
                    new.ty
                } else {
                    inner.1
                };
                Some(self.take(old, ty))
            }
            ("std::mem::take", [at]) => {
                let at = self.value(*at);
                let inner = self.behind_value(at, span);
                let old = dst.unwrap_or_else(|| self.temp(inner.1.clone(), span));
                self.f
                    .assign(old, Rvalue::Use(Operand::Move(inner.0)), span);
                if inner.1.is_option() {
                    self.make_bad(None, inner.0, span);
                } else {
                    let zero = Rvalue::Use(Operand::Const(Const::Int(0)));
                    self.f.assign(inner.0, zero, span);
                }
                Some(self.take(old, inner.1))
            }
            _ => {
                if let Some(value) = self.out_of_care(full, function, args, dst, span) {
                    return Some(value);
                }
                let (of, last) = full.rsplit_once("::")?;
                if self.ix.functions.contains_key(full) {
                    return None;
                }
                let raw = matches!(last, "from_raw_handle" | "from_raw_fd" | "from_raw_socket");
                if !raw || args.len() != 1 {
                    return None;
                }
                let of = of.rsplit("::").next().unwrap_or(of);
                let path = crate::rust::types::path_of(&self.src, function);
                let ty = match of {
                    "FromRawHandle" | "FromRawFd" | "FromRawSocket" => Ty::Unknown,
                    _ => {
                        let path = path[..path.len().saturating_sub(1)].to_vec();
                        self.ix
                            .normal(&self.ix.modules.named(&self.scope, &path, Vec::new()))
                    }
                };
                let args = self.arguments(args);
                let callee = Callee::Constructor(Box::new(ty.to_ir()));
                if !full.starts_with("tokio::net::windows::named_pipe::") {
                    return Some(self.emit(callee, args, ty, dst, true, span));
                }
                // It may yield an error, and has taken the handle all the same.
                let owner = self.emit(callee, args, ty.clone(), None, true, span);
                let tag = self.unknown(Vec::new(), Ty::Unknown, span);
                let ty = Ty::io_result(ty);
                let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
                self.retype(out, &ty);
                let parts = vec![(Some(TAG.into()), tag.op), (Some(GOOD.into()), owner.op)];
                self.f.assign(out, Rvalue::Aggregate(parts), span);
                Some(self.take(out, ty))
            }
        }
    }

    /// The value that a reference refers to, which is only looked at.
    fn referred(&mut self, node: Node<'_>, span: Span) -> Operand {
        if kind(node) == K::ReferenceExpression
            && let Some(inner) = field(node, F.value)
        {
            return self.read(inner).op;
        }
        let value = self.value(node);
        let (place, _) = self.behind_value(value, span);
        Operand::Copy(place)
    }

    /// The first type that a call is given: `zeroed::<OVERLAPPED>()`.
    pub(super) fn turbofish(&self, function: Node<'_>) -> Ty {
        let list = field(function, F.type_arguments);
        let first = list.and_then(|list| children(list).into_iter().next());
        first.map_or(Ty::Unknown, |(ty, _)| {
            self.ix
                .normal(&self.ix.modules.ty(&self.src, &self.scope, ty))
        })
    }

    /// The type of `MaybeUninit::<T>::uninit()`.
    pub(super) fn maybe_uninit(&self, function: Node<'_>) -> Ty {
        let of = field(function, F.path).map_or(Ty::Unknown, |path| self.turbofish(path));
        Ty::Named("std::mem::MaybeUninit".into(), vec![of])
    }

    /// What a reference that was given refers to.
    pub(super) fn behind_value(&mut self, value: Value, span: Span) -> (PlaceId, Ty) {
        let held = self.held(value.op, value.ty.clone(), span);
        let place = self.f.places[held].clone().then(Proj::Deref);
        (self.f.places.intern(place), value.ty.pointee())
    }
}

/// The structures of overlapped operations.
fn is_overlapped(path: &str) -> bool {
    let name = path.rsplit("::").next().unwrap_or(path);
    matches!(name, "OVERLAPPED" | "WSAOVERLAPPED")
}

fn is_number(name: &str) -> bool {
    matches!(
        name,
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
    )
}
