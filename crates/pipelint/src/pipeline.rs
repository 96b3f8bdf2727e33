//! A run: from files to diagnostics.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pipelint_frontend::Lowered;
use pipelint_frontend::cpp::config::CppConfig;
use pipelint_frontend::rust::cfg::Cfg;
use pipelint_ir::{Language, Name, Unit};
use pipelint_models::Models;
use pipelint_report::{
    Diagnostic, GapNote, MemorySources, ProblemNote, Severity, Sources, Summary,
};
use pipelint_source::{FileId, Span};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::builds::Builds;
use crate::context::{self, Definitions};
use crate::panics::guarded;
use crate::select::Selection;
use crate::statistics::{Statistics, reason};
use crate::suppress;
use crate::surroundings::Surroundings;
use crate::thread_types;
use crate::users::{self, Means};

/// A text to lint.
#[derive(Debug, Clone)]
pub struct Input {
    /// The path to show.
    pub path: PathBuf,
    /// The decoded text.
    pub text: String,
}

/// How to lint.
#[derive(Debug, Clone)]
pub struct Options {
    /// The rules that report.
    pub selection: Selection,
    /// What API functions do.
    pub models: Models,
    /// What `#if` sees as defined.
    pub preprocessor: CppConfig,
    /// What `cfg` holds of the target.
    pub target: Cfg,
    /// What a build says of the files: over `preprocessor`, and where includes are.
    pub builds: Builds,
    /// Read quoted includes from the file system where they were not given.
    pub follow_includes: bool,
}

impl Default for Options {
    /// The default rules, the built-in models, a Windows build, no file system.
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            models: pipelint_rules::models::builtin(),
            preprocessor: CppConfig::default(),
            target: Cfg::windows(),
            builds: Builds::default(),
            follow_includes: false,
        }
    }
}

/// What a run found.
#[derive(Debug)]
pub struct Run {
    /// The files, with the texts of those that were parsed.
    pub sources: MemorySources<'static>,
    /// The files that were parsed, those taken in as context included.
    pub parsed: Vec<FileId>,
    /// Rust files that were parsed besides, for what they declare alone.
    pub indexed: Vec<FileId>,
    /// The findings, by path, place and code.
    pub diagnostics: Vec<Diagnostic>,
    /// What was not understood.
    pub gaps: Vec<GapNote>,
    /// What went wrong.
    pub problems: Vec<ProblemNote>,
    /// Numbers for the report.
    pub summary: Summary,
    /// Numbers for a person.
    pub statistics: Statistics,
}

/// A file of a run.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Named on the command line, not only taken in as context.
    pub(crate) linted: bool,
    pub(crate) parsed: bool,
}

struct Lowering<'a> {
    options: &'a Options,
    units: Vec<Unit>,
    indexed: Vec<usize>,
    times: [Duration; 3],
    problems: Vec<ProblemNote>,
    tick: &'a (dyn Fn() + Sync),
}

