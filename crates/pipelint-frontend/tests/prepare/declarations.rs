//! Macros in declarations.

use pipelint_ir::Language;

use crate::support::{cpp, fold, has_error, kept, repaired, repaired_as, rewritten};

#[test]
fn calling_conventions() {
    assert_eq!(
        repaired("DWORD WINAPI f(LPVOID p) { return 0; }\n"),
        "DWORD f(LPVOID p) { return 0; }"
    );
    assert_eq!(
        repaired("static VOID\nCALLBACK g(PVOID a, BOOLEAN b);\n"),
        "static void g(PVOID a, BOOLEAN b);"
    );
    assert_eq!(
        repaired("typedef BOOL (NTAPI *PFN)(HANDLE);\n"),
        "typedef BOOL ( *PFN)(HANDLE);"
    );
    assert_eq!(
        repaired("int f(char FAR *p, void (STDCALL *q)(int));\n"),
        "int f(char *p, void ( *q)(int));"
    );
    assert_eq!(
        repaired("void f() { wait([](PVOID p) CALLBACK { use(p); }); }\n"),
        "void f() { wait([](PVOID p) { use(p); }); }"
    );
    // The same word as a name stays.
    kept("enum Kind { CALLBACK, OTHER };\nint a = CALLBACK;\n");
}

#[test]
fn unknown_conventions_stand_between_type_and_name() {
    assert_eq!(
        repaired("static UText* U_CALL clone(int a);\n"),
        "static UText* clone(int a);"
    );
    assert_eq!(
        repaired("int MYCC f(int a) { return a; }\n"),
        "int f(int a) { return a; }"
    );
    assert_eq!(
        repaired("BOOL LIB_CALLBACK f(HWND h) { return 1; }\n"),
        "BOOL f(HWND h) { return 1; }"
    );
    assert_eq!(
        repaired("struct S { void (GLCALL *draw)(int); };\n"),
        "struct S { void ( *draw)(int); };"
    );
}

#[test]
fn unknown_export_macros_stand_before_the_type() {
    assert_eq!(
        repaired("LIB_PUBLIC Result* f(int a);\n"),
        "Result* f(int a);"
    );
    assert_eq!(
        repaired("FOO_API BOOL BAR_CALL f(int a);\n"),
        "BOOL f(int a);"
    );
    assert_eq!(
        repaired("LIB_API std::vector<int> f(int a);\n"),
        "std::vector<int> f(int a);"
    );
    assert_eq!(
        repaired("LIB_INLINE static int f(void) { return 1; }\n"),
        "static int f(void) { return 1; }"
    );
    // One name in capitals before a name is its type.
    kept("RESULT f(int a);\nSTATUS\ng(int a) { return OK; }\nRESULT *h(int a);\n");
}

#[test]
fn attributes_follow() {
    assert_eq!(repaired("void f(int a) NO_THROW;\n"), "void f(int a) ;");
    assert_eq!(
        repaired("struct A { int f() const LOCKS(m) { return 1; } };\n"),
        "struct A { int f() const { return 1; } };"
    );
    assert_eq!(
        repaired("int f(int argc UNUSED, char **argv UNUSED) { return 0; }\n"),
        "int f(int argc , char **argv ) { return 0; }"
    );
    assert_eq!(repaired("char name[8] NONSTRING;\n"), "char name[8] ;");
    // A cast is no parameter list.
    kept("int a = (int) VALUE;\nvoid f() { g(a); b = (HANDLE) OTHER; }\n");
}

#[test]
fn attributes_of_the_compilers() {
    assert_eq!(
        repaired("__declspec(dllexport) int a;\nstruct __declspec(align(8)) S { int a; };\n"),
        "int a; struct S { int a; };"
    );
    assert_eq!(
        rewritten("void f(int a) __attribute__((format(printf, 1, 2)));\n"),
        "void f(int a) ;"
    );
    let out = cpp(
        "[[nodiscard]] static int f([[maybe_unused]] int a);\nint g(int *a) { return a[a[0]]; }\n",
    );
    assert_eq!(
        fold(&out.text),
        "static int f( int a); int g(int *a) { return a[a[0]]; }"
    );
}

