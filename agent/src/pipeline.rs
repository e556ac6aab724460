//! From sources to spool: minimise, tell repetitions apart, judge, append, one batch after the other.
//!
//! # What always holds
//! - A batch's checkpoints are stored with what it yielded, in one transaction, also when that is
//!   nothing. A batch that is not stored, for whatever reason, is read again from its source after
//!   a restart.
//! - Nothing is dropped because the disk fails: the batch is tried again, with growing pauses, and
//!   the sources wait behind their bounded channel.
//! - Without a policy in force no batch is taken at all.
//! - A visit that two sources saw is one event ([`sightings`]).
//! - What somebody did before they were told of the watching goes no further ([`Told`]).
//! - Whoever waits for a batch to be durable is told after it is, and never before.

pub mod sightings;

use std::sync::Arc;
use std::time::Duration;

use redshank_proto::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::sightings::Sightings;
use crate::judge::Judge;
use crate::minimiser;
use crate::notice::Told;
use crate::observation::{Batch, Checkpoint, Observation};
use crate::policy::PolicyInForce;
use crate::sources::extension::Presence;
use crate::spool::{Captured, Spool, SpoolError};

/// The first pause after the spool has failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest: a full disk is seen to have room again within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Carries batches into the spool until the sources have ended or `cancel` is called.
///
/// # Errors
/// [`SpoolError`] if trying again cannot help before the agent is started again.
pub async fn run(
    mut batches: mpsc::Receiver<Batch>,
    mut policy: watch::Receiver<Option<Arc<PolicyInForce>>>,
    spool: Arc<Spool>,
    witnesses: Witnesses,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
) -> Result<(), SpoolError> {
    let mut bench = Bench { judge: Judge::new(clock.clone()), witnesses, clock };
    let work = async {
        loop {
            let known = policy.wait_for(Option::is_some).await.ok().and_then(|it| it.clone());
            let Some(known) = known else { return Ok(()) };
            let Some(batch) = batches.recv().await else { return Ok(()) };
            bench.witnesses.presence.heard(&batch);
            // A newer one may have come while the sources were quiet.
            let in_force = policy.borrow().clone().unwrap_or(known);
            let captured = bench.judged(&in_force, batch.observations);
            let mut checkpoints = batch.checkpoints;
            checkpoints.extend(bench.witnesses.sightings.checkpoint());
            store(&spool, captured, checkpoints).await?;
            if let Some(done) = batch.done {
                // Whoever waited may have gone.
                let _ = done.send(());
            }
        }
    };
    cancel.run_until_cancelled(work).await.unwrap_or(Ok(()))
}

/// What is known beside policy of those who see and those who are seen.
#[derive(Debug)]
pub struct Witnesses {
    /// Which visits were told of before.
    pub sightings: Sightings,
    /// Which browsers have an extension.
    pub presence: Presence,
    /// Who knows of the watching.
    pub told: Told,
}

/// What judging remembers from one batch to the next.
struct Bench {
    judge: Judge,
    witnesses: Witnesses,
    clock: Arc<dyn Clock>,
}

impl Bench {
    fn judged(&mut self, policy: &PolicyInForce, observations: Vec<Observation>) -> Vec<Captured> {
        let mut captured = Vec::new();
        let Witnesses { sightings, told, .. } = &mut self.witnesses;
        for seen in observations.into_iter().filter(|seen| told.covers(seen)) {
            let Ok(seen) = minimiser::minimise(policy.private(), seen) else { continue };
            let Some(news) = sightings.news(seen, self.clock.now()) else { continue };
            captured.extend(self.judge.judge(policy, &news));
        }
        captured.extend(self.judge.take_counts(policy));
        captured
    }
}

async fn store(
    spool: &Arc<Spool>,
    captured: Vec<Captured>,
    checkpoints: Vec<Checkpoint>,
) -> Result<(), SpoolError> {
    if captured.is_empty() && checkpoints.is_empty() {
        return Ok(());
    }
    let batch = Arc::new((captured, checkpoints));
    let mut pause = FIRST_PAUSE;
    loop {
        let (spool, batch) = (Arc::clone(spool), Arc::clone(&batch));
        let append = move || spool.append(batch.0.clone(), &batch.1);
        match tokio::task::spawn_blocking(append).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if !error.is_transient() => return Err(error),
            Ok(Err(error)) => {
                tracing::warn!(%error, seconds = pause.as_secs(), "the spool failed; trying again");
            }
            Err(error) => tracing::error!(%error, "the spool failed; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
