//! Classes, constructors and lambdas.

use pipelint_ir::Language;

use crate::lowers;

#[test]
fn members_are_initialised_before_the_body() {
    lowers(
        Language::Cpp,
        r#"
class Pipe : public Object {
public:
    Pipe(Object *parent, Config &config);
    ~Pipe() override { CloseHandle(m_handle); }
    static void onDone(void *context);
    bool start();
private:
    HANDLE m_handle = INVALID_HANDLE_VALUE;
    HANDLE m_event{CreateEventW(nullptr, TRUE, FALSE, nullptr)};
    OVERLAPPED m_overlapped = {};
    std::string m_name{"pipe"};
    Config &m_config;
    int m_count;
};
Pipe::Pipe(Object *parent, Config &config) : Object(parent), m_name("a", 1), m_config(config), m_count() {}
void Pipe::onDone(void *context) {}
bool Pipe::start() { return ConnectNamedPipe(m_handle, &m_overlapped); }
"#,
        r#"
class Pipe : Object {
  private field m_handle: HANDLE = _
  private field m_event: HANDLE = _
  private field m_overlapped: OVERLAPPED = _
  private field m_name: std::string = _
  private field m_config: Config&
  private field m_count: int
  declare constructor Pipe::Pipe(Object*, Config&) -> ?
  declare destructor Pipe::~Pipe() -> ? virtual
  declare static method Pipe::onDone(void*) -> void
  declare method Pipe::start() -> bool
}

destructor Pipe::~Pipe() -> void {
bb0:
  call CloseHandle(g::m_handle)
  return
}

fieldinit Pipe::{init}() -> void {
bb0:
  self.m_handle = INVALID_HANDLE_VALUE
  self.m_event = call CreateEventW(null, 1, 0, null)
  self.m_overlapped = {}
  self.m_name = construct std::string("pipe")
  return
}

constructor Pipe::Pipe(parent: Object*, config: Config&) -> void {
bb0:
  self = construct Object(parent)
  self.m_name = construct std::string("a", 1)
  self.m_config = &(*config)
  self.m_count = 0
  return
}

static method Pipe::onDone(context: void*) -> void {
bb0:
  return
}

method Pipe::start() -> bool {
  temp %0: ?
  temp %1: ?
bb0:
  %1 = &g::m_overlapped
  %0 = call ConnectNamedPipe(g::m_handle, %1)
  return %0
}
"#,
    );
}

#[test]
fn lambdas_are_functions_that_capture() {
    lowers(
        Language::Cpp,
        r#"
void Job::run(HANDLE h, int &count) {
    DWORD limit = 3;
    auto by_default = [&](int x) { count += x; return x < limit; };
    auto named = [this, h, moved = std::move(limit)]() -> bool { return close(h, moved, m_field); };
    by_default(1);
}
"#,
        r#"
method Job::run(h: HANDLE, count: int&) -> void {
  let limit: DWORD
  let by_default: auto
  let named: auto
  temp moved: DWORD
bb0:
  limit = 3
  by_default = closure Job::run::{lambda#1} [&(*count), &limit]
  moved = call std::move(move limit)
  named = closure Job::run::{lambda#2} [h, moved]
  pointer by_default(1)
  drop named
  dead named
  drop by_default
  dead by_default
  dead limit
  return
}

lambda Job::run::{lambda#1} of Job(x: int) -> auto {
  temp %1: ?
bb0:
  captured::count = captured::count + x
  %1 = x < captured::limit
  return %1
}

lambda Job::run::{lambda#2} of Job() -> bool {
  temp %0: ?
bb0:
  %0 = call close(captured::h, captured::moved, g::m_field)
  return %0
}
"#,
    );
}
