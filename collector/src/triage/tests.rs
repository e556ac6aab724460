//! The whole of triage on a real store: from sealed events to alerts.

mod sources;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use redshank_proto::v1;
use redshank_proto::v1::event_payload::Content;
use tokio_util::sync::CancellationToken;

use super::scene::{NOON, Scene, a_visit, routine, routine_at, worrying, worrying_at};
use super::*;
use crate::store::Role;
use crate::store::alerts::{AlertStatus, Basis, Disposition, QueueFilter};

#[tokio::test]
async fn a_worrying_search_is_an_alert_that_says_who_what_when_and_why() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    laptop.skew_micros = 60_000_000;
    scene.send(&mut laptop, &routine_at("https://a.example/before", minutes(-5))).await;
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.triage().await;

    let row = scene.alert(scene.dsl).await;
    assert_eq!((row.category.as_str(), row.severity, row.priority), ("suicide", 5, 700));
    assert_eq!((row.status, row.verified), (AlertStatus::Open, true));
    assert_eq!(row.person.name_or_account.as_deref(), Some("school.example\\amy"));
    assert_eq!((row.person.basis, row.person.certain), (Basis::SignedIn, true));
    assert_eq!(row.device_name, "LAPTOP-0042");
    assert_eq!(row.headline.as_deref(), Some("end it"));
    assert_eq!(row.first_occurred_at, minutes(-1));
    let alert = row.alert;
    let read =
        scene.scratch.store.read(&scene.scope(scene.dsl), move |view| view.alert(alert)).await;
    let detail = read.unwrap();
    let sum: i32 = detail.factors.iter().map(|factor| factor.points).sum();
    assert_eq!(sum, 700);
    assert_eq!(detail.events.len(), 1);
    assert!(!detail.events[0].time_in_doubt);
    assert_eq!(detail.around.len(), 1);
    assert_eq!(detail.around[0].address, "https://a.example/before");
    assert_eq!(detail.around[0].occurred_at, minutes(-6));
}

#[tokio::test]
async fn a_time_that_cannot_be_right_is_the_time_of_receipt_and_in_doubt() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.send(&mut laptop, &worrying_at("suicide", 5, Timestamp::UNIX_EPOCH)).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_eq!(row.first_occurred_at, minutes(0));
    let scope = scene.scope(scene.dsl);
    let read = scene.scratch.store.read(&scope, move |view| view.alert(row.alert));
    assert!(read.await.unwrap().events[0].time_in_doubt);
}

#[tokio::test]
async fn more_of_the_same_grows_an_alert_and_another_kind_person_or_day_does_not() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.clock.set(minutes(60 * 30));
    let ben = v1::EventPayload {
        evidence: vec![scene::signed_in("ben")],
        ..worrying_at("drugs", 3, minutes(1))
    };
    for payload in [
        worrying_at("drugs", 3, minutes(0)),
        worrying_at("drugs", 3, minutes(30)),
        worrying_at("suicide", 4, minutes(31)),
        ben,
        worrying_at("drugs", 3, minutes(24 * 60)),
    ] {
        scene.send(&mut laptop, &payload).await;
    }
    scene.triage().await;
    let mut counts: Vec<_> = scene
        .queue(scene.dsl)
        .await
        .into_iter()
        .map(|row| (row.category, row.person.name_or_account.unwrap(), row.event_count))
        .map(|(category, name, count)| (category, name.replace("school.example\\", ""), count))
        .collect();
    counts.sort();
    let expected =
        [("drugs", "amy", 1), ("drugs", "amy", 2), ("drugs", "ben", 1), ("suicide", "amy", 1)];
    assert_eq!(counts, expected.map(|(c, p, n)| (c.to_owned(), p.to_owned(), n)));
}

#[tokio::test]
async fn what_is_taken_up_opens_again_when_it_gets_graver_and_what_is_closed_never_grows() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    let scope = scene.scope(scene.dsl);
    scene.send(&mut laptop, &worrying("suicide", 3)).await;
    scene.triage().await;
    let alert = scene.alert(scene.dsl).await.alert;
    scene.scratch.store.write(&scope, move |edit| edit.acknowledge_alert(alert)).await.unwrap();

    scene.send(&mut laptop, &worrying("suicide", 3)).await;
    scene.triage().await;
    assert_eq!(scene.alert(scene.dsl).await.status, AlertStatus::Acknowledged);

    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_eq!((row.status, row.severity, row.event_count), (AlertStatus::Open, 5, 3));

    scene.scratch.store.write(&scope, move |edit| edit.acknowledge_alert(alert)).await.unwrap();
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_eq!((row.status, row.severity, row.event_count), (AlertStatus::Open, 5, 4));

    let close = scene.scratch.store.write(&scope, move |edit| {
        edit.close_alert(alert, Disposition::SupportGiven, "spoke with her")
    });
    close.await.unwrap();
    scene.send(&mut laptop, &worrying("suicide", 3)).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_ne!(row.alert, alert);
    let closed = scene.scratch.store.read(&scope, |view| view.queue(QueueFilter::Closed));
    assert_eq!(closed.await.unwrap()[0].event_count, 4);
}

