//! What belongs to one school: where its collector is, whom its agents trust, and since when.
//!
//! # Since when visits are read
//! A browser stamps a visit by the device's clock; the collector says by its own when the device was
//! enrolled. A device whose clock was behind would lose visits without a word if only the collector's
//! time counted, and one that was ahead and has been set since, if only its own did. So both are kept, and the
//! earlier one is the bound ([`Installation::reads_visits_since`]). The price: on a device whose clock was
//! wrong, visits from just before the enrolment may be read, as far back as the clock was ahead. A file
//! from before the second time was kept has the collector's alone.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use prost::Message as _;
use redshank_proto::id::Generation;
use redshank_proto::trust::Trust;
use redshank_proto::{bounds, v1};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use super::{StateError, make_private_dir, read_bounded, write_atomically};

const INSTALLATION: &str = "installation.toml";
const TRUST: &str = "trust-bundle";
const EXTRA_CA: &str = "extra-ca.pem";
const SPOOL: &str = "spool";
const GENERATION: &str = "log-generation";

/// A few lines.
const INSTALLATION_BYTES: u64 = 16 * 1024;
/// A bundle with its signature and framing.
const TRUST_BYTES: u64 = bounds::TRUST_BUNDLE_BYTES as u64 + 1024;
/// An id in text is 36 bytes.
const GENERATION_BYTES: u64 = 64;
/// A file of root certificates; a system's whole store has this size.
const EXTRA_CA_BYTES: u64 = 1024 * 1024;

/// What enrolment settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The enrolment listener: where certificates are renewed.
    pub enrolment_url: String,
    /// The agents' listener.
    pub ingest_url: String,
    /// When the device was enrolled, by the collector's clock.
    pub enrolled_at: Timestamp,
    /// When it asked to be enrolled, by its own clock, which also stamps its visits; `None` in a file
    /// from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at_own_clock: Option<Timestamp>,
    /// Whether a technician had yet to approve the device when it was enrolled.
    pub pending: bool,
}

impl Installation {
    /// The time before which visits are left alone: the earlier of both clocks' times.
    #[must_use]
    pub fn reads_visits_since(&self) -> Timestamp {
        self.asked_at_own_clock.map_or(self.enrolled_at, |own| own.min(self.enrolled_at))
    }
}

/// A school's folder within the state folder.
#[derive(Debug, Clone)]
pub struct SchoolDir {
    path: PathBuf,
}

impl SchoolDir {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes the folder if it is missing.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn create(&self) -> Result<(), StateError> {
        make_private_dir(&self.path)
    }

    /// The folder, where the policy is kept too.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder of the spool if it is missing, and gives it.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn spool(&self) -> Result<PathBuf, StateError> {
        let path = self.path.join(SPOOL);
        make_private_dir(&path)?;
        Ok(path)
    }

    /// The generation of the collector's log that was last seen; `None` if none was.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn generation(&self) -> Result<Option<Generation>, StateError> {
        let text = read_bounded(&self.path.join(GENERATION), GENERATION_BYTES)?;
        Ok(text.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok()))
    }

    /// Keeps the generation of the collector's log.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_generation(&self, generation: Generation) -> Result<(), StateError> {
        write_atomically(&self.path.join(GENERATION), generation.to_string().as_bytes())
    }

    /// What enrolment settled.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it is missing or malformed.
    pub fn installation(&self) -> Result<Installation, StateError> {
        let path = self.path.join(INSTALLATION);
        let text = self.required(&path, INSTALLATION_BYTES)?;
        toml::from_slice(&text).map_err(|error| damaged(&path, error.message()))
    }

    /// Keeps what enrolment settled.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_installation(&self, installation: &Installation) -> Result<(), StateError> {
        let path = self.path.join(INSTALLATION);
        let text =
            toml::to_string(installation).map_err(|error| damaged(&path, &error.to_string()))?;
        write_atomically(&path, text.as_bytes())
    }

    /// Whom the school's agents trust.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it is missing, malformed or not signed by its own root.
    pub fn trust(&self) -> Result<Trust, StateError> {
        let path = self.path.join(TRUST);
        let bytes = self.required(&path, TRUST_BYTES)?;
        let signed = v1::SignedTrustBundle::decode(bytes.as_slice())
            .map_err(|_| damaged(&path, "it is no trust bundle"))?;
        Trust::from_store(signed).map_err(|error| damaged(&path, &error.to_string()))
    }

    /// Keeps whom to trust.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_trust(&self, trust: &Trust) -> Result<(), StateError> {
        write_atomically(&self.path.join(TRUST), &trust.signed().encode_to_vec())
    }

    /// The further roots that enrolment was given; none if it was given none.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if the file holds no certificate.
    pub fn extra_roots(&self) -> Result<Vec<CertificateDer<'static>>, StateError> {
        let path = self.path.join(EXTRA_CA);
        match read_bounded(&path, EXTRA_CA_BYTES)? {
            None => Ok(Vec::new()),
            Some(pem) => certificates(&path, &pem),
        }
    }

    /// Keeps a copy of the further roots, as PEM; `None` forgets those that were there.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn set_extra_roots(&self, pem: Option<&[u8]>) -> Result<(), StateError> {
        let path = self.path.join(EXTRA_CA);
        match pem {
            Some(pem) => write_atomically(&path, pem),
            None => match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(StateError::Io { path, source })
                }
                _ => Ok(()),
            },
        }
    }

    fn required(&self, path: &Path, bound: u64) -> Result<Vec<u8>, StateError> {
        read_bounded(path, bound)?.ok_or_else(|| damaged(path, "it is missing"))
    }
}

/// Reads a file of root certificates in PEM, as `--ca` and the setting `ca` name one.
///
/// # Errors
/// [`StateError`] if it cannot be read or holds no certificate.
pub fn read_roots(path: &Path) -> Result<(Vec<u8>, Vec<CertificateDer<'static>>), StateError> {
    let missing = || StateError::Io {
        path: path.to_owned(),
        source: std::io::Error::from(std::io::ErrorKind::NotFound),
    };
    let pem = read_bounded(path, EXTRA_CA_BYTES)?.ok_or_else(missing)?;
    let roots = certificates(path, &pem)?;
    Ok((pem, roots))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, StateError> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| {
            StateError::NoCertificates { path: path.to_owned(), reason: error.to_string() }
        })?;
    if certificates.is_empty() {
        let reason = "there is no `BEGIN CERTIFICATE` in it".to_owned();
        return Err(StateError::NoCertificates { path: path.to_owned(), reason });
    }
    Ok(certificates)
}

fn damaged(path: &Path, reason: &str) -> StateError {
    StateError::Damaged { path: path.to_owned(), reason: reason.to_owned() }
}
