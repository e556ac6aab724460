//! What is taken, what is refused for good, and what ends a stream: pure, decided before any disk.
//!
//! `REJECTION_REASON_TOO_MANY_EPOCHS` is never given: a device at that bound waits, and keeps its events.

use std::collections::HashSet;

use redshank_proto::id::{Epoch, KeyId, Lane, Position};
use redshank_proto::v1::{LaneAcknowledgement, RejectedEvent, RejectionReason};
use redshank_proto::{bounds, token, v1};
use tonic::{Code, Status};

use crate::store::log::Arrival;

/// The largest sequence: a column of the log is a signed 64-bit number.
const LAST_SEQUENCE: u64 = i64::MAX as u64;
/// Bytes of an encapsulated X25519 key and of a sealed 32-byte key (RFC 9180).
const EPOCH_KEY_BYTES: (usize, usize) = (32, 48);

/// A message that no honest agent sends: the stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Something before the first `Hello`.
    #[error("the first message is Hello")]
    HelloExpected,
    /// A second `Hello`.
    #[error("Hello is the first message and comes once")]
    HelloAgain,
    /// An event of an epoch that this stream has not announced.
    #[error("an epoch's key is announced before its first event")]
    EpochNotAnnounced,
    /// A message without content, of a kind that this version does not know.
    #[error("the message is empty or of an unknown kind")]
    Empty,
    /// An id that is not 16 bytes.
    #[error("an id is not 16 bytes")]
    Id,
    /// More runs than an agent names.
    #[error("a Hello names at most 64 runs that were not welcomed")]
    Runs,
    /// An epoch's key that is not one.
    #[error("the epoch's key is malformed")]
    EpochKey,
    /// A batch past its bounds.
    #[error("a batch has at most 256 events and 1 MiB")]
    Batch,
    /// A health report past its bounds.
    #[error("the health report is past its bounds")]
    Health,
    /// A device's description past its bounds.
    #[error("the device's description is past its bounds")]
    Description,
    /// More epochs announced on one stream than a device may have.
    #[error("too many epochs were announced on one stream")]
    Epochs,
}

impl From<Violation> for Status {
    fn from(violation: Violation) -> Self {
        let code = match violation {
            Violation::HelloExpected | Violation::HelloAgain | Violation::EpochNotAnnounced => {
                Code::FailedPrecondition
            }
            Violation::Empty
            | Violation::Id
            | Violation::Runs
            | Violation::EpochKey
            | Violation::Batch
            | Violation::Health
            | Violation::Description => Code::InvalidArgument,
            Violation::Epochs => Code::ResourceExhausted,
        };
        Status::new(code, violation.to_string())
    }
}

/// The epochs that a stream has announced.
#[derive(Debug, Default)]
pub struct Epochs(HashSet<Epoch>);

/// A batch, sorted: what is to be written, and what is to be answered once it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// The events to append.
    pub arrivals: Vec<Arrival>,
    /// The acknowledgement: one for each epoch and lane of the batch.
    pub lanes: Vec<LaneAcknowledgement>,
}

impl Epochs {
    /// Takes note of an epoch whose key the store has.
    ///
    /// # Errors
    /// [`Violation::Epochs`] if there are too many on this stream.
    pub fn announce(&mut self, epoch: Epoch) -> Result<(), Violation> {
        let most = usize::try_from(bounds::EPOCHS_PER_DEVICE).unwrap_or(usize::MAX);
        if self.0.len() >= most && !self.0.contains(&epoch) {
            return Err(Violation::Epochs);
        }
        self.0.insert(epoch);
        Ok(())
    }
}

/// Reads the epoch of an announcement that is well formed. The key itself opens in triage alone.
///
/// # Errors
/// [`Violation::EpochKey`] if it is not.
pub fn epoch_of(key: &v1::EpochKey) -> Result<Epoch, Violation> {
    let lengths = (key.encapsulated_key.len(), key.sealed_data_key.len());
    if lengths != EPOCH_KEY_BYTES || KeyId::try_from(key.hpke_key_id.as_slice()).is_err() {
        return Err(Violation::EpochKey);
    }
    Epoch::try_from(key.epoch.as_slice()).map_err(|_| Violation::EpochKey)
}

