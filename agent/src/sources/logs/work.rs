//! The part of following one log that touches the disk: from the place to a batch.
//!
//! It runs on the blocking pool, a bounded portion at a time, so that a backlog of a week is committed as
//! it goes and a full channel holds it back.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::time::Instant;

use super::LogSettings;
use super::coverage::Met;
use super::follow::{Follow, Found, Reached, Refusal};
use super::formats::lookups::Lookups;
use super::formats::{Clues, Entry, Format, Understood, Unreadable};
use super::leases::Leases;
use super::observe::{Observer, weight};
use super::place::Place;
use crate::observation::{Batch, Checkpoint, Content, Missed, Observation};

/// Observations of one batch, and their bytes; a few more if a name server's answer waits for its end.
const MOST_OBSERVATIONS: usize = 256;
const MOST_BYTES: usize = 512 * 1024;
/// Bytes of the log that are read for one batch, whatever they yield.
const MOST_READ: u64 = 4 * 1024 * 1024;
/// Lines that a batch waits for a name server's answer once it is full.
const MOST_WAITED: u32 = 64;
/// Without an observation a place is kept only now and then: reading those lines again does no harm.
const KEEP_AFTER_BYTES: u64 = 256 * 1024;
const KEEP_AFTER: Duration = Duration::from_secs(30);

/// Reads one log.
pub(super) struct Work {
    input: String,
    follow: Follow,
    format: Arc<Format>,
    lookups: Lookups,
    observer: Arc<Observer>,
    clues: Clues,
    leases: Arc<Mutex<Leases>>,
    clock: Arc<dyn Clock>,
    pub(super) met: Met,
    /// What waits for the next batch.
    gathered: Gathered,
    kept: Place,
    kept_at: Instant,
    /// Bytes that were read since the place was kept.
    read: u64,
}

#[derive(Debug, Default)]
struct Gathered {
    observations: Vec<Observation>,
    bytes: usize,
}

/// What one portion came to.
pub(super) struct Portion {
    pub(super) batch: Option<Batch>,
    pub(super) next: Next,
}

/// When to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At once: there is more.
    AtOnce,
    /// In a moment: the last line may be explained by one that is being written.
    InAMoment,
    /// Shortly: a file is not ready.
    Shortly,
    /// When something changes.
    Later,
}

