//! Flags that say that an operation is under way, and stay set where its start failed.

use pipelint_ir::{
    Base, Callee, CmpOp, Const, Function, FunctionKind, Name, Operand, PlaceId, Proj, Rvalue,
    Statement, Terminator,
};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::exec::Exec;
use crate::program::{ClassRef, FnRef, Program, Target};
use crate::state::State;
use crate::values::Val;
use crate::words::has_word;

/// A flag is set before an operation is started, and still set after the start has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckFlag {
    /// The flag, as a person writes it.
    pub flag: Name,
    /// The call that starts the operation.
    pub api: Name,
    /// Where.
    pub call: Span,
    /// Where the function is left.
    pub left: Span,
    /// Where the flag turns others away.
    pub refused: Span,
}

/// A field by the class that declares it.
type Key = (ClassRef, Name);

/// A flag that one function leaves set.
#[derive(Debug)]
pub(crate) struct Stuck {
    key: Key,
    by: FnRef,
    event: Event,
}

/// How the ends of a function leave a flag that it has set, by the statement that sets it and the call.
#[derive(Debug, Default)]
pub(crate) struct FlagEnds {
    /// The places where flags are set, in a function that starts operations.
    sets: Vec<Set>,
    /// The names of these flags.
    names: Vec<Name>,
    ends: FxHashMap<(Span, Span), Left>,
}

#[derive(Debug, Clone)]
struct Set {
    place: PlaceId,
    block: usize,
    at: usize,
    span: Span,
}

#[derive(Debug, Default)]
struct Left {
    api: Name,
    flag: Name,
    key: Option<Key>,
    overlapped: bool,
    /// The start failed, and the flag is set still.
    stuck: Option<Span>,
    /// All is well or under way, and the flag is set still, or no more.
    set: bool,
    cleared: bool,
}

impl FlagEnds {
    pub(crate) fn new(program: &Program<'_>, f: FnRef) -> Self {
        let function = program.function(f);
        let starts = |stmt: &Statement| {
            let Statement::Call { callee, args, .. } = stmt else {
                return false;
            };
            matches!(program.target(f.0, function, callee, args.len()),
                Target::Model(model) if model.io.is_some())
        };
        let sets = flags_set(function);
        let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
        if sets.is_empty() || !stmts.any(starts) {
            return Self::default();
        }
        let name = |set: &Set| match function.places[set.place].proj.last() {
            Some(Proj::Field(name)) => Some(name.clone()),
            _ => None,
        };
        let names = sets.iter().filter_map(name).collect();
        Self {
            sets,
            names,
            ends: FxHashMap::default(),
        }
    }

    /// The function sets a flag of this name.
    pub(crate) fn sets(&self, name: &Name) -> bool {
        self.names.contains(name)
    }
}

impl Exec<'_, '_> {
    /// The path leaves the function: which of the flags that it has set are set still.
    pub(crate) fn note_flags(&mut self, state: &mut State) {
        if state.io_calls.is_empty() {
            return;
        }
        let sets = std::mem::take(&mut self.flag_ends.sets);
        for set in &sets {
            let loc = self.place(state, set.place);
            let Some(Val::Int(n)) = state.env.get(loc).map(|v| self.arena.get(*v)) else {
                continue;
            };
            let still = *n != 0;
            let key = self.flag_key(set.place);
            let flag = self.loc_name(loc);
            for (_, call) in state.io_calls.iter() {
                if !call.is_started_after() {
                    continue;
                }
                let left = self.flag_ends.ends.entry((set.span, call.span()));
                let left = left.or_default();
                left.api = call.api().clone();
                left.flag = flag.clone();
                left.key = key.clone();
                left.overlapped = call.has_overlapped();
                for went in call.went() {
                    match (went, still) {
                        (Some(false), true) => {
                            left.stuck.get_or_insert(self.span);
                        }
                        (Some(true), true) => left.set = true,
                        (Some(true), false) => left.cleared = true,
                        _ => {}
                    }
                }
            }
        }
        self.flag_ends.sets = sets;
    }

    fn flag_key(&self, place: PlaceId) -> Option<Key> {
        key_of(self.program, self.unit, self.function, place)
    }

    /// The flags that the function leaves set though their operation was not started.
    pub(crate) fn tell_flags(&mut self) {
        let FlagEnds { sets, ends, .. } = std::mem::take(&mut self.flag_ends);
        let mut ends: Vec<_> = ends.into_iter().collect();
        ends.sort_by_key(|(at, _)| *at);
        for ((set, call), left) in ends {
            let (Some(key), Some(at)) = (left.key, left.stuck) else {
                continue;
            };
            let says = left.cleared || (left.overlapped && left.set);
            let before = sets
                .iter()
                .find(|s| s.span == set)
                .is_some_and(|s| self.comes_before(s, call));
            if !says || !before || speaks_of_state(&key.1) {
                continue;
            }
            let step = |span: Span, what: StepKind| PathStep { span, what };
            let event = Event {
                kind: EventKind::StuckFlag(StuckFlag {
                    flag: left.flag.clone(),
                    api: left.api.clone(),
                    call,
                    left: at,
                    refused: at,
                }),
                at: set,
                function: self.function.name.clone(),
                resource: None,
                path: vec![
                    step(set, StepKind::Assigned(left.flag)),
                    step(call, StepKind::Passed(left.api)),
                    step(at, StepKind::Left),
                ],
                others: Vec::new(),
            };
            let by = self.me;
            self.found.flags.push(Stuck { key, by, event });
        }
    }

