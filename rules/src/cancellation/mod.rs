//! PL3: cancellation and pending I/O.

mod callback_outlives_object;
mod cancel_without_wait;
mod foreign_thread_cancel;
mod handle_closed_while_pending;
mod in_flight_flag_stuck;
mod null_overlapped_on_overlapped_handle;
mod overlapped_not_zeroed;
mod overlapped_reused_while_pending;
mod pending_io_outlives_memory;
mod reset_after_start;
mod self_wait;
mod temporary_overlapped;
mod unhandled_cancel_failure;
mod wording;

pub(crate) use callback_outlives_object::CallbackOutlivesObject;
pub(crate) use cancel_without_wait::CancelWithoutWait;
pub(crate) use foreign_thread_cancel::CancelFromOtherThread;
pub(crate) use handle_closed_while_pending::HandleClosedWhilePending;
pub(crate) use in_flight_flag_stuck::InFlightFlagStuck;
pub(crate) use null_overlapped_on_overlapped_handle::NullOverlappedOnOverlappedHandle;
pub(crate) use overlapped_not_zeroed::OverlappedNotZeroed;
pub(crate) use overlapped_reused_while_pending::OverlappedReusedWhilePending;
pub(crate) use pending_io_outlives_memory::PendingIoOutlivesMemory;
pub(crate) use reset_after_start::ResetAfterStart;
pub(crate) use self_wait::SelfWait;
pub(crate) use temporary_overlapped::TemporaryOverlapped;
pub(crate) use unhandled_cancel_failure::UnhandledCancelFailure;
