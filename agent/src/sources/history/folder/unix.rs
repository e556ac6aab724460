//! A folder held by its descriptor: names below it are resolved by the kernel, one at a time.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::{Owner, Refusal, Stamp, check_size};

/// A folder that was reached without following a link below its base.
#[derive(Debug)]
pub(in super::super) struct Folder {
    descriptor: OwnedFd,
}

impl Folder {
    /// Opens `below`, a relative path without `..`, under `base`, whose own path is trusted.
    ///
    /// # Errors
    /// [`Refusal::Link`] for a link on the way below the base; [`Refusal::NotRegular`] for what is no folder.
    pub(in super::super) fn open(base: &Path, below: &Path) -> Result<Self, Refusal> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut descriptor = openat(CWD, base, flags, Mode::empty()).map_err(refusal)?;
        for part in below.components() {
            let Component::Normal(name) = part else { return Err(Refusal::Link) };
            descriptor = openat(&descriptor, name, flags | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|errno| step_refusal(&descriptor, name, errno))?;
        }
        Ok(Self { descriptor })
    }

    /// Whether there is anything by this name, of whatever type.
    pub(in super::super) fn has(&self, name: &str) -> bool {
        statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The state of the file `name`; `None` if it is not there.
    ///
    /// # Errors
    /// A [`Refusal`] if it is not a file that may be read.
    pub(in super::super) fn stamp(
        &self,
        name: &str,
        owner: Owner,
    ) -> Result<Option<Stamp>, Refusal> {
        match statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => judge(&stat, owner).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refusal(errno)),
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
        // Its type is seen before it is opened, for opening alone may do something to a device.
        if self.stamp(name, owner)?.is_none() {
            return Ok(None);
        }
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let descriptor = match openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(step_refusal(&self.descriptor, OsStr::new(name), errno)),
        };
        let stamp = judge(&fstat(&descriptor).map_err(refusal)?, owner)?;
        Ok(Some((File::from(descriptor), stamp)))
    }

    /// Names of the folders in this one, among its first `most` entries, and whether there were more.
    ///
    /// # Errors
    /// [`Refusal::Unreadable`] if it cannot be listed.
    pub(in super::super) fn folders(&self, most: usize) -> Result<(Vec<OsString>, bool), Refusal> {
        let mut names = Vec::new();
        let mut seen = 0;
        for entry in Dir::read_from(&self.descriptor).map_err(refusal)? {
            let entry = entry.map_err(refusal)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if seen == most {
                return Ok((names, true));
            }
            seen += 1;
            let is_folder = match entry.file_type() {
                FileType::Directory => true,
                FileType::Unknown => {
                    statat(&self.descriptor, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)
                        .is_ok_and(|stat| file_type(&stat) == FileType::Directory)
                }
                _ => false,
            };
            if is_folder {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        names.sort();
        Ok((names, false))
    }
}

#[expect(clippy::useless_conversion, reason = "the fields' types differ between Unix systems")]
fn judge(stat: &Stat, owner: Owner) -> Result<Stamp, Refusal> {
    match file_type(stat) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(Refusal::Link),
        _ => return Err(Refusal::NotRegular),
    }
    if !owner.may_be(stat.st_uid) {
        return Err(Refusal::ForeignOwner);
    }
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    let allocated = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    check_size(bytes, Some(allocated))?;
    let nanoseconds = |seconds: i64, fraction: u64| {
        let fraction = i64::try_from(fraction).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(fraction)
    };
    let modified =
        nanoseconds(stat.st_mtime.into(), u64::try_from(stat.st_mtime_nsec).unwrap_or(0));
    let altered = nanoseconds(stat.st_ctime.into(), u64::try_from(stat.st_ctime_nsec).unwrap_or(0));
    Ok(Stamp {
        identity: (u64::try_from(stat.st_dev).unwrap_or(0), stat.st_ino),
        bytes,
        changed: modified.max(altered),
    })
}

fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What an error on one step means: a link gives `ELOOP` or `ENOTDIR`, as the system likes.
fn step_refusal(parent: &OwnedFd, name: &OsStr, errno: Errno) -> Refusal {
    if matches!(errno, Errno::LOOP | Errno::NOTDIR) {
        return match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if file_type(&stat) == FileType::Symlink => Refusal::Link,
            _ => Refusal::NotRegular,
        };
    }
    refusal(errno)
}

fn refusal(errno: Errno) -> Refusal {
    match errno {
        Errno::NOENT => Refusal::Missing,
        Errno::LOOP => Refusal::Link,
        Errno::NOTDIR => Refusal::NotRegular,
        errno => Refusal::Unreadable(errno.kind()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_link_anywhere_below_the_base_is_refused_and_above_it_is_not() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("home/amy/real/profile")).unwrap();
        symlink("real", root.path().join("home/amy/linked")).unwrap();
        symlink(root.path().join("home"), root.path().join("homes")).unwrap();
        let base = root.path().join("homes/amy");

        assert!(Folder::open(&base, Path::new("real/profile")).is_ok());
        assert_eq!(open(&base, "linked/profile"), Some(Refusal::Link));
        assert_eq!(open(&base, "linked"), Some(Refusal::Link));
        assert_eq!(open(&base, "real/../real"), Some(Refusal::Link));
        assert_eq!(open(&base, "missing"), Some(Refusal::Missing));
    }

    #[test]
    fn only_a_regular_file_of_the_owner_is_opened_and_nothing_blocks() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("regular"), b"x").unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink("regular", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        #[cfg(not(target_os = "macos"))]
        rustix::fs::mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        // rustix makes no FIFO on macOS; a socket is no regular file either.
        #[cfg(target_os = "macos")]
        std::os::unix::net::UnixListener::bind(at("fifo")).unwrap();
        fs::File::create(at("sparse")).unwrap().set_len(64 * 1024 * 1024).unwrap();
        fs::File::create(at("huge")).unwrap().set_len(4 * 1024 * 1024 * 1024).unwrap();
        let uid = fs::metadata(root.path()).unwrap().uid();
        let owner = Owner::from_uid(uid);

        let (done, finished) = std::sync::mpsc::sync_channel(1);
        let path = root.path().to_owned();
        std::thread::spawn(move || {
            let folder = Folder::open(&path, Path::new("")).unwrap();
            for (name, expected) in [
                ("regular", None),
                ("folder", Some(Refusal::NotRegular)),
                ("link", Some(Refusal::Link)),
                ("dangling", Some(Refusal::Link)),
                ("fifo", Some(Refusal::NotRegular)),
                ("sparse", Some(Refusal::Sparse)),
                ("huge", Some(Refusal::TooLarge)),
            ] {
                assert_eq!(folder.file(name, owner).err(), expected, "{name}");
            }
            assert!(folder.file("missing", owner).unwrap().is_none());
            let stranger = Owner::from_uid(uid + 1);
            assert_eq!(folder.file("regular", stranger).err(), Some(Refusal::ForeignOwner));
            done.send(()).unwrap();
        });
        finished.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn listing_is_bounded_and_leaves_links_out() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        symlink("a", root.path().join("link")).unwrap();
        let folder = Folder::open(root.path(), Path::new("")).unwrap();
        assert_eq!(folder.folders(10).unwrap(), (vec!["a".into(), "b".into(), "c".into()], false));
        assert!(folder.folders(2).unwrap().1);
    }

    fn open(base: &Path, below: &str) -> Option<Refusal> {
        Folder::open(base, Path::new(below)).err()
    }
}
