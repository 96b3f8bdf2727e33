//! The shape of `[[threads]]`: classes of libraries whose objects are threads.

use schemars::JsonSchema;
use serde::Deserialize;

/// A class whose objects run a method in a thread of their own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// Its names, qualified, without type arguments.
    pub names: Vec<String>,
    /// The method that the thread runs; classes of the program override it.
    pub runs: String,
    /// Member functions that end the thread, whatever it does.
    pub terminate: Vec<String>,
    /// Member functions by which the thread says when it must not be ended.
    #[serde(default)]
    pub spared_by: Vec<String>,
    /// The page that says so.
    pub page: String,
}
