//! Reading visits from a private copy of a history database, whatever browser and version wrote it.
//!
//! ```text
//! database   the copy, opened at arm's length
//! chromium ┐
//! firefox  ├ which tables and columns there are, as a Plan: two statements and how to read their numbers
//! safari   ┘
//! ```
//! What kind of database it is shows in its tables. Columns come and go with versions: one that is
//! missing is left out of the statement, unless nothing could be told without it. Only real tables
//! count, never a view or a virtual table of the same name.
//!
//! A visit is read in two steps: its [`Mark`] (id, time, synced) first, and its text only if it is
//! ours to read.

mod chromium;
mod database;
mod firefox;
mod safari;

use std::path::Path;

use rusqlite::types::ValueRef;

pub(super) use self::database::ReadError;
use self::database::{Database, number, text};
use super::cursor::Mark;
use super::profiles::Family;
use crate::observation::Transition;

/// Bytes of an address, as [`Visit::url`](crate::observation::Visit) bounds it.
const URL_BYTES: usize = 64 * 1024;
/// Bytes of a title or of search terms.
const TEXT_BYTES: usize = 4 * 1024;
/// Bytes of a value that is looked at to be cut; Chromium stores no address of more than 2 MiB.
const VALUE_BYTES: usize = 4 * 1024 * 1024;

/// The text of one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) url: String,
    /// Empty or none, as the database has it.
    pub(super) title: Option<String>,
    /// By the browser's own record.
    pub(super) search_terms: Option<String>,
    pub(super) transition: Transition,
}

/// How to read one kind of database.
#[derive(Debug)]
struct Plan {
    /// Selects id, time and whether synced from `v`, without a condition.
    marks: String,
    /// Selects address, title, search terms and two numbers for the transition from `v`, without a condition.
    text: String,
    /// Turns the database's time into microseconds since 1970.
    time: fn(ValueRef<'_>) -> Option<i64>,
    transition: fn(i64, i64) -> Transition,
}

/// An open copy.
#[derive(Debug)]
pub(super) struct Reader {
    database: Database,
    plan: Plan,
    pub(super) family: Family,
}

impl Reader {
    /// Opens the copy at `path`.
    ///
    /// # Errors
    /// [`ReadError`], in particular [`ReadError::NotHistory`] if it has no known tables.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let database = Database::open(path)?;
        let tables = database.tables()?;
        let found = Family::ALL.into_iter().find_map(|family| {
            let plan = match family {
                Family::Chromium => chromium::plan(&tables),
                Family::Firefox => firefox::plan(&tables),
                Family::Safari => safari::plan(&tables),
            };
            Some((family, plan?))
        });
        let (family, plan) = found.ok_or(ReadError::NotHistory)?;
        Ok(Self { database, plan, family })
    }

    /// The marks of at most `most` visits whose id is past `after`, by id.
    pub(super) fn marks(&self, after: i64, most: usize) -> Result<Vec<Mark>, ReadError> {
        let statement = format!("{} WHERE v.id > ?1 ORDER BY v.id LIMIT ?2", self.plan.marks);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.database.rows(&statement, &[after, most], |row| {
            let id = number(row.get_ref(0)?);
            let time = (self.plan.time)(row.get_ref(1)?);
            Ok(id.map(|id| Mark {
                id,
                // A time that is none lies before everything, and so is never ours to read.
                time: time.unwrap_or(i64::MIN),
                synced: number(row.get_ref(2).unwrap_or(ValueRef::Null)) == Some(1),
            }))
        })
    }

    /// The time of the visit with this id, in microseconds since 1970.
    pub(super) fn time_of(&self, id: i64) -> Result<Option<i64>, ReadError> {
        let statement = format!("{} WHERE v.id = ?1 LIMIT 1", self.plan.marks);
        let times =
            self.database.rows(&statement, &[id], |row| Ok((self.plan.time)(row.get_ref(1)?)))?;
        Ok(times.first().copied())
    }

    /// The text of the visit with this id; `None` if it has no address.
    pub(super) fn text_of(&self, id: i64) -> Result<Option<Text>, ReadError> {
        let statement = format!("{} WHERE v.id = ?1 LIMIT 1", self.plan.text);
        let texts = self.database.rows(&statement, &[id], |row| {
            let Some(url) = text(row.get_ref(0)?, URL_BYTES).filter(|url| !url.is_empty()) else {
                return Ok(None);
            };
            let or_none = |index| row.get_ref(index).ok().and_then(|value| text(value, TEXT_BYTES));
            let or_zero = |index| row.get_ref(index).ok().and_then(number).unwrap_or(0);
            Ok(Some(Text {
                url,
                title: or_none(1),
                search_terms: or_none(2).filter(|terms| !terms.is_empty()),
                transition: (self.plan.transition)(or_zero(3), or_zero(4)),
            }))
        })?;
        Ok(texts.into_iter().next())
    }

    /// Allows as much work as one portion of reading may need.
    pub(super) fn allow_work(&self) {
        self.database.allow_work();
    }
}

/// The expression for a value that is only loaded if it is of bearable size: `octet_length` reads no content.
fn bounded(expression: &str) -> String {
    format!("CASE WHEN octet_length({expression}) <= {VALUE_BYTES} THEN {expression} END")
}
