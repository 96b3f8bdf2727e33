//! Calls, and what looks like one: conversions, constructions, checking macros.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, Language, Name, Operand, PlaceId, Proj, Rvalue, Statement, Type,
};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::known;
use crate::cpp::tree::last_segment;

/// What a call expression really is.
pub(super) enum CallKind<'t> {
    /// A call.
    Plain,
    /// A conversion.
    Cast(Type, Node<'t>),
    /// A conversion that can yield null, or whose value is not the operand's.
    Dynamic(Node<'t>),
    /// An assertion that vanishes from release builds, and what it says.
    Asserted(Node<'t>),
    /// `T()` of a scalar: zero.
    Zero,
    /// An object is made.
    Construct(Type),
    /// A macro that is its argument: `TEXT("x")`, `LIKELY(x)`.
    Same(Node<'t>),
    /// A test of an HRESULT or NTSTATUS against zero.
    Status(CmpOp, Node<'t>),
    /// `va_arg` and the like: a value nothing is known of.
    Opaque,
}

/// A condition that compares and calls nothing: where an assertion vanishes, it is no test. A call
/// inside is left standing, as what it does may be meant.
fn is_mere_test(node: Node<'_>) -> bool {
    if kind(node) != K::BinaryExpression {
        return false;
    }
    let mut cursor = node.walk();
    loop {
        if kind(cursor.node()) == K::CallExpression {
            return false;
        }
        if cursor.goto_first_child() || cursor.goto_next_sibling() {
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return true;
            }
            if cursor.goto_next_sibling() {
                break;
            }
        }
    }
}

impl<'t> Lowerer<'_, 't> {
    /// Tells calls from what looks like one.
    pub(super) fn call_kind(&self, node: Node<'t>) -> CallKind<'t> {
        let Some(callee) = field(node, F.function) else {
            return CallKind::Plain;
        };
        let source = &self.items.source;
        let written = callee;
        let callee = source.bare(callee);
        let args = field(node, F.arguments);
        let one = || {
            let args = args?;
            if args.named_child_count() == 0 {
                return None;
            }
            match source.children(args).as_slice() {
                [one] => Some(*one),
                _ => None,
            }
        };
        let none = || args.is_some_and(|args| args.named_child_count() == 0);
        match kind(callee) {
            K::PrimitiveType | K::SizedType => {
                let ty = source.named_type(callee);
                match one() {
                    Some(arg) => CallKind::Cast(ty, arg),
                    None if none() => CallKind::Zero,
                    None => CallKind::Plain,
                }
            }
            K::TemplateFunction => self.template_call_kind(node, callee, one()),
            K::Identifier => {
                let text = source.text(callee);
                if self.is_variable(text) {
                    return CallKind::Plain;
                }
                if let Some(ty) = self.parenthesised_type(written, "(")
                    && let Some(arg) = one()
                {
                    return CallKind::Cast(ty, arg);
                }
                if let Some(op) = known::status_test(text) {
                    return one().map_or(CallKind::Plain, |n| CallKind::Status(op, n));
                }
                if known::vanishes(text)
                    && let Some(arg) = args.and_then(|args| source.first(args))
                    && is_mere_test(arg)
                {
                    return CallKind::Asserted(arg);
                }
                if known::is_its_argument(text) {
                    return one().map_or(CallKind::Plain, CallKind::Same);
                }
                if text == "__builtin_expect" {
                    let first = args.and_then(|args| source.first(args));
                    return first.map_or(CallKind::Plain, CallKind::Same);
                }
                self.named_call_kind(text, callee, one(), none())
            }
            K::QualifiedIdentifier => {
                let name = source.qualified(callee);
                self.named_call_kind(&name, callee, one(), none())
            }
            K::Decltype => one().map_or(CallKind::Opaque, CallKind::Dynamic),
            _ => CallKind::Plain,
        }
    }

    fn named_call_kind(
        &self,
        name: &str,
        callee: Node<'t>,
        one: Option<Node<'t>>,
        none: bool,
    ) -> CallKind<'t> {
        let known = &self.items.known;
        if known.converts(name) {
            if let Some(arg) = one {
                return CallKind::Cast(Type::named(name), arg);
            }
            if none {
                return CallKind::Zero;
            }
        }
        if known.constructs(name) {
            let args = self.items.source.template_args(callee);
            return CallKind::Construct(Type {
                name: Name::new(name),
                args,
                ..Type::default()
            });
        }
        CallKind::Plain
    }

    fn template_call_kind(
        &self,
        node: Node<'t>,
        callee: Node<'t>,
        one: Option<Node<'t>>,
    ) -> CallKind<'t> {
        let source = &self.items.source;
        let Some(name) = field(callee, F.name) else {
            return CallKind::Plain;
        };
        let target = || {
            let list = field(callee, F.arguments)?;
            source.first(list).map(|ty| source.descriptor(ty))
        };
        match source.text(name) {
            "static_cast" | "reinterpret_cast" | "const_cast" => match (target(), one) {
                (Some(ty), Some(arg)) => CallKind::Cast(ty, arg),
                _ => CallKind::Plain,
            },
            "dynamic_cast" => one.map_or(CallKind::Plain, CallKind::Dynamic),
            text => {
                let none = field(node, F.arguments).is_some_and(|a| a.named_child_count() == 0);
                self.named_call_kind(text, callee, one, none)
            }
        }
    }

    /// Lowers a call. `dst` receives its result; without it the result is dropped where it stands.
    pub(super) fn call(&mut self, node: Node<'t>, dst: Option<PlaceId>, voided: bool) {
        let span = self.items.source.span(node);
        let (Some(callee), args) = (field(node, F.function), field(node, F.arguments)) else {
            self.opaque(node, pipelint_ir::GapReason::Syntax);
            return;
        };
        if self.cut_comparison(callee) {
            let value = self.unsupported(node);
            if let Some(dst) = dst {
                self.f.assign(dst, Rvalue::Use(value), span);
            }
            return;
        }
        let callee = self.callee(callee, args);
        let args = args.map(|args| self.arguments(args)).unwrap_or_default();
        self.f.push(
            Statement::Call {
                dst,
                callee,
                args,
                voided,
            },
            span,
        );
    }

    fn callee(&mut self, node: Node<'t>, args: Option<Node<'t>>) -> Callee {
        let node = self.items.source.bare(node);
        match kind(node) {
            K::Identifier | K::PrimitiveType | K::TypeIdentifier => {
                let name = self.items.source.name(node);
                if self.is_variable(&name) {
                    let (place, _) = self.resolve(&name);
                    return Callee::Pointer(Operand::Copy(self.f.places.intern(place)));
                }
                Callee::Function(name)
            }
            K::QualifiedIdentifier | K::TemplateFunction | K::OperatorName => {
                Callee::Function(self.items.source.qualified(node))
            }
            K::FieldExpression => self.method_callee(node, args),
            K::PointerExpression if self.is_deref(node) => {
                // `(*fp)(…)` calls what `fp(…)` calls.
                match field(node, F.argument) {
                    Some(inner) if self.is_pointer_to_function(inner) => self.callee(inner, args),
                    Some(inner) => Callee::Pointer(self.operand(inner)),
                    None => Callee::Pointer(self.operand(node)),
                }
            }
            _ => Callee::Pointer(self.operand(node)),
        }
    }

    fn is_pointer_to_function(&self, node: Node<'t>) -> bool {
        let node = self.items.source.bare(node);
        matches!(kind(node), K::Identifier | K::FieldExpression)
    }

    fn method_callee(&mut self, node: Node<'t>, _args: Option<Node<'t>>) -> Callee {
        let (Some(object), Some(member)) = (field(node, F.argument), field(node, F.field)) else {
            return Callee::Pointer(self.operand(node));
        };
        let operator = field(node, F.operator).map_or(".", |token| token.kind());
        if self.items.known.language == Language::C || matches!(operator, ".*" | "->*") {
            return Callee::Pointer(self.operand(node));
        }
        let (place, ty) = match operator {
            "->" => self.pointee(object),
            _ => self.place_and_type(object),
        };
        let name = self.items.source.qualified(member);
        let receiver = self.f.places.intern(place);
        Callee::Method {
            receiver,
            name,
            ty: ty.map(Box::new),
        }
    }

    /// The operands of an argument list.
    pub(super) fn arguments(&mut self, list: Node<'t>) -> Vec<Operand> {
        let nodes = self.items.source.children(list);
        nodes.into_iter().map(|node| self.argument(node)).collect()
    }

    fn argument(&mut self, node: Node<'t>) -> Operand {
        match self.moved(node) {
            Some(operand) => operand,
            None => self.operand(node),
        }
    }

    /// `std::move(x)` where it is only a way to say that `x` is moved from.
    fn moved(&mut self, node: Node<'t>) -> Option<Operand> {
        let node = self.items.source.bare(node);
        if kind(node) != K::CallExpression {
            return None;
        }
        let callee = field(node, F.function)?;
        if kind(callee) != K::QualifiedIdentifier
            || self.items.source.qualified(callee) != "std::move"
        {
            return None;
        }
        let args = field(node, F.arguments)?;
        let [one] = *self.items.source.children(args).as_slice() else {
            return None;
        };
        let span = self.items.source.span(node);
        let temp = self.f.temp(Type::default(), span);
        self.move_call(one, temp, span);
        Some(Operand::Copy(temp))
    }

    /// `std::move(x)`: a call whose argument is moved from.
    pub(super) fn move_call(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let arg = match self.operand(node) {
            Operand::Copy(place) => Operand::Move(place),
            other => other,
        };
        let callee = Callee::Function(Name::new_static("std::move"));
        let call = Statement::Call {
            dst: Some(dst),
            callee,
            args: vec![arg],
            voided: false,
        };
        self.f.push(call, span);
    }

    /// The argument of `std::move(x)`.
    pub(super) fn move_argument(&self, node: Node<'t>) -> Option<Node<'t>> {
        let callee = field(node, F.function)?;
        if kind(callee) != K::QualifiedIdentifier
            || self.items.source.qualified(callee) != "std::move"
        {
            return None;
        }
        let args = field(node, F.arguments)?;
        match self.items.source.children(args).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Runs a constructor on `dst`.
    pub(super) fn construct(&mut self, dst: PlaceId, ty: Type, args: Vec<Operand>, span: Span) {
        let callee = Callee::Constructor(Box::new(ty));
        self.f.push(
            Statement::Call {
                dst: Some(dst),
                callee,
                args,
                voided: false,
            },
            span,
        );
    }

    /// A temporary of class type; it ends with the full expression.
    pub(super) fn temporary(&mut self, ty: &Type, span: Span) -> PlaceId {
        let temp = self.f.temp(ty.clone(), span);
        if self.items.known.drops(ty) {
            self.f.temps.push(temp);
        }
        temp
    }

    /// `new T(…)`.
    pub(super) fn new_object(&mut self, node: Node<'t>, dst: PlaceId) {
        let span = self.items.source.span(node);
        let mut ty = field(node, F.ty)
            .map(|ty| self.items.source.named_type(ty))
            .unwrap_or_default();
        if let Some(placement) = field(node, F.placement) {
            for arg in self.items.source.children(placement) {
                self.effect(arg);
            }
        }
        let mut declarator = field(node, F.declarator);
        while let Some(at) = declarator {
            if let Some(length) = field(at, F.length) {
                ty.arrays = ty.arrays.saturating_add(1);
                if ty.arrays == 1 {
                    ty.array_len = crate::cpp::literals::integer(self.items.source.text(length))
                        .and_then(|n| u64::try_from(n).ok());
                }
                self.effect(length);
            } else if kind(at) == K::AbstractPointer {
                ty.pointers = ty.pointers.saturating_add(1);
            }
            declarator = self.items.source.child_of(at, K::NewDeclarator);
        }
        let args = field(node, F.arguments)
            .map(|args| self.arguments(args))
            .unwrap_or_default();
        let callee = Callee::New(Box::new(ty));
        self.f.push(
            Statement::Call {
                dst: Some(dst),
                callee,
                args,
                voided: false,
            },
            span,
        );
    }

    /// The type a `new` expression's pointer has.
    pub(super) fn new_type(&self, node: Node<'t>) -> Type {
        let mut ty = field(node, F.ty)
            .map(|ty| self.items.source.named_type(ty))
            .unwrap_or_default();
        ty.pointers = ty.pointers.saturating_add(1);
        ty
    }

    /// Whether a name means a function here, as far as this file tells.
    pub(super) fn is_function(&self, name: &Name) -> bool {
        let known = &self.items.known;
        if let Some(class) = &self.f.class {
            if let Some(facts) = known.class(class) {
                if facts.fields.contains_key(name) {
                    return false;
                }
                if facts.methods.contains_key(name) {
                    return true;
                }
            }
            if known
                .functions
                .contains(format!("{class}::{name}").as_str())
            {
                return true;
            }
        }
        known.functions.contains(name) && !known.globals.contains_key(name)
    }

    /// The function that `&name` is.
    pub(super) fn address_constant(&self, node: Node<'t>) -> Option<Const> {
        let node = self.items.source.bare(node);
        let known = &self.items.known;
        match kind(node) {
            K::QualifiedIdentifier | K::TemplateFunction => {
                let name = self.items.source.qualified(node);
                let last = last_segment(&name);
                let data = known.globals.contains_key(&name)
                    || known.class_field(&name)
                    || ["m_", "s_", "g_"]
                        .iter()
                        .any(|prefix| last.starts_with(prefix));
                (!data).then_some(Const::Function(name))
            }
            K::Identifier => {
                let name = self.items.source.name(node);
                let function = !self.is_variable(&name) && self.is_function(&name);
                function.then_some(Const::Function(name))
            }
            _ => None,
        }
    }

    /// `&x`, `&Class::method`, `&function`.
    pub(super) fn address(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        if let Some(function) = self.address_constant(node) {
            self.f
                .assign(dst, Rvalue::Use(Operand::Const(function)), span);
            return;
        }
        let inner = self.items.source.bare(node);
        match kind(inner) {
            K::This => {
                let place = self.self_place();
                self.f.assign(dst, Rvalue::Ref(place), span);
                return;
            }
            K::PointerExpression if self.is_deref(inner) => {
                // `&*p` is `p`, when `p` is a pointer.
                if let Some(pointer) = field(inner, F.argument) {
                    let (place, _) = self.pointee(pointer);
                    let place = self.f.places.intern(place);
                    self.f.assign(dst, Rvalue::Ref(place), span);
                    return;
                }
            }
            _ => {}
        }
        let place = self.place(inner);
        self.f.assign(dst, Rvalue::Ref(place), span);
    }

    /// The object a method runs on.
    pub(super) fn self_place(&mut self) -> PlaceId {
        self.f
            .places
            .intern(pipelint_ir::Place::from_base(Base::SelfObj))
    }

    /// `self.name`.
    pub(super) fn self_field(&mut self, name: Name) -> PlaceId {
        let place = pipelint_ir::Place::from_base(Base::SelfObj).then(Proj::Field(name));
        self.f.places.intern(place)
    }
}
