//! PL4: concurrency and synchronisation.

mod use_after_callback;

pub(crate) use use_after_callback::UseAfterCallback;
