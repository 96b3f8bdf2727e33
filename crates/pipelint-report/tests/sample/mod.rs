//! A made-up report with all that the formats have to get right.

// Tests and examples include it, each a crate of its own that uses a part.
#![allow(unreachable_pub, dead_code)]

use pipelint_report::{
    Diagnostic, GapNote, Group, MemorySources, ProblemNote, Report, RuleMeta, Severity, Sources,
    Step, Summary, Tool,
};
use pipelint_source::{FileId, Span};

/// A rule to report.
pub static UNCHECKED: RuleMeta = RuleMeta {
    code: "PL101",
    name: "unchecked-handle-creation",
    severity: Severity::Warning,
    group: Group::Default,
    cwe: &[252, 690],
    summary: "The result of a creating call is used though no one compared it with its failure value.",
    docs: "The result of a creating call is used though no one compared it with its failure value.\n\n## Why\n`CreateEventW` returns `NULL` when it fails.",
    examples: &[],
};

/// Another one, off by default.
pub static CLOSED_TWICE: RuleMeta = RuleMeta {
    code: "PL105",
    name: "double-close",
    severity: Severity::Error,
    group: Group::Pedantic,
    cwe: &[675],
    summary: "A handle is closed twice on one path.",
    docs: "A handle is closed twice on one path.",
    examples: &[],
};

/// Both.
pub static RULES: &[&RuleMeta] = &[&UNCHECKED, &CLOSED_TWICE];

const HEADER: &str = "\
class Channel {
public:
    Channel();
    ~Channel() { CloseHandle(wake); }
    void wait();
    HANDLE wake;
};
";

const SOURCE: &str = "\
#include \"channel.h\"

Channel::Channel()
    : wake(CreateEventW(nullptr, TRUE, FALSE, nullptr))
{
}

// More lines than the drawing
// needs stand between the two
// functions of this file, so
// that they are drawn apart.

void Channel::wait()
{
    WaitForSingleObject(wake, INFINITE);
}
";

/// Tabs, CRLF, wide characters, and no line break at the end.
const WIDE: &str = "void f()\r\n{\r\n\tHANDLE h = open(L\"管道 🚰\");\tCloseHandle(h);\r\n\tCloseHandle(h);\r\n}\r\n// end";

/// The texts and what is said of them.
pub struct Sample {
    sources: MemorySources<'static>,
    diagnostics: Vec<Diagnostic>,
    gaps: Vec<GapNote>,
    problems: Vec<ProblemNote>,
}

/// The span of the `nth` (from 0) `needle` in a file.
pub fn span(sources: &dyn Sources, file: FileId, needle: &str, nth: usize) -> Span {
    let (start, found) = sources
        .text(file)
        .match_indices(needle)
        .nth(nth)
        .expect("the sample holds the needle");
    Span::new(file, start as u32, (start + found.len()) as u32)
}

/// A labelled place.
pub fn step(span: Span, label: &str) -> Step {
    Step {
        span,
        label: label.to_owned(),
    }
}

impl Sample {
    /// Makes it.
    pub fn new() -> Self {
        let mut sources = MemorySources::new();
        let header = sources.add("src/channel.h", HEADER);
        let source = sources.add("src/channel.cpp", SOURCE);
        let wide = sources.add("src/wide 宽.cpp", WIDE);
        let at = |file, needle, nth| span(&sources, file, needle, nth);
        let creation = at(source, "CreateEventW(nullptr, TRUE, FALSE, nullptr)", 0);
        let diagnostics = vec![
            Diagnostic {
                rule: &UNCHECKED,
                primary: creation,
                label: "can return NULL".to_owned(),
                message: "`wake` is used though the result of `CreateEventW` was never checked"
                    .to_owned(),
                path: vec![
                    step(creation, "`CreateEventW` can fail and return NULL"),
                    step(at(header, "HANDLE wake", 0), "`wake` keeps the result"),
                    step(
                        at(source, "WaitForSingleObject(wake, INFINITE)", 0),
                        "`WaitForSingleObject` gets it",
                    ),
                ],
                related: vec![step(at(header, "CloseHandle(wake)", 0), "also used here")],
                help: "compare `wake` with NULL before it is used".to_owned(),
                function: "Channel::Channel".to_owned(),
            },
            Diagnostic {
                rule: &CLOSED_TWICE,
                primary: at(wide, "CloseHandle(h)", 1),
                label: "closed again".to_owned(),
                message: "`h` is closed twice: 100% wrong, [once](1) is enough".to_owned(),
                path: vec![
                    step(at(wide, "open(L\"管道 🚰\")", 0), "`h` is opened"),
                    step(at(wide, "CloseHandle(h)", 0), "closed"),
                ],
                related: vec![],
                help: "set `h` to NULL after the first close".to_owned(),
                function: "f".to_owned(),
            },
            Diagnostic {
                rule: &UNCHECKED,
                primary: Span::new(wide, WIDE.len() as u32, WIDE.len() as u32),
                label: "the end".to_owned(),
                message: "a finding at the end of the file, with no path".to_owned(),
                path: vec![],
                related: vec![],
                help: String::new(),
                function: String::new(),
            },
        ];
        let gaps = vec![GapNote {
            span: at(source, "void Channel::wait()", 0),
            reason: "the grammar finds no parse".to_owned(),
            function: "Channel::wait".to_owned(),
        }];
        let problems = vec![
            ProblemNote {
                severity: Severity::Error,
                path: "src/locked, old.cpp".to_owned(),
                message: "cannot be read: permission denied".to_owned(),
                help: "make it readable or exclude it".to_owned(),
            },
            ProblemNote {
                severity: Severity::Note,
                path: "src/icon.cpp".to_owned(),
                message: "is not text and was skipped".to_owned(),
                help: String::new(),
            },
        ];
        Self {
            sources,
            diagnostics,
            gaps,
            problems,
        }
    }

    /// The report on it.
    pub fn report(&self) -> Report<'_> {
        Report {
            diagnostics: &self.diagnostics,
            // The program's version must not change what the tests expect.
            tool: Tool {
                version: "1.2.3",
                ..Tool::PIPELINT
            },
            rules: RULES,
            gaps: &self.gaps,
            problems: &self.problems,
            summary: Summary {
                files: 3,
                parsed: 2,
                functions: 4,
                functions_partial: 1,
                functions_given_up: 0,
                suppressed: 1,
            },
            ..Report::new(&self.sources)
        }
    }
}
