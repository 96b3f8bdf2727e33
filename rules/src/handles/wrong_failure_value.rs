//! PL102.

use pipelint_models::Sentinel;

use crate::prelude::*;

/// The result of a creating call is compared with a value that this call never returns on failure,
/// and nowhere with the one it does.
///
/// `CreateFile`, `CreateNamedPipe`, `CreateMailslot`, `FindFirstFile` and
/// `CreateToolhelp32Snapshot` fail with `INVALID_HANDLE_VALUE`; `CreateEvent`, `CreateMutex`,
/// `CreateThread`, `OpenProcess`, `CreateIoCompletionPort` and `CreateFileMapping` fail with
/// `NULL`; `open` fails with -1, for 0 is a good descriptor.
///
/// ## Why is this bad?
/// The two values are not interchangeable, and there is no rule but each function's page: the
/// reasons are historical (<https://devblogs.microsoft.com/oldnewthing/20040302-00/?p=40443>).
/// `CreateNamedPipeW` returns `INVALID_HANDLE_VALUE`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew>),
/// which is not zero, so `if (!pipe)` lets every failure pass: the check is there to be read in a
/// review, and does nothing.
///
/// ## Known limits
/// Silent when the result is compared with both values, in any form. A wrapper of the program that
/// maps one value to the other has no model and is not judged.
///
/// ## Examples
/// The test can never be true:
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE listen_on(const wchar_t *name)
/// {
///     HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT, 1,
///                                    4096, 4096, 0, nullptr);
///     if (pipe == nullptr)
///         return nullptr;
///     return pipe;
/// }
/// ```
/// The documented value is compared:
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE listen_on(const wchar_t *name)
/// {
///     HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_WAIT, 1,
///                                    4096, 4096, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return nullptr;
///     return pipe;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL102", severity = "error", group = "default", cwe(253))]
pub(crate) struct WrongFailureValue;

impl Rule for WrongFailureValue {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::WrongFailureValue { compared } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let (api, var) = (&made.api, words::variable(made));
        let failure = words::empty(made);
        // What is no pointer is compared with zero, however it is written.
        let number = matches!(
            made.failure,
            Some(Sentinel::MinusOne | Sentinel::InvalidSocket)
        );
        let compared = if number && compared == "NULL" {
            "0"
        } else {
            compared
        };
        let label = format!("`{api}` never returns {compared}");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!(
                "{} is compared with {compared}, but `{api}` fails with {failure}",
                words::subject(made)
            ),
            help: format!("compare with the documented value: `if ({var} == {failure}) {{ … }}`"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
