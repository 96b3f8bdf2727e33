//! PL5: error checking.

mod unchecked_io_result;
mod wait_result_ignored;

pub(crate) use unchecked_io_result::UncheckedIoResult;
pub(crate) use wait_result_ignored::WaitResultIgnored;
