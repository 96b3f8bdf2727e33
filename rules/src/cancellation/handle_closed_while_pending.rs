//! PL306.

use pipelint_analysis::IoFault;

use super::wording;
use crate::prelude::*;

/// The handle of an operation, or the event that it signals, is closed while the operation may be under
/// way, and nobody waits for it before its memory ends or the function is left.
///
/// ## Why is this bad?
/// Closing a handle asks the kernel to cancel what is under way on it, and does not wait
/// (<https://learn.microsoft.com/en-us/windows/win32/fileio/canceling-pending-i-o-operations>); the handle's
/// number may be given to somebody else at once, whose file a late cancel or `GetOverlappedResult` then
/// means. Without its event nobody learns when the OVERLAPPED and the buffer are free.
///
/// ## Known limits
/// An operation that a completion port tells of needs no event, and is silent. Where the memory ends with
/// the function as well, that is told, as PL303. Where one method leaves an operation under way and another
/// closes the handle, the closing method is told, unless it runs code out of sight that may wait or counts users
/// down. The destructor of a class within another is that class's business, and a private one its methods'.
/// A wait on a condition variable counts as one for the completion where it comes before the close.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// void farewell(HANDLE pipe, HANDLE event, OVERLAPPED *ov)
/// {
///     *ov = {};
///     ov->hEvent = event;
///     if (!WriteFile(pipe, "bye", 3, nullptr, ov) && GetLastError() == ERROR_IO_PENDING)
///     {
///         CloseHandle(pipe);
///         return;
///     }
///     CloseHandle(pipe);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// void farewell(HANDLE pipe, HANDLE event, OVERLAPPED *ov)
/// {
///     DWORD sent = 0;
///     *ov = {};
///     ov->hEvent = event;
///     if (!WriteFile(pipe, "bye", 3, nullptr, ov) && GetLastError() == ERROR_IO_PENDING)
///         GetOverlappedResult(pipe, ov, &sent, TRUE);
///     CloseHandle(pipe);
/// }
/// ```
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{CloseHandle, ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
///
/// pub fn farewell(pipe: HANDLE, event: HANDLE, overlapped: &mut OVERLAPPED) {
///     overlapped.hEvent = event;
///     unsafe {
///         let none = std::ptr::null_mut();
///         if WriteFile(pipe, b"bye".as_ptr(), 3, none, overlapped) == 0 {
///             if GetLastError() != ERROR_IO_PENDING {
///                 return;
///             }
///             CloseHandle(pipe);
///         }
///     }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::{CloseHandle, ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
///
/// pub fn farewell(pipe: HANDLE, event: HANDLE, overlapped: &mut OVERLAPPED) {
///     overlapped.hEvent = event;
///     let mut sent = 0;
///     unsafe {
///         let none = std::ptr::null_mut();
///         if WriteFile(pipe, b"bye".as_ptr(), 3, none, overlapped) == 0 {
///             if GetLastError() != ERROR_IO_PENDING {
///                 return;
///             }
///             GetOverlappedResult(pipe, overlapped, &mut sent, 1);
///             CloseHandle(pipe);
///         }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL306", severity = "error", group = "default", cwe(416, 672))]
pub(crate) struct HandleClosedWhilePending;

impl Rule for HandleClosedWhilePending {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::ClosedWhilePending { started, closer }) = &event.kind else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: format!("`{started}` may be under way still"),
            message: format!(
                "`{closer}` closes what the operation that `{started}` started works on, and nobody waits for its end"
            ),
            help: format!("cancel it and wait before: `{}`", wording::wait("")),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
