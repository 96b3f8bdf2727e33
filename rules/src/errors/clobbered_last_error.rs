//! PL503.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// A call that may set the thread's last error stands between the call that failed and the place that
/// asks what went wrong.
///
/// ## Why is this bad?
/// The last error is one value for each thread, and the next call may overwrite it: "you should call
/// `GetLastError` immediately when a function's return value indicates that such a call will return
/// useful data", as some functions set it to 0 when they succeed
/// (<https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror>).
/// `errno` is left alone by no call that is not said to
/// (<https://man7.org/linux/man-pages/man3/errno.3.html>). The error that is then reported, returned or
/// compared is that of the cleanup or of the log line; a `0` among them passes for success.
///
/// ## Known limits
/// The call between is one that the models know, a function of the program that makes one, the end of
/// an object that does, or code out of sight whose name says that it prints or frees something; other
/// code out of sight is no evidence. `std::cerr << text << GetLastError()` in one expression is silent.
/// Where the call between may have failed as well, or is tested itself, the error may be meant to be that
/// of this call, unless it is a function of the program that yields nothing which has made it and seen it fail.
/// Of `errno`, calls that succeed and `free` count as leaving it alone, as they do in practice.
///
/// ## Examples
/// The error of `CloseHandle`, if any, is returned:
/// ```cpp,bad
/// #include <windows.h>
///
/// DWORD send(HANDLE pipe, const void *data, DWORD size)
/// {
///     DWORD written = 0;
///     if (!WriteFile(pipe, data, size, &written, nullptr))
///     {
///         CloseHandle(pipe);
///         return GetLastError();
///     }
///     return ERROR_SUCCESS;
/// }
/// ```
/// Kept before the cleanup:
/// ```cpp,good
/// #include <windows.h>
///
/// DWORD send(HANDLE pipe, const void *data, DWORD size)
/// {
///     DWORD written = 0;
///     if (!WriteFile(pipe, data, size, &written, nullptr))
///     {
///         const DWORD error = GetLastError();
///         CloseHandle(pipe);
///         return error;
///     }
///     return ERROR_SUCCESS;
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
/// use windows_sys::Win32::System::Pipes::DisconnectNamedPipe;
///
/// pub fn disconnect(pipe: HANDLE) -> io::Result<()> {
///     if unsafe { DisconnectNamedPipe(pipe) } == 0 {
///         unsafe { CloseHandle(pipe) };
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
/// use windows_sys::Win32::System::Pipes::DisconnectNamedPipe;
///
/// pub fn disconnect(pipe: HANDLE) -> io::Result<()> {
///     if unsafe { DisconnectNamedPipe(pipe) } == 0 {
///         let error = io::Error::last_os_error();
///         unsafe { CloseHandle(pipe) };
///         return Err(error);
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL503", severity = "warning", group = "default", cwe(755, 703))]
pub(crate) struct ClobberedLastError;

impl Rule for ClobberedLastError {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::Clobbered {
            by,
            within,
            failed,
            judged,
            asks,
            ..
        }) = &event.kind
        else {
            return None;
        };
        let by = match within {
            Some(function) if function != by => format!("`{function}`, which calls `{by}`,"),
            _ => format!("`{by}`"),
        };
        let (call, at) = failed;
        let (asks, asked) = asks;
        let store = if asks == "errno" {
            "`errno`"
        } else {
            "the last error"
        };
        let asked_before = call == asks;
        let of = match asked_before {
            true => "asks again".to_owned(),
            false => format!("asks for that of `{call}`"),
        };
        let words = Words {
            primary: event.at,
            label: format!("may change {store}"),
            message: format!("{by} may change {store} before `{asks}` {of}"),
            help: "keep the error in a variable right after the call that failed, and use that"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let failed = match asked_before {
            true => "the error is asked for here".to_owned(),
            false => format!("`{call}` fails"),
        };
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this shows that it failed");
        }
        words::relabel(&mut diagnostic.path, *at, &failed);
        words::relabel(
            &mut diagnostic.path,
            event.at,
            &format!("may change {store}"),
        );
        words::relabel(&mut diagnostic.path, *asked, &format!("`{asks}` asks here"));
        Some(diagnostic)
    }
}
