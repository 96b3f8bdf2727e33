//! Leaving a function: leaks, and what is left in the object's fields.

use pipelint_ir::{FunctionKind, Name};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::collect::{FieldLeft, FieldUse};
use crate::event::{Event, EventKind, LeakHow, PathStep, StepKind};
use crate::exec::{Exec, Outcome};
use crate::program::{ClassRef, last};
use crate::state::{State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Ends at which one creation is told to leak. With a thousand creations and an end after each, all
/// pairs are too many, and the path to a later end is no shorter.
const MOST_LEAKS: u32 = 64;

impl Exec<'_, '_> {
    /// The path leaves the function with this result.
    pub(crate) fn leave(&mut self, state: &mut State, value: Option<ValId>) {
        self.note_endings(state, value);
        self.tell_counts(state, value);
        self.note_kept_modes(state);
        self.note_flags(state);
        self.tell_aliased(state, value);
        self.tell_unknown_starts(state);
        if let Some(value) = value {
            self.cancel_passed_over(state, value);
            self.returns_pending(state, value);
            self.report_dropped_before_success(state, value);
            self.hand_over_result(state, value);
        }
        self.leave_io(state);
        self.tell_lost(state);
        self.note_partial(state, value, false);
        self.note_fields_left(state, value);
        self.note_stale(state, value);
    }

    /// As `leave`, by an exception: of a constructor no object is left, and who calls a method
    /// learns that it failed.
    pub(crate) fn leave_by_exception(&mut self, state: &mut State) {
        self.leave_io(state);
        self.note_io_end(state, None, &Vec::new(), crate::misread::Leaves::Throws);
        self.tell_lost(state);
        self.tell_half_constructed(state);
        self.note_partial(state, None, true);
    }

    fn tell_lost(&mut self, state: &mut State) {
        if !self.is_entry_point() {
            let lost: Vec<ValId> = state
                .res
                .iter()
                .filter(|(v, res)| {
                    res.status == Status::Open
                        && (!res.escaped || self.came_back(state, res))
                        && !res.owned
                        && self.leaks(&res.kind)
                        && self.outcome(state, *v, res) != Outcome::Failed
                })
                .map(|(v, _)| v)
                .collect();
            for v in lost {
                self.leak(state, v, LeakHow::Left, StepKind::Left);
            }
        }
        self.report_lost_blocks(state);
    }

    /// What is returned is the caller's, and so is all it holds or points to.
    fn hand_over_result(&mut self, state: &mut State, value: ValId) {
        let mut todo = vec![value];
        let mut seen: FxHashSet<ValId> = FxHashSet::default();
        while let Some(v) = todo.pop() {
            if !seen.insert(v) {
                continue;
            }
            self.share(state, v);
            if let Val::Bin(_, a, b) = *self.arena.get(v) {
                todo.extend([a, b]);
            }
            if matches!(self.arena.get(v), Val::Int(0) | Val::Sym(_)) {
                // A struct by value: its parts stand under the local that holds it.
                let locals: Vec<LocId> = state
                    .env
                    .iter()
                    .filter(|(_, x)| **x == v)
                    .map(|(l, _)| l)
                    .collect();
                for loc in locals {
                    self.push_parts(state, loc, &mut todo);
                }
            }
            let whole = match *self.arena.get(v) {
                Val::Ptr(loc) => loc,
                Val::Sym(Sym::Load { loc, .. } | Sym::Uninit { loc }) => loc,
                _ => continue,
            };
            self.push_parts(state, whole, &mut todo);
        }
    }

    fn push_parts(&self, state: &State, whole: LocId, todo: &mut Vec<ValId>) {
        let parts = state
            .env
            .iter()
            .filter(|(l, _)| *l != whole && self.arena.within(*l, whole));
        todo.extend(parts.map(|(_, v)| *v));
    }

    pub(crate) fn leak(&mut self, state: &State, v: ValId, how: LeakHow, last: StepKind) {
        let Some(res) = state.res.get(v) else { return };
        if self.is_told_often(res.created) {
            return;
        }
        let resource = Some(self.resource(res));
        let path = self.path(state, Some(v), last);
        self.emit(EventKind::Leak(how), resource, path, state.doubtful);
    }

    /// A creation was seen to leak at so many ends that one more tells nothing; else one more is
    /// counted.
    pub(crate) fn is_told_often(&mut self, created: Span) -> bool {
        let told = self.leaks_told.entry(created).or_default();
        *told += 1;
        *told > MOST_LEAKS
    }

    /// Where the process ends with the function, the system reclaims everything.
    pub(crate) fn is_entry_point(&self) -> bool {
        self.function.class.is_none()
            && matches!(
                last(&self.function.name),
                "main" | "wmain" | "_tmain" | "WinMain" | "wWinMain" | "_tWinMain"
            )
    }

    /// A use of the object's field whose value is from before this method, with nothing known.
    pub(crate) fn note_field_use(&mut self, state: &State, v: ValId, api: &Name, releases: bool) {
        let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(v) else {
            return;
        };
        let guarded = state.facts.get(v).is_some();
        if guarded && !releases {
            return;
        }
        let Some((class, field)) = self.field_used(loc) else {
            return;
        };
        self.found.field_uses.push(FieldUse {
            class,
            field,
            method: self.function.name.clone(),
            entry: self.function.map.name,
            api: api.clone(),
            at: self.span,
            releases,
            in_destructor: self.function.kind == FunctionKind::Destructor,
            guarded,
        });
    }

    /// The field that a use of what is at the location is one of.
    fn field_used(&self, loc: LocId) -> Option<(ClassRef, Name)> {
        if self.site.is_none() {
            return match self.arena.get_loc(loc) {
                Loc::Field(parent, field) if *self.arena.get_loc(*parent) != Loc::SelfObj => self
                    .class_of(*parent)
                    .map(|class| (class, field.clone()))
                    .or_else(|| Some((self.own_class()?, self.own_path(loc)?))),
                _ => Some((self.own_class()?, self.own_field(loc)?)),
            };
        }
        // A method that uses a field of its own object is run for itself; what a part of the object
        // holds, the methods of the part do not know.
        let own = self.own_class()?;
        let path = self.own_path(loc)?;
        (self.inside_of() != Some(own) && self.own_field(loc).is_none()).then_some((own, path))
    }

    fn note_fields_left(&mut self, state: &State, value: Option<ValId>) {
        let Some(class) = self.own_class() else {
            return;
        };
        let held: Vec<(Name, ValId)> = match self.function.kind {
            FunctionKind::Constructor | FunctionKind::Method => {
                let fields = state.env.iter();
                fields
                    .filter_map(|(l, v)| Some((self.own_path(l)?, *v)))
                    .collect()
            }
            FunctionKind::StaticMethod => self.made(state),
            _ => return,
        };
        self.note_fields_failed(state, class, &held, value);
        for (field, v) in &held {
            let Some(res) = state.res.get(*v) else {
                continue;
            };
            if res.status != Status::Open {
                continue;
            }
            let look = self.look(state, &held, field, value);
            let outcome = self.outcome(state, *v, res);
            if outcome == Outcome::Succeeded {
                let looks = self.found.success_looks.entry(res.created).or_default();
                if !looks.contains(&look) {
                    looks.push(look);
                }
                continue;
            }
            let failed = outcome == Outcome::Failed && res.checked && !state.doubtful;
            // `return field != NULL;` leaves the look at it to the caller.
            let mut told = Vec::new();
            value.iter().for_each(|v| self.arena.parts(*v, &mut told));
            // A failure that a helper saw and handed on is the caller's to see.
            let unchecked = !res.checked && !res.infallible && !told.contains(v);
            if !failed && !unchecked {
                continue;
            }
            let event = Event {
                kind: EventKind::Leak(LeakHow::Left),
                at: self.span,
                function: self.function.name.clone(),
                resource: Some(self.resource(res)),
                path: state_path(self, state, *v),
                others: Vec::new(),
            };
            let pointer =
                res.kind != "handle" && res.failure == Some(pipelint_models::Sentinel::Null);
            let failed_at = if failed { res.failed_at } else { None };
            if failed && failed_at.is_none() {
                continue;
            }
            self.found.fields_left.push(FieldLeft {
                class,
                field: field.clone(),
                event,
                failed_at,
                look,
                pointer,
            });
        }
    }

    /// Fields that a creation was to set, and did not.
    fn note_fields_failed(
        &mut self,
        state: &State,
        class: ClassRef,
        held: &[(Name, ValId)],
        value: Option<ValId>,
    ) {
        if state.doubtful {
            return;
        }
        for (loc, failed) in state.failed_fields.iter() {
            let out = &failed.out;
            let Some(field) = self.own_field(loc) else {
                continue;
            };
            // The whole story needs the test that saw it, or that there was none.
            let told = out.checked == failed.failed_at.is_some();
            if out.unseen || !told || self.read(state, loc) != failed.old {
                continue;
            }
            let resource = self.failed_resource(out);
            let made = StepKind::Created {
                api: out.api.clone(),
                var: out.var.clone(),
            };
            let step = |span, what| PathStep { span, what };
            let mut path = vec![step(out.created, made)];
            path.extend(failed.failed_at.map(|at| step(at, StepKind::Branch(true))));
            path.push(step(self.span, StepKind::Left));
            let event = Event {
                kind: EventKind::Leak(LeakHow::Left),
                at: self.span,
                function: self.function.name.clone(),
                resource: Some(resource),
                path,
                others: Vec::new(),
            };
            // What the thread pool makes are objects of this process: releasing one that is none
            // follows a wild pointer.
            let pool = ["threadpool", "registered-wait", "timer-queue"];
            let left = FieldLeft {
                class,
                look: self.look(state, held, &field, value),
                field,
                event,
                failed_at: failed.failed_at,
                pointer: pool.iter().any(|p| out.kind.starts_with(p)),
            };
            self.found.fields_left.push(left);
        }
    }

    /// From outside the end looks like this: other fields' constants, and the result.
    fn look(
        &self,
        state: &State,
        held: &[(Name, ValId)],
        field: &Name,
        value: Option<ValId>,
    ) -> Vec<(Name, i128)> {
        let mut look: Vec<(Name, i128)> = held
            .iter()
            .filter(|(f, _)| f != field)
            .filter_map(|(f, x)| Some((f.clone(), self.arena.as_int(*x)?)))
            .collect();
        if let Some(value) = value {
            let exact = state.facts.get(value).and_then(|f| f.exact());
            let result = self.arena.as_int(value).or(exact);
            look.push((Name::default(), result.unwrap_or(i128::MAX)));
        }
        look
    }

    /// The field of the method's own object that a location is.
    pub(crate) fn own_field(&self, loc: LocId) -> Option<Name> {
        match self.arena.get_loc(loc) {
            Loc::Field(parent, name) if *self.arena.get_loc(*parent) == Loc::SelfObj => {
                Some(name.clone())
            }
            _ => None,
        }
    }

    /// The field of the method's own object, or of a part of it (`pipe_.handle_`), that a location is.
    pub(crate) fn own_path(&self, loc: LocId) -> Option<Name> {
        let Loc::Field(parent, name) = self.arena.get_loc(loc) else {
            return None;
        };
        if *self.arena.get_loc(*parent) == Loc::SelfObj {
            return Some(name.clone());
        }
        let parent = self.own_path(*parent)?;
        Some(Name::new(format!("{parent}.{name}")))
    }

    /// A location as a person writes it, as far as names tell.
    pub(crate) fn loc_name(&self, loc: LocId) -> Name {
        let text = match self.arena.get_loc(loc) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .map_or(String::new(), |l| l.name.to_string()),
            Loc::Global(name) | Loc::Captured(name) => name.to_string(),
            Loc::SelfObj => String::new(),
            // What a lock holds goes by the lock's name.
            Loc::Field(parent, name) if name == crate::forget::KEPT => {
                return self.loc_name(*parent);
            }
            Loc::Field(parent, name) => match self.arena.get_loc(*parent) {
                Loc::SelfObj => name.to_string(),
                Loc::Deref(v) => match self.arena.get(*v) {
                    Val::Sym(Sym::Load { loc, .. }) => {
                        let arrow = if self.is_rust() { "." } else { "->" };
                        format!("{}{arrow}{name}", self.loc_name(*loc))
                    }
                    _ => name.to_string(),
                },
                _ => format!("{}.{name}", self.loc_name(*parent)),
            },
            Loc::Elem(parent, i) => {
                let array = self.loc_name(*parent);
                // What a pointer points to is named by the pointer.
                let array = array.strip_prefix('*').unwrap_or(&array);
                match i {
                    Some(i) => format!("{array}[{i}]"),
                    None => format!("{array}[…]"),
                }
            }
            Loc::Deref(v) => match self.arena.get(*v) {
                Val::Sym(Sym::Load { loc, .. }) => format!("*{}", self.loc_name(*loc)),
                _ => String::new(),
            },
        };
        text.into()
    }
}

fn state_path(exec: &Exec<'_, '_>, state: &State, v: ValId) -> Vec<PathStep> {
    exec.path(state, Some(v), StepKind::Left)
}
