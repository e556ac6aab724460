//! A connection after its handshake: bytes, who is at the other end, and the places it holds.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::Caller;
use super::places::{AddressPlace, Place};

/// A connection whose handshake is done. It ends when its caller's certificate is refused or the collector
/// closes.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    caller: Caller,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    _ending: Arc<CancellationToken>,
    _place: Place,
    _address_place: Option<AddressPlace>,
}

impl Connection {
    pub(super) fn new(
        stream: TlsStream<TcpStream>,
        caller: Caller,
        ending: Arc<CancellationToken>,
        place: Place,
        address_place: Option<AddressPlace>,
    ) -> Self {
        let ended = Box::pin(CancellationToken::clone(&ending).cancelled_owned());
        Self {
            stream,
            caller,
            ended,
            _ending: ending,
            _place: place,
            _address_place: address_place,
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The protocol that the handshake settled on.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        self.stream.get_ref().1.alpn_protocol() == Some(redshank_proto::tls::ALPN_H2)
    }
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ended.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
