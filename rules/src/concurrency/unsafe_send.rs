//! PL411.

use crate::prelude::*;

/// Rust: `unsafe impl Sync` for a type that holds an `OVERLAPPED`, or a handle in a cell, with no lock of its own.
///
/// ## Why is this bad?
/// `Sync` says that threads may use the value at once through `&T`. An OVERLAPPED is one operation's, and is
/// the kernel's as long as that is under way
/// (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>): two threads that
/// start, cancel or wait for theirs in the same one overwrite each other's. A handle in a `Cell` is replaced by
/// one thread while another uses it. To send such a value is another matter: one thread has it then, and
/// handles may be used from any, so `unsafe impl Send` is left alone
/// (<https://doc.rust-lang.org/nomicon/send-and-sync.html>).
///
/// ## Known limits
/// Whether methods that take `&self` reach the field is not asked: where none does, `Sync` is sound, and useless.
/// A bare handle in a field is left alone: the system lets several threads use one.
///
/// ## Examples
/// ```rust,bad
/// use std::cell::UnsafeCell;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};
///
/// pub struct Operation {
///     pipe: HANDLE,
///     overlapped: Box<UnsafeCell<OVERLAPPED>>,
/// }
///
/// unsafe impl Send for Operation {}
/// unsafe impl Sync for Operation {}
///
/// impl Operation {
///     pub fn cancel(&self) -> bool {
///         unsafe { CancelIoEx(self.pipe, self.overlapped.get()) != 0 }
///     }
/// }
/// ```
/// ```rust,good
/// use std::cell::UnsafeCell;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};
///
/// pub struct Operation {
///     pipe: HANDLE,
///     overlapped: Box<UnsafeCell<OVERLAPPED>>,
/// }
///
/// unsafe impl Send for Operation {}
///
/// impl Operation {
///     pub fn cancel(&mut self) -> bool {
///         unsafe { CancelIoEx(self.pipe, self.overlapped.get()) != 0 }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL411", severity = "note", group = "pedantic", cwe(362, 820))]
pub(crate) struct UnsafeSend;

impl Rule for UnsafeSend {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::SharedUnlocked {
            class,
            field,
            holds,
        } = &event.kind
        else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "threads may share it from here on".to_owned(),
            message: format!(
                "`{class}` is `Sync`, and its `{field}` holds {holds} with no lock round it"
            ),
            help: format!(
                "leave `Sync` out, and share `{class}` in a `Mutex`: for that, `Send` is enough"
            ),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