/// Lints texts. `tick` is called once for each file read through, from any thread.
///
/// The result does not depend on the number of threads.
pub fn lint(inputs: Vec<Input>, options: &Options, tick: &(dyn Fn() + Sync)) -> Run {
    let mut files: Vec<File> = inputs
        .into_iter()
        .map(|i| File {
            path: i.path,
            text: i.text,
            linted: true,
            parsed: false,
        })
        .collect();
    let mut statistics = Statistics {
        files: files.len(),
        ..Statistics::default()
    };

    let clock = Instant::now();
    let prefilter = match options.target.is_unix() {
        true => options.models.unix_prefilter(),
        false => options.models.prefilter(),
    };
    let matches = |f: &File| prefilter.matches(f.text.as_bytes());
    let mut wanted: Vec<usize> = files
        .par_iter()
        .enumerate()
        .filter(|(_, f)| matches(f))
        .map(|(i, _)| i)
        .collect();
    statistics.phases.push(("prefilter", clock.elapsed()));

    let clock = Instant::now();
    let mut surroundings = Surroundings::new(&files, options);
    wanted.extend(surroundings.through_macros(&files, &prefilter, &wanted));
    wanted.sort_unstable();
    surroundings.follow(&mut files, &wanted);
    (wanted.len()..statistics.files).for_each(|_| tick());
    statistics.parsed = wanted.len();
    statistics.bytes = wanted.iter().map(|&i| files[i].text.len()).sum();
    // Headers that were taken in are read for what they say of modelled functions.
    let taken_in = statistics.files..files.len();
    wanted.extend(taken_in.filter(|&i| matches(&files[i])));
    statistics
        .phases
        .push(("includes, macros", clock.elapsed()));

    let clock = Instant::now();
    let mut lowering = Lowering {
        options,
        units: Vec::new(),
        indexed: Vec::new(),
        times: [Duration::ZERO; 3],
        problems: Vec::new(),
        tick,
    };
    lowering.lower_rust(&mut files, &wanted);
    lowering.lower(&mut files, &wanted, &surroundings);
    // The files passed over were counted already.
    lowering.tick = &|| ();
    let users = lowering.take_in_users(&mut files, &mut surroundings);
    let users = users.into_iter().filter(|&i| files[i].linted);
    for i in users {
        statistics.parsed += 1;
        statistics.bytes += files[i].text.len();
    }
    lowering.take_in_definitions(&mut files, &mut surroundings);
    let units = &mut lowering.units;
    units
        .par_iter_mut()
        .for_each(|unit| unit.sees = surroundings.seen_by(unit.file));
    drop(surroundings);
    statistics.context = files.iter().filter(|f| f.parsed).count() - statistics.parsed;
    let Lowering {
        mut units,
        indexed,
        times,
        mut problems,
        ..
    } = lowering;
    units.sort_by_key(|u| u.file);
    statistics.phases.extend([
        ("prepare (all threads)", times[0]),
        ("parse (all threads)", times[1]),
        ("lower (all threads)", times[2]),
        ("prepare, parse, lower (elapsed)", clock.elapsed()),
    ]);

    let passed_over = || files.iter().filter(|f| !f.parsed).map(|f| f.text.as_str());
    let mut elsewhere = context::mentioned(&units, passed_over());
    elsewhere.extend(context::mentioned_fields(&units, passed_over()));
    let mut sources = MemorySources::new();
    let linted: Vec<bool> = files.iter().map(|f| f.linted).collect();
    let parsed = (0..).zip(&files).filter(|(_, f)| f.parsed);
    let parsed: Vec<FileId> = parsed.map(|(i, _)| FileId(i)).collect();
    let indexed = indexed.into_iter().filter_map(|i| u32::try_from(i).ok());
    let indexed = indexed.map(FileId).collect();
    for file in files {
        // A report speaks of what was parsed; the rest need not lie in memory any longer.
        let text = if file.parsed {
            file.text
        } else {
            String::new()
        };
        sources.add(shown(&file.path), text);
    }
    let is_linted = |file: FileId| linted.get(file.0 as usize).copied().unwrap_or(false);
    let mut allows = Vec::new();
    let mut gaps = Vec::new();
    for unit in units.iter().filter(|u| is_linted(u.file)) {
        statistics.count(unit);
        allows.extend(suppress::allows(unit, &sources, &mut problems));
        gaps.extend(gap_notes(unit));
    }

    let clock = Instant::now();
    let names = function_names(&units);
    let analysis = guarded(|| pipelint_analysis::analyze(units, &options.models, &elsewhere));
    let analysis = analysis.unwrap_or_else(|panic| {
        problems.push(failure("", &format!("in the analysis: {panic}")));
        pipelint_analysis::Analysis::default()
    });
    statistics.phases.push(("link, analyse", clock.elapsed()));
    for (span, said) in &analysis.failed {
        let function = names.get(span).map_or("a function", String::as_str);
        let (at, _) = sources.positions(*span);
        let place = format!("{}:{}", sources.path(span.file), at.line);
        let mut problem = failure(&place, &format!("in the analysis of `{function}`: {said}"));
        problem.path = sources.path(span.file).to_owned();
        problems.push(problem);
    }
    statistics.executed = analysis.executed;
    statistics.bounded = analysis.gaps.len();
    for gap in analysis.gaps.iter().filter(|g| is_linted(g.span.file)) {
        let function = names.get(&gap.span).cloned().unwrap_or_default();
        gaps.push(GapNote {
            span: gap.span,
            reason: reason(&gap.reason),
            function,
        });
    }

    let clock = Instant::now();
    let rules: Vec<_> = pipelint_rules::all()
        .iter()
        .filter(|r| options.selection.has(r.meta()))
        .collect();
    let mut diagnostics: Vec<Diagnostic> = analysis
        .events
        .iter()
        .flat_map(|event| {
            let rules = rules.iter();
            let rules = rules.filter(|rule| options.selection.tells(rule.group(event)));
            rules.filter_map(|rule| rule.report(event))
        })
        .filter(|d| is_linted(d.primary.file))
        .collect();
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.primary, d.rule.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    // Two ways into one fault, told in the same words at the same place, are one finding.
    diagnostics.dedup_by(|b, a| {
        (a.primary, a.rule.code, &a.message) == (b.primary, b.rule.code, &b.message)
    });
    let (diagnostics, suppressed) = suppress::apply(diagnostics, &mut allows);
    for span in suppress::unused(&allows) {
        let (start, _) = sources.positions(span);
        statistics
            .unused_allows
            .push(format!("{}:{}", sources.path(span.file), start.line));
    }
    gaps.sort_by(|a, b| (a.span, &a.reason).cmp(&(b.span, &b.reason)));
    statistics.phases.push(("rules", clock.elapsed()));

    let summary = Summary {
        files: statistics.files,
        parsed: statistics.parsed,
        functions: statistics.whole + statistics.partial + statistics.given_up,
        functions_partial: statistics.partial,
        functions_given_up: statistics.given_up,
        suppressed,
    };
    Run {
        sources,
        parsed,
        indexed,
        diagnostics,
        gaps,
        problems,
        summary,
        statistics,
    }
}

