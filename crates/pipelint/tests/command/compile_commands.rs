//! What a build says of the files, seen from the command.

use crate::common::{CLEAN, Folder, LEAK};

/// Leaks only in a build that defines `WAIT_FOR_IT`.
const CHOSEN: &str = "#include <windows.h>

bool probe()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
#if WAIT_FOR_IT > 1
    if (WaitForSingleObject(event, 1000) != WAIT_OBJECT_0)
        return false;
#endif
    CloseHandle(event);
    return true;
}
";
const CHOSEN_LEAK: [&str; 1] = ["src/chosen.cpp:5:20: PL103"];

/// Closes twice where `close_it.h` closes.
const CLOSER: &str = "#include <close_it.h>

bool shut()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    CLOSE_IT(event);
    CloseHandle(event);
    return true;
}
";
const CLOSES: &str = "#define CLOSE_IT(handle) CloseHandle(handle)\n";
const CLOSES_NOT: &str = "#define CLOSE_IT(handle) SetEvent(handle)\n";

/// A build of one file, whose options are these.
fn build(folder: &Folder, file: &str, arguments: &[&str]) {
    let mut words = vec!["c++"];
    words.extend(arguments);
    words.extend(["-c", file]);
    let entry = serde_json::json!([{
        "directory": folder.path(),
        "file": file,
        "arguments": words,
    }]);
    folder.write("build/compile_commands.json", entry.to_string());
}

fn commanded(folder: &Folder, file: &str, command: &str) {
    let entry = serde_json::json!([{
        "directory": folder.path().join("build"),
        "file": file,
        "command": command,
    }]);
    folder.write("build/compile_commands.json", entry.to_string());
}

const NAMED: [&str; 2] = ["--compile-commands", "build/compile_commands.json"];

#[test]
fn definitions_choose_branches() {
    let folder = Folder::new(&[("src/chosen.cpp", CHOSEN)]);
    assert_eq!(folder.found(&["src"]), [""; 0]);
    let forms: [&[&str]; 4] = [
        &["-DWAIT_FOR_IT=2"],
        &["-D", "WAIT_FOR_IT=2"],
        &["-DWAIT_FOR_IT=1", "-UWAIT_FOR_IT", "-DWAIT_FOR_IT=2"],
        &["-O2", "-DOTHER", "-DWAIT_FOR_IT=(1+1)", "-Wall"],
    ];
    for arguments in forms {
        build(&folder, "src/chosen.cpp", arguments);
        assert_eq!(folder.found(&NAMED), CHOSEN_LEAK, "{arguments:?}");
    }
    build(
        &folder,
        "src/chosen.cpp",
        &["-DWAIT_FOR_IT=2", "-U", "WAIT_FOR_IT"],
    );
    assert_eq!(folder.found(&NAMED), [""; 0]);
    build(&folder, "src/chosen.cpp", &["-DWAIT_FOR_IT"]);
    assert_eq!(folder.found(&NAMED), [""; 0], "a bare name is 1");
    build(&folder, "src/chosen.cpp", &["--", "-DWAIT_FOR_IT=2"]);
    assert_eq!(
        folder.found(&NAMED),
        [""; 0],
        "what follows `--` is no option"
    );
}

#[test]
fn a_folder_stands_for_the_file_in_it() {
    let folder = Folder::new(&[("src/chosen.cpp", CHOSEN)]);
    build(&folder, "src/chosen.cpp", &["-DWAIT_FOR_IT=2"]);
    assert_eq!(folder.found(&["-p", "build"]), CHOSEN_LEAK);
    assert_eq!(
        folder.found(&["--compile-commands", "build", "src"]),
        CHOSEN_LEAK
    );
    assert_eq!(
        folder.found(&["src"]),
        [""; 0],
        "none is looked for unasked"
    );
}

#[test]
fn commands_are_split_as_a_shell_does() {
    let folder = Folder::new(&[("src/chosen.cpp", CHOSEN)]);
    commanded(
        &folder,
        "../src/chosen.cpp",
        r#"/usr/bin/c++ '-DTEXT="a b"' -D"WAIT_FOR_IT=2" -o out\ file.o -c ../src/chosen.cpp"#,
    );
    assert_eq!(folder.found(&NAMED), CHOSEN_LEAK);
}

