//! What a function makes of an I/O call that "failed": the error may say that the operation is under
//! way, or that there is nothing to do, and the tests of some errors leave the others.

use std::sync::Arc;

use pipelint_ir::{Callee, Name, PlaceId};
use pipelint_models::{FunctionModel, IoKind, Success};
use pipelint_source::Span;

use crate::collect::Findings;
use crate::error_fault::ErrorFault;
use crate::error_ways::ErrorOf;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::modes::{Home, Mode, ModeOf, Modes};
use crate::parts::Parts;
use crate::program::last;
use crate::state::{Fact, State};
use crate::status::Look;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::speaks_of_output;
use crate::wrapped::system_error;

/// Different ways that joined paths may have come by; beyond, the call is forgotten.
const MOST_WAYS: usize = 6;
/// `STATUS_PENDING`'s error, where a model names it by a constant out of sight.
const UNDER_WAY: i128 = 997;
/// ERROR_NO_DATA: the client has closed its end.
const GONE: i128 = 232;
/// Errors that are none: under way, more to come, the end.
const HARMLESS: [i128; 3] = [UNDER_WAY, 234, 38];

/// What one path knows of an I/O call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Way {
    /// None as long as no condition has looked.
    failed: Option<bool>,
    failed_at: Option<Span>,
    /// The error is known to be one of these codes, or none of those.
    is: Option<i128>,
    not: Vec<i128>,
    /// The error was given to somebody else.
    given: bool,
    /// A later call looks at how the operation goes.
    attended: bool,
}

/// An I/O call on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IoCall {
    api: Name,
    span: Span,
    does: IoKind,
    handle: ValId,
    overlapped: Option<LocId>,
    /// The operation may be under way when the call returns.
    asynchronous: bool,
    /// Its OVERLAPPED is the caller's.
    borrowed: bool,
    good: Vec<i128>,
    /// The error that says that the rest of the message waits, and whether it is a message that is read.
    more: Option<(i128, ModeOf)>,
    /// It stands in a loop.
    repeated: bool,
    /// The function of the program that made it and handed the error on, and where it did.
    within: Option<(Name, Span)>,
    ways: Vec<Way>,
}

/// How a path ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    Returns,
    Throws,
    /// A call does not return.
    Dies,
}

/// How a function ended after an I/O call.
#[derive(Debug, Clone)]
pub(crate) struct IoEnd {
    call: Arc<IoCall>,
    way: Way,
    look: Option<Look>,
    thrown: bool,
    /// A call that does not return ends it.
    dies: bool,
    at: Span,
    /// What is returned is the error itself.
    returns_error: bool,
    /// No caller is handed the error that could ask which it is.
    wrapped_up: bool,
    function: Name,
}

impl IoCall {
    /// Its name.
    pub(crate) fn api(&self) -> &Name {
        &self.api
    }

    /// Something is sent, received or awaited by it.
    pub(crate) fn is_started_after(&self) -> bool {
        !matches!(self.does, IoKind::Control | IoKind::Disconnect) && self.within.is_none()
    }

    /// It was given an OVERLAPPED.
    pub(crate) fn has_overlapped(&self) -> bool {
        self.overlapped.is_some()
    }

    /// How it went, for each of the joined paths: whether it was done or is under way, where that is known.
    pub(crate) fn went(&self) -> impl Iterator<Item = Option<bool>> + '_ {
        self.ways.iter().map(|way| match (way.failed?, way.is) {
            (false, _) => Some(true),
            (true, Some(code)) if HARMLESS.contains(&code) || self.good.contains(&code) => {
                Some(true)
            }
            (true, Some(_)) => Some(false),
            (true, None) => {
                let sure = self.overlapped.is_none() || way.not.contains(&UNDER_WAY);
                sure.then_some(false)
            }
        })
    }

    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Whether it failed, on each of the ways that joined.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Option<bool>> {
        self.ways.iter().map(|way| way.failed)
    }

    /// Another path has joined.
    pub(crate) fn join(&mut self, other: &Self) {
        for way in &other.ways {
            if !self.ways.contains(way) {
                self.ways.push(way.clone());
            }
        }
        if self.ways.len() > MOST_WAYS {
            self.ways.clear();
        }
    }
}

