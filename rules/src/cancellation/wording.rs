//! Words that the rules on pending operations share.

use pipelint_analysis::IoEnd;

/// What happens to something that the kernel uses: `ov` as a person writes it.
pub(super) fn happens(end: &IoEnd, overlapped: &str) -> String {
    match end {
        IoEnd::Scope(name) if name.is_empty() => "its memory leaves scope".to_owned(),
        IoEnd::Scope(name) => format!("`{name}` leaves scope"),
        IoEnd::Freed(api, ..) => format!("`{api}` frees its memory"),
        IoEnd::Closed(api, _) => format!("`{api}` closes what it works on"),
        IoEnd::Started(api, _) => format!("`{api}` starts another operation with it"),
        IoEnd::Success => "the function reports success".to_owned(),
        IoEnd::Object if overlapped.is_empty() => "the object around it ends".to_owned(),
        IoEnd::Object => format!("the object that holds `{overlapped}` ends"),
    }
}

/// The wait that can be typed in.
pub(super) fn wait(overlapped: &str) -> String {
    let overlapped = match overlapped {
        "" => "overlapped",
        name => name.trim_start_matches('*'),
    };
    format!("GetOverlappedResult(handle, &{overlapped}, &transferred, TRUE)")
}