    /// Every way to the call leads by the statement that sets the flag.
    fn comes_before(&self, set: &Set, call: Span) -> bool {
        for (b, spans) in self.function.map.stmts.iter().enumerate() {
            for (i, span) in spans.iter().enumerate() {
                let stmt = self
                    .function
                    .blocks
                    .get(b)
                    .and_then(|block| block.stmts.get(i));
                if *span != call || !matches!(stmt, Some(Statement::Call { .. })) {
                    continue;
                }
                if b == set.block {
                    return set.at < i;
                }
                return self.cfg.always_passes(self.function, set.block, b);
            }
        }
        false
    }
}

/// The statements that set a field to a constant other than 0.
fn flags_set(function: &Function) -> Vec<Set> {
    let mut sets = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Assign {
                dst,
                value: Rvalue::Use(Operand::Const(value)),
            } = stmt
            else {
                continue;
            };
            let one = match value {
                Const::Int(n) => *n != 0,
                Const::Named(_) => true,
                _ => false,
            };
            let field = matches!(function.places[*dst].proj.last(), Some(Proj::Field(_)));
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            if one
                && field
                && let Some(&span) = span
            {
                sets.push(Set {
                    place: *dst,
                    block: b,
                    at: i,
                    span,
                });
            }
        }
    }
    sets
}

/// The name speaks of what an object is, not of what it is about.
fn speaks_of_state(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "close",
        "closed",
        "closing",
        "shutdown",
        "stop",
        "stopped",
        "stopping",
        "dead",
        "broken",
        "failed",
        "error",
        "init",
        "initialized",
        "initialised",
        "open",
        "opened",
        "created",
        "valid",
        "enabled",
        "connected",
        "size",
        "length",
        "len",
        "cb",
        "type",
        "version",
        "mode",
        "flags",
        "offset",
        "count",
        "result",
        "status",
        "code",
        "last",
    ];
    has_word(name, WORDS)
}

/// The field that a place is.
fn key_of(program: &Program<'_>, unit: usize, function: &Function, place: PlaceId) -> Option<Key> {
    let place = &function.places[place];
    let (Proj::Field(name), before) = place.proj.split_last()? else {
        return None;
    };
    let class = program.class_behind(unit, function, &place.base, before)?;
    Some((program.class_ref(unit, &class)?, name.clone()))
}

/// Flags that stay set, where some other code is turned away by them, another clears them, and no caller
/// of the function that failed does.
pub(crate) fn joined(program: &Program<'_>, all: &mut [Findings]) -> Vec<Event> {
    let stuck: Vec<Stuck> = all.iter_mut().flat_map(|f| f.flags.drain(..)).collect();
    if stuck.is_empty() {
        return Vec::new();
    }
    let names: FxHashSet<&Name> = stuck.iter().map(|s| &s.key.1).collect();
    let mut refused: FxHashMap<Key, Span> = FxHashMap::default();
    let mut cleared: FxHashMap<Key, Vec<FnRef>> = FxHashMap::default();
    let mut written: FxHashMap<FnRef, FxHashSet<Name>> = FxHashMap::default();
    let mut callers: FxHashMap<FnRef, FxHashSet<FnRef>> = FxHashMap::default();
    for f in program.all() {
        let function = program.function(f);
        let builds = matches!(
            function.kind,
            FunctionKind::Constructor | FunctionKind::FieldInit | FunctionKind::Destructor
        );
        for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
            if let Statement::Call { callee, args, .. } = stmt
                && let Target::Defined(g) = program.target(f.0, function, callee, args.len())
            {
                callers.entry(g).or_default().insert(f);
            }
            let place = match stmt {
                Statement::Assign { dst, value } => match value {
                    Rvalue::Use(Operand::Const(Const::Int(n))) if *n != 0 => continue,
                    Rvalue::Use(Operand::Const(Const::Named(name)))
                        if program.constant(f.0, name) != Some(0) =>
                    {
                        continue;
                    }
                    _ => *dst,
                },
                Statement::Call {
                    callee: Callee::Method { receiver, name, .. },
                    ..
                } if matches!(&**name, "store" | "clear" | "exchange" | "swap") => *receiver,
                Statement::Call { dst: Some(dst), .. } => *dst,
                _ => continue,
            };
            let Some(Proj::Field(name)) = function.places[place].proj.last() else {
                continue;
            };
            if !names.contains(name) || builds {
                continue;
            }
            written.entry(f).or_default().insert(name.clone());
            if let Some(key) = key_of(program, f.0, function, place) {
                cleared.entry(key).or_default().push(f);
            }
        }
        for (key, at) in turned_away(program, f, &names) {
            let known = refused.entry(key).or_insert(at);
            *known = at.min(*known);
        }
    }
    let mut events = Vec::new();
    for Stuck { key, by, mut event } in stuck {
        let Some(&refused) = refused.get(&key) else {
            continue;
        };
        let elsewhere = cleared.get(&key).is_some_and(|by| !by.is_empty());
        let mends = callers.get(&by).is_some_and(|callers| {
            callers
                .iter()
                .any(|g| *g != by && written.get(g).is_some_and(|names| names.contains(&key.1)))
        });
        if !elsewhere || mends {
            continue;
        }
        if let EventKind::StuckFlag(fault) = &mut event.kind {
            fault.refused = refused;
        }
        let turned = PathStep {
            span: refused,
            what: StepKind::Branch(true),
        };
        event.others.push(turned);
        events.push(event);
    }
    events
}

