//! Space kept in reserve, so that the spool can still make room once the disk is full.
//!
//! SQLite must write before it can delete: a deletion goes to the write-ahead log first. The
//! ballast is a file of bytes that mean nothing; it is given up when the disk is full and taken
//! again later.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redshank_proto::clock::Randomness;

/// The file's name in the state folder.
pub(super) const FILE: &str = "spool.ballast";
/// How long after a full disk the ballast is asked for again: a disk stays full for hours, and a
/// try costs the writing of the whole file.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// Random bytes that the file repeats, so that a file system that compresses keeps the space all
/// the same.
const BLOCK: usize = 64 * 1024;

pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    held: bool,
    /// By the clock since boot.
    not_before: Duration,
}

impl Ballast {
    /// Takes the space, if the disk has it.
    pub(super) fn take(folder: &Path, bytes: u64, randomness: &dyn Randomness) -> Self {
        let path = folder.join(FILE);
        let held = fs::symlink_metadata(&path).is_ok_and(|it| it.is_file() && it.len() == bytes);
        let mut ballast = Self { path, bytes, held, not_before: Duration::ZERO };
        ballast.restore(Duration::ZERO, randomness);
        ballast
    }

    /// Gives the space up; says whether there was any.
    pub(super) fn release(&mut self, since_boot: Duration) -> bool {
        self.not_before = since_boot.saturating_add(RETRY_AFTER);
        std::mem::take(&mut self.held) && fs::remove_file(&self.path).is_ok()
    }

    /// Says whether the space is taken.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Takes the space again, some time after it was given up.
    pub(super) fn restore(&mut self, since_boot: Duration, randomness: &dyn Randomness) {
        if self.held || since_boot < self.not_before {
            return;
        }
        self.held = self.write(randomness).is_ok();
        if !self.held {
            // A ballast that is only half there would take the space without being counted on.
            // Where even its removal fails, the next try removes it.
            let _ = fs::remove_file(&self.path);
            self.not_before = since_boot.saturating_add(RETRY_AFTER);
        }
    }

    fn write(&self, randomness: &dyn Randomness) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        randomness.fill(&mut block);
        let mut left = self.bytes;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::File::create_new(&self.path)?;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            file.write_all(&block[..length])?;
            left -= length as u64;
        }
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    #[test]
    fn the_ballast_is_taken_given_up_once_and_taken_again_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let size = || fs::metadata(folder.path().join(FILE)).map(|it| it.len()).ok();
        let mut ballast = Ballast::take(folder.path(), 100_000, &System);
        assert_eq!(size(), Some(100_000));

        let now = Duration::from_secs(5_000);
        assert!(ballast.release(now));
        assert!(!ballast.release(now));
        assert_eq!(size(), None);

        ballast.restore(now, &System);
        assert_eq!(size(), None);
        ballast.restore(now + RETRY_AFTER, &System);
        assert_eq!(size(), Some(100_000));
    }

    #[test]
    fn without_the_space_there_is_no_ballast_and_no_harm() {
        let mut ballast = Ballast::take(Path::new("/nonexistent"), 10, &System);
        assert!(!ballast.release(Duration::ZERO));
    }
}
