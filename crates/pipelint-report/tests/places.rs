//! Where a finding is said to be, and how its lines are drawn.

use pipelint_report::{
    Diagnostic, MemorySources, Report, Sources, Step, Style, format, formats, write_report,
};
use pipelint_source::{FileId, Span};
use serde_json::Value;

mod sample;
use sample::{UNCHECKED, span, step};

fn found(primary: Span, path: Vec<Step>) -> Diagnostic {
    Diagnostic {
        rule: &UNCHECKED,
        primary,
        label: "here".to_owned(),
        message: "something happens".to_owned(),
        path,
        related: vec![],
        help: "mend it".to_owned(),
        function: "f".to_owned(),
    }
}

fn render(name: &str, sources: &dyn Sources, diagnostics: &[Diagnostic]) -> String {
    let report = Report {
        diagnostics,
        ..Report::new(sources)
    };
    let mut out = Vec::new();
    let format = format(name).expect("the format is in the list");
    write_report(format, &report, &mut out, &Style::default()).expect("memory can be written");
    String::from_utf8(out).expect("all formats write UTF-8")
}

fn parsed(name: &str, sources: &dyn Sources, diagnostics: &[Diagnostic]) -> Value {
    serde_json::from_str(&render(name, sources, diagnostics)).expect("it is JSON")
}

/// The drawing of one finding, without the words around it.
fn drawn(sources: &dyn Sources, diagnostic: Diagnostic) -> String {
    let text = render("human", sources, &[diagnostic]);
    let drawing: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.contains('╭'))
        .take_while(|line| !line.contains("help:"))
        .collect();
    drawing.join("\n")
}

fn one(text: &str) -> (MemorySources<'_>, FileId) {
    let mut sources = MemorySources::new();
    let file = sources.add("a.cpp", text);
    (sources, file)
}

#[test]
fn columns_count_characters_or_utf16_units_as_each_format_says() {
    let (sources, file) = one("a\n\t宽🚰 = open();\r\n");
    let diagnostics = [found(span(&sources, file, "open()", 0), vec![])];
    let concise = render("concise", &sources, &diagnostics);
    assert!(concise.starts_with("a.cpp:2:7: "), "{concise}");
    let github = render("github", &sources, &diagnostics);
    assert!(github.contains("line=2,col=7,endColumn=13"), "{github}");
    let json = parsed("json", &sources, &diagnostics);
    let location = &json["diagnostics"][0]["location"];
    assert_eq!(location["startColumn"], 7);
    assert_eq!(location["endColumn"], 13);
    let sarif = parsed("sarif", &sources, &diagnostics);
    let region = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["startLine"], 2);
    assert_eq!(region["startColumn"], 8);
    assert_eq!(region["endColumn"], 14);
}

#[test]
fn a_place_of_several_lines_is_marked_on_its_first() {
    let (sources, file) = one("f(\n  1,\n  2,\n  3);\n");
    let all = Span::new(file, 0, 15);
    insta::assert_snapshot!(drawn(&sources, found(all, vec![])));
}

#[test]
fn nested_places_keep_their_own_columns() {
    let (sources, file) = one("    use(make(1), 2);\n");
    let path = vec![
        step(span(&sources, file, "make(1)", 0), "made"),
        step(span(&sources, file, "use(make(1), 2)", 0), "used"),
    ];
    let primary = span(&sources, file, "make(1)", 0);
    insta::assert_snapshot!(drawn(&sources, found(primary, path)));
}

#[test]
fn steps_in_one_place_are_listed_in_their_order() {
    let (sources, file) = one("while (more())\n    use(h);\n");
    let place = span(&sources, file, "use(h)", 0);
    let path = vec![
        step(place, "used"),
        step(span(&sources, file, "more()", 0), "true"),
        step(place, "used again"),
    ];
    insta::assert_snapshot!(drawn(&sources, found(place, path)));
}

#[test]
fn the_place_stands_on_top_when_an_earlier_one_is_drawn_first() {
    let text = "made();\n\n\n\n\n\n\nclosed();\n";
    let (sources, file) = one(text);
    let path = vec![step(span(&sources, file, "made()", 0), "made")];
    let diagnostic = found(span(&sources, file, "closed()", 0), path);
    insta::assert_snapshot!(render("human", &sources, &[diagnostic]));
}

