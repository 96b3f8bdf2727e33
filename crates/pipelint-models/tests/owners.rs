//! Owners: the names they are found by, their members, and what they take from others.

use pipelint_models::{Copies, Deleter, Holds, Models, Role, Sentinel};

const BASE: &str = r#"
[[resources]]
kind = "handle"
noun = "handle"
release = "CloseThing"
page = "https://example.org/handle"

[[owners]]
names = ["lib::any"]
page = "https://example.org/any"
empty = ["NULL"]
takes = [0]
deleter = { template = 2 }
copies = "transfer"
members = { get = ["get"], reset = ["reset", "operator="], put = ["put", "operator&"] }

[[owners]]
names = ["lib::io::handle"]
page = "https://example.org/handle"
like = "lib::any"
kind = "handle"
empty = ["INVALID_HANDLE_VALUE", "NULL"]
members = { close = ["reset"], is_valid = ["operator bool"] }

[[owners]]
names = ["lib::File"]
page = "https://example.org/file"
like = "lib::io::handle"
copies = "share"
moves = false
made_by = ["lib::open_file"]
common = true

[[owners]]
names = ["lib::guard"]
page = "https://example.org/guard"
holds = "action"
members = { cancel = ["dismiss"] }
"#;

fn load(files: &[(&str, &str)]) -> Models {
    match Models::from_files(files.iter().copied()) {
        Ok(models) => models,
        Err(e) => panic!("{e}"),
    }
}

