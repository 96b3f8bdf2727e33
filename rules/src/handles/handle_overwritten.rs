//! PL107.

use crate::prelude::*;

/// The only variable that holds a handle is assigned over while the handle is open.
///
/// ## Why is this bad?
/// An object stays in the system until its last handle is closed
/// (<https://learn.microsoft.com/en-us/windows/win32/sysinfo/kernel-objects>), and after the
/// assignment no one knows the handle any more. In a loop that reconnects, each round loses one.
///
/// ## Known limits
/// Silent when another variable, a field or an unknown function also holds the handle. The field of
/// an object that a method finds already set is not known to hold anything.
///
/// ## Examples
/// Each round makes a pipe and forgets the last one:
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE connect_some(const wchar_t *const *names, int count)
/// {
///     HANDLE pipe = INVALID_HANDLE_VALUE;
///     for (int i = 0; i < count; ++i)
///         pipe = CreateFileW(names[i], GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     return pipe;
/// }
/// ```
/// The first that opens is kept:
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE connect_some(const wchar_t *const *names, int count)
/// {
///     HANDLE pipe = INVALID_HANDLE_VALUE;
///     for (int i = 0; i < count && pipe == INVALID_HANDLE_VALUE; ++i)
///         pipe = CreateFileW(names[i], GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     return pipe;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL107", severity = "warning", group = "default", cwe(771, 773))]
pub(crate) struct HandleOverwritten;

impl Rule for HandleOverwritten {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Overwritten { var } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let (api, noun) = (&made.api, words::noun(made));
        let label = format!("the {noun} from `{api}` is lost here");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{var}` is assigned over while it holds the {noun} from `{api}`"),
            help: format!("release it first: `{}({var});`", made.release),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
