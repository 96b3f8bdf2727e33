//! Which branch of an `#if` is read.

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_ir::{GapReason, Language};

use crate::support::{cpp, fold, has_error, prepared, repaired, with};

#[track_caller]
fn read(text: &str) -> String {
    fold(&cpp(text).text)
}

#[test]
fn the_windows_branch_is_read() {
    assert_eq!(
        read("#ifdef _WIN32\nint w;\n#else\nint u;\n#endif\n"),
        "int w;"
    );
    assert_eq!(
        read("#if defined(Q_OS_WIN) && !defined(__linux__)\nint w;\n#endif\n"),
        "int w;"
    );
    assert_eq!(
        read("#ifdef __GNUC__\nint g;\n#elif defined(_MSC_VER)\nint m;\n#endif\n"),
        "int m;"
    );
}

#[test]
fn an_unknown_name_is_undefined() {
    assert_eq!(
        read("#ifdef SOMETHING\nint a;\n#else\nint b;\n#endif\n"),
        "int b;"
    );
    assert_eq!(read("#ifndef SOMETHING\nint a;\n#endif\n"), "int a;");
    assert_eq!(
        read("#if SOMETHING\nint a;\n#else\nint b;\n#endif\n"),
        "int b;"
    );
}

#[test]
fn a_version_is_the_newest() {
    assert_eq!(
        read("#if LIB_VERSION >= 0x30000\nint a;\n#else\nint b;\n#endif\n"),
        "int a;"
    );
    assert_eq!(
        read("#if LIB_VERSION_MAJOR < 3\nint a;\n#else\nint b;\n#endif\n"),
        "int b;"
    );
}

#[test]
fn a_feature_test_is_taken_as_true_unless_it_names_another_system() {
    assert_eq!(
        read("#if FEATURE(threads)\nint a;\n#else\nint b;\n#endif\n"),
        "int a;"
    );
    assert_eq!(
        read("#if !FEATURE(threads)\nint a;\n#else\nint b;\n#endif\n"),
        "int b;"
    );
    assert_eq!(
        read("#if FLAG(IS_POSIX)\nint p;\n#elif FLAG(IS_WIN)\nint w;\n#endif\n"),
        "int w;"
    );
    assert_eq!(
        read("#if __has_include(<poll.h>)\nint a;\n#else\nint b;\n#endif\n"),
        "int b;"
    );
}

#[test]
fn exactly_one_branch_of_a_chain_is_read() {
    let text = "#if 0\nint a;\n#elif 1\nint b;\n#elif 1\nint c;\n#else\nint d;\n#endif\nint e;\n";
    assert_eq!(read(text), "int b; int e;");
    let text = "#ifdef A\nint a;\n#elifdef _WIN32\nint b;\n#elifndef A\nint c;\n#endif\n";
    assert_eq!(read(text), "int b;");
}

#[test]
fn branches_nest() {
    let text = "#if 0\n#if 1\nint a;\n#else\nint b;\n#endif\nint c;\n#else\nint d;\n#endif\n";
    assert_eq!(read(text), "int d;");
}

#[test]
fn the_files_own_definitions_are_followed_in_order() {
    assert_eq!(read("#define A 2\n#if A == 2\nint a;\n#endif\n"), "int a;");
    assert_eq!(
        read("#define A\n#undef A\n#ifdef A\nint a;\n#endif\nint b;\n"),
        "int b;"
    );
    assert_eq!(
        read("#if 0\n#define A\n#endif\n#ifdef A\nint a;\n#endif\nint b;\n"),
        "int b;"
    );
    assert_eq!(
        read("#define A (B + 1)\n#define B 3\n#if A == 4\nint a;\n#endif\n"),
        "int a;"
    );
    // A definition that names itself ends.
    assert_eq!(
        read("#define A A\n#if A\nint a;\n#endif\nint b;\n"),
        "int a; int b;"
    );
}

#[test]
fn an_include_guard_is_passed() {
    assert_eq!(
        read("#ifndef X_H\n#define X_H\nint a;\n#endif // X_H\n"),
        "int a;"
    );
}

