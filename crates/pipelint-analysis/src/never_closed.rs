//! Fields that a class creates a handle into, and that no code of the program ever lets go of.

use pipelint_ir::{
    Base, Callee, Const, Function, FunctionKind, LocalKind, Name, Operand, Place, PlaceId, Proj,
    Reference, Rvalue, Statement, Terminator,
};
use pipelint_models::{FunctionModel, Slot};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::visit_reads;
use crate::copies::derives_clone;
use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::fields::{FieldKey, field_of, key_of, shared_names};
use crate::fills::Fill;
use crate::forget::RAW_BOX;
use crate::other_holders::other_holders;
use crate::program::{ClassRef, FnRef, Program, Target, last};
use crate::taken_back::{TakenBack, pointee_named};

/// Where an OVERLAPPED holds its event, which stays the caller's:
/// <https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>.
const EVENT_OF_OVERLAPPED: &str = "hEvent";

/// A creation whose result a method puts into a field of its object.
struct Created {
    class: ClassRef,
    field: Name,
    api: Name,
    kind: String,
    span: Span,
    function: Name,
}

/// What one function does with fields.
#[derive(Default)]
struct Seen {
    created: Vec<Created>,
    /// Fields that it closes, hands out or gives to other code.
    let_go: FxHashSet<FieldKey>,
    /// Fields that it reads through a getter.
    used: FxHashSet<FieldKey>,
    /// Fields that it copies into others.
    copied: FxHashSet<(FieldKey, FieldKey)>,
}

/// What every function is looked at with.
struct Shared {
    /// Names that several classes declare.
    names: FxHashSet<Name>,
    /// Methods that yield a field of their object and do nothing else: who calls one reads the field.
    getters: FxHashMap<FnRef, FieldKey>,
}

