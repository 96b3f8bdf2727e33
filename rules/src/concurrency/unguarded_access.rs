//! PL402.

use pipelint_analysis::FreedBeside;

use crate::prelude::*;

/// A field or variable is changed with a lock held, and touched without it by code that may run at the same
/// time.
///
/// ## Why is this bad?
/// A lock guards nothing that one of its users touches without it. Two threads that touch one variable at the
/// same time, and of which one writes, are a data race: "If a data race occurs, the behavior of the program is
/// undefined" (<https://en.cppreference.com/w/cpp/language/multithread>). A queue that grows while another
/// thread asks for its size is read while its pointers change.
///
/// ## What is shown
/// The message names the lock, a place that touches the variable with the lock held, and how the two come to run
/// at the same time: a thread, a callback of the thread pool or of a wait, a signal's handler. One of the two
/// writes. A function that is called with the lock held, and somewhere without, is not to blame: the call
/// without is.
///
/// Where nobody holds a lock, two threads that both update one variable (`count = count + 1`) are told of too.
///
/// So is memory that a thread uses while another one frees it. The thread's function uses what a field of the
/// object that it was given points to, or that object itself, and the starting function frees it behind the start
/// without a wait. Or a function that others can call frees it, and shows that it reckons with the thread: it asks
/// the count, flag or handle that the starting function sets for the thread (`pending` in
/// `if (port->pending == 0) end(port);`), and frees the field whatever the answer is. The message names that
/// function, and the path leads from the start of the thread to where the memory is freed and to the use.
///
/// ## Known limits
/// Threads are those that the program is seen to start. Two public methods of a class are not held against each
/// other: whether callers share an object is not known. Locks are told by the class and field that they are, and
/// not by the object: a lock of another object of the class counts as the right one. Nothing is said of what is
/// done while an object is made or ends, of objects that the function has made, of atomic and `volatile`
/// variables, of parts behind a second pointer in a thread, and where fewer places hold the lock than do not. In
/// Rust, the compiler checks all but `static mut`.
///
/// Memory that is freed beside a thread is told of in C and C++, and only where nothing may order the two: no
/// function waits for the thread; nothing on the way to where it is freed waits, polls what the thread writes,
/// takes a lock or asks what the thread or the starting function writes; the thread neither frees nor sets the
/// field; and the function that frees is not called for what was taken from a completion port alone. A function
/// that frees and asks for no thread is taken to be for the end, when there is none. What a callback, a destructor
/// or another thread frees is not looked at, and neither are smart pointers and containers.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
/// #include <mutex>
/// #include <vector>
///
/// class Reader
/// {
/// public:
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Reader::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     std::size_t waiting() const { return bytes_.size(); }
///
///     void stop()
///     {
///         if (thread_ != nullptr) {
///             WaitForSingleObject(thread_, INFINITE);
///             CloseHandle(thread_);
///             thread_ = nullptr;
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Reader *>(context);
///         while (const int byte = self->next()) {
///             std::lock_guard<std::mutex> lock(self->mutex_);
///             self->bytes_.push_back(static_cast<char>(byte));
///         }
///         return 0;
///     }
///
///     int next();
///
///     mutable std::mutex mutex_;
///     std::vector<char> bytes_;
///     HANDLE thread_ = nullptr;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
/// #include <mutex>
/// #include <vector>
///
/// class Reader
/// {
/// public:
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Reader::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     std::size_t waiting() const
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         return bytes_.size();
///     }
///
///     void stop()
///     {
///         if (thread_ != nullptr) {
///             WaitForSingleObject(thread_, INFINITE);
///             CloseHandle(thread_);
///             thread_ = nullptr;
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Reader *>(context);
///         while (const int byte = self->next()) {
///             std::lock_guard<std::mutex> lock(self->mutex_);
///             self->bytes_.push_back(static_cast<char>(byte));
///         }
///         return 0;
///     }
///
///     int next();
///
///     mutable std::mutex mutex_;
///     std::vector<char> bytes_;
///     HANDLE thread_ = nullptr;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL402", severity = "warning", group = "default", cwe(366, 820))]
pub(crate) struct UnguardedAccess;

