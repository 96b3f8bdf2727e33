//! Every documented example is run: a bad one is reported by its own rule and no other, a good one
//! by none.

use std::fmt::Write;

use pipelint_tests::lint;

#[test]
fn documented_examples_are_reported_as_documented() {
    let mut report = String::new();
    for rule in pipelint_rules::all() {
        let meta = rule.meta();
        for (number, example) in (1..).zip(meta.examples) {
            let ending = match example.language {
                "rust" => "rs",
                language => language,
            };
            let path = format!("example.{ending}");
            let linted = lint(&[(path, example.code.to_owned())]);
            let codes: Vec<&str> = linted.found.iter().map(|f| f.code.as_str()).collect();
            let right = if example.bad {
                !codes.is_empty() && codes.iter().all(|code| *code == meta.code)
            } else {
                codes.is_empty()
            };
            if !right {
                let kind = if example.bad { "bad" } else { "good" };
                let _ = writeln!(
                    report,
                    "{} {}, example {number} ({kind}): {codes:?}\n{}",
                    meta.code, meta.name, example.code
                );
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}
