//! Linking, symbolic execution, the machines on values, and the events they show.

mod assume;
mod call;
mod cfg;
mod class;
mod collect;
mod compute;
mod event;
mod exec;
mod io;
mod leave;
mod memory;
mod program;
mod prune;
mod resource;
mod state;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pipelint_ir::{Base, Callee, Function, Gap, GapReason, Proj, Statement, Terminator, Unit};
use pipelint_models::{FunctionModel, Models};
use pipelint_source::Span;
use rayon::prelude::*;

use collect::Findings;
use program::{FnRef, Program, Target};

pub use event::{Dependence, Event, EventKind, LeakHow, PathStep, Resource, StepKind};

/// What one function's execution showed.
struct FunctionResult {
    index: usize,
    findings: Findings,
    events: Vec<Event>,
    bounded: bool,
    ran: bool,
    failed: Option<String>,
}

/// What the analysis of a whole run shows.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Faults, ordered by file and place.
    pub events: Vec<Event>,
    /// Functions in which a bound was met.
    pub gaps: Vec<Gap>,
    /// Functions on which the executor failed, by the place of their name, and what it said.
    pub failed: Vec<(Span, String)>,
    /// Functions with bodies.
    pub functions: usize,
    /// Functions that the executor ran: those that call what the models speak of.
    pub executed: usize,
}

/// Links the units and runs every function that matters.
///
/// The result does not depend on the number of threads: functions are independent, and their
/// findings are joined in the order of the units.
pub fn analyze(units: Vec<Unit>, models: &Models) -> Analysis {
    let program = Program::link(units, models);
    let all: Vec<FnRef> = program.all().collect();
    let results: Vec<FunctionResult> = all
        .par_iter()
        .enumerate()
        .filter_map(|(i, &f)| {
            let function = program.function(f);
            if !matters(&program, f.0, function) {
                let mut findings = Findings::default();
                note_plain_tests(&program, f.0, function, &mut findings);
                let result = FunctionResult {
                    index: i,
                    findings,
                    events: Vec::new(),
                    bounded: false,
                    ran: false,
                    failed: None,
                };
                return (!result.findings.tested.is_empty()).then_some(result);
            }
            // A fault of the executor in one function must not end the run for all others.
            let executed = catch_unwind(AssertUnwindSafe(|| {
                let mut exec = exec::Exec::new(&program, f);
                exec.run();
                let events = exec.found.finish();
                (exec.found, events, exec.bounded)
            }));
            Some(match executed {
                Ok((findings, events, bounded)) => FunctionResult {
                    index: i,
                    findings,
                    events,
                    bounded,
                    ran: true,
                    failed: None,
                },
                Err(panic) => FunctionResult {
                    index: i,
                    findings: Findings::default(),
                    events: Vec::new(),
                    bounded: false,
                    ran: false,
                    failed: Some(said(&*panic)),
                },
            })
        })
        .collect();
    let mut analysis = Analysis {
        functions: all.len(),
        ..Analysis::default()
    };
    let mut findings = Vec::with_capacity(results.len());
    for result in results {
        analysis.executed += usize::from(result.ran);
        analysis.events.extend(result.events);
        let span = program.function(all[result.index]).map.name;
        if let Some(said) = result.failed {
            analysis.failed.push((span, said));
        }
        if result.bounded {
            analysis.gaps.push(Gap {
                span,
                reason: GapReason::Bound("states".into()),
            });
        }
        findings.push(result.findings);
    }
    for event in class::link_fields(&program, &mut findings) {
        let same = analysis.events.iter_mut().find(|e| {
            let created = |e: &Event| e.resource.as_ref().map_or(e.at, |r| r.created);
            std::mem::discriminant(&e.kind) == std::mem::discriminant(&event.kind)
                && created(e) == created(&event)
        });
        match same {
            // Told within the method already: the other methods' uses are further places.
            Some(known) => {
                let last = event.path.last().cloned();
                known.others.extend(last.into_iter().chain(event.others));
                known.others.sort_by_key(|s| s.span);
                known.others.dedup_by_key(|s| s.span);
            }
            None => analysis.events.push(event),
        }
    }
    analysis
        .events
        .sort_by(|a, b| (a.at, &a.function).cmp(&(b.at, &b.function)));
    analysis
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// True when some call or field of the function is one the models speak of.
fn matters(program: &Program<'_>, unit: usize, function: &Function) -> bool {
    calls_models(program, unit, function) || narrows_handles(program, function)
}

/// Casts to an unsigned 32-bit type and to a handle: a value may go through the one to the other.
fn narrows_handles(program: &Program<'_>, function: &Function) -> bool {
    let (mut narrow, mut wide) = (false, false);
    for stmt in function.blocks.iter().flat_map(|b| &b.stmts) {
        if let Statement::Assign {
            value: pipelint_ir::Rvalue::Cast(ty, _),
            ..
        } = stmt
        {
            narrow |= compute::is_unsigned_32(&ty.name);
            wide |= program.models.is_handle_type(&ty.name);
        }
    }
    narrow && wide
}

fn calls_models(program: &Program<'_>, unit: usize, function: &Function) -> bool {
    function
        .blocks
        .iter()
        .flat_map(|b| &b.stmts)
        .any(|stmt| match stmt {
            Statement::Call {
                callee: callee @ Callee::Function(_),
                args,
                ..
            } => {
                matches!(
                    program.target(unit, function, callee, args.len()),
                    Target::Model(model) if is_interesting(model)
                )
            }
            _ => false,
        })
}

fn is_interesting(model: &FunctionModel) -> bool {
    !(model.acquires.is_empty()
        && model.releases.is_empty()
        && model.needs.is_empty()
        && model.io.is_none()
        && model.pseudo.is_none())
}

/// Fields that the conditions of a function not executed look at.
fn note_plain_tests(
    program: &Program<'_>,
    unit: usize,
    function: &Function,
    findings: &mut Findings,
) {
    if function.kind == pipelint_ir::FunctionKind::Destructor {
        return;
    }
    let mut note = |place| {
        let place = &function.places[place];
        if let Some(Proj::Field(field)) = place.proj.last() {
            let own = place.base == Base::SelfObj && place.proj.len() == 1;
            let class = function.class.as_ref().filter(|_| own);
            let class = class.and_then(|c| program.class_ref(unit, c));
            findings.tested.insert((class, field.clone()));
        }
    };
    for block in &function.blocks {
        for stmt in &block.stmts {
            if let Statement::Assign {
                value: pipelint_ir::Rvalue::Compare(_),
                ..
            } = stmt
            {
                cfg::visit_reads(stmt, &mut note);
            }
        }
        if let Terminator::Branch { .. } | Terminator::Switch { .. } = &block.term {
            cfg::visit_term_reads(&block.term, &mut note);
        }
    }
}
