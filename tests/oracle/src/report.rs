//! What a comparison found, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pipelint_frontend::rust::SiteKind;

use crate::compare::{Difference, What};
use crate::expected::Reason;

/// What became of the sites of one kind.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// What `syn` finds.
    pub syn: usize,
    /// Of these, what the front end lowers at exactly this place.
    pub equal: usize,
    /// Of these, what is excepted.
    pub excepted: BTreeMap<Reason, usize>,
    /// What the front end lowers among tokens that `syn` cannot read, and is right by itself.
    pub alone: usize,
}

/// All counts.
#[derive(Debug, Default)]
pub struct Report {
    /// Files that `syn` parses.
    pub files: usize,
    /// Their lines.
    pub lines: usize,
    /// Files that `syn` does not parse.
    pub unparsed: Vec<PathBuf>,
    /// Their lines.
    pub unparsed_lines: usize,
    /// Files that are no text.
    pub unreadable: usize,
    /// Sites by kind.
    pub counts: BTreeMap<SiteKind, Counts>,
    /// Macro calls whose arguments read as code.
    pub read: usize,
    /// Macro calls with a grammar of their own, by name.
    pub foreign: BTreeMap<String, usize>,
    /// What nothing explains.
    pub differences: Vec<Difference>,
    /// Time of the front end, added up.
    pub time: Duration,
    /// The files that took longest for their length: seconds per byte, time, path.
    pub slowest: Vec<(f64, Duration, PathBuf)>,
}

/// Files named as the slowest.
const SLOWEST: usize = 5;
/// Macros with a grammar of their own that are named.
const COMMONEST: usize = 10;
/// Files shorter than this, in bytes, count as so long: their time is the clock's.
const SHORT: usize = 20_000;

impl Report {
    /// Adds the counts of another.
    pub(crate) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.lines += other.lines;
        self.unparsed.extend(other.unparsed);
        self.unparsed_lines += other.unparsed_lines;
        self.unreadable += other.unreadable;
        self.read += other.read;
        for (name, n) in other.foreign {
            *self.foreign.entry(name).or_default() += n;
        }
        self.time += other.time;
        for (kind, counts) in other.counts {
            let to = self.counts.entry(kind).or_default();
            to.syn += counts.syn;
            to.equal += counts.equal;
            to.alone += counts.alone;
            for (reason, n) in counts.excepted {
                *to.excepted.entry(reason).or_default() += n;
            }
        }
        self.differences.extend(other.differences);
        self.slowest.extend(other.slowest);
        self.slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.slowest.truncate(SLOWEST);
    }

    /// Notes how long the front end took for a file.
    pub(crate) fn took(&mut self, time: Duration, path: &Path, length: usize) {
        self.time += time;
        let rate = time.as_secs_f64() / length.max(SHORT) as f64;
        self.slowest.push((rate, time, path.to_owned()));
    }

    /// The differences by what is wrong.
    pub fn by_what(&self) -> BTreeMap<What, Vec<&Difference>> {
        let mut out: BTreeMap<What, Vec<&Difference>> = BTreeMap::new();
        for difference in &self.differences {
            out.entry(difference.what).or_default().push(difference);
        }
        out
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files, {} lines", self.files, self.lines)?;
        writeln!(
            f,
            "left out: {} files, {} lines that syn does not parse; {} files that are no text",
            self.unparsed.len(),
            self.unparsed_lines,
            self.unreadable
        )?;
        writeln!(
            f,
            "macro calls: {} with arguments that read as code, {} with a grammar of their own",
            self.read,
            self.foreign.values().sum::<usize>()
        )?;
        let mut names: Vec<(&String, &usize)> = self.foreign.iter().collect();
        names.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        for (name, n) in names.into_iter().take(COMMONEST) {
            writeln!(f, "  {n:>8} {name}!")?;
        }
        writeln!(
            f,
            "{:10}{:>10}{:>10}{:>10}{:>10}  by itself",
            "", "syn", "equal", "excepted", "differ"
        )?;
        for (kind, counts) in &self.counts {
            let excepted: usize = counts.excepted.values().sum();
            let differ = counts.syn - counts.equal - excepted;
            writeln!(
                f,
                "{:10}{:>10}{:>10}{:>10}{:>10}  {}",
                format!("{kind:?}"),
                counts.syn,
                counts.equal,
                excepted,
                differ,
                counts.alone
            )?;
        }
        let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
        for (reason, n) in self.counts.values().flat_map(|c| &c.excepted) {
            *reasons.entry(*reason).or_default() += n;
        }
        for (reason, n) in reasons {
            writeln!(f, "excepted: {n:>8} {reason:?}")?;
        }
        for (what, list) in self.by_what() {
            writeln!(f, "differ: {:>10} {what:?}", list.len())?;
        }
        write!(f, "the front end took {:.1} s", self.time.as_secs_f64())?;
        for (rate, time, path) in &self.slowest {
            write!(
                f,
                "\nslow: {:.1} MB/s, {} ms, {}",
                1e-6 / rate.max(1e-12),
                time.as_millis(),
                path.display()
            )?;
        }
        Ok(())
    }
}
