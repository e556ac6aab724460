//! The asset log in the store: imports, approvals, who may see what.

use jiff::SignedDuration;
use redshank_proto::clock::System;
use redshank_proto::id::UserId;
use redshank_proto::v1;

use super::*;
use crate::store::devices::DeviceStatus;
use crate::store::tests::Scratch;
use crate::store::tokens::NewToken;
use crate::store::{Role, Scope};

/// A client for tests of pure functions.
pub(crate) fn client(n: u8) -> ClientId {
    ClientId([n; 16])
}

#[tokio::test]
async fn an_import_replaces_the_log_and_keeps_the_ids_of_the_tags_that_stay() {
    let scratch = Scratch::new();
    let school = school(&scratch, "Marsh Lane").await;
    let first = import(&scratch, school, vec![ipad("IPAD-1", 1, "amy"), ipad("IPAD-2", 2, "ben")]);
    let expected = Imported { assets: 2, added: 2, retired: 0, approved: 0 };
    assert_eq!(first.await, expected);
    let kept = asset_of(&scratch, school, 1).await.unwrap();
    assert_eq!(kept.holder, Some(Account::new("school", "amy")));

    let shared = NewAsset { holder: None, shared: true, ..ipad("IPAD-1", 9, "") };
    let second = import(&scratch, school, vec![shared, ipad("IPAD-3", 3, "cat")]);
    let expected = Imported { assets: 2, added: 1, retired: 1, approved: 0 };
    assert_eq!(second.await, expected);
    let again = asset_of(&scratch, school, 9).await.unwrap();
    assert_eq!(again, Asset { client: kept.client, holder: None });
    for gone in [1, 2] {
        assert_eq!(asset_of(&scratch, school, gone).await, None, "address {gone}");
    }
    let technician = Scope::user(UserId::draw(&System), Role::Technician, school);
    let log = scratch.store.read(&technician, move |view| view.asset_log(school)).await.unwrap();
    let tags: Vec<_> = log.iter().map(|row| (row.asset_tag.as_str(), row.allocated)).collect();
    assert_eq!(tags, [("IPAD-1", false), ("IPAD-3", true)]);
}

#[tokio::test]
async fn an_import_that_fails_leaves_the_log_as_it_was() {
    let scratch = Scratch::new();
    let school = school(&scratch, "Marsh Lane").await;
    import(&scratch, school, vec![ipad("IPAD-1", 1, "amy")]).await;
    for twice in
        [ipad("IPAD-3", 2, "cat"), NewAsset { macs: Vec::new(), ..ipad("IPAD-2", 2, "cat") }]
    {
        let twice = NewAsset { serial_number: Some("S2".to_owned()), ..twice };
        let assets = vec![ipad("IPAD-2", 2, "ben"), twice];
        let line = Scope::command_line();
        let write = scratch.store.write(&line, move |edit| edit.replace_asset_log(school, &assets));
        assert!(write.await.is_err());
        assert!(asset_of(&scratch, school, 1).await.is_some());
    }
}

#[tokio::test]
async fn a_serial_in_the_log_approves_at_enrolment_and_at_import() {
    let scratch = Scratch::new();
    let (ours, theirs) = (school(&scratch, "Marsh Lane").await, school(&scratch, "Hill Top").await);
    let early = enrol(&scratch, ours, " s1 ").await;
    let stranger = enrol(&scratch, ours, "S9").await;
    let elsewhere = enrol(&scratch, theirs, "S1").await;
    let empty = enrol(&scratch, ours, "").await;
    let imported = import(&scratch, ours, vec![ipad("IPAD-1", 1, "amy"), bare("TROLLEY")]).await;
    assert_eq!(imported.approved, 1);
    let late = enrol(&scratch, ours, "S1").await;
    for (device, status, tag) in [
        (early, DeviceStatus::Approved, Some("IPAD-1")),
        (late, DeviceStatus::Approved, Some("IPAD-1")),
        (stranger, DeviceStatus::Pending, None),
        (elsewhere, DeviceStatus::Pending, None),
        (empty, DeviceStatus::Pending, None),
    ] {
        let line = Scope::command_line();
        let summary = scratch.store.read(&line, move |view| view.device(device)).await.unwrap();
        assert_eq!((summary.status, summary.asset_tag.as_deref()), (status, tag));
        let triage = Scope::system(Purpose::Triage);
        let asset = scratch.store.read(&triage, move |view| view.asset_of_device(device)).await;
        assert_eq!(asset.unwrap().is_some(), tag.is_some());
    }
    // A tag that is corrected is corrected on the device; one that has gone is gone, and nothing is unapproved.
    import(&scratch, ours, vec![NewAsset { asset_tag: "IPAD-01".into(), ..ipad("", 1, "amy") }])
        .await;
    let line = Scope::command_line();
    let summary = |device| scratch.store.read(&line, move |view| view.device(device));
    assert_eq!(summary(early).await.unwrap().asset_tag.as_deref(), Some("IPAD-01"));
    import(&scratch, ours, vec![bare("TROLLEY")]).await;
    let summary = summary(early).await.unwrap();
    assert_eq!((summary.status, summary.asset_tag), (DeviceStatus::Approved, None));
}

