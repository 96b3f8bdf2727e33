//! Bytes that are text of some kind, or none: places are told in characters of the text.

use crate::common::{Folder, LEAK, utf16};

const PLACE: [&str; 1] = ["leak.cpp:5:20: PL103"];

fn linted(bytes: &[u8]) -> crate::common::Ran {
    let folder = Folder::new(&[]);
    folder.write("leak.cpp", bytes);
    folder.run(&["--format", "concise"])
}

#[track_caller]
fn found(bytes: &[u8]) -> Vec<String> {
    let ran = linted(bytes);
    assert_eq!(ran.err, "");
    ran.found()
}

#[test]
fn utf_16_is_read_with_and_without_a_mark() {
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        assert_eq!(found(&utf16(LEAK, to_bytes)), PLACE);
        assert_eq!(found(&utf16(&format!("\u{feff}{LEAK}"), to_bytes)), PLACE);
    }
}

#[test]
fn a_mark_of_utf_8_is_no_column() {
    assert_eq!(found(format!("\u{feff}{LEAK}").as_bytes()), PLACE);
    let line = "void f() { HANDLE h = CreateEventW(0, 0, 0, 0); SetEvent(h); CloseHandle(h); }\n";
    assert_eq!(found(line.as_bytes()), ["leak.cpp:1:23: PL101"]);
    assert_eq!(
        found(format!("\u{feff}{line}").as_bytes()),
        ["leak.cpp:1:23: PL101"]
    );
}

#[test]
fn characters_count_once_whatever_their_bytes() {
    let commented = LEAK.replace("    HANDLE", "    /* é */ HANDLE");
    let place = ["leak.cpp:5:28: PL103"];
    assert_eq!(found(commented.as_bytes()), place);
    let latin: Vec<u8> = commented.chars().map(|c| c as u8).collect();
    assert_eq!(found(&latin), place);
    assert_eq!(found(&utf16(&commented, u16::to_le_bytes)), place);
}

#[test]
fn bytes_that_are_no_utf_8_are_survived() {
    let mut bytes = LEAK
        .replace("    HANDLE", "    /* ? */ HANDLE")
        .into_bytes();
    for byte in &mut bytes {
        if *byte == b'?' {
            *byte = 0xff;
        }
    }
    assert_eq!(found(&bytes), ["leak.cpp:5:28: PL103"]);
    let cut = [LEAK.as_bytes(), b"// \xe2\x82"].concat();
    assert_eq!(found(&cut), PLACE);
}

#[test]
fn carriage_returns_move_no_place() {
    assert_eq!(found(LEAK.replace('\n', "\r\n").as_bytes()), PLACE);
    let folder = Folder::new(&[("leak.cpp", &LEAK.replace('\n', "\r\n"))]);
    let human = folder.run(&[]).out;
    assert!(!human.contains('\r') && !human.contains('␍'), "{human}");
}

#[test]
fn what_is_not_text_is_noted_and_changes_no_status() {
    let folder = Folder::new(&[]);
    folder.write("nul.cpp", [0_u8; 4096]);
    folder.write("blob.h", b"\x7fELF\x02\x01\x01\0\0\0\0\0CreateEventW");
    let ran = folder.run(&["--format", "concise"]);
    assert_eq!((ran.status, &*ran.out), (Some(0), ""));
    ran.says(&["note: nul.cpp is not text", "note: blob.h is not text"]);
    folder.write("leak.cpp", LEAK);
    let ran = folder.run(&["--format", "concise"]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(ran.found(), PLACE);
}

#[test]
fn an_empty_file_is_clean() {
    let ran = linted(b"");
    assert_eq!((ran.status, &*ran.out, &*ran.err), (Some(0), "", ""));
}

#[test]
fn text_without_a_last_line_end_is_read_to_its_end() {
    assert_eq!(found(LEAK.trim_end().as_bytes()), PLACE);
}
