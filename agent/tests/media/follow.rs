use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use redshank_agent::observation::{Batch, Content, Evidence, Medium, MediumChange, Source};
use redshank_agent::sources::history::Platform;
use redshank_agent::sources::media::{MediaSource, Settings};
use redshank_agent::sources::{Coverage, State};
use redshank_proto::clock::System;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_stick_is_told_as_it_comes_and_goes_with_who_has_the_screen() {
    let device = Device::new();
    device.sign_in();
    let mut running = device.run(HashMap::new());
    device.insert("sdb", 1);
    assert_eq!(running.next().await, (MediumChange::Inserted, Some("amy".to_owned())));
    assert_eq!(running.coverage.borrow()[0].state, State::Ok);
    device.pull("sdb");
    assert_eq!(running.next().await, (MediumChange::Removed, Some("amy".to_owned())));
    device.insert("sdb", 2);
    assert_eq!(running.next().await, (MediumChange::Inserted, Some("amy".to_owned())));
    let kept = running.stop().await;

    // A restart of the machine with the stick in: it is not inserted again, but pulled.
    device.pull("sdb");
    device.insert("sdc", 1);
    device.sign_out();
    let mut running = device.run(kept);
    // A second of the same make tells when the source has looked.
    device.insert("sdd", 3);
    assert_eq!(running.next().await, (MediumChange::Inserted, None));
    device.pull("sdc");
    assert_eq!(running.next().await, (MediumChange::Removed, None));
}

#[tokio::test]
async fn without_a_list_it_is_blind_and_says_so() {
    let device = Device::new();
    fs::remove_dir_all(device.root.path().join("sys")).unwrap();
    let mut running = device.run(HashMap::new());
    let coverage = running.coverage.wait_for(|coverage| !coverage.is_empty());
    let coverage = tokio::time::timeout(PATIENCE, coverage).await.unwrap().unwrap()[0].clone();
    assert_eq!(coverage.source, Source::RemovableMedia);
    assert!(matches!(coverage.state, State::Blind(_)), "{coverage:?}");
}

struct Device {
    root: TempDir,
}

impl Device {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["sys/class/block", "run/systemd/sessions", "etc"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let passwd = "amy:x:1001:1001::/home/amy:/bin/sh\n";
        fs::write(root.path().join("etc/passwd"), passwd).unwrap();
        Self { root }
    }

    fn session(&self) -> PathBuf {
        self.root.path().join("run/systemd/sessions/1")
    }

    fn sign_in(&self) {
        fs::write(self.session(), "UID=1001\nSTATE=active\nCLASS=user\nSEAT=seat0\n").unwrap();
    }

    fn sign_out(&self) {
        fs::remove_file(self.session()).unwrap();
    }

    /// All of its files are there before the link that makes it a disk.
    fn insert(&self, name: &str, sequence: u32) {
        let device = self.root.path().join("sys/devices/usb1").join(name);
        fs::create_dir_all(device.join("device")).unwrap();
        fs::write(device.join("removable"), "1\n").unwrap();
        fs::write(device.join("size"), "2000\n").unwrap();
        fs::write(device.join("diskseq"), format!("{sequence}\n")).unwrap();
        fs::write(device.join("device/model"), "Stick           \n").unwrap();
        symlink(device, self.root.path().join("sys/class/block").join(name)).unwrap();
    }

    fn pull(&self, name: &str) {
        fs::remove_file(self.root.path().join("sys/class/block").join(name)).unwrap();
    }

    fn run(&self, kept: HashMap<String, Vec<u8>>) -> Running {
        let (out, batches) = mpsc::channel(4);
        let (told, coverage) = watch::channel(Vec::new());
        let shutdown = CancellationToken::new();
        let settings = Settings {
            platform: Platform::Linux,
            root: self.root.path().to_owned(),
            pace: Some(Duration::from_millis(20)),
        };
        let source = MediaSource::new(settings, Arc::new(System));
        let task = tokio::spawn(source.run(out, kept.clone(), told, shutdown.clone()));
        Running { task, batches, coverage, shutdown, kept }
    }
}

struct Running {
    task: JoinHandle<()>,
    batches: mpsc::Receiver<Batch>,
    coverage: watch::Receiver<Vec<Coverage>>,
    shutdown: CancellationToken,
    kept: HashMap<String, Vec<u8>>,
}

impl Running {
    /// Waits for the next medium; returns what became of it, and by whom.
    async fn next(&mut self) -> (MediumChange, Option<String>) {
        let batch = tokio::time::timeout(PATIENCE, self.batches.recv()).await.unwrap().unwrap();
        for place in batch.checkpoints {
            self.kept.insert(place.input, place.place);
        }
        let [seen] = &batch.observations[..] else { panic!("{:?}", batch.observations) };
        assert_eq!(seen.source, Source::RemovableMedia);
        let Content::Medium(Medium { change, name, bytes }) = &seen.content else {
            panic!("{seen:?}")
        };
        assert_eq!((name.as_str(), *bytes), ("Stick", 1_024_000));
        let account = match &seen.evidence[..] {
            [] => None,
            [Evidence::OsUser(account)] => Some(account.clone()),
            other => panic!("{other:?}"),
        };
        (*change, account)
    }

    async fn stop(self) -> HashMap<String, Vec<u8>> {
        self.shutdown.cancel();
        self.task.await.unwrap();
        self.kept
    }
}
