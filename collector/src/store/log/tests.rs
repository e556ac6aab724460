//! The log: each event once, conflicts kept, what a device may say of others nothing.

use std::sync::Arc;

use redshank_proto::clock::{Clock as _, Fixed, System};
use redshank_proto::token;

use super::*;
use crate::store::alarms::Alarm;
use crate::store::devices::enrolling::Enrolled;
use crate::store::devices::tests::device;
use crate::store::tests::Scratch;
use crate::store::{Scope, Store};

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
async fn the_first_announcement_of_an_epoch_stands() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    for key in [1, 2] {
        assert_eq!(announce(&scratch, device, epoch, key).await, Announced::Taken);
    }
    let triage = Scope::system(Purpose::Triage);
    let read = scratch.store.read(&triage, move |view| view.epoch_key(device.device, epoch));
    assert_eq!(read.await.unwrap().unwrap().hpke_key_id, [1; 16]);
}

#[tokio::test]
async fn a_device_with_all_its_epochs_waits_until_the_oldest_can_be_forgotten() {
    let clock = Arc::new(Fixed::new(System.now(), 1));
    let scratch = Scratch::with(clock.clone(), clock.clone());
    let device = device(&scratch).await;
    let (old, later) = (Epoch::draw(&System), Epoch::draw(&System));
    announce(&scratch, device, old, 1).await;
    append(&scratch, device, vec![arrival(old, Lane::Urgent, 3, "three")]).await.unwrap();
    fill_epochs(&scratch.store).await;
    let refused = async || announce(&scratch, device, later, 1).await == Announced::TooMany;
    let passed = "INSERT INTO cursors (cursor, position) VALUES ('triage', 1)";
    assert!(refused().await, "too young");
    assert_eq!(announce(&scratch, device, old, 1).await, Announced::Taken);
    clock.set(clock.now() + (CONTENT_DAYS * 24).hours());
    assert!(refused().await, "at the day");
    clock.set(clock.now() + 1.second());
    assert!(refused().await, "triage has not passed it");
    assert_eq!(held_back(&scratch, device).await, 3);
    scratch.vandalise(passed).await;
    assert!(!refused().await);
    let triage = Scope::system(Purpose::Triage);
    let key = |epoch| scratch.store.read(&triage, move |view| view.epoch_key(device.device, epoch));
    assert_eq!((key(old).await.unwrap(), key(later).await.unwrap().is_some()), (None, true));

    // Sent again all the same, what is in the log is known, and what is new is taken.
    scratch.vandalise("DELETE FROM epochs WHERE key = x''").await;
    assert_eq!(announce(&scratch, device, old, 1).await, Announced::Taken);
    for (sequence, payload, expected) in [
        (2, "two", counts(1, 0, 0)),
        (3, "three", counts(0, 1, 0)),
        (3, "other", counts(0, 0, 1)),
        (4, "four", counts(1, 0, 0)),
    ] {
        let arrival = arrival(old, Lane::Urgent, sequence, payload);
        assert_eq!(append(&scratch, device, vec![arrival]).await.unwrap(), expected, "{payload}");
    }
}

#[tokio::test]
async fn an_epoch_in_which_something_came_lately_is_not_forgotten() {
    let clock = Arc::new(Fixed::new(System.now(), 1));
    let scratch = Scratch::with(clock.clone(), clock.clone());
    let device = device(&scratch).await;
    let epoch = Epoch::draw(&System);
    announce(&scratch, device, epoch, 1).await;
    fill_epochs(&scratch.store).await;
    scratch.vandalise("INSERT INTO cursors (cursor, position) VALUES ('triage', 99)").await;
    clock.set(clock.now() + (CONTENT_DAYS * 48).hours());
    append(&scratch, device, vec![arrival(epoch, Lane::Urgent, 1, "a")]).await.unwrap();
    let surplus = announce(&scratch, device, Epoch::draw(&System), 1).await;
    assert_eq!(surplus, Announced::TooMany);
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

#[tokio::test]
async fn a_device_holds_back_itself_alone() {
    let scratch = Scratch::new();
    let ours = device(&scratch).await;
    let (school, id) = (ours.school, ours.device);
    for (scope, fine) in [
        (Scope::device(school, DeviceId::draw(&System)), false),
        (Scope::command_line(), false),
        (Scope::device(school, id), true),
    ] {
        let held = scratch.store.write(&scope, move |edit| edit.hold_back(school, id)).await;
        assert_eq!(held.is_ok(), fine, "{scope:?}");
    }
    assert_eq!(held_back(&scratch, ours).await, 1);
}

/// Gives every device all the epochs but one that it may have, none of which can be forgotten.
pub(crate) async fn fill_epochs(store: &Store) {
    let fill = |edit: &Edit<'_>| {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                   INSERT INTO epochs SELECT device, randomblob(16), x'', 9000000000000000
                   FROM devices, n";
        Ok(edit.sql().execute(sql, [bounds::EPOCHS_PER_DEVICE - 1])?)
    };
    store.write(&Scope::command_line(), fill).await.unwrap();
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

async fn held_back(scratch: &Scratch, device: Enrolled) -> u64 {
    let line = Scope::command_line();
    let open = scratch.store.read(&line, move |view| view.open_alarms(device.school));
    let held = |alarm: &Alarm| alarm.kind == AlarmKind::HeldBack;
    open.await.unwrap().iter().filter(|alarm| held(alarm)).map(|alarm| alarm.count).sum()
}

async fn log(scratch: &Scratch) -> Vec<LoggedEvent> {
    let triage = Scope::system(Purpose::Triage);
    scratch.store.read(&triage, |view| view.events_after(0, 100)).await.unwrap()
}
