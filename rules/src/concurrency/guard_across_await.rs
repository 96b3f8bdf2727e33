//! PL410.

use pipelint_analysis::GuardFault;

use crate::prelude::*;

/// Rust: the guard of a lock that blocks threads is alive where a task waits.
///
/// ## Why is this bad?
/// While the task waits, its thread runs other tasks. One that wants the same lock blocks that thread, and with
/// it the task that would give the lock back: on a runtime with one thread, or once all of its threads are
/// blocked, nothing goes on. Where a task may move between threads, the future is not `Send` either
/// (<https://docs.rs/tokio/latest/tokio/sync/struct.Mutex.html#which-kind-of-mutex-should-you-use>). The guard
/// need not have a name: the temporaries of what `match`, `if let` and `while let` look at live to the end of
/// the whole expression (<https://doc.rust-lang.org/reference/destructors.html#temporary-scopes>).
///
/// ## Known limits
/// Guards that are made to be held while a task waits, such as those of `tokio::sync`, are left alone, and so
/// are values of the program's own that hold a guard. A guard that goes on into another function or an `async`
/// block is not followed there.
///
/// ## Examples
/// ```rust,bad
/// use std::io;
/// use std::sync::Mutex;
/// use tokio::io::AsyncWriteExt;
/// use tokio::net::windows::named_pipe::NamedPipeClient;
///
/// pub async fn flush(lines: &Mutex<Vec<String>>, pipe: &mut NamedPipeClient) -> io::Result<()> {
///     let mut lines = lines.lock().unwrap();
///     for line in lines.drain(..) {
///         pipe.write_all(line.as_bytes()).await?;
///     }
///     Ok(())
/// }
/// ```
/// ```rust,good
/// use std::io;
/// use std::sync::Mutex;
/// use tokio::io::AsyncWriteExt;
/// use tokio::net::windows::named_pipe::NamedPipeClient;
///
/// pub async fn flush(lines: &Mutex<Vec<String>>, pipe: &mut NamedPipeClient) -> io::Result<()> {
///     let taken = std::mem::take(&mut *lines.lock().unwrap());
///     for line in taken {
///         pipe.write_all(line.as_bytes()).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL410", severity = "warning", group = "default", cwe(667, 833))]
pub(crate) struct GuardAcrossAwait;

impl Rule for GuardAcrossAwait {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::Guard(GuardFault::AcrossAwait {
            lock,
            guard,
            variable,
        }) = &event.kind
        else {
            return None;
        };
        let of = match lock.as_str() {
            "" => String::new(),
            lock => format!(" of `{lock}`"),
        };
        let (what, help) = match variable.as_str() {
            "" => (
                format!("a temporary `{guard}`{of}"),
                "take what is needed out of the lock in a statement of its own, and wait after it"
                    .to_owned(),
            ),
            variable => (
                format!("`{variable}`, a `{guard}`{of},"),
                format!(
                    "end it before: a block round it, or `drop({variable})`; a lock of the runtime's own may be held"
                ),
            ),
        };
        let words = Words {
            primary: event.at,
            label: "the task waits here".to_owned(),
            message: format!("{what} is held while the task waits"),
            help,
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
