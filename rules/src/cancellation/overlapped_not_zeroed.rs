//! PL305.

use pipelint_analysis::IoFault;

use crate::prelude::*;

/// An OVERLAPPED is given to a starting call of which `Offset`, `OffsetHigh` or `hEvent` was never set.
///
/// ## Why is this bad?
/// `hEvent` must be a valid event or zero, and the offsets must be zero for what has no positions, such as a
/// pipe; unused members must be set to zero before the structure is used
/// (<https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>). With what
/// stood on the stack in its place, the call fails now and then with `ERROR_INVALID_PARAMETER` or
/// `ERROR_INVALID_HANDLE`, or signals somebody else's event.
///
/// ## Known limits
/// Local variables are followed; what an allocation leaves unset is not.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// bool begin(HANDLE pipe, HANDLE event)
/// {
///     OVERLAPPED ov;
///     ov.hEvent = event;
///     DWORD sent = 0;
///     return WriteFile(pipe, "go", 2, nullptr, &ov) || GetOverlappedResult(pipe, &ov, &sent, TRUE);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool begin(HANDLE pipe, HANDLE event)
/// {
///     OVERLAPPED ov = {};
///     ov.hEvent = event;
///     DWORD sent = 0;
///     return WriteFile(pipe, "go", 2, nullptr, &ov) || GetOverlappedResult(pipe, &ov, &sent, TRUE);
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL305", severity = "error", group = "default", cwe(457, 908))]
pub(crate) struct OverlappedNotZeroed;

impl Rule for OverlappedNotZeroed {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Io(IoFault::Unset {
            field,
            overlapped,
            api,
        }) = &event.kind
        else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: format!("`{overlapped}.{field}` was never set"),
            message: format!("`{api}` gets `{overlapped}`, of which `{field}` was never set"),
            help: format!("begin with zeroes: `OVERLAPPED {overlapped} = {{0}};`"),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
