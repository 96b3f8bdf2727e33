//! The writer over non-blocking descriptors.

mod descriptor;
mod sigpipe;
mod writer;

pub use descriptor::anonymous_pipe;
pub use writer::PipeWriter;
