//! Locks and cells: what they hold is a part of them, and a guard is its address.

use pipelint_ir::{Callee, Name, Operand, PlaceId, Proj, Rvalue};
use pipelint_source::Span;
use tree_sitter::Node;

use super::{Lowerer, Value};
use crate::rust::holders::{Lent, is_guard_type, is_lock, led_to, lent};
use crate::rust::ty::{BAD, GOOD, KEPT, Ty};

/// The error of a lock that a thread held when it panicked; it holds the guard all the same
/// (<https://doc.rust-lang.org/std/sync/struct.PoisonError.html>).
const POISONED: &str = "std::sync::PoisonError";

impl Lowerer<'_> {
    /// `Mutex::new(x)`; none for any other call.
    pub(super) fn lock_made(
        &mut self,
        full: &str,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        if full == "std::sync::PoisonError::into_inner"
            && let [arg] = args
        {
            let poisoned = self.value(*arg);
            return Some(held_by(poisoned));
        }
        let of = full.strip_suffix("::new")?;
        let [arg] = args else { return None };
        if !is_lock(of) {
            return None;
        }
        Some(self.holder(of, *arg, dst, span))
    }

    /// A value of a type that holds another one, as a part of it.
    pub(super) fn holder(
        &mut self,
        of: &str,
        arg: Node<'_>,
        dst: Option<PlaceId>,
        span: Span,
    ) -> Value {
        let value = self.value(arg);
        let ty = Ty::named_of(of, value.ty);
        let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
        self.retype(out, &ty);
        let parts = vec![(Some(Name::new_static(KEPT)), value.op)];
        self.f.assign(out, Rvalue::Aggregate(parts), span);
        self.take(out, ty)
    }

    /// A method of a lock that lends what it holds, of a condition variable, or of the error of a lock;
    /// none for any other.
    pub(super) fn lock_method(
        &mut self,
        receiver: PlaceId,
        ty: &Ty,
        name: &Name,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let Ty::Named(of, held) = ty else { return None };
        if of == "std::sync::Condvar" && name.starts_with("wait") {
            return self.waits(receiver, ty, name, args, dst, span);
        }
        if of == POISONED && matches!(name.as_str(), "into_inner" | "get_mut" | "get_ref") {
            let op = Operand::Copy(receiver);
            return Some(held_by(Value { op, ty: ty.clone() }));
        }
        let how = lent(of, name)?;
        let inner = held.first().cloned().unwrap_or_default();
        let guard = |name: &'static str| Ty::named_of(name, inner.clone());
        let reference = || Ty::Ref(Box::new(inner.clone()));
        let of = Some(Box::new(ty.to_ir()));
        let (ty, lends) = match how {
            Lent::Guard(name) => (guard(name), None),
            Lent::Poisoned(name) => (poisonable(guard(name)), Some(true)),
            Lent::Tried(name) => (Ty::result(guard(name), Ty::Unknown), Some(false)),
            Lent::Perhaps(name) => (Ty::option(guard(name)), Some(false)),
            Lent::Reference => (reference(), None),
            Lent::PoisonedReference => (poisonable(reference()), Some(true)),
        };
        let part = self.f.places[receiver].clone();
        let part = self.f.places.intern(part.then(Proj::Field(KEPT.into())));
        let callee = Callee::Method {
            receiver,
            name: name.clone(),
            ty: of,
        };
        let args = self.arguments(args);
        let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
        self.emit(callee, args, ty.clone(), Some(out), true, span);
        let mut put = |place: PlaceId| self.f.assign(place, Rvalue::Ref(part), span);
        match lends {
            None => put(out),
            Some(poisoned) => {
                let good = self.part(out, GOOD);
                self.f.assign(good, Rvalue::Ref(part), span);
                if poisoned {
                    let bad = self.part(out, BAD);
                    self.f.assign(bad, Rvalue::Ref(part), span);
                }
            }
        }
        Some(self.take(out, ty))
    }

    /// `condvar.wait(guard)` gives the guard back.
    fn waits(
        &mut self,
        receiver: PlaceId,
        ty: &Ty,
        name: &Name,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let (guard, rest) = args.split_first()?;
        let guard = self.value(*guard);
        let given = self.held(guard.op, guard.ty.clone(), span);
        let timed = name.contains("timeout");
        let back = match timed {
            true => Ty::Tuple(vec![guard.ty.clone(), Ty::Unknown]),
            false => guard.ty.clone(),
        };
        let yields = poisonable(back);
        let callee = Callee::Method {
            receiver,
            name: name.clone(),
            ty: Some(Box::new(ty.to_ir())),
        };
        let mut given_on = vec![Operand::Copy(given)];
        given_on.extend(self.arguments(rest));
        let out = dst.unwrap_or_else(|| self.temp(yields.clone(), span));
        self.emit(callee, given_on, yields.clone(), Some(out), true, span);
        for part in [GOOD, BAD] {
            let mut back = self.part(out, part);
            if timed {
                back = self.part(back, GOOD);
            }
            self.f.assign(back, Rvalue::Use(Operand::Copy(given)), span);
        }
        Some(self.take(out, yields))
    }

    /// `&mut guard` where what the guard leads to is wanted: the address that the guard is.
    pub(super) fn reborrowed(&mut self, guard: PlaceId, ty: &Ty) -> Option<Value> {
        if !is_guard_type(ty) {
            return None;
        }
        let behind = led_to(ty)?.clone();
        Some(Value {
            op: Operand::Copy(guard),
            ty: Ty::Ref(Box::new(behind)),
        })
    }
}

/// `LockResult<T>`.
fn poisonable(of: Ty) -> Ty {
    Ty::result(of.clone(), Ty::named_of(POISONED, of))
}

/// What the error of a lock holds stands where the error does.
pub(super) fn held_by(poisoned: Value) -> Value {
    let ty = match poisoned.ty.referent() {
        Ty::Named(name, args) if name == POISONED => args.first().cloned().unwrap_or_default(),
        _ => Ty::Unknown,
    };
    Value {
        op: poisoned.op,
        ty,
    }
}
