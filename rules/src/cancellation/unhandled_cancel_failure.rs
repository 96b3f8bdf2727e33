//! PL301.

use pipelint_analysis::IoFault;

use super::wording;
use crate::prelude::*;

/// `CancelIoEx` or `CancelIo` failed, or nobody looked whether it did, and the code goes on as though the
/// operation were cancelled: its memory or handle is used anew or ends, or the function reports success.
/// Also a cancel that is given something else than a handle, which always fails.
///
/// ## Why is this bad?
/// A cancel that failed for another reason than `ERROR_NOT_FOUND` leaves the operation under way
/// (<https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>). Who waits for its end then
/// waits for what may never come, and memory that is freed is written to by the kernel later on.
/// `CancelIo` takes a handle, and cancels all that the calling thread started on it
/// (<https://learn.microsoft.com/en-us/windows/win32/fileio/cancelio>).
///
/// ## Known limits
/// `ERROR_NOT_FOUND` is no fault. A dropped result counts where the function tells by its own result how it
/// went, and says that all is well; else, what follows a cancel is PL302's.
///
/// ## Examples
/// A failed cancel leaves the loop, and the memory of a read that goes on:
/// ```cpp,bad
/// #include <windows.h>
///
/// void poll(HANDLE pipe, HANDLE event)
/// {
///     char answer[64];
///     DWORD got = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (ReadFile(pipe, answer, sizeof answer, nullptr, &ov) || GetLastError() != ERROR_IO_PENDING)
///         return;
///     if (CancelIoEx(pipe, &ov))
///         GetOverlappedResult(pipe, &ov, &got, TRUE);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// void poll(HANDLE pipe, HANDLE event)
/// {
///     char answer[64];
///     DWORD got = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (ReadFile(pipe, answer, sizeof answer, nullptr, &ov) || GetLastError() != ERROR_IO_PENDING)
///         return;
///     if (CancelIoEx(pipe, &ov) || GetLastError() != ERROR_NOT_FOUND)
///         GetOverlappedResult(pipe, &ov, &got, TRUE);
/// }
/// ```
/// A helper that always reports success:
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};
///
/// pub fn cancel(pipe: HANDLE, overlapped: &OVERLAPPED) -> io::Result<()> {
///     unsafe { CancelIoEx(pipe, overlapped) };
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::{ERROR_NOT_FOUND, GetLastError, HANDLE};
/// use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};
///
/// pub fn cancel(pipe: HANDLE, overlapped: &OVERLAPPED) -> io::Result<()> {
///     if unsafe { CancelIoEx(pipe, overlapped) } == 0 {
///         let error = unsafe { GetLastError() };
///         if error != ERROR_NOT_FOUND {
///             return Err(io::Error::from_raw_os_error(error as i32));
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL301",
    severity = "warning",
    group = "default",
    cwe(252, 754, 416)
)]
pub(crate) struct UnhandledCancelFailure;

impl Rule for UnhandledCancelFailure {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(fault) = &event.kind else {
            return None;
        };
        let (label, message, help) = match fault {
            IoFault::CancelFailed {
                cancel,
                overlapped,
                end: Some(end),
                ..
            } => (
                "its failure leaves the operation under way".to_owned(),
                format!(
                    "`{cancel}` failed, and {} while the operation goes on",
                    wording::happens(end, overlapped)
                ),
                format!("wait also then: `{}`", wording::wait(overlapped)),
            ),
            IoFault::CancelFailed {
                cancel, dropped, ..
            } => {
                let seen = if *dropped {
                    format!("the result of `{cancel}` is dropped")
                } else {
                    format!("`{cancel}` failed")
                };
                (
                    "the operation may go on".to_owned(),
                    format!("{seen}, and the function reports success"),
                    "return the error, unless it is `ERROR_NOT_FOUND`".to_owned(),
                )
            }
            IoFault::NotAHandle { cancel } => (
                "this is no handle".to_owned(),
                format!(
                    "`{cancel}` wants a handle and gets the address of an OVERLAPPED: it cancels nothing"
                ),
                format!(
                    "give it the handle: `{cancel}(handle)`, or `CancelIoEx(handle, &overlapped)`"
                ),
            ),
            _ => return None,
        };
        let words = Words {
            primary: event.at,
            label,
            message,
            help,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
