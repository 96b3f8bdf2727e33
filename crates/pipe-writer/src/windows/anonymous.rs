//! A pair of pipe ends without a public name.

use std::io;
use std::os::windows::io::OwnedHandle;
use std::time::Duration;

use super::client::connect;
use super::name::unpredictable;
use super::server::{Access, PipeServer};

/// Makes a pipe of which only this process has the ends: a reader for blocking reads, which
/// becomes a `File` by `File::from`, and the end for [`PipeWriter::new`](super::PipeWriter::new).
/// Neither is inherited by child processes.
///
/// `CreatePipe` makes handles without `FILE_FLAG_OVERLAPPED`, hence a named pipe with a name
/// that cannot be guessed:
/// <https://learn.microsoft.com/windows/win32/ipc/anonymous-pipe-operations>.
///
/// # Errors
/// The errors of [`PipeServer::bind`], [`connect`] and [`PipeServer::accept`].
pub fn anonymous_pipe() -> io::Result<(OwnedHandle, OwnedHandle)> {
    let name = unpredictable()?;
    let server = PipeServer::bind(&name, Access::Outbound)?;
    let reader = connect(&name, Access::Inbound, false, Duration::ZERO)?;
    let writer = server.accept(Duration::from_secs(1))?;
    Ok((reader, writer))
}
