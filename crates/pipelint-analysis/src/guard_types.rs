//! Which types hold a lock as long as they live: those that the models know, through aliases, and classes of the
//! program's own.

use pipelint_ir::{Callee, Function, FunctionKind, Language, Name, Statement, Type};
use pipelint_models::{Guard, LockDoes};
use rustc_hash::FxHashSet;

use crate::program::{ClassRef, FnRef, Program, last};
use crate::rust::type_of;

/// What is known of a guard's type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GuardType<'m> {
    /// The models know it.
    Known(&'m Guard),
    /// A class of the program takes a lock where it is made, and gives it back where it ends; or a guard is
    /// one of its fields.
    Own,
}

/// The guards of a program.
pub(crate) struct GuardTypes<'p, 'm> {
    program: &'p Program<'m>,
    /// Classes with a guard for a field, and no end of their own.
    holders: FxHashSet<ClassRef>,
    /// Their last segments.
    holder_names: FxHashSet<Name>,
    /// Functions that yield a guard, by the models; the last segments of their names.
    makers: FxHashSet<&'m str>,
    /// Functions of the program in C++ that return one.
    returning: FxHashSet<FnRef>,
}

impl<'p, 'm> GuardTypes<'p, 'm> {
    pub(crate) fn new(program: &'p Program<'m>) -> Self {
        let models: &'m _ = program.models;
        let makers = models.guards().flat_map(|(_, guard)| &guard.made_by);
        let mut types = Self {
            program,
            holders: FxHashSet::default(),
            holder_names: FxHashSet::default(),
            makers: makers.map(|name| last(name)).collect(),
            returning: FxHashSet::default(),
        };
        for (u, unit) in program.units.iter().enumerate() {
            for (c, class) in unit.classes.iter().enumerate() {
                let holds = class
                    .fields
                    .iter()
                    .any(|field| !field.is_static && types.known(&class.name, &field.ty).is_some());
                let ends = || program.destructor(u, &class.name, &Type::named(class.name.clone()));
                if holds && !matches!(ends(), Some(Some(_))) {
                    types.holders.insert((u, c));
                    types.holder_names.insert(Name::new(last(&class.name)));
                }
            }
        }
        let cpp = |f: &FnRef| program.units[f.0].language != Language::Rust;
        let returning = program.all().filter(cpp).filter(|f| {
            let function = program.function(*f);
            let named = !function.ret.name.is_empty() && function.ret.name != "void";
            named && types.known(&function.name, &function.ret).is_some()
        });
        types.returning = returning.collect();
        types
    }

