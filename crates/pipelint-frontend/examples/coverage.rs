//! How much of some C and C++ code is understood: `cargo run --release --example coverage PATH…`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::lower_cpp;
use pipelint_ir::{Gap, GapReason, Language, Wholeness};
use pipelint_source::FileId;

/// Sample places shown for each reason.
const SAMPLES: usize = 4;

fn files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let Ok(entries) = std::fs::read_dir(path) else {
            return;
        };
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            if !entry.is_symlink() {
                files(&entry, out);
            }
        }
        return;
    }
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    if matches!(
        ending,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "ipp" | "inl"
    ) {
        out.push(path.to_owned());
    }
}

#[derive(Default)]
struct Totals {
    functions: [usize; 3],
    reasons: BTreeMap<String, (usize, Vec<String>)>,
    outside: BTreeMap<String, (usize, u64, Vec<String>)>,
    bytes: usize,
    statements: usize,
    blocks: usize,
}

fn line(text: &str, at: u32) -> usize {
    text.as_bytes()[..(at as usize).min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1
}

fn words(gap: &Gap, text: &str) -> String {
    let code = text.get(gap.span.range()).unwrap_or("");
    code.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(70)
        .collect()
}

fn reason(gap: &Gap) -> String {
    match &gap.reason {
        GapReason::Unsupported(name) => format!("unsupported {name}"),
        other => format!("{other:?}"),
    }
}

fn main() {
    let mut paths = Vec::new();
    for argument in std::env::args().skip(1) {
        files(Path::new(&argument), &mut paths);
    }
    let config = CppConfig::default();
    let mut totals = Totals::default();
    let (mut prepare, mut parse, mut lower) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let start = Instant::now();
    for (number, path) in (0u32..).zip(&paths) {
        let Ok(bytes) = std::fs::read(path) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        totals.bytes += text.len();
        let language = match path.extension().and_then(|e| e.to_str()) {
            Some("c") => Language::C,
            _ => Language::Cpp,
        };
        let lowered = lower_cpp(FileId(number), &text, language, &config);
        prepare += lowered.prepare;
        parse += lowered.parse;
        lower += lowered.lower;
        for function in &lowered.unit.functions {
            totals.functions[match function.wholeness {
                Wholeness::Whole => 0,
                Wholeness::Partial => 1,
                Wholeness::GivenUp => 2,
            }] += 1;
            totals.blocks += function.blocks.len();
            totals.statements += function.blocks.iter().map(|b| b.stmts.len()).sum::<usize>();
            for gap in &function.gaps {
                let entry = totals.reasons.entry(reason(gap)).or_default();
                entry.0 += 1;
                if entry.1.len() < SAMPLES * 20 {
                    let place = format!("{}:{}", path.display(), line(&text, gap.span.start));
                    entry
                        .1
                        .push(format!("{place}: {}: {}", function.name, words(gap, &text)));
                }
            }
        }
        for gap in &lowered.unit.gaps {
            let entry = totals.outside.entry(reason(gap)).or_default();
            entry.0 += 1;
            entry.1 += u64::from(gap.span.end - gap.span.start);
            if entry.2.len() < SAMPLES * 20 {
                let place = format!("{}:{}", path.display(), line(&text, gap.span.start));
                entry.2.push(format!(
                    "{place}: {} bytes: {}",
                    gap.span.end - gap.span.start,
                    words(gap, &text)
                ));
            }
        }
    }
    let all: usize = totals.functions.iter().sum();
    let [whole, partial, given_up] = totals.functions;
    #[allow(clippy::cast_precision_loss)]
    let percent = 100.0 * whole as f64 / all.max(1) as f64;
    println!(
        "{} files, {} bytes, {:?} in all",
        paths.len(),
        totals.bytes,
        start.elapsed()
    );
    println!("prepare {prepare:?}, parse {parse:?}, lower {lower:?}");
    println!(
        "{all} functions: {whole} whole ({percent:.1} %), {partial} partial, {given_up} given up"
    );
    println!("{} blocks, {} statements", totals.blocks, totals.statements);
    for (reason, (count, samples)) in &totals.reasons {
        println!("in functions: {count} {reason}");
        for sample in spread(samples) {
            println!("    {sample}");
        }
    }
    for (reason, (count, bytes, samples)) in &totals.outside {
        println!("outside: {count} {reason}, {bytes} bytes");
        for sample in spread(samples) {
            println!("    {sample}");
        }
    }
}

/// Samples from all over the list. `COVERAGE_ALL` shows every one.
fn spread(samples: &[String]) -> Vec<&String> {
    if std::env::var_os("COVERAGE_ALL").is_some() {
        return samples.iter().collect();
    }
    let step = (samples.len() / SAMPLES).max(1);
    samples.iter().step_by(step).take(SAMPLES).collect()
}