impl Exec<'_, '_> {
    /// A modelled call runs: an I/O call begins to be followed, and others look after those before.
    pub(crate) fn follow_io(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        self.attend(state, model, args);
        self.give_error(state, api, args);
        let (Some(io), Some(Success::Nonzero)) = (&model.io, model.success) else {
            return;
        };
        let span = self.span;
        if self.site.is_some() {
            return;
        }
        state.io_calls.retain(|_, call| call.span != span);
        let overlapped = io.overlapped.and_then(|n| args.get(n)).copied();
        let (overlapped, borrowed) = match overlapped.map(|v| self.arena.get(v).clone()) {
            Some(Val::Ptr(loc)) => (Some(loc), false),
            Some(Val::Sym(Sym::Load { loc, .. })) => {
                let param = matches!(*self.arena.get_loc(loc), Loc::Local(_));
                let at = overlapped.map(|v| self.arena.loc(Loc::Deref(v)));
                (at, param)
            }
            _ => (None, true),
        };
        let borrowed = borrowed
            || overlapped.is_some_and(|loc| match *self.arena.get_loc(self.arena.root(loc)) {
                Loc::Local(l) => l.0 < self.function.params,
                Loc::Deref(p) => {
                    matches!(*self.arena.get(p), Val::Sym(Sym::Load { loc, .. })
                        if matches!(*self.arena.get_loc(loc), Loc::Local(_)))
                }
                _ => false,
            });
        let event = overlapped.map(|loc| self.arena.loc(Loc::Field(loc, "hEvent".into())));
        let event = event.and_then(|loc| state.env.get(loc).copied());
        let has_event = event.is_some_and(|v| {
            !matches!(
                self.arena.get(v),
                Val::Int(_) | Val::Sym(Sym::Uninit { .. })
            )
        });
        // Who wants no count asks for it when the operation is done.
        let uncounted = io
            .count
            .and_then(|n| args.get(n))
            .is_some_and(|v| self.arena.as_int(*v) == Some(0));
        let connects = io.does == IoKind::Connect && overlapped.is_some();
        let code = |name: &String| self.program.constant(self.unit, name);
        let call = IoCall {
            api: api.clone(),
            span,
            does: io.does,
            handle: args[io.handle],
            overlapped,
            asynchronous: io.pending.is_some() && (has_event || connects || uncounted),
            borrowed,
            good: io.good_errors.iter().filter_map(code).collect(),
            more: io.more.as_ref().and_then(code).map(|code| {
                let mode = match io.messages {
                    true => ModeOf::Is(Mode {
                        messages: true,
                        nonblocking: false,
                    }),
                    false => self.mode_of(state, args[io.handle]),
                };
                (code, mode)
            }),
            repeated: self.round(state) > 0,
            within: None,
            ways: vec![Way::default()],
        };
        state.io_calls.insert(result, call);
    }

    /// A call that is given the OVERLAPPED, its event or the handle looks at the operation; one that
    /// lets go of them does not.
    fn attend(&mut self, state: &mut State, model: &FunctionModel, args: &[ValId]) {
        if state.io_calls.is_empty() || !model.releases.is_empty() || model.io.is_some() {
            return;
        }
        let held: Vec<ValId> = args.to_vec();
        let (arena, env) = (&self.arena, &state.env);
        let mut seen: Vec<ValId> = Vec::new();
        for (v, call) in state.io_calls.iter() {
            let by_event = call.overlapped.is_some_and(|at| {
                env.iter().any(|(loc, v)| {
                    let event = matches!(arena.get_loc(loc), Loc::Field(of, name) if *of == at && name == "hEvent");
                    event && held.contains(v)
                })
            });
            let by_pointer = held.iter().any(|arg| match arena.get(*arg) {
                Val::Ptr(loc) => Some(*loc) == call.overlapped,
                _ => false,
            });
            if by_event || by_pointer || held.contains(&call.handle) {
                seen.push(v);
            }
        }
        state.io_calls.change(
            |v, _| seen.contains(&v),
            |call| call.ways.iter_mut().for_each(|way| way.attended = true),
        );
    }

