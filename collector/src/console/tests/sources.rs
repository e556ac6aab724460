//! What the console shows of typed text, logs, programs, media, filters, notices and pauses, and to whom.

use std::sync::Arc;

use jiff::ToSpan as _;
use redshank_proto::clock::{Clock as _, System};
use redshank_proto::time::to_wire;
use redshank_proto::v1::event_payload::Content;
use redshank_proto::v1::{self, FilterAction, MediumChange, ProgramList, TextKind};

use super::browser::Browser;
use super::{DSL, OTHER_DSL, PASSWORD, Raise, Settings, TECHNICIAN, World, at, password, router};
use crate::store::alerts::Basis;
use crate::store::assets::tests::ipad;
use crate::store::assets::{NewAsset, Sort};
use crate::store::notices_shown::{Audience, NoticeShown};
use crate::store::persons::Account;
use crate::store::sightings::{Sighting, Thing};
use crate::store::unknown::Stranger;
use crate::store::users::NewUser;
use crate::store::{Edit, Purpose, Role, Scope, StoreError};
use crate::triage::scene::{self, Scene};

/// A name that no technician may meet.
const NAME: &str = "j.fletcher";

#[tokio::test]
async fn an_alert_s_page_says_of_each_kind_of_content_what_it_was() {
    let world = World::new().await;
    let text = |kind: TextKind, private_window| {
        Content::Text(v1::PageText {
            browser: "Chrome".to_owned(),
            address: "https://chat.example/c/<1>".to_owned(),
            title: Some("A <chat>".to_owned()),
            kind: kind as i32,
            private_window,
        })
    };
    let request = v1::LoggedRequest {
        address: "https://weapons.example/knives".to_owned(),
        action: FilterAction::Blocked as i32,
        category: Some("<weapons>".to_owned()),
        reason: Some("phrase <knife>".to_owned()),
        search_terms: Some("knives <sharp>".to_owned()),
        user_agent: Some("Mozilla/5.0 (iPad)".to_owned()),
        status: 403,
        name_lookup: false,
    };
    let allowed = v1::LoggedRequest {
        action: FilterAction::Allowed as i32,
        name_lookup: true,
        ..request.clone()
    };
    let program = v1::Program {
        name: "tor.<exe>".to_owned(),
        list: ProgramList::Bypass as i32,
        path: Some("Downloads/Tor".to_owned()),
        publisher: Some("The Tor Project".to_owned()),
    };
    let medium = v1::Medium {
        change: MediumChange::Inserted as i32,
        name: "STICK".to_owned(),
        bytes: 15_938_355_200,
        allowed: false,
    };
    let mut dsl = world.signed_in(DSL).await;
    let table: [(Content, &[&str], &[&str]); 9] = [
        (
            text(TextKind::Typed, true),
            &["Typed into a page at chat.example", "A &#60;chat&#62;", "private window", "Chrome"],
            &["AI chat"],
        ),
        (
            text(TextKind::Prompt, false),
            &["Typed to an AI chat at chat.example"],
            &["private window"],
        ),
        (text(TextKind::Answer, false), &["Answered by an AI chat at chat.example"], &[]),
        (text(TextKind::Page, false), &["In the text of a page at chat.example"], &[]),
        (
            Content::Request(request),
            &[
                "blocked by the filter",
                "&#60;weapons&#62;",
                "phrase &#60;knife&#62;",
                "knives &#60;sharp&#62;",
                "Mozilla/5.0 (iPad)",
                "a proxy’s log",
            ],
            &["let through"],
        ),
        (
            Content::Request(allowed),
            &["let through", "and not which page"],
            &["blocked by the filter"],
        ),
        (
            Content::Program(program),
            &["tor.&#60;exe&#62;", "gets round the filter", "Downloads/Tor", "The Tor Project"],
            &["The text is not kept"],
        ),
        (
            Content::Medium(medium),
            &["inserted: <bdi>STICK</bdi>, 16 GB", "not allowed by the school"],
            &["The text is not kept"],
        ),
        (
            Content::NoticeShown(v1::NoticeShown { version: 3, audience: 2 }),
            &["Version 3 of the notice"],
            &[],
        ),
    ];
    for (content, shown, absent) in table {
        let place = if matches!(content, Content::Text(_)) {
            v1::Place::Typed
        } else {
            v1::Place::Unspecified
        };
        let worded = matches!(content, Content::Text(_));
        let snippet = if worded { "i want to hide it" } else { "" };
        let found = v1::Match {
            place: place as i32,
            snippet: snippet.to_owned(),
            start: 0,
            end: 0,
            ..Raise::default().found
        };
        let alert = world.raise(Raise { content: Some(content), found, ..Raise::default() }).await;
        let page = dsl.get(&format!("/alerts/{alert}")).await;
        assert_eq!(page.status, 200);
        for part in shown {
            assert!(page.body.contains(part), "{part} is not in {}", page.body);
        }
        for part in absent {
            assert!(!page.body.contains(part), "{part} is in {}", page.body);
        }
        assert!(!page.body.contains("<exe>") && !page.body.contains("<chat>"));
    }
}

