//! PL508.

use pipelint_analysis::ResultFault;

use crate::prelude::*;

/// `ReadFile` or `WriteFile` gets neither a place for the transferred count nor an `OVERLAPPED`.
///
/// ## Why is this bad?
/// The count can be `NULL` only when the `OVERLAPPED` is not
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>). Windows 7 writes through
/// the null pointer, and where the call works nothing tells how much of a message was read.
///
/// ## Known limits
/// Both must be known to be null on the path; what a helper gets from its caller is told at the
/// call that passes both as null.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// bool send(HANDLE pipe, const void *bytes, DWORD length)
/// {
///     return WriteFile(pipe, bytes, length, nullptr, nullptr) != FALSE;
/// }
/// ```
/// ```rust,bad
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
///
/// pub fn send(pipe: HANDLE, bytes: &[u8]) -> bool {
///     let length = bytes.len() as u32;
///     unsafe { WriteFile(pipe, bytes.as_ptr(), length, ptr::null_mut(), ptr::null_mut()) != 0 }
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool send(HANDLE pipe, const void *bytes, DWORD length)
/// {
///     DWORD written = 0;
///     return WriteFile(pipe, bytes, length, &written, nullptr) && written == length;
/// }
/// ```
/// ```rust,good
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
///
/// pub fn send(pipe: HANDLE, bytes: &[u8]) -> bool {
///     let length = bytes.len() as u32;
///     let mut written = 0;
///     let sent = unsafe { WriteFile(pipe, bytes.as_ptr(), length, &mut written, ptr::null_mut()) };
///     sent != 0 && written == length
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL508", severity = "warning", group = "default", cwe(476))]
pub(crate) struct NullCountWithoutOverlapped;

impl Rule for NullCountWithoutOverlapped {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Result(ResultFault::NoCount { api }) = &event.kind else {
            return None;
        };
        let label = "neither a count nor an `OVERLAPPED`".to_owned();
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{api}` gets neither a place for its count nor an `OVERLAPPED`"),
            help: "pass the address of a variable for the count: it may be null only with an `OVERLAPPED`"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
