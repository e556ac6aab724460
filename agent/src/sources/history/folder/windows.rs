//! A folder held by its path: each step below the base is looked at for a reparse point (a link, a
//! junction, a mount point) before it is taken. Whoever swaps a folder for a junction after that look
//! gains nothing: Windows is asked where an opened file really lies, and anywhere else it is refused.
//!
//! Files are opened with Rust's default sharing (read, write and delete), so that the browser never
//! meets a lock of ours. Owners are not compared here (see the source's header).

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::{Owner, Refusal, Stamp, check_size};

/// `FILE_READ_ATTRIBUTES` (Windows SDK, winnt.h): all that a look at a file needs.
const READ_ATTRIBUTES: u32 = 0x80;
/// `FILE_ATTRIBUTE_DIRECTORY` (Windows SDK, winnt.h).
const DIRECTORY: u32 = 0x10;

/// `FILE_ATTRIBUTE_REPARSE_POINT` (Windows SDK, winnt.h).
const REPARSE_POINT: u32 = 0x400;
/// `FILE_FLAG_OPEN_REPARSE_POINT` (Windows SDK, winbase.h): opens a link itself, not what it names.
const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
/// `FILE_FLAG_BACKUP_SEMANTICS` (Windows SDK, winbase.h): opens a folder, too.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// Seconds from 1601, where Windows counts from, to 1970.
const SECONDS_TO_1970: i64 = 11_644_473_600;

/// A folder that was reached without a reparse point below its base.
#[derive(Debug)]
pub(in super::super) struct Folder {
    path: PathBuf,
    /// Where Windows says that it lies.
    real: PathBuf,
}

impl Folder {
    /// Opens `below`, a relative path without `..`, under `base`, whose own path is trusted.
    ///
    /// # Errors
    /// [`Refusal::Link`] for a link on the way below the base; [`Refusal::NotRegular`] for what is no folder.
    pub(in super::super) fn open(base: &Path, below: &Path) -> Result<Self, Refusal> {
        let mut path = base.to_owned();
        let real = fs::canonicalize(&path).map_err(|error| refusal(&error))?.join(below);
        if !fs::metadata(&path).map_err(|error| refusal(&error))?.is_dir() {
            return Err(Refusal::NotRegular);
        }
        for part in below.components() {
            let Component::Normal(name) = part else { return Err(Refusal::Link) };
            path.push(name);
            let metadata = fs::symlink_metadata(&path).map_err(|error| refusal(&error))?;
            if is_reparse_point(&metadata) {
                return Err(Refusal::Link);
            }
            if !metadata.is_dir() {
                return Err(Refusal::NotRegular);
            }
        }
        Ok(Self { path, real })
    }

    /// Whether there is anything by this name, of whatever type.
    pub(in super::super) fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(name)).is_ok()
    }

    /// The state of the file `name`; `None` if it is not there.
    ///
    /// # Errors
    /// A [`Refusal`] if it is not a file that may be read.
    pub(in super::super) fn stamp(
        &self,
        name: &str,
        _owner: Owner,
    ) -> Result<Option<Stamp>, Refusal> {
        let flags = OPEN_REPARSE_POINT | BACKUP_SEMANTICS;
        let opened =
            self.open_file(name, OpenOptions::new().access_mode(READ_ATTRIBUTES), flags)?;
        opened.map(|file| self.judge(name, &file)).transpose()
    }

    /// Opens the file `name` for reading; `None` if it is not there.
    ///
    /// # Errors
    /// A [`Refusal`] if it is not a file that may be read.
    pub(in super::super) fn file(
        &self,
        name: &str,
        owner: Owner,
    ) -> Result<Option<(File, Stamp)>, Refusal> {
        // Its type is seen before it is opened for reading: that alone may do something to a device.
        if self.stamp(name, owner)?.is_none() {
            return Ok(None);
        }
        let opened = self.open_file(name, OpenOptions::new().read(true), OPEN_REPARSE_POINT)?;
        opened.map(|file| self.judge(name, &file).map(|stamp| (file, stamp))).transpose()
    }

    fn open_file(
        &self,
        name: &str,
        options: &mut OpenOptions,
        flags: u32,
    ) -> Result<Option<File>, Refusal> {
        match options.custom_flags(flags).open(self.path.join(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refusal(&error)),
        }
    }

    /// Judges a file that was opened as `name`.
    fn judge(&self, name: &str, file: &File) -> Result<Stamp, Refusal> {
        let found = winapi_util::file::information(file).map_err(|error| refusal(&error))?;
        let has = |attribute: u32| found.file_attributes() & u64::from(attribute) != 0;
        if has(REPARSE_POINT) {
            return Err(Refusal::Link);
        }
        if has(DIRECTORY) {
            return Err(Refusal::NotRegular);
        }
        let lies_at = redshank_windows::folder::path_of(file).map_err(|error| refusal(&error))?;
        if !is_same(&lies_at, &self.real.join(name)) {
            return Err(Refusal::Link);
        }
        check_size(found.file_size(), None)?;
        Ok(Stamp {
            identity: (found.volume_serial_number(), found.file_index()),
            bytes: found.file_size(),
            changed: changed(found.last_write_time().unwrap_or(0)),
        })
    }

    /// Names of the folders in this one, among its first `most` entries, and whether there were more.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] if it cannot be listed.
    pub(in super::super) fn folders(&self, most: usize) -> Result<(Vec<OsString>, bool), Refusal> {
        let mut names = Vec::new();
        for (seen, entry) in fs::read_dir(&self.path).map_err(|error| refusal(&error))?.enumerate()
        {
            if seen == most {
                return Ok((names, true));
            }
            let entry = entry.map_err(|error| refusal(&error))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(entry.file_name());
            }
        }
        names.sort();
        Ok((names, false))
    }
}

