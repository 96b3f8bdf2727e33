//! PL5: error checking.

mod clobbered_last_error;
mod stale_last_error;
mod unchecked_io_result;

pub(crate) use clobbered_last_error::ClobberedLastError;
pub(crate) use stale_last_error::StaleLastError;
pub(crate) use unchecked_io_result::UncheckedIoResult;
