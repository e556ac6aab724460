//! One stream against a collector in this process: what goes up, in which order, and what is settled.

use std::collections::HashMap;
use std::sync::Mutex;
use std::task::{Context, Poll};

use redshank_proto::clock::System;
use redshank_proto::id::{Epoch, Generation, Lane, SchoolId};
use redshank_proto::v1::ingest_service_server::{IngestService, IngestServiceServer};
use redshank_proto::v1::policy_service_server::{PolicyService, PolicyServiceServer};
use redshank_proto::v1::report_request::Message as Up;
use redshank_proto::v1::report_response::Message as Down;
use redshank_proto::{bounds, v1};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse};
use tonic::codegen::{BoxFuture, Service};
use tonic::{Request, Response, Status, Streaming};

use super::*;
use crate::enrolment::school::School;
use crate::spool::{Captured, Limits};

/// Nothing here waits for anything slower than a disk.
const SOON: Duration = Duration::from_secs(20);
/// How long it takes to be sure that nothing comes.
const A_WHILE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn urgent_goes_up_first_with_its_key_before_it_and_is_settled() {
    let agent = Agent::new();
    agent.append(Lane::Routine, 2);
    agent.append(Lane::Urgent, 3);
    let mut collector = agent.connect();
    let hello = collector.hello().await;
    assert_eq!((hello.run, hello.policy_serial), (agent.desk.runs.run.to_vec(), 0));
    assert!(hello.log_generation.is_empty() && hello.previous_run.is_empty());
    collector.welcome(1).await;

    let (urgent, routine) = (collector.events().await, collector.events().await);
    assert!(urgent.iter().all(|event| event.lane == Lane::Urgent.number()));
    assert_eq!((urgent.len(), routine.len()), (3, 2));
    collector.settle(&urgent, 1).await;
    collector.settle(&routine, 1).await;
    agent.until(|stats| stats == (0, 0)).await;
    assert_eq!(agent.desk.school.generation().unwrap(), Some(Generation::from_bytes([1; 16])));
    let reach = agent.desk.reach.borrow().clone();
    assert!(reach.connected && reach.last_contact.is_some());
}

#[tokio::test]
async fn an_event_that_is_appended_goes_up_at_once() {
    let agent = Agent::new();
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    assert!(timeout(A_WHILE, collector.events()).await.is_err(), "nothing waits");
    agent.append(Lane::Urgent, 1);
    assert_eq!(collector.events().await.len(), 1);
}

#[tokio::test]
async fn what_was_not_settled_goes_up_again_on_the_next_stream() {
    let agent = Agent::new();
    agent.append(Lane::Urgent, 2);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let first = collector.events().await;
    collector.settle(&first[..1], 1).await;
    agent.until(|stats| stats == (1, 0)).await;
    drop(collector);

    let mut collector = agent.connect();
    assert_eq!(collector.hello().await.log_generation, [1; 16]);
    collector.welcome(1).await;
    assert_eq!(collector.events().await, first[1..]);
}

#[tokio::test]
async fn a_collector_with_another_log_is_sent_its_urgent_events_again() {
    let agent = Agent::new();
    agent.append(Lane::Urgent, 1);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let sent = collector.events().await;
    collector.settle(&sent, 1).await;
    agent.until(|stats| stats == (0, 0)).await;
    drop(collector);

    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(2).await;
    assert_eq!(collector.events().await, sent);
}

#[tokio::test]
async fn routine_stays_within_the_window() {
    let agent = Agent::new();
    agent.append(Lane::Routine, 600);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let mut sent = Vec::new();
    while let Ok(events) = timeout(A_WHILE, collector.events()).await {
        sent.extend(events);
    }
    let bytes: usize = sent.iter().map(|event| event.sealed_payload.len()).sum();
    assert!(bytes <= bounds::ROUTINE_WINDOW_BYTES as usize && sent.len() < 600, "{bytes}");
    agent.append(Lane::Urgent, 1);
    assert_eq!(collector.events().await.len(), 1, "urgent goes past a full window");
    collector.settle(&sent, 1).await;
    assert!(!collector.events().await.is_empty());
}

