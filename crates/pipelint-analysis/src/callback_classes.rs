//! Callbacks of objects that classes keep: what one method does, joined with what the others do.

use pipelint_ir::{FunctionKind, Name};
use pipelint_source::Span;
use rustc_hash::FxHashSet;

use crate::callback_fault::CallbackFault;
use crate::collect::Findings;
use crate::event::{Event, EventKind, PathStep, StepKind};
use crate::program::{ClassRef, FnRef, Program};
use crate::state::Fact;
use crate::summaries::Order;

/// Functions that a callback may lead to before it is not followed any more.
pub(crate) const MOST_FUNCTIONS: usize = 400;

/// A class, and the way to one of its objects' parts.
pub(crate) type Kept = (ClassRef, Name);

/// What functions do to objects with callbacks.
#[derive(Debug, Default)]
pub(crate) struct KeptCallbacks {
    pub(crate) registered: Vec<Registered>,
    /// Those that some call arms.
    pub(crate) armed: FxHashSet<Kept>,
    pub(crate) closings: Vec<Closing>,
    pub(crate) freed: Vec<Freed>,
    pub(crate) waits: Vec<OwnWait>,
    /// Faults that need no other function.
    pub(crate) told: Vec<Event>,
}

/// What a callback is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Context {
    /// The object that keeps what was registered, or a part of it.
    Object,
    /// What this field of it points to.
    Field(Name),
    /// Something else, or nothing.
    Other,
}

/// A callback that an object keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) kept: Kept,
    pub(crate) context: Context,
    pub(crate) api: Name,
    pub(crate) at: Span,
    pub(crate) callback: Option<Name>,
    /// The function that registers it.
    pub(crate) by: FnRef,
    /// The callback's parameter that is the object.
    pub(crate) own: Option<usize>,
    /// It is armed from the beginning.
    pub(crate) armed: bool,
}

/// A close on one path to the context's end; the event is none where nothing is wrong with it.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) kept: Kept,
    pub(crate) at: Span,
    pub(crate) event: Option<Event>,
}

/// A destructor frees what a field points to.
#[derive(Debug)]
pub(crate) struct Freed {
    pub(crate) kept: Kept,
    /// Objects that no callback of runs then; false where only a wait says so.
    pub(crate) quiet: Vec<(Name, bool)>,
    pub(crate) event: Option<Event>,
}

/// Whose object it is that a function waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The method's own object keeps it.
    Own,
    /// It is, or is kept by what it points to, this parameter.
    Parameter(u32),
}

/// A wait for callbacks.
#[derive(Debug)]
pub(crate) struct OwnWait {
    pub(crate) function: FnRef,
    pub(crate) whose: Whose,
    pub(crate) class: Option<ClassRef>,
    pub(crate) way: Name,
    /// What the path asks of parameters, by their numbers.
    pub(crate) asks: Vec<(usize, Fact)>,
    /// The waiting call, and how many calls lead to it.
    pub(crate) origin: Span,
    pub(crate) frames: usize,
    pub(crate) event: Event,
}

impl KeptCallbacks {
    pub(crate) fn take(all: &mut [Findings]) -> Self {
        let mut taken = Self::default();
        for findings in all {
            let own = &mut findings.callbacks;
            taken.registered.append(&mut own.registered);
            taken.armed.extend(own.armed.drain());
            taken.closings.append(&mut own.closings);
            taken.freed.append(&mut own.freed);
            taken.waits.append(&mut own.waits);
            taken.told.append(&mut own.told);
        }
        taken
    }

