//! Calls of functions that have a summary: its paths are replayed over the caller's values.

use pipelint_ir::{Callee, FunctionKind, LocalKind, Name, Operand, PlaceId, Reference};
use pipelint_source::Span;

use crate::event::{LeakHow, StepKind};
use crate::exec::{Exec, Outcome, number};
use crate::handed_on::HandedOn;
use crate::log::{Action, Step, each};
use crate::program::FnRef;
use crate::state::{FailedOut, State, Status};
use crate::summary::{End, Summary};
use crate::values::{Loc, LocId, Sym, Val, ValId};

/// Paths that one call may add to one path of the caller.
const MOST_WAYS: usize = 16;

/// A call being replayed on one path.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) vals: Vec<Option<ValId>>,
    pub(crate) locs: Vec<Option<LocId>>,
    /// How often unknown code ran so far.
    pub(crate) havocs: u32,
    /// The way that is replayed failed, as its result may say.
    vague: bool,
    /// Some condition of the called function was not decided on this path.
    guessed: bool,
    /// What it released on this path: that it uses it afterwards was told where it was run.
    released: Vec<ValId>,
}

/// What stays the same over a whole replay.
pub(crate) struct Call<'p> {
    pub(crate) summary: &'p Summary,
    name: Name,
    function: FnRef,
    /// The call, in the caller.
    site: Span,
    pub(crate) args: Vec<ValId>,
    /// Where an argument that is a variable stands.
    pub(crate) arg_locs: Vec<Option<LocId>>,
    pub(crate) receiver: Option<LocId>,
    pub(crate) captures: Vec<(Name, LocId)>,
    /// Tells several replays at one statement apart.
    pub(crate) part: u32,
    /// It makes its object.
    builds: bool,
    /// It makes an object of its own type, and returns it.
    built: bool,
}

impl Call<'_> {
    /// The function says by another value than this one that it failed: `return NULL;` where the
    /// creating call yielded INVALID_HANDLE_VALUE.
    fn fails_otherwise(&self, failure: i128) -> bool {
        self.summary.ends.iter().any(|end| {
            let result = end.result.map(|v| &self.summary.vals[v.index()]);
            matches!(result, Some(Val::Int(c @ (0 | -1))) if *c != failure)
        })
    }
}

/// A function to run on an object and arguments.
pub(crate) struct Invocation<'a> {
    pub(crate) function: FnRef,
    pub(crate) args: &'a [Operand],
    pub(crate) receiver: Option<LocId>,
    /// Where the variables stand that a lambda captured.
    pub(crate) captures: &'a [(Name, LocId)],
    pub(crate) part: u32,
}

