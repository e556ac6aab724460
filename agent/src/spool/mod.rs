//! The spool: where an event waits, sealed, until the collector has it.
//!
//! # What always holds
//! - What [`Spool::append`] has returned for is on the disk (SQLite in WAL mode,
//!   `synchronous=FULL`), in one transaction with the checkpoints from which its source goes on. So
//!   a crash at any moment neither loses an event nor captures it twice.
//! - No payload touches the disk unsealed. The key that seals lives in memory and is sealed to the
//!   school ([`redshank_proto::seal`]): after a restart not even the agent can read what waits.
//! - Within an epoch and lane a sequence is used for one payload only, ever, also when its
//!   transaction failed: the nonce is made of it. So numbers are skipped: after a failure, a fold
//!   or an eviction.
//! - What was offered to the uplink ([`Spool::waiting`]) never changes. It leaves by
//!   [`Spool::settle`], or by eviction, and every eviction is counted and reported (`gap`).
//! - The file is bounded: each lane has a quota in bytes, severity 5 a reserve of its own
//!   (`eviction`), the whole a limit that nothing passes. The checkpoints are bounded by themselves
//!   (`checkpoints`), whatever anyone does with his profile folders.
//!
//! # An event's way
//! ```text
//!            ┌─ fold ──┐                        settle: routine ──────────────► deleted
//!            ▼         │                     ┌──────────────────────────────────────────┐
//! append ─► waiting ───┴─► offered (waiting) ┤ settle: urgent ─► acknowledged, 7 days ─► deleted
//!            │                               │                    │        ▲
//!            └─► evicted: counted as a gap   │   meet (new log) ◄─┘────────┘ waits again
//!                                            └ settle: refused ─► dead letters, the newest 64
//! ```
//!
//! # Epochs
//! Each [`Spool::open`] draws an epoch and its data key. The sealed key is stored with the epoch's
//! first event, so that a start without events leaves no trace here or at the collector, and
//! deleted with its last.
//!
//! # When the disk is full
//! The batch rolls back. The spool gives up its ballast (`ballast`), then events in the order of
//! `eviction`, and tries again after each step; at last it gives up, counted, the routine events of
//! the batch itself. An urgent event is never given up for want of disk while it is not yet stored:
//! [`SpoolError::Full`] goes back to the caller, who still has it. Until the ballast is back the
//! file does not grow, and new events take the place of old ones in it.
//!
//! # When the file is damaged
//! [`Spool::open`] checks all of it. A damaged file is set aside (`quarantine`), a new one begun,
//! and a gap of unknown size reported in each lane. Its checkpoints come from a copy that was taken
//! while nothing waited (`copy`), so that sources read again what had not been delivered. The same
//! happens when the file is gone although there was one. Damage that shows later ends the run
//! ([`SpoolError::Damaged`]); the next start sets the file aside.

mod ballast;
mod checkpoints;
mod copy;
mod error;
mod eviction;
mod fold;
mod gap;
mod inner;
mod opening;
mod quarantine;
mod run;
mod schema;
mod settlement;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::{Epoch, Generation, Lane, Position, SchoolId};
use redshank_proto::v1;
use tokio::sync::watch;

pub use self::error::SpoolError;
pub use self::fold::FoldKey;
use self::inner::Inner;
use self::settlement::Settlement;
use crate::observation::Checkpoint;

/// The file's name in the state folder.
pub const FILE: &str = "spool.sqlite";
/// The greatest severity, which has a reserve.
const GRAVEST: u8 = 5;
const MIB: u64 = 1024 * 1024;

/// How much the spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of routine events.
    pub routine_bytes: u64,
    /// Bytes of urgent events, acknowledged ones included.
    pub urgent_bytes: u64,
    /// Bytes beyond that which only severity 5 may use.
    pub gravest_bytes: u64,
    /// Bytes of the file, past which it does not grow whatever happens.
    pub file_bytes: u64,
    /// Bytes kept in reserve, to make room with when the disk is full.
    pub ballast_bytes: u64,
}

impl Default for Limits {
    /// A summer holiday offline: some 30,000 visits, and 8,000 urgent events with their context.
    fn default() -> Self {
        Self {
            routine_bytes: 16 * MIB,
            urgent_bytes: 48 * MIB,
            gravest_bytes: 16 * MIB,
            file_bytes: 128 * MIB,
            ballast_bytes: 2 * MIB,
        }
    }
}

/// One event to be spooled.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// Its lane.
    pub lane: Lane,
    /// 0 (no match) to 5; decides what is given up first.
    pub severity: u8,
    /// What makes it a repeat of another; `None`: it is never folded.
    pub fold: Option<FoldKey>,
    /// Its content.
    pub payload: v1::EventPayload,
}

/// The place of an event in the order in which its lane waits. Never used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(i64);

