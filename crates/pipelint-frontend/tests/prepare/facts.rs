//! What is kept of the words that are not in the prepared text.

use pipelint_ir::{Const, Name};

use crate::support::{cpp, fold, has_error};

#[track_caller]
fn constant(text: &str, name: &str) -> Option<Const> {
    let out = cpp(text);
    out.constants
        .iter()
        .rev()
        .find(|constant| constant.name == name)
        .map(|found| found.value.clone())
}

#[track_caller]
fn value(body: &str) -> Option<Const> {
    constant(&format!("#define OTHER 8\n#define N {body}\n"), "N")
}

#[test]
fn annotations_are_facts_at_their_place() {
    let text = "BOOL f(_In_ HANDLE h, _Out_writes_bytes_(n) void *p, DWORD n, __in_opt int *q);\n";
    assert!(has_error(text));
    let out = cpp(text);
    assert!(!has_error(&out.text));
    assert_eq!(
        fold(&out.text),
        "BOOL f( HANDLE h, void *p, DWORD n, int *q);"
    );
    let expected = [
        ("_In_", "_In_"),
        ("_Out_writes", "_Out_writes_bytes_(n)"),
        ("__in", "__in_opt"),
    ];
    assert_eq!(out.sal.len(), expected.len());
    for ((at, written), (needle, whole)) in out.sal.iter().zip(expected) {
        assert_eq!(*at as usize, text.find(needle).expect("it is in the text"));
        assert_eq!(written, whole);
    }
}

#[test]
fn annotations_may_hold_expressions_and_lines() {
    let text = "_Success_(return != 0)\n_When_(n > 0,\n       _At_(p, _Pre_valid_))\nint f(int n, int *p);\n";
    let out = cpp(text);
    assert_eq!(fold(&out.text), "int f(int n, int *p);");
    assert_eq!(out.sal[0].1, "_Success_(return != 0)");
    assert_eq!(out.sal[1].1, "_When_(n > 0, _At_(p, _Pre_valid_))");
}

#[test]
fn plain_words_are_annotations_only_before_a_parameter() {
    let out = cpp("void f(IN int a, OUT int *b, IN OUT int *c, int d OPTIONAL);\n");
    assert_eq!(fold(&out.text), "void f( int a, int *b, int *c, int d );");
    let words: Vec<&str> = out.sal.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["IN", "OUT", "IN", "OUT", "OPTIONAL"]);
    let text = "enum Way { IN, OUT = 2 };\nint f(int a) { return a == IN ? OUT : IN; }\n";
    assert_eq!(cpp(text).text, text);
}

#[test]
fn functions_that_do_not_return_are_noted() {
    let text = "[[noreturn]] void a();\n__declspec(noreturn) void b();\n\
                __attribute__((noreturn)) void c();\nDECLSPEC_NORETURN void d();\n[[nodiscard]] int e();\n";
    let out = cpp(text);
    assert_eq!(
        fold(&out.text),
        "void a(); void b(); void c(); void d(); int e();"
    );
    assert_eq!(out.noreturn.len(), 4);
    for (at, line) in out.noreturn.iter().zip(text.lines()) {
        let offset = line.as_ptr() as usize - text.as_ptr() as usize;
        assert!((offset..offset + line.len()).contains(&(*at as usize)));
        assert!(
            text[*at as usize..]
                .to_ascii_lowercase()
                .contains("noreturn")
        );
    }
}

#[test]
fn macros_say_so_too() {
    let text =
        "LIB_NORETURN LIB_API void a(int x);\n#define DIES __declspec(noreturn)\nDIES void b();\n";
    let out = cpp(text);
    assert_eq!(fold(&out.text), "void a(int x); void b();");
    let second = text.rfind("DIES").expect("it is in the text");
    assert_eq!(
        out.noreturn,
        [0, u32::try_from(second).expect("the text is short")]
    );
}

#[test]
fn integers() {
    assert_eq!(value("42"), Some(Const::Int(42)));
    assert_eq!(value("0x10UL"), Some(Const::Int(16)));
    assert_eq!(value("(-1)"), Some(Const::Int(-1)));
    assert_eq!(value("((HANDLE)(LONG_PTR)-1)"), Some(Const::Int(-1)));
    assert_eq!(value("((DWORD)0xC0000005L)"), Some(Const::Int(0xC000_0005)));
    assert_eq!(value("(1 << 4) | 2"), Some(Const::Int(18)));
    assert_eq!(value("(OTHER * 2 + 1)"), Some(Const::Int(17)));
    assert_eq!(value("TRUE"), Some(Const::Int(1)));
    assert_eq!(value("'a'"), Some(Const::Int(97)));
}

#[test]
fn strings_names_and_null() {
    assert_eq!(value("\"a/b\" // no"), Some(Const::Str(Name::new("a/b"))));
    assert_eq!(
        value("L\"\\\\\\\\.\\\\pipe\""),
        Some(Const::Str(Name::new("\\\\\\\\.\\\\pipe")))
    );
    assert_eq!(value("TEXT(\"a\")"), Some(Const::Str(Name::new("a"))));
    assert_eq!(
        value("(INVALID_HANDLE_VALUE)"),
        Some(Const::Named(Name::new("INVALID_HANDLE_VALUE")))
    );
    assert_eq!(value("NULL"), Some(Const::Null));
}

#[test]
fn what_has_no_value_is_no_constant() {
    for body in ["", "int", "f(x)", "{ 1, 2 }", "1 +", "a + b", "static"] {
        assert_eq!(value(body), None, "#define N {body}");
    }
}

#[test]
fn constants_come_from_the_branch_that_is_read() {
    let text = "#ifdef _WIN32\n#define N 1\n#else\n#define N 2\n#endif\n";
    assert_eq!(constant(text, "N"), Some(Const::Int(1)));
    assert_eq!(cpp(text).constants.len(), 1);
}

#[test]
fn macros_keep_parameters_and_body() {
    let text =
        "#define CLOSE(h, ...) \\\n  do { CloseHandle(h); /* now */ \\\n  } while (0)\nint a;\n";
    let out = cpp(text);
    let [found] = out.macros.as_slice() else {
        panic!("one macro, not {:?}", out.macros)
    };
    assert_eq!(found.name, "CLOSE");
    assert_eq!(found.params, ["h", "..."]);
    assert_eq!(fold(&found.body), "do { CloseHandle(h); } while (0)");
    assert_eq!(
        &text[found.span.range()],
        text.split_once("\nint").expect("it is there").0
    );
}

#[test]
fn an_object_like_macro_in_parentheses_has_no_parameters() {
    let out = cpp("#define A (x)\n#define B() y\n");
    assert_eq!(out.macros.len(), 1);
    assert_eq!(out.macros[0].name, "B");
    assert!(out.macros[0].params.is_empty());
}

#[test]
fn includes_keep_their_kind() {
    let out =
        cpp("#include <windows.h>\n# include \"a/b.h\" // c\n#if 0\n#include \"no.h\"\n#endif\n");
    let found: Vec<_> = out
        .includes
        .iter()
        .map(|include| (include.path.as_str(), include.quoted))
        .collect();
    assert_eq!(found, [("windows.h", false), ("a/b.h", true)]);
}
