//! Following browsers as they write.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use jiff::ToSpan as _;
use redshank_agent::observation::Transition;
use redshank_agent::sources::State;
use rusqlite::Connection;

use crate::device::{Chromium, Device, Kept, now};

#[tokio::test]
async fn a_visit_is_yielded_with_its_account_profile_and_search_terms() {
    let device = Device::new();
    let browser = device.chromium("amy", "Profile 1");
    let mut running = device.start(&Kept::default());
    running.state("Chromium Profile 1 #", |state| *state == State::Ok).await;
    browser.visit("https://www.google.com/search?q=how+to+hide", "how to hide - Google");
    let seen = running.next(1).await.remove(0);
    assert_eq!(seen.account, "amy");
    assert!(!seen.late_title);
    let visit = seen.visit;
    assert_eq!((visit.browser.as_str(), visit.profile.as_str()), ("Chromium", "Profile 1"));
    assert_eq!(visit.title.as_deref(), Some("how to hide - Google"));
    assert_eq!(visit.search_terms.as_deref(), Some("how to hide"));
    assert_eq!(visit.transition, Transition::Link);
    running.stop().await;
    assert_eq!(device.copies_left(), 0);
}

#[tokio::test]
async fn a_visit_is_out_well_within_a_second_of_its_commit() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    let mut running = device.start(&Kept::default());
    running.state("Chromium", |state| *state == State::Ok).await;
    let mut slowest = Duration::ZERO;
    for number in 0..10 {
        let begun = tokio::time::Instant::now();
        browser.visit(&format!("https://a.example/{number}"), "t");
        running.next(1).await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_millis(900), "{slowest:?}");
    running.stop().await;
}

#[tokio::test]
async fn each_visit_comes_once_while_a_write_ahead_log_is_being_written() {
    once_while_written("WAL").await;
}

#[tokio::test]
async fn each_visit_comes_once_while_a_rollback_journal_is_being_written() {
    once_while_written("TRUNCATE").await;
}

async fn once_while_written(mode: &str) {
    const VISITS: usize = 300;
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    browser.execute(&format!(
        "PRAGMA journal_mode={mode}; PRAGMA wal_autocheckpoint=20; PRAGMA synchronous=OFF"
    ));
    let mut running = device.start(&Kept::default());
    let writer = std::thread::spawn(move || {
        for number in 0..VISITS {
            browser.visit(&format!("https://a.example/{number}"), "t");
            std::thread::sleep(Duration::from_millis(if number % 10 == 0 { 60 } else { 3 }));
        }
        browser
    });
    let urls = running.next_urls(VISITS).await;
    let expected: Vec<_> =
        (0..VISITS).map(|number| format!("https://a.example/{number}")).collect();
    assert_eq!(urls, expected);
    assert_eq!(running.rest().await, []);
    drop(writer.join().unwrap());
    running.stop().await;
}

/// A browser killed in mid-commit leaves a journal that must be rolled back, and only in the copy.
#[tokio::test]
async fn a_hot_journal_is_rolled_back_in_the_copy_and_left_as_it_is() {
    let device = Device::new();
    let profile = device.profile("amy", "Default");
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("History");
    let browser = Chromium::open(&path);
    browser.visit("https://a.example/committed", "before");
    browser.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000)
         INSERT INTO urls(url, title) SELECT 'https://a.example/' || i, 'before' FROM n;",
    );
    // With so small a cache, an open transaction reaches the file before it is committed.
    browser.execute("PRAGMA cache_size=1; BEGIN; UPDATE urls SET title = 'within'");
    for name in ["History", "History-journal"] {
        fs::copy(elsewhere.path().join(name), profile.join(name)).unwrap();
    }
    let journal = fs::metadata(profile.join("History-journal")).unwrap();
    assert_eq!(fs::read(profile.join("History-journal")).unwrap()[0], 0xd9, "the journal is hot");
    let written = fs::read(profile.join("History")).unwrap();
    assert!(written.windows(6).any(|bytes| bytes == b"within"), "the transaction reached the file");

    let mut running = device.start(&Kept::default());
    let seen = running.next(1).await.remove(0);
    assert_eq!(seen.visit.title.as_deref(), Some("before"));
    assert_eq!(running.rest().await, []);
    let after = fs::metadata(profile.join("History-journal")).unwrap();
    assert_eq!(
        (after.len(), after.modified().unwrap()),
        (journal.len(), journal.modified().unwrap())
    );
    running.stop().await;
}

#[tokio::test]
async fn a_database_that_is_deleted_and_begun_anew_is_followed() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    for number in 0..5 {
        browser.visit(&format!("https://a.example/old/{number}"), "t");
    }
    let mut running = device.start(&Kept::default());
    running.next(5).await;
    drop(browser);
    fs::remove_file(device.profile("amy", "Default").join("History")).unwrap();
    let browser = device.chromium("amy", "Default");
    browser.visit("https://a.example/new/0", "t");
    browser.visit("https://a.example/new/1", "t");
    assert_eq!(running.next_urls(2).await, ["https://a.example/new/0", "https://a.example/new/1"]);
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

