//! PL309.

use pipelint_analysis::IoFault;

use crate::prelude::*;

/// An event is reset after the operation that signals it was started: the signal of an operation that has
/// completed meanwhile is wiped out.
///
/// ## Why is this bad?
/// The starting call itself makes the event unsignalled, and the kernel signals it when the operation has
/// completed, which may be before the next statement
/// (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>). After the
/// reset, who waits for the event waits for ever.
///
/// ## Known limits
/// The event must be seen to be the operation's: by the value that `hEvent` was set to.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// bool connected(HANDLE pipe, HANDLE event)
/// {
///     DWORD none = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (ConnectNamedPipe(pipe, &ov) || GetLastError() != ERROR_IO_PENDING)
///         return true;
///     ResetEvent(event);
///     WaitForSingleObject(event, INFINITE);
///     return GetOverlappedResult(pipe, &ov, &none, TRUE);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool connected(HANDLE pipe, HANDLE event)
/// {
///     DWORD none = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     ResetEvent(event);
///     if (ConnectNamedPipe(pipe, &ov) || GetLastError() != ERROR_IO_PENDING)
///         return true;
///     WaitForSingleObject(event, INFINITE);
///     return GetOverlappedResult(pipe, &ov, &none, TRUE);
/// }
/// ```
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
/// use windows_sys::Win32::System::Threading::ResetEvent;
///
/// pub fn connected(pipe: HANDLE, event: HANDLE) -> bool {
///     let mut overlapped = OVERLAPPED { hEvent: event, ..Default::default() };
///     let mut none = 0;
///     unsafe {
///         if ConnectNamedPipe(pipe, &mut overlapped) == 0 && GetLastError() != ERROR_IO_PENDING {
///             return false;
///         }
///         ResetEvent(event);
///         GetOverlappedResult(pipe, &overlapped, &mut none, 1) != 0
///     }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
/// use windows_sys::Win32::System::Threading::ResetEvent;
///
/// pub fn connected(pipe: HANDLE, event: HANDLE) -> bool {
///     let mut overlapped = OVERLAPPED { hEvent: event, ..Default::default() };
///     let mut none = 0;
///     unsafe {
///         ResetEvent(event);
///         if ConnectNamedPipe(pipe, &mut overlapped) == 0 && GetLastError() != ERROR_IO_PENDING {
///             return false;
///         }
///         GetOverlappedResult(pipe, &overlapped, &mut none, 1) != 0
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL309", severity = "error", group = "default", cwe(362, 833))]
pub(crate) struct ResetAfterStart;

impl Rule for ResetAfterStart {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::ResetAfterStart { started, api, .. }) = &event.kind else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "wipes out the signal".to_owned(),
            message: format!(
                "`{api}` resets the event after `{started}` started the operation that signals it"
            ),
            help: format!(
                "move the reset before `{started}`, or leave it out: the start resets the event itself"
            ),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
