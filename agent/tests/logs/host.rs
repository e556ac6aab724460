//! A host laid out in a temporary folder, whose proxy writes a log, and the source that follows it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use redshank_agent::observation::{Batch, Content, Observation, Target};
use redshank_agent::sources::logs::leases::{LeaseFormat, LeaseSettings};
use redshank_agent::sources::logs::{LogSettings, LogSource, Settings};
use redshank_agent::sources::{Coverage, State};
use redshank_proto::clock::{Clock, System};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough that what is not to come would have come.
const QUIET: Duration = Duration::from_millis(400);

/// A host with a proxy, a DHCP server, and an agent.
pub(crate) struct Host {
    pub(crate) folder: TempDir,
    pub(crate) settings: Settings,
    proxy: File,
}

impl Host {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("squid");
        fs::create_dir(&logs).unwrap();
        let path = logs.join("access.log");
        let proxy = open(&path);
        let log = LogSettings {
            path,
            format: "squid".to_owned(),
            zone: TimeZone::UTC,
            authority: None,
            clients: Vec::new(),
        };
        let leases = Vec::new();
        let since = System.now() - 1.hour();
        Self { folder, settings: Settings { logs: vec![log], leases, since, poll: None }, proxy }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("squid/access.log")
    }

    pub(crate) fn rotated(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("squid/access.log.{ending}"))
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.proxy.write_all(bytes).unwrap();
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn request(&mut self, number: usize, user: &str) {
        let line = format!(
            "{}.{:03} 9 192.168.4.17 TCP_MISS/200 512 GET {} {user} HIER_DIRECT/127.0.0.1 text/html\n",
            seconds(),
            number % 1_000,
            url(number)
        );
        self.write(&line);
    }

    pub(crate) fn write_lease(&mut self, mac: &str) {
        let path = self.folder.path().join("dnsmasq.leases");
        fs::write(&path, format!("0 {mac} 192.168.4.17 ipad *\n")).unwrap();
        // The file's time is coarser than a request's.
        let before = System.now() - 2.seconds();
        File::options().append(true).open(&path).unwrap().set_modified(before.into()).unwrap();
        self.settings.leases = vec![LeaseSettings { path, format: LeaseFormat::Dnsmasq }];
    }

    pub(crate) fn rename(&self) {
        for number in (1..20).rev() {
            for packed in ["", ".gz"] {
                let from = self.rotated(&format!("{number}{packed}"));
                if from.exists() {
                    fs::rename(from, self.rotated(&format!("{}{packed}", number + 1))).unwrap();
                }
            }
        }
        fs::rename(self.log(), self.rotated("1")).unwrap();
    }

    pub(crate) fn reopen(&mut self) {
        self.proxy = open(&self.log());
    }

    pub(crate) fn copy_and_empty(&self) {
        self.rename();
        fs::rename(self.rotated("1"), self.log()).unwrap();
        fs::copy(self.log(), self.rotated("1")).unwrap();
        self.empty();
    }

    pub(crate) fn empty(&self) {
        File::options().write(true).open(self.log()).unwrap().set_len(0).unwrap();
    }

    pub(crate) fn compress(&self) {
        for number in 1..20 {
            let plain = self.rotated(&number.to_string());
            let Ok(content) = fs::read(&plain) else { continue };
            let packed = File::create(self.rotated(&format!("{number}.gz"))).unwrap();
            let mut packer = GzEncoder::new(packed, Compression::fast());
            packer.write_all(&content).unwrap();
            packer.finish().unwrap();
            fs::remove_file(plain).unwrap();
        }
    }

    pub(crate) fn start(&self, kept: &Kept) -> Running {
        self.start_with(kept, Arc::new(System))
    }

    pub(crate) fn start_with(&self, kept: &Kept, clock: Arc<dyn Clock>) -> Running {
        let (out, batches) = mpsc::channel(4);
        let (told, coverage) = watch::channel(Vec::new());
        let (_, policy) = watch::channel(None);
        let shutdown = CancellationToken::new();
        let source = LogSource::new(self.settings.clone(), clock).unwrap();
        let running = source.run(out, kept.0.clone(), told, policy, shutdown.clone());
        Running {
            task: tokio::spawn(running),
            batches,
            coverage,
            shutdown,
            kept: kept.clone(),
            seen: Vec::new(),
        }
    }
}