#[tokio::test]
async fn clearing_the_history_loses_and_doubles_nothing() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    for number in 0..5 {
        browser.visit(&format!("https://a.example/{number}"), "t");
    }
    let mut running = device.start(&Kept::default());
    running.next(5).await;
    browser.execute("DELETE FROM visits; DELETE FROM urls");
    browser.visit("https://a.example/after", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/after"]);
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

#[tokio::test]
async fn a_late_title_comes_once() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    let mut running = device.start(&Kept::default());
    running.state("Chromium", |state| *state == State::Ok).await;
    browser.visit("https://a.example/slow", "");
    let first = running.next(1).await.remove(0);
    assert_eq!((first.visit.title, first.late_title), (None, false));
    let running_kept = running.stop().await;

    // The title arrives while the agent is away; the visit has waited for it across the restart.
    browser.execute("UPDATE urls SET title = 'Arrived'");
    let mut running = device.start(&running_kept);
    let second = running.next(1).await.remove(0);
    assert_eq!((second.visit.title.as_deref(), second.late_title), (Some("Arrived"), true));
    browser.execute("UPDATE urls SET title = 'Changed'");
    browser.visit("https://a.example/next", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/next"]);
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

#[tokio::test]
async fn each_visit_comes_once_across_restarts_and_crashes() {
    const ROUNDS: usize = 6;
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    let (mut kept, mut seen) = (Kept::default(), Vec::new());
    for round in 0..ROUNDS {
        for number in 0..40 {
            browser.visit(&format!("https://a.example/{round}/{number}"), "t");
        }
        let mut running = device.start(&kept);
        if round % 2 == 0 {
            seen.extend(running.next_urls(40).await);
            kept = running.stop().await;
        } else {
            // Nothing is received, hence nothing kept: the next round brings it.
            kept = running.crash().await;
            let mut running = device.start(&kept);
            seen.extend(running.next_urls(40).await);
            kept = running.crash().await;
        }
    }
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (ROUNDS * 40, ROUNDS * 40));
    let mut running = device.start(&kept);
    assert_eq!(running.rest().await, []);
    running.stop().await;
    assert_eq!(device.copies_left(), 0, "what the crashes left was removed");
}

#[tokio::test]
async fn profiles_and_accounts_that_appear_are_found_without_waiting_for_the_poll() {
    let mut device = Device::new();
    let extra = device.settings.root.join("demo/browser");
    device.settings.extra_profiles.push(extra.clone());
    let first = device.chromium("amy", "Default");
    let mut running = device.start(&Kept::default());
    running.state("Chromium Default", |state| *state == State::Ok).await;
    first.visit("https://a.example/first", "t");
    running.next(1).await;

    let second = device.chromium("amy", "Profile 2");
    second.visit("https://a.example/second", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/second"]);

    let other = device.chromium("bob", "Default");
    other.visit("https://a.example/third", "t");
    assert_eq!(running.next(1).await[0].account, "bob");

    fs::create_dir_all(extra.join("Default")).unwrap();
    let other = Chromium::open(&extra.join("Default/History"));
    other.visit("https://a.example/fourth", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/fourth"]);
    running.stop().await;
}

/// Chromium makes the folder first, and the database some time later.
#[tokio::test]
async fn a_history_that_appears_in_an_empty_profile_is_found() {
    let device = Device::new();
    let profile = device.profile("amy", "Default");
    device.chromium("amy", "Profile 1");
    let mut running = device.start(&Kept::default());
    running.state("Chromium Profile 1", |state| *state == State::Ok).await;
    Chromium::open(&profile.join("History")).visit("https://a.example/first", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/first"]);
    running.stop().await;
}

#[tokio::test]
async fn what_was_visited_before_the_enrolment_or_on_another_device_is_left_alone() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    browser.visit_at("https://a.example/before", "t", device.settings.enrolled_at - 1.second());
    let by_guid = browser.visit("https://a.example/synced", "t");
    browser.execute(&format!("UPDATE visits SET originator_cache_guid='g' WHERE id={by_guid}"));
    let by_source = browser.visit("https://a.example/synced-too", "t");
    browser.execute(&format!("INSERT INTO visit_source VALUES ({by_source}, 0)"));
    let imported = browser.visit("https://a.example/ours", "t");
    browser.execute(&format!(
        "INSERT INTO visit_source VALUES ({imported}, 3); UPDATE visits SET originator_cache_guid='' WHERE id={imported}"
    ));
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next_urls(1).await, ["https://a.example/ours"]);
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

#[tokio::test]
async fn a_visit_that_firefox_synced_later_is_left_alone() {
    let device = Device::new();
    let profile = device.firefox_profile("amy", "x.default");
    let browser = Connection::open(profile.join("places.sqlite")).unwrap();
    browser
        .execute_batch(
            "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT, title TEXT);
             CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER,
               visit_date INTEGER, visit_type INTEGER);",
        )
        .unwrap();
    let visit = |url: &str, at: jiff::Timestamp| {
        browser.execute("INSERT INTO moz_places(url, title) VALUES (?1, 't')", [url]).unwrap();
        let statement = "INSERT INTO moz_historyvisits(place_id, visit_date, visit_type) VALUES (last_insert_rowid(), ?1, 2)";
        browser.execute(statement, [at.as_microsecond()]).unwrap();
    };
    visit("https://a.example/first", now() - 10.minutes());
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next_urls(1).await, ["https://a.example/first"]);
    running.state("Firefox x.default", |state| *state == State::Ok).await;
    visit("https://a.example/synced", now() - 5.minutes());
    visit("https://a.example/here", now());
    let seen = running.next(1).await.remove(0);
    assert_eq!(seen.visit.url, "https://a.example/here");
    assert_eq!(seen.visit.transition, Transition::Typed);
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

#[tokio::test]
async fn a_stall_behind_the_channel_does_not_make_the_next_visit_late() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    browser.execute("BEGIN");
    for number in 0..6 * 128 {
        browser.execute(&format!(
            "INSERT INTO urls(url, title) VALUES ('https://a.example/{number}', 't');
             INSERT INTO visits(url, visit_time) VALUES (last_insert_rowid(), {})",
            now().as_microsecond() + 11_644_473_600_000_000
        ));
    }
    browser.execute("COMMIT");
    let mut running = device.start(&Kept::default());
    // Nobody receives; the channel takes four of six portions.
    tokio::time::sleep(Duration::from_secs(2)).await;
    running.next(6 * 128).await;
    browser.visit("https://a.example/next", "t");
    let next = tokio::time::timeout(Duration::from_secs(4), running.next_urls(1)).await;
    assert_eq!(next.expect("it rested as if it had worked"), ["https://a.example/next"]);
    running.stop().await;
}

/// A technician names a folder that is looked at anyway, and another spelling of it.
#[tokio::test]
async fn a_profile_that_two_ways_lead_to_is_read_once() {
    let mut device = Device::new();
    let browser = device.chromium("amy", "Default");
    let folder = device.profile("amy", "Default");
    device.settings.extra_profiles =
        vec![folder.parent().unwrap().to_owned(), folder.clone(), folder.join("")];
    device.settings.poll = Some(Duration::from_millis(100));
    browser.visit("https://a.example/once", "t");
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next_urls(1).await, ["https://a.example/once"]);
    // Searches are a second apart.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

/// The account is renamed: the file stays, and what was read of it. On Windows the account is the name of
/// its folder, and on macOS no file lists accounts.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_profile_whose_account_changes_goes_on_from_its_place() {
    let mut device = Device::new();
    device.settings.poll = Some(Duration::from_millis(100));
    let browser = device.chromium("amy", "Default");
    browser.visit("https://a.example/before", "t");
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next(1).await[0].account, "amy");
    let uid = std::os::unix::fs::MetadataExt::uid(&fs::metadata(device.home("amy")).unwrap());
    fs::create_dir_all(device.settings.root.join("etc")).unwrap();
    let passwd = format!("amelia:x:{uid}:1::/home/amy:/bin/sh\n");
    fs::write(device.settings.root.join("etc/passwd"), passwd).unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    browser.visit("https://a.example/after", "t");
    let seen = running.next(1).await.remove(0);
    assert_eq!(
        (seen.account.as_str(), seen.visit.url.as_str()),
        ("amelia", "https://a.example/after")
    );
    running.stop().await;
}

#[tokio::test]
async fn a_history_of_many_thousand_visits_comes_whole_and_in_order() {
    const VISITS: usize = 3_000;
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    browser.execute("BEGIN");
    let mut insert_url =
        browser.connection.prepare("INSERT INTO urls(url, title) VALUES (?1, 't')").unwrap();
    let mut insert = browser
        .connection
        .prepare("INSERT INTO visits(url, visit_time) VALUES (last_insert_rowid(), ?1)")
        .unwrap();
    let time = now().as_microsecond() + 11_644_473_600_000_000;
    for number in 0..VISITS {
        insert_url.execute([format!("https://a.example/{number}")]).unwrap();
        insert.execute([time]).unwrap();
    }
    browser.execute("COMMIT");
    let mut running = device.start(&Kept::default());
    let mut urls = Vec::new();
    while urls.len() < VISITS {
        urls.extend(running.rest().await.into_iter().map(|seen| seen.visit.url));
    }
    let expected: Vec<_> =
        (0..VISITS).map(|number| format!("https://a.example/{number}")).collect();
    assert_eq!(urls, expected);
    running.stop().await;
}
