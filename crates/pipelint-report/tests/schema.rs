//! JSON output keeps to its published schema, and the schema is that of the types.

use pipelint_report::{Report, Style, json_schema};
use serde_json::{Value, json};

mod sample;

const PUBLISHED: &str = include_str!("../../../docs/schema/pipelint-report.schema.json");

fn output(report: &Report<'_>) -> Value {
    let mut out = Vec::new();
    let format = pipelint_report::format("json").expect("the format is in the list");
    pipelint_report::write_report(format, report, &mut out, &Style::default())
        .expect("memory can be written");
    serde_json::from_slice(&out).expect("it is JSON")
}

fn faults(document: &Value) -> Vec<String> {
    let schema = serde_json::from_str(PUBLISHED).expect("the schema is JSON");
    jsonschema::validator_for(&schema)
        .expect("the schema is one")
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect()
}

#[test]
fn the_published_schema_is_fresh() {
    assert_eq!(
        PUBLISHED.replace("\r\n", "\n"),
        json_schema(),
        "run `cargo run -p pipelint-report --example report_schema > docs/schema/pipelint-report.schema.json`"
    );
}

#[test]
fn output_keeps_to_the_schema() {
    let sample = sample::Sample::new();
    let full = sample.report();
    assert_eq!(faults(&output(&full)), [""; 0]);
    assert_eq!(faults(&output(&Report::new(full.sources))), [""; 0]);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let sample = sample::Sample::new();
    let good = output(&sample.report());
    let broken: [fn(&mut Value); 5] = [
        |report| report["version"] = json!(2),
        |report| report["diagnostics"][0]["severity"] = json!("fatal"),
        |report| report["diagnostics"][0]["location"]["startLine"] = json!(0),
        |report| report["diagnostics"][0]["path"][0]["label"] = Value::Null,
        |report| report["summary"] = json!({}),
    ];
    for (at, breaks) in broken.iter().enumerate() {
        let mut report = good.clone();
        breaks(&mut report);
        assert_ne!(faults(&report), [""; 0], "number {at}");
    }
}
