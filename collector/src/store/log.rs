//! The event log: ingest appends, everything behind it reads after a position.
//!
//! An event's identity is (device, epoch, lane, sequence). The same identity with the same digest is the
//! same event, sent again because an acknowledgement was lost: it is settled and not kept twice. The same
//! identity with another digest is a conflict: it is kept beside the first, marked, and a technician is
//! told, because one of the two may be the one that matters. [`Edit::append`] is durable when the write it
//! is part of returns; only then may anything be acknowledged.
//!
//! The sealed content lies in a row of its own that can be deleted; the log keeps its digest.
//!
//! A device has at most [`bounds::EPOCHS_PER_DEVICE`] epochs. At the bound, its oldest are forgotten with
//! their marks, as soon as nothing needs their keys: they were announced longer ago than content is kept,
//! nothing came in them since, and every cursor has passed what did. If none can be forgotten, the device
//! has to wait; nothing of it is refused for good. A forgotten epoch that is announced again gets its marks
//! back from the log.

use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;
use redshank_proto::id::{DeviceId, Epoch, Lane, Position, SchoolId};
use redshank_proto::{bounds, v1};
use rusqlite::{OptionalExtension as _, Row};

use super::alarms::AlarmKind;
use super::scope::Purpose;
use super::value::{collect, id, time};
use super::{Edit, StoreError, View};

/// How long an event's sealed content is kept: a term of 14 weeks, so that an event that was set aside can
/// still be read after a repair, and what led up to a concern can be looked at within the term.
const CONTENT_DAYS: i64 = 14 * 7;
/// Epochs of a device that are forgotten at once: each costs a look at its events, while everybody's writes
/// wait.
const FORGOTTEN_AT_ONCE: u32 = 16;

/// An event as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its place in the log; never shown to anybody.
    pub position: i64,
    /// Its school.
    pub school: SchoolId,
    /// Its device.
    pub device: DeviceId,
    /// With lane and sequence: what identifies it.
    pub epoch: Epoch,
    /// Its lane.
    pub lane: Lane,
    /// Its sequence.
    pub sequence: u64,
    /// When it was taken.
    pub received_at: Timestamp,
    /// The device's clock minus ours, in microseconds, as estimated at that connect.
    pub skew_micros: i64,
    /// Whether the device was approved.
    pub verified: bool,
    /// Whether the device was a known clone.
    pub forked: bool,
    /// Whether its identity had been used for another payload.
    pub conflict: bool,
    /// The sealed payload; `None` once it is past its time.
    pub sealed: Option<Vec<u8>>,
}

/// An event to be appended, within its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Epoch, lane and sequence.
    pub position: Position,
    /// SHA-256 of the sealed payload.
    pub digest: [u8; 32],
    /// The sealed payload.
    pub sealed: Vec<u8>,
}

/// What is known of a device as it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reception {
    /// Its school.
    pub school: SchoolId,
    /// The device.
    pub device: DeviceId,
    /// Its clock minus ours, in microseconds.
    pub skew_micros: i64,
}

/// How many of a batch were what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// New in the log.
    pub new: u32,
    /// In the log already.
    pub known: u32,
    /// New, under an identity that another payload had.
    pub conflicting: u32,
}

/// What became of an epoch's announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// Its events can be taken.
    Taken,
    /// Not yet: the device has as many epochs as it may, and all of them are needed.
    TooMany,
}

impl View<'_> {
    /// The events after a position, in order; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn events_after(&self, position: i64, limit: u32) -> Result<Vec<LoggedEvent>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let mut statement = self.sql().prepare_cached(
            "SELECT e.position, e.school, e.device, e.epoch, e.lane, e.sequence, e.received_at,
               e.skew_micros, e.verified, e.forked, e.conflict, c.sealed
             FROM events e LEFT JOIN event_contents c ON c.position = e.position
             WHERE e.position > ?1 ORDER BY e.position LIMIT ?2",
        )?;
        collect(statement.query((position, limit))?, read)
    }

    /// The key of an epoch, sealed to the school, as the device announced it first.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn epoch_key(
        &self,
        device: DeviceId,
        epoch: Epoch,
    ) -> Result<Option<v1::EpochKey>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let key: Option<Vec<u8>> = self
            .sql()
            .prepare_cached("SELECT key FROM epochs WHERE device = ?1 AND epoch = ?2")?
            .query_row((device.as_bytes(), epoch.as_bytes()), |row| row.get(0))
            .optional()?;
        key.map(|key| v1::EpochKey::decode(key.as_slice()))
            .transpose()
            .map_err(|_| StoreError::Malformed("epoch key"))
    }
}

