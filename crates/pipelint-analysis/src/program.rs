//! Linking: names to functions, classes and constants, over all units of a run.

use pipelint_ir::{
    Base, Callee, Class, Const, Function, FunctionKind, Language, Name, Operand, Place, Proj,
    Rvalue, Statement, Terminator, Type, Unit,
};
use pipelint_models::{FunctionModel, Models};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::globals::Globals;

/// A function's place in the program: unit, then index in it.
pub(crate) type FnRef = (usize, usize);

/// A class's place in the program: unit, then index in it.
pub(crate) type ClassRef = (usize, usize);

/// Whether a function gives control back to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    /// Every call on some path to its end is known to return.
    Yes,
    /// It calls code that nothing is known of.
    Maybe,
    /// No path reaches its end.
    Never,
}

/// What a call goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'p> {
    /// A modelled function.
    Model(&'p FunctionModel),
    /// A function of the program.
    Defined(FnRef),
    /// Nothing is known.
    Unknown,
}

/// All units of a run, linked.
pub(crate) struct Program<'m> {
    pub(crate) units: Vec<Unit>,
    pub(crate) models: &'m Models,
    pub(crate) globals: Globals,
    functions: FxHashMap<Name, Vec<FnRef>>,
    /// Last segments of all functions and methods of the program.
    own_names: FxHashSet<Name>,
    classes: FxHashMap<Name, Vec<ClassRef>>,
    macros: FxHashSet<Name>,
    noreturn: FxHashSet<Name>,
    constants: FxHashMap<Name, Option<i128>>,
    unit_constants: Vec<FxHashMap<Name, i128>>,
    returns: FxHashMap<FnRef, Returns>,
    constant_results: FxHashMap<FnRef, i128>,
    aliases: FxHashMap<Name, Type>,
    /// Object-like macros that stand for another name, by unit and for all units.
    renames: Vec<FxHashMap<Name, Name>>,
    common_renames: FxHashMap<Name, Option<Name>>,
    /// Per class: whether some class derives from it and declares a method of this name again.
    overridden: FxHashSet<Name>,
}

/// A class that refers to variables of others: what it does to them later is not followed.
fn has_references(class: &Class) -> bool {
    let refers = |f: &pipelint_ir::Field| f.ty.reference != pipelint_ir::Reference::None;
    class.fields.iter().any(refers)
}

/// How far a function is from a unit: units are ordered by path, so those of one folder are near.
fn distance(unit: usize, f: &FnRef) -> usize {
    unit.abs_diff(f.0)
}

/// The last segment of a qualified name.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

impl<'m> Program<'m> {
    pub(crate) fn link(
        mut units: Vec<Unit>,
        models: &'m Models,
        elsewhere: &FxHashSet<Name>,
    ) -> Self {
        let mut classes: FxHashMap<Name, Vec<ClassRef>> = FxHashMap::default();
        for (u, unit) in units.iter().enumerate() {
            for (c, class) in unit.classes.iter().enumerate() {
                classes.entry(class.name.clone()).or_default().push((u, c));
            }
        }
        let fields: FxHashMap<ClassRef, FxHashSet<Name>> = classes
            .values()
            .flatten()
            .map(|&(u, c)| {
                let fields = units[u].classes[c].fields.iter().filter(|f| !f.is_static);
                ((u, c), fields.map(|f| f.name.clone()).collect())
            })
            .collect();
        let statics: FxHashSet<Name> = units
            .iter()
            .flat_map(|u| &u.classes)
            .flat_map(|c| &c.methods)
            .filter(|m| m.kind == FunctionKind::StaticMethod)
            .map(|m| m.name.clone())
            .collect();
        for (u, unit) in units.iter_mut().enumerate() {
            for function in &mut unit.functions {
                if function.kind == FunctionKind::Method && statics.contains(&function.name) {
                    function.kind = FunctionKind::StaticMethod;
                }
                let class = function
                    .class
                    .as_ref()
                    .and_then(|name| pick_class(&classes, u, name));
                if let Some(fields) = class.and_then(|c| fields.get(&c)) {
                    resolve_fields(function, fields);
                }
            }
        }
        let mut program = Self {
            globals: Globals::new(&units),
            models,
            functions: FxHashMap::default(),
            own_names: FxHashSet::default(),
            classes,
            macros: units
                .iter()
                .flat_map(|u| &u.macros)
                .map(|m| m.name.clone())
                .collect(),
            noreturn: FxHashSet::default(),
            constants: FxHashMap::default(),
            unit_constants: Vec::new(),
            returns: FxHashMap::default(),
            constant_results: FxHashMap::default(),
            renames: Vec::new(),
            common_renames: FxHashMap::default(),
            overridden: FxHashSet::default(),
            aliases: units
                .iter()
                .flat_map(|u| u.aliases.iter().cloned())
                .collect(),
            units,
        };
        program.index_functions();
        program.index_constants(elsewhere);
        program.index_renames();
        program.index_overridden();
        program.cut_blocks();
        program.find_returns();
        program.find_constant_results();
        program
    }

