//! Linking, symbolic execution, the machines on values, and the events they show.

mod accesses;
mod acquire;
mod after_callback;
mod aggregate;
mod aliased;
mod alive;
mod answers;
mod apart;
mod apply;
mod assign;
mod assume;
mod awaited;
mod behind;
mod boxed;
mod buffers;
mod call;
mod call_loops;
mod callback_classes;
mod callback_fault;
mod callback_under_lock;
mod callbacks;
mod called;
mod callouts;
mod cfg;
mod check;
mod class;
mod closure;
mod collect;
mod completion;
mod compute;
mod condition_wait;
mod conditions;
mod constants;
mod construct;
mod contexts;
mod copies;
mod count_fault;
mod counted;
mod counts;
mod counts_believed;
mod counts_completed;
mod counts_told;
mod dequeue;
mod dispatch;
mod ended_by_user;
mod ended_elsewhere;
mod ends;
mod error_end;
mod error_fault;
mod error_ways;
mod event;
mod events_set;
mod evidence;
mod exec;
mod explore;
mod fetched;
mod fields;
mod fills;
mod flag_accesses;
mod forget;
mod freed;
mod freed_behind_start;
mod freed_beside;
mod freed_when_offered;
mod frees;
mod given_condition;
mod given_up;
mod globals;
mod guard_awaited;
mod guard_dropped;
mod guard_fault;
mod guard_types;
mod handed_on;
mod handed_over;
mod handlers;
mod held;
mod holders;
mod initialise;
mod integers;
mod io;
mod io_classes;
mod io_fault;
mod kept_asked;
mod kept_errors;
mod kept_functions;
mod last_error;
mod leave;
mod lock_calls;
mod lock_contexts;
mod lock_ends;
mod lock_fault;
mod lock_order;
mod lock_types;
mod locked;
mod lockset;
mod log;
mod lost;
mod lost_updates;
mod many_callers;
mod memo;
mod memory;
mod misread;
mod missed_start;
mod missed_wake;
mod model;
mod modes;
mod move_calls;
mod moves;
mod names;
mod never_closed;
mod object;
mod object_keys;
mod on_the_way;
mod once;
mod operation;
mod other_holders;
mod outcomes;
mod overlapped_handle;
mod own;
mod owners;
mod parked;
mod partial;
mod parts;
mod passed_over;
mod pending;
mod pending_log;
mod pointer_members;
mod pointer_origin;
mod private;
mod program;
mod protocol;
mod prune;
mod published;
mod quiet;
mod readers;
mod readiness;
mod realloc;
mod reference;
mod region;
mod release;
mod replaced;
mod resource;
mod results;
mod returns;
mod rust;
mod sample;
mod scoped_threads;
mod self_wait;
mod sends;
mod sent;
mod sequences;
mod shared_operations;
mod silenced;
mod sites;
mod split;
mod stale_store;
mod started;
mod state;
mod status;
mod stuck_flag;
mod summaries;
mod summary;
mod taken_back;
mod text;
mod thread_calls;
mod thread_starts;
mod thread_terminated;
mod threads;
mod told_types;
mod translate;
mod unguarded;
mod unheard;
mod unlock_window;
mod unpinned;
mod unsure;
mod unsynchronised;
mod untied;
mod values;
mod wait_under_lock;
mod wake_fault;
mod wanted;
mod ways;
mod woken;
mod words;
mod wrapped;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pipelint_ir::{
    Base, Callee, Function, FunctionKind, Gap, GapReason, Name, Proj, Statement, Terminator, Unit,
};
use pipelint_models::{Acquire, ErrorEffect, FunctionModel, Models, Slot};
use pipelint_source::Span;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use collect::Findings;
use program::{FnRef, Program, Target};
use summaries::{Order, Seen, Summaries};
use summary::Summary;

