//! PL4: concurrency and synchronisation.

mod guard_across_await;
mod guard_dropped_at_once;
mod thread_terminated;
mod unsafe_send;

pub(crate) use guard_across_await::GuardAcrossAwait;
pub(crate) use guard_dropped_at_once::GuardDroppedAtOnce;
pub(crate) use thread_terminated::ThreadTerminated;
pub(crate) use unsafe_send::UnsafeSend;
