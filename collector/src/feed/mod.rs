//! The feed: how a monitoring service follows the alerts of the schools it is entitled to.
//!
//! ```text
//! change log ─► page of changes ─► the alerts as they stand ─► audit ─► pseudonyms, names masked ─► reader
//!   a cursor        entitlement         joined on it           first       disclosure
//! ```
//! - **At least once, in order.** A change carries a cursor (`cursor`); a reader keeps it once the change is
//!   safely handled and asks for what comes after. Without one it goes on after what it acknowledged.
//! - **Entitled, each time.** Which schools a reader may read stands in the store and is joined by every
//!   statement, so that withdrawing it ends the stream with its next page, within a heartbeat at most.
//! - **On the audit trail before it is sent**: one entry for each alert that goes out with its content.
//! - **Pseudonymous**: no name, account, profile or computer's name leaves (`disclosure`).
//! - **Bounded**: a reader that does not take what it asked for is ended and resumes; streams of one reader
//!   are few (`streams`); every field of a request has its bound.
//!
//! A reader that is given another school later gets that school's changes from then on; `Snapshot` gives it
//! what is open there already.

mod cursor;
mod disclosure;
mod streams;
mod subscription;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use redshank_proto::bounds;
use redshank_proto::clock::Clock;
use redshank_proto::id::{AlertId, ReaderId};
use redshank_proto::v1::feed_service_server::{FeedService, FeedServiceServer};
use redshank_proto::v1::{
    AcknowledgeRequest, AcknowledgeResponse, Alert, AssessRequest, AssessResponse, SnapshotRequest,
    SnapshotResponse, SubscribeRequest, SubscribeResponse,
};
use tokio_util::sync::CancellationToken;
use tonic::{Extensions, Request, Response, Status};

use self::cursor::Cursor;
use self::streams::Streams;
use self::subscription::Pace;
use crate::keys::KeyRing;
use crate::listen::Caller;
use crate::store::alerts::DeliveredAlert;
use crate::store::changes::Place;
use crate::store::readers::NewAssessment;
use crate::store::{Scope, Store, StoreError};

/// Bytes of a request: an assessment with the longest note, and its framing.
const REQUEST_BYTES: usize = bounds::NOTE_BYTES + 1_024;

/// The service, to be added to the router of the mTLS listener. Its streams end when `cancel` does.
#[must_use]
pub fn service(
    store: Store,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
) -> FeedServiceServer<Feed> {
    FeedServiceServer::new(Feed::new(store, keys, clock, cancel))
        .max_decoding_message_size(REQUEST_BYTES)
}

/// The feed's service. Clones share it.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    streams: Streams,
    pace: Pace,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FeedService for Feed {
    type SubscribeStream = Answers<SubscribeResponse>;
    type SnapshotStream = Answers<SnapshotResponse>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let reader = reader(request.extensions())?;
        let stream = self.streams.take(reader)?;
        let scope = self.entitled(reader).await?;
        let after = self.place(&scope, &request.get_ref().after_cursor).await?;
        Ok(Response::new(subscription::follow(self.clone(), reader, after, stream)))
    }

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let reader = reader(request.extensions())?;
        let stream = self.streams.take(reader)?;
        self.entitled(reader).await?;
        Ok(Response::new(subscription::snapshot(self.clone(), reader, stream)))
    }

    async fn acknowledge(
        &self,
        request: Request<AcknowledgeRequest>,
    ) -> Result<Response<AcknowledgeResponse>, Status> {
        let scope = self.entitled(reader(request.extensions())?).await?;
        let cursor = &request.get_ref().cursor;
        if cursor.is_empty() {
            return Err(Status::invalid_argument(
                "cursor: expected that of a change or a snapshot",
            ));
        }
        let place = self.place(&scope, cursor).await?;
        self.store
            .write(&scope, move |edit| edit.acknowledge_changes(place))
            .await
            .map_err(refusal)?;
        Ok(Response::new(AcknowledgeResponse {}))
    }

    async fn assess(
        &self,
        request: Request<AssessRequest>,
    ) -> Result<Response<AssessResponse>, Status> {
        let scope = self.entitled(reader(request.extensions())?).await?;
        let assessment = assessment(request.into_inner())?;
        self.store
            .write(&scope, move |edit| edit.assess_alert(&assessment))
            .await
            .map_err(refusal)?;
        Ok(Response::new(AssessResponse {}))
    }
}

impl Feed {
    fn new(store: Store, keys: KeyRing, clock: Arc<dyn Clock>, cancel: CancellationToken) -> Self {
        Self { store, keys, clock, cancel, streams: Streams::default(), pace: Pace::LIVE }
    }

