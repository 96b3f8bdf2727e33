//! PL405.

use crate::prelude::*;

/// The code waits for a thread, a callback or an event with a lock held which the awaited code takes.
///
/// ## Why is this bad?
/// The awaited code waits for the lock, and who holds it waits for the awaited code: neither goes on, and nobody
/// gets the lock any more. `WaitForThreadpoolWaitCallbacks` "waits for outstanding wait callbacks to complete"
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolwaitcallbacks>),
/// `UnregisterWaitEx` with INVALID_HANDLE_VALUE "waits for all callback functions to complete before returning"
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>),
/// and a callback that has begun cannot be called off. It takes the right moment, mostly that of shutting down.
///
/// ## What is shown
/// The path shows where the lock is taken, where the code waits, and where the awaited code takes the lock. The
/// wait may be in a function that is called, and in a destructor: of what a smart pointer lets go of by `reset`, or
/// what Rust drops. The report stands in the function that holds the lock. What is awaited is told by the object
/// that it is kept in: threads that are joined or whose handle is waited for without a limit, callbacks of waits,
/// timers and work of the thread pool, handlers of the console while they are removed, and events which nobody sets
/// but with the lock.
///
/// With the pedantic rules, waits are told besides of which only the length is known: for objects and descriptors,
/// with a lock held, for as long as others like.
///
/// ## Known limits
/// Locks are told by the class and field that they are: two objects of one class have one lock here. Nothing is
/// said where the awaited code only tries for the lock, where both only read, where a wait has a limit, and where the
/// awaited code itself runs what waits.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// #include <mutex>
///
/// class Reader
/// {
/// public:
///     ~Reader()
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         if (wait_ != nullptr)
///             UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
///     }
///
///     bool watch(HANDLE event)
///     {
///         return RegisterWaitForSingleObject(&wait_, event, &Reader::signalled, this, INFINITE, WT_EXECUTEDEFAULT);
///     }
///
/// private:
///     static void CALLBACK signalled(PVOID context, BOOLEAN)
///     {
///         auto *self = static_cast<Reader *>(context);
///         std::lock_guard<std::mutex> lock(self->mutex_);
///         ++self->signals_;
///     }
///
///     std::mutex mutex_;
///     HANDLE wait_ = nullptr;
///     int signals_ = 0;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// #include <mutex>
///
/// class Reader
/// {
/// public:
///     ~Reader()
///     {
///         if (wait_ != nullptr)
///             UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
///     }
///
///     bool watch(HANDLE event)
///     {
///         return RegisterWaitForSingleObject(&wait_, event, &Reader::signalled, this, INFINITE, WT_EXECUTEDEFAULT);
///     }
///
/// private:
///     static void CALLBACK signalled(PVOID context, BOOLEAN)
///     {
///         auto *self = static_cast<Reader *>(context);
///         std::lock_guard<std::mutex> lock(self->mutex_);
///         ++self->signals_;
///     }
///
///     std::mutex mutex_;
///     HANDLE wait_ = nullptr;
///     int signals_ = 0;
/// };
/// ```
/// ```rust,bad
/// use std::sync::{Arc, Mutex};
/// use std::thread::JoinHandle;
///
/// pub struct Pool {
///     shared: Arc<Shared>,
///     worker: Option<JoinHandle<()>>,
/// }
///
/// struct Shared {
///     queue: Mutex<Vec<u8>>,
/// }
///
/// impl Shared {
///     fn work(&self) {
///         let mut queue = self.queue.lock().unwrap();
///         queue.clear();
///     }
/// }
///
/// impl Pool {
///     pub fn start(&mut self) {
///         let shared = Arc::clone(&self.shared);
///         self.worker = Some(std::thread::spawn(move || shared.work()));
///     }
///
///     pub fn stop(&mut self) {
///         let mut queue = self.shared.queue.lock().unwrap();
///         queue.clear();
///         if let Some(worker) = self.worker.take() {
///             worker.join().unwrap();
///         }
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::{Arc, Mutex};
/// use std::thread::JoinHandle;
///
/// pub struct Pool {
///     shared: Arc<Shared>,
///     worker: Option<JoinHandle<()>>,
/// }
///
/// struct Shared {
///     queue: Mutex<Vec<u8>>,
/// }
///
/// impl Shared {
///     fn work(&self) {
///         let mut queue = self.queue.lock().unwrap();
///         queue.clear();
///     }
/// }
///
/// impl Pool {
///     pub fn start(&mut self) {
///         let shared = Arc::clone(&self.shared);
///         self.worker = Some(std::thread::spawn(move || shared.work()));
///     }
///
///     pub fn stop(&mut self) {
///         self.shared.queue.lock().unwrap().clear();
///         if let Some(worker) = self.worker.take() {
///             worker.join().unwrap();
///         }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL405", severity = "warning", group = "default", cwe(833))]
pub(crate) struct WaitUnderLock;

impl Rule for WaitUnderLock {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn group(&self, event: &Event) -> Group {
        match &event.kind {
            EventKind::WaitUnderLock(fault) if fault.needs.is_none() => Group::Pedantic,
            _ => Self::META.group,
        }
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::WaitUnderLock(fault) = &event.kind else {
            return None;
        };
        let (lock, api) = (&fault.lock, &fault.api);
        let here = match &fault.through {
            Some(callee) => format!("`{callee}`, which waits by `{api}`, is called"),
            None => format!("`{api}` waits"),
        };
        let message = match &fault.needs {
            Some(need) => format!(
                "{here} with `{lock}` held, which `{}` takes before the wait can end: neither goes on",
                need.function
            ),
            None => format!("{here} with `{lock}` held: all who need the lock wait as long"),
        };
        let label = match &fault.through {
            Some(callee) => format!("`{callee}` waits, and `{lock}` is held"),
            None => format!("waits, and `{lock}` is held"),
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message,
            help: format!("give `{lock}` back before the wait"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        if let Some(need) = &fault.needs {
            let takes = format!("`{}` waits for `{lock}`: {}", need.function, need.runs);
            words::relabel(&mut diagnostic.path, need.at, &takes);
        }
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
