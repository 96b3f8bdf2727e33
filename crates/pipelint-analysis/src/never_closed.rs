//! Fields that a class creates a handle into, and that no code of the program ever lets go of.

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, LocalKind, Name, Operand, PlaceId, Rvalue, Statement,
    Terminator,
};
use pipelint_models::{FunctionModel, Slot};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::visit_reads;
use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::fields::field_of;
use crate::program::{ClassRef, FnRef, Program, Target, last};

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
    /// Fields that it closes, hands out, copies or gives to other code.
    let_go: FxHashSet<Name>,
}

/// Tells of every creation into a field that is never closed. What files that were not lowered do
/// with the fields `elsewhere` is not known.
pub(crate) fn never_closed(program: &Program<'_>, elsewhere: &FxHashSet<Name>) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let created: Vec<Vec<Created>> = all
        .par_iter()
        .map(|&f| Looker { program, f }.seen(None).created)
        .collect();
    let mut created: Vec<Created> = created.into_iter().flatten().collect();
    created.retain(|c| !elsewhere.contains(&c.field) && is_seen_whole(program, c.class));
    if created.is_empty() {
        return Vec::new();
    }
    let asked: FxHashSet<&Name> = created.iter().map(|c| &c.field).collect();
    let let_go: Vec<FxHashSet<Name>> = all
        .par_iter()
        .map(|&f| Looker { program, f }.seen(Some(&asked)).let_go)
        .collect();
    let let_go: FxHashSet<&Name> = let_go.iter().flatten().collect();
    let mut events = Vec::new();
    let mut told: FxHashSet<(ClassRef, &Name)> = FxHashSet::default();
    for created in &created {
        if let_go.contains(&created.field) || !told.insert((created.class, &created.field)) {
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
}

impl Looker<'_, '_> {
    fn function(&self) -> &Function {
        self.program.function(self.f)
    }

    /// What the function does: what it creates into fields of its object, or how it lets go of
    /// those that are `asked` for.
    fn seen(&self, asked: Option<&FxHashSet<&Name>>) -> Seen {
        let function = self.function();
        let mut seen = Seen::default();
        let mut places = function.places.iter();
        let speaks = match asked {
            None => function.class.is_some(),
            Some(asked) => places.any(|(place, _)| {
                field_of(function, place).is_some_and(|field| asked.contains(field))
            }),
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
        let mut let_go = |place: PlaceId| {
            if let Some(field) = field_of(function, place)
                && asked.is_some_and(|asked| asked.contains(field))
            {
                seen.let_go.insert(field.clone());
            }
        };
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                let span = span.copied().unwrap_or(function.map.name);
                match stmt {
                    Statement::Assign { dst, value } => match value {
                        Rvalue::Compare(_) => {}
                        Rvalue::Ref(_) if addresses.contains_key(dst) => {}
                        _ => visit_reads(stmt, &mut let_go),
                    },
                    Statement::Call {
                        dst, callee, args, ..
                    } => {
                        let target = self.program.target(self.f.0, function, callee, args.len());
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
            {
                let_go(*place);
            }
        }
        seen
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
                Some(of) if fills => self.creation(model, callee, Slot::Out(j), *of, span, created),
                Some(of) => let_go(*of),
                None if self.keeps(model, j) => let_go(*place),
                None => {}
            }
        }
        if let Some(dst) = dst {
            self.creation(model, callee, Slot::Result, dst, span, created);
        }
    }

    /// The call may end, keep or pass on what it is given here.
    fn keeps(&self, model: &FunctionModel, j: usize) -> bool {
        model.releases.iter().any(|r| r.arg == j)
            || model.takes.contains(&j)
            || model.escapes.contains(&j)
            || model.fills.contains(&j)
            || model.returns_arg == Some(j)
            // `DuplicateHandle` and its like: the new one may be told from the old one only there.
            || model.acquires.iter().any(|a| a.when.is_some())
    }

    fn creation(
        &self,
        model: &FunctionModel,
        callee: &Callee,
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
        let Some(class) = class.filter(|_| method && leaks && acquire.when.is_none()) else {
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
