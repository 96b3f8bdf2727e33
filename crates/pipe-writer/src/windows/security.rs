//! Who may open a pipe.

use std::ffi::{OsString, c_void};
use std::io;
use std::mem;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::slice;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::name::wide;

/// Memory that a function of the system allocated for the caller to free with `LocalFree`.
struct LocalMemory(*mut c_void);

impl Drop for LocalMemory {
    fn drop(&mut self) {
        // SAFETY: the memory came from a function that says so, and is freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// A security descriptor that gives the user of this process all access, and nobody else any.
pub(crate) struct OwnerOnly {
    descriptor: LocalMemory,
}

impl OwnerOnly {
    /// Makes the descriptor.
    ///
    /// # Errors
    /// The process's token could not be read, or the descriptor could not be made.
    pub(crate) fn new() -> io::Result<Self> {
        let user = current_user()?;
        // D:P is a list that inherits nothing; GA is all access:
        // https://learn.microsoft.com/windows/win32/secauthz/ace-strings
        let mut text = OsString::from("D:P(A;;GA;;;");
        text.push(user);
        text.push(")");
        let text = wide(&text)?;
        let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
        // SAFETY: the text is terminated; the size is not asked for.
        let converted = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        };
        if converted == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            descriptor: LocalMemory(descriptor),
        })
    }

    /// Attributes with this descriptor, for a handle that is not inherited. They must not be
    /// used after the drop of this value.
    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: mem::size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.descriptor.0,
            bInheritHandle: 0,
        }
    }
}

/// The security identifier of the user of this process, as text (`S-1-…`).
fn current_user() -> io::Result<OsString> {
    let mut token = ptr::null_mut();
    // SAFETY: the pseudo-handle of the process needs no close.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, and nobody else has this handle.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };

    // A TOKEN_USER and the longest identifier that there is (68 bytes), aligned for pointers.
    let mut information = [0_usize; 32];
    let mut length = 0;
    // SAFETY: the buffer has the size that is passed.
    let known = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            information.as_mut_ptr().cast(),
            mem::size_of_val(&information) as u32,
            &raw mut length,
        )
    };
    if known == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the buffer begins with a TOKEN_USER, and is aligned for it.
    let user = unsafe { &*information.as_ptr().cast::<TOKEN_USER>() };

    let mut text = ptr::null_mut();
    // SAFETY: the identifier lies in the buffer.
    if unsafe { ConvertSidToStringSidW(user.User.Sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let memory = LocalMemory(text.cast());
    // SAFETY: the text is terminated.
    let length = (0..)
        .take_while(|&at| unsafe { *text.add(at) } != 0)
        .count();
    // SAFETY: the text has that length, and lives until the end of this function.
    let user = OsString::from_wide(unsafe { slice::from_raw_parts(text, length) });
    drop(memory);
    Ok(user)
}
