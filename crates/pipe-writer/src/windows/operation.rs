//! One overlapped operation, and the memory that the kernel uses while it runs.

use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_NOT_FOUND, GetLastError, STATUS_PENDING,
};
use windows_sys::Win32::Storage::FileSystem::WriteFile;
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::ConnectNamedPipe;

use super::event::Event;

/// What the kernel reads and writes while an operation is pending.
struct Memory {
    overlapped: OVERLAPPED,
    buffer: Vec<u8>,
}

/// An operation that is either idle or pending.
///
/// The kernel keeps the address of the `OVERLAPPED` and of the buffer until the operation has
/// completed, so both live behind a raw pointer, do not move with this value, and are reused or
/// freed only when it is idle.
pub(crate) struct Operation {
    memory: *mut Memory,
    pending: bool,
}

// SAFETY: the memory belongs to this value alone, and the kernel does not care which thread
// asks for the result. Whoever shares an operation between threads keeps it in a mutex.
unsafe impl Send for Operation {}

impl Operation {
    /// Makes an idle operation.
    pub(crate) fn new() -> Self {
        let memory = Box::new(Memory {
            overlapped: OVERLAPPED::default(),
            buffer: Vec::new(),
        });
        Self {
            memory: Box::into_raw(memory),
            pending: false,
        }
    }