#[tokio::test]
async fn a_technician_s_pages_name_nobody_and_tell_no_content() {
    let world = World::new().await;
    everything(&world).await;
    let mut technician = world.signed_in(TECHNICIAN).await;
    let unknown = technician.get("/devices/unknown").await.body;
    for part in [
        "10.0.0.7",
        "02:00:5e:00:53:07",
        "LIB-LAPTOP-07",
        ">Monday 14 July<",
        "asset import",
        "listed by their ordinary requests",
    ] {
        assert!(unknown.contains(part), "{part} is not in {unknown}");
    }
    let monitoring = technician.get("/monitoring").await.body;
    for part in ["games", "1234", "Version 4 of the notice", "Year 9: the Holocaust"] {
        assert!(monitoring.contains(part), "{part} is not in {monitoring}");
    }
    let devices = technician.get("/devices").await.body;
    for part in ["1 unknown device", "1 in the asset log", "pupil’s own"] {
        assert!(devices.contains(part), "{part} is not in {devices}");
    }
    for page in [unknown, monitoring, devices] {
        for secret in [NAME, "Tor Browser", "y9-", "Who they are"] {
            assert!(!page.contains(secret), "{secret} is in {page}");
        }
    }
    assert_eq!(technician.get("/summary").await.status, 403);
    assert_eq!(world.deeds(world.technician).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_alert_from_an_unknown_device_changes_nothing_of_what_a_technician_is_shown() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    add_technician(&scene).await;
    let evidence = |mac: &str, address: &str| {
        let piece = |method: v1::AttributionMethod, value: &str| v1::Evidence {
            method: method as i32,
            value: value.to_owned(),
            authority: String::new(),
        };
        let lease = (!mac.is_empty()).then(|| piece(v1::AttributionMethod::AddressLease, mac));
        let address = piece(v1::AttributionMethod::ClientAddress, address);
        lease.into_iter().chain([address]).collect::<Vec<_>>()
    };
    let known = "02:00:00:00:00:01";
    let ordinary = v1::EventPayload {
        evidence: evidence(known, "10.0.0.7"),
        content: Some(Content::Request(v1::LoggedRequest {
            address: "https://a.example/".to_owned(),
            action: FilterAction::Allowed as i32,
            ..v1::LoggedRequest::default()
        })),
        ..scene::routine("")
    };
    // Without visits nothing is listed; then one device is. Its own alert, a day later and from elsewhere,
    // and those of others leave every byte as it is.
    for listed in [false, true] {
        if listed {
            scene.send(&mut host, &ordinary).await;
            scene.triage().await;
        }
        let next_day = scene.clock.now() + jiff::SignedDuration::from_hours(24);
        scene.clock.set(next_day);
        // The host is heard of at any rate: when it was last, is on its own row.
        scene.send(&mut host, &scene::routine("https://a.example/")).await;
        scene.triage().await;
        let mut technician = technician_at(&scene).await;
        let pages = ["/devices/unknown", "/devices"];
        let mut before = Vec::new();
        for page in pages {
            before.push(technician.get(page).await.body);
        }
        assert_eq!(before[0].contains("10.0.0.7"), listed, "{}", before[0]);
        let alerts = scene.scratch.count("alerts").await;
        for (mac, address) in
            [(known, "10.0.0.9"), ("02:00:00:00:00:02", "10.0.0.8"), ("", "10.0.0.7")]
        {
            let urgent = v1::EventPayload {
                evidence: evidence(mac, address),
                ..scene::worrying_at("suicide", 5, next_day)
            };
            scene.send(&mut host, &urgent).await;
        }
        scene.triage().await;
        assert_eq!(scene.scratch.count("alerts").await, alerts + 3);
        for (page, before) in pages.iter().zip(before) {
            assert_eq!(technician.get(page).await.body, before, "{page}");
        }
    }
}

#[tokio::test]
async fn the_dsl_sees_the_summary_and_who_was_told_and_both_are_audited() {
    let world = World::new().await;
    everything(&world).await;
    let mut dsl = world.signed_in(DSL).await;
    let summary = dsl.get("/summary").await.body;
    for part in [
        "Programs that get round the filter",
        "<bdi>Tor Browser</bdi>",
        "<bdi>j.fletcher</bdi>",
        "since Monday 14 July",
        "began on Monday 7 July",
        "the device is allocated to them",
        "possibly",
    ] {
        assert!(summary.contains(part), "{part} is not in {summary}");
    }
    let monitoring = dsl.get("/monitoring").await.body;
    for part in ["Who they are (1)", "<bdi>j.fletcher</bdi>", "pupils", "y9-*"] {
        assert!(monitoring.contains(part), "{part} is not in {monitoring}");
    }
    assert_eq!(world.deeds(world.dsl).await, ["summary_viewed", "notices_shown_viewed"]);
    let mut other = world.signed_in(OTHER_DSL).await;
    for path in ["/summary", "/monitoring", "/devices/unknown", "/devices"] {
        let page = other.get(path).await.body;
        for foreign in [NAME, "Tor Browser", "10.0.0.7", "games", "Holocaust", "IPAD-1"] {
            assert!(!page.contains(foreign), "{foreign} at {path}");
        }
    }
}

#[tokio::test]
async fn an_empty_summary_says_what_it_rests_on() {
    let world = World::new().await;
    let mut dsl = world.signed_in(DSL).await;
    let page = dsl.get("/summary").await.body;
    assert!(page.contains("No device says that it watches programs or media"), "{page}");
    report(&world, &[("programs", "all", v1::CoverageState::Ok, "")]).await;
    let page = dsl.get("/summary").await.body;
    assert!(page.contains("1 device watches programs or media"), "{page}");
}

#[tokio::test]
async fn a_pause_is_at_the_top_of_every_page_for_as_long_as_it_lasts() {
    let world = World::new().await;
    everything(&world).await;
    let alert = world.raise(Raise::default()).await;
    let (mut dsl, mut technician) = (world.signed_in(DSL).await, world.signed_in(TECHNICIAN).await);
    let what = "Not watched for y9-*: Hate</bdi>";
    let pages = [
        "/",
        "/summary",
        "/devices",
        "/monitoring",
        "/people",
        "/account",
        &format!("/alerts/{alert}"),
    ];
    for path in pages {
        let page = dsl.get(path).await.body;
        assert!(
            page.contains(what) && page.contains("because: <bdi>Year 9: the Holocaust"),
            "{path}"
        );
        let begun = "Monitoring of everybody is paused</bdi></strong> until";
        assert!(!page.contains(begun), "{path}: that pause has not begun");
    }
    let page = technician.get("/devices").await.body;
    assert!(page.contains("Not watched for one account or group: Hate"), "{page}");
    let words = "Not watched for one account or group: the words “kill~ the (pig|beast)”";
    assert!(page.contains(words), "{page}");
    world.pass(25.hours());
    let (mut dsl, mut technician) = (world.signed_in(DSL).await, world.signed_in(TECHNICIAN).await);
    for (page, sees) in [
        (dsl.get("/").await.body, "Monitoring of everybody is paused"),
        (technician.get("/devices").await.body, "Monitoring of everybody is paused"),
    ] {
        assert!(page.contains(sees) && page.contains("because: <bdi>Exams"), "{page}");
    }
    world.pass((24 * 30).hours());
    let page = world.signed_in(DSL).await.get("/").await.body;
    assert!(!page.contains("Severity 5 is watched all the same"), "{page}");
    let audit = world.audit().await;
    let published: Vec<_> =
        audit.iter().filter(|entry| entry.action == "exemption_published").collect();
    assert_eq!(published.len(), 3);
    assert!(published[0].detail.as_ref().unwrap().ends_with("Year 9: the Holocaust"));
    assert!(
        published[2].detail.as_ref().unwrap().starts_with("words “kill~ the (pig|beast)”, for")
    );
}

#[tokio::test]
async fn a_device_s_sources_stand_in_the_order_of_their_trouble_with_the_reason() {
    let world = World::new().await;
    report(
        &world,
        &[
            ("browser_history", "Chrome", v1::CoverageState::Ok, ""),
            ("proxy_log", "access.log", v1::CoverageState::Degraded, "only <hosts> are seen"),
            ("browser_extension", "Edge", v1::CoverageState::Blind, "the extension is missing"),
            ("newer", "x", v1::CoverageState::Unspecified, "who knows"),
        ],
    )
    .await;
    let mut technician = world.signed_in(TECHNICIAN).await;
    let page = technician.get(&format!("/devices/{}", world.device)).await.body;
    let places = [
        "browser extension",
        "the extension is missing",
        "proxy log",
        "only &#60;hosts&#62; are seen",
        "newer",
        "browser history files",
    ]
    .map(|part| page.find(part).unwrap_or_else(|| panic!("{part} is not in {page}")));
    assert!(places.is_sorted(), "{places:?}");
    assert!(!page.contains("pupil’s own"));
    assert!(technician.get("/devices").await.body.contains(">blind</span>"));
}

/// A school with an asset, an unknown device, a program, blocked requests, a notice shown, a pupil's own device and
/// three exemptions, one of which has not begun.
async fn everything(world: &World) {
    let (school, device, now) = (world.school, world.device, at(super::NOW));
    let line = Scope::command_line();
    let log = vec![NewAsset { sort: Sort::Ipad, ..ipad("IPAD-1", 1, "amy") }];
    let exemption =
        |reason: &str, from: &str, until: &str, accounts: &[&str], categories: &[&str]| {
            let text = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
            v1::Exemption {
                reason: reason.to_owned(),
                from: Some(to_wire(at(from))),
                until: Some(to_wire(at(until))),
                accounts: text(accounts),
                categories: text(categories),
                ..v1::Exemption::default()
            }
        };
    let policy = v1::Policy {
        serial: 1,
        exemptions: vec![
            exemption(
                "Year 9: the Holocaust",
                "2025-07-01T00:00:00Z",
                "2025-07-25T00:00:00Z",
                &["y9-*"],
                &["hate"],
            ),
            exemption("Exams", "2025-07-15T00:00:00Z", "2025-07-18T00:00:00Z", &[], &[]),
        ],
        phrase_exemptions: vec![v1::Exemption {
            phrases: vec!["kill~ the (pig|beast)".to_owned()],
            ..exemption(
                "Lord of the Flies",
                "2025-07-01T00:00:00Z",
                "2025-07-25T00:00:00Z",
                &["y10-*"],
                &[],
            )
        }],
        notice: Some(v1::Notice { version: 4, ..v1::Notice::default() }),
        ..v1::Policy::default()
    };
    let write = world.scratch.store.write(&line, move |edit| {
        edit.replace_asset_log(school, &log)?;
        edit.publish_policy(school, &policy, &v1::SignedPolicy::default())
    });
    write.await.unwrap();
    report(world, &[("device", "ownership", v1::CoverageState::Degraded, "a pupil's own")]).await;
    let position = world.append().await;
    let write = move |edit: &Edit<'_>| -> Result<(), StoreError> {
        let account = Account::new("", NAME);
        let person = Some(edit.person_of_account(school, device, &account)?);
        let basis = Basis::AllocatedDevice;
        edit.add_sighting(&Sighting {
            position,
            school,
            device,
            person,
            basis,
            occurred_at: now,
            thing: Thing::BypassProgram,
            name: "Tor Browser",
        })?;
        let counts = v1::FilterCounts {
            counts: vec![v1::FilterCount { category: "games".to_owned(), count: 1_234 }],
        };
        let today = "2025-07-14".parse().unwrap();
        edit.add_filter_counts(position, school, device, today, &counts)?;
        edit.add_notice_shown(&NoticeShown {
            school,
            person,
            basis,
            device,
            version: 4,
            audience: Audience::Pupils,
            at: now,
        })?;
        let stranger = Stranger {
            school,
            device,
            mac: "02:00:5e:00:53:07".to_owned(),
            address: "10.0.0.7".to_owned(),
            at: now,
            today,
        };
        let client = edit.unknown_client(&stranger)?;
        edit.list_unknown(client, &stranger)
    };
    let triage = Scope::system(Purpose::Triage);
    world.scratch.store.write(&triage, write).await.unwrap();
}

