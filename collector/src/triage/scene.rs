//! A school for tests: keys, people, devices that seal and send, and a clock that stands still.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use redshank_proto::clock::{Fixed, System, draw};
use redshank_proto::id::{DeviceId, Lane, Position, SchoolId, UserId};
use redshank_proto::seal::{EpochCipher, begin_epoch};
use redshank_proto::time::to_wire;
use redshank_proto::trust::Trust;
use redshank_proto::v1;

use super::{Progress, Triage};
use crate::keys::KeyRing;
use crate::keys::tests::{add_school, ring_with_school};
use crate::store::alerts::{QueueFilter, QueueRow};
use crate::store::log::{Arrival, Reception};
use crate::store::tests::Scratch;
use crate::store::tokens::NewToken;
use crate::store::users::NewUser;
use crate::store::{Purpose, Role, Scope};

/// Noon on a Tuesday in winter.
pub(crate) const NOON: &str = "2026-01-13T12:00:00Z";

pub(crate) struct Scene {
    pub(crate) scratch: Scratch,
    pub(crate) clock: Arc<Fixed>,
    pub(crate) keys: KeyRing,
    pub(crate) school: SchoolId,
    /// Jane Smith.
    pub(crate) dsl: UserId,
}

/// A device that sends.
pub(crate) struct Sender {
    pub(crate) school: SchoolId,
    pub(crate) device: DeviceId,
    pub(crate) skew_micros: i64,
    cipher: EpochCipher,
    sequence: u64,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(Fixed::new(NOON.parse().unwrap(), 1));
        let scratch = Scratch::with(clock.clone(), clock.clone());
        let (keys, school) = ring_with_school(&scratch.store).await;
        let dsl = add_user(&scratch, school, "Jane Smith", Role::Dsl).await;
        Self { scratch, clock, keys, school, dsl }
    }

    pub(crate) async fn other_school(&self, name: &'static str) -> SchoolId {
        let school = add_school(&self.scratch.store, name).await;
        self.keys.refresh(&self.scratch.store).await.unwrap();
        school
    }

    /// Adds a user; one more whose role opens content is approved by the first.
    pub(crate) async fn user(&self, school: SchoolId, name: &'static str, role: Role) -> UserId {
        let user = add_user(&self.scratch, school, name, role).await;
        if school == self.school && role.opens_content() {
            let scope = self.scope(self.dsl);
            let approve = self.scratch.store.write(&scope, move |edit| edit.approve_user(user));
            approve.await.unwrap();
        }
        user
    }

    /// The scope of somebody at the first school whose role opens content.
    pub(crate) fn scope(&self, user: UserId) -> Scope {
        Scope::user(user, Role::Dsl, self.school)
    }

    pub(crate) async fn device(&self, school: SchoolId) -> Sender {
        let sender = self.pending_device(school).await;
        let device = sender.device;
        let line = Scope::command_line();
        self.scratch.store.write(&line, move |edit| edit.approve_device(device)).await.unwrap();
        sender
    }

    pub(crate) async fn pending_device(&self, school: SchoolId) -> Sender {
        let store = &self.scratch.store;
        let secret_sha256 = draw::<32>(&System);
        let line = Scope::command_line();
        let add_token = store.write(&line, move |edit| {
            edit.add_token(&NewToken {
                school,
                secret_sha256,
                purpose: "a test".to_owned(),
                expires_at: edit.now() + SignedDuration::from_hours(1),
                uses: 1,
            })
        });
        add_token.await.unwrap();
        let description =
            v1::DeviceDescription { host_name: "LAPTOP-0042".to_owned(), ..Default::default() };
        let enrolment = Scope::system(Purpose::Enrolment);
        let enrol = store.write(&enrolment, move |edit| {
            edit.enrol_device(&secret_sha256, &draw::<32>(&System), &description)
        });
        let device = enrol.await.unwrap().unwrap().device;
        let bundle = store.read(&line, move |view| view.newest_bundle(school)).await.unwrap();
        let trust = Trust::from_store(bundle).unwrap();
        let (cipher, key) = begin_epoch(school, trust.hpke_key(), &System).unwrap();
        let epoch = cipher.epoch();
        let scope = Scope::device(school, device);
        let announce =
            store.write(&scope, move |edit| edit.announce_epoch(school, device, epoch, &key));
        announce.await.unwrap();
        Sender { school, device, skew_micros: 0, cipher, sequence: 0 }
    }

    pub(crate) async fn send(&self, sender: &mut Sender, payload: &v1::EventPayload) {
        let position = sender.next();
        let sealed = sender.cipher.seal(position, payload.encode_to_vec()).unwrap();
        self.send_sealed(sender, position, sealed).await;
    }

    /// Sends what no key opens.
    pub(crate) async fn send_poison(&self, sender: &mut Sender) {
        let position = sender.next();
        self.send_sealed(sender, position, vec![7; 40]).await;
    }

    async fn send_sealed(&self, sender: &Sender, position: Position, sealed: Vec<u8>) {
        let (school, device, skew_micros) = (sender.school, sender.device, sender.skew_micros);
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &sealed).as_ref());
        let arrival = Arrival { position, digest: sha256, sealed };
        let scope = Scope::device(school, device);
        let append = self.scratch.store.write(&scope, move |edit| {
            edit.append(&Reception { school, device, skew_micros }, &[arrival])
        });
        append.await.unwrap();
    }

    pub(crate) async fn triage(&self) {
        let mut triage = self.new_triage();
        while triage.batch().await.unwrap() == Progress::More {}
    }

    pub(super) fn new_triage(&self) -> Triage {
        Triage::new(self.scratch.store.clone(), self.keys.clone())
    }

    pub(crate) async fn queue(&self, user: UserId) -> Vec<QueueRow> {
        let read = |view: &crate::store::View<'_>| view.queue(QueueFilter::Active);
        self.scratch.store.read(&self.scope(user), read).await.unwrap()
    }

    /// The first user's alert in a category.
    pub(crate) async fn alert_of(&self, category: &str) -> QueueRow {
        let queue = self.queue(self.dsl).await;
        queue.into_iter().find(|row| row.category == category).unwrap()
    }

    /// The only alert in a user's queue.
    pub(crate) async fn alert(&self, user: UserId) -> QueueRow {
        let mut queue = self.queue(user).await;
        assert_eq!(queue.len(), 1, "{queue:?}");
        queue.remove(0)
    }
}

