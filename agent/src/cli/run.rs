//! `run`: sources into pipeline into spool into uplink, on one thread, until it is told to stop.

mod sources;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use redshank_proto::clock::{Clock, Randomness, System};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::sources::Sources;
use crate::health::{self, Monitor};
use crate::notice::{Shown, Told};
use crate::pipeline::Witnesses;
use crate::pipeline::sightings::Sightings;
use crate::sources::board::Board;
use crate::sources::extension::Presence;
use crate::spool::{Limits, Spool};
use crate::state::{DeviceIdentity, ProxySettings, Settings, StateDir, read_roots};
use crate::uplink::{Parts, Reach, Uplink};
use crate::{enrolment, pipeline};

/// Batches between sources and pipeline: enough for every profile of a device to have one.
const BATCHES: usize = 8;
/// How long tasks have to end once they are told to; what they had not stored is read again.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the agent until a signal ends it.
///
/// # Errors
/// If the device is not enrolled, the state folder cannot be used, or the spool must be opened anew.
pub(super) fn run(state: &StateDir, settings: &Settings) -> anyhow::Result<()> {
    let _lock = state.lock()?;
    let Some(identity) = state.identity()? else {
        bail!(
            "this device is not enrolled; run `redshank-agent enrol --collector URL --token-file FILE`"
        );
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(watch_and_report(state, settings, identity));
    runtime.shutdown_timeout(GRACE);
    result
}

async fn watch_and_report(
    state: &StateDir,
    settings: &Settings,
    identity: DeviceIdentity,
) -> anyhow::Result<()> {
    let (clock, randomness): (Arc<dyn Clock>, Arc<dyn Randomness>) =
        (Arc::new(System), Arc::new(System));
    let school = state.school(identity.school());
    let (trust, installation) = (school.trust()?, school.installation()?);
    let mut extra_roots = school.extra_roots()?;
    if let Some(file) = &settings.ca {
        extra_roots.extend(read_roots(file)?.1);
    }
    let proxy = settings.proxy.as_ref().map(ProxySettings::load).transpose()?;
    let policy = Arc::new(crate::policy::PolicyStore::open(school.path(), &trust)?);
    let spool = Arc::new(Spool::open(
        &school.spool()?,
        identity.school(),
        trust.hpke_key(),
        Limits::default(),
        clock.clone(),
        randomness.clone(),
    )?);
    let checkpoints = spool.checkpoints()?;
    let sightings = Sightings::kept(&checkpoints, clock.now());
    let (reach_out, reach) = watch::channel(Reach::default());
    let mut board = Board::default();
    let presence = Presence::new(clock.now());
    let told = Told::new(Shown::kept(&checkpoints), settings.notice_at_sign_in, board.part());
    let (coverage, personal) = (board.together(), settings.personal);
    let monitor = Monitor::new(coverage, spool.clone(), policy.clone(), clock.clone(), personal);
    let (batches_out, batches) = mpsc::channel(BATCHES);
    let reads_since = installation.reads_visits_since();
    let uplink = Uplink::new(Parts {
        state: state.clone(),
        school,
        installation,
        identity,
        trust,
        extra_roots,
        proxy,
        runs: state.begin_run(&*randomness)?,
        device: enrolment::describe(),
        spool: spool.clone(),
        policy: policy.clone(),
        monitor: monitor.clone(),
        reach: reach_out,
        clock: clock.clone(),
        randomness,
    });

    let cancel = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(told_to_stop());
    let sources = Sources {
        state,
        settings,
        reads_since,
        out: batches_out,
        checkpoints,
        presence: presence.clone(),
        told: told.clone(),
        policy: policy.subscribe(),
        clock: clock.clone(),
        cancel: cancel.clone(),
    };
    sources.start(&mut tasks, &mut board)?;
    drop(sources);
    let witnesses = Witnesses { sightings, presence, told };
    let token = cancel.clone();
    tasks.spawn(async move {
        board.run(token).await;
        Ok(())
    });
    let (token, in_force) = (cancel.clone(), policy.subscribe());
    tasks.spawn(async move {
        Ok(pipeline::run(batches, in_force, spool, witnesses, clock, token).await?)
    });
    let token = cancel.clone();
    tasks.spawn(async move { Ok(uplink.run(token).await?) });
    let (token, state) = (cancel.clone(), state.clone());
    tasks.spawn(async move {
        health::keep_status(state, monitor, reach, token).await;
        Ok(())
    });
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the agent runs");
    let ended = until_stopped(&mut tasks, &cancel).await;
    tracing::info!("the agent has stopped");
    ended
}

/// Waits for the first task that ends, tells the others to end, and gives the first error.
async fn until_stopped(
    tasks: &mut JoinSet<anyhow::Result<()>>,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let first = tasks.join_next().await;
    cancel.cancel();
    let mut result = first.map_or(Ok(()), ended);
    let rest = async {
        while let Some(task) = tasks.join_next().await {
            let task = ended(task);
            if result.is_ok() {
                result = task;
            }
        }
    };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("not every task ended in time; what was not stored is read again");
    }
    result
}

fn ended(task: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    task.context("a part of the agent failed").and_then(|result| result)
}

#[cfg(unix)]
async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn told_to_stop() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
