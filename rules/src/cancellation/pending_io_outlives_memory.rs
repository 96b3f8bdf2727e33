//! PL303.

use pipelint_analysis::{IoEnd, IoFault};
use pipelint_report::Step;

use super::wording;
use crate::prelude::*;

/// An operation may be under way when its OVERLAPPED or its buffer ends: a variable of a function that
/// returns, or memory that is freed. Or the reference that keeps its memory, and that its completion gives
/// back, is added only after the start.
///
/// ## Why is this bad?
/// Until an overlapped operation has completed, the OVERLAPPED and the buffer are the kernel's, and must
/// stay valid (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>). What it writes later
/// lands in another function's frame or in another object, and shows as a crash far away. A completion may run
/// on another thread before the call that starts the operation has returned: an `Arc` that it makes with
/// `Arc::from_raw` (<https://doc.rust-lang.org/std/sync/struct.Arc.html#method.from_raw>) must have a count of
/// its own by then, or it frees what others still use.
///
/// ## Known limits
/// A path is told on which the start was seen to be pending (`ERROR_IO_PENDING`), a wait ended without the
/// event, or the operation was asked for and was not done. A start whose result nobody looks at is PL501's,
/// one whose `FALSE` is taken for a failure PL507's. Where one method leaves an operation under way, another is
/// told that frees its memory only if it closes what the operation works on, or is the destructor: any other may
/// be called when the operation has completed.
/// A late reference is told of an `Arc` whose clone is kept
/// from ending by the function that starts the operation, where code in sight makes an `Arc` of an OVERLAPPED
/// that has come back. It is silent under any lock, which the completion may have to take first.
///
/// ## Examples
/// The timeout leaves the function, and the read goes on:
/// ```cpp,bad
/// #include <windows.h>
///
/// int first(HANDLE pipe, HANDLE event)
/// {
///     char byte = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (!ReadFile(pipe, &byte, 1, nullptr, &ov))
///     {
///         if (GetLastError() != ERROR_IO_PENDING)
///             return -1;
///         if (WaitForSingleObject(event, 1000) != WAIT_OBJECT_0)
///             return -1;
///     }
///     return byte;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// int first(HANDLE pipe, HANDLE event)
/// {
///     char byte = 0;
///     DWORD got = 0;
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     if (!ReadFile(pipe, &byte, 1, nullptr, &ov))
///     {
///         if (GetLastError() != ERROR_IO_PENDING)
///             return -1;
///         if (WaitForSingleObject(event, 1000) != WAIT_OBJECT_0)
///             CancelIoEx(pipe, &ov);
///         if (!GetOverlappedResult(pipe, &ov, &got, TRUE))
///             return -1;
///     }
///     return byte;
/// }
/// ```
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
///
/// pub fn send(pipe: HANDLE, bytes: &[u8]) -> bool {
///     let mut overlapped = OVERLAPPED::default();
///     let length = bytes.len() as u32;
///     unsafe {
///         WriteFile(pipe, bytes.as_ptr(), length, std::ptr::null_mut(), &mut overlapped) != 0
///             || GetLastError() == ERROR_IO_PENDING
///     }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
///
/// pub fn send(pipe: HANDLE, bytes: &[u8]) -> bool {
///     let mut overlapped = OVERLAPPED::default();
///     let length = bytes.len() as u32;
///     let mut sent = 0;
///     unsafe {
///         let done = WriteFile(pipe, bytes.as_ptr(), length, std::ptr::null_mut(), &mut overlapped);
///         if done == 0 && GetLastError() != ERROR_IO_PENDING {
///             return false;
///         }
///         GetOverlappedResult(pipe, &overlapped, &mut sent, 1) != 0 && sent == length
///     }
/// }
/// ```
/// The clone for the completion is made when the operation is under way already:
/// ```rust,bad
/// use std::ptr::null_mut;
/// use std::sync::Arc;
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
///
/// #[repr(C)]
/// pub struct Instance {
///     overlapped: OVERLAPPED,
///     pipe: HANDLE,
/// }
///
/// pub fn accept(instance: &Arc<Instance>) -> bool {
///     let overlapped = &raw const instance.overlapped as *mut OVERLAPPED;
///     let done = unsafe { ReadFile(instance.pipe, null_mut(), 0, null_mut(), overlapped) } != 0;
///     if !done && unsafe { GetLastError() } != ERROR_IO_PENDING {
///         return false;
///     }
///     std::mem::forget(instance.clone());
///     true
/// }
///
/// pub fn accepted(entry: &OVERLAPPED_ENTRY) -> HANDLE {
///     let instance = unsafe { Arc::from_raw(entry.lpOverlapped as *const Instance) };
///     instance.pipe
/// }
/// ```
/// ```rust,good
/// use std::ptr::null_mut;
/// use std::sync::Arc;
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};
/// use windows_sys::Win32::Storage::FileSystem::ReadFile;
///
/// #[repr(C)]
/// pub struct Instance {
///     overlapped: OVERLAPPED,
///     pipe: HANDLE,
/// }
///
/// pub fn accept(instance: &Arc<Instance>) -> bool {
///     let completing = instance.clone();
///     let overlapped = &raw const instance.overlapped as *mut OVERLAPPED;
///     let done = unsafe { ReadFile(instance.pipe, null_mut(), 0, null_mut(), overlapped) } != 0;
///     if !done && unsafe { GetLastError() } != ERROR_IO_PENDING {
///         return false;
///     }
///     std::mem::forget(completing);
///     true
/// }
///
/// pub fn accepted(entry: &OVERLAPPED_ENTRY) -> HANDLE {
///     let instance = unsafe { Arc::from_raw(entry.lpOverlapped as *const Instance) };
///     instance.pipe
/// }
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL303",
    severity = "error",
    group = "default",
    cwe(416, 562, 825)
)]
pub(crate) struct PendingIoOutlivesMemory;

impl Rule for PendingIoOutlivesMemory {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let words = match &event.kind {
            EventKind::Io(IoFault::Outlived { started, end }) => outlived(event, started, end),
            EventKind::Io(IoFault::CountedLate {
                started,
                class,
                counted,
                taken,
            }) => {
                let words = counted_late(event, started, class, &taken.0);
                let mut told = words::diagnostic(&Self::META, event, words);
                let step = |span, label: String| Step { span, label };
                told.related = vec![
                    step(*counted, "the count is added here".to_owned()),
                    step(taken.1, format!("`{}` takes it back", taken.0)),
                ];
                return Some(told);
            }
            _ => return None,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}

fn outlived(event: &Event, started: &str, end: &IoEnd) -> Words {
    let happens = wording::happens(end, "");
    Words {
        primary: event.at,
        label: "the operation may be under way when its memory ends".to_owned(),
        message: format!("{happens} while the operation that `{started}` started may be under way"),
        help: format!(
            "cancel it and wait on every way out: `{}`",
            wording::wait("")
        ),
    }
}

fn counted_late(event: &Event, started: &str, class: &str, taker: &str) -> Words {
    Words {
        primary: event.at,
        label: "a completion may take back a count that is not there yet".to_owned(),
        message: format!(
            "`{started}` starts an operation in an `Arc<{class}>` before the count is added that `{taker}` \
             gives back when it completes"
        ),
        help: format!(
            "make the clone before `{started}`, `mem::forget` it when the operation has begun, and let it end \
             when it has not"
        ),
    }
}
