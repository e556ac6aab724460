//! The browser history source: follows the history databases of every user of the machine.
//!
//! ```text
//! profiles ──► watch ──► folder ──► copy ──► reader ──► cursor ──► Batch
//! where they    a change   opened     private   SQLite,    each visit
//! may lie       or poll    without    copy,     at arm's   once
//!                          links      settled   length
//! ```
//!
//! # What always holds
//! - **The browser's files are only ever read.** No lock is taken on them, nothing beside them is
//!   created; SQLite only sees a private copy ([`copy`]), which is removed after the reading. A copy
//!   that a crash left behind is removed at the next start.
//! - **A profile is a hostile peer.** Its owner can make any file of it a link, a FIFO, a sparse
//!   terabyte or a forged database. [`folder`] opens without following links, without blocking, and
//!   only a regular file of bounded size that belongs to the profile's owner; [`reader`] reads it with
//!   every limit that SQLite has. What is refused is told in [`Coverage`], and the other profiles go on.
//! - **Each visit is yielded once**, across restarts, deletions and databases begun anew ([`cursor`]).
//!   The place goes out in the batch with its visits, and the spool commits both together.
//! - **What is none of ours stays unread**: of visits from before the enrolment, and of visits that
//!   the browser synced from another device, neither address nor title is even taken from the copy.
//!
//! # Latency
//! A change is seen by inotify (or the platform's like), settles within [`watch::QUIET`], and is copied and read:
//! a visit is out some 100 ms after the browser committed it. A poll every [`follow::POLL`] makes up
//! for a lost event, and finds profiles where no watch could be set.
//!
//! # What falls short, honestly
//! - Desktop Firefox does not record which visits came by Firefox Sync. A visit is taken as synced if
//!   it is dated well before the last time its database was read and it was not there then (see
//!   [`cursor`]); one that was synced within that minute cannot be told from a local one.
//! - A private window writes no history, and a browser that is not in [`profiles`] is not looked for.
//!   Brave's and Opera's snaps keep their profiles behind a link (`current`), which is not followed:
//!   name their folders in the settings.
//! - On Windows the owner of a file is not compared with the owner of the profile: the folder
//!   permissions of `C:\Users` stand for it.

mod absent;
pub mod capture;
mod copy;
mod cursor;
mod folder;
mod follow;
mod profiles;
mod reader;
mod reading;
mod watch;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch as watch_channel};
use tokio_util::sync::CancellationToken;

pub use self::capture::{CaptureError, capture};
pub use self::profiles::Platform;
#[cfg(unix)]
pub(crate) use self::profiles::account_of_uid;
use crate::observation::Batch;
use crate::sources::Coverage;

/// What the source needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose path tables to use: [`Platform::CURRENT`] but in tests.
    pub platform: Platform,
    /// The root of the file system: `/`, or `C:\`; another folder in tests.
    pub root: PathBuf,
    /// User data folders of browsers beside the well-known ones, as given to Chromium's
    /// `--user-data-dir`. What kind of browser it is shows in what lies there. They need not exist yet.
    pub extra_profiles: Vec<PathBuf>,
    /// The folder for private copies, the source's own: made if missing (0700 on Unix), and emptied of
    /// its leftovers at the start.
    pub copies: PathBuf,
    /// Visits that the device's clock stamped before this time are left alone: the earlier of the
    /// enrolment's time by the device's clock and by the collector's.
    pub enrolled_at: Timestamp,
    /// How often everything is looked at without a notification; half a minute if absent.
    pub poll: Option<Duration>,
}

/// Follows the history databases of all browser profiles on the machine.
#[derive(Debug)]
pub struct HistorySource {
    settings: Settings,
    clock: Arc<dyn Clock>,
}

/// Why the source could not go on.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The folder for private copies is not usable; without it nothing can be read.
    #[error(
        "the folder for private copies of history databases, {folder}, cannot be used: {cause}; it must be a real \
         folder that belongs to the agent's account"
    )]
    Copies {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}

impl HistorySource {
    /// Makes the source; nothing is touched before [`run`](Self::run).
    #[must_use]
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    /// Follows all profiles until `shutdown`, or until nobody receives from `out` any more.
    ///
    /// `checkpoints` are the places that the spool kept, by [`Checkpoint::input`](crate::observation::Checkpoint);
    /// those of other sources do no harm. `coverage` always holds the state of every profile that was
    /// found, and changes only when one of them does.
    ///
    /// # Errors
    /// [`HistoryError::Copies`] if the folder for private copies cannot be used.
    pub async fn run(
        self,
        out: mpsc::Sender<Batch>,
        checkpoints: HashMap<String, Vec<u8>>,
        coverage: watch_channel::Sender<Vec<Coverage>>,
        shutdown: CancellationToken,
    ) -> Result<(), HistoryError> {
        let follower = follow::Follower::new(self.settings, self.clock, &checkpoints)?;
        follower.run(&out, &coverage, &shutdown).await;
        Ok(())
    }
}
