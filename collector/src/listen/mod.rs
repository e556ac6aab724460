//! The listeners: our own acceptor in front of tonic and axum.
//!
//! ```text
//! TCP ─► places ─► handshake ─► Connection ─► gRPC (tonic): enrolment; agents and feed
//!        (bounds)  (TLS 1.3)    (+ Caller)  └► HTTPS (hyper): console
//! ```
//! - **Nothing before TLS.** Handshakes run at the same time, each within
//!   [`redshank_proto::bounds::HANDSHAKE_TIMEOUT`];
//!   one that fails costs its own task and nothing else.
//! - **Every count has a bound** ([`places`]): connections in all, connections of one address that are not
//!   authenticated yet. Past a bound a connection is closed at once, so that whoever has a place keeps it;
//!   on the enrolment listener it is somebody else's after a minute.
//! - **Certificates and revocations are swapped without a restart.** Each handshake takes the configuration
//!   that is current then. A connection whose client certificate is refused later is closed
//!   ([`standing`]); what the caller is told when it comes again is the services' to say.
//! - **Who calls** is verified by TLS, put into each request's extensions as [`Caller`], and read by the
//!   services: a device's certificate does not open the feed, a reader's does not report.
//! - **Stopping**: the listener closes, requests under way get [`DRAIN`], then connections are closed.

mod acceptor;
mod caller;
mod certificates;
mod connection;
mod console;
mod grpc;
pub mod places;
pub mod standing;

use std::time::Duration;

pub use self::acceptor::{Acceptor, TlsConfig};
pub use self::caller::{Caller, ClientCertificate};
pub use self::certificates::{Certificates, CertificatesError};
pub use self::connection::Connection;
pub use self::console::serve as serve_console;
pub use self::grpc::{describe, server as grpc_server, server_for_strangers};

/// How long requests under way may take to end when the collector stops.
pub const DRAIN: Duration = Duration::from_secs(5);
/// How often an idle HTTP/2 connection is asked whether it is still there.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A keep-alive that was not answered by now will not be.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