#[test]
fn the_empty_line_at_the_end_of_a_file() {
    let (sources, file) = one("f();\n");
    insta::assert_snapshot!(drawn(&sources, found(Span::new(file, 5, 5), vec![])));
}

#[test]
fn an_empty_file() {
    let (sources, file) = one("");
    insta::assert_snapshot!(drawn(&sources, found(Span::new(file, 0, 0), vec![])));
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!(
        "{}open(宽);{}\n",
        "x += 1; ".repeat(50_000),
        "y; ".repeat(50_000)
    );
    let (sources, file) = one(&text);
    insta::assert_snapshot!(drawn(
        &sources,
        found(span(&sources, file, "open(宽)", 0), vec![])
    ));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut sources = MemorySources::new();
    let file = sources.add("a\x1b[2J\n.cpp", "/* \x1b[31m \u{202e} */ open(\x07);\n");
    let mut diagnostic = found(span(&sources, file, "open(\x07)", 0), vec![]);
    diagnostic.message = "a message\nof \x1b[1mtwo lines".to_owned();
    diagnostic.help = "help \u{9b}0m".to_owned();
    diagnostic.label = "label \x08".to_owned();
    let diagnostics = [diagnostic];
    let human = render("human", &sources, &diagnostics);
    let concise = render("concise", &sources, &diagnostics);
    for text in [&human, &concise] {
        assert!(
            !text.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')),
            "{text:?}"
        );
    }
    assert_eq!(concise.lines().count(), 1, "{concise}");
    assert!(human.contains("/* ␛[31m � */ open(␇);"), "{human}");
    // The mark stands under the place though the characters before it were replaced by wider ones.
    let lines: Vec<&str> = human.lines().collect();
    let code = lines
        .iter()
        .position(|line| line.contains("open("))
        .expect("the line is drawn");
    let column = |line: &str, needle: char| line.chars().position(|c| c == needle);
    assert_eq!(
        column(lines[code], 'o'),
        column(lines[code + 1], '─'),
        "{human}"
    );
}

#[test]
fn spans_outside_of_their_file_are_brought_inside() {
    let mut sources = MemorySources::new();
    let file = sources.add("a.cpp", "宽 = 1;\n");
    let spans = [
        Span::new(file, 1, 2),
        Span::new(file, 1, 1),
        Span::new(file, 5, 2),
        Span::new(file, 3, 400),
        Span::new(file, 400, 500),
        Span::new(file, u32::MAX, u32::MAX),
        Span::new(FileId(7), 3, 9),
    ];
    for primary in spans {
        let diagnostics = [found(primary, vec![step(primary, "a step")])];
        for format in formats() {
            let text = render(format.name(), &sources, &diagnostics);
            assert!(
                text.contains("PL101"),
                "{} {primary:?}: {text}",
                format.name()
            );
            assert!(!text.contains("Failed to read"), "{primary:?}: {text}");
        }
    }
}

#[test]
fn a_finding_with_very_many_places_stays_readable_and_complete_in_json() {
    let text = "use(h);\n".repeat(400);
    let (sources, file) = one(&text);
    let places: Vec<Step> = (0..400)
        .map(|at| step(Span::new(file, at * 8, at * 8 + 6), &format!("place {at}")))
        .collect();
    // Other places than the path's, which would be drawn once.
    let related: Vec<Step> = (0..400)
        .map(|at| step(Span::new(file, at * 8, at * 8 + 3), &format!("use {at}")))
        .collect();
    let mut diagnostic = found(Span::new(file, 0, 6), places);
    diagnostic.related = related;
    let diagnostics = [diagnostic];
    let human = render("human", &sources, &diagnostics);
    assert!(human.lines().count() < 200, "{}", human.lines().count());
    assert!(human.contains("1: place 0") && human.contains("400: place 399"));
    assert!(
        human.contains("(752 more places; --format json lists all)"),
        "{human}"
    );
    let json = parsed("json", &sources, &diagnostics);
    for list in ["path", "related"] {
        assert_eq!(
            json["diagnostics"][0][list].as_array().map(Vec::len),
            Some(400)
        );
    }
}
