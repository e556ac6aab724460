//! The change log: what happened to alerts, in order, for those who follow along.
//!
//! `seq` orders changes and is shown to nobody: its gaps would tell how much happens at schools that a reader
//! does not see. What a reader keeps is a change's random cursor, which this module turns back into a place.

use jiff::Timestamp;
use redshank_proto::clock::draw;
use redshank_proto::id::{AlertId, SchoolId};
use redshank_proto::v1::ChangeKind;
use rusqlite::OptionalExtension as _;

use super::alerts::delivery::reader;
use super::value::{collect, id, time};
use super::{Edit, StoreError, View};

/// A change's random name.
pub type ChangeCursor = [u8; 16];

/// A place in the change log: after the change of that number; 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place(pub(super) i64);

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The place after it.
    pub place: Place,
    /// Its random name.
    pub cursor: ChangeCursor,
    /// The school.
    pub school: SchoolId,
    /// The alert.
    pub alert: AlertId,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
}

impl Edit<'_> {
    /// Appends a change, in the transaction of what it is about.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails or the school is out of scope.
    pub(super) fn record_change(
        &self,
        school: SchoolId,
        alert: AlertId,
        kind: ChangeKind,
    ) -> Result<(), StoreError> {
        self.scope().require_school(school)?;
        self.sql()
            .prepare_cached(
                "INSERT INTO changes (cursor, school, alert, kind, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                draw::<16>(self.randomness()),
                school.as_bytes(),
                alert.as_bytes(),
                kind as i32,
                self.now().as_microsecond(),
            ))?;
        Ok(())
    }
}

impl View<'_> {
    /// The changes at the asking reader's schools after a place, in order; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn changes_after(&self, after: Place, limit: u32) -> Result<Vec<Change>, StoreError> {
        let reader = reader(self)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT c.seq, c.cursor, c.school, c.alert, c.kind, c.at FROM changes c
             JOIN reader_schools r ON r.school = c.school AND r.reader = ?1
             WHERE c.seq > ?2 ORDER BY c.seq LIMIT ?3",
        )?;
        collect(statement.query((reader.as_bytes(), after.0, limit))?, |row| {
            Ok(Change {
                place: Place(row.get("seq")?),
                cursor: row.get("cursor")?,
                school: id(row, "school")?,
                alert: id(row, "alert")?,
                kind: ChangeKind::try_from(row.get::<_, i32>("kind")?).unwrap_or_default(),
                at: time(row, "at")?,
            })
        })
    }

    /// The place after a change, for a reader that kept its cursor; nothing if no such change is kept. A
    /// cursor is 128 random bits: who has it was given it.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn place_of(&self, cursor: &ChangeCursor) -> Result<Option<Place>, StoreError> {
        reader(self)?;
        Ok(self
            .sql()
            .prepare_cached("SELECT seq FROM changes WHERE cursor = ?1")?
            .query_row([cursor], |row| Ok(Place(row.get(0)?)))
            .optional()?)
    }

    /// The newest change that the viewer may know of: at a reader's schools, or of an alert on a user's own
    /// list. The console compares it to see whether anything is new.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] for anybody else.
    pub fn newest_change(&self) -> Result<Option<ChangeCursor>, StoreError> {
        let (sql, who) = match reader(self) {
            Ok(reader) => (
                "SELECT c.cursor FROM changes c
                 JOIN reader_schools r ON r.school = c.school AND r.reader = ?1
                 ORDER BY c.seq DESC LIMIT 1",
                *reader.as_bytes(),
            ),
            Err(_) => (
                "SELECT c.cursor FROM changes c
                 JOIN alert_viewers v ON v.alert = c.alert AND v.user = ?1
                 ORDER BY c.seq DESC LIMIT 1",
                *self.scope().require_content()?.as_bytes(),
            ),
        };
        Ok(self.sql().prepare_cached(sql)?.query_row([who], |row| row.get(0)).optional()?)
    }
}
