//! PL5: error checking.

mod null_count_without_overlapped;
mod overlapped_result_ignored;
mod success_after_failure;
mod unchecked_io_result;
mod wait_result_ignored;

pub(crate) use null_count_without_overlapped::NullCountWithoutOverlapped;
pub(crate) use overlapped_result_ignored::OverlappedResultIgnored;
pub(crate) use success_after_failure::SuccessAfterFailure;
pub(crate) use unchecked_io_result::UncheckedIoResult;
pub(crate) use wait_result_ignored::WaitResultIgnored;
