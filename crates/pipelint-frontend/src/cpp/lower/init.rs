//! Initialisers: braced lists, constructor arguments, references.

use pipelint_ir::{Const, LocalId, Name, Operand, PlaceId, Reference, Rvalue, Type};
use pipelint_source::Span;
use tree_sitter::Node;

use super::Lowerer;
use super::call::CallKind;
use crate::cpp::kinds::{F, K, field, kind};
use crate::cpp::tree::last_segment;
use crate::cpp::types::all_caps;

/// How an initialiser is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `T x = value`.
    Equals,
    /// `T x(value)`, `T x{value}`.
    Direct,
}

impl<'t> Lowerer<'_, 't> {
    /// `{a, .b = c}` as a list of values.
    pub(super) fn aggregate(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let mut values = Vec::new();
        for item in self.items.source.children(node) {
            match kind(item) {
                K::InitializerPair => {
                    let designator = field(item, F.designator);
                    let name = designator.and_then(|d| self.designated(d));
                    let value = match field(item, F.value) {
                        Some(value) => self.element(value),
                        None => Operand::Const(Const::Other),
                    };
                    values.push((name, value));
                }
                K::Error => self.opaque(item, pipelint_ir::GapReason::Syntax),
                _ => {
                    let value = self.element(item);
                    values.push((None, value));
                }
            }
        }
        self.f.assign(dst, Rvalue::Aggregate(values), span);
    }

    /// An element of a braced list; an object made in the list becomes the element.
    fn element(&mut self, node: Node<'t>) -> Operand {
        let keep = self.f.temps.len();
        match self.operand(node) {
            Operand::Copy(place)
                if self.f.temps.len() > keep && self.f.temps.last() == Some(&place) =>
            {
                self.f.temps.pop();
                Operand::Move(place)
            }
            value => value,
        }
    }

    fn designated(&self, node: Node<'t>) -> Option<Name> {
        match kind(node) {
            K::FieldDesignator => self
                .items
                .source
                .first(node)
                .map(|n| self.items.source.name(n)),
            K::FieldIdentifier => Some(self.items.source.name(node)),
            _ => None,
        }
    }

    /// `T{…}` or `(T){…}`.
    pub(super) fn compound_literal(&mut self, node: Node<'t>, dst: PlaceId, span: Span) {
        let ty = field(node, F.ty)
            .map(|ty| self.items.source.descriptor(ty))
            .unwrap_or_default();
        match field(node, F.value) {
            Some(list) => self.initialise_braced(dst, &ty, list, false, span),
            None => self.f.assign(dst, Rvalue::Unknown(Vec::new()), span),
        }
    }

    /// Initialises an object of type `ty` from a braced list.
    pub(super) fn initialise_braced(
        &mut self,
        dst: PlaceId,
        ty: &Type,
        list: Node<'t>,
        equals: bool,
        span: Span,
    ) {
        if ty.arrays == 0 && self.items.known.is_scalar(ty) {
            let items = self.items.source.children(list);
            match items.as_slice() {
                [] => {
                    let zero = self.zero_of(ty);
                    self.f.assign(dst, Rvalue::Use(Operand::Const(zero)), span);
                    return;
                }
                [one] if kind(*one) != K::InitializerPair => {
                    self.store(*one, dst, span);
                    return;
                }
                _ => {}
            }
        }
        if equals || ty.arrays > 0 || !self.has_constructor(ty) || self.has_designators(list) {
            self.aggregate(list, dst, span);
            return;
        }
        let args = self.arguments(list);
        self.construct(dst, ty.clone(), args, span);
    }

    /// The zero of a scalar type: null for what is surely a pointer.
    fn zero_of(&self, ty: &Type) -> Const {
        if ty.pointers > 0 || crate::cpp::types::is_windows_pointer(&ty.name) {
            Const::Null
        } else {
            Const::Int(0)
        }
    }

    fn has_designators(&self, list: Node<'t>) -> bool {
        self.items
            .source
            .child_of(list, K::InitializerPair)
            .is_some()
    }

    /// True when making an object of this type may run a constructor.
    pub(super) fn has_constructor(&self, ty: &Type) -> bool {
        let known = &self.items.known;
        if known.language == pipelint_ir::Language::C || ty.name == "auto" {
            return false;
        }
        let real = known.resolve(ty);
        if real.args.is_empty()
            && all_caps(last_segment(&real.name))
            && known.class(&real.name).is_none()
        {
            return false;
        }
        known.begins(ty)
    }

    /// Initialises a local or field of type `ty`.
    pub(super) fn initialise(
        &mut self,
        dst: PlaceId,
        ty: &Type,
        value: Node<'t>,
        form: Form,
        span: Span,
    ) {
        match kind(value) {
            K::ArgumentList => {
                let args = self.items.source.children(value);
                match args.as_slice() {
                    [] if !self.has_constructor(ty) => {
                        let zero = self.zero_of(ty);
                        self.f.assign(dst, Rvalue::Use(Operand::Const(zero)), span);
                    }
                    [one] if !self.has_constructor(ty) => self.store(*one, dst, span),
                    _ => {
                        let args = self.arguments(value);
                        self.construct(dst, ty.clone(), args, span);
                    }
                }
            }
            K::InitializerList => {
                let auto = ty.name == "auto" && ty.arrays == 0;
                if auto
                    && form == Form::Direct
                    && let [one] = *self.items.source.children(value).as_slice()
                {
                    self.store(one, dst, span);
                    return;
                }
                self.initialise_braced(dst, ty, value, form == Form::Equals, span);
            }
            _ => self.store(value, dst, span),
        }
    }

    /// Binds a reference: to a place, or to a temporary that lives as long as the reference.
    pub(super) fn bind_reference(&mut self, dst: PlaceId, value: Node<'t>, span: Span) {
        let mut node = self.items.source.bare(value);
        if matches!(kind(node), K::ArgumentList | K::InitializerList) {
            match self.items.source.first(node) {
                Some(inner) => node = self.items.source.bare(inner),
                None => {
                    self.f.assign(dst, Rvalue::Unknown(Vec::new()), span);
                    return;
                }
            }
        }
        let lvalue = matches!(
            kind(node),
            K::Identifier
                | K::TypeIdentifier
                | K::QualifiedIdentifier
                | K::FieldExpression
                | K::SubscriptExpression
                | K::PointerExpression
                | K::AssignmentExpression
        ) && (kind(node) != K::PointerExpression || self.is_deref(node));
        if lvalue {
            let place = self.place(node);
            self.f.assign(dst, Rvalue::Ref(place), span);
            return;
        }
        let call = kind(node) == K::CallExpression
            && matches!(self.call_kind(node), CallKind::Plain | CallKind::Dynamic(_));
        let keep = self.f.temps.len();
        match self.operand(node) {
            Operand::Copy(place) | Operand::Move(place) => {
                // The temporary's life is that of the reference.
                if self.f.temps.len() > keep && self.f.temps.last() == Some(&place) {
                    self.f.temps.pop();
                    if let pipelint_ir::Base::Local(id) = self.f.places[place].base {
                        self.f.live(id, true, span);
                    }
                }
                if call {
                    // The call may itself return a reference: to what, nobody knows.
                    self.f.assign(dst, Rvalue::Ref(place), span);
                    return;
                }
                self.f.assign(dst, Rvalue::Ref(place), span);
            }
            constant => {
                let temp = self.f.temp(Type::default(), span);
                self.f.assign(temp, Rvalue::Use(constant), span);
                self.f.assign(dst, Rvalue::Ref(temp), span);
            }
        }
    }

    /// The type that an initialiser gives to an `auto` variable, where it is plain to see.
    pub(super) fn infer(&self, value: Node<'t>) -> Option<Type> {
        let node = self.items.source.bare(value);
        match kind(node) {
            K::NewExpression => Some(self.new_type(node)),
            K::CompoundLiteral => field(node, F.ty).map(|ty| self.items.source.descriptor(ty)),
            K::CastExpression => field(node, F.ty).map(|ty| self.items.source.descriptor(ty)),
            K::NumberLiteral | K::CharLiteral => Some(Type::named("int")),
            K::True | K::False => Some(Type::named("bool")),
            K::StringLiteral | K::ConcatenatedString => Some(Type {
                pointers: 1,
                ..Type::named("char")
            }),
            K::PointerExpression if !self.is_deref(node) => Some(Type {
                pointers: 1,
                ..Type::named("auto")
            }),
            K::BinaryExpression if self.hidden_cast(node).is_some() => {
                self.hidden_cast(node).and_then(|cast| cast.outer())
            }
            K::BinaryExpression | K::UnaryExpression => {
                let operator = field(node, F.operator)?.kind();
                let truth = super::cond::comparison(operator).is_some()
                    || matches!(operator, "&&" | "||" | "!" | "and" | "or" | "not");
                truth.then(|| Type::named("bool"))
            }
            K::ArgumentList | K::InitializerList => {
                let items = self.items.source.children(node);
                match items.as_slice() {
                    [one] => self.infer(*one),
                    _ => None,
                }
            }
            K::Identifier => {
                let id = self.f.lookup(self.items.source.text(node))?;
                let ty = self.f.local_info(id).ty.clone();
                let plain = ty.arrays == 0 && !ty.name.is_empty();
                plain.then_some(Type {
                    reference: Reference::None,
                    is_const: false,
                    ..ty
                })
            }
            K::CallExpression => self.infer_call(node),
            _ => None,
        }
    }

    fn infer_call(&self, node: Node<'t>) -> Option<Type> {
        match self.call_kind(node) {
            CallKind::Cast(ty, _) | CallKind::Construct(ty) => return Some(ty),
            CallKind::Status(..) => return Some(Type::named("bool")),
            CallKind::Zero | CallKind::Asserted(_) => return Some(Type::named("int")),
            _ => {}
        }
        let callee = field(node, F.function)?;
        let name = self.items.source.qualified(callee);
        let args = self.items.source.template_args(callee);
        let owner = match name.as_str() {
            "std::make_unique" | "make_unique" => "std::unique_ptr",
            "std::make_shared" | "make_shared" => "std::shared_ptr",
            "wil::make_unique_nothrow" => "wistd::unique_ptr",
            "std::move" => {
                let moved = self.move_argument(node)?;
                return self.infer(moved);
            }
            _ => {
                let ty = self.items.known.returns.get(&name)?;
                return (ty.reference == Reference::None).then(|| ty.clone());
            }
        };
        let element = args.first()?.clone();
        Some(Type {
            args: vec![element],
            ..Type::named(owner)
        })
    }

    /// A local declared with a value.
    pub(super) fn initialise_local(
        &mut self,
        id: LocalId,
        value: Node<'t>,
        form: Form,
        span: Span,
    ) {
        let ty = self.f.local_info(id).ty.clone();
        let dst = self.f.place_of(id);
        let keep = self.f.temps.len();
        if super::frame::is_reference(&ty) {
            self.bind_reference(dst, value, span);
        } else {
            self.initialise(dst, &ty, value, form, span);
        }
        self.f.end_temps(keep, span);
    }
}
