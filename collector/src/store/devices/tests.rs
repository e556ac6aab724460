//! Devices in the store: enrolment, runs, health, and who may see them.

use redshank_proto::clock::{Clock as _, System};
use redshank_proto::id::{RunId, UserId};
use redshank_proto::peer::Peer;
use redshank_proto::{token, v1};

use super::enrolling::Enrolled;
use super::reporting::{Connecting, RUNS_KEPT};
use super::*;
use crate::store::alarms::AlarmKind;
use crate::store::tests::Scratch;
use crate::store::tokens::{NewToken, TokenRefusal};
use crate::store::{Purpose, Scope};

#[tokio::test]
async fn the_same_token_and_key_give_the_same_device() {
    let scratch = Scratch::new();
    let school = school(&scratch, "Marsh Lane").await;
    let secret = make_token(&scratch, school, 1).await;
    let first = enrol(&scratch, &secret, 1).await.unwrap();
    let again = enrol(&scratch, &secret, 1).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(first.status, DeviceStatus::Pending);
    assert_eq!(enrol(&scratch, &secret, 2).await, Err(TokenRefusal::UsedUp));
    scratch.vandalise("UPDATE tokens SET revoked_at = 1").await;
    assert_eq!(enrol(&scratch, &secret, 1).await, Err(TokenRefusal::Revoked));
}

#[tokio::test]
async fn a_token_that_is_over_still_answers_the_device_it_enrolled() {
    let scratch = Scratch::new();
    let school = school(&scratch, "Marsh Lane").await;
    let secret = make_token(&scratch, school, 9).await;
    let first = enrol(&scratch, &secret, 1).await;
    scratch.vandalise("UPDATE tokens SET expires_at = 1").await;
    assert_eq!(enrol(&scratch, &secret, 1).await, first);
    assert_eq!(enrol(&scratch, &secret, 2).await, Err(TokenRefusal::Expired));
    scratch.vandalise("UPDATE devices SET status = 'revoked'").await;
    assert_eq!(enrol(&scratch, &secret, 1).await, Err(TokenRefusal::Revoked));
}

#[tokio::test]
async fn two_successors_of_one_run_are_a_fork_and_a_long_chain_is_none() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let runs: Vec<_> = (0..6).map(|_| RunId::draw(&System)).collect();
    for (run, previous, since, forked) in [
        (runs[0], None, &runs[..0], false),
        (runs[0], None, &runs[..0], false),
        (runs[1], Some(runs[0]), &runs[..0], false),
        // Its welcome was lost on the way: the next one knows of it.
        (runs[2], Some(runs[0]), &runs[1..2], false),
        (runs[3], Some(runs[2]), &runs[..0], false),
        (runs[4], Some(runs[2]), &runs[..0], true),
        (runs[5], Some(runs[3]), &runs[..0], true),
    ] {
        assert_eq!(connect(&scratch, device, run, previous, since).await, forked);
    }
    assert!(summary(&scratch, device).await.forked);
    let kinds: Vec<_> = alarms(&scratch, device).await.into_iter().map(|it| it.0).collect();
    assert_eq!(kinds, [AlarmKind::Clone]);
}

#[tokio::test]
async fn an_image_cloned_before_its_first_run_is_a_fork() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    assert!(!connect(&scratch, device, RunId::draw(&System), None, &[]).await);
    assert!(connect(&scratch, device, RunId::draw(&System), None, &[]).await);
}

#[tokio::test]
async fn runs_are_bounded() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let mut previous = None;
    for _ in 0..RUNS_KEPT + 20 {
        let run = RunId::draw(&System);
        assert!(!connect(&scratch, device, run, previous, &[]).await);
        previous = Some(run);
    }
    let line = Scope::command_line();
    let count = scratch.store.read(&line, |view| {
        Ok(view.sql().query_row("SELECT count(*) FROM device_runs", [], |row| row.get(0))?)
    });
    let count: u32 = count.await.unwrap();
    assert_eq!(count, RUNS_KEPT);
}

