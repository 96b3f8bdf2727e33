//! PL4: concurrency and synchronisation.
