//! Transfers that fail where nobody hears of it: the result is thrown away by name, and the branch or
//! handler for the failure does nothing, or does no more than log.

use pipelint_ir::{
    Base, Callee, Cond, Function, FunctionKind, LocalId, Mark, Name, Operand, PlaceId, Proj,
    Rvalue, Statement, Terminator,
};
use pipelint_models::{ErrorEffect, IoKind};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cfg::visit_reads;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::log::{Action, each};
use crate::lost::Heard;
use crate::program::{FnRef, Program, Target, last, successors};
use crate::region::Region;
use crate::sends::{Body, Kind, Send};
use crate::state::{Failed, State};
use crate::summary::{End, Summary};
use crate::words::{has_word, speaks_of_looking, speaks_of_output};

/// How a failure comes to nobody's ears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silenced {
    /// The result is thrown away by name: `let _ =`, `.ok();`.
    Discarded {
        /// The call.
        api: Name,
    },
    /// The branch for the failure does nothing.
    Branch {
        /// The call.
        api: Name,
        /// Where.
        call: Span,
        /// What was to be sent is dropped there.
        drops: bool,
    },
    /// The handler of the exception does nothing.
    Caught {
        /// The function that throws it.
        api: Name,
    },
    /// The branch for the failure only logs.
    Logged {
        /// The call.
        api: Name,
        /// Where.
        call: Span,
    },
}

impl Silenced {
    /// One number for each kind.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Logged { .. } => 1,
            _ => 0,
        }
    }

    /// The call that failed.
    fn call(&self, at: Span) -> Span {
        match self {
            Self::Discarded { .. } | Self::Caught { .. } => at,
            Self::Branch { call, .. } | Self::Logged { call, .. } => *call,
        }
    }
}

/// Takes away what another rule tells of the same call.
pub(crate) fn tell_once(events: &mut Vec<Event>) {
    let heard = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::ResultDropped { .. } | EventKind::LastError(_) | EventKind::Result(_)
        )
    };
    let told: FxHashSet<Span> = events
        .iter()
        .filter(|e| heard(&e.kind))
        .flat_map(|e| e.path.iter().map(|step| step.span).chain([e.at]))
        .collect();
    events.retain(|event| match &event.kind {
        EventKind::Silenced(how) => !told.contains(&how.call(event.at)),
        _ => true,
    });
}

/// Branches that some path took for the failure of a transfer: the call, the branch, where it leads and
/// where it does not.
pub(crate) type FailedEdges = FxHashSet<(Span, usize, usize, usize)>;

/// What a region does.
#[derive(Default)]
pub(crate) struct Did {
    pub(crate) logs: Option<Span>,
    /// It empties what holds the bytes.
    pub(crate) drops: Option<Span>,
    /// It does something else, of which the failure may be seen.
    pub(crate) acts: bool,
    pub(crate) leaves: bool,
}

impl Exec<'_, '_> {
    /// A branch was taken on a path on which a transfer failed.
    pub(crate) fn note_failed_edge(&mut self, state: &State, to: usize, other: usize) {
        if let Some(lost) = &state.lost
            && lost.how == Heard::Seen
        {
            self.failed_edges.insert((lost.at, self.block, to, other));
        }
    }

    /// What the branches that were taken for a failure do, and the handlers.
    pub(crate) fn tell_silenced(&mut self) {
        let edges = std::mem::take(&mut self.failed_edges);
        let program = self.program;
        if self.is_entry_point() || nobody_to_tell(self.function) {
            return;
        }
        let throws = self.function.blocks.iter().any(|b| b.unwind.is_some());
        let asks = self.asks_of_transfers();
        if edges.is_empty() && !self.is_rust() && !throws && !asks {
            return;
        }
        let body = Body::new(program, self.unit, self.function);
        if asks {
            self.tell_unheard(&body);
        }
        let mut edges: Vec<_> = edges.into_iter().collect();
        edges.sort_unstable();
        for send in body.sends() {
            let of_it: Vec<_> = edges.iter().filter(|edge| edge.0 == send.span).collect();
            let dropped = body.is_thrown_away(&send);
            let guarded = body.function.blocks[send.block].unwind.is_some();
            if (of_it.is_empty() && !dropped && !guarded) || !body.sends_data(&send) {
                continue;
            }
            if guarded && let Some(event) = body.caught(&send) {
                self.found.add(event);
            }
            if let Kind::Own(f) = send.kind
                && !self.summary_of(f).is_some_and(tells_only_by_result)
            {
                continue;
            }
            if dropped {
                self.found.add(body.thrown_away(&send));
                continue;
            }
            for (_, at, to, other) in of_it {
                if let Some(event) = body.silent_edge(&send, *at, *to, *other) {
                    self.found.add(event);
                }
            }
        }
    }
}

