//! Who may see the state folder and the files that a technician keeps beside it.
//!
//! | | Unix | Windows |
//! |---|---|---|
//! | made | mode 0700 | an access list for the system, administrators, and its maker if he is neither |
//! | refused | another owner; others may write | another owner; an entry for anybody else |

use std::fs;
use std::io;
use std::path::Path;

use super::StateError;

/// Makes a folder, with those above it, that only its owner may enter.
pub(super) fn make_private_dir(path: &Path) -> Result<(), StateError> {
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(StateError::NotAFolder(path.to_owned()))
        }
        other => other.map_err(|source| StateError::Io { path: path.to_owned(), source }),
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(windows)]
fn make(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above)?;
    }
    match redshank_windows::folder::make_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Refuses a folder that somebody else owns or may write to.
#[cfg(unix)]
pub(super) fn check_owner(path: &Path, metadata: &fs::Metadata) -> Result<(), StateError> {
    use std::os::unix::fs::MetadataExt as _;

    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(StateError::Owner { path: path.to_owned(), owner: metadata.uid(), user });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(StateError::Writable { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Refuses a folder that somebody else owns, or may use in any way.
#[cfg(windows)]
pub(super) fn check_owner(path: &Path, _metadata: &fs::Metadata) -> Result<(), StateError> {
    let stranger = redshank_windows::folder::stranger(path);
    match stranger.map_err(|source| StateError::Io { path: path.to_owned(), source })? {
        Some(account) => Err(StateError::Open { path: path.to_owned(), account }),
        None => Ok(()),
    }
}

/// Refuses a file that others may read.
pub(super) fn check_private(file: &Path) -> Result<(), StateError> {
    let way_out =
        is_private(file).map_err(|source| StateError::Io { path: file.into(), source })?;
    way_out.map_or(Ok(()), |way_out| {
        let message = format!("others may read this password; {way_out}");
        let source = io::Error::new(io::ErrorKind::PermissionDenied, message);
        Err(StateError::Io { path: file.to_owned(), source })
    })
}

/// What to do if it is not.
#[cfg(unix)]
fn is_private(file: &Path) -> io::Result<Option<&'static str>> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = fs::metadata(file)?.permissions().mode();
    Ok((mode & 0o077 != 0).then_some("run `chmod 600` on it"))
}

/// What to do if it is not.
#[cfg(windows)]
fn is_private(file: &Path) -> io::Result<Option<&'static str>> {
    let stranger = redshank_windows::folder::stranger(file)?;
    Ok(stranger.map(|_| "put it into the state folder, and run `icacls /reset` on it there"))
}