#[test]
fn microsofts_options_count_for_its_compiler_alone() {
    let folder = Folder::new(&[("src/chosen.cpp", CHOSEN)]);
    for program in ["cl.exe", "/opt/msvc/bin/CL.EXE", "clang-cl"] {
        let command = format!("{program} /nologo /DWAIT_FOR_IT#2 /c ../src/chosen.cpp");
        commanded(&folder, "../src/chosen.cpp", &command);
        assert_eq!(folder.found(&NAMED), CHOSEN_LEAK, "{program}");
    }
    commanded(
        &folder,
        "../src/chosen.cpp",
        "c++ /DWAIT_FOR_IT=2 -c ../src/chosen.cpp",
    );
    assert_eq!(folder.found(&NAMED), [""; 0], "that is a path");
}

#[test]
fn response_files_are_read() {
    let folder = Folder::new(&[
        ("src/chosen.cpp", CHOSEN),
        ("build/flags.rsp", "-Wall\n@more.rsp"),
        ("build/more.rsp", "-DWAIT_FOR_IT=2\n"),
    ]);
    commanded(
        &folder,
        "../src/chosen.cpp",
        "c++ @flags.rsp -c ../src/chosen.cpp",
    );
    assert_eq!(folder.found(&NAMED), CHOSEN_LEAK);
    folder.write("build/more.rsp", "@more.rsp -DWAIT_FOR_IT=2");
    assert_eq!(
        folder.found(&NAMED),
        CHOSEN_LEAK,
        "one that names itself ends"
    );
}

#[test]
fn the_command_line_and_the_configuration_are_stronger() {
    let folder = Folder::new(&[("src/chosen.cpp", CHOSEN)]);
    build(&folder, "src/chosen.cpp", &["-DWAIT_FOR_IT=2"]);
    assert_eq!(folder.found(&["-p", "build", "-UWAIT_FOR_IT"]), [""; 0]);
    folder.write("pipelint.toml", "undefines = [\"WAIT_FOR_IT\"]\n");
    assert_eq!(folder.found(&["-p", "build"]), [""; 0]);
    folder.write("pipelint.toml", "defines = [\"WAIT_FOR_IT=0\"]\n");
    assert_eq!(folder.found(&["-p", "build"]), [""; 0]);
}

#[test]
fn the_configuration_can_name_it() {
    let folder = Folder::new(&[
        ("src/chosen.cpp", CHOSEN),
        ("pipelint.toml", "compile_commands = \"build\"\n"),
    ]);
    build(&folder, "src/chosen.cpp", &["-DWAIT_FOR_IT=2"]);
    assert_eq!(folder.found(&[]), CHOSEN_LEAK);
    let mut inside = folder.command(&["--format", "concise"]);
    let ran = inside.current_dir(folder.path().join("src")).output();
    let ran = crate::common::Ran::new(ran.expect("the command runs"));
    assert_eq!(
        ran.found(),
        ["chosen.cpp:5:20: PL103"],
        "relative to its own folder"
    );
}

#[test]
fn include_folders_lead_to_headers() {
    let folder = Folder::new(&[
        ("src/closer.cpp", CLOSER),
        ("one/close_it.h", CLOSES),
        ("two/close_it.h", CLOSES_NOT),
    ]);
    let twice = ["src/closer.cpp:9:5: PL105"];
    let forms: [&[&str]; 6] = [
        &["-Ione", "-Itwo"],
        &["-I", "./one"],
        &["-isystem", "one"],
        &["-isystemone"],
        &["-isystem", "two", "-Ione"],
        &["-iquote", "two", "-I", "src/../one"],
    ];
    for arguments in forms {
        build(&folder, "src/closer.cpp", arguments);
        let found = folder.found(&["-p", "build", "src"]);
        assert_eq!(found, twice, "{arguments:?}");
        let found = folder.found(&["-p", "build", "."]);
        assert_eq!(found, twice, "{arguments:?}, with the headers linted too");
    }
    build(&folder, "src/closer.cpp", &["-Itwo", "-Ione"]);
    assert_eq!(folder.found(&["-p", "build", "."]), [""; 0]);
    build(&folder, "src/closer.cpp", &[]);
    assert_eq!(folder.found(&["-p", "build", "src"]), [""; 0]);
}

