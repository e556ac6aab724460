//! Accepting: TCP, a place, a handshake within its time, and who it was.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use redshank_proto::bounds;
use redshank_proto::peer::Peer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::places::{AddressPlace, Bounds, Place, Places};
use super::standing::Standing;
use super::{Caller, ClientCertificate, Connection};

/// Connections that have shaken hands and wait to be served. Serving starts at once, so few ever do.
const QUEUE: usize = 64;
/// How long to wait after `accept` failed: most often the process is out of file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// How often the log has a line about connections that found no place.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// A listener's TLS configuration, swapped while it serves.
pub type TlsConfig = Arc<ArcSwap<ServerConfig>>;

/// Accepts the connections of one listener.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    tls: TlsConfig,
    places: Places,
    standing: Standing,
}

impl Acceptor {
    /// Binds an address.
    ///
    /// # Errors
    /// The operating system's, if the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        tls: TlsConfig,
        bounds: Bounds,
        standing: Standing,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls, places: Places::new(bounds), standing })
    }

    /// The address bound, with its real port.
    ///
    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts until `stopping`.
    #[must_use]
    pub fn connections(
        self,
        stopping: CancellationToken,
    ) -> ReceiverStream<io::Result<Connection>> {
        let (ready, connections) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = ready.closed() => {}
                () = self.accept(&ready) => {}
            }
        });
        ReceiverStream::new(connections)
    }

    async fn accept(&self, ready: &mpsc::Sender<io::Result<Connection>>) {
        let mut turned_away = TurnedAway::default();
        loop {
            let (stream, address) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            let Some(places) = self.places.take(address.ip()) else {
                turned_away.one_more();
                continue;
            };
            let tls = TlsAcceptor::from(self.tls.load_full());
            let (standing, ready) = (self.standing.clone(), ready.clone());
            tokio::spawn(async move {
                let shaken = shake(tls, stream, address, places, &standing);
                match tokio::time::timeout(bounds::HANDSHAKE_TIMEOUT, shaken).await {
                    // Nobody serves any more if this fails.
                    Ok(Ok(connection)) => drop(ready.send(Ok(connection)).await),
                    Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                    Err(_) => tracing::debug!("a handshake took too long"),
                }
            });
        }
    }
}

/// Connections that found no place. Their number is a stranger's choice, that of the log's lines is not.
#[derive(Debug, Default)]
struct TurnedAway {
    count: u64,
    told_at: Option<Instant>,
}

impl TurnedAway {
    fn one_more(&mut self) {
        self.count += 1;
        if self.told_at.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            tracing::warn!(count = self.count, "connections were closed: all places are taken");
            *self = Self { count: 0, told_at: Some(Instant::now()) };
        }
    }
}

async fn shake(
    tls: TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
    (place, address_place): (Place, AddressPlace),
    standing: &Standing,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let stream = tls.accept(stream).await?;
    let certificate = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .map(|leaf| identify(leaf))
        .transpose()?;
    let caller = Caller { address, certificate };
    let ending = standing.ending(certificate.map(|held| held.serial));
    // Who has shown a certificate is known, and no longer one of many behind an address.
    let address_place = certificate.is_none().then_some(address_place);
    Ok(Connection::new(stream, caller, ending, place, address_place))
}

/// Reads who a certificate is for, once TLS has verified it.
fn identify(leaf: &[u8]) -> io::Result<ClientCertificate> {
    let refused = |reason: String| io::Error::new(io::ErrorKind::PermissionDenied, reason);
    let peer = Peer::from_certificate(leaf).map_err(|error| refused(error.to_string()))?;
    let (_, parsed) =
        X509Certificate::from_der(leaf).map_err(|error| refused(error.to_string()))?;
    let serial = parsed
        .raw_serial()
        .try_into()
        .map_err(|_| refused("the certificate's serial number is not one of ours".to_owned()))?;
    Ok(ClientCertificate { peer, serial })
}
