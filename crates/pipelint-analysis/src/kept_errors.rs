//! Errors of transfers that are kept in a field which no code ever asks for them, while success is reported.

use pipelint_ir::{
    Base, Callee, CmpOp, Cond, Const, Function, Language, Mark, Name, Operand, Place, PlaceId,
    Proj, Rvalue, Statement, Terminator,
};
use pipelint_models::{ErrorEffect, Success};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::contexts::place_of;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::kept_asked::{COPIES, asks_for};
use crate::program::{FnRef, Program, Target, last, successors};
use crate::region::{Graph, Region};
use crate::results::ResultFault;
use crate::rust::{BAD, GOOD, TAG};
use crate::sends::{Body, Kind, Send};
use crate::words::speaks_of_looking;

/// A field, by the class that declares it.
pub(crate) type Key = (Name, Name);

/// An error that a function puts into a field, and does nothing else about.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) by: FnRef,
    pub(crate) field: Key,
    /// The part of the value that is the error, and the tag that stands before it; none where all of it is.
    pub(crate) part: Option<(Name, Const)>,
    at: (usize, usize),
    span: Span,
    /// The call that failed.
    send: (Name, Span),
}

/// Functions that report success after a transfer whose error, if there is one, nobody will ever hear of.
pub(crate) fn unheard(program: &Program<'_>) -> Vec<Event> {
    let all: Vec<FnRef> = program.all().collect();
    let kept: Vec<Vec<Kept>> = all.par_iter().map(|&f| kept_by(program, f)).collect();
    let mut kept: Vec<Kept> = kept.into_iter().flatten().collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let names: FxHashSet<&Name> = kept.iter().map(|k| &k.field.1).collect();
    let readers: Vec<Vec<usize>> = all
        .par_iter()
        .map(|&f| {
            let asks = |k: &Kept| asks_for(program, f, k);
            let mentioned = mentions(program.function(f), &names);
            let asked = kept
                .iter()
                .enumerate()
                .filter(|(_, k)| mentioned && asks(k));
            asked.map(|(n, _)| n).collect()
        })
        .collect();
    let asked: FxHashSet<usize> = readers.into_iter().flatten().collect();
    let mut n = 0;
    kept.retain(|_| {
        n += 1;
        !asked.contains(&(n - 1))
    });
    kept.retain(|k| does_nothing_else(program, &all, k));
    if kept.is_empty() {
        return Vec::new();
    }
    let mut events = Vec::new();
    for &f in &all {
        events.extend(told_good(program, f, &kept));
    }
    events
}

fn mentions(function: &Function, names: &FxHashSet<&Name>) -> bool {
    let mut places = function.places.iter();
    places.any(|(_, place)| {
        let mut steps = place.proj.iter();
        steps.any(|step| matches!(step, Proj::Field(name) if names.contains(name)))
    })
}

/// The class that declares the field that a place ends in, where code out of sight cannot name it, and
/// nothing that is derived shows it.
fn hidden_field(program: &Program<'_>, f: FnRef, place: &Place) -> Option<Key> {
    let (Proj::Field(field), proj) = place.proj.split_last()? else {
        return None;
    };
    let function = program.function(f);
    let object = Place {
        base: place.base.clone(),
        proj: proj.to_vec(),
    };
    let ty = program.place_type(f.0, function, &object, &|_| None)?;
    let class = program.class_named(f.0, &function.name, &program.resolve(&ty).name)?;
    let declared = class.fields.iter().find(|d| d.name == *field)?;
    let mut methods = class.methods.iter();
    let shown = methods.any(|m| m.defaulted && matches!(last(&m.name), "fmt" | "serialize"));
    (declared.is_private && !declared.is_static && !shown)
        .then(|| (class.name.clone(), field.clone()))
}

/// The errors of transfers that a function keeps.
fn kept_by(program: &Program<'_>, f: FnRef) -> Vec<Kept> {
    let function = program.function(f);
    let nothing = matches!(&*function.ret.name, "" | "()" | "void");
    if !nothing && !tells(program, f) {
        return Vec::new();
    }
    // Few functions write to a hidden field at all.
    let writes = |stmt: &Statement| match stmt {
        Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. } => {
            let place = &function.places[*dst];
            matches!(place.proj.last(), Some(Proj::Field(_)))
        }
        _ => false,
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    if !stmts.any(writes) || !may_transfer(program, f) {
        return Vec::new();
    }
    let body = Body::new(program, f.0, function);
    let mut found = Vec::new();
    for send in body.sends() {
        if !body.sends_data(&send) || !is_transfer(program, &send) {
            continue;
        }
        for (_, region) in failures(&body, &send) {
            found.extend(stores(program, f, &body, &send, &region));
        }
    }
    found
}

