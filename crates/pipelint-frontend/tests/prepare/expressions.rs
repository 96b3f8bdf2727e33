//! Macros inside expressions.

use pipelint_ir::Language;

use crate::support::{kept, prepared, repaired_as, rewritten_as};

#[track_caller]
fn body(text: &str) -> String {
    let out = repaired_as(&format!("void f(void) {{ {text} }}\n"), Language::C);
    let inner = out
        .strip_prefix("void f(void) {")
        .and_then(|rest| rest.strip_suffix('}'));
    inner.expect("the function is whole").trim().to_owned()
}

#[test]
fn types_as_arguments() {
    assert_eq!(body("a = va_arg(ap, int);"), "a = va_arg(ap, Int);");
    assert_eq!(
        body("a = va_arg(ap, unsigned long);"),
        "a = va_arg(ap, Long);"
    );
    assert_eq!(
        body("a = va_arg(ap, const char *);"),
        "a = va_arg(ap, Char );"
    );
    assert_eq!(
        body("a = va_arg(ap, struct item **);"),
        "a = va_arg(ap, item );"
    );
    assert_eq!(
        body("if (a && va_arg(ap, char *) != NULL) g();"),
        "if (a && va_arg(ap, Char ) != NULL) g();"
    );
    assert_eq!(
        body("a = container_of(p, struct item, link);"),
        "a = container_of(p, item, link);"
    );
    assert_eq!(body("SWAP(uint32_t, a, b);"), "SWAP(Uint32_t, a, b);");
    // Values are not types.
    let text = "void f(void) { a = CONTAINING_RECORD(p, ITEM, link); g(a * b, *p, &q, (int)c, sizeof(int), d & e); }\n";
    assert_eq!(prepared(text, Language::C).text, text);
}

#[test]
fn casts_and_declarations_are_left() {
    kept(
        "void f() { int g(int a, char *b); a = static_cast<char *>(b); void (*h)(int, char *) = k; }\n",
    );
    kept(
        "void f() { typedef BOOL (*Fn)(HANDLE h, PSOMETHING_ODD p); std::function<void(int)> g; }\n",
    );
}

#[test]
fn members_of_a_structure_by_offset() {
    assert_eq!(
        body("a = offsetof(struct item, b.c[0]);"),
        "a = offsetof(struct item, b );"
    );
}

#[test]
fn operators_as_arguments() {
    assert_eq!(
        body("if (timercmp(&a, &b, >=)) g();"),
        "if (timercmp(&a, &b, 0 )) g();"
    );
    assert_eq!(body("OP(set, n, |=);"), "OP(set, n, 0 );");
}

#[test]
fn strings_in_parts() {
    assert_eq!(
        body("printf(\"%\" PRId64 \" and %\"PRIu32\"\\n\", a, b);"),
        "printf(\"%\" \" and %\" \"\\n\", a, b);"
    );
    assert_eq!(body("g(PREFIX \"a\" NAME(\"b\") SUFFIX);"), "g( \"a\" );");
    assert_eq!(
        body("const char *s = _T(\"a\") \"b\" _T(\"c\");"),
        "const char *s = _T(\"a\") ;"
    );
    kept("void f() { g(\"a\" \"b\", L\"c\", u8\"d\", \"e\"sv, TEXT(\"f\")); }\n");
}

#[test]
fn macros_beside_arguments() {
    assert_eq!(body("report(LOCATION_AND hr);"), "report( hr);");
    assert_eq!(body("p[0] = PATH_A PATH_B;"), "p[0] = PATH_A ;");
}

#[test]
fn designated_arguments() {
    assert_eq!(
        body("a = make(b, params(.x = 1, .y = b,));"),
        "a = make(b, params( x = 1, y = b ));"
    );
}

#[test]
fn macros_that_stand_for_elements() {
    let out = rewritten_as(
        "static const struct e t[] = {\n  {\"a\", 1},\n  MORE_ELEMENTS\n  {\"b\", 2},\n};\n",
        Language::C,
    );
    assert_eq!(
        out,
        "static const struct e t[] = { {\"a\", 1}, {\"b\", 2}, };"
    );
}
