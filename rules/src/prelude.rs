//! What every rule file needs.

pub(crate) use pipelint_analysis::{Event, EventKind, Resource};
pub(crate) use pipelint_macros::RuleMeta;
pub(crate) use pipelint_report::{Diagnostic, Group, RuleMeta};

pub(crate) use crate::{
    rule::Rule,
    words::{self, Words},
};
