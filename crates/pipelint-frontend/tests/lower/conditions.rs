//! Every way to write a condition becomes one form.

use pipelint_ir::print_function;

use crate::function;

/// The branches and value statements that `if (condition) yes();` becomes, labels left out.
fn branches(condition: &str) -> Vec<String> {
    let source = format!(
        "struct S {{ int f; }}; void t(HANDLE h, int n, bool b, HRESULT hr, S *p) {{ if ({condition}) yes(); }}"
    );
    let text = print_function(&function(&source, "t"));
    let lines = text.lines().map(str::trim);
    let kept = lines.filter(|line| line.starts_with("branch") || line.contains(" = "));
    kept.map(|line| line.split(" ? ").next().unwrap_or(line).to_owned())
        .collect()
}

#[test]
fn one_comparison() {
    for (condition, expected) in [
        ("h", "branch h != 0"),
        ("!h", "branch h == 0"),
        ("!!h", "branch h != 0"),
        ("(((h)))", "branch h != 0"),
        ("h == NULL", "branch h == null"),
        ("NULL == h", "branch h == null"),
        ("nullptr != h", "branch h != null"),
        (
            "INVALID_HANDLE_VALUE == h",
            "branch h == INVALID_HANDLE_VALUE",
        ),
        ("h > 0", "branch h > 0"),
        ("0 < n", "branch n > 0"),
        ("3 >= n", "branch n <= 3"),
        ("FAILED(hr)", "branch hr < 0"),
        ("!FAILED(hr)", "branch hr < 0"),
        ("SUCCEEDED(hr)", "branch hr >= 0"),
        ("(BOOL)h", "branch h != 0"),
        ("static_cast<bool>(h)", "branch h != 0"),
        ("LIKELY(h)", "branch h != 0"),
        ("p->f == 1", "branch (*p).f == 1"),
        ("not b", "branch b == 0"),
    ] {
        let found = branches(condition);
        // `!x` may swap the branch's ways in place of the comparison.
        let swapped = expected.replace("== 0", "!= 0");
        assert_eq!(found.len(), 1, "{condition}: {found:?}");
        assert!(
            found[0] == expected || found[0] == swapped,
            "{condition}: {found:?}"
        );
    }
}

#[test]
fn negation_swaps_the_ways() {
    let source = "void t(HANDLE h) { if (!h) yes(); else no(); }";
    let text = print_function(&function(source, "t"));
    let expected =
        "  branch h != 0 ? bb1 : bb2\nbb1:\n  call no()\n  goto bb3\nbb2:\n  call yes()\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn connected_conditions_are_tested_in_order() {
    for (condition, expected) in [
        ("h && n", &["branch h != 0", "branch n != 0"][..]),
        ("h || n == 2", &["branch h != 0", "branch n == 2"]),
        ("!(h && n)", &["branch h != 0", "branch n != 0"]),
        ("n < 1 && n > (2)", &["branch n < 1", "branch n > 2"]),
        ("n > 1 and h", &["branch n > 1", "branch h != 0"]),
        (
            "b ? h != 0 : n",
            &["branch b != 0", "branch h != 0", "branch n != 0"],
        ),
        ("n = 3, h", &["n = 3", "branch h != 0"]),
        ("n++ == 2", &["%5 = n", "n = n + 1", "branch %5 == 2"]),
    ] {
        assert_eq!(branches(condition), expected, "{condition}");
    }
}

#[test]
fn an_assignment_in_a_condition_comes_first() {
    let expected = ["h = call open(n)", "branch h == INVALID_HANDLE_VALUE"];
    assert_eq!(branches("(h = open(n)) == INVALID_HANDLE_VALUE"), expected);
    assert_eq!(
        branches("FAILED(hr = open(n))"),
        ["hr = call open(n)", "branch hr < 0"]
    );
    assert_eq!(
        branches("HANDLE d = open(n)"),
        ["d = call open(n)", "branch d != 0"]
    );
    assert_eq!(
        branches("int e = open(n); e != 4"),
        ["e = call open(n)", "branch e != 4"]
    );
}

#[test]
fn constants_decide() {
    for (condition, kept) in [
        ("true", true),
        ("1", true),
        ("FALSE", false),
        ("0", false),
        ("!0", true),
        ("1 == 2", false),
        ("NULL", false),
        ("sizeof(h) && 0", false),
    ] {
        let source = format!("void t(HANDLE h) {{ if ({condition}) yes(); }}");
        let text = print_function(&function(&source, "t"));
        assert_eq!(text.contains("yes"), kept, "{condition}: {text}");
    }
}

/// What an assertion leaves behind, labels and marks left out.
fn asserted(assertion: &str) -> Vec<String> {
    let source =
        format!("struct S {{ int f; }}; void t(HANDLE h, int n, bool b, S *p) {{ {assertion}; }}");
    let text = print_function(&function(&source, "t"));
    let lines = text.lines().map(str::trim);
    let kept = lines.filter(|line| line.starts_with("assert") || line.starts_with("branch"));
    kept.map(str::to_owned).collect()
}

#[test]
fn an_assertion_is_no_branch() {
    for (assertion, expected) in [
        ("assert(h != NULL)", &["assert h != null"][..]),
        (
            "assert(b && h != NULL && \"told\")",
            &["assert b != 0", "assert h != null"],
        ),
        ("assert(!b && (n < 3))", &["assert b == 0", "assert n < 3"]),
        ("assert(n == 1 || h == NULL)", &[]),
        ("assert(b && (n == 1 || !h))", &["assert b != 0"]),
    ] {
        assert_eq!(asserted(assertion), expected, "{assertion}");
    }
}
