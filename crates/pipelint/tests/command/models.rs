//! `models`: what has a model, and what the model says.

use crate::common::Folder;

const CHANNEL: &str = "[[resources]]
kind = \"channel\"
noun = \"channel\"
release = \"acme_close_channel\"
page = \"https://wiki.example.org/acme#close\"

[[functions]]
names = [\"acme_open_channel\", \"acme_reopen_channel\"]
page = \"https://wiki.example.org/acme#open\"
acquires = [{ kind = \"channel\", at = { out = 1, field = \"raw\" } }]
success = \"zero\"

[[functions]]
names = [\"acme_close_channel\"]
page = \"https://wiki.example.org/acme#close\"
releases = [{ kind = \"channel\", arg = 0 }]

[[owners]]
names = [\"acme::Channel\"]
page = \"https://wiki.example.org/acme#owner\"
like = \"wil::unique_any\"
kind = \"channel\"
members = { put = [\"fill\"] }
";

/// The only line of the output that begins with this name.
#[track_caller]
fn line<'a>(out: &'a str, name: &str) -> &'a str {
    let start = format!("{name}  ");
    let lines: Vec<&str> = out.lines().filter(|l| l.starts_with(&start)).collect();
    let [line] = lines.as_slice() else {
        panic!("{name} has {} lines", lines.len());
    };
    line
}

#[test]
fn each_name_has_a_line_with_what_it_does_and_the_page() {
    let ran = Folder::new(&[]).run(&["models"]);
    assert_eq!((ran.status, &*ran.err), (Some(0), ""));
    for (name, brief, page) in [
        (
            "CreateEventW",
            "creates a handle (NULL on failure; CloseHandle)",
            "nf-synchapi-createeventw",
        ),
        (
            "CloseHandle",
            "releases a handle",
            "nf-handleapi-closehandle",
        ),
        (
            "RegOpenKeyExW",
            "creates a registry key (zero on success; RegCloseKey)",
            "regopenkeyexw",
        ),
        ("WriteFile", "writes", "nf-fileapi-writefile"),
        ("ExitProcess", "does not return", "exitprocess"),
        (
            "wil::unique_hkey",
            "owns a registry key (RegCloseKey)",
            "github.com/microsoft/wil",
        ),
        ("std::unique_ptr", "owns an object", "cppreference"),
        ("SRWLOCK", "reader-writer lock", "learn.microsoft.com"),
        ("std::lock_guard", "holds a lock", "cppreference"),
    ] {
        let line = line(&ran.out, name);
        assert!(line.contains(brief), "no {brief:?} in {line}");
        assert!(line.contains(page) && line.contains("  https://"), "{line}");
    }
    let sections: Vec<&str> = ran.out.lines().filter(|l| l.starts_with('#')).collect();
    assert_eq!(sections, ["# functions", "# owners", "# locks", "# guards"]);
}

#[test]
fn a_name_shows_its_facts() {
    let folder = Folder::new(&[]);
    for (name, facts) in [
        (
            "CreateProcessW",
            &[
                "CreateProcessW (function)",
                "also: CreateProcess, CreateProcessA",
                "`hThread` of what argument 9 points to: a handle; released by CloseHandle",
                "result: nonzero on success",
                "page: https://learn.microsoft.com/",
            ][..],
        ),
        (
            "DuplicateHandle",
            &[
                "where argument 3 points: a handle, if argument 2 is GetCurrentProcess()",
                "releases argument 1, a handle, if argument 6 has DUPLICATE_CLOSE_SOURCE",
                "even when the call fails",
                "each of the arguments 0 and 1 must be live or set",
            ],
        ),
        ("_pipe", &["element 1 of argument 0: a file descriptor"]),
        (
            "wil::unique_hfile",
            &[
                "wil::unique_hfile (owner)",
                "owns a handle (CloseHandle)",
                "is empty as INVALID_HANDLE_VALUE or NULL",
                "argument 0 of the constructor is taken over",
                "put, operator&: releases what it holds and yields the address for the next",
                "release: gives the raw value up",
            ],
        ),
        (
            "CHandle",
            &[
                "a copy takes what it holds",
                "Attach: takes over the argument and releases nothing",
            ],
        ),
        (
            "std::shared_lock",
            &["std::defer_lock: the constructor does not take the lock"],
        ),
        (
            "CRITICAL_SECTION",
            &["EnterCriticalSection (argument 0): takes it"],
        ),
    ] {
        let ran = folder.run(&["models", name]);
        assert_eq!((ran.status, &*ran.err), (Some(0), ""), "{name}");
        for fact in facts {
            assert!(ran.out.contains(fact), "no {fact:?} in\n{}", ran.out);
        }
    }
}

#[test]
fn several_names_are_shown_in_their_order() {
    let ran = Folder::new(&[]).run(&["models", "SetEvent", "CloseHandle"]);
    let heads: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| !l.starts_with(' ') && !l.is_empty())
        .collect();
    assert_eq!(heads, ["SetEvent (function)", "CloseHandle (function)"]);
}

#[test]
fn an_unknown_name_is_answered_with_what_was_meant() {
    let folder = Folder::new(&[]);
    for (wanted, meant) in [
        ("CreatFileW", "CreateFileW"),
        ("createfilew", "CreateFileW"),
        ("unique_handel", "wil::unique_handle"),
        ("zebra crossing", "pipelint models"),
        ("", "pipelint models"),
    ] {
        let ran = folder.run(&["models", "CloseHandle", wanted]);
        assert_eq!((ran.status, &*ran.out), (Some(2), ""), "{wanted}");
        ran.says(&[&format!("`{wanted}` has no model"), "help:", meant]);
    }
}

#[test]
fn the_models_of_the_configuration_are_among_them() {
    let folder = Folder::new(&[("pipelint.toml", CHANNEL), ("empty.toml", "")]);
    let listed = folder.run(&["models"]);
    assert!(
        line(&listed.out, "acme_open_channel")
            .contains("creates a channel (zero on success; acme_close_channel)")
    );
    let shown = folder.run(&["models", "acme_open_channel", "acme::Channel"]);
    assert_eq!((shown.status, &*shown.err), (Some(0), ""));
    for words in [
        "`raw` of what argument 1 points to: a channel",
        "https://wiki.example.org/acme#open",
        "owns a channel (acme_close_channel)",
        "fill, put, operator&: releases what it holds",
    ] {
        assert!(shown.out.contains(words), "no {words} in\n{}", shown.out);
    }
    let without = folder.run(&["models", "--config", "empty.toml", "acme_open_channel"]);
    assert_eq!(without.status, Some(2));
}

#[test]
fn a_configuration_that_cannot_be_used_is_named_with_the_line() {
    let folder = Folder::new(&[(
        "pipelint.toml",
        "ignore = [\"PL101\"]\n\n[[locks]]\nnames = [\"L\"]\npage = \"https://example.org\"\n\n[[owners]]\nnames = [\"O\"]\npage = \"https://example.org\"\nlike = \"NoSuchOwner\"\n",
    )]);
    for args in [&["models"][..], &["models", "CloseHandle"], &[]] {
        let ran = folder.run(args);
        assert_eq!((ran.status, &*ran.out), (Some(2), ""));
        ran.says(&["pipelint.toml", "owner O, line 7", "`NoSuchOwner`", "help:"]);
    }
}

#[test]
fn a_model_of_the_user_replaces_the_built_in_one() {
    let folder = Folder::new(&[(
        "pipelint.toml",
        "[[functions]]\nnames = [\"CloseHandle\"]\npage = \"https://wiki.example.org/shim\"\n",
    )]);
    let ran = folder.run(&["models", "CloseHandle", "CreateFileW"]);
    assert!(
        ran.out.contains("https://wiki.example.org/shim"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("releases argument 0"), "{}", ran.out);
    assert!(
        ran.out.contains("INVALID_HANDLE_VALUE on failure"),
        "{}",
        ran.out
    );
}
