//! The spool behind its lock: one connection, the epoch of this run, and what was offered in it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use prost::Message as _;
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::{Epoch, Generation, Lane, Position, SchoolId};
use redshank_proto::{time, v1};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::ballast::Ballast;
use super::copy::{Copy, CopyFile};
use super::error::{Fault, Meaning, SpoolError};
use super::eviction::{self, Rank};
use super::fold::Folds;
use super::run::Run;
use super::schema::{self, number, sql};
use super::settlement::{self, Settlement};
use super::{Captured, Limits, RowId, Stats, Waiting, checkpoints, gap, opening};
use crate::observation::Checkpoint;

/// What a batch needs beside twice its payloads (rows are split over pages): indices, checkpoints.
const MARGIN_BYTES: u64 = 64 * 1024;

pub(super) struct Inner {
    db: Connection,
    run: Run,
    folds: Folds,
    offered: Offered,
    ballast: Ballast,
    copy: CopyFile,
    limits: Limits,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// The last row that was offered in each lane, in this run.
#[derive(Debug, Default)]
struct Offered([RowId; 2]);

impl Inner {
    pub(super) fn open(
        folder: &Path,
        school: SchoolId,
        hpke_key: &v1::HpkeKey,
        limits: Limits,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, SpoolError> {
        let run = Run::begin(school, hpke_key, &*randomness)?;
        let copy = CopyFile::new(folder);
        let db = opening::open_or_begin(folder, &limits, &copy, &*clock)?;
        let ballast = Ballast::take(folder, limits.ballast_bytes, &*randomness);
        let inner = Self {
            db,
            run,
            folds: Folds::default(),
            offered: Offered::default(),
            ballast,
            copy,
            limits,
            clock,
            randomness,
        };
        if !inner.ballast.is_held() {
            inner.hold_size().map_err(|fault| fault.at(&folder.join(super::FILE)))?;
        }
        Ok(inner)
    }

    pub(super) fn append(
        &mut self,
        mut captured: Vec<Captured>,
        checkpoints: &[Checkpoint],
    ) -> Result<(), Fault> {
        let rank = captured.iter().map(|event| Rank::of(event.lane, event.severity)).max();
        let rank = rank.unwrap_or(Rank::of(Lane::Routine, 0));
        let bytes = captured.iter().map(|event| event.payload.encoded_len() as u64).sum();
        let mut given_up = 0;
        loop {
            match self.write(&captured, checkpoints, given_up) {
                Ok(()) => break,
                Err(fault) => {
                    // The rows that this transaction remembered never came to be.
                    self.folds.forget();
                    if fault.meaning() != Meaning::Full {
                        return Err(fault);
                    }
                    if self.make_room(rank, bytes)? {
                        continue;
                    }
                    let before = captured.len();
                    captured.retain(|event| event.lane == Lane::Urgent);
                    if captured.len() == before {
                        return Err(fault);
                    }
                    given_up += before - captured.len();
                }
            }
        }
        self.tidy();
        Ok(())
    }

    pub(super) fn checkpoints(&self) -> Result<HashMap<String, Vec<u8>>, Fault> {
        Ok(checkpoints::read(&self.db)?)
    }

    pub(super) fn waiting(
        &mut self,
        lane: Lane,
        after: RowId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Waiting>, Fault> {
        self.report_gaps(lane)?;
        let mut statement = self.db.prepare(
            "SELECT id, epoch, sequence, sealed FROM events
             WHERE lane = ?1 AND acknowledged_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = statement.query(params![lane.number(), after.0, sql(max_events as u64)])?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let sealed_payload: Vec<u8> = row.get(3)?;
            bytes += sealed_payload.len();
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            let epoch = Epoch::from_bytes(row.get(1)?);
            let position = Position { epoch, lane, sequence: number(row.get(2)?) };
            found.push(Waiting { row: RowId(row.get(0)?), position, sealed_payload });
        }
        if let Some(last) = found.last() {
            self.offered.through(lane, last.row);
            self.folds.offered(lane, last.row);
        }
        Ok(found)
    }

    pub(super) fn epoch_key(&self, epoch: Epoch) -> Result<Option<v1::EpochKey>, Fault> {
        let stored = self
            .db
            .query_row("SELECT key FROM epochs WHERE epoch = ?1", [epoch.as_bytes()], |row| {
                row.get::<_, Vec<u8>>(0)
            })
            .optional()?;
        Ok(stored.and_then(|key| v1::EpochKey::decode(key.as_slice()).ok()))
    }

    pub(super) fn settle(&mut self, settlement: &Settlement<'_>) -> Result<(), Fault> {
        let (now, offered) = (self.clock.now(), self.offered.last(settlement.lane));
        match self.transact(|db| settlement.apply(db, offered, now)) {
            Err(fault) if fault.meaning() == Meaning::Full => {
                for some in settlement.rejected.chunks(settlement::CHUNK) {
                    self.transact(|db| settlement.delete_refused(db, offered, some))?;
                    schema::restart_log(&self.db)?;
                }
                while self.transact(|db| settlement.delete_some(db, offered))? > 0 {
                    schema::restart_log(&self.db)?;
                }
                self.transact(|db| settlement::drop_outdated(db, now))?;
            }
            other => other?,
        }
        self.tidy();
        Ok(())
    }

    pub(super) fn meet(&mut self, generation: Generation) -> Result<usize, Fault> {
        let now = self.clock.now();
        self.transact(|db| settlement::wait_again(db, generation, now))
    }

    pub(super) fn stats(&self) -> Result<Stats, Fault> {
        let number_of = |pragma| {
            self.db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map(number)
        };
        Ok(Stats {
            urgent: self.count_waiting(Lane::Urgent)?,
            routine: self.count_waiting(Lane::Routine)?,
            bytes: number_of("page_count")?.saturating_mul(number_of("page_size")?),
            lost: schema::counted(&self.db, "lost")?,
            dead_letters: schema::counted(&self.db, "dead_letters")?,
        })
    }

    /// Writes a batch in one transaction; `given_up` routine events of it are counted as a gap.
    fn write(
        &mut self,
        captured: &[Captured],
        checkpoints: &[Checkpoint],
        given_up: usize,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let transaction = begin(&mut self.db)?;
        for event in captured {
            let repeated =
                event.fold.and_then(|key| self.folds.find(key, event.lane, event.severity));
            let merged = match repeated {
                Some(row) => self.run.take_back(&transaction, event, row)?,
                None => None,
            };
            let payload = merged.as_ref().unwrap_or(&event.payload);
            let row = self.run.insert(&transaction, event.lane, event.severity, false, payload)?;
            if let Some(key) = event.fold {
                self.folds.remember(key, row, event.lane, event.severity);
            }
        }
        for _ in 0..given_up {
            let lost = self.run.next(Lane::Routine);
            gap::never_written(&transaction, lost.epoch, lost.lane, lost.sequence, now)?;
        }
        checkpoints::keep(
            &transaction,
            checkpoints.iter().map(|it| (it.input.as_str(), it.place.as_slice())),
        )?;
        eviction::enforce(&transaction, &self.limits, now)?;
        schema::drop_spent_epochs(&transaction)?;
        Ok(transaction.commit()?)
    }

    /// Makes room on a full disk for a batch of this size; says whether it is worth another try.
    fn make_room(&mut self, rank: Rank, bytes: u64) -> Result<bool, Fault> {
        let [page, pages, free] = ["page_size", "page_count", "freelist_count"].map(|name| {
            self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(number)
        });
        let (page, pages, free) = (page?, pages?, free?);
        let needed = (2 * bytes + MARGIN_BYTES) / page;
        if pages + needed < self.limits.file_bytes / page && self.give_up_ballast()? {
            return Ok(true);
        }
        if free > needed {
            // The file has room: it is the log that has none, and no eviction makes any there.
            return Ok(false);
        }
        let evict = |db: &mut Connection, now| -> Result<bool, Fault> {
            let transaction = begin(db)?;
            let any = eviction::make_room(&transaction, rank, now)?;
            schema::drop_spent_epochs(&transaction)?;
            transaction.commit()?;
            schema::restart_log(db)?;
            Ok(any)
        };
        match evict(&mut self.db, self.clock.now()) {
            // So full that nothing can be deleted: the batch goes back to the caller.
            Err(fault) if fault.meaning() == Meaning::Full => Ok(false),
            other => other,
        }
    }

    /// Gives up the ballast, if there is one, to bring what the log holds into the file.
    fn give_up_ballast(&mut self) -> Result<bool, Fault> {
        if !self.ballast.release(self.clock.since_boot()) {
            return Ok(false);
        }
        match schema::restart_log(&self.db).map_err(Fault::from) {
            Err(fault) if fault.meaning() != Meaning::Full => return Err(fault),
            _ => {}
        }
        self.hold_size()?;
        Ok(true)
    }

    /// Keeps the file from growing while there is no ballast: a log that cannot be brought into the
    /// file on a full disk can neither be written over, and then nothing can be deleted.
    fn hold_size(&self) -> Result<(), Fault> {
        let pages: i64 = self.db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(schema::limit_pages(&self.db, number(pages))?)
    }

    /// Does what can wait, after a transaction that is committed: its failure is none of the caller's,
    /// who would take what is stored for not stored and store it twice.
    fn tidy(&mut self) {
        for outcome in [self.restore_ballast(), self.copy_if_drained()] {
            if let Err(fault) = outcome {
                tracing::warn!(error = %fault, "the spool could not be tidied; it is tried again");
            }
        }
    }

    /// Takes the ballast again, if it is time, and lets the file grow.
    fn restore_ballast(&mut self) -> Result<(), Fault> {
        if !self.ballast.is_held() {
            self.ballast.restore(self.clock.since_boot(), &*self.randomness);
            if self.ballast.is_held() {
                schema::limit_bytes(&self.db, self.limits.file_bytes)?;
            }
        }
        Ok(())
    }

    /// Carries out a transaction that makes room in the end, but takes some itself: on a full disk,
    /// that of the ballast.
    fn transact<T>(
        &mut self,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let attempt = |db: &mut Connection| -> Result<T, Fault> {
            let transaction = begin(db)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        match attempt(&mut self.db) {
            Err(fault) if fault.meaning() == Meaning::Full && self.give_up_ballast()? => {
                attempt(&mut self.db)
            }
            other => other,
        }
    }

    fn report_gaps(&mut self, lane: Lane) -> Result<(), Fault> {
        if !gap::any(&self.db, lane)? {
            return Ok(());
        }
        let clock = &self.clock;
        let mut report = || -> Result<(), Fault> {
            let transaction = begin(&mut self.db)?;
            while let Some(unreported) = gap::take(&transaction, lane)? {
                let payload = unreported.into_payload(v1::EventPayload {
                    observed_at: Some(time::to_wire(clock.now())),
                    boot_id: clock.boot_id().map(Vec::from).unwrap_or_default(),
                    since_boot: Some(time::duration_to_wire(clock.since_boot())),
                    ..Default::default()
                });
                self.run.insert(&transaction, lane, gap::severity(lane), true, &payload)?;
            }
            Ok(transaction.commit()?)
        };
        match report() {
            // A full disk does not keep what waits from being sent; the gap stays counted and is
            // reported later.
            Err(fault) if fault.meaning() == Meaning::Full => Ok(()),
            other => other,
        }
    }

    /// Takes a copy of the checkpoints and lets the file shrink, if nothing waits.
    fn copy_if_drained(&mut self) -> Result<(), Fault> {
        for lane in Lane::ALL {
            if self.count_waiting(lane)? > 0 {
                return Ok(());
            }
        }
        if !self.copy.begin(self.clock.since_boot()) {
            return Ok(());
        }
        let copy = Copy {
            checkpoints: self.checkpoints()?.into_iter().collect(),
            lost: schema::counted(&self.db, "lost")?,
            dead_letters: schema::counted(&self.db, "dead_letters")?,
        };
        if let Err(error) = self.copy.write(&copy) {
            tracing::warn!(%error, "the copy of the checkpoints could not be written");
        }
        if let Err(error) = schema::shrink(&self.db) {
            tracing::debug!(%error, "the spool's file could not give back free space");
        }
        Ok(())
    }

    fn count_waiting(&self, lane: Lane) -> rusqlite::Result<u64> {
        self.db
            .query_row(
                "SELECT coalesce(sum(events), 0) FROM tallies WHERE lane = ?1 AND waits = 1",
                [lane.number()],
                |row| row.get(0),
            )
            .map(number)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inner").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Offered {
    fn last(&self, lane: Lane) -> RowId {
        self.0[lane as usize]
    }

    fn through(&mut self, lane: Lane, row: RowId) {
        let last = &mut self.0[lane as usize];
        *last = row.max(*last);
    }
}

/// Begins a transaction that holds the write lock from its start.
pub(super) fn begin(db: &mut Connection) -> rusqlite::Result<rusqlite::Transaction<'_>> {
    db.transaction_with_behavior(TransactionBehavior::Immediate)
}
