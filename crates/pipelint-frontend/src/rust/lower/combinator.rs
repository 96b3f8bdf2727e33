//! Methods of `Option` and `Result`: those that run a closure at once, and those that ask.

use pipelint_ir::{Callee, CmpOp, Const, Name, Operand, PlaceId, Rvalue, Terminator};
use pipelint_source::Span;
use tree_sitter::Node;

use super::call::as_closure;
use super::locks::held_by;
use super::{Lowerer, Value};
use crate::rust::holders::led_to;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::ty::{BAD, GOOD, TAG, Ty};

/// Says that the failure in this `Result` of a call is known to nobody from here on.
const PASSED_OVER: &str = "Result::{passed over}";

/// What a method of `Option` and `Result` does with a closure or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The good payload goes through the closure, which yields a payload: `map`.
    Map,
    /// It yields an outcome: `and_then`.
    AndThen,
    /// The bad payload goes through the closure, which yields a payload: `map_err`.
    MapErr,
    /// It yields an outcome: `or_else`.
    OrElse,
    /// It yields what is used instead: `unwrap_or_else`.
    UnwrapOrElse,
    /// The argument is used instead: `unwrap_or`.
    UnwrapOr,
    /// The argument becomes the bad payload: `ok_or`.
    OkOr,
    /// The closure makes the bad payload: `ok_or_else`.
    OkOrElse,
    /// `map_or_else(bad, good)`.
    MapOrElse,
    /// `map_or(value, good)`.
    MapOr,
    /// `is_some_and`, `is_ok_and`: the closure decides where it is good.
    IsAnd,
    /// `inspect_err`: the bad payload is looked at.
    Inspect,
}

