//! What changed in the folders of a source's files, by the operating system's notifications.
//!
//! Only what the source cares for matters ([`Cares`]): a change of a file marks its folder, a new or
//! renamed folder marks the whole tree, anything else is nothing. Marks are a set under a lock, so that
//! ten thousand events take no more room than one. That our own reading opens files is an event too,
//! and is left out, or reading would never end.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Folders that are marked one by one; past it everything is.
const MOST_MARKED: usize = 1_024;

/// What a source cares for.
#[derive(Clone, Copy)]
pub(super) struct Cares<F> {
    /// Whether a file with this name, in this folder, is one of its inputs or stands beside one.
    pub(super) file: F,
    /// Whether a folder that appears is news.
    pub(super) folders: bool,
}

/// When a change is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Once nothing followed it for this long.
    pub(super) quiet: Duration,
    /// After this long all the same.
    pub(super) longest: Duration,
}

/// What changed since the last time it was asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Folders in which a file changed.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Whether a folder appeared, or events were lost: look for inputs anew.
    pub(super) tree: bool,
    /// Whether events were lost: look at every input.
    pub(super) all: bool,
}

#[derive(Debug, Default)]
struct Marks {
    changes: Mutex<Changes>,
    changed: Notify,
}

/// The watch over a set of folders.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    marks: Arc<Marks>,
    pace: Pace,
    /// Whether every folder asked for is watched.
    pub(super) complete: bool,
}

impl Watch {
    /// Starts to watch nothing yet. Where the system gives no watch at all, only the poll remains.
    pub(super) fn new<F>(cares: Cares<F>, pace: Pace) -> Self
    where
        F: Fn(&Path) -> bool + Send + 'static,
    {
        let marks = Arc::new(Marks::default());
        let told = Arc::clone(&marks);
        let watcher = notify::recommended_watcher(move |event| told.mark(event, &cares)).ok();
        let complete = watcher.is_some();
        Self { watcher, watched: BTreeSet::new(), marks, pace, complete }
    }

    /// A watch that never sees anything, to stand in while the real one is elsewhere.
    pub(super) fn idle() -> Self {
        Self {
            watcher: None,
            watched: BTreeSet::new(),
            marks: Arc::new(Marks::default()),
            pace: Pace { quiet: Duration::ZERO, longest: Duration::ZERO },
            complete: false,
        }
    }

    /// Watches these folders and no others; tells whether one of them was not watched before. Blocking.
    pub(super) fn set(&mut self, wanted: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut any_new = false;
        for gone in self.watched.difference(wanted) {
            // An error means that the folder went, and its watch with it.
            let _ = watcher.unwatch(gone);
        }
        self.watched.retain(|path| wanted.contains(path));
        self.complete = true;
        for path in wanted {
            // A folder that was deleted and made again has lost its inotify watch; setting it again is
            // cheap there, and dear where one stream serves all folders.
            if self.watched.contains(path) && !cfg!(target_os = "linux") {
                continue;
            }
            match watcher.watch(path, RecursiveMode::NonRecursive) {
                Ok(()) => any_new |= self.watched.insert(path.clone()),
                Err(_) => self.complete &= !path.exists(),
            }
        }
        any_new
    }

    /// Waits for a change, and until it has settled. Dropped before its end, it leaves the marks to
    /// [`take`](Self::take).
    pub(super) async fn changed(&self) {
        self.marks.changed.notified().await;
        let longest = Instant::now() + self.pace.longest;
        loop {
            let settled = longest.min(Instant::now() + self.pace.quiet);
            let more = timeout_at(settled, self.marks.changed.notified()).await;
            if more.is_err() || Instant::now() >= longest {
                return;
            }
        }
    }

    /// Takes what changed.
    pub(super) fn take(&self) -> Changes {
        std::mem::take(&mut *self.marks.lock())
    }
}

