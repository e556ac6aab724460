//! A copy of the checkpoints beside the spool, for the day when the spool is damaged or gone.
//!
//! Checkpoints are committed with the events that they cover, in the same file. If that file is
//! lost, so are the events that waited in it; but a browser's history still holds what they were
//! made of. So the copy is taken only while nothing waits: a new spool that begins from it reads
//! again all that had not reached the collector, and a little that had. Duplicates, which fold into
//! one alert, rather than loss; without a copy the history is read again from the enrolment.
//!
//! Format: SHA-256 of the rest (32 bytes), then a [`Copy`] in protobuf encoding. Replaced as a
//! whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message as _;
use redshank_proto::token;

use crate::state::{StateError, read_bounded, write_atomically};

/// The file's name in the state folder.
pub(super) const FILE: &str = "spool.checkpoints";
/// How much of what has reached the collector may be read again: two flushes of the disk in so
/// long.
const EVERY: Duration = Duration::from_secs(600);
/// The most that is read: 64 users with 8 browsers of 8 profiles, 4 KiB each.
const BYTES: u64 = 16 * 1024 * 1024;
const HASH_BYTES: usize = 32;

/// What is kept.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Copy {
    /// Input and place.
    #[prost(btree_map = "string, bytes", tag = "1")]
    pub(super) checkpoints: BTreeMap<String, Vec<u8>>,
    /// Events given up since enrolment.
    #[prost(uint64, tag = "2")]
    pub(super) lost: u64,
    /// Events refused since enrolment.
    #[prost(uint64, tag = "3")]
    pub(super) dead_letters: u64,
}

/// Where the copy is, and when it was last taken.
pub(super) struct CopyFile {
    path: PathBuf,
    /// By the clock since boot.
    taken: Option<Duration>,
}

impl CopyFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join(FILE), taken: None }
    }

    /// Says whether there is one, sound or not: then there has been a spool.
    pub(super) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Reads it; `None` if there is none or it is damaged.
    pub(super) fn read(&self) -> Option<Copy> {
        let bytes = read_bounded(&self.path, BYTES).ok()??;
        let (hash, rest) = bytes.split_at_checked(HASH_BYTES)?;
        (token::sha256(rest) == hash).then(|| Copy::decode(rest).ok()).flatten()
    }

    /// Says whether a new one is due, at first and then once in a while, and takes it as begun.
    pub(super) fn begin(&mut self, since_boot: Duration) -> bool {
        let due = self.taken.is_none_or(|taken| since_boot.saturating_sub(taken) >= EVERY);
        if due {
            self.taken = Some(since_boot);
        }
        due
    }

    /// Writes a new one in place of the last.
    pub(super) fn write(&self, copy: &Copy) -> Result<(), StateError> {
        let rest = copy.encode_to_vec();
        write_atomically(&self.path, &[token::sha256(&rest).as_slice(), &rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_reads_back_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = CopyFile::new(folder.path());
        assert!(!file.exists());
        assert_eq!(file.read(), None);
        let copy = Copy {
            checkpoints: BTreeMap::from([("a".to_owned(), vec![1, 2])]),
            lost: 3,
            dead_letters: 4,
        };
        file.write(&copy).unwrap();
        assert_eq!(file.read(), Some(copy));

        let path = folder.path().join(FILE);
        let mut bytes = read_bounded(&path, BYTES).unwrap().unwrap();
        bytes[40] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(file.exists());
        assert_eq!(file.read(), None);
    }

    #[test]
    fn a_copy_is_due_at_first_and_then_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = CopyFile::new(folder.path());
        assert!(file.begin(Duration::from_secs(5)));
        assert!(!file.begin(Duration::from_secs(6)));
        assert!(file.begin(Duration::from_secs(5) + EVERY));
    }
}
