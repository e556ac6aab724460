//! The epoch of this run: its sequences, and the sealing of what is stored in it.

use prost::Message as _;
use redshank_proto::clock::Randomness;
use redshank_proto::id::{Lane, Position, SchoolId};
use redshank_proto::seal::{self, EpochCipher, SealError};
use redshank_proto::v1;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Fault;
use super::schema::{number, sql};
use super::{Captured, RowId, fold};

/// What a row costs beside its payload: columns and index entries, rounded up.
const ROW_BYTES: u64 = 256;

/// The epoch of this run.
#[derive(Debug)]
pub(super) struct Run {
    cipher: EpochCipher,
    key: v1::EpochKey,
    /// The last sequence used in each lane.
    used: [u64; 2],
}

impl Run {
    /// Draws an epoch and seals its key to the school.
    pub(super) fn begin(
        school: SchoolId,
        hpke_key: &v1::HpkeKey,
        randomness: &dyn Randomness,
    ) -> Result<Self, SealError> {
        let (cipher, key) = seal::begin_epoch(school, hpke_key, randomness)?;
        Ok(Self { cipher, key, used: [0; 2] })
    }

    /// Uses the next sequence of a lane, for good.
    pub(super) fn next(&mut self, lane: Lane) -> Position {
        let used = &mut self.used[lane as usize];
        // One a nanosecond would take three centuries to the end of them.
        *used = used.saturating_add(1);
        Position { epoch: self.cipher.epoch(), lane, sequence: *used }
    }

    pub(super) fn insert(
        &mut self,
        db: &Connection,
        lane: Lane,
        severity: u8,
        gap: bool,
        payload: &v1::EventPayload,
    ) -> Result<RowId, Fault> {
        let position = self.next(lane);
        let sealed = self.cipher.seal(position, payload.encode_to_vec())?;
        db.execute(
            "INSERT INTO epochs VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (position.epoch.as_bytes(), self.key.encode_to_vec()),
        )?;
        db.execute(
            "INSERT INTO events (epoch, lane, sequence, severity, gap, bytes, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                position.epoch.as_bytes(),
                lane.number(),
                sql(position.sequence),
                severity,
                gap,
                sql(sealed.len() as u64 + ROW_BYTES),
                sealed
            ],
        )?;
        Ok(RowId(db.last_insert_rowid()))
    }

    /// Takes an event that waits out of the spool, with a repeat of it counted in. `None` if it has
    /// gone, or cannot be read: then the repeat stands for itself.
    pub(super) fn take_back(
        &self,
        db: &Connection,
        repeat: &Captured,
        row: RowId,
    ) -> Result<Option<v1::EventPayload>, Fault> {
        let stored = db
            .query_row(
                "SELECT sequence, sealed FROM events
                 WHERE id = ?1 AND epoch = ?2 AND acknowledged_at IS NULL",
                (row.0, self.cipher.epoch().as_bytes()),
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )
            .optional()?;
        let Some((sequence, sealed)) = stored else { return Ok(None) };
        let position =
            Position { epoch: self.cipher.epoch(), lane: repeat.lane, sequence: number(sequence) };
        let opened = match self.cipher.open(position, &sealed) {
            Err(SealError::DoesNotOpen(_)) => return Ok(None),
            other => other?,
        };
        let merged = fold::merge(&opened, &repeat.payload);
        if merged.is_some() {
            db.execute("DELETE FROM events WHERE id = ?1", [row.0])?;
        }
        Ok(merged)
    }
}
