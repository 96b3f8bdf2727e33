//! Expressions as places.

use pipelint_ir::{Base, LocalId, Name, Operand, Place, PlaceId, Proj, Rvalue};
use pipelint_source::Span;
use rustc_hash::FxHashSet;
use tree_sitter::Node;

use super::{Lowerer, Value};
use crate::rust::holders::{kept_in, led_to};
use crate::rust::index::Receiver;
use crate::rust::kinds::{F, K, field, kind};
use crate::rust::source::{children, first};
use crate::rust::ty::Ty;
use crate::rust::types::path_of;

/// A place and its type.
pub(super) type Typed = (Place, Ty);

impl Lowerer<'_> {
    /// The place an expression names, interned, with its type.
    pub(super) fn place(&mut self, node: Node<'_>) -> (PlaceId, Ty) {
        let (place, ty) = self.place_of(node);
        (self.f.places.intern(place), ty)
    }

    /// The place an expression names. One that names none gets a temporary, which ends with the
    /// statement.
    pub(super) fn place_of(&mut self, node: Node<'_>) -> Typed {
        let span = self.src.span(node);
        if !self.enter(node) {
            let temp = self.temp(Ty::Unknown, span);
            return (self.f.places[temp].clone(), Ty::Unknown);
        }
        let out = self.place_inner(node);
        self.leave();
        out
    }

    fn place_inner(&mut self, node: Node<'_>) -> Typed {
        match kind(node) {
            K::SelfKeyword => self.self_place(),
            K::Identifier | K::TypeIdentifier => {
                let name = self.src.name(node);
                match self.variable(&name) {
                    Some(found) => found,
                    None => self.item_place(node),
                }
            }
            K::ScopedIdentifier => self.item_place(node),
            K::ParenthesizedExpression => match first(node) {
                Some(inner) => self.place_of(inner),
                None => self.value_place(node),
            },
            K::FieldExpression => self.field_place(node),
            K::IndexExpression => self.element_place(node),
            K::UnaryExpression if node.child(0).is_some_and(|t| t.kind() == "*") => {
                match first(node) {
                    Some(inner) => self.pointee(inner),
                    None => self.value_place(node),
                }
            }
            _ => self.value_place(node),
        }
    }

    /// The object that the method runs on.
    pub(super) fn self_place(&mut self) -> Typed {
        if let Some(found) = self.variable(&Name::new_static("self")) {
            return found;
        }
        let ty = self.ix.normal(&self.scope.self_ty);
        (Place::from_base(Base::SelfObj), ty)
    }

    /// Whether an expression is the method's object, which the method has by reference: `self_place`
    /// names the object itself then, and what a pattern binds of it is not moved out.
    pub(super) fn is_lent(&self, node: Node<'_>) -> bool {
        let mut inner = node;
        while kind(inner) == K::ParenthesizedExpression
            && let Some(next) = first(inner)
        {
            inner = next;
        }
        kind(inner) == K::SelfKeyword && self.has_lent_self()
    }

    /// The method has its object by reference.
    pub(super) fn has_lent_self(&self) -> bool {
        self.f.lookup("self").is_none() && self.body.receiver == Some(Receiver::Reference)
    }

    /// The variable of this function, or of one around it, that a name means.
    pub(super) fn variable(&mut self, name: &Name) -> Option<Typed> {
        if let Some(id) = self.f.lookup(name) {
            let ty = self.ty_of(id);
            return Some((Place::from_base(Base::Local(id)), ty));
        }
        let found = self
            .outer
            .iter()
            .rposition(|outer| outer.frame.lookup(name).is_some())?;
        let outer = &self.outer[found];
        let id = outer.frame.lookup(name)?;
        let ty = outer.body.tys.get(&id).cloned().unwrap_or_default();
        for outer in &mut self.outer[found + 1..] {
            outer.frame.capture(name);
        }
        self.f.capture(name);
        Some((Place::from_base(Base::Captured(name.clone())), ty))
    }

    pub(super) fn ty_of(&self, id: LocalId) -> Ty {
        self.body.tys.get(&id).cloned().unwrap_or_default()
    }

    /// A static, a constant, or a name that nothing explains.
    fn item_place(&mut self, node: Node<'_>) -> Typed {
        let path = path_of(&self.src, node);
        let full = self.resolve(&path);
        match self.ix.values.get(&full) {
            Some((true, ty)) => {
                let ty = self.ix.normal(ty);
                (Place::from_base(Base::Global(full)), ty)
            }
            _ => self.value_place(node),
        }
    }

    /// The full path of a path written here.
    pub(super) fn resolve(&self, path: &[Name]) -> Name {
        if let [first, rest @ ..] = path
            && first == "Self"
            && !rest.is_empty()
            && let Some(owner) = self.ix.owner_of(&self.scope)
        {
            return Name::new(format!("{owner}::{}", rest.join("::")));
        }
        let full = self.ix.modules.resolve(&self.scope.module, path);
        // `Alias::new`: the function is the type's.
        if path.len() > 1
            && !self.ix.functions.contains_key(&full)
            && let Some((of, last)) = full.rsplit_once("::")
            && let Ty::Named(normal, _) = self.ix.normal(&Ty::named(of))
            && normal != of
        {
            return Name::new(format!("{normal}::{last}"));
        }
        full
    }

    /// A place that holds the value of an expression until the statement ends.
    pub(super) fn value_place(&mut self, node: Node<'_>) -> Typed {
        let value = self.value(node);
        self.placed(value, self.src.span(node))
    }

    /// A place that holds a value until the statement ends.
    pub(super) fn placed(&mut self, value: Value, span: Span) -> Typed {
        let ty_and_place = |this: &mut Self, op: Operand, ty: Ty| match op {
            Operand::Copy(place) | Operand::Move(place) => place,
            constant => {
                let temp = this.temp(ty, span);
                this.f.assign(temp, Rvalue::Use(constant), span);
                temp
            }
        };
        let op = match value.op {
            // What is taken out of something else ends with the statement, not with that.
            Operand::Move(part) if self.ix.needs_drop(&value.ty) && !self.is_temp(part) => {
                let temp = self.temp(value.ty.clone(), span);
                self.f.assign(temp, Rvalue::Use(Operand::Move(part)), span);
                Operand::Move(temp)
            }
            op => op,
        };
        let place = ty_and_place(self, op, value.ty.clone());
        if self.ix.needs_drop(&value.ty) && self.is_temp(place) {
            self.f.temps.push(place);
        }
        (self.f.places[place].clone(), value.ty)
    }

    /// A whole temporary.
    fn is_temp(&self, place: PlaceId) -> bool {
        let place = &self.f.places[place];
        match place.base {
            Base::Local(id) => {
                place.proj.is_empty() && self.f.local_info(id).kind == pipelint_ir::LocalKind::Temp
            }
            _ => false,
        }
    }

    /// The object behind references and shared pointers.
    pub(super) fn auto_deref(&mut self, place: Place, ty: Ty) -> Typed {
        let (mut place, mut ty) = (place, ty);
        for _ in 0..6 {
            match ty {
                Ty::Ref(of) => {
                    place = place.then(Proj::Deref);
                    ty = *of;
                }
                ref holder => {
                    let (step, of) = match (led_to(holder), kept_in(holder)) {
                        (Some(of), _) => (Proj::Deref, of),
                        (_, Some((part, of))) => (Proj::Field(part.into()), of),
                        _ => break,
                    };
                    place = place.then(step);
                    ty = of.clone();
                }
            }
        }
        let ty = self.ix.normal(&ty);
        (place, ty)
    }

    /// What a guard of the program's own leads to, where it is one around a library's.
    pub(super) fn through_guard(&mut self, place: Place, ty: Ty) -> Typed {
        match self.ix.guard_within(&ty) {
            Some((field, of)) => {
                let place = place.then(Proj::Field(field)).then(Proj::Deref);
                self.auto_deref(place, of)
            }
            None => (place, ty),
        }
    }

    /// `*p`.
    fn pointee(&mut self, inner: Node<'_>) -> Typed {
        if kind(inner) == K::SelfKeyword && self.has_lent_self() {
            return self.self_place();
        }
        let (place, ty) = self.place_of(inner);
        match ty {
            Ty::Ref(of) | Ty::Ptr(of) => (place.then(Proj::Deref), self.ix.normal(&of)),
            Ty::Unknown | Ty::Abstract => (place.then(Proj::Deref), Ty::Unknown),
            other => match (led_to(&other), kept_in(&other)) {
                (Some(of), _) => (place.then(Proj::Deref), of.clone()),
                (_, Some((part, of))) => (place.then(Proj::Field(part.into())), of.clone()),
                // A box is what it holds; another object's `Deref` is its own business.
                _ => self.through_guard(place, other),
            },
        }
    }

    fn field_place(&mut self, node: Node<'_>) -> Typed {
        let (Some(object), Some(member)) = (field(node, F.value), field(node, F.field)) else {
            return self.value_place_of_broken(node);
        };
        let (place, ty) = self.place_of(object);
        let (place, ty) = self.auto_deref(place, ty);
        let name = self.src.name(member);
        if (name == "0" && is_handle_newtype(&ty)) || (name == "Value" && is_view(&ty)) {
            // `HANDLE(isize)` is its number.
            return (place, Ty::Num("isize".into()));
        }
        let own = |(field, _): &(Name, Ty)| *field == name;
        let (place, ty) = match self.ix.info(&ty) {
            Some(info) if info.leads && !info.fields.iter().any(own) => {
                self.through_guard(place, ty)
            }
            _ => (place, ty),
        };
        let found = self.ix.field_ty(&ty, &name);
        (place.then(Proj::Field(name)), found)
    }

    fn value_place_of_broken(&mut self, node: Node<'_>) -> Typed {
        let value = self.unsupported(node);
        match value.op {
            Operand::Copy(place) | Operand::Move(place) => (self.f.places[place].clone(), value.ty),
            Operand::Const(_) => (Place::from_base(Base::Global(Name::default())), value.ty),
        }
    }

    fn element_place(&mut self, node: Node<'_>) -> Typed {
        let parts = children(node);
        let [(array, _), (index, what)] = parts.as_slice() else {
            return self.value_place_of_broken(node);
        };
        let (place, ty) = self.place_of(*array);
        let (place, ty) = self.auto_deref(place, ty);
        if *what == K::RangeExpression {
            // A part of it is still it.
            self.discard(*index);
            return (place, Ty::Slice(Box::new(ty.element())));
        }
        let at = match self.constant_of(*index) {
            Some(at) => i64::try_from(at).ok(),
            None => {
                self.discard(*index);
                None
            }
        };
        let element = ty.element();
        (place.then(Proj::Index(at)), self.ix.normal(&element))
    }

    /// The places that code may touch: every name in it that is a variable here.
    pub(super) fn touches(&mut self, node: Node<'_>) -> Vec<PlaceId> {
        let mut names: Vec<Name> = Vec::new();
        let mut seen: FxHashSet<Name> = FxHashSet::default();
        let mut cursor = node.walk();
        'walk: loop {
            let here = cursor.node();
            if matches!(
                kind(here),
                K::Identifier | K::SelfKeyword | K::ShorthandFieldIdentifier
            ) {
                let name = self.src.name(here);
                if seen.insert(name.clone()) {
                    names.push(name);
                }
            }
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() || cursor.node() == node {
                    break 'walk;
                }
            }
            if cursor.node() == node {
                break;
            }
        }
        let mut out = Vec::new();
        for name in names {
            let found = match name.as_str() {
                "self" if self.body.receiver.is_some() => Some(self.self_place()),
                _ => self.variable(&name),
            };
            if let Some((place, _)) = found {
                out.push(self.f.places.intern(place));
            }
        }
        out
    }
}

