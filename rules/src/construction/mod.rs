//! PL2: construction.

mod failed_init_continues;
mod init_result_dropped;
mod partial_construction_leak;

pub(crate) use failed_init_continues::FailedInitContinues;
pub(crate) use init_result_dropped::InitResultDropped;
pub(crate) use partial_construction_leak::PartialConstructionLeak;
