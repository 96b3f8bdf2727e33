//! SARIF 2.1.0, for code scanning services and editors.

use std::{
    collections::HashMap,
    io::{self, Write},
    ops::Range,
};

use pipelint_source::{FileId, Span};
use serde_json::{Value, json};

use crate::{
    Diagnostic, FINGERPRINT_KEY, Format, Group, Report, RuleMeta, Severity, Step, Style,
    escape::uri, fingerprints,
};

/// The name of the folder that relative paths begin at.
const ROOT: &str = "%SRCROOT%";
/// Bytes of a snippet, at most. A minified file must not be copied into every result.
const SNIPPET: usize = 500;

/// The SARIF format.
pub(crate) struct Sarif;

impl Format for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning and editors"
    }

    fn render(&self, report: &Report<'_>, out: &mut dyn Write, _style: &Style) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Log::new(report).build())?;
        writeln!(out)
    }
}

/// A log under construction: files and rules are numbered as they are met.
struct Log<'a> {
    report: &'a Report<'a>,
    rules: Vec<&'static RuleMeta>,
    rule_numbers: HashMap<&'static str, usize>,
    artifacts: Vec<Value>,
    artifact_numbers: HashMap<String, usize>,
    file_numbers: HashMap<FileId, usize>,
}

impl<'a> Log<'a> {
    fn new(report: &'a Report<'a>) -> Self {
        let mut log = Self {
            report,
            rules: Vec::new(),
            rule_numbers: HashMap::new(),
            artifacts: Vec::new(),
            artifact_numbers: HashMap::new(),
            file_numbers: HashMap::new(),
        };
        for rule in report.rules {
            log.rule(rule);
        }
        log
    }

    fn build(mut self) -> Value {
        let report = self.report;
        let fingerprints = fingerprints(report.diagnostics, report.sources);
        let results: Vec<Value> = report
            .diagnostics
            .iter()
            .zip(fingerprints)
            .map(|(diagnostic, fingerprint)| self.result(diagnostic, fingerprint))
            .collect();
        let notifications = self.notifications();
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|rule| self.descriptor(rule))
            .collect();
        let tool = report.tool;
        let home = tool.home;
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": tool.name,
                    "version": tool.version,
                    "semanticVersion": tool.version,
                    "informationUri": tool.home,
                    "rules": rules,
                    "notifications": [Notice::Problem.descriptor(home), Notice::Gap.descriptor(home)],
                } },
                "columnKind": "utf16CodeUnits",
                "originalUriBaseIds": { ROOT: {
                    "description": { "text": "The folder that the tool was run in." },
                } },
                "artifacts": self.artifacts,
                "invocations": [{
                    "executionSuccessful": report.complete(),
                    "toolExecutionNotifications": notifications,
                }],
                "results": results,
            }],
        })
    }

    fn rule(&mut self, rule: &'static RuleMeta) -> usize {
        *self.rule_numbers.entry(rule.code).or_insert_with(|| {
            self.rules.push(rule);
            self.rules.len() - 1
        })
    }

    fn descriptor(&self, rule: &RuleMeta) -> Value {
        let url = self.report.tool.rule_url(rule);
        let mut tags = vec![rule.group.as_str().to_owned(), "correctness".to_owned()];
        tags.extend(
            rule.cwe
                .iter()
                .map(|number| format!("external/cwe/cwe-{number:03}")),
        );
        let (precision, enabled) = match rule.group {
            Group::Default => ("high", true),
            Group::Pedantic => ("medium", false),
        };
        let problem = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "recommendation",
        };
        json!({
            "id": rule.code,
            "name": pascal(rule.name),
            "shortDescription": { "text": title(rule.name) },
            "fullDescription": { "text": rule.summary },
            "help": { "text": format!("{}\n\n{url}", rule.summary), "markdown": rule.docs },
            "helpUri": url,
            "defaultConfiguration": { "level": rule.severity.as_str(), "enabled": enabled },
            "properties": { "tags": tags, "precision": precision, "problem.severity": problem },
        })
    }

    fn result(&mut self, diagnostic: &Diagnostic, fingerprint: String) -> Value {
        let rule = diagnostic.rule;
        let mut primary = self.location(diagnostic.primary, &diagnostic.label);
        let text = self.report.sources.text(diagnostic.primary.file);
        if let Some(snippet) = snippet(text, diagnostic.primary.range()) {
            primary["physicalLocation"]["region"]["snippet"] = snippet;
        }
        if let Some(context) = self.context(diagnostic.primary) {
            primary["physicalLocation"]["contextRegion"] = context;
        }
        if !diagnostic.function.is_empty() {
            primary["logicalLocations"] = json!([
                { "fullyQualifiedName": diagnostic.function, "kind": "function" },
            ]);
        }
        let message = match diagnostic.help.as_str() {
            "" => diagnostic.message.clone(),
            help => format!("{}\n{help}", diagnostic.message),
        };
        let mut result = json!({
            "ruleId": rule.code,
            "ruleIndex": self.rule(rule),
            "level": rule.severity.as_str(),
            "message": message_text(&message),
            "locations": [primary],
            "partialFingerprints": { FINGERPRINT_KEY: fingerprint },
        });
        if !diagnostic.related.is_empty() {
            result["relatedLocations"] = self.related(&diagnostic.related);
        }
        if !diagnostic.path.is_empty() {
            result["codeFlows"] = self.code_flows(&diagnostic.path);
        }
        result
    }

    fn related(&mut self, places: &[Step]) -> Value {
        places
            .iter()
            .enumerate()
            .map(|(number, place)| {
                let mut location = self.location(place.span, &place.label);
                location["id"] = json!(number + 1);
                location
            })
            .collect()
    }

    fn code_flows(&mut self, path: &[Step]) -> Value {
        let steps: Value = path
            .iter()
            .enumerate()
            .map(|(number, step)| {
                json!({
                    "location": self.location(step.span, &step.label),
                    "executionOrder": number + 1,
                })
            })
            .collect();
        json!([{ "threadFlows": [{ "locations": steps }] }])
    }

    fn location(&mut self, span: Span, message: &str) -> Value {
        let number = self.file(span.file);
        let mut artifact = self.artifacts[number]["location"].clone();
        artifact["index"] = json!(number);
        let (start, end) = self.report.sources.positions(span);
        let mut location = json!({
            "physicalLocation": {
                "artifactLocation": artifact,
                "region": {
                    "startLine": start.line,
                    "startColumn": start.utf16,
                    "endLine": end.line,
                    "endColumn": end.utf16,
                },
            },
        });
        if !message.is_empty() {
            location["message"] = message_text(message);
        }
        location
    }

    /// The lines around a place, with their text; none when they are too long to copy.
    fn context(&self, span: Span) -> Option<Value> {
        let sources = self.report.sources;
        let (text, lines) = (sources.text(span.file), sources.lines(span.file));
        let first = lines.line_at(span.start as usize).saturating_sub(1);
        let last = (lines.line_at(span.end as usize) + 1).min(lines.line_count() - 1);
        let from = lines.line_range(text, first).start;
        let to = lines.line_range(text, last).end;
        Some(json!({
            "startLine": first + 1,
            "endLine": last + 1,
            "snippet": snippet(text, from..to)?,
        }))
    }

    fn file(&mut self, file: FileId) -> usize {
        if let Some(&number) = self.file_numbers.get(&file) {
            return number;
        }
        let number = self.artifact(self.report.sources.path(file));
        self.file_numbers.insert(file, number);
        number
    }

    fn artifact(&mut self, path: &str) -> usize {
        if let Some(&number) = self.artifact_numbers.get(path) {
            return number;
        }
        let (uri, relative) = uri(path);
        let mut artifact = json!({ "location": { "uri": uri } });
        if relative {
            artifact["location"]["uriBaseId"] = json!(ROOT);
        }
        if let Some(language) = language(path) {
            artifact["sourceLanguage"] = json!(language);
        }
        self.artifacts.push(artifact);
        let number = self.artifacts.len() - 1;
        self.artifact_numbers.insert(path.to_owned(), number);
        number
    }

    fn notifications(&mut self) -> Vec<Value> {
        let report = self.report;
        let mut notifications = Vec::new();
        for problem in report.problems {
            let text = match problem.help.as_str() {
                "" => problem.message.clone(),
                help => format!("{}\n{help}", problem.message),
            };
            let mut notification = Notice::Problem.notification(problem.severity, &text);
            if !problem.path.is_empty() {
                let number = self.artifact(&problem.path);
                let mut artifact = self.artifacts[number]["location"].clone();
                artifact["index"] = json!(number);
                notification["locations"] =
                    json!([{ "physicalLocation": { "artifactLocation": artifact } }]);
            }
            notifications.push(notification);
        }
        for gap in report.gaps {
            let text = match gap.function.as_str() {
                "" => format!("Not understood: {}.", gap.reason),
                function => format!("Not understood in '{function}': {}.", gap.reason),
            };
            let mut notification = Notice::Gap.notification(Severity::Note, &text);
            notification["locations"] = json!([self.location(gap.span, "")]);
            notifications.push(notification);
        }
        notifications
    }
}

