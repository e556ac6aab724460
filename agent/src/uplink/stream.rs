//! One stream: carries a [`Session`]'s messages over a connection, and its actions to the spool.
//!
//! Spool calls block on the disk, so they run on a blocking thread. The queue towards the connection is
//! short and filled only when it has room, so a collector that does not read leaves the rest in the
//! spool. A row is passed over only when the key of its epoch is gone, and then with all of that epoch;
//! so of what is settled up to a sequence, everything that still waits was sent on this stream. Nothing
//! wakes this task but a message, an append, a change of coverage or a timer of minutes.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redshank_proto::clock::Clock;
use redshank_proto::id::{Epoch, Generation, Lane, RunId};
use redshank_proto::v1::ingest_service_client::IngestServiceClient;
use redshank_proto::v1::policy_service_client::PolicyServiceClient;
use redshank_proto::v1::report_request::Message;
use redshank_proto::{bounds, time, v1};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;

use super::Reach;
use super::outcome::Ending;
use super::session::{Action, Offered, Session, Want, request};
use super::transport::Transport;
use crate::health::Monitor;
use crate::policy::PolicyStore;
use crate::spool::{RowId, Spool, SpoolError, Waiting};
use crate::state::{Runs, SchoolDir, StateDir};

/// Messages between us and the connection: an epoch's key, its batch, and one to follow.
const OUTGOING: usize = 3;
/// Messages that wait for that queue; past it, health is left out until there is room.
const OUTBOX: usize = 16;
/// An acknowledgement with 256 rejections in 256 epochs takes 15 KiB.
const INBOUND_BYTES: usize = 64 * 1024;
/// A signed policy with its key's id, signature and framing.
const POLICY_ANSWER_BYTES: usize = bounds::POLICY_BYTES + 1024;
/// A collector that takes a connection welcomes at once.
const WELCOME_WITHIN: Duration = Duration::from_secs(30);
/// 4 MiB over a school's line.
const POLICY_WITHIN: Duration = Duration::from_secs(120);
/// How often health goes up unasked.
const HEALTH_EVERY: Duration = Duration::from_secs(300);
/// Browsers that come and go must not become a stream of health.
const HEALTH_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// What every stream of this run needs.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) state: StateDir,
    pub(super) runs: Runs,
    pub(super) device: v1::DeviceDescription,
    pub(super) school: SchoolDir,
    pub(super) spool: Arc<Spool>,
    pub(super) policy: Arc<PolicyStore>,
    pub(super) monitor: Monitor,
    pub(super) reach: watch::Sender<Reach>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Desk {
    /// Reports on one stream until it ends; gives how, and how long it was open.
    pub(super) async fn report<T>(&self, transport: T, renewal: Timestamp) -> (Ending, Duration)
    where
        T: Transport + Clone + Send + 'static,
        T::Future: Send,
    {
        let mut opened = None;
        let ending = match self.converse(transport, renewal, &mut opened).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        };
        (ending, opened.map_or(Duration::ZERO, |at: Instant| at.elapsed()))
    }

    async fn converse<T>(
        &self,
        transport: T,
        renewal: Timestamp,
        opened: &mut Option<Instant>,
    ) -> Result<std::convert::Infallible, Ending>
    where
        T: Transport + Clone + Send + 'static,
        T::Future: Send,
    {
        let begun = Instant::now();
        let mut appended = self.spool.changed();
        let mut coverage = self.monitor.changed();
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        let mut talk = Talk {
            desk: self,
            session: Session::new(self.policy.serial()),
            outbox: VecDeque::from([request(Message::Hello(self.hello()))]),
            after: BTreeMap::new(),
        };
        let mut client = IngestServiceClient::new(transport.clone())
            .max_decoding_message_size(INBOUND_BYTES)
            .max_encoding_message_size(bounds::MESSAGE_BYTES);
        // The collector may want to see the Hello before it answers at all.
        if let Some(hello) = talk.outbox.pop_front() {
            let _ = outgoing.try_send(hello);
        }
        let answer = timeout(WELCOME_WITHIN, client.report(ReceiverStream::new(queue)));
        let mut inbound = answer.await.map_err(|_| Ending::Silent)??.into_inner();
        let mut next_health = None;
        let mut fetching: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
        let mut may_send = true;
        loop {
            let now = begun.elapsed();
            let open = talk.session.is_open();
            let something = !talk.outbox.is_empty() || talk.session.wants(now).is_some();
            tokio::select! {
                message = inbound.message() => {
                    let message = message?.ok_or(Ending::Closed)?;
                    let fetch = talk.take(message, begun.elapsed()).await?;
                    if fetch {
                        fetching = Some(Box::pin(self.clone_for_fetch().run(transport.clone())));
                    }
                    if !open && talk.session.is_open() {
                        let at = Instant::now();
                        *opened = Some(at);
                        next_health = Some(at);
                        self.reached(true);
                    } else if open {
                        self.reached(false);
                    }
                }
                room = outgoing.reserve(), if something && may_send => match room {
                    Ok(room) => {
                        if let Some(message) = talk.next(begun.elapsed()).await? {
                            room.send(message);
                        }
                    }
                    // The connection is gone; the inbound half says why.
                    Err(_) => may_send = false,
                },
                changed = appended.changed() => if changed.is_ok() {
                    talk.session.appended();
                },
                changed = coverage.changed() => if changed.is_ok() && open {
                    next_health = next_health.map(|at: Instant| {
                        at.min(Instant::now() + HEALTH_AT_MOST_EVERY)
                    });
                },
                () = at(next_health) => {
                    next_health = Some(Instant::now() + HEALTH_EVERY);
                    if self.clock.now() >= renewal {
                        return Err(Ending::RenewalDue);
                    }
                    let health = self.health().await?;
                    talk.post(Message::Health(health));
                }
                () = done(&mut fetching) => {
                    fetching = None;
                    let actions = talk.session.policy_fetched(self.policy.serial());
                    if actions.contains(&Action::FetchPolicy) {
                        fetching = Some(Box::pin(self.clone_for_fetch().run(transport.clone())));
                    }
                }
                () = at(talk.session.pause_ends(now).map(|end| begun + end)) => {}
                () = sleep_until(begun + WELCOME_WITHIN), if !open => return Err(Ending::Silent),
            }
        }
    }

    fn hello(&self) -> v1::Hello {
        let generation = self.school.generation().ok().flatten();
        v1::Hello {
            run: self.runs.run.to_vec(),
            previous_run: self.runs.previous.map(RunId::to_vec).unwrap_or_default(),
            runs_since: self.runs.since.iter().map(|run| run.to_vec()).collect(),
            log_generation: generation.map(Generation::to_vec).unwrap_or_default(),
            policy_serial: self.policy.serial(),
            device: Some(self.device.clone()),
            device_time: Some(time::to_wire(self.clock.now())),
        }
    }

    async fn health(&self) -> Result<v1::Health, Ending> {
        let monitor = self.monitor.clone();
        on_disk(move || monitor.health()).await
    }

    fn reached(&self, welcome: bool) {
        let now = self.clock.now();
        // Only a change of state is news: each message would have the status written anew.
        self.reach.send_if_modified(|reach| {
            reach.last_contact = Some(now);
            reach.connected |= welcome;
            welcome
        });
    }

    fn clone_for_fetch(&self) -> Fetch {
        Fetch { policy: self.policy.clone() }
    }
}