    /// A modelled call is given an error: what becomes of it there is not followed.
    fn give_error(&mut self, state: &mut State, api: &Name, args: &[ValId]) {
        if !speaks_of_output(last(api)) && !api.starts_with("FormatMessage") {
            self.errors_given(state, args);
        }
    }

    /// A function of the program has handed on the error of its call that waits for a client.
    pub(crate) fn io_handed_on(
        &mut self,
        state: &mut State,
        v: ValId,
        of: &ErrorOf,
        by: (&Name, Span),
    ) {
        let io = self
            .program
            .models
            .function(&of.api)
            .and_then(|m| m.io.as_ref());
        let Some(io) = io.filter(|io| io.does == IoKind::Connect) else {
            return;
        };
        let mut way = Way {
            failed: Some(true),
            ..Way::default()
        };
        learn_code(&mut way, &state.facts.get(v).cloned().unwrap_or_default());
        let code = |name: &String| self.program.constant(self.unit, name);
        let call = IoCall {
            api: of.api.clone(),
            span: of.span,
            does: io.does,
            handle: v,
            overlapped: None,
            asynchronous: false,
            borrowed: true,
            good: io.good_errors.iter().filter_map(code).collect(),
            more: None,
            repeated: self.round(state) > 0,
            within: Some((by.0.clone(), self.site.unwrap_or(by.1))),
            ways: vec![way],
        };
        state.io_calls.insert(of.judge, call);
    }

    /// A function of the program is given the result of an I/O call: what it asks of it is not followed.
    pub(crate) fn io_results_given(&mut self, state: &State, args: &[ValId]) {
        if state.io_calls.is_empty() && state.error_of.is_empty() {
            return;
        }
        let mut parts = Vec::new();
        for v in args {
            self.arena.parts(*v, &mut parts);
        }
        let given = parts.iter().filter_map(|v| state.io_calls.get(*v));
        self.found.errors_given.extend(given.map(|call| call.span));
        // Nor is what it asks of an error that it is lent.
        let lent = parts.iter().filter_map(|v| match self.arena.get(*v) {
            Val::Ptr(loc) => state.env.get(*loc),
            _ => None,
        });
        let lent = lent.filter_map(|v| state.error_of.get(*v));
        self.found.errors_given.extend(lent.map(|of| of.span));
    }

    /// Code out of sight is given values.
    pub(crate) fn errors_given_away(&mut self, state: &mut State, callee: &Callee, args: &[ValId]) {
        if let Callee::Method { name, receiver, .. } = callee
            && self.is_rust()
            && !state.error_of.is_empty()
        {
            let loc = self.place(state, *receiver);
            let itself: Vec<ValId> = state.env.get(loc).copied().into_iter().collect();
            self.error_asked(state, name, &itself);
            // A `Result` has it inside.
            let (arena, env) = (&self.arena, &state.env);
            let parts = env
                .iter()
                .filter(|(at, _)| *at != loc && arena.within(*at, loc));
            let parts: Vec<ValId> = parts.map(|(_, v)| *v).collect();
            self.errors_given(state, &parts);
        }
        match callee {
            Callee::Function(name) | Callee::Method { name, .. } => {
                // Who writes it into a log has not dealt with it.
                if speaks_of_output(last(name)) {
                    self.errors_logged(state, args);
                    return;
                }
                self.errors_given(state, args);
            }
            Callee::Pointer(_) => self.errors_given(state, args),
            Callee::Constructor(_) | Callee::New(_) => self.errors_logged(state, args),
        }
    }

    /// Rust: a method of the error itself, which is not seen.
    fn error_asked(&mut self, state: &mut State, method: &str, error: &[ValId]) {
        match method {
            // Of the errors that matter here, only that of a client which has gone has a kind of its own.
            "kind" => {
                let of = self.errors_in(state, error);
                let gone = of.iter().map(|of| (of.span, GONE));
                self.found.errors_tested.extend(gone);
            }
            "message" | "to_string" | "description" | "context" | "fmt" | "borrow" | "as_ref" => {
                self.errors_logged(state, error);
            }
            _ => self.errors_given(state, error),
        }
    }