#[tokio::test]
async fn health_replaces_what_was_said_before_and_losses_raise_alarms() {
    let scratch = Scratch::new();
    let device = device(&scratch).await;
    let source = |source: &str, state| v1::SourceHealth {
        source: source.to_owned(),
        state,
        ..Default::default()
    };
    for (lost, sources) in [
        (0, vec![source("browser_history", 1), source("extension", 3)]),
        (7, vec![source("browser_history", 2)]),
        (9, vec![source("browser_history", 99)]),
    ] {
        let health = v1::Health { lost_events: lost, sources, ..Default::default() };
        let scope = Scope::device(device.school, device.device);
        let write = scratch
            .store
            .write(&scope, move |edit| edit.report_health(device.school, device.device, &health));
        write.await.unwrap();
    }
    let summary = summary(&scratch, device).await;
    assert_eq!((summary.lost_events, summary.worst), (9, Some(0)));
    assert_eq!(alarms(&scratch, device).await, [(AlarmKind::EventsLost, 9)]);
}

#[tokio::test]
async fn a_device_is_seen_and_approved_by_its_own_school_alone() {
    let scratch = Scratch::new();
    let enrolled = device(&scratch).await;
    let other = school(&scratch, "Hill Top").await;
    let id = enrolled.device;
    let user = |role, school| Scope::user(UserId::draw(&System), role, school);
    for (scope, sees) in [
        (user(Role::Technician, enrolled.school), true),
        (user(Role::Dsl, enrolled.school), true),
        (user(Role::Technician, other), false),
        (Scope::device(enrolled.school, id), false),
        (Scope::command_line(), true),
    ] {
        let seen = scratch.store.read(&scope, move |view| view.device(id)).await;
        assert_eq!(seen.is_ok(), sees, "{scope:?}");
    }
    for (scope, fine) in [
        (user(Role::Dsl, enrolled.school), false),
        (user(Role::Technician, other), false),
        (user(Role::Technician, enrolled.school), true),
        (Scope::command_line(), false),
    ] {
        let approved = scratch.store.write(&scope, move |edit| edit.approve_device(id)).await;
        assert_eq!(approved.is_ok(), fine, "{scope:?}");
    }
}

#[tokio::test]
async fn a_device_is_revoked_by_its_own_school_s_technician_once_and_for_good() {
    let scratch = Scratch::new();
    let enrolled = device(&scratch).await;
    let other = school(&scratch, "Hill Top").await;
    let id = enrolled.device;
    let user = |role, school| Scope::user(UserId::draw(&System), role, school);
    for (scope, fine) in [
        (user(Role::Dsl, enrolled.school), false),
        (user(Role::Technician, other), false),
        (Scope::device(enrolled.school, id), false),
        (user(Role::Technician, enrolled.school), true),
        (Scope::command_line(), false),
    ] {
        let revoked = scratch.store.write(&scope, move |edit| edit.revoke_device(id)).await;
        assert_eq!(revoked.is_ok(), fine, "{scope:?}");
    }
    let line = Scope::command_line();
    let approved = scratch.store.write(&line, move |edit| edit.approve_device(id)).await;
    assert!(matches!(approved, Err(StoreError::Conflict(_))));
    assert_eq!(summary(&scratch, enrolled).await.status, DeviceStatus::Revoked);
    let entries = scratch.store.read(&line, |view| {
        let count = "SELECT count(*) FROM audit WHERE action = 'device_revoked'";
        Ok(view.sql().query_row(count, [], |row| row.get::<_, u32>(0))?)
    });
    assert_eq!(entries.await.unwrap(), 1);
}