    /// Whether the kernel may still use the memory.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending
    }

    /// The number of bytes given to the operation that is pending.
    pub(crate) fn len(&self) -> usize {
        if !self.pending {
            return 0;
        }
        // SAFETY: the memory is owned; the kernel only reads the bytes, not the vector.
        unsafe { (*self.memory).buffer.len() }
    }

    /// Gets the `OVERLAPPED` ready for the next operation.
    fn prepare(&mut self, event: &Event) -> io::Result<()> {
        assert!(!self.pending, "an operation is started while it is pending");
        // Before the start: a reset after it could wipe out the completion's signal.
        event.reset()?;
        let overlapped = OVERLAPPED {
            hEvent: event.raw(),
            ..OVERLAPPED::default()
        };
        // SAFETY: the memory is owned and idle.
        unsafe { (*self.memory).overlapped = overlapped };
        Ok(())
    }

    /// Starts to write the bytes; the event, which lives as long as the operation is pending, is
    /// signalled at the completion. After `Ok`, the operation is pending even if the kernel was
    /// fast: its event is signalled in both cases, so there is one way to completion.
    ///
    /// # Errors
    /// The error of `WriteFile`; the operation is then idle and the bytes are lost.
    pub(crate) fn start_write(
        &mut self,
        pipe: BorrowedHandle<'_>,
        event: &Event,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        self.prepare(event)?;
        // SAFETY: the memory is owned and idle.
        let memory = unsafe { &mut *self.memory };
        memory.buffer = bytes;
        let length = u32::try_from(memory.buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: buffer and OVERLAPPED are on the heap, and stay there until the operation has
        // completed; `length` is no more than the buffer's. The count is asked for later.
        let written = unsafe {
            WriteFile(
                pipe.as_raw_handle(),
                memory.buffer.as_ptr(),
                length,
                ptr::null_mut(),
                &raw mut memory.overlapped,
            )
        };
        if written == 0 {
            // SAFETY: reads a value of this thread.
            let error = unsafe { GetLastError() };
            if error != ERROR_IO_PENDING {
                return Err(error_of(error));
            }
        }
        self.pending = true;
        Ok(())
    }

    /// Starts to wait for a client. `Err` with `ERROR_PIPE_CONNECTED` says that one was there
    /// already; the operation is then idle.
    ///
    /// # Errors
    /// The error of `ConnectNamedPipe`.
    pub(crate) fn start_connect(
        &mut self,
        pipe: BorrowedHandle<'_>,
        event: &Event,
    ) -> io::Result<()> {
        self.prepare(event)?;
        // SAFETY: the OVERLAPPED is on the heap, and stays there until the operation has completed.
        let connected =
            unsafe { ConnectNamedPipe(pipe.as_raw_handle(), &raw mut (*self.memory).overlapped) };
        if connected == 0 {
            // SAFETY: reads a value of this thread.
            let error = unsafe { GetLastError() };
            if error != ERROR_IO_PENDING {
                return Err(error_of(error));
            }
        }
        self.pending = true;
        Ok(())
    }

    /// Asks the kernel to cancel what is pending. This is a request: the operation has completed
    /// only when [`Operation::wait`] says so.
    ///
    /// # Errors
    /// The error of `CancelIoEx`, but for `ERROR_NOT_FOUND`: the operation had just completed.
    pub(crate) fn request_cancel(&mut self, pipe: BorrowedHandle<'_>) -> io::Result<()> {
        if !self.pending {
            return Ok(());
        }
        // SAFETY: the OVERLAPPED is that of an operation on this handle.
        let cancelled =
            unsafe { CancelIoEx(pipe.as_raw_handle(), &raw const (*self.memory).overlapped) };
        if cancelled == 0 {
            // SAFETY: reads a value of this thread.
            let error = unsafe { GetLastError() };
            if error != ERROR_NOT_FOUND {
                return Err(error_of(error));
            }
        }
        Ok(())
    }

    /// The number of bytes transferred if the operation has completed, `None` if it still runs.
    ///
    /// # Errors
    /// The error with which the operation completed; it is then idle.
    pub(crate) fn poll(&mut self, pipe: BorrowedHandle<'_>) -> io::Result<Option<usize>> {
        self.result(pipe, false)
    }

    /// Waits until the operation has completed, and returns the number of bytes transferred.
    ///
    /// # Errors
    /// The error with which the operation completed.
    pub(crate) fn wait(&mut self, pipe: BorrowedHandle<'_>) -> io::Result<usize> {
        let transferred = self.result(pipe, true)?;
        Ok(transferred.unwrap_or(0))
    }

    fn result(&mut self, pipe: BorrowedHandle<'_>, wait: bool) -> io::Result<Option<usize>> {
        if !self.pending {
            return Ok(Some(0));
        }
        let mut transferred = 0;
        // SAFETY: the OVERLAPPED is that of an operation on this handle, and its event is open.
        let done = unsafe {
            GetOverlappedResult(
                pipe.as_raw_handle(),
                &raw const (*self.memory).overlapped,
                &raw mut transferred,
                i32::from(wait),
            )
        };
        if done == 0 {
            // SAFETY: reads a value of this thread.
            let error = unsafe { GetLastError() };
            if error == ERROR_IO_INCOMPLETE {
                return Ok(None);
            }
            // The call itself can fail, for instance in its wait: the operation runs on then.
            self.pending = self.still_runs();
            return Err(error_of(error));
        }
        self.pending = false;
        Ok(Some(transferred as usize))
    }

    /// What the macro `HasOverlappedIoCompleted` negates:
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-hasoverlappediocompleted>.
    fn still_runs(&self) -> bool {
        // SAFETY: the memory is owned; the kernel may write the status at any time.
        let status = unsafe { (&raw const (*self.memory).overlapped.Internal).read_volatile() };
        status == STATUS_PENDING as usize
    }

    /// Takes the bytes of the operation that has completed.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        assert!(!self.pending, "a buffer is taken while the kernel uses it");
        // SAFETY: the memory is owned and idle.
        mem::take(unsafe { &mut (*self.memory).buffer })
    }
}

impl Drop for Operation {
    /// Frees the memory, unless the kernel can still write to it: then it is leaked on purpose.
    /// Owners cancel and wait first; this is for the case that the kernel refused the cancel.
    fn drop(&mut self) {
        if self.pending {
            return;
        }
        // SAFETY: the pointer is that of `Box::into_raw`, and nobody else uses the memory.
        drop(unsafe { Box::from_raw(self.memory) });
    }
}

/// A Windows error code as an error.
pub(crate) fn error_of(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code as i32)
}