    fn errors_in(&self, state: &State, args: &[ValId]) -> Vec<ErrorOf> {
        if state.error_of.is_empty() {
            return Vec::new();
        }
        let mut parts = Vec::new();
        for v in args {
            self.arena.parts(*v, &mut parts);
        }
        let lent = parts.iter().filter_map(|v| match self.arena.get(*v) {
            Val::Ptr(loc) => state.env.get(*loc),
            _ => None,
        });
        let of = parts.iter().chain(lent);
        of.filter_map(|v| state.error_of.get(*v)).cloned().collect()
    }

    fn errors_given(&mut self, state: &mut State, args: &[ValId]) {
        for of in self.errors_in(state, args) {
            self.found.errors_given.insert(of.span);
            mark_given(state, &of);
        }
    }

    fn errors_logged(&self, state: &mut State, args: &[ValId]) {
        for of in self.errors_in(state, args) {
            mark_given(state, &of);
        }
    }

    /// An error is compared with a code.
    pub(crate) fn codes_compared(&mut self, state: &State, a: ValId, b: ValId) {
        let of = self.errors_in(state, &[a, b]);
        if of.is_empty() {
            return;
        }
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        let codes = parts.iter().filter_map(|v| self.code_of(*v));
        let codes: Vec<i128> = codes.map(system_error).collect();
        for of in of {
            if codes.is_empty() {
                // Which code it is nobody knows.
                self.found.errors_given.insert(of.span);
            }
            let tested = codes.iter().map(|code| (of.span, *code));
            self.found.errors_tested.extend(tested);
        }
    }

    /// A condition looked at these values.
    pub(crate) fn judge_io(&mut self, state: &mut State, a: ValId, b: ValId, parts: &[ValId]) {
        self.codes_compared(state, a, b);
        for v in parts {
            let Some(of) = state.error_of.get(*v).cloned() else {
                continue;
            };
            self.error_decided(state, of.judge, *v);
            let fact = state.facts.get(*v).cloned().unwrap_or_default();
            let learn = |way: &mut Way| learn_code(way, &fact);
            state.io_calls.change(
                |judge, call| judge == of.judge && call.span == of.span,
                |call| {
                    call.ways.iter_mut().for_each(learn);
                },
            );
        }
        let span = self.span;
        for v in parts {
            if state.io_calls.get(*v).is_none() {
                continue;
            }
            let fact = state.facts.get(*v).cloned().unwrap_or_default();
            let failed = match (fact.exact() == Some(0), fact.excludes(0)) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            };
            state.io_calls.change(
                |judge, _| judge == *v,
                |call| {
                    for way in &mut call.ways {
                        if way.failed != failed {
                            way.failed_at = Some(span);
                        }
                        way.failed = failed;
                    }
                },
            );
        }
    }

    /// The number that an error is compared with.
    pub(crate) fn code_of(&self, v: ValId) -> Option<i128> {
        self.arena
            .as_int(v)
            .or_else(|| self.status_codes.get(&v).copied())
    }

    /// A path ends, with this result or by an exception.
    pub(crate) fn note_io_end(
        &mut self,
        state: &State,
        result: Option<ValId>,
        parts: &Parts,
        how: Leaves,
    ) {
        let thrown = how != Leaves::Returns;
        let mut told: Vec<ValId> = Vec::new();
        for v in result.into_iter().chain(parts.iter().map(|(_, v)| *v)) {
            self.arena.parts(v, &mut told);
        }
        let returned: Vec<ErrorOf> = told
            .iter()
            .filter_map(|v| state.error_of.get(*v))
            .cloned()
            .collect();
        let ret = &self.function.ret;
        let wrapped = ret.name == "Result" || self.program.is_status(ret);
        if !thrown && !wrapped && !self.program.is_called(self.me) {
            // What becomes of it there nobody sees.
            self.found
                .errors_given
                .extend(returned.iter().map(|of| of.span));
        }
        if state.io_calls.is_empty() && state.error_of.is_empty() {
            return;
        }
        let look = result.and_then(|v| self.look_of(state, v, parts));
        let kept: Vec<ValId> = state
            .env
            .iter()
            .filter(|(loc, _)| self.is_callers(*loc))
            .map(|(_, v)| *v)
            .collect();
        for (judge, call) in state.io_calls.iter() {
            let of_it = |of: &ErrorOf| of.judge == judge && of.span == call.span;
            let stored = kept
                .iter()
                .any(|v| state.error_of.get(*v).is_some_and(of_it));
            let mut bare = call.clone();
            let ways = std::mem::take(&mut bare.ways);
            let bare = Arc::new(bare);
            for mut way in ways {
                way.given |= stored;
                self.found.io_ends.push(IoEnd {
                    call: Arc::clone(&bare),
                    way,
                    look,
                    thrown,
                    dies: how == Leaves::Dies,
                    at: self.span,
                    returns_error: returned.iter().any(of_it),
                    wrapped_up: thrown
                        || !returned.iter().any(of_it)
                        || !self.program.is_called(self.me)
                        || (self.is_rust() && !self.function.private && bare.within.is_some()),
                    function: self.function.name.clone(),
                });
            }
        }
    }

    /// `Some(code)`.
    pub(crate) fn store_code(&mut self, state: &mut State, dst: Option<PlaceId>, code: ValId) {
        let Some(dst) = dst else { return };
        let whole = self.fresh(state, 0);
        self.store_result(state, Some(dst), whole);
        let loc = self.place(state, dst);
        let tag = self.arena.loc(Loc::Field(loc, crate::rust::TAG.into()));
        let some = self.arena.int(0);
        self.write_keeping_parts(state, tag, some);
        let at = self.arena.loc(Loc::Field(loc, "0".into()));
        self.write_keeping_parts(state, at, code);
    }

    /// Rust: `error.raw_os_error()` of the error that a call left is its code.
    pub(crate) fn raw_error(&mut self, state: &mut State, callee: &Callee) -> Option<ValId> {
        let Callee::Method { name, receiver, .. } = callee else {
            return None;
        };
        if name != "raw_os_error" {
            return None;
        }
        let loc = self.place(state, *receiver);
        let v = *state.env.get(loc)?;
        state.error_of.get(v).map(|_| v)
    }
}

