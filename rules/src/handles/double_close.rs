//! PL105.

use crate::prelude::*;

/// A handle, or a block of memory, is released twice on one path, under one name or two.
///
/// ## Why is this bad?
/// A program should call `CloseHandle` once for each handle that it opens; a second close makes the
/// function fail, and raises an exception under a debugger
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>). The
/// value is free after the first close, so that a thread which opens something between the two may
/// be given the same value, and lose it to the second.
///
/// ## Known limits
/// What another function was given in between may have been replaced, so nothing is reported after
/// such a call. Of a value that the function did not make, and that is released under a condition,
/// a second release under another condition is not reported: the two may exclude each other. A field,
/// global or static that keeps a closed handle is reported where the destructor releases it too, or
/// where other code of the program sets the place to its empty value after a close, and takes any
/// other value for live; that the second function really runs after the first is not shown. So is a public
/// `close` that leaves the field as it is, and a move constructor or assignment that does not empty its
/// source, in a class whose destructor closes the field.
///
/// ## Examples
/// The error path closes, and the clean-up that it falls into closes again:
/// ```cpp,bad
/// #include <windows.h>
///
/// bool greet(const wchar_t *name)
/// {
///     bool sent = true;
///     DWORD written = 0;
///     HANDLE pipe = CreateFileW(name, GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return false;
///     if (!WriteFile(pipe, "hello", 5, &written, nullptr)) {
///         CloseHandle(pipe);
///         sent = false;
///     }
///     CloseHandle(pipe);
///     return sent;
/// }
/// ```
/// One close serves both:
/// ```cpp,good
/// #include <windows.h>
///
/// bool greet(const wchar_t *name)
/// {
///     DWORD written = 0;
///     HANDLE pipe = CreateFileW(name, GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     if (pipe == INVALID_HANDLE_VALUE)
///         return false;
///     bool sent = WriteFile(pipe, "hello", 5, &written, nullptr) && written == 5;
///     CloseHandle(pipe);
///     return sent;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL105", severity = "error", group = "default", cwe(1341, 675))]
pub(crate) struct DoubleClose;

impl Rule for DoubleClose {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        if let EventKind::KeptByMove { field, api } = &event.kind {
            return Some(kept(event, field, api));
        }
        let made = event.resource.as_ref()?;
        let (closer, place, api) = match &event.kind {
            EventKind::DoubleClose {
                first,
                api,
                by_end: true,
            } => return Some(closed_by_hand(event, made, &first.0, api)),
            EventKind::DoubleClose { first, api, .. } => (&first.0, first.1, api),
            EventKind::LeftClosed { closed, by, api } => {
                return Some(left_closed(event, made, closed, by, api));
            }
            _ => return None,
        };
        let words = Words {
            primary: event.at,
            label: format!("{} again", words::past(api)),
            message: format!(
                "`{api}` {} {} a second time, after `{closer}`",
                words::present(api),
                words::subject(made)
            ),
            help: format!(
                "remove one of the two, or write `{} = {};` after the first and test it before \
                 the second",
                words::variable(made),
                words::empty(made)
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        let once = format!("{} by `{closer}`", words::past(closer));
        words::relabel(&mut diagnostic.path, place, &once);
        let again = format!("{} again by `{api}`", words::past(api));
        words::relabel(&mut diagnostic.path, event.at, &again);
        Some(diagnostic)
    }
}

/// A move leaves the handle with both objects.
fn kept(event: &Event, field: &str, api: &str) -> Diagnostic {
    let words = Words {
        primary: event.at,
        label: "both objects hold it now".to_owned(),
        message: format!(
            "after this move both objects hold `{field}`, and the destructor calls `{api}` for each"
        ),
        help: format!("empty the source: `std::exchange(other.{field}, …)`"),
    };
    words::diagnostic(&DoubleClose::META, event, words)
}

/// The object's end releases what was released by hand.
fn closed_by_hand(event: &Event, made: &Resource, closer: &str, api: &str) -> Diagnostic {
    let subject = words::subject(made);
    let end = match api.strip_prefix('~') {
        Some(owner) => format!("its owner, `{owner}`,"),
        None => format!("`{api}` in the destructor"),
    };
    let words = Words {
        primary: event.at,
        label: format!("{} by hand", words::past(closer)),
        message: format!(
            "`{closer}` {} {subject}, and {end} does so again",
            words::present(closer)
        ),
        help: "leave it to the object's end, or empty the object after the release".to_owned(),
    };
    let mut diagnostic = words::diagnostic(&DoubleClose::META, event, words);
    let first = format!("{} by `{closer}`", words::past(closer));
    words::relabel(&mut diagnostic.path, event.at, &first);
    diagnostic
}

/// The place keeps the value when the function is done, and another function releases it again.
fn left_closed(event: &Event, made: &Resource, closed: &str, by: &str, api: &str) -> Diagnostic {
    let subject = words::subject(made);
    let message = if *by == *event.function {
        format!("{subject} keeps its value after `{closed}`: the next call releases it again")
    } else {
        format!("{subject} keeps its value after `{closed}`: `{by}` releases it a second time")
    };
    let words = Words {
        primary: event.at,
        label: "released, and left in place".to_owned(),
        message,
        help: format!(
            "write `{} = {};` after the release, as `{api}` later takes any other value for live",
            words::variable(made),
            words::empty(made)
        ),
    };
    words::diagnostic(&DoubleClose::META, event, words)
}
