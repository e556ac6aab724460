//! What becomes of events once the collector has spoken.
//!
//! An acknowledgement is believed only about what was offered in this run: a collector that claims
//! more takes nothing from the spool. Routine events are deleted. Urgent ones stay for
//! [`bounds::URGENT_KEPT_FOR`], marked with the log generation that has them: a collector restored
//! from a backup draws a new generation, and they wait again. Refused events become dead letters:
//! counted all, kept the newest [`DEAD_LETTERS`], sent never again.

use jiff::{SignedDuration, Timestamp};
use redshank_proto::bounds;
use redshank_proto::id::{Epoch, Generation, Lane};
use rusqlite::{Connection, params};

use super::RowId;
use super::schema::{self, sql};

/// Refused events that are kept for a technician to send in; at most 4 MiB.
pub(super) const DEAD_LETTERS: i64 = 64;

/// Events deleted at a time on a full disk: as many as the write-ahead log has room to delete.
pub(super) const CHUNK: usize = 16;

/// What the collector said of one epoch and lane.
pub(super) struct Settlement<'a> {
    pub(super) generation: Generation,
    pub(super) epoch: Epoch,
    pub(super) lane: Lane,
    pub(super) settled_through: u64,
    /// Sequence, and the number of its [`RejectionReason`](redshank_proto::v1::RejectionReason).
    pub(super) rejected: &'a [(u64, i32)],
}

impl Settlement<'_> {
    /// Carries it out on the events up to the row that the uplink was last given.
    pub(super) fn apply(
        &self,
        db: &Connection,
        offered: RowId,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        for (sequence, reason) in self.rejected {
            self.reject(db, offered, *sequence, Some(*reason))?;
        }
        let place =
            (self.epoch.as_bytes(), self.lane.number(), sql(self.settled_through), offered.0);
        match self.lane {
            Lane::Routine => db.execute(
                "DELETE FROM events
                 WHERE epoch = ?1 AND lane = ?2 AND sequence <= ?3 AND id <= ?4
                    AND acknowledged_at IS NULL",
                place,
            )?,
            Lane::Urgent => db.execute(
                "UPDATE events SET acknowledged_at = ?5, generation = ?6
                 WHERE epoch = ?1 AND lane = ?2 AND sequence <= ?3 AND id <= ?4
                    AND acknowledged_at IS NULL",
                params![
                    place.0,
                    place.1,
                    place.2,
                    place.3,
                    now.as_second(),
                    self.generation.as_bytes()
                ],
            )?,
        };
        drop_outdated(db, now)
    }

    /// Counts some of the refused events and keeps nothing of them.
    pub(super) fn delete_refused(
        &self,
        db: &Connection,
        offered: RowId,
        some: &[(u64, i32)],
    ) -> rusqlite::Result<()> {
        some.iter().try_for_each(|(sequence, _)| self.reject(db, offered, *sequence, None))
    }

    /// Deletes some of the settled events and keeps nothing of them; gives how many.
    pub(super) fn delete_some(&self, db: &Connection, offered: RowId) -> rusqlite::Result<usize> {
        db.execute(
            "DELETE FROM events WHERE id IN
                (SELECT id FROM events
                 WHERE epoch = ?1 AND lane = ?2 AND sequence <= ?3 AND id <= ?4
                    AND acknowledged_at IS NULL
                 LIMIT ?5)",
            params![
                self.epoch.as_bytes(),
                self.lane.number(),
                sql(self.settled_through),
                offered.0,
                sql(CHUNK as u64)
            ],
        )
    }

    fn reject(
        &self,
        db: &Connection,
        offered: RowId,
        sequence: u64,
        kept_for: Option<i32>,
    ) -> rusqlite::Result<()> {
        let place = (self.epoch.as_bytes(), self.lane.number(), sql(sequence), offered.0);
        if let Some(reason) = kept_for {
            db.execute(
                "INSERT INTO dead_letters (epoch, lane, sequence, reason, sealed)
                 SELECT epoch, lane, sequence, ?5, sealed FROM events
                 WHERE epoch = ?1 AND lane = ?2 AND sequence = ?3 AND id <= ?4
                    AND acknowledged_at IS NULL",
                params![place.0, place.1, place.2, place.3, reason],
            )?;
            db.execute(
                "DELETE FROM dead_letters WHERE id <=
                    (SELECT id FROM dead_letters ORDER BY id DESC LIMIT 1 OFFSET ?1)",
                [DEAD_LETTERS],
            )?;
        }
        let refused = db.execute(
            "DELETE FROM events WHERE epoch = ?1 AND lane = ?2 AND sequence = ?3 AND id <= ?4
                AND acknowledged_at IS NULL",
            place,
        )?;
        if refused == 0 {
            return Ok(());
        }
        schema::count(db, "dead_letters", 1)
    }
}

/// Makes acknowledged urgent events that another log generation has wait again; gives their number.
pub(super) fn wait_again(
    db: &Connection,
    generation: Generation,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    drop_outdated(db, now)?;
    db.execute(
        "UPDATE events SET acknowledged_at = NULL, generation = NULL
         WHERE acknowledged_at IS NOT NULL AND generation IS NOT ?1",
        [generation.as_bytes()],
    )
}

/// Deletes acknowledged events past their time, and the keys of epochs of which nothing is left.
pub(super) fn drop_outdated(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let kept = SignedDuration::try_from(bounds::URGENT_KEPT_FOR).unwrap_or(SignedDuration::MAX);
    let since = now.checked_sub(kept).unwrap_or(Timestamp::MIN);
    db.execute("DELETE FROM events WHERE acknowledged_at < ?1", [since.as_second()])?;
    schema::drop_spent_epochs(db)
}
