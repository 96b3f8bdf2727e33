//! The server's end of a named pipe.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsHandle, FromRawHandle, OwnedHandle};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_OPERATION_ABORTED, ERROR_PIPE_CONNECTED, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND,
    PIPE_ACCESS_OUTBOUND,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_WAIT,
};

use super::event::Event;
use super::name::wide;
use super::operation::Operation;
use super::security::OwnerOnly;

/// The size in bytes that the system is asked to give the pipe's buffers.
const BUFFER_SIZE: u32 = 4096;

/// Which way bytes go, as seen by the process that opens its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads.
    Inbound,
    /// It writes.
    Outbound,
    /// It reads and writes.
    Duplex,
}

/// The only instance of a named pipe, which no client has been accepted to yet.
#[derive(Debug)]
pub struct PipeServer {
    pipe: OwnedHandle,
}

impl PipeServer {
    /// Creates a pipe of that full name (`\\.\pipe\…`) for overlapped I/O.
    ///
    /// It must be the first of its name, so nobody who was there before can play the server;
    /// only the user of this process has access to it, and only from this machine. The handle is
    /// not inherited by child processes.
    ///
    /// # Errors
    /// `PermissionDenied` if a pipe of that name exists; other errors of `CreateNamedPipeW`.
    pub fn bind(name: impl AsRef<OsStr>, access: Access) -> io::Result<Self> {
        let name = wide(name.as_ref())?;
        let security = OwnerOnly::new()?;
        let attributes = security.attributes();
        let access = match access {
            Access::Inbound => PIPE_ACCESS_INBOUND,
            Access::Outbound => PIPE_ACCESS_OUTBOUND,
            Access::Duplex => PIPE_ACCESS_DUPLEX,
        };
        // SAFETY: the name is terminated; the attributes live as long as the call.
        let handle = unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                1,
                BUFFER_SIZE,
                BUFFER_SIZE,
                0,
                &raw const attributes,
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, and nobody else has this handle.
        let pipe = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Self { pipe })
    }

    /// Waits for a client, and returns the connected end.
    ///
    /// # Errors
    /// `TimedOut` if none came in time; errors of `ConnectNamedPipe`. The pipe is closed then.
    pub fn accept(self, timeout: Duration) -> io::Result<OwnedHandle> {
        let deadline = Instant::now().checked_add(timeout);
        let event = Event::new()?;
        let mut operation = Operation::new();
        match operation.start_connect(self.pipe.as_handle(), &event) {
            Ok(()) => {}
            // The client was faster than the call.
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_CONNECTED as i32) => {
                return Ok(self.pipe);
            }
            Err(error) => return Err(error),
        }
        let in_time = event.wait(deadline);
        if !matches!(in_time, Ok(true)) {
            operation.request_cancel(self.pipe.as_handle())?;
        }
        match operation.wait(self.pipe.as_handle()) {
            // Also if it came at the last moment, when the time was already over.
            Ok(_) => Ok(self.pipe),
            Err(error) if error.raw_os_error() == Some(ERROR_OPERATION_ABORTED as i32) => {
                in_time?;
                Err(io::ErrorKind::TimedOut.into())
            }
            Err(error) => Err(error),
        }
    }
}
