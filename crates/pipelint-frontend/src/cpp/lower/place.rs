//! Expressions as places.

use pipelint_ir::{Base, Name, Operand, Place, PlaceId, Proj, Reference, Rvalue, Type};
use tree_sitter::Node;

use super::Lowerer;
use super::frame::is_reference;
use crate::cpp::constants;
use crate::cpp::kinds::{F, K, field, kind};

impl<'t> Lowerer<'_, 't> {
    /// What a name means here, and its declared type if this function declares it.
    pub(super) fn resolve(&mut self, name: &Name) -> (Place, Option<Type>) {
        if let Some(id) = self.f.lookup(name) {
            let mut ty = self.f.local_info(id).ty.clone();
            let mut place = Place::from_base(Base::Local(id));
            if is_reference(&ty) {
                ty.reference = Reference::None;
                place = place.then(Proj::Deref);
            }
            return (place, Some(ty));
        }
        if let Some(ty) = self.captured(name) {
            return (Place::from_base(Base::Captured(name.clone())), Some(ty));
        }
        let ty = self.items.known.globals.get(name).cloned();
        (Place::from_base(Base::Global(name.clone())), ty)
    }

    /// The type of a variable of a function around this lambda, noted as captured.
    fn captured(&mut self, name: &Name) -> Option<Type> {
        let found = self
            .outer
            .iter()
            .rposition(|frame| frame.lookup(name).is_some())?;
        let frame = &self.outer[found];
        let id = frame.lookup(name)?;
        let mut ty = frame.local_info(id).ty.clone();
        ty.reference = Reference::None;
        for frame in &mut self.outer[found + 1..] {
            frame.capture(name);
        }
        self.f.capture(name);
        Some(ty)
    }

    /// True when the name means a variable of this function or of one around it.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.f.lookup(name).is_some() || self.outer.iter().any(|f| f.lookup(name).is_some())
    }

    /// The place an expression names, interned.
    pub(super) fn place(&mut self, node: Node<'t>) -> PlaceId {
        let (place, _) = self.place_and_type(node);
        self.f.places.intern(place)
    }

    /// The place an expression names, with its type where this function declares it. An
    /// expression that names none gets a temporary.
    pub(super) fn place_and_type(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        let node = self.items.source.bare(node);
        if !self.enter(node) {
            let span = self.items.source.span(node);
            let temp = self.f.temp(Type::default(), span);
            return (self.f.places[temp].clone(), None);
        }
        let out = self.place_inner(node);
        self.leave();
        out
    }

    fn place_inner(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        match kind(node) {
            K::Identifier | K::TypeIdentifier | K::FieldIdentifier | K::NamespaceIdentifier => {
                let name = self.items.source.name(node);
                self.resolve(&name)
            }
            K::QualifiedIdentifier | K::TemplateFunction => {
                let name = self.items.source.qualified(node);
                let ty = self.items.known.globals.get(&name).cloned();
                (Place::from_base(Base::Global(name)), ty)
            }
            K::FieldExpression => self.field_place(node),
            K::SubscriptExpression => self.element_place(node),
            K::PointerExpression if self.is_deref(node) => match field(node, F.argument) {
                Some(argument) => self.pointee(argument),
                None => self.value_place(node),
            },
            K::CommaExpression => {
                if let Some(left) = field(node, F.left) {
                    self.effect(left);
                }
                match field(node, F.right) {
                    Some(right) => self.place_and_type(right),
                    None => self.value_place(node),
                }
            }
            _ => self.value_place(node),
        }
    }

    /// True for `*p`, false for `&x`.
    pub(super) fn is_deref(&self, node: Node<'t>) -> bool {
        field(node, F.operator).is_none_or(|token| token.kind() == "*")
    }

    /// A place that holds the value of an expression.
    fn value_place(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        let place = match self.operand(node) {
            Operand::Copy(place) | Operand::Move(place) => place,
            constant => {
                let span = self.items.source.span(node);
                let temp = self.f.temp(Type::default(), span);
                self.f.assign(temp, Rvalue::Use(constant), span);
                temp
            }
        };
        let place = self.f.places[place].clone();
        let ty = match (&place.base, place.proj.is_empty()) {
            (Base::Local(id), true) => Some(self.f.local_info(*id).ty.clone()),
            _ => None,
        };
        (place, ty.filter(|ty| !ty.name.is_empty()))
    }

    /// `*p`, `p->`.
    pub(super) fn pointee(&mut self, pointer: Node<'t>) -> (Place, Option<Type>) {
        let pointer = self.items.source.bare(pointer);
        match kind(pointer) {
            K::This => {
                let ty = self.f.class.clone().map(Type::named);
                return (Place::from_base(Base::SelfObj), ty);
            }
            K::PointerExpression if !self.is_deref(pointer) => {
                if let Some(inner) = field(pointer, F.argument) {
                    return self.place_and_type(inner);
                }
            }
            _ => {}
        }
        let (place, ty) = self.place_and_type(pointer);
        match ty {
            Some(ty) if ty.arrays > 0 => (place.then(Proj::Index(Some(0))), Some(element_type(ty))),
            ty => (place.then(Proj::Deref), ty.and_then(pointee_type)),
        }
    }

    fn field_place(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        let (Some(object), Some(member)) = (field(node, F.argument), field(node, F.field)) else {
            return self.value_place_of_broken(node);
        };
        let operator = field(node, F.operator).map_or(".", |token| token.kind());
        let (base, _) = match operator {
            "->" | "->*" => self.pointee(object),
            _ => self.place_and_type(object),
        };
        if operator == ".*" || operator == "->*" {
            // Which member it is, a pointer to member says.
            return (base.then(Proj::Index(None)), None);
        }
        let name = self.items.source.qualified(member);
        let name = Name::new(crate::cpp::tree::last_segment(&name));
        (base.then(Proj::Field(name)), None)
    }

    fn value_place_of_broken(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        match self.unsupported(node) {
            Operand::Copy(place) | Operand::Move(place) => (self.f.places[place].clone(), None),
            Operand::Const(_) => (Place::from_base(Base::Global(Name::default())), None),
        }
    }

    fn element_place(&mut self, node: Node<'t>) -> (Place, Option<Type>) {
        let Some(array) = field(node, F.argument) else {
            return self.value_place_of_broken(node);
        };
        let (base, ty) = self.place_and_type(array);
        let mut indices = field(node, F.indices)
            .map(|list| self.items.source.children(list))
            .unwrap_or_default();
        let index = if let [one] = indices.as_slice() {
            let value = constants::evaluate(&self.items.source, &self.items.known, *one, 0);
            match value {
                Some(pipelint_ir::Const::Int(at)) => {
                    indices.clear();
                    i64::try_from(at).ok()
                }
                _ => None,
            }
        } else {
            None
        };
        for one in indices {
            self.effect(one);
        }
        match ty {
            Some(ty) if ty.arrays == 0 && ty.pointers > 0 => {
                let place = base.then(Proj::Deref).then(Proj::Index(index));
                (place, pointee_type(ty))
            }
            Some(ty) if ty.arrays > 0 => (base.then(Proj::Index(index)), Some(element_type(ty))),
            _ => (base.then(Proj::Index(index)), None),
        }
    }
}

/// What a pointer or smart pointer of this type points to.
fn pointee_type(mut ty: Type) -> Option<Type> {
    if ty.pointers > 0 {
        ty.pointers -= 1;
        (ty.is_const, ty.is_volatile) = (false, false);
        return Some(ty);
    }
    let last = crate::cpp::tree::last_segment(&ty.name);
    let smart = last.ends_with("_ptr") || last.ends_with("Ptr") || last.ends_with("Pointer");
    (smart && !ty.args.is_empty()).then(|| Type::named(ty.args[0].clone()))
}

fn element_type(mut ty: Type) -> Type {
    ty.arrays -= 1;
    ty.array_len = None;
    ty
}
