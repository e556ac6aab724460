//! A Unix domain socket in a folder that only the agent can write to.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};

use crate::sources::history::{Platform, account_of_uid};

/// The folder: everybody may go in, nobody else may put anything there.
const FOLDER_MODE: u32 = 0o755;
/// The socket: whoever may write to it may connect.
const SOCKET_MODE: u32 = 0o666;
/// Write permission for anybody but the owner.
const OTHERS_WRITE: u32 = 0o022;

/// A connection that was accepted.
pub type Accepted = UnixStream;
/// A connection that was dialled.
pub type Dialled = UnixStream;

/// Listens for the extension's native hosts.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket's file.
    identity: (u64, u64),
}

/// Whose process is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    uid: u32,
}

impl Listener {
    /// Begins to listen. A socket that is left over from a crash is replaced, one on which somebody
    /// answers is not. Blocking, shortly.
    ///
    /// # Errors
    /// If others may write to the folder, somebody listens there, or the system refuses.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        check_folder(folder)?;
        remove_stale(path)?;
        let socket = UnixListener::bind(path)?;
        let metadata = fs::symlink_metadata(path)?;
        let identity = (metadata.dev(), metadata.ino());
        let listener = Self { socket, path: path.to_owned(), identity };
        fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
        Ok(listener)
    }

    /// The next connection, and whose it is.
    ///
    /// # Errors
    /// What the system says; the next call may succeed.
    pub async fn accept(&mut self) -> io::Result<(Accepted, Peer)> {
        loop {
            let (stream, _) = self.socket.accept().await?;
            // One that came and went at once may be nobody's any more.
            if let Ok(credentials) = stream.peer_cred() {
                return Ok((stream, Peer { uid: credentials.uid() }));
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let ours = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| ours(&metadata)) {
            // What cannot be removed, the next start replaces.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Peer {
    /// The account's name, as the history source gives it: visits of one person meet by it. Blocking.
    #[must_use]
    pub fn account(&self, root: &Path) -> String {
        account_of_uid(Platform::CURRENT, root, self.uid)
    }
}

/// Connects to the agent.
pub(super) async fn dial(path: &Path) -> io::Result<Dialled> {
    let stream = UnixStream::connect(path).await?;
    let listening = stream.peer_cred()?.uid();
    if listening != 0 && listening != geteuid().as_raw() {
        let message = "whoever listens there is neither the system nor this account";
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    Ok(stream)
}

/// Whoever else may write to the folder could put his own socket in our place.
fn check_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    let owner = metadata.uid();
    let owned = owner == 0 || owner == geteuid().as_raw();
    if !metadata.is_dir() || !owned || metadata.mode() & OTHERS_WRITE != 0 {
        let message =
            "its folder must be a folder of the agent's account, and nobody else may write to it";
        return Err(io::Error::new(ErrorKind::PermissionDenied, message));
    }
    Ok(())
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "it is there and is no socket"));
        }
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another agent answers there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/browser.sock");
        let listener = Listener::bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o755));
        let error = Listener::bind(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
        drop(listener);
        assert!(!path.exists(), "it cleans up");

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "what a crash leaves");
        let mut listener = Listener::bind(&path).unwrap();
        let (dialled, accepted) = tokio::join!(dial(&path), listener.accept());
        dialled.unwrap();
        assert_eq!(accepted.unwrap().1, Peer { uid: geteuid().as_raw() });
    }

    #[tokio::test]
    async fn what_is_no_socket_or_lies_where_others_write_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert_eq!(Listener::bind(&file).unwrap_err().kind(), ErrorKind::AlreadyExists);
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let error = Listener::bind(&open.join("browser.sock")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
    }
}
