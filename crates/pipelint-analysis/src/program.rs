//! Linking: names to functions, classes and constants, over all units of a run.

use std::borrow::Cow;

use pipelint_ir::{
    Base, Callee, Class, Function, FunctionKind, Name, Place, Proj, Reference, Statement,
    Terminator, Type, Unit,
};
use pipelint_models::{FunctionModel, Models};
use pipelint_source::FileId;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::fields::Fields;
use crate::globals::Globals;
use crate::sites::Sites;
use crate::status::Statuses;
use crate::text::Texts;

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

impl PartialEq for Target<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Model(a), Self::Model(b)) => std::ptr::eq(*a, *b),
            (Self::Defined(a), Self::Defined(b)) => a == b,
            (Self::Unknown, Self::Unknown) => true,
            _ => false,
        }
    }
}

/// All units of a run, linked.
pub(crate) struct Program<'m> {
    pub(crate) units: Vec<Unit>,
    /// Per unit: its file.
    files: Vec<FileId>,
    /// Per unit: how many functions the units before it have.
    before: Vec<usize>,
    pub(crate) sites: Sites<'m>,
    pub(crate) models: &'m Models,
    pub(crate) globals: Globals,
    pub(crate) texts: Texts,
    /// Globals whose initialisers list names: unit and number.
    pub(crate) tables: FxHashMap<Name, Vec<(usize, usize)>>,
    pub(crate) fields: Fields,
    pub(crate) statuses: Statuses,
    pub(crate) functions: FxHashMap<Name, Vec<FnRef>>,
    /// Last segments of all functions and methods of the program.
    pub(crate) own_names: FxHashSet<Name>,
    pub(crate) classes: FxHashMap<Name, Vec<ClassRef>>,
    /// Last segments of the methods that classes declare, by unit and class.
    methods: Vec<Vec<FxHashSet<Name>>>,
    /// Last segments of all classes.
    class_names: FxHashSet<Name>,
    pub(crate) macros: FxHashSet<Name>,
    pub(crate) noreturn: FxHashSet<Name>,
    pub(crate) constants: FxHashMap<Name, Option<i128>>,
    pub(crate) unit_constants: Vec<FxHashMap<Name, i128>>,
    pub(crate) returns: FxHashMap<FnRef, Returns>,
    pub(crate) constant_results: FxHashMap<FnRef, i128>,
    pub(crate) aliases: FxHashMap<Name, Type>,
    /// Last segments of all aliases.
    pub(crate) alias_names: FxHashSet<Name>,
    /// Fields that are arrays in every class that has one of the name.
    pub(crate) array_fields: FxHashSet<Name>,
    /// Object-like macros that stand for another name, by unit and for all units.
    pub(crate) renames: Vec<FxHashMap<Name, Name>>,
    pub(crate) common_renames: FxHashMap<Name, Option<Name>>,
    /// Per class: whether some class derives from it and declares a method of this name again.
    pub(crate) overridden: FxHashSet<Name>,
}

/// The last segment of a qualified name.
pub(crate) fn last(name: &str) -> &str {
    // Asked for again and again: a search for one byte costs much less than one for two.
    match memchr::memrchr(b':', name.as_bytes()) {
        None => name,
        Some(at) if at > 0 && name.as_bytes()[at - 1] == b':' => &name[at + 1..],
        Some(_) => name.rsplit("::").next().unwrap_or(name),
    }
}

/// Names of fields that are arrays wherever they are declared.
fn array_fields(units: &[Unit]) -> FxHashSet<Name> {
    let mut arrays = FxHashSet::default();
    let mut others = FxHashSet::default();
    for field in units
        .iter()
        .flat_map(|u| &u.classes)
        .flat_map(|c| &c.fields)
    {
        let set = if field.ty.arrays > 0 {
            &mut arrays
        } else {
            &mut others
        };
        set.insert(field.name.clone());
    }
    arrays.retain(|name| !others.contains(name));
    arrays
}