#[tokio::test]
async fn a_poison_event_is_parked_and_the_events_around_it_arrive() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.send_poison(&mut laptop).await;
    let unknown = v1::EventPayload { content: None, ..routine("https://a.example/") };
    scene.send(&mut laptop, &unknown).await;
    scene.send(&mut laptop, &worrying("drugs", 3)).await;
    scene.triage().await;
    assert_eq!(scene.queue(scene.dsl).await.len(), 2);
    assert_eq!(parked(&scene).await, 2);
    assert_eq!(alarms(&scene).await, [(AlarmKind::ParkedEvent, 2)]);
}

#[tokio::test]
async fn an_event_that_cannot_be_written_is_parked_alone() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    let trigger = "CREATE TRIGGER harm BEFORE INSERT ON alert_events WHEN NEW.position = 2
                   BEGIN SELECT RAISE(ABORT, 'a bug'); END";
    scene.scratch.vandalise(trigger).await;
    for category in ["suicide", "hate", "drugs"] {
        scene.send(&mut laptop, &worrying(category, 4)).await;
    }
    scene.triage().await;
    let mut categories: Vec<_> =
        scene.queue(scene.dsl).await.into_iter().map(|row| row.category).collect();
    categories.sort();
    assert_eq!(categories, ["drugs", "suicide"]);
    assert_eq!(parked(&scene).await, 1);
}

#[tokio::test]
async fn lost_events_are_an_alarm_with_their_number() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    for count in [41, 0] {
        let gap = v1::Gap { count, ..Default::default() };
        let payload =
            v1::EventPayload { content: Some(Content::Gap(gap)), ..routine("https://a.example/") };
        scene.send(&mut laptop, &payload).await;
    }
    scene.triage().await;
    assert_eq!(alarms(&scene).await, [(AlarmKind::EventsLost, 42)]);
}

#[tokio::test]
async fn a_match_with_content_of_an_unknown_kind_is_an_alert() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.send(&mut laptop, &v1::EventPayload { content: None, ..worrying("suicide", 5) }).await;
    scene.triage().await;
    assert_eq!(scene.alert(scene.dsl).await.severity, 5);
    assert_eq!(parked(&scene).await, 0);
}

#[tokio::test]
async fn what_a_pending_device_says_is_an_alert_and_marked() {
    let scene = Scene::new().await;
    let mut laptop = scene.pending_device(scene.school).await;
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_eq!((row.verified, row.priority), (false, 640));
}

#[tokio::test]
async fn a_person_named_never_sees_the_alert_and_whoever_is_named_later_keeps_theirs() {
    let scene = Scene::new().await;
    let deputy = scene.user(scene.school, "Tom Brown", Role::Dsl).await;
    let mut laptop = scene.device(scene.school).await;
    scene.send(&mut laptop, &about("mrs smith hurts me")).await;
    scene.triage().await;
    assert_eq!(scene.queue(scene.dsl).await, []);
    let first = scene.alert(deputy).await;
    assert!(first.priority > 500, "naming a member of staff raises it");

    scene.send(&mut laptop, &about("and so does mr brown")).await;
    scene.triage().await;
    assert_eq!(scene.alert(deputy).await, first, "it neither grew nor vanished");
    let second = scene.alert(scene.dsl).await;
    let detail = |user, alert| {
        let (store, scope) = (scene.scratch.store.clone(), scene.scope(user));
        async move { store.read(&scope, move |view| view.alert(alert)).await }
    };
    let factors = detail(scene.dsl, second.alert).await.unwrap().factors;
    let tells = factors.iter().any(|factor| factor.label.contains("7 days"));
    assert!(!tells, "of the alert about her: {factors:?}");
    for (user, alert) in [(scene.dsl, first.alert), (deputy, second.alert)] {
        let refusal = detail(user, alert).await.map(|_| ()).unwrap_err();
        assert_eq!(refusal.to_string(), "no such alert");
    }
    assert_eq!(alarms(&scene).await, [], "somebody may see each");

    scene.send(&mut laptop, &about("mrs smith and mr brown")).await;
    scene.triage().await;
    assert_eq!(alarms(&scene).await, [(AlarmKind::NoViewer, 1)]);
    assert_eq!(scene.alert(deputy).await, first);
    scene.send(&mut laptop, &about("somebody hurts me")).await;
    scene.triage().await;
    for user in [scene.dsl, deputy] {
        assert_eq!(scene.queue(user).await.len(), 2, "what names nobody is hidden from nobody");
    }
}

#[tokio::test]
async fn two_triages_at_once_do_nothing_twice() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    for _ in 0..5 {
        scene.send(&mut laptop, &worrying("suicide", 5)).await;
    }
    let (mut one, mut other) = (scene.new_triage(), scene.new_triage());
    let (first, second) = (one.next(3).await.unwrap(), other.next(3).await.unwrap());
    let (cursor, events) = first.unwrap();
    one.write(cursor, events).await.unwrap();
    let (cursor, events) = second.unwrap();
    let late = other.write(cursor, events).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    scene.triage().await;
    assert_eq!(scene.alert(scene.dsl).await.event_count, 5);
}

