//! What a build says of the files it compiles: `compile_commands.json`.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_ir::{Const, Constant, Name, Unit};
use pipelint_source::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::config::ConfigError;
use crate::options::{Change, Parsed, parse};

/// The name of the file that a folder is looked into for.
const NAME: &str = "compile_commands.json";
/// Response files that name further ones are followed this deep.
const NESTING: u32 = 8;

/// How one file is compiled.
#[derive(Debug)]
pub(crate) struct Build {
    /// The folders of `#include "…"`, before those of `#include <…>`.
    quoted: Vec<PathBuf>,
    /// The folders of both kinds of include.
    folders: Vec<PathBuf>,
    /// What `#if` sees as defined.
    pub(crate) preprocessor: Arc<CppConfig>,
    /// What the code sees as constants.
    constants: Vec<(Name, Const)>,
}

impl Build {
    /// The folders that an include is looked for in, in order.
    pub(crate) fn folders(&self, quoted: bool) -> impl Iterator<Item = &PathBuf> {
        let first: &[PathBuf] = if quoted { &self.quoted } else { &[] };
        first.iter().chain(&self.folders)
    }

    /// Adds the constants that the command line defines and the file does not.
    pub(crate) fn add_constants(&self, unit: &mut Unit) {
        let (file, own) = (unit.file, unit.constants.len());
        for (name, value) in &self.constants {
            if unit.constants[..own].iter().all(|own| own.name != *name) {
                unit.constants.push(Constant {
                    name: name.clone(),
                    value: value.clone(),
                    span: Span::new(file, 0, 0),
                });
            }
        }
    }
}

/// All that a build says.
#[derive(Debug, Clone, Default)]
pub struct Builds {
    /// By absolute path, as written and with links resolved.
    files: FxHashMap<PathBuf, Arc<Build>>,
    /// For a file that the build does not compile by itself, as headers are: what all commands
    /// define, and every folder.
    shared: Option<Arc<Build>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    directory: String,
    file: String,
    command: Option<String>,
    arguments: Option<Vec<String>>,
}

impl Builds {
    /// Reads `path`, or the `compile_commands.json` in the folder `path`. `make` gives the whole
    /// configuration of the preprocessor for the options of one command.
    pub(crate) fn read(
        path: &Path,
        make: &dyn Fn(&[Change]) -> CppConfig,
    ) -> Result<Self, ConfigError> {
        let path = if path.is_dir() {
            path.join(NAME)
        } else {
            path.to_owned()
        };
        let broken = |message: String| ConfigError {
            message: format!("{}: {message}", path.display()),
            help: "https://clang.llvm.org/docs/JSONCompilationDatabase.html shows the form".into(),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| ConfigError {
            message: format!(
                "cannot read the compile commands {}: {error}",
                path.display()
            ),
            help: format!("name a {NAME}, or the folder that holds one"),
        })?;
        let text = text.trim_start_matches('\u{feff}');
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|e| broken(e.to_string()))?;
        let base = std::path::absolute(path.parent().unwrap_or(Path::new(""))).unwrap_or_default();
        let mut builds = Self::default();
        let mut made: FxHashMap<Vec<Change>, Arc<CppConfig>> = FxHashMap::default();
        let mut shared: Option<Parsed> = None;
        let mut seen: FxHashSet<Parsed> = FxHashSet::default();
        for (i, entry) in entries.iter().enumerate() {
            let wrong = |what: &str| broken(format!("entry {} (`{}`) {what}", i + 1, entry.file));
            let directory = normal(&base, &entry.directory);
            let words = words(entry, &directory).map_err(|what| wrong(&what))?;
            let parsed = parse(&words);
            let preprocessor = made
                .entry(parsed.changes.clone())
                .or_insert_with(|| Arc::new(make(&parsed.changes)));
            let build = Arc::new(Build {
                quoted: parsed
                    .quoted
                    .iter()
                    .map(|f| normal(&directory, f))
                    .collect(),
                folders: parsed.folders().map(|f| normal(&directory, f)).collect(),
                preprocessor: Arc::clone(preprocessor),
                constants: constants(&parsed.changes),
            });
            let file = normal(&directory, &entry.file);
            // Of several commands for one file the first counts, as for clang's own tools.
            if let Ok(real) = file.canonicalize() {
                builds
                    .files
                    .entry(real)
                    .or_insert_with(|| Arc::clone(&build));
            }
            builds.files.entry(file).or_insert(build);
            let mut absolute = parsed;
            absolute.resolve(|folder| normal(&directory, folder).to_string_lossy().into_owned());
            if seen.contains(&absolute) {
                continue;
            }
            match &mut shared {
                Some(all) => all.share(&absolute),
                None => shared = Some(absolute.clone()),
            }
            seen.insert(absolute);
        }
        builds.shared = shared.map(|all| {
            Arc::new(Build {
                quoted: all.quoted.iter().map(PathBuf::from).collect(),
                folders: all.folders().map(PathBuf::from).collect(),
                preprocessor: Arc::new(make(&all.changes)),
                constants: constants(&all.changes),
            })
        });
        Ok(builds)
    }

    /// How this file is compiled, as far as a build tells.
    pub(crate) fn of(&self, path: &Path) -> Option<&Build> {
        self.shared.as_ref()?;
        let written = std::path::absolute(path).ok().and_then(|path| {
            self.files
                .get(&normal(Path::new(""), &path.to_string_lossy()))
        });
        let found = written.or_else(|| self.files.get(&path.canonicalize().ok()?));
        found.or(self.shared.as_ref()).map(|build| &**build)
    }

    /// True when the build compiles one of these files.
    pub(crate) fn know_any<'p>(&self, mut paths: impl Iterator<Item = &'p Path>) -> bool {
        let known = |path: &Path| {
            let real = path.canonicalize().ok();
            real.is_some_and(|real| self.files.contains_key(&real))
        };
        self.shared.is_none() || paths.any(known)
    }
}

