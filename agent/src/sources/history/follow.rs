//! The loop that ties the parts together: waits for a change, and has each changed profile read.
//!
//! Everything that touches a disk runs on the blocking pool, one thing at a time: following a hundred
//! profiles takes one thread and the room of one copy. A profile whose reading took long rests three
//! times as long, up to [`LONGEST_REST`], so that a pupil whose browser writes without pause costs the
//! machine a quarter of one processor, but for a history that takes seconds to read. Only the work
//! itself counts, not the wait for a channel that is full: a stall behind it would be tripled here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch as watch_channel};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::absent::Absent;
use super::copy::{Copies, CopyError, Stamps, Taken};
use super::cursor::Place;
use super::folder::{Folder, Refusal};
use super::profiles::{self, Found, Profile};
use super::reader::{ReadError, Reader};
use super::reading::{Portion, Reading, Scope};
use super::{HistoryError, Settings};
use crate::observation::{Batch, Source};
use crate::sources::watch::{Changes, Watch};
use crate::sources::{Coverage, State, publish};

/// How often everything is looked at without a notification.
pub(super) const POLL: Duration = Duration::from_secs(30);
/// The same where some folder cannot be watched.
const POLL_UNWATCHED: Duration = Duration::from_secs(5);
/// Searches for profiles are at least this far apart.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);
/// When a profile is looked at again whose copy was not settled or could not be read.
const AGAIN: Duration = Duration::from_millis(500);
/// Failed looks in a row before a profile counts as not seen: one may have met the middle of a write.
const PATIENCE: u32 = 4;
/// How much longer a profile rests than its reading took.
const REST: u32 = 3;
/// The longest rest: no reading, however slow, is to make the next visits later than this.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// One profile that is followed.
#[derive(Debug)]
struct Track {
    profile: Profile,
    place: Place,
    /// The database as it was last read; `None` to read it in any case.
    stamps: Option<Box<Stamps>>,
    /// `None` until the first look has come to something.
    state: Option<State>,
    /// How long the look under way has kept a thread busy.
    worked: Duration,
    /// Not to be looked at before.
    rests_until: Instant,
    /// To be looked at, if not before then.
    due: Option<Instant>,
    failures: u32,
}

/// What one look at a profile came to.
enum Look {
    /// All that there is has been read, with what the stamps say.
    Read(Option<Box<Stamps>>),
    /// Nothing has changed.
    Unchanged,
    /// The browser was writing.
    Unsettled,
    NotCopied(CopyError),
    NotRead(ReadError, Option<Box<Stamps>>),
    /// Nobody receives any more, or it is time to stop.
    Stopped,
}

pub(super) struct Follower {
    settings: Settings,
    clock: Arc<dyn Clock>,
    copies: Arc<Copies>,
    watch: Watch,
    tracks: BTreeMap<String, Track>,
    /// Places of profiles that are not there, or not yet.
    absent: Absent,
    /// Coverage of what is no profile.
    aside: Vec<Coverage>,
}

