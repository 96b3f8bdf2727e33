//! Which definition of a macro a file sees: it closes a handle, and only where the macro is known to
//! do so is the handle closed twice.

use std::path::Path;

use pipelint::{Input, Options, Run, lint};

const CLOSES: &str = "#define SHUT(h) CloseHandle(h)\n";
const ASKS: &str = "#define SHUT(h) ((h) == NULL)\n";

fn source(includes: &str) -> String {
    format!(
        "#include <windows.h>\n{includes}
void nothing(void)
{{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (event == NULL)
        return;
    CloseHandle(event);
    SHUT(event);
}}
"
    )
}

fn run(files: &[(&str, &str)], follow_includes: bool) -> Run {
    let mut files = files.to_vec();
    files.sort_unstable();
    let inputs = files.into_iter().map(|(path, text)| Input {
        path: path.into(),
        text: text.to_owned(),
    });
    let options = Options {
        follow_includes,
        ..Options::default()
    };
    let run = lint(inputs.collect(), &options, &|| ());
    assert!(run.problems.is_empty(), "{:?}", run.problems);
    run
}

fn double_closes(run: &Run) -> usize {
    let found = run.diagnostics.iter();
    found.filter(|found| found.rule.code == "PL105").count()
}

/// Whether `SHUT` in the file is known to close.
fn closes(path: &str, includes: &str, others: &[(&str, &str)]) -> bool {
    let text = source(includes);
    let mut files = vec![(path, text.as_str())];
    files.extend(others);
    double_closes(&run(&files, false)) == 1
}

#[test]
fn a_header_beside_the_file_is_meant_first() {
    let others = [
        ("src/shut.h", CLOSES),
        ("shut.h", ASKS),
        ("inc/shut.h", ASKS),
    ];
    assert!(closes("src/a.c", "#include \"shut.h\"", &others));
    let others = [("src/shut.h", ASKS), ("shut.h", CLOSES)];
    assert!(!closes("src/a.c", "#include \"shut.h\"", &others));
    assert!(closes("src/a.c", "#include \"../shut.h\"", &others));
    assert!(closes("src/a.c", "#include \"..\\SHUT.H\"", &others));
}

#[test]
fn else_the_one_whose_path_ends_alike() {
    let others = [
        ("lib/inc/util/shut.h", CLOSES),
        ("lib/inc/other/shut.h", ASKS),
    ];
    assert!(closes("lib/src/a.c", "#include <util/shut.h>", &others));
    assert!(closes("lib/src/a.c", "#include \"util/shut.h\"", &others));
    assert!(!closes("lib/src/a.c", "#include <other/shut.h>", &others));
    // Of two, the nearer.
    let others = [("one/inc/shut.h", ASKS), ("two/inc/shut.h", CLOSES)];
    assert!(closes("two/src/a.c", "#include <shut.h>", &others));
    assert!(!closes("one/src/a.c", "#include <shut.h>", &others));
}

#[test]
fn headers_lead_to_further_headers() {
    let others = [
        (
            "all.h",
            "#pragma once\n#include \"all.h\"\n#include \"more.h\"\n",
        ),
        (
            "more.h",
            "#if 1\n#include \"deep/shut.h\"\n#else\n#include \"asks.h\"\n#endif\n",
        ),
        ("deep/shut.h", CLOSES),
        ("asks.h", ASKS),
    ];
    assert!(closes("a.c", "#include \"all.h\"", &others));
}

#[test]
fn what_a_header_takes_back_is_not_seen() {
    let taken_back = format!("{CLOSES}#undef SHUT\n");
    assert!(!closes(
        "a.c",
        "#include \"shut.h\"",
        &[("shut.h", &taken_back)]
    ));
    let replaced = format!("{ASKS}#undef SHUT\n{CLOSES}");
    assert!(closes(
        "a.c",
        "#include \"shut.h\"",
        &[("shut.h", &replaced)]
    ));
    // The file's own word is the last.
    let includes = format!("#include \"shut.h\"\n#undef SHUT\n{ASKS}");
    assert!(!closes("a.c", &includes, &[("shut.h", CLOSES)]));
}

#[test]
fn two_that_differ_decide_nothing() {
    let others = [("one.h", CLOSES), ("two.h", ASKS)];
    assert!(!closes(
        "a.c",
        "#include \"one.h\"\n#include \"two.h\"",
        &others
    ));
    assert!(closes("a.c", "#include \"one.h\"", &others));
    let alike = [
        ("one.h", CLOSES),
        ("two.h", "#  define SHUT( h ) CloseHandle(h) // ends it\n"),
    ];
    assert!(closes(
        "a.c",
        "#include \"one.h\"\n#include \"two.h\"",
        &alike
    ));
}

#[test]
fn the_only_definition_of_a_header_is_taken() {
    assert!(closes("a.c", "#include \"lost.h\"", &[("shut.h", CLOSES)]));
    // But not where another exists, nor what a source file keeps for itself.
    let two = [("shut.h", CLOSES), ("asks.h", ASKS)];
    assert!(!closes("a.c", "#include \"lost.h\"", &two));
    assert!(!closes("a.c", "#include \"lost.h\"", &[("b.c", CLOSES)]));
    // Nor where the file has a function of that name.
    let declared = "void SHUT(HANDLE h);";
    assert!(!closes("a.c", declared, &[("shut.h", CLOSES)]));
    // Nor for a name of the system's.
    let header = [(
        "compat.h",
        "#define WaitForSingleObject(h, n) CloseHandle(h)\n",
    )];
    let text = source("").replace("SHUT(event)", "WaitForSingleObject(event, 1)");
    let mut files = vec![("a.c", text.as_str())];
    files.extend(header);
    assert_eq!(double_closes(&run(&files, false)), 0);
}

#[test]
fn a_file_that_names_macros_alone_is_read() {
    let header = "#define MADE() CreateEventW(NULL, TRUE, FALSE, NULL)
#define SHUT_NOW(h) CloseHandle(h)
#define SHUT(h) SHUT_NOW(h)
";
    let source = "#include \"shut.h\"
void nothing(void *e) { SHUT(e); e = MADE(); if (e) { SHUT(e); SHUT(e); } }
";
    let run = run(
        &[("a.c", source), ("b.c", "int b;"), ("shut.h", header)],
        false,
    );
    assert_eq!(double_closes(&run), 1);
    assert_eq!(run.summary.parsed, 2);
}

#[test]
fn headers_that_were_not_given_are_read_where_that_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(folder.path().join("inc")).expect("a folder");
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    write("all.h", "#include \"inc/shut.h\"\n");
    write("inc/shut.h", CLOSES);
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let source = source("#include \"all.h\"");
    let main = path("a.c");
    assert!(!Path::new(&main).exists());
    let files = [(main.as_str(), source.as_str())];
    assert_eq!(double_closes(&run(&files, true)), 1);
    assert_eq!(double_closes(&run(&files, false)), 0);
}
