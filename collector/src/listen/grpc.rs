//! The gRPC listeners: bounds on streams and headers, health, reflection.

use std::time::Duration;

use redshank_proto::{bounds, v1};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::pb::health_server::SERVICE_NAME as HEALTH;
use tonic_health::server::health_reporter;
use tonic_reflection::server::Builder;

use super::{DRAIN, KEEP_ALIVE, KEEP_ALIVE_TIMEOUT};

/// Streams of one connection at once: an agent has one and a call beside it, a reader a few.
const STREAMS: u32 = 16;
/// Bytes that a peer may send ahead on one stream, and on one connection: a full batch, and one more.
const STREAM_WINDOW: u32 = 1024 * 1024 + 64 * 1024;

/// How long a stranger keeps a connection: enrolment is a few calls.
const STRANGERS_AGE: Duration = Duration::from_secs(60);

/// A server for strangers: whoever it is, the place is somebody else's after a minute.
#[must_use]
pub fn server_for_strangers() -> Server {
    server()
        .max_connection_age(STRANGERS_AGE)
        .max_connection_age_grace(DRAIN)
        .timeout(STRANGERS_AGE)
}

/// A server with our bounds.
#[must_use]
pub fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .http2_max_header_list_size(bounds::HEADER_BYTES)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(2 * STREAM_WINDOW)
        .concurrency_limit_per_connection(usize::try_from(STREAMS).unwrap_or(16))
}

/// Adds health and reflection (v1 and v1alpha) for the services of these names.
///
/// # Errors
/// If the encoded descriptors do not decode, which a build cannot produce.
pub async fn describe(
    routes: Routes,
    services: &[&'static str],
) -> Result<Routes, tonic_reflection::server::Error> {
    let (reporter, health) = health_reporter();
    for service in services {
        reporter.set_service_status(service, tonic_health::ServingStatus::Serving).await;
    }
    let builder = || {
        services
            .iter()
            .chain([&HEALTH])
            .fold(Builder::configure(), |builder, service| builder.with_service_name(*service))
            .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(routes
        .add_service(health)
        .add_service(builder().build_v1()?)
        .add_service(builder().build_v1alpha()?))
}
