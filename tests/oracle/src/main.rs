//! Compares the Rust front end with `syn` over folders of sources.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use pipelint_frontend::rust::cfg::Cfg;
use pipelint_oracle::{groups, run};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    Windows,
    Unix,
}

/// Compares what the Rust front end lowers with what syn parses.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folders or files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The target that `cfg` is decided for.
    #[arg(long, value_enum, default_value = "windows")]
    target: Target,
    /// Differences shown of each kind.
    #[arg(long, default_value_t = 20)]
    show: usize,
    /// Fewer lines than this are a failure.
    #[arg(long, default_value_t = 0)]
    at_least: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let cfg = match arguments.target {
        Target::Windows => Cfg::windows(),
        Target::Unix => Cfg::unix(),
    };
    let report = match run(&groups(&arguments.paths), &cfg) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("no threads: {error}");
            return ExitCode::from(2);
        }
    };
    for (what, list) in report.by_what() {
        println!("{what:?}: {}", list.len());
        for difference in list.iter().take(arguments.show) {
            println!(
                "  {}:{}: {}",
                difference.path.display(),
                difference.line,
                difference.text
            );
        }
    }
    println!("{report}");
    if report.lines < arguments.at_least {
        eprintln!("fewer than {} lines", arguments.at_least);
        return ExitCode::from(1);
    }
    ExitCode::from(u8::from(!report.differences.is_empty()))
}
