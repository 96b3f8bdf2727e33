//! PL202.

use crate::prelude::*;

/// A constructor throws after it put a live handle into a raw field of its object.
///
/// ## Why is this bad?
/// An object whose constructor throws never came to be, so that its destructor does not run; only its
/// bases and those members that were made already are destroyed
/// (<https://en.cppreference.com/w/cpp/language/try>, "the destructor of the object is not called").
/// A raw handle has no destructor of its own: what the constructor made before the exception stays
/// open until the process ends, and nobody knows its value.
///
/// ## Known limits
/// Only a `throw` in the constructor, or a macro or function that is known to throw, is seen; that
/// other calls may throw is not.
///
/// ## Examples
/// The second creation fails, and the first handle is lost:
/// ```cpp,bad
/// #include <windows.h>
/// #include <stdexcept>
///
/// class Pair {
/// public:
///     Pair()
///     {
///         first = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///         if (first == nullptr)
///             throw std::runtime_error("no first event");
///         second = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///         if (second == nullptr)
///             throw std::runtime_error("no second event");
///     }
///     Pair(const Pair &) = delete;
///     Pair &operator=(const Pair &) = delete;
///     ~Pair()
///     {
///         CloseHandle(second);
///         CloseHandle(first);
///     }
///
/// private:
///     HANDLE first;
///     HANDLE second;
/// };
/// ```
/// The constructor closes what it made:
/// ```cpp,good
/// #include <windows.h>
/// #include <stdexcept>
///
/// class Pair {
/// public:
///     Pair()
///     {
///         first = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///         if (first == nullptr)
///             throw std::runtime_error("no first event");
///         second = CreateEventW(nullptr, TRUE, FALSE, nullptr);
///         if (second == nullptr) {
///             CloseHandle(first);
///             throw std::runtime_error("no second event");
///         }
///     }
///     Pair(const Pair &) = delete;
///     Pair &operator=(const Pair &) = delete;
///     ~Pair()
///     {
///         CloseHandle(second);
///         CloseHandle(first);
///     }
///
/// private:
///     HANDLE first;
///     HANDLE second;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL202", severity = "warning", group = "default", cwe(404, 772))]
pub(crate) struct PartialConstructionLeak;

impl Rule for PartialConstructionLeak {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::HalfConstructed { field } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let words = Words {
            primary: made.created,
            label: format!("`{field}` is not released when the constructor throws"),
            message: format!(
                "`{field}` holds the {} from `{}` when the constructor throws, and no destructor runs",
                words::noun(made),
                made.api
            ),
            help: format!(
                "call `{}` before the exception, or make `{field}` a member that releases what it holds",
                words::release(made)
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, "the constructor throws");
        Some(diagnostic)
    }
}
