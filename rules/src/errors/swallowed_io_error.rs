//! PL513.

use pipelint_analysis::Silenced;

use crate::prelude::*;

/// A write to a pipe may fail, and the code makes sure that nobody hears of it: `let _ =` or `.ok();` on
/// the `Result`, a branch for the failure that does nothing, or an empty `catch`.
///
/// ## Why is this bad?
/// Only the result of the write tells that the reader has gone or that the bytes were not taken
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>,
/// <https://doc.rust-lang.org/std/io/trait.Write.html>). Whoever gave the bytes takes them for sent, and the
/// fault shows much later and elsewhere, as a peer that never answers.
///
/// ## Known limits
/// Whether it was meant cannot be seen, so the rule is pedantic. It is silent where nobody is left to be
/// told or nothing is lost: in destructors and functions that are named for an end, a wake-up or a log,
/// where the pipe is closed afterwards, and for a fixed text or a single byte. So is it where success
/// shows in another way: in the count, in a flag or in a queue that only a good write empties. `(void)`
/// in C and C++ is accepted.
///
/// Of a completion, or of a function that sends for its caller, the failure must be told by the result alone.
/// A completion counts as one of a write where all that is started with the OVERLAPPED, in the class that keeps
/// it, are writes and waits for the peer, and where whoever asks knows an operation that has failed from one
/// that goes on. It is told where the bytes end with the failure (they go back into a queue otherwise, or a
/// queue is emptied), or where a function that returns nothing does nothing and leaves no sign of success.
///
/// One fault is told once. A result that is dropped where a later step depends on it is PL501, and a function
/// that can tell of a failure and returns success is PL514: both say more, and come first. A branch that
/// logs is PL515.
///
/// In Rust the type of what is written to must be known: a field, a parameter or an annotated variable.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// class Feed
/// {
/// public:
///     void push(const char *bytes, DWORD length)
///     {
///         DWORD written = 0;
///         if (!WriteFile(pipe_, bytes, length, &written, nullptr))
///         {
///             // Ignored.
///         }
///     }
///
/// private:
///     HANDLE pipe_;
/// };
/// ```
/// ```rust,bad
/// use std::io::Write;
/// use std::process::ChildStdin;
///
/// pub struct Feed {
///     pipe: ChildStdin,
/// }
///
/// impl Feed {
///     pub fn push(&mut self, bytes: &[u8]) {
///         let _ = self.pipe.write_all(bytes);
///     }
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// class Feed
/// {
/// public:
///     bool push(const char *bytes, DWORD length)
///     {
///         DWORD written = 0;
///         return WriteFile(pipe_, bytes, length, &written, nullptr) && written == length;
///     }
///
/// private:
///     HANDLE pipe_;
/// };
/// ```
/// ```rust,good
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub struct Feed {
///     pipe: ChildStdin,
/// }
///
/// impl Feed {
///     pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
///         self.pipe.write_all(bytes)
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL513", severity = "warning", group = "pedantic", cwe(390))]
pub(crate) struct SwallowedIoError;

impl Rule for SwallowedIoError {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Silenced(how) = &event.kind else {
            return None;
        };
        let (api, message, label) = match how {
            Silenced::Discarded { api } => (
                api,
                format!("whether `{api}` failed is thrown away"),
                "the result is thrown away".to_owned(),
            ),
            Silenced::Branch {
                api, drops: true, ..
            } => (
                api,
                format!("where `{api}` fails, the bytes are dropped, and nobody is told"),
                "the bytes are dropped".to_owned(),
            ),
            Silenced::Branch { api, .. } => (
                api,
                format!("where `{api}` fails, nothing is done"),
                format!("asks whether `{api}` failed, and does nothing"),
            ),
            Silenced::Caught { api } => (
                api,
                format!("where a write in `{api}` fails, the exception is caught and forgotten"),
                "the exception is caught and forgotten".to_owned(),
            ),
            Silenced::Logged { .. } => return None,
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message,
            help: format!("hand the failure of `{api}` on, or keep it for the next caller"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
