//! Paths to files: the walk, the endings, the ignore files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::WalkDir;

/// Endings of files that are linted.
pub const ENDINGS: &[&str] = &[
    "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "ipp", "inl",
];
/// Names of ignore files, a later one stronger.
const IGNORE_FILES: &[&str] = &[".gitignore", ".pipelintignore"];

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Something that was asked for is not done.
    Error,
    /// Worth knowing.
    Note,
}

/// Something met on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path it is about.
    pub path: PathBuf,
    /// What happened.
    pub message: String,
    /// What to do.
    pub help: String,
    /// How bad.
    pub kind: ProblemKind,
}

/// What was found under the given paths.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Files in sorted order, each once.
    pub files: Vec<PathBuf>,
    /// Problems in the order met.
    pub problems: Vec<Problem>,
}

/// Whether a path's ending is one that is linted.
pub fn is_source(path: &Path) -> bool {
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_ascii_lowercase);
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

/// Finds the files to lint. A file that is named is taken even if an ignore file names it too; in
/// folders `.gitignore` and `.pipelintignore` apply, hidden and `target` folders are skipped, and
/// paths that match `exclude` (gitignore patterns, relative to the current folder) are left out.
pub fn discover(paths: &[PathBuf], exclude: &Gitignore) -> Discovery {
    let mut found = Discovery::default();
    let mut files = BTreeSet::new();
    for path in paths {
        match std::fs::metadata(path) {
            Err(error) => found.problems.push(Problem {
                path: path.clone(),
                message: format!("cannot lint {}: {error}", path.display()),
                help: "check the path; it is taken relative to the current folder".into(),
                kind: ProblemKind::Error,
            }),
            Ok(meta) if meta.is_dir() => walk(path, exclude, &mut files, &mut found.problems),
            Ok(_) if is_source(path) => {
                files.insert(path.clone());
            }
            Ok(_) => found.problems.push(Problem {
                path: path.clone(),
                message: format!("{} has no ending of a C or C++ source", path.display()),
                help: format!("name a file that ends in one of .{}", ENDINGS.join(" .")),
                kind: ProblemKind::Error,
            }),
        }
    }
    // One file named in two ways is linted once, under the name that sorts first.
    let mut known = BTreeSet::new();
    found.files = files
        .into_iter()
        .filter(|f| known.insert(std::fs::canonicalize(f).unwrap_or_else(|_| f.clone())))
        .collect();
    found
}

fn walk(
    root: &Path,
    exclude: &Gitignore,
    files: &mut BTreeSet<PathBuf>,
    problems: &mut Vec<Problem>,
) {
    // Matchers of the folders from the root of the repository down to the current one.
    let mut matchers: Vec<(PathBuf, Vec<Gitignore>)> = above(root)
        .into_iter()
        .map(|dir| (dir.clone(), matchers_of(&dir, problems)))
        .collect();
    let outer = matchers.len();
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut walker = WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walker.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(walk_problem(root, &error));
                continue;
            }
        };
        let path = entry.path();
        let is_dir = entry.file_type().is_dir();
        let full = absolute(path);
        while matchers.len() > outer && !full.starts_with(&matchers[matchers.len() - 1].0) {
            matchers.pop();
        }
        if entry.depth() > 0 {
            let name = entry.file_name().to_string_lossy();
            let skipped = is_dir && (name.starts_with('.') || name == "target");
            if skipped
                || is_ignored(&matchers, &full, is_dir)
                || exclude
                    .matched(path.strip_prefix("./").unwrap_or(path), is_dir)
                    .is_ignore()
            {
                if is_dir {
                    walker.skip_current_dir();
                }
                continue;
            }
        }
        if is_dir {
            let own = matchers_of(path, problems);
            if !own.is_empty() {
                matchers.push((full, own));
            }
        } else if is_source(path) && entry.file_type().is_file() {
            files.insert(path.to_owned());
        }
    }
}

fn walk_problem(root: &Path, error: &walkdir::Error) -> Problem {
    let path = error.path().unwrap_or(root).to_owned();
    if let Some(ancestor) = error.loop_ancestor() {
        return Problem {
            message: format!(
                "{} links back to {}; it is not followed",
                path.display(),
                ancestor.display()
            ),
            path,
            help: String::new(),
            kind: ProblemKind::Note,
        };
    }
    let dangling = path.is_symlink();
    Problem {
        message: match error.io_error() {
            Some(io) => format!("cannot read {}: {io}", path.display()),
            None => error.to_string(),
        },
        path,
        help: "check that it may be read, or exclude it in .pipelintignore".into(),
        kind: if dangling {
            ProblemKind::Note
        } else {
            ProblemKind::Error
        },
    }
}

/// The folders above `root` whose ignore files apply: up to the one that holds `.git`.
fn above(root: &Path) -> Vec<PathBuf> {
    let Ok(full) = std::path::absolute(root) else {
        return Vec::new();
    };
    let mut dirs = Vec::new();
    if full.join(".git").exists() {
        return dirs;
    }
    for dir in full.ancestors().skip(1) {
        dirs.push(dir.to_owned());
        if dir.join(".git").exists() {
            dirs.reverse();
            return dirs;
        }
    }
    // Not in a repository: ignore files above say nothing.
    Vec::new()
}

fn matchers_of(dir: &Path, problems: &mut Vec<Problem>) -> Vec<Gitignore> {
    let mut found = Vec::new();
    for name in IGNORE_FILES {
        let file = dir.join(name);
        if !file.is_file() {
            continue;
        }
        let mut builder =
            GitignoreBuilder::new(std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()));
        let error = builder.add(&file);
        match builder.build() {
            Ok(matcher) => found.push(matcher),
            Err(error) => problems.push(ignore_problem(&file, &error)),
        }
        if let Some(error) = error {
            problems.push(ignore_problem(&file, &error));
        }
    }
    found
}

fn ignore_problem(file: &Path, error: &ignore::Error) -> Problem {
    Problem {
        path: file.to_owned(),
        message: format!("cannot use {}: {error}", file.display()),
        help: "mend the pattern; the other patterns apply".into(),
        kind: ProblemKind::Note,
    }
}

/// The innermost file that speaks of the path decides, its last pattern first.
fn is_ignored(matchers: &[(PathBuf, Vec<Gitignore>)], full: &Path, is_dir: bool) -> bool {
    for matcher in matchers.iter().rev().flat_map(|(_, own)| own.iter().rev()) {
        match matcher.matched(full, is_dir) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => {}
        }
    }
    false
}
