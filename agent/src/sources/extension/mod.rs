//! The browser extension's source: hears what the extensions on this machine saw.
//!
//! ```text
//! socket ──► users ──► connection ──► message ──► placing ──► Batch ──► pipeline
//! peer's     places,   one for each   bounded,    the kernel's   with the place of
//! user       pace      native host    one by one  word for who   every session
//!                          ◄────────── stored ◄──────────────────── done: durable
//! ```
//! The messages and their frames are [`native`](crate::native)'s.
//!
//! # What always holds
//! - **Nothing is lost between browser and spool.** The extension keeps an item until it hears that it is
//!   `stored`, and hears that only when the item, or the verdict that it is nothing, is durable.
//! - **Nothing is stored twice.** An item has a number in its session; how far each session has been taken
//!   is committed in the transaction of the items themselves ([`sessions`]). What comes again, to this
//!   agent or the next one, is answered as stored.
//! - **Everybody speaks as himself alone.** Whose items they are is what the kernel says of the peer, by
//!   the name that the history source gives the same account: the visits of both meet by it.
//! - **A peer is a hostile one.** A pupil can connect without any extension and say what he likes. Places,
//!   sizes, rates and waits are bounded for each account ([`users`], [`pace`]), one account has one batch
//!   under way at a time and the accounts take turns, so that nobody can make the agent grow, spin or keep
//!   others waiting. A malformed item is counted, reported, and answered as stored: nothing comes for ever.
//! - **What policy does not have read is dropped here, too** ([`placing`]); the private list and all else
//!   is the minimiser's, as for every source.
//!
//! Every account may connect, the administrator's and those of services too: all of them can speak only as
//! themselves, and a browser that runs as one of them is one to be seen.
//!
//! # What falls short, honestly
//! - Google Docs, Word Online and other editors that draw what is typed: keys typed there are put together
//!   where the editor lets it. Untried on the real sites: **count it as not seen**; the visit and its title
//!   are.
//! - What waits in the extension lies in memory: it outlives the agent and the extension's own worker, not
//!   the browser. More than the extension may keep is given up, oldest first, and told (`Content::Missed`,
//!   and in coverage).
//! - An extension does not know the name of its profile: its visits have none.
//! - A pupil who connects himself can say that he saw what he did not. He can do as much with a keyboard.

mod connection;
mod pace;
mod placing;
mod presence;
mod report;
mod sessions;
mod terms;
mod users;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub use self::presence::{GRACE, Presence, Sighting};
use self::report::Report;
use self::sessions::Sessions;
use self::users::Users;
use crate::native::local::Listener;
use crate::notice::Told;
use crate::observation::Batch;
use crate::policy::PolicyInForce;
use crate::sources::{Coverage, State};

/// The one input of this source's checkpoints.
const INPUT: &str = "browser extension";
/// How often a socket that cannot be made is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long the source rests when the system refuses to accept: it is short of descriptors.
const SHORT: Duration = Duration::from_secs(1);
/// How long it rests after a connection that found no place: who dials without pause costs a thousandth
/// of a second of waiting each time, and no processor.
const REFUSED: Duration = Duration::from_millis(1);

/// What the source needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen: [`native::local::address`](crate::native::local::address) but in tests.
    pub socket: PathBuf,
    /// The root of the file system, where accounts are listed: `/`, or `C:\`; another folder in tests.
    pub root: PathBuf,
    /// Whether the device is a pupil's own, which is watched in school hours alone.
    pub personal: bool,
}

/// Hears the extensions of all browsers on the machine.
#[derive(Debug)]
pub struct ExtensionSource {
    settings: Settings,
    presence: Presence,
    told: Told,
    clock: Arc<dyn Clock>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    clock: Arc<dyn Clock>,
    presence: Presence,
    told: Told,
    report: Report,
    policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    out: mpsc::Sender<Batch>,
    sessions: Mutex<Sessions>,
}

impl ExtensionSource {
    /// Makes the source; nothing is touched before [`run`](Self::run). `presence` hears which browsers
    /// have an extension, `told` who was shown the notice: by the extension, or at sign-in by the `notice`
    /// command, which dials the same socket.
    #[must_use]
    pub fn new(settings: Settings, presence: Presence, told: Told, clock: Arc<dyn Clock>) -> Self {
        Self { settings, presence, told, clock }
    }

    /// Listens until `shutdown`, or until nobody receives from `out` any more.
    ///
    /// `checkpoints` are the places that the spool kept; those of other sources do no harm. Each batch
    /// says through its `done` when it is durable. A socket that cannot be made is told in `coverage` and
    /// tried again: it is no reason to end.
    pub async fn run(
        self,
        out: mpsc::Sender<Batch>,
        checkpoints: HashMap<String, Vec<u8>>,
        coverage: watch::Sender<Vec<Coverage>>,
        policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
        shutdown: CancellationToken,
    ) {
        let kept = checkpoints.get(INPUT).and_then(|place| Sessions::decode(place));
        let shared = Arc::new(Shared {
            settings: self.settings,
            clock: self.clock,
            presence: self.presence,
            told: self.told,
            report: Report::new(coverage),
            policy,
            out: out.clone(),
            sessions: Mutex::new(kept.unwrap_or_default()),
        });
        let listen = async {
            loop {
                match bind(&shared).await {
                    Ok(listener) => accept_all(listener, &shared).await,
                    Err(error) => {
                        let reason = format!("the socket for browsers cannot be made: {error}");
                        let reason = redshank_proto::bounds::cut(&reason, 256).to_owned();
                        shared.report.socket(State::Blind(reason));
                        sleep(AGAIN).await;
                    }
                }
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = out.closed() => {}
            () = listen => {}
        }
    }
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn bind(shared: &Shared) -> io::Result<Listener> {
    let socket = shared.settings.socket.clone();
    // Whoever holds a socket of that name may be slow to answer.
    let listener =
        spawn_blocking(move || Listener::bind(&socket)).await.map_err(io::Error::other)??;
    shared.report.socket(State::Ok);
    Ok(listener)
}

async fn accept_all(mut listener: Listener, shared: &Arc<Shared>) {
    let mut users = Users::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => match users.admit(peer, Instant::now()) {
                Some(place) => {
                    connections.spawn(connection::serve(stream, place, Arc::clone(shared)));
                }
                None => {
                    shared.report.refused();
                    drop(stream);
                    sleep(REFUSED).await;
                }
            },
            Err(error) => {
                tracing::warn!(%error, "a browser's connection was not accepted");
                sleep(SHORT).await;
            }
        }
    }
}