/// What `MapViewOfFile` yields in `windows-sys`: a pointer in a struct of its own.
pub(super) fn is_view(ty: &Ty) -> bool {
    matches!(ty, Ty::Named(name, _) if name.ends_with("MEMORY_MAPPED_VIEW_ADDRESS"))
}

/// `HANDLE` and its kin of the `windows` crate, whose only field is the number.
pub(super) fn is_handle_newtype(ty: &Ty) -> bool {
    match ty {
        Ty::Named(name, _) => matches!(
            name.as_str(),
            "HANDLE"
                | "HPCON"
                | "SOCKET"
                | "HWND"
                | "HMODULE"
                | "HINSTANCE"
                | "HRESULT"
                | "BOOL"
                | "WIN32_ERROR"
                | "HKEY"
                | "NTSTATUS"
                | "PTP_WAIT"
                | "PTP_WORK"
                | "PTP_TIMER"
                | "PTP_IO"
                | "PWSTR"
                | "PCWSTR"
                | "PSTR"
                | "PCSTR"
                | "SC_HANDLE"
                | "HDESK"
                | "PSECURITY_DESCRIPTOR"
                | "PSID"
                | "HDC"
                | "HBITMAP"
                | "HICON"
                | "HMENU"
                | "HGLOBAL"
                | "HLOCAL"
                | "HRSRC"
                | "HHOOK"
        ),
        _ => false,
    }
}
