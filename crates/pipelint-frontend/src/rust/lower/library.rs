//! What functions and methods of the libraries yield, where it matters to what follows.

use crate::rust::ty::Ty;

/// What a function of the libraries yields, where it matters.
pub(super) fn known_result(full: &str) -> Ty {
    if let Some(made) = made_buffer(full) {
        return made;
    }
    match full {
        "std::process::exit"
        | "std::process::abort"
        | "std::panic::panic_any"
        | "std::panic::resume_unwind"
        | "std::hint::unreachable_unchecked" => Ty::Never,
        "std::io::Error::last_os_error"
        | "std::io::Error::from_raw_os_error"
        | "std::io::Error::new"
        | "std::io::Error::other" => Ty::named("std::io::Error"),
        "std::fs::File::open" | "std::fs::File::create" | "std::fs::File::create_new" => {
            Ty::io_result(Ty::named("std::fs::File"))
        }
        "std::mem::size_of" | "std::mem::align_of" | "std::mem::size_of_val" => {
            Ty::Num("usize".into())
        }
        _ if full.starts_with("windows::") => {
            let last = &full["windows::".len()..];
            if yields_plainly(last) {
                Ty::Unknown
            } else if makes_handle(last) {
                Ty::Named("Result".into(), vec![Ty::named("HANDLE")])
            } else {
                Ty::Unknown
            }
        }
        // They all begin so: `MapViewOfFileEx`, `MapViewOfFile3`, `MapViewOfFileNuma2`.
        _ if plain_name(full).starts_with("MapViewOfFile") => {
            Ty::named("MEMORY_MAPPED_VIEW_ADDRESS")
        }
        _ if makes_handle(plain_name(full)) => Ty::named("HANDLE"),
        _ => Ty::Unknown,
    }
}

/// The strings and vectors that a constructor of the standard library or of `widestring` makes.
fn made_buffer(full: &str) -> Option<Ty> {
    let (of, made_by) = full.rsplit_once("::")?;
    let ty = || Ty::named(of);
    let plain = match of.rsplit("::").next()? {
        "Vec" | "String" | "OsString" | "PathBuf" => match made_by {
            "new" | "from" | "with_capacity" | "from_wide" | "from_raw_parts" | "from_iter" => true,
            "from_utf8" | "from_utf16" => false,
            _ => return None,
        },
        "CString" => match made_by {
            "from_vec_unchecked" | "from_raw" => true,
            "new" | "from_vec_with_nul" => false,
            _ => return None,
        },
        "U16CString" | "U32CString" | "WideCString" => match made_by {
            "from_raw" => true,
            _ if made_by.ends_with("_truncate") || made_by.ends_with("_unchecked") => true,
            "new" | "from_str" | "from_os_str" | "from_vec" | "from_chars" | "from_ustr" => false,
            _ => return None,
        },
        "U16String" | "U32String" | "WideString" => match made_by {
            "new" | "from_str" | "from_os_str" | "from_vec" | "from_chars" => true,
            _ => return None,
        },
        _ => return None,
    };
    Some(if plain {
        ty()
    } else {
        Ty::result(ty(), Ty::Unknown)
    })
}

/// Methods that yield the same memory, seen as another type.
pub(super) fn is_view(name: &str) -> bool {
    matches!(
        name,
        "as_slice"
            | "as_mut_slice"
            | "as_bytes"
            | "as_bytes_with_nul"
            | "as_str"
            | "as_mut_str"
            | "as_c_str"
            | "as_os_str"
            | "as_path"
            | "as_ucstr"
            | "as_ustr"
    )
}

fn plain_name(full: &str) -> &str {
    full.rsplit("::").next().unwrap_or(full)
}

/// Functions of the system that yield a handle.
fn makes_handle(name: &str) -> bool {
    let plain = name.trim_end_matches(['W', 'A']);
    matches!(
        plain,
        "CreateEvent"
            | "CreateEventEx"
            | "CreateMutex"
            | "CreateSemaphore"
            | "CreateFile"
            | "CreateNamedPipe"
            | "CreateThread"
            | "OpenProcess"
            | "OpenEvent"
            | "OpenThread"
            | "CreateFileMapping"
            | "CreateIoCompletionPort"
            | "GetStdHandle"
            | "GetCurrentProcess"
            | "GetCurrentThread"
            | "CreateWaitableTimer"
            | "CreateJobObject"
            | "CreateToolhelp32Snapshot"
            | "OpenMutex"
    )
}

/// Functions of the `windows` crate that cannot fail, and yield no `Result`.
pub(super) fn yields_plainly(name: &str) -> bool {
    matches!(
        name,
        "GetCurrentProcess"
            | "GetCurrentThread"
            | "GetLastError"
            | "GetCurrentProcessId"
            | "GetCurrentThreadId"
            | "WaitForSingleObject"
            | "WaitForMultipleObjects"
            | "WaitForSingleObjectEx"
            | "WaitForMultipleObjectsEx"
            | "Sleep"
            | "SetLastError"
    )
}

/// What a method of the libraries yields, where it matters.
pub(super) fn known_method(ty: &Ty, name: &str) -> Ty {
    match name {
        "into_raw_handle" | "as_raw_handle" => Ty::named("HANDLE"),
        "into_raw_fd" | "as_raw_fd" => Ty::Num("c_int".into()),
        "into_raw_socket" | "as_raw_socket" => Ty::named("SOCKET"),
        "as_handle" => Ty::named("std::os::windows::io::BorrowedHandle"),
        "as_fd" => Ty::named("std::os::fd::BorrowedFd"),
        "as_socket" => Ty::named("std::os::windows::io::BorrowedSocket"),
        "to_string" => Ty::named("String"),
        "to_vec" | "into_bytes" | "into_vec" => Ty::named("Vec"),
        "to_path_buf" => Ty::named("std::path::PathBuf"),
        "to_os_string" | "into_os_string" => Ty::named("std::ffi::OsString"),
        "to_owned" if *ty.referent() == Ty::Str => Ty::named("String"),
        "len" | "capacity" => Ty::Num("usize".into()),
        "to_le_bytes" | "to_be_bytes" | "to_ne_bytes" => {
            Ty::Array(Box::new(Ty::Num("u8".into())), None)
        }
        "raw_os_error" => Ty::option(Ty::Num("i32".into())),
        "try_clone" => Ty::io_result(ty.clone()),
        "clone"
            if ty.is_scalar()
                || crate::rust::holders::is_shared(ty.path().map_or("", |n| n.as_str())) =>
        {
            ty.clone()
        }
        _ => Ty::Unknown,
    }
}