    fn cut_blocks(&mut self) {
        let mut units = std::mem::take(&mut self.units);
        let cut: Vec<Vec<(usize, Function)>> = {
            self.units = units;
            let cut = |u: usize| {
                let functions = self.units[u].functions.iter().enumerate();
                functions
                    .filter_map(|(f, function)| {
                        let forks = |from: &Function, stmt: &Statement| self.forks(u, from, stmt);
                        let twice = |b: &pipelint_ir::Block| {
                            b.stmts
                                .iter()
                                .filter(|s| forks(function, s))
                                .nth(1)
                                .is_some()
                        };
                        if !function.blocks.iter().any(twice) {
                            return None;
                        }
                        let mut copy = function.clone();
                        crate::split::split_blocks(&mut copy, &forks);
                        (copy.blocks.len() > function.blocks.len()).then_some((f, copy))
                    })
                    .collect()
            };
            (0..self.units.len()).into_par_iter().map(cut).collect()
        };
        units = std::mem::take(&mut self.units);
        for (unit, cut) in units.iter_mut().zip(cut) {
            for (f, function) in cut {
                unit.functions[f] = function;
            }
        }
        self.units = units;
    }

    /// A call after which one path may be several.
    fn forks(&self, unit: usize, from: &Function, stmt: &Statement) -> bool {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        match self.target(unit, from, callee, args.len()) {
            Target::Defined(_) => true,
            Target::Model(model) => {
                model.check.is_some()
                    || model
                        .acquires
                        .iter()
                        .any(|a| a.at != pipelint_models::Slot::Result)
            }
            Target::Unknown => false,
        }
    }

    pub(crate) fn function(&self, (u, f): FnRef) -> &Function {
        &self.units[u].functions[f]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = FnRef> + '_ {
        self.units
            .iter()
            .enumerate()
            .flat_map(|(u, unit)| (0..unit.functions.len()).map(move |f| (u, f)))
    }

    /// The class that a name means in a unit: the unit's own, else the only one of this name.
    pub(crate) fn class_ref(&self, unit: usize, name: &str) -> Option<ClassRef> {
        pick_class(&self.classes, unit, name)
    }

    /// As `class_ref`, the class itself.
    pub(crate) fn class(&self, unit: usize, name: &str) -> Option<&Class> {
        self.class_ref(unit, name).map(|c| self.class_at(c))
    }

    pub(crate) fn class_at(&self, (u, c): ClassRef) -> &Class {
        &self.units[u].classes[c]
    }

    fn index_functions(&mut self) {
        for (u, unit) in self.units.iter().enumerate() {
            for (f, function) in unit.functions.iter().enumerate() {
                self.functions
                    .entry(function.name.clone())
                    .or_default()
                    .push((u, f));
                self.own_names.insert(Name::new(last(&function.name)));
                if function.noreturn {
                    self.noreturn.insert(function.name.clone());
                }
            }
            let methods = unit.classes.iter().flat_map(|c| &c.methods);
            for declaration in unit.declarations.iter().chain(methods) {
                self.own_names.insert(Name::new(last(&declaration.name)));
                if declaration.noreturn {
                    self.noreturn.insert(declaration.name.clone());
                }
            }
        }
    }