/// Tells of every creation into a field that is never closed. What files that were not lowered do
/// with the fields `elsewhere` is not known.
pub(crate) fn never_closed(
    program: &Program<'_>,
    fills: &[Fill],
    elsewhere: &FxHashSet<Name>,
) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let mut shared = Shared {
        names: shared_names(program),
        getters: FxHashMap::default(),
    };
    let getter = |&f: &FnRef| Some((f, getter_of(program, f, &shared.names)?));
    shared.getters = all.par_iter().filter_map(getter).collect();
    let shared = &shared;
    let created: Vec<Vec<Created>> = all
        .par_iter()
        .map(|&f| Looker { program, f, shared }.seen(None).created)
        .collect();
    let mut created: Vec<Created> = created.into_iter().flatten().collect();
    created.extend(made_on_paths(program, fills));
    created.retain(|c| {
        let fields = &program.class_at(c.class).fields;
        let private = fields.iter().any(|f| f.name == c.field && f.is_private);
        // Code that is not seen cannot name it, if all of the class is.
        (private || !elsewhere.contains(&c.field)) && is_seen_whole(program, c.class)
    });
    leave_out_taken_back(program, &mut created, elsewhere);
    let others = leave_out_given(program, &mut created);
    if created.is_empty() {
        return Vec::new();
    }
    // What a field is copied into is asked for in its turn.
    let mut asked: FxHashSet<Name> = created.iter().map(|c| c.field.clone()).collect();
    asked.extend(others.values().flatten().map(|(_, field)| field.clone()));
    let mut let_go: FxHashSet<FieldKey> = FxHashSet::default();
    let mut used: FxHashSet<FieldKey> = FxHashSet::default();
    let mut copied: FxHashSet<(FieldKey, FieldKey)> = FxHashSet::default();
    loop {
        let seen: Vec<Seen> = all
            .par_iter()
            .map(|&f| Looker { program, f, shared }.seen(Some(&asked)))
            .collect();
        for seen in seen {
            let_go.extend(seen.let_go);
            used.extend(seen.used);
            copied.extend(seen.copied);
        }
        let before = asked.len();
        asked.extend(copied.iter().map(|(_, to)| to.1.clone()));
        if asked.len() == before {
            break;
        }
    }
    // Who calls a getter that nobody calls is not seen.
    for key in shared.getters.values() {
        if !used.contains(key) {
            let_go.insert(key.clone());
        }
    }
    // Into what the program does not declare, or declares for all to see, unseen code may look.
    let kept = |(class, name): &FieldKey| {
        let classes = program.units.iter().flat_map(|u| &u.classes);
        let mut classes = classes.filter(|c| class.is_empty() || c.name == *class);
        classes.any(|c| c.fields.iter().any(|f| f.name == *name && f.is_private))
    };
    for (_, to) in &copied {
        if to.1 != EVENT_OF_OVERLAPPED && !kept(to) {
            let_go.insert(to.clone());
        }
    }
    let is_gone = |key: FieldKey| {
        let mut todo = vec![key];
        let mut been: FxHashSet<FieldKey> = FxHashSet::default();
        while let Some((class, name)) = todo.pop() {
            for key in [(class, name.clone()), (Name::default(), name)] {
                if let_go.contains(&key) {
                    return true;
                }
                let next = copied.iter().filter(|(from, _)| *from == key);
                todo.extend(
                    next.map(|(_, to)| to.clone())
                        .filter(|to| !been.contains(to)),
                );
                been.insert(key);
            }
        }
        false
    };
    let is_let_go = |created: &Created| {
        let class = program.class_at(created.class).name.clone();
        let other = others.get(&created.span).into_iter().flatten();
        // Who has it as well may close it as well.
        let mut other = other.filter(|(of, field)| (of, field) != (&class, &created.field));
        is_gone((class.clone(), created.field.clone()))
            || other.any(|key| {
                let seen = kept(key) || !elsewhere.contains(&key.1);
                !seen || is_gone(key.clone())
            })
    };
    let mut events = Vec::new();
    let mut told: FxHashSet<(ClassRef, &Name)> = FxHashSet::default();
    // One pointer in several fields is let go of through any of them.
    let boxed = created.iter().filter(|c| c.kind == RAW_BOX);
    let gone: FxHashSet<Span> = boxed.filter(|c| is_let_go(c)).map(|c| c.span).collect();
    for created in &created {
        if gone.contains(&created.span)
            || is_let_go(created)
            || !told.insert((created.class, &created.field))
        {
            continue;
        }
        let kind = program.models.resource(&created.kind);
        let resource = Resource {
            api: created.api.clone(),
            created: created.span,
            origin: created.span,
            var: created.field.clone(),
            noun: kind.map_or_else(Name::default, |k| Name::new(&k.noun)),
            release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
            failure: None,
            handed_on: None,
        };
        let made = StepKind::Created {
            api: created.api.clone(),
            var: created.field.clone(),
        };
        events.push(Event {
            kind: EventKind::NeverClosed {
                class: program.class_at(created.class).name.clone(),
            },
            at: created.span,
            function: created.function.clone(),
            resource: Some(resource),
            path: vec![PathStep {
                span: created.span,
                what: made,
            }],
            others: Vec::new(),
        });
    }
    events
}

/// Leaves out memory that some code of the program may take back, wherever it has the pointer from.
fn leave_out_taken_back(
    program: &Program<'_>,
    created: &mut Vec<Created>,
    elsewhere: &FxHashSet<Name>,
) {
    if !created.iter().any(|c| c.kind == RAW_BOX) {
        return;
    }
    let back = TakenBack::new(program, elsewhere);
    created.retain(|c| {
        let class = program.class_at(c.class);
        let field = class.fields.iter().find(|f| f.name == c.field);
        let kept = field.and_then(|field| {
            let ty = program.resolve(&field.ty);
            pointee_named(program, c.class.0, &class.name, &ty.name)
        });
        // What is copied as it is owns nothing: such memory is for the rest of the process.
        c.kind != RAW_BOX || !(derives_clone(program, c.class) || back.may_take(c.span, &kept))
    });
}

/// Leaves out what other code has too, and yields the fields that it was put into, by the call that made
/// it.
fn leave_out_given(
    program: &Program<'_>,
    created: &mut Vec<Created>,
) -> FxHashMap<Span, FxHashSet<FieldKey>> {
    let rust = |c: &&Created| {
        c.kind != RAW_BOX && program.units[c.class.0].language == pipelint_ir::Language::Rust
    };
    let made: FxHashSet<Span> = created.iter().filter(rust).map(|c| c.span).collect();
    if made.is_empty() {
        return FxHashMap::default();
    }
    let others = other_holders(program, &made);
    created.retain(|c| !others.get(&c.span).is_some_and(|other| other.given));
    others
        .into_iter()
        .map(|(span, other)| (span, other.fields))
        .collect()
}