/// The function calls what sends, or a function of the program whose result may tell of it.
fn may_transfer(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        match (program.target(f.0, function, callee, args.len()), callee) {
            (Target::Model(model), _) => model.io.is_some(),
            (Target::Defined(g), _) => program.function(g).ret.name == "Result",
            (Target::Unknown, Callee::Method { ty: Some(ty), .. }) => {
                program.models.writer(&ty.name).is_some()
            }
            _ => false,
        }
    })
}

/// A call whose failure is one of a transfer.
fn is_transfer(program: &Program<'_>, send: &Send<'_>) -> bool {
    match send.kind {
        Kind::Model(_) | Kind::Method => true,
        Kind::Own(f) => {
            let function = program.function(f);
            let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
            function.ret.name == "Result"
                && stmts.any(|stmt| match stmt {
                    Statement::Call { callee, args, .. } => matches!(
                        program.target(f.0, function, callee, args.len()),
                        Target::Model(model) if model.io.as_ref().is_some_and(|io| {
                            io.does == pipelint_models::IoKind::Write && io.buffer.is_some()
                        })
                    ),
                    _ => false,
                })
        }
    }
}

/// The branches on which a call has failed, and what is reached through them alone.
fn failures(body: &Body<'_, '_>, send: &Send<'_>) -> Vec<(usize, Region)> {
    let mut edges = match send.kind {
        Kind::Model(_) => Vec::new(),
        _ => body.failed_by_tag(send),
    };
    if let (Kind::Model(model), Some(dst)) = (send.kind, send.dst)
        && model.success == Some(Success::Nonzero)
    {
        let held = body.holders(dst);
        for (b, block) in body.function.blocks.iter().enumerate() {
            if let Terminator::Branch {
                cond:
                    Cond {
                        lhs: Operand::Copy(place),
                        op,
                        rhs: Operand::Const(Const::Int(0) | Const::Null),
                    },
                then,
                otherwise,
            } = &block.term
                && body.is_in(*place, &held)
            {
                let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
                match op {
                    CmpOp::Eq => edges.push((b, then, otherwise)),
                    CmpOp::Ne => edges.push((b, otherwise, then)),
                    _ => {}
                }
            }
        }
    }
    let only = |(at, to, other)| (at, body.graph.only_through(at, to, other));
    edges.into_iter().map(only).collect()
}

/// The fields that the error of a call is put into, where it has failed.
fn stores(
    program: &Program<'_>,
    f: FnRef,
    body: &Body<'_, '_>,
    send: &Send<'_>,
    region: &Region,
) -> Vec<Kept> {
    let function = body.function;
    let errors = errors_in(program, body, send, region);
    let mut found = Vec::new();
    for &b in region.blocks() {
        for (i, stmt) in function.blocks[b].stmts.iter().enumerate() {
            let (dst, part) = match stmt {
                Statement::Assign {
                    dst,
                    value: Rvalue::Use(from) | Rvalue::Cast(_, from),
                } => match error_part(function, from, &errors) {
                    Some(part) => (*dst, part),
                    None => continue,
                },
                Statement::Call {
                    dst: Some(dst),
                    callee,
                    args,
                    ..
                } if is_last_error(program, f, callee, args) => (*dst, None),
                _ => continue,
            };
            let place = &function.places[dst];
            let local = matches!(place.base, Base::Local(l) if l.0 >= function.params)
                && !place.proj.contains(&Proj::Deref);
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            if let (false, Some(field), Some(span)) = (local, hidden_field(program, f, place), span)
            {
                found.push(Kept {
                    by: f,
                    field,
                    part,
                    at: (b, i),
                    span: *span,
                    send: (send.api.clone(), send.span),
                });
            }
        }
    }
    found
}

fn is_last_error(program: &Program<'_>, f: FnRef, callee: &Callee, args: &[Operand]) -> bool {
    let Callee::Function(name) = callee else {
        return false;
    };
    let target = program.target(f.0, program.function(f), callee, args.len());
    matches!(target, Target::Model(model) if model.error == ErrorEffect::Reads)
        || name == "std::io::Error::last_os_error"
}

