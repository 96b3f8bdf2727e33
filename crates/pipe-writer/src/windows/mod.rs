//! The writer over overlapped I/O.

mod anonymous;
mod client;
mod event;
mod name;
mod operation;
mod security;
mod server;
mod waiter;
mod writer;

pub use anonymous::anonymous_pipe;
pub use client::connect;
pub use server::{Access, PipeServer};
pub use writer::PipeWriter;
