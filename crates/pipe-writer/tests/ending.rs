//! Writers that end early: cancelled, dropped, or left by their reader.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::{ErrorKind, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread;

use common::{LONG, MUCH, WAYS, counted, pair, pattern, pending, read_all};
use pipe_writer::{Options, PipeWriter};

#[test]
fn a_cancelled_writer_can_be_used_again() {
    for completion in WAYS {
        let (options, notified) = counted(Options::new().capacity(MUCH).completion(completion));
        let (reader, writer) = pair(options);
        writer.write_all(&pattern(MUCH), LONG).unwrap();
        let dropped = writer.cancel().unwrap();
        assert!(dropped > 0, "nothing was pending");
        assert_eq!(writer.buffered(), 0);

        assert_eq!(writer.write(b"after").unwrap(), 5);
        let reading = read_all(reader);
        writer.flush(LONG).unwrap();
        writer.close().unwrap();
        let received = reading.join().unwrap();
        let mut expected = pattern(MUCH);
        expected.truncate(MUCH - dropped);
        expected.extend_from_slice(b"after");
        assert!(
            received == expected,
            "{} bytes for {}",
            received.len(),
            expected.len()
        );
        assert_eq!(notified.load(Ordering::SeqCst), expected.len());
    }
}

#[test]
fn a_cancel_with_nothing_to_cancel_is_no_fault() {
    for completion in WAYS {
        let (_reader, writer) = pair(Options::new().completion(completion));
        assert_eq!(writer.cancel().unwrap(), 0);
        assert_eq!(writer.cancel().unwrap(), 0);
    }
}

#[test]
fn a_reader_that_goes_breaks_the_pipe() {
    for completion in WAYS {
        let (reader, writer) = pair(Options::new().completion(completion));
        drop(reader);
        let error = writer
            .write(b"lost")
            .and_then(|_| writer.flush(LONG))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        // And it stays broken.
        assert_eq!(
            writer.write(b"lost").unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        assert_eq!(
            writer.flush(LONG).unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
    }
}

#[test]
fn a_reader_that_goes_ends_a_pending_write() {
    for completion in WAYS {
        let (reader, writer) = pending(completion);
        let flushing = thread::spawn(move || writer.flush(LONG).unwrap_err().kind());
        thread::sleep(common::SHORT);
        drop(reader);
        assert_eq!(flushing.join().unwrap(), ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_write_that_cannot_start_wakes_who_waits() {
    const FIRST: usize = MUCH / 2;
    for completion in WAYS {
        for _ in 0..50 {
            let (mut reader, writer) = pair(Options::new().capacity(MUCH).completion(completion));
            // The second part waits for the first, and starts when the reader is about to go.
            writer.write_all(&pattern(FIRST), LONG).unwrap();
            writer.write_all(&pattern(MUCH - FIRST), LONG).unwrap();
            let flushing = thread::spawn(move || writer.flush(LONG).unwrap_err().kind());
            reader.read_exact(&mut vec![0; FIRST]).unwrap();
            drop(reader);
            assert_eq!(flushing.join().unwrap(), ErrorKind::BrokenPipe);
        }
    }
}

#[test]
fn a_close_tells_the_error_that_nobody_was_told() {
    for completion in WAYS {
        let (reader, writer) = pending(completion);
        drop(reader);
        while writer.buffered() > 0 {
            writer.on_signalled();
            thread::yield_now();
        }
        assert_eq!(writer.close().unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_drop_while_pending_returns_and_closes_the_pipe() {
    for completion in WAYS {
        let (reader, writer) = pending(completion);
        drop(writer);
        // The reader comes to the end, which it would not if the pipe were open.
        let received = read_all(reader).join().unwrap();
        assert!(received.len() < MUCH, "nothing was pending");
        assert!(
            received == pattern(MUCH)[..received.len()],
            "other bytes were read"
        );
    }
}

#[test]
fn no_notification_comes_after_the_close() {
    for completion in WAYS {
        for _ in 0..50 {
            let (options, notified) = counted(Options::new().capacity(MUCH).completion(completion));
            let (reader, writer) = pair(options);
            let reading = read_all(reader);
            writer.write_all(&pattern(MUCH), LONG).unwrap();
            writer.close().unwrap();
            let at_close = notified.load(Ordering::SeqCst);
            let received = reading.join().unwrap();
            assert_eq!(notified.load(Ordering::SeqCst), at_close);
            // The system may not tell of bytes that were read from a write that was cancelled.
            if cfg!(windows) {
                assert!(received.len() >= at_close, "more was told than was read");
            } else {
                assert_eq!(received.len(), at_close);
            }
            assert!(
                received == pattern(MUCH)[..received.len()],
                "other bytes were read"
            );
        }
    }
}

#[test]
fn a_notification_may_write() {
    for completion in WAYS {
        let writer: Arc<OnceLock<PipeWriter>> = Arc::default();
        let inner = Arc::downgrade(&writer);
        let options = Options::new()
            .completion(completion)
            .on_bytes_written(move |bytes| {
                // The first bytes are followed by one more.
                if bytes > 1 {
                    if let Some(writer) = inner.upgrade() {
                        assert_eq!(writer.get().unwrap().write(b"!").unwrap(), 1);
                    }
                }
            });
        let (mut reader, made) = pair(options);
        assert!(writer.set(made).is_ok());
        writer.get().unwrap().write(b"hello").unwrap();
        writer.get().unwrap().flush(LONG).unwrap();
        let mut bytes = [0; 6];
        reader.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"hello!");
        drop(Arc::into_inner(writer));
    }
}