impl Follower {
    pub(super) fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        checkpoints: &HashMap<String, Vec<u8>>,
    ) -> Result<Self, HistoryError> {
        let copies = Copies::prepare(&settings.copies)
            .map_err(|cause| HistoryError::Copies { folder: settings.copies.clone(), cause })?;
        let places = checkpoints
            .iter()
            .filter_map(|(input, place)| Some((input.clone(), Place::decode(place)?)));
        let absent = Absent::kept(places);
        Ok(Self {
            settings,
            clock,
            copies: Arc::new(copies),
            watch: super::watch::new(),
            tracks: BTreeMap::new(),
            absent,
            aside: Vec::new(),
        })
    }

    pub(super) async fn run(
        mut self,
        out: &mpsc::Sender<Batch>,
        coverage: &watch_channel::Sender<Vec<Coverage>>,
        shutdown: &CancellationToken,
    ) {
        let mut next_search = Instant::now();
        let mut search_wanted = true;
        let mut next_poll = Instant::now();
        loop {
            let now = Instant::now();
            let poll = now >= next_poll;
            if poll {
                let pace = self.settings.poll.unwrap_or(POLL);
                next_poll = now + if self.watch.complete { pace } else { pace.min(POLL_UNWATCHED) };
            }
            if (poll || search_wanted) && now >= next_search {
                self.search().await;
                search_wanted = false;
                next_search = Instant::now() + SEARCH_PAUSE;
            }
            let changes = self.watch.take();
            let unknown = self.mark_due(&changes, poll);
            search_wanted |= changes.tree || unknown;
            if self.look_at_due(out, shutdown).await.is_break() {
                return;
            }
            self.publish(coverage);

            let due = self.tracks.values().filter_map(Track::wakes_at).min();
            let search = search_wanted.then_some(next_search);
            let wake = [Some(next_poll), due, search].into_iter().flatten().min();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = out.closed() => return,
                () = self.watch.changed() => {}
                () = sleep_until(wake.unwrap_or(next_poll)) => {}
            }
        }
    }

    /// Looks for profiles, and brings tracks and watch up to what was found.
    async fn search(&mut self) {
        let settings = self.settings.clone();
        let mut watch = std::mem::replace(&mut self.watch, Watch::idle());
        let searched = spawn_blocking(move || {
            let find =
                || profiles::find(settings.platform, &settings.root, &settings.extra_profiles);
            let mut found = find();
            if watch.set(&found.watched) {
                // What appeared in a folder just before it was watched was no event.
                found = find();
                watch.set(&found.watched);
            }
            (found, watch)
        });
        // A search that panicked takes the watch with it: a new one is set by the next search.
        let (found, watch) =
            searched.await.unwrap_or_else(|_| (Found::default(), super::watch::new()));
        self.watch = watch;
        self.aside = aside(&found, self.watch.complete);
        let mut gone = std::mem::take(&mut self.tracks);
        for profile in found.profiles {
            let input = profile.input();
            let track = match gone.remove(&input) {
                Some(track) if track.profile == profile => track,
                // The same file by other words, of another owner for instance: it has been read so far.
                Some(track) => Track::new(profile, track.place),
                None => Track::new(profile, self.absent.take(&input).unwrap_or_default()),
            };
            self.tracks.insert(input, track);
        }
        for (input, track) in gone {
            self.absent.keep(input, track.profile.account, track.place);
        }
    }

    /// Makes changed profiles due; tells whether a history changed of which nothing is known yet.
    fn mark_due(&mut self, changes: &Changes, poll: bool) -> bool {
        let now = Instant::now();
        let mut known = BTreeSet::new();
        for track in self.tracks.values_mut() {
            let folder = track.profile.folder();
            if poll || changes.all || changes.folders.contains(&folder) {
                track.due = Some(now);
            }
            known.insert(folder);
        }
        !changes.folders.is_subset(&known)
    }

    async fn look_at_due(
        &mut self,
        out: &mpsc::Sender<Batch>,
        shutdown: &CancellationToken,
    ) -> std::ops::ControlFlow<()> {
        for track in self.tracks.values_mut() {
            if track.wakes_at().is_none_or(|at| at > Instant::now()) {
                continue;
            }
            track.due = None;
            let asked = self.clock.now();
            let scope = Scope { enrolled_at: self.settings.enrolled_at, now: asked };
            let look = track.look(&self.copies, &self.clock, scope, out, shutdown).await;
            if matches!(look, Look::Stopped) {
                return std::ops::ControlFlow::Break(());
            }
            track.conclude(&look, asked);
            track.rests_until = Instant::now() + rest_after(std::mem::take(&mut track.worked));
        }
        std::ops::ControlFlow::Continue(())
    }

    fn publish(&self, coverage: &watch_channel::Sender<Vec<Coverage>>) {
        let of_profiles = self.tracks.values().filter_map(|track| {
            let input = track.profile.label();
            Some(Coverage { source: Source::BrowserHistory, input, state: track.state.clone()? })
        });
        let mut all: Vec<_> = of_profiles.chain(self.aside.iter().cloned()).collect();
        all.sort_by(|one, other| one.input.cmp(&other.input));
        publish(coverage, all);
    }
}

impl Track {
    fn new(profile: Profile, place: Place) -> Self {
        let now = Instant::now();
        Self {
            profile,
            place,
            stamps: None,
            state: None,
            worked: Duration::ZERO,
            rests_until: now,
            due: Some(now),
            failures: 0,
        }
    }

    fn wakes_at(&self) -> Option<Instant> {
        self.due.map(|due| due.max(self.rests_until))
    }