/// Sends by methods of the libraries' types, whose results nobody looks at.
pub(crate) fn of_methods(program: &Program<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        if program.units[f.0].language != pipelint_ir::Language::Rust
            || nobody_to_tell(function)
            || last(&function.name) == "main"
            || !names_writer(program, function)
        {
            continue;
        }
        let body = Body::new(program, f.0, function);
        for send in body.sends() {
            let Kind::Method = send.kind else { continue };
            if !body.sends_data(&send) {
                continue;
            }
            if body.is_thrown_away(&send) {
                events.push(body.thrown_away(&send));
                continue;
            }
            for (at, to, other) in body.failed_by_tag(&send) {
                events.extend(body.silent_edge(&send, at, to, other));
            }
        }
    }
    events
}

fn names_writer(program: &Program<'_>, function: &Function) -> bool {
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        matches!(stmt, Statement::Call { callee: Callee::Method { ty: Some(ty), .. }, .. }
            if program.models.writer(&ty.name).is_some())
    })
}

/// At the end of an object or a connection, in a wake-up and in a logger nobody is there who could be told.
pub(crate) fn nobody_to_tell(function: &Function) -> bool {
    const WORDS: &[&str] = &[
        "close",
        "shutdown",
        "shut",
        "stop",
        "drop",
        "cleanup",
        "clean",
        "exit",
        "quit",
        "abort",
        "kill",
        "terminate",
        "disconnect",
        "finish",
        "dispose",
        "free",
        "release",
        "bye",
        "destroy",
        "deinit",
        "uninit",
        "uninitialize",
        "fini",
        "teardown",
        "end",
        "leave",
        "detach",
        "unload",
        "cancel",
        "wake",
        "wakeup",
        "waker",
        "interrupt",
        "ping",
        "test",
        "tests",
        "log",
        "logger",
        "logging",
        "trace",
        "tracer",
        "debug",
        "console",
        "print",
        "printer",
        "progress",
        "panic",
    ];
    function.kind == FunctionKind::Destructor
        || function.name.split("::").any(|part| has_word(part, WORDS))
        || speaks_of_output(last(&function.name))
}

/// The function has done nothing of its own with the failure: its result alone tells.
fn tells_only_by_result(summary: &Summary) -> bool {
    let (failed, good): (Vec<&End>, Vec<&End>) = summary
        .ends
        .iter()
        .filter(|end| end.transfer != Failed::Maybe)
        .partition(|end| end.transfer == Failed::Yes);
    if failed.is_empty() || good.is_empty() {
        return false;
    }
    let writes = |end: &End| {
        let (mut writes, mut unseen) = (Vec::new(), 0);
        each(&end.steps, &mut |action| match action {
            Action::Write { loc, v, .. } => writes.push((*loc, *v)),
            Action::Havoc { .. } => unseen += 1,
            _ => {}
        });
        (writes, unseen)
    };
    let good: Vec<_> = good.into_iter().map(writes).collect();
    let most = good.iter().map(|(_, unseen)| *unseen).max().unwrap_or(0);
    failed.into_iter().map(writes).all(|(writes, unseen)| {
        let known = |w| good.iter().any(|(writes, _)| writes.contains(w));
        unseen <= most && writes.iter().all(known)
    })
}

