//! PL103.

use pipelint_analysis::LeakHow;

use super::forgotten_handle::is_given_up;

use crate::prelude::*;

/// A path leads from the creation of a handle to the end of the function, and on it the handle is
/// neither closed, returned, stored nor handed over.
///
/// Every creation that succeeded before a later one failed counts, and so does a creating call
/// whose result is dropped where it stands. So does a handle that a function has put into its
/// caller's variable when a later creation fails and the function with it: it throws, or returns what
/// it never returns when all went well, and no caller is seen that gets the handle then.
///
/// ## Why is this bad?
/// An object stays in the system until its last handle is closed, and a process owns its handles
/// until it ends (<https://learn.microsoft.com/en-us/windows/win32/sysinfo/kernel-objects>). A leak
/// on an error path makes a server that is refused a connection a thousand times hold a thousand
/// objects. A leaked pipe end does worse: as long as it is open, the reader at the other end never
/// sees the end of the data.
///
/// ## Known limits
/// An unknown function that is given the handle may keep it, so nothing is reported after such a
/// call. Nothing is reported in `main` and its like, where the system reclaims all, nor on a path
/// that ends the process.
///
/// ## Examples
/// The first event is lost when the second cannot be made:
/// ```cpp,bad
/// #include <windows.h>
///
/// struct Channel {
///     HANDLE readable;
///     HANDLE writable;
/// };
///
/// bool prepare(Channel *channel)
/// {
///     HANDLE readable = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     if (!readable)
///         return false;
///     HANDLE writable = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     if (!writable)
///         return false;
///     channel->readable = readable;
///     channel->writable = writable;
///     return true;
/// }
/// ```
/// Every path closes what it holds:
/// ```cpp,good
/// #include <windows.h>
///
/// struct Channel {
///     HANDLE readable;
///     HANDLE writable;
/// };
///
/// bool prepare(Channel *channel)
/// {
///     HANDLE readable = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     if (!readable)
///         return false;
///     HANDLE writable = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     if (!writable) {
///         CloseHandle(readable);
///         return false;
///     }
///     channel->readable = readable;
///     channel->writable = writable;
///     return true;
/// }
/// ```
/// In C, one exit closes what was made:
/// ```c,good
/// #include <windows.h>
///
/// BOOL send_note(const wchar_t *pipe_name, const char *text, DWORD length)
/// {
///     BOOL sent = FALSE;
///     DWORD written = 0;
///     HANDLE gate = NULL;
///     HANDLE pipe = CreateFileW(pipe_name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return FALSE;
///     gate = CreateMutexW(NULL, FALSE, L"note-gate");
///     if (gate == NULL)
///         goto done;
///     sent = WriteFile(pipe, text, length, &written, NULL) && written == length;
/// done:
///     if (gate != NULL)
///         CloseHandle(gate);
///     CloseHandle(pipe);
///     return sent;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL103", severity = "warning", group = "default", cwe(772, 775))]
pub(crate) struct LeakedHandle;

impl Rule for LeakedHandle {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Leak(how) = event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let (subject, api, noun) = (words::subject(made), &made.api, words::noun(made));
        let release = words::release(made);
        if is_given_up(event, made) {
            return None;
        }
        let (message, lost, help) = match how {
            LeakHow::Left => (
                format!("{subject} still holds the {noun} from `{api}` when the function is left"),
                format!("left without `{release}`"),
                format!("call `{release}` on this path"),
            ),
            LeakHow::HalfDone => (
                format!(
                    "{subject} still holds the {noun} from `{api}` when the function fails, and \
                     its caller cannot know"
                ),
                "the function fails here".to_owned(),
                format!("call `{release}` and empty {subject} before the function fails"),
            ),
            LeakHow::ScopeEnd => (
                format!("{subject} leaves scope with the {noun} from `{api}`"),
                format!("leaves scope without `{release}`"),
                format!("call `{release}` before the scope ends"),
            ),
            LeakHow::Forgotten | LeakHow::ByCallers => return None,
            LeakHow::Dropped => (
                format!("nothing keeps the {noun} that `{api}` returns, so it is never closed"),
                "the result is dropped".to_owned(),
                format!("keep the result and release it with `{}`", made.release),
            ),
        };
        let words = Words {
            primary: made.created,
            label: format!("this {noun} is lost"),
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &lost);
        Some(diagnostic)
    }
}
