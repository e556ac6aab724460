use std::collections::HashMap;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use redshank_agent::observation::{Batch, Content, Evidence, Observation, Source};
use redshank_agent::sources::history::Platform;
use redshank_agent::sources::programs::{ProgramSource, Settings};
use redshank_agent::sources::{Coverage, State};
use redshank_proto::clock::System;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_program_is_told_once_with_name_path_and_account_and_not_again_after_a_restart() {
    let device = Device::new();
    let _psiphon = device.start("psiphon3");
    let mut running = device.run(HashMap::new());
    let seen = running.until("psiphon3").await;
    assert_eq!(seen.source, Source::Programs);
    assert_eq!(seen.evidence, [Evidence::OsUser(account())]);
    let Content::Program(program) = &seen.content else { panic!("{seen:?}") };
    assert_eq!(program.path.as_deref(), device.file("psiphon3").to_str());
    assert_eq!(program.publisher, None);

    // Started while the source follows, seen soon after.
    let _lantern = device.start("lantern");
    running.until("lantern").await;
    let kept = running.stop().await;

    let _tor = device.start("tor");
    let mut running = device.run(kept);
    running.until("tor").await;
    for old in ["psiphon3", "lantern"] {
        let old = format!("{old}{EXE_SUFFIX}");
        assert!(!running.names.contains(&old), "{old} again");
    }
}

#[tokio::test]
async fn nothing_but_name_path_and_account_leaves_the_process() {
    let device = Device::new();
    let _secret = device.start("keeper");
    let mut running = device.run(HashMap::new());
    let seen = format!("{:?}", running.until("keeper").await);
    assert!(!seen.contains(ARGUMENT) && !seen.contains("REDSHANK_TEST_SECRET"), "{seen}");
}

#[tokio::test]
async fn what_is_hidden_is_said() {
    let device = Device::new();
    let mut running = device.run(HashMap::new());
    let coverage = running.coverage.wait_for(|coverage| !coverage.is_empty());
    let coverage = tokio::time::timeout(PATIENCE, coverage).await.unwrap().unwrap().clone();
    let [Coverage { source: Source::Programs, state, .. }] = &coverage[..] else {
        panic!("{coverage:?}")
    };
    // Whoever is no administrator may not look into others' programs.
    match state {
        State::Ok => {}
        State::Degraded(reason) => assert!(reason.contains("cannot look into"), "{reason}"),
        State::Blind(reason) => assert!(reason.contains("hidepid"), "{reason}"),
    }
    #[cfg(target_os = "linux")]
    if fs::read_link("/proc/1/exe").is_err() {
        assert_ne!(*state, State::Ok, "the first process is not shown to this test either");
    }
}

/// What the programs here are started with: how long they sleep, in seconds.
const ARGUMENT: &str = "271828";

struct Device {
    root: TempDir,
}

impl Device {
    /// A device on which programs are started by the account called [`account`].
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        linux::list_accounts(root.path());
        Self { root }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(format!("{name}{EXE_SUFFIX}"))
    }

    /// Starts a program of this name, which sleeps.
    fn start(&self, name: &str) -> Started {
        let mut command = sleeping(&self.file(name));
        command.env("REDSHANK_TEST_SECRET", "1").stdin(Stdio::piped()).stdout(Stdio::null());
        Started(command.spawn().unwrap())
    }

    fn run(&self, kept: HashMap<String, Vec<u8>>) -> Running {
        let (out, batches) = mpsc::channel(4);
        let (told, coverage) = watch::channel(Vec::new());
        let shutdown = CancellationToken::new();
        let settings = Settings {
            platform: Platform::CURRENT,
            root: self.root.path().to_owned(),
            pace: Some(Duration::from_millis(50)),
        };
        let source = ProgramSource::new(settings, Arc::new(System));
        let task = tokio::spawn(source.run(out, kept.clone(), told, shutdown.clone()));
        Running { task, batches, coverage, shutdown, kept, names: Vec::new() }
    }
}

struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Running {
    task: JoinHandle<()>,
    batches: mpsc::Receiver<Batch>,
    coverage: watch::Receiver<Vec<Coverage>>,
    shutdown: CancellationToken,
    kept: HashMap<String, Vec<u8>>,
    names: Vec<String>,
}

impl Running {
    /// Waits for the program of this name, and takes note of all before it.
    async fn until(&mut self, name: &str) -> Observation {
        loop {
            let batch = tokio::time::timeout(PATIENCE, self.batches.recv()).await.unwrap().unwrap();
            for place in batch.checkpoints {
                self.kept.insert(place.input, place.place);
            }
            let mut found = None;
            for seen in batch.observations {
                let Content::Program(program) = &seen.content else { panic!("{seen:?}") };
                self.names.push(program.name.clone());
                if program.name == format!("{name}{EXE_SUFFIX}") {
                    found = Some(seen);
                }
            }
            if let Some(found) = found {
                return found;
            }
        }
    }

    async fn stop(self) -> HashMap<String, Vec<u8>> {
        self.shutdown.cancel();
        self.task.await.unwrap();
        self.kept
    }
}

#[cfg(target_os = "linux")]
use linux::{account, sleeping};
#[cfg(windows)]
use windows::{account, sleeping};

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    use super::*;

    /// Who starts the programs: `amy`, by another number where these tests may be her.
    pub(super) fn account() -> String {
        "amy".to_owned()
    }

    pub(super) fn list_accounts(root: &Path) {
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
        let uid = uid();
        fs::create_dir_all(root.join("etc")).unwrap();
        let passwd = format!("amy:x:{uid}:{uid}::/home/amy:/bin/sh\n");
        fs::write(root.join("etc/passwd"), passwd).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "the source sees what others start: this test")]
    pub(super) fn sleeping(file: &Path) -> Command {
        fs::copy(fs::canonicalize("/bin/sleep").unwrap(), file).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(file);
        command.arg(ARGUMENT);
        if own_uid() == 0 {
            command.uid(uid());
        }
        command
    }

    fn uid() -> u32 {
        if own_uid() == 0 { 54_321 } else { own_uid() }
    }

    fn own_uid() -> u32 {
        fs::metadata("/proc/self").unwrap().uid()
    }
}

#[cfg(windows)]
mod windows {
    use super::*;

    /// Who starts the programs: whoever runs these tests.
    pub(super) fn account() -> String {
        let home = PathBuf::from(std::env::var_os("USERPROFILE").unwrap());
        home.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// Our own program as a browser starts it, which waits for the browser. Windows has none that sleeps.
    #[expect(clippy::disallowed_methods, reason = "the source sees what others start: this test")]
    pub(super) fn sleeping(file: &Path) -> Command {
        fs::copy(env!("CARGO_BIN_EXE_redshank-agent"), file).unwrap();
        let mut command = Command::new(file);
        command.args(["chrome-extension://abcdefghijklmnopabcdefghijklmnop/", ARGUMENT]);
        command.env("REDSHANK_SOCKET", r"\\.\pipe\redshank-nobody");
        command
    }
}
