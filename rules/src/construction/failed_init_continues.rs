//! PL201.

use crate::prelude::*;

/// A creation is seen to fail, but the failure branch only logs (or does nothing), and the result is
/// used all the same: further on, or by another method of the object.
///
/// It is reported once a creation, at the test, with every use as a related place. The failure is
/// handled when the path throws, returns, ends the process, marks the object in a way that others
/// can see, or when every use is guarded.
///
/// Where a helper sees the failure, only logs it, and hands the result on, the helper is at fault if all
/// its callers are in sight (it is `static`, private or not `pub`) and every call of it leads to a use
/// without a look. Where one does not, or others may call it, a caller that does not look is reported by
/// PL101.
///
/// ## Why is this bad?
/// The program knows that it has no object and goes on as though it had one.
/// `CreateThreadpoolWait` returns `NULL` when it fails
/// (<https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwait>),
/// and the other functions of the thread pool take a pointer to a live object: with `NULL` they
/// crash. An event that is `NULL` is never signalled. The log line that explains it lies hours
/// back.
///
/// ## Known limits
/// Whether a caller looks at the object before it calls the using method is not seen. A condition on
/// the field anywhere in the class, even a partial one, is taken for a guard of all uses.
///
/// ## Examples
/// The constructor logs, and every later call is given `NULL`:
/// ```cpp,bad
/// #include <windows.h>
/// #include <cstdio>
///
/// class Poller {
/// public:
///     explicit Poller(PTP_TIMER_CALLBACK tick)
///     {
///         timer = CreateThreadpoolTimer(tick, this, nullptr);
///         if (timer == nullptr)
///             fprintf(stderr, "no timer\n");
///     }
///     ~Poller()
///     {
///         SetThreadpoolTimer(timer, nullptr, 0, 0);
///         WaitForThreadpoolTimerCallbacks(timer, TRUE);
///         CloseThreadpoolTimer(timer);
///     }
///     Poller(const Poller &) = delete;
///     void start(FILETIME *due) { SetThreadpoolTimer(timer, due, 1000, 0); }
///
/// private:
///     PTP_TIMER timer;
/// };
/// ```
/// The failure leaves the constructor:
/// ```cpp,good
/// #include <windows.h>
/// #include <stdexcept>
///
/// class Poller {
/// public:
///     explicit Poller(PTP_TIMER_CALLBACK tick)
///     {
///         timer = CreateThreadpoolTimer(tick, this, nullptr);
///         if (timer == nullptr)
///             throw std::runtime_error("no timer");
///     }
///     ~Poller()
///     {
///         SetThreadpoolTimer(timer, nullptr, 0, 0);
///         WaitForThreadpoolTimerCallbacks(timer, TRUE);
///         CloseThreadpoolTimer(timer);
///     }
///     Poller(const Poller &) = delete;
///     void start(FILETIME *due) { SetThreadpoolTimer(timer, due, 1000, 0); }
///
/// private:
///     PTP_TIMER timer;
/// };
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL201", severity = "warning", group = "default", cwe(390, 665))]
pub(crate) struct FailedInitContinues;

impl Rule for FailedInitContinues {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::FailedUse { check, api } = &event.kind else {
            return None;
        };
        let made = event.resource.as_ref()?;
        let subject = words::subject(made);
        let label = format!("`{}` is seen to fail here, and the code goes on", made.api);
        let value = made.failure.map_or("unset", words::sentinel);
        let words = Words {
            primary: *check,
            label: label.clone(),
            message: format!(
                "`{}` is seen to fail, but {subject} still reaches `{api}` as {value}",
                made.api
            ),
            help: format!(
                "leave here (return an error or throw), or let every use test {subject} first"
            ),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, *check, &label);
        diagnostic.related = words::uses(event);
        Some(diagnostic)
    }
}
