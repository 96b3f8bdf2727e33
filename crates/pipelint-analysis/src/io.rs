//! I/O results that are dropped, and whether the next step depends on them.

use pipelint_ir::{Base, LocalKind, Name, PlaceId, Rvalue, Statement};
use pipelint_models::{FunctionModel, Io, IoKind};
use pipelint_source::Span;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::event::{Dependence, Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::state::{Dropped, State};
use crate::status::tag_of;
use crate::values::{LocId, StmtNo, Val, ValId};

impl Exec<'_, '_> {
    /// An I/O call runs; its result is dropped when nothing receives it.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn note_io(
        &mut self,
        state: &mut State,
        dst: Option<PlaceId>,
        api: &Name,
        io: &Io,
        args: &[ValId],
        voided: bool,
    ) {
        if voided || dst.is_some_and(|dst| !self.is_never_read(dst)) {
            return;
        }
        let pointee = |exec: &Self, n: Option<usize>| -> Option<LocId> {
            match exec.arena.get(*args.get(n?)?) {
                Val::Ptr(loc) => Some(*loc),
                _ => None,
            }
        };
        let count = pointee(self, io.count).and_then(|loc| state.env.get(loc).copied());
        let dropped = Dropped {
            api: api.clone(),
            does: io.does,
            span: self.span,
            handle: args[io.handle],
            buffer: pointee(self, io.buffer).map(|loc| self.arena.root(loc)),
            literal: io
                .buffer
                .and_then(|n| args.get(n))
                .is_some_and(|v| matches!(self.arena.get(*v), Val::Str)),
            count,
            overlapped: pointee(self, io.overlapped).filter(|loc| self.is_outside(state, *loc)),
        };
        state.dropped.insert(self.stmt, dropped);
    }

    /// A condition looks at a transferred count: the result is judged by it.
    pub(crate) fn settle_dropped_by_condition(&self, state: &mut State, a: ValId, b: ValId) {
        self.compare_counts(state, a, b);
        let mut parts = Vec::new();
        self.arena.parts(a, &mut parts);
        self.arena.parts(b, &mut parts);
        state
            .dropped
            .retain(|_, d| d.count.is_none_or(|c| !parts.contains(&c)));
    }

    /// The function is left with overlapped operations that nobody knows to be pending.
    pub(crate) fn tell_unknown_starts(&mut self, state: &State) {
        let starts: Vec<Dropped> = state
            .dropped
            .iter()
            .filter(|(_, d)| d.overlapped.is_some())
            .map(|(_, d)| d.clone())
            .collect();
        for d in starts {
            self.dropped_result(state, &d, Dependence::Pending, self.span);
        }
    }

    /// Unknown code is given the buffer, with or without the count that says what is in it.
    pub(crate) fn settle_dropped_by_unknown(&mut self, state: &mut State, args: &[ValId]) {
        let all: Vec<(StmtNo, Dropped)> =
            state.dropped.iter().map(|(n, d)| (n, d.clone())).collect();
        for (n, d) in all {
            let mut parts = Vec::new();
            for v in args {
                self.arena.parts(*v, &mut parts);
            }
            if d.count.is_some_and(|c| parts.contains(&c)) {
                state.dropped.remove(n);
                continue;
            }
            let reads = parts.iter().any(|v| match self.arena.get(*v) {
                Val::Ptr(loc) => Some(self.arena.root(*loc)) == d.buffer,
                _ => false,
            });
            if reads {
                if matches!(d.does, IoKind::Read | IoKind::Transact) {
                    self.dropped_result(state, &d, Dependence::BufferRead, self.span);
                }
                state.dropped.remove(n);
            }
        }
    }

    /// A modelled call runs: it may be the transfer that depends on a dropped result, or read the
    /// buffer.
    pub(crate) fn next_transfer(
        &mut self,
        state: &mut State,
        model: &FunctionModel,
        args: &[ValId],
    ) {
        if state.dropped.is_empty() {
            return;
        }
        // Who looks at the OVERLAPPED afterwards looks at how the operation went.
        state.dropped.change(
            |_, d| {
                let given = |v: &ValId| matches!(self.arena.get(*v), Val::Ptr(loc) if Some(*loc) == d.overlapped);
                d.overlapped.is_some() && args.iter().any(given)
            },
            |d| d.overlapped = None,
        );
        let Some(io) = &model.io else {
            if !model.fills.is_empty() {
                // Filled anew: what it held no longer matters.
                let roots: Vec<LocId> = model
                    .fills
                    .iter()
                    .filter_map(|n| match self.arena.get(*args.get(*n)?) {
                        Val::Ptr(loc) => Some(self.arena.root(*loc)),
                        _ => None,
                    })
                    .collect();
                state
                    .dropped
                    .retain(|_, d| d.buffer.is_none_or(|b| !roots.contains(&b)));
            }
            self.settle_dropped_by_unknown(state, args);
            return;
        };
        let handle = args[io.handle];
        let transfers = matches!(io.does, IoKind::Read | IoKind::Write | IoKind::Transact);
        let all: Vec<(StmtNo, Dropped)> =
            state.dropped.iter().map(|(n, d)| (n, d.clone())).collect();
        for (n, d) in all {
            if d.handle != handle || state.pseudo.get(handle).is_some() {
                continue;
            }
            if io.does == IoKind::Disconnect {
                // The next transfer is with another peer.
                state.dropped.remove(n);
                continue;
            }
            let depends = match d.does {
                // A request was never known to be sent, and its answer is awaited.
                IoKind::Write => matches!(io.does, IoKind::Read),
                // The mode the next transfer relies on was never known to be set.
                IoKind::Control => transfers,
                _ => false,
            };
            if depends {
                self.dropped_result(state, &d, Dependence::NextTransfer, self.span);
                state.dropped.remove(n);
            }
        }
    }

    /// The function returns a value that means success, though it dropped a transfer's result.
    pub(crate) fn report_dropped_before_success(&mut self, state: &State, value: ValId) {
        if self.arena.as_int(value) == Some(0) && state.sending_failed {
            self.found.reports_io = true;
        }
        let one = self.arena.as_int(value) == Some(1);
        let status = matches!(&*self.function.ret.name, "BOOL" | "bool" | "BOOLEAN");
        let good = self.returns_good(value);
        // An `io::Result` is there to tell of it.
        self.found.reports_io |= good;
        if !good && (!one || !status) {
            return;
        }
        for (_, d) in state.dropped.iter() {
            // A prompt or a line break is nothing that the caller gave to be sent.
            if d.does == IoKind::Write && !d.literal && state.pseudo.get(d.handle).is_none() {
                self.dropped_result(state, d, Dependence::ReportsSuccess, self.span);
            }
        }
    }

    /// `Ok(…)` of an `io::Result`.
    pub(crate) fn returns_good(&self, value: ValId) -> bool {
        let ret = &self.function.ret;
        let speaks = match ret.args.as_slice() {
            [_] => true,
            [_, error] => error.ends_with("io::Error"),
            _ => false,
        };
        if !self.is_rust() || ret.name != "Result" || !speaks {
            return false;
        }
        let tag = self.result_parts.get(&value).and_then(tag_of);
        tag.is_some_and(|tag| self.arena.as_int(tag) == Some(0))
    }

    /// A variable that the function sets and never looks at.
    pub(crate) fn is_never_read(&self, place: PlaceId) -> bool {
        let function = self.function;
        let Base::Local(local) = function.places[place].base else {
            return false;
        };
        let auto = function.locals.get(local.0 as usize);
        if auto.is_none_or(|l| l.kind != LocalKind::Auto) {
            return false;
        }
        let of = |place: PlaceId| function.places[place].base == Base::Local(local);
        let mut read = false;
        for block in &function.blocks {
            for stmt in &block.stmts {
                if let Statement::Drop { .. } = stmt {
                    continue;
                }
                visit_reads(stmt, |place| read |= of(place));
                if let Statement::Assign {
                    value: Rvalue::Ref(place),
                    ..
                } = stmt
                {
                    read |= of(*place);
                }
            }
            visit_term_reads(&block.term, |place| read |= of(place));
        }
        !read
    }

    fn dropped_result(&mut self, state: &State, d: &Dropped, depends: Dependence, at: Span) {
        let mut path = vec![PathStep {
            span: d.span,
            what: StepKind::Passed(d.api.clone()),
        }];
        path.push(PathStep {
            span: at,
            what: StepKind::Left,
        });
        let resource = state.res.get(d.handle).map(|r| self.resource(r));
        let kind = EventKind::ResultDropped {
            api: d.api.clone(),
            does: d.does,
            depends,
            dependent: at,
        };
        let function = self.function.name.clone();
        let event = Event {
            kind,
            at: d.span,
            function,
            resource,
            path,
            others: Vec::new(),
        };
        if depends == Dependence::ReportsSuccess {
            self.found.before_success.push(event);
        } else {
            self.found.add(event);
        }
    }
}
