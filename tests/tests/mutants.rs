//! The known-good writers are silent, and each safeguard taken out of them is missed by the rule
//! that guards it: the tables `mutants*.toml` in `fixtures/known-good`.
//!
//! What changes nothing that counts (an equivalent mutant) is silent.
//!
//! `MUTANT=PL103` runs those alone whose name or rule holds the word.

use std::collections::BTreeSet;
use std::fmt::Write;

use pipelint_tests::{Found, Program, Target, WRITERS, Writer, lint_for, root};
use rayon::prelude::*;
use serde::Deserialize;

/// Mutants of each writer, at least.
const AT_LEAST: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mutants: Vec<Mutant>,
}

/// An edit that takes one safeguard out of a writer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// The system that the edited code is for.
    #[serde(default)]
    target: Target,
    /// The file to edit, below the writer's [`Writer::base`].
    file: String,
    /// Occurs once in the file.
    find: String,
    replace: String,
    /// What stands behind the safeguard and would keep it from being missed: taken out as well.
    #[serde(default)]
    also: Vec<Edit>,
    /// The code of the rule that must report it, or of the one that must not where it is equivalent.
    rule: String,
    /// Occurs once in the mutated `file_at`; the report stands on its first line.
    at: String,
    /// The file of `at`, if it is not the edited one.
    file_at: Option<String>,
    /// Why the rule does not find it yet.
    known_miss: Option<String>,
    /// Why the program is as right as before: nothing may be reported then.
    equivalent: Option<String>,
}

/// An edit of one file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Occurs once in the file.
    find: String,
    replace: String,
}

#[test]
fn every_mutant_is_reported_once_at_its_place() {
    let rules: BTreeSet<&str> = pipelint_rules::all()
        .iter()
        .map(|rule| rule.meta().code)
        .collect();
    let only = std::env::var("MUTANT").unwrap_or_default();
    let mut report = String::new();
    let mut tried = 0;
    for writer in &WRITERS {
        let files = writer.sources().expect("the writer can be read");
        let mut mutants = table(writer).mutants;
        mutants.retain(|mutant| mutant.name.contains(&only) || mutant.rule.contains(&only));
        tried += mutants.len();
        let problems: Vec<String> = mutants
            .par_iter()
            .map(|mutant| problem(mutant, writer, &files, &rules))
            .collect();
        report.extend(problems);
    }
    assert!(tried > 0, "no mutant's name or rule holds `{only}`");
    assert!(report.is_empty(), "of {tried} mutants:\n\n{report}");
}

/// What is not as the table says; nothing if all is.
fn problem(
    mutant: &Mutant,
    writer: &Writer,
    files: &Program,
    rules: &BTreeSet<&'static str>,
) -> String {
    let name = &mutant.name;
    let mutated = match mutant.apply(writer, files) {
        Ok(applied) => applied,
        Err(problem) => return format!("{name}: {problem}\n"),
    };
    if !rules.contains(mutant.rule.as_str()) {
        return String::new();
    }
    let found = lint_for(mutant.target, &mutated.files).found;
    if mutant.equivalent.is_some() {
        if found.is_empty() {
            return String::new();
        }
        let mut report = format!("{name}: nothing is wrong with it\n");
        describe(&found, &mut report);
        return report;
    }
    match (
        mutated.is_answered(&found, &mutant.rule),
        &mutant.known_miss,
    ) {
        (true, None) | (false, Some(_)) => String::new(),
        (true, Some(_)) => format!("{name}: is found now, so take its mark away\n"),
        (false, None) => {
            let Mutated { place, line, .. } = mutated;
            let mut report = format!("{name}: expected {} alone at {place}:{line}\n", mutant.rule);
            describe(&found, &mut report);
            report
        }
    }
}

#[test]
fn the_writers_are_silent() {
    for writer in &WRITERS {
        let files = writer.sources().expect("the writer can be read");
        demand_silence(writer, &files);
    }
}