#[tokio::test]
async fn a_refused_event_is_a_dead_letter_and_never_sent_again() {
    let agent = Agent::new();
    agent.append(Lane::Urgent, 1);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let sent = collector.events().await;
    let mut answer = acknowledgement(&sent, 1);
    let reason = v1::RejectionReason::Size.into();
    answer.lanes[0].rejected.push(v1::RejectedEvent { sequence: sent[0].sequence, reason });
    collector.say(Down::Acknowledgement(answer)).await;
    agent.until(|stats| stats == (0, 0)).await;
    assert_eq!(agent.desk.spool.stats().unwrap().dead_letters, 1);
}

#[tokio::test]
async fn an_event_whose_epoch_has_no_key_takes_no_other_with_it() {
    let agent = Agent::with_keyless_event();
    agent.append(Lane::Urgent, 2);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let first = collector.events().await;
    assert_eq!(first.len(), 2, "the keyless one is left out, the rest goes");
    agent.append(Lane::Urgent, 1);
    let next = collector.events().await;
    assert_eq!((next.len(), &next[0].epoch), (1, &first[0].epoch));
    collector.settle(&next, 1).await;
    agent.until(|stats| stats == (1, 0)).await;
}

#[tokio::test]
async fn an_event_whose_epoch_has_no_key_alone_is_passed_over() {
    let agent = Agent::with_keyless_event();
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    assert!(timeout(A_WHILE, collector.events()).await.is_err(), "nothing can be sent");
    agent.append(Lane::Urgent, 1);
    let sent = collector.events().await;
    collector.settle(&sent, 1).await;
    agent.until(|stats| stats == (1, 0)).await;
}

#[tokio::test]
async fn health_comes_at_once_and_a_check_is_answered() {
    let agent = Agent::new();
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let health = collector.next_of(|up| matches!(up, Up::Health(_))).await;
    let Up::Health(health) = health else { unreachable!() };
    assert_eq!(health.sources[0].source, "policy");
    assert_eq!((&*health.sources[1].source, &*health.sources[1].input), ("device", "ownership"));
    collector.say(Down::RunCheck(v1::RunCheck { check_id: vec![8; 16] })).await;
    let result = collector.next_of(|up| matches!(up, Up::CheckResult(_))).await;
    let Up::CheckResult(result) = result else { unreachable!() };
    assert_eq!((result.check_id, result.health.is_some()), (vec![8; 16], true));
}

#[tokio::test]
async fn an_offered_policy_is_fetched_and_put_in_force() {
    let agent = Agent::new();
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    collector.say(Down::PolicyOffer(v1::PolicyOffer { serial: 5 })).await;
    let mut in_force = agent.desk.policy.subscribe();
    timeout(SOON, in_force.wait_for(Option::is_some)).await.unwrap().unwrap();
    assert_eq!(agent.desk.policy.serial(), 5);
}

#[tokio::test]
async fn a_collector_that_says_what_it_may_not_settles_nothing() {
    let agent = Agent::new();
    agent.append(Lane::Urgent, 1);
    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    let mut sent = collector.events().await;
    sent[0].sequence += 1;
    collector.settle(&sent, 1).await;
    let (ending, _) = collector.ended().await;
    assert!(matches!(ending, Ending::Fault(session::Fault::NotSent)), "{ending}");
    agent.until(|stats| stats == (1, 0)).await;
}

#[tokio::test]
async fn a_refusal_and_a_close_end_the_stream_as_they_are() {
    let agent = Agent::new();
    let collector = agent.connect();
    collector.down.send(Err(Status::permission_denied("revoked"))).await.unwrap();
    let (ending, open) = collector.ended().await;
    assert_eq!(outcome(&ending, false), Outcome::Refused);
    assert_eq!(open, Duration::ZERO);

    let mut collector = agent.connect();
    collector.hello().await;
    collector.welcome(1).await;
    collector.events_or_health().await;
    let Talk { down, stream, .. } = collector;
    drop(down);
    let (ending, open) = timeout(SOON, stream).await.unwrap().unwrap();
    assert!(matches!(ending, Ending::Closed), "{ending}");
    assert!(open > Duration::ZERO);
}

