//! Locks and guards.

use pipelint_models::{LockDoes, LockMode, Models, Success};

const FILE: &str = r#"
[[locks]]
names = ["RWLOCK"]
page = "https://example.org/rw"
calls = [
    { names = ["LockRead"], does = "lock", mode = "shared" },
    { names = ["TryWrite"], does = "try-lock", arg = 1, success = "nonzero" },
]

[[locks]]
made_by = ["MakeMutex"]
page = "https://example.org/mutex"
recursive = true
calls = [{ names = ["Wait"], does = "lock", when = { arg = 1, equals = "-1" } }]

[[guards]]
names = ["lib::lock_all"]
page = "https://example.org/guard"
all = true
mode = "shared"
adopt = ["lib::adopt"]
unlock = ["unlock"]
"#;

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let message = match Models::from_files([("mine.toml", text)]) {
        Ok(_) => panic!("was accepted: {text}"),
        Err(e) => e.to_string(),
    };
    for word in words {
        assert!(message.contains(word), "no `{word}` in {message}");
    }
}

#[test]
fn a_lock_knows_what_takes_it_and_how() {
    let models = Models::from_files([("m.toml", FILE)]).expect("loads");
    let lock = models.lock("RWLOCK").expect("modelled");
    let [read, write] = lock.calls.as_slice() else {
        panic!("{lock:?}");
    };
    assert_eq!(
        (read.does, read.mode, read.arg),
        (LockDoes::Lock, LockMode::Shared, 0)
    );
    assert_eq!(
        (write.does, write.mode, write.arg),
        (LockDoes::TryLock, LockMode::Exclusive, 1)
    );
    assert_eq!(write.success, Some(Success::Nonzero));
    assert!(!lock.recursive);
}

#[test]
fn a_lock_that_is_a_handle_is_known_by_what_makes_it() {
    let models = Models::from_files([("m.toml", FILE)]).expect("loads");
    let handles: Vec<_> = models.handle_locks().collect();
    assert_eq!(handles.len(), 1);
    assert_eq!(handles[0].made_by, ["MakeMutex"]);
    assert!(handles[0].recursive);
    assert_eq!(models.locks().count(), 1);
    // A later file's word on it counts alone.
    let user = "[[locks]]\nmade_by = [\"MakeMutex\"]\npage = \"https://example.org/mine\"\n";
    let models = models.with_files([("user.toml", user)]).expect("loads");
    let pages: Vec<&str> = models.handle_locks().map(|l| l.page.as_str()).collect();
    assert_eq!(pages, ["https://example.org/mine"]);
}

#[test]
fn a_guard_is_found_with_template_arguments() {
    let models = Models::from_files([("m.toml", FILE)]).expect("loads");
    for name in ["lib::lock_all", "lock_all<A, B>", "::lib::lock_all<A>"] {
        let guard = models.guard(name).unwrap_or_else(|| panic!("{name}"));
        assert!(guard.all && guard.mode == LockMode::Shared);
        assert_eq!((guard.locks.as_slice(), guard.adopt.len()), (&[0][..], 1));
    }
    assert!(models.guard("other::lock_all").is_none());
}

#[test]
fn a_lock_that_cannot_be_used_is_refused() {
    let lock = |lines: &str| format!("[[locks]]\npage = \"https://example.org\"\n{lines}\n");
    refused(&lock(""), &["mine.toml", "line 1", "`names`", "`made_by`"]);
    refused(
        &lock("names = [\"L\"]\ncalls = [{ names = [\"Try\"], does = \"try-lock\" }]"),
        &["lock L, line 1", "`Try`", "success"],
    );
    refused(
        &lock("names = [\"L\"]\ncalls = [{ names = [\"F\"], does = \"grab\" }]"),
        &["line 4", "grab", "try-lock"],
    );
    refused(
        &lock("names = [\"L\"]\nmethods = [{ names = [], does = \"lock\" }]"),
        &["lock L", "is not a name"],
    );
    refused(
        &lock("names = [\"L\"]\ncalls = [{ names = [\"F\"], does = \"lock\", arg = 40 }]"),
        &["lock L", "40"],
    );
    refused(
        "\n[[guards]]\nnames = [\"G\"]\npage = \"https://example.org\"\nlock = [\"x\"]\nunlock = [\"x\"]\n",
        &["guard G, line 2", "`x`", "two roles"],
    );
}
