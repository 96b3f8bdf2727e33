//! What calls do to overlapped operations: start, cancel, complete and wait for them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::{Condition, FunctionModel};

/// A call starts an operation that may go on after it, with the memory that it was given.
///
/// What `io` says of a call that has an OVERLAPPED needs no such entry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The OVERLAPPED.
    pub overlapped: usize,
    /// The handle.
    pub handle: usize,
    /// Buffers that the kernel uses until the operation has completed.
    #[serde(default)]
    pub buffers: Vec<usize>,
    /// Success says that the operation is under way, not that it is done: its completion routine tells
    /// (`ReadFileEx`).
    #[serde(default)]
    pub routine: bool,
    /// Success says that the operation is under way, not that it is done (`ReadDirectoryChangesW`).
    #[serde(default)]
    pub queued: bool,
}

/// A call asks the kernel to cancel operations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The handle.
    pub handle: usize,
    /// The OVERLAPPED; where it is null or there is none, all operations on the handle.
    #[serde(default)]
    pub overlapped: Option<usize>,
    /// Only those that the calling thread started.
    #[serde(default)]
    pub of_thread: bool,
    /// The error that says that nothing was there to cancel.
    #[serde(default)]
    pub nothing: Option<String>,
}

/// A call asks how an operation went.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completes {
    /// The OVERLAPPED.
    pub overlapped: usize,
    /// The handle that the operation is on.
    #[serde(default)]
    pub handle: Option<usize>,
    /// Out-parameter with the transferred count.
    #[serde(default)]
    pub count: Option<usize>,
    /// Where this holds, the call waits for the completion.
    #[serde(default)]
    pub waits_when: Option<Condition>,
    /// The error that says that the operation goes on.
    #[serde(default)]
    pub incomplete: Option<String>,
}

/// A call waits for objects.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waits {
    /// The object.
    #[serde(default)]
    pub handle: Option<usize>,
    /// An array of objects.
    #[serde(default)]
    pub array: Option<usize>,
    /// Non-null: for all objects of the array.
    #[serde(default)]
    pub all: Option<usize>,
    /// Milliseconds.
    #[serde(default)]
    pub timeout: Option<usize>,
    /// Non-null: completion routines may run meanwhile.
    #[serde(default)]
    pub alertable: Option<usize>,
    /// How many objects the array has.
    #[serde(default)]
    pub count: Option<usize>,
    /// What its result says; none where it says nothing of the objects.
    #[serde(default)]
    pub tells: Option<Tells>,
}

/// A creation says by a flag that its handle is for overlapped operations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opens {
    /// The argument with the flags.
    pub arg: usize,
    /// The field with the flags, where the argument points to a structure.
    #[serde(default)]
    pub field: Option<String>,
    /// The flag (a named constant).
    pub flag: String,
    /// The argument with the name of what is opened.
    #[serde(default)]
    pub name: usize,
}

/// A call must have an OVERLAPPED where its handle was opened for overlapped operations.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlaps {
    /// The handle.
    pub handle: usize,
    /// The OVERLAPPED.
    pub overlapped: usize,
}

/// What the result of a wait says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tells {
    /// The time that never goes by.
    pub forever: String,
    /// The result that says that the time has gone by.
    pub late: String,
    /// The result that says that the wait failed.
    pub failed: String,
    /// How many results from 0 on say which object was signalled, at most.
    pub signals: u32,
}

impl FunctionModel {
    /// The operation that the call starts where it is given an OVERLAPPED.
    pub fn start(&self) -> Option<Start> {
        if let Some(start) = &self.starts_io {
            return Some(start.clone());
        }
        let io = self.io.as_ref()?;
        Some(Start {
            overlapped: io.overlapped?,
            handle: io.handle,
            buffers: io.buffer.into_iter().collect(),
            routine: false,
            queued: false,
        })
    }
}