/// A session with what it needs to act.
struct Talk<'a> {
    desk: &'a Desk,
    session: Session,
    /// Made, not yet in the queue.
    outbox: VecDeque<v1::ReportRequest>,
    /// The last row sent of each lane.
    after: BTreeMap<Lane, RowId>,
}

impl Talk<'_> {
    /// Acts on a message; says whether a policy is to be fetched.
    async fn take(&mut self, message: v1::ReportResponse, now: Duration) -> Result<bool, Ending> {
        let mut fetch = false;
        for action in self.session.received(message, now)? {
            let spool = self.desk.spool.clone();
            match action {
                Action::Meet(generation) => {
                    let school = self.desk.school.clone();
                    let (state, runs) = (self.desk.state.clone(), self.desk.runs.clone());
                    let again = on_disk(move || {
                        if let Err(error) = state.welcomed(&runs) {
                            tracing::warn!(%error, "the welcome is not stored");
                        }
                        if let Err(error) = school.set_generation(generation) {
                            tracing::warn!(%error, "the log generation is not stored");
                        }
                        spool.meet(generation)
                    });
                    let again = again.await?;
                    if again > 0 {
                        tracing::info!(
                            events = again,
                            "the collector's log is another: sent again"
                        );
                    }
                }
                Action::Settle(settled) => {
                    if !settled.rejected.is_empty() {
                        let events = settled.rejected.len();
                        tracing::warn!(
                            events,
                            "the collector refuses events; kept as dead letters"
                        );
                    }
                    on_disk(move || {
                        spool.settle(
                            settled.generation,
                            settled.epoch,
                            settled.lane,
                            settled.settled_through,
                            &settled.rejected,
                        )
                    })
                    .await?;
                }
                Action::FetchPolicy => fetch = true,
                Action::Check(id) => {
                    let health = Some(self.desk.health().await?);
                    let result = v1::CheckResult { check_id: id.to_vec(), health };
                    self.post(Message::CheckResult(result));
                }
            }
        }
        Ok(fetch)
    }

    /// The next message to go out, from the spool if none is ready.
    async fn next(&mut self, now: Duration) -> Result<Option<v1::ReportRequest>, Ending> {
        if self.outbox.is_empty()
            && let Some(want) = self.session.wants(now)
        {
            self.read(want).await?;
        }
        Ok(self.outbox.pop_front())
    }

    async fn read(&mut self, want: Want) -> Result<(), Ending> {
        let spool = self.desk.spool.clone();
        let after = self.after.get(&want.lane).copied();
        let rows =
            on_disk(move || spool.waiting(want.lane, after, want.max_events, want.max_bytes))
                .await?;
        let last = rows.last().map(|row| row.row);
        let (mut places, mut offered): (Vec<RowId>, Vec<Offered>) =
            rows.into_iter().map(offered).unzip();
        let unannounced = self.session.unannounced(&offered);
        let spool = self.desk.spool.clone();
        let keys = on_disk(move || {
            let keys = unannounced.into_iter().map(|epoch| Ok((epoch, spool.epoch_key(epoch)?)));
            keys.collect::<Result<BTreeMap<Epoch, Option<v1::EpochKey>>, SpoolError>>()
        })
        .await?;
        // Rows were evicted since they were read, and their epoch with them. They alone are left out:
        // to pass over a row of an epoch that is sent would have it settled with what follows it.
        let keyless = |epoch: Epoch| keys.get(&epoch).is_some_and(Option::is_none);
        (places, offered) = std::iter::zip(places, offered)
            .filter(|(_, event)| !keyless(event.position.epoch))
            .unzip();
        if offered.is_empty()
            && let Some(last) = last
        {
            self.after.insert(want.lane, last);
            return Ok(());
        }
        let keys = keys.into_iter().filter_map(|(epoch, key)| Some((epoch, key?))).collect();
        let outgoing = self.session.send(want, offered, keys);
        if let Some(row) = outgoing.taken.checked_sub(1).and_then(|last| places.get(last)) {
            self.after.insert(want.lane, *row);
        }
        self.outbox.extend(outgoing.messages);
        Ok(())
    }

    fn post(&mut self, message: Message) {
        if self.outbox.len() < OUTBOX {
            self.outbox.push_back(request(message));
        }
    }
}