#[test]
fn a_header_is_read_as_the_files_that_are_compiled() {
    let header = "#if CLOSES > 1\n#define CLOSE_IT(handle) CloseHandle(handle)\n#else\n#define CLOSE_IT(handle) SetEvent(handle)\n#endif\n";
    let folder = Folder::new(&[("src/closer.cpp", CLOSER), ("one/close_it.h", header)]);
    build(&folder, "src/closer.cpp", &["-Ione", "-DCLOSES=2"]);
    assert_eq!(
        folder.found(&["-p", "build", "src"]),
        ["src/closer.cpp:9:5: PL105"]
    );
    build(&folder, "src/closer.cpp", &["-Ione"]);
    assert_eq!(folder.found(&["-p", "build", "src"]), [""; 0]);
}

#[test]
fn definitions_are_constants_of_the_code() {
    let source = "#include <windows.h>

bool probe()
{
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr)
        return false;
    if (TRACED)
        return false;
    CloseHandle(event);
    return true;
}
";
    let folder = Folder::new(&[("traced.cpp", source)]);
    build(&folder, "traced.cpp", &["-DTRACED=0"]);
    assert_eq!(folder.found(&["-p", "build"]), [""; 0]);
    build(&folder, "traced.cpp", &["-DTRACED=1"]);
    assert_eq!(folder.found(&["-p", "build"]), ["traced.cpp:5:20: PL103"]);
}

#[test]
fn files_that_the_build_does_not_have_are_linted() {
    let folder = Folder::new(&[("leak.cpp", LEAK), ("other.cpp", CLEAN)]);
    build(&folder, "other.cpp", &[]);
    assert_eq!(folder.found(&["-p", "build"]), ["leak.cpp:5:20: PL103"]);
    build(&folder, "elsewhere.cpp", &[]);
    let ran = folder.run(&["-p", "build", "--format", "concise"]);
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103"]);
    assert_eq!(ran.status, Some(1));
    ran.says(&["speak of none of the files"]);
}

#[test]
fn what_cannot_be_read_is_said_with_its_name() {
    let folder = Folder::new(&[("clean.cpp", CLEAN)]);
    let wrong = [
        ("[{]", "line 1"),
        ("{\"file\": \"a.c\"}", "expected a sequence"),
        ("[{\"directory\": \".\"}]", "missing field `file`"),
        ("[\n{\"file\": 3}]", "line 2"),
        ("[{\"file\": \"a.c\"}]", "entry 1 (`a.c`) has neither"),
        (
            "[{\"file\": \"b.c\", \"command\": \"cc\"}, {\"file\": \"a.c\", \"command\": \"cc 'a.c\"}]",
            "entry 2 (`a.c`) has a `command` with a quote that is not closed",
        ),
        (
            "[{\"file\": \"a.c\", \"arguments\": [\"cc\", \"@gone.rsp\"]}]",
            "gone.rsp",
        ),
        ("", "EOF"),
    ];
    for (text, said) in wrong {
        folder.write("build/compile_commands.json", text);
        let ran = folder.run(&NAMED);
        assert_eq!(ran.status, Some(2), "{text}: {ran:?}");
        ran.says(&["build/compile_commands.json", said]);
        assert_eq!(ran.out, "", "{text}");
    }
    folder.write("build/compile_commands.json", [0xff, 0xfe, 0x00]);
    let ran = folder.run(&NAMED);
    assert_eq!(ran.status, Some(2));
    ran.says(&["build/compile_commands.json"]);
    let ran = folder.run(&["-p", "nowhere"]);
    assert_eq!(ran.status, Some(2));
    ran.says(&["cannot read the compile commands nowhere"]);
    let ran = folder.run(&["-p", "."]);
    assert_eq!(ran.status, Some(2));
    ran.says(&["compile_commands.json"]);
}

#[test]
fn a_build_without_files_is_none() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    folder.write("build/compile_commands.json", "\u{feff}[]");
    assert_eq!(folder.found(&NAMED), ["leak.cpp:5:20: PL103"]);
}

#[test]
fn a_build_on_windows_is_split_as_windows_does() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let entry = serde_json::json!([{
        "directory": "C:\\work\\build",
        "file": "..\\src\\a.cpp",
        "command": "\"C:\\Program Files\\cl.exe\" /I..\\include /DNAME=\\\"a\\\" /c ..\\src\\a.cpp",
    }]);
    folder.write("build/compile_commands.json", entry.to_string());
    let ran = folder.run(&["-p", "build", "--format", "concise"]);
    assert_eq!(ran.found(), ["leak.cpp:5:20: PL103"]);
    ran.says(&["speak of none of the files"]);
}