/// The words of an entry's command, response files read in.
fn words(entry: &Entry, directory: &Path) -> Result<Vec<String>, String> {
    let windows = is_windows(&entry.directory) || is_windows(&entry.file);
    let words = match (&entry.arguments, &entry.command) {
        (Some(arguments), _) => arguments.clone(),
        (None, Some(command)) => split(command, windows)
            .ok_or_else(|| "has a `command` with a quote that is not closed".to_owned())?,
        (None, None) => return Err("has neither `arguments` nor `command`".into()),
    };
    let mut out = Vec::with_capacity(words.len());
    let mut todo: Vec<(String, u32)> = words.into_iter().rev().map(|word| (word, 0)).collect();
    while let Some((word, depth)) = todo.pop() {
        let Some(name) = word.strip_prefix('@').filter(|_| depth < NESTING) else {
            out.push(word);
            continue;
        };
        let file = normal(directory, name);
        let text = pipelint_source::read(&file)
            .map_err(|error| format!("names a response file that cannot be read: {error}"))?
            .text;
        let inner = split(&text, windows).ok_or_else(|| {
            format!(
                "names the response file {} with a quote that is not closed",
                file.display()
            )
        })?;
        todo.extend(inner.into_iter().rev().map(|word| (word, depth + 1)));
    }
    Ok(out)
}

/// The numbers and other names that names are defined as.
fn constants(changes: &[Change]) -> Vec<(Name, Const)> {
    let mut out: Vec<(Name, Const)> = Vec::new();
    for change in changes {
        let text = match change {
            Change::Define(text) | Change::Undefine(text) => text,
        };
        let (name, value) = text.split_once('=').unwrap_or((text, "1"));
        out.retain(|(known, _)| known != name);
        if let (Change::Define(_), Some(value)) = (change, constant(value)) {
            out.push((Name::new(name), value));
        }
    }
    out
}

fn constant(text: &str) -> Option<Const> {
    let text = text.trim();
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    let number = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match number {
        Some(number) => Some(Const::Int(number)),
        None => named.then(|| Const::Named(Name::new(text))),
    }
}

/// A command as a shell splits it, or as a program for Windows splits its own.
fn split(command: &str, windows: bool) -> Option<Vec<String>> {
    if windows {
        let lines = command.replace(['\r', '\n'], " ");
        Some(winsplit::split(&lines))
    } else {
        shlex::split(command)
    }
}

fn is_windows(path: &str) -> bool {
    let drive = path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && path.as_bytes().get(1) == Some(&b':');
    drive || path.starts_with("\\\\")
}

/// A path as written in a folder, absolute, without `.` and `..`.
fn normal(folder: &Path, path: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
