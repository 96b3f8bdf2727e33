//! PL115.

use crate::prelude::*;

/// A handle or object pointer goes through an unsigned 32-bit integer and back.
///
/// ## Why is this bad?
/// In a 64-bit process a `HANDLE` is 64 bits wide, of which 32 are significant: it may be truncated,
/// and must be *sign*-extended when it is widened again
/// (<https://learn.microsoft.com/en-us/windows/win32/winprog64/interprocess-communication>). An
/// unsigned type (`DWORD`, `ULONG`, `UINT`, `uint32_t`) is *zero*-extended, so that
/// `INVALID_HANDLE_VALUE` and the pseudo-handles, which are negative, come back as other values: the
/// test for failure no longer matches, and `GetCurrentProcess()` names nothing. A threadpool object
/// (`PTP_WAIT`, `PTP_WORK`, …) is no handle but a pointer, of which all bits are significant: any
/// 32-bit type loses its upper half.
///
/// ## Known limits
/// A round trip through a signed type (`LONG`, `int`, `HandleToLong` and `LongToHandle`) is the
/// documented way and is silent, for kernel handles. The narrowing and the widening must stand in
/// one function.
///
/// ## Examples
/// `INVALID_HANDLE_VALUE` comes back as 0x00000000FFFFFFFF:
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE reopen(const wchar_t *name)
/// {
///     HANDLE pipe = CreateFileW(name, GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     DWORD slot = (DWORD)(DWORD_PTR)pipe;
///     return (HANDLE)(DWORD_PTR)slot;
/// }
/// ```
/// A signed 32-bit type keeps the sign:
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE reopen(const wchar_t *name)
/// {
///     HANDLE pipe = CreateFileW(name, GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     LONG slot = (LONG)(LONG_PTR)pipe;
///     return (HANDLE)(LONG_PTR)slot;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL115", severity = "warning", group = "default", cwe(197, 704))]
pub(crate) struct HandleTruncated;

impl Rule for HandleTruncated {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Truncated { ty } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref();
        let subject = made.map_or_else(|| "the handle".to_owned(), words::subject);
        // Whatever is released by CloseHandle is a kernel handle; the rest may be pointers.
        let handle = made.is_none_or(|made| made.release == "CloseHandle");
        let (lost, help) = if handle {
            (
                "a negative value comes back as another one",
                "keep it as `DWORD_PTR`, or narrow with HandleToLong and widen with LongToHandle, \
                 which keep the sign"
                    .to_owned(),
            )
        } else {
            (
                "its upper 32 bits are lost",
                "keep it as `ULONG_PTR`: all of its bits are significant".to_owned(),
            )
        };
        let label = format!("widened from `{ty}`: {lost}");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("{subject} goes through the unsigned 32-bit `{ty}` and back: {lost}"),
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
