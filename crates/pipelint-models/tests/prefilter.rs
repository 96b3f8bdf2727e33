//! Which texts are worth parsing.

use pipelint_models::Models;

const FILE: &str = r#"
[[resources]]
kind = "handle"
noun = "handle"
release = "Close"
page = "https://example.org/handle"

[[resources]]
kind = "memory"
noun = "memory"
release = "Free"
leaks = false
page = "https://example.org/memory"

[[functions]]
names = ["CreateEvent", "CreateEventW"]
page = "https://example.org/1"
acquires = [{ kind = "handle", failure = "NULL" }]

[[functions]]
names = ["open"]
page = "https://example.org/2"
acquires = [{ kind = "handle", failure = "-1" }]
common = true

[[functions]]
names = ["SetEvent"]
page = "https://example.org/3"
needs = [0]

[[functions]]
names = ["Sleep"]
page = "https://example.org/4"

[[functions]]
names = ["Free"]
page = "https://example.org/5"
releases = [{ kind = "memory", arg = 0 }]

[[types]]
names = ["HANDLE"]
handle = true
"#;

fn matches(text: &str) -> bool {
    let models = Models::from_files([("m.toml", FILE)]).expect("loads");
    models.prefilter().matches(text.as_bytes())
}

#[test]
fn a_name_counts_wherever_it_stands_as_a_word() {
    for text in [
        "CreateEvent",
        "h = CreateEventW(0);",
        "::CreateEvent(",
        "(HANDLE)x",
        "\tSetEvent\n",
        "a CreateEventX, CreateEvent",
        "CreateEventWX CreateEvent",
        "é CreateEvent é",
    ] {
        assert!(matches(text), "{text}");
    }
}

#[test]
fn a_part_of_a_word_does_not_count() {
    for text in [
        "",
        "CreateEven",
        "CreateEventX",
        "CreateEventWW",
        "MyCreateEvent",
        "_HANDLE",
        "HANDLE_",
        "HANDLE2",
        "PHANDLE LPHANDLE",
        "CreateEventCreateEvent",
        "éCreateEvent",
        "HANDLEé",
        "createevent",
    ] {
        assert!(!matches(text), "{text}");
    }
}

#[test]
fn common_names_plain_uses_and_memory_decide_nothing() {
    assert!(!matches("open(path); Sleep(1); Free(p);"));
}

#[test]
fn a_word_that_swallows_a_name_hides_no_later_one() {
    let mut text = "xCreateEvent ".repeat(1000);
    assert!(!matches(&text));
    text.push_str("CreateEvent");
    assert!(matches(&text));
}

#[test]
fn one_long_word_takes_no_longer_than_its_length() {
    // Each look behind a match must not scan the rest of the word again.
    let text = "CreateEvent".repeat(400_000);
    assert!(!matches(&text));
}

#[test]
fn arbitrary_bytes_are_looked_through() {
    let models = Models::from_files([("m.toml", FILE)]).expect("loads");
    let filter = models.prefilter();
    let mut bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    assert!(!filter.matches(&bytes));
    bytes.extend_from_slice(b"\0HANDLE\xff");
    assert!(!filter.matches(&bytes), "0xff may be part of a word");
    bytes.extend_from_slice(b"\0HANDLE\0");
    assert!(filter.matches(&bytes));
}

#[test]
fn without_names_every_text_is_worth_parsing() {
    let models = Models::from_files([]).expect("loads");
    assert!(models.prefilter().matches(b"int x;"));
}