impl Marks {
    fn lock(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark<F: Fn(&Path) -> bool>(&self, event: notify::Result<Event>, cares: &Cares<F>) {
        let kinds = match event {
            Ok(event) if !event.need_rescan() => {
                let paths = event.paths.into_iter();
                let kinds =
                    paths.filter_map(|path| Some((kind_of(&event.kind, &path, cares)?, path)));
                // A file that is renamed into place, as browsers write their settings, is no new profile.
                let is_folder =
                    |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
                Some(
                    kinds
                        .filter(|(kind, path)| *kind == Kind::File || is_folder(path))
                        .collect::<Vec<_>>(),
                )
            }
            Ok(_) | Err(_) => None,
        };
        if kinds.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let mut changes = self.lock();
        match kinds {
            None => (changes.tree, changes.all) = (true, true),
            Some(kinds) => {
                for (kind, path) in kinds {
                    match kind {
                        Kind::Folder => changes.tree = true,
                        Kind::File => {
                            changes.folders.insert(path.parent().unwrap_or(&path).to_owned());
                        }
                    }
                }
            }
        }
        if changes.folders.len() > MOST_MARKED {
            changes.folders.clear();
            changes.all = true;
        }
        drop(changes);
        self.changed.notify_one();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

fn kind_of<F: Fn(&Path) -> bool>(kind: &EventKind, path: &Path, cares: &Cares<F>) -> Option<Kind> {
    let file = || (cares.file)(path).then_some(Kind::File);
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => file(),
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::File) => file(),
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) => {
            file().or_else(|| cares.folders.then_some(Kind::Folder))
        }
        EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => file(),
    }
}

impl<F> fmt::Debug for Cares<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cares").field("folders", &self.folders).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RemoveKind, RenameMode};

    use super::*;

    const PACE: Pace =
        Pace { quiet: Duration::from_millis(20), longest: Duration::from_millis(60) };

    #[test]
    fn which_events_matter() {
        let write = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        for (kind, path, expected) in [
            (data, "/p/History", Some(Kind::File)),
            (data, "/p/History-journal", Some(Kind::File)),
            (data, "/p/Cookies", None),
            (write, "/p/History", Some(Kind::File)),
            (open, "/p/History", None),
            (EventKind::Create(CreateKind::File), "/p/History", Some(Kind::File)),
            (EventKind::Create(CreateKind::File), "/p/other", None),
            (EventKind::Create(CreateKind::Folder), "/p/Profile 1", Some(Kind::Folder)),
            (renamed, "/p/Profile 1", Some(Kind::Folder)),
            (renamed, "/p/History", Some(Kind::File)),
            (EventKind::Remove(RemoveKind::File), "/p/History", Some(Kind::File)),
            (EventKind::Remove(RemoveKind::File), "/p/other", None),
        ] {
            assert_eq!(kind_of(&kind, Path::new(path), &cares()), expected, "{kind:?} {path}");
        }
    }

    #[test]
    fn marks_are_bounded() {
        let marks = Marks::default();
        for number in 0..2 * MOST_MARKED {
            let event = Event::new(EventKind::Any).add_path(format!("/{number}/History").into());
            marks.mark(Ok(event), &cares());
        }
        assert!(marks.lock().folders.len() <= MOST_MARKED);
        assert!(marks.lock().all);
    }

    #[tokio::test]
    async fn a_write_is_seen_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(cares(), PACE);
        watch.set(&BTreeSet::from([folder.path().to_owned()]));
        assert!(watch.complete);
        std::fs::write(folder.path().join("Cookies"), b"x").unwrap();
        std::fs::write(folder.path().join("History"), b"x").unwrap();
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.unwrap();
        let changes = watch.take();
        assert_eq!(changes.folders.len(), 1);
        assert!(!changes.tree && !changes.all);
        assert_eq!(watch.take(), Changes::default());
    }

    fn cares() -> Cares<impl Fn(&Path) -> bool> {
        let file = |path: &Path| {
            path.file_name().is_some_and(|name| name == "History" || name == "History-journal")
        };
        Cares { file, folders: true }
    }
}