#[tokio::test]
async fn only_the_command_line_imports_and_only_triage_learns_whose_an_asset_is() {
    let scratch = Scratch::new();
    let (ours, theirs) = (school(&scratch, "Marsh Lane").await, school(&scratch, "Hill Top").await);
    import(&scratch, ours, vec![ipad("IPAD-1", 1, "amy")]).await;
    let user = |role, school| Scope::user(UserId::draw(&System), role, school);
    for (scope, sees) in [
        (user(Role::Technician, ours), true),
        (user(Role::Dsl, ours), true),
        (user(Role::Technician, theirs), false),
        (Scope::device(ours, DeviceId::draw(&System)), false),
        (Scope::system(Purpose::Triage), false),
    ] {
        let log = scratch.store.read(&scope, move |view| view.asset_log(ours)).await;
        assert_eq!(log.is_ok(), sees, "{scope:?}");
        let import = scratch.store.write(&scope, move |edit| edit.replace_asset_log(ours, &[]));
        assert!(import.await.is_err(), "{scope:?}");
        if scope != Scope::system(Purpose::Triage) {
            let whose = scratch.store.read(&scope, move |view| view.asset_of_mac(ours, &mac(1)));
            assert!(whose.await.is_err(), "{scope:?}");
        }
    }
}

pub(crate) fn ipad(asset_tag: &str, n: u8, account: &str) -> NewAsset {
    NewAsset {
        asset_tag: asset_tag.to_owned(),
        serial_number: Some(format!("S{n}")),
        macs: vec![mac(n)],
        holder: Some(Account::new("school", account)),
        shared: false,
        sort: Sort::Ipad,
    }
}

pub(crate) fn mac(n: u8) -> String {
    format!("02:00:5e:00:53:{n:02x}")
}

fn bare(asset_tag: &str) -> NewAsset {
    NewAsset {
        asset_tag: asset_tag.to_owned(),
        serial_number: None,
        macs: Vec::new(),
        holder: None,
        shared: true,
        sort: Sort::Other,
    }
}

async fn import(scratch: &Scratch, school: SchoolId, assets: Vec<NewAsset>) -> Imported {
    let line = Scope::command_line();
    let write = scratch.store.write(&line, move |edit| edit.replace_asset_log(school, &assets));
    write.await.unwrap()
}

async fn asset_of(scratch: &Scratch, school: SchoolId, n: u8) -> Option<Asset> {
    let triage = Scope::system(Purpose::Triage);
    let read = scratch.store.read(&triage, move |view| view.asset_of_mac(school, &mac(n)));
    read.await.unwrap()
}

async fn school(scratch: &Scratch, name: &'static str) -> SchoolId {
    let line = Scope::command_line();
    scratch.store.write(&line, move |edit| edit.add_school(name, "Europe/London")).await.unwrap()
}

async fn enrol(scratch: &Scratch, school: SchoolId, serial_number: &str) -> DeviceId {
    let secret_sha256: [u8; 32] = draw(&System);
    let line = Scope::command_line();
    let add = scratch.store.write(&line, move |edit| {
        edit.add_token(&NewToken {
            school,
            secret_sha256,
            purpose: "a test".to_owned(),
            expires_at: edit.now() + SignedDuration::from_hours(1),
            uses: 1,
        })
    });
    add.await.unwrap();
    let description =
        v1::DeviceDescription { serial_number: serial_number.to_owned(), ..Default::default() };
    let scope = Scope::system(Purpose::Enrolment);
    let enrol = scratch
        .store
        .write(&scope, move |edit| edit.enrol_device(&secret_sha256, &draw(&System), &description));
    enrol.await.unwrap().unwrap().device
}
