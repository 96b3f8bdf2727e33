//! The writer.

use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::descriptor::{close, is_non_blocking, wait_writable};
use super::sigpipe::write_without_sigpipe;
use crate::options::{Notify, Options};

/// Writes to a pipe without blocking the thread, through a buffer of its own.
///
/// All methods can be called from several threads at the same time.
pub struct PipeWriter {
    /// Locked for short times only: nothing is waited for under it.
    state: Mutex<State>,
    /// `None` after the writer was closed.
    pipe: Option<OwnedFd>,
    capacity: usize,
    notify: Option<Notify>,
}

#[derive(Default)]
struct State {
    /// Bytes that were taken from the caller and not yet given to the kernel.
    queue: Vec<u8>,
    /// An error that no call has returned yet.
    error: Option<io::Error>,
    /// How many errors there were, for calls that wait while another one returns the error.
    failures: u64,
    /// The reader is gone; nothing can be written any more.
    broken: bool,
}

impl State {
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

    /// Gives the kernel as much of the queue as it takes, and returns how much that is.
    fn advance(&mut self, pipe: BorrowedFd<'_>) -> usize {
        let mut total = 0;
        while !self.queue.is_empty() {
            match write_without_sigpipe(pipe, &self.queue) {
                Ok(written) => {
                    self.queue.drain(..written);
                    total += written;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => self.fail(error),
            }
        }
        total
    }
}

impl PipeWriter {
    /// Makes a writer of a pipe that is non-blocking.
    ///
    /// # Errors
    /// `InvalidInput` if the descriptor can block; the error of `fcntl`. The pipe is then closed.
    pub fn new(pipe: OwnedFd, options: Options) -> io::Result<Self> {
        if !is_non_blocking(pipe.as_fd())? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "O_NONBLOCK is not set",
            ));
        }
        Ok(Self {
            state: Mutex::default(),
            pipe: Some(pipe),
            capacity: options.capacity_or_default(),
            notify: options.notify,
        })
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
        let (result, written) = {
            let mut state = self.lock();
            state.check()?;
            let room = self.capacity - state.queue.len();
            if room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = bytes.len().min(room);
            state.queue.extend_from_slice(&bytes[..taken]);
            let written = state.advance(self.as_fd());
            (state.check().map(|()| taken), written)
        };
        self.notify(written);
        result
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
                    self.wait_until(deadline, |state| state.queue.len() < self.capacity)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until the kernel has taken all bytes.
    ///
    /// # Errors
    /// `TimedOut` if it has not in time: the bytes stay in the buffer, for a later flush.
    /// Otherwise as [`PipeWriter::write`].
    pub fn flush(&self, timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now().checked_add(timeout);
        self.wait_until(deadline, |state| state.queue.is_empty())
    }

    /// Drops all bytes that the kernel has not taken, and returns how many that were. The writer
    /// can be used again.
    ///
    /// # Errors
    /// As [`PipeWriter::write`].
    pub fn cancel(&self) -> io::Result<usize> {
        let mut state = self.lock();
        let dropped = mem::take(&mut state.queue);
        state.check()?;
        Ok(dropped.len())
    }

    /// Closes the pipe. Bytes in the buffer are lost, so [`PipeWriter::flush`] first.
    ///
    /// # Errors
    /// An error that no call has returned yet, or the error of `close`.
    pub fn close(mut self) -> io::Result<()> {
        let closed = self.pipe.take().map_or(Ok(()), close);
        let unheard = self.lock().error.take();
        match unheard {
            Some(error) => Err(error),
            None => closed,
        }
    }

    /// The number of bytes in the buffer.
    pub fn buffered(&self) -> usize {
        self.lock().queue.len()
    }

    /// Writes what the kernel takes now; for a loop that has seen the descriptor become writable.
    pub fn on_signalled(&self) {
        let written = self.lock().advance(self.as_fd());
        self.notify(written);
    }

    /// Writes until the condition holds. It is asked again under the lock after each wait, which
    /// itself holds no lock.
    fn wait_until(
        &self,
        deadline: Option<Instant>,
        condition: impl Fn(&State) -> bool,
    ) -> io::Result<()> {
        let failures = self.lock().failures;
        let mut in_time = true;
        loop {
            self.on_signalled();
            {
                let mut state = self.lock();
                state.check()?;
                if state.failures != failures {
                    return Err(io::Error::other(
                        "bytes were lost by an error that another call returned",
                    ));
                }
                if condition(&state) {
                    return Ok(());
                }
            }
            // Another thread may have written the rest meanwhile: the condition is asked once more.
            if !in_time {
                return Err(io::ErrorKind::TimedOut.into());
            }
            in_time = wait_writable(self.as_fd(), deadline)?;
        }
    }

    /// The state, also after a panic of a thread that held the lock: the code under it leaves
    /// the state whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

impl AsFd for PipeWriter {
    /// The descriptor, for a loop that waits until it is writable. It is only to be waited for.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_ref().expect("only `close` takes it").as_fd()
    }
}
