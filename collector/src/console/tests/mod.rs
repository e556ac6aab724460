//! The console as a browser meets it, in process: a school with its people, a device and alerts.

mod browser;
mod live;
mod pages;
mod roles;
mod signing_in;
mod sources;

use std::sync::Arc;

use axum::Router;
use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;
use redshank_proto::clock::{Clock as _, Fixed, System, draw};
use redshank_proto::id::{AlertId, DeviceId, Epoch, Lane, Position, SchoolId, UserId};
use redshank_proto::v1::{self, event_payload::Content};

use self::browser::Browser;
use super::{Settings, password, router};
use crate::store::alerts::{Basis, Factor, FoldKey, NewAlert, RaisedEvent};
use crate::store::audit::Entry;
use crate::store::log::{Arrival, Reception};
use crate::store::persons::Account;
use crate::store::tests::Scratch;
use crate::store::tokens::NewToken;
use crate::store::users::NewUser;
use crate::store::{Purpose, Role, Scope};

/// Monday 14 July 2025, 08:45 in London.
const NOW: &str = "2025-07-14T07:45:00Z";
const PASSWORD: &str = "marsh warden bell";
const DSL: &str = "dsl@marsh.example";
const DEPUTY: &str = "deputy@marsh.example";
const TECHNICIAN: &str = "technician@marsh.example";
const OTHER_DSL: &str = "dsl@hill.example";

/// Two schools: Marsh Lane with a DSL, a deputy who waits for approval, and a technician; Hill with a DSL.
struct World {
    scratch: Scratch,
    clock: Arc<Fixed>,
    router: Router,
    school: SchoolId,
    device: DeviceId,
    dsl: UserId,
    deputy: UserId,
    technician: UserId,
    other_dsl: UserId,
}

/// What an alert is of, as far as a test cares.
struct Raise {
    category: &'static str,
    severity: u8,
    priority: u32,
    basis: Basis,
    account: Option<&'static str>,
    captured: &'static str,
    found: v1::Match,
    visit: v1::Visit,
    /// In place of the visit.
    content: Option<Content>,
    context: Vec<v1::ContextVisit>,
}

