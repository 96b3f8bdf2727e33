//! Waits for a thread or callback by code that holds a lock which the awaited code takes.
//!
//! The awaited code is what the thread or callback runs by calls that are surely made, and, where it calls what
//! its object keeps for it, the lambdas that objects of that class were given.

use pipelint_ir::{Callee, FunctionKind, Language, Name, Operand, Rvalue, Statement};
use pipelint_models::{LockDoes, LockMode};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::awaited::{Await, awaits};
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::events_set::EventsSet;
use crate::lock_ends::LockKey;
use crate::locked::{At, Locked, Under, Wanted, taken};
use crate::names::points_uniquely;
use crate::object_keys::ObjectKey;
use crate::program::{FnRef, Program, Target, last};
use crate::threads::{RootId, Threads, words};
use crate::told_types::Told;

/// Code waits with a lock held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitUnderLock {
    /// The lock.
    pub lock: Name,
    /// The call that waits.
    pub api: Name,
    /// The function that holds the lock calls one that waits.
    pub through: Option<Name>,
    /// The awaited code that takes the lock, if any is known to.
    pub needs: Option<LockNeed>,
    /// Where the lock was taken.
    pub taken: Span,
}

/// Awaited code that takes a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockNeed {
    /// The function that takes it.
    pub function: Name,
    /// Where.
    pub at: Span,
    /// How it comes to run, in words; empty for one that is not started.
    pub runs: String,
}

/// Where awaited code takes locks, each with the first place.
#[derive(Debug)]
struct Needs {
    locks: FxHashMap<LockKey, Need>,
    /// The functions that run there, in order.
    runs: Vec<usize>,
}

/// A place that takes a lock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) f: usize,
    pub(crate) at: Span,
    pub(crate) shared: bool,
}

/// One event for each statement that waits, or calls what does, with a lock held that is needed.
pub(crate) fn waited_for(locked: &Locked<'_, '_>) -> Vec<Event> {
    let all = awaits(locked.program, locked.all, locked.threads);
    let mut events_set: Option<EventsSet> = None;
    let mut needs: FxHashMap<RootId, Needs> = FxHashMap::default();
    let mut told: FxHashSet<(Span, LockKey)> = FxHashSet::default();
    let mut events = Vec::new();
    let wanted = Wanted::new(&all, locked.calls);
    for under in locked.under(&wanted) {
        let lock = &under.lock;
        let of_root = locked.threads.and_then(|threads| {
            under.what.roots.iter().find_map(|root| {
                let known = needs
                    .entry(*root)
                    .or_insert_with(|| needed(locked, threads, *root));
                // What waits for itself is told by another rule.
                if known.runs.binary_search(&under.frame.f).is_ok() {
                    return None;
                }
                let need = known.locks.get(&lock.key)?;
                let blocks = !(lock.shared && need.shared);
                let started = threads.root(*root).start.as_ref();
                let runs = started.map(|s| words(&s.how)).unwrap_or_default();
                blocks.then_some((*need, runs))
            })
        });
        let of_event = || {
            let object = under.what.object.as_ref()?;
            let set = events_set.get_or_insert_with(|| EventsSet::new(locked));
            let need = set.needs(locked, object, &under)?;
            Some((need, "the event is set after that".to_owned()))
        };
        let need = of_root.or_else(of_event);
        if need.is_none() && !waits_for_others(locked, &under) {
            continue;
        }
        let event = event(locked, &under, need);
        if told.insert((event.at, lock.key.clone())) {
            events.push(event);
        }
    }
    events
}

