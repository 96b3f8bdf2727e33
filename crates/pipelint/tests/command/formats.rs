//! Output in five formats: the report on standard output, all else on standard error.

use crate::common::{Folder, LEAK};

const FORMATS: [&str; 5] = ["human", "concise", "json", "sarif", "github"];

#[test]
fn every_format_names_the_finding_on_standard_output() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    for format in FORMATS {
        let ran = folder.run(&["--format", format]);
        assert_eq!(ran.status, Some(1), "{format}");
        for word in ["leak.cpp", "PL103", "still holds the handle"] {
            assert!(ran.out.contains(word), "{format}: no {word} in {}", ran.out);
        }
        assert_eq!(ran.err, "", "{format}");
    }
}

#[test]
fn messages_and_statistics_stay_off_standard_output() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    folder.write("blob.cpp", b"\0\0\x01CreateEventW");
    for format in FORMATS {
        let plain = folder.run(&["--format", format, "leak.cpp"]);
        let counted = folder.run(&["--format", format, "--statistics", "leak.cpp"]);
        assert_eq!(plain.out, counted.out, "{format}");
        counted.says(&["functions", "analysis", "time"]);
        let noted = folder.run(&["--format", format]);
        noted.says(&["note: blob.cpp is not text"]);
    }
    let concise = folder.run(&["--format", "concise"]);
    assert_eq!(concise.found(), ["leak.cpp:5:20: PL103"]);
}

#[test]
fn machine_formats_are_whole_documents_even_if_a_path_is_missing() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    for format in ["json", "sarif"] {
        let ran = folder.run(&["--format", format, "leak.cpp", "absent.cpp"]);
        assert_eq!(ran.status, Some(2));
        let value: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        let text = value.to_string();
        assert!(
            text.contains("PL103") && text.contains("absent.cpp"),
            "{text}"
        );
    }
}

#[test]
fn colour_comes_only_when_asked_for() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    assert!(!folder.run(&[]).out.contains('\x1b'));
    assert!(!folder.run(&["--color", "never"]).out.contains('\x1b'));
    assert!(folder.run(&["--color", "always"]).out.contains('\x1b'));
    let json = folder.run(&["--color", "always", "--format", "json"]);
    assert!(!json.out.contains("\\u001b") && !json.out.contains('\x1b'));
}
