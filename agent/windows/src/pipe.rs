//! Named pipes of this machine: whose they are, who may open them, and who did.
//!
//! # What always holds
//! - The first instance is ours or there is none; further ones only the same account can make, for a
//!   client is granted everything but that ([`sddl::PIPE_CLIENT`]).
//! - A client lets the server see who it is and not act as it (`SECURITY_IDENTIFICATION`), and speaks
//!   with nobody but the system, an administrator or its own account.
//! - Who a client is, is the token with which it opened the pipe. A process id would not do: whoever has
//!   opened the pipe can pass it on and end, and another process gets the number.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, IntoRawHandle as _};
use std::path::Path;
use std::ptr::null_mut;

use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;
use windows_sys::Win32::Security::Authorization::{GetSecurityInfo, SE_KERNEL_OBJECT};
use windows_sys::Win32::Security::RevertToSelf;
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION};
use windows_sys::Win32::System::Pipes::ImpersonateNamedPipeClient;

use crate::local::{Descriptor, OWNER_AND_LIST, done, succeeded};
use crate::{account, sddl};

/// Makes an instance of a pipe; `first` says that there must be none yet.
///
/// # Errors
/// What Windows says: [`io::ErrorKind::PermissionDenied`] if somebody else serves this name.
pub fn serve(name: &Path, first: bool) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::of(&sddl::of_pipe(&account::of_this_process()?))?;
    let mut attributes = descriptor.attributes();
    let mut options = ServerOptions::new();
    options.first_pipe_instance(first).reject_remote_clients(true);
    // SAFETY: the attributes and the descriptor they name live beyond the call.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Opens a pipe as a client.
///
/// # Errors
/// What Windows says: [`io::ErrorKind::ResourceBusy`] if all its instances are in use,
/// [`io::ErrorKind::PermissionDenied`] if whoever serves it is neither the system, nor an
/// administrator, nor this process's own account.
pub fn open(name: &Path) -> io::Result<NamedPipeClient> {
    let file = OpenOptions::new()
        .access_mode(sddl::PIPE_CLIENT)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        .security_qos_flags(SECURITY_IDENTIFICATION)
        .open(name)
        .map_err(busy)?;
    let mut descriptor = null_mut();
    // SAFETY: the handle is open; the descriptor is ours to free, below.
    let code = unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_KERNEL_OBJECT,
            OWNER_AND_LIST,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    succeeded(code)?;
    let text = Descriptor::given(descriptor).to_text()?;
    if !sddl::is_owned_by(&text, &account::of_this_process()?) {
        let message = "whoever serves it is neither the system nor this account";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // SAFETY: the handle is of a pipe, opened for overlapped use, and no longer the file's.
    unsafe { NamedPipeClient::from_raw_handle(file.into_raw_handle()) }
}

/// Names an error that the standard library leaves without a name.
fn busy(error: io::Error) -> io::Error {
    match error.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_PIPE_BUSY) => io::ErrorKind::ResourceBusy.into(),
        _ => error,
    }
}

/// The security identifier of the client's account. Windows can tell only once something that the client
/// wrote has been read.
///
/// # Errors
/// What Windows says, as for a client that does not let itself be seen.
pub fn client(pipe: &NamedPipeServer) -> io::Result<String> {
    let acting = ActingAsClient::begin(pipe)?;
    let identifier = account::of_impersonation();
    drop(acting);
    identifier
}

/// For as long as this lives, the thread has the client's rights instead of its own.
struct ActingAsClient;

impl ActingAsClient {
    fn begin(pipe: &NamedPipeServer) -> io::Result<Self> {
        // SAFETY: the handle is open.
        done(unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) })?;
        Ok(Self)
    }
}

impl Drop for ActingAsClient {
    fn drop(&mut self) {
        // SAFETY: takes nothing, and gives the thread its own rights again.
        let reverted = unsafe { RevertToSelf() };
        if reverted == 0 {
            // To go on as somebody else would be worse than to end (Microsoft Learn, RevertToSelf).
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_client_is_known_once_it_has_spoken() {
        let name = unique("known");
        let mut server = serve(&name, true).unwrap();
        let mut client_end = open(&name).unwrap();
        server.connect().await.unwrap();
        client_end.write_all(b"x").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'x');
        assert_eq!(client(&server).unwrap(), account::of_this_process().unwrap());
        server.write_all(b"y").await.unwrap();
        assert_eq!(client_end.read_u8().await.unwrap(), b'y');
    }

    #[tokio::test]
    async fn the_first_instance_is_the_only_first() {
        let name = unique("first");
        let _server = serve(&name, true).unwrap();
        let error = serve(&name, true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        serve(&name, false).unwrap();
    }

    #[tokio::test]
    async fn a_pipe_whose_instances_are_all_in_use_is_busy() {
        let name = unique("busy");
        let _server = serve(&name, true).unwrap();
        let _client = open(&name).unwrap();
        let error = open(&name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
    }

    #[tokio::test]
    async fn nobody_answers_where_nobody_serves() {
        let error = open(&unique("nobody")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    }

    fn unique(name: &str) -> PathBuf {
        format!(r"\\.\pipe\redshank-test-{name}-{}", std::process::id()).into()
    }
}
