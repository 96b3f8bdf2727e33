//! `try`, `catch` and structured exceptions.

use pipelint_ir::Language;

use crate::lowers;

#[test]
fn a_handler_is_entered_after_what_was_alive_has_ended() {
    lowers(
        Language::Cpp,
        r#"
int attempt(Mutex &m) {
    std::unique_lock<Mutex> lock(m);
    try {
        Guard g(1);
        start();
        if (bad())
            throw std::runtime_error("bad");
    } catch (const std::exception &e) {
        log(e.what());
        throw;
    } catch (...) {
        return 1;
    }
    return 0;
}
"#,
        r#"
fn attempt(m: Mutex&) -> int {
  let lock: std::unique_lock<Mutex>
  let g: Guard
  temp %3: ?
  temp %4: std::runtime_error
  temp %5: bool
  let e: const std::exception&
  temp %7: ?
bb0:
  lock = construct std::unique_lock<Mutex>((*m))
  goto bb1
bb1: unwind bb7
  g = construct Guard(1)
  goto bb2
bb2: unwind bb6
  call start()
  %3 = call bad()
  branch %3 != 0 ? bb3 : bb4
bb3: unwind bb6
  %4 = construct std::runtime_error("bad")
  drop %4
  drop g
  dead g
  goto bb7
bb4: unwind bb6
  drop g
  dead g
  goto bb5
bb5:
  drop lock
  dead lock
  return 0
bb6:
  drop g
  dead g
  goto bb7
bb7:
  %5 = unknown()
  branch %5 != 0 ? bb8 : bb9
bb8:
  e = unknown()
  %7 = method (*e).what of const std::exception ()
  call log(%7)
  dead e
  drop lock
  dead lock
  unwind
bb9:
  drop lock
  dead lock
  return 1
}
"#,
    );
}

#[test]
fn finally_runs_on_every_way_out() {
    lowers(
        Language::C,
        r#"
int guarded(HANDLE h) {
    HANDLE e = NULL;
    __try {
        e = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (!e)
            __leave;
        if (wait(e, h))
            return 1;
    } __finally {
        if (e)
            CloseHandle(e);
    }
    return 0;
}
"#,
        r#"
fn guarded(h: HANDLE) -> int {
  let e: HANDLE
  temp %2: int
  temp %3: ?
bb0:
  e = null
  e = call CreateEventW(null, 1, 0, null)
  branch e != 0 ? bb1 : bb3
bb1:
  %3 = call wait(e, h)
  branch %3 != 0 ? bb2 : bb3
bb2:
  %2 = 0
  goto bb4
bb3:
  %2 = 1
  goto bb4
bb4:
  branch e != 0 ? bb5 : bb6
bb5:
  call CloseHandle(e)
  goto bb6
bb6:
  switch %2 { 0 => bb7, _ => bb8 }
bb7:
  dead e
  return 1
bb8:
  dead e
  return 0
}
"#,
    );
}

#[test]
fn a_filter_decides_about_a_structured_exception() {
    lowers(
        Language::C,
        r#"
int probe(int *p) {
    __try {
        *p = 1;
    } __except (filter()) {
        return 0;
    }
    return 1;
}
"#,
        r#"
fn probe(p: int*) -> int {
  temp %1: ?
bb0: unwind bb1
  (*p) = 1
  return 1
bb1:
  %1 = call filter()
  branch %1 > 0 ? bb2 : bb3
bb2:
  return 0
bb3:
  unwind
}
"#,
    );
}
