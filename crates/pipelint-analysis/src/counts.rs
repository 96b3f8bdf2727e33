//! Transfers whose count may be less than what was asked for, and what becomes of the count.
//!
//! A count is looked at where it is compared with anything but a number that means failure (or, of a
//! read, the end), computed with, stored where others find it, or given to anybody. An assertion that vanishes from
//! release builds is no look.

use pipelint_ir::{
    Base, BinOp, Callee, LocalKind, Name, Operand, PlaceId, Proj, Rvalue, Statement, Type,
};
use pipelint_models::{FunctionModel, IoKind, Short, Success};
use pipelint_source::Span;

use crate::collect::Findings;
use crate::count_fault::Told;
use crate::counts_believed::Divided;
use crate::event::Event;
use crate::exec::Exec;
use crate::integers::is_checked_conversion;
use crate::io_classes::Kept;
use crate::modes::{Home, ModeOf, Modes};
use crate::program::{Program, Target, last};
use crate::state::{Fact, State};
use crate::values::{Loc, LocId, Sym, Val, ValId};
use crate::words::speaks_of_transfer;

/// A write of so few bytes to a pipe is never short (`PIPE_BUF` is no less).
pub(crate) const NEVER_SPLIT: i128 = 512;
/// The standard descriptors: what is printed is nobody's data.
const STANDARD: i128 = 2;

/// What other functions must tell before a fault is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The handle kept there does not wait.
    pub(crate) nonblocking: Option<Home>,
    /// What is started with the OVERLAPPED kept there is a write.
    pub(crate) writes: Option<Kept>,
    /// What is started with the OVERLAPPED kept there is a write, or waits for the peer.
    pub(crate) sends: Option<Kept>,
}

/// A transfer on a path, by its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) api: Name,
    /// The call, in this function.
    pub(crate) span: Span,
    /// The function of the program that hands the count on.
    pub(crate) within: Option<Name>,
    pub(crate) reads: bool,
    /// What tells whether it succeeded.
    pub(crate) judge: ValId,
    pub(crate) how: Success,
    pub(crate) went: Option<bool>,
    pub(crate) judged: Option<Span>,
    /// What was asked for, unless it is a constant.
    pub(crate) length: Option<ValId>,
    /// What it fills.
    pub(crate) buffer: Option<LocId>,
    pub(crate) looked: bool,
    pub(crate) asserted: bool,
    pub(crate) used: Option<Span>,
    /// Something was made to depend on how much it was: it was compared, or went into more than a sum.
    pub(crate) weighed: bool,
    /// What it was to send, for a pointer to it.
    pub(crate) source: Option<ValId>,
    /// That was emptied before anybody had asked how much of it was sent.
    pub(crate) emptied: Option<Span>,
    /// As far as is known it takes all or fails: only where the program itself reckons with less, it may
    /// be short.
    pub(crate) whole: bool,
    pub(crate) told: Option<(Span, Told)>,
    /// What it sent was taken off as far as it says, and its whole length has a name.
    pub(crate) divided: Option<Divided>,
    pub(crate) needs: Needs,
}

impl Counted {
    /// A transfer that nobody has looked at yet; what its judge says by `how`.
    pub(crate) fn new(api: Name, span: Span, judge: ValId, how: Success) -> Self {
        Self {
            api,
            span,
            within: None,
            reads: false,
            judge,
            how,
            went: None,
            judged: None,
            length: None,
            buffer: None,
            looked: false,
            asserted: false,
            used: None,
            weighed: false,
            source: None,
            emptied: None,
            whole: false,
            told: None,
            divided: None,
            needs: Needs::default(),
        }
    }

    fn weigh(&mut self) {
        self.looked = true;
        self.weighed = true;
    }

    /// How near a path is to a fault.
    pub(crate) fn badness(&self) -> (bool, bool, Option<bool>, bool) {
        let taken = self.used.is_some() || self.told.is_some() || self.emptied.is_some();
        (!self.looked, self.went != Some(false), self.went, taken)
    }
}

