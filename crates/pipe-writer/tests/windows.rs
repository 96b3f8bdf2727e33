//! What is true on Windows alone.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::thread;
use std::time::{Duration, Instant};

use common::{LONG, MUCH, SHORT, pattern, pending, read_all};
use pipe_writer::{Access, Completion, Options, PipeServer, PipeWriter, anonymous_pipe, connect};
use windows_sys::Win32::Foundation::{
    GetHandleInformation, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_OUTBOUND};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

/// A name that no other test has.
fn name(of: &str) -> String {
    format!(r"\\.\pipe\pipe-writer-test-{}-{of}", std::process::id())
}

fn is_inherited(end: impl AsHandle) -> bool {
    let mut flags = 0;
    // SAFETY: asks for the flags of an open handle.
    let known = unsafe { GetHandleInformation(end.as_handle().as_raw_handle(), &raw mut flags) };
    assert_ne!(known, 0);
    flags & HANDLE_FLAG_INHERIT != 0
}

#[test]
fn a_client_reads_what_the_server_writes() {
    let name = name("server-writes");
    let server = PipeServer::bind(&name, Access::Outbound).unwrap();
    let client = thread::spawn(move || {
        let end = connect(&name, Access::Inbound, false, LONG).unwrap();
        read_all(File::from(end)).join().unwrap()
    });
    let writer = PipeWriter::new(server.accept(LONG).unwrap(), Options::new()).unwrap();
    writer.write_all(&pattern(MUCH), LONG).unwrap();
    writer.flush(LONG).unwrap();
    writer.close().unwrap();
    assert!(
        client.join().unwrap() == pattern(MUCH),
        "other bytes were read"
    );
}

#[test]
fn a_client_can_be_the_writer() {
    let name = name("client-writes");
    let server = PipeServer::bind(&name, Access::Inbound).unwrap();
    let client = thread::spawn(move || {
        let end = connect(&name, Access::Outbound, true, LONG).unwrap();
        let writer = PipeWriter::new(end, Options::new()).unwrap();
        writer.write_all(&pattern(1000), LONG).unwrap();
        writer
    });
    let mut reader = File::from(server.accept(LONG).unwrap());
    let mut received = vec![0; 1000];
    reader.read_exact(&mut received).unwrap();
    assert!(received == pattern(1000), "other bytes were read");
    let writer = client.join().unwrap();
    writer.flush(LONG).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_second_server_of_the_same_name_is_refused() {
    let name = name("second");
    let first = PipeServer::bind(&name, Access::Outbound).unwrap();
    PipeServer::bind(&name, Access::Outbound).unwrap_err();
    drop(first);
    PipeServer::bind(&name, Access::Outbound).unwrap();
}

#[test]
#[ignore = "Wine 8 does not honour FILE_FLAG_FIRST_PIPE_INSTANCE; for a real Windows"]
fn a_server_is_refused_where_somebody_was_before() {
    let name = name("squatted");
    let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // What a squatter would make: open to all who come, with instances left for the victim.
    // SAFETY: the name is terminated; null attributes are allowed.
    let squatter = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            PIPE_ACCESS_OUTBOUND | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
            2,
            4096,
            4096,
            0,
            std::ptr::null(),
        )
    };
    assert_ne!(squatter, INVALID_HANDLE_VALUE);
    // SAFETY: the call succeeded, and nobody else has this handle.
    let squatter = unsafe { OwnedHandle::from_raw_handle(squatter) };
    let error = PipeServer::bind(&name, Access::Outbound).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    drop(squatter);
    PipeServer::bind(&name, Access::Outbound).unwrap();
}

#[test]
fn an_accept_without_a_client_ends_in_time() {
    let name = name("nobody");
    let server = PipeServer::bind(&name, Access::Outbound).unwrap();
    let error = server.accept(SHORT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // The pipe is gone with it.
    PipeServer::bind(&name, Access::Outbound).unwrap();
}

#[test]
fn a_client_that_was_faster_is_accepted() {
    let name = name("faster");
    let server = PipeServer::bind(&name, Access::Outbound).unwrap();
    let client = connect(&name, Access::Inbound, false, LONG).unwrap();
    server.accept(SHORT).unwrap();
    drop(client);
}

#[test]
fn a_busy_pipe_is_waited_for_until_the_time_is_over() {
    let name = name("busy");
    let server = PipeServer::bind(&name, Access::Outbound).unwrap();
    let _first = connect(&name, Access::Inbound, false, LONG).unwrap();
    let begin = Instant::now();
    let error = connect(&name, Access::Inbound, false, SHORT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
    drop(server);
}

#[test]
fn a_pipe_that_is_not_there_is_not_waited_for() {
    let error = connect(name("absent"), Access::Inbound, false, LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_name_with_nul_is_refused() {
    let error = connect("\\\\.\\pipe\\a\0b", Access::Inbound, false, SHORT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn ends_are_not_inherited() {
    let (reader, writer) = anonymous_pipe().unwrap();
    assert!(!is_inherited(&reader));
    assert!(!is_inherited(&writer));
}

#[test]
fn a_loop_waits_for_the_event() {
    let (reader, writer) = pending(Completion::EventLoop);
    let signalled = |milliseconds| {
        // SAFETY: the event is open as long as the writer.
        unsafe { WaitForSingleObject(writer.event().as_raw_handle(), milliseconds) }
    };
    assert_eq!(signalled(0), WAIT_TIMEOUT, "nothing is pending");
    let reading = read_all(reader);
    while writer.buffered() > 0 {
        assert_eq!(signalled(20_000), WAIT_OBJECT_0);
        writer.on_signalled();
    }
    writer.close().unwrap();
    assert!(
        reading.join().unwrap() == pattern(MUCH),
        "other bytes were read"
    );
}

#[test]
fn the_background_needs_no_call() {
    let (reader, writer) = pending(Completion::Background);
    let reading = read_all(reader);
    let begin = Instant::now();
    while writer.buffered() > 0 {
        assert!(begin.elapsed() < LONG, "bytes do not move");
        thread::sleep(Duration::from_millis(1));
    }
    writer.close().unwrap();
    assert!(
        reading.join().unwrap() == pattern(MUCH),
        "other bytes were read"
    );
}
