//! A threadpool's wait for an event.

use std::ffi::c_void;
use std::io;
use std::ptr;

use windows_sys::Win32::System::Threading::{
    CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
    WaitForThreadpoolWaitCallbacks,
};

use super::event::Event;

/// What the threadpool calls.
pub(crate) type Callback = Box<dyn Fn() + Send + Sync>;

/// A wait object, with the callback that it runs each time it was armed and the event signalled.
///
/// Dropping it waits for callbacks that run, so it must not be dropped in its own callback.
pub(crate) struct ThreadpoolWait {
    wait: PTP_WAIT,
    callback: *mut Callback,
}

// SAFETY: the threadpool's functions may be called from any thread, and the callback is `Sync`.
unsafe impl Send for ThreadpoolWait {}
// SAFETY: as above; the pointer is only read until the drop.
unsafe impl Sync for ThreadpoolWait {}

impl ThreadpoolWait {
    /// Makes a wait that is not armed.
    ///
    /// # Errors
    /// The error of `CreateThreadpoolWait`.
    pub(crate) fn new(callback: Callback) -> io::Result<Self> {
        let callback = Box::into_raw(Box::new(callback));
        // SAFETY: `callback` stays valid until the drop, which waits for running callbacks.
        let wait = unsafe { CreateThreadpoolWait(Some(run), callback.cast(), ptr::null()) };
        if wait == 0 {
            let error = io::Error::last_os_error();
            // SAFETY: the pointer is that of `Box::into_raw`, and no wait knows it.
            drop(unsafe { Box::from_raw(callback) });
            return Err(error);
        }
        Ok(Self { wait, callback })
    }

    /// Has the callback run once, when the event is signalled.
    pub(crate) fn arm(&self, event: &Event) {
        // SAFETY: the wait is open. The event outlives the wait's being armed: its owner drops
        // the wait first.
        unsafe { SetThreadpoolWait(self.wait, event.raw(), ptr::null()) };
    }
}

impl Drop for ThreadpoolWait {
    fn drop(&mut self) {
        let cancel_queued = 1;
        // SAFETY: the wait is open; no callback starts after it was disarmed.
        unsafe { SetThreadpoolWait(self.wait, ptr::null_mut(), ptr::null()) };
        // SAFETY: the wait is open; no callback runs when this returns.
        unsafe { WaitForThreadpoolWaitCallbacks(self.wait, cancel_queued) };
        // SAFETY: the wait is open, disarmed and idle.
        unsafe { CloseThreadpoolWait(self.wait) };
        // SAFETY: the pointer is that of `Box::into_raw`, and the wait that knew it is closed.
        drop(unsafe { Box::from_raw(self.callback) });
    }
}

/// The function that the threadpool calls; `context` is the callback.
unsafe extern "system" fn run(
    _instance: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _wait: PTP_WAIT,
    _result: u32,
) {
    // SAFETY: `context` is what `CreateThreadpoolWait` was given, which lives until the drop of
    // the wait has waited for this call.
    let callback = unsafe { &*context.cast::<Callback>() };
    callback();
}
