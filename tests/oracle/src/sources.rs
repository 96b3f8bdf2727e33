//! Which files are compared, and which of them belong together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Files that are indexed together, as those of a crate are.
#[derive(Debug)]
pub struct Group {
    /// The Rust files, in the order of their paths.
    pub files: Vec<PathBuf>,
}

/// The Rust files below the folders, by the nearest folder above them that has a `Cargo.toml`.
///
/// Build output (`target`) and hidden folders are left out.
pub fn groups(roots: &[PathBuf]) -> Vec<Group> {
    let mut found: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for root in roots {
        let walk = WalkDir::new(root)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter();
        let kept = walk.filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            let skipped = name == "target" || name.starts_with('.');
            entry.depth() == 0 || !(entry.file_type().is_dir() && skipped)
        });
        for entry in kept.flatten() {
            let path = entry.into_path();
            if path.extension().is_some_and(|ending| ending == "rs") && path.is_file() {
                let of = crate_of(&path, root);
                found.entry(of).or_default().push(path);
            }
        }
    }
    found.into_values().map(|files| Group { files }).collect()
}

fn crate_of(path: &Path, root: &Path) -> PathBuf {
    let above = path.ancestors().skip(1).take_while(|a| a.starts_with(root));
    let mut found = above.filter(|folder| folder.join("Cargo.toml").is_file());
    found.next().unwrap_or(root).to_owned()
}