/// A count that a function hands on to its caller, who has not looked at it either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) count: ValId,
    pub(crate) judge: ValId,
    pub(crate) length: Option<ValId>,
    pub(crate) source: Option<ValId>,
    pub(crate) call: Counted,
}

impl Handed {
    pub(crate) fn values(&self) -> Vec<ValId> {
        let mut all = vec![self.count, self.judge];
        all.extend(self.length);
        all.extend(self.source);
        all
    }

    pub(crate) fn rename(&mut self, val: &mut dyn FnMut(ValId) -> ValId) {
        self.count = val(self.count);
        self.judge = val(self.judge);
        self.length = self.length.map(&mut *val);
        self.source = self.source.map(val);
    }
}

/// What a function knows of counts that others are to complete.
#[derive(Debug, Default)]
pub(crate) struct KeptCounts {
    /// What is started with OVERLAPPEDs that objects keep; none for what is no transfer.
    pub(crate) started: Vec<(Kept, Option<IoKind>)>,
    pub(crate) faults: Vec<(Event, Needs)>,
}

/// The faults that other functions had to complete.
pub(crate) fn completed(all: &mut [Findings], modes: &Modes) -> Vec<Event> {
    let mut started = Vec::new();
    let mut faults = Vec::new();
    for found in all {
        started.append(&mut found.counts.started);
        faults.append(&mut found.counts.faults);
    }
    let writes = |kept: &Kept| {
        let mut of = started.iter().filter(|(at, _)| at == kept).peekable();
        of.peek().is_some() && of.all(|(_, does)| *does == Some(IoKind::Write))
    };
    let sends = |kept: &Kept| {
        let of = || started.iter().filter(|(at, _)| at == kept);
        let good = |does: &Option<IoKind>| matches!(does, Some(IoKind::Write | IoKind::Connect));
        of().any(|(_, does)| *does == Some(IoKind::Write)) && of().all(|(_, does)| good(does))
    };
    let holds = |needs: &Needs| {
        needs
            .nonblocking
            .as_ref()
            .is_none_or(|home| modes.is_nonblocking(home))
            && needs.writes.as_ref().is_none_or(writes)
            && needs.sends.as_ref().is_none_or(sends)
    };
    let told = faults.into_iter().filter(|(_, needs)| holds(needs));
    told.map(|(event, _)| event).collect()
}

/// Rust: a method of a stream, of which it is known whether it fills its argument or sends it.
fn stream_method(program: &Program<'_>, name: &Name, ty: Option<&Type>) -> Option<bool> {
    let stream = program.models.stream(&ty?.name)?;
    let reads = stream.reads.iter().any(|n| *n == name.as_str());
    let writes = stream.writes.iter().any(|n| *n == name.as_str());
    (reads || writes).then_some(reads)
}

pub(crate) fn is_stream_method(program: &Program<'_>, name: &Name, ty: Option<&Type>) -> bool {
    stream_method(program, name, ty).is_some()
}

/// Another path has joined, and both go on in the same way: the worse of them is kept.
pub(crate) fn join(state: &mut State, other: &State) {
    for (count, call) in other.counts.iter() {
        let known = state.counts.get(count);
        let divided = known.and_then(|known| known.divided.clone());
        if known.is_none_or(|known| known.badness() < call.badness()) {
            let mut call = call.clone();
            call.divided = divided.or(call.divided);
            state.counts.insert(count, call);
        } else if let (None, Some(of)) = (divided, &call.divided) {
            let of = of.clone();
            state.counts.change(
                |v, _| v == count,
                |counted| counted.divided = Some(of.clone()),
            );
        }
    }
}

