//! PL5: error checking.

mod unchecked_io_result;

pub(crate) use unchecked_io_result::UncheckedIoResult;
