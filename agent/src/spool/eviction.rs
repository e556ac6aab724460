//! What the spool gives up when there is no more room, and in which order.
//!
//! | room runs out for | given up, in this order |
//! |---|---|
//! | routine | the oldest routine |
//! | urgent of severity 3 and 4 | acknowledged, oldest first; then the least severe, oldest first |
//! | urgent of severity 5, past its reserve | the same, then the oldest of severity 5 |
//! | the disk itself | acknowledged urgent; routine; then what is less severe than what comes |
//!
//! Severity 5 may use the whole urgent quota and a reserve that nothing else may. An event that
//! arrives and is itself the least severe is the one that goes. Acknowledged events are with the
//! collector already, so that giving them up is no gap; everything else is counted (`gap`). An
//! event that was sent and not yet acknowledged may be counted although it arrived: the collector
//! knows it by its identity.

use jiff::Timestamp;
use redshank_proto::id::Lane;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema::number;
use super::{GRAVEST, Limits, gap};

/// Events given up at a time when the disk is full, before another try: as many as the write-ahead
/// log has room to delete.
const CHUNK: usize = 16;

/// How much an event is worth on a full disk: routine is worth less than any urgent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u8);

impl Rank {
    pub(super) fn of(lane: Lane, severity: u8) -> Self {
        match lane {
            Lane::Routine => Self(0),
            Lane::Urgent => Self(severity.max(1)),
        }
    }
}

/// Bytes in use.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Use {
    routine: u64,
    /// Urgent, severity 5 left out; acknowledged ones included.
    urgent: u64,
    gravest: u64,
}

/// A lane that holds more than it may, and the greatest severity that must make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Excess {
    lane: Lane,
    up_to: u8,
}

impl Use {
    fn read(db: &Connection) -> rusqlite::Result<Self> {
        let mut of = Self::default();
        let mut statement = db.prepare("SELECT lane, severity, bytes FROM tallies")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let bytes = number(row.get(2)?);
            match Lane::from_number(row.get(0)?) {
                Some(Lane::Urgent) if row.get::<_, u8>(1)? >= GRAVEST => of.gravest += bytes,
                Some(Lane::Urgent) => of.urgent += bytes,
                Some(Lane::Routine) | None => of.routine += bytes,
            }
        }
        Ok(of)
    }

    fn excess(self, limits: &Limits) -> Option<Excess> {
        if self.routine > limits.routine_bytes {
            Some(Excess { lane: Lane::Routine, up_to: GRAVEST })
        } else if self.urgent > limits.urgent_bytes {
            Some(Excess { lane: Lane::Urgent, up_to: GRAVEST - 1 })
        } else if self.urgent + self.gravest > limits.urgent_bytes + limits.gravest_bytes {
            Some(Excess { lane: Lane::Urgent, up_to: GRAVEST })
        } else {
            None
        }
    }
}

/// Evicts until every lane keeps to its quota.
pub(super) fn enforce(db: &Connection, limits: &Limits, now: Timestamp) -> rusqlite::Result<()> {
    while let Some(excess) = Use::read(db)?.excess(limits) {
        let evicted = match excess.lane {
            Lane::Routine => routine(db, now)?,
            Lane::Urgent => acknowledged(db, excess.up_to)? || urgent(db, excess.up_to, now)?,
        };
        // Nothing but reports of gaps is left, which are bounded in number.
        if !evicted {
            break;
        }
    }
    Ok(())
}

/// Gives up some of what is worth less than `rank`, because the disk is full; says whether there
/// was any.
pub(super) fn make_room(db: &Connection, rank: Rank, now: Timestamp) -> rusqlite::Result<bool> {
    let mut any = false;
    for _ in 0..CHUNK {
        let evicted = acknowledged(db, GRAVEST)?
            || routine(db, now)?
            || (rank.0 > 0 && urgent(db, rank.0 - 1, now)?);
        any |= evicted;
        if !evicted {
            break;
        }
    }
    Ok(any)
}

/// Gives up the oldest acknowledged event of at most this severity.
fn acknowledged(db: &Connection, up_to: u8) -> rusqlite::Result<bool> {
    let deleted = db.execute(
        "DELETE FROM events WHERE id =
            (SELECT id FROM events WHERE acknowledged_at IS NOT NULL AND severity <= ?1
             ORDER BY id LIMIT 1)",
        [up_to],
    )?;
    Ok(deleted > 0)
}

/// Gives up the oldest routine event.
fn routine(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    evict(
        db,
        "DELETE FROM events WHERE id =
            (SELECT id FROM events
             WHERE lane = ?1 AND severity <= ?2 AND acknowledged_at IS NULL AND gap = 0
             ORDER BY id LIMIT 1)
         RETURNING epoch, sequence",
        Lane::Routine,
        GRAVEST,
        now,
    )
}

/// Gives up the least severe urgent event of at most this severity, the oldest of them.
fn urgent(db: &Connection, up_to: u8, now: Timestamp) -> rusqlite::Result<bool> {
    evict(
        db,
        "DELETE FROM events WHERE id =
            (SELECT id FROM events
             WHERE lane = ?1 AND severity <= ?2 AND acknowledged_at IS NULL AND gap = 0
             ORDER BY severity, id LIMIT 1)
         RETURNING epoch, sequence",
        Lane::Urgent,
        up_to,
        now,
    )
}

fn evict(
    db: &Connection,
    statement: &str,
    lane: Lane,
    up_to: u8,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let victim = db
        .query_row(statement, params![lane.number(), up_to], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((epoch, sequence)) = victim else { return Ok(false) };
    gap::evicted(db, &epoch, lane, sequence, now)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_has_its_quota_and_the_gravest_a_reserve() {
        let limits =
            Limits { routine_bytes: 10, urgent_bytes: 10, gravest_bytes: 5, ..Limits::default() };
        let urgent = |up_to| Some(Excess { lane: Lane::Urgent, up_to });
        for (routine, urgent_bytes, gravest, expected) in [
            (10, 10, 5, None),
            (11, 0, 0, Some(Excess { lane: Lane::Routine, up_to: 5 })),
            (0, 11, 0, urgent(4)),
            (0, 0, 15, None),
            (0, 0, 16, urgent(5)),
            (0, 4, 12, urgent(5)),
        ] {
            let of = Use { routine, urgent: urgent_bytes, gravest };
            assert_eq!(of.excess(&limits), expected, "{of:?}");
        }
    }

    #[test]
    fn routine_is_worth_less_than_any_urgent_event() {
        assert!(Rank::of(Lane::Routine, 2) < Rank::of(Lane::Urgent, 3));
        assert!(Rank::of(Lane::Urgent, 3) < Rank::of(Lane::Urgent, 5));
    }
}
