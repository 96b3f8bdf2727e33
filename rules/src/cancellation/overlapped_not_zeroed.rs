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
/// With `hEvent` zero, the completion signals no event at all, but the handle. Where the code then waits for
/// an event that it has made and reset, and that nobody else can signal, it waits in vain: the event was to
/// be put into the OVERLAPPED.
///
/// ## Known limits
/// Local variables are followed, and what they were copied into, by other functions as well; what an allocation
/// leaves unset is not. That an event is missing is told
/// where the path that waits for it has made the event and reset it, and gave it to nobody.
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
        let EventKind::Io(fault) = &event.kind else {
            return None;
        };
        let (label, message, help) = match fault {
            IoFault::Unset {
                field,
                overlapped,
                api,
                rust,
            } => (
                format!("`{overlapped}.{field}` was never set"),
                format!("`{api}` gets `{overlapped}`, of which `{field}` was never set"),
                zeroes(overlapped, *rust),
            ),
            IoFault::NeverTied {
                overlapped,
                api,
                event,
            } => (
                format!("`{overlapped}` is given no event here, nor later"),
                format!(
                    "`{api}` gets `{overlapped}` without an event, and `{event}`, which is awaited, is never \
                     signalled"
                ),
                format!("set `{overlapped}.hEvent` to `{event}` before the start"),
            ),
            _ => return None,
        };
        let words = Words {
            primary: event.at,
            label,
            message,
            help,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}

/// How it is set to zeroes: where it is declared, or before it is used if it is a part of something.
fn zeroes(overlapped: &str, rust: bool) -> String {
    if rust {
        format!("set it to zeroes first: `std::ptr::write_bytes(&raw mut {overlapped}, 0, 1)`")
    } else if overlapped.contains(['.', '>', '*']) {
        format!("set it to zeroes first: `memset(&{overlapped}, 0, sizeof {overlapped})`")
    } else {
        format!("begin with zeroes: `OVERLAPPED {overlapped} = {{0}};`")
    }
}
