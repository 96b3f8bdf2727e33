//! Which rules report.

use crate::common::{Folder, LEAK, TWICE};

const BOTH: [&str; 2] = ["leak.cpp:5:20: PL103", "twice.cpp:10:5: PL105"];

fn folder() -> Folder {
    Folder::new(&[("leak.cpp", LEAK), ("twice.cpp", TWICE)])
}

#[test]
fn rules_are_selected_by_all_family_code_and_name() {
    let folder = folder();
    assert_eq!(folder.found(&[]), BOTH);
    for everything in ["ALL", "all", "PL1", "pl1", "PL103,PL105", "PL5,PL1"] {
        assert_eq!(
            folder.found(&["--select", everything]),
            BOTH,
            "{everything}"
        );
    }
    for one in ["PL103", "pl103", "leaked-handle", "Leaked-Handle"] {
        assert_eq!(folder.found(&["--select", one]), BOTH[..1], "{one}");
    }
    assert_eq!(folder.found(&["--select", "PL2"]), [""; 0]);
    assert_eq!(
        folder.found(&["--select", "PL103", "--select", "PL105"]),
        BOTH
    );
}

#[test]
fn rules_are_ignored_by_all_family_code_and_name_and_that_wins() {
    let folder = folder();
    for everything in ["ALL", "PL1", "PL103,double-close"] {
        assert_eq!(
            folder.found(&["--ignore", everything]),
            [""; 0],
            "{everything}"
        );
    }
    for one in ["PL103", "leaked-handle"] {
        assert_eq!(folder.found(&["--ignore", one]), BOTH[1..], "{one}");
    }
    let args = ["--select", "PL103,PL105", "--ignore", "PL105"];
    assert_eq!(folder.found(&args), BOTH[..1]);
}

#[test]
fn nothing_left_to_report_is_clean() {
    let ran = folder().run(&["--ignore", "ALL"]);
    assert_eq!(ran.status, Some(0));
}

#[test]
fn an_unknown_selector_is_wrong_usage_and_names_what_was_meant() {
    let folder = folder();
    for (option, selector, meant) in [
        ("--select", "leaked-handel", "leaked-handle"),
        ("--ignore", "double-closed", "double-close"),
        ("--select", "PL1033", "PL103"),
        ("--select", "PL9", "pipelint rules"),
        ("--select", "", "pipelint rules"),
    ] {
        let ran = folder.run(&[option, selector]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{selector}");
        ran.says(&[&format!("`{selector}`"), meant]);
    }
}

#[test]
fn severity_is_the_lowest_that_is_reported() {
    let folder = folder();
    assert_eq!(folder.found(&["--severity", "note"]), BOTH);
    assert_eq!(folder.found(&["--severity", "warning"]), BOTH);
    assert_eq!(folder.found(&["--severity", "error"]), BOTH[1..]);
    let ran = folder.run(&["--severity", "error", "leak.cpp"]);
    assert_eq!(ran.status, Some(0));
}