/// The front end's graphs hold together; a user of a release build is not made to wait for the check.
pub(crate) fn assert_sound(unit: &Unit) {
    for function in &unit.functions {
        if let Err(wrong) = pipelint_ir::validate(function) {
            panic!("{}: {wrong}", function.name);
        }
    }
}

/// A part of the work that ended in a panic.
fn failure(path: &str, panic: &str) -> ProblemNote {
    let place = if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    };
    ProblemNote {
        severity: Severity::Error,
        path: path.to_owned(),
        message: format!("{place}pipelint failed here: {panic}"),
        help: "please report it with the file; the rest is linted".into(),
    }
}

/// A path as reports show it: forward slashes, no leading `./`.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// The language that a file's ending says.
pub(crate) fn language(path: &Path) -> Language {
    match path.extension().and_then(|e| e.to_str()) {
        Some("c") => Language::C,
        Some("rs") => Language::Rust,
        _ => Language::Cpp,
    }
}

fn function_names(units: &[Unit]) -> std::collections::BTreeMap<Span, String> {
    let functions = units.iter().flat_map(|u| &u.functions);
    functions
        .map(|f| (f.map.name, f.name.to_string()))
        .collect()
}

fn gap_notes(unit: &Unit) -> impl Iterator<Item = GapNote> + '_ {
    let outside = unit.gaps.iter().map(|g| (g, ""));
    let inside = unit
        .functions
        .iter()
        .flat_map(|f| f.gaps.iter().map(move |g| (g, f.name.as_str())));
    outside.chain(inside).map(|(gap, function)| GapNote {
        span: gap.span,
        reason: reason(&gap.reason),
        function: function.to_owned(),
    })
}

