//! Text made to break a parser: a run ends, without a panic, and the files beside it are linted.

use crate::common::{Folder, LEAK};

const DEEP: usize = 10_000;

/// Lints `body` inside a function that has a finding, beside the leak.
#[track_caller]
fn survives(body: &str) {
    let text = format!("#include <windows.h>\nvoid f(int a)\n{{\n{body}\n}}\n");
    survives_file(&text);
}

#[track_caller]
fn survives_file(text: &str) {
    // The name makes the file worth parsing.
    let text = format!("void CreateEventW();\n{text}");
    let folder = Folder::new(&[("hostile.cpp", &text), ("leak.cpp", LEAK)]);
    let ran = folder.run(&["--format", "concise"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(
        ran.found().contains(&"leak.cpp:5:20: PL103".to_owned()),
        "{}",
        ran.out
    );
    assert_eq!(ran.err, "");
}

#[test]
fn nested_parentheses() {
    survives(&format!("a = {}1{};", "(".repeat(DEEP), ")".repeat(DEEP)));
}

#[test]
fn nested_blocks() {
    survives(&format!("{}{}", "{".repeat(DEEP), "}".repeat(DEEP)));
}

#[test]
fn nested_else_if() {
    let arms: String = (0..DEEP)
        .map(|i| format!("if (a == {i}) a = 0; else "))
        .collect();
    survives(&format!("{arms}a = 1;"));
}

#[test]
fn nested_if() {
    survives(&format!("{}a = 1;", "if (a) ".repeat(DEEP)));
}

#[test]
fn nested_initialisers() {
    survives(&format!(
        "int x[] = {}1{};",
        "{".repeat(DEEP),
        "}".repeat(DEEP)
    ));
}

#[test]
fn nested_calls() {
    survives(&format!("a = {}1{};", "f(".repeat(DEEP), ")".repeat(DEEP)));
}

#[test]
fn a_long_sum() {
    survives(&format!("a = {};", vec!["a"; DEEP].join("+")));
}

#[test]
fn a_long_conjunction() {
    survives(&format!("if ({}) a = 1;", vec!["a"; DEEP].join("&&")));
}

#[test]
fn a_long_conditional() {
    survives(&format!("a = {}1;", "a ? 1 : ".repeat(DEEP)));
}

#[test]
fn many_prefixes() {
    survives(&format!("a = {}a;", "!".repeat(DEEP)));
}

#[test]
fn nested_namespaces_and_classes() {
    survives_file(&format!(
        "{}{}\n",
        "namespace n {".repeat(DEEP),
        "}".repeat(DEEP)
    ));
    survives_file(&format!(
        "{}{}\n",
        "struct s {".repeat(DEEP),
        "};".repeat(DEEP)
    ));
}

#[test]
fn nested_conditions_of_the_preprocessor() {
    survives_file(&format!(
        "{}{}",
        "#if A\n".repeat(DEEP),
        "#endif\n".repeat(DEEP)
    ));
    survives_file(&format!(
        "#if {}1{}\n#endif\n",
        "(".repeat(DEEP),
        ")".repeat(DEEP)
    ));
}

#[test]
fn what_is_opened_and_never_closed() {
    for opening in ["(", "{", "[", "a<", "\"", "/*", "#if 1\n", "R\"("] {
        survives_file(&format!("void g() {{\n{}\n", opening.repeat(DEEP)));
    }
    survives_file(&format!("{}\n", "}".repeat(DEEP)));
}

#[test]
fn one_long_line() {
    let long = 5 << 20;
    survives(&format!("/* {} */", "x".repeat(long)));
    survives(&format!("g(\"{}\");", "x".repeat(long)));
    survives_file(&format!("int {};\n", "x".repeat(long)));
}

#[test]
fn a_finding_in_a_long_line_has_its_place() {
    let line = format!(
        "/* {} */ void f() {{ HANDLE h = CreateEventW(0, 0, 0, 0); SetEvent(h); CloseHandle(h); }}",
        "x".repeat(5 << 20)
    );
    let folder = Folder::new(&[("long.cpp", &line)]);
    let column = line.find("CreateEventW").expect("the call") + 1;
    assert_eq!(folder.found(&[]), [format!("long.cpp:1:{column}: PL101")]);
    let human = folder.run(&[]);
    assert!(human.out.len() < 4_000, "{} bytes", human.out.len());
}

#[test]
fn names_of_files_are_shown_and_never_obeyed() {
    let folder = Folder::new(&[("a b\u{1b}[31m.cpp", LEAK), ("-x.cpp", LEAK)]);
    let ran = folder.run(&["--format", "human"]);
    assert_eq!(ran.status, Some(1));
    assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
    let missing = folder.run(&["absent\u{1b}[31m.cpp"]);
    assert_eq!(missing.status, Some(2));
    assert!(!missing.err.contains('\u{1b}'), "{}", missing.err);
}
