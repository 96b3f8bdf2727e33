//! Prints the schema of `pipelint.toml`:
//! `cargo run -p pipelint --example config_schema > docs/schema/pipelint-config.schema.json`.

fn main() {
    print!("{}", pipelint::config_schema());
}
