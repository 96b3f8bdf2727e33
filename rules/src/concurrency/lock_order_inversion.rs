//! PL406.

use crate::prelude::*;

/// Two locks are taken in one order here and in the other order there.
///
/// ## Why is this bad?
/// A thread that holds the first lock waits for the second one, while another thread holds the second one and
/// waits for the first: neither goes on. It takes the right moment, so that tests pass and the program stands
/// still at its user's. Windows says that a critical section's waits "can lead to deadlock" where threads own
/// one and wait for another
/// (<https://learn.microsoft.com/en-us/windows/win32/sync/critical-section-objects>); POSIX leaves it to the
/// program
/// (<https://pubs.opengroup.org/onlinepubs/9799919799/functions/pthread_mutex_lock.html>).
///
/// ## What is shown
/// The message names both orders, and the path shows where each lock is taken; one of them may be held by a
/// function that calls the one which takes the other. Rings of up to four locks are told. The order that fewer
/// places keep is taken for the wrong one.
///
/// ## Known limits
/// Locks are told by the class and field that they are: two objects of one class have one lock here, and the
/// order of their locks is not asked. Nothing is said where a third lock is held in both orders, where a lock is
/// only tried for, where both only read, where one call takes both (`std::scoped_lock`, `std::lock`), and where
/// one thread alone runs both.
///
/// ## Examples
/// ```cpp,bad
/// #include <mutex>
///
/// class Writer
/// {
/// public:
///     void push(int value)
///     {
///         std::lock_guard<std::mutex> queue(queueMutex_);
///         std::lock_guard<std::mutex> state(stateMutex_);
///         waiting_ += value;
///         busy_ = true;
///     }
///
///     void done()
///     {
///         std::lock_guard<std::mutex> state(stateMutex_);
///         std::lock_guard<std::mutex> queue(queueMutex_);
///         waiting_ = 0;
///         busy_ = false;
///     }
///
/// private:
///     std::mutex queueMutex_;
///     std::mutex stateMutex_;
///     int waiting_ = 0;
///     bool busy_ = false;
/// };
/// ```
/// ```cpp,good
/// #include <mutex>
///
/// class Writer
/// {
/// public:
///     void push(int value)
///     {
///         std::lock_guard<std::mutex> queue(queueMutex_);
///         std::lock_guard<std::mutex> state(stateMutex_);
///         waiting_ += value;
///         busy_ = true;
///     }
///
///     void done()
///     {
///         std::lock_guard<std::mutex> queue(queueMutex_);
///         std::lock_guard<std::mutex> state(stateMutex_);
///         waiting_ = 0;
///         busy_ = false;
///     }
///
/// private:
///     std::mutex queueMutex_;
///     std::mutex stateMutex_;
///     int waiting_ = 0;
///     bool busy_ = false;
/// };
/// ```
/// ```rust,bad
/// use std::sync::Mutex;
///
/// pub struct Writer {
///     queue: Mutex<Vec<u8>>,
///     sent: Mutex<usize>,
/// }
///
/// impl Writer {
///     pub fn push(&self, byte: u8) {
///         let mut queue = self.queue.lock().unwrap();
///         let mut sent = self.sent.lock().unwrap();
///         queue.push(byte);
///         *sent += 1;
///     }
///
///     pub fn clear(&self) {
///         let mut sent = self.sent.lock().unwrap();
///         let mut queue = self.queue.lock().unwrap();
///         queue.clear();
///         *sent = 0;
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::Mutex;
///
/// pub struct Writer {
///     queue: Mutex<Vec<u8>>,
///     sent: Mutex<usize>,
/// }
///
/// impl Writer {
///     pub fn push(&self, byte: u8) {
///         let mut queue = self.queue.lock().unwrap();
///         let mut sent = self.sent.lock().unwrap();
///         queue.push(byte);
///         *sent += 1;
///     }
///
///     pub fn clear(&self) {
///         let mut queue = self.queue.lock().unwrap();
///         let mut sent = self.sent.lock().unwrap();
///         queue.clear();
///         *sent = 0;
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL406", severity = "warning", group = "default", cwe(833))]
pub(crate) struct LockOrderInversion;

impl Rule for LockOrderInversion {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::LockOrder(fault) = &event.kind else {
            return None;
        };
        let (lock, held) = (&fault.lock, &fault.held);
        let here = match &fault.through {
            Some(callee) => format!("`{callee}`, which takes `{lock}`, is called"),
            None => format!("`{lock}` is taken"),
        };
        let there: Vec<String> = fault
            .others
            .iter()
            .map(|o| format!("`{}` takes `{}` with `{}` held", o.function, o.lock, o.held))
            .collect();
        let message = format!(
            "{here} with `{held}` held, while {}: two threads that do both wait for each other",
            there.join(" and ")
        );
        let label = match &fault.through {
            Some(callee) => format!("`{callee}` waits for `{lock}`, and `{held}` is held"),
            None => format!("waits for `{lock}`, and `{held}` is held"),
        };
        let first = fault.others.first().map_or(held, |o| &o.held);
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message,
            help: format!("take the locks in one order everywhere: `{first}` first"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        for other in &fault.others {
            let waits = format!("waits for `{}`, and `{}` is held", other.lock, other.held);
            words::relabel(&mut diagnostic.path, other.at, &waits);
        }
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}
