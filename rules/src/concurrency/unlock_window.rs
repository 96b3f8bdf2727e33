//! PL401.

use pipelint_analysis::{PublishedUse, StaleStore};

use crate::prelude::*;

/// A guarded field is asked under a lock, the lock is given back and taken again, and the code changes the field
/// by the old answer; or an object is put where others find it, and used after the lock was given back.
///
/// ## Why is this bad?
/// What a lock guards may change as soon as the lock is given back: another thread that waits for the lock goes
/// on then. An answer from before is an answer about the past. A queue that had room is full by now, and what is
/// put into it goes over its limit; a count that is written back takes away what others have added. A lock for each
/// step does not make the steps one (<https://cwe.mitre.org/data/definitions/367.html>).
///
/// An object in a container belongs to all who take the lock. Whoever takes it next may take the object out and end
/// it, and a pointer from before leads to memory that is no more (<https://cwe.mitre.org/data/definitions/416.html>).
///
/// ## What is shown
/// Three places: where the field is asked with the lock held, where the lock is taken again, and the change that
/// the old answer decides; and the code of another function that changes the field with the lock held, and may
/// run in between.
///
/// An atomic that is set to the old answer is told as well: in `{ lock; next = earliest(); } next_wake.store(next);`
/// somebody who adds an earlier entry in between looks at the old `next_wake`, wakes nobody, and the store then
/// hides the entry. It takes a function that, with the lock held, changes what was asked and looks at the atomic or
/// sets it. In Rust the lock may be taken in a closure or a helper; it is told by the type of what it guards.
///
/// Of an object that is used too late: where the lock is taken, where the pointer is put into the container or the
/// field, where the lock is given back, and the use; and the code that ends objects of the same container with the
/// same lock held, on a thread that is seen to be started, or beside one. Where the one side has the lock and the
/// container by pointer, the code that makes that side's object tells which they are.
///
/// ## What is right
/// Asking again in the second hold, with the same question; a copy that is meant to be a snapshot, and that
/// changes nothing of what it was copied from; a value that was moved out of the object under the lock; an atomic
/// that is set before the lock is given back, or a figure that nobody looks at with the lock held.
///
/// An object that is used before the lock is given back, or by who has an owner or a count of its own; that is taken
/// out again before; that nobody ends before its state, a flag or a signal tells that it is not in use.
///
/// ## Known limits
/// Both holds, the question and the change must stand in one function. A decision that is made by a branch alone,
/// with no value that is carried over, is not followed. An atomic that is set to the old answer does no harm where
/// it is set again, by a new answer, before anybody waits by it: that is not seen.
///
/// The same holds for the object: it is put into the container and used in one function. A pointer that is found in
/// the container, and used after the lock, is not followed, nor one whose container owns the object (a map of
/// `unique_ptr`). Whether both sides have the same container of one class, and not each its own, is not asked.
///
/// ## Examples
/// ```cpp,bad
/// #include <algorithm>
/// #include <mutex>
/// #include <vector>
/// #include <windows.h>
///
/// class Queue
/// {
/// public:
///     void put(const char *bytes, std::size_t length)
///     {
///         std::unique_lock<std::mutex> lock(mutex_);
///         const std::size_t room = limit_ - bytes_.size();
///         lock.unlock();
///         note();
///         lock.lock();
///         bytes_.insert(bytes_.begin(), bytes, bytes + std::min(length, room));
///     }
///
///     void put_one(char byte)
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         if (limit_ != 0)
///             bytes_.push_back(byte);
///     }
///
/// private:
///     void note();
///
///     std::mutex mutex_;
///     std::vector<char> bytes_;
///     std::size_t limit_ = 4096;
/// };
/// ```
/// ```cpp,good
/// #include <algorithm>
/// #include <mutex>
/// #include <vector>
/// #include <windows.h>
///
/// class Queue
/// {
/// public:
///     void put(const char *bytes, std::size_t length)
///     {
///         note();
///         std::unique_lock<std::mutex> lock(mutex_);
///         const std::size_t room = limit_ - bytes_.size();
///         bytes_.insert(bytes_.begin(), bytes, bytes + std::min(length, room));
///     }
///
///     void put_one(char byte)
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         if (limit_ != 0)
///             bytes_.push_back(byte);
///     }
///
/// private:
///     void note();
///
///     std::mutex mutex_;
///     std::vector<char> bytes_;
///     std::size_t limit_ = 4096;
/// };
/// ```
/// ```cpp,bad
/// #include <map>
/// #include <mutex>
/// #include <windows.h>
///
/// struct Client
/// {
///     int number;
///     HANDLE pipe;
/// };
///
/// class Clients
/// {
/// public:
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Clients::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     void drop(int number)
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         auto it = clients_.find(number);
///         if (it != clients_.end()) {
///             delete it->second;
///             clients_.erase(it);
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Clients *>(context);
///         while (Client *client = self->next()) {
///             {
///                 std::lock_guard<std::mutex> lock(self->mutex_);
///                 self->clients_[client->number] = client;
///             }
///             self->greet(client->pipe);
///         }
///         return 0;
///     }
///
///     Client *next();
///     void greet(HANDLE pipe);
///
///     std::mutex mutex_;
///     std::map<int, Client *> clients_;
///     HANDLE thread_ = nullptr;
/// };
/// ```
/// ```cpp,good
/// #include <map>
/// #include <mutex>
/// #include <windows.h>
///
/// struct Client
/// {
///     int number;
///     HANDLE pipe;
/// };
///
/// class Clients
/// {
/// public:
///     bool start()
///     {
///         thread_ = CreateThread(nullptr, 0, &Clients::run, this, 0, nullptr);
///         return thread_ != nullptr;
///     }
///
///     void drop(int number)
///     {
///         std::lock_guard<std::mutex> lock(mutex_);
///         auto it = clients_.find(number);
///         if (it != clients_.end()) {
///             delete it->second;
///             clients_.erase(it);
///         }
///     }
///
/// private:
///     static DWORD WINAPI run(LPVOID context)
///     {
///         auto *self = static_cast<Clients *>(context);
///         while (Client *client = self->next()) {
///             self->greet(client->pipe);
///             std::lock_guard<std::mutex> lock(self->mutex_);
///             self->clients_[client->number] = client;
///         }
///         return 0;
///     }
///
///     Client *next();
///     void greet(HANDLE pipe);
///
///     std::mutex mutex_;
///     std::map<int, Client *> clients_;
///     HANDLE thread_ = nullptr;
/// };
/// ```
/// ```rust,bad
/// use std::sync::Mutex;
///
/// pub struct Channel {
///     state: Mutex<State>,
/// }
///
/// pub struct State {
///     queue: Vec<u8>,
///     limit: usize,
/// }
///
/// impl Channel {
///     pub fn put(&self, bytes: &[u8]) -> usize {
///         let state = self.state.lock().unwrap();
///         let room = state.limit - state.queue.len();
///         drop(state);
///         let mut state = self.state.lock().unwrap();
///         let taken = bytes.len().min(room);
///         state.queue.extend_from_slice(&bytes[..taken]);
///         taken
///     }
///
///     pub fn put_one(&self, byte: u8) {
///         let mut state = self.state.lock().unwrap();
///         state.queue.push(byte);
///     }
/// }
/// ```
/// ```rust,good
/// use std::sync::Mutex;
///
/// pub struct Channel {
///     state: Mutex<State>,
/// }
///
/// pub struct State {
///     queue: Vec<u8>,
///     limit: usize,
/// }
///
/// impl Channel {
///     pub fn put(&self, bytes: &[u8]) -> usize {
///         let mut state = self.state.lock().unwrap();
///         let room = state.limit - state.queue.len();
///         let taken = bytes.len().min(room);
///         state.queue.extend_from_slice(&bytes[..taken]);
///         taken
///     }
///
///     pub fn put_one(&self, byte: u8) {
///         let mut state = self.state.lock().unwrap();
///         state.queue.push(byte);
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL401",
    severity = "warning",
    group = "default",
    cwe(362, 367, 416)
)]
pub(crate) struct UnlockWindow;

