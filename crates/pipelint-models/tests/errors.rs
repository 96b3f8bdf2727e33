//! A wrong model file is refused with its name, the entry, what is wrong and what to do.

use pipelint_models::{ModelError, Models};

const KIND: &str = r#"
[[resources]]
kind = "handle"
noun = "handle"
release = "CloseHandle"
page = "https://example.org/handle"
"#;

/// The error of a file that holds one function with these lines.
#[track_caller]
fn function(lines: &str) -> String {
    let text = format!(
        "{KIND}\n[[functions]]\nnames = [\"Make\"]\npage = \"https://example.org/f\"\n{lines}\n"
    );
    error(&text)
}

#[track_caller]
fn error(text: &str) -> String {
    match Models::from_files([("mine.toml", text)]) {
        Ok(_) => panic!("was accepted: {text}"),
        Err(e) => e.to_string(),
    }
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn broken_toml_names_the_file_and_the_line() {
    says(
        &error("[[functions]]\nnames = [\"A\"\npage ="),
        &["mine.toml", "line 3"],
    );
}

#[test]
fn an_unknown_field_is_named_with_the_fields_there_are() {
    let message = function("aquires = []");
    says(
        &message,
        &[
            "mine.toml",
            "line 11",
            "aquires",
            "acquires",
            "docs/models.md",
        ],
    );
}

#[test]
fn a_missing_field_is_named() {
    says(
        &error("[[functions]]\nnames = [\"A\"]\n"),
        &["mine.toml", "line 1", "page"],
    );
}

#[test]
fn a_value_of_the_wrong_type_names_its_line() {
    says(&function("needs = \"0\""), &["mine.toml", "line 11"]);
    says(&function("needs = [-1]"), &["mine.toml", "line 11"]);
}

#[test]
fn an_unknown_word_is_refused() {
    says(
        &function("acquires = [{ kind = \"handle\", failure = \"ZERO\" }]"),
        &["mine.toml", "ZERO", "NULL", "INVALID_HANDLE_VALUE"],
    );
    says(
        &function("success = \"true\""),
        &["mine.toml", "true", "nonzero"],
    );
}

#[test]
fn an_unknown_kind_is_named() {
    for lines in [
        "acquires = [{ kind = \"handel\", failure = \"NULL\" }]",
        "releases = [{ kind = \"handel\", arg = 0 }]",
        "releases = [{ kind = \"handle\", also = [\"handel\"], arg = 0 }]",
    ] {
        says(
            &function(lines),
            &["mine.toml", "function Make", "`handel`", "[[resources]]"],
        );
    }
    let owner = "[[owners]]\nnames = [\"O\"]\nkind = \"handel\"\npage = \"https://example.org/o\"";
    says(&error(owner), &["mine.toml", "owner O", "`handel`"]);
}

#[test]
fn a_name_described_twice_is_refused() {
    says(
        &function("[[functions]]\nnames = [\"Other\", \"Make\"]\npage = \"https://example.org/g\""),
        &["mine.toml", "function Other", "`Make`", "twice"],
    );
    says(
        &error("[[constants]]\nname = \"A\"\nvalue = 1\n[[constants]]\nname = \"A\"\nvalue = 2"),
        &["mine.toml", "constant A", "twice"],
    );
    says(
        &error(&format!("{KIND}{KIND}")),
        &["mine.toml", "resource handle", "twice"],
    );
}

#[test]
fn a_name_must_be_an_identifier() {
    for names in ["[]", "[\"\"]", "[\"a b\"]", "[\"a::\"]", "[\"1a\"]"] {
        let text = format!("[[functions]]\nnames = {names}\npage = \"https://example.org/f\"");
        says(&error(&text), &["mine.toml", "is not a name"]);
    }
}

#[test]
fn a_page_must_be_a_web_address() {
    for page in [
        "",
        "MSDN",
        "http://example.org/x",
        "https://",
        "https://example.org/a b",
    ] {
        let text = format!("[[functions]]\nnames = [\"Make\"]\npage = \"{page}\"");
        says(&error(&text), &["mine.toml", "function Make", "page"]);
    }
}

#[test]
fn argument_positions_are_sane() {
    says(
        &function("needs = [32]"),
        &["function Make", "needs", "32", "from 0"],
    );
    says(
        &function("fills = [1, 1]"),
        &["function Make", "fills", "twice"],
    );
    says(
        &function("releases = [{ kind = \"handle\", arg = 99 }]"),
        &["releases", "99"],
    );
    says(
        &function("success = \"nonzero\"\nio = { does = \"write\", handle = 0, count = 70 }"),
        &["io.count", "70"],
    );
}

#[test]
fn an_acquired_result_needs_its_failure_value() {
    says(
        &function("acquires = [{ kind = \"handle\" }]"),
        &[
            "mine.toml",
            "function Make",
            "failure",
            "INVALID_HANDLE_VALUE",
        ],
    );
}

#[test]
fn an_acquired_out_parameter_needs_a_status_and_no_failure_value() {
    says(
        &function("acquires = [{ kind = \"handle\", at = { out = 0 } }]"),
        &["function Make", "out-parameter", "success"],
    );
    says(
        &function(
            "success = \"zero\"\nacquires = [{ kind = \"handle\", at = { out = 0 }, failure = \"NULL\" }]",
        ),
        &["function Make", "failure", "out-parameter"],
    );
}

#[test]
fn a_place_is_one_that_is_known() {
    for (at, words) in [
        (
            "{ out = 0, field = \"h\", element = 1 }",
            &["line 12", "field", "element"][..],
        ),
        ("{ out = 0, part = 1 }", &["line 12", "part", "element"]),
        ("\"output\"", &["line 12", "output", "result", "out = 3"]),
        ("{ field = \"h\" }", &["line 12", "out"]),
        (
            "{ out = 0, field = \"a b\" }",
            &["function Make, line 8", "a b"],
        ),
        (
            "{ out = 50, element = 0 }",
            &["function Make, line 8", "50"],
        ),
    ] {
        let lines = format!("success = \"zero\"\nacquires = [{{ kind = \"handle\", at = {at} }}]");
        says(&function(&lines), words);
    }
}

#[test]
fn an_entry_is_named_with_its_line() {
    let second =
        "[[functions]]\nnames = [\"Other\"]\npage = \"https://example.org/g\"\nneeds = [99]";
    says(&function(second), &["mine.toml", "function Other, line 11"]);
}

#[test]
fn a_condition_has_one_test_of_something_known() {
    let release = |when: &str| {
        function(&format!(
            "releases = [{{ kind = \"handle\", arg = 1, when = {{ arg = 0{when} }} }}]"
        ))
    };
    says(&release(""), &["function Make", "when", "exactly one"]);
    says(
        &release(", null = true, equals = \"0\""),
        &["when", "exactly one"],
    );
    says(
        &release(", flag = \"NO_SUCH_FLAG\""),
        &["`NO_SUCH_FLAG`", "[[constants]]"],
    );
    says(
        &release(", equals = \"GetNothing()\""),
        &["`GetNothing()`", "pseudo"],
    );
}

#[test]
fn error_codes_are_known_constants() {
    says(
        &function(
            "success = \"nonzero\"\nio = { does = \"write\", handle = 0, pending = \"ERROR_NONE\" }",
        ),
        &["function Make", "`ERROR_NONE`", "[[constants]]"],
    );
}

#[test]
fn what_cannot_both_hold_is_refused() {
    for lines in [
        "noreturn = true\nlogs = true",
        "pseudo = { noun = \"p\" }\nacquires = [{ kind = \"handle\", failure = \"NULL\" }]",
        "returns_arg = 0\nsuccess = \"zero\"",
        "success = \"zero\"\nacquires = [{ kind = \"handle\", failure = \"NULL\" }]",
        "takes = [0]\nreleases = [{ kind = \"handle\", arg = 0 }]",
    ] {
        says(
            &function(lines),
            &["mine.toml", "function Make", "cannot both hold"],
        );
    }
}

#[test]
fn the_second_file_of_two_is_the_one_named() {
    let bad = "[[functions]]\nnames = [\"F\"]\npage = \"nowhere\"";
    let error: ModelError =
        Models::from_files([("good.toml", KIND), ("bad.toml", bad)]).expect_err("refused");
    assert_eq!(error.file, "bad.toml");
}

#[test]
fn entries_may_refer_to_what_another_file_describes() {
    let user = r#"
[[functions]]
names = ["MyOpen"]
page = "https://example.org/mine"
acquires = [{ kind = "handle", failure = "NULL" }]
"#;
    assert!(Models::from_files([("a.toml", user), ("b.toml", KIND)]).is_ok());
}
