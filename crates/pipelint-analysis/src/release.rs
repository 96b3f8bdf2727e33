//! Uses and releases of resources, and the faults that they show.

use std::sync::Arc;

use pipelint_ir::{Callee, Name, Operand, PlaceId, Statement};
use pipelint_models::{Release, Sentinel};

use crate::event::{Event, EventKind, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::forget::RAW_BOX;
use crate::log::{Action, Site};
use crate::state::{Res, State, Status};
use crate::values::{LocId, Sym, Val, ValId};

/// What an owner of such a resource does to it at its end; `also` are the kinds that it may be instead.
pub(crate) fn by_owner(kind: &str, also: Vec<String>) -> Release {
    Release {
        kind: kind.to_owned(),
        also,
        arg: 0,
        by_pointer: false,
        null_ok: true,
        when: None,
        even_on_failure: false,
        on_success: false,
    }
}

impl Exec<'_, '_> {
    /// A value reaches a call that needs a live resource there.
    pub(crate) fn use_value(&mut self, state: &mut State, v: ValId, api: &Name, releases: bool) {
        if let Val::Sym(Sym::Uninit { loc }) = *self.arena.get(v) {
            self.uninitialised(state, v, loc, api, releases);
            return;
        }
        self.may_be_signalled(v, api);
        self.note_field_use(state, v, api, releases);
        let Some(res) = state.res.get(v) else {
            if self.is_given(v) {
                let (api, span) = (api.clone(), self.span);
                self.record(state, Action::Use { v, api, span });
            }
            return;
        };
        if crate::forget::is_raw_box(res) {
            // Whoever was given it may take it over: the system hands a context back to a callback.
            self.give_boxes(state, &[v]);
            return;
        }
        let mut resource = self.resource(res);
        if res.built && res.status == Status::Open {
            // Who has the object had no chance to look: the constructor is at fault.
            resource.created = res.origin;
        }
        let resource = Some(resource);
        let outcome = self.outcome(state, v, res);
        let kind = match &res.status {
            Status::Released(..) if !self.surely_met(state, v, res) => {
                state.res.remove(v);
                return;
            }
            Status::Released(closer, at) => EventKind::UseAfterClose {
                closed: (closer.clone(), *at),
                api: api.clone(),
            },
            Status::Open => match outcome {
                Outcome::Failed if res.checked => match res.failed_at {
                    Some(check) => EventKind::FailedUse {
                        check,
                        api: api.clone(),
                    },
                    None => return,
                },
                _ if !res.checked && !res.infallible => {
                    EventKind::UncheckedUse { api: api.clone() }
                }
                _ => return,
            },
        };
        let unchecked = matches!(kind, EventKind::UncheckedUse { .. });
        let closed = matches!(kind, EventKind::UseAfterClose { .. });
        let path = self.path(state, Some(v), StepKind::Passed(api.clone()));
        self.emit(kind, resource, path, state.doubtful);
        state.step(self.span, StepKind::Passed(api.clone()), Some(v));
        if closed {
            // Told: what follows on this path follows from it.
            state.res.remove(v);
            return;
        }
        if unchecked && let Some(res) = state.res.get_mut(v) {
            res.used_unchecked = true;
        }
    }

    /// A variable reaches a use that a creation was to fill, and the path saw that it failed: the
    /// variable holds the NULL or -1 that it held before.
    pub(crate) fn use_failed_out(&mut self, state: &mut State, op: &Operand, v: ValId, api: &Name) {
        let (Operand::Copy(place) | Operand::Move(place)) = op else {
            return;
        };
        if !matches!(self.arena.get(v), Val::Int(0 | -1)) {
            return;
        }
        let Some(out) = state.failed_outs.get(v).cloned() else {
            return;
        };
        let seen = out.checked && out.failed_at.is_some();
        if out.unseen || !(seen || (!out.checked && out.handed_on.is_some())) {
            return;
        }
        if state.doubtful || !self.is_of_place(state, *place, out.loc) {
            return;
        }
        let made = StepKind::Created {
            api: out.api.clone(),
            var: out.var.clone(),
        };
        let step = |span, what| crate::event::PathStep { span, what };
        let mut path = vec![
            step(out.created, made),
            step(self.at(), StepKind::Passed(api.clone())),
        ];
        let api = api.clone();
        let kind = match out.failed_at {
            Some(check) => {
                path.insert(1, step(check, StepKind::Branch(true)));
                EventKind::FailedUse { check, api }
            }
            None => EventKind::UncheckedUse { api },
        };
        let mut resource = self.failed_resource(&out);
        resource.failure = self.empty_value(&out.kind, v);
        self.emit(kind, Some(resource), path, state.doubtful);
    }

    /// Whether a place is this location, or what a getter of the object around it gave.
    fn is_of_place(&mut self, state: &mut State, place: PlaceId, loc: LocId) -> bool {
        if self.place(state, place) == loc {
            return true;
        }
        let function = self.function;
        let stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        let getter = stmts.filter_map(|stmt| match stmt {
            Statement::Call {
                dst: Some(dst),
                callee: Callee::Method { receiver, .. },
                args,
                ..
            } if *dst == place && args.is_empty() => Some(*receiver),
            _ => None,
        });
        let receivers: Vec<PlaceId> = getter.collect();
        receivers.into_iter().any(|receiver| {
            let object = self.place(state, receiver);
            self.arena.within(loc, object)
        })
    }

    pub(crate) fn uninitialised(
        &mut self,
        state: &mut State,
        v: ValId,
        loc: LocId,
        api: &Name,
        closes: bool,
    ) {
        let name = self.loc_name(loc);
        if let Some(out) = state.failed_outs.get(v)
            && !out.checked
        {
            // The creation's status was never judged: that is the fault to tell.
            let resource = self.failed_resource(out);
            let step = crate::event::PathStep {
                span: out.created,
                what: StepKind::Created {
                    api: out.api.clone(),
                    var: out.var.clone(),
                },
            };
            let here = crate::event::PathStep {
                span: self.span,
                what: StepKind::Passed(api.clone()),
            };
            self.emit(
                EventKind::UncheckedUse { api: api.clone() },
                Some(resource),
                vec![step, here],
                state.doubtful,
            );
            return;
        }
        let path = self.path(state, Some(v), StepKind::Passed(api.clone()));
        self.emit(
            EventKind::Uninitialised {
                var: name,
                api: api.clone(),
                closes,
            },
            None,
            path,
            state.doubtful,
        );
        // Told once: the rest of the path takes it as set, to a value of its own.
        let epoch = self.stmt + 1;
        let set = self.arena.sym(Sym::Load { loc, epoch });
        state.env.insert(loc, set);
    }

    pub(crate) fn release(
        &mut self,
        state: &mut State,
        release: &Release,
        api: &Name,
        args: &[ValId],
    ) {
        let arg = args[release.arg];
        if self.is_fetched_to_close(state, arg, release.arg) {
            return;
        }
        let (v, loc) = if release.by_pointer {
            let loc = self.pointee(arg);
            (self.read(state, loc), Some(loc))
        } else {
            (arg, None)
        };
        self.release_value(state, release, api, v);
        if let Some(loc) = loc {
            let zero = self.arena.int(0);
            self.write(state, loc, zero);
        }
    }

    pub(crate) fn release_value(
        &mut self,
        state: &mut State,
        release: &Release,
        api: &Name,
        v: ValId,
    ) {
        self.release_and_io(state, v, api);
        match *self.arena.get(v) {
            Val::Sym(Sym::Uninit { loc }) => {
                self.uninitialised(state, v, loc, api, true);
                return;
            }
            // Unset by a creation that nobody judged: that is told as such.
            Val::Int(0 | -1) if state.failed_outs.get(v).is_some_and(|out| !out.checked) => return,
            Val::Int(0 | -1) if !release.null_ok => {
                self.close_of_constant(state, release, api, v);
                return;
            }
            _ => {}
        }
        if let Some((from, noun)) = state.pseudo.get(v) {
            // `CloseHandle(GetStdHandle(…))` in one expression can only be meant.
            let meant = from == "GetStdHandle"
                && !matches!(self.operands.get(release.arg), Some(Operand::Copy(p)) if !self.place_name(*p).is_empty());
            if release.kind == "handle" && !meant {
                let kind = EventKind::PseudoClosed {
                    api: api.clone(),
                    from: from.clone(),
                    noun: noun.clone(),
                };
                let path = self.path(state, Some(v), StepKind::Closed(api.clone()));
                self.emit(kind, None, path, state.doubtful);
            }
            return;
        }
        self.note_field_use(state, v, api, true);
        if let Val::Sym(Sym::Element { .. }) = self.arena.get(v) {
            // Any element of the array may be the one released.
            self.escape(state, v);
            return;
        }
        // Of what a box took over nothing is known but that it is memory.
        let taken = |res: &Res| res.adopted && res.status == Status::Open && res.api.is_empty();
        if release.kind == RAW_BOX && state.res.get(v).is_some_and(taken) {
            state.res.remove(v);
        }
        let Some(res) = state.res.get(v) else {
            self.note_released_empty(state, release, api, v);
            if self.is_given(v) && state.last_owner {
                // Who else counts among the owners, the caller knows.
                self.record(state, Action::Escape(v));
                self.adopt_released(state, v, &release.kind, api);
            } else if self.is_given(v) {
                let action = Action::Release {
                    v,
                    release: Arc::new(release.clone()),
                    api: api.clone(),
                    span: self.span,
                    site: Site(self.at()),
                };
                self.record(state, action);
                self.note_found(state, v, api, release.null_ok);
                self.leave_closed(state, v, &release.kind, api);
            }
            self.adopt_released(state, v, &release.kind, api);
            return;
        };
        let resource = Some(self.resource(res));
        let outcome = self.outcome(state, v, res);
        self.note_back(state, v);
        let kind = match &res.status {
            Status::Released(..) if !self.surely_met(state, v, res) => {
                self.released_in.insert(v, self.block);
                return;
            }
            Status::Released(first, at) => Some(EventKind::DoubleClose {
                first: (first.clone(), *at),
                api: api.clone(),
                by_end: self.ending > 0 && !res.by_end,
            }),
            Status::Open if outcome == Outcome::Failed => {
                // Freeing NULL is nobody's fault.
                let memory = self.is_plain_memory(&res.kind);
                // Where a use was told that nobody looks before, this is the same fault.
                let told = memory || res.used_unchecked;
                let value = res.failure.filter(|_| !release.null_ok && !told);
                value.map(|value| EventKind::CloseOfInvalid {
                    var: res.var.clone(),
                    api: api.clone(),
                    value,
                })
            }
            // An owner releases what it holds by means that need not be known; and of what some call took
            // over, nobody knows what it is.
            Status::Open
                if !release.kind.is_empty()
                    && !res.api.is_empty()
                    && !self.program.models.fits(release, &res.kind) =>
            {
                Some(EventKind::WrongRelease { api: api.clone() })
            }
            // Made and closed with no look between: nobody would learn that it failed.
            Status::Open
                if !res.checked && !res.used_unchecked && !res.escaped && !release.null_ok =>
            {
                Some(EventKind::UncheckedUse { api: api.clone() })
            }
            Status::Open => None,
        };
        let again = matches!(kind, Some(EventKind::DoubleClose { .. }));
        // What the object does at its end is its class's business: told there.
        let site = match kind {
            Some(EventKind::WrongRelease { .. }) if self.ending > 0 => self.site.take(),
            _ => None,
        };
        let wrong = matches!(kind, Some(EventKind::WrongRelease { .. }));
        if let Some(kind) = kind {
            let path = self.path(state, Some(v), StepKind::Closed(api.clone()));
            self.emit(kind, resource, path, state.doubtful);
        }
        self.site = self.site.or(site);
        if again {
            state.res.remove(v);
            return;
        }
        if wrong {
            // It is as live as before. That is told; that the variable is then given up is not.
            let holds = |(l, x): &(LocId, &ValId)| **x == v && !self.is_temporary(*l);
            let home = state.env.iter().find(holds).map(|(l, _)| l);
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
                res.foreign = true;
                res.home = home;
            }
            return;
        }
        if outcome != Outcome::Failed {
            self.note_freed(&release.kind);
        }
        state.step(self.span, StepKind::Closed(api.clone()), Some(v));
        let kind = release.kind.clone();
        self.leave_closed(state, v, &kind, api);
        let (api, span) = (api.clone(), self.span);
        let by_end = self.ending > 0;
        if let Some(res) = state.res.get_mut(v)
            && outcome != Outcome::Failed
        {
            res.status = Status::Released(api, span);
            res.by_end = by_end;
        }
    }

    /// A value of unknown origin is released: told if every path to the call has shown it to be empty.
    fn note_released_empty(&mut self, state: &State, release: &Release, api: &Name, v: ValId) {
        if self.site.is_some() || release.null_ok || self.is_memory(&release.kind) {
            return;
        }
        let kind = self.program.models.resource(&release.kind);
        let exact = state.facts.get(v).and_then(|f| f.exact());
        let empty = kind.and_then(|k| k.empty.iter().find(|e| Some(number(**e)) == exact));
        let at = self.at();
        // What a loop did to a place before is known for its first rounds only.
        let looped = self.cfg.has_loops();
        let Some(&value) = empty.filter(|_| !looped) else {
            self.found.released_empty.insert(at, None);
            return;
        };
        if self.found.released_empty.contains_key(&at) {
            return;
        }
        let var = match self.operands.get(release.arg) {
            Some(Operand::Copy(place) | Operand::Move(place)) => self.place_name(*place),
            _ => Name::default(),
        };
        let event = Event {
            kind: EventKind::CloseOfInvalid {
                var: var.clone(),
                api: api.clone(),
                value,
            },
            at,
            function: self.function.name.clone(),
            resource: None,
            path: self.path(state, Some(v), StepKind::Closed(api.clone())),
            others: Vec::new(),
        };
        let told = (!var.is_empty() && !state.doubtful).then_some(event);
        self.found.released_empty.insert(at, told);
    }

    /// A value may be what this releases: it is not known to be a resource of another kind.
    pub(crate) fn may_be(&self, state: &State, v: ValId, release: &Release) -> bool {
        let known = state.res.get(v).filter(|res| !res.api.is_empty());
        known.is_none_or(|res| self.program.models.fits(release, &res.kind))
    }

    /// What a constant is called where a variable of this kind holds it: -1 has a name for each.
    fn empty_value(&self, kind: &str, v: ValId) -> Option<Sentinel> {
        let value = self.arena.as_int(v)?;
        let kind = self.program.models.resource(kind)?;
        let mut empty = kind.empty.iter();
        empty.find(|e| number(**e) == value).copied()
    }

    pub(crate) fn close_of_constant(
        &mut self,
        state: &State,
        release: &Release,
        api: &Name,
        v: ValId,
    ) {
        let Some(sentinel) = self.empty_value(&release.kind, v) else {
            return;
        };
        if self.is_plain_memory(&release.kind) {
            // Freeing NULL is nobody's fault.
            return;
        }
        // The variable that holds it; a literal argument is somebody's intention.
        let Some(Operand::Copy(place)) = self.operands.get(release.arg) else {
            return;
        };
        let var = self.place_name(*place);
        if var.is_empty() {
            return;
        }
        let path = self.path(state, None, StepKind::Closed(api.clone()));
        let failed = state.failed_outs.get(v).filter(|out| out.var == var);
        let resource = failed.map(|out| self.failed_resource(out));
        self.emit(
            EventKind::CloseOfInvalid {
                var,
                api: api.clone(),
                value: sentinel,
            },
            resource,
            path,
            state.doubtful,
        );
    }
}
