//! The run against its limits: reading the files, and parsing those that are parsed.
//!
//! `PIPELINT_BENCH=path/to/sources cargo bench -p pipelint` measures any tree; without it, the
//! fixtures. All figures of one invocation are of one machine at one time: compare their ratios.

use std::path::PathBuf;
use std::sync::LazyLock;

use divan::{Bencher, black_box};
use pipelint::{Input, Options, lint};
use pipelint_report::Sources;
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Tree {
    files: Vec<PathBuf>,
    inputs: Vec<Input>,
    /// Texts of the files that a run parses: those that the name filter lets through, and those
    /// that are taken in because they say what these mean.
    parsed: Vec<String>,
}

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let root = std::env::var_os("PIPELINT_BENCH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures")),
        PathBuf::from,
    );
    let files = pipelint_source::discover(&[root], &ignore::gitignore::Gitignore::empty()).files;
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
    let parsed = run
        .parsed
        .iter()
        .map(|&file| run.sources.text(file).to_owned());
    let parsed: Vec<String> = parsed.collect();
    eprintln!(
        "{} files, {} bytes; parsed: {} files, {} bytes",
        inputs.len(),
        inputs.iter().map(|i| i.text.len()).sum::<usize>(),
        parsed.len(),
        parsed.iter().map(String::len).sum::<usize>(),
    );
    Tree {
        files,
        inputs,
        parsed,
    }
});

static OPTIONS: LazyLock<Options> = LazyLock::new(Options::default);

fn main() {
    LazyLock::force(&TREE);
    divan::main();
}

/// Reading and decoding alone.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn read(bencher: Bencher) {
    bencher.bench(|| {
        TREE.files
            .par_iter()
            .filter_map(|f| pipelint_source::read(f).ok())
            .map(|d| d.text.len())
            .sum::<usize>()
    });
}

/// The name filter alone.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn prefilter(bencher: Bencher) {
    let filter = OPTIONS.models.prefilter();
    bencher.bench(|| {
        TREE.inputs
            .par_iter()
            .filter(|i| filter.matches(i.text.as_bytes()))
            .count()
    });
}

/// The bare parse of the files that are parsed: the limit.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bare_parse(bencher: Bencher) {
    bencher.bench(|| {
        TREE.parsed
            .par_iter()
            .map_init(
                || {
                    let mut parser = tree_sitter::Parser::new();
                    let _ = parser.set_language(&tree_sitter_cpp::LANGUAGE.into());
                    parser
                },
                |parser, text| parser.parse(text, None).map(|t| t.root_node().end_byte()),
            )
            .filter(Option::is_some)
            .count()
    });
}

/// Everything but reading: filter, prepare, parse, lower, link, analyse, rules.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn whole_run(bencher: Bencher) {
    bencher
        .with_inputs(|| TREE.inputs.clone())
        .bench_values(|inputs| black_box(lint(inputs, &OPTIONS, &|| ())).diagnostics.len());
}
