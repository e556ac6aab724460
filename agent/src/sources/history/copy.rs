//! A private, settled copy of a history database with its write-ahead log or rollback journal.
//!
//! The three files cannot be copied in one moment. A copy is settled if it is as if they had been:
//! - the database and the rollback journal look the same after the copy as before it, and were not
//!   changed within the last [`YOUNG`], so that the file system's coarse clock cannot hide a change;
//! - the write-ahead log is the same file and has not shrunk: it may have grown, for each of its
//!   transactions counts only when complete, and SQLite checks every frame.
//!
//! A copy that was caught in mid-write is made again, a few times; the caller tries later if the
//! browser does not stop writing. A copy taken between a transaction's journal and its end is settled
//! too: SQLite rolls it back in the copy, as it would after a crash.
//!
//! # Formats
//! A rollback journal can end in the name of a *super-journal* (SQLite file format, section 3): a file
//! that SQLite, playing the journal back, looks for, reads **and deletes**. Up to SQLite 3.40 at least
//! that may be any file of the machine; later versions ask that its name and content look like one.
//! No history needs it, so a pupil does not get to name a file at all: the record is struck out of the
//! copy ([`disarm`]).
//!
//! # Crash story
//! Copies lie in folders named `history-…`, 0700, of the source's own folder. A folder goes with its
//! [`Copy`]; what a crash leaves is removed by [`Copies::prepare`] at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use redshank_proto::clock::Clock;
use tempfile::TempDir;

use super::folder::{Folder, Owner, Refusal, Stamp};

/// A file changed this short a time ago may change again under the same time stamp: the coarsest clock of
/// a common file system ticks every 10 ms.
const YOUNG: Duration = Duration::from_millis(20);
/// Tries before the caller is told to come back later.
const TRIES: u32 = 5;
/// The pause before the second try, doubled for each further one.
const PAUSE: Duration = Duration::from_millis(10);
/// What a copy's folder is called, before its random part.
const PREFIX: &str = "history-";
/// The last eight bytes of a super-journal record (SQLite file format, `aJournalMagic`).
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// The state of a database and its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamps {
    database: Stamp,
    log: Option<Stamp>,
    journal: Option<Stamp>,
}

/// What became of a wish for a copy.
#[derive(Debug)]
pub(super) enum Taken {
    /// All is as in the stamps that were given: nothing was copied.
    Unchanged,
    /// Here it is.
    Copied(Copy),
    /// The browser writes without pause: ask again later.
    Unsettled,
}

/// Why there is no copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum CopyError {
    /// The file, or one of its neighbours.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The disk of the copy.
    #[error("no private copy could be made of it ({0})")]
    Disk(io::ErrorKind),
}

/// A copy, which is removed when dropped.
#[derive(Debug)]
pub(super) struct Copy {
    folder: TempDir,
    /// What was copied; `None` if it was so young that a later change may look the same.
    pub(super) stamps: Option<Box<Stamps>>,
}

impl Copy {
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("copy")
    }
}

/// The folder in which copies are made.
#[derive(Debug)]
pub(super) struct Copies {
    folder: PathBuf,
}

