//! Ingest: what agents report goes into the event log, and is acknowledged once it is durable there.
//!
//! ```text
//! message ─► admit (pure: bounds, lane, sequence, epoch) ─► one write of the store ─► acknowledgement
//! ```
//! - **Acknowledged means committed.** A batch is one job of the store's writer; batches of all agents that
//!   speak at once share a commit. Nothing is acknowledged before the job's answer.
//! - **Refused is settled too.** An event that can never be taken is named with its reason, so that no agent
//!   sends it for ever; a message that breaks the protocol ends the stream ([`admit::Violation`]).
//! - **Order is not relied on.** The protocol asks for rising sequences; what identifies an event is its
//!   position and digest, so a stream that repeats or reorders only costs a look-up.
//! - **The newest stream of a device wins** ([`streams`]): a laptop that came back on another network is not
//!   kept out by its own dead connection. A clone's two agents take turns and are marked, both taken.
//! - **Back-pressure.** A stream has one batch under way; all streams together have [`BYTES_UNDER_WAY`];
//!   each device has an [`allowance`] that outlives its streams. Who is past one is read from later or told
//!   to come again later, and its spool holds the rest.
//! - Content is never opened here: the log holds it sealed.

pub mod admit;
pub mod allowance;
pub mod pace;
mod session;
pub mod streams;

use std::sync::Arc;

use redshank_proto::clock::Clock;
use redshank_proto::peer::Peer;
use redshank_proto::v1::ingest_service_server::{IngestService, IngestServiceServer};
use redshank_proto::v1::{ReportRequest, ReportResponse};
use redshank_proto::{bounds, v1};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use self::allowance::Allowances;
use self::session::Session;
use self::streams::Streams;
use crate::listen::Caller;
use crate::listen::standing::Standing;
use crate::store::devices::DeviceStatus;
use crate::store::{Scope, Store, StoreError};

/// KiB of events that all streams together may have under way.
pub const BYTES_UNDER_WAY: usize = 64 * 1024;
/// Answers that wait for one agent to read them.
const ANSWERS: usize = 16;

/// The service. See the module.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    standing: Standing,
    clock: Arc<dyn Clock>,
    streams: Streams,
    allowances: Allowances,
    under_way: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// Makes the service; its streams end when `stopping` is cancelled.
#[must_use]
pub fn service(
    store: Store,
    standing: Standing,
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
) -> IngestServiceServer<Ingest> {
    let under_way = Arc::new(Semaphore::new(BYTES_UNDER_WAY));
    let (streams, allowances) = (Streams::default(), Allowances::default());
    let ingest = Ingest { store, standing, clock, streams, allowances, under_way, stopping };
    IngestServiceServer::new(ingest).max_decoding_message_size(bounds::MESSAGE_BYTES)
}

#[tonic::async_trait]
impl IngestService for Ingest {
    type ReportStream = ReceiverStream<Result<ReportResponse, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (school, device, serial) = Caller::device(request.extensions())?;
        let scope = Scope::device(school, device);
        let peer = Peer::Device { school, device };
        let read = self.store.read(&scope, move |view| {
            Ok((view.enrolled(school, device)?, view.certificate_stands(&serial, peer)?))
        });
        let (enrolled, stands) = read.await.map_err(|error| status(&error))?;
        if !stands || enrolled.status == DeviceStatus::Revoked {
            return Err(revoked());
        }
        let (answers, stream) = mpsc::channel(ANSWERS);
        let place = self.streams.enter(device);
        let session = Session::new(
            self.store.clone(),
            self.clock.clone(),
            self.standing.policies(),
            self.under_way.clone(),
            self.allowances.of(device),
            (school, device),
        );
        let stopping = self.stopping.clone();
        let messages = request.into_inner();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = session.run(messages, &answers) => ended,
                () = place.superseded() => {
                    Err(Status::aborted("a newer stream of this device has taken over"))
                }
                () = stopping.cancelled() => Err(Status::unavailable("the collector is stopping")),
            };
            if let Err(status) = ended {
                tracing::debug!(%device, code = ?status.code(), "a stream ended");
                // The agent may have gone, in which case there is nobody to tell.
                drop(answers.send(Err(status)).await);
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// What an agent is told when the store does not do what it was asked.
pub(crate) fn status(error: &StoreError) -> Status {
    match error {
        StoreError::OutOfScope | StoreError::Missing(_) => revoked(),
        StoreError::Closed => Status::unavailable("the collector is stopping"),
        StoreError::NotCommitted => {
            tracing::error!(%error, "nothing was acknowledged");
            Status::unavailable("the collector could not write; try again later")
        }
        StoreError::Conflict(reason) => Status::resource_exhausted(*reason),
        StoreError::Sqlite(_) | StoreError::Malformed(_) | StoreError::Open { .. } => {
            tracing::error!(%error, "the store failed");
            Status::internal("the collector's store failed")
        }
    }
}

fn revoked() -> Status {
    Status::permission_denied("the certificate is revoked or unknown to this collector")
}

/// Wraps an answer.
fn answer(message: v1::report_response::Message) -> ReportResponse {
    ReportResponse { message: Some(message) }
}

#[cfg(test)]
mod tests;
