//! Handles that were opened for overlapped operations, and calls that get them with no OVERLAPPED.

use pipelint_ir::{Base, Const, Function, Name, Operand, Proj, Rvalue, Statement};
use pipelint_models::{FunctionModel, IoKind};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::{Exec, Outcome};
use crate::log::Action;
use crate::program::{ClassRef, Program};
use crate::state::{Fact, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// A call gets no OVERLAPPED, and its handle was opened for overlapped operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoOverlapped {
    /// The call.
    pub api: Name,
    /// The call that opened the handle, and its place.
    pub opened: (Name, Span),
    /// The field that keeps the handle, where another function has opened it.
    pub field: Option<Name>,
}

/// A field, or a part of one, by the class of the object.
type Key = (ClassRef, Name);

/// What functions put into fields, and which calls get handles from there with no OVERLAPPED.
#[derive(Debug, Default)]
pub(crate) struct KeptHandles {
    /// Filled with a handle that was opened so: the call.
    overlapped: FxHashMap<Key, (Name, Span)>,
    /// Filled with something else.
    others: FxHashSet<Key>,
    /// The same, where the class is not known.
    others_named: FxHashSet<Name>,
    uses: Vec<(Key, Event)>,
}

impl KeptHandles {
    /// Something is put into a field.
    pub(crate) fn says(&self) -> bool {
        !self.others.is_empty() || !self.others_named.is_empty()
    }
}

impl Exec<'_, '_> {
    /// The creation says that its handle is for overlapped operations.
    pub(crate) fn opens_overlapped(
        &mut self,
        state: &State,
        model: &FunctionModel,
        args: &[ValId],
    ) -> bool {
        let Some(opens) = &model.opens_overlapped else {
            return false;
        };
        let Some(&arg) = args.get(opens.arg) else {
            return false;
        };
        let flags = match (&opens.field, self.arena.get(arg)) {
            (None, _) => arg,
            (Some(field), Val::Ptr(loc)) => {
                let at = self.arena.loc(Loc::Field(*loc, field.as_str().into()));
                match state.env.get(at) {
                    Some(v) => *v,
                    None => return false,
                }
            }
            _ => return false,
        };
        self.has_flag(flags, &opens.flag)
    }

    /// What a creation opened, by name.
    pub(crate) fn note_opened(&mut self, model: &FunctionModel, args: &[ValId], made: ValId) {
        let name = model.opens_overlapped.as_ref().map(|opens| opens.name);
        if let Some(&name) = name.and_then(|n| args.get(n)) {
            self.opened_names.insert(made, name);
        }
    }

    /// The call awaits a client, and this function has opened the client's end itself: there is nothing to
    /// wait for.
    fn has_its_client(&self, state: &State, handle: ValId, api: &Name) -> bool {
        let io = self
            .program
            .models
            .function(api)
            .and_then(|m| m.io.as_ref());
        let (name, by) = (self.opened_names.get(&handle), state.res.get(handle));
        let by = by.map(|res| res.api.clone());
        io.is_some_and(|io| io.does == IoKind::Connect)
            && name.is_some()
            && state.res.iter().any(|(v, res)| {
                // A string that moves has another address; who opens something else by name here most
                // likely opens the other end.
                let other = self.opened_names.get(&v);
                v != handle
                    && (other == name || (other.is_some() && by.as_ref() != Some(&res.api)))
                    && res.status == Status::Open
                    && self.outcome(state, v, res) != Outcome::Failed
            })
    }

    /// A call is given a handle and an OVERLAPPED, which must be there for a handle of that kind.
    pub(crate) fn overlaps(
        &mut self,
        state: &mut State,
        handle: ValId,
        overlapped: ValId,
        api: &Name,
        given: bool,
    ) {
        let fact = state.facts.get(overlapped).and_then(Fact::exact);
        let null = self.arena.as_int(overlapped).or(fact) == Some(0);
        let at = if given { self.at() } else { self.span };
        if null {
            let known = state.res.get(handle).filter(|res| {
                res.overlapped
                    && res.status == Status::Open
                    && self.outcome(state, handle, res) != Outcome::Failed
            });
            if known.is_some() && self.has_its_client(state, handle, api) {
                return;
            }
            if let Some(res) = known {
                let opened = (res.api.clone(), res.origin);
                let event = self.no_overlapped(api, opened, None, at);
                self.found.add(event);
                return;
            }
            if let Val::Sym(Sym::Load { loc, .. }) = *self.arena.get(handle)
                && let Some(key) = self.handle_key(loc)
            {
                let field = Some(self.loc_name(loc));
                let nowhere = (Name::default(), at);
                let event = self.no_overlapped(api, nowhere, field, at);
                self.found.handles.uses.push((key, event));
            }
        }
        if (null || self.is_given(overlapped)) && self.is_given(handle) {
            let action = Action::Overlaps {
                handle,
                overlapped,
                api: api.clone(),
                given: given || !null,
                span: self.span,
            };
            self.record(state, action);
        }
    }

