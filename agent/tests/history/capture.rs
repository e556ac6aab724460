//! `capture history` against databases that real browsers wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _};
use redshank_agent::sources::history::{CaptureError, capture};
use serde_json::Value;

use crate::device::{Chromium, now};

/// Address, title, time.
type Visit = (String, Option<String>, Timestamp);

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/history");

#[test]
fn every_visit_of_real_databases_comes_exactly_as_it_is() {
    let mut truth: BTreeMap<String, Vec<Visit>> = BTreeMap::new();
    for line in fs::read_to_string(Path::new(FIXTURES).join("truth.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        truth.entry(text(&line, "db")).or_default().push(visit(&line, "time"));
    }
    assert_eq!(truth.len(), 3);
    for (database, mut expected) in truth {
        let file = Path::new(FIXTURES).join(&database);
        let mut captured: Vec<_> =
            captured(&[file]).iter().map(|line| visit(line, "visited_at")).collect();
        captured.sort();
        expected.sort();
        assert_eq!(captured, expected, "{database}");
    }
}

#[test]
fn browser_profile_transition_and_search_terms_are_told() {
    let lines = captured(&[Path::new(FIXTURES).join("chrome-8.History")]);
    let searches: Vec<_> = lines.iter().filter(|line| !line["search_terms"].is_null()).collect();
    assert!(searches.iter().any(|line| line["search_terms"] == "really really funny cats"));
    for line in &lines {
        assert_eq!((&line["browser"], &line["profile"]), (&"Chromium".into(), &"history".into()));
        assert!(line.get("synced").is_none());
    }
    assert!(lines.iter().any(|line| line["transition"] == "typed"));
    let browser = captured(&[Path::new(FIXTURES).join("History.db")])[0]["browser"].clone();
    assert_eq!(browser, "Safari");
}

#[test]
fn a_visit_from_another_device_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join(".config/google-chrome/Profile 3");
    fs::create_dir_all(&profile).unwrap();
    let browser = Chromium::open(&profile.join("History"));
    browser.visit("https://a.example/here", "t");
    let synced = browser.visit("https://a.example/there", "t");
    browser.execute(&format!("UPDATE visits SET originator_cache_guid='g' WHERE id={synced}"));
    let lines = captured(&[profile.join("History")]);
    assert!(lines[0].get("synced").is_none());
    assert_eq!(lines[1]["synced"], true);
    assert_eq!(
        (&lines[0]["browser"], &lines[0]["profile"]),
        (&"Chrome".into(), &"Profile 3".into())
    );
}

#[test]
fn a_visit_from_before_the_enrolment_is_marked_where_there_was_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("History");
    let browser = Chromium::open(&path);
    // Chromium's times are whole microseconds.
    let enrolled_at = Timestamp::from_microsecond(now().as_microsecond()).unwrap();
    browser.visit_at("https://a.example/before", "t", enrolled_at - 1.microsecond());
    browser.visit_at("https://a.example/after", "t", enrolled_at);
    for (enrolled_at, before) in [(Some(enrolled_at), Value::Bool(true)), (None, Value::Null)] {
        let mut out = Vec::new();
        capture(std::slice::from_ref(&path), enrolled_at, &mut out).unwrap();
        let lines = lines(&out);
        assert_eq!(lines[0]["before_enrolment"], before);
        assert!(lines[1].get("before_enrolment").is_none());
    }
}

#[test]
fn the_file_and_its_neighbours_are_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("History");
    let browser = Chromium::open(&path);
    browser.execute("PRAGMA journal_mode=WAL");
    browser.visit("https://a.example/in-the-log", "t");
    let before = state(folder.path());
    assert!(before.contains_key(&folder.path().join("History-wal")));
    let lines = captured(std::slice::from_ref(&path));
    assert_eq!(lines[0]["url"], "https://a.example/in-the-log");
    assert_eq!(state(folder.path()), before);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, noise) = (folder.path().join("missing"), folder.path().join("noise"));
    fs::write(&noise, "x".repeat(5_000)).unwrap();
    let good = Path::new(FIXTURES).join("places-v10.sqlite");
    let mut out = Vec::new();
    let files = [missing.clone(), noise.clone(), folder.path().to_owned(), good];
    let error = capture(&files, None, &mut out).unwrap_err();
    assert_eq!(lines(&out).len(), 1);
    let CaptureError::Files(failed) = &error else { panic!("{error}") };
    assert_eq!(failed.iter().map(|failed| failed.file.clone()).collect::<Vec<_>>(), files[..3]);
    let told = error.to_string();
    for (file, reason) in [(&missing, "no such file"), (&noise, "not a SQLite database")] {
        let line = told.lines().find(|line| line.starts_with(&*file.to_string_lossy())).unwrap();
        assert!(line.contains(reason) && line.contains("name a browser's History"), "{line}");
    }
}

fn captured(files: &[PathBuf]) -> Vec<Value> {
    let mut out = Vec::new();
    capture(files, None, &mut out).unwrap();
    lines(&out)
}

fn lines(out: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(out).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn visit(line: &Value, time: &str) -> Visit {
    let title = line["title"].as_str().map(str::to_owned);
    (text(line, "url"), title, text(line, time).parse().unwrap())
}

fn text(line: &Value, field: &str) -> String {
    line[field].as_str().unwrap().to_owned()
}

/// Size, time and content of everything in a folder.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            (path.clone(), (fs::read(&path).unwrap(), modified))
        })
        .collect()
}