impl Exec<'_, '_> {
    /// A modelled call runs that transfers, or that tells how far a transfer came.
    pub(crate) fn note_count(
        &mut self,
        state: &mut State,
        api: &Name,
        model: &FunctionModel,
        args: &[ValId],
        result: ValId,
    ) {
        if self.site.is_some() {
            return;
        }
        self.note_kept_start(state, model, args);
        if model.completes.is_some() {
            self.note_completed_count(state, api, model, args, result);
            return;
        }
        let (Some(io), Some(success)) = (&model.io, model.success) else {
            return;
        };
        let reads = match io.does {
            IoKind::Read => true,
            IoKind::Transact if io.messages => true,
            IoKind::Write => false,
            _ => return,
        };
        let null = |n: Option<usize>| {
            n.and_then(|n| args.get(n))
                .is_none_or(|v| self.is_null(state, *v))
        };
        let (Some(&length), false) = (io.length.and_then(|n| args.get(n)), null(io.buffer)) else {
            return;
        };
        // Of an overlapped operation the count comes later.
        if !null(io.overlapped) {
            return;
        }
        let count = match io.count {
            None => result,
            Some(n) => match self.own_count(state, args[n]) {
                Some(count) => count,
                None => return,
            },
        };
        let known = self.arena.as_int(length);
        let mut needs = Needs::default();
        match (reads, io.short) {
            (true, _) if known == Some(1) => return,
            (true, _) => {}
            (false, None) => return,
            (false, Some(Short::Ever)) => {
                let standard = self.arena.as_int(args[io.handle]);
                let few = known.is_some_and(|n| n <= NEVER_SPLIT)
                    || self.is_size(io.length)
                    || io
                        .buffer
                        .and_then(|n| self.array_length(state, args[n]))
                        .is_some_and(|n| n <= NEVER_SPLIT);
                if few || standard.is_some_and(|n| n <= STANDARD) {
                    return;
                }
            }
            (false, Some(Short::Nonblocking)) => match self.mode_of(state, args[io.handle]) {
                ModeOf::Is(mode) if mode.nonblocking => {}
                ModeOf::KeptIn(home) => needs.nonblocking = Some(home),
                _ => return,
            },
        }
        let buffer = match io.buffer.map(|n| self.arena.get(args[n]).clone()) {
            Some(Val::Ptr(loc)) => Some(loc),
            Some(Val::Sym(Sym::Load { .. })) => io.buffer.map(|n| self.pointee(args[n])),
            _ => None,
        };
        let buffer = buffer.filter(|loc| reads && self.was_nothing(*loc));
        if reads && buffer.is_none() && known.is_some() {
            return;
        }
        let counted = Counted {
            reads,
            length: known.is_none().then_some(length),
            buffer,
            source: self.source_of(reads, length, args, io.buffer),
            needs,
            ..Counted::new(api.clone(), self.span, result, success)
        };
        state.counts.insert(count, counted);
    }

    /// What a call sends: what it asks the length of, or what its pointer leads to.
    fn source_of(
        &mut self,
        reads: bool,
        length: ValId,
        args: &[ValId],
        buffer: Option<usize>,
    ) -> Option<ValId> {
        if reads {
            return None;
        }
        match self.lengths.get(&length).copied() {
            Some(of) => Some(match *self.arena.get_loc(of) {
                Loc::Deref(pointer) => pointer,
                _ => self.arena.val(Val::Ptr(of)),
            }),
            None => buffer.and_then(|n| args.get(n)).copied(),
        }
    }

    fn is_null(&self, state: &State, v: ValId) -> bool {
        self.arena.as_int(v) == Some(0) || state.facts.get(v).and_then(Fact::exact) == Some(0)
    }

    /// How long what a pointer leads to is at most: an array, or a text that stands in the program.
    pub(crate) fn array_length(&self, state: &State, buffer: ValId) -> Option<i128> {
        let is_text = |v: ValId| matches!(self.arena.get(v), Val::Str);
        let loc = match self.arena.get(buffer) {
            Val::Str => return Some(0),
            // `"text".as_bytes()`.
            Val::Ptr(loc) if state.env.get(*loc).is_some_and(|v| is_text(*v)) => return Some(0),
            Val::Ptr(loc) if matches!(self.arena.get_loc(*loc), Loc::Deref(v) if is_text(*v)) => {
                return Some(0);
            }
            Val::Ptr(loc) => *loc,
            _ => return None,
        };
        let Loc::Local(l) = self.arena.get_loc(loc) else {
            return None;
        };
        let length = self.function.locals.get(l.0 as usize)?.ty.array_len;
        length.map(i128::from)
    }

