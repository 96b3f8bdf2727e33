//! What both front ends build functions with: the graph under construction, its last cleaning,
//! conditions, arithmetic on constants, and the numbers of a grammar's kinds and fields.

pub(crate) mod cond;
pub(crate) mod constants;
pub(crate) mod frame;
pub(crate) mod grammar;
pub(crate) mod plain;
pub(crate) mod tidy;
