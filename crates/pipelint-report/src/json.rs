//! The program's own JSON: documented, with a version and a published schema.
//!
//! The types are the format. Within one version fields are only added.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Diagnostic, Format, GapNote, ProblemNote, Report, Severity, Sources, Step, Style, fingerprints,
};

/// The version of the format.
const VERSION: u32 = 1;

/// The JSON format.
pub(crate) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "JSON after a published schema"
    }

    fn render(&self, report: &Report<'_>, out: &mut dyn Write, _style: &Style) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Document::of(report))?;
        writeln!(out)
    }
}

/// The JSON schema of the format, as it is published.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Document<'static>);
    let mut text = format!("{:#}", schema.as_value());
    text.push('\n');
    text
}

/// The report of one run of pipelint.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "pipelint report")]
struct Document<'a> {
    /// The version of this format. Within one version fields are only added.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    /// The program that made the report.
    tool: ToolJson<'a>,
    /// The findings, sorted by file and place.
    diagnostics: Vec<DiagnosticJson<'a>>,
    /// Regions that were not understood. No rule reports on a path through them.
    gaps: Vec<GapJson<'a>>,
    /// What kept the tool from its work: unreadable files, binary files, broken settings.
    problems: Vec<ProblemJson<'a>>,
    /// What the run went through.
    summary: SummaryJson,
}

/// The program that made the report.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Tool")]
struct ToolJson<'a> {
    /// `pipelint`.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// Its home page.
    url: &'a str,
}

/// One fault.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Diagnostic")]
struct DiagnosticJson<'a> {
    /// The rule's code, such as `PL101`. A code never changes its meaning.
    code: &'a str,
    /// The rule's name, such as `unchecked-handle-creation`.
    name: &'a str,
    /// How bad it is.
    severity: SeverityJson,
    /// What happens: one sentence.
    message: &'a str,
    /// What to do.
    help: &'a str,
    /// The rule's page.
    url: String,
    /// CWE numbers of the rule.
    cwe: &'a [u32],
    /// The qualified name of the function the fault is in.
    function: &'a str,
    /// Where something must be changed.
    location: LocationJson<'a>,
    /// What is to be said of that place: a short clause.
    label: &'a str,
    /// The path that proves the fault, in the order of execution; it can lead through several files.
    path: Vec<StepJson<'a>>,
    /// Further places that matter but are not on the path.
    related: Vec<StepJson<'a>>,
    /// A name that survives edits elsewhere in the file; compare it together with `location.file`.
    fingerprint: String,
}

/// How bad a finding or problem is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Severity")]
enum SeverityJson {
    /// Worth knowing.
    Note,
    /// Probably a defect under some conditions.
    Warning,
    /// A defect on the shown path; or work that was not done.
    Error,
}

impl From<Severity> for SeverityJson {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Note => Self::Note,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

/// A region of a file. Lines and columns begin at 1; columns count Unicode characters; the end is
/// one past the last character.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Location")]
struct LocationJson<'a> {
    /// The file's path, as it was found.
    file: &'a str,
    /// The line of the first character.
    #[schemars(range(min = 1))]
    start_line: u32,
    /// The column of the first character.
    #[schemars(range(min = 1))]
    start_column: u32,
    /// The line of the end.
    #[schemars(range(min = 1))]
    end_line: u32,
    /// The column of the end.
    #[schemars(range(min = 1))]
    end_column: u32,
}

impl<'a> LocationJson<'a> {
    fn of(span: pipelint_source::Span, sources: &'a dyn Sources) -> Self {
        let (start, end) = sources.positions(span);
        Self {
            file: sources.path(span.file),
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// A labelled place.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Step")]
struct StepJson<'a> {
    /// What happens there: a short clause.
    label: &'a str,
    /// Where.
    location: LocationJson<'a>,
}

impl<'a> StepJson<'a> {
    fn all(steps: &'a [Step], sources: &'a dyn Sources) -> Vec<Self> {
        steps
            .iter()
            .map(|step| Self {
                label: &step.label,
                location: LocationJson::of(step.span, sources),
            })
            .collect()
    }
}

/// A region that was not understood.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Gap")]
struct GapJson<'a> {
    /// Why.
    reason: &'a str,
    /// The qualified name of the function it is in; empty outside of functions.
    function: &'a str,
    /// Where.
    location: LocationJson<'a>,
}

/// Something that kept the tool from its work.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
struct ProblemJson<'a> {
    /// How bad. At `error` a part of the work asked for was not done.
    severity: SeverityJson,
    /// The file it is about; empty if none.
    file: &'a str,
    /// What happened.
    message: &'a str,
    /// What to do; empty if there is nothing to do.
    help: &'a str,
}

/// What the run went through.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Summary")]
struct SummaryJson {
    /// Whether all of the work asked for was done.
    complete: bool,
    /// Findings of severity `error`.
    errors: usize,
    /// Findings of severity `warning`.
    warnings: usize,
    /// Findings of severity `note`.
    notes: usize,
    /// Findings silenced by a comment or a baseline.
    suppressed: usize,
    /// Files linted.
    files: usize,
    /// Of these, files parsed; the others name no function that a model knows.
    files_parsed: usize,
    /// Functions met.
    functions: usize,
    /// Functions in which some statements were not understood.
    functions_partial: usize,
    /// Functions of which nothing was understood.
    functions_given_up: usize,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report<'a>) -> Self {
        let fingerprints = fingerprints(report.diagnostics, report.sources);
        let summary = report.summary;
        Self {
            version: VERSION,
            tool: ToolJson {
                name: report.tool.name,
                version: report.tool.version,
                url: report.tool.home,
            },
            diagnostics: report
                .diagnostics
                .iter()
                .zip(fingerprints)
                .map(|(diagnostic, fingerprint)| {
                    DiagnosticJson::of(diagnostic, fingerprint, report)
                })
                .collect(),
            gaps: report
                .gaps
                .iter()
                .map(
                    |GapNote {
                         span,
                         reason,
                         function,
                     }| GapJson {
                        reason,
                        function,
                        location: LocationJson::of(*span, report.sources),
                    },
                )
                .collect(),
            problems: report
                .problems
                .iter()
                .map(
                    |ProblemNote {
                         severity,
                         path,
                         message,
                         help,
                     }| ProblemJson {
                        severity: (*severity).into(),
                        file: path,
                        message,
                        help,
                    },
                )
                .collect(),
            summary: SummaryJson {
                complete: report.complete(),
                errors: report.count(Severity::Error),
                warnings: report.count(Severity::Warning),
                notes: report.count(Severity::Note),
                suppressed: summary.suppressed,
                files: summary.files,
                files_parsed: summary.parsed,
                functions: summary.functions,
                functions_partial: summary.functions_partial,
                functions_given_up: summary.functions_given_up,
            },
        }
    }
}

impl<'a> DiagnosticJson<'a> {
    fn of(diagnostic: &'a Diagnostic, fingerprint: String, report: &'a Report<'a>) -> Self {
        let rule = diagnostic.rule;
        Self {
            code: rule.code,
            name: rule.name,
            severity: rule.severity.into(),
            message: &diagnostic.message,
            help: &diagnostic.help,
            url: report.tool.rule_url(rule),
            cwe: rule.cwe,
            function: &diagnostic.function,
            location: LocationJson::of(diagnostic.primary, report.sources),
            label: &diagnostic.label,
            path: StepJson::all(&diagnostic.path, report.sources),
            related: StepJson::all(&diagnostic.related, report.sources),
            fingerprint,
        }
    }
}