    /// The argument is a size that the compiler knows: an object's own, which is small.
    fn is_size(&self, argument: Option<usize>) -> bool {
        let operand = argument.and_then(|n| self.operands.get(n));
        matches!(operand, Some(Operand::Const(_)))
    }

    /// What a call has put into a variable of this function that nobody else has the address of.
    pub(crate) fn own_count(&self, state: &State, v: ValId) -> Option<ValId> {
        let Val::Ptr(loc) = *self.arena.get(v) else {
            return None;
        };
        let local = matches!(self.arena.get_loc(self.arena.root(loc)), Loc::Local(_));
        (local && !self.is_outside(state, loc))
            .then(|| state.env.get(loc).copied())
            .flatten()
    }

    /// Nothing that anybody put there stands in the buffer: an array that was set to 0 first is a
    /// text with an end, however much is read.
    pub(crate) fn was_nothing(&self, loc: LocId) -> bool {
        let root = self.arena.root(loc);
        match self.arena.get_loc(root) {
            Loc::Local(l) => {
                let local = self.function.locals.get(l.0 as usize);
                let array = local.is_some_and(|l| l.ty.arrays > 0);
                self.is_rust() || !array || !self.is_set_as_a_whole(*l)
            }
            Loc::Deref(p) => self.is_given(*p),
            _ => false,
        }
    }

    /// Some statement gives the local a value, or its address to a call that fills memory.
    fn is_set_as_a_whole(&self, local: pipelint_ir::LocalId) -> bool {
        let function = self.function;
        let of = |place: PlaceId| function.places[place].base == Base::Local(local);
        let stmts = || function.blocks.iter().flat_map(|b| &b.stmts);
        let mut pointers: Vec<PlaceId> = Vec::new();
        for stmt in stmts() {
            if let Statement::Assign { dst, value } = stmt {
                match value {
                    Rvalue::Ref(place) if of(*place) => pointers.push(*dst),
                    _ if of(*dst) => return true,
                    _ => {}
                }
            }
        }
        stmts().any(|stmt| match stmt {
            Statement::Call { callee, args, .. } => {
                let Target::Model(model) = self.target_here(callee, args.len()) else {
                    return false;
                };
                model.io.is_none()
                    && model.fills.iter().any(|n| match args.get(*n) {
                        Some(Operand::Copy(p) | Operand::Move(p)) => pointers.contains(p),
                        _ => false,
                    })
            }
            _ => false,
        })
    }

    /// Rust: a method of a stream runs, and its result tells how much it has transferred.
    pub(crate) fn note_stream(
        &mut self,
        state: &mut State,
        callee: &Callee,
        args: &[Operand],
        dst: Option<PlaceId>,
    ) {
        let (
            Callee::Method {
                name, ty: Some(ty), ..
            },
            Some(dst),
            [given],
        ) = (callee, dst, args)
        else {
            return;
        };
        if !self.is_rust() || self.site.is_some() {
            return;
        }
        let Some(reads) = stream_method(self.program, name, Some(ty)) else {
            return;
        };
        let given = self.pointer_given(state, given);
        if !reads
            && self
                .array_length(state, given)
                .is_some_and(|n| n <= NEVER_SPLIT)
        {
            return;
        }
        let one = self.array_length(state, given) == Some(1);
        let buffer = match *self.arena.get(given) {
            Val::Ptr(loc) if reads && !one && self.was_nothing(loc) => Some(loc),
            Val::Sym(Sym::Load { .. }) if reads => {
                Some(self.pointee(given)).filter(|loc| self.was_nothing(*loc))
            }
            _ => None,
        };
        if reads && buffer.is_none() {
            return;
        }
        let whole = self.place(state, dst);
        let (tag, count) = (self.fresh(state, 71), self.fresh(state, 72));
        let at = self.arena.loc(Loc::Field(whole, crate::rust::TAG.into()));
        self.write_keeping_parts(state, at, tag);
        let at = self.arena.loc(Loc::Field(whole, "0".into()));
        self.write_keeping_parts(state, at, count);
        let api = if reads { "Read::read" } else { "Write::write" };
        let counted = Counted {
            reads,
            length: Some(given),
            buffer,
            source: (!reads).then_some(given),
            ..Counted::new(api.into(), self.span, tag, Success::Zero)
        };
        state.counts.insert(count, counted);
    }

