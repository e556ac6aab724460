//! What can go wrong in the spool, and what the caller can do about it.

use std::path::{Path, PathBuf};

use redshank_proto::seal::SealError;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// Why the spool could not do what it was asked. Nothing that it had acknowledged is lost by any
/// of these.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk is full, and only what is as grave or graver is left to give up.
    #[error(
        "{}: the disk is full and the spool has nothing less grave to give up; free some space there",
        .0.display()
    )]
    Full(PathBuf),
    /// The file was damaged while it was open. The next [`Spool::open`](super::Spool::open) sets it
    /// aside and goes on with a new one, so the way out is to start the agent again.
    #[error("{}: the spool is damaged; start the agent again to set it aside", path.display())]
    Damaged {
        /// The spool's file.
        path: PathBuf,
        /// What SQLite saw.
        source: rusqlite::Error,
    },
    /// Another agent has it open.
    #[error("{}: another agent is using this spool; stop that one first", .0.display())]
    InUse(PathBuf),
    /// SQLite failed otherwise.
    #[error("{}: the spool cannot be read or written", path.display())]
    Database {
        /// The spool's file.
        path: PathBuf,
        /// What SQLite saw.
        source: rusqlite::Error,
    },
    /// The operating system failed.
    #[error("{}: cannot be {doing}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done to it, as a participle.
        doing: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A payload could not be sealed: the school's public key is none.
    #[error("the spool cannot seal to the school's key; enrol the device again")]
    Seal(#[from] SealError),
}

impl SpoolError {
    /// Says whether waiting and trying again can help without a restart.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Full(_) | Self::Database { .. } | Self::Io { .. } => true,
            Self::Damaged { .. } | Self::InUse(_) | Self::Seal(_) => false,
        }
    }

    pub(super) fn io(
        path: &Path,
        doing: &'static str,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, doing, source }
    }
}

/// A failure inside the spool, before the file's name is put to it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What a failure of SQLite means for the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Full,
    Damaged,
    InUse,
    Other,
}

impl Fault {
    /// Says what the failure means.
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Sqlite(error) => meaning(error),
            Self::Seal(_) => Meaning::Other,
        }
    }

    /// Puts the file's name to it.
    pub(super) fn at(self, path: &Path) -> SpoolError {
        let meaning = self.meaning();
        let path = path.to_owned();
        match self {
            Self::Seal(error) => SpoolError::Seal(error),
            Self::Sqlite(source) => match meaning {
                Meaning::Full => SpoolError::Full(path),
                Meaning::Damaged => SpoolError::Damaged { path, source },
                Meaning::InUse => SpoolError::InUse(path),
                Meaning::Other => SpoolError::Database { path, source },
            },
        }
    }
}

/// Sorts SQLite's result codes (<https://sqlite.org/rescode.html>). A disk that fills up shows as
/// `SQLITE_FULL` on a write, but as an I/O error when it is a flush or the growth of a file that
/// fails.
fn meaning(error: &rusqlite::Error) -> Meaning {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return Meaning::Other };
    match (failure.code, failure.extended_code) {
        (ErrorCode::DiskFull, _)
        | (
            _,
            ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_SHMSIZE
            | ffi::SQLITE_IOERR_TRUNCATE,
        ) => Meaning::Full,
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Meaning::Damaged,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Meaning::InUse,
        _ => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_that_matters_has_its_meaning() {
        for (code, expected) in [
            (ffi::SQLITE_FULL, Meaning::Full),
            (ffi::SQLITE_IOERR_WRITE, Meaning::Full),
            (ffi::SQLITE_IOERR_FSYNC, Meaning::Full),
            (ffi::SQLITE_CORRUPT, Meaning::Damaged),
            (ffi::SQLITE_CORRUPT_INDEX, Meaning::Damaged),
            (ffi::SQLITE_NOTADB, Meaning::Damaged),
            (ffi::SQLITE_BUSY, Meaning::InUse),
            (ffi::SQLITE_IOERR_READ, Meaning::Other),
            (ffi::SQLITE_CANTOPEN, Meaning::Other),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(meaning(&error), expected, "result code {code}");
        }
    }
}
