//! The shape of `[[structures]]`: what the system takes out of a structure that a call is given.

use schemars::JsonSchema;
use serde::Deserialize;

/// A structure whose fields hold resources for the call that is given its address: such a call, if it
/// acquires something, uses what is in them as if it were an argument.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// Its names.
    pub names: Vec<String>,
    /// The fields, in C's spelling. They are known by their names alone, so a name that other
    /// structures have too does not belong here.
    pub uses: Vec<String>,
    /// The page that says what the system does with them.
    pub page: String,
}
