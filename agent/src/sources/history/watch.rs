//! What changed in the profiles' folders, by the operating system's notifications.
//!
//! Only names matter: an event for a history database or its neighbours marks its folder, a new or
//! renamed folder marks the whole tree, anything else is nothing. Marks are a set under a lock, so that
//! ten thousand events take no more room than one. That our own reading opens files is an event too,
//! and is left out, or reading would never end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::profiles::Family;

/// A change has settled if nothing followed it for this long: Chromium's commit is a handful of writes.
pub(super) const QUIET: Duration = Duration::from_millis(80);
/// A browser that writes without pause is read after this long all the same.
const LONGEST: Duration = Duration::from_millis(240);
/// Folders that are marked one by one; past it everything is.
const MOST_MARKED: usize = 1_024;

/// What changed since the last time it was asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Folders with a changed history database.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Whether a folder appeared, or events were lost: look for profiles anew.
    pub(super) tree: bool,
    /// Whether events were lost: look at every profile.
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
    /// Whether every folder asked for is watched.
    pub(super) complete: bool,
}

impl Watch {
    /// Starts to watch nothing yet. Where the system gives no watch at all, only the poll remains.
    pub(super) fn new() -> Self {
        let marks = Arc::new(Marks::default());
        let told = Arc::clone(&marks);
        let watcher = notify::recommended_watcher(move |event| told.mark(event)).ok();
        let complete = watcher.is_some();
        Self { watcher, watched: BTreeSet::new(), marks, complete }
    }

    /// A watch that never sees anything, to stand in while the real one is elsewhere.
    pub(super) fn idle() -> Self {
        Self {
            watcher: None,
            watched: BTreeSet::new(),
            marks: Arc::new(Marks::default()),
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
        let longest = Instant::now() + LONGEST;
        loop {
            let settled = longest.min(Instant::now() + QUIET);
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

    fn mark(&self, event: notify::Result<Event>) {
        let kinds = match event {
            Ok(event) if !event.need_rescan() => {
                let paths = event.paths.into_iter();
                let kinds = paths.filter_map(|path| Some((kind_of(&event.kind, &path)?, path)));
                // A file that is renamed into place, as browsers write their settings, is no new profile.
                let is_folder =
                    |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
                Some(
                    kinds
                        .filter(|(kind, path)| *kind == Kind::Database || is_folder(path))
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
                        Kind::Database => {
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
    Database,
    Folder,
}

fn kind_of(kind: &EventKind, path: &Path) -> Option<Kind> {
    let is_database = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        Family::ALL.iter().any(|family| {
            let suffix = name.strip_prefix(family.database());
            matches!(suffix, Some("" | "-wal" | "-journal"))
        })
    });
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
            is_database.then_some(Kind::Database)
        }
        EventKind::Access(_) => None,
        EventKind::Create(CreateKind::File) => is_database.then_some(Kind::Database),
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) => {
            Some(if is_database { Kind::Database } else { Kind::Folder })
        }
        EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => {
            is_database.then_some(Kind::Database)
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RemoveKind, RenameMode};

    use super::*;

    #[test]
    fn which_events_matter() {
        let write = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        for (kind, path, expected) in [
            (data, "/p/History", Some(Kind::Database)),
            (data, "/p/History-journal", Some(Kind::Database)),
            (data, "/p/places.sqlite-wal", Some(Kind::Database)),
            (data, "/p/History.db-wal", Some(Kind::Database)),
            (data, "/p/History-shm", None),
            (data, "/p/History Provider Cache", None),
            (data, "/p/Cookies", None),
            (write, "/p/History", Some(Kind::Database)),
            (open, "/p/History", None),
            (EventKind::Create(CreateKind::File), "/p/History", Some(Kind::Database)),
            (EventKind::Create(CreateKind::File), "/p/other", None),
            (EventKind::Create(CreateKind::Folder), "/p/Profile 1", Some(Kind::Folder)),
            (renamed, "/p/Profile 1", Some(Kind::Folder)),
            (renamed, "/p/History", Some(Kind::Database)),
            (EventKind::Remove(RemoveKind::File), "/p/History", Some(Kind::Database)),
            (EventKind::Remove(RemoveKind::File), "/p/other", None),
        ] {
            assert_eq!(kind_of(&kind, Path::new(path)), expected, "{kind:?} {path}");
        }
    }

    #[test]
    fn marks_are_bounded() {
        let marks = Marks::default();
        for number in 0..2 * MOST_MARKED {
            let event = Event::new(EventKind::Any).add_path(format!("/{number}/History").into());
            marks.mark(Ok(event));
        }
        assert!(marks.lock().folders.len() <= MOST_MARKED);
        assert!(marks.lock().all);
    }

    #[tokio::test]
    async fn a_write_is_seen_once_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new();
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
}