/// The variables that hold the error of a call that has failed, or a value made of it.
fn errors_in(
    program: &Program<'_>,
    body: &Body<'_, '_>,
    send: &Send<'_>,
    region: &Region,
) -> FxHashMap<u32, Option<(Name, Const)>> {
    let function = body.function;
    let held = send.dst.map(|dst| body.holders(dst)).unwrap_or_default();
    let is_error = |place: PlaceId| {
        let place = &function.places[place];
        matches!(&place.proj[..], [Proj::Field(name)] if name == BAD)
            && matches!(place.base, Base::Local(l) if held.contains(&l.0))
    };
    let mut found: FxHashMap<u32, Option<(Name, Const)>> = FxHashMap::default();
    for _ in 0..COPIES {
        for &b in region.blocks() {
            for stmt in &function.blocks[b].stmts {
                match stmt {
                    Statement::Assign { dst, value } => {
                        let Some(dst) = variable(function, *dst) else {
                            continue;
                        };
                        match value {
                            Rvalue::Use(of) | Rvalue::Cast(_, of) => {
                                let of_error = place_of(of).is_some_and(is_error);
                                if of_error {
                                    found.insert(dst, None);
                                } else if let Some(part) = error_part(function, of, &found) {
                                    found.insert(dst, part);
                                }
                            }
                            Rvalue::Aggregate(parts) => {
                                let whole = parts.iter().find_map(|(name, part)| {
                                    let error = place_of(part).is_some_and(is_error)
                                        || error_part(function, part, &found).is_some();
                                    error.then(|| name.clone()).flatten()
                                });
                                let tag = parts.iter().find_map(|(name, part)| match part {
                                    Operand::Const(tag) if name.as_deref() == Some(TAG) => {
                                        Some(tag.clone())
                                    }
                                    _ => None,
                                });
                                match (whole, tag) {
                                    (Some(part), Some(tag)) => {
                                        found.insert(dst, Some((part, tag)));
                                    }
                                    // The payload of a variant, to which its tag is added.
                                    (Some(_), None) => {
                                        found.insert(dst, None);
                                    }
                                    _ => {}
                                }
                            }
                            _ => {}
                        }
                    }
                    Statement::Call {
                        dst: Some(dst),
                        callee,
                        args,
                        ..
                    } if is_last_error(program, (body.unit, 0), callee, args) => {
                        if let Some(dst) = variable(function, *dst) {
                            found.insert(dst, None);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

/// A variable, and not a part of one.
pub(crate) fn variable(function: &Function, place: PlaceId) -> Option<u32> {
    let place = &function.places[place];
    match place.base {
        Base::Local(l) if place.proj.is_empty() => Some(l.0),
        _ => None,
    }
}

/// Which part of a value is the error, if it holds one.
fn error_part(
    function: &Function,
    operand: &Operand,
    errors: &FxHashMap<u32, Option<(Name, Const)>>,
) -> Option<Option<(Name, Const)>> {
    let variable = variable(function, place_of(operand)?)?;
    errors.get(&variable).cloned()
}

/// Beside keeping the error, the function does nothing of which anybody could hear that something failed.
fn does_nothing_else(program: &Program<'_>, all: &[FnRef], kept: &Kept) -> bool {
    let function = program.function(kept.by);
    let body = Body::new(program, kept.by.0, function);
    let sends = body.sends();
    let of_it = sends.iter().filter(|s| s.span == kept.send.1);
    let regions = of_it.flat_map(|send| {
        let errors = |region: &Region| errors_in(program, &body, send, region);
        let regions = failures(&body, send).into_iter();
        regions
            .map(|(_, region)| (errors(&region), region))
            .collect::<Vec<_>>()
    });
    let mut regions = regions.filter(|(_, region)| region.has(kept.at.0));
    regions.all(|(errors, region)| {
        let mut stmts = region.blocks().iter().flat_map(|&b| {
            let block = &function.blocks[b];
            block
                .stmts
                .iter()
                .enumerate()
                .map(move |(i, s)| ((b, i), s))
        });
        let ends = |b: &usize| function.blocks[*b].term == Terminator::Unwind;
        !region.blocks().iter().any(ends)
            && stmts.all(|(at, stmt)| at == kept.at || is_quiet(program, all, kept, stmt, &errors))
    })
}

fn is_quiet(
    program: &Program<'_>,
    all: &[FnRef],
    kept: &Kept,
    stmt: &Statement,
    errors: &FxHashMap<u32, Option<(Name, Const)>>,
) -> bool {
    let function = program.function(kept.by);
    let own = |place: PlaceId| {
        let place = &function.places[place];
        matches!(place.base, Base::Local(l) if l.0 >= function.params)
            && !place.proj.contains(&Proj::Deref)
    };
    match stmt {
        Statement::Mark(mark) => *mark != Mark::Logged,
        Statement::Drop { .. } => true,
        Statement::Assign { dst, .. } => own(*dst),
        Statement::Call {
            dst, callee, args, ..
        } => {
            if dst.is_some_and(|dst| !own(dst)) {
                return false;
            }
            let target = program.target(kept.by.0, function, callee, args.len());
            let given = args.iter().any(|arg| {
                let variable = place_of(arg).and_then(|p| variable(function, p));
                variable.is_some_and(|l| errors.contains_key(&l))
            });
            match (target, callee) {
                (Target::Defined(f), _) => !given && also_after_success(program, all, f),
                _ if is_last_error(program, kept.by, callee, args) => true,
                (Target::Unknown, Callee::Method { name, .. }) => {
                    speaks_of_looking(name) || name == "raw_os_error"
                }
                _ => false,
            }
        }
        Statement::Assert(_) | Statement::Opaque { .. } => false,
    }
}

/// Some code calls a function where nothing has failed: its call says nothing of a failure.
fn also_after_success(program: &Program<'_>, all: &[FnRef], called: FnRef) -> bool {
    let name = last(&program.function(called).name);
    let params = program.function(called).params as usize;
    all.iter().any(|&f| {
        let function = program.function(f);
        let mut calls = Vec::new();
        for (b, block) in function.blocks.iter().enumerate() {
            for stmt in &block.stmts {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                let is_it = match (program.target(f.0, function, callee, args.len()), callee) {
                    (Target::Defined(g), _) => g == called,
                    // On something of no known type: the name has to do.
                    (
                        Target::Unknown,
                        Callee::Method {
                            name: n, ty: None, ..
                        },
                    ) => *n == name && args.len() == params,
                    _ => false,
                };
                if is_it {
                    calls.push(b);
                }
            }
        }
        if calls.is_empty() {
            return false;
        }
        let graph = Graph::new(function);
        let failed = error_blocks(function, &graph);
        calls.iter().any(|b| !failed.contains(b))
    })
}

/// Blocks that are reached only where a `Result` was an `Err`, an `Option` was `None` or a value was 0.
fn error_blocks(function: &Function, graph: &Graph) -> FxHashSet<usize> {
    let mut found = FxHashSet::default();
    for (b, block) in function.blocks.iter().enumerate() {
        let Terminator::Branch {
            cond,
            then,
            otherwise,
        } = &block.term
        else {
            continue;
        };
        let tag = place_of(&cond.lhs).is_some_and(|place| {
            matches!(function.places[place].proj.last(), Some(Proj::Field(name)) if name == TAG)
        });
        let bad = matches!(
            (&cond.rhs, tag),
            (Operand::Const(Const::Int(1)), true)
                | (Operand::Const(Const::Int(0) | Const::Null), false)
        );
        let (then, otherwise) = (then.0 as usize, otherwise.0 as usize);
        let edge = match cond.op {
            CmpOp::Eq if bad => (then, otherwise),
            CmpOp::Ne if bad => (otherwise, then),
            _ => continue,
        };
        let region = graph.only_through(b, edge.0, edge.1);
        found.extend(region.blocks().iter().copied());
    }
    found
}

/// It can report a failure: it returns a `Result`, or `true` and elsewhere `false`.
fn tells(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    match program.units[f.0].language {
        Language::Rust => function.ret.name == "Result",
        _ => {
            let truth = matches!(&*function.ret.name, "bool" | "BOOL" | "BOOLEAN");
            let mut ends = function.blocks.iter();
            truth
                && ends.any(|block| {
                    matches!(
                        block.term,
                        Terminator::Return(Some(Operand::Const(Const::Int(0))))
                    )
                })
        }
    }
}

/// Success that a function reports after it has called what keeps an error, or has kept it itself.
fn told_good(program: &Program<'_>, f: FnRef, kept: &[Kept]) -> Vec<Event> {
    let function = program.function(f);
    if !tells(program, f) {
        return Vec::new();
    }
    let mut events = Vec::new();
    for k in kept {
        if k.by == f {
            if let Some(returned) = says_good(program, f, k.at) {
                events.push(event(function, k, (k.send.0.clone(), k.send.1), returned));
            }
            continue;
        }
        let nothing = matches!(&*program.function(k.by).ret.name, "" | "()" | "void");
        for (b, block) in function.blocks.iter().enumerate().filter(|_| nothing) {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                let target = program.target(f.0, function, callee, args.len());
                let span = function.map.stmts.get(b).and_then(|s| s.get(i));
                if let (Target::Defined(g), Some(span)) = (target, span)
                    && g == k.by
                    && let Some(returned) = says_good(program, f, (b, i))
                {
                    let name = Name::new(last(&program.function(g).name));
                    events.push(event(function, k, (name, *span), returned));
                }
            }
        }
    }
    events
}

fn event(function: &Function, kept: &Kept, call: (Name, Span), returned: Span) -> Event {
    let step = |span, what| PathStep { span, what };
    let field = kept.field.1.clone();
    let mut path = vec![step(call.1, StepKind::Called(call.0.clone()))];
    if kept.send.1 != call.1 {
        path.push(step(kept.send.1, StepKind::Passed(kept.send.0.clone())));
    }
    path.push(step(kept.span, StepKind::Assigned(field.clone())));
    path.push(step(returned, StepKind::Left));
    Event {
        kind: EventKind::Result(ResultFault::SuccessAfterFailure {
            call: call.0,
            failed: call.1,
            returned,
            seen: false,
            unset: false,
            unread: Some((field, kept.span)),
        }),
        at: call.1,
        function: function.name.clone(),
        resource: None,
        path,
        others: Vec::new(),
    }
}

/// Where success is returned after a place of a function, on some way that leads on from it.
fn says_good(program: &Program<'_>, f: FnRef, from: (usize, usize)) -> Option<Span> {
    let function = program.function(f);
    let rust = program.units[f.0].language == Language::Rust;
    let mut seen: FxHashSet<(usize, Option<u32>)> = FxHashSet::default();
    let mut todo = vec![(from.0, from.1 + 1, None::<(u32, Span)>)];
    while let Some((b, first, mut good)) = todo.pop() {
        if !seen.insert((b, good.map(|(l, _)| l))) {
            continue;
        }
        let Some(block) = function.blocks.get(b) else {
            continue;
        };
        for (i, stmt) in block.stmts.iter().enumerate().skip(first) {
            let (Statement::Assign { dst, .. } | Statement::Call { dst: Some(dst), .. }) = stmt
            else {
                continue;
            };
            let Some(dst) = variable(function, *dst) else {
                continue;
            };
            let span = function.map.stmts.get(b).and_then(|s| s.get(i)).copied();
            if let (true, Some(span)) = (is_good(stmt, rust), span) {
                good = Some((dst, span));
            } else if good.is_some_and(|(l, _)| l == dst) {
                good = None;
            }
        }
        match &block.term {
            Terminator::Return(Some(Operand::Copy(p) | Operand::Move(p))) => {
                if let Some((l, span)) = good
                    && variable(function, *p) == Some(l)
                {
                    return Some(span);
                }
            }
            Terminator::Return(Some(Operand::Const(Const::Int(1)))) if !rust => {
                let span = function.map.terms.get(b);
                return Some(span.copied().unwrap_or(function.map.name));
            }
            term => successors(term, |s| todo.push((s, 0, good))),
        }
    }
    None
}

/// `Ok(…)`, or `true`.
fn is_good(stmt: &Statement, rust: bool) -> bool {
    let Statement::Assign { value, .. } = stmt else {
        return false;
    };
    match value {
        Rvalue::Aggregate(parts) if rust => {
            let tag = parts.iter().any(|(name, part)| {
                name.as_deref() == Some(TAG) && matches!(part, Operand::Const(Const::Int(0)))
            });
            let payload = parts.iter().any(|(name, _)| name.as_deref() == Some(GOOD));
            tag && payload
        }
        Rvalue::Use(Operand::Const(Const::Int(1))) => !rust,
        _ => false,
    }
}
