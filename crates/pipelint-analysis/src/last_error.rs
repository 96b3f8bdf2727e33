//! The thread's last error and `errno`: on each path, which calls may have left it, which of them is
//! known to have failed, and who asks.

use std::rc::Rc;

use pipelint_ir::{Base, Callee, Name, PlaceId, Statement};
use pipelint_models::{ErrorEffect, ErrorStore, FunctionModel, Slot};

use crate::error_ways::{Asked, Call, ErrorOf, Says, Way, Went, went};
use crate::exec::Exec;
use crate::owners::OwnerType;
use crate::program::{FnRef, Target, last};
use crate::state::{Fact, State};
use crate::values::{Sym, Val, ValId};
use crate::words::{speaks_of_looking, speaks_of_output};

impl<'p> Exec<'p, '_> {
    /// A modelled call runs, and yields this result.
    pub(crate) fn model_changes_error(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
        dropped: bool,
    ) {
        match model.error {
            ErrorEffect::Keeps => return,
            ErrorEffect::Reads => {
                let which = match last(api) {
                    "last_os_error" => None,
                    _ => Some(ErrorStore::LastError),
                };
                self.asks_for_error(state, api, which, result);
                return;
            }
            ErrorEffect::Sets => {
                self.error_is_set(state, args.first().copied(), ErrorStore::LastError);
                return;
            }
            ErrorEffect::MayChange | ErrorEffect::KeepsErrno | ErrorEffect::AlsoOnSuccess => {}
        }
        let Some(mut store) = model.error_store().filter(|_| !model.asserts) else {
            return;
        };
        // That a failed creation is let go is another fault, and told.
        let empty = |v: &ValId| {
            let exact = state.facts.get(*v).and_then(Fact::exact);
            matches!(self.arena.as_int(*v).or(exact), Some(0 | -1))
        };
        let mut released = model.releases.iter().filter_map(|r| args.get(r.arg));
        if released.any(empty) {
            return;
        }
        if model.error == ErrorEffect::KeepsErrno {
            store = ErrorStore::LastError;
        }
        if store == ErrorStore::Errno && model.success.is_some() && !model.leaves_error() {
            // It returns what went wrong.
            return;
        }
        // Given no room for what it is to fill, a call is meant to fail, and to tell how much it takes.
        let empty = |n: &usize| {
            args.get(*n)
                .is_some_and(|v| self.arena.as_int(*v) == Some(0))
        };
        let asks_size = model.fills.iter().any(empty) && model.io.is_none();
        let made = model.acquires.iter().find(|a| a.at == Slot::Result);
        let says = match (made.and_then(|a| a.failure), model.success) {
            (Some(value), _) => Says::Value(value),
            (None, Some(success)) => Says::Status(success),
            (None, None) => Says::Nothing,
        };
        let call = Call {
            api: api.clone(),
            span: self.span,
            within: None,
            judge: Some(result),
            says,
            went: Went::Unjudged,
            judged_at: None,
            judged: 0,
            dropped,
            leaves: model.leaves_error(),
            also_on_success: model.error == ErrorEffect::AlsoOnSuccess || asks_size,
            releases: !model.releases.is_empty(),
            asking: false,
            private: false,
            store,
            stmt: self.stmt,
            passed: false,
            told: None,
        };
        state.error.push(&call);
    }

    /// Code runs that is not seen: by its name it writes or frees something, or nothing is known of it.
    pub(crate) fn unseen_changes_error(
        &mut self,
        state: &mut State,
        callee: &Callee,
        received: bool,
    ) {
        let name = match callee {
            Callee::Function(name) | Callee::Method { name, .. } => name,
            Callee::Constructor(_) | Callee::New(_) | Callee::Pointer(_) => {
                state.error.forget();
                return;
            }
        };
        let short = last(name);
        // `LOG(ERROR) << …` has written nothing yet. (Of `errno` who logs takes care more often than not.)
        if speaks_of_looking(short) || (speaks_of_output(short) && received) {
            return;
        }
        if !speaks_of_output(short) {
            state.error.forget();
            return;
        }
        let call = Call::unasked(short.into(), self.span, ErrorStore::LastError);
        state.error.push(&call);
    }

    /// An owner releases what it holds.
    pub(crate) fn owner_changes_error(&self, state: &mut State, owner: &OwnerType<'_>, by: &Name) {
        let models = self.program.models;
        let kind = owner.kind.as_deref().and_then(|kind| models.resource(kind));
        let release = kind.and_then(|kind| models.function(&kind.release));
        let changes = release.filter(|model| model.error == ErrorEffect::MayChange);
        let Some(store) = changes.and_then(FunctionModel::error_store) else {
            return;
        };
        if !owner.model.keeps_error {
            let call = Call::unasked(by.clone(), self.span, store);
            state.error.push(&call);
        }
    }

    /// The memory of a box is given back to the system.
    pub(crate) fn box_changes_error(&self, state: &mut State) {
        let call = Call::unasked("Box".into(), self.span, ErrorStore::LastError);
        state.error.push(&call);
    }

    /// `SetLastError`: who is told the error that was there when the function was called leaves it so.
    fn error_is_set(&self, state: &mut State, v: Option<ValId>, which: ErrorStore) {
        if which == ErrorStore::Errno {
            // Who puts it back has asked for nothing.
            Rc::make_mut(&mut state.error.asked).retain(|asked| Some(asked.v) != v);
            for way in state.error.ways_mut() {
                way.calls.retain(|call| call.store == ErrorStore::LastError);
            }
            return;
        }
        let given = state.error.asked.iter().any(|asked| Some(asked.v) == v);
        if given {
            Rc::make_mut(&mut state.error.asked).retain(|asked| Some(asked.v) != v);
            state.error.set_ways(vec![Way::default()]);
            return;
        }
        let of = v.and_then(|v| state.error_of.get(v)).map(|of| of.judge);
        if of.is_none() {
            state.error.forget();
            state
                .error
                .ways_mut()
                .iter_mut()
                .for_each(|way| way.set = true);
            return;
        }
        for way in state.error.ways_mut() {
            match way.calls.iter().rposition(|call| call.judge == of) {
                Some(at) => way.calls.truncate(at + 1),
                None => {
                    way.calls.clear();
                    way.unknown = true;
                }
            }
        }
    }

    /// A function that never returns asks for the error before it does anything else.
    pub(crate) fn asks_before_it_ends(&mut self, state: &mut State, f: FnRef) {
        let program = self.program;
        let function = program.function(f);
        let Some(block) = function.blocks.first() else {
            return;
        };
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call { callee, args, .. } = stmt else {
                continue;
            };
            let Target::Model(model) = program.target(f.0, function, callee, args.len()) else {
                return;
            };
            if model.error == ErrorEffect::Keeps {
                continue;
            }
            let (ErrorEffect::Reads, Callee::Function(name)) = (model.error, callee) else {
                return;
            };
            let span = function.map.stmts.first().and_then(|stmts| stmts.get(i));
            let asked = Asked {
                v: self.fresh(state, 90),
                api: last(name).into(),
                span: span.copied().unwrap_or(self.span),
                which: (last(name) != "last_os_error").then_some(ErrorStore::LastError),
            };
            self.answer(state, asked);
            return;
        }
    }

    /// A condition looks at what a call yielded that keeps its errors elsewhere.
    fn pass_by(&self, state: &mut State, parts: &[ValId]) {
        let made = |v: &ValId| match self.arena.get(*v) {
            Val::Sym(Sym::Call { stmt, .. } | Sym::Inner { stmt, .. }) => Some(*stmt),
            _ => None,
        };
        let Some(latest) = parts
            .iter()
            .filter(|v| state.error_of.get(**v).is_none())
            .filter_map(made)
            .max()
        else {
            return;
        };
        let open = |call: &Call| call.dropped && !call.passed && call.stmt < latest;
        let ways = state.error.ways.as_deref();
        if ways.is_some_and(|ways| ways.iter().filter_map(|way| way.calls.last()).any(open)) {
            let ways = state.error.ways_mut().iter_mut();
            for call in ways.filter_map(|way| way.calls.last_mut()) {
                call.passed |= call.stmt < latest;
            }
        }
    }

    /// A condition looked at these values.
    pub(crate) fn judge_error(&self, state: &mut State, parts: &[ValId]) {
        self.pass_by(state, parts);
        let has = |v: Option<ValId>| v.is_some_and(|v| parts.contains(&v));
        let concerned = |call: &Call| has(call.judge) || has(call.told);
        let ways = state.error.ways.as_deref();
        if !ways.is_some_and(|ways| ways.iter().flat_map(|way| &way.calls).any(concerned)) {
            return;
        }
        let facts = state.facts.clone();
        for way in state.error.ways_mut() {
            let mut judged = way.judged();
            for call in way.calls.iter_mut().filter(|call| concerned(call)) {
                if let Some(told) = call.told.filter(|told| parts.contains(told)) {
                    if facts.get(told).is_some_and(|fact| fact.exact().is_some()) {
                        call.went = Went::Settled;
                    }
                    continue;
                }
                let Some(judge) = call.judge else { continue };
                let now = went(call.says, facts.get(judge));
                if now != call.went {
                    call.judged_at = Some(self.span);
                    judged += 1;
                    call.judged = judged;
                }
                call.went = now;
            }
        }
    }

    /// A checking macro looks at a value; what is streamed into it is made only where that is bad.
    pub(crate) fn error_is_checked(&self, state: &mut State, v: ValId) {
        let mut parts = Vec::new();
        self.arena.parts(v, &mut parts);
        for way in state.error.ways_mut() {
            for call in &mut way.calls {
                if call.judge.is_some_and(|judge| parts.contains(&judge)) {
                    call.went = Went::Maybe;
                }
            }
        }
    }

    /// Somebody asks for the error and is told this value.
    fn asks_for_error(
        &mut self,
        state: &mut State,
        api: &Name,
        which: Option<ErrorStore>,
        v: ValId,
    ) {
        let asked = Asked {
            v,
            api: api.clone(),
            span: self.span,
            which,
        };
        self.answer(state, asked);
    }

    /// `errno` is read.
    pub(crate) fn asks_for_errno(&mut self, state: &mut State, v: ValId) {
        let api = Name::new_static("errno");
        self.asks_for_error(state, &api, Some(ErrorStore::Errno), v);
    }

    /// `errno` is written.
    pub(crate) fn errno_is_set(&mut self, state: &mut State, place: PlaceId) {
        if matches!(&self.function.places[place].base, Base::Global(name) if name == "errno") {
            let loc = self.place(state, place);
            let v = state.env.get(loc).copied();
            self.error_is_set(state, v, ErrorStore::Errno);
        }
    }

    pub(crate) fn answer(&mut self, state: &mut State, asked: Asked) {
        let which = asked.which;
        let known = state.error.clone();
        for way in known.ways() {
            self.tell_way(way, &asked);
        }
        let mut of: Option<Option<ErrorOf>> = None;
        let mut given = false;
        for way in state.error.ways() {
            let known = way
                .calls
                .iter()
                .rfind(|call| call.leaves_in(which) && !call.is_asking() && call.may_be_meant());
            let this = known.and_then(|call| {
                Some(ErrorOf {
                    api: call.api.clone(),
                    judge: call.judge?,
                    span: call.span,
                })
            });
            let others = |call: &Call| call.concerns(which) && !call.is_asking();
            given |= !way.unknown && !way.calls.iter().any(others);
            of = match of {
                None => Some(this),
                Some(known) if known == this => Some(known),
                Some(_) => Some(None),
            };
        }
        match of.flatten() {
            Some(of) => state.error_of.insert(asked.v, of),
            None => state.error_of.remove(asked.v),
        }
        let asking = Call::of_asking(&asked);
        for way in state.error.ways_mut() {
            let failed = |call: &&mut Call| call.leaves_in(which) && call.went == Went::Failed;
            if let Some(call) = way.calls.iter_mut().rfind(failed) {
                call.told = Some(asked.v);
            }
            let nobody = |call: &Call| !call.leaves_in(which);
            if way.calls.iter().all(nobody) && (given || way.unknown) {
                way.push(asking.clone());
            }
        }
        if given && !state.error.asked.contains(&asked) {
            Rc::make_mut(&mut state.error.asked).push(asked);
        }
    }

    /// One way to a place that asks: what stands between it and the call that is meant.
    fn tell_way(&mut self, way: &Way, asked: &Asked) {
        let which = asked.which;
        let failed =
            |call: &Call| call.went == Went::Failed && call.leaves_in(which) && !call.private;
        // What was judged last is what is meant.
        let numbered = way.calls.iter().enumerate();
        let known = numbered
            .filter(|(_, call)| failed(call))
            .max_by_key(|(at, call)| (call.judged, *at));
        let Some(at) = known.map(|(at, _)| at) else {
            self.tell_stale(way, asked);
            return;
        };
        let here = self.at();
        self.found.errors_asked.insert(here);
        let later: Vec<&Call> = way.calls[at + 1..]
            .iter()
            .filter(|c| c.concerns(which))
            .collect();
        // What was looked at for itself may be what is meant.
        let meant = |call: &&&Call| {
            if call.private {
                return false;
            }
            if call.judged > 0 && call.judged < way.calls[at].judged {
                return false;
            }
            let judged = call.went != Went::Unjudged && call.judge.is_some();
            let judged = judged && !(call.is_output() && call.went == Went::Succeeded);
            call.leaves_in(which) && !call.is_asking() && (judged || call.may_be_meant())
        };
        if later.iter().find(meant).is_some() {
            return;
        }
        // What succeeds leaves `errno` alone more often than not.
        let changes = |call: &&&Call| {
            let kept = which == Some(ErrorStore::Errno)
                && call.judge.is_some()
                && call.went == Went::Succeeded;
            !kept && !call.is_asking()
        };
        let Some(by) = later.iter().find(changes) else {
            return;
        };
        // That there is an error is known by nothing but that it was asked for.
        let unknown = way.calls[at].is_asking();
        let may_fail = |call: &&Call| !call.is_asking() && !call.is_output();
        if unknown && later.iter().any(may_fail) {
            return;
        }
        self.error_clobbered(&way.calls[at], by, asked);
    }

    /// No call on this way failed, and the last one is known to have succeeded, or nobody asked it.
    fn tell_stale(&mut self, way: &Way, asked: &Asked) {
        let which = asked.which;
        let mut calls = way.calls.iter().rev().filter(|call| call.concerns(which));
        let stale = calls.next().filter(|_| !way.set).filter(|call| {
            let known =
                call.says != Says::Nothing && call.leaves_in(which) && !call.also_on_success;
            let none = match call.went {
                Went::Succeeded => true,
                Went::Unjudged => call.dropped && !call.releases && !call.passed,
                _ => false,
            };
            known && none && which != Some(ErrorStore::Errno) && call.within.is_none()
        });
        match stale {
            Some(call) => self.error_stale(call, asked),
            None => {
                let at = self.at();
                self.found.errors_asked.insert(at);
            }
        }
    }
}
