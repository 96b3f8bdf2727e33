//! The shape of `[[readiness]]`: types whose methods register a task to be woken.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type that wakes a task when something can be read or written, once the task is registered with it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Its names, qualified.
    pub names: Vec<String>,
    /// The page that says so.
    pub page: String,
    /// The methods that register the task of the context that they are given, and yield a `Result`, or a
    /// `Poll` of one, that tells whether it is.
    pub registers: Vec<String>,
}