    /// An argument; of a reference to an array, where it leads.
    fn pointer_given(&mut self, state: &mut State, arg: &Operand) -> ValId {
        if let Operand::Copy(place) | Operand::Move(place) = arg {
            let loc = self.place(state, *place);
            if let Some(&v) = state.env.get(loc)
                && self.is_rust()
                && matches!(self.arena.get(v), Val::Ptr(_))
            {
                return v;
            }
        }
        self.operand(state, arg)
    }

    /// A length is asked of a vector, a string or a slice.
    pub(crate) fn note_length(
        &mut self,
        state: &mut State,
        callee: &Callee,
        result: ValId,
        dst: Option<PlaceId>,
    ) {
        if let Callee::Method { name, receiver, .. } = callee
            && matches!(name.as_str(), "len" | "size" | "length")
        {
            let loc = self.place(state, *receiver);
            self.lengths.insert(result, loc);
            if let Some(dst) = dst {
                self.length_is_named(dst, result);
            }
        }
    }

    /// A condition looked at these values: whether transfers succeeded.
    pub(crate) fn judge_counted(&self, state: &mut State, parts: &[ValId]) {
        if state.counts.is_empty() {
            return;
        }
        let span = self.span;
        let facts = state.facts.clone();
        // How much it was is known, or a write is known to have got somewhere: that was asked.
        let asked = |v: ValId, counted: &Counted| {
            parts.contains(&v)
                && facts.get(v).is_some_and(|fact| {
                    fact.exact().is_some() || !counted.reads && fact.excludes(0)
                })
        };
        state.counts.change(asked, |counted| counted.looked = true);
        let decided = |counted: &Counted| {
            let fact = facts.get(counted.judge)?;
            match counted.how {
                Success::Nonzero if fact.excludes(0) => Some(true),
                Success::Nonzero if fact.exact() == Some(0) => Some(false),
                Success::Zero if fact.exact() == Some(0) || fact.excludes(1) => Some(true),
                Success::Zero if fact.excludes(0) => Some(false),
                // A count of 0 is told apart by who asks for it.
                Success::NotMinusOne | Success::Nonnegative
                    if fact.exact().is_some() || fact.hi <= 0 =>
                {
                    Some(false)
                }
                Success::NotMinusOne | Success::Nonnegative
                    if fact.lo >= 0 || fact.excludes(-1) =>
                {
                    Some(true)
                }
                _ => None,
            }
        };
        state.counts.change(
            |_, counted| parts.contains(&counted.judge),
            |counted| {
                let went = decided(counted);
                if went.is_some() && counted.went != went {
                    counted.went = went;
                    counted.judged = Some(span);
                }
            },
        );
    }

    /// A condition compares two values.
    pub(crate) fn compare_counts(&self, state: &mut State, a: ValId, b: ValId) {
        if state.counts.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (v, other) in [(a, b), (b, a)] {
            // Failure or the end is told by it, and nothing of how far it came.
            let sentinel = self.arena.as_int(other).is_some_and(|n| n <= 0);
            if sentinel && self.is_count(state, v) {
                continue;
            }
            self.arena.parts(v, &mut found);
        }
        look(state, &found);
    }

    /// A count itself, converted or not; or a comparison of it with what means failure.
    pub(crate) fn is_count(&self, state: &State, v: ValId) -> bool {
        match self.arena.get(v) {
            Val::Narrow(inner, _) => self.is_count(state, *inner),
            Val::Cmp(_, a, b) => {
                let sentinel = |v: &ValId| self.arena.as_int(*v).is_some_and(|n| n <= 0);
                sentinel(b) && self.is_count(state, *a) || sentinel(a) && self.is_count(state, *b)
            }
            _ => state.counts.get(v).is_some(),
        }
    }

