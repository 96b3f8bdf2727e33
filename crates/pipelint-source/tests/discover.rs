//! What is found under paths, and what is said of the rest.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use pipelint_source::{Discovery, ENDINGS, ProblemKind, discover};
use tempfile::TempDir;

/// A folder with these files; names that end in `/` are folders.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().expect("a temporary folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).expect("a folder");
        } else {
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }
    dir
}

fn find(paths: &[PathBuf]) -> Discovery {
    discover(paths, &Gitignore::empty())
}

/// The names found below the folder, with forward slashes.
fn names(found: &Discovery, dir: &Path) -> Vec<String> {
    let name = |path: &PathBuf| {
        let below = path.strip_prefix(dir).unwrap_or(path);
        below.to_string_lossy().replace('\\', "/")
    };
    found.files.iter().map(name).collect()
}

fn below(files: &[(&str, &str)]) -> Vec<String> {
    let dir = folder(files);
    let found = find(&[dir.path().to_owned()]);
    assert_eq!(found.problems, []);
    names(&found, dir.path())
}

#[test]
fn every_known_ending_is_taken_in_sorted_order() {
    let dir = TempDir::new().expect("a temporary folder");
    for ending in ENDINGS.iter().copied().chain(["rs", "txt", "o", "cppx"]) {
        fs::write(dir.path().join(format!("f.{ending}")), "").expect("a file");
    }
    fs::write(dir.path().join("F.CPP"), "").expect("a file");
    fs::write(dir.path().join("Makefile"), "").expect("a file");
    let mut expected: Vec<String> = ENDINGS.iter().map(|e| format!("f.{e}")).collect();
    expected.push("F.CPP".into());
    expected.sort();
    assert_eq!(names(&find(&[dir.path().to_owned()]), dir.path()), expected);
}

#[test]
fn hidden_and_target_folders_are_skipped() {
    let found = below(&[
        ("a.c", ""),
        (".hidden/b.c", ""),
        ("target/c.c", ""),
        ("sub/target/d.c", ""),
        ("targets/e.c", ""),
        (".f.c", ""),
    ]);
    assert_eq!(found, [".f.c", "a.c", "targets/e.c"]);
}

#[test]
fn ignore_files_apply_where_they_stand_and_below() {
    let found = below(&[
        (".gitignore", "gen/\n*.inl\n!keep.inl\n"),
        ("a.c", ""),
        ("gen/b.c", ""),
        ("x.inl", ""),
        ("keep.inl", ""),
        ("sub/.gitignore", "/only_here.c\n"),
        ("sub/only_here.c", ""),
        ("sub/deep/only_here.c", ""),
        ("sub/deep/y.inl", ""),
        ("other/only_here.c", ""),
    ]);
    assert_eq!(
        found,
        [
            "a.c",
            "keep.inl",
            "other/only_here.c",
            "sub/deep/only_here.c"
        ]
    );
}

#[test]
fn the_linters_own_ignore_file_is_stronger_and_a_nested_one_is_stronger_still() {
    let found = below(&[
        (".gitignore", "a.c\nb.c\n"),
        (".pipelintignore", "!a.c\nvendored/\n"),
        ("a.c", ""),
        ("b.c", ""),
        ("vendored/c.c", ""),
        ("sub/.gitignore", "!b.c\n"),
        ("sub/b.c", ""),
    ]);
    assert_eq!(found, ["a.c", "sub/b.c"]);
}

#[test]
fn ignore_files_above_apply_up_to_the_repository() {
    let dir = folder(&[
        (".gitignore", "*.c\n"),
        ("repo/.git/", ""),
        ("repo/.gitignore", "/src/gen/\n*.inl\n"),
        ("repo/src/a.c", ""),
        ("repo/src/gen/b.c", ""),
        ("repo/src/x.inl", ""),
        ("repo/src/deep/.gitignore", "!x.inl\n"),
        ("repo/src/deep/x.inl", ""),
    ]);
    for src in ["repo/src", "repo/src/gen/..", "repo/../repo/src/deep/.."] {
        let src = dir.path().join(src);
        assert_eq!(
            names(&find(std::slice::from_ref(&src)), &src),
            ["a.c", "deep/x.inl"]
        );
    }
}

#[test]
fn outside_of_a_repository_ignore_files_above_say_nothing() {
    let dir = folder(&[(".gitignore", "*.c\n"), ("src/a.c", "")]);
    let src = dir.path().join("src");
    assert_eq!(names(&find(std::slice::from_ref(&src)), &src), ["a.c"]);
}

#[test]
fn a_broken_pattern_is_a_note_and_the_others_apply() {
    let dir = folder(&[(".gitignore", "{a\nb.c\n"), ("a.c", ""), ("b.c", "")]);
    let found = find(&[dir.path().to_owned()]);
    assert_eq!(names(&found, dir.path()), ["a.c"]);
    assert_eq!(found.problems.len(), 1);
    assert_eq!(found.problems[0].kind, ProblemKind::Note);
    assert!(
        found.problems[0].message.contains(".gitignore"),
        "{:?}",
        found.problems
    );
}

#[test]
fn a_named_file_is_taken_even_if_it_is_ignored() {
    let dir = folder(&[(".gitignore", "*.c\n"), ("a.c", ""), ("target/b.c", "")]);
    let paths = [dir.path().join("a.c"), dir.path().join("target/b.c")];
    let found = find(&paths);
    assert_eq!(names(&found, dir.path()), ["a.c", "target/b.c"]);
}