fn event(locked: &Locked<'_, '_>, under: &Under<'_, Await>, need: Option<(Need, String)>) -> Event {
    let (lock, frame, wait) = (&under.lock, &under.frame, under.what);
    let step = |span, what| PathStep { span, what };
    let mut path = vec![taken(lock)];
    path.extend(frame.calls.iter().cloned());
    path.push(step(
        locked.span(under.f, under.at),
        StepKind::Awaited(wait.api.clone()),
    ));
    path.extend(
        need.as_ref()
            .map(|(need, _)| step(need.at, StepKind::Locked(Name::new(last(&lock.key.1))))),
    );
    let through = frame.calls.first().and_then(|step| match &step.what {
        StepKind::Called(name) => Some(name.clone()),
        _ => None,
    });
    Event {
        kind: EventKind::WaitUnderLock(WaitUnderLock {
            lock: Name::new(last(&lock.key.1)),
            api: wait.api.clone(),
            through,
            needs: need.map(|(need, runs)| LockNeed {
                function: locked.name(need.f).clone(),
                at: need.at,
                runs,
            }),
            taken: lock.taken,
        }),
        at: locked.span(frame.f, frame.at),
        function: locked.name(frame.f).clone(),
        resource: None,
        path,
        others: Vec::new(),
    }
}

/// A wait for others, and not for a lock: those are told apart by the lock that they take.
fn waits_for_others(locked: &Locked<'_, '_>, under: &Under<'_, Await>) -> bool {
    let takes = locked.held.of(under.f).is_some_and(|own| {
        let mut takings = own.takings.iter();
        takings.any(|t| t.at == under.at)
    });
    under.what.blocks && !takes
}

/// The locks that a root takes, each with the first place.
fn needed(locked: &Locked<'_, '_>, threads: &Threads<'_, '_>, root: RootId) -> Needs {
    let mut runs = threads.reach_of(root, &|_| true);
    if let Some(start) = &threads.root(root).start {
        let class = locked.program.function(start.entry).class.as_ref();
        let by = start
            .by
            .and_then(|(f, _)| locked.program.function(f).class.as_ref());
        if let Some(class) = class.or(by)
            && runs
                .iter()
                .any(|f| calls_kept(locked.program, locked.all[*f]))
        {
            let given = given_to(locked.program, locked.all, class);
            runs.extend(threads.reach(given, &|_| true));
        }
    }
    runs.sort_unstable();
    runs.dedup();
    let mut locks = FxHashMap::default();
    for &f in &runs {
        for taking in locked.held.of(f).iter().flat_map(|h| &h.takings) {
            locks.entry(taking.key.clone()).or_insert(Need {
                f,
                at: taking.span,
                shared: taking.shared,
            });
        }
        for (key, at, shared) in captured(locked, f) {
            locks.entry(key).or_insert(Need { f, at, shared });
        }
    }
    Needs { locks, runs }
}

/// Locks that a closure of Rust's takes, and knows by what it has captured.
fn captured(locked: &Locked<'_, '_>, f: usize) -> Vec<(LockKey, Span, bool)> {
    let at = locked.all[f];
    let function = locked.program.function(at);
    let mut found = Vec::new();
    if function.kind != FunctionKind::Lambda
        || locked.program.units[at.0].language != Language::Rust
    {
        return found;
    }
    let told = Told::new(locked.program, at);
    for (b, block) in function.blocks.iter().enumerate() {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let Statement::Call {
                callee: Callee::Method { receiver, name, .. },
                ..
            } = stmt
            else {
                continue;
            };
            let lock = told.type_of(*receiver).and_then(|ty| {
                let behind = crate::names::led_to(&ty, Some(name));
                let inner = ty.args.first().filter(|_| last(&ty.name) == "Arc");
                let ty = inner.map(|text| crate::rust::type_of(text)).unwrap_or(ty);
                let named = behind.unwrap_or_else(|| ty.name.clone());
                locked.program.models.lock_exactly(&named)
            });
            let call = lock.and_then(|lock| {
                let mut methods = lock.methods.iter();
                methods.find(|m| m.names.iter().any(|n| n == last(name)))
            });
            if let Some(call) = call.filter(|call| call.does == LockDoes::Lock)
                && let Some(ObjectKey::Field(class, field)) = told.object(*receiver)
            {
                let shared = call.mode == LockMode::Shared;
                found.push(((Some(class), field), locked.span(f, (b, i)), shared));
            }
        }
    }
    found
}

