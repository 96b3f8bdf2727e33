//! PL304.

use pipelint_analysis::IoFault;

use super::wording;
use crate::prelude::*;

/// An OVERLAPPED is given to a second operation before the first one is known to have completed.
///
/// ## Why is this bad?
/// The kernel keeps an operation's state in its OVERLAPPED; two operations that share one overwrite each
/// other's result, and nobody can tell which of them completed. It must not be reused before the completion
/// (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>).
///
/// ## Known limits
/// An element of an array whose index is not known is not followed. A method that leaves an operation under
/// way is run a second time on the same object where it takes the object's own lock: callers on any thread
/// cannot know then what is pending. Without a lock, when to start is the caller's business. In Rust, what a
/// lock guards is not followed from one call to the next.
///
/// ## Examples
/// A wait that timed out starts the read anew:
/// ```cpp,bad
/// #include <windows.h>
///
/// void pump(HANDLE pipe, OVERLAPPED *ov, char *byte)
/// {
///     for (;;)
///     {
///         if (!ReadFile(pipe, byte, 1, nullptr, ov) && GetLastError() != ERROR_IO_PENDING)
///             return;
///         if (WaitForSingleObject(ov->hEvent, 1000) == WAIT_TIMEOUT)
///             continue;
///         DWORD got = 0;
///         if (!GetOverlappedResult(pipe, ov, &got, TRUE))
///             return;
///     }
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// void pump(HANDLE pipe, OVERLAPPED *ov, char *byte)
/// {
///     for (;;)
///     {
///         if (!ReadFile(pipe, byte, 1, nullptr, ov) && GetLastError() != ERROR_IO_PENDING)
///             return;
///         while (WaitForSingleObject(ov->hEvent, 1000) == WAIT_TIMEOUT)
///             continue;
///         DWORD got = 0;
///         if (!GetOverlappedResult(pipe, ov, &got, TRUE))
///             return;
///     }
/// }
/// ```
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
/// use windows_sys::Win32::System::IO::OVERLAPPED;
///
/// pub unsafe fn ask(pipe: HANDLE, question: &[u8], answer: &mut [u8], ov: *mut OVERLAPPED) -> bool {
///     let none = std::ptr::null_mut();
///     if WriteFile(pipe, question.as_ptr(), question.len() as u32, none, ov) == 0
///         && GetLastError() != ERROR_IO_PENDING
///     {
///         return false;
///     }
///     ReadFile(pipe, answer.as_mut_ptr(), answer.len() as u32, none, ov) != 0
///         || GetLastError() == ERROR_IO_PENDING
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
///
/// pub unsafe fn ask(pipe: HANDLE, question: &[u8], answer: &mut [u8], ov: *mut OVERLAPPED) -> bool {
///     let none = std::ptr::null_mut();
///     let mut sent = 0;
///     if WriteFile(pipe, question.as_ptr(), question.len() as u32, none, ov) == 0
///         && GetLastError() != ERROR_IO_PENDING
///     {
///         return false;
///     }
///     if GetOverlappedResult(pipe, ov, &mut sent, 1) == 0 || sent as usize != question.len() {
///         return false;
///     }
///     ReadFile(pipe, answer.as_mut_ptr(), answer.len() as u32, none, ov) != 0
///         || GetLastError() == ERROR_IO_PENDING
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL304", severity = "error", group = "default", cwe(362, 664))]
pub(crate) struct OverlappedReusedWhilePending;

impl Rule for OverlappedReusedWhilePending {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::Reused {
            first,
            again,
            overlapped,
        }) = &event.kind
        else {
            return None;
        };
        let it = match overlapped.as_str() {
            "" => "the OVERLAPPED".to_owned(),
            name => format!("`{}`", name.trim_start_matches('*')),
        };
        let words = Words {
            primary: event.at,
            label: "starts a second operation with it".to_owned(),
            message: format!(
                "`{again}` gets {it} while the operation that `{}` started may be under way",
                first.0
            ),
            help: format!("wait first: `{}`", wording::wait(overlapped)),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
