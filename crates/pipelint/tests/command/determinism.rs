//! The same input gives the same bytes, whatever the threads do.

use std::fmt::Write;

use crate::common::{CLEAN, Folder, LEAK, TWICE};

/// Files that call each other, include each other's headers, and hold findings of several kinds.
fn program() -> Folder {
    let folder = Folder::new(&[]);
    for i in 0..20 {
        let header = format!(
            "#pragma once\n#include <windows.h>\nstruct Owner{i} {{\n    Owner{i}();\n    ~Owner{i}() {{ CloseHandle(event); }}\n    void raise() {{ SetEvent(event); }}\n    HANDLE event;\n}};\n"
        );
        let mut source = format!(
            "#include \"owner{i}.h\"\n#include \"owner{}.h\"\n\nOwner{i}::Owner{i}()\n    : event(CreateEventW(nullptr, TRUE, FALSE, nullptr))\n{{\n}}\n\n",
            (i + 1) % 20
        );
        let part = [LEAK, TWICE, CLEAN][i % 3];
        let part = part.replace("#include <windows.h>\n", "");
        for name in ["probe", "shut", "raise"] {
            if part.contains(&format!("bool {name}()")) {
                source.push_str(&part.replace(name, &format!("{name}_{i}")));
            }
        }
        let _ = writeln!(source, "void caller_{i}() {{ probe_{}(); }}", (i + 3) % 20);
        folder.write(&format!("m{}/owner{i}.h", i % 4), header);
        folder.write(&format!("m{}/owner{i}.cpp", i % 4), source);
        folder.write(
            &format!("z{i}.c"),
            LEAK.replace("nullptr", "NULL").replace("bool", "int"),
        );
    }
    folder.write("blob.cpp", [0; 100]);
    folder.write("broken.cpp", "void f( { CreateEventW(");
    folder
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = program();
    for format in ["human", "concise", "json", "sarif", "github"] {
        let one = folder.run(&["--format", format, "-j1"]);
        assert_eq!(one.status, Some(1), "{format}");
        assert!(
            one.out.contains("PL103") && one.out.contains("PL101"),
            "{format}"
        );
        for _ in 0..2 {
            let four = folder.run(&["--format", format, "-j4"]);
            assert!(one.out == four.out, "{format}: -j1 and -j4 differ");
            assert_eq!(one.err, four.err, "{format}");
        }
    }
}

#[test]
fn the_order_of_the_paths_changes_no_finding() {
    let folder = program();
    let forth = folder.run(&["--format", "concise", "m0", "m1", "m2", "m3"]);
    let back = folder.run(&["--format", "concise", "m3", "m2", "m1", "m0"]);
    assert!(!forth.out.is_empty());
    assert_eq!(forth.out, back.out);
}
