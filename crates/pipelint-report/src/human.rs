//! For people: the code with the path drawn into it, by miette.

use std::{
    fmt::{self, Display},
    io::{self, Write},
};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan};

use crate::{
    Diagnostic, Format, Report, Severity, Step, Style, escape,
    excerpt::{Excerpt, Mark, Placed, Role},
};

/// Steps and related places drawn of one finding, at most, each.
const PLACES: usize = 24;

/// The graphical format.
pub(crate) struct Human;

impl Format for Human {
    fn name(&self) -> &'static str {
        "human"
    }

    fn about(&self) -> &'static str {
        "the code with the path drawn into it"
    }

    fn render(&self, report: &Report<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for diagnostic in report.diagnostics {
            // Whole or not at all: a finding is made before it is written.
            let text = draw(diagnostic, report, style).map_err(io::Error::other)?;
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")?;
        }
        writeln!(out, "{}", closing_line(report))
    }
}

fn draw(diagnostic: &Diagnostic, report: &Report<'_>, style: &Style) -> Result<String, fmt::Error> {
    let (marks, hidden) = marks(diagnostic);
    let excerpt = Excerpt::new(marks, report.sources);
    let excerpt_begins_with_primary = excerpt.primary_is_in_first_run();
    let mut theme = if style.color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    if style.color {
        let severity = match diagnostic.rule.severity {
            Severity::Error => theme.styles.error,
            Severity::Warning => theme.styles.warning,
            Severity::Note => theme.styles.advice,
        };
        // miette deals these out to the labels in the order of their places.
        theme.styles.highlights = excerpt
            .marks
            .iter()
            .map(|mark| match mark.role {
                Role::Primary => severity.bold(),
                Role::Step => theme.styles.help,
                Role::Related => theme.styles.linum,
            })
            .collect();
    }
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_link_display_text("(explained)")
        .without_syntax_highlighting()
        .without_cause_chain()
        .with_width(style.width.max(40))
        .with_context_lines(1);
    let drawing = Drawing {
        diagnostic,
        excerpt,
        hidden,
        // The first frame bears it in most cases; it must be found at the top in all.
        at: (!excerpt_begins_with_primary).then(|| place(diagnostic, report)),
        url: report.tool.rule_url(diagnostic.rule),
        link: style.color,
    };
    let mut text = String::new();
    handler.render_report(&mut text, &drawing)?;
    // miette pads empty lines.
    let mut trimmed = String::with_capacity(text.len());
    for line in text.lines() {
        trimmed.push_str(line.trim_end());
        trimmed.push('\n');
    }
    Ok(trimmed)
}

/// What to draw, the primary place first, and how many places are left out.
fn marks(diagnostic: &Diagnostic) -> (Vec<Mark>, usize) {
    let mark = |span, label: &str, role| Mark {
        span,
        label: escape::lines(label).into_owned(),
        role,
    };
    let on_path = diagnostic
        .path
        .iter()
        .any(|step| step.span == diagnostic.primary);
    // On the path the primary place has a step's words; its own would say it twice.
    let label = if on_path { "" } else { &diagnostic.label };
    let mut marks = vec![mark(diagnostic.primary, label, Role::Primary)];
    let mut hidden = 0;
    let steps = diagnostic.path.len();
    for (at, step) in diagnostic.path.iter().enumerate() {
        // The start and the end of a long path say most.
        if steps > PLACES && (PLACES / 2..steps - PLACES / 2).contains(&at) {
            hidden += 1;
            continue;
        }
        let label = format!("{}: {}", at + 1, step.label);
        marks.push(mark(step.span, &label, Role::Step));
    }
    // A place that the path has is drawn once, with the step's number.
    let apart = |place: &&Step| !diagnostic.path.iter().any(|step| step.span == place.span);
    let related: Vec<&Step> = diagnostic.related.iter().filter(apart).collect();
    hidden += related.len().saturating_sub(PLACES);
    for place in related.into_iter().take(PLACES) {
        marks.push(mark(place.span, &place.label, Role::Related));
    }
    (marks, hidden)
}

fn place(diagnostic: &Diagnostic, report: &Report<'_>) -> String {
    let (at, _) = report.sources.positions(diagnostic.primary);
    let path = escape::one_line(report.sources.path(diagnostic.primary.file));
    format!("{path}:{}:{}", at.line, at.column)
}

/// `2 findings (1 error, 1 warning) in 14 files; 3 regions not understood`.
fn closing_line(report: &Report<'_>) -> String {
    let mut line = match report.diagnostics.len() {
        0 => "No findings".to_owned(),
        all => {
            let kinds: Vec<String> = [
                (Severity::Error, "error"),
                (Severity::Warning, "warning"),
                (Severity::Note, "note"),
            ]
            .into_iter()
            .map(|(severity, noun)| (report.count(severity), noun))
            .filter(|&(count, _)| count > 0)
            .map(|(count, noun)| counted(count, noun))
            .collect();
            format!("{} ({})", counted(all, "finding"), kinds.join(", "))
        }
    };
    line.push_str(&format!(" in {}", counted(report.summary.files, "file")));
    if report.summary.suppressed > 0 {
        line.push_str(&format!(", {} allowed", report.summary.suppressed));
    }
    if !report.gaps.is_empty() {
        let regions = counted(report.gaps.len(), "region");
        line.push_str(&format!("; {regions} not understood"));
    }
    if !report.complete() {
        line.push_str("; some of the work was not done");
    }
    line
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A finding as miette sees it.
struct Drawing<'a> {
    diagnostic: &'a Diagnostic,
    excerpt: Excerpt,
    hidden: usize,
    at: Option<String>,
    link: bool,
    url: String,
}

impl miette::Diagnostic for Drawing<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let rule = self.diagnostic.rule;
        let mut code = format!("{} {}", rule.code, rule.name);
        if let Some(at) = &self.at {
            code.push_str(" at ");
            code.push_str(at);
        }
        Some(Box::new(code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.rule.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let mut lines = Vec::new();
        if !self.diagnostic.help.is_empty() {
            lines.push(escape::lines(&self.diagnostic.help).into_owned());
        }
        if self.hidden > 0 {
            let places = counted(self.hidden, "more place");
            lines.push(format!("({places}; --format json lists all)"));
        }
        if !self.link {
            lines.push(format!("see {}", self.url));
        }
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn Display>)
    }

    /// A link under the code, where the terminal can follow it.
    fn url<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.link.then(|| Box::new(&self.url) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.marks.iter().map(label)))
    }
}

fn label(mark: &Placed) -> LabeledSpan {
    let text = (!mark.label.is_empty()).then(|| mark.label.clone());
    match mark.role {
        Role::Primary => LabeledSpan::new_primary_with_span(text, (mark.start, mark.len)),
        Role::Step | Role::Related => LabeledSpan::new(text, mark.start, mark.len),
    }
}

impl Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape::lines(&self.diagnostic.message))
    }
}

impl fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl std::error::Error for Drawing<'_> {}
