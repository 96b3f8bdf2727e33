//! PL109.

use crate::prelude::*;

/// A value that is known to be the failure value on this path is released.
///
/// ## Why is this bad?
/// `CloseHandle` needs a valid handle to an open object; under a debugger it raises an exception
/// for any other value
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>). The
/// call also sets the last error to `ERROR_INVALID_HANDLE`, so that the reason of the failed
/// creation is gone before the caller asks for it. Most often it shows that the test is the wrong
/// way round, and that the path which does hold a handle leaks it.
///
/// ## Known limits
/// `free`, `LocalFree` and the like are documented to take `NULL` and are silent. So is a close of
/// what may be empty: the value must be known. Where it was made is not: it is enough that every path to
/// the close, in a function without loops, has found the value empty. A literal (`CloseHandle(NULL)`) is taken for
/// somebody's intention.
///
/// ## Examples
/// The close stands on the failure's side:
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE open_log(const wchar_t *path)
/// {
///     HANDLE log = CreateFileW(path, FILE_APPEND_DATA, 0, nullptr, OPEN_ALWAYS, 0, nullptr);
///     if (log == INVALID_HANDLE_VALUE) {
///         CloseHandle(log);
///         return nullptr;
///     }
///     return log;
/// }
/// ```
/// Nothing is open there, so nothing is closed:
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE open_log(const wchar_t *path)
/// {
///     HANDLE log = CreateFileW(path, FILE_APPEND_DATA, 0, nullptr, OPEN_ALWAYS, 0, nullptr);
///     if (log == INVALID_HANDLE_VALUE)
///         return nullptr;
///     return log;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL109", severity = "warning", group = "default", cwe(763))]
pub(crate) struct CloseOfInvalid;

impl Rule for CloseOfInvalid {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::CloseOfInvalid { var, api, value } = &event.kind else {
            return None;
        };
        let value = words::sentinel(*value);
        let (subject, var) = match event.resource.as_ref() {
            Some(made) => (words::subject(made), words::variable(made)),
            None => (format!("`{var}`"), var.as_str()),
        };
        let words = Words {
            primary: event.at,
            label: format!("{subject} is {value} here"),
            message: format!("`{api}` is called on {subject}, which is {value} on this path"),
            help: format!(
                "remove the call, or make it `if ({var} != {value}) {api}({var});` where both occur"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let last = format!("released by `{api}`, being {value}");
        words::relabel(&mut diagnostic.path, event.at, &last);
        Some(diagnostic)
    }
}