    /// Copies and reads the profile's database, if it has changed.
    async fn look(
        &mut self,
        copies: &Arc<Copies>,
        clock: &Arc<dyn Clock>,
        scope: Scope,
        out: &mpsc::Sender<Batch>,
        shutdown: &CancellationToken,
    ) -> Look {
        let (copies, clock) = (Arc::clone(copies), Arc::clone(clock));
        let (profile, last, place) =
            (self.profile.clone(), self.stamps.clone(), self.place.clone());
        let opened = timed(&mut self.worked, move || {
            open(&copies, clock.as_ref(), profile, last.as_deref(), place, scope)
        });
        let mut opened = match opened.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(look)) => return look,
            Err(_) => return Look::NotRead(ReadError::Damaged, None),
        };
        let stamps = opened.stamps.clone();
        let look = loop {
            let read = timed(&mut self.worked, move || {
                let portion = opened.reading.next();
                (opened, portion)
            });
            let Ok((again, portion)) = read.await else {
                return Look::NotRead(ReadError::Damaged, stamps);
            };
            opened = again;
            match portion {
                Ok(Some(Portion { batch, place })) => {
                    if !batch.checkpoints.is_empty() {
                        tokio::select! {
                            sent = out.send(batch) => if sent.is_err() { break Look::Stopped },
                            () = shutdown.cancelled() => break Look::Stopped,
                        }
                    }
                    self.place = place;
                }
                Ok(None) => break Look::Read(stamps),
                Err(error) => break Look::NotRead(error, stamps),
            }
        };
        // Away from this thread. What could not be removed, the next start removes.
        let _ = timed(&mut self.worked, move || drop(opened)).await;
        look
    }

    /// Draws the conclusions from a look.
    fn conclude(&mut self, look: &Look, asked: Timestamp) {
        let (reason, stamps) = match look {
            Look::Read(stamps) => {
                self.stamps.clone_from(stamps);
                self.seen();
                return;
            }
            Look::Unchanged => {
                // A database in a bad state that has not changed is in that state still.
                if self.failures == 0 {
                    self.place.complete(asked.as_microsecond());
                }
                return;
            }
            // It was deleted: the next search finds that the profile is gone, or has a new database.
            Look::Stopped | Look::NotCopied(CopyError::Refused(Refusal::Missing)) => return,
            Look::Unsettled => {
                self.failures = self.failures.saturating_add(1);
                self.due = Some(Instant::now() + AGAIN);
                if self.failures >= PATIENCE {
                    let reason = "its history is being written without pause, and is read late";
                    self.state = Some(State::Degraded(reason.to_owned()));
                }
                return;
            }
            Look::NotCopied(error) => (error.to_string(), None),
            Look::NotRead(error, stamps) => (error.to_string(), stamps.clone()),
        };
        self.failures = self.failures.saturating_add(1);
        let passing =
            matches!(look, Look::NotRead(ReadError::Damaged | ReadError::NotADatabase, _));
        if passing && self.failures < PATIENCE {
            self.due = Some(Instant::now() + AGAIN);
            return;
        }
        self.stamps = stamps;
        self.state = Some(State::Blind(format!("its history file cannot be read: {reason}")));
    }

    fn seen(&mut self) {
        self.failures = 0;
        self.state = Some(State::Ok);
    }
}

/// Does `work` on the blocking pool, and adds the time that it took there to `spent`.
async fn timed<T: Send + 'static>(
    spent: &mut Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    let (done, took) = spawn_blocking(move || {
        let begun = Instant::now();
        let done = work();
        (done, begun.elapsed())
    })
    .await?;
    *spent = spent.saturating_add(took);
    Ok(done)
}

fn rest_after(worked: Duration) -> Duration {
    worked.saturating_mul(REST).min(LONGEST_REST)
}

/// A copy that is ready to be read. Dropped in this order: Windows removes no file that is open.
struct Opened {
    reading: Reading,
    _copy: super::copy::Copy,
    stamps: Option<Box<Stamps>>,
}

/// Copies and opens a profile's database. Blocking.
fn open(
    copies: &Copies,
    clock: &dyn Clock,
    profile: Profile,
    last: Option<&Stamps>,
    place: Place,
    scope: Scope,
) -> Result<Opened, Look> {
    let copy_refused = |refusal| Look::NotCopied(CopyError::Refused(refusal));
    let folder = Folder::open(&profile.base, &profile.below).map_err(copy_refused)?;
    let name = profile.family.database();
    let copy = match copies.take(&folder, name, profile.owner, last, clock) {
        Ok(Taken::Copied(copy)) => copy,
        Ok(Taken::Unchanged) => return Err(Look::Unchanged),
        Ok(Taken::Unsettled) => return Err(Look::Unsettled),
        Err(error) => return Err(Look::NotCopied(error)),
    };
    let stamps = copy.stamps.clone();
    let reading = Reader::open(&copy.database())
        .and_then(|reader| Reading::begin(reader, profile, place, scope))
        .map_err(|error| Look::NotRead(error, stamps.clone()))?;
    Ok(Opened { reading, _copy: copy, stamps })
}

/// What a search has to say beside the profiles it found.
fn aside(found: &Found, watched: bool) -> Vec<Coverage> {
    let coverage = |input: &str, state| Coverage {
        source: Source::BrowserHistory,
        input: input.to_owned(),
        state,
    };
    let refused = found.refused.iter().map(|(label, refusal)| {
        coverage(label, State::Blind(format!("its folder is not entered: {refusal}")))
    });
    let cut_short = found.cut_short.then(|| {
        let reason = "there are more accounts or profile folders than are looked at";
        coverage("Browser profiles", State::Degraded(reason.to_owned()))
    });
    let unwatched = (!watched).then(|| {
        let reason =
            "the system watches no more folders for us: changes are seen some seconds late";
        coverage("Browser folders", State::Degraded(reason.to_owned()))
    });
    refused.chain(cut_short).chain(unwatched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_rests_three_times_as_long_as_it_was_read_and_ten_seconds_at_most() {
        for (worked, rest) in
            [(0, 0), (200, 600), (3_000, 9_000), (4_000, 10_000), (u64::MAX, 10_000)]
        {
            let rest = Duration::from_millis(rest);
            assert_eq!(rest_after(Duration::from_millis(worked)), rest, "{worked} ms");
        }
    }
}
