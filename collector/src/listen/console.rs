//! The console over HTTPS: hyper, HTTP/1.1 and HTTP/2 as the handshake settled, with times and bounds.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use redshank_proto::bounds;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{Connection, DRAIN, KEEP_ALIVE, KEEP_ALIVE_TIMEOUT};

/// How long a browser may take over a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// HTTP/2 streams of one browser at once: a page, its parts, its live updates in a few tabs.
const STREAMS: u32 = 64;

/// Serves the console until `stopping`, then lets requests under way end.
pub async fn serve(
    router: Router,
    mut connections: impl Stream<Item = io::Result<Connection>> + Unpin,
    stopping: CancellationToken,
) {
    let tasks = TaskTracker::new();
    while let Some(connection) = connections.next().await {
        if let Ok(connection) = connection {
            tasks.spawn(serve_one(router.clone(), connection, stopping.clone()));
        }
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::debug!("console connections were closed with requests under way");
    }
}

async fn serve_one(router: Router, connection: Connection, stopping: CancellationToken) {
    let address: SocketAddr = connection.caller().address;
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(axum::body::Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(usize::try_from(bounds::HEADER_BYTES).unwrap_or(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(bounds::HEADER_BYTES);
    let builder = if connection.is_http2() { builder.http2_only() } else { builder.http1_only() };
    let served =
        builder.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a console connection ended");
    }
}
