//! What the front end lowers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pipelint_frontend::rust::cfg::Cfg;
use pipelint_frontend::rust::{Index, Parsed, SiteKind, lower_with_sites, parse};
use pipelint_ir::GapReason;
use pipelint_source::FileId;
use rustc_hash::FxHashSet;

use crate::place::Range;

/// A file's text.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What was lowered in a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) sites: FxHashSet<(SiteKind, usize, usize)>,
    /// Regions that are nested deeper than the front end follows.
    pub(crate) deep: Vec<Range>,
    /// Time to parse and lower.
    pub(crate) time: Duration,
}

/// Parses a file.
pub(crate) fn parsed(id: u32, text: &str, path: &Path) -> Parsed {
    parse(FileId(id), text, path)
}

/// Lowers a file.
pub(crate) fn lowered(file: &Parsed, index: &Index, cfg: &Cfg) -> Found {
    let start = Instant::now();
    let (lowered, sites) = lower_with_sites(file, index, cfg);
    let time = start.elapsed() + lowered.parse;
    let gaps = lowered.unit.functions.iter().flat_map(|f| &f.gaps);
    let gaps = gaps.chain(&lowered.unit.gaps);
    Found {
        sites: sites
            .into_iter()
            .map(|site| (site.kind, site.span.start as usize, site.span.end as usize))
            .collect(),
        deep: gaps
            .filter(|gap| gap.reason == GapReason::TooDeep)
            .map(|gap| gap.span.range())
            .collect(),
        time,
    }
}
