//! The spool's file: how it is opened, checked and laid out.
//!
//! Opened for this process alone (`locking_mode=EXCLUSIVE`): two agents on one spool would read
//! every history twice. Nothing of a pupil lies open in it: payloads are sealed; epoch, lane,
//! sequence, severity and size are not, since the spool must order and evict without being able to
//! read. A checkpoint holds what its source put there.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Limits;
use super::error::Fault;

/// Raised with every change of the layout. Another number is not understood and set aside.
const VERSION: i64 = 2;
/// `Rdsk`: tells this file from any other SQLite file.
const APPLICATION: i64 = 0x5264_736b;
/// Bytes of SQLite's pages, its default.
const PAGE_BYTES: u64 = 4_096;
/// The write-ahead log goes back to this after a burst: enough to go on overwriting on a full disk.
const LOG_BYTES: u64 = 1024 * 1024;

/// How long another process may hold the file: an agent that is ending, after an update.
const BUSY: Duration = Duration::from_secs(2);

/// `acknowledged_at` is in Unix seconds, absent while the event waits. `gap` is 1 for a report of
/// lost events, which is never evicted itself. `touched` numbers the writings of checkpoints, and
/// grows with each. The tallies are kept by triggers, so that they
/// change in the transaction that changes the events, whatever it is.
const SCHEMA: &str = "
CREATE TABLE epochs (
    epoch BLOB PRIMARY KEY,
    key BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch BLOB NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    gap INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    acknowledged_at INTEGER,
    generation BLOB,
    sealed BLOB NOT NULL,
    UNIQUE (epoch, lane, sequence)
) STRICT;
CREATE INDEX events_waiting ON events (lane, id) WHERE acknowledged_at IS NULL;
CREATE INDEX events_by_severity ON events (lane, severity, id)
    WHERE acknowledged_at IS NULL AND gap = 0;
CREATE INDEX events_acknowledged ON events (id) WHERE acknowledged_at IS NOT NULL;
CREATE INDEX events_gaps ON events (lane) WHERE acknowledged_at IS NULL AND gap = 1;

CREATE TABLE tallies (
    lane INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    waits INTEGER NOT NULL,
    events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (lane, severity, waits)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_inserted AFTER INSERT ON events BEGIN
    INSERT INTO tallies VALUES (NEW.lane, NEW.severity, NEW.acknowledged_at IS NULL, 1, NEW.bytes)
    ON CONFLICT DO UPDATE SET events = events + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER events_deleted AFTER DELETE ON events BEGIN
    UPDATE tallies SET events = events - 1, bytes = bytes - OLD.bytes
    WHERE lane = OLD.lane AND severity = OLD.severity AND waits = (OLD.acknowledged_at IS NULL);
END;
CREATE TRIGGER events_updated AFTER UPDATE OF acknowledged_at ON events BEGIN
    UPDATE tallies SET events = events - 1, bytes = bytes - OLD.bytes
    WHERE lane = OLD.lane AND severity = OLD.severity AND waits = (OLD.acknowledged_at IS NULL);
    INSERT INTO tallies VALUES (NEW.lane, NEW.severity, NEW.acknowledged_at IS NULL, 1, NEW.bytes)
    ON CONFLICT DO UPDATE SET events = events + 1, bytes = bytes + excluded.bytes;
END;

CREATE TABLE gaps (
    reason INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    count INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    PRIMARY KEY (reason, lane, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch BLOB NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    input TEXT PRIMARY KEY,
    place BLOB NOT NULL,
    touched INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX checkpoints_touched ON checkpoints (touched);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('lost', 0), ('dead_letters', 0);
";

/// What stood in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing; it needs [`lay_out`].
    Nothing,
    /// A sound spool.
    Spool,
    /// Something else, or a spool that fails SQLite's integrity check.
    Damage,
}

/// Opens the file, which must exist, and checks all of it: under a second for the largest spool.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<(Connection, Found), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Before the first page is read: locking and vacuum modes take effect with it.
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // macOS: an fsync there does not reach the disk without this.
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update(None, "checkpoint_fullfsync", true)?;
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "journal_size_limit", sql(LOG_BYTES))?;
    db.pragma_update(None, "wal_autocheckpoint", sql(LOG_BYTES / PAGE_BYTES))?;
    limit_bytes(&db, limits.file_bytes)?;
    let found = examine(&db)?;
    Ok((db, found))
}

fn examine(db: &Connection) -> rusqlite::Result<Found> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let objects: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let identity = (number("application_id")?, number("user_version")?);
    if objects == 0 && identity == (0, 0) {
        return Ok(Found::Nothing);
    }
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let sound = identity == (APPLICATION, VERSION) && verdict == "ok";
    Ok(if sound { Found::Spool } else { Found::Damage })
}

/// Lays out an empty file.
pub(super) fn lay_out(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(SCHEMA)?;
    db.pragma_update(None, "application_id", APPLICATION)?;
    db.pragma_update(None, "user_version", VERSION)
}

/// Sets how large the file may grow.
pub(super) fn limit_bytes(db: &Connection, bytes: u64) -> rusqlite::Result<()> {
    limit_pages(db, bytes / PAGE_BYTES)
}

/// The same in pages.
pub(super) fn limit_pages(db: &Connection, pages: u64) -> rusqlite::Result<()> {
    db.pragma_update(None, "max_page_count", sql(pages))
}

/// Brings what the write-ahead log holds into the file, and begins the log again from its start: so
/// it takes no new space.
pub(super) fn restart_log(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))
}

/// Gives the file's free pages back to the disk.
pub(super) fn shrink(db: &Connection) -> rusqlite::Result<()> {
    let mut statement = db.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = statement.query([])?;
    // Each step frees one page.
    while steps.next()?.is_some() {}
    Ok(())
}

/// Adds to a counter.
pub(super) fn count(db: &Connection, counter: &str, by: u64) -> rusqlite::Result<()> {
    let statement = "UPDATE counters SET value = value + ?2 WHERE name = ?1";
    db.execute(statement, (counter, sql(by))).map(|_| ())
}

/// Reads a counter.
pub(super) fn counted(db: &Connection, counter: &str) -> rusqlite::Result<u64> {
    db.query_row("SELECT value FROM counters WHERE name = ?1", [counter], |row| row.get(0))
        .map(number)
}

/// Forgets the keys of epochs of which nothing is left.
pub(super) fn drop_spent_epochs(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM epochs WHERE
         NOT EXISTS (SELECT 1 FROM events WHERE events.epoch = epochs.epoch) AND
         NOT EXISTS (SELECT 1 FROM dead_letters WHERE dead_letters.epoch = epochs.epoch)",
        [],
    )
    .map(|_| ())
}

/// A number for SQLite, whose integers are signed; past its range the largest there is.
pub(super) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number from SQLite that was never negative when it was written.
pub(super) fn number(sql: i64) -> u64 {
    u64::try_from(sql).unwrap_or(0)
}
