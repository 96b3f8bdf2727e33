//! What the tests share: pairs of ends, readers, counts of handles.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part; a test may panic"
)]

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pipe_writer::{Completion, Options, PipeWriter, anonymous_pipe};

/// Time enough for what must succeed, so a hang fails.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// Time for what must not succeed.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

/// More bytes than any system's pipe holds.
pub(crate) const MUCH: usize = 512 * 1024;

/// Both ways to handle completions: each behaviour is to hold for both.
pub(crate) const WAYS: [Completion; 2] = [Completion::Background, Completion::EventLoop];

/// A reader, and a writer with these options at the other end.
pub(crate) fn pair(options: Options) -> (File, PipeWriter) {
    let (reader, writer) = anonymous_pipe().unwrap();
    (
        File::from(reader),
        PipeWriter::new(writer, options).unwrap(),
    )
}

/// A writer whose pipe is full, so that a write is pending and the buffer holds bytes.
pub(crate) fn pending(completion: Completion) -> (File, PipeWriter) {
    let (reader, writer) = pair(Options::new().capacity(MUCH).completion(completion));
    writer.write_all(&pattern(MUCH), LONG).unwrap();
    assert!(writer.buffered() > 0, "the pipe holds {MUCH} bytes");
    (reader, writer)
}

/// Bytes of which no two stretches are alike, `MUCH` at most.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    static ALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut state = 1_u32;
        (0..MUCH)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    });
    ALL[..length].to_vec()
}

/// Reads to the end on a thread of its own.
pub(crate) fn read_all(mut reader: File) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Options that count the bytes notified, and the count.
pub(crate) fn counted(options: Options) -> (Options, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let options = options.on_bytes_written(move |bytes| {
        counter.fetch_add(bytes, Ordering::SeqCst);
    });
    (options, count)
}

/// The number of descriptors that this process has open.
#[cfg(unix)]
pub(crate) fn open_handles() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The number of handles that this process has open, counted in the system's list of handles:
/// `GetProcessHandleCount` always says zero under Wine.
#[cfg(windows)]
pub(crate) fn open_handles() -> usize {
    use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
    use windows_sys::Win32::Foundation::{STATUS_INFO_LENGTH_MISMATCH, STATUS_SUCCESS};

    /// `SystemHandleInformation`, whose answer is a count and entries of 24 bytes that begin with
    /// the process's number as 16 bits:
    /// <https://www.geoffchappell.com/studies/windows/km/ntoskrnl/api/ex/sysinfo/handle.htm>.
    const CLASS: i32 = 16;
    const ENTRIES: usize = 8;
    const ENTRY: usize = 24;

    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        // SAFETY: the buffer has the length that is passed.
        let status = unsafe {
            NtQuerySystemInformation(
                CLASS,
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
                std::ptr::null_mut(),
            )
        };
        if status == STATUS_INFO_LENGTH_MISMATCH {
            buffer = vec![0; buffer.len() * 2];
            continue;
        }
        assert_eq!(status, STATUS_SUCCESS, "NtQuerySystemInformation");
        let count = u32::from_le_bytes(buffer[..4].try_into().unwrap()) as usize;
        let own = (std::process::id() as u16).to_le_bytes();
        return buffer[ENTRIES..]
            .chunks_exact(ENTRY)
            .take(count)
            .filter(|entry| entry[..2] == own)
            .count();
    }
}