#[test]
fn macros_before_a_class_name() {
    assert_eq!(
        repaired("class LIB_EXPORT Name : public Base { int a; };\n"),
        "class Name : public Base { int a; };"
    );
    assert_eq!(
        repaired("struct PACKED(1) Name { int a; };\n"),
        "struct Name { int a; };"
    );
    assert_eq!(
        repaired("class Name sealed : public Base { ~Name(); };\n"),
        "class Name : public Base { ~Name(); };"
    );
    assert_eq!(
        repaired("class LIB_EXPORT Name final { };\n"),
        "class Name final { };"
    );
    assert_eq!(
        rewritten("class LIB_EXPORT Name;\nclass Other;\n"),
        "class Name; class Other;"
    );
    kept(
        "struct NODE *f(struct NODE *a, struct NODE b);\nstruct NODE node = { 0 };\nstruct NODE g(int a) { return node; }\n",
    );
}

#[test]
fn the_macros_of_component_interfaces() {
    assert_eq!(
        repaired(
            "MIDL_INTERFACE(\"0-0\")\nIThing : public IUnknown {\n  virtual HRESULT STDMETHODCALLTYPE Do(_In_ int a) = 0;\n};\n"
        ),
        "struct IThing : public IUnknown { virtual HRESULT Do( int a) = 0; };"
    );
    assert_eq!(
        repaired(
            "DECLARE_INTERFACE_(IThing, IUnknown) {\n  STDMETHOD(Do)(THIS_ int a) PURE;\n  STDMETHOD_(ULONG, Count)(int a) PURE;\n};\n"
        ),
        "struct IThing { HRESULT Do ( int a) = 0 ; ULONG Count (int a) = 0 ; };"
    );
    assert_eq!(
        fold(&cpp("STDMETHODIMP Thing::Do(int a) { return S_OK; }\nSTDMETHODIMP_(ULONG) Thing::Count() { return 1; }\n").text),
        "HRESULT Thing::Do(int a) { return S_OK; } ULONG Thing::Count() { return 1; }"
    );
    assert_eq!(
        repaired("interface DECLSPEC_UUID(\"0\") IThing : public IUnknown { };\n"),
        "struct IThing : public IUnknown { };"
    );
}

#[test]
fn c_linkage() {
    assert_eq!(
        repaired("EXTERN_C const GUID id = { 1 };\n"),
        "extern const GUID id = { 1 };"
    );
    assert_eq!(
        repaired("EXTERN_C_START\nint f(void);\nEXTERN_C_END\n"),
        "int f(void);"
    );
    kept("extern \"C\" {\nint f(void);\n}\n");
}

#[test]
fn lone_words_at_file_and_class_scope() {
    assert_eq!(
        repaired("LIB_BEGIN_NAMESPACE\nclass A { public: A(); };\nLIB_END_NAMESPACE\n"),
        "class A { public: A(); };"
    );
    assert_eq!(
        rewritten("class A : public B {\n  Q_OBJECT\npublic:\n  A();\n};\n"),
        "class A : public B { public: A(); };"
    );
    assert_eq!(
        repaired("class A {\n  ALL_OF_THEM\n  MORE_OF_THEM\nprivate:\n  int a;\n};\n"),
        "class A { private: int a; };"
    );
    assert_eq!(
        repaired("LIB_BEGIN\nstatic int a;\n#if 0\n#endif\nLIB_END\n"),
        "static int a;"
    );
}

