//! How much of real code the grammar understands, with and without the pre-pass.
//!
//! `cargo run --release --example errors -- [--show] [--dump] PATH…` parses every C and C++ file
//! under the paths twice and prints files and functions with errors. `--show` lists the first
//! places; `--dump` prints the prepared text of one file instead.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::cpp::prepare::prepare;
use pipelint_ir::Language;
use pipelint_source::FileId;
use tree_sitter::{Node, Parser};

/// What one way of parsing found.
#[derive(Default)]
struct Count {
    files: usize,
    broken_files: usize,
    functions: usize,
    broken_functions: usize,
    error_bytes: usize,
    bytes: usize,
    parse: Duration,
    gaps: usize,
    prepare: Duration,
    slowest: (f64, PathBuf),
}

fn main() {
    let mut show = false;
    let mut dump = false;
    let mut roots = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--show" => show = true,
            "--dump" => dump = true,
            _ => roots.push(PathBuf::from(argument)),
        }
    }
    let mut files = Vec::new();
    for root in &roots {
        find(root, &mut files);
    }
    files.sort();
    let mut parser = Parser::new();
    if parser
        .set_language(&tree_sitter_cpp::LANGUAGE.into())
        .is_err()
    {
        eprintln!("the grammar does not load");
        return;
    }
    let config = CppConfig::default();
    let (mut before, mut after) = (Count::default(), Count::default());
    for path in &files {
        let Ok(bytes) = std::fs::read(path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let c = path.extension().is_some_and(|ending| ending == "c");
        let language = if c { Language::C } else { Language::Cpp };
        let start = Instant::now();
        let prepared = prepare(FileId(0), text, language, &config);
        let spent = start.elapsed();
        after.prepare += spent;
        let rate = spent.as_secs_f64() / text.len().max(20_000) as f64;
        if rate > after.slowest.0 {
            after.slowest = (rate, path.clone());
        }
        after.gaps += prepared.gaps.len();
        if dump {
            print!("{}", prepared.text);
            continue;
        }
        measure(&mut parser, text, &mut before, None);
        measure(
            &mut parser,
            &prepared.text,
            &mut after,
            show.then_some((path, text)),
        );
    }
    if dump {
        return;
    }
    print("raw", &before);
    print("prepared", &after);
    let rate = |spent: Duration| after.bytes as f64 / 1e6 / spent.as_secs_f64().max(1e-9);
    println!(
        "pre-pass {:?} ({:.0} MB/s), parse {:?} ({:.1} MB/s), {} gaps; slowest {:.0} MB/s in {}",
        after.prepare,
        rate(after.prepare),
        after.parse,
        rate(after.parse),
        after.gaps,
        1e-6 / after.slowest.0.max(1e-12),
        after.slowest.1.display(),
    );
}

fn print(name: &str, count: &Count) {
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    println!(
        "{name:9} files with errors {} of {} ({:.1} %), functions {} of {} ({:.2} %), \
         bytes in errors {} of {} ({:.3} %)",
        count.broken_files,
        count.files,
        share(count.broken_files, count.files),
        count.broken_functions,
        count.functions,
        share(count.broken_functions, count.functions),
        count.error_bytes,
        count.bytes,
        share(count.error_bytes, count.bytes),
    );
}

fn find(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else {
            return;
        };
        for entry in entries.flatten() {
            find(&entry.path(), files);
        }
        return;
    }
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or("");
    if matches!(
        ending,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "ipp" | "inl"
    ) {
        files.push(path.to_owned());
    }
}

fn measure(parser: &mut Parser, text: &str, count: &mut Count, show: Option<(&PathBuf, &str)>) {
    let start = Instant::now();
    let Some(tree) = parser.parse(text, None) else {
        return;
    };
    count.parse += start.elapsed();
    count.files += 1;
    count.bytes += text.len();
    if tree.root_node().has_error() {
        count.broken_files += 1;
    }
    let mut shown = 0;
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.kind() == "function_definition" {
            count.functions += 1;
            count.broken_functions += usize::from(node.has_error());
        }
        let broken = node.is_error() || node.is_missing();
        if broken {
            if node.is_error() {
                count.error_bytes += node.byte_range().len();
            }
            if let Some((path, original)) = show
                && shown < 5
            {
                shown += 1;
                place(path, original, text, node);
            }
        }
        // Inside an error are perhaps functions, but no further errors that count.
        if (node.has_error() || node.kind() != "function_definition") && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn place(path: &Path, original: &str, text: &str, node: Node<'_>) {
    let row = node.start_position().row;
    println!(
        "{}:{}:{} {} {} bytes",
        path.display(),
        row + 1,
        node.start_position().column + 1,
        if node.is_missing() {
            format!("MISSING {}", node.kind())
        } else {
            "ERROR".to_owned()
        },
        node.byte_range().len(),
    );
    let line = |text: &str, row: usize| text.lines().nth(row).unwrap_or("").trim_end().to_owned();
    for row in row.saturating_sub(1)..=row + 1 {
        println!("    {}", line(original, row));
    }
    println!("  > {}", line(text, row));
}
