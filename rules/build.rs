//! A file added to the models' folder is embedded without touching the code.

fn main() {
    println!("cargo::rerun-if-changed=models");
}