/// The function calls something by its address, or what a field keeps.
fn calls_kept(program: &Program<'_>, f: FnRef) -> bool {
    let function = program.function(f);
    let field = |name: &str, class: Option<&pipelint_ir::Class>| {
        class.is_some_and(|class| {
            let kept = class.fields.iter().find(|field| field.name == name);
            kept.is_some_and(|field| program.resolve(&field.ty).name.contains("function"))
        })
    };
    let mut stmts = function.blocks.iter().flat_map(|b| &b.stmts);
    stmts.any(|stmt| {
        let Statement::Call { callee, args, .. } = stmt else {
            return false;
        };
        if program.target(f.0, function, callee, args.len()) != Target::Unknown {
            return false;
        }
        match callee {
            Callee::Pointer(_) => true,
            Callee::Method { name, .. } => {
                field(name, program.class_of_receiver(f.0, function, callee))
            }
            Callee::Function(name) => {
                let own = function.class.as_ref();
                field(name, own.and_then(|class| program.class(f.0, class)))
            }
            _ => false,
        }
    })
}

/// The lambdas that objects of a class are given when they are made.
fn given_to(program: &Program<'_>, all: &[FnRef], class: &Name) -> Vec<usize> {
    let mut found = Vec::new();
    for &f in all {
        let function = program.function(f);
        if !function.blocks.iter().flat_map(|b| &b.stmts).any(|stmt| {
            matches!(
                stmt,
                Statement::Assign {
                    value: Rvalue::Closure(..),
                    ..
                }
            )
        }) {
            continue;
        }
        let told = Told::new(program, f);
        for (b, block) in function.blocks.iter().enumerate() {
            for (i, stmt) in block.stmts.iter().enumerate() {
                let Statement::Call { callee, args, .. } = stmt else {
                    continue;
                };
                let lambdas: Vec<FnRef> = args.iter().filter_map(|op| lambda(&told, op)).collect();
                if !lambdas.is_empty() && makes(&told, (b, i), callee, args.len(), class) {
                    found.extend(lambdas.into_iter().map(|g| program.number(g)));
                }
            }
        }
    }
    found
}

fn makes(told: &Told<'_, '_>, at: At, callee: &Callee, args: usize, class: &Name) -> bool {
    let is = |name: &str| {
        let named = told
            .program
            .class_named(told.f.0, &told.function.name, name);
        named.is_some_and(|c| c.name == *class)
    };
    match callee {
        Callee::Constructor(ty) | Callee::New(ty) if is(&told.program.resolve(ty).name) => true,
        _ => match told.program.target(told.f.0, told.function, callee, args) {
            Target::Defined(g) => told.program.function(g).class.as_ref() == Some(class),
            // `std::make_unique`, by what its result is kept in.
            Target::Unknown => told.kept(at).iter().any(|key| {
                let ty = match key {
                    ObjectKey::Field(class, field) => {
                        let mut fields = told.program.class_at(*class).fields.iter();
                        fields.find(|f| f.name == *field).map(|f| f.ty.clone())
                    }
                    _ => None,
                };
                ty.is_some_and(|ty| {
                    points_uniquely(&ty) && ty.args.first().is_some_and(|arg| is(arg))
                })
            }),
            Target::Model(_) => false,
        },
    }
}

fn lambda(told: &Told<'_, '_>, op: &Operand) -> Option<FnRef> {
    let (Operand::Copy(place) | Operand::Move(place)) = op else {
        return None;
    };
    let pipelint_ir::Base::Local(l) = told.function.places[*place].base else {
        return None;
    };
    match told.def(l.0)? {
        Statement::Assign { value, .. } => match value {
            Rvalue::Closure(name, _) => told.program.lambda(told.f.0, name),
            Rvalue::Use(op) | Rvalue::Cast(_, op) => lambda(told, op),
            _ => None,
        },
        _ => None,
    }
}