impl<'f, 'm> Body<'f, 'm> {
    /// The branch for a failure does nothing that anybody could hear of.
    fn silent_edge(&self, send: &Send<'_>, at: usize, to: usize, other: usize) -> Option<Event> {
        let dst = send.dst?;
        let Terminator::Branch { cond, .. } = &self.function.blocks[at].term else {
            return None;
        };
        let held = self.holders(dst);
        if !reads_cond(cond, &mut |p| self.is_in(p, &held)) {
            return None;
        }
        let failed = self.graph.only_through(at, to, other);
        let good = self.graph.only_through(at, other, to);
        let did = self.does(&failed);
        if did.acts || self.is_told(send, &held, &failed, at) || self.ends_here(send) {
            return None;
        }
        // Where both ways meet again, nothing tells them apart.
        if !did.leaves && !self.graph.meets(&failed, to, other) {
            return None;
        }
        let plain = || {
            let good = self.does(&good);
            !good.acts && !good.leaves && good.drops.is_none()
        };
        let gone = || !self.is_kept(send);
        let nothing = matches!(&*self.function.ret.name, "void" | "()" | "");
        let branch = self.function.map.terms.get(at).copied();
        // The place of a pattern says less than that of the call.
        let branch = branch.filter(|_| !self.is_rust()).unwrap_or(send.span);
        match (did.logs, did.leaves) {
            (Some(logged), true) if nothing && gone() => {
                let kind = Silenced::Logged {
                    api: send.api.clone(),
                    call: send.span,
                };
                Some(self.event(kind, logged, send.span, Some(branch)))
            }
            (Some(logged), false) if plain() || gone() => {
                let kind = Silenced::Logged {
                    api: send.api.clone(),
                    call: send.span,
                };
                Some(self.event(kind, logged, send.span, Some(branch)))
            }
            (None, false) if did.drops.is_some() || plain() => {
                let kind = Silenced::Branch {
                    api: send.api.clone(),
                    call: send.span,
                    drops: did.drops.is_some(),
                };
                let shown = did.drops.unwrap_or(branch);
                Some(self.event(kind, shown, send.span, Some(branch)))
            }
            _ => None,
        }
    }

    /// Beside the branch, something looks at the result, or at what the call fills in.
    fn is_told(&self, send: &Send<'_>, held: &FxHashSet<u32>, failed: &Region, at: usize) -> bool {
        let elsewhere = |local: &u32| {
            self.reads(LocalId(*local)).iter().any(|(b, p)| {
                let copied = self.copies_only(*b, *p, held);
                !copied && *b != at && !failed.has(*b) && !self.is_payload(*p)
            })
        };
        if held.iter().any(elsewhere) {
            return true;
        }
        let overlapped = match send.kind {
            Kind::Model(model) => model.io.as_ref().and_then(|io| io.overlapped),
            _ => None,
        };
        let buffer = match send.kind {
            Kind::Model(model) => model.io.as_ref().and_then(|io| io.buffer),
            _ => None,
        };
        let pending = overlapped
            .and_then(|n| send.args.get(n))
            .is_some_and(|op| !matches!(op, Operand::Const(_)));
        if pending && self.looks_later() {
            return true;
        }
        // What a function of the program does where it fails, it does otherwise too.
        if let Kind::Method | Kind::Own(_) = send.kind {
            return false;
        }
        // The count, or an error that the call puts into a variable.
        let lent = send
            .args
            .iter()
            .enumerate()
            .filter(|(n, _)| Some(*n) != buffer);
        lent.filter_map(|(_, arg)| self.lent(arg))
            .any(|local| self.valued.contains(&local.0))
    }

    /// The read at this place only hands the result on to another of its holders.
    fn copies_only(&self, block: usize, place: PlaceId, held: &FxHashSet<u32>) -> bool {
        self.function.blocks[block].stmts.iter().any(|stmt| {
            let Statement::Assign { dst, value } = stmt else {
                return false;
            };
            let hands = matches!(
                value,
                Rvalue::Use(_) | Rvalue::Cast(..) | Rvalue::Compare(_)
            );
            let mut reads = false;
            visit_reads(stmt, |p| reads |= p == place);
            hands && reads && self.is_in(*dst, held)
        })
    }

    /// Some call of the function asks how an operation went, or waits for it.
    fn looks_later(&self) -> bool {
        self.program
            .has_call(self.unit, self.function, &|_, target| {
                matches!(target, Target::Model(m)
                if m.completes.is_some() || m.waits.is_some() || m.drains)
            })
    }

