//! The collector's own cursors over the event log, and what they could not digest.
//!
//! A cursor moves in the transaction of the work it stands for, and only from where its follower saw it:
//! two followers of one name never do a position twice. Failures are counted at the position after the
//! cursor, in the store, so that a restart does not begin the count again.

use redshank_proto::id::{DeviceId, SchoolId};
use rusqlite::{ErrorCode, OptionalExtension as _};

use super::value::count;
use super::{Edit, Purpose, StoreError, View};

/// Where a cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Everything up to this position is done; 0: nothing yet.
    pub position: i64,
    /// How often the position after it has failed.
    pub failures: u32,
}

/// An event that a cursor could not digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Its place in the event log.
    pub position: i64,
    /// Its school.
    pub school: SchoolId,
    /// Its device.
    pub device: DeviceId,
    /// Which check failed; never content.
    pub reason: &'static str,
}

/// Whether an event may be at fault for this failure, so that it is parked if it fails again; otherwise the
/// machine or another follower is, and the same event may be written later.
#[must_use]
pub fn may_be_the_event_s_fault(error: &StoreError) -> bool {
    match error {
        StoreError::NotCommitted | StoreError::Conflict(_) => false,
        StoreError::Sqlite(error) => !is_the_machine_s(error),
        // A job that panicked ends as `Closed`. A store that has shut down parks nothing either.
        StoreError::Closed
        | StoreError::OutOfScope
        | StoreError::Missing(_)
        | StoreError::Malformed(_)
        | StoreError::Open { .. } => true,
    }
}

/// The result codes of SQLite that come from disk, memory, locks and rights
/// (<https://www.sqlite.org/rescode.html>). A damaged page is not among them: it would hold every event up
/// for ever that touches it.
fn is_the_machine_s(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OperationAborted
                | ErrorCode::OperationInterrupted
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}

impl View<'_> {
    /// Where a cursor stands.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn cursor(&self, name: &'static str) -> Result<Cursor, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let cursor = self
            .sql()
            .prepare_cached("SELECT position, failures FROM cursors WHERE cursor = ?1")?
            .query_row([name], |row| {
                Ok(count(row, "failures").map(|failures| (row.get("position"), failures)))
            })
            .optional()?;
        match cursor {
            Some(read) => {
                let (position, failures) = read?;
                Ok(Cursor { position: position?, failures })
            }
            None => Ok(Cursor::default()),
        }
    }

    /// How many events a cursor has parked.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage or the command line asks.
    pub fn parked_events(&self, name: &'static str) -> Result<u64, StoreError> {
        if self.scope().require_command_line().is_err() {
            self.scope().require_system(&[Purpose::Triage])?;
        }
        self.sql()
            .prepare_cached("SELECT count(*) AS parked FROM parked WHERE cursor = ?1")?
            .query_row([name], |row| Ok(count(row, "parked")))?
    }
}

impl Edit<'_> {
    /// Makes sure that a cursor is where its follower saw it, before the work that moves it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has moved since; [`StoreError::OutOfScope`] unless triage asks.
    pub fn hold_cursor(&self, name: &'static str, seen: Cursor) -> Result<(), StoreError> {
        if self.view().cursor(name)? == seen {
            Ok(())
        } else {
            Err(StoreError::Conflict("the cursor has moved"))
        }
    }

    /// Moves a cursor from where its follower saw it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has moved since; [`StoreError::OutOfScope`] unless triage asks.
    pub fn advance_cursor(
        &self,
        name: &'static str,
        seen: Cursor,
        to: Cursor,
    ) -> Result<(), StoreError> {
        self.hold_cursor(name, seen)?;
        self.sql()
            .prepare_cached(
                "INSERT INTO cursors (cursor, position, failures) VALUES (?1, ?2, ?3)
                 ON CONFLICT (cursor) DO UPDATE SET position = ?2, failures = ?3",
            )?
            .execute((name, to.position, to.failures))?;
        Ok(())
    }

    /// Sets an event aside. It stays in the event log, for as long as that keeps its content.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn park(&self, name: &'static str, event: ParkedEvent) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        self.sql()
            .prepare_cached(
                "INSERT INTO parked (cursor, position, school, device, reason, parked_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                name,
                event.position,
                event.school.as_bytes(),
                event.device.as_bytes(),
                event.reason,
                self.now().as_microsecond(),
            ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_failing_machine_is_no_event_s_fault() {
        let sqlite =
            |code| StoreError::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for (error, expected) in [
            (sqlite(ffi::SQLITE_IOERR), false),
            (sqlite(ffi::SQLITE_IOERR_FSYNC), false),
            (sqlite(ffi::SQLITE_FULL), false),
            (sqlite(ffi::SQLITE_BUSY), false),
            (sqlite(ffi::SQLITE_LOCKED), false),
            (sqlite(ffi::SQLITE_NOMEM), false),
            (sqlite(ffi::SQLITE_CANTOPEN), false),
            (sqlite(ffi::SQLITE_READONLY), false),
            (sqlite(ffi::SQLITE_CONSTRAINT), true),
            (sqlite(ffi::SQLITE_CONSTRAINT_TRIGGER), true),
            (sqlite(ffi::SQLITE_TOOBIG), true),
            (sqlite(ffi::SQLITE_ERROR), true),
            (sqlite(ffi::SQLITE_CORRUPT), true),
            (StoreError::Sqlite(rusqlite::Error::InvalidQuery), true),
            (StoreError::NotCommitted, false),
            (StoreError::Conflict("the cursor has moved"), false),
            (StoreError::Closed, true),
            (StoreError::Malformed("basis"), true),
            (StoreError::Missing("user"), true),
        ] {
            assert_eq!(may_be_the_event_s_fault(&error), expected, "{error:?}");
        }
    }
}
