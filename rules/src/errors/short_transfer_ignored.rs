//! PL505.

use pipelint_analysis::{CountFault, Taken};

use crate::prelude::*;

/// A transfer that succeeds may be a short one, and nobody looks at how much was transferred.
///
/// Looking is to compare the count with anything but -1 (or, of a read, 0), to go on from it, to store it, to
/// return it or to give it to anybody. Where what was to be sent is emptied, a count that is only added up or
/// returned was not looked at.
///
/// ## Why is this bad?
/// What was not sent is lost, and what was not read is whatever the memory held before.
/// `write` may send less than it was given, on a full pipe or socket, a signal or a full disk
/// (<https://man7.org/linux/man-pages/man2/write.2.html>), as may `send`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-send>); on a pipe in
/// `PIPE_NOWAIT` mode `WriteFile` returns `TRUE` with a count that is less
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>). Of an overlapped
/// transfer only `GetOverlappedResult` tells how much it was
/// (<https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult>). `ReadFile`
/// succeeds with what there is, which may be nothing at the end
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>). Rust's `Write::write`
/// may write any part of its buffer (<https://doc.rust-lang.org/std/io/trait.Write.html#tymethod.write>);
/// `write_all` writes all of it.
///
/// ## Known limits
/// A `WriteFile` that waits takes all or fails, and so does an overlapped one: a write is told only where
/// `PIPE_NOWAIT` is in sight. Writes of at most 512 bytes, and of
/// one object's size, and those to the standard streams are silent. A read is told where the buffer is
/// used, or where success is reported to the caller whose buffer it is; not where it is an array that was set to
/// 0 before. An access by a variable index may use the count, and counts as a look.
///
/// ## Examples
/// ```cpp,bad
/// #include <winsock2.h>
///
/// bool tell(SOCKET peer, const char *text, int length)
/// {
///     if (send(peer, text, length, 0) == SOCKET_ERROR)
///         return false;
///     return true;
/// }
/// ```
/// ```cpp,good
/// #include <winsock2.h>
///
/// bool tell(SOCKET peer, const char *text, int length)
/// {
///     while (length > 0)
///     {
///         const int sent = send(peer, text, length, 0);
///         if (sent == SOCKET_ERROR)
///             return false;
///         text += sent;
///         length -= sent;
///     }
///     return true;
/// }
/// ```
/// A header that was read in part passes for one:
/// ```cpp,bad
/// #include <windows.h>
///
/// struct header
/// {
///     DWORD kind;
///     DWORD length;
/// };
///
/// DWORD length_of_next(HANDLE pipe)
/// {
///     header next;
///     DWORD got;
///     if (!ReadFile(pipe, &next, sizeof next, &got, nullptr))
///         return 0;
///     return next.length;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// struct header
/// {
///     DWORD kind;
///     DWORD length;
/// };
///
/// DWORD length_of_next(HANDLE pipe)
/// {
///     header next;
///     DWORD got;
///     if (!ReadFile(pipe, &next, sizeof next, &got, nullptr) || got != sizeof next)
///         return 0;
///     return next.length;
/// }
/// ```
/// ```rust,bad
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub fn tell(pipe: &mut ChildStdin, text: &[u8]) -> io::Result<()> {
///     pipe.write(text)?;
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io::{self, Write};
/// use std::process::ChildStdin;
///
/// pub fn tell(pipe: &mut ChildStdin, text: &[u8]) -> io::Result<()> {
///     pipe.write_all(text)
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL505", severity = "warning", group = "default", cwe(252, 754))]
pub(crate) struct ShortTransferIgnored;

impl Rule for ShortTransferIgnored {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Count(CountFault::Ignored {
            api,
            within,
            reads,
            asserted,
            judged,
            shown,
            taken,
        }) = &event.kind
        else {
            return None;
        };
        let call = within.as_ref().unwrap_or(api);
        let (done, clause, last) = match taken {
            Taken::Left => (
                "sent",
                "what was not sent is lost",
                "the function is left as though all had been sent",
            ),
            Taken::Emptied => (
                "sent",
                "the rest is dropped with it",
                "all of it is dropped, what was not sent as well",
            ),
            Taken::Used => (
                "read",
                "the buffer is used as though it were full",
                "the buffer is used here",
            ),
            Taken::Reported => (
                "read",
                "the function reports success as though the buffer were full",
                "success is reported here",
            ),
        };
        let look = match asserted {
            true => "only an assertion looks at",
            false => "nobody looks at",
        };
        let label = format!("`{call}` may have {done} less than it was given");
        let help = match (reads, words::is_method(call)) {
            (true, true) => "use `read_exact`, or go on with what `read` says was read",
            (true, false) => {
                "compare the count with the length, or read on until all is there; an assertion is not part of a release"
            }
            (false, true) => "use `write_all`, or go on with what `write` says is left",
            (false, false) => {
                "go on with the rest until all is sent, or fail if the count is less than the length"
            }
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("{look} how much `{call}` has {done}: {clause}"),
            help: help.to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "it has succeeded");
        }
        words::relabel(&mut diagnostic.path, *shown, last);
        Some(diagnostic)
    }
}