impl<'m> Program<'m> {
    pub(crate) fn link(
        mut units: Vec<Unit>,
        models: &'m Models,
        elsewhere: &FxHashSet<Name>,
    ) -> Self {
        let files: Vec<FileId> = units.iter().map(|unit| unit.file).collect();
        let mut classes: FxHashMap<Name, Vec<ClassRef>> = FxHashMap::default();
        for (u, unit) in units.iter().enumerate() {
            for (c, class) in unit.classes.iter().enumerate() {
                classes.entry(class.name.clone()).or_default().push((u, c));
            }
        }
        let fields: FxHashMap<ClassRef, FxHashMap<Name, bool>> = classes
            .values()
            .flatten()
            .map(|&(u, c)| {
                let fields = units[u].classes[c].fields.iter().filter(|f| !f.is_static);
                // In Rust a reference is a value like others.
                let cpp = units[u].language != pipelint_ir::Language::Rust;
                let refers = |f: &pipelint_ir::Field| cpp && f.ty.reference != Reference::None;
                (
                    (u, c),
                    fields.map(|f| (f.name.clone(), refers(f))).collect(),
                )
            })
            .collect();
        // Of functions of one name, one may be static: the number of parameters tells them apart.
        let mut statics: FxHashMap<(Name, usize), bool> = FxHashMap::default();
        for m in units
            .iter()
            .flat_map(|u| &u.classes)
            .flat_map(|c| &c.methods)
        {
            let is = m.kind == FunctionKind::StaticMethod;
            let known = statics.entry((m.name.clone(), m.params.len()));
            *known.or_insert(is) &= is;
        }
        units.par_iter_mut().enumerate().for_each(|(u, unit)| {
            let sees = &unit.sees;
            for function in &mut unit.functions {
                let kind = function.kind;
                if matches!(kind, FunctionKind::Method | FunctionKind::StaticMethod) {
                    let said = (function.name.clone(), function.params as usize);
                    match statics.get(&said) {
                        Some(true) => function.kind = FunctionKind::StaticMethod,
                        Some(false) => function.kind = FunctionKind::Method,
                        None => {}
                    }
                }
                let class = function
                    .class
                    .as_ref()
                    .and_then(|name| pick_class(&classes, (u, sees), &files, name));
                if let Some(fields) = class.and_then(|c| fields.get(&c)) {
                    resolve_fields(function, fields);
                }
            }
        });
        let mut program = Self {
            files,
            globals: Globals::new(&units),
            texts: Texts::new(&units),
            tables: FxHashMap::default(),
            fields: Fields::default(),
            statuses: Statuses::default(),
            models,
            before: units
                .iter()
                .scan(0, |sum, unit| {
                    let before = *sum;
                    *sum += unit.functions.len();
                    Some(before)
                })
                .collect(),
            sites: Sites::default(),
            functions: FxHashMap::default(),
            own_names: FxHashSet::default(),
            methods: units
                .par_iter()
                .map(|unit| {
                    let names = |class: &Class| {
                        let names = class.methods.iter().map(|m| Name::new(last(&m.name)));
                        names.collect()
                    };
                    unit.classes.iter().map(names).collect()
                })
                .collect(),
            class_names: classes.keys().map(|name| Name::new(last(name))).collect(),
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
            array_fields: array_fields(&units),
            alias_names: units
                .iter()
                .flat_map(|u| &u.aliases)
                .map(|(name, _)| Name::new(last(name)))
                .collect(),
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
        program.settle_references();
        program.settle_initialisers();
        program.settle_moves();
        program.find_targets();
        program.find_returns();
        program.find_constant_results();
        program.fields = Fields::new(&program, elsewhere);
        program.statuses = Statuses::new(&program);
        program
    }

    pub(crate) fn function(&self, (u, f): FnRef) -> &Function {
        &self.units[u].functions[f]
    }

    /// A function's place among `all`.
    pub(crate) fn number(&self, (u, f): FnRef) -> usize {
        self.before[u] + f
    }

    /// Some call that stands in the function itself is one of these, by what is written and what that means.
    pub(crate) fn has_call(
        &self,
        unit: usize,
        function: &Function,
        is: &dyn Fn(&Callee, Target<'m>) -> bool,
    ) -> bool {
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.any(|stmt| match stmt {
            Statement::Call { callee, args, .. } => {
                is(callee, self.target(unit, function, callee, args.len()))
            }
            _ => false,
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = FnRef> + '_ {
        self.units
            .iter()
            .enumerate()
            .flat_map(|(u, unit)| (0..unit.functions.len()).map(move |f| (u, f)))
    }

    /// The class that a name means in a unit: the unit's own, else the only one of this name.
    pub(crate) fn class_ref(&self, unit: usize, name: &str) -> Option<ClassRef> {
        let sees = &self.units[unit].sees;
        pick_class(&self.classes, (unit, sees), &self.files, name)
    }

    /// As `class_ref`, the class itself.
    pub(crate) fn class(&self, unit: usize, name: &str) -> Option<&Class> {
        self.class_ref(unit, name).map(|c| self.class_at(c))
    }

    /// The class that a name means where it is written: from the innermost scope outwards.
    pub(crate) fn class_ref_in(&self, unit: usize, scope: &str, name: &str) -> Option<ClassRef> {
        // Most types are no classes of the program.
        if !self.class_names.contains(last(name)) {
            return None;
        }
        let mut scope = scope;
        let mut full = String::with_capacity(scope.len() + 2 + name.len());
        while !scope.is_empty() {
            full.clear();
            full.extend([scope, "::", name]);
            if let Some(class) = self.class_ref(unit, &full) {
                return Some(class);
            }
            scope = scope_of(scope);
        }
        self.class_ref(unit, name)
    }

    /// The class declares a method of this name.
    pub(crate) fn declares(&self, (u, c): ClassRef, name: &str) -> bool {
        self.methods[u][c].contains(name)
    }

    pub(crate) fn class_at(&self, (u, c): ClassRef) -> &Class {
        &self.units[u].classes[c]
    }

    /// The class that declares a field of this one's objects: itself or a base; by its name.
    pub(crate) fn declarer(&self, class: ClassRef, field: &str) -> Option<Name> {
        let mut todo = vec![(class, 0)];
        while let Some((at, depth)) = todo.pop() {
            let class = self.class_at(at);
            if class.fields.iter().any(|f| f.name == field) {
                return Some(class.name.clone());
            }
            if depth < 8 {
                let bases = class.bases.iter();
                let bases = bases.filter_map(|base| self.class_ref_in(at.0, &class.name, base));
                todo.extend(bases.map(|base| (base, depth + 1)));
            }
        }
        None
    }

    fn index_functions(&mut self) {
        for (u, unit) in self.units.iter().enumerate() {
            for (g, global) in unit.globals.iter().enumerate() {
                if !global.table.is_empty() {
                    let known = self.tables.entry(global.name.clone()).or_default();
                    known.push((u, g));
                }
            }
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

    /// The classes that one derives from, at any depth.
    pub(crate) fn bases<'a>(&'a self, unit: usize, class: &'a Class) -> Vec<&'a Class> {
        let mut bases: Vec<&Class> = Vec::new();
        let mut todo: Vec<&Name> = class.bases.iter().collect();
        while let Some(base) = todo.pop() {
            let Some(base) = self.class_named(unit, &class.name, base) else {
                continue;
            };
            if bases.len() < 16 && !bases.iter().any(|b| b.name == base.name) {
                bases.push(base);
                todo.extend(&base.bases);
            }
        }
        bases
    }

    /// Virtual methods that a derived class declares again: which one runs is not known.
    fn index_overridden(&mut self) {
        let mut found = FxHashSet::default();
        for (u, unit) in self.units.iter().enumerate() {
            for class in &unit.classes {
                let bases = self.bases(u, class);
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
        let class = self.class_ref_in(unit, scope, name);
        class.map(|class| self.class_at(class))
    }

    /// A type with the program's aliases resolved, a few steps deep.
    pub(crate) fn resolve<'t>(&self, ty: &'t Type) -> Cow<'t, Type> {
        let mut ty = Cow::Borrowed(ty);
        for _ in 0..8 {
            let Some(alias) = self.aliases.get(&ty.name).filter(|a| a.name != ty.name) else {
                break;
            };
            if self.models.is_handle_type(&ty.name) {
                break;
            }
            let resolved = ty.to_mut();
            resolved.name = alias.name.clone();
            resolved.pointers += alias.pointers;
        }
        ty
    }
}

/// What stands before the last `::`; empty without one.
pub(crate) fn scope_of(name: &str) -> &str {
    match memchr::memrchr(b':', name.as_bytes()) {
        None => "",
        Some(at) if at > 0 && name.as_bytes()[at - 1] == b':' => &name[..at - 1],
        Some(_) => name.rfind("::").map_or("", |i| &name[..i]),
    }
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

/// Two files may each have a class of one name: whose is meant must be clear. It is the unit's own, or
/// that of a file which it includes.
fn pick_class(
    classes: &FxHashMap<Name, Vec<ClassRef>>,
    (unit, sees): (usize, &[FileId]),
    files: &[FileId],
    name: &str,
) -> Option<ClassRef> {
    let found = classes.get(name)?;
    let own = found.iter().find(|(u, _)| *u == unit);
    let only = || found.first().filter(|_| found.len() == 1);
    let included = || {
        let mut seen = found
            .iter()
            .filter(|(u, _)| sees.binary_search(&files[*u]).is_ok());
        seen.next().filter(|_| seen.next().is_none())
    };
    own.or_else(only).or_else(included).copied()
}

/// A name that a method uses and its class declares as a field is `self.name`.
/// A field that is a reference is what it refers to, but where a constructor binds it.
fn resolve_fields(function: &mut Function, fields: &FxHashMap<Name, bool>) {
    if matches!(
        function.kind,
        FunctionKind::StaticMethod | FunctionKind::Lambda
    ) {
        return;
    }
    let binds = matches!(
        function.kind,
        FunctionKind::Constructor | FunctionKind::FieldInit
    );
    function.places.rewrite(|place: &mut Place| {
        let mut refers = false;
        if let Base::Global(name) = &place.base
            && let Some(reference) = fields.get(name)
        {
            refers = *reference;
            place.proj.insert(0, Proj::Field(name.clone()));
            place.base = Base::SelfObj;
        } else if !binds
            && place.base == Base::SelfObj
            && let Some(Proj::Field(name)) = place.proj.first()
        {
            refers = fields.get(name).copied().unwrap_or(false);
        }
        if refers && place.proj.get(1) != Some(&Proj::Deref) {
            place.proj.insert(1, Proj::Deref);
        }
    });
}
