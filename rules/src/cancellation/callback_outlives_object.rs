//! PL308.

use pipelint_analysis::{CallbackFault, Missing};

use crate::prelude::*;

/// The object that a callback of the thread pool works on ends while the callback may still run or start:
/// the wait, timer or work object was not disarmed first, or nobody waited for callbacks that run.
///
/// ## Why is this bad?
/// A close ends no callback: one may even start after it. The page of `CloseThreadpoolWait` says so, and asks
/// for three steps in this order: `SetThreadpoolWait` with NULL, so that
/// nothing starts any more; `WaitForThreadpoolWaitCallbacks`, so that nothing runs any more; then the close
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolwait>).
/// Timers are the same, work objects need no disarming, and a registered wait or a timer of a queue is waited
/// for only where `UnregisterWaitEx` or `DeleteTimerQueueTimer` is given `INVALID_HANDLE_VALUE`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>).
/// A callback that runs after its object is gone reads and writes freed memory.
///
/// ## Known limits
/// Told where the context is seen to end: the object of a destructor, memory that is freed, a local variable.
/// What a destructor does on one of its paths it is taken to do whenever it is needed, and a wait for anything
/// else before the close may be what shows that the callback has run. Objects of a callback environment,
/// which a cleanup group may close, are left out.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// class Watcher
/// {
/// public:
///     Watcher() : wait_(CreateThreadpoolWait(&Watcher::run, this, nullptr)) {}
///     ~Watcher()
///     {
///         if (wait_)
///             CloseThreadpoolWait(wait_);
///     }
///     Watcher(const Watcher &) = delete;
///     Watcher &operator=(const Watcher &) = delete;
///     void watch(HANDLE event)
///     {
///         if (wait_)
///             SetThreadpoolWait(wait_, event, nullptr);
///     }
///
/// private:
///     static void CALLBACK run(PTP_CALLBACK_INSTANCE, void *context, PTP_WAIT, TP_WAIT_RESULT)
///     {
///         ++static_cast<Watcher *>(context)->signals_;
///     }
///     PTP_WAIT wait_;
///     long signals_ = 0;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// class Watcher
/// {
/// public:
///     Watcher() : wait_(CreateThreadpoolWait(&Watcher::run, this, nullptr)) {}
///     ~Watcher()
///     {
///         if (wait_) {
///             SetThreadpoolWait(wait_, nullptr, nullptr);
///             WaitForThreadpoolWaitCallbacks(wait_, TRUE);
///             CloseThreadpoolWait(wait_);
///         }
///     }
///     Watcher(const Watcher &) = delete;
///     Watcher &operator=(const Watcher &) = delete;
///     void watch(HANDLE event)
///     {
///         if (wait_)
///             SetThreadpoolWait(wait_, event, nullptr);
///     }
///
/// private:
///     static void CALLBACK run(PTP_CALLBACK_INSTANCE, void *context, PTP_WAIT, TP_WAIT_RESULT)
///     {
///         ++static_cast<Watcher *>(context)->signals_;
///     }
///     PTP_WAIT wait_;
///     long signals_ = 0;
/// };
/// ```
/// ```rust,bad
/// use std::ffi::c_void;
/// use std::{io, ptr};
/// use windows_sys::Win32::System::Threading::{
///     CloseThreadpoolWork, CreateThreadpoolWork, PTP_CALLBACK_INSTANCE, PTP_WORK, SubmitThreadpoolWork,
/// };
///
/// pub struct Job {
///     work: PTP_WORK,
///     said: *mut String,
/// }
///
/// unsafe extern "system" fn run(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
///     unsafe { (*context.cast::<String>()).push('x') };
/// }
///
/// impl Job {
///     pub fn new() -> io::Result<Self> {
///         let said = Box::into_raw(Box::new(String::new()));
///         let work = unsafe { CreateThreadpoolWork(Some(run), said.cast(), ptr::null()) };
///         if work == 0 {
///             let error = io::Error::last_os_error();
///             drop(unsafe { Box::from_raw(said) });
///             return Err(error);
///         }
///         Ok(Self { work, said })
///     }
///
///     pub fn start(&self) {
///         unsafe { SubmitThreadpoolWork(self.work) };
///     }
/// }
///
/// impl Drop for Job {
///     fn drop(&mut self) {
///         unsafe { CloseThreadpoolWork(self.work) };
///         drop(unsafe { Box::from_raw(self.said) });
///     }
/// }
/// ```
/// ```rust,good
/// use std::ffi::c_void;
/// use std::{io, ptr};
/// use windows_sys::Win32::System::Threading::{
///     CloseThreadpoolWork, CreateThreadpoolWork, PTP_CALLBACK_INSTANCE, PTP_WORK, SubmitThreadpoolWork,
///     WaitForThreadpoolWorkCallbacks,
/// };
///
/// pub struct Job {
///     work: PTP_WORK,
///     said: *mut String,
/// }
///
/// unsafe extern "system" fn run(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WORK) {
///     unsafe { (*context.cast::<String>()).push('x') };
/// }
///
/// impl Job {
///     pub fn new() -> io::Result<Self> {
///         let said = Box::into_raw(Box::new(String::new()));
///         let work = unsafe { CreateThreadpoolWork(Some(run), said.cast(), ptr::null()) };
///         if work == 0 {
///             let error = io::Error::last_os_error();
///             drop(unsafe { Box::from_raw(said) });
///             return Err(error);
///         }
///         Ok(Self { work, said })
///     }
///
///     pub fn start(&self) {
///         unsafe { SubmitThreadpoolWork(self.work) };
///     }
/// }
///
/// impl Drop for Job {
///     fn drop(&mut self) {
///         unsafe {
///             WaitForThreadpoolWorkCallbacks(self.work, 1);
///             CloseThreadpoolWork(self.work);
///         }
///         drop(unsafe { Box::from_raw(self.said) });
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL308", severity = "error", group = "default", cwe(416, 825))]
pub(crate) struct CallbackOutlivesObject;

