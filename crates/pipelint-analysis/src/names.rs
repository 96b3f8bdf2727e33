//! What names mean: calls to functions, types to classes, from where they stand.

use pipelint_ir::{
    Base, Callee, Class, Const, Function, FunctionKind, Language, Name, Operand, PlaceId, Proj,
    Reference, Type,
};

use crate::program::{ClassRef, FnRef, Program, Target, last, scope_of};

impl<'m> Program<'m> {
    /// What a call of `callee`, a part of `from`, with `args` arguments goes to.
    pub(crate) fn target(
        &self,
        unit: usize,
        from: &Function,
        callee: &Callee,
        args: usize,
    ) -> Target<'m> {
        if let Some(known) = self.sites.get(unit, callee) {
            debug_assert_eq!(known, self.find_target(unit, from, callee, args));
            return known;
        }
        self.find_target(unit, from, callee, args)
    }

    /// As `target`, from the names alone.
    pub(crate) fn find_target(
        &self,
        unit: usize,
        from: &Function,
        callee: &Callee,
        args: usize,
    ) -> Target<'m> {
        match callee {
            Callee::Function(name) => self.target_of_name(unit, from, name, args),
            Callee::Method {
                name, ty: Some(ty), ..
            } if ty.reference == Reference::Rvalue && name == "operator=" => self
                .move_of(unit, &from.name, ty, false)
                .map_or(Target::Unknown, Target::Defined),
            Callee::Constructor(ty) if ty.reference == Reference::Rvalue => self
                .move_of(unit, &from.name, ty, true)
                .map_or(Target::Unknown, Target::Defined),
            Callee::Method { name, ty, .. } => {
                let class = self.class_of_receiver(unit, from, callee);
                let behind = || {
                    let behind = led_to(ty.as_ref()?, Some(name))?;
                    self.class_named(unit, &from.name, &behind)
                };
                class
                    .or_else(behind)
                    .and_then(|class| self.method(unit, class, name, args))
                    .map_or(Target::Unknown, Target::Defined)
            }
            Callee::Constructor(ty) | Callee::New(ty) => {
                let ty = self.resolve(ty);
                let class = self.class_named(unit, &from.name, &ty.name);
                class
                    .and_then(|class| {
                        let name = format!("{}::{}", class.name, last(&class.name));
                        let written = class
                            .methods
                            .iter()
                            .any(|m| m.kind == FunctionKind::Constructor);
                        if !written && args == 0 {
                            return self.field_init(unit, &class.name);
                        }
                        self.pick_constructor(unit, &name, args)
                    })
                    .map_or(Target::Unknown, Target::Defined)
            }
            Callee::Pointer(Operand::Const(Const::Function(name))) => {
                self.target_of_name(unit, from, name, args)
            }
            Callee::Pointer(Operand::Copy(place)) => self
                .listed(unit, from, *place)
                .map_or(Target::Unknown, |name| {
                    self.target_of_name(unit, from, &name, args)
                }),
            Callee::Pointer(_) => Target::Unknown,
        }
    }

    /// The class of the object that a method is called on, as it is declared.
    pub(crate) fn class_of_receiver(
        &self,
        unit: usize,
        from: &Function,
        callee: &Callee,
    ) -> Option<&Class> {
        let Callee::Method { receiver, ty, .. } = callee else {
            return None;
        };
        let known = match ty {
            Some(ty) => Some(self.resolve(ty).name.clone()),
            None => self.class_of_place(unit, from, *receiver),
        };
        self.class_named(unit, &from.name, &known?)
    }

    /// The name that a global table holds at first: `static struct allocator a = { malloc, free };`.
    ///
    /// Whoever puts another function there later means one that does the same.
    pub(crate) fn listed(&self, unit: usize, from: &Function, place: PlaceId) -> Option<Name> {
        let place = &from.places[place];
        let (Base::Global(name), [step]) = (&place.base, &place.proj[..]) else {
            return None;
        };
        let (u, global) = self.tables.get(name).and_then(|tables| {
            let own = tables.iter().find(|t| t.0 == unit);
            let visible = |t: &&(usize, usize)| !self.units[t.0].globals[t.1].internal;
            let (u, g) = *own.or_else(|| tables.iter().find(visible))?;
            Some((u, &self.units[u].globals[g]))
        })?;
        let entry = match step {
            Proj::Index(Some(i)) => global.table.get(usize::try_from(*i).ok()?)?,
            Proj::Field(field) => {
                let written = |e: &&pipelint_ir::Entry| e.field.as_ref() == Some(field);
                match global.table.iter().find(written) {
                    Some(entry) => entry,
                    None => {
                        if global.table.iter().any(|e| e.field.is_some()) {
                            return None;
                        }
                        let ty = self.resolve(&global.ty);
                        let class = self.class_named(u, &from.name, &ty.name)?;
                        let nth = class.fields.iter().position(|f| f.name == *field)?;
                        global.table.get(nth)?
                    }
                }
            }
            _ => return None,
        };
        entry.name.clone()
    }

    /// The default member initialisers of a class, as a function.
    pub(crate) fn field_init(&self, unit: usize, class: &str) -> Option<FnRef> {
        self.pick_only(unit, &format!("{class}::{{init}}"), 0)
    }

    /// A method by its name, the class's own or inherited; none where it may be overridden.
    pub(crate) fn method(
        &self,
        unit: usize,
        class: &Class,
        name: &str,
        args: usize,
    ) -> Option<FnRef> {
        let mut at = class;
        for _ in 0..8 {
            let qualified = format!("{}::{name}", at.name);
            if at.methods.iter().any(|m| last(&m.name) == name) {
                if self.overridden.contains(&*qualified) {
                    return None;
                }
                return self.pick_only(unit, &qualified, args);
            }
            if let Some(found) = self.pick_only(unit, &qualified, args) {
                return Some(found);
            }
            at = self.class_named(unit, &at.name, at.bases.first()?)?;
        }
        None
    }

    /// The destructor of a type's class; `Some(None)` for a class of the program without one.
    pub(crate) fn destructor(&self, unit: usize, scope: &str, ty: &Type) -> Option<Option<FnRef>> {
        let ty = self.resolve(ty);
        let class = self.class_named(unit, scope, &ty.name)?;
        let declared = class
            .methods
            .iter()
            .any(|m| m.kind == FunctionKind::Destructor);
        if !declared {
            return Some(None);
        }
        let name = format!("{}::~{}", class.name, last(&class.name));
        Some(Some(self.pick_only(unit, &name, 0)?))
    }

    /// The destructors that run where an object of this type ends: its class's, its members' and
    /// its bases'.
    pub(crate) fn destructors(&self, unit: usize, scope: &str, ty: &Type) -> Vec<FnRef> {
        let mut found = Vec::new();
        let mut seen: Vec<Name> = Vec::new();
        let mut todo = vec![ty.clone()];
        while let Some(ty) = todo.pop() {
            let Some(class) = self.class_named(unit, scope, &self.resolve(&ty).name) else {
                continue;
            };
            if !ty.is_object() || seen.len() > 32 || seen.contains(&class.name) {
                continue;
            }
            seen.push(class.name.clone());
            found.extend(self.destructor(unit, scope, &ty).flatten());
            todo.extend(class.bases.iter().map(|b| Type::named(b.clone())));
            todo.extend(class.fields.iter().map(|f| f.ty.clone()));
        }
        found
    }

    /// The class named by a place's declared type: a field of the method's class, through pointers.
    pub(crate) fn class_of_place(
        &self,
        unit: usize,
        from: &Function,
        place: pipelint_ir::PlaceId,
    ) -> Option<Name> {
        let place = &from.places[place];
        self.class_behind(unit, from, &place.base, &place.proj)
    }

    /// The class that declares a field of this name, which objects of a class have: the class or a base of it.
    pub(crate) fn declaring(&self, class: ClassRef, field: &str) -> Option<ClassRef> {
        let mut todo = vec![(class, 0)];
        while let Some((at, depth)) = todo.pop() {
            let class = self.class_at(at);
            if class.fields.iter().any(|f| f.name == field) {
                return Some(at);
            }
            if depth < 8 {
                let bases = class.bases.iter();
                let bases = bases.filter_map(|b| self.class_ref_in(at.0, &class.name, b));
                todo.extend(bases.map(|base| (base, depth + 1)));
            }
        }
        None
    }

    /// The class of what some steps from a base lead to.
    pub(crate) fn class_behind(
        &self,
        unit: usize,
        from: &Function,
        base: &Base,
        steps: &[Proj],
    ) -> Option<Name> {
        let mut ty: Option<Type> = match base {
            Base::SelfObj => from.class.clone().map(Type::named),
            Base::Local(l) => {
                let local = from.locals.get(l.0 as usize)?;
                Some(self.resolve(&local.ty).into_owned())
            }
            _ => None,
        };
        for step in steps {
            ty = match step {
                Proj::Deref => match ty
                    .as_ref()
                    .filter(|ty| ty.is_object())
                    .and_then(|ty| led_to(ty, None))
                {
                    Some(behind) => Some(self.resolve(&Type::named(behind)).into_owned()),
                    None => match ty.as_ref().and_then(crate::holders::led_to) {
                        Some(behind) => Some(self.resolve(&behind).into_owned()),
                        None => ty,
                    },
                },
                Proj::Index(_) => ty,
                Proj::Field(field) => {
                    let of = ty?;
                    if let Some((_, kept)) =
                        crate::holders::kept_in(&of).filter(|(part, _)| part == field)
                    {
                        ty = Some(self.resolve(&kept).into_owned());
                        continue;
                    }
                    let class = self.class_named(unit, &from.name, &of.name)?;
                    let own = |class: &&Class| class.fields.iter().any(|f| f.name == *field);
                    // Most are the class's own.
                    let class = match own(&class) {
                        true => class,
                        false => self.bases(unit, class).into_iter().find(own)?,
                    };
                    let field = class.fields.iter().find(|f| f.name == *field)?;
                    Some(self.resolve(&field.ty).into_owned())
                }
            };
        }
        ty.map(|ty| ty.name)
    }

    /// A method of a condition variable that waits.
    pub(crate) fn waits_to_be_woken(&self, unit: usize, from: &Function, callee: &Callee) -> bool {
        let Callee::Method { receiver, name, ty } = callee else {
            return false;
        };
        if !self.models.is_wait(name) {
            return false;
        }
        let of = match ty {
            Some(ty) => Some(self.resolve(ty).name.clone()),
            None => self.class_of_place(unit, from, *receiver),
        };
        let of = of.and_then(|ty| self.models.condition(&ty));
        of.is_some_and(|condition| condition.waits.iter().any(|wait| wait == name))
    }

    /// The declared type of a place without steps, or of a field of the method's class.
    pub(crate) fn type_of_place(
        &self,
        unit: usize,
        from: &Function,
        place: pipelint_ir::PlaceId,
    ) -> Option<Type> {
        let at = &from.places[place];
        match (&at.base, &at.proj[..]) {
            (Base::Local(l), []) => Some(from.locals.get(l.0 as usize)?.ty.clone()),
            _ => self.class_of_place(unit, from, place).map(Type::named),
        }
    }

    /// The only function of this name, whatever it takes.
    pub(crate) fn only_function(&self, unit: usize, from: &Function, name: &str) -> Option<FnRef> {
        let name = self.renamed(unit, name);
        let mut scope: &str = from
            .class
            .as_deref()
            .unwrap_or_else(|| scope_of(&from.name));
        loop {
            let qualified = if scope.is_empty() {
                name.to_owned()
            } else {
                format!("{scope}::{name}")
            };
            if let Some(found) = self.functions.get(&*qualified) {
                let visible = |r: &&FnRef| r.0 == unit || !self.function(**r).internal;
                let seen = found.iter().filter(visible);
                return seen.min_by_key(|r| distance(unit, r)).copied();
            }
            if scope.is_empty() {
                return None;
            }
            scope = scope_of(scope);
        }
    }

    /// The function of a lambda of this unit.
    pub(crate) fn lambda(&self, unit: usize, name: &str) -> Option<FnRef> {
        let found = self.functions.get(name)?;
        let mut own = found.iter().filter(|(u, _)| *u == unit);
        let first = own.next()?;
        own.next().is_none().then_some(*first)
    }

    /// The only function of this name that takes so many arguments.
    pub(crate) fn pick_only(&self, unit: usize, name: &str, args: usize) -> Option<FnRef> {
        self.pick_only_of(unit, name, args, |_| true)
    }

    /// The only constructor that takes so many arguments. What is made of one of its own kind is a
    /// copy, and none (`initialise`).
    fn pick_constructor(&self, unit: usize, name: &str, args: usize) -> Option<FnRef> {
        self.pick_only_of(unit, name, args, |f| !self.copies_its_class(f))
    }

    pub(crate) fn pick_only_of(
        &self,
        unit: usize,
        name: &str,
        args: usize,
        wanted: impl Fn(&Function) -> bool,
    ) -> Option<FnRef> {
        let found = self.functions.get(name)?;
        let fits = |r: &&FnRef| {
            let function = self.function(**r);
            function.params as usize == args
                && (r.0 == unit || !function.internal)
                && wanted(function)
        };
        let mut fitting: Vec<&FnRef> = found.iter().filter(fits).collect();
        fitting.sort_by_key(|r| distance(unit, r));
        match fitting[..] {
            [first, second, ..] if second.0 == first.0 => None,
            [first, ..] => Some(*first),
            [] => None,
        }
    }

    pub(crate) fn target_of_name(
        &self,
        unit: usize,
        from: &Function,
        name: &str,
        args: usize,
    ) -> Target<'m> {
        let name = self.renamed(unit, name);
        let (rooted, name) = match name.strip_prefix("::") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        if !rooted && self.own_names.contains(last(name)) {
            // Innermost scope first: the class, its namespaces, then the file's names.
            let mut scope: &str = from
                .class
                .as_deref()
                .unwrap_or_else(|| scope_of(&from.name));
            let mut qualified = String::with_capacity(scope.len() + 2 + name.len());
            while !scope.is_empty() {
                qualified.clear();
                for part in [scope, "::", name] {
                    qualified.push_str(part);
                }
                if let Some(found) = self.pick(unit, &qualified, args) {
                    return Target::Defined(found);
                }
                if let Some(class) = self.class_ref(unit, scope)
                    && self.declares(class, name)
                {
                    return Target::Unknown;
                }
                scope = scope_of(scope);
            }
        }
        if let Some(found) = self.pick(unit, name, args) {
            return Target::Defined(found);
        }
        if self.macros.contains(name) {
            return Target::Unknown;
        }
        if self.units[unit].language == Language::Rust {
            return self.system_function(rooted, name);
        }
        let plain = name.strip_prefix("std::").unwrap_or(name);
        match self.models.function(name) {
            Some(model) if model.names.iter().any(|n| n == name || n == plain) => {
                Target::Model(model)
            }
            _ => Target::Unknown,
        }
    }

    /// A function of the system's that Rust code calls: by its own name where the front end found its
    /// crate, and else by a name that nobody would give to a function of his own.
    fn system_function(&self, rooted: bool, name: &str) -> Target<'m> {
        let own = last(name);
        let camel = own.starts_with(|c: char| c.is_ascii_uppercase());
        let wrapped = name.starts_with("windows::");
        let known = rooted || name.contains("::") || camel;
        if wrapped || !known || (!rooted && self.own_names.contains(own)) {
            return Target::Unknown;
        }
        let by_name = self
            .models
            .function(name)
            .filter(|m| m.names.iter().any(|n| n == name));
        let by_own = || {
            let plain = rooted || camel;
            self.models
                .function(own)
                .filter(|m| plain && m.names.iter().any(|n| n == own))
        };
        by_name
            .or_else(by_own)
            .map_or(Target::Unknown, Target::Model)
    }

    /// The function of this exact name: the unit's own first, then by number of parameters.
    pub(crate) fn pick(&self, unit: usize, name: &str, args: usize) -> Option<FnRef> {
        let found = self.functions.get(name)?;
        let fits = |r: &&FnRef| self.function(**r).params as usize == args;
        let visible = |r: &&FnRef| r.0 == unit || !self.function(**r).internal;
        // A library for several systems defines a function once for each, in folders of their own.
        let nearest = |r: &&FnRef| (!fits(r), distance(unit, r));
        found.iter().filter(visible).min_by_key(nearest).copied()
    }
}

