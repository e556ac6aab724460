//! Connecting: straight or through a school's HTTP proxy, then TLS, then a gRPC channel; and saying in
//! plain words why not.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::{CertificateError, ClientConfig};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::Service as _;

use super::verify::Recording;
use crate::bounds;

/// A school's network may be slow; past this it is down.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
/// Long enough not to wake a laptop's radio for nothing, short enough to notice a dead path before a minute is over.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A keep-alive that was not answered by now will not be.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Where to connect: `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    name: ServerName<'static>,
}

/// A proxy through which a school lets its devices out.
#[derive(Debug, Clone)]
pub struct HttpProxy {
    /// `http://host:port`.
    pub uri: Uri,
    /// The value of `Proxy-Authorization`, where the proxy wants one (Basic, RFC 7617).
    pub authorization: Option<http::HeaderValue>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error("`{0}` is not an address of a collector; it should read https://host:port")]
    Address(String),
    /// Nothing answers there.
    #[error("{host} cannot be reached: {reason}; check the name, the port and the network")]
    Unreachable {
        /// The host and port.
        host: String,
        /// What the operating system or the proxy said.
        reason: String,
    },
    /// Something answers, but not in time.
    #[error("{host} does not answer; check the port and whether a firewall drops the connection")]
    Timeout {
        /// The host and port.
        host: String,
    },
    /// Somebody else answers.
    #[error(
        "the certificate that {host} shows is issued by \"{issuer}\", not by this school's collector: \
         something between intercepts TLS; exempt {host} from inspection"
    )]
    Intercepted {
        /// The host and port.
        host: String,
        /// Who issued the certificate that was shown.
        issuer: String,
    },
    /// The right issuer, the wrong name.
    #[error(
        "the collector's certificate is not for {host}; connect by a name that `init --name` was given"
    )]
    WrongName {
        /// The host and port.
        host: String,
    },
    /// The right issuer, the wrong time.
    #[error(
        "the certificate of {host} is not valid at this device's time; check the device's clock, then the \
         collector's certificate"
    )]
    WrongTime {
        /// The host and port.
        host: String,
    },
    /// TLS failed otherwise: most often the server refuses our certificate.
    #[error("TLS with {host} failed: {reason}")]
    Tls {
        /// The host and port.
        host: String,
        /// What rustls said.
        reason: String,
    },
}

impl Target {
    /// Reads `https://host:port`; the port may be left out (443).
    ///
    /// # Errors
    /// [`ConnectError::Address`] if it is something else.
    pub fn parse(text: &str) -> Result<Self, ConnectError> {
        let wrong = || ConnectError::Address(bounds::cut(text, 200).to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let plain = uri.scheme_str() == Some("https") && matches!(uri.path(), "" | "/");
        let host = uri.host().filter(|_| plain && uri.query().is_none()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| wrong())?;
        Ok(Self { uri, name })
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}:{}", self.uri.host().unwrap_or_default(), self.port())
    }

    fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(443)
    }
}

/// Opens connections of one kind: with these roots and this identity.
#[derive(Debug, Clone)]
pub struct Dialer {
    config: Arc<ClientConfig>,
    verifier: Option<Arc<Recording>>,
    proxy: Option<HttpProxy>,
}

impl Dialer {
    pub(super) fn new(config: ClientConfig, verifier: Option<Arc<Recording>>) -> Self {
        Self { config: Arc::new(config), verifier, proxy: None }
    }

    /// The configuration alone, for a client that does its own connecting.
    #[must_use]
    pub fn into_config(self) -> ClientConfig {
        Arc::unwrap_or_clone(self.config)
    }

    /// Goes through a proxy.
    #[must_use]
    pub fn through(mut self, proxy: Option<HttpProxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// [`ConnectError`], with what to do about it.
    pub async fn connect(&self, target: &Target) -> Result<TlsStream<TcpStream>, ConnectError> {
        let host = target.host();
        let stream = tokio::time::timeout(TCP_TIMEOUT, self.tcp(target))
            .await
            .map_err(|_| ConnectError::Timeout { host: host.clone() })??;
        let handshake =
            TlsConnector::from(self.config.clone()).connect(target.name.clone(), stream);
        tokio::time::timeout(bounds::HANDSHAKE_TIMEOUT, handshake)
            .await
            .map_err(|_| ConnectError::Timeout { host })?
            .map_err(|error| self.diagnose(target, &error))
    }

    /// Connects, and makes of it a gRPC channel that does not reconnect by itself: whoever uses it hears
    /// of every break and decides.
    ///
    /// # Errors
    /// [`ConnectError`], with what to do about it.
    pub async fn channel(&self, target: &Target) -> Result<Channel, ConnectError> {
        let stream = self.connect(target).await?;
        let mut stream = Some(TokioIo::new(stream));
        let once = tower::service_fn(move |_: Uri| {
            let stream = stream.take();
            async move { stream.ok_or_else(|| std::io::Error::other("the connection has ended")) }
        });
        Endpoint::from(target.uri.clone())
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .http2_max_header_list_size(bounds::HEADER_BYTES)
            .connect_with_connector(once)
            .await
            .map_err(|error| ConnectError::Tls { host: target.host(), reason: chain(&error) })
    }

    async fn tcp(&self, target: &Target) -> Result<TcpStream, ConnectError> {
        let unreachable = |reason| ConnectError::Unreachable { host: target.host(), reason };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let stream = match &self.proxy {
            None => connector.call(target.uri.clone()).await.map_err(|e| unreachable(chain(&e)))?,
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri.clone(), connector);
                if let Some(authorization) = &proxy.authorization {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                let to = format!("https://{}/", target.host());
                let to = to.parse().map_err(|_| ConnectError::Address(to))?;
                tunnel
                    .call(to)
                    .await
                    .map_err(|e| unreachable(format!("by the proxy: {}", chain(&e))))?
            }
        };
        Ok(stream.into_inner())
    }

    fn diagnose(&self, target: &Target, error: &std::io::Error) -> ConnectError {
        let host = target.host();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    let issuer = self.verifier.as_ref().and_then(|v| v.refused_issuer());
                    ConnectError::Intercepted { host, issuer: issuer.unwrap_or_default() }
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    ConnectError::WrongName { host }
                }
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => ConnectError::WrongTime { host },
                other => ConnectError::Tls { host, reason: other.to_string() },
            },
            _ => ConnectError::Tls { host, reason: chain(error) },
        }
    }
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_host_and_port() {
        for (text, host) in [
            ("https://collector.school.example:7443", "collector.school.example:7443"),
            ("https://collector.school.example/", "collector.school.example:443"),
            ("https://[::1]:7443", "[::1]:7443"),
            ("https://127.0.0.1:7443", "127.0.0.1:7443"),
        ] {
            assert_eq!(Target::parse(text).unwrap().host(), host);
        }
        for text in [
            "",
            "collector:7443",
            "http://collector:7443",
            "https://c/path",
            "https://c/?q",
            "https://:1",
        ] {
            assert!(matches!(Target::parse(text), Err(ConnectError::Address(_))), "{text}");
        }
    }
}
