//! Agents' streams over real TLS, up to the log.

use std::time::Duration;

use redshank_proto::clock::System;
use redshank_proto::id::{Epoch, Lane, Position, RunId};
use redshank_proto::seal::{EpochCipher, begin_epoch};
use redshank_proto::v1;
use redshank_proto::v1::ingest_service_client::IngestServiceClient;
use redshank_proto::v1::policy_service_client::PolicyServiceClient;
use redshank_proto::v1::report_request::Message as Up;
use redshank_proto::v1::report_response::Message as Down;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::cli::tests::running::{Agent, Running};
use crate::store::log::LoggedEvent;
use crate::store::log::tests::fill_epochs;
use crate::store::{Purpose, Scope, Store};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_in_the_log_once() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let store = running.store();
    let (cipher, key) = begin_epoch(running.school, agent.trust.hpke_key(), &System).unwrap();
    for attempt in 0..2 {
        let mut stream = Stream::open(&agent).await;
        assert_eq!(stream.welcome().await.log_generation, store.generation().to_vec());
        stream.say(Up::EpochKey(key.clone())).await;
        stream.say(events(&cipher, 1..=3)).await;
        let acknowledged = stream.acknowledgement().await;
        assert_eq!(acknowledged.lanes.len(), 1, "attempt {attempt}");
        assert_eq!(acknowledged.lanes[0].settled_through, 3);
        assert!(acknowledged.lanes[0].rejected.is_empty());
        // Another connection to the database sees it: it is committed, not merely on its way.
        let log = log(&store).await;
        assert_eq!(log.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(log.iter().all(|event| !event.verified && event.device == agent.device));
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_stream_of_a_device_wins() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let mut older = Stream::open(&agent).await;
    older.welcome().await;
    let mut newer = Stream::open(&agent).await;
    newer.welcome().await;
    assert_eq!(older.end().await.code(), Code::Aborted);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_a_wrong_order_or_past_their_bounds_end_the_stream() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let (cipher, key) = begin_epoch(running.school, agent.trust.hpke_key(), &System).unwrap();
    let bad_key = v1::EpochKey { sealed_data_key: vec![0; 9], ..key.clone() };
    let health = v1::Health {
        sources: vec![v1::SourceHealth { reason: "x".repeat(600), ..Default::default() }],
        ..Default::default()
    };
    for (messages, expected) in [
        (vec![events(&cipher, 1..=1)], Code::FailedPrecondition),
        (vec![hello(), hello()], Code::FailedPrecondition),
        (vec![hello(), events(&cipher, 1..=1)], Code::FailedPrecondition),
        (vec![hello(), Up::EpochKey(bad_key)], Code::InvalidArgument),
        (vec![hello(), Up::EpochKey(key), events(&cipher, 1..=257)], Code::InvalidArgument),
        (vec![hello(), Up::Health(health)], Code::InvalidArgument),
        (vec![Up::Hello(v1::Hello::default())], Code::InvalidArgument),
    ] {
        let mut stream = Stream::silent(&agent).await.unwrap();
        for message in messages {
            stream.say(message).await;
        }
        assert_eq!(stream.end().await.code(), expected);
    }
    assert!(log(&running.store()).await.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_cut_off_and_told_when_it_comes_again() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let mut stream = Stream::open(&agent).await;
    stream.welcome().await;
    let device = agent.device.to_string();
    let (_, said) = running.run(&["device", "revoke", &device]).await;
    assert!(said.contains("is revoked"), "{said}");
    tokio::time::timeout(Duration::from_secs(10), stream.end()).await.unwrap();
    let refused = Stream::silent(&agent).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut policies = PolicyServiceClient::new(agent.channel().await);
    let refused = policies.get_policy(v1::GetPolicyRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_at_its_epochs_bound_is_told_to_wait_and_loses_nothing() {
    let running = Running::start().await;
    let agent = running.agent().await;
    fill_epochs(&running.store()).await;
    let (last, last_key) = begin_epoch(running.school, agent.trust.hpke_key(), &System).unwrap();
    let (cipher, key) = begin_epoch(running.school, agent.trust.hpke_key(), &System).unwrap();
    let mut stream = Stream::open(&agent).await;
    stream.welcome().await;
    stream.say(Up::EpochKey(last_key)).await;
    stream.say(events(&last, 1..=1)).await;
    assert!(stream.acknowledgement().await.lanes[0].rejected.is_empty());
    stream.say(Up::EpochKey(key)).await;
    stream.say(events(&cipher, 1..=1)).await;
    let end = stream.end().await;
    assert_eq!(end.code(), Code::ResourceExhausted);
    assert!(end.message().contains("wait"), "{end}");
    assert_eq!(log(&running.store()).await.len(), 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_policy_is_offered_and_can_be_fetched() {
    let running = Running::start().await;
    let agent = running.agent().await;
    let mut stream = Stream::open(&agent).await;
    stream.welcome().await;
    let Down::PolicyOffer(offer) = stream.next().await else { panic!("no offer") };
    assert_eq!(offer.serial, 1);
    let mut policies = PolicyServiceClient::new(agent.channel().await);
    let answer = policies.get_policy(v1::GetPolicyRequest {}).await.unwrap().into_inner();
    let policy = agent.trust.policy(&answer.policy.unwrap(), 0).unwrap();
    assert_eq!(policy.serial, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_one_school_reaches_nothing_of_another() {
    let mut running = Running::start().await;
    let ours = running.agent().await;
    let said = running.json(&["school", "add", "Hill Top", "--json"]).await;
    running.school = said["school"].as_str().unwrap().parse().unwrap();
    let theirs = running.agent().await;
    let (cipher, key) = begin_epoch(running.school, theirs.trust.hpke_key(), &System).unwrap();
    let mut stream = Stream::open(&ours).await;
    stream.welcome().await;
    stream.say(Up::EpochKey(key)).await;
    stream.say(events(&cipher, 1..=1)).await;
    stream.acknowledgement().await;
    let log = log(&running.store()).await;
    // What it sent is its own school's, whatever it was sealed for.
    assert!(log.iter().all(|event| event.school == ours.trust.school()));
    let mut policies = PolicyServiceClient::new(ours.channel().await);
    let answer = policies.get_policy(v1::GetPolicyRequest {}).await.unwrap().into_inner();
    assert!(theirs.trust.policy(&answer.policy.unwrap(), 0).is_err());
    running.stop().await;
}

/// An agent's end of a stream.
struct Stream {
    up: mpsc::Sender<v1::ReportRequest>,
    down: Streaming<v1::ReportResponse>,
}

impl Stream {
    /// Opens a stream and says `Hello`.
    async fn open(agent: &Agent) -> Self {
        let stream = Self::silent(agent).await.unwrap();
        stream.say(hello()).await;
        stream
    }

    async fn silent(agent: &Agent) -> Result<Self, Status> {
        let mut client = IngestServiceClient::new(agent.channel().await);
        let (up, messages) = mpsc::channel(8);
        let down = client.report(ReceiverStream::new(messages)).await?.into_inner();
        Ok(Self { up, down })
    }

    async fn say(&self, message: Up) {
        // A stream that has ended says so where its answers are read.
        let _ = self.up.send(v1::ReportRequest { message: Some(message) }).await;
    }

    async fn next(&mut self) -> Down {
        self.down.message().await.unwrap().unwrap().message.unwrap()
    }

    async fn welcome(&mut self) -> v1::Welcome {
        let Down::Welcome(welcome) = self.next().await else { panic!("no welcome") };
        welcome
    }

    async fn acknowledgement(&mut self) -> v1::Acknowledgement {
        loop {
            match self.next().await {
                Down::Acknowledgement(acknowledgement) => return acknowledgement,
                Down::PolicyOffer(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads to the end, which is an error.
    async fn end(&mut self) -> Status {
        loop {
            match self.down.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended well"),
                Err(status) => return status,
            }
        }
    }
}

fn hello() -> Up {
    Up::Hello(v1::Hello { run: RunId::draw(&System).to_vec(), ..Default::default() })
}

fn events(cipher: &EpochCipher, sequences: std::ops::RangeInclusive<u64>) -> Up {
    let epoch: Epoch = cipher.epoch();
    let events = sequences
        .map(|sequence| {
            let position = Position { epoch, lane: Lane::Urgent, sequence };
            v1::SealedEvent {
                epoch: epoch.to_vec(),
                lane: Lane::Urgent.number(),
                sequence,
                sealed_payload: cipher.seal(position, vec![0; 8]).unwrap(),
            }
        })
        .collect();
    Up::Events(v1::EventBatch { events })
}

async fn log(store: &Store) -> Vec<LoggedEvent> {
    let triage = Scope::system(Purpose::Triage);
    store.read(&triage, |view| view.events_after(0, 100)).await.unwrap()
}
