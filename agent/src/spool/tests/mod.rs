//! The spool against its promises; each file is one promise. What they share is the [`Bench`].

mod damage;
mod durability;
mod folding;
mod full_disk;
mod model;
mod quotas;
mod settling;

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use redshank_proto::clock::{Clock as _, Fixed};
use redshank_proto::id::{Generation, Lane, SchoolId};
use redshank_proto::seal::SchoolKey;
use redshank_proto::v1::event_payload::Content;
use redshank_proto::{time, v1};
use tempfile::TempDir;

use super::*;

const ONE: Generation = Generation::from_bytes([1; 16]);
const TWO: Generation = Generation::from_bytes([2; 16]);

/// A state folder, a school, and a clock that stands.
struct Bench {
    folder: TempDir,
    school: SchoolId,
    key: SchoolKey,
    clock: Arc<Fixed>,
    limits: Limits,
}

impl Bench {
    fn new() -> Self {
        let clock = Fixed::new(Timestamp::from_second(1_700_000_000).unwrap(), 7);
        Self {
            folder: tempfile::tempdir().unwrap(),
            school: SchoolId::draw(&clock),
            key: SchoolKey::draw(&clock),
            clock: Arc::new(clock),
            limits: Limits { ballast_bytes: 64 * 1024, ..Limits::default() },
        }
    }

    fn open(&self) -> Spool {
        self.open_at(self.folder.path())
    }

    fn open_at(&self, folder: &Path) -> Spool {
        let (clock, randomness) = (Arc::clone(&self.clock), Arc::clone(&self.clock));
        Spool::open(folder, self.school, &self.key.public(), self.limits, clock, randomness)
            .unwrap()
    }

    fn pass(&self, hours: i64) {
        self.clock.set(self.clock.now() + SignedDuration::from_hours(hours));
    }

    /// Opens one event with the school's key, as the collector does.
    fn unseal(&self, spool: &Spool, event: &Waiting) -> v1::EventPayload {
        let key = spool.epoch_key(event.position.epoch).unwrap().unwrap();
        let cipher = self.key.open_epoch(self.school, &key).unwrap();
        let payload = cipher.open(event.position, &event.sealed_payload).unwrap();
        v1::EventPayload::decode(payload.as_slice()).unwrap()
    }

    /// The words of every event that waits in a lane, in order; reports of gaps left out.
    fn words(&self, spool: &Spool, lane: Lane) -> Vec<String> {
        let payloads = all(spool, lane).into_iter().map(|event| self.unseal(spool, &event));
        payloads
            .filter_map(|payload| match payload.content {
                Some(Content::Visit(visit)) => visit.title,
                _ => None,
            })
            .collect()
    }

    /// Every gap that waits to be reported in a lane.
    fn gaps(&self, spool: &Spool, lane: Lane) -> Vec<v1::Gap> {
        let payloads = all(spool, lane).into_iter().map(|event| self.unseal(spool, &event));
        payloads
            .filter_map(|payload| match payload.content {
                Some(Content::Gap(gap)) => Some(gap),
                _ => None,
            })
            .collect()
    }
}

fn all(spool: &Spool, lane: Lane) -> Vec<Waiting> {
    spool.waiting(lane, None, usize::MAX, usize::MAX).unwrap()
}

fn urgent(severity: u8, words: &str) -> Captured {
    Captured { lane: Lane::Urgent, severity, fold: None, payload: payload(words) }
}

fn routine(words: &str) -> Captured {
    Captured { lane: Lane::Routine, severity: 0, fold: None, payload: payload(words) }
}

fn payload(words: &str) -> v1::EventPayload {
    v1::EventPayload {
        occurred_at: Some(time::to_wire(Timestamp::from_second(1_700_000_000).unwrap())),
        content: Some(Content::Visit(v1::Visit {
            title: Some(words.to_owned()),
            ..Default::default()
        })),
        ..Default::default()
    }
}

fn checkpoint(input: &str, place: &[u8]) -> Checkpoint {
    Checkpoint { input: input.to_owned(), place: place.to_vec() }
}