fn is_reparse_point(metadata: &Metadata) -> bool {
    metadata.file_attributes() & REPARSE_POINT != 0
}

/// Whether two paths are the same but for the case of their letters, which Windows keeps and ignores.
fn is_same(one: &Path, other: &Path) -> bool {
    one.to_string_lossy().to_lowercase() == other.to_string_lossy().to_lowercase()
}

/// Turns 100 ns since 1601 into nanoseconds since 1970.
fn changed(ticks: u64) -> i64 {
    let ticks = i64::try_from(ticks).unwrap_or(i64::MAX) - SECONDS_TO_1970 * 10_000_000;
    ticks.saturating_mul(100)
}

fn refusal(error: &std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound => Refusal::Missing,
        kind => Refusal::Unreadable(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_while_it_stays_and_another_when_it_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("profile/History");
        fs::create_dir(root.path().join("profile")).unwrap();
        fs::write(&file, b"one").unwrap();
        let folder = Folder::open(root.path(), Path::new("profile")).unwrap();
        let first = folder.stamp("History", Owner::ANYBODY).unwrap().unwrap();
        assert_eq!(first.bytes, 3);
        let (opened, stamp) = folder.file("History", Owner::ANYBODY).unwrap().unwrap();
        assert_eq!(stamp, first);
        // Kept aside, so that the system does not give its place on the disk to the next.
        fs::rename(&file, root.path().join("aside")).unwrap();
        fs::write(&file, b"two").unwrap();
        let second = folder.stamp("History", Owner::ANYBODY).unwrap().unwrap();
        assert_ne!(second.identity, first.identity);
        drop(opened);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("History")).unwrap();
        fs::write(root.path().join("file"), b"x").unwrap();
        let folder = Folder::open(root.path(), Path::new("")).unwrap();
        assert_eq!(folder.stamp("History", Owner::ANYBODY), Err(Refusal::NotRegular));
        assert_eq!(folder.stamp("missing", Owner::ANYBODY), Ok(None));
        assert!(folder.file("missing", Owner::ANYBODY).unwrap().is_none());
        let below = Folder::open(root.path(), Path::new("file")).err();
        assert_eq!(below, Some(Refusal::NotRegular));
        let up = Folder::open(root.path(), Path::new("../up")).err();
        assert_eq!(up, Some(Refusal::Link));
    }

    /// A folder that was swapped for a junction after the look at it is, to who opens a file by its path,
    /// a file that lies elsewhere.
    #[test]
    fn a_file_that_lies_elsewhere_is_refused() {
        let root = tempfile::tempdir().unwrap();
        for account in ["amy", "bob"] {
            fs::create_dir(root.path().join(account)).unwrap();
            fs::write(root.path().join(account).join("History"), b"x").unwrap();
        }
        let mut folder = Folder::open(root.path(), Path::new("amy")).unwrap();
        assert!(folder.stamp("history", Owner::ANYBODY).is_ok(), "case does not matter");
        folder.path = root.path().join("bob");
        assert_eq!(folder.stamp("History", Owner::ANYBODY), Err(Refusal::Link));
        assert_eq!(folder.file("History", Owner::ANYBODY).err(), Some(Refusal::Link));
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(changed(116_444_736_000_000_000), 0);
        assert_eq!(changed(116_444_736_000_000_001), 100);
        assert_eq!(changed(0), i64::MIN, "saturates");
    }
}
