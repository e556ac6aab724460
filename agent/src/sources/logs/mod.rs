//! The source of proxy and DNS logs: what iPads and all else ask for that goes through a host of the school's.
//!
//! ```text
//!  log files ──► follow ──► formats ──► observe ──► Batch
//!  whatever      each        a line's    who was       with its
//!  rotation      line        entry       it: user,     place
//!  makes of      once                    lease,
//!  them                                  address
//!                            leases ───────┘
//!                            address and time to MAC
//! ```
//!
//! # What always holds
//! - **A log is a file on this host**, named in the settings. No port is opened, nothing is sent to the
//!   proxy, and the files are only ever read ([`follow`]).
//! - **Each line is yielded once**, or told as lost: through rotation by rename, by copy and truncation, by
//!   compression, and through restarts of the agent and of the proxy. The place goes out in the batch with
//!   its lines, and the spool commits both together ([`place`]).
//! - **No line is silently dropped.** One that is not understood, too long or cut short is counted, and
//!   told in [`Coverage`] with its offset and the shape of its fields, never its content ([`coverage`]).
//! - **Memory is flat**: two portions of a file, one batch of at most 256 observations or 512 KiB for each log,
//!   and the leases of two days. A full channel holds the reading back.
//! - **Who it was is told as evidence, never decided**: the proxy's user, the device that had the address
//!   at the time of the line, the address ([`observe`], [`leases`]).
//! - What the log says of the time before the enrolment is read past.
//!
//! # Latency
//! A line is in its batch within 100 ms of being written: a change is told by the operating system, settles
//! within [`PACE`], and is read at once. A query to a name server waits some 20 ms more for the lines that say
//! what became of it. A poll every [`POLL`] makes up for a lost event; where a folder cannot be watched,
//! one every [`POLL_UNWATCHED`], and coverage says so.
//!
//! # What falls short, honestly
//! - Squid logs a request when it is over: a video that plays for an hour is seen after it.
//! - Where TLS is not inspected, and in DNS always, only host names are seen; coverage says so.
//! - What the rotation itself destroys, see [`follow`]; whose address it was before the agent first saw
//!   the lease, see [`leases`].

pub mod capture;
mod coverage;
mod follow;
pub mod formats;
pub mod leases;
mod networks;
mod observe;
mod place;
mod track;
mod watching;
mod work;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use redshank_proto::clock::Clock;
use tokio::sync::{Notify, mpsc, watch as watch_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::formats::{Format, FormatError};
use self::leases::{LeaseSettings, Leases};
pub use self::networks::{Network, NoNetwork};
use self::observe::Observer;
use self::place::Place;
use self::track::{Links, Track};
use self::work::Shared;
use crate::observation::Batch;
use crate::policy::PolicyInForce;
use crate::sources::Coverage;
use crate::sources::watch::Pace;

/// When a change has settled: a proxy writes a line at once, a name server two.
const PACE: Pace = Pace { quiet: Duration::from_millis(10), longest: Duration::from_millis(30) };
/// How often everything is looked at without a notification.
const POLL: Duration = Duration::from_secs(30);
/// The same where some folder cannot be watched.
const POLL_UNWATCHED: Duration = Duration::from_secs(2);
/// Logs of one host.
pub const MOST_LOGS: usize = 32;
/// Lease files of one host.
pub const MOST_LEASE_FILES: usize = 16;
/// Bytes of a file's name in coverage.
const LABEL: usize = 96;

/// What the source needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The logs; at most [`MOST_LOGS`].
    pub logs: Vec<LogSettings>,
    /// The lease files; at most [`MOST_LEASE_FILES`].
    pub leases: Vec<LeaseSettings>,
    /// Lines from before this time are left alone: the enrolment's.
    pub since: Timestamp,
    /// How often everything is looked at without a notification; half a minute if absent.
    pub poll: Option<Duration>,
}

/// One log, as set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Where it is; a link that is named here is followed.
    pub path: PathBuf,
    /// The name of its format, as [`Format::parse_name`] knows it.
    pub format: String,
    /// The zone of its times, where they have none.
    pub zone: TimeZone,
    /// Who vouches for its users, where their names do not say: a directory's domain.
    pub authority: Option<String>,
    /// Whose requests are meant; everybody's if it is empty.
    pub clients: Vec<Network>,
}

