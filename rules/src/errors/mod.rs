//! PL5: error checking.

mod clobbered_last_error;
mod failure_only_logged;
mod more_data_ignored;
mod null_count_without_overlapped;
mod overlapped_result_ignored;
mod pending_misread;
mod pipe_connected_misread;
mod short_transfer_ignored;
mod stale_last_error;
mod success_after_failure;
mod swallowed_io_error;
mod unchecked_io_result;
mod unhandled_io_error;
mod wait_result_ignored;
mod wrong_count_reported;

pub(crate) use clobbered_last_error::ClobberedLastError;
pub(crate) use failure_only_logged::FailureOnlyLogged;
pub(crate) use more_data_ignored::MoreDataIgnored;
pub(crate) use null_count_without_overlapped::NullCountWithoutOverlapped;
pub(crate) use overlapped_result_ignored::OverlappedResultIgnored;
pub(crate) use pending_misread::PendingMisread;
pub(crate) use pipe_connected_misread::PipeConnectedMisread;
pub(crate) use short_transfer_ignored::ShortTransferIgnored;
pub(crate) use stale_last_error::StaleLastError;
pub(crate) use success_after_failure::SuccessAfterFailure;
pub(crate) use swallowed_io_error::SwallowedIoError;
pub(crate) use unchecked_io_result::UncheckedIoResult;
pub(crate) use unhandled_io_error::UnhandledIoError;
pub(crate) use wait_result_ignored::WaitResultIgnored;
pub(crate) use wrong_count_reported::WrongCountReported;
