//! When a browser wrote a visit to its history file, seen from outside with no help from the agent.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use jiff::Timestamp;
use redshank_proto::clock::{Clock as _, System};

use crate::replay::CHROMIUM_EPOCH_MICROS;

/// How often the file's time of change is looked at. The file's own time is what is reported.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Chromium's mark of a visit that no redirect led to or away from (ui/base/page_transition_types.h).
const WHOLE_CHAIN: i64 = 0x3000_0000;

/// Watches one history file.
#[derive(Debug)]
pub struct HistoryWatch {
    file: PathBuf,
    scratch: tempfile::TempDir,
}

impl HistoryWatch {
    /// Watches `file`, which may not be there yet.
    ///
    /// # Errors
    /// If there is no room for private copies.
    pub fn new(file: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { file, scratch: tempfile::TempDir::new()? })
    }

    /// Waits until the file holds a visit whose address contains `mark`, and says when it was written: the
    /// time of change of the first version of the file that has it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn written(&self, mark: &str) -> anyhow::Result<Timestamp> {
        let mut looked_at = None;
        loop {
            let version = version(&self.file);
            if version != looked_at {
                looked_at = version;
                if let Some((at, _)) = version.filter(|_| self.holds(mark).unwrap_or(false)) {
                    return Timestamp::try_from(at).context("the file's time is out of range");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A copy caught in mid-write does not open, or lacks the visit; the next change brings it.
    fn holds(&self, mark: &str) -> anyhow::Result<bool> {
        let copy = self.scratch.path().join("History");
        for suffix in ["", "-wal", "-journal"] {
            let (from, to) = (with(&self.file, suffix), with(&copy, suffix));
            if from.exists() {
                std::fs::copy(from, to)?;
            } else if to.exists() {
                std::fs::remove_file(to)?;
            }
        }
        let database = rusqlite::Connection::open(&copy)?;
        let found = database.query_row(
            "SELECT EXISTS (SELECT 1 FROM visits v JOIN urls u ON u.id = v.url WHERE instr(u.url, ?1))",
            [mark],
            |row| row.get(0),
        )?;
        Ok(found)
    }
}

/// Adds a visit, dated now, to the history of a browser that has quit: whoever tells of it has read all that the
/// browser wrote before it.
///
/// # Errors
/// If it is no history of Chromium's or Firefox's.
pub fn add_visit(file: &Path, url: &str) -> anyhow::Result<()> {
    let database = rusqlite::Connection::open(file)?;
    let now = System.now().as_microsecond();
    let tx = database.unchecked_transaction()?;
    if file.ends_with("places.sqlite") {
        tx.execute(
            "INSERT INTO moz_places (url, title, last_visit_date) VALUES (?1, '', ?2)",
            (url, now),
        )?;
        tx.execute(
            "INSERT INTO moz_historyvisits (place_id, visit_date, visit_type, session, from_visit)
             VALUES (?1, ?2, 1, 0, 0)",
            [tx.last_insert_rowid(), now],
        )?;
    } else {
        let time = now + CHROMIUM_EPOCH_MICROS;
        tx.execute(
            "INSERT INTO urls (url, title, last_visit_time) VALUES (?1, '', ?2)",
            (url, time),
        )?;
        tx.execute(
            "INSERT INTO visits (url, visit_time, transition) VALUES (?1, ?2, ?3)",
            [tx.last_insert_rowid(), time, WHOLE_CHAIN],
        )?;
    }
    Ok(tx.commit()?)
}

/// The addresses of a history, each as often as it was visited.
///
/// # Errors
/// If it is no history of Chromium's or Firefox's.
pub fn visited(file: &Path) -> anyhow::Result<Vec<String>> {
    let database = rusqlite::Connection::open(file)?;
    let mut all = database.prepare(if file.ends_with("places.sqlite") {
        "SELECT p.url FROM moz_historyvisits v JOIN moz_places p ON p.id = v.place_id"
    } else {
        "SELECT u.url FROM visits v JOIN urls u ON u.id = v.url"
    })?;
    let urls = all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(urls)
}

/// When the file was last written, and whether a rollback journal is beside it: its removal is the commit, and
/// leaves the file's own time as it was.
fn version(file: &Path) -> Option<(SystemTime, bool)> {
    let times = ["", "-wal"].map(|suffix| with(file, suffix).metadata().ok()?.modified().ok());
    Some((times.into_iter().flatten().max()?, with(file, "-journal").exists()))
}

fn with(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
