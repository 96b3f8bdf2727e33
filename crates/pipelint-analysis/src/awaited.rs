//! Which threads and callbacks a statement waits for, by the objects that they are kept in.

use pipelint_ir::{Base, Callee, Const, Name, Operand, PlaceId, Rvalue, Statement, Type};
use pipelint_models::Condition;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::locked::At;
use crate::names::points_uniquely;
use crate::object_keys::ObjectKey;
use crate::program::{FnRef, Program, Target, last};
use crate::threads::{RootId, Threads};
use crate::told_types::Told;

/// A statement that does not go on before something else has ended.
#[derive(Debug)]
pub(crate) struct Await {
    /// The call.
    pub(crate) api: Name,
    /// What it waits for.
    pub(crate) roots: Vec<RootId>,
    /// It may take as long as others like.
    pub(crate) blocks: bool,
    /// An object that it waits for without a limit.
    pub(crate) object: Option<ObjectKey>,
}

/// The waits of each function, by its number.
pub(crate) fn awaits(
    program: &Program<'_>,
    all: &[FnRef],
    threads: Option<&Threads<'_, '_>>,
) -> Vec<Vec<(At, Await)>> {
    let started = threads.map(|threads| Started::new(program, threads));
    all.par_iter()
        .map(|&f| {
            let told = Told::new(program, f);
            let mut found = Vec::new();
            for (b, block) in told.function.blocks.iter().enumerate() {
                for (i, stmt) in block.stmts.iter().enumerate() {
                    let awaited = started.as_ref().and_then(|s| s.awaited(&told, stmt));
                    let awaited = awaited.filter(|(_, roots)| !roots.is_empty());
                    let blocks = blocks(&told, stmt);
                    if awaited.is_none() && blocks.is_none() {
                        continue;
                    }
                    let object = blocks.as_ref().and_then(|(_, object)| object.clone());
                    let waits = blocks.is_some();
                    let api = blocks.map(|(api, _)| api);
                    let (named, roots) = awaited.unzip();
                    found.push((
                        (b, i),
                        Await {
                            api: named.or(api).unwrap_or_default(),
                            roots: roots.unwrap_or_default(),
                            blocks: waits,
                            object,
                        },
                    ));
                }
            }
            found
        })
        .collect()
}

/// What is started, and where it is kept.
struct Started<'a, 'm> {
    threads: &'a Threads<'a, 'm>,
    kept: Vec<(RootId, Vec<ObjectKey>)>,
    /// Calls that wait, by name.
    names: FxHashSet<Name>,
}

impl<'a, 'm> Started<'a, 'm> {
    fn new(program: &Program<'_>, threads: &'a Threads<'a, 'm>) -> Self {
        let mut kept = Vec::new();
        let mut names = FxHashSet::default();
        for (id, start) in threads.starts() {
            names.extend(start.how.joined_by.iter().map(|n| Name::new(last(n))));
            let by = start.by.map(|(f, at)| Told::new(program, f).kept(at));
            kept.push((id, by.unwrap_or_default()));
        }
        Self {
            threads,
            kept,
            names,
        }
    }

    /// The roots that are kept in an object.
    fn kept_in(&self, object: Option<ObjectKey>) -> Vec<RootId> {
        let Some(object) = object else {
            return Vec::new();
        };
        let roots = self.kept.iter().filter(|(_, keys)| keys.contains(&object));
        roots.map(|(id, _)| *id).collect()
    }

