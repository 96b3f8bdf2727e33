//! PL111.

use super::forgotten_handle::is_given_up;
use crate::prelude::*;

/// A class makes a handle into one of its fields, and nothing in the program ever closes that field,
/// hands it on, or copies it elsewhere.
///
/// It is reported at the creation, once a field. All methods of the class must be seen, and every
/// read of a field of that name, in whatever file, must be a condition or an argument of an API
/// function that only uses it.
///
/// ## Why is this bad?
/// An object stays in the system until its last handle is closed
/// (<https://learn.microsoft.com/en-us/windows/win32/sysinfo/kernel-objects>). Each object of the
/// class leaves one behind when it ends, and a pipe end that is never closed keeps its reader
/// waiting for more.
///
/// ## Known limits
/// An object that lives as long as the process is reported too: the system closes what it held, but
/// nothing in the class says that there is only one. A name that another class uses for a field that
/// it closes hides the fault, and so does code that is not seen and was given the handle too.
///
/// ## Examples
/// The destructor forgets the event:
/// ```cpp,bad
/// #include <windows.h>
/// #include <stdexcept>
///
/// class Ticker {
/// public:
///     Ticker()
///     {
///         tick = CreateEventW(nullptr, FALSE, FALSE, nullptr);
///         if (!tick)
///             throw std::runtime_error("no event");
///     }
///     ~Ticker() { SetEvent(tick); }
///     void wait() { WaitForSingleObject(tick, INFINITE); }
///
/// private:
///     HANDLE tick;
/// };
/// ```
/// It closes it:
/// ```cpp,good
/// #include <windows.h>
/// #include <stdexcept>
///
/// class Ticker {
/// public:
///     Ticker()
///     {
///         tick = CreateEventW(nullptr, FALSE, FALSE, nullptr);
///         if (!tick)
///             throw std::runtime_error("no event");
///     }
///     ~Ticker() { CloseHandle(tick); }
///     Ticker(const Ticker &) = delete;
///     Ticker &operator=(const Ticker &) = delete;
///     void wait() { WaitForSingleObject(tick, INFINITE); }
///
/// private:
///     HANDLE tick;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL111", severity = "warning", group = "default", cwe(772, 775))]
pub(crate) struct OwnedFieldNeverClosed;

impl Rule for OwnedFieldNeverClosed {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::NeverClosed { class } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        if is_given_up(event, made) {
            return None;
        }
        let (subject, noun) = (words::subject(made), words::noun(made));
        let words = Words {
            primary: event.at,
            label: format!("this {noun} is never closed"),
            message: format!(
                "`{class}` keeps the {noun} from `{}` in {subject}, and nothing ever closes it",
                made.api
            ),
            help: format!(
                "call `{}` in the destructor of `{class}`, or keep it in an owner",
                made.release
            ),
        };
        Some(words::diagnostic(&Self::META, event, words))
    }
}