struct Agent {
    _temp: tempfile::TempDir,
    school: Arc<School>,
    desk: Arc<Desk>,
}

impl Agent {
    fn new() -> Self {
        Self::over(|_, _, _| {})
    }

    /// Its spool holds one urgent event of an epoch whose key is gone, as between an eviction and a
    /// read.
    fn with_keyless_event() -> Self {
        Self::over(|dir, school, trust| {
            spool(dir, school, trust).append(vec![event(Lane::Urgent)], &[]).unwrap();
            let file = dir.spool().unwrap().join(crate::spool::FILE);
            let db = rusqlite::Connection::open(file).unwrap();
            assert_eq!(db.execute("DELETE FROM epochs", []), Ok(1));
        })
    }

    fn over(earlier: impl FnOnce(&SchoolDir, SchoolId, &Trust)) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let school = School::new();
        let state = StateDir::create(&temp.path().join("state")).unwrap();
        let dir = state.school(school.id);
        dir.create().unwrap();
        let trust = Trust::from_store(school.bundle(1)).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(System);
        let policy = Arc::new(PolicyStore::open(dir.path(), &trust).unwrap());
        earlier(&dir, school.id, &trust);
        let spool = spool(&dir, school.id, &trust);
        let (_, coverage) = watch::channel(Vec::new());
        let monitor = Monitor::new(coverage, spool.clone(), policy.clone(), clock.clone(), true);
        let desk = Desk {
            runs: state.begin_run(&System).unwrap(),
            state,
            device: v1::DeviceDescription::default(),
            school: dir,
            spool,
            policy,
            monitor,
            reach: watch::Sender::new(Reach::default()),
            clock,
        };
        Self { _temp: temp, school: Arc::new(school), desk: Arc::new(desk) }
    }

    fn append(&self, lane: Lane, count: usize) {
        self.desk.spool.append(vec![event(lane); count], &[]).unwrap();
    }

    fn connect(&self) -> Talk {
        let (up, heard) = mpsc::channel(64);
        let (down, said) = mpsc::channel(64);
        let fake =
            Fake { ends: Arc::new(Mutex::new(Some((up, said)))), policy: self.school.policy(5) };
        let services = Services {
            ingest: IngestServiceServer::new(fake.clone()),
            policy: PolicyServiceServer::new(fake),
        };
        let desk = self.desk.clone();
        let stream = tokio::spawn(async move { desk.report(services, Timestamp::MAX).await });
        Talk { heard, down, stream }
    }

    /// Waits until so many urgent and routine events wait.
    async fn until(&self, reached: impl Fn((u64, u64)) -> bool) {
        let wait = async {
            loop {
                let stats = self.desk.spool.stats().unwrap();
                if reached((stats.urgent, stats.routine)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, wait).await.unwrap();
    }
}

fn event(lane: Lane) -> Captured {
    let severity = if lane == Lane::Urgent { 4 } else { 0 };
    let method = v1::AttributionMethod::SignedIn.into();
    let evidence = vec![v1::Evidence { method, value: "x".repeat(200), authority: String::new() }];
    let payload = v1::EventPayload { evidence, ..Default::default() };
    Captured { lane, severity, fold: None, payload }
}

fn spool(dir: &SchoolDir, school: SchoolId, trust: &Trust) -> Arc<Spool> {
    let folder = dir.spool().unwrap();
    let (clock, randomness) = (Arc::new(System), Arc::new(System));
    let limits = Limits { ballast_bytes: 0, ..Limits::default() };
    Arc::new(Spool::open(&folder, school, trust.hpke_key(), limits, clock, randomness).unwrap())
}

/// The collector's end of one stream.
struct Talk {
    heard: mpsc::Receiver<Up>,
    down: mpsc::Sender<Result<v1::ReportResponse, Status>>,
    stream: tokio::task::JoinHandle<(Ending, Duration)>,
}

impl Talk {
    async fn next(&mut self) -> Up {
        timeout(SOON, self.heard.recv()).await.unwrap().unwrap()
    }

    async fn next_of(&mut self, is: impl Fn(&Up) -> bool) -> Up {
        loop {
            let up = self.next().await;
            if is(&up) {
                return up;
            }
        }
    }

    async fn hello(&mut self) -> v1::Hello {
        match self.next().await {
            Up::Hello(hello) => hello,
            other => panic!("the first message is {other:?}"),
        }
    }

    async fn welcome(&mut self, generation: u8) {
        self.say(Down::Welcome(v1::Welcome {
            log_generation: vec![generation; 16],
            collector_time: None,
            routine_window_bytes: bounds::ROUTINE_WINDOW_BYTES,
        }))
        .await;
    }

    async fn say(&self, message: Down) {
        self.down.send(Ok(v1::ReportResponse { message: Some(message) })).await.unwrap();
    }

    /// The next batch; every epoch in it must have been announced in time.
    async fn events(&mut self) -> Vec<v1::SealedEvent> {
        match self.next_of(|up| matches!(up, Up::Events(_))).await {
            Up::Events(batch) => batch.events,
            _ => unreachable!(),
        }
    }

    async fn events_or_health(&mut self) {
        self.next_of(|up| matches!(up, Up::Events(_) | Up::Health(_))).await;
    }

    async fn settle(&self, events: &[v1::SealedEvent], generation: u8) {
        self.say(Down::Acknowledgement(acknowledgement(events, generation))).await;
    }

    async fn ended(self) -> (Ending, Duration) {
        timeout(SOON, self.stream).await.unwrap().unwrap()
    }
}

fn acknowledgement(events: &[v1::SealedEvent], generation: u8) -> v1::Acknowledgement {
    let mut lanes: HashMap<(Vec<u8>, i32), u64> = HashMap::new();
    for event in events {
        let through = lanes.entry((event.epoch.clone(), event.lane)).or_default();
        *through = event.sequence.max(*through);
    }
    let lanes = lanes.into_iter().map(|((epoch, lane), settled_through)| v1::LaneAcknowledgement {
        epoch,
        lane,
        settled_through,
        rejected: Vec::new(),
    });
    v1::Acknowledgement { log_generation: vec![generation; 16], lanes: lanes.collect() }
}

type Ends = (mpsc::Sender<Up>, mpsc::Receiver<Result<v1::ReportResponse, Status>>);

#[derive(Clone)]
struct Fake {
    ends: Arc<Mutex<Option<Ends>>>,
    policy: v1::SignedPolicy,
}

#[tonic::async_trait]
impl IngestService for Fake {
    type ReportStream = ReceiverStream<Result<v1::ReportResponse, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::ReportRequest>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (up, said) = self.ends.lock().unwrap().take().unwrap();
        let mut inbound = request.into_inner();
        tokio::spawn(async move {
            let mut announced: Vec<Vec<u8>> = Vec::new();
            while let Ok(Some(request)) = inbound.message().await {
                let Some(message) = request.message else { continue };
                match &message {
                    Up::EpochKey(key) => announced.push(key.epoch.clone()),
                    Up::Events(batch) => {
                        for event in &batch.events {
                            assert!(Epoch::try_from(event.epoch.as_slice()).is_ok());
                            assert!(announced.contains(&event.epoch), "not announced");
                        }
                    }
                    _ => {}
                }
                if up.send(message).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(said)))
    }
}

#[tonic::async_trait]
impl PolicyService for Fake {
    async fn get_policy(
        &self,
        _request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        Ok(Response::new(v1::GetPolicyResponse { policy: Some(self.policy.clone()) }))
    }
}

/// Both services under one roof, as on the collector's listener.
#[derive(Clone)]
struct Services {
    ingest: IngestServiceServer<Fake>,
    policy: PolicyServiceServer<Fake>,
}

impl Service<HttpRequest<tonic::body::Body>> for Services {
    type Response = HttpResponse<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<tonic::body::Body>) -> Self::Future {
        if request.uri().path().starts_with("/redshank.v1.PolicyService/") {
            self.policy.call(request)
        } else {
            self.ingest.call(request)
        }
    }
}