#[test]
fn lone_calls_at_file_and_class_scope() {
    assert_eq!(repaired("IMPLEMENT_DYNAMIC(A, B)\nint a;\n"), "int a;");
    assert_eq!(
        repaired(
            "class A {\n  BEGIN_MSG_MAP(A)\n    MESSAGE_HANDLER(WM_SIZE, OnSize)\n  END_MSG_MAP()\n  int a;\n};\n"
        ),
        "class A { int a; };"
    );
    assert_eq!(
        repaired(
            "class A {\n  Q_PROPERTY(int a READ a WRITE setA)\n  Q_ENUM(Kind)\n  PROPERTY(const int&, name)\n  int a;\n};\n"
        ),
        "class A { int a; };"
    );
    assert_eq!(
        repaired("DECLARE_DELEGATE(Name, const Type&, arg);\nint a;\n"),
        "int a;"
    );
    // A constructor is no macro, even in capitals.
    kept("class BOX { BOX(int a) : m(a) {} BOX(); ~BOX(); int m; };\n");
    kept("Box::Box(int a) : m(a) {}\n");
}

#[test]
fn macros_that_define_functions() {
    let out = cpp(
        "TEST(Suite, name) {\n  int a = 1;\n}\nTEST_CASE(\"text\", \"[tag]\") {\n  int b = 2;\n}\n",
    );
    assert!(!has_error(&out.text));
    assert!(out.text.contains("int a = 1;") && out.text.contains("int b = 2;"));
    assert_eq!(
        rewritten("LIB_UNUSED(static int f(int a)) {\n  return a;\n}\n"),
        "static int f(int a) { return a; }"
    );
}

#[test]
fn macros_that_are_types() {
    assert_eq!(
        repaired_as("static STACK_OF(CERT) *certs;\n", Language::C),
        "static CERT *certs;"
    );
    assert_eq!(
        repaired_as("int f(const STACK_OF(CERT) *certs);\n", Language::C),
        "int f(const CERT *certs);"
    );
    assert_eq!(
        repaired_as("LIST_HEAD(head, item) first, second;\n", Language::C),
        "head first, second;"
    );
}

#[test]
fn access_labels() {
    assert_eq!(
        repaired(
            "class A {\nsignals:\n  void done();\npublic slots:\n  void go();\nprivate Q_SLOTS:\n  void run();\nQ_SIGNALS:\n  void more();\n};\n"
        ),
        "class A { public : void done(); public : void go(); private : void run(); public : void more(); };"
    );
}

#[test]
fn a_macro_of_the_file_is_what_it_is_defined_as() {
    assert_eq!(
        repaired("#define EXPORTED\nEXPORTED int EXPORTED f();\n"),
        "int f();"
    );
    assert_eq!(
        repaired("#define local __declspec(noinline)\nlocal int f();\n"),
        "int f();"
    );
    assert_eq!(
        repaired("#define INTERNAL static\nINTERNAL int a;\nINTERNAL int f() { return 1; }\n"),
        "static int a; static int f() { return 1; }"
    );
    assert_eq!(
        repaired("#define NONNULL(x) __attribute__((nonnull(x)))\nvoid f(int *a) NONNULL(1);\n"),
        "void f(int *a) ;"
    );
    // Undefined again, it is a name.
    let text = "#define WORD_T\n#undef WORD_T\nWORD_T a;\n";
    assert_eq!(fold(&cpp(text).text), "WORD_T a;");
}

#[test]
fn enumerators() {
    assert_eq!(
        repaired("enum A { A_ONE HIDDEN(\"x\"), A_TWO OLD = 2 };\n"),
        "enum A { A_ONE , A_TWO = 2 };"
    );
    assert_eq!(
        repaired("enum A {\n  LIST(XX)\n  A_LAST = 1 - 1\n};\n"),
        "enum A { A_LAST = 1 - 1 };"
    );
    assert_eq!(
        repaired("struct S { enum : int { A = 1 }; };\n"),
        "struct S { enum { A = 1 }; };"
    );
}

#[test]
fn constructors_behind_attributes() {
    assert_eq!(
        repaired(
            "struct A {\n  LIB_INLINE constexpr A() : m() {}\n  LIB_NODISCARD explicit operator bool() const { return m; }\n  LIB_INLINE virtual ~A() {}\n  int m;\n};\n"
        ),
        "struct A { constexpr A() : m() {} explicit operator bool() const { return m; } virtual ~A() {} int m; };"
    );
}
