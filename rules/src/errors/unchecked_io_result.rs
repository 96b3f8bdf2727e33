//! PL501.

use pipelint_analysis::Dependence;

use crate::prelude::*;

/// The result of an I/O call is dropped where the next step depends on it: the buffer is read, the
/// count is used, the next transfer builds on it, the function reports success as though it had been
/// looked at, or a task goes to sleep as though it were registered to be woken.
///
/// `(void)` says that the result is dropped on purpose, and is accepted.
///
/// ## Why is this bad?
/// `ReadFile` and `WriteFile` return `FALSE` when they fail or are not done yet
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>,
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>); the buffer
/// then holds what it held before. A peer that has gone shows in no other place than this result. A
/// client's pipe handle is in byte mode until `SetNamedPipeHandleState` has succeeded
/// (<https://learn.microsoft.com/en-us/windows/win32/ipc/named-pipe-client>), so that the next read
/// splits or joins messages if it has not. Of an overlapped operation the result alone tells whether it
/// was started at all: where nothing looks at its `OVERLAPPED` before the function is left, others wait for
/// what may never come. So it is with a task that returns `Poll::Pending` after it has asked to be woken
/// (<https://docs.rs/tokio/0.2.25/tokio/io/struct.PollEvented.html>): where the registration failed, nobody
/// ever polls it again.
///
/// ## Known limits
/// A dropped result on which nothing visible depends (a last log line, a farewell) is silent, as is
/// one whose transferred count is tested in its place, and before a return of success a text that stands
/// in the call (a prompt, a line break). Success counts as reported only by a function that elsewhere
/// reports the failure of a call that sends: a `TRUE` that never means more is no claim. An `Ok` of an
/// `io::Result` always is one.
/// Dropped results of `DisconnectNamedPipe` and `FlushFileBuffers` before a close are silent too.
/// A registration is looked at where the type that it is made with is known, and is silent where the context
/// was given to somebody else as well, who may wake the task.
///
/// ## Examples
/// A broken pipe passes for an answer:
/// ```cpp,bad
/// #include <windows.h>
/// #include <string>
///
/// std::string answer(HANDLE pipe)
/// {
///     char text[512] = {};
///     DWORD got;
///     ReadFile(pipe, text, sizeof text - 1, &got, nullptr);
///     return std::string(text);
/// }
/// ```
/// The function tells of a failure to send the head, and claims to have sent the body:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool tell(HANDLE pipe, DWORD length, const char *text)
/// {
///     DWORD written = 0;
///     if (!WriteFile(pipe, &length, sizeof length, &written, nullptr))
///         return false;
///     WriteFile(pipe, text, length, &written, nullptr);
///     return true;
/// }
/// ```
/// The result decides:
/// ```cpp,good
/// #include <windows.h>
/// #include <string>
///
/// std::string answer(HANDLE pipe)
/// {
///     char text[512];
///     DWORD got = 0;
///     if (!ReadFile(pipe, text, sizeof text, &got, nullptr))
///         return std::string();
///     return std::string(text, got);
/// }
/// ```
/// A task that is not registered sleeps for ever:
/// ```rust,bad
/// use std::io;
/// use std::task::{Context, Poll};
/// use tokio::net::windows::named_pipe::NamedPipeServer;
///
/// pub struct Outgoing {
///     pipe: NamedPipeServer,
///     bytes: Vec<u8>,
/// }
///
/// impl Outgoing {
///     pub fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
///         match self.pipe.try_write(&self.bytes) {
///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
///                 self.pipe.poll_write_ready(cx);
///                 Poll::Pending
///             }
///             sent => Poll::Ready(sent),
///         }
///     }
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use std::task::{Context, Poll};
/// use tokio::net::windows::named_pipe::NamedPipeServer;
///
/// pub struct Outgoing {
///     pipe: NamedPipeServer,
///     bytes: Vec<u8>,
/// }
///
/// impl Outgoing {
///     pub fn poll_send(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
///         match self.pipe.try_write(&self.bytes) {
///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
///                 match self.pipe.poll_write_ready(cx) {
///                     Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
///                     Poll::Ready(Ok(())) => {
///                         cx.waker().wake_by_ref();
///                         Poll::Pending
///                     }
///                     Poll::Pending => Poll::Pending,
///                 }
///             }
///             sent => Poll::Ready(sent),
///         }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL501", severity = "warning", group = "default", cwe(252, 754))]
pub(crate) struct UncheckedIoResult;

impl Rule for UncheckedIoResult {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::ResultDropped {
            api,
            depends,
            dependent,
            ..
        } = &event.kind
        else {
            return None;
        };
        let (clause, step) = match depends {
            Dependence::BufferRead => (
                "the buffer is read as though it were filled",
                "the buffer is read here",
            ),
            Dependence::CountUsed => (
                "the transferred count is used",
                "the transferred count is used here",
            ),
            Dependence::NextTransfer => (
                "the next call on the handle builds on it",
                "this call builds on it",
            ),
            Dependence::Pending => (
                "nothing else tells whether the overlapped operation was started",
                "the function is left, and the operation may be pending or not",
            ),
            Dependence::ReportsSuccess => {
                ("the function reports success", "success is reported here")
            }
            Dependence::NobodyWakes => (
                "the task waits for somebody to wake it, whom only that result tells of",
                "`Poll::Pending` is returned here",
            ),
        };
        let label = format!("the result of `{api}` is dropped");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("the result of `{api}` is dropped, and {clause}"),
            help: match depends {
                Dependence::NobodyWakes => {
                    format!("hand the error on, as in `{api}(…)?;`, before `Poll::Pending`")
                }
                _ => format!(
                    "test it: `if (!{api}(…)) {{ … }}`; if it is meant, write `(void){api}(…)`"
                ),
            },
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        words::relabel(&mut diagnostic.path, *dependent, step);
        Some(diagnostic)
    }
}
