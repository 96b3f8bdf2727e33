//! What a pointer member leads to, told by who makes the object: a constructor puts its parameter there, and each
//! place that makes such an object gives the address of one and the same field; or code puts that address there
//! itself. So a lock or a container that one object has, and that others reach by pointer, has one name.
//!
//! All makers in sight must agree, and nothing else may be put into the member.

use std::collections::BTreeMap;

use pipelint_ir::{
    Base, Const, Language, Name, Operand, PlaceId, Proj, Reference, Rvalue, Statement, Terminator,
    Type,
};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::place_of;
use crate::lock_ends::LockKey;
use crate::object_keys::ObjectKey;
use crate::program::{ClassRef, FnRef, Program, Target};
use crate::told_types::Told;

/// Pointers to pointers, and getters of getters, that are followed.
const DEEPEST: u32 = 4;

/// What is put into a member.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Nothing,
    /// The address of this.
    Address(ObjectKey),
    /// What this pointer member leads to.
    Member(ObjectKey),
    /// A parameter of the function.
    Parameter(FnRef, usize),
    Unknown,
}

type Member = (ClassRef, Name);

/// The members that are known, and what they lead to.
#[derive(Debug, Default)]
pub(crate) struct PointerMembers(FxHashMap<Member, ObjectKey>);

impl PointerMembers {
    pub(crate) fn new(program: &Program<'_>, all: &[FnRef]) -> Self {
        let names = pointer_fields(program);
        let puts: Vec<(Member, Source)> = all
            .par_iter()
            .flat_map_iter(|&f| puts(program, &names, f))
            .collect();
        let asked: FxHashSet<FnRef> = puts
            .iter()
            .filter_map(|(_, source)| match source {
                Source::Parameter(f, _) => Some(*f),
                _ => None,
            })
            .collect();
        let given: Vec<(FnRef, Vec<Source>)> = all
            .par_iter()
            .flat_map_iter(|&f| given(program, &asked, f))
            .collect();
        let mut makers: FxHashMap<FnRef, Vec<Vec<Source>>> = FxHashMap::default();
        for (f, sources) in given {
            makers.entry(f).or_default().push(sources);
        }
        let mut of: BTreeMap<Member, Vec<Source>> = BTreeMap::new();
        for (member, source) in puts {
            let known = of.entry(member).or_default();
            match source {
                Source::Nothing => {}
                Source::Parameter(f, n) => match makers.get(&f) {
                    Some(makers) => known.extend(makers.iter().map(|given| {
                        let of = given.get(n).cloned();
                        of.unwrap_or(Source::Unknown)
                    })),
                    None => known.push(Source::Unknown),
                },
                source => known.push(source),
            }
        }
        let mut found = Self::default();
        // A member that is copied from another one is known as soon as that one is.
        for _ in 0..DEEPEST {
            let before = found.0.len();
            for (member, sources) in &of {
                if !found.0.contains_key(member)
                    && let Some(key) = found.agreed(sources)
                    && key != ObjectKey::Field(member.0, member.1.clone())
                {
                    found.0.insert(member.clone(), key);
                }
            }
            if found.0.len() == before {
                break;
            }
        }
        found
    }

    /// What all that is put into a member is.
    fn agreed(&self, sources: &[Source]) -> Option<ObjectKey> {
        let mut keys = sources
            .iter()
            .filter(|source| **source != Source::Nothing)
            .map(|source| match source {
                Source::Address(key) => Some(self.settled(key.clone())),
                Source::Member(ObjectKey::Field(class, name)) => {
                    self.0.get(&(*class, name.clone())).cloned()
                }
                _ => None,
            });
        let first = keys.next()??;
        keys.all(|key| key.as_ref() == Some(&first))
            .then_some(first)
    }

    /// The name of what a pointer member leads to, if that is known; else its own.
    pub(crate) fn settled(&self, key: ObjectKey) -> ObjectKey {
        let mut key = key;
        for _ in 0..DEEPEST {
            let next = match &key {
                ObjectKey::Field(class, name) => self.0.get(&(*class, name.clone())),
                _ => None,
            };
            match next {
                Some(next) => key = next.clone(),
                None => break,
            }
        }
        key
    }

