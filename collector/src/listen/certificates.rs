//! The listeners' certificates, swapped while they serve.
//!
//! Looked at every few hours: one that ends soon is issued anew, and the console's own files are read again,
//! so that whatever renews the school's certificate needs to restart nothing. What cannot be read leaves
//! the one in use where it is, with an error in the log.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use redshank_proto::clock::Clock;
use redshank_proto::tls::{self, ALPN_H2, ALPN_HTTP1, Identity};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::CancellationToken;

use super::TlsConfig;
use crate::keys::{KeyError, KeyRing, server_identity};
use crate::settings::{CertificateFiles, Settings};
use crate::store::Store;

/// How often certificates are looked at.
const EVERY: Duration = Duration::from_secs(6 * 3_600);
/// Bytes of a PEM file: a chain of a dozen certificates.
const PEM_BYTES: u64 = 256 * 1024;

/// The TLS configurations of the three listeners.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Enrolment: the server alone is authenticated.
    pub enrolment: TlsConfig,
    /// Agents and feed: both ends are.
    pub agents: TlsConfig,
    /// Console: the server alone, under the school's own certificate if there is one.
    pub console: TlsConfig,
}

/// Why a listener has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// Our own could not be issued or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The console's files are of no use.
    #[error("{path}: {reason}; see [console] in collector.toml")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key do not fit.
    #[error("a listener's certificate is refused: {0}")]
    Tls(#[from] rustls::Error),
}

impl Certificates {
    /// Loads or issues what the settings ask for.
    ///
    /// # Errors
    /// [`CertificatesError`] if a certificate is missing or does not fit its key.
    pub async fn load(
        store: &Store,
        ring: &KeyRing,
        settings: &Settings,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, CertificatesError> {
        let [enrolment, agents, console] = configs(store, ring, settings, clock)
            .await?
            .map(|config| Arc::new(ArcSwap::from_pointee(config)));
        Ok(Self { enrolment, agents, console })
    }

    /// Keeps the certificates good until `stopping`.
    pub async fn follow(
        self,
        store: Store,
        ring: KeyRing,
        settings: Settings,
        clock: Arc<dyn Clock>,
        stopping: CancellationToken,
    ) {
        while stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            match configs(&store, &ring, &settings, &clock).await {
                Ok([enrolment, agents, console]) => {
                    self.enrolment.store(Arc::new(enrolment));
                    self.agents.store(Arc::new(agents));
                    self.console.store(Arc::new(console));
                }
                Err(error) => tracing::error!(%error, "the certificates stay as they are"),
            }
        }
    }
}

async fn configs(
    store: &Store,
    ring: &KeyRing,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<[ServerConfig; 3], CertificatesError> {
    let own = server_identity(store, ring, &settings.names).await?;
    let root = ring.issuers().last().cloned().ok_or(KeyError::Missing("root CA's"))?;
    let console = match &settings.console_certificate {
        Some(files) => identity_of(files)?,
        None => own.clone(),
    };
    Ok([
        tls::server(own.clone(), &[ALPN_H2], clock.clone())?,
        tls::mutual_server(own, &[CertificateDer::from(root)], clock.clone())?,
        tls::server(console, &[ALPN_H2, ALPN_HTTP1], clock.clone())?,
    ])
}

fn identity_of(files: &CertificateFiles) -> Result<Identity, CertificatesError> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&read(&files.certificate)?).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| failed(&files.certificate, "holds no certificates in PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|_| failed(&files.key, "holds no private key in PEM"))?;
    Ok(Identity { chain, key })
}

fn read(path: &Path) -> Result<Vec<u8>, CertificatesError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(PEM_BYTES).read_to_end(&mut bytes))
        .map_err(|error| failed(path, &format!("cannot be read ({error})")))?;
    Ok(bytes)
}

fn failed(path: &Path, reason: &str) -> CertificatesError {
    CertificatesError::File { path: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use redshank_proto::clock::System;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn files_that_are_of_no_use_are_named() {
        let folder = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("chain.pem", &certificate.repeat(2));
        write("leaf.key", &key.serialize_pem());
        write("empty.pem", "");
        write("broken.pem", &certificate.replace("-----END", "-----BEGIN"));
        for (chain, key, expected) in [
            ("chain.pem", "leaf.key", None),
            ("gone.pem", "leaf.key", Some("gone.pem: cannot be read")),
            ("empty.pem", "leaf.key", Some("empty.pem: holds no certificates in PEM")),
            ("broken.pem", "leaf.key", Some("broken.pem: holds no certificates in PEM")),
            ("leaf.key", "leaf.key", Some("leaf.key: holds no certificates in PEM")),
            ("chain.pem", "gone.key", Some("gone.key: cannot be read")),
            ("chain.pem", "chain.pem", Some("chain.pem: holds no private key in PEM")),
        ] {
            let files = CertificateFiles {
                certificate: folder.path().join(chain),
                key: folder.path().join(key),
            };
            match (identity_of(&files), expected) {
                (Ok(identity), None) => assert_eq!(identity.chain.len(), 2),
                (Err(error), Some(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (read, expected) => panic!("{read:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn another_certificate_s_key_is_refused() {
        let folder = TempDir::new().unwrap();
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let certificate = CertificateParams::default().self_signed(&own).unwrap().pem();
        let files = CertificateFiles {
            certificate: folder.path().join("own.pem"),
            key: folder.path().join("other.key"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, other.serialize_pem()).unwrap();
        let identity = identity_of(&files).unwrap();
        assert!(tls::server(identity, &[ALPN_HTTP1], Arc::new(System)).is_err());
    }
}