    /// Contexts that end while callbacks may run.
    pub(crate) fn outlived(&mut self, program: &Program<'_>, order: &Order) -> Vec<Event> {
        let mut ended: Vec<Registered> = std::mem::take(&mut self.registered);
        ended.retain(|registered| !ends_with_callback(program, order, registered));
        self.registered = ended;
        let mut events = std::mem::take(&mut self.told);
        let quiet: FxHashSet<(&Kept, Span)> = self
            .closings
            .iter()
            .filter(|c| c.event.is_none())
            .map(|c| (&c.kept, c.at))
            .collect();
        for closing in &self.closings {
            let Some(event) = &closing.event else {
                continue;
            };
            if quiet.contains(&(&closing.kept, closing.at)) {
                continue;
            }
            let mut known = self.registered.iter().filter(|r| r.kept == closing.kept);
            let ends = known.find(|r| self.is_armed(r) && self.ends(r));
            if let Some(registered) = ends {
                events.push(told_of(event.clone(), registered));
            }
        }
        for registered in &self.registered {
            let Context::Field(field) = &registered.context else {
                continue;
            };
            let (class, object) = &registered.kept;
            let of = |f: &&Freed| f.kept.0 == *class && f.kept.1 == *field;
            let over = |f: &Freed| {
                let mut quiet = f.quiet.iter();
                f.event.is_none() || quiet.any(|(name, _)| name == object)
            };
            if !self.is_armed(registered) || self.freed.iter().filter(of).any(over) {
                continue;
            }
            let freed = self.freed.iter().filter(of);
            events.extend(freed.filter_map(|f| Some(told_of(f.event.clone()?, registered))));
        }
        events
    }

    fn is_armed(&self, registered: &Registered) -> bool {
        registered.armed || self.armed.contains(&registered.kept)
    }

    /// The context ends where the object that keeps it does.
    fn ends(&self, registered: &Registered) -> bool {
        match &registered.context {
            Context::Object => true,
            Context::Other => false,
            Context::Field(field) => {
                let class = registered.kept.0;
                let mut freed = self.freed.iter();
                freed.any(|f| f.kept.0 == class && f.kept.1 == *field)
            }
        }
    }
}

/// Its callback is what ends the object: it runs the destructor, or goes on with the coroutine that the
/// object is awaited in.
fn ends_with_callback(program: &Program<'_>, order: &Order, registered: &Registered) -> bool {
    let class = registered.kept.0;
    if program.declares(class, "await_suspend") {
        return true;
    }
    let Some(callback) = registered.callback(program) else {
        return false;
    };
    let name = &program.class_at(class).name;
    let mut reached = reach(program, order, callback).into_iter();
    reached.any(|f| {
        let function = program.function(f);
        function.kind == FunctionKind::Destructor && function.class.as_ref() == Some(name)
    })
}

/// A function, and those that it leads to.
pub(crate) fn reach(program: &Program<'_>, order: &Order, from: FnRef) -> Vec<FnRef> {
    let all: Vec<FnRef> = program.all().collect();
    let mut seen = FxHashSet::default();
    let mut todo = vec![program.number(from)];
    let mut reached = Vec::new();
    while let Some(f) = todo.pop() {
        if reached.len() < MOST_FUNCTIONS && seen.insert(f) {
            reached.push(all[f]);
            todo.extend(&order.calls[f]);
        }
    }
    reached
}

impl Registered {
    /// The function that the thread pool runs.
    pub(crate) fn callback(&self, program: &Program<'_>) -> Option<FnRef> {
        let from = program.function(self.by);
        program.only_function(self.by.0, from, self.callback.as_ref()?)
    }
}

/// The event, with the registration that it follows from.
fn told_of(mut event: Event, registered: &Registered) -> Event {
    if let EventKind::Callback(fault) = &mut event.kind {
        match fault {
            CallbackFault::Closed { context, .. } => {
                if let Context::Field(field) = &registered.context {
                    *context = field.clone();
                }
            }
            CallbackFault::Freed { registered: by, .. } => *by = registered.api.clone(),
            CallbackFault::SelfWait { .. } => {}
        }
    }
    let made = PathStep {
        span: registered.at,
        what: StepKind::Passed(registered.api.clone()),
    };
    event.path.insert(0, made);
    event
}
