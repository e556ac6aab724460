use jiff::Timestamp;
use redshank_proto::clock::{Fixed, System};
use redshank_proto::id::{Lane, SchoolId};
use redshank_proto::seal::SchoolKey;
use redshank_proto::v1;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::notice::Shown;
use crate::observation::{Content, Evidence, Source, Transition, Visit};
use crate::policy::tests::policy;
use crate::spool::Limits;

const SOON: Duration = Duration::from_secs(20);
/// A send that takes so long waits for room.
const STUCK: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_batch_reaches_the_spool_with_its_checkpoint_and_the_private_one_does_not() {
    let bench = Bench::new(Limits::default());
    let (sources, policies, running) = bench.start(Some(policy(1)));
    let mut appended = bench.spool.changed();
    sources.send(batch(&["https://www.childline.org.uk/"], "private")).await.unwrap();
    let pages = ["https://a.example/", "https://childline.org.uk/", "https://b.example/"];
    sources.send(batch(&pages, "both")).await.unwrap();
    timeout(SOON, appended.changed()).await.unwrap().unwrap();
    drop(sources);
    timeout(SOON, running).await.unwrap().unwrap().unwrap();
    assert_eq!(bench.spool.stats().unwrap().urgent, 2);
    let checkpoints = bench.spool.checkpoints().unwrap();
    assert_eq!((checkpoints["private"].len(), checkpoints["both"].len()), (1, 1));
    drop(policies);
}

#[tokio::test]
async fn whoever_waits_is_told_once_the_batch_is_durable() {
    let bench = Bench::new(Limits::default());
    let (sources, policies, running) = bench.start(None);
    let (done, mut told) = oneshot::channel();
    let batch = Batch { done: Some(done), ..batch(&["https://a.example/"], "input") };
    sources.send(batch).await.unwrap();
    assert!(timeout(STUCK, &mut told).await.is_err());
    policies.send_replace(Some(Arc::new(PolicyInForce::compile(policy(1)).unwrap())));
    timeout(SOON, told).await.unwrap().unwrap();
    assert_eq!(bench.spool.stats().unwrap().urgent, 1);
    drop(sources);
    timeout(SOON, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn without_a_policy_it_waits_and_loses_nothing() {
    let bench = Bench::new(Limits::default());
    let (sources, policies, running) = bench.start(None);
    sources.send(batch(&["https://a.example/"], "input")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.spool.stats().unwrap().urgent, 0);
    assert_eq!(bench.spool.checkpoints().unwrap().len(), 0);

    let mut appended = bench.spool.changed();
    policies.send_replace(Some(Arc::new(PolicyInForce::compile(policy(1)).unwrap())));
    timeout(SOON, appended.changed()).await.unwrap().unwrap();
    assert_eq!(bench.spool.stats().unwrap().urgent, 1);
    bench.cancel.cancel();
    timeout(SOON, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_full_spool_holds_the_batch_until_there_is_room() {
    let limits = Limits { file_bytes: 200 * 1024, ballast_bytes: 0, ..Limits::default() };
    let bench = Bench::new(limits);
    let (sources, _policies, running) = bench.start(Some(policy(1)));
    let page = format!("https://a.example/{}", "p".repeat(3_000));
    // As grave as what is there already, so that nothing may be given up for it.
    for n in 0..60 {
        let sent = sources.send(batch(&[&page], &n.to_string()));
        if timeout(STUCK, sent).await.is_err() {
            break;
        }
    }
    let before = bench.spool.stats().unwrap();
    assert!(before.urgent < 60, "{before:?}");
    let offered = bench.spool.waiting(Lane::Urgent, None, usize::MAX, usize::MAX).unwrap();
    let last = offered.last().unwrap().position;
    let mut appended = bench.spool.changed();
    let generation = redshank_proto::id::Generation::from_bytes([1; 16]);
    bench.spool.settle(generation, last.epoch, Lane::Urgent, last.sequence, &[]).unwrap();
    timeout(SOON, appended.changed()).await.unwrap().unwrap();
    assert_eq!(bench.spool.stats().unwrap().lost, 0);
    bench.cancel.cancel();
    running.await.unwrap().unwrap();
}

struct Bench {
    _folder: TempDir,
    spool: Arc<Spool>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
}

type Started = (
    mpsc::Sender<Batch>,
    watch::Sender<Option<Arc<PolicyInForce>>>,
    tokio::task::JoinHandle<Result<(), SpoolError>>,
);

impl Bench {
    fn new(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> =
            Arc::new(Fixed::new(Timestamp::from_second(1_700_000_000).unwrap(), 1));
        let (school, key) = (SchoolId::draw(&System), SchoolKey::draw(&System).public());
        let spool =
            Spool::open(folder.path(), school, &key, limits, Arc::clone(&clock), Arc::new(System));
        let spool = Arc::new(spool.unwrap());
        Self { _folder: folder, spool, clock, cancel: CancellationToken::new() }
    }

    fn start(&self, policy: Option<v1::Policy>) -> Started {
        let (sources, batches) = mpsc::channel(1);
        let policy = policy.map(|policy| Arc::new(PolicyInForce::compile(policy).unwrap()));
        let policies = watch::Sender::new(policy);
        let (spool, clock) = (Arc::clone(&self.spool), Arc::clone(&self.clock));
        let witnesses = Witnesses {
            sightings: Sightings::default(),
            presence: Presence::new(clock.now()),
            told: Told::new(Shown::default(), false, watch::Sender::default()),
        };
        let (policy, cancel) = (policies.subscribe(), self.cancel.clone());
        let running = run(batches, policy, spool, witnesses, clock, cancel);
        (sources, policies, tokio::spawn(running))
    }
}

/// A batch of worrying pages, one for each address.
fn batch(urls: &[&str], input: &str) -> Batch {
    let observations = urls.iter().map(|url| Observation {
        source: Source::BrowserHistory,
        occurred_at: Timestamp::from_second(1_700_000_000).unwrap(),
        evidence: vec![Evidence::OsUser("ann".into())],
        content: Content::Visit(Visit {
            browser: "Firefox".into(),
            profile: "default".into(),
            url: (*url).to_owned(),
            title: Some("buy a zombie knife".into()),
            search_terms: None,
            transition: Transition::Link,
            private_window: false,
        }),
    });
    let checkpoint = Checkpoint { input: input.to_owned(), place: vec![1] };
    Batch { observations: observations.collect(), checkpoints: vec![checkpoint], done: None }
}