/// A loop begins anew: what failed in it has not ended it.
pub(crate) fn goes_round(state: &mut State) {
    state.io_calls.change(
        |_, call| call.repeated,
        |call| call.ways.iter_mut().for_each(|way| way.attended = true),
    );
}

fn mark_given(state: &mut State, of: &ErrorOf) {
    state.io_calls.change(
        |judge, _| judge == of.judge,
        |call| call.ways.iter_mut().for_each(|way| way.given = true),
    );
}

fn learn_code(way: &mut Way, fact: &Fact) {
    way.is = fact.exact().map(system_error);
    for code in fact.not.iter().filter(|code| **code != 0) {
        let code = system_error(*code);
        if !way.not.contains(&code) {
            way.not.push(code);
        }
    }
    way.not.sort_unstable();
}

/// What the ends of one function show together.
pub(crate) fn tell(found: &mut Findings) {
    let ends = std::mem::take(&mut found.io_ends);
    let mut spans: Vec<Span> = ends.iter().map(|end| end.call.span).collect();
    spans.sort_unstable();
    spans.dedup();
    for span in spans {
        let of: Vec<&IoEnd> = ends.iter().filter(|end| end.call.span == span).collect();
        if let Some(event) = falls_through(&of) {
            found.add(event);
        }
        if let Some(event) = abandoned(&of) {
            found.misread.push((event, span, UNDER_WAY));
        }
        match cut_off(&of) {
            Some((event, code, None)) => found.misread.push((event, span, code)),
            Some((event, code, Some(home))) => found.more_data.push((event, span, code, home)),
            None => {}
        }
        let refused = turned_away(&of, false).or_else(|| turned_away(&of, true));
        found.misread.extend(refused);
    }
}

fn same_look(a: &IoEnd, b: &IoEnd) -> bool {
    a.look.is_some() && a.look == b.look && a.thrown == b.thrown
}

