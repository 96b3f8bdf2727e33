//! PL512.

use pipelint_analysis::{CountFault, Told};

use crate::prelude::*;

/// The length that was asked for is returned, added or told as what was transferred, and the count that
/// says how much it was is not looked at.
///
/// ## Why is this bad?
/// A read ends with what there is, and a write may take a part (see PL505): the caller goes on behind
/// bytes that never moved. `ReadFile`: "the function returns when … the number of bytes requested is read"
/// or "a write operation completes on the write end of the pipe"
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>); `write` returns "the
/// number of bytes written", which may be less
/// (<https://man7.org/linux/man-pages/man2/write.2.html>).
///
/// ## Known limits
/// As of PL505: a `WriteFile` that waits cannot be short. But where the program itself takes off what the count
/// says, it reckons with less, and a whole length that goes to others under the name of what was transferred is
/// told, whatever the pipe. A length that is a constant is no
/// evidence. What is stored or passed counts as told where a name speaks of it (`bytesWritten(length)`).
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// int fill(HANDLE pipe, char *buffer, DWORD size)
/// {
///     DWORD got = 0;
///     if (!ReadFile(pipe, buffer, size, &got, nullptr))
///         return -1;
///     return static_cast<int>(size);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// int fill(HANDLE pipe, char *buffer, DWORD size)
/// {
///     DWORD got = 0;
///     if (!ReadFile(pipe, buffer, size, &got, nullptr))
///         return -1;
///     return static_cast<int>(got);
/// }
/// ```
/// ```rust,bad
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub fn tell(pipe: &mut ChildStdin, text: &[u8]) -> io::Result<usize> {
///     pipe.write(text)?;
///     Ok(text.len())
/// }
/// ```
/// ```rust,good
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub fn tell(pipe: &mut ChildStdin, text: &[u8]) -> io::Result<usize> {
///     pipe.write(text)
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL512", severity = "warning", group = "default", cwe(682, 754))]
pub(crate) struct WrongCountReported;

impl Rule for WrongCountReported {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Count(CountFault::Wrong {
            api,
            within,
            reads,
            shown,
            told,
        }) = &event.kind
        else {
            return None;
        };
        let call = within.as_ref().unwrap_or(api);
        let how = match told {
            Told::Returned => "is returned",
            Told::Added => "is added",
            Told::Passed => "is told",
        };
        let done = if *reads { "read" } else { "sent" };
        let label = format!("the length that was asked for {how}");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!(
                "the length that `{call}` was given {how} in place of what it has {done}, which may be less"
            ),
            help: format!("use the count that `{call}` tells"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        if let Some(first) = event.path.first() {
            let first = first.span;
            words::relabel(
                &mut diagnostic.path,
                first,
                &format!("`{call}` tells how much it has {done}, and nobody looks"),
            );
        }
        words::relabel(&mut diagnostic.path, *shown, &label);
        Some(diagnostic)
    }
}
