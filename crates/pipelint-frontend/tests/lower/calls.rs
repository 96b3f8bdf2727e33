//! Calls, and what looks like one.

use pipelint_ir::{Language, print_function};

use crate::{function, unit};

const AROUND: &str = "
struct Known { Known(int); int f; };
typedef Known *KnownPtr;
int declared(int);
struct Base { static void hook(int); void act(); HANDLE m_h; void t(HANDLE h, int n, bool b, Job *p, Job &r, int (*fp)(int), std::unique_ptr<Job> u); };
";

/// The statements that a statement in a method becomes.
fn statements(statement: &str) -> Vec<String> {
    let source = format!(
        "{AROUND}void Base::t(HANDLE h, int n, bool b, Job *p, Job &r, int (*fp)(int), std::unique_ptr<Job> u) {{ {statement} }}"
    );
    let text = print_function(&function(&source, "Base::t"));
    let (_, body) = text.split_once("bb0:").unwrap_or_default();
    let lines = body.lines().map(str::trim);
    // The parameter of class type ends in every one.
    let kept = lines.filter(|line| {
        !matches!(*line, "" | "}" | "return" | "drop u" | "dead u") && !line.starts_with("dead ")
    });
    kept.map(str::to_owned).collect()
}

#[test]
fn callees() {
    for (statement, expected) in [
        ("CreateFileW(h);", &["call CreateFileW(h)"][..]),
        ("::CloseHandle(h);", &["call CloseHandle(h)"]),
        ("ns::f<int>(n);", &["call ns::f(n)"]),
        ("act();", &["call act()"]),
        ("this->act();", &["method self.act of Base ()"]),
        ("(*this).act();", &["method self.act of Base ()"]),
        ("p->run(n);", &["method (*p).run of Job (n)"]),
        ("r.run();", &["method (*r).run of Job ()"]),
        ("u->run();", &["method (*u).run of Job ()"]),
        ("fp(n);", &["pointer fp(n)"]),
        ("(*fp)(n);", &["pointer fp(n)"]),
        ("get()(n);", &["%7 = call get()", "pointer %7(n)"]),
        ("(void)CloseHandle(h);", &["voided call CloseHandle(h)"]),
        (
            "static_cast<void>(CloseHandle(h));",
            &["voided call CloseHandle(h)"],
        ),
        (
            "std::ignore = CloseHandle(h);",
            &["voided call CloseHandle(h)"],
        ),
        ("p = new Job(n);", &["p = new Job(n)"]),
        ("delete p;", &["delete (*p)"]),
        ("Known k(n);", &["k = construct Known(n)"]),
        ("Known k{n};", &["k = construct Known(n)"]),
        ("Known k = Known(n);", &["k = construct Known(n)"]),
        ("auto k = Known(n);", &["k = construct Known(n)"]),
        (
            "Unknown k(n, m_h);",
            &["k = construct Unknown(n, g::m_h)", "drop k"],
        ),
        (
            "Unknown k(m_h);",
            &["k = construct Unknown(g::m_h)", "drop k"],
        ),
        ("Unknown k();", &[]),
        ("int declared(int);", &[]),
        ("n = DWORD(n);", &["n = n as DWORD"]),
        ("n = int(h);", &["n = h as int"]),
        ("h = HANDLE();", &["h = 0"]),
        ("n = (n, 3);", &["n = 3"]),
    ] {
        assert_eq!(statements(statement), expected, "{statement}");
    }
}

#[test]
fn arguments() {
    for (argument, expected) in [
        ("TRUE", "call f(1)"),
        ("nullptr", "call f(null)"),
        ("INVALID_HANDLE_VALUE", "call f(INVALID_HANDLE_VALUE)"),
        ("0x10u", "call f(16)"),
        ("'\\n'", "call f(10)"),
        ("-1", "call f(-1)"),
        ("1 << 4 | 1", "call f(17)"),
        ("L\"a\" \"b\"", "call f(\"ab\")"),
        ("TEXT(\"a\")", "call f(\"a\")"),
        ("hook", "call f(fn hook)"),
        ("&Base::hook", "call f(fn Base::hook)"),
        ("&Other::method", "call f(fn Other::method)"),
        ("declared", "call f(fn declared)"),
        ("m_h", "call f(g::m_h)"),
        ("p->a.b[2].c", "call f((*p).a.b[2].c)"),
        ("sizeof(n)", "call f(other)"),
        ("Mode::On", "call f(g::Mode::On)"),
        ("Mode::ALL", "call f(Mode::ALL)"),
    ] {
        let found = statements(&format!("f({argument});"));
        let expected = expected.replace("fn ", "g::");
        let found: Vec<_> = found
            .iter()
            .map(|line| line.replace("fn ", "g::"))
            .collect();
        assert_eq!(found.last(), Some(&expected), "{argument}: {found:?}");
    }
}

#[test]
fn addresses_and_arrays_are_references() {
    assert_eq!(statements("f(&n);"), ["%7 = &n", "call f(%7)"]);
    assert_eq!(
        statements("f(&p->x[1]);"),
        ["%7 = &(*p).x[1]", "call f(%7)"]
    );
    assert_eq!(
        statements("char a[4]; f(a, a[1]);"),
        ["live a", "%8 = &a", "call f(%8, a[1])"]
    );
    assert_eq!(statements("f(&*p);"), ["%7 = &(*p)", "call f(%7)"]);
    assert_eq!(statements("f(this);"), ["%7 = &self", "call f(%7)"]);
}

#[test]
fn a_member_called_in_c_is_a_pointer() {
    let unit = unit(
        Language::C,
        "void f(struct ops *o) { o->close(1); o->table[2](3); }",
    );
    let text = print_function(&unit.functions[0]);
    assert!(text.contains("pointer (*o).close(1)"), "{text}");
    assert!(text.contains("pointer (*o).table[2](3)"), "{text}");
}

#[test]
fn objects_made_to_be_kept_are_not_ended() {
    let source =
        "struct S { ~S(); };\nS make() { return S(); }\nvoid f() { S all[] = {S(), S()}; }";
    let made = print_function(&function(source, "make"));
    assert!(!made.contains("drop"), "{made}");
    let kept = print_function(&function(source, "f"));
    assert_eq!(kept.matches("drop").count(), 1, "{kept}");
    assert_eq!(kept.matches("move").count(), 2, "{kept}");
}

#[test]
fn named_constants_stay_named_and_still_count() {
    let source = "#define STATE_A 1\n#define COUNT 3\n\
                  void f(int n) { switch (n) { case STATE_A: g(); } a[COUNT] = n; h(COUNT); }";
    let text = print_function(&function(source, "f"));
    assert!(text.contains("STATE_A =>"), "{text}");
    assert!(text.contains("g::a[3] = n"), "{text}");
    assert!(text.contains("call h(COUNT)"), "{text}");
}
