//! PL5: error checking.

mod clobbered_last_error;
mod pending_misread;
mod pipe_connected_misread;
mod stale_last_error;
mod unchecked_io_result;
mod unhandled_io_error;

pub(crate) use clobbered_last_error::ClobberedLastError;
pub(crate) use pending_misread::PendingMisread;
pub(crate) use pipe_connected_misread::PipeConnectedMisread;
pub(crate) use stale_last_error::StaleLastError;
pub(crate) use unchecked_io_result::UncheckedIoResult;
pub(crate) use unhandled_io_error::UnhandledIoError;