pub use callback_fault::{CallbackFault, Missing};
pub use callback_under_lock::CallbackUnderLock;
pub use called::{AfterCallback, Why};
pub use callouts::CallOutKind;
pub use count_fault::{CountFault, Taken, Told};
pub use error_fault::ErrorFault;
pub use event::{Aliased, Dependence, Event, EventKind, LeakHow, PathStep, Resource, StepKind};
pub use freed_beside::FreedBeside;
pub use guard_fault::{GuardFault, Takes};
pub use io_fault::{IoEnd, IoFault};
pub use lock_fault::LockFault;
pub use lock_order::{LockOrder, OtherOrder};
pub use overlapped_handle::NoOverlapped;
pub use published::PublishedUse;
pub use results::{ResultFault, WaitTaken};
pub use silenced::Silenced;
pub use stale_store::StaleStore;
pub use stuck_flag::StuckFlag;
pub use taken_back::FROM_RAW;
pub use thread_terminated::Holds;
pub use unguarded::UnguardedAccess;
pub use unlock_window::UnlockWindow;
pub use unsynchronised::UnsynchronisedFlag;
pub use wait_under_lock::{LockNeed, WaitUnderLock};
pub use wake_fault::WakeFault;

/// Blocks of a function that is run for its callers' sake alone.
const LARGEST_PLAIN: usize = 400;

/// What one function's execution showed.
struct FunctionResult {
    index: usize,
    findings: Findings,
    events: Vec<Event>,
    bounded: bool,
    ran: bool,
    failed: Option<String>,
    notes: protocol::Notes,
}

