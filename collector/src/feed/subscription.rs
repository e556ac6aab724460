//! The two streams of the feed: changes as they come, and what is open at this moment.
//!
//! Each is a task that fills a short buffer. A reader that leaves the buffer full is ended: it holds memory
//! here while others wait, and loses nothing by coming back with its cursor.
//!
//! One alert that cannot be given ends no stream: it is read twice, then passed over with an error in the log
//! that names it by its id. Only what is wrong with the alert itself counts (a malformed row, a key that its
//! school lacks); a database that fails ends the stream, and the reader comes back to the same place.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use redshank_proto::id::{AlertId, ReaderId};
use redshank_proto::time;
use redshank_proto::v1::{
    Alert, AlertChange, Heartbeat, SnapshotResponse, SubscribeResponse, snapshot_response,
    subscribe_response,
};
use tokio::sync::mpsc::{self, Sender, error::SendTimeoutError};
use tokio::sync::oneshot;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::cursor::Cursor;
use super::streams::OpenStream;
use super::{Answers, Feed, refusal};
use crate::store::alerts::DeliveredAlert;
use crate::store::changes::Place;
use crate::store::{Scope, StoreError};

/// Messages that wait for a reader. The largest alert is ten events of 64 KiB, so 5 MiB at the very most.
const BUFFER: usize = 8;
/// Changes in one page: one read and one audited write for each.
const PAGE: u32 = 16;

/// How long a stream waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long a subscription is silent at most.
    pub(super) heartbeat: Duration,
    /// How long a message waits for its place in the buffer.
    pub(super) patience: Duration,
}

impl Pace {
    /// The heartbeat is what `feed.proto` promises. A reader that takes nothing for twenty seconds has stopped
    /// working, or is further behind than waiting would mend.
    pub(super) const LIVE: Self =
        Self { heartbeat: Duration::from_secs(30), patience: Duration::from_secs(20) };
}

/// Streams the changes after a place, then goes on live.
pub(super) fn follow(
    feed: Feed,
    reader: ReaderId,
    after: Place,
    open: OpenStream,
) -> Answers<SubscribeResponse> {
    answers(move |sender| async move { subscribe(&feed, reader, &open, after, &sender).await })
}

/// Streams every open alert, then the cursor from which [`follow`] goes on.
pub(super) fn snapshot(
    feed: Feed,
    reader: ReaderId,
    open: OpenStream,
) -> Answers<SnapshotResponse> {
    answers(move |sender| async move { snap(&feed, reader, &open, &sender).await })
}

/// Why a stream ends.
enum End {
    /// It has said all.
    Done,
    /// Nobody listens.
    Gone,
    /// The reader is told why.
    Refused(Status),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

async fn subscribe(
    feed: &Feed,
    reader: ReaderId,
    open: &OpenStream,
    after: Place,
    sender: &Sender<SubscribeResponse>,
) -> Result<(), End> {
    let mut place = after;
    let mut changed = feed.store.changed();
    let pace = feed.pace;
    let mut heartbeat = tokio::time::Instant::now() + pace.heartbeat;
    loop {
        changed.mark_unchanged();
        let page = page(feed, reader, open, place).await?;
        for change in page.changes {
            send(sender, feed.pace, response(subscribe_response::Event::Change(change))).await?;
            heartbeat = tokio::time::Instant::now() + pace.heartbeat;
        }
        place = page.after;
        if page.full {
            continue;
        }
        tokio::select! {
            () = feed.cancel.cancelled() => return Err(closing()),
            () = sender.closed() => return Err(End::Gone),
            () = tokio::time::sleep_until(heartbeat) => {
                let collector_time = Some(time::to_wire(feed.clock.now()));
                let beat = subscribe_response::Event::Heartbeat(Heartbeat { collector_time });
                send(sender, feed.pace, response(beat)).await?;
                heartbeat = tokio::time::Instant::now() + pace.heartbeat;
            }
            changed = changed.changed() => if changed.is_err() { return Err(closing()) },
        }
    }
}

/// Some changes, and where to go on.
struct Page {
    changes: Vec<AlertChange>,
    /// The place after all that were read, those passed over included.
    after: Place,
    /// Whether there may be more at once.
    full: bool,
}

/// The next changes after a place.
async fn page(feed: &Feed, reader: ReaderId, open: &OpenStream, after: Place) -> Result<Page, End> {
    let scope = feed.entitled(reader).await?;
    let read = feed.store.read(&scope, move |view| view.changes_after(after, PAGE));
    let changes = read.await.map_err(refusal)?;
    let full = changes.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
    let after = changes.last().map_or(after, |change| change.place);
    let ids = changes.iter().map(|change| change.alert).collect();
    let alerts = alerts(feed, &scope, open, ids).await?;
    let generation = feed.store.generation();
    let changes = changes.into_iter().zip(alerts).filter_map(|(change, alert)| {
        let cursor = Cursor::After(change.cursor).encode(generation);
        Some(AlertChange { cursor, kind: change.kind as i32, alert: Some(alert?) })
    });
    Ok(Page { changes: changes.collect(), after, full })
}

/// The alerts of these ids, ready to be sent; nothing in the place of one that cannot be given.
async fn alerts(
    feed: &Feed,
    scope: &Scope,
    open: &OpenStream,
    ids: Vec<AlertId>,
) -> Result<Vec<Option<Alert>>, End> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let read = feed.store.read(scope, {
        let ids = ids.clone();
        move |view| Ok(ids.into_iter().map(|id| view.delivered_alert(id)).collect::<Vec<_>>())
    });
    let first = read.await.map_err(refusal)?;
    let mut delivered = Vec::with_capacity(ids.len());
    for (id, alert) in ids.into_iter().zip(first) {
        delivered.push(match alert {
            Ok(alert) => Some(alert),
            Err(_) => once_more(feed, scope, id).await?,
        });
    }
    tokio::time::sleep(open.take_alerts(delivered.len())).await;
    Ok(feed.disclose(scope, delivered).await?)
}

