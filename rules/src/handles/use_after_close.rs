//! PL106.

use crate::prelude::*;

/// A handle is passed to a call after it was released, or memory is reached through a pointer after it
/// was freed.
///
/// ## Why is this bad?
/// `CloseHandle` invalidates the handle
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>). The
/// call fails with `ERROR_INVALID_HANDLE`, or works on whatever was opened since and was given the
/// same value: a write meant for a pipe then goes into another file. Memory that was freed belongs to
/// whoever is given it next: reading it gives what others wrote, and writing it destroys that. In Rust,
/// a raw pointer keeps nothing alive: one from `as_ptr` is good as long as its string or vector lives
/// (<https://doc.rust-lang.org/std/vec/struct.Vec.html#method.as_ptr>).
///
/// ## Known limits
/// What an unknown function was given in between may have been replaced, so nothing is reported
/// after such a call. Where a helper frees only the last reference, and its caller cannot tell, nothing
/// is reported. A use on another thread is not seen.
///
/// ## Examples
/// The pipe is closed before it is flushed:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool finish(const wchar_t *name, const char *text, DWORD length)
/// {
///     DWORD written = 0;
///     HANDLE pipe = CreateFileW(name, GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return false;
///     bool sent = WriteFile(pipe, text, length, &written, nullptr) && written == length;
///     CloseHandle(pipe);
///     return sent && FlushFileBuffers(pipe);
/// }
/// ```
/// The close comes last:
/// ```cpp,good
/// #include <windows.h>
///
/// bool finish(const wchar_t *name, const char *text, DWORD length)
/// {
///     DWORD written = 0;
///     HANDLE pipe = CreateFileW(name, GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return false;
///     bool sent = WriteFile(pipe, text, length, &written, nullptr) && written == length;
///     bool flushed = sent && FlushFileBuffers(pipe);
///     CloseHandle(pipe);
///     return flushed;
/// }
/// ```
/// The name is a temporary, which ends with the `let`:
/// ```rust,bad
/// use std::ffi::CString;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::{OpenEventA, EVENT_MODIFY_STATE};
///
/// pub fn find(name: &str) -> HANDLE {
///     let name = CString::new(name).expect("no zero in it").as_ptr();
///     unsafe { OpenEventA(EVENT_MODIFY_STATE, 0, name.cast()) }
/// }
/// ```
/// The name lives until the call is over:
/// ```rust,good
/// use std::ffi::CString;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::{OpenEventA, EVENT_MODIFY_STATE};
///
/// pub fn find(name: &str) -> HANDLE {
///     let name = CString::new(name).expect("no zero in it");
///     unsafe { OpenEventA(EVENT_MODIFY_STATE, 0, name.as_ptr().cast()) }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL106", severity = "error", group = "default", cwe(672, 910))]
pub(crate) struct UseAfterClose;

impl Rule for UseAfterClose {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let made = event.resource.as_ref()?;
        let EventKind::UseAfterClose { closed, api } = &event.kind else {
            return None;
        };
        let (closer, place) = (&closed.0, closed.1);
        let (subject, gone) = (words::subject(made), words::past(closer));
        let dropped = closer == "drop";
        let (message, after) = if dropped {
            dangling(made, api)
        } else if api.is_empty() {
            (
                format!("{subject} is used to reach memory that `{closer}` has {gone}"),
                format!("reached after `{closer}`"),
            )
        } else {
            (
                format!("`{api}` gets {subject} after `{closer}` {gone} it"),
                format!("`{api}` gets it after that"),
            )
        };
        let help = match gone {
            _ if dropped && made.var.is_empty() => {
                format!(
                    "bind the `{}` to a variable that lives until then",
                    made.api
                )
            }
            _ if dropped => format!(
                "keep `{}` until then: borrow it where it is consumed",
                made.var
            ),
            "moved" => format!("use what `{closer}` returned"),
            _ => format!("move `{}` behind the last use", words::release(made)),
        };
        let words = Words {
            primary: event.at,
            label: if dropped {
                "the memory is gone".to_owned()
            } else {
                format!("used after `{closer}`")
            },
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let once = match (dropped, made.var.is_empty()) {
            (true, true) => "the temporary is dropped here".to_owned(),
            (true, false) => format!("`{}` is dropped here", made.var),
            _ => format!("{gone} by `{closer}`"),
        };
        words::relabel(&mut diagnostic.path, place, &once);
        words::relabel(&mut diagnostic.path, event.at, &after);
        Some(diagnostic)
    }
}

/// The words for a pointer into a value that has ended: the message, and what the last step is.
fn dangling(of: &Resource, api: &str) -> (String, String) {
    let into = if of.var.is_empty() {
        format!("a temporary `{}`", of.api)
    } else {
        format!("`{}`", of.var)
    };
    if api.is_empty() {
        (
            format!("memory is reached through a pointer into {into}, which has been dropped"),
            "reached after the drop".to_owned(),
        )
    } else {
        (
            format!("`{api}` gets a pointer into {into}, which has been dropped"),
            format!("`{api}` gets the pointer after that"),
        )
    }
}
