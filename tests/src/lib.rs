//! What the end-to-end tests in `tests/` share: a run in this process, and markers in fixtures.

mod linted;
mod marker;
pub mod mutator;
mod program;
mod writers;

use std::path::{Path, PathBuf};

pub use linted::{Found, GAP, Linted, lint, lint_for};
pub use marker::{Marker, markers};
pub use program::{Program, program};
pub use writers::{Target, WRITERS, Writer};

/// The top of the project.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Every file below a folder, in the order of the paths.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
