//! An oracle for the Rust front end: what `syn` parses is compared with what the front end lowers.
//!
//! Both tell where functions, calls, macro calls and `?` are. What one has and the other has not is a
//! [`Difference`], or it is excepted for a [`Reason`] that follows from the source alone.
//! `docs/oracle.md` tells what is compared, and what each reason means.

mod alone;
mod arguments;
mod attributes;
mod compare;
mod expected;
mod found;
mod place;
mod report;
mod sources;

pub use compare::{Difference, What};
pub use expected::Reason;
pub use report::Report;
pub use sources::{Group, groups};

use pipelint_frontend::rust::cfg::Cfg;
use rayon::prelude::*;

/// Stack of a thread, in bytes: both sides recurse as deeply as sources are nested.
const STACK: usize = 256 << 20;

/// Compares all files of the groups.
///
/// # Errors
///
/// When no threads can be started.
pub fn run(groups: &[Group], cfg: &Cfg) -> Result<Report, rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build()?;
    Ok(pool.install(|| compared(groups, cfg)))
}

fn compared(groups: &[Group], cfg: &Cfg) -> Report {
    let reports: Vec<Report> = groups
        .par_iter()
        .map(|group| compare::group(group, cfg))
        .collect();
    let mut all = Report::default();
    for report in reports {
        all.add(report);
    }
    all.differences.sort();
    all
}
