//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::rust::cfg::Cfg;
use schemars::JsonSchema;
use serde::Deserialize;

/// A linter for pipe-writer code in C, C++ and Rust: leaked, unchecked and misused handles.
#[derive(Debug, Parser)]
#[command(name = "pipelint", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `check` may be left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Arguments of `check`.
    #[command(flatten)]
    pub check: Check,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lint files and folders
    Check(Check),
    /// List the rules
    Rules,
    /// Show a rule's page
    Explain {
        /// A code (PL101) or a name (unchecked-handle-creation)
        rule: String,
    },
    /// List what pipelint knows of functions and types, or show it
    Models {
        /// Show these functions, owners, locks or guards
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Use this configuration file, not the nearest pipelint.toml
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print what pipelint makes of a file
    Dump {
        /// The form
        what: DumpWhat,
        /// The file
        file: PathBuf,
        /// Which branches are read
        #[command(flatten)]
        branches: Branches,
    },
}

/// What `dump` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DumpWhat {
    /// The intermediate representation as text
    Ir,
    /// The control-flow graphs as mermaid
    Cfg,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The lowest severity to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Everything
    Note,
    /// Warnings and errors
    Warning,
    /// Errors
    Error,
}

/// What the code is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// 64-bit Windows
    #[default]
    Windows,
    /// 64-bit Linux
    Unix,
}

impl Target {
    /// What Rust's `cfg` says there.
    pub fn cfg(self) -> Cfg {
        match self {
            Self::Windows => Cfg::windows(),
            Self::Unix => Cfg::unix(),
        }
    }

    /// What `#if` sees there as defined.
    pub fn preprocessor(self) -> CppConfig {
        match self {
            Self::Windows => CppConfig::windows(),
            Self::Unix => CppConfig::unix(),
        }
    }
}

/// What decides which branches are read.
#[derive(Debug, Args, Clone, Default)]
pub struct Branches {
    /// Read the code of this system: of `#if` and of `cfg` [default: windows]
    #[arg(long, value_name = "SYSTEM")]
    pub target: Option<Target>,
    /// Take NAME as defined for `#if`
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,
    /// Take NAME as not defined for `#if`
    #[arg(short = 'U', value_name = "NAME")]
    pub undefine: Vec<String>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Files and folders; `-` is standard input [default: .]
    pub paths: Vec<PathBuf>,
    /// How to report
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = formats())]
    pub format: String,
    /// Only these rules: ALL, a family (PL1), a code or a name; comma-separated
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Not these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Report from this severity upwards
    #[arg(long, value_name = "LEVEL")]
    pub severity: Option<Level>,
    /// Use this configuration file, not the nearest pipelint.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What a build says of the files: a compile_commands.json, or the folder that holds one
    #[arg(short = 'p', long, value_name = "PATH")]
    pub compile_commands: Option<PathBuf>,
    /// Number of threads [default: one per processor]
    #[arg(short = 'j', long = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Colour the report
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Print files, functions, gaps and times to standard error
    #[arg(long)]
    pub statistics: bool,
    /// The name that standard input goes by; its ending says the language
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<PathBuf>,
    /// Which branches are read
    #[command(flatten)]
    pub branches: Branches,
}

fn formats() -> clap::builder::PossibleValuesParser {
    let formats = pipelint_report::formats();
    clap::builder::PossibleValuesParser::new(
        formats
            .iter()
            .map(|f| clap::builder::PossibleValue::new(f.name()).help(f.about())),
    )
}