#[track_caller]
fn refused(text: &str) -> String {
    match Models::from_files([("base.toml", BASE), ("mine.toml", text)]) {
        Ok(_) => panic!("was accepted: {text}"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn a_member_has_the_role_it_is_listed_under() {
    let models = load(&[("base.toml", BASE)]);
    let any = models.owner("lib::any").expect("modelled");
    assert_eq!(any.role("get"), Some(Role::Get));
    assert_eq!(any.role("operator&"), Some(Role::Put));
    assert_eq!(any.role("operator="), Some(Role::Reset));
    assert_eq!(any.role("SetEvent"), None);
    assert_eq!(any.deleter, Some(Deleter::Template(2)));
}

#[test]
fn what_an_entry_leaves_out_it_takes_from_the_one_it_is_like() {
    let models = load(&[("base.toml", BASE)]);
    let handle = models.owner("lib::io::handle").expect("modelled");
    assert_eq!(handle.kind.as_deref(), Some("handle"));
    assert_eq!(handle.empty, [Sentinel::InvalidHandle, Sentinel::Null]);
    assert_eq!(
        (handle.takes.as_slice(), handle.copies()),
        (&[0][..], Copies::Transfer)
    );
    assert_eq!(handle.role("get"), Some(Role::Get));
    assert_eq!(handle.role("operator="), Some(Role::Reset));
    // Its own word on a member counts.
    assert_eq!(handle.role("reset"), Some(Role::Close));
}

#[test]
fn likeness_goes_over_several_steps() {
    let models = load(&[("base.toml", BASE)]);
    let file = models.owner("lib::File").expect("modelled");
    assert_eq!(file.kind.as_deref(), Some("handle"));
    assert_eq!(file.role("put"), Some(Role::Put));
    assert_eq!((file.copies(), file.moves()), (Copies::Share, false));
    assert_eq!(file.holds(), Holds::Resource);
}

#[test]
fn likeness_reaches_into_files_loaded_before_and_beside() {
    let user = r#"
[[owners]]
names = ["acme::Handle"]
page = "https://example.org/acme"
like = "acme::Base"

[[owners]]
names = ["acme::Base", "lib::any"]
page = "https://example.org/acme"
like = "lib::any"
members = { get = ["Raw"] }
"#;
    let models = load(&[("base.toml", BASE)])
        .with_files([("user.toml", user)])
        .expect("loads");
    let handle = models.owner("acme::Handle").expect("modelled");
    assert_eq!(handle.role("Raw"), Some(Role::Get));
    assert_eq!(handle.role("put"), Some(Role::Put));
    // An entry may override the one that it builds on.
    assert_eq!(
        models.owner("lib::any").and_then(|o| o.role("Raw")),
        Some(Role::Get)
    );
    assert_eq!(
        models.owner("lib::any").and_then(|o| o.role("put")),
        Some(Role::Put)
    );
}

#[test]
fn likeness_without_an_end_is_refused() {
    let owner = |name: &str, like: &str| {
        format!(
            "[[owners]]\nnames = [\"{name}\"]\npage = \"https://example.org\"\nlike = \"{like}\"\n"
        )
    };
    for (text, words) in [
        (owner("A", "B"), ["mine.toml", "owner A, line 1", "`B`"]),
        (owner("A", "A"), ["mine.toml", "owner A", "`A`"]),
        (
            owner("A", "B") + &owner("B", "C") + &owner("C", "A"),
            ["mine.toml", "owner C, line 9", "`A`"],
        ),
    ] {
        let message = refused(&text);
        for word in words {
            assert!(message.contains(word), "no `{word}` in {message}");
        }
    }
}

#[test]
fn a_long_chain_of_likeness_is_followed() {
    let mut text = String::new();
    for i in 0..20_000 {
        text.push_str(&format!(
            "[[owners]]\nnames = [\"O{i}\"]\npage = \"https://example.org\"\nlike = \"O{}\"\n",
            i + 1
        ));
    }
    text.push_str("[[owners]]\nnames = [\"O20000\"]\npage = \"https://example.org\"\nmembers = { get = [\"raw\"] }\n");
    let models = load(&[("long.toml", &text)]);
    assert_eq!(
        models.owner("O0").and_then(|o| o.role("raw")),
        Some(Role::Get)
    );
}

#[test]
fn a_type_is_found_by_the_end_of_its_name_and_not_in_another_scope() {
    let models = load(&[("base.toml", BASE)]);
    for name in [
        "lib::io::handle",
        "io::handle",
        "handle",
        "::lib::io::handle",
        "const handle",
    ] {
        assert!(models.owner(name).is_some(), "{name}");
    }
    for name in ["acme::handle", "lib::handle", "o::handle", "handles"] {
        assert!(models.owner(name).is_none(), "{name}");
    }
}

#[test]
fn a_common_type_needs_a_scope() {
    let models = load(&[("base.toml", BASE)]);
    assert!(models.owner("lib::File").is_some());
    assert!(models.owner("File").is_none());
}

#[test]
fn a_function_can_make_an_owner() {
    let models = load(&[("base.toml", BASE)]);
    let made = models.made_owner("lib::open_file").expect("modelled");
    assert_eq!(made.names, ["lib::File"]);
    assert_eq!(
        models.made_owner("lib::open_file<int>").map(|o| &o.names),
        Some(&made.names)
    );
    assert!(models.made_owner("open_pipe").is_none());
}

#[test]
fn a_guard_holds_an_action() {
    let models = load(&[("base.toml", BASE)]);
    let guard = models.owner("lib::guard").expect("modelled");
    assert_eq!(guard.holds(), Holds::Action);
    assert_eq!(guard.role("dismiss"), Some(Role::Cancel));
    assert_eq!((guard.copies(), guard.moves()), (Copies::Never, true));
}

#[test]
fn members_are_names_with_one_role_each() {
    let owner = |members: &str| {
        refused(&format!(
            "[[owners]]\nnames = [\"O\"]\npage = \"https://example.org\"\nmembers = {{ {members} }}\n"
        ))
    };
    for (members, word) in [
        ("get = [\"operator+\"]", "`operator+`"),
        ("get = [\"\"]", "``"),
        ("get = [\"a b\"]", "`a b`"),
        ("get = [\"x\"], close = [\"x\"]", "two roles"),
        ("get = [\"x\", \"x\"]", "two roles"),
        ("fetch = [\"x\"]", "fetch"),
    ] {
        let message = owner(members);
        assert!(
            message.contains("mine.toml") && message.contains(word),
            "{message}"
        );
    }
}
