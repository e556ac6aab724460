//! Files of the state folder: written whole or not at all, read up to a bound.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::StateError;

/// Puts `bytes` in place of the file at `path`, durable before it returns; mode 0600 on Unix.
///
/// # Errors
/// [`StateError::Io`]; the file that was there then still stands.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut beside = NamedTempFile::new_in(folder)?;
        beside.write_all(bytes)?;
        beside.as_file().sync_all()?;
        beside.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    };
    write().map_err(|source| StateError::Io { path: path.to_owned(), source })
}

/// Reads a file of at most `bound` bytes; `None` if there is none.
///
/// # Errors
/// [`StateError::Io`], also for a file past the bound.
pub fn read_bounded(path: &Path, bound: u64) -> Result<Option<Vec<u8>>, StateError> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let mut bytes = Vec::new();
        file.take(bound.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bound {
            let message = format!("the file is longer than {bound} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Some(bytes))
    };
    read().map_err(|source| StateError::Io { path: path.to_owned(), source })
}

/// Makes a rename in a folder durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// NTFS journals renames by itself, and Windows opens no folder as a file.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
