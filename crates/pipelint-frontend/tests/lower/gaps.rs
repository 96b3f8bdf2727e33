//! What is not understood is said, and harms nothing around it.

use pipelint_ir::{GapReason, Language, Statement, Wholeness, print_function};

use crate::{function, unit};

#[test]
fn a_broken_statement_leaves_its_neighbours() {
    let source = "void f(HANDLE h) {\n    before();\n    x = = h 3;\n    after();\n}\nvoid g() { whole(); }\n";
    let f = function(source, "f");
    assert_eq!(f.wholeness, Wholeness::Partial);
    let text = print_function(&f);
    assert!(
        text.contains("call before()") && text.contains("call after()"),
        "{text}"
    );
    let opaque = f
        .blocks
        .iter()
        .flat_map(|block| &block.stmts)
        .find_map(|stmt| match stmt {
            Statement::Opaque { touches, gap } => Some((touches.clone(), *gap)),
            _ => None,
        });
    let Some((touches, gap)) = opaque else {
        panic!("{text}")
    };
    assert_eq!(f.gaps[gap as usize].reason, GapReason::Syntax);
    assert!(source[f.gaps[gap as usize].span.range()].contains("= ="));
    let h = f.places.iter().find(|(id, _)| touches.contains(id));
    assert!(h.is_some(), "{text}");
    assert_eq!(function(source, "g").wholeness, Wholeness::Whole);
}

#[test]
fn functions_are_found_in_a_broken_file() {
    let source = "void a() { one(); }\n) } } @@ ( {\nvoid b() { two(); }\nclass { int\nint c() { return three(); }\n";
    let unit = unit(Language::Cpp, source);
    let names: Vec<_> = unit.functions.iter().map(|f| f.name.as_str()).collect();
    for name in ["a", "b", "c"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!unit.gaps.is_empty());
}

#[test]
fn a_function_that_a_missing_brace_swallowed_is_lowered() {
    let source = "void a() { if (x) { one(); }\nvoid b() { two(); }\n";
    let unit = unit(Language::Cpp, source);
    let swallowed = unit.functions.iter().find(|f| f.name == "b");
    let text = swallowed.map(print_function).unwrap_or_default();
    assert!(text.contains("call two()"), "{:?}", unit.functions);
    let partial = unit
        .functions
        .iter()
        .any(|f| f.wholeness == Wholeness::Partial);
    assert!(partial || !unit.gaps.is_empty());
}

#[test]
fn harmless_things_are_no_gaps() {
    let source = r#"
void f(int n) {
    static_assert(sizeof(int) == 4, "x");
    using namespace std;
    typedef int Number;
    struct Local { int a; };
    enum { One };
    ;
    [[maybe_unused]] Number k = 3;
    if (n) [[likely]] { g(); }
    label: g();
    (void)n;
    auto v = {1, 2};
    int x = n ?: 3;
    alignas(8) char buffer[8];
    for (int i : {1, 2}) g(i);
    delete[] p;
    u8"text"; 1.5f; 'ab'; nullptr; this->z;
    goto label;
}
"#;
    let f = function(source, "f");
    assert_eq!(f.wholeness, Wholeness::Whole, "{:?}", f.gaps);
}

fn nested(open: &str, inner: &str, close: &str) -> String {
    const DEPTH: usize = 10_000;
    format!(
        "void f() {{ {}{inner}{}; }}",
        open.repeat(DEPTH),
        close.repeat(DEPTH)
    )
}

#[test]
fn deep_nesting_is_cut_off_and_said() {
    for (open, inner, close) in [
        ("{ g(); ", "", "}"),
        ("if (a) ", "g();", ""),
        ("while (a) { ", "g();", "}"),
        ("g(", "1", ")"),
        ("*", "p = 1", ""),
        ("(int)", "y", ""),
        ("a ? b : ", "c", ""),
        ("a = ", "b", ""),
        ("-", "b", ""),
        ("- ", "b", ""),
        ("++*", "b", ""),
        ("x = {", "1", "}"),
    ] {
        let source = nested(open, inner, close);
        let unit = unit(Language::Cpp, &source);
        let said = unit
            .gaps
            .iter()
            .chain(unit.functions.iter().flat_map(|f| &f.gaps));
        assert!(said.count() > 0, "{open}");
    }
}

#[test]
fn long_chains_are_whole() {
    for (open, inner, close) in [
        ("(", "g()", ")"),
        ("a + ", "b", ""),
        ("if (a) { g(); } else ", "h();", ""),
        ("!", "g()", ""),
        ("\"x\" ", "\"y\"", ""),
        ("x: ", "g()", ""),
    ] {
        let source = nested(open, inner, close);
        let unit = unit(Language::Cpp, &source);
        // Ten thousand equal labels are one label and no gap; the rest has none either way.
        assert!(unit.functions.len() == 1 && unit.gaps.is_empty(), "{open}");
        if open != "x: " {
            assert_eq!(unit.functions[0].wholeness, Wholeness::Whole, "{open}");
        }
    }
}

#[test]
fn deep_declarations_are_cut_off_and_said() {
    for (open, close) in [
        ("namespace a { ", "}"),
        ("struct A { ", "};"),
        ("template <class T> ", ""),
    ] {
        let source = format!("{}void f();{}", open.repeat(5_000), close.repeat(5_000));
        let unit = unit(Language::Cpp, &source);
        assert!(
            !unit.gaps.is_empty() || unit.declarations.len() == 1,
            "{open}"
        );
    }
}

#[test]
fn a_function_too_large_is_given_up() {
    let mut source = String::from("void f() {");
    for i in 0..2_000 {
        source.push_str(&format!("int a{i} = 0; if (a{i}) return;"));
    }
    source.push('}');
    let f = function(&source, "f");
    assert_eq!(f.wholeness, Wholeness::GivenUp);
    assert_eq!(f.gaps[0].reason, GapReason::TooLarge);
    assert_eq!(f.blocks.len(), 1);
}

#[test]
fn odd_input_is_taken() {
    for source in [
        "",
        "\u{0}\u{0}",
        "}}}}",
        "((((",
        "\"",
        "'",
        "/*",
        "#",
        "ü = ß;",
        "void f(",
        "::",
    ] {
        unit(Language::Cpp, source);
        unit(Language::C, source);
    }
}
