//! Rust source in, IR out.

use std::path::Path;

use pipelint_frontend::rust::cfg::Cfg;
use pipelint_frontend::rust::{Index, lower, parse};
use pipelint_ir::{Unit, print_function, validate};
use pipelint_source::FileId;

/// The units of files that are indexed together.
fn units(files: &[(&str, &str)]) -> Vec<Unit> {
    let cfg = Cfg::windows();
    let parsed: Vec<_> = (0u32..)
        .zip(files)
        .map(|(i, (path, text))| parse(FileId(i), text, Path::new(path)))
        .collect();
    let index = Index::new(&parsed, &cfg);
    let units: Vec<Unit> = parsed
        .iter()
        .map(|file| lower(file, &index, &cfg).unit)
        .collect();
    for function in units.iter().flat_map(|unit| &unit.functions) {
        validate(function).expect("a graph that holds together");
    }
    units
}

/// The text of the only function of this last name.
fn function(units: &[Unit], name: &str) -> String {
    let ends = format!("::{name}");
    let all = units.iter().flat_map(|unit| &unit.functions);
    let found: Vec<_> = all.filter(|f| f.name.ends_with(&ends)).collect();
    assert_eq!(found.len(), 1, "functions called {name}");
    print_function(found[0])
}

fn one(text: &str, name: &str) -> String {
    function(&units(&[("pipes/src/lib.rs", text)]), name)
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(at) = rest.find(part) else {
            panic!("no `{part}`, or not behind the others, in:\n{text}");
        };
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn a_question_mark_leaves_with_what_is_bad() {
    let text = one("fn f() -> io::Result<u32> { let n = g()?; Ok(n) }", "f");
    has(
        &text,
        &[
            "call g()",
            ".`{tag}` == 1 ?",
            "`{tag}` = 1, .Err = move",
            "return",
            "`{tag}` = 0",
            "return",
        ],
    );
}

#[test]
fn locals_end_in_the_reverse_order_and_moved_ones_where_they_went() {
    let text = one(
        "struct A; impl Drop for A { fn drop(&mut self) {} }
         fn f() { let a = A; let b = A; take(a); }",
        "f",
    );
    has(
        &text,
        &["call take(move a)", "drop b", "dead b", "drop a", "dead a"],
    );
}

#[test]
fn a_value_taken_apart_by_nobody_ends_at_once() {
    let text = one(
        "struct G; impl Drop for G { fn drop(&mut self) {} } fn lock() -> G { G }
         fn f() { let _ = lock(); work(); }",
        "f",
    );
    has(&text, &["lock()", "drop", "call work()"]);
}

#[test]
fn let_else_and_labelled_blocks_are_jumps() {
    let text = one(
        "fn f(x: Option<u32>) -> u32 {
             let Some(n) = x else { return 7; };
             'out: { if n == 1 { break 'out; } work(); }
             n
         }",
        "f",
    );
    has(&text, &["x.`{tag}` != 1", "n == 1", "call work()"]);
    assert!(text.contains("= 7"), "{text}");
}

#[test]
fn names_mean_what_their_use_says() {
    let units = units(&[
        (
            "pipes/src/lib.rs",
            "mod sys; pub fn f() { sys::connect(); }",
        ),
        (
            "pipes/src/sys/mod.rs",
            "#[cfg(unix)] mod unix; #[cfg(unix)] pub use self::unix::*;
             #[cfg(windows)] mod windows; #[cfg(windows)] pub use self::windows::*;",
        ),
        ("pipes/src/sys/unix.rs", "pub fn connect() {}"),
        ("pipes/src/sys/windows.rs", "pub fn connect() {}"),
    ]);
    has(
        &function(&units, "f"),
        &["call pipes::sys::windows::connect()"],
    );
}

#[test]
fn the_systems_functions_stand_by_their_own_names() {
    let text = one(
        "use windows_sys::Win32::Foundation as found; use libc::close as shut;
         fn f(h: HANDLE, fd: i32) { unsafe { found::CloseHandle(h); shut(fd); } }",
        "f",
    );
    has(&text, &["call CloseHandle(h)", "call `::close`(fd)"]);
}

