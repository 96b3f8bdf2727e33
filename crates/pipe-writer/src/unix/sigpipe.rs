//! Writing without being killed by SIGPIPE.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Writes once, with SIGPIPE blocked for this thread, and takes a SIGPIPE that the write caused
/// from the pending signals. What the process does with the signal elsewhere is left alone.
///
/// A SIGPIPE of a write is sent to the thread that wrote
/// (<https://man7.org/linux/man-pages/man7/signal.7.html>), so it is this thread that takes it.
///
/// # Errors
/// The error of `write`: `EPIPE`, `EAGAIN`, `EINTR` and others; errors of the signal functions.
pub(crate) fn write_without_sigpipe(pipe: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let sigpipe = sigpipe_set();
    // One that was pending before is not ours to take.
    let was_pending = is_pending()?;
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are valid for the call.
    let error =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe, before.as_mut_ptr()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: the bytes are valid for their length.
    let written = unsafe { libc::write(pipe.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    // Read here: the calls below may change it.
    let result = usize::try_from(written).map_err(|_| io::Error::last_os_error());
    if is_broken(&result) && !was_pending {
        take(&sigpipe);
    }
    // SAFETY: `before` was set by the call that succeeded.
    let error =
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    result
}

fn is_broken(result: &io::Result<usize>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::BrokenPipe)
}

/// Takes a pending SIGPIPE, and does not wait if there is none.
fn take(sigpipe: &libc::sigset_t) {
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        // SAFETY: set and time are valid for the call; no information is asked for.
        let signal = unsafe { libc::sigtimedwait(sigpipe, ptr::null_mut(), &raw const at_once) };
        let interrupted =
            signal == -1 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted;
        if !interrupted {
            return;
        }
    }
}

fn is_pending() -> io::Result<bool> {
    let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is valid for the call.
    if unsafe { libc::sigpending(pending.as_mut_ptr()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the set is initialised.
    Ok(unsafe { libc::sigismember(pending.as_ptr(), libc::SIGPIPE) } == 1)
}

fn sigpipe_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is valid for the call, which initialises it and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is initialised, and the number is that of a signal.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE) };
    // SAFETY: initialised above.
    unsafe { set.assume_init() }
}
