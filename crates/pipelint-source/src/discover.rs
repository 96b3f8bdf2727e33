//! Paths to files: the walk, the endings, the ignore files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use walkdir::WalkDir;

/// Endings of files that are linted.
pub const ENDINGS: &[&str] = &[
    "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "ipp", "inl", "rs",
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
/// paths that match `exclude` (gitignore patterns below its root, an absolute path without links)
/// are left out.
pub fn discover(paths: &[PathBuf], exclude: &Gitignore) -> Discovery {
    let mut found = Discovery::default();
    let mut files = BTreeSet::new();
    for path in paths {
        let (message, help) = match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {
                walk(path, exclude, &mut files, &mut found.problems);
                continue;
            }
            Ok(meta) if is_source(path) && meta.is_file() => {
                files.insert(path.clone());
                continue;
            }
            Ok(_) if is_source(path) => (
                format!("{} is no regular file", path.display()),
                "give a stream on standard input: `pipelint -`".into(),
            ),
            Ok(_) => (
                format!(
                    "{} has no ending of a C, C++ or Rust source",
                    path.display()
                ),
                format!("name a file that ends in one of .{}", ENDINGS.join(" .")),
            ),
            Err(error) => (
                format!("cannot lint {}: {error}", path.display()),
                "check the path; it is taken relative to the current folder".into(),
            ),
        };
        found.problems.push(Problem {
            path: path.clone(),
            message,
            help,
            kind: ProblemKind::Error,
        });
    }
    // One file named in two ways is linted once, under the name that sorts first.
    let mut known = BTreeSet::new();
    found.files = files
        .into_iter()
        .filter(|f| known.insert(real(f)))
        .collect();
    found
}

fn walk(
    root: &Path,
    exclude: &Gitignore,
    files: &mut BTreeSet<PathBuf>,
    problems: &mut Vec<Problem>,
) {
    // Ignore files speak of folders as they lie, not as they were named: `..` and links are undone.
    let real_root = real(root);
    // Matchers of the folders from the root of the repository down to the current one.
    let mut matchers: Vec<(PathBuf, Vec<Gitignore>)> = above(&real_root)
        .into_iter()
        .map(|dir| (dir.clone(), matchers_of(&dir, problems)))
        .collect();
    let outer = matchers.len();
    // Links to folders are followed once each, or their number could double at every level.
    let mut followed = BTreeSet::new();
    let mut walker = WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walker.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.extend(walk_problem(root, &error));
                continue;
            }
        };
        let path = entry.path();
        let is_dir = entry.file_type().is_dir();
        let full = match path.strip_prefix(root) {
            Ok(below) if below.as_os_str().is_empty() => real_root.clone(),
            Ok(below) => real_root.join(below),
            Err(_) => path.to_owned(),
        };
        while matchers.len() > outer && !full.starts_with(&matchers[matchers.len() - 1].0) {
            matchers.pop();
        }
        if entry.depth() > 0 {
            let name = entry.file_name().to_string_lossy();
            let skipped = is_dir && (name.starts_with('.') || name == "target");
            if skipped
                || is_ignored(&matchers, &full, is_dir)
                || exclude.matched(&full, is_dir).is_ignore()
                || (is_dir && entry.path_is_symlink() && !followed.insert(real(path)))
            {
                if is_dir {
                    walker.skip_current_dir();
                }
                continue;
            }
        }
        if is_dir {
            let own = matchers_of(&full, problems);
            if !own.is_empty() {
                matchers.push((full, own));
            }
        } else if is_source(path) && entry.file_type().is_file() {
            files.insert(path.strip_prefix(".").unwrap_or(path).to_owned());
        }
    }
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// What a failure of the walk means; none for a dangling link that was never going to be linted.
fn walk_problem(root: &Path, error: &walkdir::Error) -> Option<Problem> {
    let path = error.path().unwrap_or(root).to_owned();
    if let Some(ancestor) = error.loop_ancestor() {
        return Some(Problem {
            message: format!(
                "{} links back to {}; it is not followed",
                path.display(),
                ancestor.display()
            ),
            path,
            help: String::new(),
            kind: ProblemKind::Note,
        });
    }
    let dangling = path.is_symlink();
    if dangling && !is_source(&path) {
        return None;
    }
    Some(Problem {
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
    })
}

/// The folders above `root` whose ignore files apply: up to the one that holds `.git`. None outside
/// of a repository: there, ignore files above say nothing of this folder.
fn above(root: &Path) -> Vec<PathBuf> {
    let in_repository = |dir: &&Path| dir.join(".git").exists();
    let Some(top) = root.ancestors().find(in_repository) else {
        return Vec::new();
    };
    let between = root.ancestors().skip(1).take_while(|d| d.starts_with(top));
    let mut dirs: Vec<PathBuf> = between.map(Path::to_owned).collect();
    dirs.reverse();
    dirs
}

fn matchers_of(dir: &Path, problems: &mut Vec<Problem>) -> Vec<Gitignore> {
    let mut found = Vec::new();
    for name in IGNORE_FILES {
        let file = dir.join(name);
        if !file.is_file() {
            continue;
        }
        let mut builder = GitignoreBuilder::new(dir);
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
