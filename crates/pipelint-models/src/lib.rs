//! What API functions do, as data: the schema, its loader and its checks.
//!
//! A model is a fact about a function with the page of the vendor's documentation that states it.
//! The built-in models are TOML files beside the rules; users add their own with the same schema.

mod buffer;
mod callback;
mod check;
mod condition;
mod error;
mod last_error;
mod like;
mod lock;
mod models;
mod overlapped;
mod owner;
mod prefilter;
mod readiness;
mod schema;
mod slot;
mod status;
mod structure;
mod thread;
mod transfer;
mod types;
mod writer;

pub use buffer::Buffer;
pub use callback::{Arms, AwaitsCallbacks, ClosesCallbacks, Registers};
pub use condition::{BareWait, ConditionVariable};
pub use error::{ModelError, Problem};
pub use last_error::{ErrorEffect, ErrorStore};
pub use lock::{Guard, Lock, LockCall, LockDoes, LockMode};
pub use models::Models;
pub use overlapped::{Cancel, Completes, Opens, Overlaps, Start, Tells, Waits};
pub use owner::{Copies, Deleter, Holds, Members, Owner, Role, Traits};
pub use prefilter::Prefilter;
pub use readiness::Readiness;
pub use schema::{
    Acquire, Blocks, Check, Condition, Constant, FunctionModel, Good, Io, IoKind, ModelFile,
    OnFail, Pseudo, Release, ResourceKind, Sentinel, Success, TypeModel,
};
pub use slot::Slot;
pub use status::StatusType;
pub use structure::Structure;
pub use thread::{RunsOn, Serialised, ThreadMaker};
pub use transfer::{PipeMode, Short, Stream};
pub use writer::Writer;

/// The JSON schema of a model file, as it is published.
pub fn json_schema() -> String {
    let mut text = format!("{:#}", schemars::schema_for!(ModelFile).as_value());
    text.push('\n');
    text
}
