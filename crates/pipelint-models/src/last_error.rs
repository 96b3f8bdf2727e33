//! What calls do with the error that is kept for each thread: the last error, or `errno`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::schema::{FunctionModel, Success};
use crate::slot::Slot;

/// What a call does with the thread's last error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorEffect {
    /// It sets the error where it fails, and where it succeeds nobody promises that it is kept.
    #[default]
    MayChange,
    /// It leaves the error alone: it cannot fail, or it is documented to.
    Keeps,
    /// It leaves `errno` alone, but the system's calls that it makes may change the last error (`free`).
    KeepsErrno,
    /// It tells the error (`GetLastError`).
    Reads,
    /// It sets it to what it is given (`SetLastError`).
    Sets,
    /// Where it succeeds it sets the error as well, to what is worth asking for
    /// (`CreateMutex`: ERROR_ALREADY_EXISTS), or its result alone does not tell whether it failed.
    AlsoOnSuccess,
}

/// Where the error of a call is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorStore {
    /// `GetLastError`.
    LastError,
    /// `errno`.
    Errno,
}

impl FunctionModel {
    /// Where the call may leave an error: what the vendor's manual that it stands in says of all its
    /// functions. None for a function of a library that has ways of its own.
    pub fn error_store(&self) -> Option<ErrorStore> {
        let of = |parts: &[&str]| parts.iter().any(|part| self.page.contains(part));
        if of(&["/windows/win32/", "/windows/console/", "/windows/desktop/"]) {
            Some(ErrorStore::LastError)
        } else if of(&["/c-runtime-library/", "man7.org/", "man.freebsd.org/"]) {
            Some(ErrorStore::Errno)
        } else {
            None
        }
    }

    /// Where it fails, the error is left for who asks; other functions return the code itself.
    pub fn leaves_error(&self) -> bool {
        let by_result = self.acquires.iter().any(|a| a.at == Slot::Result);
        match (self.success, self.error_store()) {
            (_, None) => false,
            // Sockets say with -1 that they failed, and `WSAGetLastError` says why.
            (Some(Success::Zero), Some(ErrorStore::LastError)) => self.page.contains("/winsock"),
            (Some(Success::Zero | Success::ZeroOrNegative), _) => false,
            (Some(Success::Nonnegative), Some(ErrorStore::LastError)) => false,
            (Some(_), _) => true,
            (None, _) => by_result || self.acquires.is_empty(),
        }
    }
}
