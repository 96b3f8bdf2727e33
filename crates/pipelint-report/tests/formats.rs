//! What each format writes for the sample report.

use pipelint_report::{Style, format, formats, write_report};

mod sample;

fn rendered(name: &str, style: &Style) -> String {
    let sample = sample::Sample::new();
    let mut out = Vec::new();
    let format = format(name).expect("the format is in the list");
    write_report(format, &sample.report(), &mut out, style).expect("memory can be written");
    String::from_utf8(out).expect("all formats write UTF-8")
}

#[test]
fn human() {
    insta::assert_snapshot!(rendered("human", &Style::default()));
}

#[test]
fn concise() {
    insta::assert_snapshot!(rendered("concise", &Style::default()));
}

#[test]
fn json() {
    insta::assert_snapshot!(rendered("json", &Style::default()));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(rendered("sarif", &Style::default()));
}

#[test]
fn github() {
    insta::assert_snapshot!(rendered("github", &Style::default()));
}

#[test]
fn names_are_unique_and_found() {
    let mut names: Vec<_> = formats().iter().map(|format| format.name()).collect();
    assert_eq!(names, ["human", "concise", "json", "sarif", "github"]);
    names.dedup();
    for name in names {
        assert_eq!(format(name).map(|format| format.name()), Some(name));
    }
    assert!(format("xml").is_none());
}

#[test]
fn colour_only_when_asked_for() {
    let colored = Style {
        color: true,
        ..Style::default()
    };
    for format in formats() {
        let name = format.name();
        assert!(
            !rendered(name, &Style::default()).contains('\x1b'),
            "{name}"
        );
        let for_people = matches!(name, "human" | "concise");
        assert_eq!(
            rendered(name, &colored).contains('\x1b'),
            for_people,
            "{name}"
        );
    }
}

#[test]
fn the_colours_say_no_more_than_the_words() {
    let colored = Style {
        color: true,
        ..Style::default()
    };
    let plain = rendered("concise", &Style::default());
    let mut stripped = String::new();
    let mut inside = false;
    for c in rendered("concise", &colored).chars() {
        match c {
            '\x1b' => inside = true,
            'm' if inside => inside = false,
            _ if !inside => stripped.push(c),
            _ => {}
        }
    }
    assert_eq!(stripped, plain);
}

#[test]
fn the_same_report_is_written_the_same_way() {
    for format in formats() {
        let name = format.name();
        assert_eq!(
            rendered(name, &Style::default()),
            rendered(name, &Style::default()),
            "{name}"
        );
    }
}