/// Fetches the policy in force, and hands it to the store, which believes it or not.
struct Fetch {
    policy: Arc<PolicyStore>,
}

impl Fetch {
    async fn run<T: Transport>(self, transport: T) {
        let mut client =
            PolicyServiceClient::new(transport).max_decoding_message_size(POLICY_ANSWER_BYTES);
        let answer = timeout(POLICY_WITHIN, client.get_policy(v1::GetPolicyRequest {})).await;
        let signed = match answer {
            Err(_) => return tracing::warn!("the collector offers a policy and does not give it"),
            Ok(Err(status)) => {
                let code = status.code();
                return tracing::warn!(?code, "the collector offers a policy and does not give it");
            }
            Ok(Ok(answer)) => answer.into_inner().policy.unwrap_or_default(),
        };
        let policy = self.policy;
        let accepted = tokio::task::spawn_blocking(move || policy.accept(&signed).map(|_| ()));
        match accepted.await {
            Ok(Ok(())) => tracing::info!("a newer policy is in force"),
            Ok(Err(error)) => tracing::error!(%error, "the policy that was offered is refused"),
            Err(error) => tracing::error!(%error, "the policy could not be taken"),
        }
    }
}

fn offered(row: Waiting) -> (RowId, Offered) {
    (row.row, Offered { position: row.position, sealed_payload: row.sealed_payload })
}

/// Runs a spool call on a blocking thread.
async fn on_disk<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, Ending> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Ending::Setup(error.to_string())),
    }
}

/// Waits for a moment; for ever if there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits for a future; for ever if there is none.
async fn done(future: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