/// Reads an alert again that could not be read; nothing if it is the alert that is at fault.
async fn once_more(feed: &Feed, scope: &Scope, id: AlertId) -> Result<Option<DeliveredAlert>, End> {
    match feed.store.read(scope, move |view| view.delivered_alert(id)).await {
        Ok(alert) => Ok(Some(alert)),
        Err(error @ (StoreError::Missing(_) | StoreError::Malformed(_))) => {
            tracing::error!(%error, alert = %id, "the feed passes over an alert that it cannot read");
            Ok(None)
        }
        Err(error) => Err(refusal(error).into()),
    }
}

async fn snap(
    feed: &Feed,
    reader: ReaderId,
    open: &OpenStream,
    sender: &Sender<SnapshotResponse>,
) -> Result<(), End> {
    // The cursor first: what changes while the alerts go out comes again with Subscribe.
    let scope = feed.entitled(reader).await?;
    let newest = feed
        .store
        .read(&scope, |view| Ok(view.newest_change()?.map_or(Cursor::Beginning, Cursor::After)));
    let cursor = newest.await.map_err(refusal)?.encode(feed.store.generation());
    let mut after: Option<AlertId> = None;
    loop {
        let scope = feed.entitled(reader).await?;
        let read = feed.store.read(&scope, move |view| view.alerts_for_snapshot(after, PAGE));
        let ids = read.await.map_err(refusal)?;
        let Some(last) = ids.last().copied() else { break };
        after = Some(last);
        for alert in alerts(feed, &scope, open, ids).await?.into_iter().flatten() {
            send(
                sender,
                feed.pace,
                SnapshotResponse { item: Some(snapshot_response::Item::Alert(alert)) },
            )
            .await?;
        }
    }
    send(
        sender,
        feed.pace,
        SnapshotResponse { item: Some(snapshot_response::Item::Cursor(cursor)) },
    )
    .await
}

fn response(event: subscribe_response::Event) -> SubscribeResponse {
    SubscribeResponse { event: Some(event) }
}

fn closing() -> End {
    End::Refused(Status::unavailable("the collector is shutting down"))
}

async fn send<T>(sender: &Sender<T>, pace: Pace, message: T) -> Result<(), End> {
    sender.send_timeout(message, pace.patience).await.map_err(|error| match error {
        SendTimeoutError::Closed(_) => End::Gone,
        SendTimeoutError::Timeout(_) => End::Refused(Status::resource_exhausted(
            "the reader is too slow: subscribe again after its last cursor",
        )),
    })
}

/// Runs a task that fills a bounded buffer, and ends its stream with the task's last word. That word has a
/// way of its own, because the buffer of a slow reader is full.
fn answers<T, F>(fill: impl FnOnce(Sender<T>) -> F) -> Answers<T>
where
    T: Send + 'static,
    F: Future<Output = Result<(), End>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(BUFFER);
    let (last_word, end) = oneshot::channel();
    let filling = fill(sender);
    tokio::spawn(async move {
        let end = filling.await.err().unwrap_or(End::Done);
        // Whoever has gone hears no last word.
        drop(last_word.send(end));
    });
    let last = stream::once(end).filter_map(|end| async {
        match end {
            Ok(End::Refused(status)) => Some(Err(status)),
            Ok(End::Done | End::Gone) => None,
            Err(_) => Some(Err(Status::internal("the stream broke off"))),
        }
    });
    Box::pin(ReceiverStream::new(receiver).map(Ok).chain(last))
}
