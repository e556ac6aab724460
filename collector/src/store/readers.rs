//! Readers of the feed: which schools they may read, how far they are, and what they made of alerts.
//!
//! A reader's entitlement is read from `reader_schools` at each statement; the scope says only which reader
//! asks. A place never moves back: a reader that lost its own cursor goes on after what it acknowledged.

use jiff::SignedDuration;
use redshank_proto::id::{AlertId, ReaderId, SchoolId};
use rusqlite::OptionalExtension as _;

use super::alerts::CONTENT_KEPT_DAYS;
use super::alerts::delivery::reader;
use super::audit::Action;
use super::changes::Place;
use super::value::{collect, id};
use super::{Edit, StoreError, View};

/// Assessments of one alert by one reader: a change of mind or two, not a diary.
const ASSESSMENTS: i64 = 50;

/// A reader's grade of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssessment {
    /// 16 random bytes, drawn by the reader.
    pub assessment: [u8; 16],
    /// The alert.
    pub alert: AlertId,
    /// 1 to 5.
    pub grade: u8,
    /// What the reader saw in it; may be empty.
    pub note: String,
    /// Whether the reader telephoned the school.
    pub school_called: bool,
}

impl View<'_> {
    /// The schools that the asking reader may read, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn reader_schools(&self) -> Result<Vec<SchoolId>, StoreError> {
        let reader = reader(self)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT school FROM reader_schools WHERE reader = ?1 ORDER BY school",
        )?;
        collect(statement.query([reader.as_bytes()])?, |row| id(row, "school"))
    }

    /// The place after the last change that the asking reader has acknowledged.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks; [`StoreError::Missing`] if there is no such reader.
    pub fn reader_place(&self) -> Result<Place, StoreError> {
        let reader = reader(self)?;
        self.sql()
            .prepare_cached("SELECT place FROM readers WHERE reader = ?1")?
            .query_row([reader.as_bytes()], |row| Ok(Place(row.get(0)?)))
            .optional()?
            .ok_or(StoreError::Missing("reader"))
    }
}

impl Edit<'_> {
    /// Adds a reader that may read these schools.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks; [`StoreError::Sqlite`] for an unknown school.
    pub fn add_reader(&self, name: &str, schools: &[SchoolId]) -> Result<ReaderId, StoreError> {
        self.scope().require_command_line()?;
        let reader = ReaderId::draw(self.randomness());
        self.sql().execute(
            "INSERT INTO readers (reader, name, created_at) VALUES (?1, ?2, ?3)",
            (reader.as_bytes(), name, self.now().as_microsecond()),
        )?;
        for school in schools {
            self.sql().execute(
                "INSERT OR IGNORE INTO reader_schools (reader, school) VALUES (?1, ?2)",
                (reader.as_bytes(), school.as_bytes()),
            )?;
            self.audit(Action::ReaderAdded, Some(*school), Some(reader.as_bytes()), Some(name))?;
        }
        Ok(reader)
    }

    /// Moves the asking reader's place forward; a place behind it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless a reader asks.
    pub fn acknowledge_changes(&self, place: Place) -> Result<(), StoreError> {
        let reader = reader(self.view())?;
        self.sql()
            .prepare_cached("UPDATE readers SET place = max(place, ?2) WHERE reader = ?1")?
            .execute((reader.as_bytes(), place.0))?;
        Ok(())
    }

    /// Keeps the asking reader's grade of an alert. Keeping it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such alert among the reader's schools; [`StoreError::Conflict`] if
    /// the id is taken by another assessment or the reader has graded this alert too often.
    pub fn assess_alert(&self, new: &NewAssessment) -> Result<(), StoreError> {
        let reader = reader(self.view())?;
        let school = self.school_of_alert(reader, new.alert)?;
        let known: Option<(Vec<u8>, Vec<u8>)> = self
            .sql()
            .prepare_cached("SELECT reader, alert FROM assessments WHERE assessment = ?1")?
            .query_row([new.assessment], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((by, of)) = known {
            let same = by == reader.as_bytes() && of == new.alert.as_bytes();
            return if same {
                Ok(())
            } else {
                Err(StoreError::Conflict("the assessment id is taken"))
            };
        }
        let earlier: i64 = self
            .sql()
            .prepare_cached("SELECT count(*) FROM assessments WHERE alert = ?1 AND reader = ?2")?
            .query_row((new.alert.as_bytes(), reader.as_bytes()), |row| row.get(0))?;
        if earlier >= ASSESSMENTS {
            return Err(StoreError::Conflict("this alert has been assessed 50 times"));
        }
        self.insert_assessment(reader, school, new)?;
        self.audit(Action::AlertAssessed, Some(school), Some(new.alert.as_bytes()), None)
    }

    fn school_of_alert(&self, reader: ReaderId, alert: AlertId) -> Result<SchoolId, StoreError> {
        self.sql()
            .prepare_cached(
                "SELECT a.school FROM alerts a
                 JOIN reader_schools r ON r.school = a.school AND r.reader = ?1 WHERE a.alert = ?2",
            )?
            .query_row((reader.as_bytes(), alert.as_bytes()), |row| Ok(id(row, "school")))
            .optional()?
            .ok_or(StoreError::Missing("alert"))?
    }

    fn insert_assessment(
        &self,
        reader: ReaderId,
        school: SchoolId,
        new: &NewAssessment,
    ) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "INSERT INTO assessments (assessment, reader, alert, grade, school_called, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                new.assessment,
                reader.as_bytes(),
                new.alert.as_bytes(),
                new.grade,
                new.school_called,
                self.now().as_microsecond(),
            ))?;
        if new.note.is_empty() {
            return Ok(());
        }
        let expires = self.now() + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
        self.sql()
            .prepare_cached(
                "INSERT INTO assessment_notes (assessment, school, kind, expires_at, note)
                 VALUES (?1, ?2, 'assessment', ?3, ?4)",
            )?
            .execute((new.assessment, school.as_bytes(), expires.as_microsecond(), &*new.note))?;
        Ok(())
    }
}
