//! PL101.

use crate::prelude::*;

/// The result of a creating call reaches a use on a path where nothing compared it with the value
/// that means failure.
///
/// It is reported once, at the creation, with every use as a related place; also when the result
/// is kept in a field and used in another method. A fatal macro or helper, a test in a callee and
/// an owner type's own test are checks. `assert` and `Q_ASSERT` are not: a release build drops
/// them.
///
/// ## Why is this bad?
/// Each creating call names its failure value: `CreateEventW` returns `NULL`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventw>),
/// `CreateFileW` returns `INVALID_HANDLE_VALUE`
/// (<https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew>). Creation
/// fails when a quota or memory runs out, when a pipe is busy or a name is taken, so rarely in
/// tests and first under load. A wait on `NULL` returns at once with an error, and code that takes
/// the wait for done goes on too early; a write to it loses the data;
/// `INVALID_HANDLE_VALUE` is also the current process's pseudo-handle, so that a call which accepts
/// a process handle works on the wrong object.
///
/// ## Known limits
/// A close alone is a use only where the creating function closes the handle at once: a destructor
/// that closes what may be `NULL` is silent. An unknown function that is given the handle may check
/// it, so nothing is reported beyond such a call. Whether two methods of a class run in an order
/// that makes the use possible is not proved: any method may run after a constructor.
///
/// ## Examples
/// The event can be `NULL` when it is waited for:
/// ```cpp,bad
/// #include <windows.h>
///
/// void drain(HANDLE pipe, OVERLAPPED *request)
/// {
///     request->hEvent = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     WaitForSingleObject(request->hEvent, INFINITE);
/// }
/// ```
/// A field is created in one method and used in another:
/// ```cpp,bad
/// #include <windows.h>
///
/// class Wake {
/// public:
///     Wake() : event(CreateEventW(nullptr, FALSE, FALSE, nullptr)) {}
///     Wake(const Wake &) = delete;
///     Wake &operator=(const Wake &) = delete;
///     ~Wake() { CloseHandle(event); }
///     void raise() { SetEvent(event); }
///
/// private:
///     HANDLE event;
/// };
/// ```
/// The result is tested before its first use:
/// ```cpp,good
/// #include <windows.h>
///
/// bool drain(DWORD timeout)
/// {
///     HANDLE done = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///     if (!done)
///         return false;
///     bool signalled = WaitForSingleObject(done, timeout) == WAIT_OBJECT_0;
///     CloseHandle(done);
///     return signalled;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL101", severity = "warning", group = "default", cwe(252, 690))]
pub(crate) struct UncheckedHandleCreation;

impl Rule for UncheckedHandleCreation {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::UncheckedUse { api } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let can_fail = words::can_fail(made);
        let words = Words {
            primary: made.created,
            label: can_fail.clone(),
            message: format!(
                "{} reaches `{api}`, but nothing tests whether `{}` failed",
                words::subject(made),
                made.api
            ),
            help: words::check(made),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, made.created, &can_fail);
        diagnostic.related = words::uses(event);
        Some(diagnostic)
    }
}
