//! PL313.

use pipelint_analysis::CallbackFault;

use crate::prelude::*;

/// A callback of the thread pool waits for callbacks of its own object: for itself.
///
/// ## Why is this bad?
/// The wait returns when the callbacks that run have returned, and the one that waits never does. The page of
/// `UnregisterWaitEx` says so: "You cannot make a blocking call to `UnregisterWaitEx` from within a callback
/// function for the same wait operation. Otherwise, the callback will be waiting for itself to finish"
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>),
/// and `WaitForThreadpoolWaitCallbacks` and its kin wait in the same way. An owner whose destructor waits is no
/// better where it is reset in the callback. The thread of the pool is lost, and so is whoever waits for it.
///
/// ## Known limits
/// The callback must be seen to belong to the object: by its parameters, by its context, or by a lambda that
/// the object's maker was given. A destructor that a callback leads to is left out, since it may be that of
/// another object. Threads that join themselves are not followed.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// void CALLBACK once(PTP_CALLBACK_INSTANCE, void *context, PTP_TIMER timer)
/// {
///     SetEvent(static_cast<HANDLE>(context));
///     SetThreadpoolTimer(timer, nullptr, 0, 0);
///     WaitForThreadpoolTimerCallbacks(timer, TRUE);
///     CloseThreadpoolTimer(timer);
/// }
///
/// struct Later
/// {
///     PTP_TIMER timer;
///     HANDLE event;
/// };
///
/// bool setLater(Later *later, FILETIME when)
/// {
///     later->timer = CreateThreadpoolTimer(once, later->event, nullptr);
///     if (later->timer == nullptr)
///         return false;
///     SetThreadpoolTimer(later->timer, &when, 0, 0);
///     return true;
/// }
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// void CALLBACK once(PTP_CALLBACK_INSTANCE, void *context, PTP_TIMER timer)
/// {
///     SetEvent(static_cast<HANDLE>(context));
///     CloseThreadpoolTimer(timer);
/// }
///
/// struct Later
/// {
///     PTP_TIMER timer;
///     HANDLE event;
/// };
///
/// bool setLater(Later *later, FILETIME when)
/// {
///     later->timer = CreateThreadpoolTimer(once, later->event, nullptr);
///     if (later->timer == nullptr)
///         return false;
///     SetThreadpoolTimer(later->timer, &when, 0, 0);
///     return true;
/// }
/// ```
/// ```rust,bad
/// use std::ffi::c_void;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::{
///     CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
///     WaitForThreadpoolWaitCallbacks,
/// };
///
/// pub struct Watch {
///     wait: PTP_WAIT,
///     signals: u32,
/// }
///
/// unsafe extern "system" fn run(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_WAIT, _: u32) {
///     let watch: &mut Watch = unsafe { &mut *context.cast::<Watch>() };
///     watch.signals += 1;
///     if watch.signals == 3 {
///         watch.stop();
///     }
/// }
///
/// impl Watch {
///     pub fn start(&mut self, event: HANDLE) -> bool {
///         let context = ptr::from_mut(self).cast();
///         self.wait = unsafe { CreateThreadpoolWait(Some(run), context, ptr::null()) };
///         if self.wait == 0 {
///             return false;
///         }
///         unsafe { SetThreadpoolWait(self.wait, event, ptr::null()) };
///         true
///     }
///
///     pub fn stop(&mut self) {
///         unsafe {
///             SetThreadpoolWait(self.wait, ptr::null_mut(), ptr::null());
///             WaitForThreadpoolWaitCallbacks(self.wait, 1);
///         }
///     }
/// }
///
/// impl Drop for Watch {
///     fn drop(&mut self) {
///         if self.wait != 0 {
///             self.stop();
///             unsafe { CloseThreadpoolWait(self.wait) };
///         }
///     }
/// }
/// ```
/// ```rust,good
/// use std::ffi::c_void;
/// use std::ptr;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::System::Threading::{
///     CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
///     WaitForThreadpoolWaitCallbacks,
/// };
///
/// pub struct Watch {
///     wait: PTP_WAIT,
///     signals: u32,
/// }
///
/// unsafe extern "system" fn run(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, wait: PTP_WAIT, _: u32) {
///     let watch: &mut Watch = unsafe { &mut *context.cast::<Watch>() };
///     watch.signals += 1;
///     if watch.signals == 3 {
///         unsafe { SetThreadpoolWait(wait, ptr::null_mut(), ptr::null()) };
///     }
/// }
///
/// impl Watch {
///     pub fn start(&mut self, event: HANDLE) -> bool {
///         let context = ptr::from_mut(self).cast();
///         self.wait = unsafe { CreateThreadpoolWait(Some(run), context, ptr::null()) };
///         if self.wait == 0 {
///             return false;
///         }
///         unsafe { SetThreadpoolWait(self.wait, event, ptr::null()) };
///         true
///     }
///
///     pub fn stop(&mut self) {
///         unsafe {
///             SetThreadpoolWait(self.wait, ptr::null_mut(), ptr::null());
///             WaitForThreadpoolWaitCallbacks(self.wait, 1);
///         }
///     }
/// }
///
/// impl Drop for Watch {
///     fn drop(&mut self) {
///         if self.wait != 0 {
///             self.stop();
///             unsafe { CloseThreadpoolWait(self.wait) };
///         }
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL313", severity = "error", group = "default", cwe(833))]
pub(crate) struct SelfWait;

impl Rule for SelfWait {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Callback(CallbackFault::SelfWait { waits, callback }) = &event.kind else {
            return None;
        };
        let words = Words {
            primary: event.at,
            label: "never returns".to_owned(),
            message: format!(
                "`{waits}` waits for the callback `{callback}` within that callback: a deadlock"
            ),
            help: "disarm or mark it here, and have another thread wait and close; or close without waiting, \
                   as the last step of the callback"
                .to_owned(),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
