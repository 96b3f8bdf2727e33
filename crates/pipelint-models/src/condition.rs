//! The shape of `[[conditions]]`: condition variables.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type on which a thread waits until another one wakes it, the lock being given back meanwhile.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionVariable {
    /// Its names, qualified, without type arguments.
    pub names: Vec<String>,
    /// Member functions that wait.
    pub waits: Vec<String>,
    /// The page that says so.
    pub page: String,
}