/// Has the device report how much its sources see.
async fn report(world: &World, sources: &[(&str, &str, v1::CoverageState, &str)]) {
    let (school, device) = (world.school, world.device);
    let sources = sources
        .iter()
        .map(|(source, input, state, reason)| v1::SourceHealth {
            source: (*source).to_owned(),
            input: (*input).to_owned(),
            state: *state as i32,
            reason: (*reason).to_owned(),
        })
        .collect();
    let health = v1::Health { sources, ..v1::Health::default() };
    let scope = Scope::device(school, device);
    let write =
        world.scratch.store.write(&scope, move |edit| edit.report_health(school, device, &health));
    write.await.unwrap();
}

async fn add_technician(scene: &Scene) {
    let new = NewUser {
        school: scene.school,
        role: Role::Technician,
        name: "Alex Tern".to_owned(),
        email: TECHNICIAN.to_owned(),
        password: password::hash(PASSWORD, &System).unwrap(),
    };
    let line = Scope::command_line();
    scene.scratch.store.write(&line, move |edit| edit.add_user(&new)).await.unwrap();
}

/// A browser in which the technician has signed in now.
async fn technician_at(scene: &Scene) -> Browser {
    let store = scene.scratch.store.clone();
    let router = router(store, Settings::default(), scene.clock.clone(), Arc::new(System));
    let mut browser = Browser::new(router);
    let answer = browser.sign_in(TECHNICIAN, PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser
}
