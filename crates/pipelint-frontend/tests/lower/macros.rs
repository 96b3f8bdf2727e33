//! Uses of macros become the code that they stand for, at the place of the use.

use std::time::{Duration, Instant};

use pipelint_ir::{Language, Statement, Unit, print_function};

use crate::unit;

/// The body that `statements` become in a C function, after `macros`.
#[track_caller]
fn body(macros: &str, statements: &str) -> String {
    let source = format!("{macros}\nint f(int n, HANDLE h, struct S *s)\n{{\n{statements}\n}}\n");
    print(&unit(Language::C, &source))
}

fn print(unit: &Unit) -> String {
    let function = unit.functions.last().expect("a function");
    let text = print_function(function);
    let (_, body) = text.split_once("bb0:\n").unwrap_or_default();
    let lines = body.lines().filter(|line| *line != "}");
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// With the macros, the first is what the second is without.
#[track_caller]
fn same(macros: &str, with: &str, without: &str) {
    assert_eq!(body(macros, with), body("", without), "\n{with}");
}

/// The use stays a call.
#[track_caller]
fn stays(macros: &str, statement: &str) {
    same(macros, statement, statement);
}

#[test]
fn an_argument_used_twice_is_lowered_twice() {
    same(
        "#define SAFE_CLOSE(h) if (h) { CloseHandle(h); h = NULL; }",
        "SAFE_CLOSE(s->h);",
        "if (s->h) { CloseHandle(s->h); s->h = NULL; }",
    );
}

#[test]
fn jumps_leave_the_function_that_uses_them() {
    let macros = "
#define FAIL_IF(x) do { if (x) return 0; } while (0)
#define OUT_IF(x, label) if (x) goto label
#define STOP break
#define NEXT_IF(x) \\
    if (x) \\
        continue
";
    same(
        macros,
        "for (;;) { NEXT_IF(n == 1); if (n == 2) STOP; } FAIL_IF(n == 3); OUT_IF(!h, end); Use(h);
         end: return n;",
        "for (;;) { if (n == 1) continue; if (n == 2) break; } do { if (n == 3) return 0; } while (0);
         if (!h) goto end; Use(h); end: return n;",
    );
}

#[test]
fn a_statement_needs_no_semicolon_of_its_own() {
    let macros = "
#define CLOSE(h) do { CloseHandle(h); h = NULL; } while (0)
#define RET_IF(x) if (x) return 1
";
    same(
        macros,
        "CLOSE(h) RET_IF(n) Use(h); { CLOSE(h) }",
        "do { CloseHandle(h); h = NULL; } while (0); if (n) return 1; Use(h);
         { do { CloseHandle(h); h = NULL; } while (0); }",
    );
}

#[test]
fn a_head_takes_the_statement_behind_it() {
    let macros = "
#define IF_BAD(h) if ((h) == NULL)
#define REPEAT(i, n) for (int i = 0; i < (n); i++)
";
    same(
        macros,
        "IF_BAD(h) return 1; REPEAT(i, n) { Use(i); }",
        "if ((h) == NULL) return 1; for (int i = 0; i < (n); i++) { Use(i); }",
    );
}

#[test]
fn an_expression_is_a_condition_or_a_value() {
    let macros = "
#define IS_VALID(h) ((h) != NULL && (h) != INVALID_HANDLE_VALUE)
#define AS_INT(h) ((int)(intptr_t)(h))
#define EITHER(a, b) (!IS_VALID(a) || !IS_VALID(b))
";
    same(
        macros,
        "if (IS_VALID(h)) Use(h); n = AS_INT(h); if (EITHER(h, s)) Use(s); return !IS_VALID(s->h);",
        "if (((h) != NULL && (h) != INVALID_HANDLE_VALUE)) Use(h); n = ((int)(intptr_t)(h));
         if (!(h != NULL && h != INVALID_HANDLE_VALUE) || !(s != NULL && s != INVALID_HANDLE_VALUE)) Use(s);
         return !((s->h) != NULL && (s->h) != INVALID_HANDLE_VALUE);",
    );
}

#[test]
fn a_macro_may_declare() {
    same(
        "#define EVENT(name) HANDLE name = CreateEventW(NULL, TRUE, FALSE, NULL)",
        "EVENT(done); Use(done);",
        "HANDLE done = CreateEventW(NULL, TRUE, FALSE, NULL); Use(done);",
    );
}

#[test]
fn arguments_are_put_in_as_the_standard_has_it() {
    let macros = "
#define CAT(a, b) a##b
#define CAT2(a, b) CAT(a, b)
#define SAY(x) Say(#x)
#define SAY2(x) SAY(x)
#define WHO() n
#define CALL(f, ...) f(__VA_ARGS__)
#define TELL(text, ...) Tell(text, ##__VA_ARGS__)
#define OPT(a, ...) Tell(a __VA_OPT__(,) __VA_ARGS__)
#define NAMED(a, rest...) Tell(a, rest)
#define NEG(x) -x
#define FORMAT(x, y) Tell(\"%\"x\" of %\"y\"\\n\")
";
    for (with, without) in [
        ("CAT(Res, et)(h);", "Reset(h);"),
        ("CAT2(Re, CAT(s, et))(h);", "Reset(h);"),
        ("CAT(, Reset)(h);", "Reset(h);"),
        ("CAT(Reset, )(h);", "Reset(h);"),
        ("SAY(a  +\n \"b\\n\");", r#"Say("a + \"b\\n\"");"#),
        ("SAY(WHO());", "Say(\"WHO()\");"),
        ("SAY2(WHO());", "Say(\"n\");"),
        ("Use(WHO(), WHO ());", "Use(n, n);"),
        ("CALL(Use, h, (n, 1), \"a,b\");", "Use(h, (n, 1), \"a,b\");"),
        ("CALL(Use);", "Use();"),
        ("CALL(CALL, Use, n);", "CALL(Use, n);"),
        ("TELL(\"a\");", "Tell(\"a\");"),
        ("TELL(\"a\", n, 2);", "Tell(\"a\", n, 2);"),
        ("OPT(n);", "Tell(n);"),
        ("OPT(n, 1, 2);", "Tell(n, 1, 2);"),
        ("NAMED(n, 1, 2);", "Tell(n, 1, 2);"),
        ("Use(NEG(-n));", "Use(- -n);"),
        (
            "FORMAT(\"d\", \"u\");",
            "Tell(\"%\" \"d\" \" of %\" \"u\" \"\\n\");",
        ),
    ] {
        same(macros, with, without);
    }
}

#[test]
fn macros_in_macros() {
    let macros = "
#define BAIL return 7
#define LEAVE(x) BAIL
#define CHECK(x) if (!(x)) LEAVE(x)
#define VALID(h) (h != INVALID_HANDLE_VALUE)
";
    same(
        macros,
        "CHECK(VALID(h)); BAIL;",
        "if (!((h != INVALID_HANDLE_VALUE))) return 7; return 7;",
    );
}

#[test]
fn the_definition_in_force_counts() {
    let source = "
#define GO(x) first(x)
#if 0
#define GO(x) never(x)
#endif
void a(void) { GO(1); }
#undef GO
void b(void) { GO(2); }
#define GO(x) second(x)
void c(void) { GO(3); }
#define GO 4
void d(void) { (GO)(5); }
";
    let unit = unit(Language::C, source);
    let calls = unit.functions.iter().map(|function| {
        let text = print_function(function);
        let call = text.lines().find(|line| line.contains("call"));
        call.map(|line| line.trim().to_owned()).unwrap_or_default()
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(
        calls[..3],
        ["call first(1)", "call GO(2)", "call second(3)"]
    );
    assert!(!calls[3].contains("second"));
}

#[test]
fn an_assertion_that_is_nothing_judges_nothing() {
    let macros = "
#ifdef _DEBUG
#define CHECKED(x) if (!(x)) abort()
#else
#define CHECKED(x) ((void)0)
#endif
";
    same(macros, "CHECKED(h != NULL); Use(h);", "Use(h);");
}

#[test]
fn a_body_that_says_how_it_ends_is_read() {
    same(
        "#define fatal(x) do { Say(x); abort(); } while (0)",
        "fatal(n);",
        "do { Say(n); abort(); } while (0);",
    );
    same(
        "#define LOG_AND_RETURN(x) return Log(x)",
        "LOG_AND_RETURN(n);",
        "return Log(n);",
    );
    same(
        "#define LOG_AND_QUIT(x) (Log(x), ExitProcess(1))",
        "LOG_AND_QUIT(n);",
        "(Log(n), ExitProcess(1));",
    );
}

#[test]
fn some_uses_stay() {
    // A logging macro's name says more than its body.
    stays(
        "#define LOG_LINE(x) fprintf(stderr, \"%d\", x)",
        "LOG_LINE(n);",
    );
    // So does that of one which ends the program by a function that is not in sight.
    stays("#define fatal(x) endit(__FILE__, x)", "fatal(n);");
    // Names that mean something already.
    stays(
        "#define FAILED(hr) (((HRESULT)(hr)) < 0)",
        "if (FAILED(n)) return 1;",
    );
    stays("#define TEXT(x) L##x", "Use(TEXT(\"a\"));");
    // To choose among numbers would only split paths.
    stays(
        "#define LARGER(a, b) ((a) > (b) ? (a) : (b))",
        "n = LARGER(n, 2);",
    );
    // Arguments that do not fit, and half a block.
    stays("#define TWO(a, b) Use(a, b)", "TWO(n);");
    stays("#define BEGIN(x) { Use(x)", "BEGIN(n);");
    stays("#define FAKE(x) x ) ( x", "FAKE(n);");
    // It does not parse where it is used.
    stays("#define WORDS(x) x [ ] = 3 3", "Use(n); WORDS(n);");
    stays(
        "#define END_TEST(x) do { Use(x); } while (0)",
        "END_TEST()\n  << n;",
    );
    // Not followed by arguments.
    stays("#define USE(x) Use(x)", "Take(USE);");
}

#[test]
fn a_use_that_does_not_parse_takes_no_other_with_it() {
    same(
        "#define WORDS(x) case case x
#define SHUT(h) CloseHandle(h)",
        "WORDS(n); SHUT(h);",
        "WORDS(n); CloseHandle(h);",
    );
}

#[test]
fn outside_of_bodies_nothing_is_replaced() {
    let source = "
#define DECLARE(x) int x
#define SHUT(h) CloseHandle(h)
DECLARE(a);
enum E { One = SHUT(1) };
struct S { int SHUT(int h); DECLARE(b); S() : m{SHUT(1)}, k(SHUT(3)) { SHUT(m); } int m, k; };
namespace n { extern \"C\" { class __declspec(novtable) C { public: void m() const { SHUT(2); } }; } }
template <class T> int t(T x) noexcept { return SHUT(x); }
auto lambda = [](int x) { SHUT(x); };
";
    let unit = unit(Language::Cpp, source);
    let calls: Vec<String> = unit.functions.iter().map(print_function).collect();
    let all = calls.join("\n");
    assert_eq!(all.matches("call CloseHandle").count(), 6, "{all}");
    assert_eq!(all.matches("call SHUT").count(), 0, "{all}");
}

#[test]
fn everything_has_the_place_of_the_use() {
    let source = "
#define SHUT(h) do { if (h) { CloseHandle(h); h = NULL; } } while (0)
void f(HANDLE h) {
    /* before */ SHUT(h) ; Use(h);
}
";
    let unit = unit(Language::C, source);
    let function = &unit.functions[0];
    let text = |span: pipelint_source::Span| &source[span.range()];
    let mut seen = Vec::new();
    for (block, spans) in function.blocks.iter().zip(&function.map.stmts) {
        for (statement, span) in block.stmts.iter().zip(spans) {
            if matches!(statement, Statement::Call { .. } | Statement::Assign { .. }) {
                seen.push(text(*span));
            }
        }
    }
    assert_eq!(seen, ["SHUT(h)", "SHUT(h)", "Use(h)"]);
    assert!(
        function
            .map
            .terms
            .iter()
            .all(|span| (span.end as usize) <= source.len())
    );
    assert_eq!(text(function.map.name), "f");
    assert!(text(function.map.whole).ends_with('}'));
}

/// Lowers within a second, far more than is needed.
fn quick(source: &str) -> Unit {
    let start = Instant::now();
    let unit = unit(Language::C, source);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    unit
}

#[test]
fn macros_that_name_themselves_end() {
    let macros = "
#define SELF(x) SELF(x + 1)
#define PING(x) PONG(x)
#define PONG(x) PING(x)
#define F(x) F
";
    same(macros, "SELF(n);", "SELF(n + 1);");
    assert!(body(macros, "PING(n); F(1)(2)(3);").contains("call PING(n)"));
}

#[test]
fn a_billion_laughs_stay_a_call() {
    let mut macros = String::from("#define L0(x) ha(x) + ha(x)\n");
    for i in 1..60 {
        let below = i - 1;
        macros.push_str(&format!("#define L{i}(x) L{below}(x) + L{below}(x)\n"));
    }
    let uses = "n = L59(n);\n".repeat(50);
    let source = format!("{macros}\nint f(int n)\n{{\n{uses}SHUT(n);\n}}\n");
    assert!(print(&quick(&source)).contains("call L59(n)"));
    // An argument that grows.
    let source = "
#define DOUBLE(x) x, x
#define FOUR(x) DOUBLE(DOUBLE(x))
int f(int n) { USE(FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(n))))))))))); }
";
    quick(source);
}

#[test]
fn depth_and_length_are_no_harm() {
    let macros = "#define ID(x) (x)\n#define TWICE(x) Use(x, x)\n";
    let around = |text: String| format!("{macros}int f(int n)\n{{\n{text}\n}}\n");
    let (open, close) = ("(".repeat(10_000), ")".repeat(10_000));
    quick(&around(format!("TWICE({open}n{close});")));
    quick(&around(format!("TWICE({open}n);")));
    let nested = "ID(".repeat(10_000);
    quick(&around(format!("n = {nested}n{close};")));
    quick(&around(format!("n = {nested}n;")));
    quick(&around(format!("Use({}n);", "TWICE(1, ".repeat(10_000))));
    quick(&around("TWICE(n);\n".repeat(20_000)));
    let arguments = vec!["n"; 20_000].join(",");
    quick(&around(format!("Use({arguments}); TWICE({arguments});")));
    let mut chain = String::from("#define C0(x) Use(x)\n");
    for i in 1..5_000 {
        chain.push_str(&format!("#define C{i}(x) C{}(x)\n", i - 1));
    }
    quick(&format!("{chain}int f(int n) {{ C4999(n); C3(n); }}"));
}
