//! The command: arguments in, report and exit status out.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Parser;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipelint_report::{ProblemNote, Report, Severity, Style, Tool};
use pipelint_source::ProblemKind;
use rayon::prelude::*;

use crate::args::{Check, Cli, Color, Command};
use crate::config::{Config, ConfigError};
use crate::pipeline::{Input, Options, Run, lint};
use crate::select::{Selection, nearest};
use crate::{dump, models, statistics::Statistics};

/// Stack of a working thread: parse trees can be deep.
const STACK: usize = 64 << 20;
/// A run shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Runs the command; the exit status is 0 for clean, 1 for findings, 2 where a part of the work was
/// not done.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    crate::panics::keep_quiet();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let result = match cli.command {
        None => check(&cli.check),
        Some(Command::Check(arguments)) => check(&arguments),
        Some(Command::Rules) => rules(),
        Some(Command::Explain { rule }) => explain(&rule),
        Some(Command::Models { names, config }) => models::models(&names, config.as_deref()),
        Some(Command::Dump {
            what,
            file,
            branches,
        }) => Config::load(None).and_then(|config| {
            let preprocessor = config.preprocessor(&branches);
            let target = config.target(&branches).cfg();
            with_stack(|| dump::dump(what, &file, &preprocessor, &target))
        }),
    };
    result.unwrap_or_else(|error| {
        complain("error", &error.message, &error.help);
        2
    })
}

fn complain(kind: &str, message: &str, help: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{kind}: {}", harmless(message));
    if !help.is_empty() {
        let _ = writeln!(err, "  help: {}", harmless(help));
    }
}

/// A name of a file must not steer the terminal.
fn harmless(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Runs on a thread whose stack holds a deep tree.
fn with_stack(work: impl FnOnce() -> Result<u8, ConfigError> + Send) -> Result<u8, ConfigError> {
    let failed = |message: String| ConfigError {
        message,
        help: "please report it with the file".into(),
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| failed(format!("cannot start a thread: {error}")))?
            .join()
            .unwrap_or_else(|_| Err(failed("pipelint failed on this file".into())))
    })
}

/// Writes to standard output. A reader that went away is no failure of ours.
pub(crate) fn print(text: &str) -> u8 {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain("error", &format!("cannot write the output: {error}"), "");
            2
        }
        _ => 0,
    }
}

fn check(args: &Check) -> Result<u8, ConfigError> {
    let config = Config::load(args.config.as_deref())?;
    let pick = |own: &[String], file: &[String]| {
        if own.is_empty() {
            file.to_vec()
        } else {
            own.to_vec()
        }
    };
    let selection = Selection::new(
        &pick(&args.select, &config.select),
        &pick(&args.ignore, &config.ignore),
        config.severity(args.severity),
    )
    .map_err(|error| ConfigError {
        message: error.to_string(),
        help: "a selector is ALL, a family (PL1), a code (PL101) or a name".into(),
    })?;
    let options = Options {
        selection,
        models: config.models()?,
        preprocessor: config.preprocessor(&args.branches),
        target: config.target(&args.branches).cfg(),
        builds: config.builds(args.compile_commands.as_deref(), &args.branches)?,
        follow_includes: true,
    };
    let exclude = exclude(&config)?;
    let threads = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build()
        .map_err(|error| ConfigError {
            message: format!("cannot start threads: {error}"),
            help: "try a smaller -j".into(),
        })?;
    let (mut run, problems) = pool.install(|| read_and_lint(args, &exclude, &options));
    run.problems.splice(0..0, problems);
    Ok(report(args, &run, &options))
}

fn exclude(config: &Config) -> Result<Gitignore, ConfigError> {
    // Paths are matched as they lie: without links and from the root of the file system.
    let root = config
        .path
        .as_deref()
        .and_then(|path| std::path::absolute(path).ok())
        .and_then(|path| std::fs::canonicalize(path.parent()?).ok())
        .unwrap_or_default();
    let mut builder = GitignoreBuilder::new(root);
    let broken = |error: ignore::Error| ConfigError {
        message: format!(
            "{}: `exclude`: {error}",
            config.path.as_deref().unwrap_or(Path::new("")).display()
        ),
        help: "patterns are written as in .gitignore".into(),
    };
    for pattern in &config.exclude {
        builder.add_line(None, pattern).map_err(broken)?;
    }
    builder.build().map_err(broken)
}

