//! Each safeguard that can be taken out of a known-good writer by itself is missed by a rule, or
//! stands in `fixtures/known-good/survivors.toml` with the reason why none does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pipelint_tests::mutator::slips;
use pipelint_tests::{GAP, Program, WRITERS, Writer, lint_for, root};
use rayon::prelude::*;
use serde::Deserialize;

/// The list, from the project's top.
const LIST: &str = "fixtures/known-good/survivors.toml";
/// Safeguards that are tried, at least: the writers have many.
const AT_LEAST: usize = 150;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    survivors: Vec<Survivor>,
}

/// A safeguard that no rule misses.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    #[serde(flatten)]
    slip: Key,
    /// The rule that will report it.
    rule: Option<String>,
    /// Why nothing has to be reported, or why the rule does not yet.
    because: Option<String>,
}

/// What names a safeguard, wherever its line is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Key {
    /// From the project's top.
    file: String,
    function: String,
    dropped: String,
    #[serde(default = "first")]
    nth: u32,
}

fn first() -> u32 {
    1
}

#[test]
fn every_safeguard_is_missed_or_listed() {
    let mut tried = BTreeMap::new();
    for writer in &WRITERS {
        let files = writer.sources().expect("the writer can be read");
        let found = mutants(&files)
            .into_par_iter()
            .map(|(key, mutated)| (key, is_reported(writer, &mutated)))
            .collect::<Vec<_>>();
        tried.extend(found);
    }
    assert!(tried.len() >= AT_LEAST, "{} are too few", tried.len());
    let listed = list().survivors;
    let keys: BTreeSet<&Key> = listed.iter().map(|survivor| &survivor.slip).collect();
    let mut report = String::new();
    for (key, is_reported) in &tried {
        match (is_reported, keys.contains(key)) {
            (false, false) => {
                let _ = writeln!(report, "nothing reports it, and it is not listed:\n{key}");
            }
            (true, true) => {
                let _ = writeln!(report, "it is reported, so take it from the list:\n{key}");
            }
            _ => {}
        }
    }
    for key in keys {
        if !tried.contains_key(key) {
            let _ = writeln!(report, "there is nothing like it any more:\n{key}");
        }
    }
    assert!(
        report.is_empty(),
        "of {} safeguards:\n\n{report}",
        tried.len()
    );
}

#[test]
fn each_survivor_is_listed_once_with_a_reason() {
    let rules: BTreeSet<&str> = pipelint_rules::all()
        .iter()
        .map(|rule| rule.meta().code)
        .collect();
    let mut keys = BTreeSet::new();
    let mut report = String::new();
    for Survivor {
        slip,
        rule,
        because,
    } in list().survivors
    {
        let explained = match (&rule, &because) {
            (_, Some(because)) => !because.is_empty(),
            // A rule that does not exist yet is reason enough.
            (Some(rule), None) => !rules.contains(rule.as_str()),
            (None, None) => false,
        };
        if !explained {
            let _ = writeln!(report, "why is it not reported?\n{slip}");
        }
        if !keys.insert(slip.clone()) {
            let _ = writeln!(report, "it is listed twice:\n{slip}");
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// The writer's files, once without each of its safeguards.
fn mutants(files: &Program) -> Vec<(Key, Program)> {
    let mut mutants = Vec::new();
    for (at, (path, text)) in files.iter().enumerate() {
        let slips = slips(path, text).unwrap_or_else(|problem| panic!("{problem}"));
        for slip in slips {
            let mut mutated = files.clone();
            mutated[at].1 = slip.apply(text);
            let key = Key {
                file: path.clone(),
                function: slip.function,
                dropped: slip.dropped,
                nth: slip.nth,
            };
            mutants.push((key, mutated));
        }
    }
    mutants
}

/// Whether a rule reports anything, on any system.
fn is_reported(writer: &Writer, files: &Program) -> bool {
    writer.targets.iter().any(|target| {
        let found = lint_for(*target, files).found;
        found.iter().any(|found| found.code != GAP)
    })
}

fn list() -> List {
    let text = std::fs::read_to_string(root().join(LIST)).expect("the list is there");
    toml::from_str(&text).expect("the list is as the test reads it")
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            file,
            function,
            dropped,
            nth,
        } = self;
        writeln!(
            out,
            "[[survivors]]\nfile = \"{file}\"\nfunction = \"{function}\""
        )?;
        writeln!(out, "dropped = '{dropped}'")?;
        match nth {
            1 => Ok(()),
            nth => writeln!(out, "nth = {nth}"),
        }
    }
}