/// The checkpoints that a spool would keep.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(HashMap<String, Vec<u8>>);

pub(crate) struct Running {
    task: JoinHandle<()>,
    batches: mpsc::Receiver<Batch>,
    coverage: watch::Receiver<Vec<Coverage>>,
    shutdown: CancellationToken,
    kept: Kept,
    pub(crate) seen: Vec<String>,
}

impl Running {
    /// The next `count` observations, committed as a spool would.
    pub(crate) async fn next(&mut self, count: usize) -> Vec<Observation> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let batch = timeout(PATIENCE, self.batches.recv()).await;
            let batch = batch.unwrap_or_else(|_| panic!("only {} of {count} came", seen.len()));
            seen.extend(self.commit(batch.expect("the source runs")));
        }
        assert_eq!(seen.len(), count);
        seen
    }

    /// Receives until a request for this address has come.
    pub(crate) async fn until(&mut self, url: &str) {
        while !self.seen.iter().any(|seen| seen == url) {
            let batch = timeout(PATIENCE, self.batches.recv()).await;
            let batch = batch.unwrap_or_else(|_| panic!("{url} did not come: {:?}", self.seen));
            self.commit(batch.expect("the source runs"));
        }
    }

    /// Everything that still comes, after a while in which nothing should.
    pub(crate) async fn rest(&mut self) -> Vec<Observation> {
        let mut seen = Vec::new();
        while let Ok(Some(batch)) = timeout(QUIET, self.batches.recv()).await {
            seen.extend(self.commit(batch));
        }
        seen
    }

    pub(crate) fn commit(&mut self, batch: Batch) -> Vec<Observation> {
        assert!(batch.observations.len() <= 320);
        for checkpoint in batch.checkpoints {
            assert!(checkpoint.input.len() <= 1_024 && checkpoint.place.len() <= 2 * 1024);
            self.kept.0.insert(checkpoint.input, checkpoint.place);
        }
        self.seen.extend(batch.observations.iter().map(target));
        batch.observations
    }

    /// Waits until the log is in a state that `wanted` accepts.
    pub(crate) async fn state(&mut self, wanted: impl Fn(&State) -> bool) -> State {
        let of_log = |all: &Vec<Coverage>| {
            let mut logs = all.iter().filter(|coverage| !coverage.input.starts_with("Leases"));
            logs.next().map(|coverage| coverage.state.clone())
        };
        let accepted = |all: &Vec<Coverage>| of_log(all).is_some_and(|state| wanted(&state));
        let arrived = timeout(PATIENCE, self.coverage.wait_for(accepted)).await.is_ok();
        let all = self.coverage.borrow();
        assert!(arrived, "the log is not in that state: {all:?}");
        of_log(&all).unwrap()
    }

    pub(crate) async fn stop(self) -> Kept {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
        self.kept
    }

    /// Ends the source as a crash does: nothing that is in flight arrives.
    pub(crate) async fn crash(self) -> Kept {
        self.task.abort();
        let _ = self.task.await;
        self.kept
    }
}

/// A clock that is moved on by hand.
#[derive(Debug, Default)]
pub(crate) struct Later(std::sync::atomic::AtomicI64);

impl Later {
    pub(crate) fn pass(&self, minutes: i64) {
        self.0.fetch_add(minutes, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for Later {
    fn now(&self) -> Timestamp {
        System.now() + self.0.load(std::sync::atomic::Ordering::SeqCst).minutes()
    }

    fn since_boot(&self) -> Duration {
        System.since_boot()
    }

    fn boot_id(&self) -> Option<[u8; 16]> {
        System.boot_id()
    }
}

pub(crate) fn degraded(state: &State, reason: &str) -> bool {
    matches!(state, State::Degraded(why) if why.contains(reason))
}

pub(crate) fn target(observation: &Observation) -> String {
    match &observation.content {
        Content::Request(request) => match &request.target {
            Target::Url(text) | Target::Host(text) => text.clone(),
        },
        Content::Missed(_) => "missed".to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn url(number: usize) -> String {
    format!("http://a.example/{number}")
}

pub(crate) fn seconds() -> i64 {
    System.now().as_second()
}

pub(crate) fn open(path: &std::path::Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}
