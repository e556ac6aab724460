//! The agent's side: the source on a socket of its own, and a device whose accounts are listed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redshank_agent::notice::{Shown, Told};
use redshank_agent::observation::{Batch, Observation};
use redshank_agent::policy::PolicyInForce;
use redshank_agent::sources::extension::{ExtensionSource, Presence, Settings};
use redshank_agent::sources::{Coverage, State};
use redshank_proto::clock::{Clock as _, System};
use redshank_proto::v1;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// An account beside the one under which the tests run.
#[cfg(unix)]
const OTHER_UID: u32 = 54_321;

/// Another account, as which a test can start something; only an administrator of a Unix system can.
pub(crate) fn other() -> Option<u32> {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root().then_some(OTHER_UID);
    #[cfg(windows)]
    return None;
}

/// The name of the account under which the tests run.
pub(crate) fn account() -> String {
    if cfg!(windows) {
        let home = PathBuf::from(std::env::var_os("USERPROFILE").unwrap());
        return home.file_name().unwrap().to_str().unwrap().to_owned();
    }
    "amy".to_owned()
}

#[cfg(unix)]
fn list_accounts(root: &Path) {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    // Other accounts must get as far as the socket.
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(root.join("etc")).unwrap();
    let own = rustix::process::geteuid().as_raw();
    let passwd =
        format!("amy:x:{own}:1::/home/amy:/bin/sh\nbob:x:{OTHER_UID}:1::/home/bob:/bin/sh\n");
    fs::write(root.join("etc/passwd"), passwd).unwrap();
}

/// A device on which the account of the tests is called [`account`], and another `bob`.
pub(crate) struct Device {
    pub(crate) root: TempDir,
    pub(crate) personal: bool,
    pub(crate) policy: watch::Sender<Option<Arc<PolicyInForce>>>,
}

impl Device {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        list_accounts(root.path());
        let policy = watch::Sender::new(Some(compiled(policy(1))));
        Self { root, personal: false, policy }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        if cfg!(windows) {
            let unique = self.root.path().file_name().unwrap().to_string_lossy();
            return format!(r"\\.\pipe\redshank-native-{unique}").into();
        }
        self.root.path().join("run/browser.sock")
    }

    pub(crate) fn source(
        &self,
        presence: &Presence,
        kept: &HashMap<String, Vec<u8>>,
    ) -> ExtensionSource {
        let settings = Settings {
            socket: self.socket(),
            root: self.root.path().to_owned(),
            personal: self.personal,
        };
        let told = Told::new(Shown::kept(kept), false, watch::Sender::default());
        ExtensionSource::new(settings, presence.clone(), told, Arc::new(System))
    }

    /// Starts the source; its batches wait for [`Running::next`].
    pub(crate) async fn start(&self, kept: &HashMap<String, Vec<u8>>) -> Running {
        let (out, batches) = mpsc::channel(4);
        let (told, coverage) = watch::channel(Vec::new());
        let shutdown = CancellationToken::new();
        let presence = Presence::new(System.now());
        let run = self.source(&presence, kept).run(
            out,
            kept.clone(),
            told,
            self.policy.subscribe(),
            shutdown.clone(),
        );
        let task = tokio::spawn(run);
        let kept = kept.clone();
        let mut running = Running { task, batches, coverage, presence, shutdown, kept };
        running.state("Browser extensions", |state| *state == State::Ok).await;
        running
    }
}

pub(crate) struct Running {
    task: JoinHandle<()>,
    batches: mpsc::Receiver<Batch>,
    coverage: watch::Receiver<Vec<Coverage>>,
    pub(crate) presence: Presence,
    shutdown: CancellationToken,
    /// What a spool would have kept.
    pub(crate) kept: HashMap<String, Vec<u8>>,
}

impl Running {
    /// The next batch, committed and told to be.
    pub(crate) async fn next(&mut self) -> Vec<Observation> {
        let batch = self.take().await;
        self.commit(batch)
    }

    /// The next batch.
    pub(crate) async fn take(&mut self) -> Batch {
        timeout(PATIENCE, self.batches.recv()).await.expect("a batch comes").expect("it runs")
    }

    pub(crate) fn commit(&mut self, batch: Batch) -> Vec<Observation> {
        for checkpoint in batch.checkpoints {
            assert!(checkpoint.input.len() <= 1_024 && checkpoint.place.len() <= 64 * 1024);
            self.kept.insert(checkpoint.input, checkpoint.place);
        }
        if let Some(done) = batch.done {
            let _ = done.send(());
        }
        batch.observations
    }

    /// Whether no batch is waiting.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.batches.try_recv().is_err()
    }

    /// Waits until an input whose name starts so is in a state that `wanted` accepts.
    pub(crate) async fn state(&mut self, name: &str, wanted: impl Fn(&State) -> bool) -> State {
        let find = |all: &Vec<Coverage>| {
            let of_name = all.iter().filter(|coverage| coverage.input.starts_with(name));
            of_name.map(|coverage| coverage.state.clone()).find(|state| wanted(state))
        };
        let arrived =
            timeout(PATIENCE, self.coverage.wait_for(|all| find(all).is_some())).await.is_ok();
        assert!(arrived, "{name} is not in that state: {:?}", self.coverage.borrow());
        find(&self.coverage.borrow()).unwrap()
    }

    /// Ends the source as a crash does; gives what a spool would have kept.
    pub(crate) async fn crash(self) -> HashMap<String, Vec<u8>> {
        self.task.abort();
        let _ = self.task.await;
        self.kept
    }

    /// Stops the source.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

pub(crate) fn compiled(policy: v1::Policy) -> Arc<PolicyInForce> {
    Arc::new(PolicyInForce::compile(policy).unwrap())
}

/// A policy that reads what pupils type and reports visits.
pub(crate) fn policy(serial: u64) -> v1::Policy {
    v1::Policy {
        serial,
        text: Some(v1::TextPolicy { typed: true, ..Default::default() }),
        notice: Some(v1::Notice {
            school_name: "Elm Tree School".into(),
            watched_by: "Ms Okafor".into(),
            help: "Childline 0800 1111".into(),
            version: 3,
        }),
        private_list: vec![v1::PrivateEntry {
            host: "childline.org.uk".into(),
            reason: "helpline".into(),
            ..Default::default()
        }],
        report_visits: true,
        ..Default::default()
    }
}

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_redshank-agent"))
}