    /// The scope of a reader, with the schools that it may read at this moment.
    async fn entitled(&self, reader: ReaderId) -> Result<Scope, Status> {
        let nowhere = Scope::reader(reader, Vec::new());
        let read = self.store.read(&nowhere, move |view| {
            let schools = view.reader_schools()?;
            Ok((!schools.is_empty()).then(|| Scope::reader(reader, schools)))
        });
        read.await
            .map_err(refusal)?
            .ok_or_else(|| Status::permission_denied("this reader is entitled to no school"))
    }

    /// The place that a reader's cursor names; without one, the place that it has acknowledged.
    async fn place(&self, scope: &Scope, cursor: &[u8]) -> Result<Place, Status> {
        let own = cursor.is_empty();
        let cursor = Cursor::decode(cursor, self.store.generation());
        let read = self.store.read(scope, move |view| match cursor {
            _ if own => view.reader_place().map(Some),
            Some(Cursor::Beginning) => Ok(Some(Place::default())),
            Some(Cursor::After(change)) => view.place_of(&change),
            None => Ok(None),
        });
        read.await.map_err(refusal)?.ok_or_else(|| {
            Status::failed_precondition(
                "this cursor is of another log or older than what is kept: call Snapshot, then \
                 Subscribe after the cursor that it ends with",
            )
        })
    }

    /// Makes alerts ready to be sent: on the audit trail first, then without what identifies. Nothing stays
    /// nothing, and so becomes an alert of a school whose keys are not there when the ring was read again.
    async fn disclose(
        &self,
        scope: &Scope,
        alerts: Vec<Option<DeliveredAlert>>,
    ) -> Result<Vec<Option<Alert>>, Status> {
        if !alerts.iter().flatten().all(|alert| self.keys.holds(alert.school)) {
            self.keys.refresh(&self.store).await.map_err(|error| {
                tracing::error!(%error, "the keys of a new school could not be read");
                Status::internal("the collector failed; try again later")
            })?;
        }
        let mut sent = Vec::new();
        let mut disclosed = Vec::with_capacity(alerts.len());
        for alert in alerts {
            let Some(alert) = alert else {
                disclosed.push(None);
                continue;
            };
            let (school, id) = (alert.school, alert.alert);
            let alert = disclosure::disclose(alert, &self.keys);
            if alert.is_some() {
                sent.push((school, id));
            } else {
                tracing::error!(alert = %id, %school, "the feed passes over an alert: its school has no keys");
            }
            disclosed.push(alert);
        }
        self.store.write(scope, move |edit| edit.deliver_alerts(&sent)).await.map_err(refusal)?;
        Ok(disclosed)
    }
}

/// The reader that calls.
fn reader(extensions: &Extensions) -> Result<ReaderId, Status> {
    Caller::reader(extensions).map(|(reader, _)| reader)
}

/// Checks an assessment against its bounds.
fn assessment(request: AssessRequest) -> Result<NewAssessment, Status> {
    let wrong = |field: &str| Err(Status::invalid_argument(field));
    let Ok(assessment) = <[u8; 16]>::try_from(request.assessment_id.as_slice()) else {
        return wrong("assessment_id: expected 16 random bytes");
    };
    let Ok(alert) = AlertId::try_from(request.alert_id.as_slice()) else {
        return wrong("alert_id: expected 16 bytes");
    };
    let Some(grade) = u8::try_from(request.grade).ok().filter(|grade| (1..=5).contains(grade))
    else {
        return wrong("grade: expected 1 to 5");
    };
    if request.note.len() > bounds::NOTE_BYTES {
        return wrong("note: expected at most 2,000 bytes");
    }
    let (note, school_called) = (request.note, request.school_called);
    Ok(NewAssessment { assessment, alert, grade, note, school_called })
}

/// What a reader is told of the store's refusal: nothing of what lies outside its scope.
fn refusal(error: StoreError) -> Status {
    match error {
        StoreError::Missing("alert") => {
            Status::not_found("there is no such alert among this reader's schools")
        }
        StoreError::OutOfScope | StoreError::Missing(_) => {
            Status::permission_denied("this reader is not known here")
        }
        StoreError::Conflict(what) => Status::failed_precondition(what),
        StoreError::NotCommitted => Status::unavailable("the collector could not write: try again"),
        StoreError::Closed => Status::unavailable("the collector is shutting down"),
        error @ (StoreError::Sqlite(_) | StoreError::Malformed(_) | StoreError::Open { .. }) => {
            tracing::error!(%error, "the feed could not be served");
            Status::internal("the collector failed; try again later")
        }
    }
}