    fn index_constants(&mut self, elsewhere: &FxHashSet<Name>) {
        let mut aliases: Vec<(usize, Name, Name)> = Vec::new();
        for (u, unit) in self.units.iter().enumerate() {
            let mut own = FxHashMap::default();
            let assigned = assigned_globals(unit);
            let globals = unit.globals.iter().filter_map(|g| {
                let steady = g.ty.is_const
                    || (g.internal && !assigned.contains(last(&g.name)))
                    || (!g.internal
                        && !g.is_extern
                        && !elsewhere.contains(last(&g.name))
                        && self.globals.is_read_only(u, &g.name));
                Some((&g.name, g.init.as_ref().filter(|_| steady)?, g.internal))
            });
            let named = unit.constants.iter().map(|c| (&c.name, &c.value, false));
            for (name, value, internal) in named.chain(globals) {
                let value = match value {
                    Const::Int(value) => *value,
                    Const::Null => 0,
                    Const::Named(other) => {
                        aliases.push((u, name.clone(), other.clone()));
                        continue;
                    }
                    _ => continue,
                };
                own.insert(name.clone(), value);
                if !internal {
                    let known = self.constants.entry(name.clone()).or_insert(Some(value));
                    if *known != Some(value) {
                        // Two files disagree: which one is meant cannot be known.
                        *known = None;
                    }
                }
            }
            self.unit_constants.push(own);
        }
        for (u, name, other) in aliases {
            if let Some(value) = self.constant(u, &other) {
                self.unit_constants[u].insert(name.clone(), value);
                self.constants.entry(name).or_insert(Some(value));
            }
        }
    }

    fn index_renames(&mut self) {
        for unit in &self.units {
            let mut own = FxHashMap::default();
            for constant in &unit.constants {
                let Const::Named(other) = &constant.value else {
                    continue;
                };
                own.insert(constant.name.clone(), other.clone());
                let known = self
                    .common_renames
                    .entry(constant.name.clone())
                    .or_insert_with(|| Some(other.clone()));
                if known.as_ref() != Some(other) {
                    *known = None;
                }
            }
            self.renames.push(own);
        }
    }

    /// What a name stands for after object-like macros; a few steps deep.
    fn renamed<'a>(&'a self, unit: usize, name: &'a str) -> &'a str {
        let mut name = name;
        for _ in 0..4 {
            let own = self.renames.get(unit).and_then(|own| own.get(name));
            // A header may rename a function of the system for some files; which, is not known.
            let common = || {
                let other = self.common_renames.get(name).and_then(Option::as_ref);
                other.filter(|_| self.models.function(name).is_none())
            };
            match own.or_else(common) {
                Some(other) if other != name => name = other,
                _ => break,
            }
        }
        name
    }

    /// Virtual methods that a derived class declares again: which one runs is not known.
    fn index_overridden(&mut self) {
        let mut found = FxHashSet::default();
        for (u, unit) in self.units.iter().enumerate() {
            for class in &unit.classes {
                let mut bases: Vec<&Class> = Vec::new();
                let mut todo: Vec<&Name> = class.bases.iter().collect();
                while let Some(base) = todo.pop() {
                    let Some(base) = self.class_named(u, &class.name, base) else {
                        continue;
                    };
                    if bases.len() < 16 && !bases.iter().any(|b| b.name == base.name) {
                        bases.push(base);
                        todo.extend(&base.bases);
                    }
                }
                for method in &class.methods {
                    let name = last(&method.name);
                    for base in &bases {
                        if base.methods.iter().any(|m| last(&m.name) == name) {
                            found.insert(Name::new(format!("{}::{name}", base.name)));
                        }
                    }
                }
            }
        }
        self.overridden = found;
    }

