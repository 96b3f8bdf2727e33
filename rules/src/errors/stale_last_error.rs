//! PL504.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// The thread's last error is asked for where the call that is meant has succeeded, or where its
/// result is dropped, so that nobody knows whether it left an error.
///
/// ## Why is this bad?
/// Most functions leave the last error alone when they succeed, so that it is that of any earlier call:
/// it says something only "when a function's return value indicates" so
/// (<https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror>).
/// A success is then reported as a failure of yesterday, or a failure as whatever was left there.
///
/// ## Known limits
/// Functions that are documented to set the error when they succeed as well (`CreateMutex` and
/// ERROR_ALREADY_EXISTS, `SetFilePointer`) are silent, as is what follows `SetLastError`, and an error
/// that is only kept, and used where the call is known to have failed.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// DWORD reset(HANDLE event)
/// {
///     ResetEvent(event);
///     return GetLastError();
/// }
/// ```
/// The result says whether there is an error:
/// ```cpp,good
/// #include <windows.h>
///
/// DWORD reset(HANDLE event)
/// {
///     if (!ResetEvent(event))
///         return GetLastError();
///     return ERROR_SUCCESS;
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::ResetEvent;
///
/// pub fn reset(event: HANDLE) -> io::Result<()> {
///     unsafe { ResetEvent(event) };
///     match io::Error::last_os_error() {
///         error if error.raw_os_error() == Some(0) => Ok(()),
///         error => Err(error),
///     }
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::ResetEvent;
///
/// pub fn reset(event: HANDLE) -> io::Result<()> {
///     if unsafe { ResetEvent(event) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL504", severity = "warning", group = "default", cwe(252, 755))]
pub(crate) struct StaleLastError;

impl Rule for StaleLastError {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::Stale { call, asks, judged }) = &event.kind else {
            return None;
        };
        let (call, at) = call;
        let why = match judged {
            Some(_) => format!("`{call}` has succeeded"),
            None => format!("the result of `{call}` is dropped"),
        };
        let words = Words {
            primary: event.at,
            label: format!("asks for an error that `{call}` may not have left"),
            message: format!("{why}, and `{asks}` asks for its error all the same"),
            help: format!("ask only where the result of `{call}` says that it failed"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let label = match judged {
            Some(_) => format!("`{call}` is called"),
            None => format!("the result of `{call}` is dropped"),
        };
        words::relabel(&mut diagnostic.path, *at, &label);
        if let Some(judged) = judged {
            words::relabel(
                &mut diagnostic.path,
                *judged,
                "this shows that it succeeded",
            );
        }
        words::relabel(
            &mut diagnostic.path,
            event.at,
            &format!("`{asks}` asks here"),
        );
        Some(diagnostic)
    }
}
