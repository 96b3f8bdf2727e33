//! `pipelint.toml` and the options that speak over it.

use crate::common::{Folder, LEAK, TWICE};

/// A creation that only a model of the wrapper makes known, closed on no path.
const WRAPPED: &str = "#include \"acme.h\"

bool greet()
{
    HANDLE channel = acme_open_channel(1);
    if (channel == INVALID_HANDLE_VALUE)
        return false;
    return WriteFile(channel, \"hi\", 2, nullptr, nullptr);
}
";

const MODEL: &str = "[[functions]]
names = [\"acme_open_channel\"]
page = \"https://wiki.example.org/acme\"
acquires = [{ kind = \"handle\", failure = \"INVALID_HANDLE_VALUE\" }]
";

/// The leak, but only where `LEAKY` is defined.
fn branched() -> String {
    LEAK.replace(
        "    CloseHandle(event);",
        "    CloseHandle(event);\n",
    )
    .replace(
        "        return false;\n    CloseHandle",
        "    {\n#ifndef LEAKY\n        CloseHandle(event);\n#endif\n        return false;\n    }\n    CloseHandle",
    )
}

#[test]
fn the_nearest_file_upwards_counts() {
    let folder = Folder::new(&[
        ("pipelint.toml", "ignore = [\"PL103\"]\n"),
        ("a/b/leak.cpp", LEAK),
        ("c/pipelint.toml", ""),
        ("c/d/leak.cpp", LEAK),
    ]);
    let found = |dir: &str| {
        let mut command = folder.command(&["--format", "concise"]);
        command.current_dir(folder.path().join(dir));
        crate::common::Ran::new(command.output().expect("the command runs")).found()
    };
    assert_eq!(found("a/b"), [""; 0]);
    assert_eq!(found("c/d"), ["leak.cpp:5:20: PL103"]);
}

/// A leak on each system, in C++ and in Rust.
const TWO_SYSTEMS: [(&str, &str); 2] = [
    (
        "leak.cpp",
        "#ifdef _WIN32
void make() { HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr); if (event) SetEvent(event); }
#else
void make() { int fd = open(\"f\", O_RDONLY); if (fd != -1) write(fd, \"a\", 1); }
#endif
",
    ),
    (
        "leak.rs",
        "#[cfg(windows)]
pub fn make() { unsafe { let event = CreateEventW(null(), 1, 0, null()); if !event.is_null() { SetEvent(event); } } }
#[cfg(unix)]
pub fn make() { unsafe { let fd = libc::open(c\"f\".as_ptr(), 0); if fd != -1 { libc::write(fd, c\"a\".as_ptr().cast(), 1); } } }
",
    ),
];

#[test]
fn the_target_chooses_the_branches_of_both_languages() {
    let lines = |found: Vec<String>| -> Vec<String> {
        let line = |f: &String| f.split(':').take(2).collect::<Vec<_>>().join(":");
        found
            .iter()
            .filter(|f| f.contains("PL103"))
            .map(line)
            .collect()
    };
    let windows = ["leak.cpp:2", "leak.rs:2"];
    let unix = ["leak.cpp:4", "leak.rs:4"];
    let folder = Folder::new(&TWO_SYSTEMS);
    assert_eq!(lines(folder.found(&[])), windows);
    assert_eq!(lines(folder.found(&["--target", "unix"])), unix);
    let mut files = TWO_SYSTEMS.to_vec();
    files.push(("pipelint.toml", "target = \"unix\"\n"));
    let folder = Folder::new(&files);
    assert_eq!(lines(folder.found(&[])), unix);
    assert_eq!(lines(folder.found(&["--target", "windows"])), windows);
}

#[test]
fn code_of_unix_alone_is_looked_at_for_unix() {
    let folder = Folder::new(&[
        (
            "ends.c",
            "#include <unistd.h>\nvoid make(void) { int ends[2]; if (pipe(ends) == 0) close(ends[0]); }\n",
        ),
        (
            "ends.rs",
            "pub fn make() { unsafe { let mut ends = [0; 2]; if libc::pipe(ends.as_mut_ptr()) == 0 { libc::close(ends[0]); } } }\n",
        ),
    ]);
    assert_eq!(folder.found(&[]), [""; 0]);
    let found = folder.found(&["--target", "unix"]);
    let leaks: Vec<&str> = found.iter().filter_map(|f| f.split(':').next()).collect();
    assert_eq!(leaks, ["ends.c", "ends.rs"]);
}

#[test]
fn a_named_file_counts_instead() {
    let folder = Folder::new(&[
        ("pipelint.toml", "ignore = [\"PL103\"]\n"),
        ("other.toml", ""),
        ("leak.cpp", LEAK),
    ]);
    assert_eq!(folder.found(&[]), [""; 0]);
    assert_eq!(
        folder.found(&["--config", "other.toml"]),
        ["leak.cpp:5:20: PL103"]
    );
    let ran = folder.run(&["--config", "absent.toml"]);
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""));
    ran.says(&["absent.toml", "--config"]);
}

#[test]
fn options_speak_over_the_file() {
    let folder = Folder::new(&[
        (
            "pipelint.toml",
            "select = [\"PL103\"]\nseverity = \"error\"\n",
        ),
        ("leak.cpp", LEAK),
        ("twice.cpp", TWICE),
    ]);
    assert_eq!(folder.found(&[]), [""; 0]);
    assert_eq!(
        folder.found(&["--severity", "warning"]),
        ["leak.cpp:5:20: PL103"]
    );
    assert_eq!(
        folder.found(&["--select", "PL105"]),
        ["twice.cpp:10:5: PL105"]
    );
}

#[test]
fn an_unusable_file_is_named_with_key_and_line() {
    for (text, words) in [
        (
            "select = []\nselekt = []\n",
            &["pipelint.toml:2", "selekt"][..],
        ),
        (
            "\n\nseverity = \"loud\"\n",
            &["pipelint.toml:3", "loud", "warning"],
        ),
        ("select = \"PL1\"\n", &["pipelint.toml:1", "PL1"]),
        ("select = [\n\n", &["pipelint.toml:"]),
        ("select = [\"PL1x3\"]\n", &["PL1x3"]),
        ("exclude = [\"a{b\"]\n", &["pipelint.toml", "a{b"]),
    ] {
        let folder = Folder::new(&[("pipelint.toml", text), ("leak.cpp", LEAK)]);
        let ran = folder.run(&[]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{text}");
        ran.says(words);
        ran.says(&["help:"]);
    }
}

#[test]
fn a_model_of_a_wrapper_makes_its_leak_a_finding() {
    let folder = Folder::new(&[("greet.cpp", WRAPPED)]);
    assert_eq!(folder.found(&["--select", "PL103"]), [""; 0]);
    folder.write("pipelint.toml", MODEL);
    assert_eq!(
        folder.found(&["--select", "PL103"]),
        ["greet.cpp:5:22: PL103"]
    );
}

#[test]
fn models_may_stand_beside_other_keys() {
    let folder = Folder::new(&[("greet.cpp", WRAPPED), ("leak.cpp", LEAK)]);
    folder.write(
        "pipelint.toml",
        format!("select = [\"PL103\"]\nexclude = [\n  \"leak.cpp\",\n]\n\n{MODEL}"),
    );
    assert_eq!(folder.found(&[]), ["greet.cpp:5:22: PL103"]);
}

#[test]
fn an_unusable_model_is_named_with_file_and_line() {
    let before = "select = [\"PL1\"]\nexclude = [\n  \"x\",\n]\n";
    for (model, words) in [
        (
            "[[functions]]\nnames = [\"f\"]\nacquires = 3\n",
            &["pipelint.toml", "line 7", "sequence"][..],
        ),
        (
            "[[functions]]\nnames = [\"f\"]\nakquires = []\n",
            &["pipelint.toml", "akquires"],
        ),
        (
            "[[functions]]\nnames = [\"f\"]\npage = \"https://example.org\"\nacquires = [{ kind = \"handel\", failure = \"NULL\" }]\n",
            &["pipelint.toml", "handel"],
        ),
    ] {
        let folder = Folder::new(&[("leak.cpp", LEAK)]);
        folder.write("pipelint.toml", format!("{before}{model}"));
        let ran = folder.run(&[]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{model}");
        ran.says(words);
        assert_eq!(ran.err.matches("help:").count(), 1, "{}", ran.err);
    }
}

#[test]
fn excluded_paths_are_left_out_wherever_the_command_runs() {
    let folder = Folder::new(&[
        (
            "pipelint.toml",
            "exclude = [\"/gen\", \"*_moc.cpp\", \"!keep_moc.cpp\"]\n",
        ),
        ("gen/leak.cpp", LEAK),
        ("src/gen/leak.cpp", LEAK),
        ("src/x_moc.cpp", LEAK),
        ("src/keep_moc.cpp", LEAK),
    ]);
    let expected = [
        "src/gen/leak.cpp:5:20: PL103",
        "src/keep_moc.cpp:5:20: PL103",
    ];
    assert_eq!(folder.found(&[]), expected);
    assert_eq!(folder.found(&["--config", "pipelint.toml"]), expected);
    let mut command = folder.command(&["--format", "concise", ".."]);
    command.current_dir(folder.path().join("src"));
    let ran = crate::common::Ran::new(command.output().expect("the command runs"));
    assert_eq!(ran.found().len(), 2, "{}", ran.out);
}

#[test]
fn defines_choose_the_branch() {
    let folder = Folder::new(&[("leak.cpp", &branched())]);
    assert_eq!(folder.found(&[]), [""; 0]);
    let leak = ["leak.cpp:5:20: PL103"];
    assert_eq!(folder.found(&["-D", "LEAKY"]), leak);
    assert_eq!(folder.found(&["-DLEAKY=1"]), leak);
    folder.write("pipelint.toml", "defines = [\"LEAKY=1\"]\n");
    assert_eq!(folder.found(&[]), leak);
    assert_eq!(folder.found(&["-U", "LEAKY"]), [""; 0]);
    folder.write("pipelint.toml", "undefines = [\"LEAKY\"]\n");
    assert_eq!(folder.found(&["-DLEAKY"]), leak);
}

#[test]
fn the_branch_of_a_windows_build_is_taken_unless_undefined() {
    let text = format!("#ifdef _WIN32\n{LEAK}#endif\n");
    let folder = Folder::new(&[("leak.cpp", &text)]);
    assert_eq!(folder.found(&[]), ["leak.cpp:6:20: PL103"]);
    assert_eq!(folder.found(&["-U_WIN32"]), [""; 0]);
    folder.write("pipelint.toml", "undefines = [\"_WIN32\"]\n");
    assert_eq!(folder.found(&[]), [""; 0]);
}
