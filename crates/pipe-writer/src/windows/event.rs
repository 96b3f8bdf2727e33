//! An event object.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::Instant;

use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, ResetEvent, SetEvent, WaitForSingleObject,
};

/// A manual-reset event, which its owner closes.
///
/// Manual reset, since more than one thread can wait for the same completion, and since
/// `GetOverlappedResult` may miss the signal of an auto-reset event that another wait consumed:
/// <https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult>.
#[derive(Debug)]
pub(crate) struct Event {
    handle: OwnedHandle,
}

impl Event {
    /// Creates an event that is not signalled.
    ///
    /// # Errors
    /// The error of `CreateEventW`.
    pub(crate) fn new() -> io::Result<Self> {
        let manual_reset = 1;
        let signalled = 0;
        // SAFETY: null attributes and a null name are allowed.
        let handle = unsafe { CreateEventW(ptr::null(), manual_reset, signalled, ptr::null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, and nobody else has this handle.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Self { handle })
    }

    /// Makes the event not signalled.
    ///
    /// # Errors
    /// The error of `ResetEvent`.
    pub(crate) fn reset(&self) -> io::Result<()> {
        // SAFETY: the handle is owned and open.
        if unsafe { ResetEvent(self.raw()) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Makes the event signalled.
    ///
    /// # Errors
    /// The error of `SetEvent`.
    pub(crate) fn set(&self) -> io::Result<()> {
        // SAFETY: the handle is owned and open.
        if unsafe { SetEvent(self.raw()) } == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// Waits until the event is signalled, and says whether it was before the deadline.
    ///
    /// # Errors
    /// The error of `WaitForSingleObject`.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> io::Result<bool> {
        // SAFETY: the handle is owned and open.
        match unsafe { WaitForSingleObject(self.raw(), milliseconds_until(deadline)) } {
            WAIT_OBJECT_0 => Ok(true),
            WAIT_TIMEOUT => Ok(false),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The handle for calls that take a raw one, valid as long as the event.
    pub(crate) fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }
}

impl AsHandle for Event {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// The milliseconds from now to the deadline, rounded up; `INFINITE` if there is none.
pub(crate) fn milliseconds_until(deadline: Option<Instant>) -> u32 {
    let Some(deadline) = deadline else {
        return INFINITE;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let milliseconds = left.as_nanos().div_ceil(1_000_000);
    u32::try_from(milliseconds)
        .unwrap_or(INFINITE - 1)
        .min(INFINITE - 1)
}
