//! PL110.

use crate::prelude::*;

/// A class closes a raw handle in its destructor, and the compiler writes its copy: copy constructor
/// and assignment are neither written nor deleted.
///
/// In Rust the same is a type whose `Drop` closes a raw handle and that derives `Clone`.
///
/// It is reported at the class, once, with the field and the close as related places. A class is
/// silent that declares a copy or a move, has a base or a member that may forbid the copy, or closes
/// only where a flag or a count of its own says so.
///
/// ## Why is this bad?
/// The copy that the compiler writes copies the handle's value. Both objects close it: the second
/// close fails, or closes what another thread was given in between. A program should call
/// `CloseHandle` once for each handle that it opens
/// (<https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle>). A
/// class that writes its destructor for the sake of a resource has to write or delete its copy
/// (<https://en.cppreference.com/w/cpp/language/rule_of_three>); else passing an object by value, or
/// keeping it in a vector, is enough.
///
/// ## Known limits
/// Whether the program makes a copy today is not asked.
///
/// ## Examples
/// Every copy closes the handle again:
/// ```cpp,bad
/// #include <windows.h>
///
/// class Event {
/// public:
///     Event() : handle(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}
///     ~Event()
///     {
///         if (handle)
///             CloseHandle(handle);
///     }
///     bool set() { return handle && SetEvent(handle); }
///
/// private:
///     HANDLE handle;
/// };
/// ```
/// The derived `Clone` copies the raw handle:
/// ```rust,bad
/// use windows_sys::Win32::Foundation::{CloseHandle, HANDLE};
///
/// #[derive(Clone)]
/// pub struct Event {
///     handle: HANDLE,
/// }
///
/// impl Drop for Event {
///     fn drop(&mut self) {
///         unsafe { CloseHandle(self.handle) };
///     }
/// }
/// ```
/// There is no copy:
/// ```cpp,good
/// #include <windows.h>
///
/// class Event {
/// public:
///     Event() : handle(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}
///     Event(const Event &) = delete;
///     Event &operator=(const Event &) = delete;
///     ~Event()
///     {
///         if (handle)
///             CloseHandle(handle);
///     }
///     bool set() { return handle && SetEvent(handle); }
///
/// private:
///     HANDLE handle;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(
    code = "PL110",
    severity = "warning",
    group = "default",
    cwe(1341, 415)
)]
pub(crate) struct CopyableHandleOwner;

impl Rule for CopyableHandleOwner {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::CopyableOwner {
            class,
            field,
            api,
            derived,
        } = &event.kind
        else {
            return None;
        };
        let (end, copy) = match derived {
            true => ("`drop`", "clone"),
            false => ("destructor", "copy"),
        };
        let words = Words {
            primary: event.at,
            label: format!("copies of `{class}` share `{field}`"),
            message: format!(
                "`{class}` closes `{field}` in its {end}, and a {copy} of it closes `{field}` again"
            ),
            help: match derived {
                true => {
                    format!("do not derive `Clone` for `{class}`, or duplicate `{field}` in it")
                }
                false => format!(
                    "write `{class}(const {class} &) = delete;` and \
                     `{class} &operator=(const {class} &) = delete;`"
                ),
            },
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        if let [declared, closed, ..] = &mut diagnostic.path[..] {
            declared.label = format!("`{field}` is a raw value");
            closed.label = format!("`{api}` runs for every copy");
        }
        Some(diagnostic)
    }
}
