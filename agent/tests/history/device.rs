//! A device laid out in a temporary folder, and a source that runs against it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use redshank_agent::observation::{Batch, Content, Evidence, Visit};
use redshank_agent::sources::history::{HistoryError, HistorySource, Platform, Settings};
use redshank_agent::sources::{Coverage, State};
use redshank_proto::clock::{Clock as _, System};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where accounts' homes are, and Chromium's and Firefox's folders in them.
const PLACES: [&str; 3] = match Platform::CURRENT {
    Platform::Linux => ["home", ".config/chromium", ".mozilla/firefox"],
    Platform::Windows => {
        ["Users", "AppData/Local/Chromium/User Data", "AppData/Roaming/Mozilla/Firefox/Profiles"]
    }
    Platform::MacOs => [
        "Users",
        "Library/Application Support/Chromium",
        "Library/Application Support/Firefox/Profiles",
    ],
};
/// Long enough that what is not to come would have come.
const QUIET: Duration = Duration::from_millis(700);

pub(crate) struct Device {
    root: TempDir,
    pub(crate) settings: Settings,
}

impl Device {
    /// A device of this platform, enrolled an hour ago.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(PLACES[0])).unwrap();
        let settings = Settings {
            platform: Platform::CURRENT,
            root: root.path().to_owned(),
            extra_profiles: Vec::new(),
            copies: root.path().join("var/copies"),
            enrolled_at: now() - 1.hour(),
            poll: None,
        };
        Self { root, settings }
    }

    /// A profile folder of Chromium's, made if it is missing.
    pub(crate) fn profile(&self, account: &str, profile: &str) -> PathBuf {
        self.folder(account, PLACES[1], profile)
    }

    /// A profile folder of Firefox's, made if it is missing.
    pub(crate) fn firefox_profile(&self, account: &str, profile: &str) -> PathBuf {
        self.folder(account, PLACES[2], profile)
    }

    /// An account's home.
    pub(crate) fn home(&self, account: &str) -> PathBuf {
        self.root.path().join(PLACES[0]).join(account)
    }

    fn folder(&self, account: &str, place: &str, profile: &str) -> PathBuf {
        let path = self.home(account).join(place).join(profile);
        fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn chromium(&self, account: &str, profile: &str) -> Chromium {
        Chromium::open(&self.profile(account, profile).join("History"))
    }

    pub(crate) fn start(&self, kept: &Kept) -> Running {
        let (out, batches) = mpsc::channel(4);
        let (told, coverage) = watch::channel(Vec::new());
        let shutdown = CancellationToken::new();
        let source = HistorySource::new(self.settings.clone(), Arc::new(System));
        let running = source.run(out, kept.0.clone(), told, shutdown.clone());
        Running { task: tokio::spawn(running), batches, coverage, shutdown, kept: kept.clone() }
    }

    /// How many files lie in the folder for copies.
    pub(crate) fn copies_left(&self) -> usize {
        fs::read_dir(&self.settings.copies).map_or(0, Iterator::count)
    }
}

/// The checkpoints that a spool would keep.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(pub(crate) HashMap<String, Vec<u8>>);

/// What was seen of one visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) account: String,
    pub(crate) visit: Visit,
    pub(crate) late_title: bool,
}

pub(crate) struct Running {
    task: JoinHandle<Result<(), HistoryError>>,
    batches: mpsc::Receiver<Batch>,
    coverage: watch::Receiver<Vec<Coverage>>,
    shutdown: CancellationToken,
    kept: Kept,
}

