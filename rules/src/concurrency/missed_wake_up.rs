//! PL414.

use pipelint_analysis::WakeFault;

use crate::prelude::*;

/// A thread that waits to be woken goes on though nothing has happened, or sleeps on though it has: a wait
/// without a test of its condition, or a change that others wait for and of which nobody tells them.
///
/// ## Why is this bad?
/// "Condition variables are subject to spurious wakeups (those not associated with an explicit wake) and stolen
/// wakeups (another thread manages to run before the woken thread)", says the page of Windows, which is why one
/// is to test again in a loop
/// (<https://learn.microsoft.com/en-us/windows/win32/sync/condition-variables>). It is the same with
/// `std::condition_variable` (<https://en.cppreference.com/w/cpp/thread/condition_variable/wait>),
/// `pthread_cond_wait` (<https://man7.org/linux/man-pages/man3/pthread_cond_timedwait.3p.html>), libuv
/// (<https://docs.libuv.org/en/v1.x/threading.html#conditions>) and Rust's `Condvar`
/// (<https://doc.rust-lang.org/std/sync/struct.Condvar.html#method.wait>). A path that believes the wake-up
/// takes from an empty queue, or reports a write as done that is still under way. The other way round, a thread
/// that waits sees a change only when it is woken: without the signal it waits until its time is up, or for
/// ever.
///
/// ## Known limits
/// A wait is told where a path behind it comes to a use of the state, or to the function's end, and has tested
/// no state before; any test is enough. A loop around the wait, in the function or around a call of it, is
/// taken for a test, except where what was asked before the wait is used after it. Helpers that only wait, and
/// waits of some time whose result nobody asks for, are silent. A change is told where a waiter's condition asks
/// for the field itself, the change is one that it waits for, no path with it wakes anybody, and another
/// function does after such a change; fields that only waits of some time ask for in a loop are left out.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// struct Jobs
/// {
///     CRITICAL_SECTION lock;
///     CONDITION_VARIABLE filled;
///     int ids[16];
///     int count;
/// };
///
/// int take(Jobs *jobs)
/// {
///     EnterCriticalSection(&jobs->lock);
///     if (jobs->count == 0)
///         SleepConditionVariableCS(&jobs->filled, &jobs->lock, INFINITE);
///     jobs->count -= 1;
///     int id = jobs->ids[jobs->count];
///     LeaveCriticalSection(&jobs->lock);
///     return id;
/// }
/// ```
/// ```rust,bad
/// use std::sync::{Condvar, Mutex};
///
/// struct State {
///     ids: Vec<u32>,
/// }
///
/// pub struct Jobs {
///     state: Mutex<State>,
///     filled: Condvar,
/// }
///
/// impl Jobs {
///     pub fn take(&self) -> u32 {
///         let mut state = self.state.lock().unwrap();
///         if state.ids.is_empty() {
///             state = self.filled.wait(state).unwrap();
///         }
///         state.ids.remove(0)
///     }
/// }
/// ```
/// ```cpp,bad
/// #include <condition_variable>
/// #include <mutex>
/// #include <vector>
///
/// class Jobs
/// {
/// public:
///     void wait()
///     {
///         std::unique_lock<std::mutex> lock(mutex_);
///         changed_.wait(lock, [this] { return !ids_.empty() || closed_; });
///     }
///
///     void add(int id)
///     {
///         const std::lock_guard<std::mutex> lock(mutex_);
///         ids_.push_back(id);
///         changed_.notify_one();
///     }
///
///     void close()
///     {
///         const std::lock_guard<std::mutex> lock(mutex_);
///         closed_ = true;
///     }
///
/// private:
///     std::mutex mutex_;
///     std::condition_variable changed_;
///     std::vector<int> ids_;
///     bool closed_ = false;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// struct Jobs
/// {
///     CRITICAL_SECTION lock;
///     CONDITION_VARIABLE filled;
///     int ids[16];
///     int count;
/// };
///
/// int take(Jobs *jobs)
/// {
///     EnterCriticalSection(&jobs->lock);
///     while (jobs->count == 0)
///         SleepConditionVariableCS(&jobs->filled, &jobs->lock, INFINITE);
///     jobs->count -= 1;
///     int id = jobs->ids[jobs->count];
///     LeaveCriticalSection(&jobs->lock);
///     return id;
/// }
/// ```
/// ```rust,good
/// use std::sync::{Condvar, Mutex};
///
/// struct State {
///     ids: Vec<u32>,
/// }
///
/// pub struct Jobs {
///     state: Mutex<State>,
///     filled: Condvar,
/// }
///
/// impl Jobs {
///     pub fn take(&self) -> u32 {
///         let mut state = self.state.lock().unwrap();
///         while state.ids.is_empty() {
///             state = self.filled.wait(state).unwrap();
///         }
///         state.ids.remove(0)
///     }
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL414", severity = "warning", group = "default", cwe(667, 833))]
pub(crate) struct MissedWakeUp;

