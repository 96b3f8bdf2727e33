//! PL203.

use pipelint_report::Step;

use crate::prelude::*;

/// A function of the program tells by its result that something failed, and a caller drops the
/// result, though the program looks at it elsewhere.
///
/// It is reported at the call in four cases. Either the function is seen to return another value
/// where a creation failed in it than where all went well, and most of its callers look at that value.
/// Or it is seen to return another `Result` or `std::error_code` where a creation failed in it, or a
/// call that sets what later steps build on (`ResetEvent`), and the caller, which returns such a one
/// itself, drops this one, while another call in the same file is looked at. Or, in Rust, the caller, which
/// tells of other creations that fail in it, makes a `None` of this failure by `.ok()`, and gives it on, or
/// puts a default in its place, without asking whether there is anything in it. Or the function returns 0
/// or the error of a call that failed, is given a handle that the caller has just made, and the caller,
/// which returns errors itself, drops this one, while another call in the same file is looked at.
///
/// ## Why is this bad?
/// What should have been made or set is not there, and nobody knows. A handle that should not be
/// inherited is (<https://man7.org/linux/man-pages/man2/fcntl.2.html>), an object without its event
/// never wakes, and the function has promised its own callers that all went well.
///
/// ## Known limits
/// A result that is cast to `void`, or in Rust given to `_` or to a statement that ends in `.ok();`, was
/// dropped on purpose. So was an error of which `.ok()` makes a `None` that the same function tests, or
/// that it returns or gives to another function. A result that is kept in a variable and never read is not
/// reported.
///
/// ## Examples
/// The second worker is started with whatever `open` has left in it:
/// ```cpp,bad
/// #include <windows.h>
///
/// class Worker {
/// public:
///     bool open()
///     {
///         wake = CreateEventW(nullptr, FALSE, FALSE, nullptr);
///         if (!wake)
///             return false;
///         return true;
///     }
///     void close()
///     {
///         if (wake)
///             CloseHandle(wake);
///     }
///
/// private:
///     HANDLE wake = nullptr;
/// };
///
/// bool start(Worker *first, Worker *second, Worker *third)
/// {
///     if (!first->open() || !third->open())
///         return false;
///     second->open();
///     return true;
/// }
/// ```
/// Every result is looked at:
/// ```cpp,good
/// #include <windows.h>
///
/// class Worker {
/// public:
///     bool open()
///     {
///         wake = CreateEventW(nullptr, FALSE, FALSE, nullptr);
///         if (!wake)
///             return false;
///         return true;
///     }
///     void close()
///     {
///         if (wake)
///             CloseHandle(wake);
///     }
///
/// private:
///     HANDLE wake = nullptr;
/// };
///
/// bool start(Worker *first, Worker *second)
/// {
///     return first->open() && second->open();
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL203", severity = "warning", group = "default", cwe(252, 665))]
pub(crate) struct InitResultDropped;

impl Rule for InitResultDropped {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::StatusDropped { callee, judged } = &event.kind else {
            return None;
        };
        let of = match &event.resource {
            Some(made) => format!(" for {}", words::subject(made)),
            None => String::new(),
        };
        let (label, message, help) = match judged {
            Some(_) => (
                "the result is dropped",
                format!("`{callee}` tells{of} whether it failed, and its result is dropped"),
                format!("look at the result of `{callee}`, and undo what was made if it failed"),
            ),
            None => (
                "the error is dropped",
                format!(
                    "`ok` drops the failure of `{callee}`, and nobody asks whether it is there"
                ),
                "write `?` in place of `ok`, or say with `match` what is to happen without it"
                    .to_owned(),
            ),
        };
        let words = Words {
            primary: event.at,
            label: label.to_owned(),
            message,
            help,
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, label);
        diagnostic.related.extend(judged.map(|span| Step {
            span,
            label: "here the result is looked at".to_owned(),
        }));
        Some(diagnostic)
    }
}
