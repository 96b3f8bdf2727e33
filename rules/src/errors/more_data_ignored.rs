//! PL509.

use pipelint_analysis::ErrorFault;

use crate::prelude::*;

/// A read of a pipe in message mode fails with `ERROR_MORE_DATA` where the message is longer than the
/// buffer, and that is taken for a failure: what was read is dropped, and the rest is left in the pipe.
///
/// ## Why is this bad?
/// "If the message is longer than the buffer, `ReadFile` returns `FALSE` and `GetLastError` returns
/// `ERROR_MORE_DATA`. The remainder of the message can be read by a subsequent call"
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>). `TransactNamedPipe`
/// reads messages always
/// (<https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe>), and of
/// `CallNamedPipe` the rest is lost
/// (<https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-callnamedpipew>). The
/// next read begins in the middle of a message.
///
/// ## Known limits
/// The mode must be in sight: `PIPE_READMODE_MESSAGE` on the path to the read, or where the class or the
/// global that keeps the handle gets it. Where the error goes to code out of sight, that code may ask.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// bool ask(HANDLE pipe, void *question, DWORD length, char *answer, DWORD room, DWORD *got)
/// {
///     if (!TransactNamedPipe(pipe, question, length, answer, room, got, nullptr))
///         return false;
///     return true;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool ask(HANDLE pipe, void *question, DWORD length, char *answer, DWORD room, DWORD *got, bool *more)
/// {
///     *more = false;
///     if (!TransactNamedPipe(pipe, question, length, answer, room, got, nullptr))
///     {
///         if (GetLastError() != ERROR_MORE_DATA)
///             return false;
///         *more = true;
///     }
///     return true;
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
/// use windows_sys::Win32::System::Pipes::{PIPE_READMODE_MESSAGE, SetNamedPipeHandleState};
///
/// pub fn next(pipe: HANDLE, message: &mut [u8]) -> io::Result<u32> {
///     let mode = PIPE_READMODE_MESSAGE;
///     if unsafe { SetNamedPipeHandleState(pipe, &mode, ptr::null(), ptr::null()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     let mut got = 0;
///     let room = message.len() as u32;
///     if unsafe { ReadFile(pipe, message.as_mut_ptr(), room, &mut got, ptr::null_mut()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(got)
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
/// use windows_sys::Win32::System::Pipes::{PIPE_READMODE_MESSAGE, SetNamedPipeHandleState};
///
/// pub fn next(pipe: HANDLE, message: &mut [u8]) -> io::Result<(u32, bool)> {
///     let mode = PIPE_READMODE_MESSAGE;
///     if unsafe { SetNamedPipeHandleState(pipe, &mode, ptr::null(), ptr::null()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     let mut got = 0;
///     let room = message.len() as u32;
///     if unsafe { ReadFile(pipe, message.as_mut_ptr(), room, &mut got, ptr::null_mut()) } == 0 {
///         let error = io::Error::last_os_error();
///         if error.raw_os_error() != Some(ERROR_MORE_DATA as i32) {
///             return Err(error);
///         }
///         return Ok((got, true));
///     }
///     Ok((got, false))
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL509", severity = "warning", group = "default", cwe(754, 755))]
pub(crate) struct MoreDataIgnored;

impl Rule for MoreDataIgnored {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LastError(ErrorFault::MoreDataMisread { api, judged, end }) = &event.kind
        else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "returns `FALSE` where the message is longer than the buffer".to_owned(),
            message: format!(
                "`ERROR_MORE_DATA` from `{api}` is taken for a failure: a message that is longer than the \
                 buffer is lost"
            ),
            help: "on ERROR_MORE_DATA keep what was read, and read the rest of the message"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(
            &mut diagnostic.path,
            event.at,
            &format!("`{api}` has read a part of the message"),
        );
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this is taken for a failure");
        }
        words::relabel(
            &mut diagnostic.path,
            *end,
            "the function is left as though nothing had been read",
        );
        Some(diagnostic)
    }
}
