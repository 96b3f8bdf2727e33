//! PL514.

use pipelint_analysis::ResultFault;

use crate::prelude::*;

/// A function reports success on a path on which what it had started failed, though it reports failure
/// otherwise.
///
/// ## Why is this bad?
/// The caller takes the bytes for sent, and frees, forgets or counts them. `WriteFile` tells of a reader that
/// has gone by its result alone
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>): who has seen it
/// and says nothing is the last who could. An error that is only kept for the next call comes too late
/// for the bytes that were lost, and never if there is no next call, or if no code takes it out of the field
/// that keeps it.
///
/// ## Known limits
/// It speaks of sending and of awaiting a client, and where the function tells success from failure by
/// its result: by a status, a `Result`, or as one that returns 0 and otherwise the error that a call left.
/// A result that was never set tells nothing at all, and is told here, too. So is a call that returns nothing
/// and keeps the error in a private field, where no code of the program looks at what is kept: who matches on
/// the field, borrows it, or derives `Debug` for its object has looked. A failure after which another
/// transfer is tried, the handle is let go, or code asks which error it was counts as dealt with.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// bool start(HANDLE pipe, const void *bytes, DWORD length)
/// {
///     DWORD written = 0;
///     return WriteFile(pipe, bytes, length, &written, nullptr) && written == length;
/// }
///
/// bool send(HANDLE pipe, const void *bytes, DWORD length, int &failures)
/// {
///     if (length == 0)
///         return false;
///     DWORD written = 0;
///     if (!WriteFile(pipe, bytes, length, &written, nullptr))
///         ++failures;
///     return true;
/// }
/// ```
/// ```rust,bad
/// use std::io;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
///
/// pub fn send(pipe: HANDLE, bytes: &[u8], failures: &mut u32) -> io::Result<()> {
///     let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
///     let mut written = 0;
///     if unsafe { WriteFile(pipe, bytes.as_ptr(), length, &mut written, ptr::null_mut()) } == 0 {
///         *failures += 1;
///     }
///     Ok(())
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool send(HANDLE pipe, const void *bytes, DWORD length, int &failures)
/// {
///     if (length == 0)
///         return false;
///     DWORD written = 0;
///     if (!WriteFile(pipe, bytes, length, &written, nullptr))
///     {
///         ++failures;
///         return false;
///     }
///     return true;
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::WriteFile;
///
/// pub fn send(pipe: HANDLE, bytes: &[u8], failures: &mut u32) -> io::Result<()> {
///     let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
///     let mut written = 0;
///     if unsafe { WriteFile(pipe, bytes.as_ptr(), length, &mut written, ptr::null_mut()) } == 0 {
///         *failures += 1;
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL514", severity = "warning", group = "default", cwe(393, 755))]
pub(crate) struct SuccessAfterFailure;

impl Rule for SuccessAfterFailure {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Result(ResultFault::SuccessAfterFailure {
            call,
            failed,
            returned,
            seen,
            unset,
            unread,
        }) = &event.kind
        else {
            return None;
        };
        let (label, help) = match seen {
            true => (
                "success is reported".to_owned(),
                format!("return the failure of `{call}`"),
            ),
            false => (
                format!("nothing asks whether `{call}` failed"),
                format!("ask whether `{call}` failed, and return that"),
            ),
        };
        let (label, end, message) = match unset {
            true => (
                "nothing was put into what is returned".to_owned(),
                "what was never set is returned here",
                format!("what is returned was never set where `{call}` has failed"),
            ),
            false => (
                label,
                "success is reported here",
                format!("the function reports success, also when `{call}` has failed"),
            ),
        };
        let (label, message, help) = match unread {
            Some((field, _)) => (
                format!("the error is kept in `{field}`, and nothing ever reads it"),
                format!(
                    "the function reports success, also when `{call}` has failed: nobody hears of the error that \
                     is kept in `{field}`"
                ),
                format!(
                    "return the error, or let the next call take it out of `{field}` and return it"
                ),
            ),
            None => (label, message, help),
        };
        let words = Words {
            primary: event.at,
            label,
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, *failed, &format!("`{call}` fails"));
        words::relabel(&mut diagnostic.path, *returned, end);
        if let Some((field, kept)) = unread {
            words::relabel(
                &mut diagnostic.path,
                *kept,
                &format!("`{field}` keeps the error"),
            );
        }
        Some(diagnostic)
    }
}