impl Copies {
    /// Makes `folder` if it is missing, closes it to others, and removes what a crash left in it.
    pub(super) fn prepare(folder: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        if !fs::symlink_metadata(folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Copies the database `name` of `source`, unless it is as in `last`. Blocking.
    pub(super) fn take(
        &self,
        source: &Folder,
        name: &str,
        owner: Owner,
        last: Option<&Stamps>,
        clock: &dyn Clock,
    ) -> Result<Taken, CopyError> {
        let files = Files { source, name, owner };
        let mut pause = PAUSE;
        for attempt in 0..TRIES {
            if attempt > 0 {
                thread::sleep(pause);
                pause *= 2;
            }
            let before = files.stamps()?;
            if last == Some(&before) {
                return Ok(Taken::Unchanged);
            }
            let (young, log_young) = before.young(clock);
            if young {
                thread::sleep(YOUNG);
                if files.stamps()? != before {
                    continue;
                }
            }
            let Some(folder) = files.copy_into(&self.folder, &before)? else { continue };
            let after = files.stamps()?;
            if before.is_settled(&after) {
                let stamps = (!log_young).then(|| Box::new(before));
                return Ok(Taken::Copied(Copy { folder, stamps }));
            }
        }
        Ok(Taken::Unsettled)
    }
}

impl Stamps {
    /// Whether a copy made between these stamps and those is as if made in one moment.
    fn is_settled(&self, after: &Self) -> bool {
        let log = match (self.log, after.log) {
            (None, None) => true,
            (Some(before), Some(after)) => {
                before.identity == after.identity && before.bytes <= after.bytes
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        log && self.database == after.database && self.journal == after.journal
    }

    /// Whether the database or its journal is young, and whether its log is.
    fn young(&self, clock: &dyn Clock) -> (bool, bool) {
        let now = clock.now().as_nanosecond();
        let within = |stamp: &Stamp| {
            let age = now - i128::from(stamp.changed);
            (0..=i128::try_from(YOUNG.as_nanos()).unwrap_or(0)).contains(&age)
        };
        let young = within(&self.database) || self.journal.as_ref().is_some_and(within);
        (young, self.log.as_ref().is_some_and(within))
    }
}

/// The files of one database.
struct Files<'a> {
    source: &'a Folder,
    name: &'a str,
    owner: Owner,
}

impl Files<'_> {
    fn stamps(&self) -> Result<Stamps, Refusal> {
        let stamp = |suffix: &str| self.source.stamp(&format!("{}{suffix}", self.name), self.owner);
        Ok(Stamps {
            database: stamp("")?.ok_or(Refusal::Missing)?,
            log: stamp("-wal")?,
            journal: stamp("-journal")?,
        })
    }

    /// Copies all three; `None` if one is not what it was.
    fn copy_into(&self, parent: &Path, expected: &Stamps) -> Result<Option<TempDir>, CopyError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(parent).map_err(disk)?;
        for (suffix, expected) in
            [("", Some(expected.database)), ("-wal", expected.log), ("-journal", expected.journal)]
        {
            let Some(expected) = expected else { continue };
            let name = format!("{}{suffix}", self.name);
            let Some((file, stamp)) = self.source.file(&name, self.owner)? else { return Ok(None) };
            if stamp.identity != expected.identity {
                return Ok(None);
            }
            let copy = copy_file(&file, stamp.bytes, &folder.path().join(format!("copy{suffix}")))
                .map_err(disk)?;
            if suffix == "-journal" {
                disarm(copy).map_err(disk)?;
            }
        }
        Ok(Some(folder))
    }
}

/// Copies `bytes` of `file`, within the kernel where it can.
fn copy_file(file: &File, bytes: u64, to: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut copy = options.open(to)?;
    io::copy(&mut file.take(bytes), &mut copy)?;
    Ok(copy)
}

/// Strikes out the record that names a super-journal, if the journal ends in one.
fn disarm(mut journal: File) -> io::Result<()> {
    let end = journal.seek(SeekFrom::End(0))?;
    let Some(last) = end.checked_sub(8) else { return Ok(()) };
    let mut magic = [0; 8];
    journal.seek(SeekFrom::Start(last))?;
    journal.read_exact(&mut magic)?;
    if magic == JOURNAL_MAGIC {
        journal.seek(SeekFrom::Start(last))?;
        journal.write_all(&[0; 8])?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn disk(error: io::Error) -> CopyError {
    CopyError::Disk(error.kind())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use redshank_proto::clock::Fixed;
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn what_may_differ_between_before_and_after() {
        let stamp = |identity, bytes, changed| Stamp { identity: (1, identity), bytes, changed };
        let base = Stamps { database: stamp(1, 100, 5), log: Some(stamp(2, 50, 5)), journal: None };
        for (after, settled) in [
            (base, true),
            (Stamps { log: Some(stamp(2, 90, 9)), ..base }, true),
            (Stamps { log: Some(stamp(2, 10, 9)), ..base }, false),
            (Stamps { log: Some(stamp(3, 90, 9)), ..base }, false),
            (Stamps { log: None, ..base }, false),
            (Stamps { database: stamp(1, 100, 6), ..base }, false),
            (Stamps { database: stamp(1, 101, 5), ..base }, false),
            (Stamps { database: stamp(9, 100, 5), ..base }, false),
            (Stamps { journal: Some(stamp(4, 0, 5)), ..base }, false),
        ] {
            assert_eq!(base.is_settled(&after), settled, "{after:?}");
        }
    }

    #[test]
    fn an_unchanged_file_is_not_copied_again_and_a_changed_one_is() {
        let place = Prepared::new();
        fs::write(place.profile.path().join("History"), b"one").unwrap();
        let Taken::Copied(copy) = place.take(None) else { panic!("no copy") };
        let stamps = copy.stamps;
        assert!(matches!(place.take(stamps.as_deref()), Taken::Unchanged));
        fs::write(place.profile.path().join("History-wal"), b"x").unwrap();
        assert!(matches!(place.take(stamps.as_deref()), Taken::Copied(_)));
    }

    #[test]
    fn a_copy_is_closed_to_others_and_goes_when_dropped() {
        let place = Prepared::new();
        fs::write(place.profile.path().join("History"), b"one").unwrap();
        let Taken::Copied(copy) = place.take(None) else { panic!("no copy") };
        let path = copy.database();
        assert_eq!(fs::File::open(&path).unwrap().metadata().unwrap().len(), 3);
        #[cfg(unix)]
        for (path, mode) in [
            (place.copies.folder.clone(), 0o700),
            (path.parent().unwrap().to_owned(), 0o700),
            (path.clone(), 0o600),
        ] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
        drop(copy);
        assert_eq!(fs::read_dir(&place.copies.folder).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_start_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("history-left")).unwrap();
        fs::write(folder.path().join("history-left/copy"), b"x").unwrap();
        fs::write(folder.path().join("other"), b"x").unwrap();
        Copies::prepare(folder.path()).unwrap();
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["other"]);
    }

    #[test]
    fn a_file_that_never_rests_is_left_for_later() {
        let place = Prepared::new();
        let path = place.profile.path().join("History");
        fs::write(&path, b"start").unwrap();
        let restless = Restless(path);
        let taken = place.copies.take(&place.folder(), "History", Owner::ANYBODY, None, &restless);
        assert!(matches!(taken, Ok(Taken::Unsettled)), "{taken:?}");
        assert_eq!(fs::read_dir(&place.copies.folder).unwrap().count(), 0);
    }

    /// SQLite heeds a hot journal's super-journal: one that is missing means that the transaction counts.
    /// The control shows that it does so with the forged one; in the copy nobody is named, and the
    /// journal is rolled back.
    #[test]
    fn a_journal_that_names_another_file_does_so_no_more_in_the_copy() {
        let place = Prepared::new();
        forge_hot_journal(place.profile.path(), &place.profile.path().join("x-mj000000900"));
        let Taken::Copied(copy) = place.take(None) else { panic!("no copy") };
        assert_eq!(rolled_back(&copy.database()), 2_000);
        assert!(rolled_back(&place.profile.path().join("History")) < 2_000);
    }

    fn rolled_back(database: &Path) -> i64 {
        let connection = Connection::open(database).unwrap();
        let count = "SELECT count(*) FROM t WHERE x = 'before'";
        connection.query_row(count, [], |row| row.get(0)).unwrap()
    }

    /// Makes a `History` with a journal that must be rolled back, ending in a super-journal's name.
    fn forge_hot_journal(folder: &Path, names: &Path) {
        let (at, scratch) = (folder.join("History"), tempfile::tempdir().unwrap());
        let path = scratch.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA cache_size=1; CREATE TABLE t(x);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000)
                 INSERT INTO t SELECT 'before' FROM n;
                 BEGIN; UPDATE t SET x = 'within';",
            )
            .unwrap();
        // With so small a cache the open transaction has reached the file, and its journal is hot.
        fs::copy(&path, &at).unwrap();
        let journal = folder.join("History-journal");
        fs::copy(scratch.path().join("db-journal"), &journal).unwrap();
        let mut start = [0; 8];
        File::open(&journal).unwrap().read_exact(&mut start).unwrap();
        assert_eq!(start, JOURNAL_MAGIC, "the journal is hot");
        let name = names.to_str().unwrap().as_bytes();
        let sum = name.iter().fold(0_u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
        let mut record = Vec::new();
        record.extend(262_145_u32.to_be_bytes());
        record.extend(name);
        record.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
        record.extend(sum.to_be_bytes());
        record.extend(JOURNAL_MAGIC);
        let mut file = OpenOptions::new().append(true).open(journal).unwrap();
        file.write_all(&record).unwrap();
    }

    /// A clock at whose every look the browser writes: between the look at a file and its copy.
    #[derive(Debug)]
    struct Restless(PathBuf);

    impl Clock for Restless {
        fn now(&self) -> Timestamp {
            let mut file = OpenOptions::new().append(true).open(&self.0).unwrap();
            file.write_all(b"more").unwrap();
            Timestamp::MAX
        }

        fn since_boot(&self) -> Duration {
            Duration::ZERO
        }

        fn boot_id(&self) -> Option<[u8; 16]> {
            None
        }
    }

    struct Prepared {
        profile: TempDir,
        copies: Copies,
        _copies: TempDir,
    }

    impl Prepared {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let copies = Copies::prepare(folder.path()).unwrap();
            Self { profile: tempfile::tempdir().unwrap(), copies, _copies: folder }
        }

        fn folder(&self) -> Folder {
            Folder::open(self.profile.path(), Path::new("")).unwrap()
        }

        /// Takes a copy by a clock long after the files were written, so that none is young.
        fn take(&self, last: Option<&Stamps>) -> Taken {
            let clock = Fixed::new(Timestamp::MAX, 0);
            self.copies.take(&self.folder(), "History", Owner::ANYBODY, last, &clock).unwrap()
        }
    }
}
