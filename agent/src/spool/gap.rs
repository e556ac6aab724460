//! Loss is never silent: what the spool gives up is counted and reported.
//!
//! Lost events are counted in the table `gaps`, in the transaction that deletes them, one row for
//! each reason, lane and epoch. The row becomes an event only when the uplink next asks for events
//! of that lane: so a week offline with a full spool costs one report, not one for each lost event.
//! From then on the report waits, is sent and is acknowledged like any event, except that it is
//! never evicted itself.

use jiff::Timestamp;
use redshank_proto::id::{Epoch, Lane};
use redshank_proto::v1::event_payload::Content;
use redshank_proto::{time, v1};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema::{self, number, sql};

/// Reports of one lane that may wait at a time, since they are not evicted; further loss is counted
/// on and reported when they have gone.
const WAITING: i64 = 64;

/// A reason to report, with no epoch known.
pub(super) const NO_EPOCH: &[u8] = &[];

/// Counts one evicted event.
pub(super) fn evicted(
    db: &Connection,
    epoch: &[u8],
    lane: Lane,
    sequence: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    schema::count(db, "lost", 1)?;
    note(db, v1::GapReason::Evicted, epoch, lane, 1, sequence, now)
}

/// Notes that a spool was set aside or is gone: nobody can know what waited in it, in either lane.
pub(super) fn quarantined(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    for lane in Lane::ALL {
        note(db, v1::GapReason::Quarantined, NO_EPOCH, lane, 0, 0, now)?;
    }
    Ok(())
}

fn note(
    db: &Connection,
    reason: v1::GapReason,
    epoch: &[u8],
    lane: Lane,
    count: i64,
    sequence: i64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO gaps VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
         ON CONFLICT DO UPDATE SET
            count = count + excluded.count,
            first_sequence = min(first_sequence, excluded.first_sequence),
            last_sequence = max(last_sequence, excluded.last_sequence)",
        params![reason as i32, lane.number(), epoch, count, sequence, now.as_millisecond()],
    )
    .map(|_| ())
}

/// A gap that has yet to become an event.
pub(super) struct Unreported {
    gap: v1::Gap,
    began_at: Timestamp,
}

/// Takes the next gap of a lane to report; `None` if there is none, or too many reports wait
/// already.
pub(super) fn take(db: &Connection, lane: Lane) -> rusqlite::Result<Option<Unreported>> {
    let waiting: i64 = db.query_row(
        "SELECT count(*) FROM events WHERE lane = ?1 AND acknowledged_at IS NULL AND gap = 1",
        [lane.number()],
        |row| row.get(0),
    )?;
    if waiting >= WAITING {
        return Ok(None);
    }
    let next = db
        .query_row(
            "DELETE FROM gaps WHERE (reason, lane, epoch) IN
                (SELECT reason, lane, epoch FROM gaps WHERE lane = ?1 LIMIT 1)
             RETURNING reason, epoch, count, first_sequence, last_sequence, began_at",
            [lane.number()],
            |row| {
                let gap = v1::Gap {
                    reason: row.get(0)?,
                    lane: lane.number(),
                    epoch: row.get(1)?,
                    count: number(row.get(2)?),
                    first_sequence: number(row.get(3)?),
                    last_sequence: number(row.get(4)?),
                };
                Ok((gap, row.get::<_, i64>(5)?))
            },
        )
        .optional()?;
    Ok(next.map(|(gap, began_at)| Unreported {
        gap,
        began_at: Timestamp::from_millisecond(began_at).unwrap_or(Timestamp::UNIX_EPOCH),
    }))
}

/// Says whether a lane has gaps to report: the common case is that it has none.
pub(super) fn any(db: &Connection, lane: Lane) -> rusqlite::Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM gaps WHERE lane = ?1)", [lane.number()], |row| {
        row.get(0)
    })
}

impl Unreported {
    /// Writes the report; `observed` carries when the agent speaks.
    pub(super) fn into_payload(self, observed: v1::EventPayload) -> v1::EventPayload {
        v1::EventPayload {
            occurred_at: Some(time::to_wire(self.began_at)),
            content: Some(Content::Gap(self.gap)),
            ..observed
        }
    }
}

/// The severity under which a lane keeps its reports: they have none, and the urgent lane begins at
/// 3.
pub(super) fn severity(lane: Lane) -> u8 {
    match lane {
        Lane::Urgent => 3,
        Lane::Routine => 0,
    }
}

/// Counts events that were given up before they were ever written.
pub(super) fn never_written(
    db: &Connection,
    epoch: Epoch,
    lane: Lane,
    sequence: u64,
    now: Timestamp,
) -> rusqlite::Result<()> {
    evicted(db, epoch.as_bytes(), lane, sql(sequence), now)
}