/// Some error makes the function fail, and all the others pass for success.
fn falls_through(ends: &[&IoEnd]) -> Option<Event> {
    let succeeded = |end: &&&IoEnd| end.way.failed == Some(false) && !end.dies;
    let good: Vec<&&IoEnd> = ends.iter().filter(succeeded).collect();
    // Its success looks like nothing else.
    let passes = |end: &IoEnd| !good.is_empty() && good.iter().all(|good| same_look(good, end));
    // What looks like a failure is none that was expected.
    if !good
        .iter()
        .all(|end| matches!(end.look, Some(Look::Exactly(0..))))
    {
        return None;
    }
    let failed = ends
        .iter()
        .filter(|end| end.way.failed == Some(true) && !end.dies);
    let (mut tells, mut through) = (false, Vec::new());
    for end in failed {
        match end.way.is {
            // A failure of this call is one to the caller, for some code.
            Some(code) => {
                let known = end.thrown || end.look.is_some();
                // An error that is no failure may be told by a word of its own, which is none for failures.
                let own_word = end.call.good.contains(&code) && !end.returns_error && !end.thrown;
                tells |= known && !HARMLESS.contains(&code) && !own_word && !passes(end);
            }
            None if !end.way.not.is_empty()
                && !end.way.given
                && !end.way.attended
                && passes(end) =>
            {
                through.push(*end);
            }
            None => {}
        }
    }
    let through = through.into_iter().min_by_key(|end| end.at)?;
    tells.then(|| event_of(through, Kind::Through))
}

/// A failure that may mean "under way" ends the function as one.
fn abandoned(ends: &[&IoEnd]) -> Option<Event> {
    let call = &ends.first()?.call;
    if !call.asynchronous || call.borrowed {
        return None;
    }
    let good: Vec<&&IoEnd> = ends
        .iter()
        .filter(|end| end.way.failed == Some(false))
        .collect();
    let end = ends
        .iter()
        .filter(|end| end.way.failed == Some(true) && !end.way.attended)
        .filter(|end| end.way.is.is_none() && !end.way.not.contains(&UNDER_WAY))
        .filter(|end| {
            if end.thrown {
                return good.iter().any(|good| !good.thrown);
            }
            let known = end.returns_error || end.look.is_some();
            let alike = |good: &IoEnd| good.look.is_none() || same_look(good, end);
            // Who waits for it where it succeeded, and not here, has given it up here.
            known && !good.iter().any(|good| !good.way.attended && alike(good))
        })
        .min_by_key(|end| end.at)?;
    Some(event_of(end, Kind::Pending))
}

/// A message of which a part was read makes the function fail; with the code, and what keeps the handle
/// where that must tell that messages are read.
fn cut_off(ends: &[&IoEnd]) -> Option<(Event, i128, Option<Home>)> {
    let call = &ends.first()?.call;
    let (code, mode) = call.more.as_ref()?;
    let home = match mode {
        ModeOf::Is(mode) if mode.messages => None,
        ModeOf::KeptIn(home) => Some(home.clone()),
        ModeOf::Is(_) | ModeOf::Unknown => return None,
    };
    let good: Vec<&&IoEnd> = ends
        .iter()
        .filter(|end| end.way.failed == Some(false) && !end.dies)
        .collect();
    let end = ends
        .iter()
        .filter(|end| end.way.failed == Some(true) && !end.way.attended && !end.dies)
        .filter(|end| end.way.is.is_none() && !end.way.not.contains(code))
        .filter(|end| {
            if end.thrown {
                return good.iter().any(|good| !good.thrown);
            }
            let alike = |good: &IoEnd| good.look.is_none() || same_look(good, end);
            end.look.is_some() && !good.is_empty() && !good.iter().any(|good| alike(good))
        })
        .min_by_key(|end| end.at)?;
    Some((event_of(end, Kind::More), *code, home))
}

