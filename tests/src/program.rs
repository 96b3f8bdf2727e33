//! What is linted together: a source file with the headers that lie beside it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The files of one program, each with the path to show and its text.
pub type Program = Vec<(String, String)>;

/// A file and all that it includes in quotes from its own folder, directly or not. Paths are shown
/// relative to `root`.
///
/// # Errors
///
/// When a file cannot be read.
pub fn program(root: &Path, file: &Path) -> io::Result<Program> {
    let mut files = Program::new();
    let mut seen = BTreeSet::new();
    let root = root.canonicalize()?;
    let mut todo: Vec<PathBuf> = vec![file.canonicalize()?];
    while let Some(path) = todo.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let folder = path.parent().unwrap_or(&root);
        let included = text.lines().filter_map(included);
        todo.extend(
            included
                .filter_map(|name| folder.join(name).canonicalize().ok())
                .filter(|p| p.is_file()),
        );
        let shown = path.strip_prefix(&root).unwrap_or(&path);
        files.push((shown.to_string_lossy().replace('\\', "/"), text));
    }
    files.sort();
    Ok(files)
}

fn included(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("#include")?;
    rest.trim_start().strip_prefix('"')?.split('"').next()
}
