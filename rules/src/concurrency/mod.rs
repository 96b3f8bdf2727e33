//! PL4: concurrency and synchronisation.

mod callback_under_lock;
mod guard_across_await;
mod guard_dropped_at_once;
mod lock_misuse;
mod lock_order_inversion;
mod missed_wake_up;
mod missing_unlock;
mod thread_terminated;
mod unguarded_access;
mod unlock_window;
mod unsafe_send;
mod unsynchronised_flag;
mod use_after_callback;
mod wait_under_lock;

pub(crate) use callback_under_lock::CallbackUnderLock;
pub(crate) use guard_across_await::GuardAcrossAwait;
pub(crate) use guard_dropped_at_once::GuardDroppedAtOnce;
pub(crate) use lock_misuse::LockMisuse;
pub(crate) use lock_order_inversion::LockOrderInversion;
pub(crate) use missed_wake_up::MissedWakeUp;
pub(crate) use missing_unlock::MissingUnlock;
pub(crate) use thread_terminated::ThreadTerminated;
pub(crate) use unguarded_access::UnguardedAccess;
pub(crate) use unlock_window::UnlockWindow;
pub(crate) use unsafe_send::UnsafeSend;
pub(crate) use unsynchronised_flag::UnsynchronisedFlag;
pub(crate) use use_after_callback::UseAfterCallback;
pub(crate) use wait_under_lock::WaitUnderLock;
