//! PL409.

use pipelint_analysis::{GuardFault, Takes};

use crate::prelude::*;

/// A guard that nobody keeps: it gives its lock back with the statement that makes it, and what follows runs
/// without the lock.
///
/// ## Why is this bad?
/// A temporary ends with its full expression (<https://en.cppreference.com/w/cpp/language/lifetime>), so
/// `std::lock_guard<std::mutex>{mutex};` locks and unlocks on one line. Written with parentheses round one
/// name, `std::unique_lock<std::mutex>(mutex);` takes no lock at all: it declares a variable of that name
/// (<https://en.cppreference.com/w/cpp/language/direct_initialization>). In Rust `let _ = mutex.lock();` binds
/// nothing, and the guard ends there; `let _guard` would keep it to the end of the block
/// (<https://doc.rust-lang.org/std/sync/struct.MutexGuard.html>).
///
/// ## Known limits
/// Known guards are those of the models, classes that lock in a constructor and unlock in the destructor, and
/// those with a guard for a field. To have had a lock for a moment can be what is meant: `drop(mutex.lock())`,
/// a guard with a name in a block of its own, and statements after which others are woken or nothing is done
/// are left alone.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
/// #include <mutex>
///
/// class Log
/// {
/// public:
///     void add(DWORD size)
///     {
///         std::lock_guard<std::mutex>{mutex_};
///         total_ += size;
///     }
///     bool flush(HANDLE file) { return FlushFileBuffers(file) != FALSE; }
///
/// private:
///     std::mutex mutex_;
///     DWORD total_ = 0;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
/// #include <mutex>
///
/// class Log
/// {
/// public:
///     void add(DWORD size)
///     {
///         const std::lock_guard<std::mutex> guard(mutex_);
///         total_ += size;
///     }
///     bool flush(HANDLE file) { return FlushFileBuffers(file) != FALSE; }
///
/// private:
///     std::mutex mutex_;
///     DWORD total_ = 0;
/// };
/// ```
/// ```rust,bad
/// use std::io;
/// use std::sync::{Mutex, PoisonError};
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
///
/// pub fn flush(turn: &Mutex<()>, file: HANDLE) -> io::Result<()> {
///     let _ = turn.lock().unwrap_or_else(PoisonError::into_inner);
///     if unsafe { FlushFileBuffers(file) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use std::sync::{Mutex, PoisonError};
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
///
/// pub fn flush(turn: &Mutex<()>, file: HANDLE) -> io::Result<()> {
///     let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
///     if unsafe { FlushFileBuffers(file) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL409", severity = "warning", group = "default", cwe(667, 820))]
pub(crate) struct GuardDroppedAtOnce;

impl Rule for GuardDroppedAtOnce {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Guard(GuardFault::DroppedAtOnce {
            lock,
            guard,
            takes,
            declares,
            rust,
        }) = &event.kind
        else {
            return None;
        };
        let of = match lock.as_str() {
            "" => String::new(),
            lock => format!(" of `{lock}`"),
        };
        let message = match takes {
            Takes::Lock => {
                format!("the guard{of} ends with this statement, and gives the lock back")
            }
            Takes::Attempt => {
                format!(
                    "the guard{of} ends with this statement, and gives back the lock if it had it"
                )
            }
            Takes::Nothing if *rust => {
                format!("nobody awaits the guard{of}, so the lock is never taken")
            }
            Takes::Nothing => format!("the guard{of} takes no lock, and ends with this statement"),
        };
        let help = match (rust, takes) {
            (true, Takes::Nothing) => "await it, and give the guard a name".to_owned(),
            (true, _) => {
                "give it a name: `let _guard = …` lives to the end of the block, `let _ = …` does not; \
                 `drop(…)` says that this is meant"
                    .to_owned()
            }
            (false, _) if *declares => format!(
                "give it a name: `{guard} guard({lock});`; written with parentheses, `{guard}({lock});` even \
                 declares a variable `{lock}`, and takes no lock"
            ),
            (false, _) => "give it a name: a variable holds the lock to the end of the block".to_owned(),
        };
        let words = Words {
            primary: event.at,
            label: format!("this `{guard}` has no name"),
            message,
            help,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
