//! Who is told when a file changes: the operating system's word about a folder goes to its logs.
//!
//! Lease files are looked at here as well, for an address may go from one device to the next and on while
//! no log has a line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch as watch_channel};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::follow::Location;
use super::track::Links;
use super::work::lock;
use super::{PACE, POLL, POLL_UNWATCHED, label, tell};
use crate::observation::Source;
use crate::sources::Coverage;
use crate::sources::watch::{Cares, Watch};

/// Watches the folders of all files.
pub(super) struct Watching {
    /// The logs, and how each is told.
    pub(super) wakes: Vec<(PathBuf, Arc<Notify>)>,
    pub(super) leases: Vec<PathBuf>,
    pub(super) poll: Option<Duration>,
    /// Whether all folders are watched.
    pub(super) watched: watch_channel::Sender<bool>,
}

/// The beginnings of names that matter: a rotated file has its log's name, and more.
type Names = Arc<Mutex<BTreeSet<OsString>>>;

/// Where the files are at present, after links.
struct Found {
    /// The folder of each log.
    logs: Vec<Option<PathBuf>>,
    new: bool,
}

impl Watching {
    pub(super) async fn run(self, links: Links) {
        let names = Names::default();
        let known = Arc::clone(&names);
        let cares = Cares { file: move |path: &Path| is_of(&known, path), folders: false };
        let mut watch = Watch::new(cares, PACE);
        let mut found = Found { logs: Vec::new(), new: false };
        let mut next_search = Instant::now();
        loop {
            if Instant::now() >= next_search {
                (watch, found) = self.search(watch, &names).await;
                // It is said once it is known.
                self.watched.send_if_modified(|before| {
                    std::mem::replace(before, watch.complete) != watch.complete
                });
                let poll = self.poll.unwrap_or(POLL);
                next_search =
                    Instant::now() + if watch.complete { poll } else { poll.min(POLL_UNWATCHED) };
                if found.new || !watch.complete {
                    self.wakes.iter().for_each(|(_, wake)| wake.notify_one());
                }
            }
            self.look_at_leases(&links).await;
            tokio::select! {
                () = links.shutdown.cancelled() => return,
                () = links.out.closed() => return,
                () = watch.changed() => {}
                () = sleep_until(next_search) => {}
            }
            let changes = watch.take();
            for ((_, wake), folder) in self.wakes.iter().zip(&found.logs) {
                let changed = folder.as_ref().is_none_or(|folder| changes.folders.contains(folder));
                if changes.all || changed {
                    wake.notify_one();
                }
            }
        }
    }

    /// Finds out where the files are, and watches their folders.
    async fn search(&self, mut watch: Watch, names: &Names) -> (Watch, Found) {
        let logs: Vec<_> = self.wakes.iter().map(|(path, _)| path.clone()).collect();
        let (leases, names) = (self.leases.clone(), Arc::clone(names));
        let searched = spawn_blocking(move || {
            let locate = |path: &PathBuf| Location::resolve(path).ok();
            let logs: Vec<_> = logs.iter().map(locate).collect();
            let all: Vec<_> = logs.iter().cloned().chain(leases.iter().map(locate)).collect();
            *names.lock().unwrap_or_else(PoisonError::into_inner) =
                all.iter().flatten().map(|location| location.name.clone()).collect();
            let folders: BTreeSet<_> =
                all.iter().flatten().map(|location| location.folder.clone()).collect();
            let new = watch.set(&folders);
            let logs = logs.into_iter().map(|log| Some(log?.folder)).collect();
            (watch, Found { logs, new })
        });
        searched.await.unwrap_or_else(|_| {
            let nothing = Found { logs: Vec::new(), new: true };
            (Watch::idle(), nothing)
        })
    }

    async fn look_at_leases(&self, links: &Links) {
        if self.leases.is_empty() {
            return;
        }
        let now = links.shared.clock.now();
        let leases = Arc::clone(&links.shared.leases);
        let looked = spawn_blocking(move || {
            let mut leases = lock(&leases);
            leases.refresh(now);
            leases.states(now)
        });
        for (path, state) in looked.await.unwrap_or_default() {
            let input = label("Leases ", &path);
            tell(&links.coverage, Coverage { source: Source::ProxyLog, input, state });
        }
    }
}

fn is_of(names: &Mutex<BTreeSet<OsString>>, path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.as_encoded_bytes()) else { return false };
    let names = names.lock().unwrap_or_else(PoisonError::into_inner);
    names.iter().any(|known| name.starts_with(known.as_encoded_bytes()))
}
