//! `// pipelint: allow(PL103) reason`: silences one line, or the function it stands above.

use pipelint_ir::{Function, FunctionKind, Unit};
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
    let mut functions: Vec<(u32, Span)> = Vec::new();
    if !unit.pragmas.is_empty() {
        let written =
            |f: &&Function| !matches!(f.kind, FunctionKind::Lambda | FunctionKind::FieldInit);
        let functions_of = unit.functions.iter().filter(written);
        functions.extend(functions_of.map(|f| (f.map.name.start, f.map.whole)));
        functions.sort_unstable();
    }
    let codes = codes_below(unit, sources);
    for (pragma, code) in unit.pragmas.iter().zip(codes) {
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
        let covers = covered(&functions, sources, pragma.span, code);
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

/// Splits diagnostics, which are in the order of their places, into those that stay and a count of
/// those that an allow comment silences.
pub(crate) fn apply(
    diagnostics: Vec<Diagnostic>,
    allows: &mut [Allow],
) -> (Vec<Diagnostic>, usize) {
    let before = diagnostics.len();
    allows.sort_by(|a, b| (a.covers, &a.selectors, a.at).cmp(&(b.covers, &b.selectors, b.at)));
    // Comments that say the same of the same place, as on one long line, count as one.
    let same = |a: &Allow, b: &Allow| a.covers == b.covers && a.selectors == b.selectors;
    let mut groups = allows.chunk_by_mut(same).peekable();
    // Those that begin before the diagnostic at hand and may reach it.
    let mut open: Vec<&mut [Allow]> = Vec::new();
    let kept: Vec<Diagnostic> = diagnostics
        .into_iter()
        .filter(|d| {
            let at = (d.primary.file, d.primary.start);
            let begun = |g: &&mut [Allow]| (g[0].covers.file, g[0].covers.start) <= at;
            while let Some(group) = groups.next_if(begun) {
                open.push(group);
            }
            open.retain(|g| (g[0].covers.file, g[0].covers.end) > at);
            let mut silenced = false;
            for group in &mut open {
                if group[0].selectors.iter().any(|s| names(s, d.rule)) {
                    silenced = true;
                    if !group[0].used {
                        group.iter_mut().for_each(|allow| allow.used = true);
                    }
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

/// For each comment to the linter: where the code below it begins.
fn codes_below(unit: &Unit, sources: &MemorySources<'_>) -> Vec<usize> {
    let mut codes = Vec::with_capacity(unit.pragmas.len());
    // Backwards, so that a run of such comments is gone through once.
    let mut below: Option<(usize, usize)> = None;
    for pragma in unit.pragmas.iter().rev() {
        let text = sources.text(pragma.span.file).as_bytes();
        let end = (pragma.span.end as usize).min(text.len());
        let code = code_from(text, end, below);
        below = Some((pragma.span.start as usize, code));
        codes.push(code);
    }
    codes.reverse();
    codes
}

/// The first place at or behind `at` that is no space and no comment. `known` is a comment further
/// down and the answer for it.
fn code_from(text: &[u8], mut at: usize, known: Option<(usize, usize)>) -> usize {
    loop {
        let rest = &text[at..];
        match known {
            Some((comment, code)) if comment == at => return code,
            _ => {}
        }
        if rest.starts_with(b"//") {
            let line = rest.iter().position(|b| *b == b'\n');
            at = line.map_or(text.len(), |i| at + i + 1);
        } else if rest.starts_with(b"/*") {
            let close = rest[2..].windows(2).position(|w| w == b"*/");
            at = close.map_or(text.len(), |i| at + i + 4);
        } else if rest.first().is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        } else {
            return at;
        }
    }
}

/// Alone on its line a comment speaks of what follows it: a function, else the next line.
fn covered(
    functions: &[(u32, Span)],
    sources: &MemorySources<'_>,
    comment: Span,
    code: usize,
) -> Span {
    let text = sources.text(comment.file);
    let lines = sources.lines(comment.file);
    let line = |at: usize| lines.line_range(text, lines.line_at(at));
    let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let start = (comment.start as usize).min(text.len());
    let bytes = text.as_bytes();
    let own = line(start).start;
    let alone = bytes[own..start].iter().all(u8::is_ascii_whitespace);
    if !alone {
        let end = line(comment.end as usize).end;
        return Span::new(comment.file, clamp(own), clamp(end));
    }
    let after = functions.partition_point(|(name, _)| (*name as usize) < code);
    if let Some((name, whole)) = functions.get(after) {
        // Between the two stand a type, attributes and macros, but no other statement.
        let head = bytes.get(code..*name as usize).unwrap_or_default();
        let another = |b: &u8| matches!(b, b';' | b'{' | b'}' | b'#');
        if !head.iter().any(another) {
            return *whole;
        }
    }
    Span::new(comment.file, comment.end, clamp(line(code).end))
}
