//! Logs that the real programs wrote, read by `capture log`, and held against what was sent.

mod capture;
mod dns;
mod e2guardian;
mod squid;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redshank_agent::sources::logs::capture::{CaptureError, Reading, capture};
use redshank_agent::sources::logs::formats::Format;
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/logs");

/// What `capture log` writes of a fixture, of which it must understand every line.
fn captured(format: &str, file: &str) -> Vec<Value> {
    let (out, counts, error) = capturing(format, &[fixture(file)]);
    assert!(error.is_none(), "{error:?}");
    assert!(counts.ends_with(", 0 not understood\n"), "{counts}");
    out
}

/// What `capture log` writes of files, its counts, and its error.
fn capturing(format: &str, files: &[PathBuf]) -> (Vec<Value>, String, Option<CaptureError>) {
    let format = Format::parse_name(format).unwrap();
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let reading = Reading { format: &format, zone: TimeZone::UTC, now };
    let (mut out, mut counts) = (Vec::new(), Vec::new());
    let error = capture(&reading, files, &mut out, &mut counts).err();
    let lines = str::from_utf8(&out).unwrap().lines();
    let lines = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, String::from_utf8(counts).unwrap(), error)
}

fn fixture(file: &str) -> PathBuf {
    Path::new(FIXTURES).join(file)
}

/// A truth file's requests.
fn truth(file: &str) -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(fixture(file)).unwrap()).unwrap()
}

/// Seconds from when a request was sent to when the log has it.
fn delay(entry: &Value, sent: &Value) -> f64 {
    let at: Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    at.as_duration().as_secs_f64() - sent["sent_at"].as_f64().unwrap()
}

/// Some fields of entries, as a table.
fn table(entries: &[Value], fields: &[&str]) -> Vec<String> {
    let row = |entry: &Value| {
        let cells = fields.iter().map(|field| match &entry[field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        cells.collect::<Vec<_>>().join(" | ")
    };
    entries.iter().map(row).collect()
}