impl FunctionResult {
    fn not_run(index: usize, findings: Findings, failed: Option<String>) -> Self {
        Self {
            index,
            findings,
            events: Vec::new(),
            bounded: false,
            ran: false,
            failed,
            notes: protocol::Notes::default(),
        }
    }
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
///
/// `elsewhere` are names of globals and fields that files of the run mention which were not lowered:
/// what those files do to them is not known.
pub fn analyze(units: Vec<Unit>, models: &Models, elsewhere: &FxHashSet<Name>) -> Analysis {
    let program = Program::link(units, models, elsewhere);
    let all: Vec<FnRef> = program.all().collect();
    let order = Order::new(&program, &all);
    let worth: Vec<bool> = all
        .par_iter()
        .map(|&f| matters(&program, f.0, program.function(f)))
        .collect();
    let asked = asked_for(&program, &all, &order, &worth);
    let kept = sequences::wanted(&program, &all);
    let summaries = Summaries::new(all.len());
    let results: Mutex<Vec<FunctionResult>> = Mutex::default();
    let ran: Vec<AtomicBool> = all.iter().map(|_| AtomicBool::new(false)).collect();
    let weight = |(i, &f): (usize, &FnRef)| {
        if worth[i] || asked[i] {
            program.function(f).blocks.len()
        } else {
            0
        }
    };
    let weights: Vec<usize> = all.iter().enumerate().map(weight).collect();
    order.run(&weights, &|i| {
        let mut calls = order.calls[i].iter();
        let seen = Seen {
            all: &summaries,
            order: &order,
            of: i,
            partly: None,
        };
        let faults = worth[i] || calls.any(|&j| seen.get(j).is_some_and(|s| s.resourceful));
        if !faults && !asked[i] {
            return;
        }
        let wanted = Wanted {
            faults,
            summary: order.called[i] || kept[i],
            ends: kept[i],
        };
        let (result, summary) = run_function(&program, seen, all[i], wanted);
        summaries.insert(i, summary);
        ran[i].store(true, Ordering::Relaxed);
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        results.push(result);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let plain: Vec<FunctionResult> = all
        .par_iter()
        .enumerate()
        .filter(|(i, _)| !ran[*i].load(Ordering::Relaxed))
        .filter_map(|(i, &f)| {
            let mut findings = Findings::default();
            let function = program.function(f);
            note_plain_tests(&program, f.0, function, &mut findings);
            overlapped_handle::note_plain_fills(&program, f.0, function, &mut findings);
            let says = !findings.tested.is_empty() || findings.handles.says();
            says.then(|| FunctionResult::not_run(i, findings, None))
        })
        .collect();
    results.extend(plain);
    results.sort_by_key(|r| r.index);
    let mut analysis = Analysis {
        functions: all.len(),
        ..Analysis::default()
    };
    let mut findings = Vec::with_capacity(results.len());
    let mut notes = Vec::with_capacity(results.len());
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
        notes.push((result.index, result.notes));
    }
    analysis.events.extend(Findings::half_done(&mut findings));
    analysis.events.extend(Findings::forgotten(&mut findings));
    analysis.events.extend(io_classes::joined(&mut findings));
    analysis
        .events
        .extend(parked::joined(&program, &mut findings));
    analysis.events.extend(lock_ends::kept(&mut findings));
    let found = sequences::faults(&program, &all, &order, &summaries, &kept);
    sequences::take_in(&mut analysis.events, found);
    analysis
        .events
        .extend(overlapped_handle::joined(&mut findings));
    analysis
        .events
        .extend(stuck_flag::joined(&program, &mut findings));
    let mut callbacks = callback_classes::KeptCallbacks::take(&mut findings);
    analysis
        .events
        .extend(self_wait::self_waits(&program, &order, &callbacks));
    analysis.events.extend(callbacks.outlived(&program, &order));
    let modes = modes::Modes::take(&mut findings);
    analysis
        .events
        .extend(misread::pending_misread(&mut findings, &modes));
    analysis
        .events
        .extend(counts::completed(&mut findings, &modes));
    let mut linked = class::link_fields(&program, &mut findings);
    let unseen = handed_on::unseen(&mut findings, &linked);
    let events = analysis.events.iter_mut().chain(&mut linked);
    handed_on::tell_at_test(&program, &order, &all, &unseen, events);
    analysis.events = Findings::merge(std::mem::take(&mut analysis.events));
    for event in linked {
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
    Findings::leave_out_told(&mut analysis.events);
    let named = |f: FnRef| {
        let function = program.function(f);
        (function.name.clone(), function.map.name, function.kind)
    };
    let offered = |f: FnRef| {
        let function = program.function(f);
        let class = function.class.as_ref();
        let class = class.and_then(|class| program.class(f.0, class));
        let mut declared = class.iter().flat_map(|class| &class.methods);
        function.kind == FunctionKind::Method
            && !function.name.ends_with("operator=")
            && declared.any(|m| m.name == function.name && !m.is_private)
    };
    let told = analysis.events.iter().filter_map(|e| match &e.kind {
        EventKind::DoubleClose { first, .. } => Some(first.1),
        EventKind::UseAfterClose { closed, .. } => Some(closed.1),
        _ => None,
    });
    let told: FxHashSet<Span> = told.collect();
    analysis.events.extend(protocol::join(
        &all, &order, &mut notes, &told, &named, &offered,
    ));
    analysis.events.extend(started::started_too_early(&program));
    let held = notes.iter().map(|(i, _)| *i).zip(&mut findings);
    let held = held::HeldLocks::take(held);
    analysis
        .events
        .extend(unlock_window::windows(&program, &all, &held));
    analysis
        .events
        .extend(stale_store::stale_stores(&program, &all, &held));
    let threads = threads::Threads::new(&program, &all, &order);
    if let Some(threads) = &threads {
        let flags = unsynchronised::unsynchronised_flags(&program, &all, threads);
        analysis.events.extend(flags);
    }
    if !held.is_empty() || threads.is_some() {
        let found = held_in_several(&program, &all, &order, &held, threads.as_ref());
        analysis.events.extend(found);
    }
    analysis.events.extend(dequeue::dead_handling(&program));
    analysis.events.extend(copies::copyable_owners(&program));
    analysis.events.extend(moves::wrong_moves(&program));
    analysis.events.extend(contexts::ended_twice(&program));
    // What an object was seen to do at its end is told there already.
    let fills = fills::take(&mut findings);
    for event in fills::wrong_fills(&program, &fills) {
        let same = |known: &Event| {
            std::mem::discriminant(&known.kind) == std::mem::discriminant(&event.kind)
                && known.at == event.at
        };
        if !analysis.events.iter().any(same) {
            analysis.events.push(event);
        }
    }
    let mut never = never_closed::never_closed(&program, &fills, elsewhere);
    let classes: FxHashSet<Span> = never.iter().map(|e| e.at).collect();
    // The class is at fault, not each of its objects that ends with the handle.
    analysis.events.retain(|e| {
        let lost = matches!(e.kind, EventKind::Leak(_));
        let of = e.resource.as_ref().map(|r| r.origin);
        !(lost && of.is_some_and(|of| classes.contains(&of)))
    });
    analysis.events.append(&mut never);
    analysis.events.extend(silenced::of_methods(&program));
    analysis.events.extend(readiness::unregistered(&program));
    analysis
        .events
        .extend(after_callback::touched_after(&program, &order));
    analysis
        .events
        .extend(condition_wait::unconditional(&program));
    analysis.events.extend(given_condition::ignored(&program));
    analysis
        .events
        .extend(missed_wake::untold(&program, &order));
    analysis
        .events
        .extend(missed_start::untold(&program, &order));
    let guards = guard_types::GuardTypes::new(&program);
    analysis
        .events
        .extend(guard_dropped::dropped_at_once(&program, &guards));
    analysis
        .events
        .extend(guard_awaited::held_over_await(&program, &guards));
    analysis.events.extend(shared_operations::shared(&program));
    analysis
        .events
        .extend(thread_terminated::terminated(&program, &order, &guards));
    guard_dropped::tell_once(&mut analysis.events);
    let told = |event: &Event| (std::mem::discriminant(&event.kind), event.at);
    let known: FxHashSet<_> = analysis.events.iter().map(told).collect();
    let unheard = kept_errors::unheard(&program).into_iter();
    analysis
        .events
        .extend(unheard.filter(|event| !known.contains(&told(event))));
    silenced::tell_once(&mut analysis.events);
    once::tell_once(&mut analysis.events);
    let taken = given_up::taken_back(&mut findings);
    given_up::tell_at_giver(&mut analysis.events, &taken);
    analysis
        .events
        .sort_by(|a, b| (a.at, &a.function).cmp(&(b.at, &b.function)));
    // Graphs of whole programs are many small pieces: they are let go of in parallel, too.
    program.units.into_par_iter().for_each(drop);
    analysis
}

/// The faults of what several functions do with locks held.
fn held_in_several<'m>(
    program: &Program<'m>,
    all: &[FnRef],
    order: &Order,
    held: &held::HeldLocks,
    threads: Option<&threads::Threads<'_, 'm>>,
) -> Vec<Event> {
    let own;
    let calls = match threads {
        Some(threads) => &threads.calls,
        None => {
            own = thread_calls::Calls::new(program, all, order, &[]);
            &own
        }
    };
    let contexts = lock_contexts::LockContexts::new(program, all, held, calls, threads);
    let mut found = Vec::new();
    if let Some(threads) = threads {
        let shared = unguarded::Shared {
            program,
            all,
            threads,
            held,
            contexts: &contexts,
        };
        found.extend(shared.unguarded());
        found.extend(shared.published());
    }
    let locked = locked::Locked {
        program,
        all,
        held,
        contexts: &contexts,
        calls,
        threads,
        unsure: locked::given_back_anywhere(held, calls),
    };
    found.extend(wait_under_lock::waited_for(&locked));
    found.extend(lock_order::inverted(&locked));
    found.extend(callback_under_lock::called_out(&locked));
    found
}

/// What a function is run for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Its own faults: it speaks of resources.
    faults: bool,
    /// Its summary: somebody calls it.
    summary: bool,
    /// Where it ends the memory of objects: operations may be under way there.
    ends: bool,
}

/// Runs one function; its summary is made when somebody calls it.
fn run_function(
    program: &Program<'_>,
    summaries: Seen<'_>,
    f: FnRef,
    wanted: Wanted,
) -> (FunctionResult, Option<Summary>) {
    let index = summaries.of;
    // A fault of the executor in one function must not end the run for all others.
    let executed = catch_unwind(AssertUnwindSafe(|| {
        let mut exec = exec::Exec::new(program, summaries, f, wanted);
        if !exec.run() {
            return None;
        }
        exec.tell_passed_over();
        exec.tell_operations();
        exec.tell_lost_transfers();
        exec.tell_silenced();
        exec.tell_flags();
        exec.tell_kept_locks();
        exec.settle_held();
        let events = exec.found.finish();
        if exec.bounded {
            given_up::note_unseen(&mut exec.found, &events);
        }
        let summary = exec.summary();
        Some((exec.found, events, exec.bounded, summary, exec.notes))
    }));
    match executed {
        // Nothing is to be found in it, and its callers have no use of it.
        Ok(None) => {
            let mut findings = Findings::default();
            let function = program.function(f);
            note_plain_tests(program, f.0, function, &mut findings);
            overlapped_handle::note_plain_fills(program, f.0, function, &mut findings);
            (FunctionResult::not_run(index, findings, None), None)
        }
        Ok(Some((findings, events, bounded, summary, notes))) => {
            let result = FunctionResult {
                index,
                findings,
                events,
                bounded,
                ran: true,
                failed: None,
                notes,
            };
            (result, summary)
        }
        Err(panic) => {
            let failed = FunctionResult::not_run(index, Findings::default(), Some(said(&*panic)));
            (failed, None)
        }
    }
}

/// Functions that nothing makes worth running but a caller: small ones, called by those that are
/// worth it or may become so.
fn asked_for(program: &Program<'_>, all: &[FnRef], order: &Order, worth: &[bool]) -> Vec<bool> {
    // Whatever calls, at any depth, what speaks of resources: a ring does if one of it does.
    let mut above: Vec<bool> = worth.to_vec();
    for level in &order.levels {
        let mut rings: FxHashSet<usize> = FxHashSet::default();
        for &i in level {
            if above[i] || order.calls[i].iter().any(|&j| above[j]) {
                rings.insert(order.rings[i]);
            }
        }
        for &i in level {
            above[i] |= rings.contains(&order.rings[i]);
        }
    }
    let mut asked = vec![false; all.len()];
    let mut todo: Vec<usize> = (0..all.len()).filter(|&i| above[i]).collect();
    while let Some(i) = todo.pop() {
        for &j in &order.calls[i] {
            let small = program.function(all[j]).blocks.len() <= LARGEST_PLAIN;
            if !above[j] && small && !std::mem::replace(&mut asked[j], true) {
                todo.push(j);
            }
        }
    }
    asked
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// True when some call or field of the function is one the models speak of.
fn matters(program: &Program<'_>, unit: usize, function: &Function) -> bool {
    calls_models(program, unit, function)
        || narrows_handles(program, function)
        || lock_types::locks(program, unit, function)
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
    let rust = program.units[unit].language == pipelint_ir::Language::Rust;
    function
        .blocks
        .iter()
        .flat_map(|b| &b.stmts)
        .any(|stmt| match stmt {
            Statement::Call {
                callee: Callee::Constructor(ty),
                args,
                ..
            } => rust && args.len() == 1 && program.owner_type(unit, &function.name, ty).is_some(),
            Statement::Call {
                callee: Callee::Function(name),
                ..
            } if rust
                && (name == passed_over::PASSED_OVER
                    || forget::is_raw_maker(name)
                    || name == boxed::MAKER
                    || name == "std::mem::forget") =>
            {
                true
            }
            Statement::Call {
                callee: callee @ (Callee::Function(_) | Callee::Pointer(_)),
                args,
                ..
            } => {
                matches!(
                    program.target(unit, function, callee, args.len()),
                    Target::Model(model) if is_interesting(program.models, model)
                )
            }
            Statement::Call {
                callee: Callee::Method { name, ty, .. },
                ..
            } => rust::gives_up(name) || counts::is_stream_method(program, name, ty.as_deref()),
            _ => false,
        })
}

fn is_interesting(models: &Models, model: &FunctionModel) -> bool {
    // Memory that a call allocates for its caller is there only if it succeeded.
    let live =
        |a: &Acquire| a.at != Slot::Result || models.resource(&a.kind).is_none_or(|k| k.leaks);
    !(!model.acquires.iter().any(live)
        && model.releases.is_empty()
        && model.needs.is_empty()
        && model.io.is_none()
        && model.error != ErrorEffect::Reads
        && model.waits.is_none()
        && model.completes.is_none()
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
