//! Comments that silence findings.

use crate::common::{Folder, LEAK, Ran};

const CREATION: &str = "    HANDLE event = CreateEventW";
const FUNCTION: &str = "bool probe()";

/// Lints the leak with `comment` put before `before`.
fn above(before: &str, comment: &str) -> Ran {
    let text = LEAK.replace(before, &format!("{comment}\n{before}"));
    lint(&text)
}

fn lint(text: &str) -> Ran {
    Folder::new(&[("leak.cpp", text)]).run(&["--format", "concise"])
}

#[track_caller]
fn silent(ran: &Ran) {
    assert_eq!((ran.status, &*ran.out, &*ran.err), (Some(0), "", ""));
}

#[test]
fn a_comment_silences_its_own_line() {
    let line =
        |comment: &str| LEAK.replace("FALSE, nullptr);", &format!("FALSE, nullptr); {comment}"));
    silent(&lint(&line("// pipelint: allow(PL103) freed at exit")));
    silent(&lint(&line("/* pipelint: allow(PL103) freed at exit */")));
    silent(&lint(&line(
        "//pipelint:allow(leaked-handle): freed at exit",
    )));
    assert_eq!(
        lint(&line("// pipelint: allow(PL101) freed at exit")).status,
        Some(1)
    );
}

#[test]
fn a_comment_alone_silences_the_line_below() {
    silent(&above(
        CREATION,
        "    // pipelint: allow(PL103) freed at exit",
    ));
    silent(&above(
        CREATION,
        "    /* pipelint: allow(PL103) freed at exit */",
    ));
    let more = "    // pipelint: allow(PL103) freed at exit\n    // by the system";
    silent(&above(CREATION, more));
    let far = above(
        "    if (event == nullptr)",
        "    // pipelint: allow(PL103) too late",
    );
    assert_eq!(far.found(), ["leak.cpp:5:20: PL103"]);
}

#[test]
fn a_comment_above_a_function_silences_it() {
    silent(&above(FUNCTION, "// pipelint: allow(PL103) freed at exit"));
    silent(&above(
        FUNCTION,
        "/* pipelint: allow(PL103) freed at exit */",
    ));
    let commented = "// pipelint: allow(PL103) freed at exit\n// Looks once.";
    silent(&above(FUNCTION, commented));
    let other = LEAK.replace(
        FUNCTION,
        "// pipelint: allow(PL103) of another function\nvoid other()\n{\n}\n\nbool probe()",
    );
    assert_eq!(lint(&other).status, Some(1));
}

#[test]
fn a_reason_is_required() {
    for comment in [
        "// pipelint: allow(PL103)",
        "// pipelint: allow(PL103) ",
        "// pipelint: allow(PL103):",
        "/* pipelint: allow(PL103) */",
    ] {
        let ran = above(FUNCTION, comment);
        assert_eq!(ran.found(), ["leak.cpp:6:20: PL103"], "{comment}");
        ran.says(&["warning:", "leak.cpp:3", "reason"]);
    }
}

#[test]
fn several_rules_and_whole_families_are_allowed_at_once() {
    for inside in ["PL101,PL103", "PL101, leaked-handle", "PL1", "ALL", "pl103"] {
        silent(&above(
            FUNCTION,
            &format!("// pipelint: allow({inside}) for a test"),
        ));
    }
}

#[test]
fn an_unknown_rule_is_warned_of_and_the_others_count() {
    let ran = above(FUNCTION, "// pipelint: allow(PL999, PL103) for a test");
    assert_eq!((ran.status, &*ran.out), (Some(0), ""));
    ran.says(&["warning:", "leak.cpp:3", "PL999"]);
    let alone = above(FUNCTION, "// pipelint: allow(leaked-handel) for a test");
    assert_eq!(alone.status, Some(1));
    alone.says(&["leaked-handel"]);
}

#[test]
fn a_comment_that_makes_no_sense_is_warned_of() {
    for comment in [
        "// pipelint: alow(PL103) x",
        "// pipelint: allow PL103 x",
        "// pipelint: allow() x",
    ] {
        let ran = above(FUNCTION, comment);
        assert_eq!(ran.status, Some(1), "{comment}");
        ran.says(&["warning:", "leak.cpp:3", "allow(PL103)"]);
    }
}

#[test]
fn lines_may_end_in_carriage_returns() {
    let windows = |text: &str| text.replace('\n', "\r\n");
    let line = LEAK.replace(
        "FALSE, nullptr);",
        "FALSE, nullptr); // pipelint: allow(PL103) freed at exit",
    );
    silent(&lint(&windows(&line)));
    let comment = "// pipelint: allow(PL103) freed at exit";
    silent(&lint(&windows(
        &LEAK.replace(FUNCTION, &format!("{comment}\n{FUNCTION}")),
    )));
    silent(&lint(&windows(
        &LEAK.replace(CREATION, &format!("{comment}\n{CREATION}")),
    )));
    let bare = LEAK.replace(FUNCTION, "// pipelint: allow(PL103)\nbool probe()");
    lint(&windows(&bare)).says(&["reason"]);
}

#[test]
fn what_is_no_comment_silences_nothing() {
    let text = LEAK.replace(
        "    return true;",
        "    puts(\"// pipelint: allow(PL103) only a string\");\n    return true;",
    );
    let ran = lint(&text.replace(
        "FALSE, nullptr);",
        "FALSE, nullptr); puts(\"// pipelint: allow(PL103) no\");",
    ));
    assert_eq!((ran.status, &*ran.err), (Some(1), ""));
}

#[test]
fn the_report_counts_what_is_silenced() {
    let text = LEAK.replace(
        FUNCTION,
        "// pipelint: allow(PL103) for a test\nbool probe()",
    );
    let folder = Folder::new(&[("leak.cpp", &text)]);
    let ran = folder.run(&["--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(value["summary"]["suppressed"], 1);
}

#[test]
fn statistics_name_comments_that_silence_nothing() {
    let folder = Folder::new(&[(
        "clean.cpp",
        &crate::common::CLEAN.replace(
            "bool raise()",
            "// pipelint: allow(PL103) idle\nbool raise()",
        ),
    )]);
    let ran = folder.run(&["--statistics"]);
    ran.says(&["clean.cpp:3"]);
}