impl Default for Raise {
    fn default() -> Self {
        Self {
            category: "self_harm",
            severity: 4,
            priority: 640,
            basis: Basis::SignedIn,
            account: Some("j.fletcher"),
            captured: "2025-07-12T22:40:00Z",
            found: v1::Match {
                rule: "self_harm.method".to_owned(),
                category: "self_harm".to_owned(),
                severity: 4,
                place: v1::Place::Search as i32,
                snippet: "how to hide cuts from my mum".to_owned(),
                start: 7,
                end: 16,
                reasons: vec!["first person".to_owned()],
            },
            visit: v1::Visit {
                browser: "Chromium".to_owned(),
                profile: "Default".to_owned(),
                address: "https://search.example/results".to_owned(),
                title: Some("how to hide cuts from my mum - Search".to_owned()),
                search_terms: Some("how to hide cuts from my mum".to_owned()),
                transition: v1::Transition::Search as i32,
                private_window: false,
            },
            content: None,
            context: Vec::new(),
        }
    }
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(Fixed::new(at(NOW), 1));
        let scratch = Scratch::with(clock.clone(), Arc::new(System));
        let hash = password::hash(PASSWORD, &System).unwrap();
        let school = add_school(&scratch, "Marsh Lane Academy").await;
        let other = add_school(&scratch, "Hill School").await;
        let mut users = Vec::new();
        for (school, role, name, email) in [
            (school, Role::Dsl, "Sam Okafor", DSL),
            (school, Role::Dsl, "Priya Lowe", DEPUTY),
            (school, Role::Technician, "Alex Tern", TECHNICIAN),
            (other, Role::Dsl, "Robin Hill", OTHER_DSL),
        ] {
            let (name, email) = (name.to_owned(), email.to_owned());
            let new = NewUser { school, role, name, email, password: hash.clone() };
            let scope = Scope::command_line();
            users.push(scratch.store.write(&scope, move |e| e.add_user(&new)).await.unwrap().0);
        }
        let device = enrol(&scratch, school, "LIB-LAPTOP-07").await;
        let settings = Settings { live_connections: 2, ..Settings::default() };
        let router = router(scratch.store.clone(), settings, clock.clone(), Arc::new(System));
        let [dsl, deputy, technician, other_dsl] = users[..] else { panic!("four users") };
        Self { scratch, clock, router, school, device, dsl, deputy, technician, other_dsl }
    }

    /// A browser in which nobody is signed in.
    fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser in which somebody is.
    async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    fn pass(&self, time: jiff::Span) {
        self.clock.set(self.clock.now().checked_add(time).unwrap());
    }

    /// Raises an alert that the DSL sees, as triage does.
    async fn raise(&self, raise: Raise) -> AlertId {
        let viewers = vec![self.dsl];
        self.raise_for(raise, viewers).await
    }

    async fn raise_for(&self, raise: Raise, viewers: Vec<UserId>) -> AlertId {
        let (school, device) = (self.school, self.device);
        let position = self.append().await;
        let received_at = self.clock.now();
        let payload = v1::EventPayload {
            occurred_at: Some(redshank_proto::time::to_wire(at(raise.captured))),
            matches: vec![raise.found],
            context: raise.context,
            content: raise.content.or(Some(Content::Visit(raise.visit))),
            ..v1::EventPayload::default()
        };
        let scope = Scope::system(Purpose::Triage);
        let write = self.scratch.store.write(&scope, move |edit| {
            let account = raise.account.map(|name| Account::new("", name));
            let person = account
                .map(|account| edit.person_of_account(school, device, &account))
                .transpose()?;
            let occurred_at = at(raise.captured);
            let points = i32::try_from(raise.priority).unwrap() - 40;
            let new = NewAlert {
                key: FoldKey { school, person, client: None, device },
                category: raise.category,
                basis: raise.basis,
                priority: raise.priority,
                factors: vec![
                    Factor { label: "severity".to_owned(), points },
                    Factor { label: "after bedtime".to_owned(), points: 60 },
                    Factor { label: "seen once".to_owned(), points: -20 },
                ],
                verified: true,
                event: RaisedEvent {
                    position,
                    occurred_at,
                    last_occurred_at: occurred_at,
                    received_at,
                    severity: raise.severity,
                    content: payload.encode_to_vec(),
                },
                viewers,
            };
            Ok(edit.open_alert(&new)?.0)
        });
        write.await.unwrap()
    }

    /// Appends an event to the log and says where.
    async fn append(&self) -> i64 {
        let (school, device) = (self.school, self.device);
        let position = Position { epoch: Epoch::draw(&System), lane: Lane::Urgent, sequence: 1 };
        let arrival = Arrival { position, digest: draw(&System), sealed: vec![0; 32] };
        let scope = Scope::device(school, device);
        let append = self.scratch.store.write(&scope, move |edit| {
            edit.append(&Reception { school, device, skew_micros: 0 }, &[arrival])
        });
        append.await.unwrap();
        let scope = Scope::system(Purpose::Triage);
        let events = self.scratch.store.read(&scope, |view| view.events_after(0, 1_000)).await;
        events.unwrap().last().unwrap().position
    }

    /// The school's audit trail, oldest first.
    async fn audit(&self) -> Vec<Entry> {
        let (school, scope) = (self.school, Scope::user(self.dsl, Role::Dsl, self.school));
        let read = self.scratch.store.read(&scope, move |view| view.audit_entries(school, 1_000));
        let mut entries = read.await.unwrap();
        entries.reverse();
        entries
    }

    /// What somebody did, in order, by its name in the chain.
    async fn deeds(&self, user: UserId) -> Vec<String> {
        let actor = format!("user:{user}");
        let entries = self.audit().await;
        entries.into_iter().filter(|e| e.actor == actor).map(|e| e.action).collect()
    }
}

async fn add_school(scratch: &Scratch, name: &'static str) -> SchoolId {
    let scope = Scope::command_line();
    scratch.store.write(&scope, move |e| e.add_school(name, "Europe/London")).await.unwrap()
}

async fn enrol(scratch: &Scratch, school: SchoolId, host_name: &str) -> DeviceId {
    let secret_sha256: [u8; 32] = draw(&System);
    let token = NewToken {
        school,
        secret_sha256,
        purpose: "Library laptops".to_owned(),
        expires_at: at(NOW) + 24.hours(),
        uses: 5,
    };
    let scope = Scope::command_line();
    scratch.store.write(&scope, move |edit| edit.add_token(&token)).await.unwrap();
    let description = v1::DeviceDescription {
        host_name: host_name.to_owned(),
        serial_number: "5CG1234XYZ".to_owned(),
        platform: "windows".to_owned(),
        os_version: "Windows 11 Education 23H2".to_owned(),
        agent_version: "0.1.0".to_owned(),
    };
    let scope = Scope::system(Purpose::Enrolment);
    let enrol = scratch
        .store
        .write(&scope, move |edit| edit.enrol_device(&secret_sha256, &draw(&System), &description));
    enrol.await.unwrap().unwrap().device
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
