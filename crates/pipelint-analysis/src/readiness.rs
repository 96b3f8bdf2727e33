//! Rust: a task that says that it waits, though nobody looked whether it was registered to be woken.

use pipelint_ir::{
    Base, Callee, Function, Language, Name, Operand, PlaceId, Rvalue, Statement, Terminator,
};
use pipelint_models::IoKind;
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::cfg::{visit_reads, visit_term_reads};
use crate::contexts::address_of;
use crate::event::{Dependence, Event, EventKind, PathStep, StepKind};
use crate::program::{Program, last, successors};
use crate::rust::TAG;
use crate::started::reaches;

/// A call that registers the task of a context, and its place.
struct Registration<'f> {
    at: (usize, usize),
    span: Span,
    api: &'f Name,
    dst: Option<PlaceId>,
    voided: bool,
    /// The variable of the context.
    context: u32,
}

/// Registrations whose results nobody looks at before the function returns `Poll::Pending`.
pub(crate) fn unregistered(program: &Program<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    for f in program.all() {
        let function = program.function(f);
        if program.units[f.0].language != Language::Rust || last(&function.ret.name) != "Poll" {
            continue;
        }
        let registrations = registrations(program, function);
        for one in &registrations {
            if one.voided || !is_unread(function, one.dst) || woken(function, one, &registrations) {
                continue;
            }
            if let Some(returned) = says_pending(function, one) {
                events.push(event(function, one, returned));
            }
        }
    }
    events
}

fn event(function: &Function, one: &Registration<'_>, returned: Span) -> Event {
    let step = |span, what| PathStep { span, what };
    Event {
        kind: EventKind::ResultDropped {
            api: one.api.clone(),
            does: IoKind::Control,
            depends: Dependence::NobodyWakes,
            dependent: returned,
        },
        at: one.span,
        function: function.name.clone(),
        resource: None,
        path: vec![
            step(one.span, StepKind::Passed(one.api.clone())),
            step(returned, StepKind::Left),
        ],
        others: Vec::new(),
    }
}

fn registrations<'f>(program: &Program<'_>, function: &'f Function) -> Vec<Registration<'f>> {
    let mut found = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call {
                dst,
                callee:
                    Callee::Method {
                        name, ty: Some(ty), ..
                    },
                args,
                voided,
            } = stmt
            else {
                continue;
            };
            let Some(model) = program.models.readiness(&ty.name) else {
                continue;
            };
            let context = args.iter().find_map(|arg| context(function, arg));
            let span = function.map.stmts.get(b).and_then(|s| s.get(i));
            if let (true, Some(context), Some(span)) =
                (model.registers.iter().any(|m| m == name), context, span)
            {
                found.push(Registration {
                    at: (b, i),
                    span: *span,
                    api: name,
                    dst: *dst,
                    voided: *voided,
                    context,
                });
            }
        }
    }
    found
}

/// The variable that holds the context that is handed on.
fn context(function: &Function, arg: &Operand) -> Option<u32> {
    let (Operand::Copy(place) | Operand::Move(place)) = arg else {
        return None;
    };
    let mut of = local(function, *place)?;
    if let Some(from) = address_of(function, *place) {
        of = local(function, from)?;
    }
    let ty = &function.locals.get(of as usize)?.ty;
    (last(&ty.name) == "Context").then_some(of)
}

fn local(function: &Function, place: PlaceId) -> Option<u32> {
    match function.places[place].base {
        Base::Local(l) => Some(l.0),
        _ => None,
    }
}

/// Nothing receives a result, or nothing looks at it afterwards.
fn is_unread(function: &Function, dst: Option<PlaceId>) -> bool {
    let Some(dst) = dst else { return true };
    let Some(result) = local(function, dst) else {
        return false;
    };
    let mut read = false;
    let mut note = |p| read |= local(function, p) == Some(result);
    for block in &function.blocks {
        let stmts = block.stmts.iter();
        for stmt in stmts.filter(|s| !matches!(s, Statement::Drop { .. })) {
            visit_reads(stmt, &mut note);
        }
        visit_term_reads(&block.term, &mut note);
    }
    !read
}

/// Somebody else was given the context before, and may wake the task. What registers in the same way has
/// answered that there is nothing to wait for.
fn woken(function: &Function, one: &Registration<'_>, all: &[Registration<'_>]) -> bool {
    let blocks = function.blocks.iter().enumerate();
    let mut stmts = blocks.flat_map(|(b, block)| {
        let stmts = block.stmts.iter().enumerate();
        stmts.map(move |(i, stmt)| ((b, i), stmt))
    });
    stmts.any(|(at, stmt)| {
        let registers = all.iter().any(|r| r.at == at);
        !registers && hands_on(function, stmt, one.context) && reaches(function, at, one.at)
    })
}

/// A statement that gives a context to others, and does not only borrow it.
fn hands_on(function: &Function, stmt: &Statement, context: u32) -> bool {
    let borrows = |stmt: &Statement| {
        matches!(
            stmt,
            Statement::Assign {
                value: Rvalue::Ref(_),
                ..
            } | Statement::Drop { .. }
        )
    };
    let mut reads = false;
    if !borrows(stmt) {
        visit_reads(stmt, |p| {
            let from = address_of(function, p).unwrap_or(p);
            reads |= [p, from]
                .map(|p| local(function, p))
                .contains(&Some(context));
        });
    }
    reads
}

/// Where the function returns `Poll::Pending` after a call, with the context given to nobody in between.
fn says_pending(function: &Function, one: &Registration<'_>) -> Option<Span> {
    let mut seen: FxHashSet<(usize, Option<u32>)> = FxHashSet::default();
    let mut todo = vec![(one.at.0, one.at.1 + 1, None)];
    while let Some((b, first, mut pending)) = todo.pop() {
        if !seen.insert((b, pending)) {
            continue;
        }
        let block = function.blocks.get(b)?;
        let mut handed_on = false;
        for stmt in block.stmts.iter().skip(first) {
            handed_on |= hands_on(function, stmt, one.context);
            match stmt {
                Statement::Assign { dst, value } => {
                    let dst = local(function, *dst);
                    let from = moved(function, value);
                    if is_pending(value) || (from.is_some() && from == pending) {
                        pending = dst;
                    } else if dst == pending {
                        pending = None;
                    }
                }
                Statement::Call { dst: Some(dst), .. } if local(function, *dst) == pending => {
                    pending = None;
                }
                _ => {}
            }
        }
        if handed_on {
            continue;
        }
        if let Terminator::Return(Some(Operand::Copy(p) | Operand::Move(p))) = &block.term
            && pending.is_some()
            && local(function, *p) == pending
        {
            let span = function.map.terms.get(b);
            return Some(span.copied().unwrap_or(function.map.name));
        }
        successors(&block.term, |s| todo.push((s, 0, pending)));
    }
    None
}

/// A variant without a payload. `Poll` has one only.
fn is_pending(value: &Rvalue) -> bool {
    matches!(value, Rvalue::Aggregate(parts)
        if matches!(&parts[..], [(Some(tag), _)] if tag == TAG))
}

fn moved(function: &Function, value: &Rvalue) -> Option<u32> {
    match value {
        Rvalue::Use(Operand::Copy(p) | Operand::Move(p)) => local(function, *p),
        _ => None,
    }
}
