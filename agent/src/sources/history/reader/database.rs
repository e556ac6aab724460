//! A foreign SQLite database, opened at arm's length.
//!
//! What a forged file could try, and what meets it:
//!
//! | attempt | met by |
//! |---|---|
//! | views, triggers, virtual tables in the place of tables | views and triggers off; only real tables count |
//! | functions with side effects in the schema | `trusted_schema` off, defensive mode, nothing ever written |
//! | recursive or endless work | a budget of virtual machine steps ([`WORK`]) |
//! | giant values, expressions, statements | run-time limits; [`bounded`](super::bounded) values |
//! | forged cells and pages | `cell_size_check`; an error ends the reading |
//! | temporary files full of the pupil's data | temporary storage in memory only |
//!
//! The copy is opened for writing, since SQLite must be able to roll a journal back in it, but no
//! statement can write (`query_only`). The exclusive locking mode keeps the index of a write-ahead log
//! in memory. Sources: SQLite, "Defense Against The Dark Arts"; "Run-Time Limits".

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params_from_iter};

/// Virtual machine steps between two looks at the budget.
const STEPS: i32 = 1_000;
/// Looks at the budget before work is broken off: 20 million steps, some half a second. A portion of
/// real reading takes some 100,000.
const WORK: u32 = 20_000;
/// Columns that a table is looked at for; Chromium's widest has 18.
const COLUMNS: usize = 200;

/// Why a copy could not be read. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum ReadError {
    #[error("it is not a SQLite database")]
    NotADatabase,
    #[error("it is damaged, or was copied while it was being written")]
    Damaged,
    #[error("it has no table of visits as Chromium, Firefox or Safari keep one")]
    NotHistory,
    #[error("reading it takes more work or space than a browser's database can need")]
    TooMuch,
    #[error("SQLite cannot read it (code {0})")]
    Sqlite(i32),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::NotADatabase => Self::NotADatabase,
                ErrorCode::DatabaseCorrupt => Self::Damaged,
                ErrorCode::OperationInterrupted | ErrorCode::TooBig | ErrorCode::OutOfMemory => {
                    Self::TooMuch
                }
                _ => Self::Sqlite(failure.extended_code),
            },
            rusqlite::Error::SqlInputError { error, .. } => Self::Sqlite(error.extended_code),
            _ => Self::Damaged,
        }
    }
}

/// The columns of each real table that a plan may ask for.
#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<&'static str, Vec<String>>);

impl Tables {
    /// Whether the table is there with all of these columns.
    pub(super) fn has(&self, table: &str, columns: &[&str]) -> bool {
        self.0.get(table).is_some_and(|there| {
            columns.iter().all(|column| there.iter().any(|name| name.eq_ignore_ascii_case(column)))
        })
    }
}

/// Every table that some plan reads.
const READ: [&str; 8] = [
    "visits",
    "urls",
    "visit_source",
    "keyword_search_terms",
    "moz_historyvisits",
    "moz_places",
    "history_visits",
    "history_items",
];

/// An open copy.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    work: Arc<AtomicU32>,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut connection = Connection::open_with_flags(path, flags)?;
        let work = Arc::new(AtomicU32::new(WORK));
        let left = Arc::clone(&work);
        let spend = move || {
            let spent =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            spent.is_err()
        };
        connection.progress_handler(STEPS, Some(spend))?;
        restrict(&connection)?;
        Ok(Self { connection, work })
    }

    pub(super) fn allow_work(&self) {
        self.work.store(WORK, Ordering::Relaxed);
    }

    /// Lists the real tables that a plan may ask for, with their columns.
    pub(super) fn tables(&self) -> Result<Tables, ReadError> {
        let mut tables = Tables::default();
        for table in READ {
            // A view has no root page, and neither has a virtual table.
            let found = "SELECT count(*) FROM main.sqlite_schema \
                         WHERE name = ?1 COLLATE NOCASE AND type = 'table' AND rootpage > 0";
            let real: i64 = self.connection.query_row(found, [table], |row| row.get(0))?;
            if real != 1 {
                continue;
            }
            let mut columns = Vec::new();
            self.connection.pragma(Some("main"), "table_info", table, |row| {
                if columns.len() < COLUMNS {
                    columns.push(row.get::<_, String>(1)?);
                }
                Ok(())
            })?;
            tables.0.insert(table, columns);
        }
        Ok(tables)
    }

    /// Runs a statement with integers for parameters, and keeps the rows of which `read` makes something.
    pub(super) fn rows<T>(
        &self,
        statement: &str,
        parameters: &[i64],
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Result<Vec<T>, ReadError> {
        let mut statement = self.connection.prepare(statement)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            kept.extend(read(row)?);
        }
        Ok(kept)
    }
}

fn restrict(connection: &Connection) -> Result<(), ReadError> {
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(config, on)?;
    }
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, 8 * 1024 * 1024),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 50),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 3),
        (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    connection.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;
         PRAGMA synchronous = OFF; PRAGMA cache_size = -2048; PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA query_only = ON;",
    )?;
    Ok(())
}

/// A whole number, however the database stored it.
pub(super) fn number(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Real(_) | ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

/// Text of at most `most` bytes, however the database stored it; invalid UTF-8 is replaced.
pub(super) fn text(value: ValueRef<'_>, most: usize) -> Option<String> {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else { return None };
    // Four bytes more than are wanted, so that a character on the bound is whole before it is cut.
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(most + 4)]).into_owned();
    text.truncate(text.floor_char_boundary(most));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_on_a_character_and_never_fails() {
        for (bytes, most, expected) in [
            (&b"abc"[..], 10, "abc"),
            (b"abc", 2, "ab"),
            ("aé".as_bytes(), 2, "a"),
            ("aé".as_bytes(), 3, "aé"),
            ("é𝄞".as_bytes(), 5, "é"),
            (b"a\xff", 10, "a\u{fffd}"),
            (b"\xff\xff\xff", 4, "\u{fffd}"),
            (b"", 4, ""),
        ] {
            assert_eq!(text(ValueRef::Text(bytes), most).unwrap(), expected, "{bytes:?}");
            assert_eq!(text(ValueRef::Blob(bytes), most).unwrap(), expected, "{bytes:?}");
        }
        assert_eq!(text(ValueRef::Integer(1), 10), None);
        assert_eq!(text(ValueRef::Null, 10), None);
    }

    #[test]
    fn work_without_end_is_broken_off_and_may_begin_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
        let database = Database::open(&path).unwrap();
        let endless =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n";
        let one = |statement| database.rows(statement, &[], |row| Ok(Some(row.get::<_, i64>(0)?)));
        assert_eq!(one(endless), Err(ReadError::TooMuch));
        database.allow_work();
        assert_eq!(one("SELECT 7"), Ok(vec![7]));
    }

    #[test]
    fn nothing_can_be_written_and_views_are_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let schema = "CREATE TABLE t(x); CREATE VIEW visits AS SELECT 1 AS id";
        Connection::open(&path).unwrap().execute_batch(schema).unwrap();
        let database = Database::open(&path).unwrap();
        for statement in [
            "INSERT INTO t VALUES (1)",
            "SELECT id FROM visits",
            "ATTACH 'other' AS other",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''",
        ] {
            assert!(database.rows(statement, &[], |_| Ok(Some(()))).is_err(), "{statement}");
        }
        assert!(!database.tables().unwrap().has("visits", &["id"]));
    }
}
