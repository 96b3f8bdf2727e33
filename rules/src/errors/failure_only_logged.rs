//! PL515.

use pipelint_analysis::Silenced;

use crate::prelude::*;

/// A write to a pipe failed, a message goes to the log, and neither the caller nor anybody else is told
/// that the bytes were lost.
///
/// ## Why is this bad?
/// The result of `WriteFile` is the only word that a reader has gone or that the bytes were not taken
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>). A log helps who looks for
/// the fault afterwards. The program goes on as though the bytes had been sent: it counts them, frees them
/// and waits for an answer.
///
/// ## Known limits
/// Who reads the log is not known, so the rule is pedantic. It is silent in `main`, in destructors and in
/// functions that are named for an end, a wake-up or a log, where the branch does anything else as well
/// (closes the pipe, sets a flag, calls somebody), and where bytes that the object keeps can be sent again.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// void send(HANDLE pipe, const char *bytes, DWORD length)
/// {
///     DWORD written = 0;
///     if (!WriteFile(pipe, bytes, length, &written, nullptr))
///     {
///         OutputDebugStringA("not written");
///     }
/// }
/// ```
/// ```rust,bad
/// use std::io::Write;
/// use std::process::ChildStdin;
///
/// pub fn send(pipe: &mut ChildStdin, bytes: &[u8]) {
///     if let Err(error) = pipe.write_all(bytes) {
///         eprintln!("not written: {error}");
///     }
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// bool send(HANDLE pipe, const char *bytes, DWORD length)
/// {
///     DWORD written = 0;
///     if (!WriteFile(pipe, bytes, length, &written, nullptr))
///     {
///         OutputDebugStringA("not written");
///         return false;
///     }
///     return written == length;
/// }
/// ```
/// ```rust,good
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub fn send(pipe: &mut ChildStdin, bytes: &[u8]) -> io::Result<()> {
///     if let Err(error) = pipe.write_all(bytes) {
///         eprintln!("not written: {error}");
///         return Err(error);
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL515", severity = "warning", group = "pedantic", cwe(755))]
pub(crate) struct FailureOnlyLogged;

impl Rule for FailureOnlyLogged {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Silenced(Silenced::Logged { api, .. }) = &event.kind else {
            return None;
        };
        let label = format!("the failure of `{api}` is only logged");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("that `{api}` failed is only logged, and the bytes are lost"),
            help: format!("hand the failure of `{api}` on as well, or keep it for the next caller"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
