//! What a generated client may speak over: a channel to a collector, or a service in the same process.

use tonic::client::GrpcService;
use tonic::codegen::{Body as HttpBody, Bytes, StdError};

/// A connection for generated clients.
///
/// The real one is [`tonic::transport::Channel`]; a generated server is one too, and that is how the
/// tests speak the protocol without a socket.
pub trait Transport:
    GrpcService<
        tonic::body::Body,
        ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        Error: Into<StdError>,
    >
{
}

impl<T> Transport for T where
    T: GrpcService<
            tonic::body::Body,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
            Error: Into<StdError>,
        >
{
}

/// Makes of a peer's words what may stand in a message: one line, printable, at most 300 bytes.
#[must_use]
pub fn plain(words: &str) -> String {
    let words: String =
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    redshank_proto::bounds::cut(words.trim(), 300).to_owned()
}
