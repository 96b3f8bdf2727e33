//! Plain C and C++ that the grammar does not take, and C that is no C++.

use pipelint_ir::Language;

use crate::support::{cpp, fold, kept, prepared, repaired, repaired_as, rewritten};

#[test]
fn words_of_cpp_are_names_in_c() {
    let text = "int f(int class, char *new) { int delete = class; return delete + *new; }\n";
    assert_eq!(
        repaired_as(text, Language::C),
        "int f(int Class, char *New) { int Delete = Class; return Delete + *New; }"
    );
}

#[test]
fn a_header_for_c_may_name_a_parameter_so() {
    assert_eq!(
        repaired("int f(char *template, int n);\n"),
        "int f(char *Template, int n);"
    );
    kept("struct A { A(const A &) = delete; A *self() { return this; } };\n");
}

#[test]
fn old_style_parameters_go() {
    let text = "int f(a, b)\n  int a;\n  char *b;\n{\n  return a;\n}\n";
    assert_eq!(repaired_as(text, Language::C), "int f(a, b) { return a; }");
    let text = "int f(int a);\nint g(int b) { return b; }\n";
    assert_eq!(prepared(text, Language::C).text, text);
}

#[test]
fn operators_called_by_name() {
    assert_eq!(
        repaired(
            "void f(X &a, X &b) { a.operator=(b); if (!a.operator bool()) a->operator()(1); }\n"
        ),
        "void f(X &a, X &b) { a.Operator_(b); if (!a.Operator_____()) a->Operator__(1); }"
    );
    kept("struct A { bool operator==(const A &o) const; A &operator=(const A &o); };\n");
}

#[test]
fn a_member_after_an_assignment_operator_is_still_a_function() {
    let text = "X &X::operator=(const X &o)\n{\n  FOO\n  emit changed();\n  return *this;\n}\n";
    assert_eq!(
        repaired(text),
        "X &X::operator=(const X &o) { changed(); return *this; }"
    );
}

#[test]
fn default_arguments_in_braces() {
    assert_eq!(
        repaired("void f(const S &s = {}, int n = 0);\n"),
        "void f(const S &s , int n = 0);"
    );
}

#[test]
fn captures_in_braces() {
    assert_eq!(
        repaired("void f() { g([weak{ get() }, n](int a) { return a + n; }); }\n"),
        "void f() { g([weak= get() , n](int a) { return a + n; }); }"
    );
}

#[test]
fn pointers_to_members() {
    assert_eq!(
        repaired("typedef void (Thing::*Call)(int);\n"),
        "typedef void ( *Call)(int);"
    );
    assert_eq!(
        repaired("void f(T *p, C c) { (p->*c)(1); }\n"),
        "void f(T *p, C c) { (p-> c)(1); }"
    );
}

#[test]
fn friends() {
    assert_eq!(
        rewritten("class A { friend class ns::B; int x; };\n"),
        "class A { int x; };"
    );
    assert_eq!(
        repaired("struct A { friend A operator-(A a, A b) = delete; };\n"),
        "struct A { friend A operator-(A a, A b) ; };"
    );
}

#[test]
fn templates() {
    assert_eq!(repaired("template class List<int>;\nint a;\n"), "int a;");
    assert_eq!(
        repaired("template <typename T, enable_if<!T::a>* = nullptr>\nvoid f();\n"),
        "template <typename T, enable_if<!T::a> > void f();"
    );
    kept("template <typename T, int N = (3 > 2)> struct A { T a[N]; };\n");
}

#[test]
fn assembly() {
    let text = "void f() { int a = 1; __asm { mov eax, a\n xor ebx, ebx } g(a); }\n";
    assert_eq!(repaired(text), "void f() { int a = 1; g(a); }");
    assert_eq!(
        repaired("void f() {\n  __asm int 3\n  g();\n}\n"),
        "void f() { g(); }"
    );
}

#[test]
fn deleted_functions_outside_a_class() {
    assert_eq!(
        repaired("template <class T>\nT *f(const T &&) = delete;\n"),
        "template <class T> T *f(const T &&) ;"
    );
}

#[test]
fn handles_of_the_component_extensions() {
    assert_eq!(
        repaired("ref class App sealed {\npublic:\n  void run(String ^ s);\n};\n"),
        "class App { public: void run(String * s); };"
    );
}

#[test]
fn ordinary_code_is_left_as_it_is() {
    kept(concat!(
        "namespace a::b {\n",
        "template <typename T> class Box : public Base<T> {\n",
        "public:\n",
        "  explicit Box(T &&t) noexcept : m_t{std::move(t)}, m_n(sizeof(T)) {}\n",
        "  ~Box() override { if (m_h != INVALID_HANDLE_VALUE) CloseHandle(m_h); }\n",
        "  Box(const Box &) = delete;\n",
        "  T get() const & { return m_t; }\n",
        "  auto operator<=>(const Box &) const = default;\n",
        "private:\n",
        "  HANDLE m_h = INVALID_HANDLE_VALUE;\n",
        "  T m_t;\n",
        "  int m_n : 4;\n",
        "};\n",
        "}\n",
        "static const DWORD kSizes[] = {SIZE_A, SIZE_B | SIZE_C, (DWORD)SIZE_D};\n",
        "int main(int argc, char **argv) {\n",
        "  std::vector<std::pair<int, HANDLE>> v{{1, NULL}};\n",
        "  for (const auto &[n, h] : v) if (n > MAX_N && h) goto done;\n",
        "  auto f = [&, n = argc](DWORD x) mutable -> BOOL { return x * n < FOO * BAR; };\n",
        "  switch (argc) { case A_CONSTANT: f(1); break; default: return (int)RESULT; }\n",
        "  DWORD x = (DWORD)FLAG_A & ~FLAG_B, *p = &x;\n",
        "  FOO *q = new FOO(x); delete q;\n",
        "  try { g<FOO>(x); } catch (const std::exception &e) { throw; }\n",
        "done:\n",
        "  return 0;\n",
        "}\n",
    ));
}

#[test]
fn ordinary_c_is_left_as_it_is() {
    let text = concat!(
        "typedef struct _NODE { struct _NODE *next; HANDLE h; } NODE, *PNODE;\n",
        "static PNODE head;\n",
        "struct point origin(void) { return (struct point){ .x = 0, .y = 0 }; }\n",
        "static DWORD count(PNODE n) {\n",
        "  DWORD c = 0;\n",
        "  NODE *p;\n",
        "  for (p = n; p != NULL; p = p->next) { c++; if (c == MAX) break; }\n",
        "  if (!c) goto out;\n",
        "  CLEAR(n);\n",
        "out:\n",
        "  return c;\n",
        "}\n",
    );
    assert_eq!(prepared(text, Language::C).text, text);
}

#[test]
fn a_word_in_the_text_is_not_a_token() {
    let text =
        "// class API X { Q_OBJECT };\nconst char *s = \"WINAPI _In_ emit x;\"; /* forever { */\n";
    assert_eq!(cpp(text).text, text);
    assert_eq!(
        fold(&cpp("int a = 1'000'000; int WINAPI f();\n").text),
        "int a = 1'000'000; int f();"
    );
}
