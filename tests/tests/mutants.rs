//! The known-good writers are silent, and each safeguard taken out of them is missed by the rule
//! that guards it: `fixtures/known-good/mutants.toml`.
//!
//! `MUTANT=PL103` runs those alone whose name or rule holds the word.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use pipelint_tests::{Found, files_below, lint, root};
use serde::Deserialize;

/// The folder of the table, from the project's top; paths in the table are below it.
const FOLDER: &str = "fixtures/known-good";
/// The folders of the writers below [`FOLDER`]; the files of one are linted together.
const WRITERS: [&str; 1] = ["cpp"];
/// Mutants in the table, at least.
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
    /// The file to edit.
    file: String,
    /// Occurs once in the file.
    find: String,
    replace: String,
    /// The code of the rule that must report it.
    rule: String,
    /// Occurs once in the mutated `file_at`; the report stands on its first line.
    at: String,
    /// The file of `at`, if it is not the edited one.
    file_at: Option<String>,
    /// Why the rule does not find it yet.
    known_miss: Option<String>,
}

/// Files with the path below [`FOLDER`] and their text.
type Files = Vec<(String, String)>;

#[test]
fn every_mutant_is_reported_once_at_its_place() {
    let rules: BTreeSet<&str> = pipelint_rules::all()
        .iter()
        .map(|rule| rule.meta().code)
        .collect();
    let only = std::env::var("MUTANT").unwrap_or_default();
    let mut report = String::new();
    let mut tried = 0;
    for writer in WRITERS {
        let prefix = format!("{writer}/");
        let files = sources(writer);
        for mutant in table().mutants {
            let chosen = mutant.name.contains(&only) || mutant.rule.contains(&only);
            if !chosen || !mutant.file.starts_with(&prefix) {
                continue;
            }
            tried += 1;
            let name = &mutant.name;
            let (mutated, line) = match mutant.apply(&files) {
                Ok(applied) => applied,
                Err(problem) => {
                    let _ = writeln!(report, "{name}: {problem}");
                    continue;
                }
            };
            if !rules.contains(mutant.rule.as_str()) {
                continue;
            }
            let found = lint(&mutated).found;
            match (mutant.is_answered(&found, line), &mutant.known_miss) {
                (true, None) | (false, Some(_)) => {}
                (true, Some(_)) => {
                    let _ = writeln!(report, "{name}: is found now, so take its mark away");
                }
                (false, None) => {
                    let place = format!("{}:{line}", mutant.place());
                    let _ = writeln!(report, "{name}: expected {} alone at {place}", mutant.rule);
                    describe(&found, &mut report);
                }
            }
        }
    }
    assert!(tried > 0, "no mutant's name or rule holds `{only}`");
    assert!(report.is_empty(), "of {tried} mutants:\n\n{report}");
}

#[test]
fn the_writers_are_silent() {
    for writer in WRITERS {
        let linted = lint(&sources(writer));
        assert!(linted.parsed > 0, "{writer}: was never parsed");
        let mut report = String::new();
        describe(&linted.found, &mut report);
        assert!(report.is_empty(), "{writer}:\n{report}");
    }
}

#[test]
fn the_tests_of_the_writers_are_silent_with_them() {
    for writer in WRITERS {
        let mut report = String::new();
        describe(&lint(&all_sources(writer)).found, &mut report);
        assert!(report.is_empty(), "{writer}:\n{report}");
    }
}

#[test]
fn the_table_is_whole() {
    let mut names = BTreeSet::new();
    let mut problems = Vec::new();
    for mutant in table().mutants {
        let name = &mutant.name;
        if !names.insert(name.clone()) {
            problems.push(format!("{name}: the name occurs twice"));
        }
        if mutant.find == mutant.replace {
            problems.push(format!("{name}: changes nothing"));
        }
        let in_writer = WRITERS.iter().any(|writer| {
            let below = |path: &str| path.starts_with(&format!("{writer}/"));
            below(&mutant.file) && below(mutant.place())
        });
        if !in_writer {
            problems.push(format!("{name}: is of no writer"));
        }
        if mutant.known_miss.as_deref().is_some_and(str::is_empty) {
            problems.push(format!("{name}: is missed for no reason"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(names.len() >= AT_LEAST, "{} are too few", names.len());
}

impl Mutant {
    /// The file in which the report must stand.
    fn place(&self) -> &str {
        self.file_at.as_ref().unwrap_or(&self.file)
    }

    /// The files with the edit, and the line on which the report must stand.
    fn apply(&self, files: &[(String, String)]) -> Result<(Files, u32), String> {
        let mut mutated = files.to_vec();
        let edited = mutated.iter_mut().find(|(path, _)| *path == self.file);
        let (_, text) = edited.ok_or_else(|| format!("there is no {}", self.file))?;
        once(text, &self.find, "find")?;
        *text = text.replacen(&self.find, &self.replace, 1);
        let place = mutated.iter().find(|(path, _)| path == self.place());
        let (_, text) = place.ok_or_else(|| format!("there is no {}", self.place()))?;
        let before = &text[..once(text, &self.at, "at")?];
        let line = before.matches('\n').count() + 1;
        Ok((mutated, u32::try_from(line).map_err(|e| e.to_string())?))
    }

    /// Whether the rule reports it at that line, and nothing else is reported.
    fn is_answered(&self, found: &[Found], line: u32) -> bool {
        matches!(found, [only]
            if only.code == self.rule && only.path == self.place() && only.line == line)
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

fn table() -> Table {
    let path = root().join(FOLDER).join("mutants.toml");
    let text = std::fs::read_to_string(path).expect("the table is there");
    toml::from_str(&text).expect("the table is as the test reads it")
}

/// The files of a writer, without its tests.
fn sources(writer: &str) -> Files {
    let tests = format!("{writer}/tests/");
    let mut files = all_sources(writer);
    files.retain(|(path, _)| !path.starts_with(&tests));
    files
}

fn all_sources(writer: &str) -> Files {
    let folder = root().join(FOLDER);
    let paths = files_below(&folder.join(writer)).expect("the writer is there");
    let read = |path: &Path| {
        let shown = path.strip_prefix(&folder).unwrap_or(path);
        let shown = shown.to_string_lossy().replace('\\', "/");
        (
            shown,
            std::fs::read_to_string(path).expect("a source can be read"),
        )
    };
    paths.iter().map(|path| read(path)).collect()
}
