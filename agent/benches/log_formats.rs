//! How fast each log format is read, on one core: `cargo bench -p redshank-agent --bench log_formats`.
//!
//! The limit to hold it against stands beside it, measured in the same run: splitting the same bytes at spaces
//! and line ends, and nothing else. Each figure is the best of several rounds over lines that the real
//! programs wrote (`tests/fixtures/logs`), repeated to some megabytes; on Unix it is the thread's own time that
//! counts, so that other work on the machine does not. The promise is 100,000 lines a second for Squid's
//! native format.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use redshank_agent::sources::logs::formats::{Clues, Format, Reader};

/// Bytes of text that a round reads.
const ROUND: usize = 8 * 1024 * 1024;
/// Rounds, of which the best counts.
const ROUNDS: usize = 7;
/// Lines a second of Squid's native format below which the promise is not kept.
const PROMISED: f64 = 100_000.0;

const LOGS: &[(&str, &str)] = &[
    ("squid", "squid/access.native.log"),
    ("squid-common", "squid/access.common.log"),
    ("squid-combined", "squid/access.combined.log"),
    (
        r#"squid:%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt "%{Referer}>h" "%{User-Agent}>h""#,
        "squid/strange.withheaders.log",
    ),
    ("e2guardian:1", "e2guardian/access.1.log"),
    ("e2guardian:2", "e2guardian/access.2.log"),
    ("e2guardian:5", "e2guardian/access.5.log"),
    ("e2guardian:8", "e2guardian/access.8.log"),
    ("dnsmasq", "dns/dnsmasq290_log-queries.log"),
    ("unbound", "dns/unbound117_ascii_no_tag_no.log"),
];

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:<16} {:>14} {:>14} {:>8} {:>8}",
        "format", "lines/s", "split only", "ratio", "MB/s"
    )?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs");
    let now: Timestamp = "2026-11-23T00:00:00Z".parse().map_err(std::io::Error::other)?;
    let clues = Clues { now, zone: TimeZone::UTC };
    for (name, file) in LOGS {
        #[expect(clippy::disallowed_methods, reason = "a fixture of a few kilobytes")]
        let text = std::fs::read(folder.join(file))?;
        let text = text.repeat(ROUND / text.len());
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let format = Format::parse_name(name).map_err(std::io::Error::other)?;
        let split = best(lines, || fields(&text));
        let read = best(lines, || entries(&format, &clues, &text));
        let name = name.split_once(":%").map_or(*name, |_| "squid:LOGFORMAT");
        let megabytes = read * text.len() as f64 / lines as f64 / 1e6;
        let ratio = split / read;
        writeln!(out, "{name:<16} {read:>14.0} {split:>14.0} {ratio:>8.1} {megabytes:>8.0}")?;
        if *file == LOGS[0].1 && read < PROMISED {
            return Err(std::io::Error::other("fewer lines a second than promised"));
        }
    }
    Ok(())
}

/// The lines a second of the best round.
fn best(lines: usize, round: impl Fn() -> usize) -> f64 {
    let seconds = |_| {
        let start = spent();
        black_box(round());
        (spent() - start).as_secs_f64()
    };
    let best = (0..ROUNDS).map(seconds).fold(f64::INFINITY, f64::min);
    lines as f64 / best
}

/// The time that this thread has had on a core.
#[cfg(unix)]
fn spent() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

/// The time that has passed since the first call.
#[cfg(not(unix))]
fn spent() -> Duration {
    use std::time::Instant;

    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    FIRST.get_or_init(Instant::now).elapsed()
}

/// The limit: every line and every field of the text is looked at.
fn fields(text: &[u8]) -> usize {
    let fields =
        text.split(|byte| *byte == b'\n').flat_map(|line| line.split(|byte| *byte == b' '));
    fields.map(|field| black_box(field).len()).sum()
}

fn entries(format: &Format, clues: &Clues, text: &[u8]) -> usize {
    let (mut reader, mut entries) = (Reader::new(format), 0);
    for line in text.split(|byte| *byte == b'\n') {
        let read = reader.read(line, clues, &mut |entry| {
            black_box(&entry);
            entries += 1;
        });
        black_box(read.is_ok());
    }
    entries
}
