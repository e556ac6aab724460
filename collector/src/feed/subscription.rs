//! The two streams of the feed: changes as they come, and what is open at this moment.
//!
//! Each is a task that fills a short buffer. A reader that leaves the buffer full is ended: it holds memory
//! here while others wait, and loses nothing by coming back with its cursor.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use redshank_proto::id::{AlertId, ReaderId};
use redshank_proto::time;
use redshank_proto::v1::{
    AlertChange, Heartbeat, SnapshotResponse, SubscribeResponse, snapshot_response,
    subscribe_response,
};
use tokio::sync::mpsc::{self, Sender, error::SendTimeoutError};
use tokio::sync::oneshot;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::cursor::Cursor;
use super::streams::OpenStream;
use super::{Answers, Feed, refusal};
use crate::store::StoreError;
use crate::store::changes::Place;

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
        let full = page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
        for (after, change) in page {
            send(sender, feed.pace, response(subscribe_response::Event::Change(change))).await?;
            place = after;
            heartbeat = tokio::time::Instant::now() + pace.heartbeat;
        }
        if full {
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

/// The next changes after a place, each with the place after it.
async fn page(
    feed: &Feed,
    reader: ReaderId,
    open: &OpenStream,
    after: Place,
) -> Result<Vec<(Place, AlertChange)>, End> {
    let scope = feed.entitled(reader).await?;
    let read = feed.store.read(&scope, move |view| {
        let changes = view.changes_after(after, PAGE)?;
        changes
            .into_iter()
            .map(|change| Ok((view.delivered_alert(change.alert)?, change)))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    let (alerts, changes): (Vec<_>, Vec<_>) = read.await.map_err(refusal)?.into_iter().unzip();
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    tokio::time::sleep(open.take_alerts(alerts.len())).await;
    let alerts = feed.disclose(&scope, alerts).await?;
    let generation = feed.store.generation();
    let page = changes.into_iter().zip(alerts).map(|(change, alert)| {
        let cursor = Cursor::After(change.cursor).encode(generation);
        (change.place, AlertChange { cursor, kind: change.kind as i32, alert: Some(alert) })
    });
    Ok(page.collect())
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
        let read = feed.store.read(&scope, move |view| {
            view.alerts_for_snapshot(after, PAGE)?
                .into_iter()
                .map(|alert| view.delivered_alert(alert))
                .collect::<Result<Vec<_>, _>>()
        });
        let alerts = read.await.map_err(refusal)?;
        let Some(last) = alerts.last().map(|alert| alert.alert) else { break };
        after = Some(last);
        tokio::time::sleep(open.take_alerts(alerts.len())).await;
        for alert in feed.disclose(&scope, alerts).await? {
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
