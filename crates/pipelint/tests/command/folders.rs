//! What is found in folders, seen from the command.

use crate::common::{Folder, LEAK};

/// The paths with findings.
fn files(folder: &Folder, args: &[&str]) -> Vec<String> {
    let path = |line: String| line.split(':').next().unwrap_or_default().to_owned();
    folder.found(args).into_iter().map(path).collect()
}

#[test]
fn ignore_files_apply_nested_and_negated() {
    let folder = Folder::new(&[
        (".gitignore", "gen/\n*_old.cpp\n"),
        (".pipelintignore", "third/\n!kept_old.cpp\n"),
        ("a.cpp", LEAK),
        ("a_old.cpp", LEAK),
        ("kept_old.cpp", LEAK),
        ("gen/g.cpp", LEAK),
        ("third/t.cpp", LEAK),
        ("sub/.gitignore", "s.cpp\n!s_old.cpp\n"),
        ("sub/s.cpp", LEAK),
        ("sub/s_old.cpp", LEAK),
        ("sub/deeper/s.cpp", LEAK),
        ("sub/deeper/.pipelintignore", "!s.cpp\n"),
        ("next/s.cpp", LEAK),
    ]);
    let expected = [
        "a.cpp",
        "kept_old.cpp",
        "next/s.cpp",
        "sub/deeper/s.cpp",
        "sub/s_old.cpp",
    ];
    assert_eq!(files(&folder, &[]), expected);
}

#[test]
fn hidden_and_target_folders_are_skipped_but_not_when_named() {
    let folder = Folder::new(&[
        (".hidden/h.cpp", LEAK),
        ("target/t.cpp", LEAK),
        ("sub/target/t.cpp", LEAK),
        ("sub/.cache/c.cpp", LEAK),
        ("targets/k.cpp", LEAK),
    ]);
    assert_eq!(files(&folder, &[]), ["targets/k.cpp"]);
    assert_eq!(files(&folder, &["target"]), ["target/t.cpp"]);
    assert_eq!(files(&folder, &[".hidden/h.cpp"]), [".hidden/h.cpp"]);
}

#[test]
fn other_endings_are_passed_over() {
    let folder = Folder::new(&[
        ("a.txt", LEAK),
        ("b", LEAK),
        ("c.CPP", LEAK),
        ("d.hh", LEAK),
    ]);
    assert_eq!(files(&folder, &[]), ["c.CPP", "d.hh"]);
}

#[test]
fn a_file_named_twice_is_linted_once() {
    let folder = Folder::new(&[("sub/leak.cpp", LEAK)]);
    let once = ["sub/leak.cpp:5:20: PL103"];
    assert_eq!(folder.found(&["sub/leak.cpp", "sub/leak.cpp"]), once);
    assert_eq!(folder.found(&["sub", ".", "sub/leak.cpp"]), once);
    let full = folder.path().join("sub/leak.cpp");
    let full = full.to_str().expect("UTF-8");
    assert_eq!(folder.found(&["sub/leak.cpp", full]).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_ends() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("sub/leak.cpp", LEAK)]);
    symlink("..", folder.path().join("sub/up")).expect("a link");
    symlink("self.cpp", folder.path().join("self.cpp")).expect("a link");
    let ran = folder.run(&["--format", "concise"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert_eq!(ran.found(), ["sub/leak.cpp:5:20: PL103"]);
    ran.says(&["sub/up"]);
}

#[test]
fn headers_beside_a_linted_file_explain_it_and_are_not_reported_on() {
    let header = "#pragma once\n#include <windows.h>\nstruct Wake {\n    Wake();\n    Wake(const Wake &) = delete;\n    ~Wake() { CloseHandle(event); }\n    void raise() { SetEvent(event); }\n    HANDLE event;\n};\n";
    let source = "#include \"wake.h\"\n\nWake::Wake()\n    : event(CreateEventW(nullptr, TRUE, FALSE, nullptr))\n{\n}\n";
    let folder = Folder::new(&[("wake.h", header), ("wake.cpp", source)]);
    assert_eq!(folder.found(&["wake.cpp"]), ["wake.cpp:4:13: PL101"]);
    assert_eq!(folder.found(&["wake.h"]), [""; 0]);
}