impl<'p> Exec<'p, '_> {
    /// The object that a call of this function runs on.
    pub(crate) fn receiver(
        &mut self,
        state: &mut State,
        f: FnRef,
        callee: &Callee,
        dst: Option<PlaceId>,
    ) -> Option<LocId> {
        match callee {
            Callee::Method { receiver, .. } => {
                let at = self.place(state, *receiver);
                // A call that gives a reference: `line.open().start()`.
                let named = match self.arena.get_loc(at) {
                    // A reference bound to a call stands for what the call gave.
                    Loc::Local(l) => {
                        let temp = self.function.locals.get(l.0 as usize);
                        self.function.places[*receiver].proj.is_empty()
                            || temp.is_some_and(|l| l.kind == LocalKind::Temp)
                    }
                    _ => false,
                };
                match state.env.get(at).map(|v| self.arena.get(*v)) {
                    Some(Val::Ptr(loc)) if named => Some(*loc),
                    _ => Some(at),
                }
            }
            Callee::Constructor(_) => dst.map(|d| self.place(state, d)),
            Callee::Function(_) if self.program.function(f).kind != FunctionKind::Free => {
                Some(self.arena.loc(Loc::SelfObj))
            }
            _ => None,
        }
    }

    /// Replays a summary on a path. False, with the path untouched, where there is none that fits.
    pub(crate) fn apply(
        &mut self,
        state: &mut State,
        call: &Invocation<'_>,
        dst: Option<PlaceId>,
        out: &mut Vec<State>,
    ) -> bool {
        let function = self.program.function(call.function);
        let Some(summary) = self.summary_of(call.function) else {
            return false;
        };
        let params = function.params as usize;
        let needs_object = !matches!(
            function.kind,
            FunctionKind::Free | FunctionKind::StaticMethod | FunctionKind::Lambda
        );
        if call.args.len() > params || (needs_object && call.receiver.is_none()) {
            return false;
        }
        let mut args = Vec::with_capacity(params);
        let mut arg_locs = Vec::with_capacity(params);
        for i in 0..params {
            // In Rust a reference is a value like others.
            let reference = !self.is_rust() && function.locals[i].ty.reference != Reference::None;
            let (v, loc) = match call.args.get(i) {
                Some(Operand::Copy(place) | Operand::Move(place)) => {
                    let loc = self.place(state, *place);
                    let v = if reference {
                        self.arena.val(Val::Ptr(loc))
                    } else {
                        self.operand(state, &call.args[i])
                    };
                    (v, Some(loc))
                }
                Some(op @ Operand::Const(_)) if !reference => (self.operand(state, op), None),
                _ => {
                    let slot = 1000 + u32::try_from(i).unwrap_or(0);
                    (self.fresh(state, slot), None)
                }
            };
            args.push(v);
            arg_locs.push(loc);
        }
        let call = Call {
            summary,
            name: function.name.clone(),
            function: call.function,
            site: self.span,
            args,
            arg_locs,
            receiver: call.receiver,
            captures: call.captures.to_vec(),
            part: call.part,
            builds: function.kind == FunctionKind::Constructor,
            built: self.makes_its_type(call.function),
        };
        self.replay_call(state, &call, dst, out)
    }

    /// Replays a function that nobody is seen to call, on what another one was given or has left.
    pub(crate) fn apply_given(
        &mut self,
        state: &mut State,
        f: FnRef,
        given: &[ValId],
        receiver: Option<LocId>,
        out: &mut Vec<State>,
    ) -> bool {
        let function = self.program.function(f);
        let Some(summary) = self.summary_of(f) else {
            return false;
        };
        let params = function.params;
        let of = |i: u32| given.get(i as usize).copied();
        let args = (0..params).map(|i| of(i).unwrap_or_else(|| self.fresh(state, 1000 + i)));
        let args: Vec<ValId> = args.collect();
        let arg_locs = vec![None; args.len()];
        let call = Call {
            summary,
            name: function.name.clone(),
            function: f,
            site: self.span,
            args,
            arg_locs,
            receiver,
            captures: Vec::new(),
            part: 0,
            builds: false,
            built: false,
        };
        self.replay_call(state, &call, None, out)
    }

    fn replay_call(
        &mut self,
        state: &mut State,
        call: &Call<'p>,
        dst: Option<PlaceId>,
        out: &mut Vec<State>,
    ) -> bool {
        let (summary, function) = (call.summary, self.program.function(call.function));
        let was = (
            self.site.replace(self.site.unwrap_or(self.span)),
            self.span,
            self.operands,
            self.inside.replace(call.function),
        );
        self.operands = &[];
        let mut results: Vec<(State, Option<ValId>)> = Vec::new();
        let heard = self.heard(&function.ret.name, dst);
        for end in &summary.ends {
            let frame = Frame {
                vals: vec![None; summary.vals.len()],
                locs: vec![None; summary.locs.len()],
                havocs: 0,
                vague: false,
                guessed: false,
                released: Vec::new(),
            };
            let mut begun = state.clone();
            if call.part == 0 {
                let of = (&call.name, self.site.unwrap_or(call.site));
                self.note_end_of_call(&mut begun, &summary.ends, end, of, heard);
                Self::note_sent_in_call(&mut begun, end, &call.name);
            }
            self.replay_end(begun, frame, call, end, &mut results);
        }
        (self.site, self.span, self.operands, self.inside) = was;
        if std::mem::take(&mut self.too_many_ways) {
            // As good as unknown: it would hide everything after it.
            return false;
        }
        self.keep_sure_releases(state, dst.is_some(), &mut results);
        self.keep_sure_empties(dst.is_some(), &mut results);
        for (mut after, result) in results {
            if let Some(dst) = dst {
                let v = result.unwrap_or_else(|| self.fresh(&after, 0));
                let v = match self.program.is_status(&function.ret) {
                    true => self.some_error(&mut after, v),
                    false => v,
                };
                if let Some(lost) = &mut after.lost {
                    lost.result.get_or_insert(v);
                }
                self.store(&mut after, dst, v);
            } else if let Some(v) = result {
                self.dropped_where_it_stands(&mut after, v);
            }
            self.merge(out, after);
        }
        true
    }

    fn store(&mut self, state: &mut State, dst: PlaceId, v: ValId) {
        let loc = self.place(state, dst);
        self.overwrite_by_call(state, dst, loc, v);
        if let Some(parts) = self.result_parts.get(&v).cloned() {
            self.write_parts(state, loc, &parts);
        }
    }

    /// A resource that the called function returns, and nobody receives.
    fn dropped_where_it_stands(&mut self, state: &mut State, v: ValId) {
        let Some(res) = state.res.get(v) else { return };
        if res.status != Status::Open
            || res.escaped
            || res.owned
            || !self.leaks(&res.kind)
            || self.is_entry_point()
        {
            return;
        }
        if self.outcome(state, v, res) == Outcome::Failed {
            return;
        }
        self.leak(state, v, LeakHow::Dropped, StepKind::Left);
        if let Some(res) = state.res.get_mut(v) {
            res.escaped = true;
        }
    }

    /// Adds a path to others at the same point: what is known already is joined.
    fn merge(&mut self, out: &mut Vec<State>, state: State) {
        if let Some(known) = out.iter_mut().find(|known| **known == state) {
            self.absorb(known, &state);
            return;
        }
        out.push(state);
    }

    fn replay_end(
        &mut self,
        mut state: State,
        mut frame: Frame,
        call: &Call<'p>,
        end: &'p End,
        results: &mut Vec<(State, Option<ValId>)>,
    ) {
        state.doubtful |= end.vague;
        frame.vague = end.vague;
        state.failed = state.failed.then(end.failed);
        if call.summary.takes_time {
            self.may_complete(&mut state);
        }
        self.bind_loads(&mut state, &mut frame, call, 0);
        let before: Vec<ValId> = state.res.iter().map(|(v, _)| v).collect();
        for (v, fact) in &end.facts {
            let v = self.val(&state, &mut frame, call, *v);
            state.facts.insert(v, fact.clone());
        }
        for (v, pseudo) in &end.pseudo {
            let v = self.val(&state, &mut frame, call, *v);
            state.pseudo.insert(v, pseudo.clone());
        }
        for (old, res) in &end.res {
            let v = self.val(&state, &mut frame, call, *old);
            let mut res = res.clone();
            let origin_api = res.api.clone();
            res.judge = self.val(&state, &mut frame, call, res.judge);
            res.created = self.site.unwrap_or(call.site);
            res.built |= call.builds || call.built;
            if std::mem::take(&mut res.half_done) && !self.is_entry_point() {
                self.found.received.insert(res.origin);
            }
            res.escaped = res.foreign;
            res.home = None;
            res.var = Name::default();
            if !res.infallible {
                res.handed_on = HandedOn::of_resource(&res, call.function, call.site);
            }
            if res.checked && !res.infallible {
                // The called function judged it: for the caller, that function is what can fail.
                res.api = call.name.clone();
                res.checked = self.outcome(&state, v, &res) == Outcome::Succeeded;
                res.failed_at = None;
                if res.checked && res.failure.is_some_and(|f| call.fails_otherwise(number(f))) {
                    res.failure = None;
                }
            }
            if let Status::Released(..) = &res.status {
                // It goes when the steps have been run; what they do with it, they may.
                res.status = Status::Open;
                res.escaped = true;
                res.origin = call.site;
                state.res.insert(v, res);
                continue;
            }
            let made = StepKind::Created {
                api: origin_api,
                var: Name::default(),
            };
            state.step(res.origin, made, Some(v));
            state.step(call.site, StepKind::Given(call.name.clone()), Some(v));
            if !self.is_plain_memory(&res.kind) {
                state.last_made = Some(v);
            }
            state.res.insert(v, res);
        }
        let mut paths = vec![(state, frame)];
        self.replay(&mut paths, call, &end.steps, Some(end));
        for (mut state, mut frame) in paths {
            self.keep_unjudged(&mut state, &mut frame, call, end);
            self.replay_gone(&mut state, &mut frame, call, end, &before);
            let result = end.result.map(|v| self.val(&state, &mut frame, call, v));
            if let (Some(v), false) = (result, end.parts.is_empty()) {
                let told = end.parts.iter().map(|(steps, part)| {
                    let part = match &call.summary.vals[part.index()] {
                        Val::Sym(unset @ Sym::Uninit { .. }) => self.arena.sym(unset.clone()),
                        _ => self.val(&state, &mut frame, call, *part),
                    };
                    (steps.clone(), part)
                });
                let parts = told.collect();
                self.result_parts.insert(v, parts);
            }
            self.told_by_unknown_status(&mut state, &mut frame, call, end, result);
            let mut error = end.error.clone();
            error.rename(&mut |v| self.val(&state, &mut frame, call, v));
            self.replay_error(&mut state, &error, (&call.name, call.site));
            for handed in &end.counts {
                let mut handed = handed.clone();
                handed.rename(&mut |v| self.val(&state, &mut frame, call, v));
                self.count_handed_on(&mut state, &handed, (&call.name, call.site));
            }
            for out in &end.outs {
                self.replay_out(&mut state, &mut frame, call, out, result);
            }
            if !results.iter().any(|(s, r)| *r == result && *s == state) {
                results.push((state, result));
            } else if let Some((known, _)) = results
                .iter_mut()
                .find(|(s, r)| *r == result && *s == state)
            {
                self.absorb(known, &state);
            }
        }
    }

    /// How what it made was judged in the called function is settled: the unknown code that it ran,
    /// which is run again here, was shown no more of it.
    fn keep_unjudged(&mut self, state: &mut State, frame: &mut Frame, call: &Call<'p>, end: &End) {
        for (old, res) in &end.res {
            if res.checked || res.status != Status::Open {
                continue;
            }
            let v = self.val(state, frame, call, *old);
            if let Some(res) = state.res.get_mut(v) {
                res.checked = false;
            }
        }
    }

    /// What the called function hands out, and has released.
    fn replay_gone(
        &mut self,
        state: &mut State,
        frame: &mut Frame,
        call: &Call<'p>,
        end: &End,
        before: &[ValId],
    ) {
        for (old, res) in &end.res {
            let Status::Released(closer, at) = &res.status else {
                continue;
            };
            let v = self.val(state, frame, call, *old);
            state.step(call.site, StepKind::Called(call.name.clone()), Some(v));
            state.step(*at, StepKind::Closed(closer.clone()), Some(v));
            self.note_freed(&res.kind);
            if let Some(known) = state.res.get_mut(v) {
                known.status = res.status.clone();
            }
        }
        // A status that nothing is known of may well tell the caller to keep away.
        let status = end
            .result
            .filter(|r| matches!(call.summary.vals[r.index()], Val::Sym(_)));
        if let Some(status) = status.map(|r| self.val(state, frame, call, r)) {
            state.res.retain(|v, res| {
                let gone = matches!(res.status, Status::Released(..)) && !res.adopted;
                !gone || v == status || before.contains(&v)
            });
        }
    }

    /// A creation failed, and the function returns a value that nothing is known of: that value may
    /// well tell its caller so.
    fn told_by_unknown_status(
        &mut self,
        state: &mut State,
        frame: &mut Frame,
        call: &Call<'p>,
        end: &'p End,
        result: Option<ValId>,
    ) {
        let constant = |v: &ValId| matches!(self.arena.get(*v), Val::Int(_) | Val::Named(_));
        let Some(status) = result.filter(|v| !constant(v)) else {
            return;
        };
        for (old, _) in &end.res {
            let v = self.val(state, frame, call, *old);
            let Some(res) = state.res.get(v) else {
                continue;
            };
            if v == status || self.outcome(state, v, res) != Outcome::Failed {
                continue;
            }
            state.doubtful = true;
            if let Some(res) = state.res.get_mut(v) {
                res.checked = true;
            }
        }
    }

    /// A variable that the called function left unset: its result tells.
    fn replay_out(
        &mut self,
        state: &mut State,
        frame: &mut Frame,
        call: &Call<'p>,
        out: &FailedOut,
        result: Option<ValId>,
    ) {
        let loc = self.loc(state, frame, call, out.loc);
        let judge = self.val(state, frame, call, out.judge);
        state.doubtful |= out.unseen;
        if call.builds {
            // Who has the object has no status to look at: the constructor's look is the only one.
            let out = FailedOut {
                judge,
                loc,
                ..out.clone()
            };
            self.out_failed(state, loc, out);
            return;
        }
        let out = FailedOut {
            judge: result.unwrap_or(judge),
            api: if out.checked {
                call.name.clone()
            } else {
                out.api.clone()
            },
            created: call.site,
            var: self.loc_name(loc),
            checked: out.unseen,
            failed_at: None,
            handed_on: HandedOn::of_out(out, call.function, call.site),
            loc,
            ..out.clone()
        };
        self.out_failed(state, loc, out);
    }

    /// Runs the steps on every path; `end` is the one that they lead to, where they lead to one.
    fn replay(
        &mut self,
        paths: &mut Vec<(State, Frame)>,
        call: &Call<'p>,
        steps: &'p [Step],
        end: Option<&'p End>,
    ) {
        for (i, step) in steps.iter().enumerate() {
            match step {
                Step::Act(action) => {
                    self.steps += paths.len();
                    paths.retain_mut(|(state, frame)| self.act(state, frame, call, action));
                }
                Step::Choice(ways) => {
                    let mut after: Vec<(State, Frame)> = Vec::new();
                    for way in ways {
                        let mut these = paths.clone();
                        self.replay(&mut these, call, way, None);
                        for (state, frame) in these {
                            self.merge_paths(&mut after, state, frame);
                        }
                    }
                    if let Some(end) = end {
                        self.join_ways(&mut after, call, end, &steps[i + 1..]);
                    }
                    *paths = after;
                }
            }
            if paths.is_empty() || self.is_spent() {
                return;
            }
            if paths.len() > MOST_WAYS {
                self.too_many_ways = true;
                paths.clear();
                return;
            }
        }
    }

    pub(crate) fn merge_paths(
        &mut self,
        paths: &mut Vec<(State, Frame)>,
        state: State,
        frame: Frame,
    ) {
        // Two ways that leave the same behind them are one: what the frames hold beyond that are
        // names for values, and names not yet given are given the same.
        let same = |known: &(State, Frame)| {
            known.0 == state
                && known
                    .1
                    .vals
                    .iter()
                    .zip(&frame.vals)
                    .all(|(a, b)| a.is_none() || b.is_none() || a == b)
        };
        if let Some(known) = paths.iter_mut().find(|k| same(k)) {
            self.absorb(&mut known.0, &state);
            for (mine, other) in known.1.vals.iter_mut().zip(&frame.vals) {
                *mine = mine.or(*other);
            }
            return;
        }
        paths.push((state, frame));
    }

    /// One action on one path; false when the path cannot be.
    fn act(
        &mut self,
        state: &mut State,
        frame: &mut Frame,
        call: &Call<'p>,
        action: &'p Action,
    ) -> bool {
        match action {
            Action::Epoch(epoch) => self.bind_loads(state, frame, call, *epoch),
            Action::Havoc { surely } => {
                frame.havocs += 1;
                self.outside_changes(state, *surely, frame.havocs);
            }
            Action::Assume { op, a, b, span } => {
                let a = self.val(state, frame, call, *a);
                let b = self.val(state, frame, call, *b);
                self.span = *span;
                let known = self.decided_or_cmp(state, *op, a, b);
                frame.guessed |= self.arena.as_int(known).is_none();
                if self.concerns_resource(state, a, b) {
                    return self.assume(state, *op, a, b, true);
                }
                return self.assume_as(state, *op, a, b, true, None);
            }
            Action::Use { v, api, span } => {
                let v = self.val(state, frame, call, *v);
                if frame.released.contains(&v) {
                    return true;
                }
                self.step_into(state, call, v);
                self.span = *span;
                self.guessed = frame.guessed;
                self.use_value(state, v, api, false);
                self.guessed = false;
            }
            Action::Release {
                v,
                release,
                api,
                span,
                site,
            } => {
                let mut told_apart = call.summary.told_apart(*v);
                let v = self.val(state, frame, call, *v);
                if !self.may_be(state, v, release) && told_apart.any(|r| self.may_be(state, v, r)) {
                    // The way that the function takes with another kind of resource.
                    return false;
                }
                if frame.vague {
                    // Who looks at the result does not come by with what is released.
                    self.escape(state, v);
                    return true;
                }
                state.step(call.site, StepKind::Called(call.name.clone()), Some(v));
                self.span = *span;
                self.guessed = frame.guessed;
                // Two methods called one after the other: the place is in them.
                let outer = self.site;
                if self.told_in == Some(call.function) {
                    self.site = Some(site.0);
                }
                self.release_value(state, release, api, v);
                self.site = outer;
                self.guessed = false;
                frame.released.push(v);
            }
            Action::Write { loc, v, span } => {
                let loc = self.loc(state, frame, call, *loc);
                let v = match &call.summary.vals[v.index()] {
                    Val::Sym(Sym::Uninit { .. }) => {
                        self.left_unset.insert(loc, *span);
                        self.arena.sym(Sym::Uninit { loc })
                    }
                    _ => self.val(state, frame, call, *v),
                };
                self.span = *span;
                let name = self.loc_name(loc);
                // A variable of the program's is overwritten where that is written.
                let site = self.site;
                if let Loc::Global(_) = self.arena.get_loc(self.arena.root(loc)) {
                    self.site = None;
                }
                if !self.is_kept(state, frame, call, loc) {
                    self.overwritten(state, name.clone(), loc, v);
                }
                self.site = site;
                // A static of the called function is no name that its caller knows.
                let own = name.starts_with(&format!("{}::", call.name));
                if let Some(res) = state.res.get_mut(v)
                    && res.var.is_empty()
                    && !own
                {
                    res.var = name;
                }
                self.guessed = frame.guessed;
                self.touch(state, loc);
                self.guessed = false;
                self.note_field_set(state, loc, v);
                self.write(state, loc, v);
            }
            Action::Escape(v) => {
                let given = self.given_whole(call, *v);
                let v = self.val(state, frame, call, *v);
                self.escape(state, v);
                if let Some(whole) = given {
                    self.escape_within(state, whole);
                }
            }
            Action::Take(v) => {
                let v = self.val(state, frame, call, *v);
                self.hand_over(state, v);
            }
            Action::Expose(v) => {
                let v = self.val(state, frame, call, *v);
                self.expose(state, v);
            }
            Action::Own(v) => {
                let v = self.val(state, frame, call, *v);
                self.own(state, v);
            }
            Action::Disown(v) => {
                let v = self.val(state, frame, call, *v);
                self.disown(state, v);
            }
            Action::Lock(..) if self.locks_told => {}
            Action::Lock(loc, act) => {
                let loc = self.loc(state, frame, call, *loc);
                self.guessed = frame.guessed;
                self.locked_by = Some(call.function);
                self.lock_is(state, loc, act);
                self.locked_by = None;
                self.guessed = false;
            }
            Action::Io(io) => {
                let mut io = (**io).clone();
                io.vals(&mut |v| *v = self.val(state, frame, call, *v));
                io.locs(&mut |l| *l = self.loc(state, frame, call, *l));
                self.replay_io(state, io);
            }
            Action::Overlaps {
                handle,
                overlapped,
                api,
                given,
                span,
            } => {
                let handle = self.val(state, frame, call, *handle);
                let overlapped = self.val(state, frame, call, *overlapped);
                self.span = *span;
                self.overlaps(state, handle, overlapped, api, *given);
            }
            Action::Transfer {
                count,
                overlapped,
                api,
                span,
            } => {
                let count = self.val(state, frame, call, *count);
                let overlapped = self.val(state, frame, call, *overlapped);
                self.span = *span;
                self.transfers_with(state, count, overlapped, api);
            }
        }
        true
    }

    /// Where the caller's argument stands that a value of the called function is, as a whole: what is
    /// in its parts goes where it goes.
    fn given_whole(&self, call: &Call<'p>, v: ValId) -> Option<LocId> {
        let Val::Sym(Sym::Load { loc, .. }) = &call.summary.vals[v.index()] else {
            return None;
        };
        match &call.summary.locs[loc.index()] {
            Loc::Local(l) => call.arg_locs.get(l.0 as usize).copied().flatten(),
            _ => None,
        }
    }

    /// What a location holds is returned, or put elsewhere, by the function that writes over it.
    fn is_kept(&self, state: &State, frame: &Frame, call: &Call<'p>, loc: LocId) -> bool {
        let Some(old) = state.env.get(loc) else {
            return true;
        };
        let Some(res) = state.res.get(*old) else {
            return true;
        };
        let mut kept = false;
        for end in &call.summary.ends {
            let mut note = |v: ValId| kept |= frame.vals[v.index()] == Some(*old);
            end.result.into_iter().for_each(&mut note);
            each(&end.steps, &mut |action| match action {
                Action::Release { release, .. }
                    if !self.program.models.fits(release, &res.kind) => {}
                Action::Write { v, .. }
                | Action::Escape(v)
                | Action::Take(v)
                | Action::Release { v, .. } => note(*v),
                _ => {}
            });
        }
        kept
    }

    /// The first step of a path into a called function.
    fn step_into(&mut self, state: &mut State, call: &Call<'p>, v: ValId) {
        if state.res.get(v).is_some() || self.is_given(v) {
            state.step(call.site, StepKind::Called(call.name.clone()), Some(v));
        }
    }

    fn concerns_resource(&self, state: &State, a: ValId, b: ValId) -> bool {
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        state
            .res
            .iter()
            .any(|(v, res)| parts.contains(&v) || parts.contains(&res.judge))
    }
}
