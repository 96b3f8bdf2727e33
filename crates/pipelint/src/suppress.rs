//! `// pipelint: allow(PL103) reason`: silences one line, or the function it stands above.

use pipelint_ir::Unit;
use pipelint_report::ProblemNote;
use pipelint_report::{Diagnostic, MemorySources, Severity, Sources};
use pipelint_source::Span;

use crate::select::{names, nearest};

/// One allow comment.
#[derive(Debug)]
pub(crate) struct Allow {
    selectors: Vec<String>,
    /// What it covers: its own line, the next line, or a function.
    covers: Span,
    at: Span,
    used: bool,
}

/// The allow comments of a unit; those without a reason are problems and silence nothing.
pub(crate) fn allows(
    unit: &Unit,
    sources: &MemorySources<'_>,
    problems: &mut Vec<ProblemNote>,
) -> Vec<Allow> {
    let mut found = Vec::new();
    for pragma in &unit.pragmas {
        let Some((selectors, reason)) = parse(&pragma.text) else {
            problems.push(problem(
                sources,
                pragma.span,
                "is no comment that pipelint understands",
            ));
            continue;
        };
        if reason.is_empty() {
            problems.push(problem(
                sources,
                pragma.span,
                "gives no reason, so it silences nothing",
            ));
            continue;
        }
        let unknown = selectors
            .iter()
            .find(|s| !pipelint_rules::all().iter().any(|r| names(s, r.meta())));
        if let Some(unknown) = unknown {
            problems.push(problem(
                sources,
                pragma.span,
                &format!("allows `{unknown}`, which is no rule{}", meant(unknown)),
            ));
        }
        let covers = covered(unit, sources, pragma.span);
        found.push(Allow {
            selectors,
            covers,
            at: pragma.span,
            used: false,
        });
    }
    found
}

fn meant(unknown: &str) -> String {
    match nearest(unknown).first() {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    }
}

/// Splits diagnostics into those that stay and a count of those that an allow comment silences.
pub(crate) fn apply(
    diagnostics: Vec<Diagnostic>,
    allows: &mut [Allow],
) -> (Vec<Diagnostic>, usize) {
    let before = diagnostics.len();
    let kept: Vec<Diagnostic> = diagnostics
        .into_iter()
        .filter(|d| {
            let mut silenced = false;
            for allow in allows.iter_mut() {
                let here = allow.covers.file == d.primary.file
                    && allow.covers.start <= d.primary.start
                    && d.primary.start < allow.covers.end;
                if here && allow.selectors.iter().any(|s| names(s, d.rule)) {
                    allow.used = true;
                    silenced = true;
                }
            }
            !silenced
        })
        .collect();
    let silenced = before - kept.len();
    (kept, silenced)
}

/// Places of allow comments that silenced nothing.
pub(crate) fn unused(allows: &[Allow]) -> impl Iterator<Item = Span> + '_ {
    allows.iter().filter(|a| !a.used).map(|a| a.at)
}

fn problem(sources: &MemorySources<'_>, span: Span, what: &str) -> ProblemNote {
    let (start, _) = sources.positions(span);
    ProblemNote {
        severity: Severity::Warning,
        path: sources.path(span.file).to_owned(),
        message: format!(
            "{}:{}: this `pipelint:` comment {what}",
            sources.path(span.file),
            start.line
        ),
        help: "write `// pipelint: allow(PL103) why this is right`".into(),
    }
}

fn parse(text: &str) -> Option<(Vec<String>, String)> {
    let rest = text.split_once("pipelint:")?.1.trim_start();
    let rest = rest.strip_prefix("allow")?.trim_start().strip_prefix('(')?;
    let (inside, reason) = rest.split_once(')')?;
    let selectors: Vec<String> = inside
        .split(',')
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect();
    let reason = reason
        .trim()
        .trim_end_matches("*/")
        .trim_matches(|c: char| c == ':' || c.is_whitespace());
    (!selectors.is_empty()).then(|| (selectors, reason.to_owned()))
}

/// Alone on its line a comment speaks of what follows it: a function, else the next line.
fn covered(unit: &Unit, sources: &MemorySources<'_>, comment: Span) -> Span {
    let text = sources.text(comment.file);
    let bytes = text.as_bytes();
    let start = comment.start as usize;
    let end = (comment.end as usize).min(bytes.len());
    let line_start = bytes[..start]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |i| i + 1);
    let line_end = |from: usize| {
        bytes[from..]
            .iter()
            .position(|b| *b == b'\n')
            .map_or(bytes.len(), |i| from + i + 1)
    };
    let alone = bytes[line_start..start].iter().all(u8::is_ascii_whitespace);
    let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    if !alone {
        return Span::new(comment.file, clamp(line_start), clamp(line_end(end)));
    }
    let code = code_after(bytes, line_end(end));
    let function = unit
        .functions
        .iter()
        .map(|f| f.map.whole)
        .find(|w| w.start as usize >= end && w.start as usize <= code);
    function.unwrap_or_else(|| Span::new(comment.file, clamp(end), clamp(line_end(code))))
}

/// The next byte that is neither space nor comment; further comments may stand below the first.
fn code_after(bytes: &[u8], mut at: usize) -> usize {
    let find = |at: usize, what: &dyn Fn(usize) -> bool| (at..bytes.len()).find(|i| what(*i));
    loop {
        at = find(at, &|i| !bytes[i].is_ascii_whitespace()).unwrap_or(bytes.len());
        let end = match bytes.get(at..at + 2) {
            Some(b"//") => find(at, &|i| bytes[i] == b'\n'),
            Some(b"/*") => find(at + 2, &|i| bytes[i..].starts_with(b"*/")).map(|i| i + 2),
            _ => return at,
        };
        at = end.unwrap_or(bytes.len());
    }
}
