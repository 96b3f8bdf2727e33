//! The shape of `completion`: calls that tell how an overlapped operation went.

use schemars::JsonSchema;
use serde::Deserialize;

/// A call tells how an operation went that was started before.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The argument with the handle.
    pub handle: usize,
    /// The argument with the OVERLAPPED.
    pub overlapped: usize,
    /// Out-parameter with the transferred count.
    pub count: usize,
}
