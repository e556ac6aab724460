//! The places from which sources go on: one for each input, and a bounded number of them.
//!
//! Whoever makes and renames profile folders makes inputs, and those that are gone are never told.
//! So of all checkpoints the last written are kept, [`KEPT`] of them and [`KEPT_BYTES`]; older ones
//! go in the transaction that adds another. An input that outlives its checkpoint is read again from
//! the enrolment: duplicates, which fold into one alert, rather than loss.

use std::collections::HashMap;

use rusqlite::Connection;

use super::schema::sql;

/// 64 users with 8 browsers of 8 profiles.
const KEPT: u64 = 4_096;
/// Bytes of inputs and places: the copy beside the spool must stay below what is read of it.
const KEPT_BYTES: u64 = 12 * 1024 * 1024;

/// Keeps the places of some inputs, and drops those that were written longest ago, if there are too
/// many.
pub(super) fn keep<'a>(
    db: &Connection,
    places: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> rusqlite::Result<()> {
    let mut any = false;
    for place in places {
        db.execute(
            "INSERT INTO checkpoints
             VALUES (?1, ?2, (SELECT coalesce(max(touched), 0) + 1 FROM checkpoints))
             ON CONFLICT DO UPDATE SET place = excluded.place, touched = excluded.touched",
            place,
        )?;
        any = true;
    }
    if any { drop_oldest(db, KEPT, KEPT_BYTES) } else { Ok(()) }
}

/// Reads the place of each input.
pub(super) fn read(db: &Connection) -> rusqlite::Result<HashMap<String, Vec<u8>>> {
    let mut statement = db.prepare("SELECT input, place FROM checkpoints")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn drop_oldest(db: &Connection, kept: u64, bytes: u64) -> rusqlite::Result<()> {
    let dropped = db.execute(
        "DELETE FROM checkpoints WHERE touched <=
            (SELECT max(touched) FROM
                (SELECT touched,
                    row_number() OVER newest AS place_from_newest,
                    sum(octet_length(input) + octet_length(place)) OVER newest AS bytes
                 FROM checkpoints WINDOW newest AS (ORDER BY touched DESC))
             WHERE place_from_newest > ?1 OR bytes > ?2)",
        (sql(kept), sql(bytes)),
    )?;
    if dropped > 0 {
        tracing::debug!(inputs = dropped, "more inputs than are kept: the oldest are forgotten");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn of_too_many_the_last_written_stay() {
        let db = database();
        for name in ["a", "b", "c", "a"] {
            keep(&db, [(name, name.as_bytes())]).unwrap();
        }
        drop_oldest(&db, 2, 1_000).unwrap();
        assert_eq!(names(&db), ["a", "c"]);
        keep(&db, [("d", [1].as_slice())]).unwrap();
        drop_oldest(&db, 2, 1_000).unwrap();
        assert_eq!(names(&db), ["a", "d"]);
    }

    #[test]
    fn of_too_large_ones_the_last_written_stay() {
        let db = database();
        keep(&db, ["a", "b", "c"].map(|name| (name, [0; 99].as_slice()))).unwrap();
        drop_oldest(&db, 9, 299).unwrap();
        assert_eq!(names(&db), ["b", "c"]);
        drop_oldest(&db, 9, 200).unwrap();
        assert_eq!(names(&db), ["b", "c"], "exactly at the bound");
    }

    fn database() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        schema::lay_out(&db).unwrap();
        db
    }

    fn names(db: &Connection) -> Vec<String> {
        let mut names: Vec<_> = read(db).unwrap().into_keys().collect();
        names.sort();
        names
    }
}