fn read_and_lint(args: &Check, exclude: &Gitignore, options: &Options) -> (Run, Vec<ProblemNote>) {
    let clock = Instant::now();
    let (from_stdin, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        args.paths.iter().partition(|p| p.as_os_str() == "-");
    let mut paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    if paths.is_empty() && from_stdin.is_empty() && args.stdin_filename.is_none() {
        paths.push(PathBuf::from("."));
    }
    let stdin_name = (!from_stdin.is_empty() || args.stdin_filename.is_some()).then(|| {
        let name = args.stdin_filename.clone();
        name.unwrap_or_else(|| PathBuf::from("stdin.cpp"))
    });
    let mut found = pipelint_source::discover(&paths, exclude);
    // An editor's text stands for the file of that name as it was saved.
    if let Some(saved) = stdin_name.as_ref().and_then(|n| n.canonicalize().ok()) {
        found
            .files
            .retain(|f| f.canonicalize().ok().as_ref() != Some(&saved));
    }
    let discover = clock.elapsed();
    let mut problems: Vec<ProblemNote> = found
        .problems
        .into_iter()
        .map(|p| ProblemNote {
            severity: match p.kind {
                ProblemKind::Error => Severity::Error,
                ProblemKind::Note => Severity::Note,
            },
            path: p.path.display().to_string(),
            message: p.message,
            help: p.help,
        })
        .collect();

    let clock = Instant::now();
    let unread = Mutex::new(Vec::new());
    let mut inputs: Vec<Input> = found
        .files
        .par_iter()
        .enumerate()
        .filter_map(|(i, path)| match pipelint_source::read(path) {
            Ok(decoded) => Some(Input {
                path: path.clone(),
                text: decoded.text,
            }),
            Err(error) => {
                if let Ok(mut unread) = unread.lock() {
                    unread.push((i, read_problem(path, &error)));
                }
                None
            }
        })
        .collect();
    let mut unread = unread.into_inner().unwrap_or_default();
    unread.sort_by_key(|(i, _)| *i);
    problems.extend(unread.into_iter().map(|(_, p)| p));
    if let Some(name) = stdin_name {
        match pipelint_source::read_from(io::stdin().lock(), &name) {
            Ok(decoded) => {
                let at = inputs.partition_point(|i| i.path < name);
                let text = decoded.text;
                inputs.insert(at, Input { path: name, text });
            }
            Err(error) => problems.push(read_problem(&name, &error)),
        }
    }
    let read = clock.elapsed();
    if !options
        .builds
        .know_any(inputs.iter().map(|input| &*input.path))
    {
        problems.push(ProblemNote {
            severity: Severity::Note,
            path: String::new(),
            message: "the compile commands speak of none of the files".into(),
            help: "were they written for another folder, or on another machine?".into(),
        });
    }

    let bar = Progress::new(inputs.len());
    let mut run = lint(inputs, options, &|| bar.tick());
    bar.finish();
    run.statistics
        .phases
        .splice(0..0, [("discover", discover), ("read, decode", read)]);
    (run, problems)
}

fn read_problem(path: &Path, error: &pipelint_source::ReadError) -> ProblemNote {
    let binary = matches!(error, pipelint_source::ReadError::Binary { .. });
    ProblemNote {
        severity: if binary {
            Severity::Note
        } else {
            Severity::Error
        },
        path: path.display().to_string(),
        message: error.to_string(),
        help: error.help().into(),
    }
}

/// A bar on a terminal, once the run is long.
struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    fn new(files: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files") {
            bar.set_style(style);
        }
        Self {
            bar,
            started: Instant::now(),
        }
    }

    fn tick(&self) {
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE && io::stderr().is_terminal() {
            self.bar
                .set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        self.bar.inc(1);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn report(args: &Check, run: &Run, options: &Options) -> u8 {
    for problem in &run.problems {
        let kind = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        complain(kind, &problem.message, &problem.help);
    }
    let report = Report {
        diagnostics: &run.diagnostics,
        rules: options.selection.rules(),
        gaps: &run.gaps,
        problems: &run.problems,
        summary: run.summary,
        ..Report::new(&run.sources)
    };
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        }
    };
    let style = Style {
        color,
        ..Style::default()
    };
    let clock = Instant::now();
    let mut status = report.exit_status();
    if let Some(format) = pipelint_report::format(&args.format) {
        let written =
            pipelint_report::write_report(format, &report, &mut io::stdout().lock(), &style);
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain("error", &format!("cannot write the report: {error}"), "");
                status = 2;
            }
            _ => {}
        }
    }
    if args.statistics {
        let mut statistics: Statistics = run.statistics.clone();
        statistics.phases.push(("render", clock.elapsed()));
        let _ = write!(io::stderr().lock(), "{statistics}");
    }
    status
}

fn rules() -> Result<u8, ConfigError> {
    let mut text = String::new();
    for rule in pipelint_rules::all() {
        let meta = rule.meta();
        let line = format!(
            "{}  {:<30} {:<8} {:<9} {}\n",
            meta.code,
            meta.name,
            meta.severity.as_str(),
            meta.group.as_str(),
            meta.summary.lines().collect::<Vec<_>>().join(" "),
        );
        text.push_str(&line);
    }
    Ok(print(&text))
}

fn explain(wanted: &str) -> Result<u8, ConfigError> {
    let rule = pipelint_rules::all()
        .iter()
        .map(|r| r.meta())
        .find(|m| wanted.eq_ignore_ascii_case(m.code) || wanted.eq_ignore_ascii_case(m.name));
    let Some(meta) = rule else {
        let near = nearest(wanted);
        return Err(ConfigError {
            message: format!("`{wanted}` names no rule"),
            help: if near.is_empty() {
                "`pipelint rules` lists them".into()
            } else {
                format!("did you mean {}?", near.join(" or "))
            },
        });
    };
    let cwe: Vec<String> = meta.cwe.iter().map(|n| format!("CWE-{n}")).collect();
    let text = format!(
        "# {} {}\n\nSeverity: {}. Group: {}. {}\n\n{}\n\nPage: {}\n",
        meta.code,
        meta.name,
        meta.severity.as_str(),
        meta.group.as_str(),
        cwe.join(", "),
        meta.docs.trim_end(),
        Tool::PIPELINT.rule_url(meta),
    );
    Ok(print(&text))
}