#[test]
fn options_win() {
    let mut config = CppConfig::default();
    config.undefine("_WIN32");
    config.undefine("MODE");
    config.define("MODE=2");
    config.define("BARE");
    let text = "#ifdef _WIN32\nint w;\n#endif\n#if MODE == 2 && BARE\nint m;\n#endif\n";
    assert_eq!(fold(&with(text, Language::Cpp, &config).text), "int m;");
}

#[test]
fn cplusplus_is_defined_in_cpp_alone() {
    let text = "#ifdef __cplusplus\nint a;\n#else\nint b;\n#endif\n";
    assert_eq!(fold(&prepared(text, Language::Cpp).text), "int a;");
    assert_eq!(fold(&prepared(text, Language::C).text), "int b;");
}

#[test]
fn a_branch_inside_an_expression_leaves_it_whole() {
    let text = "int f() {\n  return g(1,\n#ifdef _WIN32\n    2\n#else\n    3\n#endif\n  );\n}\n";
    assert_eq!(repaired(text), "int f() { return g(1, 2 ); }");
    let text = "int t[] = {\n#if 0\n  1,\n#endif\n  2\n};\nint u = 1\n#ifndef U\n  + 2\n#else\n  + 3\n#endif\n;\n";
    assert_eq!(repaired(text), "int t[] = { 2 }; int u = 1 + 2 ;");
}

#[test]
fn braces_opened_in_two_branches_balance() {
    let text =
        "void f(int a) {\n#ifdef X\n  if (a) {\n#else\n  if (!a) {\n#endif\n    g();\n  }\n}\n";
    assert_eq!(repaired(text), "void f(int a) { if (!a) { g(); } }");
}

#[test]
fn directives_in_comments_and_strings_are_none() {
    assert_eq!(read("/*\n#if 0\n*/ int a;\n"), "/* #if 0 */ int a;");
    let raw = "auto s = R\"x(\n#if 0\n)x\";\nint a;\n";
    assert_eq!(cpp(raw).text, raw);
    assert_eq!(read("// \\\n#if 0\nint a;\n"), "// \\ #if 0 int a;");
}

#[test]
fn what_is_not_read_may_be_prose() {
    assert_eq!(
        read("#if 0\nit's \"broken\n#else\nint a;\n#endif\n"),
        "int a;"
    );
}

#[test]
fn a_directive_may_run_over_lines() {
    assert_eq!(
        read("#if defined(_WIN32) && \\\n    1\nint a;\n#endif\n"),
        "int a;"
    );
    assert_eq!(
        read("#define F(x) \\\n  do { g(x); } \\\n  while (0)\nint a;\n"),
        "int a;"
    );
    assert_eq!(
        read("#define A 1 /* one\n two */\n#if A == 1\nint a;\n#endif\n"),
        "int a;"
    );
    assert_eq!(
        read("  #  if 0\r\nint a;\r\n  # endif\r\nint b;\r\n"),
        "int b;"
    );
}

#[test]
fn an_unterminated_if_is_a_gap() {
    let out = cpp("int a;\n#ifdef _WIN32\nint b;\n");
    assert_eq!(fold(&out.text), "int a; int b;");
    let [gap] = out.gaps.as_slice() else {
        panic!("one gap, not {:?}", out.gaps)
    };
    assert_eq!((gap.span.start, gap.span.end), (7, 20));
    assert!(matches!(&gap.reason, GapReason::Unsupported(what) if what.contains("#endif")));
    // One that closes nothing is no harm.
    assert_eq!(read("#endif\n#else\nint a;\n"), "int a;");
}

#[test]
fn a_deep_condition_ends() {
    let text = format!(
        "#if {}1{}\nint a;\n#endif\n",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    assert!(!has_error(&cpp(&text).text));
    let text = format!("#if {}1\nint a;\n#endif\n", "!".repeat(10_000));
    assert!(!has_error(&cpp(&text).text));
}
