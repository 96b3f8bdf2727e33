//! What a run went through, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use pipelint_ir::{GapReason, Unit, Wholeness};

/// Counts and times of one run. Times of parallel phases are added over the threads.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Files linted.
    pub files: usize,
    /// Files parsed: they hold a name that the models know.
    pub parsed: usize,
    /// Further files parsed because a linted one needs them.
    pub context: usize,
    /// Bytes of the parsed files.
    pub bytes: usize,
    /// Functions lowered whole.
    pub whole: usize,
    /// Functions with some statements not understood.
    pub partial: usize,
    /// Functions not understood at all.
    pub given_up: usize,
    /// Functions that the executor ran.
    pub executed: usize,
    /// Functions in which the analysis met a bound.
    pub bounded: usize,
    /// Gaps by reason.
    pub gaps: BTreeMap<String, usize>,
    /// Allow comments that silenced nothing, as `path:line`.
    pub unused_allows: Vec<String>,
    /// Time per phase, in order.
    pub phases: Vec<(&'static str, Duration)>,
}

/// A gap's reason as a short clause.
pub(crate) fn reason(reason: &GapReason) -> String {
    match reason {
        GapReason::Syntax => "the syntax is not understood".into(),
        GapReason::Unsupported(what) => format!("`{what}` is not lowered"),
        GapReason::TooDeep => "nested too deeply".into(),
        GapReason::TooLarge => "too large".into(),
        GapReason::Bound(what) => format!("more {what} than the analysis follows"),
    }
}

impl Statistics {
    /// Counts a unit's functions and gaps.
    pub(crate) fn count(&mut self, unit: &Unit) {
        for function in &unit.functions {
            match function.wholeness {
                Wholeness::Whole => self.whole += 1,
                Wholeness::Partial => self.partial += 1,
                Wholeness::GivenUp => self.given_up += 1,
            }
            for gap in &function.gaps {
                *self.gaps.entry(reason(&gap.reason)).or_default() += 1;
            }
        }
        for gap in &unit.gaps {
            *self
                .gaps
                .entry(format!("outside functions: {}", reason(&gap.reason)))
                .or_default() += 1;
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions = self.whole + self.partial + self.given_up;
        let percent = if functions == 0 {
            100.0
        } else {
            100.0 * self.whole as f64 / functions as f64
        };
        writeln!(
            f,
            "files      {} linted: {} parsed ({} bytes), {} skipped as they name no modelled function; \
             {} more parsed for context",
            self.files,
            self.parsed,
            self.bytes,
            self.files - self.parsed,
            self.context
        )?;
        writeln!(
            f,
            "functions  {functions}: {} whole ({percent:.2} %), {} partly parsed, {} given up",
            self.whole, self.partial, self.given_up
        )?;
        writeln!(
            f,
            "analysis   {} functions run, {} met a bound",
            self.executed, self.bounded
        )?;
        for (reason, count) in &self.gaps {
            writeln!(f, "gap        {count:>6}  {reason}")?;
        }
        for place in &self.unused_allows {
            writeln!(f, "unused     {place}: this allow comment silences nothing")?;
        }
        for (phase, time) in &self.phases {
            writeln!(
                f,
                "time       {:>9.2} ms  {phase}",
                time.as_secs_f64() * 1e3
            )?;
        }
        Ok(())
    }
}
