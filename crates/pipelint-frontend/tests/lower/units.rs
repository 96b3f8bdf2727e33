//! What a file says outside function bodies.

use pipelint_ir::{Const, FunctionKind, Language, Name, Reference};

use crate::{function, unit};

#[test]
fn names_are_qualified() {
    let source = r"
namespace outer::inner {
struct Pipe {
    Pipe();
    ~Pipe();
    static void done();
    void run() {}
    struct Part { void go() {} };
};
void helper() {}
namespace { void hidden() {} }
}
static void local() {}
outer::inner::Pipe::Pipe() {}
outer::inner::Pipe::~Pipe() {}
void outer::inner::Pipe::done() {}
Unknown::Unknown() : value(1) {}
void Unknown::run() {}
";
    let unit = unit(Language::Cpp, source);
    let found: Vec<_> = unit
        .functions
        .iter()
        .map(|f| (f.name.as_str(), f.class.as_deref(), f.kind, f.internal))
        .collect();
    let pipe = Some("outer::inner::Pipe");
    assert_eq!(
        found,
        [
            ("outer::inner::Pipe::run", pipe, FunctionKind::Method, false),
            (
                "outer::inner::Pipe::Part::go",
                Some("outer::inner::Pipe::Part"),
                FunctionKind::Method,
                false
            ),
            ("outer::inner::helper", None, FunctionKind::Free, false),
            ("outer::inner::hidden", None, FunctionKind::Free, true),
            ("local", None, FunctionKind::Free, true),
            (
                "outer::inner::Pipe::Pipe",
                pipe,
                FunctionKind::Constructor,
                false
            ),
            (
                "outer::inner::Pipe::~Pipe",
                pipe,
                FunctionKind::Destructor,
                false
            ),
            (
                "outer::inner::Pipe::done",
                pipe,
                FunctionKind::StaticMethod,
                false
            ),
            (
                "Unknown::Unknown",
                Some("Unknown"),
                FunctionKind::Constructor,
                false
            ),
            ("Unknown::run", Some("Unknown"), FunctionKind::Method, false),
        ]
    );
}

#[test]
fn a_using_directive_does_not_hide_the_class() {
    let source = "namespace ns { struct Pipe { static void done(); }; }\n\
                  using namespace ns;\nvoid Pipe::done() {}\n";
    let done = function(source, "ns::Pipe::done");
    assert_eq!(done.kind, FunctionKind::StaticMethod);
    assert_eq!(done.class.as_deref(), Some("ns::Pipe"));
}

#[test]
fn parameters_keep_their_annotations() {
    let source = "DWORD WINAPI work(_In_ LPVOID context, _Out_writes_bytes_(n) char *to, int n) { return 0; }";
    let work = function(source, "work");
    assert_eq!(work.params, 3);
    let sal = |index: usize| {
        work.locals[index]
            .sal
            .iter()
            .map(Name::as_str)
            .collect::<Vec<_>>()
    };
    assert_eq!(sal(0), ["_In_"]);
    assert_eq!(sal(1), ["_Out_writes_bytes_(n)"]);
    assert!(sal(2).is_empty());
    assert_eq!(work.locals[1].ty.pointers, 1);
    assert_eq!(work.ret.name, "DWORD");
}

#[test]
fn functions_that_never_return_are_known() {
    let source = r"
[[noreturn]] void a();
__declspec(noreturn) void b();
void c() __attribute__((noreturn));
void d();
[[noreturn]] void e() { abort(); }
";
    let unit = unit(Language::Cpp, source);
    let declared: Vec<_> = unit
        .declarations
        .iter()
        .map(|d| (d.name.as_str(), d.noreturn))
        .collect();
    assert_eq!(
        declared,
        [("a", true), ("b", true), ("c", true), ("d", false)]
    );
    assert!(unit.functions[0].noreturn);
}

#[test]
fn globals_and_constants_have_values() {
    let source = r"
enum Kind { First = 3, Second, Both = First | Second, Next };
enum class Mode : int { Off, On };
static HANDLE handle = INVALID_HANDLE_VALUE;
const DWORD limit = 1 << 4;
extern int elsewhere;
int table[3];
void (*callback)(int) = nullptr;
";
    let unit = unit(Language::Cpp, source);
    let constants: Vec<_> = unit
        .constants
        .iter()
        .map(|c| (c.name.as_str(), c.value.clone()))
        .collect();
    let int = Const::Int;
    assert_eq!(
        constants,
        [
            ("First", int(3)),
            ("Second", int(4)),
            ("Both", int(7)),
            ("Next", int(8)),
            ("Mode::Off", int(0)),
            ("Mode::On", int(1)),
        ]
    );
    let globals: Vec<_> = unit
        .globals
        .iter()
        .map(|g| (g.name.as_str(), g.internal, g.is_extern, g.init.clone()))
        .collect();
    assert_eq!(
        globals,
        [
            (
                "handle",
                true,
                false,
                Some(Const::Named("INVALID_HANDLE_VALUE".into()))
            ),
            ("limit", false, false, Some(int(16))),
            ("elsewhere", false, true, None),
            ("table", false, false, None),
            ("callback", false, false, Some(Const::Null)),
        ]
    );
    assert_eq!(
        (unit.globals[3].ty.arrays, unit.globals[3].ty.array_len),
        (1, Some(3))
    );
}