#[tokio::test]
async fn a_cursor_set_back_to_the_beginning_doubles_nothing() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    for payload in [worrying("suicide", 5), routine("https://a.example/"), worrying("drugs", 3)] {
        scene.send(&mut laptop, &payload).await;
    }
    scene.triage().await;
    let before = scene.queue(scene.dsl).await;
    scene.scratch.vandalise("DELETE FROM cursors").await;
    scene.triage().await;
    assert_eq!(scene.queue(scene.dsl).await, before);
    assert_eq!(parked(&scene).await, 0);
}

#[tokio::test]
async fn an_alert_is_there_soon_after_its_event() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    let cancel = CancellationToken::new();
    let triage = tokio::spawn(run(scene.scratch.store.clone(), scene.keys.clone(), cancel.clone()));
    let mut changed = scene.scratch.store.changed();
    scene.send(&mut laptop, &worrying("suicide", 5)).await;
    // Far below the tick: it was the commit that woke triage.
    let arrival = tokio::time::timeout(TICK / 2, async {
        while scene.queue(scene.dsl).await.is_empty() {
            changed.changed().await.unwrap();
        }
    });
    arrival.await.unwrap();
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(5), triage).await.unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_event_is_in_exactly_one_alert_whatever_breaks_between(
        events in proptest::collection::vec((0..3_usize, 0..2_usize, 0..2_000_i64, 1..6_u32), 1..24),
        breaks in proptest::collection::vec(any::<bool>(), 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(every_event_once(&events, &breaks));
    }
}

/// Sends events by their (category, person, minute, severity) and triages them, a few at a time, with
/// transactions that fail and triages that begin anew in between.
async fn every_event_once(events: &[(usize, usize, i64, u32)], breaks: &[bool]) {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    scene.clock.set(minutes(2_000));
    for (category, person, minute, severity) in events {
        let category = ["suicide", "drugs", "hate"][*category];
        let mut payload = worrying_at(category, *severity, minutes(*minute));
        payload.evidence = vec![scene::signed_in(["amy", "ben"][*person])];
        scene.send(&mut laptop, &payload).await;
    }
    for breaks in breaks {
        let mut triage = scene.new_triage();
        let Some((cursor, prepared)) = triage.next(5).await.unwrap() else { break };
        if *breaks {
            crash(&scene, cursor, prepared).await;
        } else {
            triage.write(cursor, prepared).await.unwrap();
        }
    }
    scene.triage().await;
    let queue = scene.queue(scene.dsl).await;
    let folded: usize = queue.iter().map(|row| usize::try_from(row.event_count).unwrap()).sum();
    assert_eq!(folded, events.len());
    let scope = scene.scope(scene.dsl);
    let mut seen = 0;
    for row in queue {
        let read = scene.scratch.store.read(&scope, move |view| view.alert(row.alert));
        let detail = read.await.unwrap();
        seen += detail.events.len();
        let length = row.last_occurred_at.duration_since(row.first_occurred_at);
        assert!(length <= fold::LONGEST, "{length:?}");
        let worst = detail.events.iter().map(|event| event.severity).max();
        assert_eq!(worst, Some(row.severity));
    }
    assert_eq!(seen, events.len());
}

/// Does a batch in a transaction that is not committed.
async fn crash(scene: &Scene, cursor: Cursor, prepared: Vec<Prepared>) {
    let triage = Scope::system(Purpose::Triage);
    let lost: Result<(), _> = scene
        .scratch
        .store
        .write(&triage, move |edit| {
            for (event, opened) in &prepared {
                if let Ok(Opened::Content(content)) = opened {
                    raising::raise(edit, event, content)?;
                }
            }
            edit.advance_cursor(CURSOR, cursor, Cursor { position: 5, failures: 0 })?;
            Err(StoreError::Closed)
        })
        .await;
    assert!(lost.is_err());
}

fn about(text: &str) -> v1::EventPayload {
    let mut payload = worrying("abuse_disclosure", 4);
    payload.matches[0].snippet = text.to_owned();
    payload.content = Some(a_visit("https://chat.example/", None));
    payload
}

fn minutes(minutes: i64) -> Timestamp {
    NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

async fn parked(scene: &Scene) -> u64 {
    let line = Scope::command_line();
    scene.scratch.store.read(&line, |view| view.parked_events(CURSOR)).await.unwrap()
}

async fn alarms(scene: &Scene) -> Vec<(AlarmKind, u64)> {
    let school = scene.school;
    let line = Scope::command_line();
    let alarms = scene.scratch.store.read(&line, move |view| view.open_alarms(school));
    alarms.await.unwrap().into_iter().map(|alarm| (alarm.kind, alarm.count)).collect()
}
