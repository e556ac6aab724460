//! Which sources watch this device, each started on a task of its own.
//!
//! A school's device is watched by all of them. On a pupil's own, nothing is but the browser that has the
//! extension, in school hours: no other source is even started.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, TryFutureExt as _};
use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::native::local;
use crate::notice::public::{self, Public};
use crate::notice::{Device, Told};
use crate::observation::Batch;
use crate::policy::PolicyInForce;
use crate::sources::board::Board;
use crate::sources::extension::{self, ExtensionSource, Presence};
use crate::sources::history::{self, HistorySource};
use crate::sources::logs::{self, LogSource};
use crate::sources::media::{self, MediaSource};
use crate::sources::programs::{self, ProgramSource};
use crate::sources::{Coverage, publish};
use crate::state::{Settings, StateDir};

/// How often it is asked which browsers have no extension.
const PRESENCE_EVERY: Duration = Duration::from_secs(30);

/// What every source is given.
pub(super) struct Sources<'a> {
    pub(super) state: &'a StateDir,
    pub(super) settings: &'a Settings,
    /// Since when histories are read.
    pub(super) reads_since: Timestamp,
    pub(super) out: mpsc::Sender<Batch>,
    pub(super) checkpoints: HashMap<String, Vec<u8>>,
    pub(super) presence: Presence,
    pub(super) told: Told,
    pub(super) policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cancel: CancellationToken,
}

/// What one source is given for its own.
struct Own {
    out: mpsc::Sender<Batch>,
    checkpoints: HashMap<String, Vec<u8>>,
    coverage: watch::Sender<Vec<Coverage>>,
    policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    cancel: CancellationToken,
}

impl Sources<'_> {
    /// Starts all that this device has.
    ///
    /// # Errors
    /// If the settings name a log's format that is none.
    pub(super) fn start(
        &self,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        board: &mut Board,
    ) -> anyhow::Result<()> {
        self.extension(tasks, board);
        self.notice(tasks);
        if self.settings.personal {
            return Ok(());
        }
        self.histories(tasks, board);
        self.presence(tasks, board);
        self.programs(tasks, board);
        self.media(tasks, board);
        self.logs(tasks, board)
    }

    /// Keeps the notice true to what is started here.
    fn notice(&self, tasks: &mut JoinSet<anyhow::Result<()>>) {
        let personal = self.settings.personal;
        let device = Device {
            histories: !personal,
            extension: true,
            logs: !personal && !self.settings.logs.is_empty(),
            programs: !personal,
            media: !personal,
            pupils_own: personal,
            since_shown: self.settings.notice_at_sign_in,
        };
        let (policy, cancel) = (self.policy.clone(), self.cancel.clone());
        tasks.spawn(async move {
            public::keep(Public::default_folder(), device, policy, cancel).await;
            Ok(())
        });
    }

    fn logs(
        &self,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        board: &mut Board,
    ) -> anyhow::Result<()> {
        if self.settings.logs.is_empty() && self.settings.leases.is_empty() {
            return Ok(());
        }
        let settings = logs::Settings {
            logs: self.settings.logs.clone(),
            leases: self.settings.leases.clone(),
            since: self.reads_since,
            poll: self.settings.history_poll,
        };
        let source = LogSource::new(settings, self.clock.clone())?;
        self.spawn(tasks, board, |own| {
            source.run(own.out, own.checkpoints, own.coverage, own.policy, own.cancel).map(Ok)
        });
        Ok(())
    }

    fn extension(&self, tasks: &mut JoinSet<anyhow::Result<()>>, board: &mut Board) {
        let settings = extension::Settings {
            socket: local::address(),
            root: file_system(),
            personal: self.settings.personal,
        };
        let (presence, told) = (self.presence.clone(), self.told.clone());
        let source = ExtensionSource::new(settings, presence, told, self.clock.clone());
        self.spawn(tasks, board, |own| {
            source.run(own.out, own.checkpoints, own.coverage, own.policy, own.cancel).map(Ok)
        });
    }

    fn histories(&self, tasks: &mut JoinSet<anyhow::Result<()>>, board: &mut Board) {
        let settings = history::Settings {
            platform: history::Platform::CURRENT,
            root: file_system(),
            extra_profiles: self.settings.extra_profiles.clone(),
            copies: self.state.copies(),
            enrolled_at: self.reads_since,
            poll: self.settings.history_poll,
        };
        let source = HistorySource::new(settings, self.clock.clone());
        self.spawn(tasks, board, |own| {
            source.run(own.out, own.checkpoints, own.coverage, own.cancel).err_into()
        });
    }

    fn programs(&self, tasks: &mut JoinSet<anyhow::Result<()>>, board: &mut Board) {
        let (platform, root) = (history::Platform::CURRENT, file_system());
        let settings = programs::Settings { platform, root, pace: None };
        let source = ProgramSource::new(settings, self.clock.clone());
        self.spawn(tasks, board, |own| {
            source.run(own.out, own.checkpoints, own.coverage, own.cancel).map(Ok)
        });
    }

    fn media(&self, tasks: &mut JoinSet<anyhow::Result<()>>, board: &mut Board) {
        let (platform, root) = (history::Platform::CURRENT, file_system());
        let settings = media::Settings { platform, root, pace: None };
        let source = MediaSource::new(settings, self.clock.clone());
        self.spawn(tasks, board, |own| {
            source.run(own.out, own.checkpoints, own.coverage, own.cancel).map(Ok)
        });
    }

    /// Runs a source on a task of its own, with a part of the board.
    fn spawn<R>(
        &self,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        board: &mut Board,
        run: impl FnOnce(Own) -> R,
    ) where
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        tasks.spawn(run(Own {
            out: self.out.clone(),
            checkpoints: self.checkpoints.clone(),
            coverage: board.part(),
            policy: self.policy.clone(),
            cancel: self.cancel.clone(),
        }));
    }

    /// Tells which browsers made visits that no extension saw.
    fn presence(&self, tasks: &mut JoinSet<anyhow::Result<()>>, board: &mut Board) {
        let (presence, clock) = (self.presence.clone(), self.clock.clone());
        let (part, cancel) = (board.part(), self.cancel.clone());
        tasks.spawn(async move {
            let mut every = tokio::time::interval(PRESENCE_EVERY);
            while cancel.run_until_cancelled(every.tick()).await.is_some() {
                publish(&part, presence.coverage(clock.now()));
            }
            Ok(())
        });
    }
}

/// The root of the file system that the system itself is on.
fn file_system() -> PathBuf {
    if cfg!(windows) {
        let mut drive = std::env::var_os("SystemDrive").unwrap_or_else(|| "C:".into());
        // Without it, `C:` is the drive's current folder.
        drive.push(r"\");
        PathBuf::from(drive)
    } else {
        PathBuf::from("/")
    }
}
