//! PL2: construction.

mod failed_init_continues;
mod partial_construction_leak;

pub(crate) use failed_init_continues::FailedInitContinues;
pub(crate) use partial_construction_leak::PartialConstructionLeak;