#[tokio::test]
async fn a_certificate_stands_until_it_or_its_device_is_revoked() {
    let scratch = Scratch::new();
    let enrolled = device(&scratch).await;
    let peer = Peer::Device { school: enrolled.school, device: enrolled.device };
    let enrolment = Scope::system(Purpose::Enrolment);
    let now = System.now();
    let until = now.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    let record = scratch
        .store
        .write(&enrolment, move |edit| edit.record_certificate(&[1; 16], Some(peer), until));
    record.await.unwrap();
    let stands = async |serial, peer| {
        let read =
            scratch.store.read(&enrolment, move |view| view.certificate_stands(&serial, peer));
        read.await.unwrap()
    };
    let refused = async || {
        let start = Scope::system(Purpose::Start);
        scratch.store.read(&start, move |view| view.refused_certificates(now)).await.unwrap()
    };
    let stranger = Peer::Device { school: enrolled.school, device: DeviceId::draw(&System) };
    assert!(stands([1; 16], peer).await);
    assert!(!stands([2; 16], peer).await);
    assert!(!stands([1; 16], stranger).await);
    assert!(refused().await.is_empty());
    scratch.vandalise("UPDATE devices SET status = 'revoked'").await;
    assert_eq!(refused().await, [[1; 16]]);
    scratch.vandalise("UPDATE certificates SET revoked_at = 1").await;
    assert!(!stands([1; 16], peer).await);
}

#[tokio::test]
async fn certificates_of_one_device_are_bounded() {
    let scratch = Scratch::new();
    let enrolled = device(&scratch).await;
    let peer = Peer::Device { school: enrolled.school, device: enrolled.device };
    let enrolment = Scope::system(Purpose::Enrolment);
    for serial in 0..65_u8 {
        let write = scratch.store.write(&enrolment, move |edit| {
            edit.record_certificate(&[serial; 16], Some(peer), far_future())
        });
        assert_eq!(write.await.is_ok(), serial < 64, "{serial}");
    }
}

/// Enrols a device into a new school.
pub(crate) async fn device(scratch: &Scratch) -> Enrolled {
    let school = school(scratch, "Marsh Lane").await;
    let secret = make_token(scratch, school, 9).await;
    enrol(scratch, &secret, 1).await.unwrap()
}

pub(crate) async fn school(scratch: &Scratch, name: &'static str) -> SchoolId {
    let line = Scope::command_line();
    scratch.store.write(&line, move |edit| edit.add_school(name, "Europe/London")).await.unwrap()
}

async fn make_token(scratch: &Scratch, school: SchoolId, uses: u32) -> [u8; 32] {
    let secret_sha256 = token::sha256(school.as_bytes());
    let (purpose, expires_at) = ("Year 7 laptops".to_owned(), far_future());
    let new = NewToken { school, secret_sha256, purpose, expires_at, uses };
    let line = Scope::command_line();
    scratch.store.write(&line, move |edit| edit.add_token(&new)).await.unwrap();
    secret_sha256
}

fn far_future() -> Timestamp {
    "2200-01-01T00:00:00Z".parse().unwrap()
}

async fn enrol(scratch: &Scratch, secret: &[u8; 32], key: u8) -> Result<Enrolled, TokenRefusal> {
    let secret = *secret;
    let scope = Scope::system(Purpose::Enrolment);
    let write = scratch.store.write(&scope, move |edit| {
        edit.enrol_device(&secret, &[key; 32], &v1::DeviceDescription::default())
    });
    write.await.unwrap()
}

async fn connect(
    scratch: &Scratch,
    device: Enrolled,
    run: RunId,
    previous_run: Option<RunId>,
    runs_since: &[RunId],
) -> bool {
    let connecting = Connecting {
        run,
        previous_run,
        runs_since: runs_since.to_vec(),
        skew_micros: 0,
        policy_serial: 0,
        description: v1::DeviceDescription::default(),
    };
    let scope = Scope::device(device.school, device.device);
    let write = scratch
        .store
        .write(&scope, move |edit| edit.connect_device(device.school, device.device, &connecting));
    write.await.unwrap()
}

async fn summary(scratch: &Scratch, device: Enrolled) -> DeviceSummary {
    let line = Scope::command_line();
    scratch.store.read(&line, move |view| view.device(device.device)).await.unwrap()
}

async fn alarms(scratch: &Scratch, device: Enrolled) -> Vec<(AlarmKind, u64)> {
    let line = Scope::command_line();
    let open = scratch.store.read(&line, move |view| view.open_alarms(device.school));
    open.await.unwrap().into_iter().map(|alarm| (alarm.kind, alarm.count)).collect()
}
