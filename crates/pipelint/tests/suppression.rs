//! What an allow comment covers, by the heads of functions that may stand below it.

use pipelint::{Input, Options, lint};
use pipelint_report::Sources;

const BODY: &str = "{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    SetEvent(event);
    return true;
}
";

/// The lines with a finding, and the lines of comments that silence nothing.
fn lines(text: &str) -> (Vec<u32>, Vec<String>) {
    let input = Input {
        path: "f.cpp".into(),
        text: format!("#include <windows.h>\n{text}"),
    };
    let run = lint(vec![input], &Options::default(), &|| ());
    assert_eq!(run.problems, []);
    let line = |d: &pipelint_report::Diagnostic| run.sources.positions(d.primary).0.line;
    (
        run.diagnostics.iter().map(line).collect(),
        run.statistics.unused_allows.clone(),
    )
}

const ALLOW: &str = "// pipelint: allow(PL103) kept for the process";

#[test]
fn the_function_below_may_have_any_head() {
    for head in [
        "bool probe()",
        "static inline bool probe(int a = 3)",
        "template<class T, typename U = int>\nbool probe(T t)",
        "[[nodiscard]] static bool probe()",
        "extern \"C\" bool probe()",
        "EXTERN_C __declspec(dllexport) BOOL WINAPI probe()",
        "auto\nprobe(\n    int a)\n    -> bool",
        "/// What it does.\n// And why.\nbool probe()",
        "/* What it does\n * and why. */\n\nbool probe()",
    ] {
        let (silent, unused) = lines(&format!("{ALLOW}\n{head}\n{BODY}"));
        assert_eq!((silent, unused), (vec![], vec![]), "{head}");
        let (found, _) = lines(&format!("{head}\n{BODY}"));
        assert_eq!(found.len(), 1, "{head}");
    }
    let (silent, unused) = lines(&format!(
        "struct Probe {{\n    {ALLOW}\n    virtual bool probe() const\n{BODY}}};\n"
    ));
    assert_eq!((silent, unused), (vec![], vec![]));
}

#[test]
fn what_stands_between_ends_the_reach() {
    for between in ["int x;", "#define X 1", "struct S {};", "void other() {}"] {
        let (found, unused) = lines(&format!("{ALLOW}\n{between}\nbool probe()\n{BODY}"));
        assert_eq!(found, [6], "{between}");
        assert_eq!(unused, ["f.cpp:2"], "{between}");
    }
}

#[test]
fn a_comment_in_a_function_covers_the_next_line_and_no_lambda_below_it() {
    let text = format!(
        "void outer()\n{{\n    {ALLOW}\n    auto probe = []() -> bool\n{BODY};\n    probe();\n}}\n"
    );
    let (found, unused) = lines(&text);
    assert_eq!(found, [7]);
    assert_eq!(unused, ["f.cpp:4"]);
    let line = "HANDLE event = CreateEventW";
    let close = BODY.replace(line, &format!("{ALLOW}\n    {line}"));
    assert_eq!(lines(&format!("bool probe()\n{close}")), (vec![], vec![]));
}

#[test]
fn comments_in_a_row_all_speak_of_what_follows_them() {
    let other = "// pipelint: allow(PL101) checked by the caller";
    let (found, unused) = lines(&format!("{ALLOW}\n{other}\nbool probe()\n{BODY}"));
    assert_eq!(found, [0; 0]);
    assert_eq!(unused, ["f.cpp:3"]);
}

#[test]
fn thousands_of_comments_are_all_heeded() {
    let mut text = format!("{ALLOW}\n").repeat(20_000);
    text.push_str("bool probe()\n");
    text.push_str(BODY);
    let one_line = BODY.replace('\n', " ");
    for i in 0..3000 {
        text.push_str(&format!(
            "bool probe_{i}() {one_line} /* pipelint: allow(PL103) all of them */ "
        ));
    }
    let (found, unused) = lines(&text);
    assert_eq!(found, [0; 0]);
    assert_eq!(unused, [""; 0]);
}
