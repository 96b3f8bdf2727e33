//! Classes: a creation left in a field by one method, used by another.

use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use pipelint_ir::{Base, Callee, FunctionKind, Name, PlaceId, Proj, Rvalue, Statement, Wholeness};

use crate::collect::{FieldLeft, FieldUse, Findings};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{ClassRef, FnRef, Program, Target};

/// Joins what the methods of each class left in its fields with how the others use them.
pub(crate) fn link_fields(program: &Program<'_>, all: &mut [Findings]) -> Vec<Event> {
    let mut uses: FxHashMap<(ClassRef, Name), Vec<FieldUse>> = FxHashMap::default();
    let mut tested: FxHashSet<(Option<ClassRef>, Name)> = FxHashSet::default();
    let mut outside: FxHashSet<(Option<ClassRef>, Name)> = FxHashSet::default();
    for findings in all.iter_mut() {
        for used in std::mem::take(&mut findings.field_uses) {
            uses.entry((used.class, used.field.clone()))
                .or_default()
                .push(used);
        }
        tested.extend(findings.tested.drain());
        outside.extend(findings.tested_outside.drain());
    }
    for uses in uses.values_mut() {
        uses.sort_by_key(|u| (u.at, u.releases));
        uses.dedup();
    }
    let mut every: Vec<FieldUse> = uses.values().flatten().cloned().collect();
    every.sort_by_key(|u| u.at);
    let mut events = unset_fields(program, &every);
    for findings in all.iter_mut() {
        let mut lefts = std::mem::take(&mut findings.fields_left);
        lefts.sort_by_key(|l| (l.event.path.len(), l.event.at));
        let mut told = FxHashSet::default();
        for left in lefts {
            let field = (Some(left.class), left.field.clone());
            if tested.contains(&field) || tested.contains(&(None, left.field.clone())) {
                continue;
            }
            // Of a part of the object, others than its own methods may ask.
            let part = left.field.rsplit_once('.').map(|(_, name)| Name::new(name));
            if let Some(name) = part
                && outside.iter().any(|(_, asked)| *asked == name)
            {
                continue;
            }
            let created = left.event.resource.as_ref().map(|r| r.created);
            if told.contains(&(created, left.failed_at.is_some())) {
                continue;
            }
            // A failure that shows in another field or the result is one that others can see.
            if left.failed_at.is_some() {
                let looks = created.and_then(|c| findings.success_looks.get(&c));
                let status = |look: &[(Name, i128)]| {
                    let result = look.iter().find(|(name, _)| name.is_empty());
                    result.map(|(_, value)| *value)
                };
                // One later step's failure may look the same; what matters is that success does.
                let tells = |looks: &Vec<Vec<(Name, i128)>>| {
                    let mine = status(&left.look);
                    !looks.contains(&left.look) || looks.iter().any(|l| status(l) != mine)
                };
                if looks.is_none_or(tells) {
                    continue;
                }
            }
            let Some(found) = uses.get(&(left.class, left.field.clone())) else {
                continue;
            };
            if let Some(event) = join(left.clone(), found) {
                told.insert((created, left.failed_at.is_some()));
                events.push(event);
            }
        }
    }
    events
}

fn join(left: FieldLeft, uses: &[FieldUse]) -> Option<Event> {
    let uses: Vec<&FieldUse> = uses
        .iter()
        .filter(|u| !u.guarded && (left.pointer || !u.releases))
        .collect();
    let first = uses.first()?;
    let mut event = left.event;
    event.kind = match left.failed_at {
        Some(check) => EventKind::FailedUse {
            check,
            api: first.api.clone(),
        },
        None => EventKind::UncheckedUse {
            api: first.api.clone(),
        },
    };
    event.at = first.at;
    event.path.push(PathStep {
        span: first.entry,
        what: StepKind::Method(first.method.clone()),
    });
    event.path.push(PathStep {
        span: first.at,
        what: StepKind::Passed(first.api.clone()),
    });
    event.others = uses[1..]
        .iter()
        .map(|u| PathStep {
            span: u.at,
            what: StepKind::Passed(u.api.clone()),
        })
        .collect();
    event.others.retain(|s| s.span != event.at);
    event.others.dedup_by_key(|s| s.span);
    Some(event)
}

