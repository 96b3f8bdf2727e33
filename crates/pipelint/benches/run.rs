//! The run against its limits: reading the files, and parsing those that are parsed.
//!
//! `PIPELINT_BENCH=path/to/sources cargo bench -p pipelint` measures any tree; without it, the
//! fixtures and the pipe writer. C and C++ are measured apart from Rust. All figures of one invocation
//! are of one machine at one time: compare their ratios.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use pipelint::{Input, Options, lint};
use pipelint_report::Sources;
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured by itself.
#[derive(Debug, Clone, Copy)]
enum Front {
    /// C and C++.
    Cpp,
    Rust,
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpp => "C and C++",
            Self::Rust => "Rust",
        })
    }
}

impl Front {
    const ALL: [Self; 2] = [Self::Cpp, Self::Rust];

    fn tree(self) -> &'static Tree {
        match self {
            Self::Cpp => &CPP,
            Self::Rust => &RUST,
        }
    }

    fn is_of(self, path: &Path) -> bool {
        let rust = path.extension().is_some_and(|ending| ending == "rs");
        rust == matches!(self, Self::Rust)
    }

    fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::Cpp => tree_sitter_cpp::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
        }
    }
}

struct Tree {
    files: Vec<PathBuf>,
    inputs: Vec<Input>,
    /// Texts of the files that a run parses: those that the name filter lets through, and those
    /// that are taken in because they say what these mean.
    parsed: Vec<String>,
}

static CPP: LazyLock<Tree> = LazyLock::new(|| Tree::new(Front::Cpp));
static RUST: LazyLock<Tree> = LazyLock::new(|| Tree::new(Front::Rust));

impl Tree {
    fn new(front: Front) -> Self {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let roots = match std::env::var_os("PIPELINT_BENCH") {
            Some(root) => vec![PathBuf::from(root)],
            None => vec![project.join("fixtures"), project.join("crates/pipe-writer")],
        };
        let found = pipelint_source::discover(&roots, &ignore::gitignore::Gitignore::empty());
        let mut files = found.files;
        files.retain(|path| front.is_of(path));
        let inputs: Vec<Input> = files
            .iter()
            .filter_map(|path| {
                let decoded = pipelint_source::read(path).ok()?;
                Some(Input {
                    path: path.clone(),
                    text: decoded.text,
                })
            })
            .collect();
        let run = lint(inputs.clone(), &OPTIONS, &|| ());
        let lowered = run.parsed.iter();
        let lowered = lowered.map(|&file| run.sources.text(file).to_owned());
        // The texts of those that only declare are not kept; a run's files begin with its inputs.
        let indexed = run.indexed.iter();
        let indexed = indexed.filter_map(|file| Some(inputs.get(file.0 as usize)?.text.clone()));
        let parsed: Vec<String> = lowered.chain(indexed).collect();
        eprintln!(
            "{front}: {} files, {} bytes; parsed: {} files, {} bytes",
            inputs.len(),
            inputs.iter().map(|i| i.text.len()).sum::<usize>(),
            parsed.len(),
            parsed.iter().map(String::len).sum::<usize>(),
        );
        Self {
            files,
            inputs,
            parsed,
        }
    }
}

static OPTIONS: LazyLock<Options> = LazyLock::new(Options::default);

fn main() {
    for front in Front::ALL {
        front.tree();
    }
    divan::main();
}

/// Reading and decoding alone.
#[divan::bench(args = Front::ALL, sample_count = 10, sample_size = 1)]
fn read(bencher: Bencher, front: Front) {
    bencher.bench(|| {
        let files = front.tree().files.par_iter();
        files
            .filter_map(|f| pipelint_source::read(f).ok())
            .map(|d| d.text.len())
            .sum::<usize>()
    });
}

/// The name filter alone.
#[divan::bench(args = Front::ALL, sample_count = 10, sample_size = 1)]
fn prefilter(bencher: Bencher, front: Front) {
    let filter = OPTIONS.models.prefilter();
    bencher.bench(|| {
        let inputs = front.tree().inputs.par_iter();
        inputs.filter(|i| filter.matches(i.text.as_bytes())).count()
    });
}

/// The bare parse of the files that are parsed: the limit.
#[divan::bench(args = Front::ALL, sample_count = 10, sample_size = 1)]
fn bare_parse(bencher: Bencher, front: Front) {
    bencher.bench(|| {
        let texts = front.tree().parsed.par_iter();
        texts
            .map_init(
                || {
                    let mut parser = tree_sitter::Parser::new();
                    let _ = parser.set_language(&front.grammar());
                    parser
                },
                |parser, text| parser.parse(text, None).map(|t| t.root_node().end_byte()),
            )
            .filter(Option::is_some)
            .count()
    });
}

/// Everything but reading: filter, prepare, parse, lower, link, analyse, rules.
#[divan::bench(args = Front::ALL, sample_count = 10, sample_size = 1)]
fn whole_run(bencher: Bencher, front: Front) {
    bencher
        .with_inputs(|| front.tree().inputs.clone())
        .bench_values(|inputs| black_box(lint(inputs, &OPTIONS, &|| ())).diagnostics.len());
}
