//! PL511.

use pipelint_analysis::{Dependence, ResultFault};

use crate::prelude::*;

/// The result of `GetOverlappedResult` is dropped, and the function returns the count that the call
/// was to tell, or reports success.
///
/// `(void)` says that the result is dropped on purpose, and is accepted.
///
/// ## Why is this bad?
/// The call returns `FALSE` when the operation failed, when it still runs, and when it cannot be
/// asked (<https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult>). It is the
/// one place where the error of an overlapped operation shows: a peer that has gone, a cancelled
/// write, a full disk. Who takes the count without the result takes 0 or an old number for what
/// was transferred.
///
/// ## Known limits
/// After `CancelIo` or `CancelIoEx` on the same handle in the same function the call only waits, and
/// is silent. So is one whose count is compared with something, or after which the last error is asked for.
/// A count that is handed to other code, or returned by itself, is taken to be judged there: 0 may
/// well say that it failed.
///
/// ## Examples
/// A write to a pipe whose reader has gone looks like one of 0 bytes that went well:
/// ```cpp,bad
/// #include <windows.h>
/// #include <system_error>
///
/// struct transfer
/// {
///     DWORD bytes;
///     std::error_code error;
/// };
///
/// transfer finish(HANDLE pipe, OVERLAPPED *operation)
/// {
///     DWORD transferred = 0;
///     GetOverlappedResult(pipe, operation, &transferred, TRUE);
///     return {transferred, {}};
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
///
/// pub fn finish(pipe: HANDLE, operation: &OVERLAPPED) -> io::Result<usize> {
///     let mut transferred = 0;
///     unsafe { GetOverlappedResult(pipe, operation, &mut transferred, 1) };
///     Ok(transferred as usize)
/// }
/// ```
/// The result decides, and a cancelled operation is only waited for:
/// ```cpp,good
/// #include <windows.h>
///
/// bool finish(HANDLE pipe, OVERLAPPED *operation, DWORD *transferred)
/// {
///     return GetOverlappedResult(pipe, operation, transferred, TRUE) != FALSE;
/// }
///
/// void abandon(HANDLE pipe, OVERLAPPED *operation)
/// {
///     DWORD transferred = 0;
///     CancelIoEx(pipe, operation);
///     GetOverlappedResult(pipe, operation, &transferred, TRUE);
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
///
/// pub fn finish(pipe: HANDLE, operation: &OVERLAPPED) -> io::Result<usize> {
///     let mut transferred = 0;
///     if unsafe { GetOverlappedResult(pipe, operation, &mut transferred, 1) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(transferred as usize)
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL511", severity = "warning", group = "default", cwe(252))]
pub(crate) struct OverlappedResultIgnored;

impl Rule for OverlappedResultIgnored {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Result(ResultFault::Completion {
            api,
            depends,
            shown,
        }) = &event.kind
        else {
            return None;
        };
        let (clause, step) = match depends {
            Dependence::CountUsed => ("the count is returned", "the count is returned here"),
            _ => ("the function reports success", "success is reported here"),
        };
        let label = format!("the result of `{api}` is dropped");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("the result of `{api}` is dropped, and {clause}"),
            help: format!(
                "test the result of `{api}`; where it is `FALSE`, the operation failed or still runs"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        words::relabel(&mut diagnostic.path, *shown, step);
        Some(diagnostic)
    }
}
