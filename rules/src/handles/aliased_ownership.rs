//! PL113.

use pipelint_analysis::Aliased;

use crate::prelude::*;

/// Two Rust owners hold one handle: one is made of what another one only lent, or both of one raw value.
///
/// So is memory that `into_raw` gave up as the context of a callback, where the callback makes an owner
/// of it each time it runs and the object that keeps the pointer ends it too.
///
/// ## Why is this bad?
/// `from_raw_handle` takes the ownership of the handle, so its caller must have it
/// (<https://doc.rust-lang.org/std/os/windows/io/trait.FromRawHandle.html#tymethod.from_raw_handle>).
/// `as_raw_handle` does not give it: whose handle it was closes it too. The second close fails, or hits
/// whatever was opened since and was given the same value: another thread's pipe goes dead.
///
/// ## Known limits
/// An owner that unknown code was given may be forgotten there, so nothing is reported for it. That two
/// fields of one object own one handle is seen where a function puts them there. A callback is judged
/// only if the `Drop` of the object that keeps its context takes it back on every path.
///
/// ## Examples
/// The file closes the handle when the function is left, and so does the caller's pipe:
/// ```rust,bad
/// use std::fs::File;
/// use std::io::{self, Write};
/// use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
///
/// pub fn greet(pipe: &OwnedHandle) -> io::Result<()> {
///     let mut file = unsafe { File::from_raw_handle(pipe.as_raw_handle()) };
///     file.write_all(b"hello")
/// }
/// ```
/// A handle of its own, which it may close:
/// ```rust,good
/// use std::fs::File;
/// use std::io::{self, Write};
/// use std::os::windows::io::OwnedHandle;
///
/// pub fn greet(pipe: &OwnedHandle) -> io::Result<()> {
///     let mut file = File::from(pipe.try_clone()?);
///     file.write_all(b"hello")
/// }
/// ```
/// Nothing is closed where the second owner never ends:
/// ```rust,good
/// use std::fs::File;
/// use std::io::{self, Write};
/// use std::mem::ManuallyDrop;
/// use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
///
/// pub fn greet(pipe: &OwnedHandle) -> io::Result<()> {
///     let mut file = ManuallyDrop::new(unsafe { File::from_raw_handle(pipe.as_raw_handle()) });
///     file.write_all(b"hello")
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL113", severity = "error", group = "default", cwe(1341, 415))]
pub(crate) struct AliasedOwnership;

impl Rule for AliasedOwnership {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        let EventKind::AliasedOwner(how) = &event.kind else {
            return None;
        };
        let owner = |end: &str| end.trim_start_matches('~').to_owned();
        let message = match how {
            Aliased::BothEnd { first, then } => {
                let what = event
                    .resource
                    .as_ref()
                    .map_or_else(|| "the handle".to_owned(), words::subject);
                format!(
                    "a second owner closes {what}: `{}`, after `{}`",
                    owner(then),
                    owner(&first.0)
                )
            }
            Aliased::EndsLent { lender, then } => format!(
                "`{}` closes the handle of `{lender}`, which still owns it",
                owner(then)
            ),
            Aliased::EndsContext { field, callback } => format!(
                "each run of `{callback}` ends its context, which the object that keeps it in \
                 `{field}` ends too"
            ),
            Aliased::LeavesLent { lender } => format!(
                "the owner that is handed out holds the handle of `{lender}`, which still owns it"
            ),
        };
        let words = Words {
            primary: event.at,
            label: "the second owner is made here".to_owned(),
            message,
            help: match how {
                Aliased::EndsContext { .. } => {
                    "only borrow the context in the callback: `&*(context as *const T)`".to_owned()
                }
                _ => "duplicate the handle with `try_clone`, or put the second owner into a \
                      `ManuallyDrop`"
                    .to_owned(),
            },
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        if let Aliased::BothEnd { first, .. } = how {
            words::relabel(&mut diagnostic.path, first.1, "closed by its first owner");
        }
        Some(diagnostic)
    }
}
