//! The client's end of a named pipe.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_PIPE_BUSY, ERROR_SEM_TIMEOUT, GENERIC_READ, GENERIC_WRITE, GetLastError,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_OVERLAPPED, FILE_SHARE_NONE, OPEN_EXISTING, SECURITY_IDENTIFICATION,
    SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::WaitNamedPipeW;

use super::event::milliseconds_until;
use super::name::wide;
use super::operation::error_of;
use super::server::Access;

/// Opens a pipe of that full name (`\\.\pipe\…`), for overlapped I/O or for blocking I/O. If
/// all instances are busy, waits for a free one until the time is over.
///
/// The server may learn who the client is, but not act in its name.
///
/// # Errors
/// `TimedOut`; `NotFound` if there is no such pipe; other errors of `CreateFileW` and
/// `WaitNamedPipeW`.
pub fn connect(
    name: impl AsRef<OsStr>,
    access: Access,
    overlapped: bool,
    timeout: Duration,
) -> io::Result<OwnedHandle> {
    let name = wide(name.as_ref())?;
    let deadline = Instant::now().checked_add(timeout);
    let access = match access {
        Access::Inbound => GENERIC_READ,
        Access::Outbound => GENERIC_WRITE,
        Access::Duplex => GENERIC_READ | GENERIC_WRITE,
    };
    let mut flags = SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    if overlapped {
        flags |= FILE_FLAG_OVERLAPPED;
    }
    loop {
        // SAFETY: the name is terminated; null attributes make a handle that is not inherited.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                access,
                FILE_SHARE_NONE,
                ptr::null(),
                OPEN_EXISTING,
                flags,
                ptr::null_mut(),
            )
        };
        if handle != INVALID_HANDLE_VALUE {
            // SAFETY: the call succeeded, and nobody else has this handle.
            return Ok(unsafe { OwnedHandle::from_raw_handle(handle) });
        }
        // SAFETY: reads a value of this thread.
        let error = unsafe { GetLastError() };
        if error != ERROR_PIPE_BUSY {
            return Err(error_of(error));
        }
        wait_for_instance(&name, deadline)?;
    }
}

/// Waits until an instance of the pipe is free. Another client can be faster to take it.
fn wait_for_instance(name: &[u16], deadline: Option<Instant>) -> io::Result<()> {
    // Zero would stand for the server's default.
    let milliseconds = milliseconds_until(deadline);
    if milliseconds == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    // SAFETY: the name is terminated.
    if unsafe { WaitNamedPipeW(name.as_ptr(), milliseconds) } == 0 {
        // SAFETY: reads a value of this thread.
        let error = unsafe { GetLastError() };
        if error == ERROR_SEM_TIMEOUT {
            return Err(io::ErrorKind::TimedOut.into());
        }
        return Err(error_of(error));
    }
    Ok(())
}