    /// The call, and what it waits for.
    fn awaited(&self, told: &Told<'_, '_>, stmt: &Statement) -> Option<(Name, Vec<RootId>)> {
        let Statement::Call { callee, args, .. } = stmt else {
            return None;
        };
        let name = match callee {
            Callee::Function(name) | Callee::Method { name, .. } => Name::new(last(name)),
            _ => return None,
        };
        let object = |n: usize| told.object_of(args.get(n)?);
        let target = told
            .program
            .target(told.f.0, told.function, callee, args.len());
        if let Target::Model(model) = target {
            if let Some(waits) = &model.waits {
                let forever = waits
                    .timeout
                    .is_some_and(|n| args.get(n).is_some_and(|arg| is_forever(told, arg)));
                let all = waits
                    .all
                    .is_none_or(|n| args.get(n).and_then(|op| number(told, op)) == Some(1));
                let of = waits.handle.or(waits.array).filter(|_| forever && all)?;
                return Some((name, self.kept_in(object(of))));
            }
            if let Some(awaits) = &model.awaits_callbacks {
                let holds = awaits
                    .when
                    .as_ref()
                    .is_none_or(|when| holds(told, when, args));
                let of = Some(awaits.object).filter(|_| holds)?;
                return Some((name, self.kept_in(object(of))));
            }
            if let Some(roots) = self.serialised(told, &name, args) {
                return Some((name, roots));
            }
        }
        if matches!(target, Target::Defined(_)) {
            return None;
        }
        if let Some(roots) = self.serialised(told, &name, args) {
            return Some((name, roots));
        }
        if !self.names.contains(&name) {
            return None;
        }
        // A wait with a limit ends.
        let roots = match callee {
            Callee::Method { receiver, .. } if args.is_empty() => {
                self.joined(told, *receiver, &name)
            }
            Callee::Function(_) if args.is_empty() => self.own(told, &name),
            Callee::Function(_) => {
                let by_name = |id: &RootId| self.is_joined_by(*id, &name);
                self.kept_in(object(0))
                    .into_iter()
                    .filter(by_name)
                    .collect()
            }
            _ => Vec::new(),
        };
        Some((name, roots))
    }

    fn is_joined_by(&self, id: RootId, name: &str) -> bool {
        let start = self.threads.root(id).start.as_ref();
        start.is_some_and(|s| s.how.joined_by.iter().any(|n| last(n) == name))
    }

    /// `thread_.join()`
    fn joined(&self, told: &Told<'_, '_>, receiver: PlaceId, name: &Name) -> Vec<RootId> {
        let object = told.object(receiver);
        let unknown = matches!(object, None | Some(ObjectKey::Local(..)));
        let mut roots = self.kept_in(object);
        roots.retain(|id| self.is_joined_by(*id, name));
        let ty = told.type_of(receiver);
        let class = ty.and_then(|ty| self.class_of(told, &ty));
        let derived = self.threads.starts().filter(|(id, start)| {
            let of = told.program.function(start.entry).class.as_ref();
            start.by.is_none()
                && class.is_some()
                && of == class.as_ref()
                && self.is_joined_by(*id, name)
        });
        roots.extend(derived.map(|(id, _)| id));
        if roots.is_empty() && unknown && name == "join" {
            // An element of something: of what the class keeps its threads in.
            let own = told.function.class.as_ref();
            let own = own.and_then(|class| told.program.class_ref(told.f.0, class));
            let of_class = |key: &ObjectKey| match key {
                ObjectKey::Field(class, field) if Some(*class) == own => {
                    let fields = &told.program.class_at(*class).fields;
                    let field = fields.iter().find(|f| f.name == *field);
                    field.is_some_and(|f| f.ty.arrays > 0 || holds_many(&f.ty.name))
                }
                _ => false,
            };
            let kept = self.kept.iter().filter(|(id, keys)| {
                own.is_some() && keys.iter().any(of_class) && self.is_joined_by(*id, name)
            });
            roots.extend(kept.map(|(id, _)| *id));
        }
        roots
    }

    /// `wait()`, of a class that derives from a thread.
    fn own(&self, told: &Told<'_, '_>, name: &Name) -> Vec<RootId> {
        let own = told.function.class.as_ref();
        let derived = self.threads.starts().filter(|(id, start)| {
            let of = told.program.function(start.entry).class.as_ref();
            start.by.is_none() && own.is_some() && of == own && self.is_joined_by(*id, name)
        });
        derived.map(|(id, _)| id).collect()
    }

    fn class_of(&self, told: &Told<'_, '_>, ty: &Type) -> Option<Name> {
        let named = crate::names::led_to(ty, None)
            .filter(|_| points_uniquely(ty) || ty.is_object())
            .unwrap_or_else(|| told.program.resolve(ty).name.clone());
        let class = told
            .program
            .class_named(told.f.0, &told.function.name, &named)?;
        Some(class.name.clone())
    }

