//! Calls: what models say, and what unknown code may do.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use pipelint_ir::{Callee, CmpOp, FunctionKind, Language, Name, Operand, PlaceId, Statement};
use pipelint_models::{
    Acquire, Check, Condition, FunctionModel, Good, OnFail, Release, Slot, Success,
};

use crate::event::{Event, EventKind, LeakHow, StepKind};
use rustc_hash::FxHasher;

use crate::apply::Invocation;
use crate::exec::{Exec, Outcome, number};
use crate::log::Action;
use crate::program::{Returns, Target, last, speaks_of_logging};
use crate::state::{FailedOut, Res, State, Status};
use crate::values::{Loc, LocId, Sym, Val, ValId};

impl<'p> Exec<'p, '_> {
    /// True when a call may throw: nothing says it does not.
    pub(crate) fn may_throw(&self, stmt: &Statement) -> bool {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let target = self
            .program
            .target(self.unit, self.function, callee, args.len());
        !matches!(target, Target::Model(m) if !m.check.as_ref().is_some_and(|c| c.on_fail == OnFail::Throws))
    }

    pub(crate) fn escape_arguments(&mut self, state: &mut State, stmt: &Statement) {
        let Statement::Call { callee, args, .. } = stmt else {
            return;
        };
        for arg in args {
            let v = self.operand(state, arg);
            self.escape(state, v);
            self.escape_parts(state, arg);
        }
        self.escape_receiver(state, callee);
    }

    fn escape_receiver(&mut self, state: &mut State, callee: &Callee) {
        let v = match callee {
            Callee::Method { receiver, .. } => {
                let loc = self.place(state, *receiver);
                self.arena.val(Val::Ptr(loc))
            }
            Callee::Pointer(op) => self.operand(state, op),
            _ => return,
        };
        self.escape(state, v);
    }

    pub(crate) fn call(
        &mut self,
        mut state: State,
        dst: Option<PlaceId>,
        callee: &'p Callee,
        args: &'p [Operand],
        voided: bool,
        out: &mut Vec<State>,
    ) {
        let program = self.program;
        let mut target = program.target(self.unit, self.function, callee, args.len());
        if let Callee::Pointer(op) = callee {
            let v = self.operand(&mut state, op);
            if let Val::Function(name) = self.arena.get(v)
                && let Some(f) = program.only_function(self.unit, self.function, name)
            {
                target = Target::Defined(f);
            }
        }
        let values: Vec<ValId> = args.iter().map(|a| self.operand(&mut state, a)).collect();
        if let Target::Model(model) = target
            && largest_argument(model).is_none_or(|n| n < args.len())
        {
            let name: Name = match callee {
                Callee::Function(name) => name.trim_start_matches("::").into(),
                _ => Name::default(),
            };
            self.operands = args;
            self.model_call(state, dst, &name, model, &values, voided, out);
            return;
        }
        if program.returns(target, callee) == Returns::Never {
            return;
        }
        self.settle_dropped_by_unknown(&mut state, &values);
        if let (Target::Unknown, Callee::Function(name)) = (target, callee)
            && speaks_of_logging(last(name))
        {
            let v = self.fresh(&state, 0);
            self.store_result(&mut state, dst, v);
            out.push(state);
            return;
        }
        if let Target::Defined(f) = target
            && let Some(value) = program.constant_result(f)
        {
            let v = self.arena.int(value);
            self.store_result(&mut state, dst, v);
            out.push(state);
            return;
        }
        if let (Target::Defined(f), Callee::Constructor(_)) = (target, callee)
            && program.function(f).kind == FunctionKind::Constructor
            && let Some(class) = &program.function(f).class
            && let Some(init) = program.field_init(f.0, class)
            && let Some(receiver) = self.receiver(&mut state, f, callee, dst)
        {
            // The default member initialisers come before the constructor's own.
            let call = Invocation {
                function: init,
                args: &[],
                receiver: Some(receiver),
                part: 2,
            };
            let mut begun = Vec::new();
            if self.apply(&mut state, &call, None, &mut begun)
                && let [only] = &begun[..]
            {
                state = only.clone();
            }
        }
        if let (Target::Defined(f), Callee::New(ty)) = (target, callee)
            && self.new_object(&mut state, f, args, ty, dst, out)
        {
            return;
        }
        if let Target::Defined(f) = target
            && !matches!(callee, Callee::New(_))
        {
            let receiver = self.receiver(&mut state, f, callee, dst);
            let call = Invocation {
                function: f,
                args,
                receiver,
                part: 0,
            };
            let result = match callee {
                Callee::Constructor(_) => None,
                _ => dst,
            };
            if self.apply(&mut state, &call, result, out) {
                return;
            }
        }
        let surely = program.returns(target, callee) == Returns::Yes;
        let logs = matches!(callee, Callee::Function(name) if speaks_of_logging(last(name)));
        if !surely && !logs && self.judges_a_known_value(args, &values) {
            state.doubtful = true;
            let failed: Vec<ValId> = state
                .res
                .iter()
                .filter(|(v, res)| self.outcome(&state, *v, res) == Outcome::Failed)
                .map(|(v, _)| v)
                .collect();
            for v in failed {
                if let Some(res) = state.res.get_mut(v) {
                    res.checked = true;
                }
            }
        }
        for (v, arg) in values.iter().zip(args) {
            self.escape(&mut state, *v);
            self.escape_parts(&mut state, arg);
        }
        self.escape_receiver(&mut state, callee);
        self.outside_changes(&mut state, surely, 0);
        if program.units[self.unit].language == Language::Cpp {
            // A plain argument may be a reference parameter that the callee sets.
            for arg in args {
                if let Operand::Copy(place) = arg {
                    let loc = self.place(&mut state, *place);
                    let unset = state.env.get(loc).is_some_and(|v| {
                        matches!(
                            self.arena.get(*v),
                            Val::Sym(Sym::Uninit { .. }) | Val::Int(_)
                        )
                    });
                    if unset {
                        let v = self.fresh(&state, 50);
                        state.env.insert(loc, v);
                    }
                }
            }
        }
        let v = self.fresh(&state, 0);
        self.store_result(&mut state, dst, v);
        out.push(state);
    }

    /// A global that this function alone writes: what it calls does not change it.
    fn is_own_global(&self, loc: LocId) -> bool {
        match self.arena.get_loc(loc) {
            Loc::Global(name) => self.program.globals.at_first_call(self.me, name).is_some(),
            _ => false,
        }
    }

    /// A variable or condition whose value is known on this path is given to code that may not
    /// come back: `CHECK(status)`, `EXPECT_OK(made)`. It may well not come back for this value.
    fn judges_a_known_value(&self, args: &[Operand], values: &[ValId]) -> bool {
        args.iter().zip(values).any(|(arg, v)| {
            matches!(arg, Operand::Copy(_)) && matches!(self.arena.get(*v), Val::Int(_))
        })
    }

    /// Unknown code ran: what it can reach may have changed, what it holds may have been judged.
    pub(crate) fn outside_changes(&mut self, state: &mut State, surely_returns: bool, nth: u32) {
        // One number for each run of unknown code: the statement, its round, and which of the runs
        // inside a called function it is.
        let mut hasher = FxHasher::default();
        (self.stmt, self.round(state), nth).hash(&mut hasher);
        let short = u32::try_from(hasher.finish() >> 33).unwrap_or(0);
        state.epoch = short | 1;
        let surely = surely_returns;
        self.record(state, Action::Havoc { surely });
        self.record(state, Action::Epoch(state.epoch));
        let gone: Vec<LocId> = state
            .env
            .iter()
            .map(|(l, _)| l)
            .filter(|l| self.is_outside(state, *l) && !self.is_own_global(*l))
            .collect();
        for loc in gone {
            state.env.remove(loc);
        }
        if !surely_returns && state.failed_outs.iter().any(|(_, out)| out.checked) {
            state.doubtful = true;
        }
        for res in state.res.values_mut() {
            if res.escaped && !res.checked {
                res.checked = true;
            }
            if res.failed_at.is_some() && !surely_returns {
                state.doubtful = true;
            }
        }
    }

    fn store_result(&mut self, state: &mut State, dst: Option<PlaceId>, v: ValId) {
        let Some(dst) = dst else { return };
        let loc = self.place(state, dst);
        self.overwrite_by_call(state, dst, loc, v);
    }

    #[allow(clippy::too_many_arguments)]
    fn model_call(
        &mut self,
        mut state: State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &'p FunctionModel,
        args: &[ValId],
        voided: bool,
        out: &mut Vec<State>,
    ) {
        self.next_transfer(&mut state, model, args);
        if model.asserts
            && args
                .first()
                .is_some_and(|v| self.arena.as_int(*v) == Some(0))
        {
            // `assert(0)`: the program says that no run comes here.
            return;
        }
        if let Some(check) = &model.check {
            self.check_call(state, dst, api, model, check, args, out);
            return;
        }
        for &n in &model.needs {
            self.use_value(&mut state, args[n], api, false);
        }
        if let Some(io) = &model.io
            && let Some(v) = io.overlapped.and_then(|n| args.get(n))
            && let Val::Ptr(loc) = *self.arena.get(*v)
        {
            let event = self.arena.loc(Loc::Field(loc, "hEvent".into()));
            if let Some(&v) = state.env.get(event) {
                // `hEvent` may carry the low bit that keeps a completion off the port.
                self.use_value(&mut state, v, api, false);
            }
        }
        for release in &model.releases {
            match self.applies(&state, release.when.as_ref(), args) {
                Some(true) => self.release(&mut state, release, api, args),
                Some(false) => {}
                None => {
                    let v = args[release.arg];
                    self.escape(&mut state, v);
                }
            }
        }
        if model.noreturn {
            return;
        }
        // What is given as a context is the callback's to close; what a call must have as a handle
        // and keeps is still the caller's.
        let contexts = model.escapes.iter().filter(|n| !model.needs.contains(n));
        for &n in model.takes.iter().chain(contexts) {
            self.hand_over(&mut state, args[n]);
        }
        for &n in model.takes.iter().chain(&model.escapes) {
            self.expose(&mut state, args[n]);
        }
        for &n in &model.fills {
            let loc = self.pointee(args[n]);
            let v = self.fresh(&state, u32::try_from(n).unwrap_or(0) + 1);
            if matches!(self.arena.get(args[n]), Val::Int(_)) {
                continue;
            }
            self.write(&mut state, loc, v);
        }
        if let Some(n) = model.returns_arg {
            let v = args[n];
            self.store_result(&mut state, dst, v);
            out.push(state);
            return;
        }
        let (outs, others): (Vec<&Acquire>, Vec<&Acquire>) = model
            .acquires
            .iter()
            .partition(|a| self.applies(&state, a.when.as_ref(), args) == Some(true));
        for acquire in others {
            // Something is written there, though it may be nothing of ours.
            if let (Some(n), Some(loc)) =
                (acquire.at.argument(), self.out_location(&acquire.at, args))
            {
                let v = self.fresh(&state, slot_of(n));
                self.write(&mut state, loc, v);
            }
        }
        let result = match &model.pseudo {
            // Each call yields the same value: comparing with another call's tells them apart.
            Some(_) if args.is_empty() => self.arena.val(Val::Named(format!("{api}()").into())),
            _ => self.fresh(&state, 0),
        };
        if let Some(io) = &model.io {
            self.note_io(&mut state, dst, api, io, args, voided, result);
        }
        if matches!(&**api, "GetLastError" | "WSAGetLastError") {
            self.error_values.insert(result);
        }
        if api == "GetLastError"
            && let Some(made) = state.last_made
        {
            state.errors.insert(result, made);
        }
        let failed = |v: ValId| {
            let res = state.res.get(v);
            res.is_some_and(|res| self.outcome(&state, v, res) == Outcome::Failed)
        };
        if api == "GetLastError" && (state.io_failed || state.last_made.is_some_and(failed)) {
            // A call is known to have failed: it left an error.
            let mut fact = crate::state::Fact::default();
            fact.exclude(0);
            state.facts.insert(result, fact);
        }
        if let Some(pseudo) = &model.pseudo {
            state
                .pseudo
                .insert(result, (api.clone(), Name::new(&pseudo.noun)));
        }
        if outs.iter().any(|a| a.at.argument().is_some()) {
            self.acquire_outs(state, dst, api, model, &outs, args, result, out);
            return;
        }
        for acquire in outs {
            self.acquire_result(&mut state, dst, api, acquire, result);
        }
        self.store_result(&mut state, dst, result);
        out.push(state);
    }

    /// Whether a condition on the arguments holds; none when that is not known.
    fn applies(&self, state: &State, when: Option<&Condition>, args: &[ValId]) -> Option<bool> {
        let Some(when) = when else { return Some(true) };
        let v = *args.get(when.arg)?;
        let value = self.arena.as_int(v);
        if let Some(flag) = &when.flag {
            let flag = self.program.constant(self.unit, flag)?;
            return value.map(|v| v & flag != 0);
        }
        if let Some(flag) = &when.no_flag {
            let flag = self.program.constant(self.unit, flag)?;
            return value.map(|v| v & flag == 0);
        }
        if let Some(null) = when.null {
            let is_null = match value {
                Some(v) => v == 0,
                None => {
                    let fact = state.facts.get(v)?;
                    if fact.exact() == Some(0) {
                        true
                    } else if fact.excludes(0) {
                        false
                    } else {
                        return None;
                    }
                }
            };
            return Some(is_null == null);
        }
        if let Some(equals) = &when.equals {
            // `GetCurrentProcess()` names a pseudo-handle by the call that yields it.
            if let Some(call) = equals.strip_suffix("()") {
                return state
                    .pseudo
                    .get(v)
                    .map(|(api, _)| api == call)
                    .or(Some(false));
            }
            let wanted = equals
                .parse()
                .ok()
                .or_else(|| self.program.constant(self.unit, equals))?;
            return value.map(|v| v == wanted);
        }
        Some(true)
    }

    fn acquire_result(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        acquire: &Acquire,
        v: ValId,
    ) {
        let Some(failure) = acquire.failure else {
            return;
        };
        let var = dst.map_or_else(Name::default, |d| self.place_name(d));
        state.step(
            self.span,
            StepKind::Created {
                api: api.clone(),
                var: var.clone(),
            },
            Some(v),
        );
        // What the call yields is its failure value or a live resource, never the other sentinel.
        let mut fact = crate::state::Fact::default();
        match number(failure) {
            0 => fact.exclude(-1),
            _ if failure == pipelint_models::Sentinel::MinusOne => fact.clamp(-1, i128::MAX),
            _ => fact.exclude(0),
        };
        state.facts.insert(v, fact);
        let dropped = dst.is_none();
        let res = Res {
            api: api.clone(),
            kind: Name::new(&acquire.kind),
            created: self.span,
            origin: self.span,
            foreign: false,
            adopted: false,
            var,
            judge: v,
            failure: Some(failure),
            status: Status::Open,
            escaped: false,
            home: None,
            checked: acquire.infallible,
            used_unchecked: false,
            failed_at: None,
            infallible: acquire.infallible,
        };
        state.res.insert(v, res);
        state.last_made = Some(v);
        if dropped && self.leaks(&acquire.kind) && !self.is_entry_point() {
            self.leak(state, v, LeakHow::Dropped, StepKind::Left);
            if let Some(res) = state.res.get_mut(v) {
                res.escaped = true;
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn acquire_outs(
        &mut self,
        state: State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        outs: &[&Acquire],
        args: &[ValId],
        result: ValId,
        to: &mut Vec<State>,
    ) {
        let zero = self.arena.int(0);
        let minus = self.arena.int(-1);
        let (op, bound) = match model.success {
            Some(Success::Zero | Success::ZeroOrMinusOne | Success::ZeroOrNegative) => {
                (CmpOp::Eq, zero)
            }
            Some(Success::Nonnegative) => (CmpOp::Ge, zero),
            Some(Success::NotMinusOne) => (CmpOp::Ne, minus),
            Some(Success::Nonzero) | None => (CmpOp::Ne, zero),
        };
        let mut failed = state.clone();
        let fails = match model.success {
            Some(Success::ZeroOrMinusOne) => {
                self.learn_quietly(&mut failed, CmpOp::Eq, result, minus, true)
            }
            Some(Success::ZeroOrNegative) => {
                self.learn_quietly(&mut failed, CmpOp::Lt, result, zero, true)
            }
            _ => self.learn_quietly(&mut failed, op, result, bound, false),
        };
        if fails {
            for acquire in outs {
                let Some(loc) = self.out_location(&acquire.at, args) else {
                    continue;
                };
                let out = FailedOut {
                    judge: result,
                    api: api.clone(),
                    kind: Name::new(&acquire.kind),
                    created: self.span,
                    var: self.loc_name(loc),
                    checked: acquire.infallible,
                    unseen: false,
                    loc,
                };
                self.out_failed(&mut failed, loc, out);
            }
            self.store_result(&mut failed, dst, result);
            to.push(failed);
        }
        let mut good = state;
        if self.learn_quietly(&mut good, op, result, bound, true) {
            let mut made = Vec::new();
            for (i, acquire) in outs.iter().enumerate() {
                let Some(loc) = self.out_location(&acquire.at, args) else {
                    continue;
                };
                let slot = match acquire.at {
                    Slot::Result => 0,
                    Slot::Out(n) => slot_of(n),
                    Slot::Field(..) | Slot::Element(..) => PARTS + slot_of(i),
                };
                let v = self.fresh(&good, slot);
                let var = self.loc_name(loc);
                good.step(
                    self.span,
                    StepKind::Created {
                        api: api.clone(),
                        var: var.clone(),
                    },
                    Some(v),
                );
                let mut fact = crate::state::Fact::default();
                fact.exclude(0);
                fact.exclude(-1);
                good.facts.insert(v, fact);
                good.res.insert(
                    v,
                    Res {
                        api: api.clone(),
                        kind: Name::new(&acquire.kind),
                        created: self.span,
                        origin: self.span,
                        foreign: false,
                        adopted: false,
                        var,
                        judge: result,
                        failure: None,
                        status: Status::Open,
                        escaped: false,
                        home: None,
                        checked: acquire.infallible,
                        used_unchecked: false,
                        failed_at: None,
                        infallible: acquire.infallible,
                    },
                );
                good.last_made = Some(v);
                let name = self.loc_name(loc);
                self.overwritten(&mut good, name, loc, v);
                made.push((loc, v));
            }
            // The call fills the rest of such a structure too.
            for acquire in outs {
                if let Slot::Field(n, _) = acquire.at {
                    let whole = self.pointee(args[n]);
                    let v = self.fresh(&good, slot_of(n));
                    self.write(&mut good, whole, v);
                }
            }
            for (loc, v) in made {
                self.write(&mut good, loc, v);
            }
            self.store_result(&mut good, dst, result);
            to.push(good);
        }
    }

    /// A creation that would have set this memory failed: what was unset or empty still is.
    pub(crate) fn out_failed(&mut self, state: &mut State, loc: LocId, out: FailedOut) {
        let old = self.read(state, loc);
        if matches!(
            self.arena.get(old),
            Val::Sym(Sym::Uninit { .. } | Sym::Load { .. }) | Val::Int(0 | -1)
        ) {
            state.failed_outs.insert(old, out);
        }
    }

    /// The location that a call writes a resource to; none for its result.
    fn out_location(&mut self, at: &Slot, args: &[ValId]) -> Option<LocId> {
        let n = at.argument()?;
        let whole = self.pointee(*args.get(n)?);
        Some(match at {
            Slot::Result | Slot::Out(_) => whole,
            Slot::Field(_, name) => self.arena.loc(Loc::Field(whole, name.clone())),
            Slot::Element(_, i) => {
                let i = i64::from(*i);
                let (array, i) = match self.arena.get_loc(whole) {
                    // The address of an element stands for the array from there on.
                    Loc::Elem(array, Some(from)) if !self.is_row(whole) => {
                        (*array, from.saturating_add(i))
                    }
                    _ => (whole, i),
                };
                self.arena.loc(Loc::Elem(array, Some(i)))
            }
        })
    }

    /// True for an element of a local array that is an array itself.
    fn is_row(&self, mut loc: LocId) -> bool {
        let mut depth = 0;
        while let Loc::Elem(array, _) = self.arena.get_loc(loc) {
            loc = *array;
            depth += 1;
        }
        match self.arena.get_loc(loc) {
            Loc::Local(l) => self
                .function
                .locals
                .get(l.0 as usize)
                .is_some_and(|l| l.ty.arrays > depth),
            _ => false,
        }
    }

    /// A value reaches a call that needs a live resource there.
    pub(crate) fn use_value(&mut self, state: &mut State, v: ValId, api: &Name, releases: bool) {
        if let Val::Sym(Sym::Uninit { loc }) = *self.arena.get(v) {
            self.uninitialised(state, v, loc, api, releases);
            return;
        }
        self.note_field_use(state, v, api, releases);
        let Some(res) = state.res.get(v) else {
            if self.is_given(v) {
                let (api, span) = (api.clone(), self.span);
                self.record(state, Action::Use { v, api, span });
            }
            return;
        };
        let resource = Some(self.resource(res));
        let outcome = self.outcome(state, v, res);
        let kind = match &res.status {
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

    fn uninitialised(&mut self, state: &mut State, v: ValId, loc: LocId, api: &Name, closes: bool) {
        let name = self.loc_name(loc);
        if let Some(out) = state.failed_outs.get(v)
            && !out.checked
        {
            // The creation's status was never judged: that is the fault to tell.
            let kind = self.program.models.resource(&out.kind);
            let resource = crate::event::Resource {
                api: out.api.clone(),
                created: out.created,
                origin: out.created,
                var: out.var.clone(),
                noun: kind.map_or_else(Name::default, |k| Name::new(&k.noun)),
                release: kind.map_or_else(Name::default, |k| Name::new(&k.release)),
                failure: None,
            };
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
        // Told once: the rest of the path takes it as set.
        let set = self.fresh(state, 60);
        state.env.insert(loc, set);
    }

    fn release(&mut self, state: &mut State, release: &Release, api: &Name, args: &[ValId]) {
        let arg = args[release.arg];
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
        match *self.arena.get(v) {
            Val::Sym(Sym::Uninit { loc }) => {
                self.uninitialised(state, v, loc, api, true);
                return;
            }
            // Unset by a creation that nobody judged: that is told as such.
            Val::Int(0 | -1) if state.failed_outs.get(v).is_some_and(|out| !out.checked) => return,
            Val::Int(value @ (0 | -1)) if !release.null_ok => {
                self.close_of_constant(state, release, api, value);
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
        let Some(res) = state.res.get(v) else {
            if self.is_given(v) {
                let action = Action::Release {
                    v,
                    release: Arc::new(release.clone()),
                    api: api.clone(),
                    span: self.span,
                };
                self.record(state, action);
                self.adopt_released(state, v, &release.kind, api);
            }
            return;
        };
        let resource = Some(self.resource(res));
        let outcome = self.outcome(state, v, res);
        let kind = match &res.status {
            Status::Released(first, at) => Some(EventKind::DoubleClose {
                first: (first.clone(), *at),
                api: api.clone(),
            }),
            Status::Open if outcome == Outcome::Failed => {
                let value = res.failure.filter(|_| !release.null_ok);
                value.map(|value| EventKind::CloseOfInvalid {
                    var: res.var.clone(),
                    api: api.clone(),
                    value,
                })
            }
            Status::Open if !release.fits(&res.kind) => {
                Some(EventKind::WrongRelease { api: api.clone() })
            }
            // Made and closed with no look between: nobody would learn that it failed.
            Status::Open if !res.checked && !res.used_unchecked && !res.escaped => {
                Some(EventKind::UncheckedUse { api: api.clone() })
            }
            Status::Open => None,
        };
        let again = matches!(kind, Some(EventKind::DoubleClose { .. }));
        if let Some(kind) = kind {
            let path = self.path(state, Some(v), StepKind::Closed(api.clone()));
            self.emit(kind, resource, path, state.doubtful);
        }
        if again {
            state.res.remove(v);
            return;
        }
        state.step(self.span, StepKind::Closed(api.clone()), Some(v));
        let (api, span) = (api.clone(), self.span);
        if let Some(res) = state.res.get_mut(v)
            && outcome != Outcome::Failed
        {
            res.status = Status::Released(api, span);
        }
    }

    fn close_of_constant(&mut self, state: &State, release: &Release, api: &Name, value: i128) {
        let sentinel = if value == 0 {
            pipelint_models::Sentinel::Null
        } else {
            pipelint_models::Sentinel::InvalidHandle
        };
        let empty = self
            .program
            .models
            .resource(&release.kind)
            .is_some_and(|k| k.empty.contains(&sentinel));
        if !empty {
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
        self.emit(
            EventKind::CloseOfInvalid {
                var,
                api: api.clone(),
                value: sentinel,
            },
            None,
            path,
            state.doubtful,
        );
    }

    #[allow(clippy::too_many_arguments)]
    fn check_call(
        &mut self,
        state: State,
        dst: Option<PlaceId>,
        api: &Name,
        model: &FunctionModel,
        check: &Check,
        args: &[ValId],
        out: &mut Vec<State>,
    ) {
        let Some(&v) = args.get(check.arg) else {
            return;
        };
        let zero = self.arena.int(0);
        let minus = self.arena.int(-1);
        let tests: &[(CmpOp, ValId)] = match check.good {
            Good::Nonzero => &[(CmpOp::Ne, zero)],
            Good::Zero => &[(CmpOp::Eq, zero)],
            Good::Nonnegative => &[(CmpOp::Ge, zero)],
            Good::NotInvalid => &[(CmpOp::Ne, minus)],
            Good::ValidHandle => &[(CmpOp::Ne, zero), (CmpOp::Ne, minus)],
        };
        let _ = api;
        self.settle(&state, v);
        let mut good = state.clone();
        self.settle_dropped_by_condition(&mut good, v, v);
        if tests
            .iter()
            .all(|(op, c)| self.assume(&mut good, *op, v, *c, true))
        {
            let result = if model.returns_arg == Some(check.arg) {
                v
            } else {
                self.fresh(&good, 0)
            };
            self.store_result(&mut good, dst, result);
            out.push(good);
        }
        for (op, c) in tests {
            let mut bad = state.clone();
            if !self.assume(&mut bad, *op, v, *c, false) {
                continue;
            }
            match check.on_fail {
                OnFail::Aborts => {}
                OnFail::Throws => self.leave(&mut bad, None),
                OnFail::Returns => {
                    self.record_end(&bad, None);
                    self.leave(&mut bad, None);
                }
                OnFail::Continues => {
                    let result = if model.returns_arg == Some(check.arg) {
                        v
                    } else {
                        self.fresh(&bad, 0)
                    };
                    self.store_result(&mut bad, dst, result);
                    out.push(bad);
                }
            }
        }
    }

    /// A checking macro judges the value even where the comparison was decided before.
    fn settle(&mut self, state: &State, v: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for part in parts {
            if let Some(res) = state.res.get(part) {
                let created = res.created;
                self.found.compared_rightly(created);
            }
        }
    }

    /// Memory behind a pointer is kept by the call; a resource so kept stays the caller's.
    pub(crate) fn expose(&mut self, state: &mut State, v: ValId) {
        if self.is_given(v) {
            self.record(state, Action::Expose(v));
        }
        if let Val::Ptr(loc) = *self.arena.get(v) {
            let root = self.arena.root(loc);
            state.exposed.insert(root, ());
            let held: Vec<ValId> = state
                .env
                .iter()
                .filter(|(l, _)| self.arena.within(*l, loc))
                .map(|(_, v)| *v)
                .collect();
            for v in held {
                self.hand_over(state, v);
            }
        }
    }

    pub(crate) fn emit(
        &mut self,
        kind: EventKind,
        resource: Option<crate::event::Resource>,
        path: Vec<crate::event::PathStep>,
        doubtful: bool,
    ) {
        let rests_on_failure = matches!(
            kind,
            EventKind::CloseOfInvalid { .. }
                | EventKind::Uninitialised { .. }
                | EventKind::FailedUse { .. }
        );
        if doubtful && rests_on_failure {
            return;
        }
        self.found.add(Event {
            kind,
            at: self.at(),
            function: self.function.name.clone(),
            resource,
            path,
            others: Vec::new(),
        });
    }
}

/// The first number of the values that a call writes to parts of what its arguments point to.
const PARTS: u32 = 200;

/// The number of the value that a call writes through an argument.
fn slot_of(arg: usize) -> u32 {
    u32::try_from(arg).unwrap_or(0) + 1
}

/// The largest argument number that a model's facts speak of.
fn largest_argument(model: &FunctionModel) -> Option<usize> {
    let io = model.io.iter().flat_map(|io| {
        [
            Some(io.handle),
            io.buffer,
            io.length,
            io.count,
            io.overlapped,
        ]
        .into_iter()
        .flatten()
    });
    let outs = model.acquires.iter().filter_map(|a| a.at.argument());
    let all = model
        .needs
        .iter()
        .chain(&model.takes)
        .chain(&model.escapes)
        .chain(&model.fills)
        .copied();
    all.chain(model.releases.iter().map(|r| r.arg))
        .chain(io)
        .chain(outs)
        .chain(model.returns_arg)
        .chain(model.check.iter().map(|c| c.arg))
        .max()
}