#[test]
fn classes_show_their_members() {
    let source = r"
template <typename T>
class Owner : public Base<T>, private ns::Other {
public:
    explicit Owner(T value);
    Owner(const Owner &) = delete;
    Owner &operator=(const Owner &) = default;
    virtual ~Owner();
    static Owner make(int n, HANDLE &out);
private:
    T m_value, *m_next = nullptr;
    static int s_count;
    union { int m_int; HANDLE m_handle; };
};
";
    let unit = unit(Language::Cpp, source);
    let class = &unit.classes[0];
    assert_eq!(class.bases, ["Base", "ns::Other"]);
    let fields: Vec<_> = class
        .fields
        .iter()
        .map(|f| (f.name.as_str(), f.ty.pointers, f.is_static, f.has_init))
        .collect();
    assert_eq!(
        fields,
        [
            ("m_value", 0, false, false),
            ("m_next", 1, false, true),
            ("s_count", 0, true, false),
            ("m_int", 0, false, false),
            ("m_handle", 0, false, false),
        ]
    );
    let methods: Vec<_> = class
        .methods
        .iter()
        .map(|m| {
            (
                m.name.as_str(),
                m.kind,
                m.is_virtual,
                m.deleted,
                m.defaulted,
            )
        })
        .collect();
    assert_eq!(
        methods,
        [
            (
                "Owner::Owner",
                FunctionKind::Constructor,
                false,
                false,
                false
            ),
            (
                "Owner::Owner",
                FunctionKind::Constructor,
                false,
                true,
                false
            ),
            ("Owner::operator=", FunctionKind::Method, false, false, true),
            (
                "Owner::~Owner",
                FunctionKind::Destructor,
                true,
                false,
                false
            ),
            (
                "Owner::make",
                FunctionKind::StaticMethod,
                false,
                false,
                false
            ),
        ]
    );
    assert_eq!(class.methods[4].params[1].reference, Reference::Shared);
}

#[test]
fn aliases_and_unnamed_structs_are_followed() {
    let source = "typedef struct { HANDLE h; } Pipe, *PipePtr; using Text = std::string;\n\
                  void f() { Text t; PipePtr p; Pipe q; }";
    let unit = unit(Language::Cpp, source);
    assert_eq!(unit.classes[0].name, "Pipe");
    let aliases: Vec<_> = unit
        .aliases
        .iter()
        .map(|(name, ty)| (name.as_str(), ty.name.as_str()))
        .collect();
    assert_eq!(aliases, [("PipePtr", "Pipe"), ("Text", "std::string")]);
    let text = pipelint_ir::print_function(&unit.functions[0]);
    // Only the string has a destructor.
    assert_eq!(text.matches("drop").count(), 1, "{text}");
    assert!(text.contains("drop t"), "{text}");
}

#[test]
fn c_has_no_destructors() {
    let unit = unit(Language::C, "void f(void) { struct pipe p; other q; }");
    let text = pipelint_ir::print_function(&unit.functions[0]);
    assert!(
        !text.contains("drop") && !text.contains("construct"),
        "{text}"
    );
    assert!(text.contains("live p") && text.contains("dead q"), "{text}");
}

#[test]
fn comments_to_the_linter_are_kept() {
    let source =
        "// pipelint: allow(PL103) handed over\nvoid f() { g(); /* pipelint: x */ }\n// other\n";
    let unit = unit(Language::Cpp, source);
    let texts: Vec<_> = unit.pragmas.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(
        texts,
        ["// pipelint: allow(PL103) handed over", "/* pipelint: x */"]
    );
}

#[test]
fn spans_point_at_the_source() {
    let source = "void f() {\n    HANDLE h = CreateEventW(0, 0, 0, 0);\n    if (h == NULL)\n        return;\n}\n";
    let f = function(source, "f");
    let text = |span: pipelint_source::Span| &source[span.range()];
    assert_eq!(text(f.map.name), "f");
    assert_eq!(text(f.map.stmts[0][0]), "CreateEventW(0, 0, 0, 0)");
    assert_eq!(text(f.map.terms[0]), "h == NULL");
    assert_eq!(text(f.map.terms[1]), "return;");
    assert_eq!(text(f.map.locals[0]), "h = CreateEventW(0, 0, 0, 0)");
}

#[test]
fn signals_are_known_as_such() {
    let source = r"
class Reader : public QObject {
    Q_OBJECT
public:
    void start();
Q_SIGNALS:
    void data(int bytes);
public slots:
    void stop();
signals:
    void closed();
private:
    Q_SIGNAL void queued();
    void run();
};
";
    let unit = unit(Language::Cpp, source);
    let methods = unit.classes[0].methods.iter().filter(|m| m.is_signal);
    let names: Vec<_> = methods.map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["Reader::data", "Reader::closed", "Reader::queued"]);
}
