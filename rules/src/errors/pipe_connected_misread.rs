//! PL506.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// `ConnectNamedPipe` fails with `ERROR_PIPE_CONNECTED` where the client was faster than the call, and
/// that is taken for a failure; or a client that came and went, `ERROR_NO_DATA`, ends the loop of a
/// server.
///
/// ## Why is this bad?
/// "If a client connects before the function is called, the function returns zero and `GetLastError`
/// returns `ERROR_PIPE_CONNECTED` … there is a good connection", and `ERROR_NO_DATA` says that the
/// previous client has closed its end
/// (<https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>).
/// Clients can be that fast at any time: a server that takes this for a failure turns them away, and one
/// that ends can be ended by every client.
///
/// ## Known limits
/// Where the error goes to code out of sight, that code may ask. That a client which has gone ends the
/// server is told where the call stands in a loop.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
/// #include <stdexcept>
///
/// void accept(HANDLE pipe)
/// {
///     if (!ConnectNamedPipe(pipe, nullptr))
///         throw std::runtime_error("no client");
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
/// #include <stdexcept>
///
/// void accept(HANDLE pipe)
/// {
///     if (!ConnectNamedPipe(pipe, nullptr) && GetLastError() != ERROR_PIPE_CONNECTED)
///         throw std::runtime_error("no client");
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
///
/// pub fn accept(pipe: HANDLE) -> io::Result<()> {
///     if unsafe { ConnectNamedPipe(pipe, std::ptr::null_mut()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use windows_sys::Win32::Foundation::{ERROR_PIPE_CONNECTED, HANDLE};
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
///
/// pub fn accept(pipe: HANDLE) -> io::Result<()> {
///     if unsafe { ConnectNamedPipe(pipe, std::ptr::null_mut()) } == 0 {
///         let error = io::Error::last_os_error();
///         if error.raw_os_error() != Some(ERROR_PIPE_CONNECTED as i32) {
///             return Err(error);
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL506", severity = "warning", group = "default", cwe(754, 703))]
pub(crate) struct PipeConnectedMisread;

impl Rule for PipeConnectedMisread {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::ConnectedMisread {
            api,
            within,
            judged,
            end,
            gone,
        }) = &event.kind
        else {
            return None;
        };
        let call = within.as_ref().unwrap_or(api);
        let (message, help, left) = match gone {
            true => (
                format!(
                    "a client that comes and goes ends the loop: `ERROR_NO_DATA` from `{api}` is taken for a failure"
                ),
                "on ERROR_NO_DATA disconnect, and wait for the next client",
                "the loop is left as though the pipe had failed",
            ),
            false => (
                format!(
                    "`ERROR_PIPE_CONNECTED` from `{api}` is taken for a failure: a client that was faster than the call is turned away"
                ),
                "treat ERROR_PIPE_CONNECTED as success",
                "the function is left as though there were no client",
            ),
        };
        let words = Words {
            primary: event.at,
            label: format!("`{call}` fails though a client is there or was"),
            message,
            help: help.to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &format!("`{call}` fails"));
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this is taken for a failure");
        }
        words::relabel(&mut diagnostic.path, *end, left);
        Some(diagnostic)
    }
}