#[test]
fn an_own_macro_is_what_it_becomes() {
    let text = one(
        "macro_rules! checked { ($call:ident($($arg:expr),*)) => {{
             let result = $call($($arg),*);
             if result == -1 { Err(last()) } else { Ok(result) }
         }}; }
         fn f() -> Result<i32, E> { checked!(open(1, 2)).map(|fd| fd) }",
        "f",
    );
    has(&text, &["call open(1, 2)", "== -1 ?", "call last()"]);
    assert!(!text.contains("checked"), "{text}");
}

#[test]
fn the_arguments_of_a_macro_are_code() {
    let text = one(
        "fn f(x: u32) { println!(\"{}\", get(x)); assert!(is_open(x), \"{}\", why()); vec![make()]; }",
        "f",
    );
    has(&text, &["call get(x)", "call is_open(x)", "call make()"]);
    has(&text, &["call why()", "unwind"]);
}

#[test]
fn a_closure_of_an_outcome_runs_in_place_and_another_is_a_function() {
    let units = units(&[(
        "pipes/src/lib.rs",
        "fn made() -> Result<u32, E> { Ok(1) }
         fn f() -> Result<u32, E> { made().map_err(|e| wrap(e)) }
         fn g(xs: Vec<u32>) { spawn(move || look(xs)); }",
    )]);
    has(
        &function(&units, "f"),
        &["call pipes::made()", "call wrap("],
    );
    let closures = units.iter().flat_map(|u| &u.functions);
    let names: Vec<&str> = closures.map(|f| f.name.as_str()).collect();
    assert!(names.contains(&"pipes::g::{closure#1}"), "{names:?}");
    assert_eq!(names.len(), 4, "{names:?}");
}

#[test]
fn what_the_target_has_not_is_not_there() {
    let text = one(
        "fn f() {
             #[cfg(unix)] { unix(); }
             #[cfg(not(unix))] { other(); }
             cfg_if! { if #[cfg(unix)] { a(); } else { b(); } }
         }",
        "f",
    );
    has(&text, &["call other()", "call b()"]);
    assert!(
        !text.contains("unix") && !text.contains("call a()"),
        "{text}"
    );
}

#[test]
fn what_does_not_parse_is_a_gap_and_the_rest_is_lowered() {
    let units = units(&[("pipes/src/lib.rs", "fn f() { let = ; } fn g() { work(); }")]);
    has(&function(&units, "g"), &["call work()"]);
    let broken = units[0].functions.iter().find(|f| f.name == "pipes::f");
    let gaps = broken.map_or(0, |f| f.gaps.len()) + units[0].gaps.len();
    assert!(gaps > 0, "silence must mean that it was looked at");
}

#[test]
fn a_variable_of_numbers_alone_has_no_end() {
    let text = one(
        "fn f(wide: bool) { let mut a = GENERIC_READ; if wide { a |= GENERIC_WRITE; } g(a); }",
        "f",
    );
    assert!(!text.contains("drop a"), "{text}");
    let made = one("fn f() { let a = g(); h(&a); }", "f");
    has(&made, &["a = call g()", "drop a"]);
}

#[test]
fn what_is_borrowed_is_the_raw_handle() {
    let text = one(
        "use std::os::windows::io::{AsRawHandle, BorrowedHandle};
         fn f(h: HANDLE) { let b = unsafe { BorrowedHandle::borrow_raw(h) }; SetEvent(b.as_raw_handle()); }",
        "f",
    );
    has(&text, &["b = h", "call SetEvent(b)"]);
}

#[test]
fn uninit_is_no_value() {
    let text = one(
        "use std::mem::MaybeUninit;
         fn f() { let mut h = MaybeUninit::uninit(); g(h.as_mut_ptr()); CloseHandle(h.assume_init()); }",
        "f",
    );
    has(&text, &["live h", "= &h", "call CloseHandle("]);
    assert!(!text.contains("uninit()"), "{text}");
}

#[test]
fn a_number_that_a_closure_only_reads_is_captured_by_value() {
    let reads = one("fn f(p: *mut u8) { g(|n| unsafe { *p.add(n) }); }", "f");
    has(&reads, &["closure", "[p]"]);
    let writes = one("fn f(mut n: u32) { g(|| n = 1); h(n); }", "f");
    has(&writes, &["closure", "[&n]"]);
}

#[test]
fn a_handle_narrowed_through_usize_is_narrowed() {
    let text = one(
        "fn f(h: HANDLE) -> HANDLE { h as usize as u32 as usize as HANDLE }",
        "f",
    );
    has(&text, &["h as uint32_t", "as HANDLE"]);
}
