//! Resources on a path: their outcome, their names, the path that tells of them.

use pipelint_ir::{Base, Name, PlaceId, Proj, Statement};
use pipelint_models::Sentinel;

use crate::event::{Event, EventKind, PathStep, Resource, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::state::{FailedOut, Res, State, Status};
use crate::values::{LocId, Sym, Val, ValId};

impl Exec<'_, '_> {
    /// Writes the first variable a resource is put in into its record.
    pub(crate) fn name_resource(&mut self, state: &mut State, v: ValId, dst: PlaceId) {
        self.note_pointee(dst, v);
        if state.res.get(v).is_some_and(|r| r.var.is_empty()) {
            let name = self.place_name(dst);
            if let Some(res) = state.res.get_mut(v) {
                res.var = name;
            }
        }
    }

    /// A pointer made here is put into a variable: its type says what is there.
    fn note_pointee(&mut self, dst: PlaceId, v: ValId) {
        let place = &self.function.places[dst];
        let (Base::Local(l), []) = (&place.base, &place.proj[..]) else {
            return;
        };
        let made = matches!(
            self.arena.get(v),
            Val::Sym(Sym::Call { .. } | Sym::Inner { .. })
        );
        let known = match made {
            true => &mut self.pointees,
            false => &mut self.shown,
        };
        if known.contains_key(&v) {
            return;
        }
        if let Some(local) = self.function.locals.get(l.0 as usize)
            && local.ty.pointers == 1
        {
            let name = self.program.resolve(&local.ty).name.clone();
            let scope = &self.function.name;
            if let Some(class) = self.program.class_ref_in(self.unit, scope, &name) {
                known.insert(v, class);
            }
        }
    }

    /// A place as a person writes it; empty for a temporary.
    pub(crate) fn place_name(&self, id: PlaceId) -> Name {
        let place = &self.function.places[id];
        let mut text = match &place.base {
            Base::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .map_or(String::new(), |l| l.name.to_string()),
            Base::SelfObj => String::new(),
            Base::Global(name) | Base::Captured(name) => name.to_string(),
        };
        if text.is_empty() && !matches!(place.base, Base::SelfObj) {
            return Name::default();
        }
        let mut arrow = false;
        for (i, step) in place.proj.iter().enumerate() {
            match step {
                Proj::Deref => match place.proj.get(i + 1) {
                    Some(Proj::Field(_)) => arrow = true,
                    _ => text = format!("*{text}"),
                },
                Proj::Field(name) => {
                    let dot = if arrow { "->" } else { "." };
                    arrow = false;
                    if !text.is_empty() {
                        text.push_str(dot);
                    }
                    text.push_str(name);
                }
                Proj::Index(Some(i)) => text.push_str(&format!("[{i}]")),
                Proj::Index(None) => text.push_str("[…]"),
            }
        }
        text.into()
    }

    /// A call's result goes to a place.
    pub(crate) fn overwrite_by_call(
        &mut self,
        state: &mut State,
        dst: PlaceId,
        to: LocId,
        v: ValId,
    ) {
        if let Some(owner) = self.owner_at(dst).filter(|o| !o.is_action()) {
            self.set_owner(state, &owner, dst, v);
            return;
        }
        if self.names_a_place(state, dst, to) {
            self.escape(state, v);
        }
        self.check_overwrite(state, dst, to, v);
        self.write(state, to, v);
        self.name_resource(state, v, dst);
    }

    /// `slot() = make()`: the temporary stands for the place that the first call named.
    fn names_a_place(&self, state: &State, dst: PlaceId, to: LocId) -> bool {
        if self.is_variable(dst) || state.env.get(to).is_none() {
            return false;
        }
        let before = self.stmt.saturating_sub(self.cfg.first[self.block]) as usize;
        let stmts = &self.function.blocks[self.block].stmts;
        stmts[..before.min(stmts.len())]
            .iter()
            .any(|s| matches!(s, Statement::Call { dst: Some(d), .. } if *d == dst))
    }

    pub(crate) fn check_overwrite(
        &mut self,
        state: &mut State,
        dst: PlaceId,
        to: LocId,
        new: ValId,
    ) {
        let var = self.place_name(dst);
        self.overwritten(state, var, to, new);
    }

    /// A location is assigned; tells when that loses the only hold on a live resource.
    pub(crate) fn overwritten(&mut self, state: &mut State, var: Name, to: LocId, new: ValId) {
        let Some(&old) = state.env.get(to) else {
            return;
        };
        if old == new {
            return;
        }
        let Some(res) = state.res.get(old) else {
            return;
        };
        let lost = (!res.escaped || res.home == Some(to)) && !res.owned;
        if res.status != Status::Open || !lost || self.outcome(state, old, res) == Outcome::Failed {
            return;
        }
        let temp = |loc: LocId| self.is_temporary(loc);
        if temp(to)
            || state
                .env
                .iter()
                .any(|(loc, v)| *v == old && loc != to && !temp(loc))
        {
            return;
        }
        if !self.leaks(&res.kind) {
            return;
        }
        let resource = Some(self.resource(res));
        let path = self.path(state, Some(old), StepKind::Assigned(var.clone()));
        self.found.add(Event {
            kind: EventKind::Overwritten { var },
            at: self.at(),
            function: self.function.name.clone(),
            resource,
            path,
            others: Vec::new(),
        });
        if let Some(res) = state.res.get_mut(old) {
            // Told: no caller has to hear of it.
            res.escaped = true;
            res.foreign = true;
        }
    }

    pub(crate) fn leaks(&self, kind: &str) -> bool {
        self.program.models.resource(kind).is_some_and(|k| k.leaks)
    }

    pub(crate) fn outcome(&self, state: &State, v: ValId, res: &Res) -> Outcome {
        let Some(failure) = res.failure else {
            return Outcome::Succeeded;
        };
        let Some(fact) = state.facts.get(v) else {
            return Outcome::Maybe;
        };
        let bad = number(failure);
        let negative = matches!(failure, Sentinel::MinusOne | Sentinel::InvalidSocket);
        if fact.exact() == Some(bad) || (negative && fact.hi < 0) {
            Outcome::Failed
        } else if fact.excludes(bad) {
            Outcome::Succeeded
        } else {
            Outcome::Maybe
        }
    }

    pub(crate) fn resource(&self, res: &Res) -> Resource {
        let kind = self.program.models.resource(&res.kind);
        // What a variable of a kind is reset to is known where the kind has one empty value.
        let only_empty = || match kind.filter(|_| res.adopted)?.empty[..] {
            [empty] => Some(empty),
            _ => None,
        };
        Resource {
            api: res.api.clone(),
            created: res.created,
            origin: res.origin,
            var: res.var.clone(),
            noun: kind.map_or_else(|| "resource".into(), |k| Name::new(&k.noun)),
            release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
            failure: res.failure.or_else(only_empty),
            handed_on: res.handed_on.clone(),
        }
    }

    /// The resource that a failed creation would have put into a variable.
    pub(crate) fn failed_resource(&self, out: &FailedOut) -> Resource {
        let kind = self.program.models.resource(&out.kind);
        Resource {
            api: out.api.clone(),
            created: out.created,
            origin: out.handed_on.as_ref().map_or(out.created, |h| h.made()),
            var: out.var.clone(),
            noun: kind.map_or_else(Name::default, |k| Name::new(&k.noun)),
            release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
            failure: None,
            handed_on: out.handed_on.clone(),
        }
    }

    /// The path to here about a value, ending with this step.
    pub(crate) fn path(
        &self,
        state: &State,
        about: Option<ValId>,
        last: StepKind,
    ) -> Vec<PathStep> {
        let res = about.and_then(|v| state.res.get(v));
        let made = res.filter(|r| !r.adopted).map(|r| r.origin);
        let mut steps = state.path(about, made);
        if let Some(res) = res {
            for step in &mut steps {
                if let StepKind::Created { var, .. } = &mut step.what {
                    *var = res.var.clone();
                }
            }
        }
        // A long path is told by its beginning and its end.
        const MOST: usize = 14;
        if steps.len() > MOST {
            steps.drain(4..steps.len() - (MOST - 4));
        }
        let last = PathStep {
            span: self.span,
            what: last,
        };
        if steps.last() != Some(&last) {
            steps.push(last);
        }
        steps
    }
}