    /// The guard of the models that a type is.
    fn known(&self, scope: &str, ty: &Type) -> Option<&'m Guard> {
        let models: &'m _ = self.program.models;
        if !ty.is_object() || ty.name.is_empty() {
            return None;
        }
        let mut name = ty.name.clone();
        let mut scope: Name = scope.into();
        for _ in 0..8 {
            let Some((found, alias)) = self.program.alias_in(&scope, &name) else {
                break;
            };
            if !alias.is_object() || alias.name == name {
                return None;
            }
            scope = crate::program::scope_of(&found).into();
            name = alias.name.clone();
        }
        models.guard(&name)
    }

    /// What is known of an object of this type; none where it is no guard.
    pub(crate) fn guard(&self, unit: usize, scope: &str, ty: &Type) -> Option<GuardType<'m>> {
        if !ty.is_object() || ty.name.is_empty() {
            return None;
        }
        let known = self.known(scope, ty);
        let class = self
            .program
            .class_ref_in(unit, scope, &self.program.resolve(ty).name);
        match (known, class) {
            (Some(guard), None) => Some(GuardType::Known(guard)),
            // A class of the same name, or of any other.
            (_, Some(class)) => self
                .is_own(unit, scope, ty, class)
                .then_some(GuardType::Own),
            (None, None) => None,
        }
    }

    /// The guard that a value is or holds: a guard, or Rust's `Option` or `Result` of one.
    pub(crate) fn held(
        &self,
        unit: usize,
        scope: &str,
        ty: &Type,
    ) -> Option<(GuardType<'m>, Type)> {
        if !matches!(ty.name.as_str(), "Result" | "Option") {
            return Some((self.guard(unit, scope, ty)?, ty.clone()));
        }
        let inner = ty.args.first()?;
        let named = last(inner.split('<').next()?);
        if !named.contains("Guard") && !self.holder_names.contains(named) {
            return None;
        }
        let inner = type_of(inner);
        Some((self.guard(unit, scope, &inner)?, inner))
    }

    fn is_own(&self, unit: usize, scope: &str, ty: &Type, class: ClassRef) -> bool {
        if self.holders.contains(&class) {
            return true;
        }
        let program = self.program;
        if program.units[class.0].language == Language::Rust {
            return false;
        }
        let name = &program.class_at(class).name;
        let Some(Some(end)) = program.destructor(unit, scope, ty) else {
            return false;
        };
        if !self.does(end, LockDoes::Unlock) {
            return false;
        }
        let constructor = Name::new(format!("{name}::{}", last(name)));
        let known = program.functions.get(&constructor);
        let mut makes = known.into_iter().flatten().copied();
        makes.any(|f| {
            program.function(f).kind == FunctionKind::Constructor && self.does(f, LockDoes::Lock)
        })
    }

    /// Some call of the function does this to a lock.
    fn does(&self, f: FnRef, does: LockDoes) -> bool {
        let function = self.program.function(f);
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Call { callee, .. } => self.call_does(f.0, function, callee, does, false),
            _ => false,
        })
    }

    /// A call does this to a lock; `strictly`, to one that the models know.
    pub(crate) fn call_does(
        &self,
        unit: usize,
        function: &Function,
        callee: &Callee,
        does: LockDoes,
        strictly: bool,
    ) -> bool {
        let models = self.program.models;
        match callee {
            Callee::Function(name) => {
                let name = name.strip_prefix("::").unwrap_or(name);
                let calls = models.locks().filter(|(_, lock)| !lock.names.is_empty());
                let mut calls = calls.flat_map(|(_, lock)| &lock.calls);
                calls.any(|call| call.does == does && call.names.iter().any(|n| n == name))
            }
            Callee::Method { receiver, name, ty } => {
                let of = match ty {
                    Some(ty) => Some(self.program.resolve(ty).name.clone()),
                    None => self.program.class_of_place(unit, function, *receiver),
                };
                match of.as_ref().and_then(|of| models.lock(of)) {
                    Some(lock) => {
                        let mut methods = lock.methods.iter();
                        methods.any(|m| m.does == does && m.names.iter().any(|n| n == last(name)))
                    }
                    // A lock of another kind says so by its methods' names.
                    None if strictly => false,
                    None => match does {
                        LockDoes::Lock => matches!(last(name), "lock" | "Lock"),
                        LockDoes::Unlock => matches!(last(name), "unlock" | "Unlock"),
                        _ => false,
                    },
                }
            }
            _ => false,
        }
    }

    /// The guard that a call in C++ yields.
    pub(crate) fn yielded(
        &self,
        unit: usize,
        function: &Function,
        callee: &Callee,
        args: usize,
    ) -> Option<(&'m Guard, Name)> {
        let name = match callee {
            Callee::Function(name) | Callee::Method { name, .. } => name,
            _ => return None,
        };
        if self.makers.contains(last(name))
            && let Some(guard) = self.made_by(unit, function, callee, name)
        {
            return Some(guard);
        }
        if self.returning.is_empty() {
            return None;
        }
        match self.program.target(unit, function, callee, args) {
            crate::program::Target::Defined(f) if self.returning.contains(&f) => {
                let of = self.program.function(f);
                let guard = self.known(&of.name, &of.ret)?;
                Some((guard, Name::new(last(&of.ret.name))))
            }
            _ => None,
        }
    }

    /// A function that the models name: `wil::AcquireSRWLockExclusive`, or a method of a lock,
    /// `wil::srwlock::lock_exclusive`.
    fn made_by(
        &self,
        unit: usize,
        function: &Function,
        callee: &Callee,
        name: &str,
    ) -> Option<(&'m Guard, Name)> {
        let models: &'m _ = self.program.models;
        let plain = name.strip_prefix("::").unwrap_or(name);
        let full = match callee {
            Callee::Method { receiver, ty, .. } => {
                let of = match ty {
                    Some(ty) => Some(self.program.resolve(ty).name.clone()),
                    None => self.program.class_of_place(unit, function, *receiver),
                };
                let of = of.or_else(|| self.global_type(unit, function, *receiver))?;
                let of = of.strip_prefix("::").unwrap_or(&of);
                Name::new(format!("{of}::{}", last(name)))
            }
            _ => Name::new(plain),
        };
        // Windows has functions of the same names, which yield nothing.
        if !full.contains("::") {
            return None;
        }
        let (guard, facts) = models
            .guards()
            .find(|(_, guard)| guard.made_by.iter().any(|m| *m == full))?;
        Some((facts, Name::new(last(guard))))
    }

    fn global_type(
        &self,
        unit: usize,
        function: &Function,
        place: pipelint_ir::PlaceId,
    ) -> Option<Name> {
        let place = &function.places[place];
        let (pipelint_ir::Base::Global(name), []) = (&place.base, &place.proj[..]) else {
            return None;
        };
        let globals = &self.program.units[unit].globals;
        let global = globals.iter().find(|g| g.name == *name)?;
        Some(self.program.resolve(&global.ty).name.clone())
    }
}