    /// The same of a lock.
    pub(crate) fn lock(&self, key: &LockKey) -> LockKey {
        let Some(class) = key.0 else {
            return key.clone();
        };
        match self.settled(ObjectKey::Field(class, key.1.clone())) {
            ObjectKey::Field(class, name) => (Some(class), name),
            ObjectKey::Global(Some(unit), name) => (None, Name::new(format!("#{unit}::{name}"))),
            ObjectKey::Global(None, name) => (None, name),
            ObjectKey::Local(..) => key.clone(),
        }
    }

    /// The object that others see which a place is or leads to: a field or a global.
    pub(crate) fn object(
        &self,
        told: &Told<'_, '_>,
        base: &Base,
        steps: &[Proj],
    ) -> Option<ObjectKey> {
        self.object_at(told, base, steps, 0)
    }

    fn object_at(
        &self,
        told: &Told<'_, '_>,
        base: &Base,
        steps: &[Proj],
        depth: u32,
    ) -> Option<ObjectKey> {
        match told.object_behind(base, steps, 0)? {
            ObjectKey::Local(_, l) if depth < DEEPEST => {
                let getter = getter(told, l)?;
                let (base, steps) = yields(&getter)?;
                self.object_at(&getter, &base, &steps, depth + 1)
            }
            ObjectKey::Local(..) => None,
            key => Some(self.settled(key)),
        }
    }
}

/// The function whose result a variable holds.
fn getter<'p, 'm>(told: &Told<'p, 'm>, local: u32) -> Option<Told<'p, 'm>> {
    let Statement::Call { callee, args, .. } = told.def(local)? else {
        return None;
    };
    let target = told
        .program
        .target(told.f.0, told.function, callee, args.len());
    match target {
        Target::Defined(g) => Some(Told::new(told.program, g)),
        _ => Some(Told::new(told.program, told.method(callee, args.len())?)),
    }
}

/// The place that a method of one line returns, or whose address it returns.
fn yields(getter: &Told<'_, '_>) -> Option<(Base, Vec<Proj>)> {
    let mut returned = getter.function.blocks.iter().filter_map(|b| match &b.term {
        Terminator::Return(Some(value)) => Some(place_of(value)),
        _ => None,
    });
    let place = returned.next()??;
    if returned.next().is_some() {
        return None;
    }
    let place = &getter.function.places[place];
    Some((place.base.clone(), place.proj.clone()))
}

/// The names of fields that hold a pointer or a reference.
fn pointer_fields(program: &Program<'_>) -> FxHashSet<Name> {
    let units = program.units.iter();
    let units = units.filter(|unit| unit.language != Language::Rust);
    let fields = units.flat_map(|u| &u.classes).flat_map(|c| &c.fields);
    let pointers = fields.filter(|f| !f.is_static && leads(&f.ty));
    pointers.map(|f| f.name.clone()).collect()
}

fn leads(ty: &Type) -> bool {
    ty.arrays == 0
        && (ty.pointers == 1 && ty.reference == Reference::None
            || ty.pointers == 0 && ty.reference != Reference::None)
}

