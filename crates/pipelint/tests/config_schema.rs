//! The published schema of `pipelint.toml` is that of the types.

use serde_json::Value;

const PUBLISHED: &str = include_str!("../../../docs/schema/pipelint-config.schema.json");

fn faults(text: &str) -> Vec<String> {
    let document: Value = toml::from_str(text).expect("TOML");
    let schema = serde_json::from_str(PUBLISHED).expect("the schema is JSON");
    jsonschema::validator_for(&schema)
        .expect("the schema is one")
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect()
}

#[test]
fn the_published_schema_is_fresh() {
    assert_eq!(
        PUBLISHED.replace("\r\n", "\n"),
        pipelint::config_schema(),
        "run `cargo run -p pipelint --example config_schema > docs/schema/pipelint-config.schema.json`"
    );
}

#[test]
fn a_configuration_keeps_to_it() {
    for text in [
        "",
        "select = [\"PL1\"]\nseverity = \"warning\"\nexclude = [\"/gen\"]\ndefines = [\"A=1\"]\n",
        "[[owners]]\nnames = [\"O\"]\npage = \"https://example.org\"\nlike = \"wil::unique_any\"\n",
        "[[locks]]\nnames = [\"L\"]\npage = \"https://example.org\"\n\n[[guards]]\nnames = [\"G\"]\npage = \"https://example.org\"\n",
        "[[functions]]\nnames = [\"F\"]\npage = \"https://example.org\"\n\n[[constants]]\nname = \"C\"\nvalue = 1\n",
    ] {
        assert_eq!(faults(text), [""; 0], "{text}");
    }
}

#[test]
fn what_is_no_configuration_does_not() {
    for text in [
        "selekt = []\n",
        "select = \"PL1\"\n",
        "severity = \"loud\"\n",
        "[[owners]]\nnames = [\"O\"]\n",
        "[[functions]]\nnames = [\"F\"]\npage = \"https://example.org\"\nneeds = \"0\"\n",
    ] {
        assert_ne!(faults(text), [""; 0], "{text}");
    }
}
