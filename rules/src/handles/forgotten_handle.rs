//! PL112.

use pipelint_analysis::{LeakHow, StepKind};
use pipelint_source::Span;

use crate::prelude::*;

/// A Rust value is kept from releasing what it owns, and nothing takes it back: `into_raw_handle`,
/// `mem::forget`, `ManuallyDrop`, `Box::into_raw`.
///
/// ## Why is this bad?
/// `into_raw_handle` passes the ownership to its caller, who has to close the handle or make it an
/// owner again
/// (<https://doc.rust-lang.org/std/os/windows/io/trait.IntoRawHandle.html#tymethod.into_raw_handle>); the
/// same is true of `Box::into_raw` and `Arc::into_raw`, and `mem::forget` runs no destructor. Between
/// there and the new owner, every `?` and every early `return` loses the handle. The compiler, which
/// would have closed it, has been told to look away.
///
/// Where several callers of one function lose what it gives up to them, and none takes it back, the fault is
/// told there.
///
/// ## Known limits
/// What unknown code was given may be taken back by others: nothing is reported then. What a field keeps
/// is reported only where no code of the program takes back any pointer of that type, or of a type that is
/// not known. `Box::leak`, and a raw pointer or handle that is dropped where it is made
/// (`let _ = file.into_raw_fd();`), are taken to be meant, and so is a `forget` in a function that is named
/// for it (`leak`, `into_raw`, `release`). `Arc::into_raw` whose result is not used adds a count, and is
/// reported only for a pointer that is seen to be the only one.
///
/// ## Examples
/// The handle is given up before the call that can fail:
/// ```rust,bad
/// use std::fs::File;
/// use std::io;
/// use std::os::windows::io::{FromRawHandle, IntoRawHandle, OwnedHandle};
/// use windows_sys::Win32::System::Pipes::SetNamedPipeHandleState;
///
/// pub fn message_mode(pipe: File, mode: u32) -> io::Result<OwnedHandle> {
///     let raw = pipe.into_raw_handle();
///     if unsafe { SetNamedPipeHandleState(raw, &mode, std::ptr::null(), std::ptr::null()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(unsafe { OwnedHandle::from_raw_handle(raw) })
/// }
/// ```
/// The owner stays the owner until nothing can fail:
/// ```rust,good
/// use std::fs::File;
/// use std::io;
/// use std::os::windows::io::{AsRawHandle, OwnedHandle};
/// use windows_sys::Win32::System::Pipes::SetNamedPipeHandleState;
///
/// pub fn message_mode(pipe: File, mode: u32) -> io::Result<OwnedHandle> {
///     let raw = pipe.as_raw_handle();
///     if unsafe { SetNamedPipeHandleState(raw, &mode, std::ptr::null(), std::ptr::null()) } == 0 {
///         return Err(io::Error::last_os_error());
///     }
///     Ok(OwnedHandle::from(pipe))
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL112", severity = "warning", group = "default", cwe(772, 775))]
pub(crate) struct ForgottenHandle;

/// Whether a loss is of what a Rust owner was made to give up.
pub(super) fn is_given_up(event: &Event, made: &Resource) -> bool {
    made.api.contains("into_raw") || forgotten_by(event).is_some()
}

/// What kept the owner from ending, and where.
fn forgotten_by(event: &Event) -> Option<(&str, Span)> {
    event.path.iter().rev().find_map(|step| match &step.what {
        StepKind::Forgotten(by) => Some((by.as_str(), step.span)),
        _ => None,
    })
}

impl Rule for ForgottenHandle {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let made = event.resource.as_ref()?;
        let how = match &event.kind {
            EventKind::Leak(how) => how,
            EventKind::NeverClosed { class } if is_given_up(event, made) => {
                return Some(never_taken_back(event, made, class));
            }
            _ => return None,
        };
        let (subject, api, noun) = (words::subject(made), &made.api, words::noun(made));
        if let Some((by, at)) = forgotten_by(event) {
            return Some(forgotten(event, (by, at), &subject, noun));
        }
        if !is_given_up(event, made) {
            return None;
        }
        let back = words::back(made);
        if let LeakHow::ByCallers = how {
            return Some(lost_by_callers(event, made));
        }
        let lost = match how {
            LeakHow::ScopeEnd => format!("leaves scope, and the {noun} has no owner"),
            _ => format!("left, and the {noun} has no owner"),
        };
        let words = Words {
            primary: made.created,
            label: format!("this {noun} is lost"),
            message: format!(
                "{subject} still holds the {noun} that `{api}` gave up when the function is left"
            ),
            help: format!("keep the owner, or take the {noun} back with `{back}` on this path"),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &lost);
        Some(diagnostic)
    }
}

/// Each caller of the function loses it.
fn lost_by_callers(event: &Event, made: &Resource) -> Diagnostic {
    let (api, noun, function) = (&made.api, words::noun(made), &event.function);
    let words = Words {
        primary: made.created,
        label: format!("this {noun} is lost by each caller"),
        message: format!(
            "`{function}` gives its callers the {noun} that `{api}` gave up, and none of them takes it back"
        ),
        help: format!(
            "lend the raw value of an owner that stays, or take the {noun} back with `{}` in each caller",
            words::back(made)
        ),
    };
    words::diagnostic(&ForgottenHandle::META, event, words)
}

/// It is kept in a field, from which nothing takes it back.
fn never_taken_back(event: &Event, made: &Resource, class: &str) -> Diagnostic {
    let (subject, api, noun) = (words::subject(made), &made.api, words::noun(made));
    let class = class.rsplit("::").next().unwrap_or(class);
    let words = Words {
        primary: event.at,
        label: format!("this {noun} is lost with the object"),
        message: format!(
            "`{class}` keeps the {noun} that `{api}` gave up in {subject}, and nothing ever takes it back"
        ),
        help: format!(
            "take it back with `{}` in the `Drop` of `{class}`, or keep the owner itself",
            words::back(made)
        ),
    };
    words::diagnostic(&ForgottenHandle::META, event, words)
}

/// The owner itself is forgotten.
fn forgotten(event: &Event, (by, at): (&str, Span), subject: &str, noun: &str) -> Diagnostic {
    let words = Words {
        primary: at,
        label: format!("nothing closes the {noun} any more"),
        message: format!(
            "`{by}` keeps {subject} from being closed, and nothing else has the {noun}"
        ),
        help: match by {
            "ManuallyDrop" => "call `ManuallyDrop::drop` or `into_inner` before it goes".to_owned(),
            _ => "let the owner end, or take its raw value first with `into_raw_handle`".to_owned(),
        },
    };
    words::diagnostic(&ForgottenHandle::META, event, words)
}
