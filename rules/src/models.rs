//! The built-in models: every TOML file in `rules/models/`.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use pipelint_models::Models;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/models");

/// The built-in model files, each with its name and text, in the order of their names.
pub fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut files: Vec<_> = FILES
        .files()
        .filter(|f| f.path().extension().is_some_and(|e| e == "toml"))
        .filter_map(|f| Some((f.path().to_str()?, f.contents_utf8()?)))
        .collect();
    files.sort_unstable();
    files.into_iter()
}

/// The built-in models. They are loaded once; a clone is cheap.
pub fn builtin() -> Models {
    static BUILTIN: LazyLock<Models> = LazyLock::new(|| {
        Models::from_files(files()).expect("a test loads every built-in model file")
    });
    BUILTIN.clone()
}