/// Statements that a way may pass that only leaves.
const MOST_STEPS: usize = 6;

/// The flags that turn a function away: where one is set, the function does nothing more, or waits.
fn turned_away(program: &Program<'_>, f: FnRef, names: &FxHashSet<&Name>) -> Vec<(Key, Span)> {
    let function = program.function(f);
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &block.term
        else {
            continue;
        };
        let (Operand::Copy(place), Operand::Const(with)) = (&cond.lhs, &cond.rhs) else {
            continue;
        };
        let zero = match with {
            Const::Int(n) => *n == 0,
            Const::Named(name) => program.constant(f.0, name) == Some(0),
            _ => continue,
        };
        let set = match (cond.op, zero) {
            (CmpOp::Ne, true) | (CmpOp::Eq, false) => then,
            (CmpOp::Eq, true) | (CmpOp::Ne, false) => otherwise,
            _ => continue,
        };
        let Some(key) = asked(program, f, *place, 2).filter(|key| names.contains(&key.1)) else {
            continue;
        };
        if leaves_or_waits(function, set.0 as usize, b) {
            let at = function.map.terms.get(b).copied();
            found.push((key, at.unwrap_or(function.map.name)));
        }
    }
    found
}

/// The field that a value was read from: by name, through a variable, or by a function that yields it.
fn asked(program: &Program<'_>, f: FnRef, place: PlaceId, depth: u32) -> Option<Key> {
    let function = program.function(f);
    if let Some(key) = key_of(program, f.0, function, place) {
        return Some(key);
    }
    let Base::Local(local) = function.places[place].base else {
        return None;
    };
    let whole = function.places[place].proj.is_empty();
    if depth == 0 || !whole || local.0 < function.params {
        return None;
    }
    let mut made = function
        .blocks
        .iter()
        .flat_map(|b| &b.stmts)
        .filter(|stmt| {
            matches!(stmt, Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }
            if function.places[*dst].base == Base::Local(local))
        });
    let (only, None) = (made.next()?, made.next()) else {
        return None;
    };
    match only {
        Statement::Assign {
            value: Rvalue::Use(Operand::Copy(from)) | Rvalue::Cast(_, Operand::Copy(from)),
            ..
        } => asked(program, f, *from, depth - 1),
        Statement::Call {
            callee: Callee::Method { receiver, name, .. },
            ..
        } if matches!(&**name, "load" | "exchange" | "swap" | "test_and_set") => {
            key_of(program, f.0, function, *receiver)
        }
        Statement::Call { callee, args, .. } => {
            let Target::Defined(g) = program.target(f.0, function, callee, args.len()) else {
                return None;
            };
            let yields = program.function(g);
            let [block] = yields.blocks.as_slice() else {
                return None;
            };
            match &block.term {
                Terminator::Return(Some(Operand::Copy(place) | Operand::Move(place))) => {
                    asked(program, g, *place, depth - 1)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The way from a block leads to the end without a choice, or back to where the question was asked.
fn leaves_or_waits(function: &Function, first: usize, asked: usize) -> bool {
    let mut at = first;
    let mut calls = 0;
    for _ in 0..MOST_STEPS {
        let Some(block) = function.blocks.get(at) else {
            return false;
        };
        let called = |stmt: &&Statement| matches!(stmt, Statement::Call { .. });
        calls += block.stmts.iter().filter(called).count();
        if calls > 2 {
            return false;
        }
        match &block.term {
            Terminator::Return(_) | Terminator::Unwind => return true,
            Terminator::Goto(next) if next.0 as usize == asked => return calls > 0,
            Terminator::Goto(next) => at = next.0 as usize,
            _ => return false,
        }
    }
    false
}