/// Follows the logs of a host.
#[derive(Debug)]
pub struct LogSource {
    settings: Settings,
    formats: Vec<Arc<Format>>,
    clock: Arc<dyn Clock>,
}

/// Why the source cannot run.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A log has a format that is none.
    #[error("the format of the log {path}: {cause}")]
    Format {
        /// The log.
        path: PathBuf,
        /// What is wrong with it.
        cause: FormatError,
    },
}

impl LogSource {
    /// Makes the source; nothing is touched before [`run`](Self::run).
    ///
    /// # Errors
    /// [`LogError::Format`].
    pub fn new(mut settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, LogError> {
        settings.logs.truncate(MOST_LOGS);
        settings.leases.truncate(MOST_LEASE_FILES);
        let parse = |log: &LogSettings| match Format::parse_name(&log.format) {
            Ok(format) => Ok(Arc::new(format)),
            Err(cause) => Err(LogError::Format { path: log.path.clone(), cause }),
        };
        let formats = settings.logs.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { settings, formats, clock })
    }

    /// Follows all logs until `shutdown`, or until nobody receives from `out` any more.
    ///
    /// `checkpoints` are the places that the spool kept; those of other sources do no harm. `coverage` always
    /// holds the state of every log and lease file. `policy` tells when school is on, and a log
    /// is expected to grow. What cannot be read is told in coverage, and tried again.
    pub async fn run(
        self,
        out: mpsc::Sender<Batch>,
        checkpoints: HashMap<String, Vec<u8>>,
        coverage: watch_channel::Sender<Vec<Coverage>>,
        policy: watch_channel::Receiver<Option<Arc<PolicyInForce>>>,
        shutdown: CancellationToken,
    ) {
        let Self { settings, formats, clock } = self;
        let leases = Arc::new(Mutex::new(Leases::new(settings.leases.clone())));
        let shared = Shared { leases, clock };
        let (watched_out, watched) = watch_channel::channel(true);
        let links = Links { out, coverage, policy, watched, shutdown: shutdown.clone(), shared };
        let mut tasks = JoinSet::new();
        let mut wakes = Vec::new();
        for (log, format) in settings.logs.into_iter().zip(formats) {
            let input = input(&log.path);
            let observer = Observer {
                source: format.source(),
                authority: log.authority.clone(),
                clients: log.clients.clone(),
                since: settings.since,
            };
            let changed = Arc::new(Notify::new());
            wakes.push((log.path.clone(), Arc::clone(&changed)));
            let track = Track {
                place: checkpoints.get(&input).and_then(|place| Place::decode(place)),
                input,
                label: label("", &log.path),
                settings: log,
                format,
                observer: Arc::new(observer),
                poll: settings.poll,
                changed,
            };
            tasks.spawn(track.run(links.clone()));
        }
        let leases: Vec<_> = settings.leases.into_iter().map(|file| file.path).collect();
        let watching =
            watching::Watching { wakes, leases, poll: settings.poll, watched: watched_out };
        tasks.spawn(watching.run(links));
        // The first that ends was told to, or finds that nobody receives; the others find it, too.
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the log source failed");
            }
        }
    }
}

/// Says of one input how well it is seen, if that is news.
fn tell(coverage: &watch_channel::Sender<Vec<Coverage>>, news: Coverage) {
    coverage.send_if_modified(|known| {
        match known.binary_search_by(|known| known.input.cmp(&news.input)) {
            Ok(at) if known[at] == news => return false,
            Ok(at) => known[at] = news,
            Err(at) => known.insert(at, news),
        }
        true
    });
}

/// Names a log in checkpoints: by a digest of its path as it is set.
fn input(path: &Path) -> String {
    format!(
        "log {}",
        HEXLOWER.encode(digest(&SHA256, path.as_os_str().as_encoded_bytes()).as_ref())
    )
}

/// Names a file in coverage: by its name, and what tells it from others of that name.
fn label(prefix: &str, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = &name[..name.floor_char_boundary(LABEL)];
    let hash = digest(&SHA256, path.as_os_str().as_encoded_bytes());
    format!("{prefix}{name} #{}", HEXLOWER.encode(&hash.as_ref()[..4]))
}
