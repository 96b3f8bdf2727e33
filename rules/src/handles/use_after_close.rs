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
/// whoever is given it next: reading it gives what others wrote, and writing it destroys that.
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
        let (message, after) = if api.is_empty() {
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
            "moved" => format!("use what `{closer}` returned"),
            _ => format!("move `{}` behind the last use", words::release(made)),
        };
        let words = Words {
            primary: event.at,
            label: format!("used after `{closer}`"),
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let once = format!("{gone} by `{closer}`");
        words::relabel(&mut diagnostic.path, place, &once);
        words::relabel(&mut diagnostic.path, event.at, &after);
        Some(diagnostic)
    }
}