impl Rule for UnlockWindow {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let fault = match &event.kind {
            EventKind::UnlockWindow(fault) => fault,
            EventKind::StaleStore(fault) => return Some(stale_store(event, fault)),
            EventKind::PublishedUse(fault) => return Some(published(event, fault)),
            _ => return None,
        };
        let (asked, changed, lock) = (&fault.asked, &fault.changed, &fault.lock);
        let (other, _) = &fault.other;
        let by = match fault.variable.is_empty() || fault.variable == *asked {
            true => format!("what `{asked}` told"),
            false => format!("`{}`, which `{asked}` told", fault.variable),
        };
        let message = format!(
            "`{changed}` is changed by {by} before `{lock}` was given back and taken again: `{other}` may have \
             changed it in between"
        );
        let words = Words {
            primary: event.at,
            label: format!("this builds on what was true before `{lock}` was given back"),
            message,
            help: format!(
                "ask `{asked}` again after `{lock}` is taken again, or keep the lock in between"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let steps = [
            (0, format!("`{lock}` is taken")),
            (1, format!("`{asked}` is asked with `{lock}` held")),
            (2, format!("`{lock}` was given back, and is taken again")),
        ];
        for (n, label) in steps {
            if let Some(step) = event.path.get(n) {
                words::relabel(&mut diagnostic.path, step.span, &label);
            }
        }
        Some(diagnostic)
    }
}

/// The words for an atomic that is set to an old answer.
fn stale_store(event: &Event, fault: &StaleStore) -> Diagnostic {
    let (asked, stored, lock) = (&fault.asked, &fault.stored, &fault.lock);
    let (other, _) = &fault.other;
    let words = Words {
        primary: event.at,
        label: format!("`{stored}` gets what was true before `{lock}` was given back"),
        message: format!(
            "`{stored}` is set to what `{asked}` told before `{lock}` was given back: `{other}` may have changed \
             that in between, by the old `{stored}`"
        ),
        help: format!(
            "set `{stored}` before `{lock}` is given back, or ask `{asked}` again afterwards and wake who waits"
        ),
    };
    let mut diagnostic = words::diagnostic(&UnlockWindow::META, event, words);
    let steps = [
        (0, format!("`{lock}` is taken")),
        (1, format!("`{asked}` is asked with `{lock}` held")),
        (
            2,
            format!("`{other}` changes it with the lock held, and looks at `{stored}`"),
        ),
    ];
    for (n, label) in steps {
        if let Some(step) = event.path.get(n) {
            words::relabel(&mut diagnostic.path, step.span, &label);
        }
    }
    diagnostic
}

/// An object was made known under the lock, and is used after it.
fn published(event: &Event, fault: &PublishedUse) -> Diagnostic {
    let (variable, container, lock) = (&fault.variable, &fault.container, &fault.lock);
    let (other, ends) = &fault.other;
    let message = format!(
        "`{variable}` is used after `{lock}` was given back, under which it was put into `{container}`: `{other}` may \
         have taken it out of there and ended it"
    );
    let label = format!("another thread may have ended what `{variable}` points to");
    let words = Words {
        primary: event.at,
        label: label.clone(),
        message,
        help: format!(
            "use `{variable}` before `{lock}` is given back, or keep a reference of its own to the object"
        ),
    };
    let mut diagnostic = words::diagnostic(&UnlockWindow::META, event, words);
    let steps = [
        format!("`{lock}` is taken"),
        format!("`{variable}` is put into `{container}`: others find it there"),
        format!("`{lock}` is given back"),
        label,
    ];
    for (step, label) in diagnostic.path.iter_mut().zip(steps) {
        step.label = label;
    }
    for step in &mut diagnostic.related {
        step.label = match step.span == *ends {
            true => format!("`{other}` ends such an object with `{lock}` held"),
            false => fault.runs.clone(),
        };
    }
    diagnostic
}
