//! The log: each event once, conflicts kept, what a device may say of others nothing.

use redshank_proto::clock::System;
use redshank_proto::token;

use super::*;
use crate::store::Scope;
use crate::store::devices::enrolling::Enrolled;
use crate::store::devices::tests::device;
use crate::store::tests::Scratch;

#[tokio::test]
async fn an_event_is_kept_once_and_a_conflict_beside_it() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    for (sequence, payload, expected) in [
        (1, "one", counts(1, 0, 0)),
        (1, "one", counts(0, 1, 0)),
        (3, "three", counts(1, 0, 0)),
        // A number that was skipped and is used after all.
        (2, "two", counts(1, 0, 0)),
        (2, "two", counts(0, 1, 0)),
        (3, "other", counts(0, 0, 1)),
        (3, "other", counts(0, 1, 0)),
        (3, "three", counts(0, 1, 0)),
    ] {
        let arrival = arrival(epoch, Lane::Urgent, sequence, payload);
        assert_eq!(append(&scratch, device, vec![arrival]).await.unwrap(), expected, "{payload}");
    }
    let log = log(&scratch).await;
    let seen: Vec<_> = log.iter().map(|event| (event.sequence, event.conflict)).collect();
    assert_eq!(seen, [(1, false), (3, false), (2, false), (3, true)]);
    assert!(log.is_sorted_by_key(|event| event.position));
    assert_eq!(log[0].sealed.as_deref(), Some(b"one".as_slice()));
}

#[tokio::test]
async fn lanes_and_epochs_count_apart() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let (epoch, later) = (Epoch::draw(&System), Epoch::draw(&System));
    let arrivals = vec![
        arrival(epoch, Lane::Urgent, 1, "a"),
        arrival(epoch, Lane::Routine, 1, "b"),
        arrival(later, Lane::Urgent, 1, "c"),
    ];
    assert_eq!(append(&scratch, device, arrivals).await.unwrap(), counts(3, 0, 0));
}

#[tokio::test]
async fn an_approval_counts_from_the_next_batch_on_and_a_revoked_device_is_refused() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 1, "a")]).await.unwrap();
    let line = Scope::command_line();
    scratch.store.write(&line, move |edit| edit.approve_device(device.device)).await.unwrap();
    append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 2, "b")]).await.unwrap();
    let verified: Vec<_> = log(&scratch).await.iter().map(|event| event.verified).collect();
    assert_eq!(verified, [false, true]);
    scratch.vandalise("UPDATE devices SET status = 'revoked'").await;
    let refused = append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 3, "c")]).await;
    assert!(matches!(refused, Err(StoreError::Missing("device"))));
}

#[tokio::test]
async fn a_device_of_another_school_or_another_device_appends_nothing() {
    let scratch = Scratch::new();
    let ours = device(&scratch).await;
    let (school, other) = (SchoolId::draw(&System), DeviceId::draw(&System));
    for scope in [
        Scope::device(school, ours.device),
        Scope::device(ours.school, other),
        Scope::command_line(),
    ] {
        let reception = reception(ours);
        let arrivals = [arrival(Epoch::draw(&System), Lane::Urgent, 1, "a")];
        let write = scratch.store.write(&scope, move |edit| edit.append(&reception, &arrivals));
        assert!(matches!(write.await, Err(StoreError::OutOfScope)), "{scope:?}");
    }
}

#[tokio::test]
async fn the_first_announcement_of_an_epoch_stands_and_epochs_are_bounded() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    for key in [1, 2] {
        assert_eq!(announce(&scratch, device, epoch, key).await, Announced::Taken);
    }
    let triage = Scope::system(Purpose::Triage);
    let read = scratch.store.read(&triage, move |view| view.epoch_key(device.device, epoch));
    assert_eq!(read.await.unwrap().unwrap().hpke_key_id, [1; 16]);
    scratch
        .vandalise(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3999)
             INSERT INTO epochs SELECT device, randomblob(16), x'', 0 FROM devices, n",
        )
        .await;
    let surplus = announce(&scratch, device, Epoch::draw(&System), 1).await;
    assert_eq!(surplus, Announced::TooMany);
    assert_eq!(announce(&scratch, device, epoch, 1).await, Announced::Taken);
}

#[tokio::test]
async fn content_can_go_and_its_event_stays() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 1, "a")]).await.unwrap();
    scratch.vandalise("DELETE FROM event_contents").await;
    assert_eq!(log(&scratch).await[0].sealed, None);
    let again = append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 1, "a")]).await;
    assert_eq!(again.unwrap(), counts(0, 1, 0));
}

fn counts(new: u32, known: u32, conflicting: u32) -> Appended {
    Appended { new, known, conflicting }
}

fn arrival(epoch: Epoch, lane: Lane, sequence: u64, payload: &str) -> Arrival {
    let sealed = payload.as_bytes().to_vec();
    let position = Position { epoch, lane, sequence };
    Arrival { position, digest: token::sha256(&sealed), sealed }
}

fn reception(device: Enrolled) -> Reception {
    Reception { school: device.school, device: device.device, skew_micros: 5 }
}

async fn append(
    scratch: &Scratch,
    device: Enrolled,
    arrivals: Vec<Arrival>,
) -> Result<Appended, StoreError> {
    let scope = Scope::device(device.school, device.device);
    let reception = reception(device);
    scratch.store.write(&scope, move |edit| edit.append(&reception, &arrivals)).await
}

async fn announce(scratch: &Scratch, device: Enrolled, epoch: Epoch, key: u8) -> Announced {
    let key = v1::EpochKey { hpke_key_id: vec![key; 16], ..Default::default() };
    let scope = Scope::device(device.school, device.device);
    let write = scratch
        .store
        .write(&scope, move |edit| edit.announce_epoch(device.school, device.device, epoch, &key));
    write.await.unwrap()
}

async fn log(scratch: &Scratch) -> Vec<LoggedEvent> {
    let triage = Scope::system(Purpose::Triage);
    scratch.store.read(&triage, |view| view.events_after(0, 100)).await.unwrap()
}
