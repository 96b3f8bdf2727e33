//! Both sides, side by side.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use pipelint_frontend::rust::cfg::Cfg;
use pipelint_frontend::rust::{Index, Parsed, SiteKind};
use rayon::prelude::*;

use crate::expected::{self, Reason};
use crate::found::{self, Found, Text};
use crate::place::Range;
use crate::report::Report;
use crate::sources::Group;

/// What is wrong at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// `syn` finds it, the front end does not lower it.
    Missing(SiteKind),
    /// The front end lowers it, `syn` does not find it.
    Extra(SiteKind),
    /// The front end lowers it though `cfg` says that the target does not have it.
    NotThere(SiteKind),
    /// The front end panics.
    Panic,
}

/// Something that nothing explains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What is wrong.
    pub what: What,
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The text there, shortened.
    pub text: String,
}

/// Compares the files of a crate.
pub(crate) fn group(group: &Group, cfg: &Cfg) -> Report {
    let mut report = Report::default();
    let mut texts = Vec::new();
    for path in &group.files {
        match pipelint_source::read(path) {
            Ok(decoded) => texts.push(Text {
                path: path.clone(),
                text: decoded.text,
            }),
            Err(_) => report.unreadable += 1,
        }
    }
    let own: BTreeSet<String> = texts.iter().flat_map(|t| macros(&t.text)).collect();
    let parsed: Vec<Parsed> = texts
        .par_iter()
        .enumerate()
        .map(|(i, text)| {
            found::parsed(u32::try_from(i).unwrap_or(u32::MAX), &text.text, &text.path)
        })
        .collect();
    let Ok(index) = catch_unwind(AssertUnwindSafe(|| Index::new(&parsed, cfg))) else {
        let first = texts.first().map(|text| text.path.clone());
        report.differences.push(Difference {
            what: What::Panic,
            path: first.unwrap_or_default(),
            line: 1,
            text: "while the files are indexed".to_owned(),
        });
        return report;
    };
    let reports: Vec<Report> = texts
        .par_iter()
        .zip(&parsed)
        .map(|(text, parsed)| file(text, parsed, &index, cfg, &own))
        .collect();
    for of in reports {
        report.add(of);
    }
    report
}

/// The names of the macros that a text defines.
fn macros(text: &str) -> impl Iterator<Item = String> + '_ {
    text.match_indices("macro_rules!").filter_map(|(at, word)| {
        let rest = text[at + word.len()..].trim_start();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
        Some(rest[..end].to_owned())
    })
}

fn file(text: &Text, parsed: &Parsed, index: &Index, cfg: &Cfg, own: &BTreeSet<String>) -> Report {
    let mut report = Report::default();
    let lines = text.text.lines().count();
    let syntax = syn::parse_file(&plain(&text.text));
    let Ok(syntax) = syntax else {
        report.unparsed.push(text.path.clone());
        report.unparsed_lines += lines;
        return report;
    };
    report.files += 1;
    report.lines += lines;
    let found = catch_unwind(AssertUnwindSafe(|| found::lowered(parsed, index, cfg)));
    let Ok(found) = found else {
        report.differences.push(Difference {
            what: What::Panic,
            path: text.path.clone(),
            line: 1,
            text: "while the file is lowered".to_owned(),
        });
        return report;
    };
    report.took(found.time, &text.path, text.text.len());
    let expected = expected::find(&syntax, &text.text, cfg, own);
    sites(text, expected, &found, &mut report);
    // The positions of all texts are kept until they are let go of.
    proc_macro2::extra::invalidate_current_thread_spans();
    report
}

/// The text with a first line `#!…` blanked: `syn` would cut it off, and count from behind it.
fn plain(text: &str) -> String {
    let end = text.find('\n').unwrap_or(text.len());
    let shebang = text.starts_with("#!") && !text[2..].trim_start().starts_with('[');
    if shebang {
        format!("{}{}", " ".repeat(end), &text[end..])
    } else {
        text.to_owned()
    }
}

