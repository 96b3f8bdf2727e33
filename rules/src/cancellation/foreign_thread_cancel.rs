//! PL310.

use pipelint_analysis::IoFault;

use crate::prelude::*;

/// `CancelIo` in a function that has started nothing itself: it cancels only what the calling thread
/// started, and the operation may be another thread's.
///
/// ## Why is this bad?
/// `CancelIo` returns success and leaves the operations of other threads under way
/// (<https://learn.microsoft.com/en-us/windows/win32/fileio/cancelio>). `CancelIoEx` cancels them whoever
/// started them.
///
/// ## Known limits
/// Which thread runs a function is not followed, so that this is off unless selected.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct line
/// {
///     HANDLE pipe;
///     bool stop() { return CancelIo(pipe) != FALSE; }
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// struct line
/// {
///     HANDLE pipe;
///     bool stop() { return CancelIoEx(pipe, nullptr) != FALSE; }
/// };
/// ```
/// ```rust,bad
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::CancelIo;
///
/// pub fn stop(pipe: HANDLE) -> bool {
///     unsafe { CancelIo(pipe) != 0 }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::CancelIoEx;
///
/// pub fn stop(pipe: HANDLE) -> bool {
///     unsafe { CancelIoEx(pipe, std::ptr::null()) != 0 }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL310", severity = "note", group = "pedantic", cwe(362))]
pub(crate) struct CancelFromOtherThread;

impl Rule for CancelFromOtherThread {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::OfThread { cancel }) = &event.kind else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "only what this thread started".to_owned(),
            message: format!(
                "`{cancel}` cancels only what the calling thread started, and this function starts nothing"
            ),
            help: "cancel whoever started it: `CancelIoEx(handle, NULL)`".to_owned(),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
