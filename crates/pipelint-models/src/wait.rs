//! The shape of `wait`: calls that wait for a signal.

use schemars::JsonSchema;
use serde::Deserialize;

/// A call waits until objects are signalled, or a time has gone by.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The argument with the time in milliseconds.
    pub timeout: usize,
    /// The argument with the object, where there is one alone.
    #[serde(default)]
    pub handle: Option<usize>,
    /// The time that never goes by.
    pub forever: String,
    /// The result that says that the time has gone by.
    pub late: String,
    /// The result that says that the wait failed.
    pub failed: String,
    /// The argument that says how many objects there are.
    #[serde(default)]
    pub count: Option<usize>,
    /// How many results from 0 on say which object was signalled, at most.
    pub signals: u32,
}