    /// A statement is run: which counts it looks at, and which buffers it uses.
    pub(crate) fn counts_in_statement(&mut self, state: &mut State, stmt: &Statement) {
        if state.counts.is_empty() {
            return;
        }
        let function = self.function;
        let mut read: Vec<PlaceId> = Vec::new();
        crate::cfg::visit_reads(stmt, |place| read.push(place));
        let element = |place: &PlaceId| function.places[*place].proj.contains(&Proj::Index(None));
        let written = match stmt {
            Statement::Assign { dst, .. } => Some(dst),
            _ => None,
        };
        if read.iter().chain(written).any(element) {
            // Which index it is nobody knows: it may be the count.
            state.counts.change(|_, _| true, Counted::weigh);
            return;
        }
        match stmt {
            Statement::Assert(cond) => {
                let (a, b) = (
                    self.operand(state, &cond.lhs),
                    self.operand(state, &cond.rhs),
                );
                let mut parts = Vec::new();
                self.arena.parts(a, &mut parts);
                self.arena.parts(b, &mut parts);
                state
                    .counts
                    .change(|v, _| parts.contains(&v), |counted| counted.asserted = true);
            }
            Statement::Assign { dst, value } => {
                self.count_is_told(state, *dst, value);
                self.range_of_count(state, *dst, value);
                if let Rvalue::Use(op) | Rvalue::Cast(_, op) = value {
                    let v = self.operand(state, op);
                    if self.lengths.contains_key(&v) {
                        self.length_is_named(*dst, v);
                    }
                }
                match value {
                    Rvalue::Compare(_) => {}
                    Rvalue::Binary(BinOp::Add, ..) => {
                        let seen = self.held_at(state, &read);
                        state
                            .counts
                            .change(|v, _| seen.contains(&v), |counted| counted.looked = true);
                    }
                    Rvalue::Use(_) | Rvalue::Cast(..) | Rvalue::Ref(_) | Rvalue::Aggregate(_)
                        if self.is_plain_local(*dst) => {}
                    _ => self.look_at_places(state, &read),
                }
                if !matches!(value, Rvalue::Ref(_)) {
                    self.use_buffers_of(state, &read);
                }
            }
            Statement::Call { callee, args, .. } => {
                self.counts_in_call(state, callee, args);
            }
            _ => {}
        }
    }

    /// As for statements, where a block ends.
    pub(crate) fn counts_in_terminator(
        &mut self,
        state: &mut State,
        term: &pipelint_ir::Terminator,
    ) {
        if state.counts.is_empty() {
            return;
        }
        let mut read: Vec<PlaceId> = Vec::new();
        crate::cfg::visit_term_reads(term, |place| read.push(place));
        self.use_buffers_of(state, &read);
    }

    fn is_plain_local(&self, place: PlaceId) -> bool {
        let place = &self.function.places[place];
        let local = match place.base {
            Base::Local(l) => self.function.locals.get(l.0 as usize),
            _ => None,
        };
        let kept = |l: &pipelint_ir::Local| l.kind == LocalKind::Static;
        local.is_some_and(|l| !kept(l)) && !place.proj.contains(&Proj::Deref)
    }

    /// What places hold is looked at.
    fn look_at_places(&mut self, state: &mut State, places: &[PlaceId]) {
        let seen = self.held_at(state, places);
        look(state, &seen);
    }

    fn held_at(&mut self, state: &mut State, places: &[PlaceId]) -> Vec<ValId> {
        let mut seen = Vec::new();
        for place in places {
            let loc = self.place(state, *place);
            for (at, v) in state.env.iter() {
                if self.arena.within(at, loc) {
                    self.arena.parts(*v, &mut seen);
                }
            }
        }
        seen
    }

    /// The buffers that these places are parts of are used.
    fn use_buffers_of(&mut self, state: &mut State, places: &[PlaceId]) {
        let locs: Vec<LocId> = places.iter().map(|p| self.place(state, *p)).collect();
        self.use_memory_of(state, &locs);
    }

