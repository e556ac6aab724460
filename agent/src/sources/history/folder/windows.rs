//! A folder held by its path: each step below the base is looked at for a reparse point (a link, a
//! junction, a mount point) before it is taken, and what was opened is looked at again.
//!
//! Files are opened with Rust's default sharing (read, write and delete), so that the browser never
//! meets a lock of ours. Owners are not compared here (see the source's header).

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::{Owner, Refusal, Stamp, check_size};

/// `FILE_ATTRIBUTE_REPARSE_POINT` (Windows SDK, winnt.h).
const REPARSE_POINT: u32 = 0x400;
/// `FILE_FLAG_OPEN_REPARSE_POINT` (Windows SDK, winbase.h): opens a link itself, not what it names.
const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
/// Seconds from 1601, where Windows counts from, to 1970.
const SECONDS_TO_1970: i64 = 11_644_473_600;

/// A folder that was reached without a reparse point below its base.
#[derive(Debug)]
pub(in super::super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens `below`, a relative path without `..`, under `base`, whose own path is trusted.
    ///
    /// # Errors
    /// [`Refusal::Link`] for a link on the way below the base; [`Refusal::NotRegular`] for what is no folder.
    pub(in super::super) fn open(base: &Path, below: &Path) -> Result<Self, Refusal> {
        let mut path = base.to_owned();
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
        Ok(Self { path })
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
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(metadata) => judge(&metadata).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refusal(&error)),
        }
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
        if self.stamp(name, owner)?.is_none() {
            return Ok(None);
        }
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OPEN_REPARSE_POINT)
            .open(self.path.join(name));
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refusal(&error)),
        };
        let stamp = judge(&file.metadata().map_err(|error| refusal(&error))?)?;
        Ok(Some((file, stamp)))
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

fn judge(metadata: &Metadata) -> Result<Stamp, Refusal> {
    if is_reparse_point(metadata) {
        return Err(Refusal::Link);
    }
    if !metadata.is_file() {
        return Err(Refusal::NotRegular);
    }
    check_size(metadata.file_size(), None)?;
    Ok(Stamp {
        identity: (0, metadata.creation_time()),
        bytes: metadata.file_size(),
        changed: changed(metadata.last_write_time()),
    })
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