#[test]
fn the_tests_of_the_writers_are_silent_with_them() {
    for writer in &WRITERS {
        let files = writer.with_tests().expect("the writer can be read");
        demand_silence(writer, &files);
    }
}

fn demand_silence(writer: &Writer, files: &Program) {
    for target in writer.targets {
        let name = format!("{} on {target:?}", writer.name);
        let linted = lint_for(*target, files);
        assert!(linted.parsed > 0, "{name}: was never parsed");
        let mut report = String::new();
        describe(&linted.found, &mut report);
        assert!(report.is_empty(), "{name}:\n{report}");
    }
}

#[test]
fn the_tables_are_whole() {
    let mut problems = Vec::new();
    for writer in &WRITERS {
        let mut names = BTreeSet::new();
        for mutant in table(writer).mutants {
            let name = &mutant.name;
            if !names.insert(name.clone()) {
                problems.push(format!("{name}: the name occurs twice"));
            }
            if mutant.find == mutant.replace {
                problems.push(format!("{name}: changes nothing"));
            }
            if !writer.targets.contains(&mutant.target) {
                problems.push(format!("{name}: the writer is not for that system"));
            }
            let reasons = [&mutant.known_miss, &mutant.equivalent];
            if reasons.into_iter().flatten().any(String::is_empty) {
                problems.push(format!("{name}: is not reported, for no reason"));
            }
        }
        let (count, writer) = (names.len(), writer.name);
        if count < AT_LEAST {
            problems.push(format!("{writer}: {count} mutants are too few"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A writer with an edit, and where the report must stand.
struct Mutated {
    files: Program,
    place: String,
    line: u32,
}

impl Mutant {
    /// Makes the edit in the writer's files.
    fn apply(&self, writer: &Writer, files: &Program) -> Result<Mutated, String> {
        let mut files = files.clone();
        let own = (&self.file, &self.find, &self.replace);
        let also = self.also.iter().map(|e| (&e.file, &e.find, &e.replace));
        for (file, find, replace) in std::iter::once(own).chain(also) {
            let edited = writer.path(file);
            let text = files.iter_mut().find(|(path, _)| *path == edited);
            let (_, text) = text.ok_or_else(|| format!("there is no {edited}"))?;
            once(text, find, "find")?;
            *text = text.replacen(find, replace, 1);
        }
        let place = writer.path(self.file_at.as_ref().unwrap_or(&self.file));
        let text = files.iter().find(|(path, _)| *path == place);
        let (_, text) = text.ok_or_else(|| format!("there is no {place}"))?;
        let before = &text[..once(text, &self.at, "at")?];
        let line = before.matches('\n').count() + 1;
        let line = u32::try_from(line).map_err(|e| e.to_string())?;
        Ok(Mutated { files, place, line })
    }
}

impl Mutated {
    /// Whether the rule reports it at its place, and nothing else is reported.
    fn is_answered(&self, found: &[Found], rule: &str) -> bool {
        matches!(found, [only]
            if only.code == rule && only.path == self.place && only.line == self.line)
    }
}

/// Where the one occurrence of the part begins.
fn once(text: &str, part: &str, what: &str) -> Result<usize, String> {
    let mut places = text.match_indices(part);
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => Err(format!("`{what}` does not occur")),
        (Some(_), Some(_)) => Err(format!("`{what}` occurs more than once")),
    }
}

fn describe(found: &[Found], report: &mut String) {
    for found in found {
        let Found {
            path,
            line,
            code,
            message,
            ..
        } = found;
        let _ = writeln!(report, "    {path}:{line}: {code}: {message}");
    }
}

fn table(writer: &Writer) -> Table {
    let path = root().join(writer.mutants);
    let text = std::fs::read_to_string(path).expect("the table is there");
    toml::from_str(&text).expect("the table is as the test reads it")
}
