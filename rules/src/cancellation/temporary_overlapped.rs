//! PL311.

use pipelint_analysis::IoFault;

use crate::prelude::*;

/// Rust: a starting call is given the address of a temporary `OVERLAPPED`, or of a copy of one.
///
/// ## Why is this bad?
/// `OVERLAPPED` is `Copy`: `&mut slot.unwrap()` borrows a copy that ends with the statement, while the kernel
/// writes to it until the operation has completed
/// (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>). The one that
/// is kept never hears of the completion.
///
/// ## Known limits
/// A copy that has a name of its own is a variable like others: whether it lives long enough, PL303 asks.
///
/// ## Examples
/// ```rust,bad
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
///
/// pub struct Line {
///     pipe: HANDLE,
///     overlapped: Option<OVERLAPPED>,
/// }
///
/// impl Line {
///     pub fn listen(&mut self) -> bool {
///         unsafe { ConnectNamedPipe(self.pipe, &mut self.overlapped.unwrap()) != 0 }
///     }
/// }
/// ```
/// ```rust,good
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
/// use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
///
/// pub struct Line {
///     pipe: HANDLE,
///     overlapped: Option<OVERLAPPED>,
/// }
///
/// impl Line {
///     pub fn listen(&mut self) -> bool {
///         let Some(overlapped) = self.overlapped.as_mut() else { return false };
///         unsafe { ConnectNamedPipe(self.pipe, overlapped) != 0 }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL311", severity = "error", group = "default", cwe(562, 416))]
pub(crate) struct TemporaryOverlapped;

impl Rule for TemporaryOverlapped {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::Temporary { api }) = &event.kind else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "gets the address of a temporary".to_owned(),
            message: format!(
                "`{api}` gets the address of an OVERLAPPED that ends with this statement"
            ),
            help: "borrow the one that is kept: `as_mut` comes before `unwrap`".to_owned(),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
