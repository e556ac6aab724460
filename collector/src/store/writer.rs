//! The one writer: jobs in, groups committed, answers out.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use jiff::Timestamp;
use redshank_proto::clock::{Clock, Randomness};
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot, watch};

use super::{Scope, StoreError, View};

/// Jobs that may wait. Past it, whoever writes waits: the back-pressure that ends at an agent's spool.
const QUEUE: usize = 1_024;
/// Jobs in one commit: enough to share an `fdatasync` among all agents that speak at once, few enough that
/// the first of them does not wait long for the last.
const GROUP: usize = 256;

/// A writing: a scope, the time, randomness, and a transaction that only the store's modules see.
#[derive(Debug)]
pub struct Edit<'a> {
    view: View<'a>,
    now: Timestamp,
    randomness: &'a dyn Randomness,
}

impl<'a> Edit<'a> {
    /// Who asks.
    #[must_use]
    pub fn scope(&self) -> &'a Scope {
        self.view.scope()
    }

    /// When this job began.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Randomness.
    #[must_use]
    pub fn randomness(&self) -> &'a dyn Randomness {
        self.randomness
    }

    /// The same transaction, for reading.
    #[must_use]
    pub fn view(&self) -> &View<'a> {
        &self.view
    }

    pub(in crate::store) fn sql(&self) -> &'a Connection {
        self.view.sql()
    }
}

type Job = Box<dyn FnOnce(&Connection, &Context) -> Answer + Send>;
/// Tells the caller, once it is known whether the group was committed.
type Answer = Box<dyn FnOnce(bool) + Send>;

struct Context {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    places: Arc<Semaphore>,
    committed: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (commits, committed) = watch::channel(0);
        let context = Context { clock, randomness };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(&connection, &context, &queue, &commits))
            .map_err(|_| StoreError::Closed)?;
        let places = Arc::new(Semaphore::new(QUEUE));
        Ok(Self { jobs: Some(jobs), places, committed, thread: Some(thread) })
    }

    pub(super) fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    pub(super) async fn write<T, F>(&self, scope: Scope, job: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Edit<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        // The semaphore waits where the channel would block the thread. A job keeps its place until it has
        // run, even if whoever asked for it has gone: so the channel always has room for who holds a place.
        let place = self.places.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection, context| {
            drop(place);
            let result = in_savepoint(connection, &scope, context, job);
            Box::new(move |committed| {
                let result =
                    if committed { result } else { result.and(Err(StoreError::NotCommitted)) };
                // Nobody listens any more if the caller has gone; what was written stays written.
                drop(answer.send(result));
            })
        });
        match self.jobs.as_ref().ok_or(StoreError::Closed)?.try_send(job) {
            Ok(()) => answered.await.map_err(|_| StoreError::Closed)?,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    }
}

impl Drop for Writer {
    /// Lets the thread finish what it was given.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had panicked");
        }
    }
}

fn serve(
    connection: &Connection,
    context: &Context,
    queue: &Receiver<Job>,
    commits: &watch::Sender<u64>,
) {
    while let Ok(first) = queue.recv() {
        let group = std::iter::once(first).chain(queue.try_iter().take(GROUP - 1));
        let (answers, committed) = commit(connection, context, group);
        if committed {
            commits.send_modify(|count| *count += 1);
        }
        for answer in answers {
            answer(committed);
        }
    }
    // A clean shutdown leaves one file behind, not three.
    if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the last checkpoint failed; the next start does it");
    }
}

fn commit(
    connection: &Connection,
    context: &Context,
    group: impl Iterator<Item = Job>,
) -> (Vec<Answer>, bool) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let answers = group.map(|job| job(connection, context)).collect();
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
    if let Err(error) = &committed {
        tracing::error!(%error, "a group of writes was not committed");
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "and could not be rolled back");
        }
    }
    (answers, committed.is_ok())
}

fn in_savepoint<T>(
    connection: &Connection,
    scope: &Scope,
    context: &Context,
    job: impl FnOnce(&Edit<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // No transaction: BEGIN failed, or SQLite has rolled the group back by itself (a full disk does that).
    if connection.is_autocommit() {
        return Err(StoreError::NotCommitted);
    }
    connection.execute_batch("SAVEPOINT job")?;
    let edit = Edit {
        view: View::new(connection, scope),
        now: context.clock.now(),
        randomness: &*context.randomness,
    };
    // A panic in one job must neither end the thread nor leave half of the job in the group.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&edit)))
        .unwrap_or(Err(StoreError::Closed));
    // The job met a full disk: SQLite has taken the whole group back, and the savepoint with it.
    if connection.is_autocommit() {
        return Err(StoreError::NotCommitted);
    }
    match result {
        Ok(value) => {
            connection.execute_batch("RELEASE job")?;
            Ok(value)
        }
        Err(error) => {
            connection.execute_batch("ROLLBACK TO job; RELEASE job")?;
            Err(error)
        }
    }
}
