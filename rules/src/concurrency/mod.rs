//! PL4: concurrency and synchronisation.

mod unsynchronised_flag;

pub(crate) use unsynchronised_flag::UnsynchronisedFlag;