impl Sender {
    fn next(&mut self) -> Position {
        self.sequence += 1;
        Position { epoch: self.cipher.epoch(), lane: Lane::Urgent, sequence: self.sequence }
    }
}

/// An event at noon by `amy`, who searched for it, in one category.
pub(crate) fn worrying(category: &str, severity: u32) -> v1::EventPayload {
    worrying_at(category, severity, NOON.parse().unwrap())
}

pub(crate) fn worrying_at(category: &str, severity: u32, at: Timestamp) -> v1::EventPayload {
    v1::EventPayload {
        matches: vec![a_match(category, severity)],
        content: Some(a_visit("https://search.example/search", Some("how to end it - search"))),
        ..routine_at("", at)
    }
}

/// A visit without a match at noon by `amy`.
pub(crate) fn routine(address: &str) -> v1::EventPayload {
    routine_at(address, NOON.parse().unwrap())
}

pub(crate) fn routine_at(address: &str, at: Timestamp) -> v1::EventPayload {
    v1::EventPayload {
        occurred_at: Some(to_wire(at)),
        observed_at: Some(to_wire(at)),
        evidence: vec![signed_in("amy")],
        content: Some(a_visit(address, None)),
        ..Default::default()
    }
}

pub(crate) fn a_match(category: &str, severity: u32) -> v1::Match {
    v1::Match {
        rule: format!("{category}.rule"),
        category: category.to_owned(),
        severity,
        place: v1::Place::Search as i32,
        snippet: "how to end it".to_owned(),
        start: 7,
        end: 13,
        reasons: Vec::new(),
    }
}

pub(crate) fn a_visit(address: &str, title: Option<&str>) -> v1::event_payload::Content {
    v1::event_payload::Content::Visit(v1::Visit {
        browser: "Chrome".to_owned(),
        profile: "Amys profile".to_owned(),
        address: address.to_owned(),
        title: title.map(str::to_owned),
        search_terms: None,
        transition: v1::Transition::Search as i32,
        private_window: false,
    })
}

pub(crate) fn signed_in(account: &str) -> v1::Evidence {
    v1::Evidence {
        method: v1::AttributionMethod::SignedIn as i32,
        value: account.to_owned(),
        authority: "school.example".to_owned(),
    }
}

async fn add_user(scratch: &Scratch, school: SchoolId, name: &str, role: Role) -> UserId {
    let new = NewUser {
        school,
        role,
        name: name.to_owned(),
        email: format!("{}@school.example", name.to_lowercase().replace(' ', ".")),
        password: "$argon2id$none".to_owned(),
    };
    let line = Scope::command_line();
    let write = scratch.store.write(&line, move |edit| edit.add_user(&new));
    write.await.unwrap().0
}
