//! The known-good writers: where they lie, and what is linted together.

use std::path::Path;

pub use pipelint::args::Target;

use crate::program::Program;
use crate::{files_below, root};

/// A writer on which the linter is silent. Its folders and files are named from the project's top.
#[derive(Debug)]
pub struct Writer {
    /// What the tests call it.
    pub name: &'static str,
    /// Paths in its tables of mutants are below this folder.
    pub base: &'static str,
    /// Its code.
    sources: &'static str,
    /// Its tests.
    tests: &'static str,
    /// The endings of the files that are code.
    endings: &'static [&'static str],
    /// The systems that it is written for.
    pub targets: &'static [Target],
    /// The table of its mutants.
    pub mutants: &'static str,
}

/// All of them.
pub const WRITERS: [Writer; 2] = [
    Writer {
        name: "cpp",
        base: "fixtures/known-good",
        sources: "fixtures/known-good/cpp",
        tests: "fixtures/known-good/cpp/tests",
        endings: &["cpp", "h"],
        targets: &[Target::Windows],
        mutants: "fixtures/known-good/mutants.toml",
    },
    Writer {
        name: "rust",
        base: "crates/pipe-writer",
        sources: "crates/pipe-writer/src",
        tests: "crates/pipe-writer/tests",
        endings: &["rs"],
        targets: &[Target::Windows, Target::Unix],
        mutants: "fixtures/known-good/mutants-rust.toml",
    },
];

impl Writer {
    /// The files of the writer, without its tests.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub fn sources(&self) -> std::io::Result<Program> {
        let mut files = self.below(self.sources)?;
        files.retain(|(path, _)| !Path::new(path).starts_with(self.tests));
        Ok(files)
    }

    /// The files of the writer and of its tests.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub fn with_tests(&self) -> std::io::Result<Program> {
        let mut files = self.sources()?;
        files.extend(self.below(self.tests)?);
        files.sort();
        Ok(files)
    }

    /// The path from the project's top of a file that a table names.
    pub fn path(&self, in_table: &str) -> String {
        format!("{}/{in_table}", self.base)
    }

    fn below(&self, folder: &str) -> std::io::Result<Program> {
        let root = root();
        let mut files = Program::new();
        for path in files_below(&root.join(folder))? {
            let ending = path.extension().and_then(|ending| ending.to_str());
            if !ending.is_some_and(|ending| self.endings.contains(&ending)) {
                continue;
            }
            let shown = path.strip_prefix(&root).unwrap_or(&path);
            let shown = shown.to_string_lossy().replace('\\', "/");
            files.push((shown, std::fs::read_to_string(&path)?));
        }
        Ok(files)
    }
}