impl Edit<'_> {
    /// Keeps the key of an epoch. The first announcement stands; another for the same epoch changes nothing.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the device itself asks.
    pub fn announce_epoch(
        &self,
        school: SchoolId,
        device: DeviceId,
        epoch: Epoch,
        key: &v1::EpochKey,
    ) -> Result<Announced, StoreError> {
        self.require_device(school, device)?;
        let (known, epochs): (bool, u32) = self
            .sql()
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM epochs WHERE device = ?1 AND epoch = ?2),
                   (SELECT count(*) FROM epochs WHERE device = ?1)",
            )?
            .query_row((device.as_bytes(), epoch.as_bytes()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if known {
            return Ok(Announced::Taken);
        }
        if epochs >= bounds::EPOCHS_PER_DEVICE && self.forget_epochs(device)? == 0 {
            self.raise_alarm(school, Some(device), AlarmKind::HeldBack, 1)?;
            return Ok(Announced::TooMany);
        }
        self.sql()
            .prepare_cached(
                "INSERT INTO epochs (device, epoch, key, announced_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((
                device.as_bytes(),
                epoch.as_bytes(),
                key.encode_to_vec(),
                self.now().as_microsecond(),
            ))?;
        self.restore_marks(device, epoch)?;
        Ok(Announced::Taken)
    }

    /// Notes that a device sends more than is kept of one, so that a technician hears of it.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the device itself asks.
    pub fn hold_back(&self, school: SchoolId, device: DeviceId) -> Result<(), StoreError> {
        self.require_device(school, device)?;
        self.raise_alarm(school, Some(device), AlarmKind::HeldBack, 1)
    }

    /// Appends a batch. Whether the device is approved and forked is looked up here, in the same
    /// transaction, so that an approval counts from the next batch on.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the device itself asks; [`StoreError::Missing`] if it was revoked
    /// meanwhile.
    pub fn append(
        &self,
        reception: &Reception,
        arrivals: &[Arrival],
    ) -> Result<Appended, StoreError> {
        let (school, device) = (reception.school, reception.device);
        self.require_device(school, device)?;
        let standing = self
            .sql()
            .prepare_cached(
                "UPDATE devices SET last_seen_at = ?3
                 WHERE device = ?1 AND school = ?2 AND status <> 'revoked'
                 RETURNING status = 'approved', forked_at IS NOT NULL",
            )?
            .query_row((device.as_bytes(), school.as_bytes(), self.now().as_microsecond()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?
            .ok_or(StoreError::Missing("device"))?;
        let mut appended = Appended::default();
        for arrival in arrivals {
            match self.fate(device, arrival)? {
                Fate::Known => appended.known += 1,
                Fate::New => {
                    self.insert_event(reception, standing, arrival, false)?;
                    appended.new += 1;
                }
                Fate::Conflict => {
                    self.insert_event(reception, standing, arrival, true)?;
                    appended.conflicting += 1;
                }
            }
        }
        if appended.conflicting > 0 {
            let count = u64::from(appended.conflicting);
            self.raise_alarm(school, Some(device), AlarmKind::Conflict, count)?;
        }
        Ok(appended)
    }

    /// Forgets the oldest of a device's epochs that nothing needs any more; says how many.
    fn forget_epochs(&self, device: DeviceId) -> Result<usize, StoreError> {
        let kept_since = self
            .now()
            .checked_sub((CONTENT_DAYS * 24).hours())
            .unwrap_or(Timestamp::MIN)
            .as_microsecond();
        let mut statement = self.sql().prepare_cached(
            "SELECT epoch FROM epochs o WHERE device = ?1 AND announced_at < ?2
               AND NOT EXISTS (SELECT 1 FROM events e
                 WHERE e.device = o.device AND e.epoch = o.epoch AND (e.received_at >= ?2
                   OR e.position > coalesce((SELECT min(position) FROM cursors), 0)))
             ORDER BY announced_at LIMIT ?3",
        )?;
        let device = device.as_bytes();
        let epochs: Vec<Epoch> =
            collect(statement.query((device, kept_since, FORGOTTEN_AT_ONCE))?, |row| {
                id(row, "epoch")
            })?;
        for epoch in &epochs {
            for table in [
                "DELETE FROM marks WHERE device = ?1 AND epoch = ?2",
                "DELETE FROM epochs WHERE device = ?1 AND epoch = ?2",
            ] {
                self.sql().prepare_cached(table)?.execute((device, epoch.as_bytes()))?;
            }
        }
        Ok(epochs.len())
    }

    /// Gives an epoch that is announced again after it was forgotten the marks that its events call for.
    fn restore_marks(&self, device: DeviceId, epoch: Epoch) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "INSERT INTO marks (device, epoch, lane, high_water)
                 SELECT device, epoch, lane, max(sequence) FROM events
                 WHERE device = ?1 AND epoch = ?2 GROUP BY lane
                 ON CONFLICT DO NOTHING",
            )?
            .execute((device.as_bytes(), epoch.as_bytes()))?;
        Ok(())
    }

    fn fate(&self, device: DeviceId, arrival: &Arrival) -> Result<Fate, StoreError> {
        let Position { epoch, lane, sequence } = arrival.position;
        let (lane, sequence) = (lane.number(), column(sequence)?);
        let mark: Option<(i64, i64)> = self
            .sql()
            .prepare_cached(
                "SELECT high_water, forgotten FROM marks WHERE device = ?1 AND epoch = ?2 AND lane = ?3",
            )?
            .query_row((device.as_bytes(), epoch.as_bytes(), lane), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match mark {
            // What is past the mark cannot be in the log.
            Some((high_water, _)) if sequence > high_water => return Ok(Fate::New),
            None => return Ok(Fate::New),
            // It was in the log, and has left it since.
            Some((_, forgotten)) if sequence <= forgotten => return Ok(Fate::Known),
            Some(_) => {}
        }
        let (used, same): (bool, bool) = self
            .sql()
            .prepare_cached(
                "SELECT count(*) > 0, coalesce(max(digest = ?5), 0) FROM events
                 WHERE device = ?1 AND epoch = ?2 AND lane = ?3 AND sequence = ?4",
            )?
            .query_row(
                (device.as_bytes(), epoch.as_bytes(), lane, sequence, arrival.digest),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        Ok(match (used, same) {
            (false, _) => Fate::New,
            (true, true) => Fate::Known,
            (true, false) => Fate::Conflict,
        })
    }

    fn insert_event(
        &self,
        reception: &Reception,
        (verified, forked): (bool, bool),
        arrival: &Arrival,
        conflict: bool,
    ) -> Result<(), StoreError> {
        let Position { epoch, lane, sequence } = arrival.position;
        let (school, device) = (reception.school.as_bytes(), reception.device.as_bytes());
        let sequence = column(sequence)?;
        self.sql()
            .prepare_cached(
                "INSERT INTO events (school, device, epoch, lane, sequence, digest, received_at,
                   skew_micros, verified, forked, conflict)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                school,
                device,
                epoch.as_bytes(),
                lane.number(),
                sequence,
                arrival.digest,
                self.now().as_microsecond(),
                reception.skew_micros,
                verified,
                forked,
                conflict,
            ))?;
        let position = self.sql().last_insert_rowid();
        let expires = self.now().checked_add((CONTENT_DAYS * 24).hours());
        self.sql()
            .prepare_cached(
                "INSERT INTO event_contents (position, school, kind, expires_at, sealed)
                 VALUES (?1, ?2, 'event', ?3, ?4)",
            )?
            .execute((
                position,
                school,
                expires.unwrap_or(Timestamp::MAX).as_microsecond(),
                &arrival.sealed,
            ))?;
        self.sql()
            .prepare_cached(
                "INSERT INTO marks (device, epoch, lane, high_water) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (device, epoch, lane)
                 DO UPDATE SET high_water = max(high_water, excluded.high_water)",
            )?
            .execute((device, epoch.as_bytes(), lane.number(), sequence))?;
        Ok(())
    }
}

/// What an arriving event is to the log.
enum Fate {
    New,
    Known,
    Conflict,
}

fn column(sequence: u64) -> Result<i64, StoreError> {
    i64::try_from(sequence).map_err(|_| StoreError::Malformed("sequence"))
}

fn read(row: &Row<'_>) -> Result<LoggedEvent, StoreError> {
    Ok(LoggedEvent {
        position: row.get("position")?,
        school: id(row, "school")?,
        device: id(row, "device")?,
        epoch: id(row, "epoch")?,
        lane: Lane::from_number(row.get("lane")?).ok_or(StoreError::Malformed("lane"))?,
        sequence: super::value::count(row, "sequence")?,
        received_at: time(row, "received_at")?,
        skew_micros: row.get("skew_micros")?,
        verified: row.get("verified")?,
        forked: row.get("forked")?,
        conflict: row.get("conflict")?,
        sealed: row.get("sealed")?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