fn sites(text: &Text, expected: expected::Sites, found: &Found, report: &mut Report) {
    let mut known = rustc_hash::FxHashSet::default();
    report.read += expected.read;
    report.foreign = expected.foreign;
    let difference = |what: What, at: &Range| Difference {
        what,
        path: text.path.clone(),
        line: text.text[..at.start.min(text.text.len())]
            .matches('\n')
            .count()
            + 1,
        text: shown(text.text.get(at.clone()).unwrap_or("")),
    };
    for site in &expected.sites {
        let key = (site.kind, site.at.start, site.at.end);
        known.insert(key);
        let lowered = found.sites.contains(&key);
        let deep = || found.deep.iter().any(|gap| covers(gap, &site.at));
        let counts = report.counts.entry(site.kind).or_default();
        counts.syn += 1;
        match (lowered, site.reason) {
            (true, Some(Reason::Off)) => {
                let what = What::NotThere(site.kind);
                report.differences.push(difference(what, &site.at));
            }
            (true, _) => counts.equal += 1,
            (false, Some(reason)) => *counts.excepted.entry(reason).or_default() += 1,
            (false, None) if deep() => *counts.excepted.entry(Reason::TooDeep).or_default() += 1,
            (false, None) => {
                let what = What::Missing(site.kind);
                report.differences.push(difference(what, &site.at));
            }
        }
    }
    for key in &found.sites {
        if known.contains(key) {
            continue;
        }
        let &(kind, start, end) = key;
        let at = start..end;
        let mut around = expected.unread.iter().chain(&expected.own);
        let alone = around.any(|region| covers(region, &at))
            && text
                .text
                .get(at.clone())
                .is_some_and(|text| crate::alone::is(kind, text));
        if alone {
            report.counts.entry(kind).or_default().alone += 1;
        } else {
            report.differences.push(difference(What::Extra(kind), &at));
        }
    }
}

fn covers(outer: &Range, inner: &Range) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn shown(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.truncate(24);
    words.join(" ").chars().take(140).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f() { g(); #[cfg(unix)] h(); }";

    fn compared(found: &[(SiteKind, &str)]) -> Report {
        let text = Text {
            path: PathBuf::from("f.rs"),
            text: TEXT.to_owned(),
        };
        let syntax = syn::parse_file(TEXT).expect("a text that parses");
        let expected = expected::find(&syntax, TEXT, &Cfg::windows(), &BTreeSet::new());
        let place = |&(kind, written): &(SiteKind, &str)| {
            let start = TEXT.find(written).expect("a part of the text");
            (kind, start, start + written.len())
        };
        let found = Found {
            sites: found.iter().map(place).collect(),
            ..Found::default()
        };
        let mut report = Report::default();
        sites(&text, expected, &found, &mut report);
        report
    }

    fn whats(report: &Report) -> Vec<What> {
        report.differences.iter().map(|d| d.what).collect()
    }

    #[test]
    fn what_both_have_is_equal_and_what_cfg_removes_is_excepted() {
        let report = compared(&[(SiteKind::Function, TEXT), (SiteKind::Call, "g()")]);
        assert_eq!(whats(&report), []);
        let calls = &report.counts[&SiteKind::Call];
        assert_eq!((calls.syn, calls.equal), (2, 1));
        assert_eq!(calls.excepted[&Reason::Off], 1);
    }

    #[test]
    fn what_one_side_has_alone_is_a_difference() {
        let report = compared(&[(SiteKind::Function, TEXT)]);
        assert_eq!(whats(&report), [What::Missing(SiteKind::Call)]);
        let function = (SiteKind::Function, TEXT);
        let report = compared(&[function, (SiteKind::Call, "g()"), (SiteKind::Call, "g();")]);
        assert_eq!(whats(&report), [What::Extra(SiteKind::Call)]);
        let report = compared(&[function, (SiteKind::Call, "g()"), (SiteKind::Call, "h()")]);
        assert_eq!(whats(&report), [What::NotThere(SiteKind::Call)]);
    }
}
