//! PL307.

use crate::prelude::*;

/// A call gets `NULL` for its `OVERLAPPED`, and its handle was opened with `FILE_FLAG_OVERLAPPED`.
///
/// ## Why is this bad?
/// On such a handle `lpOverlapped` must not be `NULL`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe>). The call may
/// return while the operation is under way, with the buffer and a count that mean nothing yet;
/// `ConnectNamedPipe` can say that a client has come when none has
/// (<https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>), and
/// `DeviceIoControl` fails in unpredictable ways
/// (<https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol>).
///
/// ## Known limits
/// The creation must be seen with its flag: on the path, in a function that hands the handle out, or, for a
/// handle that an object keeps, in every place that fills the field. A handle that came from outside is
/// silent. That the pointer is null must be known as well. `ConnectNamedPipe` is silent where the function
/// has opened the client's end by itself: there is nothing to wait for, although the page asks for an
/// `OVERLAPPED` there too.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE accept()
/// {
///     HANDLE pipe = CreateNamedPipeW(L"\\\\.\\pipe\\feed", PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
///         PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 4096, 4096, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return nullptr;
///     if (!ConnectNamedPipe(pipe, nullptr) && GetLastError() != ERROR_PIPE_CONNECTED)
///     {
///         CloseHandle(pipe);
///         return nullptr;
///     }
///     return pipe;
/// }
/// ```
/// ```rust,bad
/// use std::ptr;
/// use windows_sys::Win32::Foundation::{CloseHandle, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE};
/// use windows_sys::Win32::Storage::FileSystem::{
///     CreateFileW, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, WriteFile,
/// };
///
/// pub fn send(name: *const u16, bytes: &[u8]) -> bool {
///     let pipe: HANDLE = unsafe {
///         CreateFileW(name, GENERIC_WRITE, 0, ptr::null(), OPEN_EXISTING, FILE_FLAG_OVERLAPPED, ptr::null_mut())
///     };
///     if pipe == INVALID_HANDLE_VALUE {
///         return false;
///     }
///     let mut written = 0;
///     let length = bytes.len() as u32;
///     let sent = unsafe { WriteFile(pipe, bytes.as_ptr(), length, &mut written, ptr::null_mut()) };
///     unsafe { CloseHandle(pipe) };
///     sent != 0 && written == length
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE accept()
/// {
///     HANDLE pipe = CreateNamedPipeW(L"\\\\.\\pipe\\feed", PIPE_ACCESS_DUPLEX,
///         PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 4096, 4096, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return nullptr;
///     if (!ConnectNamedPipe(pipe, nullptr) && GetLastError() != ERROR_PIPE_CONNECTED)
///     {
///         CloseHandle(pipe);
///         return nullptr;
///     }
///     return pipe;
/// }
/// ```
/// ```rust,good
/// use std::ptr;
/// use windows_sys::Win32::Foundation::{CloseHandle, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE};
/// use windows_sys::Win32::Storage::FileSystem::{CreateFileW, OPEN_EXISTING, WriteFile};
///
/// pub fn send(name: *const u16, bytes: &[u8]) -> bool {
///     let pipe: HANDLE = unsafe {
///         CreateFileW(name, GENERIC_WRITE, 0, ptr::null(), OPEN_EXISTING, 0, ptr::null_mut())
///     };
///     if pipe == INVALID_HANDLE_VALUE {
///         return false;
///     }
///     let mut written = 0;
///     let length = bytes.len() as u32;
///     let sent = unsafe { WriteFile(pipe, bytes.as_ptr(), length, &mut written, ptr::null_mut()) };
///     unsafe { CloseHandle(pipe) };
///     sent != 0 && written == length
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL307", severity = "error", group = "default", cwe(628))]
pub(crate) struct NullOverlappedOnOverlappedHandle;

impl Rule for NullOverlappedOnOverlappedHandle {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::NoOverlapped(fault) = &event.kind else {
            return None;
        };
        let (api, opened) = (&fault.api, &fault.opened.0);
        let label = "no `OVERLAPPED`".to_owned();
        let whose = match &fault.field {
            Some(field) => format!("`{field}`, which `{opened}` opened"),
            None => format!("a handle that `{opened}` opened"),
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{api}` gets no `OVERLAPPED` for {whose} with FILE_FLAG_OVERLAPPED"),
            help: format!(
                "give `{api}` an `OVERLAPPED` and wait for the completion, or open the handle without the flag"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        words::relabel(
            &mut diagnostic.path,
            fault.opened.1,
            "opened for overlapped operations",
        );
        Some(diagnostic)
    }
}