impl Lowering<'_> {
    /// Parses and lowers these files, in parallel.
    fn lower(&mut self, files: &mut [File], wanted: &[usize], surroundings: &Surroundings<'_>) {
        // The largest first, each for itself: a thread that began one last would be waited for.
        let mut order = wanted.to_vec();
        order.retain(|&i| language(&files[i].path) != Language::Rust);
        order.sort_by_key(|&i| std::cmp::Reverse(files[i].text.len()));
        let mut results: Vec<(usize, Result<Lowered, String>)> = order
            .par_iter()
            .with_max_len(1)
            .map(|&i| {
                let file = &files[i];
                let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
                let lowered = guarded(|| {
                    let mut lowered = pipelint_frontend::lower_cpp_with(
                        id,
                        &file.text,
                        language(&file.path),
                        surroundings.preprocessor(i),
                        &surroundings.scope(i),
                    );
                    if let Some(build) = surroundings.build(i) {
                        build.add_constants(&mut lowered.unit);
                    }
                    if cfg!(debug_assertions) {
                        assert_sound(&lowered.unit);
                    }
                    lowered
                });
                if file.linted {
                    (self.tick)();
                }
                (i, lowered)
            })
            .collect();
        results.sort_by_key(|(i, _)| *i);
        self.keep(files, results);
    }

    /// Parses and lowers the Rust files among these.
    fn lower_rust(&mut self, files: &mut [File], wanted: &[usize]) {
        let rust = crate::rust::lower_all(files, wanted, self.options, self.tick);
        self.indexed = rust.indexed;
        self.keep(files, rust.lowered);
    }

    fn keep(&mut self, files: &mut [File], results: Vec<(usize, Result<Lowered, String>)>) {
        for (i, lowered) in results {
            files[i].parsed = true;
            match lowered {
                Ok(lowered) => {
                    self.times[0] += lowered.prepare;
                    self.times[1] += lowered.parse;
                    self.times[2] += lowered.lower;
                    self.units.push(lowered.unit);
                }
                Err(panic) => self.problems.push(failure(&shown(&files[i].path), &panic)),
            }
        }
    }

    /// Parses files passed over so far that do I/O through a class that starts it: those that speak
    /// of the class, and those with the methods of what has one as a part.
    fn take_in_users(
        &mut self,
        files: &mut Vec<File>,
        surroundings: &mut Surroundings<'_>,
    ) -> Vec<usize> {
        let starters = users::starters(&self.units, &self.options.models);
        let mut taken = Vec::new();
        let mut take = |this: &mut Self, classes: &BTreeSet<Name>, means| {
            let found = users::of_classes(files, surroundings, &this.units, classes, means);
            this.lower(files, &found, surroundings);
            taken.extend(found);
        };
        take(self, &starters, Means::Any);
        let holders = users::holders(&self.units, &starters);
        take(self, &holders, Means::Defines);
        taken
    }

    /// Parses files passed over so far that define what conditions ask for.
    fn take_in_definitions(&mut self, files: &mut Vec<File>, surroundings: &mut Surroundings<'_>) {
        let names = context::unexplained(&self.units, &self.options.models);
        self.take_in(files, surroundings, &names);
        // A header may have made a name stand for another one.
        let names = context::other_names(&self.units, &names);
        if !names.is_empty() {
            self.take_in(files, surroundings, &names);
        }
        let classes = context::bodiless_classes(&self.units, &self.options.models);
        self.take_in_types(files, surroundings, &classes);
        // A first header may only tell the type's other name.
        let mut sought = FxHashSet::default();
        for _ in 0..2 {
            let types = thread_types::undeclared(&self.units, &self.options.models);
            let new: FxHashSet<String> = types.difference(&sought).cloned().collect();
            self.take_in_types(files, surroundings, &new);
            sought = types;
        }
    }

    /// Parses files passed over so far that have the bodies of these classes, or make these names stand for
    /// others.
    fn take_in_types(
        &mut self,
        files: &mut Vec<File>,
        surroundings: &mut Surroundings<'_>,
        types: &FxHashSet<String>,
    ) {
        if types.is_empty() {
            return;
        }
        let unparsed = || {
            let unparsed = files.iter().enumerate();
            unparsed
                .filter(|(_, f)| !f.parsed && language(&f.path) != Language::Rust)
                .map(|(i, f)| (i, f.text.as_str()))
        };
        let mut wanted = context::bodies(types, unparsed());
        wanted.extend(thread_types::renamed(types, unparsed()));
        let wanted: Vec<usize> = wanted.into_iter().collect();
        surroundings.follow(files, &wanted);
        self.lower(files, &wanted, surroundings);
    }

    fn take_in(
        &mut self,
        files: &mut Vec<File>,
        surroundings: &mut Surroundings<'_>,
        names: &[String],
    ) {
        let definitions = Definitions::new(names);
        let wanted: Vec<usize> = files
            .par_iter()
            .enumerate()
            .filter(|(_, f)| !f.parsed && language(&f.path) != Language::Rust)
            .filter(|(_, f)| definitions.in_text(&f.text))
            .map(|(i, _)| i)
            .collect();
        surroundings.follow(files, &wanted);
        self.lower(files, &wanted, surroundings);
    }
}
