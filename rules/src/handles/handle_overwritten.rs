//! PL107.

use pipelint_analysis::Resource;

use crate::prelude::*;

/// The only variable that holds a handle is assigned over while the handle is open.
///
/// So is the only pointer to a block of memory by `p = realloc(p, n);` when that fails.
///
/// ## Why is this bad?
/// An object stays in the system until its last handle is closed
/// (<https://learn.microsoft.com/en-us/windows/win32/sysinfo/kernel-objects>), and after the
/// assignment no one knows the handle any more. In a loop that reconnects, each round loses one.
///
/// ## Known limits
/// Silent when another variable, a field or an unknown function also holds the handle. The field of
/// an object that a method finds already set is not known to hold anything, but in a move assignment of a
/// class whose destructor closes the field.
///
/// ## Examples
/// Each round makes a pipe and forgets the last one:
/// ```cpp,bad
/// #include <windows.h>
///
/// HANDLE connect_some(const wchar_t *const *names, int count)
/// {
///     HANDLE pipe = INVALID_HANDLE_VALUE;
///     for (int i = 0; i < count; ++i)
///         pipe = CreateFileW(names[i], GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     return pipe;
/// }
/// ```
/// The first that opens is kept:
/// ```cpp,good
/// #include <windows.h>
///
/// HANDLE connect_some(const wchar_t *const *names, int count)
/// {
///     HANDLE pipe = INVALID_HANDLE_VALUE;
///     for (int i = 0; i < count && pipe == INVALID_HANDLE_VALUE; ++i)
///         pipe = CreateFileW(names[i], GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
///     return pipe;
/// }
/// ```
#[derive(RuleMeta)]
#[rule(code = "PL107", severity = "warning", group = "default", cwe(771, 773))]
pub(crate) struct HandleOverwritten;

impl Rule for HandleOverwritten {
    fn meta(&self) -> &'static RuleMeta {
        &Self::META
    }

    fn report(&self, event: &Event) -> Option<Diagnostic> {
        if let EventKind::LostByMove { field, api } = &event.kind {
            return Some(lost_by_move(event, field, api));
        }
        let made = event.resource.as_ref()?;
        let var = match &event.kind {
            EventKind::Overwritten { var } => var,
            EventKind::BlockLost { var, api } => return Some(block_lost(event, made, var, api)),
            _ => return None,
        };
        let (api, noun) = (&made.api, words::noun(made));
        let label = format!("the {noun} from `{api}` is lost here");
        let words = Words {
            primary: event.at,
            label: label.clone(),
            message: format!("`{var}` is assigned over while it holds the {noun} from `{api}`"),
            help: format!("release it first: `{}({var});`", made.release),
        };
        let mut diagnostic = words::diagnostic(&Self::META, event, words);
        words::relabel(&mut diagnostic.path, event.at, &label);
        Some(diagnostic)
    }
}

/// `p = realloc(p, n)`: what it returns when it fails takes the place of the block's address.
fn block_lost(event: &Event, made: &Resource, var: &str, api: &str) -> Diagnostic {
    let noun = words::noun(made);
    let words = Words {
        primary: event.at,
        label: format!("`{var}` is NULL if this fails, and the {noun} is lost"),
        message: format!(
            "`{var}` is assigned over by `{api}`, which fails and leaves the {noun} live"
        ),
        help: "keep the result in another variable until it is known not to be NULL".to_owned(),
    };
    words::diagnostic(&HandleOverwritten::META, event, words)
}

/// A move assignment writes over what its target held.
fn lost_by_move(event: &Event, field: &str, api: &str) -> Diagnostic {
    let words = Words {
        primary: event.at,
        label: "what it held is lost".to_owned(),
        message: format!(
            "`{field}` is assigned over in a move, and the handle that it held is not closed"
        ),
        help: format!("call `{api}({field})` first, or swap the two"),
    };
    words::diagnostic(&HandleOverwritten::META, event, words)
}