    /// The system lets this call and what it has run take turns.
    fn serialised(
        &self,
        told: &Told<'_, '_>,
        name: &Name,
        args: &[Operand],
    ) -> Option<Vec<RootId>> {
        let serialised = |(id, start): (RootId, &crate::thread_starts::ThreadStart)| {
            let by = start.how.serialised_by.as_ref()?;
            let this = by.names.iter().any(|n| last(n) == *name) && holds(told, &by.when, args);
            let named = match args.get(by.arg)? {
                Operand::Const(Const::Function(f)) => {
                    let f = told.program.only_function(told.f.0, told.function, f);
                    f == Some(start.entry)
                }
                Operand::Const(_) => false,
                _ => true,
            };
            (this && named).then_some(id)
        };
        let roots: Vec<RootId> = self.threads.starts().filter_map(serialised).collect();
        (!roots.is_empty()).then_some(roots)
    }
}

fn holds_many(name: &str) -> bool {
    let name = last(name).to_ascii_lowercase();
    [
        "vec", "list", "map", "set", "deque", "array", "queue", "slab",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// A call that may wait as long as others like, and the object that it waits for, where it is known.
fn blocks(told: &Told<'_, '_>, stmt: &Statement) -> Option<(Name, Option<ObjectKey>)> {
    let Statement::Call {
        callee: callee @ Callee::Function(name),
        args,
        ..
    } = stmt
    else {
        return None;
    };
    let target = told
        .program
        .target(told.f.0, told.function, callee, args.len());
    let Target::Model(model) = target else {
        return None;
    };
    let name = Name::new(last(name));
    if let Some(waits) = &model.waits {
        let limit = args.get(waits.timeout?)?;
        let of = waits.handle.or(waits.array)?;
        let object = told.object_of(args.get(of)?);
        return is_forever(told, limit).then_some((name, object));
    }
    let blocks = model.blocks.as_ref()?;
    let at_once = blocks.timeout.is_some_and(|n| {
        let limit = args.get(n);
        limit.is_none_or(|limit| number(told, limit) == Some(0))
    });
    let waits = !at_once
        && blocks
            .when
            .as_ref()
            .is_none_or(|when| holds(told, when, args));
    waits.then_some((name, None))
}

/// A number that an operand is; a variable that is filled once is what fills it.
pub(crate) fn number(told: &Told<'_, '_>, op: &Operand) -> Option<i128> {
    match op {
        Operand::Const(Const::Int(n)) => Some(*n),
        Operand::Const(Const::Null) => Some(0),
        Operand::Const(Const::Named(name)) => told.program.constant(told.f.0, name),
        Operand::Const(_) => None,
        Operand::Copy(place) | Operand::Move(place) => {
            let place = &told.function.places[*place];
            let (Base::Local(l), []) = (&place.base, &place.proj[..]) else {
                return None;
            };
            match told.def(l.0)? {
                Statement::Assign {
                    value: Rvalue::Use(Operand::Const(c)) | Rvalue::Cast(_, Operand::Const(c)),
                    ..
                } => number(told, &Operand::Const(c.clone())),
                _ => None,
            }
        }
    }
}

/// A wait of this length has no end.
pub(crate) fn is_forever(told: &Told<'_, '_>, op: &Operand) -> bool {
    matches!(number(told, op), Some(-1 | 0xffff_ffff))
        || matches!(op, Operand::Const(Const::Named(name)) if last(name) == "INFINITE")
}

fn holds(told: &Told<'_, '_>, when: &Condition, args: &[Operand]) -> bool {
    let Some(op) = args.get(when.arg) else {
        return false;
    };
    if let Some(equals) = &when.equals {
        let named = matches!(op, Operand::Const(Const::Named(name)) if last(name) == equals);
        let wanted = equals
            .parse()
            .ok()
            .or_else(|| told.program.constant(told.f.0, equals));
        return named || wanted.is_some() && wanted == number(told, op);
    }
    match when.null {
        Some(null) => number(told, op).is_some_and(|n| (n == 0) == null),
        None => false,
    }
}
