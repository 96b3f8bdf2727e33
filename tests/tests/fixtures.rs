//! Every place that a fixture marks is found, and nothing else.
//!
//! `FIXTURE=PL103` runs those alone whose path holds the word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use pipelint_report::RuleMeta;
use pipelint_tests::{Found, GAP, Marker, files_below, lint, markers, program, root};

/// Bad and good files of each rule, at least.
const AT_LEAST: usize = 4;

#[test]
fn every_marked_place_is_found_and_nothing_else() {
    let root = root();
    let only = std::env::var("FIXTURE").unwrap_or_default();
    let mut report = String::new();
    let mut checked = 0;
    for file in sources(&root.join("fixtures")) {
        if !file.to_string_lossy().contains(&only) {
            continue;
        }
        checked += 1;
        let files = program(&root, &file).expect("a fixture can be read");
        let linted = lint(&files);
        if linted.parsed == 0 {
            let _ = writeln!(report, "{}: was never parsed", file.display());
        }
        for (path, text) in &files {
            let expected = match markers(text) {
                Ok(expected) => expected,
                Err(problem) => {
                    let _ = writeln!(report, "{path}: {problem}");
                    continue;
                }
            };
            let found: Vec<&Found> = linted.found.iter().filter(|f| f.path == *path).collect();
            compare(path, text, expected, &found, &mut report);
        }
    }
    assert!(checked > 0, "no fixture's path holds `{only}`");
    assert!(
        report.is_empty(),
        "{} differences in {checked} fixtures:\n\n{report}",
        report.lines().count()
    );
}

/// Both ways: what is expected and not found, what is found and not expected.
fn compare(
    path: &str,
    text: &str,
    mut expected: Vec<Marker>,
    found: &[&Found],
    report: &mut String,
) {
    let mut differences = Vec::new();
    for found in found {
        let fits = |marker: &Marker| {
            let column = marker.columns.as_ref();
            marker.line == found.line
                && marker.code == found.code
                && column.is_none_or(|columns| columns.contains(&found.column))
        };
        match expected.iter().position(fits) {
            Some(at) => {
                expected.remove(at);
            }
            None => {
                let words = format!("unexpected {}: {}", found.code, found.message);
                differences.push((found.line, words));
            }
        }
    }
    for marker in expected {
        let columns = marker.columns.map_or_else(String::new, |columns| {
            format!(" in columns {} to {}", columns.start(), columns.end())
        });
        let words = format!("missing    {}{columns}", marker.code);
        differences.push((marker.line, words));
    }
    differences.sort();
    for (line, words) in differences {
        let code = text.lines().nth(line as usize - 1).unwrap_or_default();
        let _ = writeln!(report, "{path}:{line}: {words}  |  {}", code.trim());
    }
}

