//! Exactly once, through the real pipeline and the real spool.

use std::path::Path;
use std::sync::Arc;

use redshank_agent::notice::{Shown, Told};
use redshank_agent::pipeline::{self, Witnesses, sightings::Sightings};
use redshank_agent::sources::extension::Presence;
use redshank_agent::spool::{Limits, Spool};
use redshank_proto::clock::{Clock, System};
use redshank_proto::id::SchoolId;
use redshank_proto::seal::SchoolKey;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::{Device, PATIENCE};
use crate::browser::{direct, visits};

/// An agent dies after the spool's commit and before the extension hears of it.
#[tokio::test]
async fn items_are_stored_once_when_the_agent_dies_between_commit_and_word() {
    let device = Device::new();
    let spool = open(&device.root.path().join("spool"));

    let (agent, mut durable) = Agent::start(&device, &spool, Tell::Nobody);
    let mut browser = agent.dial(&device).await;
    browser.hello(9).await;
    browser.say(&visits([1, 2, 3])).await;
    timeout(PATIENCE, durable.recv()).await.unwrap().unwrap();
    assert_eq!(spool.stats().unwrap().routine, 3);
    agent.crash().await;
    browser.closed().await;

    let (agent, _durable) = Agent::start(&device, &spool, Tell::Source);
    let mut browser = agent.dial(&device).await;
    browser.hello(9).await;
    browser.say(&visits([1, 2, 3])).await;
    assert_eq!(browser.stored().await, 3);
    browser.say(&visits([3, 4])).await;
    assert_eq!(browser.stored().await, 4);
    assert_eq!(spool.stats().unwrap().routine, 4);
    // Another session counts for itself.
    browser.hello(10).await;
    browser.say(&visits([5])).await;
    assert_eq!(browser.stored().await, 5);
    assert_eq!(spool.stats().unwrap().routine, 5);
    agent.crash().await;
}

/// Who hears that a batch is durable.
#[derive(Clone, Copy, PartialEq)]
enum Tell {
    Source,
    Nobody,
}

struct Agent {
    tasks: tokio::task::JoinSet<()>,
}

impl Agent {
    /// Source and pipeline; says of each batch that it is durable before the source hears it, if it does.
    fn start(device: &Device, spool: &Arc<Spool>, tell: Tell) -> (Self, mpsc::Receiver<()>) {
        let kept = spool.checkpoints().unwrap();
        let (out, mut from_source) = mpsc::channel(1);
        let (to_pipeline, batches) = mpsc::channel(1);
        let (durable_out, durable) = mpsc::channel(16);
        let clock: Arc<dyn Clock> = Arc::new(System);
        let sightings = Sightings::kept(&kept, clock.now());
        let presence = Presence::new(clock.now());
        let told = Told::new(Shown::kept(&kept), false, watch::Sender::default());
        let witnesses = Witnesses { sightings, presence: presence.clone(), told };
        let (coverage, never) = (watch::Sender::default(), CancellationToken::new());
        let mut tasks = tokio::task::JoinSet::new();
        let policy = device.policy.subscribe();
        tasks.spawn(device.source(&presence, &kept).run(
            out,
            kept,
            coverage,
            policy,
            never.clone(),
        ));
        let (policy, spool) = (device.policy.subscribe(), Arc::clone(spool));
        tasks.spawn(async move {
            let running = pipeline::run(batches, policy, spool, witnesses, clock, never);
            running.await.unwrap();
        });
        tasks.spawn(async move {
            let mut untold = Vec::new();
            while let Some(mut batch) = from_source.recv().await {
                let (done, stored) = oneshot::channel();
                let waiting = batch.done.replace(done);
                to_pipeline.send(batch).await.unwrap();
                stored.await.unwrap();
                durable_out.send(()).await.unwrap();
                match (tell, waiting) {
                    (Tell::Source, Some(waiting)) => drop(waiting.send(())),
                    (_, waiting) => untold.push(waiting),
                }
            }
        });
        (Self { tasks }, durable)
    }

    async fn dial(&self, device: &Device) -> crate::browser::Direct {
        let listening = async {
            while redshank_agent::native::local::dial(&device.socket()).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, listening).await.unwrap();
        direct(&device.socket()).await
    }

    async fn crash(mut self) {
        self.tasks.shutdown().await;
    }
}

fn open(folder: &Path) -> Arc<Spool> {
    std::fs::create_dir(folder).unwrap();
    let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System).public());
    let spool =
        Spool::open(folder, school, &key, Limits::default(), Arc::new(System), Arc::new(System));
    Arc::new(spool.unwrap())
}
