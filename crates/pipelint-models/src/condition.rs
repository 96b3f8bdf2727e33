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
    /// Which of them may return though what was waited for is not there.
    #[serde(default)]
    pub bare: Vec<BareWait>,
    /// Member functions that wake who waits.
    #[serde(default)]
    pub wakes: Vec<String>,
    /// The page that says so.
    pub page: String,
}

/// Waits that ask for no condition themselves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BareWait {
    /// The member functions.
    pub names: Vec<String>,
    /// With more arguments than these they are given a condition.
    pub args: usize,
    /// The argument with the most time that they wait.
    #[serde(default)]
    pub timeout: Option<usize>,
}
