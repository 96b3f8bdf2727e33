//! PL4: concurrency and synchronisation.

mod missed_wake_up;

pub(crate) use missed_wake_up::MissedWakeUp;