impl Running {
    /// The next `count` visits, committed as a spool would.
    pub(crate) async fn next(&mut self, count: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let batch = timeout(PATIENCE, self.batches.recv()).await;
            let batch =
                batch.unwrap_or_else(|_| panic!("only {} of {count} came: {seen:?}", seen.len()));
            seen.extend(self.commit(batch.expect("the source runs")));
        }
        assert_eq!(seen.len(), count, "{seen:?}");
        seen
    }

    /// The addresses of the next `count` visits.
    pub(crate) async fn next_urls(&mut self, count: usize) -> Vec<String> {
        self.next(count).await.into_iter().map(|seen| seen.visit.url).collect()
    }

    /// Everything that still comes, after a while in which nothing should.
    pub(crate) async fn rest(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Ok(Some(batch)) = timeout(QUIET, self.batches.recv()).await {
            seen.extend(self.commit(batch));
        }
        seen
    }

    fn commit(&mut self, batch: Batch) -> Vec<Seen> {
        for checkpoint in batch.checkpoints {
            assert!(checkpoint.input.len() <= 1_024 && checkpoint.place.len() <= 64 * 1024);
            self.kept.0.insert(checkpoint.input, checkpoint.place);
        }
        let seen = batch.observations.into_iter().map(|observation| {
            let Evidence::OsUser(account) = observation.evidence[0].clone() else {
                panic!("a profile has an owner: {:?}", observation.evidence)
            };
            match observation.content {
                Content::Visit(visit) => Seen { account, visit, late_title: false },
                Content::LateTitle(visit) => Seen { account, visit, late_title: true },
                other => panic!("a history holds visits: {other:?}"),
            }
        });
        seen.collect()
    }

    /// Waits until the one input whose label starts so is in a state that `wanted` accepts.
    pub(crate) async fn state(&mut self, label: &str, wanted: impl Fn(&State) -> bool) -> State {
        let of_label = |all: &Vec<Coverage>| {
            let mut found = all.iter().filter(|coverage| coverage.input.starts_with(label));
            found.next().map(|coverage| coverage.state.clone())
        };
        let accepted = |all: &Vec<Coverage>| of_label(all).is_some_and(|state| wanted(&state));
        let arrived = timeout(PATIENCE, self.coverage.wait_for(accepted)).await.is_ok();
        let all = self.coverage.borrow();
        assert!(arrived, "{label} is not in that state: {all:?}");
        of_label(&all).unwrap()
    }

    /// Waits until the input is not seen, and gives the reason.
    pub(crate) async fn blind(&mut self, label: &str) -> String {
        match self.state(label, |state| matches!(state, State::Blind(_))).await {
            State::Blind(reason) => reason,
            State::Ok | State::Degraded(_) => unreachable!(),
        }
    }

    /// Stops the source; gives what a spool would have kept.
    pub(crate) async fn stop(self) -> Kept {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
        self.kept
    }

    /// Ends the source as a crash does: nothing that is in flight arrives.
    pub(crate) async fn crash(self) -> Kept {
        self.task.abort();
        let _ = self.task.await;
        self.kept
    }
}

/// A Chromium, as far as its history database goes.
pub(crate) struct Chromium {
    pub(crate) connection: Connection,
}

impl Chromium {
    /// Opens the database, or begins one, with the tables of Chromium 120 and later.
    pub(crate) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR,
                   title LONGVARCHAR, visit_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER);
                 CREATE TABLE IF NOT EXISTS visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL,
                   visit_time INTEGER NOT NULL, from_visit INTEGER, transition INTEGER DEFAULT 0 NOT NULL,
                   originator_cache_guid TEXT);
                 CREATE TABLE IF NOT EXISTS visit_source(id INTEGER PRIMARY KEY, source INTEGER NOT NULL);
                 CREATE TABLE IF NOT EXISTS keyword_search_terms(keyword_id INTEGER NOT NULL,
                   url_id INTEGER NOT NULL, term LONGVARCHAR NOT NULL, normalized_term LONGVARCHAR NOT NULL);",
            )
            .unwrap();
        Self { connection }
    }

    /// Visits an address.
    pub(crate) fn visit(&self, url: &str, title: &str) -> i64 {
        self.visit_at(url, title, now())
    }

    pub(crate) fn visit_at(&self, url: &str, title: &str, at: Timestamp) -> i64 {
        let transaction = self.connection.unchecked_transaction().unwrap();
        transaction.execute("INSERT INTO urls(url, title) VALUES (?1, ?2)", [url, title]).unwrap();
        let time = at.as_microsecond() + 11_644_473_600_000_000;
        transaction
            .execute(
                "INSERT INTO visits(url, visit_time, transition) VALUES (last_insert_rowid(), ?1, 805306368)",
                [time],
            )
            .unwrap();
        let id = transaction.last_insert_rowid();
        transaction.commit().unwrap();
        id
    }

    pub(crate) fn execute(&self, statements: &str) {
        self.connection.execute_batch(statements).unwrap();
    }
}

pub(crate) fn now() -> Timestamp {
    System.now()
}
