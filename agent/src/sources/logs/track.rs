//! The loop of one log: waits for a change, has it read, and hands the batches on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::coverage::Met;
use super::formats::Format;
use super::observe::Observer;
use super::place::Place;
use super::work::{Next, Portion, Shared, Work};
use super::{LogSettings, POLL, tell};
use crate::observation::Batch;
use crate::policy::PolicyInForce;
use crate::sources::{Coverage, State};

/// How long a query waits for what the name server writes of it right after.
const MOMENT: Duration = Duration::from_millis(20);
/// Moments after which it does not wait longer.
const MOMENTS: u32 = 2;
/// When a file is looked at again that is not ready.
const SHORTLY: Duration = Duration::from_millis(200);

/// One log that is followed.
pub(super) struct Track {
    /// Names it in checkpoints.
    pub(super) input: String,
    /// Names it in coverage.
    pub(super) label: String,
    pub(super) settings: LogSettings,
    pub(super) format: Arc<Format>,
    pub(super) observer: Arc<Observer>,
    pub(super) place: Option<Place>,
    pub(super) poll: Option<Duration>,
    pub(super) changed: Arc<Notify>,
}

/// What a track speaks to.
#[derive(Clone)]
pub(super) struct Links {
    pub(super) out: mpsc::Sender<Batch>,
    pub(super) coverage: watch::Sender<Vec<Coverage>>,
    pub(super) policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    pub(super) watched: watch::Receiver<bool>,
    pub(super) shutdown: CancellationToken,
    pub(super) shared: Shared,
}

impl Track {
    /// Follows the log until it is told to stop, or until nobody receives.
    pub(super) async fn run(mut self, links: Links) {
        let mut work = Some(self.begin(&links));
        loop {
            let mut again = None;
            while let Some(reading) = work.take() {
                let Some((portion, reading)) = self.read(reading, &links).await else {
                    // It panicked: from the kept place again, but not at once.
                    self.say(&links, State::Blind(self.failure(&links)));
                    work = Some(self.begin(&links));
                    break;
                };
                work = Some(reading);
                if let Some(batch) = portion.batch
                    && !self.send(batch, &links).await
                {
                    return;
                }
                if portion.next != Next::AtOnce {
                    again = (portion.next == Next::Shortly).then_some(SHORTLY);
                    if let Some(work) = &mut work {
                        work.met.late = !*links.watched.borrow();
                        let policy = links.policy.borrow().clone();
                        let hours = policy.as_ref().and_then(|policy| policy.school_hours());
                        let state = work.met.state(links.shared.clock.now(), hours);
                        self.say(&links, state);
                    }
                    break;
                }
            }
            let wake = Instant::now() + again.unwrap_or_else(|| self.poll.unwrap_or(POLL));
            tokio::select! {
                () = links.shutdown.cancelled() => return,
                () = links.out.closed() => return,
                () = self.changed.notified() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    fn begin(&self, links: &Links) -> Work {
        let (format, observer) = (Arc::clone(&self.format), Arc::clone(&self.observer));
        let place = self.place.clone();
        Work::new(self.input.clone(), &self.settings, format, observer, &links.shared, place)
    }

    /// One portion, once no answer is being waited for; `None` if the reading panicked.
    async fn read(&self, mut work: Work, links: &Links) -> Option<(Portion, Work)> {
        let mut moments = 0;
        loop {
            let read = spawn_blocking(move || {
                let portion = work.portion(moments >= MOMENTS);
                (portion, work)
            });
            let (portion, again) = read.await.ok()?;
            if portion.next != Next::InAMoment {
                return Some((portion, again));
            }
            work = again;
            moments += 1;
            let waited = links.shutdown.run_until_cancelled(tokio::time::sleep(MOMENT)).await;
            if waited.is_none() {
                moments = MOMENTS;
            }
        }
    }

    async fn send(&mut self, batch: Batch, links: &Links) -> bool {
        let place = batch.checkpoints.first().and_then(|kept| Place::decode(&kept.place));
        tokio::select! {
            sent = links.out.send(batch) => {
                self.place = place.or_else(|| self.place.take());
                sent.is_ok()
            }
            () = links.shutdown.cancelled() => false,
        }
    }

    fn failure(&self, links: &Links) -> String {
        let mut met = Met::new(self.format.source(), links.shared.clock.now());
        met.failed = true;
        match met.state(links.shared.clock.now(), None) {
            State::Blind(why) | State::Degraded(why) => why,
            State::Ok => String::new(),
        }
    }

    fn say(&self, links: &Links, state: State) {
        let (source, input) = (self.format.source(), self.label.clone());
        tell(&links.coverage, Coverage { source, input, state });
    }
}
