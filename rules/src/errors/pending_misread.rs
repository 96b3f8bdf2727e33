//! PL507.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// `FALSE` from an overlapped call is taken for a failure, and no code asks whether the error is
/// `ERROR_IO_PENDING`: an operation that is under way is abandoned.
///
/// ## Why is this bad?
/// An overlapped call that does not complete at once returns `FALSE`, and `GetLastError` tells
/// `ERROR_IO_PENDING`, which is no error
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>).
/// The kernel goes on to use the buffer and the `OVERLAPPED`, whose owner believes them to be free; data
/// that is reported as lost is sent all the same, and sent twice when it is tried again.
///
/// ## Known limits
/// The operation counts as overlapped where its `OVERLAPPED` has an event, where no count is
/// asked for, or where it waits for a client; it must not be the caller's own. Where the error goes to code out of sight, that code may ask.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     HANDLE completed;
///     OVERLAPPED overlapped;
///
///     bool start(const void *data, DWORD size)
///     {
///         overlapped = OVERLAPPED();
///         overlapped.hEvent = completed;
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///             return false;
///         return true;
///     }
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     HANDLE completed;
///     OVERLAPPED overlapped;
///
///     bool start(const void *data, DWORD size)
///     {
///         overlapped = OVERLAPPED();
///         overlapped.hEvent = completed;
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///             return GetLastError() == ERROR_IO_PENDING;
///         return true;
///     }
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL507", severity = "error", group = "default", cwe(754, 825))]
pub(crate) struct PendingMisread;

impl Rule for PendingMisread {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::PendingMisread { api, judged, end }) = &event.kind
        else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "may be under way when it returns `FALSE`".to_owned(),
            message: format!(
                "`FALSE` from the overlapped `{api}` is taken for a failure: nobody asks for \
                 `ERROR_IO_PENDING`, and a pending operation is abandoned"
            ),
            help: "treat `ERROR_IO_PENDING` as started: wait for the completion before the buffer and \
                   the `OVERLAPPED` are used again"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(
            &mut diagnostic.path,
            event.at,
            &format!("`{api}` returns `FALSE`, and the operation may be under way"),
        );
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this is taken for a failure");
        }
        words::relabel(
            &mut diagnostic.path,
            *end,
            "the function is left as though it had failed",
        );
        Some(diagnostic)
    }
}
