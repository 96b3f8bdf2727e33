//! Calls: what models say, and what unknown code may do.

use std::hash::{Hash, Hasher};

use pipelint_ir::{
    Base, Callee, FunctionKind, Language, LocalKind, Name, Operand, PlaceId, Statement,
};
use pipelint_models::OnFail;

use crate::event::{Event, EventKind};
use rustc_hash::FxHasher;

use crate::apply::Invocation;
use crate::cfg::{visit_reads, visit_term_reads};
use crate::exec::{Exec, Outcome};
use crate::log::Action;
use crate::misread::Leaves;
use crate::model::largest_argument;
use crate::program::{Returns, Target, last};
use crate::state::State;
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::{speaks_of_logging, speaks_of_throwing};

impl<'p> Exec<'p, '_> {
    /// True when a call may throw: nothing says it does not.
    pub(crate) fn may_throw(&self, stmt: &Statement) -> bool {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        let target = self.target_here(callee, args.len());
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

    pub(crate) fn escape_receiver(&mut self, state: &mut State, callee: &Callee) {
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
        if self.asks_for_failure(&state, dst, callee, args, out)
            || self.passes_over(&state, callee, args, out)
        {
            return;
        }
        if self.takes_error(&mut state, dst, callee, args) {
            out.push(state);
            return;
        }
        if self.converts_checked(&mut state, dst, callee, args, out) {
            return;
        }
        let before = out.len();
        if self.owner_call(&mut state, dst, callee, args, out) {
            for state in &mut out[before..] {
                self.note_stream(state, callee, args, dst);
            }
            return;
        }
        if self.guard_call(&mut state, dst, callee, args, out) {
            return;
        }
        if self.gives_up_pointee(&mut state, callee, dst) {
            out.push(state);
            return;
        }
        if let Some(pointer) = self.buffer_pointer(&mut state, callee, dst) {
            self.store_result(&mut state, dst, pointer);
            out.push(state);
            return;
        }
        if args.is_empty()
            && let Some(told) = self.buffer_asked(&state, callee)
        {
            self.store_result(&mut state, dst, told);
            self.note_length(&mut state, callee, told, dst);
            out.push(state);
            return;
        }
        if self.converts(&mut state, dst, callee, args) {
            out.push(state);
            return;
        }
        if self.make_aggregate(&mut state, callee, args, dst) {
            out.push(state);
            return;
        }
        let program = self.program;
        let mut named = None;
        let mut target = self.target_here(callee, args.len());
        if let Callee::Method { name, receiver, .. } = callee
            && self.is_rust()
            && crate::rust::gives_up(name)
            // What a type of the program's own gives up, its code tells.
            && !matches!(target, Target::Defined(_))
        {
            self.give_up(&mut state, *receiver, name, dst);
            out.push(state);
            return;
        }
        self.text_reads(&mut state, callee, args);
        if self.is_rust() && matches!(target, Target::Unknown) && self.lend(&mut state, callee, dst)
        {
            out.push(state);
            return;
        }
        if self.is_rust() && self.counts_pointer(&mut state, dst, callee, args) {
            out.push(state);
            return;
        }
        if self.is_rust() && self.forget_call(&mut state, dst, callee, args) {
            out.push(state);
            return;
        }
        if let (Callee::Constructor(_), [arg], Target::Unknown) = (callee, args, target)
            && self.is_rust()
        {
            self.wrap(&mut state, arg, dst);
            out.push(state);
            return;
        }
        if let Callee::Pointer(op) = callee {
            let v = self.operand(&mut state, op);
            if let Val::Function(name) = self.arena.get(v) {
                if let Some(f) = program.only_function(self.unit, self.function, name) {
                    target = Target::Defined(f);
                } else if self.is_rust() {
                    named = Some(name.clone());
                    target = program.target_of_name(self.unit, self.function, name, args.len());
                }
            }
        }
        self.note_act(&mut state);
        for arg in args {
            self.move_object(&mut state, arg);
        }
        let values: Vec<ValId> = args.iter().map(|a| self.operand(&mut state, a)).collect();
        if let Target::Model(model) = target
            && largest_argument(model).is_none_or(|n| n < args.len())
        {
            let called = named.is_some();
            let name: Name = match callee {
                Callee::Pointer(_) if called => {
                    named.unwrap_or_default().trim_start_matches("::").into()
                }
                Callee::Function(name) if self.is_rust() => last(name).into(),
                Callee::Function(name) => name.trim_start_matches("::").into(),
                Callee::Pointer(Operand::Copy(place)) => program
                    .listed(self.unit, self.function, *place)
                    .unwrap_or_default(),
                _ => Name::default(),
            };
            self.operands = args;
            self.model_call(state, dst, &name, model, &values, voided, out);
            return;
        }
        if program.returns(target, callee) == Returns::Never {
            self.note_io_end(&state, None, &Vec::new(), Leaves::Dies);
            if let Target::Defined(f) = target {
                self.asks_before_it_ends(&mut state, f);
            }
            let handled = self.function.blocks.iter().any(|b| b.unwind.is_some());
            let throws = match (target, callee) {
                (Target::Defined(f), _) => program.throws(f),
                (Target::Unknown, Callee::Function(name)) => speaks_of_throwing(last(name)),
                _ => false,
            };
            if throws && !handled {
                // What the objects of this function do on the way out is not lowered.
                self.note_partial(&state, None, true);
            }
            return;
        }
        if let Target::Defined(f) = target {
            self.note_given(f, &values);
            self.io_results_given(&state, &values);
        }
        for v in &values {
            self.touch_inside(&mut state, *v);
        }
        if !matches!(target, Target::Defined(_)) {
            self.give_boxes_away(&mut state, &values);
        }
        self.settle_dropped_by_unknown(&mut state, &values);
        if let Some(code) = self.raw_error(&mut state, callee) {
            self.store_code(&mut state, dst, code);
            out.push(state);
            return;
        }
        if let Some(code) = self.form_of_code(&mut state, callee) {
            self.store_result(&mut state, dst, code);
            out.push(state);
            return;
        }
        if let (Target::Unknown, Callee::Method { name, ty, .. }) = (target, callee)
            && self.is_rust()
            && args.is_empty()
            && crate::words::only_looks(name, ty.as_deref())
        {
            let v = self.fresh(&state, 0);
            self.store_result(&mut state, dst, v);
            self.note_length(&mut state, callee, v, dst);
            out.push(state);
            return;
        }
        if let Target::Unknown = target {
            self.unseen_changes_error(&mut state, callee, dst.is_some());
            self.errors_given_away(&mut state, callee, &values);
        }
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
                captures: &[],
                part: 2,
            };
            let mut begun = Vec::new();
            if self.apply(&mut state, &call, None, &mut begun)
                && let [only] = &begun[..]
            {
                state = only.clone();
            }
        }
        if let (Target::Defined(f), None, false) = (target, dst, voided)
            && matches!(callee, Callee::Function(_) | Callee::Method { .. })
        {
            self.note_dropped_status(&state, f, &values);
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
                captures: &[],
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
        if matches!(target, Target::Unknown) && self.new_plain(&mut state, callee, args, dst) {
            out.push(state);
            return;
        }
        if let Target::Defined(_) = target {
            self.unseen_changes_error(&mut state, callee, dst.is_some());
            self.errors_given_away(&mut state, callee, &values);
        }
        let surely = program.returns(target, callee) == Returns::Yes
            || (matches!(target, Target::Unknown) && dst.is_some_and(|dst| self.is_awaited(dst)));
        let logs = matches!(callee, Callee::Function(name) if speaks_of_logging(last(name)));
        if !surely && !logs && !self.alone && self.judges_a_known_value(args, &values) {
            state.doubtful = true;
            // Nor is it shown that an operation goes on here.
            state.pending = crate::state::VecMap::default();
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
            self.judged_out_of_sight(&mut state, *v, arg);
            self.escape(&mut state, *v);
            self.escape_parts(&mut state, arg);
        }
        self.escape_receiver(&mut state, callee);
        if let Callee::Constructor(_) = callee {
            self.bind_handles(&mut state, args);
        }
        self.owners_changed(&mut state, args);
        self.unknown_and_io(&mut state, callee);
        let slow = state.callbacks.slow;
        self.outside_changes(&mut state, surely, 0);
        if logs {
            state.callbacks.slow = slow;
        }
        let cpp = program.units[self.unit].language == Language::Cpp;
        let may_assign = cpp || matches!(callee, Callee::Function(name) if is_macro_name(name));
        if may_assign {
            for (v, arg) in values.iter().zip(args) {
                if matches!(arg, Operand::Copy(_)) {
                    self.may_be_set_again(&mut state, *v);
                }
            }
        }
        if cpp {
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
        if let Callee::Function(name) = callee
            && last(name) == "make_error_code"
        {
            // It makes a status of one of the errors that have a name.
            let mut fact = crate::state::Fact::default();
            fact.exclude(0);
            state.facts.insert(v, fact);
        }
        self.store_result(&mut state, dst, v);
        self.note_positional_parts(&mut state, callee, &values, dst);
        self.note_stream(&mut state, callee, args, dst);
        self.note_length(&mut state, callee, v, dst);
        out.push(state);
    }

    /// In Rust, what the function goes on with: a call that never gives control back yields nothing
    /// that a variable could be named for. (An arm of a `match` may be one that does not, so what
    /// several calls write says nothing.)
    fn is_awaited(&self, result: PlaceId) -> bool {
        self.is_rust() && self.answers.awaited(result, || self.goes_on_with(result))
    }

    fn goes_on_with(&self, result: PlaceId) -> bool {
        let (mut written, mut read) = (0, false);
        for stmt in self.function.blocks.iter().flat_map(|b| &b.stmts) {
            match stmt {
                Statement::Drop { .. } => continue,
                Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }
                    if *dst == result =>
                {
                    written += 1;
                }
                Statement::Call {
                    callee: Callee::Method { receiver, .. },
                    ..
                } => read |= *receiver == result,
                _ => {}
            }
            visit_reads(stmt, |place| read |= place == result);
        }
        let terms = self.function.blocks.iter().map(|b| &b.term);
        terms.for_each(|term| visit_term_reads(term, |place| read |= place == result));
        written == 1 && read
    }

    /// An object of a class out of sight may refer to the handle variables that it was made from: a
    /// guard closes what they hold when it ends.
    fn bind_handles(&mut self, state: &mut State, args: &[Operand]) {
        for arg in args {
            let Operand::Copy(place) = arg else { continue };
            let at = &self.function.places[*place];
            let (Base::Local(l), []) = (&at.base, &at.proj[..]) else {
                continue;
            };
            let handle = self.function.locals.get(l.0 as usize).is_some_and(|l| {
                l.kind == LocalKind::Auto
                    && self
                        .program
                        .models
                        .is_handle_type(&self.program.resolve(&l.ty).name)
            });
            if handle {
                let loc = self.place(state, *place);
                let ptr = self.arena.val(Val::Ptr(loc));
                self.escape(state, ptr);
            }
        }
    }

    /// `T(x)` and `T{}` for a type that is a number or a pointer, or stands for one: no code runs.
    fn converts(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        callee: &Callee,
        args: &[Operand],
    ) -> bool {
        let Callee::Constructor(ty) = callee else {
            return false;
        };
        let status = self.program.is_status(ty);
        if !status && (args.len() > 1 || !self.program.is_scalar(self.unit, self.scope(), ty)) {
            return false;
        }
        let v = match args.first() {
            Some(arg) => self.operand(state, arg),
            None => self.arena.int(0),
        };
        let v = match status {
            true => self.some_error(state, v),
            false => v,
        };
        self.store_result(state, dst, v);
        true
    }

    /// The code of an error: which it is tells paths apart that nothing else does, and that it is one
    /// is enough.
    pub(crate) fn some_error(&mut self, state: &mut State, v: ValId) -> ValId {
        let error = self.arena.as_int(v).is_some_and(|n| n != 0) || self.is_named_error(v);
        if !error {
            return v;
        }
        let some = self.fresh(state, 0);
        if let Some(code) = self.arena.as_int(v) {
            self.status_codes.insert(some, code);
        }
        let mut fact = crate::state::Fact::default();
        fact.exclude(0);
        state.facts.insert(some, fact);
        some
    }

    /// A global that this function alone writes: what it calls does not change it.
    pub(crate) fn is_own_global(&self, loc: LocId) -> bool {
        match self.arena.get_loc(loc) {
            Loc::Global(name) => self.program.globals.at_first_call(self.me, name).is_some(),
            _ => false,
        }
    }

    /// A variable or condition whose value is known on this path is given to code that may not
    /// come back: `CHECK(status)`, `EXPECT_OK(made)`. It may well not come back for this value.
    pub(crate) fn judges_a_known_value(&self, args: &[Operand], values: &[ValId]) -> bool {
        args.iter().zip(values).any(|(arg, v)| {
            matches!(arg, Operand::Copy(_)) && matches!(self.arena.get(*v), Val::Int(_))
        })
    }

    /// Unknown code ran: what it can reach may have changed, what it holds may have been judged.
    pub(crate) fn outside_changes(&mut self, state: &mut State, surely_returns: bool, nth: u32) {
        if self.alone {
            return;
        }
        state.epoch = self.epoch_after(state, nth);
        state.callbacks.slow = true;
        let surely = surely_returns;
        self.record(state, Action::Havoc { surely });
        self.record(state, Action::Epoch(state.epoch));
        let gone: Vec<LocId> = state
            .env
            .iter()
            .map(|(l, _)| l)
            .filter(|l| self.is_outside(state, *l) && !self.is_own_global(*l))
            // What was moved away nobody can reach there, and put nothing back.
            .filter(|l| !self.is_steady(state, *l) && !self.is_moved(state, *l))
            .collect();
        for loc in gone {
            self.note_replaced(state, loc);
            // What may have been written over is not known to be held here any more.
            if let Some(&v) = state.env.get(loc)
                && let Some(res) = state.res.get_mut(v)
                && !res.escaped
            {
                res.escaped = true;
                res.foreign = true;
            }
            state.env.remove(loc);
        }
        let kept: Vec<LocId> = state
            .stale
            .iter()
            .map(|(l, _)| l)
            .chain(state.holds.iter().map(|(l, _)| l))
            .filter(|l| self.is_own_global(*l) || self.is_steady(state, *l))
            .collect();
        state.stale.retain(|l, _| kept.contains(&l));
        state.holds.retain(|l, _| kept.contains(&l));
        if !surely_returns && state.failed_outs.iter().any(|(_, out)| out.checked) {
            state.doubtful = true;
        }
        let judged: Vec<ValId> = state
            .res
            .iter()
            .filter(|(_, res)| res.escaped && !res.checked && !self.is_out_of_sight(state, res))
            .map(|(v, _)| v)
            .collect();
        for v in judged {
            if let Some(res) = state.res.get_mut(v) {
                res.checked = true;
            }
        }
        if !surely_returns && state.res.iter().any(|(_, res)| res.failed_at.is_some()) {
            state.doubtful = true;
        }
    }

    /// One number for each run of unknown code: the statement, its round, and which of the runs
    /// inside a called function it is.
    pub(crate) fn epoch_after(&self, state: &State, nth: u32) -> u32 {
        let mut hasher = FxHasher::default();
        (self.stmt, self.round(state), nth).hash(&mut hasher);
        let short = u32::try_from(hasher.finish() >> 33).unwrap_or(0);
        short | 1
    }

    pub(crate) fn store_result(&mut self, state: &mut State, dst: Option<PlaceId>, v: ValId) {
        let Some(dst) = dst else { return };
        let loc = self.place(state, dst);
        self.overwrite_by_call(state, dst, loc, v);
    }

    /// Memory behind a pointer is kept by the call; a resource so kept stays the caller's.
    pub(crate) fn expose(&mut self, state: &mut State, v: ValId) {
        if self.is_given(v) {
            self.record(state, Action::Expose(v));
        }
        if let Val::Ptr(loc) = *self.arena.get(v) {
            let root = self.arena.root(loc);
            // A callback that is given its context is a function like others: what it may do to
            // the object shows in what it writes.
            if matches!(self.arena.get_loc(root), Loc::Local(_)) {
                state.exposed.insert(root, ());
            }
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
        if let (EventKind::UncheckedUse { .. }, Some(resource)) = (&kind, &resource) {
            let handed_on = resource.handed_on.iter();
            self.found
                .unseen
                .extend(handed_on.flat_map(|by| by.calls()));
        }
        let at = match &kind {
            // Which end comes second is not the point: the release by hand is one too many.
            EventKind::DoubleClose {
                first,
                by_end: true,
                ..
            } => first.1,
            _ => self.at(),
        };
        self.found.add(Event {
            kind,
            at,
            function: self.function.name.clone(),
            resource,
            path,
            others: Vec::new(),
        });
    }
}

/// A name in capitals is most likely a macro: what it is given by name, it may assign.
fn is_macro_name(name: &str) -> bool {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(capital)
}
