use pipelint_analysis::LockFault;

use crate::prelude::*;

/// A lock is taken by the thread that holds it, and cannot be taken twice; or given back by one that does not hold
/// it.
///
/// ## Why is this bad?
/// A thread that waits for its own lock waits for ever, or worse: for `std::mutex` the behaviour is undefined
/// (<https://en.cppreference.com/w/cpp/thread/mutex/lock>), an SRW lock cannot be taken recursively
/// (<https://learn.microsoft.com/en-us/windows/win32/sync/slim-reader-writer--srw--locks>), and Rust's `Mutex`
/// deadlocks or panics (<https://doc.rust-lang.org/std/sync/struct.Mutex.html#method.lock>). Giving back a lock that
/// is not held is undefined for most (<https://en.cppreference.com/w/cpp/thread/mutex/unlock>,
/// <https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html>), and for a critical section it may make another
/// thread wait for ever
/// (<https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-leavecriticalsection>).
///
/// ## Known limits
/// Both calls have to be on one path, in this function or in those that it calls. Locks that may be taken twice
/// (`CRITICAL_SECTION`, `std::recursive_mutex`) are told for the second kind alone. That a lock is not held is known
/// where the path has given it back before, or has made it. In Rust, what an `if let` looks at ends before its `else`
/// since the edition of 2024, and behind it until then: as the edition is not known, nothing is told of what the
/// `else` does with the lock.
///
/// ## Examples
/// ```cpp,bad
/// #include <mutex>
/// #include <string>
///
/// class queue
/// {
/// public:
///     std::size_t size() const
///     {
///         const std::lock_guard<std::mutex> guard(mutex_);
///         return text_.size();
///     }
///     bool has_room() const
///     {
///         const std::lock_guard<std::mutex> guard(mutex_);
///         return size() < 100;
///     }
///
/// private:
///     mutable std::mutex mutex_;
///     std::string text_;
/// };
/// ```
/// ```cpp,good
/// #include <mutex>
/// #include <string>
///
/// class queue
/// {
/// public:
///     std::size_t size() const
///     {
///         const std::lock_guard<std::mutex> guard(mutex_);
///         return text_.size();
///     }
///     bool has_room() const
///     {
///         const std::lock_guard<std::mutex> guard(mutex_);
///         return text_.size() < 100;
///     }
///
/// private:
///     mutable std::mutex mutex_;
///     std::string text_;
/// };
/// ```
/// ```cpp,bad
/// #include <windows.h>
///
/// void put(CRITICAL_SECTION *lock, HANDLE ready, int *slot, int value)
/// {
///     EnterCriticalSection(lock);
///     if (*slot != 0)
///         LeaveCriticalSection(lock);
///     else
///         *slot = value;
///     SetEvent(ready);
///     LeaveCriticalSection(lock);
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// void put(CRITICAL_SECTION *lock, HANDLE ready, int *slot, int value)
/// {
///     EnterCriticalSection(lock);
///     if (*slot == 0)
///         *slot = value;
///     LeaveCriticalSection(lock);
///     SetEvent(ready);
/// }
/// ```
/// ```rust,bad
/// use std::sync::Mutex;
///
/// pub struct Queue {
///     lines: Mutex<Vec<String>>,
/// }
///
/// impl Queue {
///     fn len(&self) -> usize {
///         self.lines.lock().unwrap().len()
///     }
///
///     pub fn push(&self, line: String) {
///         let mut lines = self.lines.lock().unwrap();
///         if self.len() < 100 {
///             lines.push(line);
///         }
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::Mutex;
///
/// pub struct Queue {
///     lines: Mutex<Vec<String>>,
/// }
///
/// impl Queue {
///     pub fn push(&self, line: String) {
///         let mut lines = self.lines.lock().unwrap();
///         if lines.len() < 100 {
///             lines.push(line);
///         }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL404",
    severity = "error",
    group = "default",
    cwe(764, 765, 832, 833)
)]
pub(crate) struct LockMisuse;

impl Rule for LockMisuse {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Lock(fault) = &event.kind else {
            return None;
        };
        let (label, message, help) = match fault {
            LockFault::Again { lock, api, first } => (
                "held already".to_owned(),
                format!(
                    "`{api}` waits for `{lock}`, which this path holds since `{}` and which cannot be taken twice",
                    first.0
                ),
                format!(
                    "call what does its work without taking `{lock}`, or give the lock back before"
                ),
            ),
            LockFault::NotHeld {
                lock,
                api,
                before: Some((before, _)),
            } => (
                "not held any more".to_owned(),
                format!("`{api}` gives back `{lock}`, which `{before}` has given back already"),
                format!("give `{lock}` back once on each path"),
            ),
            LockFault::NotHeld {
                lock,
                api,
                before: None,
            } => (
                "not held".to_owned(),
                format!("`{api}` gives back `{lock}`, which nobody has taken since it was made"),
                format!("take `{lock}` before"),
            ),
            LockFault::Kept { .. } => return None,
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