impl Rule for UnguardedAccess {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let fault = match &event.kind {
            EventKind::Unguarded(fault) => fault,
            EventKind::FreedBeside(fault) => return Some(freed(event, fault)),
            _ => return None,
        };
        let Some(lock) = &fault.lock else {
            return Some(updated(event, fault));
        };
        let thing = &fault.thing;
        let (other, at) = &fault.guarded;
        let does = |writes| if writes { "written" } else { "read" };
        let did = |writes| if writes { "writes" } else { "reads" };
        let here = match &fault.through {
            Some(callee) => format!(
                "`{callee}`, which {} `{thing}`, is called",
                did(fault.writes)
            ),
            None => format!("`{thing}` is {}", does(fault.writes)),
        };
        let message = format!(
            "{here} without `{lock}`, with which `{other}` {} it: the two may run at the same time",
            did(fault.guarded_writes)
        );
        let label = match &fault.through {
            Some(callee) => format!("`{callee}` runs without `{lock}`"),
            None => format!("`{thing}` is {} without `{lock}`", does(fault.writes)),
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message,
            help: format!("hold `{lock}` here too, or make `{thing}` an atomic"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let guarded = format!(
            "`{thing}` is {} with `{lock}` held",
            does(fault.guarded_writes)
        );
        words::relabel(&mut diagnostic.path, *at, &guarded);
        let started = event
            .path
            .iter()
            .find(|s| matches!(s.what, pipelint_analysis::StepKind::Started(_)));
        if let Some(started) = started {
            words::relabel(&mut diagnostic.path, started.span, &fault.runs);
        }
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}

/// Nobody holds a lock, and two threads update it.
fn updated(event: &Event, fault: &pipelint_analysis::UnguardedAccess) -> Diagnostic {
    let thing = &fault.thing;
    let (other, at) = &fault.guarded;
    let message = match *at == event.at {
        true => format!("two threads update `{thing}` here at the same time, with no lock"),
        false => {
            format!("`{thing}` is updated here and in `{other}` at the same time, with no lock")
        }
    };
    let label = format!("what another thread writes to `{thing}` meanwhile is lost");
    let words = Words {
        primary: event.at,
        label: label.clone(),
        message,
        help: format!("make `{thing}` an atomic, or hold one lock for each update"),
    };
    let mut diagnostic = words::diagnostic(&UnguardedAccess::META, event, words);
    words::relabel(&mut diagnostic.path, event.at, &label);
    diagnostic
}

/// Nobody holds a lock, and what a thread uses is freed beside it.
fn freed(event: &Event, fault: &FreedBeside) -> Diagnostic {
    let FreedBeside {
        thing,
        api,
        freer,
        by,
        ..
    } = fault;
    let label = format!("`{thing}` is used on a thread of its own");
    let words = Words {
        primary: event.at,
        label: label.clone(),
        message: format!(
            "what `{thing}` points to is used here by what `{api}` runs on another thread, while `{freer}` may \
             free it: nothing orders the two"
        ),
        help: format!(
            "give the thread a copy of `{thing}` that is its own, or free `{thing}` when the thread has ended"
        ),
    };
    let mut diagnostic = words::diagnostic(&UnguardedAccess::META, event, words);
    let started = event
        .path
        .iter()
        .find(|s| matches!(s.what, pipelint_analysis::StepKind::RunBeside(_)));
    if let Some(started) = started {
        words::relabel(&mut diagnostic.path, started.span, &fault.runs);
    }
    let ends = format!("`{by}` frees it, whether the thread is there or not");
    words::relabel(&mut diagnostic.path, fault.freed, &ends);
    words::relabel(&mut diagnostic.path, event.at, &label);
    diagnostic
}
