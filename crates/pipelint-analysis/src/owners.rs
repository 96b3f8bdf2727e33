//! Which types own what they hold, as the models know them, seen from where they stand.

use pipelint_ir::{Base, Callee, Function, Name, Operand, Place, PlaceId, Proj, Reference};
use pipelint_ir::{Rvalue, Statement, Type};
use pipelint_models::{Deleter, Holds, Owner};

use crate::exec::number;
use crate::program::{FnRef, Program, Target, last, scope_of};

/// An owner type as the program spells it.
#[derive(Debug)]
pub(crate) struct OwnerType<'m> {
    pub(crate) model: &'m Owner,
    /// The model's name for it, its last segment.
    pub(crate) name: Name,
    /// The kind of resource it releases rightly; none when that is out of sight.
    pub(crate) kind: Option<Name>,
    /// Values that count as nothing held; none when that is out of sight.
    pub(crate) empty: Vec<i128>,
}

impl OwnerType<'_> {
    pub(crate) fn is_action(&self) -> bool {
        self.model.holds() == Holds::Action
    }
}

impl<'m> Program<'m> {
    /// The owner that a type is, through aliases; none for a class that the program defines itself.
    pub(crate) fn owner_type(&self, unit: usize, scope: &str, ty: &Type) -> Option<OwnerType<'m>> {
        if !ty.is_object() || ty.name.is_empty() {
            return None;
        }
        let models: &'m _ = self.models;
        let (mut name, mut args) = (ty.name.clone(), ty.args.clone());
        let mut scope: Name = scope.into();
        for _ in 0..8 {
            if models.is_handle_type(&name) {
                return None;
            }
            let model = models.owner(&name);
            // A plain name may be the program's own.
            let plain = !name.contains("::");
            let alias = match model {
                Some(_) if !plain => None,
                _ => self.alias_in(&scope, &name),
            };
            let Some((found, alias)) = alias else {
                let own = plain && self.class_named(unit, &scope, &name).is_some();
                let model = model.filter(|_| !own)?;
                return self.instance(unit, &scope, model, &name, &args);
            };
            if !alias.is_object() || alias.name == name {
                return None;
            }
            scope = scope_of(&found).into();
            name = alias.name.clone();
            args = alias.args.clone();
        }
        None
    }

    /// The alias that a name means inside `scope`: innermost first.
    pub(crate) fn alias_in(&self, scope: &str, name: &str) -> Option<(Name, &Type)> {
        // Most types are no aliases.
        if !self.alias_names.contains(last(name)) {
            return None;
        }
        let mut scope = scope;
        while !scope.is_empty() {
            let qualified = Name::new(format!("{scope}::{name}"));
            if let Some(alias) = self.aliases.get(&qualified) {
                return Some((qualified, alias));
            }
            scope = scope_of(scope);
        }
        let alias = self.aliases.get(name)?;
        Some((name.into(), alias))
    }

    /// A type whose objects are numbers, pointers or handles: made from a value, they are it.
    pub(crate) fn is_scalar(&self, unit: usize, scope: &str, ty: &Type) -> bool {
        if ty.reference != Reference::None || ty.arrays > 0 || ty.name.is_empty() {
            return false;
        }
        let mut name = ty.name.clone();
        let mut scope: Name = scope.into();
        for _ in 0..8 {
            if ty.pointers > 0
                || crate::memory::is_primitive(&name)
                || self.models.is_handle_type(&name)
            {
                return true;
            }
            if self.class_named(unit, &scope, &name).is_some() {
                return false;
            }
            let Some((found, alias)) = self.alias_in(&scope, &name) else {
                return false;
            };
            if alias.pointers > 0 {
                return true;
            }
            if !alias.is_object() || alias.name == name {
                return false;
            }
            scope = scope_of(&found).into();
            name = alias.name.clone();
        }
        false
    }

    fn instance(
        &self,
        unit: usize,
        scope: &str,
        model: &'m Owner,
        name: &str,
        args: &[Name],
    ) -> Option<OwnerType<'m>> {
        let mut kind = model.kind.as_ref().map(Name::new);
        let mut empty: Vec<i128> = model.empty.iter().map(|s| number(*s)).collect();
        if let Some(traits) = &model.traits
            && let Some(arg) = args.get(traits.template)
            && let Some(class) = self.class_named(unit, scope, arg)
        {
            let function = |name: &str, params| {
                let name = format!("{}::{name}", class.name);
                self.pick_only(unit, &name, params)
            };
            if empty.is_empty()
                && let Some(value) = function(&traits.empty, 0)
            {
                empty.extend(self.constant_result(value));
            }
            if kind.is_none()
                && let Some(release) = function(&traits.release, 1)
            {
                kind = self.kind_released_by(release);
            }
        }
        let mut deleted_by = None;
        if let Some(Deleter::Template(n)) = model.deleter
            && let Some(arg) = args.get(n)
        {
            deleted_by = self.kind_of_deleter(unit, scope, arg);
        }
        let kind = kind.or(deleted_by);
        if kind.is_none() && model.takes.is_empty() {
            return None;
        }
        match model.holds() {
            Holds::Resource | Holds::Action => {}
            // A pointer with a deleter that releases something is that thing's owner.
            Holds::Object if kind.is_some() => {}
            Holds::Object => return None,
        }
        Some(OwnerType {
            model,
            name: last(name).into(),
            kind,
            empty,
        })
    }

    /// What a deleter releases: `decltype(&CloseHandle)`, `::CloseHandle`, a class that can be
    /// called.
    fn kind_of_deleter(&self, unit: usize, scope: &str, written: &str) -> Option<Name> {
        let written = written.trim();
        let inner = written
            .strip_prefix("decltype(")
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(written);
        let name = inner.trim().trim_start_matches('&').trim();
        let name = name.strip_prefix("::").unwrap_or(name);
        if let Some(class) = self.class_named(unit, scope, name) {
            let call = format!("{}::operator()", class.name);
            return self.kind_released_by(self.pick_only(unit, &call, 1)?);
        }
        if let Some(f) = self.pick_only(unit, name, 1) {
            return self.kind_released_by(f);
        }
        let model = self.models.function(name)?;
        let release = model.releases.first()?;
        (release.arg == 0).then(|| Name::new(&release.kind))
    }

    /// The kind of the only modelled release that stands in a function.
    fn kind_released_by(&self, f: FnRef) -> Option<Name> {
        let function = self.function(f);
        let mut found = None;
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            if let Target::Model(model) = self.target(f.0, function, callee, args.len())
                && let Some(release) = model.releases.first()
            {
                if found.is_some() {
                    return None;
                }
                found = Some(Name::new(&release.kind));
            }
        }
        found
    }

    /// A place's declared type, as far as declarations in sight tell; `temp` answers for locals
    /// without one.
    pub(crate) fn place_type(
        &self,
        unit: usize,
        from: &Function,
        place: &Place,
        temp: &dyn Fn(usize) -> Option<Type>,
    ) -> Option<Type> {
        let mut ty = match &place.base {
            Base::Local(l) => {
                let n = l.0 as usize;
                let ty = &from.locals.get(n)?.ty;
                if ty.name.is_empty() || ty.name == "auto" {
                    temp(n)?
                } else {
                    ty.clone()
                }
            }
            Base::SelfObj => Type::named(from.class.clone()?),
            _ => return None,
        };
        for step in &place.proj {
            ty = self.part_type(unit, &from.name, ty, step)?;
        }
        Some(ty)
    }

    /// The type of a part of an object of this type.
    pub(crate) fn part_type(
        &self,
        unit: usize,
        scope: &str,
        mut ty: Type,
        step: &Proj,
    ) -> Option<Type> {
        match step {
            Proj::Deref if ty.reference != Reference::None => ty.reference = Reference::None,
            Proj::Deref if ty.pointers > 0 => ty.pointers -= 1,
            Proj::Deref if ty.is_object() => {
                return crate::holders::led_to(&ty)
                    .or_else(|| crate::names::led_to(&ty, None).map(Type::named));
            }
            Proj::Deref => return None,
            Proj::Index(_) if ty.arrays > 0 => ty.arrays -= 1,
            Proj::Index(_) if ty.pointers > 0 => ty.pointers -= 1,
            Proj::Index(_) => return None,
            Proj::Field(name) => {
                if !ty.is_object() {
                    return None;
                }
                if let Some(part) = crate::rust::part_of(&ty, step) {
                    return Some(part);
                }
                let mut class = self.class_named(unit, scope, &self.resolve(&ty).name)?;
                for _ in 0..8 {
                    if let Some(field) = class.fields.iter().find(|f| f.name == *name) {
                        return Some(field.ty.clone());
                    }
                    class = self.class_named(unit, &class.name, class.bases.first()?)?;
                }
                return None;
            }
        }
        Some(ty)
    }

    /// The type that a statement gives the local that it first sets.
    pub(crate) fn given_type(
        &self,
        unit: usize,
        from: &Function,
        stmt: &Statement,
    ) -> Option<Given> {
        match stmt {
            Statement::Call { callee, args, .. } => match callee {
                Callee::Constructor(ty) => Some(Given::Type((**ty).clone())),
                Callee::Function(name) if moves(name) => match args.first()? {
                    Operand::Copy(place) | Operand::Move(place) => Some(Given::As(*place)),
                    Operand::Const(_) => None,
                },
                Callee::Function(name) => {
                    match self.target(unit, from, callee, args.len()) {
                        Target::Defined(f) => {
                            return Some(Given::Type(self.function(f).ret.clone()));
                        }
                        Target::Model(_) => return None,
                        Target::Unknown => {}
                    }
                    let named = Type::named(name.clone());
                    if self.owner_type(unit, &from.name, &named).is_some() {
                        return Some(Given::Type(named));
                    }
                    let made = self.models.made_owner(name)?;
                    Some(Given::Type(Type::named(made.names.first()?.as_str())))
                }
                Callee::Method { .. } => match self.target(unit, from, callee, args.len()) {
                    Target::Defined(f) => Some(Given::Type(self.function(f).ret.clone())),
                    _ => None,
                },
                Callee::New(_) | Callee::Pointer(_) => None,
            },
            Statement::Assign {
                value: Rvalue::Use(Operand::Copy(place) | Operand::Move(place)),
                ..
            } => Some(Given::As(*place)),
            _ => None,
        }
    }
}

/// What a statement tells of the type of the local that it sets.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    Type(Type),
    /// The same as this place's.
    As(PlaceId),
}

/// A cast that only says that an object may be moved from.
pub(crate) fn moves(name: &str) -> bool {
    matches!(
        name,
        "std::move" | "::std::move" | "std::forward" | "::std::forward" | "move"
    )
}
