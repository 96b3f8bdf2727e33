//! Prints the schema of the JSON format:
//! `cargo run -p pipelint-report --example report_schema > docs/schema/pipelint-report.schema.json`.

fn main() {
    print!("{}", pipelint_report::json_schema());
}
