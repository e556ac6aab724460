//! One agent's stream, from its `Hello` to its end.

use std::sync::Arc;
use std::time::Duration;

use redshank_proto::clock::Clock;
use redshank_proto::id::{DeviceId, RunId, SchoolId};
use redshank_proto::v1::report_request::Message as Up;
use redshank_proto::v1::report_response::Message as Down;
use redshank_proto::v1::{ReportRequest, ReportResponse};
use redshank_proto::{bounds, time, v1};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tonic::{Status, Streaming};

use super::admit::{Epochs, Violation, admit, check_description, check_health, epoch_of};
use super::allowance::DeviceAllowance;
use super::{answer, status};
use crate::listen::standing::PolicySerials;
use crate::store::devices::reporting::Connecting;
use crate::store::log::{Announced, Reception};
use crate::store::{Scope, Store};

/// An agent says `Hello` as it connects; who does not is holding a place open.
const HELLO_TIMEOUT: Duration = Duration::from_secs(15);
/// What an agent is asked to pause for when all streams together have too much under way.
const SLOW_DOWN: Duration = Duration::from_secs(2);
/// A device's clock further off than this says nothing but "wrong": ten years.
const LARGEST_SKEW_MICROS: i64 = 10 * 366 * 86_400 * 1_000_000;

type Answers = mpsc::Sender<Result<ReportResponse, Status>>;

/// One agent's stream.
pub(super) struct Session {
    store: Store,
    clock: Arc<dyn Clock>,
    policies: watch::Receiver<PolicySerials>,
    under_way: Arc<Semaphore>,
    school: SchoolId,
    device: DeviceId,
    scope: Scope,
    epochs: Epochs,
    skew_micros: i64,
    /// Serial of the policy that the device has or was offered.
    policy_serial: u64,
    allowance: DeviceAllowance,
}