/// A field that a constructor leaves unset and the destructor releases.
pub(crate) fn unset_fields(program: &Program<'_>, uses: &[FieldUse]) -> Vec<Event> {
    let mut constructors: FxHashMap<ClassRef, Vec<FnRef>> = FxHashMap::default();
    for f in program.all() {
        let function = program.function(f);
        let class = function
            .class
            .as_ref()
            .and_then(|c| program.class_ref(f.0, c));
        if let (FunctionKind::Constructor, Some(class)) = (function.kind, class) {
            constructors.entry(class).or_default().push(f);
        }
    }
    let mut events = Vec::new();
    for used in uses.iter().filter(|u| u.releases) {
        let class = program.class_at(used.class);
        let Some(field) = class.fields.iter().find(|f| f.name == used.field) else {
            continue;
        };
        let handle = field.ty.is_object()
            && program
                .models
                .is_handle_type(&program.resolve(&field.ty).name);
        let ends = used.in_destructor || is_run_by_destructor(program, used.class, &used.method);
        if field.has_init || field.is_static || !handle || !ends {
            continue;
        }
        let found = constructors.get(&used.class).into_iter().flatten();
        let unset = found
            .copied()
            .find(|f| leaves_unset(program, *f, &used.field))
            .map(|f| program.function(f))
            .map(|f| (f.map.name, f.name.clone()));
        let Some(constructor) = unset.or_else(|| defaulted_constructor(class)) else {
            continue;
        };
        let step = |span, what| PathStep { span, what };
        events.push(Event {
            kind: EventKind::Uninitialised {
                var: used.field.clone(),
                api: used.api.clone(),
                closes: true,
            },
            at: used.at,
            function: used.method.clone(),
            resource: None,
            path: vec![
                step(field.span, StepKind::Declared(used.field.clone())),
                step(constructor.0, StepKind::Method(constructor.1)),
                step(used.entry, StepKind::Method(used.method.clone())),
                step(used.at, StepKind::Closed(used.api.clone())),
            ],
            others: Vec::new(),
        });
    }
    events
}

/// A constructor without parameters that the class asks the compiler to write: it sets no field.
fn defaulted_constructor(class: &pipelint_ir::Class) -> Option<(Span, Name)> {
    let mut methods = class.methods.iter();
    let found =
        methods.find(|m| m.kind == FunctionKind::Constructor && m.defaulted && m.params.is_empty());
    found.map(|m| (m.span, m.name.clone()))
}

/// Whether the class's destructor calls this method on the object.
fn is_run_by_destructor(program: &Program<'_>, class: ClassRef, method: &Name) -> bool {
    program.all().any(|f| {
        let function = program.function(f);
        let of = function.class.as_ref();
        function.kind == FunctionKind::Destructor
            && of.and_then(|c| program.class_ref(f.0, c)) == Some(class)
            && function.blocks.iter().flat_map(|b| &b.stmts).any(|stmt| {
                let Statement::Call { callee, args, .. } = stmt else {
                    return false;
                };
                let target = program.target(f.0, function, callee, args.len());
                matches!(target, Target::Defined(g) if program.function(g).name == *method)
            })
    })
}

/// True when nothing in the constructor can set the field: no store to it, no address of the
/// object or the field, and no call but of modelled functions.
fn leaves_unset(program: &Program<'_>, f: FnRef, field: &Name) -> bool {
    let function = program.function(f);
    if function.wholeness != Wholeness::Whole {
        return false;
    }
    let may_hold = |place: PlaceId| {
        let place = &function.places[place];
        place.base == Base::SelfObj
            && place
                .proj
                .first()
                .is_none_or(|p| matches!(p, Proj::Field(name) if name == field))
    };
    function.blocks.iter().flat_map(|b| &b.stmts).all(|stmt| match stmt {
        Statement::Assign { dst, value } => {
            !may_hold(*dst) && !matches!(value, Rvalue::Ref(place) if may_hold(*place))
        }
        Statement::Call { dst, callee, args, .. } => {
            let modelled = matches!(program.target(f.0, function, callee, args.len()), Target::Model(_));
            // A member of class type that is constructed in the list is not this field.
            let member = matches!(callee, Callee::Constructor(_))
                && dst.is_some_and(|d| {
                    matches!(function.places[d].proj.first(), Some(Proj::Field(name)) if name != field)
                });
            (modelled || member) && !dst.is_some_and(may_hold)
        }
        Statement::Opaque { .. } => false,
        _ => true,
    })
}
