//! PL4: concurrency and synchronisation.

mod lock_misuse;
mod missing_unlock;

pub(crate) use lock_misuse::LockMisuse;
pub(crate) use missing_unlock::MissingUnlock;
mod unsynchronised_flag;

pub(crate) use unsynchronised_flag::UnsynchronisedFlag;
mod use_after_callback;

pub(crate) use use_after_callback::UseAfterCallback;
mod missed_wake_up;

pub(crate) use missed_wake_up::MissedWakeUp;
