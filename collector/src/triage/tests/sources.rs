//! What logs, programs, media, filters and notices become.

use redshank_proto::clock::Clock as _;
use redshank_proto::id::UserId;

use super::*;
use crate::store::alerts::Deed;
use crate::store::assets::tests::{ipad, mac};
use crate::store::assets::{ClientName, NewAsset, Sort};
use crate::store::notices_shown::{Audience, Told};
use crate::store::sightings::{SummaryRow, Thing};
use crate::store::unknown::Stranger;
use crate::store::unknown::UnknownDevice;
use crate::triage::scene::a_match;

#[tokio::test]
async fn a_lease_names_the_pupil_of_its_asset_and_never_the_host_s() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    // The host stands in the asset log too, allocated to the technician.
    scene.scratch.vandalise("UPDATE devices SET serial_number = 'S9'").await;
    let shared = NewAsset { holder: None, shared: true, ..ipad("IPAD-2", 2, "") };
    assets(&scene, vec![ipad("IPAD-1", 1, "amy"), shared, ipad("PROXY", 9, "root")]).await;
    for lease in [&mac(1), &mac(2)] {
        let evidence = vec![leased(lease), address("10.0.0.7")];
        scene.send(&mut host, &blocked("pornography", evidence)).await;
    }
    scene.triage().await;
    let queue = scene.queue(scene.dsl).await;
    let mut seen: Vec<_> = queue
        .iter()
        .map(|row| (row.client.clone(), row.person.name_or_account.as_deref(), row.person.basis))
        .collect();
    seen.sort_by_key(|(_, name, _)| *name);
    let named = |tag: &str| Some(ClientName::Asset { asset_tag: tag.to_owned(), sort: Sort::Ipad });
    assert_eq!(
        seen,
        [
            (named("IPAD-2"), None, Basis::AddressLease),
            (named("IPAD-1"), Some("school\\amy"), Basis::AddressLease),
        ]
    );
    assert!(queue.iter().all(|row| !row.person.certain && row.deed == Deed::Blocked));
    assert_eq!(alarms(&scene).await, []);

    // What the host itself did is its holder's.
    scene.send(&mut host, &v1::EventPayload { evidence: Vec::new(), ..worrying("drugs", 3) }).await;
    scene.triage().await;
    let own = scene.alert_of("drugs").await;
    assert_eq!((own.client, own.person.basis), (None, Basis::AllocatedDevice));
    assert_eq!(own.person.name_or_account.as_deref(), Some("school\\root"));
}

#[tokio::test]
async fn two_unknown_devices_behind_one_proxy_never_share_an_alert_or_their_browsing() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    let at = |n: u8| format!("10.0.0.{n}");
    for n in [7, 8] {
        let page = format!("https://page-of-{n}.example/");
        scene.send(&mut host, &requested(&page, vec![address(&at(n))])).await;
        for _ in 0..2 {
            scene.send(&mut host, &blocked("weapons", vec![address(&at(n))])).await;
        }
    }
    scene.triage().await;
    let queue = scene.queue(scene.dsl).await;
    assert_eq!(queue.iter().map(|row| row.event_count).collect::<Vec<_>>(), [2, 2]);
    for row in queue {
        let Some(ClientName::AtAddress(address)) = &row.client else { panic!("{row:?}") };
        assert_eq!(row.person.basis, Basis::Unknown);
        let own = format!("https://page-of-{}.example/", &address[7..]);
        let alert = row.alert;
        let scope = scene.scope(scene.dsl);
        let read = scene.scratch.store.read(&scope, move |view| view.alert(alert));
        let around: Vec<_> = read.await.unwrap().around.into_iter().map(|it| it.address).collect();
        assert_eq!(around, [own]);
    }
}

#[tokio::test]
async fn of_a_log_that_tells_no_device_apart_no_browsing_is_shown() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    scene.send(&mut host, &requested("https://somebody.example/", Vec::new())).await;
    scene.send(&mut host, &blocked("weapons", Vec::new())).await;
    scene.triage().await;
    let row = scene.alert(scene.dsl).await;
    assert_eq!(row.client, Some(ClientName::Indistinct));
    let (alert, scope) = (row.alert, scene.scope(scene.dsl));
    let read = scene.scratch.store.read(&scope, move |view| view.alert(alert));
    assert_eq!(read.await.unwrap().around, []);
}

