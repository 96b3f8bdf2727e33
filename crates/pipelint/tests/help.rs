//! The help of a finding is what can be typed in: the empty value of the kind of thing it is about.

use pipelint::{Input, Options, lint};

/// The helps of all findings in a C file.
fn helps(text: &str) -> Vec<String> {
    let input = Input {
        path: "f.c".into(),
        // A file that names nothing of the system's alone is not read.
        text: format!("#include <unistd.h>\nvoid tell(HANDLE e) {{ SetEvent(e); }}\n{text}"),
    };
    let run = lint(vec![input], &Options::default(), &|| ());
    run.diagnostics.into_iter().map(|d| d.help).collect()
}

#[test]
fn a_released_variable_is_reset_to_its_kinds_empty_value() {
    for (code, reset) in [
        ("void f(int fd) { close(fd); close(fd); }", "`fd = -1;`"),
        (
            "void f(HANDLE h) { CloseHandle(h); CloseHandle(h); }",
            "`h = NULL;`",
        ),
        (
            "void f(const wchar_t *p) { HANDLE h = CreateFileW(p, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL); \
             if (h == INVALID_HANDLE_VALUE) return; CloseHandle(h); CloseHandle(h); }",
            "`h = INVALID_HANDLE_VALUE;`",
        ),
    ] {
        let helps = helps(code);
        assert_eq!(helps.len(), 1, "{code}: {helps:?}");
        assert!(helps[0].contains(reset), "{code}: {helps:?}");
    }
}
