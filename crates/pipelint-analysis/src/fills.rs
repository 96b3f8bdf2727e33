//! What is put into the fields that a class releases at its end: it must be what the release is for.

use pipelint_ir::{Base, FunctionKind, Name, Operand, Proj, Statement};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::copies::{Close, close_of_field};
use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::exec::Exec;
use crate::forget::is_raw_box;
use crate::program::{ClassRef, FnRef, Program, Target};
use crate::state::{State, Status};
use crate::values::{Loc, LocId, ValId};

/// Something is put into a field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fill {
    pub(crate) class: ClassRef,
    pub(crate) field: Name,
    /// The kind of resource; none for what nobody may release.
    pub(crate) kind: Option<Name>,
    /// The call that it comes from, and what it is called where it is no resource.
    pub(crate) api: Name,
    noun: Name,
    pub(crate) at: Span,
}

impl Exec<'_, '_> {
    /// A value is written to a place.
    pub(crate) fn note_fill(&mut self, state: &State, loc: LocId, v: ValId) {
        let boxed = state.res.get(v).filter(|res| is_raw_box(res));
        let boxed = boxed.map(|res| res.origin);
        let Loc::Field(object, field) = self.arena.get_loc(loc) else {
            if self.is_outside(state, loc) {
                self.found.boxes_given.extend(boxed);
            }
            return;
        };
        let (object, field) = (*object, field.clone());
        let (kind, api, noun, at) = match (state.res.get(v), state.pseudo.get(v)) {
            (Some(res), _) if res.status == Status::Open && !res.adopted && !res.api.is_empty() => {
                (
                    Some(res.kind.clone()),
                    res.api.clone(),
                    Name::default(),
                    res.origin,
                )
            }
            (None, Some((from, noun))) => (None, from.clone(), noun.clone(), self.at()),
            _ => return,
        };
        let class = match self.arena.get_loc(object) {
            Loc::SelfObj => self.own_class(),
            _ => self
                .loc_type(object)
                .filter(|ty| ty.is_object())
                .and_then(|ty| {
                    let ty = self.program.resolve(&ty);
                    self.program.class_ref_in(self.unit, self.scope(), &ty.name)
                }),
        };
        // A temporary has no type of its own: its constructor says what it is.
        let built = || {
            let f = self.inside?;
            let function = self.program.function(f);
            let builds = function.kind == FunctionKind::Constructor;
            let class = function.class.as_ref().filter(|_| builds)?;
            self.program.class_ref(f.0, class)
        };
        // A pseudo-handle that a caller wraps may well be taken out again; one that the class itself
        // puts there is not.
        let own = || self.site.is_none() && self.own_class() == class;
        if kind.is_none() && !own() {
            return;
        }
        if let Some(class) = class.or_else(built) {
            self.found.fills.insert(Fill {
                class,
                field,
                kind,
                api,
                noun,
                at,
            });
        } else if self.is_outside(state, loc) && !self.is_behind(state, object) {
            // What moves as a part of an object into what is out of sight is the object's class's still.
            self.found.boxes_given.extend(boxed);
        }
    }
}

/// Takes what all functions put into fields, in order: but for memory that some code was given too.
pub(crate) fn take(all: &mut [Findings]) -> Vec<Fill> {
    let mut fills: Vec<Fill> = all.iter_mut().flat_map(|f| f.fills.drain()).collect();
    let given: FxHashSet<Span> = all.iter_mut().flat_map(|f| f.boxes_given.drain()).collect();
    fills.retain(|fill| !given.contains(&fill.at));
    fills.sort();
    fills.dedup();
    fills
}

/// Fields that are filled with what their class's end does not release rightly.
pub(crate) fn wrong_fills(program: &Program<'_>, fills: &[Fill]) -> Vec<Event> {
    if fills.is_empty() {
        return Vec::new();
    }
    let classes: FxHashSet<ClassRef> = fills.iter().map(|f| f.class).collect();
    let mut closing: FxHashMap<ClassRef, (Close, FnRef)> = FxHashMap::default();
    for f in program.all() {
        let function = program.function(f);
        let name = function.class.as_ref();
        if function.kind == FunctionKind::Destructor
            && let Some(class) = name.and_then(|name| program.class_ref(f.0, name))
            && classes.contains(&class)
            && let Some(close) = close_of_field(program, f, class)
        {
            closing.insert(class, (close, f));
        }
    }
    let mut events = Vec::new();
    for fill in fills {
        let Some((close, end)) = closing.get(&fill.class) else {
            continue;
        };
        let release = program.models.function(&close.api);
        let Some(release) = release.and_then(|f| f.releases.first()) else {
            continue;
        };
        if fill.field != close.field {
            continue;
        }
        let api = close.api.clone();
        let kind = match &fill.kind {
            Some(kind) if program.models.fits(release, kind) => continue,
            // It has asked what the field holds.
            Some(kind) if lets_go(program, *end, close, kind) => continue,
            Some(_) => EventKind::WrongRelease { api },
            None if release.kind != "handle" => continue,
            None => EventKind::PseudoClosed {
                api,
                from: fill.api.clone(),
                noun: fill.noun.clone(),
            },
        };
        let known = fill.kind.as_ref().and_then(|k| program.models.resource(k));
        let resource = known.map(|known| Resource {
            api: fill.api.clone(),
            created: fill.at,
            origin: fill.at,
            var: fill.field.clone(),
            noun: Name::new(&known.noun),
            release: Name::new(&known.release),
            failure: None,
            handed_on: None,
        });
        let made = StepKind::Created {
            api: fill.api.clone(),
            var: fill.field.clone(),
        };
        let step = |span, what| PathStep { span, what };
        events.push(Event {
            kind,
            at: close.at,
            function: program.function(*end).name.clone(),
            resource,
            path: vec![
                step(fill.at, made),
                step(close.at, StepKind::Closed(close.api.clone())),
            ],
            others: Vec::new(),
        });
    }
    events
}

/// Where the field is closed, another call lets it go as what is of this kind.
fn lets_go(program: &Program<'_>, end: FnRef, close: &Close, kind: &str) -> bool {
    // The destructor, or a method that it runs.
    let around = |f: &FnRef| {
        let whole = program.function(*f).map.whole;
        whole.file == close.at.file && whole.start <= close.at.start && close.at.end <= whole.end
    };
    let f = program.all().find(around).unwrap_or(end);
    let function = program.function(f);
    let is_field = |op: &Operand| match op {
        Operand::Copy(place) | Operand::Move(place) => {
            let place = &function.places[*place];
            place.base == Base::SelfObj
                && matches!(&place.proj[..], [Proj::Field(name)] if *name == close.field)
        }
        Operand::Const(_) => false,
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
            return false;
        };
        let mut releases = model.releases.iter();
        releases.any(|release| {
            program.models.fits(release, kind) && args.get(release.arg).is_some_and(is_field)
        })
    })
}
