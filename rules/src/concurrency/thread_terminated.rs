//! PL413.

use pipelint_analysis::Holds;

use crate::prelude::*;

/// A thread is ended at a point that it does not choose, while it can hold a lock or have an operation under way.
///
/// ## Why is this bad?
/// A thread that `TerminateThread` ends runs no code any more: a critical section that it owns is never left, the
/// heap's lock is never given back if it was allocating, and what it was writing stays half done. The page calls
/// it dangerous, for those who know exactly what the thread may be doing at that moment
/// (<https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminatethread>).
/// `QThread::terminate` is the same (<https://doc.qt.io/qt-6/qthread.html#terminate>), and so is
/// `PTHREAD_CANCEL_ASYNCHRONOUS`, under which a thread may only call what is safe to be cancelled in
/// (<https://man7.org/linux/man-pages/man3/pthread_setcanceltype.3.html>).
///
/// ## Known limits
/// Told where the thread's function is in sight, and takes a lock, starts an overlapped operation or uses the
/// heap, itself or in what it calls. When it does so, as seen from the call that ends it, is not known. Threads
/// that were made suspended and never resumed are left alone.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// static CRITICAL_SECTION section;
/// static unsigned counted;
///
/// static DWORD WINAPI count(void *stop)
/// {
///     while (WaitForSingleObject(stop, 100) == WAIT_TIMEOUT) {
///         EnterCriticalSection(&section);
///         ++counted;
///         LeaveCriticalSection(&section);
///     }
///     return 0;
/// }
///
/// bool run(HANDLE stop)
/// {
///     HANDLE thread = CreateThread(nullptr, 0, count, stop, 0, nullptr);
///     if (thread == nullptr)
///         return false;
///     Sleep(1000);
///     bool ended = TerminateThread(thread, 0) != FALSE;
///     CloseHandle(thread);
///     return ended;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// static CRITICAL_SECTION section;
/// static unsigned counted;
///
/// static DWORD WINAPI count(void *stop)
/// {
///     while (WaitForSingleObject(stop, 100) == WAIT_TIMEOUT) {
///         EnterCriticalSection(&section);
///         ++counted;
///         LeaveCriticalSection(&section);
///     }
///     return 0;
/// }
///
/// bool run(HANDLE stop)
/// {
///     HANDLE thread = CreateThread(nullptr, 0, count, stop, 0, nullptr);
///     if (thread == nullptr)
///         return false;
///     Sleep(1000);
///     SetEvent(stop);
///     bool ended = WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0;
///     CloseHandle(thread);
///     return ended;
/// }
/// ```
/// ```rust,bad
/// use std::os::windows::io::AsRawHandle;
/// use std::sync::{Arc, Mutex, PoisonError};
/// use std::thread;
/// use windows_sys::Win32::System::Threading::TerminateThread;
///
/// pub fn run(counted: Arc<Mutex<u32>>) -> bool {
///     let worker = thread::spawn(move || loop {
///         *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
///     });
///     unsafe { TerminateThread(worker.as_raw_handle().cast(), 0) != 0 }
/// }
/// ```
/// ```rust,good
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::sync::{Arc, Mutex, PoisonError};
/// use std::thread;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::SetEvent;
///
/// pub fn run(counted: Arc<Mutex<u32>>, stop: Arc<AtomicBool>, ended: HANDLE) -> bool {
///     let asked = Arc::clone(&stop);
///     let worker = thread::spawn(move || {
///         while !asked.load(Ordering::Acquire) {
///             *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
///         }
///     });
///     stop.store(true, Ordering::Release);
///     worker.join().is_ok() && unsafe { SetEvent(ended) != 0 }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL413", severity = "warning", group = "default", cwe(667, 833))]
pub(crate) struct ThreadTerminated;

impl Rule for ThreadTerminated {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::ThreadTerminated {
            api,
            thread,
            holds,
            itself,
        } = &event.kind
        else {
            return None;
        };
        let can = match holds {
            Holds::Lock(lock) if lock.is_empty() => "can hold a lock".to_owned(),
            Holds::Lock(lock) => format!("can hold the lock of `{lock}`"),
            Holds::Operation(api) => {
                format!("can have an operation under way, which `{api}` starts")
            }
            Holds::Heap(api) => format!("can hold the heap's lock, in `{api}`"),
        };
        let message = match itself {
            true => format!("after `{api}` the thread may be ended at any point, and it {can}"),
            false if thread.starts_with('{') => {
                format!("`{api}` ends a thread that {can}")
            }
            false => format!("`{api}` ends the thread of `{thread}`, which {can}"),
        };
        let words = Words {
            primary: event.at,
            label: "ends the thread wherever it is".to_owned(),
            message,
            help: "ask the thread to end, by an event or a flag that it looks at, and wait for it"
                .to_owned(),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
