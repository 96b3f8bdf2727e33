//! Prints the schema of model files:
//! `cargo run -p pipelint-models --example models_schema > docs/schema/pipelint-models.schema.json`.

fn main() {
    print!("{}", pipelint_models::json_schema());
}
