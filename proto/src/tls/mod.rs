//! TLS on both sides: 1.3 only, aws-lc-rs, post-quantum key exchange first.
//!
//! rustls is built without TLS 1.2. The provider's first key exchange is X25519MLKEM768
//! (draft-ietf-tls-ecdhe-mlkem), so that what is recorded today is not read by tomorrow's machine. Times
//! come from a [`Clock`], like everywhere else.
//!
//! An agent believes the root of its school's trust bundle, and an extra root if one was configured; the
//! device's own root store has no say, because whoever manages the device can write to it.

mod connect;
mod verify;

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

pub use self::connect::{ConnectError, Dialer, HttpProxy, Target};
use self::verify::{AnyServer, Recording};
use crate::clock::Clock;

/// ALPN of gRPC.
pub const ALPN_H2: &[u8] = b"h2";
/// ALPN of a browser that speaks HTTP/1.1.
pub const ALPN_HTTP1: &[u8] = b"http/1.1";

/// A certificate chain, leaf first, with the leaf's private key.
#[derive(Debug)]
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// Builds the client's side for a server that one of `roots` vouches for.
///
/// # Errors
/// If a root or the identity is malformed.
pub fn client(
    roots: &[CertificateDer<'static>],
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
) -> Result<Dialer, rustls::Error> {
    let recording = Arc::new(Recording::new(root_store(roots)?)?);
    let config = client_config(recording.clone(), identity, clock)?;
    Ok(Dialer::new(config, Some(recording)))
}

/// Builds the client's side for fetching a trust bundle, and for nothing else: any server will do,
/// because what it says is checked against the hash in the enrolment token.
///
/// # Errors
/// If the cryptographic provider lacks TLS 1.3.
pub fn bundle_client(clock: Arc<dyn Clock>) -> Result<Dialer, rustls::Error> {
    Ok(Dialer::new(client_config(Arc::new(AnyServer::new()), None, clock)?, None))
}

/// Builds the server's side of a listener where only the server is authenticated.
///
/// # Errors
/// If the identity's key does not fit its certificate.
pub fn server(
    identity: Identity,
    alpn: &[&[u8]],
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, rustls::Error> {
    finish(server_builder(clock)?.with_no_client_auth(), identity, alpn)
}

/// Builds the server's side of a listener where the client must hold a certificate under one of `roots`.
///
/// # Errors
/// If a root is malformed or the identity's key does not fit its certificate.
pub fn mutual_server(
    identity: Identity,
    roots: &[CertificateDer<'static>],
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, rustls::Error> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(root_store(roots)?), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    finish(server_builder(clock)?.with_client_cert_verifier(verifier), identity, &[ALPN_H2])
}

type ServerBuilder<State> = rustls::ConfigBuilder<ServerConfig, State>;

fn server_builder(
    clock: Arc<dyn Clock>,
) -> Result<ServerBuilder<rustls::WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_safe_default_protocol_versions()
}

fn finish(
    builder: ServerBuilder<rustls::server::WantsServerCert>,
    identity: Identity,
    alpn: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let mut config = builder.with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

fn client_config(
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_auth_cert(identity.chain, identity.key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    // A session kept from before a certificate was revoked or renewed would outlive it.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn root_store(roots: &[CertificateDer<'static>]) -> Result<RootCertStore, rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone())?;
    }
    Ok(store)
}

/// rustls asks our clock.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests;