    /// The class that a name means inside `scope`: innermost first.
    pub(crate) fn class_named(&self, unit: usize, scope: &str, name: &str) -> Option<&Class> {
        let mut scope = scope;
        while !scope.is_empty() {
            if let Some(class) = self.class(unit, &format!("{scope}::{name}")) {
                return Some(class);
            }
            scope = scope_of(scope);
        }
        self.class(unit, name)
    }

    /// The value of a named constant as seen from a unit.
    pub(crate) fn constant(&self, unit: usize, name: &str) -> Option<i128> {
        let own = self
            .unit_constants
            .get(unit)
            .and_then(|own| own.get(name).copied());
        own.or_else(|| self.constants.get(name).copied().flatten())
            .or_else(|| self.models.constant(name).map(i128::from))
    }

    /// What a call of `callee` with `args` arguments goes to, seen from `from`.
    pub(crate) fn target(
        &self,
        unit: usize,
        from: &Function,
        callee: &Callee,
        args: usize,
    ) -> Target<'_> {
        match callee {
            Callee::Function(name) => self.target_of_name(unit, from, name, args),
            Callee::Method { receiver, name, ty } => {
                let known = match ty {
                    Some(ty) => Some(self.resolve(ty).name),
                    None => self.class_of_place(unit, from, *receiver),
                };
                let class = known.and_then(|ty| self.class_named(unit, &from.name, &ty));
                class
                    .and_then(|class| self.method(unit, class, name, args))
                    .map_or(Target::Unknown, Target::Defined)
            }
            Callee::Constructor(ty) | Callee::New(ty) => {
                let ty = self.resolve(ty);
                let class = self.class_named(unit, &from.name, &ty.name);
                class
                    .filter(|class| !has_references(class))
                    .and_then(|class| {
                        let name = format!("{}::{}", class.name, last(&class.name));
                        let written = class
                            .methods
                            .iter()
                            .any(|m| m.kind == FunctionKind::Constructor);
                        if !written && args == 0 {
                            return self.field_init(unit, &class.name);
                        }
                        self.pick_only(unit, &name, args)
                    })
                    .map_or(Target::Unknown, Target::Defined)
            }
            Callee::Pointer(Operand::Const(Const::Function(name))) => {
                self.target_of_name(unit, from, name, args)
            }
            Callee::Pointer(_) => Target::Unknown,
        }
    }

    /// The default member initialisers of a class, as a function.
    pub(crate) fn field_init(&self, unit: usize, class: &str) -> Option<FnRef> {
        self.pick_only(unit, &format!("{class}::{{init}}"), 0)
    }

    /// A method by its name, the class's own or inherited; none where it may be overridden.
    fn method(&self, unit: usize, class: &Class, name: &str, args: usize) -> Option<FnRef> {
        let mut at = class;
        for _ in 0..8 {
            let declared = at.methods.iter().find(|m| last(&m.name) == name);
            let qualified = format!("{}::{name}", at.name);
            if let Some(declared) = declared {
                if self.overridden.contains(&*qualified) {
                    return None;
                }
                let _ = declared;
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
        if has_references(class) {
            return None;
        }
        let declared = class
            .methods
            .iter()
            .any(|m| m.kind == FunctionKind::Destructor);
        if !declared {
            let plain = class.bases.is_empty();
            return plain.then_some(None);
        }
        let name = format!("{}::~{}", class.name, last(&class.name));
        Some(Some(self.pick_only(unit, &name, 0)?))
    }

    /// The class named by a place's declared type: a field of the method's class, through pointers.
    fn class_of_place(
        &self,
        unit: usize,
        from: &Function,
        place: pipelint_ir::PlaceId,
    ) -> Option<Name> {
        let place = &from.places[place];
        let mut ty: Option<Name> = match &place.base {
            Base::SelfObj => from.class.clone(),
            Base::Local(l) => Some(self.resolve(&from.locals.get(l.0 as usize)?.ty).name),
            _ => None,
        };
        for step in &place.proj {
            ty = match step {
                Proj::Deref | Proj::Index(_) => ty,
                Proj::Field(field) => {
                    let class = self.class_named(unit, &from.name, &ty?)?;
                    let field = class.fields.iter().find(|f| f.name == *field)?;
                    Some(self.resolve(&field.ty).name)
                }
            };
        }
        ty
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

    /// The only function of this name that takes so many arguments.
    fn pick_only(&self, unit: usize, name: &str, args: usize) -> Option<FnRef> {
        let found = self.functions.get(name)?;
        let fits = |r: &&FnRef| {
            self.function(**r).params as usize == args
                && (r.0 == unit || !self.function(**r).internal)
        };
        let mut fitting: Vec<&FnRef> = found.iter().filter(fits).collect();
        fitting.sort_by_key(|r| distance(unit, r));
        match fitting[..] {
            [first, second, ..] if second.0 == first.0 => None,
            [first, ..] => Some(*first),
            [] => None,
        }
    }

    fn target_of_name(&self, unit: usize, from: &Function, name: &str, args: usize) -> Target<'_> {
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
            while !scope.is_empty() {
                if let Some(found) = self.pick(unit, &format!("{scope}::{name}"), args) {
                    return Target::Defined(found);
                }
                if let Some(class) = self.class(unit, scope)
                    && class.methods.iter().any(|m| last(&m.name) == name)
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
        let plain = name.strip_prefix("std::").unwrap_or(name);
        match self.models.function(name) {
            Some(model) if model.names.iter().any(|n| n == name || n == plain) => {
                Target::Model(model)
            }
            _ => Target::Unknown,
        }
    }

    /// The function of this exact name: the unit's own first, then by number of parameters.
    fn pick(&self, unit: usize, name: &str, args: usize) -> Option<FnRef> {
        let found = self.functions.get(name)?;
        let fits = |r: &&FnRef| self.function(**r).params as usize == args;
        let visible = |r: &&FnRef| r.0 == unit || !self.function(**r).internal;
        // A library for several systems defines a function once for each, in folders of their own.
        let nearest = |r: &&FnRef| (!fits(r), distance(unit, r));
        found.iter().filter(visible).min_by_key(nearest).copied()
    }

    /// Whether a call gives control back.
    pub(crate) fn returns(&self, target: Target<'_>, callee: &Callee) -> Returns {
        match target {
            Target::Model(model) if model.noreturn => Returns::Never,
            Target::Model(_) => Returns::Yes,
            Target::Defined(f) => self.returns.get(&f).copied().unwrap_or(Returns::Maybe),
            Target::Unknown => match callee {
                Callee::Function(name) if self.noreturn.contains(name.trim_start_matches("::")) => {
                    Returns::Never
                }
                // Its body is not seen and its name says that it may not come back: nothing is
                // shown beyond it.
                Callee::Function(name) if speaks_of_ending(last(name)) => Returns::Never,
                Callee::Function(name) if speaks_of_logging(last(name)) => Returns::Yes,
                _ => Returns::Maybe,
            },
        }
    }

    /// The constant that a defined function always returns.
    pub(crate) fn constant_result(&self, f: FnRef) -> Option<i128> {
        self.constant_results.get(&f).copied()
    }

    /// A type with the program's aliases resolved, a few steps deep.
    pub(crate) fn resolve(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        for _ in 0..8 {
            if self.models.is_handle_type(&ty.name) {
                break;
            }
            let Some(alias) = self.aliases.get(&ty.name).filter(|a| a.name != ty.name) else {
                break;
            };
            ty.name = alias.name.clone();
            ty.pointers += alias.pointers;
        }
        ty
    }

    /// Least fixpoint from "never": a function returns when a path of calls that return reaches
    /// its end.
    fn find_returns(&mut self) {
        let all: Vec<FnRef> = self.all().collect();
        let index: FxHashMap<FnRef, usize> = all.iter().enumerate().map(|(i, f)| (*f, i)).collect();
        // What each block's calls do, resolved once.
        let calls: Vec<Vec<Vec<CallReturns>>> = all
            .par_iter()
            .map(|&f| {
                let function = self.function(f);
                let block = |b: &pipelint_ir::Block| {
                    b.stmts
                        .iter()
                        .filter_map(|s| self.call_returns(f.0, function, s, &index))
                        .collect()
                };
                function.blocks.iter().map(block).collect()
            })
            .collect();
        let mut known = vec![Returns::Never; all.len()];
        let mut settled = false;
        for _ in 0..64 {
            let mut changed = false;
            for (i, &f) in all.iter().enumerate() {
                let function = self.function(f);
                if known[i] == Returns::Yes || function.noreturn {
                    continue;
                }
                let now = reach_end(function, &calls[i], &known);
                changed |= std::mem::replace(&mut known[i], now) != now;
            }
            if !changed {
                settled = true;
                break;
            }
        }
        for (i, &f) in all.iter().enumerate() {
            let open = !settled && known[i] == Returns::Never && !self.function(f).noreturn;
            self.returns
                .insert(f, if open { Returns::Maybe } else { known[i] });
        }
    }

    fn call_returns(
        &self,
        unit: usize,
        from: &Function,
        stmt: &Statement,
        index: &FxHashMap<FnRef, usize>,
    ) -> Option<CallReturns> {
        match stmt {
            Statement::Call { callee, args, .. } => {
                let target = self.target(unit, from, callee, args.len());
                if let Target::Defined(f) = target {
                    return index.get(&f).map(|i| CallReturns::As(*i));
                }
                match self.returns(target, callee) {
                    Returns::Yes => None,
                    other => Some(CallReturns::Known(other)),
                }
            }
            Statement::Opaque { .. } => Some(CallReturns::Known(Returns::Maybe)),
            _ => None,
        }
    }

    fn find_constant_results(&mut self) {
        let mut found = FxHashMap::default();
        for f in self.all() {
            let function = self.function(f);
            let mut value = None;
            let mut steady = function.kind != FunctionKind::Lambda;
            for block in &function.blocks {
                // Any call or store may matter; only plain returns are taken.
                steady &= block.stmts.iter().all(|s| matches!(s, Statement::Mark(_)));
                match &block.term {
                    Terminator::Return(Some(Operand::Const(c))) => {
                        let this = match c {
                            Const::Int(v) => Some(*v),
                            Const::Null => Some(0),
                            Const::Named(name) => self.constant(f.0, name),
                            _ => None,
                        };
                        steady &= this.is_some() && (value.is_none() || value == this);
                        value = this;
                    }
                    Terminator::Goto(_) | Terminator::Unreachable => {}
                    _ => steady = false,
                }
            }
            if let (true, Some(value)) = (steady, value) {
                found.insert(f, value);
            }
        }
        self.constant_results = found;
    }
}

/// Whether one call gives control back.
enum CallReturns {
    Known(Returns),
    /// As this function of the program does.
    As(usize),
}

/// Whether the function's end is reached: first by calls that surely return, then by those that
/// may.
fn reach_end(function: &Function, calls: &[Vec<CallReturns>], known: &[Returns]) -> Returns {
    if function.blocks.is_empty() {
        return Returns::Maybe;
    }
    for sure in [true, false] {
        let mut seen = vec![false; function.blocks.len()];
        let mut todo = vec![0usize];
        while let Some(b) = todo.pop() {
            let Some(block) = function.blocks.get(b) else {
                continue;
            };
            if std::mem::replace(&mut seen[b], true) {
                continue;
            }
            todo.extend(block.unwind.map(|handler| handler.0 as usize));
            let passes = calls[b].iter().all(|call| {
                let returns = match call {
                    CallReturns::Known(returns) => *returns,
                    CallReturns::As(i) => known[*i],
                };
                match returns {
                    Returns::Yes => true,
                    Returns::Maybe => !sure,
                    Returns::Never => false,
                }
            });
            if !passes {
                continue;
            }
            match &block.term {
                Terminator::Return(_) => return if sure { Returns::Yes } else { Returns::Maybe },
                term => successors(term, |b| todo.push(b)),
            }
        }
    }
    Returns::Never
}

/// A word of the name is one that functions which end the process or throw are named by.
fn speaks_of_ending(name: &str) -> bool {
    has_word(name, &["fatal", "die", "abort", "panic", "throw", "bail"])
}

/// A word of the name is one that functions which write a message and return are named by.
pub(crate) fn speaks_of_logging(name: &str) -> bool {
    has_word(
        name,
        &[
            "warn", "warning", "log", "trace", "debug", "print", "printf",
        ],
    )
}

/// A word of the name says that it stands for zero: no error, no flag, nothing. `GetX()` is a call.
pub(crate) fn speaks_of_nothing(name: &str) -> bool {
    name.ends_with(')')
        || has_word(
            name,
            &[
                "ok", "success", "none", "no", "null", "nil", "zero", "false", "empty", "nothing",
                "off", "pass", "passed", "min", "first", "begin", "start",
            ],
        )
}

/// Whether a name in any of the usual styles has one of these words.
fn has_word(name: &str, wanted: &[&str]) -> bool {
    let mut words: Vec<String> = Vec::new();
    let mut last = '_';
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && last.is_lowercase()) || words.is_empty() {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        last = c;
    }
    words.iter().any(|w| wanted.contains(&w.as_str()))
}

/// What stands before the last `::`; empty without one.
fn scope_of(name: &str) -> &str {
    name.rfind("::").map_or("", |i| &name[..i])
}

/// Calls `f` with every successor of a terminator.
pub(crate) fn successors(term: &Terminator, mut f: impl FnMut(usize)) {
    match term {
        Terminator::Goto(b) => f(b.0 as usize),
        Terminator::Branch {
            then, otherwise, ..
        } => {
            f(then.0 as usize);
            f(otherwise.0 as usize);
        }
        Terminator::Switch { arms, default, .. } => {
            for (_, b) in arms {
                f(b.0 as usize);
            }
            f(default.0 as usize);
        }
        Terminator::Return(_) | Terminator::Unwind | Terminator::Unreachable => {}
    }
}

/// Two files may each have a class of one name: whose is meant must be clear.
fn pick_class(
    classes: &FxHashMap<Name, Vec<ClassRef>>,
    unit: usize,
    name: &str,
) -> Option<ClassRef> {
    let found = classes.get(name)?;
    let own = found.iter().find(|(u, _)| *u == unit);
    own.or_else(|| found.first().filter(|_| found.len() == 1))
        .copied()
}

/// A name that a method uses and its class declares as a field is `self.name`.
fn resolve_fields(function: &mut Function, fields: &FxHashSet<Name>) {
    if matches!(
        function.kind,
        FunctionKind::StaticMethod | FunctionKind::Lambda
    ) {
        return;
    }
    function.places.rewrite(|place: &mut Place| {
        if let Base::Global(name) = &place.base
            && fields.contains(name)
        {
            place.proj.insert(0, Proj::Field(name.clone()));
            place.base = Base::SelfObj;
        }
    });
}

/// Globals that some function of the unit assigns or takes the address of.
fn assigned_globals(unit: &Unit) -> FxHashSet<Name> {
    let mut found = FxHashSet::default();
    for function in &unit.functions {
        let mut note = |id| {
            if let Place {
                base: Base::Global(name),
                ..
            } = &function.places[id]
            {
                found.insert(Name::new(last(name)));
            }
        };
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            match stmt {
                Statement::Assign { dst, value } => {
                    note(*dst);
                    if let Rvalue::Ref(place) = value {
                        note(*place);
                    }
                }
                Statement::Call { dst: Some(dst), .. } => note(*dst),
                Statement::Opaque { touches, .. } => touches.iter().for_each(|p| note(*p)),
                _ => {}
            }
            // A C++ reference parameter may change a name that is passed as it is.
            if let (Language::Cpp, Statement::Call { args, .. }) = (unit.language, stmt) {
                for arg in args {
                    if let Operand::Copy(place) | Operand::Move(place) = arg {
                        note(*place);
                    }
                }
            }
        }
    }
    found
}