impl Rule for MissedWakeUp {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Wake(fault) = &event.kind else {
            return None;
        };
        Some(match fault {
            WakeFault::NoCondition {
                api,
                on,
                then,
                asked,
            } => no_condition(event, (api, on), *then, asked.as_deref()),
            WakeFault::GivenConditionIgnored {
                api,
                condition,
                asked,
            } => {
                let label = "what ends the wait is taken for the condition";
                let words = Words {
                    primary: event.at,
                    label: label.to_owned(),
                    message: format!(
                        "after `{api}` has returned, the function reports success though `{condition}` does \
                         not hold"
                    ),
                    help: format!("go back to the test of `{condition}`, and let it alone decide"),
                };
                let mut diagnostic = words::diagnostic(&Self::META, event, words);
                words::relabel(&mut diagnostic.path, event.at, label);
                words::relabel(
                    &mut diagnostic.path,
                    *asked,
                    &format!("`{condition}` does not hold, and the wait has ended: success"),
                );
                diagnostic
            }
            WakeFault::NobodyWoken {
                field,
                on,
                waits,
                sibling,
                left,
            } => {
                let label = format!("`{field}` changes here");
                let words = Words {
                    primary: event.at,
                    label: label.clone(),
                    message: format!(
                        "`{field}` changes, and those who wait for that with `{on}` are not woken"
                    ),
                    help: format!("wake them before the lock is given back: `{on}`"),
                };
                let mut diagnostic = words::diagnostic(&Self::META, event, words);
                words::relabel(&mut diagnostic.path, event.at, &label);
                words::relabel(&mut diagnostic.path, *left, "left, and nobody is woken");
                words::relabel(
                    &mut diagnostic.related,
                    waits.1,
                    &format!("`{}` waits for `{field}`", waits.0),
                );
                words::relabel(
                    &mut diagnostic.related,
                    *sibling,
                    "they are woken here after such a change",
                );
                diagnostic
            }
            WakeFault::FailedStart { on, start, waits } => {
                let label = format!("`{start}` has failed, and `{on}` is not set");
                let words = Words {
                    primary: event.at,
                    label: label.clone(),
                    message: format!(
                        "`{start}` has failed, no completion will set `{on}`, and those who wait for it are \
                         not woken"
                    ),
                    help: format!("set `{on}` before the error is returned, so that they see it"),
                };
                let mut diagnostic = words::diagnostic(&Self::META, event, words);
                words::relabel(&mut diagnostic.path, event.at, &label);
                words::relabel(
                    &mut diagnostic.related,
                    waits.1,
                    &format!("`{}` waits for `{on}`", waits.0),
                );
                diagnostic
            }
        })
    }
}

/// A wait behind which nothing is tested.
fn no_condition(
    event: &Event,
    (api, on): (&str, &str),
    then: pipelint_source::Span,
    asked: Option<&str>,
) -> Diagnostic {
    let on = match on {
        "" => String::new(),
        on => format!(" on `{on}`"),
    };
    let message = match asked {
        Some(asked) => format!("`{asked}` is used after `{api}`{on} and not tested again"),
        None => format!("the path goes on after `{api}`{on} and tests nothing"),
    };
    let words = Words {
        primary: event.at,
        label: "may return though nobody has changed anything".to_owned(),
        message,
        help: "wait in a loop that tests the condition, or give the condition to the wait"
            .to_owned(),
    };
    let mut diagnostic = words::diagnostic(&MissedWakeUp::META, event, words);
    words::relabel(&mut diagnostic.path, event.at, "woken, perhaps by nobody");
    let goes_on = match asked {
        Some(asked) => format!("`{asked}` is used"),
        None => "the path goes on".to_owned(),
    };
    words::relabel(&mut diagnostic.path, then, &goes_on);
    diagnostic
}
