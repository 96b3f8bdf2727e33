//! Text on standard input.

use crate::common::{CLEAN, Folder, LEAK};

#[test]
fn a_dash_is_standard_input() {
    let folder = Folder::new(&[("other.cpp", LEAK)]);
    let ran = folder.pipe(&["--format", "concise", "-"], LEAK.as_bytes());
    assert_eq!(ran.status, Some(1));
    assert_eq!(ran.found(), ["stdin.cpp:5:20: PL103"]);
    assert_eq!(folder.pipe(&["-"], CLEAN.as_bytes()).status, Some(0));
}

#[test]
fn it_goes_by_a_name_that_need_not_exist() {
    let folder = Folder::new(&[]);
    let args = [
        "--format",
        "concise",
        "--stdin-filename",
        "src/new.cpp",
        "-",
    ];
    assert_eq!(
        folder.pipe(&args, LEAK.as_bytes()).found(),
        ["src/new.cpp:5:20: PL103"]
    );
    let bare = &args[..4];
    assert_eq!(
        folder.pipe(bare, LEAK.as_bytes()).found(),
        ["src/new.cpp:5:20: PL103"]
    );
}

#[test]
fn the_names_ending_says_the_language() {
    let folder = Folder::new(&[]);
    // In C `class` is a name like any other.
    let text = LEAK.replace("event", "class").replace("bool", "int");
    let args = ["--format", "concise", "-", "--stdin-filename", "new.c"];
    assert_eq!(
        folder.pipe(&args, text.as_bytes()).found(),
        ["new.c:5:20: PL103"]
    );
}

#[test]
fn it_is_linted_beside_files_and_its_quoted_includes_are_read() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let ran = folder.pipe(
        &[
            "--format",
            "concise",
            "leak.cpp",
            "-",
            "--stdin-filename",
            "new.cpp",
        ],
        LEAK.replace("probe", "second").as_bytes(),
    );
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103", "new.cpp:5:20: PL103"]);
}

#[test]
fn a_saved_file_that_is_edited_is_linted_once_as_it_is_edited() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let args = [
        "--format",
        "concise",
        ".",
        "-",
        "--stdin-filename",
        "leak.cpp",
    ];
    assert_eq!(folder.pipe(&args, CLEAN.as_bytes()).found(), [""; 0]);
}

#[test]
fn nothing_and_noise_are_survived() {
    let folder = Folder::new(&[]);
    let nothing = folder.pipe(&["-"], b"");
    assert_eq!((nothing.status, &*nothing.err), (Some(0), ""));
    let noise = folder.pipe(&["-"], b"\0\x01\x02CreateEventW\0");
    assert_eq!(noise.status, Some(0));
    noise.says(&["note:", "stdin.cpp", "not text"]);
}
