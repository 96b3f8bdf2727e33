//! What loaded models answer.

use pipelint_models::{Models, Sentinel, Slot, Success};

const BASE: &str = r#"
[[resources]]
kind = "handle"
noun = "handle"
release = "CloseThing"
empty = ["NULL", "INVALID_HANDLE_VALUE"]
page = "https://example.org/handle"

[[functions]]
names = ["MakeThing", "MakeThingW"]
page = "https://example.org/make"
acquires = [{ kind = "handle", failure = "NULL" }]

[[functions]]
names = ["OpenThing"]
page = "https://example.org/open"
acquires = [{ kind = "handle", at = { out = 1 } }]
success = "zero"

[[functions]]
names = ["close", "std::fclose"]
page = "https://example.org/close"
releases = [{ kind = "handle", arg = 0 }]
common = true

[[owners]]
names = ["lib::Owner"]
kind = "handle"
page = "https://example.org/owner"

[[types]]
names = ["HANDLE"]
handle = true

[[types]]
names = ["OVERLAPPED"]

[[constants]]
name = "FLAG"
value = 0x80000000
"#;

fn load(files: &[(&str, &str)]) -> Models {
    match Models::from_files(files.iter().copied()) {
        Ok(models) => models,
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn all_names_of_an_entry_have_its_facts() {
    let models = load(&[("base.toml", BASE)]);
    for name in ["MakeThing", "MakeThingW"] {
        let f = models.function(name).expect("modelled");
        assert_eq!(f.acquires[0].failure, Some(Sentinel::Null));
        assert_eq!(f.acquires[0].at, Slot::Result);
    }
    let open = models.function("OpenThing").expect("modelled");
    assert_eq!(
        (open.acquires[0].at.clone(), open.success),
        (Slot::Out(1), Some(Success::Zero))
    );
    assert!(models.function("MakeThin").is_none());
}

#[test]
fn a_resource_may_come_out_in_a_field_or_an_element() {
    let user = r#"
[[functions]]
names = ["Spawn"]
page = "https://example.org/spawn"
acquires = [
    { kind = "handle", at = { out = 2, field = "process" } },
    { kind = "handle", at = { out = 3, element = 1 } },
    { kind = "handle", at = { out = 4 }, when = { arg = 0, no_flag = "FLAG" } },
]
success = "zero-or-minus-one"
"#;
    let models = load(&[("base.toml", BASE), ("user.toml", user)]);
    let spawn = models.function("Spawn").expect("modelled");
    let slots: Vec<&Slot> = spawn.acquires.iter().map(|a| &a.at).collect();
    assert_eq!(
        slots,
        [
            &Slot::Field(2, "process".into()),
            &Slot::Element(3, 1),
            &Slot::Out(4)
        ]
    );
    let arguments: Vec<_> = slots.iter().map(|s| s.argument()).collect();
    assert_eq!(arguments, [Some(2), Some(3), Some(4)]);
    assert_eq!(spawn.success, Some(Success::ZeroOrMinusOne));
    let when = spawn.acquires[2].when.as_ref().expect("a condition");
    assert_eq!(when.no_flag.as_deref(), Some("FLAG"));
}

#[test]
fn a_qualified_name_falls_back_to_its_last_segment() {
    let models = load(&[("base.toml", BASE)]);
    assert!(models.function("::MakeThing").is_some());
    assert!(models.function("win::api::MakeThing").is_some());
    assert!(models.function("std::fclose").is_some());
}

#[test]
fn a_common_name_in_another_scope_is_another_function() {
    let models = load(&[("base.toml", BASE)]);
    assert!(models.function("close").is_some());
    assert!(models.function("::close").is_some());
    assert!(models.function("std::close").is_some());
    assert!(models.function("Socket::close").is_none());
    assert!(models.function("::Socket::close").is_none());
}

#[test]
fn owners_are_found_by_any_spelling() {
    let models = load(&[("base.toml", BASE)]);
    for name in [
        "lib::Owner",
        "Owner",
        "::lib::Owner",
        "const lib::Owner",
        "lib::Owner<HANDLE, X<1>>",
    ] {
        let owner = models.owner(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(owner.kind.as_deref(), Some("handle"));
    }
    assert!(models.owner("Own").is_none());
    assert!(models.owner("").is_none());
}

#[test]
fn handle_types_are_told_from_other_types() {
    let models = load(&[("base.toml", BASE)]);
    assert!(models.is_handle_type("HANDLE"));
    assert!(models.is_handle_type("const HANDLE"));
    assert!(models.is_handle_type("::HANDLE"));
    assert!(!models.is_handle_type("OVERLAPPED"));
    assert!(!models.is_handle_type("int"));
}

#[test]
fn a_later_file_overrides_one_name_and_leaves_its_siblings() {
    let user = r#"
[[functions]]
names = ["MakeThingW"]
page = "https://example.org/mine"
acquires = [{ kind = "handle", failure = "INVALID_HANDLE_VALUE" }]

[[constants]]
name = "FLAG"
value = 7
"#;
    for models in [
        load(&[("base.toml", BASE), ("user.toml", user)]),
        load(&[("base.toml", BASE)])
            .with_files([("user.toml", user)])
            .expect("loads"),
    ] {
        let failure = |name| models.function(name).and_then(|f| f.acquires[0].failure);
        assert_eq!(failure("MakeThingW"), Some(Sentinel::InvalidHandle));
        assert_eq!(failure("MakeThing"), Some(Sentinel::Null));
        assert_eq!(models.constant("FLAG"), Some(7));
    }
}

#[test]
fn functions_are_listed_by_name() {
    let models = load(&[("base.toml", BASE)]);
    let names: Vec<&str> = models.functions().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "MakeThing",
            "MakeThingW",
            "OpenThing",
            "close",
            "std::fclose"
        ]
    );
}

#[test]
fn constants_may_exceed_32_bits_of_sign() {
    assert_eq!(
        load(&[("base.toml", BASE)]).constant("FLAG"),
        Some(0x8000_0000)
    );
}

#[test]
fn an_empty_set_of_files_is_a_set_of_models() {
    let models = load(&[]);
    assert!(models.function("CloseHandle").is_none());
    assert_eq!(models.functions().count(), 0);
}
