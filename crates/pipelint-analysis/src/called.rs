//! What a path knows: which user code was called last, why it may have ended the object, and what variables tell.

use std::rc::Rc;

use pipelint_ir::{LocalId, Name};
use pipelint_source::Span;

use crate::alive::{Fact, Facts};
use crate::callouts::{CallOut, CallOutKind};
use crate::event::{PathStep, StepKind};
use crate::program::{FnRef, Program, last};

/// Why user code may end the object that calls it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Why {
    /// Code in sight does.
    Ends {
        /// The function.
        by: Name,
        /// Where.
        at: Span,
    },
    /// Elsewhere the class asks whether it is still there.
    Asked {
        /// The function that asks.
        by: Name,
        /// Where.
        at: Span,
    },
    /// The class keeps the slots from coming back in by this flag.
    Reentered {
        /// The flag.
        flag: Name,
        /// Where it is set while a signal is emitted.
        at: Span,
    },
}

/// An object is touched after a call of user code that may have ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterCallback {
    /// The field that is touched, or the method that is called.
    pub member: Name,
    /// The signal, or the field that leads to the user code.
    pub called: Name,
    /// How it is called.
    pub kind: CallOutKind,
    /// The call, in the function that touches the object afterwards.
    pub call: Span,
    /// Why it may have ended the object.
    pub why: Why,
}

/// Steps of a path that are told.
const MOST_STEPS: usize = 16;

/// What was called, on the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) out: CallOut,
    pub(crate) why: Why,
    pub(crate) at: Span,
    /// The steps in the functions between.
    pub(crate) inner: Vec<PathStep>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) called: Option<Rc<Called>>,
    /// A touch since is told.
    pub(crate) told: bool,
    pub(crate) facts: Facts,
    pub(crate) steps: Vec<PathStep>,
}

/// What tells states apart.
pub(crate) type Key = (usize, Option<(CallOut, Span)>, bool, Facts);

impl State {
    pub(crate) fn step(&mut self, span: Span, what: StepKind) {
        if self.steps.len() < MOST_STEPS {
            self.steps.push(PathStep { span, what });
        }
    }

    pub(crate) fn key(&self, block: usize) -> Key {
        let called = self.called.as_ref();
        let called = called.map(|c| (c.out.clone(), c.at));
        (block, called, self.told, self.facts.clone())
    }
}

/// How a function ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) called: Option<Rc<Called>>,
    pub(crate) result: Option<Fact>,
}

/// The state after a call of a function that ends in this way.
pub(crate) fn ended(
    before: &State,
    (g, span): (FnRef, Span),
    local: Option<LocalId>,
    end: &End,
    program: &Program<'_>,
) -> State {
    let mut state = before.clone();
    if let Some(local) = local {
        state.facts.set(local, end.result.clone());
    }
    if let Some(inner) = &end.called {
        let name = program.function(g).name.clone();
        state.step(span, StepKind::Called(Name::new(last(&name))));
        let mut steps = inner.inner.clone();
        steps.push(PathStep {
            span: inner.at,
            what: StepKind::Called(inner.out.name.clone()),
        });
        for step in &steps {
            state.step(step.span, step.what.clone());
        }
        state.called = Some(Rc::new(Called {
            out: inner.out.clone(),
            why: inner.why.clone(),
            at: span,
            inner: steps,
        }));
        state.told = false;
    }
    state
}
