//! Exit statuses, the default path, and what cannot be linted.

use crate::common::{CLEAN, Folder, LEAK};

#[test]
fn clean_is_0_findings_are_1_work_not_done_is_2() {
    let folder = Folder::new(&[("clean.cpp", CLEAN), ("leak.cpp", LEAK)]);
    assert_eq!(folder.run(&["clean.cpp"]).status, Some(0));
    assert_eq!(folder.run(&["leak.cpp"]).status, Some(1));
    assert_eq!(folder.run(&["clean.cpp", "absent.cpp"]).status, Some(2));
}

#[test]
fn check_and_the_path_may_be_left_out() {
    let folder = Folder::new(&[("src/leak.cpp", LEAK)]);
    let short = folder.run(&["--format", "concise"]);
    let long = folder.run(&["check", "--format", "concise", "."]);
    assert_eq!(short.found(), ["src/leak.cpp:5:20: PL103"]);
    assert_eq!(short.out, long.out);
    assert_eq!((short.status, long.status), (Some(1), Some(1)));
}

#[test]
fn an_empty_folder_is_clean() {
    let ran = Folder::new(&[]).run(&["--format", "concise"]);
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""));
}

#[test]
fn a_missing_path_is_named_and_the_rest_is_linted() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let ran = folder.run(&["--format", "concise", "absent.cpp", "leak.cpp"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103"]);
    ran.says(&["absent.cpp", "help:"]);
}

#[test]
fn a_path_that_is_no_source_is_named_and_the_rest_is_linted() {
    let folder = Folder::new(&[("leak.cpp", LEAK), ("notes.txt", "CreateEventW")]);
    let ran = folder.run(&["--format", "concise", "notes.txt", "leak.cpp"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103"]);
    ran.says(&["notes.txt", ".cpp"]);
}

#[test]
fn a_folder_named_like_a_source_is_walked() {
    let folder = Folder::new(&[("odd.cpp/leak.cpp", LEAK)]);
    assert_eq!(folder.found(&["odd.cpp"]), ["odd.cpp/leak.cpp:5:20: PL103"]);
    assert_eq!(folder.found(&[]), ["odd.cpp/leak.cpp:5:20: PL103"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_named_and_the_rest_is_linted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let locked = folder.write("locked.cpp", LEAK);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o0)).expect("a mode");
    if std::fs::read(&locked).is_ok() {
        // The superuser reads everything; the dangling link below stands in for it.
        return;
    }
    let ran = folder.run(&["--format", "concise"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103"]);
    ran.says(&["locked.cpp"]);
}

#[cfg(unix)]
#[test]
fn a_named_dangling_link_is_an_error_a_found_one_a_note() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    std::os::unix::fs::symlink("nowhere.cpp", folder.path().join("link.cpp")).expect("a link");
    let named = folder.run(&["--format", "concise", "link.cpp", "leak.cpp"]);
    assert_eq!(named.status, Some(2));
    assert_eq!(named.found(), ["leak.cpp:5:20: PL103"]);
    named.says(&["error:", "link.cpp"]);
    let found = folder.run(&["--format", "concise"]);
    assert_eq!(found.status, Some(1));
    assert_eq!(found.found(), ["leak.cpp:5:20: PL103"]);
    found.says(&["note:", "link.cpp"]);
}

#[test]
fn wrong_usage_is_2_and_says_what_would_be_right() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    for (args, word) in [
        (&["--format", "xml"][..], "human"),
        (&["--severity", "high"], "warning"),
        (&["-j", "0"], "1..=256"),
        (&["--colour"], "--color"),
        (&["explain"], "<RULE>"),
        (&["dump", "ast", "leak.cpp"], "cfg"),
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.status, Some(2), "{args:?}");
        assert_eq!(ran.out, "", "{args:?}");
        ran.says(&[word]);
    }
}

#[test]
fn help_and_version_are_output() {
    let folder = Folder::new(&[]);
    let help = folder.run(&["--help"]);
    assert_eq!(help.status, Some(0));
    assert!(help.out.contains("--stdin-filename"), "{}", help.out);
    let version = folder.run(&["--version"]);
    assert_eq!(
        version.out,
        concat!("pipelint ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::Read;
    use std::process::Stdio;
    // More output than a pipe holds, so that writing goes on after the reader has left.
    let many: String = (0..400)
        .map(|i| LEAK.replace("probe", &format!("probe_{i}")))
        .collect();
    let folder = Folder::new(&[("many.cpp", &many)]);
    for args in [
        &["many.cpp"][..],
        &["--format", "json", "many.cpp"],
        &["dump", "ir", "many.cpp"],
    ] {
        let mut child = folder
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut out = child.stdout.take().expect("a pipe");
        let mut first = [0];
        out.read_exact(&mut first).expect("some output");
        drop(out);
        let output = child.wait_with_output().expect("the command ends");
        let ran = crate::common::Ran::new(output);
        assert_eq!(ran.err, "", "{args:?}");
    }
}
