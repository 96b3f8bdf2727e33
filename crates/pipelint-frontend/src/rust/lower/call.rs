//! Calls of functions by their path.

use pipelint_ir::{Callee, Const, Name, Operand, PlaceId, Rvalue, Statement, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::library::known_result;
use super::pattern::Named;
use super::{Lowerer, Value};
use crate::rust::SiteKind;
use crate::rust::holders::is_guard_type;
use crate::rust::index::Receiver;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::first;
use crate::rust::ty::{TAG, Ty};
use crate::rust::types::path_of;

impl Lowerer<'_> {
    /// A call; its result is in `dst` where one is given and it yields any.
    pub(super) fn call(&mut self, node: Node<'_>, dst: Option<PlaceId>) -> Value {
        self.call_wanted(node, dst, true)
    }

    /// A call whose result nobody takes.
    pub(super) fn call_dropped(&mut self, node: Node<'_>) -> Value {
        self.call_wanted(node, None, false)
    }

    fn call_wanted(&mut self, node: Node<'_>, dst: Option<PlaceId>, wanted: bool) -> Value {
        let span = self.src.span(node);
        let (Some(function), Some(list)) = (field(node, F.function), field(node, F.arguments))
        else {
            return self.unsupported(node);
        };
        self.site(SiteKind::Call, node);
        let args: Vec<Node<'_>> = self.elements(list);
        if list.has_error() && args.iter().any(|arg| kind(*arg) == K::Error) {
            return self.unsupported(node);
        }
        match kind(function) {
            K::FieldExpression => {
                return self.method(function, Ty::Unknown, &args, dst, wanted, span);
            }
            K::GenericFunction => {
                if let Some(inner) = field(function, F.function)
                    && kind(inner) == K::FieldExpression
                {
                    let written = self.turbofish(function);
                    return self.method(inner, written, &args, dst, wanted, span);
                }
            }
            K::Identifier | K::ScopedIdentifier => {}
            _ => {
                let value = self.read(function);
                let ret = match &value.ty {
                    Ty::Function(ret) => (**ret).clone(),
                    _ => Ty::Unknown,
                };
                let args = self.arguments(&args);
                return self.emit(Callee::Pointer(value.op), args, ret, dst, wanted, span);
            }
        }
        if kind(function) == K::Identifier {
            let name = self.src.name(function);
            if let Some((place, ty)) = self.variable(&name) {
                let (place, ty) = self.auto_deref(place, ty);
                let place = self.f.places.intern(place);
                let ret = match ty {
                    Ty::Function(ret) => *ret,
                    _ => Ty::Unknown,
                };
                let args = self.arguments(&args);
                let callee = Callee::Pointer(Operand::Copy(place));
                return self.emit(callee, args, ret, dst, wanted, span);
            }
        }
        let path = path_of(&self.src, function);
        if let Some(value) = self.constructor(&path, &args, dst, span) {
            return value;
        }
        let full = self.resolve(&path);
        if let Some(value) = self.special(&full, function, &args, dst, span) {
            return value;
        }
        if let Some(value) = self.lock_made(&full, &args, dst, span) {
            return value;
        }
        if let Some(value) = self.wrapped_call(&full, node, &args, dst, wanted) {
            return value;
        }
        self.call_path(&full, &args, dst, wanted, span)
    }

    fn call_path(
        &mut self,
        full: &Name,
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        wanted: bool,
        span: Span,
    ) -> Value {
        let signature = self.ix.functions.get(full).cloned();
        if let Some(signature) = &signature
            && signature.receiver != Receiver::None
            && let Some((object, rest)) = args.split_first()
        {
            // `Type::method(&object)`.
            let (place, ty) = self.place_of(object.to_owned());
            let (place, _) = self.auto_deref(place, ty);
            let receiver = self.f.places.intern(place);
            let class = full.rsplit_once("::").map(|(class, _)| class);
            let name = full.rsplit("::").next().unwrap_or(full);
            let callee = Callee::Method {
                receiver,
                name: Name::new(name),
                ty: class.map(|class| Box::new(Type::named(class))),
            };
            let args = self.arguments_for(rest, &signature.params);
            return self.emit(callee, args, signature.ret.clone(), dst, wanted, span);
        }
        let (params, ret) = match signature {
            Some(signature) => (signature.params, signature.ret),
            None => (Vec::new(), known_result(full)),
        };
        let args = self.arguments_for(args, &params);
        self.emit(Callee::Function(full.clone()), args, ret, dst, wanted, span)
    }

    /// The values of arguments.
    pub(super) fn arguments(&mut self, args: &[Node<'_>]) -> Vec<Operand> {
        args.iter().map(|arg| self.value(*arg).op).collect()
    }

    /// The values of arguments, for parameters of these types.
    pub(super) fn arguments_for(&mut self, args: &[Node<'_>], params: &[Ty]) -> Vec<Operand> {
        let mut values = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            // A reference to a guard is one to what it leads to, unless the guard itself is asked for.
            let guard = matches!(params.get(i), Some(Ty::Ref(of)) if is_guard_type(of));
            let value = match field(*arg, F.value) {
                Some(inner) if guard && kind(*arg) == K::ReferenceExpression => {
                    let (place, ty) = self.place(inner);
                    let span = self.src.span(*arg);
                    self.temp_of(Rvalue::Ref(place), Ty::Ref(Box::new(ty)), span)
                }
                _ => self.value(*arg),
            };
            values.push(value.op);
        }
        values
    }

    /// Adds a call.
    pub(super) fn emit(
        &mut self,
        callee: Callee,
        args: Vec<Operand>,
        ret: Ty,
        dst: Option<PlaceId>,
        wanted: bool,
        span: Span,
    ) -> Value {
        // A result that something happens to when it ends, ends.
        let needed = wanted || self.ix.needs_drop(&ret) && ret != Ty::Unknown;
        let to = match dst {
            Some(dst) => Some(dst),
            None if needed => Some(self.temp(ret.clone(), span)),
            None => None,
        };
        if let Some(to) = to {
            self.retype(to, &ret);
        }
        let call = Statement::Call {
            dst: to,
            callee,
            args,
            voided: false,
        };
        self.f.push(call, span);
        if ret == Ty::Never {
            self.f.terminate(pipelint_ir::Terminator::Unreachable, span);
            return Value {
                op: Operand::Const(Const::Int(0)),
                ty: Ty::Never,
            };
        }
        match to {
            Some(to) => self.take(to, ret),
            None => super::expr::unit(),
        }
    }

    /// `Some(x)`, `Ok(x)`, `Variant(x)`, `Struct(x)`.
    fn constructor(
        &mut self,
        path: &[Name],
        args: &[Node<'_>],
        dst: Option<PlaceId>,
        span: Span,
    ) -> Option<Value> {
        let named = self.named(path);
        if let Named::Constant(_) | Named::Other | Named::Nothing = named {
            return None;
        }
        let full = self.resolve(path);
        if let Named::Variant(..) = named
            && (self.ix.functions.contains_key(&full) || is_associated(&full))
        {
            return None;
        }
        let mut values = Vec::new();
        for arg in args {
            values.push(self.value(*arg));
        }
        let to = |this: &mut Self, ty: Ty| match dst {
            Some(dst) => {
                this.retype(dst, &ty);
                dst
            }
            None => this.temp(ty, span),
        };
        let first = values.first().cloned().unwrap_or_else(super::expr::unit);
        let (place, ty) = match named {
            Named::Good => {
                let some = path.last().is_some_and(|last| last == "Some");
                let ty = if some {
                    Ty::option(first.ty)
                } else {
                    Ty::result(first.ty, Ty::Unknown)
                };
                let place = to(self, ty.clone());
                self.make_good(first.op, place, span);
                (place, ty)
            }
            Named::Bad => {
                let ty = Ty::result(Ty::Unknown, first.ty);
                let place = to(self, ty.clone());
                self.make_bad(Some(first.op), place, span);
                (place, ty)
            }
            Named::Variant(tag, variant, _) => {
                let ty = match self.ix.variant(&full) {
                    Some((of, _)) => Ty::Named(of, Vec::new()),
                    None => Ty::Unknown,
                };
                let inner = self.temp(Ty::Unknown, span);
                self.f.assign(inner, aggregate(values), span);
                let place = to(self, ty.clone());
                let parts = vec![
                    (Some(TAG.into()), tag),
                    (Some(variant), Operand::Copy(inner)),
                ];
                self.f.assign(place, Rvalue::Aggregate(parts), span);
                (place, ty)
            }
            _ => {
                let ty = self.ix.normal(&Ty::Named(full, Vec::new()));
                let place = to(self, ty.clone());
                self.f.assign(place, aggregate(values), span);
                (place, ty)
            }
        };
        Some(self.take(place, ty))
    }

    /// A name as a value: a variable, a constant, a variant, a function.
    pub(super) fn name_value(&mut self, node: Node<'_>, span: Span) -> Value {
        self.name_value_into(node, None, &Ty::Unknown, span)
    }

    pub(super) fn name_value_into(
        &mut self,
        node: Node<'_>,
        dst: Option<PlaceId>,
        hint: &Ty,
        span: Span,
    ) -> Value {
        let path = path_of(&self.src, node);
        if let [one] = path.as_slice()
            && let Some((place, ty)) = self.variable(one)
        {
            let place = self.f.places.intern(place);
            return self.take(place, ty);
        }
        let full = self.resolve(&path);
        if let Some((is_static, ty)) = self.ix.values.get(&full) {
            let ty = self.ix.normal(ty);
            if *is_static {
                let place = pipelint_ir::Place::from_base(pipelint_ir::Base::Global(full));
                let place = self.f.places.intern(place);
                return Value {
                    op: Operand::Copy(place),
                    ty,
                };
            }
            let last = Name::new(full.rsplit("::").next().unwrap_or(&full));
            return Value {
                op: Operand::Const(Const::Named(last)),
                ty,
            };
        }
        match self.named(&path) {
            Named::Nothing => {
                let ty = if hint.is_option() {
                    hint.clone()
                } else {
                    Ty::option(Ty::Unknown)
                };
                let place = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
                self.make_bad(None, place, span);
                self.take(place, ty)
            }
            Named::Variant(tag, ..) => {
                let ty = match self.ix.variant(&full) {
                    Some((of, _)) => Ty::Named(of, Vec::new()),
                    None => Ty::Unknown,
                };
                let place = dst.unwrap_or_else(|| self.temp(ty.clone(), span));
                let parts = vec![(Some(TAG.into()), tag)];
                self.f.assign(place, Rvalue::Aggregate(parts), span);
                Value {
                    op: Operand::Copy(place),
                    ty,
                }
            }
            Named::Constant(name) => {
                let ty = match name.as_str() {
                    "INVALID_HANDLE_VALUE" => Ty::named("HANDLE"),
                    _ => Ty::Unknown,
                };
                Value {
                    op: Operand::Const(Const::Named(name)),
                    ty,
                }
            }
            Named::Struct => Value {
                op: Operand::Const(Const::Int(0)),
                ty: Ty::named(full),
            },
            _ => Value {
                op: Operand::Const(Const::Function(full.clone())),
                ty: Ty::Function(Box::new(
                    self.ix
                        .functions
                        .get(&full)
                        .map_or(Ty::Unknown, |s| s.ret.clone()),
                )),
            },
        }
    }
}

fn aggregate(values: Vec<Value>) -> Rvalue {
    let named = |(i, value): (usize, Value)| (Some(Name::new(i.to_string())), value.op);
    Rvalue::Aggregate(values.into_iter().enumerate().map(named).collect())
}

/// `Type::CreateEventW` is no variant, but a function that only looks like one.
fn is_associated(full: &str) -> bool {
    full.starts_with("windows::")
}

/// The argument that a closure is, if it is one.
pub(super) fn as_closure<'t>(arg: Node<'t>) -> Option<Node<'t>> {
    match kind(arg) {
        K::ClosureExpression => Some(arg),
        K::ParenthesizedExpression => first(arg).and_then(as_closure),
        _ => None,
    }
}