/// Every method that the class declares has a body in the program.
fn is_seen_whole(program: &Program<'_>, class: ClassRef) -> bool {
    let class = program.class_at(class);
    class
        .methods
        .iter()
        .filter(|m| !m.deleted && !m.defaulted)
        .all(|m| {
            let found = program.functions.get(&m.name);
            let fits = |f: &FnRef| program.function(*f).params as usize == m.params.len();
            found.is_some_and(|found| found.iter().any(fits))
        })
}

struct Looker<'a, 'm> {
    program: &'a Program<'m>,
    f: FnRef,
    shared: &'a Shared,
}

/// What paths were seen to put into raw fields by way of variables: `Self { event }` in Rust.
fn made_on_paths(program: &Program<'_>, fills: &[Fill]) -> Vec<Created> {
    let raw = |fill: &&Fill| {
        let (unit, _) = fill.class;
        let class = program.class_at(fill.class);
        let leaks = |kind: &Name| program.models.resource(kind).is_some_and(|k| k.leaks);
        let boxed = fill.kind.as_deref() == Some(RAW_BOX);
        program.units[unit].language == pipelint_ir::Language::Rust
            && fill.kind.as_ref().is_some_and(leaks)
            && class.fields.iter().any(|f| {
                let ty = program.resolve(&f.ty);
                let handle = f.ty.is_object() && program.models.is_handle_type(&ty.name);
                let pointer = f.ty.pointers == 1 && f.ty.reference == Reference::None;
                f.name == fill.field && if boxed { pointer } else { handle }
            })
    };
    let fills = fills.iter().filter(raw);
    fills
        .map(|fill| Created {
            class: fill.class,
            field: fill.field.clone(),
            api: fill.api.clone(),
            kind: fill.kind.as_deref().unwrap_or_default().to_owned(),
            span: fill.at,
            function: program.class_at(fill.class).name.clone(),
        })
        .collect()
}

/// The field that a method yields, if it does nothing else.
fn getter_of(program: &Program<'_>, f: FnRef, shared: &FxHashSet<Name>) -> Option<FieldKey> {
    let function = program.function(f);
    if function.kind != FunctionKind::Method || function.blocks.len() != 1 {
        return None;
    }
    let block = function.blocks.first()?;
    let Terminator::Return(Some(Operand::Copy(mut place))) = block.term else {
        return None;
    };
    for stmt in block.stmts.iter().rev() {
        match stmt {
            Statement::Assign {
                dst,
                value: Rvalue::Use(Operand::Copy(from)),
            } if *dst == place => place = *from,
            Statement::Assign { .. } | Statement::Call { .. } => return None,
            _ => {}
        }
    }
    let own = function.places[place].base == Base::SelfObj;
    own.then(|| key_of(program, f, shared, place)).flatten()
}

/// The call may end, keep or pass on what it is given here.
pub(crate) fn keeps(model: &FunctionModel, j: usize) -> bool {
    model.releases.iter().any(|r| r.arg == j)
        || model.takes.contains(&j)
        // A handle that it must have, and keeps, is still its caller's.
        || (model.escapes.contains(&j) && !model.needs.contains(&j))
        || model.fills.contains(&j)
        || model.returns_arg == Some(j)
        // `DuplicateHandle` and its like: the new one may be told from the old one only there.
        || model.acquires.iter().any(|a| a.when.as_ref().is_some_and(|w| w.null.is_none()))
}

impl Looker<'_, '_> {
    fn function(&self) -> &Function {
        self.program.function(self.f)
    }

