//! Fingerprints stay when other code moves, and change when their own does.

use pipelint_report::{Diagnostic, FINGERPRINT_KEY, MemorySources, Report, Style, fingerprints};
use pipelint_source::Span;

mod sample;
use sample::{CLOSED_TWICE, UNCHECKED};

/// The fingerprints of a finding at each `make(` of a text.
fn of(text: &str) -> Vec<String> {
    of_file("a.cpp", text, false)
}

fn of_file(path: &str, text: &str, backwards: bool) -> Vec<String> {
    let mut sources = MemorySources::new();
    let file = sources.add(path.to_owned(), text.to_owned());
    let mut diagnostics: Vec<Diagnostic> = text
        .match_indices("make(")
        .map(|(at, _)| finding(Span::new(file, at as u32, at as u32 + 4)))
        .collect();
    if backwards {
        diagnostics.reverse();
    }
    fingerprints(&diagnostics, &sources)
}

fn finding(primary: Span) -> Diagnostic {
    Diagnostic {
        rule: &UNCHECKED,
        primary,
        label: String::new(),
        message: String::new(),
        path: vec![],
        related: vec![],
        help: String::new(),
        function: "Channel::open".to_owned(),
    }
}

#[test]
fn lines_above_and_blanks_within_do_not_matter() {
    let before = of("int a;\nh = make(1);\n");
    assert_eq!(before, of("// new\n\nint a;\nint b;\n\th=make( 1 );\r\n"));
    assert_eq!(before, of_file("other/name.cpp", "h = make(1);", false));
}

#[test]
fn the_text_of_the_line_matters() {
    assert_ne!(of("h = make(1);\n"), of("h = make(2);\n"));
}

#[test]
fn the_rule_and_the_function_matter() {
    let mut sources = MemorySources::new();
    let file = sources.add("a.cpp", "h = make(1);\n");
    let first = finding(Span::new(file, 4, 8));
    let other_rule = Diagnostic {
        rule: &CLOSED_TWICE,
        ..first.clone()
    };
    let other_function = Diagnostic {
        function: "Channel::close".to_owned(),
        ..first.clone()
    };
    let all = fingerprints(&[first, other_rule, other_function], &sources);
    assert_ne!(all[0], all[1]);
    assert_ne!(all[0], all[2]);
    assert_ne!(all[1], all[2]);
}

#[test]
fn equal_lines_are_told_apart_by_their_order_in_the_file() {
    let text = "h = make(1);\nh = make(1);\nh = make(1);\n";
    let all = of(text);
    assert!(all[0].ends_with(":1") && all[1].ends_with(":2") && all[2].ends_with(":3"));
    assert_eq!(all[0].split(':').next(), all[2].split(':').next());
    let mut backwards = of_file("a.cpp", text, true);
    backwards.reverse();
    assert_eq!(
        all, backwards,
        "the order they are listed in does not matter"
    );
}

#[test]
fn the_recipe_is_fixed() {
    // Baselines and code scanning services keep these values: a change needs a new key.
    assert_eq!(FINGERPRINT_KEY, "pipelint/v1");
    insta::assert_snapshot!(of("h = make(1);\n").join(" "));
}

#[test]
fn json_and_sarif_carry_the_same() {
    let sample = sample::Sample::new();
    let report: Report<'_> = sample.report();
    let expected = fingerprints(report.diagnostics, report.sources);
    let value = |name: &str| -> serde_json::Value {
        let mut out = Vec::new();
        let format = pipelint_report::format(name).expect("the format is in the list");
        pipelint_report::write_report(format, &report, &mut out, &Style::default())
            .expect("memory can be written");
        serde_json::from_slice(&out).expect("it is JSON")
    };
    let (json, sarif) = (value("json"), value("sarif"));
    for (at, fingerprint) in expected.iter().enumerate() {
        assert_eq!(json["diagnostics"][at]["fingerprint"], **fingerprint);
        let result = &sarif["runs"][0]["results"][at];
        assert_eq!(
            result["partialFingerprints"][FINGERPRINT_KEY],
            **fingerprint
        );
    }
}
