//! The writer.

use std::io;
use std::mem;
use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_OPERATION_ABORTED, ERROR_PIPE_NOT_CONNECTED,
};

use super::event::Event;
use super::operation::Operation;
use super::waiter::ThreadpoolWait;
use crate::options::{Completion, Notify, Options};

/// Writes to a pipe without blocking the thread, through a buffer of its own.
///
/// All methods can be called from several threads at the same time. A thread that writes has to
/// [`flush`](PipeWriter::flush) before it ends: the system cancels what a thread has started
/// (<https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitthread>),
/// and the next call then returns `ERROR_OPERATION_ABORTED`.
pub struct PipeWriter {
    shared: Arc<Shared>,
}

/// What the writer and the threadpool's callback share.
struct Shared {
    /// Locked for short times only: no wait for code of this process happens under it.
    state: Mutex<State>,
    /// Signalled when the operation has completed.
    event: Event,
    pipe: OwnedHandle,
    capacity: usize,
    notify: Option<Notify>,
}

struct State {
    /// Bytes that were taken from the caller and not yet given to the kernel.
    queue: Vec<u8>,
    operation: Operation,
    /// `None` in an event loop, and after the writer was closed.
    waiter: Option<ThreadpoolWait>,
    /// An error that no call has returned yet.
    error: Option<io::Error>,
    /// How many errors there were, for calls that wait while another one returns the error.
    failures: u64,
    /// The reader is gone; nothing can be written any more.
    broken: bool,
    closed: bool,
}

impl State {
    fn buffered(&self) -> usize {
        self.queue.len() + self.operation.len()
    }

    /// Keeps the error for the next call, and drops what can no longer be written.
    fn fail(&mut self, error: io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.broken = true;
        }
        self.queue.clear();
        self.failures += 1;
        self.error = Some(error);
    }

    /// Returns the error that waits to be told, if there is one.
    fn check(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

impl PipeWriter {
    /// Makes a writer of a pipe that was opened with `FILE_FLAG_OVERLAPPED`, and on whose handle
    /// nobody else does I/O.
    ///
    /// # Errors
    /// An event or a wait could not be created; the pipe is then closed.
    pub fn new(pipe: OwnedHandle, options: Options) -> io::Result<Self> {
        let capacity = options.capacity_or_default();
        let event = Event::new()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Vec::new(),
                operation: Operation::new(),
                waiter: None,
                error: None,
                failures: 0,
                broken: false,
                closed: false,
            }),
            event,
            pipe,
            capacity,
            notify: options.notify,
        });
        if options.completion == Completion::Background {
            let weak = Arc::downgrade(&shared);
            let waiter = ThreadpoolWait::new(Box::new(move || signalled(&weak)))?;
            shared.lock().waiter = Some(waiter);
        }
        Ok(Self { shared })
    }

    /// Takes as many bytes as fit into the buffer, and returns how many that are.
    ///
    /// # Errors
    /// `WouldBlock` if the buffer is full, `BrokenPipe` if the reader is gone; an error of an
    /// earlier write that was not told yet. Nothing was taken then.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let mut state = self.shared.lock();
        state.check()?;
        let room = self.shared.capacity - state.buffered();
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(room);
        state.queue.extend_from_slice(&bytes[..taken]);
        if let Err(error) = self.shared.start(&mut state) {
            state.fail(error);
            state.check()?;
        }
        Ok(taken)
    }

    /// Writes all bytes into the buffer, and waits for room in it when it is full.
    ///
    /// # Errors
    /// As [`PipeWriter::write`]; `TimedOut` if a part of the bytes found no room in time.
    pub fn write_all(&self, mut bytes: &[u8], timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now().checked_add(timeout);
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_until(deadline, |shared, state| state.buffered() < shared.capacity)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the kernel has taken all bytes.
    ///
    /// # Errors
    /// `TimedOut` if it has not in time: the bytes stay in the buffer, and are written when the
    /// reader reads. Otherwise as [`PipeWriter::write`].
    pub fn flush(&self, timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_until(deadline, |_, state| state.buffered() == 0)
    }

    /// Drops all bytes that the kernel has not taken, and returns how many that were. When it
    /// returns, nothing is pending, and the writer can be used again.
    ///
    /// A reader that was at work may have read a first part of what was dropped: a write that
    /// was cancelled completes with an error and not with a count.
    ///
    /// # Errors
    /// The kernel refused to cancel; the write is then still pending. Otherwise as
    /// [`PipeWriter::write`].
    pub fn cancel(&self) -> io::Result<usize> {
        let (before, written) = {
            let mut state = self.shared.lock();
            let before = state.buffered();
            (before, self.shared.cancel(&mut state)?)
        };
        self.shared.notify(written);
        self.shared.lock().check()?;
        Ok(before - written)
    }

    /// Cancels what is pending, waits for its completion and closes the pipe. Bytes in the
    /// buffer are lost, so [`PipeWriter::flush`] first.
    ///
    /// # Errors
    /// An error that no call has returned yet.
    pub fn close(self) -> io::Result<()> {
        self.shared.shut()?;
        let result = self.shared.lock().check();
        result
    }

    /// The number of bytes in the buffer, those that the kernel works on included.
    pub fn buffered(&self) -> usize {
        self.shared.lock().buffered()
    }

    /// The event that is signalled when a write has completed, for a loop that waits for many
    /// objects and then calls [`PipeWriter::on_signalled`]. It is only to be waited for.
    pub fn event(&self) -> BorrowedHandle<'_> {
        self.shared.event.as_handle()
    }

    /// Handles the completion of a write and starts the next one. Does nothing if no write has
    /// completed.
    pub fn on_signalled(&self) {
        self.shared.complete();
    }

    /// Handles completions until the condition holds. The condition is asked again under the
    /// lock after each wait, which itself holds no lock.
    fn wait_until(
        &self,
        deadline: Option<Instant>,
        condition: impl Fn(&Shared, &State) -> bool,
    ) -> io::Result<()> {
        let failures = self.shared.lock().failures;
        let mut in_time = true;
        loop {
            self.shared.complete();
            {
                let mut state = self.shared.lock();
                state.check()?;
                if state.failures != failures {
                    return Err(io::Error::other(
                        "bytes were lost by an error that another call returned",
                    ));
                }
                if condition(&self.shared, &state) {
                    return Ok(());
                }
            }
            if !in_time {
                return Err(io::ErrorKind::TimedOut.into());
            }
            in_time = self.shared.event.wait(deadline)?;
        }
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        // Nobody is left who could be told: `close` is for those who want to know.
        let _unheard = self.shared.shut();
    }
}

