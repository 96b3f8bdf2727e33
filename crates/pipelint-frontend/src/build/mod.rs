//! What both front ends build functions with: the graph under construction, its last cleaning, and
//! the numbers of a grammar's kinds and fields.

pub(crate) mod frame;
pub(crate) mod grammar;
pub(crate) mod tidy;
