//! PL412.

use pipelint_analysis::{CallOutKind, Why};

use crate::prelude::*;

/// An object is touched after it emitted a signal or called a user's callback that may have ended it.
///
/// ## Why is this bad?
/// A slot or a callback is the user's code, and runs at once. Where it deletes the object, what follows the call
/// reads and writes freed memory. Qt's page of `QPointer` names the remedy: "a guarded pointer … is automatically
/// set to `nullptr` when the referenced object is destroyed" (<https://doc.qt.io/qt-6/qpointer.html>), and that of
/// `QObject::deleteLater` the way for users (<https://doc.qt.io/qt-6/qobject.html#deleteLater>); but a class cannot
/// know which way its users take.
///
/// ## Known limits
/// That a call may end the object has to show: code in sight that is connected or registered ends it, the class
/// asks elsewhere whether it is still there (by a `QPointer`, a weak pointer or a flag on the stack), or it sets a
/// flag while it emits a signal that keeps its slots from coming back in, and slots out of sight may be
/// connected. Where an owner of the object is on the stack, it is silent, and so is a queued connection.
/// Constructors, destructors and lambdas are left out, and pointers to the object under another name are not
/// followed. The rule does not speak of Rust, where a borrow keeps the object.
///
/// ## Examples
/// ```cpp,bad
/// #include <windows.h>
///
/// #include <functional>
/// #include <memory>
///
/// class Pipe
/// {
/// public:
///     explicit Pipe(HANDLE end) : end_(end) {}
///     Pipe(const Pipe &) = delete;
///     Pipe &operator=(const Pipe &) = delete;
///     ~Pipe() { CloseHandle(end_); }
///
///     void finished(DWORD error)
///     {
///         if (onClosed)
///             onClosed(error);
///         open_ = false;
///     }
///
///     std::function<void(DWORD)> onClosed;
///
/// private:
///     HANDLE end_;
///     bool open_ = true;
/// };
///
/// class Client
/// {
/// public:
///     explicit Client(HANDLE end) : pipe_(std::make_unique<Pipe>(end))
///     {
///         pipe_->onClosed = [this](DWORD) { pipe_.reset(); };
///     }
///
/// private:
///     std::unique_ptr<Pipe> pipe_;
/// };
/// ```
/// ```cpp,good
/// #include <windows.h>
///
/// #include <functional>
/// #include <memory>
///
/// class Pipe
/// {
/// public:
///     explicit Pipe(HANDLE end) : end_(end) {}
///     Pipe(const Pipe &) = delete;
///     Pipe &operator=(const Pipe &) = delete;
///     ~Pipe() { CloseHandle(end_); }
///
///     void finished(DWORD error)
///     {
///         open_ = false;
///         if (onClosed)
///             onClosed(error);
///     }
///
///     std::function<void(DWORD)> onClosed;
///
/// private:
///     HANDLE end_;
///     bool open_ = true;
/// };
///
/// class Client
/// {
/// public:
///     explicit Client(HANDLE end) : pipe_(std::make_unique<Pipe>(end))
///     {
///         pipe_->onClosed = [this](DWORD) { pipe_.reset(); };
///     }
///
/// private:
///     std::unique_ptr<Pipe> pipe_;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL412", severity = "warning", group = "default", cwe(416))]
pub(crate) struct UseAfterCallback;

impl Rule for UseAfterCallback {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::AfterCallback(fault) = &event.kind else {
            return None;
        };
        let (member, called) = (&fault.member, &fault.called);
        let (done, who) = match fault.kind {
            CallOutKind::Signal => (format!("the signal `{called}` was emitted"), "a slot"),
            CallOutKind::Callback => (
                format!("the callback `{called}` was called"),
                "the callback",
            ),
            CallOutKind::Observer => (
                format!("the observer `{called}` was called"),
                "the observer",
            ),
        };
        let (because, at) = match &fault.why {
            Why::Ends { by, at } => (format!("`{by}` ends the object"), *at),
            Why::Asked { by, at } => (
                format!("`{by}` asks after such a call whether the object is still there"),
                *at,
            ),
            Why::Reentered { flag, at } => (
                format!("`{flag}` keeps slots from coming back in: they use the object meanwhile"),
                *at,
            ),
        };
        let words = Words {
            primary: event.at,
            label: format!("`{member}` is used here"),
            message: format!("`{member}` is used after {done}: {who} may have ended the object"),
            help: "ask a guard (`QPointer`, a weak pointer, a flag on the stack) whether the object is still there, \
                   or make the call the last step"
                .to_owned(),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(
            &mut diagnostic.path,
            event.at,
            &format!("`{member}` is used here"),
        );
        diagnostic.related.push(words::said(at, because));
        Some(diagnostic)
    }
}
