//! The shape of `[[statuses]]`: types that carry the code of an error.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type whose objects stand for a number: 0 and an object made of nothing mean success, and a
/// condition on an object asks whether there is an error. A constructor is given the number first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusType {
    /// Its names, qualified.
    pub names: Vec<String>,
    /// The page that says so.
    pub page: String,
}