/// A pointer object that alone holds a plain object, and frees it at its end.
pub(crate) fn points_uniquely(ty: &Type) -> bool {
    let unique = matches!(
        &*ty.name,
        "std::unique_ptr" | "unique_ptr" | "QScopedPointer"
    );
    ty.is_object() && unique && ty.args.len() == 1
}

/// The class that a pointer object or a guard leads to: C++'s `->` goes through it, and so does a method
/// of Rust's that it does not have itself.
pub(crate) fn led_to(ty: &Type, method: Option<&str>) -> Option<Name> {
    let pointer = matches!(
        &*ty.name,
        "std::unique_ptr"
            | "std::shared_ptr"
            | "unique_ptr"
            | "shared_ptr"
            | "QScopedPointer"
            | "QSharedPointer"
    );
    let shared = matches!(
        &*ty.name,
        "std::sync::Arc" | "std::rc::Rc" | "alloc::sync::Arc" | "Arc" | "Rc"
    );
    let guard = crate::holders::is_guard(&ty.name);
    let fits = match method {
        None => pointer,
        // A shared pointer's own methods come first.
        Some(name) => {
            guard || (shared && !matches!(name, "clone" | "as_ref" | "borrow" | "deref" | "fmt"))
        }
    };
    let inner = ty.args.first().filter(|_| fits)?;
    let plain = inner
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':');
    plain.then(|| inner.clone())
}

/// How far a function is from a unit: units are ordered by path, so those of one folder are near.
fn distance(unit: usize, f: &FnRef) -> usize {
    unit.abs_diff(f.0)
}
