//! The shape of `[[writers]]`: types whose methods send bytes to a peer.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type whose methods send bytes through a pipe or a stream, and yield a `Result` that tells how
/// that went.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Its names, qualified.
    pub names: Vec<String>,
    /// The page that says so.
    pub page: String,
    /// The methods that send, or wait until what was sent has gone on.
    pub sends: Vec<String>,
}
