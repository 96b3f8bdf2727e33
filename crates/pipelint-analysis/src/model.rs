//! Calls of modelled functions: what the facts say happens.

use pipelint_ir::{Base, Name, PlaceId};
use pipelint_models::{Acquire, Condition, FunctionModel};

use crate::acquire::slot_of;
use crate::exec::{Exec, Outcome};
use crate::misread::Leaves;
use crate::state::{Failed, State, Tells};
use crate::values::{Loc, Val, ValId};

/// What the argument points to is set by the call.
pub(crate) fn is_set(model: &FunctionModel, argument: usize) -> bool {
    let made = |a: &Acquire| a.at.argument() == Some(argument);
    model.fills.contains(&argument) || model.acquires.iter().any(made)
}

impl<'p> Exec<'p, '_> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn model_call(
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
        self.use_waited_for(&mut state, api, model, args);
        self.note_cancel(&mut state, model, args);
        if let Some(io) = &model.io
            && let (Some(count), Some(overlapped)) = (io.count, io.overlapped)
        {
            self.transfers_with(&mut state, args[count], args[overlapped], api);
        }
        if let Some(with) = &model.overlaps
            && let (Some(&handle), Some(&overlapped)) =
                (args.get(with.handle), args.get(with.overlapped))
        {
            self.overlaps(&mut state, handle, overlapped, api, false);
        }
        if dst.is_some() {
            // `hr = HRESULT_FROM_WIN32(error);`: what is asked of the result is asked of the error.
            state
                .failed_outs
                .change(|_, out| args.contains(&out.judge), |out| out.unseen = true);
        }
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
            if let Some(op) = self.operands.get(n) {
                self.use_failed_out(&mut state, op, args[n], api);
            }
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
        for v in args {
            self.touch_inside(&mut state, *v);
        }
        self.use_fields(&mut state, model, args, api);
        self.use_buffers(&mut state, model, args, api);
        self.give_boxes(&mut state, args);
        for release in model.releases.iter().filter(|r| !r.on_success) {
            match self.applies(&state, release.when.as_ref(), args) {
                Some(true) => self.release(&mut state, release, api, args),
                Some(false) => {}
                None => {
                    let v = args[release.arg];
                    self.escape(&mut state, v);
                }
            }
        }
        let holds = |when| self.applies(&state, Some(when), args) == Some(true);
        if model.noreturn || model.noreturn_when.iter().any(holds) {
            self.note_io_end(&state, None, &Vec::new(), Leaves::Dies);
            return;
        }
        // What is given as a context is the callback's to close; what a call must have as a handle
        // and keeps is still the caller's.
        self.use_memory(&mut state, model, args, api);
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
        let dropped = voided || dst.is_none_or(|dst| self.is_never_read(dst));
        self.follow_io(&mut state, api, model, args, result);
        self.model_changes_error(&mut state, api, model, args, result, dropped);
        if let Some(io) = &model.io {
            self.note_io(&mut state, dst, api, io, args, voided);
        }
        if let Some(success) = model.success
            && (model.io.is_some() || model.sets)
        {
            let tells = Tells {
                success,
                io: model.io.as_ref().map(|io| io.does),
                sets: model.sets,
            };
            state.results.insert(result, tells);
        }
        self.note_evidence(&mut state, model, args, result);
        self.note_wait(&mut state, dst, api, model, args, result, voided);
        self.note_transfer(&mut state, api, model, result);
        self.note_completion(&mut state, dst, api, model, args, result, voided);
        self.note_question(&state, api, model, args, result);
        self.note_mode(&mut state, model, args, result);
        self.note_count(&mut state, api, model, args, result);
        if model.lowers_count {
            self.lowered_counts.insert(result);
        }
        if matches!(&**api, "GetLastError" | "WSAGetLastError") {
            self.error_values.insert(result);
        }
        if api == "GetLastError"
            && let Some(made) = state.last_made
        {
            state.errors.insert(result, made);
        }
        if api == "GetLastError" {
            // Who asks for the error looks at how the start went.
            state.dropped.change(|_, _| true, |d| d.overlapped = None);
            self.error_is_asked(&mut state);
            self.error_was_left(&mut state, result);
        }
        if let Some(pseudo) = &model.pseudo {
            state
                .pseudo
                .insert(result, (api.clone(), Name::new(&pseudo.noun)));
        }
        self.run_callbacks(&mut state, api, model, args, result);
        if outs.iter().any(|a| a.at.argument().is_some()) {
            self.acquire_outs(state, dst, api, model, &outs, args, result, out);
            return;
        }
        let overlapped = self.opens_overlapped(&state, model, args);
        self.note_opened(model, args, result);
        for acquire in outs {
            self.acquire_result(&mut state, dst, api, acquire, result, overlapped);
        }
        self.run_io(&mut state, dst, api, model, args, result);
        self.give_context(&mut state, args, result);
        self.move_block(&mut state, dst, api, model, args, result);
        self.store_result(&mut state, dst, result);
        out.push(state);
    }

    /// What the structures hold whose addresses a call is given that makes something: the system
    /// takes it out. A call that fills, copies or compares a structure uses nothing of it.
    fn use_fields(&mut self, state: &mut State, model: &FunctionModel, args: &[ValId], api: &Name) {
        if model.acquires.is_empty() {
            return;
        }
        for (n, v) in args.iter().enumerate() {
            let Val::Ptr(object) = *self.arena.get(*v) else {
                continue;
            };
            if is_set(model, n) {
                continue;
            }
            for field in self.program.models.used_fields() {
                let at = self.arena.loc(Loc::Field(object, field.as_str().into()));
                if let Some(&held) = state.env.get(at) {
                    self.use_value(state, held, api, false);
                }
            }
        }
    }

    /// Where a call is known to have failed, the error that it left is not 0.
    pub(crate) fn error_was_left(&self, state: &mut State, error: ValId) {
        let failed = |v: ValId| {
            let res = state.res.get(v);
            res.is_some_and(|res| self.outcome(state, v, res) == Outcome::Failed)
        };
        if state.io_failed || state.failed == Failed::Yes || state.last_made.is_some_and(failed) {
            let mut fact = crate::state::Fact::default();
            fact.exclude(0);
            state.facts.insert(error, fact);
        }
    }

    /// As `error_was_left`, for a read of `errno`.
    pub(crate) fn errno_was_left(&mut self, state: &mut State, place: PlaceId, v: ValId) {
        let place = &self.function.places[place];
        let errno = matches!(&place.base, Base::Global(name) if name == "errno");
        if errno && place.proj.is_empty() && matches!(self.arena.get(v), Val::Sym(_)) {
            self.error_was_left(state, v);
            self.asks_for_errno(state, v);
        }
    }

    /// Whether a condition on the arguments holds; none when that is not known.
    pub(crate) fn applies(
        &self,
        state: &State,
        when: Option<&Condition>,
        args: &[ValId],
    ) -> Option<bool> {
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
}

/// The largest argument number that a model's facts speak of.
pub(crate) fn largest_argument(model: &FunctionModel) -> Option<usize> {
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
        .chain(model.noreturn_when.iter().map(|c| c.arg))
        .max()
}