#[test]
fn a_file_named_in_several_ways_is_taken_once() {
    let dir = folder(&[("a.c", ""), ("sub/", "")]);
    let paths = [
        dir.path().to_owned(),
        dir.path().join("a.c"),
        dir.path().join("sub/../a.c"),
    ];
    assert_eq!(names(&find(&paths), dir.path()), ["a.c"]);
}

#[test]
fn what_cannot_be_linted_is_a_problem_and_the_rest_is_found() {
    let dir = folder(&[("a.c", ""), ("notes.txt", "")]);
    let missing = dir.path().join("missing.c");
    let text = dir.path().join("notes.txt");
    let found = find(&[missing.clone(), text.clone(), dir.path().join("a.c")]);
    assert_eq!(names(&found, dir.path()), ["a.c"]);
    let paths: Vec<_> = found.problems.iter().map(|p| (&p.path, p.kind)).collect();
    assert_eq!(
        paths,
        [(&missing, ProblemKind::Error), (&text, ProblemKind::Error)]
    );
    assert!(found.problems[0].message.contains("missing.c"));
    assert!(
        found.problems[1]
            .message
            .contains("no ending of a C, C++ or Rust source")
    );
    assert!(found.problems.iter().all(|p| !p.help.is_empty()));
}

#[test]
fn excluded_paths_are_left_out() {
    let dir = folder(&[
        ("a.c", ""),
        ("third_party/b.c", ""),
        ("src/third_party/c.c", ""),
        ("src/gen_d.c", ""),
    ]);
    let real = dir.path().canonicalize().expect("the folder exists");
    let mut builder = GitignoreBuilder::new(real);
    for pattern in ["/third_party", "gen_*.c"] {
        builder.add_line(None, pattern).expect("a pattern");
    }
    let exclude = builder.build().expect("patterns");
    let found = discover(&[dir.path().to_owned()], &exclude);
    assert_eq!(names(&found, dir.path()), ["a.c", "src/third_party/c.c"]);
    let found = discover(&[dir.path().join("src")], &exclude);
    assert_eq!(names(&found, dir.path()), ["src/third_party/c.c"]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_loop_of_links_is_a_note() {
        let dir = folder(&[("a/b/x.c", ""), ("c/y.c", "")]);
        symlink(dir.path().join("a"), dir.path().join("a/b/back")).expect("a link");
        symlink("self", dir.path().join("self")).expect("a link");
        symlink("self.c", dir.path().join("self.c")).expect("a link");
        let found = find(&[dir.path().to_owned()]);
        assert_eq!(names(&found, dir.path()), ["a/b/x.c", "c/y.c"]);
        let mut notes: Vec<_> = found
            .problems
            .iter()
            .map(|p| (names_of(&p.path), p.kind))
            .collect();
        notes.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            notes,
            [
                ("back".into(), ProblemKind::Note),
                ("self.c".into(), ProblemKind::Note)
            ]
        );
    }

    fn names_of(path: &Path) -> String {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn links_that_double_at_every_level_are_walked_once() {
        let dir = TempDir::new().expect("a temporary folder");
        // Without a bound, 2^40 paths lead to the file.
        for level in 0..40 {
            let this = dir.path().join(format!("d{level:02}"));
            fs::create_dir(&this).expect("a folder");
            for name in ["l", "r"] {
                symlink(
                    dir.path().join(format!("d{:02}", level + 1)),
                    this.join(name),
                )
                .expect("a link");
            }
        }
        fs::create_dir(dir.path().join("d40")).expect("a folder");
        fs::write(dir.path().join("d40/x.c"), "").expect("a file");
        assert_eq!(find(&[dir.path().join("d00")]).files.len(), 1);
    }

    #[test]
    fn a_file_reached_over_a_link_too_is_taken_once() {
        let dir = folder(&[("src/a.c", "")]);
        symlink(dir.path().join("src"), dir.path().join("also")).expect("a link");
        symlink(dir.path().join("src/a.c"), dir.path().join("b.c")).expect("a link");
        assert_eq!(
            names(&find(&[dir.path().to_owned()]), dir.path()),
            ["also/a.c"]
        );
    }

    #[test]
    fn an_unreadable_folder_is_a_problem() {
        let dir = folder(&[("a.c", ""), ("locked/b.c", "")]);
        let locked = dir.path().join("locked");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("the mode is set");
        // Some users may read everything.
        let readable = fs::read_dir(&locked).is_ok();
        let found = find(&[dir.path().to_owned()]);
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).expect("the mode is set");
        if readable {
            assert_eq!(names(&found, dir.path()), ["a.c", "locked/b.c"]);
        } else {
            assert_eq!(names(&found, dir.path()), ["a.c"]);
            assert_eq!(found.problems.len(), 1);
            assert_eq!(found.problems[0].kind, ProblemKind::Error);
            assert!(found.problems[0].message.contains("locked"));
        }
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let dir = folder(&[("a.c", "")]);
        let socket = dir.path().join("s.c");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        assert_eq!(names(&find(&[dir.path().to_owned()]), dir.path()), ["a.c"]);
        let found = find(&[socket]);
        assert_eq!(found.files, Vec::<PathBuf>::new());
        assert!(
            found.problems[0].message.contains("no regular file"),
            "{:?}",
            found.problems
        );
    }

    #[test]
    fn names_that_are_no_utf_8_survive() {
        let dir = TempDir::new().expect("a temporary folder");
        let name = OsStr::from_bytes(b"gr\xfc\xdfe.c");
        if fs::write(dir.path().join(name), "").is_err() {
            return; // The file system refuses such names.
        }
        let found = find(&[dir.path().to_owned()]);
        assert_eq!(found.files, [dir.path().join(name)]);
    }
}