impl Session {
    pub(super) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        policies: watch::Receiver<PolicySerials>,
        under_way: Arc<Semaphore>,
        allowance: DeviceAllowance,
        (school, device): (SchoolId, DeviceId),
    ) -> Self {
        Self {
            store,
            clock,
            policies,
            under_way,
            school,
            device,
            scope: Scope::device(school, device),
            epochs: Epochs::default(),
            skew_micros: 0,
            policy_serial: 0,
            allowance,
        }
    }

    /// Runs the stream to its end.
    pub(super) async fn run(
        mut self,
        mut messages: Streaming<ReportRequest>,
        answers: &Answers,
    ) -> Result<(), Status> {
        let first = tokio::time::timeout(HELLO_TIMEOUT, messages.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no Hello came"))??;
        match first.and_then(|first| first.message) {
            Some(Up::Hello(hello)) => self.hello(hello, answers).await?,
            Some(_) => return Err(Violation::HelloExpected.into()),
            None => return Err(Violation::Empty.into()),
        }
        loop {
            tokio::select! {
                message = messages.message() => match message? {
                    None => return Ok(()),
                    Some(message) => self.step(message, answers).await?,
                },
                changed = self.policies.changed() => {
                    changed.map_err(|_| Status::unavailable("the collector is stopping"))?;
                    self.offer_policy(answers).await?;
                }
            }
        }
    }

    async fn hello(&mut self, hello: v1::Hello, answers: &Answers) -> Result<(), Status> {
        self.allowance.take_other().await;
        let now = self.clock.now();
        let description = hello.device.unwrap_or_default();
        check_description(&description)?;
        let run = RunId::try_from(hello.run.as_slice()).map_err(|_| Violation::Id)?;
        let previous_run = match hello.previous_run.as_slice() {
            [] => None,
            bytes => Some(RunId::try_from(bytes).map_err(|_| Violation::Id)?),
        };
        self.skew_micros = time::from_wire(hello.device_time.as_ref())
            .map_or(0, |device| device.as_microsecond().saturating_sub(now.as_microsecond()))
            .clamp(-LARGEST_SKEW_MICROS, LARGEST_SKEW_MICROS);
        self.policy_serial = hello.policy_serial;
        if hello.runs_since.len() > bounds::RUNS_SINCE {
            return Err(Violation::Runs.into());
        }
        let runs_since: Result<Vec<_>, _> =
            hello.runs_since.iter().map(|run| RunId::try_from(run.as_slice())).collect();
        let connecting = Connecting {
            run,
            previous_run,
            runs_since: runs_since.map_err(|_| Violation::Id)?,
            skew_micros: self.skew_micros,
            policy_serial: hello.policy_serial,
            description,
        };
        let (school, device) = (self.school, self.device);
        let forked = self
            .store
            .write(&self.scope, move |edit| edit.connect_device(school, device, &connecting))
            .await
            .map_err(|error| status(&error))?;
        tracing::info!(%device, forked, skew_micros = self.skew_micros, "a device connected");
        let welcome = v1::Welcome {
            log_generation: self.store.generation().to_vec(),
            collector_time: Some(time::to_wire(now)),
            routine_window_bytes: bounds::ROUTINE_WINDOW_BYTES,
        };
        send(answers, Down::Welcome(welcome)).await?;
        self.offer_policy(answers).await
    }

    async fn step(&mut self, message: ReportRequest, answers: &Answers) -> Result<(), Status> {
        match message.message.ok_or(Violation::Empty)? {
            Up::Hello(_) => Err(Violation::HelloAgain.into()),
            Up::EpochKey(key) => self.announce(key).await,
            Up::Events(batch) => self.take(batch, answers).await,
            Up::Health(health) => self.health(health, answers).await,
            Up::CheckResult(result) => match result.health {
                Some(health) => self.health(health, answers).await,
                None => Err(Violation::Empty.into()),
            },
        }
    }

    async fn announce(&mut self, key: v1::EpochKey) -> Result<(), Status> {
        self.allowance.take_other().await;
        let epoch = epoch_of(&key)?;
        let (school, device) = (self.school, self.device);
        let announced = self
            .store
            .write(&self.scope, move |edit| edit.announce_epoch(school, device, epoch, &key))
            .await
            .map_err(|error| status(&error))?;
        match announced {
            Announced::Taken => Ok(self.epochs.announce(epoch)?),
            Announced::TooMany => Err(Status::resource_exhausted(
                "this device has as many epochs as are kept of one; its events wait on it until the oldest of \
                 them can be forgotten",
            )),
        }
    }

    async fn take(&mut self, batch: v1::EventBatch, answers: &Answers) -> Result<(), Status> {
        self.allowance.wait_for_events().await;
        let sent = batch.events.len();
        let admitted = admit(batch, &self.epochs)?;
        let bytes: usize = admitted.arrivals.iter().map(|arrival| arrival.sealed.len()).sum();
        let reception =
            Reception { school: self.school, device: self.device, skew_micros: self.skew_micros };
        if !self.allowance.take_events(sent, bytes) {
            return Err(self.hold_back().await);
        }
        if !admitted.arrivals.is_empty() {
            let under_way = self.under_way.clone();
            let _permit = room(&under_way, bytes, answers).await?;
            let arrivals = admitted.arrivals;
            self.store
                .write(&self.scope, move |edit| edit.append(&reception, &arrivals))
                .await
                .map_err(|error| status(&error))?;
        }
        let acknowledgement = v1::Acknowledgement {
            log_generation: self.store.generation().to_vec(),
            lanes: admitted.lanes,
        };
        send(answers, Down::Acknowledgement(acknowledgement)).await
    }

    /// Tells a technician that the device sends more than is kept of one, and the device to come again later.
    async fn hold_back(&self) -> Status {
        let (school, device) = (self.school, self.device);
        let told = self.store.write(&self.scope, move |edit| edit.hold_back(school, device)).await;
        told.err().map_or_else(
            || {
                Status::resource_exhausted(
                    "this device has sent as much as is kept of one in a day; its events wait on it",
                )
            },
            |error| status(&error),
        )
    }

    async fn health(&mut self, health: v1::Health, answers: &Answers) -> Result<(), Status> {
        self.allowance.take_other().await;
        check_health(&health)?;
        self.policy_serial = self.policy_serial.max(health.policy_serial);
        let (school, device) = (self.school, self.device);
        self.store
            .write(&self.scope, move |edit| edit.report_health(school, device, &health))
            .await
            .map_err(|error| status(&error))?;
        self.offer_policy(answers).await
    }

    /// Offers the school's newest policy, once.
    async fn offer_policy(&mut self, answers: &Answers) -> Result<(), Status> {
        let newest = self.policies.borrow_and_update().get(&self.school).copied().unwrap_or(0);
        if newest > self.policy_serial {
            self.policy_serial = newest;
            send(answers, Down::PolicyOffer(v1::PolicyOffer { serial: newest })).await?;
        }
        Ok(())
    }
}

/// Waits for room for some bytes among all that are under way; asks the agent to pause if there is none.
async fn room<'a>(
    under_way: &'a Semaphore,
    bytes: usize,
    answers: &Answers,
) -> Result<SemaphorePermit<'a>, Status> {
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    if let Ok(permit) = under_way.try_acquire_many(kib) {
        return Ok(permit);
    }
    let pause = Some(time::duration_to_wire(SLOW_DOWN));
    send(answers, Down::SlowDown(v1::SlowDown { pause })).await?;
    let stopping = |_| Status::unavailable("the collector is stopping");
    under_way.acquire_many(kib).await.map_err(stopping)
}

async fn send(answers: &Answers, message: Down) -> Result<(), Status> {
    let gone = |_| Status::cancelled("the agent has gone");
    answers.send(Ok(answer(message))).await.map_err(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_agent_is_asked_to_slow_down_while_there_is_no_room_and_then_served() {
        let (answers, mut heard) = mpsc::channel(4);
        let under_way = Semaphore::new(3);
        let all = room(&under_way, 3 * 1024, &answers).await.unwrap();
        assert!(heard.try_recv().is_err(), "there was room");
        let waiting = room(&under_way, 1, &answers);
        let freeing = async {
            let said = heard.recv().await.unwrap().unwrap().message;
            let Some(Down::SlowDown(v1::SlowDown { pause: Some(pause) })) = said else {
                panic!("{said:?}")
            };
            assert_eq!(pause.seconds, 2);
            drop(all);
        };
        let (permit, ()) = tokio::join!(waiting, freeing);
        assert_eq!(permit.unwrap().num_permits(), 1);
    }
}
