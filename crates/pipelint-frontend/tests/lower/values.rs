//! Expressions, temporaries and initialisers.

use pipelint_ir::Language;

use crate::lowers;

#[test]
fn conditional_operators_in_arguments_become_branches() {
    lowers(
        Language::Cpp,
        r#"
void call(HANDLE h, bool ok) {
    use(h, ok ? first(h) : 2, !ok && h);
}
"#,
        r#"
fn call(h: HANDLE, ok: bool) -> void {
  temp %2: ?
  temp %3: ?
bb0:
  branch ok != 0 ? bb1 : bb2
bb1:
  %2 = call first(h)
  goto bb3
bb2:
  %2 = 2
  goto bb3
bb3:
  branch ok != 0 ? bb6 : bb4
bb4:
  branch h != 0 ? bb5 : bb6
bb5:
  %3 = 1
  goto bb7
bb6:
  %3 = 0
  goto bb7
bb7:
  call use(h, %2, %3)
  return
}
"#,
    );
}

#[test]
fn unnamed_guards_end_with_their_statement() {
    lowers(
        Language::Cpp,
        r#"
void guarded(Mutex &m) {
    QMutexLocker(&m);
    std::lock_guard<std::mutex>(m.inner);
    send(std::string("text"), QByteArray("x"));
    touch();
}
"#,
        r#"
fn guarded(m: Mutex&) -> void {
  temp %1: QMutexLocker
  temp %2: ?
  temp %3: std::lock_guard<std::mutex>
  temp %4: std::string
  temp %5: QByteArray
bb0:
  %2 = &(*m)
  %1 = construct QMutexLocker(%2)
  drop %1
  %3 = construct std::lock_guard<std::mutex>((*m).inner)
  drop %3
  %4 = construct std::string("text")
  %5 = construct QByteArray("x")
  call send(%4, %5)
  drop %5
  drop %4
  call touch()
  return
}
"#,
    );
}

#[test]
fn casts_are_told_from_arithmetic() {
    lowers(
        Language::C,
        r#"
void casts(void *p, long n) {
    HANDLE a = (HANDLE)-1;
    LPVOID b = (LPVOID)&n;
    SOCKET c = (SOCKET)(~0);
    HANDLE d = (HANDLE)0 == p ? NULL : (HANDLE)(LONG_PTR)n;
    int sum = (n) - 1;
    (void)CloseHandle(a);
}
"#,
        r#"
fn casts(p: void*, n: long) -> void {
  let a: HANDLE
  let b: LPVOID
  temp %4: ?
  let c: SOCKET
  let d: HANDLE
  temp %7: LONG_PTR
  let sum: int
bb0:
  a = -1 as HANDLE
  %4 = &n
  b = %4 as LPVOID
  c = -1 as SOCKET
  branch p == null ? bb1 : bb2
bb1:
  d = null
  goto bb3
bb2:
  %7 = n as LONG_PTR
  d = %7 as HANDLE
  goto bb3
bb3:
  sum = n - 1
  voided call CloseHandle(a)
  dead sum
  dead d
  dead c
  dead b
  dead a
  return
}
"#,
    );
}

#[test]
fn moves_are_seen() {
    lowers(
        Language::Cpp,
        r#"
std::unique_ptr<Job> make(std::unique_ptr<Job> a) {
    auto b = std::make_unique<Job>(1);
    std::unique_ptr<Job> c = std::move(a);
    take(std::move(c));
    return b;
}
"#,
        r#"
fn make(a: std::unique_ptr<Job>) -> std::unique_ptr<Job> {
  let b: std::unique_ptr<Job>
  let c: std::unique_ptr<Job>
  temp %3: ?
  temp %4: std::unique_ptr<Job>
bb0:
  b = call std::make_unique(1)
  c = call std::move(move a)
  %3 = call std::move(move c)
  call take(%3)
  %4 = move b
  drop c
  dead c
  drop b
  dead b
  drop a
  dead a
  return %4
}
"#,
    );
}

#[test]
fn references_are_read_through() {
    lowers(
        Language::Cpp,
        r#"
HANDLE &rebind(Pair &pair, Pair *other) {
    HANDLE &first = pair.first;
    first = NULL;
    const std::string &name = std::string("x");
    Pair &alias = *other;
    alias.second = first;
    use(name);
    return alias.second;
}
"#,
        r#"
fn rebind(pair: Pair&, other%1: Pair*) -> HANDLE& {
  let first: HANDLE&
  let name: const std::string&
  temp %4: std::string
  let alias: Pair&
  temp %6: HANDLE&
bb0:
  first = &(*pair).first
  (*first) = null
  %4 = construct std::string("x")
  name = &%4
  alias = &(*other%1)
  (*alias).second = (*first)
  call use((*name))
  %6 = (*alias).second
  dead alias
  dead name
  drop %4
  dead %4
  dead first
  return %6
}
"#,
    );
}

#[test]
fn static_locals_are_initialised_once() {
    lowers(
        Language::Cpp,
        r#"
HANDLE shared() {
    static HANDLE h = CreateMutexW(nullptr, FALSE, nullptr);
    static const int limit = 3;
    static int calls;
    calls += limit;
    return h;
}
"#,
        r#"
fn shared() -> HANDLE {
  static h: HANDLE
  temp %1: bool
  static limit: const int
  static calls: int
bb0:
  %1 = unknown()
  branch %1 != 0 ? bb1 : bb2
bb1:
  h = call CreateMutexW(null, 0, null)
  goto bb2
bb2:
  limit = 3
  calls = calls + limit
  return h
}
"#,
    );
}
