//! Names and words of other people's making, in the formats that give characters a meaning.

use pipelint_report::{
    Diagnostic, MemorySources, ProblemNote, Report, Severity, Style, format, write_report,
};
use pipelint_source::Span;
use serde_json::Value;

mod sample;
use sample::UNCHECKED;

fn render(name: &str, path: &str, message: &str) -> String {
    let mut sources = MemorySources::new();
    let file = sources.add(path, "f();\ng();\n");
    let diagnostics = [Diagnostic {
        rule: &UNCHECKED,
        primary: Span::new(file, 0, 8),
        label: String::new(),
        message: message.to_owned(),
        path: vec![],
        related: vec![],
        help: String::new(),
        function: String::new(),
    }];
    let problems = [ProblemNote {
        severity: Severity::Warning,
        path: String::new(),
        message: message.to_owned(),
        help: String::new(),
    }];
    let report = Report {
        diagnostics: &diagnostics,
        problems: &problems,
        ..Report::new(&sources)
    };
    let mut out = Vec::new();
    let format = format(name).expect("the format is in the list");
    write_report(format, &report, &mut out, &Style::default()).expect("memory can be written");
    String::from_utf8(out).expect("all formats write UTF-8")
}

#[test]
fn workflow_commands() {
    let text = render(
        "github",
        "a,b:c%\n.cpp",
        "50 % of it:\r\n::error::no, really",
    );
    let expected = "\
::warning file=a%2Cb%3Ac%25%0A.cpp,line=1,endLine=2,title=PL101 unchecked-handle-creation::\
50 %25 of it:%0D%0A::error::no, really
::warning title=pipelint::50 %25 of it:%0D%0A::error::no, really
";
    assert_eq!(text, expected);
}

#[test]
fn sarif_addresses() {
    let root = Some("%SRCROOT%");
    let cases = [
        ("src/a.cpp", "src/a.cpp", root),
        ("./src/a.cpp", "src/a.cpp", root),
        ("../a.cpp", "../a.cpp", root),
        ("a b#1?%41.cpp", "a%20b%231%3F%2541.cpp", root),
        ("c:d/é.cpp", "file:///c:d/%C3%A9.cpp", None),
        ("ab:c.cpp", "ab%3Ac.cpp", root),
        ("/usr/src/a.cpp", "file:///usr/src/a.cpp", None),
        ("C:\\src\\a b.cpp", "file:///C:/src/a%20b.cpp", None),
        ("\\\\host\\share\\a.cpp", "file://host/share/a.cpp", None),
    ];
    for (path, uri, base) in cases {
        let log: Value = serde_json::from_str(&render("sarif", path, "m")).expect("it is JSON");
        let location = &log["runs"][0]["artifacts"][0]["location"];
        assert_eq!(location["uri"], uri, "{path}");
        assert_eq!(location["uriBaseId"].as_str(), base, "{path}");
    }
}

#[test]
fn sarif_messages_are_no_links() {
    let text = render("sarif", "a.cpp", "`calls[0](h)` is dropped");
    let log: Value = serde_json::from_str(&text).expect("it is JSON");
    let message = &log["runs"][0]["results"][0]["message"]["text"];
    assert_eq!(*message, "`calls[0] (h)` is dropped");
}

#[test]
fn the_exit_status_tells_findings_from_work_not_done() {
    let sample = sample::Sample::new();
    let full = sample.report();
    assert_eq!(full.exit_status(), 2);
    let findings = Report {
        problems: &full.problems[1..],
        ..full
    };
    assert_eq!(findings.exit_status(), 1, "a skipped file is no failure");
    let clean = Report {
        diagnostics: &[],
        ..findings
    };
    assert_eq!(clean.exit_status(), 0);
}
