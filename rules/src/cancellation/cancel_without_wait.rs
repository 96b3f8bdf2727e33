//! PL302.

use pipelint_analysis::{IoEnd, IoFault};

use super::wording;
use crate::prelude::*;

/// After a request to cancel an operation, its OVERLAPPED, its buffer, its event or its handle is
/// freed, closed, used anew or leaves scope before anybody has waited for the completion.
///
/// ## Why is this bad?
/// `CancelIoEx` and `CancelIo` do not wait for the operations that they cancel, and some operations
/// cannot be cancelled at all; the OVERLAPPED must not be freed or reused before the operation has
/// completed (<https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>,
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelio>). Until then the kernel writes the
/// status into the OVERLAPPED and the data into the buffer: into a stack frame or a heap block that is
/// somebody else's by now. The operation may also have succeeded just before the cancel.
///
/// A wait is `GetOverlappedResult` with `TRUE`, an endless wait for the event, an alertable wait that ran
/// the completion routine, or the completion that a port delivers. `WaitForThreadpoolWaitCallbacks` waits
/// for callbacks, not for the operation.
///
/// ## Known limits
/// The failure `ERROR_NOT_FOUND` says that there is nothing to cancel, and counts as completed. A wait that
/// code out of sight may do counts as one. An operation whose memory outlives the function is followed only
/// as far as the program's code shows where the memory ends. Where one method, or one function on a structure,
/// leaves an operation under way that an event is to tell of, and another cancels it and frees its memory, the
/// other is told, unless it asks how the operation went or counts users down.
///
/// ## Examples
/// The read may still fill the buffer when the function has returned:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool answered(HANDLE pipe, HANDLE event, DWORD milliseconds)
/// {
///     char answer[64];
///     DWORD got = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (!ReadFile(pipe, answer, sizeof answer, nullptr, &ov) && GetLastError() != ERROR_IO_PENDING)
///         return false;
///     if (WaitForSingleObject(event, milliseconds) != WAIT_OBJECT_0)
///     {
///         CancelIoEx(pipe, &ov);
///         return false;
///     }
///     return GetOverlappedResult(pipe, &ov, &got, FALSE) && got != 0;
/// }
/// ```
/// The cancel is asked for, and its end is waited for:
/// ```cpp,good
/// #include <windows.h>
///
/// bool answered(HANDLE pipe, HANDLE event, DWORD milliseconds)
/// {
///     char answer[64];
///     DWORD got = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (!ReadFile(pipe, answer, sizeof answer, nullptr, &ov) && GetLastError() != ERROR_IO_PENDING)
///         return false;
///     if (WaitForSingleObject(event, milliseconds) != WAIT_OBJECT_0)
///         CancelIoEx(pipe, &ov);
///     return GetOverlappedResult(pipe, &ov, &got, TRUE) && got != 0;
/// }
/// ```
/// The same in Rust, where no borrow protects what the kernel has:
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE, WAIT_OBJECT_0};
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
/// use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
/// use windows_sys::Win32::System::Threading::WaitForSingleObject;
///
/// pub fn answered(pipe: HANDLE, event: HANDLE, milliseconds: u32) -> bool {
///     let mut answer = [0u8; 64];
///     let mut got = 0;
///     let mut overlapped = OVERLAPPED { hEvent: event, ..Default::default() };
///     unsafe {
///         let done = ReadFile(pipe, answer.as_mut_ptr(), 64, std::ptr::null_mut(), &mut overlapped);
///         if done == 0 && GetLastError() != ERROR_IO_PENDING {
///             return false;
///         }
///         if WaitForSingleObject(event, milliseconds) != WAIT_OBJECT_0 {
///             CancelIoEx(pipe, &overlapped);
///             return false;
///         }
///         GetOverlappedResult(pipe, &overlapped, &mut got, 0) != 0 && got != 0
///     }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE, WAIT_OBJECT_0};
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
/// use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
/// use windows_sys::Win32::System::Threading::WaitForSingleObject;
///
/// pub fn answered(pipe: HANDLE, event: HANDLE, milliseconds: u32) -> bool {
///     let mut answer = [0u8; 64];
///     let mut got = 0;
///     let mut overlapped = OVERLAPPED { hEvent: event, ..Default::default() };
///     unsafe {
///         let done = ReadFile(pipe, answer.as_mut_ptr(), 64, std::ptr::null_mut(), &mut overlapped);
///         if done == 0 && GetLastError() != ERROR_IO_PENDING {
///             return false;
///         }
///         if WaitForSingleObject(event, milliseconds) != WAIT_OBJECT_0 {
///             CancelIoEx(pipe, &overlapped);
///         }
///         GetOverlappedResult(pipe, &overlapped, &mut got, 1) != 0 && got != 0
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL302",
    severity = "error",
    group = "default",
    cwe(416, 825, 787)
)]
pub(crate) struct CancelWithoutWait;

impl Rule for CancelWithoutWait {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::NotWaited {
            cancel,
            started,
            overlapped,
            end,
            ..
        }) = &event.kind
        else {
            return None;
        };
        let operation = match started {
            Some(api) => format!("the operation that `{api}` started"),
            None if overlapped.is_empty() => "the operation".to_owned(),
            None => format!("the operation on `{overlapped}`"),
        };
        let happens = wording::happens(end, overlapped);
        let words = Words {
            primary: event.at,
            label: "asks for a cancel, and nobody waits for it".to_owned(),
            message: format!(
                "`{cancel}` only asks for a cancel: {happens}, and {operation} may not have completed"
            ),
            help: match end {
                IoEnd::Object => format!(
                    "wait before the object ends: `{}`",
                    wording::wait(overlapped)
                ),
                _ => format!("wait first: `{}`", wording::wait(overlapped)),
            },
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
