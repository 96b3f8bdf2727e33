#![doc = include_str!("../README.md")]
#![deny(unsafe_op_in_unsafe_fn)]

mod options;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use options::{Completion, Options};
#[cfg(unix)]
pub use unix::{PipeWriter, anonymous_pipe};
#[cfg(windows)]
pub use windows::{Access, PipeServer, PipeWriter, anonymous_pipe, connect};
