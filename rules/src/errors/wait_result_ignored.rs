//! PL510.

use pipelint_analysis::{ResultFault, WaitTaken};

use crate::prelude::*;

/// A wait that did not come to its signal, since the time went by or the wait failed, is taken for one
/// that did.
///
/// ## Why is this bad?
/// `WaitForSingleObject` and its kin return which object was signalled, `WAIT_TIMEOUT` when the time has
/// gone by, and `WAIT_FAILED` when they could not wait at all
/// (<https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject>). Who goes
/// on as after the signal reads a buffer that is not filled yet, tells its caller that all was done,
/// or releases a mutex that it never had (`ReleaseMutex` fails unless the calling thread owns the mutex,
/// <https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-releasemutex>). A result of a wait for
/// one object is never 1: `== TRUE` does not mean "signalled".
///
/// ## Known limits
/// It speaks where the outcome reaches the caller or a call that depends on it. A dropped wait
/// with a constant time, as in a shutdown, says what its author meant: a bounded pause. It is silent, as is
/// a wait without a time whose result is dropped, and any in a function that returns nothing.
/// `!= WAIT_TIMEOUT` counts as a look at the time alone, and is no claim about a failed wait.
///
/// ## Examples
/// The caller asked how long to wait, and hears that the event came:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool await_connection(HANDLE connected, DWORD milliseconds)
/// {
///     WaitForSingleObject(connected, milliseconds);
///     return true;
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0};
/// use windows_sys::Win32::System::Threading::WaitForSingleObject;
///
/// pub fn signalled(event: HANDLE, milliseconds: u32) -> io::Result<bool> {
///     match unsafe { WaitForSingleObject(event, milliseconds) } {
///         WAIT_OBJECT_0 => Ok(true),
///         _ => Ok(false),
///     }
/// }
/// ```
/// Each outcome is told by itself:
/// ```cpp,good
/// #include <windows.h>
///
/// DWORD await_connection(HANDLE connected, DWORD milliseconds)
/// {
///     switch (WaitForSingleObject(connected, milliseconds))
///     {
///     case WAIT_OBJECT_0:
///         return ERROR_SUCCESS;
///     case WAIT_TIMEOUT:
///         return ERROR_TIMEOUT;
///     default:
///         return GetLastError();
///     }
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT};
/// use windows_sys::Win32::System::Threading::WaitForSingleObject;
///
/// pub fn signalled(event: HANDLE, milliseconds: u32) -> io::Result<bool> {
///     match unsafe { WaitForSingleObject(event, milliseconds) } {
///         WAIT_OBJECT_0 => Ok(true),
///         WAIT_TIMEOUT => Ok(false),
///         _ => Err(io::Error::last_os_error()),
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL510", severity = "warning", group = "default", cwe(252, 253))]
pub(crate) struct WaitResultIgnored;

impl Rule for WaitResultIgnored {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Result(ResultFault::Wait { api, how, shown }) = &event.kind else {
            return None;
        };
        let (message, step, help) = match how {
            WaitTaken::Late => (
                format!(
                    "when the time of `{api}` has gone by, the function goes on as after the signal"
                ),
                "the time has gone by, or the wait has failed".to_owned(),
                "give `WAIT_TIMEOUT` and `WAIT_FAILED` results of their own".to_owned(),
            ),
            WaitTaken::Failed => (
                format!("when `{api}` has failed, the function goes on as after the signal"),
                "the wait has failed".to_owned(),
                "give `WAIT_FAILED` a result of its own, with the last error".to_owned(),
            ),
            WaitTaken::FailedForLate => (
                format!("when `{api}` has failed, the function says that the time has gone by"),
                "the time has gone by, or the wait has failed".to_owned(),
                "give `WAIT_TIMEOUT` an arm of its own, and return the last error otherwise"
                    .to_owned(),
            ),
            WaitTaken::Dropped => (
                format!(
                    "the result of `{api}` is dropped, and the function reports success, also when the time has gone by"
                ),
                "success is reported here".to_owned(),
                format!("return success only where `{api}` has returned `WAIT_OBJECT_0`"),
            ),
            WaitTaken::Needed(by) => (
                format!("`{by}` needs a wait that succeeded, and `{api}` may not have"),
                "this needs a wait that succeeded".to_owned(),
                format!(
                    "call `{by}` only where `{api}` has returned `WAIT_OBJECT_0` or `WAIT_ABANDONED`"
                ),
            ),
            WaitTaken::ComparedWithOne => (
                format!("the result of `{api}` is compared with 1, which it never is"),
                "1 is no result of a wait for one object".to_owned(),
                "compare it with `WAIT_OBJECT_0`".to_owned(),
            ),
        };
        let words = Words {
            primary: event.at,
            label: format!("the outcome of `{api}`"),
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &format!("`{api}` waits"));
        words::relabel(&mut diagnostic.path, *shown, &step);
        Some(diagnostic)
    }
}
