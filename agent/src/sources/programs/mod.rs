//! The programs source: which programs run, by whom, each told once a day.
//!
//! ```text
//! table ──► who ──► seen ──► publisher ──► Batch
//! process   the     first     what the      with the
//! table     account today?    system says   checkpoint
//! ```
//!
//! # What always holds
//! - **Name, path, account, publisher, and nothing else.** No command line, no environment, no working
//!   folder, no open file and no window is asked for: command lines hold passwords, names and addresses.
//! - **Every program is told, listed or not**: lists are policy, and behind the source ([`crate::policy`]).
//!   What is on none ends in the judge and is stored nowhere.
//! - **Once for each account, program and day** (UTC), across restarts ([`seen`]).
//! - **What an account of the system runs is evidence of the device alone.** Daemons are told like anything
//!   else (Tor runs as `debian-tor`, OpenVPN as root), but nobody is named: a pupil who starts Tor by `sudo`
//!   is not told apart from a package that starts it at boot.
//!
//! # Pace and cost
//! Every [`PACE`] the new processes are looked at, and all of them every [`ALL_EVERY`], for one that became
//! another program after its first seconds. On Linux a look at nothing new costs a listing of `/proc`,
//! 0.15 ms where 334 processes run; a look at all of them 10 ms. Together that is 0.03 % of a core. A program
//! that starts and ends between two looks is not seen.
//!
//! # What falls short, honestly
//! - A script is its interpreter: what `python3` or `java` runs stands in the command line, which is not read.
//! - A renamed program is found by its path or publisher, if policy names one. On Linux the system tells no
//!   publisher, but for a Flatpak's id; on Windows and macOS it is what the file says of itself, and not
//!   whether its signature holds.
//! - VPNs and proxies that are browser extensions run inside the browser; so does Brave's Tor.
//! - Within a virtual machine, WSL 2 included, nothing is seen but the machine's own program. A container's
//!   programs are seen on Linux, with their path within it, and as nobody's where its accounts are its own.
//! - What a rootkit or an administrator hides from the process table is hidden from this.

pub(in crate::sources) mod accounts;
mod publisher;
mod seen;
mod table;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::seen::Seen;
use self::table::{Look, Running, Sight, Table};
use super::history::Platform;
use crate::observation::{Batch, Checkpoint, Content, Evidence, Observation, Program, Source};
use crate::sources::{Coverage, State, publish};

/// How often new processes are looked for: often enough for what runs for a few seconds, and the agent
/// wakes no more than once a second.
pub const PACE: Duration = if cfg!(target_os = "linux") {
    Duration::from_secs(2)
} else {
    // There every look is at all processes, if by one call of the system.
    Duration::from_secs(5)
};
/// How often every process is looked at again.
const ALL_EVERY: Duration = Duration::from_secs(60);
/// Programs that are told of one look; the others wait for the next look at all. A start of a desktop has
/// some two hundred.
const MOST_TOLD: usize = 512;
/// The name of the input, in coverage and of the checkpoint.
const INPUT: &str = "programs";

/// What the source needs to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose rules for accounts to use: [`Platform::CURRENT`] but in tests.
    pub platform: Platform,
    /// The root of the file system, for the accounts' homes.
    pub root: PathBuf,
    /// How often to look; [`PACE`] if absent.
    pub pace: Option<Duration>,
}

/// Follows the process table.
#[derive(Debug)]
pub struct ProgramSource {
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl ProgramSource {
    /// Makes the source; nothing is looked at before [`run`](Self::run).
    #[must_use]
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    /// Follows the process table until `shutdown`, or until nobody receives from `out` any more.
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
        let seen = checkpoints.get(INPUT).and_then(|place| Seen::decode(place)).unwrap_or_default();
        drop(checkpoints);
        let pace = self.settings.pace.unwrap_or(PACE);
        let table = Table::new(self.settings.platform, self.settings.root);
        let follower = Follower { table: Some(table), seen, clock: self.clock, out, coverage };
        shutdown.run_until_cancelled(follower.run(pace)).await;
    }
}

struct Follower {
    /// Elsewhere while a look is under way.
    table: Option<Table>,
    seen: Seen,
    clock: Arc<dyn Clock>,
    out: mpsc::Sender<Batch>,
    coverage: watch::Sender<Vec<Coverage>>,
}

impl Follower {
    async fn run(mut self, pace: Duration) {
        let mut all_at = Instant::now();
        loop {
            let next = Instant::now() + pace;
            let all = Instant::now() >= all_at;
            if all {
                all_at = Instant::now() + ALL_EVERY;
            }
            let Some(look) = self.look(all).await else { return };
            if let Some(sight) = look.sight {
                self.cover(state(sight));
            }
            if self.tell(look.running).await.is_none() {
                return;
            }
            sleep_until(next).await;
        }
    }

    /// Looks at the table, off the runtime's thread; `None` at the runtime's end.
    async fn look(&mut self, all: bool) -> Option<Look> {
        let mut table = self.table.take()?;
        let (table, look) = spawn_blocking(move || {
            let look = table.look(all);
            (table, look)
        })
        .await
        .ok()?;
        self.table = Some(table);
        Some(look)
    }

    /// Sends what is new; `None` if nobody receives.
    async fn tell(&mut self, running: Vec<Running>) -> Option<()> {
        let now = self.clock.now();
        let day = now.as_second().div_euclid(86_400);
        let mut new = Vec::new();
        for process in running {
            if new.len() == MOST_TOLD {
                break;
            }
            if self.seen.meet(&process.account, &process.path, &process.name, day) {
                new.push(process);
            }
        }
        if new.is_empty() {
            return Some(());
        }
        let observations = spawn_blocking(move || {
            new.into_iter().map(|process| observation(process, now)).collect::<Vec<_>>()
        })
        .await
        .ok()?;
        let place = Checkpoint { input: INPUT.to_owned(), place: self.seen.encode() };
        let batch = Batch { observations, checkpoints: vec![place], ..Batch::default() };
        self.out.send(batch).await.ok()
    }

    fn cover(&self, state: State) {
        let now = vec![Coverage { source: Source::Programs, input: INPUT.to_owned(), state }];
        publish(&self.coverage, now);
    }
}

fn observation(process: Running, now: Timestamp) -> Observation {
    let publisher = publisher::of(&process);
    Observation {
        source: Source::Programs,
        occurred_at: now,
        evidence: process.account.map(Evidence::OsUser).into_iter().collect(),
        content: Content::Program(Program { name: process.name, path: process.path, publisher }),
    }
}

/// The coverage that a look at all processes comes to.
fn state(sight: Sight) -> State {
    match sight {
        Sight::Nothing => State::Blind("the system does not list its processes".to_owned()),
        Sight::Own => State::Blind(
            "the system shows the agent its own processes only (/proc is mounted with hidepid)"
                .to_owned(),
        ),
        Sight::All { unreadable: 0 } => State::Ok,
        // In powers of two: as processes come and go, health is not to change with each.
        Sight::All { unreadable } => State::Degraded(format!(
            "it cannot look into up to {} programs: their files are not shown to the agent",
            unreadable.next_power_of_two()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_comes_to_is_said_without_flapping() {
        assert_eq!(state(Sight::All { unreadable: 0 }), State::Ok);
        assert_eq!(
            state(Sight::All { unreadable: 5 }),
            state(Sight::All { unreadable: 8 }),
            "three more make no difference"
        );
        assert!(matches!(state(Sight::Own), State::Blind(reason) if reason.contains("hidepid")));
        assert!(matches!(state(Sight::Nothing), State::Blind(_)));
    }
}