    /// What the function does: what it creates into fields of its object, or how it lets go of
    /// those that are `asked` for.
    fn seen(&self, asked: Option<&FxHashSet<Name>>) -> Seen {
        let function = self.function();
        let mut seen = Seen::default();
        let mut places = function.places.iter();
        let read = self.read_by_getters(asked);
        let speaks = match asked {
            None => function.class.is_some(),
            Some(asked) => {
                !read.is_empty()
                    || places.any(|(place, _)| {
                        field_of(function, place).is_some_and(|field| asked.contains(field))
                    })
            }
        };
        if !speaks {
            return seen;
        }
        // Temporaries that hold the address of a field.
        let mut addresses: FxHashMap<PlaceId, PlaceId> = FxHashMap::default();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } = stmt
                && self.is_temporary(*dst)
            {
                addresses.insert(*dst, *of);
            }
        }
        seen.used.extend(read.values().cloned());
        let key_at = |place: PlaceId| {
            if let Some(key) = read.get(&place) {
                return Some(key.clone());
            }
            let field = field_of(function, place)?;
            asked
                .is_some_and(|asked| asked.contains(field))
                .then_some(())?;
            key_of(self.program, self.f, &self.shared.names, place)
        };
        let mut gone: FxHashSet<FieldKey> = FxHashSet::default();
        let mut let_go = |place: PlaceId| gone.extend(key_at(place));
        let getter = self.shared.getters.contains_key(&self.f);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                let span = span.copied().unwrap_or(function.map.name);
                match stmt {
                    Statement::Assign { dst, value } => match value {
                        Rvalue::Compare(_) => {}
                        Rvalue::Ref(_) if addresses.contains_key(dst) => {}
                        // `&mut *self.memory`: a reference ends nothing.
                        Rvalue::Use(Operand::Copy(_)) if self.is_borrow(*dst) => {}
                        Rvalue::Use(Operand::Copy(from))
                            if key_at(*from).is_some() && field_of(function, *dst).is_some() =>
                        {
                            let to = key_of(self.program, self.f, &self.shared.names, *dst);
                            seen.copied.extend(key_at(*from).zip(to));
                        }
                        _ => visit_reads(stmt, &mut let_go),
                    },
                    Statement::Call {
                        dst, callee, args, ..
                    } => {
                        let target = self.program.target(self.f.0, function, callee, args.len());
                        if let Target::Defined(g) = target
                            && self.shared.getters.contains_key(&g)
                        {
                            continue;
                        }
                        if let Target::Unknown = target {
                            seen.let_go.extend(self.perhaps_got(callee));
                        }
                        let Target::Model(model) = target else {
                            visit_reads(stmt, &mut let_go);
                            for arg in args {
                                if let Operand::Copy(place) = arg
                                    && let Some(of) = addresses.get(place)
                                {
                                    let_go(*of);
                                }
                            }
                            continue;
                        };
                        let created = &mut seen.created;
                        self.model_call(
                            model,
                            callee,
                            *dst,
                            args,
                            span,
                            &addresses,
                            created,
                            &mut let_go,
                        );
                    }
                    Statement::Assert(_) => {}
                    _ => visit_reads(stmt, &mut let_go),
                }
            }
            if let Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) =
                &block.term
                && !getter
            {
                let_go(*place);
            }
        }
        seen.let_go.extend(gone);
        seen
    }

    /// Fields that a method call may yield, the class of whose object is not known.
    fn perhaps_got(&self, callee: &Callee) -> Vec<FieldKey> {
        let Callee::Method { receiver, name, ty } = callee else {
            return Vec::new();
        };
        let function = self.function();
        let known = ty
            .as_ref()
            .is_some_and(|ty| !ty.name.is_empty() && ty.name != "auto")
            || self
                .program
                .class_of_place(self.f.0, function, *receiver)
                .is_some_and(|class| !class.is_empty() && class != "auto");
        if known {
            return Vec::new();
        }
        let getters = self.shared.getters.iter();
        getters
            .filter(|(g, _)| last(&self.program.function(**g).name) == last(name))
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// Temporaries that hold what a getter of a field that is asked for gave.
    fn read_by_getters(&self, asked: Option<&FxHashSet<Name>>) -> FxHashMap<PlaceId, FieldKey> {
        let mut read = FxHashMap::default();
        let Some(asked) = asked.filter(|_| !self.shared.getters.is_empty()) else {
            return read;
        };
        let function = self.function();
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call {
                dst: Some(dst),
                callee: callee @ Callee::Method { .. },
                args,
                ..
            } = stmt
                && let Target::Defined(g) =
                    self.program.target(self.f.0, function, callee, args.len())
                && let Some(key) = self.shared.getters.get(&g)
                && asked.contains(&key.1)
            {
                read.insert(*dst, key.clone());
                if self.program.yields_place(g) {
                    let behind = |place: &Place| {
                        let to = &function.places[*dst];
                        place.base == to.base && place.proj == [Proj::Deref]
                    };
                    let places = function.places.iter();
                    let places = places.filter(|(_, place)| behind(place));
                    read.extend(places.map(|(id, _)| (id, key.clone())));
                }
            }
        }
        read
    }

    #[allow(clippy::too_many_arguments)]
    fn model_call(
        &self,
        model: &FunctionModel,
        callee: &Callee,
        dst: Option<PlaceId>,
        args: &[Operand],
        span: Span,
        addresses: &FxHashMap<PlaceId, PlaceId>,
        created: &mut Vec<Created>,
        let_go: &mut dyn FnMut(PlaceId),
    ) {
        for (j, arg) in args.iter().enumerate() {
            let (Operand::Copy(place) | Operand::Move(place)) = arg else {
                continue;
            };
            let fills = model.acquires.iter().any(|a| a.at == Slot::Out(j));
            match addresses.get(place) {
                Some(of) if fills => {
                    self.creation(model, callee, args, Slot::Out(j), *of, span, created);
                }
                Some(of) => let_go(*of),
                None if keeps(model, j) => let_go(*place),
                None => {}
            }
        }
        if let Some(dst) = dst {
            self.creation(model, callee, args, Slot::Result, dst, span, created);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn creation(
        &self,
        model: &FunctionModel,
        callee: &Callee,
        args: &[Operand],
        at: Slot,
        place: PlaceId,
        span: Span,
        created: &mut Vec<Created>,
    ) {
        let function = self.function();
        let Some(acquire) = model.acquires.iter().find(|a| a.at == at) else {
            return;
        };
        let place = &function.places[place];
        let (Base::SelfObj, [pipelint_ir::Proj::Field(field)]) = (&place.base, &place.proj[..])
        else {
            return;
        };
        let method = matches!(
            function.kind,
            FunctionKind::Constructor | FunctionKind::Method
        );
        let leaks = self
            .program
            .models
            .resource(&acquire.kind)
            .is_some_and(|k| k.leaks);
        let class = function
            .class
            .as_ref()
            .and_then(|c| self.program.class_ref(self.f.0, c));
        let surely = acquire.when.as_ref().is_none_or(|when| {
            let null = matches!(
                args.get(when.arg),
                Some(Operand::Const(Const::Null | Const::Int(0)))
            );
            null && when.null == Some(true)
        });
        let Some(class) = class.filter(|_| method && leaks && surely) else {
            return;
        };
        let declared = self.program.class_at(class);
        let raw = declared.fields.iter().any(|f| {
            f.name == *field
                && !f.is_static
                && f.ty.is_object()
                && self
                    .program
                    .models
                    .is_handle_type(&self.program.resolve(&f.ty).name)
        });
        if let (true, Callee::Function(name)) = (raw, callee) {
            created.push(Created {
                class,
                field: field.clone(),
                api: Name::new(last(name)),
                kind: acquire.kind.clone(),
                span,
                function: function.name.clone(),
            });
        }
    }

    /// A reference of Rust's.
    fn is_borrow(&self, place: PlaceId) -> bool {
        let function = self.function();
        let place = &function.places[place];
        let Base::Local(l) = place.base else {
            return false;
        };
        let local = function.locals.get(l.0 as usize);
        self.program.units[self.f.0].language == pipelint_ir::Language::Rust
            && place.proj.is_empty()
            && local.is_some_and(|l| l.ty.reference != Reference::None)
    }

    fn is_temporary(&self, place: PlaceId) -> bool {
        let function = self.function();
        let place = &function.places[place];
        match &place.base {
            Base::Local(l) if place.proj.is_empty() => {
                let local = function.locals.get(l.0 as usize);
                local.is_some_and(|l| l.kind == LocalKind::Temp)
            }
            _ => false,
        }
    }
}
