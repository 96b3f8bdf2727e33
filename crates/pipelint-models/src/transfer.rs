//! How far transfers come: which may be short, in which mode a pipe is, and Rust's streams.

use schemars::JsonSchema;
use serde::Deserialize;

/// When a call that succeeds may have transferred less than it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Short {
    /// At any time: its result is the count (POSIX `write`, `send`).
    Ever,
    /// Only where the handle is in non-blocking mode (`PIPE_NOWAIT`).
    Nonblocking,
}

/// A call sets the mode of a pipe end.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipeMode {
    /// The argument that is the handle; none where the call makes it.
    #[serde(default)]
    pub of: Option<usize>,
    /// The argument with the flags.
    pub flags: usize,
    /// The flags stand where that argument points to; null leaves the mode as it is.
    #[serde(default)]
    pub by_pointer: bool,
}

/// A type whose methods may transfer less than they are given, and tell how much.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Its names, qualified, without type arguments.
    pub names: Vec<String>,
    /// Methods that send their argument.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Methods that fill their argument.
    #[serde(default)]
    pub reads: Vec<String>,
    /// The page that says so.
    pub page: String,
}