#[test]
fn each_rule_has_a_folder_with_bad_and_good_files() {
    let mut problems = Vec::new();
    for (folder, languages) in [("cpp", &["c", "cpp"][..]), ("rust", &["rust"])] {
        let fixtures = root().join("fixtures").join(folder);
        let rules: BTreeMap<String, &RuleMeta> = pipelint_rules::all()
            .iter()
            .map(|rule| rule.meta())
            .map(|meta| (format!("{}-{}", meta.code, meta.name), meta))
            .collect();
        let folders: BTreeSet<String> = std::fs::read_dir(&fixtures)
            .expect("the fixtures are there")
            .map(|entry| entry.expect("the folder can be read").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        for name in folders.iter().filter(|name| !rules.contains_key(*name)) {
            problems.push(format!("{folder}/{name}: names no rule"));
        }
        for (name, rule) in rules {
            let mut examples = rule.examples.iter();
            let speaks = examples.any(|example| languages.contains(&example.language));
            if folders.contains(&name) {
                look_into(&fixtures.join(&name), rule, speaks, &mut problems);
            } else if speaks {
                problems.push(format!("{folder}/{name}: there is no such folder"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Whether a rule's folder holds what its files are named for; with documented examples in the
/// language, enough of it. A Rust file holds several programs, one a function.
fn look_into(folder: &Path, rule: &RuleMeta, speaks: bool, problems: &mut Vec<String>) {
    let (mut bad, mut good) = (0, 0);
    for file in sources(folder) {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let rust = file.extension().is_some_and(|e| e == "rs");
        let text = std::fs::read_to_string(&file).expect("a fixture can be read");
        let markers = markers(&text).unwrap_or_default();
        let own = markers.iter().filter(|m| m.code == rule.code).count();
        if stem.starts_with("bad") {
            bad += if rust { own } else { 1 };
            if own == 0 {
                problems.push(format!("{}: marks no {}", file.display(), rule.code));
            }
        } else if stem.starts_with("good") {
            good += if rust {
                ["pub fn ", "pub struct "]
                    .map(|word| text.matches(word).count())
                    .iter()
                    .sum()
            } else {
                1
            };
            if !markers.is_empty() {
                problems.push(format!("{}: is good, yet has a marker", file.display()));
            }
        } else {
            problems.push(format!("{}: is neither bad nor good", file.display()));
        }
    }
    if speaks && (bad < AT_LEAST || good < AT_LEAST) {
        problems.push(format!(
            "{}: {bad} bad and {good} good files are too few",
            folder.display()
        ));
    }
}

#[test]
fn every_finding_is_put_into_whole_words() {
    let root = root();
    let mut problems = BTreeSet::new();
    let mut seen = 0;
    for file in sources(&root.join("fixtures")) {
        let files = program(&root, &file).expect("a fixture can be read");
        for found in lint(&files).found.iter().filter(|found| found.code != GAP) {
            seen += 1;
            let texts = [&found.message, &found.help];
            for text in texts.into_iter().chain(&found.path_labels) {
                // An empty name leaves two backticks side by side, or a call on nothing.
                let whole = !text.is_empty()
                    && !text.contains("``")
                    && !text.contains("()")
                    && !text.contains("  ")
                    && !text.ends_with('.')
                    && text.matches('`').count() % 2 == 0;
                if !whole {
                    problems.insert(format!("{}: {text:?}", found.code));
                }
            }
            if found.path_labels.is_empty() {
                problems.insert(format!(
                    "{}:{}: {} has no path",
                    found.path, found.line, found.code
                ));
            }
        }
    }
    assert!(seen > 0, "no fixture is reported");
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_review_is_answered_with_every_use_as_a_related_place() {
    let root = root();
    let file = root.join("fixtures/review/overlapped_pipe_writer.cpp");
    let text = std::fs::read_to_string(&file).expect("the reviewed class is there");
    let linted = lint(&program(&root, &file).expect("a fixture can be read"));
    let related = |code: &str, at: usize| -> Vec<String> {
        let found = linted
            .found
            .iter()
            .filter(|found| found.code == code)
            .nth(at);
        let related = found.map(|found| found.related.clone()).unwrap_or_default();
        let line = |line: u32| text.lines().nth(line as usize - 1).unwrap_or_default();
        related
            .into_iter()
            .map(|at| line(at).trim().to_owned())
            .collect()
    };
    assert_eq!(
        related("PL201", 0),
        [
            "CloseThreadpoolWait(completionWait);",
            "SetThreadpoolWait(completionWait, NULL, NULL);",
            "WaitForThreadpoolWaitCallbacks(completionWait, TRUE);",
            "SetThreadpoolWait(completionWait, completionEvent, NULL);",
        ]
    );
    let event = related("PL101", 0);
    assert!(
        event.contains(&"SetThreadpoolWait(completionWait, completionEvent, NULL);".to_owned()),
        "{event:?}"
    );
    let wake = related("PL101", 1);
    for used in ["SetEvent(wakeEvent);", "SetEvent(writer->wakeEvent);"] {
        assert!(wake.contains(&used.to_owned()), "{used} in {wake:?}");
    }
}

/// The source files below a folder; headers are linted with what includes them.
fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = files_below(folder).expect("the fixtures are there");
    files.retain(|file| {
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        // The known-good writers are linted as whole programs, in mutants.rs.
        let known_good = file
            .components()
            .any(|part| part.as_os_str() == "known-good");
        ["c", "cc", "cpp", "cxx", "rs"].contains(&&*extension) && !known_good
    });
    files
}