/// What all parts of a reading share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) leases: Arc<Mutex<Leases>>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Work {
    pub(super) fn new(
        input: String,
        settings: &LogSettings,
        format: Arc<Format>,
        observer: Arc<Observer>,
        shared: &Shared,
        place: Option<Place>,
    ) -> Self {
        let now = shared.clock.now();
        Self {
            input,
            follow: Follow::new(&settings.path, place.clone()),
            lookups: Lookups::default(),
            clues: Clues { now, zone: settings.zone.clone() },
            leases: Arc::clone(&shared.leases),
            clock: Arc::clone(&shared.clock),
            met: Met::new(format.source(), now),
            format,
            observer,
            gathered: Gathered::default(),
            kept: place.unwrap_or_default(),
            kept_at: Instant::now(),
            read: 0,
        }
    }

    /// Reads on. `flush` says that what is held back has waited long enough. Blocking.
    pub(super) fn portion(&mut self, flush: bool) -> Portion {
        let now = self.clock.now();
        self.clues.now = now;
        let leases = Arc::clone(&self.leases);
        lock(&leases).refresh(now);
        let reached = self.read(&leases, now);
        let next = match reached {
            Ok(Reached::Enough) => Next::AtOnce,
            Ok(Reached::Soon) => Next::Shortly,
            Ok(Reached::End | Reached::NoLog(_)) | Err(_) => Next::Later,
        };
        self.met.trouble = match reached {
            Ok(Reached::NoLog(refused)) | Err(refused) => Some(refused),
            Ok(_) => None,
        };
        if self.lookups.holds_back() && !flush && next != Next::AtOnce {
            return Portion { batch: None, next: Next::InAMoment };
        }
        let (observer, met, gathered) = (&self.observer, &mut self.met, &mut self.gathered);
        let leases = lock(&leases);
        self.lookups.flush(&mut |entry| gathered.take(&entry, observer, met, &leases));
        Portion { batch: self.batch(), next }
    }

    fn read(&mut self, leases: &Mutex<Leases>, now: Timestamp) -> Result<Reached, Refusal> {
        let Self { follow, lookups, format, observer, clues, met, gathered, read, .. } = self;
        let (mut taken, mut waited) = (0, 0);
        follow.read(&mut |found| {
            let mut bytes = 0;
            match found {
                Found::Line(line, offset) => {
                    bytes = line.len() as u64 + 1;
                    let mut take = |entry: Entry<'_>| {
                        gathered.take(&entry, observer, met, &lock(leases));
                    };
                    let result = understand(format, lookups, line, clues, &mut take);
                    if let Err(Unreadable { shape }) = result {
                        met.unread(offset, shape);
                    }
                }
                Found::TooLong(_) => met.too_long(),
                Found::CutShort(_) => met.cut_short(),
                Found::Lost => {
                    met.lost();
                    gathered.missed(observer, now);
                }
                Found::Begun => met.begun(),
            }
            if !matches!(found, Found::Begun) {
                met.grown(now);
            }
            taken += bytes;
            *read += bytes;
            let full = gathered.observations.len() >= MOST_OBSERVATIONS
                || gathered.bytes >= MOST_BYTES
                || taken >= MOST_READ;
            waited += u32::from(full);
            if full && (!lookups.holds_back() || waited > MOST_WAITED) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// What was gathered, with the place behind it, if that is worth a commit.
    fn batch(&mut self) -> Option<Batch> {
        let place = self.follow.place();
        self.met.emptied = place.emptied;
        let another = place.identity != self.kept.identity || place.known != self.kept.known;
        let due = self.read >= KEEP_AFTER_BYTES || self.kept_at.elapsed() >= KEEP_AFTER;
        let worth = !self.gathered.observations.is_empty() || another || due && place != self.kept;
        if self.follow.is_first() || !worth {
            return None;
        }
        let Gathered { observations, .. } = std::mem::take(&mut self.gathered);
        let checkpoint = Checkpoint { input: self.input.clone(), place: place.encode() };
        (self.kept, self.kept_at, self.read) = (place, Instant::now(), 0);
        Some(Batch { observations, checkpoints: vec![checkpoint], done: None })
    }
}

impl Gathered {
    fn take(&mut self, entry: &Entry<'_>, observer: &Observer, met: &mut Met, leases: &Leases) {
        let Some(observation) = observer.observe(entry, leases) else { return };
        if let Content::Request(request) = &observation.content {
            met.request(&request.target);
        }
        self.bytes += weight(&observation);
        self.observations.push(observation);
    }

    fn missed(&mut self, observer: &Observer, now: Timestamp) {
        self.observations.push(Observation {
            source: observer.source,
            occurred_at: now,
            evidence: Vec::new(),
            // How many lines there were, nobody can say.
            content: Content::Missed(Missed { count: 0 }),
        });
    }
}

fn understand(
    format: &Format,
    lookups: &mut Lookups,
    line: &[u8],
    clues: &Clues,
    take: &mut impl FnMut(Entry<'_>),
) -> Result<(), Unreadable> {
    match format.read(line, clues)? {
        Understood::Request(entry) => take(entry),
        Understood::Lookup(step) => {
            lookups.next(step, take);
        }
        Understood::Nothing => {}
    }
    Ok(())
}

/// The leases; a panic that met them left a table that is whole.
pub(super) fn lock(leases: &Mutex<Leases>) -> std::sync::MutexGuard<'_, Leases> {
    leases.lock().unwrap_or_else(PoisonError::into_inner)
}