#[tokio::test]
async fn the_technician_hears_of_an_unknown_device_once_a_day_and_until_it_is_known() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    let met = |n: u8, at: &'static str| {
        requested("https://a.example/", vec![leased(&mac(n)), address(at)])
    };
    for (n, at) in [(1, "10.0.0.7"), (1, "10.0.0.9"), (2, "10.0.0.8")] {
        scene.send(&mut host, &met(n, at)).await;
    }
    // Of a user whom the proxy names nobody needs to know more.
    let named = v1::Evidence {
        method: v1::AttributionMethod::ProxyUser as i32,
        value: "ben".to_owned(),
        authority: "school".to_owned(),
    };
    let payload = requested("https://a.example/", vec![named, leased(&mac(3))]);
    scene.send(&mut host, &payload).await;
    scene.triage().await;
    assert_eq!(alarms(&scene).await, [(AlarmKind::UnknownDevice, 2)]);
    let mut list = unknown(&scene).await;
    list.sort_by_key(|row| row.mac.clone());
    let plain: Vec<_> = list.iter().map(|row| (row.mac.clone(), row.address.as_deref())).collect();
    assert_eq!(plain, [(Some(mac(1)), Some("10.0.0.9")), (Some(mac(2)), Some("10.0.0.8"))]);
    assert_eq!(list[0].host_name, "LAPTOP-0042");

    // Half past eleven in the evening is the same day, half past midnight the next.
    for (hours, alarms_raised) in [(11.5, 2), (12.5, 3), (13.0, 3)] {
        let noon: Timestamp = NOON.parse().unwrap();
        scene.clock.set(noon + SignedDuration::from_secs_f64(hours * 3_600.0));
        scene.send(&mut host, &met(1, "10.0.0.7")).await;
        scene.triage().await;
        assert_eq!(alarms(&scene).await, [(AlarmKind::UnknownDevice, alarms_raised)]);
    }
    assets(&scene, vec![ipad("IPAD-1", 1, "amy")]).await;
    let left: Vec<_> = unknown(&scene).await.into_iter().map(|row| row.mac).collect();
    assert_eq!(left, [Some(mac(2))]);
    scene.scratch.vandalise("DELETE FROM cursors").await;
    let before = unknown(&scene).await;
    scene.triage().await;
    assert_eq!(unknown(&scene).await, before, "a replay lists nothing");
    scene.clock.set(minutes(31 * 24 * 60));
    assert_eq!(unknown(&scene).await, []);
}

#[tokio::test]
async fn an_alert_says_which_unknown_device_and_that_the_address_is_its_last() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    let seen = |at| vec![leased(&mac(1)), address(at)];
    scene.send(&mut host, &blocked("weapons", seen("10.0.0.7"))).await;
    scene.send(&mut host, &requested("https://a.example/", seen("10.0.0.9"))).await;
    scene.triage().await;
    let unknown = ClientName::Unknown { mac: mac(1), address: Some("10.0.0.9".to_owned()) };
    assert_eq!(scene.alert(scene.dsl).await.client, Some(unknown));
    scene.send(&mut host, &blocked("weapons", seen("10.0.0.8"))).await;
    scene.triage().await;
    let unknown = ClientName::Unknown { mac: mac(1), address: Some("10.0.0.8".to_owned()) };
    assert_eq!(scene.alert(scene.dsl).await.client, Some(unknown));
    scene.scratch.vandalise("DELETE FROM unknown_devices").await;
    assert_eq!(scene.alert(scene.dsl).await.client, Some(ClientName::Forgotten));
}

#[tokio::test]
async fn unknown_devices_of_one_host_are_bounded() {
    let scene = Scene::new().await;
    let host = scene.device(scene.school).await;
    let (school, device, at) = (scene.school, host.device, NOON.parse().unwrap());
    let triage = Scope::system(Purpose::Triage);
    let write = scene.scratch.store.write(&triage, move |edit| {
        for n in 0..4_200 {
            let stranger = Stranger {
                school,
                device,
                mac: String::new(),
                address: format!("10.0.{}.{}", n / 256, n % 256),
                at,
                today: "2026-01-13".parse().unwrap(),
            };
            let client = edit.unknown_client(&stranger)?;
            // The first half on the list, the others as clients of alerts, which take none off it.
            if n < 2_100 {
                edit.list_unknown(client, &stranger)?;
            } else {
                edit.met_unknown(client, &stranger)?;
            }
        }
        Ok(())
    });
    write.await.unwrap();
    assert_eq!(scene.scratch.count("unknown_devices").await, 4_000);
    scene.scratch.vandalise("DELETE FROM unknown_devices WHERE last_listed_at IS NULL").await;
    assert_eq!(scene.scratch.count("unknown_devices").await, 2_000);
}

