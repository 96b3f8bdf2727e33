//! A file that names no modelled function is looked at where it does its I/O through a class of the
//! program's own that starts operations.

use pipelint::{Input, Options, Run, lint};
use pipelint_report::Sources as _;

const OPERATION_H: &str = "
#include <windows.h>
class operation {
public:
    bool start(HANDLE pipe, const void *bytes, DWORD size);
    bool cancel(HANDLE pipe);
private:
    OVERLAPPED overlapped_{};
};
";
const OPERATION_CPP: &str = r#"
#include "operation.h"
bool operation::start(HANDLE pipe, const void *bytes, DWORD size)
{
    return WriteFile(pipe, bytes, size, nullptr, &overlapped_) || GetLastError() == ERROR_IO_PENDING;
}
bool operation::cancel(HANDLE pipe)
{
    return CancelIoEx(pipe, &overlapped_) || GetLastError() == ERROR_NOT_FOUND;
}
"#;
const PROBE: &str = "
bool probe(void *pipe)
{
    operation one;
    return one.start(pipe, \"?\", 1) && one.cancel(pipe);
}
";

const OPERATION_RS: &str = "
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_NOT_FOUND, GetLastError, HANDLE};
use windows_sys::Win32::Storage::FileSystem::WriteFile;
use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

pub struct Operation {
    overlapped: OVERLAPPED,
}

impl Operation {
    pub fn new() -> Self {
        Self { overlapped: OVERLAPPED::default() }
    }
    pub unsafe fn start(&mut self, pipe: HANDLE, bytes: &[u8]) -> bool {
        let (at, size) = (bytes.as_ptr(), bytes.len() as u32);
        let done = unsafe { WriteFile(pipe, at, size, std::ptr::null_mut(), &mut self.overlapped) };
        done != 0 || unsafe { GetLastError() } == ERROR_IO_PENDING
    }
    pub unsafe fn cancel(&mut self, pipe: HANDLE) -> bool {
        let asked = unsafe { CancelIoEx(pipe, &self.overlapped) };
        asked != 0 || unsafe { GetLastError() } == ERROR_NOT_FOUND
    }
}
";
const PROBE_RS: &str = "
pub unsafe fn probe(pipe: *mut core::ffi::c_void) -> bool {
    let mut one = Operation::new();
    unsafe { one.start(pipe, b\"?\") && one.cancel(pipe) }
}
";

fn run(files: &[(&str, &str)]) -> Run {
    let mut files = files.to_vec();
    files.sort_unstable();
    let inputs = files.into_iter().map(|(path, text)| Input {
        path: path.into(),
        text: text.to_owned(),
    });
    let run = lint(inputs.collect(), &Options::default(), &|| ());
    assert!(run.problems.is_empty(), "{:?}", run.problems);
    run
}

/// The findings, as path and code.
fn found(run: &Run) -> Vec<(&str, &str)> {
    let found = run.diagnostics.iter();
    found
        .map(|d| (run.sources.path(d.primary.file), d.rule.code))
        .collect()
}

#[test]
fn a_user_of_a_class_that_starts_operations_is_looked_at() {
    let probe = format!("#include \"operation.h\"\n{PROBE}");
    let run = run(&[
        ("operation.h", OPERATION_H),
        ("operation.cpp", OPERATION_CPP),
        ("probe.cpp", &probe),
    ]);
    assert_eq!(found(&run), [("probe.cpp", "PL302")]);
    assert_eq!(run.summary.parsed, 3);
}

#[test]
fn a_class_with_one_as_a_part_is_looked_at_where_its_methods_are() {
    let header = "#include \"operation.h\"
        class channel {
        public:
            explicit channel(void *pipe);
            ~channel();
        private:
            void *pipe_;
            operation write_;
        };";
    let methods = "#include \"channel.h\"
        channel::channel(void *pipe) : pipe_(pipe)
        {
            if (!write_.start(pipe_, \"?\", 1))
                throw 1;
        }
        channel::~channel() { write_.cancel(pipe_); }";
    let user = "#include \"channel.h\"\nbool use(channel *one) { return one != nullptr; }";
    let run = run(&[
        ("operation.h", OPERATION_H),
        ("operation.cpp", OPERATION_CPP),
        ("channel.h", header),
        ("channel.cpp", methods),
        ("user.cpp", user),
    ]);
    assert_eq!(found(&run), [("channel.cpp", "PL302")]);
    // The user's own operations are none of its.
    assert_eq!(run.summary.parsed, 4);
}

#[test]
fn a_class_of_the_same_name_is_another_one() {
    let run = run(&[
        ("operation.h", OPERATION_H),
        ("operation.cpp", OPERATION_CPP),
        (
            "sum.cpp",
            "struct operation { int n; };\nint twice(operation o) { return 2 * o.n; }",
        ),
    ]);
    assert_eq!(found(&run), []);
    assert_eq!(run.summary.parsed, 2);
}

#[test]
fn a_module_that_imports_such_a_type_is_looked_at() {
    let probe = format!("use crate::operation::Operation;\n{PROBE_RS}");
    let files = [
        ("src/lib.rs", "mod operation;\nmod probe;"),
        ("src/operation.rs", OPERATION_RS),
        ("src/probe.rs", &probe),
    ];
    assert_eq!(found(&run(&files)), [("src/probe.rs", "PL302")]);
}

#[test]
fn so_is_one_that_imports_it_from_where_it_is_exported_again() {
    let probe = format!("use crate::io::Operation;\n{PROBE_RS}");
    let files = [
        ("src/lib.rs", "mod io;\nmod probe;"),
        (
            "src/io/mod.rs",
            "mod operation;\npub use operation::Operation;",
        ),
        ("src/io/operation.rs", OPERATION_RS),
        ("src/probe.rs", &probe),
    ];
    assert_eq!(found(&run(&files)), [("src/probe.rs", "PL302")]);
}
