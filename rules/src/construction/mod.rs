//! PL2: construction.

mod failed_init_continues;

pub(crate) use failed_init_continues::FailedInitContinues;