#[tokio::test]
async fn programs_and_media_without_a_match_are_the_summary_and_with_one_an_alert() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    let days = |days: i64| minutes(-days * 24 * 60);
    // Tuesday noon: this week is since Monday.
    for at in [days(0), days(1), days(2), days(8), days(9)] {
        scene.send(&mut laptop, &program_at("Tor", v1::ProgramList::Bypass, at)).await;
    }
    let gone = v1::Medium {
        change: v1::MediumChange::Removed as i32,
        name: "STICK".to_owned(),
        ..Default::default()
    };
    let came = v1::Medium { change: v1::MediumChange::Inserted as i32, ..gone.clone() };
    for medium in [came, gone] {
        let content = Some(Content::Medium(medium));
        scene.send(&mut laptop, &v1::EventPayload { content, ..routine("") }).await;
    }
    let raised = v1::EventPayload {
        matches: vec![a_match("unapproved_software", 3)],
        ..program_at("Steam", v1::ProgramList::Denied, days(0))
    };
    scene.send(&mut laptop, &raised).await;
    for _ in 0..2 {
        scene.triage().await;
        let summary = summary(&scene, scene.dsl).await;
        let plain: Vec<_> = summary
            .iter()
            .map(|row| (row.thing, row.name.as_str(), row.this_week, row.last_week))
            .collect();
        assert_eq!(
            plain,
            [(Thing::BypassProgram, "Tor", 2, 2), (Thing::MediumNotAllowed, "STICK", 1, 0)]
        );
        assert_eq!(summary[0].person.name_or_account.as_deref(), Some("school.example\\amy"));
        assert!(summary[0].person.certain);
        assert_eq!(scene.alert(scene.dsl).await.deed, Deed::Program);
        // A cursor set back counts nothing twice.
        scene.scratch.vandalise("DELETE FROM cursors").await;
    }
}

#[tokio::test]
async fn whoever_a_line_of_the_summary_is_about_sees_nothing_of_it() {
    let scene = Scene::new().await;
    let deputy = scene.user(scene.school, "Tom Brown", Role::Dsl).await;
    let mut laptop = scene.device(scene.school).await;
    for (account, program) in [("jane.smith", "Tor"), ("tbrown", "Psiphon"), ("amy", "VPN")] {
        let mut payload = program_at(program, v1::ProgramList::Bypass, minutes(0));
        payload.evidence = vec![scene::signed_in(account)];
        scene.send(&mut laptop, &payload).await;
    }
    scene.triage().await;
    let names = async |user| -> Vec<String> {
        let mut names: Vec<_> = summary(&scene, user).await.into_iter().map(|it| it.name).collect();
        names.sort();
        names
    };
    assert_eq!(names(scene.dsl).await, ["Psiphon", "VPN"]);
    assert_eq!(names(deputy).await, ["Tor", "VPN"]);
    let technician = scene.user(scene.school, "Tess Tech", Role::Technician).await;
    let elsewhere = scene.other_school("Hill Top").await;
    for scope in [
        Scope::user(technician, Role::Technician, scene.school),
        Scope::user(scene.dsl, Role::Dsl, elsewhere),
        Scope::command_line(),
        Scope::system(Purpose::Triage),
    ] {
        let (school, at) = (scene.school, minutes(0));
        let view = scene.scratch.store.write(&scope, move |edit| edit.view_summary(school, at, at));
        assert!(view.await.is_err(), "{scope:?}");
    }
}

#[tokio::test]
async fn blocked_requests_that_nobody_chose_are_numbers_and_nobody_s() {
    let scene = Scene::new().await;
    let mut host = scene.device(scene.school).await;
    let counts = |counts: &[(&str, u64)]| {
        let counts = counts
            .iter()
            .map(|(category, count)| v1::FilterCount {
                category: (*category).to_owned(),
                count: *count,
            })
            .collect();
        let content = Some(Content::FilterCounts(v1::FilterCounts { counts }));
        v1::EventPayload { content, ..routine("") }
    };
    scene.send(&mut host, &counts(&[("Games", 3), ("", 1)])).await;
    scene.send(&mut host, &counts(&[("games ", 4)])).await;
    // One that was blocked and not chosen leaves no trace of its address.
    let mut quiet = requested("https://support.example/", vec![address("10.0.0.7")]);
    if let Some(Content::Request(request)) = &mut quiet.content {
        request.action = v1::FilterAction::Blocked as i32;
    }
    scene.send(&mut host, &quiet).await;
    for _ in 0..2 {
        scene.triage().await;
        let school = scene.school;
        let technician = Scope::user(scene.dsl, Role::Technician, school);
        let since = |day: &str| {
            let day = day.parse().unwrap();
            scene.scratch.store.read(&technician, move |view| view.filter_counts(school, day))
        };
        let counted = since("2026-01-13").await.unwrap();
        assert_eq!(counted, [("games".to_owned(), 7), (String::new(), 1)]);
        assert_eq!(since("2026-01-14").await.unwrap(), []);
        scene.scratch.vandalise("DELETE FROM cursors").await;
    }
    assert_eq!(scene.queue(scene.dsl).await, []);
    assert_eq!(unknown(&scene).await, []);
    assert_eq!(scene.scratch.count("visits").await, 0);
    assert_eq!(scene.scratch.count("persons").await, 0);
}

