//! Linking, symbolic execution, the machines on values, and the events they show.

mod event;

pub use event::{Dependence, Event, EventKind, LeakHow, PathStep, Resource, StepKind};