impl Shared {
    /// The state, also after a panic of a thread that held the lock: the code under it leaves
    /// the state whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pipe(&self) -> BorrowedHandle<'_> {
        self.pipe.as_handle()
    }

    /// Gives the queue to the kernel, if nothing is pending and there is something in it.
    fn start(&self, state: &mut State) -> io::Result<()> {
        if state.closed || state.operation.is_pending() || state.queue.is_empty() {
            return Ok(());
        }
        let bytes = mem::take(&mut state.queue);
        if let Err(error) = state.operation.start_write(self.pipe(), &self.event, bytes) {
            // No completion will wake those who wait; they must see the error.
            self.event.set()?;
            return Err(by_kind(error));
        }
        if let Some(waiter) = &state.waiter {
            waiter.arm(&self.event);
        }
        Ok(())
    }

    /// Handles the completion of the operation, if it has completed, and starts the next one.
    fn complete(&self) {
        let written = {
            let mut state = self.lock();
            if !state.operation.is_pending() {
                return;
            }
            match state.operation.poll(self.pipe()) {
                Ok(None) => return,
                Ok(Some(written)) => {
                    // Unwritten bytes go before those that came later.
                    let mut rest = state.operation.take_buffer();
                    rest.drain(..written);
                    rest.append(&mut state.queue);
                    state.queue = rest;
                    if let Err(error) = self.start(&mut state) {
                        state.fail(error);
                    }
                    written
                }
                Err(error) => {
                    state.fail(by_kind(error));
                    0
                }
            }
        };
        self.notify(written);
    }

    /// Drops the queue, cancels what is pending and waits for its completion. Returns the number
    /// of bytes that were written nevertheless.
    ///
    /// The wait is under the lock, so nobody starts another operation in between; what it waits
    /// for is the kernel, which has been asked to cancel.
    fn cancel(&self, state: &mut State) -> io::Result<usize> {
        state.queue.clear();
        if !state.operation.is_pending() {
            return Ok(0);
        }
        state.operation.request_cancel(self.pipe())?;
        match state.operation.wait(self.pipe()) {
            Ok(written) => Ok(written),
            Err(error) if is(&error, ERROR_OPERATION_ABORTED) => Ok(0),
            Err(error) => {
                state.fail(by_kind(error));
                Ok(0)
            }
        }
    }

    /// Makes sure that no callback runs and none will, cancels what is pending and waits for it.
    ///
    /// The threadpool's wait goes first, so it is not there to be triggered by the cancellation.
    fn shut(&self) -> io::Result<()> {
        let waiter = {
            let mut state = self.lock();
            // From here on nothing is started, so nothing arms the wait either.
            state.closed = true;
            state.waiter.take()
        };
        // Not under the lock: a callback that runs takes it.
        drop(waiter);
        let written = {
            let mut state = self.lock();
            self.cancel(&mut state)?
        };
        self.notify(written);
        Ok(())
    }

    /// Tells how many bytes the kernel has taken. The caller holds no lock.
    fn notify(&self, written: usize) {
        if written == 0 {
            return;
        }
        if let Some(notify) = &self.notify {
            notify(written);
        }
    }
}

/// What the threadpool's callback does. The writer waits for it before it goes, so the pointer
/// is weak only in order that the wait does not keep alive what owns it.
fn signalled(shared: &Weak<Shared>) {
    if let Some(shared) = shared.upgrade() {
        shared.complete();
    }
}

/// The error, with both ways in which a pipe says that the reader is gone as one kind.
fn by_kind(error: io::Error) -> io::Error {
    if is(&error, ERROR_NO_DATA)
        || is(&error, ERROR_BROKEN_PIPE)
        || is(&error, ERROR_PIPE_NOT_CONNECTED)
    {
        return io::Error::new(io::ErrorKind::BrokenPipe, error);
    }
    error
}

/// Whether the error is the Windows error of that code.
fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code as i32)
}
