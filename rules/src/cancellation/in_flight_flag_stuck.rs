//! PL312.

use crate::prelude::*;

/// A flag that says that an operation is under way is set before the operation is started, and still set
/// when the start has failed.
///
/// ## Why is this bad?
/// Where `WriteFile`, `ReadFile` or `ConnectNamedPipe` fails with another error than `ERROR_IO_PENDING`, nothing
/// is under way and no completion comes
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>): nobody will ever clear
/// the flag. Whoever finds it set goes away or waits, and the pipe is dead although it may be whole.
///
/// ## Known limits
/// The flag is a field that the function itself sets to a constant, every way to the start leads by there, and
/// some end after a failed start leaves it set. It counts as a flag of this kind if other code clears
/// it, and some code goes away or waits where it is set. A flag that a caller of the function clears is silent,
/// and so is one whose name speaks of a state of the object (`closed`, `connected`). Counters are
/// not followed.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// class Sender
/// {
/// public:
///     bool start(const char *bytes, DWORD length)
///     {
///         if (busy_)
///             return false;
///         busy_ = true;
///         if (!WriteFile(pipe_, bytes, length, nullptr, &operation_))
///         {
///             if (GetLastError() != ERROR_IO_PENDING)
///                 return false;
///         }
///         return true;
///     }
///
///     void done() { busy_ = false; }
///
/// private:
///     HANDLE pipe_ = nullptr;
///     OVERLAPPED operation_ = {};
///     bool busy_ = false;
/// };
/// ```
/// ```rust,bad
/// use std::ptr;
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
///
/// pub struct Sender {
///     pipe: HANDLE,
///     operation: *mut OVERLAPPED,
///     busy: bool,
/// }
///
/// impl Sender {
///     /// # Safety
///     /// The bytes live until `done` is called.
///     pub unsafe fn start(&mut self, bytes: *const u8, length: u32) -> bool {
///         if self.busy {
///             return false;
///         }
///         self.busy = true;
///         let started = unsafe { WriteFile(self.pipe, bytes, length, ptr::null_mut(), self.operation) };
///         if started == 0 && unsafe { GetLastError() } != ERROR_IO_PENDING {
///             return false;
///         }
///         true
///     }
///
///     pub fn done(&mut self) {
///         self.busy = false;
///     }
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// class Sender
/// {
/// public:
///     bool start(const char *bytes, DWORD length)
///     {
///         if (busy_)
///             return false;
///         if (!WriteFile(pipe_, bytes, length, nullptr, &operation_))
///         {
///             if (GetLastError() != ERROR_IO_PENDING)
///                 return false;
///         }
///         busy_ = true;
///         return true;
///     }
///
///     void done() { busy_ = false; }
///
/// private:
///     HANDLE pipe_ = nullptr;
///     OVERLAPPED operation_ = {};
///     bool busy_ = false;
/// };
/// ```
/// ```rust,good
/// use std::ptr;
/// use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, HANDLE};
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
/// use windows_sys::Win32::System::IO::OVERLAPPED;
///
/// pub struct Sender {
///     pipe: HANDLE,
///     operation: *mut OVERLAPPED,
///     busy: bool,
/// }
///
/// impl Sender {
///     /// # Safety
///     /// The bytes live until `done` is called.
///     pub unsafe fn start(&mut self, bytes: *const u8, length: u32) -> bool {
///         if self.busy {
///             return false;
///         }
///         self.busy = true;
///         let started = unsafe { WriteFile(self.pipe, bytes, length, ptr::null_mut(), self.operation) };
///         if started == 0 && unsafe { GetLastError() } != ERROR_IO_PENDING {
///             self.busy = false;
///             return false;
///         }
///         true
///     }
///
///     pub fn done(&mut self) {
///         self.busy = false;
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL312", severity = "warning", group = "default", cwe(667, 755))]
pub(crate) struct InFlightFlagStuck;

impl Rule for InFlightFlagStuck {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::StuckFlag(fault) = &event.kind else {
            return None;
        };
        let (flag, api) = (&fault.flag, &fault.api);
        let label = format!("`{flag}` is set here");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{flag}` stays set where `{api}` fails to start the operation"),
            help: format!(
                "set `{flag}` when the operation is under way, or reset it where `{api}` fails"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        words::relabel(&mut diagnostic.path, fault.call, &format!("`{api}` fails"));
        words::relabel(&mut diagnostic.path, fault.left, "the function is left");
        words::relabel(
            &mut diagnostic.path,
            fault.refused,
            &format!("others are turned away while `{flag}` is set"),
        );
        Some(diagnostic)
    }
}
