//! PL104.

use pipelint_report::Step;

use crate::prelude::*;

/// A variable can reach its close, or any other use, without ever having been set.
///
/// The usual ways are a `goto` to the clean-up that stands above the assignment, a field that one
/// constructor forgets, and an out-parameter that a failed call leaves alone. A global or field that
/// a thread uses, and that is made only after the call that starts the thread, is another.
///
/// ## Why is this bad?
/// An automatic variable without initialiser holds whatever was in its memory
/// (<https://learn.microsoft.com/en-us/cpp/code-quality/c6001>). `CloseHandle` asks for a valid
/// handle to an open object
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>);
/// what it gets here can by chance be a handle that another part of the program has open, which
/// then loses its file, event or pipe with no trace of who closed it.
///
/// ## Known limits
/// A variable whose address went to an unknown function counts as set. So does one that is set on
/// the first round of a loop of which the analysis cannot tell that it never runs.
///
/// ## Examples
/// The clean-up closes `gate` although it was never created:
/// ```c,bad
/// #include <windows.h>
///
/// BOOL attach(const wchar_t *pipe_name)
/// {
///     BOOL attached = FALSE;
///     HANDLE gate;
///     HANDLE pipe = CreateFileW(pipe_name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
///     if (pipe == INVALID_HANDLE_VALUE)
///         goto cleanup;
///     gate = CreateMutexW(NULL, TRUE, L"attach-gate");
///     if (gate == NULL) {
///         CloseHandle(pipe);
///         return FALSE;
///     }
///     attached = ReleaseMutex(gate);
///     CloseHandle(pipe);
/// cleanup:
///     CloseHandle(gate);
///     return attached;
/// }
/// ```
/// It begins empty, and the clean-up tests it:
/// ```c,good
/// #include <windows.h>
///
/// BOOL attach(const wchar_t *pipe_name)
/// {
///     BOOL attached = FALSE;
///     HANDLE gate = NULL;
///     HANDLE pipe = CreateFileW(pipe_name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
///     if (pipe == INVALID_HANDLE_VALUE)
///         goto cleanup;
///     gate = CreateMutexW(NULL, TRUE, L"attach-gate");
///     if (gate != NULL)
///         attached = ReleaseMutex(gate);
///     CloseHandle(pipe);
/// cleanup:
///     if (gate != NULL)
///         CloseHandle(gate);
///     return attached;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL104", severity = "error", group = "default", cwe(457, 908))]
pub(crate) struct UninitialisedHandleClosed;

impl Rule for UninitialisedHandleClosed {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        if let Some(diagnostic) = started_too_early(event) {
            return Some(diagnostic);
        }
        let EventKind::Uninitialised { var, api, closes } = &event.kind else {
            return None;
        };
        let var = if var.is_empty() { "handle" } else { var };
        let (verb, help) = if *closes {
            (
                "releases",
                format!(
                    "give `{var}` an empty value where it is declared (`= NULL`), and test it \
                     before `{api}`"
                ),
            )
        } else {
            ("gets", format!("set `{var}` on every path to `{api}`"))
        };
        let words = Words {
            primary: event.at,
            label: format!("`{var}` was never set on this path"),
            message: format!("`{api}` {verb} `{var}`, which was never set on this path"),
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let last = format!("`{api}` {verb} `{var}`, still unset");
        words::relabel(&mut diagnostic.path, event.at, &last);
        Some(diagnostic)
    }
}

/// A thread that may run before what it uses is there.
fn started_too_early(event: &Event) -> Option<Diagnostic> {
    let EventKind::StartedTooEarly {
        var,
        starter,
        thread,
        made: (maker, made),
        used: (api, used),
    } = &event.kind
    else {
        return None;
    };
    let words = Words {
        primary: event.at,
        label: format!("`{thread}` may run from here on"),
        message: format!(
            "`{starter}` starts `{thread}`, which gives `{var}` to `{api}`, before `{maker}` has \
             made it"
        ),
        help: format!("call `{maker}` before `{starter}`"),
    };
    let mut diagnostic = words::diagnostic(&UninitialisedHandleClosed::META, event, words);
    words::relabel(
        &mut diagnostic.path,
        *used,
        &format!("the thread gives `{var}` to `{api}`"),
    );
    diagnostic.related.push(Step {
        span: *made,
        label: format!("`{var}` is made only here"),
    });
    Some(diagnostic)
}