impl Rule for CallbackOutlivesObject {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Callback(fault) = &event.kind else {
            return None;
        };
        let words = match fault {
            CallbackFault::Closed {
                closer,
                missing,
                disarm,
                wait,
                context,
            } => {
                let of = match context.as_str() {
                    "" => "its context".to_owned(),
                    "this" => "the object".to_owned(),
                    name => format!("`{name}`"),
                };
                let disarm = disarm.as_deref().unwrap_or_default();
                let (may, help) = match missing {
                    Missing::Disarm => (
                        "start",
                        format!("call `{disarm}` with NULL before `{wait}`"),
                    ),
                    Missing::Order => ("start", format!("call `{disarm}` with NULL before `{wait}`, not after it")),
                    Missing::Wait if wait == closer || wait == "UnregisterWaitEx" => (
                        "run",
                        format!("call `{wait}` with INVALID_HANDLE_VALUE, which waits for callbacks that run"),
                    ),
                    Missing::Wait => ("run", format!("call `{wait}` before `{closer}`")),
                    Missing::Both => (
                        "start",
                        format!("call `{disarm}` with NULL and then `{wait}` before `{closer}`"),
                    ),
                };
                Words {
                    primary: event.at,
                    label: "ends no callback".to_owned(),
                    message: format!("a callback may still {may} after `{closer}`, and {of} ends then"),
                    help,
                }
            }
            CallbackFault::Freed {
                context,
                registered,
            } => Words {
                primary: event.at,
                label: "ends what the callback works on".to_owned(),
                message: format!(
                    "`{context}` is freed while the callback that `{registered}` was given it for may still run"
                ),
                help: "disarm, wait for callbacks that run and close first, and free the context after that"
                    .to_owned(),
            },
            CallbackFault::SelfWait { .. } => return None,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