/// One event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// To go on after.
    pub row: RowId,
    /// What identifies it.
    pub position: Position,
    /// Sealed to the school.
    pub sealed_payload: Vec<u8>,
}

/// How full the spool is, and what it has had to give up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Urgent events that wait.
    pub urgent: u64,
    /// Routine events that wait.
    pub routine: u64,
    /// Bytes of the spool's file.
    pub bytes: u64,
    /// Events given up since enrolment, as far as can be known.
    pub lost: u64,
    /// Events that the collector refused since enrolment.
    pub dead_letters: u64,
}

/// The spool of one school on this device. Every call blocks, on the disk at times: in async code
/// it belongs into `spawn_blocking`.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    inner: Mutex<Inner>,
    appended: watch::Sender<u64>,
}

impl Spool {
    /// Opens the spool in `folder`, which must exist, and begins an epoch sealed to `hpke_key`.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] if another process has it open; [`SpoolError::Seal`] if `hpke_key` is
    /// no key; [`SpoolError::Io`], [`SpoolError::Database`], [`SpoolError::Full`] if the disk
    /// fails. A damaged spool is no error.
    pub fn open(
        folder: &Path,
        school: SchoolId,
        hpke_key: &v1::HpkeKey,
        limits: Limits,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, SpoolError> {
        let inner = Inner::open(folder, school, hpke_key, limits, clock, randomness)?;
        let appended = watch::Sender::new(0);
        Ok(Self { path: folder.join(FILE), inner: Mutex::new(inner), appended })
    }

    /// Makes events and the checkpoints of their sources durable, all or none.
    ///
    /// # Errors
    /// [`SpoolError::Full`] if there is no room and nothing less grave to give up; otherwise as the
    /// disk fails. Nothing of the call has then been stored, and it can be made again. What fails
    /// once the batch is stored is logged, and no error.
    pub fn append(
        &self,
        captured: Vec<Captured>,
        checkpoints: &[Checkpoint],
    ) -> Result<(), SpoolError> {
        let any = !captured.is_empty();
        self.lock().append(captured, checkpoints).map_err(|fault| fault.at(&self.path))?;
        if any {
            self.appended.send_modify(|times| *times = times.wrapping_add(1));
        }
        Ok(())
    }

    /// The checkpoint of each input, of the 4,096 that were written last.
    ///
    /// # Errors
    /// As the disk fails.
    pub fn checkpoints(&self) -> Result<HashMap<String, Vec<u8>>, SpoolError> {
        self.lock().checkpoints().map_err(|fault| fault.at(&self.path))
    }

    /// Offers the events of a lane that wait after a row, in order: at most `max_events`, and at
    /// most `max_bytes` of sealed payload unless the first alone is larger.
    ///
    /// Reports of gaps in the lane become events here.
    ///
    /// # Errors
    /// As the disk fails.
    pub fn waiting(
        &self,
        lane: Lane,
        after: Option<RowId>,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Waiting>, SpoolError> {
        self.lock()
            .waiting(lane, after.unwrap_or_default(), max_events, max_bytes)
            .map_err(|fault| fault.at(&self.path))
    }

    /// The sealed key of an epoch of which an event waits; `None` if none does.
    ///
    /// # Errors
    /// As the disk fails.
    pub fn epoch_key(&self, epoch: Epoch) -> Result<Option<v1::EpochKey>, SpoolError> {
        self.lock().epoch_key(epoch).map_err(|fault| fault.at(&self.path))
    }

    /// Takes an acknowledgement: of what was offered in this run, everything up to
    /// `settled_through` is with the collector, except what it refused (sequence and the number of
    /// the reason).
    ///
    /// # Errors
    /// As the disk fails; the events then still wait.
    pub fn settle(
        &self,
        generation: Generation,
        epoch: Epoch,
        lane: Lane,
        settled_through: u64,
        rejected: &[(u64, i32)],
    ) -> Result<(), SpoolError> {
        let settlement = Settlement { generation, epoch, lane, settled_through, rejected };
        self.lock().settle(&settlement).map_err(|fault| fault.at(&self.path))
    }

    /// Meets a collector's log. Urgent events of the last seven days that another log has
    /// acknowledged wait again: this one was restored from a backup and may lack them. Gives their
    /// number; if it is not 0, the uplink begins again without `after`.
    ///
    /// # Errors
    /// As the disk fails.
    pub fn meet(&self, generation: Generation) -> Result<usize, SpoolError> {
        self.lock().meet(generation).map_err(|fault| fault.at(&self.path))
    }

    /// How full it is.
    ///
    /// # Errors
    /// As the disk fails.
    pub fn stats(&self) -> Result<Stats, SpoolError> {
        self.lock().stats().map_err(|fault| fault.at(&self.path))
    }

    /// Changes whenever events have been appended.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.appended.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves no half-made state here: transactions roll back when dropped.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
