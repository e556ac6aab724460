//! The feed's service on a real store, without the transport.

mod sources;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt as _;
use prost::Message as _;
use redshank_proto::clock::{System, draw};
use redshank_proto::id::SchoolId;
use redshank_proto::peer::Peer;
use redshank_proto::v1::{ChangeKind, snapshot_response, subscribe_response};
use tonic::Code;

use super::subscription::Pace;
use super::*;
use crate::listen::ClientCertificate;
use crate::store::alerts::Disposition;
use crate::store::audit::Action;
use crate::triage::scene::{Scene, Sender, worrying};

#[tokio::test]
async fn changes_come_in_order_go_on_live_and_resume_after_a_cursor() {
    let mut stage = Stage::new().await;
    stage.raise("suicide", 5).await;
    stage.raise("drugs", 3).await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    let first = change(&mut stream).await;
    assert_eq!(kind(&first), (ChangeKind::Opened, "suicide".to_owned()));
    let second = change(&mut stream).await;
    assert_eq!(kind(&second), (ChangeKind::Opened, "drugs".to_owned()));

    stage.raise("suicide", 5).await;
    let third = change(&mut stream).await;
    assert_eq!(kind(&third), (ChangeKind::Grew, "suicide".to_owned()));
    let alert = AlertId::try_from(third.alert.unwrap().alert_id.as_slice()).unwrap();
    stage.close(alert).await;
    assert_eq!(kind(&change(&mut stream).await).0, ChangeKind::Closed);

    let mut resumed = stage.subscribe(&first.cursor).await.unwrap();
    assert_eq!(change(&mut resumed).await.cursor, second.cursor);
    assert_eq!(change(&mut resumed).await.cursor, third.cursor);
}

