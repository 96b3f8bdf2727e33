//! Names of pipes.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::ptr;

use windows_sys::Win32::Foundation::STATUS_SUCCESS;
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};

/// The text as the system takes it: UTF-16 with a terminator.
///
/// # Errors
/// `InvalidInput` if the text contains a NUL, which would cut it short.
pub(crate) fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = text.encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "NUL in a name"));
    }
    wide.push(0);
    Ok(wide)
}

/// A name that nobody has used and nobody can guess.
///
/// # Errors
/// The system gave no random numbers.
pub(crate) fn unpredictable() -> io::Result<String> {
    let mut random = [0_u8; 16];
    // SAFETY: the buffer has the length that is passed; no algorithm is needed with this flag.
    let status = unsafe {
        BCryptGenRandom(
            ptr::null_mut(),
            random.as_mut_ptr(),
            random.len() as u32,
            BCRYPT_USE_SYSTEM_PREFERRED_RNG,
        )
    };
    if status != STATUS_SUCCESS {
        return Err(io::Error::other("BCryptGenRandom failed"));
    }
    let random = u128::from_ne_bytes(random);
    Ok(format!(r"\\.\pipe\pipe-writer-{random:032x}"))
}
