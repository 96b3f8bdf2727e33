//! PL502.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// Where an I/O call fails, some error is told apart and makes the function fail, and every other one
/// falls through: the function goes on, and reports success, as though the call had worked.
///
/// ## Why is this bad?
/// A call that returns `FALSE` has done its work for no error but the few that say so: of an
/// overlapped call `ERROR_IO_PENDING` means that it is under way
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>). After any other
/// the operation was not started, nothing will complete it, and who waits for it waits for ever; the
/// caller is told that its data went out.
///
/// ## Known limits
/// The rule speaks where the function reports some error of the same call, and returns for the others
/// what it returns when the call has worked. An error that is logged, kept or given to somebody else is
/// taken to be dealt with, as is an operation that is asked for its result afterwards.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     OVERLAPPED overlapped;
///     bool pending;
///
///     DWORD start(const void *data, DWORD size)
///     {
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///         {
///             const DWORD error = GetLastError();
///             if (error == ERROR_NO_DATA)
///                 return error;
///         }
///         pending = true;
///         return ERROR_SUCCESS;
///     }
/// };
/// ```
/// Only the one error that is none goes on:
/// ```cpp,good
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     OVERLAPPED overlapped;
///     bool pending;
///
///     DWORD start(const void *data, DWORD size)
///     {
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///         {
///             const DWORD error = GetLastError();
///             if (error != ERROR_IO_PENDING)
///                 return error;
///         }
///         pending = true;
///         return ERROR_SUCCESS;
///     }
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL502", severity = "warning", group = "default", cwe(754, 391))]
pub(crate) struct UnhandledIoError;

impl Rule for UnhandledIoError {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::FallsThrough { api, judged, end }) = &event.kind
        else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: format!("`{api}` fails"),
            message: format!("most errors of `{api}` pass for success: only some are told apart"),
            help: "let the errors through that are none (ERROR_IO_PENDING), and report all others"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &format!("`{api}` fails"));
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this shows that it failed");
        }
        words::relabel(
            &mut diagnostic.path,
            *end,
            "success is reported here all the same",
        );
        Some(diagnostic)
    }
}
