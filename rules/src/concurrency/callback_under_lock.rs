//! PL407.

use pipelint_analysis::CallOutKind;

use crate::prelude::*;

/// A signal is emitted, or a callback of the user's called, with a lock held.
///
/// ## Why is this bad?
/// What user code does is not known to who calls it. It may call back into the object and wait for the lock that is
/// held, on this thread or by way of another one: "Avoid calling unknown code while holding a lock"
/// (<https://isocpp.github.io/CppCoreGuidelines/CppCoreGuidelines#cp22-never-call-unknown-code-while-holding-a-lock-eg-a-callback>).
/// As long as it runs, nobody else gets the lock.
///
/// ## What is shown
/// The path shows where the lock is taken, and the call; a helper may stand between. User code are Qt's signals,
/// functions in fields that some code fills with a parameter of its own, and virtual methods of what a field points
/// to, where the class is named for listening (`Listener`, `Observer`, `Delegate`, …).
///
/// ## Known limits
/// The rule is pedantic: that the user's code asks for the lock is not seen, and an interface may say that its
/// callbacks run with a lock held. Functions that a caller hands in to be run at once are not told. A signal whose
/// connections are all queued only puts an event into a queue.
///
/// ## Examples
/// ```cpp,bad
/// #include <functional>
/// #include <mutex>
///
/// class Writer
/// {
/// public:
///     explicit Writer(std::function<void(int)> written) : written_(written) {}
///
///     void advance(int count)
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         total_ += count;
///         written_(count);
///     }
///
/// private:
///     std::mutex mutex_;
///     int total_ = 0;
///     std::function<void(int)> written_;
/// };
/// ```
/// ```cpp,good
/// #include <functional>
/// #include <mutex>
///
/// class Writer
/// {
/// public:
///     explicit Writer(std::function<void(int)> written) : written_(written) {}
///
///     void advance(int count)
///     {
///         {
///             std::lock_guard<std::mutex> lock(mutex_);
///             total_ += count;
///         }
///         written_(count);
///     }
///
/// private:
///     std::mutex mutex_;
///     int total_ = 0;
///     std::function<void(int)> written_;
/// };
/// ```
/// ```rust,bad
/// use std::sync::Mutex;
///
/// pub struct Writer {
///     total: Mutex<usize>,
///     written: Box<dyn Fn(usize) + Send + Sync>,
/// }
///
/// impl Writer {
///     pub fn new(written: Box<dyn Fn(usize) + Send + Sync>) -> Self {
///         Self { total: Mutex::new(0), written }
///     }
///
///     pub fn advance(&self, count: usize) {
///         let mut total = self.total.lock().unwrap();
///         *total += count;
///         (self.written)(*total);
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::Mutex;
///
/// pub struct Writer {
///     total: Mutex<usize>,
///     written: Box<dyn Fn(usize) + Send + Sync>,
/// }
///
/// impl Writer {
///     pub fn new(written: Box<dyn Fn(usize) + Send + Sync>) -> Self {
///         Self { total: Mutex::new(0), written }
///     }
///
///     pub fn advance(&self, count: usize) {
///         let total = {
///             let mut total = self.total.lock().unwrap();
///             *total += count;
///             *total
///         };
///         (self.written)(total);
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL407", severity = "warning", group = "pedantic", cwe(833))]
pub(crate) struct CallbackUnderLock;

impl Rule for CallbackUnderLock {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::CallbackUnderLock(fault) = &event.kind else {
            return None;
        };
        let (lock, callback) = (&fault.lock, &fault.callback);
        let (noun, does, done) = match fault.kind {
            CallOutKind::Signal => ("signal", "emits", "emitted"),
            CallOutKind::Callback => ("callback", "calls", "called"),
            CallOutKind::Observer => ("observer's", "calls", "called"),
        };
        let here = match &fault.through {
            Some(callee) => {
                format!("`{callee}`, which {does} the {noun} `{callback}`, is called")
            }
            None => format!("the {noun} `{callback}` is {done}"),
        };
        let label = match &fault.through {
            Some(callee) => format!("`{callee}` {does} `{callback}`, and `{lock}` is held"),
            None => format!("`{callback}` is {done}, and `{lock}` is held"),
        };
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!(
                "{here} with `{lock}` held: user code that comes back for the lock waits for ever"
            ),
            help: format!("give `{lock}` back before, with copies of what the call needs"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let called = format!("user code: `{callback}` is {done}");
        words::relabel(&mut diagnostic.path, fault.called, &called);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