/// What a function puts into pointer members.
fn puts(program: &Program<'_>, names: &FxHashSet<Name>, f: FnRef) -> Vec<(Member, Source)> {
    if program.units[f.0].language == Language::Rust {
        return Vec::new();
    }
    let function = program.function(f);
    let mut told: Option<Told<'_, '_>> = None;
    let mut found = Vec::new();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Aggregate(parts),
            } => {
                let told = told.get_or_insert_with(|| Told::new(program, f));
                let Some(class) = told.type_of(*dst).and_then(|ty| class_of(told, &ty)) else {
                    continue;
                };
                let fields = &program.class_at(class).fields;
                for (n, (name, op)) in parts.iter().enumerate() {
                    let field = match name {
                        Some(name) => fields.iter().find(|f| f.name == *name),
                        None => fields.get(n),
                    };
                    if let Some(field) = field.filter(|field| leads(&field.ty)) {
                        found.push(((class, field.name.clone()), source(told, op)));
                    }
                }
            }
            Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => {
                let place = &function.places[*dst];
                let Some((Proj::Field(name), before)) = place.proj.split_last() else {
                    continue;
                };
                if !names.contains(name) {
                    continue;
                }
                let told = told.get_or_insert_with(|| Told::new(program, f));
                let of = told.type_behind(&place.base, before);
                let class = of.and_then(|ty| class_of(told, &ty));
                let Some(class) = class.and_then(|class| program.declaring(class, name)) else {
                    continue;
                };
                let source = match stmt {
                    Statement::Assign { value, .. } => match value {
                        Rvalue::Use(op) | Rvalue::Cast(_, op) => source(told, op),
                        Rvalue::Ref(place) => address(told, *place),
                        _ => Source::Unknown,
                    },
                    _ => Source::Unknown,
                };
                found.push(((class, name.clone()), source));
            }
            _ => {}
        }
    }
    found
}

fn class_of(told: &Told<'_, '_>, ty: &Type) -> Option<ClassRef> {
    let named = told.program.resolve(ty).name.clone();
    let scope = &told.function.name;
    told.program.class_ref_in(told.f.0, scope, &named)
}

/// The address of a place.
fn address(told: &Told<'_, '_>, place: PlaceId) -> Source {
    let at = &told.function.places[place];
    // A reference that the function was given is bound on.
    if let (Base::Local(l), [Proj::Deref] | []) = (&at.base, &at.proj[..])
        && let Some(n) = parameter(told, l.0)
        && told
            .function
            .locals
            .get(n)
            .is_some_and(|l| l.ty.reference != Reference::None)
    {
        return Source::Parameter(told.f, n);
    }
    match told.object(place) {
        Some(key @ (ObjectKey::Field(..) | ObjectKey::Global(..))) => Source::Address(key),
        _ => Source::Unknown,
    }
}

fn parameter(told: &Told<'_, '_>, local: u32) -> Option<usize> {
    (local < told.function.params).then_some(local as usize)
}

/// What a pointer leads to.
fn source(told: &Told<'_, '_>, op: &Operand) -> Source {
    let place = match op {
        Operand::Const(Const::Null | Const::Int(0)) => return Source::Nothing,
        Operand::Const(_) => return Source::Unknown,
        Operand::Copy(place) | Operand::Move(place) => *place,
    };
    let at = &told.function.places[place];
    match (&at.base, &at.proj[..]) {
        (Base::Local(l), []) => match (parameter(told, l.0), told.def(l.0)) {
            (Some(n), _) => Source::Parameter(told.f, n),
            (
                None,
                Some(Statement::Assign {
                    value: Rvalue::Ref(of),
                    ..
                }),
            ) => address(told, *of),
            _ => Source::Unknown,
        },
        // An object that is bound to a reference.
        (Base::Local(l), [Proj::Deref]) if parameter(told, l.0).is_some() => address(told, place),
        _ => match told.object(place) {
            Some(key @ ObjectKey::Field(..)) => match told.type_of(place) {
                Some(ty) if leads(&ty) => Source::Member(key),
                Some(ty) if ty.is_object() => Source::Address(key),
                _ => Source::Unknown,
            },
            Some(key @ ObjectKey::Global(..)) => Source::Address(key),
            _ => Source::Unknown,
        },
    }
}

/// What the calls in a function give to functions that are asked for.
fn given(program: &Program<'_>, asked: &FxHashSet<FnRef>, f: FnRef) -> Vec<(FnRef, Vec<Source>)> {
    let function = program.function(f);
    let mut told: Option<Told<'_, '_>> = None;
    let mut found = Vec::new();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call { callee, args, .. } = stmt else {
            continue;
        };
        let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
            continue;
        };
        if !asked.contains(&g) {
            continue;
        }
        let told = told.get_or_insert_with(|| Told::new(program, f));
        let sources = args.iter().map(|arg| source(told, arg)).collect();
        found.push((g, sources));
    }
    found
}
