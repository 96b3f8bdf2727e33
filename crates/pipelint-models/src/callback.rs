//! Functions that the thread pool runs: who registers them, arms them, waits for them, and closes the
//! object that they belong to.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::Condition;

/// A call makes an object whose callback the thread pool runs; `acquires` says where it comes out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registers {
    /// The function that is to be run.
    pub callback: usize,
    /// What that function is given.
    pub context: usize,
    /// The callback's own parameter that receives the object, if one does.
    #[serde(default)]
    pub own: Option<usize>,
    /// It is armed from the beginning.
    #[serde(default)]
    pub armed: bool,
    /// The callback may run several times at once.
    #[serde(default)]
    pub overlaps: bool,
    /// Under this condition the object belongs to a group, which closes it.
    #[serde(default)]
    pub grouped_unless_null: Option<usize>,
}

/// A call has callbacks of an object run from now on, or no more.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arms {
    /// The object.
    pub object: usize,
    /// Where this argument is null, the call disarms.
    #[serde(default)]
    pub unless_null: Option<usize>,
}

/// A call waits for callbacks of an object that run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwaitsCallbacks {
    /// The object.
    pub object: usize,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// A call closes an object that has callbacks, and does not wait for them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosesCallbacks {
    /// The object.
    pub object: usize,
    /// Only under this condition.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The call that must have disarmed the object before: callbacks that are not awaited yet would
    /// start otherwise.
    #[serde(default)]
    pub disarm: Option<String>,
    /// The call that waits for callbacks.
    pub wait: String,
}
