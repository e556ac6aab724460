//! The removable media source: which sticks, cards and drives came and went, by name and size.
//!
//! ```text
//! list ──► present ──► signed in ──► Batch
//! of the   what came   who has the   with the
//! system   and went    screen        checkpoint
//! ```
//!
//! # What always holds
//! - **Nothing on a medium is opened**, listed or measured: not a file, not the folder where it is mounted. Name
//!   and size come from the system's list of devices.
//! - **Each insertion is told once**, across restarts: what was there at the last checkpoint and still is, is not
//!   inserted again ([`present`]). What was inserted while the agent did not run is told when it starts.
//! - **A name may be a child's own.** It leaves the device only as policy says, and the checkpoint holds a hash in
//!   its place; so what was pulled out while the agent did not run is not told, for nobody knows its name.
//! - **Who it was is a guess of the system's**: the one person who has the screen ([`super::signed_in`]), or nobody.
//!
//! # Pace
//! A look every [`PACE`]; a medium is told at the second look that sees it, when the system has read its label.
//! On Linux a look reads one small file for each disk; what a mounted file system would answer, or never answer,
//! is not asked.
//!
//! # What falls short, honestly
//! - A medium that is in for less than a few seconds is not seen.
//! - Linux: USB disks, memory cards and what else calls itself removable, mounted or not. Optical discs and a
//!   telephone, which shows its files by another way (MTP), are none. macOS and Windows: mounted volumes that
//!   the system calls removable; a large USB hard disk is `fixed` to Windows, and not seen.
//! - An encrypted stick is told by its device's model: its label is within.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod volumes;

pub(crate) mod present;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

#[cfg(target_os = "linux")]
use self::linux as system;
use self::present::{Found, Present};
#[cfg(not(target_os = "linux"))]
use self::volumes as system;
use super::history::Platform;
use super::signed_in::SignedIn;
use crate::observation::{Batch, Checkpoint, Content, Evidence, Medium, Observation, Source};
use crate::sources::{Coverage, State, publish};

/// How often the system's list is looked at: a copy of a few files takes longer.
pub const PACE: Duration = Duration::from_secs(3);
/// How long the system has to give its list before it counts as not seen.
const ANSWER: Duration = Duration::from_secs(10);
/// The name of the input, in coverage and of the checkpoint.
const INPUT: &str = "removable media";

/// What the source needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose rules for accounts to use: [`Platform::CURRENT`] but in tests.
    pub platform: Platform,
    /// The root of the file system: `/`; another folder in tests. Windows and macOS have their own list.
    pub root: PathBuf,
    /// How often to look; [`PACE`] if absent.
    pub pace: Option<Duration>,
}

/// Follows the system's list of removable media.
#[derive(Debug)]
pub struct MediaSource {
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl MediaSource {
    /// Makes the source; nothing is looked at before [`run`](Self::run).
    #[must_use]
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    /// Follows the list until `shutdown`, or until nobody receives from `out` any more.
    ///
    /// `checkpoints` are those that the spool kept; those of other sources do no harm. Nothing ends it but
    /// these two: what cannot be seen is told in `coverage`.
    pub async fn run(
        self,
        out: mpsc::Sender<Batch>,
        checkpoints: HashMap<String, Vec<u8>>,
        coverage: watch::Sender<Vec<Coverage>>,
        shutdown: CancellationToken,
    ) {
        let kept = checkpoints.get(INPUT).and_then(|place| Present::decode(place));
        drop(checkpoints);
        let Settings { platform, root, pace } = self.settings;
        let follower = Follower {
            present: kept.unwrap_or_default(),
            signed_in: Some(SignedIn::new(platform, root.clone())),
            root,
            clock: self.clock,
            out,
            coverage,
        };
        shutdown.run_until_cancelled(follower.run(pace.unwrap_or(PACE))).await;
    }
}

type Listing = JoinHandle<Option<Vec<Found>>>;

struct Follower {
    present: Present,
    /// Elsewhere while it is asked.
    signed_in: Option<SignedIn>,
    root: PathBuf,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<Batch>,
    coverage: watch::Sender<Vec<Coverage>>,
}

impl Follower {
    async fn run(mut self, pace: Duration) {
        loop {
            let next = Instant::now() + pace;
            let root = self.root.clone();
            let mut listing = spawn_blocking(move || system::list(&root));
            let Some(found) = self.listed(&mut listing).await else { return };
            let told = match found {
                Some(found) => {
                    let state = state(found.len());
                    self.cover(state);
                    self.tell(found).await
                }
                None => {
                    self.cover(State::Blind("the system gives no list of its disks".to_owned()));
                    Some(())
                }
            };
            if told.is_none() {
                return;
            }
            sleep_until(next).await;
        }
    }

    /// Waits for the list, however long it takes, and says so if it takes long: one more asked beside it
    /// would wait, too. `None` at the runtime's end.
    async fn listed(&self, listing: &mut Listing) -> Option<Option<Vec<Found>>> {
        if let Ok(found) = timeout(ANSWER, &mut *listing).await {
            return found.ok();
        }
        self.cover(State::Blind("the system does not answer when asked for its disks".to_owned()));
        listing.await.ok()
    }

    /// Sends what came and went; `None` if nobody receives.
    async fn tell(&mut self, found: Vec<Found>) -> Option<()> {
        let media = self.present.look(found);
        if media.is_empty() {
            return Some(());
        }
        let mut signed_in = self.signed_in.take()?;
        let (signed_in, account) = spawn_blocking(move || {
            let account = signed_in.now();
            (signed_in, account)
        })
        .await
        .ok()?;
        self.signed_in = Some(signed_in);
        let now = self.clock.now();
        let place = Checkpoint { input: INPUT.to_owned(), place: self.present.encode() };
        let observations = media.into_iter().map(|medium| observation(medium, &account, now));
        let batch = Batch {
            observations: observations.collect(),
            checkpoints: vec![place],
            ..Batch::default()
        };
        self.out.send(batch).await.ok()
    }

    fn cover(&self, state: State) {
        let now = vec![Coverage { source: Source::RemovableMedia, input: INPUT.to_owned(), state }];
        publish(&self.coverage, now);
    }
}

fn observation(medium: Medium, account: &Option<String>, now: Timestamp) -> Observation {
    Observation {
        source: Source::RemovableMedia,
        occurred_at: now,
        evidence: account.clone().map(Evidence::OsUser).into_iter().collect(),
        content: Content::Medium(medium),
    }
}

fn state(found: usize) -> State {
    if found > present::MOST {
        let reason = format!("more than {} media at once: the others are not seen", present::MOST);
        return State::Degraded(reason);
    }
    State::Ok
}
