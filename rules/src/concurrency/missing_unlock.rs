use pipelint_analysis::LockFault;

use crate::prelude::*;

/// The function is left with a lock held that it has taken.
///
/// ## Why is this bad?
/// The next who wants the lock waits for ever: another thread, and this one too where the lock cannot be taken
/// twice. A critical section that its owner does not leave is never free again
/// (<https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-entercriticalsection>); nor is a
/// `pthread_mutex_t` (<https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html>) or a `std::mutex`
/// (<https://en.cppreference.com/w/cpp/thread/mutex/lock>). A guard of Rust's that is forgotten never unlocks
/// (<https://doc.rust-lang.org/std/sync/struct.MutexGuard.html>).
///
/// ## Known limits
/// A function may take a lock for its caller. So one of these has to be seen: another way out gives the lock back
/// and says the same, or says that all went well where this one says that it failed; or nobody else can give it
/// back, as it was made here, is a private field that no function gives back for others, or belongs to a guard
/// that never ends. Functions that are named for taking something are told only where they say that they failed. A
/// mutex that `std::unique_lock::release` hands on to the caller is the caller's.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct log_pipe
/// {
///     CRITICAL_SECTION lock;
///     HANDLE pipe;
/// };
///
/// bool append(log_pipe *log, const char *text, DWORD length)
/// {
///     DWORD sent = 0;
///     EnterCriticalSection(&log->lock);
///     if (!WriteFile(log->pipe, text, length, &sent, nullptr))
///         return false;
///     LeaveCriticalSection(&log->lock);
///     return true;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// struct log_pipe
/// {
///     CRITICAL_SECTION lock;
///     HANDLE pipe;
/// };
///
/// bool append(log_pipe *log, const char *text, DWORD length)
/// {
///     DWORD sent = 0;
///     EnterCriticalSection(&log->lock);
///     const BOOL good = WriteFile(log->pipe, text, length, &sent, nullptr);
///     LeaveCriticalSection(&log->lock);
///     return good != FALSE;
/// }
/// ```
/// ```rust,bad
/// use std::mem;
/// use std::sync::Mutex;
///
/// pub struct Log {
///     lines: Mutex<Vec<String>>,
/// }
///
/// impl Log {
///     pub fn count(&self) -> usize {
///         let lines = self.lines.lock().unwrap();
///         let count = lines.len();
///         mem::forget(lines);
///         count
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::Mutex;
///
/// pub struct Log {
///     lines: Mutex<Vec<String>>,
/// }
///
/// impl Log {
///     pub fn count(&self) -> usize {
///         let lines = self.lines.lock().unwrap();
///         lines.len()
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL403", severity = "error", group = "default", cwe(667, 772))]
pub(crate) struct MissingUnlock;

impl Rule for MissingUnlock {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Lock(LockFault::Kept {
            lock,
            api,
            elsewhere,
            forgotten,
            ..
        }) = &event.kind
        else {
            return None;
        };
        let message = match (forgotten, elsewhere) {
            (true, _) => format!("the guard of `{lock}` never ends, and the lock stays held"),
            (_, true) => format!(
                "the function is left with `{lock}` held, which its other ways out give back"
            ),
            (_, false) => {
                format!("the function is left with `{lock}` held, and nobody else can give it back")
            }
        };
        let help = match forgotten {
            true => "let the guard end".to_owned(),
            false => format!("give `{lock}` back on this way out as well, or let a guard hold it"),
        };
        let words = Words {
            primary: event.at,
            label: format!("taken by `{api}`"),
            message,
            help,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