    fn no_overlapped(
        &self,
        api: &Name,
        opened: (Name, Span),
        field: Option<Name>,
        at: Span,
    ) -> Event {
        let mut path = Vec::new();
        if !opened.0.is_empty() {
            let what = StepKind::Passed(opened.0.clone());
            path.push(PathStep {
                span: opened.1,
                what,
            });
        }
        path.push(PathStep {
            span: at,
            what: StepKind::Passed(api.clone()),
        });
        Event {
            kind: EventKind::NoOverlapped(NoOverlapped {
                api: api.clone(),
                opened,
                field,
            }),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }

    /// The field that a location is, by the object around it.
    fn handle_key(&self, loc: LocId) -> Option<Key> {
        if let (Some(path), Some(class)) = (self.own_path(loc), self.own_class()) {
            return Some((class, path));
        }
        let Loc::Field(object, name) = self.arena.get_loc(loc) else {
            return None;
        };
        let ty = self.loc_type(*object)?;
        let ty = self.program.resolve(&ty);
        let class = self
            .program
            .class_ref_in(self.unit, self.scope(), &ty.name)?;
        Some((class, name.clone()))
    }

    /// A value is written to a place.
    pub(crate) fn note_handle_fill(&mut self, state: &State, loc: LocId, v: ValId) {
        let Loc::Field(_, name) = self.arena.get_loc(loc) else {
            return;
        };
        let same = |from: LocId| match self.arena.get_loc(from) {
            Loc::Field(_, from) => from == name,
            _ => false,
        };
        match self.arena.get(v) {
            Val::Int(0 | -1) | Val::Sym(Sym::Uninit { .. }) => return,
            // A move from one object to another of its kind.
            Val::Sym(Sym::Load { loc: from, .. }) if same(*from) => return,
            _ => {}
        }
        let name = name.clone();
        let opened = state.res.get(v).filter(|res| res.overlapped);
        let opened = opened.map(|res| (res.api.clone(), res.origin));
        match (self.handle_key(loc), opened) {
            (Some(key), Some(opened)) => {
                self.found.handles.overlapped.entry(key).or_insert(opened);
            }
            (Some(key), None) => {
                self.found.handles.others.insert(key);
            }
            (None, _) => {
                self.found.handles.others_named.insert(name);
            }
        }
    }
}

/// What a function that was not run puts into fields.
pub(crate) fn note_plain_fills(
    program: &Program<'_>,
    unit: usize,
    function: &Function,
    findings: &mut Findings,
) {
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let dst = match stmt {
            Statement::Assign { dst, value } => {
                if let Rvalue::Aggregate(parts) = value {
                    let named = parts.iter().filter_map(|(name, _)| name.clone());
                    findings.handles.others_named.extend(named);
                }
                match value {
                    // It is emptied.
                    Rvalue::Use(Operand::Const(Const::Int(_) | Const::Named(_))) => continue,
                    _ => *dst,
                }
            }
            Statement::Call { dst: Some(dst), .. } => *dst,
            _ => continue,
        };
        let place = &function.places[dst];
        let Some((Proj::Field(name), before)) = place.proj.split_last() else {
            continue;
        };
        let class = program.class_behind(unit, function, &place.base, before);
        let class = class.and_then(|class| program.class_ref(unit, &class));
        match class {
            Some(class) => {
                findings.handles.others.insert((class, name.clone()));
            }
            None if matches!(place.base, Base::Global(_)) => {}
            None => {
                findings.handles.others_named.insert(name.clone());
            }
        }
    }
}

/// Calls on handles that classes keep, where all that fills the field was opened so.
pub(crate) fn joined(all: &mut [Findings]) -> Vec<Event> {
    let mut kept = KeptHandles::default();
    for findings in all {
        let mut found = std::mem::take(&mut findings.handles);
        for (key, opened) in found.overlapped.drain() {
            let known = kept.overlapped.entry(key).or_insert_with(|| opened.clone());
            if opened.1 < known.1 {
                *known = opened;
            }
        }
        kept.others.extend(found.others.drain());
        kept.others_named.extend(found.others_named.drain());
        kept.uses.append(&mut found.uses);
    }
    let mut events = Vec::new();
    for (key, mut event) in kept.uses {
        let last = key.1.rsplit('.').next().unwrap_or(&key.1);
        let Some(opened) = kept.overlapped.get(&key) else {
            continue;
        };
        if kept.others.contains(&key) || kept.others_named.contains(last) {
            continue;
        }
        if let EventKind::NoOverlapped(fault) = &mut event.kind {
            fault.opened = opened.clone();
        }
        let opens = PathStep {
            span: opened.1,
            what: StepKind::Passed(opened.0.clone()),
        };
        event.path.insert(0, opens);
        events.push(event);
    }
    events
}
