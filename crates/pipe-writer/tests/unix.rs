//! What is true on Unix alone.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use common::{pair, pending};
use pipe_writer::{Completion, Options, PipeWriter, anonymous_pipe};

fn flags(descriptor: i32, command: i32) -> i32 {
    // SAFETY: asks for flags of an open descriptor.
    unsafe { libc::fcntl(descriptor, command) }
}

#[test]
fn ends_are_not_inherited_and_the_writer_does_not_block() {
    let (reader, writer) = anonymous_pipe().unwrap();
    for end in [&reader, &writer] {
        assert_ne!(flags(end.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC, 0);
    }
    assert_ne!(
        flags(writer.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK,
        0
    );
    assert_eq!(
        flags(reader.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK,
        0
    );
}

#[test]
fn a_descriptor_that_can_block_is_refused() {
    // A socket is one, too; the library's own pipes came after the oldest Rust for this crate.
    let (_reader, writer) = UnixStream::pair().unwrap();
    let error = PipeWriter::new(OwnedFd::from(writer), Options::new())
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_broken_pipe_sends_no_signal() {
    // The default action of SIGPIPE would end the process, which Rust's runtime ignores: so a
    // thread with the default action is what shows it.
    // SAFETY: sets the default action, and puts back the one before.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let (reader, writer) = pair(Options::new());
    drop(reader);
    let error = writer.write(b"lost").unwrap_err();
    // SAFETY: as above.
    unsafe { libc::signal(libc::SIGPIPE, before) };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn the_thread_s_signals_are_as_before() {
    let blocked = || {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: asks for the mask, which the call initialises.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), libc::SIGPIPE)
        }
    };
    let before = blocked();
    let (reader, writer) = pair(Options::new());
    writer.write(b"kept").unwrap();
    assert_eq!(blocked(), before);
    drop(reader);
    writer.write(b"lost").unwrap_err();
    assert_eq!(blocked(), before);
}

#[test]
fn a_loop_waits_for_the_descriptor() {
    use std::os::fd::AsFd;
    let (mut reader, writer): (File, PipeWriter) = pending(Completion::EventLoop);
    let mut ready = libc::pollfd {
        fd: writer.as_fd().as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one structure is passed, and the count says so.
    let writable = unsafe { libc::poll(&raw mut ready, 1, 0) };
    assert_eq!(writable, 0, "the pipe is not full");
    let before = writer.buffered();
    reader.read_exact(&mut vec![0; 65536]).unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::poll(&raw mut ready, 1, 1000) }, 1);
    writer.on_signalled();
    assert!(writer.buffered() < before);
}
