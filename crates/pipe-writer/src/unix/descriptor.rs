//! Descriptors: making, waiting, closing.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::time::Instant;

/// Makes a pipe of which only this process has the ends: a reader for blocking reads, which
/// becomes a `File` by `File::from`, and a non-blocking end for
/// [`PipeWriter::new`](super::PipeWriter::new). Neither is inherited by programs that are executed.
///
/// # Errors
/// The errors of `pipe2`, and of `fcntl` for the reader's flags.
pub fn anonymous_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    // SAFETY: the array has room for two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and nobody else has this descriptor.
    let reader = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above.
    let writer = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    // SAFETY: the descriptor is open.
    if unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, 0) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok((reader, writer))
}

/// Whether writes to the descriptor return when they would block.
///
/// # Errors
/// The error of `fcntl`.
pub(crate) fn is_non_blocking(pipe: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the descriptor is open.
    let flags = unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_GETFL) };
    if flags == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(flags & libc::O_NONBLOCK != 0)
}

/// Waits until the descriptor is writable or its reader is gone, and says whether that was
/// before the deadline.
///
/// # Errors
/// The error of `poll`, but for `EINTR`: the wait then goes on for the rest of the time.
pub(crate) fn wait_writable(pipe: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<bool> {
    let mut poll = libc::pollfd {
        fd: pipe.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    loop {
        // SAFETY: one structure is passed, and the count says so.
        let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds_until(deadline)) };
        if ready == -1 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        return Ok(ready > 0);
    }
}

/// Closes the descriptor, once: also after `EINTR`, Linux has closed it, and a second close
/// could hit a descriptor that another thread has just opened:
/// <https://man7.org/linux/man-pages/man2/close.2.html>.
///
/// # Errors
/// The error of `close`, but for `EINTR`. The descriptor is gone in any case.
pub(crate) fn close(pipe: OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor was owned, and is given up here.
    if unsafe { libc::close(pipe.into_raw_fd()) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// The milliseconds from now to the deadline, rounded up; -1, which is for ever, if there is none.
fn milliseconds_until(deadline: Option<Instant>) -> i32 {
    let Some(deadline) = deadline else {
        return -1;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}