    /// The variable whose address an argument is.
    fn lent(&self, arg: &Operand) -> Option<LocalId> {
        let (Operand::Copy(place) | Operand::Move(place)) = arg else {
            return None;
        };
        let Base::Local(pointer) = self.function.places[*place].base else {
            return None;
        };
        let mut stmts = self.function.blocks.iter().flat_map(|b| &b.stmts);
        stmts.find_map(|stmt| {
            let Statement::Assign {
                dst,
                value: Rvalue::Ref(of),
            } = stmt
            else {
                return None;
            };
            if self.function.places[*dst].base != Base::Local(pointer) {
                return None;
            }
            match self.function.places[*of].base {
                Base::Local(local) => Some(local),
                _ => None,
            }
        })
    }

    /// The call throws where its write fails, and the handler does nothing.
    fn caught(&self, send: &Send<'_>) -> Option<Event> {
        let Kind::Own(f) = send.kind else { return None };
        let handler = self.function.blocks[send.block].unwind?.0 as usize;
        if self.is_rust() || nobody_to_tell(self.program.function(f)) {
            return None;
        }
        if !throws_where_a_write_fails(self.program, f) {
            return None;
        }
        let region = self.graph.handler(self.function, handler);
        let did = self.does(&region);
        if did.acts || did.leaves || did.logs.is_some() {
            return None;
        }
        let kind = Silenced::Caught {
            api: send.api.clone(),
        };
        Some(self.event(kind, send.span, send.span, None))
    }

    /// What the blocks of a region do.
    fn does(&self, region: &Region) -> Did {
        let mut did = Did::default();
        let mut logging: FxHashSet<u32> = FxHashSet::default();
        for &b in region.blocks() {
            let block = &self.function.blocks[b];
            for (i, stmt) in block.stmts.iter().enumerate() {
                let span = self.function.map.stmts.get(b).and_then(|s| s.get(i));
                self.statement(stmt, span.copied(), region, &mut did, &mut logging);
            }
            match &block.term {
                Terminator::Return(_) => did.leaves = true,
                Terminator::Unwind => did.acts = true,
                _ => {}
            }
        }
        did
    }

    pub(crate) fn statement(
        &self,
        stmt: &Statement,
        span: Option<Span>,
        region: &Region,
        did: &mut Did,
        logging: &mut FxHashSet<u32>,
    ) {
        let local = |place: PlaceId| match self.function.places[place].base {
            Base::Local(l) => Some(l),
            _ => None,
        };
        let into_log = |logging: &FxHashSet<u32>| {
            let mut found = false;
            visit_reads(stmt, |p| {
                found |= match &self.function.places[p].base {
                    Base::Local(l) => logging.contains(&l.0),
                    Base::Global(name) => is_log_stream(last(name)),
                    _ => false,
                };
            });
            found
        };
        match stmt {
            Statement::Mark(Mark::Logged) => did.logs = did.logs.or(span),
            Statement::Mark(_) | Statement::Drop { .. } => {}
            Statement::Assert(_) | Statement::Opaque { .. } => did.acts = true,
            Statement::Assign { dst, value } => {
                if into_log(logging) && matches!(value, Rvalue::Unknown(_) | Rvalue::Binary(..)) {
                    did.logs = did.logs.or(span);
                    logging.extend(local(*dst).map(|l| l.0));
                    return;
                }
                did.acts |= !self.stays_within(*dst, region);
            }
            Statement::Call {
                dst, callee, args, ..
            } => {
                if let Some(dst) = dst {
                    did.acts |= !self.stays_within(*dst, region);
                }
                let target = self
                    .program
                    .target(self.unit, self.function, callee, args.len());
                match (target, callee) {
                    (Target::Model(model), _) if model.logs => did.logs = did.logs.or(span),
                    (Target::Model(model), _) if model.error == ErrorEffect::Reads => {}
                    (Target::Model(model), Callee::Function(name))
                        if speaks_of_output(last(name)) && model.releases.is_empty() =>
                    {
                        did.logs = did.logs.or(span);
                    }
                    (_, Callee::Method { name, .. }) if into_log(logging) => {
                        let _ = name;
                        did.logs = did.logs.or(span);
                        logging.extend(dst.and_then(local).map(|l| l.0));
                    }
                    (_, Callee::Function(name) | Callee::Method { name, .. })
                        if speaks_of_output(last(name)) && !matches!(target, Target::Model(_)) =>
                    {
                        did.logs = did.logs.or(span);
                        logging.extend(dst.and_then(local).map(|l| l.0));
                    }
                    (_, Callee::Method { name, .. }) if empties(name) => {
                        did.drops = did.drops.or(span);
                    }
                    (_, Callee::Method { name, .. })
                        if speaks_of_looking(name)
                            || matches!(&**name, "message" | "what" | "to_string") => {}
                    (Target::Unknown, Callee::Constructor(_)) => {}
                    (Target::Unknown, Callee::Function(name))
                        if matches!(
                            last(name),
                            "system_category" | "generic_category" | "strerror"
                        ) => {}
                    (Target::Model(model), _)
                        if model.io.is_none()
                            && model.releases.is_empty()
                            && matches!(callee, Callee::Function(name) if last(name).starts_with("FormatMessage")) =>
                        {}
                    _ => did.acts = true,
                }
            }
        }
    }

