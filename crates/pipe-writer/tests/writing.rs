//! Bytes that arrive: whole, in order, once.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io::{ErrorKind, Read};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use common::{LONG, MUCH, SHORT, WAYS, counted, pair, pattern, pending, read_all};
use pipe_writer::{Completion, Options, PipeWriter};

#[test]
fn what_is_written_is_read() {
    for completion in WAYS {
        let (mut reader, writer) = pair(Options::new().completion(completion));
        assert_eq!(writer.write(b"hello").unwrap(), 5);
        let mut bytes = [0; 5];
        let reading = thread::spawn(move || {
            reader.read_exact(&mut bytes).unwrap();
            bytes
        });
        writer.flush(LONG).unwrap();
        assert_eq!(&reading.join().unwrap(), b"hello");
        assert_eq!(writer.buffered(), 0);
        writer.close().unwrap();
    }
}

#[test]
fn a_writer_can_move_to_another_thread() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<PipeWriter>();
}

#[test]
fn nothing_is_taken_of_nothing() {
    let (_reader, writer) = pair(Options::new());
    assert_eq!(writer.write(b"").unwrap(), 0);
    writer.flush(SHORT).unwrap();
}

#[test]
fn a_pending_write_completes_when_the_reader_reads() {
    for completion in WAYS {
        let (reader, writer) = pending(completion);
        let reading = read_all(reader);
        writer.flush(LONG).unwrap();
        writer.close().unwrap();
        assert!(
            reading.join().unwrap() == pattern(MUCH),
            "other bytes were read"
        );
    }
}

#[test]
fn a_full_buffer_takes_a_part_and_then_nothing() {
    for completion in WAYS {
        let (_reader, writer) = pair(Options::new().capacity(1000).completion(completion));
        // The kernel takes some more than the buffer's capacity.
        let mut taken = 0;
        let error = loop {
            match writer.write(&[7; 700]) {
                Ok(bytes) => {
                    assert!((1..=700).contains(&bytes));
                    taken += bytes;
                }
                Err(error) => break error,
            }
            writer.on_signalled();
            assert!(taken <= MUCH, "nothing is ever refused");
            assert!(writer.buffered() <= 1000, "more is buffered than fits");
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(taken >= 1000);
    }
}

#[test]
fn a_slow_reader_gets_every_byte_in_order() {
    for completion in WAYS {
        let (options, notified) = counted(Options::new().capacity(3000).completion(completion));
        let (mut reader, writer) = pair(options);
        let sent = pattern(MUCH);
        let reading = thread::spawn(move || {
            let mut received = Vec::new();
            let mut chunk = [0; 7001];
            loop {
                match reader.read(&mut chunk).unwrap() {
                    0 => return received,
                    length => received.extend_from_slice(&chunk[..length]),
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        for piece in sent.chunks(1777) {
            writer.write_all(piece, LONG).unwrap();
        }
        writer.flush(LONG).unwrap();
        writer.close().unwrap();
        assert!(reading.join().unwrap() == sent, "other bytes were read");
        assert_eq!(notified.load(Ordering::SeqCst), MUCH);
    }
}

#[test]
fn a_flush_that_finds_no_reader_ends_in_time() {
    for completion in WAYS {
        let (reader, writer) = pending(completion);
        assert_eq!(writer.flush(SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
        // Nothing was lost.
        let reading = read_all(reader);
        writer.flush(LONG).unwrap();
        writer.close().unwrap();
        assert!(
            reading.join().unwrap() == pattern(MUCH),
            "other bytes were read"
        );
    }
}

#[test]
fn room_that_does_not_come_ends_the_wait_in_time() {
    for completion in WAYS {
        let (_reader, writer) = pair(Options::new().capacity(10).completion(completion));
        let error = writer.write_all(&pattern(MUCH), SHORT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}

#[test]
fn an_event_loop_needs_no_flush() {
    let (options, notified) = counted(Options::new().completion(Completion::EventLoop));
    let (reader, writer) = pair(options.capacity(MUCH));
    writer.write_all(&pattern(MUCH), LONG).unwrap();
    let reading = read_all(reader);
    let begin = std::time::Instant::now();
    while writer.buffered() > 0 {
        assert!(begin.elapsed() < LONG, "bytes do not move");
        writer.on_signalled();
        thread::sleep(Duration::from_millis(1));
    }
    writer.close().unwrap();
    assert_eq!(notified.load(Ordering::SeqCst), MUCH);
    assert!(
        reading.join().unwrap() == pattern(MUCH),
        "other bytes were read"
    );
}

#[test]
fn threads_share_a_writer() {
    const THREADS: u8 = 8;
    const EACH: usize = 20_000;
    for completion in WAYS {
        let (options, notified) = counted(Options::new().capacity(500).completion(completion));
        let (reader, writer) = pair(options);
        let reading = read_all(reader);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let writer = &writer;
                scope.spawn(move || {
                    writer.write_all(&[number; EACH], LONG).unwrap();
                    // Windows cancels what a thread has started and that is pending at its end.
                    writer.flush(LONG).unwrap();
                });
            }
        });
        writer.close().unwrap();
        let received = reading.join().unwrap();
        for number in 0..THREADS {
            let count = received.iter().filter(|&&byte| byte == number).count();
            assert_eq!(count, EACH, "of thread {number}");
        }
        assert_eq!(notified.load(Ordering::SeqCst), usize::from(THREADS) * EACH);
    }
}

#[test]
fn many_pipes_write_at_the_same_time() {
    for completion in WAYS {
        let pipes: Vec<_> = (0..50)
            .map(|_| pair(Options::new().capacity(100_000).completion(completion)))
            .collect();
        let sent = pattern(100_000);
        let mut running = Vec::new();
        for (reader, writer) in pipes {
            writer.write_all(&sent, LONG).unwrap();
            running.push((read_all(reader), writer));
        }
        for (reading, writer) in running {
            writer.flush(LONG).unwrap();
            writer.close().unwrap();
            assert!(reading.join().unwrap() == sent, "other bytes were read");
        }
    }
}
