//! Writers for pipes that lose no memory, no handle and no wake-up.
//!
//! [`PipeWriter`] writes to named and anonymous pipes: with overlapped I/O on Windows, with
//! non-blocking I/O on Unix. It copies what it is given into a buffer of its own, which has a
//! fixed capacity, so a reader that is slow makes [`PipeWriter::write`] refuse bytes instead of
//! making the process grow or the thread hang.
//!
//! # Versions
//!
//! The crate compiles with Rust 1.85 and later; a newer minimum comes with a new minor version.
//! It follows semantic versioning: before 1.0, what breaks callers comes with a new minor version.
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
