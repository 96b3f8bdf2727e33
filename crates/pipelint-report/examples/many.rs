//! Times each format on many findings in one big file:
//! `cargo run --release -p pipelint-report --example many -- 5000 2000000 [one-line]`.

use std::{io, time::Instant};

use pipelint_report::{Diagnostic, MemorySources, Report, Step, Style, formats, write_report};
use pipelint_source::Span;

#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| {
        arguments
            .get(at)
            .and_then(|argument| argument.parse().ok())
            .unwrap_or(default)
    };
    let (findings, bytes) = (number(0, 5_000), number(1, 2_000_000));
    let end = if arguments.len() > 2 { ' ' } else { '\n' };
    let line = format!("    HANDLE wide_宽 = CreateEventW(nullptr, TRUE, FALSE, L\"🚰\");{end}");
    let text = line.repeat(bytes / line.len());
    let mut sources = MemorySources::new();
    let file = sources.add("src/big.cpp", text.as_str());
    let stride = text.len() / line.len() / findings.max(1) * line.len();
    let diagnostics: Vec<Diagnostic> = (0..findings)
        .map(|at| {
            let start = (at * stride + 4) as u32;
            let span = Span::new(file, start, start + 6);
            let far = Span::new(file, text.len() as u32 - 40, text.len() as u32 - 30);
            Diagnostic {
                rule: &sample::UNCHECKED,
                primary: span,
                label: "here".to_owned(),
                message: "`wide` is used though the result was never checked".to_owned(),
                path: vec![
                    Step {
                        span,
                        label: "created".to_owned(),
                    },
                    Step {
                        span: far,
                        label: "used".to_owned(),
                    },
                ],
                related: vec![],
                help: "check it".to_owned(),
                function: "f".to_owned(),
            }
        })
        .collect();
    let report = Report {
        diagnostics: &diagnostics,
        rules: sample::RULES,
        ..Report::new(&sources)
    };
    for format in formats() {
        let start = Instant::now();
        let mut out = Vec::new();
        write_report(*format, &report, &mut out, &Style::default())?;
        println!(
            "{:8} {:8.3} s {:9} bytes",
            format.name(),
            start.elapsed().as_secs_f64(),
            out.len()
        );
    }
    Ok(())
}
