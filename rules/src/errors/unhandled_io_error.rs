//! PL502.

use pipelint_analysis::{ErrorFault, ResultFault};

use crate::prelude::*;

/// Where an I/O call fails, some error is told apart and makes the function fail, and every other one
/// falls through: the function goes on, and reports success, as though the call had worked. Or one operation
/// has failed, which a completion port tells, and the function leaves as though the port had: its own code for
/// that failure is reached on no path.
///
/// ## Why is this bad?
/// A call that returns `FALSE` has done its work for no error but the few that say so: of an
/// overlapped call `ERROR_IO_PENDING` means that it is under way
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>). After any other
/// the operation was not started, nothing will complete it, and who waits for it waits for ever; the
/// caller is told that its data went out.
///
/// `GetQueuedCompletionStatus` returns `FALSE` with an OVERLAPPED for an operation of one handle that failed,
/// as when a client has gone; only without one there is no packet
/// (<https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>). A
/// server that leaves its loop for both serves nobody any more when the first client breaks off.
///
/// ## Known limits
/// The rule speaks where the function reports some error of the same call, and returns for the others
/// what it returns when the call has worked. An error that is logged, kept or given to somebody else is
/// taken to be dealt with, as is an operation that is asked for its result afterwards. A function that
/// leaves for every failure of a port and has no code for one operation's is taken to mean it.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     OVERLAPPED overlapped;
///     bool pending;
///
///     DWORD start(const void *data, DWORD size)
///     {
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///         {
///             const DWORD error = GetLastError();
///             if (error == ERROR_NO_DATA)
///                 return error;
///         }
///         pending = true;
///         return ERROR_SUCCESS;
///     }
/// };
/// ```
/// Only the one error that is none goes on:
/// ```cpp,good
/// #include <windows.h>
///
/// struct sender
/// {
///     HANDLE pipe;
///     OVERLAPPED overlapped;
///     bool pending;
///
///     DWORD start(const void *data, DWORD size)
///     {
///         if (!WriteFile(pipe, data, size, nullptr, &overlapped))
///         {
///             const DWORD error = GetLastError();
///             if (error != ERROR_IO_PENDING)
///                 return error;
///         }
///         pending = true;
///         return ERROR_SUCCESS;
///     }
/// };
/// ```
/// A client that breaks off ends the server:
/// ```cpp,bad
/// #include <windows.h>
///
/// struct client;
/// void answer(client *who, DWORD bytes);
/// void disconnect(client *who);
///
/// void serve(HANDLE port)
/// {
///     for (;;)
///     {
///         DWORD bytes = 0;
///         ULONG_PTR key = 0;
///         OVERLAPPED *packet = nullptr;
///         const BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &packet, INFINITE);
///         if (!ok || packet == nullptr)
///             return;
///         if (!ok)
///             disconnect(reinterpret_cast<client *>(key));
///         else
///             answer(reinterpret_cast<client *>(key), bytes);
///     }
/// }
/// ```
/// Whether there is a packet is asked first, and alone:
/// ```cpp,good
/// #include <windows.h>
///
/// struct client;
/// void answer(client *who, DWORD bytes);
/// void disconnect(client *who);
///
/// void serve(HANDLE port)
/// {
///     for (;;)
///     {
///         DWORD bytes = 0;
///         ULONG_PTR key = 0;
///         OVERLAPPED *packet = nullptr;
///         const BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &packet, INFINITE);
///         if (packet == nullptr)
///             return;
///         if (!ok)
///             disconnect(reinterpret_cast<client *>(key));
///         else
///             answer(reinterpret_cast<client *>(key), bytes);
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL502", severity = "warning", group = "default", cwe(754, 391))]
pub(crate) struct UnhandledIoError;

impl Rule for UnhandledIoError {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let (api, judged, end) = match &event.kind {
            EventKind::LastError(ErrorFault::FallsThrough { api, judged, end }) => {
                (api, judged, end)
            }
            EventKind::Result(fault) => return dead_handling(event, fault),
            _ => return None,
        };
        let words = Words {
            primary: event.at,
            label: format!("`{api}` fails"),
            message: format!("most errors of `{api}` pass for success: only some are told apart"),
            help: "let the errors through that are none (ERROR_IO_PENDING), and report all others"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &format!("`{api}` fails"));
        if let Some(judged) = judged {
            words::relabel(&mut diagnostic.path, *judged, "this shows that it failed");
        }
        words::relabel(
            &mut diagnostic.path,
            *end,
            "success is reported here all the same",
        );
        Some(diagnostic)
    }
}

fn dead_handling(event: &Event, fault: &ResultFault) -> Option<Diagnostic> {
    let ResultFault::DeadHandling {
        api,
        status,
        packet,
        call,
        dead,
    } = fault
    else {
        return None;
    };
    let words = Words {
        primary: event.at,
        label: format!(
            "one failed operation ends it as no packet does: `{packet}` tells which it is"
        ),
        message: format!(
            "the failure of one operation that `{api}` tells is taken for the port's: what follows for \
             `{status}` being false is never reached"
        ),
        help: format!(
            "leave only where `{packet}` is null, and let the later test of `{status}` deal with the rest"
        ),
    };
    let mut diagnostic = words::diagnostic(&UnhandledIoError::META, event, words);
    words::relabel(
        &mut diagnostic.path,
        *call,
        &format!("`{api}` takes a packet from the port"),
    );
    words::relabel(
        &mut diagnostic.path,
        event.at,
        "this leaves for one failed operation too",
    );
    words::relabel(
        &mut diagnostic.path,
        *dead,
        &format!("`{status}` is never false here: this is dead"),
    );
    Some(diagnostic)
}
