//! `rules`, `explain` and `dump`.

use crate::common::{Folder, LEAK};

#[test]
fn rules_lists_each_rule_once_by_code() {
    let ran = Folder::new(&[]).run(&["rules"]);
    assert_eq!((ran.status, &*ran.err), (Some(0), ""));
    let codes: Vec<&str> = ran
        .out
        .lines()
        .filter_map(|l| l.split(' ').next())
        .collect();
    assert!(codes.len() >= 13, "{codes:?}");
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    assert!(ran.out.contains("unchecked-handle-creation"));
}

#[test]
fn explain_takes_codes_and_names_in_any_case() {
    let folder = Folder::new(&[]);
    let page = folder.run(&["explain", "PL103"]);
    assert_eq!((page.status, &*page.err), (Some(0), ""));
    for word in [
        "# PL103 leaked-handle",
        "## Why is this bad?",
        "CWE-775",
        "docs/rules/PL103.md",
    ] {
        assert!(page.out.contains(word), "no {word} in {}", page.out);
    }
    for other in ["pl103", "leaked-handle", "LEAKED-HANDLE"] {
        assert_eq!(folder.run(&["explain", other]).out, page.out);
    }
}

#[test]
fn explain_names_what_was_meant() {
    let folder = Folder::new(&[]);
    for (wanted, meant) in [
        ("leaked-handles", "leaked-handle"),
        ("PL1O3", "PL103"),
        ("zebra", "pipelint rules"),
        ("", "pipelint rules"),
    ] {
        let ran = folder.run(&["explain", wanted]);
        assert_eq!((ran.status, &*ran.out), (Some(2), ""), "{wanted}");
        ran.says(&[&format!("`{wanted}`"), meant]);
    }
}

#[test]
fn dump_prints_the_ir_and_the_graph() {
    let folder = Folder::new(&[("leak.cpp", LEAK)]);
    let ir = folder.run(&["dump", "ir", "leak.cpp"]);
    assert_eq!((ir.status, &*ir.err), (Some(0), ""));
    for word in [
        "fn probe()",
        "event = call CreateEventW(",
        "call CloseHandle(event)",
    ] {
        assert!(ir.out.contains(word), "no {word} in {}", ir.out);
    }
    let cfg = folder.run(&["dump", "cfg", "leak.cpp"]);
    assert_eq!((cfg.status, &*cfg.err), (Some(0), ""));
    assert!(
        cfg.out.contains("flowchart TD") && cfg.out.contains("bb0"),
        "{}",
        cfg.out
    );
}

#[test]
fn dump_takes_defines_and_the_configuration() {
    let folder = Folder::new(&[(
        "f.cpp",
        "void f()\n{\n#ifdef EXTRA\n    extra();\n#endif\n}\n",
    )]);
    let extra = |args: &[&str]| folder.run(args).out.contains("call extra");
    assert!(!extra(&["dump", "ir", "f.cpp"]));
    assert!(extra(&["dump", "ir", "f.cpp", "-DEXTRA"]));
    folder.write("pipelint.toml", "defines = [\"EXTRA\"]\n");
    assert!(extra(&["dump", "ir", "f.cpp"]));
    assert!(!extra(&["dump", "ir", "f.cpp", "-U", "EXTRA"]));
}

#[test]
fn dump_of_what_cannot_be_read_names_it() {
    let folder = Folder::new(&[]);
    folder.write("blob.cpp", [0; 64]);
    for (path, word) in [
        ("absent.cpp", "cannot read absent.cpp"),
        ("blob.cpp", "blob.cpp is not text"),
    ] {
        let ran = folder.run(&["dump", "ir", path]);
        assert_eq!((ran.status, &*ran.out), (Some(2), ""));
        ran.says(&[word, "help:"]);
    }
}

#[test]
fn dump_survives_deep_nesting() {
    let deep = format!(
        "int f() {{ return {}1{}; }}\n",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    let blocks = format!("void g() {}{}\n", "{".repeat(10_000), "}".repeat(10_000));
    let folder = Folder::new(&[("deep.cpp", &format!("{deep}{blocks}"))]);
    for what in ["ir", "cfg"] {
        assert_eq!(folder.run(&["dump", what, "deep.cpp"]).status, Some(0));
    }
}
