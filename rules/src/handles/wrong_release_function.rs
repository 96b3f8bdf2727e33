//! PL108.

use crate::prelude::*;

/// A resource is released by the function of another kind: `CloseHandle` on what `FindFirstFile`,
/// `CreateThreadpoolWait`, `socket`, `RegOpenKeyEx` or `fopen` returned, or the other way round.
///
/// ## Why is this bad?
/// `CloseHandle` closes only the kinds of object that its page lists
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>): it
/// does not close a registry key, and does not even say so; a socket needs `closesocket`, which
/// also frees what Winsock keeps; a search handle needs `FindClose`. The resource is leaked, and
/// where the value is a pointer or another table's index, an unrelated handle may be closed.
///
/// ## Known limits
/// The kinds are those of the models. `closesocket` and `CloseHandle` on a handle whose origin is
/// not in sight are not judged.
///
/// ## Examples
/// A search is not a kernel object:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool exists(const wchar_t *pattern)
/// {
///     WIN32_FIND_DATAW found;
///     HANDLE search = FindFirstFileW(pattern, &found);
///     if (search == INVALID_HANDLE_VALUE)
///         return false;
///     CloseHandle(search);
///     return true;
/// }
/// ```
/// It has its own function:
/// ```cpp,good
/// #include <windows.h>
///
/// bool exists(const wchar_t *pattern)
/// {
///     WIN32_FIND_DATAW found;
///     HANDLE search = FindFirstFileW(pattern, &found);
///     if (search == INVALID_HANDLE_VALUE)
///         return false;
///     FindClose(search);
///     return true;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL108", severity = "error", group = "default", cwe(404, 763))]
pub(crate) struct WrongReleaseFunction;

impl Rule for WrongReleaseFunction {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::WrongRelease { api } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let noun = words::noun(made);
        let label = format!("`{api}` does not release a {noun}");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!(
                "`{api}` is called on {}, a {noun} from `{}`",
                words::subject(made),
                made.api
            ),
            help: format!("write `{}`", words::release(made)),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
