//! PL114.

use crate::prelude::*;

/// A pseudo-handle, or a handle that the program shares, is closed as though it were its own: what
/// `GetCurrentProcess`, `GetCurrentThread` or `GetStdHandle` returned, or the handle beneath a
/// descriptor or stream.
///
/// ## Why is this bad?
/// A pseudo-handle need not be closed, and closing it has no effect
/// (<https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess>),
/// but under a debugger it raises an exception
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>). A
/// standard handle is real and belongs to the whole process; it need not be disposed of either
/// (<https://learn.microsoft.com/en-us/windows/console/getstdhandle>). Once it is closed, every
/// later call gets the same dead value, or another file under it, and what was meant for the screen
/// is written there.
///
/// ## Known limits
/// A program that detaches itself may close its standard handles on purpose, and says so with
/// `SetStdHandle` or a comment: allow it there. A standard handle that a function fetches only to close it
/// is taken to be meant.
///
/// ## Examples
/// The next write to the standard output fails:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool say(const char *text, DWORD length)
/// {
///     DWORD written = 0;
///     HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
///     if (out == INVALID_HANDLE_VALUE || out == nullptr)
///         return false;
///     bool sent = WriteFile(out, text, length, &written, nullptr) && written == length;
///     CloseHandle(out);
///     return sent;
/// }
/// ```
/// A duplicate is a handle of its own, and is closed:
/// ```cpp,good
/// #include <windows.h>
///
/// bool say(const char *text, DWORD length)
/// {
///     DWORD written = 0;
///     HANDLE own = nullptr;
///     HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
///     HANDLE self = GetCurrentProcess();
///     if (!DuplicateHandle(self, out, self, &own, 0, FALSE, DUPLICATE_SAME_ACCESS))
///         return false;
///     bool sent = WriteFile(own, text, length, &written, nullptr) && written == length;
///     CloseHandle(own);
///     return sent;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL114", severity = "warning", group = "default", cwe(404, 763))]
pub(crate) struct PseudoHandleClosed;

impl Rule for PseudoHandleClosed {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::PseudoClosed { api, from, noun } = &event.kind else {
            return None;
        };
        let label = format!("this is {noun}");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{api}` closes what `{from}` returned: {noun}"),
            help: format!(
                "remove the `{api}` call; where a handle of its own is needed, make one with \
                 DuplicateHandle and close that"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