/// A message of plain text. In SARIF `[text](1)` is a link even there, so C++'s `calls[0](h)` must
/// not look like one.
fn message_text(text: &str) -> Value {
    json!({ "text": text.replace("](", "] (") })
}

/// The text of a range; none when it is empty or too long to copy.
fn snippet(text: &str, range: Range<usize>) -> Option<Value> {
    let text = text
        .get(range)
        .filter(|text| (1..=SNIPPET).contains(&text.len()))?;
    Some(json!({ "text": text }))
}

/// What a notification tells of.
#[derive(Clone, Copy)]
enum Notice {
    Problem,
    Gap,
}

impl Notice {
    fn id(self) -> &'static str {
        match self {
            Self::Problem => "PL-PROBLEM",
            Self::Gap => "PL-GAP",
        }
    }

    /// GitHub asks the same of these as of rules.
    fn descriptor(self, home: &str) -> Value {
        let (name, short, full) = match self {
            Self::Problem => (
                "Problem",
                "Something kept the tool from its work",
                "A file could not be read, is not text, or a setting is broken. At level error a \
                 part of the work asked for was not done.",
            ),
            Self::Gap => (
                "Gap",
                "A region was not understood",
                "The region holds code that could not be parsed or followed. No rule reports on a \
                 path through it.",
            ),
        };
        json!({
            "id": self.id(),
            "name": name,
            "shortDescription": { "text": short },
            "fullDescription": { "text": full },
            "help": { "text": full },
            "helpUri": home,
        })
    }

    fn notification(self, level: Severity, text: &str) -> Value {
        json!({
            "descriptor": { "id": self.id(), "index": self as usize },
            "level": level.as_str(),
            "message": message_text(text),
        })
    }
}

/// `unchecked-handle-creation` as `UncheckedHandleCreation`.
fn pascal(name: &str) -> String {
    name.split('-').map(capitalised).collect()
}

/// `unchecked-handle-creation` as `Unchecked handle creation`.
fn title(name: &str) -> String {
    capitalised(&name.replace('-', " "))
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn language(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "c" => Some("c"),
        "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "ipp" | "inl" => Some("cplusplus"),
        "rs" => Some("rust"),
        _ => None,
    }
}