impl Lowerer<'_> {
    /// Methods that only `Option` and `Result` have, or that this object has for being one.
    pub(super) fn outcome_method(
        &mut self,
        object: Node<'_>,
        name: &str,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let (step, sure) = match (name, args.len()) {
            ("map", 1) => (Step::Map, false),
            ("and_then", 1) => (Step::AndThen, false),
            ("map_err", 1) => (Step::MapErr, true),
            ("or_else", 1) => (Step::OrElse, true),
            ("unwrap_or_else", 1) => (Step::UnwrapOrElse, true),
            ("unwrap_or", 1) => (Step::UnwrapOr, true),
            ("ok_or", 1) => (Step::OkOr, true),
            ("ok_or_else", 1) => (Step::OkOrElse, true),
            ("map_or_else", 2) => (Step::MapOrElse, true),
            ("map_or", 2) => (Step::MapOr, true),
            ("is_some_and" | "is_ok_and", 1) => (Step::IsAnd, true),
            ("inspect_err", 1) => (Step::Inspect, true),
            (
                "unwrap" | "expect" | "ok" | "err" | "as_ref" | "as_mut" | "as_deref"
                | "as_deref_mut" | "take" | "replace" | "insert" | "unwrap_err" | "cloned"
                | "copied" | "is_some" | "is_none" | "is_ok" | "is_err" | "unwrap_or_default"
                | "unwrap_unchecked",
                _,
            ) => {
                return self.outcome_question(object, name, args, dst, span);
            }
            _ => return None,
        };
        // An iterator has `map` too: only what is known to be an outcome is taken for one.
        if !sure && !self.is_outcome_expression(object) {
            return None;
        }
        let value = self.outcome_of(object, span);
        let ty = value.ty.clone();
        let of = self.held(value.op, ty.clone(), span);
        let closure_of = |arg: Node<'_>| as_closure(arg).is_some();
        let out = dst.unwrap_or_else(|| self.temp(Ty::Unknown, span));
        let bad = self.when_good(of, span);
        let join = self.f.new_block();
        let good = (self.part(of, GOOD), ty.good());
        let failed = (self.part(of, BAD), ty.bad());
        let some = ty.is_option();
        let mut result = Ty::Unknown;
        // Where it is good.
        match step {
            Step::Map => {
                let made = self.applied(args[0], Some(good), span);
                result = if some {
                    Ty::option(made.ty.clone())
                } else {
                    Ty::result(made.ty.clone(), failed.1.clone())
                };
                self.make_good(made.op, out, span);
            }
            Step::AndThen => {
                let made = self.applied(args[0], Some(good), span);
                result = made.ty.clone();
                self.settle(made, out, span);
            }
            Step::MapErr | Step::OrElse | Step::Inspect => {
                let payload = self.take(good.0, good.1.clone());
                self.make_good(payload.op, out, span);
            }
            Step::UnwrapOrElse | Step::UnwrapOr => {
                let payload = self.take(good.0, good.1.clone());
                result = good.1.clone();
                self.settle(payload, out, span);
            }
            Step::OkOr | Step::OkOrElse => {
                let payload = self.take(good.0, good.1.clone());
                self.make_good(payload.op, out, span);
            }
            Step::MapOrElse | Step::MapOr => {
                let made = self.applied(args[1], Some(good.clone()), span);
                result = made.ty.clone();
                self.settle(made, out, span);
            }
            Step::IsAnd => {
                let made = self.applied(args[0], Some(good.clone()), span);
                self.settle(made, out, span);
                result = Ty::Bool;
            }
        }
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        // Where it is bad.
        self.f.switch_to(bad);
        match step {
            Step::Map | Step::AndThen => {
                let payload = (!some).then_some(Operand::Move(failed.0));
                self.make_bad(payload, out, span);
            }
            Step::MapErr => {
                let made = self.applied(args[0], Some(failed.clone()), span);
                result = Ty::result(ty.good(), made.ty.clone());
                self.make_bad(Some(made.op), out, span);
            }
            Step::OrElse => {
                let argument = (!some).then(|| failed.clone());
                let made = self.applied(args[0], argument, span);
                result = if made.ty == Ty::Unknown {
                    ty.clone()
                } else {
                    made.ty.clone()
                };
                self.settle(made, out, span);
            }
            Step::UnwrapOrElse => {
                let argument = (!some).then(|| failed.clone());
                let made = self.applied(args[0], argument, span);
                result = result.or(&made.ty);
                self.settle(made, out, span);
            }
            Step::UnwrapOr => {
                let made = self.value(args[0]);
                result = result.or(&made.ty);
                self.settle(made, out, span);
            }
            Step::OkOr => {
                let made = self.value(args[0]);
                result = Ty::result(ty.good(), made.ty.clone());
                self.make_bad(Some(made.op), out, span);
            }
            Step::OkOrElse => {
                let made = self.applied(args[0], None, span);
                result = Ty::result(ty.good(), made.ty.clone());
                self.make_bad(Some(made.op), out, span);
            }
            Step::MapOrElse => {
                let argument = (!some && closure_of(args[0])).then(|| failed.clone());
                let made = self.applied(args[0], argument, span);
                result = result.or(&made.ty);
                self.settle(made, out, span);
            }
            Step::MapOr => {
                let made = self.value(args[0]);
                result = result.or(&made.ty);
                self.settle(made, out, span);
            }
            Step::IsAnd => self.set_truth(out, false, span),
            Step::Inspect => {
                self.applied_to_reference(args[0], failed.clone(), span);
                result = ty.clone();
                self.make_bad(Some(Operand::Move(failed.0)), out, span);
            }
        }
        let cur = self.f.current();
        self.f.end(cur, Terminator::Goto(join), span);
        self.f.switch_to(join);
        self.retype(out, &result);
        Some(self.take(out, result))
    }

    /// The error of a call is dropped by `.ok()`, and what is left of it is given on unasked.
    fn pass_over(&mut self, object: Node<'_>, of: PlaceId, span: Span) {
        let asks = object.parent().and_then(|field| field.parent());
        if kind(object) != K::CallExpression || !asks.is_some_and(|ok| self.is_passed_over(ok)) {
            return;
        }
        let callee = Callee::Function(Name::new_static(PASSED_OVER));
        self.emit(
            callee,
            vec![Operand::Copy(of)],
            Ty::Unknown,
            None,
            false,
            span,
        );
    }

    /// What a closure or function yields for a payload.
    fn applied(
        &mut self,
        function: Node<'_>,
        argument: Option<(PlaceId, Ty)>,
        span: Span,
    ) -> Value {
        if let Some(closure) = as_closure(function) {
            let out = self.temp(Ty::Unknown, span);
            let ty = self.run_inline(closure, argument, out);
            return self.take(out, ty);
        }
        let callee = self.read(function);
        if let (Operand::Const(Const::Function(name)), Some((place, ty))) = (&callee.op, &argument)
            && name == "std::sync::PoisonError::into_inner"
        {
            let poisoned = self.take(*place, ty.clone());
            return held_by(poisoned);
        }
        let ret = match &callee.ty {
            Ty::Function(ret) => (**ret).clone(),
            _ => Ty::Unknown,
        };
        let args: Vec<Operand> = argument
            .map(|(place, ty)| self.take(place, ty).op)
            .into_iter()
            .collect();
        match callee.op {
            Operand::Const(Const::Function(name)) => match name.as_str() {
                "std::ptr::null" | "std::ptr::null_mut" => Value {
                    op: Operand::Const(Const::Null),
                    ty: Ty::Ptr(Box::default()),
                },
                "Some" | "Ok" => {
                    let out = self.temp(Ty::Unknown, span);
                    let payload = args.into_iter().next();
                    let payload = payload.unwrap_or(Operand::Const(Const::Int(0)));
                    self.make_good(payload, out, span);
                    Value {
                        op: Operand::Move(out),
                        ty: Ty::Unknown,
                    }
                }
                _ => self.emit(Callee::Function(name), args, ret, None, true, span),
            },
            op => self.emit(Callee::Pointer(op), args, ret, None, true, span),
        }
    }

    fn applied_to_reference(
        &mut self,
        function: Node<'_>,
        (place, ty): (PlaceId, Ty),
        span: Span,
    ) -> Value {
        let ty = Ty::Ref(Box::new(ty));
        let at = self.temp(ty.clone(), span);
        self.f.assign(at, Rvalue::Ref(place), span);
        self.applied(function, Some((at, ty)), span)
    }

    /// Whether an expression is surely an `Option` or `Result`.
    fn is_outcome_expression(&self, node: Node<'_>) -> bool {
        match kind(node) {
            K::ParenthesizedExpression => crate::rust::source::first(node)
                .is_some_and(|inner| self.is_outcome_expression(inner)),
            K::Identifier => {
                let name = self.src.name(node);
                let own = self.f.lookup(&name).map(|id| self.ty_of(id));
                let ty = own.or_else(|| {
                    let outer = self.outer.iter().rev();
                    outer
                        .filter_map(|o| Some(o.body.tys.get(&o.frame.lookup(&name)?)?.clone()))
                        .next()
                });
                ty.is_some_and(|ty| ty.referent().is_outcome())
            }
            K::FieldExpression => {
                let (Some(object), Some(member)) = (field(node, F.value), field(node, F.field))
                else {
                    return false;
                };
                let ty = self.guess(object);
                self.ix.field_ty(&ty, &self.src.name(member)).is_outcome()
            }
            K::MacroInvocation => self.is_outcome_macro(node),
            K::CallExpression => {
                let Some(function) = field(node, F.function) else {
                    return false;
                };
                match kind(function) {
                    K::FieldExpression => {
                        let (Some(object), Some(member)) =
                            (field(function, F.value), field(function, F.field))
                        else {
                            return false;
                        };
                        let name = self.src.text(member);
                        if matches!(
                            name,
                            "map_err"
                                | "ok_or"
                                | "ok_or_else"
                                | "or_else"
                                | "checked_add"
                                | "checked_sub"
                                | "ok"
                                | "raw_os_error"
                                | "to_str"
                                | "parent"
                                | "file_name"
                                | "checked_mul"
                                | "inspect_err"
                        ) {
                            return true;
                        }
                        if matches!(
                            name,
                            "map"
                                | "and_then"
                                | "as_ref"
                                | "as_mut"
                                | "take"
                                | "cloned"
                                | "copied"
                                | "filter"
                                | "as_deref"
                        ) {
                            return self.is_outcome_expression(object);
                        }
                        let ty = self.guess(object);
                        ty.path().is_some_and(|path| {
                            let full = Name::new(format!("{path}::{name}"));
                            let known = self.ix.functions.get(&full);
                            known.is_some_and(|s| s.ret.is_outcome())
                        })
                    }
                    K::Identifier | K::ScopedIdentifier => {
                        let path = crate::rust::types::path_of(&self.src, function);
                        let full = self.resolve(&path);
                        matches!(full.as_str(), "Some" | "Ok" | "Err")
                            || self
                                .ix
                                .functions
                                .get(&full)
                                .is_some_and(|s| s.ret.is_outcome())
                            || full.starts_with("windows::")
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// The type of a variable, field or `self`, without lowering anything.
    pub(super) fn guess(&self, node: Node<'_>) -> Ty {
        match kind(node) {
            K::SelfKeyword => self.ix.normal(&self.scope.self_ty),
            K::Identifier => {
                let name = self.src.name(node);
                let own = self.f.lookup(&name).map(|id| self.ty_of(id));
                own.unwrap_or_default()
            }
            K::FieldExpression => match (field(node, F.value), field(node, F.field)) {
                (Some(object), Some(member)) => {
                    let ty = self.guess(object);
                    self.ix.field_ty(&ty, &self.src.name(member))
                }
                _ => Ty::Unknown,
            },
            _ => Ty::Unknown,
        }
    }

    /// What a method of outcomes is called on: through a guard, a copy of what that leads to.
    fn outcome_of(&mut self, object: Node<'_>, span: Span) -> Value {
        let (place, ty) = match kind(object) {
            K::Identifier | K::FieldExpression if led_to(&self.guess(object)).is_some() => {
                self.place_of(object)
            }
            K::CallExpression => {
                let value = self.value(object);
                if led_to(&value.ty).is_none() {
                    return value;
                }
                self.placed(value, span)
            }
            _ => return self.value(object),
        };
        let (place, ty) = self.auto_deref(place, ty);
        let behind = self.f.places.intern(place);
        self.temp_of(Rvalue::Use(Operand::Copy(behind)), ty, span)
    }

    /// Methods of outcomes that run no closure.
    fn outcome_question(
        &mut self,
        object: Node<'_>,
        name: &str,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let sure = matches!(
            name,
            "unwrap"
                | "expect"
                | "ok"
                | "err"
                | "unwrap_err"
                | "is_some"
                | "is_none"
                | "is_ok"
                | "is_err"
                | "unwrap_or_default"
                | "unwrap_unchecked"
        );
        // `vm.is_none(value)` is somebody else's.
        let given = usize::from(name == "expect");
        if args.len() != given || !sure && !self.is_outcome_expression(object) {
            return None;
        }
        match name {
            "unwrap" | "expect" | "unwrap_unchecked" => {
                let value = self.outcome_of(object, span);
                let of = self.held(value.op, value.ty.clone(), span);
                for arg in args {
                    self.read(*arg);
                }
                self.unwrap_or_panic(of, span);
                let good = self.part(of, GOOD);
                Some(self.take(good, value.ty.good()))
            }
            "is_some" | "is_ok" | "is_none" | "is_err" => {
                let (place, ty) = self.place_of(object);
                let (place, _) = self.auto_deref(place, ty);
                let of = self.f.places.intern(place);
                let mut cond = self.is_bad(of);
                if matches!(name, "is_some" | "is_ok") {
                    cond.op = CmpOp::Ne;
                }
                Some(self.temp_of(Rvalue::Compare(cond), Ty::Bool, span))
            }
            "as_ref" | "as_mut" | "as_deref" | "as_deref_mut" => {
                let (place, ty) = self.place_of(object);
                let (place, ty) = self.auto_deref(place, ty);
                let of = self.f.places.intern(place);
                let inner = ty.good();
                let good = self.part(of, GOOD);
                let at = self.temp(Ty::Ref(Box::new(inner.clone())), span);
                let tag = self.tag(of);
                self.f.assign(at, Rvalue::Ref(good), span);
                let mut parts = vec![
                    (Some(TAG.into()), Operand::Copy(tag)),
                    (Some(GOOD.into()), Operand::Copy(at)),
                ];
                let out_ty = if ty.is_result() {
                    let error = Ty::Ref(Box::new(ty.bad()));
                    let bad = self.part(of, BAD);
                    let at = self.temp(error.clone(), span);
                    self.f.assign(at, Rvalue::Ref(bad), span);
                    parts.push((Some(BAD.into()), Operand::Copy(at)));
                    Ty::result(Ty::Ref(Box::new(inner)), error)
                } else {
                    Ty::option(Ty::Ref(Box::new(inner)))
                };
                let out = dst.unwrap_or_else(|| self.temp(out_ty.clone(), span));
                self.retype(out, &out_ty);
                self.f.assign(out, Rvalue::Aggregate(parts), span);
                Some(Value {
                    op: Operand::Copy(out),
                    ty: out_ty,
                })
            }
            "take" if args.is_empty() => {
                let (place, ty) = self.place_of(object);
                let (place, ty) = self.auto_deref(place, ty);
                let of = self.f.places.intern(place);
                let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
                self.retype(out, &ty);
                self.f.assign(out, Rvalue::Use(Operand::Move(of)), span);
                self.make_bad(None, of, span);
                Some(self.take(out, ty))
            }
            "ok" | "err" if args.is_empty() => {
                let value = self.outcome_of(object, span);
                let of = self.held(value.op, value.ty.clone(), span);
                let payload = if name == "ok" {
                    value.ty.good()
                } else {
                    value.ty.bad()
                };
                let ty = Ty::option(payload);
                let out = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
                self.retype(out, &ty);
                let bad = self.when_good(of, span);
                let join = self.f.new_block();
                let good = self.part(of, GOOD);
                let failed = self.part(of, BAD);
                if name == "ok" {
                    self.make_good(Operand::Move(good), out, span);
                } else {
                    self.make_bad(None, out, span);
                }
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(join), span);
                self.f.switch_to(bad);
                if name == "ok" {
                    self.pass_over(object, of, span);
                    self.make_bad(None, out, span);
                } else {
                    self.make_good(Operand::Move(failed), out, span);
                }
                let cur = self.f.current();
                self.f.end(cur, Terminator::Goto(join), span);
                self.f.switch_to(join);
                Some(self.take(out, ty))
            }
            _ => None,
        }
    }
}