/// Sorts a batch.
///
/// # Errors
/// [`Violation`] if it is past its bounds or an event's epoch is unknown to the stream.
pub fn admit(batch: v1::EventBatch, epochs: &Epochs) -> Result<Admitted, Violation> {
    let bytes: usize = batch.events.iter().map(|event| event.sealed_payload.len()).sum();
    if batch.events.len() > bounds::BATCH_EVENTS || bytes > bounds::BATCH_BYTES {
        return Err(Violation::Batch);
    }
    let mut admitted = Admitted { arrivals: Vec::new(), lanes: Vec::new() };
    for event in batch.events {
        let fate = judge(&event, epochs)?;
        let lane = lane_of(&mut admitted.lanes, &event);
        match fate {
            Ok(position) => {
                lane.settled_through = lane.settled_through.max(event.sequence);
                let digest = token::sha256(&event.sealed_payload);
                admitted.arrivals.push(Arrival { position, digest, sealed: event.sealed_payload });
            }
            Err(reason) => {
                // A sequence out of range settles nothing but itself.
                if reason != RejectionReason::Identity {
                    lane.settled_through = lane.settled_through.max(event.sequence);
                }
                let reason = reason.into();
                lane.rejected.push(RejectedEvent { sequence: event.sequence, reason });
            }
        }
    }
    Ok(admitted)
}

/// What becomes of one event.
fn judge(
    event: &v1::SealedEvent,
    epochs: &Epochs,
) -> Result<Result<Position, RejectionReason>, Violation> {
    let epoch = Epoch::try_from(event.epoch.as_slice()).map_err(|_| Violation::Id)?;
    if !epochs.0.contains(&epoch) {
        return Err(Violation::EpochNotAnnounced);
    }
    let Some(lane) = Lane::from_number(event.lane) else {
        return Ok(Err(RejectionReason::Identity));
    };
    if !(1..=LAST_SEQUENCE).contains(&event.sequence) {
        return Ok(Err(RejectionReason::Identity));
    }
    if !(1..=bounds::SEALED_PAYLOAD_BYTES).contains(&event.sealed_payload.len()) {
        return Ok(Err(RejectionReason::Size));
    }
    Ok(Ok(Position { epoch, lane, sequence: event.sequence }))
}

fn lane_of<'a>(
    lanes: &'a mut Vec<LaneAcknowledgement>,
    event: &v1::SealedEvent,
) -> &'a mut LaneAcknowledgement {
    let known = lanes.iter().position(|lane| lane.lane == event.lane && lane.epoch == event.epoch);
    let at = known.unwrap_or_else(|| {
        let epoch = event.epoch.clone();
        lanes.push(LaneAcknowledgement { epoch, lane: event.lane, ..Default::default() });
        lanes.len() - 1
    });
    &mut lanes[at]
}

/// Whether a description keeps its bounds.
///
/// # Errors
/// [`Violation::Description`] if not.
pub fn check_description(device: &v1::DeviceDescription) -> Result<(), Violation> {
    let fits = device.host_name.len() <= bounds::LONG_NAME_BYTES
        && device.serial_number.len() <= bounds::LONG_NAME_BYTES
        && device.platform.len() <= 32
        && device.os_version.len() <= bounds::LONG_NAME_BYTES
        && device.agent_version.len() <= bounds::NAME_BYTES;
    if fits { Ok(()) } else { Err(Violation::Description) }
}