#[tokio::test]
async fn an_acknowledged_place_is_where_a_reader_without_a_cursor_goes_on_and_never_moves_back() {
    let mut stage = Stage::new().await;
    for category in ["suicide", "drugs", "hate"] {
        stage.raise(category, 3).await;
    }
    let mut stream = stage.subscribe(&[]).await.unwrap();
    let first = change(&mut stream).await;
    let second = change(&mut stream).await;
    stage.acknowledge(&second.cursor).await.unwrap();
    stage.acknowledge(&first.cursor).await.unwrap();
    let mut again = stage.subscribe(&[]).await.unwrap();
    assert_eq!(kind(&change(&mut again).await).1, "hate");
    assert_eq!(stage.acknowledge(&[]).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_cursor_of_another_log_is_refused_and_a_snapshot_is_the_way_out() {
    let mut stage = Stage::new().await;
    stage.raise("suicide", 5).await;
    let other = Cursor::After([3; 16]).encode(redshank_proto::id::Generation::draw(&System));
    let unknown = Cursor::After([3; 16]).encode(stage.scene.scratch.store.generation());
    for cursor in [&other[..], &unknown, b"x", &[0; 64]] {
        let refusal = stage.subscribe(cursor).await.map(|_| ()).unwrap_err();
        assert_eq!(refusal.code(), Code::FailedPrecondition);
        assert!(refusal.message().contains("Snapshot"), "{refusal}");
        assert_eq!(stage.acknowledge(cursor).await.unwrap_err().code(), Code::FailedPrecondition);
    }
    let (alerts, cursor) = stage.snapshot().await;
    assert_eq!(alerts.len(), 1);
    stage.raise("drugs", 3).await;
    let mut stream = stage.subscribe(&cursor).await.unwrap();
    assert_eq!(kind(&change(&mut stream).await).1, "drugs");
}

#[tokio::test]
async fn a_snapshot_of_nothing_ends_with_the_cursor_before_everything() {
    let mut stage = Stage::new().await;
    let (alerts, cursor) = stage.snapshot().await;
    assert!(alerts.is_empty());
    stage.raise("drugs", 3).await;
    let mut stream = stage.subscribe(&cursor).await.unwrap();
    assert_eq!(kind(&change(&mut stream).await).1, "drugs");
}

#[tokio::test]
async fn a_snapshot_holds_every_open_alert_over_several_pages() {
    let mut stage = Stage::new().await;
    for n in 0..40 {
        stage.raise_as(&format!("pupil{n:02}"), "drugs", 3).await;
    }
    let (alerts, _) = stage.snapshot().await;
    let mut pseudonyms: Vec<_> = alerts.into_iter().map(|alert| alert.person_pseudonym).collect();
    pseudonyms.sort();
    pseudonyms.dedup();
    assert_eq!(pseudonyms.len(), 40);
}

#[tokio::test]
async fn no_name_account_profile_or_computer_is_in_the_stream_and_pseudonyms_hold() {
    let mut stage = Stage::new().await;
    let mut payload = worrying("suicide", 5);
    payload.evidence[0].value = "SCHOOL\\Amy.Jones".to_owned();
    payload.matches[0].snippet = "amy.jones how to end it on laptop-0042, says Amy".to_owned();
    (payload.matches[0].start, payload.matches[0].end) = (17, 23);
    payload.content = Some(crate::triage::scene::a_visit(
        "https://a.example/users/amy.jones/",
        Some("Home of Amy.Jones, the Jones"),
    ));
    stage.scene.send(&mut stage.laptop, &payload).await;
    payload.matches[0].category = "drugs".to_owned();
    stage.scene.send(&mut stage.laptop, &payload).await;
    stage.scene.triage().await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    let (one, two) = (change(&mut stream).await, change(&mut stream).await);
    let bytes = [one.encode_to_vec(), two.encode_to_vec()].concat().to_ascii_lowercase();
    let person = stage.scene.alert_of("suicide").await.person.person.unwrap();
    let (device, person) = (stage.laptop.device.to_vec(), person.to_vec());
    let secrets: [&[u8]; 6] = [b"amy", b"jones", b"laptop-0042", b"profile", &device, &person];
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{secret:?}");
    }
    assert!(bytes.windows(6).any(|window| window == b"end it"));
    let (one, two) = (one.alert.unwrap(), two.alert.unwrap());
    assert_eq!(one.person_pseudonym.len(), 32);
    assert_eq!(one.person_pseudonym, two.person_pseudonym);
    assert_eq!(one.device_pseudonym, two.device_pseudonym);
    assert_ne!(one.person_pseudonym, one.device_pseudonym);
    assert!(one.person_certain);
}

#[tokio::test]
async fn another_school_s_alerts_are_in_no_answer() {
    let mut stage = Stage::new().await;
    stage.raise("suicide", 5).await;
    let alert = stage.scene.alert_of("suicide").await.alert;
    let elsewhere = stage.scene.other_school("Hill Top").await;
    let reader = add_reader(&stage.scene, vec![elsewhere]).await;
    let theirs = Stage { reader, ..stage };
    let (alerts, _) = theirs.snapshot().await;
    assert!(alerts.is_empty());
    let mut stream = theirs.subscribe(&[]).await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(200), stream.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    for id in [alert, AlertId::from_bytes([9; 16])] {
        assert_eq!(theirs.assess(assessment(id)).await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test]
async fn a_reader_without_a_school_or_without_a_certificate_gets_nothing() {
    let stage = Stage::new().await;
    let nobody = Stage { reader: ReaderId::draw(&System), ..stage };
    let refusal = nobody.subscribe(&[]).await.map(|_| ()).unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    let bare = Request::new(SubscribeRequest::default());
    let refusal = nobody.feed.subscribe(bare).await.map(|_| ()).unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_entitlement_that_is_withdrawn_ends_the_stream() {
    let mut stage = Stage::new().await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    stage.raise("suicide", 5).await;
    change(&mut stream).await;
    stage.scene.scratch.vandalise("DELETE FROM reader_schools").await;
    let end = stream.next().await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::PermissionDenied);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_ended_and_can_resume() {
    let mut stage = Stage::new().await;
    for n in 0..12 {
        stage.raise_as(&format!("pupil{n:02}"), "drugs", 3).await;
    }
    let mut stream = stage.subscribe(&[]).await.unwrap();
    tokio::time::sleep(QUICK.patience * 6).await;
    let mut last = None;
    let end = loop {
        match stream.next().await.unwrap() {
            Ok(response) => last = Some(change_in(response)),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::ResourceExhausted);
    let mut resumed = stage.subscribe(&last.unwrap().cursor).await.unwrap();
    assert_eq!(kind(&change(&mut resumed).await).0, ChangeKind::Opened);
}

#[tokio::test]
async fn an_alert_that_cannot_be_given_holds_no_other_up() {
    for harm in [
        "UPDATE alerts SET basis = 'no such basis' WHERE category = 'drugs'",
        "UPDATE alert_contents SET content = x'ff' WHERE alert IN
             (SELECT alert FROM alerts WHERE category = 'drugs')",
        "INSERT INTO schools (school, name, time_zone, created_at)
             VALUES (zeroblob(16), 'No Keys', 'Europe/London', 0);
         INSERT INTO reader_schools (reader, school) SELECT reader, zeroblob(16) FROM reader_schools;
         UPDATE alerts SET school = zeroblob(16) WHERE category = 'drugs';
         UPDATE changes SET school = zeroblob(16)
             WHERE alert IN (SELECT alert FROM alerts WHERE category = 'drugs')",
    ] {
        let mut stage = Stage::new().await;
        // More than a page of them, so that a whole page is passed over.
        for _ in 0..20 {
            stage.raise("drugs", 3).await;
        }
        stage.raise("suicide", 5).await;
        stage.scene.scratch.vandalise(harm).await;
        let mut stream = stage.subscribe(&[]).await.unwrap();
        let given = change(&mut stream).await;
        assert_eq!(kind(&given), (ChangeKind::Opened, "suicide".to_owned()), "{harm}");
        assert_eq!(stage.audited(Action::AlertDelivered).await, 1, "only what was sent");
        let (alerts, _) = stage.snapshot().await;
        assert_eq!(alerts.len(), 1, "{harm}");
    }
}

#[tokio::test]
async fn a_silent_stream_beats() {
    let stage = Stage::new().await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    let beat = stream.next().await.unwrap().unwrap();
    assert!(matches!(beat.event, Some(subscribe_response::Event::Heartbeat(_))));
}

#[tokio::test]
async fn a_stream_ends_when_the_collector_stops() {
    let stage = Stage::new().await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    stage.cancel.cancel();
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn an_assessment_counts_once_and_within_its_bounds() {
    let mut stage = Stage::new().await;
    stage.raise("suicide", 5).await;
    let alert = stage.scene.alert_of("suicide").await.alert;
    let good = assessment(alert);
    stage.assess(good.clone()).await.unwrap();
    stage.assess(good.clone()).await.unwrap();
    for (wrong, code) in [
        (AssessRequest { assessment_id: vec![1; 15], ..good.clone() }, Code::InvalidArgument),
        (AssessRequest { alert_id: Vec::new(), ..good.clone() }, Code::InvalidArgument),
        (AssessRequest { grade: 0, ..good.clone() }, Code::InvalidArgument),
        (AssessRequest { grade: 6, ..good.clone() }, Code::InvalidArgument),
        (AssessRequest { note: "x".repeat(2_001), ..good.clone() }, Code::InvalidArgument),
        (AssessRequest { alert_id: vec![9; 16], ..good.clone() }, Code::NotFound),
    ] {
        assert_eq!(stage.assess(wrong).await.unwrap_err().code(), code);
    }
    let scope = stage.scene.scope(stage.scene.dsl);
    let read = stage.scene.scratch.store.read(&scope, move |view| view.alert(alert));
    let assessments = read.await.unwrap().assessments;
    assert_eq!(assessments.len(), 1);
    assert_eq!((assessments[0].grade, assessments[0].school_called), (4, true));
    assert_eq!(assessments[0].note.as_deref(), Some("reads like a plan"));
    assert_eq!(stage.audited(Action::AlertAssessed).await, 1);
}

#[tokio::test]
async fn every_delivery_is_on_the_audit_trail_before_it_leaves() {
    let mut stage = Stage::new().await;
    stage.raise("suicide", 5).await;
    stage.raise("suicide", 5).await;
    let mut stream = stage.subscribe(&[]).await.unwrap();
    change(&mut stream).await;
    change(&mut stream).await;
    assert_eq!(stage.audited(Action::AlertDelivered).await, 2);
    stage.snapshot().await;
    assert_eq!(stage.audited(Action::AlertDelivered).await, 3);
}

/// A pace at which a test need not wait.
const QUICK: Pace =
    Pace { heartbeat: Duration::from_millis(400), patience: Duration::from_millis(100) };

/// A school with a laptop, and a reader of its alerts.
struct Stage {
    scene: Scene,
    laptop: Sender,
    feed: Feed,
    reader: ReaderId,
    cancel: CancellationToken,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let laptop = scene.device(scene.school).await;
        let reader = add_reader(&scene, vec![scene.school]).await;
        let cancel = CancellationToken::new();
        let (store, keys) = (scene.scratch.store.clone(), scene.keys.clone());
        let mut feed = Feed::new(store, keys, scene.clock.clone(), cancel.clone());
        feed.pace = QUICK;
        Self { scene, laptop, feed, reader, cancel }
    }

    async fn raise(&mut self, category: &str, severity: u32) {
        self.raise_as("amy", category, severity).await;
    }

    async fn raise_as(&mut self, account: &str, category: &str, severity: u32) {
        let mut payload = worrying(category, severity);
        payload.evidence[0].value = account.to_owned();
        self.scene.send(&mut self.laptop, &payload).await;
        self.scene.triage().await;
    }

    async fn close(&self, alert: AlertId) {
        let scope = self.scene.scope(self.scene.dsl);
        let close =
            self.scene.scratch.store.write(&scope, move |edit| {
                edit.close_alert(alert, Disposition::Referred, "police")
            });
        close.await.unwrap();
    }

    async fn subscribe(&self, cursor: &[u8]) -> Result<Answers<SubscribeResponse>, Status> {
        let request = self.request(SubscribeRequest { after_cursor: cursor.to_vec() });
        self.feed.subscribe(request).await.map(Response::into_inner)
    }

    async fn acknowledge(&self, cursor: &[u8]) -> Result<(), Status> {
        let request = self.request(AcknowledgeRequest { cursor: cursor.to_vec() });
        self.feed.acknowledge(request).await.map(|_| ())
    }

    async fn assess(&self, request: AssessRequest) -> Result<(), Status> {
        self.feed.assess(self.request(request)).await.map(|_| ())
    }

    async fn snapshot(&self) -> (Vec<Alert>, Vec<u8>) {
        let mut stream =
            self.feed.snapshot(self.request(SnapshotRequest {})).await.unwrap().into_inner();
        let (mut alerts, mut cursor) = (Vec::new(), None);
        while let Some(item) = stream.next().await {
            assert!(cursor.is_none(), "the cursor comes last");
            match item.unwrap().item.unwrap() {
                snapshot_response::Item::Alert(alert) => alerts.push(alert),
                snapshot_response::Item::Cursor(bytes) => cursor = Some(bytes),
            }
        }
        (alerts, cursor.unwrap())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(Caller {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            certificate: Some(ClientCertificate {
                peer: Peer::Reader { reader: self.reader },
                serial: [1; 16],
            }),
        });
        request
    }

    async fn audited(&self, action: Action) -> usize {
        let school = self.scene.school;
        let scope = self.scene.scope(self.scene.dsl);
        let read =
            self.scene.scratch.store.read(&scope, move |view| view.audit_entries(school, 999));
        read.await.unwrap().iter().filter(|entry| entry.action == action.as_str()).count()
    }
}

async fn add_reader(scene: &Scene, schools: Vec<SchoolId>) -> ReaderId {
    let line = Scope::command_line();
    let write =
        scene.scratch.store.write(&line, move |edit| edit.add_reader("Night Watch", &schools));
    write.await.unwrap()
}

async fn change(stream: &mut Answers<SubscribeResponse>) -> redshank_proto::v1::AlertChange {
    change_in(stream.next().await.unwrap().unwrap())
}

fn change_in(response: SubscribeResponse) -> redshank_proto::v1::AlertChange {
    match response.event {
        Some(subscribe_response::Event::Change(change)) => change,
        other => panic!("a change was expected: {other:?}"),
    }
}

fn kind(change: &redshank_proto::v1::AlertChange) -> (ChangeKind, String) {
    (change.kind(), change.alert.as_ref().unwrap().category.clone())
}

fn assessment(alert: AlertId) -> AssessRequest {
    AssessRequest {
        assessment_id: draw::<16>(&System).to_vec(),
        alert_id: alert.to_vec(),
        grade: 4,
        note: "reads like a plan".to_owned(),
        school_called: true,
    }
}
