//! Opening what lies in a folder that a pupil controls.
//!
//! From a trusted base downwards every step is taken by descriptor and without following a link, so
//! that swapping a folder for a link while the agent walks gains nothing. A file is opened only after
//! its type was seen, without blocking on a FIFO, and what was opened is checked again: regular, the
//! owner's, of bounded size, and not sparse. The same names and sizes are what a [`Stamp`] compares to
//! tell whether a file changed.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::io::ErrorKind;

#[cfg(unix)]
pub(super) use unix::Folder;
#[cfg(windows)]
pub(super) use windows::Folder;

use super::profiles::Platform;

/// Bytes of one file that are copied. Years of history take some 150 MB.
pub(super) const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// A file below this size is never called sparse: a file system allocates as it likes there.
const SPARSE_FROM: u64 = 16 * 1024 * 1024;
/// Apparent bytes for one allocated byte from which a file is sparse. A compressing file system makes
/// some four of a history database; a hole makes thousands.
const SPARSE_RATIO: u64 = 16;

/// Why something in a profile is not read. Says nothing of its content or its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is not there")]
    Missing,
    #[error("it, or a folder on the way to it, is a symbolic link, which is not followed")]
    Link,
    #[error("it is not a regular file")]
    NotRegular,
    #[cfg(unix)]
    #[error("it belongs to another account than its profile")]
    ForeignOwner,
    #[error("it is larger than {} MiB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("it is a sparse file, which no browser makes")]
    Sparse,
    #[error("the operating system refused to open it ({kind}){way_out}", kind = .0, way_out = way_out(Platform::CURRENT, *.0))]
    Unreadable(ErrorKind),
}

/// What to do about a refusal of the operating system, where there is something.
fn way_out(platform: Platform, kind: ErrorKind) -> &'static str {
    match (platform, kind) {
        // macOS lets nobody read Safari's folder, root included, whom its owner has not let ("Transparency,
        // Consent, and Control"; a device management profile can: PrivacyPreferencesPolicyControl).
        (Platform::MacOs, ErrorKind::PermissionDenied) => {
            "; give redshank-agent Full Disk Access in System Settings, Privacy & Security, or by a \
             profile of your device management"
        }
        _ => "",
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Device and inode; zero where the platform gives none.
    pub(super) identity: (u64, u64),
    pub(super) bytes: u64,
    /// The later of modification and status change, in nanoseconds since 1970; saturates in 2262.
    pub(super) changed: i64,
}

/// Who must own a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(Option<u32>);

impl Owner {
    /// Anybody: for a file that the operator of the agent has named himself.
    pub(super) const ANYBODY: Self = Self(None);

    /// The account with this number.
    #[cfg_attr(windows, expect(unused_variables, reason = "Windows has no numbers for accounts"))]
    pub(super) fn from_uid(uid: u32) -> Self {
        #[cfg(unix)]
        return Self(Some(uid));
        #[cfg(windows)]
        return Self(None);
    }

    /// The owner of a folder that is trusted as a path; `None` if it is not there.
    pub(super) fn of(folder: &std::path::Path) -> Option<Self> {
        let metadata = std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir)?;
        #[cfg(unix)]
        return Some(Self(Some(std::os::unix::fs::MetadataExt::uid(&metadata))));
        #[cfg(windows)]
        return Some(metadata).map(|_| Self(None));
    }

    /// Whether it tells one account from another.
    pub(super) fn is_known(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn is_administrator(self) -> bool {
        self.0 == Some(0)
    }

    #[cfg(unix)]
    fn may_be(self, uid: u32) -> bool {
        self.0.is_none_or(|owner| owner == uid)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(uid) => write!(f, "uid {uid}"),
            None => f.write_str("unknown"),
        }
    }
}

/// Judges the size of a regular file.
fn check_size(bytes: u64, allocated: Option<u64>) -> Result<(), Refusal> {
    if bytes > MOST_BYTES {
        return Err(Refusal::TooLarge);
    }
    match allocated {
        Some(allocated) if bytes >= SPARSE_FROM && allocated < bytes / SPARSE_RATIO => {
            Err(Refusal::Sparse)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_macos_says_what_to_do_and_none_says_what_does_not_help() {
        let told = way_out(Platform::MacOs, ErrorKind::PermissionDenied);
        assert!(told.contains("Full Disk Access"), "{told}");
        assert_eq!(way_out(Platform::MacOs, ErrorKind::NotADirectory), "");
        assert_eq!(way_out(Platform::Linux, ErrorKind::PermissionDenied), "");
        let told = Refusal::Unreadable(ErrorKind::PermissionDenied).to_string();
        assert!(told.starts_with("the operating system refused to open it (permission denied)"));
    }

    #[test]
    fn sizes_are_judged() {
        const MIB: u64 = 1024 * 1024;
        for (bytes, allocated, verdict) in [
            (0, Some(0), Ok(())),
            (MIB, Some(0), Ok(())),
            (100 * MIB, Some(100 * MIB), Ok(())),
            (100 * MIB, Some(25 * MIB), Ok(())),
            (100 * MIB, Some(4096), Err(Refusal::Sparse)),
            (100 * MIB, None, Ok(())),
            (MOST_BYTES, Some(MOST_BYTES), Ok(())),
            (MOST_BYTES + 1, Some(MOST_BYTES + 1), Err(Refusal::TooLarge)),
            (4096 * MIB, Some(0), Err(Refusal::TooLarge)),
        ] {
            assert_eq!(check_size(bytes, allocated), verdict, "{bytes} {allocated:?}");
        }
    }
}