    /// What is put there nobody reads outside of the region.
    pub(crate) fn stays_within(&self, dst: PlaceId, region: &Region) -> bool {
        let Base::Local(local) = self.function.places[dst].base else {
            return false;
        };
        let plain = self.function.places[dst]
            .proj
            .iter()
            .all(|step| !matches!(step, Proj::Deref));
        local.0 >= self.function.params
            && plain
            && self.reads(local).iter().all(|(b, _)| region.has(*b))
    }

    pub(crate) fn event(
        &self,
        kind: Silenced,
        at: Span,
        call: Span,
        branch: Option<Span>,
    ) -> Event {
        let api = match &kind {
            Silenced::Discarded { api }
            | Silenced::Branch { api, .. }
            | Silenced::Caught { api }
            | Silenced::Logged { api, .. } => api.clone(),
        };
        let mut path = vec![PathStep {
            span: call,
            what: StepKind::Passed(api),
        }];
        path.extend(branch.map(|span| PathStep {
            span,
            what: StepKind::Branch(true),
        }));
        if at != call && Some(at) != branch {
            path.push(PathStep {
                span: at,
                what: StepKind::Left,
            });
        }
        Event {
            kind: EventKind::Silenced(kind),
            at,
            function: self.function.name.clone(),
            resource: None,
            path,
            others: Vec::new(),
        }
    }
}

/// The standard streams that messages go to.
fn is_log_stream(name: &str) -> bool {
    matches!(name, "cerr" | "clog" | "cout" | "wcerr" | "wclog" | "wcout")
}

/// The method empties what it is called on.
pub(crate) fn empties(name: &str) -> bool {
    matches!(
        name,
        "clear" | "drain" | "truncate" | "pop" | "pop_front" | "pop_back" | "erase"
    )
}

pub(crate) fn reads_cond(cond: &Cond, wanted: &mut dyn FnMut(PlaceId) -> bool) -> bool {
    [&cond.lhs, &cond.rhs].into_iter().any(|op| match op {
        Operand::Copy(place) | Operand::Move(place) => wanted(*place),
        Operand::Const(_) => false,
    })
}

/// The function has a write, and a branch on its result that leaves by an exception.
fn throws_where_a_write_fails(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let leaves = |b: usize| {
        let Some(block) = function.blocks.get(b) else {
            return false;
        };
        block.term == Terminator::Unwind
            || block.stmts.iter().any(|stmt| {
                matches!(stmt, Statement::Call { callee: Callee::Function(name), .. }
                    if crate::words::speaks_of_throwing(last(name)))
            })
    };
    let mut writes: FxHashMap<u32, ()> = FxHashMap::default();
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        let Statement::Call {
            dst: Some(dst),
            callee,
            args,
            ..
        } = stmt
        else {
            continue;
        };
        let target = program.target(f.0, function, callee, args.len());
        if let (Target::Model(model), Base::Local(l)) = (target, &function.places[*dst].base)
            && model.io.as_ref().is_some_and(|io| io.does == IoKind::Write)
        {
            writes.insert(l.0, ());
        }
    }
    let asks =
        |p: PlaceId| matches!(function.places[p].base, Base::Local(l) if writes.contains_key(&l.0));
    function.blocks.iter().any(|block| {
        let Terminator::Branch { cond, .. } = &block.term else {
            return false;
        };
        let mut to = Vec::new();
        successors(&block.term, |b| to.push(b));
        reads_cond(cond, &mut |p| asks(p)) && to.into_iter().any(leaves)
    })
}