#[tokio::test]
async fn who_was_shown_the_notice_is_known_by_version_and_the_first_time_counts() {
    let scene = Scene::new().await;
    let mut laptop = scene.device(scene.school).await;
    let shown = |account: Option<&str>, version, audience: v1::NoticeAudience| {
        let notice = v1::NoticeShown { version, audience: audience as i32 };
        v1::EventPayload {
            evidence: account.map(scene::signed_in).into_iter().collect(),
            content: Some(Content::NoticeShown(notice)),
            ..routine("")
        }
    };
    use v1::NoticeAudience::{Pupils, Staff};
    for (account, version, audience) in [
        (Some("amy"), 2, Pupils),
        (Some("amy"), 2, Pupils),
        (Some("ben"), 2, Pupils),
        (Some("lee"), 2, Staff),
        (Some("cat"), 1, Pupils),
        (None, 2, Pupils),
    ] {
        scene.send(&mut laptop, &shown(account, version, audience)).await;
    }
    scene.triage().await;
    let school = scene.school;
    let technician = Scope::user(scene.dsl, Role::Technician, school);
    let told = scene.scratch.store.read(&technician, move |view| view.told(school, 2)).await;
    assert_eq!(
        told.unwrap(),
        [
            Told { audience: Audience::Pupils, persons: 2, unknown: 1 },
            Told { audience: Audience::Staff, persons: 1, unknown: 0 },
        ]
    );
    let who = |scope: Scope| {
        let store = scene.scratch.store.clone();
        async move { store.write(&scope, move |edit| edit.view_told_people(school, 2)).await }
    };
    assert!(who(technician).await.is_err(), "names are not a technician's");
    let people = who(scene.scope(scene.dsl)).await.unwrap();
    let names: Vec<_> = people.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["amy", "ben", "lee"].map(|name| format!("school.example\\{name}")));
}

async fn assets(scene: &Scene, assets: Vec<NewAsset>) {
    let (school, line) = (scene.school, Scope::command_line());
    let import =
        scene.scratch.store.write(&line, move |edit| edit.replace_asset_log(school, &assets));
    import.await.unwrap();
}

async fn unknown(scene: &Scene) -> Vec<UnknownDevice> {
    let (school, now) = (scene.school, scene.clock.now());
    let technician = Scope::user(UserId::from_bytes([7; 16]), Role::Technician, school);
    scene
        .scratch
        .store
        .read(&technician, move |view| view.unknown_devices(school, now))
        .await
        .unwrap()
}

/// The summary of the week of [`NOON`], which is since Monday, and of the one before.
async fn summary(scene: &Scene, user: UserId) -> Vec<SummaryRow> {
    let monday: Timestamp = "2026-01-12T00:00:00Z".parse().unwrap();
    let (school, before) = (scene.school, monday - SignedDuration::from_hours(7 * 24));
    let scope = scene.scope(user);
    let view =
        scene.scratch.store.write(&scope, move |edit| edit.view_summary(school, before, monday));
    view.await.unwrap()
}

fn leased(mac: &str) -> v1::Evidence {
    evidence(v1::AttributionMethod::AddressLease, mac)
}

fn address(address: &str) -> v1::Evidence {
    evidence(v1::AttributionMethod::ClientAddress, address)
}

fn evidence(method: v1::AttributionMethod, value: &str) -> v1::Evidence {
    v1::Evidence { method: method as i32, value: value.to_owned(), authority: String::new() }
}

/// A request that the log tells of, let through.
fn requested(page: &str, evidence: Vec<v1::Evidence>) -> v1::EventPayload {
    let request = v1::LoggedRequest {
        address: page.to_owned(),
        action: v1::FilterAction::Allowed as i32,
        ..Default::default()
    };
    v1::EventPayload { evidence, content: Some(Content::Request(request)), ..routine("") }
}

/// A request that the filter blocked, in a category that the school chose.
fn blocked(category: &str, evidence: Vec<v1::Evidence>) -> v1::EventPayload {
    let mut payload = requested("https://blocked.example/", evidence);
    if let Some(Content::Request(request)) = &mut payload.content {
        request.action = v1::FilterAction::Blocked as i32;
        request.category = Some(category.to_owned());
    }
    payload.matches = vec![v1::Match {
        rule: format!("filter_breach.{category}"),
        category: "filter_breach".to_owned(),
        severity: 3,
        ..Default::default()
    }];
    payload
}

fn program_at(name: &str, list: v1::ProgramList, at: Timestamp) -> v1::EventPayload {
    let program =
        v1::Program { name: name.to_owned(), list: list as i32, ..v1::Program::default() };
    v1::EventPayload { content: Some(Content::Program(program)), ..scene::routine_at("", at) }
}