/// A client that is there already, or has gone, makes the function fail.
fn turned_away(ends: &[&IoEnd], gone: bool) -> Option<(Event, Span, i128)> {
    let call = &ends.first()?.call;
    let code = if gone { GONE } else { *call.good.first()? };
    if call.does != IoKind::Connect || (gone && !call.repeated) {
        return None;
    }
    let good: Vec<&&IoEnd> = ends
        .iter()
        .filter(|end| end.way.failed == Some(false))
        .collect();
    let fails = |end: &&&IoEnd| {
        let alike = |good: &IoEnd| good.look.is_none() || good.look == end.look;
        let differs = end.look.is_some() && !good.iter().any(|good| alike(good));
        // Where the call is another function's, no end is known at which it succeeded.
        let known = call.within.is_none() && !good.is_empty();
        let look = differs && (known || end.look != Some(Look::Exactly(0)));
        end.thrown || look || gone
    };
    let end = ends
        .iter()
        .filter(|end| end.way.failed == Some(true) && end.way.is.is_none() && !end.way.attended)
        .filter(|end| !end.way.not.contains(&code))
        .filter(|end| !gone || call.good.iter().all(|good| end.way.not.contains(good)))
        .filter(fails)
        .filter(|end| end.wrapped_up)
        .min_by_key(|end| end.at)?;
    Some((event_of(end, Kind::Connected { gone }), call.span, code))
}

#[derive(Clone, Copy)]
enum Kind {
    Through,
    Pending,
    More,
    Connected { gone: bool },
}

fn event_of(end: &IoEnd, kind: Kind) -> Event {
    let call = &end.call;
    let at = |span: Span, what: StepKind| PathStep { span, what };
    let made = call.within.as_ref();
    let mut path: Vec<PathStep> = made
        .map(|(name, site)| at(*site, StepKind::Called(name.clone())))
        .into_iter()
        .collect();
    path.push(at(call.span, StepKind::Passed(call.api.clone())));
    path.extend(
        end.way
            .failed_at
            .map(|span| at(span, StepKind::Branch(true))),
    );
    path.push(at(end.at, StepKind::Left));
    let fault = match kind {
        Kind::Through => ErrorFault::FallsThrough {
            api: call.api.clone(),
            judged: end.way.failed_at,
            end: end.at,
        },
        Kind::Connected { gone } => ErrorFault::ConnectedMisread {
            api: call.api.clone(),
            within: made.map(|(name, _)| name.clone()),
            judged: end.way.failed_at,
            end: end.at,
            gone,
        },
        Kind::More => ErrorFault::MoreDataMisread {
            api: call.api.clone(),
            judged: end.way.failed_at,
            end: end.at,
        },
        Kind::Pending => ErrorFault::PendingMisread {
            api: call.api.clone(),
            judged: end.way.failed_at,
            end: end.at,
        },
    };
    Event {
        kind: EventKind::LastError(fault),
        at: made.map_or(call.span, |(_, site)| *site),
        function: end.function.clone(),
        resource: None,
        path,
        others: Vec::new(),
    }
}

/// Failures that may be none, where no code of the program asks whether they are.
pub(crate) fn pending_misread(all: &mut [Findings], modes: &Modes) -> Vec<Event> {
    let mut tested = rustc_hash::FxHashSet::default();
    let mut given = rustc_hash::FxHashSet::default();
    for found in all.iter_mut() {
        tested.extend(found.errors_tested.drain());
        given.extend(found.errors_given.drain());
    }
    let kept = all.iter_mut().flat_map(|found| found.more_data.drain(..));
    let kept = kept.filter(|(.., home)| modes.reads_messages(home));
    let kept: Vec<(Event, Span, i128)> =
        kept.map(|(event, at, code, _)| (event, at, code)).collect();
    let events = all.iter_mut().flat_map(|found| found.misread.drain(..));
    let events: Vec<(Event, Span, i128)> = events
        .chain(kept)
        .filter(|(_, call, code)| !tested.contains(&(*call, *code)) && !given.contains(call))
        .collect();
    // A function that does wrong with it is told, and not those that call it.
    let wrong: Vec<(Name, Span)> = events
        .iter()
        .map(|(event, call, _)| (event.function.clone(), *call))
        .collect();
    let passed_on = |event: &Event, call: Span| match &event.kind {
        EventKind::LastError(ErrorFault::ConnectedMisread {
            within: Some(by), ..
        }) => wrong.iter().any(|(name, at)| name == by && *at == call),
        _ => false,
    };
    let told = events
        .iter()
        .filter(|(event, call, _)| !passed_on(event, *call));
    told.map(|(event, ..)| event.clone()).collect()
}
