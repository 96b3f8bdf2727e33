//! PL408.

use crate::prelude::*;

/// A plain variable tells a loop on one thread to end, and another thread sets it, with nothing that orders the
/// two.
///
/// ## Why is this bad?
/// Two threads may touch one plain variable at the same time, and one of them writes: a data race. "If a data
/// race occurs, the behavior of the program is undefined"
/// (<https://en.cppreference.com/w/cpp/language/multithread>), and the C standard says the same of objects that
/// are not atomic (<https://en.cppreference.com/w/c/language/memory_model>). A compiler that sees no other
/// write reads the variable once, before the loop, which then never ends; on processors that order memory
/// weakly, what was written before the flag may not be there when the flag is seen. A handler of a signal may
/// touch no more than atomic variables and `volatile sig_atomic_t`
/// (<https://en.cppreference.com/w/c/program/sig_atomic_t>). Rust: "it is undefined behavior to have a data race"
/// on a `static mut` (<https://doc.rust-lang.org/reference/items/static-items.html#mutable-statics>).
///
/// Nothing is said of a `volatile` variable: Visual C++ gives it acquire and release semantics on x86 and x64
/// unless told otherwise (<https://learn.microsoft.com/en-us/cpp/build/reference/volatile-volatile-keyword-interpretation>).
///
/// ## Known limits
/// The flag is a number: a global, a static, or a field of the object that the thread is given. The write must
/// set a constant at which the loop ends, on a path from what starts or joins the thread, from the
/// destructor of its object, or from what other files can call. Where a function on the way takes a lock or touches atomics,
/// nothing is said, whatever they guard, and neither where the loop may wait for what the writer signals after
/// the write. Flags behind a second pointer, and local variables that a lambda captures, are not followed.
/// What is handed to an executor out of sight runs on no thread that is known.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// class Reader
/// {
/// public:
///     Reader() = default;
///     Reader(const Reader &) = delete;
///     Reader &operator=(const Reader &) = delete;
///
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Reader::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     ~Reader()
///     {
///         stop_ = true;
///         if (thread_ != nullptr) {
///             WaitForSingleObject(thread_, INFINITE);
///             CloseHandle(thread_);
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Reader *>(context);
///         while (!self->stop_)
///             self->step();
///         return 0;
///     }
///
///     void step();
///
///     HANDLE thread_ = nullptr;
///     bool stop_ = false;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
/// #include <atomic>
///
/// class Reader
/// {
/// public:
///     Reader() = default;
///     Reader(const Reader &) = delete;
///     Reader &operator=(const Reader &) = delete;
///
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Reader::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     ~Reader()
///     {
///         stop_ = true;
///         if (thread_ != nullptr) {
///             WaitForSingleObject(thread_, INFINITE);
///             CloseHandle(thread_);
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Reader *>(context);
///         while (!self->stop_)
///             self->step();
///         return 0;
///     }
///
///     void step();
///
///     HANDLE thread_ = nullptr;
///     std::atomic<bool> stop_{false};
/// };
/// ```
/// ```rust,bad
/// use std::ptr;
/// use std::thread;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
///
/// static mut STOP: bool = false;
///
/// fn keep_flushing(pipe: usize) -> u32 {
///     let mut flushed = 0;
///     while !unsafe { STOP } {
///         if unsafe { FlushFileBuffers(pipe as HANDLE) } == 0 {
///             break;
///         }
///         flushed += 1;
///     }
///     flushed
/// }
///
/// pub fn flush_for_a_while(pipe: HANDLE) -> u32 {
///     let pipe = pipe as usize;
///     let flusher = thread::spawn(move || keep_flushing(pipe));
///     thread::sleep(std::time::Duration::from_secs(1));
///     unsafe { STOP = true };
///     flusher.join().unwrap_or(0)
/// }
/// ```
/// ```rust,good
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::thread;
/// use windows_sys::Win32::Foundation::HANDLE;
/// use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
///
/// static STOP: AtomicBool = AtomicBool::new(false);
///
/// fn keep_flushing(pipe: usize) -> u32 {
///     let mut flushed = 0;
///     while !STOP.load(Ordering::Acquire) {
///         if unsafe { FlushFileBuffers(pipe as HANDLE) } == 0 {
///             break;
///         }
///         flushed += 1;
///     }
///     flushed
/// }
///
/// pub fn flush_for_a_while(pipe: HANDLE) -> u32 {
///     let pipe = pipe as usize;
///     let flusher = thread::spawn(move || keep_flushing(pipe));
///     thread::sleep(std::time::Duration::from_secs(1));
///     STOP.store(true, Ordering::Release);
///     flusher.join().unwrap_or(0)
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL408", severity = "warning", group = "default", cwe(366, 820))]
pub(crate) struct UnsynchronisedFlag;

impl Rule for UnsynchronisedFlag {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::UnsynchronisedFlag(fault) = &event.kind else {
            return None;
        };
        let (flag, starter) = (&fault.flag, &fault.starter);
        let (writer, write) = &fault.written;
        let beside = match (fault.signal, fault.console) {
            (true, _) => "a signal's handler".to_owned(),
            (_, true) => "a thread that the system makes for the console".to_owned(),
            _ => format!("what `{starter}` runs"),
        };
        let message = if fault.thread_polls {
            format!(
                "`{flag}` is polled by {beside}, and `{writer}` sets it on another thread: a data race"
            )
        } else {
            format!("`{flag}` is polled here, and `{writer}` sets it in {beside}: a data race")
        };
        let label = match fault.bare {
            true => format!("a compiler may read `{flag}` once, before the loop"),
            false => format!("nothing orders this read of `{flag}` and the write"),
        };
        let help = match (fault.rust, fault.signal) {
            (true, _) => format!("make `{flag}` an atomic, or keep it behind a lock"),
            (_, true) => {
                format!("make `{flag}` a `volatile sig_atomic_t`, or an atomic that is lock-free")
            }
            _ => format!(
                "make `{flag}` an atomic, hold one lock for both, or wait for an event instead"
            ),
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        if let Some(first) = event.path.first() {
            words::relabel(&mut diagnostic.path, first.span, &fault.runs);
        }
        words::relabel(
            &mut diagnostic.path,
            *write,
            &format!("`{writer}` sets `{flag}`"),
        );
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