    fn use_memory_of(&self, state: &mut State, locs: &[LocId]) {
        let arena = &self.arena;
        let span = self.span;
        state.counts.change(
            |_, counted| {
                counted.used.is_none()
                    && counted.went != Some(false)
                    && counted
                        .buffer
                        .is_some_and(|b| locs.iter().any(|loc| arena.within(*loc, b)))
            },
            |counted| counted.used = Some(span),
        );
    }

    fn counts_in_call(&mut self, state: &mut State, callee: &Callee, args: &[Operand]) {
        if is_checked_conversion(callee) || self.is_list_of_fields(callee) {
            return;
        }
        self.note_division(state, callee, args);
        let target = self.target_here(callee, args.len());
        let model = match target {
            Target::Model(model) => Some(model),
            _ => None,
        };
        // A stream that reads fills it anew.
        let anew = match callee {
            Callee::Method { name, ty, .. } => {
                stream_method(self.program, name, ty.as_deref()) == Some(true)
            }
            _ => false,
        };
        let filled = |n: usize| anew || model.is_some_and(|m| m.fills.contains(&n));
        let freed = |n: usize| model.is_some_and(|m| m.releases.iter().any(|r| r.arg == n));
        let (mut read, mut reached): (Vec<PlaceId>, Vec<LocId>) = (Vec::new(), Vec::new());
        let mut values = Vec::new();
        for (n, arg) in args.iter().enumerate() {
            let v = self.pointer_given(state, arg);
            values.push(v);
            if let Operand::Copy(place) | Operand::Move(place) = arg {
                read.push(*place);
            }
            let passes = filled(n) || freed(n) || self.asks_for_the_error_alone(target, n);
            if let (false, Val::Ptr(loc)) = (passes, self.arena.get(v)) {
                reached.push(*loc);
            }
        }
        let name = match callee {
            Callee::Method { name, receiver, .. } => {
                let loc = self.place(state, *receiver);
                self.note_emptied(state, name, args, loc);
                self.look_at_memory(state, loc);
                Some(name)
            }
            Callee::Function(name) => Some(name),
            Callee::Pointer(_) | Callee::Constructor(_) | Callee::New(_) => None,
        };
        self.look_at_places(state, &read);
        for loc in &reached {
            self.look_at_memory(state, *loc);
        }
        let mut used = reached;
        if !anew {
            used.extend(read.iter().map(|p| self.place(state, *p)));
        }
        self.use_memory_of(state, &used);
        if name.is_some_and(|name| speaks_of_transfer(last(name))) {
            for v in values {
                self.length_is_told(state, v, Told::Passed);
            }
        }
    }

    fn look_at_memory(&self, state: &mut State, loc: LocId) {
        let mut seen = Vec::new();
        for (at, v) in state.env.iter() {
            if self.arena.within(at, loc) {
                self.arena.parts(*v, &mut seen);
            }
        }
        look(state, &seen);
    }

    /// `offset += length`, `*written = length`.
    fn count_is_told(&mut self, state: &mut State, dst: PlaceId, value: &Rvalue) {
        match value {
            Rvalue::Binary(BinOp::Add | BinOp::Sub, Operand::Copy(a), b) if *a == dst => {
                let b = self.operand(state, b);
                self.length_is_told(state, b, Told::Added);
            }
            Rvalue::Use(op) | Rvalue::Cast(_, op) if !self.is_plain_local(dst) => {
                let named = {
                    let place = &self.function.places[dst];
                    let field = place.proj.iter().rev().find_map(|p| match p {
                        Proj::Field(name) => Some(name.clone()),
                        _ => None,
                    });
                    field.or_else(|| match &place.base {
                        Base::Local(l) => {
                            let local = self.function.locals.get(l.0 as usize);
                            local.map(|l| l.name.clone())
                        }
                        Base::Global(name) => Some(name.clone()),
                        _ => None,
                    })
                };
                if named.is_some_and(|name| speaks_of_transfer(&name)) {
                    let v = self.operand(state, op);
                    self.length_is_told(state, v, Told::Passed);
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn look(state: &mut State, seen: &[ValId]) {
    state.counts.change(
        |v, c| !(c.looked && c.weighed) && seen.contains(&v),
        Counted::weigh,
    );
}
