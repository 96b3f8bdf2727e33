//! The published schema of model files is that of the types, and says what the loader says.

use serde_json::Value;

const PUBLISHED: &str = include_str!("../../../docs/schema/pipelint-models.schema.json");

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
        pipelint_models::json_schema(),
        "run `cargo run -p pipelint-models --example models_schema > docs/schema/pipelint-models.schema.json`"
    );
}

#[test]
fn every_built_in_model_keeps_to_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/models");
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("the models") {
        let path = file.expect("readable").path();
        if path.extension().is_some_and(|e| e == "toml") {
            let text = std::fs::read_to_string(&path).expect("text");
            assert_eq!(faults(&text), [""; 0], "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 15, "{files}");
}

#[test]
fn it_refuses_what_the_loader_refuses() {
    let function = |lines: &str| {
        format!("[[functions]]\nnames = [\"F\"]\npage = \"https://example.org\"\n{lines}")
    };
    let acquire = |at: &str| {
        function(&format!(
            "success = \"zero\"\nacquires = [{{ kind = \"handle\", at = {at} }}]"
        ))
    };
    assert_eq!(faults(&acquire("{ out = 1 }")), [""; 0]);
    assert_eq!(faults(&acquire("{ out = 1, field = \"h\" }")), [""; 0]);
    for text in [
        function("aquires = []"),
        function("success = \"true\""),
        function("needs = [-1]"),
        acquire("\"results\""),
        acquire("{ in = 1 }"),
        acquire("{ out = 1, part = 0 }"),
        "[[functions]]\nnames = [\"F\"]\n".to_owned(),
        "[[owners]]\nnames = [\"O\"]\npage = \"x\"\nholds = \"things\"\n".to_owned(),
    ] {
        assert_ne!(faults(&text), [""; 0], "{text}");
        let loaded = pipelint_models::Models::from_files([("f.toml", text.as_str())]);
        assert!(loaded.is_err(), "{text}");
    }
}