/// Whether a health report keeps its bounds.
///
/// # Errors
/// [`Violation::Health`] if not.
pub fn check_health(health: &v1::Health) -> Result<(), Violation> {
    let fits = health.sources.len() <= bounds::HEALTH_SOURCES
        && health.sources.iter().all(|source| {
            source.source.len() <= bounds::NAME_BYTES
                && source.input.len() <= bounds::LONG_NAME_BYTES
                && source.reason.len() <= bounds::HEALTH_REASON_BYTES
        });
    if fits { Ok(()) } else { Err(Violation::Health) }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;

    const URGENT: i32 = 1;
    const ROUTINE: i32 = 2;

    #[test]
    fn each_event_is_taken_refused_or_ends_the_stream() {
        let epoch = Epoch::draw(&System);
        let mut epochs = Epochs::default();
        epochs.announce(epoch).unwrap();
        let largest = bounds::SEALED_PAYLOAD_BYTES;
        let taken = |sequence, lane| Ok(Ok(Position { epoch, lane, sequence }));
        let refused = |reason| Ok(Err(reason));
        for (event, expected) in [
            (event(&epoch, URGENT, 1, 20), taken(1, Lane::Urgent)),
            (event(&epoch, ROUTINE, LAST_SEQUENCE, 1), taken(LAST_SEQUENCE, Lane::Routine)),
            (event(&epoch, URGENT, 1, largest), taken(1, Lane::Urgent)),
            (event(&epoch, URGENT, 1, largest + 1), refused(RejectionReason::Size)),
            (event(&epoch, URGENT, 1, 0), refused(RejectionReason::Size)),
            (event(&epoch, URGENT, 0, 20), refused(RejectionReason::Identity)),
            (event(&epoch, URGENT, LAST_SEQUENCE + 1, 20), refused(RejectionReason::Identity)),
            (event(&epoch, 0, 1, 20), refused(RejectionReason::Identity)),
            (event(&epoch, 7, 1, 20), refused(RejectionReason::Identity)),
            (event(&Epoch::draw(&System), URGENT, 1, 20), Err(Violation::EpochNotAnnounced)),
            (
                v1::SealedEvent { epoch: vec![1], ..event(&epoch, URGENT, 1, 20) },
                Err(Violation::Id),
            ),
        ] {
            assert_eq!(judge(&event, &epochs), expected, "{event:?}");
        }
    }

    #[test]
    fn a_batch_is_answered_lane_by_lane_with_what_was_refused() {
        let epoch = Epoch::draw(&System);
        let mut epochs = Epochs::default();
        epochs.announce(epoch).unwrap();
        let events = vec![
            event(&epoch, URGENT, 3, 20),
            event(&epoch, ROUTINE, 8, 20),
            event(&epoch, URGENT, 4, 0),
            event(&epoch, URGENT, u64::MAX, 20),
        ];
        let admitted = admit(v1::EventBatch { events }, &epochs).unwrap();
        assert_eq!(admitted.arrivals.len(), 2);
        let [urgent, routine] = admitted.lanes.as_slice() else { panic!("two lanes") };
        assert_eq!((urgent.lane, urgent.settled_through), (URGENT, 4));
        let refused: Vec<_> = urgent.rejected.iter().map(|r| (r.sequence, r.reason())).collect();
        let expected = [(4, RejectionReason::Size), (u64::MAX, RejectionReason::Identity)];
        assert_eq!(refused, expected);
        assert_eq!((routine.lane, routine.settled_through), (ROUTINE, 8));
        assert!(routine.rejected.is_empty());
    }

    #[test]
    fn a_batch_past_its_bounds_ends_the_stream() {
        let epoch = Epoch::draw(&System);
        let mut epochs = Epochs::default();
        epochs.announce(epoch).unwrap();
        let many = (1..=257).map(|sequence| event(&epoch, URGENT, sequence, 1)).collect();
        let large = (1..=17).map(|sequence| event(&epoch, URGENT, sequence, 64 * 1024)).collect();
        for events in [many, large] {
            assert_eq!(admit(v1::EventBatch { events }, &epochs), Err(Violation::Batch));
        }
    }

    #[test]
    fn one_stream_announces_so_many_epochs_and_each_as_often_as_it_likes() {
        let mut epochs = Epochs::default();
        let all: Vec<_> = (0..bounds::EPOCHS_PER_DEVICE).map(|_| Epoch::draw(&System)).collect();
        for epoch in all.iter().chain(&all) {
            assert_eq!(epochs.announce(*epoch), Ok(()));
        }
        assert_eq!(epochs.announce(Epoch::draw(&System)), Err(Violation::Epochs));
    }

    #[test]
    fn an_epoch_s_key_has_its_lengths() {
        let good = v1::EpochKey {
            epoch: vec![1; 16],
            hpke_key_id: vec![2; 16],
            encapsulated_key: vec![3; 32],
            sealed_data_key: vec![4; 48],
        };
        assert_eq!(epoch_of(&good), Ok(Epoch::from_bytes([1; 16])));
        for bad in [
            v1::EpochKey { epoch: vec![1; 15], ..good.clone() },
            v1::EpochKey { hpke_key_id: vec![], ..good.clone() },
            v1::EpochKey { encapsulated_key: vec![3; 33], ..good.clone() },
            v1::EpochKey { sealed_data_key: vec![4; 4_000], ..good.clone() },
        ] {
            assert_eq!(epoch_of(&bad), Err(Violation::EpochKey));
        }
    }

    fn event(epoch: &Epoch, lane: i32, sequence: u64, bytes: usize) -> v1::SealedEvent {
        v1::SealedEvent { epoch: epoch.to_vec(), lane, sequence, sealed_payload: vec![9; bytes] }
    }
}
