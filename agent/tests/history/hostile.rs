//! Pupils who turn their profile against the agent: nothing is harmed, the reason is told, others go on.

use std::fs::{self, File};
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use redshank_agent::sources::State;
use rusqlite::Connection;

use crate::device::{Chromium, Device, Kept};

/// Files that are refused before a byte of them is read.
#[tokio::test]
async fn files_that_are_none_are_refused_and_told() {
    type Make = fn(&Path);
    let cases: &[(&str, Make, &str)] = &[
        ("a folder", |path| fs::create_dir(path).unwrap(), "not a regular file"),
        ("sparse, 4 GiB", |path| set_len(path, 4 << 30), "larger than"),
        #[cfg(unix)]
        ("a link", |path| symlink("/etc/passwd", path).unwrap(), "symbolic link"),
        #[cfg(unix)]
        ("a link to nothing", |path| symlink("/nowhere", path).unwrap(), "symbolic link"),
        #[cfg(unix)]
        ("a FIFO", make_fifo, "not a regular file"),
        #[cfg(unix)]
        ("sparse, 512 MiB", |path| set_len(path, 512 << 20), "sparse"),
    ];
    for &(name, make, reason) in cases {
        for file in ["History", "History-wal", "History-journal"] {
            let device = Device::new();
            if file != "History" {
                device.chromium("amy", "Default").visit("https://a.example/", "t");
            }
            make(&device.profile("amy", "Default").join(file));
            assert_refused(&device, &format!("{name} as {file}"), reason).await;
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_of_another_account_is_refused() {
    let device = Device::new();
    device.chromium("amy", "Default").visit("https://a.example/", "t");
    let history = device.profile("amy", "Default").join("History");
    std::os::unix::fs::chown(&history, Some(4_242), None)
        .expect("only root can give a file to another account: run this test as root");
    assert_refused(&device, "a foreign file", "another account").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_profile_behind_a_link_is_not_entered() {
    let device = Device::new();
    let other = device.chromium("amy", "Default");
    other.visit("https://a.example/amy", "t");
    let linked = device.profile("mallory", "");
    fs::remove_dir(&linked).unwrap();
    symlink(device.profile("amy", ""), linked.components().collect::<PathBuf>()).unwrap();
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next(1).await[0].account, "amy");
    let reason = running.blind("Chromium profiles #").await;
    assert!(reason.contains("symbolic link"), "{reason}");
    assert_eq!(running.rest().await, []);
    running.stop().await;
}

/// Databases that are forged.
#[tokio::test]
async fn forged_databases_do_no_harm_and_are_told() {
    let endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id+1 FROM n) SELECT id, 1 AS url, 1 AS visit_time FROM n";
    let no_table = "no table of visits";
    for (name, statements, reason) in [
        ("views in the place of tables", format!("CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT); CREATE VIEW visits AS {endless}"), no_table),
        ("a view named urls", "CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER); CREATE VIEW urls AS SELECT 1 AS id, 'https://forged.example/' AS url".to_owned(), no_table),
        ("a virtual table", "CREATE VIRTUAL TABLE visits USING fts5(id, url, visit_time); CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT)".to_owned(), no_table),
        ("other tables", "CREATE TABLE t(x)".to_owned(), no_table),
        ("missing columns", "CREATE TABLE visits(id INTEGER PRIMARY KEY); CREATE TABLE urls(id INTEGER PRIMARY KEY)".to_owned(), no_table),
        ("a costly generated column", "CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT AS (hex(zeroblob(900000000)))); CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER)".to_owned(), no_table),
        // Without an index, each visit means a look at a hundred thousand terms.
        ("work without end", "CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT); CREATE TABLE visits(id INTEGER, url INTEGER, visit_time INTEGER); \
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 100000) INSERT INTO visits SELECT i, 1, 99000000000000000 FROM n; \
          CREATE TABLE keyword_search_terms(url_id INTEGER, term TEXT); INSERT INTO urls VALUES (1, 'https://a.example/'); \
          INSERT INTO keyword_search_terms SELECT -id, 'x' FROM visits".to_owned(), "more work"),
    ] {
        let device = Device::new();
        let path = device.profile("amy", "Default").join("History");
        Connection::open(&path).unwrap().execute_batch(&statements).unwrap();
        assert_refused(&device, name, reason).await;
    }
}

#[tokio::test]
async fn a_file_of_noise_or_a_torn_database_is_told() {
    for (name, page, reason) in [("noise", 0, "not a SQLite database"), ("torn", 1, "damaged")] {
        let device = Device::new();
        let browser = device.chromium("amy", "Default");
        for number in 0..300 {
            browser.visit(&format!("https://a.example/{number}/{}", "x".repeat(100)), "t");
        }
        drop(browser);
        let path = device.profile("amy", "Default").join("History");
        let mut bytes = fs::read(&path).unwrap();
        bytes[page * 4096..].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        assert_refused(&device, name, reason).await;
    }
}

/// A trigger never fires, for nothing is ever written; giant and odd values are cut or passed over.
#[tokio::test]
async fn odd_contents_are_bounded_and_the_rest_is_read() {
    let device = Device::new();
    let browser = device.chromium("amy", "Default");
    browser.execute("CREATE TRIGGER t AFTER INSERT ON visits BEGIN SELECT 1; END");
    let long = format!("https://a.example/{}", "é".repeat(60_000));
    browser.visit(&long, &"t".repeat(10_000));
    let giant = browser.visit("https://a.example/giant", "t");
    browser.execute(&format!("UPDATE urls SET url = zeroblob(90000000) WHERE id = {giant}"));
    let huge_title = browser.visit("https://a.example/huge-title", "t");
    browser.execute(&format!("UPDATE urls SET title = zeroblob(90000000) WHERE id = {huge_title}"));
    let invalid = browser.visit("https://a.example/", "t");
    browser.execute(&format!(
        "UPDATE urls SET url = CAST(x'68747470733a2f2f612eff' AS TEXT) WHERE id = {invalid}"
    ));
    let timeless = browser.visit("https://a.example/timeless", "t");
    browser.execute(&format!("UPDATE visits SET visit_time = 'never' WHERE id = {timeless}"));
    let orphan = browser.visit("https://a.example/orphan", "t");
    browser.execute(&format!("DELETE FROM urls WHERE id = {orphan}"));
    browser.visit("https://a.example/last", "t");

    let mut running = device.start(&Kept::default());
    let seen = running.next(4).await;
    assert!(long.starts_with(&seen[0].visit.url) && seen[0].visit.url.len() <= 64 * 1024);
    assert_eq!(seen[0].visit.title.as_ref().map(String::len), Some(4 * 1024));
    assert_eq!(
        (seen[1].visit.url.as_str(), &seen[1].visit.title),
        ("https://a.example/huge-title", &None)
    );
    assert_eq!(seen[2].visit.url, "https://a.\u{fffd}");
    assert_eq!(seen[3].visit.url, "https://a.example/last");
    running.state("Chromium Default", |state| *state == State::Ok).await;
    running.stop().await;
}

#[tokio::test]
async fn a_repaired_profile_is_seen_again() {
    let device = Device::new();
    let path = device.profile("amy", "Default").join("History");
    fs::create_dir(&path).unwrap();
    let mut running = device.start(&Kept::default());
    running.blind("Chromium Default").await;
    fs::remove_dir(&path).unwrap();
    Chromium::open(&path).visit("https://a.example/again", "t");
    assert_eq!(running.next_urls(1).await, ["https://a.example/again"]);
    running.state("Chromium Default", |state| *state == State::Ok).await;
    running.stop().await;
}

/// One of two profiles is hostile: it is told, with no word of path or content, and the other one is followed.
async fn assert_refused(device: &Device, name: &str, reason: &str) {
    let other = device.chromium("zoe", "Other");
    other.visit("https://b.example/", "t");
    let mut running = device.start(&Kept::default());
    assert_eq!(running.next_urls(1).await, ["https://b.example/"], "{name}");
    let told = running.blind("Chromium Default #").await;
    assert!(told.contains(reason), "{name}: {told}");
    assert!(!told.contains('/') && told.len() <= 256, "{name}: {told}");
    other.visit("https://b.example/2", "t");
    assert_eq!(running.next_urls(1).await, ["https://b.example/2"], "{name}");
    running.stop().await;
    for _ in 0..50 {
        if device.copies_left() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{name}: copies were left");
}

#[cfg(all(unix, not(target_os = "macos")))]
fn make_fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// rustix makes no FIFO on macOS; a socket is no regular file either.
#[cfg(target_os = "macos")]
fn make_fifo(path: &Path) {
    std::os::unix::net::UnixListener::bind(path).unwrap();
}

fn set_len(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}
